"""Every number that was chosen for comparing the values of weights, with its reason."""

from __future__ import annotations

# --- reading -------------------------------------------------------------------------------------------------

# Values that are summed at once: 256 KB of 32-bit numbers, which stay in the processor's cache between two sums.
CHUNK = 1 << 16
# Values of a tensor by which the model of its residual is told: its distribution function is known to .004 then.
MOST_SAMPLED = 1 << 16
# ... and in a comparison that reads slices only so many, or this share of a tensor's values, of small ones so few:
# sigma is known to 1.6 % of a large matrix then, and to .2 % of a whole model.
MOST_SLICED = 1 << 11
SLICED_SHARE = 0.0015
FEWEST_SLICED = 64
# Larger values are left out of the sums: their squares would overflow, and no weight is as large.
LARGEST_VALUE = 1e15
# Rows and columns of the block whose singular values are looked at: ranks up to half of that are told, 3 ms each.
MOST_BLOCK_ROWS = 256
MOST_BLOCK_COLUMNS = 1024
# A table of sines has neighbours that are alike by .6 and more, trained matrices by less than .2: what a formula gives
# is the same in models that have nothing else in common.
SMOOTH_CORRELATION = 0.4
# Of fewer values in a row the correlation of neighbours is chance.
FEWEST_NEIGHBOURS = 16
# Fewer make no spectrum.
FEWEST_BLOCK_ROWS = 16
# Rows of the block where slices are read only, and the share of the bytes that all such blocks take: with it
# and the slices of the mapping .2 % are read.
SLICED_BLOCK_ROWS = 24
SLICED_BLOCK_SHARE = 0.0005
MOST_SLICED_BLOCK_BYTES = 1 << 22
# Checkpoints of a target that are compared, each with the one of the reference that has most of its shapes: a pipeline
# has three or four models.
MOST_CHECKPOINT_PAIRS = 4
# Share of the smaller checkpoint's numbers whose shapes the other has too: below, two checkpoints are not mapped.
LEAST_SHAPE_OVERLAP = 0.02

# --- relation of a tensor ------------------------------------------------------------------------------------

# Fewer values tell nothing: biases of a small head.
FEWEST_VALUES = 32
# Equal, but for what was edited by hand or never read.
EQUAL_SHARE = 0.99
# Rounding to one type and then to a coarser one leaves 6 % of the values a step off (F16, then BF16).
ROUNDED_TWICE = 0.9
# Zeros where the other has values, from this share on.
LEAST_PRUNED_SHARE = 0.01
# Residuals of scaled values are at most this many times what rounding gives: of the product, and of both sides.
MOST_ROUNDING = 2.0
# Steps of a half-precision type wider than this many sigma hide the noise; of rounded normal numbers the variance is
# known to 1 part in 1,000 up to 1.5.
WIDEST_STEP = 1.5
# Noise is measured if at least this share of the values has finer steps.
LEAST_CORE = 0.05
# A correlation of aligned values is no chance from so many standard errors on: 1 of 1.7 million by chance, and a
# checkpoint has at most some 10,000 tensors.
LEAST_ERRORS = 5.0
# ... nor one this large. Of 190 pairs of small models that were trained apart half have less than .01 in every matrix;
# the heads of some, which know how frequent each character is, have up to .22 (`python -m bench.evidence_weights`);
# three times more training left .455. Where the mapping does not rule chance out, more is asked for.
LEAST_CORRELATION = 0.25
LEAST_UNCERTAIN = 0.35
# Two tensors are independent if even so many standard errors above it their correlation is less than this.
CHANCE_ERRORS = 3.0
MOST_INDEPENDENT = 0.5
# ... and it is not both this large and LEAST_ERRORS standard errors from nothing: the signal may be below noise of
# twenty times its size. Half of the pairs that were trained apart have less than a fifth of this in every matrix.
LEAST_SIGNAL = 0.05
# Integers that vary by more than this are weights, several of them in each; positions and counts are smaller.
LEAST_PACKED = 1e6
# A factor differs from one by so many standard errors, and by more than rounding.
FACTOR_ERRORS = 6.0
LEAST_FACTOR = 1e-5

# --- grids ---------------------------------------------------------------------------------------------------

# Runs of a row that one scale may be for, the longest first: a row, or a group of so many values.
GRID_RUNS = (1024, 256, 128, 64, 32)
# Runs of a tensor that are looked at, and the share of them that must stand on a grid: a run may reach into the next
# row.
MOST_GRID_RUNS = 24
LEAST_GRID_SHARE = 0.75
# Steps of the finest grid that counts: eight bits.
MOST_LEVELS = 256
# Fewer levels are told by being few; of this many, three tenths lie near any grid by chance, all in 1 of 100,000.
TELLING_LEVELS = 12
# How far levels may be off the grid, in steps, of those that half precision keeps to that part of a step.
GRID_TOLERANCE = 0.15
GRID_BLUR = 0.1
# Least squares of rounded on unrounded values gives one, within this even for two bits, unless they are integers.
MOST_GRID_FACTOR = 0.3
# The rounded values differ from the others by half a step, and by what an uneven grid or a search for the best scale
# adds.
GRID_REACH = 1.05

