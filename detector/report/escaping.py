"""Text from strangers in Markdown: shown as it is, with no effect. After CommonMark 0.31 and GitHub's additions to it.

Names, paths and code stand in code spans and fenced blocks: nothing in them is a link, an image, HTML, a mention or a
reference. Prose that quotes names keeps its plain words, and everything else of it goes into code spans.
"""

from __future__ import annotations

import html
import re
from itertools import groupby

from detector.report.names import elided, visible

EMPTY = "(empty)"
# A pipe ends a cell even inside a code span, and whether a backslash before it helps depends on what is before that.
PIPE = r"\x7c"

# Words that Markdown and GitHub can only take for words: letters with inner hyphens or apostrophes, or a number, and
# punctuation of a sentence. Not what may be a commit id, and not what begins an address.
_PLAIN = re.compile(
    r"\(?(?!(?:[a-fA-F]{7,40}|www)\b)(?:[^\W\d_]+(?:['’-][^\W\d_]+)*|\d{1,3}(?:,\d\d\d)*(?:\.\d+)?)[.,;:?!)]{0,3}"
)
_BACKTICKS = re.compile("`+")
TAB_WIDTH = 4


def code(text: str, most: int = 80) -> str:
    """A code span that shows `text` and nothing else, also in a table; of bounded length."""
    shown = elided(visible(text), most).replace("|", PIPE)
    if not shown:
        return EMPTY
    fence = "`" * (_longest_run(shown) + 1)
    # Markdown takes one space off both ends when both have one, and needs one beside a backtick.
    padding = " " if shown[0] in "` " or shown[-1] in "` " else ""
    return f"{fence}{padding}{shown}{padding}{fence}"


def html_code(text: str, most: int = 60) -> str:
    """The same as an HTML element, for the few places where Markdown is not read."""
    return f"<code>{html.escape(elided(visible(text), most)) or EMPTY}</code>"


def prose(text: str, most: int = 1000) -> str:
    """A sentence with names in it: plain words as they are, everything else in code spans; of bounded length.

    To stand behind something else on its line: a number with a dot at the beginning of a line would begin a list.
    """
    words = elided(" ".join(visible(line) for line in text.split()), most).split(" ")
    parts = []
    for is_plain, run in groupby(words, key=lambda word: bool(_PLAIN.fullmatch(word))):
        spelled = " ".join(run)
        if is_plain:
            parts.append(spelled)
        elif spelled:
            bare = spelled.rstrip(".,;:?!")  # the end of a sentence is no part of the name before it
            parts.append((code(bare, most) if bare else "") + spelled[len(bare) :])
    return " ".join(parts) or EMPTY


def block(text: str, language: str) -> str:
    """A fenced block that nothing in `text` can end."""
    lines = [visible(line.expandtabs(TAB_WIDTH)) for line in text.split("\n")]
    fence = "`" * max(3, _longest_run("\n".join(lines)) + 1)
    return "\n".join([f"{fence}{language}", *lines, fence])


def _longest_run(text: str) -> int:
    return max((len(run) for run in _BACKTICKS.findall(text)), default=0)
