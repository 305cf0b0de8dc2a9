"""Two licences -> what a table says of code that goes from the one to the other. A table looked up, no legal advice."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from importlib import resources
from typing import Any

from detector.artifacts.licences.expressions import Licence, Several, Tree, ids, tree, written
from detector.model import Terms
from detector.settings.licences import MOST_KEPT, MOST_OPERANDS

# From what settles least to what settles most: the best of a choice, and the worst of what must all hold.
VERDICTS = ("conflicting", "unknown", "with-conditions", "compatible", "same")
EVERYTHING = "*"


@dataclass(frozen=True, slots=True)
class Rule:
    """A row of the table."""

    sources: frozenset[str]  # licences of what was copied
    into: frozenset[str]
    verdict: str
    source: str = ""
    because: str = ""  # of a conflict
    adds: tuple[str, ...] = ()  # conditions besides what the licence always asks for
    lifts: tuple[str, ...] = ()  # what the licence asks for elsewhere, and not here

    def fits(self, reference: str, suspect: str) -> bool:
        """Whether it speaks of this pair."""
        return reference in self.sources and (EVERYTHING in self.into or suspect in self.into)


@dataclass(frozen=True, slots=True)
class Table:
    """The whole table, groups put in."""

    rules: tuple[Rule, ...]
    asks: Mapping[str, tuple[str, ...]]
    sections: Mapping[str, str]  # where each licence says what it asks for


@dataclass(frozen=True, slots=True)
class Finding:
    """What the table says of two expressions, and of which of their licences."""

    verdict: str
    reference: str  # the licence, of the reference's expression, that decided
    suspect: str
    source: str = ""
    because: str = ""
    conditions: tuple[str, ...] = ()

    @property
    def rank(self) -> int:
        """Its place among the verdicts."""
        return VERDICTS.index(self.verdict)


@cache
def table() -> Table:
    """Read the table."""
    text = (resources.files("detector.artifacts.licences") / "table.toml").read_text("utf-8")
    given: dict[str, Any] = tomllib.loads(text)
    groups: Mapping[str, Sequence[str]] = given["groups"]

    def spread(names: Sequence[str]) -> list[str]:
        return [each for name in names for each in (groups[name[1:]] if name.startswith("@") else [name])]

    rules = tuple(
        Rule(
            frozenset(spread(row["from"])),
            frozenset(spread(row["into"])),
            row["verdict"],
            given["sources"].get(row.get("source", ""), ""),
            row.get("because", ""),
            tuple(row.get("adds", ())),
            tuple(row.get("lifts", ())),
        )
        for row in given["rule"]
    )
    asks = {name: tuple(asked) for named, asked in given["asks"].items() for name in spread([named])}
    sections = {
        name: given["sources"][key].replace("{from}", name)
        for named, key in given["sections"].items()
        for name in spread([named])
    }
    return Table(rules, asks, sections)


@lru_cache(MOST_KEPT)
def find(suspect: str, reference: str) -> Finding:
    """What the table says of code under the reference's expression that stands under the suspect's now."""
    ours, theirs = tree(suspect), tree(reference)
    if theirs is None or _operands(theirs) > MOST_OPERANDS or (ours is not None and _operands(ours) > MOST_OPERANDS):
        return Finding("unknown", reference, suspect)
    if ours is None:
        return _of_trees(Licence(""), theirs)
    if written(ours) == written(theirs) and all(map(_is_one, ids(ours))):
        return _same(ours, written(ours))
    return _of_trees(ours, theirs)


def _is_one(name: str) -> bool:
    """Whether a name is of one licence: what two projects call proprietary, or by a name of their own, may be two."""
    return "licenseref-" not in name.lower() or name in table().asks


def _operands(of: Tree) -> int:
    return 1 if isinstance(of, Licence) else sum(map(_operands, of.parts))


def _same(of: Tree, name: str) -> Finding:
    """Both sides say the same; with a single licence it is told what that asks for."""
    if isinstance(of, Several):
        return Finding("same", name, name)
    return Finding("same", name, name, table().sections.get(of.id, ""), "", table().asks.get(of.id, ()))


def _of_trees(ours: Tree, theirs: Tree) -> Finding:
    """Of a choice on the reference's side the best counts; everything else must all hold."""
    if isinstance(theirs, Several):
        found = [_of_trees(ours, each) for each in theirs.parts]
        if theirs.is_choice:
            return max(found, key=lambda each: each.rank)
        return _worst(found)
    if isinstance(ours, Several):
        found = [_of_trees(each, theirs) for each in ours.parts]
        worst = _worst(found)
        # Of a project whose parts stand under several licences, which part the code went into decides.
        is_mixed = (
            not ours.is_choice and worst.verdict == "conflicting" and max(each.rank for each in found) > worst.rank
        )
        return replace(worst, verdict="unknown", because="which part it went into decides") if is_mixed else worst
    return _of_licences(ours, theirs)


