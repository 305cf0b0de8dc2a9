"""The histogram of similarities: every function of the suspect is in it once, and like is held against like."""

from __future__ import annotations

import json
from importlib import resources

import jsonschema  # type: ignore[import-untyped]
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.code import histogram
from detector.code.null import null
from detector.compare import compare
from detector.model import Report, Similarities
from detector.options import Options
from detector.report import json as json_report
from detector.targets import Repo
from tests.repositories import ANNEAL, BEAMS, PARSE, ROUTE, SPECTRUM, STRANGER, WARP, fixture_files, repo

FIXTURES = ("rebadged", "original", "cited", "independent")
TOP = 0.5


def _fixtures(*names: str) -> list[Repo]:
    return [repo(name, fixture_files(name)) for name in names]


def _similarities(report: Report) -> Similarities:
    assert report.similarities is not None
    return report.similarities


def _distance(found: Similarities) -> float:
    """Total variation between the suspect and the null: 0 where they are equal, 1 where they have nothing in common."""
    total = sum(found.suspect)
    return sum(abs(count / total - share) for count, share in zip(found.suspect, found.unrelated, strict=True)) / 2


def _above(found: Similarities, least: float) -> tuple[float, float]:
    """The share of the suspect's functions from a similarity on, and of those of unrelated projects."""
    start = found.edges.index(least)
    return sum(found.suspect[start:]) / sum(found.suspect), sum(found.unrelated[start:])


@pytest.mark.parametrize("references", [1, 3])
def test_every_function_of_the_suspect_is_in_one_bin_and_the_shares_are_all_of_the_null(references: int) -> None:
    suspect, *others = _fixtures(*FIXTURES[: 1 + references])
    report = compare(suspect, others)
    found = _similarities(report)
    assert sum(found.suspect) == report.suspect.functions
    assert sum(found.unrelated) == pytest.approx(1)
    assert len(found.edges) == len(found.suspect) + 1 == len(found.unrelated) + 1
    assert (found.edges[0], found.edges[-1]) == (0, 1)
    assert min(found.unrelated) >= 0


def test_two_projects_that_have_nothing_to_do_with_each_other_look_like_the_null() -> None:
    found = _similarities(compare(*_pair("independent", "original")))
    assert _distance(found) < 0.25
    assert _above(found, TOP)[0] == 0


def test_a_copy_that_was_rewritten_function_by_function_does_not() -> None:
    found = _similarities(compare(*_pair("rebadged", "original")))
    ours, by_chance = _above(found, TOP)
    assert ours > 0.5
    assert by_chance < 0.01
    assert _distance(found) > 0.8


def _pair(suspect: str, reference: str) -> tuple[Repo, list[Repo]]:
    one, other = _fixtures(suspect, reference)
    return one, [other]


def test_functions_without_a_candidate_are_in_the_first_bin() -> None:
    ours = repo("mine", {"a.py": WARP + ROUTE + PARSE})
    found = _similarities(compare(ours, [repo("theirs", {"b.py": ANNEAL + BEAMS + SPECTRUM + STRANGER})]))
    assert found.suspect[0] == 3


def test_the_best_of_several_references_counts_wherever_it_stands() -> None:
    ours = repo("mine", {"a.py": WARP + ROUTE})
    references = [repo("one", {"b.py": WARP}), repo("two", {"c.py": ROUTE}), repo("three", {"d.py": BEAMS})]
    for order in (references, references[::-1]):
        assert _similarities(compare(ours, order)).suspect[-1] == 2


def test_floors_change_what_is_listed_and_not_the_histogram() -> None:
    suspect, reference = _fixtures("rebadged", "original")
    plain = compare(suspect, [reference]).similarities
    assert compare(suspect, [reference], Options(min_similarity=0, min_bits=0)).similarities == plain
    assert compare(suspect, [reference], Options(min_similarity=0.9)).similarities == plain


def test_the_report_has_it_as_the_schema_says_and_no_share_of_the_null_is_rounded_away() -> None:
    report = compare(*_pair("independent", "original"))
    document = json.loads(json_report.render(report))
    schema = json.loads(resources.files("detector.report").joinpath("detector-report-1.schema.json").read_text("utf-8"))
    jsonschema.Draft202012Validator(schema).validate(document)
    written = document["similarities"]
    assert written["suspect"] == list(_similarities(report).suspect)
    assert sum(written["unrelated"]) == pytest.approx(1, abs=1e-4)
    assert [share > 0 for share in written["unrelated"]] == [share > 0 for share in null().similarities.tolist()]


# --- several references --------------------------------------------------------------------------------------

SHARES = st.lists(st.floats(0, 1), min_size=20, max_size=20).filter(lambda shares: sum(shares) > 0.01)


@given(SHARES, st.integers(1, 50))
def test_the_best_of_more_references_is_as_likely_or_likelier_to_reach_any_bin(
    given_shares: list[float], references: int
) -> None:
    shares = np.array(given_shares) / sum(given_shares)
    several = histogram.of_best(shares, references)
    assert several.sum() == pytest.approx(1)
    assert (several >= 0).all()
    reached, reached_by_one = (np.cumsum(each[::-1]) for each in (several, shares))
    assert (reached >= reached_by_one - 1e-9).all()


def test_the_null_of_one_reference_is_the_null_as_it_was_measured() -> None:
    assert histogram.of_best(null().similarities, 1) == pytest.approx(null().similarities)


def test_of_two_references_each_reaches_a_bin_by_itself() -> None:
    shares = np.array([0.9, 0.1])
    assert histogram.of_best(shares, 2).tolist() == pytest.approx([0.81, 0.19])


def test_what_lies_on_an_edge_counts_upwards_but_for_the_last() -> None:
    counts = histogram.counts(np.array([0.0, 0.05, 0.95, 1.0]))
    assert (counts[0], counts[1], counts[-1], counts.sum()) == (1, 1, 2, 4)


# --- the null that ships -------------------------------------------------------------------------------------


def test_the_null_of_similarities_has_the_bins_of_the_histogram_and_falls() -> None:
    shares = null().similarities
    assert len(shares) == histogram.BINS
    assert shares.sum() == pytest.approx(1)
    assert (np.diff(shares[:10]) < 0).all()
    assert shares[10:].sum() < 0.01
