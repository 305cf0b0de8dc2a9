"""The page in a browser: with and without scripts, by keyboard alone, on paper, in light and dark.

Needs Chromium or Chrome on the machine: `DETECTOR_BROWSER` names another one than the first that is found.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from detector.report import html
from tests.pages import HARMLESS, HOSTILE, fixture_report, large_report, odd_report

AA = 4.5  # WCAG 2.2, 1.4.3: contrast of text
AA_LARGE = 3.0  # 1.4.11: of what is no text

Page = Any  # playwright's types are there only where playwright is


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(html.render(fixture_report()), "utf-8")
    return path


@contextmanager
def _opened(browser: Any, file: Path, anchor: str = "", **options: Any) -> Iterator[Page]:
    """The page, on which nothing may complain and which may ask for nothing but itself."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, **options)
    page = context.new_page()
    complaints: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: asked.append(request.url.partition("#")[0]))
    page.goto(f"{file.as_uri()}{anchor}")
    yield page
    assert complaints == []
    assert set(asked) == {file.as_uri()}
    context.close()


def _first_match(page: Page) -> Any:
    match = page.locator(".match").first
    match.locator("> summary").click()
    return match


def _shown(page: Page) -> int:
    return int(page.locator(".match:visible").count())


def _reset(page: Page) -> None:
    """Reset the filters, and wait until the list has followed: it does so once the fields have their values."""
    page.locator("#filters").get_by_text("Reset").click()
    page.evaluate("() => new Promise(done => setTimeout(done))")


# --- what a person does ---


def test_every_view_of_a_match_opens(browser: Any, file: Path) -> None:
    with _opened(browser, file) as page:
        match = _first_match(page)
        for name, view in (("As published", ".published"), ("Value flow", ".flow"), ("Un-renamed", ".unrenamed")):
            match.get_by_text(name, exact=True).first.click()
            assert match.locator(view).is_visible()
            assert match.locator(".view:visible").count() == 1
        assert match.locator(".unrenamed pre.code").first.inner_text().strip().startswith("def ")


def test_every_match_can_be_opened_in_every_view(browser: Any, file: Path) -> None:
    with _opened(browser, file) as page:
        views = page.evaluate(
            """async () => {
              const seen = [];
              for (const match of document.querySelectorAll('.match')) {
                match.open = true;
                for (const radio of match.querySelectorAll('input[type="radio"]')) {
                  radio.click();
                  await new Promise(requestAnimationFrame);
                  seen.push(match.querySelector('.' + radio.value).offsetHeight > 0);
                }
                match.open = false;
              }
              return seen;
            }"""
        )
        assert len(views) == 3 * len(fixture_report().matches)
        assert all(views)
        assert page.locator(".drawing").count() == len(fixture_report().matches)


def test_filters_and_search_narrow_the_list_and_reset_widens_it(browser: Any, file: Path) -> None:
    matches = fixture_report().matches
    with _opened(browser, file) as page:
        assert _shown(page) == len(matches)
        form = page.locator("#filters")
        form.locator("[name=bits]").fill("200")
        assert _shown(page) == sum(match.bits >= 200 for match in matches) < len(matches)
        form.locator("[name=type]").select_option("4")
        assert _shown(page) == sum(match.bits >= 200 and match.clone_type == 4 for match in matches) > 0
        _reset(page)
        assert _shown(page) == len(matches)
        form.locator("[name=similarity]").fill("0.9")
        assert _shown(page) == sum(round(match.similarity, 4) >= 0.9 for match in matches)
        _reset(page)
        form.locator("[name=text]").fill("QueryAttention projector")  # a rename or a name, and a path
        shown = page.locator(".match:visible").all_text_contents()
        assert 0 < len(shown) < len(matches)
        assert all("QueryAttention" in text and "projector" in text for text in shown)
        assert form.locator("output").inner_text() == f"{len(shown)} of {len(matches)} matches"


def test_the_list_can_be_sorted_and_put_back(browser: Any, file: Path) -> None:
    with _opened(browser, file) as page:
        bits = [float(bit) for bit in page.locator(".match").evaluate_all("all => all.map(each => each.dataset.bits)")]
        page.locator("[name=order]").select_option("similarity")
        order = page.locator(".match").evaluate_all("all => all.map(each => Number(each.dataset.similarity))")
        assert order == sorted(order, reverse=True)
        page.locator("[name=order]").select_option("place")
        assert bits == [
            float(bit) for bit in page.locator(".match").evaluate_all("all => all.map(each => each.dataset.bits)")
        ]


