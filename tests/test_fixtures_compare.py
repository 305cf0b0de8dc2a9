"""The comparison of the fixtures: what the gold file asks for, and the same bytes whatever the circumstances."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from detector import gate
from detector.code import bulk
from detector.compare import compare
from detector.model import Basis, CloneType, Relation, Report, Strength
from detector.options import Options
from detector.read import open_target
from detector.report import json as json_report
from tests.repositories import FIXTURES, Place, by_ends, ends, fixture, fixture_files, repo

SUSPECT, REFERENCES = "rebadged", ("original", "cited", "independent")


def _opened() -> Report:
    with ExitStack() as targets:
        suspect, *references = (
            targets.enter_context(open_target(str(FIXTURES / name))) for name in (SUSPECT, *REFERENCES)
        )
        return compare(suspect, references)


@pytest.fixture(scope="module")
def report() -> Report:
    return _opened()


@pytest.fixture(scope="module")
def gold() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((FIXTURES / "gold.json").read_text(encoding="utf-8"))
    return loaded


def _gold_pairs(gold: dict[str, Any]) -> dict[Place, Place]:
    return {
        (pair["suspect"]["path"], pair["suspect"]["qualname"]): (
            pair["reference"]["path"],
            pair["reference"]["qualname"],
        )
        for pair in gold["pairs"]
    }


def test_every_gold_pair_is_shown_with_its_reference_and_nothing_else(report: Report, gold: dict[str, Any]) -> None:
    expected = {(ours, gold["reference"], theirs) for ours, theirs in _gold_pairs(gold).items()}
    assert {ends(match) for match in report.matches} == expected
    assert len(report.matches) == len(expected)


def test_the_original_is_named_although_the_readme_credits_another(report: Report) -> None:
    assert report.relation is Relation.DERIVED_UNDECLARED
    assert report.strength is Strength.VERY_STRONG
    first = report.attribution[0]
    assert first.reference == "original"
    assert first.functions == len(report.matches)
    assert first.share_of_suspect > 0.5


def test_the_others_explain_next_to_nothing_that_the_original_does_not(report: Report) -> None:
    original, *others = report.attribution
    assert {other.reference for other in others} == {"cited", "independent"}
    for other in others:
        assert other.functions == 0
        assert other.exclusive_bits < 60  # less than a dozen shingles
        assert other.exclusive_bits <= other.bits
        assert other.exclusive_bits < original.exclusive_bits / 100


def test_functions_that_come_from_nowhere_match_nothing(report: Report, gold: dict[str, Any]) -> None:
    assert gold["new_in_suspect"]
    assert not {match.suspect.qualname for match in report.matches} & set(gold["new_in_suspect"])


def test_the_shared_formula_links_the_cited_project_and_comes_from_the_original(
    report: Report, gold: dict[str, Any]
) -> None:
    (ancestor,) = gold["common_ancestor"]
    formula = (ancestor["rebadged"]["path"], ancestor["rebadged"]["qualname"])
    alone = compare(fixture("rebadged"), [fixture("cited")], Options(min_similarity=0.2))
    assert alone.relation in {Relation.SHARED_ANCESTOR, Relation.COMMON_IDIOM, Relation.INDEPENDENT}
    shared = (formula, "cited", (ancestor["cited"]["path"], ancestor["cited"]["qualname"]))
    assert shared in {ends(match) for match in alone.matches}
    (nearest,) = [match for match in report.matches if ends(match)[0] == formula]
    assert nearest.reference_name == "original"


def test_the_references_may_come_in_any_order(report: Report) -> None:
    turned = compare(fixture("rebadged"), [fixture(name) for name in reversed(REFERENCES)])
    assert set(by_ends(turned)) == set(by_ends(report))
    assert turned.attribution[0].reference == "original"
    expected = {line.reference: line.exclusive_bits for line in report.attribution}
    assert {line.reference: line.exclusive_bits for line in turned.attribution} == pytest.approx(expected, abs=1e-6)


def test_two_forks_of_the_source_do_not_hide_it() -> None:
    found = compare(fixture("rebadged"), [fixture("cited"), fixture("original"), fixture("original", "fork")])
    assert found.relation is Relation.DERIVED_UNDECLARED
    assert found.attribution[0].reference == "original"
    assert found.attribution[0].functions == len(found.matches)


def test_swapping_sides_swaps_containment_and_keeps_the_rest() -> None:
    everything = Options(min_similarity=0, min_bits=0)
    there = by_ends(compare(fixture("rebadged"), [fixture("original")], everything))
    back = {
        (theirs, "original", ours): match
        for (ours, _, theirs), match in by_ends(compare(fixture("original"), [fixture("rebadged")], everything)).items()
    }
    shared = there.keys() & back.keys()
    assert len(shared) > 100
    for each in shared:
        one, other = there[each], back[each]
        assert one.overlap == pytest.approx(other.overlap, abs=1e-9)
        assert one.bits == pytest.approx(other.bits, abs=1e-6)
        assert one.digest.split("-") == other.digest.split("-")[::-1]
        # containment is bits / the size of the suspect: turned round, that of the other side
        if one.containment > 0 and other.containment > 0:
            resemblance = 1 / (1 / one.containment + 1 / other.containment - 1)
            assert resemblance <= one.overlap + 1e-9


def test_most_gold_pairs_are_found_from_the_other_side_too(gold: dict[str, Any]) -> None:
    found = compare(fixture("original"), [fixture("rebadged")])
    assert found.relation is Relation.DERIVED_UNDECLARED
    pairs = _gold_pairs(gold)
    originals: dict[Place, set[Place]] = {}
    for ours, theirs in pairs.items():
        originals.setdefault(theirs, set()).add(ours)
    matched = {ends(match)[0]: ends(match)[2] for match in found.matches}
    right = [place for place, copies in originals.items() if matched.get(place) in copies]
    assert len(right) >= 0.9 * len(originals)


def test_an_unrelated_project_in_either_repository_changes_nothing_but_what_rests_on_the_whole() -> None:
    strange = {f"elsewhere/{path}": data for path, data in fixture_files("independent").items()}
    expected = by_ends(compare(fixture("rebadged"), [fixture("original")]))
    for ours, theirs in ((strange, {}), ({}, strange), (strange, strange)):
        found = compare(
            repo("rebadged", fixture_files("rebadged") | ours), [repo("original", fixture_files("original") | theirs)]
        )
        kept = {each: match for each, match in by_ends(found).items() if not each[0][0].startswith("elsewhere/")}
        # What is believed since so much of the project matches is believed less easily where half of it does not.
        dropped = expected.keys() - kept.keys()
        assert all(expected[each].basis is not Basis.ALONE for each in dropped)
        assert all(kept[each].basis is not Basis.ALONE for each in kept.keys() - expected.keys())
        assert len(dropped) + len(kept.keys() - expected.keys()) <= 2


def test_a_project_is_identical_to_itself() -> None:
    found = compare(fixture("original"), [fixture("original", "mirror")])
    assert (found.relation, found.strength) == (Relation.IDENTICAL, Strength.VERY_STRONG)
    assert len(found.matches) >= 0.95 * found.suspect.functions
    for match in found.matches:
        assert (match.suspect.path, match.suspect.qualname) == (match.reference.path, match.reference.qualname)
        assert match.overlap == pytest.approx(1)
        assert match.similarity > 0.5  # tiny ones fit anything
        assert match.similarity > 0.97 or match.bits < 100
        assert match.containment == pytest.approx(1)
        assert match.clone_type is CloneType.LAYOUT
        assert all(ours == theirs for ours, theirs in match.renames.items())


def test_a_project_with_stubs_is_identical_to_itself() -> None:
    found = compare(fixture("cited"), [fixture("cited", "mirror")])
    assert found.relation is Relation.IDENTICAL


def test_a_comment_above_each_function_makes_it_a_declared_copy() -> None:
    marked = {
        path: re.sub(rb"(?m)^( *)((?:@.*\n *)*(?:async )?def )", rb"\1# Adapted from heronvl\n\1\2", data)
        for path, data in fixture_files("rebadged").items()
    }
    found = compare(repo("rebadged", marked), [fixture("original")])
    assert found.relation is Relation.DERIVED_DECLARED
    assert len(found.matches) > 80
    assert all(match.is_declared for match in found.matches)
    assert sum(int(line.measures["declared_functions"]) for line in found.evidence if line.kind == "code") == len(
        found.matches
    )
    assert gate.exit_code(found, None) == gate.EXIT_NOTHING


# --- the same bytes ------------------------------------------------------------------------------------------


def test_the_same_question_twice_gives_the_same_bytes(report: Report) -> None:
    first = json_report.render(report)
    compare(fixture("independent"), [fixture("cited")])  # what was read in between leaves no trace
    assert json_report.render(_opened()) == first


# In a process of its own: labels are the process's.
FORGETFUL = """
import sys
from detector import cli
from detector.code import bulk
from detector.code.lowering import labels, python

