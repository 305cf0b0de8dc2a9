"""Files beside the code -> what they say: one module a format, bytes in, nouns out; nothing is trusted."""
