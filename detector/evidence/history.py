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
           its past; other branches than the ones compared. Dates are what commits claim, and can be set to anything.
Sources:   Git's object model (Chacon and Straub 2014, chapter 10); PEP 552 and PEP 3147 (headers of compiled Python);
           Godfrey and Zou 2005 (origin analysis).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from detector.artifacts.histories import dates
from detector.artifacts.histories import history_tables as tables
from detector.artifacts.histories.history_tables import Found, Versions
from detector.artifacts.histories.lives import Window
from detector.artifacts.histories.past import Past
from detector.artifacts.histories.removals import Mentions, Removal, removals
from detector.artifacts.histories.renamings import Renaming, renamings
from detector.artifacts.histories.residue import (
    Compiled,
    Dated,
    ToolPaths,
    compiled_files,
    corroborated,
    left_paths,
    tool_paths,
)
from detector.artifacts.histories.shared_files import Shared, shared
from detector.artifacts.histories.source_names import SourceNames, checkpoint_pattern, source_names, together
from detector.artifacts.histories.spoken_names import names_in_notes, names_spoken
from detector.code.versions import Lowered, nearest_versions
from detector.model import Evidence, Examined, Look, Skipped, Strength
from detector.patterns import line, support
from detector.settings.history import (
    FEWEST_IMPORTED_NAMES,
    IMPORTED_NAMES,
    LEFT_ODDS,
    LEFT_SIZE_ODDS,
    MEDIA,
    MOST_VERSION_FILES,
    REMOVED_ODDS,
    SHARED_FOLDER_ODDS,
    SHARED_OTHER_ODDS,
    SHARED_PYTHON_ODDS,
)
from detector.targets import Commit, Comparison, Repo

_MOST_PLACES = 5  # of a line; its table has all


@dataclass(frozen=True, slots=True)
class _Own:
    """What the suspect's history shows by itself; read once, however many references there are."""

    past: Past
    compiled: tuple[Compiled, ...]
    dated: tuple[Dated, ...]
    tools: tuple[ToolPaths, ...]
    renamed: tuple[Renaming, ...]
    removed: tuple[Removal, ...]  # of whatever was looked for


def find(comparison: Comparison) -> tuple[Look, ...]:
    """Compare the histories; without references tell the suspect's alone."""
    suspect = comparison.suspect
    wanted = {name: repo for name, repo in comparison.references.items() if repo.history is not None}
    if suspect.history is None or (comparison.references and not wanted):
        names = comparison.references or [""]
        return tuple(_nothing(name, _without(comparison, comparison.references.get(name))) for name in names)
    comparison.tell("reading histories")
    past = Past(comparison.name, suspect, suspect.history)
    if not comparison.references:
        return (_alone(_own(past, checkpoint_pattern())),)
    called = {name: source_names(repo, suspect) for name, repo in wanted.items()}
    own = _own(past, together(called.values()).pattern())
    first = next(iter(wanted))  # what speaks of the suspect alone is told once
    return tuple(
        _look(
            comparison,
            own if name == first else replace(own, dated=()),
            Past(name, repo, repo.history),
            called[name],
        )
        if repo.history is not None
        else _nothing(name, _without(comparison, repo))
        for name, repo in comparison.references.items()
    )


