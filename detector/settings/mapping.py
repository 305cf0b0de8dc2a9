"""Every number that was chosen for finding which tensor stands for which, with its reason."""

from __future__ import annotations

# A sketch holds so many values of a tensor: smaller tensors whole, larger ones in slices at fixed relative places. Of a
# model with 22.7 million parameters in 103 tensors that is 0.17 %; a correlation of 0.39, which the weakest tensor of a
# noised copy of it has, is 7.6 standard deviations of chance then.
SKETCH_VALUES = 384
SKETCH_PLACES = (0.31, 0.71)  # neither the first rows, which hold paddings and special tokens, nor the middle alone
# Sketches next to each other in a file are read at once; a request over a network costs as much as some kilobytes.
READ_TOGETHER_BYTES = 512
MOST_READ_TOGETHER_BYTES = 1 << 20
# Values beyond so many deviations count as that much: some models hold a few values a hundred times the others, and
# two such at one place would be all of a correlation.
CLIP = 3.0
# Deviations of a normal distribution in its mean absolute deviation: sqrt(pi / 2).
DEVIATIONS = 1.2533
# Fewer values than this can be alike by what every model has: a scale, a rising row.
FEWEST_VALUES = 16
# Chance is ruled out below this expectation of as good a pair anywhere in the group; comparing a thousand checkpoints
# of a hundred groups each then gives one wrong pair in a hundred runs at most.
MOST_EXPECTED = 1e-7
# Where at least this share of a group is certain the models have a common origin, and what is left of the group only
# has to be told from each other: below this expectation.
RELATED_SHARE = 0.5
MOST_EXPECTED_RELATED = 1e-3
# Pairs at least as alike as this may be a table that a formula makes. It is one if its values, or those of so many of
# its columns, are foretold from those before to within this: noise of 0.0014 leaves more than that right.
LEAST_TABLE = 0.999
MOST_OFF = 0.02
LEAST_FOLLOWED = 0.6
# A pair is told from the next best one if it is better by so many deviations of a difference of correlations. The next
# best of hundreds is three deviations above chance by itself.
MARGIN_DEVIATIONS = 2.0
# Two tensors of one checkpoint that are more alike than this are the same twice: tied embeddings under two names.
SAME_TWICE = 0.99995
# Groups of one shape up to this many pairs of tensors are assigned as a whole (a second for 2,000 x 2,000); larger
# ones take the pairs that are each other's best by fewer values (ten seconds for the 30,000 matrices of experts of the
# largest published models), and of still larger ones the rest is left to names and order.
MOST_ASSIGNED = 4_000_000
FEW_VALUES = 64
MOST_COMPARED = 32_768
# Correlations that are in memory at once: 64 MB.
MOST_CORRELATIONS = 1 << 24

# What a correlation that chance does not rule out weighs against names where neither decides: one of 0.35 between two
# sketches outweighs that the names are those of the same module.
ALIKE_WEIGHT = 3.0
# Pairs of such tensors that are weighed one by one, a second at most; of more, names and order decide alone.
MOST_WEIGHED = 60_000

# Aligned values: a tensor of up to this many is held in its own type where its rows are not wanted in order (256 MB of
# 32-bit numbers: the largest embeddings of models with a billion parameters); of a larger one each row is read alone.
MOST_HELD = 1 << 26
# Places of a tensor where a sample is taken, and rows of each side that are read for one of turned matrices.
SAMPLE_PLACES = (0.07, 0.31, 0.53, 0.71, 0.93)

# Pairs less alike than this, or whose one slice is less alike than this part of the whole, are looked for in other
# arrangements first: the ways into and out of a neuron correlate up to 0.3, and a few heads stay where they were.
FIRM = 0.6
SAME_EVERYWHERE = 0.5
# So many tensors of a side are looked for in other arrangements; the largest models whose layers are all rearranged
# have no more matrices, but for experts.
MOST_LEFT = 4_096

# Leftovers. Turned matrices are compared in a square of so many rows and columns, 400 values: whole rows are to be read
# for it. Of a checkpoint that is only sampled this share, or so many values, may be read for that.
SQUARE = 20
SQUARES_SHARE = 0.003
SQUARES_VALUES = 1 << 20
# Pieces of larger tensors at the places where they usually begin: multiples of their size from either end, up to so
# many (a fused query, key and value are three, gates and projections of experts more), and pieces altogether.
MOST_MULTIPLES = 16
MOST_PIECES = 4_096
# Rows and columns are told apart by so many of their values: of 100,000 rows compared with 1,000 ones correlations of
# 0.5 still are beyond chance.
LINE_VALUES = 256
# Rows of each tensor that are looked for in the others, before all are; fewer if there are very many others.
PROBES = 6
# What looking for rows may cost: values that are read of each side (2 GB of 32-bit numbers, seconds of a disk), and
# multiplications of one search (a second or two).
MOST_SEARCHED_VALUES = 1 << 29
MOST_MULTIPLICATIONS = 4e10
# Two tensors correspond row by row if at least this share of the rows finds each other; the rest are rows of zeros,
# of padding, or lost in noise.
LEAST_FOUND = 0.5
# ... and a run of rows is the whole answer if this share of it does: of 32 heads two that change places are more.
NEARLY_ALL = 0.95
# Runs of rows that a tensor is taken apart into; more (each head of each part) are one permutation, where that can be.
MOST_RUNS = 256
# Orders of an axis that are tried on the tensors that are left: one for the residual stream, few for anything else.
MOST_ORDERS = 8
MOST_ROUNDS = 4
# Gram matrices of so many rows are compared to find rotations; 1,128 products. Embeddings of independent models agree
# in what words resemble each other, to about 0.6; what was rotated, and noised besides, agrees nearly wholly.
GRAM_ROWS = 48
LEAST_GRAM = 0.9
# A model is rotated as a whole: this many of its matrices at least, and this share of those that are left. Positions
# are alike in every model, and the products of their embeddings agree to 0.95 between independent ones.
FEWEST_ROTATED = 4
LEAST_ROTATED = 0.5
