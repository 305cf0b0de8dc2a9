"""`python -m detector`, and what the `detector` command calls."""

from __future__ import annotations

import os
import sys

# One thread for each process: products of small matrices take several times longer where threads wait for each other,
# and what sums come out does not depend on the machine. Set before numpy is imported; who has set it knows better.
os.environ.setdefault("OMP_NUM_THREADS", "1")


def main() -> None:
    """Run the command line and end the process with its exit code.

    A hook ends at once: to take everything apart that is about to vanish costs as much as all that it looks up.
    """
    try:
        from detector.cli import leave, run

        code = run()
        if sys.argv[1:2] == ["hook"]:
            leave(code)
        sys.exit(code)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
