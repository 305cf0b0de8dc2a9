"""A JSON report back to the `Report` it was written from: the inverse of `render` in `report/json.py`.

The text is untrusted: whatever does not follow `detector-report-1.schema.json` is a `UserError` that names its place.
Keys that are not known are ignored, and those that the schema does not require may be missing.
"""

from __future__ import annotations

import json
from itertools import pairwise
from typing import NoReturn

from detector.model import (
    Attribution,
    Basis,
    CloneType,
    Cluster,
    Correspondence,
    Event,
    Evidence,
    Examined,
    Exhibit,
    Flow,
    FlowNode,
    FlowPair,
    Lines,
    Match,
    NamePair,
    Relation,
    Remark,
    Report,
    Role,
    Side,
    Similarities,
    Skipped,
    Span,
    Strength,
    Terms,
    Texts,
    Trace,
)
from detector.report import figure_reading
from detector.report.documents import SCHEMA
from detector.report.findings import TRACE_KINDS
from detector.report.typed import MOST_LINES, Array, Object, Place
from detector.report.words import COINCIDENCE_OF

# Where a name stands: see `Match.renames_by_role`.
ROLES = ("values", "members", "globals", "keywords")


def parse(text: str) -> Report:
    """Read a report that `detector-report/1` describes; `render(parse(render(report))) == render(report)`.

    Errors: UserError, one line that begins with the place: `matches[3].similarity: ...`.
    """
    place = Place("")
    try:
        document = json.loads(text, parse_constant=_refuse_constant)
    except RecursionError:
        place.refuse("nests too deeply to be a report")
    except json.JSONDecodeError as error:
        place.refuse(f"is no JSON: {error}")
    except ValueError:
        place.refuse("has a number that no report has: NaN, Infinity, or thousands of digits")
    root = Object(document, place)
    schema = root.text("schema")
    if schema != SCHEMA:
        root.at("schema").refuse(f"is {schema[:40]!r}, where a report says {SCHEMA!r}")
    return _report(root)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _report(root: Object) -> Report:
    similarities = root.optional("similarities")
    return Report(
        suspect=_side(root.object("suspect")),
        references=tuple(map(_side, root.objects("references"))),
        relation=root.choice("relation", Relation),
        strength=root.choice("strength", Strength),
        matches=tuple(map(_match, root.objects("matches"))),
        classes=tuple(map(_correspondence, root.objects("classes", is_required=False))),
        files=tuple(map(_correspondence, root.objects("files", is_required=False))),
        names=tuple(map(_name_pair, root.objects("names", is_required=False))),
        attribution=tuple(map(_attribution, root.objects("attribution"))),
        evidence=tuple(map(_evidence, root.objects("evidence"))),
        skipped=tuple(map(_skipped, root.objects("skipped"))),
        settings=root.object("settings").values(),
        versions=root.object("versions").texts(),
        traces=tuple(map(_trace, root.objects("traces", is_required=False))),
        similarities=_similarities(similarities) if similarities else None,
        clusters=tuple(map(_cluster, root.objects("clusters", is_required=False))),
        examined=tuple(map(_examined, root.objects("examined", is_required=False))),
        exhibits=tuple(map(_exhibit, root.objects("exhibits", is_required=False))),
        events=tuple(map(_event, root.objects("events", is_required=False))),
        remarks=tuple(map(_remark, root.objects("remarks", is_required=False))),
        figures=tuple(map(figure_reading.figure, root.objects("figures", is_required=False))),
    )


def _side(side: Object) -> Side:
    name = side.text("name")
    if not name:
        side.at("name").refuse("is empty, where a side has a name")
    return Side(
        target=side.text("target"),
        name=name,
        revision=side.text("revision"),
        functions=side.count("functions", default=0),
        files=side.count("files", default=0),
    )


def _span(span: Object) -> Span:
    first, last = (span.count(name, least=1, most=MOST_LINES) for name in ("first_line", "last_line"))
    if last < first:
        span.at("last_line").refuse(f"is {last}, before the first line, {first}")
    role = span.choice("role", Role, default=Role.OWN)
    return Span(span.text("path"), span.text("qualname"), first, last, role)


