"""An index as Parquet in many files, made, asked and joined with itself by as many machines as there are."""

from __future__ import annotations

from detector.model import UserError

INSTALL = "partitions take Ray, pyarrow and fsspec: pip install 'ml-plagiarism-detector[ray]'"


def require() -> None:
    """Say in one line what is not installed.

    Errors: UserError where something is missing.
    """
    from importlib.util import find_spec

    if any(find_spec(name) is None for name in ("ray", "pyarrow", "fsspec", "pandas")):
        raise UserError(INSTALL)
