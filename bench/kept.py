"""Whether what was built for a measurement, and kept, is what the code of today would build."""

from __future__ import annotations

import hashlib
from pathlib import Path

from bench.section import HERE

MARK = "digest"
# What disguises and what says who copied from whom.
MAKERS = (*sorted((HERE / "disguise").glob("*.py")), HERE / "declared.py")


def digest(given: str) -> str:
    """Of all that a variant depends on: what is given, and the sources of all variants."""
    hashed = hashlib.blake2b(given.encode(), digest_size=16)
    for source in MAKERS:
        hashed.update(source.read_bytes())
    return hashed.hexdigest()


def is_kept(folder: Path, made_by: str) -> bool:
    """Whether the folder holds what was made by this."""
    mark = folder / MARK
    return mark.exists() and mark.read_text(encoding="utf-8") == made_by


def keep(folder: Path, made_by: str) -> None:
    """Say what made the folder: last, when all of it is there."""
    (folder / MARK).write_text(made_by, encoding="utf-8")
