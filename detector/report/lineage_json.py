"""Lineages for machines: schema `detector-lineage/1`, published beside it as `detector-lineage-1.schema.json`."""

from __future__ import annotations

from detector.report import documents, rounding
from detector.scanned import Descent, Family, Lineage, Member, Tie, Unconfirmed

SCHEMA = "detector-lineage/1"


def render(lineage: Lineage) -> str:
    """Write a lineage as one JSON document with a final newline.

    Stable: keys in the schema's order, lists in the order of the lineage; no rounding noise.
    """
    document = {
        "schema": SCHEMA,
        "members": [_member(each) for each in lineage.members],
        "descents": [_descent(each) for each in lineage.descents],
        "families": [_family(each) for each in lineage.families],
        "ties": [_tie(each) for each in lineage.ties],
        "unconfirmed": [_unconfirmed(each) for each in lineage.unconfirmed],
    }
    return documents.dumps(document, indent=1) + "\n"


def _member(member: Member) -> dict[str, object]:
    return {
        "name": member.name,
        "revision": member.revision,
        "created": member.created,
        "modified": member.modified,
        "declared": list(member.declared),
        "standing": member.standing.value,
    }


def _descent(descent: Descent) -> dict[str, object]:
    return {
        "component": descent.component.value,
        "child": descent.child,
        "parents": [
            {"name": name, "share": rounding.ratio(share)}
            for name, share in zip(descent.parents, descent.shares, strict=True)
        ],
        "distance": rounding.measure(descent.distance),
        "decided": descent.is_decided,
        "by": descent.by,
        "why": descent.why,
        "against": list(descent.against),
        "declaration": descent.declaration,
    }


def _family(family: Family) -> dict[str, object]:
    return {"component": family.component.value, "members": list(family.members), "roots": list(family.roots)}


def _tie(tie: Tie) -> dict[str, object]:
    shares = {} if tie.shares is None else {"shares": [rounding.ratio(share) for share in tie.shares]}
    return {
        "component": tie.component.value,
        "one": tie.one,
        "other": tie.other,
        "distance": rounding.measure(tie.distance),
        "derived": tie.derived,
        "why": tie.why,
        **shares,
    }


def _unconfirmed(each: Unconfirmed) -> dict[str, object]:
    return {"member": each.member, "declared": each.declared, "why": each.why}
