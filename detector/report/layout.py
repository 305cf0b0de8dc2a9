"""How names, places and numbers are laid out at a terminal: in cells, within the room that there is."""

from __future__ import annotations

from collections.abc import Iterable

from rich.cells import cell_len
from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from detector.model import Role, Span
from detector.report.names import visible
from detector.report.rounding import MEASURE_DIGITS

LABEL_WIDTH = 12
INDENT = 2
MAX_NAME_CELLS = 40
REVISION_DIGITS = 12  # of a commit id: enough to look it up


def labelled(rows: Iterable[tuple[str, Text]]) -> RenderableType:
    """Rows of a dim label and a text that wraps beside it."""
    grid = Table.grid()
    grid.add_column(width=LABEL_WIDTH, no_wrap=True, style="dim")
    grid.add_column(overflow="fold")
    for label, text in rows:
        grid.add_row(label, text)
    return indented(grid)


def indented(renderable: RenderableType, cells: int = INDENT) -> RenderableType:
    """The same, further to the right."""
    return Padding(renderable, (0, 0, 0, cells), expand=False)


def beside(first: Text, second: Text, room: int) -> Text:
    """Two texts on one line if they fit it, else below each other."""
    if not second:
        return first
    has_room = first.cell_len + 2 + second.cell_len <= room
    return first.append("  " if has_room else "\n").append_text(second)


def both(first: str, second: str, room: int, first_cells: int = 0, second_cells: int = 0) -> tuple[str, str]:
    """Two paths beside each other: each has half of the room, and what the other one leaves of its half."""
    first_cells, second_cells = first_cells or cell_len(first), second_cells or cell_len(second)
    half = room // 2
    return (
        elide(first, max(room - second_cells, half)),
        elide(second, max(room - first_cells, room - half)),
    )


def place(span: Span, room: int) -> Text:
    """`path:first-last qualname (role)` within `room` cells; the path gives way first, in its middle."""
    lines = f":{span.first_line}-{span.last_line} "
    role = "" if span.role is Role.OWN else f"  ({span.role.value})"
    room -= len(lines) + len(role)
    path, qualname = visible(span.path), visible(span.qualname)
    qualname = elide(qualname, max(room - cell_len(path), room // 2))
    return Text(elide(path, room - cell_len(qualname)) + lines + qualname).append(role, "yellow")


def elide(text: str, room: int) -> str:
    """Leave out the middle of what is wider than `room` cells: the ends tell names apart."""
    room = max(room, 3)
    if len(text) <= room and cell_len(text) <= room:
        return text
    tail_room = room // 2
    head, tail = text[: room - 1 - tail_room], text[-tail_room:]
    while cell_len(head) > room - 1 - tail_room:
        head = head[:-1]
    while cell_len(tail) > tail_room:
        tail = tail[1:]
    return f"{head}…{tail}"


def name(text: str) -> str:
    """A name from a stranger's project, of bounded length."""
    return elide(visible(text), MAX_NAME_CELLS)


def bits(number: float) -> str:
    """Bits with one decimal."""
    return f"{number:,.1f}"


def measure(value: float | int | str) -> str:
    """A measure of the ledger."""
    return f"{value:.4g}" if isinstance(value, float) else visible(str(value))


def cell(value: float | int | str) -> str:
    """A cell of a table, with the digits that JSON has: an id is looked up by them."""
    return f"{value:.{MEASURE_DIGITS}g}" if isinstance(value, float) else visible(str(value))
