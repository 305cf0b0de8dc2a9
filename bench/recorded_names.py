"""Measure the names that are told of disguised packages of which every own name was changed at random, and recorded."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bench.declared import FunctionNode, Key, definitions
from bench.disguise import WHOLE, Disguised, disguise
from bench.disguise.naming import Naming
from bench.disguise.ownership import Project
from bench.disguise.rename import rename_project
from bench.disguise.words import ADJECTIVES, NOUNS, SHORT, VERBS
from bench.disguise.work import Work
from bench.wheels import InMemory
from detector.code.bulk import compared_packages, local_packages, read_corpus
from detector.code.explain import Explanation, explain
from detector.model import Span
from detector.targets import SourceFile

Files = Mapping[str, str]  # path -> text

# Pairs of one package: enough for a thousandth in precision, and the first ones, so that classes stay whole.
MOST_PAIRS = 600


# --- names with a truth ---


class Recorded(Naming):
    """Random new names, each given once, and what each was before."""

    def __init__(self, project: Project, seed: int) -> None:
        super().__init__(project, seed)
        self.old: dict[str, str] = {}  # new name -> old name
        for word in (*NOUNS, *VERBS, *ADJECTIVES, *SHORT):  # what edits name temporaries with
            self.taken |= {word, word.capitalize(), word.upper()}

    def _fresh(self, name: str) -> str:
        new = super()._fresh(name)
        self.old[new] = name
        return new


@dataclass(frozen=True, slots=True)
class Recording:
    """A disguised package and the truth of its names."""

    original: Files
    disguised: Disguised
    old: Mapping[str, str]  # new name -> old name


def recorded(files: Files, level: str, seed: int) -> Recording:
    """Disguise a package, every name that may be changed changed at random."""
    old: dict[str, str] = {}

    def rename(work: Work) -> None:
        project = Project(work.trees)
        naming = Recorded(project, seed)
        rename_project(project, naming)
        old.update(naming.old)

    return Recording(files, disguise(files, level, seed, rename), old)


# --- pairs that are explained ---


Explained = tuple[Key, Key, Explanation]  # suspect, reference


def explained(suspect: Files, reference: Files, pairs: Iterable[tuple[Key, Key]], most: int) -> list[Explained]:
    """Explain the first pairs of functions as a comparison would.

    Left out: functions that are not read, and those that are not the only one of their qualname (a property's setter).
    """
    ours, theirs = in_memory(suspect), in_memory(reference)
    compared = compared_packages(theirs.paths())
    spans = [_spans(side) for side in (ours, theirs)]
    known = [(one, other) for one, other in pairs if one in spans[0] and other in spans[1]][:most]
    found = explain(
        [(spans[0][one], spans[1][other]) for one, other in known],
        ours.read,
        theirs.read,
        (local_packages(ours.paths()) | compared, local_packages(theirs.paths())),
    )
    return [(*pair, explanation) for pair, explanation in zip(known, found, strict=True)]


def in_memory(files: Files) -> InMemory:
    """Texts as the files of a target."""
    return InMemory([SourceFile(path, text.encode()) for path, text in sorted(files.items())])


def _spans(files: InMemory) -> dict[Key, Span]:
    spans = read_corpus(files, files.paths()).spans
    counts = Counter((span.path, span.qualname) for span in spans)
    return {key: span for span in spans if counts[key := (span.path, span.qualname)] == 1}


# --- the measure ---


@dataclass(frozen=True, slots=True)
class Told:
    """One name that is told wrongly: what it was before; "" for one that the disguise has not given."""

    function: str
    name: str
    told: str
    truth: str
    is_introduced: bool = False  # for a value that had no name before


@dataclass(frozen=True, slots=True)
class NamesFound:
    """How the names that are told compare with the truth."""

    pairs: int
    right: int
    wanted: int
    wrong: tuple[Told, ...]

    @property
    def precision(self) -> float:
        """0..1; of what is not told nothing is wrong."""
        told = self.right + len(self.wrong)
        return self.right / told if told else 1.0

    @property
    def recall(self) -> float:
        """0..1; where there is nothing to tell, nothing is missing."""
        return self.right / self.wanted if self.wanted else 1.0

    @property
    def introduced(self) -> int:
        """Wrong ones that stand for a value that had no name before."""
        return sum(each.is_introduced for each in self.wrong)


def names_found(recording: Recording, most: int = MOST_PAIRS) -> NamesFound:
    """Explain the functions that are the whole of an original, and hold their names against the record.

    Wanted: a recorded name in the suspect function whose old name occurs in the reference function.
    Wrong:  a name of the suspect function that is told as one that it was not before.
    """
    suspect, reference = recording.disguised.files, recording.original
    truth = [
        (target.key, key)
        for key, targets in recording.disguised.truth.items()
        for target in targets
        if target.role == WHOLE
    ]
    found = explained(suspect, reference, truth, most)
    words = [_words_by_function(files) for files in (suspect, reference)]
    before = frozenset[str]().union(*words[1].values())
    right = wanted = 0
    wrong: list[Told] = []
    for one, other, explanation in found:
        ours, theirs = words[0][one], words[1][other]
        due = {name: recording.old[name] for name in ours if recording.old.get(name) in theirs}
        wanted += len(due)
        for name, told in explanation.renames.items():
            if name not in ours or name == told:
                continue
            right += due.get(name) == told
            if recording.old.get(name, "") != told:
                is_introduced = name not in recording.old and name not in before
                wrong.append(Told(one[1], name, told, recording.old.get(name, ""), is_introduced))
    return NamesFound(len(found), right, wanted, tuple(wrong))


def _words_by_function(files: Files) -> dict[Key, frozenset[str]]:
    return {
        (path, qualname): words(node)
        for path, text in files.items()
        for qualname, node in definitions(_parsed(text), nested=True)
        if isinstance(node, FunctionNode)
    }


def _parsed(text: str) -> ast.AST:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError):  # the disguise has left it as it is
        return ast.Module([], [])


def words(function: ast.AST) -> frozenset[str]:
    """Every name in a function: variables, attributes, parameters, keywords, functions and classes."""
    found: set[str] = set()
    for node in ast.walk(function):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name):
                found.add(name)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                found.add(name)
            case ast.keyword(arg=str(name)):
                found.add(name)
    return frozenset(found)


def every_nth(files: Files, step: int) -> dict[str, str]:
    """Every nth file by its path."""
    return {path: files[path] for path in sorted(files)[::step]}
