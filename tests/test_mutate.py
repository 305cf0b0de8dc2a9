"""Mutants must do what the original did: small functions are run before and after."""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.disguise.mutate import edit, layout, rename

SEEDS = range(15)

SOURCE = '''
"""A module."""
import math
import collections.abc as shapes
from functools import reduce
from dataclasses import dataclass, replace

LIMIT = 3  # a comment


def chained(text: str) -> list:
    """Say what."""
    words = text.strip().lower().split(",")
    return sorted(word.strip().title() for word in words if word)


def pairs(a: int, b: int = 2) -> tuple:
    first = a + 1
    second = b * 2
    first, second = second, first
    third = first - second
    fourth = len(str(b))
    return first, second, third, fourth


def branches(n):
    if n < 0:
        return "negative"
    elif n == 0:
        kind = "zero"
    else:
        if n > LIMIT:
            kind = "large"
        else:
            kind = "small"
    label = kind.upper() if n % 2 else kind
    if label is None:
        raise ValueError(label)
    return label + str(n)


def loops(items):
    out = []
    for item in items:
        if item % 2:
            out.append(item * item)
    squares = {x: x * x for x in items if x}
    nested = [a * b for a in items for b in range(a % 3)]
    letters = {str(x) for x in items}
    item = "kept"
    return out, squares, nested, sorted(letters), item


def search(items, wanted):
    count = 0
    total = 0.0
    for index, item in enumerate(items):
        if item == wanted:
            break
        if item < 0:
            continue
        count += 1
        total = total + 2
    else:
        return None
    while count > 10:
        count -= 1
    return index, count, total


def grows(items, more):
    alias = items
    items += more
    return alias, items


def closures(n):
    functions = [lambda: i + n for i in range(n)]
    total = 0

    def add(k):
        nonlocal total
        total += k
        return total

    first = add(1)
    second = add(first)
    lazy = (x + total for x in range(3))
    total = 10
    return [f() for f in functions], first, second, list(lazy)


def guarded(values, key):
    found = "nothing"
    try:
        found = values[key]
        found = found + 1
        found = [v // (v - 1) for v in values.values()]
    except (KeyError, ZeroDivisionError) as error:
        return type(error).__name__, found
    finally:
        values["seen"] = 2
    return found


def effects(log):
    def note(x):
        log.append(x)
        return x
    a = note(1)
    b = len(log)
    c = note(2) + note(3)
    d = log[0]
    e = dict(z=note(4), a=note(5))
    f = helper(y=note(6), x=note(7))
    note(8) if d else note(9)
    return a, b, c, d, list(e), f, log


def helper(x, y=1, **rest):
    return x - y, sorted(rest.items())


def keywords(n):
    rest = {"y": n, "z": 3}
    return helper(1, **rest), helper(y=2, x=n, z=4), math.floor(n / 2), reduce(lambda p, q: p + q, [1, n])


def generate(n):
    x = yield n
    y = 0
    while y < n:
        y += 1
        yield y


def generated(n):
    return list(generate(n))


@dataclass
class Point:
    across: int
    up: int = 0

    def moved(self, by):
        return replace(self, across=self.across + by)


class Base:
    depth = 2

    def __init__(self, width, **options):
        self.width = width
        self.extra = options.pop("extra", 5)
        self._cache = {}

    @property
    def area(self):
        return self.width * self.depth

    @area.setter
    def area(self, value):
        self.width = value // self.depth

    @staticmethod
    def double(x):
        return x * 2

    def describe(self, prefix="", *, suffix="!"):
        name = getattr(self, "width")
        self._cache["k"] = name
        return f"{prefix}{name}:{self.extra}{suffix}"


class Derived(Base):
    def __init__(self, width, height):
        super().__init__(width=width, extra=height)
        self.inner = Base(width)

    def describe(self, prefix="", *, suffix="?"):
        base = super().describe(prefix=prefix, suffix=suffix)
        return base + self.inner.describe(suffix=".") + str(self.inner.width)


def objects(n):
    thing = Derived(n, height=n + 1)
    thing.area = 10
    point = Point(across=n, up=1).moved(by=2)
    made = [thing.describe("<"), thing.area, Base.double(n), hasattr(thing, "inner"), hasattr(thing, "missing")]
    return made, point.across, point.up, isinstance([], shapes.Sequence)
'''

