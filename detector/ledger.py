"""What was found -> the ledger: claims that can be checked, each with its best innocent explanation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from detector.code.bulk import Corpus
from detector.evidence import code, declared
from detector.judge import strength_of
from detector.model import Attribution, CloneType, Evidence, Match, Repo, Strength

# How many times more one reference must explain than another for the difference to be told.
CLEAR_LEAD = 4
MAX_PATHS = 3


@dataclass(frozen=True, slots=True)
class Pattern:
    """What a line of the ledger claims, with places for names and numbers, and its best innocent explanation."""

    claim: str
    innocent: str


# Every pattern, as kind and name.
PATTERNS: dict[str, Pattern] = {
    "code/same-function": Pattern(
        "functions that stand in {name} unchanged but for layout and comments: {n}",
        "a common source that both took over unchanged, generated code, or the same author on both sides",
    ),
    "code/renamed-function": Pattern(
        "functions that equal functions of {name} after consistent renaming: {n}",
        "a common source, a published reference implementation, or the same author on both sides",
    ),
    "code/rewritten-function": Pattern(
        "functions that compute what functions of {name} compute, in other words: {n}",
        "a common ancestor, a published formula or layer that allows few other ways to write it",
    ),
    "code/common-source": Pattern(
        "{paths}: {functions} of the suspect that {top} and {name} both have; {name} adds nothing to what {top} "
        "explains: they point to {name} or to a source that the three have in common",
        "a published layer or formula that all of them took from one place, as its licence may allow",
    ),
    "declared/cited-source-not-nearest": Pattern(
        "{path} of the suspect names {name} as what it builds on; {top}, which it does not name, is the nearest: it "
        "explains {top_bits} bits, {name} {bits}, and {exclusive} of these alone",
        "credit for an idea or for weights, not for code; another version of the cited source than the one compared; "
        "one author of both references",
    ),
}
_CLONE_TYPES: dict[str, frozenset[CloneType]] = {
    "same-function": frozenset({CloneType.LAYOUT}),
    "renamed-function": frozenset({CloneType.RENAMED}),
    "rewritten-function": frozenset({CloneType.EDITED, CloneType.REWRITTEN}),
}


def kinds_of_match(matches: Sequence[Match], attribution: Sequence[Attribution]) -> tuple[Evidence, ...]:
    """One ledger line for each kind of match with each reference, undeclared and declared apart."""
    lines: list[Evidence] = []
    for row in attribution:
        ours = [match for match in matches if match.reference_name == row.reference]
        for pattern, types in _CLONE_TYPES.items():
            chosen = [match for match in ours if match.clone_type in types]
            if chosen:
                lines.append(_line(pattern, row.reference, chosen))
    return tuple(lines)


def common_sources(
    found: code.CodeEvidence, attribution: Sequence[Attribution], names: Sequence[str], suspect: Corpus
) -> Iterator[Evidence]:
    """References that add nothing to the nearest one: what they share, it has too."""
    top, *others = attribution
    nearest = found.likenesses[names.index(top.reference)]
    for row in others:
        likeness = found.likenesses[names.index(row.reference)]
        # Two versions of one source explain the same, too: they cancel out on both sides.
        if not 0 < row.bits <= top.bits / CLEAR_LEAD or row.exclusive_bits > row.bits / CLEAR_LEAD:
            continue
        both = sorted(likeness.functions & nearest.functions)
        if not both:
            continue
        paths = sorted({suspect.spans[function].path for function in both})
        shown = ", ".join(paths[:MAX_PATHS]) + (", ..." if len(paths) > MAX_PATHS else "")
        pattern = PATTERNS["code/common-source"]
        claim = pattern.claim.format(
            paths=shown, functions=_functions(len(both)), top=top.reference, name=row.reference
        )
        measures = {"functions": len(both), "bits": round(row.bits, 2), "exclusive_bits": round(row.exclusive_bits, 2)}
        yield Evidence("code", "common-source", row.reference, strength_of(row.bits), claim, pattern.innocent, measures)


def _functions(number: int) -> str:
    return "1 function" if number == 1 else f"{number:,} functions"


def citations(
    suspect: Repo,
    references: Sequence[Repo],
    names: Sequence[str],
    attribution: Sequence[Attribution],
    strength: Strength,
) -> Iterator[Evidence]:
    """References that the suspect names as its base while another one explains far more of it."""
    notes = suspect.files.notes()
    top = attribution[0]
    if not notes or top.functions == 0:
        return
    rows = {row.reference: row for row in attribution}
    cited = {
        name: declared.cites(notes, declared.names_of(reference, reference.files.paths()))
        for name, reference in zip(names, references, strict=True)
    }
    if cited[top.reference]:
        return
    for name, path in cited.items():
        row = rows[name]
        if not path or row.bits * CLEAR_LEAD > top.bits:
            continue
        pattern = PATTERNS["declared/cited-source-not-nearest"]
        claim = pattern.claim.format(
            path=path,
            name=name,
            top=top.reference,
            top_bits=f"{top.bits:,.0f}",
            bits=f"{row.bits:,.0f}",
            exclusive=f"{row.exclusive_bits:,.0f}",
        )
        measures = {
            "bits": round(row.bits, 2),
            "exclusive_bits": round(row.exclusive_bits, 2),
            "nearest_bits": round(top.bits, 2),
        }
        yield Evidence("declared", "cited-source-not-nearest", name, strength, claim, pattern.innocent, measures)


def _line(pattern: str, name: str, matches: Sequence[Match]) -> Evidence:
    bits = sum(match.own_bits for match in matches)
    is_declared = [match.is_declared for match in matches]
    told = PATTERNS[f"code/{pattern}"]
    claim = told.claim.format(n=len(matches), name=name)
    if any(is_declared):
        claim += f", {sum(is_declared)} of them declared in comments"
    measures = {
        "functions": len(matches),
        "bits": round(bits, 2),
        "declared_functions": sum(is_declared),
        "median_similarity": round(sorted(match.similarity for match in matches)[len(matches) // 2], 4),
    }
    return Evidence("code", pattern, name, strength_of(bits), claim, told.innocent, measures)
