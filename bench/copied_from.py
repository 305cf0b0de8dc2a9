"""Measure a matcher on copies that a project declares itself: `python -m bench.copied_from`.

One published package is cut into two repositories: A holds the model folders that are copied *from*, B those that copy.
B is then laid out anew (V1), renamed as well (V2) and edited as well (V3).

Truth:  pairs (B function, A function) in one clone class: declared copies closed under equality of form.
Source: transformers 4.40.2, `# Copied from` comments.
Misses: near copies that are no exact class count as false, so precision is a lower bound for every matcher.
"""
# ruff: noqa: SIM905 - a list of words reads best as text

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import mutate
from bench.declared import SHORTEST, Key, clone_classes, declared_copies, units
from bench.scoring import SCORES, Listed, Truth, evaluate, listed_in_report

PACKAGE, VERSION = "transformers", "4.40.2"
SEED = 20240602  # any; fixed so that two runs measure the same files
RATE = 0.5  # share of the places where a statement edit is possible that get it
SOURCES = frozenset(
    "bart beit bert big_bird blenderbot clip ctrl deberta deformable_detr detr efficientnet encoder_decoder falcon "
    "gptsan_japanese llama m2m_100 mask2former mistral mobilevit mpt mra musicgen nllb_moe oneformer owlvit pegasus "
    "persimmon prophetnet roberta seamless_m4t speech_to_text speecht5 squeezebert swiftformer swin swin2sr t5 "
    "time_series_transformer vit wav2vec2 wav2vec2_bert whisper".split()
)
COPIES = frozenset(
    "align altclip bigbird_pegasus camembert clap conditional_detr data2vec deberta_v2 deta donut ernie grounding_dino "
    "hubert longt5 maskformer mbart mt5 musicgen_melody olmo owlv2 phi plbart pop2piano roberta_prelayernorm roc_bert "
    "seamless_m4t_v2 sew sew_d stablelm starcoder2 swinv2 switch_transformers table_transformer udop unispeech "
    "unispeech_sat wav2vec2_conformer wavlm xlm_prophetnet xlm_roberta xmod yolos".split()
)
COMMAND = (
    f"{sys.executable} -m detector compare {{suspect}} {{reference}} --format json --min-similarity 0 --min-bits 0"
)
HERE = Path(__file__).parent

Files = Mapping[str, str]  # path -> text
Names = Mapping[str, Mapping[str, str]]  # path -> qualname -> qualname of the variant


@dataclass(frozen=True, slots=True)
class Run:
    """What a matcher listed, and what it cost."""

    listed: list[Listed]
    cpu_seconds: float
    peak_bytes: int


def build(cache: Path, variant: str, work: Path) -> tuple[Path, Path, Truth]:
    """Write A, B and truth.json of a variant under `work`, unless they are there already."""
    folder = work / variant
    if not (folder / "truth.json").exists():
        published = sources(wheel(cache))
        copies = {path: text for path, text in published.items() if not _is_source(path)}
        changed, names = MUTATIONS[variant](copies)
        _write(folder / "A", {path: text for path, text in published.items() if _is_source(path)})
        _write(folder / "B", changed)
        in_own_names(truth(published), names).save(folder / "truth.json")
    return folder / "A", folder / "B", Truth.load(folder / "truth.json")


def wheel(cache: Path) -> Path:
    """The package's wheel, downloaded once by pip into the cache."""
    pattern = f"{PACKAGE}-{VERSION}-*.whl"
    if not any(cache.glob(pattern)):
        cache.mkdir(parents=True, exist_ok=True)
        pip = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--dest", str(cache)]
        subprocess.run([*pip, f"{PACKAGE}=={VERSION}"], check=True, stdout=sys.stderr)
    return next(iter(sorted(cache.glob(pattern))))


def sources(path: Path) -> dict[str, str]:
    """The PyTorch modeling files of the chosen folders, by `models/<model>/modeling_<x>.py`."""
    found = {}
    with zipfile.ZipFile(path) as archive:
        for name in sorted(archive.namelist()):
            package, _, inside = name.partition("/")
            folder, _, filename = inside.removeprefix("models/").partition("/")
            is_torch = "_tf_" not in filename and "_flax_" not in filename
            is_modeling = filename.startswith("modeling_") and filename.endswith(".py")
            if package == PACKAGE and folder in SOURCES | COPIES and is_modeling and is_torch:
                found[inside] = archive.read(name).decode()
    return found


