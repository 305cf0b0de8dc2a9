"""The files that stand beside the code in `fixtures/`: configurations, tokenizers, indexes of weights."""
