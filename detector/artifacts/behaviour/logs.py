"""The files of a target -> its logs, and which of them are of other models."""

from __future__ import annotations

import re
from dataclasses import dataclass

from detector.artifacts.behaviour.log import Log, read_log
from detector.model import Skipped
from detector.settings.behaviour import MOST_LOGS, MOST_SIDE_CHARACTERS
from detector.targets import Files

SUFFIXES = (".jsonl", ".ndjson", ".csv", ".tsv", ".parquet")
_WORDS = r"(?:predictions?|preds?|predicted|outputs?|results?|answers?|responses?|generations?)"
_NAMED = re.compile(rf"(?:^|[^a-z]){_WORDS}(?:[^a-z]|$)", re.IGNORECASE)
_OTHERS = re.compile(r"(?:^|[^a-z])(?:baselines?|panel|other[_-]models)(?:[^a-z]|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Logs:
    """What a target has of recorded predictions."""

    own: tuple[Log, ...]  # of the model that the target is about, those nearest to the top first
    others: tuple[Log, ...]  # of models that it was compared with: they only tell what chance gives
    skipped: tuple[Skipped, ...]


def read_logs(files: Files, *, only_others: bool = False) -> Logs:
    """Read every file that is a log by its name; of a target that is one file, that file.

    only_others: all of them are of other models, whatever they are called.
    """
    paths = [path for path in files.others() if path.lower().endswith(SUFFIXES)]
    if len(files.others()) > 1 or files.paths():
        paths = [path for path in paths if is_log_name(path)]
    paths.sort(key=lambda path: (path.count("/"), path))
    own: list[Log] = []
    others: list[Log] = []
    skipped: list[Skipped] = []
    held = 0
    for path in paths[:MOST_LOGS]:
        found = read_log(files, path)
        if isinstance(found, Skipped):
            skipped.append(found)
            continue
        skipped += [Skipped(path, note) for note in found.notes]
        held += found.characters
        if held > MOST_SIDE_CHARACTERS:
            skipped.append(Skipped(path, f"the logs of one side have more than {MOST_SIDE_CHARACTERS:,} characters"))
            break
        if is_of_others(path) or only_others:
            others.append(found.lean())
        else:
            own.append(found)
    if len(paths) > MOST_LOGS:
        skipped.append(Skipped(paths[MOST_LOGS], f"only {MOST_LOGS} logs of one side are read"))
    return Logs(tuple(own), tuple(others), tuple(skipped))


def is_log_name(path: str) -> bool:
    """Tell whether a file, or a folder that it is in, is called as recorded predictions are."""
    stem = path[: -len(next(end for end in SUFFIXES if path.lower().endswith(end)))]
    return _NAMED.search(stem) is not None or is_of_others(path)


def is_of_others(path: str) -> bool:
    """Tell whether a log is of another model, by the names of the file and its folders."""
    return _OTHERS.search(path) is not None
