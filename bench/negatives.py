"""Measure what is reported between projects that solve the same task independently: nobody may be accused."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.section import Demand, print_section, section, table
from bench.wheels import package
from detector.compare import compare
from detector.model import Match, Relation, Report

FOLDERS = {
    "torchvision==0.17.2": "torchvision",
    "vit-pytorch==1.6.5": "vit_pytorch",
    "monai==1.3.0": "monai",
    "segmentation-models-pytorch==0.3.3": "segmentation_models_pytorch",
    "stable-baselines3==2.3.2": "stable_baselines3",
    "tianshou==0.5.1": "tianshou",
    "OpenNMT-py==3.5.0": "onmt",
    "x-transformers==1.27.0": "x_transformers",
}
PAIRS = (
    ("torchvision==0.17.2", "vit-pytorch==1.6.5", "vision transformers"),
    ("torchvision==0.17.2", "monai==1.3.0", "vision transformers"),
    ("vit-pytorch==1.6.5", "monai==1.3.0", "vision transformers"),
    ("segmentation-models-pytorch==0.3.3", "monai==1.3.0", "U-Nets"),
    ("stable-baselines3==2.3.2", "tianshou==0.5.1", "PPO"),
    ("OpenNMT-py==3.5.0", "x-transformers==1.27.0", "transformers"),
)
HARMLESS = (Relation.INDEPENDENT, Relation.COMMON_IDIOM, Relation.INCONCLUSIVE)
MOST_IN_10_000 = 1.0


@dataclass(frozen=True, slots=True)
class Ancestry:
    """A common source that was found by reading the files: where, and what says so."""

    suspect: str  # beginning of the suspect's path and qualname, "path qualname"
    reference: str
    source: str


# By hand, in one direction. Only where a file names its source or both carry one well-known function (Baselines, timm,
# TensorFlow, T5: no file says so); what merely looks alike is not here.
ANCESTRIES = tuple(
    Ancestry(*known)
    for known in (
        ("torchvision/", "monai/apps/detection/", "MONAI's files: adapted from torchvision and nnDetection"),
        ("torchvision/", "monai/networks/blocks/backbone_fpn_utils.py", "MONAI's file: adapted from torchvision"),
        ("torchvision/", "monai/networks/blocks/feature_pyramid_network.py", "MONAI's file: adapted from torchvision"),
        ("torchvision/models/densenet.py", "monai/networks/nets/densenet.py", "MONAI's file: after torchvision"),
        ("torchvision/utils.py", "monai/networks/blocks/pos_embed_utils.py", "both files: PyTorch's own `_ntuple`"),
        ("torchvision/models/swin", "monai/networks/nets/swin_unetr.py", "Microsoft's Swin Transformer"),
        ("torchvision/models/video/swin", "monai/networks/nets/swin_unetr.py", "Microsoft's Swin Transformer"),
        ("torchvision/models/maxvit.py _get_relative", "monai/networks/nets/swin_unetr.py", "Swin's position index"),
        ("torchvision/", "monai/networks/nets/resnet.py", "MONAI's file: 3D-ResNets-PyTorch"),
        ("torchvision/", "monai/networks/nets/ahnet.py", "MONAI's file: the published AH-Net"),
        ("torchvision/", "monai/networks/nets/efficientnet.py _round_filters", "TensorFlow's rounding of channels"),
        ("torchvision/models/mob", "vit_pytorch/mobile_vit.py MV2Block", "vit-pytorch's file: pytorch-mobilenet-v2"),
        ("torchvision/models/mnas", "vit_pytorch/mobile_vit.py MV2Block", "vit-pytorch's file: pytorch-mobilenet-v2"),
        ("segmentation_models_pytorch/decoders/", "monai/networks/nets/flexible_unet.py", "MONAI's file says so"),
        ("segmentation_models_pytorch/base/", "monai/networks/nets/flexible_unet.py", "MONAI's file says so"),
        ("segmentation_models_pytorch/datasets/oxford_pet.py TqdmUpTo", "monai/apps/utils.py", "an example of tqdm"),
        ("segmentation_models_pytorch/encoders/mix_", "monai/networks/blocks/patchembedding.py", "timm's weights"),
        ("vit_pytorch/cct", "monai/networks/blocks/patchembedding.py", "timm's weights"),
        ("stable_baselines3/common/vec_env/", "tianshou/env/", "environment workers of OpenAI Baselines"),
        ("stable_baselines3/common/running_mean_std.py", "tianshou/utils/statistics.py", "OpenAI Baselines"),
        ("onmt/modules/multi_headed_attn.py", "x_transformers/x_transformers.py RelativePosition", "T5's buckets"),
        ("onmt/modules/alibi_position_bias.py", "x_transformers/x_transformers.py", "the same text, with its names"),
    )
)


def measure(cache: Path, work: Path) -> str:
    """Compare every pair in both directions."""
    found = []
    for one, other, task in PAIRS:
        there, back = (_compare(cache, *sides) for sides in ((one, other), (other, one)))
        found.append((f"{one} / {other}", task, there, back))
    return report(found)


def _compare(cache: Path, suspect: str, reference: str) -> Report:
    return compare(package(cache, suspect, FOLDERS[suspect]), [package(cache, reference, FOLDERS[reference])])


def ancestry(match: Match) -> str:
    """Name the common source of a match, "" if none is known."""
    suspect, reference = (f"{side.path} {side.qualname}" for side in (match.suspect, match.reference))
    for known in ANCESTRIES:
        for first, second in ((suspect, reference), (reference, suspect)):
            if first.startswith(known.suspect) and second.startswith(known.reference):
                return known.source
    return ""


def unexplained(matches: Iterable[Match]) -> list[Match]:
    """The matches without a known common source."""
    return [match for match in matches if not ancestry(match)]


def report(found: Sequence[tuple[str, str, Report, Report]]) -> str:
    """Write the section."""
    everything = [each for _, _, there, back in found for each in (there, back)]
    functions = sum(each.suspect.functions for each in everything)
    alone = sum(len(unexplained(each.matches)) for each in everything)
    per_10_000 = alone / functions * 10_000
    accused = sum(each.relation not in HARMLESS for each in everything)
    demands = [
        Demand(
            "reported pairs that are no known shared ancestry, in 10,000 functions",
            f"<= {MOST_IN_10_000:.0f}",
            f"{per_10_000:.1f} ({alone:,} in {functions:,} functions)",
            per_10_000 <= MOST_IN_10_000,
        ),
        Demand(
            "comparisons with a relation above common idiom",
            "0",
            f"{accused} of {len(everything)}",
            accused == 0,
        ),
    ]
    rows = [_row(*each) for each in found]
    how = (
        "`compare` in memory at the default operating point, package folders of the wheels only, both directions; a "
        "function counts in every comparison in which it is suspect. Independent as far as the named task goes: some "
        "of these packages carry code of each other or of a third one. Which, is in `ANCESTRIES` of "
        "`bench/negatives.py`: written by hand after reading the files and earlier lists of reported pairs, partly "
        "from what the files say, partly from general knowledge, mostly for whole files, so that it can excuse a "
        "chance pair inside one. Below, every reported pair of the first direction; without a source, the pair counts "
        "as wrong."
    )
    lists = [f"### {name}\n\n{_listed(there.matches)}" for name, _, there, _ in found]
    return section("negatives", "independent projects", how, demands, table(HEADER, rows), *lists)


HEADER = (
    "pair",
    "task",
    "relation",
    "and back",
    "functions",
    "pairs shown",
    "and back",
    "without a known source",
    "and back",
)


def _row(name: str, task: str, there: Report, back: Report) -> tuple[object, ...]:
    return (
        name, task, _verdict(there), _verdict(back), f"{there.suspect.functions:,} / {back.suspect.functions:,}",
        len(there.matches), len(back.matches), len(unexplained(there.matches)), len(unexplained(back.matches)),
    )  # fmt: skip


def _verdict(found: Report) -> str:
    return f"{found.relation.value}, {found.strength.value}"


def _listed(matches: Sequence[Match]) -> str:
    rows = [
        (
            f"`{_place(match.suspect.path)} {match.suspect.qualname}`",
            f"`{_place(match.reference.path)} {match.reference.qualname}`",
            f"{match.similarity:.2f}",
            f"{match.bits:.0f}",
            ancestry(match),
        )
        for match in matches
    ]
    return table(("suspect", "reference", "similarity", "bits", "known source"), rows) if rows else "Nothing."


def _place(path: str) -> str:
    return path.partition("/")[2]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the section."""
    return print_section("negatives", __doc__, measure, arguments)


if __name__ == "__main__":
    sys.exit(main())
