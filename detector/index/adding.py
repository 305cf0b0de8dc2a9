"""Add a target: each file that is not known in its context is lowered once, and everything is filed in one go."""

from __future__ import annotations

import sqlite3
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from detector.artifacts.credits import naming
from detector.artifacts.licences import of_project
from detector.code.bulk import local_packages, packages_of, read_corpus
from detector.code.corpus import Corpus, assembled
from detector.code.imported import imported
from detector.code.parse import uncollected
from detector.code.sorting import Hashes, is_new
from detector.index import histories, removing
from detector.index.filing import New, file_packs
from detector.index.opening import Tell, transaction
from detector.index.packing import packed_counts
from detector.index.records import (
    PACK_COLUMNS,
    PlaceRow,
    SkippedRow,
    Target,
    context_bytes,
    pack_of,
    pack_row,
    put_blob,
    put_places,
    put_skipped,
    put_target,
    targets,
)
from detector.index.sources import Filed, Source, blob_id
from detector.model import Role, Skipped, UserError
from detector.settings.index import FREQUENT, PACK_LEVEL, PART_BYTES
from detector.targets import Progress, Repo, SourceFile

_TOO_MUCH = "holds more than an index keeps of one file"


@dataclass(frozen=True, slots=True)
class Added:
    """What adding a target came to."""

    target: Target
    lowered: int  # files, each in the context that it stands in, that were not known
    known: int  # that were
    is_replaced: bool  # whether the target had been added before


def add(
    connection: sqlite3.Connection,
    repo: Repo,
    jobs: int = 1,
    *,
    with_history: bool = False,
    keep_text: bool = False,
    progress: Progress | None = None,
    tell: Tell | None = None,
) -> Added:
    """Add a target, in place of what was added under the same name before; all of it or nothing.

    Errors: UserError for a target without functions.
    """
    with uncollected(), transaction(connection, tell):
        before = [each for each in targets(connection) if (each.target, each.name) == (repo.target, repo.name)]
        number = connection.execute("SELECT coalesce(max(number), 0) FROM target").fetchone()[0] + 1
        filing = Filing(connection, jobs, keep_text, _Counting(repo, progress))
        paths = frozenset(repo.files.paths())
        tip = list(filing.file(_tip(repo.files, local_packages(paths))))
        skipped = [
            SkippedRow(place, each.path, each.reason, each.path in paths)
            for place, each in enumerate(tip)
            if isinstance(each, Skipped)
        ]
        rows = [
            PlaceRow(place, each.path, each.role, each.pack, 0, 0, "")
            for place, each in enumerate(tip)
            if isinstance(each, Filed)
        ]
        commits = 0
        if with_history:
            filing.is_recording = False
            commits, rows = histories.read(connection, repo, number, before, rows, filing)
        target = _record(connection, repo, number, rows, skipped, commits, filing)
        for each in before:
            removing.forget(connection, each)
    return Added(target, filing.lowered, filing.known, bool(before))


def _record(
    connection: sqlite3.Connection,
    repo: Repo,
    number: int,
    rows: Sequence[PlaceRow],
    skipped: Sequence[SkippedRow],
    commits: int,
    filing: Filing,
) -> Target:
    """Store what is known of a target whose files are filed."""
    present = [row for row in rows if row.first <= commits == row.last]
    functions, frequent = _frequent(connection, present, filing.own)
    if not functions and commits == 0:
        why = next((f" ({each.path}: {each.reason})" for each in skipped), "")
        raise UserError(f"{repo.target}: no Python function could be read{why}: there is nothing to add")
    names = naming.names_of(repo)
    target = Target(
        number,
        repo.target,
        repo.name,
        repo.revision,
        of_project(repo.files).expression,
        packages_of(repo.files.paths()),
        names.names,
        names.addresses,
        functions,
        len(present),
        len(rows),
        commits,
        filing.keeps_text,
    )
    put_target(connection, target)
    put_places(connection, number, rows)
    put_skipped(connection, number, skipped)
    put_blob(connection, "frequent", number, frequent)
    return target


def _tip(files: Iterable[SourceFile | Skipped], local: frozenset[str]) -> Iterator[Source | Skipped]:
    for file in files:
        if isinstance(file, Skipped):
            yield file
        else:
            yield Source(file.path, file.role, blob_id(file.data), imported(file.data, local), file.data)


class _Counting:
    """Tells how far the work is."""

    def __init__(self, repo: Repo, progress: Progress | None) -> None:
        self._name = repo.name
        self._progress = progress
        self.total = len(repo.files.paths())
        self._done = 0

    def tell(self, more: int = 0) -> None:
        """So many files more are done."""
        self._done += more
        if self._progress is not None:
            self._progress(f"adding {self._name}", self._done, max(self.total, self._done))

    def within(self, done: int, total: int) -> None:
        """So many files of a part are lowered."""
        if self._progress is not None:
            self._progress(f"adding {self._name}", self._done + done, max(self.total, self._done + total))


