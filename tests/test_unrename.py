"""Names put back: each where its scope says, none where it would meet another one, and nothing else changes."""

from __future__ import annotations

import ast
import keyword
import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given

from detector.code.digest import renamed_digest
from detector.code.lexical import is_nested_at_most
from detector.code.lowering.names import read_module
from detector.code.scopes import own_names, places
from detector.code.thinned import thinned
from detector.code.unrename import Moved, Undo, file_text, function_text
from tests.generate import programs
from tests.programs import Program
from tests.spelling import DIMENSIONS, Spelling
from tests.test_properties import SEEDS, profile
from tests.writing import write

FIXTURES = sorted((Path(__file__).parent.parent / "fixtures").rglob("*.py"))
NAMES = Undo(
    values={"a": "x", "b": "y", "t": "tmp"},
    members={"proj": "w_q", "go": "forward", "a": "alpha"},
    globals={"aid": "assist", "LIMIT": "BOUND", "a": "free"},
    keywords={"a": "dim"},
)


def _suffixed(text: str) -> dict[str, str]:
    """Another name for every word of a text that may be a name."""
    words = {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}
    words |= {name for _, _, name in _identifiers(ast.parse(text))}
    imports = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Import)]
    words -= {alias.name.split(".")[0] for node in imports for alias in node.names}  # a library is called as it is
    words -= {"register_buffer", "getattr", "get", "pop"}  # so are those whose arguments spell names
    return {word: f"{word}_0" for word in words if not word.startswith("__") and not keyword.iskeyword(word)}


def _identifiers(tree: ast.AST) -> Iterator[tuple[ast.AST, str, str]]:
    """Every field of a tree that holds a name of its own; modules and imported names are not among them."""
    for node in ast.walk(tree):
        for field in ("id", "attr", "arg", "name", "rest", "asname"):
            value = getattr(node, field, None)
            if isinstance(value, str) and not (isinstance(node, ast.alias) and "." in node.name and field == "name"):
                yield node, field, value


def _everywhere(names: dict[str, str]) -> Undo:
    return Undo(names, names, names, names)


def _without_names(text: str) -> str:
    """A text's syntax tree with a blank for every name."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Global | ast.Nonlocal):
            node.names = ["_"] * len(node.names)
        if isinstance(node, ast.Assign) and "__all__" in ast.dump(node.targets[0]):
            node.value = ast.Constant(None)
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "register_buffer":
            node.args[0] = ast.Constant(None)  # the name of an attribute
    for node, field, _ in list(_identifiers(tree)):
        setattr(node, field, "_")
    return ast.dump(tree)


def _functions(text: str) -> Iterator[tuple[str, str, int]]:
    """Every function's lines, its qualname and the line of its `def`."""
    lines = text.splitlines(keepends=True)
    for (qualname, line), place in places(ast.parse(text)).items():
        yield "".join(lines[line - 1 : place.node.end_lineno]), qualname, line


