"""The formats of a report, and which module writes which."""

from __future__ import annotations

import enum
from collections.abc import Callable

from detector.model import Report

FILE_WIDTH = 100  # of a terminal report that goes to a file or a pipe: it must not depend on the window


class Format(enum.StrEnum):
    """What a report is rendered to."""

    TERMINAL = "terminal"
    JSON = "json"
    JSONL = "jsonl"
    HTML = "html"
    MARKDOWN = "markdown"
    SARIF = "sarif"
    GITLAB = "gitlab"
    JUNIT = "junit"
    BLOCKS = "blocks"
    COMMENT = "comment"


def render(report: Report, form: Format, width: int = FILE_WIDTH, *, color: bool = False) -> str:
    """Render to any format: the one place that knows which module writes which.

    Units: width in cells, of a terminal.
    """
    from detector.report import documents

    return _renderer(form, width, color)(documents.rounded(report))


def _renderer(form: Format, width: int, color: bool) -> Callable[[Report], str]:
    """What writes a format, imported when it is asked for: a hook has no time to load templates and tables."""
    if form is Format.TERMINAL:
        from detector.report import terminal

        return lambda report: terminal.render(report, width, color)
    if form is Format.HTML:
        from detector.report import html

        return html.render
    if form is Format.BLOCKS:
        from detector.report import blocks

        return blocks.render
    from detector.report import comment, gitlab, json, jsonl, junit, markdown, sarif

    renderers: dict[Format, Callable[[Report], str]] = {
        Format.JSON: json.render,
        Format.JSONL: jsonl.render,
        Format.MARKDOWN: markdown.render,
        Format.SARIF: sarif.render,
        Format.GITLAB: gitlab.render,
        Format.JUNIT: junit.render,
        Format.COMMENT: comment.render,
    }
    return renderers[form]
