"""Files of tokenizers, in all their formats -> one ordered list of tokens as bytes, and what stands around it."""
