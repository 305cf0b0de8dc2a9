"""Evidence -> relation and strength: what the measured likeness supports, and no more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from detector.model import Attribution, Cluster, Evidence, Relation, Strength
from detector.settings import (
    CLUSTERS,
    DECLARED_SHARE,
    DERIVED_BITS,
    DERIVED_FUNCTIONS,
    DERIVED_SHARE,
    FEWEST_COMPARED_FUNCTIONS,
    IDENTICAL_SHARE,
    IDIOM_BITS,
    STRENGTH_BITS,
    SUFFICIENT,
)

# Lines by which a suspect says that it descends from the reference.
DECLARATIONS = frozenset({"declared-where-it-stands", "declared-elsewhere"})
# Relations that evidence beside the code may raise.
_RAISED = (Relation.INDEPENDENT, Relation.INCONCLUSIVE, Relation.COMMON_IDIOM, Relation.SHARED_ANCESTOR)
_UNDECLARED = (Relation.IDENTICAL, Relation.DERIVED_UNDECLARED)
_RANK = list(Strength)
_STRONG = _RANK.index(Strength.STRONG)


@dataclass(frozen=True, slots=True)
class Link:
    """What links the suspect with its nearest reference."""

    bits: float  # of all reported matches with it
    strong_functions: int  # matches that stand on their own
    strong_bits: float
    declared_bits: float  # of the matches whose origin the suspect declares
    share_of_suspect: float  # of the suspect's weight
    unchanged_share: float  # of the suspect's weight, in functions that are clones of type 1
    suspect_functions: int
    reference_functions: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What all evidence together supports."""

    relation: Relation
    strength: Strength
    clusters: tuple[Cluster, ...]


def judge(link: Link | None, lines: Sequence[Evidence]) -> Verdict:
    """Weigh everything that was found between the suspect and its nearest reference.

    Dependent kinds form clusters, and of each cluster the strongest line counts: nothing is multiplied. Code decides
    the relation where it shows breadth; other lines raise it if two clusters agree, or by a history that is shared.
    link: None if the code was not compared.
    """
    relation, of_code = of_link(link) if link is not None else (Relation.INCONCLUSIVE, Strength.NONE)
    clusters = tuple(_cluster(name, lines, of_code) for name in CLUSTERS)
    relation = _raised(relation, of_code, lines)
    if relation in _UNDECLARED and any(line.name in DECLARATIONS for line in lines):
        relation = Relation.DERIVED_DECLARED
    if relation in (Relation.INDEPENDENT, Relation.INCONCLUSIVE):
        return Verdict(relation, Strength.NONE, clusters)
    strength = max((cluster.strength for cluster in clusters), key=_RANK.index)
    if relation is Relation.COMMON_IDIOM:
        strength = min(strength, Strength.WEAK, key=_RANK.index)
    return Verdict(relation, strength, clusters)


def nearest_reference(attribution: Sequence[Attribution], lines: Sequence[Evidence], names: Sequence[str]) -> str:
    """The reference that explains most: by code, and where code tells little by the strongest lines of all kinds."""
    if attribution and _is_moderate(strength_of(attribution[0].bits)):
        return attribution[0].reference
    of_code = {row.reference: strength_of(row.bits) for row in attribution}

    def support(name: str) -> list[int]:
        ours = [line for line in lines if line.reference == name]
        clusters = [_cluster(each, ours, of_code.get(name, Strength.NONE)) for each in CLUSTERS]
        return sorted((_RANK.index(cluster.strength) for cluster in clusters), reverse=True)

    by_code = [row.reference for row in attribution] or names
    return max(by_code, key=support, default="")


def _cluster(name: str, lines: Sequence[Evidence], of_code: Strength) -> Cluster:
    """The strongest line of a cluster; code is as strong as what stands on its own in it, not as the sum of a line."""
    kinds = CLUSTERS[name]
    best, strength = "", Strength.NONE
    for line in sorted(lines, key=lambda line: -_RANK.index(line.strength)):
        of_line = of_code if line.kind == "code" else line.strength
        if line.kind in kinds and _RANK.index(of_line) > _RANK.index(strength):
            best, strength = f"{line.kind}/{line.name}", of_line
    return Cluster(name, kinds, strength, best)


def _raised(relation: Relation, of_code: Strength, lines: Sequence[Evidence]) -> Relation:
    """What lines beside the code add: two moderate clusters, or a strong line of `SUFFICIENT`, are a derivation.

    Any other kind by itself shows a common source at most, however strong: a model that both started from has the same
    configuration, structure and tokenizer.
    """
    if relation not in _RAISED:
        return relation
    beside = [line for line in lines if line.kind not in ("code", "traces")]  # traces hang on the code
    found = [_cluster(name, beside, Strength.NONE).strength for name in CLUSTERS]
    if relation is Relation.SHARED_ANCESTOR:  # then the code is more than idiom, and counts for its cluster
        text = list(CLUSTERS).index("text")
        found[text] = max(found[text], of_code, key=_RANK.index)
    if sum(map(_is_moderate, found)) > 1 or any(
        line.kind in SUFFICIENT and _RANK.index(line.strength) >= _STRONG for line in beside
    ):
        return Relation.DERIVED_UNDECLARED
    # A name that leads elsewhere was written by somebody who knew the other; alone it is no likeness of the two.
    alone = [line for line in beside if line.kind != "dangling"]
    if relation is Relation.SHARED_ANCESTOR or any(_is_moderate(line.strength) for line in alone):
        return Relation.SHARED_ANCESTOR
    return Relation.COMMON_IDIOM if any(strength is not Strength.NONE for strength in found) else relation


def _is_moderate(strength: Strength) -> bool:
    return _RANK.index(strength) >= _RANK.index(Strength.MODERATE)


def of_link(link: Link) -> tuple[Relation, Strength]:
    """Name the relation that the code of a reference supports by itself, and how strongly.

    Ties: a few isolated matches are an ancestor or idiom in common, however large: deriving takes breadth.
    """
    strength = strength_of(link.strong_bits)
    if link.strong_functions == 0:
        too_small = min(link.suspect_functions, link.reference_functions) < FEWEST_COMPARED_FUNCTIONS
        return (Relation.INCONCLUSIVE if too_small else Relation.INDEPENDENT), Strength.NONE
    is_declared = 0 < link.declared_bits >= DECLARED_SHARE * link.bits
    if link.unchanged_share >= IDENTICAL_SHARE:
        return (Relation.DERIVED_DECLARED if is_declared else Relation.IDENTICAL), strength
    has_breadth = link.strong_functions >= min(DERIVED_FUNCTIONS, max(1, link.suspect_functions))
    is_derived = has_breadth and link.strong_bits >= DERIVED_BITS and link.share_of_suspect >= DERIVED_SHARE
    if is_derived:
        return (Relation.DERIVED_DECLARED if is_declared else Relation.DERIVED_UNDECLARED), strength
    if link.strong_bits >= IDIOM_BITS:
        return Relation.SHARED_ANCESTOR, strength
    return Relation.COMMON_IDIOM, min(strength, Strength.WEAK, key=list(Strength).index)


def strength_of(bits: float) -> Strength:
    """Put bits on the verbal scale."""
    reached = [strength for strength, least in STRENGTH_BITS.items() if bits >= least]
    return Strength(reached[-1]) if reached else Strength.NONE
