"""Pairs of function bodies, told apart or not: the small print of lowering. The readable pages are in tests/spec."""

from __future__ import annotations

import textwrap

import pytest

from detector.code.parse import shingles_of

PRELUDE = "import math\nimport torch\nimport torch.nn.functional as F\nfrom torch import nn\n"
Pair = tuple[str, str]

# Equal as they stand in `def f(a, b, c, xs, ys):`.
SAME_BODIES: dict[str, Pair] = {
    # conditions through temporaries
    "a comparison": ("if a <= b: return a.exp()\nreturn b", "t = a <= b\nif t: return a.exp()\nreturn b"),
    "a conjunction": ("if a < 1 and b: return a.exp()\nreturn b", "t = a < 1 and b\nif t: return a.exp()\nreturn b"),
    "a negation": ("if not a.any(): return a.exp()\nreturn b", "t = not a.any()\nif t: return a.exp()\nreturn b"),
    "is not None": ("if a is not None: return a.exp()\nreturn b", "t = a is not None\nif t: return a.exp()\nreturn b"),
    "de Morgan": (
        "if a < 1 and b > 2: return a.exp()\nreturn b",
        "if not (a >= 1 or b <= 2): return a.exp()\nreturn b",
    ),
    "a length in a temporary": ("n = len(xs)\nif n > 0: return a.exp()\nreturn b", "if xs: return a.exp()\nreturn b"),
    "a length on the right": ("if 0 < len(xs): return a.exp()\nreturn b", "if xs: return a.exp()\nreturn b"),
    "bool()": ("if bool(xs): return a.exp()\nreturn b", "if xs: return a.exp()\nreturn b"),
    "walrus": ("if (n := a.exp()) > 2: return n\nreturn b", "n = a.exp()\nif n > 2: return n\nreturn b"),
    "equality twice, from either side": (
        "if a == b: raise ValueError\nif a == b: return c.exp()\nreturn c",
        "if a == b: raise ValueError\nif b == a: return c.exp()\nreturn c",
    ),
    # values known through temporaries
    "a quotient": ("t = a / b\nreturn torch.zeros(int(t))", "return torch.zeros(a // b)"),
    "a number of elements": (
        "n = len(xs)\nreturn [xs[i].exp() for i in range(n)]",
        "return [x.exp() for x in xs]",
    ),
    "a zip": (
        "z = zip(xs, ys)\nout = []\nfor x, y in z: out.append(x * y.exp())\nreturn out",
        "return [x * y.exp() for x, y in zip(xs, ys)]",
    ),
    "a place in a tuple": ("i = 0\nt = (a, b.exp())\nreturn t[i] + 1", "return a + 1"),
    "a start of zero": ("i = 0\nreturn xs[i:a] + 1", "return xs[:a] + 1"),
    "a shape": ("s = a.shape\nreturn torch.zeros(s[0], s[1])", "p, q = a.size()\nreturn torch.zeros(p, q)"),
    # the order in which builtins are met
    "range as a value first": (
        "q = list(range(2, 5))\np = [xs[i].exp() for i in range(len(xs))]\nreturn p, q",
        "p = [xs[i].exp() for i in range(len(xs))]\nq = list(range(2, 5))\nreturn p, q",
    ),
    "zip as a value first": (
        "p = dict(zip(xs, ys))\nq = [x * y for x, y in zip(xs, ys)]\nreturn p, q",
        "q = [x * y for x, y in zip(xs, ys)]\np = dict(zip(xs, ys))\nreturn p, q",
    ),
    "enumerate as a value first": (
        "p = list(enumerate(xs))\nq = [x * i for i, x in enumerate(xs)]\nreturn p, q",
        "q = [x * i for i, x in enumerate(xs)]\np = list(enumerate(xs))\nreturn p, q",
    ),
    # gathering
    "rows made in a loop": (
        "out = []\nfor x in xs:\n    row = []\n    row.append(x)\n    row.append(x.exp())\n"
        "    out.append(row)\nreturn out",
        "return [[x, x.exp()] for x in xs]",
    ),
    "two lists in one loop": (
        "p, q = [], []\nfor x in xs:\n    p.append(x.exp())\n    q.append(x.sin())\nreturn p, q",
        "return [x.exp() for x in xs], [x.sin() for x in xs]",
    ),
    "a filter deep inside": (
        "out = []\nfor x in xs:\n    for y in x:\n        if y > a: out.append(y.exp())\nreturn out",
        "return [y.exp() for x in xs for y in x if y > a]",
    ),
    "append, then continue": (
        "out = []\nfor x in xs:\n    if x > a:\n        out.append(x.exp())\n        continue\n"
        "    out.append(x.sin())\nreturn out",
        "return [x.exp() if x > a else x.sin() for x in xs]",
    ),
    "either value gathered, then iterated": (
        "out = []\nfor x in xs:\n    if x > a: out.append(x.exp())\n    else: out.append(x.sin())\n"
        "return [o * 2 for o in out]",
        "out = [x.exp() if x > a else x.sin() for x in xs]\nreturn [o * 2 for o in out]",
    ),
    "a list of one grown by a list": ("out = [a]\nout += [b.exp()]\nreturn out", "return [a, b.exp()]"),
    "a list grown in a loop by what is computed": (
        "out = [a]\nfor x in xs: out += b\nreturn torch.cat(out)",
        "out = [a]\nfor x in xs: out = out + b\nreturn torch.cat(out)",
    ),
    "extend by what is computed": (
        "out = []\nfor x in xs: out.extend(x.exp())\nreturn out",
        "return [y for x in xs for y in x.exp()]",
    ),
    "extend by a generator": ("out = []\nout.extend(x.exp() for x in xs)\nreturn out", "return [x.exp() for x in xs]"),
    "map over a function": ("return list(map(torch.exp, xs))", "return [x.exp() for x in xs]"),
    "a dict under a filter": (
        "out = {}\nfor x in xs:\n    if x > a: out[x] = x.exp()\nreturn out",
        "return {x: x.exp() for x in xs if x > a}",
    ),
    "a dict of either value": (
        "out = {}\nfor x in xs:\n    if x > a: out[x] = x.exp()\n    else: out[x] = x.sin()\nreturn out",
        "return {x: x.exp() if x > a else x.sin() for x in xs}",
    ),
    "dict()": ("return F.pad(**dict(pad=a.exp(), value=b))", "return F.pad(**{'pad': a.exp(), 'value': b})"),
    "lists of either branch": (
        "if a: out = [x.exp() for x in xs]\nelse: out = [y.sin() for y in ys]\nreturn torch.cat(out)",
        "out = [x.exp() for x in xs] if a else [y.sin() for y in ys]\nreturn torch.cat(out)",
    ),
    "dicts of either branch": (
        "if a: out = {'p': b.exp()}\nelse: out = {'q': b.sin()}\nreturn F.pad(**out)",
        "out = {'p': b.exp()} if a else {'q': b.sin()}\nreturn F.pad(**out)",
    ),
    # leaving a loop
    "break": (
        "r = None\nfor x in xs:\n    if x > a:\n        r = x.exp()\n        break\nreturn r",
        "r = None\nfor x in xs:\n    if x <= a: continue\n    r = x.exp()\n    break\nreturn r",
    ),
    # effects
    "an item store": (
        "if a: xs[0] = b.exp()\nelse: xs[0] = c.sin()\nreturn xs",
        "xs[0] = b.exp() if a else c.sin()\nreturn xs",
    ),
    "an in-place item store": ("a[b] += c.exp()\nreturn a", "a[b] = a[b] + c.exp()\nreturn a"),
    "yield": ("if a: yield b.exp()\nelse: yield c.sin()", "yield b.exp() if a else c.sin()"),
    "two contexts": (
        "with torch.no_grad(), torch.autocast('cuda'): return a.exp()",
        "with torch.no_grad():\n    with torch.autocast('cuda'): return a.exp()",
    ),
    # returns
    "return None": ("a.exp_()\nif b: return None\nc.exp_()", "a.exp_()\nif b: return\nc.exp_()"),
    "return None at the end": ("a.exp_()\nreturn None", "a.exp_()"),
    "a parameter's default": (
        "if a is None: a = torch.zeros(b)\nreturn a.exp()",
        "a = a if a is not None else torch.zeros(b)\nreturn a.exp()",
    ),
    # dead code
    "a constant test": ("if not True: a = a.exp()\nreturn a.sin()", "return a.sin()"),
    "a loop that never runs": ("while False: a = a.exp()\nreturn a.sin()", "return a.sin()"),
    "a dead chain": ("d = a.exp()\ne = d + 1\nreturn a.sin()", "return a.sin()"),
    # names bound in branches
    "an import in a branch": (
        "if a:\n    import math as m\nreturn m.sqrt(b)",
        "if a:\n    from math import sqrt\nreturn sqrt(b)",
    ),
    # parameters of closures are values of their own
    "a closure's parameter beside another parameter": (
        "return sorted(xs, key=lambda u: u if u > 2 else b.exp())",
        "def key(a):\n    if a > 2: return a\n    return b.exp()\nreturn sorted(xs, key=key)",
    ),
}

