"""The report as JUnit XML, for CI services that show tests: a suite for each reference and file, a case for each match.

A match that the suspect does not declare is a failure, one that it declares or somebody accepted a passed case; so is a
line of evidence beside the code, in a suite of its reference. A reference without any match has a passed case that
says so, since services take a report without cases for a broken one. A kind that had nothing to look at is a skipped
case.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from xml.etree import ElementTree

from detector.model import Evidence, Examined, Match, Remark, Report, Skipped
from detector.report import summary, words
from detector.report.findings import (
    KINDS,
    acceptance,
    changed_names,
    is_finding,
    line_kind,
    line_sentence,
    name,
    place,
    remark_kind,
    remark_sentence,
    sentence,
)
from detector.report.names import elided, visible

MAX_RENAMES = 20  # of a failure: what a person reads
MAX_PLACES = 20


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
            said = "no function matches one of it" if summary.has_compared_code(report) else "code was not compared"
            suites[side.name, ""] = [ElementTree.Element("testcase", classname=name(side.name), name=said)]
    if not report.references:
        own = name(report.suspect.name)
        suites[own, ""] = [ElementTree.Element("testcase", classname=own, name=words.ALONE[0])]
    root = ElementTree.Element("testsuites", name="detector")
    for (reference, path), cases in suites.items():
        _add_suite(root, f"{name(reference)}: {_path(path)}" if path else name(reference), cases)
    for reference, cases in _lines(report).items():
        _add_suite(root, f"{name(reference)}: evidence", cases)
    if report.remarks:
        _add_suite(root, "comments that accept findings", _remarks(report.remarks))
    missed = [each for each in report.examined if not each.is_possible]
    if missed:
        _add_suite(root, "nothing to look at", map(_missed, missed))
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
    if match.is_declared or match.accepted:
        return _passed(case, match.accepted)
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


def _lines(report: Report) -> dict[str, list[ElementTree.Element]]:
    """Lines of evidence by their reference, but for those that count what is a case by itself."""
    suites: dict[str, list[ElementTree.Element]] = {}
    titles: Counter[tuple[str, str]] = Counter()
    for line in summary.ledger(report):
        if line.kind in ("code", "traces"):
            continue
        title = line_kind(line)
        titles[line.reference, title] += 1
        number = titles[line.reference, title]
        case = _line(line, f"{title} ({number})" if number > 1 else title, report)
        suites.setdefault(line.reference, []).append(case)
    return suites


def _line(line: Evidence, title: str, report: Report) -> ElementTree.Element:
    case = ElementTree.Element("testcase", classname=name(line.reference), name=title)
    if line.accepted or not is_finding(line, report):
        return _passed(case, line.accepted)
    said = line_sentence(line)
    failure = ElementTree.SubElement(case, "failure", type=line_kind(line), message=said)
    lines = [said, *(f"tested: {elided(visible(text), 400)}" for text in line.tested[:MAX_PLACES])]
    lines += [f"calibration: {elided(visible(line.calibration), 400)}"] if line.calibration else []
    lines += [f"  {_path(path)}{f':{number}' if number else ''}" for path, number in line.places[:MAX_PLACES]]
    failure.text = "\n".join(lines)
    return case


def _passed(case: ElementTree.Element, accepted: str) -> ElementTree.Element:
    """A case that passes, with who accepted it as its output."""
    if accepted:
        ElementTree.SubElement(case, "system-out").text = acceptance(accepted)
    return case


def _remarks(remarks: Iterable[Remark]) -> Iterator[ElementTree.Element]:
    """Named by what they say and a number, not by their line: services follow a test by its name."""
    titles: Counter[tuple[str, str]] = Counter()
    for remark in remarks:
        kind, said, path = remark_kind(remark), remark_sentence(remark), _path(remark.path)
        titles[path, f"{kind}: {said}"] += 1
        number = titles[path, f"{kind}: {said}"]
        title = f"{kind}: {said}{f' ({number})' if number > 1 else ''}"
        case = ElementTree.Element("testcase", classname=path, name=title)
        failure = ElementTree.SubElement(case, "failure", type=kind, message=said)
        failure.text = f"{_path(remark.path)}:{remark.line}: {said}"
        yield case


def _missed(examined: Examined) -> ElementTree.Element:
    of = f" with {name(examined.reference)}" if examined.reference else ""
    case = ElementTree.Element("testcase", classname="nothing to look at", name=f"{name(examined.kind)}{of}")
    ElementTree.SubElement(case, "skipped", message=elided(visible(examined.about), 200))
    return case


def _skipped(skipped: Skipped) -> ElementTree.Element:
    path = _path(skipped.path)
    case = ElementTree.Element("testcase", classname="not read", name=path)
    ElementTree.SubElement(case, "skipped", message=elided(visible(skipped.reason), 200))
    return case


def _path(path: str) -> str:
    return elided(visible(path), 200)
