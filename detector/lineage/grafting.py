"""Mixtures put into the tree of all others, and under them what is nearer to them.

A mixture lies between its parents, and so it is nearer to what they come from than many that stand there: in the tree
it would take their place. What leads from one parent to the other, and above both, is therefore never put under it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence

from detector.lineage.mixtures import Mixture


def graft(
    parents: MutableMapping[str, str],
    mixed: Mapping[str, Mixture],
    near: Callable[[str, str], float],
    below: Mapping[str, Sequence[str]],
) -> None:
    """Hang each mixture below the parent of its largest share, and what is nearest to the mixture below it.

    near:  distance of two members; of what are not tied, that of having nothing in common.
    below: of each mixture the members that may derive from it.
    """
    waiting = sorted(mixed)
    while waiting:
        name = next((each for each in waiting if not set(mixed[each].parents) & set(waiting)), waiting[0])
        waiting.remove(name)
        main = mixed[name].parents[0]
        if name in above(main, parents):
            continue
        parents[name] = main
        kept = {each for parent in mixed[name].parents for each in above(parent, parents)}
        for child in below[name]:
            is_nearer = child not in parents or near(name, child) < near(parents[child], child)
            if child not in mixed and child not in kept and is_nearer and child not in above(name, parents):
                parents[child] = name


def above(name: str, parents: Mapping[str, str]) -> Iterator[str]:
    """A member and its ancestors along a tree."""
    while name:
        yield name
        name = parents.get(name, "")
