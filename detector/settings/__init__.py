"""Every number we chose, with its reason."""

from __future__ import annotations

# --- lowering ------------------------------------------------------------------------------------------------

# Part of every stored format: shingles of different versions must not be compared.
LOWERING_VERSION = 2

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

# --- candidates ----------------------------------------------------------------------------------------------

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
# Of the pairs of overlap .3 and 30 bits, 12 lose up to a twentieth where a package holds fifty variants of one layer,
# 24 lose .03 at the strongest disguise, 48 less than .01 at every level (bench/candidates).
CANDIDATES_PER_FUNCTION = 48
CANDIDATE_SHARE = 0.2

# Shingles hashed at once for signatures (128 x 2048 x 4 bytes = 1 MB), and pairs scored at once: what 4,000 pairs of
# functions hold takes about 3 MB and is used again, of 50,000 pairs it comes fresh from the system each time.
SIGNATURE_BLOCK = 2_048
PAIR_BLOCK = 4_000

# Of a few pairs the shingles that are looked up at once: 40 MB, however large the functions are.
SHINGLES_TOGETHER = 1_000_000
# Shingles of helpers that are put beside their callers among a few functions, in all: those of 3,000 callers are
# 400,000, and one helper may be larger than all of them.
MOST_BESIDE = 4_000_000

# --- scores --------------------------------------------------------------------------------------------------

# The least number of functions that frequencies are taken over: with a few hundred functions on either side,
# log2(N / df) would give an einsum spec that nobody else wrote hardly more bits than a bare return.
SMALLEST_WORLD = 4_096

# How similarity is made of overlap. Measured on declared copies (average precision) and on four packages disguised
# (open F1): siblings of one family differ in common things, so most of it counts every shingle alike ...
PLAIN_PART = 0.75
# ... what has fewer shingles than this in common is trivial: thirty functions hidden in a foreign project are found
# among its getters with F1 .95 instead of .73, for .003 of average precision on declared copies ...
FEW_SHINGLES = 5.0
# ... and size settles what is nearly tied: 1000 bits and more lose nothing, one bit this much.
SLIGHT = 0.03
LARGE_MAGNITUDE = 10.0  # log2 of the bits from which on size says nothing more
# ... and so do words that agree, looked at where the fit is this good: of forty copies of one function under the same
# flow, that with the same names is the source. Declared copies as published: average precision .954 -> .977.
WORDING = 0.06
WORDING_FROM = 0.8
WORDS_TOGETHER = 3
# ... and so does the order of tokens without their names, which renaming leaves: of siblings under the same flow, one
# calls by position where the other calls by keyword. Renamed copies: average precision .955 -> .960.
SHAPE = 0.03
TOKENS_TOGETHER = 5
# A function has one source: a pair with another reference than the chosen one has this part of its similarity, unless
# the two references are copies of each other. Renamed copies: average precision .960 -> .974.
OTHER_SOURCE = 0.25

# --- bulk reading --------------------------------------------------------------------------------------------

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

# --- assignment ----------------------------------------------------------------------------------------------

# How much of what is missing to 1 a pair gains from the company of its class: .6 was best of .3, .6, .9.
COMPANY_WEIGHT = 0.6
# A pair that fits less than this by itself gains less: thirty functions hidden in a foreign project stood among its
# functions that had nothing but the company of their class (F1 .954 -> .969).
COMPANY_FROM = 0.07

# How much names that agree add where the choice between references is near: .1 was best on declared copies.
NAME_WEIGHT = 0.1
# How much it adds there that the rest of the two files matches: of equal classes in two files each goes to its own.
# Edited copies: average precision .972 -> .974; of two disguises, open F1 .978 -> .987 and .988 -> .993.
FILE_WEIGHT = 0.1

# References within this share of the best one are tied; company and use-once decide among them ...
NEAR_TIE = 0.9
# ... unless more than this part of what the best fit lacks to 1 is missing to it: of twenty copies of one function some
# would be given to its nearest sibling. Declared copies: the right one is chosen for .997 in place of .983.
NEAR_FIT = 0.3

