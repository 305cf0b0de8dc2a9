"""Measure what is told of matched functions: their names, their differences with renames undone, and what it costs.

Names, fixtures:  the renames that `fixtures/gold.json` lists, in the map of each pair and in the project's.
Names, packages:  published packages disguised, every own name changed to one of a kind (`bench.recorded_names`).
Un-renamed:       lines left of functions that were merely renamed, and the length of the differences of the
                  fixtures' pairs, as published and with renames undone (`bench.unrenamed`).
Speed:            CPU of explaining against CPU of finding what is explained.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.declared import Key
from bench.fixtures_gold import FIXTURES, SOURCE
from bench.process import in_fresh_process
from bench.quality import PACKAGES, SEED, Package, original_files
from bench.recorded_names import MOST_PAIRS, Files, NamesFound, every_nth, in_memory, names_found, recorded
from bench.section import Demand, print_section, section, table
from bench.unrenamed import LARGEST_LEFT, LEAST_LINES, AllLeft, Shortened, by_kind, left_of_renamed, shortened, summed
from bench.wheels import InMemory, python_files, wheel
from detector.code.bulk import compared_packages, local_packages, read_corpus
from detector.code.explain import explain
from detector.compare import compare
from detector.evidence import code
from detector.model import Match, Report
from detector.read import open_target
from detector.settings import MOST_EXPLAINED

COPY = "rebadged"
LEVELS = ("L5", "L6", "L7", "L8")  # those at which the text changes beyond its names
WHOLE_PACKAGE = "vit-pytorch"  # of the other packages every fourth file: they are four times as large and more
STEP = 4
LEAST_PRECISION, LEAST_RECALL = 0.97, 0.95
TIMED = (("mindnlp==0.2.4", "transformers==4.35.0"), ("sglang==0.1.12", "vllm==0.2.7"))
HELD = TIMED[0]  # more matches than are explained
TIMED_LEVEL = "L8"
REPETITIONS = 3
MOST_LISTED = 12


def measure(cache: Path, work: Path) -> str:
    """Measure one after another; the costs in new processes."""
    gold = read_gold(FIXTURES / "gold.json")
    report_of_copy = _compare()
    names = in_maps(gold, report_of_copy)
    differences = differences_of(gold, report_of_copy.matches)
    packages = {each.name: package_files(cache, each) for each in PACKAGES}
    disguised = {
        name: {level: names_found(recorded(files, level, SEED)) for level in LEVELS} for name, files in packages.items()
    }
    fixtures = {str(path.relative_to(FIXTURES / SOURCE)): path.read_text("utf-8") for path in _python(SOURCE)}
    left = {
        f"`fixtures/{SOURCE}`": left_of_renamed(fixtures, SEED),
        WHOLE_PACKAGE: left_of_renamed(packages[WHOLE_PACKAGE], SEED),
    }
    costs = {" / ".join(pair): repeated(*(_wheel_files(cache, each) for each in pair)) for pair in TIMED}
    whole = recorded(packages[WHOLE_PACKAGE], TIMED_LEVEL, SEED)
    costs[f"{WHOLE_PACKAGE} {TIMED_LEVEL}"] = repeated(in_memory(whole.disguised.files), in_memory(whole.original))
    return report(gold, names, disguised, left, differences, costs)


def _python(project: str) -> list[Path]:
    return sorted((FIXTURES / project).rglob("*.py"))


def _compare() -> Report:
    with open_target(str(FIXTURES / COPY)) as suspect, open_target(str(FIXTURES / SOURCE)) as reference:
        return compare(suspect, [reference])


def package_files(cache: Path, package: Package) -> Files:
    """What is disguised of a package."""
    files = original_files(cache, package)
    return files if package.name == WHOLE_PACKAGE else every_nth(files, STEP)


def _wheel_files(cache: Path, requirement: str) -> InMemory:
    return InMemory(python_files(wheel(cache, requirement)))


# --- names, against the fixtures' gold ---


@dataclass(frozen=True, slots=True)
class GoldPair:
    """A pair of functions and the names that clearly stand for each other in it."""

    suspect: Key
    reference: Key
    kind: str
    renames: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class InMap:
    """How a map of names compares with the gold: (where, name in the suspect, name in the reference)."""

    right: int
    missing: tuple[tuple[str, str, str], ...]
    wrong: tuple[tuple[str, str, str], ...]

    @property
    def recall(self) -> float:
        """0..1."""
        wanted = self.right + len(self.missing)
        return self.right / wanted if wanted else 1.0

    @property
    def precision(self) -> float:
        """0..1."""
        told = self.right + len(self.wrong)
        return self.right / told if told else 1.0


def read_gold(path: Path) -> tuple[GoldPair, ...]:
    """Read the pairs with their renames."""
    plain = json.loads(path.read_text("utf-8"))
    return tuple(
        GoldPair(_key(pair["suspect"]), _key(pair["reference"]), pair["kind"], pair["renames"])
        for pair in plain["pairs"]
    )


def _key(place: Mapping[str, str]) -> Key:
    return place["path"], place["qualname"]


def in_maps(gold: Sequence[GoldPair], found: Report) -> tuple[InMap, InMap]:
    """Hold the maps of all pairs, and the project's, against the gold; it lists all that is clear, so more is wrong."""
    shown = _shown(found.matches)
    right = 0
    missing: list[tuple[str, str, str]] = []
    wrong: list[tuple[str, str, str]] = []
    for pair in gold:
        match = shown.get((pair.suspect, pair.reference))
        told = match.renames if match is not None else {}
        for name, other in pair.renames.items():
            if told.get(name) == other:
                right += 1
            else:
                missing.append((pair.suspect[1], name, other))
        wrong += [
            (pair.suspect[1], name, other)
            for name, other in told.items()
            if (name != other or name in pair.renames) and pair.renames.get(name) != other
        ]
    wanted = {rename for pair in gold for rename in pair.renames.items()}
    everywhere = {(name.suspect, name.reference) for name in found.names}
    return InMap(right, tuple(missing), tuple(wrong)), InMap(
        len(wanted & everywhere),
        tuple(("", *rename) for rename in sorted(wanted - everywhere)),
        tuple(("", *rename) for rename in sorted(everywhere - wanted)),
    )


