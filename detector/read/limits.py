"""What reading may cost: hostile input meets a number here, honest input never should."""

from __future__ import annotations

# The largest hand-written file of the large published ML packages is below 1 MB; what is larger is data in
# Python's clothing, and parsing takes about a hundred times a file's size in memory.
MAX_FILE_BYTES = 5_000_000

# All Python of one archive. Four large ML packages together hold 135 MB.
MAX_ARCHIVE_PYTHON_BYTES = 1_000_000_000

# What is kept of files that are not Python: of each the beginning, of one archive's altogether so much. The largest
# published tokenizers have 40 MB, headers of checkpoints a tenth of that.
MAX_HEAD_BYTES = 64_000_000
MAX_ARCHIVE_OTHER_BYTES = 1_000_000_000

# What is copied to temporary files in all, of files whose inside is asked for and that can only be read from front to
# back: members of archives and blobs of git. Larger checkpoints are not kept in either of them ...
MAX_SPOOLED_BYTES = 20_000_000_000
# ... and so much of the disk is left to others.
LEAST_FREE_BYTES = 200_000_000

# What a compressed tar may unpack to while it is passed over in search of Python: room for a source archive that
# carries data, some minutes of decompression at most.
MAX_ARCHIVE_UNPACKED_BYTES = 20_000_000_000

# Python source deflates 3 to 8 times, tables of constants up to about 50 times; deflate ends at 1,032.
MAX_RATIO = 200
# Below this a member may be as repetitive as it likes: it costs nothing.
RATIO_MATTERS_FROM_BYTES = 1_000_000

# The largest source trees in public have about 100,000 files.
MAX_MEMBERS = 300_000
# The zip directory is read at once; MAX_MEMBERS entries with names of ordinary length fit in this.
MAX_ZIP_DIRECTORY_BYTES = 32_000_000
# An extended tar header is read at once: names and attributes, never more than some kilobytes in honest archives.
MAX_TAR_HEADER_BYTES = 16_000_000
# xz asks for the memory its header names, up to 4 GiB; `xz -9` needs 65 MB.
MAX_XZ_MEMORY_BYTES = 256_000_000

# One tree may name the same subtree again and again, so that a small repository lists without end.
# The largest public source trees list in 50 MB.
MAX_TREE_BYTES = 200_000_000
# No file system takes a path of more than a few kilobytes.
MAX_TREE_PATH_BYTES = 100_000
# The most that git may allocate at once: a delta chain can ask for any size, a 5 MB file needs a fraction.
GIT_MEMORY = "512m"
# How long git may be silent while it reads from disk, which takes seconds at most. A named pipe among the objects would
# keep it waiting for ever.
GIT_SILENCE_SECONDS = 20.0
# How long a fetch may take in all: the largest source repositories arrive within minutes.
FETCH_SECONDS = 3600.0
# How long a server may take to say which commit is its newest: a line of text.
HEAD_SECONDS = 60.0
# How long pip may take for one distribution, which may be a gigabyte of compiled code around the Python.
PIP_SECONDS = 1800.0

# One request to a hub: how often it is tried, how long its answer may take, and how long is waited before another try,
# which is what a hub may ask for: its allowance is counted in windows of five minutes.
HUB_TRIES = 5
HUB_REQUEST_SECONDS = 300.0
# A listing's page is made of a database in some seconds; the hub's client would wait for it without end.
LISTING_SILENCE_SECONDS = 60.0
HUB_SLOWEST_BYTES = 500_000  # a second, of a long answer
HUB_LONGEST_WAIT_SECONDS = 310.0
# One page of a listing has a thousand files, in some hundred kilobytes.
MAX_HUB_PAGE_BYTES = 20_000_000
# Of a file up to here the rest is asked for where more than so many parts of it were: comparing the values of a
# checkpoint takes hundreds of parts, and each request takes as long as all these bytes do. A few, which tell whether
# two checkpoints are worth comparing, stay parts.
MAX_HUB_SMALL_BYTES = 1_000_000
FEW_HUB_PARTS = 8
# A hub that does not serve parts of files gives whole ones up to here: models that anyone would compare so.
MAX_HUB_WHOLE_BYTES = 2_000_000_000

# Commits of one history, newest first: the largest public repositories of machine learning have about 150,000. All
# changes of these, some hundred bytes of memory each: a history of 20,000 commits has about 200,000, folders included.
MAX_COMMITS = 200_000
MAX_CHANGES = 1_000_000
# Changes of one commit: as many as an archive may have members. A few small trees that name each other have no end.
MAX_COMMIT_CHANGES = 300_000
# A path that is longer counts for several; what is below the longest that a system opens, PATH_MAX of Linux, is not
# looked at.
ORDINARY_PATH_BYTES = 200
MAX_PATH_BYTES = 4096
# One folder's entries, some fifty bytes each, as many again.
MAX_FOLDER_BYTES = 20_000_000
# Entries of folders that are held while commits are compared: those of the largest source trees, about 50 MB.
MAX_HELD_ENTRIES = 300_000
# What is read of a commit itself: the longest messages, squashed pull requests, have some ten kilobytes ...
MAX_COMMIT_BYTES = 100_000
# ... of each message so much is kept, until all of them together are this long.
MAX_MESSAGE_BYTES = 4_000
MAX_MESSAGES_BYTES = 50_000_000
# Commits of which it is said one by one that they could not be read; of more, how many.
MAX_TOLD_COMMITS = 50

# READMEs and notices of one target, and what is read of each.
MAX_NOTES = 8
MAX_NOTE_BYTES = 300_000
# Notes that are asked for in all: one that cannot be read may cost as much as MAX_FILE_BYTES to find out.
MAX_NOTE_TRIES = 64

# A `generated` notice stands at the top.
HEAD_BYTES = 4096
HEAD_LINES = 20
