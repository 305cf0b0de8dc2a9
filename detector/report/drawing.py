"""Drawings of the HTML report, as SVG that needs no script: which files match which, and how similar functions are.

Colours and strokes come from classes of the page's style sheet, so that they follow light, dark and print.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from detector.model import Match, Similarities
from detector.report import rounding, words
from detector.report.names import shortened, visible

# Files of each side that the map names, by bits: labels beside each other stay readable, and the table lists the rest.
MOST_FILES = 16
LONGEST_LABEL = 44  # characters of a path; its middle gives way

MAP_WIDTH, LABELS, GAP = 1160.0, 330.0, 7.0  # of the map: in all, for labels on each side, between files
BAR = 8.0  # thickness of a file's bar
LEAST_HEIGHT = 15.0  # of a file: a line of text
HEIGHT_OF_ALL = 300.0  # what all bits together add to the map's height

HISTOGRAM_WIDTH, HISTOGRAM_HEIGHT, AXIS = 720.0, 200.0, 30.0

OTHERS = "other files"
Place = tuple[str, str]  # reference name ("" for the suspect) and path; path "" for all others


@dataclass(frozen=True, slots=True)
class Ribbon:
    """What a file of the suspect and a file of a reference have in common."""

    suspect: Place
    reference: Place
    bits: float
    matches: int
    link: str  # of the match with most bits


@dataclass(frozen=True, slots=True)
class _Bar:
    top: float
    height: float


def ribbons(matches: Sequence[Match], links: Sequence[str]) -> list[Ribbon]:
    """Sum the matches by pairs of files; of each function the match with most bits, so that none counts twice.

    Ties: the report's order.
    """
    nearest: dict[object, int] = {}
    for number, match in enumerate(matches):
        first = nearest.setdefault(match.suspect, number)
        if match.bits > matches[first].bits:
            nearest[match.suspect] = number
    found: dict[tuple[Place, Place], list[int]] = {}
    for number in sorted(nearest.values()):
        match = matches[number]
        ends = ("", match.suspect.path), (match.reference_name, match.reference.path)
        found.setdefault(ends, []).append(number)
    return [
        Ribbon(ours, theirs, _sum(matches[number].own_bits for number in numbers), len(numbers), links[numbers[0]])
        for (ours, theirs), numbers in found.items()
    ]


def _sum(values: Iterable[float]) -> float:
    """Of the values as the report tells them, so that the sum can be checked."""
    return rounding.bits(sum(map(rounding.bits, values)))


def function_map(found: Sequence[Ribbon]) -> str:
    """Files of the suspect left, of the references right, ribbons as wide as their bits."""
    shown = _bounded(found)
    left = _weights(shown, [ribbon.suspect for ribbon in shown])
    right = _weights(shown, [ribbon.reference for ribbon in shown])
    left_order = sorted(left, key=lambda place: (place[1] == "", -left[place], place))
    right_order = _facing(shown, left_order, right)
    scale = HEIGHT_OF_ALL / max(sum(left.values()), 1e-9)
    ours, our_height = _stacked(left_order, left, scale)
    theirs, their_height = _stacked(right_order, right, scale)
    height = max(our_height, their_height)
    several = len({name for name, _ in right}) > 1
    parts = [
        f'<svg class="map" viewBox="0 0 {MAP_WIDTH:g} {height:.1f}" width="{MAP_WIDTH:g}" height="{height:.1f}" '
        'role="group" aria-label="Files of the suspect, left, and files of the references, right, that match">'
    ]
    parts += _drawn_ribbons(shown, ours, theirs, scale)
    for order, bars, weights, is_left in ((left_order, ours, left, True), (right_order, theirs, right, False)):
        parts += [_drawn_file(place, bars[place], weights[place], is_left, several) for place in order]
    return "".join([*parts, "</svg>"])


def _bounded(found: Sequence[Ribbon]) -> list[Ribbon]:
    """The same with all but the files of most bits put together as one; its ribbons are summed too."""
    kept: set[Place] = set()
    for places in ([ribbon.suspect for ribbon in found], [ribbon.reference for ribbon in found]):
        weights = _weights(found, places)
        kept.update(sorted(weights, key=lambda place: (-weights[place], place))[:MOST_FILES])
    joined: dict[tuple[Place, Place], Ribbon] = {}
    for ribbon in sorted(found, key=lambda each: -each.bits):
        ours, theirs = (
            place if place in kept else (place[0] and OTHERS, "") for place in (ribbon.suspect, ribbon.reference)
        )
        old = joined.get((ours, theirs))
        bits, matches = (0.0, 0) if old is None else (old.bits, old.matches)
        link = ribbon.link if old is None else old.link
        joined[ours, theirs] = Ribbon(ours, theirs, rounding.bits(bits + ribbon.bits), matches + ribbon.matches, link)
    return list(joined.values())


def _weights(found: Sequence[Ribbon], places: Sequence[Place]) -> dict[Place, float]:
    weights: dict[Place, float] = {}
    for ribbon, place in zip(found, places, strict=True):
        weights[place] = weights.get(place, 0.0) + ribbon.bits
    return weights


def _facing(found: Sequence[Ribbon], left_order: Sequence[Place], right: Mapping[Place, float]) -> list[Place]:
    """References in the order of what they face, so that few ribbons cross."""
    at = {place: number for number, place in enumerate(left_order)}
    pull = dict.fromkeys(right, 0.0)
    for ribbon in found:
        pull[ribbon.reference] += at[ribbon.suspect] * ribbon.bits
    return sorted(right, key=lambda place: (place[1] == "", pull[place] / max(right[place], 1e-9), place))


def _stacked(order: Sequence[Place], weights: Mapping[Place, float], scale: float) -> tuple[dict[Place, _Bar], float]:
    bars, top = {}, 0.0
    for place in order:
        height = max(weights[place] * scale, LEAST_HEIGHT)
        bars[place] = _Bar(top, height)
        top += height + GAP
    return bars, top - GAP


def _drawn_ribbons(
    found: Sequence[Ribbon], ours: Mapping[Place, _Bar], theirs: Mapping[Place, _Bar], scale: float
) -> list[str]:
    """Ribbons leave a file in the order in which they arrive at the others."""
    tops: dict[tuple[int, bool], float] = {}
    for is_left, own, far in ((True, ours, theirs), (False, theirs, ours)):
        used: dict[Place, float] = {}
        ends = [(ribbon.suspect, ribbon.reference)[:: 1 if is_left else -1] for ribbon in found]
        for number in sorted(range(len(found)), key=lambda each: far[ends[each][1]].top):
            place = ends[number][0]
            tops[number, is_left] = own[place].top + used.get(place, 0.0)
            used[place] = used.get(place, 0.0) + found[number].bits * scale
    x, far_x = LABELS + BAR, MAP_WIDTH - LABELS - BAR
    middle = (x + far_x) / 2
    parts = []
    for number, ribbon in enumerate(found):
        width = max(ribbon.bits * scale, 1.0)
        a, b = tops[number, True], tops[number, False]
        path = (
            f"M{x:g} {a:.1f}C{middle:g} {a:.1f} {middle:g} {b:.1f} {far_x:g} {b:.1f}v{width:.1f}"
            f"C{middle:g} {b + width:.1f} {middle:g} {a + width:.1f} {x:g} {a + width:.1f}z"
        )
        title = (
            f"{_name(ribbon.suspect)} and {_name(ribbon.reference)}: "
            f"{words.count(ribbon.matches, 'match')}, {ribbon.bits:,.2f} bits; leads to the first of them"
        )
        parts.append(f'<a href="#{ribbon.link}"><title>{escape(title)}</title><path d="{path}"/></a>')
    return parts


def _drawn_file(place: Place, bar: _Bar, bits: float, is_left: bool, several: bool) -> str:
    x = LABELS if is_left else MAP_WIDTH - LABELS - BAR
    text_x = LABELS - 8 if is_left else MAP_WIDTH - LABELS + 8
    label = visible(place[1]) or OTHERS
    if several and place[0] and place[1]:
        label = f"{visible(place[0])} {label}"
    return (
        f"<g><title>{escape(_name(place))}: {rounding.bits(bits):,.2f} bits</title>"
        f'<rect x="{x:g}" y="{bar.top:.1f}" width="{BAR:g}" height="{bar.height:.1f}"/>'
        f'<text x="{text_x:g}" y="{bar.top + bar.height / 2 + 4:.1f}" text-anchor="{"end" if is_left else "start"}">'
        f"{escape(_label(label))}</text></g>"
    )


def _name(place: Place) -> str:
    name = visible(shortened(place[1], 300)) or OTHERS
    return f"{visible(shortened(place[0], 300))} {name}" if place[0] and place[1] else name


def _label(text: str) -> str:
    if len(text) <= LONGEST_LABEL:
        return text
    tail = LONGEST_LABEL * 2 // 3  # the file's own name tells more than the folders
    return f"{text[: LONGEST_LABEL - 1 - tail]}…{text[-tail:]}"


def expected(similarities: Similarities, functions: int) -> list[float]:
    """How many of so many functions coincidence would put into each bin."""
    return [float(rounding.measure(share)) * functions for share in similarities.unrelated]


def histogram(similarities: Similarities, functions: int) -> str:
    """Bars: functions of the suspect; line: what unrelated projects have."""
    chance = expected(similarities, functions)
    counts = similarities.suspect
    highest = max(*counts, *chance, 1)
    low, high = similarities.edges[0], similarities.edges[-1]
    xs = [(edge - low) / max(high - low, 1e-9) * HISTOGRAM_WIDTH for edge in similarities.edges]
    tall = HISTOGRAM_HEIGHT - AXIS - 18  # room for the number above the highest bar
    base = HISTOGRAM_HEIGHT - AXIS
    parts = [
        f'<svg class="histogram" viewBox="-8 0 {HISTOGRAM_WIDTH + 16:g} {HISTOGRAM_HEIGHT:g}" '
        f'width="{HISTOGRAM_WIDTH + 16:g}" height="{HISTOGRAM_HEIGHT:g}" role="img" '
        'aria-label="Functions by similarity, beside what coincidence gives; the table below has the numbers">'
    ]
    step = "M"
    for x, right, count, chances in zip(xs, xs[1:], counts, chance, strict=False):
        height, level = count / highest * tall, base - chances / highest * tall
        parts.append(
            f'<rect x="{x + 1:.1f}" y="{base - height:.1f}" width="{right - x - 2:.1f}" height="{height:.1f}"/>'
        )
        if count:
            parts.append(f'<text x="{(x + right) / 2:.1f}" y="{base - height - 4:.1f}">{count:,}</text>')
        step += f"{x:.1f} {level:.1f}H{right:.1f}L"
    parts.append(f'<path class="chance" d="{step.removesuffix("L")}"/>')
    parts.append(f'<path class="axis" d="M0 {base:g}H{HISTOGRAM_WIDTH:g}"/>')
    every = max(1, (len(xs) - 1) // 10)  # a label at each tenth of the axis
    parts += [
        f'<text class="tick" x="{x:.1f}" y="{base + 16:g}">{edge:g}</text>'
        for x, edge in list(zip(xs, similarities.edges, strict=True))[::every]
    ]
    return "".join([*parts, "</svg>"])
