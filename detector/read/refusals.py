"""Why a target is not to be had, where somebody who asks for many must tell the reasons apart."""

from __future__ import annotations

from detector.model import UserError


class GatedError(UserError):
    """It is there, and not for us."""


class VanishedError(UserError):
    """It is not there, or not any more."""


class ExhaustedError(UserError):
    """Whoever has it takes no more requests now: the next one would be refused as well."""
