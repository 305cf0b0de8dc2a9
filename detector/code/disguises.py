"""What was done to a function's text, told from the two syntax trees: a fixed vocabulary of disguises.

Counts of one kind of syntax are compared where both sides must move together (a comprehension appears *and* a loop
goes), so that a statement merely added or dropped is not taken for a disguise.
"""

from __future__ import annotations

import ast
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

from detector.code.lowering.labels import API_NAMES, LABELS, METHODS
from detector.code.scopes import FIELDS, Place, is_bare_string, walk
from detector.model import Lines


@dataclass(frozen=True, slots=True)
class Disguise:
    """What was done to a text, in one sentence, and an example: the reference's lines and the suspect's."""

    done: str
    before: str
    after: str


_TABLE = tomllib.loads(files("detector.code").joinpath("disguises.toml").read_text("utf-8"))
DISGUISES: Mapping[str, Disguise] = {name: Disguise(**entry) for name, entry in _TABLE.items()}
VOCABULARY: frozenset[str] = frozenset(DISGUISES)
# What configuration objects are called, by convention of every framework for modeling code.
_CONFIGURATION_NAMES = frozenset(
    {"config", "cfg", "conf", "configuration", "args", "arguments", "options", "opt", "opts", "settings", "hparams"}
)
# Places that are kept of each kind of syntax: nobody looks at more.
MOST_PLACES = 20
_LOOPS = frozenset({ast.For, ast.AsyncFor, ast.While})
_JUMPS = (ast.Return, ast.Continue, ast.Break, ast.Raise)


@dataclass(slots=True)
class Arguments:
    """How one callee is called, over all its calls."""

    calls: int = 0
    positional: int = 0
    keywords: int = 0


@dataclass(slots=True)
class Facts:
    """Counts of the syntax that disguises change."""

    counts: Counter[str] = field(default_factory=Counter)
    arguments: dict[str, Arguments] = field(default_factory=dict)  # by callee: canonical label, or own name
    spellings: dict[str, set[str]] = field(default_factory=dict)  # canonical operation -> how it is written
    loops_over: Counter[str] = field(default_factory=Counter)
    own_calls: set[str] = field(default_factory=set)
    configured: set[str] = field(default_factory=set)  # attributes read from a configuration
    is_method: bool = False
    depth: int = 0  # loops around what is being read
    places: dict[str, list[Lines]] = field(default_factory=dict)  # where what is counted stands

    def count(self, key: str, node: ast.AST, number: int = 1) -> None:
        """Count some syntax, and note where it stands."""
        if number:
            self.counts[key] += number
            self.note(key, node)

    def note(self, key: str, node: ast.AST) -> None:
        """Note where something stands, the first few times."""
        held = self.places.setdefault(key, [])
        if len(held) < MOST_PLACES:
            held.append((node.lineno, _last_line(node)))  # type: ignore[attr-defined]


def read_facts(place: Place) -> Facts:
    """Count what disguises change, in one walk over a function."""
    facts = Facts(is_method=place.klass is not None)
    node = place.node
    facts.note("definition", node)
    if node.body and is_bare_string(node.body[0]):
        facts.count("docstring", node.body[0])
    pending: list[ast.AST | None] = [node]
    while pending:
        current = pending.pop()
        if current is None:
            facts.depth -= 1
            continue
        kind = current.__class__
        reader = _READERS.get(kind)
        if reader is not None:
            reader(current, facts)
            if kind in _LOOPS:
                facts.depth += 1
                facts.counts["loop depth"] = max(facts.counts["loop depth"], facts.depth)
                pending.append(None)  # what is taken after this one stands behind the loop
        for name in FIELDS[kind]:
            value = getattr(current, name, None)
            if value.__class__ is list:
                pending += [each for each in value if each is not None] if None in value else value
            elif value is not None:
                pending.append(value)
    return facts


def _last_line(node: Any) -> int:
    """Where the node ends; of what holds statements, where its head does."""
    first, inner = int(node.lineno), getattr(node, "body", None)
    if isinstance(inner, list) and inner and isinstance(inner[0], ast.stmt):
        return max(first, inner[0].lineno - 1)
    return int(getattr(node, "end_lineno", None) or first)


