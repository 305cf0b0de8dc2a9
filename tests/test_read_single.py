"""Checkpoints and logs as targets of their own, pickles that are never opened, and a hub's cache full of links."""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save, save_file

from detector.artifacts.weights.opened import open_weights
from detector.model import Skipped, UserError
from detector.read import open_target
from tests.repositories import InMemory

VALUES = {"a.weight": np.arange(12, dtype=np.float32).reshape(3, 4)}
COMMIT = "c" * 40


@pytest.mark.parametrize("name", ["log.jsonl", "LOG.CSV", "a.tsv", "b.parquet", "model.safetensors", "m.gguf"])
def test_a_log_or_a_checkpoint_is_a_target_of_one_file(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"0123456789")
    (tmp_path / "other.csv").write_bytes(b"")
    with open_target(str(tmp_path / name)) as repo:
        assert (repo.name, repo.files.paths(), repo.files.others()) == (name, [], [name])
        assert repo.files.part(name, 3, 4) == b"3456"


def sharded(folder: Path) -> Path:
    folder.mkdir(parents=True)
    for number in (1, 2):
        save_file({f"{number}.weight": VALUES["a.weight"]}, folder / f"model-0000{number}-of-00002.safetensors")
    save_file(VALUES, folder / "other.safetensors")
    (folder / "a.py").write_text("A")
    names = {f"{number}.weight": f"model-0000{number}-of-00002.safetensors" for number in (1, 2)}
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"metadata": {"total_size": 96}, "weight_map": names}))
    return index


def test_an_index_is_a_target_with_its_shards_and_nothing_else(tmp_path: Path) -> None:
    index = sharded(tmp_path / "model")
    with open_target(str(index)) as repo:
        assert repo.name == "model"
        assert [path[:8] for path in repo.files.others()] == ["model-00", "model-00", "model.sa"]
        assert repo.files.paths() == []
        (weights,) = open_weights(repo.files).found
    assert list(weights.tensors) == ["1.weight", "2.weight"]


def test_an_index_that_leads_elsewhere_is_not_followed(tmp_path: Path) -> None:
    index = sharded(tmp_path / "model")
    outside = tmp_path / "out.safetensors"
    save_file(VALUES, outside)
    (tmp_path / "model" / "link.safetensors").symlink_to(outside)
    names = ["../out.safetensors", str(outside), "link.safetensors", "gone.safetensors", "a\x1b[2J.safetensors"]
    index.write_text(json.dumps({"weight_map": {str(place): name for place, name in enumerate(names)}}))
    with open_target(str(index)) as repo:
        assert repo.files.others() == [index.name]
        told = [each for each in repo.files if isinstance(each, Skipped)]
    assert len(told) == 4  # the escaped name is no name of a file that anyone reads
    assert all(each.reason.startswith("cannot be read") and each.path.isprintable() for each in told)


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "weights.PTH", "last.ckpt", "adapter_model.bin"])
def test_a_pickle_is_refused_with_a_way_to_convert_it(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"PK\3\4")
    message = f"a pickle, which runs code.*python -c .* {name} model.safetensors$"
    with pytest.raises(UserError, match=message) as caught, open_target(str(tmp_path / name)):
        pass
    assert str(caught.value).isprintable()


def test_the_way_to_convert_a_pickle_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    module = torch.nn.Linear(3, 2)
    state = {**module.state_dict(), "tied": module.weight}
    torch.save({"state_dict": state}, tmp_path / "model.pt")
    with pytest.raises(UserError) as caught, open_target(str(tmp_path / "model.pt")):
        pass
    _, _, code, *given = shlex.split(re.findall(r"python -c .*", str(caught.value))[0])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["-c", *given])
    exec(code, {})  # in a process of its own torch takes seconds to import
    with open_target(str(tmp_path / "model.safetensors")) as repo:
        (weights,) = open_weights(repo.files).found
    assert list(weights.tensors) == ["bias", "tied", "weight"]


def test_pickles_are_told_where_there_is_nothing_else_of_the_model() -> None:
    tensors = save(VALUES)
    result = open_weights(
        InMemory(
            {
                "a/model.safetensors": tensors,
                "a/pytorch_model-00001-of-00002.bin": b"",
                "a/pytorch_model-00002-of-00002.bin": b"",
                "b/pytorch_model-00001-of-00002.bin": b"",
                "b/pytorch_model-00002-of-00002.bin": b"",
                "b/optimizer.pt": b"",
                "b/training_args.bin": b"",
                "c/last.ckpt": b"",
                "c/data.bin": b"",
            }
        )
    )
    assert len(result.found) == 1
    assert [each.path for each in result.skipped] == ["b/pytorch_model-00001-of-00002.bin", "c/last.ckpt"]
    assert all("a pickle" in each.reason and "safetensors" in each.reason for each in result.skipped)


