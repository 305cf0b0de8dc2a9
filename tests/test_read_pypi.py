"""Published packages, from a folder of files instead of an index: no test needs the network."""

from __future__ import annotations

import io
import os
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from detector.model import UserError
from detector.read import open_target, pypi

Contents = Callable[[object], tuple[dict[str, bytes], dict[str, str]]]


@pytest.fixture(autouse=True)
def links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which pip, and only pip's own configuration, looks for packages; an empty cache."""
    folder = tmp_path / "links"
    folder.mkdir()
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return folder


def put_wheel(links: Path, name: str, version: str, tag: str = "py3-none-any") -> Path:
    path = links / f"{name}-{version}-{tag}.whl"
    about = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(f"{name}/__init__.py", f"version = {version!r}\n")
        wheel.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        wheel.writestr(f"{about}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n")
        wheel.writestr(f"{about}/RECORD", "")
    return path


def put_source(links: Path, marker: Path, suffix: str, *, is_modern: bool) -> None:
    """A source archive whose code, asked for metadata in the old or the new way, leaves a marker."""
    trap = f"open({str(marker)!r}, 'w').close()\n"
    members = {"setup.py": trap, "lib/a.py": "A", "PKG-INFO": "Metadata-Version: 2.1\nName: lib\nVersion: 3.0\n"}
    if is_modern:
        members["backend.py"] = trap
        members["pyproject.toml"] = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    if suffix == ".zip":
        with zipfile.ZipFile(links / "lib-3.0.zip", "w") as archive:
            for name, text in members.items():
                archive.writestr(f"lib-3.0/{name}", text)
        return
    with tarfile.open(links / f"lib-3.0{suffix}", f"w:{suffix.rpartition('.')[2]}") as tar:  # type: ignore[call-overload]
        for name, text in members.items():
            member = tarfile.TarInfo(f"lib-3.0/{name}")
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))


def test_a_wheel_is_fetched_once_and_then_taken_from_the_cache(links: Path, contents: Contents) -> None:
    put_wheel(links, "lib", "1.0")
    newer = put_wheel(links, "lib", "2.0")
    with open_target("pypi:lib==1.0") as repo:
        assert (repo.target, repo.name, repo.revision) == ("pypi:lib==1.0", "lib", "1.0")
    with open_target("pypi:lib") as repo:
        assert repo.revision == "2.0"
    assert [path.name for path in pypi.cache_folder().iterdir()] == ["lib==1.0"]  # the newest one may change
    for path in (newer, links / "lib-1.0-py3-none-any.whl"):
        path.unlink()
    assert contents("pypi:lib==1.0")[0] == {"lib/__init__.py": b"version = '1.0'\n"}


@pytest.mark.parametrize(("suffix", "is_modern"), [(".tar.gz", True), (".tar.gz", False), (".zip", True)])
def test_a_source_archive_is_fetched_without_running_its_code(
    suffix: str, is_modern: bool, links: Path, tmp_path: Path, contents: Contents
) -> None:
    put_source(links, tmp_path / "marker", suffix, is_modern=is_modern)
    files, _ = contents("pypi:lib==3.0")
    assert files["lib/a.py"] == b"A"
    assert "setup.py" in files
    assert not (tmp_path / "marker").exists()


def test_a_wheel_for_another_platform_is_as_good(links: Path, contents: Contents) -> None:
    put_wheel(links, "lib", "1.0", "cp36-cp36m-win_amd64")
    put_wheel(links, "lib", "1.1", "cp37-cp37m-macosx_10_9_x86_64")
    assert contents("pypi:lib==1.0")[0] == {"lib/__init__.py": b"version = '1.0'\n"}
    with open_target("pypi:lib") as repo:
        assert repo.revision == "1.1"


def test_what_is_not_published_is_one_line_and_leaves_nothing_half_written() -> None:
    with pytest.raises(UserError, match="no such package or version") as caught, open_target("pypi:nothing==1.0"):
        pass
    assert "\n" not in str(caught.value)
    assert not list(pypi.cache_folder().iterdir())


def test_an_interrupted_fetch_leaves_nothing_half_written(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("subprocess.run", interrupt)
    with pytest.raises(KeyboardInterrupt), open_target("pypi:lib==1.0"):
        pass
    assert not list(pypi.cache_folder().iterdir())


@pytest.mark.parametrize(
    "asked",
    [
        "",
        "--find-links=x",
        "-r x",
        "lib==",
        "lib==-e",
        "lib>=1",
        "lib[x]",
        "lib @ file:///x",
        "../lib",
        "lib==1 y",
        "lib\n",
    ],
)
def test_nothing_but_a_name_and_a_version_reaches_pip(asked: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("subprocess.run", None)
    with pytest.raises(UserError, match="name a package as pypi:NAME"), open_target(f"pypi:{asked}"):
        pass


def test_a_module_called_pip_in_the_current_folder_is_not_run(
    links: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, contents: Contents
) -> None:
    trap = tmp_path / "here"
    trap.mkdir()
    (trap / "pip.py").write_text(f"open({str(tmp_path / 'marker')!r}, 'w').close()\n")
    monkeypatch.chdir(trap)
    put_wheel(links, "lib", "1.0")
    assert contents("pypi:lib==1.0")[0]
    assert not (tmp_path / "marker").exists()
