"""What licence files, headers and projects say of their licence: recognised, unknown, or contradicting."""

from __future__ import annotations

import random
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.artifacts.licences import Licences, of_file, of_project
from detector.artifacts.licences.headers import stated
from detector.artifacts.licences.statements import TEXT
from detector.artifacts.licences.texts import known, recognised
from detector.model import Skipped
from detector.settings.licences import MOST_LICENCE_BYTES
from detector.targets import Head
from tests.repositories import FIXTURES, InMemory, fixture

ROOT = FIXTURES.parent
VENDOR = ROOT / "detector" / "report" / "page" / "vendor"
APACHE = (ROOT / "LICENSE").read_text("utf-8")
MIT = (VENDOR / "dagre" / "LICENSE").read_text("utf-8")
BSD3 = (VENDOR / "highlight.js" / "LICENSE").read_text("utf-8")
METADATA = "Metadata-Version: 2.4\nName: heron\n{}\n\nText\nLicense: GPL-3.0-only\n"


def _of(files: Mapping[str, str | bytes]) -> Licences:
    return of_project(InMemory(files))


def _made(name: str) -> str:
    """A text with all phrases of a licence, between words of nobody's."""
    filler = " ".join(["lorem"] * (known()[name].words // 4))
    return "\n".join(f"{phrase}\n{filler}" for phrase in (*known()[name].needs[:1], *known()[name].has))[:100_000]


# --- licence files --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "name"), [(APACHE, "Apache-2.0"), (MIT, "MIT"), (BSD3, "BSD-3-Clause")])
def test_real_texts_are_recognised_surely_however_they_are_laid_out(text: str, name: str) -> None:
    for laid in (text, text.upper(), " ".join(text.split()), "\n".join(f"# {line}" for line in text.splitlines())):
        (found,) = recognised(laid.encode())
        assert (found.licence, found.share, found.is_sure) == (name, 1.0, True)


@pytest.mark.parametrize("name", list(known()))
def test_a_text_with_the_phrases_of_one_licence_is_that_one(name: str) -> None:
    found = [each.licence for each in recognised(_made(name).encode())]
    assert name in found
    assert len(found) == 1 + (name in ("GPL-2.0", "LicenseRef-openrail-plus-plus") and len(found) > 1)


def test_several_licences_in_one_file_are_all_told() -> None:
    found = recognised(f"{APACHE}\n\n{MIT}\n\n{BSD3}".encode())
    assert [each.licence for each in found] == ["Apache-2.0", "MIT", "BSD-3-Clause"]
    assert all(each.is_sure for each in found)


def test_a_text_with_more_than_the_licence_is_not_sure() -> None:
    (found,) = recognised((MIT + " and one thing more" * 80).encode())
    assert (found.licence, found.share, found.is_sure) == ("MIT", 1.0, False)


@pytest.mark.parametrize("clause", ["for non-commercial purposes only", "No commercial use.", "for research purposes"])
def test_a_permissive_text_with_a_condition_of_its_own_is_not_sure(clause: str) -> None:
    assert not recognised(f"{MIT}\n{clause}".encode())[0].is_sure
    assert not recognised(f"{APACHE}\n{clause}".encode())[0].is_sure


def test_a_text_that_lacks_some_of_the_phrases_is_told_as_like_it() -> None:
    (found,) = recognised(APACHE.replace("January 2004", "").encode())
    assert (found.licence, found.is_sure) == ("Apache-2.0", False)
    assert found.share < 1


@given(st.binary(max_size=3_000))
def test_no_bytes_keep_a_text_from_being_read(data: bytes) -> None:
    assert recognised(data) == ()
    assert of_file(data) == of_file(data)


def test_a_text_of_hostile_size_is_read_up_to_a_bound() -> None:
    assert recognised(b"a " * MOST_LICENCE_BYTES + MIT.encode()) == ()
    assert not recognised(MIT.encode() + b"a " * MOST_LICENCE_BYTES)[0].is_sure
    assert stated("licensed under " * 20_000) == frozenset()


# --- headers --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("head", "expression"),
    [
        ("# SPDX-License-Identifier: Apache-2.0", "Apache-2.0"),
        ("# SPDX-License-Identifier: (MIT OR Apache-2.0)", "Apache-2.0 OR MIT"),
        ("# SPDX-License-Identifier: MIT\n# SPDX-License-Identifier: BSD-3-Clause", "BSD-3-Clause AND MIT"),
        ("# SPDX-License-Identifier: GPL-3.0", "GPL-3.0-only"),
        ("# SPDX-License-Identifier: Own-1.0", "LicenseRef-Own-1.0"),
        (
            '# Licensed under the Apache License, Version 2.0 (the "License");\n# you may not use this file',
            "Apache-2.0",
        ),
        ("#!/usr/bin/env python\n# coding: utf-8\n# Copyright 2024 X\n# License: BSD 3-Clause", "BSD-3-Clause"),
        ('"""A module.\n\nReleased under the MIT License.\n"""\nimport x', "MIT"),
        ("'''MIT License'''", "MIT"),
        ("# This source code is licensed under the MIT license found in the\n# LICENSE file", "MIT"),
        ("# licensed under the CC-BY-NC 4.0 license", "CC-BY-NC-4.0"),
        (
            "# it under the terms of the GNU General Public License as published by\n"
            "# the Free Software Foundation, either version 3 of the License, or\n"
            "# (at your option) any later version.",
            "GPL-3.0-or-later",
        ),
        ("# under the terms of the GNU Lesser General Public License version 2.1 as published by", "LGPL-2.1-only"),
        ("# This Source Code Form is subject to the terms of the Mozilla Public\n# License, v. 2.0.", "MPL-2.0"),
        ("# Licensed under either of Apache License, Version 2.0 or MIT license at your option", "Apache-2.0 OR MIT"),
        ("from __future__ import annotations\n__author__ = 'x'\n\n# License: MIT", "MIT"),
    ],
)
def test_the_head_of_a_file_says_its_licence(head: str, expression: str) -> None:
    assert of_file(f"{head}\n\ndef f():\n    return 1\n".encode()) == expression


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# Copyright 2024 X. All rights reserved.",
        "# Use of this source code is governed by a BSD-style license that can be found in the LICENSE file.",
        "# This is not licensed under the MIT License.",
        "# MIT License\n# License: BSD-3-Clause",  # two that exclude each other
        "x = '''\n# SPDX-License-Identifier: MIT\n'''",  # a text of the code
        "def f():\n    # License: MIT\n    pass",  # below the head
        "def f():\n    '''Licensed under the MIT License.'''",
    ],
)
def test_what_says_no_definite_licence_at_the_head_says_none(text: str) -> None:
    assert of_file(text.encode()) == ""


