"""Configurations of models that agree in more than the published models which they build on explain.

Measured:  keys and values of `config.json` and its like, of either side; what the nearest published families set is
           subtracted, the rest weighed by how many of the known lineages have such a key and such a value.
Copying:   whoever copies a model has to keep the values that its weights and its code need; keys are renamed at most.
Innocent:  a base model or a codebase that both started from and that the table of families does not know; a recipe
           that a paper publishes; one author on both sides.
Misses:    configurations in Python, YAML or arguments of scripts; values that were changed.
Sources:   configuration classes of a release of transformers and sizes of well-known models, as tables of the package.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from detector.artifacts.bounded_json import CannotParse
from detector.artifacts.checkpoints import configuration, same_values
from detector.artifacts.checkpoints.configuration import Configuration
from detector.artifacts.checkpoints.families import registry
from detector.artifacts.checkpoints.same_values import Explained, Likeness
from detector.model import Evidence, Examined, Exhibit, Look, Skipped, Strength
from detector.patterns import line, listed
from detector.settings.config import (
    LEAST_CONFIG_BITS,
    MODERATE_CONFIG_BITS,
    MOST_CONFIG_BYTES,
    MOST_CONFIG_FILES,
    MOST_CONFIG_PAIRS,
    MOST_EXHIBIT_ROWS,
    MOST_RANKED,
)
from detector.targets import Comparison, Files, Head

_ROLES = ("model", "processor", "generation", "adapter")


@dataclass(frozen=True, slots=True)
class Pair:
    """Two configurations of one role, and what they share."""

    ours: Configuration
    theirs: Configuration
    likeness: Likeness

    def equal(self) -> list[str]:
        """Keys at the top with one value on both sides, names and versions included."""
        return [key for key, value in self.ours.keys.items() if self.theirs.keys.get(key) == value]


def find(comparison: Comparison) -> tuple[Look, ...]:
    """Compare the configurations of the suspect with those of each reference."""
    comparison.tell("comparing configurations")
    ours, skipped = _configurations(comparison.suspect.files, comparison.name)
    explained = {each.path: same_values.explain(each.leaves, registry()) for each in ours}
    sides = {name: _configurations(repo.files, name) for name, repo in comparison.references.items()}
    pairs = {name: _pairs(ours, theirs, explained) for name, (theirs, _) in sides.items()}
    ranked = _ranking(pairs)
    looks = []
    for place, (name, (theirs, skipped_there)) in enumerate(sides.items()):
        evidence = [each for pair in pairs[name] for each in _lines(pair, name, explained[pair.ours.path])]
        exhibits = [_alignment(pair, name) for pair in pairs[name]] + (ranked if place == 0 else [])
        about = f"{_counted(ours)} with {_counted(theirs)}"
        looks.append(
            Look(
                Examined("config", name, bool(pairs[name]), about if ours and theirs else _missing(ours, theirs)),
                tuple(evidence),
                tuple(exhibits),
                skipped=(*(skipped if place == 0 else ()), *skipped_there),
            )
        )
    return tuple(looks)


def _counted(found: Sequence[Configuration]) -> str:
    return f"{len(found)} configuration{'' if len(found) == 1 else 's'}"


def _missing(ours: Sequence[Configuration], theirs: Sequence[Configuration]) -> str:
    sides = [side for side, found in (("the suspect", ours), ("the reference", theirs)) if not found]
    return f"{' and '.join(sides)} {'has' if len(sides) == 1 else 'have'} no configuration of a model"


def _configurations(files: Files, name: str) -> tuple[list[Configuration], list[Skipped]]:
    found: list[Configuration] = []
    skipped: list[Skipped] = []
    paths = configuration.in_order(files.others())
    for path in paths[:MOST_CONFIG_FILES]:
        read = _configuration(path, files.head(path, MOST_CONFIG_BYTES))
        if isinstance(read, str):
            skipped.append(Skipped(f"{name}:{path}", read))
        elif read is not None:
            found.append(read)
    if len(paths) > MOST_CONFIG_FILES:
        reason = f"only the first {MOST_CONFIG_FILES} of {len(paths):,} configurations are read"
        skipped.append(Skipped(f"{name}:{paths[MOST_CONFIG_FILES]}", reason))
    return found, skipped


def _configuration(path: str, head: Head | Skipped) -> Configuration | str | None:
    """Read one file: a configuration, None for what is none, or why it cannot be read."""
    if isinstance(head, Skipped):
        return head.reason
    if not head.is_whole:
        return f"larger than {MOST_CONFIG_BYTES:,} bytes: no configuration of a model is"
    try:
        read = configuration.read(path, head.data)
    except CannotParse as error:
        return error.reason
    return read if read is not None and same_values.sets_up_a_model(read, registry()) else None


def _pairs(
    ours: Sequence[Configuration], theirs: Sequence[Configuration], explained: Mapping[str, Explained]
) -> list[Pair]:
    """Of each role the pair that is most alike. Ties: more equal keys, then the paths nearest to the top."""
    best = []
    plainly = {
        id(each): {(configuration.plain(key), value) for key, value in each.leaves.items()} for each in (*ours, *theirs)
    }
    for role in _ROLES:
        both = [(one, other) for one in ours if one.role == role for other in theirs if other.role == role]
        both.sort(key=lambda pair: -len(plainly[id(pair[0])] & plainly[id(pair[1])]))
        found = [
            Pair(one, other, same_values.compare(one.leaves, other.leaves, registry(), explained=explained[one.path]))
            for one, other in both[:MOST_CONFIG_PAIRS]
        ]
        if found:
            best.append(max(found, key=lambda pair: (pair.likeness.bits, len(pair.equal()))))
    return best


def _lines(pair: Pair, name: str, explained: Explained) -> Iterator[Evidence]:
    likeness = pair.likeness
    if likeness.bits < LEAST_CONFIG_BITS:
        return
    strength = Strength.MODERATE if likeness.bits >= MODERATE_CONFIG_BITS else Strength.WEAK
    counted = [row for row in likeness.rows if row.bits > 0]
    equal = pair.equal()
    by_family = [key for key in pair.ours.keys if key in explained.by]
    said = {
        "equal": len(equal),
        "keys": len(pair.ours.keys),
        "path": pair.ours.path,
        "other": pair.theirs.path,
        "family": _told(explained.families, len(by_family), len(pair.ours.keys)),
        "explained": len(by_family),
        "names": listed(f"{row.key} {row.value}" for row in counted),
    }
    measures = {
        "bits": round(likeness.bits, 1),
        "keys": len(pair.ours.keys),
        "equal": len(equal),
        "explained": len(by_family),
        "equal_and_explained": len(set(equal) & set(by_family)),
        "equal_names_and_versions": sum(map(configuration.is_identity, equal)),
        "unexplained": len(counted),
        "families": len(registry().families),
    }
    places = ((pair.ours.path, 0),)
    yield line(
        "config/same-unexplained-values",
        name,
        strength,
        said,
        measures=measures,
        tested=_tested(measures),
        places=places,
    )
    renamed = [row for row in likeness.counted(same_values.RENAMED, same_values.MOVED) if row.bits > 0]
    if renamed:
        names = listed(f"{row.key} = {row.other_key} ({row.value})" for row in renamed)
        bits = {"keys": len(renamed), "bits": round(sum(row.bits for row in renamed), 1)}
        yield line("config/renamed-keys", name, Strength.NONE, {**said, "names": names}, measures=bits, places=places)


def _told(families: Sequence[str], explained: int, keys: int) -> str:
    """How many of the keys published families set so."""
    if not explained:
        return "published families set none of them so"
    verb = "sets" if len(families) == 1 else "together set"
    return f"{listed(families)} {verb} {explained} of the {keys} so"


def _tested(measures: Mapping[str, float | int]) -> tuple[str, ...]:
    return (
        f"published families ({measures['families']}, configuration classes of {registry().made_from} and well-known "
        f"releases): they set {measures['explained']} of the {measures['keys']} keys so, and "
        f"{measures['equal_and_explained']} of the {measures['equal']} that are equal; none of these counts",
        "a base of a published family whose sizes the table does not have: keys of the family count together less than "
        "a line needs",
        f"names and versions ({measures['equal_names_and_versions']} are equal): they do not count",
    )


def _alignment(pair: Pair, name: str) -> Exhibit:
    """Every key of the suspect's configuration, and what became of it."""
    rows = [
        (
            row.key,
            row.value,
            row.other_key,
            row.other_value,
            f"{row.told} by {row.family}" if row.family else row.told,
            round(row.bits, 1),
        )
        for row in pair.likeness.rows
    ]
    return Exhibit(
        "config",
        f"{pair.ours.role}-keys",
        name,
        f"{pair.ours.path} beside {pair.theirs.path} of {name}",
        ("key", "value", f"key of {name}", f"value of {name}", "told", "bits"),
        tuple(rows[:MOST_EXHIBIT_ROWS]),
        max(len(rows) - MOST_EXHIBIT_ROWS, 0),
    )


