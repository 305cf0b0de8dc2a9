"""What a hook looks up and tells."""

from __future__ import annotations

# Shapes that are looked at for each function of a change: those that share most of its keys. A function is screened
# with the first few of them, if these share as many keys as this, and this part of what the best one shares. Of 595
# functions of a package disguised at L7 and L8 whose match stands on its own, among 29,000 of five packages, two are
# lost so, and a seventh of the pairs is scored. With twice as many screened as many are found, six of 1,244 others;
# with three, eight others.
MOST_SHAPES = 16
SCREENED_SHAPES = 4
FEWEST_SHARED_KEYS = 3
SHARED_PART = 0.5

# A pair is screened without knowing what its target repeats; what has less than this part of what it takes to stand on
# its own is not looked at again.
SCREENED_PART = 0.8
# How many functions a target is taken to have meanwhile: so many that none of its shingles is common in it.
MANY_FUNCTIONS = 1_000_000

# Of the targets in which a function is this nearly as alike as where it is most alike, so many are scored: twenty
# versions of one project have the same function, and each takes five milliseconds.
NEARLY_BEST = 0.95
MOST_TARGETS = 3

# Rows of the table of further targets that have the same functions.
MOST_ALSO = 200
