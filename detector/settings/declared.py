"""Every number that was chosen for declared reuse, with its reason."""

from __future__ import annotations

# Manifests, notices and configurations are a few kilobytes; READMEs with tables up to some hundred.
MOST_MANIFEST_BYTES = 262_144
MOST_README_BYTES = 262_144
# Lines of a manifest that are read: the longest lists of requirements and submodules have some hundred.
MOST_MANIFEST_ENTRIES = 5_000
# Files of notices, licences and manifests that are opened: beyond, somebody vendors a distribution.
MOST_NOTICE_FILES = 200
# Shorter names are words of other languages and abbreviations as often as names.
SHORTEST_NAME = 4
# Claims whose words are kept for each report, and characters of each: more than anybody reads.
MOST_DECLARATIONS = 100
LONGEST_DECLARATION = 160
# Commits whose messages are read, and characters of each: the longest public histories of models have some ten
# thousand.
MOST_MESSAGES = 50_000
LONGEST_MESSAGE = 4_000
# Letters of messages that have a word of a claim in them, of all together: a tenth of those of 50,000 ordinary commits.
# Messages of nothing but turns of a sentence take ten seconds for each million.
MOST_CLAIMING_LETTERS = 2_000_000
# Lines at the head of a file that a licence header may take: Apache's takes 15, with two holders and a docstring 30.
HEADER_LINES = 60
HEADER_BYTES = 8_192
# A file is taken over if this many of its functions match one file of the reference, and this share of the functions
# of the shorter of the two.
FEWEST_TAKEN_FUNCTIONS = 2
TAKEN_SHARE = 0.5
# Rows of an exhibit.
MOST_LOST_HEADERS = 50
