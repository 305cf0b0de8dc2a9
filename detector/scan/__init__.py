"""Scheduled scans: one store for each, which remembers what was looked at and what was found."""
