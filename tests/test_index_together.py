"""Several processes at one index, and processes that end in the middle."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from detector.index import opening
from detector.index.store import open_index
from detector.model import UserError
from detector.read import open_target
from tests.index_corpora import ROOT, project, read, run, source, told

SEED = 33


@pytest.fixture
def targets(tmp_path: Path) -> list[Path]:
    """Small projects that share some files."""
    return [
        project(tmp_path / f"p{number}", {"a.py": source(*range(3, 40)), "b.py": source(number + 100)})
        for number in range(6)
    ]


def test_a_process_that_is_killed_while_adding_leaves_what_was_committed(tmp_path: Path, targets: list[Path]) -> None:
    generator = random.Random(SEED)
    expected = {str(target): told(read(target)) for target in targets}
    for attempt in range(6):
        path = tmp_path / f"{attempt}.db"
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.killed_adding", str(path), *map(str, targets)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(generator.uniform(0, 0.4))
        process.send_signal(signal.SIGKILL)
        told_as_added = process.stdout.read().splitlines()
        process.wait()
        process.stdout.close()
        if not path.exists():
            assert told_as_added == []
            continue
        with open_index(path) as index:
            assert list(index.verify()) == []
            found = [target.target for target in index.targets()]
            # The last one may have been committed, and not yet told.
            assert found in (told_as_added, [str(target) for target in targets[: len(told_as_added) + 1]])
            assert {target.target: told(index.corpus(target)) for target in index.targets()} == {
                name: expected[name] for name in found
            }


def test_readers_see_the_state_before_while_a_writer_writes(tmp_path: Path, targets: list[Path]) -> None:
    path = tmp_path / "i.db"
    with open_index(path, create=True) as writer, open_target(str(targets[0])) as repo:
        writer.add(repo)
        with open_index(path) as reader:
            with opening.transaction(writer.connection):
                writer.connection.execute("DELETE FROM target")
                assert [target.name for target in reader.targets()] == ["p0"]
                assert told(reader.corpus(reader.targets()[0])) == told(read(targets[0]))
            assert reader.targets() == []


def test_a_reader_that_has_begun_does_not_see_what_is_added_meanwhile_in_half(
    tmp_path: Path, targets: list[Path]
) -> None:
    path = tmp_path / "i.db"
    process = subprocess.Popen([sys.executable, "-m", "tests.killed_adding", path, *targets], cwd=ROOT, stdout=-1)
    while process.poll() is None:
        if path.exists():
            with open_index(path) as index:
                assert list(index.verify(is_quick=True)) == []
    process.communicate()
    with open_index(path) as index:
        assert len(index.targets()) == len(targets)


def test_two_that_add_at_once_both_do(tmp_path: Path, targets: list[Path]) -> None:
    path = tmp_path / "i.db"
    halves = [targets[:3], targets[3:]]
    running = [
        subprocess.Popen([sys.executable, "-m", "tests.killed_adding", path, *half], cwd=ROOT, stdout=-1)
        for half in halves
    ]
    assert [process.communicate() and process.returncode for process in running] == [0, 0]
    with open_index(path) as index:
        assert [target.name for target in index.targets()] == [f"p{number}" for number in range(6)]
        assert list(index.verify()) == []
    assert os.listdir(tmp_path).count("i.db-wal") == 0


def test_a_second_writer_waits_says_so_and_then_gives_up_clearly(
    tmp_path: Path, targets: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "TELL_WAITING_SECONDS", 0.01)
    monkeypatch.setattr(opening, "WRITER_SECONDS", 0.02)
    said: list[str] = []
    path = tmp_path / "i.db"
    with (
        open_index(path, create=True) as first,
        opening.transaction(first.connection),
        pytest.raises(UserError, match="another process is writing") as error,
    ):
        _add(path, targets[0], said)
    assert "\n" not in str(error.value)
    assert said == ["waiting for another process that writes to the index"]


def test_two_that_make_an_index_at_once_make_one(tmp_path: Path) -> None:
    with open_index(tmp_path / "i.db", create=True) as first:
        opening._put(Path(_new(tmp_path)), tmp_path / "i.db")
        assert first.targets() == []
    with open_index(tmp_path / "i.db") as index:
        assert index.targets() == []


def _new(folder: Path) -> Path:
    with open_index(folder / "other.db", create=True):
        pass
    return folder / "other.db"


def test_what_fails_in_the_middle_of_adding_leaves_the_index_as_it_was(
    tmp_path: Path, targets: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "i.db"
    with open_index(path, create=True) as index, open_target(str(targets[0])) as repo:
        index.add(repo)
        index.export(tmp_path / "before")
    for error in (KeyboardInterrupt, MemoryError, sqlite3.OperationalError):

        def fail(*_: object, error: type[BaseException] = error) -> None:
            raise error("in the middle")

        monkeypatch.setattr("detector.index.adding.put_places", fail)
        with pytest.raises((KeyboardInterrupt, MemoryError, UserError)):
            _add(path, targets[1])
    with open_index(path) as index:
        assert list(index.verify()) == []
        index.export(tmp_path / "after")
    assert (tmp_path / "after").read_bytes() == (tmp_path / "before").read_bytes()


def _add(path: Path, target: Path, said: list[str] | None = None) -> None:
    with open_index(path, write=True) as index, open_target(str(target)) as repo:
        index.add(repo, tell=None if said is None else said.append)


def test_one_target_that_fails_is_told_and_the_others_are_added(tmp_path: Path, targets: list[Path]) -> None:
    done = run("index", "add", targets[0], tmp_path / "nowhere", targets[1], "--index", tmp_path / "i.db")
    assert done.returncode == 2
    assert "nowhere: there is no such file" in done.stderr
    assert [line.split()[0] for line in run("index", "list", "--index", tmp_path / "i.db").stdout.splitlines()] == [
        "p0",
        "p1",
    ]
