"""Declared reuse as evidence: one status for each reference, what it rests on, and copyright lines that were lost."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from detector.compare import compare
from detector.evidence import declared
from detector.model import Evidence, Exhibit, Relation, Report, Strength
from detector.options import Options
from detector.targets import Change, Commit, Comparison, Head, Repo
from tests.repositories import ANNEAL, BEAMS, PARSE, ROUTE, SPECTRUM, STRANGER, WARP, repo

FOUR = {"warp.py": WARP, "route.py": ROUTE, "parse.py": PARSE, "anneal.py": ANNEAL}
ONLY = Options(jobs=1, kinds=frozenset({"declared"}))
LOSSES = ("licence-header-lost", "licence-file-lost")
HEADER = "# Copyright 2024 The Heron Authors. All rights reserved.\n# SPDX-License-Identifier: Apache-2.0\n"
LICENCE = "Copyright 2024 The Heron Authors\n\nLicensed under the Apache License, Version 2.0.\n"


def _report(mine: Mapping[str, str | bytes], *references: Repo) -> Report:
    return compare(repo("mine", mine), references or [_heron()], ONLY)


def _heron(files: Mapping[str, str | bytes] | None = None) -> Repo:
    return repo("heron", files or {**FOUR, "spectrum.py": SPECTRUM})


def _lines(report: Report, reference: str = "heron") -> dict[str, Evidence]:
    return {line.name: line for line in report.evidence if line.reference == reference}


def _status(report: Report, reference: str = "heron") -> str:
    (status,) = [name for name in _lines(report, reference) if name not in LOSSES]
    return status


def _exhibit(report: Report, name: str) -> Exhibit:
    (found,) = [each for each in report.exhibits if each.name == name]
    return found


# --- one status for each reference ---------------------------------------------------------------------------


def test_code_that_matches_and_is_named_nowhere_is_undeclared() -> None:
    report = _report(FOUR)
    assert _status(report) == "undeclared"
    assert report.relation in (Relation.DERIVED_UNDECLARED, Relation.IDENTICAL)
    assert _lines(report)["undeclared"].measures["functions"] == 4


def test_one_function_is_told_in_the_singular() -> None:
    line = _lines(_report({"warp.py": WARP}))["undeclared"]
    assert line.claim.startswith("1 function matches heron, and nothing ")


def test_code_whose_comments_name_the_source_is_declared_where_it_stands() -> None:
    mine = {path: f"# Adapted from heron.\n{text}" for path, text in FOUR.items()}
    report = _report(mine)
    assert _status(report) == "declared-where-it-stands"
    assert _lines(report)["declared-where-it-stands"].measures["declared_share"] == 1.0
    assert _lines(report)["declared-where-it-stands"].places
    assert report.relation is Relation.DERIVED_DECLARED


def test_other_sources_that_the_suspect_names_are_told_where_it_does_not_name_this_one() -> None:
    readme = "# Mine\n\nThis project is built on [Osprey](https://github.com/osprey-lab/osprey).\n"
    (told,) = _lines(_report({**FOUR, "README.md": readme}))["undeclared"].tested
    assert "github.com/osprey-lab/osprey" in told
    assert "compared as a reference too" in told


def test_comments_beside_a_part_of_the_code_declare_a_part_and_change_no_relation() -> None:
    report = _report({**FOUR, "anneal.py": f"# Copied from heron\n{ANNEAL}"})
    assert _status(report) == "declared-in-part"
    assert 0 < float(_lines(report)["declared-in-part"].measures["declared_share"]) < 0.5
    assert report.relation is not Relation.DERIVED_DECLARED


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("README.md", "Mine is a fork of Heron.\n"),
        ("README.md", "---\nlicense: mit\nbase_model: someone/heron\n---\n# Mine\n"),
        ("README.md", "---\nbase_model:\n  - other/thing\n  - 'someone/heron'\n---\n# Mine\n"),
        ("NOTICE", "This product includes software developed by the Heron project (https://example.org).\n"),
        ("THIRD_PARTY_NOTICES.txt", "This repository contains code from https://github.com/someone/heron.\n"),
        ("CITATION.cff", "title: Mine\nreferences:\n  - type: software\n    title: Heron\n"),
        ("CITATION.cff", 'references:\n  - repository-code: "https://github.com/someone/heron"\n'),
        (".gitmodules", '[submodule "x"]\n\tpath = x\n\turl = https://github.com/someone/heron.git\n'),
        ("adapter_config.json", '{"base_model_name_or_path": "someone/heron"}'),
        ("mine-1.0.dist-info/METADATA", "Name: mine\n\nMine is based on heron.\n"),
    ],
)
def test_a_project_that_names_its_source_anywhere_declares_it_elsewhere(path: str, text: str) -> None:
    mine = {name: code.replace("torch.", "torch . ").replace("0.07", "0.09") for name, code in FOUR.items()}
    report = _report({**mine, path: text})
    assert _status(report) == "declared-elsewhere"
    line = _lines(report)["declared-elsewhere"]
    assert [place[0] for place in line.places][:1] == [path]
    assert line.claim.startswith(f"{path} of the suspect")


@pytest.mark.parametrize(
    "readme",
    [
        "Thanks to the authors of Heron!",
        "Mine is inspired by Heron.",
        "Mine is compatible with heron.",
        "Unlike Heron, it is fast.",
        "Mine is not based on Heron.",
        "## Acknowledgements\n\n- Heron\n",
    ],
)
def test_thanks_and_likenesses_claim_no_descent(readme: str) -> None:
    report = _report({**FOUR, "README.md": readme})
    assert _status(report) == "undeclared"
    line = _lines(report)["undeclared"]
    assert line.measures["mentioning_notes"] == 1
    assert line.claim.endswith("README.md mentions it")


def test_inspiration_in_a_comment_declares_nothing() -> None:
    mine = {path: f"# Inspired by heron\n{text}" for path, text in FOUR.items()}
    assert _status(_report(mine)) == "undeclared"


def test_what_a_program_writes_into_a_configuration_is_listed_and_claims_nothing() -> None:
    report = _report({**FOUR, "config.json": '{"_name_or_path": "someone/heron"}'})
    assert _status(report) == "undeclared"
    (row,) = _exhibit(report, "declarations").rows
    assert row[:4] == ("heron", "config.json", 1, "configuration (written by a program)")


def test_a_source_of_which_nothing_matches_is_told_only_if_it_is_named() -> None:
    nothing = {"paint.py": STRANGER, "beams.py": BEAMS}
    assert not _report(nothing).evidence
    report = _report({**nothing, "README.md": "Built on Heron."})
    assert _status(report) == "declared-elsewhere"
    assert report.relation is Relation.INCONCLUSIVE


def test_declarations_support_nothing_by_themselves() -> None:
    for text in ("", "Built on Heron."):
        report = _report({**FOUR, "README.md": text})
        assert {line.strength for line in report.evidence} == {Strength.NONE}


def test_a_declaration_elsewhere_makes_the_relation_declared() -> None:
    mine = {name: code.replace("0.07", "0.09").replace("1.25", "1.5") for name, code in FOUR.items()}
    mine["beams.py"] = BEAMS
    without, with_it = (_report({**mine, "README.md": text}) for text in ("", "Built on Heron."))
    assert without.relation is Relation.DERIVED_UNDECLARED
    assert with_it.relation is Relation.DERIVED_DECLARED


# --- by which names ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("pyproject.toml", '[project]\nname = "osprey-vl"\n'),
        ("setup.cfg", "[metadata]\nname = osprey_vl\n"),
        ("setup.py", "from setuptools import setup\nsetup(\n    name='osprey-vl',\n)\n"),
        ("README.md", "# Osprey-VL\n\nA model.\n"),
        ("README.md", '<h1 align="center">x</h1>\n\n# **Osprey-VL**: a model\n'),
        ("osprey_vl-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: osprey-vl\n\nText\n"),
        (
            "config.json",
            '{"_name_or_path": "org/osprey-vl"}',
        ),
    ],
)
def test_a_reference_is_known_by_what_its_metadata_calls_it(path: str, text: str) -> None:
    more = {"README.md": 'model = X.from_pretrained("org/osprey-vl")\n'} if path == "config.json" else {}
    reference = repo("original", {**FOUR, path: text, **more})
    report = _report({**FOUR, "README.md": "Based on https://github.com/org/osprey-vl.\n"}, reference)
    assert _status(report, "original") == "declared-elsewhere"


def test_what_a_reference_was_tuned_from_is_not_its_name() -> None:
    card = '---\nbase_model: big/llm\n---\n\nX.from_pretrained("big/llm")\n'
    reference = repo("original", {**FOUR, "config.json": '{"_name_or_path": "big/llm"}', "README.md": card})
    report = _report({**FOUR, "README.md": "Based on https://huggingface.co/big/llm.\n"}, reference)
    assert _status(report, "original") == "undeclared"


@pytest.mark.parametrize("title", ["Introduction", "Model card", "Usage"])
def test_a_heading_that_any_readme_has_is_no_name(title: str) -> None:
    reference = repo("original", {**FOUR, "README.md": f"# {title}\n"})
    report = _report({**FOUR, "README.md": f"Based on the {title} of it.\n"}, reference)
    assert _status(report, "original") == "undeclared"


# --- histories -----------------------------------------------------------------------------------------------


class _Told:
    """A history that is nothing but messages."""

    def __init__(self, *commits: tuple[str, str]) -> None:
        self._commits = [Commit(identity, (), 0, 0, message, ()) for identity, message in commits]

    def commits(self) -> Sequence[Commit]:
        return self._commits

    def skipped(self) -> list[object]:
        return []

    def blob(self, blob: str, most_bytes: int) -> Head | None:
        raise AssertionError("no blob is asked for")


@pytest.mark.parametrize(
    "message",
    [
        "Add pooling\n\nSource: https://github.com/someone/heron\n",
        "Add pooling\n\nCherry-picked-from: heron\n",
        "Merge branch 'main' of https://github.com/someone/heron",
        "Code is adapted from Heron.",
        "Fix\n\n(cherry picked from commit 1234567890abcdef1234567890abcdef12345678)\n",
    ],
)
def test_messages_of_commits_declare(message: str) -> None:
    identity = "1234567890abcdef1234567890abcdef12345678"
    suspect = replace(repo("mine", FOUR), history=_Told(("a" * 40, message)))  # type: ignore[arg-type]
    reference = replace(_heron(), history=_Told((identity, "Begin")))  # type: ignore[arg-type]
    report = compare(suspect, [reference], ONLY)
    assert _status(report) == "declared-elsewhere"
    assert "commit aaaaaaaaaaaa of the suspect names it in its message" in _lines(report)["declared-elsewhere"].claim


def test_who_helped_with_a_commit_is_no_source() -> None:
    suspect = replace(repo("mine", FOUR), history=_Told(("a" * 40, "x\n\nCo-authored-by: heron <a@heron.org>")))  # type: ignore[arg-type]
    assert _status(compare(suspect, [_heron()], ONLY)) == "undeclared"


# --- what is listed ------------------------------------------------------------------------------------------


def test_every_declaration_that_can_be_looked_up_is_listed_with_whom_it_names() -> None:
    mine = {
        **FOUR,
        "README.md": "Built on Heron.\n\nThe tower is based on https://github.com/a/pelican.\n",
        "extra.py": "# Copied from pelican.models.tower.Tower\nx = 1\ny = 'adapted from osprey.models.tower'\n"
        "# computed based on self.config.value and on hope\n",
    }
    rows = _exhibit(_report(mine), "declarations").rows
    assert [(row[0], row[1], row[2], row[5]) for row in rows] == [
        ("heron", "README.md", 1, "Built on Heron"),
        ("", "README.md", 3, "github.com/a/pelican"),
        ("", "extra.py", 1, "pelican.models.tower.Tower"),
    ]


def test_sources_that_were_not_compared_are_counted() -> None:
    report = _report({**FOUR, "extra.py": "# Copied from pelican.models.tower.Tower\nx = 1\n"})
    assert _lines(report)["undeclared"].measures["other_sources"] == 1


# --- headers and licences that were lost ---------------------------------------------------------------------


def _two() -> dict[str, str]:
    """Two functions in one file, so that it counts as taken over."""
    return {"both.py": WARP + ROUTE, "more.py": PARSE + ANNEAL}


def _with_header(files: Mapping[str, str], header: str = HEADER) -> dict[str, str]:
    return {path: header + text for path, text in files.items()}


def test_a_header_that_the_copy_lacks_is_told_with_its_lines() -> None:
    report = _report(_two(), _heron(_with_header(_two())))
    line = _lines(report)["licence-header-lost"]
    assert line.measures["files"] == 2
    assert line.strength is Strength.NONE
    rows = _exhibit(report, "lost-headers").rows
    assert ("both.py", "both.py", 1, 2, "# Copyright 2024 The Heron Authors. All rights reserved.") in rows


@pytest.mark.parametrize(
    "more",
    [
        {"NOTICE": LICENCE},
        {"LICENSE": LICENCE},
        {"third_party/heron/LICENSE.txt": LICENCE},
        {"LICENSES/Apache-2.0.txt": LICENCE},
        {"REUSE.toml": '[[annotations]]\npath = "**"\nSPDX-FileCopyrightText = ["2024 The Heron Authors"]\n'},
        {".reuse/dep5": "Files: *\nCopyright: 2024 The Heron Authors\nLicense: Apache-2.0\n"},
        {"README.md": "# Mine\n\nCopyright (c) 2024 Heron authors\n"},
    ],
)
def test_a_holder_that_the_suspect_names_elsewhere_is_not_lost(more: dict[str, str]) -> None:
    report = _report({**_two(), **more}, _heron({**_with_header(_two()), "LICENSE": LICENCE}))
    assert not set(LOSSES) & set(_lines(report))


def test_a_header_with_another_holder_beside_the_first_is_kept() -> None:
    mine = _with_header(_two(), "# Copyright 2025 Mine\n# Copyright 2024 Heron Authors\n")
    report = _report(mine, _heron(_with_header(_two())))
    assert "licence-header-lost" not in _lines(report)


def test_files_that_have_little_in_common_lose_no_header() -> None:
    reference = _heron({"all.py": HEADER + WARP + ROUTE + PARSE + SPECTRUM})
    report = _report({"mine.py": WARP + BEAMS + STRANGER}, reference)
    assert not set(LOSSES) & set(_lines(report))


def test_a_licence_whose_holder_is_nowhere_is_told() -> None:
    report = _report(_two(), _heron({**_two(), "LICENSE": LICENCE}))
    line = _lines(report)["licence-file-lost"]
    assert "Copyright 2024 The Heron Authors" in line.claim
    assert _exhibit(report, "lost-headers").rows == (("", "LICENSE", 1, 0, "Copyright 2024 The Heron Authors"),)


@pytest.mark.parametrize(
    "licence",
    [
        "Copyright [yyyy] [name of copyright owner]",
        "Copyright (C) 2007 Free Software Foundation, Inc.",
        "The above copyright notice shall be included.\nCopyright holders are not liable.",
        "x" * 100_000,
        "Copyright " + " " * 100_000,
    ],
)
def test_what_a_licence_says_of_nobody_is_no_holder(licence: str) -> None:
    report = _report(_two(), _heron({**_two(), "LICENSE": licence}))
    assert not set(LOSSES) & set(_lines(report))


def test_a_header_that_keeps_the_holder_of_the_reference_declares_the_file() -> None:
    mine = _with_header(_two(), "# Copyright 2024 The Heron Authors.\n")
    reference = _heron({**_two(), "LICENSE": LICENCE})
    assert _status(_report(mine, reference)) == "declared-where-it-stands"
    # One holder on both sides says nothing.
    assert _status(_report({**mine, "LICENSE": LICENCE}, reference)) == "undeclared"


# --- hostile input -------------------------------------------------------------------------------------------

HOSTILE: dict[str, str | bytes] = {
    "README.md": "---\nbase_model: [" + "a," * 50_000 + "\n" + "based on " * 20_000,
    "NOTICE": b"\xff\xfe\x00includes software from " * 5_000,
    "CITATION.cff": "title: " * 50_000,
    ".gitmodules": "url = " * 50_000,
    "pyproject.toml": "[" * 20_000,
    "setup.cfg": "name = " + "x" * 100_000,
    "setup.py": "setup(" * 20_000 + "name='",
    "REUSE.toml": "a = " + "[" * 5_000,
    "config.json": "[" * 100_000,
    "adapter_config.json": json.dumps({"base_model_name_or_path": "\ud800\x1b[31m\u202e" + "x" * 10_000}),
    "LICENSE": "Copyright (c) 20" * 50_000,
    "bad.py": b"# copied from \x00\xff" * 5_000 + b'"""' + b"adapted from " * 20_000,
    "quotes.py": "'''\"\"\"" * 20_000 + "copied from a.b.c",
}


