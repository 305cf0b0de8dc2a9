"""Whether a checkpoint under the names that were found runs in the reference's code. Needs PyTorch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from bench.weights import gpt
from bench.weights.files import load, save
from bench.weights.variants import Values
from detector.artifacts.weights.mapping import map_tensors
from detector.artifacts.weights.opened import open_weights
from detector.read import open_target
from detector.renamed_weights import Renamed, write_renamed

FILE = "model.safetensors"


def renamed(suspect: Values, reference: Values, folder: Path) -> tuple[Values, Renamed]:
    """Write both, map them, and write the suspect under the reference's names; what is in that file then."""
    save(folder / "suspect" / FILE, suspect)
    save(folder / "reference" / FILE, reference)
    with open_target(str(folder / "suspect")) as ours, open_target(str(folder / "reference")) as theirs:
        (mine,), (its,) = open_weights(ours.files).found, open_weights(theirs.files).found
        told = write_renamed(ours, mine, map_tensors(mine, its, is_sampled=False), folder / "renamed")
    return load(folder / "renamed" / FILE), told


def outputs(size: gpt.Size, values: Values, given: NDArray[np.int64]) -> NDArray[np.float32]:
    """What the module makes of some texts with these values.

    Shapes:  texts, characters -> texts, characters, known characters.
    Errors:  RuntimeError if a name is missing, too much, or has another shape.
    """
    torch.set_num_threads(1)
    model = gpt.Gpt(size)
    gpt.load(model, values)
    with torch.no_grad():
        found: NDArray[np.float32] = model(torch.from_numpy(given)).numpy()
    return found
