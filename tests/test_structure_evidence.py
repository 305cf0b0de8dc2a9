"""Structure: tensors that correspond are found whatever they are called, and what is published counts for nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.independent_models import (
    INDEPENDENT_TENSORS,
    OWN,
    Shape,
    bridge_tensors,
    clip_tensors,
    data_bytes,
    header_file,
    index_file,
    llama_tensors,
    original_llama_tensors,
    renamed_prefixes,
)
from detector.artifacts import lfs_pointer
from detector.artifacts.checkpoints import checkpoint, module_tree, same_modules
from detector.artifacts.checkpoints.checkpoint import Checkpoint
from detector.artifacts.checkpoints.families import registry
from detector.evidence import structure
from detector.model import Evidence, Look, Skipped, Strength
from detector.settings.config import MOST_BRANCHES
from detector.targets import Comparison, Head
from tests.repositories import InMemory, repo

NEW_NAMES = {"llm": "language", "vision": "sight", "bridge": "neck"}
RENAMED = renamed_prefixes(OWN, NEW_NAMES)
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize %d\n"


class Cut(InMemory):
    """Files of which only the beginning is there, and which are longer than that."""

    def __init__(self, files: Mapping[str, bytes], longer: Mapping[str, int]) -> None:
        super().__init__(files)
        self._longer = longer

    def head(self, path: str, most_bytes: int) -> Head | Skipped:
        data = self.read(path)
        return Head(data[:most_bytes], len(data) + self._longer.get(path, 0))


def looks(suspect: Mapping[str, bytes], *references: Mapping[str, bytes]) -> tuple[Look, ...]:
    others = {f"other {number}": repo(f"other {number}", each) for number, each in enumerate(references)}
    return structure.find(Comparison(repo("suspect", suspect), "suspect", others))


def look(one: Mapping[str, Shape], other: Mapping[str, Shape]) -> Look:
    (found,) = looks({"model.safetensors.index.json": index_file(one)}, {"a/b.index.json": index_file(other, 7)})
    return found


def line(one: Mapping[str, Shape], other: Mapping[str, Shape]) -> Evidence | None:
    return next(iter(look(one, other).evidence), None)


def prefixes(found: Look) -> set[tuple[object, ...]]:
    table = next(each for each in found.exhibits if each.name == "tensor-map")
    return {row[:3] for row in table.rows}


@pytest.mark.parametrize("what", INDEPENDENT_TENSORS)
def test_independent_projects_on_one_published_model_have_no_line(what: str) -> None:
    one, other = INDEPENDENT_TENSORS[what]
    assert line(one, other) is None
    assert line(other, one) is None


@pytest.mark.parametrize("what", INDEPENDENT_TENSORS)
def test_nor_have_they_one_when_their_shapes_are_known(what: str) -> None:
    one, other = INDEPENDENT_TENSORS[what]
    ours, theirs = Checkpoint("a", one, data_bytes(one)), Checkpoint("b", other, data_bytes(other))
    likeness = same_modules.compare(ours, theirs, registry())
    assert likeness is not None
    assert likeness.bits < 16
    assert likeness.size_bits < 16


def test_prefixes_that_were_renamed_are_told_one_to_one() -> None:
    found = look(RENAMED, OWN)
    assert prefixes(found) == {("language", "llm", 39), ("sight", "vision", 51), ("neck", "bridge", 9)}
    (told,) = found.evidence
    assert told.name == "same-tensors-renamed"
    assert told.measures["mapped"] == told.measures["tensors"] == len(OWN)
    assert "sight for vision (51)" in told.claim
    assert "bytes of tensors" in told.claim


def test_a_copy_without_renaming_is_a_line_of_its_own() -> None:
    told = line(OWN, OWN)
    assert told is not None
    assert told.name == "same-tensors"


def test_the_order_of_tensors_and_their_files_does_not_matter() -> None:
    (one,) = looks({"m.index.json": index_file(RENAMED)}, {"m.index.json": index_file(OWN)})
    backwards = dict(reversed(list(RENAMED.items())))
    (other,) = looks({"m.index.json": index_file(backwards, 11)}, {"m.index.json": index_file(OWN)})
    assert one == other


def test_a_wrapper_around_all_modules_is_seen_through() -> None:
    wrapped = {f"model.{name}": shape for name, shape in RENAMED.items()}
    assert ("model.sight", "vision", 51) in prefixes(look(wrapped, OWN))


def test_dropped_layers_leave_the_others_mapped() -> None:
    fewer = {name: shape for name, shape in RENAMED.items() if ".layers.3." not in name}
    told = line(fewer, OWN)
    assert told is not None
    assert told.measures["mapped"] == len(fewer)


def test_one_copied_part_in_another_model_is_found() -> None:
    foreign = {**llama_tensors("text.", layers=2), **bridge_tensors("seam.")}
    assert ("seam", "bridge", 9) in prefixes(look(foreign, OWN))


def test_a_line_is_no_stronger_than_its_null_allows() -> None:
    told = line(RENAMED, OWN)
    assert told is not None
    assert told.strength is Strength.MODERATE
    assert "320 lineages" in told.calibration


def test_tensors_of_other_names_and_equal_shapes_inform_and_support_nothing() -> None:
    odd = {f"net.{'abc'[place % 3]}{place}.weight": (977 + place, 1433) for place in range(40)}
    other = {f"trunk.{'xyz'[place % 3]}{place}.weight": (977 + place, 1433) for place in range(40)}
    ours = {"m.safetensors": header_file(odd)}, {"m.safetensors": data_bytes(odd)}
    theirs = {"m.safetensors": header_file(other)}, {"m.safetensors": data_bytes(other)}
    suspect, reference = repo("suspect", {}), repo("other", {})
    object.__setattr__(suspect, "files", Cut(*ours))
    object.__setattr__(reference, "files", Cut(*theirs))
    (found,) = structure.find(Comparison(suspect, "suspect", {"other": reference}))
    (told,) = found.evidence
    assert (told.name, told.strength) == ("same-shapes", Strength.NONE)
    assert told.measures["mapped"] == 40


def test_the_reference_is_ranked_among_all_published_lineages() -> None:
    found = look(RENAMED, OWN)
    ranking = next(each for each in found.exhibits if each.name == "nearest-structures")
    assert ranking.rows[0][1:3] == ("other 0", "reference")
    assert len(ranking.rows) > 5


def test_pointers_of_one_hash_are_one_file() -> None:
    same, other = POINTER % (b"a" * 64, 2_443_235_064), POINTER % (b"b" * 64, 2_443_235_064)
    (found,) = looks(
        {"x.safetensors": same, "y.safetensors": other},
        {"deep/z.safetensors": same, "y.safetensors": other[:-5] + b"?"},
    )
    (told,) = found.evidence
    assert told.name == "same-file"
    assert told.claim.startswith("x.safetensors is deep/z.safetensors of other 0, byte for byte: 2,443,235,064 bytes")
    assert [each.path for each in found.skipped] == ["other 0:y.safetensors"]


@pytest.mark.parametrize(
    "data", [b"", POINTER % (b"g" * 64, 1), POINTER % (b"a" * 63, 1), b"x" + POINTER % (b"a" * 64, 1)]
)
def test_what_is_no_pointer_is_none(data: bytes) -> None:
    assert lfs_pointer.read(data) is None


def test_headers_give_an_index_its_shapes() -> None:
    shapes = llama_tensors(layers=1)
    index = json.dumps({"weight_map": dict.fromkeys(shapes, "one.safetensors")}).encode()
    files = Cut(
        {"m/model.safetensors.index.json": index, "m/one.safetensors": header_file(shapes)},
        {"m/one.safetensors": data_bytes(shapes)},
    )
    found = checkpoint.read(files.others(), files.head)
    (only,) = found.found
    assert only.tensors == dict(sorted(shapes.items()))
    assert found.skipped == ()


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.index.json", b"{", "no JSON"),
        ("a.index.json", POINTER % (b"a" * 64, 9), "pointer"),
        ("a.safetensors", b"abc", "shorter"),
        ("a.safetensors", b"\xff" * 8 + b"{}", "claims"),
        ("a.safetensors", b"\x02\0\0\0\0\0\0\0[]", "brace"),
    ],
)
def test_what_cannot_be_read_is_said_to_be_so(name: str, data: bytes, said: str) -> None:
    (found,) = looks({name: data}, {"m.index.json": index_file(OWN)})
    (skipped,) = found.skipped
    assert skipped.path == f"suspect:{name}"
    assert said in skipped.reason


@pytest.mark.parametrize("data", [b"[]", b"{}", b'{"weight_map": []}', b'{"files": {}}'])
def test_other_indexes_are_none_of_a_checkpoint(data: bytes) -> None:
    (found,) = looks({"some.index.json": data}, {"m.index.json": index_file(OWN)})
    assert not found.examined.is_possible
    assert found.examined.about == "the suspect has no index or header of a checkpoint"


def test_a_tree_of_more_branches_than_any_model_has_is_not_built() -> None:
    deep = {f"{number}.{'.'.join('x' * 20)}": None for number in range(MOST_BRANCHES // 20)}
    assert module_tree.tree(deep) is None


def test_thousands_of_modules_that_are_built_alike_are_aligned_in_order() -> None:
    experts = {f"e.{number}.{name}.weight": None for number in range(4_000) for name in ("up", "down", "gate")}
    less = {name: None for name in experts if name != "e.7.gate.weight"} | {"head.weight": None}
    ours, theirs = module_tree.tree(experts), module_tree.tree(less)
    assert ours is not None
    assert theirs is not None
    found = module_tree.align(ours, theirs)
    pairs = [(ours.names[a], theirs.names[b]) for same in found for a, b in same.pairs]
    assert sum(a == b for a, b in pairs) > 0.99 * len(experts)


NAMES = st.lists(st.sampled_from(["a", "b", "0", "1", "weight", "", "²", "٣"]), max_size=6).map(".".join)
TENSORS = st.dictionaries(NAMES, st.none() | st.tuples(st.integers(0, 3)), max_size=20)


@settings(deadline=None)
@given(TENSORS, TENSORS)
def test_whatever_tensors_are_called_each_is_mapped_at_most_once(
    one: dict[str, Shape | None], other: dict[str, Shape | None]
) -> None:
    ours, theirs = module_tree.tree(one), module_tree.tree(other)
    assert ours is not None
    assert theirs is not None
    pairs = [pair for same in module_tree.align(ours, theirs) for pair in same.pairs]
    assert len({a for a, _ in pairs}) == len({b for _, b in pairs}) == len(pairs)
    assert all(ours.shapes[a] == theirs.shapes[b] for a, b in pairs)


@settings(deadline=None)
@given(TENSORS)
def test_a_tree_corresponds_to_itself_altogether(tensors: dict[str, Shape | None]) -> None:
    tree = module_tree.tree(tensors)
    assert tree is not None
    pairs = [pair for same in module_tree.align(tree, tree) for pair in same.pairs]
    assert sorted(pairs) == [(place, place) for place in range(len(tree.names))]


@given(st.binary(max_size=200))
def test_whatever_bytes_files_have_they_are_read_or_skipped(data: bytes) -> None:
    (found,) = looks({"a.safetensors": data, "b.index.json": data}, {"m.index.json": index_file(OWN)})
    assert found.evidence == ()


def test_models_that_share_only_published_parts_share_no_rare_names() -> None:
    one = {**llama_tensors("llm."), **clip_tensors("vision.")}
    assert line(one, {**original_llama_tensors(), **clip_tensors("eye.")}) is None
