"""Names as somebody would choose them: made of the words of the trade."""

from __future__ import annotations

import builtins
import keyword
import random
from collections.abc import Callable

NOUNS = (
    "token feature patch grid window embed query slot channel head layer block stage branch gate scale shift offset "
    "anchor region frame clip slice chunk segment span bucket bin cell node edge graph table map cache buffer pool "
    "queue stack batch sample item entry record row col width height depth size dim length count total amount weight "
    "bias coef factor ratio rate step epoch round pass level order rank index pos point coord box mask pad border "
    "margin kernel filter stride signal wave noise blur crop tile image pixel vision text word phrase prompt label "
    "target logit score prob vote loss cost penalty reward value state memory context source sink input output result "
    "answer reply hidden latent code key lookup vocab symbol char path folder file config option setting param arg "
    "model net trunk stem neck tower expert mixer fusion encoder decoder adapter bridge port link chain loop group set "
    "part piece half side corner center mean norm delta diff residual error limit bound floor ceiling range mode kind "
    "type flag switch choice plan policy rule schedule timer clock worker loader reader writer parser builder maker "
    "tensor matrix vector array field plane axis angle phase freq band scene view camera ray mesh voxel"
).split()
VERBS = (
    "make build get fetch load read parse run apply compute calc derive collect gather merge join split cut slice pick "
    "select choose take drop keep fill pad scale shift map convert wrap unwrap pack unpack encode decode embed project "
    "mix fuse blend attend pool reduce update refresh reset init prepare setup check verify ensure find search match "
    "sort count measure estimate predict infer sample draw render resize crop normalize mask expand shrink fold unfold "
    "push pull send emit handle process resolve format clean trim"
).split()
ADJECTIVES = (
    "new old raw base main last first next prev cur final inner outer local shared global full partial wide narrow "
    "deep shallow flat sparse dense fast slow plain simple basic hard soft left right upper lower fixed dynamic extra "
    "spare tmp real fake clean noisy coarse fine multi single dual cross linear masked scaled padded sorted valid "
    "known temp initial current active default"
).split()
SHORT = (
    "a b c d e h k m n p q r s t u v w z x1 x2 xs ys hs zs tmp buf cur idx cnt val res ret acc arr seq obj el".split()
)
CLASS_ENDS = "Block Layer Module Net Unit Stage Head Encoder Mixer Stack Part Core Cell Bank Group Builder".split()


class Words:
    """Draws names that are not taken. A local's name is free again in the next function, others are given once."""

    def __init__(self, chance: random.Random, taken: set[str]) -> None:
        self.chance = chance
        self.taken = {*taken, *keyword.kwlist, *keyword.softkwlist, *dir(builtins), "self", "cls"}
        self.locals: set[str] = set()

    def local(self, used: set[str]) -> str:
        """A name for a local variable of a function whose names are `used`; adds it to them."""
        for attempt in range(10_000):
            is_short = attempt < 8 and self.chance.random() < 0.35
            name = self.chance.choice(SHORT) if is_short else self._noun(1 + attempt // 6)
            if name not in self.taken and name not in used:
                used.add(name)
                self.locals.add(name)
                return name
        raise AssertionError("words run out")

    def like(self, name: str, is_function: bool) -> str:
        """A name for something other than a local, in the style of its old name."""
        bare = name.lstrip("_")
        lead = name[: len(name) - len(bare)]
        if bare.isupper() and len(bare) > 1:
            return self._free(lambda count: lead + self._noun(count).upper())
        if bare[:1].isupper():
            return self.class_name(lead)
        if is_function:
            return self.function(lead)
        return self._free(lambda count: lead + self._noun(count))

    def class_name(self, lead: str = "") -> str:
        """A name for a class."""
        return self._free(lambda count: lead + self._class(count))

    def function(self, lead: str = "") -> str:
        """A name for a function or method."""
        return self._free(lambda count: f"{lead}{self.chance.choice(VERBS)}_{self._noun(count)}")

    def attribute(self) -> str:
        """A name for an attribute or a module-level variable."""
        return self._free(self._noun)

    def file(self) -> str:
        """A name for a file: two words at least, so that it hides no module of a library."""
        return self._free(lambda count: self._noun(count + 1))

    def _free(self, make: Callable[[int], str]) -> str:
        for attempt in range(10_000):
            name = make(1 + attempt // 6)
            if name not in self.taken and name not in self.locals:
                self.taken.add(name)
                return name
        raise AssertionError("words run out")

    def _noun(self, count: int) -> str:
        parts = [self.chance.choice(NOUNS)]
        for _ in range(max(0, min(count, 4) - 1 + (self.chance.random() < 0.4))):
            parts.insert(0, self.chance.choice(ADJECTIVES if self.chance.random() < 0.5 else NOUNS))
        return "_".join(parts)

    def _class(self, count: int) -> str:
        front = "".join(part.capitalize() for part in self._noun(count).split("_"))
        return front + self.chance.choice(CLASS_ENDS) if self.chance.random() < 0.7 or count > 1 else front
