"""The templates of pages, and what every text passes on its way into one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jinja2
from jinja2 import Template

from detector.report import words
from detector.report.names import shortened, visible

__all__ = ["LONGEST_TEXT", "Template", "template"]

LONGEST_TEXT = 1_000  # characters of a name, a path or a claim; the middle of what is longer gives way


def template(name: str, filters: Mapping[str, Callable[..., Any]]) -> Template:
    """A template of a page, to be rendered."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("detector.report", "page"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_safe,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"count": words.count, **filters}
    return environment.get_template(name)


def _safe(value: object) -> object:
    """Every text that a template puts out, whoever wrote it; what is marked as safe is our own markup."""
    if isinstance(value, str) and not hasattr(value, "__html__"):
        return visible(shortened(value, LONGEST_TEXT))
    return value
