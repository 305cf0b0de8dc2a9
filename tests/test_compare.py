"""The story over small repositories: nearest references, attribution, floors, names, what changes no match."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from detector import compare as compared
from detector import explanations, patterns
from detector.arguments import Kind
from detector.compare import compare
from detector.model import CloneType, Relation, Report, Skipped, Strength, UserError
from detector.options import Options
from detector.read import open_target
from detector.settings import CLUSTERS
from detector.targets import Repo
from tests.repositories import (
    ANNEAL,
    BEAMS,
    PARSE,
    ROUTE,
    SPECTRUM,
    STRANGER,
    WARP,
    InMemory,
    by_ends,
    ends,
    fixture_files,
    repo,
)

EVERYTHING = Options(min_similarity=0, min_bits=0)
FOUR = {"warp.py": WARP, "route.py": ROUTE, "parse.py": PARSE, "anneal.py": ANNEAL}


def _names(report: Report) -> dict[str, str]:
    """Suspect function -> the reference that it is matched with."""
    return {match.suspect.qualname: match.reference_name for match in report.matches}


# --- one reference -------------------------------------------------------------------------------------------


def test_the_functions_of_these_tests_have_nothing_to_do_with_each_other() -> None:
    texts = (WARP, ROUTE, PARSE, ANNEAL, BEAMS, SPECTRUM, STRANGER)
    for number, text in enumerate(texts):
        others = {f"{other}.py": text for other, text in enumerate(texts) if other != number}
        report = compare(repo("one", {"a.py": text}), [repo("others", others)])
        assert not report.matches
        assert report.relation in {Relation.INDEPENDENT, Relation.INCONCLUSIVE}
        assert report.strength is Strength.NONE


def test_a_copy_under_other_names_is_matched_function_by_function() -> None:
    renamed = WARP.replace("frames", "clips").replace("field", "flow").replace("def warp", "def bend")
    report = compare(repo("mine", {"a.py": renamed}), [repo("theirs", {"b.py": WARP + ROUTE})])
    (match,) = report.matches
    assert ends(match) == (("a.py", "bend"), "theirs", ("b.py", "warp"))
    assert match.overlap == pytest.approx(1)
    assert match.clone_type is CloneType.RENAMED
    assert match.renames["clips"] == "frames"
    assert (match.suspect.first_line, match.suspect.last_line) == (4, 9)


@pytest.mark.parametrize("package", ["heron", "transformers"])
def test_what_was_copied_out_of_a_package_may_import_from_it(package: str) -> None:
    text = "from {} import gather, spread\n" + WARP.replace("field.permute", "gather(field, 3).permute").replace(
        "    return ", "    frames = spread(frames, grid, scale=scale)\n    return "
    )
    theirs = repo("theirs", {f"{package}/__init__.py": "", f"{package}/warp.py": text.format(".ops")})
    report = compare(repo("mine", {"a.py": text.format(f"{package}.ops")}), [theirs])
    (match,) = report.matches
    assert (match.overlap, match.containment) == (1, 1)
    other = compare(repo("mine", {"a.py": text.format("pelican.ops")}), [theirs], EVERYTHING)
    assert max(match.containment for match in other.matches) < 1


def test_the_same_text_is_identical_whatever_its_layout_and_comments() -> None:
    spaced = {path: text.replace("\n    ", "\n\n    # a remark\n    ") for path, text in FOUR.items()}
    report = compare(repo("mine", spaced), [repo("theirs", FOUR)])
    assert report.relation is Relation.IDENTICAL
    assert {match.clone_type for match in report.matches} == {CloneType.LAYOUT}


def test_a_part_of_the_reference_can_be_identical_to_it() -> None:
    report = compare(repo("mine", FOUR), [repo("theirs", {**FOUR, "beams.py": BEAMS, "spectrum.py": SPECTRUM})])
    assert report.relation is Relation.IDENTICAL
    assert report.attribution[0].share_of_suspect == pytest.approx(1)


def test_matches_come_by_bits_and_without_repetition() -> None:
    report = compare(repo("mine", FOUR), [repo("theirs", FOUR)])
    bits = [match.bits for match in report.matches]
    assert bits == sorted(bits, reverse=True)
    assert len(by_ends(report)) == len(report.matches) == 4


def test_unreadable_files_are_named_with_their_side() -> None:
    ours = InMemory({**FOUR, "broken.py": "def f(x):\n    return x +\n"}, [Skipped("large.py", "too large")])
    mine = repo("mine", {})
    object.__setattr__(mine, "files", ours)
    report = compare(mine, [repo("theirs", {"b.py": WARP, "bad.py": "def (:\n"})])
    reasons = {skipped.path: skipped.reason for skipped in report.skipped}
    assert list(reasons) == ["mine:large.py", "mine:broken.py", "theirs:bad.py"]
    assert reasons["mine:large.py"] == "too large"
    assert "read as far as it parses" in reasons["mine:broken.py"]


@pytest.mark.parametrize("files", [{}, {"a.py": ""}, {"a.py": "x = 1\n"}, {"a.py": "def ("}])
def test_a_side_without_functions_is_the_users_to_mend(files: dict[str, str]) -> None:
    for sides in ((repo("empty", files), repo("full", FOUR)), (repo("full", FOUR), repo("empty", files))):
        with pytest.raises(UserError, match=r"^empty: no Python f"):
            compare(sides[0], [sides[1]])


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        ([("a/x", "x", ""), ("b/y", "y", "")], ["x", "y"]),
        ([("/home/a/repo", "repo", ""), ("/home/b/repo/", "repo", "")], ["a/repo", "b/repo"]),
        (
            [("a/repo/@v1", "repo", "1" * 40), ("a/repo/@v2", "repo", "2" * 40)],
            ["repo@111111111111", "repo@222222222222"],
        ),
        ([("pypi:x==1.0", "x", "1.0"), ("pypi:x==2.0", "x", "2.0")], ["x@1.0", "x@2.0"]),
        ([("a/x", "x", ""), ("b/x", "x", ""), ("b/x", "x", "")], ["a/x", "x", "x (2)"]),
        ([("https://host/a/x.git@v1", "x", "1"), ("https://host/b/x.git@v1", "x", "1")], ["a/x", "b/x"]),
    ],
)
def test_targets_of_one_name_are_called_by_what_tells_them_apart(
    targets: list[tuple[str, str, str]], expected: list[str]
) -> None:
    files = {"a.py": WARP}
    sides = [Repo(target, name, revision, InMemory(files)) for target, name, revision in targets]
    report = compare(sides[0], sides[1:])
    assert [side.name for side in (report.suspect, *report.references)] == expected


def test_targets_of_one_name_are_told_apart() -> None:
    report = compare(repo("same", {"a.py": WARP}), [repo("same", {"a.py": ROUTE}), repo("same", {"b.py": WARP})])
    assert report.suspect.name == "same"
    assert [side.name for side in report.references] == ["same (2)", "same (3)"]
    assert _names(report) == {"warp": "same (3)"}
    assert report.attribution[0].reference == "same (3)"


def test_a_function_without_anything_in_it_matches_nothing() -> None:
    stub = {"stub.py": "def nothing():\n    pass\n"}
    report = compare(repo("mine", {**FOUR, **stub}), [repo("theirs", {**FOUR, **stub})], EVERYTHING)
    assert "nothing" not in _names(report)
    assert all(math.isfinite(match.similarity) for match in report.matches)


def test_progress_is_told_for_every_side() -> None:
    told: list[tuple[str, int, int]] = []
    compare(
        repo("mine", FOUR),
        [repo("theirs", FOUR)],
        progress=lambda stage, done, total: told.append((stage, done, total)),
    )
    assert ("reading mine", 4, 4) in told
    assert ("reading theirs", 4, 4) in told
    assert all(done <= total or not total for _, done, total in told)


def test_targets_on_disk_are_compared_as_they_are_named(tmp_path: Path) -> None:
    for name, text in (("mine", WARP), ("theirs", WARP + BEAMS)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "code.py").write_text(text, encoding="utf-8")
    mine, theirs = tmp_path / "mine", tmp_path / "theirs" / "code.py"
    with open_target(str(mine)) as suspect, open_target(str(theirs)) as reference:
        report = compare(suspect, [reference])
    assert (report.suspect.target, report.suspect.name) == (str(mine), "mine")
    assert ends(report.matches[0]) == (("code.py", "warp"), "code.py", ("code.py", "warp"))


# --- several references --------------------------------------------------------------------------------------


def test_each_function_is_matched_with_its_nearest_reference() -> None:
    edited = WARP.replace("-1.25, 1.25", "-1.5, 1.5").replace("align_corners=False", "align_corners=True")
    mine = repo("mine", {"warp.py": WARP, "route.py": ROUTE, "parse.py": PARSE})
    one = repo("one", {"a.py": WARP + PARSE})
    two = repo("two", {"b.py": ROUTE + edited})
    report = compare(mine, [two, one])
    assert _names(report) == {"warp": "one", "parse": "one", "route": "two"}
    assert {line.reference: line.functions for line in report.attribution} == {"one": 2, "two": 1}


@pytest.mark.parametrize("order", [1, -1])
def test_what_both_references_have_goes_to_the_one_more_was_taken_from(order: int) -> None:
    mine = repo("mine", FOUR)
    far = repo("far", {"a.py": WARP + BEAMS})
    near = repo("near", {"b.py": WARP + ROUTE + PARSE})
    report = compare(mine, [far, near][::order])
    assert _names(report) == {"warp": "near", "route": "near", "parse": "near"}
    assert report.attribution[0].reference == "near"


def test_the_more_similar_function_wins_over_the_closer_repository() -> None:
    edited = WARP.replace("-1.25, 1.25", "-1.5, 1.5").replace(
        "field.permute(0, 2, 3, 1) * scale", "field / scale.exp()"
    )
    near = repo("near", {**FOUR, "warp.py": edited})
    report = compare(repo("mine", FOUR), [near, repo("far", {"a.py": WARP})])
    assert _names(report) == {"warp": "far", "route": "near", "parse": "near", "anneal": "near"}
    assert report.attribution[0].reference == "near"


def test_references_that_are_equal_share_nothing_out_and_the_first_one_is_named() -> None:
    report = compare(repo("mine", FOUR), [repo("first", FOUR), repo("second", FOUR)])
    assert set(_names(report).values()) == {"first"}
    assert [line.reference for line in report.attribution] == ["first", "second"]
    assert all(line.exclusive_bits == pytest.approx(0, abs=1e-6) for line in report.attribution)
    assert report.relation is Relation.IDENTICAL


def test_a_common_ancestor_cancels_in_the_exclusive_bits() -> None:
    mine = repo("mine", FOUR)
    source = repo("source", FOUR)
    cousin = repo("cousin", {"x.py": WARP, "y.py": BEAMS, "z.py": SPECTRUM})
    alone = compare(mine, [source]).attribution[0]
    assert alone.exclusive_bits == pytest.approx(alone.bits)
    with_cousin = compare(mine, [source, cousin])
    first, second = with_cousin.attribution
    (helper,) = [match for match in with_cousin.matches if match.suspect.qualname == "warp"]
    assert (first.reference, second.reference) == ("source", "cousin")
    assert helper.reference_name == "source"
    assert second.bits == pytest.approx(helper.bits)
    assert second.exclusive_bits == pytest.approx(0, abs=1e-6)
    assert second.functions == 0
    # What the cousin's other functions share by chance counts as explained too, so that it is a little less.
    rest = first.bits - helper.bits
    assert 0.9 * rest < first.exclusive_bits <= rest + 1e-6
    assert with_cousin.relation is Relation.IDENTICAL


def test_a_copy_of_a_copy_is_nearer_to_the_copy() -> None:
    """What the copier changed is shared with the copy alone, and stays exclusive to it."""
    changed = {path: text.replace("0.07 + 0.93", "0.03 + 0.97").replace("1.25", "1.75") for path, text in FOUR.items()}
    report = compare(repo("mine", changed), [repo("source", FOUR), repo("copy", changed)])
    assert report.attribution[0].reference == "copy"
    assert report.attribution[0].exclusive_bits > 0
    assert report.attribution[1].exclusive_bits == pytest.approx(0, abs=1e-6)
    names = _names(report)
    assert (names["warp"], names["anneal"]) == ("copy", "copy")


def test_a_reference_that_has_nothing_to_do_with_it_takes_no_match() -> None:
    alone = compare(repo("mine", FOUR), [repo("source", FOUR)])
    beside = compare(repo("mine", FOUR), [repo("stranger", {"b.py": BEAMS, "s.py": STRANGER}), repo("source", FOUR)])
    assert set(by_ends(alone)) == set(by_ends(beside))
    assert beside.attribution[0].reference == "source"
    assert (beside.relation, beside.strength) == (alone.relation, alone.strength)


# --- what changes no match -----------------------------------------------------------------------------------


def test_swapping_sides_swaps_containment() -> None:
    longer = WARP + "    # and more\n" + ANNEAL.replace("def anneal", "def cool") + BEAMS
    shorter = WARP.replace("    rows = torch", "    field = field.flip(1).contiguous()\n    rows = torch") + BEAMS
    there = by_ends(compare(repo("mine", {"a.py": longer}), [repo("x", {"b.py": shorter})], EVERYTHING))
    back = by_ends(compare(repo("mine", {"b.py": shorter}), [repo("x", {"a.py": longer})], EVERYTHING))
    # Candidates are proposed from the suspect's side: the weakest ones may be proposed from one side only.
    both = [
        (match, back[theirs, name, ours])
        for (ours, name, theirs), match in there.items()
        if (theirs, name, ours) in back
    ]
    assert len(both) >= 2
    for one, other in both:
        assert one.bits == pytest.approx(other.bits)
        assert one.overlap == pytest.approx(other.overlap)
        assert one.clone_type is other.clone_type
        # No function here calls another, so that overlap follows from the two containments.
        assert one.overlap == pytest.approx(1 / (1 / one.containment + 1 / other.containment - 1))
    warp = next(pair for pair in both if pair[0].suspect.qualname == "warp")
    assert warp[0].containment > warp[1].containment + 0.02  # nearly all of the shorter one, not of the one with more


@pytest.mark.parametrize("side", ["suspect", "reference", "both"])
def test_a_file_that_shares_nothing_changes_no_match_and_no_score(side: str) -> None:
    edited = {path: text.replace("1.25", "2.0").replace("rank", "place") for path, text in FOUR.items()}
    before = by_ends(compare(repo("mine", edited), [repo("theirs", FOUR)]))
    ours = {"stranger.py": STRANGER} if side != "reference" else {}
    theirs = {"strange/other.py": STRANGER.replace("curses", "turtle")} if side != "suspect" else {}
    after = by_ends(compare(repo("mine", edited | ours), [repo("theirs", FOUR | theirs)]))
    strange = {each for each in after if each[0][0] == "stranger.py"}
    assert after.keys() - strange == before.keys()
    assert len(before) == 4
    for each, match in before.items():
        assert after[each].similarity == pytest.approx(match.similarity, abs=1e-9)
        assert after[each].containment == pytest.approx(match.containment, abs=1e-9)
        assert after[each].bits == pytest.approx(match.bits, abs=1e-6)
        assert after[each].clone_type is match.clone_type
        assert after[each].renames == match.renames


def test_a_realistic_unrelated_file_changes_no_match() -> None:
    realistic = {"extra/reader.py": fixture_files("independent")["tidewater/reader.py"].decode()}
    before = by_ends(compare(repo("mine", FOUR), [repo("theirs", FOUR)]))
    for ours, theirs in ((realistic, {}), ({}, realistic)):
        after = by_ends(compare(repo("mine", FOUR | ours), [repo("theirs", FOUR | theirs)]))
        assert after.keys() == before.keys()


CALLER = """
import torch
from measures import spread