def truth(published: Files) -> Truth:
    """Who copied from whom, as published. A function counts from 6 lines on, laid out without its docstring."""
    found = units(published)
    declared = declared_copies(published)
    counts = {key for key, unit in found.items() if unit.lines >= SHORTEST}
    ours = frozenset(key for key in counts if not _is_source(key[0]))
    pairs = {
        (copy, source): (copy, source) in declared or (source, copy) in declared
        for members in clone_classes(found, declared)
        for copy in members & ours
        for source in members & (counts - ours)
    }
    return Truth(pairs, ours, frozenset(counts) - ours)


def in_own_names(known: Truth, names: Names) -> Truth:
    """The same truth in a variant's own names (only B has variants)."""

    def new(key: Key) -> Key:
        return key[0], names.get(key[0], {}).get(key[1], key[1])

    pairs = {(new(copy), source): declared for (copy, source), declared in known.pairs.items()}
    return Truth(pairs, frozenset(new(key) for key in known.universe), known.a_universe)


def _is_source(path: str) -> bool:
    return path.split("/")[1] in SOURCES


def _write(root: Path, files: Files) -> None:
    for path, text in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


def _laid_out(files: Files) -> tuple[dict[str, str], Names]:
    return {path: mutate.layout(text) for path, text in files.items()}, {}


def _renamed(files: Files) -> tuple[dict[str, str], Names]:
    return mutate.rename(_laid_out(files)[0], SEED)


def _edited(files: Files) -> tuple[dict[str, str], Names]:
    changed, names = _renamed(files)
    return {path: mutate.edit(text, SEED, RATE) for path, text in changed.items()}, names


MUTATIONS: Mapping[str, Callable[[Files], tuple[dict[str, str], Names]]] = {
    "V0": lambda files: (dict(files), {}),
    "V1": _laid_out,
    "V2": _renamed,
    "V3": _edited,
}


def run(command: str, suspect: Path, reference: Path) -> Run:
    """Run a matcher as a process of its own and read its JSON report.

    Units:  CPU seconds of the process and its children, bytes of its peak resident set.
    Errors: exit codes other than 0 (nothing found), 1 (findings) and 3 (incomplete) end the measurement.
    """
    arguments = [part.format(suspect=suspect, reference=reference) for part in shlex.split(command)]
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(arguments, stdout=output, cwd=HERE.parent)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in {0, 1, 3}:
            raise SystemExit(f"exit code {process.returncode} of: {shlex.join(arguments)}")
        output.seek(0)
        listed = listed_in_report(json.load(output))
    kibibytes = usage.ru_maxrss / (1024 if sys.platform == "darwin" else 1)
    return Run(listed, usage.ru_utime + usage.ru_stime, int(kibibytes * 1024))


def rows(variant: str, done: Run, known: Truth) -> list[str]:
    """One line of the table for each way to rank the pairs."""
    lines = []
    for name, score in SCORES.items():
        result = evaluate(((listed.pair, score(listed)) for listed in done.listed), known)
        measures = f"{result.declared_recall:.3f} | {result.average_precision:.3f} | {result.top_1:.3f}"
        cost = f"{len(done.listed)} | {done.cpu_seconds:.1f} s | {done.peak_bytes / 1e6:.0f} MB"
        lines.append(f"| {variant} | {name} | {measures} | {cost} |")
    return lines


def main(arguments: Sequence[str] | None = None) -> int:
    """Build the variants, run the matcher on each, print one table."""
    parser = argparse.ArgumentParser(prog="python -m bench.copied_from", description=__doc__.splitlines()[0])
    parser.add_argument("--variants", nargs="+", choices=sorted(MUTATIONS), default=sorted(MUTATIONS))
    parser.add_argument("--cache", type=Path, default=HERE / "cache", help="where the wheel is, or is downloaded to")
    parser.add_argument("--work", type=Path, help="keep the variants here and use them again")
    parser.add_argument("--build-only", action="store_true", help="write the variants, measure nothing")
    parser.add_argument("--command", default=COMMAND, help="the matcher, with {suspect} and {reference}; prints JSON")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        work = (options.work or Path(temporary)).absolute()
        is_first = True
        for variant in options.variants:
            a, b, known = build(options.cache, variant, work)
            if is_first:
                print(_size(known))
            if not options.build_only:
                lines = rows(variant, run(options.command, b, a), known)
                print("\n".join([*(HEADER if is_first else []), *lines]), flush=True)
            is_first = False
    return 0


HEADER = [
    "| variant | score | declared recall | AP | top-1 | pairs listed | CPU | peak |",
    "|---|---|---|---|---|---|---|---|",
]


def _size(known: Truth) -> str:
    copied = len({copy for copy, _ in known.pairs})
    return (
        f"{len(known.pairs)} true pairs, {sum(known.pairs.values())} of them declared; "
        f"{copied} of {len(known.universe)} functions of B have a source among {len(known.a_universe)} of A.\n"
    )


if __name__ == "__main__":
    sys.exit(main())
