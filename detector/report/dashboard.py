"""The page of a scan: what changed in the last run, every finding, who derives from whom; complete without scripts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from detector.model import Strength
from detector.report import occurrence_lanes, words
from detector.report.assets import dashboard_assets
from detector.report.names import elided, visible
from detector.report.templates import Template, template
from detector.scanned import OF_FINDINGS, OF_MEMBERS, Finding, Member, Scan, Standing, State

MOST_FINDINGS = 5_000  # of a state: each is a row with its lines, some 3 KB; `findings.jsonl` has all
FIRST_OPEN = 12  # new findings that are shown with their lines at once: what somebody reads in one sitting
FIRST_LISTED, MOST_LISTED = 20, 2_000  # rows of a table that are not folded away, and rows in all
LONGEST_NAME = 200  # characters of a name or a reason in a row: an owner and a name of 96 each, as hubs allow
# What a reader has to do something about: a member whose files are not for us, is gone, or could not be read.
ATTENTION = (Standing.GATED, Standing.VANISHED, Standing.FAILED)
_ABOUT = {
    State.NEW: "Found by the last run, or grown beyond what was accepted. Nobody has said anything of them yet.",
    State.KNOWN: "An earlier run had them, too, and they are still there.",
    State.ACCEPTED: "Somebody has said why these are no matter. What grows beyond what was accepted is new again.",
    State.GONE: "A later revision of one of the two does not have it any more, or one of the two vanished.",
}


@dataclass(frozen=True, slots=True)
class Group:
    """Findings of one state."""

    state: State
    about: str
    findings: tuple[Finding, ...]
    left: int  # that the page does not have


def render(scan: Scan, reports: Collection[str] = ()) -> str:
    """Write a scan as one HTML document.

    reports: ids of findings whose report is in `reports/<id>.html` beside the page.
    Stable: depends on the arguments alone; reports may come in any order.
    """
    from detector.report import graph  # it brings a library to lay out graphs, which only this page needs

    last = scan.runs[0] if scan.runs else None
    occurred = Counter(last.counts if last else {})
    groups = [_group(scan.findings, state) for state in State]
    return _page().render(
        scan=scan,
        assets=dashboard_assets(),
        last=last,
        groups=groups,
        counts={group.state.value: len(group.findings) + group.left for group in groups},
        occurred={kind: occurred[kind] for kind in (*OF_FINDINGS, *OF_MEMBERS)},
        standings=[(each.value, number) for each, number in _standings(scan.members)],
        attention=_attention(scan.members),
        reports=frozenset(reports),
        lineage=graph.fragment(scan.lineage),
        timeline=occurrence_lanes.timeline(scan.runs, scan.occurrences),
        heading=_heading(groups[0], last is not None),
        of_findings=OF_FINDINGS,
        meaning=_meaning,
        words=words,
        scale=list(Strength),
        first_open=FIRST_OPEN,
        first_listed=FIRST_LISTED,
        most_listed=MOST_LISTED,
    )


@cache
def _page() -> Template:
    filters: dict[str, Callable[..., object]] = {"size": _size, "rank": _rank, "moment": _moment, "brief": _brief}
    return template("dashboard.html.j2", filters)


def _group(findings: Iterable[Finding], state: State) -> Group:
    found = tuple(each for each in findings if each.state is state)
    return Group(state, _ABOUT[state], found[:MOST_FINDINGS], max(len(found) - MOST_FINDINGS, 0))


def _heading(new: Group, has_run: bool) -> str:
    if not has_run:
        return "No run yet"
    count = len(new.findings) + new.left
    return words.count(count, "new finding") if count else "Nothing new"


def _meaning(found: Finding) -> str:
    return words.RELATIONS[found.relation][1].format(suspect=found.suspect, reference=found.reference)


def _standings(members: Sequence[Member]) -> list[tuple[Standing, int]]:
    counts = Counter(member.standing for member in members)
    return [(standing, counts[standing]) for standing in Standing if counts[standing]]


def _attention(members: Sequence[Member]) -> list[Member]:
    """Members that need it, by standing and then by name."""
    found = [member for member in members if member.standing in ATTENTION]
    return sorted(found, key=lambda member: (ATTENTION.index(member.standing), member.name))


def _rank(strength: Strength) -> int:
    return list(Strength).index(strength)


def _brief(text: str) -> str:
    return elided(visible(text), LONGEST_NAME)


def _moment(at: str) -> str:
    """A time for people: `2024-05-28 00:30`; what is none as it is."""
    return f"{at[:10]} {at[11:16]}" if len(at) >= 20 and at[10] == "T" else at


def _size(count: int) -> str:
    """Bytes in the unit that gives one to three digits before the point."""
    value, units = float(count), ["bytes", "kB", "MB", "GB", "TB", "PB"]
    while value >= 999.5 and len(units) > 1:
        value, units = value / 1000, units[1:]
    return f"{count:,} bytes" if units[0] == "bytes" else f"{value:.3g} {units[0]}"
