"""Repositories of an organisation, listed by a git forge on loopback, and the commit that an address points to."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from detector.model import UserError
from detector.read import forges, limits
from detector.read.refusals import ExhaustedError, VanishedError
from detector.scanned import Listed
from tests.conftest import Git
from tests.forge_server import Forge, serving

FIRST, SECOND = "a" * 40, "b" * 40
LISTINGS = {
    "github": "/api/v3/orgs/lab/repos",
    "gitlab": "/api/v4/groups/lab/projects",
    "gitea": "/api/v1/orgs/lab/repos",
}
OF_USERS = {
    "github": "/api/v3/users/lab/repos",
    "gitlab": "/api/v4/users/lab/projects",
    "gitea": "/api/v1/users/lab/repos",
}
TOKENS = {
    "github": ("GITHUB_TOKEN", "GITHUB_SERVER_URL", "Bearer known"),
    "gitlab": ("GITLAB_TOKEN", "CI_SERVER_URL", "Bearer known"),
    "gitea": ("GITEA_TOKEN", "GITEA_SERVER_URL", "token known"),
}
FORGES = sorted(LISTINGS)


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """No token, no proxy; nobody waits, but for how long is written down."""
    waited: list[float] = []
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    for variables in TOKENS.values():
        for name in variables[:2]:
            monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(time, "sleep", waited.append)
    return waited


@pytest.fixture
def forge() -> Iterator[Forge]:
    with serving(Forge()) as running:
        yield running


def entry(forge: Forge, kind: str, path: str, day: int) -> dict[str, Any]:
    """A repository as that forge lists it, changed on that day."""
    address, time = f"{forge.endpoint}/{path}.git", f"2025-03-{day:02}T09:00:00"
    if kind == "github":
        return {
            "full_name": path,
            "clone_url": address,
            "pushed_at": f"{time}Z",
            "updated_at": "2026-01-01T00:00:00Z",
            "created_at": "2020-01-01T00:00:00Z",
        }
    if kind == "gitlab":
        return {
            "path_with_namespace": path,
            "http_url_to_repo": address,
            "last_activity_at": f"{time}.123+00:00",
            "created_at": "2020-01-01T01:00:00.000+01:00",
        }
    return {
        "full_name": path,
        "clone_url": address,
        "updated_at": f"2025-03-{day:02}T11:00:00+02:00",
        "created_at": "2020-01-01T00:00:00Z",
    }


def fill(forge: Forge, kind: str, days: list[int]) -> None:
    names = [f"lab/r{day}" for day in days]
    forge.listings = {LISTINGS[kind]: [entry(forge, kind, name, day) for name, day in zip(names, days, strict=True)]}
    forge.heads = dict.fromkeys(names, FIRST)


def days(found: list[Listed]) -> list[int]:
    return [int(each.modified[8:10]) for each in found]


@pytest.mark.parametrize("kind", FORGES)
def test_repositories_are_listed_with_what_a_scan_needs_of_them(kind: str, forge: Forge) -> None:
    fill(forge, kind, [5, 4, 3])
    found = list(forges.listed(kind, f"{forge.endpoint}/lab"))
    assert found[0] == Listed(f"{forge.endpoint}/lab/r5.git", FIRST, "2025-03-05T09:00:00Z", "2020-01-01T00:00:00Z")
    assert days(found) == [5, 4, 3]
    assert found[0].target == f"{forge.endpoint}/lab/r5.git"


@pytest.mark.parametrize("kind", FORGES)
def test_the_last_changes_come_first_and_nothing_older_than_the_date(kind: str, forge: Forge) -> None:
    fill(forge, kind, [9, 8, 6, 5, 4, 3, 2, 1] if kind != "gitea" else [1, 9, 3, 8, 2, 6, 5, 4])
    address = f"{forge.endpoint}/lab"
    assert days(list(forges.listed(kind, address, since="2025-03-06T09:00:00Z"))) == [9, 8, 6]
    assert days(list(forges.listed(kind, address, since="2025-03-06"))) == [9, 8, 6]
    assert days(list(forges.listed(kind, address, most=2))) == [9, 8]
    assert list(forges.listed(kind, address, since="2026-01-01")) == []


def test_no_page_is_asked_for_behind_the_date(forge: Forge) -> None:
    fill(forge, "github", [9, 8, 7, 6, 5, 4, 3, 2, 1])
    assert days(list(forges.listed("github", f"{forge.endpoint}/lab", since="2025-03-08"))) == [9, 8]
    pages = [path for path, _ in forge.asked if "/api/" in path]
    assert len(pages) == 2
    assert "sort=pushed&direction=desc&per_page=100" in pages[0]
    # Of what is older nothing is asked at all.
    assert not any("/lab/r7" in path for path, _ in forge.asked)


def test_a_listing_that_is_not_quite_in_order_loses_nothing(forge: Forge) -> None:
    fill(forge, "github", [9, 1, 8, 2, 3, 4])
    assert days(list(forges.listed("github", f"{forge.endpoint}/lab", since="2025-03-05"))) == [9, 8]


def test_what_moves_to_a_later_page_meanwhile_is_listed_once(forge: Forge) -> None:
    fill(forge, "github", [9, 8, 8, 7])
    assert days(list(forges.listed("github", f"{forge.endpoint}/lab"))) == [9, 8, 7]


@pytest.mark.parametrize("kind", FORGES)
def test_a_user_is_listed_where_no_organisation_is_called_that(kind: str, forge: Forge) -> None:
    fill(forge, kind, [2, 1])
    forge.listings = {OF_USERS[kind]: forge.listings[LISTINGS[kind]]}
    assert days(list(forges.listed(kind, f"{forge.endpoint}/lab/"))) == [2, 1]


def test_groups_of_gitlab_have_groups_in_them(forge: Forge) -> None:
    inside = [entry(forge, "gitlab", "lab/vision/tools/r4", 4)]
    forge.listings = {"/api/v4/groups/lab%2Fvision/projects": inside}
    (found,) = forges.listed("gitlab", f"{forge.endpoint}/lab/vision")
    assert found.member == f"{forge.endpoint}/lab/vision/tools/r4.git"
    assert "include_subgroups=true" in forge.asked[0][0]


def test_a_forge_can_be_below_a_path(forge: Forge) -> None:
    forge.listings = {"/code/api/v1/orgs/lab/repos": [entry(forge, "gitea", "lab/r4", 4)]}
    (found,) = forges.listed("gitea", f"{forge.endpoint}/code/lab")
    assert found.member == f"{forge.endpoint}/code/lab/r4.git"


def test_a_repository_in_which_git_finds_nothing_is_listed_all_the_same(forge: Forge) -> None:
    fill(forge, "github", [2, 1])
    forge.heads = {"lab/r1": FIRST}
    assert [each.revision for each in forges.listed("github", f"{forge.endpoint}/lab")] == ["", FIRST]


@pytest.mark.parametrize("kind", FORGES)
def test_a_token_is_shown_to_the_one_whose_it_is(kind: str, forge: Forge, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(forge, kind, [2, 1])
    token, site, header = TOKENS[kind]
    monkeypatch.setenv(token, "known")
    list(forges.listed(kind, f"{forge.endpoint}/lab"))
    assert not any("authorization" in headers for _, headers in forge.asked)
    forge.asked.clear()
    monkeypatch.setenv(site, f"{forge.endpoint}/")
    list(forges.listed(kind, f"{forge.endpoint}/lab"))
    asked = {"/api/" in path: headers.get("authorization") for path, headers in forge.asked}
    assert asked == {True: header, False: None}


def test_a_token_stays_here_where_a_page_leads_elsewhere(forge: Forge, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(forge, "github", [3, 2, 1])
    monkeypatch.setenv("GITHUB_TOKEN", "known")
    monkeypatch.setenv("GITHUB_SERVER_URL", forge.endpoint)
    with serving(Forge()) as other:
        forge.following = f"{other.endpoint}/page"
        with pytest.raises(UserError, match="sends us to another one"):
            list(forges.listed("github", f"{forge.endpoint}/lab"))
        forge.following = ""
        forge.busy, forge.busy_status, forge.busy_headers = 1, 302, {"location": f"{other.endpoint}/moved"}
        with pytest.raises(UserError):
            list(forges.listed("github", f"{forge.endpoint}/lab"))
        assert [headers.get("authorization") for _, headers in other.asked] == [None]


def test_a_token_that_would_break_out_of_its_header_is_one_line(forge: Forge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "a\r\nhost: b")
    with pytest.raises(UserError, match="set GITHUB_TOKEN anew"):
        list(forges.listed("github", f"{forge.endpoint}/lab"))


@pytest.mark.parametrize(
    "hostile",
    [
        {"full_name": "lab/r1", "clone_url": "ext::sh -c touch"},
        {"full_name": "lab/r1", "clone_url": "file:///etc"},
        {"full_name": "lab/r1", "clone_url": "https://user:word@example.org/lab/r1.git"},
        {"full_name": "lab/r1", "clone_url": ["list"]},
        {"full_name": "lab/r1"},
    ],
)
def test_a_repository_is_never_looked_for_elsewhere(hostile: dict[str, Any], forge: Forge) -> None:
    forge.listings = {LISTINGS["github"]: [hostile]}
    (found,) = forges.listed("github", f"{forge.endpoint}/lab")
    assert found.member == f"{forge.endpoint}/lab/r1.git"


@pytest.mark.parametrize("path", ["../../etc", "--upload-pack=x", "a b/c\x1b[2J", "", "lab", None, 3])
def test_a_name_that_is_none_is_one_line(path: object, forge: Forge) -> None:
    forge.listings = {LISTINGS["github"]: [{"full_name": path, "clone_url": path}]}
    with pytest.raises(UserError, match="cannot be one") as caught:
        list(forges.listed("github", f"{forge.endpoint}/lab"))
    assert str(caught.value).isprintable()


def test_times_that_are_none_are_left_out(forge: Forge) -> None:
    odd = ["soon", 10**30, True, None, "9999-99-99", {"a": 1}]
    forge.listings = {LISTINGS["github"]: [{"full_name": f"lab/r{n}", "pushed_at": at} for n, at in enumerate(odd)]}
    found = list(forges.listed("github", f"{forge.endpoint}/lab", since="2025-01-01"))
    assert [each.modified for each in found] == [""] * len(odd)


def test_a_busy_forge_is_given_the_time_it_asks_for(forge: Forge, machine: list[float]) -> None:
    fill(forge, "github", [1])
    forge.busy = 2
    assert len(list(forges.listed("github", f"{forge.endpoint}/lab"))) == 1
    assert machine == [7, 7]


def test_a_window_that_ends_soon_is_waited_for(
    forge: Forge, machine: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time", lambda: 1_000_000.0)
    fill(forge, "github", [1])
    forge.busy, forge.busy_status = 1, 403
    forge.busy_headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1000100"}
    assert len(list(forges.listed("github", f"{forge.endpoint}/lab"))) == 1
    assert machine == [100]


def test_a_window_that_ends_late_is_not(forge: Forge, machine: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 1_000_000.0)
    fill(forge, "github", [1])
    forge.busy, forge.busy_status = 99, 403
    forge.busy_headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1003600"}
    with pytest.raises(ExhaustedError, match=r"takes no more requests now.*GITHUB_TOKEN"):
        list(forges.listed("github", f"{forge.endpoint}/lab"))
    assert machine == []
    assert len(forge.asked) == 1


@pytest.mark.parametrize(("status", "kind"), [(429, ExhaustedError), (500, UserError), (503, UserError)])
def test_a_forge_that_stays_busy_is_one_line(
    status: int, kind: type[UserError], forge: Forge, machine: list[float]
) -> None:
    forge.busy, forge.busy_status = 1_000, status
    with pytest.raises(kind, match="later") as caught:
        list(forges.listed("github", f"{forge.endpoint}/lab"))
    assert "\n" not in str(caught.value)
    assert len(forge.asked) == limits.HUB_TRIES
    assert max(machine) <= limits.HUB_LONGEST_WAIT_SECONDS


@pytest.mark.parametrize(
    ("status", "message"),
    [(401, "does not take this token: set GITHUB_TOKEN"), (403, "does not let us list it; a token for it goes into")],
)
def test_a_refusal_says_what_to_do(status: int, message: str, forge: Forge) -> None:
    forge.busy, forge.busy_status, forge.busy_headers = 1, status, {}
    with pytest.raises(UserError, match=message):
        list(forges.listed("github", f"{forge.endpoint}/lab"))


@pytest.mark.parametrize("kind", FORGES)
def test_who_is_not_there_is_one_line(kind: str, forge: Forge) -> None:
    with pytest.raises(VanishedError, match="no such organisation or user"):
        list(forges.listed(kind, f"{forge.endpoint}/lab"))
    assert len(forge.asked) == 2


@pytest.mark.parametrize("body", [b"<html>", b"{}", b'{"message": "no"}', b"null", b"[" * 99_999, b"[1, null, []]"])
def test_answers_that_are_none_are_one_line_or_nothing(body: bytes, forge: Forge) -> None:
    fill(forge, "github", [1])
    forge.instead = body
    if body.startswith(b"[1"):
        assert list(forges.listed("github", f"{forge.endpoint}/lab")) == []
        return
    with pytest.raises(UserError) as caught:
        list(forges.listed("github", f"{forge.endpoint}/lab"))
    assert "\n" not in str(caught.value)


def test_pages_that_lead_in_a_circle_are_left(forge: Forge) -> None:
    fill(forge, "github", [1])
    forge.following = f"{forge.endpoint}{LISTINGS['github']}?page=1"
    with pytest.raises(UserError, match="in a circle"):
        list(forges.listed("github", f"{forge.endpoint}/lab"))


@pytest.mark.parametrize(
    ("kind", "address"),
    [
        ("bazaar", "https://example.org/lab"),
        ("github", "https://example.org"),
        ("github", "https://user:word@example.org/lab"),
        ("github", "ssh://example.org/lab"),
        ("github", "https://example.org/lab?x"),
        ("github", "https://example.org/../lab"),
        ("github", "https://[/lab"),
        ("github", "https://example.org:x/lab"),
        ("gitlab", "https://example.org/a//b"),
        ("github", "https://example.org/la b\x1b[2J"),
    ],
)
def test_an_address_that_is_none_is_one_line(kind: str, address: str) -> None:
    with pytest.raises(UserError, match=r"not an address of a forge|no such forge") as caught:
        list(forges.listed(kind, address))
    assert str(caught.value).isprintable()


def test_github_itself_is_asked_where_its_interface_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "known")
    asked = []

    def page(server: Any, url: str) -> tuple[list[object], str]:
        asked.append((url.partition("?")[0], server._known))
        return [], ""

    monkeypatch.setattr("detector.read.hub_requests.Server.page", page)
    for address in ("https://github.com/lab", "https://www.github.com/lab/", "http://github.com/lab"):
        assert list(forges.listed("github", address)) == []
    known = {"authorization": "Bearer known"}
    assert asked == [
        ("https://api.github.com/orgs/lab/repos", known),
        ("https://api.github.com/orgs/lab/repos", known),
        ("http://github.com/api/v3/orgs/lab/repos", {}),  # what is not encrypted gets no token
    ]


# --- the commit that an address points to ---


def test_the_newest_commit_of_an_address_is_found_without_fetching(
    forge: Forge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    forge.heads = {"lab/code": FIRST}
    address = f"{forge.endpoint}/lab/code.git"
    assert forges.remote_head(address) == FIRST
    assert forges.remote_head(f"{address}@main") == FIRST
    assert forges.remote_head(f"{address}@other") == "e" * 40
    assert forges.remote_head(f"{address}@{SECOND}") == SECOND
    assert {path.partition("?")[0] for path, _ in forge.asked} <= {"/lab/code.git/info/refs", "/lab/code.git/HEAD"}
    assert os.listdir(tmp_path / "temporary") == []


def test_a_local_repository_tells_its_commit(tmp_path: Path, git: Git) -> None:
    git(tmp_path, "init", "-q", "-b", "main", "code")
    git(tmp_path / "code", "commit", "-q", "--allow-empty", "-m", "one")
    commit = git(tmp_path / "code", "rev-parse", "HEAD")
    assert forges.remote_head(f"file://{tmp_path}/code") == commit
    git(tmp_path, "init", "-q", "empty")
    assert forges.remote_head(f"file://{tmp_path}/empty") == ""


def test_the_folder_that_we_stand_in_has_no_say(
    forge: Forge, tmp_path: Path, git: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(tmp_path, "init", "-q", "here")
    git(tmp_path / "here", "config", f"url.{tmp_path}/elsewhere.insteadOf", forge.endpoint)
    monkeypatch.chdir(tmp_path / "here")
    forge.heads = {"lab/code": FIRST}
    assert forges.remote_head(f"{forge.endpoint}/lab/code.git") == FIRST


@pytest.mark.parametrize(
    "address",
    [
        "ext::sh -c touch% marker",
        "--upload-pack=touch marker",
        "https://127.0.0.1:1/lab.git",
        "https://user:word@127.0.0.1:1/lab.git",
        "file:///nowhere/at/all",
        "https://127.0.0.1:1/lab.git@--x",
        "ssh://-oProxyCommand=touch marker/x",
    ],
)
def test_addresses_that_lead_nowhere_are_one_line_and_run_nothing(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError) as caught:
        forges.remote_head(address)
    assert str(caught.value).isprintable()
    assert "word" not in str(caught.value)
    assert os.listdir(tmp_path) == []
