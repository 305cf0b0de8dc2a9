"""Classifiers of handwritten digits that were trained separately, and copies of them with noise on their weights."""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.wheels import wheel

PACKAGE = "scikit-learn==1.5.2"  # carries 1,797 digits of 8 by 8 dots (UCI, optical recognition of handwritten digits)
DIGITS = "sklearn/datasets/data/digits.csv.gz"
TESTED = 1_000
CLASSES = 10
MODELS = 24
FORMS = ((), (64,), (128,), (256,), (96, 64), (192, 48))  # hidden values, layer by layer
NARROW = ((16,), (24, 24), (12, 12))
PARTS = (0.15, 0.3, 0.45, 0.6)  # of the digits to learn from
_BRIGHTEST = 16.0  # of a dot
_STEPS, _BATCH, _RATE, _MOMENTUM = 800, 32, 0.05, 0.9

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Digits:
    """Pictures as rows of dots, and what they show."""

    pictures: Floats
    labels: Ints


@dataclass(frozen=True, slots=True)
class Network:
    """Weights and biases, layer by layer; between two layers the larger of value and zero."""

    layers: tuple[tuple[Floats, Floats], ...]

    def answers(self, pictures: Floats) -> Ints:
        """The digit that each picture shows."""
        answers: Ints = np.argmax(_activations(self.layers, pictures)[-1], axis=1)
        return answers

    def noised(self, part: float, seed: int) -> Network:
        """A copy with normal noise of this part of each layer's standard deviation on its weights and biases."""
        random = np.random.default_rng(seed)
        return Network(
            tuple(
                (
                    weights + part * weights.std() * random.standard_normal(weights.shape),
                    biases + part * biases.std() * random.standard_normal(biases.shape),
                )
                for weights, biases in self.layers
            )
        )


def digits(cache: Path) -> tuple[Digits, Digits]:
    """The digits to learn from and those to be tested on, the same split every time."""
    with zipfile.ZipFile(wheel(cache, PACKAGE)) as archive:
        text = gzip.decompress(archive.read(DIGITS)).decode("ascii")
    rows = np.array([[float(cell) for cell in row] for row in csv.reader(io.StringIO(text))])
    rows = np.random.default_rng(0).permutation(rows)
    pictures, labels = rows[:, :-1] / _BRIGHTEST, rows[:, -1].astype(np.int64)
    return Digits(pictures[TESTED:], labels[TESTED:]), Digits(pictures[:TESTED], labels[:TESTED])


def networks(learned: Digits) -> list[Network]:
    """Two dozen, each with its own seed, form and part of the digits to learn from."""
    return [_varied(learned, FORMS, number) for number in range(MODELS)]


def narrow_networks(learned: Digits) -> list[Network]:
    """Further ones with so few hidden values that noise on their weights does not average out."""
    return [_varied(learned, NARROW, MODELS + number) for number in range(2 * len(NARROW))]


def _varied(learned: Digits, forms: tuple[tuple[int, ...], ...], number: int) -> Network:
    return train(learned, forms[number % len(forms)], PARTS[number % len(PARTS)], number)


def train(learned: Digits, widths: tuple[int, ...], part: float, seed: int) -> Network:
    """Learn from a random part of the digits, by gradient descent with momentum."""
    random = np.random.default_rng(1000 + seed)
    seen = random.choice(len(learned.labels), int(part * len(learned.labels)), replace=False)
    sizes = (learned.pictures.shape[1], *widths, CLASSES)
    layers = [
        (random.standard_normal((one, other)) * np.sqrt(2 / one), np.zeros(other))
        for one, other in itertools.pairwise(sizes)
    ]
    speeds = [(np.zeros_like(weights), np.zeros_like(biases)) for weights, biases in layers]
    for _ in range(_STEPS):
        chosen = random.choice(seen, _BATCH)
        steps = _gradients(layers, learned.pictures[chosen], learned.labels[chosen])
        for place, (of_weights, of_biases) in enumerate(steps):
            speed = tuple(
                _MOMENTUM * old - _RATE * new for old, new in zip(speeds[place], (of_weights, of_biases), strict=True)
            )
            speeds[place] = (speed[0], speed[1])
            layers[place] = (layers[place][0] + speed[0], layers[place][1] + speed[1])
    return Network(tuple(layers))


def _activations(layers: tuple[tuple[Floats, Floats], ...] | list[tuple[Floats, Floats]], rows: Floats) -> list[Floats]:
    found = [rows]
    for place, (weights, biases) in enumerate(layers):
        value = found[-1] @ weights + biases
        found.append(value if place == len(layers) - 1 else np.maximum(value, 0))
    return found


def _gradients(layers: list[tuple[Floats, Floats]], rows: Floats, labels: Ints) -> list[tuple[Floats, Floats]]:
    """Of the cross entropy, by each layer's weights and biases."""
    values = _activations(layers, rows)
    shares = np.exp(values[-1] - values[-1].max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    shares[np.arange(len(labels)), labels] -= 1
    back, found = shares / len(labels), []
    for place in reversed(range(len(layers))):
        found.append((values[place].T @ back, back.sum(axis=0)))
        back = (back @ layers[place][0].T) * (values[place] > 0)
    return found[::-1]
