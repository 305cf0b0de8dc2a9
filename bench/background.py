"""Rebuild the background tables: in how many published packages each shingle and each literal is found.

`python -m bench.background` downloads the packages below, reads them and writes `detector/code/background.npz` (hashes
and counts, no code) and `detector/code/literals.npz` (the same, and the words that most packages use). Projects that
the benchmarks compare, and their families, are left out: a copy of what is in the background loses its bits.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.section import arguments
from bench.wheels import python_files, wheel
from detector.code import background, literal_background
from detector.code.bulk import read_corpus
from detector.code.literals import WORD, Scanner, key_of, words_of
from detector.code.misspellings import Misspellings
from detector.code.parse import parse_file, parsing
from detector.code.scopes import places
from detector.code.slips import Slip, function_slips, unused_imports
from detector.settings import FEWEST_COMMON_PACKAGES, LITERALS_VERSION, LOWERING_VERSION
from detector.targets import SourceFile

FOLDER = Path(__file__).parent.parent / "detector" / "code"
TABLE, LITERALS = FOLDER / background.FILE, FOLDER / literal_background.FILE
TABLES = ("shingles", "literals")

# Found in fewer packages than this, a shingle counts as rare, and rare ones are nine tenths of the table.
FEWEST_PACKAGES = 3

PACKAGES: tuple[str, ...] = (
    "accelerate==1.15.0",
    "adapters==1.3.0",
    "albumentations==2.0.8",
    "allennlp==2.10.1",
    "avalanche-lib==0.6.0",
    "botorch==0.18.1",
    "captum==0.9.0",
    "darts==0.48.1",
    "datasets==5.2.0",
    "dm-haiku==0.0.17",
    "effdet==0.4.1",
    "efficientnet-pytorch==0.3.0",
    "einops==0.8.2",
    "espnet==202511",
    "evaluate==0.4.6",
    "fastai==2.8.12",
    "flair==0.15.1",
    "flax==0.12.8",
    "gensim==4.3.3",
    "gluonts==0.17.0",
    "gpytorch==1.15.2",
    "keras==3.15.1",
    "kornia==0.9.0",
    "lightly==1.6.0",
    "lm-eval==0.4.13",
    "mmengine==0.10.7",
    "nemo-toolkit==3.0.0",
    "neuralforecast==3.3.0",
    "open-clip-torch==3.3.0",
    "optax==0.2.8",
    "optimum==2.3.0",
    "paddlenlp==2.8.1",
    "peft==0.21.2",
    "pykeen==1.11.1",
    "pyro-ppl==1.9.2",
    "pytorch-forecasting==1.8.0",
    "pytorch-lightning==2.6.6",
    "pytorch-metric-learning==2.9.0",
    "pytorch-tabnet==4.1.0",
    "recbole==1.2.1",
    "sentence-transformers==6.2.0",
    "setfit==1.2.0",
    "skorch==1.4.0",
    "spacy-transformers==1.4.0",
    "speechbrain==1.1.2",
    "stanza==1.15.0",
    "super-gradients==3.7.1",
    "textattack==0.3.11",
    "torch-geometric==2.8.1",
    "torchmetrics==1.9.0",
    "torchrl==0.7.2",
    "transformer-lens==4.3.0",
    "trl==1.16.0",
    "ultralytics==8.4.190",
)


def build(cache: Path, packages: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Count the packages that have each shingle.

    Shapes: hashes ascending, counts along them; only what FEWEST_PACKAGES have.
    """
    found = []
    for requirement in packages:
        files = python_files(wheel(cache, requirement))
        corpus = read_corpus(files, [file.path for file in files])
        views = (corpus.shingles, corpus.expanded.shingles, corpus.blind.shingles)
        distinct = np.unique(np.concatenate([view.hashes for view in views]))
        found.append(distinct)
        print(f"{requirement}: {len(corpus.spans)} functions, {len(distinct)} shingles", file=sys.stderr)
    hashes, counts = np.unique(np.concatenate(found), return_counts=True)
    common = counts >= FEWEST_PACKAGES
    return hashes[common], np.minimum(counts[common], 255).astype(np.uint8)


def build_literals(cache: Path, packages: Sequence[str]) -> tuple[np.ndarray, np.ndarray, bytes]:
    """Count the packages that have each literal, common words aside, and list these words.

    Shapes: parts of keys ascending, counts along them; the words one blank apart.
    """
    found = []
    words: Counter[bytes] = Counter()
    for requirement in packages:
        files = python_files(wheel(cache, requirement))
        keys, its_words = _literals(files)
        found.append(literal_background.parts(keys))
        words.update(its_words)
        print(f"{requirement}: {len(keys)} literals", file=sys.stderr)
    common = frozenset(word for word, count in words.items() if count >= FEWEST_COMMON_PACKAGES)
    known, counts = np.unique(np.concatenate([np.unique(each) for each in found]), return_counts=True)
    misspellings = Misspellings(common)
    slips_of = [word for word in sorted(words) if misspellings.meant(word)]
    keys = np.array([key_of(WORD, 0, word) for word in slips_of], np.uint64)
    known = np.concatenate([known, literal_background.parts(keys)])
    counts = np.concatenate([counts, [words[word] for word in slips_of]])
    known, firsts = np.unique(known, return_index=True)
    return known, np.minimum(counts[firsts], 255).astype(np.uint8), b" ".join(sorted(common))


def _literals(files: Iterable[SourceFile]) -> tuple[np.ndarray, set[bytes]]:
    """The distinct keys of a package, slips included, and its words."""
    scanner = Scanner(frozenset())
    keys, words = [], set()
    for file in files:
        keys.append(scanner.keys(file.data))
        keys.append(np.array([slip.key for slip in _slips(file)], np.uint64))
        words |= words_of(file.data)
    return np.unique(np.concatenate(keys)), words


def _slips(file: SourceFile) -> Iterator[Slip]:
    yield from unused_imports(file.data, file.path)
    lines = file.data.split(b"\n")
    with parsing():
        found = places(parse_file(file.data)[0])
    for place in found.values():
        yield from function_slips(lines, place.node.lineno, place.node.end_lineno or place.node.lineno)


def _named(**arrays: Any) -> dict[str, Any]:
    return {**arrays, "packages": np.int64(len(PACKAGES)), "names": np.array(PACKAGES)}


def main(given: Sequence[str] | None = None) -> int:
    """Build the tables and write them in place of those that ship."""
    parser = arguments(argparse.ArgumentParser(prog="python -m bench.background", description=__doc__))
    parser.add_argument("--table", nargs="+", choices=TABLES, default=TABLES, help="only these")
    options = parser.parse_args(given)
    if "shingles" in options.table:
        hashes, counts = build(options.cache, PACKAGES)
        # Hashes hardly get smaller, and every change that is looked up in an index waits for them.
        np.savez(TABLE, **_named(hashes=hashes, counts=counts, lowering=np.int64(LOWERING_VERSION)))
        print(f"{TABLE.name}: {len(hashes)} shingles of {len(PACKAGES)} packages, {TABLE.stat().st_size} bytes")
    if "literals" in options.table:
        known, counts, words = build_literals(options.cache, PACKAGES)
        common, version = np.frombuffer(words, np.uint8), np.int64(LITERALS_VERSION)
        arrays = _named(**literal_background.packed(known), counts=counts, common=common, literals=version)
        np.savez_compressed(LITERALS, **arrays)
        print(f"{LITERALS.name}: {len(known)} literals of {len(PACKAGES)} packages, {LITERALS.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
