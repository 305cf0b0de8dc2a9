"""Whole mutants: they compile, do the same, are the same again, and say where everything went."""

from __future__ import annotations

import ast
import functools
import io
import json
import subprocess
import sys
import tokenize
from pathlib import Path

import pytest

from bench.declared import definitions
from bench.disguise import HOST, LEVELS, PART, WHOLE, Disguised, Key, disguise, needles, partial
from bench.disguise.rates import EDITS
from tests.disguised_programs import PROGRAM, load, outcomes

ROOT = Path(__file__).parent.parent
ORIGINAL = {
    str(path.relative_to(ROOT / "fixtures/original")): path.read_text()
    for path in sorted((ROOT / "fixtures/original").rglob("*.py"))
}
INDEPENDENT = {
    str(path.relative_to(ROOT / "fixtures/independent")): path.read_text()
    for path in sorted((ROOT / "fixtures/independent").rglob("*.py"))
}
RUNS = [(level, seed) for level in LEVELS for seed in range(1 if level < "L5" else 3)]


def keys(files: dict[str, str]) -> set[Key]:
    """Every function of some files, nested ones included."""
    return {
        (path, qualname)
        for path, text in files.items()
        for qualname, node in definitions(ast.parse(text), nested=True)
        if not isinstance(node, ast.ClassDef)
    }


@pytest.mark.parametrize(("level", "seed"), RUNS)
def test_a_mutant_does_the_same(level: str, seed: int, tmp_path: Path) -> None:
    expected = outcomes(load(tmp_path / "original", {"m.py": PROGRAM}), None)
    mutant = disguise({"m.py": PROGRAM}, level, seed)
    assert outcomes(load(tmp_path / "mutant", mutant.files), mutant) == expected


PACKAGE = {
    "delta/__init__.py": "from .shapes import Square, area_of\nfrom . import use\n__all__ = ['Square', 'area_of']\n",
    "delta/shapes.py": (
        "from math import sqrt\n"
        "from .inner.helpers import double\n"
        "class Shape:\n"
        "    def __init__(self, config, scale=1):\n"
        "        self.side = config.side\n"
        "        self.scale = scale\n"
        "    def surface(self, factor=1):\n"
        "        return sqrt(self.side ** 4) * self.scale * factor\n"
        "class Square(Shape):\n"
        "    def surface(self, factor=1):\n"
        "        return super().surface(factor=factor) + double(1)\n"
        "def area_of(shape, factor=2):\n"
        "    return shape.surface(factor=factor)\n"
    ),
    "delta/inner/__init__.py": "",
    "delta/inner/helpers.py": (
        "import math as maths\n"
        "def double(x):\n"
        "    return maths.floor(x) * 2\n"
        "def unused(x):\n"
        "    y = x + 1\n"
        "    return y\n"
    ),
    "delta/use.py": (
        "import types\n"
        "from delta import shapes as forms\n"
        "from . import inner\n"
        "from .inner import helpers\n"
        "from .shapes import Square as Box, area_of\n"
        "def run(size):\n"
        "    box = Box(types.SimpleNamespace(side=size), scale=2)\n"
        "    return area_of(box, factor=3), forms.area_of(shape=box), box.scale, helpers.double(3)\n"
    ),
}


@pytest.mark.parametrize("level", ["L3", "L4", "L7", "L8"])
@pytest.mark.parametrize("seed", range(4))
def test_a_package_still_imports_itself(level: str, seed: int, tmp_path: Path) -> None:
    mutant = disguise(PACKAGE, level, seed)
    path, name = mutant.truth["delta/use.py", "run"][0].key
    assert getattr(load(tmp_path, mutant.files)[path], name)(3) == (56.0, 38.0, 2, 6)


@pytest.mark.parametrize("level", LEVELS)
def test_a_mutant_compiles_and_its_truth_names_what_is_there(level: str) -> None:
    mutant = _fixture(level)
    for path, text in mutant.files.items():
        compile(text, path, "exec")
    found = {target.key for targets in mutant.truth.values() for target in targets}
    assert mutant.truth.keys() == keys(ORIGINAL)
    assert found <= keys(dict(mutant.files))
    assert all(targets for targets in mutant.truth.values())  # what was inlined is somewhere, too


def test_each_level_does_what_it_says() -> None:
    applied = {level: {edit for edit, count in _fixture(level).applied.items() if count} for level in LEVELS}
    for number, level in enumerate(LEVELS[:-1], 1):
        assert all(EDITS[edit][0] <= number for edit in applied[level])
        assert number == 1 or any(EDITS[edit][0] == number for edit in applied[level])


@functools.cache
def _fixture(level: str) -> Disguised:
    return disguise(ORIGINAL, level, 1)


