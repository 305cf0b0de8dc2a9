"""Sources that are cited and sources in common: what the ledger says of references beside the nearest one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from importlib import resources

import jsonschema  # type: ignore[import-untyped]
import pytest

from detector.compare import compare
from detector.model import Evidence, Report, Strength
from detector.read import open_target
from detector.report import json as json_report
from detector.report import terminal
from detector.targets import Repo
from tests.repositories import ANNEAL, BEAMS, FIXTURES, PARSE, ROUTE, SPECTRUM, STRANGER, WARP, fixture_files, repo

FOUR = {"warp.py": WARP, "route.py": ROUTE, "parse.py": PARSE, "anneal.py": ANNEAL}
# Of these the suspect has nothing.
ELSE = {"beams.py": BEAMS, "paint.py": STRANGER}
CITED, COMMON = ("declared", "cited-source-not-nearest"), ("code", "common-source")


def _found(report: Report, kind: tuple[str, str]) -> list[Evidence]:
    """The lines of one kind; the report must be fit to be read by machines and by people."""
    schema = json.loads((resources.files("detector.report") / "detector-report-1.schema.json").read_text("utf-8"))
    document = json.loads(json_report.render(report))
    jsonschema.Draft202012Validator(schema).validate(document)
    found = [line for line in report.evidence if (line.kind, line.name) == kind]
    listed = [line for line in document["evidence"] if (line["kind"], line["name"]) == kind]
    assert [(line["claim"], line["innocent"]) for line in listed] == [(line.claim, line.innocent) for line in found]
    text = terminal.render(report, 120, color=False)
    assert ("/".join(kind) in text) == bool(found)
    return found


def _compared(readme: str, *references: Repo) -> Report:
    return compare(repo("mine", {**FOUR, "README.md": readme}), references)


def _heron(files: Mapping[str, str | bytes] | None = None) -> Repo:
    return repo("heron", files or {**FOUR, "spectrum.py": SPECTRUM})


def _pelican(files: Mapping[str, str | bytes] | None = None) -> Repo:
    return repo("pelican", files or ELSE)


# --- a source that is cited, and another one that is nearer --------------------------------------------------


@pytest.mark.parametrize(
    "readme",
    [
        "# Mine\n\nThis model is built on Pelican.\n",
        "Mine is a fork of [Pelican](https://example.org/pelican).",
        "Based on pelican==2.1",
        "Mine extends the Pelican code base.",
    ],
)
def test_a_cited_source_that_is_not_the_nearest_is_told(readme: str) -> None:
    (line,) = _found(_compared(readme, _pelican(), _heron()), CITED)
    assert line.reference == "pelican"
    assert line.claim.startswith(
        "README.md of the suspect names pelican as what it builds on; heron, which it does not"
    )
    assert line.innocent
    assert line.measures["bits"] == line.measures["exclusive_bits"] == 0
    assert float(line.measures["nearest_bits"]) > 500


def test_what_a_suspect_says_supports_nothing_by_itself() -> None:
    report = _compared("Built on Pelican.", _pelican(), _heron())
    assert [line.strength for line in _found(report, CITED)] == [Strength.NONE]
    assert report.strength is not Strength.NONE


def test_a_cited_source_that_explains_a_little_is_told_with_what_it_explains() -> None:
    report = _compared("Built on Pelican.", _pelican({**ELSE, "anneal.py": ANNEAL}), _heron())
    (line,) = _found(report, CITED)
    (row,) = [row for row in report.attribution if row.reference == "pelican"]
    assert line.measures["bits"] == pytest.approx(row.bits, abs=0.01)
    assert row.bits > 50


def test_a_citation_of_the_nearest_is_no_finding() -> None:
    assert not _found(_compared("Built on Heron.", _pelican(), _heron()), CITED)


def test_a_citation_of_the_nearest_and_of_another_is_no_finding() -> None:
    for readme in ("Built on Pelican and Heron.", "Built on Pelican.\n\nBased on code of Heron."):
        assert not _found(_compared(readme, _pelican(), _heron()), CITED)


@pytest.mark.parametrize(
    "readme",
    [
        "We compare with Pelican.",
        "Thanks to the authors of Pelican!",
        "Pelican",
        "",
        "Built on ideas.\n\nSee also Pelican.",
        "Built on Kestrel.",
    ],
)
def test_a_source_that_is_merely_mentioned_is_not_cited(readme: str) -> None:
    assert not _found(_compared(readme, _pelican(), _heron()), CITED)


@pytest.mark.parametrize(
    "readme", ["Mine is not based on Pelican.", "Never built on Pelican", "No code taken from Pelican"]
)
def test_a_source_that_is_denied_is_not_cited(readme: str) -> None:
    assert not _found(_compared(readme, _pelican(), _heron()), CITED)


def test_with_one_reference_there_is_no_nearer_one() -> None:
    for reference in (_pelican(), _pelican(FOUR)):
        assert not _found(_compared("Built on Pelican.", reference), CITED)


def test_where_nothing_is_near_nothing_is_nearer() -> None:
    report = _compared("Built on Pelican.", _pelican(), _heron({"spectrum.py": SPECTRUM}))
    assert not report.matches
    assert not _found(report, CITED)


def test_a_cited_source_that_is_nearly_as_near_is_no_finding() -> None:
    halves = {"warp.py": WARP, "route.py": ROUTE}, {"parse.py": PARSE, "anneal.py": ANNEAL}
    for pelican, heron in (halves, halves[::-1]):
        report = _compared("Built on Pelican.", _pelican(pelican), _heron(heron))
        assert {match.reference_name for match in report.matches} == {"pelican", "heron"}
        assert not _found(report, CITED)


def test_each_cited_source_is_told_and_each_other_is_not() -> None:
    references = (_pelican(), repo("gannet", ELSE), repo("osprey", ELSE), _heron())
    report = _compared("Built on Pelican and Osprey. ", *references)
    assert [line.reference for line in _found(report, CITED)] == ["pelican", "osprey"]


def test_a_source_may_be_cited_by_its_package() -> None:
    packed = {f"pelicanlib/{path}": text for path, text in ELSE.items()} | {"pelicanlib/__init__.py": ""}
    report = _compared("Built on pelicanlib.", repo("checkout", packed), _heron())
    assert [line.reference for line in _found(report, CITED)] == ["checkout"]


def test_two_references_of_the_cited_name_are_not_told_apart() -> None:
    assert not _found(_compared("Built on Pelican.", _pelican(), _pelican(FOUR)), CITED)


@pytest.mark.parametrize("path", ["NOTICE", "docs/CREDITS.md", "mine-1.0.dist-info/METADATA"])
def test_notices_and_metadata_cite_as_readmes_do(path: str) -> None:
    report = compare(repo("mine", {**FOUR, path: "Built on Pelican."}), [_pelican(), _heron()])
    (line,) = _found(report, CITED)
    assert line.claim.startswith(f"{path} of the suspect names pelican")


def test_what_the_references_say_of_themselves_cites_nothing() -> None:
    report = compare(repo("mine", FOUR), [_pelican(), _heron({**FOUR, "README.md": "Built on Pelican."})])
    assert not _found(report, CITED)


def test_a_citation_changes_nothing_else() -> None:
    with_it, without = (_compared(readme, _pelican(), _heron()) for readme in ("Built on Pelican.", ""))
    assert [line for line in with_it.evidence if (line.kind, line.name) != CITED] == list(without.evidence)
    for part in ("relation", "strength", "matches", "attribution"):
        assert getattr(with_it, part) == getattr(without, part)


def test_the_fixture_that_credits_another_source_is_told() -> None:
    with ExitStack() as targets:
        suspect, *references = (
            targets.enter_context(open_target(str(FIXTURES / name))) for name in ("rebadged", "original", "cited")
        )
        report = compare(suspect, references)
    (line,) = _found(report, CITED)
    assert line.reference == "cited"
    assert "README.md of the suspect names cited" in line.claim
    assert "original, which it does not name" in line.claim


# --- a source in common --------------------------------------------------------------------------------------


def _third(files: Mapping[str, str]) -> Repo:
    return repo("third", files)


def _common(mine: Mapping[str, str | bytes], *references: Repo) -> list[Evidence]:
    return _found(compare(repo("mine", mine), references), COMMON)


def test_a_file_that_a_third_reference_has_too_points_to_a_source_in_common() -> None:
    third = _third({"schedule.py": ANNEAL, **ELSE})
    for references in ((_heron(), third), (third, _heron())):
        (line,) = _common(FOUR, *references)
        assert line.reference == "third"
        assert line.claim.startswith("anneal.py: 1 function")
        assert "third adds nothing to what heron explains" in line.claim
        assert line.innocent
        assert line.measures["functions"] == 1
        assert float(line.measures["bits"]) > 50
        assert float(line.measures["exclusive_bits"]) < 10


def test_a_source_in_common_explains_no_function_itself() -> None:
    report = compare(repo("mine", FOUR), [_heron(), _third({"schedule.py": ANNEAL, **ELSE})])
    assert {match.reference_name for match in report.matches} == {"heron"}


def test_a_renamed_copy_points_to_the_source_in_common_too() -> None:
    mine = {**FOUR, "anneal.py": ANNEAL.replace("progress", "way").replace("peak", "top").replace("warmup", "ramp")}
    (line,) = _common(mine, _heron(), _third({"schedule.py": ANNEAL, **ELSE}))
    assert line.reference == "third"


def test_two_forks_of_the_source_are_no_sources_in_common() -> None:
    forks = (repo("fork", FOUR), repo("branch", {**FOUR, **ELSE}))
    assert not _common(FOUR, _heron(), *forks)
    edited = {path: text.replace("1.25", "1.5").replace("0.07", "0.08") for path, text in FOUR.items()}
    assert not _common(FOUR, _heron(), repo("fork", edited))


def test_a_fork_of_a_fork_and_a_third_reference_are_told_apart() -> None:
    found = _common(FOUR, _heron(), repo("fork", FOUR), _third({"schedule.py": ANNEAL, **ELSE}))
    assert [line.reference for line in found] == ["third"]


def test_a_reference_with_code_of_its_own_in_the_suspect_is_no_source_in_common() -> None:
    mine = {**FOUR, "beams.py": BEAMS}
    third = _third({"schedule.py": ANNEAL, "beams.py": BEAMS})
    report = compare(repo("mine", mine), [repo("heron", FOUR), third])
    assert {match.reference_name for match in report.matches} == {"heron", "third"}
    assert not _found(report, COMMON)


def test_a_reference_with_nothing_of_the_suspect_is_no_source_in_common() -> None:
    assert not _common(FOUR, _heron(), _third(ELSE))


def test_a_file_that_the_nearest_does_not_have_is_no_source_in_common() -> None:
    nearest = {path: text for path, text in FOUR.items() if path != "anneal.py"}
    assert not _common(FOUR, repo("heron", nearest), _third({"schedule.py": ANNEAL, **ELSE}))


def test_one_reference_alone_has_nothing_in_common_with_another() -> None:
    assert not _common(FOUR, _heron())


def test_every_reference_that_has_the_file_is_told() -> None:
    others: Sequence[Repo] = [repo(name, {"schedule.py": ANNEAL, **ELSE}) for name in ("left", "right")]
    assert [line.reference for line in _common(FOUR, _heron(), *others)] == ["left", "right"]


def test_only_the_first_files_are_named() -> None:
    mine: dict[str, str | bytes] = {**fixture_files("original"), **FOUR}
    (line,) = _common(mine, _heron(mine), _third({**FOUR, **ELSE}))
    assert line.claim.startswith("anneal.py, parse.py, route.py, ...: 4 functions of the suspect")


def test_the_cited_source_may_be_the_one_in_common() -> None:
    report = _compared("Built on Pelican.", _heron(), _pelican({"schedule.py": ANNEAL, **ELSE}))
    assert [line.reference for line in _found(report, CITED)] == ["pelican"]
    assert [line.reference for line in _found(report, COMMON)] == ["pelican"]
