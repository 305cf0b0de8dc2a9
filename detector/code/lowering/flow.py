"""The value-flow graph of a function while it is being built, and the rules that make two spellings one.

A node is a tuple `(label, operand id, ...)`; its id is its place in `table`, so equal expressions on equal
operands are one node. Local names do not exist here: they live only in a frame's environment, where loading a
name *is* its producer's id.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from functools import reduce
from itertools import count
from typing import TYPE_CHECKING

from detector.code.lowering.labels import INPUTS, LABELS, LEAVES

if TYPE_CHECKING:
    from detector.code.lowering.names import ClassNames, ModuleNames

Node = tuple[int, ...]

# Items of one list or dict and values of one name beyond this many are not told apart: a list grown by a thousand
# statements must not cost a million.
MOST_ITEMS = 1_000

# Parameters beyond this many share one node; no function that people write has them.
MOST_PARAMETERS = 48

# Ids that are the same in every function: the receiver, its base class, None, then the parameters in order.
SELF, SUPER, NONE = 0, 1, 2
FIRST_PARAMETER = 3
FIRST = FIRST_PARAMETER + MOST_PARAMETERS
PARAMETERS: tuple[int, ...] = tuple(range(FIRST_PARAMETER, FIRST))
PRESET_LABELS: tuple[int, ...] = (
    LABELS["self"],
    LABELS["super"],
    LABELS["NoneType:None"],
    *(INPUTS[f"parameter {i}"] for i in range(MOST_PARAMETERS)),
)

# node -> id. Cleared after each function while the counter goes on, so ids of one batch are consecutive.
table: defaultdict[Node, int] = defaultdict(count(FIRST).__next__)


def restart(records: int = 0) -> None:
    """Begin a new batch, or go on behind its first records: ids start over from there."""
    table.clear()
    table.default_factory = count(FIRST + records).__next__


PHI, ELEM, ITEM, SLICE = LABELS["phi"], LABELS["elem"], LABELS["item"], LABELS["slice"]
COLLECT, COLLECT_PAIR = LABELS["collect"], LABELS["collectpair"]
LIST, SET, DICT, PAIR = LABELS["list"], LABELS["set"], LABELS["dict"], LABELS["pair"]
CALL, LOCAL, LOCAL_CALL, OWN_METHOD = LABELS["call"], LABELS["local"], LABELS["local()"], LABELS["call.own"]
ATTRIBUTE, CLOSURE = LABELS["attribute"], LABELS["closure"]
STAR, STARSTAR = LABELS["*args"], LABELS["**kwargs"]
LEAST_BY, MOST_BY = LABELS["least by"], LABELS["most by"]

# Roots: what has an effect. Only what a root reaches counts.
ROOT_TEXTS = ("return", "yield", "raise", "condition", "effect", "setitem", "except", "default", "decorator")
RETURN, YIELD, RAISE, CONDITION, EFFECT, SETITEM, EXCEPT, DEFAULT, DECORATOR = (
    LABELS[f"root {text}"] for text in ROOT_TEXTS
)
# Equal stores are still separate effects (three `Linear(d, d)` make a q, a k and a v): variants with one hash.
STORE_VARIANTS = 16
STORE = min([LABELS[f"root store#{i}"] for i in range(STORE_VARIANTS)])


class Frame:
    """What is known while one function is lowered."""

    __slots__ = (
        "befores",
        "callables",
        "called",
        "collects",
        "counts",
        "dicts",
        "effects",
        "env",
        "exits",
        "extremes",
        "helpers",
        "indices",
        "klass",
        "lists",
        "loaded",
        "module",
        "nested",
        "numbers",
        "origins",
        "parameters",
        "phis",
        "quotients",
        "ranges",
        "returns",
        "stores",
        "tests",
        "texts",
        "writes",
        "yields",
    )

    def __init__(self, module: ModuleNames, klass: ClassNames | None) -> None:
        self.module = module
        self.klass = klass
        self.env: dict[str, int] = {}  # local name, or "." + attribute of self -> id
        self.loaded: dict[tuple[int, str], int] = {}  # (value, attribute) -> id
        self.writes: list[str] = []  # names in the order of their writes, for merging branches
        self.befores: list[dict[str, int]] = []  # the environment before each loop that is open
        self.exits: list[list[dict[str, int]]] = []  # for each open loop, the environments at break and continue
        self.returns: list[int] | None = None  # return values of the closure being lowered in place
        self.called: list[str] = []  # names of the project's own functions that it calls
        self.nested: list[tuple[ast.stmt, tuple[str, ...]]] = []  # functions and classes inside, names around them
        self.parameters = 0  # how many parameters have been numbered
        self.effects = 0  # how many roots have been made
        self.helpers: object | None = None  # `inlining.Helpers`, in the view in which they are lowered in place
        self.yields = False  # whether it is a generator
        self.stores = False  # whether this function has stored to an attribute of self
        # What is known of a value beyond its node, so that a temporary changes nothing: id -> ...
        self.origins: dict[int, str] = {}  # dotted origin; "~" is this repository, "?name" an input
        self.callables: dict[int, int] = {}  # label of calling it
        self.extremes: set[int] = set()  # best-so-far values, which replace what stood before their loop
        self.phis: dict[int, tuple[int, ...]] = {}  # the values it may be
        self.tests: dict[int, tuple[int, ...]] = {}  # what it comes to as a condition
        self.numbers: dict[int, int] = {}  # the integer constant that it is
        self.quotients: dict[int, tuple[int, int]] = {}  # the operands that it divides
        self.counts: dict[int, int] = {}  # what it is the length of
        self.ranges: dict[int, int] = {}  # what it runs over the indices of
        self.indices: dict[int, int] = {}  # what it is the running index of
        self.lists: dict[int, tuple[int, ...]] = {}  # the items of a list or tuple written out
        self.dicts: dict[int, tuple[int, ...]] = {}  # the pairs of a dict written out
        self.collects: dict[int, tuple[int, ...]] = {}  # the element values that it gathers
        self.texts: dict[int, tuple[str | int, ...]] = {}  # the literals and values that a text is put together of


def root(frame: Frame, node: Node) -> int:
    """Make a node that counts by itself: it has an effect."""
    frame.effects += 1
    return table[node]


def leaf(frame: Frame, origin: str) -> int:
    """Make the node of a dotted origin and remember where it comes from."""
    number = table[LEAVES[origin]]
    frame.origins[number] = origin
    return number


def phi(frame: Frame, first: int, second: int) -> int:
    """Join the values that two branches leave: flat, without duplicates, without order."""
    if first == second:
        return first
    phis = frame.phis
    if first not in phis and second not in phis:
        two = (first, second) if first < second else (second, first)
        number = table[(PHI, *two)]
        phis[number] = two
        return number
    values = {*phis.get(first, (first,)), *phis.get(second, (second,))}
    if len(values) == 1:
        return first
    if len(values) > MOST_ITEMS:
        return first
    ordered = tuple(sorted(values))
    number = table[(PHI, *ordered)]
    phis[number] = ordered
    return number


def elem(frame: Frame, iterable: int) -> int:
    """An element of what is iterated; of a collected sequence, the value that was collected (loop fusion)."""
    collected = frame.collects.get(iterable)
    if collected is not None:
        return reduce(lambda one, other: phi(frame, one, other), collected)
    number = table[(ELEM, iterable)]
    over = frame.ranges.get(iterable)
    if over is not None:
        frame.indices[number] = over
    return number


def collect(frame: Frame, values: tuple[int, ...]) -> int:
    """Whatever gathers values over an iteration: comprehension, generator, `append` in a loop, `map`."""
    phis = frame.phis
    flat = tuple(sorted({each for value in values for each in phis.get(value, (value,))}))[:MOST_ITEMS]
    number = table[(COLLECT, *flat)]
    frame.collects[number] = values if len(values) == 1 else flat
    return number


def display(frame: Frame, items: tuple[int, ...]) -> int:
    """A list or tuple written out."""
    items = items[:MOST_ITEMS]
    number = table[(LIST, *items)]
    frame.lists[number] = items
    return number


def pairs(frame: Frame, label: int, key: int, value: int) -> tuple[int, ...]:
    """The pairs of a dict for one key: one for each value that it may have."""
    return tuple([table[(label, key, each)] for each in frame.phis.get(value, (value,))])


def dictionary(frame: Frame, pairs: tuple[int, ...]) -> int:
    """A dict written out; later pairs may be added by item stores."""
    pairs = pairs[:MOST_ITEMS]
    number = table[(DICT, *sorted(set(pairs)))]
    frame.dicts[number] = pairs
    return number


def extreme(frame: Frame, is_least: bool, chosen: int, measure: int) -> int:
    """What a best-so-far loop keeps: `min(xs, key=f)`."""
    number = table[(LEAST_BY if is_least else MOST_BY, chosen, measure)]
    frame.extremes.add(number)
    return number


def item(frame: Frame, value: int, index: int) -> int:
    """`value[index]`; the running index of a loop over `value` gives its element."""
    if frame.indices.get(index) == value:
        return elem(frame, value)
    return table[(ITEM, value, index)]


def store(frame: Frame, number: int) -> None:
    """Store to an attribute of self: a root of its own, also when an equal one stands before it."""
    for each in frame.phis.get(number, (number,)):
        variant = STORE
        while (variant, each) in table and variant < STORE + STORE_VARIANTS - 1:
            variant += 1
        root(frame, (variant, each))


def join(frame: Frame, first: int, second: int) -> int:
    """What a name may hold after two branches: gathered values are united, others are joined by phi."""
    if first == second:
        return first
    collects, lists, dicts = frame.collects, frame.lists, frame.dicts
    if first in collects or second in collects:
        ours = collects.get(first, lists.get(first))
        theirs = collects.get(second, lists.get(second))
        if ours is not None and theirs is not None:
            return collect(frame, tuple(dict.fromkeys(ours + theirs)))
    elif first in dicts and second in dicts:
        return dictionary(frame, tuple(dict.fromkeys(dicts[first] + dicts[second])))
    return phi(frame, first, second)


def merge(frame: Frame, mark: int, one: dict[str, int], other: dict[str, int]) -> None:
    """Join two branches: only the names written since `mark` whose values differ."""
    for name in dict.fromkeys(frame.writes[mark:]):
        a, b = one.get(name), other.get(name)
        if a is None:
            if b is not None:
                one[name] = b
        elif b is not None and a != b:
            one[name] = join(frame, a, b)
    frame.env = one