# --- roles ---


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("def f(a, *b, t=a):\n  return a + aid(a, a=b) + a.a\n",
         "def f(x, *y, tmp=free):\n  return x + assist(x, dim=y) + x.alpha\n"),
        ("def f(q: a = LIMIT) -> a:\n  return a\n", "def f(q: free = BOUND) -> free:\n  return free\n"),
        ("def f():\n  return [a for a in a if a], a\n", "def f():\n  return [x for x in free if x], free\n"),
        ("def f(q):\n  return [a for b in q for a in b]\n", "def f(q):\n  return [x for y in q for x in y]\n"),
        ("def f():\n  if any((a := q) for q in LIMIT):\n    return a\n",
         "def f():\n  if any((x := q) for q in BOUND):\n    return x\n"),
        ("def f():\n  return lambda a, b=a: a + b\n", "def f():\n  return lambda x, y=free: x + y\n"),
        ("def f():\n  global a\n  a = 1\n", "def f():\n  global free\n  free = 1\n"),
        ("def f(a):\n  def t():\n    nonlocal a\n    a = 1\n  return t\n",
         "def f(x):\n  def tmp():\n    nonlocal x\n    x = 1\n  return tmp\n"),
        ("def f():\n  try:\n    aid()\n  except LIMIT as a:\n    raise a\n",
         "def f():\n  try:\n    assist()\n  except BOUND as x:\n    raise x\n"),
        ("def f(q):\n  with q as (a, b):\n    return a\n", "def f(q):\n  with q as (x, y):\n    return x\n"),
        ("def f(q):\n  for a, *b in q:\n    del a\n", "def f(q):\n  for x, *y in q:\n    del x\n"),
        ("def f():\n  import a, t.b\n  return a + t\n", "def f():\n  import a, t.b\n  return a + t\n"),
        ("def f():\n  import q as a\n  return a\n", "def f():\n  import q as x\n  return x\n"),
        ("def f():\n  from q import aid, LIMIT as a\n  return aid(a)\n",
         "def f():\n  from q import assist, BOUND as x\n  return assist(x)\n"),
        ("def f(q):\n  match q:\n    case LIMIT(proj=a, t=[*b]) | {'a': t, **k}:\n      return a\n",
         "def f(q):\n  match q:\n    case BOUND(w_q=x, t=[*y]) | {'a': tmp, **k}:\n      return x\n"),
        ("def f(a):\n  return f'a {a!r:>{b}} {a.a} a'\n", "def f(x):\n  return f'a {x!r:>{b}} {x.alpha} a'\n"),
        ("def f(a):\n  '''a aid'''\n  return 'a'  # a\n", "def f(x):\n  '''a aid'''\n  return 'a'  # a\n"),
        ("def f():\n  class t:\n    a = 1\n    b = a\n    def go(self): return a\n  return t.a\n",
         "def f():\n  class tmp:\n    alpha = 1\n    b = alpha\n    def forward(self): return free\n"
         "  return tmp.alpha\n"),
        ("def f(a):\n  a[t].a += b\n  a: LIMIT = 1\n", "def f(x):\n  x[t].alpha += b\n  x: BOUND = 1\n"),
        ("async def aid(a):\n  async for b in a: await b\n", "async def assist(x):\n  async for y in x: await y\n"),
        ("def aid[a](b: a) -> a:\n  return b\n", "def assist[x](y: x) -> x:\n  return y\n"),
        ("    def go(self, a):\n        return self.proj(a)\n",
         "    def forward(self, x):\n        return self.w_q(x)\n"),
        ("\tdef go(self, a):\n\t\treturn self.proj(a)\n", "\tdef forward(self, x):\n\t\treturn self.w_q(x)\n"),
    ],
)  # fmt: skip
def test_each_name_is_put_back_by_where_it_stands(text: str, expected: str) -> None:
    assert function_text(text, NAMES)[0] == expected


def test_the_caller_can_say_what_the_function_itself_is() -> None:
    undo = Undo({"f": "local"}, {"f": "method"}, {"f": "function"})
    texts = [function_text("  def f(): pass\n", undo, own)[0] for own in ("values", "members", "globals", "")]
    assert [text[6:-9] for text in texts] == ["local", "method", "function", "method"]


def test_different_names_are_counted_once() -> None:
    assert function_text("def f(a, b):\n  return a + a + b\n", NAMES)[1] == 2
    assert function_text("def f(q):\n  return q\n", NAMES) == ("def f(q):\n  return q\n", 0)


# --- capture ---


@pytest.mark.parametrize(
    ("text", "undo", "expected"),
    [
        ("def f(a, x): return a + x\n", {"a": "x"}, "def f(a, x): return a + x\n"),
        ("def f(a, x): return a + x\n", {"a": "x", "x": "a"}, "def f(x, a): return x + a\n"),
        ("def f(a, b, x): return a\n", {"a": "b", "b": "x"}, "def f(a, b, x): return a\n"),
        ("def f(a, b): return a\n", {"a": "x", "b": "x"}, "def f(a, b): return a\n"),
        ("def f(a): return x + a\n", {"a": "x"}, "def f(a): return x + a\n"),
        ("def f(a): return lambda x: a\n", {"a": "x"}, "def f(a): return lambda x: a\n"),
        ("def f(a): return q.x + a\n", {"a": "x"}, "def f(x): return q.x + x\n"),
        ("def f(a): return a\n", {"a": "class"}, "def f(a): return a\n"),
        ("def f(a): return a\n", {"a": "a b"}, "def f(a): return a\n"),
        ("def f(a): return a\n", {"a": "x;y"}, "def f(a): return a\n"),
    ],
)
def test_two_names_never_become_one(text: str, undo: dict[str, str], expected: str) -> None:
    assert function_text(text, Undo(values=undo))[0] == expected
    assert function_text(text, Undo(values=dict(reversed(undo.items()))))[0] == expected


