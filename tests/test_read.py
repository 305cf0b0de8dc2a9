"""Targets, folders and single files."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from detector.model import Role, Skipped, UserError
from detector.read import open_target
from detector.read.limits import MAX_FILE_BYTES
from detector.read.roles import role_of

Contents = Callable[[object], tuple[dict[str, bytes], dict[str, str]]]
IS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0


def write(root: Path, **files: str) -> None:
    """Write files; `__` in a name stands for a slash."""
    for name, text in files.items():
        path = root / (name.replace("__", "/") + ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_a_folder_yields_its_python_sorted_and_nothing_else(tmp_path: Path, contents: Contents) -> None:
    write(tmp_path, b="B", a__z="Z", a="A")
    (tmp_path / "w.pyw").write_text("W")
    (tmp_path / "stub.pyi").write_text("no")
    (tmp_path / "notes.txt").write_text("no")
    assert contents(tmp_path) == ({"a.py": b"A", "a/z.py": b"Z", "b.py": b"B", "w.pyw": b"W"}, {})


def test_a_folder_is_named_by_its_own_name_also_as_a_dot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with open_target(".") as repo:
        assert (repo.target, repo.name, repo.revision) == (".", tmp_path.name, "")


def test_an_empty_folder_yields_nothing(tmp_path: Path, contents: Contents) -> None:
    assert contents(tmp_path) == ({}, {})


def test_a_script_without_a_suffix_is_read_if_python_runs_it(tmp_path: Path, contents: Contents) -> None:
    for name, first_line, mode in (
        ("run", "#!/usr/bin/env python3", 0o755),
        ("sh", "#!/bin/sh", 0o755),
        ("p", "", 0o644),
    ):
        (tmp_path / name).write_text(first_line + "\n")
        (tmp_path / name).chmod(mode)
    assert list(contents(tmp_path)[0]) == ["run"]


def test_installed_packages_are_one_skipped_folder(tmp_path: Path, contents: Contents) -> None:
    write(tmp_path, node_modules__x="", environment__lib__y="", lib__venv__z="Z")
    (tmp_path / "environment" / "pyvenv.cfg").touch()
    for name in (".git", ".tox", "__pycache__"):
        (tmp_path / "lib" / name).mkdir()
        (tmp_path / "lib" / name / "a.py").touch()
    files, skipped = contents(tmp_path)
    assert list(files) == ["lib/venv/z.py"]  # a package may be called venv
    assert list(skipped) == ["environment", "lib/.git", "lib/.tox", "lib/__pycache__", "node_modules"]


def test_a_target_that_is_a_link_is_called_as_the_user_calls_it(tmp_path: Path) -> None:
    write(tmp_path / "repo", m="M")
    (tmp_path / "suspect").symlink_to(tmp_path / "repo")
    with open_target(str(tmp_path / "suspect")) as opened:
        assert opened.name == "suspect"
        assert opened.files.paths() == ["m.py"]


def test_links_are_reported_and_never_followed(tmp_path: Path, contents: Contents) -> None:
    root = tmp_path / "root"
    write(root, real="R", package__m="M")
    write(tmp_path, outside="no")
    links = {"again.py": "real.py", "loop.py": "loop.py", "out.py": "../outside.py", "up": "..", "gone.py": "nowhere"}
    for name, goal in links.items():
        (root / name).symlink_to(goal)
    (root / "package" / "self").symlink_to(".")
    (root / "out").symlink_to(tmp_path)
    files, skipped = contents(root)
    assert files == {"real.py": b"R", "package/m.py": b"M"}
    assert set(skipped) == {*links, "package/self", "out"}
    assert skipped["out.py"] == "a symbolic link out of the folder"
    assert skipped["again.py"] == "a symbolic link: what it leads to is read where it is"


def test_a_named_pipe_keeps_nobody_waiting(tmp_path: Path, contents: Contents) -> None:
    os.mkfifo(tmp_path / "pipe.py")
    assert contents(tmp_path) == ({}, {"pipe.py": "not a regular file"})
    with pytest.raises(UserError, match="neither a regular file nor a folder"):
        contents(tmp_path / "pipe.py")


def test_a_file_of_100_mb_is_skipped(tmp_path: Path, contents: Contents) -> None:
    with (tmp_path / "huge.py").open("wb") as file:
        file.truncate(100_000_000)
    with (tmp_path / "limit.py").open("wb") as file:
        file.truncate(MAX_FILE_BYTES)
    files, skipped = contents(tmp_path)
    assert list(files) == ["limit.py"]
    assert skipped == {"huge.py": "larger than 5,000,000 bytes"}


@pytest.mark.skipif(IS_ROOT, reason="nothing is unreadable for root")
def test_what_may_not_be_read_is_skipped(tmp_path: Path, contents: Contents) -> None:
    write(tmp_path, a="A", secret__b="B", c="C")
    (tmp_path / "c.py").chmod(0)
    (tmp_path / "secret").chmod(0)
    try:
        files, skipped = contents(tmp_path)
    finally:
        (tmp_path / "secret").chmod(0o700)
    assert list(files) == ["a.py"]
    assert list(skipped) == ["c.py", "secret"]


def test_odd_names_are_printable_and_still_readable(tmp_path: Path, contents: Contents) -> None:
    for name in (
        b"caf\xe9.py",
        b"line\nbreak.py",
        "naïve 模型.py".encode(),
        b"red\x1b[31m.py",
        "r\u202etl.py".encode(),
    ):
        (tmp_path / os.fsdecode(name)).write_bytes(name)
    files, skipped = contents(tmp_path)
    assert files["caf\\xe9.py"] == b"caf\xe9.py"
    assert set(files) == {
        "caf\\xe9.py", "line\\nbreak.py", "naïve 模型.py", "red\\x1b[31m.py", "r\\u202etl.py",
    }  # fmt: skip
    assert not skipped


def test_two_files_that_print_alike_are_not_confused(tmp_path: Path, contents: Contents) -> None:
    (tmp_path / os.fsdecode(b"\xe9.py")).touch()
    (tmp_path / "\\xe9.py").touch()
    files, skipped = contents(tmp_path)
    assert list(files) == list(skipped) == ["\\xe9.py"]


def test_bytes_are_passed_on_as_they_are(tmp_path: Path, contents: Contents) -> None:
    (tmp_path / "a.py").write_bytes(b"# \xe9\0\r\n")
    assert contents(tmp_path)[0] == {"a.py": b"# \xe9\0\r\n"}


@pytest.fixture
def deep(tmp_path: Path) -> Iterator[str]:
    """A path of more folders than Python recurses; taken apart afterwards, since `shutil.rmtree` recurses."""
    folders = [str(tmp_path) + "/d" * depth for depth in range(1, 1501)]
    for folder in folders:
        os.mkdir(folder)
    Path(folders[-1], "a.py").touch()
    yield "d/" * 1500 + "a.py"
    Path(folders[-1], "a.py").unlink()
    for folder in reversed(folders):
        os.rmdir(folder)


def test_folders_may_be_deeper_than_python_recurses(deep: str, tmp_path: Path, contents: Contents) -> None:
    assert list(contents(tmp_path)[0]) == [deep]


def test_one_python_file_is_a_target(tmp_path: Path, contents: Contents) -> None:
    write(tmp_path, model="M", other="O")
    assert contents(tmp_path / "model.py") == ({"model.py": b"M"}, {})


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("", "names nothing"),
        ("nowhere", "no such file or folder"),
        ("nowhere@main", "no such file or folder"),
        ("notes.txt", "not a kind of file"),
        ("notes.txt@main", "has no revision"),
        ("folder@main", "not the root of a git repository"),
        ("hf:org/model/file", "name a model as"),
        ("ms:org/model/file", "name a model as"),
        ("ext::sh -c touch% marker", "not an address that is fetched"),
        ("ext://sh", "not an address that is fetched"),
        ("git@example.org:a/b.git@--upload-pack=x", "no revision"),
    ],
)
def test_bad_targets_get_one_line(
    target: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, contents: Contents
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("notes.txt").write_text("text")
    Path("folder").mkdir()
    with pytest.raises(UserError, match=message) as caught:
        contents(target)
    assert "\n" not in str(caught.value)
    assert sorted(os.listdir()) == ["folder", "notes.txt"]


def test_a_path_that_holds_an_at_sign_wins(tmp_path: Path, contents: Contents) -> None:
    write(tmp_path / "repo@main", a="A")
    assert contents(tmp_path / "repo@main")[0] == {"a.py": b"A"}


def test_importing_the_reader_does_not_import_gitpython() -> None:
    code = "import sys, detector.read; raise SystemExit('git' in sys.modules)"
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    assert subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == 0


@pytest.mark.parametrize(
    ("path", "head", "role"),
    [
        ("model.py", "import torch", Role.OWN),
        ("src/external_api/a.py", "", Role.OWN),
        ("test.py", "", Role.OWN),
        ("numpy/testing/a.py", "", Role.OWN),
        ("model.py", '"""Images generated by a model."""', Role.OWN),
        ("a/_vendor/tests/b.py", "", Role.VENDORED),
        ("third_party/b.py", "# Generated by x", Role.VENDORED),
        ("a/b_pb2.py", "", Role.GENERATED),
        ("tests/a.py", "# This file was automatically generated from b. Do NOT edit.", Role.GENERATED),
        ("a.py", "x\n" * 19 + "# @generated", Role.GENERATED),
        ("a.py", "x\n" * 20 + "# @generated", Role.OWN),
        ("tests/a.py", "", Role.TEST),
        ("a/test_b.py", "", Role.TEST),
        ("a/b_test.py", "", Role.TEST),
        ("conftest.py", "", Role.TEST),
    ],
)
def test_a_role_is_told_from_path_and_first_lines(path: str, head: str, role: Role) -> None:
    assert role_of(path, head.encode()) is role


def test_links_in_place_of_a_models_files_are_told(tmp_path: Path) -> None:
    blobs, snapshot = tmp_path / "blobs", tmp_path / "snapshot"
    blobs.mkdir()
    snapshot.mkdir()
    (snapshot / "a.py").write_text("x = 1\n")
    for name in ("config.json", "model.safetensors", "picture.png"):
        (blobs / name).write_text("{}")
        (snapshot / name).symlink_to(blobs / name)
    with open_target(str(snapshot)) as repo:
        told = [(each.path, each.reason) for each in repo.files if isinstance(each, Skipped)]
        assert told == [(name, "a symbolic link out of the folder") for name in ("config.json", "model.safetensors")]
        assert repo.files.others() == []
