"""What tensors of checkpoints hold -> which correspond to which, and what was done to them."""
