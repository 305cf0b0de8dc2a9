"""What a suspect says of its own sources: in comments and docstrings, by name."""

from __future__ import annotations

import ast
import textwrap

import pytest

from detector.artifacts.credits.claims import claims
from detector.artifacts.credits.naming import is_named, names_of
from detector.declaring import declares
from detector.model import Span
from tests.repositories import repo

HERON = frozenset({"heron-vl", "heronvl"})


def _declared(text: str, names: frozenset[str] = HERON) -> list[str]:
    """The functions of a text that are declared, by name."""
    data = textwrap.dedent(text).encode()
    spans = [
        Span("a.py", node.name, node.lineno, node.end_lineno or node.lineno)
        for node in ast.walk(ast.parse(data))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    answers = declares(spans, {"a.py": data}.__getitem__, names)
    return sorted(span.qualname for span, answer in zip(spans, answers, strict=True) if answer)


def _names(name: str, *paths: str) -> frozenset[str]:
    found = repo(name, dict.fromkeys(paths, ""))
    return names_of(found).names


# --- where it stands -----------------------------------------------------------------------------------------


def test_a_comment_above_a_function_declares_that_function() -> None:
    text = """
        import torch

        def before(x):
            return x

        # Copied from heronvl.pool.gather
        def gather(x):
            return x

        def after(x):
            return x
    """
    assert _declared(text) == ["gather"]


def test_a_comment_above_the_first_function_declares_it_alone() -> None:
    text = """
        import torch

        # Copied from heronvl.pool.gather
        def gather(x):
            return x

        def after(x):
            return x
    """
    assert _declared(text) == ["gather"]


def test_a_comment_above_a_class_declares_its_methods_and_what_they_hold() -> None:
    text = """
        # Adapted from heronvl
        class Pool:
            def gather(self, x):
                def inner(y):
                    return y
                return inner(x)

        class Other:
            def gather(self, x):
                return x

        def free(x):
            return x
    """
    assert _declared(text) == ["gather", "inner"]


def test_a_comment_above_a_decorator_counts() -> None:
    text = """
        def before(x):
            return x

        # Copied from heronvl.pool.gather
        @torch.no_grad()
        @cached
        def gather(x):
            return x
    """
    assert _declared(text) == ["gather"]


def test_a_comment_below_a_decorator_counts() -> None:
    text = """
        def before(x):
            return x

        @torch.no_grad()
        # Copied from heronvl.pool.gather
        def gather(x):
            return x
    """
    assert _declared(text) == ["gather"]


@pytest.mark.parametrize(
    "head",
    [
        "# This file is adapted from heronvl.\n\nimport torch\n",
        "#!/usr/bin/env python\n# Licence: Apache-2.0\n#\n# Modified by us, derived from heronvl\n\nimport torch\n",
        '"""Pooling, based on the code of Heron-VL."""\nimport torch\n',
        "import torch\n# Code in this file was taken from https://github.com/someone/heronvl/tree/main\n\nx = 1\n",
    ],
)
def test_a_notice_at_the_head_declares_the_whole_file(head: str) -> None:
    text = head + "\n\ndef one(x):\n    return x\n\n\nclass Two:\n    def three(self):\n        return 3\n"
    assert _declared(text) == ["one", "three"]


def test_a_docstring_declares_its_function_or_class() -> None:
    text = '''
        def one(x):
            """Pool rows.

            Adapted from heronvl.pool.
            """
            return x

        class Two:
            """Ported from Heron-VL."""

            def three(self):
                return 3

        def four(x):
            return x
    '''
    assert _declared(text) == ["one", "three"]


def test_a_comment_further_down_is_no_notice_about_the_file() -> None:
    text = """
        def one(x):
            return x

        # The next table is copied from heronvl.

        TABLE = [1, 2]

        def two(x):
            return x
    """
    assert _declared(text) == []


def test_async_functions_are_declared_too() -> None:
    assert _declared("x = 1\n\n# copied from heronvl\nasync def one(x):\n    return x\n") == ["one"]


@pytest.mark.parametrize("separator", ["\x0c", "\x1c", "\u2028", "\x85"])
def test_other_separators_do_not_shift_the_lines(separator: str) -> None:
    head = f"import torch\n# {separator}\n\ndef one(x):\n    return x\n"
    assert _declared(head + "\n# Copied from heronvl\ndef two(x):\n    return x\n") == ["two"]


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_every_kind_of_line_ending_is_read(newline: str) -> None:
    text = "def one(x):\n    return x\n\n# Copied from heronvl\ndef two(x):\n    return x\n"
    data = text.replace("\n", newline).encode()
    spans = [Span("a.py", "one", 1, 2), Span("a.py", "two", 5, 6)]
    assert declares(spans, {"a.py": data}.__getitem__, HERON) == [False, True]


def test_a_file_that_does_not_parse_is_read_as_far_as_it_does() -> None:
    data = b"# adapted from heronvl\n\ndef one(x):\n    return x\n\ndef broken(:\n"
    assert declares([Span("a.py", "one", 3, 4)], {"a.py": data}.__getitem__, HERON) == [True]


def test_each_function_is_answered_in_the_order_asked() -> None:
    latin = "# -*- coding: latin-1 -*-\n# \xe4hnlich, copied from heronvl\n\nx = 1\ndef three(x):\n    return x\n"
    files = {
        "b.py": b"x = 1\n# copied from heronvl\ndef one(x):\n    return x\n",
        "a.py": b"def two(x):\n    return x\n",
        "latin.py": latin.encode("latin-1"),
    }
    spans = [Span("b.py", "one", 3, 4), Span("a.py", "two", 1, 2), Span("latin.py", "three", 5, 6)]
    assert declares(spans, files.__getitem__, HERON) == [True, False, True]
    assert declares(spans[::-1], files.__getitem__, HERON) == [True, False, True]
    assert declares([], files.__getitem__, HERON) == []


# --- how it is said ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "comment",
    [
        "Copied from heronvl.resampler.Resampler with Heron->Kestrel",
        "copied from heronvl",
        "Adapted from https://github.com/someone/heronvl/blob/main/heronvl/pool.py#L10-L20",
        "adapted from https://github.com/someone/heron-vl.git",
        "This is a modified version of Heron_VL.",
        "Taken with small changes from Heron-VL (Apache-2.0)",
        "Borrowed from the heronvl code base",
        "Based on heronvl==1.2",
        "Ported to jax from heronvl",
        "Derived from `heronvl.pool`",
        "Adapted from\n# https://github.com/someone/heronvl/blob/main/pool.py",
    ],
)
def test_the_usual_ways_to_credit_count(comment: str) -> None:
    assert _declared(f"x = 1\n\n# {comment}\ndef one(x):\n    return x\n") == ["one"]


