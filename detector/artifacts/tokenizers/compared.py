"""Two tokenizers side by side: what they have in common beyond the known ones that they are built on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from detector.artifacts.tokenizers.changes import Shared, changed_ids, content_at, shared_changes
from detector.artifacts.tokenizers.files import Stored, Tokenizer
from detector.artifacts.tokenizers.known import Base, Registry, base_of
from detector.artifacts.tokenizers.templates import similarity, statements
from detector.settings.tokenizer import (
    CHANGES_LINE_BITS,
    FEWEST_SAME_TOKENS,
    FEWEST_TEMPLATE_STATEMENTS,
    SAME_VOCABULARY_SHARE,
)


@dataclass(frozen=True, slots=True)
class Told:
    """A tokenizer, and the known one that it is built on."""

    tokenizer: Tokenizer
    base: Base | None
    beyond: frozenset[int] = field(default=frozenset(), repr=False)  # ids of trained tokens that the base does not have
    statements: Mapping[str, str] = field(default_factory=dict, repr=False)  # of its chat templates, by their hashes

    def says(self) -> str:
        """Put it in words."""
        if self.base is not None:
            return self.base.says()
        if not self.tokenizer.contents and not self.tokenizer.added:
            return (
                "its vocabulary cannot be read" if any(not each.is_read for each in self.tokenizer.stored) else "empty"
            )
        return "not built on a known one"


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """How the trained tokens of two agree by their ids, those of a known base left out."""

    same: int
    least: int  # tokens beyond the base of the side that has fewer

    @property
    def share(self) -> float:
        """The share of the smaller side that both have at the same ids, 0..1."""
        return self.same / self.least if self.least else 0.0

    @property
    def is_same(self) -> bool:
        """Whether it is one vocabulary."""
        return self.same >= FEWEST_SAME_TOKENS and self.share >= SAME_VOCABULARY_SHARE


@dataclass(frozen=True, slots=True)
class Compared:
    """What two tokenizers have in common."""

    suspect: Told
    reference: Told
    changes: tuple[Shared, ...]
    vocabulary: Vocabulary
    statements: tuple[str, ...]  # of chat templates: those that both have and no known template
    files: tuple[tuple[Stored, Stored], ...]  # with vocabularies, equal byte by byte

    @property
    def bits(self) -> float:
        """How surprising the shared changes are."""
        return sum(each.bits for each in self.changes)

    @property
    def has_changes(self) -> bool:
        """Whether the shared changes are a finding."""
        return self.bits >= CHANGES_LINE_BITS

    @property
    def has_template(self) -> bool:
        """Whether what the templates share is a finding."""
        return len(self.statements) >= FEWEST_TEMPLATE_STATEMENTS

    def weight(self) -> tuple[bool, float, int, int, float]:
        """What tells the nearest pair from the others."""
        near = self.suspect.base is not None and self.reference.base is not None
        is_one_base = near and self.suspect.base.known is self.reference.base.known  # type: ignore[union-attr]
        return self.vocabulary.is_same, self.bits, len(self.files), len(self.statements), float(is_one_base)


def told(tokenizer: Tokenizer, known: Registry) -> Told:
    """Find the base of a tokenizer, and what is left to compare."""
    base = base_of(tokenizer, known)
    said = {code: text for template in tokenizer.part.templates.values() for code, text in statements(template).items()}
    unknown = {code: text for code, text in said.items() if code not in known.statements}
    return Told(tokenizer, base, _beyond(tokenizer, base), unknown)


def compare(suspect: Told, reference: Told, known: Registry) -> Compared:
    """Compare part by part."""
    return Compared(
        suspect,
        reference,
        shared_changes((suspect.tokenizer, suspect.base), (reference.tokenizer, reference.base), known),
        _vocabulary(suspect, reference),
        tuple(text for code, text in suspect.statements.items() if code in reference.statements),
        tuple(_files(suspect, reference, known)),
    )


def _vocabulary(suspect: Told, reference: Told) -> Vocabulary:
    ours, theirs = suspect.tokenizer.contents, reference.tokenizer.contents
    same = sum(ours[number] == theirs[number] for number in suspect.beyond & reference.beyond)
    return Vocabulary(same, min(len(suspect.beyond), len(reference.beyond)))


def _beyond(tokenizer: Tokenizer, base: Base | None) -> frozenset[int]:
    contents = tokenizer.contents
    ids = range(len(contents)) if base is None else base.changed
    return frozenset(number for number in ids if number < len(contents) and contents[number]) - tokenizer.added.keys()


def _files(suspect: Told, reference: Told, known: Registry) -> Iterator[tuple[Stored, Stored]]:
    """Equal files with a vocabulary, unless they are those of a known base, as far as that can be told."""
    if all(side.base is not None and not side.base.changed for side in (suspect, reference)):
        return
    for one in suspect.tokenizer.stored:
        for other in reference.tokenizer.stored:
            if one.has_vocabulary and other.has_vocabulary and one.ids & other.ids and not one.ids & known.files:
                yield one, other


def parts(compared: Compared) -> Iterator[tuple[str, str, str, str]]:
    """Every part of the two: its name, what each side has, and how far they agree."""
    ours, theirs = compared.suspect.tokenizer, compared.reference.tokenizer
    yield "base", compared.suspect.says(), compared.reference.says(), _same_base(compared)
    yield "model", ours.part.model, theirs.part.model, _same(ours.part.model, theirs.part.model)
    yield ("vocabulary", *_sizes(ours.contents, theirs.contents), _share(ours.contents, theirs.contents))
    yield ("merges", *_sizes(ours.part.merges, theirs.part.merges), _share(ours.part.merges, theirs.part.merges))
    for step in sorted({*ours.part.steps, *theirs.part.steps}):
        one, other = ours.part.steps.get(step, ""), theirs.part.steps.get(step, "")
        yield step.replace("_", "-"), _kind(one), _kind(other), _same(one, other)
    equal = sum(content_at(ours, number) == content_at(theirs, number) for number in ours.added)
    flags = sum(ours.added[number] == theirs.added.get(number) for number in ours.added)
    agreed = f"{equal:,} at the same ids, {flags:,} with the same flags" if ours.added and theirs.added else ""
    yield ("added tokens", *_sizes(tuple(ours.added), tuple(theirs.added)), agreed)
    yield from _template(ours, theirs)
    for name in sorted({*ours.part.names, *theirs.part.names}):
        one, other = ours.part.names.get(name, ""), theirs.part.names.get(name, "")
        yield name, one, other, _same(one, other)


def _template(ours: Tokenizer, theirs: Tokenizer) -> Iterator[tuple[str, str, str, str]]:
    for name in sorted({*ours.part.templates, *theirs.part.templates}):
        one, other = ours.part.templates.get(name, ""), theirs.part.templates.get(name, "")
        agreed = f"{similarity(one, other):.0%} of the statements" if one and other else ""
        label = "chat template" if name == "default" else f"chat template {name}"
        yield label, _length(one), _length(other), agreed


def _length(text: str) -> str:
    return f"{len(text):,} characters" if text else ""


def _same(one: str, other: str) -> str:
    return ("equal" if one == other else "different") if one and other else ""


def _kind(step: str) -> str:
    """A step by its beginning: a whole one may have a thousand rules."""
    return step if len(step) <= _LONGEST_STEP else step[: _LONGEST_STEP - 1] + "…"


_LONGEST_STEP = 60


def _same_base(compared: Compared) -> str:
    one, other = compared.suspect.base, compared.reference.base
    return _same(one.known.name, other.known.name) if one is not None and other is not None else ""


def _sizes(ours: tuple[object, ...], theirs: tuple[object, ...]) -> tuple[str, str]:
    return f"{len(ours):,}" if ours else "", f"{len(theirs):,}" if theirs else ""


def _share(ours: tuple[bytes, ...], theirs: tuple[bytes, ...]) -> str:
    """How many stand at the same place, and how many of all kinds both have: the second is no evidence."""
    if not ours or not theirs:
        return ""
    equal = sum(one == other and one != b"" for one, other in zip(ours, theirs, strict=False))
    mine, other = set(ours) - {b""}, set(theirs) - {b""}
    alike = len(mine & other) / max(len(mine | other), 1)
    return f"{equal / min(len(ours), len(theirs)):.1%} in the same place, Jaccard {alike:.2f}"


def changes_of(side: Told) -> list[int]:
    """The ids at which a side differs from its base."""
    return changed_ids(side.tokenizer, side.base)
