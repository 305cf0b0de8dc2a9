"""A pack gives back the corpus that it was made of; whatever else it is made of is refused, or is a sound corpus."""

from __future__ import annotations

import struct
import subprocess
import sys
import zlib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.code.corpus import Corpus, assembled
from detector.index.packing import HEADER, packed, packed_counts, packed_files
from detector.index.unpacking import unpacked, unpacked_counts
from detector.model import Role, Skipped
from tests.index_corpora import ROOT, corpora, read, told

FIXTURE = ROOT / "fixtures" / "original" / "heronvl"


def _bare(corpus: Corpus) -> Corpus:
    return replace(corpus.at("", Role.OWN), files=1, skipped=())


@given(corpora())
def test_a_pack_gives_back_its_corpus(corpus: Corpus) -> None:
    assert told(unpacked(packed(corpus), "", Role.OWN)) == told(corpus)


@given(st.lists(corpora().filter(lambda each: each.wordings is None), min_size=1, max_size=5))
def test_many_files_at_once_give_the_packs_that_each_gives_alone(parts: list[Corpus]) -> None:
    counts = np.array([len(part.spans) for part in parts])
    assert packed_files(assembled(parts), counts) == [packed(part) for part in parts]


def test_the_files_of_a_project_come_back_from_their_packs() -> None:
    parts = [part for _, part in read(FIXTURE).by_file()]
    assert len(parts) > 3
    for part in parts:
        span = part.spans[0]
        assert told(unpacked(packed(part), span.path, span.role)) == told(replace(part, files=1))


def test_a_pack_says_nothing_of_where_its_file_is() -> None:
    _, part = next(read(FIXTURE).by_file())
    assert packed(part.at("elsewhere/x.py", Role.VENDORED)) == packed(part)


def test_the_reason_why_a_file_was_not_read_whole_comes_with_its_corpus() -> None:
    found = unpacked(packed(replace(assembled([]), files=1)), "a.py", Role.OWN, "not text")
    assert found.skipped == (Skipped("a.py", "not text"),)
    assert found.files == 1


def test_the_order_of_the_shingles_of_a_function_is_not_kept_and_its_digest_does_not_need_it() -> None:
    _, part = next(read(FIXTURE).by_file())
    reversed_rows = part.shingles.hashes.copy()
    for begin, end in zip(part.shingles.offsets[:-1], part.shingles.offsets[1:], strict=True):
        reversed_rows[begin:end] = reversed_rows[begin:end][::-1]
    other = replace(part, shingles=replace(part.shingles, hashes=reversed_rows))
    assert packed(other) == packed(part)
    assert [other.digest(j) for j in range(len(other.spans))] == [part.digest(j) for j in range(len(part.spans))]


@given(corpora(), st.data())
def test_a_pack_that_is_cut_or_changed_is_refused_or_is_a_sound_corpus(corpus: Corpus, data: st.DataObject) -> None:
    octets = bytearray(packed(corpus))
    for _ in range(data.draw(st.integers(1, 3))):
        octets[data.draw(st.integers(0, len(octets) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    _is_refused_or_sound(bytes(octets[: data.draw(st.integers(0, len(octets)))]))


@given(corpora(), st.data())
def test_what_is_changed_below_the_compression_is_refused_or_is_a_sound_corpus(
    corpus: Corpus, data: st.DataObject
) -> None:
    octets = packed(corpus)
    version, functions, has_wordings, _, size = HEADER.unpack_from(octets)
    small = bytearray(zlib.decompress(octets[HEADER.size : HEADER.size + size]))
    for _ in range(data.draw(st.integers(1, 4))):
        small[data.draw(st.integers(0, len(small) - 1))] = data.draw(st.integers(0, 255))
    again = zlib.compress(bytes(small))
    header = HEADER.pack(version, functions, has_wordings, len(small), len(again))
    _is_refused_or_sound(header + again + octets[HEADER.size + size :])


def _is_refused_or_sound(octets: bytes) -> None:
    try:
        found = unpacked(octets, "", Role.OWN)
    except ValueError:
        return
    count = len(found.spans)
    assert len(found.calls) == count
    assert len(found.shingles.offsets) == count + 1
    for shingles, functions in found.views:
        assert len(shingles.offsets) == len(functions) + 1
        assert shingles.offsets[-1] == len(shingles.hashes)
        assert all(0 <= function < count for function in functions)
    assert told(unpacked(packed(found), "", Role.OWN)) == told(found)


def test_sizes_that_lie_are_refused_before_anything_is_made_of_them() -> None:
    bomb = zlib.compress(bytes(10_000_000))
    for functions, size, packed_size in (
        (2**32 - 1, 100, 20),
        (0, 2**32 - 1, len(bomb)),
        (0, 10, len(bomb)),
        (0, 0, 9),
    ):
        with pytest.raises(ValueError, match="a pack"):
            unpacked(HEADER.pack(1, functions, 0, size, packed_size) + bomb, "", Role.OWN)


@pytest.mark.parametrize("data", [b"", b"x", bytes(HEADER.size), struct.pack("<B", 2) + bytes(40)])
def test_what_is_no_pack_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="a pack"):
        unpacked(data, "", Role.OWN)


@given(st.dictionaries(st.integers(0, 2**64 - 1), st.integers(0, 2**40 - 1), max_size=9))
def test_counts_of_hashes_come_back(counts: dict[int, int]) -> None:
    values = np.array(sorted(counts), np.uint64)
    found = unpacked_counts(packed_counts(values, np.array([counts[each] for each in sorted(counts)], np.int64)))
    assert dict(zip(*(each.tolist() for each in found), strict=True)) == counts


def test_packing_is_worth_it() -> None:
    corpus = replace(_bare(read(FIXTURE)), wordings=None)
    hashes = len(corpus.shingles.hashes) + sum(len(shingles.hashes) for shingles, _ in corpus.views)
    assert len(packed(corpus)) < 8 * hashes / 2


def test_the_module_needs_no_heavy_library() -> None:
    code = "import sys, detector.index.unpacking, detector.index.packing; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    heavy = {"scipy", "datasketch", "libcst", "networkx", "git", "rich"}
    assert not heavy & {name.partition(".")[0] for name in done.stdout.split()}
