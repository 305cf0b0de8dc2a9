"""A pair of checkpoints of 2 GB each, made on the fly, and what comparing them costs in a process of its own.

`python -m bench.weights.large plain|header|sample|full SUSPECT REFERENCE` is that process: it prints what it found as
JSON. `plain` reads the same bytes, converts them and multiplies both sides once: what nothing could be cheaper than.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import numpy as np

from bench.process import Cost, run
from bench.section import ROOT
from bench.weights import variants
from bench.weights.files import header
from detector.artifacts.weights.mapping import map_tensors
from detector.artifacts.weights.opened import open_weights
from detector.compare import compare
from detector.model import Depth, Report, Skipped
from detector.options import Options
from detector.read import open_target
from detector.targets import Files, Head, SourceFile

WIDTH, INNER, LAYERS, WORDS = 2048, 5632, 19, 50_000
SPREAD, NORM_SPREAD = 0.02, 0.1
SHARDS = 3
PLAIN = "plain"
PLAIN_BYTES = 8_000_000  # that are read at once
Shape = tuple[int, ...]


def shapes() -> dict[str, Shape]:
    """Tensors of a language model with 1.07 billion parameters."""
    found: dict[str, Shape] = {"model.embed_tokens.weight": (WORDS, WIDTH)}
    for number in range(LAYERS):
        layer = f"model.layers.{number}"
        found |= {f"{layer}.self_attn.{part}_proj.weight": (WIDTH, WIDTH) for part in "qkvo"}
        found |= {f"{layer}.mlp.{part}_proj.weight": (INNER, WIDTH) for part in ("gate", "up")}
        found |= {f"{layer}.mlp.down_proj.weight": (WIDTH, INNER)}
        found |= {f"{layer}.{part}_layernorm.weight": (WIDTH,) for part in ("input", "post_attention")}
    return found | {"model.norm.weight": (WIDTH,)}


def make(folder: Path, seed: int) -> tuple[Path, Path]:
    """Write a reference, and a suspect that is the same with noise, under other names in other shards.

    Memory: one tensor.
    """
    suspect, reference = folder / "suspect", folder / "reference"
    draw = np.random.default_rng(seed)
    there = list(shapes().items())
    here = [(name.replace("model.", "writer.body."), shape) for name, shape in there]
    order = draw.permutation(len(there))
    with _Shards(reference, there) as theirs, _Shards(suspect, [here[place] for place in order]) as ours:
        for (name, shape), (new, _) in zip(there, here, strict=True):
            values = draw.standard_normal(shape, np.float32)
            values *= NORM_SPREAD if len(shape) == 1 else SPREAD
            values += len(shape) == 1
            half = values.astype(np.float16)
            theirs.write(name, half)
            noise = draw.standard_normal(shape, np.float32)
            noise /= variants.INVERSE_SIGMA
            ours.write(new, (half + noise).astype(np.float16))
    return suspect, reference


class _Shards:
    """The files of one checkpoint while they are written, and their index."""

    def __init__(self, folder: Path, tensors: Sequence[tuple[str, Shape]]) -> None:
        folder.mkdir(parents=True)
        self._files = []
        self._places = {}
        size = -(-len(tensors) // SHARDS)
        weight_map: dict[str, str] = {}
        for number in range(SHARDS):
            held = dict(tensors[number * size : (number + 1) * size])
            path = folder / f"model-{number + 1:05d}-of-{SHARDS:05d}.safetensors"
            weight_map |= dict.fromkeys(held, path.name)
            file = path.open("wb")
            place = file.write(header({name: ("F16", shape) for name, shape in held.items()}))
            for name, shape in held.items():
                self._places[name] = (file, place)
                place += int(np.prod(shape)) * 2
            self._files.append(file)
        total = sum(int(np.prod(shape)) * 2 for _, shape in tensors)
        index = {"metadata": {"total_size": total}, "weight_map": weight_map}
        (folder / "model.safetensors.index.json").write_text(json.dumps(index), "utf-8")

    def write(self, name: str, values: np.ndarray[Any, np.dtype[np.float16]]) -> None:
        """Put values where the header says."""
        file, place = self._places[name]
        file.seek(place)
        file.write(values.data)

    def __enter__(self) -> _Shards:
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._files:
            file.close()


def cost(how: str, suspect: Path, reference: Path) -> tuple[Cost, dict[str, Any]]:
    """Run this module as a program; what that cost, and what it printed."""
    with TemporaryFile() as out:
        spent = run(
            [sys.executable, "-m", "bench.weights.large", how, str(suspect), str(reference)], ROOT, out.fileno()
        )
        out.seek(0)
        printed = out.read()
    return spent, json.loads(printed) if spent.exit_code == 0 else {}


def _plain(suspect: Path, reference: Path) -> dict[str, Any]:
    """Read and convert all bytes of both, and multiply them with each other."""
    read = 0
    for both in zip(_chunks(suspect), _chunks(reference), strict=True):
        read += sum(map(len, both))
        size = min(map(len, both)) // 2 * 2  # the last pieces differ by what the headers do
        one, other = (np.frombuffer(data[:size], np.float16).astype(np.float32) for data in both)
        one @ other
    return {"read": read}


def _chunks(folder: Path) -> Iterator[bytes]:
    """The bytes of all files of tensors, one after the other."""
    held = b""
    for path in sorted(folder.glob("*.safetensors")):
        with path.open("rb") as file:
            while data := file.read(PLAIN_BYTES - len(held)):
                held += data
                if len(held) == PLAIN_BYTES:
                    yield held
                    held = b""
    yield held


def _compared(how: str, suspect: Path, reference: Path) -> dict[str, Any]:
    begun = time.process_time()
    with open_target(str(suspect)) as ours, open_target(str(reference)) as theirs:
        report = compare(ours, [theirs], Options(kinds=frozenset({"weights"}), depth=Depth(how)))
    spent = time.process_time() - begun
    return told(report) | {"seconds": spent, "skipped": [skipped.path for skipped in report.skipped]}


def told(report: Report) -> dict[str, Any]:
    """The relation that the lines of weights name for the whole, and sigma if it is noise."""
    for line in report.evidence:
        if "relation" in line.measures:
            return {"relation": line.measures["relation"], "sigma": line.measures.get("sigma")}
    return {"relation": "none", "sigma": None}


@dataclass
class _Counted:
    """Files, and how many bytes were read of those that are not Python."""

    files: Files
    taken: int = 0

    def head(self, path: str, most_bytes: int) -> Head | Skipped:
        found = self.files.head(path, most_bytes)
        self.taken += len(found.data) if isinstance(found, Head) else 0
        return found

    def part(self, path: str, begin: int, size: int) -> bytes | Skipped:
        found = self.files.part(path, begin, size)
        self.taken += len(found) if isinstance(found, bytes) else 0
        return found

    def paths(self) -> Sequence[str]:
        return self.files.paths()

    def __iter__(self) -> Iterator[SourceFile | Skipped]:
        return iter(self.files)

    def read(self, path: str) -> bytes:
        return self.files.read(path)

    def notes(self) -> Mapping[str, bytes]:
        return self.files.notes()

    def others(self) -> Sequence[str]:
        return self.files.others()


def bytes_read(suspect: Path, reference: Path) -> dict[str, int]:
    """How many bytes both have, and how many of them the mapping and a comparison of samples read."""
    with open_target(str(suspect)) as ours, open_target(str(reference)) as theirs:
        mine, its = (open_weights(repo.files).found[0] for repo in (ours, theirs))
        map_tensors(mine, its, is_sampled=True)
        mapping = mine.bytes_read + its.bytes_read
        counted = [_Counted(repo.files) for repo in (ours, theirs)]
        one, other = (replace(repo, files=files) for repo, files in zip((ours, theirs), counted, strict=True))
        compare(one, [other], Options(kinds=frozenset({"weights"}), depth=Depth.SAMPLE))
    every = sum(path.stat().st_size for side in (suspect, reference) for path in side.iterdir())
    return {"all": every, "mapping": mapping, "sample": sum(files.taken for files in counted)}


def main(arguments: Sequence[str] | None = None) -> int:
    """Be the process that is measured."""
    how, suspect, reference = arguments or sys.argv[1:]
    found = (_plain if how == PLAIN else lambda *paths: _compared(how, *paths))(Path(suspect), Path(reference))
    print(json.dumps(found, allow_nan=True))
    return 0


if __name__ == "__main__":
    sys.exit(main())
