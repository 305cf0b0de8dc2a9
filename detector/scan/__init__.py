"""Scheduled scans: what changed at the sources, compared with everything known; one store remembers all of it."""
