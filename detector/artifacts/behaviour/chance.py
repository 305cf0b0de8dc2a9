"""How many errors two models share, and how many they would if errors fell on items independently: they do not."""

from __future__ import annotations

import math
from dataclasses import dataclass

# Terms that no longer change the sum.
_NEGLIGIBLE = 1e-18
_LN10 = math.log(10.0)


@dataclass(frozen=True, slots=True)
class Shared:
    """Errors of two models on the same items."""

    items: int
    ours: int  # wrong answers of one
    theirs: int
    both: int  # items that both have wrong

    @property
    def expected(self) -> float:
        """Items that both would have wrong if errors fell independently."""
        return self.ours * self.theirs / self.items

    @property
    def lift(self) -> float:
        """How many times more they are."""
        return self.both / self.expected if self.expected else 0.0

    @property
    def kappa(self) -> float:
        """Error consistency: agreement on what is right and wrong, beyond that of independent errors.

        Source: Geirhos, Meding, Wichmann, NeurIPS 2020, section 2.2. Empty: 0 where one would agree always.
        """
        right = self.items - self.ours - self.theirs + self.both
        seen = (self.both + right) / self.items
        ours, theirs = self.ours / self.items, self.theirs / self.items
        by_chance = ours * theirs + (1 - ours) * (1 - theirs)
        return (seen - by_chance) / (1 - by_chance) if by_chance < 1 else 0.0

    def p(self) -> str:
        """Probability of so many shared errors or more if they fell independently, as a decimal text.

        It may be below what a float holds. Not calibrated: items differ in difficulty, so that all models share errors.
        """
        return decimal(log_tail(self.items, self.ours, self.theirs, self.both))


def log_tail(items: int, ours: int, theirs: int, both: int) -> float:
    """Natural logarithm of the upper tail of the hypergeometric distribution, from `both` on.

    Summed from its largest term outwards, so that nothing is lost or too large.
    """
    first, last = max(0, ours + theirs - items, both), min(ours, theirs)
    if first > last:
        return -math.inf
    mode = (ours + 1) * (theirs + 1) // (items + 2)
    start = min(max(first, mode), last)
    total = term = 1.0
    for found in range(start, last):
        term *= (ours - found) * (theirs - found) / ((found + 1) * (items - ours - theirs + found + 1))
        total += term
        if term < _NEGLIGIBLE * total:
            break
    term = 1.0
    for found in range(start, first, -1):
        term *= found * (items - ours - theirs + found) / ((ours - found + 1) * (theirs - found + 1))
        total += term
        if term < _NEGLIGIBLE * total:
            break
    # Binomials of four-digit numbers are exact as integers; logarithms of gammas would lose the last printed digits.
    return min(0.0, _log_mass(items, ours, theirs, start) + math.log(total))


def _log_mass(items: int, ours: int, theirs: int, both: int) -> float:
    return _log_comb(ours, both) + _log_comb(items - ours, theirs - both) - _log_comb(items, theirs)


def _log_comb(whole: int, part: int) -> float:
    if whole <= 20_000:
        return _log_integer(math.comb(whole, part))
    return math.lgamma(whole + 1) - math.lgamma(part + 1) - math.lgamma(whole - part + 1)


def _log_integer(value: int) -> float:
    shift = max(0, value.bit_length() - 1000)
    return math.log(value >> shift) + shift * math.log(2.0)


def decimal(logarithm: float) -> str:
    """A probability by its natural logarithm, with nine digits."""
    if logarithm == -math.inf:
        return "0"
    exponent = math.floor(logarithm / _LN10)
    mantissa = f"{math.exp(logarithm - exponent * _LN10):.8f}"
    if mantissa.startswith("10."):
        mantissa, exponent = "1.00000000", exponent + 1
    return f"{mantissa}e{exponent:+03d}" if exponent < -4 else f"{math.exp(logarithm):.9g}"
