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
# A line of a file of occurrences: that, and names and a sentence.
MOST_LINE_BYTES = 2_000_000

# How many digits of an id have to be given: of a thousand findings fifteen share four with another one, which is told.
LEAST_ID = 4

# One POST to a webhook: silence that is waited for, as webhooks of large services wait for their receivers ...
SILENCE_SECONDS = 10.0
# ... and how long it may take in all, whatever trickles in meanwhile.
TRY_SECONDS = 20.0
# Tries of one delivery, and how long they may take with the waiting between them: a receiver that is started anew is
# back within a minute; one that is down for longer is told in the next run.
TRIES = 6
DELIVERY_SECONDS = 90.0
# The first wait; each of the others is twice as long as the one before it.
FIRST_WAIT_SECONDS = 1.0
# How long one webhook may take in one run: a scan that is run every hour must not run into the next one.
HOOK_SECONDS = 600.0
# Of an answer: enough that a receiver which says "ok" is not cut off. What it says is not looked at.
MOST_ANSWER_BYTES = 4_096
# Characters of an address.
LONGEST_ADDRESS = 2_000
