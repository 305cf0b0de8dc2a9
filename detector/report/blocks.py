"""A report as one block of plain text for each finding: what a hook prints."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from detector.model import Match, Report, Side, Span
from detector.report import told
from detector.report.names import elided, visible
from detector.report.words import count

WIDTH = 100
INDENT = "    "
MAX_BLOCKS = 50
MAX_ALSO = 3
MAX_SKIPPED = 20
REVISION_DIGITS = 12
LEGEND = (
    "A likeness that was measured: who had the code first, and whether it may be used, is not for a program to say. "
    "A comment that credits or accepts counts above a function or its class; a baseline accepts all that is there."
)


def render(report: Report) -> str:
    """Write a block for each match that is neither declared nor accepted, and a line for the rest.

    Units: at most MAX_BLOCKS blocks; more are counted.
    """
    found = told.open_matches(report)
    sides = {side.name: side for side in report.references}
    parts = ["\n".join(_block(match, report, sides.get(match.reference_name))) for match in found[:MAX_BLOCKS]]
    if len(found) > MAX_BLOCKS:
        parts.append(f"{len(found) - MAX_BLOCKS:,} more; --format json has all of them.")
    if found:
        parts.append(_wrapped(LEGEND, ""))
    parts.append("\n".join(_rest(report)))
    return "\n\n".join(parts) + "\n"


def summary(report: Report) -> str:
    """The outcome in one line."""
    found = len(told.open_matches(report))
    declared = sum(match.is_declared for match in report.matches)
    accepted = sum(bool(match.accepted) and not match.is_declared for match in report.matches)
    what = f"{count(found, 'finding')}" if found else "nothing found"
    more = [f"{declared:,} declared" if declared else "", f"{accepted:,} accepted" if accepted else ""]
    about = told.examined(report)
    return visible(f"detector: {', '.join(filter(None, [what, *more]))}{f' ({about})' if about else ''}")


def _block(match: Match, report: Report, side: Side | None) -> Iterator[str]:
    revision = f" at {_short(side.revision)}" if side is not None and side.revision else ""
    yield f"{_place(match.suspect)} {_name(match.suspect.qualname)}"
    yield _wrapped(
        f"computes what {_name(match.reference_name)}{revision} computes in {_place(match.reference)} "
        f"{_name(match.reference.qualname)}"
    )
    yield _wrapped(told.alike(match, report))
    if licences := told.licences(match):
        yield _wrapped(f"licence: {visible(licences)}")
    if others := told.also(report, match):
        listed = "; ".join(f"{_name(each.name)} {elided(visible(each.path))}" for each in others[:MAX_ALSO])
        more = f" and {len(others) - MAX_ALSO:,} more" if len(others) > MAX_ALSO else ""
        yield _wrapped(f"also in: {listed}{more}")
    yield _wrapped(f"what else would explain it: {told.innocent(match)}")
    if match.credit:
        yield f"{INDENT}if it comes from there, above the function:"
        yield from (f"{INDENT}{INDENT}{visible(line)}" for line in match.credit.splitlines())
    yield f"{INDENT}to accept it:"
    yield f"{INDENT}{INDENT}# detector: ignore[{told.rule(match)}] reason=..."


def _rest(report: Report) -> Iterator[str]:
    for each in told.left_out(report):
        yield _wrapped(f"{_name(each.reference)}: {visible(each.about)}", "")
    for remark in report.remarks[:MAX_BLOCKS]:
        yield _wrapped(f"{elided(visible(remark.path))}:{remark.line} {visible(remark.text)}", "")
    if len(report.remarks) > MAX_BLOCKS:
        yield f"{len(report.remarks) - MAX_BLOCKS:,} more comments that accept nothing as they are"
    for skipped in report.skipped[:MAX_SKIPPED]:
        yield _wrapped(f"not read: {elided(visible(skipped.path))}: {visible(skipped.reason)}", "")
    if len(report.skipped) > MAX_SKIPPED:
        yield f"not read: {len(report.skipped) - MAX_SKIPPED:,} more"
    yield summary(report)


def _wrapped(text: str, indent: str = INDENT) -> str:
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _place(span: Span) -> str:
    return f"{elided(visible(span.path))}:{span.first_line}-{span.last_line}"


def _name(text: str) -> str:
    return elided(visible(text), 80) or "(no name)"


def _short(revision: str) -> str:
    return elided(visible(revision), REVISION_DIGITS * 2)[:REVISION_DIGITS] if len(revision) >= 40 else _name(revision)
