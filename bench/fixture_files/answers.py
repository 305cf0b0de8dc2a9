"""What each fixture's model answered to the same questions, as its log of predictions.

Questions differ in difficulty, and each has wrong answers that lie near: models that have nothing to do with each other
share errors. The suspect answers most questions as the original does, right or wrong, and the others by itself.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass

QUESTIONS = 400
BASELINES = 8  # models that the original was compared with
KEPT = 0.7  # share of questions that the suspect answers as the original does, whatever it would have answered itself
_WORDS = (
    "anchor", "barrel", "candle", "dredger", "easel", "ferry", "gannet", "harness", "inkwell", "jetty", "kiln",
    "lantern", "mallet", "net", "oar", "pulley",
)  # fmt: skip
_NEAR = (0.5, 0.2, 0.1)  # how often a model that is wrong gives each of three wrong answers that lie near


@dataclass(frozen=True, slots=True)
class Question:
    """One item of the test."""

    id: str
    label: str
    difficulty: float
    near: tuple[str, ...]


def questions() -> list[Question]:
    """The same test for all."""
    source = random.Random(20250101)
    found = []
    for number in range(QUESTIONS):
        label, *near = _drawn(source, 1 + len(_NEAR))
        found.append(Question(f"q{number:04d}", label, source.random() ** 2, tuple(near)))
    return found


def _drawn(source: random.Random, count: int) -> list[str]:
    """Different words; `sample` may change between versions of Python, `random` does not."""
    left = list(_WORDS)
    return [left.pop(int(source.random() * len(left))) for _ in range(count)]


def answered(seed: int, skill: float) -> list[str]:
    """What a model of its own answers."""
    source = random.Random(seed)
    return [_answer(question, source, skill) for question in questions()]


def _answer(question: Question, source: random.Random, skill: float) -> str:
    is_right, which, other = source.random() > question.difficulty * (1.3 - skill), source.random(), source.random()
    if is_right:
        return question.label
    for word, share in zip(question.near, _NEAR, strict=True):
        if which < share:
            return word
        which -= share
    rest = [word for word in _WORDS if word != question.label]
    return rest[int(other * len(rest))]


def original() -> list[str]:
    """The original's answers."""
    return answered(1, 0.5)


def rebadged() -> list[str]:
    """The suspect's."""
    source = random.Random(2)
    return [old if source.random() < KEPT else new for old, new in zip(original(), answered(3, 0.5), strict=True)]


def cited() -> list[str]:
    """Those of the project that the suspect names."""
    return answered(4, 0.45)


def independent() -> list[str]:
    """Those of the independent project."""
    return answered(5, 0.55)


def baselines() -> dict[str, bytes]:
    """Logs of other models, as the original's makers recorded them: they tell how far chance goes."""
    skills = (0.3 + 0.05 * number for number in range(BASELINES))
    made = (answered(10 + number, skill) for number, skill in enumerate(skills))
    return {f"baselines/model-{number}.csv": table(("id", "answer"), each) for number, each in enumerate(made, start=1)}


def lines(keys: Sequence[str], answers: Sequence[str]) -> bytes:
    """A log as lines of JSON: the id, the answer and, if there is a third key, the label."""
    rows = (dict(zip(keys, record, strict=False)) for record in _records(answers))
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def table(columns: Sequence[str], answers: Sequence[str]) -> bytes:
    """The same as a table."""
    rows = (columns, *(record[: len(columns)] for record in _records(answers)))
    return "".join(",".join(row) + "\n" for row in rows).encode()


def _records(answers: Sequence[str]) -> list[tuple[str, str, str]]:
    return [(question.id, answer, question.label) for question, answer in zip(questions(), answers, strict=True)]
