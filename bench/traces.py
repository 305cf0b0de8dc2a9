"""Measure literal traces: what independent projects share by chance, and what copies have kept."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.null_pairs import PAIRS, known
from bench.section import ROOT, Demand, print_section, section, table
from bench.wheels import package, wheel
from detector.compare import compare
from detector.evidence.traces import Found
from detector.ledger import kinds_of_trace
from detector.model import Evidence, Trace
from detector.read import open_target

# Suspect, reference and what is known of them.
COPIES = (
    ("sglang==0.1.12", "vllm==0.2.7", "declared copies of some modules"),
    ("diffusers==0.42.1", "diffusers==0.27.2", "a later version of itself"),
    ("mindnlp==0.2.4", "transformers==4.35.0", "ported to another framework"),
)
FIXTURES = ("rebadged", "original", "every name and most statements changed by hand")
MOST_PAIRS = 0.02
# From these bits on a trace that nobody has explained is listed.
TELLING_BITS = 6.0
LISTED = 40
_DECLARED = re.compile(
    rb"\b(?:copied|copy|adapted|adopted|taken|borrowed|modified|derived|ported|based|forked|inspired)\s+"
    rb"(?:\w+\s+){0,3}?(?:from|on|by|of)\b",
    re.IGNORECASE,
)
# Where pairs have their traces from that no file declares: found by reading the traces and their files.
SOURCES: Mapping[tuple[str, str], str] = {
    ("tslearn==0.6.3", "aeon==1.1.0"): "tslearn: aeon's neighbours have its docstrings",
    ("zuko==1.3.0", "sbi==0.23.3"): "Zuko: sbi builds its flows and has their docstrings",
    (
        "langchain==0.3.20",
        "llama-index-core==0.12.20",
    ): "LangChain: LlamaIndex has its helpers' docstrings",
}


Copy = tuple[str, str, str, Sequence[Trace], Sequence[Evidence]]


@dataclass(frozen=True, slots=True)
class Chance:
    """What one pair of independent projects shares."""

    suspect: str
    reference: str
    lines: tuple[Evidence, ...]  # of the ledger
    unexplained: tuple[Evidence, ...]  # the same without traces of known ancestry or declared reuse
    traces: tuple[Trace, ...]  # without them


def measure(cache: Path, work: Path) -> str:
    """Compare the independent pairs, in one direction since traces have none, then the copies."""
    chances = [_chance(cache, *pair[:4]) for pair in PAIRS]
    copies = [_copy(*given, str(wheel(cache, given[0])), str(wheel(cache, given[1]))) for given in COPIES]
    copies.append(_copy(*FIXTURES, *(str(ROOT / "fixtures" / name) for name in FIXTURES[:2])))
    return report(chances, copies)


def _copy(suspect: str, reference: str, what: str, *targets: str) -> Copy:
    with open_target(targets[0]) as one, open_target(targets[1]) as other:
        found = compare(one, [other])
    return suspect, reference, what, found.traces, found.evidence


def _chance(cache: Path, suspect: str, folder: str, reference: str, other_folder: str) -> Chance:
    one, other = package(cache, suspect, folder), package(cache, reference, other_folder)
    found = compare(one, [other])
    left = tuple(
        trace
        for trace in found.traces
        if not is_ancestral(trace) and not is_declared(_files(trace), one.files.read, other.files.read)
    )
    lines = tuple(line for line in found.evidence if line.kind == "traces")
    unexplained = tuple(kinds_of_trace([Found(trace, 0, _files(trace)) for trace in left], [other.name]))
    return Chance(suspect, reference, lines, unexplained, left)


def _files(trace: Trace) -> tuple[str, str]:
    return trace.suspect[0][0], trace.reference[0][0]


def is_ancestral(trace: Trace) -> bool:
    """Whether its two files hold functions that `bench/ancestries.toml` knows a common source of."""
    files = _files(trace)
    sides = [(each.suspect.partition(" ")[0], each.reference.partition(" ")[0]) for each in known()]
    return any(
        (files[0].startswith(one) and files[1].startswith(other))
        or (files[1].startswith(one) and files[0].startswith(other))
        for one, other in sides
    )


def is_declared(files: tuple[str, str], *reads: Callable[[str], bytes]) -> bool:
    """Whether one of two files says that something in it comes from elsewhere."""
    return any(_DECLARED.search(read(path)) is not None for read, path in zip(reads, files, strict=True))


def report(chances: Sequence[Chance], copies: Sequence[Copy]) -> str:
    """Write the section."""
    any_line = [each for each in chances if each.lines]
    left = [each for each in chances if each.unexplained]
    alone = [each for each in left if (each.suspect, each.reference) not in SOURCES]
    share = len(alone) / max(len(chances), 1)
    demands = [
        Demand(
            "independent pairs with a ledger line of traces that nothing explains",
            f"< {MOST_PAIRS:.0%}",
            f"{len(alone)} of {len(chances)}",
            share < MOST_PAIRS,
        ),
        *(
            Demand(f"{suspect} against {reference}: a ledger line of traces", ">= 1", f"{len(lines)}", bool(lines))
            for suspect, reference, lines in _lines_of(copies)
            if suspect != FIXTURES[0]  # too small for a line: what is told is held against their gold file by a test
        ),
    ]
    how = (
        "Every pair of `bench/null_pairs.py`, package folders of the wheels only, one direction: traces have none. "
        f"{len(any_line)} of {len(chances)} pairs have a line at all. Set aside are traces in pairs of files that "
        "`bench/ancestries.toml` knows, and in files one of which says that something in it was copied, adapted, "
        "ported or the like; then pairs whose source was found by reading the traces that were left "
        "(`SOURCES` of `bench/traces.py`)."
    )
    return section(
        "traces",
        "literal traces",
        how,
        demands,
        "What copies have kept: traces told (the strongest of each kind), and ledger lines with their bits.",
        table(("suspect", "reference", "what is known", "traces", "ledger"), _copy_rows(copies)),
        "Independent pairs with a line before anything is set aside:",
        table(("suspect", "reference", "ledger", "left", "source"), _pair_rows(any_line)),
        f"Traces of {TELLING_BITS:g} bits and more that are left in the other pairs, strongest first:",
        _left_over(chances),
    )


def _lines_of(copies: Iterable[Copy]) -> Iterator[tuple[str, str, list[Evidence]]]:
    for suspect, reference, _, _, evidence in copies:
        yield suspect, reference, [line for line in evidence if line.kind == "traces"]


def _copy_rows(copies: Sequence[Copy]) -> Iterator[Sequence[object]]:
    for suspect, reference, what, traces, evidence in copies:
        counts = Counter(trace.kind for trace in traces)
        kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(counts.items()))
        yield suspect, reference, what, kinds or "none", _bits([line for line in evidence if line.kind == "traces"])


def _bits(lines: Iterable[Evidence]) -> str:
    return ", ".join(f"{line.name} {float(line.measures['bits']):.0f}" for line in lines) or "none"


def _pair_rows(chances: Iterable[Chance]) -> Iterator[Sequence[object]]:
    for each in chances:
        source = SOURCES.get((each.suspect, each.reference), "")
        yield each.suspect, each.reference, _bits(each.lines), _bits(each.unexplained), source


def _left_over(chances: Iterable[Chance]) -> str:
    rows = [
        (trace.bits, each, trace)
        for each in chances
        if (each.suspect, each.reference) not in SOURCES
        for trace in each.traces
        if trace.bits >= TELLING_BITS
    ]
    rows.sort(key=lambda row: (-row[0], row[2].text))
    cells = [
        (f"{each.suspect} / {each.reference}", trace.kind, f"{bits:.1f}", _place(trace))
        for bits, each, trace in rows[:LISTED]
    ]
    return table(("pair", "kind", "bits", "where the first has it"), cells) if cells else "None."


def _place(trace: Trace) -> str:
    """Where a stranger can look it up; the text itself is not ours to print."""
    path, line = trace.suspect[0]
    return f"`{path}:{line}`"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the section."""
    return print_section("traces", __doc__, measure, arguments)


if __name__ == "__main__":
    sys.exit(main())