@pytest.mark.parametrize("has_scripts", [True, False])
def test_a_link_to_a_match_opens_it(browser: Any, file: Path, has_scripts: bool) -> None:
    anchor = re.findall(r'class="body" id="(m-[0-9a-f]+)"', file.read_text("utf-8"))[40]
    with _opened(browser, file, f"#{anchor}", java_script_enabled=has_scripts) as page:
        body = page.locator(f"#{anchor}")
        assert body.is_visible()
        assert page.locator(".match[open]").count() == 1


def test_a_link_inside_the_page_leads_to_a_match_that_a_filter_hides(browser: Any, file: Path) -> None:
    with _opened(browser, file) as page:
        page.locator("[name=text]").fill("nothing is called so")
        assert _shown(page) == 0
        link = page.locator("svg.map a").first
        link.focus()
        page.keyboard.press("Enter")
        page.wait_for_function("document.querySelectorAll('.match[open]').length === 1")
        assert page.locator(str(link.get_attribute("href"))).is_visible()
        assert page.locator("[name=text]").input_value() == ""


def test_it_can_be_used_by_keyboard_alone(browser: Any, file: Path) -> None:
    with _opened(browser, file) as page:
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        assert page.locator(".skip").bounding_box()["x"] >= 0
        page.keyboard.press("Enter")
        _tab_until(page, "document.activeElement.matches('.match > summary')")
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        page.keyboard.press("Enter")
        _tab_until(page, "document.activeElement.matches('input[value=unrenamed]')")
        page.keyboard.press("ArrowRight")
        assert page.locator(".published:visible").count() == 1
        page.keyboard.press("ArrowRight")
        page.wait_for_selector(".drawing")
        _tab_until(page, "document.activeElement.matches('.node')")
        page.keyboard.press("ArrowDown")
        assert page.evaluate("document.activeElement.dataset.number") == "1"
        assert page.locator(".node.on").count() >= 1


def _tab_until(page: Page, condition: str) -> None:
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate(condition):
            return
    raise AssertionError(f"60 times Tab, and never {condition}")


def test_a_value_and_its_counterpart_are_shown_together_with_their_lines(browser: Any, file: Path) -> None:
    match = next(match for match in fixture_report().matches if match.flows and match.flows.same)
    assert match.flows
    number, counterpart = match.flows.same[0]
    with _opened(browser, file) as page:
        page.locator(".match").nth(fixture_report().matches.index(match)).locator("> summary").click()
        page.locator("label:visible").get_by_text("Value flow", exact=True).click()
        page.locator(f".canvas >> nth=0 >> [data-number='{number}']").hover()
        assert page.locator(f".canvas >> nth=1 >> .on[data-number='{counterpart}']").count() == 1
        lines = page.locator(".drawing .lines").all_inner_texts()
        nodes = (match.flows.suspect.nodes[number], match.flows.reference.nodes[counterpart])
        assert [int(line.split()[0]) for line in lines] == [node.line for node in nodes]


def test_code_is_coloured_without_a_change_of_the_page(browser: Any, file: Path) -> None:
    with _opened(browser, file) as page:
        before = page.locator(".match").first.evaluate("match => match.querySelector('.views').innerHTML")
        match = _first_match(page)
        page.wait_for_function("CSS.highlights.get('code-keyword')?.size > 0")
        match.get_by_text("As published", exact=True).click()
        page.wait_for_function("CSS.highlights.get('code-renamed')?.size > 0")
        assert match.evaluate("match => match.querySelector('.views').innerHTML") == before
        match.locator("> summary").click()
        page.wait_for_function("CSS.highlights.get('code-keyword').size === 0")


# --- without scripts, on paper, in every light ---


def test_without_scripts_the_verdict_the_matches_and_all_three_views_are_there(browser: Any, file: Path) -> None:
    with _opened(browser, file, java_script_enabled=False) as page:
        assert page.locator("h1").inner_text() == "derived, undeclared"
        assert _shown(page) == len(fixture_report().matches)
        assert not page.locator("#filters").is_visible()
        assert not page.locator("#theme").is_visible()
        match = _first_match(page)
        assert "def fit(" not in match.locator(".unrenamed pre.code").first.inner_text()
        assert "def train(" in match.locator(".unrenamed pre.code").first.inner_text()
        match.get_by_text("As published", exact=True).click()
        assert "def fit(" in match.locator(".published pre.code").first.inner_text()
        match.get_by_text("Value flow", exact=True).click()
        assert "line 2" in match.locator(".steps pre").first.inner_text()


