"""What a hook asks of an index and of two functions: where it meets the store, the postings and the scores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from detector.code import nearby as light
from detector.code.clone_types import of_wordings
from detector.code.corpus import Corpus
from detector.code.sketch import questions
from detector.code.sorting import Hashes, Numbers
from detector.index.candidates import candidates
from detector.index.store import Index, open_index
from detector.model import Basis, CloneType, Role
from detector.settings.hook import MANY_FUNCTIONS


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

    def pack(self, number: int, path: str, role: Role) -> Corpus:
        """The functions of one file, in a place where it stands."""

    def frequent(self, target: Target) -> tuple[Hashes, Numbers]:
        """Shingles that many functions of a target have, and how many have each."""


class _Opened:
    """An index as a hook asks it."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._targets = {target.number: target for target in index.targets()}

    def targets(self) -> Sequence[Target]:
        return list(self._targets.values())

    def candidates(self, corpus: Corpus, functions: Sequence[int], most: int) -> Sequence[tuple[int, int, int]]:
        chosen = np.array(functions, np.int64)
        found = candidates(self._index.connection, questions(corpus, chosen), most)
        numbers = chosen[found.function]
        return list(zip(numbers.tolist(), found.shape.tolist(), found.shared.tolist(), strict=True))

    def places(self, shapes: Sequence[int]) -> Sequence[Place]:
        return self._index.places(np.array(shapes, np.int64))

    def pack(self, number: int, path: str, role: Role) -> Corpus:
        return self._index.pack(number, path, role)

    def frequent(self, target: Target) -> tuple[Hashes, Numbers]:
        return self._index.frequent(self._targets[target.number])


@contextmanager
def open_known(path: Path) -> Iterator[Known]:
    """Open an index to read it."""
    with open_index(path) as index:
        yield _Opened(index)


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


def screened(ours: Corpus, theirs: Corpus, pairs: Sequence[tuple[int, int]]) -> list[float]:
    """How alike the functions of each pair are, whatever target the other one is of: overlap x bits.

    What a target repeats is not known here, which makes pairs stronger than they are, never weaker.
    """
    found = light.screened(ours, theirs, _numbered(pairs), MANY_FUNCTIONS)
    scores = (found.overlap * found.shared).tolist()
    known = dict(zip(zip(found.suspect.tolist(), found.reference.tolist(), strict=True), scores, strict=True))
    return [known[pair] for pair in pairs]


def scored(
    ours: Corpus, theirs: Corpus, pairs: Sequence[tuple[int, int]], frequent: tuple[Hashes, Numbers], functions: int
) -> list[Scored]:
    """Score pairs of functions; for each function of ours that is believed to have one, its counterpart.

    frequent, functions: of the target, as `code.nearby` takes them.
    """
    found = light.nearby(ours, theirs, _numbered(pairs), frequent, functions)
    chosen = found.chosen[found.is_believed]
    return [
        Scored(
            int(found.pairs.suspect[place]),
            int(found.pairs.reference[place]),
            float(found.similarity[place]),
            float(found.pairs.overlap[place]),
            float(found.pairs.containment[place]),
            float(found.pairs.shared[place]),
            float(found.pairs.own[place]),
            float(found.rates[place]),
            found.bases[place] or Basis.ALONE,
        )
        for place in chosen.tolist()
    ]


def _numbered(pairs: Sequence[tuple[int, int]]) -> tuple[Numbers, Numbers]:
    numbers = np.array(pairs, np.int64).reshape(-1, 2)
    return numbers[:, 0], numbers[:, 1]


def clone_type(ours: Corpus, function: int, theirs: Corpus, reference: int) -> CloneType:
    """How the texts differ, as far as their wordings tell."""
    if ours.wordings is None or theirs.wordings is None:
        return CloneType.EDITED
    one, other = ours.wordings.take(np.array([function])), theirs.wordings.take(np.array([reference]))
    return of_wordings(one, other)[0]


def background_packages() -> int:
    """Of how many packages the background is made."""
    from detector.code.background import background

    return background().packages


def least_coincidence() -> float:
    """The lowest rate that was measured."""
    from detector.code.null import null

    return float(null().rates.min())
