"""Write `report.*` in this folder anew: `python -m tests.golden`. Then read the difference before it is committed."""

from __future__ import annotations

import re
from pathlib import Path

from detector.formats import Format, render
from tests.reports import full

HERE = Path(__file__).parent
# What each format is called as a file.
ENDINGS = {
    Format.TERMINAL: "txt",
    Format.JSON: "json",
    Format.JSONL: "jsonl",
    Format.HTML: "html",
    Format.MARKDOWN: "md",
    Format.SARIF: "sarif",
    Format.GITLAB: "gitlab.json",
    Format.JUNIT: "junit.xml",
    Format.BLOCKS: "blocks.txt",
    Format.COMMENT: "comment.md",
}


# What every page has alike: style, scripts and their hashes. They stand in `detector/report/page/`.
_BROUGHT = re.compile(r"(<style>|<script>).*?(?=</style>|</script>)|(?<=Policy\" content=\").*?(?=\")", re.DOTALL)


def written(form: Format) -> str:
    """The fixed report in a format."""
    text = render(full(), form)
    return _BROUGHT.sub(lambda found: found[1] or "", text) if form is Format.HTML else text


def golden(form: Format) -> Path:
    """The file that holds the fixed report in a format."""
    return HERE / f"report.{ENDINGS[form]}"


if __name__ == "__main__":
    for form in Format:
        golden(form).write_text(written(form), "utf-8", newline="\n")
