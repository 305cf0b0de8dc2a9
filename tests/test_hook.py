"""What a change adds, against what is known: from the staged files to the report, and what the command says."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from detector import indexed
from detector.cli import run
from detector.hook import examine
from detector.model import Basis, Relation, Report, Strength, UserError
from detector.own import is_same_address, is_same_name
from detector.read.changes import read_changes
from detector.report import blocks, comment
from tests.known import InMemoryIndex
from tests.repositories import ANNEAL, BEAMS, PARSE, ROUTE, SPECTRUM, WARP

Git = Callable[..., str]

NAMES = {"warp": "bend", "frames": "images", "grid": "mesh", "field": "flow", "rows": "down", "columns": "across"}
DISGUISED = re.sub(r"\w+", lambda found: NAMES.get(found[0], found[0]), WARP)
FORBIDDEN = (
    "datasketch",
    "libcst",
    "networkx",
    "git",
    "rich",
    "scipy",
    "jinja2",
    "pydantic",
    "multiprocessing",
    "concurrent.futures",
)


@pytest.fixture
def index() -> InMemoryIndex:
    """A project called heron with four functions, and a smaller one."""
    known = InMemoryIndex()
    files = {"heron/__init__.py": "", "heron/ops.py": WARP + ROUTE, "heron/data.py": PARSE + BEAMS}
    known.add("heron", files, target="https://example.org/birds/heron.git", licence="Apache-2.0")
    known.add("stork", {"stork/__init__.py": "", "stork/w.py": WARP})
    return known


@pytest.fixture
def root(tmp_path: Path, git: Git) -> Path:
    """A project with one commit of its own."""
    folder = tmp_path / "mine"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    (folder / "own.py").write_text(ANNEAL)
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "own")
    return folder


def _stage(root: Path, git: Git, **files: str) -> None:
    for name, text in files.items():
        (root / f"{name}.py").write_text(text)
    git(root, "add", "-A")


def _examined(root: Path, *indexes: InMemoryIndex, not_against: tuple[str, ...] = (), **options: str) -> Report:
    environment = {"PATH": os.environ["PATH"], "HOME": str(root.parent)}
    changes = read_changes((), environment=environment, folder=str(root), **options)  # type: ignore[arg-type]
    return examine(changes, indexes, not_against=not_against)


def _found(report: Report) -> list[tuple[str, str, str]]:
    return [(match.suspect.qualname, match.reference_name, match.reference.qualname) for match in report.matches]


# --- what is found ---


def test_a_copied_and_renamed_function_is_found_with_where_it_is_known(
    root: Path, git: Git, index: InMemoryIndex
) -> None:
    _stage(root, git, new=DISGUISED + SPECTRUM)
    report = _examined(root, index)
    (match,) = report.matches
    assert (match.suspect.path, match.suspect.qualname) == ("new.py", "bend")
    assert (match.reference_name, match.reference.path, match.reference.qualname) == ("heron", "heron/ops.py", "warp")
    assert match.basis is Basis.ALONE
    assert match.similarity > 0.9
    assert report.suspect.functions == 2
    assert [side.name for side in report.references] == ["heron"]


def test_only_what_the_change_touches_is_looked_up(root: Path, git: Git, index: InMemoryIndex) -> None:
    _stage(root, git, new=WARP + PARSE)
    git(root, "commit", "-q", "-m", "copied before")
    _stage(root, git, new=WARP + PARSE.replace("void", "nothing"))
    assert _found(_examined(root, index)) == [("parse", "heron", "parse")]


def test_what_was_moved_renamed_or_laid_out_anew_is_not_new(root: Path, git: Git, index: InMemoryIndex) -> None:
    _stage(root, git, new=WARP + PARSE)
    git(root, "commit", "-q", "-m", "copied before")
    git(root, "rm", "-q", "new.py")
    renamed = DISGUISED.replace("torch.linspace(-1.0, 1.0, height)", "torch.linspace(\n        -1.0, 1.0, height)")
    _stage(root, git, elsewhere=renamed, third=PARSE)
    report = _examined(root, index)
    assert report.suspect.files == 2
    assert _found(report) == []


def test_a_function_that_several_targets_have_is_told_once_and_the_others_are_named(
    root: Path, git: Git, index: InMemoryIndex
) -> None:
    _stage(root, git, new=WARP + ROUTE + PARSE)
    report = _examined(root, index)
    assert sorted(_found(report)) == [(name, "heron", name) for name in ("parse", "route", "warp")]
    (exhibit,) = report.exhibits
    assert [row[:4] for row in exhibit.rows] == [("new.py", "warp", "stork", "stork/w.py")]
    assert [(row.reference, row.functions) for row in report.attribution] == [("heron", 3)]


def test_several_indexes_are_one(root: Path, git: Git, index: InMemoryIndex) -> None:
    other = InMemoryIndex()
    other.add("heron", {"else.py": SPECTRUM}, revision="2.0")
    _stage(root, git, new=WARP + SPECTRUM)
    report = _examined(root, index, other)
    assert sorted(_found(report)) == [("spectrum", "heron@2.0", "spectrum"), ("warp", "heron", "warp")] or sorted(
        _found(report)
    ) == [("spectrum", "heron", "spectrum"), ("warp", "heron@1.0", "warp")]


def test_what_a_comment_declares_is_shown_and_not_gated(root: Path, git: Git, index: InMemoryIndex) -> None:
    _stage(root, git, new=WARP.replace("def warp", "# Copied from heron.ops.warp\ndef warp") + PARSE)
    report = _examined(root, index)
    assert {match.suspect.qualname: match.is_declared for match in report.matches} == {"warp": True, "parse": False}


def test_a_range_of_commits_is_examined_as_what_is_staged(root: Path, git: Git, index: InMemoryIndex) -> None:
    git(root, "checkout", "-q", "-b", "topic")
    _stage(root, git, new=WARP)
    git(root, "commit", "-q", "-m", "copied")
    _stage(root, git, staged=PARSE)
    report = _examined(root, index, from_ref="main", to_ref="topic")
    assert _found(report) == [("warp", "heron", "warp")]
    assert report.suspect.name == "mine (main..topic)"


def test_copies_within_the_project_are_nobodys_business(root: Path, git: Git, index: InMemoryIndex) -> None:
    _stage(root, git, again=ANNEAL)
    assert _found(_examined(root, index)) == []


# --- what is concluded ---


def test_a_few_functions_that_are_all_known_say_something_of_the_change_alone(
    root: Path, git: Git, index: InMemoryIndex
) -> None:
    _stage(root, git, new=WARP + ROUTE + PARSE + BEAMS)
    report = _examined(root, index)
    assert report.relation in (Relation.DERIVED_UNDECLARED, Relation.IDENTICAL, Relation.SHARED_ANCESTOR)
    assert report.strength is not Strength.NONE
    assert report.suspect.name == "mine (staged)"


def test_one_function_that_nothing_is_like_is_too_little_for_a_conclusion(
    root: Path, git: Git, index: InMemoryIndex
) -> None:
    _stage(root, git, new=SPECTRUM)
    report = _examined(root, index)
    assert (report.relation, report.strength, report.matches) == (Relation.INCONCLUSIVE, Strength.NONE, ())
    assert report.examined[0].about == "1 function that the change adds or alters with 5 of 2 targets"


def test_a_change_without_functions_has_nothing_to_look_at(root: Path, git: Git, index: InMemoryIndex) -> None:
    _stage(root, git, constants="X = 1\n")
    report = _examined(root, index)
    assert [(each.is_possible, each.about) for each in report.examined] == [
        (False, "the change adds and alters no function")
    ]
    assert blocks.summary(report) == "detector: nothing found (the change adds and alters no function)"


def test_the_same_change_gives_the_same_bytes(root: Path, git: Git, index: InMemoryIndex) -> None:
    _stage(root, git, new=WARP + PARSE + ROUTE)
    first, second = (_examined(root, index) for _ in range(2))
    assert first == second
    assert blocks.render(first) == blocks.render(second)


# --- the project itself ---


def test_the_project_itself_is_left_out_and_told(root: Path, git: Git, index: InMemoryIndex) -> None:
    git(root, "remote", "add", "upstream", "git@example.org:birds/heron.git")
    _stage(root, git, new=WARP)
    report = _examined(root, index)
    assert _found(report) == [("warp", "stork", "warp")]
    (left_out,) = [each for each in report.examined if each.reference]
    assert left_out.reference == "heron"
    assert "it is this project: a remote of the repository has its address" in left_out.about
    assert "heron: left out: it is this project" in blocks.render(report)


def test_a_name_alone_and_packages_alone_are_not_the_project_itself(
    root: Path, git: Git, index: InMemoryIndex, tmp_path: Path
) -> None:
    named = tmp_path / "heron"
    root.rename(named)
    _stage(named, git, new=WARP)
    assert [each[1] for each in _found(_examined(named, index))] == ["heron"]
    (named / "heron").mkdir()
    (named / "heron" / "__init__.py").write_text("")
    git(named, "add", "-A")
    assert [each[1] for each in _found(_examined(named, index))] == ["stork"]
    other = tmp_path / "other"
    named.rename(other)
    assert [each[1] for each in _found(_examined(other, index))] == ["heron"]


def test_targets_are_left_out_by_name_and_a_name_that_is_none_is_refused(
    root: Path, git: Git, index: InMemoryIndex
) -> None:
    _stage(root, git, new=WARP)
    assert _found(_examined(root, index, not_against=("heron",))) == [("warp", "stork", "warp")]
    with pytest.raises(UserError, match="no target of the index is called so"):
        _examined(root, index, not_against=("egret",))


@pytest.mark.parametrize(
    ("target", "remote", "is_same"),
    [
        ("https://github.com/Birds/Heron.git", "git@github.com:birds/heron", True),
        ("git+https://github.com/birds/heron", "ssh://git@github.com:22/birds/heron.git", True),
        ("birds/heron", "https://user:word@gitlab.example.org/birds/heron.git", True),
        ("https://github.com/birds/heron", "https://gitlab.com/birds/heron", False),
        ("https://github.com/birds/heron", "https://github.com/me/heron", False),
        ("pypi:heron==1.0", "https://github.com/birds/heron", False),
        ("../heron", "../heron", False),
        ("", "", False),
    ],
)
def test_addresses_are_the_same_however_they_are_written(target: str, remote: str, is_same: bool) -> None:
    assert is_same_address([target], [remote]) == is_same


def test_names_are_the_same_whatever_their_version() -> None:
    assert is_same_name("heron_vl==1.2", "Heron-VL")
    assert is_same_name("heron-vl-1.0.2-py3-none-any.whl", "heron.vl")
    assert not is_same_name("heron", "herons")
    assert not is_same_name("", "")


# --- the command ---


@pytest.fixture
def opened(index: InMemoryIndex, root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place where the command finds the index; the project is the current folder."""

    @contextmanager
    def open_known(path: Path) -> Iterator[InMemoryIndex]:
        yield index

    monkeypatch.setattr(indexed, "open_known", open_known)
    monkeypatch.chdir(root)
    for name in ("GITHUB_ACTIONS", "GITHUB_EVENT_NAME", "GITHUB_EVENT_PATH", "GITLAB_CI", "DETECTOR_INDEX"):
        monkeypatch.delenv(name, raising=False)
    path = root.parent / "known.db"
    path.write_text("")
    return path


