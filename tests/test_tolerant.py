"""Valid Python gives what `ast.parse` gives; broken Python gives everything but what is broken."""

from __future__ import annotations

import ast
import random
import re
import sysconfig
import time
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import detector.code.tolerant
from detector.code.tolerant import parse_tolerant
from detector.code.tolerant.lines import mend
from detector.code.tolerant.tree import MAX_DEPTH

STDLIB = Path(sysconfig.get_paths()["stdlib"])
PACKAGE = Path(detector.code.tolerant.__file__).parent
# What is damaged is the same whatever Python runs the tests; its own library is not.
OWN = sorted((Path(__file__).parent.parent / "fixtures").rglob("*.py"))

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef

EXPRESSIONS = r"""
    a | a.b.c | a.b().c[0](d) | f() | f(a, *b, c=1, **d) | f(*a.b, *c or d) | f(x for x in y) | f((yield)) | f(a, b=c,)
    a[1] | a[1:2] | a[:] | a[::2] | a[1:2, ::3, ...] | a[b,] | a[*b] | a[*b, c] | a[(1, 2)] | a[x:=1]
    1 | 0x_ff | 0o17 | 0b1_0 | 1_000 | 1.5 | .5 | 5. | 1e10 | 1_0.0_1e-1_0 | 3j | 1.5J | 00 | True | False | None | ...
    'a' | "a\n\x41\u0041\N{EM DASH}\101\q" | r'\d\'' | r'\\' | b'a\xff' | rb'\d' | u'a' | 'a' "b" | b'a' b'b'
    '' | f'' | f'a' | f'{a}' | f'{a!r}' | f'{a:>10}' | f'{a!s:{b}.{c}f}' | f'{{{a}}}' | f'{a=}'
    f'{a = !r:>3}' | f'{a, b}'
    'x' f'{a}' 'y' "z" | rf'\d{a}' | f'{a["b"]}' | f'{x:=10}' | f'''{
        a}''' | f'{f"{a}"}' | f'{lambda_}' | f'\N{EM DASH}{a}'
    a + b * c ** -d | a - b - c | a @ b // c % d | a << b >> c | a | ~a ^ b & c | a & b ^ c & d | -a ** b | not a == b
    a and b and c or d | a or (b or c) | a < b <= c != d | a in b | a not in b | a is not b is c | not a in b
    a if b else c if d else e | (a if b else c) + d | lambda: 0 | lambda a, /, b=1, *c, d, e=2, **f: (a, b)
    lambda *, a: a | (a := 1) | [b := 1, b] | () | (a,) | (a, b) | [] | [a, *b] | {a} | {a, *b} | {}
    {a: b, **c} | [a for a in b]
    [a for a, b in c if d if e for f in g] | {a for a in b} | {a: b for a, b in c} | (a async for a in b) | (*a, b)
    [lambda: x for x in y if (lambda: z)()] | (yield) | ((a)) | é.ﬁ | [a if b else c for d in e]
"""
STATEMENTS = r"""
a = b = c, d = e
(a), *b = [c, *d] = e
a.b, c[d] = e, f
[a, (b, c)] = d
x = yield
x = *a, b
# --
a += 1; b //= 2; c **= 3; d >>= 4; e @= 5; f |= g, h
# --
a: int
a: int = 1
(a): int = 1
a.b: list[int] = []
a[0]: Callable[[int], str] | None | A[b] | C
x: a.b[c, ...]
# --
a
a, b
a,
'doc'
# --
del a, b[c], d.e
del (f, g)
del (h)
assert a
assert a, 'b'
pass
# --
raise
raise A
raise A('b') from c
# --
import a
import a.b as c, d
from a.b import c as d, e
from . import (f, g,)
from ...h.i import *
# --
from __future__ import annotations, division as d
# --
def f():
    global a, b
    def g():
        nonlocal c
        return
    return a, *b
    return c
# --
def f(): yield a, b; yield; x = yield from c
# --
def f(a, b: int, /, c=1, *d: e, f: g = 2, h, **i: j) -> k[l]: ...
def f(*, a): ...
def f(*a: *b): ...
# --
def f(a, /): ...
def f(a=1, /, b=2): ...
def f(**k): ...
def f(a: 'A' = None, *, b: int | None = 3): ...
# --
@a.b(c)
@d[e]
@(lambda f: f)

async def g(): # comment
    # another
    await h
    # last

# after
x
# --
@a
class A(B, *c, metaclass=D, **e):
    '''doc'''
    x: int = 3

    def f(self): pass
class E: pass
# --
if a: b
if a:
    b
elif c:
    d
elif e: f
else:
    g
# --
if a:
    pass
else:
    if b:
        pass
# --
for a, (b, *c) in d, e:
    continue
else:
    break
for a in *b, c: pass
while a:
    b
else:
    c
# --
async def f():
    async for a in b: pass
    async with c as d, e: pass
    return [g async for g in await h ** 2]
# --
try:
    a
except:
    b
try: a
except (A, B) as e: b
except C.d: c
else: d
finally:
    e
try: a
finally: b
# --
try:
    a
except* A as e:
    b
except *(B, C):
    c
# --
with a: b
with a as b, c as (d, e): f
with (a as b, c): d
with (a, b): c
with (a, b) as c: d
with (a): b
# --
with (
    open(a) as b,  # comment
    open(c) as d,
): pass
with (yield a): pass
with a() as b.c, d as e[0]: pass
# --
match a, b:
    case 1 | -2.5 | 'c' 'd' | b'e' | None | True: pass
    case 1 + 2j, -3 - 4.5j, -1j: pass
# --
match (a):
    case _: pass
    case b.c.d: pass
    case e: pass
    case [f, *_]: pass
    case (g, *h): pass
# --
match a:
    case {}: pass
    case {'b': c, -1: d, E.f: _, None: g, **rest}: pass
    case (): pass
    case []: pass
# --
match a:
    case B(): pass
    case c.D(1, e, f=G(h=_) | 2 as i, j=-1): pass
    case (k as l) if m and n: pass
# --
match a, *b:
    case c,: pass
    case d, *e: pass
    case ((f)): pass
    case (g,): pass
# --
match = case = type = print = 1
match[a](b)
print(match, type(case), file=x)
match(a)
type(self).a.b[0] = c
# --
x = (a +
     # comment
     b) \
    + c


y = 1
"""
LAYOUTS = [
    "if a:\n\tb\n\tif c:\n\t\td\ne\n\x0c\nf\n",
    "# only a comment",
    "",
    "x = 1",
    "\ufeffx = 1\r\nif x:\r\n    y = '''a\r\nb'''\r\n",
]


