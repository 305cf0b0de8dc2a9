"""Which pairs of members are compared, and which of those that are found explain the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from detector.gate import EXIT_FINDINGS, exit_code
from detector.model import Evidence, Relation, Report, Strength
from detector.report.findings import NO_FINDINGS
from detector.scanned import Component, Tie
from detector.settings.scanning import EXCLUSIVE_SHARE, LINEAGE_SHARE

_SCALE = list(Strength)


@dataclass(frozen=True, slots=True)
class Compared:
    """Two members that were compared: with the report of the pair alone."""

    suspect: str
    reference: str
    reference_revision: str
    report: Report
    is_found: bool  # the report is above the gate


def is_told(report: Report, fail_on: Strength) -> bool:
    """Whether what two have in common is told: it is above the gate, and not what some of many pairs have by chance.

    Of thousands of pairs of strangers some have functions in common that look like a shared ancestor; by their code
    alone that takes strong support. A derivation, and what their files say beside the code, is told from the gate on.
    """
    if exit_code(report, fail_on) != EXIT_FINDINGS:
        return False
    if report.relation is not Relation.SHARED_ANCESTOR:
        return True
    beside = [each.strength for each in report.clusters if each.name != "text"]
    needed = _SCALE.index(Strength.STRONG)
    return _SCALE.index(report.strength) >= needed or any(
        _SCALE.index(each) >= _SCALE.index(fail_on) for each in beside
    )


def kept(found: Sequence[Compared], exclusive_bits: Mapping[str, float], distances: Mapping[str, float]) -> set[str]:
    """Of several references that a suspect has something in common with, those that no other explains.

    A copy of a copy has nearly all of the original, too, and so have its sisters: of each kind of evidence the
    reference with the strongest line is kept, of code also each that explains what no other does.
    exclusive_bits: of each reference, beside all the others. distances: of weights, where they were probed.
    Ties: the nearer one by code, then by weights, then by name.
    """
    names: set[str] = set()
    for kind in sorted({line.kind for each in found for line in _telling(each.report)}):
        having = [each for each in found if any(line.kind == kind for line in _telling(each.report))]
        best = min(
            having,
            key=lambda each: (
                -max(_SCALE.index(line.strength) for line in _telling(each.report) if line.kind == kind),
                -_bits(each.report),
                distances.get(each.reference, 1.0),
                each.reference,
            ),
        )
        names.add(best.reference)
    of_code = [each for each in found if _bits(each.report)]
    if of_code:
        names.add(min(of_code, key=lambda each: (-_bits(each.report), each.reference)).reference)
    names |= {
        each.reference
        for each in of_code
        if exclusive_bits.get(each.reference, 0.0) >= EXCLUSIVE_SHARE * _bits(each.report)
    }
    return names


def _telling(report: Report) -> list[Evidence]:
    """Lines beside the code that support something."""
    return [line for line in report.evidence if line.strength is not Strength.NONE and line.kind not in NO_FINDINGS]


def _bits(report: Report) -> float:
    """How surprising all is that the code of two has in common and the suspect does not declare."""
    return sum(match.own_bits for match in report.matches if not match.is_declared)


def ties(compared: Compared) -> list[Tie]:
    """What a report measures of code and tokenizers, for the lineage; idioms that both have are no descent."""
    found = []
    share = max((row.share_of_suspect for row in compared.report.attribution), default=0.0)
    if share >= LINEAGE_SHARE and compared.report.matches:
        found.append(_tie(Component.CODE, compared, 1 - share))
    shares = [_tokens(line) for line in compared.report.evidence if line.kind == "tokenizer"]
    if any(shares):
        found.append(_tie(Component.TOKENIZER, compared, 1 - max(shares)))
    return found


def _tie(component: Component, compared: Compared, distance: float) -> Tie:
    return Tie(component, compared.suspect, compared.reference, round(min(max(distance, 0.0), 1.0), 6))


def _tokens(line: Evidence) -> float:
    """The share of what two tokenizers have of their own that is common; 0 for a line that tells of something else."""
    if line.strength is Strength.NONE:
        return 0.0
    measures = line.measures
    if line.name == "same-file":
        return 1.0
    if line.name == "same-vocabulary":
        return float(measures.get("share", 0))
    changes = [measures.get("tokens", 0), measures.get("suspect_changes", 0), measures.get("reference_changes", 0)]
    numbers = [float(each) for each in changes if isinstance(each, int | float)]
    return numbers[0] / max(numbers[1:]) if len(numbers) == 3 and max(numbers[1:]) else 0.0