# Suspects times references of one contested component that are matched exactly (72 MB); beyond, greedily.
LARGEST_COMPONENT = 9_000_000

# --- judging -------------------------------------------------------------------------------------------------

# Score of a match: bits x overlap, or this part of bits x share of the smaller function. Coincidence reaches equal
# values of the two equally often.
PARTIAL_PART = 0.6

# A match stands on its own from this overlap x bits, these bits and this many distinct shingles on either side:
# 10 of 251,815 functions of independent projects reach all three (bench/null), a formula of one or two lines or a
# published algorithm each time.
REPORT_SCORE = 30.0
REPORT_BITS = 45.0
FEWEST_REPORT_SHINGLES = 14

# Within a link of this many matches that stand on their own, and this many bits among them, weaker ones are
# believed: three constructors that store the same layers reach about 400 bits between unrelated projects ...
FEWEST_LINK_FUNCTIONS = 3
LINK_BITS = 250.0
# ... where the odds against coincidence are these, given what else matches ...
BELIEVED_ODDS = 100.0
# ... and this many bits are shared: a body that only raises NotImplementedError has 7.
LINKED_BITS = 5.0
# ... where equal names count this much for a match, and its root where only the function's do, or only its class's. Of
# matches of unrelated functions .1 % agree in both and 4.8 % in one, of those with a common source 6.1 % and 34 %
# (`python -m bench.null`); with 25, chance matches within links are one in ten more.
NAME_ODDS = 16.0

# The prior of a context is the share of its other functions that are believed: as if this many strangers stood
# among them, so that two of two are not certain; fewer than so many matches make no context.
STRANGERS = 3
FEWEST_CONTEXT_MATCHES = 2
HIGHEST_PRIOR = 0.9
# A chance match falls into the place where the others are with at least this probability: projects of one kind have
# files of one kind.
NARROWING = 0.3
# The prior of what a believed function calls, where it matches the same reference or one that that calls.
CALLED_PRIOR = 0.3
# Matches of this score count towards the share of a project that matches, less what coincidence gives.
PLAIN_SCORE = 12.0

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

# How many times more one reference must explain than another for the difference to be told.
CLEAR_LEAD = 4

# Identical: nearly all of the suspect's weight stands unchanged in the reference.
IDENTICAL_SHARE = 0.98

# The verbal scale: bits that stand on their own -> strength. Coincidence of unrelated repositories stays below
# the first in 46 of 46 measured pairs once shared ancestry is set aside.
STRENGTH_BITS = {"weak": 25.0, "moderate": 250.0, "strong": 1_000.0, "very strong": 3_000.0}

# The same scale by likelihood ratio (ENFSI 2015, section 4, its upper half folded into ours): no line is stronger than
# the number of independent cases in which its kind was looked for.
STRENGTH_ODDS = {"weak": 2.0, "moderate": 10.0, "strong": 1_000.0, "very strong": 10_000.0}

# Kinds of evidence that depend on each other: in a cluster the strongest line speaks for all. What a suspect says of
# itself is in none: it lowers a finding, and is no likeness. What models answer hangs on their weights.
CLUSTERS: dict[str, tuple[str, ...]] = {
    "text": ("code", "traces", "history", "dangling"),
    "checkpoint": ("weights", "config", "structure", "tokenizer", "behaviour"),
}

# Kinds of which one strong line shows a derivation whatever the code tells. Of the others it shows a common source at
# most: a model that both started from gives both its configuration, its structure and its tokenizer. Of weights only
# lines that such a model does not explain are strong.
SUFFICIENT = frozenset({"history", "weights"})

# A function that calls more of the project's own functions than this is a driver; inlining them all says nothing.
MOST_CALLEES = 12

# Helpers that have less than this share of their caller's lines change too little to look at it again with them in
# place: a tenth of the time to read a repository would go into that.
LEAST_HELPER_PART = 0.15

