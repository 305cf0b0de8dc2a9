"""What a store says when it does not hold what was written to it."""

from __future__ import annotations

from detector.model import UserError


class Damaged(UserError):  # noqa: N818 - as UserError, it says what is the matter
    """Something in a store is not what was written there."""

    def __init__(self, what: str) -> None:
        super().__init__(f"the store of the scan is damaged ({what}): restore it from a copy, or scan anew")