CALLS: list[tuple[str, list[Callable[[], tuple[Any, ...]]]]] = [
    ("chained", [lambda: (" b, A,,c ",), lambda: ("",)]),
    ("pairs", [lambda: (1,), lambda: (4, 10)]),
    ("branches", [lambda: (-1,), lambda: (0,), lambda: (2,), lambda: (3,), lambda: (9,)]),
    ("loops", [lambda: ([1, 2, 3, 5],), lambda: ([],)]),
    ("search", [lambda: ([1, -1, 2], 2), lambda: ([1], 5), lambda: ([*range(30)], 20)]),
    ("grows", [lambda: ([1], [2])]),
    ("closures", [lambda: (3,)]),
    ("guarded", [lambda: ({"a": 3}, "a"), lambda: ({"a": 1}, "a"), lambda: ({}, "a")]),
    ("effects", [lambda: ([],)]),
    ("keywords", [lambda: (5,)]),
    ("generated", [lambda: (3,)]),
    ("objects", [lambda: (3,)]),
]


def outcomes(source: str, names: dict[str, str]) -> dict[str, list[object]]:
    """What every function returns; the names of the mutant's functions are looked up."""
    space: dict[str, Any] = {"__name__": __name__}  # dataclasses look their module up
    exec(compile(source, "mutant.py", "exec"), space)
    return {name: [repr(space[names.get(name, name)](*make())) for make in inputs] for name, inputs in CALLS}


EXPECTED = outcomes(SOURCE, {})


def test_a_new_layout_has_no_comments_docstrings_or_hints_and_does_the_same() -> None:
    laid_out = layout(SOURCE)
    assert "comment" not in laid_out
    assert "Say what" not in laid_out
    assert "-> list" not in laid_out
    assert "across: int" in laid_out  # a dataclass field is no mere hint
    assert outcomes(laid_out, {}) == EXPECTED


