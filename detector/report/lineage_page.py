"""A lineage for a person with a browser: one page that needs no network and has no scripts."""

from __future__ import annotations

from collections import Counter
from html import escape

from detector.report import graph, words
from detector.report.assets import lineage_assets
from detector.report.names import elided, visible
from detector.scanned import Lineage

TITLE = "Who derives from whom"


def render(lineage: Lineage, of: str = "") -> str:
    """Write a lineage as one HTML document; `of` names the member that all of it is about.

    Stable: depends on the arguments alone.
    """
    assets = lineage_assets()
    title = f"{TITLE}: {escape(elided(visible(of), 200))}" if of else TITLE
    body = graph.fragment(lineage) or "<p>Of no two members anything was measured that joins them.</p>"
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(assets.policy)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta name="referrer" content="no-referrer">\n<title>{title}</title>\n<style>{assets.style}</style>\n'
        f'</head>\n<body>\n<main>\n<section id="lineage" aria-labelledby="lineage-heading">\n'
        f'<h1 id="lineage-heading">{title}</h1>\n<p class="lead">{_summary(lineage)}</p>\n'
        f"<h2>Families</h2>\n{body}\n</section>\n</main>\n</body>\n</html>\n"
    )


def _summary(lineage: Lineage) -> str:
    counts = Counter(each.declaration for each in lineage.descents)
    undecided = sum(not each.is_decided for each in lineage.descents)
    return (
        f"{words.count(len(lineage.members), 'member')}, {words.count(len(lineage.descents), 'descent')}: "
        f"{counts['declared']:,} declared, {counts['undeclared']:,} not declared, "
        f"{counts['contradicted']:,} contradicted by what is declared. Of {undecided:,} the direction is undecided."
    )
