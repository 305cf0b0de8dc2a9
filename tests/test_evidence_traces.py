"""Literal traces of a comparison: what is told, what it weighs, and what is set aside."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.compare import compare
from detector.evidence import traces
from detector.model import Report, Strength, Trace
from detector.report import terminal
from detector.settings import LEAST_TRACE_BITS, MOST_FILE_BITS, MOST_TOLD_PLACES, MOST_TRACES, TRACE_LINE_BITS
from tests.repositories import FIXTURES, ROUTE, STRANGER, WARP, fixture, repo
from tests.test_properties import profile

LONG = "# whoever widens the gate must narrow the second one by as much, else the sum of both drifts\n"


def _compare(suspect: Mapping[str, str], *references: Mapping[str, str]) -> Report:
    named = [repo(name, files) for name, files in zip("abc", references, strict=False)]
    return compare(repo("suspect", suspect), named)


def _told(report: Report) -> list[tuple[str, str]]:
    return [(trace.kind, trace.text) for trace in report.traces]


def _lines(report: Report) -> dict[tuple[str, str], Any]:
    return {(line.name, line.reference): line for line in report.evidence if line.kind == "traces"}


# --- what is told ---


def test_a_comment_that_both_have_is_told_with_its_places_and_rarity() -> None:
    (trace,) = _compare({"m.py": WARP + LONG}, {"n.py": LONG + STRANGER}).traces
    assert (trace.kind, trace.reference_name, trace.packages) == ("comment", "a", 0)
    assert trace.text.startswith("whoever widens the gate must narrow")
    assert trace.suspect == (("m.py", WARP.count("\n") + 1),)
    assert trace.reference == (("n.py", 1),)
    assert 12 < trace.bits < 14


def test_a_longer_text_and_a_longer_number_weigh_more() -> None:
    text = f'{LONG}a = "the gate must not be wide"\n\n\n\n\n\n\n\n\nx = 0.4817\n\n\n\n\n\n\n\n\ny = 0.48171923\n'
    bits = {trace.text[:10]: trace.bits for trace in _compare({"m.py": WARP + text}, {"n.py": STRANGER + text}).traces}
    assert bits["whoever wi"] > bits["the gate m"]
    assert bits["0.48171923"] > bits["0.4817"] >= LEAST_TRACE_BITS


def test_what_everybody_writes_is_no_trace() -> None:
    text = 'x = [0.485, 0.456, 0.406]\nassert x, "you must specify exactly one of both"\n# this is the default value\n'
    report = _compare({"m.py": WARP + text}, {"n.py": STRANGER + text})
    assert "0.485" not in [trace.text for trace in report.traces]


@pytest.mark.parametrize(
    "line",
    [
        "# Copyright 2025 The Heron Authors, all over the world and beyond",
        "# Licensed under the heron licence, which nobody else has ever used",
        "# Copied from heron.models.resampler.Resampler.forward with a few changes",
        "# type: ignore[attr-defined, misc, operator, heron, gate, bird]",
        "# from heron.models.resampler import Resampler, Projector, Everything",
        "# https://example.org/heron/blob/main/models and so on",
        "# ====  |||| ---- **** ++++ === ||| --- *** +++",
    ],
)
def test_notices_switches_addresses_and_drawings_are_set_aside(line: str) -> None:
    assert _compare({"m.py": WARP + line + "\n"}, {"n.py": STRANGER + line + "\n"}).traces == ()


def test_a_block_of_comments_is_one_trace_told_by_its_strongest_line() -> None:
    block = "# the first of several lines here\n" + LONG + "# and a third one for good measure\n"
    report = _compare({"m.py": WARP + block}, {"n.py": STRANGER + block})
    (trace,) = report.traces
    assert trace.text.startswith("whoever widens")
    assert len(trace.suspect) == len(trace.reference) == MOST_TOLD_PLACES


def test_blocks_that_stand_apart_on_one_side_are_traces_of_their_own() -> None:
    second = "# keep the colder half of the grid until the warmer half has been folded\n"
    apart = LONG + "\n" * 20 + second
    assert len(_compare({"m.py": WARP + apart}, {"n.py": STRANGER + LONG + second}).traces) == 2


def test_a_misspelt_word_is_told_under_its_own_name() -> None:
    report = _compare({"m.py": WARP + "vision_dimesnion = 1\n"}, {"n.py": STRANGER + "# the dimesnion\n"})
    assert _told(report) == [("misspelling", "dimesnion")]


def test_an_import_that_both_leave_unused_counts_in_files_that_correspond() -> None:
    unused = "from PIL import ImageChops\n"
    matching = _compare({"m.py": unused + WARP + ROUTE}, {"n.py": unused + WARP + ROUTE})
    assert ("unused-import", "ImageChops") in _told(matching)
    assert _told(_compare({"m.py": unused + WARP}, {"n.py": unused + STRANGER})) == []


def test_a_local_that_both_never_read_counts_in_functions_that_match_also_when_renamed() -> None:
    ours = ROUTE.replace("    scores", "    leftover_gate = gates.shape[1]\n    scores")
    theirs = ROUTE.replace("    scores", "    spare_capacity = gates.shape[1]\n    scores")
    same = _compare({"m.py": theirs + WARP}, {"n.py": theirs + WARP})
    assert ("unused-name", "spare_capacity") in _told(same)
    other = _compare({"m.py": ours + WARP}, {"n.py": theirs + WARP})
    renamed = [match.renames for match in other.matches if match.suspect.qualname == "route"]
    is_known = any(names.get("leftover_gate") == "spare_capacity" for names in renamed)
    assert (("unused-name", "spare_capacity") in _told(other)) is is_known


def test_dead_code_of_both_is_told() -> None:
    dead = ROUTE + "    penalty = penalty * capacity.clamp(3)\n"
    report = _compare({"m.py": dead + WARP}, {"n.py": dead + WARP})
    assert ("unreachable-code", "penalty = penalty * capacity.clamp(3)") in _told(report)


# --- references beside each other ---


def test_what_all_references_have_is_exclusive_to_none() -> None:
    lines = [f"{LONG.strip()} {number}\n" + "\n" * 20 for number in ("one", "two", "three")]
    text, part = "".join(lines), lines[0]
    found = _lines(_compare({"m.py": WARP + text}, {"n.py": STRANGER + text}, {"o.py": ROUTE + text}))
    assert [line.measures["exclusive_bits"] for line in found.values()] == [0, 0]
    found = _lines(_compare({"m.py": WARP + text}, {"n.py": STRANGER + text}, {"o.py": ROUTE + part}))
    line = found["same-comment", "a"]
    assert 0 < line.measures["exclusive_bits"] < line.measures["bits"]
    assert ("same-comment", "b") not in found


# --- the ledger ---


def test_a_line_of_the_ledger_needs_enough_traces_and_says_what_else_explains_them() -> None:
    one = _compare({"m.py": WARP + LONG}, {"n.py": STRANGER + LONG})
    assert _lines(one) == {}
    text = LONG + "\n" * 20 + LONG.replace("gate", "door") + "\n" * 20 + LONG.replace("gate", "valve")
    (line,) = _lines(_compare({"m.py": WARP + text}, {"n.py": STRANGER + text})).values()
    assert line.name == "same-comment"
    assert line.strength is Strength.WEAK
    assert "declared" in line.innocent
    assert line.measures["traces"] == 3
    assert line.measures["bits"] >= TRACE_LINE_BITS["comment"]


def _many(name: str, files: int) -> dict[str, str]:
    return {
        f"{name}{number}.py": (WARP if name == "m" else STRANGER)
        + "".join(f"{LONG.strip()} {number} {line} times\n" + "\n" * 20 for line in "abcdefgh")
        for number in range(files)
    }


def test_one_pair_of_files_counts_up_to_a_limit() -> None:
    (line,) = _lines(_compare(_many("m", 1), _many("n", 1))).values()
    assert line.measures["traces"] == 8
    assert line.measures["bits"] == MOST_FILE_BITS


def test_traces_alone_are_never_more_than_moderate() -> None:
    report = _compare(_many("m", 30), _many("n", 30))
    (line,) = _lines(report).values()
    assert line.strength is Strength.MODERATE
    assert line.measures["traces"] == MOST_TRACES == len(report.traces)


def test_traces_change_neither_relation_nor_strength() -> None:
    ours, theirs = _many("m", 9), _many("n", 9)
    with_traces = _compare(ours, theirs)
    without = _compare(dict.fromkeys(ours, WARP), dict.fromkeys(theirs, STRANGER))
    assert len(with_traces.traces) > len(without.traces) == 0
    assert (with_traces.relation, with_traces.strength) == (without.relation, without.strength)


def test_every_kind_has_a_line_with_an_innocent_explanation() -> None:
    from detector.code.literals import KINDS
    from detector.ledger import kinds_of_trace

    found = [
        traces.Found(
            Trace(kind, f"{kind} {number}", "a", 0, 13.0, (("m.py", 1),), (("n.py", 1),)), number, ("m", str(number))
        )
        for kind in KINDS
        for number in range(9)
    ]
    lines = list(kinds_of_trace(found, ["a", "b"]))
    assert len({line.name for line in lines}) == len(KINDS)
    assert all(line.innocent and line.reference == "a" and "9" in line.claim for line in lines)


# --- the fixtures ---


def test_every_trace_of_the_gold_is_told_at_its_place_and_nothing_else() -> None:
    gold = json.loads((FIXTURES / "gold.json").read_text(encoding="utf-8"))["traces"]
    found = compare(fixture("rebadged"), [fixture("original"), fixture("cited"), fixture("independent")]).traces
    told = {(each.kind, each.text, each.suspect[0], each.reference_name, each.reference[0]) for each in found}
    assert told == {
        (
            each["kind"],
            each["text"],
            (each["suspect"]["path"], each["suspect"]["line"]),
            "original",
            (each["reference"]["path"], each["reference"]["line"]),
        )
        for each in gold
    }


def test_projects_that_are_independent_share_next_to_nothing() -> None:
    report = compare(fixture("independent"), [fixture("original"), fixture("cited")])
    assert sum(trace.bits for trace in report.traces) < 3  # 127.5, half of what a byte holds
    assert _lines(report) == {}


# --- properties ---

_PARTS = st.lists(
    st.sampled_from(
        [
            LONG,
            "# keep the colder half of the grid until the warmer half has been folded\n",
            'assert rows, "the rows do not fit the columns of {}"\n',
            "gain = 0.48177\n",
            "lenghts_of_rows = 1\n",
            "\n" * 9,
        ]
    ),
    max_size=6,
)


@profile
@given(ours=_PARTS, theirs=_PARTS)
def test_swapping_the_sides_swaps_the_sides_of_the_traces(ours: list[str], theirs: list[str]) -> None:
    one, other = {"m.py": WARP + "".join(ours)}, {"n.py": STRANGER + "".join(theirs)}
    there, back = _compare(one, other).traces, _compare(other, one).traces
    assert [(trace.kind, trace.text, trace.bits, trace.suspect, trace.reference) for trace in there] == [
        (trace.kind, trace.text, trace.bits, trace.reference, trace.suspect) for trace in back
    ]


# --- at the terminal ---


def test_the_terminal_shows_a_few_of_each_kind_and_says_how_many_more_there_are() -> None:
    suspect = {**_many("m", 3), "z.py": "vision_dimesnion = 1\n"}
    report = _compare(suspect, {**_many("n", 3), "y.py": "# the dimesnion\n"})
    text = terminal.render(report, 100, color=False)
    assert "misspelling  dimesnion" in text
    assert "z.py:1 ← a y.py:1" in text
    assert f"… and {len(report.traces) - 8} more" in text


def test_a_text_that_would_command_a_terminal_is_shown_escaped() -> None:
    hostile = "# whoever reads \x1b[31mthis line\x1b[0m \u202e should not believe its colours\n"
    report = _compare({"m.py": WARP + hostile}, {"n.py": STRANGER + hostile})
    (trace,) = report.traces
    assert "\x1b" in trace.text
    text = terminal.render(report, 100, color=False)
    assert "\x1b" not in text
    assert "\u202e" not in text