@pytest.mark.parametrize(
    "comment",
    [
        "Copied from pelican.resampler.Resampler",
        "Copied from transformers.models.bert.modeling_bert.BertSelfOutput",
        "Adapted from https://github.com/someone/heronvl2",
        "heronvl",
        "See heronvl for details, and the paper.",
        "Unlike in heronvl, rows come first.",
        "Not copied from heronvl.",
        "This isn't copied from heronvl.",
        "Heronvl copied this from nobody.",
        "Based on the heron paper",
        "copyright heronvl",
    ],
)
def test_other_sources_and_other_words_do_not_count(comment: str) -> None:
    assert _declared(f"x = 1\n\n# {comment}\ndef one(x):\n    return x\n") == []


def test_a_denial_is_no_declaration() -> None:
    text = '''
        def one(x):
            """Written without code copied from any project, heronvl included."""
            return x
    '''
    assert _declared(text) == []


def test_strings_in_code_do_not_count() -> None:
    text = '''
        NOTE = "copied from heronvl"

        def one(x):
            print("this was copied from heronvl")
            y = """
            # adapted from heronvl
            """
            return x, y
    '''
    assert _declared(text) == []


def test_a_string_that_looks_like_comments_does_not_count() -> None:
    text = 'TEMPLATE = """\n# adapted from heronvl\n"""\n\n\ndef one(x):\n    return x\n'
    assert _declared(text) == []


