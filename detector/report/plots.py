"""Figures at a terminal: blocks, letters and small numbers that can be read without colours, and in few columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from rich.console import RenderableType
from rich.constrain import Constrain
from rich.text import Text

from detector.figures import Figure, Histogram, Matrix, Mosaic
from detector.model import Report
from detector.report import figures, heat, layout, words
from detector.report.names import visible

# Limits of what a person reads through; the JSON report has everything.
MAX_FIGURES = 6
MAX_LINES = 24  # of a mosaic
MAX_CATEGORIES = 12  # of its legend
MAX_MARKS = 8
MAX_THINGS = 12  # rows and columns of a matrix
MAX_LABEL = 28  # cells of a row's name
MAX_COLUMNS = 90  # of a histogram: wider, and it is a landscape
LEAST_WIDTH = 28  # below, nothing can be drawn
LEVELS = 7  # lines of a histogram
FEWEST_FOLDED = 3  # rows that are told as one if they are alike
BLOCKS = " ▁▂▃▄▅▆▇█"
EXPECTED, MARK = "•", "▲"
TICK = 10  # cells for a number of the axis
CELL = 5  # cells of a number with the blank before it
STYLES = ("blue", "cyan", "green", "yellow", "magenta", "red", "bright_blue", "bright_cyan", "bright_green",
          "bright_yellow", "bright_magenta", "bright_red", "dim")  # fmt: skip


def section(report: Report, width: int) -> Iterator[RenderableType]:
    """Figures of the nearest reference and of all; how many there are of the others.

    Units: width in cells, of the terminal as it is: nothing is wider.
    """
    found = figures.ordered(report)
    shown = [figure for figure in found if figures.is_of_nearest(figure, report)][:MAX_FIGURES]
    if not found:
        return
    width = max(width, LEAST_WIDTH)
    yield Text("Figures to see the evidence by", "bold")
    for number, figure in enumerate(shown):
        if number:
            yield Text("")
        title = Text(layout.elide(visible(figure.title), 4 * width))
        title.append(f"  {layout.name(figure.kind)}/{layout.name(figure.name)}", "dim")
        if figure.reference:
            title.append(f"  {layout.name(figure.reference)}", "dim")
        yield Constrain(layout.indented(title), width)
        for line in _lines(figure, width - 2 * layout.INDENT):
            line.truncate(width - 2 * layout.INDENT, overflow="ellipsis")
            yield layout.indented(line, 2 * layout.INDENT)
    if len(found) > len(shown):
        more = words.count(len(found) - len(shown), "more figure")
        yield Constrain(layout.indented(Text(f"… and {more}; --format html draws them")), width)


def _lines(figure: Figure, room: int) -> Iterator[Text]:
    match figure:
        case Histogram():
            return _histogram(figure, room)
        case Matrix():
            return _matrix(figure, room)
        case Mosaic():
            return _mosaic(figure, room)


# --- mosaics ---


def _mosaic(mosaic: Mosaic, room: int) -> Iterator[Text]:
    """A line for each row, or for several that are alike, and the legend."""
    legend = figures.legend(mosaic)
    categories = figures.by_name(legend, mosaic)
    rows = _folded([(row.group, [categories[tile.category] for tile in row.tiles]) for row in figures.rows(mosaic)])
    names = [_group(groups, room // 2) for groups, _ in rows[:MAX_LINES]]
    widest = max(map(cell_len, names), default=0)
    for name, (_, tiles) in zip(names, rows, strict=False):
        line = Text(name + " " * (widest - cell_len(name) + 2), "dim")
        free = room - widest - 2
        kept = tiles if len(tiles) <= free else tiles[: max(free - 7, 1)]
        for category in kept:
            line.append(category.letter, _style(category))
        if len(tiles) > len(kept):
            line.append(f" +{len(tiles) - len(kept):,}", "dim")
        yield line
    if len(rows) > MAX_LINES:
        yield Text(f"… and {len(rows) - MAX_LINES:,} more")
    for category in legend[:MAX_CATEGORIES]:
        line = Text().append(category.letter, _style(category))
        line.append(f" {layout.elide(visible(category.name), room - 14)} {category.tiles:,}")
        yield line
    if len(legend) > MAX_CATEGORIES:
        yield Text(f"… and {len(legend) - MAX_CATEGORIES:,} more")
    if mosaic.omitted:
        yield Text(layout.elide(f"… {mosaic.omitted:,} that the report leaves out", room))


_Row = tuple[str, list[figures.Category]]


def _folded(rows: Sequence[_Row]) -> list[tuple[list[str], list[figures.Category]]]:
    """Rows that follow each other and have the same letters as one."""
    found: list[tuple[list[str], list[figures.Category]]] = []
    for group, tiles in rows:
        if found and found[-1][1] == tiles:
            found[-1][0].append(group)
        else:
            found.append(([group], tiles))
    return [
        each
        for groups, tiles in found
        for each in ([(groups, tiles)] if len(groups) >= FEWEST_FOLDED else [([group], tiles) for group in groups])
    ]


def _group(groups: Sequence[str], room: int) -> str:
    """The name of a row; of several the first and the last, and how many they are."""
    if len(groups) == 1:
        return layout.elide(visible(groups[0]), min(MAX_LABEL, room))
    count = f" ×{len(groups):,}"
    last = visible(groups[-1]).rpartition(".")[2]
    return layout.elide(f"{visible(groups[0])} … {last}", min(MAX_LABEL, room) - len(count)) + count


def _style(category: figures.Category) -> str:
    return STYLES[category.number % len(STYLES)]


# --- histograms ---


def _histogram(histogram: Histogram, room: int) -> Iterator[Text]:
    """Blocks as high as the counts, a dot where each is expected, and the marks below the axis."""
    low, high = figures.domain(histogram)
    columns = _columns(histogram, low, high, room)
    edges = [low + (high - low) * number / columns for number in range(columns + 1)]
    observed = _sampled(histogram.edges, histogram.observed, edges)
    expected = _sampled(histogram.edges, histogram.expected, edges) if histogram.expected else []
    highest = max(*observed, *expected, 0) or 1
    for level in reversed(range(LEVELS)):
        line = Text()
        for column in range(columns):
            is_expected = bool(expected) and expected[column] > 0 and _level(expected[column], highest) == level
            filled = min(max(observed[column] / highest * LEVELS - level, 0), 1)
            line.append(EXPECTED if is_expected else BLOCKS[round(filled * 8)], "bold" if is_expected else "blue")
        yield line
    yield Text("─" * columns, "dim")
    inside = [value for _, value in histogram.marks if low <= value <= high]
    places = {min(int((value - low) / (high - low) * columns), columns - 1) for value in inside}
    if places:
        yield Text("".join(MARK if column in places else " " for column in range(columns)).rstrip(), "yellow")
    yield Text(_axis(low, high, columns), "dim")
    if histogram.measure:
        measure = layout.elide(visible(histogram.measure), columns)
        yield Text(" " * ((columns - cell_len(measure)) // 2) + measure, "dim")
    yield Text(f"█ up to {figures.brief(highest)}", "dim")
    if histogram.expected:
        yield Text(layout.elide(f"{EXPECTED} {visible(histogram.expected_name) or 'expected'}", room))
    for label, value in sorted(histogram.marks, key=lambda mark: mark[1])[:MAX_MARKS]:
        told = figures.brief(value)
        yield Text(f"{MARK} {layout.elide(visible(label), room - len(told) - 3)} {told}", "yellow")
    if len(histogram.marks) > MAX_MARKS:
        yield Text(f"… and {len(histogram.marks) - MAX_MARKS:,} more")


def _axis(low: float, high: float, columns: int) -> str:
    """Round numbers below their places, as many as fit."""
    line = ""
    for value in figures.ticks(low, high, max(columns // TICK, 2)):
        told = figures.brief(value)
        column = min(int((value - low) / (high - low) * columns), columns - 1)
        begin = min(max(column - len(told) // 2, 0), columns - len(told))
        if begin >= len(line) + (2 if line else 0):
            line = f"{line:<{begin}}{told}"
    return line


def _level(count: float, highest: float) -> int:
    return min(int(count / highest * LEVELS), LEVELS - 1)


def _columns(histogram: Histogram, low: float, high: float, room: int) -> int:
    """A multiple of the bins that the axis has room for, so that no bin looks wider than another."""
    most = min(room, MAX_COLUMNS)
    width = (histogram.edges[-1] - histogram.edges[0]) / len(histogram.observed)
    bins = (high - low) / width if width > 0 else most
    return max(int(most // bins * bins), 1) if bins <= most else most


def _sampled(edges: Sequence[float], counts: Sequence[float], columns: Sequence[float]) -> list[float]:
    """The greatest count of the bins that each column shows; 0 beside all bins."""
    found = [0.0] * (len(columns) - 1)
    first, width = columns[0], (columns[-1] - columns[0]) / len(found)
    for left, right, count in zip(edges, edges[1:], counts, strict=False):
        begin = min(int((left - first) / width + 0.5), len(found) - 1)
        end = max(min(int((right - first) / width + 0.5), len(found)), begin + 1)
        for column in range(begin, end):
            found[column] = max(found[column], count)
    return found


# --- matrices ---


def _matrix(matrix: Matrix, room: int) -> Iterator[Text]:
    """Numbers in rows; columns are told by their number, and by name below where rows are other things."""
    low, high = figures.extremes(matrix)
    shown = list(zip(matrix.rows, matrix.values, strict=True))[:MAX_THINGS]
    is_square = matrix.rows == matrix.columns
    numbered = [
        f"{number} {visible(name)}" if is_square else visible(name) for number, (name, _) in enumerate(shown, 1)
    ]
    label = min(max(map(cell_len, numbered)), MAX_LABEL, max(room - 3 * CELL, 8))
    texts = [[_number(value, low, high) for value in row[:MAX_THINGS]] for _, row in shown]
    cell = max(CELL, *(len(text) + 1 for row in texts for text in row))
    columns = min(len(matrix.columns), MAX_THINGS, max((room - label) // cell, 1))
    yield Text(" " * label + "".join(f"{number:>{cell}}" for number in range(1, columns + 1)), "dim")
    for name, row in zip(numbered, texts, strict=True):
        heading = layout.elide(name, label)
        yield Text(heading + " " * (label - cell_len(heading)), "dim").append(
            "".join(f"{text:>{cell}}" for text in row[:columns]), "none"
        )
    if not is_square:
        for number, name in enumerate(matrix.columns[:columns], 1):
            yield Text(layout.elide(f"{number} {visible(name)}", room), "dim")
    left = len(matrix.rows) - len(shown), len(matrix.columns) - columns
    said = [
        words.count(count, f"more {noun}") for count, noun in zip(left, ("row", "column"), strict=True) if count > 0
    ]
    if said:
        yield Text(f"… and {', '.join(said)}")


def _number(value: float | None, low: float, high: float) -> str:
    return "·" if value is None else heat.number(value, low, high)
