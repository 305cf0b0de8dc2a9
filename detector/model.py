"""The nouns: what is read, what is found, what is reported. Frozen, no behaviour beyond their own fields."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from detector.figures import Figure


class UserError(Exception):
    """Something the user can mend: printed as one line that says what to do, exit code 2."""


class Role(enum.StrEnum):
    """What a file is to its project. Every role is compared; the report says which role a match comes from."""

    OWN = "own"
    VENDORED = "vendored"
    GENERATED = "generated"
    TEST = "test"


class Relation(enum.StrEnum):
    """How two projects relate, as far as the evidence tells. A relation, never a charge."""

    IDENTICAL = "identical"
    DERIVED_DECLARED = "derived-declared"
    DERIVED_UNDECLARED = "derived-undeclared"
    SHARED_ANCESTOR = "shared-ancestor"
    COMMON_IDIOM = "common-idiom"
    INDEPENDENT = "independent"
    INCONCLUSIVE = "inconclusive"


class Strength(enum.StrEnum):
    """Verbal scale of support for the relation over its alternative (after ENFSI 2015, section 4)."""

    NONE = "none"
    WEAK = "weak"
    MODERATE = "moderate"
    STRONG = "strong"
    VERY_STRONG = "very strong"


class Depth(enum.StrEnum):
    """How much of a checkpoint is read."""

    HEADER = "header"  # names, types and shapes
    SAMPLE = "sample"  # and some slices of every tensor
    FULL = "full"  # and all that corresponds, once
    FITTING = "fitting"  # all of what is here and small, slices of what is not


class CloneType(enum.IntEnum):
    """Clone types 1 to 4 of Roy and Cordy 2007, section 3."""

    LAYOUT = 1  # equal but for layout and comments
    RENAMED = 2  # equal after consistent renaming
    EDITED = 3  # statements added, removed or changed
    REWRITTEN = 4  # same computation, other syntax


class Basis(enum.StrEnum):
    """What a match rests on: itself, or what else links the two projects."""

    ALONE = "alone"  # coincidence hardly reaches it
    CLASS = "class"  # other methods of the class match methods of the same class
    FILE = "file"  # other functions of the file match functions of the same file
    CALLER = "caller"  # what calls it matches the same function, or one that calls it
    PROJECT = "project"  # so much of the project matches that little is left to coincidence
    REQUEST = "request"  # only the floors that the user set let it through


class Verdict(enum.StrEnum):
    """What somebody decided about a finding that a baseline has. None of them is gated."""

    ACCEPTED = "accepted"
    LICENSED = "licensed"
    NOT_A_COPY = "not-a-copy"
    UNREVIEWED = "unreviewed"  # nobody has: it was there before the gate was


@dataclass(frozen=True, slots=True)
class Skipped:
    """One thing that could not be read, and why. A result, not an error: it is shown in the report."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison, as the report names it."""

    target: str
    name: str
    revision: str
    functions: int = 0  # units read
    files: int = 0  # Python files read


@dataclass(frozen=True, slots=True)
class Span:
    """A function's place. Lines count from 1, both included; qualname as Python's, without `<locals>`."""

    path: str
    qualname: str
    first_line: int
    last_line: int
    role: Role = Role.OWN


Lines = tuple[int, int]  # first and last line, both included


@dataclass(frozen=True, slots=True)
class Texts:
    """What a reader lays side by side: both functions as published, and the suspect's with its renames undone.

    Undoing renames moves no line: line i of `suspect` is line i of `unrenamed`.
    Shapes: `equal` and `equal_as_published` hold runs (first line of the suspect, first line of the reference, number
            of lines), counted from 0 within the texts, ascending on both sides. The first holds `unrenamed` against
            `reference`, the second `suspect` against it; blanks at the ends of lines count for nothing.
    """

    suspect: str
    reference: str
    unrenamed: str
    undone: int  # different names that were put back
    equal: tuple[tuple[int, int, int], ...]
    equal_as_published: tuple[tuple[int, int, int], ...]


@dataclass(frozen=True, slots=True)
class FlowNode:
    """One value: what computes it, what it is called ("" for a temporary), and where (0: nowhere in the text)."""

    operation: str
    name: str
    line: int