# --- by which names ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "name"),
    [
        ("heronvl", "heronvl"),
        ("Heron_VL", "heron-vl"),
        ("heron.vl", "heron-vl"),
        ("heron-vl-1.0", "heron-vl"),
        ("heron-vl-1.0.2rc1", "heron-vl"),
        ("heronvl==2.1", "heronvl"),
        ("heronvl@main", "heronvl"),
        ("someone/heronvl", "heronvl"),
        ("pypi:heronvl", "heronvl"),
        ("heronvl.git", "heronvl"),
        ("heronvl.py", "heronvl"),
        ("heronvl.zip", "heronvl"),
        ("gpt-2", "gpt-2"),
    ],
)
def test_a_reference_is_called_by_its_name_without_version_owner_and_case(target: str, name: str) -> None:
    assert _names(target) == {name}


def test_a_reference_is_called_by_its_packages_too() -> None:
    assert _names("heron", "heronvl/__init__.py", "heronvl/pool.py", "setup.py") == {"heron", "heronvl"}


def test_packages_below_src_are_names_and_src_is_not() -> None:
    assert _names("heron", "src/heron_core/__init__.py", "src/heron_core/deep/__init__.py") == {"heron", "heron-core"}


@pytest.mark.parametrize("folder", ["models", "src", "tests", "utils", "tools", "scripts", "examples", "core", "data"])
def test_folders_that_anybody_has_name_nobody(folder: str) -> None:
    assert _names("heron", f"{folder}/__init__.py", f"{folder}/bert.py") == {"heron"}


def test_very_short_names_name_nobody() -> None:
    assert _names("vl", "nn/__init__.py") == frozenset()


def test_without_a_name_nothing_is_declared() -> None:
    assert _declared("x = 1\n\n# Copied from heronvl\ndef one(x):\n    return x\n", frozenset()) == []


# --- what READMEs and notices say ----------------------------------------------------------------------------


def _cited(text: str | bytes, names: frozenset[str] = HERON) -> bool:
    read = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return any(is_named(claim.source, names) for claim in claims(read))


