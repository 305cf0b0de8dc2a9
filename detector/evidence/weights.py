"""Weights: which tensors of two checkpoints correspond, whatever they are called, and what was done to their values.

Measured:  values of all tensors, read a block at a time (or names and shapes alone, or slices of each): every tensor
           of the suspect beside the one of the reference that it correlates with, and what is left beside it: nothing,
           rounding, a factor, zeros, a grid, low rank, independent normal noise of one sigma, or something else. What
           was changed since a base that is given is compared by itself.
Copying:   training begins with random numbers, so that no two trainings reach correlated weights; noise of one sigma
           in all tensors, independent in every value, is what no training leaves.
Innocent:  a published model that both started from or carry unchanged (give it as a base); a converted, merged or
           quantised upload of one model; a published component.
Misses:    what was trained again for so long, or distilled, that no value tells; pickled files; factors for each row;
           a base that nobody names.
Sources:   Marchenko and Pastur 1967; Johnstone 2001; Ilharco et al. 2023 (differences from a base); Wortsman et al.
           2022 (mixtures); Zhu et al. 2025 (independence of models by their weights); digests of published models.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from detector.artifacts.weights import weight_tables
from detector.artifacts.weights.chosen import chosen, common_shapes
from detector.artifacts.weights.opened import Opened, open_weights
from detector.artifacts.weights.relations import COPIES, TensorRelation, Told
from detector.artifacts.weights.stored import Weights, stored_bytes
from detector.artifacts.weights.studied import Studied, Study, Tell
from detector.figures import Figure
from detector.model import Depth, Evidence, Examined, Exhibit, Look, Skipped, Strength
from detector.patterns import line, listed
from detector.settings.weights import LEAST_P, MOST_WHOLE_BYTES
from detector.targets import Comparison, Repo

_KIND = "weights"
# The pattern of each relation of a whole model.
_PATTERNS = {
    TensorRelation.IDENTICAL: "same-values",
    TensorRelation.CAST: "cast-copy",
    TensorRelation.SCALED: "scaled-copy",
    TensorRelation.NOISED: "noised-copy",
    TensorRelation.PRUNED: "pruned-copy",
    TensorRelation.QUANTISED: "quantised-copy",
    TensorRelation.LOW_RANK: "low-rank-change",
    TensorRelation.FINE_TUNED: "fine-tuned",
    TensorRelation.SOUP: "soup",
    TensorRelation.ROTATED: "rearranged",
}


@dataclass(frozen=True, slots=True)
class _Models:
    """The checkpoints of all targets."""

    suspect: Opened
    references: Mapping[str, Opened]
    bases: Mapping[str, Opened]


def find(comparison: Comparison) -> tuple[Look, ...]:
    """Compare the checkpoints of the suspect with those of each reference."""
    comparison.tell("reading headers of checkpoints")
    models = _Models(
        _opened(comparison.suspect),
        {name: _opened(repo) for name, repo in comparison.references.items()},
        {name: _opened(repo) for name, repo in comparison.bases.items()},
    )
    studies = {depth: Study(depth) for depth in (Depth.SAMPLE, Depth.FULL)}
    return tuple(_look(comparison, models, studies, name) for name in comparison.references)


def _opened(repo: Repo) -> Opened:
    return open_weights(repo.files)


def _look(comparison: Comparison, models: _Models, studies: Mapping[Depth, Study], name: str) -> Look:
    skipped = list(_skipped(comparison, models, name))
    ours, theirs = models.suspect.found, models.references[name].found
    missing = [who for who, found in (("the suspect", ours), ("the reference", theirs)) if not found]
    if missing:
        about = f"{' and '.join(missing)} {'has' if len(missing) == 1 else 'have'} no checkpoint that can be read"
        about += f" ({skipped[0].path}: {skipped[0].reason})" if skipped else ""
        return Look(Examined(_KIND, name, False, about), skipped=tuple(skipped))
    pairs = chosen(ours, theirs)
    about = f"{_counted(ours)} with {_counted(theirs)}"
    if comparison.depth is Depth.HEADER:
        exhibits = [weight_tables.header_table(one, other, name, common_shapes(one, other)) for one, other in pairs]
        return Look(Examined(_KIND, name, True, f"{about}: headers only"), (), tuple(exhibits), (), tuple(skipped))
    evidence: list[Evidence] = []
    tables: list[Exhibit] = []
    pictures: list[Figure] = []
    read: set[Depth] = set()
    is_far = comparison.suspect.is_remote or comparison.references[name].is_remote
    for one, other in pairs:
        depth = comparison.depth
        if depth is Depth.FITTING:
            depth = Depth.SAMPLE if is_far or max(map(_bytes, (one, other))) > MOST_WHOLE_BYTES else Depth.FULL
        read.add(depth)
        tell = _teller(comparison, f"comparing weights with {name}")
        bases = {base: match for base, found in models.bases.items() if (match := _beside(one, found))}
        others = {
            each: match for each, found in models.references.items() if each != name and (match := _beside(one, found))
        }
        studied = studies[depth].of(one, other, name, bases, others, tell)
        evidence += _lines(studied, name)
        tables += weight_tables.tables(studied.compared, studied.whole, name, studied.bases)
        pictures += weight_tables.figures(studied.compared, name)
        skipped += [Skipped(f"{comparison.name}:{each.path}", each.reason) for each in studied.compared.skipped]
        skipped += [Skipped(f"{comparison.name}:{one.path}", reason) for reason in studied.compared.mapping.unread]
    how = {Depth.SAMPLE: "slices of every tensor", Depth.FULL: "all values"}
    return Look(
        Examined(_KIND, name, True, f"{about}: {' and '.join(how[depth] for depth in how if depth in read)}"),
        tuple(evidence),
        tuple(tables),
        (),
        tuple(skipped),
        tuple(pictures),
    )


def _skipped(comparison: Comparison, models: _Models, name: str) -> Iterator[Skipped]:
    """What could not be opened; of the suspect and of bases it is told once."""
    sides = [(name, models.references[name])]
    if name == next(iter(comparison.references)):
        sides = [(comparison.name, models.suspect), *models.bases.items(), *sides]
    for side, opened in sides:
        yield from (Skipped(f"{side}:{each.path}", each.reason) for each in opened.skipped)


def _teller(comparison: Comparison, stage: str) -> Tell | None:
    progress = comparison.progress
    return None if progress is None else lambda done, total: progress(stage, done, total)


def _beside(ours: Weights, others: Opened) -> Weights | None:
    """The checkpoint of another model that has most in common with one of the suspect's."""
    pairs = chosen([ours], others.found)
    return pairs[0][1] if pairs else None


