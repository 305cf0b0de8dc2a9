"""Digests: what layout and renaming leave equal, and what they must not."""

import ast
import subprocess
import sys

import pytest

from detector.code.canonical import canonical
from detector.code.digest import (
    Surroundings,
    clone_type,
    layout_digest,
    likeness,
    renamed_digest,
    shapes,
)
from detector.code.lowering.names import read_module
from detector.code.scopes import Place, own_names, places
from detector.model import CloneType

HEAD = "import math\nimport numpy as np\nimport torch\nimport torch.nn as nn\nfrom torch.nn import functional as F\n"


def _place(text: str, head: str = HEAD) -> tuple[Place, Surroundings]:
    tree = ast.parse(head + text)
    place = next(iter(places(tree).values()))
    own = own_names(place.klass) if place.klass else frozenset[str]()
    return place, Surroundings(read_module(tree, frozenset({"ours"})), own, place.is_method)


def _renamed(text: str, head: str = HEAD) -> str:
    place, around = _place(text, head)
    return renamed_digest(place.node, around.module, around.own, around.is_method)


def _layout(text: str) -> str:
    return layout_digest(_place(text)[0].node)


def _type(suspect: str, reference: str) -> CloneType:
    one, ours = _place(suspect)
    other, theirs = _place(reference)
    return clone_type(one.node, other.node, ours, theirs)


PLAIN = "def scale(x, factor):\n    y = x * factor\n    return y + 1\n"


def test_layout_comments_docstrings_and_annotations_do_not_count() -> None:
    dressed = (
        "def scale(x: torch.Tensor,\n          factor: float) -> 'torch.Tensor':\n"
        '    """Scale."""\n    # a comment\n    y: torch.Tensor = (x\n        * factor)\n    z: int\n'
        "    return (y) + 0x1\n"
    )
    assert _layout(dressed) == _layout(PLAIN)
    assert _renamed(dressed) == _renamed(PLAIN)
    assert _type(dressed, PLAIN) is CloneType.LAYOUT


def test_a_body_of_nothing_but_a_docstring_is_pass() -> None:
    assert _layout('def f():\n    """Say."""\n') == _layout("def f():\n    pass\n")


def test_a_changed_constant_operator_or_order_is_neither_layout_nor_renaming() -> None:
    for changed in (PLAIN.replace("1", "2"), PLAIN.replace("*", "/"), PLAIN.replace("x * factor", "factor * x")):
        assert _layout(changed) != _layout(PLAIN)
        assert _renamed(changed) != _renamed(PLAIN)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (PLAIN, "def grow(a, b):\n    c = a * b\n    return c + 1\n"),
        (
            "class A:\n    def f(self, x):\n        self.inner = nn.Linear(x, 2)\n"
            "        return self.inner(self.f(x))\n",
            "class B:\n    def g(this, y):\n        this.proj = nn.Linear(y, 2)\n        return this.proj(this.g(y))\n",
        ),
        ("def f(c):\n    return c.hidden_width + c.block_count\n", "def f(c):\n    return c.d_model + c.n_layers\n"),
        ("def f(x):\n    return help_me(x, LIMIT)\n", "def f(x):\n    return aid(x, BOUND)\n"),
        ("def f(x):\n    return aid(x, hist=1)\n", "def f(x):\n    return aid(x, history=1)\n"),
        ("def f(x):\n    return [a for a in x]\n", "def f(x):\n    return [b for b in x]\n"),
        ("def f(x):\n    return lambda x: x\n", "def f(y):\n    return lambda z: z\n"),
        (
            "def f(p):\n    try:\n        g(p)\n    except OSError as e:\n        raise e\n",
            "def f(q):\n    try:\n        h(q)\n    except OSError as error:\n        raise error\n",
        ),
        (
            "def f(p):\n    with open(p) as s:\n        for i, t in enumerate(s):\n            yield i, t\n",
            "def f(q):\n    with open(q) as a:\n        for b, c in enumerate(a):\n            yield b, c\n",
        ),
    ],
    ids=["locals", "own attributes", "attributes", "globals", "keywords", "comprehension", "lambda", "except", "with"],
)
def test_consistent_renaming_of_each_kind_is_undone(one: str, other: str) -> None:
    assert _renamed(one) == _renamed(other)
    assert _layout(one) != _layout(other)
    assert _type(one, other) is CloneType.RENAMED


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("def f(a, b):\n    return a - b\n", "def f(a, b):\n    return b - a\n"),
        ("def f(a, b):\n    c = a\n    return a - c\n", "def f(a, b):\n    c = a\n    return c - c\n"),
        ("def f(s):\n    return s.one + s.two\n", "def f(s):\n    return s.one + s.one\n"),
        ("class A:\n    def f(self):\n        return self.q(self.k)\n",
         "class A:\n    def f(self):\n        return self.q(self.q)\n"),
        ("def f(x):\n    return [x for y in x]\n", "def f(x):\n    return [y for y in x]\n"),
    ],
)  # fmt: skip
def test_a_renaming_that_is_not_one_to_one_is_seen(one: str, other: str) -> None:
    assert _renamed(one) != _renamed(other)


