"""What a hook prints: a block for each finding, a comment on a change request; plain, bounded and harmless."""

from __future__ import annotations

from dataclasses import replace

import pytest

from detector.model import (
    Basis,
    CloneType,
    Examined,
    Exhibit,
    Match,
    Relation,
    Report,
    Role,
    Side,
    Skipped,
    Span,
    Strength,
    Terms,
)
from detector.report import blocks, comment

HOSTILE = "ev\x1b[2Jil\u202e`|<script>\n@everyone --> \ud800" + "x" * 500

MATCH = Match(
    suspect=Span("src/mine.py", "Bend.forward", 4, 20),
    reference_name="heron",
    reference=Span("heron/ops.py", "Warp.forward", 40, 58),
    similarity=0.91,
    overlap=0.88,
    containment=0.9,
    bits=187.25,
    own_bits=150.0,
    coincidence=0.4,
    basis=Basis.ALONE,
    clone_type=CloneType.RENAMED,
    is_declared=False,
    digest="aa-bb",
    terms=Terms("MIT", "Apache-2.0", "with-conditions", "Keep its notices."),
    credit="# Adapted from heron.ops.Warp.forward\n# of heron, under Apache-2.0",
)
REPORT = Report(
    suspect=Side(".", "mine (staged)", "", 3, 2),
    references=(Side("pypi:heron==1.0", "heron", "1.0", 400, 20),),
    relation=Relation.SHARED_ANCESTOR,
    strength=Strength.WEAK,
    matches=(MATCH,),
    classes=(),
    files=(),
    names=(),
    attribution=(),
    evidence=(),
    skipped=(),
    settings={"least_coincidence": 0.03},
    versions={},
    examined=(Examined("code", "", True, "3 functions that the change adds or alters with 400 of 1 targets"),),
)


def _hostile(text: str = HOSTILE) -> Report:
    span = Span(text, text, 1, 2)
    match = replace(
        MATCH,
        suspect=span,
        reference=span,
        reference_name=text,
        credit=text,
        terms=Terms(text, text, text, text),
    )
    return replace(
        REPORT,
        matches=(match,),
        references=(Side(text, text, text, 1, 1),),
        skipped=(Skipped(text, text),),
        examined=(Examined("code", "", True, text), Examined("code", text, False, text)),
        exhibits=(Exhibit("code", "also-known", "", text, (text,) * 6, ((text, text, text, text, text, 0.5),)),),
    )


def test_a_block_says_what_whence_how_alike_under_which_licence_and_what_to_do() -> None:
    assert blocks.render(REPORT) == (
        "src/mine.py:4-20 Bend.forward\n"
        "    computes what heron at 1.0 computes in heron/ops.py:40-58 Warp.forward\n"
        "    similarity 0.91, 187.2 bits in common; of functions that have nothing to do with each other 1 in\n"
        "    25,000 has such a match. Equal after consistent renaming.\n"
        "    licence: Apache-2.0 there, MIT here: compatible under conditions. Keep its notices.\n"
        "    what else would explain it: both come from a third source, or a formula or a layer that\n"
        "    everybody writes alike, or one author wrote both\n"
        "    if it comes from there, say so above the function:\n"
        "        # Adapted from heron.ops.Warp.forward\n"
        "        # of heron, under Apache-2.0\n"
        "    if not, accept it there, or in the baseline (detector baseline update):\n"
        "        # detector: ignore[code/renamed-function] reason=...\n"
        "\n"
        "A likeness that was measured: who had the code first, and whether it may be used, is not for a\n"
        "program to say.\n"
        "\n"
        "detector: 1 finding (3 functions that the change adds or alters with 400 of 1 targets)\n"
    )


def test_what_is_declared_or_accepted_is_counted_and_has_no_block() -> None:
    matches = (replace(MATCH, is_declared=True), replace(MATCH, accepted="in code: ours"))
    report = replace(REPORT, matches=matches)
    assert blocks.render(report).splitlines()[-1].startswith("detector: nothing found, 1 declared, 1 accepted (")
    assert "Bend" not in blocks.render(report)
    assert comment.render(report).splitlines()[1] == "### Nothing in this change is alike what is known"


def test_further_places_are_named_in_one_line() -> None:
    names = [*(("src/mine.py", f"bird{number}") for number in range(5)), ("src/other.py", "crow")]
    rows = tuple((path, "Bend.forward", name, "its.py", "its", 0.9) for path, name in names)
    report = replace(REPORT, exhibits=(Exhibit("code", "also-known", "", "", ("",) * 6, rows),))
    assert "    also in: bird0 its.py; bird1 its.py; bird2 its.py and 2 more\n" in blocks.render(report)


def test_generated_code_is_named_among_the_explanations() -> None:
    match = replace(MATCH, reference=replace(MATCH.reference, role=Role.GENERATED))
    assert "would explain it: generated code, or" in blocks.render(replace(REPORT, matches=(match,)))


def test_what_rests_on_other_matches_says_so() -> None:
    match = replace(MATCH, basis=Basis.CLASS)
    assert "It rests on its class" in " ".join(blocks.render(replace(REPORT, matches=(match,))).split())


def test_more_findings_than_anybody_reads_are_counted() -> None:
    report = replace(REPORT, matches=(MATCH,) * 60, skipped=tuple(Skipped(f"{n}.py", "broken") for n in range(30)))
    text = blocks.render(report)
    assert text.count("Bend.forward") == blocks.MAX_BLOCKS
    assert "10 more; --format json has all of them." in text
    assert "not read: 10 more" in text


@pytest.mark.parametrize("render", [blocks.render, comment.render])
def test_names_of_strangers_command_nothing(render: object) -> None:
    assert callable(render)
    text = render(_hostile())
    assert all(line.isprintable() for line in text.split("\n"))
    assert text.encode("utf-8")


def test_a_comment_has_its_mark_first_and_nothing_of_a_stranger_outside_of_code() -> None:
    text = comment.render(_hostile())
    assert text.splitlines()[0] == "<!-- detector -->"
    assert text.count("<!--") == 1
    assert "<script>" not in text.replace("`", "") or "&lt;script&gt;" in text
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert {line.replace("\\|", "").count("|") for line in rows} == {6}


def test_a_comment_has_each_finding_with_what_to_paste() -> None:
    text = comment.render(REPORT)
    assert "### 1 function of this change computes what is known" in text
    assert "| `Bend.forward` `src/mine.py:4-20` | `heron` `Warp.forward` `heron/ops.py:40-58` | 0.91 | 187.2 |" in text
    assert "```python\n# Adapted from heron.ops.Warp.forward\n# of heron, under Apache-2.0\n```" in text
    assert "`# detector: ignore[code/renamed-function] reason=...`" in text


def test_a_comment_stays_within_what_a_service_takes() -> None:
    long = replace(MATCH, suspect=Span("p" * 4000, "q" * 4000, 1, 2), credit="# " + "c" * 3000)
    text = comment.render(replace(REPORT, matches=(long,) * 200))
    assert len(text) <= comment.MAX_LENGTH + 500
    assert "more; `--format json` lists all." in text


def test_words_stay_on_the_side_of_what_was_measured() -> None:
    for text in (blocks.render(REPORT), comment.render(REPORT)):
        assert "A likeness that was measured" in " ".join(text.split())
