"""What a hook looks up and tells."""

from __future__ import annotations

# Shapes that are looked at for each function of a change, those that share most of its keys first; of these it looks
# first at those that share as many as this, and this part of what the best one shares. Of 595 functions of a package
# disguised at L7 and L8 whose match stands on its own, among 29,000 of five packages, all but one are found so, with a
# fifth of the pairs of a function to score; twice as many shapes and single keys find that one.
MOST_SHAPES = 16
FEWEST_SHARED_KEYS = 3
SHARED_PART = 0.5

# Rows of the table of further targets that have the same functions.
MOST_ALSO = 200
