"""Measure quality and speed against named public packages."""
