"""The pages in tests/spec: each pair of code has the relation that its page claims."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from detector.code.parse import shingles_of

SPEC = Path(__file__).parent / "spec"
PAGES = sorted(page for page in SPEC.glob("*.md") if page.name != "README.md")
PRELUDE = re.search(r"^```\n(.*?)^```$", (SPEC / "README.md").read_text("utf-8"), re.DOTALL | re.MULTILINE)
_BLOCK = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_RELATION = re.compile(r"^(Same|Different) flow\b", re.MULTILINE)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Pair:
    """Two blocks of code under one heading."""

    name: str
    relations: list[str]
    blocks: list[str]


def _pairs() -> Iterator[Pair]:
    for page in PAGES:
        for section in page.read_text("utf-8").split("\n## ")[1:]:
            title = section.partition("\n")[0]
            prose = _BLOCK.sub("", section)
            yield Pair(f"{page.stem}: {title}", _RELATION.findall(prose), _BLOCK.findall(section))


PAIRS = list(_pairs())


def _outer(body: list[ast.stmt], prefix: str = "") -> Iterator[str]:
    """Qualnames of the functions that stand in no other function."""
    for node in body:
        if isinstance(node, _FUNCTIONS):
            yield prefix + node.name
        elif isinstance(node, ast.ClassDef):
            yield from _outer(node.body, f"{prefix}{node.name}.")


def flows(block: str) -> Counter[frozenset[int]]:
    """The shingle sets of a block's functions."""
    assert PRELUDE is not None
    found = shingles_of((PRELUDE[1] + block).encode())
    return Counter(found[name] for name in _outer(ast.parse(block).body))


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.name)
def test_a_pair_has_the_relation_that_its_page_claims(pair: Pair) -> None:
    left, right = map(flows, pair.blocks)
    assert all([*left, *right]), "a function without shingles proves nothing"
    if pair.relations == ["Same"]:
        assert left == right
    else:
        assert left != right


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.name)
def test_a_pair_is_two_different_blocks_and_one_relation(pair: Pair) -> None:
    assert len(pair.relations) == 1
    assert len(pair.blocks) == 2
    assert pair.blocks[0] != pair.blocks[1]


def test_headings_are_unique_and_every_page_shows_both_relations() -> None:
    assert len({pair.name for pair in PAIRS}) == len(PAIRS)
    for page in PAGES:
        relations = {pair.relations[0] for pair in PAIRS if pair.name.startswith(f"{page.stem}:")}
        assert relations == {"Same", "Different"}, page.name


def test_the_table_of_contents_names_every_page() -> None:
    links = re.findall(r"\[.*?\]\((.*?)\)", (SPEC / "README.md").read_text("utf-8"))
    assert sorted(links) == [page.name for page in PAGES]
