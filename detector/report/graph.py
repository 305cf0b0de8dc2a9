"""Who derives from whom, as a part of a page: a drawing of each family, and tables that say the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from detector.report import descents, words
from detector.report.descent_drawing import drawing
from detector.report.names import shortened, visible
from detector.scanned import Component, Descent, Family, Lineage

MOST_DRAWN = 1_000  # members of all drawings: twenty screens, and what a browser draws in a tenth of a second
MOST_ROWS = 2_000  # of a table; the JSON document has all
FIRST_OPEN = 60  # members of a component whose table is not folded away: two screens
LONGEST_NAME = 200  # characters

_KEY = (
    '<ul class="key descent-key">'
    '<li><svg width="26" height="12"><path class="step" d="M1 6H25"/></svg>direction told</li>'
    '<li><svg width="26" height="12"><path class="step open" d="M1 6H25"/></svg>direction undecided</li>'
    '<li><svg width="26" height="12"><path class="step contradicted" d="M1 6H25"/></svg>declared otherwise: '
    "<b>contradicted</b></li>"
    '<li><svg width="26" height="12"><path class="step mixed" d="M1 10Q14 10 25 2"/></svg>further parent of a mixture'
    "</li></ul>"
)


def fragment(lineage: Lineage) -> str:
    """Write the families of each component, and what is declared and not confirmed; "" if there is nothing to tell.

    To stand in a page of the report's style, below a heading of the second level. Every text is escaped.

    Stable: depends on the lineage alone.
    """
    parts: list[str] = []
    left = MOST_DRAWN
    for component, families in descents.by_component(lineage.families):
        drawn = []
        for family in families:
            if len(family.members) > left:
                break
            drawn.append(family)
            left -= len(family.members)
        parts += _component(lineage, component, families, drawn)
    if parts:
        parts.insert(0, f"<p>{_ABOUT}</p>{_KEY}")
    return "".join([*parts, *_unconfirmed(lineage)])


_ABOUT = (
    "A member hangs below what it is nearest to and can derive from. It stands at the date when it was created, or to "
    "the right of its parent where that is not known, with its distance: 0 for the same, 1 for nothing in common. That "
    "one derives from another is measured; whether it may is for people to say."
)


def _component(
    lineage: Lineage, component: Component, families: Sequence[Family], drawn: Sequence[Family]
) -> Iterator[str]:
    title = descents.TITLES[component]
    members = sum(len(family.members) for family in families)
    counted = f"{_families(len(families))}, {words.count(members, 'member')}"
    yield f'<h3 class="component" id="lineage-{component.value}">{title}: {counted}</h3>'
    for number, family in enumerate(drawn, 1):
        about = f"{title}, family {number} of {len(families):,}: {words.count(len(family.members), 'member')}"
        picture = drawing(lineage, family, f"{about}; the table below has the same")
        yield f'<figure class="family"><figcaption>{about}</figcaption><div class="wide">{picture}</div></figure>'
    if len(drawn) < len(families):
        yield f'<p class="note">{_families(len(families) - len(drawn))} more are in the table and not drawn.</p>'
    yield _table(component, [each for each in lineage.descents if each.component is component])


def _table(component: Component, told: Sequence[Descent]) -> str:
    rows = "".join(_row(each) for each in told[:MOST_ROWS])
    left = ""
    if len(told) > MOST_ROWS:
        left = f'<p class="note">{len(told) - MOST_ROWS:,} more rows are in the JSON document.</p>'
    is_open = " open" if len(told) <= FIRST_OPEN else ""
    return (
        f"<details{is_open}><summary>{words.count(len(told), 'descent')} of {component.value}, as a table</summary>"
        '<div class="wide"><table class="lineage"><thead><tr><th scope="col">Member</th><th scope="col">derives from'
        '</th><th scope="col" class="number">Distance</th><th scope="col">Direction told</th>'
        f'<th scope="col">Declaration</th></tr></thead><tbody>{rows}</tbody></table></div>{left}</details>'
    )


def _row(descent: Descent) -> str:
    parents = ", ".join(f"{share} {_name(name)}".strip() for name, share in descents.parts(descent))
    return (
        f'<tr><th scope="row">{_name(descent.child)}</th><td>{parents}</td>'
        f'<td class="number">{descents.distance(descent.distance)}</td><td>{_text(descents.way(descent))}</td>'
        f"<td>{_text(descents.declaration(descent))}</td></tr>"
    )


def _unconfirmed(lineage: Lineage) -> Iterable[str]:
    told = lineage.unconfirmed
    if not told:
        return []
    rows = "".join(
        f'<tr><th scope="row">{_name(each.member)}</th><td>{_name(each.declared)}</td><td>{_text(each.why)}</td></tr>'
        for each in told[:MOST_ROWS]
    )
    left = ""
    if len(told) > MOST_ROWS:
        left = f'<p class="note">{len(told) - MOST_ROWS:,} more rows are in the JSON document.</p>'
    return [
        f'<h3 class="component" id="lineage-unconfirmed">Declared, and not confirmed by any measure: '
        f"{words.count(len(told), 'declaration')}</h3>"
        '<div class="wide"><table class="lineage"><thead><tr><th scope="col">Member</th>'
        '<th scope="col">says it derives from</th><th scope="col">Not confirmed since</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div>{left}"
    ]


def _families(count: int) -> str:
    return f"{count:,} {'family' if count == 1 else 'families'}"


def _name(text: str) -> str:
    return f'<span class="name">{_text(shortened(text, LONGEST_NAME))}</span>'


def _text(text: str) -> str:
    return escape(visible(text))
