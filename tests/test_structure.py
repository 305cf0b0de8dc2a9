"""Classes, files and names that correspond, from matches made by hand: which wins, what is too little, what order."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import pytest

from detector.code import structure
from detector.model import Basis, CloneType, Correspondence, Match, NamePair, Span


def _span(place: str, file: str) -> Span:
    """`path:qualname`, or `qualname` in a file that its side has anyway."""
    path, _, qualname = place.rpartition(":")
    return Span(path or file, qualname, 1, 9)


def _match(
    suspect: str, reference: str, bits: float = 100.0, name: str = "theirs", renames: Mapping[str, str] | None = None
) -> Match:
    return Match(
        suspect=_span(suspect, "ours.py"),
        reference_name=name,
        reference=_span(reference, "theirs.py"),
        similarity=0.9,
        overlap=0.9,
        containment=0.9,
        bits=bits,
        own_bits=bits,
        coincidence=0.3,
        basis=Basis.ALONE,
        clone_type=CloneType.EDITED,
        is_declared=False,
        digest="a-b",
        renames=renames or {},
    )


def _sides(
    matches: Sequence[Match], more_ours: Iterable[str] = (), more_theirs: Iterable[str] = ()
) -> tuple[list[Span], dict[str, list[Span]]]:
    """The functions of both sides: those that matched, and others."""
    ours = [match.suspect for match in matches] + [_span(place, "ours.py") for place in more_ours]
    theirs: dict[str, list[Span]] = {"theirs": [_span(place, "theirs.py") for place in more_theirs]}
    for match in matches:
        theirs.setdefault(match.reference_name, []).append(match.reference)
    return list(dict.fromkeys(ours)), {name: list(dict.fromkeys(spans)) for name, spans in theirs.items()}


def _classes(matches: Sequence[Match], *more_ours: str, more_theirs: Iterable[str] = ()) -> tuple[Correspondence, ...]:
    return structure.classes(matches, *_sides(matches, more_ours, more_theirs))


def _files(matches: Sequence[Match], *more_ours: str) -> tuple[Correspondence, ...]:
    return structure.files(matches, *_sides(matches, more_ours))


def _paired(found: Iterable[Correspondence]) -> dict[str, str]:
    return {pair.suspect_class: pair.reference_class for pair in found}


# --- classes -------------------------------------------------------------------------------------------------


def test_a_class_corresponds_to_the_class_that_its_methods_went_to() -> None:
    matches = [
        _match("a.py:Projection.forward", "b.py:Resampler.forward", 300.0),
        _match("a.py:Projection.fit", "b.py:Resampler.grow", 40.5),
    ]
    found = _classes(matches, "a.py:Projection.new", more_theirs=["b.py:Resampler.more", "b.py:Resampler.other"])
    assert found == (
        Correspondence(
            "a.py", "Projection", "theirs", "b.py", "Resampler", 2, 3, 4, 340.5, {"forward": "forward", "fit": "grow"}
        ),
    )


def test_the_class_with_most_bits_wins_not_the_one_with_most_methods() -> None:
    matches = [
        _match("C.a", "Few.a", 500.0),
        _match("C.b", "Few.b", 10.0),
        _match("C.c", "Many.c", 100.0),
        _match("C.d", "Many.d", 100.0),
        _match("C.e", "Many.e", 100.0),
    ]
    (pair,) = _classes(matches)
    assert (pair.reference_class, pair.functions, pair.suspect_functions, pair.bits) == ("Few", 2, 5, 510.0)
    assert set(pair.names) == {"a", "b"}


def test_of_equal_bits_more_methods_win_then_the_first_by_name() -> None:
    most = [_match("C.a", "One.a", 60.0), _match("C.b", "Two.b", 30.0), _match("C.c", "Two.c", 30.0)]
    assert _paired(_classes(most)) == {"C": "Two"}
    equal = [
        _match(f"C.{letter}", f"{other}.{letter}", 30.0) for other, two in (("Z", "ab"), ("A", "cd")) for letter in two
    ]
    assert _paired(_classes(equal)) == {"C": "A"}
    references = [_match(f"C.{letter}", f"A.{letter}", 30.0, name) for name in ("right", "left") for letter in "ab"]
    assert [pair.reference_name for pair in _classes(references)] == ["left"]


def test_the_order_of_matches_changes_nothing() -> None:
    matches = [
        _match(f"{ours}.m{number}", f"{theirs}.n{number}", float(number % 3 * 10), name)
        for ours in ("A", "B", "C")
        for theirs in ("X", "Y")
        for number in range(4)
        for name in ("theirs", "others")
    ]
    expected = _classes(matches), _files(matches), structure.names(matches)
    for seed in range(5):
        turned = random.Random(seed).sample(matches, len(matches))
        classes, files, names = _classes(turned), _files(turned), structure.names(turned)
        assert [_told(pair) for pair in classes] == [_told(pair) for pair in expected[0]]
        assert [_told(pair) for pair in files] == [_told(pair) for pair in expected[1]]
        assert names == expected[2]


def _told(pair: Correspondence) -> tuple[object, ...]:
    return pair.suspect_class, pair.reference_name, pair.reference_class, pair.functions, pair.bits


def test_each_class_is_found_once_and_two_may_come_from_one() -> None:
    matches = [_match(f"{ours}.{letter}", f"One.{letter}") for ours in ("Copy", "Again") for letter in "ab"]
    assert _paired(_classes(matches)) == {"Again": "One", "Copy": "One"}


@pytest.mark.parametrize(
    ("matched", "others", "is_found"), [(1, 0, True), (1, 1, False), (1, 5, False), (2, 0, True), (2, 5, True)]
)
def test_two_methods_make_a_class_or_all_of_them(matched: int, others: int, is_found: bool) -> None:
    matches = [_match(f"C.m{number}", f"D.m{number}") for number in range(matched)]
    found = _classes(matches, *(f"C.other{number}" for number in range(others)))
    assert _paired(found) == ({"C": "D"} if is_found else {})


def test_two_methods_in_two_classes_are_too_few_in_either() -> None:
    assert _classes([_match("C.a", "D.a"), _match("C.b", "E.b")]) == ()


def test_free_functions_are_no_class() -> None:
    assert _classes([_match("one", "one"), _match("two", "two"), _match("three", "D.three")]) == ()


def test_methods_that_became_free_functions_count_towards_no_class() -> None:
    free = [_match("C.a", "a", 900.0), _match("C.b", "b", 900.0)]
    assert _classes(free) == ()
    (pair,) = _classes([*free, _match("C.c", "D.c", 10.0), _match("C.d", "D.d", 10.0)])
    assert (pair.reference_class, pair.functions, pair.suspect_functions, pair.bits) == ("D", 2, 4, 20.0)


def test_a_class_inside_a_class_is_a_class_of_its_own() -> None:
    matches = [
        _match("Outer.a", "Whole.a", 90.0),
        _match("Outer.b", "Whole.b", 90.0),
        _match("Outer.Inner.a", "Whole.Part.a"),
        _match("Outer.Inner.b", "Whole.Part.b"),
    ]
    found = _classes(matches)
    assert _paired(found) == {"Outer": "Whole", "Outer.Inner": "Whole.Part"}
    assert [pair.suspect_functions for pair in found] == [2, 2]


def test_an_inner_class_may_have_been_an_outer_one() -> None:
    matches = [_match(f"Outer.Inner.{letter}", f"Alone.{letter}") for letter in "ab"]
    assert _paired(_classes(matches)) == {"Outer.Inner": "Alone"}


@pytest.mark.parametrize("holder", ["outer", "Model.forward"])
def test_a_function_that_holds_functions_is_no_class(holder: str) -> None:
    matches = [_match(f"{holder}{inner}", f"{holder}{inner}") for inner in ("", ".one", ".two")]
    assert not {pair.suspect_class for pair in _classes(matches)} & {holder}


def test_equal_classes_in_two_files_are_two() -> None:
    matches = [
        _match(f"{path}:Model.{letter}", f"b.py:{other}.{letter}", bits)
        for path, other, bits in (("x.py", "Left", 50.0), ("y.py", "Right", 60.0))
        for letter in "ab"
    ]
    assert [(pair.suspect_path, pair.reference_class) for pair in _classes(matches)] == [
        ("y.py", "Right"),
        ("x.py", "Left"),
    ]


def test_equal_classes_of_two_references_are_not_added() -> None:
    matches = [
        _match("C.a", "D.a", 30.0, "first"),
        _match("C.b", "D.b", 30.0, "first"),
        _match("C.c", "D.c", 25.0, "second"),
        _match("C.d", "D.d", 40.0, "second"),
    ]
    (pair,) = _classes(matches)
    assert (pair.reference_name, pair.functions, pair.bits) == ("second", 2, 65.0)


def test_classes_are_ordered_by_bits_then_by_place() -> None:
    matches = [
        _match(f"{place}.{letter}", f"D{number}.{letter}", bits)
        for number, (place, bits) in enumerate(
            {"b.py:Small": 10.0, "b.py:Z": 20.0, "b.py:A": 20.0, "a.py:Z": 20.0, "c.py:Large": 30.0}.items()
        )
        for letter in "ab"
    ]
    assert [(pair.suspect_path, pair.suspect_class) for pair in _classes(matches)] == [
        ("c.py", "Large"),
        ("a.py", "Z"),
        ("b.py", "A"),
        ("b.py", "Z"),
        ("b.py", "Small"),
    ]


def test_without_matches_nothing_corresponds() -> None:
    spans = [Span("a.py", "C.a", 1, 2)]
    assert structure.classes((), spans, {"theirs": spans}) == ()
    assert structure.files((), spans, {"theirs": spans}) == ()
    assert structure.names(()) == ()


# --- files ---------------------------------------------------------------------------------------------------


def test_a_file_corresponds_to_the_file_that_most_of_its_bits_went_to() -> None:
    matches = [
        _match("a.py:one", "b.py:uno", 100.0),
        _match("a.py:C.two", "b.py:dos", 50.0),
        _match("a.py:three", "c.py:tres", 120.0),
    ]
    assert _files(matches, "a.py:four", "a.py:D.five") == (
        Correspondence("a.py", "", "theirs", "b.py", "", 2, 5, 2, 150.0, {"one": "uno", "two": "dos"}),
    )


def test_one_function_makes_a_file_correspond() -> None:
    (pair,) = _files([_match("a.py:one", "b.py:one")], *(f"a.py:f{number}" for number in range(9)))
    assert (pair.functions, pair.suspect_functions) == (1, 10)


def test_files_are_ordered_by_bits_then_by_path() -> None:
    matches = [
        _match("c.py:f", "x.py:f", 50.0),
        _match("b.py:f", "x.py:g", 50.0),
        _match("a.py:f", "y.py:h", 20.0),
        _match("d.py:f", "y.py:i", 90.0),
    ]
    assert [pair.suspect_path for pair in _files(matches)] == ["d.py", "b.py", "c.py", "a.py"]


def test_renamed_functions_are_told_in_the_order_of_the_file() -> None:
    places = {"last": 30, "first": 1, "middle": 12}
    matches = [_match(name, name.upper()) for name in places]
    moved = [
        replace(match, suspect=Span("ours.py", name, line, line + 5))
        for match, (name, line) in zip(matches, places.items(), strict=True)
    ]
    (pair,) = _files(moved)
    assert list(pair.names.items()) == [("first", "FIRST"), ("middle", "MIDDLE"), ("last", "LAST")]


# --- names ---------------------------------------------------------------------------------------------------


def test_a_name_counts_the_pairs_of_functions_that_say_so() -> None:
    matches = [_match("f", "f", renames={"kv": "context"}), _match("g", "g", renames={"kv": "context", "g": "g"})]
    assert structure.names(matches) == (NamePair("kv", "theirs", "context", 2, 0),)


def test_functions_vote_for_their_own_names_without_their_classes() -> None:
    matches = [_match("C.ask", "D.chat"), _match("E.ask", "chat"), _match("C.forward", "D.forward")]
    assert structure.names(matches) == (NamePair("ask", "theirs", "chat", 2, 0),)


def test_a_name_that_renames_tell_is_not_counted_twice() -> None:
    matches = [_match("ask", "chat", renames={"ask": "chat"}), _match("put", "add", renames={"put": "store"})]
    assert structure.names(matches) == (
        NamePair("ask", "theirs", "chat", 1, 0),
        NamePair("put", "theirs", "store", 1, 0),
    )


def test_other_votes_contradict() -> None:
    votes = ["height"] * 4 + ["hidden"] * 2 + ["h", "head"]
    matches = [_match(f"f{number}", f"f{number}", renames={"h": old}) for number, old in enumerate(votes)]
    assert structure.names(matches)[:2] == (
        NamePair("h", "theirs", "height", 4, 4),
        NamePair("h", "theirs", "hidden", 2, 6),
    )


def test_everything_that_a_name_stands_for_is_told() -> None:
    matches = [_match(f"f{old}", f"f{old}", renames={"n": old}) for old in ("width", "height")]
    assert structure.names(matches) == (
        NamePair("n", "theirs", "height", 1, 1),
        NamePair("n", "theirs", "width", 1, 1),
    )


def test_a_name_that_was_mostly_kept_is_contradicted_where_it_was_not() -> None:
    votes = ["x"] * 3 + ["y"] * 2
    matches = [_match(f"f{number}", f"f{number}", renames={"x": old}) for number, old in enumerate(votes)]
    assert structure.names(matches) == (NamePair("x", "theirs", "y", 2, 3),)


def test_references_do_not_contradict_each_other() -> None:
    matches = [
        _match("f", "f", name="first", renames={"n": "width"}),
        _match("g", "g", name="second", renames={"n": "height"}),
    ]
    assert structure.names(matches) == (NamePair("n", "first", "width", 1, 0), NamePair("n", "second", "height", 1, 0))


def test_names_are_ordered_by_votes_then_contradictions_then_name() -> None:
    votes = {
        "clear": ["one", "one"],
        "apt": ["two", "two"],
        "doubted": ["three", "three", "four"],
        "abundant": ["five"] * 3 + ["six"] * 2,
    }
    matches = [
        _match(f"f{new}{number}", f"f{new}{number}", renames={new: old})
        for new, olds in votes.items()
        for number, old in enumerate(olds)
    ]
    assert [pair.reference for pair in structure.names(matches)] == ["five", "two", "one", "three", "six", "four"]