def weigh(values, mask):
    logits = torch.einsum("nd,md->nm", values, values.flip(0))
    logits = spread(logits, values.shape[-1])
    return logits.masked_fill(mask, -1e4).softmax(-1).cumsum(0)
"""
CALLED = """
def spread(logits, size):
    lowered = logits - logits.amax(-1, keepdim=True)
    return lowered / size ** 0.5 * 1.7 + logits.std(-1, keepdim=True).clamp_min(1e-3)
"""
INLINED = """
import torch

def attend(values, mask):
    logits = torch.einsum("nd,md->nm", values, values.flip(0))
    lowered = logits - logits.amax(-1, keepdim=True)
    logits = lowered / values.shape[-1] ** 0.5 * 1.7 + logits.std(-1, keepdim=True).clamp_min(1e-3)
    return logits.masked_fill(mask, -1e4).softmax(-1).cumsum(0)
"""


def test_a_helper_that_was_inlined_counts_for_its_caller() -> None:
    mine = repo("mine", {"a.py": INLINED})
    bare = compare(mine, [repo("theirs", {"lib.py": CALLER})], EVERYTHING).matches[0]
    whole = compare(mine, [repo("theirs", {"lib.py": CALLER, "measures.py": CALLED})], EVERYTHING)
    (match,) = [match for match in whole.matches if match.reference.qualname == "weigh"]
    assert match.similarity > bare.similarity + 0.04


def test_an_unrelated_function_of_the_same_name_changes_no_score() -> None:
    mine = repo("mine", {"a.py": INLINED})
    theirs = {"lib.py": CALLER, "measures.py": CALLED}
    strange = {"plots/butter.py": "def spread(toast):\n    return toast.top().butter(3)\n"}
    before = compare(mine, [repo("theirs", theirs)], EVERYTHING).matches[0]
    after = compare(mine, [repo("theirs", theirs | strange)], EVERYTHING).matches[0]
    assert after.similarity == pytest.approx(before.similarity, abs=1e-9)


def test_an_empty_init_at_the_root_changes_no_match() -> None:
    ours = {"a.py": CALLER, "measures.py": CALLED}
    theirs = {path: text.replace("spread", "widen").replace("measures", "tools") for path, text in ours.items()}
    plain = by_ends(compare(repo("mine", ours), [repo("theirs", theirs)]))
    package = by_ends(compare(repo("mine", ours), [repo("theirs", theirs | {"__init__.py": ""})]))
    assert {each: match.similarity for each, match in package.items()} == {
        each: match.similarity for each, match in plain.items()
    }


# --- floors --------------------------------------------------------------------------------------------------

LOOSE = {
    "warp.py": WARP.replace("field.permute(0, 2, 3, 1) * scale", "field.permute(0, 2, 3, 1).tanh().mul(scale) + 1"),
    "route.py": ROUTE.replace("penalty = (load / load.sum() * scores.mean(0)).sum() * gates.shape[0]", "penalty = 0"),
    "parse.py": PARSE,
    "spectrum.py": SPECTRUM.replace("np.hanning(bins)", "np.blackman(bins + 1)[1:]"),
}


def _report(options: Options) -> Report:
    return compare(repo("mine", LOOSE), [repo("theirs", {**FOUR, "spectrum.py": SPECTRUM})], options)


def test_floors_are_floors() -> None:
    every = _report(Options(min_similarity=0.0, min_bits=1e-9))
    for similarity in (0.3, 0.7, 0.9, 1.0):
        found = by_ends(_report(Options(min_similarity=similarity)))
        assert found.keys() == {each for each, match in by_ends(every).items() if match.similarity >= similarity}
    for bits in (50, 150, 250, 1e6):
        found = by_ends(_report(Options(min_bits=bits)))
        assert found.keys() == {each for each, match in by_ends(every).items() if match.bits >= bits}


def test_what_is_exactly_at_a_floor_is_listed() -> None:
    for match in _report(Options(min_bits=1)).matches:
        assert match in _report(Options(min_bits=match.bits)).matches
        assert match in _report(Options(min_similarity=match.similarity)).matches


def test_both_floors_hold_together() -> None:
    found = _report(Options(min_similarity=0.7, min_bits=150)).matches
    assert found
    assert all(match.similarity >= 0.7 and match.bits >= 150 for match in found)


def test_floors_that_nothing_reaches_list_nothing() -> None:
    assert _report(Options(min_similarity=1, min_bits=1e9)).matches == ()


@pytest.mark.parametrize("bits", [450, 600, 1e9])
def test_floors_do_not_change_the_relation(bits: float) -> None:
    calibrated, floored = (
        compare(repo("mine", FOUR), [repo("theirs", FOUR)], options) for options in (Options(), Options(min_bits=bits))
    )
    assert len(floored.matches) < len(calibrated.matches)
    assert (floored.relation, floored.strength) == (calibrated.relation, calibrated.strength)
    assert floored.attribution == calibrated.attribution
    assert floored.evidence == calibrated.evidence


def test_without_floors_the_calibrated_gate_holds_and_says_so() -> None:
    assert _report(Options()).settings["min_bits"] == "calibrated"
    assert _report(Options(min_bits=7)).settings["min_bits"] == 7
    assert _report(Options(min_bits=7)).settings["min_similarity"] == "calibrated"


def test_no_floors_at_all_list_every_candidate_pair() -> None:
    mine = repo("mine", LOOSE)
    theirs = repo(
        "theirs", {**FOUR, "spectrum.py": SPECTRUM, "again.py": WARP.replace("1.25", "1.5"), "beams.py": BEAMS}
    )
    everything, calibrated = compare(mine, [theirs], EVERYTHING), compare(mine, [theirs])
    listed = by_ends(everything)
    assert len(listed) == len(everything.matches)
    assert listed.keys() > by_ends(calibrated).keys()
    for each, match in by_ends(calibrated).items():
        assert listed[each].similarity == match.similarity
    suspects = [match.suspect.qualname for match in everything.matches]
    assert len(set(suspects)) < len(suspects)  # not one reference each, as otherwise
    bits = [round(match.bits, 6) for match in everything.matches]
    assert bits == sorted(bits, reverse=True)


TWINS = "".join(f"class Box{n}:\n    def __len__(self):\n        return len(self.items)\n\n" for n in range(8))


def test_listing_every_pair_does_not_change_the_relation() -> None:
    mine = repo("mine", {**FOUR, "boxes.py": TWINS, "beams.py": BEAMS})
    theirs = repo("theirs", {"boxes.py": TWINS, "spectrum.py": SPECTRUM})
    calibrated, everything = compare(mine, [theirs]), compare(mine, [theirs], EVERYTHING)
    assert everything.relation is calibrated.relation
    assert everything.attribution[0].functions <= everything.suspect.functions


# --- declared ------------------------------------------------------------------------------------------------

COPIED = {path: text.replace("1.25", "2.0") for path, text in FOUR.items()}


def _marked(comment: str) -> dict[str, str]:
    return {path: text.replace("\ndef ", f"\n# {comment}\ndef ") for path, text in COPIED.items()}


def test_a_copy_that_names_its_source_is_declared() -> None:
    report = compare(repo("mine", _marked("Adapted from Heron-VL.")), [repo("heron_vl", {**FOUR, "b.py": BEAMS})])
    assert all(match.is_declared for match in report.matches)
    assert len(report.matches) == 4
    assert sum(int(line.measures["declared_functions"]) for line in report.evidence if line.kind == "code") == 4
    assert all("declared" in line.claim for line in report.evidence)


def test_an_unchanged_copy_that_names_its_source_is_derived_and_declared() -> None:
    marked = {path: text.replace("\ndef ", "\n# Adapted from heron_vl\ndef ") for path, text in FOUR.items()}
    report = compare(repo("mine", marked), [repo("heron_vl", FOUR)])
    assert report.relation is Relation.DERIVED_DECLARED


@pytest.mark.parametrize("comment", ["Adapted from pelican_vl.", "This is heron_vl.", "See heron_vl for the paper."])
def test_a_comment_that_names_another_source_or_no_copy_declares_nothing(comment: str) -> None:
    report = compare(repo("mine", _marked(comment)), [repo("heron_vl", FOUR)])
    assert len(report.matches) == 4
    assert not any(match.is_declared for match in report.matches)
    assert report.relation is not Relation.DERIVED_DECLARED


def test_strings_in_code_declare_nothing() -> None:
    spoken = {
        path: text + '    print("copied from heron_vl")\n\nNOTE = "adapted from heron_vl"\n'
        for path, text in COPIED.items()
    }
    report = compare(repo("mine", spoken), [repo("heron_vl", FOUR)])
    assert len(report.matches) == 4
    assert not any(match.is_declared for match in report.matches)


def test_of_two_references_only_the_named_one_is_declared() -> None:
    report = compare(
        repo("mine", _marked("Copied from heron_vl")),
        [repo("heron_vl", {"a.py": WARP + ROUTE}), repo("pelican", {"b.py": PARSE + ANNEAL})],
    )
    assert {match.suspect.qualname: match.is_declared for match in report.matches} == {
        "warp": True,
        "route": True,
        "parse": False,
        "anneal": False,
    }


# --- the ledger ----------------------------------------------------------------------------------------------


def test_the_ledger_accounts_for_every_match_with_an_innocent_explanation() -> None:
    renamed = ROUTE.replace("tokens", "words").replace("penalty", "tax")
    mine = {"warp.py": WARP, "route.py": renamed, "spectrum.py": LOOSE["spectrum.py"]}
    report = compare(repo("mine", mine), [repo("theirs", {**FOUR, "spectrum.py": SPECTRUM})])
    lines = {line.name: line for line in report.evidence if line.kind == "code"}
    assert set(lines) == {"same-function", "renamed-function", "rewritten-function"}
    assert all(line.innocent and "theirs" in line.claim for line in report.evidence)
    assert sum(int(line.measures["functions"]) for line in lines.values()) == len(report.matches)
    assert sum(float(line.measures["bits"]) for line in lines.values()) == pytest.approx(
        sum(match.bits for match in report.matches), abs=0.05
    )


# --- kinds of evidence -----------------------------------------------------------------------------------------------


def test_every_kind_of_evidence_is_known_everywhere() -> None:
    assert compared.KINDS == patterns.KINDS == tuple(explanations.KINDS) == tuple(Kind)
    clustered = [kind for kinds in CLUSTERS.values() for kind in kinds]
    assert sorted(clustered) == sorted(set(compared.KINDS) - {"declared"})


def test_only_the_kinds_that_are_asked_for_are_looked_for() -> None:
    mine, theirs = repo("mine", FOUR), repo("theirs", FOUR)
    report = compare(mine, [theirs], Options(kinds=frozenset({"traces"})))
    assert not report.matches
    assert {each.kind for each in report.examined} == {"traces"}
    assert {each.kind for each in compare(mine, [theirs]).examined} == set(compared.KINDS)


def test_a_reference_without_code_takes_no_part_in_it_and_is_told() -> None:
    mine, theirs, papers = repo("mine", FOUR), repo("theirs", FOUR), repo("papers", {"README.md": "Nothing yet."})
    alone, beside = compare(mine, [theirs]), compare(mine, [papers, theirs])
    assert beside.matches == alone.matches
    assert [row.reference for row in beside.attribution] == ["theirs", "papers"]
    assert beside.attribution[1].bits == 0
    (missing,) = [each for each in beside.examined if each.kind == "code" and not each.is_possible]
    assert missing.reference == "papers"
    assert "no Python files found" in missing.about