def _bytes(weights: Weights) -> int:
    return sum(map(stored_bytes, weights.tensors.values()))


def _counted(found: Sequence[Weights]) -> str:
    tensors = sum(len(each.tensors) for each in found)
    return f"{len(found)} checkpoint{'' if len(found) == 1 else 's'} of {tensors:,} tensors"


def _lines(studied: Studied, name: str) -> Iterator[Evidence]:
    """The line that sums a pair up, and one for orders that no conversion makes."""
    whole = studied.whole
    if not whole.is_related:
        return
    said = _said(studied, name)
    shown = {"measures": _measures(studied), "tested": _tested(studied), "places": ((studied.compared.ours.path, 0),)}
    pattern, strength = _pattern(studied)
    yield line(f"weights/{pattern}", name, strength, said, **shown)  # type: ignore[arg-type]
    if whole.is_disarranged and strength is not Strength.NONE and pattern != "rearranged":
        yield line("weights/rearranged", name, strength, said, **shown)  # type: ignore[arg-type]


def _pattern(studied: Studied) -> tuple[str, Strength]:
    """The pattern that holds, and how strong it may be: lines that a model of both explains are moderate at most."""
    whole = studied.whole
    if studied.protecting:
        return "common-base", Strength.NONE
    if studied.soup is not None and whole.is_whole:
        return "soup", Strength.STRONG
    if studied.is_open:
        return "undetermined", Strength.NONE
    most = Strength.STRONG if studied.is_cleared else Strength.MODERATE
    if not whole.is_whole:
        return "shared-component", most
    # Two uploads of one published model do not come from each other.
    is_copy = whole.relation in COPIES and not studied.is_known_model
    return _PATTERNS[whole.relation], Strength.STRONG if is_copy else most


def _said(studied: Studied, name: str) -> dict[str, object]:
    """What the claims name."""
    whole, compared = studied.whole, studied.compared
    telling = _matrices(studied)
    matrices = sum(component.matrices for component in whole.components)
    path = compared.ours.path
    return {
        "path": path,
        "other": compared.theirs.path,
        "matrices": f"{len(telling):,} of the {matrices:,} matrices of {path} ({whole.share:.0%} of their parameters)",
        "more": _more(studied),
        "read": "; sampled: slices of every tensor were read" if compared.is_sampled else "",
        "dtype": " and ".join(sorted({each.sums.guess.dtype for each in telling if each.sums is not None})[:3]),
        "factor": _range([each.sums.guess.factor for each in telling if each.sums is not None]),
        "sigma": _sigma(studied),
        "zeroed": _zeroed(telling),
        "bits": max((each.grid.bits for each in telling if each.grid is not None), default=0),
        "rank": max((_rank(each) for each in telling), default=0),
        "correlation": f"{_median(telling):.3f}",
        "parts": _parts(studied),
        "n": sum(whole.moved.values()),
        "arrangements": ", ".join(f"{count:,} {each}" for each, count in sorted(whole.moved.items())),
        "components": listed(each.prefix or "(all)" for each in whole.shared) or "some tensors",
        "how": "correlates with" if whole.relation is TensorRelation.FINE_TUNED else "comes from",
        "share": f"{whole.share:.0%}",
        "base": studied.protecting or "a base",
        "delta": _delta(studied),
        "evidence": _evidence(studied),
    }


