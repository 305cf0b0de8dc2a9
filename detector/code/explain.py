"""How two matched functions differ: the clone type, who is called what, and what was done to the text.

Every file is parsed once and every function is read once, into a portrait that holds all that is compared; the syntax
trees are dropped. Names of attributes, functions and classes are a project's, not a function's, so each pair's names
are decided after all pairs have been looked at.
"""

from __future__ import annotations

import ast
import enum
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeVar

from detector.code import labels
from detector.code.bulk import parse_file
from detector.code.canonical import Canonical, canonical
from detector.code.digest import edited_or_rewritten, shapes
from detector.code.disguises import Facts, disguises, read_facts
from detector.code.names import ModuleNames, read_module
from detector.code.renames import Alignment, Known, Rename, align, clear_renames, merge_names
from detector.code.scopes import Place, own_names, places
from detector.code.traced import Traced, attribute_types, trace
from detector.model import CloneType, Span
from detector.settings import DEEPEST_LOWERING

# Pieces of a helper that must turn up in the suspect, new against the reference, to call it inlined there.
LEAST_INLINED = 0.6
# Helpers of fewer distinct shapes look like anything.
FEWEST_HELPER_SHAPES = 4
# What cannot be said of a piece: its reference is a method, or has asserts, for reasons of the other pieces.
_OF_THE_WHOLE = frozenset({"method-to-function", "removed-assert"})


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a pair of functions differs in.

    renames: name in the suspect -> name in the reference, changed ones first.
    disguises: sorted, out of `disguises.VOCABULARY`.
    """

    clone_type: CloneType
    renames: Mapping[str, str]
    disguises: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Sketch:
    """What the clone type of a function's pairs takes."""

    canonical: Canonical
    shapes: Counter[str]


@dataclass(frozen=True, slots=True)
class _Portrait(_Sketch):
    """All that is compared of one function."""

    facts: Facts
    traced: Traced | None  # None when it is nested too deeply
    function: str
    klass: str
    helpers: Mapping[str, Counter[str]]  # functions of the same file that it calls, by name


_Read = TypeVar("_Read", bound=_Sketch)


@dataclass(slots=True)
class _Pair:
    """A pair in work."""

    suspect: _Portrait
    reference: _Portrait
    clone_type: CloneType
    alignment: Alignment | None = None
    renames: list[Rename] = field(default_factory=list)


def explain(
    pairs: Sequence[tuple[Span, Span]],
    suspect: Callable[[str], bytes],
    reference: Callable[[str], bytes],
    local: tuple[frozenset[str], frozenset[str]] = (frozenset(), frozenset()),
    is_brief: bool = False,
) -> list[Explanation]:
    """Explain matched pairs, in the order given.

    suspect, reference: give the bytes of a file by its path.
    local: the packages under which each side imports itself.
    is_brief: clone types only, for lists of candidates.
    Empty: a function that is no longer where its span says is a rewritten one without names or disguises.
    """
    labels.forget_if_many()
    if is_brief:
        return _classified(pairs, suspect, reference, local)
    ours = _each([pair[0] for pair in pairs], suspect, local[0], _File.portrait)
    theirs = _each([pair[1] for pair in pairs], reference, local[1], _File.portrait)
    work = [_begin(ours.get(_key(one)), theirs.get(_key(other))) for one, other in pairs]
    known = _known(pair for pair in work if pair is not None)
    shared = _shared(pairs, work)
    return [_finish(pair, known, shared[number]) for number, pair in enumerate(work)]


def _classified(
    pairs: Sequence[tuple[Span, Span]],
    suspect: Callable[[str], bytes],
    reference: Callable[[str], bytes],
    local: tuple[frozenset[str], frozenset[str]],
) -> list[Explanation]:
    ours = _each([pair[0] for pair in pairs], suspect, local[0], _File.sketch)
    theirs = _each([pair[1] for pair in pairs], reference, local[1], _File.sketch)
    return [Explanation(_classify(ours.get(_key(one)), theirs.get(_key(other))), {}, ()) for one, other in pairs]


def _key(span: Span) -> tuple[str, str, int]:
    return span.path, span.qualname, span.first_line


