"""Whom a member is compared with: by its keys, by its probe, and by what it declares."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

from detector.scan import keys, probes
from detector.scan.keys import DECLARED, Candidate

WEIGHTS = "weights"


def candidates(connection: sqlite3.Connection, member: str, most: int) -> list[Candidate]:
    """Those whose values are alike, the nearest first; those with most in common else; those that are declared.

    most: of those that are not declared, and of those that are.
    """
    by_keys = {each.member: each for each in keys.candidates(connection, member, most)}
    found: list[Candidate] = []
    for alike in probes.alike(connection, member):
        each = by_keys.pop(alike.member, Candidate(alike.member, 0.0, ()))
        found.append(replace(each, kinds=(WEIGHTS, *each.kinds)))
    found += [each for each in by_keys.values() if DECLARED not in each.kinds]
    return found[:most] + [each for each in by_keys.values() if DECLARED in each.kinds]
