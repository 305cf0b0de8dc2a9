"""Chat templates as statements: what two have in common that no known one has."""

from __future__ import annotations

import re

from detector.artifacts.tokenizers.known import hashed
from detector.artifacts.tokenizers.part import encoded

# A statement, an expression, or the text between two of them. What has no end reaches to the next beginning.
_STATEMENT = re.compile(r"\{%(?:[^%{]++|%(?!\})|\{(?!%))*+%\}|\{\{(?:[^}{]++|\}(?!\})|\{(?!\{))*+\}\}|[^{]++|\{")
_COMMENT = re.compile(r"\{#(?:[^#{]++|#(?!\})|\{(?!#))*+#\}")
_BLANK = re.compile(r"\s+")
# A text of fewer letters than this, or an `{% else %}`, is in every template.
_SHORTEST = 12
_MOST_CHARACTERS = 200_000


def normal(template: str) -> str:
    """One spelling: no blanks but single ones, one kind of quotes, no trimming marks, no comments."""
    text = _COMMENT.sub("", template[:_MOST_CHARACTERS])
    text = text.replace("{%-", "{%").replace("-%}", "%}").replace("{{-", "{{").replace("-}}", "}}")
    return _BLANK.sub(" ", text.replace('"', "'")).strip()


def statements(template: str) -> dict[str, str]:
    """The statements of a template that say something, by their hashes, in their order."""
    found: dict[str, str] = {}
    for match in _STATEMENT.finditer(normal(template)):
        text = _BLANK.sub("", match[0])
        if len(text) >= _SHORTEST:
            found.setdefault(hashed(encoded(text)), match[0].strip())
    return found


def similarity(ours: str, theirs: str) -> float:
    """The share of statements that two templates have in common, 0..1."""
    one, other = set(statements(ours)), set(statements(theirs))
    return len(one & other) / max(len(one | other), 1)
