"""The evidence of code: what stands on its own, what is believed beside it, and each reference's part."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from detector.code import link
from detector.code.bulk import read_corpus
from detector.code.corpus import Corpus
from detector.code.pairs import scores
from detector.evidence import code, declared
from detector.evidence.code import CodeEvidence, Gate
from detector.settings import FEWEST_LINK_FUNCTIONS, LINK_BITS, REPORT_BITS, REPORT_SCORE
from tests.repositories import ANNEAL, BEAMS, ROUTE, SPECTRUM, STRANGER, WARP, InMemory, fixture_files

CALIBRATED = Gate()
EVERYTHING = Gate(0, 0)


def _gone(path: str) -> bytes:
    raise FileNotFoundError(path)


def find(suspect: Corpus, references: Sequence[Corpus], gate: Gate) -> CodeEvidence:
    """Compare without the texts: flows alone."""
    return code.find([suspect] * len(references), references, gate, [(_gone, _gone)] * len(references))


def _corpus(files: Mapping[str, str | bytes] | str) -> Corpus:
    held = InMemory({"a.py": files} if isinstance(files, str) else files)
    return read_corpus(held, held.paths())


def _reported(found: CodeEvidence, suspect: Corpus, references: list[Corpus]) -> set[tuple[str, int, str]]:
    """(suspect function, reference number, reference function) of each nearest pair."""
    names: set[tuple[str, int, str]] = set()
    for number, position in found.nearest:
        pairs = found.likenesses[number].pairs
        ours = suspect.spans[pairs.suspect[position]].qualname
        names.add((ours, number, references[number].spans[pairs.reference[position]].qualname))
    return names


def _found(suspect: str, *references: str, gate: Gate = CALIBRATED) -> set[tuple[str, int, str]]:
    ours, theirs = _corpus(suspect), [_corpus(reference) for reference in references]
    return _reported(find(ours, theirs, gate), ours, theirs)


# --- the gate ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gate", "is_explicit", "lists_all"),
    [
        (Gate(), False, False),
        (Gate(0.5), True, False),
        (Gate(None, 10), True, False),
        (Gate(0), True, False),
        (Gate(None, 0), True, False),
        (Gate(0, 0), True, True),
        (Gate(0.0, 0.1), True, False),
    ],
)
def test_a_floor_of_zero_is_a_floor_and_both_list_everything(gate: Gate, is_explicit: bool, lists_all: bool) -> None:
    assert (gate.is_explicit, gate.lists_all) == (is_explicit, lists_all)


# --- one reference -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def fixtures() -> dict[str, Corpus]:
    return {name: _corpus(fixture_files(name)) for name in ("rebadged", "original", "cited", "independent")}


@pytest.mark.parametrize("reference", ["original", "cited", "independent"])
def test_each_function_has_one_choice_and_stands_on_its_own_by_its_score(
    fixtures: dict[str, Corpus], reference: str
) -> None:
    (likeness,) = find(fixtures["rebadged"], [fixtures[reference]], CALIBRATED).likenesses
    chosen = likeness.pairs.take(likeness.chosen)
    assert len(set(chosen.suspect.tolist())) == len(chosen.suspect)
    assert set(chosen.suspect.tolist()) == set(likeness.pairs.suspect.tolist())
    reached = scores(chosen)
    assert not likeness.is_strong[(reached < REPORT_SCORE) | (chosen.shared < REPORT_BITS)].any()
    assert (likeness.is_believed >= likeness.is_strong).all()
    assert likeness.link_bits == pytest.approx(chosen.own[likeness.is_strong].sum())
    assert 0 <= likeness.share_of_suspect <= 1


def test_without_a_link_only_what_stands_on_its_own_is_believed(fixtures: dict[str, Corpus]) -> None:
    (likeness,) = find(fixtures["rebadged"], [fixtures["cited"]], CALIBRATED).likenesses
    assert likeness.is_strong.sum() < FEWEST_LINK_FUNCTIONS or likeness.link_bits < LINK_BITS
    assert np.array_equal(likeness.is_believed, likeness.is_strong)


@pytest.fixture
def small_is_weak(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a world of a few functions even five shingles are rare: raise the bar above them."""
    monkeypatch.setattr(link, "REPORT_SCORE", 100.0)


SMALL = "    def narrow(self, x):\n        return x.squeeze(0).contiguous().unflatten(1, (7, -1)).swapdims(0, 2)\n\n"


def _class(name: str, *bodies: str) -> str:
    """A class of large methods, with a small one among them."""
    methods = [
        "    def " + body.partition("def ")[2].replace("\n    ", "\n        ").replace("(", "(self, ", 1)
        for body in bodies
    ]
    imports = [line for body in bodies for line in body.splitlines() if line.startswith("import")]
    return "\n".join([*imports, f"class {name}:", *methods]) + SMALL


LINKED = _class("Copied", WARP, ROUTE, SPECTRUM)


@pytest.mark.usefixtures("small_is_weak")
def test_a_small_method_of_a_copied_class_is_believed() -> None:
    assert ("Copied.narrow", 0, "Source.narrow") in _found(LINKED, LINKED.replace("Copied", "Source"))


@pytest.mark.usefixtures("small_is_weak")
def test_a_small_method_alone_is_not_believed() -> None:
    alone = "class Copied:\n" + SMALL
    assert _found(alone, alone.replace("Copied", "Source")) == set()


@pytest.mark.parametrize("body", ["x + 1", "x.exp()", "self.x", "len(x)", "None", "[]"])
def test_one_operation_in_common_is_nothing(body: str) -> None:
    text = f"class A:\n    def f(self, x):\n        return {body}\n"
    assert _found(text, text.replace("f(", "g(").replace("A", "B")) == set()


