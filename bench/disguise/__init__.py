"""Disguise code as somebody does who copies it and hides that: from a new layout to a new structure, with the truth."""

from __future__ import annotations

from bench.disguise.levels import disguise
from bench.disguise.needles import Needles, needles
from bench.disguise.partial import KINDS, Partial, Row, partial
from bench.disguise.rates import LEVELS
from bench.disguise.work import HOST, PART, WHOLE, Disguised, Key, Target

__all__ = [
    "HOST", "KINDS", "LEVELS", "PART", "WHOLE", "Disguised", "Key", "Needles", "Partial", "Row", "Target", "disguise",
    "needles", "partial",
]  # fmt: skip
