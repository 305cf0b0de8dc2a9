"""Checkpoints under the names of others: the same bytes, in the same files, or nothing."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping as Table
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from detector import renamed_weights
from detector.artifacts.weights.correspondence import Arrangement, Mapping, Pair
from detector.artifacts.weights.opened import open_weights
from detector.model import Skipped, UserError
from detector.read import open_target
from detector.renamed_weights import Renamed, write_renamed

RANDOM = np.random.default_rng(11)
TENSORS: dict[str, Any] = {
    "a.weight": RANDOM.standard_normal((40, 30)).astype(np.float32),
    "b.weight": RANDOM.standard_normal((30, 20)).astype(np.float16),
    "c.bias": RANDOM.standard_normal(7).astype(ml_dtypes.bfloat16),
    "d.count": np.array(3, np.int64),
    "e.none": np.zeros((0, 5), np.float32),
}


def mapping(names: Table[str, str], arrangement: Arrangement = Arrangement.SAME) -> Mapping:
    pairs = tuple(Pair(ours, theirs, arrangement, 1.0, 1.0, True) for ours, theirs in names.items())
    return Mapping(pairs, (), ())


def written(target: Path, names: Mapping, folder: Path) -> Renamed:
    with open_target(str(target)) as repo:
        return write_renamed(repo, open_weights(repo.files).found[0], names, folder)


def single(folder: Path) -> Path:
    folder.mkdir()
    save_file(TENSORS, folder / "model.safetensors", {"format": "pt", "why": "a test"})
    return folder


def sharded(folder: Path) -> Path:
    folder.mkdir()
    names = sorted(TENSORS)
    files = {name: f"model-0000{1 + (place > 2)}-of-00002.safetensors" for place, name in enumerate(names)}
    for file in set(files.values()):
        save_file({name: TENSORS[name] for name in names if files[name] == file}, folder / file, {"format": "pt"})
    index = {"metadata": {"total_size": 1}, "weight_map": files}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    return folder


def test_every_tensor_has_its_bytes_type_and_shape_under_the_other_name(tmp_path: Path) -> None:
    names = {name: f"encoder.{place}.weight" for place, name in enumerate(sorted(TENSORS, reverse=True))}
    summary = written(single(tmp_path / "suspect"), mapping(names), tmp_path / "new")
    found = load_file(tmp_path / "new" / "model.safetensors")
    assert set(found) == set(names.values())
    for name, expected in TENSORS.items():
        assert (found[names[name]].dtype, found[names[name]].shape) == (expected.dtype, expected.shape)
        assert found[names[name]].tobytes() == expected.tobytes()
    with safe_open(tmp_path / "new" / "model.safetensors", "np") as file:
        assert file.metadata() == {"format": "pt", "why": "a test"}
    total = sum(each.nbytes for each in TENSORS.values())
    assert summary == Renamed(("model.safetensors",), 5, total, 5, (), (), {})
    assert os.listdir(tmp_path / "new") == ["model.safetensors"]


def test_shards_keep_their_files_and_the_index_leads_to_them(tmp_path: Path) -> None:
    names = {"a.weight": "x.weight", "d.count": "y.count"}
    summary = written(sharded(tmp_path / "suspect"), mapping(names), tmp_path / "new")
    index = json.loads((tmp_path / "new" / "model.safetensors.index.json").read_text())
    assert index["metadata"]["total_size"] == summary.total_bytes
    assert set(index["weight_map"]) == {"x.weight", "b.weight", "c.bias", "y.count", "e.none"}
    for name, file in index["weight_map"].items():
        assert name in load_file(tmp_path / "new" / file)
    assert summary.files == tuple(sorted(os.listdir(tmp_path / "new")))
    assert (summary.renamed, summary.unmatched) == (2, ("b.weight", "c.bias", "e.none"))


def test_shards_without_an_index_get_one(tmp_path: Path) -> None:
    suspect = sharded(tmp_path / "suspect")
    (suspect / "model.safetensors.index.json").unlink()
    assert "model.safetensors.index.json" in written(suspect, mapping({}), tmp_path / "new").files


def test_a_tensor_that_is_laid_out_otherwise_keeps_its_name(tmp_path: Path) -> None:
    for number, arrangement in enumerate(set(Arrangement) - {Arrangement.SAME}):
        summary = written(
            single(tmp_path / f"suspect{number}"), mapping({"a.weight": "x"}, arrangement), tmp_path / f"new{number}"
        )
        assert (summary.renamed, summary.otherwise, summary.displaced) == (0, ("a.weight",), {})
        assert set(load_file(tmp_path / f"new{number}" / "model.safetensors")) == set(TENSORS)


def test_a_name_that_the_reference_takes_is_given_up(tmp_path: Path) -> None:
    swapped = {"a.weight": "b.weight", "c.bias": "b.weight.unmatched", "d.count": "c.bias"}
    summary = written(single(tmp_path / "suspect"), mapping(swapped), tmp_path / "new")
    assert summary.displaced == {"b.weight": "b.weight.unmatched.2"}
    found = load_file(tmp_path / "new" / "model.safetensors")
    assert found["b.weight"].tobytes() == TENSORS["a.weight"].tobytes()
    assert found["b.weight.unmatched.2"].tobytes() == TENSORS["b.weight"].tobytes()
    assert len(found) == len(TENSORS)


def test_of_two_tensors_with_one_counterpart_the_first_gets_its_name(tmp_path: Path) -> None:
    summary = written(single(tmp_path / "suspect"), mapping({"a.weight": "x", "b.weight": "x"}), tmp_path / "new")
    assert (summary.renamed, summary.otherwise) == (1, ("b.weight",))
    assert load_file(tmp_path / "new" / "model.safetensors")["x"].tobytes() == TENSORS["a.weight"].tobytes()


def test_hostile_names_stay_inside_the_header(tmp_path: Path) -> None:
    names = {"a.weight": '../../x"}\x1b[2J\n', "b.weight": "__metadata__", "c.bias": "\u202e"}
    summary = written(single(tmp_path / "suspect"), mapping(names), tmp_path / "new")
    expected = {names["a.weight"], "b.weight", "\u202e", "d.count", "e.none"}
    assert set(load_file(tmp_path / "new" / "model.safetensors")) == expected
    assert summary.renamed == 2


def test_memory_does_not_grow_with_the_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renamed_weights, "_PIECE_BYTES", 64)
    with open_target(str(single(tmp_path / "suspect"))) as repo:
        asked: list[int] = []
        part = repo.files.part

        def counted(path: str, begin: int, size: int) -> bytes | Skipped:
            asked.append(size)
            return part(path, begin, size)

        monkeypatch.setattr(repo.files, "part", counted)
        write_renamed(repo, open_weights(repo.files).found[0], mapping({}), tmp_path / "new")
    assert max(asked) == 64
    assert load_file(tmp_path / "new" / "model.safetensors")["a.weight"].tobytes() == TENSORS["a.weight"].tobytes()


def test_nothing_is_left_where_the_source_ends_early(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_target(str(single(tmp_path / "suspect"))) as repo:
        weights = open_weights(repo.files).found[0]
        monkeypatch.setattr(repo.files, "part", lambda path, begin, size: Skipped(path, "gone"))
        with pytest.raises(UserError, match="gone: nothing is written"):
            write_renamed(repo, weights, mapping({}), tmp_path / "new")
    assert os.listdir(tmp_path) == ["suspect"]


def test_what_reads_back_otherwise_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def damaged(copy: Any, file: Any, *rest: Any) -> None:
        file.seek(-1, 2)
        last = file.read(1)
        file.seek(-1, 2)
        file.write(bytes([last[0] ^ 1]))
        verify(copy, file, *rest)

    verify = renamed_weights._Copy.verify
    monkeypatch.setattr(renamed_weights._Copy, "verify", damaged)
    with pytest.raises(UserError, match="reads back otherwise"):
        written(single(tmp_path / "suspect"), mapping({}), tmp_path / "new")
    assert os.listdir(tmp_path) == ["suspect"]


def test_too_small_a_disk_is_said_before_anything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 9, 1))  # type: ignore[attr-defined]
    with pytest.raises(UserError, match=r"--write-renamed .*: needs .* bytes, and 1 are free"):
        written(single(tmp_path / "suspect"), mapping({}), tmp_path / "new")
    assert os.listdir(tmp_path) == ["suspect"]


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    suspect = single(tmp_path / "suspect")
    with pytest.raises(UserError, match=r"--write-renamed .* is not empty"):
        written(suspect, mapping({}), suspect)
    assert os.listdir(suspect) == ["model.safetensors"]


def test_a_pure_rename_runs_in_the_modules_of_the_reference(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from safetensors.torch import load_file as load
    from safetensors.torch import save_file as save

    torch.manual_seed(3)
    module = torch.nn.Sequential(torch.nn.Linear(6, 8), torch.nn.LayerNorm(8), torch.nn.Linear(8, 2))
    theirs = module.state_dict()
    names = {f"other.{place}": name for place, name in enumerate(sorted(theirs, reverse=True))}
    (tmp_path / "suspect").mkdir()
    save({ours: theirs[name] for ours, name in names.items()}, tmp_path / "suspect" / "model.safetensors")
    written(tmp_path / "suspect", mapping(names), tmp_path / "new")
    again = torch.nn.Sequential(torch.nn.Linear(6, 8), torch.nn.LayerNorm(8), torch.nn.Linear(8, 2))
    again.load_state_dict(load(tmp_path / "new" / "model.safetensors"))
    value = torch.randn(5, 6)
    assert torch.equal(module(value), again(value))


def test_a_gguf_file_is_not_written(tmp_path: Path) -> None:
    gguf = pytest.importorskip("gguf")
    writer = gguf.GGUFWriter(tmp_path / "model.gguf", "llama")
    writer.add_tensor("a", TENSORS["a.weight"])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with pytest.raises(UserError, match="only checkpoints in safetensors"):
        written(tmp_path / "model.gguf", mapping({}), tmp_path / "new")