def test_variables_of_sibling_comprehensions_are_variables_of_their_own() -> None:
    text = "def f(x):\n    return [{0} for {0} in x], [{1} for {1} in x], [{2} for {2} in x], lambda {1}: {1}\n"
    assert len({_renamed(text.format(*names)) for names in ("aaa", "aba", "abc", "bca", "cca")}) == 1


def test_a_library_class_and_an_own_attribute_of_its_name_stay_different() -> None:
    method = "class A:\n    def f(self, x):\n        return {}(x)\n"
    assert _renamed(method.format("nn.LayerNorm")) != _renamed(method.format("self.LayerNorm"))
    assert _renamed(method.format("self.LayerNorm")) == _renamed(method.format("self.norm_in"))
    assert _renamed(method.format("nn.LayerNorm")) != _renamed(method.format("nn.RMSNorm"))


def test_an_own_attribute_that_a_library_knows_too_is_own_where_the_class_stores_it() -> None:
    stored = "class A:\n    def f(self, x):\n        self.{0} = x\n        return self.{0}(x)\n"
    assert _renamed(stored.format("softmax")) == _renamed(stored.format("attend"))
    assert _renamed("def f(x):\n    return x.softmax(1)\n") != _renamed("def f(x):\n    return x.argmax(1)\n")


def test_an_import_alias_does_not_matter() -> None:
    text = "def f(x):\n    return {}(x, dim=1)\n"
    whole = _renamed(text.format("torch.nn.functional.softmax"), "import torch\n")
    assert whole == _renamed(text.format("F.softmax"))
    assert whole == _renamed(text.format("sm"), "from torch.nn.functional import softmax as sm\n")
    assert whole != _renamed(text.format("F.log_softmax"))
    assert _renamed("def f(x):\n    import numpy\n    return numpy.abs(x)\n") != _renamed(text.format("np.abs"))


def test_an_imported_helper_of_the_project_is_a_name_of_its_own() -> None:
    text = "def f(x):\n    return {}(x)\n"
    assert _renamed(text.format("aid"), "from ours.tools import aid\n") == _renamed(
        text.format("prop"), "from .kit import prop\n"
    )


def test_names_of_a_renamed_pair_stand_for_each_other_in_order() -> None:
    texts = (
        "class A:\n    def f(self, x, n):\n        return self.q(x)[:n]\n",
        "class B:\n    def g(s, a, b):\n        return s.r(a)[:b]\n",
    )
    names = []
    for text in texts:
        place, around = _place(text)
        names.append(canonical(place.node, around.module, around.own, around.is_method).names)
    assert [(one, other) for (_, one), (_, other) in zip(*names, strict=True)] == [
        ("f", "g"),
        ("self", "s"),
        ("x", "a"),
        ("n", "b"),
        ("q", "r"),
    ]


