"""Every number that was chosen for telling who derives from whom, with its reason."""

from __future__ import annotations

# At this distance two members have nothing in common: what is as far is no tie, and to derive from nobody costs it.
NOTHING_IN_COMMON = 1.0
# Distances are told apart to this part: probes of a few thousand values know them to a hundredth, and equal files give
# equal numbers. What is nearer counts as equal, and then a declaration, the older one and the name decide.
DISTANCE_STEPS = 1 << 20
# Two parents are equally near if their distances differ by no more than this part. They do where they differ from each
# other by a seventh of what the child differs from them: a cast and what was cast. Two thousand values tell a seventh
# from nothing by three standard errors, and no less.
EQUAL_DISTANCES = 0.01
EQUAL_MODELS = 1 / 7

# Dates are handed on along chains of copies without dates; nobody has seen one of half the length.
MOST_ROUNDS = 16

# --- mixtures --------------------------------------------------------------------------------------------------

# A member is mixed if the best mixture of others leaves at most this share of the squared distance to the nearest of
# them. Steps of training are at right angles to each other and to what came before, and leave all of it; two fine-tunes
# for one purpose, whose changes correlate by .4, leave a fifth less; a mixture of equal shares with noise or further
# training a third as long as the way to its parents leaves a ninth.
MOST_LEFT = 0.25
# Parents with a smaller share are not told from what training does.
LEAST_SHARE = 0.1
# ... and no more parents are looked for once so little is left: it is chance, and some parent always takes of that.
ENOUGH_LEFT = 0.05
# One more parent must take away at least this share of what is left; the fifth of five equal ones takes all of it, the
# second of them a quarter.
LEAST_GAIN = 0.1
# Parents of a mixture, with the model that they are changes of: published mixtures have two to four.
MOST_PARENTS = 6
# The cosine of an angle that is obtuse for certain: two thousand values know it to .02.
BETWEEN = -0.1
# Of so many nearest members mixtures are looked for: all pairs of them are tried.
MOST_NEIGHBOURS = 24
# Nearer than this is rounding to bfloat16 (.002 of the values' length) and no mixture of anything.
LEAST_MIXED_DISTANCE = 0.005

# --- families --------------------------------------------------------------------------------------------------

# Members that hang together are one family up to so many: what a page shows at once. Larger ones are cut where they
# hang together least.
LARGE_FAMILY = 60
# The search for communities shuffles members; always the same way.
COMMUNITY_SEED = 43
