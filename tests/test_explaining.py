"""What is told of matched functions: the measures have known answers, and what is wrong counts as wrong."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import replace
from types import SimpleNamespace

import pytest

from bench import explaining, recorded_names
from bench.declared import Key
from bench.disguise import WHOLE, Disguised, Target
from bench.disguise.words import NOUNS
from bench.explaining import HELD, Cost, GoldPair, InMap, cost, differences_of, in_maps, read_gold, report
from bench.fixtures_gold import FIXTURES
from bench.recorded_names import (
    NamesFound,
    Recording,
    Told,
    every_nth,
    explained,
    in_memory,
    names_found,
    recorded,
    words,
)
from bench.section import MET, MISSED
from bench.unrenamed import (
    AllLeft,
    Difference,
    Left,
    Shortened,
    by_kind,
    left_of_renamed,
    shortened,
    summed,
    words_apart,
)
from detector.code.side_by_side import lay
from detector.model import Basis, CloneType, Match, NamePair, Report, Span, Texts

LAYER = '''
class Layer:
    def forward(self, hidden, mask):
        """Attend."""
        scores = self.query(hidden) @ self.key(hidden).transpose(-1, -2)
        if mask is not None:
            scores = scores.masked_fill(mask == 0, -1e9)
        weights = scores.softmax(dim=-1)
        return self.out(weights @ self.value(hidden))

    def width(self, hidden):
        return hidden.shape[-1] // self.heads

    def __init__(self, heads):
        self.heads = heads
        self.query, self.key, self.value, self.out = heads
'''
FORWARD, WIDTH = ("a.py", "Layer.forward"), ("a.py", "Layer.width")


# --- names that are recorded ---


def test_what_every_new_name_was_before_is_known() -> None:
    made = recorded({"a.py": LAYER}, "L3", 1)
    back = "".join(made.disguised.files.values())
    for new, old in made.old.items():
        assert new not in LAYER
        assert old in LAYER
        back = back.replace(new, old)
    assert {"scores", "weights", "width", "query", "Layer"} <= words(ast.parse(back))


def test_no_new_name_is_a_word_that_edits_name_temporaries_with() -> None:
    files = {"a.py": "def f():\n" + "".join(f"    v_{number} = {number}\n" for number in range(3_000))}
    assert not set(recorded(files, "L2", 1).old) & set(NOUNS)


def test_the_same_seed_gives_the_same_names() -> None:
    assert recorded({"a.py": LAYER}, "L8", 1) == recorded({"a.py": LAYER}, "L8", 1)


def _recording(suspect: str, reference: str, old: Mapping[str, str]) -> Recording:
    truth = {("a.py", "f"): (Target(("s.py", "g"), WHOLE), Target(("s.py", "other"), "part"))}
    return Recording({"a.py": reference}, Disguised({"s.py": suspect}, truth, {}), old)


def _told(monkeypatch: pytest.MonkeyPatch, renames: Mapping[str, str], recording: Recording) -> NamesFound:
    def tell(_: object, __: object, pairs: list[tuple[Key, Key]], most: int) -> list[tuple[Key, Key, object]]:
        return [(*pair, SimpleNamespace(renames=renames)) for pair in pairs]

    monkeypatch.setattr(recorded_names, "explained", tell)
    return names_found(recording)


def test_a_told_name_is_right_wrong_or_missing_and_a_temporary_of_the_disguise_is_wrong(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = _recording(
        "def g(ba, be, bi, kept):\n    tmp = ba + be\n    return tmp * bi + kept\n",
        "def f(one, two, three, kept):\n    return (one + two) * three + kept\n",
        {"ba": "one", "be": "two", "bi": "three", "bo": "elsewhere"},
    )
    renames = {"ba": "one", "be": "three", "tmp": "two", "kept": "one", "bo": "elsewhere"}
    found = _told(monkeypatch, renames, made)
    assert (found.pairs, found.right, found.wanted) == (1, 1, 3)
    assert found.wrong == (
        Told("g", "be", "three", "two"), Told("g", "tmp", "two", "", True), Told("g", "kept", "one", ""),
    )  # fmt: skip
    assert (found.precision, found.recall, found.introduced) == (1 / 4, 1 / 3, 1)


def test_names_that_stay_what_they_are_count_neither_way(monkeypatch: pytest.MonkeyPatch) -> None:
    made = _recording("def g(kept): return kept\n", "def f(kept): return kept\n", {})
    assert _told(monkeypatch, {"kept": "kept"}, made) == NamesFound(1, 0, 0, ())


def test_the_names_of_a_renamed_layer_are_told() -> None:
    found = names_found(recorded({"a.py": LAYER}, "L3", 1))
    assert found.wanted > 10
    assert (found.precision, found.recall) == (1.0, 1.0)


def test_functions_of_one_qualname_are_left_out_and_only_the_first_pairs_are_explained() -> None:
    twice = "def f(x):\n    return x + 1\n\n\ndef f(x):\n    return x + 2\n\n\ndef g(x):\n    return x * 3\n"
    pairs = [(("a.py", name), ("a.py", name)) for name in ("f", "g", "nowhere")]
    assert [one[1] for one, *_ in explained({"a.py": twice}, {"a.py": twice}, pairs, 9)] == ["g"]
    layer = {"a.py": LAYER}
    assert [one for one, *_ in explained(layer, layer, [(WIDTH, WIDTH), (FORWARD, FORWARD)], 1)] == [WIDTH]


def test_every_nth_file_goes_by_the_sorted_paths() -> None:
    assert list(every_nth(dict.fromkeys("ecabd", ""), 2)) == ["a", "c", "e"]


# --- differences with renames undone ---


def test_words_apart_are_those_of_both_sides_that_the_other_has_not() -> None:
    assert words_apart("a = b + 1", "a = b + 1") == 0
    assert words_apart("a = b + 1", "a = c + 1 - d") == 2 + 2
    assert words_apart("", "x.y") == 3


def test_a_difference_gets_shorter_by_what_renames_undo() -> None:
    reference = "def f(left):\n    kept = left + 1\n    return kept"
    suspect = "def f(a):\n    b = a + 1\n    return b + 2"
    texts = lay(suspect, reference, "def f(left):\n    kept = left + 1\n    return kept + 2", 2)
    found = shortened("f", "edited", texts)
    assert found == Shortened("f", "edited", Difference(2 * 4 + 2, 6), Difference(2, 2))
    assert found.is_shorter
    assert not shortened("f", "edited", lay(suspect, reference, suspect, 0)).is_shorter
    assert summed([found, found]) == (Difference(20, 12), Difference(4, 4))
    assert list(by_kind([found, replace(found, kind="a")])) == ["a", "edited"]


def test_nothing_is_left_of_a_layer_that_was_merely_renamed() -> None:
    found = left_of_renamed({"a.py": LAYER}, 1)
    assert [each.function for each in found.functions] == ["Layer.forward", "Layer.width", "Layer.__init__"]
    assert [each.lines for each in found.functions] == [7, 2, 3]
    assert (found.mean, found.greatest, found.above) == (0.0, 0.0, ())


def test_a_name_that_is_written_as_a_string_is_put_back_too() -> None:
    text = LAYER + "\n    def hold(self, table):\n        self.rows = 2\n        self.register_buffer('rows', table)\n"
    found = left_of_renamed({"a.py": text}, 1)
    assert {(each.function, each.left) for each in found.functions} >= {("Layer.hold", 0), ("Layer.forward", 0)}


def test_only_functions_of_three_lines_and_more_count_and_the_worst_comes_first() -> None:
    lefts = [
        Left("a.py", name, lines, left) for name, lines, left in (("a", 2, 2), ("b", 10, 2), ("c", 4, 2), ("d", 9, 0))
    ]
    found = AllLeft(tuple(lefts))
    assert [each.function for each in found.above] == ["c", "b"]
    assert found.greatest == 0.5
    assert found.mean == pytest.approx((0.2 + 0.5) / 3)
    assert AllLeft(()).mean == AllLeft(()).greatest == 0.0


# --- the fixtures' gold ---


GOLD = (
    GoldPair(("s.py", "g"), ("a.py", "f"), "edited", {"x": "hidden", "y": "out", "k": "key"}),
    GoldPair(("s.py", "h"), ("a.py", "e"), "partial", {"n": "count"}),
)


def _match(suspect: Key, reference: Key, renames: Mapping[str, str], texts: Texts | None = None) -> Match:
    one, other = Span(*suspect, 1, 9), Span(*reference, 1, 9)
    match = Match(
        one, "original", other, 0.5, 0.5, 0.5, 90.0, 90.0, 1.0, Basis.ALONE, CloneType.EDITED, is_declared=False,
        digest="0-0",
    )  # fmt: skip
    return replace(match, renames=renames, texts=texts)


def _report(matches: list[Match], names: list[tuple[str, str]]) -> Report:
    pairs = tuple(NamePair(one, "original", other, 1, 0) for one, other in names)
    return SimpleNamespace(matches=tuple(matches), names=pairs)  # type: ignore[return-value]


def test_a_rename_of_the_gold_is_found_in_its_own_pair_alone_and_whatever_else_changes_is_wrong() -> None:
    renames = {"x": "hidden", "y": "other", "new": "old", "same": "same", "k": "k"}
    elsewhere = _match(("s.py", "h"), ("a.py", "f"), {"n": "count"})
    pair, project = in_maps(
        GOLD,
        _report(
            [_match(*(("s.py", "g"), ("a.py", "f")), renames), elsewhere],
            [("x", "hidden"), ("n", "count"), ("new", "old")],
        ),
    )
    assert pair.right == 1
    assert pair.missing == (("g", "y", "out"), ("g", "k", "key"), ("h", "n", "count"))
    assert pair.wrong == (("g", "y", "other"), ("g", "new", "old"), ("g", "k", "k"))
    assert (pair.recall, pair.precision) == (1 / 4, 1 / 4)
    assert project == InMap(2, (("", "k", "key"), ("", "y", "out")), (("", "new", "old"),))


def test_a_pair_that_is_matched_elsewhere_has_no_difference() -> None:
    texts = lay("def g(x):\n    return x", "def f(hidden):\n    return hidden", "def f(hidden):\n    return hidden", 2)
    matches = [_match(("s.py", "g"), ("a.py", "f"), {}, texts), _match(("s.py", "h"), ("a.py", "f"), {}, texts)]
    found = differences_of(GOLD, matches)
    assert [(each.function, each.kind, each.unrenamed.words) for each in found] == [("g", "edited", 0)]


def test_the_gold_of_the_fixtures_is_read_with_its_renames() -> None:
    gold = read_gold(FIXTURES / "gold.json")
    assert len(gold) > 80
    assert gold[0].renames["load"] == "from_file"


# --- the cost, and the section ---


def test_what_a_comparison_finds_is_explained() -> None:
    files = in_memory({"a.py": LAYER})
    found = cost(files, files)
    assert (found.matches, found.explained) == (1, 1)  # the others are too small to be believed
    assert min(found.finding, found.explaining) > 0


def test_of_several_runs_the_least_of_each_figure_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = iter([Cost(5, 5, 2.0, 9.0, 3.0), Cost(5, 5, 4.0, 1.0, 5.0), Cost(5, 5, 3.0, 4.0, 2.0)])
    monkeypatch.setattr(explaining, "in_fresh_process", lambda *_: next(runs))
    files = in_memory({})
    found = explaining.repeated(files, files)
    assert found == Cost(5, 5, 2.0, 1.0, 2.0)
    assert found.ratio == 0.5


def _section(wrong: tuple[tuple[str, str, str], ...], left: int, unrenamed: int, explaining_seconds: float) -> str:
    told = tuple(Told("g", "ba", "one", "two") for _ in wrong)
    return report(
        GOLD,
        (InMap(4, (), wrong), InMap(4, (), ())),
        {"vit-pytorch": {"L5": NamesFound(1, 9, 9, told)}},
        {"vit-pytorch": AllLeft((Left("a.py", "f", 10, left),))},
        [Shortened(name, "edited", Difference(9, 3), Difference(unrenamed, 3)) for name in "gh"],
        {" / ".join(HELD): Cost(900, 500, 2.0, explaining_seconds, 5.0)},
    )


def test_every_demand_is_met_where_all_is_right_and_missed_where_it_is_not() -> None:
    good, bad = _section((), 1, 8, 2.0), _section((("g", "x", "y"),), 2, 9, 2.1)
    assert good.startswith("## explaining: ")
    assert good.count(f"- **{MET}**") == 9
    assert MISSED not in good
    assert bad.count(f"- **{MISSED}**") == 5
    assert "- map of each pair, wrong: `x` -> `y` in `g`" in bad
    assert "- vit-pytorch: `f` of `a.py`, 2 of 10 lines" in bad
    assert "- not shorter: `g`, 9 words, 9 un-renamed" in bad
