"""Shingles: the published mixing function, a naive reading of the definition, and hashes frozen for good."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given

from detector.code.lowering import labels
from detector.code.lowering.flow import FIRST, PRESET_LABELS
from detector.code.lowering.labels import COMMUTATIVE, LABELS
from detector.code.lowering.names import ModuleNames
from detector.code.lowering.python import Batch, begin, lower
from detector.code.parse import shingles_of
from detector.code.shingle import mix, shingle
from detector.settings import MOST_OCCURRENCES, SHINGLE_DEPTHS
from tests.generate import programs
from tests.programs import Program
from tests.spelling import Spelling
from tests.test_properties import profile
from tests.writing import write

ROOT = Path(__file__).parent.parent
_WORD = 2**64 - 1
_GOLDEN = 0x9E3779B97F4A7C15

SOURCE = b"""
import torch
from torch import nn

def scale(x, y):
    return x + torch.sin(y) * 2

def many(items):
    return [torch.einsum("bnd,de->bne", item, items) for item in items if item is not None]

class Gate(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.inner = nn.Linear(width, 4 * width, bias=False)

    def forward(self, x):
        return torch.sigmoid(self.inner(x)) * x
"""
# Part of every stored format: a change here must come with a new LOWERING_VERSION in detector/settings.
FROZEN: dict[str, list[int]] = {
    "Gate.__init__": [
        0x0C3245B892CEDD15,
        0x1C5F6BB3C5D0A927,
        0x1D2588965B076471,
        0x2C3BD9734F347DA2,
        0x3B2532A0AECE9611,
        0x4508BC404D4B1532,
        0x5B95FB525B6B9ECB,
        0x77F439F49AC6D97C,
        0xA3FFCC1503448A60,
        0xC71381EBAA5CEDDB,
        0xD0B8EB28E06E2C61,
        0xF73978DE1B939553,
    ],
    "Gate.forward": [
        0x11077537D2E258DD,
        0x2BB9304AAD568AE7,
        0x5D2B427942FAECBB,
        0x8615F4EE840FB0B4,
        0x895503E49D69F61C,
        0xC29BA9214AAE1475,
        0xE6E9D4D0C1836E86,
    ],
    "scale": [
        0x22C701B3F09D2F21,
        0x3F7B9F6BEE5E3852,
        0x49D7429FB734C70B,
        0x88845DEB52C81DE5,
        0x8E474806E07D2650,
        0xE166DDE9494A10CA,
        0xF6714B0F297AC98A,
    ],
    "many": [
        0x3B477CD8D42FAC5F,
        0x41AA3609478D054B,
        0x42979469E059470F,
        0x6B2D531E21A42CC5,
        0x6E5586080B1AF17A,
        0x7EA0F77A0C83B628,
        0x7EF80A822D0ADEAB,
        0x96080FB1240749C5,
        0xB6DE68661BA04C0C,
        0xDD9178CE93868EFD,
        0xDFBF3B79305282B1,
    ],
}


# --- the definition, read naively -------------------------------------------------------------------------------------


def _mix(value: int) -> int:
    """The finalizer of splitmix64."""
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _WORD
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _WORD
    return value ^ (value >> 31)


class Naive:
    """The shingles of one function, by recursion over its records."""

    def __init__(self, batch: Batch, function: int) -> None:
        words = iter(batch.words)
        self.records = [tuple(islice(words, length)) for length in batch.lengths]
        self.own = range(([0, *batch.ends])[function] + FIRST, batch.ends[function] + FIRST)

    def text(self, node: int) -> str:
        return LABELS.texts[PRESET_LABELS[node] if node < FIRST else self.records[node - FIRST][0]]

    def operands(self, node: int) -> tuple[int, ...]:
        return () if node < FIRST else self.records[node - FIRST][1:]

    def height(self, node: int) -> int:
        return 1 + max(map(self.height, self.operands(node))) if self.operands(node) else 0

    def hash(self, node: int, depth: int) -> int:
        label = _mix(LABELS.hashes[LABELS[self.text(node)]])
        if not depth or not self.operands(node):
            return label
        total = label * 0xC2B2AE3D27D4EB4F
        for place, operand in enumerate(self.operands(node), 1):
            has_order = self.text(node) not in COMMUTATIVE and not self.text(operand).startswith("kw:")
            multiplier = _mix(place * _GOLDEN & _WORD) | 1 if has_order else 0x165667B19E3779F9
            total += self.hash(operand, depth - 1) * multiplier
        return _mix(total & _WORD)

    def live(self) -> set[int]:
        pending = [node for node in self.own if self.text(node).startswith("root ")]
        found: set[int] = set()
        while pending:
            node = pending.pop()
            if node not in found:
                found.add(node)
                pending += self.operands(node)
        return found

    def shingles(self) -> Iterator[int]:
        live = self.live()
        counts = Counter(
            self.hash(node, depth)
            for node in self.own
            for depth in SHINGLE_DEPTHS
            if node in live and self.height(node) >= depth
        )
        for value, count in counts.items():
            yield value
            for occurrence in range(1, min(count, MOST_OCCURRENCES)):
                yield _mix((value + occurrence * _GOLDEN) & _WORD)


@profile
@given(program=programs())
def test_shingles_are_what_the_definition_says(program: Program) -> None:
    batch = begin()
    lower(ast.parse(write(program, Spelling())[0]), batch, ModuleNames())
    found = shingle(batch).shingles
    for function in range(len(batch.units)):
        hashes = found.hashes[found.offsets[function] : found.offsets[function + 1]].tolist()
        assert sorted(hashes) == sorted(Naive(batch, function).shingles())


@pytest.mark.parametrize(
    ("seed", "outputs"),
    [
        (0, [0xE220A8397B1DCDAF]),
        (1234567, [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431]),
    ],
)
def test_mixing_gives_the_published_outputs_of_splitmix64(seed: int, outputs: list[int]) -> None:
    states = [(seed + step * _GOLDEN) & _WORD for step in range(1, len(outputs) + 1)]
    assert mix(np.array(states, np.uint64)).tolist() == outputs
    assert [_mix(state) for state in states] == outputs


# --- stable -----------------------------------------------------------------------------------------------------------


def _sorted_shingles(source: bytes) -> dict[str, list[int]]:
    return {name: sorted(hashes) for name, hashes in shingles_of(source).items()}


def test_hashes_are_frozen() -> None:
    assert _sorted_shingles(SOURCE) == FROZEN


@pytest.mark.parametrize("seed", ["0", "4711"])
def test_another_process_with_another_hash_seed_gives_the_same_hashes(seed: str) -> None:
    code = "import json, sys; from detector.code.parse import shingles_of; "
    code += (
        "found = shingles_of(sys.stdin.buffer.read()); json.dump({k: sorted(v) for k, v in found.items()}, sys.stdout)"
    )
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    command = [sys.executable, "-c", code]
    run = subprocess.run(command, input=SOURCE, capture_output=True, check=True, cwd=ROOT, env=environment)
    assert json.loads(run.stdout) == _sorted_shingles(SOURCE)


def test_what_was_read_before_makes_no_difference() -> None:
    before = _sorted_shingles(SOURCE)
    shingles_of(b"import torch, numpy as np\ndef f(q):\n    return torch.lgamma(q) << np.sinc(q, name='z')\n")
    assert _sorted_shingles(SOURCE) == before


def test_what_is_read_together_makes_no_difference() -> None:
    together = shingles_of(SOURCE + b"\ndef more(x):\n    return scale(x, -x) % 7\n")
    assert {name: sorted(hashes) for name, hashes in together.items() if name != "more"} == _sorted_shingles(SOURCE)


def test_forgetting_labels_makes_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    before = _sorted_shingles(SOURCE)
    monkeypatch.setattr(labels, "MOST_LABELS", 1)
    other = b"class Odd:\n    def __init__(self): self.a = scipy.zeta(77)\n    def f(self): return self.a * 5\n"
    first = _sorted_shingles(other)
    for _ in range(3):
        assert _sorted_shingles(SOURCE) == before
        assert _sorted_shingles(other) == first


# --- what counts ------------------------------------------------------------------------------------------------


def test_only_what_a_root_reaches_counts() -> None:
    chain = "".join(f"    v{i + 1} = v{i} - {i}\n" for i in range(40))
    live = shingles_of(b"def f(v0):\n    return v0 * 2\n")
    assert shingles_of(f"def f(v0):\n{chain}    return v0 * 2\n".encode()) == live


def test_one_hash_counts_up_to_four_times() -> None:
    sizes = [
        len(shingles_of(f"def f({names}):\n    {body}\n".encode())["f"])
        for count in range(1, 8)
        for names in [", ".join(f"x{i}" for i in range(count))]
        for body in ["; ".join(f"x{i}.zero_()" for i in range(count))]
    ]
    steps = [after - before for before, after in pairwise(sizes)]
    assert steps[: MOST_OCCURRENCES - 1] == [steps[0]] * (MOST_OCCURRENCES - 1)
    assert steps[0] > 0
    assert set(steps[MOST_OCCURRENCES - 1 :]) == {0}


@pytest.mark.parametrize("source", [b"", b"x = 1\n", b"import torch\n", b"class A:\n    b = 2\n"])
def test_a_file_without_functions_has_no_shingles(source: bytes) -> None:
    assert shingles_of(source) == {}


def test_a_function_without_operations_has_no_shingles_and_its_neighbours_keep_theirs() -> None:
    empty = b"def a():\n    pass\n"
    full = b"def b(x):\n    return x * 2\n"
    expected = shingles_of(full)["b"]
    for source in (empty + full, full + empty, empty + full + empty.replace(b"a", b"c", 1)):
        found = shingles_of(source)
        assert found["b"] == expected
        assert not any(hashes for name, hashes in found.items() if name != "b")


def test_more_than_256_operands_are_read() -> None:
    items = ", ".join(f"x - {i}" for i in range(400))
    assert len(shingles_of(f"def f(x):\n    return [{items}]\n".encode())["f"]) > 400
