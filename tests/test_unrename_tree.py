"""The suspect under the reference's names: which file goes where, what is written, what is refused."""

from __future__ import annotations

import ast
import difflib
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from detector import cli
from detector.model import Attribution, Correspondence, Match, Report, Skipped, UserError
from detector.targets import Head, SourceFile
from detector.unrename import Unrenamed, new_paths, unrenamed
from detector.write import check_new_folder, write_folder
from tests.test_cli import MATCH, NOTHING

FIXTURES = Path(__file__).parent.parent / "fixtures"


def _same(suspect: str, reference: str, bits: float = 100.0, functions: int = 4, of: int = 5) -> Correspondence:
    return Correspondence(suspect, "", "b", reference, "", functions, of, of, bits, {})


# --- paths ---


def test_a_file_takes_the_place_of_the_one_it_corresponds_to_and_its_package_follows() -> None:
    paths = ["k/__init__.py", "k/model.py", "k/more.py", "run.py"]
    found = new_paths([_same("k/model.py", "h/net.py"), _same("k/more.py", "h/rest.py")], paths)
    assert found == {
        "k/__init__.py": "h/__init__.py", "k/model.py": "h/net.py", "k/more.py": "h/rest.py", "run.py": "run.py",
    }  # fmt: skip


def test_of_several_files_for_one_place_the_one_with_the_most_bits_has_it() -> None:
    pairs = [_same("a.py", "x.py", 10), _same("b.py", "x.py", 20)]
    for order in (pairs, pairs[::-1]):
        assert new_paths(order, ["a.py", "b.py"]) == {"b.py": "x.py", "a.py": "a.py"}


def test_a_file_that_shares_little_with_its_counterpart_keeps_its_path() -> None:
    assert new_paths([_same("a.py", "x.py", functions=1)], ["a.py"]) == {"a.py": "a.py"}


@pytest.mark.parametrize(
    ("place", "own", "expected"),
    [
        ("x.py", "x.py", "x_2.py"),
        ("X.py", "x.py", "x_2.py"),
        ("x", "x/y.py", "x/y_2.py"),
        ("x.py/z.py", "x.py", "x_2.py"),
        ("tool", "tool", "tool_2"),
        ("a.b/tool", "a.b/tool", "a.b/tool_2"),
    ],
)
def test_a_file_whose_place_is_taken_stands_beside_it(place: str, own: str, expected: str) -> None:
    found = new_paths([_same("a.py", place)], ["a.py", own])
    if place == "x":  # a file cannot hold another one, whatever that one is called
        assert found["a.py"] == "x"
        assert not found[own].startswith("x/")
    else:
        assert found == {"a.py": place, own: expected}


# --- texts ---


class _Files:
    """Files in memory."""

    def __init__(self, *files: SourceFile | Skipped) -> None:
        self.files = files

    def paths(self) -> Sequence[str]:
        return [file.path for file in self.files]

    def __iter__(self) -> Iterator[SourceFile | Skipped]:
        return iter(self.files)

    def read(self, path: str) -> bytes:
        raise NotImplementedError

    def notes(self) -> dict[str, bytes]:
        return {}

    def others(self) -> list[str]:
        return []

    def head(self, path: str, most_bytes: int) -> Head:
        raise NotImplementedError

    def part(self, path: str, begin: int, size: int) -> bytes:
        raise NotImplementedError


def _names(reference: str, *pairs: tuple[str, str]) -> Match:
    """A match somewhere else that gives these names, whatever they are."""
    names = {role: dict(pairs) for role in ("values", "members", "globals", "keywords")}
    span = replace(MATCH.suspect, path="elsewhere.py")
    return replace(MATCH, suspect=span, reference_name=reference, renames=dict(pairs), renames_by_role=names)


def _report(*more: Match, **changes: object) -> Report:
    found = replace(
        NOTHING, attribution=(Attribution("b", 9, 9, 1, 0.5),), matches=(_names("b", ("old", "new")), *more)
    )
    return replace(found, **changes)  # type: ignore[arg-type]


def _texts(report: Report, *files: SourceFile | Skipped) -> dict[str, bytes]:
    return {each.path: each.data for each in unrenamed(report, _Files(*files)) if isinstance(each, Unrenamed)}


def test_a_matched_function_has_its_own_names_and_the_rest_those_that_are_not_contradicted() -> None:
    span = replace(MATCH.suspect, path="a.py", qualname="f", first_line=1)
    own = replace(MATCH, suspect=span, reference_name="b", renames={}, renames_by_role={"values": {"v": "value"}})
    doubted = [_names("b", ("odd", other)) for other in ("even", "odd")]
    report = _report(own, *doubted, *[_names("c", ("v", "w"))] * 9)
    text = b"def f(v): return old(v)\ndef g(v): return odd\n"
    assert _texts(report, SourceFile("a.py", text)) == {
        "a.py": b"def f(value): return new(value)\ndef g(v): return odd\n"
    }


def test_imports_follow_the_files_and_reach_those_that_stay() -> None:
    report = _report(files=(_same("k/model.py", "h/net.py"), _same("k/run.py", "h/train.py")))
    text = b"from k.model import old\nfrom .model import A\nfrom .own import B\nfrom . import model\nmodel.old()\n"
    files = [SourceFile(path, b"") for path in ("k/__init__.py", "k/model.py", "k/own.py")]
    assert _texts(report, *files, SourceFile("k/run.py", text))["h/train.py"] == (
        b"from h.net import new\nfrom .net import A\nfrom k.own import B\nfrom . import net\nnet.new()\n"
    )


