"""Every number that was chosen for looking functions up in an index, with its reason.

Recall is that of `python -m bench.index` at its two strongest disguises, L7 and L8: of the functions whose best match
is believed, the share for which that match is among 48 candidates, with the functions of other packages around.
"""

from __future__ import annotations

# Bits of a key and of the number of a shape: a posting is both in one integer of 64 bits, so that postings are sorted,
# merged and searched as plain integers. 268 million shapes; of the keys that are looked up in an index of a million
# functions, with some ten million distinct ones, one in 7,000 meets a stranger's by chance.
KEY_BITS = 36
SHAPE_BITS = 28

# The rarest shingles of a function that are posted: so many of each of its views (as it stands, with helpers in place,
# blind, both), or this part of a view where that is more, but never more than so many. Of 16 over all views together
# recall is .978 and .970: what is alike in one view alone, or a piece of something larger, is missed. With these it is
# .992 and .992; with half as many again .993, since what is common crowds out what is right.
POSTED_KEYS = (12, 4, 8, 4)
POSTED_PART = 0.4
MOST_POSTED_KEYS = 64
# Those that are looked up, seven or eight in all. With (6, 2, 6, 2) recall is .989, with twice as many .988.
ASKED_KEYS = (8, 4, 6, 4)

# What so many published packages have is neither posted nor asked for, unless a view has hardly anything rarer: with
# such keys recall is .0005 higher, for a sixth more of them and half as many shapes again.
COMMON_PACKAGES = 20
FEWEST_COMMON_KEYS = 2

# A function of one shingle returns a constant or nothing: it is found with what stands around it. Without those of two
# and three, which are nearly all found, recall over functions of any size would be .984.
FEWEST_SKETCHED = 2

# Functions that are sketched at once: their shingles stay in the processor's cache.
SKETCH_BLOCK = 8_192

# A key that more shapes have is common: it is looked up only for functions of which no key is rarer, and leads to the
# first so many then. With 100 recall falls by .004, with 400 it is the same. It may not be more than a block holds:
# what fills a whole block is known to be common without being read.
LARGEST_POSTING = 250

# Of a function the rarest keys count, until they have led to so many shapes: that bounds the work for each, and keeps
# half a thousandth of recall from being found.
MOST_HITS = 256

# Postings of one block: 2,000 bytes, two to a page of SQLite. Blocks of half the size take as long to read, and there
# are twice as many fences, of which each lookup reads all.
BLOCK_POSTINGS = 250

# Where one in so many blocks of a run is needed, all between are read: in order a block costs a third.
DENSE = 3

# A run is merged with those before it unless they are more than so many times as large: after 200 inserts there are
# three, and each posting was written six times. With 6 there are two, each was written nine times, and filing takes a
# sixth longer. Each run costs a lookup of a change 3 ms, until they are settled.
RUN_RATIO = 3

# When targets were added, all runs are merged into one, unless those but the largest come to less than this part of it:
# then these are merged, and one target more costs no index to be written anew.
SMALL_PART = 1 / 16

# Blocks that are read and merged at once: half a megabyte of each run.
MERGED_BLOCKS = 256

# Functions that are looked up at once. Each leads to twice MOST_HITS shapes at most, or one of common keys alone to
# LARGEST_POSTING for each of up to 22 keys: six million in all, 150 MB.
LOOKED_UP = 1_024
