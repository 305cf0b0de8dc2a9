"""Absolute paths that builds and tools leave in files: on whose machine something lay is not told, below what is."""

from __future__ import annotations

import re

# At least three parts; not behind a letter or a colon, where it is a part of an address.
_PATH = re.compile(r"(?<![\w:/.~<])(?:[A-Za-z]:)?(?:[/\\]{1,2}[\w.+@-]{1,100}){3,30}")
_HOME = re.compile(r"^(?:[A-Za-z]:)?/+(?:home|Users|data/home|mnt/home)/+[^/]+", re.IGNORECASE)


def paths_in(text: str) -> list[str]:
    """The absolute paths of a text, each once, homes without the name of whose they are."""
    return list(dict.fromkeys(nameless(found) for found in _PATH.findall(text)))


def nameless(path: str) -> str:
    """A path with `~` for somebody's home."""
    return _HOME.sub("~", path.replace("\\\\", "/").replace("\\", "/"))


def parts(path: str) -> list[str]:
    """Folders and name of a path."""
    return [part for part in re.split(r"[/\\]+", path) if part]