def test_a_package_below_a_source_folder_is_imported_without_it() -> None:
    report = _report(files=(_same("src/k/model.py", "h/net.py"),))
    files = [SourceFile("src/k/__init__.py", b""), SourceFile("src/k/model.py", b"")]
    text = b"import k.model as m\nfrom k import model\n"
    assert _texts(report, *files, SourceFile("run.py", text))["run.py"] == b"import h.net as m\nfrom h import net\n"


@pytest.mark.parametrize(
    "text",
    [
        b"# coding: latin-1\nold = '\xe9'\n",
        b"\xef\xbb\xbfold = '\xc3\xa9'\r\n",
        b"# coding: utf-16\nold = 1\n",
        b"old = '\xff'\n",
        b"# coding: nothing\nold = 1\n",
    ],
)
def test_encodings_are_kept_and_what_is_in_none_is_copied(text: bytes) -> None:
    can_be_read = b"latin" in text or text.startswith(b"\xef")
    expected = text.replace(b"old", b"new") if can_be_read else text
    assert _texts(_report(), SourceFile("a.py", text)) == {"a.py": expected}


def test_a_name_that_the_files_encoding_lacks_leaves_the_file_as_it_is() -> None:
    text = b"# coding: latin-1\nold = '\xe9'\n"
    report = _report(matches=(_names("b", ("old", "имя")),))
    assert _texts(report, SourceFile("a.py", text)) == {"a.py": text}


def test_what_cannot_be_read_is_passed_on() -> None:
    skipped = Skipped("a.py", "too large")
    assert list(unrenamed(_report(), _Files(skipped))) == [skipped]


# --- the folder ---


def test_a_folder_is_written_whole(tmp_path: Path) -> None:
    for name in ("new", "empty"):
        folder = tmp_path / name
        if name == "empty":
            folder.mkdir()
        check_new_folder(folder)
        write_folder([("a/b.py", b"1"), ("c.py", b"2")], folder)
        assert {path.relative_to(folder).as_posix() for path in folder.rglob("*.py")} == {"a/b.py", "c.py"}
    assert sorted(os.listdir(tmp_path)) == ["empty", "new"]


@pytest.mark.parametrize(
    "path", ["../x.py", "/x.py", "a/../../x.py", "a//b.py", "C:/x.py", "..\\x.py", "", "a\0.py", "a" * 5_000, "a.py"]
)
def test_a_path_that_leads_elsewhere_or_cannot_be_leaves_nothing(tmp_path: Path, path: str) -> None:
    with pytest.raises(UserError):
        write_folder([("a.py", b"1"), (path, b"2")], tmp_path / "new")
    assert os.listdir(tmp_path) == []


def test_an_interruption_leaves_nothing(tmp_path: Path) -> None:
    def files() -> Iterator[tuple[str, bytes]]:
        yield "a.py", b"1"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_folder(files(), tmp_path / "new")
    assert os.listdir(tmp_path) == []


# --- the command ---


def test_the_rebadged_fixture_gets_the_names_and_paths_of_the_original(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    suspect, reference, folder = FIXTURES / "rebadged", FIXTURES / "original", tmp_path / "new"
    assert cli.run(["unrename", str(suspect), str(reference), "--output", str(folder)]) == 0
    rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert ["file", "kestrel/model.py", "heronvl/modeling.py"] in rows
    assert ["name", "KestrelVL", "HeronForConversation"] in rows
    written = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert len(written) == len(list(suspect.rglob("*.py")))
    assert {name for kind, _, name in rows if kind == "file"} <= written
    before = after = 0
    for kind, old, new in rows:
        if kind == "file":
            ast.parse((folder / new).read_text("utf-8"))
            assert (reference / new).is_file()
            before += _different(suspect / old, reference / new)
            after += _different(folder / new, reference / new)
    assert after < 0.9 * before
    assert "from heronvl.vision import VisionTower" in (folder / "heronvl/modeling.py").read_text("utf-8")


def _different(one: Path, other: Path) -> int:
    ours, theirs = [path.read_text("utf-8").splitlines() for path in (one, other)]
    return sum(line[0] in "+-" for line in difflib.unified_diff(ours, theirs, n=0))


def test_nothing_is_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.py").write_text("x = 1\n")
    for output in (tmp_path, tmp_path / "mine.py", tmp_path / "no" / "where"):
        arguments = ["unrename", str(FIXTURES / "rebadged"), str(FIXTURES / "original"), "--output", str(output)]
        assert cli.run(arguments) == 2
        assert capsys.readouterr().err.count("\n") == 1
    assert [path.name for path in tmp_path.rglob("*")] == ["mine.py"]


def test_the_same_input_gives_the_same_tree(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trees = []
    for name, jobs in (("one", "1"), ("two", "2")):
        targets = [str(FIXTURES / "rebadged"), str(FIXTURES / "original")]
        assert cli.run(["unrename", *targets, "--output", str(tmp_path / name), "--jobs", jobs, "--quiet"]) == 0
        files = sorted((tmp_path / name).rglob("*.py"))
        trees.append([(file.relative_to(tmp_path / name), file.read_bytes()) for file in files])
    assert trees[0] == trees[1]
    out, err = capsys.readouterr()
    assert err == ""
    assert out[: len(out) // 2] == out[len(out) // 2 :]
