"""What the program says: measured likeness with what else explains it, and nobody is accused or named."""

from __future__ import annotations

import re
import string
import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest

from detector import explanations
from detector.arguments import Kind
from detector.formats import Format, render
from detector.patterns import KINDS, PATTERNS, Pattern
from detector.report import words
from tests.beside import alone, beside
from tests.golden.__main__ import golden
from tests.reports import full

ROOT = Path(__file__).parent.parent
DISTRIBUTION = "ml-plagiarism-detector"
ACCUSING = re.compile(
    r"stolen|\bsteal|guilt|plagiari|\bthie(f|ves)\b|\btheft|\bcheat|culprit|\bfraud|\bcrim(e|inal)|perpetrator|offender",
    re.IGNORECASE,
)
PAGES = sorted(page for page in (ROOT / "docs").rglob("*.md"))
BESIDE = [beside(), alone(), full()]


def _accused(text: str) -> str:
    found = ACCUSING.search(text.replace(DISTRIBUTION, ""))
    return found.group() if found else ""


# --- everything that is printed ---


@pytest.mark.parametrize("form", Format)
def test_no_report_accuses_anyone(form: Format) -> None:
    assert _accused(golden(form).read_text("utf-8")) == ""
    for report in BESIDE:
        assert _accused(render(report, form)) == ""


def test_no_pattern_template_or_word_of_a_report_accuses_anyone() -> None:
    for folder in ("detector.patterns", "detector.report", "detector.report.page"):
        package, _, inner = folder.removeprefix("detector.").partition(".")
        files = resources.files(f"detector.{package}")
        for file in (files / inner if inner else files).iterdir():
            if file.name.endswith((".toml", ".j2", ".json", ".py", ".js", ".css")):
                assert _accused(file.read_text("utf-8")) == "", file.name
    said = [*words.RELATIONS.values(), words.ALONE, *((text, "") for _, text in words.SCALE.values())]
    assert _accused(" ".join(text for pair in said for text in pair)) == ""


def test_no_explanation_accuses_anyone() -> None:
    assert _accused(explanations.overview(100)) == ""
    for name in explanations.entries():
        assert _accused(explanations.explain(name, 100)) == "", name


@pytest.mark.parametrize("command", ["", "compare", "report", "explain", "unrename", *Kind])
def test_no_help_accuses_anyone(command: str) -> None:
    if command in ("code", "traces"):
        pytest.skip("no command of its own")
    arguments = [sys.executable, "-m", "detector", *([command] if command else []), "--help"]
    run = subprocess.run(arguments, capture_output=True, text=True, cwd=ROOT, check=False)
    assert run.returncode == 0, run.stderr
    assert _accused(run.stdout) == ""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_page_accuses_anyone(page: Path) -> None:
    assert _accused(page.read_text("utf-8")) == ""


# --- patterns ---


@pytest.mark.parametrize("name", PATTERNS)
def test_a_pattern_says_all_that_a_stranger_asks(name: str) -> None:
    pattern = PATTERNS[name]
    for part in ("claim", "innocent", "derived", "otherwise", "method", "limits"):
        assert str(getattr(pattern, part)).strip(), part
    assert pattern.derived != pattern.otherwise
    assert pattern.calibration()


@pytest.mark.parametrize("name", PATTERNS)
def test_a_pattern_can_be_filled_in(name: str) -> None:
    """Its places are plain names, and what holds for every case has none."""
    pattern = PATTERNS[name]
    said = {place: "X" for text in (pattern.claim, pattern.derived, pattern.otherwise) for place in _places(text)}
    assert all(place.isidentifier() for place in said)
    for text in (pattern.claim, pattern.derived, pattern.otherwise):
        assert "{" not in text.format_map(said)
    assert not [*_places(pattern.innocent), *_places(pattern.method), *_places(pattern.limits)]


def _places(text: str) -> list[str]:
    return [place for _, place, _, _ in string.Formatter().parse(text) if place is not None]


@pytest.mark.parametrize("name", PATTERNS)
def test_a_pattern_names_no_person(name: str) -> None:
    """An author may be an innocent explanation ("one author on both sides"), never what is found."""
    pattern: Pattern = PATTERNS[name]
    for text in (pattern.claim, pattern.derived, pattern.otherwise):
        assert not re.search(r"\bauthor|\bcommitter\b(?! date)|\bby whom\b|\bwho\b|@", text, re.IGNORECASE), text


def test_every_kind_can_be_typed_explained_and_has_its_patterns() -> None:
    assert [kind.value for kind in Kind] == list(KINDS)
    assert set(KINDS) <= set(explanations.entries())
