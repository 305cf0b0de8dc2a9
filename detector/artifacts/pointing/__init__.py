"""Names that should lead somewhere, and where they lead."""
