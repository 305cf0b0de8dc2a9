"""Lineages as JSON, GraphML, text and a page: they hold the same, whatever strangers have called their models."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from dataclasses import replace
from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import networkx as nx
import pytest
from hypothesis import given, settings

from detector.cli import run
from detector.lineage import lineage
from detector.report import descents, graph, lineage_graphml, lineage_json, lineage_page, lineage_text
from detector.scan import members as kept
from detector.scan import ties as kept_ties
from detector.scan.store import open_store
from detector.scanned import Component, Lineage, Listed, Member, Standing, Tie
from tests import lineages
from tests.lineages import HOSTILE, hostile, member, placed, tie
from tests.markup import ACCUSING, INVISIBLE, parsed

DATES = {
    "base": "2024-01-01T00:00:00Z",
    "one": "2024-03-01T00:00:00Z",
    "other": "2024-04-01T00:00:00Z",
    "mixed": "2025-01-01T00:00:00Z",
}
POINTS = {"base": (0.0, 0.0), "one": (0.3, 0.0), "other": (0.0, 0.3), "mixed": (0.2, 0.1)}


def story() -> Lineage:
    """A mixture, an open step, a declared, a contradicted and an unconfirmed one, in two components."""
    declared = {"one": ("base",), "other": ("alone",), "mixed": ("nowhere",)}
    members = [member(name, DATES[name], *declared.get(name, ())) for name in POINTS]
    strangers = [member("alone"), member("left"), member("right")]
    return lineage([*members, *strangers], [*placed(POINTS), tie("left", "right", 0.25, component=Component.CODE)])


RENDERED: dict[str, Callable[[Lineage], str]] = {
    "json": lineage_json.render,
    "graphml": lineage_graphml.render,
    "text": lambda found: lineage_text.render(found, 100),
    "page": lineage_page.render,
}


def _schema() -> Any:
    return json.loads((resources.files("detector.report") / "detector-lineage-1.schema.json").read_text("utf-8"))


# --- every format ---


@pytest.mark.parametrize("form", RENDERED)
@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_no_name_commands_what_shows_it(form: str, name: str) -> None:
    text = RENDERED[form](hostile(name))
    text.encode("utf-8")
    assert not INVISIBLE.search(text)
    assert text.endswith("\n")
    assert len(text) < 200_000 or form in ("json", "graphml")


@pytest.mark.parametrize("form", RENDERED)
def test_no_format_accuses_anyone(form: str) -> None:
    assert not ACCUSING.search(RENDERED[form](story()))


@given(lineages.members, lineages.ties)
@settings(deadline=None, max_examples=60)
def test_any_lineage_is_a_document_in_every_format(members: list[Member], ties: list[Tie]) -> None:
    found = lineage(members, ties)
    jsonschema.validate(json.loads(lineage_json.render(found)), _schema())
    read = nx.read_graphml(io.BytesIO(lineage_graphml.render(found).encode()), force_multigraph=True)
    assert read.number_of_edges() == sum(len(each.parents) for each in found.descents)
    page = parsed(lineage_page.render(found))
    assert len(page.all("g.member")) == sum(len(family.members) for family in found.families)
    text = lineage_text.render(found, 100)
    assert all(each.member in text for each in found.unconfirmed[:50])


def test_an_empty_lineage_says_so() -> None:
    nothing = lineage([member("a")], [])
    assert graph.fragment(nothing) == ""
    assert "Of no two members" in lineage_page.render(nothing)
    assert "Of no two members" in lineage_text.render(nothing, 80)
    assert "joins it with another" in lineage_text.of_member(nothing, "a", 80)


# --- JSON, GraphML ---


def test_the_document_has_all_of_a_lineage_and_its_schema_allows_no_other_word() -> None:
    document = json.loads(lineage_json.render(story()))
    jsonschema.validate(document, _schema())
    mixed = next(each for each in document["descents"] if each["child"] == "mixed")
    assert mixed["parents"] == [{"name": "one", "share": 0.6667}, {"name": "other", "share": 0.3333}]
    assert [each["declared"] for each in document["unconfirmed"]] == ["nowhere", "alone"]
    for broken in ({"schema": "detector-lineage/2"}, {"descents": [{**mixed, "declaration": "proven"}]}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**document, **broken}, _schema())


def test_graphml_has_an_edge_from_each_parent_with_what_is_told_of_it() -> None:
    read = nx.read_graphml(io.BytesIO(lineage_graphml.render(story()).encode()), force_multigraph=True)
    names = dict(read.nodes(data="name"))
    edges = {(names[one], names[other]): data for one, other, data in read.edges(data=True)}
    assert set(edges) == {("base", "one"), ("base", "other"), ("one", "mixed"), ("other", "mixed"), ("left", "right")}
    assert edges["left", "right"]["decided"] is False
    assert edges["base", "one"]["decided"] is True
    assert edges["base", "other"]["declaration"] == "contradicted"
    assert edges["one", "mixed"]["share"] == pytest.approx(0.6667)


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_hostile_names_are_nodes_of_graphml_apart_from_each_other(name: str) -> None:
    read = nx.read_graphml(io.BytesIO(lineage_graphml.render(hostile(name)).encode()))
    assert read.number_of_nodes() == 3


# --- text ---


def test_the_text_is_a_tree_with_what_tells_each_step() -> None:
    lines = lineage_text.render(story(), 100).splitlines()
    assert "Weights: 1 family" in lines
    at = lines.index("  base")
    assert lines[at + 1].startswith("  ├─ one  .3000 by dates, declared")
    assert lines[at + 2] == "  │  └─ mixed  67%, mixed with 33% other; .1414 by dates, not declared"
    assert lines[at + 3] == "  └─ other  .3000 by dates, contradicted: declared otherwise"
    assert lines[lines.index("  left") + 1] == "  └╌ right  .2500 direction undecided, not declared"
    assert lines[-2:] == [
        "  mixed says it derives from nowhere: not scanned",
        "  other says it derives from alone: nothing in common",
    ]


def test_the_text_of_a_member_has_what_is_above_and_below_it() -> None:
    from detector.lineage import around

    text = lineage_text.of_member(around.of_member(story(), "one"), "one", 100)
    assert "from base" in text
    assert "└─ mixed" in text
    assert "other says" not in text
    top = lineage_text.of_member(around.of_member(story(), "base"), "base", 100)
    assert "from nobody that is known" in top


# --- page ---


def test_nothing_in_the_page_runs_or_is_fetched() -> None:
    page = lineage_page.render(story())
    root = parsed(page)
    assert not root.all("script")
    policy = root.all("meta")[1].attributes["content"]
    assert "script" not in policy
    assert policy.startswith("default-src 'none'")
    assert not re.search(r"(src|href)=|url\(|@import|\son\w+=", page)


def test_the_drawing_and_the_table_hold_the_same_facts() -> None:
    root = parsed(graph.fragment(story()))
    titles = [each.text for each in root.all("title")]
    rows = {
        row.all("th")[0].text: [cell.text for cell in row.all("td")]
        for row in root.all("table.lineage")[1].all("tr")[1:]
    }
    assert set(rows) == {"one", "other", "mixed"}
    assert rows["mixed"][:2] == ["67% one, 33% other", ".1414"]
    for name, cells in rows.items():
        (title,) = [each for each in titles if each.startswith(f"{name}: ")]
        assert cells[1] in title


def test_an_open_step_is_dashed_and_a_contradicted_one_is_marked_and_both_are_said_in_words() -> None:
    root = parsed(graph.fragment(story()))
    drawn = [each for each in root.all("path.step") if each.attributes["d"].startswith("M1 ") is False]
    assert sum("open" in each.attributes["class"] for each in drawn) == 1
    assert sum("contradicted" in each.attributes["class"] for each in drawn) == 1
    assert sum("mixed" in each.attributes["class"] for each in drawn) == 1
    labels = [each.text for each in root.all("g.member")]
    assert any(each.count("undecided") == 2 for each in labels)  # the title, and what everybody sees
    assert any(each.count("contradicted") == 2 for each in labels)


def test_no_two_labels_of_a_large_family_meet() -> None:
    names = [f"hf:org/model-{number:03}" for number in range(300)]
    ties = [tie(names[(number - 1) // 2], name, 0.1) for number, name in enumerate(names) if number]
    found = lineage([member(name, f"2024-01-{1 + number % 28:02}") for number, name in enumerate(names)], ties)
    root = parsed(graph.fragment(found))
    assert sum(len(each.all("g.member")) for each in root.all("svg.descents")) == 300
    for picture in root.all("svg.descents"):
        rows = [float(each.all("circle")[0].attributes["cy"]) for each in picture.all("g.member")]
        assert min(after - before for before, after in pairwise(rows)) >= 20
        width = float(picture.attributes["width"])
        for label in (each.all("text")[0] for each in picture.all("g.member")):
            assert float(label.attributes["x"]) + 7.25 * len(label.text) <= width


def test_what_is_not_drawn_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph, "MOST_DRAWN", 3)
    monkeypatch.setattr(graph, "MOST_ROWS", 2)
    text = graph.fragment(story())
    assert "1 family more are in the table and not drawn" in text
    assert "1 more rows are in the JSON document" in text


def _shape(name: str) -> object:
    return parsed(graph.fragment(hostile(name))).shape()


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_no_name_changes_the_page(name: str) -> None:
    assert _shape(name) == _shape("plain")


def test_descents_that_go_round_in_a_circle_are_drawn_once_each() -> None:
    found = story()
    step = found.descents[0]
    circle = replace(found, descents=(step, replace(step, child=step.parents[0], parents=(step.child,))))
    family = next(each for each in circle.families if each.component is Component.CODE)
    assert sorted(row.name for row in descents.rows(circle, family)) == ["left", "right"]
    parsed(graph.fragment(circle))


# --- the command ---


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store with the members and ties of the story."""
    path = tmp_path / "scan.db"
    found = story()
    with open_store(path, create=True) as opened, opened.transaction() as connection:
        number, _ = kept.source(connection, "folder:.")
        listed = [Listed(each.name, "1", each.modified, each.created, each.declared) for each in found.members]
        kept.put(connection, number, "2025-02-01T00:00:00Z", listed)
        for each in found.members:
            kept.settle(connection, each.name, Standing.DONE)
            kept_ties.replace(connection, each.name, [tie for tie in found.ties if each.name in (tie.one, tie.other)])
    return path


