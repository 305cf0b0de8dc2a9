"""Evidence -> relation and strength: what the measured likeness supports, and no more."""

from __future__ import annotations

from dataclasses import dataclass

from detector.model import Relation, Strength
from detector.settings import (
    DECLARED_SHARE,
    DERIVED_BITS,
    DERIVED_FUNCTIONS,
    DERIVED_SHARE,
    FEWEST_COMPARED_FUNCTIONS,
    IDENTICAL_SHARE,
    IDIOM_BITS,
    STRENGTH_BITS,
)


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


def judge(link: Link) -> tuple[Relation, Strength]:
    """Name the relation that the nearest reference supports, and how strongly.

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
