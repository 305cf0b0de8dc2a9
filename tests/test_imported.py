"""Which names stand in import lines: never fewer than lowering looks at, and hardly more."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.code.imported import imported
from detector.code.parse import shingles_of
from tests.repositories import fixture_files

NAMES = frozenset({"heron", "ops", "gather", "ｈeron", "äb", "utils"})
ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("import heron", {"heron"}),
        ("import torch, heron.ops as x", {"heron"}),
        ("from heron.ops import gather", {"heron"}),
        ("from heron import ops", {"heron"}),
        ("from . import ops", set()),
        ("from .heron import ops", set()),
        ("from torch import (\n    ops,\n    gather,\n)", set()),
        ("import torch.ops", set()),
        ("import torch . ops", {"ops"}),  # more than it imports
        ("try: import heron\nexcept ImportError: import ops", {"heron", "ops"}),
        ("x = 1; import heron; from ops import gather", {"heron", "ops"}),
        ("import \\\n  heron, \\\r\n  ops", {"heron", "ops"}),
        ("from \\\n  heron \\\n  import ops", {"heron"}),
        ("x = 1; \\\nimport heron", {"heron"}),
        ("from heron . ops import gather", {"heron"}),
        ("def f():\n    import heron\n", {"heron"}),
        ("import\theron\rimport\fops", {"heron", "ops"}),
        ("\ufeffimport heron", {"heron"}),
        ("import ｈｅｒｏｎ", {"heron"}),
        ("import äb", {"äb"}),
        ("# import heron\n", set()),
        ("x = 1  # import heron\n", {"heron"}),  # more than it imports
        ("heron = ops", set()),
        ("important = heron", set()),
        ("yield from heron\nimport torch", set()),
        ("import torch\nheron.ops()", set()),
        ("# coding: latin-1\nimport torch", NAMES),
        ("# vim: set fileencoding=utf-7 :\n+AGkAbQBwAG8AcgB0- heron", NAMES),
        ("#!/bin/python\n# -*- coding: utf-8 -*-\nimport torch", set()),
        ("", set()),
    ],
)
def test_names_in_import_lines_are_found(text: str, names: set[str]) -> None:
    assert imported(text.encode(), NAMES) == names


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield (node.module or "").partition(".")[0]


def test_everything_that_this_repository_imports_is_found() -> None:
    for file in (*(ROOT / "detector").rglob("*.py"), *(ROOT / "tests").rglob("*.py")):
        data = file.read_bytes()
        expected = frozenset(_imports(ast.parse(data)))
        assert imported(data, expected | {"nowhere_imported"}) - {"nowhere_imported"} == expected


_WORDS = st.sampled_from(
    [
        *("import", "from", "heron", "ops", "gather", "as", ".", ",", ";", ":", "\\\n", "\n", " ", "  ", "\t", "\f"),
        *(
            "\r\n",
            "(",
            ")",
            "#",
            "'",
            '"""',
            "if x:",
            "x = 1",
            "\n    ",
            "import heron",
            "from heron import ops",
            "ｈeron",
        ),
    ]
)


@given(st.lists(_WORDS, max_size=30).map("".join))
def test_whatever_python_reads_imports_nothing_else(text: str) -> None:
    try:
        tree = ast.parse(text.encode())
    except (SyntaxError, ValueError):
        return
    used = frozenset(_imports(tree)) & NAMES
    assert used <= imported(text.encode(), NAMES)


_LONG = sorted((path, data) for path, data in fixture_files("rebadged").items() if len(data) > 500)


@given(st.sampled_from(_LONG), st.data())
def test_a_file_lowered_with_the_names_that_it_imports_is_what_it_is_with_all(
    file: tuple[str, bytes], data: st.DataObject
) -> None:
    """Also where lines are missing."""
    lines = file[1].splitlines(keepends=True)
    gone = data.draw(st.sets(st.integers(0, len(lines) - 1), max_size=2))
    text = b"".join(line for number, line in enumerate(lines) if number not in gone)
    local = frozenset({"torch", "math", "kestrel", "numpy", "attention", "layers", "einops", "typing"})
    assert shingles_of(text, imported(text, local)) == shingles_of(text, local)


@pytest.mark.parametrize("word", ["import ", "from ", "from . ", "import \\\n", "#import\n", "import\r", ". " * 9])
def test_hostile_text_takes_no_longer_than_its_length(word: str) -> None:
    assert imported(word.encode() * 200_000 + b"\nimport heron\n", NAMES) >= {"heron"}
