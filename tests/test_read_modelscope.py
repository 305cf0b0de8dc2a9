"""Models on ModelScope, read from a server on loopback that is not always a good one."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from detector.artifacts.weights.opened import open_weights
from detector.evidence import structure
from detector.model import Skipped, UserError
from detector.read import limits, modelscope, open_target
from detector.read.refusals import ExhaustedError, GatedError, VanishedError
from detector.targets import Comparison
from tests.modelscope_server import COMMIT, MODEL, Site, serving

pytest.importorskip("modelscope_hub")

VALUES = np.random.default_rng(6).standard_normal((256, 512)).astype(np.float32)
WEIGHTS = save({f"layer.{i}.weight": VALUES + i for i in range(4)}, {"format": "pt"})
FILES = {
    "README.md": b"# A model\n",
    "config.json": b'{"hidden_size": 512}',
    "modeling_own.py": b"def forward(x):\n    return x\n",
    "model.safetensors": WEIGHTS,
    "folder/a b#c?&+.json": b"{}",
    "picture.png": b"\x89PNG",
}
DIGEST = "ab" * 32


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """No cache, no token, no proxy; nobody waits, but for how long is written down."""
    waited: list[float] = []
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setenv("MODELSCOPE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("MODELSCOPE_HOME", str(tmp_path / "home"))
    for name in ("MODELSCOPE_API_TOKEN", "MODELSCOPE_PREFER_AI_SITE", "MODELSCOPE_DOMAIN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(time, "sleep", waited.append)
    return waited


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    with serving(Site(FILES, digests={"model.safetensors": DIGEST, "README.md": "no digest"})) as running:
        monkeypatch.setenv("MODELSCOPE_ENDPOINT", running.endpoint)
        yield running


def paths_asked(site: Site, part: str = "") -> list[str]:
    return [path for path, _ in site.asked if part in path]


def test_the_server_of_these_tests_is_one_that_the_client_can_use(site: Site) -> None:
    from modelscope_hub import HubApi, HubConfig

    site.most_entries, site.models = 3_000, [{"id": MODEL, "last_modified": "2025-01-01T00:00:00Z"}]
    client = HubApi(HubConfig())
    listed = {file.path: file.size for file in client.list_repo_files(MODEL, "model", revision=COMMIT)}
    assert {path: size for path, size in listed.items() if path != "folder"} == {
        path: len(data) for path, data in FILES.items()
    }
    path = client.download_file(MODEL, "model", "folder/a b#c?&+.json", revision=COMMIT)
    assert path.read_bytes() == b"{}"
    assert [each.repo_id for each in client.list_repos("model", owner="org").items] == [MODEL]


def test_a_model_is_read_at_the_commit_that_its_revision_names(site: Site) -> None:
    for target in (f"ms:{MODEL}", f"ms:{MODEL}@v1.0", f"ms:{MODEL}@{COMMIT}"):
        with open_target(target) as repo:
            assert (repo.target, repo.name, repo.revision, repo.is_remote) == (target, "model", COMMIT, True)
            assert repo.files.paths() == ["modeling_own.py"]
            assert repo.files.others() == ["README.md", "config.json", "folder/a b#c?&+.json", "model.safetensors"]
            assert [file.data for file in repo.files if not isinstance(file, Skipped)] == [FILES["modeling_own.py"]]
            assert repo.files.notes() == {"README.md": FILES["README.md"]}
            head = repo.files.head("folder/a b#c?&+.json", 100)
            assert not isinstance(head, Skipped)
            assert head.data == b"{}"
    # A commit need not be looked up.
    assert len(paths_asked(site, "/commits")) == 2


def test_what_the_listing_says_of_contents_is_kept_where_it_can_be_true(site: Site) -> None:
    with open_target(f"ms:{MODEL}") as repo:
        assert repo.ids == {"model.safetensors": f"sha256:{DIGEST}"}


def test_of_a_checkpoint_no_more_is_fetched_than_is_asked_for(site: Site) -> None:
    with open_target(f"ms:{MODEL}") as repo:
        (weights,) = open_weights(repo.files).found
        np.testing.assert_array_equal(weights.values("layer.2.weight", 700, 50), (VALUES + 2).ravel()[700:750])
    headers = 1024 + int.from_bytes(WEIGHTS[:8], "little")
    assert site.sent_bytes <= headers + 200 + len(FILES["README.md"])
    assert site.connections == 1


def test_whether_a_model_may_be_read_costs_no_request_more(site: Site) -> None:
    with open_target(f"ms:{MODEL}") as repo:
        assert repo.files.notes() == {"README.md": FILES["README.md"]}
    assert len(paths_asked(site, "FilePath=README.md")) == 1


def test_other_kinds_of_evidence_read_the_same_files(site: Site) -> None:
    with open_target(f"ms:{MODEL}") as repo, open_target(f"ms:{MODEL}@{COMMIT}") as same:
        (look,) = structure.find(Comparison(repo, "suspect", {"reference": same}))
    assert look.examined.is_possible


def test_of_a_server_that_ignores_ranges_a_file_is_fetched_once(site: Site) -> None:
    site.ignores_range = True
    with open_target(f"ms:{MODEL}") as repo:
        for begin in range(300_000, 0, -20_000):
            assert repo.files.part("model.safetensors", begin, 16) == WEIGHTS[begin : begin + 16]
    # Once to find out, once whole.
    assert len(paths_asked(site, "model.safetensors")) == 2


def test_a_body_that_breaks_off_is_asked_for_again(site: Site) -> None:
    with open_target(f"ms:{MODEL}") as repo:
        site.cuts = 2
        assert repo.files.part("model.safetensors", 50, 100) == WEIGHTS[50:150]


def test_an_answer_that_was_compressed_on_the_way_is_not_unpacked(site: Site) -> None:
    with open_target(f"ms:{MODEL}") as repo:
        site.compresses = True
        assert isinstance(repo.files.head("config.json", 100), Skipped)


def test_a_busy_hub_is_given_the_time_it_asks_for(site: Site, machine: list[float]) -> None:
    site.busy = 2
    with open_target(f"ms:{MODEL}") as repo:
        assert repo.revision == COMMIT
    assert machine == [7, 7]


@pytest.mark.parametrize(("status", "kind"), [(429, ExhaustedError), (500, UserError), (503, UserError)])
def test_a_hub_that_stays_busy_is_one_line(
    site: Site, status: int, kind: type[UserError], machine: list[float]
) -> None:
    site.busy, site.busy_status = 1_000, status
    with pytest.raises(kind, match="later") as caught, open_target(f"ms:{MODEL}"):
        pass
    assert "\n" not in str(caught.value)
    assert len(site.asked) == limits.HUB_TRIES
    assert max(machine) <= limits.HUB_LONGEST_WAIT_SECONDS


def test_a_hub_that_says_nothing_is_not_waited_for_without_end(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modelscope_hub.constants.API_TIMEOUT", 0.05)
    site.stalls_seconds = 1.0
    with pytest.raises(UserError, match=r"does not answer .*Timeout"), open_target(f"ms:{MODEL}"):
        pass
    assert len(site.asked) == limits.HUB_TRIES


def test_a_file_that_comes_byte_by_byte_is_given_up(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_target(f"ms:{MODEL}") as repo:
        monkeypatch.setattr("detector.read.hub_requests.HUB_REQUEST_SECONDS", 0.1)
        site.trickles_seconds = 0.02
        told = repo.files.head("model.safetensors", 1_000)
    assert isinstance(told, Skipped)
    assert "sends for more than" in told.reason


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("ms:org/other", "no such model on ModelScope"),
        ("ms:org/other@v1.0", "no such model on ModelScope"),
        (f"ms:org/other@{COMMIT}", "no such model on ModelScope"),
        (f"ms:{MODEL}@nowhere", "no such revision"),
        ("ms:", "name a model as"),
        ("ms:model", "name a model as"),
        ("ms:a/b/c", "name a model as"),
        ("ms:../etc", "name a model as"),
        ("ms:org/model@--x", "name a model as"),
        ("ms:org/mo del\x1b[2J", "name a model as"),
    ],
)
def test_what_is_not_there_is_one_line(site: Site, target: str, message: str) -> None:
    with pytest.raises(UserError, match=message) as caught, open_target(target):
        pass
    assert str(caught.value).isprintable()
    assert isinstance(caught.value, VanishedError) == ("no such model" in message)


def test_a_gated_model_is_told_at_once_and_opens_for_those_who_are_known(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.gated = True
    with pytest.raises(GatedError, match=r"gated: ask for access .* `modelscope login`"), open_target(f"ms:{MODEL}"):
        pass
    monkeypatch.setenv("MODELSCOPE_API_TOKEN", "known")
    with open_target(f"ms:{MODEL}") as repo:
        assert repo.files.notes() == {"README.md": FILES["README.md"]}


def test_a_token_is_shown_to_the_hub_and_not_to_its_storage(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODELSCOPE_API_TOKEN", "known")
    with serving(Site(FILES)) as storage:
        site.storage = storage.endpoint
        with open_target(f"ms:{MODEL}") as repo:
            assert repo.files.part("model.safetensors", 50, 100) == WEIGHTS[50:150]
            assert repo.files.part("model.safetensors", 5_000, 100) == WEIGHTS[5_000:5_100]
        assert all(headers["authorization"] == "Bearer known" for _, headers in site.asked)
        assert all(headers["cookie"] == "m_session_id=known" for _, headers in site.asked)
        told = [headers for _, headers in storage.asked]
        assert len(told) == 3
        assert not any("authorization" in headers or "cookie" in headers for headers in told)
        # Once it is known where a file is, the hub is not asked again.
        assert len(paths_asked(site, "model.safetensors")) == 1


def test_a_token_that_would_break_out_of_its_header_is_one_line(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODELSCOPE_API_TOKEN", "a\r\nhost: b")
    with pytest.raises(UserError, match="MODELSCOPE_API_TOKEN"), open_target(f"ms:{MODEL}"):
        pass
    assert site.asked == []


def test_a_listing_that_was_cut_off_is_completed_folder_by_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(modelscope, "_MOST_ENTRIES", 10)
    names = [f"{top}/{below}/{number}.py" for top in "abc" for below in "xy" for number in range(7)]
    with serving(Site(dict.fromkeys([*names, "top.py", "z.py"], b""), most_entries=10, denied=1)) as site:
        monkeypatch.setenv("MODELSCOPE_ENDPOINT", site.endpoint)
        with open_target(f"ms:{MODEL}") as repo:
            assert repo.files.paths() == sorted([*names, "top.py", "z.py"])
            assert not [each for each in repo.files if isinstance(each, Skipped)]


def test_a_folder_that_no_listing_ends_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(modelscope, "_MOST_ENTRIES", 10)
    names = {f"many/{number:02}.py": b"" for number in range(12)} | {"few/one.py": b"", "top.py": b""}
    with serving(Site(names, most_entries=10)) as site:
        monkeypatch.setenv("MODELSCOPE_ENDPOINT", site.endpoint)
        with open_target(f"ms:{MODEL}") as repo:
            assert {"few/one.py", "top.py", "many/00.py"} <= set(repo.files.paths())
            told = [each for each in repo.files if isinstance(each, Skipped)]
    assert told == [Skipped("many", "more than 10 entries: the hub lists no more of them")]


def test_a_hub_that_lists_the_same_for_every_folder_comes_to_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(modelscope, "_MOST_ENTRIES", 10)
    names = {f"{top}/{number}.py": b"" for top in "abcd" for number in range(6)}
    with serving(Site(names, most_entries=10, ignores_root=True)) as site:
        monkeypatch.setenv("MODELSCOPE_ENDPOINT", site.endpoint)
        with open_target(f"ms:{MODEL}") as repo:
            assert repo.files.paths()
        assert len(site.asked) < 20


def test_listings_without_end_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(modelscope, "_MOST_ENTRIES", 10)
    monkeypatch.setattr(modelscope, "MAX_MEMBERS", 15)
    names = {f"{top}/{number}.py": b"" for top in "abcd" for number in range(6)}
    with serving(Site(names, most_entries=10)) as site:
        monkeypatch.setenv("MODELSCOPE_ENDPOINT", site.endpoint)
        with open_target(f"ms:{MODEL}") as repo:
            assert any("the rest is not read" in each.reason for each in repo.files if isinstance(each, Skipped))


def test_hostile_entries_of_a_listing_are_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    entries: list[object] = [
        {"Type": "blob", "Path": "\ud800.py", "Size": 1},
        {"Type": "blob", "Path": "\x1b[2J.py", "Size": 1},
        {"Type": "blob", "Path": "big.py", "Size": 2**70},
        {"Type": "blob", "Path": ["list.py"], "Size": 1},
        {"Type": "blob", "Path": "negative.py", "Size": -1},
        {"Type": "tree", "Path": None},
        "text",
        None,
    ]
    with serving(Site({"../../up.py": b"", "/abs.py": b"", "ok.py": b"O"}, entries=entries)) as site:
        monkeypatch.setenv("MODELSCOPE_ENDPOINT", site.endpoint)
        with open_target(f"ms:{MODEL}") as repo:
            told = {each.path: each.reason for each in repo.files if isinstance(each, Skipped)}
            assert repo.files.paths() == ["\\x1b[2J.py", "ok.py"]
    assert told == {
        "../../up.py": "its name points out of the model",
        "/abs.py": "its name points out of the model",
        "\\ud800.py": "its name is no text",
        "\\x1b[2J.py": "the hub lists it and does not have it",
    }


@pytest.mark.parametrize("end", ["/commits", "/repo/files"])
@pytest.mark.parametrize(
    "body",
    [b"<html>", b"[]", b"{}", b"null", b'{"Data": 3}', b'{"Data": {"Files": 3, "Commit": {"a": 1}}}', b"[" * 99_999],
)
def test_answers_that_are_none_are_one_line(site: Site, end: str, body: bytes) -> None:
    site.failed = {end: body}
    with pytest.raises(UserError) as caught, open_target(f"ms:{MODEL}"):
        pass
    assert "\n" not in str(caught.value)


def test_a_hub_that_is_not_there_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(Site({})) as gone:
        pass
    monkeypatch.setenv("MODELSCOPE_ENDPOINT", gone.endpoint)
    with pytest.raises(UserError, match=r"does not answer.*MODELSCOPE_ENDPOINT"), open_target(f"ms:{MODEL}"):
        pass


def test_where_nobody_may_be_asked_nobody_is(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(UserError, match="HF_HUB_OFFLINE"), open_target(f"ms:{MODEL}"):
        pass
    assert site.asked == []


def test_without_its_client_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "modelscope_hub", None)
    with (
        pytest.raises(UserError, match=r"pip install 'ml-plagiarism-detector\[modelscope\]'"),
        open_target(f"ms:{MODEL}"),
    ):
        pass


def test_settings_of_the_client_that_cannot_be_read_are_one_line(site: Site, tmp_path: Path) -> None:
    kept = tmp_path / "home" / "credentials" / "cookies"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"")
    with pytest.raises(UserError, match="log in anew"), open_target(f"ms:{MODEL}"):
        pass


def test_what_the_local_cache_has_of_that_commit_is_not_fetched(site: Site, tmp_path: Path) -> None:
    root = tmp_path / "cache" / "models" / "org--model" / "snapshots"
    for revision, data in ((COMMIT, WEIGHTS), ("master", b"older")):
        (root / revision).mkdir(parents=True)
        (root / revision / "model.safetensors").write_bytes(data)
    (root / "master" / "config.json").write_bytes(b"older")
    with open_target(f"ms:{MODEL}") as repo:
        assert repo.files.part("model.safetensors", 90_000, 16) == WEIGHTS[90_000:90_016]
        head = repo.files.head("config.json", 100)
        assert not isinstance(head, Skipped)
        assert head.data == FILES["config.json"]
    assert not paths_asked(site, "model.safetensors")


def test_a_model_that_the_first_site_does_not_have_is_looked_for_on_the_other(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MODELSCOPE_ENDPOINT")
    with serving(Site({}, "org/another")) as first:
        monkeypatch.setattr("modelscope_hub.config.DEFAULT_ENDPOINT", first.endpoint)
        monkeypatch.setattr("modelscope_hub.constants.DEFAULT_ENDPOINT", first.endpoint)
        monkeypatch.setattr("modelscope_hub.constants.DEFAULT_INTL_ENDPOINT", site.endpoint)
        for target in (f"ms:{MODEL}@{COMMIT}", f"ms:{MODEL}"):
            with open_target(target) as repo:
                assert repo.files.paths() == ["modeling_own.py"]
        assert paths_asked(first)[0].startswith("/api/v1/models/org/model/repo/files")
        monkeypatch.setenv("MODELSCOPE_PREFER_AI_SITE", "true")
        first.asked.clear()
        with open_target(f"ms:{MODEL}") as repo:
            assert repo.files.paths() == ["modeling_own.py"]
        assert first.asked == []
