"""Python text without a grammar: its words, how deeply it may be nested, and words replaced one by one.

Nothing here fails, and nothing takes more than one pass, whatever the text is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

# Strings end where the language says, or at the end of the line, or (with three quotes) of the text.
_STRING = r"""(?P<prefix>\b[A-Za-z]{1,2})?(?P<string>
    '''(?:[^'\\]|\\[\s\S]|'(?!''))*+(?:'''|\Z) | \"""(?:[^"\\]|\\[\s\S]|"(?!""))*+(?:\"""|\Z)
  | '(?:[^'\\\r\n]|\\(?:\r\n|[\s\S]))*+'? | "(?:[^"\\\r\n]|\\(?:\r\n|[\s\S]))*+"? )"""
TOKEN = re.compile(
    rf"""{_STRING} | (?P<skip>\#[^\r\n]*+|\\\r?\n) | (?P<line>\n) | (?P<open>[(\[{{]) | (?P<close>[)\]}}])
  | (?P<apart>[,;]) | (?P<word>[^\W\d]\w*+) | (?P<number>\d\w*+) | (?P<other>[^\s\w])""",
    re.VERBOSE,
)
_WORD = re.compile(r"[^\W\d]\w*+")
_DEEPENING = re.compile(r"[^\s\w,;]|\b(?:and|await|elif|else|for|if|in|is|lambda|not|or|yield)\b")
_WORDS_THAT_DEEPEN = frozenset("and await elif else for if in is lambda not or yield".split())

# An f-string whose end is where this grammar and the one of Python 3.12 both see it: no brace and no backslash inside
# of a string inside of its braces.
_PLAIN_FIELDS = re.compile(r"""(?>\{\{|\}\}|[^{}]|\{(?>[^{}'"\\]|'[^'"{}\\]*+'|"[^'"{}\\]*+"|\{[^{}'"\\]*+\})*+\})*+""")


def words_of(text: str) -> frozenset[str]:
    """Everything that looks like a name, those in strings and comments included."""
    return frozenset(_WORD.findall(text))


def is_nested_at_most(text: str, deepest: int) -> bool:
    """Whether no parser can need more than `deepest` levels for an expression, or for blocks; sometimes false for less.

    Every operator, bracket and string may be a level, until a comma or the end of the statement ends it.
    """
    if (
        len(_DEEPENING.findall(text)) + text.count("'") + text.count('"') + text.count("\n ") + text.count("\n\t")
        <= deepest
    ):
        return True
    # `elif` nests, and so may each width of indentation.
    widths = len(set(re.findall(r"^[ \t\f]*", text, re.MULTILINE)))
    blocks = widths + len(re.findall(r"\belif\b", text))
    return blocks <= deepest and all(depth + widths <= 2 * deepest for depth in _depths(text, deepest))


def _depths(text: str, deepest: int) -> Iterator[int]:
    """How deep an expression may be after each token; more than `deepest` ends it."""
    outer: list[int] = []  # levels of the open brackets
    here = depth = 0
    for token in TOKEN.finditer(text):
        kind = token.lastgroup
        more = 0
        if kind == "word":
            more = token[0] in _WORDS_THAT_DEEPEN
        elif kind == "open":
            outer.append(here)
            depth, here = depth + 1, 1
            continue
        elif kind == "close":
            depth -= here
            here = outer.pop() if outer else 0
            more = 1
        elif kind == "apart" or (kind == "line" and not outer):
            depth, here = depth - here, 0
        elif kind == "string":
            more = 1 + _depth_of_string(token)
        elif kind == "other":
            more = 1
        here, depth = here + more, depth + more
        if depth > deepest:
            yield 2 * deepest + 1
            return
        yield depth


def _depth_of_string(token: re.Match[str]) -> int:
    """What is nested in an f-string; too much where a parser might see its end elsewhere."""
    if "f" not in (token["prefix"] or "").lower() and "t" not in (token["prefix"] or "").lower():
        return 0
    quotes = 3 if token["string"][:3] in ("'''", '"""') else 1
    inside = token["string"][quotes:-quotes]
    return len(_DEEPENING.findall(inside)) if _PLAIN_FIELDS.fullmatch(inside) else len(token["string"]) + 1_000_000


def replace_words(text: str, change: Callable[[str, bool], str]) -> str:
    """Replace names outside of strings and comments; `change` gets each, and whether it follows a dot."""
    pieces: list[str] = []
    done, is_after_dot = 0, False
    for token in TOKEN.finditer(text):
        if token.lastgroup == "word":
            pieces += (text[done : token.start()], change(token[0], is_after_dot))
            done = token.end()
        is_after_dot = token[0] == "."
    return "".join([*pieces, text[done:]])