# Equal as modules: the shingle sets of all functions, in any order.
SAME_MODULES: dict[str, Pair] = {
    "a captured name that a builtin has, too": (
        "def f(a, max):\n    def g(u): return u.exp() - max\n    return g",
        "def f(a, top):\n    def g(u): return u.exp() - top\n    return g",
    ),
    "a captured name that a function has, too": (
        "def top(q): return q + 1\ndef f(a, top):\n    def g(u): return u.exp() - top\n    return g",
        "def top(q): return q + 1\ndef f(a, tip):\n    def g(u): return u.exp() - tip\n    return g",
    ),
    "parameters around a closure in another order": (
        "def f(a, b):\n    def g(u): return u if u > 2 else b\n    return g(a.exp())",
        "def f(b, a):\n    def g(u): return u if u > 2 else b\n    return g(a.exp())",
    ),
    "keywords of a closure": (
        "def f(a, b):\n    def g(u, v): return u.exp() - v\n    return g(a, v=b.sin())",
        "def f(a, b):\n    def g(u, w): return u.exp() - w\n    return g(a, w=b.sin())",
    ),
    "keywords of layers in a list": (
        "class M:\n    def __init__(self): self.blocks = nn.ModuleList([M() for _ in range(3)])\n"
        "    def forward(self, x, m):\n        for b in self.blocks: x = b(x.sin(), mask=m)\n        return x",
        "class M:\n    def __init__(self): self.parts = nn.ModuleList([M() for _ in range(3)])\n"
        "    def forward(self, x, m):\n        for b in self.parts: x = b(x.sin(), keep=m)\n        return x",
    ),
    "keywords of an own object's method": (
        "def f(a, b):\n    h = Thing(b)\n    return h.run_it(a.exp(), mask=b)",
        "def f(a, b):\n    h = Thing(b)\n    return h.run_it(a.exp(), keep=b)",
    ),
    "a property and the order of statements": (
        "def own(x): return x + 1\nclass M:\n    @property\n    def cfg(self): return self.q.exp()\n"
        "    def go(self, x):\n        a = self.cfg.wide * 2\n        b = own(x) * 3\n        return a - b",
        "def own(x): return x + 1\nclass M:\n    @property\n    def cfg(self): return self.q.exp()\n"
        "    def go(self, x):\n        b = own(x) * 3\n        a = self.cfg.wide * 2\n        return a - b",
    ),
    "a store of either value": (
        "class M:\n    def __init__(self, d, q):\n        self.p = nn.Linear(d, d)\n"
        "        if q: self.p = nn.Identity()",
        "class M:\n    def __init__(self, d, q):\n        self.p = nn.Identity() if q else nn.Linear(d, d)",
    ),
    "a counter kept in an attribute": (
        "class M:\n    def f(self, a): self.n += a.exp()",
        "class M:\n    def f(self, a): self.n = self.n + a.exp()",
    ),
    "a constructor in a class inside a function": (
        "def f():\n    class In:\n        def __init__(self): self.q = nn.Linear(2, 2)\n"
        "        def go(self, x): return self.q(x * 2)",
        "def f():\n    class In:\n        def go(self, x): return self.q(x * 2)\n"
        "        def __init__(self): self.q = nn.Linear(2, 2)",
    ),
    "defaults by position and by keyword only": (
        "def f(a, b=0.5, *, c=None): return a.exp() * b",
        "def f(a, *, q=0.5): return a.exp() * q",
    ),
    "async": (
        "async def f(a):\n    async for x in a: await x.exp()",
        "async def f(b):\n    async for y in b: await y.exp()",
    ),
    "try and except": (
        "def f(a):\n    try: r = a.exp()\n    except ValueError as error: r = a.sin()\n    return r",
        "def f(q):\n    try:\n        s = q.exp()\n    except ValueError:\n        s = q.sin()\n    return s",
    ),
    "match": (
        "def f(a):\n    match a:\n        case {'kind': k}: return k.exp()\n"
        "        case [x, y]: return x - y.sin()\n    return a",
        "def f(q):\n    match q:\n        case {'kind': w}: return w.exp()\n"
        "        case [m, n]: return m - n.sin()\n    return q",
    ),
}

