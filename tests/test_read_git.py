"""Git repositories: revisions, working trees, addresses, and repositories that mean harm."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from detector.model import UserError
from detector.read import git as reader
from detector.read import open_target
from detector.read.fetch import is_url, split

Git = Callable[..., str]
Contents = Callable[[object], tuple[dict[str, bytes], dict[str, str]]]


@pytest.fixture
def repository(tmp_path: Path, git: Git) -> Path:
    """Two commits: `v1` with a.py alone, then a changed a.py and package/b.py; a branch with a slash at the first."""
    root = tmp_path / "project"
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    (root / "a.py").write_text("one\n")
    (root / "README").write_text("no Python\n")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "one")
    git(root, "tag", "-a", "v1", "-m", "one")
    git(root, "branch", "old/one")
    (root / "a.py").write_text("two\n")
    (root / "package").mkdir()
    (root / "package" / "b.py").write_text("B\n")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "two")
    return root


def revision_of(target: object) -> str:
    with open_target(str(target)) as repo:
        return repo.revision


def test_every_way_to_name_a_revision_reads_that_revision(repository: Path, git: Git, contents: Contents) -> None:
    first = git(repository, "rev-parse", "v1^{commit}")
    for name in ("v1", "old/one", first, first[:8], "HEAD~1", "main^"):
        assert contents(f"{repository}@{name}") == ({"a.py": b"one\n"}, {})
        assert revision_of(f"{repository}@{name}") == first


def test_a_bare_repository_is_read_at_its_head(repository: Path, git: Git, tmp_path: Path, contents: Contents) -> None:
    git(tmp_path, "clone", "-q", "--bare", str(repository), "mirror.git")
    expected = {"a.py": b"two\n", "package/b.py": b"B\n"}
    for target in (tmp_path / "mirror.git", f"file://{tmp_path}/mirror.git", f"{tmp_path}/mirror.git@main"):
        assert contents(target) == (expected, {})
        with open_target(str(target)) as repo:
            assert (repo.name, repo.revision) == ("mirror", git(repository, "rev-parse", "HEAD"))
    assert contents(repository / ".git") == (expected, {})


def test_a_working_tree_is_read_as_it_is(repository: Path, git: Git, contents: Contents) -> None:
    head = git(repository, "rev-parse", "HEAD")
    assert revision_of(repository) == head
    (repository / "README").write_text("changed, but not Python")
    (repository / "package" / "b.py").write_bytes(b"B\r\n")
    assert revision_of(repository) == head
    (repository / "a.py").write_text("three")
    assert revision_of(repository) == head + "+changes"
    assert contents(repository)[0]["a.py"] == b"three"
    git(repository, "checkout", "-q", "a.py")
    (repository / "new.py").touch()
    assert revision_of(repository) == head + "+changes"
    (repository / "new.py").unlink()
    (repository / "package" / "b.py").unlink()
    assert revision_of(repository) == head + "+changes"


def test_a_folder_inside_a_checkout_is_only_a_folder(repository: Path, contents: Contents) -> None:
    assert contents(repository / "package")[0] == {"b.py": b"B\n"}
    assert revision_of(repository / "package") == ""
    with pytest.raises(UserError, match="not the root of a git repository"):
        contents(f"{repository}/package@main")


def test_a_linked_worktree_is_a_working_tree(repository: Path, git: Git, tmp_path: Path, contents: Contents) -> None:
    git(repository, "worktree", "add", "-q", str(tmp_path / "linked"), "v1")
    assert contents(tmp_path / "linked")[0] == {"a.py": b"one\n"}
    assert revision_of(tmp_path / "linked") == git(repository, "rev-parse", "v1^{commit}")
    assert contents(f"{tmp_path}/linked@main")[0]["a.py"] == b"two\n"


@pytest.mark.parametrize("name", ["nowhere", "0" * 40, "v1:a.py", "--all", "-x", "HEAD^{tree}", "a b", "x\ny"])
def test_an_unknown_revision_is_named_in_one_line(name: str, repository: Path, contents: Contents) -> None:
    with pytest.raises(UserError, match="there is no revision") as caught:
        contents(f"{repository}@{name}")
    assert "\n" not in str(caught.value).replace(f"{repository}@{name}", "")


def test_a_repository_without_a_commit_or_with_a_broken_head_is_still_a_folder(
    tmp_path: Path, git: Git, contents: Contents
) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / "a.py").write_text("A")
    assert (revision_of(tmp_path), contents(tmp_path)[0]) == ("", {"a.py": b"A"})
    (tmp_path / ".git" / "HEAD").write_text("garbage")
    assert (revision_of(tmp_path), contents(tmp_path)[0]) == ("", {"a.py": b"A"})
    with pytest.raises(UserError, match="git cannot read this repository"):
        contents(f"{tmp_path}@main")


def test_links_submodules_and_large_blobs_are_skipped(repository: Path, git: Git, contents: Contents) -> None:
    (repository / "link.py").symlink_to("/etc/passwd")
    with (repository / "huge.py").open("wb") as file:
        file.truncate(20_000_000)
    git(repository, "add", ".")
    git(repository, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},nested")
    git(repository, "commit", "-q", "-m", "x")
    files, skipped = contents(f"{repository}@main")
    assert list(files) == ["a.py", "package/b.py"]
    reasons = {"huge.py": "larger than 5,000,000 bytes", "link.py": "a symbolic link", "nested": "submodule"}
    assert skipped == reasons


def test_odd_names_and_scripts_come_out_of_a_revision(repository: Path, git: Git, contents: Contents) -> None:
    (repository / os.fsdecode(b"caf\xe9\n.py")).write_text("odd")
    for name, text in (("run", "#!/usr/bin/python3\n"), ("tool", "#!/bin/sh\n")):
        (repository / name).write_text(text)
        (repository / name).chmod(0o755)
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "x")
    assert set(contents(f"{repository}@main")[0]) == {"a.py", "package/b.py", "caf\\xe9\\n.py", "run"}
    assert "+changes" not in revision_of(repository)


def test_a_missing_blob_is_skipped_and_the_next_one_read(repository: Path, git: Git, contents: Contents) -> None:
    (repository / "c.py").write_text("C")
    git(repository, "add", "c.py")
    git(repository, "commit", "-q", "-m", "x")
    for name, damage in (("a.py", None), ("package/b.py", b"garbage")):
        blob = git(repository, "rev-parse", f"HEAD:{name}")
        stored = repository / ".git" / "objects" / blob[:2] / blob[2:]
        stored.unlink()
        if damage is not None:
            stored.write_bytes(damage)
    files, skipped = contents(f"{repository}@main")
    assert files == {"c.py": b"C"}
    assert skipped == {
        "a.py": "not in this copy of the repository",
        "package/b.py": "not in this copy of the repository",
    }


def test_the_environment_of_a_hook_does_not_lead_to_another_repository(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, contents: Contents
) -> None:
    for name in ("GIT_DIR", "GIT_OBJECT_DIRECTORY", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_WORK_TREE"):
        monkeypatch.setenv(name, str(tmp_path / "elsewhere"))
    assert contents(f"{repository}@v1") == ({"a.py": b"one\n"}, {})
    assert os.environ["GIT_DIR"] == str(tmp_path / "elsewhere")


def test_a_hostile_configuration_runs_nothing(repository: Path, git: Git, tmp_path: Path, contents: Contents) -> None:
    marker = tmp_path / "marker"
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\necho $0 >> {marker}\ncat\n")
    trap.chmod(0o755)
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for hook in ("post-checkout", "pre-commit", "post-index-change", "reference-transaction", "fsmonitor-watchman"):
        shutil.copy(trap, hooks / hook)
    (repository / ".gitattributes").write_text("*.py filter=evil diff=evil\n")
    settings = {
        "core.fsmonitor": str(trap), "core.hooksPath": str(hooks), "core.pager": str(trap), "core.editor": str(trap),
        "core.sshCommand": str(trap), "core.askPass": str(trap), "core.alternateRefsCommand": str(trap),
        "core.gitProxy": str(trap), "credential.helper": f"!{trap}", "gpg.program": str(trap),
        "filter.evil.clean": str(trap), "filter.evil.smudge": str(trap), "filter.evil.process": str(trap),
        "diff.evil.textconv": str(trap), "diff.external": str(trap), "uploadpack.packObjectsHook": str(trap),
        "alias.cat-file": f"!{trap}", "alias.rev-parse": f"!{trap}", "protocol.ext.allow": "always",
        "remote.origin.url": f"ext::{trap}", "remote.origin.promisor": "true", "extensions.partialClone": "origin",
        "core.repositoryFormatVersion": "1",
    }  # fmt: skip
    blob = git(repository, "rev-parse", "HEAD:package/b.py")
    for key, value in settings.items():
        with (repository / ".git" / "config").open("a") as file:
            section, _, name = key.rpartition(".")
            first, _, rest = section.partition(".")
            heading = f'{first} "{rest}"' if rest else first
            file.write(f'[{heading}]\n\t{name} = "{value}"\n')
    (repository / ".git" / "objects" / blob[:2] / blob[2:]).unlink()  # tempts git to fetch it
    os.utime(repository / "a.py", (1, 1))
    os.utime(repository / ".gitattributes", (1, 1))
    assert contents(f"{repository}@v1")[0] == {"a.py": b"one\n"}
    files, skipped = contents(f"file://{repository}@main")
    assert list(files) == ["a.py"]
    assert list(skipped) == ["package/b.py"]
    assert set(contents(repository)[0]) == {"a.py", "package/b.py"}
    assert revision_of(repository) == git(repository / ".git", "--bare", "rev-parse", "main")
    assert not marker.exists()


def test_a_repository_that_keeps_git_waiting_is_given_up(
    repository: Path, git: Git, monkeypatch: pytest.MonkeyPatch, contents: Contents
) -> None:
    monkeypatch.setattr(reader, "GIT_SILENCE_SECONDS", 0.5)
    blob = git(repository, "rev-parse", "HEAD:a.py")
    stored = repository / ".git" / "objects" / blob[:2] / blob[2:]
    stored.unlink()
    os.mkfifo(stored)
    files, skipped = contents(f"{repository}@main")
    assert not files
    assert skipped == dict.fromkeys(["a.py", "package/b.py"], "git does not answer")


def test_a_tree_that_lists_without_end_is_refused(
    repository: Path, git: Git, monkeypatch: pytest.MonkeyPatch, contents: Contents
) -> None:
    monkeypatch.setattr(reader, "MAX_TREE_BYTES", 5_000_000)
    blob = git(repository, "rev-parse", "HEAD:a.py")
    tree, kind = blob, "100644 blob"
    for _ in range(10):  # 10 ** 10 files in ten small trees
        entries = "".join(f"{kind} {tree}\tname{number}.txt\n" for number in range(10))
        tree = subprocess.run(
            ["git", "-C", str(repository), "mktree"], input=entries, capture_output=True, text=True, check=True
        ).stdout.strip()
        kind = "040000 tree"
    commit = git(repository, "commit-tree", tree, "-m", "bomb")
    with pytest.raises(UserError, match="lists without end"):
        contents(f"{repository}@{commit}")


def test_no_process_survives_an_exception(repository: Path) -> None:
    def children() -> list[str]:
        listed = subprocess.run(
            ["ps", "--ppid", str(os.getpid()), "-o", "args="], capture_output=True, text=True, check=False
        )
        return [line for line in listed.stdout.splitlines() if "cat-file" in line]

    def interrupted() -> None:
        with open_target(f"{repository}@main") as repo:
            assert repo.files.read("a.py") == b"two\n"
            assert children()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert not children()


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files go."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def server(repository: Path, git: Git, tmp_path: Path) -> Iterator[str]:
    """A git server on the loopback interface; it serves the repository as a bare one."""
    git(tmp_path, "clone", "-q", "--bare", str(repository), "served/project.git")
    git(tmp_path / "served" / "project.git", "config", "uploadpack.allowFilter", "true")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        "git",
        "daemon",
        f"--base-path={tmp_path}/served",
        "--export-all",
        "--listen=127.0.0.1",
        f"--port={port}",
    ]
    daemon = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            if daemon.poll() is not None:
                pytest.skip("this git has no daemon")
            time.sleep(0.05)
        yield f"git://127.0.0.1:{port}/project.git"
    finally:
        daemon.terminate()
        daemon.wait()


def test_an_address_is_fetched_at_the_revision_asked_for_and_leaves_nothing(
    server: str, repository: Path, git: Git, place: Path, contents: Contents
) -> None:
    first, head = git(repository, "rev-parse", "v1^{commit}"), git(repository, "rev-parse", "HEAD")
    for revision, commit in (
        ("", head),
        ("@main", head),
        ("@v1", first),
        ("@old/one", first),
        (f"@{first[:10]}", first),
    ):
        assert contents(server + revision)[0]["a.py"] == (b"one\n" if commit == first else b"two\n")
    with open_target(f"{server}@{first}") as repo:
        assert (repo.name, repo.revision) == ("project", first)
        assert os.listdir(place)
    for revision in ("nowhere", "f" * 40):
        with pytest.raises(UserError, match="there is no revision"):
            contents(f"{server}@{revision}")
    with pytest.raises(UserError, match="cannot fetch this repository"):
        contents(server.replace("project", "nothing"))
    assert not os.listdir(place)


def test_the_history_of_an_address_is_fetched_when_it_is_asked_for_and_without_its_files(
    server: str, repository: Path, git: Git, place: Path
) -> None:
    first, head = git(repository, "rev-parse", "v1^{commit}"), git(repository, "rev-parse", "HEAD")
    old, new = git(repository, "rev-parse", "v1:a.py"), git(repository, "rev-parse", "HEAD:a.py")
    for target in (server, f"{server}@main", f"{server}@{head}", f"{server}@{head[:10]}"):
        with open_target(target) as repo:
            assert repo.history is not None
            is_whole = target.endswith(head[:10])  # a shortened id takes the whole history anyway
            assert (repo.history.blob(old, 10) is None) is not is_whole
            assert [each.id for each in repo.history.commits()] == [first, head]
            assert list(repo.history.skipped()) == []
            assert [change.after for change in repo.history.commits()[1].changes if change.path == "a.py"] == [new]
            assert repo.history.blob(new, 10) is not None
            assert (repo.history.blob(old, 10) is None) is not is_whole
            assert repo.files.read("a.py") == b"two\n"
    assert not os.listdir(place)


def test_a_history_that_cannot_be_fetched_any_more_is_no_end(server: str, tmp_path: Path) -> None:
    with open_target(server) as repo:
        assert repo.history is not None
        shutil.move(tmp_path / "served" / "project.git", tmp_path / "gone")
        assert list(repo.history.commits()) == []
        (skipped,) = repo.history.skipped()
        assert skipped.path == "history"
        assert skipped.reason.startswith("could not be fetched (")
        assert repo.files.read("a.py") == b"two\n"


def test_a_blob_that_is_too_large_is_not_even_fetched(
    server: str, repository: Path, git: Git, tmp_path: Path, contents: Contents
) -> None:
    (repository / "huge.py").write_bytes(os.urandom(6_000_000))
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "x")
    git(repository, "push", "-q", str(tmp_path / "served" / "project.git"), "main")
    files, skipped = contents(server)
    assert list(files) == ["a.py", "package/b.py"]
    assert skipped == {"huge.py": "not in this copy of the repository"}


def test_a_password_in_an_address_is_not_repeated(contents: Contents) -> None:
    with pytest.raises(UserError) as caught:
        contents("http://user:secret@127.0.0.1:1/a.git")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("target", "url", "revision"),
    [
        ("https://example.org/a/b", "https://example.org/a/b", ""),
        ("https://example.org/a/b.git@feature/x", "https://example.org/a/b.git", "feature/x"),
        ("https://user@example.org/a/b@v1", "https://user@example.org/a/b", "v1"),
        ("git@example.org:a/b.git", "git@example.org:a/b.git", ""),
        ("git@example.org:a/b.git@v1", "git@example.org:a/b.git", "v1"),
        ("ssh://git@example.org/a/b@v1", "ssh://git@example.org/a/b", "v1"),
        ("host:a/b.git@v1", "host:a/b.git", "v1"),
    ],
)
def test_an_address_is_told_from_the_revision_behind_it(target: str, url: str, revision: str) -> None:
    assert is_url(target)
    assert split(target) == (url, revision)


@pytest.mark.parametrize("target", ["pypy:transformers", "a/b@main", "C:\\x", "C:/x", "folder"])
def test_what_looks_like_a_slip_of_the_pen_is_no_address(target: str) -> None:
    assert not is_url(target)
