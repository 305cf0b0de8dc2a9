"""What matched functions say of the whole: class with class, file with file, name with name."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from detector.code.link import class_places
from detector.model import Correspondence, Match, NamePair, Span

# A class is found again where this many of its methods are, or all of them.
FEWEST_METHODS = 2

Place = tuple[str, str]  # path and class, "" for a whole file
_PlaceOf = Callable[[Span], Place]


def classes(
    matches: Iterable[Match], suspect: Sequence[Span], references: Mapping[str, Sequence[Span]]
) -> tuple[Correspondence, ...]:
    """Classes of the suspect with the class of a reference that most of their methods' bits go to, by bits.

    references: the functions of each reference, by name.
    """
    ours = _class_of(suspect)
    theirs = {name: _class_of(spans) for name, spans in references.items()}
    methods = [
        match for match in matches if ours(match.suspect)[1] and theirs[match.reference_name](match.reference)[1]
    ]
    found = _pair(methods, ours, theirs, suspect, references)
    return tuple(
        each
        for each in found
        if each.functions >= min(FEWEST_METHODS, each.suspect_functions) and each.suspect_functions
    )


def files(
    matches: Iterable[Match], suspect: Sequence[Span], references: Mapping[str, Sequence[Span]]
) -> tuple[Correspondence, ...]:
    """Files of the suspect with the file of a reference that most of their functions' bits go to, by bits."""
    return _pair(matches, _file_of, dict.fromkeys(references, _file_of), suspect, references)


def names(matches: Iterable[Match]) -> tuple[NamePair, ...]:
    """Names of the suspect with all that they stand for in a reference, over all matches, the most supported first.

    A pair of functions votes once for each of its renames; what others say of the same name contradicts it: a short
    name may well stand for several things.
    """
    votes: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for match in matches:
        own = {_last(match.suspect.qualname): _last(match.reference.qualname), **match.renames}
        for new, old in own.items():
            votes[match.reference_name, new][old] += 1
    pairs = []
    for (reference, new), counts in votes.items():
        total = counts.total()
        pairs += [NamePair(new, reference, old, places, total - places) for old, places in counts.items() if old != new]
    return tuple(
        sorted(
            pairs,
            key=lambda pair: (-pair.places, pair.contradicted, pair.suspect, pair.reference_name, pair.reference),
        )
    )


def _pair(
    matches: Iterable[Match],
    place_of: _PlaceOf,
    their_place_of: Mapping[str, _PlaceOf],
    suspect: Sequence[Span],
    references: Mapping[str, Sequence[Span]],
) -> tuple[Correspondence, ...]:
    """Pair places by the bits of the matches between them: each suspect place once."""
    between: defaultdict[Place, defaultdict[tuple[str, Place], list[Match]]] = defaultdict(lambda: defaultdict(list))
    for match in matches:
        home = their_place_of[match.reference_name](match.reference)
        between[place_of(match.suspect)][match.reference_name, home].append(match)
    ours = Counter(map(place_of, suspect))
    theirs = {name: Counter(map(their_place_of[name], spans)) for name, spans in references.items()}
    found = []
    for place, others in between.items():
        (name, other), chosen = min(
            others.items(), key=lambda item: (-sum(match.own_bits for match in item[1]), -len(item[1]), item[0])
        )
        renamed = {
            _last(match.suspect.qualname): _last(match.reference.qualname)
            for match in sorted(chosen, key=lambda match: match.suspect.first_line)
        }
        found.append(
            Correspondence(
                *place, name, *other, len(chosen), ours[place], theirs[name][other],
                sum(match.own_bits for match in chosen), renamed,
            )
        )  # fmt: skip
    return tuple(sorted(found, key=lambda each: (-each.bits, each.suspect_path, each.suspect_class)))


def _class_of(spans: Sequence[Span]) -> _PlaceOf:
    places = dict(zip(spans, class_places(spans), strict=True))
    return lambda span: places[span]


def _file_of(span: Span) -> Place:
    return span.path, ""


def _last(qualname: str) -> str:
    return qualname.rpartition(".")[2]
