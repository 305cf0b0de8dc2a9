"""Small things that two texts share and few others have: comments, texts, numbers, misspelt words, and the same slips.

Measured:  lines of comments, docstrings and texts, numbers and misspelt words that both sides have and few of the
           background's packages; imports that both leave unused in files that correspond; locals that both never read
           and statements that neither can reach in functions that match. Bits grow with rarity and with length.
Copying:   whoever copies takes along what does nothing. Two people make the same slip, or put the same long thought in
           the same words, far less often than they write the same formula.
Innocent:  declared reuse; a third text that both took it from (a paper, a specification, an upstream project, a
           template); facts that many must write down (sizes of published models, constants of physics); one author on
           both sides.
Misses:    what was reworded or translated; single words and short numbers, left out since coincidence has them too;
           what stands in few but famous places counts as rare.
Sources:   Damerau 1964 (slips of spelling); Sparck Jones 1972 (rarity). That copied errors tell more than copied
           facts is textual criticism's rule (Lachmann; Maas 1927, section 25).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from detector.code.literals import KINDS, WORD, Literal, Literals, kind_of, scanner
from detector.code.shared_literals import FilePair, having, rarities, shared
from detector.code.slips import Slip, function_slips, unused_imports
from detector.model import Correspondence, Match, Trace
from detector.settings import (
    LEAST_TRACE_BITS,
    MOST_MISSPELLING_PACKAGES,
    MOST_SLIP_FILES,
    MOST_TOLD_PLACES,
    MOST_TRACES,
    TRACE_LINES,
)

Read = Callable[[str], bytes]
Place = tuple[str, int]  # path and line

# What says nothing of who wrote a file: licences and authors, switches of checkers, what is declared to come from
# elsewhere, imports in examples.
_SET_ASIDE = re.compile(
    r"copyright|licen[cs]e|warrant|redistribut|merchantab|all rights reserved|spdx|liabilit|disclaimer|permission"
    r"|^(?:type:|noqa|pylint|pyright|mypy|fmt:|ruff|isort|pragma|-\*-)"
    r"|\b(?:copied|adapted|adopted|taken|borrowed|modified|derived|ported|based) (?:from|on)\b"
    r"|^(?:>>> )?(?:from [\w.]+ )?import ",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"\S*(?:://|www\.)\S*")
# Letters that a line must have besides addresses and drawings.
FEWEST_LETTERS = 12
LONGEST_TEXT = 200


@dataclass(frozen=True, slots=True)
class Found:
    """One trace and what is needed to weigh it beside others."""

    trace: Trace
    key: int
    files: tuple[str, str]  # the pair that it counts for
    is_exclusive: bool = True  # no other reference has it


def find(
    suspect: Literals,
    references: Mapping[str, Literals],
    matches: Sequence[Match],
    files: Sequence[Correspondence],
    reads: Sequence[Read],
) -> tuple[Found, ...]:
    """Find the traces of every reference in the suspect, by bits.

    references: by name. matches, files: what the code has in common. reads: how to read a file of the suspect, then of
    each reference.
    """
    found: list[Found] = []
    for (name, reference), read in zip(references.items(), reads[1:], strict=True):
        both = reads[0], read
        literals = [each for pair in shared(suspect, reference) for each in _literals(pair, both, name)]
        told = [*literals, *_slips(name, matches, files, both)]
        for kind in KINDS:
            found += sorted((each for each in told if each.trace.kind == kind), key=_order)[:MOST_TRACES]
    return tuple(sorted(_exclusive(found, references), key=_order))


def _order(found: Found) -> tuple[float, str, str, str]:
    trace = found.trace
    return -round(trace.bits, 6), trace.kind, trace.text, trace.reference_name


def _exclusive(found: Sequence[Found], references: Mapping[str, Literals]) -> Iterator[Found]:
    """Tell which traces no other reference has."""
    keys = sorted({each.key for each in found})
    known = {name: having(literals, keys) for name, literals in references.items()}
    for each in found:  # slips are in no corpus: the other references have those that are found there
        known[each.trace.reference_name] |= {each.key}
    for each in found:
        others = (keys for name, keys in known.items() if name != each.trace.reference_name)
        yield Found(each.trace, each.key, each.files, not any(each.key in keys for keys in others))


# --- literals ---


def _literals(pair: FilePair, reads: tuple[Read, Read], name: str) -> Iterator[Found]:
    """The traces of two files: neighbouring literals of one kind are one, told by the strongest."""
    ours, theirs = _read(reads[0](pair.suspect), pair.keys), _read(reads[1](pair.reference), pair.keys)
    rare_ones = rarities(pair.keys)
    by_kind: defaultdict[int, list[tuple[Literal, Literal]]] = defaultdict(list)
    for key, one in ours.items():
        if key in theirs and _is_telling(one):
            by_kind[kind_of(key)].append((one, theirs[key]))
    for kind, both in by_kind.items():
        clusters = [[each] for each in both] if kind == WORD else _clusters(both)
        for cluster in clusters:
            cluster.sort(key=lambda each: (-rare_ones[each[0].key].bits, each[0].text))
            strongest = cluster[0][0]
            rare = rare_ones[strongest.key]
            if kind == WORD and rare.packages > MOST_MISSPELLING_PACKAGES:
                continue
            places = [
                tuple(dict.fromkeys((path, each[side].line) for each in cluster))[:MOST_TOLD_PLACES]
                for side, path in enumerate((pair.suspect, pair.reference))
            ]
            text = strongest.text[:LONGEST_TEXT]
            trace = Trace(KINDS[kind], text, name, rare.packages, rare.bits, places[0], places[1])
            yield Found(trace, strongest.key, (pair.suspect, pair.reference))


def _read(data: bytes, keys: frozenset[int]) -> dict[int, Literal]:
    """Each literal where it stands first."""
    found: dict[int, Literal] = {}
    for literal in scanner().read(data, keys):
        found.setdefault(literal.key, literal)
    return found


def _is_telling(literal: Literal) -> bool:
    """Whether a literal may point to its author at all."""
    if KINDS[kind_of(literal.key)] not in ("comment", "string"):
        return True
    text = _ADDRESS.sub("", literal.text)
    return sum(map(str.isalpha, text)) >= FEWEST_LETTERS and _SET_ASIDE.search(text) is None


def _clusters(both: Iterable[tuple[Literal, Literal]]) -> list[list[tuple[Literal, Literal]]]:
    """Literals that stand within a few lines of each other in both files, one after the other."""
    cells: defaultdict[tuple[int, int], list[tuple[Literal, Literal]]] = defaultdict(list)
    for one, other in both:
        cells[one.line // TRACE_LINES, other.line // TRACE_LINES].append((one, other))
    clusters = []
    while cells:
        cluster = []
        pending = [next(iter(cells))]
        while pending:
            cell = pending.pop()
            if cell in cells:
                cluster += cells.pop(cell)
                pending += [(cell[0] + down, cell[1] + across) for down in (-1, 0, 1) for across in (-1, 0, 1)]
        clusters.append(cluster)
    return clusters


# --- slips ---


def _slips(
    name: str, matches: Sequence[Match], files: Sequence[Correspondence], reads: tuple[Read, Read]
) -> Iterator[Found]:
    """Slips that both sides make at the same place, each once."""
    by_files: defaultdict[tuple[str, str], list[Match]] = defaultdict(list)
    for match in matches:
        if match.reference_name == name:
            by_files[match.suspect.path, match.reference.path].append(match)
    told: dict[int, list[tuple[Slip, Slip, tuple[str, str]]]] = {}
    pairs = [(pair.suspect_path, pair.reference_path) for pair in files if pair.reference_name == name]
    for pair in pairs[:MOST_SLIP_FILES]:
        data = reads[0](pair[0]), reads[1](pair[1])
        for one, other in (*_same_imports(pair, data), *_same_in_functions(by_files[pair], data)):
            told.setdefault(other.key, []).append((one, other, pair))
    rare_ones = rarities(told)
    for key, places in told.items():
        rare = rare_ones[key]
        if rare.bits < LEAST_TRACE_BITS:
            continue
        slip, pair = places[0][1], places[0][2]
        ours_at = tuple((paths[0], one.line) for one, _, paths in places[:MOST_TOLD_PLACES])
        theirs_at = tuple((paths[1], other.line) for _, other, paths in places[:MOST_TOLD_PLACES])
        trace = Trace(KINDS[slip.kind], slip.text[:LONGEST_TEXT], name, rare.packages, rare.bits, ours_at, theirs_at)
        yield Found(trace, key, pair)


def _same_imports(paths: tuple[str, str], data: tuple[bytes, bytes]) -> Iterator[tuple[Slip, Slip]]:
    ours = unused_imports(data[0], paths[0])
    theirs = {slip.key: slip for slip in unused_imports(data[1], paths[1])} if ours else {}
    yield from ((slip, theirs[slip.key]) for slip in ours if slip.key in theirs)


def _same_in_functions(matches: Iterable[Match], data: tuple[bytes, bytes]) -> Iterator[tuple[Slip, Slip]]:
    """Slips within matched functions: the same dead code, or a name and what it was called."""
    ours, theirs = (each.split(b"\n") for each in data)
    for match in matches:
        here = function_slips(ours, match.suspect.first_line, match.suspect.last_line)
        if not here:
            continue
        found = function_slips(theirs, match.reference.first_line, match.reference.last_line)
        there = {(slip.kind, slip.name or slip.key): slip for slip in found}
        for slip in here:
            meant = match.renames.get(slip.name, slip.name)
            other = there.get((slip.kind, meant or slip.key))
            if other is not None:
                yield slip, other