def test_strangers_have_nothing_in_common() -> None:
    assert _found(WARP + ROUTE, BEAMS + STRANGER) == set()


# --- several references --------------------------------------------------------------------------------------


def test_every_function_goes_to_the_most_similar_reference() -> None:
    edited = (
        WARP.replace("-1.25, 1.25", "-1.5, 1.5").replace("frames.shape", "field.shape").replace("* scale", "/ scale")
    )
    assert _found(WARP, edited, WARP) == {("warp", 1, "warp")}
    assert _found(WARP, WARP, edited) == {("warp", 0, "warp")}


def test_what_two_have_alike_goes_to_the_closer_link_then_to_the_first() -> None:
    assert _found(WARP, WARP, WARP) == {("warp", 0, "warp")}
    assert _found(WARP + ROUTE, WARP, WARP + ROUTE) == {("warp", 1, "warp"), ("route", 1, "route")}


def test_the_order_of_references_changes_no_share(fixtures: dict[str, Corpus]) -> None:
    names = ("original", "cited", "independent")
    expected: dict[str, tuple[float, float]] = {}
    for order in itertools.permutations(names):
        shares = find(fixtures["rebadged"], [fixtures[name] for name in order], CALIBRATED).shares
        for name, share in zip(order, shares, strict=True):
            found = (share.bits, share.exclusive_bits)
            assert found == pytest.approx(expected.setdefault(name, found), abs=1e-6)


def test_a_reference_by_itself_explains_exclusively(fixtures: dict[str, Corpus]) -> None:
    (share,) = find(fixtures["rebadged"], [fixtures["original"]], CALIBRATED).shares
    assert share.exclusive_bits == pytest.approx(share.bits)


def test_what_two_references_have_alike_is_exclusive_to_neither() -> None:
    ours = _corpus(WARP + ROUTE + ANNEAL)
    theirs = [_corpus(text) for text in (WARP + ROUTE, ROUTE + ANNEAL)]
    found = find(ours, theirs, CALIBRATED)
    likenesses = [likeness.pairs.take(likeness.chosen) for likeness in found.likenesses]
    bits = [
        {ours.spans[i].qualname: bits for i, bits in zip(one.suspect.tolist(), one.shared.tolist(), strict=True)}
        for one in likenesses
    ]
    first, second = found.shares
    assert first.bits == pytest.approx(bits[0]["warp"] + bits[0]["route"])
    # `anneal` has hardly a shingle in common with the first reference, and none is lost.
    assert first.exclusive_bits == pytest.approx(bits[0]["warp"] - bits[1].get("warp", 0), rel=0.05)
    assert second.exclusive_bits == pytest.approx(bits[1]["anneal"] - bits[0].get("anneal", 0), rel=0.05)


def test_three_equal_references_explain_all_and_nothing_exclusively() -> None:
    shares = find(_corpus(WARP), [_corpus(WARP), _corpus(WARP), _corpus(WARP)], CALIBRATED).shares
    assert [share.exclusive_bits for share in shares] == pytest.approx([0, 0, 0], abs=1e-6)
    assert min(share.bits for share in shares) == max(share.bits for share in shares) > 100


def test_one_more_reference_never_adds_exclusive_bits(fixtures: dict[str, Corpus]) -> None:
    suspect = fixtures["rebadged"]
    alone = find(suspect, [fixtures["original"], fixtures["cited"]], CALIBRATED).shares
    with_another = find(suspect, [fixtures["original"], fixtures["cited"], fixtures["independent"]], CALIBRATED).shares
    for before, after in zip(alone, with_another, strict=False):
        assert after.exclusive_bits <= before.exclusive_bits
        assert after.bits == before.bits  # what two sides have in common depends on no third


# --- what is listed ------------------------------------------------------------------------------------------


def test_everything_is_listed_once_by_bits(fixtures: dict[str, Corpus]) -> None:
    found = find(fixtures["rebadged"], [fixtures["original"], fixtures["cited"]], EVERYTHING)
    assert len(found.listed) == len(set(found.listed)) == sum(len(each.pairs.suspect) for each in found.likenesses)
    bits = [round(float(found.likenesses[number].pairs.shared[position]), 6) for number, position in found.listed]
    assert bits == sorted(bits, reverse=True)


def test_without_floors_the_nearest_are_what_is_listed(fixtures: dict[str, Corpus]) -> None:
    found = find(fixtures["rebadged"], [fixtures["original"]], CALIBRATED)
    assert found.listed == found.nearest
    everything = find(fixtures["rebadged"], [fixtures["original"]], EVERYTHING)
    assert set(found.nearest) <= set(everything.listed)


def test_floors_keep_what_reaches_both(fixtures: dict[str, Corpus]) -> None:
    found = find(fixtures["rebadged"], [fixtures["original"]], Gate(0.6, 100))
    (likeness,) = found.likenesses
    chosen = likeness.pairs.take(likeness.chosen)
    expected = (likeness.similarity[likeness.chosen] >= 0.6) & (chosen.shared >= 100)
    assert {position for _, position in found.listed} == set(likeness.chosen[expected].tolist())
    assert 5 < len(found.listed) < 80


# --- what it says of itself ----------------------------------------------------------------------------------


@pytest.mark.parametrize("module", [code, declared])
def test_an_evidence_file_tells_what_it_measures_and_what_it_misses(module: object) -> None:
    text = module.__doc__ or ""
    labels = ["Measured:", "Copying:", "Innocent:", "Misses:", "Sources:"]
    places = [text.index(f"\n{label}") for label in labels]
    assert places == sorted(places)
