"""Matches -> the same with the licences of both sides, and with the comment that would declare each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from detector.artifacts.credits.naming import names_of
from detector.artifacts.licences.compatibility import terms
from detector.artifacts.licences.credit import credit
from detector.artifacts.licences.headers import of_file
from detector.artifacts.licences.project import Licences, of_project
from detector.model import Match, Skipped
from detector.settings.declared import HEADER_BYTES
from detector.targets import Repo


@dataclass(slots=True)
class Stated:
    """The licences of one side: what the project says, and what each file says for itself."""

    repo: Repo
    project: Licences
    files: dict[str, str] = field(default_factory=dict)

    def of(self, path: str) -> str:
        """What holds for one file: its own header, else the project's licence."""
        if path not in self.files:
            head = self.repo.files.head(path, HEADER_BYTES)
            self.files[path] = "" if isinstance(head, Skipped) else of_file(head.data)
        return self.files[path] or self.project.expression


def of(repo: Repo) -> Stated:
    """Read what a project says; files are read when they are asked for."""
    return Stated(repo, of_project(repo.files))


def with_terms(matches: Iterable[Match], suspect: Stated, references: Mapping[str, Stated]) -> tuple[Match, ...]:
    """Put terms to every match, and a credit to each that is not declared."""
    names = {name: names_of(each.repo).names for name, each in references.items()}
    found = []
    for match in matches:
        theirs = references[match.reference_name]
        placed = replace(match, terms=terms(suspect.of(match.suspect.path), theirs.of(match.reference.path)))
        if not match.is_declared:
            repo = theirs.repo
            placed = replace(placed, credit=credit(placed, repo.target, repo.revision, names[match.reference_name]))
        found.append(placed)
    return tuple(found)
