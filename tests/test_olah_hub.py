"""A hub that serves git repositories on loopback: its own client reads it, our reader does, also when it fails."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from huggingface_hub import HfApi, HfFileSystem
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from safetensors.numpy import save

from detector.artifacts.weights.opened import open_weights
from detector.model import Skipped, UserError
from detector.read import limits, open_target
from tests.hub_client import unconfigured
from tests.hub_faults import API
from tests.hub_repositories import Upload, publish, remove, revision_of, tag, tell
from tests.olah_hub import TOKEN, Hub, serving

VALUES = np.random.default_rng(5).standard_normal((256, 512)).astype(np.float32)
WEIGHTS = save({f"layer.{i}.weight": VALUES + i for i in range(4)}, {"format": "pt"})
CARD = "---\nlicense: mit\nbase_model: {}\ntags:\n- tiny\n---\n# A model\n"
CODE = "def forward(x):\n    return x\n"
FIRST = 1_700_000_000
COUNT = 23
MODEL = "org/model-00"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models of three authors; the later ones are changed earlier."""
    root = tmp_path_factory.mktemp("hub")
    large = root / "large.safetensors"
    large.write_bytes(WEIGHTS)
    for number in range(COUNT):
        author = ("org", "lab", "some-one")[number % 3]
        files = {"README.md": CARD.format("org/base"), "config.json": '{"model_type": "tiny"}', "sub/own.py": CODE}
        uploads = [
            Upload(FIRST + number, {**files, "model.safetensors": large}),
            Upload(FIRST + 10_000 - 100 * number, {"sub/own.py": CODE + f"# {number}\n"}),
        ]
        publish(root, f"{author}/model-{number:02}", uploads)
    publish(root, MODEL, [Upload(FIRST + 20_000, {"other.py": CODE}, branch="side")])
    tag(root, MODEL, "refs/tags/v1")
    tag(root, MODEL, "refs/pr/1", "side")
    publish(root, "org/closed", [Upload(FIRST, {"config.json": "{}"})])
    tell(root, "org/closed", gated="manual", modified="2022-03-02T23:29:04.000Z", created="2022-03-02T23:29:04.000Z")
    return root


@pytest.fixture(scope="module")
def running(folder: Path) -> Iterator[Hub]:
    with serving(folder, page=10) as hub:
        yield hub


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    return unconfigured(tmp_path, monkeypatch)


