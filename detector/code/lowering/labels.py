"""Operation labels: external names made canonical, interned to small integers, each hashed once.

A label is a string such as `op.softmax`, `nn.Linear` or `str:slice_start`. The graph holds its integer; the
integer means nothing outside this process, the hash is the same everywhere.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import xxhash

from detector.settings import LONGEST_KEPT_STRING, MOST_LABELS


@cache
def operations() -> dict[str, Any]:
    """Read the table of synonyms, namespaces and signatures."""
    table = tomllib.loads(files("detector.code.lowering").joinpath("operations.toml").read_text(encoding="utf-8"))
    table["names"] = frozenset(table["api"]["names"].split())
    return table


_SYNONYMS: dict[str, str] = operations()["synonyms"]
_KEYWORD_SYNONYMS: dict[str, str] = operations()["keywords"]
_NAMESPACES: dict[str, str] = operations()["namespaces"]
API_NAMES: frozenset[str] = operations()["names"]

# What stands for a value that comes from outside the function: a parameter, an unknown attribute, a global.
INPUT_NAME = "input"


# An attribute that holds a `nn.Softmax`, applied: the operation `op.softmax`, as long as it is known what it holds.
SAME_AS = "apply="

_NUMBERED = frozenset({"root ", "local"})
_CONSTANT_KINDS = frozenset({"num", "str", "bool", "NoneType"})


class Labels(dict[str, int]):
    """Label -> integer, numbered as they come; `hashes[integer]` is the label's 64-bit hash.

    Stable: hashes are xxh3 of the text, equal across processes, machines and versions.
    """

    def __init__(self) -> None:
        super().__init__()
        self.hashes: list[int] = []
        self.texts: list[str] = []
        self.fixed = 0  # labels below this one are kept for good
        self.generation = 0  # how often the others were dropped

    def __missing__(self, text: str) -> int:
        number = self[text] = len(self.hashes)
        named = text
        # `input?name`, `local#method`, `root store#n` keep nodes apart that compute alike: that part is not hashed.
        text = text.removeprefix(SAME_AS)
        hashed = INPUT_NAME if text.startswith("input?") else text.partition("#")[0] if text[:5] in _NUMBERED else text
        self.hashes.append(xxhash.xxh3_64_intdigest(hashed.encode("utf-8", "surrogatepass")))
        self.texts.append(named)
        return number


LABELS = Labels()


def canonical(origin: str) -> str:
    """Give the canonical label of a dotted external name: `torch.nn.functional.softmax` -> `op.softmax`."""
    prefix, _, last = origin.rpartition(".")
    while prefix:
        family = _NAMESPACES.get(prefix)
        if family is not None:
            text = f"{family}.{last}"
            return _SYNONYMS.get(text, text)
        prefix = prefix.rpartition(".")[0]
    text = f"{origin.partition('.')[0]}:{last}"
    return _SYNONYMS.get(text, text)


class ExternalLabels(dict[str, int]):
    """Dotted origin -> label. A memo, so that canonicalising happens once for each name."""

    def __missing__(self, origin: str) -> int:
        number = self[origin] = LABELS[canonical(origin)]
        return number


class MethodLabels(dict[str, int]):
    """Method or attribute name on a value -> label, 0 when the name is the project's own."""

    def __missing__(self, name: str) -> int:
        text = f"op.{name}"
        number = self[name] = LABELS[_SYNONYMS.get(text, text)] if name in API_NAMES else 0
        return number


class PrefixedLabels(dict[str | None, int]):
    """Name -> label with a fixed prefix; None is the name of what `**` unpacks."""

    def __init__(self, prefix: str) -> None:
        super().__init__()
        self.prefix = prefix

    def __missing__(self, name: str | None) -> int:
        number = self[name] = LABELS[f"{self.prefix}{_KEYWORD_SYNONYMS.get(name, name) if name else '**'}"]
        return number


class ConstantNodes(dict[object, tuple[int]]):
    """Value of one type -> its node: a label without operands."""

    def __missing__(self, value: object) -> tuple[int]:
        node = self[value] = (LABELS[constant_text(value)],)
        return node


class ConstantsByType(dict[type, ConstantNodes]):
    """Type -> nodes of its values: types apart because 1 == 1.0 == True."""

    def __missing__(self, kind: type) -> ConstantNodes:
        found = self[kind] = ConstantNodes()
        return found


