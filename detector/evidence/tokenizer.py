"""Tokenizers: what two have in common beyond the known tokenizer that they are built on.

Measured:  the ordered list of tokens as bytes, whatever the format (tokenizer.json, tiktoken, SentencePiece, lists),
           merges, the steps around them, added tokens with their ids, chat templates. Each side is told as a known base
           and its changes; what both changed alike is the evidence, weighted by how few families of models have it.
Copying:   added tokens are chosen, named and put in an order by hand: nobody else fills the same reserved places with
           the same unusual tokens. A trained vocabulary comes out the same only from the same texts and settings.
Innocent:  a shared base is how most models begin, and is no finding; a third tokenizer that both are built on and that
           the registry does not know; formats of prompts that a paper or a data set prescribes.
Misses:    tokens that were renamed; a tokenizer that was trained anew on the texts of the other; what is left out of a
           repository and loaded by name.
Sources:   vocabularies and added tokens of published tokenizers, as hashes (`artifacts/tokenizers/known.json`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from detector import patterns
from detector.artifacts.tokenizers.changes import content_at, names
from detector.artifacts.tokenizers.compared import Compared, Told, changes_of, compare, parts, told
from detector.artifacts.tokenizers.files import Tokenizer, tokenizers
from detector.artifacts.tokenizers.known import Base, Registry, registry
from detector.model import Evidence, Examined, Exhibit, Look, Skipped, Strength
from detector.settings.tokenizer import CHANGES_PART, MOST_TOKEN_ROWS
from detector.targets import Comparison, Repo

_KIND = "tokenizer"
_LONGEST_TEXT = 120  # of a cell
_MOST_BITS = 1000.0  # of a number that floats can hold
_SAME_VOCABULARY_ODDS = 10_000.0  # of one list of a thousand tokens by chance: more than any null can measure


@dataclass(frozen=True, slots=True)
class _Side:
    tokenizers: tuple[Told, ...]
    skipped: tuple[Skipped, ...]


def find(comparison: Comparison) -> tuple[Look, ...]:
    """Compare the tokenizers of the suspect with those of each reference, and tell of the nearest pair."""
    comparison.tell("comparing tokenizers")
    known = registry()
    suspect = _side(comparison.suspect, known)
    sides = {name: _side(repo, known) for name, repo in comparison.references.items()}
    looks = []
    for name, side in sides.items():
        skipped = [
            Skipped(f"{whose}:{each.path}", each.reason)
            for whose, what in ((comparison.name, suspect), (name, side))
            for each in what.skipped
        ]
        others = {other: each for other, each in sides.items() if other != name}
        looks.append(_look(name, suspect, side, others, skipped))
    return tuple(looks)


def _side(repo: Repo, known: Registry) -> _Side:
    found, skipped = tokenizers(repo)
    return _Side(tuple(told(tokenizer, known) for tokenizer in found), skipped)


def _look(name: str, suspect: _Side, reference: _Side, others: Mapping[str, _Side], skipped: Sequence[Skipped]) -> Look:
    missing = [who for who, side in (("the suspect", suspect), (name, reference)) if not side.tokenizers]
    if missing:
        about = " and ".join(missing) + (" have" if len(missing) > 1 else " has") + " no tokenizer files"
        return Look(Examined(_KIND, name, False, about), skipped=tuple(skipped))
    known = registry()
    pairs = [compare(one, other, known) for one in suspect.tokenizers for other in reference.tokenizers]
    nearest = max(pairs, key=Compared.weight)  # of equal ones the first, nearest to the roots
    about = f"{_counted(suspect)} with {len(reference.tokenizers)}: {_about(nearest)}"
    return Look(
        Examined(_KIND, name, True, about),
        tuple(_lines(name, nearest, others, known)),
        (_parts(name, nearest), *_changed(name, nearest, known)),
        skipped=tuple(skipped),
    )


def _counted(side: _Side) -> str:
    return f"{len(side.tokenizers)} tokenizer{'' if len(side.tokenizers) == 1 else 's'}"


def _about(compared: Compared) -> str:
    """Say what the two are built on."""
    ours, theirs = compared.suspect, compared.reference
    if ours.says() == theirs.says() and ours.base is not None:
        return f"{ours.tokenizer.path} and {theirs.tokenizer.path} are both {ours.says()}"
    return f"{ours.tokenizer.path} is {ours.says()}; {theirs.tokenizer.path} is {theirs.says()}"


def _lines(name: str, compared: Compared, others: Mapping[str, _Side], known: Registry) -> Iterator[Evidence]:
    if compared.has_changes:
        yield _same_changes(name, compared, others, known)
    if compared.vocabulary.is_same:
        yield _same_vocabulary(name, compared)
    if compared.has_template:
        yield _same_template(name, compared)
    yield from _same_files(name, compared)


def _same_changes(name: str, compared: Compared, others: Mapping[str, _Side], known: Registry) -> Evidence:
    changes = compared.changes
    distance = changes[0].reference_id - changes[0].suspect_id
    strength = patterns.support(2.0 ** min(CHANGES_PART * compared.bits, _MOST_BITS))
    # A published format of prompts gives an order too, but no ids; and without a known base it is only told that the
    # two tokenizers are alike, not that what they share is their own.
    if distance or compared.suspect.base is None:
        strength = min(strength, Strength.MODERATE, key=list(Strength).index)
    where = "at the same ids" if distance == 0 else f"in the same order, {abs(distance):,} ids apart"
    return patterns.line(
        "tokenizer/same-changes",
        name,
        strength,
        {"n": f"{len(changes):,}", "where": where, "base": _on_base(compared)},
        measures={
            "tokens": len(changes),
            "bits": round(compared.bits, 1),
            "distance": distance,
            "suspect_changes": len(changes_of(compared.suspect)),
            "reference_changes": len(changes_of(compared.reference)),
            "base": compared.suspect.base.known.name if compared.suspect.base is not None else "unknown",
        },
        tested=tuple(_tested(compared, others, known)),
        places=[(stored.path, 0) for stored in compared.suspect.tokenizer.stored if stored.is_read][:1],
    )


def _on_base(compared: Compared) -> str:
    base = compared.suspect.base
    return base.says() if base is not None else "none that is known"


def _tested(compared: Compared, others: Mapping[str, _Side], known: Registry) -> Iterator[str]:
    """The innocent explanations that were tried on these tokens."""
    one, other = compared.suspect.base, compared.reference.base
    if one is not None and other is not None:
        yield f"a common base: the suspect is {one.says()}, the reference {other.says()}; only changes count"
    else:
        yield "a common base: the registry knows none for both; a tokenizer that it does not know may explain this"
    yield f"variants of the base: none of {len(known.tokenizers)} known tokenizers has these tokens at these ids"
    common = sum(each.bits == 0 for each in compared.changes)
    yield f"common tokens: {common} of {len(compared.changes)} count nothing, being common or one with another"
    for name, side in others.items():
        contents = {content_at(each.tokenizer, number) for each in side.tokenizers for number in changes_of(each)}
        has = sum(each.content.encode("utf-8", "surrogatepass") in contents for each in compared.changes)
        if has > 0:
            yield f"another source: {name} has {has} of them too"


def _same_vocabulary(name: str, compared: Compared) -> Evidence:
    vocabulary = compared.vocabulary
    return patterns.line(
        "tokenizer/same-vocabulary",
        name,
        patterns.support(_SAME_VOCABULARY_ODDS),
        {"n": f"{vocabulary.same:,}", "share": f"{vocabulary.share:.1%}"},
        measures={"tokens": vocabulary.same, "share": round(vocabulary.share, 4), "least": vocabulary.least},
        tested=[f"a known base: the suspect is {compared.suspect.says()}, the reference {compared.reference.says()}"],
        places=[(stored.path, 0) for stored in compared.suspect.tokenizer.stored if stored.has_vocabulary][:1],
    )


def _same_template(name: str, compared: Compared) -> Evidence:
    count = len(compared.statements)
    return patterns.line(
        "tokenizer/same-chat-template",
        name,
        patterns.support(2.0 ** (count / 2)),  # statements of one template follow from each other
        {"n": f"{count:,}"},
        measures={"statements": count},
        tested=["a known template: its statements are left out"],
        places=[(stored.path, 0) for stored in compared.suspect.tokenizer.stored if not stored.has_vocabulary][:1],
    )


def _same_files(name: str, compared: Compared) -> Iterator[Evidence]:
    for ours, theirs in compared.files[:1]:
        is_own = compared.has_changes or compared.vocabulary.is_same
        yield patterns.line(
            "tokenizer/same-file",
            name,
            Strength.MODERATE if is_own else Strength.NONE,  # else it may be anybody's
            {"path": ours.path, "other": theirs.path, "unread": "" if ours.is_read else ", by its id: it is not here"},
            measures={"files": len(compared.files), "read": int(ours.is_read)},
            tested=[f"a known base: the suspect is {compared.suspect.says()}"],
            places=[(each.path, 0) for each, _ in compared.files],
        )


def _parts(name: str, compared: Compared) -> Exhibit:
    rows = [tuple(map(_cell, row)) for row in parts(compared)]
    title = f"{compared.suspect.tokenizer.path} of the suspect, {compared.reference.tokenizer.path} of {name}"
    columns = ("part", "suspect", "reference", "agreement")
    left = max(0, len(rows) - MOST_TOKEN_ROWS)
    return Exhibit(_KIND, "parts", name, title, columns, tuple(rows[:MOST_TOKEN_ROWS]), left)


def _changed(name: str, compared: Compared, known: Registry) -> Iterator[Exhibit]:
    """The changed tokens: those of both first where not all can be listed, then by id."""
    ours, theirs = compared.suspect.tokenizer, compared.reference.tokenizer
    shared = {each.suspect_id: each for each in compared.changes}
    distance = next((each.reference_id - each.suspect_id for each in compared.changes), 0)
    ids = set(changes_of(compared.suspect))
    if distance == 0:
        ids |= set(changes_of(compared.reference))
    if not ids:
        return
    kept = sorted(sorted(ids, key=lambda number: (number not in shared, number))[:MOST_TOKEN_ROWS])
    texts = _base_texts(compared.suspect.base, kept, (ours, theirs))
    rows = tuple(
        (
            number,
            number + distance if distance == 0 or number in shared else "",
            texts.get(number, ""),
            _text(content_at(ours, number)),
            _text(content_at(theirs, number + distance)) if distance == 0 or number in shared else "",
            shared[number].families if number in shared else "",
            round(shared[number].bits, 1) if number in shared else "",
        )
        for number in kept
    )
    columns = ("id", "id in the reference", "base", "suspect", "reference", f"families of {known.families}", "bits")
    title = f"tokens that differ from {_base_name(compared)}"
    yield Exhibit(_KIND, "changed-tokens", name, title, columns, rows, len(ids) - len(rows))


def _base_name(compared: Compared) -> str:
    return compared.suspect.base.known.name if compared.suspect.base is not None else "no known base: all added tokens"


def _base_texts(base: Base | None, ids: Sequence[int], sides: Sequence[Tokenizer]) -> dict[int, str]:
    """What the base has at these ids, as far as it can be told: of the base only hashes are known."""
    if base is None:
        return {}
    codes = {number: base.known.added[number] for number in ids if number in base.known.added}
    texts = names(codes.values(), [token.content for side in sides for token in side.added.values()])
    told = {number: _cell(texts.get(code, f"#{code}")) for number, code in codes.items()}
    trained = [number for number in ids if number not in codes and 0 <= number < len(base.known.marks)]
    return {**told, **dict.fromkeys(trained, "another token")}


def _text(content: bytes) -> str:
    return _cell(content.decode("utf-8", "replace"))


def _cell(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 1] + "…"