def test_an_added_statement_is_an_edit_and_another_syntax_a_rewrite() -> None:
    loop = (
        "def f(sizes, limit):\n    best, cost = None, 9.0\n    for size in sizes:\n        if size[0] > limit:\n"
        "            continue\n        now = abs(size[0] - size[1])\n        if now < cost:\n            cost = now\n"
        "            best = size\n    return best\n"
    )
    edited = loop.replace("    return best", "    print(best)\n    return best")
    rewritten = (
        "def f(s, m):\n    return min((a for a in s if a[0] <= m), key=lambda a: abs(a[0] - a[1]), default=None)\n"
    )
    assert _type(edited, loop) is CloneType.EDITED
    assert _type(rewritten, loop) is CloneType.REWRITTEN


def test_likeness_is_one_for_equal_and_empty_bodies_and_blind_to_names() -> None:
    one, other = (
        shapes(_place(text)[0].node) for text in (PLAIN, "def grow(a, b):\n    c = a * b\n    return c + 7\n")
    )
    assert likeness(one, other) == 1.0
    empty = shapes(_place('def f():\n    """Say."""\n')[0].node)
    assert likeness(empty, empty) == 1.0
    assert likeness(one, empty) == 0.0


def test_digests_are_equal_in_every_process() -> None:
    program = (
        "import ast; from detector.code.digest import layout_digest, renamed_digest\n"
        f"node = ast.parse({PLAIN!r}).body[0]\nprint(layout_digest(node), renamed_digest(node))"
    )
    place = _place(PLAIN, "")[0]
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed}
        )
        assert done.stdout.split() == [layout_digest(place.node), renamed_digest(place.node)]


def test_the_digests_themselves_are_fixed() -> None:
    """Other processes and Python versions must find what this one stored."""
    place = _place(PLAIN)[0]
    assert layout_digest(place.node) == "74780b06eaa5d989ceb941138686e650"
    assert renamed_digest(place.node) == "a4af3f2097c74f526a79083bf99db1b5"


def test_deep_nesting_is_digested_without_recursion() -> None:
    place = _place("def f(x):\n    return " + "-" * 900 + "x\n")[0]
    leaf: ast.expr = ast.Name("x", ast.Load())
    tall = leaf
    for _ in range(50_000):
        tall = ast.UnaryOp(ast.USub(), tall)
    place.node.body = [ast.Return(tall)]
    assert len(renamed_digest(place.node)) == len(layout_digest(place.node)) == 32
    while isinstance(tall, ast.UnaryOp):  # taken apart from the top: freeing it at once would recurse in C
        below, tall.operand = tall.operand, leaf
        tall = below


def test_every_statement_of_the_language_is_written() -> None:
    text = (
        "async def f(x, /, y, *a, k=1, **kw):\n    global G\n    async with x as z, y:\n        await z\n"
        "    async for i in z:\n        continue\n    while (n := y) is not None:\n        break\n    else:\n"
        "        del n\n"
        "    match x:\n        case {'a': b, **r}:\n            pass\n        case [1, *s] | (2, *s):\n"
        "            pass\n"
        "        case P(q, w=3) if q:\n            pass\n        case None:\n            pass\n        case o:\n"
        "            pass\n"
        "    class C(x, metaclass=y):\n        v = 1\n        def m(self): return self.v\n    def g():\n"
        "        nonlocal z\n"
        "        yield from z\n    try:\n        raise E from x\n    except* OSError as e:\n        assert e, 'no'\n"
        "    finally:\n"
        "        G = f'{x!r:>{y}}' if x else {**kw, 'k': {1, *a}}\n"
        "    return lambda *b, c=x: (yield b[1:2, ..., ::c], 1j, b'', None)\n"
    )
    place = _place(text)[0]
    assert len(renamed_digest(place.node)) == 32
    swapped = text.replace("z", "zz").replace("kw", "kk").replace("o:\n", "oo:\n")
    assert _renamed(text) == _renamed(swapped)