@pytest.mark.parametrize(
    "text",
    [
        "Built on HeronVL.",
        "# Kestrel\n\nOur model is built on top of Heron-VL and trained from scratch.\n",
        "It is built on the ideas and the code base of [Heron-VL](https://example.org/x).",
        "It is built on the ideas and the code base of\n[the Heron](https://example.org/someone/heronvl) project.",
        "based on heronvl",
        "A fork of heron_vl",
        "- [HeronVL](https://example.org/x): the codebase we built upon. Thanks to its authors.",
        "- HeronVL: the codebase we built upon, and our base model Pelican-13B!",
        "* [HeronVL](https://example.org/x), the repository our work is based on.",
        "Kestrel is built with reference to the code of the following projects: Pelican, [HeronVL](https://example.org/x).",
        "The tokenizer code is an adaptation of HeronVL.",
        "Forked from https://github.com/someone/heronvl.git",
        "Kestrel extends HeronVL by a larger tower.",
        "An extension of heronvl==1.2 to video",
        "Building upon `heronvl`, we train longer.",
        "This product contains code that was adapted from HeronVL (Apache-2.0).",
        "Portions of this file are derived from heronvl.pool.",
        "We took no shortcuts. The code is modified from HeronVL.",
        "built on\n[HeronVL](https://example.org/x)",
        "> built on\n> [HeronVL](https://example.org/x)",
        "**Based** _on_ the **HeronVL** code.",
        "Based on Pelican and HeronVL.",
        "Based on Pelican (MIT), Osprey (Apache-2.0), and HeronVL.",
        "Based on Pelican 2.1 and on heronvl.pool v1.0",
        "Based on several projects, e.g. HeronVL.",
        "Built on the work of Pel et al. (HeronVL).",
        "Built on Pelican &amp; HeronVL.",
        "Based on https://example.org/not-a-team/heronvl",
        "It is forked without changes from HeronVL.",
        "Portions are copied, adapted and partly derived from HeronVL.",
        "We forked HeronVL.",
        "We modified the original HeronVL to read video.",
        "Kestrel is fast, extending HeronVL.",
        "This extends on Pelican and HeronVL.",
        "This borrows its tower from HeronVL.",
        "Unlike Pelican, this is built on HeronVL.",
        "It outperforms Pelican and is based on HeronVL.",
        "This is no fork but is based on HeronVL.",
        "Not based on Pelican but on HeronVL.",
        "Not only based on Pelican but also on HeronVL.",
        "It is not affiliated with Pelican and is based on HeronVL.",
        "It is not finished, based on HeronVL.",
    ],
)
def test_a_readme_that_names_what_it_builds_on_cites_it(text: str) -> None:
    assert _cited(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "heronvl",
        "See heronvl for the paper.",
        "We compare with HeronVL and win.",
        "Thanks to the authors of HeronVL.",
        "Unlike heronvl, ours is built on Pelican.",
        "Built on Pelican.\n\nHeronVL is a competitor.",
        "Based on the heron paper",
        "based on heronvl2",
        "This job builds heronvl wheels.",
        "This job builds heronvl wheels on Linux.",
        "Building heronvl from source",
        "The extension installs heronvl.",
        "An extension for HeronVL",
        "A demo is built with HeronVL.",
        "A model that HeronVL is based on.",
        "HeronVL: not the codebase we built upon.",
        "HeronVL: the codebase that others built upon.",
        "Low-rank adaptation of HeronVL is out of scope.",
        "Adopted by HeronVL, copied by HeronVL from us.",
        "Ported to HeronVL.",
        "Summary: Kestrel, built on Pelican\nHome-page: https://example.org/heronvl\nRequires-Dist: heronvl",
    ],
)
def test_a_readme_that_only_mentions_a_project_does_not_cite_it(text: str) -> None:
    assert not _cited(text)


@pytest.mark.parametrize(
    "text",
    [
        "Not based on HeronVL.",
        "This is not a fork of HeronVL.",
        "Never built on heronvl",
        "Written without code copied from heronvl",
        "No code was taken from HeronVL",
        "This project was not derived from HeronVL or any other.",
        "It is not derived from, based on, or affiliated with HeronVL.",
        "No code was copied, adapted or otherwise taken from HeronVL.",
        "It is neither a fork of HeronVL nor based on HeronVL.",
        "None of the code in this repository is copied from HeronVL.",
        "It is based not on HeronVL.",
        "Rather than building on HeronVL, we start anew.",
        "Unlike the many models that are based on HeronVL, it is fast.",
        "Unlike other libraries, which are mainly based on HeronVL, it is fast.",
        "It outperforms all models based on HeronVL.",
        "Kestrel compares well with forks of HeronVL.",
    ],
)
def test_a_denial_is_no_citation(text: str) -> None:
    assert not _cited(text)


def test_a_denial_of_one_source_does_not_hide_another_claim() -> None:
    assert _cited("Not based on Pelican.\n\nIt is rather a fork of another one:\n\nbuilt on HeronVL.")
    assert not _cited("Built on Pelican.\n\n\nNot based on HeronVL.")


@pytest.mark.parametrize(
    "text", ["Not based on Pelican. Built on HeronVL.", "Not based on Pelican.\nBuilt on HeronVL."]
)
def test_a_claim_right_behind_a_denial_counts(text: str) -> None:
    assert _cited(text)