def _each(
    spans: Iterable[Span], read: Callable[[str], bytes], local: frozenset[str], take: Callable[[_File, Place], _Read]
) -> dict[tuple[str, str, int], _Read]:
    """Read every function once, a file at a time."""
    wanted: defaultdict[str, set[tuple[str, int]]] = defaultdict(set)
    for span in spans:
        wanted[span.path].add((span.qualname, span.first_line))
    found: dict[tuple[str, str, int], _Read] = {}
    limit = sys.getrecursionlimit()
    for path in sorted(wanted):
        tree, _ = parse_file(read(path))
        sys.setrecursionlimit(max(limit, DEEPEST_LOWERING))
        try:
            file = _File(tree, local)
            for qualname, line in sorted(wanted[path]):
                place = file.places.get((qualname, line))
                if place is not None:
                    found[path, qualname, line] = take(file, place)
        finally:
            sys.setrecursionlimit(limit)
    return found


class _File:
    """One parsed file, for as long as its functions are read."""

    def __init__(self, tree: ast.Module, local: frozenset[str]) -> None:
        self.module: ModuleNames = read_module(tree, local)
        self.places = places(tree)
        self.by_name = {place.node.name: place for place in self.places.values()}
        self.constructors = {
            id(place.klass): place for place in self.places.values() if place.node.name == "__init__" and place.klass
        }
        self.own: dict[int, frozenset[str]] = {}
        self.types: dict[int, dict[str, str]] = {}
        self.shapes: dict[str, Counter[str]] = {}

    def sketch(self, place: Place) -> _Sketch:
        """Read what the clone type takes."""
        own, _ = self._class(place.klass)
        return _Sketch(canonical(place.node, self.module, own, place.is_method), shapes(place.node))

    def portrait(self, place: Place) -> _Portrait:
        """Read all of one function."""
        node, klass = place.node, place.klass
        own, types = self._class(klass)
        sketch = self.sketch(place)
        traced = None
        with suppress(RecursionError):
            traced = trace(place, self.module, own, types)
        facts = read_facts(place)
        return _Portrait(
            sketch.canonical,
            sketch.shapes,
            facts,
            traced,
            node.name,
            klass.name if klass is not None else "",
            {name: self._shapes(name) for name in sorted(facts.own_calls & self.by_name.keys()) if name != node.name},
        )

    def _class(self, klass: ast.ClassDef | None) -> tuple[frozenset[str], dict[str, str]]:
        """A class's own names and what its constructor puts into them."""
        if klass is None:
            return frozenset(), {}
        if id(klass) not in self.own:
            own = self.own[id(klass)] = own_names(klass)
            constructor = self.constructors.get(id(klass))
            try:
                types = attribute_types(constructor, self.module, own) if constructor else {}
            except RecursionError:
                types = {}
            self.types[id(klass)] = types
        return self.own[id(klass)], self.types[id(klass)]

    def _shapes(self, name: str) -> Counter[str]:
        if name not in self.shapes:
            self.shapes[name] = shapes(self.by_name[name].node)
        return self.shapes[name]


def _classify(suspect: _Sketch | None, reference: _Sketch | None) -> CloneType:
    if suspect is None or reference is None:
        return CloneType.REWRITTEN
    if suspect.canonical.layout == reference.canonical.layout:
        return CloneType.LAYOUT
    if suspect.canonical.digest == reference.canonical.digest:
        return CloneType.RENAMED
    return edited_or_rewritten(suspect.shapes, reference.shapes)


def _begin(suspect: _Portrait | None, reference: _Portrait | None) -> _Pair | None:
    """Classify a pair and align it: exactly where only names differ, by value flow otherwise."""
    if suspect is None or reference is None:
        return None
    clone_type = _classify(suspect, reference)
    if clone_type <= CloneType.RENAMED:
        return _Pair(suspect, reference, clone_type, renames=_positional(suspect, reference))
    pair = _Pair(suspect, reference, clone_type)
    if suspect.traced is not None and reference.traced is not None:
        pair.alignment = align(suspect.traced, reference.traced)
        pair.renames = clear_renames(pair.alignment, Known({}))
    return pair


def _positional(suspect: _Portrait, reference: _Portrait) -> list[Rename]:
    """Names of a type 1 or 2 clone stand for each other in the order of their first occurrence."""
    names = zip(suspect.canonical.names, reference.canonical.names, strict=True)
    return [Rename(kind, kind, one, other, 1.0) for (kind, one), (_, other) in names]


