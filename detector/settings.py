"""Every number we chose, with its reason."""

from __future__ import annotations

# --- lowering ---------------------------------------------------------------------------------------------

# Part of every stored format: shingles of different versions must not be compared.
LOWERING_VERSION = 1

# Strings up to this many characters are constants of the computation (einsum specs, special tokens, keys);
# longer ones are messages and prose, which a copier rewrites first.
LONGEST_KEPT_STRING = 40

# Labels kept interned in a process before the memo is dropped; about 40 MB.
MOST_LABELS = 200_000

# A shingle is a node with its operands to these depths.
SHINGLE_DEPTHS = (1, 2)

# How often one shingle counts within a function. Counts matter (sets instead of multisets cost .065 average
# precision on edited copies), but a table of a hundred equal entries is not a hundred times as telling.
MOST_OCCURRENCES = 4

# Rounds of dropping values that nothing uses. Chains of unused values in real code are shorter than ten.
MOST_PEELINGS = 64

# Records gathered before numpy hashes them: enough to make its calls cheap, few enough to stay in the cache.
BATCH_RECORDS = 20_000

# --- candidates -------------------------------------------------------------------------------------------

# Signatures as datasketch defines them. "affine32" is its default since 2.0; schemes cannot be compared.
MINHASH_PERMUTATIONS = 128
MINHASH_SEED = 1
MINHASH_SCHEME = "affine32"

# 32 bands of 4 rows find a pair of Jaccard 0.5 with probability 1 - (1 - 0.5^4)^32 = 0.87, of 0.7 with 0.9999;
# what is less alike is found through the rare shingles that it shares.
LSH_BANDS = 32
LSH_ROWS = 4

# References proposed from one bucket. Larger ones hold boilerplate; 64 instead of 16 finds no true pair more, doubles
# the pairs to score and loses .001 of average precision.
LARGEST_BUCKET = 16

# Functions of fewer shingles are too small for a signature to say anything.
FEWEST_LSH_SHINGLES = 6

# A shingle in more reference functions than this is not rare enough to propose candidates.
LARGEST_POSTING = 200

# Candidates kept for each suspect function, and the least share of its best one's weight that they must have.
CANDIDATES_PER_FUNCTION = 12
CANDIDATE_SHARE = 0.2

# Shingles hashed at once for signatures (128 x 2048 x 4 bytes = 1 MB), and pairs scored at once: what 4,000 pairs of
# functions hold takes about 3 MB and is used again, of 50,000 pairs it comes fresh from the system each time.
SIGNATURE_BLOCK = 2_048
PAIR_BLOCK = 4_000

# --- scores -----------------------------------------------------------------------------------------------

# The least number of functions that frequencies are taken over: with a few hundred functions on either side,
# log2(N / df) would give an einsum spec that nobody else wrote hardly more bits than a bare return.
SMALLEST_WORLD = 4_096

# --- bulk reading -----------------------------------------------------------------------------------------

# Source in one task: large enough to hide the cost of handing it over, small enough to keep two processes even.
TASK_BYTES = 1_000_000

# A module is cut at definitions into pieces of at least this many bytes: the tree of one is still in the processor's
# cache when it is lowered. From 1,000 to 8,000 bytes all sizes do as well.
LEAST_PIECE = 4_000

# Results and tasks held for each process while the first of them is not ready: a worker takes as long to start as five
# tasks take.
MOST_WAITING = 8

# Starting a process costs about 0.2 s, in which one reads a megabyte: below this much source it is not worth it.
LEAST_PARALLEL_BYTES = 3_000_000

# Of a file that Python rejects, the share of bytes that may stand in a text: random bytes have 0.89, and would keep
# the tolerant front end busy for half a minute a megabyte.
LEAST_TEXT = 0.95

# Python frames that lowering may use. The parser admits about 3,000 levels of nesting, a level is up to four.
DEEPEST_LOWERING = 20_000

# --- assignment -------------------------------------------------------------------------------------------

# How much of what is missing to 1 a pair gains from the company of its class: .6 was best of .3, .6, .9.
COMPANY_WEIGHT = 0.6

# How much names that agree add where the choice between references is near: .1 was best on declared copies.
NAME_WEIGHT = 0.1

# References within this share of the best one are tied; company and use-once decide among them.
NEAR_TIE = 0.9

# Suspects times references of one contested component that are matched exactly (72 MB); beyond, greedily.
LARGEST_COMPONENT = 9_000_000

# --- judging ----------------------------------------------------------------------------------------------

# A match stands on its own from this similarity x bits: coincidence reaches it about once in 10,000 functions.
REPORT_SCORE = 25.0
# ... and these bits: coincidence of short functions reaches 54 at the .999 quantile, one shared operation has 33.
REPORT_BITS = 45.0

# Within a link of this many matches that stand on their own, and this many bits among them, weaker ones are
# believed: three constructors that store the same layers reach about 400 bits between unrelated projects ...
FEWEST_LINK_FUNCTIONS = 3
LINK_BITS = 250.0
# ... from this max(similarity, containment / 2) x bits ...
LINKED_SCORE = 0.4
# ... and this many bits: a body that only raises NotImplementedError has 7 ...
LINKED_BITS = 5.0
# ... when the company of the class, file or caller, with this much for names that agree, reaches this: unrelated
# functions in linked projects have company below 0.05, pieces lifted out of a copied function above 0.3.
LINKED_NAMES = 0.3
LINKED_COMPANY = 0.15

# Too few functions on a side say nothing about independence.
FEWEST_COMPARED_FUNCTIONS = 3

# Deriving takes breadth: this many functions that stand on their own, this many bits among them, and this share
# of the suspect's weight. Projects that share one ancestor helper stay below.
DERIVED_FUNCTIONS = 3
DERIVED_BITS = 500.0
DERIVED_SHARE = 0.02

# Below this many bits in all, what is shared is a common idiom: about four functions at the .999 quantile of
# coincidence for their size, or a handful of constructors.
IDIOM_BITS = 250.0

# A copy of which this share of the bits is declared is a declared copy.
DECLARED_SHARE = 0.5

# Identical: nearly all of the suspect's weight stands unchanged in the reference.
IDENTICAL_SHARE = 0.98

# The verbal scale: bits that stand on their own -> strength. Coincidence of unrelated repositories stays below
# the first in 46 of 46 measured pairs once shared ancestry is set aside.
STRENGTH_BITS = {"weak": 25.0, "moderate": 250.0, "strong": 1_000.0, "very strong": 3_000.0}

# A function that calls more of the project's own functions than this is a driver; inlining them all says nothing.
MOST_CALLEES = 12

# Pairs as alike as this are not looked at again with their helpers written out: it could not raise them much.
SETTLED = 0.9

# Share of a function's own weight that must be in a match before what it calls is added to it.
OWN_PART = 0.2

# --- explaining -------------------------------------------------------------------------------------------

# Matches of one reference, strongest first, whose names and disguises are told: more than anybody reads. The others
# get their clone type, which costs a third.
MOST_EXPLAINED = 500

# What even the most common shingle weighs, in bits: alike in everything is more alike than alike in what is rare.
LEAST_WEIGHT = 0.25
