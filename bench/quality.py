"""Measure how well copies are found, level of disguise by level: `python -m bench.quality`.

Three published packages are disguised by `bench.disguise`; the original is the reference, what was made of it the
suspect. A suspect function's right references are the functions that its code came from, closed over equality of form
(`bench.declared.form`): a true clone within the original that nobody made on purpose is counted against nobody.

open F1:   over functions of five statements and more, at the best of all thresholds on similarity. For each suspect
           function its best right pair is a hit when it reaches the threshold, and its best wrong pair is a false
           positive when it does, as it is for a function that the disguise has added. A pair is one that
           `detector.evidence.code.find` scores.
top-1:     functions whose best right pair scores higher than every wrong one. Ties count as wrong.
proposed:  functions of which a right pair is scored at all.
default:   what is reported at the default operating point: the one reference chosen for a function, if it is believed.
           Recall by the size of the original; `wrong` counts functions of any size that are reported with a reference
           that is not right.
partial:   copies of less than a function, or of more than one, beside half of the package at L6 (so that the link is
           proven), in the files of a foreign project.
needles:   30 disguised functions in a foreign project. Its own functions, of any size, have no right reference: their
           best pairs are false positives too.
baselines: token 5-grams by exact Jaccard (`bench.peers`), raw and with one token for all names, scored alike.
"""

from __future__ import annotations

import ast
import inspect
import json
import multiprocessing
import shutil
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from bench import kept
from bench.declared import FunctionNode, Key, definitions, form, without_docstring
from bench.disguise import KINDS, LEVELS, WHOLE, Target, disguise, needles, partial
from bench.peers import ANONYMISED_TOKENS, PEERS, RAW_TOKENS
from bench.process import in_fresh_process
from bench.scoring import Listed, Pair, listed_in_pairs
from bench.section import Demand, print_section, section, table
from bench.wheels import InMemory, python_files, wheel
from detector.code.bulk import read_corpus
from detector.code.corpus import Corpus
from detector.evidence import code
from detector.targets import SourceFile

SEED = 20240603  # any; fixed so that two runs measure the same files
WORKERS = 2  # mutants are built in parallel
NEEDLES = 30
NEEDLE_LEVELS = ("L3", "L7")
PARTIAL_LEVEL = "L6"  # of the half that proves the link
PARTIAL, NEEDLES_AT = "partial", "needles "  # kinds of specimen besides the levels
BASELINES = (RAW_TOKENS, ANONYMISED_TOKENS)
BASELINE_LEVELS = ("L3", "L6", "L7", "L8")
NOTHING = -1.0  # the score of a pair that is not scored
DIGITS = 6  # of a score: what differs less is a tie

LEAST_STATEMENTS = 5  # of a function that open F1 counts
LONG, SHORT = "6 and more", "3 to 5"  # statements of a function at the default operating point
SIZES: Mapping[str, tuple[int, int]] = {LONG: (6, sys.maxsize), SHORT: (3, 5)}

# Level -> goal. Figures are rounded to three decimals, as the goals are.
F1_GOALS = dict(zip(LEVELS, (0.995, 0.995, 0.995, 0.985, 0.985, 0.985, 0.98, 0.985), strict=True))
# Many near-identical functions of its own.
SIBLINGS_F1_GOALS = dict(zip(LEVELS, (0.97, 0.97, 0.97, 0.97, 0.97, 0.97, 0.965, 0.97), strict=True))
TOP_1_GOALS = dict(zip(LEVELS, (1.0, 1.0, 1.0, 1.0, 1.0, 0.995, 0.985, 0.99), strict=True))
RECALL_GOALS = {LONG: 0.95, SHORT: 0.85}
NEEDLE_GOALS = dict(zip(NEEDLE_LEVELS, (1.0, 0.98), strict=True))
PARTIAL_GOAL = 0.7

Files = Mapping[str, str]  # path -> text


@dataclass(frozen=True, slots=True)
class Package:
    """What is disguised, and the foreign project that parts of it are hidden in. The two are independent."""

    name: str
    requirement: str
    folders: tuple[str, ...]  # what its paths begin with
    foreign: str  # requirement
    foreign_folder: str
    f1_goals: Mapping[str, float]


