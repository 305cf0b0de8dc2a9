"""Hold all kinds of evidence between the fixtures, with their scripted histories, against `fixtures/gold.json`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.fixture_files.written import FIXTURES
from bench.fixture_history import build
from bench.section import Demand, print_section, section, table
from detector.compare import compare
from detector.model import Evidence, Report, Strength
from detector.read import open_target

SUSPECT, SOURCE, OTHERS = "rebadged", "original", ("cited", "independent")
DERIVED = "derived-undeclared"
# How much of what the gold states must be told: all, but a table of many names may be cut.
LEAST_TOLD: Mapping[str, float] = {"renamed names": 0.8}
_RANK = list(Strength)
Fact = tuple[str, ...]  # texts that must stand together in one line, row or event


@dataclass(frozen=True, slots=True)
class Row:
    """What the gold expects between two projects; of a kind "support", "line" (whatever its strength) or "silence"."""

    suspect: str
    reference: str
    relations: tuple[str, ...]
    least: Strength
    most: Strength
    kinds: Mapping[str, str]


def measure(cache: Path, work: Path) -> tuple[list[Demand], list[str]]:
    """Compare the suspect with all three, with and without histories, then each pair of the gold."""
    gold = json.loads((FIXTURES / "gold.json").read_text("utf-8"))["evidence"]
    rows = [row(given) for given in gold["lines"]]
    with TemporaryDirectory() as folder:
        build(Path(folder))
        places = {side: Path(folder) / side for side in (SUSPECT, SOURCE)}
        plain = _compare({}, SUSPECT, SOURCE, *OTHERS)
        joint = _compare(places, SUSPECT, SOURCE, *OTHERS)
        pairs = [(each, _compare(places, each.suspect, each.reference)) for each in rows]
    demands = [
        *(_named(report, how) for report, how in ((plain, "without histories"), (joint, "with histories"))),
        *(_held(each, report) for each, report in pairs),
        *(_facts(joint, *about, wanted) for about, wanted in facts(gold).items()),
    ]
    cells = [
        (each.suspect, each.reference, report.relation.value, report.strength.value, _lines(report))
        for each, report in pairs
    ]
    renamed = list(gold["config"]["renamed"].items())
    keys = (
        f"Of all {len(renamed)} renamed keys of the configuration, most of them sizes that many have, "
        f"{len(renamed) - len(_missing(joint, 'config', renamed))} are told with their counterpart."
    )
    return demands, [keys, table(("suspect", "reference", "relation", "support", "lines beside the code"), cells)]


def row(given: Mapping[str, Any]) -> Row:
    """What a row of the gold says."""
    least, most = Strength(given["least"]), Strength(given["most"])
    return Row(given["suspect"], given["reference"], tuple(given["relations"]), least, most, given["kinds"])


def facts(gold: Mapping[str, Any]) -> dict[tuple[str, str], list[Fact]]:
    """What a stranger must be able to read in the report of the suspect, by kind and what it is."""
    history = gold["history"]
    ids = {(side, each["label"]): each["id"][:12] for side, made in history["commits"].items() for each in made}
    copied, imported = ids[SOURCE, history["copied"]], ids[SUSPECT, history["imported"]]
    return {
        ("dangling", "references"): [(each["path"], each["name"]) for each in gold["dangling"]],
        ("history", "commits"): [(copied,), (imported,)],
        ("history", "renamed names"): [pair for each in history["renamings"] for pair in each["names"].items()],
        ("history", "traces removed later"): [(each["path"], each["text"]) for each in history["removed"]],
        ("history", "build residue"): [(each["path"],) for each in history["residue"]],
        ("config", "renamed keys with a telling value"): [
            (new, gold["config"]["renamed"][new]) for new in gold["config"]["telling"]
        ],
        ("structure", "renamed prefixes"): [
            (new, old) for new, old in gold["structure"]["prefixes"].items() if new != old
        ],
        ("weights", "renamed prefixes"): [(new, old) for new, old in gold["weights"]["prefixes"].items() if new != old],
        ("tokenizer", "changed tokens"): list(gold["tokenizer"]["changed"].items()),
        ("behaviour", "wrong answers of these two alone"): list(gold["behaviour"]["only_these_two"].items()),
    }


def texts(report: Report, kind: str, reference: str) -> Iterator[str]:
    """Everything that a report tells of a kind: lines, rows of exhibits, and what happened in a history."""
    for line in _of(report, kind, reference):
        yield " ".join((line.claim, *map(str, line.measures.values()), *(path for path, _ in line.places)))
    for exhibit in report.exhibits:
        if exhibit.kind == kind and exhibit.reference in (reference, ""):
            yield from (" ".join(map(str, cells)) for cells in exhibit.rows)
    if kind == "history":
        yield from (f"{event.text} {event.revision}" for event in report.events)


def failing(expected: Row, report: Report) -> list[str]:
    """The kinds that do not show what is expected of them."""
    found = {}
    for kind in expected.kinds:
        lines = _of(report, kind, expected.reference)
        supports = any(line.strength is not Strength.NONE for line in lines)
        found[kind] = {"support": supports, "line": bool(lines), "silence": not supports}
    return [f"{kind}: no {wanted}" for kind, wanted in expected.kinds.items() if not found[kind][wanted]]


def _of(report: Report, kind: str, reference: str) -> list[Evidence]:
    return [line for line in report.evidence if line.kind == kind and line.reference == reference]


def _compare(places: Mapping[str, Path], *sides: str) -> Report:
    with ExitStack() as targets:
        one, *others = [targets.enter_context(open_target(str(places.get(side, FIXTURES / side)))) for side in sides]
        return compare(one, others)


def _named(report: Report, how: str) -> Demand:
    found = (report.attribution[0].reference, report.relation.value, report.strength.value)
    wanted = (SOURCE, DERIVED, Strength.VERY_STRONG.value)
    return Demand(f"`{SUSPECT}` against all three, {how}", ", ".join(wanted), ", ".join(found), found == wanted)


def _held(expected: Row, report: Report) -> Demand:
    wrong = failing(expected, report)
    fits = report.relation.value in expected.relations
    fits &= _RANK.index(expected.least) <= _RANK.index(report.strength) <= _RANK.index(expected.most)
    wanted = f"{' or '.join(expected.relations)}, every kind as the gold says"
    kinds = ", ".join(wrong) or "every kind as the gold says"
    measured = f"{report.relation.value}, support {report.strength.value}; {kinds}"
    return Demand(f"`{expected.suspect}` against `{expected.reference}`", wanted, measured, fits and not wrong)


def _facts(report: Report, kind: str, what: str, wanted: Sequence[Fact]) -> Demand:
    missing = _missing(report, kind, wanted)
    least = LEAST_TOLD.get(what, 1.0)
    found = 1 - len(missing) / len(wanted)
    listed = "; ".join(" / ".join(fact) for fact in missing)
    measured = f"{len(wanted) - len(missing)} of {len(wanted)}" + (f" (not: {listed})" if missing else "")
    return Demand(f"{kind}: {what} of the gold that the report tells", f">= {least:.0%}", measured, found >= least)


def _missing(report: Report, kind: str, wanted: Sequence[Fact]) -> list[Fact]:
    told = list(texts(report, kind, SOURCE))
    return [fact for fact in wanted if not any(all(part in text for part in fact) for text in told)]


def _lines(report: Report) -> str:
    lines = [line for line in report.evidence if line.kind not in ("code", "traces")]
    return ", ".join(f"{line.kind}/{line.name} {line.strength.value}" for line in lines) or "none"


def report(demands: Sequence[Demand], blocks: Sequence[str]) -> str:
    """Write the section."""
    how = (
        "Every pair of the fixtures that the gold has a row for; `original` and `rebadged` as git repositories with "
        "their scripted histories. The fixtures were written for this: they show that nothing has broken."
    )
    return section("evidence_fixtures", "all kinds of evidence on the fixtures", how, demands, *blocks)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the section."""
    return print_section("evidence_fixtures", __doc__, lambda cache, work: report(*measure(cache, work)), arguments)


if __name__ == "__main__":
    sys.exit(main())
