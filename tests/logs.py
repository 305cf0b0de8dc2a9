"""Logs of predictions for tests: small targets on disk, compared as the command does."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from detector.evidence import behaviour
from detector.model import Look
from detector.read import open_target
from detector.targets import Comparison

ITEMS = 300
CLASSES = 12
Files = Mapping[str, str | bytes]
Record = Mapping[str, object]


def target(folder: Path, name: str, files: Files) -> str:
    """Write a target and give its path."""
    for path, text in files.items():
        place = folder / name / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
    return str(folder / name)


def looks(folder: Path, suspect: Files, *references: Files, panel: Sequence[Files] = ()) -> tuple[Look, ...]:
    """Compare targets: `suspect` with `reference-0` and so on, beside `model-0` and so on."""
    with ExitStack() as opened:
        given = {
            name: opened.enter_context(open_target(target(folder, name, files)))
            for names, all_files in (
                (["suspect"], [suspect]),
                ([f"reference-{number}" for number in range(len(references))], references),
                ([f"model-{number}" for number in range(len(panel))], panel),
            )
            for name, files in zip(names, all_files, strict=True)
        }
        comparison = Comparison(
            given["suspect"],
            "suspect",
            {name: each for name, each in given.items() if name.startswith("reference")},
            panel={name: each for name, each in given.items() if name.startswith("model")},
        )
        return behaviour.find(comparison)


def look(folder: Path, suspect: Files, reference: Files, panel: Sequence[Files] = ()) -> Look:
    """Compare two targets."""
    return looks(folder, suspect, reference, panel=panel)[0]


def lines(records: Sequence[Record]) -> str:
    """Records as JSON Lines."""
    return "".join(json.dumps(record) + "\n" for record in records)


def answers(seed: int, items: int = ITEMS) -> list[str]:
    """What a model of its own answers: items differ in difficulty, the wrong answers of hard ones lie near."""
    source = random.Random(seed)
    found = []
    for number in range(items):
        difficulty = random.Random(number).random() ** 2
        is_wrong, which, other = source.random() < difficulty, source.random(), source.random()
        wrong = 1 if which < 0.6 else 2 + int(other * (CLASSES - 2))
        found.append(f"class {(number + wrong * is_wrong) % CLASSES}")
    return found


def labels(items: int = ITEMS) -> list[str]:
    """The truth about them."""
    return [f"class {number % CLASSES}" for number in range(items)]


def log(given: Sequence[object], truth: Sequence[object] | None = None) -> dict[str, str]:
    """A target with one log of these answers."""
    records: list[dict[str, object]] = [{"id": number, "prediction": answer} for number, answer in enumerate(given)]
    for record, label in zip(records, truth or (), strict=False):
        record["label"] = label
    return {"predictions.jsonl": lines(records)}


def copied(seed: int, kept: float, of: Sequence[str]) -> list[str]:
    """A model that answers as another does in this share of the items, and else by itself."""
    source = random.Random(seed)
    return [old if source.random() < kept else new for old, new in zip(of, answers(seed), strict=True)]
