"""Files that say nothing of where a project comes from: templates, licences, what many projects own byte for byte."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

FILE = "widely_owned.txt"
# Of each id so much is kept: among a million files, one in ten million million collides.
DIGITS = 16
# Shorter files are written twice by chance: among 11,026 pairs of independent packages 36 share a file of fewer bytes,
# an `__init__.py` of one character most often, and 4 a longer one (`python -m bench.evidence_history`).
SMALLEST_BYTES = 64
_EMPTY = frozenset(
    {
        "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391",
        "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813",
    }
)
_TEMPLATE = re.compile(
    r"(?:^|/)(?:licen[cs]e|copying|unlicense|code_of_conduct|contributing|security|codeowners|funding)[^/]*$"
    r"|(?:^|/)(?:\.git(?:ignore|attributes|modules|keep)|\.editorconfig|\.dockerignore|\.npmignore|\.keep"
    r"|\.pre-commit-config\.yaml|py\.typed|\.ds_store|thumbs\.db|desktop\.ini|manifest\.in|requirements[\w-]*\.txt)$"
    r"|(?:^|/)\.github/|_pb2(?:_grpc)?\.pyi?$|\.min\.(?:js|css)$|\.egg-info/"
    r"|(?:^|/)(?:_?vendor(?:ed)?|third[-_]?party|3rd[-_]?party|node_modules|site-packages|_static|licenses)/",
    re.IGNORECASE,
)


def is_template(path: str) -> bool:
    """Tell by its name whether a file is a licence, a template, generated, or kept for others."""
    return _TEMPLATE.search(path) is not None


def is_widely_owned(blob: str) -> bool:
    """Tell whether several unrelated packages own the file, or it is empty."""
    return blob in _EMPTY or blob[:DIGITS] in _table()


@cache
def _table() -> frozenset[str]:
    return frozenset(files("detector.artifacts.histories").joinpath(FILE).read_text("ascii").split())