def snippets() -> list[str]:
    expressions = [part for line in re.split(r"\n    (?! )", EXPRESSIONS) for part in re.split(r" \| (?!~a)", line)]
    return [f"{part.strip()}\n" for part in expressions if part.strip()] + STATEMENTS.split("# --\n") + LAYOUTS


def dump(tree: ast.AST) -> str:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant):
            node.kind = None
    return ast.dump(tree)


def definitions(tree: ast.AST) -> list[tuple[str, int, int | None, int, list[int]]]:
    """Name and place of every definition, and the lines of its decorators."""
    return [
        (node.name, node.lineno, node.end_lineno, node.col_offset, [part.lineno for part in node.decorator_list])
        for node in ast.walk(tree)
        if isinstance(node, Function)
    ]


def functions(tree: ast.AST, prefix: str = "") -> list[tuple[str, int, int, str]]:
    """Qualified name, first and last line and dump of every function."""
    found = []
    for node in ast.iter_child_nodes(tree):
        name = prefix
        if isinstance(node, Function):
            name = f"{prefix}{node.name}."
            first = min([node.lineno, *(part.lineno for part in node.decorator_list)])
            if not isinstance(node, ast.ClassDef):
                found.append((name, first, node.end_lineno or first, dump(node)))
        found += functions(node, name)
    return found


def code(source: str) -> str:
    return ast.unparse(parse_tolerant(source.encode()))