@dataclass(frozen=True, slots=True)
class Flow:
    """The value flow of one function, to look at.

    Shapes: edges hold (operand, user), numbers of nodes, in the order of the operands.
    """

    nodes: tuple[FlowNode, ...]
    edges: tuple[tuple[int, int], ...]
    omitted: int = 0  # nodes that were left out of a large one


@dataclass(frozen=True, slots=True)
class FlowPair:
    """Two value flows beside each other; `same` pairs node of the suspect and node of the reference."""

    suspect: Flow
    reference: Flow
    same: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Terms:
    """Licences on both sides of a match, as SPDX expressions ("" where none is told), and what a table says of them."""

    suspect: str  # of the file that the function is in now, else of the project
    reference: str
    verdict: str  # "same", "compatible", "with-conditions", "conflicting", "unknown"
    note: str  # what the table says, in a sentence; no legal advice


@dataclass(frozen=True, slots=True)
class Match:
    """Two functions that compute the same thing, and how surprising that is."""

    suspect: Span
    reference_name: str  # Side.name of the reference
    reference: Span
    similarity: float  # how well the two fit each other, 0..1; a copy without its names has at most .94
    overlap: float  # weighted Jaccard of the value flows, 0..1
    containment: float  # share of the suspect's weight that the reference has too, 0..1
    bits: float  # summed weight of what is shared, helpers that it calls included: how surprising it is
    own_bits: float  # of these, those of the function itself: what sums are made of, so that no helper counts twice
    coincidence: float  # of 10,000 functions of unrelated projects, how many have a match that scores as much
    basis: Basis  # what it is believed for
    clone_type: CloneType
    is_declared: bool  # the suspect says itself where this comes from
    digest: str  # of both value flows: survives moved lines and renames
    renames: Mapping[str, str] = field(default_factory=dict)  # name in the suspect -> name in the reference
    # The same by where the name stands: "values" (variables of the function), "members" (after a dot), "globals",
    # "keywords" (of arguments); without those that stay as they are.
    renames_by_role: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    disguises: tuple[str, ...] = ()  # fixed vocabulary of `code/explain.py`
    disguise_lines: Mapping[str, tuple[tuple[Lines, ...], tuple[Lines, ...]]] = field(default_factory=dict)
    suspect_lines: tuple[Lines, ...] = ()  # ranges that both have, where not all is the same
    reference_lines: tuple[Lines, ...] = ()
    texts: Texts | None = None  # of matches that are explained
    flows: FlowPair | None = None
    terms: Terms | None = None  # where licences were looked at
    credit: str = ""  # the comment that declares this reuse, to paste above the function
    accepted: str = ""  # who accepted this and why: a comment in the code, a baseline; it is not gated


@dataclass(frozen=True, slots=True)
class Correspondence:
    """A class or a file of the suspect, and the one of a reference that its functions were matched with."""

    suspect_path: str
    suspect_class: str  # "" for a whole file
    reference_name: str  # Side.name
    reference_path: str
    reference_class: str
    functions: int  # matched between the two
    suspect_functions: int  # of the suspect's class or file in all
    reference_functions: int
    bits: float  # of these matches
    names: Mapping[str, str]  # function of the suspect -> function of the reference


@dataclass(frozen=True, slots=True)
class NamePair:
    """A name of the suspect and what it stands for in a reference, over all matches."""

    suspect: str
    reference_name: str  # Side.name
    reference: str
    places: int  # pairs of functions that say so
    contradicted: int  # pairs of functions that say otherwise


@dataclass(frozen=True, slots=True)
class Trace:
    """Something small that both texts have and few others do: a slip, an odd number, a comment."""

    kind: str  # "comment", "string", "number", "misspelling", "unused-import", "unused-name", "unreachable-code"
    text: str
    reference_name: str  # Side.name
    packages: int  # of the background's packages, how many have it too
    bits: float  # how surprising it is that both have it
    suspect: tuple[tuple[str, int], ...]  # path and line, a few of the places
    reference: tuple[tuple[str, int], ...]
    accepted: str = ""  # as of a match


@dataclass(frozen=True, slots=True)
class Similarities:
    """How similar the suspect's functions are to their best counterparts, beside what coincidence gives.

    Both are the best over all references, 0 where a function has no candidate: the null is that of one unrelated
    project, raised to what the best of as many as there are references gives.
    Shapes: `edges` has one more than the others; the last bin includes its upper edge.
    """

    edges: tuple[float, ...]
    suspect: tuple[int, ...]  # functions of the suspect
    unrelated: tuple[float, ...]  # share of the functions of unrelated projects


