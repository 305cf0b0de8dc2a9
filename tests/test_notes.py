"""What projects say of themselves: READMEs and notices, read from every kind of target, bounded, never as Python."""

from __future__ import annotations

import io
import os
import stat
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from detector.model import Skipped
from detector.read import limits, listing, open_target, zipped
from detector.read.names import is_note_name
from detector.targets import Head, SourceFile

Git = Callable[..., str]
Make = Callable[[Path, Git, Mapping[str, bytes]], str]
IS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0


def _folder(place: Path, _: Git, files: Mapping[str, bytes]) -> str:
    root = place / "project"
    for path, data in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)
    return str(root)


def _repository(place: Path, git: Git, files: Mapping[str, bytes]) -> str:
    root = Path(_folder(place, git, files))
    git(root, "init", "-q", "-b", "main")
    git(root, "add", "-f", ".")
    git(root, "commit", "-q", "-m", "one")
    return str(root)


def _revision(place: Path, git: Git, files: Mapping[str, bytes]) -> str:
    target = _repository(place, git, files)
    for path in files:
        Path(target, path).write_bytes(b"changed since")
    return f"{target}@main"


def _bare(place: Path, git: Git, files: Mapping[str, bytes]) -> str:
    git(place, "clone", "-q", "--bare", _repository(place, git, files), str(place / "mirror.git"))
    return str(place / "mirror.git")


def _zip(place: Path, _: Git, files: Mapping[str, bytes]) -> str:
    return _zipped(place / "project.zip", {f"project-main/{path}": data for path, data in files.items()})


def _wheel(place: Path, _: Git, files: Mapping[str, bytes]) -> str:
    return _zipped(place / "project-1.0-py3-none-any.whl", files)


def _tar(place: Path, _: Git, files: Mapping[str, bytes]) -> str:
    return _tarred(place / "project-1.0.tar.gz", {f"project-1.0/{path}": data for path, data in files.items()})


def _flat_tar(place: Path, _: Git, files: Mapping[str, bytes]) -> str:
    return _tarred(place / "flat.tar", files)


def _zipped(path: Path, members: Mapping[str, bytes]) -> str:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return str(path)


def _tarred(path: Path, members: Mapping[str, bytes], *more: tarfile.TarInfo) -> str:
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as archive:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
        for member in more:
            archive.addfile(member)
    return str(path)


TARGETS: tuple[Make, ...] = (_folder, _repository, _revision, _bare, _zip, _wheel, _tar, _flat_tar)
every_target = pytest.mark.parametrize("make", TARGETS, ids=[make.__name__.strip("_") for make in TARGETS])


def _read(target: str) -> tuple[dict[str, bytes], list[str], dict[str, str]]:
    """The notes of a target, its Python files, and what it skipped besides git's own data."""
    with open_target(target) as repo:
        python = [file.path for file in repo.files if isinstance(file, SourceFile)]
        skipped = {each.path: each.reason for each in repo.files if isinstance(each, Skipped) and each.path != ".git"}
        assert python == list(repo.files.paths())
        return dict(repo.files.notes()), python, skipped


# --- which files ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "README",
        "README.md",
        "README.rst",
        "readme.txt",
        "Readme.MD",
        "NOTICE",
        "NOTICES.txt",
        "CREDITS.md",
        "ACKNOWLEDGMENTS",
        "ACKNOWLEDGEMENT.md",
        "MODEL_CARD.md",
        "modelcard.md",
        "THIRD_PARTY_NOTICES.txt",
        "third-party.md",
        "docs/README.md",
        "a/b/NOTICE",
        "heron-1.0.dist-info/METADATA",
        "PKG-INFO",
        "heron.egg-info/PKG-INFO",
    ],
)
def test_a_projects_word_about_itself_is_a_note(path: str) -> None:
    assert is_note_name(path)


@pytest.mark.parametrize(
    "path",
    [
        "readme.py",
        "README.py",
        "notice.pyw",
        "third_party.py",
        "README.md.py",
        "METADATA",
        "docs/METADATA",
        "README.html",
        "OLD_README",
        "README_zh.md",
        "README.md/a.py",
        "README/a",
        "LICENSE",
        "CHANGELOG.md",
        "CITATION.cff",
        "notes.txt",
        "a/b/c/README.md",
        "",
    ],
)
def test_any_other_file_is_none(path: str) -> None:
    assert not is_note_name(path)


# --- from every target ---------------------------------------------------------------------------------------

NOTES = {
    "README.md": b"Built on HeronVL.\n",
    "NOTICE": "Ähnlich".encode(),
    "docs/CREDITS.md": b"\xff\xfe no text",
    "heron-1.0.dist-info/METADATA": b"Name: heron\n",
    "PKG-INFO": b"",
}
PYTHON = {"pkg/a.py": b"x = 1\n", "setup.py": b"y = 2\n"}


