"""Functions of a change -> what is known that computes the same, target by target."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from detector.code.bulk import compared_packages
from detector.code.corpus import Corpus, assembled
from detector.indexed import Known, Place, Scored, Target, lowered, scored
from detector.settings.hook import MOST_SHAPES
from detector.targets import SourceFile


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """One target of one index."""

    known: Known
    target: Target


@dataclass(frozen=True, slots=True)
class Found:
    """What the change has in common with one target.

    Shapes: `scored` numbers functions of `ours` and of `theirs`, which hold the files concerned.
    """

    source: Source
    ours: Corpus
    theirs: Corpus
    scored: tuple[Scored, ...]
    revisions: dict[str, str]  # of the files of the target, by path


class Suspect:
    """The changed files, lowered once for each set of names that they may mean."""

    def __init__(self, files: Sequence[SourceFile], local: frozenset[str], sources: Sequence[Source]) -> None:
        self._files = files
        self._local = local
        self._read: dict[frozenset[str], Corpus] = {}
        packages = frozenset().union(*(comparable(source) for source in sources)) - local
        self.corpus, self._imports = lowered(files, local, packages)
        self._starts = _starts(self.corpus)

    def against(self, names: frozenset[str]) -> Corpus:
        """The same functions, where some more names are the project's own: what was taken out of a package says so."""
        names &= frozenset().union(*self._imports.values()) if self._imports else frozenset()
        if not names:
            return self.corpus
        if names not in self._read:
            again = [file for file in self._files if self._imports.get(file.path, frozenset()) & names]
            anew, _ = lowered(again, self._local | names)
            parts = dict(self.corpus.by_file()) | dict(anew.by_file())
            self._read[names] = assembled([parts[path] for path in self._starts])
        return self._read[names]

    def imported(self) -> frozenset[str]:
        """Names of packages of the targets that some changed file imports."""
        return frozenset().union(*self._imports.values()) if self._imports else frozenset()


def comparable(source: Source) -> frozenset[str]:
    """Names by which a file that was taken out of the target may import what stood beside it."""
    return compared_packages([[f"{package}/__init__.py" for package in source.target.packages]])


def look_up(suspect: Suspect, functions: Collection[int], sources: Sequence[Source]) -> list[Found]:
    """Find the targets that have functions alike, and score these."""
    chosen = sorted(functions)
    found: list[Found] = []
    for known in {id(source.known): source.known for source in sources}.values():
        pairs: dict[tuple[int, int], int] = {}
        for corpus in _spellings(suspect):
            for function, shape, shared in known.candidates(corpus, chosen, MOST_SHAPES):
                pairs[function, shape] = max(shared, pairs.get((function, shape), 0))
        places: dict[int, list[Place]] = {}
        for place in known.places(sorted({shape for _, shape in pairs})):
            places.setdefault(place.shape, []).append(place)
        for source in sources:
            if source.known is known and (one := _against(suspect, source, pairs, places)) is not None:
                found.append(one)
    return found


def _spellings(suspect: Suspect) -> list[Corpus]:
    """The changed files by themselves, and, where that differs, as what was taken out of the targets they import."""
    either = [suspect.corpus, suspect.against(suspect.imported())]
    return either if either[0] is not either[1] else either[:1]


def _against(
    suspect: Suspect, source: Source, pairs: Collection[tuple[int, int]], places: dict[int, list[Place]]
) -> Found | None:
    wanted: list[tuple[int, Place]] = []
    for function, shape in sorted(pairs):
        # Of one content in many versions of a file the first place stands for all.
        here = [place for place in places.get(shape, ()) if place.target == source.target.number]
        wanted += [(function, here[0])] if here else []
    if not wanted:
        return None
    files = {(place.path, place.pack): place for _, place in wanted}
    parts, starts, start = [], {}, 0
    for key in sorted(files):
        part = source.known.pack(files[key].pack).at(files[key].path, files[key].role)
        starts[key] = start
        start += len(part.spans)
        parts.append(part)
    ours, theirs = suspect.against(comparable(source)), assembled(parts)
    numbers = [(function, starts[place.path, place.pack] + place.function) for function, place in wanted]
    frequent = source.known.frequent(source.target.number)
    one = scored(ours, theirs, numbers, frequent, source.target.functions)
    revisions = {place.path: place.revision for place in files.values()}
    return Found(source, ours, theirs, tuple(one), revisions) if one else None


def _starts(corpus: Corpus) -> dict[str, int]:
    starts: dict[str, int] = {}
    for number, span in enumerate(corpus.spans):
        starts.setdefault(span.path, number)
    return starts
