"""The lineage of a scan as a part of a page."""

from __future__ import annotations

from html import escape

from detector.report.names import elided, visible
from detector.scanned import Lineage


def fragment(lineage: Lineage) -> str:
    """Who derives from whom, as a list."""
    rows = [
        f"<li>{escape(elided(visible(each.child)))}: {escape(elided(visible(', '.join(each.parents))))} "
        f"({each.component.value})</li>"
        for each in lineage.descents
    ]
    return f"<ul>{''.join(rows)}</ul>" if rows else ""
