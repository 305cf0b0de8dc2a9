"""Quality by level of disguise: the measures have known answers, and a true clone is counted against nobody."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from bench import quality
from bench.declared import FunctionNode, Key
from bench.disguise import HOST, KINDS, LEVELS, PART, WHOLE
from bench.quality import (
    BASELINES,
    COMPARED,
    LONG,
    NEEDLE_LEVELS,
    NOTHING,
    PACKAGES,
    PARTIAL,
    SHORT,
    Answers,
    Best,
    Count,
    Measured,
    NeedleQuality,
    Origin,
    PartialQuality,
    Quality,
    Run,
    Specimen,
    answers,
    at_level,
    best_pairs,
    corpus,
    detect,
    f1_of_copies,
    is_built,
    needle_quality,
    open_f1,
    partial_quality,
    report,
    statements,
    with_partial_copies,
)

REFERENCE = {
    "a.py": '''
class Layer:
    def forward(self, x, mask):
        """Docstring."""
        scores = self.query(x) @ self.key(x).transpose(-1, -2)
        if mask is not None:
            scores = scores.masked_fill(mask == 0, -1e9)
        weights = scores.softmax(dim=-1)
        return self.out(weights @ self.value(x))

    def width(self, x):
        return x.shape[-1] // self.heads
''',
    "b.py": """
def breadth(tokens, other):
    return tokens.shape[-1] // other.pieces

def size(x, self):
    return x.shape[-1] + self.heads
""",
    "c.py": """
def last(owner, value):
    return value.shape[-1] // owner.parts