def test_l1_is_layout_only() -> None:
    mutant = _fixture("L1")
    assert mutant.files.keys() == ORIGINAL.keys()
    for text in mutant.files.values():
        assert not any(token.type == tokenize.COMMENT for token in tokenize.generate_tokens(io.StringIO(text).readline))
        assert not any(
            ast.get_docstring(node) for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)
        )
    assert all(key == targets[0].key for key, targets in mutant.truth.items())


def test_l2_renames_locals_only_and_l3_everything() -> None:
    second, third = _fixture("L2"), _fixture("L3")
    assert second.files.keys() == ORIGINAL.keys()
    nested = "build_schedule.factor"  # a local, too
    assert all(key == targets[0].key for key, targets in second.truth.items() if key[1] != nested)
    names = {key[1].split(".")[-1] for key in third.truth}
    new = {targets[0].key[1].split(".")[-1] for targets in third.truth.values()}
    kept = {name for name in new & names if not name.startswith("__")}
    assert not {path for path in third.files if not path.endswith("__init__.py")} & ORIGINAL.keys()
    assert len(kept) < 0.1 * len(new), kept


def test_the_truth_knows_pieces_and_hosts() -> None:
    mutants = [_fixture("L7"), disguise({"m.py": PROGRAM}, "L7", 1)]
    roles = {target.role for mutant in mutants for targets in mutant.truth.values() for target in targets}
    assert roles == {WHOLE, PART, HOST}


def test_a_file_that_is_not_python_3_stays() -> None:
    files = {"old.py": "print 'x'\n", "new.py": "def f(x):\n    return x\n"}
    mutant = disguise(files, "L7", 1)
    assert "print 'x'\n" in mutant.files.values()
    assert mutant.truth.keys() == {("new.py", "f")}


def test_an_unknown_level_is_an_error() -> None:
    with pytest.raises(ValueError, match="L9"):
        disguise({}, "L9", 1)


DIGEST = (
    "import hashlib, json, sys; from bench.disguise import disguise, needles, partial; "
    "a, b, p = json.load(sys.stdin); "
    "made = [disguise(p, 'L8', 3).files, partial(a, 3, b).files, needles(b, a, 'L5', 3, 5).files]; "
    "print(hashlib.sha256(json.dumps([dict(m) for m in made]).encode()).hexdigest())"
)


def test_a_seed_decides_whatever_the_hash_seed_is() -> None:
    given = json.dumps([dict([*ORIGINAL.items()][-3:]), INDEPENDENT, {"m.py": PROGRAM}])
    digests = {
        subprocess.run(
            [sys.executable, "-c", DIGEST], input=given, capture_output=True, text=True, check=True, cwd=ROOT,
            env={"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(digests) == 1
    assert disguise({"m.py": PROGRAM}, "L8", 1).files != disguise({"m.py": PROGRAM}, "L8", 2).files


def test_partial_copies_of_every_kind() -> None:
    made = partial(ORIGINAL, 2, INDEPENDENT, count=3)
    for path, text in made.files.items():
        compile(text, path, "exec")
    assert {row.kind for row in made.rows} == {"lifted-loop", "branch", "merged", "middle", "free"}
    assert {row.key for row in made.rows} <= keys(dict(made.files))
    originals = keys(ORIGINAL)
    for row in made.rows:
        assert len(row.originals) == (2 if row.kind == "merged" else 1)
        assert set(row.originals) <= originals
    assert "middle" not in {row.kind for row in partial(ORIGINAL, 2).rows}


def test_a_lifted_loop_is_a_loop_and_nothing_else() -> None:
    long = (
        "def run(items, limit):\n    total = 0\n    seen = []\n    for item in items:\n        low = min(item, limit)\n"
        "        if low > 3:\n            total += low\n        seen.append(low)\n    a = total\n    b = a + 1\n"
        "    c = b + 1\n    d = c + 1\n    return d, seen\n"
    )
    made = partial({"m.py": long}, 1, count=1)
    lifted = [row for row in made.rows if row.kind == "lifted-loop"]
    assert len(lifted) == 1
    text = made.files[lifted[0].key[0]]
    assert "for " in text
    assert "min(" in text
    assert lifted[0].originals == (("m.py", "run"),)


def test_needles_are_where_the_truth_says() -> None:
    made = needles(INDEPENDENT, ORIGINAL, "L7", 4, count=8)
    assert 5 <= len(made.hidden) <= 8
    assert set(made.hidden) <= made.truth.keys()
    there = keys(dict(made.files))
    new = {target.key for targets in made.truth.values() for target in targets}
    assert new <= there
    assert not new & keys(INDEPENDENT)
    assert keys(INDEPENDENT) <= there  # the haystack is all there
    for path, text in made.files.items():
        compile(text, path, "exec")