def test_two_attributes_or_two_arguments_of_a_call_never_become_one() -> None:
    text = "def f(q): return q.a + q.b + g(a=1, b=2) + g(a=3)\n"
    assert function_text(text, Undo(members={"a": "b"}, keywords={"a": "b"}))[0] == text
    swapped = Undo(members={"a": "b", "b": "a"}, keywords={"a": "b", "b": "a"})
    assert function_text(text, swapped)[0] == "def f(q): return q.b + q.a + g(b=1, a=2) + g(b=3)\n"


# --- whole files ---


APART = [
    ("a lambda and a loop", "def f(xs):\n    g = lambda i: -xs[i]\n    for j in xs:\n        g(j)\n",
     {"i": "n", "j": "n"}, "def f(xs):\n    g = lambda n: -xs[n]\n    for n in xs:\n        g(n)\n"),
    ("a comprehension and a loop", "def f(xs):\n    g(i for i in xs)\n    for j in xs: g(j)\n",
     {"i": "n", "j": "n"}, "def f(xs):\n    g(n for n in xs)\n    for n in xs: g(n)\n"),
    ("a loop that a lambda sees", "def f(xs):\n    for j in xs:\n        g(lambda i: i + j)\n",
     {"i": "n", "j": "n"}, "def f(xs):\n    for j in xs:\n        g(lambda i: i + j)\n"),
    ("a comprehension that binds outside", "def f(xs):\n    return [(j := i) for i in xs], j\n",
     {"i": "n", "j": "n"}, "def f(xs):\n    return [(j := i) for i in xs], j\n"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "names", "expected"), [each[1:] for each in APART], ids=[each[0] for each in APART])
def test_two_names_that_never_see_each_other_may_become_one(text: str, names: dict[str, str], expected: str) -> None:
    assert function_text(text, Undo(values=names))[0] == expected


def test_a_function_and_its_own_parameter_may_be_called_alike_unless_it_calls_itself() -> None:
    undo = Undo(values={"a": "same"}, globals={"g": "same"}, members={"g": "same"})
    assert function_text("def g(a):\n    return a\n", undo)[0] == "def same(same):\n    return same\n"
    assert function_text("def g(a):\n    return g(a)\n", undo)[0] == "def g(a):\n    return g(a)\n"


def test_a_method_may_be_called_like_a_function_that_it_calls() -> None:
    undo = Undo(globals={"h": "same"}, members={"g": "same"})
    assert function_text("    def g(a):\n        h(a)\n", undo)[0] == "    def same(a):\n        same(a)\n"


def test_each_function_of_a_file_goes_by_its_own_names_and_the_rest_by_the_projects() -> None:
    text = (
        "__all__ = ['Old', 'a']\n\n@dec(a)\nclass Old(LIMIT):\n    a: int = 1\n\n    @a\n    def go(self, a=a):\n"
        "        return [self.a for a in a]\n\n    def stay(self, a):\n        return a\n\n\ndef aid(a):\n"
        "    def t(a):\n        return LIMIT\n    return t\n"
    )
    project = Undo(globals={"Old": "New", "LIMIT": "BOUND", "a": "free", "aid": "assist"}, members={"a": "alpha"})
    own = {("Old.go", 8): Undo({"a": "x"}, {"go": "forward", "a": "alpha"}), ("aid", 15): NAMES}
    assert file_text(text, own, project)[0] == (
        "__all__ = ['New', 'free']\n\n@dec(free)\nclass New(BOUND):\n    alpha: int = 1\n\n    @alpha\n"
        "    def forward(self, x=alpha):\n        return [self.alpha for x in x]\n\n    def stay(self, a):\n"
        "        return a\n\n\ndef assist(x):\n    def tmp(x):\n        return BOUND\n    return tmp\n"
    )