def sample() -> list[Path]:
    """Files of the standard library: many small ones and some large."""
    paths = [path for path in sorted(STDLIB.glob("*.py")) + sorted(STDLIB.glob("[a-k]*/*.py")) if path.is_file()]
    small = [path for path in paths if path.stat().st_size < 9_000]
    large = [path for path in paths if 40_000 < path.stat().st_size < 90_000]
    return small + large[::8]


@pytest.mark.filterwarnings("ignore:invalid escape")
@pytest.mark.parametrize("source", snippets())
def test_every_construct_reads_as_the_standard_library_reads_it(source: str) -> None:
    assert dump(parse_tolerant(source.encode())) == dump(ast.parse(source.encode()))


@pytest.mark.parametrize("path", sorted(PACKAGE.parent.rglob("*.py")), ids=lambda path: path.name)
def test_the_files_of_this_package_read_as_the_standard_library_reads_them(path: Path) -> None:
    tree, expected = parse_tolerant(path.read_bytes()), ast.parse(path.read_bytes())
    assert dump(tree) == dump(expected)
    assert definitions(tree) == definitions(expected)


def test_files_of_the_standard_library_read_the_same_with_the_same_places() -> None:
    different = []
    for path in sample():
        expected = ast.parse(path.read_bytes())
        tree = parse_tolerant(path.read_bytes())
        if dump(tree) != dump(expected) or definitions(tree) != definitions(expected):
            different.append(path.name)
    assert different == []


def test_valid_code_is_not_mended() -> None:
    for path in sample():
        text = path.read_text("utf-8", "replace")
        assert mend(text) == text, path


def test_valid_code_reads_the_same_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detector.code.tolerant, "_WHOLE", -1)
    for path in sorted(PACKAGE.glob("tolerant*.py")):
        tree, expected = parse_tolerant(path.read_bytes()), ast.parse(path.read_bytes())
        assert dump(tree) == dump(expected)
        assert definitions(tree) == definitions(expected)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("print 'a', b", "print('a', b)"),
        ("print >>f, 'a' % b,", "print('a' % b, file=f)"),
        ("exec code in g, l", "exec(code, g, l)"),
        ("exec 'a = 1'", "exec('a = 1')"),
        ("try:\n    a\nexcept A, e:\n    b", "try:\n    a\nexcept A as e:\n    b"),
        ("try:\n    a\nexcept (A, B), e:\n    b", "try:\n    a\nexcept (A, B) as e:\n    b"),
        ("a = `b + c`", "a = repr(b + c)"),
        ("print `a`, `b`", "print(repr(a), repr(b))"),
        ("a <> b", "a != b"),
        ("raise A, 'b'", "raise A('b')"),
        ("raise A, None, c", "raise A"),
        ("raise A, 'b', c", "raise A('b')"),
        ("a = 0777 + 10L + 0xffL", "a = 511 + 10 + 255"),
        ("a = ur'\\d'", "a = '\\\\d'"),
        (
            "def f(a, (b, (c, d)), e=1):\n    return b",
            "def f(a, _tuple_1, e=1):\n    b, (c, d) = _tuple_1\n    return b",
        ),
        ("lambda (a, b), c: a", "lambda a, b, c: a"),
        ("[a for a in 1, 2]", "[a for a in (1, 2)]"),
        ("class A:\n\tdef f(self):\n        \treturn 1", "class A:\n\n    def f(self):\n        return 1"),
    ],
)
def test_python_2_reads_as_the_python_3_that_replaced_it(source: str, expected: str) -> None:
    assert code(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("def f():\n    a = = 1\n    return b", "def f():\n    a = 1\n    return b"),
        ("def f():\n    a = b +\n    return b", "def f():\n    return b"),
        ("def f():\n    a = g(b, c\n    return b", "def f():\n    a = g(b, c)\n    return b"),
        ("def f(a, b:\n    c = 1\ndef g():\n    return 2", "def f(a, b):\n    c = 1\n\ndef g():\n    return 2"),
        ("def f(a)\n    return a", "def f(a):\n    return a"),
        ("def f(a):\n    return a)\nb = 1", "def f(a):\n    return a\nb = 1"),
        ("a = 'b\nc = 1", "a = 'b'\nc = 1"),
        ("def f():\n    a = 1\n    b = g(a,", "def f():\n    a = 1\n    b = g(a)"),
        (
            "def f():\n    '''doc\n    a = 1\ndef g():\n    return 2",
            'def f():\n    """doc\n    a = 1"""\n\ndef g():\n    return 2',
        ),
        ("%matplotlib inline\n!ls\na?\nb = 1", "pass\npass\npass\nb = 1"),
        ("if a:\n    !pip install b\n    c = 1", "if a:\n    pass\n    c = 1"),
        ("<<<<<<< HEAD\na = 1\n=======\na = 2\n>>>>>>> other\nb = 3", "a = 1\na = 2\nb = 3"),
        ("f(\n<<<<<<< HEAD\na,\n=======\nb,\n>>>>>>> other\n)", "f(a, b)"),
        ("a = 1\0\nb = 2", "a = 1\nb = 2"),
        ("def class(a):\n    return (]\nb = 1", "return ()\nb = 1"),
        ("class A:\n        a = 1\n    def f(b): pass", "class A:\n    a = 1\n\n    def f(b):\n        pass"),
        ("try:\n    a\nexcept B, C:\n    d", "try:\n    a\nexcept (B, C):\n    d"),  # Python 3.14
        ("a = t'{b!r} c'", "a = f'{b!r} c'"),  # Python 3.14
    ],
)
def test_a_broken_statement_costs_itself_alone(source: str, expected: str) -> None:
    assert code(source) == expected