@every_target
def test_notes_are_read_from_every_target_and_are_no_python(make: Make, tmp_path: Path, git: Git) -> None:
    notes, python, skipped = _read(make(tmp_path, git, {**PYTHON, **NOTES, "data/table.csv": b"1,2"}))
    assert notes == NOTES
    assert list(notes) == ["NOTICE", "PKG-INFO", "README.md", "docs/CREDITS.md", "heron-1.0.dist-info/METADATA"]
    assert python == sorted(PYTHON)
    assert not skipped


@every_target
def test_a_target_without_notes_has_none(make: Make, tmp_path: Path, git: Git) -> None:
    assert _read(make(tmp_path, git, PYTHON)) == ({}, sorted(PYTHON), {})


def test_a_single_file_has_no_notes(tmp_path: Path, git: Git) -> None:
    target = _folder(tmp_path, git, {**PYTHON, **NOTES})
    assert _read(f"{target}/setup.py") == ({}, ["setup.py"], {})


@every_target
def test_deep_notes_are_not_read(make: Make, tmp_path: Path, git: Git) -> None:
    files = {**PYTHON, "README": b"top", "a/README": b"one", "a/b/c/README": b"three", "a/b/c/d/NOTICE": b"four"}
    assert _read(make(tmp_path, git, files))[0] == {"README": b"top", "a/README": b"one"}


@every_target
def test_notes_two_folders_down_are_read(make: Make, tmp_path: Path, git: Git) -> None:
    assert _read(make(tmp_path, git, {**PYTHON, "a/b/README": b"two"}))[0] == {"a/b/README": b"two"}


@every_target
def test_a_note_too_deep_is_no_script_either(make: Make, tmp_path: Path, git: Git) -> None:
    script = b"#!/usr/bin/env python\nx = 1\n"
    files = {**PYTHON, "a/b/README": script, "a/b/c/README": script, "a/b/c/d/README": script}
    assert _read(make(tmp_path, git, files)) == ({"a/b/README": script}, sorted(PYTHON), {})


@every_target
def test_notes_are_bounded_in_number_the_nearest_to_the_top_first(make: Make, tmp_path: Path, git: Git) -> None:
    deep = {f"a{number:02}/README.md": b"deep" for number in range(limits.MAX_NOTES + 5)}
    top = {"README.md": b"top", "NOTICE": b"top", "CREDITS": b"top"}
    notes, python, skipped = _read(make(tmp_path, git, {**PYTHON, **deep, **top}))
    assert len(notes) == limits.MAX_NOTES
    assert list(notes) == [*sorted(top), *sorted(deep)][: limits.MAX_NOTES]
    assert (python, skipped) == (sorted(PYTHON), {})


@every_target
def test_notes_are_bounded_in_size(make: Make, tmp_path: Path, git: Git) -> None:
    long = os.urandom(limits.MAX_NOTE_BYTES) + b"and no more"
    notes, _, _ = _read(make(tmp_path, git, {**PYTHON, "README.md": long, "NOTICE": b"short"}))
    assert notes == {"NOTICE": b"short", "README.md": long[: limits.MAX_NOTE_BYTES]}


@every_target
def test_a_note_too_large_to_read_is_left_out(make: Make, tmp_path: Path, git: Git) -> None:
    files = {**PYTHON, "README.md": os.urandom(limits.MAX_FILE_BYTES + 1), "NOTICE": b"short"}
    notes, python, skipped = _read(make(tmp_path, git, files))
    assert notes == {"NOTICE": b"short"}
    assert (python, skipped) == (sorted(PYTHON), {})


# --- what is no note -----------------------------------------------------------------------------------------


def test_a_note_that_says_it_is_a_script_is_still_no_python(tmp_path: Path, git: Git) -> None:
    target = Path(_folder(tmp_path, git, {**PYTHON, "README": b"#!/usr/bin/env python\nx = 1\n"}))
    (target / "README").chmod(0o755)
    notes, python, _ = _read(str(target))
    assert (list(notes), python) == (["README"], sorted(PYTHON))
    git(target, "init", "-q", "-b", "main")
    git(target, "add", ".")
    git(target, "commit", "-q", "-m", "one")
    notes, python, _ = _read(f"{target}@main")
    assert (list(notes), python) == (["README"], sorted(PYTHON))


def test_python_that_is_called_like_a_note_is_python(tmp_path: Path, git: Git) -> None:
    notes, python, _ = _read(_folder(tmp_path, git, {"readme.py": b"x = 1", "NOTICE.py": b"y = 2"}))
    assert (notes, python) == ({}, ["NOTICE.py", "readme.py"])


