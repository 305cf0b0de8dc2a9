"""Histories on one axis: dates are read as they are claimed, and no label hides another."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.model import Event, Report
from detector.report import lanes
from detector.report.timeline import Window, date_of, day_number, days, windows
from tests.beside import alone, beside

TEXT = re.compile(r'<text (?:class="(\w+)" )?x="([-\d.]+)" y="([-\d.]+)">([^<]*)</text>')
EPOCH = date(1970, 1, 1).toordinal()


@given(st.dates())
def test_days_are_those_of_the_calendar(day: date) -> None:
    number = day.toordinal() - EPOCH
    assert day_number(day.year, day.month, day.day) == number
    assert date_of(number) == (day.year, day.month, day.day)


@given(st.datetimes())
def test_a_time_is_read_as_it_is_claimed(moment: datetime) -> None:
    moment = moment.replace(microsecond=0, tzinfo=UTC)
    found = days(moment.strftime("%Y-%m-%dT%H:%M:%SZ").zfill(20))
    assert found is not None
    assert round(found * 86_400) == round(moment.timestamp())


@pytest.mark.parametrize(
    "at", ["", "yesterday", "2024-13-01", "2024-00-01", "2024-01-32", "2024-01-01T25:00:00Z", "٢٠٢٤-01-01"]
)
def test_what_is_no_date_has_no_place_on_the_axis_and_is_no_error(at: str) -> None:
    assert days(at) is None
    assert lanes.timeline(_with([Event(at, "rebadged", "x", "y")])) == ""


def _with(events: list[Event]) -> Report:
    return replace(beside(), events=tuple(events))


# --- what was copied when ---


def test_the_window_lies_between_the_first_and_the_last_version_that_holds_it() -> None:
    (window,) = windows(beside())
    assert window.side == "original"
    assert [date_of(int(each)) for each in (window.first, window.last)] == [(2024, 5, 20), (2024, 5, 24)]


def test_a_window_without_an_end_ends_when_the_suspect_had_it() -> None:
    events = [event for event in beside().events if event.kind != "copied-version-end"]
    (window,) = windows(_with(events))
    assert date_of(int(window.last)) == (2024, 5, 28)
    (window,) = windows(_with([*events, Event("2024-05-30T00:00:00Z", "rebadged", "import", "x")]))
    assert date_of(int(window.last)) == (2024, 5, 30)
    assert windows(_with([event for event in events if event.kind != "first-commit"])) == []


def test_a_suspect_alone_has_no_window() -> None:
    assert windows(alone()) == []
    assert "window" not in lanes.timeline(alone())


# --- the drawing ---


def _assert_legible(drawing: str) -> None:
    """No two labels meet, and none leaves the drawing."""
    size = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', drawing)
    assert size
    width, height = map(float, size.groups())
    labels = [
        (float(x), float(y), float(x) + len(text) * lanes.CHARACTER)
        for name, x, y, text in TEXT.findall(drawing)
        if not name
    ]
    for number, (left, base, right) in enumerate(labels):
        assert 0 <= left < right <= width
        assert 0 < base < height
        for other_left, other_base, other_right in labels[number + 1 :]:
            assert abs(base - other_base) >= lanes.ROW - 0.1 or right <= other_left or other_right <= left


def test_labels_of_one_day_stand_above_each_other() -> None:
    events = [Event("2024-05-28T00:00:00Z", "rebadged", f"kind-{number}", "x") for number in range(9)]
    drawing = lanes.timeline(_with(events))
    _assert_legible(drawing)
    assert drawing.count("<circle") == 9


def test_of_many_events_each_is_a_dot_and_the_first_of_each_kind_has_a_label() -> None:
    months = [f"2024-{number % 12 + 1:02}-01T00:00:00Z" for number in range(200)]
    events = [Event(at, "rebadged", "commit", "x") for at in sorted(months)]
    events[150] = replace(events[150], kind="removed")
    drawing = lanes.timeline(_with(events))
    _assert_legible(drawing)
    assert drawing.count("<circle") == 200
    assert drawing.count("leader") == lanes.MOST_LABELS
    assert " removed</text>" in drawing


times = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)).map(
    lambda when: when.strftime("%Y-%m-%dT%H:%M:%SZ").zfill(20)
)
near = st.datetimes(datetime(2024, 5, 1), datetime(2024, 6, 9)).map(lambda when: when.strftime("%Y-%m-%dT%H:%M:%SZ"))


@given(
    st.lists(
        st.builds(
            Event,
            st.one_of(times, near),
            st.sampled_from(["rebadged", "original", "cited", "unknown"]),
            st.sampled_from(["first-commit", "copied-version", "copied-version-end", "renaming", "a-long-kind-" * 9]),
            st.just("x"),
        ),
        min_size=1,
        max_size=30,
    )
)
@settings(max_examples=80, deadline=None)
def test_no_label_hides_another_whatever_the_dates(events: list[Event]) -> None:
    drawing = lanes.timeline(_with(sorted(events, key=lambda event: event.at)))
    _assert_legible(drawing)
    assert 0 <= drawing.count('class="tick"') <= lanes.MOST_TICKS + 1
    assert drawing.count("<circle") == len(events)


def test_a_window_is_as_wide_as_its_time_and_never_nothing() -> None:
    window = Window("original", 10.0, 10.0)
    band = "".join(lanes._band(window, 0, lanes.Scale(0.0, 100.0), 100.0))
    assert 'width="3.0"' in band
    assert "that hold it: 1970-01-11<" in band