def _match(match: Object) -> Match:
    similarity, bits = match.ratio("similarity"), match.number("bits")
    suspect_lines, reference_lines = _lines_of_both(match.optional("shared_lines"))
    texts, flows, terms = match.optional("texts"), match.optional("flows"), match.optional("terms")
    places = match.optional("disguise_lines")
    return Match(
        suspect=_span(match.object("suspect")),
        reference_name=match.object("reference").text("name"),
        reference=_span(match.object("reference")),
        similarity=similarity,
        overlap=match.ratio("overlap", default=similarity),
        containment=match.ratio("containment"),
        bits=bits,
        own_bits=match.number("own_bits", default=bits),
        # A report that does not say what a match rests on claims nothing for it.
        coincidence=match.number("coincidence", most=COINCIDENCE_OF, default=COINCIDENCE_OF),
        basis=match.choice("basis", Basis, default=Basis.REQUEST),
        clone_type=CloneType(match.count("clone_type", least=1, most=max(CloneType))),
        is_declared=match.flag("declared"),
        digest=match.text("digest", default=""),
        renames=match.object("renames").texts(),
        renames_by_role=_by_role(match.optional("renames_by_role")),
        disguises=match.array("disguises").texts(),
        disguise_lines={name: _lines_of_both(places.object(name)) for name in places.names()} if places else {},
        suspect_lines=suspect_lines,
        reference_lines=reference_lines,
        texts=_texts(texts) if texts else None,
        flows=_flows(flows) if flows else None,
        terms=_terms(terms) if terms else None,
        credit=match.text("credit", default=""),
        accepted=match.text("accepted", default=""),
    )


def _terms(terms: Object) -> Terms:
    return Terms(terms.text("suspect"), terms.text("reference"), terms.text("verdict"), terms.text("note"))


def _by_role(roles: Object | None) -> dict[str, dict[str, str]]:
    return {} if roles is None else {role: roles.object(role).texts() for role in ROLES if role in roles.names()}


def _lines_of_both(lines: Object | None) -> tuple[tuple[Lines, ...], tuple[Lines, ...]]:
    if lines is None:
        return (), ()
    return _lines(lines.array("suspect")), _lines(lines.array("reference"))


def _lines(ranges: Array) -> tuple[Lines, ...]:
    found: list[Lines] = []
    for each in ranges.arrays():
        first, last = each.counts(2, least=1, most=MOST_LINES)
        if last < first:
            each.place.refuse(f"ends at {last}, before it begins at {first}")
        found.append((first, last))
    return tuple(found)


def _texts(texts: Object) -> Texts:
    suspect, reference, unrenamed = (texts.text(name) for name in ("suspect", "reference", "unrenamed"))
    if suspect.count("\n") != unrenamed.count("\n"):
        texts.at("unrenamed").refuse("has another number of lines than the text of the suspect")
    return Texts(
        suspect=suspect,
        reference=reference,
        unrenamed=unrenamed,
        undone=texts.count("undone"),
        equal=_runs(texts.array("equal"), unrenamed, reference),
        equal_as_published=_runs(texts.array("equal_as_published"), suspect, reference),
    )


def _runs(runs: Array, suspect: str, reference: str) -> tuple[tuple[int, int, int], ...]:
    """Runs of equal lines: ascending on both sides, none outside the texts."""
    ends = tuple(max(text.count("\n") + 1, len(text.splitlines())) for text in (suspect, reference))
    free = [0, 0]
    found: list[tuple[int, int, int]] = []
    for run in runs.arrays():
        ours, theirs, length = run.counts(3, most=MOST_LINES)
        for first, end, side in ((ours, ends[0], 0), (theirs, ends[1], 1)):
            if first + length > end:
                run.place.refuse(f"ends at line {first + length} of a text that has {end}")
            if first < free[side]:
                run.place.refuse(f"begins at line {first}, before the end of the one in front of it, {free[side]}")
            free[side] = first + length
        found.append((ours, theirs, length))
    return tuple(found)


def _flows(flows: Object) -> FlowPair:
    suspect, reference = _flow(flows.object("suspect")), _flow(flows.object("reference"))
    same: list[tuple[int, int]] = []
    for pair in flows.array("same").arrays():
        ours, theirs = pair.counts(2)
        _check_node(pair.place, ours, suspect.nodes)
        _check_node(pair.place, theirs, reference.nodes)
        same.append((ours, theirs))
    return FlowPair(suspect, reference, tuple(same))


def _flow(flow: Object) -> Flow:
    nodes = tuple(map(_node, flow.array("nodes").arrays()))
    edges: list[tuple[int, int]] = []
    for edge in flow.array("edges").arrays():
        operand, user = edge.counts(2)
        _check_node(edge.place, operand, nodes)
        _check_node(edge.place, user, nodes)
        edges.append((operand, user))
    return Flow(nodes, tuple(edges), flow.count("omitted"))


def _node(node: Array) -> FlowNode:
    node.require_length(3)
    return FlowNode(node.text(0), node.text(1), node.count(2, most=MOST_LINES))


def _check_node(place: Place, number: int, nodes: tuple[FlowNode, ...]) -> None:
    if number >= len(nodes):
        place.refuse(f"points to node {number} of {len(nodes)}, counted from 0")


