"""Measure what is shown of the disguised functions in `fixtures/`, and of its independent projects."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from bench.declared import Key
from bench.section import ROOT, Demand, print_section, section, table
from detector.compare import compare
from detector.model import Match, Relation, Report
from detector.read import open_target

FIXTURES = ROOT / "fixtures"
SOURCE = "original"
ON_ANOTHER = ("independent", "cited")
WARNING = (
    "**No measure of recall in the wild**: the fixtures were written for this project, with its disguises in mind, and "
    "the detector was tuned while they were in sight. They show that nothing has broken."
)


@dataclass(frozen=True, slots=True)
class Gold:
    """What `gold.json` says of a copy: each pair with its kind, and what all projects share."""

    pairs: Mapping[tuple[Key, Key], str]
    shared: frozenset[Key]


@dataclass(frozen=True, slots=True)
class Shown:
    """How the matches of a report compare with the gold."""

    right: frozenset[tuple[Key, Key]]
    wrong: tuple[tuple[Key, Match], ...]  # gold suspects that are shown with another reference
    missing: tuple[tuple[Key, Key], ...]
    extra: tuple[Match, ...]  # suspects that come from nowhere


def measure(cache: Path, work: Path) -> str:
    """Compare the copy with all three, the others with the source."""
    gold = read_gold(FIXTURES / "gold.json")
    copy = _compare("rebadged", [SOURCE, "cited", "independent"])
    others = {name: _compare(name, [SOURCE]) for name in ON_ANOTHER}
    return report(gold, copy, shown(gold, copy.matches), others)


def read_gold(path: Path) -> Gold:
    """Read pairs and common ancestors."""
    plain = json.loads(path.read_text("utf-8"))
    pairs = {(_key(pair["suspect"]), _key(pair["reference"])): pair["kind"] for pair in plain["pairs"]}
    places = [place for shared in plain["common_ancestor"] for place in shared.values() if isinstance(place, dict)]
    return Gold(pairs, frozenset(map(_key, places)))


def _key(place: Mapping[str, str]) -> Key:
    return place["path"], place["qualname"]


def _compare(suspect: str, references: Sequence[str]) -> Report:
    with ExitStack() as targets:
        one, *others = [targets.enter_context(open_target(str(FIXTURES / name))) for name in (suspect, *references)]
        return compare(one, others)


def shown(gold: Gold, matches: Iterable[Match]) -> Shown:
    """Sort a report's matches into right, wrong, missing and extra."""
    by_suspect = {(match.suspect.path, match.suspect.qualname): match for match in matches}
    right: set[tuple[Key, Key]] = set()
    wrong: list[tuple[Key, Match]] = []
    missing: list[tuple[Key, Key]] = []
    for suspect, reference in gold.pairs:
        match = by_suspect.get(suspect)
        if match is None:
            missing.append((suspect, reference))
        elif (match.reference_name, match.reference.path, match.reference.qualname) == (SOURCE, *reference):
            right.add((suspect, reference))
        else:
            wrong.append((suspect, match))
    known = {suspect for suspect, _ in gold.pairs}
    extra = tuple(match for suspect, match in by_suspect.items() if suspect not in known)
    return Shown(frozenset(right), tuple(wrong), tuple(missing), extra)


def report(gold: Gold, copy: Report, found: Shown, others: Mapping[str, Report]) -> str:
    """Write the section."""
    total = len(gold.pairs)
    nearest = copy.attribution[0].reference
    demands = [
        Demand("pairs shown with the right reference", f"{total}", f"{len(found.right)}", len(found.right) == total),
        Demand("functions shown that come from nowhere", "0", f"{len(found.extra)}", not found.extra),
        Demand(
            "the source and the relation",
            f"{SOURCE}, {Relation.DERIVED_UNDECLARED.value}",
            f"{nearest}, {copy.relation.value}, support {copy.strength.value}",
            (nearest, copy.relation) == (SOURCE, Relation.DERIVED_UNDECLARED),
        ),
        *(_unrelated(gold, name, other) for name, other in others.items()),
    ]
    kinds = sorted(set(gold.pairs.values()))
    rows = [_kind_row(kind, gold, found) for kind in kinds]
    bars = [
        (row.reference, f"{row.bits:,.0f}", f"{row.exclusive_bits:,.0f}", row.functions, f"{row.share_of_suspect:.2f}")
        for row in copy.attribution
    ]
    how = (
        f"`fixtures/rebadged` against `{SOURCE}`, `cited` and `independent`, at the default operating point, held "
        f"against `fixtures/gold.json` ({total} pairs). {WARNING}"
    )
    return section(
        "fixtures_gold",
        "the fixtures",
        how,
        demands,
        table(("kind", "pairs", "right", "another reference", "missing"), rows),
        table(("reference", "bits", "exclusive bits", "functions nearest", "share of suspect"), bars),
        _differences(found),
    )


def _unrelated(gold: Gold, name: str, other: Report) -> Demand:
    unexplained = [match for match in other.matches if (match.suspect.path, match.suspect.qualname) not in gold.shared]
    measured = f"{len(unexplained)}; {other.relation.value}, support {other.strength.value}"
    names = ", ".join(f"`{match.suspect.qualname}`" for match in unexplained)
    return Demand(
        f"`{name}` against `{SOURCE}`: functions shown besides the common ancestor",
        "0",
        f"{measured} ({names})" if names else measured,
        not unexplained,
    )


def _kind_row(kind: str, gold: Gold, found: Shown) -> tuple[object, ...]:
    of_kind = {pair for pair, its_kind in gold.pairs.items() if its_kind == kind}
    wrong = {suspect for suspect, _ in found.wrong}
    return (
        kind,
        len(of_kind),
        len(of_kind & found.right),
        sum(suspect in wrong for suspect, _ in of_kind),
        len(of_kind & set(found.missing)),
    )


def _differences(found: Shown) -> str:
    lines = [f"- missing: `{suspect[1]}` from `{reference[1]}`" for suspect, reference in found.missing]
    lines += [f"- another reference: `{suspect[1]}` with {_reference(match)}" for suspect, match in found.wrong]
    lines += [f"- from nowhere: `{match.suspect.qualname}` with {_reference(match)}" for match in found.extra]
    return "\n".join(lines)


def _reference(match: Match) -> str:
    return f"`{match.reference.qualname}` of {match.reference_name}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the section."""
    return print_section("fixtures_gold", __doc__, measure, arguments)


if __name__ == "__main__":
    sys.exit(main())
