"""What was found -> the ledger: claims that can be checked, each with its best innocent explanation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from detector.code.bulk import Corpus
from detector.evidence import code, declared, traces
from detector.judge import strength_of
from detector.model import Attribution, CloneType, Evidence, Match, Repo, Strength
from detector.settings import MOST_FILE_BITS, TRACE_LINE_BITS

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
    "traces/same-comment": Pattern(
        "comments and docstrings that {name} has word for word and few published packages have: {n}",
        "a third source of both; the words of a paper, a specification or a template; reuse that is declared",
    ),
    "traces/rare-string": Pattern(
        "messages and other texts that {name} has word for word and few published packages have: {n}",
        "a third source of both; a text that an interface, a dataset or a published prompt prescribes",
    ),
    "traces/magic-number": Pattern(
        "numbers that {name} has and few published packages have: {n}",
        "facts that both had to write down: sizes of published models, constants, codes; a common table",
    ),
    "traces/same-misspelling": Pattern(
        "misspelt words that {name} has too: {n}",
        "a name or a word that only looks misspelt; a slip of a third source of both; one author on both sides",
    ),
    "traces/same-unused-import": Pattern(
        "imports that a file and its counterpart in {name} both leave unused: {n}",
        "a template that both began with; an import for its effect; a name that others import from there",
    ),
    "traces/same-unused-name": Pattern(
        "locals that a function and its counterpart in {name} both assign and never read: {n}",
        "a published reference implementation with that slip; the reading of a shape that documents it",
    ),
    "traces/same-unreachable-code": Pattern(
        "statements that a function and its counterpart in {name} both have and never reach: {n}",
        "a published reference implementation with that slip; generated code",
    ),
}
_CLONE_TYPES: dict[str, frozenset[CloneType]] = {
    "same-function": frozenset({CloneType.LAYOUT}),
    "renamed-function": frozenset({CloneType.RENAMED}),
    "rewritten-function": frozenset({CloneType.EDITED, CloneType.REWRITTEN}),
}
# Kind of trace -> the pattern of its line.
_TRACES = {
    "comment": "same-comment",
    "string": "rare-string",
    "number": "magic-number",
    "misspelling": "same-misspelling",
    "unused-import": "same-unused-import",
    "unused-name": "same-unused-name",
    "unreachable-code": "same-unreachable-code",
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


def kinds_of_trace(found: Sequence[traces.Found], names: Sequence[str]) -> Iterator[Evidence]:
    """One ledger line for each kind of trace that a reference has enough of."""
    for name in names:
        for kind, line in _TRACES.items():
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
                pattern = PATTERNS[f"traces/{line}"]
                claim = pattern.claim.format(n=len(chosen), name=name)
                yield Evidence("traces", line, name, strength, claim, pattern.innocent, measures)


def _counted(found: Sequence[traces.Found]) -> float:
    """The bits of traces; what one pair of files shares was copied together, and counts up to a limit."""
    by_files: defaultdict[tuple[str, str], float] = defaultdict(float)
    for each in found:
        by_files[each.files] += each.trace.bits
    return sum(min(bits, MOST_FILE_BITS) for bits in by_files.values())


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
