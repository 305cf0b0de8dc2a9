"""Well-known packages of machine learning, by name and version: what an index can begin with."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from detector.model import UserError


@dataclass(frozen=True, slots=True)
class KnownTarget:
    """One version of a published package."""

    name: str
    version: str
    licence: str  # SPDX expression, as the package's own metadata and licence file say
    about: str  # what it is, in a line

    @property
    def target(self) -> str:
        """As it is named on a command line."""
        return f"pypi:{self.name}=={self.version}"


@cache
def known_targets() -> tuple[KnownTarget, ...]:
    """All of them, sorted by name, then as the list has them: the older version first."""
    tables = tomllib.loads((resources.files("detector.index") / "known.toml").read_text("utf-8"))
    return tuple(KnownTarget(**table) for table in tables["package"])


def chosen(names: Sequence[str]) -> tuple[KnownTarget, ...]:
    """Those of the given names, every version of each; all of them where no name is given.

    Errors: UserError for a name that is not on the list, with the ones that are spelled alike.
    """
    wanted = {_normal(name): name for name in names}
    listed = {_normal(each.name) for each in known_targets()}
    for normal, name in wanted.items():
        if normal not in listed:
            raise UserError(f"{name!r} is not one of the well-known packages: {_instead(normal, listed)}")
    return tuple(each for each in known_targets() if not wanted or _normal(each.name) in wanted)


def _instead(name: str, listed: Iterable[str]) -> str:
    alike = difflib.get_close_matches(name, sorted(listed), n=3)
    meant = f"perhaps {' or '.join(alike)}; " if alike else ""
    return f"{meant}any other package is added by its target, pypi:NAME==VERSION"


def _normal(name: str) -> str:
    """Source: PEP 503, normalized names."""
    return re.sub(r"[-_.]+", "-", name).lower()
