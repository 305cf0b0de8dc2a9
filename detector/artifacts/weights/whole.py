"""Relations of tensors -> the relation of two models: all of one, or a component of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from detector.artifacts.weights.compared import Compared
from detector.artifacts.weights.components import components, most_common
from detector.artifacts.weights.correspondence import Arrangement
from detector.artifacts.weights.relations import COPIES, TensorRelation, Told
from detector.artifacts.weights.sketch import shape_of
from detector.settings.weights import (
    COMPONENT_RELATED,
    COMPONENT_SHARE,
    FEWEST_COMPONENT_MATRICES,
    LEAST_CHANGED,
    LEAST_SHARED,
    LEAST_TELLING,
    NOISED_SHARE,
    WHOLE_SHARE,
)

# From what changes least to what changes most.
_ORDER = (
    TensorRelation.IDENTICAL,
    TensorRelation.CAST,
    TensorRelation.ROTATED,
    TensorRelation.SCALED,
    TensorRelation.PRUNED,
    TensorRelation.QUANTISED,
    TensorRelation.NOISED,
    TensorRelation.SOUP,
    TensorRelation.LOW_RANK,
    TensorRelation.FINE_TUNED,
    TensorRelation.COMMON_BASE,
)
# Relations that say nothing of a matrix either way.
_SILENT = frozenset({TensorRelation.UNDETERMINED})
_MOVED = (Arrangement.PERMUTED, Arrangement.ROTATED)


@dataclass(frozen=True, slots=True)
class Component:
    """One part of the suspect, as its names have it."""

    prefix: str
    counterpart: str  # the reference's, of most of its tensors; "" for none
    tensors: int
    matrices: int  # that tell something
    parameters: int  # of these
    related: int  # of these parameters, how many have an origin in common with the reference's
    relation: TensorRelation

    @property
    def is_related(self) -> bool:
        """Whether nearly all of it corresponds."""
        return self.parameters > 0 and self.related >= COMPONENT_RELATED * self.parameters

    @property
    def is_shared(self) -> bool:
        """Whether that alone is a finding: of few matrices it is one only where the values are the same.

        What heads and embeddings of one vocabulary have in common, frequencies, correlates in any two models.
        """
        return self.is_related and (self.matrices >= FEWEST_COMPONENT_MATRICES or self.relation in COPIES)


@dataclass(frozen=True, slots=True)
class Whole:
    """How one checkpoint relates to another."""

    relation: TensorRelation  # of what corresponds; independent or undetermined if nothing does
    is_whole: bool  # else only some components correspond, or nothing
    share: float  # of the parameters of the suspect's matrices, how many correspond
    share_there: float  # ... of the reference's; dropped layers aside
    shares: Mapping[TensorRelation, float]  # of the parameters of the suspect's matrices
    parameters: int  # of matrices that tell something
    matrices: int  # that correspond
    components: tuple[Component, ...]  # in the order of the suspect's names
    moved: Mapping[Arrangement, int]  # matrices that correspond in another arrangement

    @property
    def shared(self) -> tuple[Component, ...]:
        """Components of some weight that correspond."""
        return tuple(each for each in _counted(self.components, self.parameters) if each.is_shared)

    @property
    def is_related(self) -> bool:
        """Whether a part of some weight of both models has an origin in common."""
        return (
            self.is_whole
            or bool(self.shared)
            or (self.share >= LEAST_SHARED and self.matrices >= FEWEST_COMPONENT_MATRICES)
        )

    @property
    def is_disarranged(self) -> bool:
        """Whether rows, columns or axes were put in another order, which no conversion between formats does."""
        return any(self.moved.get(each, 0) for each in _MOVED)


def relate(compared: Compared) -> Whole:
    """Sum up over all tensors: matrices that tell something, by their parameters."""
    telling = [each for each in compared.tensors if _is_telling(each)]
    total = sum(each.parameters for each in telling)
    sizes: Counter[TensorRelation] = Counter()
    for each in telling:
        sizes[each.relation] += each.parameters
    shares = {relation: sizes[relation] / total for relation in TensorRelation if sizes[relation]}
    parts = _components(compared, telling)
    share = sum(each.parameters for each in telling if each.is_related) / total if total else 0.0
    share_there = _share_there(compared, telling)
    every = sum(each.parameters for each in compared.tensors if each.is_matrix)
    is_whole = (
        total >= LEAST_TELLING * every
        and min(share, share_there) >= WHOLE_SHARE
        and not any(map(_is_own, _counted(parts, total)))
    )
    moved: Counter[Arrangement] = Counter(
        each.arrangement for each in telling if each.is_related and each.arrangement != Arrangement.SAME
    )
    relation = _main(shares, compared)
    count = sum(each.is_related for each in telling)
    return Whole(relation, is_whole, share, share_there, shares, total, count, parts, moved)


def _is_telling(told: Told) -> bool:
    return told.is_matrix and told.relation not in _SILENT and not told.is_smooth


def _is_own(component: Component) -> bool:
    """Whether a part of some weight has nothing of the reference."""
    return component.matrices >= FEWEST_COMPONENT_MATRICES and not component.is_related


def _counted(parts: Sequence[Component], total: int) -> list[Component]:
    return [part for part in parts if part.parameters >= COMPONENT_SHARE * total]


def _main(shares: Mapping[TensorRelation, float], compared: Compared) -> TensorRelation:
    """The relation that what corresponds has: of those with some weight, the one that changes most.

    Where only some of the changed matrices could be looked at for their rank, these speak for the others.
    """
    related = {relation: share for relation, share in shares.items() if relation in _ORDER}
    if not related:
        silent = TensorRelation.UNDETERMINED
        return TensorRelation.INDEPENDENT if shares.get(TensorRelation.INDEPENDENT) else silent
    tuned = related.get(TensorRelation.FINE_TUNED, 0.0)
    for simple in (TensorRelation.NOISED, TensorRelation.QUANTISED):  # a few tensors may escape the test of either
        found = related.get(simple, 0.0)
        if found >= NOISED_SHARE * (found + tuned) > 0:
            related.pop(TensorRelation.FINE_TUNED, None)
    if compared.is_sampled and TensorRelation.LOW_RANK in related:
        blocks = [each.relation for each in compared.tensors if each.residual is not None and each.residual.spectrum]
        if all(relation is TensorRelation.LOW_RANK for relation in blocks):
            related.pop(TensorRelation.FINE_TUNED, None)
            return TensorRelation.LOW_RANK
    weighty = [relation for relation in _ORDER if related.get(relation, 0.0) >= LEAST_CHANGED * sum(related.values())]
    return weighty[-1]


def _share_there(compared: Compared, telling: Sequence[Told]) -> float:
    """Of the reference's matrices, but for layers that were dropped, the share of parameters that corresponds."""
    dropped = tuple(f"{prefix}." for prefix in compared.mapping.dropped_layers)
    theirs = compared.theirs.tensors
    missing = sum(
        theirs[name].parameters
        for name in compared.mapping.unmatched_there
        if len(shape_of(theirs[name])) > 1 and theirs[name].is_weight and not name.startswith(dropped or "\0")
    )
    found = sum(each.parameters for each in telling if each.is_related)
    apart = sum(each.parameters for each in telling if not each.is_related and each.theirs)
    return found / max(found + apart + missing, 1)


def _components(compared: Compared, telling: Sequence[Told]) -> tuple[Component, ...]:
    ours = {name: tensor.parameters for name, tensor in compared.ours.tensors.items()}
    theirs = {name: tensor.parameters for name, tensor in compared.theirs.tensors.items()}
    part_of, part_there = components(ours), components(theirs)
    tensors: dict[str, list[Told]] = {}
    for told in compared.tensors:
        tensors.setdefault(part_of[told.ours], []).append(told)
    are_telling = {id(each) for each in telling}
    return tuple(
        _component(prefix, every, [each for each in every if id(each) in are_telling], part_there)
        for prefix, every in tensors.items()
    )


def _component(prefix: str, every: Sequence[Told], telling: Sequence[Told], part_there: Mapping[str, str]) -> Component:
    sizes: Counter[TensorRelation] = Counter()
    for each in telling or every:
        sizes[each.relation] += max(each.parameters, 1)
    return Component(
        prefix,
        most_common(part_there[each.theirs] for each in every if each.theirs),
        len(every),
        len(telling),
        sum(each.parameters for each in telling),
        sum(each.parameters for each in telling if each.is_related),
        max(TensorRelation, key=lambda relation: sizes[relation]),
    )
