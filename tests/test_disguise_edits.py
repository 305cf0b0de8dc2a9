"""Every edit happens where it is the same, and is withheld where it may not be."""

from __future__ import annotations

import ast

import pytest

from bench.disguise.levels import change
from bench.disguise.rates import EDITS, Rates
from bench.disguise.work import Work


class Only(Rates):
    """One edit everywhere, and no other."""

    def __init__(self, edit: str) -> None:
        super().__init__("L8", 0)
        self.edit = edit

    def of(self, edit: str, place: str = "") -> float:
        return float(edit == self.edit)


def only(edit: str, source: str, seed: int = 0) -> str:
    """The code after one edit."""
    work = Work({"m.py": source}, Only(edit), seed)
    change(work)
    return "\n".join(ast.unparse(tree) for _, tree in sorted(work.trees.items()))


TORCH = "import torch\nfrom torch import nn\nimport torch.nn.functional as F\n"

HAPPENS = [
    ("rename local", "def f(x):\n    y = x\n    return y", "return "),
    ("rename", "def f(x):\n    return x", "(x):"),
    ("import style", "import torch\ndef f(x):\n    return torch.cat(x)", "from torch import cat"),
    ("import inside", "import math\ndef f(x):\n    return math.floor(x)", "    import math"),
    ("inline", "def f(x):\n    y = g(x)\n    return h(y)", "return h(g(x))"),
    ("split", "def f(x):\n    y = x.a().b(1).c()\n    return y, y", ".c()"),
    ("name result", "def f(x):\n    return g(x)", "= g(x)"),
    ("augment", "def f():\n    y = 0\n    y += 1\n    return y", "y = y + 1"),
    ("augment", "def f():\n    y = 0\n    y = y + 1\n    return y", "y += 1"),
    ("unchain", "def f(x):\n    a = b = x\n    return a, b", "b = a"),
    ("tuples", "def f(x):\n    a = x\n    b = 2\n    return b, a", "a, b = (x, 2)"),
    ("reorder", "def f(x):\n    a = x.shape\n    b = x + 1\n    g(a)\n    g(b)", "b = x + 1\n    a = x.shape"),
    ("keyword order", "def f(x):\n    return g(a=x, b=1)", "g(b=1, a=x)"),
    ("keyword or positional", "def g(a, b):\n    return a\ndef f(x):\n    return g(x, b=2)", "g(x, 2)"),
    ("keyword or positional", "def g(a, b):\n    return a\ndef f(x):\n    return g(x, 2)", "g(x, b=2)"),
    (
        "keyword or positional",
        "class A:\n    def __init__(self, a):\n        pass\ndef f(x):\n    return A(x)",
        "A(a=x)",
    ),
    ("flip", "def f(x):\n    if x:\n        g()\n    else:\n        h()", "if not x:"),
    ("ternary", "def f(x):\n    y = 1 if x else 2\n    return y, y", "else:"),
    ("ternary", "def f(x):\n    if x:\n        y = 1\n    else:\n        y = 2\n    return y", "1 if x else 2"),
    ("default if", "def f(x):\n    y = 1\n    if x:\n        y = 2\n    return y", "y = 2 if x else 1"),
    ("default if", "def f(x):\n    y = 2 if x else 1\n    return y", "y = 1\n    if x:\n        y = 2"),
    ("early return", "def f(x):\n    if x:\n        return 1\n    g()\n    return 2", "else:"),
    (
        "early return",
        "def f(x):\n    if x:\n        return 1\n    else:\n        g()\n    return 2",
        "return 1\n    g()",
    ),
    ("guard", "def f(x):\n    g()\n    if x:\n        g()\n        h()", "if not x:\n        return\n"),
    ("guard", "def f(x):\n    for y in x:\n        if y:\n            g()\n            h()", "continue"),
    (
        "guard",
        "def f(x):\n    for y in x:\n        if y:\n            continue\n        g()",
        "if not y:\n            g()",
    ),
    ("comprehension", "def f(x):\n    y = [g(i) for i in x]\n    return y", ".append(g("),
    (
        "comprehension",
        "def f(x):\n    y = []\n    for i in x:\n        y.append(g(i))\n    return y",
        "[g(i) for i in x]",
    ),
    ("map", "def f(x):\n    return [str(i) for i in x]", "list(map(str, x))"),
    ("map", "def f(x):\n    return list(map(lambda i: i + 1, x))", "[i + 1 for i in x]"),
    ("map", "def f(x):\n    a, b = map(lambda i: i + 1, x)\n    return a, b", "a, b = [i + 1 for i in x]"),
    (
        "any or all",
        "def f(x):\n    for y in x:\n        if y > 1:\n            return True\n    return False",
        "any(",
    ),
    (
        "any or all",
        "def f(x):\n    for y in x:\n        if y > 1:\n            return False\n    return True",
        "all((not y > 1",
    ),
    ("any or all", "def f(x):\n    return any(y > 1 for y in x)", "return True"),
    ("index loop", "def f():\n    x = [1]\n    for i in range(len(x)):\n        g(x[i], i)", "in enumerate(x)"),
    (
        "index loop",
        "def f():\n    x = [1]\n    for i, y in enumerate(x):\n        g(y, i)",
        "for i in range(len(x)):\n        y = x[i]",
    ),
    (
        "counter",
        "def f(x):\n    for i, y in enumerate(x):\n        g(i, y)",
        "i = -1\n    for y in x:\n        i += 1",
    ),
    ("while", "def f(n):\n    for i in range(n):\n        g(i)", "while i < n:\n        g(i)\n        i += 1"),
    (
        "while",
        "def f():\n    i = 0\n    while i < 9:\n        g(i)\n        i += 1",
        "for i in range(9):\n        g(i)",
    ),
    ("endless", "def f(x):\n    while x.a:\n        g()", "while True:\n        if not x.a:\n            break"),
    (
        "endless",
        "def f(x):\n    while True:\n        if x.a:\n            break\n        g()",
        "while not x.a:\n        g()",
    ),
    ("nested if", "def f(x, y):\n    if x and y:\n        g()", "if x:\n        if y:"),
    ("nested if", "def f(x, y):\n    if x:\n        if y:\n            g()", "if x and y:"),
    ("de Morgan", "def f(x, y):\n    return not (x and y)", "not x or not y"),
    ("de Morgan", "def f(x, y):\n    return not x or not y", "not (x and y)"),
    ("direction", "def f(x, y):\n    return x < y", "y > x"),
    ("chained comparison", "def f(x):\n    return 0 < x < 5", "0 < x and x < 5"),
    ("chained comparison", "def f(x):\n    return 0 < x and x < 5", "0 < x < 5"),
    ("emptiness", "def f():\n    x = [1]\n    if len(x) == 0:\n        g()", "if not x:"),
    ("emptiness", "def f():\n    x = [1]\n    if x:\n        g()", "if len(x) > 0:"),
    ("membership", "def f(x):\n    return x in (1, 2)", "x == 1 or x == 2"),
    ("membership", "def f(x):\n    return x == 'a' or x == 'b'", "x in ('a', 'b')"),
    ("isinstance", "def f(x):\n    return isinstance(x, (int, str))", "isinstance(x, int) or isinstance(x, str)"),
    ("isinstance", "def f(x):\n    return isinstance(x, int) or isinstance(x, str)", "isinstance(x, (int, str))"),
    ("text", "def f(x):\n    return f'{x:.2f}{{'", "'{:.2f}{{'.format(x)"),
    ("text", "def f(x):\n    return '{}!'.format(x)", "f'{x}!'"),
    ("text", "def f(x):\n    y = str(x)\n    return f'{y}!'", "y + '!'"),
    ("text", "def f(x):\n    y = str(x)\n    return f'{y}{y}!'", "'%s%s!' % (y, y)"),
    ("text", "def f(x):\n    y = str(x)\n    return y + '!'", "f'{y}!'"),
    ("dict", "def f(x):\n    return dict(a=x)", "{'a': x}"),
    ("dict", "def f(x):\n    return {'a': x}", "dict(a=x)"),
    ("shape", "def f(x):\n    return x.size(0)", "x.shape[0]"),
    ("shape", "def f(x):\n    return x.unsqueeze(0), x.shape[1]", "x.size(1)"),
    ("tensor method", TORCH + "def f(x):\n    return torch.softmax(x, dim=1)", "x.softmax(dim=1)"),
    ("tensor method", TORCH + "def f(x):\n    return F.softmax(x, dim=1)", "x.softmax(dim=1)"),
    ("tensor method", TORCH + "def f(x):\n    return x.unsqueeze(0), x.softmax(1)", "torch.softmax(x, 1)"),
    ("matmul", TORCH + "def f(x, y):\n    return torch.matmul(x, y)", "x @ y"),
    ("matmul", TORCH + "def f(x, y):\n    return x @ y", "torch.matmul(x, y)"),
    ("view", "def f(x):\n    return x.view(1, -1)", "x.reshape(1, -1)"),
    ("view", "def f(x):\n    return x.unsqueeze(0), x.reshape(1, -1)", "x.contiguous().view(1, -1)"),
    ("unsqueeze", "def f(x):\n    return x.unsqueeze(1)", "x[:, None]"),
    ("unsqueeze", "def f(x):\n    return x.size(1), x[..., None]", "x.unsqueeze(-1)"),
    ("dim", TORCH + "def f(x):\n    return torch.cat((x, x), 1)", "torch.cat([x, x], dim=1)"),
    ("dim", TORCH + "def f(x):\n    return x.mean(dim=1)", "x.mean(1)"),
    ("super", "class A:\n    def f(self):\n        super().f()", "super(A, self).f()"),
    ("super", "class A:\n    def f(self):\n        super(A, self).f()", "super().f()"),
    ("assert", "def f(x):\n    assert x\n    return x", "def f(x):\n    return x"),
    (
        "best",
        "def f(x):\n"
        "    b = None\n"
        "    s = float('inf')\n"
        "    for t in x:\n"
        "        v = g(t)\n"
        "        if v < s:\n"
        "            s = v\n"
        "            b = t\n"
        "    return b",
        "b = min(x, key=lambda t: g(t), default=None)",
    ),
    ("best", "def f(x):\n    b = max(x, key=g, default=None)\n    return b", "is None or"),
    ("power", "def f(x):\n    return x ** 2", "pow(x, 2)"),
    ("power", "def f(x):\n    return pow(x, 2)", "x ** 2"),
    ("or", "def f(x, y):\n    return x if x else y", "x or y"),
    ("or", "def f(x, y):\n    return x or y", "x if x else y"),
    ("range", "def f(n):\n    return range(n)", "range(0, n)"),
    ("extend", "def f(y):\n    x = []\n    x.extend(y)\n    return x", "x += y"),
    ("extend", "def f(y):\n    x = []\n    x += y\n    return x", "x.extend(y)"),
    ("lambda", "def f():\n    g = lambda x: x + 1\n    return g", "def g(x):\n        return x + 1"),
    ("no grad", TORCH + "@torch.no_grad()\ndef f(x):\n    return x", "def f(x):\n    with torch.no_grad():"),
    (
        "no grad",
        TORCH + "def f(x):\n    with torch.no_grad():\n        return x",
        "@torch.no_grad()\ndef f(x):\n    return x",
    ),
    (
        "sequential",
        TORCH + "class A(nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.net = nn.Sequential(nn.Linear(1, 2), nn.ReLU())\n"
        "    def forward(self, x):\n"
        "        return self.net(x)",
        "= nn.ReLU()",
    ),
    (
        "reorder methods",
        "class A:\n    def f(self):\n        pass\n    def g(self):\n        pass\n    def h(self):\n        pass",
        "def h",
    ),
    ("reorder functions", "def f():\n    pass\ndef g():\n    pass\ndef h():\n    pass", "def h"),
    (
        "extract",
        "def f(x):\n"
        "    a = x + 1\n"
        "    b = a * 2\n"
        "    for c in x:\n"
        "        b += c\n"
        "        a -= c\n"
        "        g(c)\n"
        "    d = a + b\n"
        "    return d, a",
        "return (d, a)",
    ),
    (
        "inline helper",
        "def g(x):\n    return x is None\ndef f(y):\n    return 1 if g(y) else 2",
        "1 if y is None else 2",
    ),
    ("inline body", "def g(x):\n    z = x + 1\n    return z * 2\ndef f(y):\n    w = g(y)\n    return w", "= y + 1"),
    (
        "free method",
        "class A:\n    def f(self, x):\n        return self.g(x)\n    def g(self, x):\n        return x + 1",
        "def g(x):\n    return x + 1\n\nclass A:",
    ),
    ("move", "import math\ndef f(x):\n    return math.floor(x)\ndef g(x):\n    return f(x)", "import f"),
    (
        "split class",
        "class A:\n"
        "    def f(self):\n"
        "        return 1\n"
        "    def g(self):\n"
        "        return 2\n"
        "    def h(self):\n"
        "        return 3",
        "class A(",
    ),
    ("dead", "def f(x):\n    g()\n    return x", "\n    return x"),
    ("dead helper", "def f(x):\n    return x", "def f(x):\n    return x"),
]

