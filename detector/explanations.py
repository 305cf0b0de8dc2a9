"""What the words of a report mean: kinds of evidence, patterns, clone types, relations, bases, disguises -> text.

Nothing is written here that stands elsewhere: kinds are explained by the docstrings of their evidence files, patterns
by the ledger, disguises by their table, numbers by the settings.
"""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from types import ModuleType

from detector.code.disguises import DISGUISES
from detector.evidence import (
    behaviour,
    code,
    config,
    dangling,
    declared,
    history,
    structure,
    tokenizer,
    traces,
    weights,
)
from detector.model import Basis, CloneType, Relation, UserError
from detector.patterns import PATTERNS
from detector.settings import (
    CLUSTERS,
    DECLARED_SHARE,
    DERIVED_BITS,
    DERIVED_FUNCTIONS,
    DERIVED_SHARE,
    FEWEST_COMPARED_FUNCTIONS,
    IDENTICAL_SHARE,
    IDIOM_BITS,
    REPORT_BITS,
    REPORT_SCORE,
    SUFFICIENT,
)

KINDS: dict[str, ModuleType] = {
    "code": code,
    "traces": traces,
    "declared": declared,
    "dangling": dangling,
    "history": history,
    "config": config,
    "structure": structure,
    "tokenizer": tokenizer,
    "weights": weights,
    "behaviour": behaviour,
}
# The parts of an evidence file's docstring, in their order, and what they are called here.
PARTS = {
    "Measured": "measured",
    "Copying": "points to copying",
    "Innocent": "innocent",
    "Misses": "misses",
    "Sources": "sources",
}
# What stands in a claim for what a report names; a place that is not here stands for a number.
_PLACES = {
    "name": "REFERENCE",
    "top": "NEAREST",
    "path": "FILE",
    "other": "FILE",
    "paths": "FILES",
    "functions": "N functions",
    "base": "BASE",
    "names": "NAMES",
    "renames": "NAMES",
    "matrices": "N of the N matrices of FILE",
    "components": "COMPONENTS",
    "how": "correspond to",
    "arrangements": "ARRANGEMENTS",
    "parts": "PARTS",
    "sigma": "sigma = N",
    "rank": "rank N",
    "dtype": "TYPE",
    # What one case says more than others.
    **dict.fromkeys(("delta", "evidence", "more", "read", "size"), ""),
}
_PLACE = re.compile(r"\{(\w+)\}")

