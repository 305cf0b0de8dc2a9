"""What two git histories have in common: the same files and folders, which version was copied, what happened after.

Measured:  ids of commits, files and folders that both histories hold; the version of the reference that holds most of
           them, and the versions that edited Python files are nearest to; commits of the suspect that put names for
           names; mentions of the reference that it removed; paths and dates that builds left in it. What the reference
           had later than the suspect, by its committer dates, does not count.
Copying:   nobody writes a file twice byte for byte. Many files that stood together in one version of the reference,
           and nowhere else, say which version was taken, and that it was not taken before.
Innocent:  declared reuse; a fork; a third source of both (a checkpoint's files, a benchmark, an upstream project); a
           project that renames itself; a dependency that was dropped.
Misses:    what was edited before its first commit leaves no equal file; a history that was squashed or begun anew hides
           its past; other branches than the ones compared; the dates are what commits claim, and can be set to anything.
Sources:   Git's object model (Chacon and Straub 2014, chapter 10); PEP 552 and PEP 3147 (headers of compiled Python);
           Godfrey and Zou 2005 (origin analysis).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from detector.artifacts import dates
from detector.artifacts import history_tables as tables
from detector.artifacts.lives import Window, introduced, window
from detector.artifacts.past import Past
from detector.artifacts.removals import Mentions, Removal, removals
from detector.artifacts.renamings import Renaming, renamings
from detector.artifacts.residue import Compiled, Dated, Left, compiled_files, corroborated, left_paths
from detector.artifacts.shared_files import SharedFile, SharedFolder, shared_files, shared_folders
from detector.artifacts.source_names import checkpoint_pattern, source_names
from detector.artifacts.spoken_names import names_spoken
from detector.code.versions import Lowered, nearest_versions
from detector.model import Event, Evidence, Examined, Exhibit, Look, Skipped, Strength
from detector.patterns import line, support
from detector.settings import (
    IMPORTED_NAMES,
    LEFT_ODDS,
    LEFT_SIZE_ODDS,
    MOST_VERSION_FILES,
    REMOVED_ODDS,
    SHARED_FOLDER_ODDS,
    SHARED_OTHER_ODDS,
    SHARED_PYTHON_ODDS,
)
from detector.targets import Comparison, Repo

_MOST_PLACES = 5  # of a line; its table has all


@dataclass(frozen=True, slots=True)
class _Own:
    """What the suspect's history shows by itself."""

    past: Past
    compiled: tuple[Compiled, ...]
    dated: tuple[Dated, ...]


@dataclass(slots=True)
class _Found:
    """What two histories have in common, and what of the suspect's leads to the reference."""

    common: frozenset[str] = frozenset()  # commits of both
    files: list[SharedFile] = field(default_factory=list)
    newer: list[SharedFile] = field(default_factory=list)  # that the reference had later
    folders: list[SharedFolder] = field(default_factory=list)
    window: Window | None = None
    brought: tuple[str, int] = ("", 0)  # the commit of the suspect that brought in most of it, and its date
    nearest: list[tables.Near] = field(default_factory=list)
    gated: list[tables.Near] = field(default_factory=list)  # nearer ones that were not there yet
    gated_bits: tuple[float, float] = (0.0, 0.0)  # shared with the nearest versions, with the gate and without
    renamed: list[Renaming] = field(default_factory=list)
    spoken: frozenset[str] = frozenset()
    removed: list[Removal] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)


def find(comparison: Comparison) -> tuple[Look, ...]:
    """Compare the histories; without references tell the suspect's alone."""
    suspect = comparison.suspect
    wanted = {name: repo for name, repo in comparison.references.items() if repo.history is not None}
    if suspect.history is None or (comparison.references and not wanted):
        names = comparison.references or [""]
        return tuple(_nothing(name, _without(comparison, comparison.references.get(name))) for name in names)
    comparison.tell("reading histories")
    past = Past(comparison.name, suspect, suspect.history)
    compiled = tuple(compiled_files(past.blobs, past.texts))
    own = _Own(past, compiled, tuple(corroborated(compiled, past.python, past.sizes)))
    if not comparison.references:
        return (_alone(own),)
    return tuple(
        _look(comparison, own, Past(name, repo, repo.history))
        if repo.history is not None
        else _nothing(name, _without(comparison, repo))
        for name, repo in comparison.references.items()
    )


