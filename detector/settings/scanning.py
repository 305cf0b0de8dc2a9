"""Numbers of scheduled scans, each with its reason."""

from __future__ import annotations

# --- the plan, and what a run does ---

# A list of ten thousand addresses takes a megabyte.
MOST_PLAN_BYTES = 4_000_000

# Members that one member is compared with in full, the likeliest first: each costs as much as `detector compare` of the
# two, seconds and some requests. In the generated hub the right one was always among the first two.
MOST_CANDIDATES = 6

# How often a member that could not be read is tried again, one run after the other, before it waits for its next
# change.
MOST_TRIES = 4

# What a run adds to the index between two steps that make looking up quick: settling reads all that is posted.
SETTLE_EVERY = 500

# Of the code that two have in common, the share that no other reference explains, from which on the pair is told by
# itself. Between a copy and the original of its original it is what was changed in between: nothing, most of the time.
EXCLUSIVE_SHARE = 0.2

# Bases that both sides declare and that are read beside them: the weights of two fine-tunes are compared by what
# changed since. Each costs as many requests as a side.
MOST_BASES = 2

# How often in a row a source may refuse before the others go on without it.
MOST_REFUSALS = 3

# What a dashboard shows of the past: three years of nights, and as many occurrences as a browser lays out in a second.
MOST_SHOWN_RUNS = 1_000
MOST_SHOWN_OCCURRENCES = 2_000

# Mates of one layout that had none when they were looked at, and are probed when another one comes: only the first of a
# layout has no probe, unless it could not be opened.
MOST_PROBED_LATER = 8

# Of a member's code, the share that another one has, from which on it may derive from it. Members of a generated hub
# that have nothing to do with each other share up to 23 % by idioms, copies and forks 96 % and more.
LINEAGE_SHARE = 0.3