@pytest.mark.parametrize(
    "text",
    [
        "Built on Pelican. It beats HeronVL by three points.",
        "Built on Pelican.\nIt beats HeronVL by three points.",
        "Based on Pelican, unlike HeronVL.",
        "Based on Pelican, not HeronVL.",
        "Based on Pelican (not HeronVL).",
        "Based on Pelican rather than HeronVL.",
        "Based on Pelican, which is better than HeronVL.",
        "Based on Pelican instead of HeronVL.",
        "Based on Pelican but faster than HeronVL.",
        "Based on Pelican and compared with HeronVL.",
        "Based on Pelican, our model outperforms HeronVL.",
        "Based on Pelican, HeronVL is a fast model.",
        "Based on Pelican and trained on HeronVL data.",
        "Built on Pelican, making it easy to load HeronVL.",
        "Built on Pelican and compatible with HeronVL.",
        "Built on Pelican! HeronVL is a competitor.",
        "Built on Pelican; HeronVL is a competitor.",
        'It is "built on Pelican." HeronVL is a competitor.',
        "Built on Pelican 2.0. HeronVL is a competitor.",
        "* built on Pelican\n* HeronVL is a competitor",
        "1. built on Pelican\n2. HeronVL is a competitor",
        "## Built on Pelican\nHeronVL is a competitor.",
        "Built on Pelican\n================\nHeronVL is a competitor.",
        "| built on Pelican |\n| HeronVL |",
        "<p>Built on Pelican</p><p>HeronVL is a competitor</p>",
        "Built on Pelican.\r\nHeronVL is a competitor.",
        "We forked Pelican to load HeronVL.",
    ],
)
def test_what_the_next_sentence_mentions_is_not_cited(text: str) -> None:
    assert not _cited(text)


@pytest.mark.parametrize(
    "text", ["It isn't based on HeronVL.", "We haven't forked HeronVL.", "It isn’t built on heronvl"]
)
def test_a_short_denial_is_a_denial(text: str) -> None:
    assert not _cited(text)


@pytest.mark.parametrize(
    "text",
    [
        "This code is based on:\n- Pelican\n- HeronVL",
        "This code is based on the following great projects:\n\n* [Pelican](https://example.org/x), the trainer. And\n"
        "  more.\n\n* [HeronVL](https://example.org/y)\n",
        "## Based on\n\n1. Pelican\n2. HeronVL\n",
        "It is a fork of:\n\nHeronVL",
        "<table><tr><td>Based on</td><td>HeronVL</td></tr></table>",
    ],
)
def test_a_list_completes_the_claim_above_it(text: str) -> None:
    assert _cited(text)


@pytest.mark.parametrize(
    "text",
    [
        "Built on Pelican with these features:\n- loads HeronVL",
        "We took no code; not based on:\n- HeronVL",
        "This code is based on:\n- Pelican\n\nHeronVL is a competitor.",
        "This code is based on:\n- Pelican. HeronVL is a competitor.",
        "This code is based on:\n- Pelican, unlike HeronVL",
        "We tell what it is based on.\n\n- HeronVL is not.",
        "Here is an example taken from the docs:\n\nheronvl --help",
    ],
)
def test_a_list_completes_no_other_claim(text: str) -> None:
    assert not _cited(text)


def test_a_reference_without_a_name_is_never_cited() -> None:
    assert not _cited("built on heronvl", frozenset())


def test_bytes_that_are_no_text_do_not_hide_a_citation() -> None:
    assert _cited(b"\xff\xfe K\xe4strel is based on heronvl \x00")
    assert not _cited("built on heronvl".encode("utf-16"))


@pytest.mark.parametrize(
    "unit",
    [
        "built ",
        "based on heron ",
        "forked heron a b ",
        "copied a b c ",
        "based on:\n- heron\n",
        "not ",
        "of a ",
        "a",
        "an't",
        "heron-1.",
        "heron, ",
        ", a a is",
        ".",
        "?)",
        "&amp;",
        "<p ",
        "*",
        "[heron](",
    ],
)
def test_a_long_readme_is_read_in_linear_time(unit: str) -> None:
    # Seconds at most, where anything quadratic would take hours: no clock is needed to tell.
    assert not _cited("built on heron " + unit * (1_000_000 // len(unit)) + "!")