def _read_function(node: ast.FunctionDef | ast.AsyncFunctionDef, facts: Facts) -> None:
    facts.count("annotation", node, int(node.returns is not None))


def _read_argument(node: ast.arg, facts: Facts) -> None:
    facts.count("annotation", node, int(node.annotation is not None))


def _read_annotated(node: ast.AnnAssign, facts: Facts) -> None:
    facts.count("annotation", node)


def _read_assert(node: ast.Assert, facts: Facts) -> None:
    facts.count("assert", node)


def _read_assign(node: ast.Assign, facts: Facts) -> None:
    target, source = node.targets[0], node.value
    if isinstance(target, ast.Tuple) and isinstance(source, ast.Tuple) and len(target.elts) == len(source.elts):
        facts.count("tuple assignment", node)
        facts.counts["assigned in tuples"] += len(target.elts)
    else:
        facts.counts["assignment"] += 1


def _read_loop(node: ast.For | ast.AsyncFor | ast.While, facts: Facts) -> None:
    facts.count("loop", node)
    if isinstance(node, ast.While):
        _read_test(node.test, facts)
    else:
        _read_iterable(node.iter, facts)


def _read_iterable(node: ast.expr, facts: Facts) -> None:
    """Count what is iterated; `enumerate` and `range(len())` of a thing are the thing, `range(2)` is nothing."""
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and len(node.args) == 1:
        if node.func.id not in {"enumerate", "range", "len", "reversed", "list"}:
            break
        node = node.args[0]
    if not isinstance(node, ast.Constant):
        facts.loops_over[" ".join(map(_spelled, walk(node)))] += 1


def _spelled(node: ast.AST) -> str:
    return f"{node.__class__.__name__} {getattr(node, 'id', '')}{getattr(node, 'attr', '')}"


def _read_comprehension(node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp, facts: Facts) -> None:
    facts.count("comprehension", node)
    for generator in node.generators:
        _read_iterable(generator.iter, facts)
        for test in generator.ifs:
            _read_test(test, facts)


def _read_if(node: ast.If, facts: Facts) -> None:
    _read_test(node.test, facts)
    leaves = isinstance(node.body[-1], _JUMPS)
    is_guard = leaves and not node.orelse and not isinstance(node.body[-1], ast.Raise)
    facts.count("guard" if is_guard else "raise" if leaves and not node.orelse else "branch", node)


def _read_conditional(node: ast.IfExp, facts: Facts) -> None:
    facts.count("ternary", node)
    _read_test(node.test, facts)


def _read_test(test: ast.expr, facts: Facts) -> None:
    """Count tests that compare a length or with an empty thing, and tests of a bare value."""
    if isinstance(test, ast.BoolOp):
        for operand in test.values:
            _read_test(operand, facts)
    elif isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        _read_test(test.operand, facts)
    elif isinstance(test, ast.Compare):
        right = test.comparators[0]
        is_empty = isinstance(right, ast.Constant) and right.value in (0, 1, "", None)
        is_empty = is_empty or (isinstance(right, ast.List | ast.Tuple) and not right.elts)
        facts.count("explicit test", test, int(is_empty))
    elif isinstance(test, ast.Name | ast.Attribute | ast.Subscript):
        facts.count("bare test", test)


def _read_binary(node: ast.BinOp, facts: Facts) -> None:
    facts.count("//", node, int(isinstance(node.op, ast.FloorDiv)))
    facts.count("/", node, int(isinstance(node.op, ast.Div)))
    if isinstance(node.op, ast.MatMult):
        _read_spelling("op.matmul", "@", node, facts)


def _read_subscript(node: ast.Subscript, facts: Facts) -> None:
    parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    if any(isinstance(part, ast.Constant) and part.value is None for part in parts):
        _read_spelling("op.unsqueeze", "[None]", node, facts)


def _read_attribute(node: ast.Attribute, facts: Facts) -> None:
    name = node.attr
    if name in API_NAMES:
        _read_spelling(LABELS.texts[METHODS[name]], name, node, facts)
    holder = node.value
    held = holder.attr if isinstance(holder, ast.Attribute) else holder.id if isinstance(holder, ast.Name) else ""
    if held.lower() in _CONFIGURATION_NAMES:
        facts.configured.add(name)
        facts.note("configured", node)


