"""What a hub lists for a scan: the last changed first, all pages, down to a date, whatever the hub does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from detector.model import UserError
from detector.read import hub_listing
from detector.read.refusals import ExhaustedError
from detector.read.traffic import Traffic
from tests.hub_client import unconfigured
from tests.hub_repositories import Upload, publish, tell
from tests.olah_hub import Hub, serving

FIRST = 1_700_000_000
COUNT = 7
CARD = "---\nbase_model: org/base\ntags: [tiny]\n---\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("hub")
    for number in range(COUNT):
        files = {"config.json": f'{{"n": {number}}}', "README.md": CARD if number == 2 else "# A model\n"}
        publish(root, f"{('org', 'lab')[number % 2]}/model-{number}", [Upload(FIRST + 100 * number, files)])
    tell(root, "org/model-0", gated="manual")
    return root


@pytest.fixture
def hub(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with serving(folder, page=3) as running:
        unconfigured(tmp_path, monkeypatch)
        monkeypatch.setenv("HF_ENDPOINT", running.endpoint)
        yield running


def test_everything_is_listed_page_by_page_the_last_changed_first(hub: Hub) -> None:
    found = list(hub_listing.listed())
    assert [each.member for each in found] == [f"hf:{('org', 'lab')[n % 2]}/model-{n}" for n in range(COUNT)][::-1]
    assert [each.modified for each in found] == sorted((each.modified for each in found), reverse=True)
    assert all(len(each.revision) == 40 and each.created == each.modified for each in found)
    assert found[0].modified == "2023-11-14T22:23:20Z"
    assert [each.member for each in found if each.is_gated] == ["hf:org/model-0"]
    assert [each.declared for each in found if each.declared] == [("hf:org/base",)]
    assert hub.requests("GET /api/models[?]") == 3


def test_a_listing_ends_where_the_last_one_began(hub: Hub) -> None:
    every = list(hub_listing.listed())
    hub.asked.clear()
    assert list(hub_listing.listed(since=every[1].modified)) == every[:2]
    assert hub.requests() == 1


def test_a_source_is_an_organisation_a_search_or_tags(hub: Hub) -> None:
    assert {each.member.partition("/")[0] for each in hub_listing.listed(organisation="lab")} == {"hf:lab"}
    assert [each.member for each in hub_listing.listed(search="model-4")] == ["hf:org/model-4"]
    assert [each.member for each in hub_listing.listed(tags=("tiny",))] == ["hf:org/model-2"]


def test_a_hub_that_is_busy_for_a_while_is_listed_all_the_same(hub: Hub) -> None:
    hub.fail("/api/models[?]", 2, status=503)
    hub.fail("/api/models[?]", 1, status=429, headers={"retry-after": "1"})
    assert len(list(hub_listing.listed())) == COUNT


def test_a_hub_that_takes_no_more_requests_is_told_apart_from_one_that_is_broken(hub: Hub) -> None:
    hub.fail("/api/models[?]", 50, status=429)
    with pytest.raises(ExhaustedError, match="no more requests"):
        list(hub_listing.listed())
    hub.recover()
    hub.fail("/api/models[?]", 50, status=500)
    with pytest.raises(UserError, match=r"cannot be listed \(500\)") as raised:
        list(hub_listing.listed())
    assert not isinstance(raised.value, ExhaustedError)


def test_a_list_that_breaks_off_is_asked_for_again(hub: Hub) -> None:
    hub.fail("/api/models[?]", 2, cut=20)
    assert len(list(hub_listing.listed())) == COUNT


def test_an_answer_that_is_no_list_is_told_in_one_line(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.hf_api.ModelInfo", lambda **_: (_ for _ in ()).throw(KeyError("id")))
    with pytest.raises(UserError, match="cannot be read"):
        list(hub_listing.listed())


def test_a_hub_that_is_not_there_is_told_in_one_line(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(UserError, match="does not answer") as raised:
        list(hub_listing.listed())
    assert "\n" not in str(raised.value)


def test_a_hub_is_not_listed_offline(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(UserError, match="HF_HUB_OFFLINE"):
        list(hub_listing.listed())
    assert not hub.asked


def test_requests_and_bytes_are_counted_as_the_hub_counts_them(hub: Hub) -> None:
    traffic = Traffic()
    traffic.watch()
    try:
        list(hub_listing.listed())
        assert traffic.take() == (hub.requests(), hub.sent_bytes())
        assert traffic.take() == (0, 0)
        hub.fail("/api/models[?]", 1, status=503)
        list(hub_listing.listed(since="2023-11-14T22:23:20Z"))
        assert traffic.take()[0] == 2
    finally:
        traffic.leave()
    list(hub_listing.listed())
    assert traffic.take() == (0, 0)
