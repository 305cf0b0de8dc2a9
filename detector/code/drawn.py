"""The value flow of a matched pair, small enough to be drawn.

Arguments that stand in any order are nodes of their own while graphs are compared; here a call has its values as
operands at once.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence

from detector.code.traced import ARGUMENT, OPEN, OWN_CALL, TYPED, Traced
from detector.model import Flow, FlowNode, FlowPair

# Nodes of one side that are drawn, first in the text first: a screen holds about as many.
MOST_DRAWN = 120
# What the value flow puts before what a reader looks for.
_CONSTANTS = ("num:", "str:", "bool:")
_PREFIXES = (TYPED, *_CONSTANTS, "NoneType:", "op.", "root ")
_KEYWORD, _STORE = "kw:", "store#"
# Of several names, the one that a reader looks for.
_TELLING = ("parameter", "own", "local", "attribute", "global", "callee")


def draw(suspect: Traced, reference: Traced, same: Sequence[tuple[int, int]]) -> FlowPair:
    """Lay out what is shown of two graphs; same: pairs of their nodes that do the same."""
    ours, theirs = _shown(suspect), _shown(reference)
    both = [*same, *_constants(suspect, reference)]
    pairs = {(ours[one], theirs[other]) for one, other in both if one in ours and other in theirs}
    return FlowPair(_flow(suspect, ours), _flow(reference, theirs), tuple(sorted(pairs)))


def _shown(side: Traced) -> dict[int, int]:
    """Nodes of the graph -> nodes of the drawing."""
    nodes = [node for node, key in enumerate(side.keys) if key != ARGUMENT]
    return {node: number for number, node in enumerate(nodes[:MOST_DRAWN])}


def _flow(side: Traced, shown: Mapping[int, int]) -> Flow:
    names: dict[int, str] = {}
    for kind in _TELLING:
        for name in side.names:
            for node in name.nodes if name.kind == kind else ():
                names.setdefault(node, name.name)
    owners, operands = side.owners.tolist(), side.operands.tolist()
    given = {owner: operand for owner, operand in zip(owners, operands, strict=True) if side.keys[owner] == ARGUMENT}
    edges = dict.fromkeys(
        (given.get(operand, operand), owner)
        for owner, operand in zip(owners, operands, strict=True)
        if side.keys[owner] != ARGUMENT
    )
    return Flow(
        tuple(FlowNode(_operation(side.keys[node]), names.get(node, ""), side.lines[node]) for node in shown),
        tuple((shown[one], shown[other]) for one, other in edges if one in shown and other in shown),
        sum(key != ARGUMENT for key in side.keys) - len(shown),
    )


def _constants(suspect: Traced, reference: Traced) -> Iterator[tuple[int, int]]:
    """Equal constants, in the order in which they occur: they say too little to be aligned."""
    left: defaultdict[str, deque[int]] = defaultdict(deque)
    for node, key in enumerate(reference.keys):
        if key.startswith(_CONSTANTS):
            left[key].append(node)
    for node, key in enumerate(suspect.keys):
        if left.get(key):
            yield node, left[key].popleft()


def _operation(key: str) -> str:
    """What a node is called where it is shown."""
    if key == OPEN:
        return "value"
    if key == OWN_CALL:
        return "call"
    if key.startswith(_KEYWORD):
        return f"{key.removeprefix(_KEYWORD)}="
    for prefix in _PREFIXES:
        key = key.removeprefix(prefix)
    return key.partition("#")[0] if key.startswith(_STORE) else key
