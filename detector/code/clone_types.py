"""Clone types of matched pairs by what their texts are compared by, where the texts themselves are not at hand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from detector.code.corpus import RUN_BITS, Corpus, Runs, Wordings, worded
from detector.code.sorting import Numbers
from detector.code.tokens import Reading, Texts
from detector.model import CloneType

# Share of runs of tokens from which on two functions are one text that was edited, not one computation written anew.
# What syntax trees say (`digest.edited_or_rewritten`), this says of 84 % of the fixtures' pairs, of 89 % of those of
# three packages and their disguises, and of 94 % of those of two versions of one package; .3 and .4 say it of fewer.
LEAST_EDITED_SHAPE = 0.35


def clone_types(pairs: Sequence[tuple[int, int]], suspect: Texts, reference: Corpus) -> list[CloneType]:
    """Tell the clone type of each pair, numbers of functions, of a suspect's texts and a reference's wordings.

    Layout and names are told by hashes of the whole text, with names and with their order in place of names; an edited
    text from one written anew by the runs of tokens that both have.
    """
    if not pairs:
        return []
    one, other = np.array(pairs).T
    reading = Reading()
    rows = reading.rows(one, suspect)
    return of_wordings(reading.wordings().take(rows), worded(reference).take(other))


def of_wordings(suspect: Wordings, reference: Wordings) -> list[CloneType]:
    """The same of row j of the one with row j of the other."""
    is_read = (suspect.texts != 0) & (reference.texts != 0)
    is_same = is_read & (suspect.texts == reference.texts)
    is_renamed = is_read & (suspect.forms == reference.forms)
    is_edited = is_read & (likeness(suspect.shape, reference.shape) >= LEAST_EDITED_SHAPE)
    types = np.select(
        [is_same, is_renamed, is_edited],
        [CloneType.LAYOUT, CloneType.RENAMED, CloneType.EDITED],
        CloneType.REWRITTEN,
    )
    return [CloneType(each) for each in types.tolist()]


def likeness(one: Runs, other: Runs) -> npt.NDArray[np.float64]:
    """Plain Jaccard of the runs of each row; 0 where there are none."""
    counts = [np.diff(side.offsets) for side in (one, other)]
    # Each run is in a row once: what stands there twice, both have.
    keys = np.sort(np.concatenate([_keys(side, count) for side, count in zip((one, other), counts, strict=True)]))
    shared = np.bincount(keys[:-1][keys[1:] == keys[:-1]] >> RUN_BITS, minlength=len(counts[0]))
    found: npt.NDArray[np.float64] = shared / np.maximum(counts[0] + counts[1] - shared, 1)
    return found


def _keys(runs: Runs, counts: Numbers) -> Numbers:
    """One number for each row and run."""
    return (np.repeat(np.arange(len(counts)), counts) << RUN_BITS) | runs.hashes.astype(np.int64)