def test_generics_of_python_3_12_cost_nothing_else() -> None:
    tree = parse_tolerant(
        b"type A[T] = list[T]\nclass B[T: int, *Ts, **P](C):\n    def f[U](self, a: U) -> U: return a\n"
    )
    alias, definition = tree.body
    assert isinstance(alias, ast.Assign | getattr(ast, "TypeAlias", ast.Assign))
    assert isinstance(definition, ast.ClassDef)
    assert definitions(definition) == [("B", 2, 3, 0, []), ("f", 3, 3, 4, [])]


def test_line_ranges_hold_around_a_broken_statement() -> None:
    source = (
        "class A:\n    @a\n    def f(self):\n        if a:\n            b = = (\n        else:\n            return [\n"
        "                1]\n    # comment\n\n    def g(self):\n        for a in b:\n            c\n\n\nd = 1\n"
    )
    tree = parse_tolerant(source.encode())
    assert definitions(tree) == [("A", 1, 13, 0, []), ("f", 3, 8, 4, [2]), ("g", 11, 13, 4, [])]
    assert tree.body[-1].lineno == 16


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"# coding: latin-1\na = '\xe9'", "é"),
        (b"a = '\xe9'", "é"),  # no UTF-8, so Latin-1
        (b"\xef\xbb\xbfa = '\xc3\xa9'", "é"),
        (b"# coding: no-such-codec\na = '\xe9'", "é"),
        (b"# coding: idna\na = '\xe9'", "é"),  # a codec that takes quadratic time
        (b"# coding: zlib\na = '\xe9'", "é"),
    ],
)
def test_the_encoding_is_honoured_where_it_can_be(data: bytes, value: str) -> None:
    (statement,) = parse_tolerant(data).body
    assert isinstance(statement, ast.Assign)
    assert isinstance(statement.value, ast.Constant)
    assert statement.value.value == value


@pytest.mark.parametrize(
    "unit",
    [
        "(",
        "[",
        "{1:",
        "f(",
        "a.",
        "a+",
        "-",
        "not ",
        "lambda:",
        "a if b else ",
        'f"{',
        "`a ",
        "await ",
        "a^b&",
        "class A(",
        '"""a',
        "if a:\n ",
        "[a for a in ",
        "a[",
        "match a:\n case [",
        "x: A[b] | ",
        "@a\n",
        "if a: b\nel",
        "type (a).b = ",
    ],
)
def test_deep_nesting_is_cut_off_and_never_overflows(unit: str) -> None:
    for source in (unit * 50_000 if len(unit) < 3 else unit * 3_000, unit * (MAX_DEPTH + 20) + "a"):
        ast.dump(parse_tolerant(source.encode()))


