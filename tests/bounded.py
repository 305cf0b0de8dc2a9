"""What a program that a test starts may cost; another one that runs beside it changes nothing of that."""

from __future__ import annotations

import resource
from collections.abc import Callable

# So long waits only what waits for ever: a program that is busy is ended by its processor time long before.
FOR_EVER_SECONDS = 600.0
# Of a processor. The slowest run that a test starts takes a sixth of it.
MOST_SECONDS = 60


def limited(seconds: int = MOST_SECONDS, memory: int | None = None) -> Callable[[], None]:
    """What the new process runs first: it is killed when it takes more processor time, and gets no more memory."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        if memory is not None:
            resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))

    return limit