# --- the model of the residual -------------------------------------------------------------------------------

# Distance between the distribution of the residuals and the normal one: this much is left to what the model of
# rounding does not know, and the rest to chance (1.63 / sqrt(n): 1 of 100 by chance).
KS_FLOOR = 0.004
KS_CHANCE = 1.63
# Correlation of |residual| with |value|: so much is nothing, and so many standard errors are chance.
VALUE_FLOOR = 0.02
VALUE_ERRORS = 5.0
# Energy of rows and columns varies as independent numbers give, within so many standard errors and this much more.
EVEN_ERRORS = 6.0
EVEN_FLOOR = 0.25
# The largest singular value lies at the edge of Marchenko and Pastur, within so many units of Tracy and Widom: 1 of
# 100,000 blocks of independent numbers lies beyond.
EDGE_UNITS = 5.0
# Low rank: what is beyond the rank has at most this share of the energy, or this many times what rounding gives there;
# where rounding is more than a quarter of all, it hides which: the lower half of a noisy block has .13 of its energy.
LOW_RANK_REST = 1e-3
LOW_RANK_ROUNDING = 1.5
MOST_RANK_ROUNDING = 0.25
# ... and the rank at most this part of the block's rows.
LOW_RANK_PART = 0.5
# Sigma is one number for all tensors, or one share of their standard deviations, if it varies by no more than this
# beside chance: fine-tunes vary by 10 % and more from layer to layer.
HOMOGENEOUS = 0.01
# Chance is what samples of these sizes vary by, and so many standard errors of that: much where slices only are read.
SPREAD_ERRORS = 3.0
# A tensor's sigma fits that of the model within so many standard errors, beside that share.
SIGMA_ERRORS = 5.0
# Residuals of one tensor that are kept, 16 KB, and of all tensors that are tested together: their distribution
# function is known to .001.
KEPT_RESIDUALS = 1 << 12
MOST_POOLED = 1 << 20
# Of the parameters of what was changed, the share that must be noise for the model to be called noised.
NOISED_SHARE = 0.9
# Bins of the histogram of residuals, in units of sigma.
HISTOGRAM_REACH = 5.0
HISTOGRAM_BINS = 50

# --- relation of the whole -----------------------------------------------------------------------------------

# A whole is told by at least this share of the parameters of its matrices; the rest may be below the noise.
LEAST_TELLING = 0.5
# A whole model corresponds if this share of the parameters of its matrices does ...
WHOLE_SHARE = 0.9
# ... and no component with at least this share of them, and so many matrices, is independent of the other's: such a
# model shares a component, however large.
COMPONENT_SHARE = 0.01
FEWEST_COMPONENT_MATRICES = 3
# Less than this share of a model that corresponds outside of components is no finding.
LEAST_SHARED = 0.1
# A component corresponds if this share of its parameters does.
COMPONENT_RELATED = 0.8
# The relation of a whole is the one that changes most, of those that this share of what corresponds has.
LEAST_CHANGED = 0.01
# Changes since a base that both have: from this correlation on the base does not explain what is shared, up to that one
# it does. A noised copy has .996, two fine-tunes of one base .38 (bench/evidence_weights).
COPIED_DELTA = 0.9
SIBLING_DELTA = 0.5
# Changes that have this share of the energy of the base's values or less are rounding: the model is the base.
NO_DELTA = 1e-6
# Between the two, a model that was trained on from another has its change whole: slopes of one in nearly all matrices,
# within this, and of all together within half of it.
KEPT_SLOPE = 0.1
# The slope of a copy's changes is told from one half if it is so many standard errors away.
SURE_ERRORS = 5.0
# Values of a tensor by which changes since a base are compared: their correlation is known to .008.
MOST_DELTA_VALUES = 1 << 14
# Parts of a mixture are at least so large, and differ by no more than this between tensors.
LEAST_PART = 0.02
SAME_PARTS = 0.02
# Each product and sum of a mixture is rounded: of six models, ten times.
MOST_SOUP_ROUNDINGS = 16.0
MOST_SOUP_MODELS = 6
# Models whose difference has less than this many times the energy of rounding are alike in a tensor.
TELLING_DIFFERENCE = 1_000.0

# Smaller probabilities are not told apart in print: no model of chance is as exact.
LEAST_P = 1e-30

# --- showing -------------------------------------------------------------------------------------------------

MOST_TENSOR_ROWS = 200
MOST_COMPONENT_ROWS = 60
MOST_TILES = 2_000
# Of a cell or a label; names of tensors have some 80 characters.
LONGEST_CELL = 160

# A checkpoint that is here and no larger is read in full where nobody said how much to read: about a second, and what
# slices cannot tell apart (adapters, grids, noise in small tensors) is told.
MOST_WHOLE_BYTES = 64_000_000
