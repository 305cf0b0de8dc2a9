"""What a hook looks up and tells."""

from __future__ import annotations

# Shapes that are looked at for each function of a change, those that share most of its sketch first.
MOST_SHAPES = 24

# Rows of the table of further targets that have the same functions.
MOST_ALSO = 200
