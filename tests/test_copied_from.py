"""The measurement itself: how copies are read from comments, and how matches are scored."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from bench.copied_from import in_own_names, rows, run
from bench.declared import clone_classes, declared_copies, form, units
from bench.scoring import Listed, Truth, evaluate, listed_in_report

BART = '''
class BartAttention:
    def __init__(self, width: int):
        """Docstring."""
        self.width = width

    def forward(self, states):
        return states * self.width

def helper(x):
    return x + 1
'''
MARIAN = """
# Copied from transformers.models.bart.modeling_bart.BartAttention with Bart->Marian
class MarianAttention:
    def __init__(self, size):
        self.size = size

    def forward(self, tokens):
        return tokens * self.size

    def extra(self):
        return None

@decorated
# Copied from transformers.models.bart.modeling_bart.helper
def helper(x):
    return x + 1

def equal_but_silent(y):
    return y + 1

def other(y):
    return y + 2
"""
FILES = {"models/bart/modeling_bart.py": BART, "models/marian/modeling_marian.py": MARIAN}
B, A = "models/marian/modeling_marian.py", "models/bart/modeling_bart.py"


def test_a_declared_class_is_expanded_into_the_methods_that_both_have() -> None:
    assert declared_copies(FILES) == {
        ((B, "MarianAttention.__init__"), (A, "BartAttention.__init__")),
        ((B, "MarianAttention.forward"), (A, "BartAttention.forward")),
        ((B, "helper"), (A, "helper")),
    }


def test_a_function_equal_in_form_to_a_declared_source_joins_its_clone_class() -> None:
    classes = clone_classes(units(FILES), declared_copies(FILES))
    (helpers,) = [members for members in classes if (A, "helper") in members]
    assert helpers == {(A, "helper"), (B, "helper")} | {(B, "equal_but_silent")}


def test_the_form_of_a_function_ignores_names_hints_and_docstrings_but_not_constants() -> None:
    found = units(FILES)
    assert found[A, "BartAttention.__init__"].form == found[B, "MarianAttention.__init__"].form
    assert found[A, "helper"].form != found[B, "other"].form
    assert form(__import__("ast").parse("a.b(c=1)")) == form(__import__("ast").parse("x.y(z=1)"))


def key(name: str) -> tuple[str, str]:
    return "m.py", name


TRUTH = Truth(
    {(key("f"), key("F")): True, (key("g"), key("G")): True, (key("g"), key("G2")): False},
    frozenset({key("f"), key("g"), key("h")}),
    frozenset({key("F"), key("G"), key("G2"), key("H")}),
)


def pair(suspect: str, reference: str) -> tuple[tuple[str, str], tuple[str, str]]:
    return key(suspect), key(reference)


def test_a_perfect_list_scores_one_everywhere() -> None:
    result = evaluate([(true, 1.0) for true in TRUTH.pairs] + [(pair("h", "H"), 0.2)], TRUTH)
    assert (result.declared_recall, result.average_precision, result.top_1) == (1.0, 1.0, 1.0)


def test_average_precision_is_the_sum_of_precision_at_each_true_pair() -> None:
    scored = [(pair("f", "F"), 0.9), (pair("f", "H"), 0.8), (pair("g", "G"), 0.7)]
    result = evaluate(scored, TRUTH)
    assert result.average_precision == pytest.approx((1 / 1 + 2 / 3) / 3)
    assert (result.declared_recall, result.top_1) == (1.0, 1.0)


def test_ties_enter_the_ranking_together_whatever_their_order() -> None:
    scored = [(pair("f", "F"), 0.5), (pair("f", "H"), 0.5)]
    result = evaluate(scored, TRUTH)
    assert result == evaluate(scored[::-1], TRUTH)
    assert result.average_precision == pytest.approx(1 / 2 / 3)
    assert result.top_1 == pytest.approx(0.5 / 2)


def test_functions_that_do_not_count_are_left_out() -> None:
    assert evaluate([(pair("f", "F"), 0.5), (pair("tiny", "F"), 0.9), (pair("f", "tiny"), 0.9)], TRUTH) == evaluate(
        [(pair("f", "F"), 0.5)], TRUTH
    )


def test_an_empty_list_scores_nothing() -> None:
    result = evaluate([], TRUTH)
    assert (result.declared_recall, result.average_precision, result.top_1) == (0.0, 0.0, 0.0)


def test_the_truth_survives_disk_and_follows_the_names_of_a_variant(tmp_path: Path) -> None:
    TRUTH.save(tmp_path / "truth.json")
    assert Truth.load(tmp_path / "truth.json") == TRUTH
    renamed = in_own_names(TRUTH, {"m.py": {"f": "ba"}})
    assert (key("ba"), key("F")) in renamed.pairs
    assert key("ba") in renamed.universe
    assert renamed.a_universe == TRUTH.a_universe


def test_a_matcher_is_run_as_a_process_and_its_cost_is_measured(tmp_path: Path) -> None:
    side = {"path": "m.py", "qualname": "f"}
    match = {"suspect": side, "reference": {"path": "m.py", "qualname": "F"}, "similarity": 0.5, "bits": 8.0}
    report = tmp_path / "report.json"
    report.write_text(json.dumps({"matches": [match]}))
    script = "import sys; print(open(sys.argv[1]).read()); sys.exit(1)"
    done = run(f'{sys.executable} -c "{script}" {{suspect}}', report, tmp_path)
    assert done.listed == listed_in_report({"matches": [match]}) == [Listed(pair("f", "F"), 0.5, 8.0)]
    assert done.cpu_seconds > 0
    assert done.peak_bytes > 1_000_000
    assert rows("V0", done, TRUTH)[0].startswith("| V0 | similarity | 0.500 | 0.333 | 0.500 | 1 | ")


def test_a_matcher_that_fails_ends_the_measurement(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="exit code 2"):
        run(f'{sys.executable} -c "raise SystemExit(2)"', tmp_path, tmp_path)
