"""Checkpoints whose tensors correspond, whatever they are called, in more than published architectures explain.

Measured:  names and shapes of tensors, from indexes and headers of safetensors files, as trees of modules that are
           aligned branch by branch with names and without; what published architectures call so is subtracted.
Copying:   code that loads copied weights has to have a module for each of them; prefixes are renamed at most.
Innocent:  a codebase or a base model that both started from and that the table of families does not know. Two equal
           architectures are never a copy by themselves.
Misses:    checkpoints that are pickled; structures that were changed layer by layer; says nothing of values.
Sources:   names of modules in a release of transformers and in other well-known implementations, as tables of the
           package.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from detector.artifacts.checkpoints import checkpoint, same_modules
from detector.artifacts.checkpoints.checkpoint import Checkpoint, Checkpoints
from detector.artifacts.checkpoints.families import registry
from detector.artifacts.checkpoints.same_modules import Likeness
from detector.model import Evidence, Examined, Exhibit, Look, Skipped, Strength
from detector.patterns import line, listed
from detector.settings.config import (
    FEWEST_SAME_SHAPES,
    LEAST_SHAPE_SHARE,
    LEAST_STRUCTURE_BITS,
    MODERATE_STRUCTURE_BITS,
    MOST_ALIGNED,
    MOST_EXHIBIT_ROWS,
    MOST_RANKED,
    MOST_SAME_FILES,
)
from detector.targets import Comparison, Repo


@dataclass(frozen=True, slots=True)
class Pair:
    """Two checkpoints, and what they share."""

    ours: Checkpoint
    theirs: Checkpoint
    likeness: Likeness


def find(comparison: Comparison) -> tuple[Look, ...]:
    """Compare the checkpoints of the suspect with those of each reference."""
    comparison.tell("comparing structures")
    ours = _checkpoints(comparison.suspect)
    sides = {name: _checkpoints(repo) for name, repo in comparison.references.items()}
    pairs = {name: _nearest(ours.found, theirs.found) for name, theirs in sides.items()}
    looks = []
    for place, (name, theirs) in enumerate(sides.items()):
        pair, same = pairs[name], _same_files(ours, theirs)
        skipped = [Skipped(f"{comparison.name}:{each.path}", each.reason) for each in ours.skipped if place == 0]
        skipped += [Skipped(f"{name}:{each.path}", each.reason) for each in theirs.skipped]
        exhibits = [*_map(pair, name), *_files(same, name, theirs), *(_ranking(pairs) if place == 0 else ())]
        looks.append(
            Look(
                Examined(
                    "structure", name, pair is not None or bool(ours.files and theirs.files), _about(ours, theirs)
                ),
                tuple(_lines(pair, same, name, ours)),
                tuple(exhibits),
                skipped=tuple(skipped),
            )
        )
    return tuple(looks)


def _checkpoints(repo: Repo) -> Checkpoints:
    return checkpoint.read(repo.files.others(), repo.files.head)


def _about(ours: Checkpoints, theirs: Checkpoints) -> str:
    missing = [
        side
        for side, found in (("the suspect", ours), ("the reference", theirs))
        if not found.found and not found.files
    ]
    if missing:
        return f"{' and '.join(missing)} {'has' if len(missing) == 1 else 'have'} no index or header of a checkpoint"
    return f"{_counted(ours)} with {_counted(theirs)}"


def _counted(side: Checkpoints) -> str:
    tensors = sum(len(each.tensors) for each in side.found)
    said = f"{len(side.found)} checkpoint{'' if len(side.found) == 1 else 's'} of {tensors:,} tensors"
    return f"{said} and {len(side.files)} pointers to large files" if side.files else said


def _nearest(ours: Sequence[Checkpoint], theirs: Sequence[Checkpoint]) -> Pair | None:
    """The pair of checkpoints that is most alike, of those that have most names in common at their ends.

    Ties: the paths nearest to the top.
    """
    ends = {id(each): _ends(each) for each in (*ours, *theirs)}
    ranked = sorted(
        ((one, other) for one in ours for other in theirs),
        key=lambda both: (both[0].total_bytes != both[1].total_bytes, -(ends[id(both[0])] & ends[id(both[1])]).total()),
    )
    found = [
        Pair(one, other, likeness)
        for one, other in ranked[:MOST_ALIGNED]
        if (likeness := same_modules.compare(one, other, registry())) is not None
    ]
    return max(found, key=lambda pair: (pair.likeness.bits, pair.likeness.mapped), default=None)


def _ends(each: Checkpoint) -> Counter[str]:
    return Counter(".".join(same_modules.folded(name).split(".")[-2:]) for name in each.tensors)


def _same_files(ours: Checkpoints, theirs: Checkpoints) -> dict[str, str]:
    """Large files that are the same, by their path in the suspect."""
    there = {pointer: path for path, pointer in sorted(theirs.files.items(), reverse=True)}
    return {path: there[pointer] for path, pointer in ours.files.items() if pointer in there}


def _lines(pair: Pair | None, same: Mapping[str, str], name: str, ours: Checkpoints) -> Iterator[Evidence]:
    for path, other in list(same.items())[:MOST_SAME_FILES]:
        size = ours.files[path].size_bytes
        said = {"path": path, "other": other, "bytes": f"{size:,}"}
        yield line(
            "structure/same-file", name, Strength.VERY_STRONG, said, measures={"bytes": size}, places=((path, 0),)
        )
    if pair is None:
        return
    likeness = pair.likeness
    said = {
        "mapped": f"{likeness.mapped:,}",
        "tensors": f"{likeness.tensors:,}",
        "path": pair.ours.path,
        "other": pair.theirs.path,
        "size": _size(pair),
        "names": listed([name for name, _ in likeness.names]),
        "renames": listed(_renames(likeness)),
    }
    shown = {"measures": _measures(pair), "tested": _tested(likeness), "places": ((pair.ours.path, 0),)}
    if likeness.bits >= LEAST_STRUCTURE_BITS:
        strength = Strength.MODERATE if likeness.bits >= MODERATE_STRUCTURE_BITS else Strength.WEAK
        pattern = "same-tensors-renamed" if likeness.is_renamed else "same-tensors"
        yield line(f"structure/{pattern}", name, strength, said, **shown)  # type: ignore[arg-type]
    elif _is_same_shapes(likeness):
        yield line("structure/same-shapes", name, Strength.NONE, said, **shown)  # type: ignore[arg-type]


def _is_same_shapes(likeness: Likeness) -> bool:
    """Whether nearly all tensors correspond by shapes that no published model has, most of them under other names."""
    known = sum(row.same_shapes for row in likeness.prefixes)
    return (
        known >= FEWEST_SAME_SHAPES
        and known >= LEAST_SHAPE_SHARE * max(likeness.tensors, likeness.tensors_there)
        and likeness.with_names < likeness.mapped / 2
        and likeness.size_bits >= LEAST_STRUCTURE_BITS
    )


def _size(pair: Pair) -> str:
    if pair.likeness.has_same_size is None:
        return ""
    if not pair.likeness.has_same_size:
        return ", of another size"
    total = pair.ours.total_bytes
    is_total = total is not None and total == pair.theirs.total_bytes
    return f"; both have {total:,} bytes of tensors" if is_total else "; all shapes are the same"


def _measures(pair: Pair) -> dict[str, float | int | str]:
    likeness = pair.likeness
    measures: dict[str, float | int | str] = {
        "bits": round(likeness.bits, 1),
        "tensors": likeness.tensors,
        "tensors_of_reference": likeness.tensors_there,
        "mapped": likeness.mapped,
        "same_names": likeness.same_names,
        "same_below_prefix": likeness.with_names,
        "prefixes": len(likeness.prefixes),
        "explained_names": likeness.explained,
        "unexplained_names": len(likeness.names),
        "lineages": len(registry().names),
    }
    for key, each in (("total_bytes", pair.ours), ("total_bytes_of_reference", pair.theirs)):
        if each.total_bytes is not None:
            measures[key] = each.total_bytes
    return measures


def _tested(likeness: Likeness) -> tuple[str, ...]:
    families = listed(likeness.families) or "none of them"
    return (
        f"published architectures ({len(registry().names)} lineages): {families} explain{_s(likeness.families)} "
        f"{likeness.explained} of {len(likeness.shared)} names that both have at the same places; none of these counts",
    )


def _s(names: Sequence[str]) -> str:
    return "s" if len(names) < 2 else ""


def _renames(likeness: Likeness) -> list[str]:
    return [f"{row.ours} for {row.theirs} ({row.tensors})" for row in likeness.prefixes if row.ours != row.theirs]


def _map(pair: Pair | None, name: str) -> Iterator[Exhibit]:
    """Which prefix of the suspect's stands for which of the reference's."""
    if pair is None or not pair.likeness.prefixes:
        return
    rows = [
        (
            row.ours,
            row.theirs,
            row.tensors,
            row.same_names,
            f"{row.same_shapes} of {row.known_shapes}" if row.known_shapes else "not known",
            listed(row.families),
        )
        for row in pair.likeness.prefixes
    ]
    likeness = pair.likeness
    yield Exhibit(
        "structure",
        "tensor-map",
        name,
        f"{likeness.mapped:,} of the {likeness.tensors:,} tensors of {pair.ours.path} beside the "
        f"{likeness.tensors_there:,} of {pair.theirs.path} of {name}",
        ("prefix", f"prefix of {name}", "tensors", "same names below", "same shapes", "published parts called so"),
        tuple(rows[:MOST_EXHIBIT_ROWS]),
        max(len(rows) - MOST_EXHIBIT_ROWS, 0),
    )


def _files(same: Mapping[str, str], name: str, theirs: Checkpoints) -> Iterator[Exhibit]:
    if same:
        rows = [
            (path, other, theirs.files[other].size_bytes, theirs.files[other].sha256) for path, other in same.items()
        ]
        yield Exhibit(
            "structure",
            "same-files",
            name,
            f"Large files that {name} has too",
            ("file", f"file of {name}", "bytes", "SHA-256"),
            tuple(rows[:MOST_EXHIBIT_ROWS]),
            max(len(rows) - MOST_EXHIBIT_ROWS, 0),
        )


def _ranking(pairs: Mapping[str, Pair | None]) -> Iterator[Exhibit]:
    """Who calls most modules as the suspect does: published lineages and references in one order."""
    found = {name: pair for name, pair in pairs.items() if pair is not None}
    if not found:
        return
    ours = max(found.values(), key=lambda pair: pair.likeness.bits).ours
    names = frozenset(label for name in ours.tensors for label in same_modules.labels(name))
    rows: list[tuple[float, int, str, str]] = [
        (bits, count, lineage, "family") for lineage, bits, count in registry().nearest_by_names(names)
    ]
    for name, pair in found.items():
        if pair.ours is ours:
            shared = pair.likeness.shared & names
            bits = sum(registry().name_bits(label) for label in sorted(shared))
            rows.append((bits, len(shared), name, "reference"))
    rows.sort(key=lambda row: (-row[0], -row[1], row[2]))
    ordered = [(place, name, what, count, round(bits, 1)) for place, (bits, count, name, what) in enumerate(rows, 1)]
    shown = [row for row in ordered if row[0] <= MOST_RANKED or row[2] == "reference"]
    title = (
        f"Who has most of the {len(names)} names of modules in {ours.path}: {len(registry().names)} published lineages "
        f"and {len(found)} reference{'' if len(found) == 1 else 's'}, by rarity of what is the same"
    )
    yield Exhibit(
        "structure",
        "nearest-structures",
        "",
        title,
        ("rank", "name", "what", "same names", "bits"),
        tuple(shown),
        len(ordered) - len(shown),
    )
