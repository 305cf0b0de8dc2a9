"""How two matched functions differ: the clone type, who is called what, and what was done to the text.

Pairs are looked at file by file, each file parsed once; of a pair only what tells its names is kept. Names of
attributes, functions and classes are a project's, not a function's, so each pair's names are decided after all pairs
have been looked at.
"""

from __future__ import annotations

import enum
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from detector.code.alignment import Alignment, Places, align
from detector.code.digest import edited_or_rewritten
from detector.code.disguises import Facts, disguises, places_of
from detector.code.drawn import draw
from detector.code.lexical import words_of
from detector.code.located import shared_lines
from detector.code.lowering import labels
from detector.code.named import GLOBALS, KEYWORDS, MEMBERS, VALUES
from detector.code.parse import parsing
from detector.code.portraits import Portrait, Side
from detector.code.renames import Known, Names, Rename, Votes, merge_names, settle, titles, votes
from detector.code.side_by_side import lay
from detector.code.textwise import Word
from detector.code.unrename import Undo, function_text
from detector.model import CloneType, FlowPair, Lines, Span, Texts

# Pieces of a helper that must turn up in the suspect, new against the reference, to call it inlined there.
LEAST_INLINED = 0.6
# Helpers of fewer distinct shapes look like anything.
FEWEST_HELPER_SHAPES = 4
# What cannot be said of a piece: its reference is a method, or has asserts, for reasons of the other pieces.
_OF_THE_WHOLE = frozenset({"method-to-function", "removed-assert"})


