"""Modeling code of architectures that do not exist: modules whose data flow is drawn at random, and a frame around.

Two families have in common what all such code has: projections, activations, a stack of layers, a loss.
"""

from __future__ import annotations

import ast
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from bench.hub.dialect import NUMBERS, Dialect, dialect
from bench.hub.frame import Framed, configuration, frame
from bench.hub.words import Names

Shape = tuple[int | str, ...]  # "d": width, "e": expanded, "h": heads, "v": vocabulary


@dataclass(frozen=True, slots=True)
class Code:
    """The code of one family, and what its checkpoints hold."""

    name: str
    files: Mapping[str, str]
    tensors: Mapping[str, Shape]  # of the whole model; "{}" stands for the number of a layer
    settings: Mapping[str, float]  # what its configuration has besides sizes
    spoken: Dialect


@dataclass
class _Module:
    """A class that is being written."""

    rng: random.Random
    names: Names
    spoken: Dialect
    layers: dict[str, tuple[str, dict[str, Shape]]] = field(default_factory=dict)  # attribute -> how it is built

    def applied(self, value: str) -> str:
        """A module with weights of its own, on a value of the width of the model."""
        kind = self.rng.choice(self.spoken.layers)
        name = self.names.noun()
        made, tensors, call = _LAYERS[kind]
        has_bias = self.rng.random() < 0.5
        self.layers[name] = (
            made.format(bias=has_bias, k=self.rng.choice((3, 5, 7, 9)), eps=self.spoken.epsilon),
            {
                f"{name}{path}": shape
                for path, shape in tensors.items()
                if has_bias or "bias" not in path or kind in _BIASED
            },
        )
        return call.format(f"self.{name}", value)


_BIASED = frozenset({"convolution", "pointwise", "norm", "group", "bilinear", "table", "scale"})
# Kind -> how it is made, what it holds, how it is called.
_LAYERS: dict[str, tuple[str, dict[str, Shape], str]] = {
    "linear": ("nn.Linear(width, width, bias={bias})", {".weight": ("d", "d"), ".bias": ("d",)}, "{0}({1})"),
    "narrow": (
        "nn.Sequential(nn.Linear(width, inner, bias={bias}), nn.Linear(inner, width, bias={bias}))",
        {".0.weight": ("e", "d"), ".0.bias": ("e",), ".1.weight": ("d", "e"), ".1.bias": ("d",)},
        "{0}({1})",
    ),
    "gated": (
        "nn.Linear(width, 2 * width, bias={bias})",
        {".weight": ("2d", "d"), ".bias": ("2d",)},
        "F.glu({0}({1}), dim=-1)",
    ),
    "convolution": (
        "nn.Conv1d(width, width, 3, padding=1, groups=width)",
        {".weight": ("d", 1, 3), ".bias": ("d",)},
        "{0}({1}.transpose(1, 2)).transpose(1, 2)",
    ),
    "pointwise": ("nn.Conv1d(width, width, 1)", {".weight": ("d", "d", 1), ".bias": ("d",)}, "{0}({1}.mT).mT"),
    "scale": ("nn.Parameter(torch.ones(width))", {"": ("d",)}, "{1} * {0}"),
    "norm": ("nn.LayerNorm(width, eps=config.{eps})", {".weight": ("d",), ".bias": ("d",)}, "{0}({1})"),
    "bilinear": (
        "nn.Parameter(torch.eye(width) / width)",
        {"": ("d", "d")},
        "torch.einsum('bnd,de->bne', {1}, {0})",
    ),
    "table": (
        "nn.Embedding(64, width)",
        {".weight": (64, "d")},
        "{1} + {0}(torch.arange(length, device={1}.device).remainder(64))",
    ),
    "group": (
        "nn.GroupNorm(4, width)",
        {".weight": ("d",), ".bias": ("d",)},
        "{0}({1}.permute(0, 2, 1)).permute(0, 2, 1)",
    ),
    "pair": (
        "nn.ModuleList([nn.Linear(width, width, bias={bias}) for _ in range(2)])",
        {".0.weight": ("d", "d"), ".0.bias": ("d",), ".1.weight": ("d", "d"), ".1.bias": ("d",)},
        "{0}[0]({1}) * {0}[1]({1})",
    ),
}


