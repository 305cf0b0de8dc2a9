"""What ModelScope has, listed by a server on loopback."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from detector.model import UserError
from detector.read import limits
from detector.read.modelscope_listing import listed
from detector.read.refusals import ExhaustedError
from detector.scanned import Listed
from tests.modelscope_server import COMMIT, Site, serving

pytest.importorskip("modelscope_hub")


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """No cache, no token, no proxy; nobody waits, but for how long is written down."""
    waited: list[float] = []
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setenv("MODELSCOPE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("MODELSCOPE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("MODELSCOPE_API_TOKEN", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(time, "sleep", waited.append)
    return waited


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    with serving(Site({})) as running:
        monkeypatch.setenv("MODELSCOPE_ENDPOINT", running.endpoint)
        yield running


def fill(site: Site, count: int) -> None:
    """Models of two owners, one a minute, the last first."""
    site.models = [
        {
            "id": f"{'lab' if number % 2 else 'home'}/m{number}",
            "last_modified": f"2025-03-05T{number // 60:02}:{number % 60:02}:00Z",
            "created_at": "2024-01-01T08:00:00+08:00",
        }
        for number in reversed(range(count))
    ]


def test_models_are_listed_with_what_a_scan_needs_of_them(site: Site) -> None:
    tags = ["library:gguf", "base_model:finetune:lab/base", "base_model:lab/base", "base_model:lab/other", 3]
    model = {"id": "lab/m", "last_modified": "2025-02-26T17:40:28Z", "created_at": 1704067200, "tags": tags}
    site.models = [model, {"id": "lab/n", "gated": True, "tags": None, "created_at": 1704067200000}]
    first, second = listed("lab")
    declared = ("ms:lab/base", "ms:lab/other")
    assert first == Listed("ms:lab/m", COMMIT, "2025-02-26T17:40:28Z", "2024-01-01T00:00:00Z", declared)
    assert first.target == f"ms:lab/m@{COMMIT}"
    assert (second.is_gated, second.modified, second.created) == (True, "", "2024-01-01T00:00:00Z")


def test_an_owner_a_search_and_everything_can_be_listed(site: Site) -> None:
    fill(site, 120)
    assert len(list(listed())) == 120
    assert {each.member.partition("/")[0] for each in listed("lab")} == {"ms:lab"}
    assert [each.member for each in listed("lab", "m11")] == [f"ms:lab/m{n}" for n in (119, 117, 115, 113, 111, 11)]
    pages = [path for path, _ in site.asked if "openapi" in path]
    assert all("sort=last_modified" in path for path in pages)


def test_the_last_changes_come_first_and_no_page_is_asked_for_in_vain(site: Site) -> None:
    fill(site, 400)
    found = list(listed(since="2025-03-05T05:30:00Z"))
    assert [each.modified for each in found] == sorted((each.modified for each in found), reverse=True)
    assert (len(found), found[-1].modified) == (70, "2025-03-05T05:30:00Z")
    assert sum("openapi" in path for path, _ in site.asked) == 3
    assert len(list(listed(most=7))) == 7
    assert list(listed(most=0)) == []


def test_what_lies_behind_the_last_page_is_told_and_not_left_out_silently(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("detector.read.modelscope_listing._MOST", 100)
    fill(site, 130)
    found: list[Listed] = []
    with pytest.raises(UserError, match="no more than 100 models of one question and has 130"):
        found.extend(listed())
    assert len(found) == 100
    assert len(list(listed(since="2025-03-05T01:00:00Z"))) == 70


def test_what_moves_to_a_later_page_meanwhile_is_listed_once(site: Site) -> None:
    fill(site, 60)
    site.models = [*site.models[:50], *site.models[49:]]
    assert len(list(listed())) == 60


def test_a_name_that_is_none_is_listed_so_that_it_can_be_seen(site: Site) -> None:
    site.models = [{"id": "../\x1b[2J\ud800"}, {"id": ["list"]}, {"id": ""}, {"id": "lab/m"}]
    assert [each.member for each in listed()] == ["ms:../\\x1b[2J\\ud800", "ms:lab/m"]


def test_a_model_that_does_not_tell_its_commit_is_listed_all_the_same(site: Site) -> None:
    fill(site, 2)
    site.failed = {"lab/m1/commits": b'{"Success": true, "Data": {"Commit": null}}'}
    assert [each.revision for each in listed()] == ["", COMMIT]


def test_a_busy_hub_is_given_the_time_it_asks_for(site: Site, machine: list[float]) -> None:
    fill(site, 2)
    site.busy = 2
    assert len(list(listed())) == 2
    assert machine == [7, 7]


@pytest.mark.parametrize(("status", "kind"), [(429, ExhaustedError), (500, UserError), (404, UserError)])
def test_a_hub_that_cannot_be_listed_is_one_line(site: Site, status: int, kind: type[UserError]) -> None:
    site.busy, site.busy_status = 1_000, status
    with pytest.raises(kind) as caught:
        list(listed("lab"))
    assert "\n" not in str(caught.value)
    assert len(site.asked) == (1 if status == 404 else limits.HUB_TRIES)


@pytest.mark.parametrize("body", [b"<html>", b"{}", b'{"data": {"models": 3}}', b'{"success": false}', b"[]"])
def test_answers_that_are_none_are_one_line(site: Site, body: bytes) -> None:
    site.failed = {"/openapi/v1/models": body}
    with pytest.raises(UserError, match="cannot be listed") as caught:
        list(listed())
    assert "\n" not in str(caught.value)