def test_a_finding_is_exit_code_1_and_nothing_is_0(
    opened: Path, root: Path, git: Git, capfd: pytest.CaptureFixture[str]
) -> None:
    _stage(root, git, new=SPECTRUM)
    assert run(["hook", "--index", str(opened)]) == 0
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("detector: nothing found (1 function")
    assert run(["hook", "--index", str(opened), "--quiet"]) == 0
    assert capfd.readouterr() == ("", "")
    _stage(root, git, new=DISGUISED)
    assert run(["hook", "--index", str(opened)]) == 1
    out, err = capfd.readouterr()
    assert out.startswith("new.py:4-9 bend\n    computes what heron at 1.0 computes in heron/ops.py:4-9 warp\n")
    assert err == ""
    assert run(["hook", "--index", str(opened), "--exit-zero"]) == 0
    assert run(["hook", "--index", str(opened), "own.py"]) == 0


def test_every_format_has_the_findings(opened: Path, root: Path, git: Git, capfd: pytest.CaptureFixture[str]) -> None:
    _stage(root, git, new=DISGUISED)
    for form in ("json", "jsonl", "sarif", "gitlab", "junit", "markdown", "html", "terminal", "comment"):
        assert run(["hook", "--index", str(opened), "--format", form, "--quiet"]) == 1
        out, err = capfd.readouterr()
        assert "heron" in out, form
        assert err == ""
    assert run(["hook", "--index", str(opened), "--format", "json"]) == 1
    assert [match["suspect"]["path"] for match in json.loads(capfd.readouterr().out)["matches"]] == ["new.py"]


