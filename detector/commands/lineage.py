"""`detector lineage`: who derives from whom, over everything that a scan has looked at."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from detector import report_files
from detector.arguments import OutputOption, StoreOption
from detector.commands.running import interruptible, terminal_width, write
from detector.formats import FILE_WIDTH
from detector.model import UserError
from detector.report.names import elided, visible
from detector.scanned import Component

if TYPE_CHECKING:
    from detector.scanned import Lineage


class LineageForm(enum.StrEnum):
    """What a lineage is written as."""

    TERMINAL = "terminal"
    JSON = "json"
    GRAPHML = "graphml"
    HTML = "html"


def lineage(
    *,
    model: Annotated[
        str | None,
        typer.Argument(metavar="MODEL", help="Show what this member comes from, and what comes from it."),
    ] = None,
    store: StoreOption,
    component: Annotated[
        Component | None, typer.Option("--component", help="Show this component alone; all by default.")
    ] = None,
    form: Annotated[LineageForm, typer.Option("--format", help="What to write.")] = LineageForm.TERMINAL,
    output: OutputOption = None,
) -> None:
    """Tell who derives from whom, in code, weights and tokenizers, over everything that a scan has looked at.

    Told by what was measured, by dates and by what members declare; where none of these tells a direction, it says so.
    """
    with interruptible():
        if output is not None:
            report_files.check_writable(output)
        found = _part(_read(store), model, component)
        write(_rendered(found, model or "", form, FILE_WIDTH if output else terminal_width()), output)


def _read(store: Path) -> Lineage:
    from detector.lineage import lineage
    from detector.scan.store import open_store

    with open_store(store) as opened:
        members, ties = opened.lineage_input()
    return lineage(members, ties)


def _part(whole: Lineage, model: str | None, component: Component | None) -> Lineage:
    """What was asked for."""
    from detector.lineage import around

    if component is not None:
        whole = around.of_component(whole, component)
    if model is None:
        return whole
    if all(member.name != model for member in whole.members):
        shown = elided(visible(model), 200)
        raise UserError(f"{shown}: is no member of this scan; without MODEL all members are listed (--format json)")
    return around.of_member(whole, model)


def _rendered(found: Lineage, model: str, form: LineageForm, width: int) -> str:
    if form is LineageForm.JSON:
        from detector.report import lineage_json

        return lineage_json.render(found)
    if form is LineageForm.GRAPHML:
        from detector.report import lineage_graphml

        return lineage_graphml.render(found)
    if form is LineageForm.HTML:
        from detector.report import lineage_page

        return lineage_page.render(found, model)
    from detector.report import lineage_text

    return lineage_text.of_member(found, model, width) if model else lineage_text.render(found, width)
