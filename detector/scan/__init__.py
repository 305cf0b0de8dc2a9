"""Scheduled scans: what changed at the sources, compared with everything known."""