# A helper of more lines is a function in its own right; in all, this many lines are put in place of calls.
LONGEST_HELPER = 60
MOST_HELPER_LINES = 240

# Pairs as alike as this are not looked at again with their helpers written out: it could not raise them much.
SETTLED = 0.9

# Without knowing what attributes hold, a pair counts this much of what it then has in common: .85 was best of .7 to 1.
# Pairs more alike than this as they stand are not looked at again so, nor with helpers of other files beside them.
BLIND_PART = 0.85
BLIND_BELOW = 0.6

# Share of a function's own weight that must be in a match before what it calls is added to it.
OWN_PART = 0.2

# --- explaining ----------------------------------------------------------------------------------------------

# Matches of one reference, strongest first, whose names and disguises are told: more than anybody reads. The others
# get their clone type, which costs a third.
MOST_EXPLAINED = 500

# What even the most common shingle weighs, in bits: alike in everything is more alike than alike in what is rare.
LEAST_WEIGHT = 0.25

# --- literal traces ------------------------------------------------------------------------------------------

# Part of the stored table: keys of different normal forms must not be compared.
LITERALS_VERSION = 1

# A line of a comment or of a text says something from this many characters and words on ...
LEAST_COMMENT = 16
FEWEST_COMMENT_WORDS = 3
# ... a number from this many digits on, zeros at the ends aside ...
FEWEST_DIGITS = 3
# ... a word from this length on: of shorter ones too many are one letter from another.
SHORTEST_WORD = 6
LONGEST_WORD = 24
# The word that was meant is one that this many packages of the background use, of 54: about 3,800 words ...
FEWEST_COMMON_PACKAGES = 12
# ... and what more packages than this write is a word of its own, or a spelling.
MOST_MISSPELLING_PACKAGES = 3

# What is longer is compared by its beginning.
LONGEST_LITERAL = 400

# Keys that are kept of one file: modules have some hundred to a megabyte of text, what has more is a table of data.
MOST_FILE_LITERALS = 20_000

# Tokens whose keys are kept in a process before the memo is dropped; about 30 MB for each kind.
MOST_MEMO_LITERALS = 100_000

# What a literal is worth: its rarity, up to log2(55) = 5.8 bits, times a part. The shortest line counts half: of 112
# independent pairs 26 share a line like `reset the environment`. A line of 72 characters that no package has counts
# 2.25 times, 13 bits: of such lines nobody wrote the same twice, all were copied from somewhere (bench/traces).
SHORT_PART = 0.5
# By kind, for each eight characters more or each further digit. Numbers of many digits are facts as often as choices:
# sizes of published models, codes of Unicode.
LENGTH_PART = {"comment": 0.25, "string": 0.25, "number": 0.1}

# Fewer bits are no trace ...
LEAST_TRACE_BITS = 2.0
# ... of one literal the first files on either side are looked at ...
MOST_TRACE_PLACES = 8
# ... and of all pairs of files, strongest first, these are read again, and so many are parsed for slips.
MOST_TRACE_FILES = 20
MOST_SLIP_FILES = 10
# Literals of one kind in neighbouring blocks of so many lines, in both files, are one trace, with the bits of the
# strongest: a comment of ten lines was copied once.
TRACE_LINES = 4
# Traces told of each kind for each reference, and places of each.
MOST_TRACES = 50
MOST_TOLD_PLACES = 3
# What the traces of one pair of files count in the ledger at most: they were copied together.
MOST_FILE_BITS = 40.0
# A kind of trace becomes a line of the ledger from these bits on: two or three lines of text, a few slips, and of
# numbers a whole table, since independent projects write down the sizes of the same published models (bench/traces).
TRACE_LINE_BITS = {
    "comment": 25.0,
    "string": 25.0,
    "number": 100.0,
    "misspelling": 15.0,
    "unused-import": 25.0,
    "unused-name": 9.0,
    "unreachable-code": 9.0,
}
