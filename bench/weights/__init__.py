"""Checkpoints for measuring: small models trained here, what may be done to one, and large ones made on the fly."""
