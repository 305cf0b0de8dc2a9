"""The files of a target out of an index: what their functions hold, and their texts only where they were kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from detector.code.corpus import Corpus
from detector.index.records import PlaceRow, SkippedRow, Target
from detector.model import Skipped, UserError
from detector.targets import Head, SourceFile

_NO_TEXT = "the index keeps no texts of this target"


class KnownFiles:
    """A target's files at one revision; everything is read out of the index when it is asked for."""

    def __init__(
        self,
        target: Target,
        places: Sequence[PlaceRow],
        skipped: Sequence[SkippedRow],
        load: Callable[[], Corpus],
        text: Callable[[int], bytes],
    ) -> None:
        self.has_texts = target.has_texts
        self.licence = target.licence
        self.called = target.called  # names by which others call the target
        self.addresses = target.addresses
        self._target = target.target
        self._places = {place.path: place for place in places}
        self._skipped = skipped
        self._load = load
        self._text = text
        self._corpus: Corpus | None = None

    @property
    def corpus(self) -> Corpus:
        """What the functions of all files hold."""
        if self._corpus is None:
            self._corpus = self._load()
        return self._corpus

    def paths(self) -> list[str]:
        """Paths of the Python files that there were, sorted."""
        return sorted([*self._places, *(row.path for row in self._skipped if row.is_listed)])

    def __iter__(self) -> Iterator[SourceFile | Skipped]:
        """Every Python file, where texts were kept.

        Errors: UserError where they were not.
        """
        for path in self.paths():
            if path in self._places:
                yield SourceFile(path, self.read(path), self._places[path].role)
        yield from (Skipped(row.path, row.reason) for row in self._skipped)

    def read(self, path: str) -> bytes:
        """The bytes of one file.

        Errors: UserError where they were not kept.
        """
        if path not in self._places:
            raise FileNotFoundError(path)
        if not self.has_texts:
            raise UserError(f"{self._target}: {_NO_TEXT}: add it again with --keep-text")
        return self._text(self._places[path].pack)

    def notes(self) -> Mapping[str, bytes]:
        """None: what a project says of itself is not kept, but for what it is called."""
        return {}

    def others(self) -> list[str]:
        """None: only Python is kept."""
        return []

    def head(self, path: str, most_bytes: int) -> Head | Skipped:
        """The beginning of one file, where texts were kept."""
        if not self.has_texts:
            return Skipped(path, _NO_TEXT)
        data = self.read(path)
        return Head(data[:most_bytes], len(data))

    def part(self, path: str, begin: int, size: int) -> bytes | Skipped:
        """Some bytes of one file, where texts were kept."""
        return self.read(path)[begin : begin + size] if self.has_texts else Skipped(path, _NO_TEXT)
