"""Every number that was chosen for git histories, with its reason."""

from __future__ import annotations

# Odds of files that two histories share byte for byte. Of 9,316 pairs of independent packages none shares a Python file
# and one shares others, prompts of one benchmark (`python -m bench.evidence_history`): far above these odds. But of
# repositories more is published than of packages, and what is no Python often has a third source: a checkpoint's
# tokenizer, a benchmark's data. Alone it supports little, however many files it is.
SHARED_PYTHON_ODDS = {1: 100.0, 3: 1_000.0, 10: 10_000.0}
SHARED_OTHER_ODDS = {1: 5.0, 3: 10.0}
# Pictures and their like count nothing: wheels, of which the null is made, hardly have any, and one photograph stands
# in the demonstrations of many projects.
MEDIA = frozenset(
    "avi bmp eps gif gz ico jpeg jpg m4a mov mp3 mp4 ogg otf pdf png pptx svg tif tiff ttf wav webm webp woff woff2"
    " zip".split()
)
# The same for whole folders of more than one file: none in as many pairs.
SHARED_FOLDER_ODDS = 1_000.0

# Python files of the suspect that are looked for among the versions of a reference, newest paths first, and what is
# read of either side: some 20 MB are lowered in half a minute, as much as a history of thousands of commits holds.
MOST_VERSION_BLOBS = 2_000
MOST_VERSION_BYTES = 20_000_000
# Larger files of a history are not read.
MOST_HISTORY_FILE_BYTES = 1_000_000
# Of each file the versions of so many paths are compared: renamed files have one, split files two or three.
MOST_NEAREST_PATHS = 3
# Python files of the suspect that are looked for among these, the first of each path, oldest first: each costs some
# hundredths of a second.
MOST_VERSION_FILES = 300
# A file that is not as near to any version as this, or shares fewer bits, has no nearest version.
NEAREST_SIMILARITY = 0.2
NEAREST_BITS = 50.0

# Renaming by one substitution: from this many places on, which an editor's single replacement hardly reaches in an
# honest commit of another purpose, and where the names explain this share of all words that changed.
FEWEST_RENAMED_PLACES = 10
RENAMED_CONSISTENCY = 0.9
# Such a commit is an import's when this share of the places held names that stand in the reference and not the new one.
IMPORTED_NAMES = 0.5
# ... and these are as many different names: every project that calls `strip` has the name in common.
FEWEST_IMPORTED_NAMES = 3
# Commits and changed files of each that are read for that, and for names that were removed.
MOST_READ_COMMITS = 2_000
MOST_READ_FILES = 300
# Lines that are compared in all, of files of which about as many words went as came. The 843 commits of CleanRL have
# 420,000 of them, which take three seconds.
MOST_COMPARED_LINES = 1_000_000
# What is read of the suspect's history in all, besides its versions.
MOST_HISTORY_BYTES = 100_000_000

# Compiled files and texts left by tools that are read, of the whole history.
MOST_RESIDUE_FILES = 500
# A source's time in a compiled file supports a commit's date when the two lie this close, in seconds: an hour, since
# what is compiled is committed in the same sitting.
CORROBORATING_SECONDS = 3_600

# Odds of a mention of the reference that was removed, and of a path that leads to it. No unrelated repositories have
# either, but whoever compares with another project, or depends on it for a while, leaves both: they support little
# alone. Paths of a source whose size is that of a file of the reference say more.
REMOVED_ODDS = 5.0
LEFT_ODDS = 5.0
LEFT_SIZE_ODDS = 1_000.0

# Rows of a table of the history.
MOST_HISTORY_ROWS = 100
# Commits of a kind that the timeline tells.
MOST_HISTORY_EVENTS = 20