def _without(comparison: Comparison, reference: Repo | None) -> str:
    sides = (comparison.suspect, *([reference] if reference is not None else []))
    missing = ["the suspect" if repo is comparison.suspect else "the reference" for repo in sides if not repo.history]
    return f"{' and '.join(missing)} {'are' if len(missing) > 1 else 'is'} no git repository"


def _nothing(name: str, about: str, skipped: tuple[Skipped, ...] = ()) -> Look:
    return Look(Examined("history", name, False, about), skipped=skipped)


def _skipped(*pasts: Past) -> tuple[Skipped, ...]:
    found = [Skipped(f"{past.name}:{each.path}", each.reason) for past in pasts for each in past.history.skipped()]
    for past in pasts:
        if past.texts.left_out:
            reason = f"{past.texts.left_out:,} files of the history were not read: there are too many bytes of them"
            found.append(Skipped(f"{past.name}:history", reason))
    return tuple(found)


def _look(comparison: Comparison, own: _Own, theirs: Past) -> Look:
    ours = own.past
    if not (ours.commits and theirs.commits):
        return _nothing(theirs.name, "a history could not be read", _skipped(ours, theirs))
    comparison.tell(f"comparing histories with {theirs.name}")
    found = _Found(frozenset(ours.by_id) & frozenset(theirs.by_id))
    if not found.common:
        _files(found, ours, theirs)
        _versions(found, ours, theirs)
    _afterwards(found, own, theirs)
    about = f"{_commits(len(ours.commits))} with {_commits(len(theirs.commits))}"
    return Look(
        Examined("history", theirs.name, True, about),
        tuple(_lines(found, own, theirs)),
        tuple(_exhibits(found, own, theirs.name)),
        tuple(_events(found, own, theirs)),
        _skipped(ours, theirs),
    )


def _commits(count: int) -> str:
    return "1 commit" if count == 1 else f"{count:,} commits"


def _alone(own: _Own) -> Look:
    """The suspect's own timeline: renamings, checkpoints that it no longer names, dates that builds support."""
    past = own.past
    if not past.commits:
        return _nothing("", "the history could not be read", _skipped(past))
    renamed = renamings(past.commits, past.texts)
    mentions = Mentions(past.texts, checkpoint_pattern())
    removed = removals(past.commits, past.present.items(), mentions)
    exhibits = (*tables.renamed("", renamed, frozenset()), *tables.removed("", removed), *tables.dated(own.dated))
    events = (*tables.timeline(past), *tables.happened(past.name, renamed, removed, own.dated))
    examined = Examined("history", "", True, _commits(len(past.commits)))
    return Look(examined, exhibits=exhibits, events=events, skipped=_skipped(past))


# --- what there is ---


def _files(found: _Found, ours: Past, theirs: Past) -> None:
    """Files and folders of both, and the version of the reference that holds most of them."""
    both = shared_files(ours, theirs)
    found.files = [each for each in both if each.is_older]
    found.newer = [each for each in both if not each.is_older]
    by_blob = {each.blob: each for each in found.files}
    folders = shared_folders(ours, theirs, by_blob)
    found.folders = [each for each in folders if each.theirs.date <= each.ours.date]
    brought = introduced(ours.commits, {each.blob: each.ours for each in found.files})
    if brought is not None:
        found.brought = brought.id, brought.committed
        found.window = window(theirs.commits, by_blob, brought.committed)


def _versions(found: _Found, ours: Past, theirs: Past) -> None:
    """The versions that edited files are nearest to."""
    copies = {each.blob for each in (*found.files, *found.newer)}
    files = [each for each in ours.firsts() if each.blob not in copies][:MOST_VERSION_FILES]
    versions = theirs.python
    lowered = Lowered(ours.texts.data), Lowered(theirs.texts.data)
    bits = [0.0, 0.0]
    for file, (older, any_) in zip(files, nearest_versions(files, versions, *lowered), strict=True):
        bits[0] += older.bits if older is not None else 0.0
        bits[1] += any_.bits if any_ is not None else 0.0
        if older is not None:
            found.nearest.append((file, versions[older.version], older.similarity, older.latest))
        if any_ is not None and versions[any_.version].since > file.since:
            found.gated.append((file, versions[any_.version], any_.similarity, any_.latest))
    found.gated_bits = bits[0], bits[1]


