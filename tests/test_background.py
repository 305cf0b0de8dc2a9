"""The table of published packages: what it holds, and that looking into it gives what it holds."""

from __future__ import annotations

import hashlib

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from detector.code.background import Background, background

# Of the table that ships with lowering 2; made anew with it by `python -m bench.background`.
CONTENTS = "7295ac34cfaf287ebce26b7223c75441ad5fbead8d9be12c0b281b8cc97613a1"


def test_the_table_holds_what_was_counted() -> None:
    known = background()
    assert hashlib.sha256(known.hashes.astype("<u8").tobytes() + known.counts.tobytes()).hexdigest() == CONTENTS
    assert known.packages == 54
    assert (known.hashes[1:] > known.hashes[:-1]).all()


def test_every_shingle_of_the_table_is_known_and_its_neighbours_are_not() -> None:
    known = background()
    assert (known.frequency(known.hashes) == known.counts).all()
    beside = known.hashes + np.uint64(1)
    beside = beside[~np.isin(beside, known.hashes)]
    assert (known.frequency(beside) == 1).all()


@given(
    st.dictionaries(st.integers(0, 2**64 - 1) | st.integers(0, 50), st.integers(3, 255), max_size=30),
    st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 50), max_size=30),
)
def test_frequencies_are_those_of_a_dictionary(counts: dict[int, int], asked: list[int]) -> None:
    hashes = np.array(sorted(counts), np.uint64)
    table = Background(hashes, np.array([counts[each] for each in sorted(counts)], np.uint8), 54)
    wanted = [*asked, *counts]
    assert table.frequency(np.array(wanted, np.uint64)).tolist() == [counts.get(each, 1) for each in wanted]
