"""Every number that was chosen for configurations and structure, with its reason."""

from __future__ import annotations

# A model's configuration has some kilobytes; what is larger, deeper or has more values is data. Of one target so many
# are read, those near the top first: a zoo of models has a configuration for each.
MOST_CONFIG_BYTES = 1_000_000
MOST_CONFIG_DEPTH = 24
MOST_CONFIG_VALUES = 4_000
MOST_CONFIG_FILES = 60
# Configurations inside of one configuration that are looked at, and pairs of files that are aligned for each role:
# those with most keys and values in common.
MOST_CONFIG_PARTS = 24
MOST_CONFIG_PAIRS = 40

# What one key, value or name can say at most, in bits: the table of families knows about 370 lineages, log2 of these
# is 8.5, and a key that none of them has is not as rare as that in the projects that it does not know.
MOST_RARITY_BITS = 6.0
# A rare key that is set to nothing counts this part: options that nobody uses are carried along.
UNSET_PART = 0.5
# How often a value is chosen for a key is asked of this many families that have the key; of fewer, of all keys.
FEW_FAMILIES = 8
# A second family explains a configuration where it explains this many keys that the first leaves: two settings in one.
LEAST_SECOND_FAMILY = 3
# A value under another key counts from this rarity on, and less by what choosing among keys costs (log2 of 4).
LEAST_RENAMED_BITS = 3.0
RENAMING_COST = 2.0
# Keys that the family itself has, with values that it does not: a base that is not in the table explains all of them
# together, so that they count this much at most, which is less than a line needs.
MOST_SIZE_BITS = 8.0
# A likeness of configurations is a line of the ledger from these bits on, moderate from those on. Of 55,000 pairs of
# configuration classes without a common source none reaches the first (bench/evidence_config).
LEAST_CONFIG_BITS = 16.0
MODERATE_CONFIG_BITS = 24.0
# A file whose name does not say that it sets up a model counts as one with this many keys that published models have.
LEAST_KNOWN_KEYS = 3
# Rows of a table that are shown, and equal files that are told.
MOST_EXHIBIT_ROWS = 60
MOST_SAME_FILES = 8
# Families that a ranking shows beside the references.
MOST_RANKED = 8

# The format allows headers of 100 MB; the largest published ones have some 10 MB for 100,000 tensors.
MOST_HEADER_BYTES = 32_000_000
MOST_TENSORS = 200_000
# Files of one target whose headers are read, and checkpoints (folders with an index, or files by themselves).
MOST_TENSOR_FILES = 400
MOST_CHECKPOINTS = 12
MOST_INDEX_BYTES = 32_000_000
# A name of a tensor has few parts; deeper ones are cut there.
MOST_NAME_PARTS = 24
# A branch with fewer tensors is built like many: it is told by its name alone.
FEWEST_BRANCH_TENSORS = 3
# Branches of one tree: a model with 256 experts in each of 60 layers has 300,000, in some 200 MB.
MOST_BRANCHES = 400_000
# Branches that are built alike, among which the one called most alike is taken where none has the same path: about as
# many as the layers of the largest published models; what is left of more is taken in order.
MOST_ALIKE_BRANCHES = 128
# A family explains names from this many on that no nearer one has.
LEAST_FAMILY_NAMES = 3
# A published model explains sizes of tensors where it has at least so many that no other one has explained.
FEWEST_FAMILY_SIZES = 2
# Checkpoints of one side that are told apart by their names alone before the nearest are aligned.
MOST_ALIGNED = 3
# What equal sizes add, where names are left that no family explains: a total to the byte, or all shapes.
SIZE_BITS = 6.0
# A likeness of names is a line of the ledger from these bits on, moderate from those on (bench/evidence_structure).
LEAST_STRUCTURE_BITS = 16.0
MODERATE_STRUCTURE_BITS = 24.0
# Shapes alone are a line if they agree in this share of either side's tensors, and at least so many.
LEAST_SHAPE_SHARE = 0.9
FEWEST_SAME_SHAPES = 24
# Names that are made alike, `query_proj` and `key_proj`, were chosen together: each after the first counts this part.
# Without it DeBERTa and ProphetNet, which have nothing else in common, would reach a line.
ALIKE_PART = 0.25
