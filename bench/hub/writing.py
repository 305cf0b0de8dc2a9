"""A hub while it is being written: who is there, when they came, what others may derive from."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path

from bench.hub import texts, weights
from bench.hub.model import Model
from bench.hub.words import coined
from tests.hub_repositories import Upload, publish, tell

START = 1_704_067_200  # 2024-01-01
DAY = 86_400
Contents = dict[str, bytes | str | Path]


@dataclass(frozen=True, slots=True)
class Planted:
    """A copy that declares nothing."""

    suspect: str
    reference: str
    kind: str  # "code", "tokenizer", "config", "weights", "cross-upload"


@dataclass(frozen=True, slots=True)
class Made:
    """A repository of the hub."""

    name: str
    kind: str
    base: str = ""  # that its card declares


@dataclass
class Writing:
    """A hub that is being written."""

    folder: Path
    seed: int
    cache: Path | None
    rng: random.Random
    members: list[Made] = field(default_factory=list)
    planted: list[Planted] = field(default_factory=list)
    models: dict[str, Model] = field(default_factory=dict)  # of those that others may derive from
    at: dict[str, int] = field(default_factory=dict)
    words: set[str] = field(default_factory=set)
    cards: dict[str, str] = field(default_factory=dict)

    def word(self) -> str:
        """A name that nobody else has."""
        while True:
            found = coined(self.rng)
            if found not in self.words:
                self.words.add(found)
                return found

    def name(self, of: str = "") -> str:
        """A model's name, with its author's."""
        return f"{coined(self.rng, 2)}/{of or self.word()}"

    def weights(self, tensors: weights.Tensors, kind: str = "F16") -> Path:
        """A checkpoint on the disk."""
        path = self.folder / "made.safetensors"
        path.unlink(missing_ok=True)
        return weights.write(path, tensors, kind)

    def add(self, made: Made, files: Contents, *, after: int = 0, model: Model | None = None) -> None:
        """Publish a repository: a beginning, everything an hour later, and of some another card weeks after that."""
        rng = self.rng
        at = after + rng.randint(15, 60) * DAY if after else START + rng.randint(0, 200) * DAY
        at += rng.randint(0, DAY)
        uploads = [Upload(at, {".gitattributes": texts.ATTRIBUTES}, "initial commit"), Upload(at + 3_600, files)]
        written = files.get("README.md")
        if rng.random() < 0.3 and isinstance(written, str):
            uploads.append(Upload(at + rng.randint(2, 20) * DAY, {"README.md": f"{written}\nUpdated.\n"}))
        publish(self.folder, made.name, uploads)
        tell(self.folder, made.name, likes=rng.randint(0, 300), downloads=rng.randint(0, 9_000))
        self.members.append(made)
        self.at[made.name] = at
        self.cards[made.name] = written if isinstance(written, str) else ""
        if model is not None:
            self.models[made.name] = model

    def touch(self, name: str, at: int) -> None:
        """Change the card of a repository later."""
        publish(self.folder, name, [Upload(at, {"CHANGES.md": "# Changes\n\nThe card was brought up to date.\n"})])

    def pick(self, kind: str, *kinds: str) -> str:
        """One of the repositories of these kinds that others may derive from, and that no copy was made of."""
        copied = {name for each in self.planted for name in (each.suspect, each.reference)}
        found = sorted(
            each.name
            for each in self.members
            if each.kind in (kind, *kinds) and each.name in self.models and each.name not in copied
        )
        return self.rng.choice(found)
