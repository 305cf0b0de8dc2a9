"""What was exported is taken in as it was, whole or not at all, and believed no more than any stranger's file."""

from __future__ import annotations

import random
import zlib
from pathlib import Path

import pytest

from detector.index.store import open_index
from detector.model import UserError
from detector.read import open_target
from detector.settings.index import MOST_EXPORT_ROW_BYTES
from tests.index_corpora import ROOT, project, read, rows, source, told

FIXTURES = ROOT / "fixtures"
SEED = 33


def _index(path: Path, *targets: Path, keep_text: bool = False) -> Path:
    for target in targets:
        with open_index(path, create=True) as index, open_target(str(target)) as repo:
            index.add(repo, keep_text=keep_text)
    return path


def _export(path: Path) -> bytes:
    with open_index(path) as index:
        index.export(path.with_suffix(".export"))
    return path.with_suffix(".export").read_bytes()


def _take_in(path: Path, data: bytes) -> list[str]:
    file = path.with_suffix(".taken")
    file.write_bytes(data)
    with open_index(path, create=True) as index:
        return [target.name for target in index.take_in(file)]


def test_an_export_that_is_taken_in_gives_the_same_export(tmp_path: Path) -> None:
    data = _export(_index(tmp_path / "a.db", FIXTURES / "original", FIXTURES / "rebadged", keep_text=True))
    assert _take_in(tmp_path / "b.db", data) == ["original", "rebadged"]
    assert _export(tmp_path / "b.db") == data
    with open_index(tmp_path / "b.db") as index, open_target(str(FIXTURES / "original")) as repo:
        assert list(index.verify()) == []
        target = index.find("original")
        assert told(index.corpus(target)) == told(read(FIXTURES / "original"))
        assert list(index.repo(target).files) == list(repo.files)
        assert index.references(read(FIXTURES / "original"))[0].name == "original"


def test_the_order_in_which_targets_were_added_does_not_show(tmp_path: Path) -> None:
    one, other = FIXTURES / "original", FIXTURES / "rebadged"
    assert _export(_index(tmp_path / "a.db", one, other)) == _export(_index(tmp_path / "b.db", other, one))


def test_an_export_joins_what_is_there_and_equal_files_are_held_once(tmp_path: Path) -> None:
    one = project(tmp_path / "one", {"a.py": source(3), "b.py": source(4)})
    other = project(tmp_path / "other", {"c.py": source(4), "d.py": source(5)})
    data = _export(_index(tmp_path / "a.db", one))
    path = _index(tmp_path / "b.db", other)
    _take_in(path, data)
    _take_in(path, data)
    assert rows(path, "SELECT count(*) FROM pack") == [(3,)]
    assert _export(path) == _export(_index(tmp_path / "c.db", one, other))


def test_what_somebody_says_of_a_file_is_looked_at_when_the_file_itself_is_there(tmp_path: Path) -> None:
    folder = project(tmp_path / "one", {"a.py": source(3)})
    _take_in(tmp_path / "b.db", _export(_index(tmp_path / "a.db", folder)))
    with open_index(tmp_path / "b.db", write=True) as index, open_target(str(folder)) as repo:
        assert index.add(repo).lowered == 1
    with open_index(tmp_path / "b.db", write=True) as index, open_target(str(folder)) as repo:
        assert index.add(repo).lowered == 0
        assert list(index.verify()) == []


def test_what_is_no_export_is_refused_and_leaves_the_index_as_it_was(tmp_path: Path) -> None:
    path = _index(tmp_path / "a.db", FIXTURES / "original")
    data = _export(path)
    generator = random.Random(SEED)
    before = rows(path, "SELECT * FROM target")
    cut = [data[: generator.randrange(len(data))] for _ in range(20)]
    flipped = []
    for _ in range(60):
        changed = bytearray(data)
        changed[generator.randrange(len(data))] ^= 1 << generator.randrange(8)
        flipped.append(bytes(changed))
    for bad in (b"", b"hello", data + b"x", *cut, *flipped):
        with pytest.raises(UserError) as error:
            _take_in(path, bad)
        assert "\n" not in str(error.value)
        assert rows(path, "SELECT * FROM target") == before
    with open_index(path) as index:
        assert list(index.verify()) == []


def test_what_an_export_says_is_checked_below_the_compression_too(tmp_path: Path) -> None:
    folder = project(tmp_path / "one", {"a.py": source(3)})
    data = _export(_index(tmp_path / "a.db", folder))
    head, _, rest = data.partition(b"\n")
    records = zlib.decompress(rest)
    generator = random.Random(SEED)
    refused = 0
    for attempt in range(150):
        changed = bytearray(records)
        changed[generator.randrange(len(records))] ^= 1 << generator.randrange(8)
        path = tmp_path / f"{attempt}.db"
        try:
            _take_in(path, head + b"\n" + zlib.compress(bytes(changed)))
        except UserError as error:
            refused += "\n" not in str(error)
            continue
        with open_index(path) as index:
            assert list(index.verify()) == []
            for target in index.targets():
                index.corpus(target)
    assert refused > 50


def test_a_record_that_is_longer_than_any_is_not_read(tmp_path: Path) -> None:
    bomb = b"h" + (MOST_EXPORT_ROW_BYTES + 1).to_bytes(4, "little")
    with pytest.raises(UserError, match="too long"):
        _take_in(tmp_path / "a.db", b"detector-index-export\n" + zlib.compress(bomb + bytes(50_000_000)))


def test_an_export_of_another_lowering_is_refused(tmp_path: Path) -> None:
    data = _export(_index(tmp_path / "a.db", FIXTURES / "original"))
    head, _, rest = data.partition(b"\n")
    other = zlib.decompress(rest).replace(b'"lowering":"', b'"lowering":"9', 1)
    other = b"h" + (int.from_bytes(other[1:5], "little") + 1).to_bytes(4, "little") + other[5:]
    with pytest.raises(UserError, match="its lowering is 9"):
        _take_in(tmp_path / "b.db", head + b"\n" + zlib.compress(other))


def test_an_export_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    path = _index(tmp_path / "a.db", FIXTURES / "original")
    with open_index(path) as index, pytest.raises(UserError, match="cannot write there"):
        index.export(tmp_path / "nowhere" / "x")
    assert [each.name for each in tmp_path.iterdir()] == ["a.db"]
