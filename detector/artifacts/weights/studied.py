"""Two checkpoints, and other models beside them -> all that is told of their weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from detector.artifacts.weights.compared import Compared, compare
from detector.artifacts.weights.correspondence import Mapping as Correspondence
from detector.artifacts.weights.deltas import Explained, Since, Soup, since, soup
from detector.artifacts.weights.known_bases import explained, known_bases
from detector.artifacts.weights.mapping import map_tensors
from detector.artifacts.weights.relations import COPIES, TensorRelation, Told
from detector.artifacts.weights.stored import Weights
from detector.artifacts.weights.whole import Whole, relate
from detector.model import Depth
from detector.settings.weights import MOST_SOUP_MODELS, WHOLE_SHARE

Tell = Callable[[int, int], None]
_EQUAL = (TensorRelation.IDENTICAL, TensorRelation.CAST)
_PROTECTING = (Explained.ALL, Explained.SUSPECT_IS_BASE)


@dataclass(frozen=True, slots=True)
class Studied:
    """What was found of one checkpoint of the suspect beside one of a reference."""

    compared: Compared
    whole: Whole
    bases: tuple[Since, ...]
    soup: Soup | None
    known: Mapping[str, str]  # equal matrices of the suspect -> the published model that has them
    known_share: float  # of the parameters of all its matrices that these have

    @property
    def is_known_model(self) -> bool:
        """Whether both are one published model, as a whole."""
        return self.whole.is_whole and self.known_share >= WHOLE_SHARE

    @property
    def protecting(self) -> str:
        """The base that explains what both have in common; "" if none does."""
        found = next((each.base for each in self.bases if each.told in _PROTECTING), "")
        if found or self.soup is not None or self.is_known_model or not self.known:
            return found
        is_most = self.known_share >= WHOLE_SHARE * self.whole.share
        return next(iter(self.known.values())) if is_most else ""

    @property
    def is_cleared(self) -> bool:
        """Whether a base was looked at and does not explain what both have in common."""
        return any(each.told is Explained.NOTHING for each in self.bases)

    @property
    def is_open(self) -> bool:
        """Whether a base was looked at and does not decide."""
        return not self.is_cleared and any(each.told is Explained.BETWEEN for each in self.bases)


class Study:
    """Maps checkpoints once, however often they are asked for."""

    def __init__(self, depth: Depth) -> None:
        self._depth = depth
        self._mappings: dict[tuple[int, int], Correspondence] = {}

    def mapping(self, ours: Weights, theirs: Weights) -> Correspondence:
        """Which tensor of one stands for which of the other."""
        key = id(ours), id(theirs)  # both live as long as the comparison
        if key not in self._mappings:
            self._mappings[key] = map_tensors(ours, theirs, self._depth is not Depth.FULL)
        return self._mappings[key]

    def of(
        self,
        ours: Weights,
        theirs: Weights,
        name: str,
        bases: Mapping[str, Weights],
        others: Mapping[str, Weights],
        tell: Tell | None = None,
    ) -> Studied:
        """Tell all of one pair.

        name: of the reference. bases: models that both may have started from. others: the other references' models.
        """
        compared = compare(ours, theirs, self.mapping(ours, theirs), self._depth, tell)
        whole = relate(compared)
        mixed: Soup | None = None
        found: tuple[Since, ...] = ()
        if whole.is_related:
            if whole.relation not in COPIES:
                models = dict(list({**others, **bases}.items())[:MOST_SOUP_MODELS])
                mixed = soup(
                    compared,
                    name,
                    {each: (model, self.mapping(ours, model)) for each, model in models.items()},
                    self._depth,
                )
            if mixed is not None:
                compared = replace(compared, tensors=tuple(map(_mixed, compared.tensors)))
                whole = relate(compared)
            else:
                found = self._bases(compared, whole, bases)
                compared = replace(compared, tensors=tuple(_explained(each, found) for each in compared.tensors))
                whole = relate(compared)
        known = self._known(compared)
        share = sum(each.parameters for each in compared.tensors if each.ours in known) / max(whole.parameters, 1)
        return Studied(compared, whole, found, mixed, known, share)

    def _bases(self, compared: Compared, whole: Whole, bases: Mapping[str, Weights]) -> tuple[Since, ...]:
        found = (
            since(compared, whole.relation, name, base, self.mapping(compared.ours, base), self._depth)
            for name, base in bases.items()
        )
        return tuple(each for each in found if each is not None and each.told is not Explained.UNRELATED)

    def _known(self, compared: Compared) -> dict[str, str]:
        """Equal matrices that are those of a published model; where all is read, since digests need all."""
        if self._depth is not Depth.FULL:
            return {}
        equal = [each.ours for each in compared.tensors if each.relation in _EQUAL and each.is_matrix]
        return explained(compared.ours, equal, known_bases())


def _mixed(told: Told) -> Told:
    return replace(told, relation=TensorRelation.SOUP) if told.is_changed and told.is_matrix else told


def _explained(told: Told, bases: tuple[Since, ...]) -> Told:
    """Call what is a base's so, where that base explains the whole."""
    is_base = any(each.told in _PROTECTING and told.ours in each.tensors for each in bases)
    return replace(told, relation=TensorRelation.COMMON_BASE) if is_base and told.is_related else told
