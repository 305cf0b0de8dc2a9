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
SHINGLE_DEPTHS = (1, 2, 3)

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

# A bucket with more references than this holds boilerplate; its members differ in nothing that would rank them.
LARGEST_BUCKET = 64

# Functions of fewer shingles are too small for a signature to say anything.
FEWEST_LSH_SHINGLES = 6

# A shingle in more reference functions than this is not rare enough to propose candidates.
LARGEST_POSTING = 400

# Candidates kept for each suspect function, and the least share of its best one's weight that they must have.
CANDIDATES_PER_FUNCTION = 24
CANDIDATE_SHARE = 0.2

# Shingles hashed at once for signatures (128 x 2048 x 4 bytes = 1 MB), and pairs scored at once.
SIGNATURE_BLOCK = 2_048
PAIR_BLOCK = 50_000

# --- scores -----------------------------------------------------------------------------------------------

# The least number of functions that frequencies are taken over: with a few hundred functions on either side,
# log2(N / df) would give an einsum spec that nobody else wrote hardly more bits than a bare return.
SMALLEST_WORLD = 4_096
