"""The report for an issue or a pull request, in Markdown: bounded, and what strangers wrote has no effect."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence

from detector.model import Correspondence, Evidence, Exhibit, Match, NamePair, Report, Role, Side, Span, Strength, Texts
from detector.report import captions, figures, licences, rounding, summary, words
from detector.report.escaping import block, code, html_code, prose
from detector.report.findings import changed_names, remark_kind
from detector.report.names import elided, visible
from detector.report.words import CLONE_TYPES, basis

# GitHub takes 65,536 characters for an issue, a comment or a description; the rest is for what a bot puts around it.
MAX_LENGTH = 60_000
LEFT_OUT_LENGTH = 400  # kept for the line that says what was left out

# Rows of the tables: what a person reads through; the JSON report has everything.
MAX_REFERENCES = 20
MAX_MATCHES = 25
MAX_RENAMES = 4  # of one match
MAX_PAIRS = 15  # of classes, and of files
MAX_NAMES = 15
MAX_EVIDENCE = 20
MAX_TESTED = 3  # of one line
MAX_PLACES = 3
MAX_TRACES = 15
MAX_REASON = 200  # characters of what accepts a finding
MAX_REMARKS = 15
MAX_EXHIBITS = 10
MAX_FIGURES = 6
MAX_ROWS = 10  # of each
MAX_COLUMNS = 8
MAX_EVENTS = 25
MAX_EXAMINED = 20
MAX_SKIPPED = 15
MAX_DIFFS = 5
MAX_DIFF_LINES = 1000  # of either text: beyond, comparing lines takes long and nobody reads it
FEWEST_PLACES = 2  # of a name: said once, it stands with its function
REVISION_DIGITS = 12  # of a commit id: enough to look it up

LEGEND = (
    "Bits: how surprising the shared part is, called helpers included. Similarity: how well the two fit each other. "
    "A match is a measured likeness. Who had the code first, and whether they may use it, is not for a program to say."
)


def render(report: Report) -> str:
    """Write the report section by section; a section that would make it too long is left out whole, and named.

    Units: length in characters, `MAX_LENGTH` at most.
    """
    text = _head(report)
    left_out: list[str] = []
    for title, section in _sections(report):
        if len(text) + len(section) + 1 + LEFT_OUT_LENGTH <= MAX_LENGTH:
            text += f"\n{section}"
        else:
            left_out.append(title)
    if left_out:
        text += f"\n_Left out for length: {', '.join(left_out)}. `--format json` has everything._\n"
    return text


def _sections(report: Report) -> Iterator[tuple[str, str]]:
    """Title and text of what follows the head."""
    if report.remarks:
        yield "comments that accept nothing", _remarks(report)
    if summary.has_compared_code(report) or report.matches:
        yield "matches", _matches(report)
    elif report.references:
        why = prose(summary.why_no_code(report))
        yield "matches", f"### Matches\n\nCode was not compared: {why}.\n"
    for title, pairs in (("classes", report.classes), ("files", report.files)):
        if report.matches and pairs:
            yield title, _correspondences(title, pairs)
    names = [pair for pair in report.names if pair.places >= FEWEST_PLACES and pair.places > pair.contradicted]
    if report.matches and names:
        yield "names", _names(names)
    if terms := licences.pairs(report):
        yield "licences", _licences(terms)
    if report.evidence:
        yield "evidence", _evidence(report)
    for number, figure in enumerate(figures.ordered(report)[:MAX_FIGURES], 1):
        yield f"figure {number}", captions.caption(figure)
    for number, exhibit in enumerate(summary.exhibits(report)[:MAX_EXHIBITS], 1):
        yield f"table {number}", _exhibit(exhibit)
    if report.events:
        yield "histories", _events(report)
    if report.traces:
        yield "traces", _traces(report)
    if missed := summary.nothing_to_look_at(report):
        yield "what had nothing to look at", _missed(missed)
    if report.skipped:
        yield "what was not read", _skipped(report)
    explained = [(match, match.texts) for match in report.matches if match.texts]
    for number, (match, texts) in enumerate(explained[:MAX_DIFFS], 1):
        yield f"texts of match {number}", _diff(match, texts)


def _head(report: Report) -> str:
    head = f"## {words.relation(report).capitalize()}\n\n{words.meaning(report, code)}\n\n"
    functions = f"{_count(report.suspect.functions, 'function')} in {_count(report.suspect.files, 'file')}"
    has_code = summary.has_compared_code(report)
    suspect = f"Suspect: {code(report.suspect.name)}, {code(report.suspect.target)}{_at(report.suspect)}"
    suspect += f", {functions}.\n" if has_code else ".\n"
    if not report.references:
        return head + suspect
    scale = ", ".join(f"**{each.value}**" if each is report.strength else each.value for each in Strength)
    rests = [f"{code(each.name)} {each.strength.value}{_strongest(each.line)}" for each in report.clusters]
    rests_on = f" It rests on {'; '.join(rests)}." if rests else ""
    head += f"Support: {scale}.{rests_on}\n\n{suspect}\n"
    return head + (_references(report) if has_code else _names_of(report))


def _strongest(line: str) -> str:
    return f" ({code(line)})" if line else ""


def _names_of(report: Report) -> str:
    """References of which no code was compared."""
    rows = [(code(side.name), _revision(side)) for side in report.references[:MAX_REFERENCES]]
    return _table(("reference", "revision"), 2, rows, len(report.references))


def _references(report: Report) -> str:
    attribution = {line.reference: line for line in report.attribution}
    rows = []
    for side in report.references[:MAX_REFERENCES]:
        line = attribution.get(side.name)
        numbers = ("", "", "", "")
        if line:
            share = f"{line.share_of_suspect:.1%}"
            numbers = (f"{line.bits:,.1f}", f"{line.exclusive_bits:,.1f}", f"{line.functions:,}", share)
        rows.append((code(side.name), _revision(side), f"{side.functions:,}", *numbers))
    headings = ("reference", "revision", "functions", "bits", "exclusive bits", "nearest to it", "share of suspect")
    return _table(headings, 2, rows, len(report.references))


def _revision(side: Side) -> str:
    return code(side.revision[:REVISION_DIGITS]) if side.revision else ""


def _at(side: Side) -> str:
    return f" at {_revision(side)}" if side.revision else ""


def _matches(report: Report) -> str:
    if not report.matches:
        return "### Matches\n\nNo function of the suspect matches one of a reference.\n"
    headings = ("suspect", "reference", "similarity", "bits", "clone type", "rests on", "renames")
    rows = [
        (
            _place(match.suspect),
            f"{code(match.reference_name)} {_place(match.reference)}",
            f"{match.similarity:.2f}",
            f"{match.bits:,.1f}",
            CLONE_TYPES[match.clone_type] + (", declared" if match.is_declared else "") + _accepted(match.accepted),
            basis(match, report.settings),
            _renames(match),
        )
        for match in report.matches[:MAX_MATCHES]
    ]
    table = _table(headings, 2, rows, len(report.matches), numbers=2)
    return f"### Matches\n\n{_count(len(report.matches), 'match', 'matches')}, by bits.\n\n{table}\n{LEGEND}\n"


def _place(span: Span) -> str:
    role = "" if span.role is Role.OWN else f" ({span.role.value})"
    return f"{code(span.qualname)} {_lines(span.path, f'{span.first_line}-{span.last_line}')}{role}"


def _lines(path: str, lines: str) -> str:
    """A path with lines, in one span: outside of it, a number of seven digits may be taken for a commit."""
    return code(f"{elided(visible(path))}:{lines}", 120)


def _renames(match: Match) -> str:
    changed = list(changed_names(match.renames).items())
    shown = [f"{code(theirs, 40)} → {code(ours, 40)}" for ours, theirs in changed[:MAX_RENAMES]]
    more = len(changed) - MAX_RENAMES
    return ", ".join([*shown, f"{more:,} more"] if more > 0 else shown)


def _correspondences(title: str, pairs: Sequence[Correspondence]) -> str:
    rows = [
        (
            f"{code(pair.suspect_class)} {code(pair.suspect_path)}" if pair.suspect_class else code(pair.suspect_path),
            code(pair.reference_name),
            f"{code(pair.reference_class)} {code(pair.reference_path)}"
            if pair.reference_class
            else code(pair.reference_path),
            f"{pair.functions:,} of {pair.suspect_functions:,}",
            f"{pair.bits:,.1f}",
        )
        for pair in pairs[:MAX_PAIRS]
    ]
    headings = ("suspect", "reference", "there", "functions", "bits")
    return f"### {title.capitalize()} that correspond\n\n{_table(headings, 3, rows, len(pairs))}"


def _names(names: Sequence[NamePair]) -> str:
    rows = [
        (code(pair.reference), code(pair.suspect), code(pair.reference_name), f"{pair.places:,}", _otherwise(pair))
        for pair in names[:MAX_NAMES]
    ]
    headings = ("in the reference", "in the suspect", "reference", "places", "otherwise")
    return f"### Names\n\n{_table(headings, 3, rows, len(names))}"


def _licences(pairs: Sequence[licences.Pair]) -> str:
    rows = [
        (
            code(pair.reference_name),
            code(pair.there),
            code(pair.here),
            prose(pair.verdict),
            prose(pair.note),
            f"{pair.functions:,}",
            f"{pair.undeclared:,}",
        )
        for pair in pairs[:MAX_PAIRS]
    ]
    headings = ("reference", "licence there", "here", "verdict", "what the table says", "functions", "undeclared")
    return f"### Licences\n\n{licences.NO_ADVICE}\n\n{_table(headings, 5, rows, len(pairs))}"


def _otherwise(pair: NamePair) -> str:
    return f"{pair.contradicted:,}" if pair.contradicted else ""


def _evidence(report: Report) -> str:
    rows = [
        (
            line.strength.value,
            code(f"{line.kind}/{line.name}"),
            code(line.reference),
            prose(line.claim) + _lines_of(line) + _accepted(line.accepted),
            prose(line.innocent) + "".join(f"; tried: {prose(text)}" for text in line.tested[:MAX_TESTED]),
            prose(line.calibration) if line.calibration else "",
        )
        for line in summary.ledger(report)[:MAX_EVIDENCE]
    ]
    headings = ("support", "pattern", "reference", "claim", "what else would explain it", "seen elsewhere")
    return f"### Evidence\n\n{_table(headings, 6, rows, len(report.evidence))}"


def _accepted(accepted: str) -> str:
    return f"; accepted: {prose(accepted, MAX_REASON)}" if accepted else ""


def _remarks(report: Report) -> str:
    rows = [
        (_lines(remark.path, str(remark.line)), code(remark_kind(remark)), prose(remark.text))
        for remark in report.remarks[:MAX_REMARKS]
    ]
    table = _table(("place", "rule", "what is wrong"), 3, rows, len(report.remarks))
    return f"### Comments that accept nothing as they are\n\n{table}"


def _lines_of(line: Evidence) -> str:
    shown = [_lines(path, str(number)) if number else code(path) for path, number in line.places[:MAX_PLACES]]
    more = [f"{len(line.places) - MAX_PLACES:,} more"] if len(line.places) > MAX_PLACES else []
    return f"; in {', '.join(shown + more)}" if shown else ""


def _exhibit(exhibit: Exhibit) -> str:
    title = f"### {prose(exhibit.title)}\n\n{code(f'{exhibit.kind}/{exhibit.name}')}"
    title += f" of {code(exhibit.reference)}.\n\n" if exhibit.reference else ".\n\n"
    headings = [prose(column, 60) for column in exhibit.columns[:MAX_COLUMNS]]
    if not headings:
        return title
    rows = [[_cell(value) for value in row[:MAX_COLUMNS]] for row in exhibit.rows[:MAX_ROWS]]
    table = _table(headings, len(headings), rows, len(exhibit.rows))
    left = f"\n{_count(exhibit.omitted, 'row')} of a long table left out of the report.\n" if exhibit.omitted else ""
    return title + table + left


def _cell(value: float | int | str) -> str:
    if isinstance(value, str):
        return code(value, 60)
    return code(f"{value:.{rounding.MEASURE_DIGITS}g}" if isinstance(value, float) else str(value))


def _events(report: Report) -> str:
    rows = [
        (code(event.at, 20), code(event.side, 40), prose(event.text, 300), code(event.revision[:REVISION_DIGITS]))
        for event in report.events[:MAX_EVENTS]
    ]
    headings = ("time, as commits claim it", "side", "what happened", "commit")
    return f"### Histories\n\n{_table(headings, 4, rows, len(report.events))}"


def _missed(missed: Sequence[summary.Nothing]) -> str:
    rows = [
        (", ".join(code(kind, 40) for kind in each.kinds), prose(each.about), ", ".join(map(code, each.references)))
        for each in missed[:MAX_EXAMINED]
    ]
    return f"### Nothing to look at\n\n{_table(('kind', 'what was missing', 'only for'), 3, rows, len(missed))}"


def _traces(report: Report) -> str:
    rows = [
        (
            prose(trace.kind.replace("-", " ")),
            code(trace.text, 120),
            _places(trace.suspect),
            f"{code(trace.reference_name)} {_places(trace.reference)}",
            f"{trace.bits:,.1f}",
            f"{trace.packages:,}{_accepted(trace.accepted)}",
        )
        for trace in report.traces[:MAX_TRACES]
    ]
    headings = ("trace", "text", "suspect", "reference", "bits", "packages that have it too")
    return f"### Small things that both have\n\n{_table(headings, 4, rows, len(report.traces))}"


def _places(places: Sequence[tuple[str, int]]) -> str:
    return ", ".join(_lines(path, str(line)) for path, line in places[:1]) + (", …" if len(places) > 1 else "")


def _skipped(report: Report) -> str:
    rows = [(code(skipped.path), prose(skipped.reason, 200)) for skipped in report.skipped[:MAX_SKIPPED]]
    return f"### Not read\n\n{_table(('path', 'reason'), 2, rows, len(report.skipped))}"


def _diff(match: Match, texts: Texts) -> str:
    """What is left of the difference once the renames are undone."""
    title = f"{html_code(match.suspect.qualname)} ← {html_code(match.reference.qualname)}"
    undone = _count(texts.undone, "name")
    ours, theirs = (
        [line.rstrip() for line in text.removesuffix("\n").split("\n")] for text in (texts.unrenamed, texts.reference)
    )
    if ours == theirs:
        body = f"With {undone} put back, the two texts are the same.\n"
    elif max(len(ours), len(theirs)) > MAX_DIFF_LINES:
        body = f"More than {MAX_DIFF_LINES:,} lines: too long to show.\n"
    else:
        found = difflib.unified_diff(theirs, ours, "reference", f"suspect, {undone} put back", lineterm="")
        body = block("\n".join(found), "diff") + "\n"
    if match.credit:
        body += f"\nThe comment that would declare it:\n\n{block(match.credit, 'python')}\n"
    return f"<details><summary>{title}: the suspect's text with its names put back</summary>\n\n{body}\n</details>\n"


def _table(
    headings: Sequence[str], texts: int, rows: Iterable[Sequence[str]], total: int, numbers: int | None = None
) -> str:
    """A table whose columns after the first `texts` hold `numbers` numbers, with a line for the rows that it lacks."""
    last_number = len(headings) if numbers is None else texts + numbers
    rule = ["---:" if texts <= place < last_number else "---" for place in range(len(headings))]
    lines = [_row(each) for each in (headings, rule, *rows)]
    more = total - (len(lines) - 2)
    return "\n".join(lines) + "\n" + (f"\n… and {more:,} more; `--format json` lists all.\n" if more > 0 else "")


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _count(number: int, noun: str, plural: str = "") -> str:
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