def test_hints_without_a_value_leave_a_body_that_still_parses() -> None:
    assert layout("class A:\n    x: int\n\ndef f():\n    '''Only this.'''\n") == layout(
        "class A:\n    pass\n\ndef f():\n    pass\n"
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_a_renamed_module_does_the_same(seed: int) -> None:
    files, names = rename({"m.py": SOURCE}, seed)
    assert outcomes(files["m.py"], names["m.py"]) == EXPECTED


def test_renaming_leaves_no_own_name_and_touches_no_foreign_one() -> None:
    files, names = rename({"m.py": SOURCE}, 1)
    used = {
        text
        for node in ast.walk(ast.parse(files["m.py"]))
        for _, text in ast.iter_fields(node)
        if isinstance(text, str)
    }
    assert not used & {
        "chained",
        "LIMIT",
        "words",
        "first",
        "kind",
        "Base",
        "width",
        "area",
        "prefix",
        "inner",
        "across",
    }
    assert {"floor", "math", "strip", "self", "reduce", "append", "replace", "__init__"} <= used
    assert set(names["m.py"]) >= {"Base.describe", "closures.add", "Point"}


def test_two_seeds_give_two_sets_of_names_and_one_seed_always_the_same() -> None:
    assert rename({"m.py": SOURCE}, 1) == rename({"m.py": SOURCE}, 1)
    assert rename({"m.py": SOURCE}, 1) != rename({"m.py": SOURCE}, 2)


PACKAGE = {
    "alpha/__init__.py": "from .shapes import Square, area_of\n__all__ = ['Square', 'area_of']\n",
    "alpha/shapes.py": (
        "from math import sqrt\n"
        "class Shape:\n"
        "    def __init__(self, config, scale=1):\n"
        "        self.side = config.side\n"
        "        self.scale = scale\n"
        "    def surface(self, factor=1):\n"
        "        return sqrt(self.side ** 4) * self.scale * factor\n"
        "class Square(Shape):\n"
        "    def surface(self, factor=1):\n"
        "        return super().surface(factor=factor) + 1\n"
        "def area_of(shape, factor=2):\n"
        "    return shape.surface(factor=factor)\n"
    ),
    "alpha/use.py": (
        "import types\n"
        "from alpha import shapes as forms\n"
        "from .shapes import Square as Box, area_of\n"
        "def run(size):\n"
        "    box = Box(types.SimpleNamespace(side=size), scale=2)\n"
        "    return area_of(box, factor=3), forms.area_of(shape=box), box.scale\n"
    ),
}


def test_names_stay_one_over_all_files_of_a_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    results = []
    for number, (files, names) in enumerate([(PACKAGE, {}), *(rename(PACKAGE, seed) for seed in range(5))]):
        root = tmp_path / str(number)
        for path, text in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
        monkeypatch.syspath_prepend(str(root))
        for module in [name for name in sys.modules if name.split(".")[0] == "alpha"]:
            monkeypatch.delitem(sys.modules, module)
        use = importlib.import_module("alpha.use")
        results.append(getattr(use, names.get("alpha/use.py", {}).get("run", "run"))(3))
    assert results == [(55.0, 37.0, 2)] * 6
    for module in [name for name in sys.modules if name.split(".")[0] == "alpha"]:
        monkeypatch.delitem(sys.modules, module)


def test_what_a_framework_calls_keeps_its_name() -> None:
    source = (
        "import torch\nfrom torch import nn\nfrom library import Model\n"
        "class Layer(nn.Module):\n"
        "    def __init__(self, config, width):\n"
        "        super().__init__()\n"
        "        self.proj = nn.Linear(config.width, width, bias=False)\n"
        "        self.width = width\n"
        "    def forward(self, states):\n"
        "        return self.proj(states).view(-1, self.width) if self.training else states\n"
        "class Own(Model):\n"
        "    config_class = None\n"
        "    def hook(self, layer):\n"
        "        return self.inherited(layer) + self.work(layer)\n"
        "    def work(self, layer):\n"
        "        return layer\n"
    )
    renamed = rename({"m.py": source}, 3)[0]["m.py"]
    for name in (
        "forward",
        "training",
        "config_class",
        "hook",
        "inherited",
        "nn.Linear",
        "bias=False",
        ".width,",
        "view",
    ):
        assert name in renamed
    for name in ("proj", "self.width", "states", "work", "layer", "Layer", "Own"):
        assert name not in renamed


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("rate", [0.3, 0.6, 1.0])
def test_an_edited_module_does_the_same(seed: int, rate: float) -> None:
    assert outcomes(edit(SOURCE, seed, rate), {}) == EXPECTED


@pytest.mark.parametrize("seed", range(10))
def test_edits_on_edits_do_the_same(seed: int) -> None:
    changed, names = SOURCE, dict[str, str]()
    for step in range(4):
        changed = edit(changed, seed * 10 + step, 0.5)
    files, qualnames = rename({"m.py": changed}, seed)
    names = qualnames["m.py"]
    assert outcomes(edit(files["m.py"], seed, 0.7), names) == EXPECTED


@pytest.mark.parametrize(
    ("before", "somewhere"),
    [
        ("def f(x):\n    return x.a().b().c()", "= x.a()"),
        ("def f(x):\n    a = x\n    b = 2\n    return b, a", "a, b = (x, 2)"),
        ("def f(x):\n    a, b = x, 2\n    return b, a", "a = x\n"),
        ("def f(x):\n    if x:\n        g()\n    else:\n        h()", "if not x:"),
        ("def f(x):\n    y = [g(i) for i in x]\n    return y", ".append(g("),
        ("def f(x):\n    y = []\n    for i in x:\n        y.append(g(i))\n    return y", "[g(i) for i in x]"),
        ("import torch.nn.functional as F\ndef f(x):\n    return F.relu(x)", "from torch.nn import functional as"),
        ("import torch.nn.functional as F\ndef f(x):\n    return F.relu(x)", "import torch.nn.functional as"),
        ("def f(x):\n    return g(a=x, b=1)", "g(b=1, a=x)"),
        ("def f(x):\n    return x", "if False:"),
        ("def f(x):\n    a = x.shape\n    b = x + 1\n    g(a)\n    g(b)", "b = x + 1\n    a = x.shape"),
        ("def f(x):\n    y = 1 if x else 2\n    return y, y", "else:"),
        ("def f(x):\n    if x:\n        y = 1\n    else:\n        y = 2\n    return y, y", "1 if x else 2"),
        ("def f(x):\n    if x:\n        return 1\n    g()\n    return 2", "else:"),
        (
            "def f(x):\n    if x:\n        g()\n        return 1\n    else:\n        h()\n    return 2",
            "return 1\n    h()",
        ),
        ("def f(x):\n    y = 0\n    y += 1\n    return y, y", "y = y + 1"),
        ("def f(x):\n    y = 0\n    y = y + 1\n    return y, y", "y += 1"),
        ("def f(x):\n    y = g(x)\n    return h(y)", "h(g(x))"),
    ],
)
def test_every_disguise_occurs(before: str, somewhere: str) -> None:
    assert any(somewhere in edit(before, seed, 0.5) for seed in range(150))


def test_one_statement_in_six_is_dead() -> None:
    source = "def f():\n" + "".join(f"    g({number})\n" for number in range(600))
    dead = edit(source, 1, 0.0).count("\n") - source.count("\n")
    assert 80 < dead < 180
