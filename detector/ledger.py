"""What was found -> the ledger: claims that can be checked, each with its best innocent explanation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from detector.code.corpus import Corpus
from detector.evidence import code, traces
from detector.judge import strength_of
from detector.model import Attribution, CloneType, Evidence, Match
from detector.patterns import line
from detector.settings import CLEAR_LEAD, MOST_FILE_BITS, TRACE_LINE_BITS

MAX_PATHS = 3


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
        said = {"paths": shown, "functions": _functions(len(both)), "top": top.reference}
        measures = {"functions": len(both), "bits": round(row.bits, 2), "exclusive_bits": round(row.exclusive_bits, 2)}
        yield line("code/common-source", row.reference, strength_of(row.bits), said, measures=measures)


def _functions(number: int) -> str:
    return "1 function" if number == 1 else f"{number:,} functions"


def kinds_of_trace(found: Sequence[traces.Found], names: Sequence[str]) -> Iterator[Evidence]:
    """One ledger line for each kind of trace that a reference has enough of."""
    for name in names:
        for kind, pattern in _TRACES.items():
            chosen = [each for each in found if (each.trace.reference_name, each.trace.kind) == (name, kind)]
            bits = _counted(chosen)
            if bits >= TRACE_LINE_BITS[kind]:
                measures = {
                    "traces": len(chosen),
                    "bits": round(bits, 2),
                    "exclusive_bits": round(_counted([each for each in chosen if each.is_exclusive]), 2),
                    "files": len({each.files for each in chosen}),
                }
                said = {"n": len(chosen)}
                yield line(f"traces/{pattern}", name, strength_of(bits), said, measures=measures)


def _counted(found: Sequence[traces.Found]) -> float:
    """The bits of traces; what one pair of files shares was copied together, and counts up to a limit."""
    by_files: defaultdict[tuple[str, str], float] = defaultdict(float)
    for each in found:
        by_files[each.files] += each.trace.bits
    return sum(min(bits, MOST_FILE_BITS) for bits in by_files.values())


def _line(pattern: str, name: str, matches: Sequence[Match]) -> Evidence:
    bits = sum(match.own_bits for match in matches)
    is_declared = [match.is_declared for match in matches]
    more = f", {sum(is_declared)} of them declared in comments" if any(is_declared) else ""
    measures = {
        "functions": len(matches),
        "bits": round(bits, 2),
        "declared_functions": sum(is_declared),
        "median_similarity": round(sorted(match.similarity for match in matches)[len(matches) // 2], 4),
    }
    return line(f"code/{pattern}", name, strength_of(bits), {"n": len(matches)}, measures=measures, more=more)
