"""Well-known packages: the list as data, and an index that is made of it; no test needs the network."""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from detector import cli
from detector.index.known import KnownTarget, chosen, known_targets
from detector.index.ready import add_known
from detector.index.store import open_index
from detector.model import UserError
from detector.read import open_target
from detector.read.pypi import UnreachableError
from detector.targets import Repo
from tests.repositories import WARP, repo

PACKAGES = tuple(KnownTarget(name, "1.0", "MIT", "") for name in ("first", "second", "third"))


class Shelf:
    """Packages that can be fetched, all but some, and which of them were asked for."""

    def __init__(self, *absent: str, error: type[UserError] = UserError) -> None:
        self.absent, self.error = absent, error
        self.asked: list[str] = []
        self.open: list[str] = []

    @contextmanager
    def opened(self, target: str) -> Iterator[Repo]:
        self.asked.append(target)
        if target in self.absent:
            raise self.error(f"{target}: no such package or version")
        self.open.append(target)
        yield repo(target, {"a.py": WARP})
        self.open.remove(target)


# --- the list ---


def test_the_list_is_sorted_and_names_every_version_once() -> None:
    known = known_targets()
    assert len(known) >= 40
    assert [each.name for each in known] == sorted(each.name for each in known)
    assert len({each.target for each in known}) == len(known)


@pytest.mark.parametrize("each", known_targets(), ids=lambda each: each.target)
def test_every_package_on_the_list_has_a_target_a_licence_and_says_what_it_is(each: KnownTarget) -> None:
    assert re.fullmatch(r"pypi:[a-z0-9][a-z0-9-]*==\d[0-9a-z.]*", each.target)
    assert each.licence in {
        "AGPL-3.0-or-later", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "MIT", "MPL-2.0"
    }  # fmt: skip
    assert 3 < len(each.about) < 80
    assert each.about.isprintable()


def test_a_name_chooses_every_version_of_a_package_however_it_is_spelled() -> None:
    assert {each.target for each in chosen(["Transformers"])} == {
        each.target for each in known_targets() if each.name == "transformers"
    }
    assert len(chosen(["transformers"])) > 1
    assert [each.name for each in chosen(["open_clip.torch", "timm"])] == ["open-clip-torch", "timm"]
    assert chosen([]) == known_targets()


def test_a_name_that_is_not_on_the_list_is_refused_with_those_that_are_spelled_alike() -> None:
    with pytest.raises(UserError, match=r"'transfomers' is not one .*: perhaps transformers.*; any other"):
        chosen(["timm", "transfomers"])
    with pytest.raises(UserError, match="'zzz' is not one of the well-known packages: any other package is added by"):
        chosen(["zzz"])


# --- the index that is made of it ---


def test_every_package_is_fetched_added_and_let_go_before_the_next_one() -> None:
    shelf = Shelf()
    held: list[str] = []

    def add(repo: Repo) -> None:
        assert shelf.open == [repo.target]
        held.append(repo.target)

    assert add_known(PACKAGES, (), add, opened=shelf.opened) == ()
    assert held == [each.target for each in PACKAGES]
    assert shelf.open == []


def test_what_is_in_the_index_is_not_fetched_again() -> None:
    shelf = Shelf()
    assert add_known(PACKAGES, {"pypi:first==1.0", "pypi:second==0.9"}, bool, opened=shelf.opened) == ()
    assert shelf.asked == ["pypi:second==1.0", "pypi:third==1.0"]


def test_what_cannot_be_fetched_is_told_and_the_rest_is_added() -> None:
    held: list[str] = []
    shelf = Shelf("pypi:second==1.0")
    (missed,) = add_known(PACKAGES, (), lambda repo: held.append(repo.target), opened=shelf.opened)
    assert (missed.path, missed.reason) == ("pypi:second==1.0", "no such package or version")
    assert held == ["pypi:first==1.0", "pypi:third==1.0"]


def test_a_package_index_that_does_not_answer_is_not_asked_again() -> None:
    shelf = Shelf("pypi:second==1.0", error=UnreachableError)
    with pytest.raises(UserError, match="1 of 3 packages are in the index, run it again"):
        add_known(PACKAGES, (), bool, opened=shelf.opened)
    assert shelf.asked == ["pypi:first==1.0", "pypi:second==1.0"]


def test_an_index_that_refuses_a_package_ends_the_work() -> None:
    def full(repo: Repo) -> None:
        raise UserError("known.db: the disk is full")

    shelf = Shelf()
    with pytest.raises(UserError, match="the disk is full"):
        add_known(PACKAGES, (), full, opened=shelf.opened)
    assert shelf.asked == ["pypi:first==1.0"]


def test_progress_tells_the_package_that_is_worked_on_and_how_many_there_are() -> None:
    told: list[tuple[str, int, int]] = []
    add_known(PACKAGES, {"pypi:first==1.0"}, bool, lambda *step: told.append(step), Shelf().opened)
    assert told == [("first 1.0", 0, 3), ("second 1.0", 1, 3), ("third 1.0", 2, 3)]


# --- from the command line, with a folder of files for a package index ---


def test_well_known_packages_are_added_once_and_what_is_missing_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    links = offline(tmp_path, monkeypatch)
    wheel = links / "segment_anything-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("segment_anything/warping.py", WARP)
        archive.writestr("segment_anything-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: x\nVersion: 1.0\n")
        archive.writestr("segment_anything-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr("segment_anything-1.0.dist-info/RECORD", "")
    index = tmp_path / "known.db"
    chosen = ["--known", "--only", "segment-anything", "--only", "einops", "--index", str(index)]
    assert cli.run(["index", "add", *chosen]) == 2
    assert "'einops' is not one of the well-known packages" in capfd.readouterr().err
    assert not index.exists()
    chosen[4] = "trl"
    assert cli.run(["index", "add", *chosen]) == 3
    told = capfd.readouterr().err
    assert "pypi:trl==1.16.0 is left out: no such package or version" in told
    assert "1 of 2 well-known packages" in told
    wheel.unlink()
    assert cli.run(["index", "add", *chosen[:3], "--index", str(index), "--quiet"]) == 0
    with open_index(index) as opened:
        assert [(each.target, each.functions) for each in opened.targets()] == [("pypi:segment-anything==1.0", 1)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [([], "name a TARGET, or give --known"), (["--only", "timm", "."], "--only chooses from --known")],
)
def test_nothing_to_add_and_a_choice_of_nothing_are_refused(
    arguments: list[str], message: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["index", "add", "--index", str(tmp_path / "known.db"), *arguments]) == 2
    assert message in capfd.readouterr().err
    assert list(tmp_path.iterdir()) == []


def offline(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let pip find packages in a folder of files alone."""
    links = folder / "links"
    links.mkdir()
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(links))
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
    return links


def test_a_package_index_that_does_not_answer_is_told_apart_from_a_package_that_is_not_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "1")
    with pytest.raises(UnreachableError, match="the package index does not answer"), open_target("pypi:lib==1.0"):
        pass
