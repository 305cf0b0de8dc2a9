"""What the commands take: their arguments and options as types, and what they end with."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Annotated

import typer

from detector.formats import Format

EPILOG = """\b
Exit codes:
  0    nothing above the gate
  1    findings above the gate
  2    usage error or crash
  3    incomplete: code, or a file that was asked for, could not be read
  130  interrupted
"""
BASELINE_EPILOG = """\b
Exit codes:
  0  done; of an audit: nothing to look at
  1  of an audit: something to look at
  2  usage error or crash
"""
EXPLAIN_EPILOG = """\b
Exit codes:
  0    explained
  2    nothing is called so
"""
SCAN_EPILOG = """\b
Exit codes:
  0    nothing new above the gate
  1    something new above the gate
  2    usage error or crash
  3    incomplete: a source or a member could not be read
  130  interrupted
"""
INDEX_EPILOG = """\b
Exit codes:
  0    done
  1    verify: the index is damaged
  2    usage error, or a target that could not be added or removed
  3    add --known: some packages could not be fetched
  130  interrupted
"""
FINDINGS_EPILOG = """\b
Exit codes:
  0    done
  2    usage error, no such finding, or a store that cannot be read
  130  interrupted
"""
LINEAGE_EPILOG = """\b
Exit codes:
  0    done
  2    usage error, no such member, or a store that cannot be read
  130  interrupted
"""
PARTITIONS_EPILOG = """\b
Exit codes:
  0    done
  2    usage error, or partitions that cannot be read or written
  3    some targets could not be read
  130  interrupted
"""


BASELINE_FILE = Path("detector-baseline.jsonl")  # in the folder that a project stands in


class Kind(enum.StrEnum):
    """A kind of evidence, as it is typed on a command line."""

    CODE = "code"
    TRACES = "traces"
    DECLARED = "declared"
    DANGLING = "dangling"
    HISTORY = "history"
    CONFIG = "config"
    STRUCTURE = "structure"
    TOKENIZER = "tokenizer"
    WEIGHTS = "weights"
    BEHAVIOUR = "behaviour"


class Level(enum.StrEnum):
    """`Strength` as it is typed on a command line."""

    WEAK = "weak"
    MODERATE = "moderate"
    STRONG = "strong"
    VERY_STRONG = "very-strong"


FormOption = Annotated[Format, typer.Option("--format", help="What to write.")]
OutputOption = Annotated[
    Path | None, typer.Option("--output", metavar="FILE", help="Write to FILE, not to standard output.")
]
FailOnOption = Annotated[
    Level | None,
    typer.Option(help="Exit 1 only if a derivation has this support; on any undeclared finding otherwise."),
]
ExitZeroOption = Annotated[bool, typer.Option("--exit-zero", help="Exit 0 where it would be 1 or 3.")]
JobsOption = Annotated[
    int | None, typer.Option(min=1, help="Processes that read; as many as there are processors by default.")
]
QuietOption = Annotated[bool, typer.Option("--quiet", help="No progress and no summary on standard error.")]
IndexOption = Annotated[
    Path, typer.Option("--index", metavar="FILE", envvar="DETECTOR_INDEX", help="The index.", show_envvar=True)
]
StoreOption = Annotated[
    Path, typer.Option("--store", metavar="FILE", envvar="DETECTOR_STORE", help="The store of a scan.")
]
KindsOption = Annotated[
    list[Kind] | None, typer.Option("--kind", help="Look for this kind of evidence alone; may be repeated.")
]
BasesOption = Annotated[
    list[str] | None,
    typer.Option("--base", metavar="MODEL", help="A model that both sides may have started from; may be repeated."),
]
BaselineOption = Annotated[
    Path | None,
    typer.Option("--baseline", metavar="FILE", help="Accept what this baseline has: only the rest is gated."),
]
HonourOption = Annotated[
    bool, typer.Option("--honour-ignores", help="Accept what comments in SUSPECT's code ignore with a reason.")
]
SuspectArgument = Annotated[str, typer.Argument(metavar="SUSPECT", help="What may come from the references.")]
ReferencesArgument = Annotated[list[str], typer.Argument(metavar="REFERENCE", help="Where it may come from.")]