# --- projects -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "expression"),
    [
        ({"LICENSE": APACHE}, "Apache-2.0"),
        ({"COPYING.txt": MIT}, "MIT"),
        ({"LICENSE": "Licensed under the Apache License, Version 2.0"}, "Apache-2.0"),
        ({"heron-1.dist-info/METADATA": METADATA.format("License-Expression: MIT OR Apache-2.0")}, "Apache-2.0 OR MIT"),
        ({"heron-1.dist-info/METADATA": METADATA.format("License: Apache 2.0 License")}, "Apache-2.0"),
        ({"PKG-INFO": METADATA.format("Classifier: License :: OSI Approved :: MIT License")}, "MIT"),
        ({"pyproject.toml": '[project]\nlicense = "BSD-3-Clause"\n'}, "BSD-3-Clause"),
        ({"pyproject.toml": '[project]\nlicense = {text = "MIT"}\n'}, "MIT"),
        ({"pyproject.toml": '[tool.poetry]\nlicense = "Apache-2.0"\n'}, "Apache-2.0"),
        ({"setup.cfg": "[metadata]\nlicense = ISC\n"}, "ISC"),
        ({"setup.py": "from setuptools import setup\nsetup(name='x', license='MIT')\n"}, "MIT"),
        ({"README.md": "# Heron\n\n## License\n\nThis is released under the MIT License.\n\n## More\n"}, "MIT"),
        ({"README.md": "---\nlicense: apache-2.0\n---\n# Heron\n"}, "Apache-2.0"),
        ({"README.md": "---\nlicense: other\nlicense_name: llama3\n---\n"}, "LicenseRef-llama3"),
        ({"CITATION.cff": "title: x\nlicense: Apache-2.0\n"}, "Apache-2.0"),
        ({"CITATION.cff": "license:\n  - MIT\n  - Apache-2.0\ntitle: x\n"}, "Apache-2.0 OR MIT"),
        ({"REUSE.toml": '[[annotations]]\npath = "**"\nSPDX-License-Identifier = "MPL-2.0"\n'}, "MPL-2.0"),
        ({".reuse/dep5": "Files: *\nCopyright: X\nLicense: MIT\n"}, "MIT"),
        ({"LICENSES/MIT.txt": MIT, "LICENSES/CC0-1.0.txt": "x"}, "CC0-1.0 AND MIT"),
        ({"LICENSE": APACHE, "LICENSE-MIT": MIT}, "Apache-2.0 AND MIT"),
        # the maker says how the two are joined
        (
            {"LICENSE": APACHE, "LICENSE-MIT": MIT, "pyproject.toml": '[project]\nlicense = "MIT OR Apache-2.0"'},
            "Apache-2.0 OR MIT",
        ),
        ({"LICENSE": "Do as we say."}, "LicenseRef-unrecognised"),
        ({"setup.cfg": "license = Our Own License\n"}, "LicenseRef-Our-Own-License"),
        ({"setup.cfg": "license = Apache\n"}, "LicenseRef-Apache"),
        ({"third_party/LICENSE": MIT, "x.py": "# SPDX-License-Identifier: MIT"}, ""),  # others', and of one file
        ({}, ""),
    ],
)
def test_a_project_says_its_licence_in_many_places(files: dict[str, str], expression: str) -> None:
    found = _of(files)
    assert found.expression == expression
    assert found.contradictions == ()


