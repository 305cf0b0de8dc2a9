"""What is known: an index of the functions of many targets, in one file."""
