"""The rules of the SARIF report: what each kind of finding measures, and what else would explain it."""

from __future__ import annotations

from collections.abc import Mapping

UNREAD = "reading/skipped"
CUT = "report/cut"

_MATCHES = {
    "code/same-function": (
        "The same function but for layout and comments",
        "Both functions have the same code apart from layout and comments (clone type 1).",
        "A common source that both took over unchanged, generated code, or the same author on both sides.",
    ),
    "code/renamed-function": (
        "The same function after consistent renaming",
        "Both functions have the same code once names are replaced one for one (clone type 2).",
        "A common source, a published reference implementation, or the same author on both sides.",
    ),
    "code/rewritten-function": (
        "A function that computes the same in other words",
        "What flows into what is the same in both functions, beyond what independent projects have in common, while "
        "statements were changed or written otherwise (clone types 3 and 4).",
        "A common ancestor, or a published formula or layer that allows few other ways to write it.",
    ),
}
_TRACES = {
    "traces/same-comment": "A comment that both have and hardly anybody else",
    "traces/rare-string": "A text that both have and hardly anybody else",
    "traces/magic-number": "An odd number that both have and hardly anybody else",
    "traces/same-misspelling": "A misspelling that both have",
    "traces/same-unused-import": "An import that both have and neither uses",
    "traces/same-unused-name": "A name that both define and neither uses",
    "traces/same-unreachable-code": "Code that both have and that never runs",
    "traces/other": "Something small that both have and hardly anybody else",
}
_TRACE_MEASURES = "The same small thing stands in both texts, and few published packages have it."
_TRACE_INNOCENT = "A common source, a convention or a tool that both use, or the same author on both sides."
_MEANING = (
    "A result is a measured likeness. Who had the code first, and whether they may use it, is not for a program to "
    "say. What the suspect declares itself is a note."
)


def driver(versions: Mapping[str, str]) -> dict[str, object]:
    """The tool as SARIF describes it, with all of its rules, whatever was found."""
    version = versions.get("detector", "")
    return {
        "name": "detector",
        **({"version": version} if version else {}),
        "rules": _RULES,
        "notifications": [
            {"id": UNREAD, "shortDescription": {"text": "A file that could not be read, or not in full"}},
            {"id": CUT, "shortDescription": {"text": "More was found than the format may hold"}},
        ],
    }


def index(kind: str) -> int:
    """The place of a rule among the rules of `driver`."""
    return _PLACES[kind]


def _rule(kind: str, level: str, title: str, measures: str, innocent: str) -> dict[str, object]:
    family, _, pattern = kind.partition("/")
    return {
        "id": kind,
        "name": "".join(word.capitalize() for word in f"{family}-{pattern}".split("-")),
        "shortDescription": {"text": title},
        "fullDescription": {"text": measures},
        "help": {
            "text": f"{measures}\n\nWhat else would explain it: {innocent}\n\n{_MEANING}",
            "markdown": f"{measures}\n\n**What else would explain it.** {innocent}\n\n{_MEANING}",
        },
        "defaultConfiguration": {"level": level},
        "properties": {"tags": ["provenance", family]},
    }


_RULES = [
    *(_rule(kind, "warning", *words) for kind, words in _MATCHES.items()),
    *(_rule(kind, "note", title, _TRACE_MEASURES, _TRACE_INNOCENT) for kind, title in _TRACES.items()),
]
_PLACES = {str(rule["id"]): place for place, rule in enumerate(_RULES)}
