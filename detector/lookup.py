"""Functions of a change -> what is known that computes the same, target by target."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from detector.code.corpus import Corpus, Wordings, assembled
from detector.code.held import Held
from detector.code.tokens import wordings_of
from detector.indexed import Known, Place, Scored, Target, scored, screened
from detector.settings import FEWEST_LINK_FUNCTIONS, FEWEST_REPORT_SHINGLES, REPORT_SCORE
from detector.settings.hook import (
    FEWEST_SHARED_KEYS,
    MOST_SHAPES,
    MOST_TARGETS,
    NEARLY_BEST,
    SCREENED_PART,
    SCREENED_SHAPES,
    SHARED_PART,
)
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


class Changed:
    """The changed files of a project, as files that a comparison reads."""

    def __init__(self, files: Sequence[SourceFile], paths: Sequence[str]) -> None:
        """paths: of all Python files of the project: they tell under which names it imports itself."""
        self._files = {file.path: file for file in files}
        self._paths = paths

    def paths(self) -> Sequence[str]:
        """Of the whole project."""
        return self._paths

    def __iter__(self) -> Iterator[SourceFile]:
        """The changed ones."""
        return iter(self._files.values())

    def read(self, path: str) -> bytes:
        """The bytes of a changed file."""
        return self._files[path].data


class Suspect:
    """The changed files, lowered once for each set of names that they may mean."""

    def __init__(self, files: Sequence[SourceFile], paths: Sequence[str], sources: Sequence[Source]) -> None:
        """paths: of all Python files of the project."""
        others = dict.fromkeys(source.target.packages for source in sources)
        self._files = Changed(files, paths)
        self._held = Held(self._files, frozenset(), others)
        self.corpus = self._held.corpus
        imported = frozenset().union(*self._held.imports.values())
        self.imported = self._held.against(frozenset().union(*others) & imported)

    def against(self, source: Source) -> Corpus:
        """The same functions, where names of the target are the project's own: what was taken out of it says so."""
        return self._held.against(source.target.packages)

    def wordings(self, functions: Iterable[int]) -> Wordings:
        """What the texts of these functions are compared by; few are asked for, and the others have none."""
        chosen = np.array(sorted(set(functions)), np.int64)
        return wordings_of(chosen, (self.corpus.spans, self._files.read))


def look_up(suspect: Suspect, functions: Collection[int], sources: Sequence[Source]) -> list[Found]:
    """Find the targets that have functions alike, and score these.

    Three steps, each for fewer: contents that share keys with a function that may stand on its own are screened,
    wherever they are; targets that have the most alike of a function are scored; where so much is alike that it may
    prove a link, so is what would be believed beside it.
    """
    counts = np.diff(suspect.corpus.shingles.offsets)
    large = sorted(function for function in functions if counts[function] >= FEWEST_REPORT_SHINGLES)
    found: list[Found] = []
    for known in {id(source.known): source.known for source in sources}.values():
        asking = _Asking(suspect, known)
        places = Places(known)
        alike = _screened(suspect, asking.of(large), places)
        targets = _leading(alike, places)
        pairs: dict[Source, dict[Pair, None]] = {}
        for source in sources:
            if source.known is known and source.target.number in targets:
                here = {pair: score for pair, score in alike.items() if source.target.number in places.of[pair[1]]}
                pairs[source] = dict.fromkeys([*here, *_beside(suspect, here, functions, asking)])
        wordings = suspect.wordings(function for each in pairs.values() for function, _ in each)
        each_found = (_scored(suspect, source, places, wordings, of_it) for source, of_it in pairs.items())
        found += [one for one in each_found if one is not None]
    return found


def _leading(alike: Mapping[Pair, float], places: Places) -> set[int]:
    """Targets that have the most alike of some function: of near ties those with most in all.

    A function that stands in twenty versions of one project need not be scored in each.
    """
    scores: dict[int, dict[int, float]] = {}
    for (function, shape), score in alike.items():
        best = scores.setdefault(function, {})
        for number in places.of[shape]:
            best[number] = max(score, best.get(number, 0.0))
    totals: Counter[int] = Counter()
    for best in scores.values():
        totals.update(best)
    leading: set[int] = set()
    for best in scores.values():
        near = [number for number, score in best.items() if score >= NEARLY_BEST * max(best.values())]
        leading.update(sorted(near, key=lambda number: (-totals[number], number))[:MOST_TARGETS])
    return leading


Pair = tuple[int, int]  # a function of the change, and a shape


class Places:
    """Where shapes of one index stand, and what the files there hold; each is asked for once.

    of: by shape and number of the target; of one content in many versions of a file the first place stands for all.
    """

    def __init__(self, known: Known) -> None:
        self._known = known
        self.of: dict[int, dict[int, Place]] = {}
        self._packs: dict[tuple[str, int], Corpus] = {}

    def ask(self, shapes: Iterable[int]) -> None:
        """Look up where shapes stand."""
        asked = sorted(set(shapes) - self.of.keys())
        self.of |= {shape: {} for shape in asked}
        for place in self._known.places(asked) if asked else ():
            self.of[place.shape].setdefault(place.target.number, place)

    def files(self, places: Iterable[Place]) -> tuple[Corpus, dict[tuple[str, int], int]]:
        """The files that places are in, as one corpus, and the number of the first function of each."""
        files = {(place.path, place.pack): place for place in places}
        parts, starts, start = [], {}, 0
        for key, place in sorted(files.items(), key=lambda each: each[0]):
            part = self._packs.get(key)
            if part is None:
                part = self._packs[key] = self._known.pack(place.pack, place.path, place.role)
            starts[key] = start
            start += len(part.spans)
            parts.append(part)
        return assembled(parts), starts


