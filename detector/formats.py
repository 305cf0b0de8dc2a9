"""The formats of a report, and which module writes which."""

from __future__ import annotations

import enum
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

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


def render(report: Report, form: Format, output: Path | None) -> str:
    """Render to any format: the one place that knows which module writes which."""
    from detector.report import documents, gitlab, html, json, jsonl, junit, markdown, sarif

    renderers: dict[Format, Callable[[Report], str]] = {
        Format.TERMINAL: lambda report: _render_for_terminal(report, output),
        Format.JSON: json.render,
        Format.JSONL: jsonl.render,
        Format.HTML: html.render,
        Format.MARKDOWN: markdown.render,
        Format.SARIF: sarif.render,
        Format.GITLAB: gitlab.render,
        Format.JUNIT: junit.render,
    }
    return renderers[form](documents.rounded(report))


def _render_for_terminal(report: Report, output: Path | None) -> str:
    from detector.report import terminal

    if output is not None:
        return terminal.render(report, FILE_WIDTH, color=False)
    is_plain = not sys.stdout.isatty() or bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
    return terminal.render(report, shutil.get_terminal_size((FILE_WIDTH, 24)).columns, color=not is_plain)
