"""The report as JUnit XML, for CI services that show tests: a suite for each reference and file, a case for each match.

A match that the suspect does not declare is a failure, one that it declares a passed case. A reference without any
match has a passed case that says so, since services take a report without cases for a broken one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from xml.etree import ElementTree

from detector.model import Match, Report, Skipped
from detector.report.findings import KINDS, changed_names, name, place, sentence
from detector.report.names import elided, visible

MAX_RENAMES = 20  # of a failure: what a person reads


def render(report: Report) -> str:
    """Write the suites in the order in which the report first names them.

    Stable: what XML 1.0 has no character for is shown by its code, as everything that is not printable.
    """
    suites: dict[tuple[str, str], list[ElementTree.Element]] = {}
    titles: Counter[tuple[str, str]] = Counter()
    for match in report.matches:
        title = f"{name(match.suspect.qualname)} and {name(match.reference.qualname)} of {name(match.reference_name)}"
        titles[match.suspect.path, title] += 1
        number = titles[match.suspect.path, title]  # of functions that are called alike in one file
        case = _case(match, f"{title} ({number})" if number > 1 else title, report)
        suites.setdefault((match.reference_name, match.suspect.path), []).append(case)
    matched = {reference for reference, _ in suites}
    for side in report.references:
        if side.name not in matched:
            case = ElementTree.Element("testcase", classname=name(side.name), name="no function matches one of it")
            suites[side.name, ""] = [case]
    root = ElementTree.Element("testsuites", name="detector")
    for (reference, path), cases in suites.items():
        _add_suite(root, f"{name(reference)}: {_path(path)}" if path else name(reference), cases)
    if report.skipped:
        _add_suite(root, "not read", map(_skipped, report.skipped))
    _count(root, root.iter("testcase"))
    ElementTree.indent(root, " ")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(root, "unicode")}\n'


def _add_suite(root: ElementTree.Element, title: str, cases: Iterable[ElementTree.Element]) -> None:
    suite = ElementTree.SubElement(root, "testsuite", name=title)
    suite.extend(cases)
    _count(suite, suite)


def _count(element: ElementTree.Element, cases: Iterable[ElementTree.Element]) -> None:
    """Write the numbers that services show, and some of them check."""
    cases = list(cases)
    element.set("tests", str(len(cases)))
    element.set("failures", str(sum(case.find("failure") is not None for case in cases)))
    element.set("errors", "0")
    element.set("skipped", str(sum(case.find("skipped") is not None for case in cases)))


def _case(match: Match, title: str, report: Report) -> ElementTree.Element:
    """One match as a case whose name stays when lines move: services follow a test by its name."""
    case = ElementTree.Element("testcase", classname=_path(match.suspect.path), name=title)
    if match.is_declared:
        return case
    said = sentence(match, report)
    failure = ElementTree.SubElement(case, "failure", type=KINDS[match.clone_type], message=said)
    changed = list(changed_names(match.renames).items())
    lines = [f"{place(match.suspect)}: {said}"]
    if changed:
        lines += ["", "Names of the reference and what the suspect calls them:"]
        lines += [f"  {name(theirs)} -> {name(ours)}" for ours, theirs in changed[:MAX_RENAMES]]
    if len(changed) > MAX_RENAMES:
        lines.append(f"  and {len(changed) - MAX_RENAMES:,} more")
    failure.text = "\n".join(lines)
    return case


def _skipped(skipped: Skipped) -> ElementTree.Element:
    path = _path(skipped.path)
    case = ElementTree.Element("testcase", classname="not read", name=path)
    ElementTree.SubElement(case, "skipped", message=elided(visible(skipped.reason), 200))
    return case


def _path(path: str) -> str:
    return elided(visible(path), 200)
