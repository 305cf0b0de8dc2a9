"""A `gh api` for tests: remembers how it was called, lists comments, and may refuse to write."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path


def main(arguments: list[str]) -> int:
    """Answer one call."""
    folder = Path(os.environ["RECORD"])
    bodies = [Path(each.removeprefix("body=@")).read_text("utf-8") for each in arguments if each.startswith("body=@")]
    with (folder / "calls").open("a", encoding="utf-8") as calls:
        calls.write(json.dumps({"arguments": arguments, "bodies": bodies}) + "\n")
    assert arguments[0] == "api"
    assert os.environ["GH_TOKEN"] == "secret"
    if "--method" in arguments:
        if os.environ["MAY_WRITE"] == "0":
            print("gh: Resource not accessible by integration (HTTP 403)", file=sys.stderr)
            return 1
        print("{}")
        return 0
    comments = json.loads((folder / "comments.json").read_text("utf-8"))
    # One array for each page, as older versions write them.
    sys.stdout.write(json.dumps(comments[:1]) + json.dumps(comments[1:]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
