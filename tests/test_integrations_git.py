"""The scripts for git's own hooks, run by git itself: pushes to a bare repository."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integrating import COPIED, OWN, TEMPLATES, Place, install, place, script


@pytest.fixture(scope="module")
def laid(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return place(tmp_path_factory.mktemp("git"))


@pytest.fixture
def here(laid: Place, request: pytest.FixtureRequest) -> Place:
    """The same place with a folder of its own for each test."""
    return Place(laid.home, request.node.name)


def served(here: Place, hook: str = "pre-receive", **settings: str) -> tuple[Path, Path]:
    """A bare repository with the script as its hook, and a clone of it with what both begin with."""
    first = here.repository("first")
    server = here.folder / "server.git"
    here.git(here.folder, "clone", "-q", "--bare", str(first), str(server))
    clone = here.folder / "clone"
    here.git(here.folder, "clone", "-q", str(server), str(clone))
    told = server if hook == "pre-receive" else clone / ".git"
    install(TEMPLATES / hook, told / "hooks" / hook)
    here.git(told, "config", "detector.index", str(here.index))
    for name, value in settings.items():
        here.git(told, "config", f"detector.{name.replace('_', '')}", value)
    return server, clone


def push(here: Place, clone: Path, *refs: str, code: int, options: tuple[str, ...] = ()) -> str:
    """Push, and return what the pusher sees."""
    return here.run("git", "push", *options, "origin", *refs, at=clone, code=code).stdout


def heads(here: Place, server: Path) -> dict[str, str]:
    lines = here.git(server, "for-each-ref", "--format=%(refname) %(objectname)").splitlines()
    return dict(line.split(" ") for line in lines)


# --- pre-receive ---


def test_a_push_with_a_copied_function_is_rejected_and_the_pusher_sees_the_block(here: Place) -> None:
    server, clone = served(here)
    before = heads(here, server)
    copied = here.commit(clone, {"app/copied.py": COPIED})
    seen = push(here, clone, "main", code=1)
    assert "remote: app/copied.py:4-9 displace" in seen
    assert "computes what flowlib computes in flow/warping.py:4-9 warp" in seen
    assert "refs/heads/main is not taken: functions in it" in seen
    assert "pre-receive hook declined" in seen
    assert heads(here, server) == before
    assert here.run("git", "cat-file", "-e", copied, at=server, code=None).returncode != 0, "the quarantine is gone"


def test_a_push_of_own_functions_is_taken(here: Place) -> None:
    server, clone = served(here)
    commit = here.commit(clone, {"app/own.py": OWN})
    seen = push(here, clone, "main", code=0)
    assert "not taken" not in seen
    assert heads(here, server)["refs/heads/main"] == commit


def test_a_new_branch_is_held_against_what_the_server_has(here: Place) -> None:
    server, clone = served(here)
    here.git(clone, "checkout", "-q", "-b", "topic")
    here.commit(clone, {"app/own.py": OWN})
    push(here, clone, "topic", code=0)
    here.git(clone, "checkout", "-q", "-b", "other", "main")
    here.commit(clone, {"app/copied.py": COPIED})
    here.commit(clone, {"app/more.py": "x = 1\n"})
    assert "refs/heads/other is not taken: functions in it" in push(here, clone, "other", code=1)
    assert "refs/heads/other" not in heads(here, server)


def test_of_several_refs_none_is_taken_where_one_is_rejected(here: Place) -> None:
    server, clone = served(here)
    before = heads(here, server)
    here.commit(clone, {"app/own.py": OWN})
    here.git(clone, "checkout", "-q", "-b", "topic", "main~1")
    here.commit(clone, {"app/copied.py": COPIED})
    seen = push(here, clone, "main", "topic", code=1)
    assert "refs/heads/topic is not taken: functions in it" in seen
    assert "refs/heads/main is not taken" not in seen
    assert heads(here, server) == before


def test_deleted_branches_and_tags_of_what_is_there_are_no_change(here: Place) -> None:
    server, clone = served(here, index=str(here.folder / "gone.db"))
    here.git(server, "branch", "old", "main")
    push(here, clone, ":old", code=0)
    assert "refs/heads/old" not in heads(here, server)
    blob = here.git(clone, "hash-object", "-w", "README.md")
    here.git(clone, "tag", "note", blob)
    push(here, clone, "note", code=0)  # no commit: nothing to look up


def test_a_tag_brings_no_commit_past_the_hook(here: Place) -> None:
    server, clone = served(here)
    here.commit(clone, {"app/copied.py": COPIED})
    here.git(clone, "tag", "-a", "-m", "a version", "v1")
    assert "refs/tags/v1 is not taken: functions in it" in push(here, clone, "v1", code=1)
    assert "refs/tags/v1" not in heads(here, server)


def test_a_branch_that_is_forced_to_another_end_is_looked_up_too(here: Place) -> None:
    server, clone = served(here)
    here.commit(clone, {"app/own.py": OWN})
    push(here, clone, "main", code=0)
    here.git(clone, "reset", "-q", "--hard", "main~1")
    here.commit(clone, {"app/copied.py": COPIED})
    push(here, clone, "main", code=1, options=("--force",))
    here.git(clone, "reset", "-q", "--hard", "main~1")
    commit = here.commit(clone, {"app/other.py": OWN.replace("paint", "draw")})
    push(here, clone, "main", code=0, options=("--force",))
    assert heads(here, server)["refs/heads/main"] == commit


def test_the_first_push_to_an_empty_repository_is_looked_up_whole(here: Place) -> None:
    _, clone = served(here)
    empty = here.folder / "empty.git"
    here.git(here.folder, "init", "-q", "--bare", str(empty))
    install(TEMPLATES / "pre-receive", empty / "hooks" / "pre-receive")
    here.git(empty, "config", "detector.index", str(here.index))
    here.git(clone, "remote", "set-url", "origin", str(empty))
    push(here, clone, "main", code=0)
    here.git(clone, "push", "-q", "origin", ":main")
    here.commit(clone, {"app/copied.py": COPIED})
    assert "refs/heads/main is not taken: functions in it" in push(here, clone, "main", code=1)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"index": "/nowhere/known.db"}, "exit code 2"),
        ({"program": "/nowhere/detector"}, "/nowhere/detector cannot be run"),
    ],
)
def test_what_cannot_be_looked_up_is_rejected_unless_the_server_allows_it(
    settings: dict[str, str], reason: str, here: Place
) -> None:
    server, clone = served(here, **settings)
    commit = here.commit(clone, {"app/own.py": OWN})
    seen = push(here, clone, "main", code=1)
    assert f"could not be looked up ({reason}). Tell whoever runs this server" in seen
    here.git(server, "config", "detector.onError", "allow")
    seen = push(here, clone, "main", code=0)
    assert f"refs/heads/main is taken without being looked up ({reason})" in seen
    assert heads(here, server)["refs/heads/main"] == commit


def test_a_push_that_takes_too_long_is_ended_and_told(here: Place) -> None:
    slow = script(here.folder / "slow", "exec sleep 60")
    _, clone = served(here, program=str(slow), seconds="1")
    here.commit(clone, {"app/own.py": OWN})
    here.git(clone, "branch", "other")
    seen = push(here, clone, "main", "other", code=1)
    assert seen.count("the push took longer than 1 s") == 2


# --- pre-push ---


def test_a_copied_function_does_not_leave_the_machine(here: Place) -> None:
    server, clone = served(here, "pre-push")
    before = heads(here, server)
    here.commit(clone, {"app/copied.py": COPIED})
    seen = push(here, clone, "main", code=1)
    assert "app/copied.py:4-9 displace" in seen
    assert "nothing was pushed" in seen
    assert heads(here, server) == before
    push(here, clone, "main", code=0, options=("--no-verify",))


def test_own_functions_new_branches_and_deletions_are_pushed(here: Place) -> None:
    server, clone = served(here, "pre-push")
    here.git(clone, "checkout", "-q", "-b", "topic")
    commit = here.commit(clone, {"app/own.py": OWN})
    push(here, clone, "topic", "main", code=0)
    assert heads(here, server)["refs/heads/topic"] == commit
    push(here, clone, ":topic", code=0)
    assert "refs/heads/topic" not in heads(here, server)


def test_an_end_of_the_branch_that_is_unknown_here_does_not_stop_the_lookup(here: Place) -> None:
    server, clone = served(here, "pre-push")
    elsewhere = here.folder / "elsewhere"
    here.git(here.folder, "clone", "-q", str(server), str(elsewhere))
    here.commit(elsewhere, {"app/theirs.py": "y = 2\n"})
    here.git(elsewhere, "push", "-q", "origin", "main")
    here.commit(clone, {"app/copied.py": COPIED})
    assert "nothing was pushed" in push(here, clone, "main", code=1, options=("--force",))


def test_a_push_that_cannot_be_looked_up_goes_on_unless_it_shall_not(here: Place) -> None:
    _, clone = served(here, "pre-push", index="/nowhere/known.db")
    here.commit(clone, {"app/own.py": OWN})
    here.git(clone, "config", "detector.onError", "reject")
    assert "could not be looked up" in push(here, clone, "main", code=1)
    here.git(clone, "config", "--unset", "detector.onError")
    assert "detector.onError says: allow" in push(here, clone, "main", code=0)