class _Body:
    """The statements of one method: values of a few shapes, each computed from those before it.

    seq: batch, length, width.   head: batch, heads, length, part.   pool: batch, width.
    """

    def __init__(self, module: _Module, first: str) -> None:
        self.module, self.rng, self.spoken = module, module.rng, module.spoken
        self.lines: list[str] = []
        self.values: dict[str, list[str]] = {"seq": [first], "head": [], "pool": []}

    def add(self, kind: str) -> None:
        """A statement that computes a new value."""
        expression = getattr(self, f"_{kind}")()
        name = self.module.names.noun()
        self.lines.append(f"{name} = {expression}")
        self.values[kind].append(name)

    def known(self, kind: str) -> str:
        """A value that is there; the last ones are taken more often, or what was computed would be dropped."""
        if not self.values[kind]:
            self.add(kind)
        values = self.values[kind]
        return values[-1 - min(int(self.rng.expovariate(0.8)), len(values) - 1)]

    def _put(self, form: str, *values: str) -> str:
        rng = self.rng
        return form.format(
            *values, n=rng.choice(NUMBERS), k=rng.randint(1, 4), o=rng.choice((3, 5, 7)), b=rng.choice("01")
        )

    def _inner(self) -> str:
        """A value with one operation on it, or none."""
        value = self.known("seq")
        match self.rng.choice("none unary layer".split()):
            case "unary":
                return self._put(self.rng.choice(self.spoken.unary), value)
            case "layer":
                return self.module.applied(value)
        return value

    def _seq(self) -> str:
        rng, spoken = self.rng, self.spoken
        kinds = (
            ["layer"] * 4
            + ["unary"] * 2
            + ["binary"] * 4
            + ["along"] * 3
            + ["spread"]
            + ["merge"] * (3 if self.values["head"] else 0)
        )
        match rng.choice(kinds):
            case "layer":
                return self.module.applied(self.known("seq"))
            case "unary":
                return self._put(rng.choice(spoken.unary), self.module.applied(self.known("seq")))
            case "binary":
                return self._put(rng.choice(spoken.binary), self.known("seq"), self._inner())
            case "along":
                return self._put(rng.choice(spoken.along), self.known("seq"))
            case "spread":
                return self._put(rng.choice(spoken.spreads), self.known("seq"), self.known("pool"))
        return self._put(spoken.merge, self.known("head"))

    def _head(self) -> str:
        rng, spoken = self.rng, self.spoken
        if len(self.values["head"]) < 2 or rng.random() < 0.3:
            return self._put(spoken.split, self.module.applied(self.known("seq")))
        if rng.random() < 0.5:
            return self._put(rng.choice(spoken.unary), self.known("head"))
        score = self._put(spoken.score, self.known("head"), self.known("head"))
        return f"{self._put(spoken.weighting, f'({score})')} @ {self.known('head')}"

    def _pool(self) -> str:
        value = self._put(self.rng.choice(self.spoken.pools), self.known("seq"))
        return self._put(self.rng.choice(self.spoken.unary), value) if self.rng.random() < 0.5 else value

    def result(self, first: str) -> str:
        """What is returned: everything that was computed and that nothing has used yet."""
        rng, spoken = self.rng, self.spoken
        total = self.module.names.noun()
        unused = [
            (kind, name)
            for kind, names in self.values.items()
            for name in names
            if name != first and len(re.findall(rf"\b{name}\b", "\n".join(self.lines))) == 1
        ]
        self.lines.append(f"{total} = {self._inner()}")
        for kind, name in rng.sample(unused, len(unused)):
            value = self._put(spoken.merge, name) if kind == "head" else name
            form = rng.choice(spoken.spreads if kind == "pool" else spoken.binary)
            if value != total:
                self.lines.append(f"{total} = {self._put(form, total, value)}")
        return f"{first} + {total}" if rng.random() < 0.4 else total


