"""Numbers of the store of a scan, each with its reason."""

from __future__ import annotations

# "mlds": so that `file` and this program tell a store from an index and from any other SQLite database.
APPLICATION_ID = 0x6D6C6473
# Raised by every change of the tables.
STORE_FORMAT = 1
# How long a writer waits for another one: transactions of a scan take milliseconds.
WAIT_SECONDS = 30.0
