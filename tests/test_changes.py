"""What a change consists of: staged files, ranges of commits, what CI says of them, and repositories that mean harm."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from detector.model import Lines, Role, Skipped, UserError
from detector.read import plumbing
from detector.read.changes import read_changes
from detector.read.hunks import EVERY, in_all, of_patch, of_texts, touches
from detector.read.limits import MAX_FILE_BYTES
from detector.targets import Changes

Git = Callable[..., str]

ONE = "def one(x):\n    return x + 1\n"
TWO = "def two(x):\n    y = x * 2\n    return y\n"
ZEROS = "0" * 40


@pytest.fixture
def root(tmp_path: Path, git: Git) -> Path:
    """A repository with one commit: a.py, which holds two functions, and package/b.py."""
    folder = tmp_path / "project"
    (folder / "package").mkdir(parents=True)
    git(folder, "init", "-q", "-b", "main")
    (folder / "a.py").write_text(ONE + TWO)
    (folder / "package" / "b.py").write_text(ONE)
    (folder / "README").write_text("no Python\n")
    _commit(folder, git, "one")
    return folder


def _commit(root: Path, git: Git, message: str) -> str:
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", message)
    return git(root, "rev-parse", "HEAD")


def _read(root: Path, *names: str, variables: dict[str, str] | None = None, **options: object) -> Changes:
    environment = {"PATH": os.environ["PATH"], "HOME": str(root.parent), **(variables or {})}
    return read_changes(names, environment=environment, folder=str(root), **options)  # type: ignore[arg-type]


def _lines(changes: Changes) -> dict[str, tuple[Lines, ...]]:
    return {each.file.path: each.lines for each in changes.files}


def _before(changes: Changes) -> set[tuple[str, bytes]]:
    return {(file.path, file.data) for file in changes.before()}


# --- what is staged ---


def test_only_what_is_staged_belongs_to_a_commit(root: Path, git: Git) -> None:
    (root / "a.py").write_text(ONE + TWO.replace("* 2", "* 3"))
    git(root, "add", "a.py")
    (root / "a.py").write_text(ONE.replace("1", "7") + TWO)
    (root / "package" / "b.py").write_text("changed = 1\n")
    changes = _read(root)
    assert _lines(changes) == {"a.py": ((4, 4),)}
    assert changes.files[0].file.data == (ONE + TWO.replace("* 2", "* 3")).encode()
    assert _before(changes) == {("a.py", (ONE + TWO).encode())}
    assert changes.revision == git(root, "rev-parse", "HEAD") + "+changes"


def test_nothing_staged_is_an_empty_change(root: Path) -> None:
    assert _read(root).files == ()
    assert _read(root).paths == ("a.py", "package/b.py")


def test_of_a_new_file_every_line_is_new_and_files_that_are_no_python_are_left_out(root: Path, git: Git) -> None:
    (root / "new.py").write_text(ONE)
    (root / "data.json").write_text("{}")
    (root / "tool").write_text("#!/usr/bin/env python3\n" + ONE)
    (root / "script").write_text("#!/bin/sh\n")
    for name in ("tool", "script"):
        (root / name).chmod(0o755)
    git(root, "add", "-A")
    changes = _read(root)
    assert _lines(changes) == {"new.py": (EVERY,), "tool": (EVERY,)}
    assert "new.py" in changes.paths


def test_the_first_commit_of_a_repository_is_all_new(tmp_path: Path, git: Git) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / "a.py").write_text(ONE)
    git(tmp_path, "add", "a.py")
    changes = _read(tmp_path)
    assert (_lines(changes), changes.revision, list(changes.before())) == ({"a.py": (EVERY,)}, "", [])


def test_a_moved_file_is_not_touched_and_one_that_is_moved_and_edited_only_where_it_is_edited(
    root: Path, git: Git
) -> None:
    git(root, "mv", "package/b.py", "package/c.py")
    git(root, "mv", "a.py", "z.py")
    (root / "z.py").write_text(ONE + TWO.replace("y = x", "y = 3 + x"))
    git(root, "add", "-A")
    changes = _read(root)
    assert _lines(changes) == {"z.py": ((4, 4),)}
    assert ("a.py", (ONE + TWO).encode()) in _before(changes)


def test_what_a_deleted_file_held_is_what_was_there_before(root: Path, git: Git) -> None:
    git(root, "rm", "-q", "package/b.py")
    (root / "c.py").write_text(TWO)
    git(root, "add", "-A")
    changes = _read(root)
    assert _lines(changes) == {"c.py": (EVERY,)}
    assert ("package/b.py", ONE.encode()) in _before(changes)


def test_a_line_that_is_taken_out_touches_the_lines_beside_it(root: Path, git: Git) -> None:
    (root / "a.py").write_text(ONE + "def two(x):\n    return y\n")
    git(root, "add", "a.py")
    ((first, last),) = _lines(_read(root))["a.py"]
    assert (first, last) == (3, 4)


def test_a_merge_adds_only_what_neither_side_had(root: Path, git: Git) -> None:
    git(root, "checkout", "-q", "-b", "topic")
    (root / "topic.py").write_text(TWO)
    (root / "a.py").write_text(ONE + TWO.replace("* 2", "* 5"))
    _commit(root, git, "topic")
    git(root, "checkout", "-q", "main")
    (root / "main.py").write_text(TWO)
    _commit(root, git, "main")
    git(root, "merge", "-q", "--no-commit", "--no-ff", "topic")
    assert _lines(_read(root)) == {}
    (root / "a.py").write_text(ONE + TWO.replace("* 2", "* 5") + "z = 1\n")
    git(root, "add", "a.py")
    changes = _read(root)
    assert _lines(changes) == {"a.py": ((6, 6),)}
    assert {data for path, data in _before(changes) if path == "a.py"} == {
        (ONE + TWO).encode(),
        (ONE + TWO.replace("* 2", "* 5")).encode(),
    }


def test_a_file_whose_merge_is_not_decided_is_told(root: Path, git: Git) -> None:
    git(root, "checkout", "-q", "-b", "topic")
    (root / "a.py").write_text("x = 1\n")
    _commit(root, git, "topic")
    git(root, "checkout", "-q", "main")
    (root / "a.py").write_text("x = 2\n")
    _commit(root, git, "main")
    with pytest.raises(Exception, match="merge"):
        git(root, "merge", "-q", "topic")
    assert _read(root).skipped == (Skipped("a.py", "its merge is not decided yet"),)


def test_links_submodules_and_binary_data_do_no_harm(root: Path, git: Git, tmp_path: Path) -> None:
    (root / "link.py").symlink_to("a.py")
    (root / "noise.py").write_bytes(bytes(range(256)) * 10)
    git(root, "add", "-A")
    head = git(root, "rev-parse", "HEAD")
    git(root, "update-index", "--add", "--cacheinfo", f"160000,{head},module.py")
    assert _lines(_read(root)) == {"noise.py": (EVERY,)}


def test_a_link_that_becomes_a_file_is_new(root: Path, git: Git) -> None:
    (root / "link.py").symlink_to("a.py")
    _commit(root, git, "link")
    (root / "link.py").unlink()
    (root / "link.py").write_text(TWO)
    git(root, "add", "-A")
    assert _lines(_read(root)) == {"link.py": (EVERY,)}


def test_a_huge_file_is_skipped_and_told(root: Path, git: Git) -> None:
    (root / "huge.py").write_bytes(b"x = 1\n" * (MAX_FILE_BYTES // 6 + 1))
    git(root, "add", "-A")
    assert [skipped.path for skipped in _read(root).skipped] == ["huge.py"]


@pytest.mark.parametrize(
    "name", ['quo"te.py', "new\nline.py", "tab\t.py", "blank .py", "-dash.py", ":colon.py", "ü.py"]
)
def test_odd_names_are_read_and_shown_safely(root: Path, git: Git, name: str) -> None:
    (root / name).write_text(ONE)
    _commit(root, git, "odd")
    (root / name).write_text(TWO.replace("two", "one"))
    git(root, "add", "-A")
    (changed,) = _read(root).files
    assert changed.file.path.isprintable()
    assert changed.lines == ((2, 3),)


def test_a_name_of_other_bytes_is_read_and_shown_safely(root: Path, git: Git) -> None:
    path = os.path.join(os.fsencode(root), b"\xff\xfe.py")
    Path(os.fsdecode(path)).write_text(ONE)
    git(root, "add", "-A")
    (changed,) = _read(root).files
    assert (changed.file.path, changed.lines) == ("\\xff\\xfe.py", (EVERY,))


def test_a_line_of_a_file_cannot_pass_for_a_hunk(root: Path, git: Git) -> None:
    (root / "a.py").write_text(ONE + TWO + "@@ -1 +1,999 @@\nindex 0..1\n")
    git(root, "add", "-A")
    assert _lines(_read(root)) == {"a.py": ((6, 7),)}


def test_what_the_index_of_an_explicit_commit_holds_is_read(root: Path, git: Git, tmp_path: Path) -> None:
    """`git commit FILE` runs its hooks with an index of its own."""
    index = root / ".git" / "other-index"
    (root / "a.py").write_text(ONE)
    index.write_bytes((root / ".git" / "index").read_bytes())
    (root / "c.py").write_text(ONE)
    git(root, "add", "c.py")  # into the index that is not asked
    changes = _read(root, variables={"GIT_INDEX_FILE": ".git/other-index"})
    assert changes.files == ()


def test_a_linked_work_tree_has_its_own_staged_files(root: Path, git: Git, tmp_path: Path) -> None:
    git(root, "worktree", "add", "-q", str(tmp_path / "linked"), "-b", "other")
    (tmp_path / "linked" / "new.py").write_text(ONE)
    git(tmp_path / "linked", "add", "-A")
    assert _lines(_read(tmp_path / "linked")) == {"new.py": (EVERY,)}
    assert _lines(_read(root)) == {}


# --- names ---


def test_names_narrow_the_change_and_are_relative_to_where_they_are_said(root: Path, git: Git) -> None:
    (root / "a.py").write_text(ONE)
    (root / "package" / "b.py").write_text(TWO)
    git(root, "add", "-A")
    assert set(_lines(_read(root, "a.py"))) == {"a.py"}
    assert set(_lines(_read(root, "package"))) == {"package/b.py"}
    assert set(_lines(_read(root / "package", "b.py"))) == {"package/b.py"}
    assert set(_lines(_read(root / "package", "../a.py", str(root / "package" / "b.py")))) == {"a.py", "package/b.py"}
    assert set(_lines(_read(root, "README"))) == set()


def test_a_named_file_that_is_not_staged_is_read_from_disk(root: Path, git: Git) -> None:
    (root / "a.py").write_text(ONE + TWO.replace("* 2", "* 4"))
    (root / "new.py").write_text(TWO)
    changes = _read(root, "a.py", "new.py", "package/b.py")
    assert _lines(changes) == {"a.py": ((4, 4),), "new.py": (EVERY,)}
    assert _before(changes) == {("a.py", (ONE + TWO).encode())}
    assert "new.py" in changes.paths


def test_a_name_that_is_nowhere_and_one_outside_are_refused(root: Path) -> None:
    with pytest.raises(UserError, match="there is no such file"):
        _read(root, "missing.py")
    with pytest.raises(UserError, match="outside of the repository"):
        _read(root, "../elsewhere.py")


def test_outside_of_a_repository_everything_in_the_named_files_is_new(tmp_path: Path) -> None:
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "b.py").write_text(ONE)
    (tmp_path / "a.py").write_text(TWO)
    changes = _read(tmp_path, "a.py", "package")
    assert _lines(changes) == {"a.py": (EVERY,), "package/b.py": (EVERY,)}
    with pytest.raises(UserError, match="not in a git repository"):
        _read(tmp_path)
    with pytest.raises(UserError, match="not in a git repository"):
        _read(tmp_path, from_ref="a", to_ref="b")


def test_everything_is_new_where_everything_is_asked_for(root: Path, git: Git) -> None:
    (root / "new.py").write_text(ONE)
    git(root, "add", "-A")
    changes = _read(root, every=True)
    assert _lines(changes) == dict.fromkeys(("a.py", "new.py", "package/b.py"), (EVERY,))
    assert list(changes.before()) == []
    assert set(_lines(_read(root, "package", every=True))) == {"package/b.py"}
    assert set(_lines(_read(root, every=True, to_ref="HEAD"))) == {"a.py", "package/b.py"}


# --- ranges ---


def test_a_range_is_held_against_where_its_two_ends_part(root: Path, git: Git) -> None:
    base = git(root, "rev-parse", "HEAD")
    git(root, "checkout", "-q", "-b", "topic")
    (root / "topic.py").write_text(TWO)
    tip = _commit(root, git, "topic")
    git(root, "checkout", "-q", "main")
    (root / "main.py").write_text(ONE)
    _commit(root, git, "main")
    (root / "staged.py").write_text(ONE)
    git(root, "add", "-A")
    changes = _read(root, from_ref="main", to_ref="topic")
    assert (_lines(changes), changes.revision, changes.about) == ({"topic.py": (EVERY,)}, tip, "main..topic")
    assert changes.paths == ("a.py", "package/b.py", "topic.py")
    assert set(_lines(_read(root, from_ref=base))) == {"main.py"}  # to HEAD


def test_what_the_old_end_of_a_forced_push_had_is_not_new(root: Path, git: Git) -> None:
    git(root, "checkout", "-q", "-b", "topic")
    (root / "topic.py").write_text(TWO)
    old = _commit(root, git, "topic")
    git(root, "commit", "-q", "--amend", "-m", "again")
    changes = _read(root, from_ref=old, to_ref="topic")
    assert set(_lines(changes)) == {"topic.py"}
    assert _before(changes) == {("topic.py", TWO.encode())}


def test_a_root_commit_and_a_history_of_its_own_are_held_against_what_is_given(root: Path, git: Git) -> None:
    git(root, "checkout", "-q", "--orphan", "other")
    git(root, "rm", "-rqf", ".")
    (root / "c.py").write_text("import math\n" * 30)
    _commit(root, git, "other")
    assert set(_lines(_read(root, from_ref="main", to_ref="other"))) == {"c.py"}
    assert set(_lines(_read(root, from_ref=ZEROS, to_ref="other"))) == {"c.py"}


def test_a_new_branch_is_held_against_what_the_remote_has(root: Path, git: Git, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", str(root), "copy")
    copy = tmp_path / "copy"
    git(copy, "checkout", "-q", "-b", "topic")
    (copy / "topic.py").write_text(TWO)
    _commit(copy, git, "topic")
    assert set(_lines(_read(copy, from_ref=ZEROS, to_ref="topic"))) == {"topic.py"}
    assert _lines(_read(copy, from_ref=ZEROS, to_ref="main")) == {}
    assert set(_lines(_read(root, from_ref=ZEROS, to_ref="main"))) == {"a.py", "package/b.py"}  # it has no remote


def test_a_deleted_branch_adds_nothing(root: Path) -> None:
    changes = _read(root, from_ref="main", to_ref=ZEROS)
    assert (changes.files, changes.about) == ((), "a branch that is deleted")


def test_a_shallow_clone_is_told_how_to_get_what_is_missing(root: Path, git: Git, tmp_path: Path) -> None:
    base = git(root, "rev-parse", "HEAD")
    for number in range(3):
        (root / "a.py").write_text(ONE * (number + 2))
        _commit(root, git, str(number))
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{root}", "shallow")
    with pytest.raises(UserError, match=f"{base} is not in this copy of the repository: fetch it"):
        _read(tmp_path / "shallow", from_ref=base, to_ref="HEAD")
    git(tmp_path / "shallow", "fetch", "-q", "--depth", "1", "origin", base)
    with pytest.raises(UserError, match="shallow clone ends before the change began"):
        _read(tmp_path / "shallow", from_ref=base, to_ref="HEAD")


def test_objects_of_a_push_that_is_not_accepted_yet_are_read(root: Path, git: Git, tmp_path: Path) -> None:
    """As in a pre-receive hook: they wait in a folder of their own, and no ref leads to them."""
    git(tmp_path, "clone", "-q", "--bare", str(root), "server.git")
    server, seen = tmp_path / "server.git", tmp_path / "seen"
    hook = server / "hooks" / "pre-receive"
    hook.write_text(f"#!/bin/sh\nenv > {seen}\ncat > {seen}.refs\ncp -r $GIT_QUARANTINE_PATH {tmp_path}/kept\nexit 1\n")
    hook.chmod(0o755)
    git(root, "checkout", "-q", "-b", "topic")
    (root / "topic.py").write_text(TWO)
    new = _commit(root, git, "topic")
    with pytest.raises(Exception, match="push"):
        git(root, "push", "-q", str(server), "topic")
    told = dict(line.split("=", 1) for line in seen.read_text().splitlines() if line.startswith("GIT_"))
    old, pushed, _ = Path(f"{seen}.refs").read_text().split()
    assert (old, pushed) == (ZEROS, new)
    told |= {"GIT_OBJECT_DIRECTORY": str(tmp_path / "kept"), "GIT_QUARANTINE_PATH": str(tmp_path / "kept")}
    changes = _read(server, from_ref=old, to_ref=pushed, variables=told)
    assert _lines(changes) == {"topic.py": (EVERY,)}
    assert changes.name == "server"


# --- what hooks and CI say ---


@pytest.fixture
def forked(root: Path, git: Git, tmp_path: Path) -> Path:
    """A clone with `topic` checked out, one commit ahead of where it was made; `main` has gone on since."""
    git(root, "checkout", "-q", "-b", "topic")
    (root / "topic.py").write_text(TWO)
    _commit(root, git, "topic")
    git(root, "checkout", "-q", "main")
    (root / "main.py").write_text(ONE)
    _commit(root, git, "main")
    git(tmp_path, "clone", "-q", "-b", "topic", str(root), "forked")
    return tmp_path / "forked"


def test_pre_commit_says_which_range_is_pushed(forked: Path, git: Git) -> None:
    told = {"PRE_COMMIT_FROM_REF": "origin/main", "PRE_COMMIT_TO_REF": "topic"}
    assert set(_lines(_read(forked, variables=told))) == {"topic.py"}
    assert set(_lines(_read(forked, "a.py", variables=told))) == set()
    older = {"PRE_COMMIT_SOURCE": "origin/main", "PRE_COMMIT_ORIGIN": "topic"}
    assert set(_lines(_read(forked, variables=older))) == {"topic.py"}


def _github(folder: Path, git: Git, name: str, event: dict[str, object], **more: str) -> dict[str, str]:
    path = folder.parent / "event.json"
    path.write_text(json.dumps(event))
    return {
        "GITHUB_ACTIONS": "true",
        "GITHUB_EVENT_NAME": name,
        "GITHUB_EVENT_PATH": str(path),
        "GITHUB_SHA": git(folder, "rev-parse", "HEAD"),
        **more,
    }


def test_a_pull_request_adds_what_its_merge_adds_to_the_target_branch(forked: Path, git: Git) -> None:
    base = git(forked, "rev-parse", "origin/main~1")
    event: dict[str, object] = {"pull_request": {"base": {"sha": base}, "head": {"sha": "f" * 40}}}
    git(forked, "checkout", "-q", "--detach", "origin/main")
    git(forked, "merge", "-q", "--no-ff", "-m", "merge", "origin/topic")
    told = _github(forked, git, "pull_request", event, GITHUB_BASE_REF="main")
    assert set(_lines(_read(forked, variables=told))) == {"topic.py"}
    git(forked, "checkout", "-q", "topic")  # what somebody checks out in place of the merge
    told = _github(forked, git, "pull_request", event, GITHUB_BASE_REF="main")
    assert set(_lines(_read(forked, variables=told))) == {"topic.py"}


def test_a_push_to_github_says_where_it_began(forked: Path, git: Git) -> None:
    before, after = (git(forked, "rev-parse", name) for name in ("HEAD~1", "HEAD"))
    event: dict[str, object] = {"before": before, "after": after, "repository": {"default_branch": "main"}}
    assert set(_lines(_read(forked, variables=_github(forked, git, "push", event)))) == {"topic.py"}
    # New, or its former end overwritten: what it has since it left the default branch.
    for lost in (ZEROS, "e" * 40):
        told = _github(forked, git, "push", event | {"before": lost})
        assert set(_lines(_read(forked, variables=told))) == {"topic.py"}


def test_an_event_that_names_no_commits_asks_for_them(forked: Path, git: Git) -> None:
    with pytest.raises(UserError, match="'schedule' of GitHub names no commits: give --from-ref"):
        _read(forked, variables=_github(forked, git, "schedule", {}))
    assert set(_lines(_read(forked, "a.py", variables=_github(forked, git, "schedule", {})))) == set()


@pytest.mark.parametrize(
    "text", ["", "[" * 100_000, "[]", '{"pull_request": 3}', "\ud800".encode("utf-8", "replace").decode()]
)
def test_an_event_that_is_none_is_one_clear_line_or_no_range(forked: Path, git: Git, text: str) -> None:
    told = _github(forked, git, "workflow_dispatch", {})
    Path(told["GITHUB_EVENT_PATH"]).write_text(text)
    with pytest.raises(UserError):
        _read(forked, variables=told)


def test_gitlab_says_where_a_merge_request_and_a_push_begin(forked: Path, git: Git) -> None:
    head, base = (git(forked, "rev-parse", name) for name in ("HEAD", "HEAD~1"))
    told = {"GITLAB_CI": "true", "CI_COMMIT_SHA": head, "CI_DEFAULT_BRANCH": "main"}
    for more in (
        {"CI_MERGE_REQUEST_DIFF_BASE_SHA": base, "CI_COMMIT_BEFORE_SHA": ZEROS},
        {"CI_COMMIT_BEFORE_SHA": base},
        {"CI_COMMIT_BEFORE_SHA": ZEROS},
    ):
        assert set(_lines(_read(forked, variables=told | more))) == {"topic.py"}
    with pytest.raises(UserError, match="set the variable GIT_DEPTH to 0"):
        _read(forked, variables={**told, "CI_MERGE_REQUEST_DIFF_BASE_SHA": "d" * 40, "CI_DEFAULT_BRANCH": ""})


def test_what_is_given_counts_before_what_the_environment_says(forked: Path, git: Git) -> None:
    told = {"PRE_COMMIT_FROM_REF": "origin/main", "PRE_COMMIT_TO_REF": "topic"}
    changes = _read(forked, from_ref="origin/topic~1", to_ref="origin/main", variables=told)
    assert set(_lines(changes)) == {"main.py"}


# --- repositories that mean harm ---


def test_nothing_that_a_repository_configures_is_run(root: Path, git: Git, tmp_path: Path) -> None:
    touched = tmp_path / "touched"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {touched}\ncat\n")
    program.chmod(0o755)
    (root / ".gitattributes").write_text("*.py filter=harm diff=harm merge=harm -text\n*.py binary\n*.py diff=harm\n")
    _commit(root, git, "attributes")
    (root / "a.py").write_text(ONE)
    git(root, "add", "-A")
    for key in (
        "core.fsmonitor",
        "core.sshCommand",
        "diff.external",
        "diff.harm.command",
        "diff.harm.textconv",
        "filter.harm.clean",
        "filter.harm.smudge",
        "filter.harm.process",
        "core.pager",
        "pager.diff-index",
        "core.alternateRefsCommand",
    ):
        git(root, "config", key, str(program))
    told = {"GIT_EXTERNAL_DIFF": str(program), "GIT_PAGER": str(program), "GIT_DIFF_OPTS": "-u3"}
    assert set(_lines(_read(root, "a.py", "package/b.py", variables=told))) == {"a.py"}
    assert set(_lines(_read(root, from_ref="HEAD~1", to_ref="HEAD", variables=told))) == set()
    assert not touched.exists()


def test_a_git_that_does_not_answer_is_not_waited_for(
    root: Path, git: Git, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plumbing, "GIT_SILENCE_SECONDS", 0.2)
    program = tmp_path / "bin" / "git"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(UserError):
        _read(root)


def test_a_machine_without_git_is_told_to_install_it(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="git is not installed"):
        read_changes((), environment={"PATH": str(tmp_path)}, folder=str(root))


def test_a_damaged_repository_is_one_clear_line(root: Path, git: Git) -> None:
    (root / "a.py").write_text(ONE)
    git(root, "add", "-A")
    for path in (root / ".git" / "objects").rglob("*"):
        if path.is_file():
            path.chmod(0o644)
            path.write_bytes(b"x")
    with pytest.raises(UserError, match="git"):
        _read(root)


def test_a_blob_that_is_not_here_is_skipped_and_told(root: Path, git: Git) -> None:
    (root / "a.py").write_text("z = 3\n")
    git(root, "add", "-A")
    blob = git(root, "rev-parse", ":a.py")
    (root / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    assert _read(root).skipped == (Skipped("a.py", "not in this copy of the repository"),)


def test_roles_are_told_by_path_and_head(root: Path, git: Git) -> None:
    (root / "third_party").mkdir()
    (root / "third_party" / "x.py").write_text(ONE)
    git(root, "add", "-A")
    assert [each.file.role for each in _read(root).files] == [Role.VENDORED]


# --- lines ---


def test_lines_are_touched_where_they_overlap() -> None:
    lines = [(3, 4), (9, 9), (20, 30)]
    assert [touches(lines, *span) for span in ((1, 2), (4, 8), (5, 8), (9, 12), (10, 19), (25, 26), (31, 40))] == [
        False,
        True,
        False,
        True,
        False,
        True,
        False,
    ]
    assert not touches([], 1, 5)


def test_what_all_sides_altered_is_what_each_has() -> None:
    assert in_all([[(1, 5), (10, 12)], [(4, 11)]]) == [(4, 5), (10, 11)]
    assert in_all([[EVERY], [(2, 3)]]) == [(2, 3)]
    assert in_all([[(1, 2)], []]) == []


@pytest.mark.parametrize(
    ("before", "after", "lines"),
    [
        (b"a\nb\nc\n", b"a\nb\nc\n", []),
        (b"a\nb\nc\n", b"a\nx\nc\n", [(2, 2)]),
        (b"a\nb\nc\n", b"a\nc\n", [(1, 2)]),
        (b"a\r\nb\r\n", b"a\nb\n", []),
        (b"", b"a\nb\n", [(1, 2)]),
        (b"a\nb\nc\nd\n", b"x\na\nb\nd\ne\n", [(1, 1), (3, 4), (5, 5)]),
    ],
)
def test_altered_lines_of_two_texts(before: bytes, after: bytes, lines: list[Lines]) -> None:
    assert of_texts(before, after) == lines


def test_texts_that_differ_everywhere_are_not_aligned_for_ever() -> None:
    before, after = (b"".join(b"%d%d\n" % (side, number) for number in range(5_000)) for side in (1, 2))
    assert of_texts(before, after) == [(1, 5_000)]


def test_a_patch_is_read_by_the_ids_of_its_blobs() -> None:
    ids = "a" * 40, "b" * 40
    patch = (
        f"diff --git a/x b/x\nindex {ids[0]}..{ids[1]} 100644\n--- a/x\n+++ b/x\n@@ -1 +1,2 @@ def f\n-x\n+y\n"
        f"+@@ -1 +7 @@\n@@ -9,2 +10,0 @@\n-x\ndiff --git a/y b/y\nsimilarity index 100%\n@@ -1 +1 @@\n"
    )
    assert of_patch(patch.encode()) == {ids: [(1, 2), (10, 11)]}
