"""How often each edit is made: at one usual rate up to a level, at random ones at the last."""

from __future__ import annotations

import random
from collections.abc import Mapping

LEVELS = ("L1", "L2", "L3", "L4", "L5", "L6", "L7", "L8")
ANY = LEVELS.index("L8") + 1  # everything, at random rates

# Edit -> the level that it belongs to, and the share of its places that are edited at the levels up to L7.
EDITS: Mapping[str, tuple[int, float]] = {
    "rename local": (2, 1.0),
    "rename": (3, 1.0),
    "rename file": (3, 1.0),
    "import style": (4, 0.7),
    "import inside": (4, 0.1),
    "inline": (5, 0.5),
    "split": (5, 0.3),
    "name result": (5, 0.25),
    "tuples": (5, 0.4),
    "augment": (5, 0.5),
    "reorder": (5, 0.5),
    "unchain": (5, 0.5),
    "keyword order": (5, 0.6),
    "keyword or positional": (5, 0.5),
    "flip": (6, 0.4),
    "ternary": (6, 0.5),
    "default if": (6, 0.5),
    "early return": (6, 0.5),
    "guard": (6, 0.5),
    "comprehension": (6, 0.5),
    "map": (6, 0.5),
    "any or all": (6, 0.6),
    "index loop": (6, 0.6),
    "counter": (6, 0.4),
    "while": (6, 0.4),
    "endless": (6, 0.4),
    "nested if": (6, 0.5),
    "de Morgan": (6, 0.5),
    "direction": (6, 0.5),
    "chained comparison": (6, 0.6),
    "emptiness": (6, 0.6),
    "membership": (6, 0.5),
    "isinstance": (6, 0.6),
    "text": (6, 0.5),
    "dict": (6, 0.6),
    "shape": (6, 0.5),
    "tensor method": (6, 0.5),
    "matmul": (6, 0.6),
    "view": (6, 0.6),
    "unsqueeze": (6, 0.4),
    "dim": (6, 0.5),
    "super": (6, 0.6),
    "assert": (6, 0.7),
    "best": (6, 0.7),
    "power": (6, 0.5),
    "or": (6, 0.6),
    "range": (6, 0.5),
    "extend": (6, 0.5),
    "lambda": (6, 0.5),
    "no grad": (6, 0.7),
    "sequential": (6, 0.6),
    "reorder methods": (7, 0.7),
    "reorder functions": (7, 0.7),
    "extract": (7, 0.35),
    "inline helper": (7, 0.5),
    "inline body": (7, 0.4),
    "free method": (7, 0.5),
    "move": (7, 0.2),
    "split class": (7, 0.2),
    "dead": (7, 0.08),
    "dead helper": (7, 0.12),
}
MOST: Mapping[str, float] = {"dead": 0.25, "import inside": 0.3, "split class": 0.5, "move": 0.5, "split": 0.7}


class Rates:
    """The rate of each edit at one level."""

    def __init__(self, level: str, seed: int) -> None:
        if level not in LEVELS:
            raise ValueError(f"{level} is none of {', '.join(LEVELS)}")
        self.level, self.seed = LEVELS.index(level) + 1, seed

    def of(self, edit: str, place: str = "") -> float:
        """The share of an edit's places in a function (or file, or project) that are to be edited."""
        level, usual = EDITS[edit]
        if self.level < ANY:
            return usual if level <= self.level else 0.0
        return random.Random(f"{self.seed}:{edit}:{place}").random() * MOST.get(edit, 1.0)
