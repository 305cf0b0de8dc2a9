"""The Markdown report: what a person reads in an issue, of bounded length, and nothing in it that strangers command.

It is read here as GitHub reads it: with a parser of CommonMark and tables, and with GitHub's own additions by hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from markdown_it import MarkdownIt
from markdown_it.token import Token

from detector.model import Relation, Report, Strength, Texts
from detector.report import markdown
from detector.report.escaping import PIPE, block, code, prose
from detector.report.names import visible
from tests.beside import alone, beside
from tests.reports import MARKUP, full, hostile_texts, named, reports
from tests.test_report import HOSTILE_NAMES

PARSER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
# What GitHub makes links of in text that is no code: addresses, people, issues and commits; emoji besides.
EFFECTIVE = re.compile(
    r"://|www\.|@|#\d|\bGH-\d|\b[0-9a-f]{7,40}\b|\w/\w|:\w+:|[<>&\u202a-\u202e\u2066-\u2069\u200b]|\$", re.IGNORECASE
)
BLOCKS = {"heading", "paragraph", "table", "thead", "tbody", "tr", "th", "td", "fence", "html_block", "inline"}
SPANS = {"text", "code_inline", "strong_open", "strong_close", "em_open", "em_close"}
HTML = re.compile(r"<details><summary><code>(.*)</code> ← <code>(.*)</code>: [^<>&]*</summary>\n|</details>\n?")
NAMES = (*HOSTILE_NAMES, *MARKUP, "".join(MARKUP), "x" * 10_000, "`" * 1000, "|" * 1000, "\\|" * 30, "")


def _spans(tokens: list[Token]) -> Iterator[Token]:
    for token in tokens:
        yield from token.children or ()


def _assert_harmless(text: str) -> list[Token]:
    """Only what the program writes itself has an effect, and every row of a table has all of its cells."""
    tokens = PARSER.parse(text)
    assert {token.type.removesuffix("_open").removesuffix("_close") for token in tokens} <= BLOCKS
    assert {token.type for token in _spans(tokens)} <= SPANS
    for token in tokens:
        if token.type == "html_block":
            found = HTML.fullmatch(token.content)
            assert found, token.content
            assert not re.search("[<>]", "".join(found.groups(default="")))
    for token in _spans(tokens):
        if token.type == "text":
            assert not EFFECTIVE.search(token.content), token.content
            assert not re.search(r"[`|\[\]*_~]", token.content), token.content
    assert len(text) <= markdown.MAX_LENGTH
    # A parser fills short rows up and cuts long ones, so the lines themselves are counted.
    width = 0
    for line in re.sub(r"^(```+)diff\n.*?^\1$", "", text, flags=re.MULTILINE | re.DOTALL).split("\n"):
        if line.startswith("| "):
            width = width or line.count("|")
            assert line.count("|") == width, line
        else:
            width = 0
    return tokens


# --- what a person reads ---


def test_the_report_begins_with_the_relation_its_support_and_the_references() -> None:
    lines = markdown.render(full()).split("\n")
    assert lines[0] == "## Derived, undeclared"
    assert lines[2].startswith("`rebadged` is derived from `original` (the nearest of 2 references) or from")
    scale, rests_on = lines[4].split(" It rests on ")
    assert scale == "Support: none, weak, moderate, **strong**, very strong."
    assert rests_on == (
        "`text` strong (`code/rewritten-function`); `checkpoint` moderate (`tokenizer/same-changes`); `behaviour` none."
    )
    assert "| `original` | `0123456789ab` | 300 | 133.8 | 133.8 | 2 | 66.1% |" in lines


def test_a_match_is_a_row_with_places_numbers_and_what_it_rests_on() -> None:
    assert (
        "| `Projection.grow` `pkg/tables one.py:61-65` | `original` `Resampler.widen` `models/tables.py:130-134` "
        "| 0.92 | 127.2 | type 3, edited | alone, 1 in 250,000 "
        "| `widen` → `grow`, `wide` → `k`, `count` → `n`, `grid` → `table` |"
    ) in markdown.render(full())
    assert "type 1, layout, declared | in its file |  |" in markdown.render(full())


def test_every_claim_stands_beside_what_else_would_explain_it() -> None:
    rows = [row for row in markdown.render(full()).split("\n") if row.startswith(("| strong |", "| moderate |"))]
    code, tokens = rows
    assert "| functions that compute what functions of original compute, in other words: 1 | a common ancestor" in code
    assert "; in `tokenizer.json`, `added tokens.json:3` | one training recipe" in tokens
    assert "; tried: a common base: 13 tokens are in none of 24 known tokenizers | in 0 of 56 pairs" in tokens


def test_tables_histories_and_what_was_missing_are_tables() -> None:
    text = markdown.render(full())
    assert "| `128012` | `<\\x7cslice\\x7c>` | `<slice>` | `2.5` |" in text
    assert "4 rows of a long table left out of the report." in text
    assert "| `2024-03-18T00:30:32Z` | `rebadged` | first commit: 14 files | `cccccccccccc` |" in text
    assert "| `config` | rebadged has no configuration |  |" in text
    assert "| `tokenizer` | other has no tokenizer files | `other` |" in text


def test_code_that_was_not_compared_and_a_suspect_alone_are_told() -> None:
    text = markdown.render(beside())
    assert "Code was not compared: rebadged: no Python." in text
    assert "| reference | revision |" in text
    assert "matches one of a reference" not in text
    text = markdown.render(alone())
    assert text.startswith("## Looked at alone\n\n`rebadged` was looked at by itself")
    assert "Support" not in text
    assert "### Matches" not in text


def test_what_is_left_of_the_difference_once_names_are_put_back_is_a_folded_diff() -> None:
    text = markdown.render(full())
    assert (
        "<details><summary><code>Projection.grow</code> ← <code>Resampler.widen</code>: the suspect's text with its "
        "names put back</summary>\n\n```diff\n--- reference\n+++ suspect, 4 names put back\n"
    ) in text
    assert '\n-    """Widen."""\n' in text
    assert text.count("<details>") == 1


def test_equal_and_overlong_texts_are_told_and_not_shown() -> None:
    match = full().matches[0]

    def shown(texts: Texts) -> str:
        return markdown.render(replace(full(), matches=(replace(match, texts=texts),))).partition("<details>")[2]

    assert "With 1 name put back, the two texts are the same." in shown(Texts("a", "b  \n", "b", 1, (), ()))
    long = "x\n" * 1001
    assert "More than 1,000 lines: too long to show." in shown(Texts(long, "y", long, 2, (), ()))


NOUNS = "matches attribution evidence traces remarks skipped clusters examined exhibits events figures".split()


def test_a_report_without_anything_to_show_says_so() -> None:
    nothing = replace(
        full(),
        relation=Relation.INDEPENDENT,
        strength=Strength.NONE,
        **dict.fromkeys(NOUNS, ()),  # type: ignore[arg-type]
    )
    text = markdown.render(nothing)
    assert "No function of the suspect matches one of a reference." in text
    assert re.findall("^#+ .*", text, re.MULTILINE) == ["## Independent", "### Matches"]
    assert "the references" in markdown.render(replace(nothing, relation=Relation.DERIVED_UNDECLARED))


@pytest.mark.parametrize("relation", Relation)
def test_every_relation_is_put_in_words(relation: Relation) -> None:
    tokens = _assert_harmless(markdown.render(replace(full(), relation=relation)))
    assert tokens[0].tag == "h2"


# --- length ---


def test_tables_end_with_the_number_of_rows_that_they_lack() -> None:
    report = replace(full(), matches=full().matches * 20)
    text = markdown.render(report)
    assert f"… and {60 - markdown.MAX_MATCHES} more; `--format json` lists all." in text
    assert "60 matches, by bits." in text


def test_whole_sections_are_left_out_where_the_report_would_be_too_long() -> None:
    (match, *others) = full().matches
    long = "\n".join(f"line {number} of a long text" for number in range(900))
    texts = Texts(long, "", long, 1, (), ())
    report = replace(full(), matches=(replace(match, texts=texts),) * 4 + tuple(others))
    text = markdown.render(report)
    _assert_harmless(text)
    assert 30_000 < len(text) <= markdown.MAX_LENGTH
    assert text.count("<details>") == text.count("</details>") == 2
    assert text.endswith("_Left out for length: texts of match 3, texts of match 4. `--format json` has everything._\n")


def test_the_longest_report_is_within_the_bound() -> None:
    report = named("`|@" * 10_000)
    report = replace(
        report,
        references=report.references * 50,
        matches=report.matches * 50,
        classes=report.classes * 50,
        files=report.files * 50,
        names=report.names * 50,
        evidence=report.evidence * 50,
        traces=report.traces * 50,
        skipped=report.skipped * 50,
    )
    _assert_harmless(markdown.render(report))


# --- what strangers wrote ---


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_no_name_has_an_effect(name: str) -> None:
    text = markdown.render(named(name))
    _assert_harmless(text)
    assert all(char == "\n" or char.isprintable() for char in text)


@given(reports())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_no_report_has_an_effect(report: Report) -> None:
    _assert_harmless(markdown.render(report))


@given(hostile_texts)
@settings(max_examples=300, deadline=None)
def test_a_code_span_shows_the_name_and_nothing_else(text: str) -> None:
    (inline,) = [
        token for token in PARSER.parse(f"| a |\n| --- |\n| x {code(text, 1000)} y |\n") if "x" in token.content
    ]
    assert inline.children is not None
    first, *spans, last = inline.children if text else inline.children * 2
    assert (first.content[:1], last.content[-1:]) == ("x", "y")
    assert [span.type for span in spans] == ["code_inline"] * bool(text)
    for span in spans:
        assert span.content.strip() == visible(text).replace("|", PIPE).strip()


@given(hostile_texts)
@settings(max_examples=200, deadline=None)
def test_a_block_ends_where_the_program_ends_it(text: str) -> None:
    tokens = PARSER.parse(f"{block(text, 'diff')}\n\nafter\n")
    assert [token.type for token in tokens] == ["fence", "paragraph_open", "inline", "paragraph_close"]
    assert tokens[0].info == "diff"
    assert all(char == "\n" or char.isprintable() for char in tokens[0].content)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("functions that equal functions of heron: 12, 3 of them declared", None),
        ("it explains 8,165.5 bits (and cited's none).", None),
        ("ask @someone about #12 in org/repo.", "ask `@someone` about `#12` in `org/repo`."),
        ("see https://example.org, or www.example.org!", "see `https://example.org`, or `www.example.org`!"),
        ("commit deadbeef01 or defaced", "commit `deadbeef01` or `defaced`"),
        ("a*b* _c_ ![x](y) <b>", "`a*b* _c_ ![x](y) <b>`"),
        ("pkg/a.py, pkg/b.py: 3", "`pkg/a.py, pkg/b.py`: 3"),
        ("line\nbreak | cell", r"line break `\x7c` cell"),
        ("2024 GH-12 1. a- -a", "`2024 GH-12` 1. `a- -a`"),
        ("", "(empty)"),
        (" \n ", "(empty)"),
        ("...", "..."),
    ],
)
def test_prose_keeps_plain_words_and_shows_the_rest_as_code(text: str, shown: str | None) -> None:
    assert prose(text) == (text if shown is None else shown)
