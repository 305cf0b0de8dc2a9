"""The independent pairs and their common sources: well-formed, and no wider than a name."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable

import pytest

from bench import background
from bench.null_pairs import ANCESTRIES, PAIRS, Ancestry, ancestry, known

FIELDS = {"suspect", "reference", "source", "why"}
FEWEST_PAIRS = 45
FEWEST_PACKAGES = 40


def _normal(requirements: Iterable[str]) -> set[str]:
    """Source: PEP 503, normalized names."""
    return {re.sub(r"[-_.]+", "-", requirement.partition("==")[0]).lower() for requirement in requirements}


def _packages() -> set[str]:
    return {requirement for one, _, other, _, _ in PAIRS for requirement in (one, other)}


# --- the pairs ---


def test_there_are_enough_pairs_of_enough_packages() -> None:
    assert len(PAIRS) >= FEWEST_PAIRS
    assert len(_normal(_packages())) >= FEWEST_PACKAGES


def test_every_package_has_one_version_and_one_folder() -> None:
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]+==[0-9][0-9a-z.]*", requirement) for requirement in _packages())
    assert len(_normal(_packages())) == len(_packages())
    folders = {(one, folder) for pair in PAIRS for one, folder in (pair[:2], pair[2:4])}
    assert len(folders) == len(_packages())
    assert all(re.fullmatch(r"\w+(/\w+)*", folder) for _, folder in folders)


def test_no_pair_comes_twice_nor_is_a_package_compared_with_itself() -> None:
    both = [frozenset((one, other)) for one, _, other, _, _ in PAIRS]
    assert len(set(both)) == len(both)
    assert all(len(pair) == 2 for pair in both)
    assert all(task for *_, task in PAIRS)


def test_no_pair_has_a_package_of_the_background() -> None:
    assert not _normal(_packages()) & _normal(background.PACKAGES)


# --- the common sources ---


def test_the_common_sources_are_complete_sorted_and_different() -> None:
    tables = tomllib.loads(ANCESTRIES.read_text("utf-8"))["ancestry"]
    assert all(set(table) == FIELDS and all(table.values()) for table in tables)
    sides = [(table["suspect"], table["reference"]) for table in tables]
    assert sides == sorted(sides)
    assert len(set(sides)) == len(sides)
    assert len(known()) == len(tables)


def test_a_common_source_is_sought_in_files_of_two_compared_packages() -> None:
    compared = {frozenset(folder.partition("/")[0] for folder in (one, other)) for _, one, _, other, _ in PAIRS}
    for each in known():
        assert each.suspect < each.reference, each
        folders = frozenset(place.partition("/")[0] for place in (each.suspect, each.reference))
        assert folders in compared, each
        for place in (each.suspect, each.reference):
            assert re.fullmatch(r"(\w+/)+[\w-]+\.py( \w+(\.\w+)*)?", place), place


@pytest.mark.parametrize("each", known(), ids=lambda each: f"{each.suspect} / {each.reference}")
def test_a_common_source_is_found_in_both_directions(each: Ancestry) -> None:
    assert ancestry(each.suspect, each.reference)
    assert ancestry(each.suspect, each.reference) == ancestry(each.reference, each.suspect)


def test_what_lies_within_is_explained_and_the_end_of_a_word_is_kept() -> None:
    each = Ancestry("one/layers.py Block", "two/blocks.py", "a third project", "both say so")
    assert each.explains("one/layers.py Block", "two/blocks.py f")
    assert each.explains("one/layers.py Block.forward", "two/blocks.py Block.forward")
    assert not each.explains("one/layers.py Blocks", "two/blocks.py f")
    assert not each.explains("one/layers.py Block_2.forward", "two/blocks.py f")
    assert not each.explains("one/layers.py", "two/blocks.py f")
    assert not each.explains("two/blocks.py f", "one/layers.py Block")


def test_without_a_known_source_nothing_is_named() -> None:
    first = known()[0]
    assert ancestry(first.suspect, first.suspect) == ""
    assert ancestry("one/layers.py Block", "two/blocks.py f") == ""
