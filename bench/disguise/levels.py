"""The levels of disguise, each with everything of those before it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bench.disguise.callables import Callables
from bench.disguise.expressions import Idioms, first_parameters, is_plain, own_class
from bench.disguise.facts import ModuleFacts
from bench.disguise.files import rename_files
from bench.disguise.imports import restyle_imports
from bench.disguise.layout import strip
from bench.disguise.ownership import Project
from bench.disguise.printing import printed
from bench.disguise.rates import Rates
from bench.disguise.regroup import Regrouper
from bench.disguise.rename import rename_project
from bench.disguise.sequential import unroll_sequentials
from bench.disguise.structure import restructure
from bench.disguise.word_naming import WordNaming
from bench.disguise.work import Disguised, Work, functions


def rename_names(work: Work) -> None:
    """Rename what the project names itself."""
    project = Project(work.trees)
    rename_project(project, WordNaming(project, work))


Rename = Callable[[Work], None]  # gives every own name of the trees another one


def disguise(files: Mapping[str, str], level: str, seed: int, rename: Rename = rename_names) -> Disguised:
    """Write a project anew at a level L1 to L8, the same for the same seed.

    Files:  path -> text; one that is not Python 3 stays as it is, and its functions are not in the truth.
    Truth:  every function of the original, nested ones included -> where its code is; nothing if it was dropped.
    """
    return finished(changed(files, level, seed, rename))


def changed(files: Mapping[str, str], level: str, seed: int, rename: Rename = rename_names) -> Work:
    """The project after all edits of the level, as trees."""
    work = Work(files, Rates(level, seed), seed)
    change(work, rename)
    return work


def change(work: Work, rename: Rename = rename_names) -> None:
    """Make the edits of the level, names by `rename` from L2 on."""
    for path, tree in work.trees.items():
        work.trees[path] = strip(tree)
    if work.rates.level >= 2:
        rename(work)
    if work.rates.level >= 3:
        rename_files(work)
    if work.rates.level >= 7:
        work.settle()
        restructure(work)
    if work.rates.level >= 5:
        work.settle()
        rewrite(work)
        work.settle()
    if work.rates.level >= 4:
        restyle_imports(work)


def rewrite(work: Work) -> None:
    """Edit the statements and expressions of every function."""
    callables = Callables(work)
    for path, tree in work.trees.items():
        module = ModuleFacts(tree)
        owners = own_class(tree)
        if work.rates.level >= 6:
            unroll_sequentials(work, path, tree, module, callables)
        for function in list(functions(tree)):
            if not is_plain(function):
                continue
            readable, own = owners.get(function, ("", ""))
            if work.rates.level >= 6:
                Idioms(work, path, module, function, own).rewrite(readable, first_parameters(function))
            Regrouper(work, path, module, function, own, callables).regroup()


def finished(work: Work) -> Disguised:
    """Lay everything out, and say where everything went."""
    texts = {path: printed(tree, work.chance) for path, tree in sorted(work.trees.items())}
    return Disguised({**texts, **work.unread}, work.truth(), dict(sorted(work.applied.items())))