_ROLES = {"local": VALUES, "own": MEMBERS, "attribute": MEMBERS, "global": GLOBALS, "keyword": KEYWORDS}


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a pair of functions differs in.

    renames: name in the suspect -> name in the reference, changed ones first.
    disguises: sorted, out of `disguises.VOCABULARY`.
    disguise_lines: disguise -> where it shows, as far as it has a place.
    renames_by_role: the same by where the name stands, those that change something; see `Match`.
    """

    clone_type: CloneType
    renames: Mapping[str, str]
    disguises: tuple[str, ...]
    disguise_lines: Mapping[str, Places] = field(default_factory=dict)
    suspect_lines: tuple[Lines, ...] = ()  # that both have, where not all is the same
    reference_lines: tuple[Lines, ...] = ()
    renames_by_role: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    texts: Texts | None = None
    flows: FlowPair | None = None


@dataclass(frozen=True, slots=True)
class _Kept:
    """What is kept of a function when its file is dropped."""

    function: str
    klass: str
    facts: Facts
    text: str

    @property
    def titles(self) -> tuple[str, str]:
        """What the function and its class are called."""
        return self.function, self.klass


@dataclass(slots=True)
class _Pair:
    """A pair in work."""

    suspect: _Kept
    reference: _Kept
    clone_type: CloneType
    alignment: Alignment | None = None
    names: Names | None = None  # where they have to be found: neither text is the other's after renaming
    renames: list[Rename] = field(default_factory=list)
    own: Votes = field(default_factory=dict)  # what this pair says of names
    lines: tuple[tuple[Lines, ...], tuple[Lines, ...]] = ((), ())
    written_out: frozenset[str] = frozenset()  # helpers of the reference whose shapes the suspect has itself
    flows: FlowPair | None = None


def explain(
    pairs: Sequence[tuple[Span, Span]],
    suspect: Callable[[str], bytes],
    reference: Callable[[str], bytes],
    local: tuple[frozenset[str], frozenset[str]] = (frozenset(), frozenset()),
    full: int | None = None,
) -> list[Explanation]:
    """Explain matched pairs, in the order given.

    suspect, reference: give the bytes of a file by its path.
    local: the packages under which each side imports itself.
    full: how many of the first pairs are explained in full (None: all); of the others the clone type is told.
    Empty: a function that is no longer where its span says is a rewritten one without names or disguises.
    """
    labels.forget_if_many()
    full = len(pairs) if full is None else full
    ours, theirs = Side(suspect, local[0], most_bytes=0), Side(reference, local[1])
    found = [Explanation(CloneType.REWRITTEN, {}, ())] * len(pairs)
    work: list[_Pair | None] = [None] * min(full, len(pairs))
    with parsing():
        for number in sorted(range(len(pairs)), key=lambda number: [span.path for span in pairs[number]]):
            is_same = _is_same_text(ours.text(pairs[number][0]), theirs.text(pairs[number][1]))
            if is_same and number >= full:  # the tree is not needed
                found[number] = Explanation(CloneType.LAYOUT, {}, ())
                continue
            one, other = ours.portrait(pairs[number][0]), theirs.portrait(pairs[number][1])
            if one is None or other is None:
                continue
            clone_type = CloneType.LAYOUT if is_same else _classify(one, other)
            found[number] = Explanation(clone_type, {}, ())
            if number < full:
                work[number] = _begin(one, other, clone_type)
    shares = _shared(pairs, work)
    known = _known(work, shares)
    shared = {role: known.clear(role) for role in (GLOBALS, MEMBERS, KEYWORDS)}
    for number, pair in enumerate(work):
        if pair is not None:
            found[number] = _finish(pair, known, shared, shares[number])
    return found


def _key(span: Span) -> tuple[str, str, int]:
    return span.path, span.qualname, span.first_line


def _is_same_text(one: bytes | None, other: bytes | None) -> bool:
    return one is not None and one == other


def _classify(suspect: Portrait, reference: Portrait) -> CloneType:
    if suspect.census == reference.census:  # else no renaming makes them equal
        if suspect.canonical.layout == reference.canonical.layout:
            return CloneType.LAYOUT
        if suspect.canonical.digest == reference.canonical.digest:
            return CloneType.RENAMED
    return edited_or_rewritten(suspect.shapes, reference.shapes)


def _begin(suspect: Portrait, reference: Portrait, clone_type: CloneType) -> _Pair:
    """Align a pair: exactly where only names differ, by value flow and places otherwise."""
    ours, theirs = [_Kept(each.name, each.klass, each.facts, each.text) for each in (suspect, reference)]
    pair = _Pair(ours, theirs, clone_type)
    one, other = suspect.traced, reference.traced
    if clone_type <= CloneType.RENAMED:
        pair.renames = _positional(suspect, reference)
        if one is not None and other is not None:
            pair.flows = draw(one, other, [(node, node) for node in range(min(len(one.keys), len(other.keys)))])
        return pair
    if one is not None and other is not None:
        pair.alignment = align(one, other)
        pair.flows = draw(one, other, pair.alignment.pairs)
    pair.names = Names(pair.alignment, suspect.tokens, reference.tokens)
    pair.written_out = _written_out(suspect, reference)
    if suspect.located is not None and reference.located is not None:
        pair.lines = shared_lines(suspect.located, reference.located)
    return pair


def _positional(suspect: Portrait, reference: Portrait) -> list[Rename]:
    """Names of a type 2 clone stand for each other in the order of their first occurrence; of type 1 for themselves."""
    is_same = suspect.census == reference.census and suspect.canonical.digest == reference.canonical.digest
    names = zip(suspect.canonical.names, (reference if is_same else suspect).canonical.names, strict=True)
    return [Rename(Word(_ROLES[kind], one), Word(_ROLES[kind], other), 1.0) for (kind, one), (_, other) in names]


def _written_out(suspect: Portrait, reference: Portrait) -> frozenset[str]:
    """Helpers that the reference calls and whose shapes the suspect has beyond what the reference has."""
    found: set[str] = set()
    for name, helper in reference.helpers():
        if len(helper) >= FEWEST_HELPER_SHAPES:
            new = [shape for shape in helper if suspect.shapes[shape] > reference.shapes[shape]]
            if len(new) >= LEAST_INLINED * len(helper):
                found.add(name)
    return frozenset(found)


def _known(work: Sequence[_Pair | None], shares: Sequence[_Share]) -> Known:
    """What all pairs together say of their names, each decided by itself."""
    known = Known()
    for pair, share in zip(work, shares, strict=True):
        if pair is None:
            continue
        if pair.names is not None:
            pair.renames = settle(pair.names)
        pair.own = votes([*pair.renames, *_titles(pair, share)])
        known.add(pair.own)
    return known


def _titles(pair: _Pair, share: _Share) -> list[Rename]:
    """What the functions and their classes are called; a piece has not the name of the whole."""
    ours, theirs = pair.suspect.titles, pair.reference.titles
    return list(titles(ours[1:], theirs[1:]) if share is _Share.PIECE else titles(ours, theirs))


class _Share(enum.Enum):
    """What a suspect has of its reference function."""

    WHOLE = enum.auto()
    REST = enum.auto()  # what was left when a piece was lifted out
    PIECE = enum.auto()


def _shared(pairs: Sequence[tuple[Span, Span]], work: Sequence[_Pair | None]) -> list[_Share]:
    """Tell which suspects are pieces of one longer function: they share it, and one of them calls the other."""
    sharing: defaultdict[tuple[str, str, int], list[int]] = defaultdict(list)
    for number in range(len(work)):
        sharing[_key(pairs[number][1])].append(number)
    shares = [_Share.WHOLE] * len(work)
    for numbers in sharing.values():
        for caller in numbers:
            for piece in numbers:
                one, other = work[caller], work[piece]
                if caller != piece and one and other and other.suspect.function in one.suspect.facts.own_calls:
                    shares[piece] = _Share.PIECE
                    if shares[caller] is _Share.WHOLE:
                        shares[caller] = _Share.REST
    return shares


def _finish(pair: _Pair, known: Known, shared: Mapping[str, Mapping[str, str]], share: _Share) -> Explanation:
    suspect, reference = pair.suspect, pair.reference
    found = pair.renames if pair.names is None else settle(pair.names, known, pair.own)
    found = [*found, *_titles(pair, share)]
    renames = merge_names(found)
    told = disguises(suspect.facts, reference.facts, renames)
    moved: Mapping[str, Places] = {}
    if pair.names is not None:
        moved = pair.alignment.disguises if pair.alignment is not None else {}
        told |= moved.keys()
        told -= _outweighed(suspect.facts.counts, reference.facts.counts)
        told |= {"parameter-from-config" for each in found if _is_from_config(each, reference.facts)}
        told |= {"inlined-helper"} if pair.written_out - set(renames.values()) else set()
        told |= {"lifted-out"} if share is not _Share.WHOLE else set()
    if share is _Share.PIECE:
        told -= _OF_THE_WHOLE
    undo = _undo(found, pair)
    text, undone = function_text(suspect.text, _with_hints(undo, pair, shared), MEMBERS if suspect.klass else "")
    return Explanation(
        pair.clone_type,
        renames,
        tuple(sorted(told)),
        {name: where for name in sorted(told) if any(where := _where(name, pair, moved, renames))},
        *pair.lines,
        {
            role: dict(sorted(changed.items()))
            for role, names in undo.roles().items()
            if (changed := {one: other for one, other in names.items() if one != other})
        },
        lay(suspect.text, reference.text, text, undone),
        pair.flows,
    )


def _where(name: str, pair: _Pair, moved: Mapping[str, Places], renames: Mapping[str, str]) -> Places:
    """Where a disguise shows: by the values, else by the syntax."""
    return moved.get(name) or places_of(name, pair.suspect.facts, pair.reference.facts, renames)


def _undo(found: Iterable[Rename], pair: _Pair) -> Undo:
    """The renames by where the name stands; of several the best supported one."""
    roles: dict[str, dict[str, str]] = {VALUES: {}, MEMBERS: {}, GLOBALS: {}, KEYWORDS: {}}
    for each in sorted(found, key=lambda each: (-each.support, each)):
        roles[each.suspect.role].setdefault(each.suspect.name, each.reference.name)
    return Undo(roles[VALUES], roles[MEMBERS], roles[GLOBALS], roles[KEYWORDS])


def _with_hints(undo: Undo, pair: _Pair, shared: Mapping[str, Mapping[str, str]]) -> Undo:
    """Add the names that stand in annotations and strings alone, of which the pair itself says nothing."""
    own = {each.suspect.name for each in pair.renames}
    own |= {word.name for word in (pair.names.ours if pair.names is not None else ())}
    words = words_of(pair.suspect.text) - own
    hints = {role: {name: names[name] for name in words & names.keys()} for role, names in shared.items()}
    return replace(
        undo,
        globals={**hints[GLOBALS], **undo.globals},
        members={**hints[MEMBERS], **undo.members},
        keywords={**hints[KEYWORDS], **undo.keywords},
    )


def _outweighed(ours: Counter[str], theirs: Counter[str]) -> set[str]:
    """Disguises that single values tell and the whole text contradicts: no more chains, fewer assignments."""
    found = set()
    if ours["chain"] <= theirs["chain"]:
        found.add("chained-call")
    if sum(ours[key] - theirs[key] for key in ("assignment", "assigned in tuples")) < 0:
        found.add("extracted-temporary")
    return found


def _is_from_config(rename: Rename, reference: Facts) -> bool:
    is_value = rename.suspect.role == VALUES and rename.reference.role == MEMBERS
    return is_value and rename.reference.name in reference.configured
