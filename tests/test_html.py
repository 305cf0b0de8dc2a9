"""The page: complete without a browser's help, safe whatever is in it, and with the numbers of the JSON report."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector import cli
from detector.model import Relation, Report, Strength, Texts
from detector.report import documents, html, summary
from detector.report import json as json_report
from detector.report.sides import lines_of, sides
from detector.settings import STRENGTH_ODDS
from tests.beside import alone, beside
from tests.markup import ACCUSING, INVISIBLE, Element, parsed
from tests.pages import FIXTURES, HARMLESS, HOSTILE, equal_runs, fixture_report, large_report, odd_report


def _number(text: str) -> float:
    found = re.search(r"-?[\d,]*\.?\d+(e-?\d+)?", text)
    assert found, text
    return float(found.group().replace(",", ""))


@pytest.fixture(scope="module")
def page() -> str:
    return html.render(fixture_report())


@pytest.fixture(scope="module")
def root(page: str) -> Element:
    return parsed(page)


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(json_report.render(fixture_report()))
    return loaded


def _section(root: Element, name: str) -> Element:
    return next(each for each in root.all("section") if each.attributes.get("id") == name)


def _cells(table: Element) -> list[list[str]]:
    rows = [row for body in table.all("tbody") for row in body.all("tr")]
    return [[cell.text for cell in row.within() if cell.tag in ("td", "th")] for row in rows]


# --- one file, and nothing from elsewhere ---


def test_the_same_report_gives_the_same_bytes(page: str) -> None:
    assert html.render(fixture_report()) == page


def test_nothing_is_asked_of_any_other_place(root: Element) -> None:
    for element in root.within():
        assert element.tag not in {"link", "img", "iframe", "object", "embed", "base", "audio", "video"}
        assert not {"src", "srcset", "action", "formaction", "poster", "ping"} & set(element.attributes)
        assert element.attributes.get("href", "#").startswith("#")
    style = root.all("style")[0].text
    assert "url(" not in style
    assert "@import" not in style


def test_nothing_runs_but_the_scripts_that_the_policy_names(root: Element) -> None:
    (policy,) = (
        each.attributes["content"]
        for each in root.all("meta")
        if each.attributes.get("http-equiv") == "Content-Security-Policy"
    )
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"].split() == [
        _hash(script.text) for script in root.all("script") if "type" not in script.attributes
    ]
    assert rules["style-src"].split() == [_hash(style.text) for style in root.all("style")]
    for element in root.within():
        assert not [name for name in element.attributes if name.startswith("on") or name == "style"]


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_what_is_brought_along_is_what_its_projects_publish_and_its_licences_are_in_the_page(page: str) -> None:
    folder = resources.files("detector.report") / "page" / "vendor"
    listed = re.findall(
        r"^\| `([\w.]+/[\w.]+)` \| `([0-9a-f]{64})` \|$", (folder / "README.md").read_text("utf-8"), re.M
    )
    files = {f"{inner.name}/{file.name}" for inner in folder.iterdir() if inner.is_dir() for file in inner.iterdir()}
    assert {name for name, _ in listed} == files
    for name, digest in listed:
        data = (folder / name).read_bytes()
        assert hashlib.sha256(data).hexdigest() == digest, name
        if name.endswith("LICENSE"):
            assert data.decode().strip() in page


def test_the_page_accuses_nobody(root: Element) -> None:
    shown = [element.text for element in root.all("main")]
    assert ACCUSING.search(" ".join(shown)) is None


def test_headings_do_not_skip_a_level_and_every_id_is_there_once(root: Element) -> None:
    levels = [int(each.tag[1]) for each in root.within() if re.fullmatch(r"h[1-6]", each.tag)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    ids = [each.attributes["id"] for each in root.within() if "id" in each.attributes]
    assert len(ids) == len(set(ids))
    targets = [each.attributes["href"][1:] for each in root.all("a")]
    assert set(targets) <= set(ids)


def test_the_command_line_writes_the_page(tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    targets = [str(FIXTURES / name) for name in ("rebadged", "independent")]
    code = cli.run(["compare", *targets, "--format", "html", "--output", str(file), "--quiet", "--exit-zero"])
    assert code == 0
    assert parsed(file.read_text("utf-8")).all("h1")[0].text == "independent"


# --- what a stranger wrote ---


def test_no_text_of_a_stranger_changes_the_page() -> None:
    hostile, harmless = (parsed(html.render(odd_report(texts))) for texts in (HOSTILE, HARMLESS))
    assert hostile.shape() == harmless.shape()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(max_size=30), min_size=8, max_size=8))
def test_no_text_at_all_changes_the_page(texts: list[str]) -> None:
    # No line ends, which code may have; and no two alike, which would be one setting where there were two.
    odd = [f"{number}{text}".replace("\r", "").replace("\n", "") for number, text in enumerate(texts)]
    plain = [f"plain{number}" for number in range(len(odd))]
    assert parsed(html.render(odd_report(odd))).shape() == parsed(html.render(odd_report(plain))).shape()


def test_what_would_command_hide_or_reorder_is_shown() -> None:
    page = html.render(odd_report(HOSTILE))
    own = [script.text for script in parsed(page).all("script") if "type" not in script.attributes]
    assert all(INVISIBLE.search(part) is None for part in _without(page, own))
    page.encode("utf-8")
    main = parsed(page).all("main")[0].text
    for shown in (
        r"\x1b[31mred",
        r"evil\u202egnp.py",
        r"\u2028\u2029\x85\x0c\x0b",
        r"\ud800lone",
        "{{ 7 * 7 }}{% raw %}",
    ):
        assert shown in main
    assert "characters left out" in main


def _without(text: str, parts: list[str]) -> list[str]:
    """What is left between these parts, in their order."""
    left = []
    for part in parts:
        before, found, text = text.partition(part)
        assert found
        left.append(before)
    return [*left, text]


def test_code_keeps_its_lines_whatever_is_in_them() -> None:
    code = "a = 1\x0c\n\tb = '\u2028 \u202e'\r\n</pre>\nc\n"
    shown = sides(code, code, ((0, 0, 4),), (10, 20), {})
    assert lines_of(code) == ["a = 1\x0c", "\tb = '\u2028 \u202e'", "</pre>", "c"]
    assert shown.suspect.code == "a = 1\\x0c\n\tb = '\\u2028 \\u202e'\n&lt;/pre&gt;\nc\n"
    assert shown.reference.gutter.split("\n") == ["20", "21", "22", "23"]


# --- the numbers of the JSON report ---


def test_the_first_lines_tell_relation_support_and_sides(root: Element, document: dict[str, Any]) -> None:
    section = _section(root, "relation")
    assert section.all("h1")[0].text == "derived, undeclared"
    assert [cell.text for cell in section.all(".here")] == [document["strength"]] == ["very strong"]
    rows = _cells(section.all(".sides-compared")[0])
    expected = [document["suspect"], *document["references"]]
    assert [(row[1], _number(row[2]), _number(row[3]), row[4]) for row in rows] == [
        (side["name"], side["functions"], side["files"], side["target"]) for side in expected
    ]


@pytest.mark.parametrize("relation", Relation)
@pytest.mark.parametrize("strength", [Strength.NONE, Strength.MODERATE])
def test_every_relation_has_its_words(relation: Relation, strength: Strength) -> None:
    root = parsed(html.render(replace(large_report(1, 0), relation=relation, strength=strength)))
    assert root.all("h1")[0].text.replace(", ", "-").replace(" ", "-") == relation.value
    assert [cell.text for cell in root.all(".here")] == [strength.value]


def test_every_number_of_a_match_is_that_of_the_json_report(root: Element, document: dict[str, Any]) -> None:
    shown = root.all(".match")
    assert len(shown) == len(document["matches"])
    for element, match in zip(shown, document["matches"], strict=True):
        bits, similarity = (_number(figure.text) for figure in element.all(".figure"))
        assert (bits, similarity) == (match["bits"], match["similarity"])
        values = [each.text for each in element.all(".measures")[0].all("dd")]
        names = ("bits", "own_bits", "similarity", "overlap", "containment", "coincidence")
        assert [_number(value) for value in values[:-1]] == [match[name] for name in names]
        assert values[-1] == match["digest"]
        assert float(element.attributes["data-bits"]) == match["bits"]
        assert float(element.attributes["data-similarity"]) == match["similarity"]
        ours, theirs = (place.text for place in element.all(".place"))
        for text, span in ((ours, match["suspect"]), (theirs, match["reference"])):
            assert span["qualname"] in text
            assert f"{span['path']}:{span['first_line']}–{span['last_line']}" in text


def test_equal_lines_are_counted_as_the_json_report_counts_them(root: Element, document: dict[str, Any]) -> None:
    for element, match in zip(root.all(".match"), document["matches"], strict=True):
        texts = match["texts"]
        lines = len(lines_of(texts["suspect"]))
        for view, runs in (("unrenamed", "equal"), ("published", "equal_as_published")):
            sentence = element.all(f".{view}")[0].all("p")[0].text
            assert f", {sum(run[2] for run in texts[runs]):,} of {lines:,} line" in sentence
        assert f"After undoing {texts['undone']:,} rename" in element.all(".unrenamed")[0].all("p")[0].text


def test_both_columns_hold_the_texts_and_as_many_rows(root: Element) -> None:
    for element, match in zip(root.all(".match"), fixture_report().matches, strict=True):
        assert match.texts is not None
        wanted = {
            "unrenamed": (match.texts.unrenamed, match.texts.reference),
            "published": (match.texts.suspect, match.texts.reference),
        }
        for view, texts in wanted.items():
            found = element.all(f".{view}")[0].all(".side")
            rows = [side.all("pre.code")[0].text.removeprefix("\n").split("\n")[:-1] for side in found]
            gutters = [side.all(".gutter")[0].text.removeprefix("\n").split("\n") for side in found]
            assert len(rows[0]) == len(rows[1]) == len(gutters[0]) == len(gutters[1])
            spans = (match.suspect, match.reference)
            for lines, gutter, text, span in zip(rows, gutters, texts, spans, strict=True):
                kept = [(line, number) for line, number in zip(lines, gutter, strict=True) if number]
                assert [line for line, _ in kept] == lines_of(text)
                numbers = [int(number.lstrip("≠+ ")) for _, number in kept]
                assert numbers == list(range(span.first_line, span.first_line + len(numbers)))


def test_attribution_evidence_traces_and_names_have_the_numbers_of_the_json_report(
    root: Element, document: dict[str, Any]
) -> None:
    rows = _cells(_section(root, "attribution").all("table")[0])
    for row, line in zip(rows, document["attribution"], strict=True):
        assert [_number(cell) for cell in row[2:5]] == [line["bits"], line["exclusive_bits"], line["functions"]]
        assert _number(row[5]) / 100 == pytest.approx(line["share_of_suspect"], abs=1e-12)
    told = [documents.evidence(line) for line in summary.ledger(fixture_report())]
    assert sorted(map(str, told)) == sorted(map(str, document["evidence"]))
    claim: Any
    for article, claim in zip(root.all(".claim"), told, strict=True):
        said = [claim[key] for key in ("claim", "innocent", "method", "calibration", "limits")]
        for text in (*said, *claim["propositions"].values(), *claim["tested"]):
            assert text in article.text
        assert all(place["path"] in article.text for place in claim["places"])
        assert [_number(each.text) for each in article.all("b")] == list(claim["measures"].values())
    rows = _cells(_section(root, "traces").all("table")[0])
    for row, trace in zip(rows, document["traces"], strict=True):
        assert row[1] == trace["text"]
        assert [_number(cell) for cell in row[2:4]] == [trace["packages"], trace["bits"]]
    rows = [row for table in _section(root, "names").all("table") for row in _cells(table)]
    for row, pair in zip(rows, document["names"], strict=True):
        assert row[:2] == [pair["reference"]["identifier"], pair["suspect"]]
        assert [_number(cell) for cell in row[2:4]] == [pair["places"], pair["contradicted"]]


def test_files_and_classes_have_the_numbers_of_the_json_report(root: Element, document: dict[str, Any]) -> None:
    files, classes = _section(root, "map").all("table")
    for table, pairs in ((files, document["files"]), (classes, document["classes"])):
        for row, pair in zip(_cells(table), pairs, strict=True):
            numbers = (pair["functions"], pair["suspect"]["functions"], pair["reference"]["functions"], pair["bits"])
            assert [_number(cell) for cell in row[2:]] == list(numbers)


def test_the_histogram_holds_functions_against_their_share_by_coincidence(
    root: Element, document: dict[str, Any]
) -> None:
    section = _section(root, "similarities")
    found = document["similarities"]
    rows = _cells(section.all("table")[0])
    assert [_number(row[1]) for row in rows] == found["suspect"]
    expected = [round(share * document["suspect"]["functions"], 1) for share in found["unrelated"]]
    assert [_number(row[2]) for row in rows] == pytest.approx(expected, abs=0.051)
    labels = [each.text for each in section.all("svg")[0].all("text") if "class" not in each.attributes]
    assert [_number(label) for label in labels] == [count for count in found["suspect"] if count]


def test_the_ribbons_of_the_map_are_sums_of_matches(root: Element, document: dict[str, Any]) -> None:
    titles = [link.all("title")[0].text for link in _section(root, "map").all("a")]
    sums: dict[tuple[str, str], list[float]] = {}
    for match in document["matches"]:
        sums.setdefault((match["suspect"]["path"], match["reference"]["path"]), []).append(match["own_bits"])
    assert len(titles) == len(sums)
    for (ours, theirs), bits in sums.items():
        title = next(title for title in titles if title.startswith(f"{ours} and ") and f" {theirs}: " in title)
        assert f": {len(bits):,} match" in title
        assert f" {round(sum(bits), 2):,.2f} bits" in title


def test_a_page_made_of_a_report_that_was_stored_is_told_by_rounded_numbers_alone() -> None:
    report = large_report(3, 1)
    rounded = [
        replace(
            match,
            similarity=round(match.similarity, 4),
            overlap=round(match.overlap, 4),
            containment=round(match.containment, 4),
            bits=round(match.bits, 2),
            own_bits=round(match.own_bits, 2),
        )
        for match in report.matches
    ]
    assert html.render(replace(report, matches=tuple(rounded))) == html.render(report)


# --- links, limits, absences ---


def test_a_match_keeps_its_link_when_lines_and_other_matches_change() -> None:
    report = large_report(4, 0)
    links = _links(report)
    moved = replace(report.matches[2], suspect=replace(report.matches[2].suspect, first_line=900, last_line=920))
    assert _links(replace(report, matches=(moved, report.matches[3]))) == links[2:]
    assert len(set(links)) == 4


def test_two_functions_of_one_name_have_two_links() -> None:
    report = large_report(1, 0)
    links = _links(replace(report, matches=report.matches * 3))
    assert len(set(links)) == 3


def _links(report: Report) -> list[str]:
    return [body.attributes["id"] for body in parsed(html.render(report)).all(".body")]


def test_beyond_the_limit_a_match_has_its_row_only_and_the_page_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html, "MOST_IN_FULL", 3)
    monkeypatch.setattr(html, "MOST_ROWS", 5)
    monkeypatch.setattr(html, "MOST_LISTED", 30)
    root = parsed(html.render(large_report(8, 0)))
    assert f"{len(fixture_report().names) - 30} more; the JSON report has all" in _section(root, "names").text
    assert [bool(match.all(".views")) for match in root.all(".match")] == [True] * 3 + [False] * 2
    notes = " ".join(note.text for note in _section(root, "matches").all(".note"))
    assert "The 5 matches of most bits, of 8" in notes
    assert "The 3 matches of most bits are shown side by side; 5 more have their row only" in notes


def test_a_report_without_texts_flows_traces_and_histogram_is_a_page_all_the_same() -> None:
    report = fixture_report()
    bare = tuple(replace(match, texts=None, flows=None, disguise_lines={}) for match in report.matches)
    root = parsed(html.render(replace(report, matches=bare, traces=(), similarities=None, skipped=())))
    assert len(root.all(".match")) == len(bare)
    assert not root.all(".views")
    assert not {"traces", "similarities"} & {each.attributes["id"] for each in root.all("section")}


def test_a_report_without_matches_says_so() -> None:
    report = replace(
        fixture_report(),
        matches=(),
        files=(),
        classes=(),
        names=(),
        evidence=(),
        traces=(),
        attribution=(),
        events=(),
        figures=(),
        relation=Relation.INDEPENDENT,
        strength=Strength.NONE,
        similarities=None,
    )
    root = parsed(html.render(report))
    assert "No function of the suspect matches" in _section(root, "matches").text
    assert not root.all("svg")


def test_code_that_was_not_compared_is_told_with_the_reason() -> None:
    root = parsed(html.render(beside()))
    assert _section(root, "matches").text.strip() == "Matches\nCode was not compared: rebadged: no Python."
    assert "attribution" not in {each.attributes.get("id") for each in root.all("section")}
    rows = _cells(_section(root, "examined").all("table")[0])
    assert ["config", "cited", "no", "cited has no configuration"] in rows
    assert ["tokenizer", "original", "yes", "2 tokenizer files with 3"] in rows


def test_a_suspect_that_was_looked_at_alone_is_a_page() -> None:
    root = parsed(html.render(alone()))
    assert root.all("h1")[0].text == "looked at alone"
    assert not root.all(".scale")
    assert len(_section(root, "timeline").all("circle")) == len(alone().events)


def test_each_cluster_leads_to_its_strongest_line(root: Element) -> None:
    table = root.all(".clusters")[0]
    for row, cluster in zip(table.all("tbody")[0].all("tr"), fixture_report().clusters, strict=True):
        (link,) = row.all("a")
        (article,) = [each for each in root.all(".claim") if each.attributes["id"] == link.attributes["href"][1:]]
        assert article.all(".id")[0].text == cluster.line == link.text
        assert article.all(".strength")[0].text == cluster.strength.value


def test_tables_hold_every_row_and_fold_those_after_a_screen_of_them(root: Element) -> None:
    section = _section(root, "tables")
    tokens = next(exhibit for exhibit in fixture_report().exhibits if exhibit.kind == "tokenizer")
    tables = [table for table in section.all("table") if "<|special_" in table.text]
    assert [len(_cells(table)) for table in tables] == [html.FIRST_LISTED, len(tokens.rows) - html.FIRST_LISTED]
    assert [row for table in tables for row in _cells(table)] == [[str(cell) for cell in row] for row in tokens.rows]
    assert "714 rows of a long table left out of the report." in section.text


def test_long_tables_end_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html, "MOST_CELLS", 100)
    section = _section(parsed(html.render(beside())), "tables")
    assert sum(len(row) for table in section.all("table") for row in _cells(table)) <= 100
    assert "… and 27 more; the JSON report has all." in section.text


def test_histories_are_lanes_and_the_same_as_a_table(root: Element) -> None:
    section = _section(root, "timeline")
    rows = _cells(section.all("table")[0])
    events = fixture_report().events
    assert [(row[2], row[4]) for row in rows] == [(event.side, event.text) for event in events]
    titles = [each.text for each in section.all("title")]
    assert [title.partition(":")[0] for title in titles] == ["5", "6", "7", "8", "9", "1", "2", "3", "4"]
    assert len(section.all(".window")) == 1


def test_the_scale_stands_beside_the_words(root: Element) -> None:
    rows = _cells(_section(root, "reading").all(".odds")[0])
    assert [row[:2] for row in rows[1:]] == [[name, f"{odds:,.0f}"] for name, odds in STRENGTH_ODDS.items()]


def test_what_was_not_read_is_told_with_its_reason(root: Element) -> None:
    text = _section(root, "skipped").text
    for skipped in fixture_report().skipped:
        assert skipped.path in text
        assert skipped.reason in text


# --- side by side ---


def test_lines_that_differ_face_what_is_alike_and_their_words_are_marked() -> None:
    ours = "def f(a):\n    x = 1\n    return scale(a, 2)\n"
    theirs = "def f(a):\n    check(a)\n    y = [3]\n    return scale(a, 3)\n"
    shown = sides(ours, theirs, ((0, 0, 1),), (1, 1), {})
    assert shown.suspect.gutter.split("\n") == ["1", "≠ 2", "", "≠ 3"]
    assert shown.reference.gutter.split("\n") == ["1", "≠ 2", "+ 3", "≠ 4"]
    assert "scale(a, <mark>2</mark>)" in shown.suspect.code
    assert "scale(a, <mark>3</mark>)" in shown.reference.code


def test_a_name_that_was_changed_is_no_word_that_differs() -> None:
    shown = sides("out = wq(x)\n", "mixed = query(x)\n", (), (1, 1), {"out": "mixed", "wq": "query"})
    assert "<mark>" not in shown.suspect.code + shown.reference.code
    assert shown.equal == 0


def test_another_indentation_marks_no_word() -> None:
    shown = sides("return scale(a, 2)\n", "        return scale(a, 2)\n", (), (1, 1), {})
    assert "<mark>" not in shown.suspect.code + shown.reference.code
    assert shown.suspect.gutter == "≠ 1"


def test_long_texts_and_lines_do_not_take_for_ever() -> None:
    ours = "".join(f"a{number} = {number}\n" for number in range(4_000))
    theirs = "".join(f"b{number} = {number}\n" for number in range(4_000))
    shown = sides(ours, theirs, (), (1, 1), {})
    assert shown.suspect.code.count("\n") == 4_000
    wide = sides("x + " * 20_000 + "\n", "x - " * 20_000 + "\n", (), (1, 1), {})
    assert len(wide.suspect.code) < 3_000


def test_runs_count_what_the_texts_say() -> None:
    match = fixture_report().matches[0]
    assert isinstance(match.texts, Texts)
    assert match.texts.equal == equal_runs(match.texts.unrenamed, match.texts.reference)
