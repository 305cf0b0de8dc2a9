"""Histories of git repositories: what is read of them, what is left out and said, and repositories that mean harm."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from detector.model import Skipped
from detector.read import commits as reader
from detector.read import git as door
from detector.read import open_target, trees
from detector.targets import Change, Commit, History

Git = Callable[..., str]


@pytest.fixture
def repository(tmp_path: Path, git: Git) -> Path:
    """Three commits on a line, with a branch that is merged: a.py, then package/b.py, then a.py is gone."""
    root = tmp_path / "project"
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    (root / "a.py").write_text("one\n")
    commit(git, root, "one")
    git(root, "checkout", "-q", "-b", "side")
    (root / "package").mkdir()
    (root / "package" / "b.py").write_text("B\n")
    commit(git, root, "two")
    git(root, "checkout", "-q", "main")
    (root / "a.py").unlink()
    commit(git, root, "three")
    git(root, "merge", "-q", "--no-ff", "-m", "four", "side")
    return root


def commit(git: Git, root: Path, message: str) -> str:
    git(root, "add", "-A")
    git(root, "commit", "-q", "--allow-empty", "-m", message)
    return git(root, "rev-parse", "HEAD")


@contextmanager
def opened(target: object) -> Iterator[History]:
    with open_target(str(target)) as repo:
        assert repo.history is not None
        yield repo.history


def history_of(target: object) -> tuple[list[Commit], list[Skipped]]:
    with opened(target) as history:
        return list(history.commits()), list(history.skipped())


def blob(git: Git, root: Path, name: str) -> str:
    return git(root, "rev-parse", name)


def test_every_commit_comes_once_and_after_its_parents(repository: Path, git: Git, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "--bare", str(repository), "mirror.git")
    for target in (repository, f"{repository}@main", tmp_path / "mirror.git", f"file://{tmp_path}/mirror.git"):
        found, skipped = history_of(target)
        assert skipped == []
        assert sorted(each.message.strip() for each in found) == ["four", "one", "three", "two"]
        seen: set[str] = set()
        for each in found:
            assert seen.issuperset(each.parents)
            seen.add(each.id)
        assert found[-1].id == git(repository, "rev-parse", "main")
    assert [each.message for each in history_of(f"{repository}@side")[0]] == ["one\n", "two\n"]


def test_changes_are_against_the_first_parent_and_a_root_brings_everything(repository: Path, git: Git) -> None:
    by_message = {each.message.strip(): each for each in history_of(repository)[0]}
    a, b = blob(git, repository, "side:a.py"), blob(git, repository, "side:package/b.py")
    assert by_message["one"].changes == (Change("a.py", "", a),)
    assert by_message["three"].changes == (Change("a.py", a, ""),)
    package = Change("package", "", blob(git, repository, "side:package"), is_tree=True)
    assert set(by_message["two"].changes) == {package, Change("package/b.py", "", b)}
    assert set(by_message["four"].changes) == {package, Change("package/b.py", "", b)}


def test_dates_are_those_of_the_commit_and_order_what_may_come_first(repository: Path, git: Git) -> None:
    raw = git(repository, "cat-file", "-p", "HEAD").replace("> 1 +0000", "> 1716856232 -0700", 1)
    name = subprocess.run(
        ["git", "-C", str(repository), "hash-object", "-t", "commit", "-w", "--stdin"],
        input=raw + "\n", capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    last = history_of(f"{repository}@{name}")[0][-1]
    assert (last.authored, last.committed) == (1716856232, 1)


def test_nothing_is_read_before_it_is_asked_for(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    original = door.Database.object

    def watched(self: door.Database, name: str, kind: bytes, most_bytes: int) -> object:
        asked.append(kind.decode())
        return original(self, name, kind, most_bytes)

    monkeypatch.setattr(door.Database, "object", watched)
    with opened(f"{repository}@main") as history:
        assert "commit" not in asked
        history.commits()
        count = asked.count("commit")
        assert count == 4
        history.commits()
        assert asked.count("commit") == count


def test_a_blob_is_read_by_its_id_and_none_if_it_is_not_there(repository: Path, git: Git) -> None:
    with opened(repository) as history:
        head = history.blob(blob(git, repository, "side:a.py"), 2)
        assert head is not None
        assert (head.data, head.size_bytes) == (b"on", 4)
        assert history.blob("0" * 39 + "1", 10) is None
        assert history.blob(blob(git, repository, "side:package"), 10) is None  # a tree


def test_a_folder_and_an_archive_have_no_history(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("A")
    with open_target(str(tmp_path)) as repo:
        assert repo.history is None


def test_a_missing_blob_changes_nothing_and_a_missing_tree_costs_its_own_commits(repository: Path, git: Git) -> None:
    whole = history_of(repository)[0]
    remove_object(repository, blob(git, repository, "side:package/b.py"))
    assert history_of(repository) == (whole, [])
    tree = blob(git, repository, "side:package")
    remove_object(repository, tree)
    found, skipped = history_of(repository)
    assert [each.id for each in found] == [each.id for each in whole]
    for one, other in zip(found, whole, strict=True):
        assert one.changes == tuple(each for each in other.changes if each.path != "package/b.py")
    damaged = sorted(f"commit {each.id[:12]}" for each in whole if each.message in ("two\n", "four\n"))
    assert sorted(each.path for each in skipped) == damaged
    assert all("folders that are not in this copy of the repository: 1" in each.reason for each in skipped)


def remove_object(root: Path, name: str) -> None:
    (root / ".git" / "objects" / name[:2] / name[2:]).unlink()


def test_a_shallow_clone_says_that_its_history_is_cut(repository: Path, git: Git, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{repository}", "shallow")
    found, skipped = history_of(tmp_path / "shallow")
    assert [each.message for each in found] == ["four\n"]
    assert {each.path for each in found[0].changes} == {"package", "package/b.py"}  # all that is there
    assert skipped == [Skipped("history", "cut: 2 parent commits are missing (a shallow clone?)")]


def test_a_commit_that_is_missing_ends_its_line_alone(repository: Path, git: Git) -> None:
    remove_object(repository, git(repository, "rev-parse", "side"))
    found, skipped = history_of(repository)
    assert [each.message for each in found] == ["one\n", "three\n", "four\n"]
    assert skipped == [Skipped("history", "cut: 1 parent commits are missing (a shallow clone?)")]


@pytest.mark.parametrize(
    ("limit", "value", "reason"),
    [
        ("MAX_COMMITS", 2, "only the newest 2 commits are read"),
        ("MAX_CHANGES", 1, "more than 1 changes: read up to commit"),
        ("MAX_COMMIT_CHANGES", 1, "its changes: they end nowhere"),
    ],
)
def test_what_is_beyond_a_limit_is_said_and_the_rest_kept(
    limit: str, value: int, reason: str, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trees if limit == "MAX_COMMIT_CHANGES" else reader, limit, value)
    found, skipped = history_of(repository)
    assert 0 < len(found) <= 4
    assert any(each.reason.startswith(reason) for each in skipped)


def test_a_tree_that_lists_without_end_costs_one_commit(
    repository: Path, git: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trees, "MAX_COMMIT_CHANGES", 10_000)
    tree, kind = blob(git, repository, "side:a.py"), "100644 blob"
    for _ in range(10):  # 10 ** 10 files in ten small trees
        entries = "".join(f"{kind} {tree}\tname{number}.txt\n" for number in range(10))
        tree = made(repository, "mktree", given=entries)
        kind = "040000 tree"
    bomb = git(repository, "commit-tree", tree, "-p", "main", "-m", "bomb")
    after = git(repository, "commit-tree", "main^{tree}", "-p", bomb, "-m", "after")
    found, skipped = history_of(f"{repository}@{after}")
    assert [each.message for each in found][-2:] == ["bomb\n", "after\n"]
    assert found[-2].changes == ()
    assert Skipped(f"commit {bomb[:12]}", "its changes: they end nowhere") in skipped


def made(root: Path, *command: str, given: str | bytes) -> str:
    """Run a git command that reads, and return what it made."""
    data = given.encode() if isinstance(given, str) else given
    done = subprocess.run(["git", "-C", str(root), *command], input=data, capture_output=True, check=True)
    return done.stdout.decode().strip()


HOSTILE = (
    b"tree %s\nparent %s\nauthor \x1b[2J\xe2\x80\xae <a> 9223372036854775807999 +0000\n"
    b"committer N <n> -62135596801 +9999\ntree %s\nencoding \xff\n\n"
    b"line\x1b[31m\0:100644 100644 end\nend\n\xe2\x80\xae\xff"
)


def test_dates_and_messages_of_a_hostile_commit_are_only_data(repository: Path, git: Git) -> None:
    tree, parent = git(repository, "rev-parse", "main^{tree}"), git(repository, "rev-parse", "main")
    data = HOSTILE % (tree.encode(), parent.encode(), b"f" * 40)
    name = made(repository, "hash-object", "-t", "commit", "-w", "--literally", "--stdin", given=data)
    found, _ = history_of(f"{repository}@{name}")
    last = next(each for each in found if each.id == name)
    assert last.parents == (parent,)
    assert (last.authored, last.committed) == (0, -62135596801)
    assert last.changes == ()
    assert last.message.startswith("line\x1b[31m\0")


def test_a_long_message_is_kept_by_its_beginning(repository: Path, git: Git) -> None:
    name = made(repository, "commit-tree", "main^{tree}", "-p", "main", given="x" * 3_000_000)
    found, _ = history_of(f"{repository}@{name}")
    assert found[-1].id == name
    assert len(found[-1].message) <= 4_000


def test_odd_paths_come_out_printable_and_none_of_them_ends_the_reading(repository: Path, git: Git) -> None:
    for name in (b"caf\xe9\n.py", b"end\n", b":100644 0 0 0 A", b"\xe2\x80\xaex.py"):
        (repository / os.fsdecode(name)).write_text(name.decode("latin-1"))
    commit(git, repository, "odd")
    found, skipped = history_of(repository)
    paths = {each.path for each in found[-1].changes}
    assert paths == {"caf\\xe9\\n.py", "end\\n", ":100644 0 0 0 A", "\\u202ex.py"}
    assert skipped == []


def test_submodules_and_changes_of_the_mode_alone_are_no_changes(repository: Path, git: Git) -> None:
    git(repository, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},nested")
    git(repository, "commit", "-q", "-m", "five")
    (repository / "package" / "b.py").chmod(0o755)
    git(repository, "add", "package/b.py")
    git(repository, "commit", "-q", "-m", "six")
    found, _ = history_of(f"{repository}@main")
    assert [each.changes for each in found if each.message == "five\n"] == [()]
    assert [change.path for each in found if each.message == "six\n" for change in each.changes] == ["package"]


def test_a_repository_with_long_ids_is_read_as_well(tmp_path: Path, git: Git) -> None:
    root = tmp_path / "long"
    root.mkdir()
    git(root, "init", "-q", "-b", "main", "--object-format=sha256")
    (root / "a.py").write_text("one\n")
    commit(git, root, "one")
    found, skipped = history_of(root)
    assert skipped == []
    assert [len(each.id) for each in found] == [64]
    assert [change.path for change in found[0].changes] == ["a.py"]


def test_replacements_and_grafts_have_no_say(repository: Path, git: Git) -> None:
    whole = history_of(repository)[0]
    head, side = git(repository, "rev-parse", "main"), git(repository, "rev-parse", "side")
    git(repository, "replace", side, git(repository, "rev-parse", "main~1"))
    (repository / ".git" / "info").mkdir(exist_ok=True)
    (repository / ".git" / "info" / "grafts").write_text(f"{head}\n")
    assert history_of(repository) == (whole, [])


def test_a_hostile_configuration_runs_nothing_while_a_history_is_read(
    repository: Path, git: Git, tmp_path: Path
) -> None:
    whole = history_of(f"{repository}@main")[0]
    missing = blob(git, repository, "main:package/b.py")
    marker, trap = tmp_path / "marker", tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\necho $0 >> {marker}\ncat\n")
    trap.chmod(0o755)
    shutil.rmtree(repository / ".git" / "hooks", ignore_errors=True)
    (repository / ".git" / "hooks").mkdir()
    for hook in ("post-checkout", "reference-transaction", "fsmonitor-watchman", "post-index-change"):
        shutil.copy(trap, repository / ".git" / "hooks" / hook)
    (repository / ".git" / "info").mkdir(exist_ok=True)
    (repository / ".git" / "info" / "attributes").write_text("* diff=evil filter=evil\n")
    included = tmp_path / "included"
    included.write_text(f'[core]\n\tpager = "{trap}"\n')
    settings = {
        "core.fsmonitor": str(trap), "core.pager": str(trap), "core.alternateRefsCommand": str(trap),
        "core.sshCommand": str(trap), "diff.external": str(trap), "diff.evil.textconv": str(trap),
        "diff.evil.command": str(trap), "diff.orderFile": "/dev/zero", "filter.evil.process": str(trap),
        "gpg.program": str(trap), "log.showSignature": "true", "include.path": str(included),
        "remote.origin.url": f"ext::{trap}", "remote.origin.promisor": "true", "protocol.ext.allow": "always",
        "pager.diff-tree": str(trap), "alias.diff-tree": f"!{trap}", "mailmap.file": "/dev/zero",
    }  # fmt: skip
    for key, value in settings.items():
        section, _, name = key.rpartition(".")
        first, _, rest = section.partition(".")
        with (repository / ".git" / "config").open("a") as file:
            file.write(f'[{first} "{rest}"]\n' if rest else f"[{first}]\n")
            file.write(f'\t{name} = "{value}"\n')
    remove_object(repository, missing)  # tempts git to fetch it
    assert history_of(f"{repository}@main") == (whole, [])
    with opened(f"{repository}@main") as history:
        assert history.blob(missing, 10) is None
    assert not marker.exists()


def test_alternates_that_lead_elsewhere_only_add_objects(repository: Path, git: Git, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "-q", "-b", "main")
    (other / "secret.py").write_text("S\n")
    commit(git, other, "secret")
    alternates = repository / ".git" / "objects" / "info" / "alternates"
    alternates.parent.mkdir(exist_ok=True)
    alternates.write_text(f"{other}/.git/objects\n/nowhere\n")
    found, skipped = history_of(repository)
    assert skipped == []
    assert not any("secret" in change.path for each in found for change in each.changes)


def test_a_repository_that_keeps_git_waiting_is_given_up(
    repository: Path, git: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = blob(git, repository, "side:package")
    with opened(f"{repository}@main") as history:
        monkeypatch.setattr(door, "GIT_SILENCE_SECONDS", 0.5)
        remove_object(repository, tree)
        os.mkfifo(repository / ".git" / "objects" / tree[:2] / tree[2:])
        found, skipped = list(history.commits()), history.skipped()
    assert [each.message for each in found] == ["one\n"]
    assert skipped[-1].reason.startswith("git does not answer: read up to commit")


def test_no_process_survives_the_reading_of_a_history(repository: Path) -> None:
    def children() -> list[str]:
        listed = subprocess.run(
            ["ps", "--ppid", str(os.getpid()), "-o", "args="], capture_output=True, text=True, check=False
        )
        return [line for line in listed.stdout.splitlines() if "git" in line and "cat-file" in line]

    with opened(repository) as history:
        history.commits()
    assert not children()
