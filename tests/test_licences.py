"""Licences as expressions, and what the table says of two of them."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib import resources
from itertools import product

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from detector.artifacts.licences import compatibility, terms
from detector.artifacts.licences.compatibility import VERDICTS, find, table
from detector.artifacts.licences.expressions import (
    Several,
    defined,
    ids,
    kept,
    meant,
    narrowest,
    spellings,
    tree,
    written,
)

IDS = (
    "MIT",
    "Apache-2.0",
    "BSD-3-Clause",
    "GPL-2.0-only",
    "GPL-3.0-or-later",
    "MPL-2.0",
    "LicenseRef-llama3",
    "CC0-1.0",
)
BOTH_GPL3 = {"GPL-3.0-only", "GPL-3.0-or-later"}


# --- spellings ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        ("MIT", "MIT"),
        ("mit", "MIT"),
        ("The MIT License (MIT)", "MIT"),
        ("License :: OSI Approved :: MIT License", "MIT"),
        ("Apache 2.0", "Apache-2.0"),
        ("Apache License, Version 2.0", "Apache-2.0"),
        ("Apache Software License 2.0", "Apache-2.0"),
        ("apache-2.0", "Apache-2.0"),
        ("Apache 2.0: http://www.apache.org/licenses/LICENSE-2.0", "Apache-2.0"),
        ("BSD 3-Clause License", "BSD-3-Clause"),
        ('BSD 3-Clause "New" or "Revised" License', "BSD-3-Clause"),
        ("New BSD", "BSD-3-Clause"),
        ("License :: OSI Approved :: GNU General Public License v3 or later (GPLv3+)", "GPL-3.0-or-later"),
        ("GPLv2+", "GPL-2.0-or-later"),
        ("Mozilla Public License 2.0 (MPL 2.0)", "MPL-2.0"),
        ("cc-by-nc-4.0", "CC-BY-NC-4.0"),
        ("llama3", "LicenseRef-llama3"),
        ("openrail", "LicenseRef-openrail"),
        ("openrail++", "LicenseRef-openrail-plus-plus"),
        ("LicenseRef-of-ours", "LicenseRef-of-ours"),
        ("zpl-2.0", "ZPL-2.0"),  # not in the plain table: the library knows it
        ("mit or apache 2.0", "Apache-2.0 OR MIT"),
        ("MIT AND (Apache-2.0 OR BSD-3-Clause)", "(Apache-2.0 OR BSD-3-Clause) AND MIT"),
        ("MIT OR Apache-2.0 AND BSD-3-Clause", "(Apache-2.0 AND BSD-3-Clause) OR MIT"),
        ("GPL-2.0+ WITH Classpath-exception-2.0", "GPL-2.0-or-later WITH Classpath-exception-2.0"),
        ("MIT AND MIT", "MIT"),
        ("MIT AND Own-1.0", "LicenseRef-Own-1.0 AND MIT"),
    ],
)
def test_a_licence_is_known_by_the_spellings_of_the_wild(text: str, expression: str) -> None:
    assert meant(text) == {expression}


@pytest.mark.parametrize(
    "text", ["Apache", "BSD", "GPL", "License :: OSI Approved :: Apache Software License", "gpl-3.0"]
)
def test_a_spelling_that_leaves_something_open_is_not_guessed(text: str) -> None:
    assert len(meant(text)) > 1


@pytest.mark.parametrize(
    "text",
    ["", "other", "UNKNOWN", "foo", "some licence", "MIT OR", "(((", "OR", "mit) or (mit", "MIT WITH", "COPYRIGHT"],
)
def test_what_is_known_under_no_name_means_nothing(text: str) -> None:
    assert meant(text) == frozenset()


def test_an_unknown_name_is_kept_as_a_reference_and_nothing_as_nothing() -> None:
    assert kept("Our Own License v2!") == "LicenseRef-Our-Own-License-v2"
    assert [kept(text) for text in ("", "UNKNOWN", "other", "???")] == [""] * 4


def test_the_deprecated_identifier_is_that_version_only_where_spdx_defines_it() -> None:
    assert meant("GPL-3.0") == BOTH_GPL3
    assert defined("GPL-3.0") == "GPL-3.0-only"
    assert defined("Apache") == ""


def test_every_spelling_of_the_table_means_expressions_that_are_their_own_trees() -> None:
    names = {name for each in spellings().values() for name in each}
    assert len(names) > 60
    for name in names:
        found = tree(name)
        assert found is not None
        assert written(found) == name


def test_expressions_of_any_size_and_depth_are_read_or_refused() -> None:
    assert meant("(" * 5_000 + "MIT" + ")" * 5_000) == frozenset()
    assert meant(" AND ".join(["MIT"] * 5_000)) == frozenset()
    assert tree("(" * 30 + "MIT" + ")" * 30) is None
    assert find("MIT", " OR ".join(f"LicenseRef-{number}" for number in range(100))).verdict == "unknown"


def _expressions() -> st.SearchStrategy[str]:
    leaves = st.sampled_from(IDS)
    return st.recursive(
        leaves,
        lambda inner: st.builds(
            lambda parts, operator: f"({f' {operator} '.join(parts)})",
            st.lists(inner, min_size=2, max_size=3),
            st.sampled_from(("AND", "OR")),
        ),
        max_leaves=8,
    )


@given(_expressions())
def test_a_written_expression_is_read_back_the_same(text: str) -> None:
    (found,) = meant(text)
    parsed = tree(found)
    assert parsed is not None
    assert written(parsed) == found
    assert set(ids(parsed)) == {each for each in IDS if each in text.replace("(", " ").replace(")", " ").split()}


@given(st.text(max_size=200) | st.text(alphabet="()+-. ANDORWITHMIabc", max_size=60))
@example("()")
def test_no_text_keeps_an_expression_from_being_read(text: str) -> None:
    for each in meant(text):
        parsed = tree(each)
        assert parsed is not None
        assert tree(written(parsed)) is not None
    assert compatibility.terms(text, text).verdict in VERDICTS


# --- the table ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reference", "suspect", "verdict"),
    [
        ("MIT", "MIT", "same"),
        ("CC0-1.0", "GPL-2.0-only", "compatible"),
        ("MIT", "Apache-2.0", "with-conditions"),
        ("MIT", "LicenseRef-Proprietary", "with-conditions"),
        ("MIT", "", "with-conditions"),
        ("Apache-2.0", "MIT", "with-conditions"),
        ("Apache-2.0", "GPL-3.0-only", "with-conditions"),
        ("Apache-2.0", "GPL-2.0-only", "conflicting"),
        ("Apache-2.0", "GPL-2.0-or-later", "with-conditions"),
        ("Apache-2.0", "LGPL-2.1-only", "unknown"),
        ("Apache-2.0", "GPL-1.0-only", "unknown"),
        ("Apache-2.0", "LGPL-2.0-or-later", "unknown"),
        ("BSD-4-Clause", "GPL-2.0-only", "conflicting"),
        ("BSD-4-Clause", "AGPL-3.0-only", "conflicting"),
        ("BSD-4-Clause", "LGPL-2.1-only", "unknown"),
        ("BSD-4-Clause", "AGPL-1.0-only", "unknown"),
        ("GPL-3.0-only", "MIT", "conflicting"),
        ("GPL-3.0-only", "LicenseRef-gemma", "conflicting"),
        ("LGPL-2.1-or-later", "LicenseRef-gemma", "conflicting"),
        ("GPL-3.0-only", "", "unknown"),
        ("GPL-2.0-only", "GPL-3.0-or-later", "conflicting"),
        ("GPL-2.0-or-later", "GPL-3.0-or-later", "with-conditions"),
        ("GPL-3.0-or-later", "AGPL-3.0-only", "with-conditions"),
        ("AGPL-3.0-only", "GPL-2.0-only", "conflicting"),
        ("LGPL-2.1-only", "GPL-3.0-only", "with-conditions"),
        ("LGPL-3.0-only", "MIT", "conflicting"),
        ("MPL-2.0", "MIT", "with-conditions"),
        ("MPL-2.0", "AGPL-3.0-only", "with-conditions"),
        ("MPL-2.0", "LGPL-2.0-only", "unknown"),
        ("CC-BY-SA-4.0", "GPL-3.0-only", "with-conditions"),
        ("CC-BY-SA-4.0", "GPL-2.0-or-later", "with-conditions"),
        ("CC-BY-SA-4.0", "GPL-2.0-only", "conflicting"),
        ("CC-BY-SA-4.0", "MIT", "conflicting"),
        ("CC-BY-NC-4.0", "Apache-2.0", "conflicting"),
        ("LicenseRef-llama3", "Apache-2.0", "conflicting"),
        ("LicenseRef-openrail", "MIT", "unknown"),
        ("LicenseRef-creativeml-openrail-m", "Apache-2.0", "unknown"),
        ("LicenseRef-creativeml-openrail-m", "LicenseRef-creativeml-openrail-m", "same"),
        ("LicenseRef-gemma", "LicenseRef-gemma", "same"),
        ("EPL-2.0", "MIT", "unknown"),
        ("", "MIT", "unknown"),
    ],
)
def test_the_table_says_what_its_sources_say(reference: str, suspect: str, verdict: str) -> None:
    assert terms(suspect, reference).verdict == verdict


WHOLE = "put the whole under the same licence"
LIBRARY = "put the library under the same licence"


@pytest.mark.parametrize(
    ("reference", "suspect", "asked", "not_asked"),
    [
        # section 13: either part stays under its own licence
        ("GPL-3.0-only", "AGPL-3.0-only", "what was copied stays under the GPL", WHOLE),
        ("GPL-2.0-or-later", "AGPL-3.0-only", "what was copied stays under the GPL", WHOLE),
        ("AGPL-3.0-only", "GPL-3.0-only", "what was copied stays under the AGPL", WHOLE),
        ("GPL-3.0-only", "GPL-3.0-or-later", WHOLE, "what was copied stays under the GPL"),
        # once the copy is under the GPL, the LGPL asks for nothing
        ("LGPL-2.1-only", "GPL-2.0-only", "put the copy under the GPL", LIBRARY),
        ("LGPL-3.0-only", "GPL-3.0-only", "put the copy under the GPL", LIBRARY),
        ("LGPL-3.0-only", "GPL-2.0-or-later", "put the copy under the GPL", LIBRARY),
        ("LGPL-2.1-only", "LGPL-2.1-or-later", LIBRARY, "put the copy under the GPL"),
        (
            "GPL-2.0-or-later",
            "LGPL-3.0-only",
            "put the project under version 3 of the GPL",
            "put the project under the GPL",
        ),
        # the only version that Creative Commons lists
        ("CC-BY-SA-4.0", "GPL-3.0-or-later", "take version 3 only of the GPL for the whole", "no commercial use"),
        ("BSD-3-Clause", "MIT", "use no holder's name to endorse", "name the holder in advertising"),
        (
            "BSD-2-Clause",
            "MIT",
            "keep the copyright notice, the conditions and the disclaimer",
            "use no holder's name to endorse",
        ),
        ("ISC", "MIT", "keep the copyright and permission notice", "keep the notice in the source"),
        ("Zlib", "MIT", "mark changes", "keep the copyright and permission notice"),
        ("LicenseRef-llama2", "", "improve no other language model with it", WHOLE),
        (
            "LicenseRef-llama3.1",
            "",
            "ask for a licence above 700 million monthly users",
            "improve no other language model with it",
        ),
        ("LicenseRef-gemma", "", "mark changed files", WHOLE),
    ],
)
def test_the_conditions_are_those_of_the_pair(reference: str, suspect: str, asked: str, not_asked: str) -> None:
    conditions = find(suspect, reference).conditions
    assert asked in conditions
    assert not_asked not in conditions


@pytest.mark.parametrize(
    "name",
    ["LicenseRef-Proprietary", "LicenseRef-ours", "LicenseRef-unrecognised", "DocumentRef-theirs:LicenseRef-ours"],
)
def test_two_licences_of_nobodys_list_are_not_the_same_for_their_name(name: str) -> None:
    assert terms(name, name).verdict == "unknown"


def test_of_a_choice_in_the_reference_the_best_counts_and_of_a_list_the_worst() -> None:
    assert find("GPL-2.0-only", "Apache-2.0 OR MIT").reference == "MIT"
    assert find("GPL-2.0-only", "Apache-2.0 OR MIT").verdict == "with-conditions"
    assert find("GPL-2.0-only", "Apache-2.0 AND MIT").verdict == "conflicting"
    assert find("MIT", "CC0-1.0 AND MIT").verdict == "compatible"


def test_a_choice_in_the_suspect_must_hold_whatever_is_chosen() -> None:
    assert terms("MIT OR GPL-3.0-only", "GPL-3.0-only").verdict == "conflicting"


def test_of_a_suspect_of_several_parts_a_conflict_with_one_of_them_is_not_told_as_one() -> None:
    found = terms("GPL-3.0-only AND MIT", "GPL-3.0-only")
    assert found.verdict == "unknown"
    assert "which part it went into decides" in found.note
    assert terms("LicenseRef-ours AND MIT", "GPL-3.0-only").verdict == "unknown"  # the other part may let it in
    assert terms("Apache-2.0 AND MIT", "GPL-3.0-only").verdict == "conflicting"


def test_an_exception_that_the_table_does_not_know_is_no_conflict() -> None:
    found = terms("MIT", "GPL-2.0-only WITH Classpath-exception-2.0")
    assert found.verdict == "unknown"
    assert "exceptions" in found.note


@given(_expressions(), _expressions())
def test_no_choice_makes_anything_worse_and_nothing_more_makes_it_better(one: str, other: str) -> None:
    for suspect in ("MIT", "GPL-3.0-only"):
        ranks = [find(suspect, each).rank for each in (one, other)]
        chosen, joined = (find(suspect, f"({one}) {operator} ({other})") for operator in ("OR", "AND"))
        # The same licence as here, in the whole, is said so; otherwise the best and the worst of the two.
        assert chosen.rank >= max(ranks) or chosen.verdict == "same"
        assert joined.rank <= min(ranks) or joined.verdict == "same"


def test_every_rule_is_reached_and_names_its_source_and_known_licences() -> None:
    known = {name for each in spellings().values() for name in each} | {"*", ""}
    pairs = list(product({name for rule in table().rules for name in rule.sources}, known | {""}))
    reached = {
        next((number for number, rule in enumerate(table().rules) if rule.fits(reference, suspect)), -1)
        for reference, suspect in pairs
    }
    assert reached >= set(range(len(table().rules)))
    for rule in table().rules:
        assert rule.sources | rule.into <= known
        assert rule.verdict in VERDICTS
        assert bool(rule.source) == (rule.verdict != "unknown")
        assert bool(rule.because) == (rule.verdict == "conflicting")
        assert all(set(rule.lifts) <= set(table().asks[name]) for name in rule.sources if rule.lifts)


def test_every_source_is_used() -> None:
    given = tomllib.loads(resources.files("detector.artifacts.licences").joinpath("table.toml").read_text("utf-8"))
    assert {row.get("source", "") for row in given["rule"]} | set(given["sections"].values()) == {"", *given["sources"]}


@pytest.mark.parametrize("name", sorted(table().sections))
def test_a_source_names_the_licence_that_is_meant(name: str) -> None:
    assert "{" not in terms(name, name).note + terms("MIT", name).note + terms("", name).note


def test_what_a_licence_asks_for_is_told_with_where_it_says_so() -> None:
    assert set(table().asks) <= set(table().sections)
    for name in table().asks:
        note = terms(name, name).note
        assert note.startswith(f"Both sides say {name}, which asks to ")
        assert note.endswith(").")


@pytest.mark.parametrize(("suspect", "reference"), list(product((*IDS, ""), (*IDS, "LicenseRef-ours"))))
def test_a_note_is_one_sentence_that_advises_nothing(suspect: str, reference: str) -> None:
    note = terms(suspect, reference).note
    assert note.endswith(".")
    assert "\n" not in note
    assert not {"may", "must", "legal", "illegal", "violates", "should"} & set(note.replace(",", "").split())


def test_where_no_licence_was_found_it_is_said_and_who_to_ask() -> None:
    assert terms("MIT", "").note == "No licence was found in the reference: ask whoever holds the rights."
    assert "no licence was found" in terms("", "Apache-2.0").note


def test_single_licences_cost_no_library() -> None:
    code = (
        "import sys; from detector.artifacts.licences import of_file, terms;"
        "assert of_file(b'# SPDX-License-Identifier: Apache-2.0') == 'Apache-2.0';"
        "assert of_file(b'# Licensed under the MIT License') == 'MIT';"
        "assert terms('MIT', 'Apache-2.0').verdict == 'with-conditions';"
        "heavy = {'license_expression', 'numpy', 'scipy', 'libcst', 'git', 'rich', 'networkx', 'datasketch'};"
        "sys.exit(len(heavy & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_narrowest_is_of_one_version_alone() -> None:
    assert narrowest(frozenset(BOTH_GPL3)) == "GPL-3.0-only"
    assert narrowest(frozenset({"GPL-2.0-only", "GPL-3.0-or-later"})) == ""
    assert narrowest(frozenset()) == ""


def test_a_tree_keeps_choices_and_lists_apart() -> None:
    found = tree("MIT OR Apache-2.0")
    assert isinstance(found, Several)
    assert found.is_choice
