"""What a generated hub holds: code, settings, tokenizers, weights and cards of models that nobody has published."""
