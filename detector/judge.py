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
)

# Lines by which a suspect says that it descends from the reference.
DECLARATIONS = frozenset({"declared-where-it-stands", "declared-elsewhere"})
# Relations that evidence beside the code may raise.
_RAISED = (Relation.INDEPENDENT, Relation.INCONCLUSIVE, Relation.COMMON_IDIOM, Relation.SHARED_ANCESTOR)
_RANK = list(Strength)


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
    the relation where it shows breadth; other lines raise it only if they are strong, or if two clusters agree.
    link: None if the code was not compared.
    """
    relation, strength = of_link(link) if link is not None else (Relation.INCONCLUSIVE, Strength.NONE)
    beside = [line for line in lines if line.kind not in ("code", "traces")]  # traces hang on the code
    clusters = tuple(_cluster(name, lines, strength) for name in CLUSTERS)
    others = [_strongest(name, beside) for name in CLUSTERS]
    relation = _raised(relation, sorted(others, key=_RANK.index, reverse=True))
    if relation is Relation.DERIVED_UNDECLARED and any(line.name in DECLARATIONS for line in lines):
        relation = Relation.DERIVED_DECLARED
    if relation in (Relation.INDEPENDENT, Relation.INCONCLUSIVE):
        return Verdict(relation, Strength.NONE, clusters)
    most = max((cluster.strength for cluster in clusters), key=_RANK.index)
    if relation is Relation.COMMON_IDIOM:
        most = min(most, Strength.WEAK, key=_RANK.index)
    return Verdict(relation, most, clusters)


def nearest_reference(attribution: Sequence[Attribution], lines: Sequence[Evidence], names: Sequence[str]) -> str:
    """The reference that explains most: by code, and where code tells nothing by the strongest lines beside it."""
    if attribution and attribution[0].bits > 0:
        return attribution[0].reference

    def support(name: str) -> list[int]:
        ours = [line for line in lines if line.reference == name]
        return sorted((_RANK.index(_strongest(cluster, ours)) for cluster in CLUSTERS), reverse=True)

    return max(names, key=support, default="")


def _cluster(name: str, lines: Sequence[Evidence], of_code: Strength) -> Cluster:
    """The strongest line of a cluster. Code counts with what stands on its own, not with the sum of its lines."""
    ours = [line for line in lines if line.kind in CLUSTERS[name] and line.strength is not Strength.NONE]
    if not ours:
        return Cluster(name, CLUSTERS[name], Strength.NONE, "")
    capped = {id(line): _lower(line.strength, of_code) if line.kind == "code" else line.strength for line in ours}
    best = max(ours, key=lambda line: _RANK.index(capped[id(line)]))
    strength = capped[id(best)]
    if best.kind == "code":  # three lines of one likeness: it is as strong as all of them
        strength = of_code
    return Cluster(name, CLUSTERS[name], strength, f"{best.kind}/{best.name}" if strength is not Strength.NONE else "")


def _strongest(cluster: str, lines: Sequence[Evidence]) -> Strength:
    return max(
        (line.strength for line in lines if line.kind in CLUSTERS[cluster]), key=_RANK.index, default=Strength.NONE
    )


def _lower(one: Strength, other: Strength) -> Strength:
    return min(one, other, key=_RANK.index)


def _raised(relation: Relation, others: Sequence[Strength]) -> Relation:
    """What lines beside the code add: two clusters that are moderate, or one that is strong, show a derivation."""
    if relation not in _RAISED:
        return relation
    first, second = (*others, Strength.NONE, Strength.NONE)[:2]
    agrees = _RANK.index(second) >= _RANK.index(Strength.MODERATE)
    if agrees or _RANK.index(first) >= _RANK.index(Strength.STRONG):
        return Relation.DERIVED_UNDECLARED
    if relation is Relation.SHARED_ANCESTOR:
        return relation
    if first is Strength.MODERATE:
        return Relation.SHARED_ANCESTOR
    return Relation.COMMON_IDIOM if first is Strength.WEAK else relation


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