def test_a_folder_that_is_called_like_a_note_is_a_folder(tmp_path: Path, git: Git) -> None:
    notes, python, skipped = _read(_folder(tmp_path, git, {"README/a.py": b"x = 1", "NOTICE/b.txt": b"no"}))
    assert (notes, python, skipped) == ({}, ["README/a.py"], {})


def test_notes_do_not_make_a_working_tree_changed(tmp_path: Path, git: Git) -> None:
    target = _repository(tmp_path, git, {**PYTHON, **NOTES})
    Path(target, "README.md").write_bytes(b"changed")
    Path(target, "CREDITS").write_bytes(b"new")
    with open_target(target) as repo:
        assert repo.revision == git(Path(target), "rev-parse", "HEAD")
        assert repo.files.notes()["README.md"] == b"changed"


def test_a_note_of_an_installed_package_is_not_the_projects(tmp_path: Path, git: Git) -> None:
    files = {
        **PYTHON,
        ".venv/README": b"no",
        "node_modules/README.md": b"no",
        "env/README": b"no",
        "env/pyvenv.cfg": b"",
    }
    assert _read(_folder(tmp_path, git, files))[0] == {}


# --- links ---------------------------------------------------------------------------------------------------


def test_links_in_a_folder_are_not_followed_to_notes(tmp_path: Path, git: Git) -> None:
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "NOTICE").write_text("secret")
    root = Path(_folder(tmp_path, git, {**PYTHON, "inside.txt": b"inside"}))
    (root / "README.md").symlink_to(tmp_path / "secret")
    (root / "NOTICE").symlink_to("inside.txt")
    (root / "CREDITS").symlink_to("nowhere")
    (root / "MODEL_CARD").symlink_to("MODEL_CARD")
    (root / "docs").symlink_to(tmp_path / "elsewhere")
    notes, python, skipped = _read(str(root))
    assert (notes, python) == ({}, sorted(PYTHON))
    assert skipped == {"docs": "a symbolic link out of the folder"}


def test_a_note_that_became_a_link_after_the_listing_is_not_followed(tmp_path: Path, git: Git) -> None:
    (tmp_path / "secret").write_text("secret")
    root = Path(_folder(tmp_path, git, {**PYTHON, "README.md": b"was here", "NOTICE": b"stays"}))
    with open_target(str(root)) as repo:
        (root / "README.md").unlink()
        (root / "README.md").symlink_to(tmp_path / "secret")
        assert repo.files.notes() == {"NOTICE": b"stays"}


def test_links_in_git_are_not_followed_to_notes(tmp_path: Path, git: Git) -> None:
    root = Path(_folder(tmp_path, git, {**PYTHON, "inside.txt": b"inside"}))
    (root / "README.md").symlink_to("inside.txt")
    git(root, "init", "-q", "-b", "main")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "one")
    for target in (f"{root}@main", str(root)):
        assert _read(target) == ({}, sorted(PYTHON), {})


