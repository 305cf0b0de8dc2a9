"""Measure other matchers on copies that a project declares itself: `python -m bench.peers`.

Each lists pairs of functions with a score, on the very files of the section `copied_from`.

tokens:       datasketch, MinHash of token 5-grams as published: comments and docstrings included, from .3 on.
exact tokens: exact Jaccard of token 5-grams, without comments, docstrings and the width of layout; raw, or with one
              token for all names. Both are also the baselines of the section `quality`.
copydetect:   its fingerprints at its defaults (k 25, window 6), function by function; the smaller of its two shares.
jscpd:        25 tokens, 3 lines and more; with `--ignore-identifiers` as well, where the installed version has that.
symilar:      pylint's own, 4 lines and more, without comments, docstrings and imports.

The last two report ranges of lines: a pair of functions scores the share of the longer one's lines that is common.
What is not installed is left out and named; nothing is downloaded.
"""

from __future__ import annotations

import ast
import io
import json
import keyword
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import textwrap
import tokenize
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from importlib import import_module
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from bench.copied_from import Run, build, run_here
from bench.declared import Key, definitions
from bench.process import in_fresh_process, own_peak
from bench.scoring import SCORES, SIMILARITY, Listed, Result, Truth, evaluate
from bench.section import ROOT, Demand, print_section, section, table

VARIANTS = ("V0", "V1", "V2", "V3")
GRAM = 5  # tokens
MOST_LISTED = 200  # pairs of one suspect function by exact Jaccard, or nearly every pair would be listed
PERMUTATIONS, THRESHOLD = 128, 0.3
NOISE, WINDOW = 25, 6  # copydetect: characters of a fingerprint, and of how many in a row one is kept; its defaults
FEWEST_TOKENS, FEWEST_LINES = 25, 3  # jscpd
SIMILAR_LINES = 4  # symilar
SKIPPED = {tokenize.ENCODING, tokenize.NL, tokenize.ENDMARKER}
MARKS = {tokenize.NEWLINE: "NEWLINE", tokenize.INDENT: "INDENT", tokenize.DEDENT: "DEDENT"}  # whatever the width
NAME = "NAME"  # stands for every name
SYMILAR = re.compile(r"^==(?P<path>.+):\[(?P<first>\d+):(?P<end>\d+)\]$")
SUSPECT, REFERENCE = "suspect", "reference"  # folders that files are written to

Files = Mapping[str, str]  # path -> text
Grams = frozenset[tuple[str, ...]]
Lines = tuple[int, int]  # from 1, both included


@dataclass(frozen=True, slots=True)
class Function:
    """A function, where it stands, and its text without the indent."""

    key: Key
    lines: Lines
    text: str


@dataclass(frozen=True, slots=True)
class Fragment:
    """Lines of a suspect's file that a matcher reports as those of a reference's file."""

    suspect: str
    suspect_lines: Lines
    reference: str
    reference_lines: Lines


@dataclass(frozen=True, slots=True)
class Peer:
    """Another matcher: suspect's files, reference's files -> the pairs that it lists."""

    find: Callable[[Files, Files], list[Listed]]
    is_installed: Callable[[], bool] = lambda: True


@dataclass(frozen=True, slots=True)
class Scored:
    """What one matcher reaches on one variant."""

    matcher: str
    result: Result
    pairs: int
    cpu_seconds: float


# --- functions and tokens ---


def functions(files: Files) -> list[Function]:
    """Every function, nested ones and decorators included; files that are not Python 3 are left out."""
    found = []
    for path, tree in _trees(files):
        lines = files[path].splitlines()
        for qualname, node in definitions(tree, nested=True):
            if not isinstance(node, ast.ClassDef):
                first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
                last = node.end_lineno or first
                text = textwrap.dedent("\n".join(lines[first - 1 : last])) + "\n"
                found.append(Function((path, qualname), (first, last), text))
    return found


def _trees(files: Files) -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(files):
        try:
            yield path, ast.parse(files[path])
        except (SyntaxError, ValueError):
            continue