def test_what_is_open_in_one_place_is_settled_by_another() -> None:
    classifier = "Classifier: License :: OSI Approved :: Apache Software License\nLicense: Apache"
    assert _of({"PKG-INFO": METADATA.format(classifier), "LICENSE": APACHE}).expression == "Apache-2.0"
    files = {"LICENSE": _made("GPL-3.0"), "setup.cfg": "license = GPLv3+\n"}
    assert _of(files).expression == "GPL-3.0-or-later"
    assert _of({"LICENSE": _made("GPL-3.0")}).expression == "GPL-3.0-only"


def test_a_statement_that_leaves_something_open_is_told_with_all_that_it_may_mean() -> None:
    (said,) = _of({"PKG-INFO": METADATA.format("License: Apache")}).statements
    assert said.told == "one of Apache-1.0, Apache-1.1, Apache-2.0"
    (said,) = _of(
        {"PKG-INFO": METADATA.format("License: Apache License\n        Version 2.0, January 2004\n")}
    ).statements
    assert said.told == "Apache-2.0"


def test_statements_that_contradict_each_other_are_told_and_the_text_counts() -> None:
    found = _of({"LICENSE": APACHE, "pyproject.toml": '[project]\nlicense = "MIT"\n'})
    assert found.expression == "Apache-2.0"
    (told,) = found.contradictions
    assert told == "LICENSE says Apache-2.0 (licence text), pyproject.toml says MIT (licence expression)"