_BREADTH = f"{DERIVED_FUNCTIONS} and more functions that stand on their own, with {DERIVED_BITS:,.0f} bits and more"
_PART = f"which are at least {DERIVED_SHARE:.0%} of the suspect's weight"
# What `judge` makes of lines beside the code, of the nearest reference.
_STRONG = (
    f"a strong line of {' or '.join(sorted(SUFFICIENT))}, or moderate support in two clusters, in which code that "
    "shows a shared ancestor counts"
)
_RELATIONS: dict[Relation, str] = {
    Relation.IDENTICAL: (
        f"At least {IDENTICAL_SHARE:.0%} of the suspect's code, by weight, stands in the nearest reference, unchanged "
        "but for layout and comments, which do not name it as the source."
    ),
    Relation.DERIVED_DECLARED: (
        f"{_BREADTH}, {_PART}; comments name the reference as the source of at least {DECLARED_SHARE:.0%} of what "
        f"matches. Or all that makes it identical or derived, undeclared ({_STRONG}), while the suspect itself says, "
        "in a note, a card, a citation, a submodule or a commit, that it descends from the reference."
    ),
    Relation.DERIVED_UNDECLARED: (
        f"{_BREADTH}, {_PART}; comments do not name the reference as the source of as much as {DECLARED_SHARE:.0%} of "
        f"what matches. Or, whatever the code tells, {_STRONG}."
    ),
    Relation.SHARED_ANCESTOR: (
        f"Functions that stand on their own with {IDIOM_BITS:,.0f} bits and more, but too few of them, or too small a "
        "share of the suspect, to call it derived: likely one source of both. Or lines beside code, traces and "
        "dangling names that are moderate or more, in one cluster alone."
    ),
    Relation.COMMON_IDIOM: (
        f"Functions that stand on their own with less than {IDIOM_BITS:,.0f} bits: little enough that many projects "
        "would share it. Or lines beside code and traces that are weak."
    ),
    Relation.INDEPENDENT: "No function matches more than coincidence explains, and nothing else supports more.",
    Relation.INCONCLUSIVE: (
        "No function matches more than coincidence explains, but a side has fewer than "
        f"{FEWEST_COMPARED_FUNCTIONS} functions: too few to tell. Or no code was compared. Nothing else supports more."
    ),
}
_CLONE_TYPES: dict[CloneType, str] = {
    CloneType.LAYOUT: "Equal but for layout, comments, docstrings and annotations.",
    CloneType.RENAMED: "Equal after consistent renaming.",
    CloneType.EDITED: "Statements were added, removed or changed; the texts still have most of their syntax in common.",
    CloneType.REWRITTEN: "The same computation in another syntax.",
}
_BASES: dict[Basis, str] = {
    Basis.ALONE: (
        f"The match stands on its own: {REPORT_BITS:g} bits and more, and overlap x bits of {REPORT_SCORE:g} and more; "
        "coincidence hardly reaches it."
    ),
    Basis.CLASS: "Other methods of its class match methods of the same class of the reference.",
    Basis.FILE: "Other functions of its file match functions of the same file of the reference.",
    Basis.CALLER: "A function that calls it matches the same function of the reference, or one that calls that.",
    Basis.PROJECT: (
        "So much of the suspect matches this reference that little is left to coincidence: the weakest basis."
    ),
    Basis.REQUEST: "Nothing: only `--min-similarity` or `--min-bits` lists it.",
}
# What the reports call numbers and parts of themselves.
_WORDS: dict[str, str] = {
    "bits": "How surprising it is that both have what they share: the rarer it is elsewhere, the more.",
    "similarity": "How well two functions fit each other, 0 to 1: the shared part of both, and more in good company.",
    "overlap": "The shared weight of two functions over the weight of both, 0 to 1 (weighted Jaccard).",
    "containment": "The share of the suspect's function that the reference has too, 0 to 1.",
    "exclusive-bits": "What one reference explains of the suspect and none of the others does.",
    "support": "How strongly what was found speaks for the relation rather than its alternative, in words.",
    "cluster": "Kinds of evidence that depend on each other: the strongest line of a cluster speaks for all of it.",
    "claim": "What was observed; it can be checked by hand.",
    "innocent": "What would explain a claim without copying.",
    "tested": "Innocent explanations that were tried on this case, and what came out.",
    "calibration": "In how many cases of independent projects the same was seen: no line is stronger than that allows.",
    "exhibit": "A table by which lines of evidence can be checked; it is called by its kind and what it lists.",
    "event": "Something in a history, by that history's own account: whoever writes a history chooses its dates.",
}
_INDENT = 2
_LEAST_WIDTH = 40  # of a text: a narrower terminal wraps it once more
_CODE = ("before", "after")  # parts that keep their lines


@dataclass(frozen=True, slots=True)
class Entry:
    """One word: what sort of word it is, one line, and labelled paragraphs or lines of code."""

    name: str
    sort: str
    line: str
    parts: tuple[tuple[str, str], ...] = ()


def entries() -> dict[str, Entry]:
    """Everything that can be explained, by name, in the order in which it is listed."""
    return {entry.name: entry for entry in _entries()}


