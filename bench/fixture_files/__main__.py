"""Write the files beside the code in `fixtures/` anew: `python -m bench.fixture_files`. The same bytes every time."""

from __future__ import annotations

from bench.fixture_files.written import FIXTURES, written

if __name__ == "__main__":
    for path, data in written().items():
        (FIXTURES / path).parent.mkdir(exist_ok=True)
        (FIXTURES / path).write_bytes(data)
        print(f"{len(data):>8,} {path}")
