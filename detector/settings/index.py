"""Numbers of the index of what is known, each with its reason."""

from __future__ import annotations

# "mldx": so that `file` and this program tell an index from any other SQLite database.
APPLICATION_ID = 0x6D6C6478

# Raised by every change of the tables or of the packs in them: an older index is built again, not converted.
INDEX_FORMAT = 1

# zlib's level for packs: 4 makes them 2 % shorter and packing a third longer, 6 takes half as long again for 1 % less.
PACK_LEVEL = 1

# What one pack may hold once it is unpacked. The largest published file that is read, of 5 MB, needs a third.
MOST_PACK_BYTES = 64_000_000

# Source that is lowered together: 32 MB give about 17,000 functions, whose arrays take 40 MB. A process is started
# once for each such part, 0.2 s beside the ten that lowering takes.
PART_BYTES = 32_000_000

# A shingle that fewer functions of a target have weighs nearly as much in a pair as by the target's own frequency:
# log2(N / 3) against log2(N / 1) are two bits, and of the weight of published code the background decides most.
FREQUENT = 4

# How long a writer waits for another one: the largest package is added in minutes, most in seconds ...
WRITER_SECONDS = 120.0
# ... and after how long it says that it waits.
TELL_WAITING_SECONDS = 3.0
# How long a reader waits: it meets a lock only while a log is put back into the file, which takes less than a second.
READER_SECONDS = 10.0

# Memory for pages of the database: inserting at random places of the keys of a million shapes stays in memory.
CACHE_KIBIBYTES = 65_536
# A reader looks at a page once: taking new memory for each costs more than reading it (14 ms a change became 11).
READER_KIBIBYTES = 512

# From this share of pages on that hold nothing, and so many bytes, the file is worth writing anew.
FREE_SHARE = 0.25
LEAST_FREE_BYTES = 4_000_000

# Targets out of an index that one suspect is compared with in full. Each is read and matched as if it had been named,
# about a second for a package of 5,000 functions; behind the first ten or so nothing explains more of the suspect.
MOST_REFERENCES = 16
# Shapes that are looked up for each function of the suspect when references are chosen: of forty copies of one function
# in as many targets, each is to be found.
SHAPES_PER_FUNCTION = 48
# Keys that a function of the suspect shares with one of a target for it to count: one rare shingle is found in
# unrelated code by chance, two hardly ever.
FEWEST_SHARED_KEYS = 2

# Postings of shapes that are gone do no harm: they are dropped when one in eight leads nowhere, since that reads them
# all.
DEAD_SHARE = 0.125

# What is remembered of a history once it is unpacked: a hundred bytes for each blob, of a million.
MOST_PAST_BYTES = 200_000_000

# A text that is kept is at most as long as a file that is read (MAX_FILE_BYTES), with room for the encoding.
MOST_TEXT_BYTES = 5_000_000

# Packs of an export that are filed together, so that their functions are sketched in one step: about 10,000.
EXPORT_PACKS = 1_000

# One record of an export: a target with 300,000 files, or the largest pack.
MOST_EXPORT_ROW_BYTES = 100_000_000

# Damaged pages that are told: one more says nothing that the first have not said.
MOST_TOLD_DAMAGE = 20