class LeafNodes(dict[str, tuple[int]]):
    """Dotted origin -> its node; "~" is this repository, "?name" an input."""

    def __missing__(self, origin: str) -> tuple[int]:
        kind = origin[0]
        label = LABELS["local"] if kind == "~" else INPUTS[origin] if kind == "?" else CALLS[origin]
        node = self[origin] = (label,)
        return node


class Stored(NamedTuple):
    """What an attribute is that the constructor put a value of some label into."""

    attribute: int  # label of loading it, 0 for an input
    call: int  # label of calling it, 0 where that is what it was, -1 where it is no call that is known


class StoredLabels(dict[str, Stored]):
    """Text of a value's label -> what an attribute is that holds it."""

    def __missing__(self, text: str) -> Stored:
        if text.startswith(INPUT_NAME):
            found = Stored(0, -1)
        elif text.partition(":")[0] in _CONSTANT_KINDS:
            found = Stored(LABELS[text], 0)
        else:
            found = Stored(SELVES[text], LABELS[SAME_AS + APPLIED_AS[text]] if text in APPLIED_AS else APPLIED[text])
        self[text] = found
        return found


def constant_text(value: object) -> str:
    """Spell a constant: numbers and short strings by value, long strings only as `str`."""
    if isinstance(value, str | bytes):
        return f"{type(value).__name__}:{value!r}" if len(value) <= LONGEST_KEPT_STRING else type(value).__name__
    if isinstance(value, int) and not isinstance(value, bool):
        return f"num:{value:#x}" if abs(value) >> 64 else f"num:{value}"  # str() of a huge int is quadratic
    if isinstance(value, float):
        # 2.0 and 2 are one number in every formula that modeling code writes.
        return f"num:{int(value)}" if value.is_integer() and abs(value) < 2**53 else f"num:{value!r}"
    return f"{type(value).__name__}:{value!r}"


LABELS[""]  # number 0 is no label
CALLS = ExternalLabels()
METHODS = MethodLabels()
KEYWORDS = PrefixedLabels("kw:")
INPUTS = PrefixedLabels("input?")
STORES = PrefixedLabels("root store:")
APPLIED = PrefixedLabels("apply:")
SELVES = PrefixedLabels("self:")
CONSTANTS = ConstantsByType()
LEAVES = LeafNodes()
STORED = StoredLabels()
_MEMOS: tuple[dict[Any, Any], ...] = (
    *(CALLS, METHODS, KEYWORDS, INPUTS, STORES, APPLIED, SELVES, CONSTANTS),
    *(LEAVES, STORED),
)


def forget_if_many() -> None:
    """Drop the labels of what was read so far once there are too many: memory must not grow with what is read."""
    if len(LABELS) < MOST_LABELS:
        return
    LABELS.generation += 1
    for text in LABELS.texts[LABELS.fixed :]:
        del LABELS[text]
    del LABELS.hashes[LABELS.fixed :]
    del LABELS.texts[LABELS.fixed :]
    for memo in _MEMOS:
        memo.clear()


def fix() -> None:
    """Keep every label interned so far for good. Called once, when all modules that name labels are loaded."""
    LABELS.fixed = len(LABELS)


COMMUTATIVE: frozenset[str] = frozenset(operations()["commutative"]["names"].split())
IDENTITY: frozenset[int] = frozenset(LABELS[name] for name in operations()["identity"]["names"].split())
SPREAD: frozenset[int] = frozenset(LABELS[name] for name in operations()["spread"]["names"].split())
SIGNATURES: dict[int, tuple[int, ...]] = {
    LABELS[name]: tuple(KEYWORDS[parameter] for parameter in parameters.split())
    for name, parameters in operations()["signatures"].items()
}
APPLIED_AS: dict[str, str] = operations()["applied"]
for _name in APPLIED_AS.values():
    if LABELS[_name] in SIGNATURES:
        SIGNATURES[LABELS[SAME_AS + _name]] = SIGNATURES[LABELS[_name]]
SILENT_CALLS: frozenset[int] = frozenset(LABELS[name] for name in operations()["silent"]["names"].split())
SILENT_METHODS: frozenset[str] = frozenset(operations()["silent"]["methods"].split())
SILENT_PACKAGES: frozenset[str] = frozenset(operations()["silent"]["packages"].split())
# A module of the scanned repository never takes these names away from the libraries that own them.
LOCAL_NAMES_NEVER: frozenset[str] = frozenset(operations()["external"]["names"].split())
MODEL_LIBRARIES: frozenset[str] = frozenset(operations()["external"]["models"].split())
