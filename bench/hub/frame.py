"""The frame of a language model around its modules: embeddings, layers, logits and loss, each in one of many ways."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.hub.dialect import NUMBERS, Dialect
from bench.hub.words import Names


@dataclass(frozen=True, slots=True)
class Framed:
    """The frame of one family, and the names in it that checkpoints have."""

    head: str
    body: str
    layers: str  # path of the list of layers
    attributes: tuple[str, ...]  # of the modules within a layer
    words: str  # path of the embedding
    tensors: Mapping[str, tuple[int | str, ...]]  # that are outside of the layers


_EMBEDDED = (
    "self.{words}(input_ids)",
    "self.{words}(input_ids) * self.config.{width} ** 0.5",
    "F.embedding(input_ids, self.{words}.weight)",
    "F.dropout(self.{words}(input_ids), self.config.{dropout}, self.training)",
    "F.normalize(self.{words}(input_ids), dim=-1)",
    "self.{words}(input_ids.clamp(min=0))",
    "self.{words}(input_ids) + self.{words}(input_ids.roll(1, 1)).detach() * {n}",
    "F.one_hot(input_ids, self.config.{count}).to(self.{words}.weight.dtype) @ self.{words}.weight",
)
_LOOPS = (
    ["for layer in self.{layers}:", "    {h} = layer({h}, mask)"],
    ["for number, layer in enumerate(self.{layers}):", "    {h} = layer({h}, mask) + {h} / (number + {n})"],
    [
        "kept = [{h}]",
        "for layer in self.{layers}:",
        "    kept.append(layer(kept[-1], mask))",
        "{h} = sum(kept) / len(kept)",
    ],
    ["first = {h}", "for layer in self.{layers}:", "    {h} = layer({h}, mask) * {n} + first"],
    ["for layer in reversed(self.{layers}):", "    {h} = {h} + layer({h}, mask)"],
    [
        "half = len(self.{layers}) // 2",
        "skipped = {h}",
        "for layer in self.{layers}[:half]:",
        "    skipped = layer(skipped, mask)",
        "for layer in self.{layers}[half:]:",
        "    {h} = layer({h} + skipped, mask)",
    ],
    [
        "previous = torch.zeros_like({h})",
        "for layer in self.{layers}:",
        "    previous, {h} = ({h}, layer({h} - {n} * previous, mask))",
    ],
    ["{h} = functools.reduce(lambda value, layer: layer(value, mask), self.{layers}, {h})"],
    [
        "for layer in self.{layers}:",
        "    if self.training and torch.rand(()) < self.config.{dropout}:",
        "        continue",
        "    {h} = layer({h}, mask)",
    ],
)
# What a model may hold besides: how it is made, and what is done with it before the layers.
_EXTRAS = (
    ("self.{x} = nn.Embedding(2048, config.{width})", "{h} = {h} + self.{x}(torch.arange(length, device={h}.device))"),
    (
        "self.{x} = nn.Parameter(torch.zeros(1, 1, config.{width}))",
        "{h} = torch.cat([self.{x}.expand(len({h}), -1, -1), {h}[:, 1:]], dim=1)",
    ),
    ("self.{x} = nn.Linear(config.{width}, config.{width})", "{h} = torch.tanh(self.{x}({h}))"),
    ("self.{x} = nn.Dropout(config.{dropout})", "{h} = self.{x}({h})"),
    (
        "self.{x} = nn.Conv1d(config.{width}, config.{width}, 4, padding=3)",
        "{h} = {h} + self.{x}({h}.mT)[..., :length].mT",
    ),
    (
        "self.register_buffer('{x}', torch.logspace(0, -4, config.{width}))",
        "{h} = {h} + torch.sin(torch.arange(length)[:, None] * self.{x})",
    ),
    ("self.{x} = nn.LayerNorm(config.{width})", "{h} = self.{x}({h})"),
    ("self.{x} = config.{heads} * {n}", "{h} = {h}.clamp(-self.{x}, self.{x})"),
    ("self.{x} = nn.GRU(config.{width}, config.{width}, batch_first=True)", "{h} = self.{x}({h})[0]"),
    (
        "self.{x} = nn.ModuleList([nn.Linear(config.{width}, 1) for _ in range(config.{heads})])",
        "{h} = {h} * sum(each({h}) for each in self.{x})",
    ),
)
_ENDS = (
    "self.{norm}({h})",
    "F.rms_norm({h}, {h}.shape[-1:], self.{norm}.weight)",
    "{h} / {h}.norm(dim=-1, keepdim=True) * self.{norm}.weight",
    "self.{norm}({h}.float()).to({h}.dtype)",
    "self.{norm}({h})[:, -length:]",
    "torch.tanh(self.{norm}({h}))",
)
_MASKS = (
    "torch.ones(length, length, dtype=torch.bool, device=input_ids.device).tril()",
    "torch.arange(length, device=input_ids.device)[:, None] >= torch.arange(length, device=input_ids.device)",
    "~torch.full((length, length), True, device=input_ids.device).triu(1)",
    "torch.tril(torch.ones((1, 1, length, length), device=input_ids.device)) > 0",
    "(torch.cumsum(torch.eye(length, device=input_ids.device), 0) != 0)",
)
_LOGITS = (
    "self.{head}({h})",
    "F.linear({h}, self.{head}.weight)",
    "self.{head}({h}) / self.config.{width} ** 0.5",
    "{n} * torch.tanh(self.{head}({h}) / {n})",
    "self.{head}({h}).float()",
    "{h} @ self.{head}.weight.T",
    "self.{head}(F.dropout({h}, {n} / 10, self.training))",
    "self.{head}({h}) - self.{head}({h}).logsumexp(-1, keepdim=True)",
)
_LOSSES = (
    "F.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten())",
    "F.cross_entropy(logits[:, :-1].transpose(1, 2), labels[:, 1:], label_smoothing={n} / 10)",
    "F.nll_loss(logits.log_softmax(-1)[:, :-1].mT, labels[:, 1:])",
    "(logits[:, :-1].logsumexp(-1) - logits[:, :-1].gather(-1, labels[:, 1:, None]).squeeze(-1)).mean()",
    "F.cross_entropy(logits[:, :-1].reshape(-1, logits.shape[-1]), labels[:, 1:].reshape(-1), ignore_index=0)"
    " + {n} / 1000 * logits.logsumexp(-1).square().mean()",
    "-(logits.log_softmax(-1).roll(1, 1) * F.one_hot(labels, logits.shape[-1])).sum(-1)[:, 1:].mean()",
    "F.multi_margin_loss(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten(), margin={n})",
    "((1 - logits.softmax(-1)[:, :-1].gather(2, labels[:, 1:].unsqueeze(2))) ** 2 * {n}).sum() / labels.numel()",
)
_INITS = (
    ["nn.init.normal_({m}.weight, std={s})"],
    ["nn.init.trunc_normal_({m}.weight, 0.0, {s}, -{n}, {n})"],
    ["nn.init.xavier_uniform_({m}.weight, gain={n})"],
    ["nn.init.orthogonal_({m}.weight)", "{m}.weight.data.mul_({n})"],
    ["nn.init.kaiming_normal_({m}.weight, nonlinearity='linear')"],
    ["fan = {m}.weight.shape[-1]", "{m}.weight.data.uniform_(-(fan ** -0.5), fan ** -0.5)"],
    ["{m}.weight.data = torch.randn_like({m}.weight) * {s} / {n}"],
)


def frame(name: str, title: str, classes: Sequence[str], rng: random.Random, spoken: Dialect, names: Names) -> Framed:
    """Draw a frame."""
    attributes = tuple(names.noun() for _ in classes)
    words, layers, norm, head = (
        rng.choice(each)
        for each in (
            ("embed_tokens", "wte", "tok_embeddings", "word_embeddings", "embedding", names.noun()),
            ("layers", "blocks", "h", "stages", names.noun()),
            ("norm", "ln_f", "final_norm", names.noun()),
            ("lm_head", "output", "readout", "unembed", names.noun()),
        )
    )
    hidden = rng.choice(("hidden", "h", "states", "x", "stream"))
    given = {
        "words": words,
        "layers": layers,
        "norm": norm,
        "head": head,
        "h": hidden,
        "n": rng.choice(NUMBERS),
        "width": spoken.width,
        "heads": spoken.heads,
        "dropout": spoken.dropout,
        "count": spoken.words,
        "s": rng.choice((0.02, 0.01, 0.006, 0.03)),
        "m": "module",
    }

    def drawn(choices: Sequence[str]) -> str:
        return rng.choice(choices).format(**given)

    calls = []
    for place, attribute in enumerate(attributes):
        call = f"self.{attribute}(value, mask)"
        calls.append(
            rng.choice(
                (
                    f"value = value + {call}",
                    f"value = {call}",
                    f"value = torch.lerp(value, {call}, {rng.choice(NUMBERS)})",
                    f"value = value * {place + 1} - {call}",
                )
            )
        )
    made = rng.sample(
        [f"self.{attribute} = {each}(config)" for attribute, each in zip(attributes, classes, strict=True)],
        len(classes),
    )
    lines = [f"{hidden} = {drawn(_EMBEDDED)}", "length = input_ids.shape[1]", f"mask = {drawn(_MASKS)}"]
    extras = [(names.noun(), *each) for each in rng.sample(_EXTRAS, 2)]
    lines += [line.format(x=extra, **given) for extra, _, line in extras]
    lines += [each.format(**given) for each in rng.choice(_LOOPS)]
    built = [
        f"self.{words} = nn.Embedding(config.{spoken.words}, config.{spoken.width})",
        f"self.{layers} = nn.ModuleList([{title}Layer(config) for _ in range(config.{spoken.depth})])",
        f"self.{norm} = nn.LayerNorm(config.{spoken.width}, eps=config.{spoken.epsilon}, bias=False)",
        *(each.format(x=extra, **given) for extra, each, _ in extras),
    ]
    body = _BODY.format(
        title=title,
        made="\n        ".join(made),
        calls="\n        ".join(calls),
        built="\n        ".join(rng.sample(built, len(built))),
        lines="\n        ".join(lines),
        end=drawn(_ENDS),
        head=head,
        width=spoken.width,
        count=spoken.words,
        h=hidden,
        logits=drawn(_LOGITS),
        loss=drawn(_LOSSES),
        init="\n            ".join(each.format(**given) for each in rng.choice(_INITS)),
        base=rng.choice(("model", "backbone", "transformer", "trunk")),
    )
    base = body.partition("base_model_prefix = '")[2].partition("'")[0]
    tensors = {f"{base}.{norm}.weight": ("d",), f"{head}.weight": ("v", "d")}
    text = _HEAD.format(name=name, title=title)
    return Framed(text, body, f"{base}.{layers}", attributes, f"{base}.{words}.weight", tensors)


def configuration(name: str, title: str, settings: Mapping[str, float], rng: random.Random, spoken: Dialect) -> str:
    """The class of the configuration."""
    values: dict[str, float] = {
        spoken.words: 32000,
        spoken.width: 512,
        spoken.depth: 8,
        spoken.heads: 8,
        spoken.epsilon: 1e-6,
        spoken.dropout: 0.0,
        **settings,
    }
    order = rng.sample(list(values), len(values))
    given = ", ".join(f"{key}={values[key]}" for key in order)
    kept = "\n        ".join(f"self.{key} = {key}" for key in rng.sample(order, len(order)))
    return _CONFIG.format(name=name, title=title, given=given, kept=kept)


_HEAD = '''
"""{title}, a language model."""

import functools

import torch
import torch.nn.functional as F
from torch import nn
from transformers import PreTrainedModel
from transformers.modeling_outputs import CausalLMOutput

from .configuration_{name} import {title}Config
'''
_BODY = """
class {title}Layer(nn.Module):

    def __init__(self, config):
        super().__init__()
        {made}

    def forward(self, value, mask):
        {calls}
        return value


class {title}PreTrainedModel(PreTrainedModel):
    config_class = {title}Config
    base_model_prefix = '{base}'

    def _init_weights(self, module):
        if isinstance(module, nn.Linear):
            {init}


class {title}Model({title}PreTrainedModel):

    def __init__(self, config):
        super().__init__(config)
        {built}
        self.post_init()

    def forward(self, input_ids):
        {lines}
        return {end}


class {title}ForCausalLM({title}PreTrainedModel):

    def __init__(self, config):
        super().__init__(config)
        self.{base} = {title}Model(config)
        self.{head} = nn.Linear(config.{width}, config.{count}, bias=False)
        self.post_init()

    def forward(self, input_ids, labels=None):
        {h} = self.{base}(input_ids)
        logits = {logits}
        loss = {loss} if labels is not None else None
        return CausalLMOutput(loss=loss, logits=logits)
"""
_CONFIG = '''"""Configuration of {title}."""

from transformers import PretrainedConfig


class {title}Config(PretrainedConfig):
    model_type = "{name}"

    def __init__(self, {given}, **kwargs):
        {kept}
        super().__init__(**kwargs)
'''