@pytest.fixture
def hub(running: Hub, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setenv("HF_ENDPOINT", running.endpoint)
    running.asked.clear()
    yield running
    running.recover()


@pytest.fixture
def api(hub: Hub) -> HfApi:
    return HfApi(hub.endpoint)


def test_a_list_of_models_comes_in_pages_the_last_changed_first(hub: Hub, api: HfApi) -> None:
    found = list(
        api.list_models(sort="last_modified", expand=["sha", "lastModified", "createdAt", "cardData", "gated"])
    )
    assert [each.id[-2:] for each in found] == [*(f"{number:02}" for number in range(COUNT)), "ed"]
    assert hub.requests("GET /api/models") == 3
    first = found[0]
    assert first.sha == revision_of(hub.folder, MODEL)
    assert first.last_modified == datetime.fromtimestamp(FIRST + 10_000, UTC)
    assert first.created_at == datetime.fromtimestamp(FIRST, UTC)
    assert first.card_data is not None
    assert first.card_data.base_model == "org/base"
    assert (first.gated, found[-1].gated) == (False, "manual")
    assert first.tags is None  # nobody asked


def test_a_list_that_is_not_read_to_its_end_asks_for_no_more_pages(hub: Hub, api: HfApi) -> None:
    found = api.list_models(sort="created_at", limit=12)
    assert [each.created_at for each in found] == [datetime.fromtimestamp(FIRST + 22 - n, UTC) for n in range(12)]
    assert hub.requests() == 2


def test_a_model_that_is_new_while_pages_are_read_shifts_none_out(tmp_path: Path) -> None:
    for number in range(6):
        publish(tmp_path, f"org/old-{number}", [Upload(FIRST + number, {"a.py": CODE})])
    with serving(tmp_path, page=2) as hub:
        pages = iter(HfApi(hub.endpoint).list_models(sort="last_modified"))
        seen = [next(pages).id for _ in range(2)]
        publish(tmp_path, "org/new", [Upload(FIRST + 100, {"a.py": CODE})])
        seen += [each.id for each in pages]
    assert seen == [f"org/old-{number}" for number in (5, 4, 3, 2, 1, 0)]


@pytest.mark.parametrize(
    ("asked", "count"),
    [
        ({"author": "lab"}, 8),
        ({"author": "la"}, 0),
        ({"search": "MODEL-1"}, 10),
        ({"search": "model-1", "author": "lab"}, 4),
        ({"filter": "tiny"}, COUNT),
        ({"filter": ["safetensors", "license:mit", "base_model:org/base"]}, COUNT),
        ({"filter": ["tiny", "gguf"]}, 0),
        ({"gated": True}, 1),
    ],
)
def test_a_list_is_filtered(api: HfApi, asked: dict[str, Any], count: int) -> None:
    assert sum(1 for _ in api.list_models(**asked)) == count


def test_a_list_has_more_of_each_model_if_more_is_asked_for(api: HfApi) -> None:
    (short,) = api.list_models(search="model-02")
    (full,) = api.list_models(search="model-02", full=True, cardData=True)
    assert (short.sha, short.last_modified, short.siblings, short.card_data) == (None, None, None, None)
    assert full.siblings is not None
    assert [each.rfilename for each in full.siblings] == ["README.md", "config.json", "model.safetensors", "sub/own.py"]
    assert full.card_data is not None
    with pytest.raises(HfHubHTTPError):
        list(api.list_models(expand=["spaces"]))


def test_a_model_without_a_revision_tells_its_last_commit(hub: Hub, api: HfApi) -> None:
    found = api.model_info(MODEL, files_metadata=True)
    assert found.sha == revision_of(hub.folder, MODEL)
    assert found.tags == [
        "safetensors",
        "tiny",
        "base_model:org/base",
        "base_model:finetune:org/base",
        "license:mit",
        "region:us",
    ]
    assert found.siblings is not None
    sizes = {each.rfilename: (each.size, each.lfs is not None) for each in found.siblings}
    assert sizes["model.safetensors"] == (len(WEIGHTS), True)
    assert sizes["config.json"] == (len('{"model_type": "tiny"}'), False)
    assert api.model_info("org/closed").gated == "manual"


def test_revisions_are_branches_tags_requests_and_commits(hub: Hub, api: HfApi) -> None:
    side = revision_of(hub.folder, MODEL, "side")
    refs = api.list_repo_refs(MODEL, include_pull_requests=True)
    assert {each.name for each in refs.branches} == {"main", "side"}
    assert [each.name for each in refs.tags] == ["v1"]
    assert refs.pull_requests is not None
    assert [each.target_commit for each in refs.pull_requests] == [side]
    assert {api.model_info(MODEL, revision=name).sha for name in ("side", "refs/pr/1", side)} == {side}
    assert len(api.list_repo_commits(MODEL)) == 2


def test_a_tree_tells_the_ids_of_contents_in_pages(folder: Path) -> None:
    with serving(folder, page=3) as hub:
        tree = {each.path: each for each in HfApi(hub.endpoint).list_repo_tree(MODEL, recursive=True)}
        assert hub.requests("/tree/") == 2
    assert sorted(tree) == ["README.md", "config.json", "model.safetensors", "sub", "sub/own.py"]
    large: Any = tree["model.safetensors"]
    assert (large.size, large.lfs.size) == (len(WEIGHTS), len(WEIGHTS))
    assert len(large.lfs.sha256) == 64
    plain: Any = tree["config.json"]
    assert (plain.lfs, len(plain.blob_id)) == (None, 40)


def test_files_are_downloaded_whole(hub: Hub, api: HfApi, tmp_path: Path) -> None:
    assert Path(api.hf_hub_download(MODEL, "model.safetensors")).read_bytes() == WEIGHTS
    place = Path(api.snapshot_download(MODEL, revision="v1", local_dir=tmp_path / "copy"))
    assert (place / "sub" / "own.py").read_text("utf-8") == CODE + "# 0\n"
    assert (place / "model.safetensors").read_bytes() == WEIGHTS


def test_headers_and_parts_of_files_are_read_by_range(hub: Hub, api: HfApi) -> None:
    assert api.get_safetensors_metadata(MODEL).parameter_count == {"F32": 4 * VALUES.size}
    files = HfFileSystem(endpoint=hub.endpoint, skip_instance_cache=True)
    with files.open(f"{MODEL}/model.safetensors", "rb", block_size=100) as stream:
        stream.seek(500_000)
        assert stream.read(64) == WEIGHTS[500_000:500_064]
    with files.open(f"{MODEL}/sub/own.py", "rb", block_size=2) as stream:
        stream.seek(4)
        assert stream.read(7) == b"forward"
    parts = [each for each in hub.asked if each.range and each.status == 206]
    assert [each.is_of_storage for each in parts] == [True, True, False]
    assert hub.sent_bytes("/storage/") < 102_000


def test_what_is_not_there_has_the_word_that_the_client_knows(api: HfApi) -> None:
    with pytest.raises(RepositoryNotFoundError):
        api.model_info("org/nothing")
    with pytest.raises(RepositoryNotFoundError):
        list(api.list_repo_tree("org/nothing"))
    with pytest.raises(RevisionNotFoundError):
        api.model_info(MODEL, revision="nowhere")
    with pytest.raises(EntryNotFoundError):
        list(api.list_repo_tree(MODEL, "nowhere"))
    with pytest.raises(EntryNotFoundError):
        api.hf_hub_download(MODEL, "nothing.json")


def test_a_gated_model_lists_and_gives_its_files_to_those_it_knows(hub: Hub) -> None:
    stranger, known = HfApi(hub.endpoint, token=False), HfApi(hub.endpoint, token=TOKEN)
    assert [each.path for each in stranger.list_repo_tree("org/closed")] == ["config.json"]
    with pytest.raises(GatedRepoError):
        stranger.hf_hub_download("org/closed", "config.json")
    with pytest.raises(GatedRepoError):
        stranger.auth_check("org/closed")
    known.auth_check("org/closed")
    assert Path(known.hf_hub_download("org/closed", "config.json")).read_text("utf-8") == "{}"


def test_what_goes_over_the_allowance_waits_until_the_window_is_over(
    hub: Hub, api: HfApi, machine: list[float]
) -> None:
    hub.allow(API, requests=2, seconds=500)
    for _ in range(2):
        api.model_info(MODEL)
    with pytest.raises(HfHubHTTPError, match="rate limit"):
        api.model_info(MODEL)
    with pytest.raises(HfHubHTTPError):
        list(api.list_models())
    assert set(machine) == {501.0}


@pytest.mark.parametrize(
    ("how", "waited"),
    [
        ({"status": 429, "headers": {"RateLimit": '"api";r=0;t=40'}}, 41),
        ({"status": 429, "headers": {"Retry-After": "20"}}, 21),
        ({"status": 503}, 1),
        ({"resets": True}, 1),
        ({"cut": 40}, 1),
    ],
)
def test_the_client_reads_a_list_of_a_hub_that_fails_at_first(
    how: dict[str, Any], waited: float, hub: Hub, api: HfApi, machine: list[float]
) -> None:
    hub.fail("GET /api/models", **how)
    assert sum(1 for _ in api.list_models()) == COUNT + 1
    assert machine == [waited]


def test_a_download_that_breaks_off_goes_on_where_it_was(hub: Hub, api: HfApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 10_000)  # what it has of less is lost
    hub.fail("/storage/", cut=300_000)
    assert Path(api.hf_hub_download(MODEL, "model.safetensors")).read_bytes() == WEIGHTS
    (last,) = [each for each in hub.asked if each.status == 206]
    assert 0 < int(last.range.removeprefix("bytes=").partition("-")[0]) <= 300_000


def test_a_hub_that_says_nothing_in_time_is_given_up(hub: Hub, api: HfApi) -> None:
    hub.fail("GET /api/models/", delay=30)
    with pytest.raises(Exception, match="timed out"):
        api.model_info(MODEL, timeout=0.2)


# --- our reader ---------------------------------------------------------------------------------------------------


def test_every_file_is_read_as_it_was_published(hub: Hub) -> None:
    with open_target(f"hf:{MODEL}") as repo:
        assert repo.revision == revision_of(hub.folder, MODEL)
        assert repo.files.paths() == ["sub/own.py"]
        assert repo.files.read("sub/own.py") == (CODE + "# 0\n").encode()
        for path, content in (("config.json", b'{"model_type": "tiny"}'), ("model.safetensors", WEIGHTS)):
            head = repo.files.head(path, 10_000_000)
            assert not isinstance(head, Skipped)
            assert head.data == content
        assert repo.ids["model.safetensors"].startswith("sha256:")
        assert repo.ids["config.json"].startswith("git:")
        assert len(repo.ids) == 4


def test_of_large_files_nothing_but_the_parts_that_are_needed_is_sent(hub: Hub) -> None:
    with open_target(f"hf:{MODEL}") as repo:
        (weights,) = open_weights(repo.files).found
        np.testing.assert_array_equal(weights.values("layer.2.weight", 700, 50), (VALUES + 2).ravel()[700:750])
    assert hub.sent_bytes("/storage/") < 2_000
    assert hub.requests("/resolve/.*safetensors") == 1  # after that the storage is asked itself


def test_a_small_file_is_asked_for_to_its_end_after_a_few_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = WEIGHTS[: limits.MAX_HUB_SMALL_BYTES]
    publish(tmp_path, "org/small", [Upload(FIRST, {"model.safetensors": data})])
    publish(tmp_path, "org/larger", [Upload(FIRST, {"model.safetensors": WEIGHTS})])
    with serving(tmp_path) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
        for model, count in (("small", limits.FEW_HUB_PARTS + 1), ("larger", 100)):
            hub.asked.clear()
            with open_target(f"hf:org/{model}") as repo:
                for begin in range(1_000, 991_000, 9_900):
                    assert repo.files.part("model.safetensors", begin, 16) == WEIGHTS[begin : begin + 16]
                assert repo.files.part("model.safetensors", len(data) - 3, 3) == data[-3:]
            assert hub.requests("/storage/") == count + (model == "larger")


def test_the_token_is_for_the_hub_alone(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    with open_target(f"hf:{MODEL}") as repo:
        assert repo.files.part("model.safetensors", 90, 10) == WEIGHTS[90:100]
        assert repo.files.part("model.safetensors", 900, 10) == WEIGHTS[900:910]
    assert {(each.is_of_storage, each.is_known) for each in hub.asked} == {(False, True), (True, False)}


WHERE = (f"/api/models/{MODEL}/revision/", "/tree/", "/resolve/", "/storage/")
LIMITED = {"RateLimit": '"api";r=0;t=40', "RateLimit-Policy": '"fixed window";"api";q=500;w=300'}
FAILURES: list[tuple[str, dict[str, Any]]] = [
    *((where, {"status": 429, "headers": LIMITED}) for where in WHERE),
    *((where, {"resets": True}) for where in WHERE),
    *((where, {"delay": 30}) for where in ("/tree/", "/storage/")),
    *((where, {"cut": cut}) for where in WHERE if where != "/resolve/" for cut in (0, 5)),  # where there is a body
    ("/tree/", {"status": 429, "headers": {"Retry-After": "40"}}),
    *(("/resolve/", {"status": status}) for status in (408, 500, 502, 503, 504)),
]


@pytest.mark.parametrize(("where", "how"), FAILURES, ids=str)
def test_a_hub_that_fails_twice_is_read_all_the_same(
    where: str, how: dict[str, Any], hub: Hub, machine: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    times = 1 if "delay" in how else 2
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DOWNLOAD_TIMEOUT", 1.0 if "delay" in how else 10.0)
    hub.fail(where, times=times, **how)
    with open_target(f"hf:{MODEL}") as repo:
        assert repo.files.part("model.safetensors", 1_000_000, 100) == WEIGHTS[1_000_000:1_000_100]
    assert len(machine) >= times  # a busy machine may be late by itself
    assert not any(fault.times for fault in hub.front.faults)
    if how.get("status") == 429 and where != "/storage/":  # whose addresses are asked for anew
        assert machine == [40, 40]


@pytest.mark.parametrize("how", [{"status": 429}, {"status": 503}, {"resets": True}, {"cut": 3}], ids=str)
def test_a_hub_that_goes_on_failing_is_one_line(how: dict[str, Any], hub: Hub, machine: list[float]) -> None:
    hub.fail("", times=1_000, **how)
    with pytest.raises(UserError) as caught, open_target(f"hf:{MODEL}"):
        pass
    assert str(caught.value).isprintable()
    assert hub.requests() == limits.HUB_TRIES
    assert len(machine) == limits.HUB_TRIES - 1


def test_a_storage_that_ignores_ranges_sends_a_file_once(hub: Hub) -> None:
    hub.fail("/storage/", times=100, ignores_range=True)
    with open_target(f"hf:{MODEL}") as repo:
        for begin in range(1_500_000, 0, -300_000):
            assert repo.files.part("model.safetensors", begin, 16) == WEIGHTS[begin : begin + 16]
    assert hub.requests("/storage/") == 2
    assert sum(each.sent_bytes for each in hub.asked if each.is_of_storage) < 2 * len(WEIGHTS)


def test_an_address_of_the_storage_that_has_expired_is_asked_for_anew(hub: Hub) -> None:
    with open_target(f"hf:{MODEL}") as repo:
        assert repo.files.part("model.safetensors", 50, 100) == WEIGHTS[50:150]
        hub.fail("/storage/", status=403)
        assert repo.files.part("model.safetensors", 90, 100) == WEIGHTS[90:190]


def test_a_gated_model_says_how_to_log_in_and_opens_for_those_who_did(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UserError, match=r"gated: ask for access .* `hf auth login`"), open_target("hf:org/closed"):
        pass
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    with open_target("hf:org/closed") as repo:
        head = repo.files.head("config.json", 10)
        assert not isinstance(head, Skipped)
        assert head.data == b"{}"


def test_a_model_that_is_taken_down_is_one_line_before_and_a_skipped_file_after_it_was_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(tmp_path, "org/short", [Upload(FIRST, {"a.py": CODE, "config.json": "{}"})])
    with serving(tmp_path) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
        with open_target("hf:org/short") as repo:
            remove(tmp_path, "org/short")
            found = repo.files.head("config.json", 10)
            assert isinstance(found, Skipped)
            assert "no such model" in found.reason
        with pytest.raises(UserError, match="no such model"), open_target("hf:org/short"):
            pass


def test_a_model_is_read_as_it_was_when_it_was_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(tmp_path, "org/moving", [Upload(FIRST, {"a.py": CODE})])
    with serving(tmp_path) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
        with open_target("hf:org/moving") as repo:
            publish(tmp_path, "org/moving", [Upload(FIRST + 1, {"a.py": "another = 1\n"})])
            assert repo.files.read("a.py") == CODE.encode()
        with open_target("hf:org/moving") as repo:
            assert repo.files.read("a.py") == b"another = 1\n"


def test_nobody_asks_any_other_hub(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """What olah does not have it would ask another hub for: it is told not to."""
    import httpx

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a request left the machine")

    monkeypatch.setattr(httpx.AsyncClient, "request", refuse)
    monkeypatch.setattr(httpx.AsyncClient, "send", refuse)
    api = HfApi(hub.endpoint)
    for ask in (api.list_repo_refs, api.list_repo_commits, api.list_repo_files):
        with pytest.raises((RepositoryNotFoundError, HfHubHTTPError)):
            ask("org/nothing")
    assert os.environ["HF_ENDPOINT"] == hub.endpoint