def test_a_global_that_must_stay_somewhere_stays_in_the_whole_file() -> None:
    text = "def one():\n    return old\n\n\ndef two(new):\n    return old + new\n"
    assert file_text(text, {}, Undo(globals={"old": "new"})) == (text, 0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("from kestrel.model import A as B\n", "from heronvl.modeling import A as B\n"),
        ("from .model import A\n", "from .modeling import A\n"),
        ("from . import model, other\nmodel.f()\n", "from . import modeling, other\nmodeling.f()\n"),
        ("from kestrel import model as m\n", "from heronvl import modeling as m\n"),
        ("import kestrel.model as m, torch.nn\n", "import heronvl.modeling as m, torch.nn\n"),
        ("import kestrel.model\nkestrel.model.f()\n", "import kestrel.model\nkestrel.model.f()\n"),
        ("from .deep.inner import A\n", "from .flat import A\n"),
        ("from torch.model import A\n", "from torch.model import A\n"),
        ("from ... import model\nfrom ...x import y\n", "from ... import model\nfrom ...x import y\n"),
    ],
)
def test_imports_follow_the_modules_that_moved(text: str, expected: str) -> None:
    modules = {"kestrel": "heronvl", "kestrel.model": "heronvl.modeling", "kestrel.deep.inner": "heronvl.flat"}
    assert file_text(text, {}, Undo(), Moved(modules, "kestrel", "heronvl"))[0] == expected


def test_a_relative_import_of_what_stands_elsewhere_now_becomes_absolute() -> None:
    moved = Moved({"a.b": "c.d.e"}, "a", "x.y")
    assert file_text("from .b import f\n", {}, Undo(), moved)[0] == "from c.d.e import f\n"


# --- nothing else changes ---


@pytest.mark.parametrize("file", FIXTURES, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_renaming_everything_and_back_gives_every_fixture_back(file: Path) -> None:
    text = file.read_text("utf-8")
    names = _suffixed(text)
    renamed, count = file_text(text, {}, _everywhere(names))
    assert count == len(names)
    assert _without_names(renamed) == _without_names(text)
    assert not {name for _, _, name in _identifiers(ast.parse(renamed))} & names.keys()
    back = {new: old for old, new in names.items()}
    assert file_text(renamed, {}, _everywhere(back))[0] == text
    for lines, _, _ in _functions(text):
        there = function_text(lines, _everywhere(names))[0]
        assert there in renamed
        assert function_text(there, _everywhere(back))[0] == lines


@profile
@given(program=programs(), seed=SEEDS)
def test_a_consistent_renaming_of_any_program_keeps_its_computation_and_can_be_undone(
    program: Program, seed: int
) -> None:
    text, _ = write(program, Spelling(tuple((dimension, seed) for dimension in DIMENSIONS)))
    fresh = _suffixed(text)
    others = random.Random(seed).sample(list(fresh), len(fresh))  # each gets the name of another one, where it can
    for lines, _, line in _functions(text):
        for names in (fresh, dict(zip(fresh, others, strict=True))):
            renamed = function_text(lines, Undo(values=names))[0]
            changed = text.splitlines(keepends=True)
            changed[line - 1 : line - 1 + lines.count("\n")] = renamed.splitlines(keepends=True)
            assert _digest("".join(changed), line) == _digest(text, line), renamed
        there = function_text(lines, Undo(values=fresh))[0]
        assert function_text(there, Undo(values={new: old for old, new in fresh.items()}))[0] == lines


def _digest(text: str, line: int) -> str:
    tree = ast.parse(text)
    (place,) = [place for (_, first), place in places(tree).items() if first == line]
    own = own_names(place.klass) if place.klass else frozenset[str]()
    return renamed_digest(place.node, read_module(tree, frozenset()), own, place.is_method)


@pytest.mark.parametrize("file", FIXTURES, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_what_is_left_out_before_parsing_changes_nothing(file: Path) -> None:
    text = file.read_text("utf-8")
    words = sorted(_suffixed(text))
    for seed in range(20):
        chosen = random.Random(seed).sample(words, min(len(words), 2))
        left = thinned(text, chosen)
        ast.parse(left.text)
        for place in (match.start() for match in re.finditer(r"\b(def|class|return)\b", left.text)):
            assert text[left.origin(place) :].startswith(left.text[place : left.text.index("\n", place)])
        names = {word: f"{word}_0" for word in chosen}
        there = file_text(text, {}, _everywhere(names))[0]
        back = {new: old for old, new in names.items()}
        assert file_text(there, {}, _everywhere(back))[0] == text
        assert _without_names(there) == _without_names(text)
        assert not {name for _, _, name in _identifiers(ast.parse(there))} & set(chosen)


# --- what is no plain Python ---


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_form_feeds_and_marks_at_the_beginning_stay(end: str) -> None:
    text = end.join(["\ufeffdef f(a):", "    b = a", "\x0c    return 'a' + \\", "        b  # b", ""])
    expected = end.join(["\ufeffdef f(x):", "    y = x", "\x0c    return 'a' + \\", "        y  # b", ""])
    undo = Undo(values={"a": "x", "b": "y"})
    assert function_text(text, undo)[0] == expected
    assert file_text(text, {("f", 1): undo}, Undo())[0] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("def f(b):\n    print 'b', b\n", "def f(y):\n    print 'b', y\n"),
        ("def f(b):\n    return (b\n", "def f(y):\n    return (y\n"),
        ("def f(b):\n    return '''b\n b\n", "def f(y):\n    return '''b\n b\n"),
        ("def f(b):\n\0 b = b.proj\n", "def f(y):\n\0 y = y.w_q\n"),
        ("def f(b):\n    if b:\n\treturn t\n", "def f(y):\n    if y:\n\treturn tmp\n"),
        ("def f(a): return (a\n", "def f(a): return (a\n"),  # more than one thing
        ("def f(b, y): return (b\n", "def f(b, y): return (b\n"),
        ("\ue0000\ue001 b\n", "\ue0000\ue001 y\n"),
        ("def f(b): return '\ue0000\ue001'\n", "def f(y): return '\ue0000\ue001'\n"),
    ],
)
def test_what_does_not_parse_is_read_word_by_word(text: str, expected: str) -> None:
    assert function_text(text, NAMES)[0] == expected
    assert file_text(text, {}, NAMES)[0] == expected


