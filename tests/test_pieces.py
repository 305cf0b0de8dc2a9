"""Modules in pieces: what is cut, and that it gives what the whole gives."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.code import parse, pieces
from detector.code.lowering.names import ModuleNames
from detector.code.lowering.python import Batch, begin
from detector.code.parse import lower_file
from detector.code.pieces import Piece
from detector.code.shingle import shingle
from tests.generate import programs
from tests.programs import Program
from tests.spelling import Spelling
from tests.writing import write

profile = settings(max_examples=60, derandomize=True, deadline=None, database=None)

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted([*(ROOT / "fixtures").rglob("*.py"), *(ROOT / "detector").rglob("*.py")])

Functions = list[tuple[str, int, int, tuple[str, ...], bool, list[int]]]


def _functions(batch: Batch) -> Functions:
    found = shingle(batch).shingles
    return sorted(
        (
            *unit[:-1],
            unit.expands >= 0,
            sorted(found.hashes[found.offsets[number] : found.offsets[number + 1]].tolist()),
        )
        for number, unit in enumerate(batch.units)
    )


def _lowered(data: bytes, least: int, local: frozenset[str] = frozenset()) -> tuple[Functions, str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pieces, "LEAST_PIECE", least)
        batch = begin()
        reason = lower_file(data, batch, local)
    return _functions(batch), reason


def _cut(data: bytes, least: int = 1) -> list[Piece]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pieces, "LEAST_PIECE", least)
        return pieces.pieces(data)


def _is_read_in_pieces(data: bytes) -> bool:
    """Whether cutting at every definition succeeds without a second reading of the whole."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parse, "parse_file", None)
        try:
            _lowered(data, 1)
        except TypeError:
            return False
    return True


def _assert_same_as_whole(data: bytes) -> None:
    whole = _lowered(data, len(data) + 1)
    for least in (1, 300):
        assert _lowered(data, least) == whole


# --- the same as the whole -----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_file_in_pieces_gives_what_the_whole_gives(path: Path) -> None:
    data = path.read_bytes()
    _assert_same_as_whole(data)
    assert len(_cut(data)) == 1 or _is_read_in_pieces(data)


@profile
@given(several=st.lists(programs(), min_size=2, max_size=4))
def test_generated_modules_in_pieces_give_what_the_whole_gives(several: list[Program]) -> None:
    _assert_same_as_whole("\n\n".join(write(program, Spelling())[0] for program in several).encode())


HEAD = "import torch\n\nscale = 3\n\n\ndef first(x):\n    return helper(x) * scale + LATE\n\n\n"
HELPER = "def helper(x):\n    return torch.relu(x)\n"


@pytest.mark.parametrize(
    "tail",
    [
        HELPER,
        HELPER + "\n\nLATE = 4\n",
        HELPER + "\n\nfrom elsewhere import LATE\n",
        HELPER + "\n\nscale = 5\n",
        HELPER + "\n\nimport helper\n",
        HELPER + "\n\nif scale:\n\n    def LATE():\n        return 0\n",
        '"""In a string, this is no definition:\n\ndef helper(x):\n    pass\n"""\n\n\ndef last(x):\n    return x\n',
        '@torch.no_grad()\n@torch.compile\ndef helper(x):\n    """A\ndef inside(x): b"""\n    return x\n',
        "numbers = (\n    1,\n@ 2\n)\n\n\nasync def helper(x):\n    return x\n",
        "class helper:\n    def __init__(self, x):\n        self.x = x\n\n\nclass Sub(helper):\n    def f(self):\n"
        "        return self.x\n",
        HELPER + "\n\ndef second(x):\n    return helper(x + 1)\n\n\ndef helper(x):\n    return torch.tanh(x)\n",
        "def helper(x, *rest):\n    return torch.relu(x)\n\n\ndef second(x):\n    return helper(x)\n\n\n" + HELPER,
        "class Base:\n    def helper(self, x):\n        return torch.relu(x)\n\n\nclass Other:\n    pass\n\n\n"
        "class Sub(\n    Other, Base\n):\n    def f(self, x):\n        return self.helper(x) + 1\n",
        "class Base:\n    def f(self, x):\n        return self.g(x)\n\n    def g(self, x):\n        return helper(x)"
        "\n\n\n" + HELPER,
        "x = 1 + \\\n\n\ndef helper(x):\n    return x\n",
        "def h\u00e4lper(x):\n    return x\n\n\ndef helper(x):\n    return h\u00e4lper(x)\n",
        "if scale:\n    pass\n\n\ndef helper(x):\n    return x\n\n\nelse:\n    pass\n",
        "def helper(x):\n    return x +\n\n\ndef last(x):\n    return x\n",
        "def helper(x):\n    return x\x00\n",
    ],
)
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_what_a_later_piece_binds_counts_for_the_earlier_ones(tail: str, line_end: str) -> None:
    _assert_same_as_whole((HEAD + tail).replace("\n", line_end).encode())