def _own(past: Past, pattern: re.Pattern[str] | None) -> _Own:
    compiled = tuple(compiled_files(past.blobs, past.texts()))
    removed = removals(past.commits, past.present.items(), Mentions(past.texts(), pattern)) if pattern else ()
    return _Own(
        past,
        compiled,
        tuple(corroborated(compiled, past.python, past.sizes)),
        tuple(tool_paths(past.blobs, past.texts())),
        tuple(renamings(past.commits, past.texts())),
        tuple(removed),
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
        if past.left_out:
            reason = f"{past.left_out:,} times a file was not read: there are too many bytes of them"
            found.append(Skipped(f"{past.name}:history", reason))
    return tuple(found)


def _look(comparison: Comparison, own: _Own, theirs: Past, names: SourceNames) -> Look:
    ours = own.past
    if not (ours.commits and theirs.commits):
        return _nothing(theirs.name, "a history could not be read", _skipped(ours, theirs))
    comparison.tell(f"comparing histories with {theirs.name}")
    common = frozenset(ours.by_id) & frozenset(theirs.by_id)
    renamed = tuple(each for each in own.renamed if each.commit.id not in common)
    # What a README of today says is not hidden by dropping an import.
    is_spoken_of = bool(own.removed) and names_in_notes(ours.repo, theirs.repo, names.addresses)
    removed = () if is_spoken_of else own.removed
    found = Found(
        common=common,
        shared=Shared() if common else shared(ours, theirs),
        versions=Versions() if common else _versions(ours, theirs),
        renamed=renamed,
        spoken=names_spoken(theirs.repo.files) if renamed else frozenset(),
        removed=tuple(each for each in removed if each.name in names.all() and each.commit.id not in common),
        dated=own.dated,
        left=tuple(left_paths(own.compiled, own.tools, names.projects, theirs.python, theirs.sizes)),
    )
    return Look(
        Examined("history", theirs.name, True, f"{_commits(ours)} with {_commits(theirs)}"),
        tuple(_lines(found, ours, theirs)),
        tuple(tables.exhibits(found, theirs.name)),
        tuple(tables.events(found, own.past, theirs)),
        _skipped(ours, theirs),
    )


def _commits(past: Past) -> str:
    return "1 commit" if len(past.commits) == 1 else f"{len(past.commits):,} commits"


def _alone(own: _Own) -> Look:
    """The suspect's own timeline: renamings, checkpoints that it no longer names, dates that builds support."""
    past = own.past
    if not past.commits:
        return _nothing("", "the history could not be read", _skipped(past))
    exhibits = (
        *tables.renamed("", own.renamed, frozenset()),
        *tables.removed("", own.removed),
        *tables.dated(own.dated),
    )
    events = (*tables.timeline(past), *tables.happened(past.name, own.renamed, own.removed, own.dated))
    return Look(Examined("history", "", True, _commits(past)), exhibits=exhibits, events=events, skipped=_skipped(past))


def _versions(ours: Past, theirs: Past) -> Versions:
    """The versions that edited files are nearest to."""
    files = [each for each in ours.firsts() if each.blob not in theirs.blobs][:MOST_VERSION_FILES]
    versions = theirs.python
    lowered = Lowered(ours.texts().data), Lowered(theirs.texts().data)
    older, newer = [], []
    bits = ungated_bits = 0.0
    for file, (gated, ungated) in zip(files, nearest_versions(files, versions, *lowered), strict=True):
        if gated is not None:
            bits += gated.bits
            older.append((file, versions[gated.version], gated.similarity, gated.latest))
        if ungated is not None:
            ungated_bits += ungated.bits
            if versions[ungated.version].since > file.since:
                newer.append((file, versions[ungated.version], ungated.similarity, ungated.latest))
    return Versions(tuple(older), tuple(newer), bits, ungated_bits)


# --- lines ---


def _lines(found: Found, ours: Past, theirs: Past) -> Iterator[Evidence]:
    name = theirs.name
    if found.common:
        yield _same_commits(found, ours, name)
    if found.shared.files:
        yield _same_blobs(found, name)
    if found.shared.folders:
        said = {"n": len(found.shared.folders)}
        measures = {"folders": len(found.shared.folders), "files": sum(each.files for each in found.shared.folders)}
        places = _places(each.ours.path for each in found.shared.folders)
        yield line("history/same-trees", name, support(SHARED_FOLDER_ODDS), said, measures=measures, places=places)
    if found.shared.window is not None and found.shared.brought is not None:
        yield _copied_version(len(found.shared.files), found.shared.window, found.shared.brought, name)
    if found.versions.nearest:
        yield _nearest_version(found, name)
    if found.shared.newer or found.versions.newer:
        yield _newer(found, name)
    for each in found.renamed:
        yield from _renamed(each, found.spoken, name)
    if found.removed:
        yield _removed(found, ours, name)
    if found.left:
        yield _left(found, name)
    for dated in found.dated[:1]:
        yield _dated(dated, name)


def _same_commits(found: Found, ours: Past, name: str) -> Evidence:
    last = max((ours.by_id[each] for each in found.common), key=lambda each: (each.committed, each.id))
    said = {
        "n": f"{len(found.common):,}",
        "of": f"{len(ours.commits):,}",
        "commit": last.id[: tables.SHORT],
        "date": dates.told(last.committed),
    }
    measures = {"commits": len(found.common), "of": len(ours.commits)}
    return line("history/same-commits", name, Strength.VERY_STRONG, said, measures=measures)


def _same_blobs(found: Found, name: str) -> Evidence:
    python = sum(each.is_python for each in found.shared.files)
    media = sum(each.ours.path.rpartition(".")[2].lower() in MEDIA for each in found.shared.files)
    others = len(found.shared.files) - python - media
    odds = max(_odds(SHARED_PYTHON_ODDS, python), _odds(SHARED_OTHER_ODDS, others))
    absent = sum(each.size < 0 for each in found.shared.files)
    said = {"n": f"{len(found.shared.files):,}", "python": f"{python:,}"}
    measures = {
        "files": len(found.shared.files),
        "python": python,
        "named_by_trees_only": absent,
        "set_aside": len(found.shared.newer),
    }
    tested = [
        f"had later by the reference, by committer dates: {len(found.shared.newer):,} more shared files, not counted"
    ]
    if media:
        tested.append(f"pictures and their like, which many projects show: {media:,} of them; they do not count")
    if not python:
        tested.append("a third source is likely: none of the shared files is Python")
    places = _places(each.ours.path for each in sorted(found.shared.files, key=lambda each: not each.is_python))
    return line("history/same-blobs", name, support(odds), said, measures=measures, tested=tested, places=places)


def _places(paths: Iterable[str]) -> list[tuple[str, int]]:
    return [(path, 0) for path in list(dict.fromkeys(paths))[:_MOST_PLACES]]


def _odds(scale: dict[int, float], count: int) -> float:
    return max((odds for least, odds in scale.items() if count >= least), default=0.0)


def _copied_version(files: int, span: Window, brought: Commit, name: str) -> Evidence:
    said = {
        "held": f"{len(span.held):,}",
        "n": f"{files:,}",
        "first": span.first.id[: tables.SHORT],
        "since": dates.told(span.first.committed),
        "last": span.last.id[: tables.SHORT],
        "until": dates.told(span.last.committed),
        "commit": brought.id[: tables.SHORT],
        "date": dates.told(brought.committed),
    }
    measures = {
        "held": len(span.held),
        "files": files,
        "commits": span.commits,
        "days_before": round((brought.committed - span.first.committed) / dates.SECONDS_A_DAY, 2),
    }
    return line("history/copied-version", name, Strength.NONE, said, measures=measures)


def _nearest_version(found: Found, name: str) -> Evidence:
    newest = max(version.since for _, version, _, _ in found.versions.nearest)
    sharper = sum(similarity > latest for _, _, similarity, latest in found.versions.nearest)
    said = {"n": f"{len(found.versions.nearest):,}", "since": dates.told(newest), "sharper": f"{sharper:,}"}
    measures = {
        "files": len(found.versions.nearest),
        "nearer_to_an_old_version": sharper,
        "bits": round(found.versions.bits, 2),
    }
    places = _places(file.path for file, *_ in found.versions.nearest)
    return line("history/nearest-version", name, Strength.NONE, said, measures=measures, places=places)


def _newer(found: Found, name: str) -> Evidence:
    said = {"n": f"{len(found.shared.newer):,}", "versions": f"{len(found.versions.newer):,}"}
    gated, ungated = found.versions.bits, found.versions.ungated_bits
    measures = {
        "files": len(found.shared.newer),
        "versions": len(found.versions.newer),
        "bits": round(gated, 2),
        "bits_without_the_dates": round(ungated, 2),
    }
    return line("history/newer-in-reference", name, Strength.NONE, said, measures=measures)


def _renamed(each: Renaming, spoken: frozenset[str], name: str) -> Iterator[Evidence]:
    """A line if the names that went are the reference's and those that came are not."""
    held = [places for one, other, places in each.found.pairs if one in spoken and other not in spoken]
    theirs = sum(held)
    share = theirs / max(each.found.explained, 1)
    if share < IMPORTED_NAMES or len(held) < FEWEST_IMPORTED_NAMES:
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


def _removed(found: Found, ours: Past, name: str) -> Evidence:
    names = sorted({each.spelled for each in found.removed})
    said = {"n": f"{len(found.removed):,}", "names": tables.listed(names)}
    measures = {
        "mentions": len(found.removed),
        "names": len(names),
        "files": len({each.path for each in found.removed}),
    }
    places = _places(each.path for each in found.removed)
    tested = [
        f"still named in the present state: none of these names, in {len(ours.present):,} files",
        "the present READMEs and notices do not name the reference",
    ]
    return line(
        "history/trace-removed", name, support(REMOVED_ODDS), said, measures=measures, tested=tested, places=places
    )


def _left(found: Found, name: str) -> Evidence:
    files = sorted({each.file for each in found.left})
    sizes = sum(each.is_same_size for each in found.left)
    said = {"n": f"{len(found.left):,}", "sizes": f"{sizes:,}"}
    measures = {"paths": len(found.left), "files": len(files), "same_size": sizes}
    odds = LEFT_SIZE_ODDS if sizes else LEFT_ODDS
    places = _places(files)
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
