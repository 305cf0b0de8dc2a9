"""Wheels, zip and tar files."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import stat
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from detector.model import UserError
from detector.read import limits, open_target, tarred, zipped

Contents = Callable[[object], tuple[dict[str, bytes], dict[str, str]]]


def zip_file(path: Path, members: dict[str, str | bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def tar_file(path: Path, members: dict[str, bytes], *more: tarfile.TarInfo, mode: str = "w") -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
        for member in more:
            archive.addfile(member)
    return path


def member(name: str, kind: bytes, goal: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, goal
    return made


def test_a_wheel_is_read_without_unpacking_to_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = zip_file(tmp_path / "my_lib-1.2-py3-none-any.whl", {"my_lib/b.py": "B", "my_lib/a.py": "A", "x.so": "no"})
    empty = tmp_path / "temporary"
    empty.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(empty))
    with open_target(str(wheel)) as repo:
        assert (repo.name, repo.revision) == ("my_lib", "1.2")
        assert [file.path for file in repo.files] == ["my_lib/a.py", "my_lib/b.py"]
        assert not os.listdir(empty)


def test_a_wheel_of_one_package_keeps_its_folder(tmp_path: Path, contents: Contents) -> None:
    assert list(contents(zip_file(tmp_path / "a-1-py3-none-any.whl", {"a/README": "", "a/b.py": ""}))[0]) == ["a/b.py"]


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        (["repo-main/pkg/a.py", "repo-main/setup.cfg"], "pkg/a.py"),
        (["repo/pkg/a.py", "repo/pyproject.toml"], "pkg/a.py"),
        (["package/a.py", "package/__init__.txt"], "package/a.py"),
        (["repo-main/pkg/a.py", "other"], "repo-main/pkg/a.py"),
    ],
)
def test_the_shared_folder_of_a_source_archive_is_stripped(
    members: list[str], expected: str, tmp_path: Path, contents: Contents
) -> None:
    assert list(contents(zip_file(tmp_path / "x.zip", dict.fromkeys(members, "")))[0]) == [expected]
    assert list(contents(tar_file(tmp_path / "x.tar", dict.fromkeys(members, b"")))[0]) == [expected]


@pytest.mark.parametrize(
    ("suffix", "mode"), [(".tar", "w"), (".tgz", "w:gz"), (".tar.bz2", "w:bz2"), (".tar.xz", "w:xz")]
)
def test_a_tar_is_read_in_sorted_order_whatever_its_compression(
    suffix: str, mode: str, tmp_path: Path, contents: Contents
) -> None:
    data = {"lib-2.0/b.py": os.urandom(300_000), "lib-2.0/weights.bin": os.urandom(500_000), "lib-2.0/a.py": b"A"}
    path = tar_file(tmp_path / f"lib-2.0{suffix}", data, mode=mode)
    with open_target(str(path)) as repo:
        assert (repo.name, repo.revision) == ("lib", "2.0")
    assert contents(path) == ({"a.py": b"A", "b.py": data["lib-2.0/b.py"]}, {})


def test_the_temporary_copy_of_a_tar_is_gone_after_an_exception(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tar_file(tmp_path / "x.tar", {"a.py": b"A"})
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    with pytest.raises(KeyboardInterrupt), open_target(str(path)):
        raise KeyboardInterrupt
    assert not os.listdir(place)


@pytest.mark.parametrize("name", ["../a.py", "/a.py", "b/../../a.py", "C:/a.py", "C:a.py", "\\a.py", "..\\a.py"])
def test_names_that_point_elsewhere_are_skipped(name: str, tmp_path: Path, contents: Contents) -> None:
    for path in (
        zip_file(tmp_path / "x.zip", {name: "", "ok.py": "O"}),
        tar_file(tmp_path / "x.tar", {name: b"", "ok.py": b"O"}),
    ):
        files, skipped = contents(path)
        assert files == {"ok.py": b"O"}
        assert list(skipped.values()) == ["its name points out of the archive"]


def test_links_and_devices_in_a_tar_are_skipped(tmp_path: Path, contents: Contents) -> None:
    path = tar_file(
        tmp_path / "x.tar",
        {"a.py": b"A"},
        member("soft.py", tarfile.SYMTYPE, "/etc/passwd"),
        member("hard.py", tarfile.LNKTYPE, "a.py"),
        member("pipe.py", tarfile.FIFOTYPE),
        member("device.py", tarfile.CHRTYPE),
        member("folder.py", tarfile.DIRTYPE),
    )
    files, skipped = contents(path)
    assert files == {"a.py": b"A"}
    link, other = "a link", "not a regular file"
    assert skipped == {"soft.py": link, "hard.py": link, "pipe.py": other, "device.py": other}


def test_a_link_in_a_zip_is_skipped(tmp_path: Path, contents: Contents) -> None:
    link = zipfile.ZipInfo("soft.py")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    assert contents(tmp_path / "x.zip") == ({}, {"soft.py": "a symbolic link"})


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_of_two_members_of_one_name_the_first_is_read(tmp_path: Path, contents: Contents) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("a.py", "first")
        archive.writestr("a.py", "second")
    with tarfile.open(tmp_path / "x.tar", "w") as tar:
        for data in (b"first", b"second"):
            info = tarfile.TarInfo("a.py")
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    for name in ("x.zip", "x.tar"):
        files, skipped = contents(tmp_path / name)
        assert files == {"a.py": b"first"}
        assert skipped == {"a.py": "a second file of the same name: the first one is read"}


@pytest.mark.parametrize("size", [2_000_000, 100_000_000])
def test_a_zip_bomb_is_skipped(size: int, tmp_path: Path, contents: Contents) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.py", "A")
        with archive.open("bomb.py", "w") as file:
            for _ in range(size // 1_000_000):
                file.write(bytes(1_000_000))
    files, skipped = contents(tmp_path / "x.zip")
    assert list(files) == ["a.py"]
    assert list(skipped) == ["bomb.py"]


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_member_that_lies_about_its_size_does_not_get_through(
    method: int, tmp_path: Path, contents: Contents
) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("bomb.py", bytes(20_000_000))
    data = path.read_bytes().replace((20_000_000).to_bytes(4, "little"), (900).to_bytes(4, "little"))
    path.write_bytes(data)
    files, skipped = contents(path)
    assert not files
    assert skipped["bomb.py"].startswith("corrupt in the archive")


def test_an_encrypted_and_a_corrupt_member_are_skipped(tmp_path: Path, contents: Contents) -> None:
    path = zip_file(tmp_path / "x.zip", {"a.py": "A" * 50, "b.py": "B" * 50, "c.py": "C" * 50})
    data = bytearray(path.read_bytes())
    entry = data.index(b"PK\x01\x02")
    data[entry + 8] |= 1  # the flag of an encrypted member
    data[data.index(b"b.py") + 6] ^= 0xFF
    path.write_bytes(data)
    files, skipped = contents(path)
    assert list(files) == ["c.py"]
    assert skipped["a.py"] == "encrypted"
    assert skipped["b.py"].startswith("corrupt in the archive")


@pytest.mark.parametrize("name", ["x.zip", "x.whl", "x.tar", "x.tar.gz", "x.tar.xz", "x.tar.bz2"])
@pytest.mark.parametrize(
    "data", [b"", b"PK\x03\x04 and no more", b"text" * 300, b"\x1f\x8b\x08", b"\xfd7zXZ\x00", b"BZh9"]
)
def test_a_corrupt_archive_is_the_users_to_mend(name: str, data: bytes, tmp_path: Path, contents: Contents) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(UserError, match="cannot read this archive") as caught:
        contents(tmp_path / name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_a_tar_that_ends_too_early_is_the_users_to_mend(pack: object, tmp_path: Path, contents: Contents) -> None:
    whole = tar_file(tmp_path / "x.tar", {"a.py": os.urandom(50_000)}).read_bytes()
    assert callable(pack)
    (tmp_path / "y.tar").write_bytes(pack(whole)[:-20_000])
    (tmp_path / "z.tar").write_bytes(pack(whole[:20_000]))
    for name in ("y.tar", "z.tar"):
        with pytest.raises(UserError, match="cannot read this archive"):
            contents(tmp_path / name)


def test_a_tar_header_that_claims_gigabytes_is_refused(tmp_path: Path, contents: Contents) -> None:
    header = tarfile.TarInfo("././@LongLink")
    header.type, header.size = tarfile.GNUTYPE_LONGNAME, 8_000_000_000
    (tmp_path / "x.tar").write_bytes(header.tobuf() + bytes(100_000))
    with pytest.raises(UserError, match="a header is too large"):
        contents(tmp_path / "x.tar")


def test_limits_of_a_whole_archive_leave_the_rest_unread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, contents: Contents
) -> None:
    names = dict.fromkeys(["a.py", "b.py", "c.py"], b"1234567890")
    for module in (zipped, tarred):
        monkeypatch.setattr(module, "MAX_ARCHIVE_PYTHON_BYTES", 20)
    archives = (zip_file(tmp_path / "x.zip", dict(names)), tar_file(tmp_path / "x.tar", names))
    for path in archives:
        files, skipped = contents(path)
        assert (list(files), list(skipped)) == (["a.py", "b.py"], ["c.py"])
    for module in (zipped, tarred):
        monkeypatch.setattr(module, "MAX_MEMBERS", 1)
    for path in archives:
        files, skipped = contents(path)
        assert (list(files), skipped[path.name]) == (["a.py"], "more than 1 members: the rest is not read")


def test_a_compressed_tar_is_given_up_when_it_unpacks_to_too_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, contents: Contents
) -> None:
    monkeypatch.setattr(tarred, "MAX_ARCHIVE_UNPACKED_BYTES", 100_000)
    path = tar_file(tmp_path / "x.tar.gz", {"a.py": b"A", "zeros": bytes(500_000), "b.py": b"B"}, mode="w:gz")
    files, skipped = contents(path)
    assert list(files) == ["a.py"]
    assert skipped["x.tar.gz"].startswith("unpacks to more than")


def test_an_enormous_zip_directory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, contents: Contents
) -> None:
    monkeypatch.setattr(zipped, "MAX_ZIP_DIRECTORY_BYTES", 1000)
    path = zip_file(tmp_path / "x.zip", {f"{'n' * 100}{number}.py": "" for number in range(20)})
    with pytest.raises(UserError, match="its directory is too large"):
        contents(path)


def test_every_limit_is_positive() -> None:
    numbers = [value for name, value in vars(limits).items() if name.isupper() and name != "GIT_MEMORY"]
    assert all(isinstance(number, int | float) and number > 0 for number in numbers)
