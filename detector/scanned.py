"""The nouns of a scan: what a source lists, what became of it, what was found, who derives from whom. Frozen."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from detector.model import Relation, Strength


class Standing(enum.StrEnum):
    """What became of a member when it was last looked at."""

    WAITING = "waiting"  # listed, and not looked at since
    DONE = "done"
    GATED = "gated"  # its files are not for us
    VANISHED = "vanished"  # the source had it once
    FAILED = "failed"  # it could not be read; tried again next time


class State(enum.StrEnum):
    """What is known of a finding."""

    NEW = "new"  # of the last run, and nobody has said anything of it
    KNOWN = "known"  # an earlier run had it, too
    ACCEPTED = "accepted"  # somebody has said why it is no matter
    GONE = "gone"  # a later revision of one of the two does not have it any more, or one of them vanished


class Component(enum.StrEnum):
    """What one model can take from another, each by itself."""

    CODE = "code"
    WEIGHTS = "weights"
    TOKENIZER = "tokenizer"


@dataclass(frozen=True, slots=True)
class Listed:
    """A repository as a source lists it, before any of it is read.

    Units: times are ISO 8601 in UTC ("2024-05-28T00:30:32Z"), "" where the source does not tell.
    """

    member: str  # the target without revision: "hf:org/model", an address, a path
    revision: str  # commit, or a digest of the listing where there is none
    modified: str = ""
    created: str = ""
    declared: tuple[str, ...] = ()  # members that it says it derives from: `base_model`
    is_gated: bool = False

    @property
    def target(self) -> str:
        """What `open_target` takes: the member at its revision."""
        is_hub = self.member.partition(":")[0] in {"hf", "ms"}
        return f"{self.member}@{self.revision}" if is_hub and self.revision else self.member


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a finding's ledger, as short as a list of findings needs it."""

    kind: str
    name: str
    strength: Strength
    claim: str
    innocent: str = ""  # the best innocent explanation


@dataclass(frozen=True, slots=True)
class Finding:
    """Two members with something in common that is above the gate: a measured likeness, never a charge."""

    id: str  # sixteen hex digits of both members
    suspect: str  # member: the one that came later, as far as dates tell
    reference: str  # member, or a target of the index
    suspect_revision: str
    reference_revision: str
    relation: Relation
    strength: Strength
    is_declared: bool  # the suspect says itself that it derives from the reference
    lines: tuple[Line, ...]  # the strongest first
    first_seen: str  # time of the run
    last_seen: str
    state: State = State.NEW
    reason: str = ""  # of what is accepted, kept while it is gone
    more_lines: int = 0  # that the report has beside `lines`


# What those who watch are told: six things of a finding, three of a member.
OF_FINDINGS = ("found", "changed", "gone", "returned", "accepted", "reopened")
OF_MEMBERS = ("vanished", "gated", "failed")
OCCURRENCES = OF_FINDINGS + OF_MEMBERS


@dataclass(frozen=True, slots=True)
class Occurrence:
    """Something that those who watch are told, once."""

    sequence: int  # counts from 1, without holes
    at: str  # time of the run that saw it
    kind: str  # one of OCCURRENCES
    subject: str  # the id of a finding, or a member
    text: str  # in a sentence


@dataclass(frozen=True, slots=True)
class Member:
    """A repository that is scanned, as the store knows it."""

    name: str  # `Listed.member`
    revision: str
    created: str
    modified: str
    declared: tuple[str, ...]
    standing: Standing
    why: str = ""  # of what is not done
    first_seen: str = ""
    last_seen: str = ""


@dataclass(frozen=True, slots=True)
class Tie:
    """A measured likeness of two members in one component.

    `distance` is comparable between the ties of one component: for weights the length of the difference over that of
    the values, for code and tokenizers the share that is not common.
    """

    component: Component
    one: str
    other: str
    distance: float  # 0: the same; 1: nothing in common
    derived: str = ""  # which of the two comes from the other, where the measure itself tells
    why: str = ""  # how it tells: "noise", "rounded to bfloat16", ...
    shares: tuple[float, float] | None = None  # of `one` that `other` has, and of `other` that `one` has: code


@dataclass(frozen=True, slots=True)
class Descent:
    """From whom a member has one component.

    Shapes: `parents` has one name, or several where the member is mixed of several, the largest share first; `shares`
            is equally long.
    """

    component: Component
    child: str
    parents: tuple[str, ...]
    shares: tuple[float, ...]  # of what is mixed, 0..1
    distance: float  # from the parent, or from the nearest of several
    is_decided: bool  # whether the direction is told by anything
    by: str  # "measure", "date", "declaration", "position" (it lies between others that are told); "" if undecided
    declaration: str  # "declared", "undeclared", "contradicted"
    why: str = ""  # how the measure tells
    against: tuple[str, ...] = ()  # what speaks against this direction: "date", "declaration"


@dataclass(frozen=True, slots=True)
class Unconfirmed:
    """What a member says it derives from, and no measure says so."""

    member: str
    declared: str
    why: str  # "not scanned", "gated", "nothing in common", ...


@dataclass(frozen=True, slots=True)
class Family:
    """Members that hang together in one component."""

    component: Component
    members: tuple[str, ...]
    roots: tuple[str, ...]  # those that derive from no other member of it


@dataclass(frozen=True, slots=True)
class Lineage:
    """Who derives from whom, over everything that was scanned."""

    members: tuple[Member, ...]
    descents: tuple[Descent, ...]  # by component, then by child
    families: tuple[Family, ...]  # the largest first
    ties: tuple[Tie, ...] = ()  # one for each pair of a component, as far as it was measured
    unconfirmed: tuple[Unconfirmed, ...] = ()


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a scan."""

    number: int
    started: str
    ended: str  # "" while it runs, or where it was cut off
    listed: int = 0
    done: int = 0
    requests: int = 0
    bytes: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)  # of standings and of occurrences, by name


@dataclass(frozen=True, slots=True)
class Scan:
    """All that a scan's store tells a reader: what a dashboard is drawn from."""

    name: str
    runs: tuple[Run, ...]  # the last first
    members: tuple[Member, ...]
    findings: tuple[Finding, ...]  # new ones first, then by strength
    occurrences: tuple[Occurrence, ...]  # the last first
    lineage: Lineage
