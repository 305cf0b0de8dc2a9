"""Mixtures put into the tree of all others, and under them what is nearer to them.

A mixture lies between its parents, and so it is nearer to what they come from than many that stand there: in the tree
it would take their place. What leads from one parent to the other, and above both, is therefore never put under it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence

from detector.lineage.mixtures import Mixture


def graft(
    plain: Sequence[str],
    parents: MutableMapping[str, str],
    mixed: Mapping[str, Mixture],
    under: Mapping[str, str],
    near: Callable[[str, str], float],
    possible: Callable[[str], Sequence[str]],
) -> None:
    """Hang each mixture below the parent of its largest share, and what is nearest to the mixture below it.

    plain:    the members that the tree was made of.
    under:    whose parent is a mixture, or another one of these, for certain; they are in no tree yet.
    near:     distance of two members that are tied.
    possible: of a member those that it may derive from.
    """
    parents.update(under)
    waiting = sorted(mixed)
    while waiting:
        name = next((each for each in waiting if not set(mixed[each].parents) & set(waiting)), waiting[0])
        waiting.remove(name)
        if name not in above(mixed[name].parents[0], parents):
            parents[name] = mixed[name].parents[0]
    kept = {name: {each for parent in mix.parents for each in above(parent, parents)} for name, mix in mixed.items()}
    for child in plain:
        nearer = [
            (near(child, name), name)
            for name in possible(child)
            if (name in mixed or name in under) and child not in kept[_top(name, under)]
        ]
        distance, name = min(nearer, default=(0.0, ""))
        is_nearest = child not in parents or distance < near(child, parents[child])
        if name and is_nearest and child not in above(name, parents):
            parents[child] = name


def _top(name: str, under: Mapping[str, str]) -> str:
    """The mixture that a member comes from."""
    while name in under:
        name = under[name]
    return name


def above(name: str, parents: Mapping[str, str]) -> Iterator[str]:
    """A member and its ancestors along a tree."""
    while name:
        yield name
        name = parents.get(name, "")