def code_tokens(text: str, *, has_prose: bool) -> list[tokenize.TokenInfo]:
    """The tokens of a file that mean something; without comments and bare strings, unless it `has_prose`."""
    found: list[tokenize.TokenInfo] = []
    line: list[tokenize.TokenInfo] = []
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in SKIPPED and (has_prose or token.type != tokenize.COMMENT):
            line.append(token)
        if token.type in {tokenize.NEWLINE, tokenize.ENDMARKER}:
            is_code = any(part.type not in {tokenize.STRING, *MARKS} for part in line)
            found += [part for part in line if has_prose or is_code or part.type in {tokenize.INDENT, tokenize.DEDENT}]
            line = []
    return found


def raw(token: tokenize.TokenInfo) -> str:
    """A token as it stands; ends of lines and blocks by what they are."""
    return MARKS.get(token.type, token.string)


def anonymised(token: tokenize.TokenInfo) -> str:
    """A token, but one and the same for all names."""
    is_name = token.type == tokenize.NAME and not keyword.iskeyword(token.string)
    return NAME if is_name else raw(token)


def token_grams(
    files: Files, spell: Callable[[tokenize.TokenInfo], str] = raw, *, has_prose: bool = False
) -> list[tuple[Key, Grams]]:
    """The token 5-grams of every function."""
    places: defaultdict[str, list[Function]] = defaultdict(list)
    for function in functions(files):
        places[function.key[0]].append(function)
    found = []
    for path, inside in places.items():
        tokens = code_tokens(files[path], has_prose=has_prose)
        numbers = np.array([token.start[0] for token in tokens])
        words = [spell(token) for token in tokens]
        for function in inside:
            start, end = np.searchsorted(numbers, [function.lines[0], function.lines[1] + 1]).tolist()
            while start < end and tokens[start].type in MARKS:  # of what stands around it
                start += 1
            found.append((function.key, grams(words[start:end])))
    return found


def grams(words: Sequence[str]) -> Grams:
    """All runs of five, as a set; none of fewer."""
    return frozenset(zip(*(words[shift:] for shift in range(GRAM)), strict=False))


# --- the peers ---


def exact(spell: Callable[[tokenize.TokenInfo], str], suspects: Files, references: Files) -> list[Listed]:
    """Pairs by the exact Jaccard of their token 5-grams."""
    return jaccard(token_grams(suspects, spell), token_grams(references, spell))


def jaccard(
    ours: Sequence[tuple[Key, Grams]], theirs: Sequence[tuple[Key, Grams]], most: int = MOST_LISTED
) -> list[Listed]:
    """The pairs whose sets share anything, by exact Jaccard: of each suspect function the best, at most so many."""
    numbers: defaultdict[tuple[str, ...], int] = defaultdict(count().__next__)
    for _, known in (*ours, *theirs):
        for gram in known:
            numbers[gram]
    left, right = (_matrix([known for _, known in side], numbers) for side in (ours, theirs))
    sizes = np.array([len(known) for _, known in theirs])
    columns = right.T.tocsr()
    found = []
    for row, (key, known) in enumerate(ours):
        shared = left[row] @ columns
        scores = shared.data / (len(known) + sizes[shared.indices] - shared.data)
        best = np.lexsort((shared.indices, -scores))[:most]
        for column, score in zip(shared.indices[best].tolist(), scores[best].tolist(), strict=True):
            found.append(Listed((key, theirs[column][0]), score, 0.0))
    return found


def _matrix(sets: Sequence[Grams], numbers: Mapping[tuple[str, ...], int]) -> sparse.csr_matrix:
    columns: npt.NDArray[np.int64] = np.array([numbers[gram] for known in sets for gram in known], np.int64)
    starts = np.cumsum([0, *(len(known) for known in sets)])
    return sparse.csr_matrix((np.ones(len(columns)), columns, starts), shape=(len(sets), len(numbers)))


