"""Every number that was chosen for scans, with its reason."""

from __future__ import annotations

# --- trace keys: what is read of one member ------------------------------------------------------------------

# Part of the identity of what is kept of a file: keys that another version made are not compared with these.
KEYS_VERSION = 1
# Of a file of tensors so much is read first, for its header: a part of it that is no matter, but what the headers of
# most shards of published models have, so that one request is enough.
FIRST_HEADER_PART = 0.0005
LEAST_FIRST_HEADER_BYTES = 1 << 10
MOST_FIRST_HEADER_BYTES = 1 << 14
# Files of tensors whose headers are read: the largest published models have some 160 of equal layers, and each takes
# a request or two. Of those the first tell the layout.
MOST_HEADERS = 64
# Different shapes of matrices that one file is remembered by; published models have at most some dozens.
MOST_SHAPES = 512
# Files of one member that are looked at by their ids, nearest to the top first.
MOST_KEYED_FILES = 2_000
# A file without an id is hashed here if it is no larger: code and notes, not data.
MOST_HASHED_BYTES = 1 << 20
# Files of this size with the suffix of a checkpoint are one; smaller ones are states of schedulers and generators.
LEAST_CHECKPOINT_BYTES = 1 << 20
# Keys of one kind that one member has, the rarest first: each is looked up, and what has more is a list of data.
MOST_KEYS = 256

# --- trace keys: what they weigh -----------------------------------------------------------------------------

# Of 9,316 pairs of independent packages one shares a file that says something (bench/evidence_history): 13 bits.
FILE_BITS = 13.0
# Files that are neither code nor a checkpoint have a third source more often than not, and `compare` does not weigh
# them where there is no history: they support other keys, and are no reason by themselves.
DOCUMENT_BITS = 4.0
MOST_DOCUMENT_BITS = 8.0
# The class that a configuration names as its code: a rare name, but one choice.
AUTO_MAP_BITS = 4.0
MOST_AUTO_MAP_BITS = 8.0
# A vocabulary is told by the smallest of so many permuted hashes of its tokens with their ids. Two that have half of
# their tokens at the same ids agree in a third of these, 5 of 16, and in fewer than 2 one time in 70; vocabularies
# trained on other texts have 0.003 of their tokens at the same ids and agree in 2 of 16 once in 100,000 times.
VOCABULARY_MINIMA = 16
VOCABULARY_BITS = 8.0
# Four statements of a chat template that no known one has are a line of `compare`.
TEMPLATE_BITS = 3.0
# A thousand tokens take more; of the files of one tokenizer that have a vocabulary one is read.
LEAST_VOCABULARY_BYTES = 4_000

# --- candidates ----------------------------------------------------------------------------------------------

# A member is a candidate where the keys of one kind reach these bits: with fewer `compare` writes no line of that kind.
# Keys of other kinds only tell which candidate is the likelier one. (Of files one is enough, as long as few have it; of
# a vocabulary two minima; of a chat template four statements.) A member is held against n others, and what one pair in
# 2^b has by chance would be had with n times as many: log2(n) bits more are asked for. Equal files are no chance.
# On a generated hub of 300 models two pairs of strangers had 16 and 23 bits, copies 96 and more.
LEAST_BITS = {
    "file": 8.0,
    "config": 16.0,
    "token": 12.0,
    "vocabulary": 16.0,
    "template": 12.0,
    "module": 16.0,
    "name": 16.0,
}
# A key counts what the package knows of it, and less where members show that it is no longer rare: those beyond the
# two that are compared ...
PAIR_MEMBERS = 2
# ... of all members, and as many more as the tables of the package were made from (370 lineages, 255 families). On a
# generated hub of 300 models that were given the same stock of words this leaves 17 pairs beside copies, instead of 25.
KNOWN_MEMBERS = 300
# Of files those beyond so many: a checkpoint that is uploaded again and again is no less the same.
FILE_MEMBERS = 8
# A key that more members have is no reason: it would say less than log2(10,000 / 64) = 7 bits on a hub of 10,000, and
# looking its holders up for every member would cost the square of them.
MOST_HOLDERS = 64
# Members with most layouts in common whose probes are compared, the earliest first: 32 MB of values, a second or two.
MOST_MATES = 1_000

# --- probes --------------------------------------------------------------------------------------------------

# Tensors of one checkpoint that are probed, each at one place: eight requests at most. Twice the places would tell no
# more than twice the values there, and a hub that takes 5,000 requests in five minutes is what a scan waits for.
PROBE_TENSORS = 8
# Of the rows up to a power of two, so that rows that were added move nothing: not the first, which are paddings and
# special tokens, nor the last, which are free.
PROBE_PLACES = (0.31,)
# Values of each tensor: a thousandth of the checkpoint's divided among these tensors, but so many at least, that a
# correlation of .5 is ten standard deviations of chance over all, and so many at most: 32 KB of 32-bit numbers in all.
PROBE_SHARE = 0.001
FEWEST_PROBE_VALUES = 64
MOST_PROBE_VALUES = 1_024
# Groups of tensors alike in width that are probed whole where they are so small: whichever name or place a copy gives
# to each, all of them are there.
MOST_WHOLE_GROUP = 4
# Chance: as many as this many independent pairs of probes are taken to be compared in one scan ...
PROBES_COMPARED = 1_000_000
# ... and one wrong pair in a hundred scans is too many.
MOST_EXPECTED_PROBES = 0.01
# Tensors of fewer independent values tell nothing; those that are alike by so many deviations correspond.
FEWEST_INDEPENDENT = 16
CORRESPONDING_DEVIATIONS = 5.0
# Beyond chance independent models still correlate, by what vocabularies have in common: of 1,035 pairs of small models
# that were trained apart none reaches this over all tensors (bench/funnel); what was trained three times as long as
# its source has .455 and more.
LEAST_PROBE_CORRELATION = 0.25
# Members alike by their probes that are proposed: a family of a hundred is told by who is nearest to whom.
NEAREST_BY_PROBE = 3
# Changes since a base that both declare: up to this correlation the base explains the likeness (`SIBLING_DELTA`), but
# for a change that is there whole: a slope of one within this, beyond chance.
SIBLING_PROBE_DELTA = 0.5
KEPT_PROBE_SLOPE = 0.25
# Members that declare the same base whose mean stands for it where it was not scanned.
FEWEST_SIBLINGS = 4
MOST_SIBLINGS = 32

# By how much the distance of tensors that stand at one rank may exceed that of the best pairing: more means that a copy
# has put them in another order.
SAME_ORDER = 0.05
