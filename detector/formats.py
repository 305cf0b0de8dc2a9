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


def render(report: Report, form: Format, width: int = FILE_WIDTH, *, color: bool = False) -> str:
    """Render to any format: the one place that knows which module writes which.

    Units: width in cells, of a terminal.
    """
    from detector.report import documents, gitlab, html, json, jsonl, junit, markdown, sarif, terminal

    renderers: dict[Format, Callable[[Report], str]] = {
        Format.TERMINAL: lambda report: terminal.render(report, width, color),
        Format.JSON: json.render,
        Format.JSONL: jsonl.render,
        Format.HTML: html.render,
        Format.MARKDOWN: markdown.render,
        Format.SARIF: sarif.render,
        Format.GITLAB: gitlab.render,
        Format.JUNIT: junit.render,
    }
    return renderers[form](documents.rounded(report))