def _output(capfd: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = run(["lineage", *arguments])
    said = capfd.readouterr()
    return code, said.out, said.err


def test_the_command_tells_the_lineage_of_a_store(store: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code, text, _ = _output(capfd, "--store", str(store), "--format", "json")
    assert code == 0
    document = json.loads(text)
    jsonschema.validate(document, _schema())
    assert {each["child"] for each in document["descents"]} == {"one", "other", "mixed", "right"}


def test_the_command_tells_of_one_member_and_of_one_component(store: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code, text, _ = _output(capfd, "one", "--store", str(store))
    assert code == 0
    assert "from base" in text
    assert "right" not in text
    code, text, _ = _output(capfd, "--store", str(store), "--component", "code", "--format", "graphml")
    assert code == 0
    assert text.count("<edge") == 1


@pytest.mark.parametrize("form", ["terminal", "json", "graphml", "html"])
def test_the_command_writes_a_file(store: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], form: str) -> None:
    file = tmp_path / "out"
    code, text, _ = _output(capfd, "--store", str(store), "--format", form, "--output", str(file))
    assert (code, text) == (0, "")
    assert "mixed" in file.read_text("utf-8")


def test_who_is_no_member_and_what_is_no_store_is_told_in_one_line(
    store: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    code, _, said = _output(capfd, "hf:no/body\x1b[31m", "--store", str(store))
    assert code == 2
    assert said.startswith("detector: hf:no/body\\x1b[31m: is no member of this scan")
    assert said.count("\n") == 1
    code, _, said = _output(capfd, "--store", str(tmp_path / "none.db"))
    assert code == 2
    assert said.count("\n") == 1


def test_settings_of_reports_do_not_reach_a_lineage(
    store: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DETECTOR_FORMAT", "sarif")
    assert _output(capfd, "--store", str(store))[0] == 0