def test_packed_integers_are_told_and_no_weights() -> None:
    packed: dict[str, Any] = {
        "q.qweight": np.ones((4, 4), np.int32),
        "q.scales": np.ones((4, 4), np.float16),
        "b.weight": np.ones((8, 1), np.uint8),
        "b.weight.absmax": np.ones(8, np.float32),
        "i.weight": np.ones((8, 8), np.int8),
        "mask": np.ones((1, 1, 8, 8), np.uint8),
    }
    result = open_weights(InMemory({"model.safetensors": save(packed)}))
    (weights,) = result.found
    assert {name for name, tensor in weights.tensors.items() if tensor.is_weight} == {
        "q.scales",
        "b.weight.absmax",
        "i.weight",
    }
    assert [each.reason for each in result.skipped] == [
        "tensors of integers that bitsandbytes, GPTQ or AWQ packs are not unpacked"
    ]


def cache(root: Path) -> Path:
    """A model as the hub's client keeps it; the folder of its snapshot."""
    model = root / "models--org--name"
    snapshot = model / "snapshots" / COMMIT
    (model / "blobs").mkdir(parents=True)
    (snapshot / "sub").mkdir(parents=True)
    for name, data in {"a.py": b"A", "config.json": b"{}", "sub/model.safetensors": save(VALUES)}.items():
        blob = model / "blobs" / name.replace("/", "-")
        blob.write_bytes(data)
        link = snapshot / name
        link.symlink_to(os.path.relpath(blob, link.parent))
    return snapshot


def test_a_snapshot_of_the_hubs_cache_is_read_through_its_links(tmp_path: Path) -> None:
    snapshot = cache(tmp_path)
    with open_target(str(snapshot)) as repo:
        assert (repo.name, repo.revision) == ("name", COMMIT)
        assert (repo.files.paths(), repo.files.others()) == (["a.py"], ["config.json", "sub/model.safetensors"])
        assert repo.files.read("a.py") == b"A"
        assert [each for each in repo.files if isinstance(each, Skipped)] == []
        assert len(open_weights(repo.files).found) == 1
    with open_target(str(snapshot / "sub")) as repo:
        assert repo.files.others() == ["model.safetensors"]
    with open_target(str(snapshot / "sub" / "model.safetensors")) as repo:
        assert repo.files.others() == ["model.safetensors"]


def test_the_index_of_a_snapshot_leads_to_its_shards(tmp_path: Path) -> None:
    snapshot = cache(tmp_path)
    (snapshot / "m.safetensors").symlink_to("../../blobs/sub-model.safetensors")
    index = snapshot.parents[1] / "blobs" / "index"
    index.write_text(json.dumps({"weight_map": {"a.weight": "m.safetensors"}}))
    (snapshot / "m.safetensors.index.json").symlink_to("../../blobs/index")
    with open_target(str(snapshot / "m.safetensors.index.json")) as repo:
        assert repo.name == "name"
        assert list(open_weights(repo.files).found[0].tensors) == ["a.weight"]


@pytest.mark.parametrize("way", ["out", "another model", "a folder below", "through a link", "a pipe", "itself"])
def test_links_of_a_snapshot_that_leave_its_blobs_are_not_followed(way: str, tmp_path: Path) -> None:
    snapshot = cache(tmp_path)
    blobs = snapshot.parents[1] / "blobs"
    secret = tmp_path / "secret.json"
    secret.write_text('{"secret": 1}')
    if way == "out":
        goal = secret
    elif way == "another model":
        goal = tmp_path / "models--org--other" / "blobs" / "x"
        goal.parent.mkdir(parents=True)
        goal.write_text("{}")
    elif way == "a folder below":
        goal = blobs / "folder" / "x"
        goal.parent.mkdir()
        goal.write_text("{}")
    elif way == "through a link":
        goal = blobs / "link"
        goal.symlink_to(secret)
    elif way == "a pipe":
        goal = blobs / "pipe"
        os.mkfifo(goal)
    else:
        goal = snapshot / "b.json"
    (snapshot / "b.json").symlink_to(goal)
    with open_target(str(snapshot)) as repo:
        assert "b.json" not in repo.files.others()
        reasons = {each.path: each.reason for each in repo.files if isinstance(each, Skipped)}
    assert reasons["b.json"].startswith("a symbolic link")


def test_blobs_that_are_a_link_themselves_lead_nowhere(tmp_path: Path) -> None:
    snapshot = cache(tmp_path)
    blobs = snapshot.parents[1] / "blobs"
    blobs.rename(tmp_path / "elsewhere")
    blobs.symlink_to(tmp_path / "elsewhere")
    with open_target(str(snapshot)) as repo:
        assert (repo.files.paths(), repo.files.others()) == ([], [])


def test_a_cache_inside_of_a_target_keeps_its_links_to_itself(tmp_path: Path) -> None:
    snapshot = cache(tmp_path / "project")
    with open_target(str(tmp_path / "project")) as repo:
        below = snapshot.relative_to(tmp_path / "project").as_posix()
        assert not [path for path in repo.files.others() if path.startswith(below)]