# Different as they stand in `def f(a, b, c, xs, ys):`.
DIFFERENT_BODIES: dict[str, Pair] = {
    "operator": ("return a.exp() + b", "return a.exp() * b"),
    "operands of -": ("return a.exp() - b", "return b - a.exp()"),
    "operands of /": ("return a.exp() / b", "return b / a.exp()"),
    "operands of @": ("return a.exp() @ b", "return b @ a.exp()"),
    "operands of <, as a value": ("return torch.where(a.exp() < b, 1, 2)", "return torch.where(b < a.exp(), 1, 2)"),
    "constant": ("return a * 2", "return a * 3"),
    "string": ("return torch.einsum('ij,jk->ik', a, b)", "return torch.einsum('ij,kj->ik', a, b)"),
    "function": ("return torch.exp(a)", "return torch.log(a)"),
    "method": ("return a.exp()", "return a.log()"),
    "library": ("return math.prod(a.exp())", "return nn.prod(a.exp())"),
    "keyword": ("return F.interpolate(a, size=b)", "return F.interpolate(a, scale_factor=b)"),
    "keyword's value": ("return torch.sum(a, dim=1)", "return torch.sum(a, dim=2)"),
    "index": ("return xs[0] * 2", "return xs[1] * 2"),
    "slice's end": ("return xs[: a.exp()]", "return xs[a.exp() :]"),
    "slice's step": ("return xs[::2] * 2", "return xs[::3] * 2"),
    "used once or twice": ("t = a.exp()\nreturn t * t", "return a.exp() * b"),
    "one element or all": ("return [x.exp() for x in xs]", "return xs.exp()"),
    "element or index": ("return [x * 2 for x in xs]", "return [i * 2 for i in range(len(xs))]"),
    "nested or flat": ("return [[y * 2 for y in x] for x in xs]", "return [y * 2 for x in xs for y in x]"),
    "list or dict": ("return [x.exp() for x in xs]", "return {x: x.exp() for x in xs}"),
    "list or set": ("return {a.exp(), b.sin()}", "return [a.exp(), b.sin()]"),
    "order in a list": ("return [a.exp(), b.sin()]", "return [b.sin(), a.exp()]"),
    "key and value": ("return {a.exp(): b.sin()}", "return {b.sin(): a.exp()}"),
    "return or yield": ("return a.exp()", "yield a.exp()"),
    "return or store": ("return a.exp()", "b[0] = a.exp()"),
    "equal or less": ("if a == b: return c.exp()\nreturn c", "if a < b: return c.exp()\nreturn c"),
    "is None or equals None": ("if a is b: return c.exp()\nreturn c", "if a == b: return c.exp()\nreturn c"),
    "a length and one": ("if len(xs) > 1: return a.exp()\nreturn b", "if xs: return a.exp()\nreturn b"),
    "accumulated or overwritten": (
        "t = 0\nfor x in xs: t += x.exp()\nreturn t",
        "t = 0\nfor x in xs: t = x.exp()\nreturn t",
    ),
    "true or whole quotient": ("return a / b", "return a // b"),
    "rounded down or to zero decimals": ("return int(a / b)", "return round(a / b)"),
    "context": ("with torch.no_grad(): return a.exp()", "with torch.enable_grad(): return a.exp()"),
    "caught": (
        "try: return a.exp()\nexcept ValueError: return b",
        "try: return a.exp()\nexcept KeyError: return b",
    ),
    "raised": ("raise ValueError('no')", "raise KeyError('no')"),
    "a value found before break": (
        "r = None\nfor x in xs:\n    if x > a:\n        r = x.exp()\n        break\nreturn r",
        "r = None\nfor x in xs:\n    if x > a:\n        r = x.log()\n        break\nreturn r",
    ),
    "an assertion": ("assert a.exp() > 2\nreturn b * 2", "return b * 2"),
    "an effect": ("a.zero_()\nreturn b * 2", "return b * 2"),
    "awaited effects": ("xs.append(a.exp())\nreturn xs", "xs.insert(a.exp())\nreturn xs"),
}


def flow(body: str) -> frozenset[int]:
    """The shingle set of a body, read as the function f."""
    text = f"{PRELUDE}def f(a, b, c, xs, ys):\n{textwrap.indent(body, '    ')}\n"
    return shingles_of(text.encode())["f"]


def flows(module: str) -> list[list[int]]:
    """The shingle sets of all functions of a module, in no particular order."""
    return sorted(sorted(hashes) for hashes in shingles_of((PRELUDE + module + "\n").encode()).values())


@pytest.mark.parametrize("name", SAME_BODIES)
def test_both_spellings_have_the_same_flow(name: str) -> None:
    one, other = map(flow, SAME_BODIES[name])
    assert one == other
    assert one


@pytest.mark.parametrize("name", SAME_MODULES)
def test_both_modules_have_the_same_flows(name: str) -> None:
    one, other = map(flows, SAME_MODULES[name])
    assert one == other
    assert any(one)


@pytest.mark.parametrize("name", DIFFERENT_BODIES)
def test_two_computations_have_different_flows(name: str) -> None:
    one, other = map(flow, DIFFERENT_BODIES[name])
    assert one != other
