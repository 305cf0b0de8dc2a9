"""How far the texts of two functions agree, where their flows hardly tell which of several is the source.

Words only order what is found: a copy without its names is found all the same, and stands a trace behind one that
has them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detector.code.corpus import Wordings, joined_wordings
from detector.code.pairs import Floats, Pairs
from detector.code.sets import resemblances
from detector.code.sorting import Numbers, distinct, grouped
from detector.code.tokens import Reading, Texts

# The functions of a side: their texts, of which only what is asked for is read, or what these are compared by.
Worded = Texts | Wordings


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far the texts of two functions agree, for each pair, 0..1; 0 where it was not asked for."""

    words: Floats  # names, numbers and strings in their order
    shape: Floats  # what is left without them
    forms: Numbers  # of the reference: the same number for those whose texts differ only in names, as far as known


def agreement(
    pairs: Pairs, is_asked: npt.NDArray[np.bool_], suspect: Worded | None, reference: Worded | None
) -> Agreement:
    """Compare the texts of the pairs that are asked for; texts and their wordings give the same numbers. With
    what is not known nothing agrees.

    Units:  plain Jaccard of runs of three words, and of five tokens of which names, numbers and strings are alike.
    Source: word n-grams as in Broder 1997, section 2; tokens without names as in Schleimer et al. 2003 (MOSS).
    """
    words, shape = np.zeros(len(pairs.suspect)), np.zeros(len(pairs.suspect))
    forms = np.arange(int(pairs.reference.max(initial=-1)) + 1)
    asked = np.flatnonzero(is_asked)
    if len(asked) and suspect is not None and reference is not None:
        found, one, other = _found(suspect, pairs.suspect[asked], reference, pairs.reference[asked])
        # Of functions that have the same texts, as many have in a copy, once.
        firsts, kinds = grouped(one * len(found.forms) + other)
        for runs, into in ((found.words, words), (found.shape, shape)):
            into[asked] = resemblances(runs, runs, one[firsts], other[firsts])[kinds]
        form = found.forms[other]
        forms[pairs.reference[asked[form >= 0]]] = form[form >= 0]
        _, forms = grouped(forms.astype(np.uint64))
    return Agreement(words, shape, forms[pairs.reference])


def _found(suspect: Worded, one: Numbers, reference: Worded, other: Numbers) -> tuple[Wordings, Numbers, Numbers]:
    """The wordings of all functions that are asked for, and the row of each."""
    reading = Reading()
    parts: list[Wordings] = []
    rows: list[Numbers] = []
    read: list[int] = []
    for number, (side, functions) in enumerate(((suspect, one), (reference, other))):
        if isinstance(side, Wordings):
            wanted = distinct(functions)
            rows.append(sum(len(part.forms) for part in parts) + np.searchsorted(wanted, functions))
            parts.append(side.take(wanted))
        else:
            rows.append(reading.rows(functions, side))
            read.append(number)
    before = sum(len(part.forms) for part in parts)
    for number in read:  # of both sides together: what has the same text has one row
        rows[number] = rows[number] + before
    return joined_wordings([*parts, *([reading.wordings()] if read else [])]), rows[0], rows[1]
