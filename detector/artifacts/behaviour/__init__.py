"""Recorded predictions: which file of a target is a log, what it says, how alike two are, what others would give."""