""",
}
FORWARD, WIDTH, LAST = ("a.py", "Layer.forward"), ("a.py", "Layer.width"), ("c.py", "last")


def key(name: str) -> Key:
    return "s.py", name


def ref(name: str) -> Key:
    return "r.py", name


# --- open F1 ---


def test_open_f1_is_taken_at_the_best_threshold() -> None:
    best = [Best(0.9, 0.2), Best(0.8, 0.5), Best(0.3, 0.4)]
    # At .9: 2 x 1 / (1 + 0 + 3); at .8: 2 x 2 / (2 + 0 + 3); at .3: 2 x 3 / (3 + 2 + 3).
    assert open_f1(best, 3) == pytest.approx((4 / 5, 0.8))


def test_a_wrong_pair_that_ties_with_the_right_one_is_a_false_positive_at_its_threshold() -> None:
    assert open_f1([Best(0.8, 0.8)], 1) == pytest.approx((2 / 3, 0.8))
    assert open_f1([Best(0.8, 0.79)], 1) == (1.0, 0.8)


def test_a_function_without_a_scored_pair_is_a_miss() -> None:
    assert open_f1([Best(0.8), Best()], 2) == pytest.approx((2 / 3, 0.8))
    assert open_f1([Best(wrong=0.9)], 1) == (0.0, 0.0)
    assert open_f1([], 0) == (0.0, 0.0)


def test_strangers_can_only_be_false_positives_and_pieces_are_counted_neither_way() -> None:
    right = {key("f"): frozenset({ref("F")}), key("piece"): frozenset({ref("F")})}
    known = Answers(right, {key("f"): 9}, {key("piece"): PART}, {})
    best = {key("f"): Best(0.7), key("piece"): Best(0.1, 0.95)}
    assert f1_of_copies(best, known) == (1.0, 0.7)
    assert f1_of_copies({**best, key("stranger"): Best(wrong=0.9)}, known) == pytest.approx((2 / 3, 0.7))


def test_small_functions_are_not_counted_by_open_f1() -> None:
    right = {key(name): frozenset({ref(name)}) for name in "fg"}
    known = Answers(right, {key("f"): 5, key("g"): 4}, {}, {key("s"): 4, key("t"): 5})
    assert f1_of_copies({key("f"): Best(0.9), key("g"): Best(0.2, 0.95)}, known) == (1.0, 0.9)
    assert f1_of_copies({key("f"): Best(0.9), key("g"): Best(0.2, 0.95)}, known, 0)[0] < 1.0
    assert f1_of_copies({key("f"): Best(0.9), key("s"): Best(wrong=0.95)}, known) == (1.0, 0.9)
    assert f1_of_copies({key("f"): Best(0.9), key("t"): Best(wrong=0.95)}, known)[0] < 1.0


def test_the_best_pair_of_each_kind_is_kept_and_noise_in_the_last_digit_is_a_tie() -> None:
    scored = [((key("f"), ref("F")), 0.5), ((key("f"), ref("F2")), 0.5 + 1e-9), ((key("f"), ref("X")), 0.2)]
    assert best_pairs(scored, {key("f"): frozenset({ref("F")})}) == {key("f"): Best(0.5, 0.5)}
    assert best_pairs(scored, {}) == {key("f"): Best(NOTHING, 0.5)}


# --- the truth ---


def test_a_clone_that_nobody_made_on_purpose_is_right_too() -> None:
    known = answers(Specimen({}, (Origin(key("f"), WHOLE, LAST),)), REFERENCE)
    # The same but for its names, unlike those of `b.py`: parameters in another order, another operator.
    assert known.right == {key("f"): frozenset({LAST, WIDTH})}
    scored = [((key("f"), WIDTH), 0.9), ((key("f"), LAST), 0.8), ((key("f"), ("b.py", "size")), 0.7)]
    assert best_pairs(scored, known.right) == {key("f"): Best(0.9, 0.7)}


def test_a_function_that_is_a_whole_and_a_host_is_a_whole() -> None:
    origins = (Origin(key("f"), WHOLE, WIDTH), Origin(key("f"), HOST, FORWARD), Origin(key("p"), PART, FORWARD))
    known = answers(Specimen({}, origins), REFERENCE)
    assert known.whole == {key("f"): 1}
    assert known.roles == {key("p"): PART}
    assert known.right[key("f")] >= {WIDTH, FORWARD}


def test_statements_count_at_every_depth_without_the_docstring() -> None:
    (layer,) = (node for node in ast.parse(REFERENCE["a.py"]).body if isinstance(node, ast.ClassDef))
    sizes = [statements(node) for node in layer.body if isinstance(node, FunctionNode)]
    assert sizes == [5, 1]


# --- the default operating point ---


def test_quality_counts_by_size_by_role_and_what_is_wrong() -> None:
    right = {key(name): frozenset({ref(name)}) for name in "abcdp"}
    known = Answers(right, {key("a"): 9, key("b"): 6, key("c"): 5, key("d"): 3}, {key("p"): PART}, {key("s"): 9})
    run = Run(
        [
            ((key("a"), ref("a")), 0.9),
            ((key("b"), ref("b")), 0.5),
            ((key("b"), ref("x")), 0.5),
            ((key("c"), ref("x")), 0.4),
        ],
        [(key("a"), ref("a")), (key("c"), ref("x")), (key("d"), ref("d")), (key("p"), ref("p")), (key("s"), ref("s"))],
        [key(name) for name in "abcdps"],
    )
    found = quality.quality(run, known)
    assert found.recall == {LONG: Count(1, 2), SHORT: Count(1, 2)}
    assert (found.functions, found.parts, found.wrong) == (3, Count(1, 1), 2)
    assert found.top_1 == pytest.approx(1 / 3)  # b's is tied, c has none
    assert found.proposed == pytest.approx(2 / 3)
    assert found.f1 == pytest.approx(2 * 2 / (2 + 1 + 3))


def test_partial_copies_are_counted_by_kind_and_foreign_functions_apart() -> None:
    right = {key(name): frozenset({ref("F")}) for name in "abw"}
    known = Answers(right, {key("w"): 6}, {key("a"): KINDS[0], key("b"): KINDS[0]}, {})
    reported = [(key("a"), ref("F")), (key("b"), ref("x")), (key("w"), ref("F")), (key("s"), ref("F"))]
    found = partial_quality(Run([], reported, [key(name) for name in "abwst"]), known)
    assert found.recall[KINDS[0]] == Count(1, 2)
    assert found.elsewhere[KINDS[0]] == 1
    assert found.recall[KINDS[1]] == Count(0, 0)
    assert (found.proof, found.strangers) == (Count(1, 1), Count(1, 2))


def test_a_foreign_function_lowers_the_f1_of_needles() -> None:
    known = Answers({key("f"): frozenset({ref("F")})}, {key("f"): 2}, {}, {key("foreign"): 2})
    scored = [((key("f"), ref("F")), 0.6), ((key("foreign"), ref("F")), 0.7)]
    found = needle_quality(Run(scored, [(key("foreign"), ref("F"))], [key("f"), key("foreign")]), known)
    assert found.f1 == pytest.approx(2 / 3)
    assert (found.recall, found.wrong, found.functions) == (Count(0, 1), 1, 2)


def test_a_share_of_nothing_misses_nothing_and_is_not_shown() -> None:
    assert Count(0, 0).share == 1.0
    assert str(Count(0, 0)) == "-"
    assert str(Count(1, 2) + Count(1, 2)) == "0.500 of 4"


# --- specimens ---


def test_a_specimen_survives_disk_and_is_made_anew_for_another_mutator(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    specimen = Specimen({"p/m.py": "x = 1\n"}, (Origin(("p/m.py", "f"), WHOLE, FORWARD),))
    specimen.save(tmp_path)
    assert Specimen.load(tmp_path) == specimen
    package = PACKAGES[0]
    assert not is_built(tmp_path, package, "L3")
    (tmp_path / "digest").write_text(quality.digest(package, "L3"))
    assert is_built(tmp_path, package, "L3")
    assert not is_built(tmp_path, package, "L4")
    monkeypatch.setattr(quality, "SEED", quality.SEED + 1)
    assert not is_built(tmp_path, package, "L3")


def test_a_disguised_package_is_found_again() -> None:
    specimen = at_level(REFERENCE, {}, "L3")
    known = answers(specimen, REFERENCE)
    run = detect(specimen.files, corpus(REFERENCE), REFERENCE)
    assert set(known.right) == set(run.suspects)
    found = quality.quality(run, known)
    assert (found.functions, found.f1, found.top_1) == (1, 1.0, 1.0)


def test_partial_copies_stand_beside_the_disguised_half_and_a_foreign_project() -> None:
    foreign = {"foreign/x.py": "def alone(y):\n    return y - 1\n"}
    specimen = with_partial_copies({**REFERENCE, "d.py": REFERENCE["a.py"]}, foreign, "L3")
    known = answers(specimen, REFERENCE)
    assert foreign.items() <= specimen.files.items()
    # Files are taken in turn: of a and c the whole is copied, of b and d only pieces.
    whole = {origin.original for origin in specimen.origins if origin.role == WHOLE}
    assert whole == {FORWARD, WIDTH, LAST}
    pieces = {origin.original[0] for origin in specimen.origins if origin.role in KINDS}
    assert pieces <= {"b.py", "d.py"}
    assert known.strangers[("foreign/x.py", "alone")] == 1


# --- the section ---


def _measured(f1: float, baseline: float) -> Measured:
    one = Quality(9, f1, 0.5, 1.0, 1.0, {LONG: Count(9, 9), SHORT: Count(1, 2)}, Count(0, 0), 0)
    needle = NeedleQuality(f1, 0.5, Count(30, 30), 0, 700)
    pieces = PartialQuality({kind: Count(7, 10) for kind in KINDS}, dict.fromkeys(KINDS, 1), Count(9, 9), Count(0, 600))
    baselines = {name: dict.fromkeys(COMPARED, baseline) for name in BASELINES}
    levels = dict.fromkeys(LEVELS, one)
    flows = dict.fromkeys(LEVELS, one.f1)
    return Measured(PACKAGES[0], levels, flows, pieces, dict.fromkeys(NEEDLE_LEVELS, needle), baselines)


def test_every_demand_has_a_verdict_with_its_figures() -> None:
    text = report([_measured(1.0, 0.5)])
    assert "- **met**: vit-pytorch: open F1, L1 / L2 / L3 / L4 / L5 / L6 / L7 / L8: 1.000 / " in text
    assert "- **missed**: vit-pytorch: recall of functions of 3 to 5 statements, default operating point" in text
    assert "- **met**: recall of partial copies, default operating point: 0.700 of 50" in text
    assert "- **met**: open F1 ahead of both baselines: at 6 of 6" in text
    assert "| vit-pytorch | L7 | 9 | 1.000 | 0.50 | 1.000 | 1.000 | 1.000 | 1.000 of 9 | 0.500 of 2 | - | 0 |" in text


def test_a_goal_is_missed_below_it_and_a_baseline_that_draws_level_is_named() -> None:
    text = report([_measured(0.979, 0.979)])
    assert "- **missed**: vit-pytorch: open F1" in text
    assert "- **missed**: needles at L7: F1 for each package: vit-pytorch 0.979 (demanded: >= 0.98)" in text
    assert "at 0 of 6, not at vit-pytorch L3, vit-pytorch L6" in text
    assert PARTIAL not in COMPARED


def test_what_computes_the_same_is_right_where_flows_are_asked_for() -> None:
    files = {
        "a.py": "def f(x, y):\n    a = x + 1\n    b = y + 2\n    return a * b\n",
        "b.py": "def g(x, y):\n    b = y + 2\n    a = x + 1\n    return a * b\n",
        "c.py": "def h(x, y):\n    return x - y\n",
    }
    specimen = Specimen({"p.py": files["a.py"]}, (Origin(("p.py", "f"), WHOLE, ("a.py", "f")),))
    read = corpus(files)
    flows = dict(zip([(span.path, span.qualname) for span in read.spans], read.shingles.sums().tolist(), strict=True))
    assert answers(specimen, files).right == {("p.py", "f"): {("a.py", "f")}}
    assert answers(specimen, files, flows).right == {("p.py", "f"): {("a.py", "f"), ("b.py", "g")}}