def _entries() -> Iterator[Entry]:
    for name, module in KINDS.items():
        line, parts = five_parts(module)
        yield Entry(name, "kind of evidence", line, tuple((PARTS[label], text) for label, text in parts.items()))
    for name, pattern in PATTERNS.items():
        told = (
            ("innocent", pattern.innocent),
            ("speaks for", _said(pattern.derived)),
            ("against", _said(pattern.otherwise)),
            ("method", pattern.method),
            ("calibration", pattern.calibration()),
            ("limits", pattern.limits),
            ("see also", f"detector explain {name.partition('/')[0]}"),
        )
        yield Entry(name, "pattern", _said(pattern.claim), told)
    for clone_type, line in _CLONE_TYPES.items():
        yield Entry(f"type-{clone_type.value}", "clone type", line)
    for relation, line in _RELATIONS.items():
        yield Entry(relation.value, "relation", line)
    for basis, line in _BASES.items():
        yield Entry(basis.value, "basis", line)
    for name, kinds in CLUSTERS.items():
        yield Entry(name, "cluster", f"Kinds that depend on each other: {', '.join(kinds)}. {_WORDS['cluster']}")
    for name, line in _WORDS.items():
        yield Entry(name, "word", line)
    for name, disguise in sorted(DISGUISES.items()):
        yield Entry(name, "disguise", disguise.done, (("before", disguise.before), ("after", disguise.after)))


def _said(template: str) -> str:
    return _PLACE.sub(lambda place: _PLACES.get(place[1], "N"), template)


def five_parts(module: ModuleType) -> tuple[str, dict[str, str]]:
    """The first line of an evidence file's docstring, and its parts by label.

    Errors: ValueError when a part is missing or out of order: it is what users read.
    """
    about, *parts = re.split(rf"^({'|'.join(PARTS)}):\s+", inspect.getdoc(module) or "", flags=re.MULTILINE)
    found = {label: " ".join(text.split()) for label, text in zip(parts[::2], parts[1::2], strict=True)}
    if list(found) != list(PARTS) or not all(found.values()):
        raise ValueError(f"{module.__name__}: its docstring has the parts {', '.join(found)}, not {', '.join(PARTS)}")
    return " ".join(about.split()), found


def explain(word: str, width: int) -> str:
    """Explain one word of a report.

    Errors: UserError when it is none; near ones are named.
    """
    known = entries()
    return _explained(known[_found(word, known)], width)


def overview(width: int) -> str:
    """List everything that can be explained, a line each, cut to the width."""
    known = list(entries().values())
    names = max(len(entry.name) for entry in known)
    room = max(width - names - 2 * _INDENT, _LEAST_WIDTH)
    lines: list[str] = []
    for sort in dict.fromkeys(entry.sort for entry in known):
        lines += ["", f"{sort}:"]
        lines += [
            f"{'':{_INDENT}}{entry.name:{names}}{'':{_INDENT}}{textwrap.shorten(entry.line, room, placeholder=' …')}"
            for entry in known
            if entry.sort == sort
        ]
    return "\n".join(lines[1:]) + "\n"


def _found(word: str, known: dict[str, Entry]) -> str:
    """Find a name however it is spelled: in other case, with blanks, a pattern without its kind, a type's number."""
    plain = re.sub(r"[\s_-]+", "-", word.strip().lower())
    spellings = {name.rpartition("/")[2]: name for name in known if "/" in name}
    spellings |= {name.removeprefix("type-"): name for name in known if name.startswith("type-")}
    spellings |= {name: name for name in known}
    if plain in spellings:
        return spellings[plain]
    if plain.partition("/")[0] in KINDS:  # a table of the report: its kind says what is in it
        return plain.partition("/")[0]
    near = list(dict.fromkeys(spellings[each] for each in get_close_matches(plain, spellings)))
    hint = f"is {' or '.join(near)} meant?" if near else "`detector explain` lists what there is"
    raise UserError(f"nothing is called {word!r}: {hint}")


def _explained(entry: Entry, width: int) -> str:
    lines = [f"{entry.name}: {entry.sort}", *textwrap.wrap(entry.line, max(width, _LEAST_WIDTH))]
    column = max((len(label) for label, _ in entry.parts), default=0) + _INDENT
    for label, text in entry.parts:
        room = max(width - _INDENT - column, _LEAST_WIDTH)
        wrapped = text.split("\n") if label in _CODE else textwrap.wrap(text, room, break_on_hyphens=False)
        labels = [label, *[""] * (len(wrapped) - 1)]
        lines += [f"{'':{_INDENT}}{each:{column}}{line}" for each, line in zip(labels, wrapped, strict=True)]
    return "\n".join(lines) + "\n"