def test_what_waits_for_a_later_piece_is_not_looked_at_after_each(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    is_to_come = ModuleNames.is_to_come

    def ask(self: ModuleNames, name: str) -> bool:
        asked.append(name)
        return is_to_come(self, name)

    monkeypatch.setattr(ModuleNames, "is_to_come", ask)
    count = 200
    text = "".join(f"def f{number}(x):\n    return late(x)\n\n" for number in range(count))
    assert _is_read_in_pieces((text + "def late(x):\n    return x\n").encode())
    assert count <= len(asked) <= 3 * count


def test_names_of_later_definitions_are_known_without_a_second_reading() -> None:
    assert _is_read_in_pieces((HEAD + HELPER).encode())
    assert not _is_read_in_pieces((HEAD + HELPER + "\n\nLATE = 4\n").encode())


def test_a_reading_that_was_taken_back_leaves_no_trace_in_the_batch() -> None:
    before, after = b"def before(x):\n    return x.exp()\n", b"def after(x):\n    return x.log()\n"
    late = (HEAD + HELPER + "\n\nLATE = 4\n").encode()
    found = []
    for least in (1, 10_000):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(pieces, "LEAST_PIECE", least)
            batch = begin()
            for data in (before, late, after):
                assert lower_file(data, batch, frozenset()) == ""
        found.append((batch.words, batch.lengths, batch.ends))
        names = [unit.qualname for unit in batch.units if unit.expands < 0]
        assert names == ["before", "first", "helper", "after"]
        assert [(unit.qualname, unit.expands) for unit in batch.units if unit.expands >= 0] == [("first", 1)]
    assert found[0] == found[1]


# --- where it is cut -----------------------------------------------------------------------------------------


def test_pieces_are_the_whole_text_and_know_their_first_line() -> None:
    data = (HEAD + HELPER + "\n\n@decorated\nclass A:\n    pass\n").encode()
    found = _cut(data)
    assert b"".join(piece.text for piece in found) == data
    assert [piece.text.split(b"\n")[0] for piece in found] == [
        b"import torch",
        b"def first(x):",
        b"def helper(x):",
        b"@decorated",
    ]
    lines = data.split(b"\n")
    assert all(lines[piece.lines_before] == piece.text.split(b"\n")[0] for piece in found)
    assert [piece.definitions for piece in found] == [[], ["first"], ["helper"], ["A"]]
    for piece in found:
        ast.parse(piece.text)


def test_pieces_are_not_smaller_than_they_must_be() -> None:
    data = b"".join(b"def f%d(x):\n    return x\n\n\n" % number for number in range(100))
    sizes = [len(piece.text) for piece in _cut(data, 200)]
    assert min(sizes[:-1]) >= 200
    assert max(sizes) < 230


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"x = 1\n",
        b"# -*- coding: latin-1 -*-\ndef a():\n    pass\n\n\ndef b():\n    pass\n",
        b"#!/usr/bin/python\n# vim: set fileencoding=cp1252 :\ndef a():\n    pass\n\n\ndef b():\n    pass\n",
        b"def a():\r    pass\r\n\n\ndef b():\n    pass\n",
    ],
)
def test_what_a_piece_would_read_otherwise_is_not_cut(data: bytes) -> None:
    assert _cut(data) == [Piece(data, 0, [])]


@pytest.mark.parametrize("head", [b"# coding=utf-8\n", b"# -*- coding: UTF-8 -*-\n", b"\xef\xbb\xbf\n"])
def test_text_in_utf_8_is_cut(head: bytes) -> None:
    assert len(_cut(head + b"def a():\n    pass\n\n\ndef b():\n    pass\n")) == 3