def test_on_paper_there_are_no_controls_and_no_dark_ground(browser: Any, file: Path) -> None:
    with _opened(browser, file, color_scheme="dark") as page:
        match = _first_match(page)
        page.emulate_media(media="print", color_scheme="dark")
        for control in ("header", "#filters", ".views > label", ".link"):
            assert not page.locator(control).first.is_visible(), control
        assert match.locator(".unrenamed pre.code").first.is_visible()
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert len(page.pdf(format="A4")) > 10_000


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("is_chosen", [True, False])
def test_text_and_differences_can_be_read_in_light_and_dark(
    browser: Any, file: Path, theme: str, is_chosen: bool
) -> None:
    other = {"light": "dark", "dark": "light"}[theme]
    with _opened(browser, file, color_scheme=other if is_chosen else theme) as page:
        for _ in range(2 if is_chosen and theme == "dark" else is_chosen):
            page.locator("#theme").click()
        ink, soft, faint, accent, paper, raised, changed, word, ribbon = _colours(
            page, "ink soft faint accent paper raised changed word ribbon".split()
        )
        assert (_luminance(paper) > 0.5) == (theme == "light")
        for text in (ink, soft, accent):
            assert _contrast(text, paper) >= AA
            assert _contrast(text, raised) >= AA
        for text in _colours(page, "ink keyword string comment number title".split()):
            for ground in (paper, changed, word):
                assert _contrast(text, ground) >= AA, (text, ground)
        assert _contrast(ribbon, paper) >= AA_LARGE
        assert _contrast(faint, paper) > 1.1


def _colours(page: Page, names: list[str]) -> list[tuple[float, ...]]:
    found = page.evaluate(
        """names => names.map(name => {
          const probe = document.body.appendChild(document.createElement('i'));
          probe.style.color = `var(--${name})`;
          const colour = getComputedStyle(probe).color;
          probe.remove();
          return colour;
        })""",
        names,
    )
    return [tuple(float(part) for part in re.findall(r"[\d.]+", colour)[:3]) for colour in found]


def _luminance(colour: tuple[float, ...]) -> float:
    """Source: WCAG 2.2, relative luminance."""
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in (c / 255 for c in colour)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(first: tuple[float, ...], second: tuple[float, ...]) -> float:
    lighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("width", [400, 1280])
def test_nothing_sticks_out_of_the_window(browser: Any, file: Path, width: int) -> None:
    with _opened(browser, file) as page:
        page.set_viewport_size({"width": width, "height": 900})
        _first_match(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width


# --- what a stranger wrote ---


STRUCTURE = """() => {
  const shape = (element) => [
    element.tagName, element.getAttributeNames().sort().join(' '),
    String(element.className.baseVal ?? element.className),
    Array.from(element.children, shape),
  ];
  return shape(document.documentElement);
}"""


def test_hostile_names_strings_and_code_change_nothing(
    browser: Any, tmp_path: Path, draw: Callable[[Page], None]
) -> None:
    shapes = []
    for name, texts in (("hostile", HOSTILE), ("harmless", HARMLESS)):
        file = tmp_path / f"{name}.html"
        file.write_text(html.render(odd_report(texts)), "utf-8")
        with _opened(browser, file) as page:
            before = page.evaluate(STRUCTURE)
            draw(page)
            shapes.append((before, page.evaluate(STRUCTURE)))
            assert "ran" not in re.split(r"\W+", page.title().partition("document.title")[0])
            assert page.locator(".match pre.code").first.inner_text().count("\n") >= len(texts) - 1
    assert shapes[0] == shapes[1]


@pytest.fixture
def draw() -> Callable[[Page], None]:
    """Open the first match in all views."""

    def opened(page: Page) -> None:
        match = _first_match(page)
        for name in ("As published", "Value flow"):
            match.get_by_text(name, exact=True).first.click()
        page.wait_for_selector(".drawing .node")

    return opened


def test_many_matches_open_and_narrow(browser: Any, tmp_path: Path) -> None:
    file = tmp_path / "many.html"
    file.write_text(html.render(large_report(400, 20)), "utf-8")
    with _opened(browser, file) as page:
        page.locator("[name=text]").fill("blend39")
        assert _shown(page) == 11  # 39, 390 to 399
        page.locator(".match:visible > summary").last.click()
        assert "def mix399(" in page.locator(".match[open] .unrenamed pre.code").first.inner_text()
