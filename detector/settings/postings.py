"""Every number that was chosen for looking functions up in an index, with its reason.

Recall is that of `python -m bench.index`: of suspect functions whose best match is believed, the share of which that
match is among the candidates, at the strongest disguises (L7, L8), with 94,000 functions of other packages around.
"""

from __future__ import annotations

# Bits of a key and of the number of a shape: a posting is both in one integer of 64 bits, so that postings are sorted,
# merged and searched as plain integers. 268 million shapes; of ten million distinct keys, one in 7,000 that are looked
# up meets a stranger by chance.
KEY_BITS = 36
SHAPE_BITS = 28

# The rarest shingles of a function that are posted: so many of each of its views (as it stands, helpers in place, blind,
# both), or this part of the view where that is more, but never more than so many. Of 16 over all views together recall
# is .975 to .980: what is alike in one view alone, or a piece of something larger, is missed. With these it is .993,
# with a third less in each .988. About 26 keys for a function in all.
POSTED_KEYS = (12, 4, 8, 4)
POSTED_PART = 0.4
MOST_POSTED_KEYS = 64
# Those that are looked up, about 8: with twice as many, common ones crowd out what is right (.989).
ASKED_KEYS = (8, 4, 6, 4)

# What so many published packages have is neither posted nor asked for, unless a function has hardly anything rarer: with
# such keys recall is .0005 higher, for a sixth more of them and half as many shapes again.
COMMON_PACKAGES = 20
FEWEST_COMMON_KEYS = 2

# A function of one shingle returns a constant or nothing: it is found with what stands around it. Of those with two and
FEWEST_SKETCHED = 2

# Functions that are sketched at once: their shingles stay in the processor's cache.
SKETCH_BLOCK = 8_192

# A key that more shapes have is common: it is looked up only for functions of which no key is rarer, and then leads to
# the first so many. With 100 recall falls by .004. No more than a block holds: what fills one is known to be common, and
# need not be read to tell.
LARGEST_POSTING = 250

# Of a function the rarest keys count, until they have led to so many shapes: the work for each is bounded, and recall
# as good as with all.
MOST_HITS = 256

# Postings of one block: 2,000 bytes, two to a page of SQLite. Half of it takes as long to read and twice the fences;
# twice of it takes a fifth longer.
BLOCK_POSTINGS = 250

# Where one of so many blocks of a run is needed, all between are read: in order a block costs a third.
DENSE = 3

# A run is merged with the one before it unless that is so many times as large: of a million functions in 200 targets
# never more than five runs, and every posting is written about eight times.
RUN_RATIO = 6

# Blocks that are read and merged at once: half a megabyte of each run.
MERGED_BLOCKS = 256

# Functions that are looked up at once: the worst that keys can do is then 100 MB.
LOOKED_UP = 1_024
