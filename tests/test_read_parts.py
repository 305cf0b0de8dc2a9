"""Bytes from the inside of files, wherever they are: what lies there is read once, within bounds."""

from __future__ import annotations

import errno
import io
import os
import random
import shutil
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from detector.model import Skipped
from detector.read import git as git_door
from detector.read import open_target, spool, tarred
from detector.read.listing import CannotRead
from detector.targets import Files

Git = Callable[..., str]

DATA = random.Random(8).randbytes(600_000)
MEMBERS = {
    "top/model.safetensors": DATA,
    "top/b.safetensors": DATA[::-1],
    "top/log.jsonl": DATA[5:],
    "top/setup.py": b"S",
}
PLACES = [(0, 10), (300_000, 1_000), (599_990, 100), (600_005, 3), (7, 0)]


def made_zip(path: Path, compression: int) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in MEMBERS.items():
            archive.writestr(name, data)
    return path


def made_tar(path: Path, mode: str) -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, data in MEMBERS.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


def made_git(folder: Path, git: Git) -> str:
    for name, data in MEMBERS.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "all")
    return f"{folder}@HEAD"


MAKERS: dict[str, Callable[[Path, Git], object]] = {
    "stored.zip": lambda path, _: made_zip(path, zipfile.ZIP_STORED),
    "deflated.zip": lambda path, _: made_zip(path, zipfile.ZIP_DEFLATED),
    "lzma.zip": lambda path, _: made_zip(path, zipfile.ZIP_LZMA),
    "a.tar": lambda path, _: made_tar(path, "w"),
    "a.tar.gz": lambda path, _: made_tar(path, "w:gz"),
    "a.tar.xz": lambda path, _: made_tar(path, "w:xz"),
    "repository": made_git,
}


def place(files: Files, name: str) -> str:
    return next(path for path in files.others() if path.endswith(name))


@pytest.mark.parametrize("kind", MAKERS)
def test_any_part_of_any_file_is_what_the_file_has_there(kind: str, tmp_path: Path, git: Git) -> None:
    target = MAKERS[kind](tmp_path / kind, git)
    with open_target(str(target)) as repo:
        for name, data in MEMBERS.items():
            if name.endswith(".py"):
                continue
            path = place(repo.files, name.partition("/")[2])
            for begin, size in PLACES:
                assert repo.files.part(path, begin, size) == data[begin : begin + size]
            head = repo.files.head(path, 1_000)
            assert not isinstance(head, Skipped)
            assert (head.data, head.size_bytes) == (data[:1_000], len(data))


@pytest.mark.parametrize("kind", ["stored.zip", "a.tar"])
def test_what_is_not_compressed_is_read_in_place(
    kind: str, tmp_path: Path, git: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool.Spool, "append", lambda *_: pytest.fail("it was copied"))
    monkeypatch.setattr(tarred, "MAX_HEAD_BYTES", 1_000)
    with open_target(str(MAKERS[kind](tmp_path / kind, git))) as repo:
        path = place(repo.files, "model.safetensors")
        assert repo.files.part(path, 400_000, 50) == DATA[400_000:400_050]


@pytest.mark.parametrize("kind", ["deflated.zip", "a.tar.gz", "repository"])
def test_a_file_is_unpacked_once_however_many_parts_are_read(
    kind: str, tmp_path: Path, git: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied: list[int] = []
    append = spool.Spool.append

    def counted(self: spool.Spool, stream: spool.Stream) -> tuple[int, int]:
        copied.append(stream.size_bytes)
        return append(self, stream)

    monkeypatch.setattr(spool.Spool, "append", counted)
    monkeypatch.setattr(tarred, "MAX_HEAD_BYTES", 1_000)
    passes: list[object] = []
    decompressed = tarred._decompressed

    def decompressed_again(file: Any) -> Any:
        passes.append(file)
        return decompressed(file)

    monkeypatch.setattr(tarred, "_decompressed", decompressed_again)
    with open_target(str(MAKERS[kind](tmp_path / kind, git))) as repo:
        for _ in range(3):
            for name in ("model.safetensors", "b.safetensors"):
                for begin in range(580_000, 0, -20_000):
                    assert repo.files.part(place(repo.files, name), begin, 10)
    assert copied == [len(DATA), len(DATA)]
    assert len(passes) <= 2  # the listing, and one for all files of a kind


@pytest.mark.parametrize("kind", ["deflated.zip", "a.tar.gz", "repository"])
def test_nothing_is_unpacked_for_a_beginning_and_nothing_left_at_the_end(
    kind: str, tmp_path: Path, git: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = MAKERS[kind](tmp_path / kind, git)
    empty = tmp_path / "temporary"
    empty.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(empty))
    copies: list[object] = []
    opened = spool.Spool._opened

    def counted(self: spool.Spool) -> Any:
        copies.append(self)
        return opened(self)

    monkeypatch.setattr(spool.Spool, "_opened", counted)
    with open_target(str(target)) as repo:
        path = place(repo.files, "model.safetensors")
        repo.files.head(path, 100_000)
        assert copies == []
        repo.files.part(path, 400_000, 10)
        if kind != "a.tar.gz":  # of which the beginning is long enough
            assert len(copies) == 1
    assert os.listdir(empty) == []


@pytest.mark.parametrize("kind", ["deflated.zip", "a.tar.gz", "repository"])
def test_too_small_a_disk_is_one_clear_reason(
    kind: str, tmp_path: Path, git: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tarred, "MAX_HEAD_BYTES", 1_000)
    with open_target(str(MAKERS[kind](tmp_path / kind, git))) as repo:
        path = place(repo.files, "model.safetensors")
        monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(1, 1, 0))
        found = repo.files.part(path, 400_000, 10)
        assert isinstance(found, Skipped)
        assert found.reason.startswith("no room for a temporary copy of 600,000 bytes")
        head = repo.files.head(path, 1_000)  # nothing else suffers from it
        assert not isinstance(head, Skipped)
        assert head.data == DATA[:1_000]


