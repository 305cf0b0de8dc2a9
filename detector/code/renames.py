"""Which name of the suspect stands for which name of the reference.

Three things speak for a pair of names: the values that they stand for, the places where they stand, and what other
functions of the two projects say of them. Only names that are each other's best, with a clear lead over every rival,
are told: a wrong name is worse than none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detector.code.alignment import Alignment, spelling
from detector.code.flooding import Matrix
from detector.code.lowering.labels import API_NAMES
from detector.code.named import GLOBALS, KEYWORDS, MEMBERS, VALUES
from detector.code.textwise import Tokens, Word, beside, words_of
from detector.code.traced import Name

# The figures below were chosen on packages of which every name was changed at random and the text rewritten besides
# (`docs/decisions/022-names-by-their-places.md`); precision and recall hardly move within a third of each.

# The least likeness of a pair of names that is told, and its lead over each rival.
LEAST_LIKENESS, LEAST_LEAD = 0.25, 1.25
# The same for those that are told by their values alone, before the texts are laid beside each other.
ANCHOR_LIKENESS, ANCHOR_LEAD = 0.5, 1.5
# Then texts are aligned this many times, each time by the names that the last time told.
ROUNDS = 2
# What a name is worth that stands in the same place everywhere; one that is told keeps half of it.
PLACE_WEIGHT, KEPT_PLACE = 0.8, 0.5
# A value that became an attribute, or a method that became a function.
OTHER_ROLE = 0.6
# A name of at least this many letters that both sides have is more likely kept than given to another value.
LEAST_TELLING, KEPT_ELSEWHERE = 4, 0.5
# Keywords are named like the parameters that they reach, which tell more.
LEAST_KEYWORD = 0.6

# What other functions say of a pair: it adds at most so much and multiplies by at most so much more; half of it where
# one function agrees. They count this much where they use the names in other roles. A rival within the lead silences
# them; what they say of others counts against names that are the project's own.
MOST_KNOWN, MOST_KNOWN_FACTOR, KNOWN_IN_OTHER_ROLES, KNOWN_LEAD = 0.6, 0.5, 0.3, 1.5
CONTRADICTED = 0.5
# What is left of sums that cancel out.
NOTHING = 1e-6
# How much the names of a function and of its class are supported by the match itself.
TITLE_SUPPORT = 2.0

_ROLES = {
    "parameter": (VALUES,), "local": (VALUES,), "own": (MEMBERS,), "attribute": (MEMBERS,), "global": (GLOBALS,),
    "keyword": (KEYWORDS,), "callee": (MEMBERS, GLOBALS, VALUES),
}  # fmt: skip
# Only a keyword is never anything else.
_ROLE_NUMBERS = {VALUES: 0, GLOBALS: 1, MEMBERS: 2, KEYWORDS: 3}
_FITS = np.full((4, 4), OTHER_ROLE, np.float32)
_FITS[3, :] = _FITS[:, 3] = 0.0
np.fill_diagonal(_FITS, 1.0)


@dataclass(frozen=True, slots=True, order=True)
class Rename:
    """A name of the suspect, its counterpart, and how well that is supported."""

    suspect: Word
    reference: Word
    support: float


# One function's own say: names and roles on either side -> support.
Votes = Mapping[tuple[Word, Word], float]


class Known:
    """What pairs of functions say of names."""

    def __init__(self) -> None:
        self.support: dict[str, dict[str, dict[tuple[str, str], float]]] = {}  # suspect, reference, roles -> support

    def add(self, votes: Votes) -> None:
        """Count what one pair of functions says."""
        for (one, other), support in votes.items():
            roles = self.support.setdefault(one.name, {}).setdefault(other.name, {})
            roles[one.role, other.role] = roles.get((one.role, other.role), 0.0) + support

    def of(self, one: Word, other: Word, own: Votes) -> float:
        """What all pairs of functions but one's own say."""
        counterparts = self.support.get(one.name)
        if counterparts is None or other.name not in counterparts:
            return 0.0
        total = 0.0
        for roles, support in counterparts[other.name].items():
            rest = support - own.get((Word(roles[0], one.name), Word(roles[1], other.name)), 0.0)
            total += rest * (1.0 if roles == (one.role, other.role) else KNOWN_IN_OTHER_ROLES)
        return total if total > NOTHING else 0.0

    def clear(self, role: str) -> dict[str, str]:
        """Names that stand for one thing in a role, whoever uses them: with the usual lead over every other."""
        found: dict[str, str] = {}
        for name, counterparts in self.support.items():
            support = sorted(
                ((roles[role, role], other) for other, roles in counterparts.items() if (role, role) in roles),
                reverse=True,
            )
            if support and support[0][0] >= KNOWN_LEAD * sum(each for each, _ in support[1:2]):
                found[name] = support[0][1]
        return found