def test_a_licence_of_the_model_is_no_contradiction_to_that_of_the_code() -> None:
    found = _of({"LICENSE": APACHE, "README.md": "---\nlicense: cc-by-nc-4.0\n---\n# Heron\n"})
    assert (found.expression, found.model, found.contradictions) == ("Apache-2.0", "CC-BY-NC-4.0", ())


def test_a_licence_file_of_the_model_is_not_taken_for_that_of_the_code() -> None:
    found = _of({"LICENSE": APACHE, "MiniCPM Model License.md": _made("LicenseRef-minicpm")})
    assert (found.expression, found.model) == ("Apache-2.0", "LicenseRef-minicpm")


def test_the_lesser_gpl_counts_where_the_gpl_lies_beside_it() -> None:
    assert _of({"COPYING": _made("GPL-3.0"), "COPYING.LESSER": _made("LGPL-3.0")}).expression == "LGPL-3.0-only"


def test_a_notice_lists_the_licences_of_others() -> None:
    assert _of({"NOTICE": MIT, "AUTHORS": "Licensed under the MIT License"}).expression == ""


def test_every_statement_says_where_it_stands() -> None:
    found = _of(
        {"LICENSE": APACHE, "setup.cfg": "license = Apache-2.0\n", "README.md": "# Heron\n\nApache-2.0, see LICENSE.\n"}
    )
    assert {each.path for each in found.statements} == {"LICENSE", "setup.cfg", "README.md"}
    assert all(each.expression == "Apache-2.0" for each in found.statements)


def test_files_of_an_index_say_what_it_recorded() -> None:
    class Known(InMemory):
        licence = "MIT"

    found = of_project(Known({"LICENSE": APACHE}))
    assert (found.expression, [each.where for each in found.statements]) == ("MIT", ["index"])
    Known.licence = ""
    assert of_project(Known({"LICENSE": APACHE})).expression == ""


def test_files_that_cannot_be_read_say_nothing() -> None:
    class Broken(InMemory):
        def head(self, path: str, most_bytes: int) -> Head | Skipped:
            return Skipped(path, "cannot be read")

    assert of_project(Broken({"LICENSE": APACHE, "setup.py": "setup(license='MIT')"})).expression == ""


@pytest.mark.parametrize("seed", range(20))
def test_hostile_files_of_every_kind_are_read(seed: int) -> None:
    draw = random.Random(seed)
    names = ("LICENSE", "COPYING", "setup.py", "setup.cfg", "pyproject.toml", "PKG-INFO", "README.md", "CITATION.cff")
    words = (
        "license",
        ":",
        "=",
        "\n",
        "---\n",
        "[project]\n",
        "MIT",
        " OR ",
        "((",
        '"',
        "'",
        "\x1b[31m",
        "- ",
        "#",
        "\u202e",
        "[",
        "Classifier: License :: ",
    )
    files = {name: "".join(draw.choices(words, k=300)) for name in (*names, "REUSE.toml", ".reuse/dep5")}
    found = _of(files)
    assert len(found.contradictions) <= len(found.statements)
    assert all(character.isprintable() for character in found.expression)


def test_many_licence_files_are_opened_up_to_a_bound() -> None:
    found = _of({f"LICENSE-{number}": MIT for number in range(500)})
    assert 0 < len([each for each in found.statements if each.where == TEXT]) < 100


def test_the_fixtures_say_what_their_files_say() -> None:
    files = {
        path.relative_to(FIXTURES / "original").as_posix(): path.read_bytes()
        for path in (FIXTURES / "original").rglob("*.*")
        if path.suffix in (".md", ".py")
    }
    files["LICENSE"] = (FIXTURES / "original" / "LICENSE").read_bytes()
    assert _of(files).expression == "Apache-2.0"
    assert of_file(files["heronvl/slicing.py"]) == "Apache-2.0"
    assert of_project(fixture("rebadged").files).expression == ""