WITHHELD = [
    (
        "split class",
        "class A:\n"
        "    def f(self):\n"
        "        return 1\n"
        "    def __g(self):\n"
        "        return 2\n"
        "    def h(self):\n"
        "        return self.__g()",
    ),
    (
        "import style",
        "try:\n    import torch\nexcept ImportError:\n    torch = None\ndef f(x):\n    return torch.cat(x)",
    ),
    ("import style", "import torch\n__all__ = ['torch']\ndef f(x):\n    return torch.cat(x)"),
    ("import inside", "import math\ndef f(x):\n    return math.floor(x)\ndef g(x):\n    return math.ceil(x)"),
    ("inline", "def f(x):\n    y = g(x)\n    return h() + y"),
    ("inline", "def f(x):\n    y = g(x)\n    return lambda: y"),
    ("split", "def f(x):\n    y = x and x.a().b()\n    return y"),
    ("name result", "def f(x):\n    return x"),
    ("augment", "def f(x):\n    x += [1]\n    return x"),
    ("unchain", "def f(x):\n    x.a = x.b = 1"),
    ("tuples", "def f(x):\n    a = x\n    b = a\n    return b"),
    ("tuples", "def f(x):\n    a, b = x\n    return b"),
    ("reorder", "def f(x):\n    a = g(x)\n    b = h(x)\n    return a, b"),
    ("keyword order", "def f(x):\n    return g(a=x(), b=x())"),
    ("keyword or positional", "def f(x):\n    return g(x, b=2)"),
    ("keyword or positional", "def g(a, b):\n    return a\ng = h(g)\ndef f(x):\n    return g(x, b=2)"),
    ("flip", "def f(x):\n    if x:\n        g()"),
    ("ternary", "def f(x):\n    if x:\n        y = 1\n    else:\n        z = 2\n    return y"),
    ("default if", "def f(x):\n    y = g()\n    if x:\n        y = 2\n    return y"),
    ("default if", "def f(x):\n    y = 1\n    if x:\n        y = y + 2\n    return y"),
    ("early return", "def f(x):\n    if x:\n        g()\n    return 2"),
    ("guard", "def f(x):\n    if x:\n        g()\n        h()\n    return 1"),
    ("comprehension", "def f(x):\n    y = []\n    for i in x:\n        y.append(i)\n    return y, i"),
    ("map", "def f(x):\n    return [g(i) for i in x if i]"),
    ("map", "def f(x, map):\n    return list(map(str, x))"),
    ("any or all", "def f(x):\n    for y in x:\n        if y > 1:\n            return True\n    return None"),
    ("index loop", "def f(x):\n    for i in range(len(x)):\n        g(x[i])"),
    ("index loop", "def f():\n    x = [1]\n    for i in range(len(x)):\n        x[i] = x[i] + 1"),
    ("index loop", "def f():\n    x = [1]\n    for y in x:\n        x.append(y)"),
    ("counter", "def f(x):\n    for i, y in enumerate(x):\n        g(i, y)\n    return i"),
    ("while", "def f(n):\n    for i in range(n):\n        g(i)\n    return i"),
    ("while", "def f(n):\n    for i in range(n):\n        if i:\n            continue\n        g(i)"),
    ("while", "def f(n):\n    i = 0\n    while i < n:\n        g(i)\n        i += 1"),
    ("endless", "def f(x):\n    while x.a:\n        g()\n    else:\n        h()"),
    ("nested if", "def f(x, y):\n    if x and y:\n        g()\n    else:\n        h()"),
    ("de Morgan", "def f(x, y):\n    return not x or y"),
    ("direction", "def f(x, y):\n    return g(x) < h(y)"),
    ("chained comparison", "def f(x):\n    return 0 < g(x) < 5"),
    ("emptiness", "def f(x):\n    if len(x) == 0:\n        g()"),
    ("emptiness", "def f():\n    x = [1]\n    return x"),
    ("membership", "def f(x):\n    return x in (1, y)"),
    ("membership", "def f(x, y):\n    return x == 1 or y == 2"),
    ("isinstance", "def f(x, y):\n    return isinstance(x, int) or isinstance(y, str)"),
    ("text", "def f(x):\n    return '{0}{0}'.format(x)"),
    ("text", "def f(x):\n    return f'{g(x)}{g(x)}'"),
    ("dict", "def f(x):\n    return {'a b': x}"),
    ("dict", "def f(x):\n    return dict(x, a=1)"),
    ("shape", "def f(x):\n    return x.shape[1]"),
    ("tensor method", TORCH + "def f(x):\n    return x.sum(0)"),
    ("tensor method", TORCH + "def f(x):\n    return F.softmax(x)"),
    ("matmul", "import numpy as np\nimport torch\ndef f(x, y):\n    return x @ y"),
    ("view", TORCH + "def f(x):\n    return x.view(torch.int32), x.view(shape)"),
    ("unsqueeze", "def f(x):\n    return x[:, None]"),
    ("dim", "def f(x):\n    return x.mean(1)"),
    ("super", "class A:\n    def f(self):\n        return lambda: super().f()"),
    ("super", "def g(A):\n    class A:\n        def f(self):\n            super().f()"),
    ("assert", "def f(x):\n    assert g(x)\n    return x"),
    (
        "best",
        "def f(x):\n"
        "    b = None\n"
        "    s = float('inf')\n"
        "    for t in x:\n"
        "        v = g(t)\n"
        "        if v < s:\n"
        "            s = v\n"
        "            b = t\n"
        "    return b, s",
    ),
    ("power", "def f(x, pow):\n    return x ** 2"),
    ("or", "def f(x, y):\n    return x() if x() else y"),
    ("range", "def f(x):\n    return x[:2], range(1, 2)"),
    ("extend", "def f(x, y):\n    x.extend(y)\n    return x"),
    ("lambda", "def f():\n    return lambda x: x + 1"),
    ("no grad", TORCH + "def f(x):\n    with torch.no_grad():\n        yield x"),
    (
        "sequential",
        TORCH + "class A(nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.net = nn.Sequential(nn.Linear(1, 2), nn.ReLU())\n"
        "    def forward(self, x):\n"
        "        return self.net[0](x)",
    ),
    (
        "reorder methods",
        "class A:\n    x = 1\n    def f(self, y=x):\n        pass\n    f = g(f)\n    def f2(self):\n        pass",
    ),
    ("reorder functions", "class A:\n    pass\nclass B(A):\n    pass\nclass C(B):\n    pass"),
    (
        "extract",
        "def f(x):\n    for y in x:\n        if y:\n            yield y\n        yield x\n        yield 2\n    yield 1",
    ),
    ("inline helper", "def g(x):\n    return x + x\ndef f(y):\n    return g(h(y))"),
    ("inline helper", "def g(x):\n    return x + z\ndef f(z):\n    return g(z)"),
    (
        "inline body",
        "def g(x):\n    if x:\n        return 1\n    z = 2\n    return z\ndef f(y):\n    w = g(y)\n    return w",
    ),
    (
        "free method",
        "class A:\n"
        "    def f(self, x):\n"
        "        return self.g(x)\n"
        "    def g(self, x):\n"
        "        return x\n"
        "class B(A):\n"
        "    def g(self, x):\n"
        "        return 2",
    ),
    ("free method", "class A:\n    def f(self, x):\n        return self.g\n    def g(self, x):\n        return x"),
    ("move", "def f(x):\n    return x\nf = h(f)\ny = 1\ndef g(x):\n    return f(x) + y"),
    (
        "split class",
        "@d\n"
        "class A:\n"
        "    def f(self):\n"
        "        return 1\n"
        "    def g(self):\n"
        "        return 2\n"
        "    def h(self):\n"
        "        return 3",
    ),
    (
        "split class",
        "class A(B):\n"
        "    def f(self):\n"
        "        return 1\n"
        "    def g(self):\n"
        "        return 2\n"
        "    def h(self):\n"
        "        return 3",
    ),
]


@pytest.mark.parametrize(("edit", "before", "somewhere"), HAPPENS)
def test_an_edit_happens(edit: str, before: str, somewhere: str) -> None:
    results = [only(edit, before, seed) for seed in range(6)]
    assert any(somewhere in result and result != ast.unparse(ast.parse(before)) for result in results), results[0]


@pytest.mark.parametrize(("edit", "before"), WITHHELD)
def test_an_edit_is_withheld(edit: str, before: str) -> None:
    assert {only(edit, before, seed) for seed in range(6)} == {ast.unparse(ast.parse(before))}


def test_every_edit_has_both_tests() -> None:
    always = {"rename file", "rename local", "rename", "dead", "dead helper"}  # tested with whole projects
    assert {edit for edit, _, _ in HAPPENS} >= EDITS.keys() - always
    assert {edit for edit, _ in WITHHELD} >= EDITS.keys() - always
