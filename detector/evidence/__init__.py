"""One kind of evidence, one file: each says what it found and its best innocent explanation."""