def minhash(suspects: Files, references: Files) -> list[Listed]:
    """Pairs by the estimated Jaccard of their token 5-grams as published, from the threshold on."""
    from datasketch import MinHash, MinHashLSH

    def signatures(files: Files) -> Iterator[tuple[Key, Any]]:
        known = [(key, found) for key, found in token_grams(files, has_prose=True) if found]
        spelled = ([" ".join(gram).encode() for gram in found] for _, found in known)
        return zip((key for key, _ in known), MinHash.generator(spelled, num_perm=PERMUTATIONS), strict=True)

    index = MinHashLSH(threshold=THRESHOLD, num_perm=PERMUTATIONS)
    theirs = list(signatures(references))
    for number, (_, signature) in enumerate(theirs):
        index.insert(number, signature)
    found = []
    for key, signature in signatures(suspects):
        for number in sorted(index.query(signature)):
            score = signature.jaccard(theirs[number][1])
            if score >= THRESHOLD:
                found.append(Listed((key, theirs[number][0]), score, 0.0))
    return found


def copydetect(suspects: Files, references: Files) -> list[Listed]:
    """Pairs by copydetect's fingerprints: those that share one, with the smaller of the two shares."""
    library = import_module("copydetect")

    def fingerprints(files: Files) -> list[tuple[Key, Any]]:
        return [
            (function.key, library.CodeFingerprint("function.py", NOISE, WINDOW, fp=io.StringIO(function.text)))
            for function in functions(files)
        ]

    theirs = fingerprints(references)
    index: defaultdict[int, list[int]] = defaultdict(list)
    for number, (_, known) in enumerate(theirs):
        for value in known.hashes:
            index[value].append(number)
    found = []
    for key, known in fingerprints(suspects):
        for number in sorted({number for value in known.hashes for number in index.get(value, ())}):
            _, shares, _ = library.compare_files(known, theirs[number][1])
            found.append(Listed((key, theirs[number][0]), min(1.0, *map(float, shares)), 0.0))
    return found


def jscpd(options: Sequence[str], suspects: Files, references: Files) -> list[Listed]:
    """Pairs that jscpd's duplicates between the two folders cover."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name).resolve()
        _write(root, suspects, references)
        given = (
            "--absolute", "--skipLocal", "--silent", "--format", "python", "--reporters", "json", "--output",
            str(root / "report"), "--min-tokens", str(FEWEST_TOKENS), "--min-lines", str(FEWEST_LINES),
            "--max-lines", "1000000", "--max-size", "100mb",
        )  # fmt: skip
        folders = (str(root / SUSPECT), str(root / REFERENCE))
        subprocess.run([*_jscpd(), *given, *options, *folders], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        report = json.loads((root / "report" / "jscpd-report.json").read_text(encoding="utf-8"))
        groups = [
            [
                (Path(part["name"]).relative_to(root).as_posix(), (int(part["start"]), int(part["end"])))
                for part in (each["firstFile"], each["secondFile"])
            ]
            for each in report["duplicates"]
        ]
    return covered(fragments(groups), functions(suspects), functions(references))


@cache
def _jscpd() -> tuple[str, ...]:
    """How to start jscpd; nothing if it is not installed."""
    if shutil.which("jscpd"):
        return ("jscpd",)
    npx = ("npx", "--no-install", "jscpd")
    is_there = (
        shutil.which("npx")
        and not subprocess.run(
            [*npx, "--version"], cwd=ROOT, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ).returncode
    )
    return npx if is_there else ()


@cache
def _jscpd_can(option: str) -> bool:
    if not _jscpd():
        return False
    told = subprocess.run([*_jscpd(), "--help"], cwd=ROOT, check=False, stdout=subprocess.PIPE, text=True).stdout
    return option in told


def symilar(suspects: Files, references: Files) -> list[Listed]:
    """Pairs that symilar's groups of similar lines cover."""
    options = (f"--duplicates={SIMILAR_LINES}", "--ignore-comments", "--ignore-docstrings", "--ignore-imports")
    script = "import sys; from pylint import run_symilar; run_symilar(sys.argv[1:])"
    with tempfile.TemporaryDirectory() as name:
        paths = _write(Path(name), suspects, references)
        # Ends with 0 whether it finds anything or not.
        told = subprocess.run(
            [sys.executable, "-c", script, *options, *paths], cwd=name, check=True, stdout=subprocess.PIPE, text=True
        ).stdout
    return covered(fragments(similar_lines(told)), functions(suspects), functions(references))


