"""How likely each kind of coincidence is: what matches of unrelated functions would show if they were reported.

Without a link between two projects hardly anything is reported, so that counting reports tells little. What is counted
here is what would be shown if every match of a score of LEAST_NAMED were believed: an upper bound.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bench.null_pairs import PAIRS
from bench.section import table
from bench.wheels import wheel
from detector.artifacts.credits.claims import claims
from detector.artifacts.credits.naming import is_named, names_of
from detector.code import structure
from detector.code.bulk import local_packages
from detector.code.corpus import Corpus
from detector.code.explain import explain
from detector.code.link import class_places
from detector.code.pairs import Floats, Pairs
from detector.model import Basis, CloneType, Correspondence, Match, NamePair
from detector.read import open_target

# What scores less is noise whatever it comes from, and asking where it comes from costs.
LEAST_NAMED = 3.0
MANY_BITS = (10, 25, 50, 100)
PLACES = (1, 2, 3, 5)
REFERENCE = "reference"

Read = Callable[[str], bytes]


@dataclass(frozen=True, slots=True)
class Kinds:
    """What the unexplained matches of one comparison would show."""

    matches: tuple[tuple[CloneType, float, float, Basis | None], ...]  # with bits and score; None: not believed
    classes: tuple[Correspondence, ...]
    files: tuple[Correspondence, ...]
    names: tuple[NamePair, ...]
    reported_names: tuple[NamePair, ...]  # of the matches that are believed
    methods: int  # classes of the suspect with as many methods as make one found again
    modules: int  # files of the suspect with two functions and more


def kinds(
    suspect: tuple[Corpus, Read],
    reference: tuple[Corpus, Read],
    pairs: Pairs,
    score: Floats,
    bases: Sequence[Basis | None],
) -> Kinds:
    """Explain these pairs, and read off classes, files and names as a report does."""
    (ours, read), (theirs, read_other) = suspect, reference
    spans = [
        (ours.spans[one], theirs.spans[other])
        for one, other in zip(pairs.suspect.tolist(), pairs.reference.tolist(), strict=True)
    ]
    local = [local_packages(sorted({span.path for span in side.spans})) for side in (ours, theirs)]
    explanations = explain(spans, read, read_other, (local[0] | local[1], local[0] | local[1]))
    matches = [
        Match(
            one, REFERENCE, other, 0.0, float(pairs.overlap[number]), float(pairs.containment[number]),
            float(pairs.shared[number]), float(pairs.own[number]), 0.0, bases[number] or Basis.REQUEST,
            explanations[number].clone_type, False, "", explanations[number].renames,
        )
        for number, (one, other) in enumerate(spans)
    ]  # fmt: skip
    classes = Counter(place for place in class_places(ours.spans) if place[1])
    files = Counter(span.path for span in ours.spans)
    return Kinds(
        tuple(
            (match.clone_type, match.bits, float(reached), basis)
            for match, reached, basis in zip(matches, score, bases, strict=True)
        ),
        structure.classes(matches, ours.spans, {REFERENCE: theirs.spans}),
        structure.files(matches, ours.spans, {REFERENCE: theirs.spans}),
        structure.names(matches),
        structure.names(match for match, basis in zip(matches, bases, strict=True) if basis is not None),
        sum(count >= structure.FEWEST_METHODS for count in classes.values()),
        sum(count >= structure.FEWEST_METHODS for count in files.values()),
    )


def tables(found: Sequence[Kinds], functions: int) -> list[str]:
    """Lay out how often each kind of match, class, file and map of names is met."""
    return [
        f"Functions of 10,000 with a match of a score of {LEAST_NAMED:g} and more, by clone type and bits, without a "
        "known source:",
        table(("clone type", "how many", *(f"{bits} bits" for bits in MANY_BITS)), _by_type(found, functions)),
        "Reported without a known source, by what the match rests on:",
        table(("basis", "reported", "in 10,000 functions"), _by_basis(found, functions)),
        f"Classes and files of two functions and more, if all matches of a score of {LEAST_NAMED:g} and more were "
        "believed: so many have two functions in one class or file of the unrelated project, so many all of them.",
        table(("", "in all", "two and more", "in 10,000", "all", "in 10,000"), _by_place(found)),
        f"Names that these matches map to another name, in {len(found)} comparisons; contradicted: as many matches or "
        "more say otherwise.",
        table(
            (
                "places",
                "names",
                "contradicted",
                "comparisons with one that is not",
                "most of these in one",
                "names by reported matches",
                "contradicted",
            ),
            _by_places(found),
        ),
    ]


def _in_10_000(count: int, of: int) -> str:
    return f"{count / max(of, 1) * 10_000:.2f}"


def _by_type(found: Sequence[Kinds], functions: int) -> Iterator[Sequence[object]]:
    matches = [match for each in found for match in each.matches]
    for kind in CloneType:
        bits = [bits for clone_type, bits, _, _ in matches if clone_type is kind]
        rates = [_in_10_000(sum(each >= least for each in bits), functions) for least in MANY_BITS]
        yield f"{kind.value}", f"{len(bits):,}", *rates


def _by_basis(found: Sequence[Kinds], functions: int) -> Iterator[Sequence[object]]:
    counts = Counter(basis for each in found for *_, basis in each.matches)
    for basis in Basis:
        if basis is not Basis.REQUEST:
            yield basis.value, counts[basis], _in_10_000(counts[basis], functions)


def _by_place(found: Sequence[Kinds]) -> Iterator[Sequence[object]]:
    for name, parts, total in (
        ("classes", [each.classes for each in found], sum(each.methods for each in found)),
        ("files", [each.files for each in found], sum(each.modules for each in found)),
    ):
        places = [place for part in parts for place in part if place.functions >= structure.FEWEST_METHODS]
        whole = sum(place.functions == place.suspect_functions for place in places)
        yield (
            name, f"{total:,}", len(places), _in_10_000(len(places), total), whole, _in_10_000(whole, total),
        )  # fmt: skip


def _by_places(found: Sequence[Kinds]) -> Iterator[Sequence[object]]:
    for least in PLACES:
        names = [[pair for pair in each.names if pair.places >= least] for each in found]
        clear = [sum(pair.places > pair.contradicted for pair in pairs) for pairs in names]
        total = sum(map(len, names))
        reported = [pair for each in found for pair in each.reported_names if pair.places >= least]
        against = sum(pair.places <= pair.contradicted for pair in reported)
        yield (
            f"{least} and more", f"{total:,}", f"{total - sum(clear):,}", sum(map(bool, clear)), max(clear),
            len(reported), against,
        )  # fmt: skip


def citing(cache_folder: Path) -> list[tuple[str, str, str]]:
    """Suspects whose notes name the reference that they are independent of as what they build on: with the path."""

    @cache
    def notes_and_names(requirement: str) -> tuple[dict[str, bytes], frozenset[str]]:
        with open_target(str(wheel(cache_folder, requirement))) as repo:
            return dict(repo.files.notes()), names_of(repo).names

    found = []
    for one, _, other, _, _ in PAIRS:
        for suspect, reference in ((one, other), (other, one)):
            path = _citing(notes_and_names(suspect)[0], notes_and_names(reference)[1])
            if path:
                found.append((suspect, reference, path))
    return found


def _citing(notes: Mapping[str, bytes], names: frozenset[str]) -> str:
    """The first note that names what it builds on by one of these names, "" if none does."""
    for path, data in notes.items():
        if any(is_named(claim.source, names) for claim in claims(data.decode("utf-8", "replace"))):
            return path
    return ""
