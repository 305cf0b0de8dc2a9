"""Value flows for the HTML report: as steps that read as text, and as data for its drawing script."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping

from detector.model import Flow, FlowPair
from detector.report.names import shortened, visible

LONGEST_NAME = 120  # characters of an operation or a name: one step stays one line
# What could end the script element that holds the data, or open another one; JSON escapes all that is not ASCII.
_MARKUP = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})


def steps(pair: FlowPair) -> tuple[str, str]:
    """Both flows as text, a line for each node: number, operation and operands, name, line, and its counterpart.

    Numbers are those of the JSON report: from 0.
    """
    ours = dict(pair.same)
    theirs = {other: mine for mine, other in pair.same}
    return _steps(pair.suspect, ours), _steps(pair.reference, theirs)


def _steps(flow: Flow, counterparts: Mapping[int, int]) -> str:
    operands: dict[int, list[str]] = defaultdict(list)
    for operand, user in flow.edges:
        operands[user].append(str(operand))
    width = len(str(max(len(flow.nodes) - 1, 0)))
    lines = []
    for number, node in enumerate(flow.nodes):
        parts = [f"{number:>{width}}", f"{_shown(node.operation)}({', '.join(operands[number])})"]
        parts += [_shown(node.name)] if node.name else []
        parts += [f"line {node.line}"] if node.line else []
        parts += [f"= {counterparts[number]}"] if number in counterparts else []
        lines.append("  ".join(parts))
    return "\n".join(lines)


def data(pair: FlowPair) -> str:
    """Both flows as JSON that may stand inside a script element."""
    document = {
        "suspect": _data(pair.suspect),
        "reference": _data(pair.reference),
        "same": [list(nodes) for nodes in pair.same],
    }
    return json.dumps(document, separators=(",", ":")).translate(_MARKUP)


def _data(flow: Flow) -> dict[str, object]:
    return {
        "nodes": [[_shown(node.operation), _shown(node.name), node.line] for node in flow.nodes],
        "edges": [list(edge) for edge in flow.edges],
    }


def _shown(name: str) -> str:
    return visible(shortened(name, LONGEST_NAME))
