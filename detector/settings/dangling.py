"""Every number that was chosen for dangling references, with its reason."""

from __future__ import annotations

# Files beside the code that are searched for names, and how much of each: configurations and scripts are small, a
# tokenizer's tables say nothing that is looked for.
MOST_POINTING_FILES = 2_000
MOST_POINTING_BYTES = 524_288
# JSON is parsed as a whole or not at all: tokenizer_config.json with 2,000 added tokens has 60 kB.
MOST_JSON_BYTES = 2_000_000
# Names that are followed of one file, and in all: a path list of a data set is no reference to code.
MOST_FILE_NAMES = 2_000
MOST_DANGLING = 100
# Versions of one file in a reference's history that are searched for a name: configurations have a few.
MOST_VERSIONS = 50
