"""Every number that was chosen for telling kinship and direction from a few values of two models, with its reason."""

from __future__ import annotations

# Fewer values tell nothing: a correlation of .5 is chance among them.
FEWEST_VALUES = 32
# Larger values are left out: their squares would overflow, and no weight is as large.
LARGEST_VALUE = 1e15
# Heads of models that were trained apart correlate by up to .22, since both know how frequent each token is.
LEAST_CORRELATION = 0.3
# Where nobody says which values are of which tensor: the same number of values each, so that noise can be told uneven.
PARTS = 16

# --- rounding --------------------------------------------------------------------------------------------------

# Of so many values half are known to have the variance of rounding to 8 %: a quarter off is three standard errors.
FEWEST_ROUNDED = 256
ROUNDED_VARIANCE = 1 / 12  # in steps, of what is even between half a step below and above
VARIANCE_OFF = 0.25
# Rounded once, all values are; to one type and then to a coarser one, 94 % of them.
LEAST_ROUNDED = 0.9

# --- levels ----------------------------------------------------------------------------------------------------

# Of 32 values in a row on 256 levels a seventh is there twice, of bfloat16 one in fifty: fewer are not looked at.
LEAST_REPEATED = 0.05

# --- pruning ---------------------------------------------------------------------------------------------------

# So many zeros where the other side has none are no accident, if all but one in a hundred others are equal.
FEWEST_ZEROS = 10
LEAST_EQUAL = 0.99

# --- noise -----------------------------------------------------------------------------------------------------

# Fewer values do not tell normal numbers from what training does.
FEWEST_NOISED = 2048
# The difference correlates with the side that it was added to by chance alone, with the other by so many standard
# errors. Noise of a share r of the weights' deviation needs (6 / r)^2 values for that.
MOST_BY_CHANCE = 3.0
LEAST_TOLD = 6.0
# Of each test of the noise's shape: standard errors, and beside them what rounding to half precision adds.
SHAPE_ERRORS = 4.0
KURTOSIS_FLOOR = 0.05
CORRELATION_FLOOR = 0.01
# Sigma varies by no more than this between parts beside chance; of fine-tunes by 10 % and more from layer to layer.
UNEVEN = 0.01