class _Asking:
    """What functions of a change share with contents of one index; each function is asked for once."""

    def __init__(self, suspect: Suspect, known: Known) -> None:
        self._suspect = suspect
        self._known = known
        self._asked: set[int] = set()
        self._shared: dict[Pair, int] = {}

    def of(self, functions: Collection[int]) -> dict[Pair, int]:
        """How many keys each of the functions shares with its candidates."""
        new = sorted(set(functions) - self._asked)
        self._asked.update(new)
        for corpus, chosen in _spellings(self._suspect, new):
            for function, shape, keys in self._known.candidates(corpus, chosen, MOST_SHAPES):
                self._shared[function, shape] = max(keys, self._shared.get((function, shape), 0))
        wanted = set(functions)
        return {pair: keys for pair, keys in self._shared.items() if pair[0] in wanted}


def _screened(suspect: Suspect, shared: Mapping[Pair, int], places: Places) -> dict[Pair, float]:
    """The pairs that may stand on their own, each content looked at once, and how alike they are."""
    near = []
    for function, ranked in _ranked(shared):
        least = max(FEWEST_SHARED_KEYS, SHARED_PART * ranked[0][0])
        near += [(function, shape) for keys, shape in ranked[:SCREENED_SHAPES] if keys >= least]
    places.ask(shape for _, shape in near)
    near = [pair for pair in near if places.of[pair[1]]]
    if not near:
        return {}
    first = {shape: next(iter(places.of[shape].values())) for _, shape in near}
    theirs, starts = places.files(first.values())
    numbers = {shape: starts[place.path, place.pack] + place.function for shape, place in first.items()}
    alike: dict[Pair, float] = {}
    for corpus, chosen in _spellings(suspect, sorted({function for function, _ in near})):
        asked = frozenset(chosen)
        here = [pair for pair in near if pair[0] in asked]
        scores = screened(corpus, theirs, [(function, numbers[shape]) for function, shape in here])
        for pair, score in zip(here, scores, strict=True):
            if score >= SCREENED_PART * REPORT_SCORE:
                alike[pair] = max(score, alike.get(pair, 0.0))
    return dict(sorted(alike.items()))


def _beside(suspect: Suspect, alike: Mapping[Pair, float], functions: Collection[int], asking: _Asking) -> list[Pair]:
    """Pairs that may be believed where the link of their target is proven: in files that have part in it.

    A file of which nothing matches is hardly part of what was copied, and little of it would be believed.

    alike: what is alike in the target; scores are not below what they will be.
    """
    strong = {function for (function, _), score in alike.items() if score >= REPORT_SCORE}
    if len(strong) < FEWEST_LINK_FUNCTIONS:
        return []
    spans = suspect.corpus.spans
    paths = {spans[function].path for function, _ in alike}
    return [
        (function, shape)
        for function, ranked in _ranked(asking.of([each for each in functions if spans[each].path in paths]))
        for keys, shape in ranked[:SCREENED_SHAPES]
        if keys >= SHARED_PART * ranked[0][0]
    ]


def _ranked(shared: Mapping[Pair, int]) -> list[tuple[int, list[tuple[int, int]]]]:
    """Of each function, keys and shape of its candidates, the best first."""
    by_function: dict[int, list[tuple[int, int]]] = {}
    for (function, shape), keys in shared.items():
        by_function.setdefault(function, []).append((keys, shape))
    return [
        (function, sorted(ranked, key=lambda each: (-each[0], each[1])))
        for function, ranked in sorted(by_function.items())
    ]


def _spellings(suspect: Suspect, functions: Sequence[int]) -> Iterator[tuple[Corpus, Sequence[int]]]:
    """The changed files by themselves, and as what was taken out of the targets they import, where that differs."""
    yield suspect.corpus, functions
    other = suspect.imported
    if other is not suspect.corpus:
        differs = suspect.corpus.shingles.sums() != other.shingles.sums()
        chosen = [function for function in functions if differs[function]]
        if chosen:
            yield other, chosen


def _scored(
    suspect: Suspect, source: Source, places: Places, wordings: Wordings, pairs: Collection[Pair]
) -> Found | None:
    """Score pairs as far as they stand in one target; None where nothing is believed."""
    places.ask(shape for _, shape in pairs)
    number = source.target.number
    wanted = [(function, places.of[shape].get(number)) for function, shape in pairs]
    here = [(function, place) for function, place in wanted if place is not None]
    if not here:
        return None
    theirs, starts = places.files(place for _, place in here)
    numbers = [(function, starts[place.path, place.pack] + place.function) for function, place in here]
    ours, frequent = replace(suspect.against(source), wordings=wordings), source.known.frequent(source.target)
    found = scored(ours, theirs, numbers, frequent, source.target.functions)
    return Found(source, ours, theirs, tuple(found)) if found else None
