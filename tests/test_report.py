"""Reports: what a person and a machine read must be complete, safe to show, and the same for the same input."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterable
from dataclasses import replace
from importlib import resources
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from detector.model import (
    Attribution,
    Basis,
    CloneType,
    Correspondence,
    Evidence,
    Match,
    NamePair,
    Relation,
    Report,
    Role,
    Side,
    Skipped,
    Span,
    Strength,
)
from detector.report import json as json_report
from detector.report import terminal
from detector.report.names import visible

SUSPECT = Side("./rebadged", "rebadged", "", functions=120, files=14)
ORIGINAL = Side("git+https://example.org/original.git@v1", "original", "0123456789abcdef" * 2 + "01234567", 300, 40)
OTHER = Side("other-1.0.zip", "other", "1.0", 1, 1)

HOSTILE_NAMES = (
    "\x1b[31mred\x1b[0m",
    "\x1b]8;;https://example.org\x07link",
    "\x9b31m",
    "line\nbreak\rreturn\x08",
    "evil\u202egnp.py",
    "\u2066isolate\u2069",
    "zero\u200bwidth\ufeff",
    "\ud800surrogate\udcff",
    "\u2028separator",
)


def _match(name: str = "Projection.forward", bits: float = 687.125, **changes: Any) -> Match:
    match = Match(
        suspect=Span("pkg/resampler.py", name, 61, 79),
        reference_name="original",
        reference=Span("models/resampler.py", "Resampler.forward", 130, 170),
        similarity=0.741234,
        overlap=0.752345,
        containment=0.88,
        bits=bits,
        own_bits=bits,
        coincidence=0.0398,
        basis=Basis.ALONE,
        clone_type=CloneType.EDITED,
        is_declared=False,
        digest="ab12",
        renames={"kv": "x", "Projection": "Resampler", "mask": "mask"},
        disguises=("tuple-assignment", "inlined-temporary"),
    )
    return replace(match, **changes)


def _class(name: str = "Projection", original: str = "Resampler", **changes: Any) -> Correspondence:
    pair = Correspondence(
        suspect_path="pkg/resampler.py",
        suspect_class=name,
        reference_name="original",
        reference_path="models/resampler.py",
        reference_class=original,
        functions=5,
        suspect_functions=6,
        reference_functions=8,
        bits=812.345,
        names={"forward": "forward", "_fit": "grow_table"},
    )
    return replace(pair, **changes)


def _file(path: str, original: str, **changes: Any) -> Correspondence:
    return _class("", "", suspect_path=path, reference_path=original, **changes)


def _report(matches: Iterable[Match] | None = None, **changes: Any) -> Report:
    report = Report(
        suspect=SUSPECT,
        references=(ORIGINAL,),
        relation=Relation.DERIVED_UNDECLARED,
        strength=Strength.STRONG,
        matches=(_match(),) if matches is None else tuple(matches),
        classes=(),
        files=(_file("pkg/resampler.py", "models/resampler.py"),),
        names=(NamePair("Projection", "original", "Resampler", 7, 0), NamePair("kv", "original", "x", 3, 2)),
        attribution=(Attribution("original", 3395.0, 1200.0, 12, 0.66),),
        evidence=(
            Evidence(
                kind="code",
                name="renamed-function",
                reference="original",
                strength=Strength.STRONG,
                claim="12 functions compute the same after renaming.",
                innocent="Both took them from a third project.",
                measures={"functions": 12, "p": 1.23456789e-20},
            ),
        ),
        skipped=(Skipped("b.py", "too large"), Skipped("a.py", "too large"), Skipped("c.py", "not Python")),
        settings={"min_similarity": 0.5, "min_bits": 20},
        versions={"detector": "0.1.0"},
    )
    return replace(report, **changes)


def _schema() -> dict[str, Any]:
    text = (resources.files("detector.report") / "detector-report-1.schema.json").read_text("utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def _closed(schema: Any) -> Any:
    """The schema with no room for unknown keys: for the tests, since readers must tolerate them."""
    if isinstance(schema, list):
        return [_closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _closed(value) for key, value in schema.items()}
    if "properties" in schema:
        closed.setdefault("additionalProperties", False)
    return closed


def _assert_valid(text: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(text)
    jsonschema.Draft202012Validator(_closed(_schema())).validate(document)
    return document


# --- machine ---


def test_the_published_schema_is_a_valid_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(_schema())


def test_a_report_follows_the_published_schema_without_unknown_keys() -> None:
    document = _assert_valid(json_report.render(_report()))
    assert document["schema"] == "detector-report/1"
    assert list(document)[:5] == ["schema", "suspect", "references", "relation", "strength"]


def test_a_match_has_the_keys_that_other_tools_read() -> None:
    match = _assert_valid(json_report.render(_report()))["matches"][0]
    assert match["reference"] == {
        "name": "original",
        "path": "models/resampler.py",
        "qualname": "Resampler.forward",
        "first_line": 130,
        "last_line": 170,
        "role": "own",
    }
    assert match["declared"] is False
    assert match["clone_type"] == 3
    assert match["renames"] == {"Projection": "Resampler", "kv": "x", "mask": "mask"}
    assert match["disguises"] == ["tuple-assignment", "inlined-temporary"]


def test_the_schema_refuses_a_report_with_a_wrong_relation_or_a_missing_key() -> None:
    document = json.loads(json_report.render(_report()))
    validator = jsonschema.Draft202012Validator(_schema())
    wrong = copy.deepcopy(document)
    wrong["relation"] = "proven"
    assert not validator.is_valid(wrong)
    del document["matches"][0]["bits"]
    assert not validator.is_valid(document)


def test_the_schema_lets_readers_of_this_version_accept_later_keys() -> None:
    document = json.loads(json_report.render(_report()))
    document["later"] = 1
    document["matches"][0]["later"] = 1
    assert jsonschema.Draft202012Validator(_schema()).is_valid(document)


def test_classes_files_and_names_have_the_keys_that_other_tools_read() -> None:
    document = _assert_valid(json_report.render(_report(classes=(_class(),))))
    assert document["classes"] == [
        {
            "suspect": {"path": "pkg/resampler.py", "class": "Projection", "functions": 6},
            "reference": {"name": "original", "path": "models/resampler.py", "class": "Resampler", "functions": 8},
            "functions": 5,
            "bits": 812.35,
            "names": {"forward": "forward", "_fit": "grow_table"},
        }
    ]
    (file,) = document["files"]
    assert file["suspect"] == {"path": "pkg/resampler.py", "functions": 6}
    assert file["reference"] == {"name": "original", "path": "models/resampler.py", "functions": 8}
    assert document["names"][1] == {
        "suspect": "kv",
        "reference": {"name": "original", "identifier": "x"},
        "places": 3,
        "contradicted": 2,
    }


def test_every_relation_strength_role_basis_and_clone_type_is_in_the_schema() -> None:
    for relation in Relation:
        _assert_valid(json_report.render(_report(relation=relation)))
    for strength in Strength:
        _assert_valid(json_report.render(_report(strength=strength)))
    for role in Role:
        _assert_valid(json_report.render(_report([_match(suspect=Span("a.py", "f", 1, 2, role))])))
    for basis in Basis:
        _assert_valid(json_report.render(_report([_match(basis=basis)])))
    for clone_type in CloneType:
        _assert_valid(json_report.render(_report([_match(clone_type=clone_type)])))


def test_an_empty_report_follows_the_schema() -> None:
    nothing: dict[str, Any] = dict.fromkeys(("classes", "files", "names", "attribution", "evidence", "skipped"), ())
    _assert_valid(json_report.render(_report((), **nothing, settings={}, versions={})))


def test_numbers_are_rounded_so_that_the_order_of_additions_does_not_show() -> None:
    a, b = (_report([_match(bits=value, similarity=value / 10)]) for value in (0.1 + 0.2 + 0.3, 0.3 + 0.2 + 0.1))
    assert a.matches != b.matches
    assert json_report.render(a) == json_report.render(b)
    document = json.loads(json_report.render(_report()))
    assert document["matches"][0]["similarity"] == 0.7412
    assert document["matches"][0]["bits"] == 687.12
    assert document["evidence"][0]["measures"] == {"functions": 12, "p": 1.23457e-20}


def test_the_order_of_renames_settings_and_measures_does_not_show() -> None:
    match = _match()
    turned = replace(match, renames=dict(reversed(list(match.renames.items()))))
    report = _report([match])
    settings_turned = dict(reversed(list(report.settings.items())))
    assert json_report.render(report) == json_report.render(_report([turned], settings=settings_turned))


def test_a_number_that_json_does_not_have_is_an_error() -> None:
    with pytest.raises(ValueError, match="JSON"):
        json_report.render(_report([_match(bits=float("nan"))]))


def test_lone_surrogates_and_control_characters_are_escaped_in_json_and_come_back_whole() -> None:
    for name in HOSTILE_NAMES:
        text = json_report.render(_report([_match(name=name)]))
        text.encode("utf-8")
        assert all(char == "\n" or char.isprintable() for char in text), name
        assert json.loads(text)["matches"][0]["suspect"]["qualname"] == name


def test_letters_of_all_scripts_stay_readable_in_json() -> None:
    assert "Größe.前向" in json_report.render(_report([_match(name="Größe.前向")]))


@given(st.text(), st.floats(0, 1), st.floats(0, 1e9), st.dictionaries(st.text(), st.text(), max_size=3))
@settings(max_examples=50, deadline=None)
def test_any_names_and_numbers_give_a_valid_document_and_a_printable_text(
    name: str, ratio: float, bits: float, renames: dict[str, str]
) -> None:
    match = _match(
        name=name, similarity=ratio, containment=ratio, bits=bits, coincidence=10_000 * ratio, renames=renames
    )
    report = _report(
        [match],
        classes=(_class(name.rpartition(".")[0] or "C", name, bits=bits),),
        files=(_file(name, name, bits=bits),),
        names=(NamePair(name, name, name, 2, 1),),
        skipped=(Skipped(name, name),),
    )
    _assert_valid(json_report.render(report))
    assert all(char == "\n" or char.isprintable() for char in terminal.render(report, 80, color=False))


# --- person ---


def test_the_terminal_report_says_relation_support_sides_matches_and_evidence() -> None:
    text = terminal.render(_report(), 100, color=False)
    for part in (
        "derived, undeclared",
        "rebadged is derived from original or from a source they share; it does not declare it.",
        "strong (of none, weak, moderate, strong, very strong)",
        "120 functions in 14 files",
        "0123456789ab",
        "3,395.0",
        "1,200.0",
        "66.0%",
        "687.1 bits  similarity 0.74  containment 0.88  type 3, edited  alone, 1 in 250,000",
        "pkg/resampler.py:61-79 Projection.forward",
        "original models/resampler.py:130-170 Resampler.forward",
        "Resampler → Projection, x → kv",
        "tuple-assignment, inlined-temporary",
        "12 functions compute the same after renaming.",
        "Both took them from a third project.",
        "2 × too large",
        "1 × not Python",
        "--format json",
    ):
        assert part in text, part


@pytest.mark.parametrize("relation", Relation)
def test_every_relation_is_put_in_words_for_one_and_for_several_references(relation: Relation) -> None:
    one = terminal.render(_report(relation=relation), 200, color=False)
    assert "rebadged and original" in one or "rebadged is" in one
    several = _report(relation=relation, references=(ORIGINAL, OTHER))
    assert "original (the nearest of 2 references)" in terminal.render(several, 200, color=False)


@pytest.mark.parametrize("width", [20, 60, 80, 120, 200])
def test_lines_fit_the_width_whatever_the_names(width: int) -> None:
    long = _match(
        name="Very." * 50 + "long",
        suspect=Span("deep/" * 80 + "file.py", "Very." * 50 + "long", 1_000_000, 1_000_001, Role.GENERATED),
        reference_name="名前" * 60,
        renames={f"{'a' * 100}{number}": f"{'b' * 100}{number}" for number in range(9)},
    )
    place = {"suspect_path": "deep/" * 80 + "file.py", "reference_path": "名前/" * 80, "reference_name": "名前" * 60}
    report = _report(
        [long],
        suspect=replace(SUSPECT, name="n" * 300, target="t" * 300),
        references=(ORIGINAL, OTHER),
        classes=(_class("Very." * 49 + "Very", "名前" * 60, bits=1e9, **place),),
        files=(_file("a.py", "b.py"), _class("", "", functions=10_000, suspect_functions=20_000, bits=1e9, **place)),
        names=(NamePair("n" * 300, "名前" * 60, "名前" * 60, 1_000, 999), NamePair("a", "other", "b", 2, 0)),
    )
    text = terminal.render(report, width, color=False)
    assert "class Very" in text
    assert "10,000 of 20,000" in text
    for line in text.splitlines():
        assert cell_len(line) <= max(width, terminal.MIN_WIDTH), line


def test_a_long_path_is_elided_in_its_middle() -> None:
    long = Span("first/" + "deep/" * 40 + "last.py", "Model.forward", 1, 2)
    text = terminal.render(_report([_match(suspect=long)]), 80, color=False)
    assert re.search(r"first/deep\S*…\S*last\.py:1-2 Model\.forward", text)


def test_names_cannot_command_hide_or_reorder_the_terminal() -> None:
    for name in HOSTILE_NAMES:
        spans = Span(name, name, 1, 2)
        side = Side(name, name, name)
        report = _report(
            [_match(suspect=spans, reference=spans, reference_name=name, renames={name: "x"}, disguises=(name,))],
            suspect=side,
            references=(side,),
            classes=(_class("", name, suspect_path=name, reference_path=name, reference_name=name),),
            files=(_file(name, name, reference_name=name),),
            names=(NamePair(name, name, name, 2, 0), NamePair("x", "y", "z", 2, 0)),
            attribution=(Attribution(name, 1.0, 1.0, 1, 1.0),),
            evidence=(Evidence(name, name, name, Strength.WEAK, name, name, {name: name}),),
            skipped=(Skipped(name, name),),
        )
        text = terminal.render(report, 80, color=False)
        assert all(char == "\n" or char.isprintable() for char in text), name


def test_escapes_of_names_stay_out_of_a_coloured_report() -> None:
    text = terminal.render(_report([_match(name="\x1b[5;41mblink")]), 80, color=True)
    assert "\x1b[5;41m" not in text
    assert r"\x1b[5;41mblink" in re.sub(r"\x1b\[[0-9;]*m", "", text)


def test_markup_and_emoji_codes_in_names_are_shown_as_they_are() -> None:
    text = terminal.render(_report([_match(name="[red]f[/red] [/] :smile: [link=x]")]), 100, color=False)
    assert "[red]f[/red] [/] :smile: [link=x]" in text


def test_invisible_characters_are_shown_by_their_code_and_others_kept() -> None:
    assert visible("a\u202eb\x1b\ud800\U000e0001") == r"a\u202eb\x1b\ud800\U000e0001"
    assert visible("Größe 前向 [x] \\ é") == "Größe 前向 [x] \\ é"


def test_without_colour_there_is_no_escape_and_with_colour_the_words_are_the_same() -> None:
    plain, coloured = (terminal.render(_report(), 80, color=color) for color in (False, True))
    assert "\x1b" not in plain
    assert "\x1b[" in coloured
    without = re.sub(r"\x1b\[[0-9;]*m", "", coloured)
    assert [line.rstrip() for line in without.splitlines()] == plain.splitlines()


def test_the_environment_does_not_change_the_report(monkeypatch: pytest.MonkeyPatch) -> None:
    before = terminal.render(_report(), 80, color=True)
    for name, value in {"NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "40", "FORCE_COLOR": "1"}.items():
        monkeypatch.setenv(name, value)
        assert terminal.render(_report(), 80, color=True) == before


def test_without_matches_the_report_says_so_and_how_to_see_more() -> None:
    report = _report((), relation=Relation.INDEPENDENT, strength=Strength.NONE, attribution=(), evidence=())
    text = terminal.render(report, 80, color=False)
    assert "No function of the suspect matches one of a reference." in text
    assert "--min-similarity 0 --min-bits 0" in text


def test_with_several_references_each_function_names_its_nearest_and_the_others() -> None:
    near = _match(bits=500.0)
    far = _match(bits=400.0, reference_name="other", reference=Span("o.py", "g", 1, 9))
    text = terminal.render(_report([near, far], references=(ORIGINAL, OTHER)), 100, color=False)
    assert "Matches: 1 function of the suspect" in text
    assert re.search(r"nearest +original models/resampler\.py", text)
    assert re.search(r"also +other o\.py:1-9 g  similarity 0\.74", text)


def test_of_equal_bits_the_more_similar_reference_is_the_nearest() -> None:
    less = _match(similarity=0.6)
    more = _match(similarity=0.7, reference_name="other")
    text = terminal.render(_report([less, more], references=(ORIGINAL, OTHER)), 100, color=False)
    assert re.search(r"nearest +other", text)


def test_only_the_first_functions_are_listed_and_the_rest_is_counted() -> None:
    matches = [_match(name=f"f{number}", bits=1000.0 - number) for number in range(terminal.MAX_FUNCTIONS + 7)]
    text = terminal.render(_report(matches), 80, color=False)
    assert "… and 7 more; --format json lists all" in text
    assert f":61-79 f{terminal.MAX_FUNCTIONS - 1}\n" in text
    assert f":61-79 f{terminal.MAX_FUNCTIONS}\n" not in text


def test_skipped_files_are_grouped_by_reason_and_cut_short() -> None:
    many = [Skipped(f"f{number:03}.py", "too large") for number in range(10)]
    reasons = [Skipped("x.py", f"reason {number:02}") for number in range(20)]
    text = terminal.render(_report(skipped=(*many, *reasons)), 80, color=False)
    assert "Not read: 30" in text
    assert "10 × too large" in text
    assert "… and 7 more" in text
    assert f"… and {21 - terminal.MAX_REASONS} more reasons" in text
    assert "f003.py" not in text


def test_a_line_number_in_a_reason_is_shown_with_the_path_so_that_equal_reasons_count_together() -> None:
    skipped = [Skipped(f"{name}.py", f"invalid syntax (line {len(name)}); read on") for name in ("a", "bb")]
    text = terminal.render(_report(skipped=tuple(skipped)), 80, color=False)
    assert "2 × invalid syntax; read on" in text
    assert "a.py:1\n" in text
    assert "bb.py:2\n" in text


def test_declared_matches_and_foreign_roles_are_marked() -> None:
    span = Span("third_party/a.py", "f", 1, 2, Role.VENDORED)
    text = terminal.render(_report([_match(suspect=span, is_declared=True)]), 80, color=False)
    assert "type 3, edited  declared" in text
    assert "third_party/a.py:1-2 f  (vendored)" in text


def test_names_that_were_kept_are_not_listed_as_renames() -> None:
    text = terminal.render(_report([_match(renames={"mask": "mask"})]), 80, color=False)
    assert re.search(r"renames +none", text)
    assert "mask" not in text


# --- what a match rests on ---


@pytest.mark.parametrize(
    ("basis", "coincidence", "words"),
    [
        (Basis.ALONE, 0.0398, "edited  alone, 1 in 250,000\n"),
        (Basis.ALONE, 0.3177, "edited  alone, 1 in 31,000\n"),
        (Basis.ALONE, 0.4762, "edited  alone, 1 in 21,000\n"),
        (Basis.ALONE, 1.0, "edited  alone, 1 in 10,000\n"),
        (Basis.ALONE, 813.8, "edited  alone, 1 in 12\n"),
        (Basis.ALONE, 10_000, "edited  alone, 1 in 1\n"),
        (Basis.ALONE, 0.0, "edited  alone, below 1 in 10,000\n"),
        (Basis.CLASS, 5.0, "edited  in its class\n"),
        (Basis.FILE, 5.0, "edited  in its file\n"),
        (Basis.CALLER, 5.0, "edited  through its caller\n"),
        (Basis.PROJECT, 5.0, "edited  in the project\n"),
        (Basis.REQUEST, 5.0, "edited\n"),
    ],
)
def test_a_match_says_what_it_rests_on(basis: Basis, coincidence: float, words: str) -> None:
    text = terminal.render(_report([_match(basis=basis, coincidence=coincidence)]), 120, color=False)
    assert f"containment 0.88  type 3, {words}" in text


def test_what_a_match_rests_on_stands_below_where_there_is_no_room_beside() -> None:
    lines = terminal.render(_report(), 80, color=False).splitlines()
    assert "  687.1 bits  similarity 0.74  containment 0.88  type 3, edited" in lines
    assert "  alone, 1 in 250,000" in lines


def test_what_a_match_rests_on_is_dim() -> None:
    text = terminal.render(_report([_match(basis=Basis.FILE)]), 120, color=True)
    assert re.search(r"\x1b\[2m *in its file", text)


# --- classes ---


def _lines(report: Report, width: int = 120) -> list[str]:
    return terminal.render(report, width, color=False).splitlines()


def _at(lines: list[str], part: str) -> int:
    (number,) = [number for number, line in enumerate(lines) if part in line]
    return number


def test_a_class_is_one_finding_with_its_methods_under_it() -> None:
    methods = [_match(name=f"Projection.{name}", bits=bits) for name, bits in (("forward", 700.0), ("_fit", 90.0))]
    lines = _lines(_report(methods, classes=(_class(),)))
    head = _at(lines, "class Projection")
    assert lines[head] == "  class Projection ← original Resampler  5 of 6 methods, 812.3 bits"
    assert lines[head + 1] == "    pkg/resampler.py ← models/resampler.py"
    assert lines[head + 2].startswith("    700.0 bits  similarity")
    assert lines[head + 3].startswith("      suspect     pkg/resampler.py:61-79 Projection.forward")
    assert lines[head + 4].startswith("      reference   original models/resampler.py:130-170 Resampler.forward")
    assert lines[_at(lines, "Projection._fit") - 1].startswith("    90.0 bits")
    assert "Matches: 2 functions of the suspect" in lines


def test_a_class_that_kept_its_name_shows_it_once() -> None:
    lines = _lines(_report(classes=(_class(original="Projection"),)))
    assert "  class Projection ← original  5 of 6 methods, 812.3 bits" in lines


def test_a_class_of_one_method_says_so() -> None:
    lines = _lines(_report(classes=(_class(functions=1, suspect_functions=1),)))
    assert "  class Projection ← original Resampler  1 of 1 method, 812.3 bits" in lines


def test_classes_and_free_functions_are_ordered_by_bits() -> None:
    matches = [
        _match(name="hefty", bits=900.0),
        _match(name="Projection.forward", bits=500.0),
        _match(name="middle", bits=400.0),
        _match(name="Projection.tail", bits=312.0),
        _match(name="Other.method", bits=200.0),
        _match(name="small", bits=100.0),
    ]
    lines = _lines(_report(matches, classes=(_class(bits=812.0), _class("Gone", bits=850.0))))
    parts = ["hefty", "class Projection", "Projection.forward", "Projection.tail", "middle", "Other.method", "small"]
    places = [_at(lines, part) for part in parts]
    assert places == sorted(places)
    assert not any("Gone" in line for line in lines)  # a class of which nothing is listed
    starts = [re.match(" *", lines[place - 1])[0] for place in places if "class" not in lines[place]]  # type: ignore[index]
    assert list(map(len, starts)) == [2, 4, 4, 2, 2, 2]


def test_a_method_that_went_elsewhere_stands_under_its_class_and_says_so() -> None:
    matches = [
        _match(name="Projection.forward", bits=700.0),
        _match(name="Projection.grow", bits=90.0, reference=Span("models/tables.py", "Tables.widen", 3, 9)),
    ]
    lines = _lines(_report(matches, classes=(_class(),)))
    place = _at(lines, "Projection.grow")
    assert lines[place - 1].startswith("    90.0 bits")
    assert lines[place + 1] == "      reference   original models/tables.py:3-9 Tables.widen"


def test_equal_names_in_other_files_and_in_outer_classes_are_other_classes() -> None:
    matches = [
        _match(bits=700.0),
        _match(bits=60.0, suspect=Span("pkg/other.py", "Projection.forward", 1, 9)),
        _match(bits=50.0, suspect=Span("pkg/resampler.py", "Outer.Projection.forward", 1, 9)),
        _match(bits=40.0, suspect=Span("pkg/resampler.py", "Projection", 1, 9)),
    ]
    lines = _lines(_report(matches, classes=(_class(),)))
    indents = [re.match(" *", line)[0] for line in lines if " bits  similarity " in line]  # type: ignore[index]
    assert list(map(len, indents)) == [4, 2, 2, 2]


def test_a_class_counts_by_its_functions_where_the_list_ends() -> None:
    methods = [_match(name=f"Projection.m{number}", bits=900.0) for number in range(terminal.MAX_FUNCTIONS - 1)]
    others = [_match(name=f"Other.m{number}", bits=800.0 - number) for number in range(3)]
    last = [_match(name=f"f{number}", bits=1.0) for number in range(2)]
    classes = (_class(bits=9000.0), _class("Other", "Another", bits=800.0))
    text = terminal.render(_report([*methods, *others, *last], classes=classes), 120, color=False)
    assert text.count(" bits  similarity ") == terminal.MAX_FUNCTIONS
    assert "class Other ← original Another" in text
    assert "Other.m0" in text
    assert "Other.m1" not in text
    assert "… and 4 more; --format json lists all" in text


def test_no_heading_stands_without_a_method_under_it() -> None:
    methods = [_match(name=f"Projection.m{number}", bits=900.0) for number in range(terminal.MAX_FUNCTIONS)]
    other = _match(name="Other.m", bits=800.0)
    classes = (_class(bits=9000.0), _class("Other", "Another", bits=800.0))
    text = terminal.render(_report([*methods, other], classes=classes), 120, color=False)
    assert "class Other" not in text
    assert "… and 1 more" in text


def test_further_matches_of_a_method_stay_with_it() -> None:
    matches = [_match(bits=700.0), _match(bits=600.0, reference_name="other", reference=Span("o.py", "g", 1, 9))]
    lines = _lines(_report(matches, classes=(_class(),), references=(ORIGINAL, OTHER)))
    assert "      also        other o.py:1-9 g  similarity 0.74" in lines


# --- files and names ---


def test_files_are_listed_beside_each_other() -> None:
    files = (_file("pkg/a.py", "models/b.py", functions=21, suspect_functions=22, bits=2620.44), _file("c.py", "d.py"))
    lines = _lines(_report(files=files))
    head = _at(lines, "Files")
    assert lines[head : head + 4] == [
        "Files",
        "  suspect   reference             functions     bits",
        "  pkg/a.py  original models/b.py   21 of 22  2,620.4",
        "  c.py      original d.py            5 of 6    812.3",
    ]


def test_only_the_first_files_are_listed_and_the_rest_is_counted() -> None:
    files = tuple(_file(f"f{number:02}.py", "o.py") for number in range(terminal.MAX_FILES + 3))
    text = terminal.render(_report(files=files), 80, color=False)
    assert f"  f{terminal.MAX_FILES - 1:02}.py " in text
    assert f"f{terminal.MAX_FILES:02}.py" not in text
    assert "  … and 3 more\n" in text


def test_long_paths_of_files_share_the_room_and_short_ones_leave_theirs() -> None:
    long = "first/" + "deep/" * 30 + "last.py"
    lines = _lines(_report(files=(_file("a.py", long), _file("b.py", "c.py"))), 80)
    line = lines[_at(lines, "Files") + 2]
    assert re.search(r"^  a\.py +original first/\S*…\S*deep/last\.py  +5 of 6", line)
    assert cell_len(line) > 70
    lines = _lines(_report(files=(_file(long, long),)), 80)
    assert re.search(r"^  first/\S*…\S*/last\.py  original fir\S*…\S*/last\.py ", lines[_at(lines, "Files") + 2])


def test_the_most_supported_renamed_names_are_listed_with_what_contradicts_them() -> None:
    names = (
        NamePair("KestrelVL", "original", "HeronForConversation", 7, 0),
        NamePair("pad", "original", "padding", 7, 3),
        NamePair("w", "original", "width", 5, 5),
        NamePair("p", "original", "parameter", 4, 9),
        NamePair("kv", "original", "context", 2, 1),
        NamePair("once", "original", "one", 1, 0),
    )
    lines = _lines(_report(names=names))
    head = _at(lines, "Names: ")
    assert lines[head + 1 : head + 5] == [
        "  HeronForConversation → KestrelVL (7 places)",
        "  padding → pad (7 places, 3 otherwise)",
        "  context → kv (2 places, 1 otherwise)",
        "",
    ]


def test_only_the_first_names_are_listed_and_the_rest_is_counted() -> None:
    names = tuple(NamePair(f"new{number:02}", "original", "old", 99 - number, 0) for number in range(15))
    text = terminal.render(_report(names=names), 80, color=False)
    assert f"→ new{terminal.MAX_NAMES - 1:02}" in text
    assert f"new{terminal.MAX_NAMES:02}" not in text
    assert f"  … and {15 - terminal.MAX_NAMES} more\n" in text


def test_names_say_whose_they_are_where_they_come_from_several_references() -> None:
    names = (NamePair("a", "original", "b", 3, 0), NamePair("a", "other", "c", 2, 0))
    lines = _lines(_report(names=names, references=(ORIGINAL, OTHER)))
    assert "  b → a (3 places)  original" in lines
    assert "  c → a (2 places)  other" in lines


def test_without_matches_there_are_neither_files_nor_names() -> None:
    lines = _lines(_report(()))
    assert not any(line.startswith(("Files", "Names")) for line in lines)
    lines = _lines(_report(names=(NamePair("once", "original", "one", 1, 0),), files=()))
    assert not any(line.startswith(("Files", "Names")) for line in lines)


def test_the_sections_follow_each_other() -> None:
    lines = _lines(_report())
    headings = ("What each reference", "Matches: ", "Files", "Names: ", "Evidence, and", "Not read: ", "Bits: ")
    numbers = [_at(lines, heading) for heading in headings]
    assert numbers == sorted(numbers)
    assert all(lines[number - 1] == "" for number in numbers)
