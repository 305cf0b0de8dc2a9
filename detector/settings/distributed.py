"""Numbers of partitions, in which an index is spread over many files and machines."""

from __future__ import annotations

# Raised by every change of the layout: partitions of another format are written again, not converted.
PARTITION_FORMAT = 1

# Postings of one partition: 64 MB as integers, 15 in Parquet. Gathering one holds four times as much, so that a process
# stays below 300 MB; 10^9 functions with 20 keys each make 5,000 partitions, which a manifest of one MB tells.
PARTITION_POSTINGS = 4_000_000
# Shapes, packs and targets of one partition, each so that it comes to some ten or forty MB: a shape has 21 keys of five
# bytes, a pack takes 10 kB, a target 40 kB and some hundred places.
PARTITION_SHAPES = 250_000
PARTITION_PACKS = 4_000
PARTITION_TARGETS = 2_000

# Rows that are read at once, the least that a lookup reads: of postings they take 120 kB. Half as many make footers
# twice as long, of which each lookup reads all.
ROW_GROUP = 32_768
# Rows of packs, of which each takes kilobytes.
WIDE_ROW_GROUP = 256

# What one group of rows may claim to hold before it is unpacked, and one file to have of them. The largest that are
# written come to a quarter: 256 packs, of a few hundred kilobytes at most but for very few.
MOST_GROUP_BYTES = 256_000_000
MOST_GROUPS = 65_536
MOST_FOOTER_BYTES = 64_000_000
# A group of one row may be larger: the largest pack that an index holds, and its text.
MOST_ROW_BYTES = 100_000_000

# A receipt is two hundred bytes; a manifest has one for each partition.
MOST_RECEIPT_BYTES = 10_000
MOST_MANIFEST_BYTES = 256_000_000

# Functions of suspects that are looked up in one round, which reads postings once: 500,000 keys, which lead to 120
# million shapes (1 GB) at the very most, in practice to a tenth of that.
ROUND_FUNCTIONS = 65_536
# Functions that one task ranks: half a second, beside which sending it away takes nothing.
RANKED_FUNCTIONS = 4_096

# Targets that are read by one task, into an index of their own. A hundred repositories come to some 50,000 functions
# and ten minutes; what a killed run loses is at most that for each processor.
TARGETS_OF_A_SOURCE = 64

# A key that more shapes have is left out when families are looked for: c shapes make c^2 / 2 pairs. What so many
# different functions share is an idiom, not a trace of copying. Of a million functions 32 leaves 29 % of the postings
# out and finds 309,000 pairs, 64 leaves 22 % out and finds 517,000 in half as much time again; 128 was given up after
# five minutes.
FAMILY_POSTING = 64
# Keys that two shapes have in common for them to be of one family: both this many, and this part of those of the
# smaller one. Half of the rarest shingles is what a version of the same function keeps; with less, families chain into
# one.
FAMILY_KEYS = 4
FAMILY_PART = 0.5
# Pairs that are counted in memory at once: with all copies that sorting makes each takes some hundred bytes.
FAMILY_PAIRS = 4_000_000