def _worst(found: Sequence[Finding]) -> Finding:
    worst = min(found, key=lambda each: each.rank)
    same = [each for each in found if each.verdict == worst.verdict]
    if worst.verdict != "with-conditions" or len(same) == 1:
        return worst
    conditions = dict.fromkeys(condition for each in same for condition in each.conditions)
    sources = dict.fromkeys(each.source for each in same if each.source)
    return replace(worst, conditions=tuple(conditions), source="; ".join(sources))


def _of_licences(ours: Licence, theirs: Licence) -> Finding:
    names = written(theirs), written(ours)
    if ours == theirs and _is_one(ours.id):
        return _same(ours, names[0])
    rule = next((each for each in table().rules if each.fits(theirs.id, ours.id)), None)
    if rule is None or rule.verdict == "unknown":
        asked = table().asks.get(theirs.id, ()) if not ours.id else ()
        return Finding("unknown", *names, table().sections.get(theirs.id, "") if asked else "", conditions=asked)
    # An exception allows more, or asks for less, than the licence by itself: the table does not know what.
    is_plain = not (ours.exception or theirs.exception) or EVERYTHING in rule.into
    if not is_plain:
        return Finding("unknown", *names, because="the table does not know exceptions")
    asked = tuple(each for each in table().asks.get(theirs.id, ()) if each not in rule.lifts)
    conditions = (*asked, *rule.adds) if rule.verdict == "with-conditions" else ()
    return Finding(rule.verdict, *names, rule.source.replace("{from}", theirs.id), rule.because, conditions)


def terms(suspect: str, reference: str) -> Terms:
    """The licences of both sides ("" where none is told), the verdict, and a sentence that ends with its source."""
    return Terms(suspect, reference, find(suspect, reference).verdict, _note(suspect, reference))


def _note(suspect: str, reference: str) -> str:
    if not reference:
        here = "" if suspect else "; none was found in the suspect either"
        return f"No licence was found in the reference: ask whoever holds the rights{here}."
    found = find(suspect, reference)
    asked = "; ".join(found.conditions)
    source = f" ({found.source})" if found.source else ""
    into = f"into {found.suspect}" if found.suspect else "where it went, for which no licence was found,"
    if found.verdict == "same":
        return f"Both sides say {found.reference}{f', which asks to {asked}' if asked else ''}{source}."
    if found.verdict == "compatible":
        return f"The table lets {found.reference} go {into} without conditions{source}."
    if found.verdict == "with-conditions":
        return f"The table lets {found.reference} go {into} on conditions: {asked}{source}."
    if found.verdict == "conflicting":
        return f"The table has a conflict of {found.reference} with {found.suspect}: {found.because}{source}."
    more = f": {found.because}" if found.because else f", which asks to {asked}" if asked else ""
    return f"The table cannot tell of {found.reference} {into.rstrip(',')}{more}{source}."