def _correspondence(pair: Object) -> Correspondence:
    suspect, reference = pair.object("suspect"), pair.object("reference")
    return Correspondence(
        suspect_path=suspect.text("path"),
        suspect_class=suspect.text("class", default=""),
        reference_name=reference.text("name"),
        reference_path=reference.text("path"),
        reference_class=reference.text("class", default=""),
        functions=pair.count("functions", least=1),
        suspect_functions=suspect.count("functions"),
        reference_functions=reference.count("functions"),
        bits=pair.number("bits"),
        names=pair.object("names").texts(),
    )


def _name_pair(pair: Object) -> NamePair:
    reference = pair.object("reference")
    return NamePair(
        suspect=pair.text("suspect"),
        reference_name=reference.text("name"),
        reference=reference.text("identifier"),
        places=pair.count("places"),
        contradicted=pair.count("contradicted"),
    )


def _attribution(line: Object) -> Attribution:
    return Attribution(
        reference=line.text("reference"),
        bits=line.number("bits"),
        exclusive_bits=line.number("exclusive_bits"),
        functions=line.count("functions"),
        share_of_suspect=line.ratio("share_of_suspect"),
    )


def _evidence(line: Object) -> Evidence:
    propositions = line.optional("propositions")
    return Evidence(
        kind=line.text("kind"),
        name=line.text("name"),
        reference=line.text("reference"),
        strength=line.choice("strength", Strength),
        claim=line.text("claim"),
        innocent=line.text("innocent"),
        measures=line.object("measures").values(),
        derived=propositions.text("derived", default="") if propositions else "",
        otherwise=propositions.text("otherwise", default="") if propositions else "",
        method=line.text("method", default=""),
        calibration=line.text("calibration", default=""),
        limits=line.text("limits", default=""),
        tested=line.array("tested", is_required=False).texts(),
        places=tuple(_place(place, least=0) for place in line.objects("places", is_required=False)),
        accepted=line.text("accepted", default=""),
    )


def _remark(remark: Object) -> Remark:
    path, line = _place(remark)
    return Remark(remark.text("rule"), path, line, remark.text("text"))


def _cluster(cluster: Object) -> Cluster:
    return Cluster(
        name=cluster.text("name"),
        kinds=cluster.array("kinds").texts(),
        strength=cluster.choice("strength", Strength),
        line=cluster.text("line"),
    )


def _examined(examined: Object) -> Examined:
    return Examined(
        kind=examined.text("kind"),
        reference=examined.text("reference"),
        is_possible=examined.flag("possible"),
        about=examined.text("about"),
    )


def _exhibit(exhibit: Object) -> Exhibit:
    columns = exhibit.array("columns").texts()
    rows = []
    for row in exhibit.array("rows").arrays():
        row.require_length(len(columns))
        rows.append(row.values())
    return Exhibit(
        kind=exhibit.text("kind"),
        name=exhibit.text("name"),
        reference=exhibit.text("reference"),
        title=exhibit.text("title"),
        columns=columns,
        rows=tuple(rows),
        omitted=exhibit.count("omitted", default=0),
    )


def _event(event: Object) -> Event:
    return Event(
        at=event.text("at"),
        side=event.text("side"),
        kind=event.text("kind"),
        text=event.text("text"),
        revision=event.text("revision", default=""),
    )


def _trace(trace: Object) -> Trace:
    reference = trace.object("reference")
    return Trace(
        kind=trace.word("kind", list(TRACE_KINDS)),
        text=trace.text("text"),
        reference_name=reference.text("name"),
        packages=trace.count("packages"),
        bits=trace.number("bits"),
        suspect=tuple(map(_place, trace.objects("suspect"))),
        reference=tuple(map(_place, reference.objects("places"))),
        accepted=trace.text("accepted", default=""),
    )


def _place(place: Object, least: int = 1) -> tuple[str, int]:
    return place.text("path"), place.count("line", least, most=MOST_LINES)


def _similarities(similarities: Object) -> Similarities:
    edges = similarities.array("edges").numbers(least=None)
    if any(second <= first for first, second in pairwise(edges)):
        similarities.at("edges").refuse("does not ascend")
    suspect = similarities.array("suspect").counts()
    unrelated = similarities.array("unrelated").numbers(most=1)
    for name, bins in (("suspect", suspect), ("unrelated", unrelated)):
        if len(bins) != len(edges) - 1:
            similarities.at(name).refuse(f"has {len(bins)} bins, where {len(edges)} edges make {len(edges) - 1}")
    return Similarities(edges, suspect, unrelated)


def _skipped(skipped: Object) -> Skipped:
    return Skipped(skipped.text("path"), skipped.text("reason"))
