"""Python -> value flow: what the standard library parses becomes records of one graph."""
