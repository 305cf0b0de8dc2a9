"""Text -> value flow -> shingles -> matches. No disk, no network, no clock."""
