"""Two texts beside each other: which lines are equal."""

from __future__ import annotations

from rapidfuzz.distance import LCSseq

from detector.model import Texts

Run = tuple[int, int, int]  # first line of either side, from 0, and how many


def lay(suspect: str, reference: str, unrenamed: str, undone: int) -> Texts:
    """Lay a suspect's function beside its reference, as published and with its renames undone."""
    published = equal_lines(suspect, reference)
    return Texts(
        suspect, reference, unrenamed, undone, equal_lines(unrenamed, reference) if undone else published, published
    )


def equal_lines(one: str, other: str) -> tuple[Run, ...]:
    """Runs of lines that both have in one order, as many as there can be; blanks at their ends do not count.

    Ties: of several equally long ones, always the same.
    """
    ours, theirs = [[line.strip() for line in text.split("\n")] for text in (one, other)]
    return tuple(
        (block.src_start, block.dest_start, block.src_end - block.src_start)
        for block in LCSseq.opcodes(ours, theirs)
        if block.tag == "equal"
    )
