"""The hooks of .pre-commit-hooks.yaml, run by the pre-commit framework from `git commit` and `git push`.

Installing this project into an environment of the framework's own takes a minute and needs a network, so that the
repository of hooks is one that has the same file, but for its language: `detector` is found on the PATH.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.integrating import COPIED, OWN, ROOT, Place, place

MANIFEST = ROOT / ".pre-commit-hooks.yaml"


@pytest.fixture(scope="module")
def laid(tmp_path_factory: pytest.TempPathFactory) -> Place:
    made = place(tmp_path_factory.mktemp("pre-commit"))
    hooks = Place(made.home, "hooks").repository("hooks")
    text = MANIFEST.read_text("utf-8").replace("language: python", "language: system")
    made.commit(hooks, {MANIFEST.name: text})
    return made


@pytest.fixture
def here(laid: Place, request: pytest.FixtureRequest) -> Place:
    return Place(laid.home, request.node.name)


@pytest.fixture
def project(here: Place) -> Path:
    """A repository that uses both hooks, and has them installed."""
    return configured(here, here.repository("project"))


def configured(here: Place, folder: Path) -> Path:
    hooks = here.home / "hooks" / "hooks"
    revision = here.git(hooks, "rev-parse", "HEAD")
    names = [f"  - id: {name}\n    args: [--index, {here.index}]\n" for name in ("detector", "detector-push")]
    config = f"repos:\n- repo: {hooks}\n  rev: {revision}\n  hooks:\n{''.join(names)}"
    here.commit(folder, {".pre-commit-config.yaml": config})
    pre_commit(here, folder, "install", "--hook-type", "pre-commit", "--hook-type", "pre-push")
    return folder


def pre_commit(here: Place, folder: Path, *arguments: str, code: int = 0) -> str:
    home = str(here.home / "framework")
    return here.run(sys.executable, "-m", "pre_commit", *arguments, at=folder, code=code, PRE_COMMIT_HOME=home).stdout


def commit(here: Place, folder: Path, files: dict[str, str], *, code: int) -> str:
    here.stage(folder, files)
    home = str(here.home / "framework")
    return here.run("git", "commit", "-q", "-m", "a change", at=folder, code=code, PRE_COMMIT_HOME=home).stdout


def push(here: Place, folder: Path, *refs: str, code: int) -> str:
    home = str(here.home / "framework")
    return here.run("git", "push", "-q", "origin", *refs, at=folder, code=code, PRE_COMMIT_HOME=home).stdout


def test_the_file_of_hooks_is_one_that_the_framework_takes() -> None:
    from pre_commit.clientlib import load_manifest

    loaded = {hook["id"]: hook for hook in load_manifest(str(MANIFEST))}
    assert loaded.keys() == {"detector", "detector-push"}
    assert all(hook["language"] == "python" and hook["require_serial"] for hook in loaded.values())
    assert loaded["detector-push"]["stages"] == ["pre-push"]
    assert "pre-push" not in loaded["detector"]["stages"]
    assert YAML(typ="safe").load(MANIFEST)


def test_a_commit_of_a_copied_function_fails_with_its_block_and_an_own_one_passes(here: Place, project: Path) -> None:
    shown = commit(here, project, {"app/own.py": OWN}, code=0)
    assert "Passed" in shown
    shown = commit(here, project, {"app/copied.py": COPIED}, code=1)
    assert "app/copied.py:4-9 displace" in shown
    assert "computes what flowlib computes in flow/warping.py:4-9 warp" in shown
    assert here.git(project, "log", "-1", "--format=%s", "--", "app/copied.py") == ""


def test_a_commit_without_python_asks_nobody(here: Place, project: Path) -> None:
    assert "Skipped" in commit(here, project, {"README.md": "More of it.\n"}, code=0)


def test_what_is_not_staged_and_what_was_there_before_is_no_part_of_a_commit(here: Place, project: Path) -> None:
    here.commit(project, {"app/old.py": COPIED})
    here.stage(project, {"app/old.py": COPIED + "\nlast = 1\n"})
    (project / "app/loose.py").write_text(COPIED)
    assert "Passed" in commit(here, project, {"app/own.py": OWN}, code=0)


def test_a_function_that_moves_to_another_file_is_not_new(here: Place, project: Path) -> None:
    here.commit(project, {"app/old.py": COPIED, "app/rest.py": OWN})
    here.git(project, "rm", "-q", "app/old.py")
    assert "Passed" in commit(here, project, {"app/moved/here.py": OWN.replace("paint", "draw") + COPIED}, code=0)


def test_many_files_are_looked_up_together(here: Place, project: Path) -> None:
    """More names than one command line takes: the framework would start several processes."""
    files = {f"app/{'deep/' * 45}module_{number:03}.py": "x = 1\n" for number in range(600)}
    here.commit(project, {"app/old.py": COPIED})
    here.git(project, "rm", "-q", "app/old.py")
    assert "Passed" in commit(here, project, files | {"zz/moved.py": COPIED}, code=0)


def test_a_push_of_a_copied_function_is_stopped(here: Place, project: Path) -> None:
    server = here.folder / "server.git"
    here.git(here.folder, "clone", "-q", "--bare", str(project), str(server))
    here.git(project, "remote", "add", "origin", str(server))
    here.git(project, "fetch", "-q", "origin")
    here.commit(project, {"app/own.py": OWN})
    assert "Passed" in push(here, project, "main", code=0)
    here.git(project, "checkout", "-q", "-b", "topic")
    here.commit(project, {"app/copied.py": COPIED})
    assert "app/copied.py:4-9 displace" in push(here, project, "topic", code=1)
    assert "topic" not in here.git(server, "branch", "--list")


def test_the_first_push_of_all_is_looked_up_whole(here: Place, project: Path) -> None:
    server = here.folder / "server.git"
    here.git(here.folder, "init", "-q", "--bare", str(server))
    here.git(project, "remote", "add", "origin", str(server))
    here.commit(project, {"app/copied.py": COPIED})
    assert "app/copied.py:4-9 displace" in push(here, project, "main", code=1)


def test_all_files_can_be_looked_up_by_hand(here: Place, project: Path) -> None:
    here.commit(project, {"app/copied.py": COPIED})
    shown = pre_commit(here, project, "run", "detector", "--all-files", code=0)
    assert "Passed" in shown, "nothing is staged"
    shown = here.run("detector", "hook", "--index", here.index, "--all", at=project, code=1).stdout
    assert "app/copied.py:4-9 displace" in shown