def _more(studied: Studied) -> str:
    whole, mapping = studied.whole, studied.compared.mapping
    said = ""
    if whole.moved:
        said += f"; {', '.join(f'{count:,} {each}' for each, count in sorted(whole.moved.items()))}"
    if mapping.dropped_layers:
        said += f"; left out: {listed(mapping.dropped_layers)}"
    if mapping.added_layers:
        said += f"; added: {listed(mapping.added_layers)}"
    renamed = sum(each.ours != each.theirs for each in studied.compared.tensors if each.theirs and each.is_related)
    return f"{said}; {renamed:,} tensors are called otherwise" if renamed else said


def _range(factors: Sequence[float]) -> str:
    low, high = min(factors, default=1.0), max(factors, default=1.0)
    return f"{low:.6g}" if math.isclose(low, high, rel_tol=1e-4) else f"{low:.4g} to {high:.4g}"


def _sigma(studied: Studied) -> str:
    noise = studied.compared.noise
    if noise is None:
        return "of no single size"
    if noise.is_relative:
        return f"sigma = {noise.sigma:.4g} of each tensor's standard deviation"
    if studied.compared.is_sampled:
        return f"sigma = {noise.sigma:.3g} (1/{1 / noise.sigma:.0f}, known to {noise.error / noise.sigma:.1%})"
    return f"sigma = {noise.sigma:.4g} (1/{1 / noise.sigma:.2f})"


def _zeroed(telling: Sequence[Told]) -> str:
    sums = [each.sums for each in telling if each.sums is not None]
    return f"{sum(each.zeroed for each in sums) / max(sum(each.count for each in sums), 1):.0%}"


def _rank(told: Told) -> int:
    return told.residual.spectrum.rank if told.residual is not None and told.residual.spectrum is not None else 0


def _median(telling: Sequence[Told]) -> float:
    return float(np.median([abs(each.correlation) for each in telling])) if telling else 0.0


def _parts(studied: Studied) -> str:
    parts = studied.soup.parts if studied.soup is not None else {}
    return " + ".join(f"{share:.3f} {name}" for name, share in parts.items())


def _delta(studied: Studied) -> str:
    return "".join(
        f"; since {each.base} both changes correlate by {each.whole.correlation:.3f} (slope {each.whole.slope:.3f})"
        for each in studied.bases
    )


def _evidence(studied: Studied) -> str:
    if studied.bases:
        return _delta(studied)
    equal = sum(each.relation in (TensorRelation.IDENTICAL, TensorRelation.CAST) for each in studied.compared.tensors)
    return f": {len(studied.known):,} of {equal:,} equal tensors are those of this published model"


def _measures(studied: Studied) -> dict[str, float | int | str]:
    whole, compared = studied.whole, studied.compared
    telling = _matrices(studied)
    measures: dict[str, float | int | str] = {
        "relation": whole.relation.value,
        "tensors": len(compared.tensors),
        "related_matrices": len(telling),
        "parameters": whole.parameters,
        "share": round(whole.share, 4),
        "share_of_reference": round(whole.share_there, 4),
        "median_correlation": round(_median(telling), 6),
        "p": _chance(telling),
        "is_sampled": int(compared.is_sampled),
    }
    if compared.noise is not None:
        measures["sigma"] = float(f"{compared.noise.sigma:.6g}")
        measures["one_over_sigma"] = float(f"{1 / compared.noise.sigma:.6g}")
        measures["homogeneity"] = round(compared.noise.homogeneity, 3)
    for each in studied.bases:
        measures[f"delta_correlation: {each.base}"] = round(each.whole.correlation, 4)
        measures[f"delta_slope: {each.base}"] = round(each.whole.slope, 4)
    return measures


def _chance(telling: Sequence[Told]) -> str:
    """How often the correlation of the median matrix comes about between independent ones; capped in print."""
    ranked = sorted((each for each in telling if each.sums is not None), key=lambda each: abs(each.correlation))
    if not ranked:
        return "1"
    told = ranked[len(ranked) // 2]
    count = told.sums.count if told.sums is not None else 0
    errors = math.atanh(min(abs(told.correlation), 1 - 1e-12)) * math.sqrt(max(count - 3, 0))
    chance = math.erfc(errors / math.sqrt(2))
    return f"{chance:.1e}" if chance >= LEAST_P else f"< {LEAST_P:.0e}"


def _tested(studied: Studied) -> tuple[str, ...]:
    """The innocent explanations that were tried."""
    said = [f"independent training: p {_chance(_matrices(studied))} for the median matrix, against random beginnings"]
    for each in studied.bases:
        said.append(
            f"common base {each.base}: changes correlate by {each.whole.correlation:.3f} in {len(each.tensors)} "
            f"matrices, slope {each.whole.slope:.3f}: {each.told}"
        )
    if not studied.bases:
        said.append("common base: none was given that has these tensors")
    if studied.known:
        names = listed(dict.fromkeys(studied.known.values()))
        said.append(f"published models: {len(studied.known):,} of the equal matrices are those of {names}")
    return tuple(said)


def _matrices(studied: Studied) -> list[Told]:
    """Matrices that correspond; smooth tables, which a formula may have made, tell nothing."""
    return [each for each in studied.compared.tensors if each.is_matrix and each.is_related and not each.is_smooth]
