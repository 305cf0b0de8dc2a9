"""The page of a scan: complete without scripts, safe whatever is in it, the same for the same scan."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from detector.report import dashboard, occurrence_lanes
from detector.scanned import Finding, Lineage, Run, Scan, State
from tests.markup import ACCUSING, INVISIBLE, Element, parsed
from tests.scans import HOSTILE, LINES, day, finding, scan

WHEN = day(60)


def _page(found: Scan, reports: tuple[str, ...] = ()) -> Element:
    return parsed(dashboard.render(found, reports))


def _of_state(page: Element, state: State) -> list[str]:
    """Ids of the findings that stand under a state, in the page's order."""
    (group,) = [each for each in page.all("section.group") if each.attributes["data-state"] == state.value]
    return [each.attributes["id"].removeprefix("f-") for each in group.all("details.finding")]


def test_every_finding_stands_under_its_state_new_ones_first_with_their_lines_and_explanations() -> None:
    found = scan(30)
    page = _page(found)
    assert [each.attributes["data-state"] for each in page.all("section.group")] == [each.value for each in State]
    for state in State:
        assert _of_state(page, state) == [each.id for each in found.findings if each.state is state]
    shown = {each.attributes["id"]: each.text for each in page.all("details.finding")}
    for each in found.findings:
        text = shown[f"f-{each.id}"]
        for line in each.lines:
            assert line.claim in text
            assert line.innocent in text
        assert all(name in text for name in (each.reason, each.suspect, each.reference))


def test_new_findings_are_open_and_the_others_are_not() -> None:
    page = _page(scan(100))
    opened = [each for each in page.all("details.finding") if "open" in each.attributes]
    assert 0 < len(opened) == min(dashboard.FIRST_OPEN, 25)
    assert {each.attributes["id"].removeprefix("f-") for each in opened} <= set(_of_state(page, State.NEW))


def test_the_first_lines_say_what_the_last_run_brought() -> None:
    found = scan(8)
    last = replace(found.runs[0], requests=12_345, bytes=2_600_000_000, counts={"changed": 3, "gone": 4})
    page = _page(replace(found, runs=(last, *found.runs[1:])))
    cards = {card.all("dt")[0].text: card.all("dd")[0].text for card in page.all("div.card")}
    assert page.all("h1")[0].text == "2 new findings"
    assert cards["new"] == "2"
    assert cards["changed in this run"] == "3"
    assert cards["gone in this run"] == "4"
    assert cards["requests"] == "12,345"
    assert cards["fetched"] == "2.6 GB"


@pytest.mark.parametrize(("count", "heading"), [(0, "No run yet"), (1, "1 new finding"), (4, "1 new finding")])
def test_the_heading_counts(count: int, heading: str) -> None:
    assert _page(scan(count)).all("h1")[0].text == heading


def test_a_quiet_scan_says_so_and_that_this_proves_nothing() -> None:
    quiet = replace(scan(0), runs=(Run(1, WHEN, WHEN),))
    page = _page(quiet)
    assert page.all("h1")[0].text == "Nothing new"
    assert "no proof of independence" in page.text


def test_a_run_that_was_cut_off_is_told() -> None:
    assert "has not come to its end" in _page(replace(scan(0), runs=(Run(1, WHEN, ""),))).text


def test_members_that_need_attention_are_listed_with_their_reasons_and_no_others() -> None:
    found = scan(10)
    (table,) = _page(found).all("table.members")
    wanted = sorted(each.name for each in found.members if each.standing in dashboard.ATTENTION)
    assert sorted(each.text for each in table.all("th.name")) == wanted
    assert "its files are not for us" in table.text


def test_a_report_is_linked_where_there_is_one() -> None:
    found = scan(4)
    page = _page(found, (found.findings[0].id,))
    links = [each.attributes["href"] for each in page.all("a") if each.attributes["href"].startswith("reports/")]
    assert links == [f"reports/{found.findings[0].id}.html"]


def test_all_links_within_the_page_lead_somewhere_and_no_id_is_there_twice() -> None:
    page = _page(scan(50))
    ids = [each.attributes["id"] for each in page.within() if "id" in each.attributes]
    assert len(ids) == len(set(ids))
    links = {each.attributes["href"] for each in page.all("a")}
    assert links
    assert {link for link in links if not link.startswith("#") or link[1:] not in ids} == set()


@pytest.mark.parametrize("count", [0, 3, 300])
def test_the_same_scan_gives_the_same_page(count: int) -> None:
    assert dashboard.render(scan(count), ("b", "a")) == dashboard.render(scan(count), ("a", "b"))


@pytest.mark.parametrize("count", [0, 3, 40])
def test_nothing_in_a_page_needs_a_network_and_only_its_own_scripts_take_effect(count: int) -> None:
    text = dashboard.render(scan(count, HOSTILE))
    page = parsed(text)
    (policy,) = [each.attributes["content"] for each in page.all("meta") if "http-equiv" in each.attributes]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy
    assert len(page.all("script")) == 2
    assert all("style" not in each.attributes for each in page.within()), "the policy lets none of them take effect"
    for each in page.within():
        assert not any(name.startswith("on") for name in each.attributes)
        assert each.tag not in ("img", "link", "iframe", "object", "base")
        target = each.attributes.get("href", each.attributes.get("src", "#"))
        assert target.startswith(("#", "reports/"))
    assert "</script><script>alert" not in text