DEEP = {
    "brackets": "({0})", "brackets in an f-string": "f'{{{0}}}'", "terms": "{1}b", "calls": "b{2}", "not": "{3}b",
    "lambda": "{4}b", "texts": "{5}", "conditions": "{6}b", "attributes": "b{7}",
}  # fmt: skip


@pytest.mark.parametrize("shape", DEEP.values(), ids=list(DEEP))
def test_what_is_nested_too_deeply_for_a_parser_is_read_word_by_word(shape: str) -> None:
    times = 5_000
    inner = "(" * times + "b" + ")" * times
    filled = shape.format(inner, "b + " * times, "()" * times, "not " * times, "lambda: " * times, "'b' " * times,
                          "b if b else " * times, ".b" * times)  # fmt: skip
    text = f"def f(b):\n    return {filled}\n"
    assert function_text(text, Undo(values={"b": "y"}))[0].startswith("def f(y):\n    return ")
    assert not is_nested_at_most(text, 150)


def test_an_f_string_whose_end_is_open_to_doubt_hides_no_depth() -> None:
    for hiding in ("f\"{'\"'}\" {} ''", "f\"}}{{ {'\"'}\" {} ''"):
        text = hiding.replace("{}", "(" * 5_000 + "b" + ")" * 5_000, 1)
        assert not is_nested_at_most(text, 150)


def test_blocks_and_branches_count_as_depth_and_long_tables_do_not() -> None:
    assert not is_nested_at_most("".join(" " * i + "if b:\n" for i in range(300)), 150)
    assert not is_nested_at_most("if b: pass\n" + "elif b: pass\n" * 300, 150)
    assert is_nested_at_most("TABLE = {\n" + "    'k': [f(b), -1, b.c],\n" * 5_000 + "}\n", 150)


def test_a_line_of_megabytes_and_a_text_of_many_quotes_are_read_word_by_word() -> None:
    for text in ("b = [" + "b, " * 1_000_000 + "]\n", "b = '" + "'''\"" * 500_000, "b = " + "f'{" * 500_000):
        assert file_text(text, {}, Undo(globals={"b": "y"}))[0].startswith("y = ")


def test_names_are_compared_as_python_compares_them() -> None:
    assert function_text("def f(ﬁ): return fi\n", Undo(values={"fi": "x"}))[0] == "def f(x): return x\n"


def test_names_that_strings_spell_are_put_back_where_they_are_names() -> None:
    text = (
        "    def f(self, d, **kw):\n        self.register_buffer('zz', d)\n        a = getattr(self, \"q\", None)\n"
        "        b = kw['dim'] + kw.pop('p', 0) + other['dim']\n        return self.zz + g(dim=d, p='dim')\n"
    )
    undo = Undo({"d": "width"}, {"zz": "table", "q": "query"}, {}, {"dim": "width", "p": "drop"})
    assert function_text(text, undo) == (
        "    def f(self, width, **kw):\n        self.register_buffer('table', width)\n"
        '        a = getattr(self, "query", None)\n'
        "        b = kw['width'] + kw.pop('drop', 0) + other['dim']\n"
        "        return self.table + g(width=width, drop='dim')\n",
        5,
    )
