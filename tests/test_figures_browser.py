"""Figures in a browser: seen with and without scripts, within the window, readable in light and dark, and on paper."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from detector.report import documents, html, mosaics
from tests.beside import beside
from tests.drawings import figures, tensor_map

AA = 4.5  # WCAG 2.2, 1.4.3: contrast of text
COLOURS = """elements => elements.map(each => getComputedStyle(each).fill)"""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with figures of real size, and a mosaic of as many categories as there are colours and one more."""
    names = tuple(f"kind {number}" for number in range(mosaics.COLOURS + 1))
    tiles = tuple(replace(tensor_map().tiles[0], category=name) for name in names)
    shown = (*figures(), replace(tensor_map(), categories=names, tiles=tiles, title="Every colour"))
    path = tmp_path_factory.mktemp("figures") / "report.html"
    path.write_text(html.render(documents.rounded(replace(beside(), figures=shown))), "utf-8")
    return path


@pytest.mark.parametrize("has_scripts", [True, False])
@pytest.mark.parametrize("width", [400, 1280])
def test_figures_are_seen_and_nothing_sticks_out_of_the_window(
    browser: Any, file: Path, width: int, has_scripts: bool
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900}, java_script_enabled=has_scripts)
    page = context.new_page()
    page.goto(file.as_uri())
    drawings = page.locator("#figures > figure .wide > svg:visible")
    assert drawings.count() == 5
    for drawing in drawings.all():
        box = drawing.bounding_box()
        assert box["width"] > 150
        assert box["height"] > 10
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_text("1 figure of other references").click()
    assert page.locator("#figures figure .wide > svg:visible").count() == 6
    page.get_by_text("The same as a table").first.click()
    assert page.locator("#figures table:visible td").first.inner_text() == "llm"
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()


def test_labels_lie_within_their_drawing_and_none_lies_on_another(browser: Any, file: Path) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(file.as_uri())
    meets = """svg => {
      const inside = svg.getBoundingClientRect();
      const boxes = Array.from(svg.querySelectorAll('text:not(.column)'), each => each.getBoundingClientRect());
      const out = boxes.filter(b => b.left < inside.left - 1 || b.right > inside.right + 1 || b.top < inside.top - 1 ||
        b.bottom > inside.bottom + 1).length;
      const on = boxes.filter((a, n) => boxes.slice(n + 1).some(b => a.left < b.right - 1 && b.left < a.right - 1 &&
        a.top < b.bottom - 3 && b.top < a.bottom - 3)).length;
      return [out, on];
    }"""
    for name in ("bars", "heat"):
        for drawing in page.locator(f"#figures > figure svg.{name}:not(.scale-of)").all():
            assert drawing.evaluate(meets) == [0, 0], name
    outside = """svg => {
      const edge = svg.getBoundingClientRect();
      return Array.from(svg.querySelectorAll('.column, .group')).filter(each => {
        const box = each.getBoundingClientRect();
        return box.top < edge.top - 2 || box.right > edge.right + 2 || box.left < edge.left - 2;
      }).length;
    }"""
    for drawing in page.locator("#figures > figure .wide > svg").all():
        assert drawing.evaluate(outside) == 0
    page.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_letters_and_numbers_can_be_read_on_every_colour(browser: Any, file: Path, theme: str) -> None:
    page = browser.new_page(color_scheme=theme)
    page.goto(file.as_uri())
    seen = 0
    kinds = [*(f".mosaic .c{number}" for number in range(mosaics.COLOURS)), ".mosaic .cx"]
    for kind in [*kinds, *(f".heat .h{number}" for number in range(9))]:
        family, _, name = kind.partition(" ")
        tiles = page.locator(f"{family} rect{name}").evaluate_all(COLOURS)
        letters = page.locator(f"{family} text{name}").evaluate_all(COLOURS)
        if tiles and letters:
            seen += 1
            assert _contrast(_parts(tiles[0]), _parts(letters[0])) >= AA, kind
    assert seen >= mosaics.COLOURS + 1 + 6  # the middle of the heat map has no value
    page.close()


def test_on_paper_figures_fit_the_page_and_folded_tables_are_left_out(browser: Any, file: Path) -> None:
    page = browser.new_page(viewport={"width": 700, "height": 900}, color_scheme="dark")
    page.goto(file.as_uri())
    page.emulate_media(media="print", color_scheme="dark")
    for drawing in page.locator("#figures > figure .wide > svg").all():
        box = drawing.bounding_box()
        assert box["x"] + box["width"] <= 701
    assert not page.get_by_text("The same as a table").first.is_visible()
    assert len(page.pdf(format="A4")) > 10_000
    page.close()


def _parts(colour: str) -> list[float]:
    return [float(part) for part in re.findall(r"[\d.]+", colour)[:3]]


def _luminance(colour: list[float]) -> float:
    """Source: WCAG 2.2, relative luminance."""
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in (c / 255 for c in colour)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(first: list[float], second: list[float]) -> float:
    lighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)