class Names:
    """All names of a pair of functions, and what the pair itself says of them.

    Shapes: every matrix is (names of the suspect, names of the reference).
    """

    def __init__(self, alignment: Alignment | None, suspect: Tokens, reference: Tokens) -> None:
        self.texts = suspect, reference
        self.ours, self.theirs = list(words_of(suspect)), list(words_of(reference))
        self._rows = {word: row for row, word in enumerate(self.ours)}
        self._columns = {word: column for column, word in enumerate(self.theirs)}
        self.fits, self.kept = self._fits(), self._kept()
        self.flow = self._flow(alignment) * self.fits * self.kept

    def _fits(self) -> Matrix:
        """How well two roles go together; another operation of a library is no other name."""
        roles = [np.array([_ROLE_NUMBERS[word.role] for word in side], int) for side in (self.ours, self.theirs)]
        fits = _FITS[roles[0][:, None], roles[1][None, :]]
        api = [np.array([word.name in API_NAMES for word in side], bool) for side in (self.ours, self.theirs)]
        is_operation = [side & (role >= _ROLE_NUMBERS[MEMBERS]) for side, role in zip(api, roles, strict=True)]
        other = is_operation[0][:, None] & is_operation[1][None, :] & self._differ()
        found: Matrix = np.where(other, np.float32(0.0), fits)
        return found

    def _differ(self) -> npt.NDArray[np.bool_]:
        numbers: dict[str, int] = {}
        ours, theirs = [
            np.array([numbers.setdefault(word.name, len(numbers)) for word in side], int)
            for side in (self.ours, self.theirs)
        ]
        differ: npt.NDArray[np.bool_] = ours[:, None] != theirs[None, :]
        return differ

    def _flow(self, alignment: Alignment | None) -> Matrix:
        scores = np.zeros((len(self.ours), len(self.theirs)), np.float32)
        if alignment is None:
            return scores
        rows = [_places(name, self._rows) for name in alignment.suspect]
        columns = [_places(name, self._columns) for name in alignment.reference]
        for i, j in np.argwhere(alignment.scores > 0).tolist():
            for row in rows[i]:
                for column in columns[j]:
                    scores[row, column] = max(scores[row, column], alignment.scores[i, j])
        return scores

    def _kept(self) -> Matrix:
        """Less for different names one of which, a telling one, is written on both sides: it is more likely itself."""
        both = {word.name for word in self.ours} & {word.name for word in self.theirs}
        ours, theirs = [
            np.array([len(word.name) >= LEAST_TELLING and word.name in both for word in side], bool)
            for side in (self.ours, self.theirs)
        ]
        displaced = (ours[:, None] | theirs[None, :]) & self._differ()
        return np.where(displaced, np.float32(KEPT_ELSEWHERE), np.float32(1.0))

    def in_places(self, told: Mapping[Word, Word]) -> Matrix:
        """What the places say when these names have their counterparts."""
        scores = np.zeros((len(self.ours), len(self.theirs)), np.float32)
        for (one, other), share in beside(*self.texts, told).items():
            if one not in self._rows or other not in self._columns:
                continue
            scores[self._rows[one], self._columns[other]] = share * spelling(one.name, other.name)
        for one, other in told.items():
            place = self._rows[one], self._columns[other]
            scores[place] = max(scores[place], KEPT_PLACE)
        return scores * self.fits * self.kept

    def known(self, known: Known, own: Votes) -> tuple[Matrix, Matrix]:
        """What other functions add to each pair, and what they multiply it with."""
        support = np.zeros((len(self.ours), len(self.theirs)), np.float32)
        for row, one in enumerate(self.ours):
            if one.name in known.support:
                for column in np.flatnonzero(self.fits[row]).tolist():
                    support[row, column] = known.of(one, self.theirs[column], own)
        rivals = np.maximum(_best_other(support, 1), _best_other(support, 0))
        is_clear = (support > 0) & (support >= KNOWN_LEAD * rivals)
        share = np.where(is_clear, support / (support + 1.0), np.float32(0.0))
        shared = [np.array([word.role != VALUES for word in side], bool) for side in (self.ours, self.theirs)]
        is_against = shared[0][:, None] & shared[1][None, :] & (rivals > 0) & (rivals >= 2 * support)
        factor = np.where(is_against, CONTRADICTED, 1.0 + MOST_KNOWN_FACTOR * share).astype(np.float32)
        added = MOST_KNOWN * share * np.sqrt(self.fits) * self.kept
        return added.astype(np.float32), factor


