"""Configurations and checkpoints: what they set, which tensors they have, what published families explain of it."""
