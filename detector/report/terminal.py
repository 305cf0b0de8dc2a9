"""The report for a person at a terminal: the answer first, then what it rests on, then what was left out."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Sequence

from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from detector.model import (
    Correspondence,
    Match,
    NamePair,
    Report,
    Side,
    Skipped,
    Span,
    Strength,
)
from detector.report import exhibits, layout, ledger, licences, plots, summary, traces, words
from detector.report.names import visible

# Limits of what a person reads through; the JSON report has everything.
MAX_FUNCTIONS = 50
MAX_OTHERS = 3  # further matches of one function
MAX_RENAMES = 4
MAX_FILES = 12
MAX_NAMES = 12
MAX_LICENCES = 8
FEWEST_PLACES = 2  # of a name: said once, it stands with its function
MAX_REASONS = 10
MAX_PATHS = 3  # of each reason

MIN_WIDTH = 60  # below this nothing can be laid out; the terminal wraps instead

LINE_IN_REASON = re.compile(r" \(line (\d+)\)")

LEGEND = (
    "Bits: how surprising the shared part is, called helpers included; totals count each once. "
    "Similarity: how well the two fit each other. "
    "Containment: the share of the suspect's function that the reference has too."
)
FORMATS = "Every match side by side: --format html. With all names, settings and versions: --format json"
TABLES = "All tables and how each line was made: --format html or json. What a word means: detector explain WORD"
BASIS_LEGEND = (
    "Alone: so few functions of unrelated projects have such a match by chance. "
    "In its class, file, project, through its caller: believed for what else matches there."
)


def render(report: Report, width: int, color: bool) -> str:
    """Lay the report out for a terminal.

    Units:  width in cells; fewer than `MIN_WIDTH` count as that.
    Stable: depends on its arguments alone, not on the environment.
    """
    wanted, width = width, max(width, MIN_WIDTH)
    buffer = io.StringIO()
    console = Console(
        file=buffer,
        width=width,
        height=100,  # never used, but without it TERM=dumb would override the width
        force_terminal=color,
        color_system="standard" if color else None,
        no_color=not color,
        force_jupyter=False,
        legacy_windows=False,
        markup=False,
        emoji=False,
        highlight=False,
    )
    sections = [
        _relation(report, width),
        _attribution(report, width),
        ledger.remarks(report.remarks, width),
        _matches(report, width),
        _files(report, width),
        _names(report),
        _licences(report, width),
        traces.section(report, width),
        ledger.evidence(report),
        plots.section(report, wanted),
        exhibits.section(report, width),
        exhibits.timeline(report, width),
        ledger.nothing(report),
        _skipped(report.skipped, width),
        _hints(report),
    ]
    for block in filter(None, map(list, sections)):
        console.print(*block, "", sep="\n", end="\n")
    lines = buffer.getvalue().rstrip("\n").split("\n")
    return "\n".join(lines if color else map(str.rstrip, lines)) + "\n"


def _relation(report: Report, width: int) -> Iterator[RenderableType]:
    yield Text(words.relation(report), "bold")
    yield Text(words.meaning(report, layout.name))
    rows: list[tuple[str, Text]] = []
    if report.references:
        support = Text().append(report.strength.value, ledger.STRENGTH_STYLES[report.strength])
        rows.append(("support", support.append(f" (of {', '.join(Strength)})", "dim")))
        rows += ledger.rests_on(report)
    has_code = summary.has_compared_code(report)
    rows.append(("suspect", _side(report.suspect, width, has_code)))
    rows += [("reference", _side(side, width, has_code)) for side in report.references]
    yield layout.labelled(rows)


def _side(side: Side, width: int, has_code: bool) -> Text:
    counts = f"  {words.count(side.functions, 'function')} in {words.count(side.files, 'file')}"
    revision = f" @ {visible(side.revision[: layout.REVISION_DIGITS])}" if side.revision else ""
    target = layout.elide(visible(side.target), width - layout.INDENT - layout.LABEL_WIDTH - cell_len(revision))
    title = Text().append(layout.name(side.name), "bold").append(counts if has_code or side.files else "")
    return title.append("\n").append(f"{target}{revision}", "dim")


def _attribution(report: Report, width: int) -> Iterator[RenderableType]:
    if not (report.attribution and summary.has_compared_code(report)):
        return
    name_room = width - layout.INDENT - 60  # the name gives way: the other columns take at most 60 cells
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("reference", no_wrap=True)
    for heading in ("bits", "exclusive bits", "functions", "share of suspect"):
        table.add_column(heading, justify="right", no_wrap=True)
    for line in report.attribution:
        numbers = (
            layout.bits(line.bits),
            layout.bits(line.exclusive_bits),
            f"{line.functions:,}",
            f"{line.share_of_suspect:.1%}",
        )
        table.add_row(layout.elide(visible(line.reference), min(layout.MAX_NAME_CELLS, name_room)), *numbers)
    yield Text("What each reference explains of the suspect", "bold")
    yield layout.indented(table)


def _matches(report: Report, width: int) -> Iterator[RenderableType]:
    functions: dict[Span, list[Match]] = {}
    for match in report.matches:
        functions.setdefault(match.suspect, []).append(match)
    if not functions:
        yield from _no_match(report)
        return
    yield Text(f"Matches: {words.count(len(functions), 'function')} of the suspect", "bold")
    left = MAX_FUNCTIONS
    for pair, members in _findings(list(functions.values()), report.classes):
        if left == 0:
            break
        if pair is None:
            yield from _function(members[0], report, width)
        else:
            yield from _class(pair, width)
            for matches in members[:left]:
                yield from map(layout.indented, _function(matches, report, width - layout.INDENT))
        left -= min(left, len(members))
    if len(functions) > MAX_FUNCTIONS:
        yield layout.indented(Text(f"… and {len(functions) - MAX_FUNCTIONS:,} more; --format json lists all"))


def _no_match(report: Report) -> Iterator[RenderableType]:
    if summary.has_compared_code(report):
        yield Text("No function of the suspect matches one of a reference.")
    elif report.references:
        yield Text(f"Code was not compared: {visible(summary.why_no_code(report))}.")


def _findings(
    functions: Iterable[Sequence[Match]], classes: Iterable[Correspondence]
) -> list[tuple[Correspondence | None, list[Sequence[Match]]]]:
    """What is one finding each, by bits: a class that corresponds to one, with its methods; any other function.

    Ties: the report's order.
    """
    pairs = {(pair.suspect_path, pair.suspect_class): pair for pair in classes}
    found: dict[object, tuple[Correspondence | None, list[Sequence[Match]]]] = {}
    for matches in functions:
        span = matches[0].suspect
        place = span.path, span.qualname.rpartition(".")[0]
        pair = pairs.get(place)
        found.setdefault(span if pair is None else place, (pair, []))[1].append(matches)

    def bits(finding: tuple[Correspondence | None, list[Sequence[Match]]]) -> float:
        pair, members = finding
        return pair.bits if pair is not None else max(match.bits for match in members[0])

    return sorted(found.values(), key=bits, reverse=True)


def _class(pair: Correspondence, width: int) -> Iterator[RenderableType]:
    """The heading over the methods of a class: what it was called, how much of it, and where the two stand."""
    title = (
        Text("class ").append(layout.name(pair.suspect_class), "bold").append(f" ← {layout.name(pair.reference_name)}")
    )
    if pair.reference_class != pair.suspect_class:
        title.append(" ").append(layout.name(pair.reference_class), "bold")
    counts = Text(f"{pair.functions:,} of {words.count(pair.suspect_functions, 'method')}, ")
    room = width - layout.INDENT
    yield layout.indented(layout.beside(title, counts.append(f"{layout.bits(pair.bits)} bits", "bold cyan"), room))
    ours, theirs = layout.both(
        visible(pair.suspect_path), visible(pair.reference_path), room - layout.INDENT - len(" ← ")
    )
    yield layout.indented(Text(f"{ours} ← {theirs}", "dim"), 2 * layout.INDENT)


def _function(matches: Sequence[Match], report: Report, width: int) -> Iterator[RenderableType]:
    """One function of the suspect: its nearest counterpart in full, the others in a line each.

    Ties: more bits first, then the greater similarity, then the report's order.
    """
    nearest, *others = sorted(matches, key=lambda match: (-match.bits, -match.similarity))
    room = width - 2 * layout.INDENT - layout.LABEL_WIDTH
    rows = [
        ("suspect", layout.place(nearest.suspect, room)),
        ("nearest" if len(report.references) > 1 else "reference", _counterpart(nearest, room)),
    ]
    for match in others[:MAX_OTHERS]:
        likeness = f"  similarity {match.similarity:.2f}{'  accepted' if match.accepted else ''}"
        rows.append(("also", _counterpart(match, room - len(likeness)).append(likeness, "dim")))
    if len(others) > MAX_OTHERS:
        rows.append(("", Text(f"… and {len(others) - MAX_OTHERS:,} more")))
    if nearest.renames:
        rows.append(("renames", Text(_renames(nearest))))
    if nearest.disguises:
        rows.append(("disguises", Text(", ".join(map(visible, nearest.disguises)))))
    if nearest.accepted:
        rows.append(ledger.accepted(nearest.accepted))
    yield layout.indented(
        layout.beside(_measures(nearest), Text(words.basis(nearest, report.settings), "dim"), width - layout.INDENT)
    )
    yield layout.indented(layout.labelled(rows))


def _measures(match: Match) -> Text:
    text = Text().append(f"{layout.bits(match.bits)} bits", "bold cyan")
    text.append(f"  similarity {match.similarity:.2f}  containment {match.containment:.2f}")
    text.append(f"  {words.CLONE_TYPES[match.clone_type]}")
    return text.append("  declared", "bold green") if match.is_declared else text


def _counterpart(match: Match, room: int) -> Text:
    name = Text().append(
        f"{layout.elide(visible(match.reference_name), min(layout.MAX_NAME_CELLS, room // 3))} ", "bold"
    )
    return name.append_text(layout.place(match.reference, room - name.cell_len))


def _renames(match: Match) -> str:
    """The first renames that change something: equal names are listed in the JSON report only."""
    changed = [(old, new) for new, old in sorted(match.renames.items()) if new != old]
    shown = [f"{layout.name(old)} → {layout.name(new)}" for old, new in changed[:MAX_RENAMES]]
    rest = [f"{len(changed) - MAX_RENAMES:,} more"] if len(changed) > MAX_RENAMES else []
    return ", ".join(shown + rest) or "none"


def _files(report: Report, width: int) -> Iterator[RenderableType]:
    if not (report.matches and report.files):
        return
    headings = ("suspect", "reference", "functions", "bits")
    rows = [
        (
            visible(pair.suspect_path),
            f"{layout.name(pair.reference_name)} {visible(pair.reference_path)}",
            f"{pair.functions:,} of {pair.suspect_functions:,}",
            layout.bits(pair.bits),
        )
        for pair in report.files[:MAX_FILES]
    ]
    ours, theirs, *numbers = (max(map(cell_len, column)) for column in zip(headings, *rows, strict=True))
    room = width - layout.INDENT - sum(numbers) - 2 * len(headings)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for number, heading in enumerate(headings):
        table.add_column(heading, justify="left" if number < 2 else "right", no_wrap=True)
    for suspect, reference, *cells in rows:
        table.add_row(*layout.both(suspect, reference, room, ours, theirs), *cells)
    yield Text("Files", "bold")
    yield layout.indented(table)
    if len(report.files) > MAX_FILES:
        yield layout.indented(Text(f"… and {len(report.files) - MAX_FILES:,} more"))


def _names(report: Report) -> Iterator[RenderableType]:
    pairs = [pair for pair in report.names if pair.places >= FEWEST_PLACES and pair.places > pair.contradicted]
    if not (report.matches and pairs):
        return
    has_several_references = len({pair.reference_name for pair in pairs}) > 1
    yield Text("Names: what the reference calls it → what the suspect calls it", "bold")
    for pair in pairs[:MAX_NAMES]:
        yield layout.indented(_pair(pair, has_several_references))
    if len(pairs) > MAX_NAMES:
        yield layout.indented(Text(f"… and {len(pairs) - MAX_NAMES:,} more"))


def _pair(pair: NamePair, has_several_references: bool) -> Text:
    otherwise = f", {pair.contradicted:,} otherwise" if pair.contradicted else ""
    text = Text(f"{layout.name(pair.reference)} → {layout.name(pair.suspect)} ")
    text.append(f"({words.count(pair.places, 'place')}{otherwise})", "dim")
    return text.append(f"  {layout.name(pair.reference_name)}", "dim") if has_several_references else text


def _licences(report: Report, width: int) -> Iterator[RenderableType]:
    """Each pair of licences once, however many functions it is of, and what the table says of it."""
    pairs = licences.pairs(report)
    if not pairs:
        return
    yield Text("Licences: of the reference → of the suspect", "bold")
    for pair in pairs[:MAX_LICENCES]:
        counts = f"{words.count(pair.functions, 'function')}, {pair.undeclared:,} undeclared"
        title = Text(f"{layout.elide(visible(pair.there), 40)} → {layout.elide(visible(pair.here), 40)}  ")
        title.append(visible(pair.verdict), "bold").append(f"  {counts}  {layout.name(pair.reference_name)}", "dim")
        yield layout.indented(title)
        yield layout.indented(Text(layout.elide(visible(pair.note), 4 * width), "dim"), 2 * layout.INDENT)
    if len(pairs) > MAX_LICENCES:
        yield layout.indented(Text(f"… and {len(pairs) - MAX_LICENCES:,} more"))
    yield layout.indented(Text(licences.NO_ADVICE, "dim"))


def _skipped(skipped: Sequence[Skipped], width: int) -> Iterator[RenderableType]:
    reasons: dict[str, list[str]] = {}
    for one in skipped:
        line = LINE_IN_REASON.search(one.reason)  # belongs to the place: the same reason must not count anew
        reason = LINE_IN_REASON.sub("", one.reason) if line else one.reason
        reasons.setdefault(reason, []).append(f"{one.path}:{line[1]}" if line else one.path)
    if not reasons:
        return
    yield Text(f"Not read: {len(skipped):,}", "bold")
    most_first = sorted(reasons.items(), key=lambda item: (-len(item[1]), item[0]))
    for reason, paths in most_first[:MAX_REASONS]:
        yield layout.indented(Text(f"{len(paths):,} × {visible(reason)}"))
        names = [layout.elide(visible(path), width - 3 * layout.INDENT) for path in sorted(paths)[:MAX_PATHS]]
        if len(paths) > MAX_PATHS:
            names.append(f"… and {len(paths) - MAX_PATHS:,} more")
        yield layout.indented(Text("\n".join(names), "dim"), 2 * layout.INDENT)
    if len(reasons) > MAX_REASONS:
        yield layout.indented(Text(f"… and {len(reasons) - MAX_REASONS:,} more reasons; --format json lists all"))


def _hints(report: Report) -> Iterator[RenderableType]:
    if report.matches:
        yield Text(f"{LEGEND}\n{BASIS_LEGEND}", "dim")
        yield Text(FORMATS, "dim")
    elif report.references and summary.has_compared_code(report):
        yield Text("Every candidate pair, however slight: --min-similarity 0 --min-bits 0", "dim")
    if report.evidence or report.exhibits or report.figures:
        yield Text(TABLES, "dim")
