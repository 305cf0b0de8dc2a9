"""What is known: an index of functions in one file."""
