"""Numbers of findings that are kept, and of telling those who watch, each with its reason."""

from __future__ import annotations

# Lines of a finding's ledger that a list of findings has: the strongest lines of every kind of evidence, twice. The
# report has all of them.
MOST_LINES = 24
# Characters of a claim or an explanation among them: the longest pattern of the ledger, filled in, has 600.
LONGEST_TEXT = 1_000
# Characters of a member in a sentence: an owner and a name of 96 each, as hubs allow.
LONGEST_NAME = 200
# Characters of the reason of an acceptance: a paragraph.
LONGEST_REASON = 2_000

# zlib's level for reports: 6 makes a report of 1 MB an eighth as long in 20 ms; 9 takes five times as long for 2 %.
REPORT_LEVEL = 6
# A report as text, as `detector report` reads one.
MOST_REPORT_BYTES = 256 * 1024 * 1024
# The lines of one finding, as JSON: 24 lines with two texts of 1,000 characters of twelve bytes at most.
MOST_LINES_BYTES = 1_000_000

# How many digits of an id have to be given: of a thousand findings fifteen share four with another one, which is told.
LEAST_ID = 4
