"""A suspect held against references of different names: only what imports them is read again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from detector.code import bulk, held
from detector.code.bulk import Reading, read_corpus
from detector.code.corpus import Corpus
from detector.code.held import Held
from detector.model import Role, Skipped
from detector.targets import SourceFile
from tests.repositories import ANNEAL, BEAMS, WARP, InMemory

USING = """
from {0} import gather

def using(x, rows):
    return gather(x, rows, 3).sqrt() + rows
"""
FILES = {
    "mine/__init__.py": "",
    "mine/a.py": WARP,
    "mine/b.py": USING.format("heron.ops"),
    "mine/c.py": USING.format("kestrel.ops") + BEAMS,
    "mine/d.py": ANNEAL + USING.format("mine.own"),
    "mine/e.py": USING.format("torch.ops"),
}
SETS = [
    frozenset(),
    frozenset({"heron"}),
    frozenset({"kestrel"}),
    frozenset({"heron", "kestrel"}),
    frozenset({"torch"}),
]


def _told(corpus: Corpus) -> list[object]:
    views = [each for view in corpus.views for each in (view[0].hashes, view[0].offsets, view[1])]
    arrays = [corpus.shingles.hashes, corpus.shingles.offsets, *views]
    return [corpus.spans, corpus.calls, corpus.files, corpus.skipped, *(array.tolist() for array in arrays)]


@pytest.mark.parametrize("first", SETS, ids=sorted)
def test_what_is_held_against_a_reference_is_what_would_be_read_for_it_alone(first: frozenset[str]) -> None:
    files = InMemory(FILES)
    mine = Held(files, first, SETS)
    for packages in SETS:
        alone = read_corpus(files, files.paths(), compared=packages - {"torch"})
        assert _told(mine.against(packages)) == _told(alone)


def test_only_files_that_import_the_other_are_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    read = bulk.read

    def watched(*given: object, **named: object) -> Reading:
        seen.append(given[2])  # type: ignore[arg-type]
        return read(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(held, "read", watched)
    mine = Held(InMemory(FILES), SETS[1], SETS)
    assert mine.against(SETS[1]) is mine.corpus
    mine.against(SETS[2])
    assert mine.against(SETS[4]) is mine.against(SETS[0])
    assert mine.against(SETS[2]) is mine.against(SETS[2])
    assert seen == [len(FILES), 2, 1]


def test_held_against_one_reference_nothing_is_asked_and_nothing_read_again() -> None:
    mine = Held(InMemory(FILES), SETS[1], [SETS[1], SETS[1] | {"torch"}])
    assert mine.imports == {}
    assert mine.against(SETS[1]) is mine.corpus


def test_names_of_the_suspect_itself_are_never_foreign() -> None:
    mine = Held(InMemory(FILES), frozenset({"mine", "heron"}))
    assert mine.local(frozenset({"mine", "heron", "torch"})) == {"mine", "heron"}


def test_roles_stay_when_a_file_is_read_again() -> None:
    class Tests(InMemory):
        def __iter__(self) -> Iterator[SourceFile | Skipped]:
            return (SourceFile(path, self.read(path), Role.TEST) for path in self.paths())

    mine = Held(Tests({"tests/test_x.py": USING.format("heron")}), frozenset(), SETS)
    (span,) = mine.against(SETS[1]).spans
    assert span.role is mine.corpus.spans[0].role is Role.TEST
