"""Every number that was chosen for recorded predictions, with its reason."""

from __future__ import annotations

# --- reading ---

# Bytes that are asked for at once: large enough that asking costs nothing, small beside everything else in memory.
LOG_BLOCK_BYTES = 4 * 2**20
# Generated reports of a page have some 10,000 characters; a line beyond this is no answer.
LONGEST_LINE_BYTES = 2**20
# Ten million lines of a hundred bytes are a gigabyte, and half a minute of parsing; beyond this a log is cut.
MOST_LOG_BYTES = 4 * 10**9
# Records whose keys are looked at to find out which field is which: writers of JSON leave out empty fields.
FIELD_RECORDS = 64
# Items that are kept of a log, those whose id has the smallest hash: more than the 50,000 of the largest usual test
# sets, and some 30 MB of memory.
MOST_ITEMS = 65_536
# Characters that are kept of all their texts: a thousand each of the items of an ordinary log of free text.
MOST_LOG_CHARACTERS = 32_000_000
# Characters that are kept of one answer, to measure how alike texts are and to show them; all of it must be equal.
LONGEST_ANSWER = 4_000
# Logs that are read of one side, and characters that are kept of all of them: evaluations have a dozen data sets.
MOST_LOGS = 64
MOST_SIDE_CHARACTERS = 96_000_000
# Boxes of one answer: detectors keep a hundred at most, and few of these above any threshold.
MOST_BOXES = 64

# A parquet footer of a log has some kilobytes; a table of 10,000 columns a few megabytes.
MOST_FOOTER_BYTES = 16 * 2**20
MOST_PARQUET_COLUMNS = 10_000
# What one group of rows may claim that the columns in question unpack to: writers make groups of 128 MB.
MOST_ROW_GROUP_BYTES = 512 * 2**20
MOST_ROW_GROUPS = 100_000
PARQUET_BATCH_ROWS = 8_192
# Rows that are read, for one number may stand for any number of them, and values of one group of rows and column: a
# million rows of four corners are four million.
MOST_PARQUET_ROWS = 50_000_000
MOST_PARQUET_VALUES = 10_000_000

# --- comparing ---

# Of fewer common items the shares have errors of ten points and more.
FEWEST_COMMON_ITEMS = 50
# Answers are classes if they are no longer than this, and there are at most so many different ones for each item.
LONGEST_CLASS = 40
MOST_CLASSES_PER_ITEM = 0.25
# Answers are boxes if this share of them is.
LEAST_BOXES = 0.9
# A box is right from this overlap with the label on (Pascal VOC 2010, section 4.2).
RIGHT_OVERLAP = 0.5
# Pairs of texts or boxes whose likeness is measured: the mean of 2,000 is known to a hundredth.
MOST_LIKENED = 2_000
# Pairs of logs of one suspect and one reference that are told: one for each data set.
MOST_LOG_PAIRS = 4

# --- calibrating ---

# Fewer other models say nothing about how far two independent ones may go: 15 pairs of six are the least to rank in.
FEWEST_PANEL_MODELS = 6
# More make no difference to the rank, and time grows with the square.
MOST_PANEL_MODELS = 64
# A model of the panel has answered this share of the items that are compared: its figures are then of the same items.
LEAST_PANEL_ITEMS = 0.9
# The share of the panel that gives an answer is told as if one model more had been asked, which half gave it. With a
# quarter or with one of two, copies and independent pairs lay as far apart.
SEEN_BEFORE, ASKED_BEFORE = 0.5, 1.0
# A pair is beyond chance if no more than this share of the panel's pairs is above it: none of fewer than 100 ...
MOST_ABOVE = 0.01
# ... and from this excess on: small panels tell little of how far chance goes. Of 450 draws of independent pairs beside
# 6 to 12 models 16 are above all of their panel, and 3 of these reach this (bench/evidence_behaviour).
LEAST_EXCESS = 4.0
# One standard deviation of the excess above the panel's largest is more than support of the lowest grade.
CLEAR_EXCESS = 1.0
# Fewer equal wrong answers can be a handful of odd items.
FEWEST_SAME_WRONG = 5

# --- telling ---

MOST_BEHAVIOUR_ROWS = 100
MOST_MATRIX_MODELS = 32
NULL_BINS = 24