@dataclass(frozen=True, slots=True)
class Attribution:
    """What one reference explains of the suspect, alone and beside the others."""

    reference: str  # Side.name
    bits: float  # of the matches whose nearest reference may be any
    exclusive_bits: float  # of what no other reference explains
    functions: int  # suspect functions whose nearest reference this is
    share_of_suspect: float  # of the suspect's weight, 0..1


Place = tuple[str, int]  # path and line, counted from 1; 0: the file as a whole


@dataclass(frozen=True, slots=True)
class Evidence:
    """One line of the ledger: an observation, what it may mean, how it was made, and what else explains it."""

    kind: str  # "code", "declared", ...
    name: str  # the pattern: "renamed-function"
    reference: str  # Side.name
    strength: Strength
    claim: str
    innocent: str  # the best innocent explanation
    measures: Mapping[str, float | int | str] = field(default_factory=dict)
    derived: str = ""  # the proposition that it speaks for
    otherwise: str = ""  # the one that it speaks against
    method: str = ""
    calibration: str = ""  # how often it is seen between independent projects, and in how many that was measured
    limits: str = ""
    tested: tuple[str, ...] = ()  # innocent explanations that were tried on this case, and what came out
    places: tuple[Place, ...] = ()  # in the suspect
    accepted: str = ""  # as of a match


@dataclass(frozen=True, slots=True)
class Remark:
    """What is wrong with a comment by which the suspect accepts findings: a finding of its own, with its rule."""

    rule: str  # "suppressions/no-reason", ...
    path: str
    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Exhibit:
    """A table by which a stranger can check lines of the ledger.

    Shapes: every row has a cell for each column.
    """

    kind: str
    name: str  # what it lists: "changed-tokens"
    reference: str  # Side.name; "" where it is about the suspect alone
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[float | int | str, ...], ...]
    omitted: int = 0  # rows that were left out of a long one


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened in the history of one side, by that history's own account."""

    at: str  # ISO 8601 in UTC: "2024-05-28T00:30:32Z"
    side: str  # Side.name
    kind: str  # "first-commit", "copied-version", "renaming", ...
    text: str
    revision: str = ""  # the commit


@dataclass(frozen=True, slots=True)
class Examined:
    """Whether a kind of evidence had anything to look at between the suspect and one reference, and what."""

    kind: str
    reference: str  # Side.name; "" where it is about the suspect alone
    is_possible: bool
    about: str  # what was compared, or what was missing


@dataclass(frozen=True, slots=True)
class Look:
    """What looking for one kind of evidence between the suspect and one reference gave."""

    examined: Examined
    evidence: tuple[Evidence, ...] = ()
    exhibits: tuple[Exhibit, ...] = ()
    events: tuple[Event, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    figures: tuple[Figure, ...] = ()
    remarks: tuple[Remark, ...] = ()  # by path and line


@dataclass(frozen=True, slots=True)
class Cluster:
    """Kinds of evidence that depend on each other: the strongest line speaks for all of them."""

    name: str  # "text", "checkpoint", "behaviour"
    kinds: tuple[str, ...]
    strength: Strength
    line: str  # the strongest: "history/same-blobs"; "" if there is none


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that a comparison found. Deterministic: no dates, no durations."""

    suspect: Side
    references: tuple[Side, ...]
    relation: Relation
    strength: Strength
    matches: tuple[Match, ...]  # by bits, descending
    classes: tuple[Correspondence, ...]  # by bits, descending
    files: tuple[Correspondence, ...]  # by bits, descending
    names: tuple[NamePair, ...]  # by places, descending
    attribution: tuple[Attribution, ...]  # by bits, descending
    evidence: tuple[Evidence, ...]
    skipped: tuple[Skipped, ...]
    settings: Mapping[str, float | int | str]
    versions: Mapping[str, str]
    traces: tuple[Trace, ...] = ()  # by bits, descending
    similarities: Similarities | None = None
    clusters: tuple[Cluster, ...] = ()  # of the nearest reference
    examined: tuple[Examined, ...] = ()  # by kind, then by reference
    exhibits: tuple[Exhibit, ...] = ()
    events: tuple[Event, ...] = ()  # by time
    figures: tuple[Figure, ...] = ()
    remarks: tuple[Remark, ...] = ()  # by path and line
