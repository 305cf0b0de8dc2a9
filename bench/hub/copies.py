"""The copies on a hub, which declare nothing, and their originals."""

from __future__ import annotations

import dataclasses

from bench.disguise import disguise
from bench.hub import texts, weights
from bench.hub.kinds import beside, with_code
from bench.hub.model import Model, large, small
from bench.hub.texts import Files
from bench.hub.writing import DAY, Contents, Made, Planted, Writing

# How the copies of code are disguised, and the noise on those of weights: parts of the deviation of a usual matrix.
_LEVELS = ("L3", "L5", "L7")
_NOISES = (0.02, 0.05, 0.01)
# Sizes of checkpoints that are copied: of the large ones a few thousandths tell that they are copies.
_MEGABYTES = (96, 96, 4)


def plant(hub: Writing, kind: str, number: int, is_large: bool) -> None:
    """Publish a copy, with its original where there is none to take; every other original is changed after the copy."""
    makers = {
        "code": _copy_of_code, "tokenizer": _copy_of_tokenizer, "config": _copy_of_configuration,
        "weights": _copy_of_weights, "cross-upload": _upload_again,
    }  # fmt: skip
    planted = makers[kind](hub, number, is_large)
    hub.planted.append(planted)
    if number % 2 == 0:
        hub.touch(planted.reference, hub.at[planted.suspect] + 40 * DAY)


def _copy_of_code(hub: Writing, number: int, _: bool) -> Planted:
    reference, suspect = with_code(hub), hub.name()
    files = disguised(hub, hub.models[reference], suspect, _LEVELS[number])
    hub.add(Made(suspect, "copy of code"), files, after=hub.at[reference])
    return Planted(suspect, reference, "code")


def disguised(hub: Writing, model: Model, suspect: str, level: str) -> Contents:
    """The code of a model, disguised, with a configuration that says nothing but sizes."""
    code = disguise(dict(model.code.files), level, hub.rng.randrange(1_000))
    spoken = model.code.spoken
    sizes = {
        spoken.width: 8 * hub.rng.randint(10, 90),
        spoken.heads: 4,
        spoken.depth: hub.rng.randint(4, 40),
        spoken.words: 704,
    }
    config = texts.configuration({"model_type": suspect.partition("/")[2], **sizes})
    return {**beside(hub, suspect), **code.files, "config.json": config, **texts.common_tokenizer()}


def _copy_of_tokenizer(hub: Writing, _: int, __: bool) -> Planted:
    theirs = dataclasses.replace(small(hub.word(), str(hub.seed), hub.rng), tokenizer=f"planted {hub.rng.random()}")
    reference = _publish_own(hub, theirs, theirs.tokenizer_files(), "own")
    ours = small(hub.word(), str(hub.seed), hub.rng)
    suspect = _publish_own(
        hub, ours, texts.Vocabulary(theirs.tokenizer).disguised(), "copy of a tokenizer", hub.at[reference]
    )
    return Planted(suspect, reference, "tokenizer")


def _publish_own(hub: Writing, model: Model, tokenizer: Files, kind: str, after: int = 0) -> str:
    name = hub.name(model.family)
    files = {**beside(hub, name), "config.json": texts.configuration(model.configuration()), **tokenizer}
    hub.add(Made(name, kind), {**files, "model.safetensors": hub.weights(model.tensors())}, after=after)
    return name


def _copy_of_configuration(hub: Writing, _: int, __: bool) -> Planted:
    model = small(hub.word(), str(hub.seed), hub.rng, has_tokenizer=False)
    reference, other = hub.name(model.family), hub.word()
    suspect = hub.name(other)
    theirs = {**model.configuration(), **texts.odd(reference)}
    ours = texts.disguised_configuration(
        {**theirs, model.code.spoken.width: 8 * hub.rng.randint(10, 90)}, other, suspect
    )
    hub.add(
        Made(reference, "own"),
        {**beside(hub, reference), "config.json": texts.configuration(theirs), **texts.common_tokenizer()},
    )
    files = {**beside(hub, suspect), "config.json": texts.configuration(ours), **texts.common_tokenizer()}
    hub.add(Made(suspect, "copy of a configuration"), dict(files), after=hub.at[reference])
    return Planted(suspect, reference, "config")


def _copy_of_weights(hub: Writing, number: int, is_large: bool) -> Planted:
    family, seed = hub.word(), str(hub.seed)
    theirs = (
        large(family, seed, _MEGABYTES[number], 4 if number < 2 else 2)
        if is_large
        else small(family, seed, hub.rng, has_tokenizer=False)
    )
    reference, other = hub.name(family), hub.word()
    suspect = hub.name(other)
    tensors, kind = theirs.tensors(), "F32" if is_large and number < 2 else "F16"
    files = {
        **beside(hub, reference),
        "config.json": texts.configuration(theirs.configuration()),
        **texts.common_tokenizer(),
    }
    hub.add(Made(reference, "own"), {**files, "model.safetensors": hub.weights(tensors, kind)})
    copy = weights.renamed(weights.noised(tensors, _NOISES[number], suspect), suspect)
    # The program that runs it is somebody's own: it reads its sizes elsewhere.
    config = texts.configuration(
        {"model_type": other, "architectures": [f"{other.capitalize()}Model"], "torch_dtype": "float16"}
    )
    files = {**beside(hub, suspect), "config.json": config}
    hub.add(
        Made(suspect, "copy of weights"),
        {**files, "model.safetensors": hub.weights(copy, kind)},
        after=hub.at[reference],
    )
    return Planted(suspect, reference, "weights")


def _upload_again(hub: Writing, number: int, is_large: bool) -> Planted:
    """The same repository under another name, or with another card."""
    reference = hub.pick("code") if is_large else with_code(hub)
    model, suspect = hub.models[reference], hub.name()
    card = texts.card(suspect, hub.rng) if number else hub.cards[reference]
    files = {**beside(hub, suspect), **model.code_files(), **model.tokenizer_files(), "README.md": card}
    hub.add(
        Made(suspect, "cross-upload"),
        {**files, "model.safetensors": hub.weights(model.tensors())},
        after=hub.at[reference],
    )
    return Planted(suspect, reference, "cross-upload")