def _afterwards(found: _Found, own: _Own, theirs: Past) -> None:
    """What the suspect's own commits did, and what builds left in it."""
    ours = own.past
    commits = [commit for commit in ours.commits if commit.id not in found.common]
    names = source_names(theirs.repo, ours.repo)
    pattern = names.pattern()
    if pattern is not None:
        found.removed = removals(commits, ours.present.items(), Mentions(ours.texts, pattern))
    found.left = left_paths(own.compiled, ours.blobs, ours.texts, names.projects, theirs.python, theirs.sizes)
    found.renamed = renamings(commits, ours.texts)
    if found.renamed:
        found.spoken = names_spoken(theirs.repo.files)


# --- lines ---


def _lines(found: _Found, own: _Own, theirs: Past) -> Iterator[Evidence]:
    name = theirs.name
    if found.common:
        yield _same_commits(found, own.past, name)
    if found.files:
        yield _same_blobs(found, name)
    if found.folders:
        said = {"n": len(found.folders)}
        measures = {"folders": len(found.folders), "files": sum(each.files for each in found.folders)}
        places = [(each.ours.path, 0) for each in found.folders[:_MOST_PLACES]]
        yield line("history/same-trees", name, support(SHARED_FOLDER_ODDS), said, measures=measures, places=places)
    if found.window is not None:
        yield _copied_version(found, found.window, name)
    if found.nearest:
        yield _nearest_version(found, name)
    if found.newer or found.gated:
        yield _newer(found, name)
    for each in found.renamed:
        yield from _renamed(each, found.spoken, name)
    if found.removed:
        yield _removed(found, own.past, name)
    if found.left:
        yield _left(found, name)
    for dated in own.dated[:1]:
        yield _dated(dated, name)


def _same_commits(found: _Found, ours: Past, name: str) -> Evidence:
    last = max((ours.by_id[each] for each in found.common), key=lambda each: (each.committed, each.id))
    said = {
        "n": f"{len(found.common):,}",
        "of": f"{len(ours.commits):,}",
        "commit": last.id[: tables.SHORT],
        "date": dates.told(last.committed),
    }
    measures = {"commits": len(found.common), "of": len(ours.commits)}
    return line("history/same-commits", name, Strength.VERY_STRONG, said, measures=measures)


def _same_blobs(found: _Found, name: str) -> Evidence:
    python = sum(each.is_python for each in found.files)
    others = len(found.files) - python
    odds = max(_odds(SHARED_PYTHON_ODDS, python), _odds(SHARED_OTHER_ODDS, others))
    absent = sum(each.size < 0 for each in found.files)
    said = {"n": f"{len(found.files):,}", "python": f"{python:,}", "others": f"{others:,}"}
    measures = {
        "files": len(found.files),
        "python": python,
        "named_by_trees_only": absent,
        "set_aside": len(found.newer),
    }
    tested = [f"had later by the reference, by committer dates: {len(found.newer):,} more shared files, not counted"]
    if not python:
        tested.append("a third source is likely: none of the shared files is Python")
    places = [(each.ours.path, 0) for each in sorted(found.files, key=lambda each: not each.is_python)[:_MOST_PLACES]]
    return line("history/same-blobs", name, support(odds), said, measures=measures, tested=tested, places=places)


def _odds(scale: dict[int, float], count: int) -> float:
    return max((odds for least, odds in scale.items() if count >= least), default=0.0)


def _copied_version(found: _Found, span: Window, name: str) -> Evidence:
    commit, date = found.brought
    said = {
        "held": f"{len(span.held):,}",
        "n": f"{len(found.files):,}",
        "first": span.first.id[: tables.SHORT],
        "since": dates.told(span.first.committed),
        "last": span.last.id[: tables.SHORT],
        "until": dates.told(span.last.committed),
        "commit": commit[: tables.SHORT],
        "date": dates.told(date),
    }
    measures = {
        "held": len(span.held),
        "files": len(found.files),
        "commits": span.commits,
        "days_before": round((date - span.first.committed) / dates.SECONDS_A_DAY, 2),
    }
    return line("history/copied-version", name, Strength.NONE, said, measures=measures)


def _nearest_version(found: _Found, name: str) -> Evidence:
    newest = max(version.since for _, version, _, _ in found.nearest)
    sharper = sum(similarity > latest for _, _, similarity, latest in found.nearest)
    said = {"n": f"{len(found.nearest):,}", "since": dates.told(newest), "more_exact": ""}
    if sharper:
        said["more_exact"] = f"; {sharper:,} of the files are nearer to an old version than to the newest"
    measures = {"files": len(found.nearest), "nearer_to_an_old_version": sharper, "bits": round(found.gated_bits[0], 2)}
    places = [(file.path, 0) for file, *_ in found.nearest[:_MOST_PLACES]]
    return line("history/nearest-version", name, Strength.NONE, said, measures=measures, places=places)