def _read_spelling(operation: str, spelling: str, node: ast.AST, facts: Facts) -> None:
    facts.spellings.setdefault(operation, set()).add(spelling)
    facts.note(f"{operation} as {spelling}", node)


def _read_call(node: ast.Call, facts: Facts) -> None:
    func = node.func
    keywords = {keyword.arg for keyword in node.keywords} - {None}
    if isinstance(func, ast.Attribute):
        name = func.attr
        facts.count("chain", node, int(isinstance(func.value, ast.Call | ast.BinOp)))
        facts.count("extend", node, int(name == "extend"))
        facts.count("append in a loop", node, facts.depth if name == "append" else 0)
        callee = LABELS.texts[METHODS[name]] if name in API_NAMES else name
    else:
        name = callee = func.id if isinstance(func, ast.Name) else ""
    facts.count("by key", node, int(name in {"min", "max"} and "key" in keywords))
    facts.count("to integer", node, int(name in {"int", "floor"}))
    arguments = facts.arguments.setdefault(callee, Arguments())
    arguments.calls += 1
    arguments.positional += len(node.args)
    arguments.keywords += len(keywords)
    facts.own_calls.add(name)
    facts.note(f"call of {callee}", node)


_READERS: dict[type, Callable[[Any, Facts], None]] = {
    ast.FunctionDef: _read_function, ast.AsyncFunctionDef: _read_function, ast.arg: _read_argument,
    ast.AnnAssign: _read_annotated, ast.Assert: _read_assert, ast.Assign: _read_assign, ast.For: _read_loop,
    ast.AsyncFor: _read_loop, ast.While: _read_loop, ast.ListComp: _read_comprehension,
    ast.SetComp: _read_comprehension, ast.DictComp: _read_comprehension, ast.GeneratorExp: _read_comprehension,
    ast.If: _read_if, ast.IfExp: _read_conditional, ast.BinOp: _read_binary, ast.Subscript: _read_subscript,
    ast.Attribute: _read_attribute, ast.Call: _read_call,
}  # fmt: skip


def disguises(suspect: Facts, reference: Facts, renames: Mapping[str, str]) -> set[str]:
    """Tell what was done to the reference's text to get the suspect's."""
    gain = Counter({key: suspect.counts[key] - reference.counts[key] for key in suspect.counts | reference.counts})
    had = reference.counts
    told = {
        "removed-docstring": gain["docstring"] < 0,
        "removed-annotations": had["annotation"] > 0 and not suspect.counts["annotation"],
        "removed-assert": gain["assert"] < 0,
        "tuple-assignment": gain["tuple assignment"] > 0 and gain["assigned in tuples"] > 0,
        "ternary": gain["ternary"] > 0 and gain["branch"] + gain["guard"] < 0,
        "extend": gain["extend"] > 0 and gain["append in a loop"] < 0,
        "floor-division": gain["//"] > 0 and gain["to integer"] < 0 and gain["/"] < 0,
        "truthiness": gain["bare test"] > 0 and gain["explicit test"] < 0,
        "early-return": gain["guard"] * gain["branch"] < 0,
        "method-to-function": reference.is_method and not suspect.is_method,
        "synonym-operation": _has_synonym(suspect, reference),
        "renamed": any(name != counterpart for name, counterpart in renames.items()),
    }
    found = {name for name, is_told in told.items() if is_told}
    return found | _loops(suspect, reference, gain) | _calls(suspect, reference, renames)


