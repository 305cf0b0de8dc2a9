"""Which of several references that a suspect is like are told, and what of a pair the lineage is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from detector.model import Attribution, Cluster, Evidence, Relation, Report, Strength
from detector.scan.pairs import Compared, is_told, kept, ties
from detector.scanned import Component
from tests import reports


def a_report(bits: Mapping[str, float] | None = None, **strengths: Strength) -> Report:
    """A report with matches of so many bits, and a line of each kind."""
    whole = reports.full()
    match = whole.matches[0]
    matches = tuple(
        replace(match, own_bits=each, is_declared=name == "declared") for name, each in (bits or {}).items()
    )
    evidence = tuple(
        Evidence(kind, f"same-{kind}", "reference", strength, "", "") for kind, strength in strengths.items()
    )
    return replace(whole, matches=matches, evidence=evidence, attribution=())


def compared(reference: str, report: Report) -> Compared:
    return Compared("hf:a/suspect", reference, "1", report, True)


def test_a_copy_of_a_copy_is_told_once_by_the_nearer_one() -> None:
    original = compared("hf:b/original", a_report({"own": 800.0}, weights=Strength.STRONG))
    copy = compared("hf:c/copy", a_report({"own": 900.0}, weights=Strength.STRONG))
    assert kept([original, copy], {"hf:b/original": 0.0, "hf:c/copy": 100.0}, {}) == {"hf:c/copy"}


def test_what_two_references_explain_each_for_itself_is_told_of_both() -> None:
    found = [compared("hf:b/one", a_report({"own": 800.0})), compared("hf:c/two", a_report({"own": 500.0}))]
    assert kept(found, {"hf:b/one": 800.0, "hf:c/two": 450.0}, {}) == {"hf:b/one", "hf:c/two"}


def test_code_from_one_and_a_tokenizer_from_another_are_told_of_both() -> None:
    code = compared("hf:b/code", a_report({"own": 800.0}))
    tokens = compared("hf:c/tokens", a_report(tokenizer=Strength.MODERATE))
    assert kept([code, tokens], {}, {}) == {"hf:b/code", "hf:c/tokens"}


def test_of_equal_weights_the_nearest_is_told() -> None:
    found = [compared(name, a_report(weights=Strength.STRONG)) for name in ("hf:b/far", "hf:c/near", "hf:d/far")]
    assert kept(found, {}, {"hf:b/far": 0.3, "hf:c/near": 0.1, "hf:d/far": 0.3}) == {"hf:c/near"}


def test_declared_matches_speak_for_nobody() -> None:
    declared = compared("hf:b/declared", a_report({"declared": 900.0}, config=Strength.WEAK))
    copied = compared("hf:c/copied", a_report({"own": 300.0}, config=Strength.MODERATE))
    assert kept([declared, copied], {"hf:b/declared": 900.0}, {}) == {"hf:c/copied"}


def test_a_lineage_is_told_the_share_that_is_not_common() -> None:
    tokens = Evidence(
        "tokenizer", "same-changes", "reference", Strength.MODERATE, "", "",
        {"tokens": 12, "suspect_changes": 16, "reference_changes": 14},
    )  # fmt: skip
    report = replace(
        a_report({"own": 800.0}), evidence=(tokens,), attribution=(Attribution("reference", 800.0, 800.0, 3, 0.75),)
    )
    found = ties(compared("hf:b/one", report))
    assert [(tie.component, tie.distance) for tie in found] == [(Component.CODE, 0.25), (Component.TOKENIZER, 0.25)]
    assert ties(compared("hf:b/one", a_report(config=Strength.STRONG))) == []
    idiom = replace(a_report({"own": 80.0}), attribution=(Attribution("reference", 80.0, 80.0, 1, 0.2),))
    assert ties(compared("hf:b/one", idiom)) == []


def test_code_alone_is_told_as_an_ancestor_in_common_from_strong_support_on() -> None:
    code = Cluster("text", ("code",), Strength.MODERATE, "code/renamed-function")
    files = Cluster("checkpoint", ("tokenizer",), Strength.MODERATE, "tokenizer/same-changes")
    report = replace(a_report({"own": 600.0}), relation=Relation.SHARED_ANCESTOR, strength=Strength.MODERATE)
    assert not is_told(replace(report, clusters=(code,)), Strength.MODERATE)
    assert is_told(replace(report, clusters=(code, files)), Strength.MODERATE)
    assert is_told(replace(report, clusters=(code,), relation=Relation.DERIVED_UNDECLARED), Strength.MODERATE)
    assert is_told(replace(report, clusters=(code,), strength=Strength.STRONG), Strength.MODERATE)
    assert not is_told(replace(report, relation=Relation.DERIVED_UNDECLARED), Strength.STRONG)
