"""A report as the comment on a change request: found again by its first line, and written anew with each push."""

from __future__ import annotations

from collections.abc import Iterator

from detector.model import Match, Report, Span
from detector.report import told
from detector.report.escaping import block, code, html_code, prose
from detector.report.names import elided, visible
from detector.report.words import count

MARKER = "<!-- detector -->"  # by which a bot tells its own comment from others
MAX_LENGTH = 60_000  # as of a report in Markdown
MAX_MATCHES = 25
MAX_SKIPPED = 15
LEGEND = (
    "A likeness that was measured: who had the code first, and whether it may be used, is not for a program to say."
)


def render(report: Report) -> str:
    """Write the marker, one row for each finding, and how each may be credited or accepted.

    Units: length in characters, MAX_LENGTH at most.
    """
    found = told.open_matches(report)
    text = f"{MARKER}\n### {_heading(report, found)}\n"
    about = told.examined(report)
    text += f"\n{prose(_sentence(about))}\n" if about else ""
    left = len(found)
    if found:
        text += "\n| here | there | similarity | bits | licences |\n| --- | --- | ---: | ---: | --- |\n"
    details: list[str] = []
    for match in found[:MAX_MATCHES]:
        row, detail = _row(match), "\n".join(_detail(match, report))
        if len(text) + len(row) + sum(map(len, details)) + len(detail) > MAX_LENGTH:
            break
        text += row
        details.append(detail)
        left -= 1
    if left:
        text += f"\n… and {left:,} more; `--format json` lists all.\n"
    for part in (*details, f"\n{LEGEND}\n" if found else "", _rest(report)):
        text += part if len(text) + len(part) <= MAX_LENGTH else ""
    return text


def _heading(report: Report, found: list[Match]) -> str:
    if not found:
        return "Nothing in this change is alike what is known"
    functions = count(len({(match.suspect.path, match.suspect.qualname) for match in found}), "function")
    return f"{functions} of this change {'computes' if functions.startswith('1 ') else 'compute'} what is known"


def _sentence(about: str) -> str:
    return f"Compared: {about}."


def _row(match: Match) -> str:
    cells = (
        f"{code(match.suspect.qualname)} {_place(match.suspect)}",
        f"{code(match.reference_name)} {code(match.reference.qualname)} {_place(match.reference)}",
        f"{match.similarity:.2f}",
        f"{match.bits:,.1f}",
        prose(told.licences(match), 300) if match.terms is not None else "",
    )
    return f"| {' | '.join(cells)} |\n"


def _detail(match: Match, report: Report) -> Iterator[str]:
    yield f"\n<details><summary>{html_code(match.suspect.qualname)}: credit it, or accept it</summary>\n"
    yield f"It shows {prose(told.alike(match, report))}. {told.meanings(match)}\n"
    if others := told.also(report, match):
        yield f"Also in: {', '.join(code(each.name) for each in others[:3])}\n"
    yield f"What else would explain it: {prose(told.innocent(match))}.\n"
    if match.credit:
        yield "If it comes from there, this comment above the function says so:\n"
        yield f"{block(match.credit, 'python')}\n"
    yield f"If not: {code(f'# detector: ignore[{told.rule(match)}] reason=...', 120)}\n\n</details>\n"


def _rest(report: Report) -> str:
    lines = [f"- {code(each.reference)}: {prose(each.about)}\n" for each in told.left_out(report)]
    lines += [f"- not read: {code(each.path)}: {prose(each.reason, 200)}\n" for each in report.skipped[:MAX_SKIPPED]]
    more = len(report.skipped) - MAX_SKIPPED
    lines += [f"- not read: {more:,} more\n"] if more > 0 else []
    return f"\n{''.join(lines)}" if lines else ""


def _place(span: Span) -> str:
    return code(f"{elided(visible(span.path))}:{span.first_line}-{span.last_line}", 120)
