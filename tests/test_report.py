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
    Evidence,
    Match,
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
        coincidence=0.0398,
        basis=Basis.ALONE,
        clone_type=CloneType.EDITED,
        is_declared=False,
        digest="ab12",
        renames={"kv": "x", "Projection": "Resampler", "mask": "mask"},
        disguises=("tuple-assignment", "inlined-temporary"),
    )
    return replace(match, **changes)


def _report(matches: Iterable[Match] | None = None, **changes: Any) -> Report:
    report = Report(
        suspect=SUSPECT,
        references=(ORIGINAL,),
        relation=Relation.DERIVED_UNDECLARED,
        strength=Strength.STRONG,
        matches=(_match(),) if matches is None else tuple(matches),
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


def test_every_relation_strength_role_and_clone_type_is_in_the_schema() -> None:
    for relation in Relation:
        _assert_valid(json_report.render(_report(relation=relation)))
    for strength in Strength:
        _assert_valid(json_report.render(_report(strength=strength)))
    for role in Role:
        _assert_valid(json_report.render(_report([_match(suspect=Span("a.py", "f", 1, 2, role))])))
    for clone_type in CloneType:
        _assert_valid(json_report.render(_report([_match(clone_type=clone_type)])))


def test_an_empty_report_follows_the_schema() -> None:
    _assert_valid(json_report.render(_report((), attribution=(), evidence=(), skipped=(), settings={}, versions={})))


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
    match = _match(name=name, similarity=ratio, containment=ratio, bits=bits, renames=renames)
    report = _report([match], skipped=(Skipped(name, name),))
    _assert_valid(json_report.render(report))
    assert all(char == "\n" or char.isprintable() for char in terminal.render(report, 80, color=False))


# --- person ---


def test_the_terminal_report_says_relation_support_sides_matches_and_evidence() -> None:
    text = terminal.render(_report(), 100, color=False)
    for part in (
        "derived, undeclared",
        "The code of rebadged is derived from original or from a source they share; it does not declare it.",
        "strong (of none, weak, moderate, strong, very strong)",
        "120 functions in 14 files",
        "0123456789ab",
        "3,395.0",
        "1,200.0",
        "66.0%",
        "687.1 bits  similarity 0.74  containment 0.88  type 3, edited",
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
    report = _report([long], suspect=replace(SUSPECT, name="n" * 300, target="t" * 300), references=(ORIGINAL, OTHER))
    for line in terminal.render(report, width, color=False).splitlines():
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