def written(name: str, seed: str) -> Code:
    """The code of a family, the same for the same name and seed."""
    rng = random.Random(f"code:{seed}:{name}")
    names, spoken = Names(rng), dialect(rng)
    title = name.capitalize()
    parts = [_module(f"{title}{names.noun().capitalize()}", rng, spoken, size) for size in _sizes(rng)]
    functions = [_function(rng, names, spoken) for _ in range(rng.randint(1, 3))]
    framed = frame(name, title, [each[0] for each in parts], rng, spoken, names)
    settings = {names.noun() + rng.choice(("_limit", "_rate", "_span", "_depth")): _setting(rng) for _ in range(4)}
    text = "\n".join([framed.head, *functions, *(each[1] for each in parts), framed.body])
    files = {
        f"modeling_{name}.py": _tidied(text),
        f"configuration_{name}.py": _tidied(configuration(name, title, settings, rng, spoken)),
    }
    return Code(name, files, _tensors(framed, parts), settings, spoken)


def _tensors(framed: Framed, parts: list[tuple[str, str, dict[str, Shape]]]) -> dict[str, Shape]:
    inside = {
        f"{framed.layers}.{{}}.{attribute}.{path}": shape
        for attribute, (_, _, tensors) in zip(framed.attributes, parts, strict=True)
        for path, shape in tensors.items()
    }
    return {framed.words: ("v", "d"), **inside, **framed.tensors}


def _sizes(rng: random.Random) -> list[int]:
    return [rng.randint(9, 14), *(rng.randint(6, 10) for _ in range(rng.randint(2, 3)))]


def _setting(rng: random.Random) -> float:
    return rng.choice((rng.randint(3, 97), round(rng.uniform(0.01, 0.9), 3), rng.randint(130, 2_000)))


def _module(title: str, rng: random.Random, spoken: Dialect, size: int) -> tuple[str, str, dict[str, Shape]]:
    """A class: its name, its text, its tensors."""
    module = _Module(rng, Names(rng), spoken)
    first = rng.choice(("hidden", "states", "inputs", "features", "x", "tokens"))
    body = _Body(module, first)
    has_heads = spoken.has_heads and size > 8
    for _ in range(size):
        body.add(
            rng.choice(("seq", "seq", "seq", "head", "head", "pool") if has_heads else ("seq", "seq", "seq", "pool"))
        )
    result = body.result(first)
    built = [f"self.{name} = {made}" for name, (made, _) in module.layers.items()]
    text = "\n".join([*body.lines, result])
    uses = ["width = config." + spoken.width] * any("width" in each for each in built)
    uses += [f"inner = int({spoken.expansion} * width)"] * any("inner" in each for each in built)
    uses += [f"self.heads = config.{spoken.heads}"] * ("self.heads" in text or "self.part" in text)
    uses += [f"self.part = config.{spoken.width} // self.heads"] * ("self.part" in text)
    rng.shuffle(built)
    sizes = [f"batch, length, _ = {first}.shape"] * ("batch" in text) or [f"length = {first}.shape[1]"] * (
        "length" in text
    )
    written_class = _CLASS.format(
        title=title,
        built=("\n        ".join([*uses, *built])) or "pass",
        first=first,
        lines="\n        ".join([*sizes, *body.lines]),
        result=result,
    )
    tensors = {path: shape for _, each in module.layers.values() for path, shape in each.items()}
    return title, written_class, tensors


def _function(rng: random.Random, names: Names, spoken: Dialect) -> str:
    """A function beside the classes: numbers by position."""
    value, other = names.noun(), names.noun()
    lines = [f"{value} = torch.{rng.choice(('arange(length)', 'linspace(0, rate, length)', 'ones(length)'))}"]
    for _ in range(rng.randint(3, 6)):
        form = rng.choice((*spoken.unary, *spoken.binary[:2]))
        target = rng.choice((value, other)) if other in "".join(lines) else other
        ready = other if other in "".join(lines) else value
        lines.append(f"{target} = {form.format(value, ready, n=rng.choice(NUMBERS))}")
    text = "\n    ".join(lines)
    return f"def {names.verb()}_{names.noun()}(length, rate):\n    {text}\n    return {value} * rate + {other}\n"


def _tidied(text: str) -> str:
    """The text without the brackets that nobody would write."""
    return re.sub(r"\n(class|def) ", r"\n\n\1 ", ast.unparse(ast.parse(text))) + "\n"


_CLASS = """
class {title}(nn.Module):

    def __init__(self, config):
        super().__init__()
        {built}

    def forward(self, {first}, mask):
        {lines}
        return {result}
"""
