"""The functions of one repository as hashes: what a comparison works on, whether it was read or is known already."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, groupby

import numpy as np
import numpy.typing as npt

from detector.code.shingle import Shingles, joined, mix
from detector.code.sorting import Hashes, Numbers
from detector.model import Role, Skipped, Span


@dataclass(frozen=True, slots=True)
class View:
    """Some functions of a corpus, seen another way.

    Shapes: row j of `shingles` is function number functions[j]; ascending.
    """

    shingles: Shingles
    functions: Numbers


# Bits of the hash of a run. A run is looked for among those of one function: with a hundred there, one run in 650 is
# found by chance (decision 040).
RUN_BITS = 16


@dataclass(frozen=True, slots=True)
class Runs:
    """Hashes of runs of tokens, of many functions.

    Shapes: `hashes[offsets[j]:offsets[j + 1]]` are the distinct runs of function j, ascending; of RUN_BITS bits.
    """

    hashes: npt.NDArray[np.uint16]
    offsets: Numbers


@dataclass(frozen=True, slots=True)
class Wordings:
    """What the texts of functions are compared by, without the texts.

    Shapes: one row for each function. `forms[j]` is equal for texts that differ only in names, -1 without a text;
            `texts[j]` is equal for texts that differ only in layout, comments and hints, 0 without a text.
    """

    words: Runs
    shape: Runs
    forms: Numbers
    texts: Hashes

    def take(self, functions: Numbers) -> Wordings:
        """Those of some functions."""
        words, shape = _runs_of(self.words, functions), _runs_of(self.shape, functions)
        return Wordings(words, shape, self.forms[functions], self.texts[functions])


@dataclass(frozen=True, slots=True)
class Corpus:
    """The functions of one repository, in the order of their files.

    Shapes: spans[j] and calls[j] belong to function j of `shingles`.
    """

    spans: tuple[Span, ...]
    calls: tuple[tuple[str, ...], ...]  # names of the project's own functions that each one calls
    shingles: Shingles
    expanded: View  # functions that call helpers of their own file, with those in place
    blind: View  # functions that use what their object holds, without knowing what that is
    blind_expanded: View  # both
    files: int
    skipped: tuple[Skipped, ...]
    wordings: Wordings | None = None  # where the texts are not at hand, or will not be

    @property
    def views(self) -> tuple[tuple[Shingles, Numbers], ...]:
        """The further views, as `match.weigh` takes them."""
        return tuple((view.shingles, view.functions) for view in (self.expanded, self.blind, self.blind_expanded))

    @property
    def comparable(self) -> int:
        """Functions that compute something: a bare `pass` can be found nowhere."""
        return int(np.count_nonzero(np.diff(self.shingles.offsets)))

    def digest(self, function: int) -> str:
        """Sixteen hex digits of a function's value flow: survives moved lines, renames, and temporaries.

        Stable: a sum of shingle hashes, so their order does not matter.
        """
        first, last = self.shingles.offsets[function], self.shingles.offsets[function + 1]
        return f"{int(mix(self.shingles.hashes[first:last]).sum(dtype=np.uint64)):016x}"

    def part(self, first: int, last: int) -> Corpus:
        """Functions from `first` up to, not including, `last`, as a corpus of one file."""
        chosen = np.arange(first, last)
        return Corpus(
            self.spans[first:last],
            self.calls[first:last],
            self.shingles.take(chosen),
            _part(self.expanded, first, last),
            _part(self.blind, first, last),
            _part(self.blind_expanded, first, last),
            1,
            (),
            None if self.wordings is None else self.wordings.take(chosen),
        )

    def by_file(self) -> Iterator[tuple[str, Corpus]]:
        """Each file that has functions, with these; their views need nothing of other files."""
        first = 0
        for path, spans in groupby(self.spans, key=lambda span: span.path):
            last = first + sum(1 for _ in spans)
            yield path, self.part(first, last)
            first = last

    def at(self, path: str, role: Role) -> Corpus:
        """The same functions in another place: what a file holds does not depend on where it is."""
        return replace(self, spans=tuple([replace(span, path=path, role=role) for span in self.spans]))


def worded(corpus: Corpus) -> Wordings:
    """The wordings of a corpus that is used without its texts.

    Errors: ValueError when it was read without them.
    """
    if corpus.wordings is None:
        raise ValueError("functions without texts and without wordings")
    return corpus.wordings


def assembled(parts: Sequence[Corpus]) -> Corpus:
    """The functions of several files, one after the other, as one corpus."""
    starts = np.cumsum([0, *(len(part.spans) for part in parts)])
    wordings = [part.wordings for part in parts if part.wordings is not None]
    return Corpus(
        tuple(chain.from_iterable(part.spans for part in parts)),
        tuple(chain.from_iterable(part.calls for part in parts)),
        joined([part.shingles for part in parts]),
        _joined_views([part.expanded for part in parts], starts),
        _joined_views([part.blind for part in parts], starts),
        _joined_views([part.blind_expanded for part in parts], starts),
        sum(part.files for part in parts),
        tuple(chain.from_iterable(part.skipped for part in parts)),
        joined_wordings(wordings) if len(wordings) == len(parts) else None,
    )


def spliced(corpus: Corpus, again: Corpus) -> Corpus:
    """A corpus with the functions of some of its files as they were read once more.

    again: the same functions of each of its files; their order is that of the corpus.
    """
    if not again.spans:
        return corpus
    parts: list[Corpus] = []
    first = last = 0
    changed = dict(again.by_file())
    for path, spans in groupby(corpus.spans, key=lambda span: span.path):
        begin, last = last, last + sum(1 for _ in spans)
        if path in changed:
            parts += [corpus.part(first, begin), changed[path]]
            first = last
    found = assembled([*parts, corpus.part(first, last)])
    return replace(found, files=corpus.files, skipped=corpus.skipped)


def _joined_views(views: Sequence[View], starts: Numbers) -> View:
    """starts: number of the first function of each file."""
    functions = [view.functions + start for view, start in zip(views, starts, strict=False)]
    return View(joined([view.shingles for view in views]), np.concatenate([np.zeros(0, np.int64), *functions]))


def _part(view: View, first: int, last: int) -> View:
    begin, end = np.searchsorted(view.functions, [first, last])
    return View(view.shingles.take(np.arange(begin, end)), view.functions[begin:end] - first)


def _runs_of(runs: Runs, chosen: Numbers) -> Runs:
    starts = runs.offsets[chosen]
    counts = runs.offsets[chosen + 1] - starts
    offsets = np.zeros(len(chosen) + 1, np.int64)
    np.cumsum(counts, out=offsets[1:])
    places = np.arange(offsets[-1]) + np.repeat(starts - offsets[:-1], counts)
    return Runs(runs.hashes[places], offsets)


def joined_wordings(sides: Sequence[Wordings]) -> Wordings:
    """Those of several files or sides, one after the other."""
    return Wordings(
        _joined_runs([side.words for side in sides]),
        _joined_runs([side.shape for side in sides]),
        np.concatenate([np.zeros(0, np.int64), *(side.forms for side in sides)]),
        np.concatenate([np.zeros(0, np.uint64), *(side.texts for side in sides)]),
    )


def _joined_runs(sides: Sequence[Runs]) -> Runs:
    starts = np.cumsum([0, *(len(side.hashes) for side in sides)])
    offsets = [side.offsets[:-1] + start for side, start in zip(sides, starts.tolist(), strict=False)]
    hashes = [np.zeros(0, np.uint16), *(side.hashes for side in sides)]
    return Runs(np.concatenate(hashes), np.concatenate([*offsets, starts[-1:]]))
