"""Make an index ready for use: fetch the well-known packages and add each to it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager, ExitStack

from detector.index.known import KnownTarget
from detector.model import Skipped, UserError
from detector.read import open_target
from detector.read.pypi import UnreachableError
from detector.targets import Progress, Repo

Opened = Callable[[str], AbstractContextManager[Repo]]


def add_known(
    packages: Sequence[KnownTarget],
    there: Collection[str],
    add: Callable[[Repo], object],
    progress: Progress | None = None,
    opened: Opened = open_target,
) -> tuple[Skipped, ...]:
    """Add each package that is not there yet, and return those that could not be fetched, with the reason.

    there:  targets that the index has, as they were named.
    add:    puts one target into the index, whole or not at all: what was added before an interruption stays, and a
            second run goes on from there.
    Errors: UserError where the package index does not answer at all: every other package would wait as long in vain.
    """
    missed: list[Skipped] = []
    for number, package in enumerate(packages):
        if progress is not None:
            progress(f"{package.name} {package.version}", number, len(packages))
        if package.target in there:
            continue
        with ExitStack() as fetched:
            try:
                repo = fetched.enter_context(opened(package.target))
            except UnreachableError as error:
                done = number - len(missed)
                raise UserError(f"{error}; {done} of {len(packages)} packages are in the index, run it again") from None
            except UserError as error:
                missed.append(Skipped(package.target, str(error).removeprefix(f"{package.target}: ")))
                continue
            add(repo)
    return tuple(missed)
