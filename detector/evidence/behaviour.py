"""To be written.

Measured:  .
"""

from __future__ import annotations

from detector.model import Examined, Look
from detector.targets import Comparison


def find(comparison: Comparison) -> tuple[Look, ...]:
    """Compare."""
    return tuple(Look(Examined("behaviour", name, False, "not compared")) for name in comparison.references)
