"""The past of one side: its commits, and what is asked of them more than once."""

from __future__ import annotations

from functools import cached_property

from detector.artifacts.histories.history_texts import HistoryTexts
from detector.artifacts.histories.lives import Life, Version, files_at, lives, versions
from detector.artifacts.histories.residue import Sizes
from detector.targets import Commit, History, Repo


class Past:
    """A history, read once; everything else follows when it is asked for."""

    def __init__(self, name: str, repo: Repo, history: History) -> None:
        self.name = name
        self.repo = repo
        self.history = history
        self._texts: list[HistoryTexts] = []
        self.sizes = Sizes(self.texts())

    def texts(self) -> HistoryTexts:
        """A reader of files with a budget of its own."""
        self._texts.append(HistoryTexts(self.history))
        return self._texts[-1]

    @property
    def left_out(self) -> int:
        """Files that no budget was left for."""
        return sum(texts.left_out for texts in self._texts)

    @cached_property
    def commits(self) -> tuple[Commit, ...]:
        """Parents before children."""
        return tuple(self.history.commits())

    @cached_property
    def by_id(self) -> dict[str, Commit]:
        """The commits by id."""
        return {commit.id: commit for commit in self.commits}

    @cached_property
    def blobs(self) -> dict[str, Life]:
        """The first time of every blob."""
        return lives(self.commits)

    @cached_property
    def trees(self) -> dict[str, Life]:
        """The first time of every tree."""
        return lives(self.commits, trees=True)

    @cached_property
    def python(self) -> list[Version]:
        """The states of every Python file."""
        return versions(self.commits, (".py", ".pyw"))

    @cached_property
    def present(self) -> dict[str, str]:
        """Paths and blobs of the last commit."""
        return files_at(self.by_id, self.commits[-1].id) if self.commits else {}

    def firsts(self) -> list[Version]:
        """The first state of each Python file, the oldest first."""
        found: dict[str, Version] = {}
        for version in self.python:
            known = found.get(version.path)
            if known is None or version.since < known.since:
                found[version.path] = version
        return sorted(found.values(), key=lambda each: (each.since, each.path))
