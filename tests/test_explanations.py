"""What the words of a report mean: everything that a report can say is explained, from where it is kept."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from types import ModuleType

import pytest

from detector import cli, explanations
from detector.code.disguises import DISGUISES, VOCABULARY
from detector.code.explain import explain
from detector.code.parse import parse_file
from detector.code.scopes import places
from detector.explanations import KINDS, PARTS, entries, five_parts
from detector.model import Basis, CloneType, Relation, Span, UserError
from detector.patterns import PATTERNS
from detector.settings import CLUSTERS

ROOT = Path(__file__).parent.parent
WIDTH = 100
FORBIDDEN_WORDS = re.compile(r"stolen|guilt|plagiari|\bthie(f|ves)\b|\btheft|\bcheat|culprit", re.IGNORECASE)


# --- one place for each text ---------------------------------------------------------------------------------


def test_every_kind_of_evidence_is_explained_by_the_docstring_of_its_file() -> None:
    files = {path.stem for path in (ROOT / "detector/evidence").glob("*.py")} - {"__init__"}
    assert set(KINDS) == files
    for name, module in KINDS.items():
        text = " ".join(explanations.explain(name, WIDTH).split())
        line, parts = five_parts(module)
        assert list(parts) == list(PARTS)
        for part in (line, *parts.values()):
            assert part in text
            assert part in " ".join((inspect.getdoc(module) or "").split())


def test_a_docstring_without_one_of_the_five_parts_is_a_defect() -> None:
    module = ModuleType("short", "What.\n\nMeasured:  one.\nCopying:   two.\nMisses:    three.\nSources:   four.\n")
    with pytest.raises(ValueError, match="Innocent"):
        five_parts(module)


def test_every_pattern_has_the_claim_and_the_innocent_explanation_of_the_ledger() -> None:
    patterns = {name for name, entry in entries().items() if entry.sort == "pattern"}
    assert patterns == set(PATTERNS)
    assert {name.partition("/")[0] for name in patterns} <= set(KINDS)
    for name, pattern in PATTERNS.items():
        text = " ".join(explanations.explain(name, WIDTH).split())
        assert pattern.innocent in text
        assert "{" not in text


def test_every_clone_type_relation_and_basis_is_explained() -> None:
    known = entries()
    assert {f"type-{kind.value}" for kind in CloneType} <= set(known)
    assert {relation.value for relation in Relation} <= set(known)
    assert {basis.value for basis in Basis} <= set(known)
    assert all(entry.line for entry in known.values())


def test_names_are_different_whatever_they_name() -> None:
    assert len(list(explanations._entries())) == len(entries())


# --- disguises -----------------------------------------------------------------------------------------------


def test_every_disguise_of_the_vocabulary_is_explained_and_no_other() -> None:
    assert set(DISGUISES) == VOCABULARY
    assert {name for name, entry in entries().items() if entry.sort == "disguise"} == VOCABULARY


def test_a_disguise_is_one_sentence_and_an_example_of_a_few_lines() -> None:
    for name, disguise in DISGUISES.items():
        assert re.fullmatch(r"[A-Z][^.]*\.", disguise.done), name
        for example in (disguise.before, disguise.after):
            assert 1 <= len(example.split("\n")) <= 4, name
            assert max(map(len, example.split("\n"))) < 90, name


def _last_function(path: str, example: str) -> tuple[Span, bytes]:
    if not example.startswith(("def ", "class ")):
        parameters = "" if "a, b = " in example or "a = " in example else ", a, b"
        example = f"def f(x, xs, ys, n, out{parameters}):\n" + "\n".join(f"    {line}" for line in example.split("\n"))
    text = f"import math\nimport torch\nimport torch.nn.functional as F\n\n\n{example}\n".encode()
    name, line = list(places(parse_file(text)[0]))[-1]
    return Span(path, name, line, line), text


@pytest.mark.parametrize("name", sorted(VOCABULARY - {"lifted-out"}))  # it takes two pairs of functions
def test_the_example_of_a_disguise_is_one_that_the_program_tells(name: str) -> None:
    ours, suspect = _last_function("a.py", DISGUISES[name].after)
    theirs, reference = _last_function("b.py", DISGUISES[name].before)
    (found,) = explain([(ours, theirs)], lambda _: suspect, lambda _: reference)
    assert name in found.disguises


# --- asking --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("code", "code"),
        ("Declared", "declared"),
        ("renamed-function", "code/renamed-function"),
        ("code/renamed-function", "code/renamed-function"),
        ("3", "type-3"),
        ("Type 3", "type-3"),
        ("derived_undeclared", "derived-undeclared"),
        ("shared ancestor", "shared-ancestor"),
        (" inlined-temporary ", "inlined-temporary"),
    ],
)
def test_a_word_is_found_however_it_is_spelled(word: str, name: str) -> None:
    assert explanations.explain(word, WIDTH).startswith(f"{name}: ")


def test_an_unknown_word_is_answered_with_those_that_are_alike() -> None:
    with pytest.raises(UserError, match="inlined-temporary"):
        explanations.explain("inlined-temporal", WIDTH)
    with pytest.raises(UserError, match="lists what there is"):
        explanations.explain("xyzzy", WIDTH)


def test_the_command_explains_lists_and_answers_what_is_unknown_in_one_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.run(["explain", "code"]) == 0
    assert "points to copying" in capsys.readouterr().out
    assert cli.run(["explain"]) == 0
    listed = capsys.readouterr().out
    assert all(re.search(rf"^  {re.escape(name)}  +\S", listed, re.MULTILINE) for name in entries())
    assert cli.run(["explain", "renamed-func\x1b[31m"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("detector: ")
    assert err.count("\n") == 1
    assert "\x1b" not in err


@pytest.mark.parametrize("width", [40, 64, 100, 200])
def test_texts_are_as_wide_as_the_terminal_and_lose_no_word(width: int) -> None:
    for name, entry in entries().items():
        text = explanations.explain(name, width)
        assert " ".join(entry.line.split()) in " ".join(text.split())
        is_code = entry.sort == "disguise"
        assert all(len(line) <= max(width, 64) for line in text.splitlines()) or is_code
    assert all(len(line) <= max(width, 80) for line in explanations.overview(width).splitlines())


def test_no_explanation_accuses_anyone() -> None:
    everything = explanations.overview(WIDTH) + "".join(explanations.explain(name, WIDTH) for name in entries())
    assert FORBIDDEN_WORDS.search(everything) is None


def test_words_of_a_report_its_clusters_and_its_tables_are_explained() -> None:
    known = entries()
    assert {"bits", "similarity", "containment", "calibration", "exclusive-bits", *CLUSTERS} <= known.keys()
    for name in CLUSTERS:
        assert all(kind in known[name].line for kind in CLUSTERS[name])
    assert explanations.explain("tokenizer/changed-tokens", 80) == explanations.explain("tokenizer", 80)
    with pytest.raises(UserError):
        explanations.explain("nothing/changed-tokens", 80)
