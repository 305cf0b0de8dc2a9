"""A checkpoint under the names that were found runs in the reference's own code, and does the same there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from bench.weights import gpt, variants  # noqa: E402
from bench.weights.renamed import outputs, renamed  # noqa: E402

SIZE = gpt.Size(width=32, layers=2, heads=4)
GIVEN = np.random.default_rng(5).integers(0, len(gpt.CHARACTERS), (4, gpt.CONTEXT))


@pytest.fixture(scope="module")
def reference() -> variants.Values:
    """A model after a few steps, so that no two of its tensors hold the same."""
    text = gpt.encoded("the quick brown fox jumps over the lazy dog\n" * 50)
    return dict(gpt.train(SIZE, 1, text, steps=5)[0])


def _shuffled(values: variants.Values) -> variants.Values:
    return variants.shuffled_names(values, np.random.default_rng(2))[0]


def test_a_copy_whose_tensors_have_other_names_and_another_order_gives_equal_outputs(
    reference: variants.Values, tmp_path: Path
) -> None:
    with pytest.raises(RuntimeError, match="Missing key"):
        outputs(SIZE, _shuffled(reference), GIVEN)
    found, told = renamed(_shuffled(reference), reference, tmp_path)
    assert set(found) == set(reference)
    assert told.renamed == len(reference)
    assert np.array_equal(outputs(SIZE, found, GIVEN), outputs(SIZE, reference, GIVEN))


def test_tensors_that_hold_one_value_may_stand_for_each_other(tmp_path: Path) -> None:
    torch.manual_seed(3)
    untrained: variants.Values = dict(gpt.weights(gpt.Gpt(SIZE)))
    found, _ = renamed(_shuffled(untrained), untrained, tmp_path)
    assert np.array_equal(outputs(SIZE, found, GIVEN), outputs(SIZE, untrained, GIVEN))


def test_a_copy_with_noise_runs_in_the_originals_code_and_answers_nearly_as_it_does(
    reference: variants.Values, tmp_path: Path
) -> None:
    noisy = variants.with_noise(reference, np.random.default_rng(4))
    found, _ = renamed(_shuffled(noisy), reference, tmp_path)
    assert all(np.array_equal(found[name], noisy[name]) for name in variants.matrices(noisy))
    ours, theirs = outputs(SIZE, found, GIVEN), outputs(SIZE, reference, GIVEN)
    assert np.corrcoef(ours.ravel(), theirs.ravel())[0, 1] > 0.99