def _loops(suspect: Facts, reference: Facts, gain: Counter[str]) -> set[str]:
    found: set[str] = set()
    if gain["comprehension"] > 0 and gain["loop"] < 0:
        found.add("comprehension")
    if gain["comprehension"] < 0 and gain["loop"] > 0:
        found.add("loop-from-comprehension")
    if gain["by key"] > 0 and gain["loop"] < 0:
        found.add("min-by-key")
    repeated = [sum(count - 1 for count in side.loops_over.values()) for side in (suspect, reference)]
    if repeated[0] > repeated[1] and gain["loop"] + gain["comprehension"] > 0 and reference.counts["loop"]:
        found.add("split-loop")
    is_flattened = gain["loop depth"] < 0 and gain["//"] > 0  # two indices taken apart from one
    are_fewer = gain["loop"] < 0 and gain["comprehension"] <= 0 and suspect.counts["loop"] > 0
    if are_fewer and (repeated[0] < repeated[1] or is_flattened):
        found.add("merged-loops")
    return found


def _has_synonym(suspect: Facts, reference: Facts) -> bool:
    return any(True for _ in _synonyms(suspect, reference))


def _synonyms(suspect: Facts, reference: Facts) -> Iterator[tuple[str, set[str], set[str]]]:
    """Operations that either side spells in a way that the other does not, with these spellings."""
    for operation in sorted(suspect.spellings.keys() & reference.spellings.keys()):
        ours, theirs = suspect.spellings[operation], reference.spellings[operation]
        if ours - theirs and theirs - ours:
            yield operation, ours - theirs, theirs - ours


def _calls(suspect: Facts, reference: Facts, renames: Mapping[str, str]) -> set[str]:
    return {name for name, *_ in _changed_calls(suspect, reference, renames)}


def _changed_calls(suspect: Facts, reference: Facts, renames: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Arguments that changed between position and keyword, in calls of one callee; what either side calls it."""
    for callee, ours in suspect.arguments.items():
        other = renames.get(callee, callee)
        theirs = reference.arguments.get(other)
        if theirs is None or theirs.calls != ours.calls:
            continue
        if ours.positional > theirs.positional and ours.keywords < theirs.keywords:
            yield "positional-arguments", callee, other
        if ours.positional < theirs.positional and ours.keywords > theirs.keywords:
            yield "keyword-arguments", callee, other


# What shows a disguise in the suspect, and what in the reference: keys of `Facts.places`.
_SHOWN: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "removed-docstring": ((), ("docstring",)),
    "removed-annotations": ((), ("annotation",)),
    "removed-assert": ((), ("assert",)),
    "tuple-assignment": (("tuple assignment",), ()),
    "ternary": (("ternary",), ("branch", "guard")),
    "extend": (("extend",), ("append in a loop",)),
    "floor-division": (("//",), ("to integer",)),
    "truthiness": (("bare test",), ("explicit test",)),
    "early-return": (("guard", "branch"), ("guard", "branch")),
    "method-to-function": (("definition",), ("definition",)),
    "comprehension": (("comprehension",), ("loop",)),
    "loop-from-comprehension": (("loop",), ("comprehension",)),
    "min-by-key": (("by key",), ("loop",)),
    "split-loop": (("loop", "comprehension"), ("loop", "comprehension")),
    "merged-loops": (("loop",), ("loop",)),
    "parameter-from-config": (("definition",), ("configured",)),
    "chained-call": (("chain",), ()),
}


def places_of(
    name: str, suspect: Facts, reference: Facts, renames: Mapping[str, str]
) -> tuple[tuple[Lines, ...], tuple[Lines, ...]]:
    """Where a disguise shows: lines of the suspect, lines of the reference; none where the text does not tell."""
    ours, theirs = _SHOWN.get(name, ((), ()))
    if name == "synonym-operation":
        found = list(_synonyms(suspect, reference))
        ours = tuple(f"{operation} as {each}" for operation, spellings, _ in found for each in sorted(spellings))
        theirs = tuple(f"{operation} as {each}" for operation, _, spellings in found for each in sorted(spellings))
    elif name in {"positional-arguments", "keyword-arguments"}:
        changed = [each for each in _changed_calls(suspect, reference, renames) if each[0] == name]
        ours = tuple(f"call of {callee}" for _, callee, _ in changed)
        theirs = tuple(f"call of {callee}" for _, _, callee in changed)
    return _places(suspect, ours), _places(reference, theirs)


def _places(facts: Facts, keys: tuple[str, ...]) -> tuple[Lines, ...]:
    return tuple(sorted({place for key in keys for place in facts.places.get(key, ())}))