def test_links_in_archives_are_not_followed_to_notes(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("README.md")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("a.py", "A")
        archive.writestr(link, "/etc/passwd")
    soft, hard, pipe = (tarfile.TarInfo(name) for name in ("README.md", "NOTICE", "CREDITS"))
    soft.type, soft.linkname = tarfile.SYMTYPE, "/etc/passwd"
    hard.type, hard.linkname = tarfile.LNKTYPE, "a.py"
    pipe.type = tarfile.FIFOTYPE
    _tarred(tmp_path / "x.tar", {"a.py": b"A"}, soft, hard, pipe)
    for name in ("x.zip", "x.tar"):
        assert _read(str(tmp_path / name)) == ({}, ["a.py"], {})


# --- what cannot be read is left out -------------------------------------------------------------------------


@pytest.mark.skipif(IS_ROOT, reason="root reads everything")
def test_a_note_without_permission_is_left_out(tmp_path: Path, git: Git) -> None:
    root = Path(_folder(tmp_path, git, {**PYTHON, "README.md": b"closed", "NOTICE": b"open"}))
    (root / "README.md").chmod(0)
    assert _read(str(root)) == ({"NOTICE": b"open"}, sorted(PYTHON), {})


def test_a_pipe_and_a_vanished_note_are_left_out_without_waiting(tmp_path: Path, git: Git) -> None:
    root = Path(_folder(tmp_path, git, {**PYTHON, "README.md": b"goes", "NOTICE": b"stays", "PKG-INFO": b"turns"}))
    os.mkfifo(root / "CREDITS")
    with open_target(str(root)) as repo:
        (root / "README.md").unlink()
        (root / "PKG-INFO").unlink()
        os.mkfifo(root / "PKG-INFO")
        assert repo.files.notes() == {"NOTICE": b"stays"}
        assert [file.path for file in repo.files] == sorted(PYTHON)


def test_corrupt_encrypted_and_bursting_members_are_left_out(tmp_path: Path) -> None:
    members = {
        "CREDITS": b"C" * 50,
        "NOTICE": b"N" * 50,
        "README": b"R" * 50,
        "PKG-INFO": bytes(3_000_000),
        "a.py": b"A",
    }
    path = Path(_zipped(tmp_path / "x.zip", members))
    data = bytearray(path.read_bytes())
    entry = data.index(b"PK\x01\x02")
    data[entry + 8] |= 1  # the flag of an encrypted member
    data[data.index(b"NOTICE") + 8] ^= 0xFF
    path.write_bytes(data)
    assert _read(str(path)) == ({"README": b"R" * 50}, ["a.py"], {})


@pytest.mark.parametrize("name", ["../README.md", "/README.md", "C:/README.md", "docs/../../NOTICE"])
def test_notes_whose_names_point_elsewhere_are_left_out(name: str, tmp_path: Path) -> None:
    for target in (
        _zipped(tmp_path / "x.zip", {name: b"", "a.py": b"A"}),
        _tarred(tmp_path / "x.tar", {name: b"", "a.py": b"A"}),
    ):
        assert _read(target) == ({}, ["a.py"], {})


def test_a_blob_that_is_missing_is_left_out(tmp_path: Path, git: Git) -> None:
    root = Path(_repository(tmp_path, git, {**PYTHON, "README.md": b"gone", "NOTICE": b"here"}))
    blob = git(root, "rev-parse", "HEAD:README.md")
    (root / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    assert _read(f"{root}@main") == ({"NOTICE": b"here"}, sorted(PYTHON), {})


def test_notes_that_cannot_be_read_do_not_crowd_out_others(tmp_path: Path, git: Git) -> None:
    root = Path(_folder(tmp_path, git, {**PYTHON, "docs/README": b"here"}))
    for number in range(limits.MAX_NOTES):
        (root / f"THIRD_PARTY_{number}").write_bytes(b"vanishes")
    with open_target(str(root)) as repo:
        for path in root.glob("THIRD_PARTY_*"):
            path.unlink()
        assert repo.files.notes() == {"docs/README": b"here"}


def test_notes_that_cannot_be_read_are_not_tried_without_end(tmp_path: Path, git: Git) -> None:
    root = Path(_folder(tmp_path, git, {**PYTHON, "docs/README": b"behind too many"}))
    for number in range(limits.MAX_NOTE_TRIES):
        (root / f"THIRD_PARTY_{number}").write_bytes(b"vanishes")
    with open_target(str(root)) as repo:
        for path in root.glob("THIRD_PARTY_*"):
            path.unlink()
        assert repo.files.notes() == {}


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_of_two_notes_of_one_name_the_first_is_read(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        for data in ("first", "second"):
            archive.writestr("README", data)
        archive.writestr("a.py", "A")
    assert _read(str(tmp_path / "x.zip")) == ({"README": b"first"}, ["a.py"], {})


def test_names_of_notes_can_be_printed(tmp_path: Path, git: Git) -> None:
    folder = "do\ncs\x1b[31m"
    root = _folder(tmp_path, git, {**PYTHON, f"{folder}/README": b"here"})
    notes, _, _ = _read(root)
    assert list(notes) == [r"do\ncs\x1b[31m/README"]


def test_notes_can_be_read_again(tmp_path: Path, git: Git) -> None:
    for make in (_folder, _zip, _tar):
        place = tmp_path / make.__name__
        place.mkdir()
        with open_target(make(place, git, {**PYTHON, **NOTES})) as repo:
            assert repo.files.notes() == repo.files.notes() == NOTES
            assert [file.path for file in repo.files] == sorted(PYTHON)
            with pytest.raises(FileNotFoundError):
                repo.files.read("README.md")


def test_nothing_is_read_before_it_is_asked_for(tmp_path: Path, git: Git, monkeypatch: pytest.MonkeyPatch) -> None:
    target = _zip(tmp_path, git, {**PYTHON, **NOTES})
    fetched: list[str] = []
    fetch = zipped._fetch

    def watched(archive: zipfile.ZipFile, member: zipfile.ZipInfo, most_bytes: int) -> Head:
        fetched.append(member.filename)
        return fetch(archive, member, most_bytes)

    monkeypatch.setattr(zipped, "_fetch", watched)
    with open_target(target) as repo:
        list(repo.files)
        assert sorted(fetched) == [f"project-main/{path}" for path in sorted(PYTHON)]
        monkeypatch.setattr(listing, "MAX_NOTES", 1)
        fetched.clear()
        assert repo.files.notes() == {"NOTICE": NOTES["NOTICE"]}
        assert fetched == ["project-main/NOTICE"]
