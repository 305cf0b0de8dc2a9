"""The report for a person with a browser: one page that needs no network, and no scripts to be read."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from detector.model import Cluster, Evidence, Exhibit, Lines, Match, Report, Role, Skipped, Strength
from detector.report import drawing, figures, flows, lanes, licences, pictures, rounding, summary, words
from detector.report.assets import assets
from detector.report.sides import Sides, sides
from detector.report.templates import Template, template

# Matches that are written with their texts, most bits first: a page of this many opens in two seconds and weighs some
# twenty megabytes. Those after them keep their row and measures.
MOST_IN_FULL = 2_000
MOST_ROWS = 10_000  # matches in all: nobody reads that far, and the JSON report has every one
FIRST_LISTED = 20  # rows of a table of names or traces that are not folded away: a screen of them
MOST_LISTED = 2_000  # rows of a table in all, as of matches in full
MOST_LINES = 500  # of the ledger: each is a card
MOST_CELLS = 50_000  # of all tables of evidence together: as many as the rows of names and traces may have
ID_DIGITS = 12  # of a link: 48 bits keep 10,000 matches apart


@dataclass(frozen=True, slots=True)
class Row:
    """One match as the page shows it."""

    match: Match
    link: str
    reference: int  # its place among the references
    changed: tuple[tuple[str, str], ...]  # names that differ: reference, suspect
    kept: int  # names that do not
    published: Sides | None = None
    unrenamed: Sides | None = None
    steps: tuple[str, str] | None = None
    flow: str = ""  # the data for the drawing


@dataclass(frozen=True, slots=True)
class Table:
    """One exhibit as the page shows it."""

    exhibit: Exhibit
    link: str
    rows: tuple[tuple[float | int | str, ...], ...]
    numbers: tuple[bool, ...]  # which columns hold numbers alone
    left: int  # rows that the JSON report has besides


def render(report: Report) -> str:
    """Write the report as one HTML document.

    Stable: depends on the report alone; numbers are those of the JSON report, digit for digit.
    """
    links = [_link(match) for match in report.matches]
    links = [link if count == 1 else f"{link}-{count}" for link, count in _numbered(links)]
    references = {side.name: number for number, side in enumerate(report.references)}
    rows = [
        _row(match, link, references.get(match.reference_name, 0), is_full)
        for match, link, is_full in zip(report.matches[:MOST_ROWS], links, _in_full(report.matches), strict=False)
    ]
    lines = [(f"line-{number}", line) for number, line in enumerate(summary.ledger(report)[:MOST_LINES], 1)]
    tables = list(_tables(report))
    near, far, more_figures = pictures.pictures(report)
    shown = drawing.ribbons(report.matches[:MOST_ROWS], links)
    return _page().render(
        report=report,
        assets=assets(),
        rows=rows,
        in_full=sum(row.published is not None for row in rows),
        with_texts=sum(match.texts is not None for match in report.matches),
        relation=words.relation(report),
        meaning=words.meaning(report, lambda name: name),
        scale=list(Strength),
        lines=lines,
        clusters=[(cluster, _line_of(cluster, report, lines)) for cluster in report.clusters],
        tables=tables,
        tables_of=_tables_of(tables),
        near=near,
        far=far,
        more_figures=more_figures,
        checks_of=_checks_of([*near, *far], tables),
        timeline=lanes.timeline(report),
        has_code=summary.has_compared_code(report),
        why_no_code=summary.why_no_code(report),
        map=drawing.function_map(shown) if shown else "",
        histogram=_histogram(report),
        bins=_bins(report),
        roles=list(Role),
        skipped=_skipped(report.skipped),
        words=words,
        has_terms=any(row.match.terms for row in rows),
        no_advice=licences.NO_ADVICE,
        first_listed=FIRST_LISTED,
        most_listed=MOST_LISTED,
    )


@cache
def _page() -> Template:
    filters: dict[str, Callable[..., str]] = {
        "bits": lambda value: f"{rounding.bits(value):,.2f}",
        "ratio": lambda value: f"{rounding.ratio(value):.4f}",
        "percent": lambda value: f"{rounding.ratio(value):.2%}",
        "measure": _measure,
        "cell": _cell,
        "drawn": _drawn,
        "lines": _lines,
    }
    return template("page.html.j2", filters)


def _link(match: Match) -> str:
    """A name for the match that moved lines and other matches do not change."""
    ends = (match.suspect.path, match.suspect.qualname, match.reference_name)
    place = (match.digest, *ends, match.reference.path, match.reference.qualname)
    text = "\0".join(part.replace("\0", "\0\0") for part in place)
    return f"m-{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:ID_DIGITS]}"


def _numbered(texts: Iterable[str]) -> Iterable[tuple[str, int]]:
    """Each with how often it has come up so far: one function may be defined twice."""
    seen: Counter[str] = Counter()
    for text in texts:
        seen[text] += 1
        yield text, seen[text]


def _in_full(matches: Sequence[Match]) -> Iterable[bool]:
    left = MOST_IN_FULL
    for match in matches:
        yield match.texts is not None and left > 0
        left -= match.texts is not None


def _row(match: Match, link: str, reference: int, is_full: bool) -> Row:
    changed = tuple(sorted((old, new) for new, old in match.renames.items() if new != old))
    kept = len(match.renames) - len(changed)
    texts = match.texts
    if texts is None or not is_full:
        return Row(match, link, reference, changed, kept)
    first = match.suspect.first_line, match.reference.first_line
    return Row(
        match,
        link,
        reference,
        changed,
        kept,
        published=sides(texts.suspect, texts.reference, texts.equal_as_published, first, match.renames),
        unrenamed=sides(texts.unrenamed, texts.reference, texts.equal, first, {}),
        steps=flows.steps(match.flows) if match.flows else None,
        flow=flows.data(match.flows) if match.flows else "",
    )


def _lines(ranges: Iterable[Lines]) -> str:
    return ", ".join(f"{first}" if first == last else f"{first}–{last}" for first, last in ranges)


def _measure(value: float | int | str) -> str:
    told = rounding.measure(value)
    if isinstance(told, str):
        return told
    return f"{told:,}" if isinstance(told, int) else f"{told:.{rounding.MEASURE_DIGITS}g}"


def _cell(value: float | int | str) -> str:
    """A cell of an exhibit: an id or a setting is looked up by its digits, so that none are set apart."""
    return f"{value:.{rounding.MEASURE_DIGITS}g}" if isinstance(value, float) else str(value)


def _drawn(value: pictures.Cell) -> str:
    """A cell of a figure's table; none where a matrix has none."""
    if value is None:
        return ""
    return value if isinstance(value, str) else figures.told(value)


