"""Names of files: which are Python, how they are shown, which ones an archive may not use."""

from __future__ import annotations

import re
from collections.abc import Sequence

_PYTHON_SUFFIXES = (".py", ".pyw")
_SHEBANG = re.compile(rb"#![^\n]*\bpython[0-9.]*\b")
_NOTE = re.compile(
    r"(?:^|/)(?:README|NOTICES?|CREDITS|ACKNOWLEDGE?MENTS?|MODEL_?CARD|THIRD[-_]PARTY\w*)(?:\.(?:md|rst|txt))?$"
    r"|\.dist-info/METADATA$|(?:^|/)PKG-INFO$",
    re.IGNORECASE,
)
# What evidence beside the code is read from: configurations, tokenizers, checkpoints' headers, recorded predictions,
# notices, scripts, build residue; also licences with any suffix (COPYING.LESSER) and names without one (Dockerfile).
# Pictures and archives are never opened, nor is data that is called anything else.
_OTHER = re.compile(
    r"\.(?:json|jsonc|ya?ml|toml|cfg|ini|txt|md|rst|sh|cff|ipynb|html?|in|bpe|model|spm|vocab|tiktoken|safetensors|pyc"
    r"|gitmodules|license)$|(?:^|/)(?:LICEN[CS]E|COPYING)\.[\w-]+$|(?:^|/)[^./]+$|(?:^|/)\.(?:gitattributes|gitmodules)$",
    re.IGNORECASE,
)
# Checkpoints in other formats, and what may be a log of predictions. Pickles are never opened, but said to be there:
# `.bin` is anything, and a checkpoint where it is called like one.
_BULK = re.compile(
    r"\.(?:safetensors|gguf|jsonl|ndjson|csv|tsv|parquet|pt|pth|ckpt)$"
    r"|(?:^|/)(?:[^/]*_)?(?:pytorch_model|model|adapter_model|consolidated)(?:[-_.][^/]*)?\.bin$",
    re.IGNORECASE,
)
_PICKLE_SUFFIXES = (".bin", ".pt", ".pth", ".ckpt")
# The folder of an archive, and one below.
MAX_NOTE_DEPTH = 2
_DRIVE = re.compile(r"[A-Za-z]:")

# A folder that holds one of these is a project, not a package that happens to be packed alone.
_PROJECT_FILES = frozenset(
    {
        ".gitignore",
        "license",
        "pkg-info",
        "pyproject.toml",
        "readme",
        "readme.md",
        "readme.rst",
        "setup.cfg",
        "setup.py",
    }
)


def is_python_name(path: str) -> bool:
    """Tell whether a file is Python by its name."""
    return path.lower().endswith(_PYTHON_SUFFIXES)


def is_note_name(path: str) -> bool:
    """Tell whether a file is a project's own word about itself: its README, its notices, a wheel's metadata."""
    return path.count("/") <= MAX_NOTE_DEPTH and _NOTE.search(path) is not None


def is_other_name(path: str) -> bool:
    """Tell whether a file that is not Python may hold evidence, by its name; notes are among them."""
    return _OTHER.search(path) is not None or is_bulk_name(path) or is_note_name(path)


def is_bulk_name(path: str) -> bool:
    """Tell by its name whether a file may be as large as a checkpoint, and is read only where its values are asked for.

    Checkpoints and logs of predictions.
    """
    return _BULK.search(path) is not None


def is_pickle_name(path: str) -> bool:
    """Tell whether a file is a checkpoint that only running a stranger's code could read, by its name."""
    return path.lower().endswith(_PICKLE_SUFFIXES) and is_bulk_name(path)


def may_be_script(path: str, mode: int) -> bool:
    """Tell whether a file may be a Python script without a suffix: executable, so that its first line decides."""
    return bool(mode & 0o111) and "." not in path.rpartition("/")[2]


def has_python_shebang(data: bytes) -> bool:
    """Tell whether the first line hands the file to Python."""
    return _SHEBANG.match(data[:256]) is not None


def printable(path: str) -> str:
    r"""Spell a path so that it can be printed and encoded anywhere.

    What is not text (bytes of another encoding, control and direction characters) becomes a backslash escape.
    """
    if path.isprintable():  # false for lone surrogates too
        return path
    try:
        text = path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:
        text = path  # half of a character, which stands for no byte
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def inside(name: str) -> str | None:
    """Normalise a member's name; None if it points out of the archive.

    Errors: absolute names, drive letters and `..` would be another file once unpacked, so that a report could not
    be checked by hand.
    """
    parts = re.split(r"[/\\]", name)
    if not name or not parts[0] or _DRIVE.match(name) or ".." in parts or "\0" in name:
        return None
    return "/".join(part for part in name.split("/") if part not in {"", "."}) or None


class TopFolder:
    """The folder that all members of a source archive share: `name-1.0/` or `repository-main/`."""

    def __init__(self) -> None:
        self._tops: set[str] = set()
        self._is_project = False

    def see(self, path: str) -> None:
        """Take one member's normalised path into account."""
        parts: Sequence[str] = path.split("/", 2)
        if len(self._tops) < 2:
            self._tops.add(parts[0] if len(parts) > 1 else "")
        if len(parts) == 2 and parts[1].lower() in _PROJECT_FILES:
            self._is_project = True

    def prefix(self) -> str:
        """What to strip from every path: the shared folder, or nothing if it belongs to the project itself."""
        if len(self._tops) != 1:
            return ""
        (top,) = self._tops
        # No package can be called `name-1.0`; a packed package, `name/__init__.py`, keeps its folder.
        return f"{top}/" if top and (self._is_project or not top.isidentifier()) else ""