labels.MOST_LABELS = labels.LABELS.fixed + 1
bulk.TASK_BYTES = 5_000
code = cli.run(sys.argv[1:])
print(labels.LABELS.generation, file=sys.stderr)
sys.exit(code)
"""


def test_labels_that_were_forgotten_leave_the_same_bytes() -> None:
    forgetful = _run("-c", FORGETFUL)
    assert forgetful.stdout == _printed("1")
    assert int(forgetful.stderr.split()[-1]) > 5


def test_two_processes_give_the_same_bytes_as_one(report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "LEAST_PARALLEL_BYTES", 1)
    monkeypatch.setattr(bulk, "TASK_BYTES", 10_000)
    started: list[int] = []
    in_processes = bulk._in_processes

    def watched(tasks: Iterator[bulk.Task], work: bulk.Work, jobs: int) -> Iterator[Any]:
        started.append(jobs)
        return in_processes(tasks, work, jobs)

    monkeypatch.setattr(bulk, "_in_processes", watched)
    with ExitStack() as targets:
        suspect, reference = (
            targets.enter_context(open_target(str(FIXTURES / name))) for name in ("rebadged", "original")
        )
        parallel = json_report.render(compare(suspect, [reference], Options(jobs=2)))
        assert started == [2, 2]
        assert parallel == json_report.render(compare(suspect, [reference], Options(jobs=1)))


def test_the_order_of_files_on_disk_and_in_archives_changes_no_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts: list[str] = []
    for place, turn in (("one", 1), ("other", -1)):
        (tmp_path / place).mkdir()
        monkeypatch.chdir(tmp_path / place)
        with zipfile.ZipFile("suspect.zip", "w") as archive:
            for path, data in list(fixture_files("rebadged").items())[::turn]:
                archive.writestr(path, data)
        for path, data in list(fixture_files("original").items())[::turn]:
            target = Path("original", path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
        with open_target("suspect.zip") as suspect, open_target("original") as reference:
            texts.append(json_report.render(compare(suspect, [reference])))
    assert texts[0] == texts[1]


def _run(*how: str, seed: str = "0") -> subprocess.CompletedProcess[str]:
    """The command of the fixtures' README in a process of its own."""
    targets = [f"fixtures/{name}" for name in (SUSPECT, *REFERENCES)]
    done = subprocess.run(
        [sys.executable, *how, "compare", *targets, "--format", "json", "--quiet", "--jobs", "1"],
        env={**os.environ, "PYTHONHASHSEED": seed},
        cwd=FIXTURES.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == gate.EXIT_FINDINGS, done.stderr
    return done


@cache
def _printed(seed: str) -> str:
    """What the command prints: three seconds, once for all tests."""
    return _run("-m", "detector", seed=seed).stdout


def test_hash_seeds_change_no_byte_and_the_command_line_agrees(report: Report) -> None:
    texts = [_printed(seed) for seed in ("1", "4242")]
    assert texts[0] == texts[1]
    here = json.loads(json_report.render(report))
    there = json.loads(texts[0])
    assert there["matches"] == here["matches"]
    assert there["attribution"] == here["attribution"]


def test_the_report_counts_what_it_read(report: Report) -> None:
    assert [side.name for side in report.references] == list(REFERENCES)
    for side in (report.suspect, *report.references):
        assert side.files == len(fixture_files(side.name))
        assert side.functions > 0
    assert not report.skipped
