"""action.yml, every step of it run in the environment that GitHub gives it, on pull requests and pushes."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.integrating import COPIED, OWN, ROOT, TEMPLATES, Place, place
from tests.workflow import Runner, action

NONE = "0" * 40


@pytest.fixture(scope="module")
def laid(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return place(tmp_path_factory.mktemp("github"))


@pytest.fixture
def here(laid: Place, request: pytest.FixtureRequest) -> Place:
    return Place(laid.home, request.node.name)


@pytest.fixture
def origin(here: Place) -> Path:
    """The project as GitHub has it."""
    return here.repository("project")


def pull_request(here: Place, origin: Path, files: dict[str, str], *, depth: int = 1, fork: bool = False) -> Runner:
    """A pull request with one commit, its merge checked out as actions/checkout does."""
    base = here.git(origin, "rev-parse", "main")
    here.git(origin, "checkout", "-q", "-b", "topic")
    head = here.commit(origin, files)
    here.git(origin, "checkout", "-q", "-b", "merging", "main")
    here.commit(origin, {"app/meanwhile.py": COPIED.replace("displace", "elsewhere")}, message="on main, meanwhile")
    here.git(origin, "branch", "-f", "main", "merging")
    here.git(origin, "merge", "-q", "--no-ff", "-m", "a merge", head)
    merge = here.git(origin, "rev-parse", "HEAD")
    here.git(origin, "update-ref", "refs/pull/7/merge", merge)
    here.git(origin, "checkout", "-q", "main")
    for branch in ("merging", "topic"):
        here.git(origin, "branch", "-D", branch)
    owner = "stranger/project" if fork else "owner/project"
    event = {
        "pull_request": {
            "number": 7,
            "base": {"sha": base, "ref": "main", "repo": {"full_name": "owner/project"}},
            "head": {"sha": head, "ref": "topic", "repo": {"full_name": owner, "fork": fork}},
        },
        "repository": {"default_branch": "main"},
    }
    workspace = checkout(here, origin, merge, depth)
    return Runner(here, workspace, "pull_request", event, merge, may_write=not fork)


def push(here: Place, origin: Path, before: str, branch: str = "main", *, depth: int = 1) -> Runner:
    """A push of what the branch holds now."""
    commit = here.git(origin, "rev-parse", branch)
    event = {"before": before, "after": commit, "ref": f"refs/heads/{branch}", "repository": {"default_branch": "main"}}
    return Runner(here, checkout(here, origin, commit, depth, branch), "push", event, commit)


def checkout(here: Place, origin: Path, commit: str, depth: int, branch: str = "") -> Path:
    """Check one commit out; `depth` 0 fetches all branches."""
    here.git(origin, "config", "uploadpack.allowAnySHA1InWant", "true")
    workspace = here.folder / "workspace"
    workspace.mkdir()
    here.git(workspace, "init", "-q", "-b", "workspace")
    here.git(workspace, "remote", "add", "origin", f"file://{origin}")
    refs = ["+refs/heads/*:refs/remotes/origin/*", commit] if not depth else [f"--depth={depth}", commit]
    here.git(workspace, "fetch", "-q", "--no-tags", "origin", *refs)
    here.git(workspace, "checkout", "-q", "--detach", commit)
    if depth and branch:
        here.git(workspace, "update-ref", f"refs/remotes/origin/{branch}", commit)
    return workspace


def by_bot(number: int, body: str) -> dict[str, Any]:
    return {"id": number, "user": {"type": "Bot", "login": "github-actions[bot]"}, "body": body}


def by_person(number: int, body: str) -> dict[str, Any]:
    return {"id": number, "user": {"type": "User", "login": "stranger"}, "body": body}


# --- what a run tells ---


def test_a_copied_function_in_a_pull_request_fails_the_job_and_is_told_in_every_place(
    here: Place, origin: Path
) -> None:
    runner = pull_request(here, origin, {"app/copied.py": COPIED})
    runner.comments = [by_person(1, "<!-- detector -->\nNothing found.")]  # made to look alike: it is left alone
    run = runner.run(index=str(here.index))
    assert run.failed == "Fail if there are findings"
    assert run.warnings == []
    assert (run.outputs["findings"], run.outputs["exit-code"]) == ("1", "1")
    assert "app/copied.py:4-9 displace" in run.log
    assert "app/meanwhile.py" not in run.log, "what the other branch got meanwhile is no part of the pull request"
    assert "displace" in run.summary
    (sarif,) = run.uploaded
    (result,) = sarif["runs"][0]["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "app/copied.py"
    assert [call[:4] for call in run.api] == [
        ["api", "--paginate", "repos/owner/project/issues/7/comments?per_page=100"],
        ["api", "--method", "POST", "repos/owner/project/issues/7/comments"],
    ]
    (body,) = run.bodies
    assert body.startswith("<!-- detector -->\n")
    assert "displace" in body


def test_own_functions_pass_without_a_comment_and_no_module_of_the_workspace_is_imported(
    here: Place, origin: Path
) -> None:
    trap = "raise SystemExit('this was run')\n"
    traps = {f"{name}.py": trap for name in ("json", "detector", "pip", "venv", "typer")}
    run = pull_request(here, origin, {"app/own.py": OWN, **traps}).run(index=str(here.index))
    assert "this was run" not in run.log
    assert run.failed == ""
    assert (run.outputs["findings"], run.outputs["exit-code"]) == ("0", "0")
    assert run.bodies == []
    assert run.uploaded[0]["runs"][0]["results"] == [], "an empty result takes older alerts back"


def test_the_comment_of_an_earlier_push_is_brought_up_to_date(here: Place, origin: Path) -> None:
    runner = pull_request(here, origin, {"app/own.py": OWN})
    runner.comments = [
        by_person(1, "<!-- detector -->\nNothing found."),
        by_bot(2, "another bot"),
        by_bot(3, "<!-- detector -->\n### 1 function ..."),
    ]
    run = runner.run(index=str(here.index))
    assert run.api[-1][:4] == ["api", "--method", "PATCH", "repos/owner/project/issues/comments/3"]
    assert run.bodies[0].startswith("<!-- detector -->\n### Nothing in this change")


def test_a_pull_request_from_a_fork_is_looked_up_though_nothing_can_be_written(here: Place, origin: Path) -> None:
    run = pull_request(here, origin, {"app/copied.py": COPIED}, fork=True).run(index=str(here.index))
    assert run.failed == "Fail if there are findings"
    assert run.warnings == ["Upload to code scanning"]
    assert "::notice title=detector::No comment was written" in run.log
    assert "displace" in run.summary


def test_a_machine_without_the_program_for_comments_says_so(here: Place, origin: Path) -> None:
    runner = pull_request(here, origin, {"app/copied.py": COPIED})
    runner.has_gh = False
    run = runner.run(index=str(here.index))
    assert "::notice title=detector::No comment was written" in run.log
    assert run.failed == "Fail if there are findings"


def test_nothing_fails_nothing_is_commented_and_nothing_uploaded_where_it_is_not_wanted(
    here: Place, origin: Path
) -> None:
    runner = pull_request(here, origin, {"app/copied.py": COPIED})
    run = runner.run(index=str(here.index), fail="false", comment="false", sarif="false")
    assert run.failed == ""
    assert run.outputs["findings"] == "1"
    assert run.api == []
    assert run.uploaded == []
    assert "displace" in run.summary


# --- which commits ---


def test_a_push_is_held_against_what_was_there_before(here: Place, origin: Path) -> None:
    before = here.commit(origin, {"app/old.py": COPIED})
    here.commit(origin, {"app/own.py": OWN})
    assert push(here, origin, before).run(index=str(here.index)).outputs["findings"] == "0"


def test_a_copied_function_in_a_push_fails_and_comments_nowhere(here: Place, origin: Path) -> None:
    before = here.git(origin, "rev-parse", "main")
    here.commit(origin, {"app/own.py": OWN})
    here.commit(origin, {"app/copied.py": COPIED})
    run = push(here, origin, before).run(index=str(here.index))
    assert run.outputs["findings"] == "1"
    assert run.failed == "Fail if there are findings"
    assert run.api == []


@pytest.mark.parametrize("before", [NONE, "1" * 40], ids=["new", "forced"])
def test_a_new_branch_and_one_whose_end_was_overwritten_are_held_against_the_default_branch(
    before: str, here: Place, origin: Path
) -> None:
    here.commit(origin, {"app/old.py": COPIED})
    here.git(origin, "checkout", "-q", "-b", "topic")
    here.commit(origin, {"app/new.py": COPIED.replace("offsets.permute(0, 2, 3, 1)", "offsets.movedim(1, -1)")})
    here.git(origin, "checkout", "-q", "main")
    run = push(here, origin, before, "topic", depth=0).run(index=str(here.index))
    assert run.outputs["findings"] == "1"
    assert "app/new.py:4-9 displace" in run.log


def test_a_branch_that_is_deleted_is_no_change(here: Place, origin: Path) -> None:
    runner = push(here, origin, here.git(origin, "rev-parse", "main"))
    runner.event = {**runner.event, "after": NONE}
    run = runner.run(index=str(here.index))
    assert (run.failed, run.outputs["findings"]) == ("", "0")


# --- the index ---


def test_an_index_is_made_once_and_brought_up_to_date_in_a_new_week(here: Place, origin: Path) -> None:
    runner = pull_request(here, origin, {"app/copied.py": COPIED})
    targets = f"\n  {here.home / 'flowlib'}  \n"
    first = runner.run(targets=targets, known="false")
    assert {"Make the index", "Put the index into the cache"} <= set(first.ran)
    assert first.outputs["findings"] == "1"
    ((key, made),) = runner.cache.items()
    assert re.fullmatch(r"detector-index-[0-9a-f]{32}-20\d\d-\d\d", key)
    again = runner.run(targets=targets, known="false")
    assert "Make the index" not in again.ran
    assert again.outputs["findings"] == "1"
    for last_week, told in ((made, "replaced flowlib"), (b"what is this", "added flowlib")):
        runner.cache = {f"{key[:-7]}2020-01": last_week}
        run = runner.run(targets=targets, known="false")
        assert told in run.log
        assert run.outputs["findings"] == "1"
        assert key in runner.cache


def test_the_entry_of_the_cache_is_another_for_other_contents(here: Place) -> None:
    names = set()
    for targets, known in (("a", "true"), ("b", "true"), ("a\nb", "true"), ("a", "false"), (" a\n", "true")):
        output = here.folder / "output"
        told = {"GITHUB_OUTPUT": str(output), "GITHUB_ACTION_PATH": str(ROOT)}
        told |= {"INPUT_TARGETS": targets, "INPUT_KNOWN": known}
        here.run(sys.executable, TEMPLATES / "github_action.py", "key", at=here.folder, code=0, **told)
        names |= set(re.findall("key=(.*)", output.read_text("utf-8")))
    assert len(names) == 4


# --- what goes wrong ---


@pytest.mark.parametrize("inputs", [{"index": "gone.db"}, {"index": "README.md"}])
def test_an_error_fails_the_job_even_where_findings_do_not(inputs: dict[str, str], here: Place, origin: Path) -> None:
    run = pull_request(here, origin, {"app/own.py": OWN}).run(fail="false", **inputs)
    assert run.failed == "Fail if there are findings"
    assert run.outputs["exit-code"] == "2"
    assert run.outputs["sarif"] == ""
    assert "could not look anything up" in run.summary
    assert run.api == []


def test_no_name_in_a_pull_request_commands_the_runner(here: Place, origin: Path) -> None:
    name = "::error file=a::b/::set-output name=findings::0\n::add-mask::x.py"
    files = {name: COPIED, "::warning::own.py": COPIED.replace("displace", "further")}
    run = pull_request(here, origin, files).run(index=str(here.index))
    assert run.outputs["findings"] == "2"
    obeyed, stopped = [], ""
    for line in run.log.splitlines():
        if stopped:
            stopped = "" if line == f"::{stopped}::" else stopped
        elif found := re.fullmatch(r"::stop-commands::([0-9a-f]{32})", line):
            stopped = found[1]
        elif line.lstrip().startswith("::"):
            obeyed.append(line)
    assert obeyed == []
    assert "stop-commands" in run.log


# --- the file itself ---


def test_the_text_of_no_step_holds_an_expression() -> None:
    for step in action()["runs"]["steps"]:
        assert "${{" not in step.get("run", ""), step["name"]
        assert ("run" in step) == (step.get("shell") == "bash"), step["name"]


def test_every_action_that_is_used_is_pinned_to_a_commit_and_says_its_version() -> None:
    text = (ROOT / "action.yml").read_text("utf-8")
    used = re.findall(r"uses: (.*)", text)
    assert len(used) == sum("uses" in step for step in action()["runs"]["steps"])
    assert all(re.fullmatch(r"(?:actions|github)/[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", each) for each in used), used


def test_every_input_is_used_and_every_value_that_is_used_is_declared() -> None:
    described = action()
    text = (ROOT / "action.yml").read_text("utf-8")
    assert set(re.findall(r"inputs\.([\w-]+)", text)) == set(described["inputs"])
    identities = {step["id"] for step in described["runs"]["steps"] if "id" in step}
    assert set(re.findall(r"steps\.([\w-]+)\.", text)) <= identities