def similar_lines(told: str) -> list[list[tuple[str, Lines]]]:
    """The groups of places that symilar prints. It counts lines from 0, and names the one after the last."""
    groups: list[list[tuple[str, Lines]]] = [[]]
    for line in told.splitlines():
        place = SYMILAR.match(line)
        if place:
            groups[-1].append((place["path"], (int(place["first"]) + 1, int(place["end"]))))
        elif groups[-1]:
            groups.append([])
    return [group for group in groups if group]


def _write(root: Path, suspects: Files, references: Files) -> list[str]:
    """Write both sides below a folder; the paths there."""
    paths = []
    for side, files in ((SUSPECT, suspects), (REFERENCE, references)):
        for path, text in files.items():
            target = root / side / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
            paths.append(f"{side}/{path}")
    return paths


# --- ranges of lines ---


def fragments(groups: Iterable[Sequence[tuple[str, Lines]]]) -> Iterator[Fragment]:
    """Every suspect's place of a group with every reference's place of it. Paths begin with the side."""
    for group in groups:
        ours, theirs = (
            [(path.removeprefix(f"{side}/"), lines) for path, lines in group if path.startswith(f"{side}/")]
            for side in (SUSPECT, REFERENCE)
        )
        for suspect, lines in ours:
            for reference, others in theirs:
                yield Fragment(suspect, lines, reference, others)


def covered(found: Iterable[Fragment], ours: Sequence[Function], theirs: Sequence[Function]) -> list[Listed]:
    """Pairs of functions that fragments lie in: the lines that they share, as a share of the longer function's."""
    left, right = _by_path(ours), _by_path(theirs)
    shared: defaultdict[tuple[Function, Function], float] = defaultdict(float)
    for fragment in found:
        inside = _within(right[fragment.reference], fragment.reference_lines)
        for suspect in _within(left[fragment.suspect], fragment.suspect_lines):
            for reference in inside:
                shared[suspect, reference] += shared_lines(fragment, suspect.lines, reference.lines)
    return [
        Listed((suspect.key, reference.key), min(1.0, lines / max(_length(suspect), _length(reference))), 0.0)
        for (suspect, reference), lines in shared.items()
        if lines > 0
    ]


def shared_lines(fragment: Fragment, suspect: Lines, reference: Lines) -> float:
    """Lines of the reference's function that a fragment puts beside lines of the suspect's.

    Where the two ends are not equally long, one is stretched to the other.
    """
    (first, last), (start, end) = fragment.suspect_lines, fragment.reference_lines
    stretch = (end - start + 1) / (last - first + 1)
    low = start + (max(suspect[0], first) - first) * stretch
    high = start + (min(suspect[1], last) + 1 - first) * stretch
    return max(0.0, min(high, reference[1] + 1, end + 1) - max(low, reference[0], start))


def _by_path(found: Sequence[Function]) -> defaultdict[str, list[Function]]:
    places: defaultdict[str, list[Function]] = defaultdict(list)
    for function in found:
        places[function.key[0]].append(function)
    return places


def _within(found: Sequence[Function], lines: Lines) -> list[Function]:
    return [each for each in found if each.lines[0] <= lines[1] and lines[0] <= each.lines[1]]


def _length(function: Function) -> int:
    return function.lines[1] - function.lines[0] + 1


