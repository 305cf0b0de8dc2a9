"""`detector index`, as it is typed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from detector.index.postings import runs_of
from detector.index.store import open_index
from detector.read import open_target
from tests.index_corpora import ROOT, change, project, run, source

ORIGINAL, REBADGED = "fixtures/original", "fixtures/rebadged"


def _run(*arguments: str | Path) -> tuple[int, str, str]:
    done = run("index", *arguments, cwd=ROOT)
    return done.returncode, done.stdout, done.stderr


def test_a_day_of_an_index(tmp_path: Path) -> None:
    index = ("--index", tmp_path / "known.db")
    code, out, told = _run("add", ORIGINAL, REBADGED, *index)
    assert (code, out) == (0, "")
    assert "added original: 91 functions in 10 files; 10 files read anew, 0 known" in told
    assert "10 known" in _run("add", ORIGINAL, *index)[2]
    code, out, _ = _run("list", *index)
    assert code == 0
    assert out.splitlines()[0].split() == ["original", "-", "91", "functions", "10", "files", "Apache-2.0", ORIGINAL]
    listed = json.loads(_run("list", "--format", "json", *index)[1])
    assert listed["schema"] == "detector-index-list/1"
    assert [row["packages"] for row in listed["targets"]] == [["heronvl"], ["kestrel"]]
    assert _run("info", *index)[1].splitlines()[2].split()[:2] == ["functions", "184,"]
    assert _run("verify", *index) == (0, "sound: 2 targets\n", "")
    assert _run("verify", "--quick", *index)[0] == 0
    assert _run("export", tmp_path / "known.export", *index)[0] == 0
    assert "removed original" in _run("remove", "original", *index)[2]
    code, out, told = _run("import", tmp_path / "known.export", *index)
    assert (code, told) == (0, "took in 2 targets: original, rebadged\n")
    assert len(_run("list", *index)[1].splitlines()) == 2


def test_a_command_leaves_the_postings_of_all_that_it_added_together(tmp_path: Path) -> None:
    path = tmp_path / "known.db"
    sizes = {"large": range(40), "smaller": range(40, 50), "smallest": range(50, 52)}
    targets = {name: project(tmp_path / name, {"a.py": source(*numbers)}) for name, numbers in sizes.items()}
    with open_index(path, create=True) as index, open_target(str(targets["large"])) as repo:
        index.add(repo)
    with open_index(path, write=True) as index, open_target(str(targets["smaller"])) as repo:
        index.add(repo)
        assert len(runs_of(index.connection)) == 2
    assert _run("add", targets["smallest"], "--index", path)[0] == 0
    with open_index(path) as index:
        assert len(runs_of(index.connection)) == 1
        assert list(index.verify()) == []


def test_what_is_no_index_is_told_once_for_each_target_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "known.db"
    path.write_text("no index\n")
    code, _, told = _run("add", ORIGINAL, REBADGED, "--index", path)
    assert (code, told.count("not an index"), told.count("\n")) == (2, 2, 2)
    assert path.read_text() == "no index\n"


def test_the_index_may_be_named_by_a_variable(tmp_path: Path) -> None:
    environment = os.environ | {"DETECTOR_INDEX": str(tmp_path / "known.db"), "NO_COLOR": "1"}
    command = [sys.executable, "-m", "detector", "index"]
    for arguments in (["add", ORIGINAL], ["list"]):
        done = subprocess.run([*command, *arguments], env=environment, cwd=ROOT, capture_output=True, check=True)
    assert b"original" in done.stdout


def test_without_an_index_the_command_says_what_is_missing() -> None:
    code, _, told = _run("list")
    assert code == 2
    assert "--index" in told


def test_damage_is_told_with_what_to_do_and_another_exit_code(tmp_path: Path) -> None:
    index = tmp_path / "known.db"
    _run("add", ORIGINAL, "--index", index)
    change(index, "UPDATE pack SET bytes = x'00' WHERE number = 2")
    code, out, _ = _run("verify", "--index", index)
    assert code == 1
    assert f"add again {ORIGINAL}" in out
    assert _run("remove", "nothing", "--index", index)[0] == 2


def test_an_index_of_nothing_says_so(tmp_path: Path) -> None:
    _run("add", ORIGINAL, "--index", tmp_path / "known.db")
    _run("remove", ORIGINAL, "--index", tmp_path / "known.db")
    assert _run("list", "--index", tmp_path / "known.db")[1] == "no targets\n"


def test_names_from_strangers_do_not_command_a_terminal(tmp_path: Path) -> None:
    folder = project(tmp_path / "p\x1b[31m\u202e", {"a.py": source(3)})
    index = tmp_path / "known.db"
    for command in (("add", folder), ("list",), ("verify",), ("remove", folder)):
        code, out, told = _run(*command, "--index", index)
        assert code == 0
        assert "\x1b" not in out + told
        assert "\u202e" not in out + told


def test_an_import_of_what_is_not_there_is_one_line(tmp_path: Path) -> None:
    code, _, told = _run("import", tmp_path / "nowhere", "--index", tmp_path / "known.db")
    assert code == 2
    assert told.count("\n") == 1
    assert not (tmp_path / "known.db").exists()