def _tables(report: Report) -> Iterable[Table]:
    left = MOST_CELLS
    for number, exhibit in enumerate(summary.exhibits(report), 1):
        most = min(MOST_LISTED, left // max(len(exhibit.columns), 1))
        rows = tuple(tuple(map(rounding.cell, row)) for row in exhibit.rows[:most])
        left -= len(rows) * len(exhibit.columns)
        numbers = tuple(summary.holds_numbers(rows, column) for column in range(len(exhibit.columns)))
        yield Table(exhibit, f"table-{number}", rows, numbers, len(exhibit.rows) - len(rows))


def _tables_of(tables: Sequence[Table]) -> dict[tuple[str, str], list[Table]]:
    """Tables by kind and reference, as a line of the ledger looks for its own."""
    found: dict[tuple[str, str], list[Table]] = {}
    for table in tables:
        found.setdefault((table.exhibit.kind, table.exhibit.reference), []).append(table)
    return found


def _checks_of(
    shown: Sequence[pictures.Picture], tables: Sequence[Table]
) -> dict[tuple[str, str], list[tuple[str, str]]]:
    """Links to figures and tables, with their titles, by kind and reference."""
    found: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for each in shown:
        found.setdefault((each.figure.kind, each.figure.reference), []).append((each.link, each.figure.title))
    for table in tables:
        exhibit = table.exhibit
        found.setdefault((exhibit.kind, exhibit.reference), []).append((table.link, exhibit.title))
    return found


def _line_of(cluster: Cluster, report: Report, lines: Sequence[tuple[str, Evidence]]) -> str:
    """Where the strongest line of a cluster stands on the page."""
    name = summary.nearest(report)
    fits = (link for link, line in lines if (line.reference, f"{line.kind}/{line.name}") == (name, cluster.line))
    return next(fits, "")


def _histogram(report: Report) -> str:
    found = report.similarities
    return drawing.histogram(found, report.suspect.functions) if found else ""


def _bins(report: Report) -> list[tuple[float, float, int, float]]:
    """Each bin of the histogram: its edges, functions of the suspect, and what coincidence gives."""
    found = report.similarities
    if found is None:
        return []
    chance = drawing.expected(found, report.suspect.functions)
    return list(zip(found.edges, found.edges[1:], found.suspect, chance, strict=False))


def _skipped(skipped: Iterable[Skipped]) -> list[tuple[str, list[str]]]:
    """What was not read, by reason; the reason that most share first."""
    reasons: dict[str, list[str]] = {}
    for one in skipped:
        reasons.setdefault(one.reason, []).append(one.path)
    return sorted(reasons.items(), key=lambda item: (-len(item[1]), item[0]))