def _newer(found: _Found, name: str) -> Evidence:
    said = {"n": f"{len(found.newer):,}", "versions": f"{len(found.gated):,}"}
    gated, ungated = found.gated_bits
    measures = {
        "files": len(found.newer),
        "versions": len(found.gated),
        "bits": round(gated, 2),
        "bits_without_the_dates": round(ungated, 2),
    }
    return line("history/newer-in-reference", name, Strength.NONE, said, measures=measures)


def _renamed(each: Renaming, spoken: frozenset[str], name: str) -> Iterator[Evidence]:
    """A line if the names that went are the reference's and those that came are not."""
    theirs = sum(places for one, other, places in each.found.pairs if one in spoken and other not in spoken)
    share = theirs / max(each.found.explained, 1)
    if share < IMPORTED_NAMES:
        return
    said = {
        "commit": each.commit.id[: tables.SHORT],
        "date": dates.told(each.commit.committed),
        "pairs": f"{len(each.found.pairs):,}",
        "places": f"{each.found.explained:,}",
        "share": f"{each.found.consistency:.0%}",
        "theirs": f"{theirs:,}",
    }
    measures = {
        "pairs": len(each.found.pairs),
        "places": each.found.explained,
        "share": round(each.found.consistency, 4),
    }
    odds = each.found.explained * share  # every place might have held another name
    yield line("history/imported-then-renamed", name, support(odds), said, measures=measures)


def _removed(found: _Found, ours: Past, name: str) -> Evidence:
    names = sorted({each.name for each in found.removed})
    said = {"n": f"{len(found.removed):,}", "names": tables.listed(names)}
    measures = {
        "mentions": len(found.removed),
        "names": len(names),
        "files": len({each.path for each in found.removed}),
    }
    places = [(each.path, 0) for each in found.removed[:_MOST_PLACES]]
    tested = [f"still named in the present state: none of these names, in {len(ours.present):,} files"]
    return line(
        "history/trace-removed", name, support(REMOVED_ODDS), said, measures=measures, tested=tested, places=places
    )


def _left(found: _Found, name: str) -> Evidence:
    files = sorted({each.file for each in found.left})
    sizes = sum(each.is_same_size for each in found.left)
    said = {"n": f"{len(found.left):,}", "files": f"{len(files):,}", "sizes": f"{sizes:,}"}
    measures = {"paths": len(found.left), "files": len(files), "same_size": sizes}
    odds = LEFT_SIZE_ODDS if sizes else LEFT_ODDS
    places = [(path, 0) for path in files[:_MOST_PLACES]]
    return line("history/residue", name, support(odds), said, measures=measures, places=places)


def _dated(dated: Dated, name: str) -> Evidence:
    said = {
        "path": dated.compiled.path,
        "written": dates.told(dated.written),
        "apart": dates.apart(dated.written, dated.version.since),
        "commit": dated.version.commit[: tables.SHORT],
    }
    measures = {"seconds": abs(dated.written - dated.version.since)}
    return line("history/date-corroborated", name, Strength.NONE, said, measures=measures)


# --- tables and events ---


def _exhibits(found: _Found, own: _Own, name: str) -> Iterator[Exhibit]:
    title = "Files that both histories hold byte for byte, the reference first"
    yield from tables.same_files(name, found.files, "same-blobs", title)
    yield from tables.same_folders(name, found.folders)
    title = "Files that both histories hold byte for byte, the suspect first: not counted"
    yield from tables.same_files(name, found.newer, "newer-blobs", title)
    yield from tables.nearest(name, sorted(found.nearest, key=lambda each: (-each[2], each[0].path)))
    yield from tables.renamed(name, found.renamed, found.spoken)
    yield from tables.removed(name, found.removed)
    yield from tables.left(name, found.left)
    yield from tables.dated(own.dated)


def _events(found: _Found, own: _Own, theirs: Past) -> Iterator[Event]:
    name = own.past.name
    yield from tables.timeline(own.past)
    yield from tables.timeline(theirs)
    yield from tables.happened(name, found.renamed, found.removed, own.dated)
    yield from tables.left_events(name, theirs.name, found.left)
    if found.window is not None:
        yield from tables.copied_version(theirs.name, name, found.window, found.brought, len(found.files))
