"""Recorded predictions as evidence: shared wrong answers beside a panel, and what is told where there is none."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import pytest

from bench.evidence_behaviour import affair
from detector.artifacts.behaviour.chance import Shared, decimal, log_tail
from detector.figures import Histogram, Matrix
from detector.model import Exhibit, Look, Strength
from tests.logs import ITEMS, answers, copied, labels, lines, log, look, looks

ORIGINAL = answers(1)
COPY = copied(2, 0.85, ORIGINAL)
PANEL = [log(answers(10 + seed)) for seed in range(20)]


def _measures(found: Look) -> Mapping[str, object]:
    (line,) = found.evidence
    return line.measures


def _exhibit(found: Look, name: str) -> Exhibit:
    (exhibit,) = [each for each in found.exhibits if each.name == name]
    return exhibit


# --- figures ---


def test_the_numbers_of_the_affair_come_out_to_the_last_printed_digit(tmp_path: Path) -> None:
    assert [demand.what for demand in affair(tmp_path) if not demand.is_met] == []


@pytest.mark.parametrize(
    ("items", "ours", "theirs", "both"),
    [(10, 3, 4, 2), (10, 3, 4, 0), (20, 19, 18, 17), (30, 30, 30, 30), (40, 0, 7, 0), (60, 20, 30, 8)],
)
def test_the_tail_is_the_sum_of_the_ways_to_draw_so_many_or_more(items: int, ours: int, theirs: int, both: int) -> None:
    ways = sum(math.comb(ours, k) * math.comb(items - ours, theirs - k) for k in range(both, min(ours, theirs) + 1))
    assert math.exp(log_tail(items, ours, theirs, both)) == pytest.approx(ways / math.comb(items, theirs), rel=1e-12)


def test_a_probability_below_all_floats_is_still_printed() -> None:
    assert decimal(-10_000 * math.log(10) + math.log(2.5)) == "2.50000000e-10000"
    assert decimal(math.log(0.25)) == "0.25"
    assert decimal(-math.inf) == "0"
    mantissa, exponent = Shared(60_000, 20_000, 20_000, 19_000).p().split("e-")
    assert (1 <= float(mantissa) < 10, int(exponent) > 5_000) == (True, True)


def test_kappa_is_none_where_errors_are_independent_and_one_where_they_are_the_same() -> None:
    assert Shared(100, 20, 30, 6).kappa == pytest.approx(0)
    assert Shared(100, 20, 20, 20).kappa == pytest.approx(1)
    assert Shared(100, 0, 0, 0).kappa == 0


# --- calibration ---


def test_a_copy_beside_a_panel_has_a_line_with_support(tmp_path: Path) -> None:
    found = look(tmp_path, log(COPY), log(ORIGINAL, labels()), PANEL)
    (line,) = found.evidence
    assert (line.name, line.strength) == ("same-errors", Strength.MODERATE)
    assert line.measures["excess"] > line.measures["largest_excess_of_the_panel"] + 1  # type: ignore[operator]
    assert "bench.evidence_behaviour" in line.calibration
    assert line.places == (("predictions.jsonl", 0),)


def test_a_small_panel_gives_weak_support_at_most(tmp_path: Path) -> None:
    (line,) = look(tmp_path, log(COPY), log(ORIGINAL, labels()), PANEL[:8]).evidence
    assert (line.name, line.strength) == ("same-errors", Strength.WEAK)


def test_without_six_other_models_nothing_is_supported_however_small_p_is(tmp_path: Path) -> None:
    (line,) = look(tmp_path, log(ORIGINAL), log(ORIGINAL, labels()), PANEL[:5]).evidence
    assert (line.name, line.strength) == ("shared-errors", Strength.NONE)
    assert "uncalibrated: 6 other models are needed, 5 are known" in line.claim
    p = line.measures["p_not_calibrated_for_item_difficulty"]
    assert float(str(p)) < 1e-30


def test_independent_models_share_many_errors_and_have_no_support(tmp_path: Path) -> None:
    (line,) = look(tmp_path, log(answers(3)), log(ORIGINAL, labels()), PANEL).evidence
    assert (line.name, line.strength) == ("shared-errors", Strength.NONE)
    assert float(str(line.measures["p_not_calibrated_for_item_difficulty"])) < 1e-6
    assert "no more than chance gives" in line.claim


def test_other_references_are_part_of_the_panel_and_the_reference_itself_is_not(tmp_path: Path) -> None:
    first, second, *_ = looks(tmp_path, log(COPY), log(ORIGINAL, labels()), log(answers(3)), panel=PANEL[:6])
    assert _measures(first)["models_in_the_panel"] == _measures(second)["models_in_the_panel"] == 7
    rows = _exhibit(first, "panel").rows
    assert not any("reference-0" in row[1:3] for row in rows)
    assert any("reference-1" in row[1:3] for row in rows)


def test_logs_beside_the_reference_that_are_called_baselines_are_a_panel(tmp_path: Path) -> None:
    baselines = {f"baselines/{number}.jsonl": each["predictions.jsonl"] for number, each in enumerate(PANEL[:6])}
    found = look(tmp_path, log(COPY), {**log(ORIGINAL, labels()), **baselines})
    assert found.evidence[0].name == "same-errors"
    assert len(found.evidence) == 1


def test_logs_that_the_suspect_brings_along_are_no_panel(tmp_path: Path) -> None:
    baselines = {f"baselines/{number}.jsonl": each["predictions.jsonl"] for number, each in enumerate(PANEL[:6])}
    (line,) = look(tmp_path, {**log(COPY), **baselines}, log(ORIGINAL, labels())).evidence
    assert (line.name, line.measures["models_in_the_panel"]) == ("shared-errors", 0)


def test_texts_have_weak_support_at_most_since_no_null_was_measured_on_them(tmp_path: Path) -> None:
    def told(given: list[str]) -> list[str]:
        return [f"the {number}th answer, after some thought, is {each}" for number, each in enumerate(given)]

    panel = [log(told(answers(10 + seed))) for seed in range(20)]
    (line,) = look(tmp_path, log(told(COPY)), log(told(ORIGINAL), told(labels())), panel).evidence
    assert (line.name, line.measures["answers"], line.strength) == ("same-errors", "texts", Strength.WEAK)


def test_a_log_that_answers_like_another_counts_once(tmp_path: Path) -> None:
    found = look(tmp_path, log(COPY), log(ORIGINAL, labels()), [*PANEL[:5], PANEL[0], log(ORIGINAL)])
    assert _measures(found)["models_in_the_panel"] == 5
    assert sum("answers like another log" in each.reason for each in found.skipped) == 2


def test_a_log_of_few_of_the_items_is_not_in_the_panel_and_that_is_told(tmp_path: Path) -> None:
    short = log(answers(9)[: ITEMS // 2])
    found = look(tmp_path, log(COPY), log(ORIGINAL, labels()), [*PANEL[:6], short])
    assert _measures(found)["models_in_the_panel"] == 6
    assert any("fewer than 90% of the items: model-6" in each.reason for each in found.skipped)


def test_wrong_answers_that_everybody_gives_are_no_excess_and_those_that_nobody_else_gives_are(
    tmp_path: Path,
) -> None:
    items = 200
    truth = ["right"] * items
    hard = ["trap" if number < 60 else "right" for number in range(items)]

    def model(seed: int, own: str) -> dict[str, str]:
        """Falls into most traps, and into some of its own."""
        given = [answer if (number + seed) % 6 else own for number, answer in enumerate(hard)]
        return log([f"{given[number]}{'' if given[number] != own else number % 7}" for number in range(items)])

    panel = [model(seed, f"own {seed}") for seed in range(2, 9)]
    for name, ours, theirs, is_beyond in (
        ("traps", model(0, "mine"), model(1, "theirs"), False),
        ("secret", model(0, "both"), model(0, "both"), True),
    ):
        (line,) = look(tmp_path / name, ours, {**theirs, "x.txt": ""}, [*panel, log(truth, truth)]).evidence
        assert (line.name == "same-errors") is is_beyond, line.claim
        assert (float(str(line.measures["excess"])) > 4) is is_beyond


# --- tables and figures ---


def test_the_table_lists_the_same_wrong_answers_those_that_only_these_two_give_first(tmp_path: Path) -> None:
    found = look(tmp_path, log(COPY), log(ORIGINAL, labels()), PANEL)
    table = _exhibit(found, "same-wrong-answers")
    truth, others = labels(), [answers(10 + seed) for seed in range(20)]
    seen = [
        (str(number), ours, truth[number], sum(other[number] == ours for other in others))
        for number, (ours, theirs) in enumerate(zip(COPY, ORIGINAL, strict=True))
        if ours == theirs != truth[number]
    ]
    assert {row[:4] for row in table.rows} == set(seen)
    assert [row[3] for row in table.rows] == sorted(each[3] for each in seen)
    assert _measures(found)["answers_that_only_these_two_share"] == sum(each[3] == 0 for each in seen)


def test_the_pair_stands_in_its_place_among_the_pairs_of_the_panel(tmp_path: Path) -> None:
    found = look(tmp_path, log(answers(3)), log(ORIGINAL, labels()), PANEL[:7])
    rows = _exhibit(found, "panel").rows
    assert len(rows) == 1 + 7 * 6 // 2
    assert [row[0] for row in rows] == list(range(1, len(rows) + 1))
    values = [float(row[3]) for row in rows]
    assert values == sorted(values, reverse=True)
    assert sum("(the suspect)" in str(row[1]) for row in rows) == 1


def test_figures_show_all_models_and_the_pair_beside_the_null(tmp_path: Path) -> None:
    first, second = looks(tmp_path, log(COPY), log(ORIGINAL, labels()), log(answers(3)), panel=PANEL[:8])
    histogram, *matrices = first.figures
    assert isinstance(histogram, Histogram)
    assert sum(histogram.observed) == 9 * 8 // 2
    assert histogram.edges[0] <= histogram.marks[0][1] <= histogram.edges[-1]
    assert [each.name for each in matrices] == ["agreement", "shared-errors"]
    for matrix in matrices:
        assert isinstance(matrix, Matrix)
        assert matrix.rows[:3] == ("suspect", "reference-0", "reference-1")
        assert [matrix.values[place][place] for place in range(11)] == [1.0] * 11
        assert all(matrix.values[a][b] == matrix.values[b][a] for a in range(11) for b in range(11))
    assert [each.name for each in second.figures] == ["null-against-pair"]


# --- labels, items, kinds of answers ---


def test_without_labels_only_agreement_is_told(tmp_path: Path) -> None:
    found = look(tmp_path, log(COPY), log(ORIGINAL), PANEL)
    (line,) = found.evidence
    same = sum(one == other for one, other in zip(COPY, ORIGINAL, strict=True))
    assert (line.name, line.strength, line.measures["agreement"]) == ("same-answers", Strength.NONE, same / ITEMS)
    assert not any("errors" in key for key in line.measures)


def test_labels_of_either_log_count_and_those_of_the_panel_where_neither_has_any(tmp_path: Path) -> None:
    plain, told = log(ORIGINAL), log(ORIGINAL, labels())
    for name, sides in {"ours": (log(COPY, labels()), plain), "theirs": (log(COPY), told)}.items():
        assert look(tmp_path / name, *sides).evidence[0].name == "shared-errors"
    found = look(tmp_path / "panel", log(COPY), plain, [*PANEL[:6], log(answers(40), labels())])
    assert found.evidence[0].name == "same-errors"


def test_items_without_a_label_and_with_two_are_left_out_and_told(tmp_path: Path) -> None:
    ours, theirs = labels(), labels()
    ours[:40] = ["another label"] * 40
    records = [
        {"id": number, "prediction": answer, "label": None if number >= 280 else theirs[number]}
        for number, answer in enumerate(ORIGINAL)
    ]
    mine = [{"id": n, "prediction": a, "label": ours[n] if n < 280 else None} for n, a in enumerate(COPY)]
    found = look(tmp_path, {"preds.jsonl": lines(mine)}, {"preds.jsonl": lines(records)})
    assert _measures(found)["items"] == 240
    reasons = [each.reason for each in found.skipped]
    assert "20 common items left out: neither log has a label of them" in reasons
    assert "40 common items left out: the two logs have different labels of them" in reasons


def test_logs_in_another_order_and_format_give_the_same(tmp_path: Path) -> None:
    rows = [
        f'"{number}"\t{answer.upper()} \t{label}'
        for number, (answer, label) in enumerate(zip(ORIGINAL, labels(), strict=True))
    ]
    table = {"eval/results.tsv": "\n".join(["ITEM_ID\tModel Output\tGround-Truth", *rows[::-1]])}
    plain = look(tmp_path / "a", log(COPY), log(ORIGINAL, labels()), PANEL)
    other = look(tmp_path / "b", log(COPY), table, PANEL)
    assert _measures(plain) == _measures(other)


def test_disjoint_items_leave_nothing_to_compare(tmp_path: Path) -> None:
    apart = lines([{"id": f"x{number}", "prediction": "a", "label": "b"} for number in range(ITEMS)])
    found = look(tmp_path / "a", log(COPY), {"predictions.jsonl": apart})
    assert (found.examined.is_possible, found.evidence) == (False, ())
    assert "no items in common" in found.examined.about
    few = look(tmp_path / "b", log(COPY), log(ORIGINAL[:12], labels()))
    assert (few.examined.is_possible, few.examined.about) == (False, "the logs have 12 items in common, 50 are needed")


def test_a_side_without_logs_is_said(tmp_path: Path) -> None:
    found = look(tmp_path, {"metrics.csv": "id,prediction\n1,2\n", "README.md": "x"}, log(ORIGINAL))
    assert found.examined.about == "the suspect has no logs of predictions"
    assert not found.examined.is_possible


def test_the_only_file_of_a_target_may_be_called_anything(tmp_path: Path) -> None:
    ours, theirs = ({"run-7.jsonl": log(each, labels())["predictions.jsonl"]} for each in (COPY, ORIGINAL))
    assert look(tmp_path / "only", ours, theirs).examined.is_possible
    assert not look(tmp_path / "beside", {**ours, "notes.txt": "x"}, theirs).examined.is_possible


def test_logs_of_several_data_sets_are_paired_by_name_and_items(tmp_path: Path) -> None:
    def side(given: list[str], names: tuple[str, str]) -> dict[str, str]:
        one = [{"id": f"a{n}", "prediction": each, "label": "class 1"} for n, each in enumerate(given)]
        other = [{"id": f"b{n}", "prediction": each, "label": "class 2"} for n, each in enumerate(given)]
        return {names[0]: lines(one), names[1]: lines(other)}

    ours = side(COPY, ("predictions/x.jsonl", "predictions/y.jsonl"))
    theirs = side(ORIGINAL, ("outputs/y.jsonl", "outputs/x.jsonl"))
    found = look(tmp_path, ours, theirs)
    assert [line.places[0][0] for line in found.evidence] == ["predictions/x.jsonl", "predictions/y.jsonl"]
    assert "predictions/x.jsonl with outputs/y.jsonl" in found.examined.about


def test_texts_are_compared_by_edits_and_boxes_by_overlap(tmp_path: Path) -> None:
    ours = [f"A photograph number {number} of a harbour" for number in range(60)]
    theirs = [f"a photograph  number {number} of the harbour" if number % 2 else ours[number] for number in range(60)]
    text = _measures(look(tmp_path / "text", log(ours), log(theirs)))
    assert (text["answers"], text["agreement"]) == ("texts", 0.5)
    assert 0.9 < float(str(text["mean_likeness_of_answers"])) < 1
    boxes = [[number, 0, number + 10, 10] for number in range(60)]
    moved = [[one + 5, two, three + 5, four] for one, two, three, four in boxes]
    found = _measures(look(tmp_path / "box", log(moved, boxes), log(boxes)))
    assert (found["answers"], found["agreement"], found["mean_likeness_of_answers"]) == ("boxes", 0.0, 0.3333)
    assert (found["errors_of_the_suspect"], found["errors_of_the_reference"]) == (60, 0)
