"""One run at a time: a lock beside the store that is gone with the process, however that ends."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from detector.model import UserError
from detector.read.names import printable


@contextmanager
def alone(store: Path) -> Iterator[None]:
    """Refuse to go on where another run has the store.

    Errors: UserError in one line.
    """
    import fcntl

    path = store.with_name(f"{store.name}.lock")
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
    except OSError as error:
        raise UserError(f"{printable(str(path))}: cannot be made ({error.strerror}): check the folder") from None
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UserError(f"{printable(str(store))}: another scan is running: wait until it is done") from None
        yield
    finally:
        os.close(handle)  # the file stays: who removes it may remove another one's