PACKAGES = (
    Package(
        "vit-pytorch",
        "vit-pytorch==1.6.5",
        ("vit_pytorch/",),
        "stable-baselines3==2.3.2",
        "stable_baselines3",
        F1_GOALS,
    ),
    Package("timm", "timm==0.9.16", ("timm/models/",), "OpenNMT-py==3.5.0", "onmt", F1_GOALS),
    Package(
        "diffusers",
        "diffusers==0.27.2",
        ("diffusers/models/", "diffusers/schedulers/", "diffusers/pipelines/stable_diffusion"),
        "segmentation-models-pytorch==0.3.3",
        "segmentation_models_pytorch",
        SIBLINGS_F1_GOALS,
    ),
)


# --- specimens ---


@dataclass(frozen=True, slots=True)
class Origin:
    """Where code of a suspect function comes from."""

    suspect: Key
    role: str  # of `bench.disguise.work`, or a kind of partial copy
    original: Key


@dataclass(frozen=True, slots=True)
class Specimen:
    """A suspect repository, and where its code comes from. Functions without an origin are copies of nothing."""

    files: Files
    origins: tuple[Origin, ...]

    def save(self, folder: Path) -> None:
        """Write the files and truth.json."""
        for path, text in self.files.items():
            target = folder / "files" / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
        plain = [asdict(origin) for origin in self.origins]
        (folder / "truth.json").write_text(json.dumps(plain, indent=0), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Specimen:
        """Read back what `save` wrote."""
        root = folder / "files"
        files = {path.relative_to(root).as_posix(): path.read_text("utf-8") for path in sorted(root.rglob("*.py"))}
        plain = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
        origins = (Origin(_key(row["suspect"]), row["role"], _key(row["original"])) for row in plain)
        return cls(files, tuple(origins))


def _key(plain: Sequence[str]) -> Key:
    path, qualname = plain
    return path, qualname


def at_level(original: Files, foreign: Files, level: str) -> Specimen:
    """The whole package, disguised."""
    done = disguise(original, level, SEED)
    return Specimen(done.files, _origins(done.truth))


def with_needles(original: Files, foreign: Files, level: str) -> Specimen:
    """The foreign project with some disguised functions of the package in it."""
    done = needles(foreign, original, level, SEED, NEEDLES)
    return Specimen(done.files, _origins(done.truth))


def with_partial_copies(original: Files, foreign: Files, level: str) -> Specimen:
    """Every second file of the package, disguised; partial copies made from the others; a foreign project as it is."""
    paths = sorted(original)
    proof = disguise({path: original[path] for path in paths[::2]}, level, SEED)
    pieces = partial({path: original[path] for path in paths[1::2]}, SEED, foreign)
    # Both halves may come to the same new name for a file.
    new = {path: path if path not in proof.files else f"{path.removesuffix('.py')}_more.py" for path in pieces.files}
    rows = [Origin((new[row.key[0]], row.key[1]), row.kind, key) for row in pieces.rows for key in row.originals]
    files = {**foreign, **proof.files, **{new[path]: text for path, text in pieces.files.items()}}
    return Specimen(files, (*_origins(proof.truth), *rows))


def _origins(truth: Mapping[Key, Iterable[Target]]) -> tuple[Origin, ...]:
    return tuple(Origin(target.key, target.role, key) for key, targets in truth.items() for target in targets)


KINDS_OF_SPECIMEN: Mapping[str, tuple[Callable[[Files, Files, str], Specimen], str]] = {
    **{level: (at_level, level) for level in LEVELS},
    PARTIAL: (with_partial_copies, PARTIAL_LEVEL),
    **{NEEDLES_AT + level: (with_needles, level) for level in NEEDLE_LEVELS},
}


def prepare(cache: Path, work: Path, packages: Sequence[Package], kinds: Sequence[str]) -> None:
    """Build what is not there yet, or was built by another mutator."""
    for package in packages:
        for requirement in (package.requirement, package.foreign):
            wheel(cache, requirement)
    missing = [(package, kind) for kind in reversed(kinds) for package in reversed(packages)]
    missing = [
        (package, kind) for package, kind in missing if not is_built(_folder(work, package, kind), package, kind)
    ]
    if missing:
        with ProcessPoolExecutor(WORKERS, mp_context=multiprocessing.get_context("spawn")) as executor:
            for future in [executor.submit(_build, cache, work, *each) for each in missing]:
                future.result()


def _build(cache: Path, work: Path, package: Package, kind: str) -> None:
    folder = _folder(work, package, kind)
    made_by = digest(package, kind)
    shutil.rmtree(folder, ignore_errors=True)
    make, level = KINDS_OF_SPECIMEN[kind]
    make(original_files(cache, package), foreign_files(cache, package), level).save(folder)
    kept.keep(folder, made_by)


def is_built(folder: Path, package: Package, kind: str) -> bool:
    """Whether a specimen is there that the mutator of today would make."""
    return kept.is_kept(folder, digest(package, kind))


def digest(package: Package, kind: str) -> str:
    """Of everything that a specimen depends on: the mutator's sources, the seed, the packages."""
    make, level = KINDS_OF_SPECIMEN[kind]
    given = (SEED, level, NEEDLES, package.requirement, package.folders, package.foreign, sys.version_info[:2])
    return kept.digest(f"{given}{inspect.getsource(make)}")


def specimen(work: Path, package: Package, kind: str) -> Specimen:
    """One that `prepare` has built."""
    return Specimen.load(_folder(work, package, kind))


def _folder(work: Path, package: Package, kind: str) -> Path:
    return work / "quality" / package.name / kind.replace(" ", "-")


def original_files(cache: Path, package: Package) -> dict[str, str]:
    """The files that are disguised."""
    return _texts(
        file for file in python_files(wheel(cache, package.requirement)) if file.path.startswith(package.folders)
    )


def foreign_files(cache: Path, package: Package) -> dict[str, str]:
    """The files of the project that needles and partial copies are put into."""
    return _texts(python_files(wheel(cache, package.foreign), package.foreign_folder))


def _texts(files: Iterable[SourceFile]) -> dict[str, str]:
    return {file.path: file.data.decode() for file in files}


# --- the truth ---


@dataclass(frozen=True, slots=True)
class Answers:
    """What is right for each suspect function that has an origin."""

    right: Mapping[Key, frozenset[Key]]  # reference functions
    whole: Mapping[Key, int]  # those that are the whole of an original -> statements of the largest
    roles: Mapping[Key, str]  # the others -> their role
    strangers: Mapping[Key, int]  # suspect functions without an origin -> their statements


def answers(specimen: Specimen, reference: Files, flows: Mapping[Key, int] | None = None) -> Answers:
    """Close the origins over equality of form, and of value flow where that is given for the reference's functions."""
    sizes: defaultdict[Key, int] = defaultdict(int)
    forms: defaultdict[Key, set[str]] = defaultdict(set)
    of_form: defaultdict[str, set[Key]] = defaultdict(set)
    for key, node in _functions(reference):
        digest = form(node)
        sizes[key] = max(sizes[key], statements(node))
        forms[key].add(digest)
        of_form[digest].add(key)
    right: defaultdict[Key, set[Key]] = defaultdict(set)
    whole: dict[Key, int] = {}
    for origin in specimen.origins:
        right[origin.suspect].update(*(of_form[digest] for digest in forms[origin.original]))
        if origin.role == WHOLE:
            whole[origin.suspect] = max(sizes[origin.original], whole.get(origin.suspect, 0))
    if flows is not None:
        of_flow: defaultdict[int, set[Key]] = defaultdict(set)
        for key, number in flows.items():
            of_flow[number].add(key)
        for keys in right.values():
            keys.update(*(of_flow[flows[key]] for key in tuple(keys) if key in flows))
    roles = {origin.suspect: origin.role for origin in specimen.origins if origin.suspect not in whole}
    strangers = {key: statements(node) for key, node in _functions(specimen.files) if key not in right}
    return Answers({key: frozenset(keys) for key, keys in right.items()}, whole, roles, strangers)


def _functions(files: Files) -> Iterator[tuple[Key, FunctionNode]]:
    for path, text in files.items():
        for qualname, node in definitions(ast.parse(text), nested=True):
            if isinstance(node, FunctionNode):
                yield (path, qualname), node


def statements(node: FunctionNode) -> int:
    """Statements of a function at every depth, without itself and its docstring."""
    return sum(isinstance(part, ast.stmt) for each in without_docstring(node.body) for part in ast.walk(each))


# --- the measures ---


@dataclass(frozen=True, slots=True)
class Best:
    """The best right and the best wrong pair of one suspect function."""

    right: float = NOTHING
    wrong: float = NOTHING


@dataclass(frozen=True, slots=True)
class Count:
    """Some of all."""

    found: int
    total: int

    @property
    def share(self) -> float:
        """0..1; where there is nothing to find, nothing is missing."""
        return self.found / self.total if self.total else 1.0

    def __add__(self, other: Count) -> Count:
        return Count(self.found + other.found, self.total + other.total)

    def __str__(self) -> str:
        return f"{self.share:.3f} of {self.total:,}" if self.total else "-"


def best_pairs(scored: Iterable[tuple[Pair, float]], right: Mapping[Key, frozenset[Key]]) -> dict[Key, Best]:
    """The best pairs of every suspect function that has any; of one without an origin all are wrong."""
    found: defaultdict[Key, list[float]] = defaultdict(lambda: [NOTHING, NOTHING])
    for (suspect, reference), score in scored:
        side = int(reference not in right.get(suspect, ()))
        found[suspect][side] = max(found[suspect][side], round(score, DIGITS))
    return {key: Best(*scores) for key, scores in found.items()}


def open_f1(best: Iterable[Best], expected: int) -> tuple[float, float]:
    """F1 at the best threshold, and that threshold; `expected` is how many functions have a right reference.

    Ties: what has the very score of the threshold reaches it, right or wrong.
    """
    known = list(best)
    rights = np.sort([each.right for each in known if each.right != NOTHING])
    wrongs = np.sort([each.wrong for each in known if each.wrong != NOTHING])
    thresholds = np.unique(rights)
    if not len(thresholds):
        return 0.0, 0.0
    hits = len(rights) - np.searchsorted(rights, thresholds)
    false = len(wrongs) - np.searchsorted(wrongs, thresholds)
    scores = 2 * hits / (hits + false + expected)
    at = int(scores.argmax())
    return float(scores[at]), float(thresholds[at])


def f1_of_copies(best: Mapping[Key, Best], known: Answers, least: int = LEAST_STATEMENTS) -> tuple[float, float]:
    """Open F1 over the functions that are the whole of an original, and over those that have no origin.

    Size: of the original, and of the function itself where it has none; what is smaller, or holds only a piece of an
    original, is counted neither way.
    """
    counted = {key for key, size in known.whole.items() if size >= least}
    strangers = (
        each for key, each in best.items() if key not in known.right and known.strangers.get(key, least) >= least
    )
    return open_f1([*(best.get(key, Best()) for key in counted), *strangers], len(counted))


@dataclass(frozen=True, slots=True)
class Run:
    """What detector says: every scored pair, and what it reports at the default operating point."""

    scored: list[tuple[Pair, float]]
    reported: list[Pair]
    suspects: list[Key]


@dataclass(frozen=True, slots=True)
class Quality:
    """How well one disguised package is found again."""

    functions: int  # that open F1 counts
    f1: float
    threshold: float
    top_1: float
    proposed: float
    recall: Mapping[str, Count]  # at the default operating point: by size
    parts: Count  # the same of functions that hold a piece of an original, and of no whole one
    wrong: int


@dataclass(frozen=True, slots=True)
class PartialQuality:
    """How well partial copies are found."""

    recall: Mapping[str, Count]  # kind -> at the default operating point
    elsewhere: Mapping[str, int]  # kind -> reported with another reference
    proof: Count  # functions of the disguised half that are reported rightly, of five statements and more
    strangers: Count  # foreign functions that are reported


@dataclass(frozen=True, slots=True)
class NeedleQuality:
    """How well a few functions are found in a foreign project."""

    f1: float
    threshold: float
    recall: Count  # at the default operating point
    wrong: int
    functions: int  # of the whole project


def detect(suspect: Files, reference: Corpus, originals: Files) -> Run:
    """Compare; what is believed does not depend on the floors that list every pair."""
    ours = corpus(suspect)
    reads = (lambda path: suspect[path].encode()), (lambda path: originals[path].encode())
    likeness = code.find([ours], [reference], code.Gate(0, 0), [reads]).likenesses[0]
    listed = listed_in_pairs(likeness, ours.spans, reference.spans)
    believed = likeness.chosen[likeness.is_believed].tolist()
    suspects = [(span.path, span.qualname) for span in ours.spans]
    return Run(scores(listed), [listed[position].pair for position in believed], suspects)


def corpus(files: Files) -> Corpus:
    """Files that are held in memory, read."""
    held = InMemory([SourceFile(path, text.encode()) for path, text in sorted(files.items())])
    return read_corpus(held, held.paths())


def scores(listed: Iterable[Listed]) -> list[tuple[Pair, float]]:
    """Pairs by similarity."""
    return [(each.pair, each.similarity) for each in listed]


def quality(run: Run, known: Answers) -> Quality:
    """Hold the comparison of a whole package against the truth."""
    best = best_pairs(run.scored, known.right)
    counted = [best.get(key, Best()) for key, size in known.whole.items() if size >= LEAST_STATEMENTS]
    f1, threshold = f1_of_copies(best, known)
    found, wrong = told(run, known)
    recall = {
        name: _share_of(found, [key for key, size in known.whole.items() if low <= size <= high])
        for name, (low, high) in SIZES.items()
    }
    return Quality(
        len(counted),
        f1,
        threshold,
        Count(sum(each.right > each.wrong for each in counted), len(counted)).share,
        Count(sum(each.right != NOTHING for each in counted), len(counted)).share,
        recall,
        _share_of(found, known.roles),
        len(wrong),
    )


def partial_quality(run: Run, known: Answers) -> PartialQuality:
    """Hold the partial copies against the truth."""
    found, wrong = told(run, known)
    kinds = {kind: [key for key, role in known.roles.items() if role == kind] for kind in KINDS}
    # What stands inside a copy came with it.
    holders = [(path, f"{qualname}.") for path, qualname in known.right]
    strangers = [
        (path, qualname)
        for path, qualname in run.suspects
        if (path, qualname) not in known.right
        and not any(path == home and qualname.startswith(inside) for home, inside in holders)
    ]
    return PartialQuality(
        {kind: _share_of(found, keys) for kind, keys in kinds.items()},
        {kind: _share_of(wrong, keys).found for kind, keys in kinds.items()},
        _share_of(found, [key for key, size in known.whole.items() if size >= LEAST_STATEMENTS]),
        _share_of(wrong, strangers),
    )


def needle_quality(run: Run, known: Answers) -> NeedleQuality:
    """Hold the needles against the truth; each counts, however long its original is."""
    found, wrong = told(run, known)
    f1, threshold = f1_of_copies(best_pairs(run.scored, known.right), known, 0)
    return NeedleQuality(f1, threshold, _share_of(found, known.whole), len(wrong), len(run.suspects))


def told(run: Run, known: Answers) -> tuple[set[Key], set[Key]]:
    """Suspect functions that are reported with a right reference, and with a wrong one."""
    found = {suspect for suspect, reference in run.reported if reference in known.right.get(suspect, ())}
    wrong = {suspect for suspect, reference in run.reported if reference not in known.right.get(suspect, ())}
    return found, wrong - found


def _share_of(found: set[Key], keys: Iterable[Key]) -> Count:
    wanted = list(keys)
    return Count(sum(key in found for key in wanted), len(wanted))


# --- the section ---


@dataclass(frozen=True, slots=True)
class Measured:
    """All of one package."""

    package: Package
    levels: Mapping[str, Quality]
    of_flows: Mapping[str, float]  # level -> open F1 where a reference of equal value flow is right, too
    partial: PartialQuality
    needles: Mapping[str, NeedleQuality]
    f1: Mapping[str, Mapping[str, float]]  # baseline -> kind of specimen -> open F1


def measure(cache: Path, work: Path, packages: Sequence[Package] = PACKAGES) -> str:
    """Build what is missing; measure each package in a process of its own; write the section."""
    prepare(cache, work, packages, tuple(KINDS_OF_SPECIMEN))
    return report([in_fresh_process(measure_package, cache, work, package) for package in packages])


def measure_package(cache: Path, work: Path, package: Package) -> Measured:
    """Everything about one package."""
    reference = original_files(cache, package)
    theirs = corpus(reference)
    flows = dict(
        zip([(span.path, span.qualname) for span in theirs.spans], theirs.shingles.sums().tolist(), strict=True)
    )
    levels: dict[str, Quality] = {}
    of_flows: dict[str, float] = {}
    hidden: dict[str, NeedleQuality] = {}
    pieces = PartialQuality({}, {}, Count(0, 0), Count(0, 0))
    f1: dict[str, dict[str, float]] = {name: {} for name in BASELINES}
    for kind, (make, level) in KINDS_OF_SPECIMEN.items():
        suspect = specimen(work, package, kind)
        known = answers(suspect, reference)
        run = detect(suspect.files, theirs, reference)
        if make is at_level:
            levels[level] = quality(run, known)
            alike = answers(suspect, reference, flows)
            of_flows[level], _ = f1_of_copies(best_pairs(run.scored, alike.right), alike)
        elif make is with_needles:
            hidden[level] = needle_quality(run, known)
        else:
            pieces = partial_quality(run, known)
        if kind in COMPARED:
            for name in BASELINES:
                best = best_pairs(scores(PEERS[name].find(suspect.files, reference)), known.right)
                f1[name][kind], _ = f1_of_copies(best, known, LEAST_STATEMENTS if make is at_level else 0)
    return Measured(package, levels, of_flows, pieces, hidden, f1)


COMPARED = (*BASELINE_LEVELS, *(NEEDLES_AT + level for level in NEEDLE_LEVELS))


def report(found: Sequence[Measured]) -> str:
    """Write the section."""
    how = (
        f"{', '.join(each.package.requirement for each in found)} disguised by `bench.disguise`: the original is the "
        "reference, what was made of it the suspect. A clone within the original that is equal but for its names is "
        "right, too. Open F1 counts a function's best wrong pair as a false positive, at the best threshold, over "
        f"functions of {LEAST_STATEMENTS} statements and more; top-1 is their best pair, ties lost. Recall and `wrong` "
        "are those of the default operating point. Our own mutator, and the detector was tuned while it was in sight. "
        "Figures are held against the demands rounded to three decimals."
    )
    blocks = (
        "**Levels.** Recall by statements of the original; parts are functions that hold a piece of one. `equal flows "
        "right`: open F1 where a reference function of the same value flow as a right one is right, too, by the "
        "detector's own reading: what the difference to open F1 is made of are functions that compute the same.",
        table(LEVEL_HEADER, _level_rows(found)),
        f"**Partial copies**, made from every second file, beside the other files at {PARTIAL_LEVEL}, in a foreign "
        "project. Recall with a right reference at the default operating point; in brackets those that are reported "
        "with another one.",
        table(
            ("package", *KINDS, "all", "the half that proves the link", "foreign functions reported"),
            _partial_rows(found),
        ),
        f"**Needles**: {NEEDLES} functions in a foreign project.",
        table(NEEDLE_HEADER, _needle_rows(found)),
        "**Open F1 beside the baselines**: exact Jaccard of token 5-grams, without comments and docstrings.",
        table(("package", "matcher", *COMPARED), _baseline_rows(found)),
    )
    return section("quality", "copies by level of disguise", how, list(_demands(found)), *blocks)


def _demands(found: Sequence[Measured]) -> Iterator[Demand]:
    for each in found:
        name, levels = each.package.name, each.levels
        f1 = {level: one.f1 for level, one in levels.items()}
        yield _held(f"{name}: open F1", each.package.f1_goals, f1)
        yield _held(f"{name}: top-1", TOP_1_GOALS, {level: one.top_1 for level, one in levels.items()})
        for size, goal in RECALL_GOALS.items():
            recall = {level: one.recall[size].share for level, one in levels.items()}
            yield _held(
                f"{name}: recall of functions of {size} statements, default operating point",
                dict.fromkeys(levels, goal),
                recall,
            )
    pieces = {each.package.name: sum(each.partial.recall.values(), Count(0, 0)) for each in found}
    everything = sum(pieces.values(), Count(0, 0))
    yield Demand(
        "recall of partial copies, default operating point",
        f">= {PARTIAL_GOAL}",
        f"{everything} ({_listed(pieces)})",
        round(everything.share, 3) >= PARTIAL_GOAL,
    )
    for level, goal in NEEDLE_GOALS.items():
        hidden = {each.package.name: each.needles[level].f1 for each in found}
        yield Demand(
            f"needles at {level}: F1 for each package",
            f">= {goal}",
            _listed({name: f"{value:.3f}" for name, value in hidden.items()}),
            all(round(value, 3) >= goal for value in hidden.values()),
        )
    behind = [
        f"{each.package.name} {kind}"
        for each in found
        for kind in COMPARED
        if _own_f1(each, kind) <= max(each.f1[name][kind] for name in BASELINES)
    ]
    compared = len(found) * len(COMPARED)
    yield Demand(
        "open F1 ahead of both baselines",
        "everywhere",
        f"at {compared - len(behind)} of {compared}" + (f", not at {', '.join(behind)}" if behind else ""),
        not behind,
    )


def _held(what: str, goals: Mapping[str, float], measured: Mapping[str, float]) -> Demand:
    """One demand for all levels."""
    return Demand(
        f"{what}, {' / '.join(measured)}",
        f">= {' / '.join(f'{goals[level]:.3f}' for level in measured)}",
        " / ".join(f"{value:.3f}" for value in measured.values()),
        all(round(value, 3) >= goals[level] for level, value in measured.items()),
    )


def _listed(values: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())


def _own_f1(each: Measured, kind: str) -> float:
    return each.levels[kind].f1 if kind in each.levels else each.needles[kind.removeprefix(NEEDLES_AT)].f1


LEVEL_HEADER = (
    "package", "level", "functions", "open F1", "at", "equal flows right", "top-1", "proposed",
    f"recall, {LONG}", f"recall, {SHORT}", "recall, parts", "wrong",
)  # fmt: skip
NEEDLE_HEADER = ("package", "in", "functions", "level", "F1", "at", "recall", "wrong")


def _level_rows(found: Sequence[Measured]) -> Iterator[Sequence[object]]:
    for each in found:
        for level, one in each.levels.items():
            alike = f"{each.of_flows[level]:.3f}"
            figures = (f"{one.f1:.3f}", f"{one.threshold:.2f}", alike, f"{one.top_1:.3f}", f"{one.proposed:.3f}")
            counts = (*(one.recall[size] for size in SIZES), one.parts, one.wrong)
            yield each.package.name, level, one.functions, *figures, *counts


def _partial_rows(found: Sequence[Measured]) -> Iterator[Sequence[object]]:
    for each in found:
        one = each.partial
        kinds = (f"{one.recall[kind]} ({one.elsewhere[kind]})" for kind in KINDS)
        everything = f"{sum(one.recall.values(), Count(0, 0))} ({sum(one.elsewhere.values())})"
        yield each.package.name, *kinds, everything, one.proof, f"{one.strangers.found} of {one.strangers.total:,}"


def _needle_rows(found: Sequence[Measured]) -> Iterator[Sequence[object]]:
    for each in found:
        for level, one in each.needles.items():
            figures = (f"{one.f1:.3f}", f"{one.threshold:.2f}", one.recall, one.wrong)
            yield each.package.name, each.package.foreign, f"{one.functions:,}", level, *figures


def _baseline_rows(found: Sequence[Measured]) -> Iterator[Sequence[object]]:
    for each in found:
        yield each.package.name, "detector", *(f"{_own_f1(each, kind):.3f}" for kind in COMPARED)
        for name in BASELINES:
            yield each.package.name, name, *(f"{each.f1[name][kind]:.3f}" for kind in COMPARED)


def main(given: Sequence[str] | None = None) -> int:
    """Print the section."""
    return print_section("quality", __doc__, measure, given)


if __name__ == "__main__":
    sys.exit(main())
