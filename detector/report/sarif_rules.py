"""The rules of the SARIF report: what each kind of finding measures, and what else would explain it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from detector.model import Evidence, Remark
from detector.report.escaping import prose
from detector.report.findings import OTHER_EVIDENCE, line_kind, remark_kind
from detector.report.names import elided, visible

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
_REMARK_MEASURES = "A comment `detector: ignore[RULE] reason=...` without what it takes accepts nothing."
_REMARK_INNOCENT = "A slip of the pen, or a rule that another version knows."
MAX_TEXT = 600  # characters of a sentence of a pattern
_MEANING = (
    "A result is a measured likeness. Who had the code first, and whether they may use it, is not for a program to "
    "say. What the suspect declares itself is a note."
)


class Rules:
    """The rules of one report: those of matches and traces, one for each pattern of the lines that are results.

    And one for each kind of remark.

    Stable: what a rule is called; where it stands among the others depends on what was found.
    """

    def __init__(self, lines: Iterable[Evidence], remarks: Iterable[Remark] = ()) -> None:
        self.rules = list(_RULES)
        known = {rule["id"] for rule in self.rules}
        for line in lines:
            kind = line_kind(line)
            if kind not in known:
                known.add(kind)
                self.rules.append(_line_rule(kind, line))
        for kind in map(remark_kind, remarks):
            if kind not in known:
                known.add(kind)
                self.rules.append(_remark_rule(kind))
        self._places = {str(rule["id"]): place for place, rule in enumerate(self.rules)}

    def index(self, kind: str) -> int:
        """The place of a rule among the rules of the driver."""
        return self._places[kind]

    def driver(self, versions: Mapping[str, str]) -> dict[str, object]:
        """The tool as SARIF describes it, with all of its rules."""
        version = versions.get("detector", "")
        return {
            "name": "detector",
            **({"version": version} if version else {}),
            "rules": self.rules,
            "notifications": [
                {"id": UNREAD, "shortDescription": {"text": "A file that could not be read, or not in full"}},
                {"id": CUT, "shortDescription": {"text": "More was found than the format may hold"}},
            ],
        }


def _line_rule(kind: str, line: Evidence) -> dict[str, object]:
    """A rule from what every line of its pattern says alike; a report that is read back may say anything there."""
    if kind == OTHER_EVIDENCE:
        return _rule(kind, "note", "Evidence of another kind", "What the line itself says.", "What the line says.")
    title = kind.partition("/")[2].replace("-", " ").capitalize()
    measures = ". Limits: ".join(filter(None, (line.method or "what the line itself says", line.limits)))
    return _rule(kind, "warning", title, _sentence(measures), _sentence(line.innocent or "what the line says"), prose)


def _remark_rule(kind: str) -> dict[str, object]:
    """A rule for comments that accept findings and cannot be taken as such."""
    title = f"A comment that accepts findings: {kind.partition('/')[2].replace('-', ' ')}"
    return _rule(kind, "warning", title, _REMARK_MEASURES, _REMARK_INNOCENT)


def _sentence(text: str) -> str:
    shown = elided(visible(text), MAX_TEXT)
    return f"{shown[:1].upper()}{shown[1:]}."


def _rule(
    kind: str, level: str, title: str, measures: str, innocent: str, shown: Callable[[str], str] = str
) -> dict[str, object]:
    """A rule as SARIF describes it; `shown` makes a text that is not ours safe in Markdown."""
    family, _, pattern = kind.partition("/")
    return {
        "id": kind,
        "name": "".join(word.capitalize() for word in f"{family}-{pattern}".split("-")),
        "shortDescription": {"text": title},
        "fullDescription": {"text": measures},
        "help": {
            "text": f"{measures}\n\nWhat else would explain it: {innocent}\n\n{_MEANING}",
            "markdown": f"{shown(measures)}\n\n**What else would explain it.** {shown(innocent)}\n\n{_MEANING}",
        },
        "defaultConfiguration": {"level": level},
        "properties": {"tags": ["provenance", family]},
    }


_RULES = [
    *(_rule(kind, "warning", *words) for kind, words in _MATCHES.items()),
    *(_rule(kind, "note", title, _TRACE_MEASURES, _TRACE_INNOCENT) for kind, title in _TRACES.items()),
]