def _shown(matches: Iterable[Match]) -> dict[tuple[Key, Key], Match]:
    return {
        ((match.suspect.path, match.suspect.qualname), (match.reference.path, match.reference.qualname)): match
        for match in matches
    }


def differences_of(gold: Sequence[GoldPair], matches: Iterable[Match]) -> list[Shortened]:
    """The differences of the gold's pairs, as far as they are matched and their texts told."""
    shown = _shown(matches)
    texts = [(pair, match.texts) for pair in gold if (match := shown.get((pair.suspect, pair.reference))) is not None]
    return [shortened(pair.suspect[1], pair.kind, each) for pair, each in texts if each is not None]


# --- what it costs ---


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one comparison. Units: CPU seconds."""

    matches: int
    explained: int  # of them in full: names, disguises, texts
    finding: float  # reading both sides included
    explaining: float  # those in full alone
    everything: float  # all matches, of most of them the clone type alone

    @property
    def ratio(self) -> float:
        """Explaining against finding."""
        return self.explaining / self.finding


def repeated(suspect: InMemory, reference: InMemory) -> Cost:
    """Measure several times, each in a new process; the least of each figure."""
    costs = [in_fresh_process(cost, suspect, reference) for _ in range(REPETITIONS)]
    first = costs[0]
    return Cost(
        first.matches,
        first.explained,
        min(each.finding for each in costs),
        min(each.explaining for each in costs),
        min(each.everything for each in costs),
    )


def cost(suspect: InMemory, reference: InMemory) -> Cost:
    """Find what a comparison finds, and explain what it explains."""
    started = time.process_time()
    compared = compared_packages(reference.paths())
    ours = read_corpus(suspect, suspect.paths(), compared=compared)
    theirs = read_corpus(reference, reference.paths())
    found = code.find([ours], [theirs], code.Gate(), [(suspect.read, reference.read)])
    finding = time.process_time() - started
    pairs = found.likenesses[0].pairs
    matches = [
        (ours.spans[int(pairs.suspect[position])], theirs.spans[int(pairs.reference[position])])
        for _, position in dict.fromkeys((*found.listed, *found.nearest))
    ]
    local = local_packages(suspect.paths()) | compared, local_packages(reference.paths())
    times = []
    for chosen in (matches[:MOST_EXPLAINED], matches):
        started = time.process_time()
        explain(chosen, suspect.read, reference.read, local, full=MOST_EXPLAINED)
        times.append(time.process_time() - started)
    return Cost(len(matches), min(len(matches), MOST_EXPLAINED), finding, *times)


# --- the section ---


Disguised = Mapping[str, Mapping[str, NamesFound]]  # package -> level -> what was found


def report(
    gold: Sequence[GoldPair],
    names: tuple[InMap, InMap],
    disguised: Disguised,
    left: Mapping[str, AllLeft],
    differences: Sequence[Shortened],
    costs: Mapping[str, Cost],
) -> str:
    """Write the section."""
    how = (
        f"Names: `fixtures/{COPY}` against `fixtures/{SOURCE}` and its gold; {WHOLE_PACKAGE} and every fourth file of "
        "timm and diffusers, disguised by `bench.disguise` with every own name changed to a random one that is given "
        f"once, on the functions that are the whole of an original (the first {MOST_PAIRS} of a package). Right is a "
        "recorded name told as what it was before; wrong is any other name of the function told as what it was not, "
        "those of values that had no name before the disguise among them. Un-renamed: lines that are still different "
        "when renames are undone, and words (names, numbers, signs) outside of the longest common subsequence, summed "
        "over both sides. Speed: CPU of one process, the least of "
        f"{REPETITIONS}, imports outside. The fixtures, the disguise and the detector were made together: figures show "
        "what holds for such rewriting, not for all."
    )
    blocks = (
        "**Names, fixtures.**",
        table(("map", "right", "missing", "wrong", "recall", "precision"), _map_rows(names)),
        _listed(names),
        "**Names, disguised packages.** `introduced`: wrong ones that stand for a value that had no name before.",
        table(NAMES_HEADER, _name_rows(disguised)),
        f"**Merely renamed functions** of {LEAST_LINES} lines and more, renames undone: share of their lines left.",
        table(LEFT_HEADER, _left_rows(left)),
        "\n".join(_above(left)),
        f"**Differences of the fixtures' pairs**: {len(differences)} of {len(gold)} have their texts told.",
        table(DIFFERENCE_HEADER, _difference_rows(differences)),
        "\n".join(_not_shorter(differences)),
        f"**Speed.** `explaining`: at most {MOST_EXPLAINED} matches in full; `all`: of the others the clone type, too.",
        table(COST_HEADER, _cost_rows(costs)),
    )
    demands = list(_demands(gold, names, disguised, left, differences, costs))
    return section("explaining", "what is told of matched functions", how, demands, *blocks)


NAMES_HEADER = ("package", "level", "pairs", "right", "wrong", "introduced", "wanted", "precision", "recall")
LEFT_HEADER = ("project", "functions", "mean", "greatest", f"above {LARGEST_LEFT:.0%}")
DIFFERENCE_HEADER = ("kind", "pairs", "words", "un-renamed", "share", "lines", "un-renamed", "share", "not shorter")
COST_HEADER = ("suspect / reference", "matches", "in full", "finding", "explaining", "ratio", "all")


def _demands(
    gold: Sequence[GoldPair],
    names: tuple[InMap, InMap],
    disguised: Disguised,
    left: Mapping[str, AllLeft],
    differences: Sequence[Shortened],
    costs: Mapping[str, Cost],
) -> Iterator[Demand]:
    for what, found in zip(MAPS, names, strict=True):
        wanted = found.right + len(found.missing)
        yield Demand(f"renames of the gold, {what}", f"{wanted}", f"{found.right}", not found.missing)
        yield Demand(f"renames that are not in the gold, {what}", "0", f"{len(found.wrong)}", not found.wrong)
    for name, levels in disguised.items():
        yield _held(f"{name}: precision of names", LEAST_PRECISION, {k: v.precision for k, v in levels.items()})
        yield _held(f"{name}: recall of names", LEAST_RECALL, {k: v.recall for k, v in levels.items()})
    for project, found_left in left.items():
        above = len(found_left.above)
        what = f"{project}: merely renamed functions of which more than {LARGEST_LEFT:.0%} of the lines is left"
        yield Demand(what, "0", f"{above} of {len(found_left.long)}", not above)
    shorter = sum(each.is_shorter for each in differences)
    what = "pairs of the gold whose difference has fewer words with renames undone"
    yield Demand(what, f"{len(gold)}", f"{shorter}", shorter == len(gold))
    held = costs[" / ".join(HELD)]
    what = f"CPU of explaining {held.explained} matches against that of finding all, {' / '.join(HELD)}"
    yield Demand(what, "<= 1.00", f"{held.ratio:.2f}", held.ratio <= 1.0)


MAPS = ("map of each pair", "map of the project")


def _held(what: str, least: float, measured: Mapping[str, float]) -> Demand:
    """One demand for all levels."""
    return Demand(
        f"{what}, {' / '.join(measured)}",
        f">= {least:.3f}",
        " / ".join(f"{value:.3f}" for value in measured.values()),
        all(round(value, 3) >= least for value in measured.values()),
    )


def _map_rows(names: tuple[InMap, InMap]) -> Iterator[Sequence[object]]:
    for what, found in zip(MAPS, names, strict=True):
        counts = found.right, len(found.missing), len(found.wrong)
        yield what, *counts, f"{found.recall:.3f}", f"{found.precision:.3f}"


def _listed(names: tuple[InMap, InMap]) -> str:
    """The first ones that are missing and wrong, of either map."""
    lines = []
    for what, found in zip(MAPS, names, strict=True):
        for verdict, entries in (("missing", found.missing), ("wrong", found.wrong)):
            shown = [f"`{name}` -> `{other}`{f' in `{at}`' if at else ''}" for at, name, other in entries[:MOST_LISTED]]
            more = f", and {len(entries) - MOST_LISTED} more" if len(entries) > MOST_LISTED else ""
            lines += [f"- {what}, {verdict}: {', '.join(shown)}{more}"] if shown else []
    return "\n".join(lines)


def _name_rows(disguised: Disguised) -> Iterator[Sequence[object]]:
    for package, levels in disguised.items():
        for level, each in levels.items():
            wrong = len(each.wrong)
            introduced = f"{each.introduced} ({each.introduced / wrong:.0%})" if wrong else "0"
            counts = each.pairs, f"{each.right:,}", wrong, introduced, f"{each.wanted:,}"
            yield package, level, *counts, f"{each.precision:.3f}", f"{each.recall:.3f}"


def _left_rows(left: Mapping[str, AllLeft]) -> Iterator[Sequence[object]]:
    for project, each in left.items():
        yield project, len(each.long), f"{each.mean:.1%}", f"{each.greatest:.1%}", len(each.above)


def _above(left: Mapping[str, AllLeft]) -> Iterator[str]:
    for project, each in left.items():
        for one in each.above[:MOST_LISTED]:
            yield f"- {project}: `{one.function}` of `{one.path}`, {one.left} of {one.lines} lines"


def _difference_rows(differences: Sequence[Shortened]) -> Iterator[Sequence[object]]:
    for kind, pairs in {**by_kind(differences), "all": differences}.items():
        published, unrenamed = summed(pairs)
        words = f"{published.words:,}", f"{unrenamed.words:,}", _share(unrenamed.words, published.words)
        lines = f"{published.lines:,}", f"{unrenamed.lines:,}", _share(unrenamed.lines, published.lines)
        yield kind, len(pairs), *words, *lines, sum(not each.is_shorter for each in pairs)


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.2f}" if whole else "-"


def _not_shorter(differences: Sequence[Shortened]) -> Iterator[str]:
    for each in differences:
        if not each.is_shorter:
            yield f"- not shorter: `{each.function}`, {each.published.words} words, {each.unrenamed.words} un-renamed"


def _cost_rows(costs: Mapping[str, Cost]) -> Iterator[Sequence[object]]:
    for what, each in costs.items():
        seconds = f"{each.finding:.1f} s", f"{each.explaining:.1f} s", f"{each.ratio:.2f}", f"{each.everything:.1f} s"
        yield what, f"{each.matches:,}", each.explained, *seconds


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the section."""
    return print_section("explaining", __doc__, measure, arguments)


if __name__ == "__main__":
    sys.exit(main())