def test_nesting_that_people_write_is_kept_whole() -> None:
    source = "a = " + "(" * 50 + "1" + " + 1)" * 50 + "\nb = " + "[" * 50 + "]" * 50 + "\nc = " + "f(" * 40 + ")" * 40
    assert dump(parse_tolerant(source.encode())) == dump(ast.parse(source))


def test_long_garbage_takes_time_in_proportion() -> None:
    started = time.process_time()
    parse_tolerant(b"a = b = = (c\n" * 8_000)
    assert time.process_time() - started < 5


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_raise(data: bytes) -> None:
    assert isinstance(parse_tolerant(data), ast.Module)


TOKENS = [
    "def",
    "class",
    "if",
    "else",
    ":",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "=",
    ",",
    "*",
    "'",
    '"""',
    "`",
    "f'",
    "\n",
    "\n  ",
    "@",
    "lambda",
    "match a:\n case",
    "with",
    "as",
    "try",
    "except",
    "import",
    "from",
    ".",
    "a",
    "1",
    "type",
    "print",
    "raise",
    "del",
    "yield",
    "await",
    "for",
    "in",
    "not",
    "->",
    ":=",
    "\\",
    "<<<<<<< ",
    "%a",
    "?",
    "|",
]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(TOKENS), max_size=40))
def test_no_sequence_of_tokens_raises_and_what_comes_out_can_be_written(tokens: list[str]) -> None:
    tree = parse_tolerant(" ".join(tokens).encode())
    ast.unparse(tree)
    assert all(
        node.lineno <= (node.end_lineno or 0) for node in ast.walk(tree) if isinstance(node, ast.stmt | ast.expr)
    )


LINES = [
    "<<<<<<< HEAD",
    "    x = = 3",
    "foo(",
    "   )",
    "%matplotlib inline",
    '"""',
    "print 'a'",
    "def f(:",
    "  else",
    "}",
    "return (",
    "        if x",
    "{{{ text here",
    "Some words of text.",
    "it's broken",
]
PIECES = [*"()[]{}:,='\"1@.+`$?", '"""', "def", "if", "else", "class", "lambda", "return", "in", "for"]


def damaged(lines: list[str], dice: random.Random, kind: str) -> tuple[str, int, int]:
    """A text with one line or token more or less, and the first and last line (of the undamaged text) it concerns."""
    row = dice.randrange(len(lines))
    line = lines[row]
    match kind:
        case "line deleted":
            return "".join(lines[:row] + lines[row + 1 :]), row + 1, row + 1
        case "line inserted":
            return "".join([*lines[:row], dice.choice(LINES) + "\n", *lines[row:]]), row, row + 1
        case "token inserted":
            column = dice.randrange(len(line))
            new = line[:column] + dice.choice(PIECES) + line[column:]
        case "token deleted":
            token = dice.choice(list(re.finditer(r"\w+|[^\w\s]|\n", line)))
            new = line[: token.start()] + line[token.end() :]
        case _:
            return "".join(lines[:row]) + line[: dice.randrange(len(line))], row + 1, len(lines)
    return "".join([*lines[:row], new, *lines[row + 1 :]]), row + 1, row + 1


@pytest.mark.parametrize("kind", ["line deleted", "line inserted", "token inserted", "token deleted", "cut off"])
def test_functions_that_the_damage_does_not_touch_stay_as_they_are(kind: str) -> None:
    dice = random.Random(kind)
    kept = untouched = 0
    for path in [path for path in OWN if path.stat().st_size > 4_000]:
        text = path.read_text("utf-8", "replace")
        everything = functions(ast.parse(text))
        for _ in range(30):
            broken, first, last = damaged(text.splitlines(keepends=True), dice, kind)
            try:
                ast.parse(broken)
            except SyntaxError:
                break
        else:
            continue
        expected = Counter((name, body) for name, start, end, body in everything if end < first or start > last)
        found = Counter((name, body) for name, _, _, body in functions(parse_tolerant(broken.encode())))
        kept += (expected & found).total()
        untouched += expected.total()
    assert untouched > 50
    assert kept / untouched >= 0.95