def _known(work: Iterable[_Pair]) -> Known:
    """What all pairs together say of the names that are a project's: functions, classes, attributes, globals."""
    support: defaultdict[tuple[str, str], float] = defaultdict(float)
    for pair in work:
        for one, other in _titles(pair):
            support[one, other] += 2.0
        for rename in pair.renames:
            if rename.is_shared:
                support[rename.suspect, rename.reference] += rename.support
    return Known(support)


def _titles(pair: _Pair) -> list[tuple[str, str]]:
    """What the functions and their classes are called."""
    titles = [(pair.suspect.function, pair.reference.function)]
    if pair.suspect.klass and pair.reference.klass:
        titles.append((pair.suspect.klass, pair.reference.klass))
    return [(one, other) for one, other in titles if not (one.startswith("__") or other.startswith("__"))]


class _Share(enum.Enum):
    """What a suspect has of its reference function."""

    WHOLE = enum.auto()
    REST = enum.auto()  # what was left when a piece was lifted out
    PIECE = enum.auto()


def _shared(pairs: Sequence[tuple[Span, Span]], work: Sequence[_Pair | None]) -> list[_Share]:
    """Tell which suspects are pieces of one longer function: they share it, and one of them calls the other."""
    sharing: defaultdict[tuple[str, str, int], list[int]] = defaultdict(list)
    for number, (_, reference) in enumerate(pairs):
        sharing[_key(reference)].append(number)
    shares = [_Share.WHOLE] * len(pairs)
    for numbers in sharing.values():
        for caller in numbers:
            for piece in numbers:
                one, other = work[caller], work[piece]
                if caller != piece and one and other and other.suspect.function in one.suspect.facts.own_calls:
                    shares[piece] = _Share.PIECE
                    if shares[caller] is _Share.WHOLE:
                        shares[caller] = _Share.REST
    return shares


def _finish(pair: _Pair | None, known: Known, share: _Share) -> Explanation:
    if pair is None:
        return Explanation(CloneType.REWRITTEN, {}, ())
    suspect, reference = pair.suspect, pair.reference
    found = pair.renames
    if pair.alignment is not None:
        found = clear_renames(pair.alignment, known)
    titles = [Rename("callee", "callee", *title, 2.0) for title in _titles(pair)[share is _Share.PIECE :]]
    renames = merge_names([*found, *titles])
    told = disguises(suspect.facts, reference.facts, renames)
    if pair.alignment is not None:
        told |= pair.alignment.disguises
        told -= _outweighed(suspect.facts.counts, reference.facts.counts)
        told |= {"parameter-from-config" for each in found if _is_from_config(each, reference.facts)}
        told |= {"inlined-helper"} if _has_inlined(suspect, reference, renames) else set()
    if share is not _Share.WHOLE:
        told.add("lifted-out")
    if share is _Share.PIECE:
        told -= _OF_THE_WHOLE
    return Explanation(pair.clone_type, renames, tuple(sorted(told)))


def _outweighed(ours: Counter[str], theirs: Counter[str]) -> set[str]:
    """Disguises that single values tell and the whole text contradicts: no more chains, fewer assignments."""
    found = set()
    if ours["chain"] <= theirs["chain"]:
        found.add("chained-call")
    if sum(ours[key] - theirs[key] for key in ("assignment", "assigned in tuples")) < 0:
        found.add("extracted-temporary")
    return found


def _is_from_config(rename: Rename, reference: Facts) -> bool:
    is_parameter = rename.kind == "parameter" and rename.reference_kind == "attribute"
    return is_parameter and rename.reference in reference.configured


def _has_inlined(suspect: _Portrait, reference: _Portrait, renames: Mapping[str, str]) -> bool:
    """Whether a helper of the reference is not called by the suspect but written out in it."""
    called = set(renames.values())
    new = suspect.shapes - reference.shapes
    for name, helper in reference.helpers.items():
        if name in called or len(helper) < FEWEST_HELPER_SHAPES:
            continue
        if sum(1 for shape in helper if shape in new) >= LEAST_INLINED * len(helper):
            return True
    return False
