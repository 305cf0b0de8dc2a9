"""Models on a hub, read from a server on loopback that is not always a good one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from detector.artifacts.weights.opened import open_weights
from detector.evidence import structure
from detector.model import Skipped, UserError
from detector.read import limits, open_target
from detector.targets import Comparison, Repo
from tests.hub_client import unconfigured
from tests.hub_server import COMMIT, MODEL, Hub, serving

VALUES = np.random.default_rng(5).standard_normal((256, 512)).astype(np.float32)
WEIGHTS = save({f"layer.{i}.weight": VALUES + i for i in range(4)}, {"format": "pt"})
FILES = {
    "README.md": b"# A model\n",
    "config.json": b'{"hidden_size": 512}',
    "modeling_own.py": b"def forward(x):\n    return x\n",
    "model.safetensors": WEIGHTS,
    "folder/a b#c?.json": b"{}",
    "picture.png": b"\x89PNG",
}


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    return unconfigured(tmp_path, monkeypatch)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with serving(Hub(FILES)) as running:
        monkeypatch.setenv("HF_ENDPOINT", running.endpoint)
        yield running


def paths_asked(hub: Hub) -> list[str]:
    return [path for path, _ in hub.asked]


def test_a_model_is_read_at_the_commit_that_its_revision_names(hub: Hub) -> None:
    for target in (f"hf:{MODEL}", f"hf:{MODEL}@refs/pr/1", f"hf:{MODEL}@{COMMIT}"):
        with open_target(target) as repo:
            assert (repo.target, repo.name, repo.revision, repo.is_remote) == (target, "model", COMMIT, True)
            assert repo.files.paths() == ["modeling_own.py"]
            assert repo.files.others() == ["README.md", "config.json", "folder/a b#c?.json", "model.safetensors"]
            assert [file.data for file in repo.files if not isinstance(file, Skipped)] == [FILES["modeling_own.py"]]
            assert repo.files.notes() == {"README.md": FILES["README.md"]}
            head = repo.files.head("folder/a b#c?.json", 100)
            assert not isinstance(head, Skipped)
            assert head.is_whole


def test_of_a_checkpoint_no_more_is_fetched_than_is_asked_for(hub: Hub) -> None:
    with open_target(f"hf:{MODEL}") as repo:
        (weights,) = open_weights(repo.files).found
        np.testing.assert_array_equal(weights.values("layer.2.weight", 700, 50), (VALUES + 2).ravel()[700:750])
    headers = 1024 + int.from_bytes(WEIGHTS[:8], "little")
    assert hub.sent_bytes <= headers + 200
    assert hub.sent_bytes < len(WEIGHTS) / 500


def test_one_connection_serves_many_parts(hub: Hub) -> None:
    with open_target(f"hf:{MODEL}") as repo:
        for begin in range(0, 100_000, 5_000):
            assert repo.files.part("model.safetensors", begin, 16) == WEIGHTS[begin : begin + 16]
    assert len(hub.asked) > 20
    assert hub.connections == 1


def test_what_was_read_of_a_beginning_is_not_asked_for_again(hub: Hub) -> None:
    with open_target(f"hf:{MODEL}") as repo:
        for most in (8, 5_000, 4_000, 8):
            head = repo.files.head("model.safetensors", most)
            assert not isinstance(head, Skipped)
            assert head.data == WEIGHTS[:most]
        assert repo.files.part("model.safetensors", 10, 20) == WEIGHTS[10:30]
    ranges = [headers["range"] for path, headers in hub.asked if "resolve" in path]
    assert ranges == ["bytes=0-7", "bytes=8-4999"]


def test_other_kinds_of_evidence_read_the_same_files(hub: Hub) -> None:
    with open_target(f"hf:{MODEL}") as repo, open_target(f"hf:{MODEL}@{COMMIT}") as same:
        (look,) = structure.find(Comparison(repo, "suspect", {"reference": same}))
    assert look.examined.is_possible


def test_parts_past_the_end_are_short_and_cost_nothing(hub: Hub) -> None:
    with open_target(f"hf:{MODEL}") as repo:
        before = len(hub.asked)
        assert repo.files.part("model.safetensors", len(WEIGHTS) + 5, 10) == b""
        assert len(hub.asked) == before
        assert repo.files.part("model.safetensors", len(WEIGHTS) - 3, 10) == WEIGHTS[-3:]


def test_of_a_server_that_ignores_ranges_a_file_is_fetched_once(hub: Hub) -> None:
    hub.ignores_range, hub.cuts = True, 0
    with open_target(f"hf:{MODEL}") as repo:
        for begin in range(300_000, 0, -20_000):
            assert repo.files.part("model.safetensors", begin, 16) == WEIGHTS[begin : begin + 16]
        head = repo.files.head("config.json", 1_000)
        assert not isinstance(head, Skipped)
        assert head.data == FILES["config.json"]
    # Once to find out, once whole.
    assert sum("model.safetensors" in path for path in paths_asked(hub)) == 2


def test_a_large_file_of_such_a_server_is_not_fetched_at_all(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.ignores_range = True
    monkeypatch.setattr("detector.read.remote_files.MAX_HUB_WHOLE_BYTES", 100_000)
    with open_target(f"hf:{MODEL}") as repo:
        found = repo.files.part("model.safetensors", 90_000, 16)
        assert isinstance(found, Skipped)
        assert "does not serve parts" in found.reason
    assert sum("model.safetensors" in path for path in paths_asked(hub)) == 1


def test_a_whole_file_that_breaks_off_is_fetched_again(hub: Hub) -> None:
    hub.ignores_range, hub.cuts = True, 2
    with open_target(f"hf:{MODEL}") as repo:
        assert repo.files.part("model.safetensors", 90_000, 16) == WEIGHTS[90_000:90_016]
        assert repo.files.part("model.safetensors", len(WEIGHTS) - 16, 16) == WEIGHTS[-16:]


def test_a_body_that_breaks_off_is_asked_for_again(hub: Hub) -> None:
    with open_target(f"hf:{MODEL}") as repo:
        hub.cuts = 2
        assert repo.files.part("model.safetensors", 50, 100) == WEIGHTS[50:150]


def test_a_file_that_is_always_too_short_is_skipped_and_others_are_read(
    monkeypatch: pytest.MonkeyPatch, machine: list[float]
) -> None:
    with serving(Hub(FILES, sizes={"config.json": 5_000})) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
        with open_target(f"hf:{MODEL}") as repo:
            assert isinstance(repo.files.head("config.json", 10_000), Skipped)
            assert not isinstance(repo.files.head("README.md", 10_000), Skipped)
    assert len(machine) == limits.HUB_TRIES - 1


def test_a_busy_hub_is_given_the_time_it_asks_for(hub: Hub, machine: list[float]) -> None:
    hub.busy = 2
    with open_target(f"hf:{MODEL}") as repo:
        assert repo.revision == COMMIT
    assert machine == [7, 7]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_hub_that_stays_busy_is_one_line(hub: Hub, status: int, machine: list[float]) -> None:
    hub.busy, hub.busy_status = 1_000, status
    with pytest.raises(UserError, match="later") as caught, open_target(f"hf:{MODEL}"):
        pass
    assert "\n" not in str(caught.value)
    assert len(hub.asked) == limits.HUB_TRIES
    assert max(machine) <= limits.HUB_LONGEST_WAIT_SECONDS


def test_a_hub_that_fails_in_the_middle_is_not_waited_for_again(hub: Hub, machine: list[float]) -> None:
    with open_target(f"hf:{MODEL}") as repo:
        hub.busy, hub.busy_status = 1_000, 502
        for path in ("config.json", "README.md", "model.safetensors"):
            assert isinstance(repo.files.head(path, 100), Skipped)
    assert len(machine) == limits.HUB_TRIES - 1


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("hf:org/other", "no such model"),
        (f"hf:{MODEL}@nowhere", "no such revision"),
        ("hf:", "name a model as"),
        ("hf:a/b/c", "name a model as"),
        ("hf:../etc", "name a model as"),
        ("hf:org/model@--x", "name a model as"),
        ("hf:org/mo del\x1b[2J", "name a model as"),
    ],
)
def test_what_is_not_there_is_one_line(hub: Hub, target: str, message: str) -> None:
    with pytest.raises(UserError, match=message) as caught, open_target(target):
        pass
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(("gate", "code"), [(401, ""), (403, ""), (401, "GatedRepo"), (403, "GatedRepo")])
def test_a_gated_model_says_how_to_log_in_and_opens_for_those_who_did(
    gate: int, code: str, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.about, hub.gate, hub.code = {"gated": "manual"}, gate, code
    with pytest.raises(UserError, match=r"gated: ask for access .* `hf auth login`"), open_target(f"hf:{MODEL}"):
        pass
    monkeypatch.setenv("HF_TOKEN", "known")
    with open_target(f"hf:{MODEL}") as repo:
        assert repo.revision == COMMIT


@pytest.mark.parametrize(
    ("status", "code", "reason"),
    [
        (403, "", "gated"),
        (401, "", "gated"),
        (404, "", "does not have it"),
        (401, "GatedRepo", "gated"),
        (404, "EntryNotFound", "does not have it"),
        (410, "", "error (410)"),
    ],
)
def test_a_file_that_is_refused_is_skipped_with_the_reason(hub: Hub, status: int, code: str, reason: str) -> None:
    hub.refused, hub.code = status, code
    with open_target(f"hf:{MODEL}") as repo:
        found = repo.files.head("config.json", 100)
        assert isinstance(found, Skipped)
        assert reason in found.reason


def test_a_token_is_shown_to_the_hub_and_not_to_its_storage(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "known")
    with serving(Hub(FILES)) as storage:
        hub.storage = storage.endpoint
        with open_target(f"hf:{MODEL}") as repo:
            assert repo.files.part("model.safetensors", 50, 100) == WEIGHTS[50:150]
            assert repo.files.part("model.safetensors", 5_000, 100) == WEIGHTS[5_000:5_100]
        assert all(headers["authorization"] == "Bearer known" for _, headers in hub.asked)
        assert [headers.get("authorization") for _, headers in storage.asked] == [None, None]
        # Once it is known where a file is, the hub is not asked again.
        assert sum("resolve" in path for path in paths_asked(hub)) == 1


def test_an_address_of_the_storage_that_has_expired_is_asked_for_anew(hub: Hub) -> None:
    with serving(Hub(FILES)) as storage:
        hub.storage = storage.endpoint
        with open_target(f"hf:{MODEL}") as repo:
            assert repo.files.part("model.safetensors", 50, 100) == WEIGHTS[50:150]
            storage.busy, storage.busy_status = 1, 403
            assert repo.files.part("model.safetensors", 90, 100) == WEIGHTS[90:190]


def test_an_answer_that_was_compressed_on_the_way_is_not_unpacked(hub: Hub) -> None:
    hub.compresses = True
    with open_target(f"hf:{MODEL}") as repo:
        assert isinstance(repo.files.head("config.json", 100), Skipped)


def test_hostile_names_in_a_listing_are_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(Hub({"../../up.py": b"", "/abs.py": b"", "ok.py": b"O"})) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
        with open_target(f"hf:{MODEL}") as repo:
            told = {each.path: each.reason for each in repo.files if isinstance(each, Skipped)}
            assert repo.files.paths() == ["ok.py"]
    assert told == dict.fromkeys(("../../up.py", "/abs.py"), "its name points out of the model")


def test_a_hub_that_is_not_there_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(Hub({})) as gone:
        pass
    monkeypatch.setenv("HF_ENDPOINT", gone.endpoint)
    with pytest.raises(UserError, match=r"does not answer.*HF_ENDPOINT.*HF_HUB_OFFLINE"), open_target(f"hf:{MODEL}"):
        pass


def cached(root: Path, *names: str) -> Path:
    """The cache as the hub's client lays it out."""
    model = root / "models--org--model"
    snapshot = model / "snapshots" / COMMIT
    for number, name in enumerate(names):
        blob = model / "blobs" / f"{number:040x}"
        blob.parent.mkdir(parents=True, exist_ok=True)
        blob.write_bytes(FILES[name])
        (snapshot / name).parent.mkdir(parents=True, exist_ok=True)
        (snapshot / name).symlink_to(os.path.relpath(blob, (snapshot / name).parent))
    (model / "refs").mkdir()
    (model / "refs" / "main").write_text(COMMIT)
    return snapshot


def test_what_the_local_cache_has_is_not_fetched(hub: Hub, tmp_path: Path) -> None:
    cached(tmp_path / "cache", "config.json", "model.safetensors")
    with open_target(f"hf:{MODEL}") as repo:
        assert repo.files.part("model.safetensors", 90_000, 16) == WEIGHTS[90_000:90_016]
        head = repo.files.head("config.json", 100)
        assert not isinstance(head, Skipped)
        assert head.data == FILES["config.json"]
    assert not any("resolve" in path for path in paths_asked(hub))


def test_offline_the_local_cache_is_read_and_nobody_is_asked(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(UserError, match="not in the local cache"), open_target(f"hf:{MODEL}"):
        pass
    cached(tmp_path / "cache", "config.json", "modeling_own.py")
    with open_target(f"hf:{MODEL}") as repo:
        assert described(repo) == ("model", COMMIT, ["modeling_own.py"], ["config.json"])
    assert hub.asked == []


def described(repo: Repo) -> tuple[str, str, list[str], list[str]]:
    return repo.name, repo.revision, list(repo.files.paths()), list(repo.files.others())
