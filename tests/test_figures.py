"""Figures in every format: whole in JSON, told without colour at a terminal, as drawings and tables on the page."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from rich.cells import cell_len

from detector.figures import Figure, Histogram, Matrix, Mosaic, Tile
from detector.formats import Format, render
from detector.model import Report, UserError
from detector.report import (
    bars,
    documents,
    figures,
    heat,
    html,
    markdown,
    mosaics,
    pictures,
    plots,
    reading,
    terminal,
)
from detector.report import json as json_report
from tests.beside import alone, beside
from tests.drawings import CATEGORIES, agreement, few_tensors, null_and_pair, residuals, tensor_map
from tests.drawings import figures as large
from tests.reports import full, reports

HISTOGRAM = next(each for each in full().figures if isinstance(each, Histogram))
MATRIX = next(each for each in full().figures if isinstance(each, Matrix))
MOSAIC = next(each for each in full().figures if isinstance(each, Mosaic))
SLOW_TO_DRAW = [HealthCheck.too_slow, HealthCheck.data_too_large]


def _with(*shown: Figure) -> Report:
    return replace(beside(), figures=shown)


# --- JSON ---


def test_counts_stay_counts_and_other_numbers_have_six_digits() -> None:
    tile = Tile("g", "a", "b", "noised", 16_777_216)
    report = _with(
        replace(MOSAIC, tiles=(tile, replace(tile, size=1234567.891))),
        replace(HISTOGRAM, observed=(4_194_304, 2.123456789, -0.0), marks=(("x", 1e-300),)),
    )
    mosaic, histogram = json.loads(json_report.render(report))["figures"]
    assert [each["size"] for each in mosaic["tiles"]] == [16_777_216, 1234570.0]
    assert histogram["observed"] == [4_194_304, 2.12346, 0.0]
    text = json_report.render(report)
    assert json_report.render(reading.parse(text)) == text
    assert '"size": 16777216,' in text
    assert "-0.0" not in text


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf, 2e300, 2**53 + 1])
@pytest.mark.parametrize("form", [Format.JSON, Format.JSONL, Format.HTML, Format.TERMINAL, Format.MARKDOWN])
def test_a_number_that_cannot_be_drawn_is_refused_by_every_format(number: float, form: Format) -> None:
    for figure in (
        replace(HISTOGRAM, observed=(number, 1, 1)),
        replace(HISTOGRAM, marks=(("x", number),)),
        replace(MATRIX, values=((None, number, 1), *MATRIX.values[1:])),
        replace(MOSAIC, tiles=(replace(MOSAIC.tiles[0], size=number),)),
    ):
        with pytest.raises(ValueError, match="cannot be drawn"):
            render(_with(figure), form)


def test_a_report_without_figures_is_read() -> None:
    document = json.loads(json_report.render(full()))
    del document["figures"]
    assert reading.parse(json.dumps(document)) == replace(full(), figures=())


def _refusal(number: int, *path: Any) -> str:
    *keys, last, value = path
    document = json.loads(json_report.render(full()))
    place = document["figures"][number]
    for key in keys:
        place = place[key]
    place[last] = value
    with pytest.raises(UserError) as caught:
        reading.parse(json.dumps(document))
    return str(caught.value)


@pytest.mark.parametrize(
    ("number", "path", "says"),
    [
        (0, ("type", "pie"), "figures[0].type: is 'pie', not one of histogram, matrix, mosaic"),
        (0, ("edges", 1, -4), "figures[0].edges: does not ascend"),
        (0, ("edges", []), "figures[0].observed: has 3 bins, where 0 edges make 0"),
        (0, ("observed", 0, "many"), "figures[0].observed[0]: is a string, not a number"),
        (0, ("observed", 0, 10**30), "figures[0].observed[0]: is 1,000"),
        (0, ("observed", 0, True), "figures[0].observed[0]: is true or false, not a number"),
        (0, ("expected", [1.0]), "figures[0].expected: has 1 bins, where 4 edges make 3"),
        (0, ("marks", 0, "value", None), "figures[0].marks[0].value: is null, not a number"),
        (0, ("marks", 0, "label", 1), "figures[0].marks[0].label: is a number, not a string"),
        (1, ("values", 1, [1, 2]), "figures[1].values[1]: has 2 items, not 3"),
        (1, ("values", []), "figures[1].values: has 0 items, not 3"),
        (1, ("values", 1, 1, "none"), "figures[1].values[1][1]: is a string, not a number"),
        (2, ("tiles", 1, "size", 1.1e301), "figures[2].tiles[1].size: is too large a number, not within"),
        (2, ("tiles", 1, {}), "figures[2].tiles[1].group: is missing"),
        (2, ("omitted", -1), "figures[2].omitted: is -1, not within 0 and"),
        (2, ("categories", "all"), "figures[2].categories: is a string, not an array"),
    ],
)
def test_what_is_wrong_with_a_figure_is_named_by_its_place(number: int, path: tuple[Any, ...], says: str) -> None:
    assert _refusal(number, *path).startswith(says)


@given(reports())
@settings(max_examples=60, deadline=None, suppress_health_check=SLOW_TO_DRAW)
def test_any_figures_are_shown_and_no_coordinate_is_lost(report: Report) -> None:
    shown = documents.rounded(replace(alone(), figures=report.figures, exhibits=(), events=()))
    for svg in re.findall(r"<svg.*?</svg>", html.render(shown), re.DOTALL):
        places = re.findall(r' (?:x|y|d|width|height|viewBox|transform)="([^"]*)"', svg)
        assert not any(re.search(r"nan|inf|e\+", place) for place in places)
    for width in (20, 40, 100):
        for line in _at_terminal(shown, width).splitlines():
            assert cell_len(line) <= max(width, plots.LEAST_WIDTH), line


# --- their order ---


def test_figures_of_the_nearest_reference_come_first_and_empty_ones_not_at_all() -> None:
    report = _with(
        replace(MATRIX, reference="cited"),
        replace(MATRIX, rows=(), values=()),
        replace(MOSAIC, tiles=(), omitted=0),
        replace(HISTOGRAM, edges=(1.0,), observed=(), expected=()),
        replace(MATRIX, reference=""),
        MOSAIC,
    )
    shown = figures.ordered(report)
    assert [(type(each).__name__, each.reference) for each in shown] == [
        ("Matrix", ""),
        ("Mosaic", "original"),
        ("Matrix", "cited"),
    ]
    assert [figures.is_of_nearest(each, report) for each in shown] == [True, True, False]


# --- mosaics ---


def test_every_category_has_a_letter_of_its_own_whatever_it_is_called() -> None:
    names = ("identical", "independent", "", "🎲", "i", "I", *(f"kind {number}" for number in range(60)))
    tiles = tuple(Tile("g", name, "", name, 1) for name in names)
    legend = figures.legend(replace(MOSAIC, categories=names, tiles=tiles))
    assert [each.letter for each in legend[:2]] == ["I", "N"]
    assert len({each.letter for each in legend}) == len(legend) == figures.MOST_CATEGORIES
    assert (legend[-1].name, legend[-1].letter) == (figures.OTHERS, "?")
    assert sum(each.tiles for each in legend) == len(tiles)


def test_a_category_has_one_colour_in_figures_with_the_same_list() -> None:
    some = replace(MOSAIC, tiles=MOSAIC.tiles[3:])
    (unmatched,) = figures.legend(some)
    assert unmatched in [replace(each, tiles=1, size=64) for each in figures.legend(MOSAIC)]
    assert (unmatched.number, mosaics.colour(unmatched)) == (2, "c2")
    beyond = replace(unmatched, number=mosaics.COLOURS)
    assert mosaics.colour(beyond) == "cx"


def test_a_tile_stands_in_its_row_with_its_letter_and_says_what_it_is() -> None:
    svg = mosaics.svg(tensor_map())
    titles = re.findall(r"<rect[^>]*><title>(.*?)</title>", svg)
    assert len(titles) == 741
    assert titles[3] == (
        "llm.model.layers.0.self_attn.q_proj.weight → llm.model.layers.0.self_attn.q_proj.weight: noised; "
        "size 16,777,216; sigma 0.00141, r 0.9961"
    )
    assert "without a counterpart: unmatched; size 73,728" in titles[-1]
    letters = "".join(re.findall(r'<text class="c\d+"[^>]*>(\w+)</text>', svg))
    assert len(letters) == 741
    assert {letter: letters.count(letter) for letter in "ICNFUM"} == {
        "I": 65, "C": 104, "N": 481, "F": 38, "U": 24, "M": 29,
    }  # fmt: skip


def test_many_rows_stand_in_columns_and_a_long_one_takes_more_lines() -> None:
    groups = re.findall(r'class="group" x="([\d.]+)"', mosaics.svg(tensor_map()))
    assert len(groups) == 61
    assert len(set(groups)) == 2
    assert len(set(re.findall(r'class="group" x="([\d.]+)"', mosaics.svg(few_tensors())))) == 1
    widths = [float(each) for each in re.findall(r'viewBox="0 0 ([\d.]+)', mosaics.svg(tensor_map()))]
    assert widths[0] <= mosaics.WIDTH


def test_a_huge_mosaic_is_drawn_in_part_and_the_page_says_so() -> None:
    tiles = tuple(Tile(f"layer.{n // 50}", f"t{n}", "c", CATEGORIES[n % 6], 10.0 ** (n % 9)) for n in range(5_000))
    page = html.render(_with(replace(MOSAIC, tiles=tiles, omitted=1_234)))
    assert len(re.findall(r'<rect class="c\d" [^>]*><title>', page)) == mosaics.MOST_TILES
    assert "2,000 more are not drawn; the JSON report has all." in page
    assert "1,234 tiles of a large mosaic left out of the report." in page
    assert "… and 3,000 more; the JSON report has all." in page


def test_a_page_of_many_figures_draws_some_and_has_the_tables_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "MOST_DRAWN", 10)
    monkeypatch.setattr(pictures, "MOST_FIGURES", 3)
    near, far, more = pictures.pictures(_with(MOSAIC, MATRIX, MOSAIC, MOSAIC))
    assert [bool(each.svg) for each in (*near, *far)] == [True, False, False]
    assert [len(each.rows) for each in near] == [4, 3, 4]
    assert more == 1


# --- histograms ---


def _labels(svg: str) -> list[tuple[float, float, str]]:
    found = re.findall(r'<text class="label" x="([\d.]+)" y="([\d.]+)">(.*?)</text>', svg)
    return [(float(x), float(y), label) for x, y, label in found]


@pytest.mark.parametrize(
    "values", [(9.1, 12.6, 33.8), (5, 5, 5, 5), tuple(range(12)), (0, 40), (-900, 900), (39, 39.5, 40), (47.0, -3.0)]
)
def test_labels_of_marks_neither_meet_nor_leave_the_drawing(values: tuple[float, ...]) -> None:
    marks = tuple((f"case number {number} of some length", value) for number, value in enumerate(values))
    svg = bars.svg(replace(null_and_pair(), marks=marks))
    labels = _labels(svg)
    assert len(labels) == len(values)
    ends = [(x, x + len(label) * bars.CHARACTER, y) for x, y, label in labels]
    assert all(end <= bars.WIDTH for _, end, _ in ends)
    for number, (x, end, y) in enumerate(ends):
        for other_x, other_end, other_y in ends[:number]:
            assert y != other_y or end < other_x or other_end < x
        for line_x, _, line_top in ends:  # the line of a label that stands higher goes through this row
            assert not (line_top < y and x - 5 < line_x - 6 < end)


def test_a_mark_far_beyond_the_bins_leaves_them_their_room() -> None:
    svg = bars.svg(replace(null_and_pair(), marks=(("far", 4000.0), ("near", 47.0))))
    assert [label for _, _, label in _labels(svg)] == ["far 4,000 →", "near 47"]
    right = max(float(x) + float(width) for x, width in re.findall(r'<rect x="([\d.]+)"[^>]*? width="([\d.]+)"', svg))
    assert right > bars.WIDTH / 2


def test_a_histogram_without_counts_and_one_without_width_are_drawn() -> None:
    for figure in (
        replace(HISTOGRAM, observed=(0, 0, 0), expected=()),
        replace(HISTOGRAM, edges=(2.0,) * 4),
        replace(HISTOGRAM, edges=(0.0,) * 4, marks=()),
        replace(HISTOGRAM, observed=(-1, -2, -3)),
    ):
        assert bars.svg(figure).count("<rect") == 3
        assert _at_terminal(_with(figure), 40)


def test_the_expected_counts_are_a_curve_over_many_bins_and_steps_over_few() -> None:
    (many,) = re.findall(r'class="expected" d="(.*?)"', bars.svg(residuals()))
    (few,) = re.findall(r'class="expected" d="(.*?)"', bars.svg(HISTOGRAM))
    assert (many.count("L"), many.count("H")) == (59, 0)
    assert few.count("H") == 3


# --- matrices ---


def test_a_matrix_has_its_numbers_and_none_where_there_is_none() -> None:
    svg = heat.svg(agreement())
    numbers = re.findall(r'<text class="h\d"[^>]*>(.*?)</text>', svg)
    assert len(numbers) == 12 * 11
    assert numbers.count("0.94") == 2
    assert re.findall(r'<rect class="h8"[^>]*><title>(.*?)</title>', svg) == [
        "rebadged, original: 0.943",
        "original, rebadged: 0.943",
    ]


def test_a_large_matrix_has_colours_and_titles_and_no_numbers() -> None:
    names = tuple(f"model {number}" for number in range(130))
    values = tuple(tuple(float(row * column) for column in range(130)) for row in range(130))
    large = replace(MATRIX, rows=names, columns=names, values=values)
    svg = heat.svg(large)
    assert svg.count("<rect") == heat.MOST_SHOWN**2
    assert not re.search(r'<text class="h\d"', svg)
    assert "60 more are not drawn; the JSON report has all." in html.render(_with(large))


def test_values_that_are_all_the_same_have_the_colour_of_the_middle() -> None:
    assert heat.step(3, 3, 3) == heat.STEPS // 2
    assert [heat.step(value, 0, 9) for value in (0, 0.99, 1, 8.99, 9)] == [0, 0, 1, 8, 8]


@pytest.mark.parametrize(
    ("value", "told"), [(0.8765, "0.88"), (12, "12"), (0.0, "0.00"), (123456, "1e+05"), (-5.5e9, "-6e+09")]
)
def test_a_number_fits_its_cell(value: float, told: str) -> None:
    assert heat.number(value, min(value, 0), max(value, 0)) == told


# --- the page ---


def test_figures_of_the_nearest_reference_are_open_and_those_of_others_folded() -> None:
    page = html.render(_with(*large()))
    section = page.partition('<section id="figures"')[2].partition("</section>")[0]
    near, _, far = section.partition("<details><summary>1 figure of other references</summary>")
    assert (near.count("<figure"), far.count("<figure")) == (4, 1)
    assert "the fitted normal distribution" in near
    assert "rebadged and original <b>33.8</b>" in near
    assert near.count("The same as a table") == 4


def test_a_line_of_the_ledger_leads_to_its_figures_and_tables() -> None:
    figure = replace(MOSAIC, kind="tokenizer", reference="original")
    page = html.render(_with(figure))
    assert '<dt>Check it</dt><dd><a href="#figure-1">Which tensor stands for which</a>; <a href="#table-' in page
    assert 'id="figure-1"' in page
    assert "Tables of the same: <a href" in page


# --- at a terminal ---


def _at_terminal(report: Report, width: int) -> str:
    text = terminal.render(report, width, color=False).partition("Figures to see the evidence by\n")[2]
    return text.partition("\nTables to check")[0].partition("\n\nNothing to look")[0].partition("\n\nAll tables")[0]


def test_rows_that_are_alike_are_one_line_and_letters_need_no_colour() -> None:
    text = _at_terminal(_with(tensor_map()), 100)
    for line in (
        "    llm.model.layers.0 … 23 ×24   NNNNNNNII\n",
        "    llm.model.layers.24           FFFFFFFII\n",
        "    vison.extra                   MMMMMMMMMMMMMMMMMMMMMMMMMMMMM\n",
        "    N noised 481\n",
    ):
        assert line in text, line
    coloured = terminal.render(_with(tensor_map()), 100, color=True)
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured).replace(" ", "") == terminal.render(
        _with(tensor_map()), 100, color=False
    ).replace(" ", "")


def test_what_does_not_fit_a_line_or_a_screen_is_counted() -> None:
    tiles = tuple(Tile(f"g{n // 90 * 7919 % 1000}", "a", "b", CATEGORIES[n % 7 % 6], 1) for n in range(90 * 40))
    text = _at_terminal(_with(replace(MOSAIC, tiles=tiles, omitted=5)), 60)
    assert re.search(r"^    g0 +[A-Z]+ \+\d\d$", text, re.MULTILINE)
    assert "    … and 16 more\n" in text
    assert "    … 5 that the report leaves out" in text


def test_a_histogram_has_blocks_dots_and_marks_under_its_axis() -> None:
    text = _at_terminal(_with(null_and_pair()), 100)
    *_, axis, marks = text.partition("\n    0 ")[0].splitlines()
    assert set(axis.strip()) == {"─"}
    assert marks.count(plots.MARK) == 3
    assert text.index("rebadged and cited 9.1") < text.index("largest of the panel 12.6") < text.index("33.8")
    assert plots.EXPECTED in _at_terminal(_with(residuals()), 100)


@pytest.mark.parametrize("width", [10, 24, 40, 60, 100, 200])
def test_no_figure_is_wider_than_the_terminal(width: int) -> None:
    odd = tuple(f"名前{number}" * 30 for number in range(20))
    wide = replace(MATRIX, rows=odd, columns=odd, values=tuple((1e9,) * 20 for _ in odd), title="wide " * 100)
    long = replace(MOSAIC, tiles=tuple(Tile(name, name, name, name, 1) for name in odd))
    marked = replace(HISTOGRAM, marks=tuple((name, 1.0) for name in odd), measure=odd[0], expected_name=odd[1])
    for figure in (*large(), wide, long, marked):
        for line in _at_terminal(_with(figure), width).splitlines():
            assert cell_len(line) <= max(width, plots.LEAST_WIDTH), line


# --- Markdown ---


def test_markdown_tells_figures_in_words_and_small_tables() -> None:
    text = markdown.render(documents.rounded(_with(*large()[:4])))
    for part in (
        "| `noised` | 481 |\n",
        "Counts by residual, in standard deviations: 60 bins from -4 to 4, the highest, 223,",
        "Beside it: the fitted normal distribution.",
        "| `rebadged and original` | `33.8` |",
        "12 by 12 numbers from 0.782 to 0.943.",
    ):
        assert part in text, part
    assert "| `rebadged` |  | `0.87` | `0.55` |\n" in markdown.render(full())


@pytest.mark.parametrize("form", [Format.SARIF, Format.GITLAB, Format.JUNIT])
def test_reports_of_findings_have_no_figures(form: Format) -> None:
    assert render(_with(*large()), form) == render(_with(), form)
