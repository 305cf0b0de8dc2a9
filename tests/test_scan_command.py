"""`detector scan` as a user types it: what it prints, what it leaves, what it ends with."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from detector.cli import run

FIXTURES = Path(__file__).parent.parent / "fixtures"


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    for project, name in (("original", "resampler.py"), ("rebadged", "projector.py")):
        (tmp_path / "models" / project).mkdir(parents=True)
        (source,) = (FIXTURES / project).rglob(name)
        shutil.copy(source, tmp_path / "models" / project / name)
    file = tmp_path / "scan.toml"
    file.write_text('index = "known.db"\n[[source]]\nkind = "folder"\npath = "models/*"\n', "utf-8")
    return file


def typed(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = run(["scan", *arguments])
    out, err = capsys.readouterr()
    return code, out, err


def test_what_is_found_is_printed_once_and_the_exit_code_says_so(
    plan: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = typed(capsys, str(plan), "--quiet")
    first, second, third = out.splitlines()
    assert (code, err) == (1, "")
    assert first.startswith("found: ")
    assert "2 listed, 2 looked at" in second
    assert second.endswith("of all members: 2 done")
    assert third == f"written to {plan.parent / 'scan-output'}: dashboard.html, findings.jsonl, occurrences.jsonl"
    code, out, _ = typed(capsys, str(plan), "--quiet")
    assert (code, "found" in out.splitlines()[0]) == (0, False)


def test_json_says_what_a_run_came_to(plan: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = typed(capsys, str(plan), "--quiet", "--format", "json", "--exit-zero")
    document: dict[str, Any] = json.loads(out)
    assert (code, document["schema"]) == (0, "detector-scan/1")
    assert document["members"] == {"done": 2}
    assert [each["kind"] for each in document["occurrences"]] == ["found"]
    assert (document["waiting"], document["unlisted"], document["uncompared"]) == (0, [], [])


def test_a_dry_run_says_what_would_be_fetched_and_leaves_nothing(
    plan: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = typed(capsys, str(plan), "--quiet", "--dry-run", "--limit", "1")
    assert code == 0
    assert "2 listed, 1 to look at; 1 more wait for later runs" in out
    assert out.endswith("nothing is stored\n")
    code, out, _ = typed(capsys, str(plan), "--quiet", "--dry-run", "--format", "json")
    assert json.loads(out)["schema"] == "detector-scan-estimate/1"
    assert sorted(path.name for path in plan.parent.iterdir()) == ["models", "scan.toml"]


def test_a_source_that_cannot_be_listed_makes_the_run_incomplete(
    plan: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(plan.parent / "models")
    code, out, err = typed(capsys, str(plan), "--quiet")
    assert (code, out.splitlines()[0].endswith("of all members: none")) == (3, True)
    assert err.startswith("not listed: folder ")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(("none.toml",), "cannot be read"), (("--since", "today"), "write a date"), (("--limit", "0"), "--limit")],
)
def test_a_wrong_command_ends_with_one_line_and_stores_nothing(
    plan: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    code, out, err = typed(capsys, *(arguments if len(arguments) == 1 else (str(plan), *arguments)), "--quiet")
    assert (code, out) == (2, "")
    assert said in err
    assert not (plan.parent / "scan.db").exists()