def test_hostile_files_on_either_side_are_read_within_bounds() -> None:
    for suspect, reference in ((HOSTILE, FOUR), (FOUR, HOSTILE), (HOSTILE, HOSTILE)):
        one, other = repo("mine", suspect), repo("heron", reference)
        looks = declared.find(Comparison(one, "mine", {"heron": other}))
        assert [look.examined.is_possible for look in looks] == [True]
        for exhibit in (each for look in looks for each in look.exhibits):
            assert all(len(str(cell)) <= 200 for row in exhibit.rows for cell in row)
            str(exhibit).encode("utf-8")


def test_a_great_many_declarations_are_counted_and_not_all_listed() -> None:
    many = "".join(f"# Copied from pelican.models.tower{number}.Tower\nx = 1\n" for number in range(500))
    exhibit = _exhibit(_report({**FOUR, "many.py": many}), "declarations")
    assert (len(exhibit.rows), exhibit.omitted) == (100, 400)


def test_changes_of_a_commit_say_nothing() -> None:
    commit = Commit("a" * 40, (), 0, 0, "x", (Change("heron.py", "", "b" * 40),))
    history = _Told()
    history._commits.append(commit)
    suspect = replace(repo("mine", FOUR), history=history)  # type: ignore[arg-type]
    assert _status(compare(suspect, [_heron()], ONLY)) == "undeclared"