class Filing:
    """Files sources in the order in which they come, a part of them at a time."""

    def __init__(self, connection: sqlite3.Connection, jobs: int, keep_text: bool, counting: _Counting) -> None:
        self._connection = connection
        self._jobs = jobs
        self.keeps_text = keep_text
        self.counting = counting
        self._packs: dict[tuple[bytes, frozenset[str]], int] = {}  # of this run; 0: holds too much
        self._replaced: dict[tuple[bytes, frozenset[str]], int] = {}  # packs that are not to be believed
        self.own: dict[int, Hashes] = {}  # the shingles of the functions of new packs, while they are recorded
        self.is_recording = True
        self.lowered = self.known = 0

    def file(self, sources: Iterable[Source | Skipped]) -> Iterator[Filed | Skipped]:
        """File all of them."""
        part: list[Source | Skipped] = []
        size = 0
        for source in sources:
            part.append(source)
            if isinstance(source, Source) and not self.is_known(source):
                size += len(source.data or b"")
            if size >= PART_BYTES or len(part) >= PART_BYTES // 1_000:
                yield from self._filed(part)
                part, size = [], 0
        yield from self._filed(part)

    def is_known(self, source: Source) -> bool:
        """Whether a file is filed, and can be relied on."""
        key = source.blob, source.context
        if key not in self._packs and key not in self._replaced:
            found = known_pack(self._connection, *key)
            if found is not None and found[1]:
                self._packs[key] = found[0]
                self.known += 1
            else:
                self._replaced[key] = found[0] if found else 0
        return key in self._packs

    def _filed(self, part: Sequence[Source | Skipped]) -> Iterator[Filed | Skipped]:
        new: dict[tuple[bytes, frozenset[str]], Source] = {}
        for source in part:
            if isinstance(source, Source) and not self.is_known(source):
                new.setdefault((source.blob, source.context), source)
        self._lower(list(new.values()))
        for source in part:
            if isinstance(source, Skipped):
                yield source
                continue
            pack = self._packs[source.blob, source.context]
            if pack and self.keeps_text and source.data is not None:
                self._keep(pack, source.data)
            if pack:
                yield Filed(source.path, source.role, source.blob, source.context, pack)
            else:
                yield Skipped(source.path, _TOO_MUCH)
        self.counting.tell(len(part))

    def _lower(self, sources: Sequence[Source]) -> None:
        """Lower files together that mean the same by their imports."""
        together = frozenset().union(*(source.context for source in sources))
        waiting = list(sources)
        while waiting:
            chosen = [source for source in waiting if imported(source.data or b"", together) == source.context]
            if not chosen:
                together = waiting[0].context
                continue
            self._file_new(chosen, _lowered(chosen, together, self._jobs, self.counting.within))
            chosen_keys = {id(source) for source in chosen}
            waiting = [source for source in waiting if id(source) not in chosen_keys]
            together = waiting[0].context if waiting else together

    def _file_new(self, sources: Sequence[Source], corpora: Sequence[Corpus]) -> None:
        new = []
        for source, corpus in zip(sources, corpora, strict=True):
            reason = corpus.skipped[0].reason if corpus.skipped else ""
            key = source.blob, source.context
            new.append(New(*key, corpus, reason, replaces=self._replaced.get(key, 0)))
        try:
            numbers = file_packs(self._connection, new)
        except ValueError:  # one of them is too large; which one is found out one by one
            if len(new) > 1:
                for source, corpus in zip(sources, corpora, strict=True):
                    self._file_new([source], [corpus])
                return
            numbers = [0]
        self.lowered += len(new)
        for each, number in zip(new, numbers, strict=True):
            self._packs[each.blob, each.context] = number
            if self.is_recording:
                self.own[number] = each.corpus.shingles.hashes

    def _keep(self, pack: int, data: bytes) -> None:
        if self._connection.execute("SELECT 1 FROM text WHERE pack = ?", (pack,)).fetchone() is None:
            put_blob(self._connection, "text", pack, zlib.compress(data, PACK_LEVEL))


def known_pack(connection: sqlite3.Connection, blob: bytes, context: frozenset[str]) -> tuple[int, bool] | None:
    """The number of the pack of a blob in a context, and whether it can be relied on; None if there is none.

    What was imported is what somebody says of a blob, and what is damaged says nothing: both are lowered again.
    """
    row = connection.execute(
        f"SELECT {PACK_COLUMNS} FROM pack WHERE blob = ? AND context = ?", (blob, context_bytes(context))
    ).fetchone()
    if row is None:
        return None
    try:
        return int(row[0]), pack_of(row).is_own
    except ValueError:
        return int(row[0]), False


def _lowered(
    sources: Sequence[Source], local: frozenset[str], jobs: int, progress: Callable[[int, int], None]
) -> list[Corpus]:
    """The functions of each file, as a corpus of its own."""
    files = [SourceFile(f"{place:09}", source.data or b"") for place, source in enumerate(sources)]
    # Packages by these names, and nothing else: what paths tell of a repository.
    paths = [f"{name}/__init__.py" for name in sorted(local)]
    corpus = read_corpus(files, paths, jobs, lambda done, _: progress(done, len(files)), wordings=True)
    parts = dict(corpus.by_file())
    reasons = {each.path: each for each in corpus.skipped}
    nothing = replace(assembled([]), files=1)
    if corpus.wordings is not None:
        nothing = replace(corpus.part(0, 0), files=1)
    return [
        replace(parts.get(file.path, nothing), skipped=(reasons[file.path],) if file.path in reasons else ())
        for file in files
    ]


def _frequent(connection: sqlite3.Connection, rows: Sequence[PlaceRow], own: dict[int, Hashes]) -> tuple[int, bytes]:
    """How many functions a target has at its revision, and its frequent shingles, packed."""
    times = Counter(row.pack for row in rows)
    functions = 0
    hashes: list[Hashes] = [np.zeros(0, np.uint64)]
    for pack, count in times.items():
        if pack in own:
            found = own[pack]
            functions += count * int(
                connection.execute("SELECT functions FROM pack WHERE number = ?", (pack,)).fetchone()[0]
            )
        else:
            row = pack_row(connection, pack)
            functions += count * row.functions
            found = row.corpus("", Role.OWN).shingles.hashes
        hashes += [found] * count
    ordered = np.sort(np.concatenate(hashes))
    firsts = np.flatnonzero(is_new(ordered))
    counts = np.diff(firsts, append=len(ordered))
    kept = counts >= FREQUENT
    return functions, packed_counts(ordered[firsts[kept]], counts[kept])