def settle(names: Names, known: Known | None = None, own: Votes | None = None) -> list[Rename]:
    """Pair the names of two functions as far as they are clear.

    known: what all pairs of functions say, this one included. own: what this one says.
    """
    if not names.ours or not names.theirs:
        return []
    added, factor = np.float32(0.0), np.float32(1.0)
    if known is not None and own is not None:
        added, factor = names.known(known, own)  # type: ignore[assignment]
    pairs = clear_pairs(names.flow * factor, ANCHOR_LIKENESS, ANCHOR_LEAD)
    for _ in range(ROUNDS):
        told = {names.ours[row]: names.theirs[column] for row, column in pairs}
        scores = (names.flow + PLACE_WEIGHT * names.in_places(told)) * factor + added
        pairs = clear_pairs(scores, LEAST_LIKENESS, LEAST_LEAD)
    found = (Rename(names.ours[row], names.theirs[column], float(scores[row, column])) for row, column in pairs)
    return [each for each in found if _is_told(each)]


def _is_told(rename: Rename) -> bool:
    is_same = rename.suspect.name == rename.reference.name
    return is_same or rename.suspect.role != KEYWORDS or rename.support >= LEAST_KEYWORD


def _places(name: Name, words: Mapping[Word, int]) -> list[int]:
    return [words[word] for role in _ROLES[name.kind] if (word := Word(role, name.name)) in words]


def _best_other(scores: Matrix, axis: int) -> Matrix:
    """The best of each row (column) besides the element itself."""
    if scores.shape[axis] < 2:
        return np.zeros_like(scores)
    two = np.partition(scores, -2, axis=axis)
    best, second = np.take(two, [-1], axis=axis), np.take(two, [-2], axis=axis)
    other: Matrix = np.where(scores == best, second, best)
    return other


def clear_pairs(scores: Matrix | npt.NDArray[np.float64], least: float, lead: float) -> list[tuple[int, int]]:
    """Pairs that are each other's best with a clear lead; each pair taken makes room for the next.

    Ties: none is taken.
    """
    left = scores.copy()
    found: list[tuple[int, int]] = []
    while left.size:
        best = left.max(axis=1)
        taken: list[tuple[int, int]] = []
        for row in np.flatnonzero(best >= least).tolist():
            column = int(left[row].argmax())
            score = left[row, column]
            if left[:, column].max() > score:
                continue
            if score >= lead * max(_second(left[row]), _second(left[:, column])):
                taken.append((row, column))
        if not taken:
            break
        for row, column in taken:
            left[row, :] = 0.0
            left[:, column] = 0.0
        found += taken
    return found


def _second(values: npt.NDArray[np.floating]) -> float:
    return float(np.partition(values, -2)[-2]) if len(values) > 1 else 0.0


def titles(suspect: Sequence[str], reference: Sequence[str]) -> Iterator[Rename]:
    """What two functions and their classes are called; "" where there is no class."""
    for one, other in zip(suspect, reference, strict=True):
        if one and other:
            for role in (GLOBALS, MEMBERS):
                yield Rename(Word(role, one), Word(role, other), TITLE_SUPPORT)


def votes(renames: Iterable[Rename]) -> Votes:
    """What a pair of functions says by these."""
    found: defaultdict[tuple[Word, Word], float] = defaultdict(float)
    for each in renames:
        found[each.suspect, each.reference] += each.support
    return found


def merge_names(found: Iterable[Rename]) -> dict[str, str]:
    """One counterpart for each plain name: the better supported one; names that changed come first.

    Ties: by name, so that the same pairs always give the same map.
    """
    support: defaultdict[tuple[str, str], float] = defaultdict(float)
    for rename in found:
        support[rename.suspect.name, rename.reference.name] += rename.support
    best: dict[str, str] = {}
    for (name, counterpart), _ in sorted(support.items(), key=lambda entry: (-entry[1], entry[0])):
        best.setdefault(name, counterpart)
    return dict(sorted(best.items(), key=lambda entry: (entry[0] == entry[1], entry)))