RAW_TOKENS, ANONYMISED_TOKENS = "exact tokens, raw", "exact tokens, anonymised"
PEERS: Mapping[str, Peer] = {
    "tokens (datasketch)": Peer(minhash),
    RAW_TOKENS: Peer(partial(exact, raw)),
    ANONYMISED_TOKENS: Peer(partial(exact, anonymised)),
    "copydetect": Peer(copydetect, lambda: find_spec("copydetect") is not None),
    "jscpd": Peer(partial(jscpd, ()), lambda: bool(_jscpd())),
    "jscpd, identifiers equal": Peer(
        partial(jscpd, ("--ignore-identifiers",)), lambda: _jscpd_can("--ignore-identifiers")
    ),
    "symilar (pylint)": Peer(symilar, lambda: find_spec("pylint") is not None),
}


# --- the section ---


def run_peer(name: str, suspect: Path, reference: Path) -> Run:
    """Run one matcher on two folders.

    Units: CPU seconds of this process since its start and of its children; the peak is that of this process alone.
    """
    listed = PEERS[name].find(_read(suspect), _read(reference))
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return Run(listed, sum(usage.ru_utime + usage.ru_stime for usage in usages), own_peak())


def _read(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in sorted(folder.rglob("*.py"))}


def measure(cache: Path, work: Path, variants: Sequence[str] = VARIANTS) -> str:
    """Run detector and every installed peer on every variant, each in a new process."""
    installed = [name for name, peer in PEERS.items() if peer.is_installed()]
    found: dict[str, list[Scored]] = {}
    for variant in variants:
        a, b, known = build(cache, variant, work)
        found[variant] = [_scored(DETECTOR, in_fresh_process(run_here, b, a), known)]
        found[variant] += [_scored(name, in_fresh_process(run_peer, name, b, a), known) for name in installed]
    return report(found, [name for name in PEERS if name not in installed])


def _scored(name: str, done: Run, known: Truth) -> Scored:
    result = evaluate(((listed.pair, SCORES[SIMILARITY](listed)) for listed in done.listed), known)
    return Scored(name, result, len(done.listed), done.cpu_seconds)


def report(found: Mapping[str, Sequence[Scored]], missing: Sequence[str]) -> str:
    """Write the section; the first of each variant is detector."""
    demands = []
    rows = []
    for variant, (own, *others) in found.items():
        best = max(others, key=lambda each: each.result.average_precision)
        demands.append(
            Demand(
                f"{variant}: AP of {own.matcher} ahead of every peer measured here",
                f"> {best.result.average_precision:.4f}, of {best.matcher}",
                f"{own.result.average_precision:.4f}",
                own.result.average_precision > best.result.average_precision,
            )
        )
        for each in (own, *others):
            measures = (each.result.declared_recall, each.result.average_precision, each.result.top_1)
            costs = (f"{each.pairs:,}", f"{each.cpu_seconds:.1f} s")
            rows.append((variant, each.matcher, *(f"{measure:.3f}" for measure in measures), *costs))
    how = (
        "The files and the truth of the section `copied_from`. Every matcher runs in a new process, and lists pairs of "
        "functions with a score; CPU is that of the process and of those that it starts, imports and reading included. "
        "Token 5-grams by datasketch's MinHash as published, and by exact Jaccard without comments and docstrings "
        f"(the best {MOST_LISTED} pairs of each function); copydetect function by function, at its defaults (k "
        f"{NOISE}, window {WINDOW}); jscpd from {FEWEST_TOKENS} tokens and symilar from {SIMILAR_LINES} lines on, the "
        "ranges of lines mapped to functions. AP counts near copies as false, for everybody. "
        + (f"Not installed here: {', '.join(missing)}." if missing else "All known peers are installed here.")
    )
    return section("peers", "other matchers on the declared copies", how, demands, table(HEADER, rows))


DETECTOR = "detector"
HEADER = ("variant", "matcher", "declared recall", "AP", "top-1", "pairs listed", "CPU")


def main(given: Sequence[str] | None = None) -> int:
    """Print the section."""
    return print_section("peers", __doc__, measure, given)


if __name__ == "__main__":
    sys.exit(main())
