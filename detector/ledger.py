"""What was found -> the ledger: claims that can be checked, each with its best innocent explanation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from detector.code.bulk import Corpus
from detector.evidence import code, declared, traces
from detector.judge import strength_of
from detector.model import Attribution, CloneType, Evidence, Match, Repo, Strength
from detector.settings import MOST_FILE_BITS, TRACE_LINE_BITS

_CITED_INNOCENT = (
    "credit for an idea or for weights, not for code; another version of the cited source than the one compared; one "
    "author of both references"
)
# How many times more one reference must explain than another for the difference to be told.
CLEAR_LEAD = 4
MAX_PATHS = 3

_PATTERNS: dict[str, frozenset[CloneType]] = {
    "same-function": frozenset({CloneType.LAYOUT}),
    "renamed-function": frozenset({CloneType.RENAMED}),
    "rewritten-function": frozenset({CloneType.EDITED, CloneType.REWRITTEN}),
}
_CLAIMS = {
    "same-function": "functions that stand in {name} unchanged but for layout and comments: {n}",
    "renamed-function": "functions that equal functions of {name} after consistent renaming: {n}",
    "rewritten-function": "functions that compute what functions of {name} compute, in other words: {n}",
}
_INNOCENT = {
    "same-function": "a common source that both took over unchanged, generated code, or the same author on both sides",
    "renamed-function": "a common source, a published reference implementation, or the same author on both sides",
    "rewritten-function": "a common ancestor, a published formula or layer that allows few other ways to write it",
}
# Kind of trace -> name, claim and innocent explanation of its line.
_TRACES = {
    "comment": (
        "same-comment",
        "comments and docstrings that {name} has word for word and few published packages have: {n}",
        "a third source of both; the words of a paper, a specification or a template; reuse that is declared",
    ),
    "string": (
        "rare-string",
        "messages and other texts that {name} has word for word and few published packages have: {n}",
        "a third source of both; a text that an interface, a dataset or a published prompt prescribes",
    ),
    "number": (
        "magic-number",
        "numbers that {name} has and few published packages have: {n}",
        "facts that both had to write down: sizes of published models, constants, codes; a common table",
    ),
    "misspelling": (
        "same-misspelling",
        "misspelt words that {name} has too: {n}",
        "a name or a word that only looks misspelt; a slip of a third source of both; one author on both sides",
    ),
    "unused-import": (
        "same-unused-import",
        "imports that a file and its counterpart in {name} both leave unused: {n}",
        "a template that both began with; an import for its effect; a name that others import from there",
    ),
    "unused-name": (
        "same-unused-name",
        "locals that a function and its counterpart in {name} both assign and never read: {n}",
        "a published reference implementation with that slip; the reading of a shape that documents it",
    ),
    "unreachable-code": (
        "same-unreachable-code",
        "statements that a function and its counterpart in {name} both have and never reach: {n}",
        "a published reference implementation with that slip; generated code",
    ),
}
_COMMON_INNOCENT = "a published layer or formula that all of them took from one place, as its licence may allow"


def kinds_of_match(matches: Sequence[Match], attribution: Sequence[Attribution]) -> tuple[Evidence, ...]:
    """One ledger line for each kind of match with each reference, undeclared and declared apart."""
    lines: list[Evidence] = []
    for row in attribution:
        ours = [match for match in matches if match.reference_name == row.reference]
        for pattern, types in _PATTERNS.items():
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
        claim = (
            f"{shown}: {_functions(len(both))} of the suspect that {top.reference} and {row.reference} both have; "
            f"{row.reference} adds nothing to what {top.reference} explains: they point to {row.reference} or to a "
            "source that the three have in common"
        )
        measures = {"functions": len(both), "bits": round(row.bits, 2), "exclusive_bits": round(row.exclusive_bits, 2)}
        yield Evidence("code", "common-source", row.reference, strength_of(row.bits), claim, _COMMON_INNOCENT, measures)


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
        claim = (
            f"{path} of the suspect names {name} as what it builds on; {top.reference}, which it does not name, is the "
            f"nearest: it explains {top.bits:,.0f} bits, {name} {row.bits:,.0f}, and "
            f"{row.exclusive_bits:,.0f} of these alone"
        )
        measures = {
            "bits": round(row.bits, 2),
            "exclusive_bits": round(row.exclusive_bits, 2),
            "nearest_bits": round(top.bits, 2),
        }
        yield Evidence("declared", "cited-source-not-nearest", name, strength, claim, _CITED_INNOCENT, measures)


def kinds_of_trace(found: Sequence[traces.Found], names: Sequence[str]) -> Iterator[Evidence]:
    """One ledger line for each kind of trace that a reference has enough of."""
    for name in names:
        for kind, (pattern, claim, innocent) in _TRACES.items():
            chosen = [each for each in found if (each.trace.reference_name, each.trace.kind) == (name, kind)]
            bits = _counted(chosen)
            if bits >= TRACE_LINE_BITS[kind]:
                measures = {
                    "traces": len(chosen),
                    "bits": round(bits, 2),
                    "exclusive_bits": round(_counted([each for each in chosen if each.is_exclusive]), 2),
                    "files": len({each.files for each in chosen}),
                }
                strength = min(strength_of(bits), Strength.MODERATE, key=list(Strength).index)
                yield Evidence(
                    "traces", pattern, name, strength, claim.format(n=len(chosen), name=name), innocent, measures
                )


def _counted(found: Sequence[traces.Found]) -> float:
    """The bits of traces; what one pair of files shares was copied together, and counts up to a limit."""
    by_files: defaultdict[tuple[str, str], float] = defaultdict(float)
    for each in found:
        by_files[each.files] += each.trace.bits
    return sum(min(bits, MOST_FILE_BITS) for bits in by_files.values())


def _line(pattern: str, name: str, matches: Sequence[Match]) -> Evidence:
    bits = sum(match.own_bits for match in matches)
    is_declared = [match.is_declared for match in matches]
    claim = _CLAIMS[pattern].format(n=len(matches), name=name)
    if any(is_declared):
        claim += f", {sum(is_declared)} of them declared in comments"
    measures = {
        "functions": len(matches),
        "bits": round(bits, 2),
        "declared_functions": sum(is_declared),
        "median_similarity": round(sorted(match.similarity for match in matches)[len(matches) // 2], 4),
    }
    return Evidence("code", pattern, name, strength_of(bits), claim, _INNOCENT[pattern], measures)