def _ranking(pairs: Mapping[str, Sequence[Pair]]) -> list[Exhibit]:
    """Who has most of the values of the suspect's configuration: published families and references in one order."""
    of_model = {name: pair for name, found in pairs.items() for pair in found if pair.ours.role == "model"}
    if not of_model:
        return []
    ours = max(of_model.values(), key=lambda pair: pair.likeness.bits).ours
    values = {key: value for key, value in ours.leaves.items() if not configuration.is_identity(key)}
    plainly: dict[str, str] = {}
    for key, value in sorted(values.items(), key=lambda item: item[0].count(".")):
        plainly.setdefault(configuration.plain(key), value)
    families = registry().nearest(plainly)
    rows: list[tuple[float, int, str, str]] = [(bits, keys, family.name, "family") for family, bits, keys in families]
    for name, pair in of_model.items():
        same = {
            configuration.plain(row.key): row.value
            for row in pair.likeness.rows
            if pair.ours is ours and row.key in values and row.told not in (same_values.DIFFERENT, same_values.ALONE)
        }
        bits = sum(registry().key_bits(key) + registry().value_bits(key, value) for key, value in same.items())
        rows.append((bits, len(same), name, "reference"))
    rows.sort(key=lambda row: (-row[0], -row[1], row[2]))
    ordered = [(place, *row[::-1][:2][::-1], row[1], round(row[0], 1)) for place, row in enumerate(rows, 1)]
    shown = [row for row in ordered if row[0] <= MOST_RANKED or row[2] == "reference"]
    title = (
        f"Who has most of the {len(plainly)} values of {ours.path}: {len(registry().families)} published families and "
        f"{len(of_model)} reference{'' if len(of_model) == 1 else 's'}, by rarity of what is the same"
    )
    return [
        Exhibit(
            "config",
            "nearest-families",
            "",
            title,
            ("rank", "name", "what", "same values", "bits"),
            tuple(shown),
            len(registry().families) + len(of_model) - len(shown),
        )
    ]
