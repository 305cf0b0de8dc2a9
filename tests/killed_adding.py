"""A process that adds targets to an index until it is killed, and says after each that it is there.

python -m tests.killed_adding INDEX TARGET...
"""

from __future__ import annotations

import sys

from detector.index.store import open_index
from detector.read import open_target


def main() -> None:
    """Add one target after the other."""
    path, *targets = sys.argv[1:]
    print("ready", flush=True)
    for target in targets:
        with open_index(path, create=True) as index, open_target(target) as repo:
            index.add(repo)
            print(target, flush=True)


if __name__ == "__main__":
    main()
