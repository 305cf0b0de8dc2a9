"""The machine's report: schema `detector-report/1`, published beside this file as `detector-report-1.schema.json`."""

from __future__ import annotations

from detector.model import Report
from detector.report import documents


def render(report: Report) -> str:
    """Write the report as one JSON document with a final newline.

    Stable: keys in the schema's order, or sorted where they are data; no rounding noise.
    Errors: a measure that is not a finite number is a `ValueError`: it has no place in JSON.
    """
    return documents.dumps(documents.report(report), indent=1) + "\n"