def test_what_an_option_does_not_take_is_refused_as_ever(
    opened: Path, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run(["hook", "--index", str(opened), "--format", "papyrus"]) == 2
    assert "papyrus" in capfd.readouterr().err
    assert run(["hook", "--index", str(opened), "--fail-on", "somewhat"]) == 2
    assert "somewhat" in capfd.readouterr().err
    assert run(["hook", "--index", str(opened), "--output", str(tmp_path / "none" / "x.json")]) == 2
    assert run(["hook", "--index"]) == 2


def test_a_report_goes_to_a_file(opened: Path, root: Path, git: Git, capfd: pytest.CaptureFixture[str]) -> None:
    _stage(root, git, new=WARP)
    assert run(["hook", "--index", str(opened), "--output", "found.txt", "--fail-on", "very-strong"]) == 0
    assert "new.py" in (root / "found.txt").read_text()
    assert capfd.readouterr().err.startswith("detector: 1 finding")


def test_the_index_comes_from_the_environment_and_a_missing_one_says_how_to_build_it(
    opened: Path, root: Path, git: Git, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _stage(root, git, new=WARP)
    assert run(["hook"]) == 2
    assert "no index is named: give --index FILE, or set DETECTOR_INDEX" in capfd.readouterr().err
    assert run(["hook", "--index", "missing.db"]) == 2
    assert "missing.db: there is no such index; build one with: detector index add" in capfd.readouterr().err
    monkeypatch.setenv("DETECTOR_INDEX", os.pathsep.join([str(opened), str(opened)]))
    assert run(["hook"]) == 1


def test_what_cannot_be_read_is_incomplete(
    opened: Path, root: Path, git: Git, capfd: pytest.CaptureFixture[str]
) -> None:
    _stage(root, git, broken="def f(:\n")
    assert run(["hook", "--index", str(opened)]) == 3
    assert "not read: broken.py" in capfd.readouterr().out


def test_everything_counts_where_all_is_asked_for(
    opened: Path, root: Path, git: Git, capfd: pytest.CaptureFixture[str]
) -> None:
    _stage(root, git, new=WARP)
    git(root, "commit", "-q", "-m", "copied")
    assert run(["hook", "--index", str(opened)]) == 0
    assert run(["hook", "--index", str(opened), "--all"]) == 1


def test_a_sticky_comment_begins_with_its_mark_also_where_nothing_is_found(
    opened: Path, root: Path, git: Git, capfd: pytest.CaptureFixture[str]
) -> None:
    for text, heading in ((SPECTRUM, "Nothing in this change"), (WARP, "1 function of this change computes")):
        _stage(root, git, new=text)
        run(["hook", "--index", str(opened), "--format", "comment", "--quiet"])
        lines = capfd.readouterr().out.splitlines()
        assert lines[0] == comment.MARKER
        assert heading in lines[1]


RUN_AND_TELL = """
import sys
from contextlib import contextmanager
from detector import indexed
from tests.known import InMemoryIndex, plainly_scored
from tests.repositories import WARP
known = InMemoryIndex()
known.add("heron", {"heron.py": WARP})
@contextmanager
def open_known(path):
    yield known
indexed.open_known, indexed.scored, indexed.least_coincidence = open_known, plainly_scored, float
indexed.screened = lambda ours, theirs, pairs: [1e6] * len(pairs)
from detector.cli import run
print("code", run(sys.argv[1:]), "modules", *sys.modules, file=sys.stderr)
"""


@pytest.mark.parametrize("form", ["blocks", "sarif", "comment"])
@pytest.mark.parametrize(("text", "code"), [(SPECTRUM, 0), (DISGUISED, 1)])
def test_a_run_loads_nothing_that_takes_long(
    root: Path, git: Git, tmp_path: Path, text: str, code: int, form: str
) -> None:
    _stage(root, git, new=text)
    (tmp_path / "known.db").write_text("")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("GIT", "CI_", "DETECTOR"))}
    environment["PYTHONPATH"] = str(Path(__file__).parent.parent)
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            RUN_AND_TELL,
            "hook",
            "--index",
            str(tmp_path / "known.db"),
            "--quiet",
            "--format",
            form,
        ],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    told, _, modules = done.stderr.partition(" modules ")
    assert told == f"code {code}", done.stderr
    loaded = set(modules.split())
    assert "detector.hook" in loaded
    assert loaded.isdisjoint(FORBIDDEN)