def test_names_that_were_chosen_to_mislead_are_shown_and_nothing_else() -> None:
    text = dashboard.render(scan(40, HOSTILE))
    assert INVISIBLE.search(text) is None
    shown = html.unescape(re.sub(r"<(script|style)>.*?</\1>", "", text, flags=re.DOTALL))
    assert "\\u202egnp.exe" in shown
    assert "{{ 7*7 }}" in shown
    text.encode("utf-8")


@pytest.mark.parametrize("count", [0, 40])
def test_no_page_accuses_anyone(count: int) -> None:
    assert ACCUSING.search(dashboard.render(scan(count))) is None


def test_what_is_left_out_of_a_large_page_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dashboard, "MOST_FINDINGS", 5)
    page = _page(scan(40))
    assert len(_of_state(page, State.NEW)) == 5
    assert "5 findings more: the store has all of them." in page.text
    assert page.all("h1")[0].text == "10 new findings"


# --- the time line ---


def test_each_kind_that_occurred_has_a_lane_and_each_run_with_it_a_dot() -> None:
    found = scan(40)
    drawing = parsed(occurrence_lanes.timeline(found.runs, found.occurrences))
    lanes = {each.text for each in drawing.all("text.side")}
    assert lanes == {"runs", *(each.kind for each in found.occurrences)}
    dots = drawing.all("g.occurrence")
    assert len(dots) == len({(each.kind, each.at) for each in found.occurrences})
    assert len(drawing.all("g.run")) == len(found.runs)


def test_a_dot_says_how_many_it_stands_for() -> None:
    found = scan(12)
    same = [replace(each, at=WHEN, kind="found") for each in found.occurrences]
    drawing = parsed(occurrence_lanes.timeline((), same))
    (dot,) = drawing.all("g.occurrence")
    assert "12 found" in dot.all("title")[0].text
    assert [each.text for each in dot.all("text.count")] == ["12"]


def test_times_that_are_none_have_no_place_on_the_axis() -> None:
    found = scan(4)
    assert occurrence_lanes.timeline((), [replace(each, at="<b>") for each in found.occurrences]) == ""
    assert occurrence_lanes.timeline((), ()) == ""


# --- in a browser ---


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Any:
    """Open the page of a scan, and hear what the browser complains about."""

    def open_page(found: Scan, link: str = "", **how: Any) -> Any:
        file = tmp_path / "dashboard.html"
        file.write_text(dashboard.render(found), "utf-8")
        page = browser.new_context(**how).new_page()
        page.complaints = []
        page.on("console", lambda message: page.complaints.append(message.text))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.goto(f"{file.as_uri()}{link}")
        return page

    return open_page


def test_findings_are_filtered_and_ordered_in_a_browser(opened: Any) -> None:
    found = scan(60)
    page = opened(found)
    assert page.text_content("#filters output") == "60 of 60 findings"
    page.fill("[name=text]", "model-17 ")
    assert page.text_content("#filters output") == "1 of 60 findings"
    page.click("#filters [type=reset]")
    page.select_option("[name=state]", "accepted")
    page.wait_for_function("document.querySelector('#filters output').textContent.startsWith('15 ')")
    page.select_option("[name=state]", "")
    page.select_option("[name=order]", "latest")
    seen = page.eval_on_selector_all(".group[data-state=new] .finding", "all => all.map(each => each.dataset.seen)")
    assert seen == sorted(seen, reverse=True)
    assert page.complaints == []


def test_a_link_opens_a_finding_that_was_folded_away(opened: Any) -> None:
    gone = next(each for each in scan(20).findings if each.state is State.GONE)
    page = opened(scan(20), f"#f-{gone.id}")
    assert page.locator(f"#f-{gone.id}").get_attribute("open") is not None


@pytest.mark.parametrize("width", [390, 1300])
def test_hostile_names_neither_run_nor_break_the_page(opened: Any, width: int) -> None:
    page = opened(scan(40, HOSTILE), viewport={"width": width, "height": 900})
    page.on("dialog", lambda dialog: page.complaints.append(dialog.message))
    page.eval_on_selector_all("details", "all => all.forEach(each => { each.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.complaints == []


def test_the_page_is_complete_without_scripts(opened: Any) -> None:
    page = opened(scan(12), java_script_enabled=False)
    assert page.locator(".finding").count() == 12
    assert page.locator("#filters").is_hidden()
    assert page.get_by_text(LINES[0].innocent).first.is_visible()


def test_a_finding_has_a_name_of_any_length() -> None:
    long = replace(finding(0), suspect="hf:" + "x" * 100_000)
    text = dashboard.render(replace(scan(0), findings=(long,), lineage=Lineage((), (), ())))
    assert len(text) < 60_000
    assert isinstance(long, Finding)
