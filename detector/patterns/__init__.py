"""The lines of the ledger: what each claims, what it speaks for, and how often independent projects have it.

A pattern is data, one TOML file for each kind of evidence. The observation is the line's own; the two propositions, the
method, the limits and the calibration are the pattern's. No line is stronger than its calibration allows.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

from detector.model import Evidence, Place, Strength
from detector.settings import STRENGTH_ODDS

# Names that a sentence lists, and how long each may be: claims are read, tables are searched.
MOST_LISTED_NAMES = 8
LONGEST_NAME = 60
UNCALIBRATED = "not calibrated: it supports nothing by itself"
# The files, in the order in which a report goes through kinds of evidence.
KINDS = (
    "code",
    "traces",
    "declared",
    "dangling",
    "history",
    "config",
    "structure",
    "tokenizer",
    "weights",
    "behaviour",
)


@dataclass(frozen=True, slots=True)
class Null:
    """Cases of independent projects that were looked at, and in how many of them a line of this kind appeared."""

    of: str  # what was counted: "pairs of independent packages"
    measured: int
    found: int
    part: str  # of `bench`, which counts again

    def most(self) -> Strength:
        """The strongest support that the null allows: a likelihood ratio ends at the number of cases measured."""
        return support(self.measured / max(self.found, 1))

    def text(self) -> str:
        """Say it in a sentence."""
        return f"seen in {self.found:,} of {self.measured:,} {self.of} (python -m bench.{self.part})"


@dataclass(frozen=True, slots=True)
class Pattern:
    """What a line of the ledger says whenever it appears; braces are places for names and numbers."""

    claim: str
    innocent: str  # the best innocent explanation
    derived: str  # the proposition that it speaks for
    otherwise: str  # the one that it speaks against
    method: str
    limits: str
    null: Null | None = None

    def calibration(self) -> str:
        """How often independent projects have it."""
        return self.null.text() if self.null is not None else UNCALIBRATED


def support(odds: float) -> Strength:
    """Put a likelihood ratio on the verbal scale."""
    reached = [strength for strength, least in STRENGTH_ODDS.items() if odds >= least]
    return Strength(reached[-1]) if reached else Strength.NONE


def line(
    pattern: str,
    reference: str,
    strength: Strength,
    said: Mapping[str, object],
    *,
    measures: Mapping[str, float | int | str],
    tested: Sequence[str] = (),
    places: Sequence[Place] = (),
    more: str = "",
) -> Evidence:
    """Make a line of the ledger.

    said: what stands in the braces of the pattern. more: the end of the claim, where one case says more than others.
    Strength: at most what the pattern's null allows; "none" without one.
    """
    told = PATTERNS[pattern]
    kind, _, name = pattern.partition("/")
    said = {"name": reference, **said}
    most = told.null.most() if told.null is not None else Strength.NONE
    return Evidence(
        kind=kind,
        name=name,
        reference=reference,
        strength=min(strength, most, key=list(Strength).index),
        claim=told.claim.format_map(said) + more,
        innocent=told.innocent,
        measures=measures,
        derived=told.derived.format_map(said),
        otherwise=told.otherwise.format_map(said),
        method=told.method,
        calibration=told.calibration(),
        limits=told.limits,
        tested=tuple(tested),
        places=tuple(places),
    )


def listed(names: Iterable[str]) -> str:
    """Some names in a sentence, and how many more there are."""
    found = [name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}..." for name in names]
    more = len(found) - MOST_LISTED_NAMES
    return ", ".join(found[:MOST_LISTED_NAMES]) + (f" and {more} more" if more > 0 else "")


def read(kind: str) -> dict[str, Pattern]:
    """The patterns of one kind, by kind and name.

    Shapes: a table for each pattern; `null`, a table of `Null`s by name, says how often independent projects have it:
            a pattern names one of them, "all" holds for those that name none.
    """
    text = (resources.files("detector.patterns") / f"{kind}.toml").read_text("utf-8")
    tables: dict[str, Any] = tomllib.loads(text)
    nulls = {name: Null(**given) for name, given in tables.pop("null", {}).items()}
    return {
        f"{kind}/{name}": Pattern(**{**given, "null": nulls.get(given.get("null", "all"))})
        for name, given in tables.items()
    }


# Every pattern, by kind and name.
PATTERNS: dict[str, Pattern] = {name: pattern for kind in KINDS for name, pattern in read(kind).items()}