def test_a_disk_that_fills_up_is_one_clear_reason(tmp_path: Path, git: Git, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.BytesIO):
        def write(self, _: Any) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    with open_target(str(made_zip(tmp_path / "a.zip", zipfile.ZIP_DEFLATED))) as repo:
        monkeypatch.setattr(spool.Spool, "_opened", lambda _: Full())
        found = repo.files.part("model.safetensors", 5, 10)
    assert found == Skipped("model.safetensors", "cannot copy it to a temporary file (no space left on device)")


def test_more_than_anyone_keeps_is_not_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "MAX_SPOOLED_BYTES", 800_000)
    with open_target(str(made_zip(tmp_path / "a.zip", zipfile.ZIP_DEFLATED))) as repo:
        assert repo.files.part("model.safetensors", 5, 10) == DATA[5:15]
        found = repo.files.part("b.safetensors", 5, 10)
        assert isinstance(found, Skipped)
        assert repo.files.part("model.safetensors", 9, 10) == DATA[9:19]


def test_a_size_that_is_a_claim_ends_the_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "MAX_SPOOLED_BYTES", 1_000)
    given: list[int] = []

    def endless() -> Any:
        while True:
            given.append(1)
            yield bytes(100)

    with ExitStack() as cleanup, pytest.raises(CannotRead, match="no room"):
        spool.Spool(cleanup).append(spool.Stream(10, endless()))
    assert len(given) <= 11


def test_a_member_that_is_mostly_air_is_not_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model.safetensors", bytes(20_000_000))
    with open_target(str(tmp_path / "a.zip")) as repo:
        found = repo.files.part("model.safetensors", 10_000_000, 10)
    assert isinstance(found, Skipped)
    assert found.reason.startswith("compressed more than")


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_damaged_member_is_skipped(compression: int, tmp_path: Path) -> None:
    path = made_zip(tmp_path / "a.zip", compression)
    data = bytearray(path.read_bytes())
    data[:4] = b"XXXX"  # the header of the first member
    path.write_bytes(data)
    with open_target(str(path)) as repo:
        for _ in range(2):
            found = repo.files.part("model.safetensors", 100_000, 10)
            assert isinstance(found, Skipped)
            assert found.reason.startswith("corrupt in the archive")


def test_a_stored_member_does_not_reach_into_the_next_one(tmp_path: Path) -> None:
    path = made_zip(tmp_path / "a.zip", zipfile.ZIP_STORED)
    with open_target(str(path)) as repo:
        assert repo.files.part("b.safetensors", len(DATA) - 5, 1_000) == DATA[::-1][-5:]


def test_git_answers_other_questions_after_a_copy_that_was_refused(
    tmp_path: Path, git: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_target(made_git(tmp_path / "repository", git)) as repo:
        path = place(repo.files, "model.safetensors")
        monkeypatch.setattr(git_door, "PIECE_BYTES", 1_000)
        pieces = git_door.Database._pieces
        monkeypatch.setattr(
            git_door.Database, "_pieces", lambda self, blob: (next(pieces(self, blob)) for _ in range(1))
        )
        repo.files.part(path, 5, 10)
        assert [file.data for file in repo.files if not isinstance(file, Skipped)] == [b"S"]


def test_logs_and_foreign_checkpoints_take_no_room_from_what_others_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tarred, "MAX_ARCHIVE_OTHER_BYTES", 200_000)
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as archive:
        for name, data in {"x/a.csv": DATA, "x/b.gguf": DATA, "x/c.json": b"{}"}.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    with open_target(str(tmp_path / "a.tar.gz")) as repo:
        assert [path.rpartition("/")[2] for path in repo.files.others()] == ["a.csv", "b.gguf", "c.json"]
        assert repo.files.part(place(repo.files, "b.gguf"), 400_000, 10) == DATA[400_000:400_010]
