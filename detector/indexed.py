"""What a hook asks of an index and of two functions: where it meets the store, the postings and the scores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from detector.code.bulk import read_corpus
from detector.code.corpus import Corpus
from detector.code.sorting import Hashes, Numbers
from detector.model import Basis, CloneType, Role, UserError
from detector.settings import REPORT_SCORE
from detector.settings.hook import SCREENED_PART
from detector.targets import SourceFile

if TYPE_CHECKING:
    from detector.code.match import Pairs, Weighted


class Target(Protocol):
    """What was added to an index."""

    @property
    def number(self) -> int: ...
    @property
    def target(self) -> str:
        """As it was named."""

    @property
    def name(self) -> str: ...
    @property
    def revision(self) -> str: ...
    @property
    def licence(self) -> str:
        """An SPDX expression, or ""."""

    @property
    def packages(self) -> frozenset[str]:
        """Its top-level packages."""

    @property
    def called(self) -> frozenset[str]:
        """Names by which others call it."""

    @property
    def addresses(self) -> frozenset[str]:
        """Owner and name, as hosting sites have them."""

    @property
    def functions(self) -> int: ...
    @property
    def files(self) -> int: ...


class Place(Protocol):
    """Where a shape stands: a function of a pack, and a file with that pack."""

    @property
    def shape(self) -> int: ...
    @property
    def target(self) -> Target: ...
    @property
    def path(self) -> str: ...
    @property
    def role(self) -> Role: ...
    @property
    def pack(self) -> int: ...
    @property
    def function(self) -> int: ...
    @property
    def revision(self) -> str: ...


class Known(Protocol):
    """An open index."""

    def targets(self) -> Sequence[Target]:
        """Everything that was added to it."""

    def candidates(self, corpus: Corpus, functions: Sequence[int], most: int) -> Sequence[tuple[int, int, int]]:
        """Function, shape and shared keys: of each of the functions the `most` shapes that share most."""

    def places(self, shapes: Sequence[int]) -> Sequence[Place]:
        """Where shapes stand."""

    def pack(self, number: int) -> Corpus:
        """The functions of one file."""

    def frequent(self, target: Target) -> tuple[Hashes, Numbers]:
        """Shingles that many functions of a target have, and how many have each."""


@contextmanager
def open_known(path: Path) -> Iterator[Known]:
    """Open an index to read it."""
    raise UserError(f"{path}: indexes cannot be read in this version")
    yield


@dataclass(frozen=True, slots=True)
class Scored:
    """A pair of functions that coincidence does not explain."""

    function: int
    reference: int
    similarity: float
    overlap: float
    containment: float
    bits: float
    own_bits: float
    rate: float  # the share of unrelated functions that have such a match
    basis: Basis


def lowered(
    files: Sequence[SourceFile], local: frozenset[str], asked: frozenset[str] = frozenset()
) -> tuple[Corpus, dict[str, frozenset[str]]]:
    """The functions of some files, and which of the names that are asked for each file imports."""
    return read_corpus(files, (), compared=local), {}


def screened(ours: Corpus, theirs: Corpus, pairs: Sequence[tuple[int, int]]) -> list[bool]:
    """Which pairs may stand on their own, whatever target the other function is of.

    What a target repeats is not known here, which makes pairs stronger than they are, never weaker.
    """
    found = _weighed(ours, theirs, pairs)[0]
    is_alike: list[bool] = (found.overlap * found.shared >= SCREENED_PART * REPORT_SCORE).tolist()
    return is_alike


def scored(
    ours: Corpus, theirs: Corpus, pairs: Sequence[tuple[int, int]], frequent: tuple[Hashes, Numbers], functions: int
) -> list[Scored]:
    """Score pairs of functions; for each function of ours that is believed to have one, its counterpart."""
    from detector.code.link import believe, scores
    from detector.code.null import null

    found, sides = _weighed(ours, theirs, pairs)
    best: dict[int, int] = {}
    for place, function in enumerate(found.suspect.tolist()):
        if function not in best or found.overlap[place] > found.overlap[best[function]]:
            best[function] = place
    chosen = found.take(np.array(sorted(best.values())))
    belief = believe(chosen, np.zeros(len(chosen.suspect)), ours.spans, theirs.spans, *sides)
    rates = null().rate(scores(chosen))
    return [
        Scored(
            int(chosen.suspect[i]),
            int(chosen.reference[i]),
            float(chosen.overlap[i]),
            float(chosen.overlap[i]),
            float(chosen.containment[i]),
            float(chosen.shared[i]),
            float(chosen.own[i]),
            float(rates[i]),
            belief.bases[i],
        )
        for i in range(len(chosen.suspect))
        if belief.is_believed[i]
    ]


def _weighed(ours: Corpus, theirs: Corpus, pairs: Sequence[tuple[int, int]]) -> tuple[Pairs, list[Weighted]]:
    from detector.code.callgraph import callees
    from detector.code.match import score, weigh

    calls = [callees(corpus.spans, corpus.calls) for corpus in (ours, theirs)]
    sides, weights = weigh([ours.shingles, theirs.shingles], calls, [ours.views, theirs.views])
    return score(sides[0], sides[1], weights, np.array([a for a, _ in pairs]), np.array([b for _, b in pairs])), sides


def clone_type(ours: Corpus, function: int, theirs: Corpus, reference: int) -> CloneType:
    """How the texts differ, as far as their wordings tell."""
    if ours.wordings is None or theirs.wordings is None:
        return CloneType.EDITED
    texts = ours.wordings.texts[function], theirs.wordings.texts[reference]
    if texts[0] and texts[0] == texts[1]:
        return CloneType.LAYOUT
    forms = ours.wordings.forms[function], theirs.wordings.forms[reference]
    return CloneType.RENAMED if forms[0] >= 0 and forms[0] == forms[1] else CloneType.EDITED


def background_packages() -> int:
    """Of how many packages the background is made."""
    from detector.code.background import background

    return background().packages


def least_coincidence() -> float:
    """The lowest rate that was measured."""
    from detector.code.null import null

    return float(null().rates.min())
