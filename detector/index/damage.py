"""What an index says when it does not hold what was written to it."""

from __future__ import annotations

from detector.model import UserError


class Damaged(UserError):  # noqa: N818 - as UserError, it says what is the matter
    """Something in an index is not what was written there."""
