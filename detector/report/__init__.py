"""Report -> text: one file a format, each with `render`, and what they share. `reading.py` leads back from JSON."""
