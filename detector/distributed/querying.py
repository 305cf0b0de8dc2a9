"""Suspects against a whole: the targets that each may come from, chosen as one index chooses them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa

from detector.code.bulk import read_corpus
from detector.code.corpus import Corpus
from detector.code.sketch import Sketches, questions
from detector.code.sorting import Numbers, distinct
from detector.distributed import asking, taking
from detector.distributed.asking import Whole
from detector.distributed.folder import Folder
from detector.distributed.layout import manifest
from detector.distributed.tasks import Mapped
from detector.index.candidates import Candidates
from detector.index.choosing import Chosen, chosen
from detector.index.records import Target
from detector.index.store import open_index
from detector.model import UserError
from detector.read import open_target
from detector.settings.index import FEWEST_SHARED_KEYS, MOST_REFERENCES, SHAPES_PER_FUNCTION
from detector.targets import Repo


def opened(address: str, mapped: Mapped) -> Whole:
    """Open partitions to ask them.

    Errors: UserError where there are none, or none that this program can read.
    """
    folder = Folder(address)
    return Whole(folder, manifest(folder), mapped)


def choose(whole: Whole, asked: Sequence[Sketches]) -> list[Chosen]:
    """For each suspect, given by the questions of its functions, what `index.choosing.choose` gives for an index."""
    ends = np.cumsum([0, *(len(each.offsets) - 1 for each in asked)])
    together = _together(asked)
    found = asking.candidates(whole, together, SHAPES_PER_FUNCTION)
    packs = asking.pairs_of(whole, "functions", distinct(found.shape[found.shared >= FEWEST_SHARED_KEYS]))
    targets = asking.pairs_of(whole, "owners", distinct(packs[1]))
    answers = []
    for first, last in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True):
        begin, end = np.searchsorted(found.function, [first, last])
        part = Candidates(found.function[begin:end] - first, found.shape[begin:end], found.shared[begin:end])
        answers.append(chosen(part, lambda keys: _those(packs, keys), lambda keys: _those(targets, keys)))
    return answers


def _together(asked: Sequence[Sketches]) -> Sketches:
    keys = np.concatenate([np.zeros(0, np.uint64), *(each.keys for each in asked)])
    lengths = np.concatenate([np.zeros(0, np.int64), *(np.diff(each.offsets) for each in asked)])
    return Sketches(keys, np.concatenate([[0], np.cumsum(lengths)]))


def _those(pairs: tuple[Numbers, Numbers], keys: Numbers) -> tuple[Numbers, Numbers]:
    kept = np.isin(pairs[0], keys)
    return pairs[0][kept], pairs[1][kept]


class Known:
    """A whole as a comparison sees an index; the targets that it asks for are taken into an index of their own."""

    def __init__(self, whole: Whole, taken: taking.Taking) -> None:
        self._whole = whole
        self._taken = taken
        self._targets: list[Target] | None = None

    def targets(self) -> list[Target]:
        """Everything that is known, by what it is called."""
        if self._targets is None:
            self._targets = taking.all_targets(self._whole)
        return self._targets

    def packages(self) -> frozenset[str]:
        """Top-level packages of all targets."""
        return frozenset().union(*(target.packages for target in self.targets()))

    def references(self, corpus: Corpus, most: int = MOST_REFERENCES) -> list[Repo]:
        """The targets that `Index.references` gives, in the same order."""
        (found,) = choose(self._whole, [questions(corpus)])
        return self.repos(found, most)

    def repos(self, found: Chosen, most: int = MOST_REFERENCES) -> list[Repo]:
        """Targets that were chosen, as repositories."""
        self._taken.take(found.targets[:most])
        index, led = self._taken.index, self._taken.led(found.packs)
        chosen_targets = [self._taken.targets[number] for number in found.targets[:most]]
        return [index.repo(each, index.nearest(each, led)) for each in chosen_targets]


@contextmanager
def known(address: str, mapped: Mapped) -> Iterator[Known]:
    """Open partitions for a comparison."""
    whole = opened(address, mapped)
    with TemporaryDirectory(prefix="detector-") as name, open_index(Path(name) / "taken.db", create=True) as index:
        yield Known(whole, taking.Taking(whole, index))


# --- suspects by what they are called ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Answer:
    """What a whole has of one suspect."""

    suspect: str  # as it was named
    functions: int
    why: str  # it could not be read; "" if it was
    found: Chosen

    @property
    def targets(self) -> tuple[int, ...]:
        """Those with most of it first."""
        return self.found.targets


def query(whole: Whole, suspects: Sequence[str], most: int = MOST_REFERENCES) -> list[Answer]:
    """Read suspects, as many at once as there are tasks, and choose for each the targets that it may come from."""
    read = _read_all(whole, suspects)
    found = choose(whole, [sketches for _, sketches, _ in read])
    return [
        Answer(name, functions, why, Chosen(each.targets[:most], each.packs))
        for name, (functions, _, why), each in zip(suspects, read, found, strict=True)
    ]


def extract(whole: Whole, answers: Sequence[Answer], path: Path) -> int:
    """Put the targets of answers into an index, in the order in which they are named; gives how many there are now."""
    with open_index(path, create=True) as index:
        if index.targets():
            raise UserError(f"{path}: holds targets already: name an index that is not there yet")
        taken = taking.Taking(whole, index)
        for answer in answers:
            taken.take(answer.targets)
        index.settle()
        return len(taken.targets)


def names(whole: Whole, answers: Sequence[Answer]) -> Mapping[int, Target]:
    """The targets of answers, by their numbers."""
    return taking.targets_of(whole, [number for answer in answers for number in answer.targets])


def _read_all(whole: Whole, suspects: Sequence[str]) -> list[tuple[int, Sketches, str]]:
    orders = [pa.table({"number": [number], "target": [name]}) for number, name in enumerate(suspects)]
    found: dict[int, tuple[int, Sketches, str]] = {}
    for part in asking.mapped(whole, _read, orders):
        values: list[dict[str, Any]] = part.select(["number", "functions", "why"]).to_pylist()
        for place, row in enumerate(values):
            keys, offsets = asking.lists(part.slice(place, 1), "keys"), asking.lists(part.slice(place, 1), "offsets")
            found[row["number"]] = row["functions"], Sketches(keys[0].astype(np.uint64), offsets[0]), row["why"]
    return [found[number] for number in range(len(suspects))]


def _read(table: pa.Table) -> pa.Table:
    """Tasks: lower a suspect, and sketch what is asked of it."""
    parts = []
    for row in table.to_pylist():
        why, functions, asked = "", 0, Sketches(np.zeros(0, np.uint64), np.zeros(1, np.int64))
        try:
            with open_target(row["target"]) as repo:
                corpus = read_corpus(repo.files, repo.files.paths())
            functions, asked = len(corpus.spans), questions(corpus)
        except UserError as error:
            why = str(error)
        columns = asking.row(keys=asked.keys.astype(np.int64), offsets=asked.offsets)
        for name, value in (("number", row["number"]), ("functions", functions), ("why", why)):
            columns = columns.append_column(name, pa.array([value]))
        parts.append(columns)
    return pa.concat_tables(parts)
