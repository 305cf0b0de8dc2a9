"""Find copied modeling code between ML repositories, also when it was renamed, reformatted and rewritten.

    from detector import compare, open_target

    with open_target("my_model/") as suspect, open_target("pypi:vllm==0.6.3") as reference:
        report = compare(suspect, [reference])
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from detector.compare import Options, compare
    from detector.model import Match, Repo, Report, UserError
    from detector.read import open_target

__all__ = ["Match", "Options", "Repo", "Report", "UserError", "compare", "open_target"]

# Imported when first asked for: `detector --version` must not wait for numpy.
_HOMES = {
    "Match": "detector.model",
    "Options": "detector.compare",
    "Repo": "detector.model",
    "Report": "detector.model",
    "UserError": "detector.model",
    "compare": "detector.compare",
    "open_target": "detector.read",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'detector' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
