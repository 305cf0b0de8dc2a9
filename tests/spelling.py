"""How a program is spelled: a seed for each dimension, names, imports, the order of statements."""

from __future__ import annotations

import keyword
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from detector.code.lowering.labels import API_NAMES
from tests.programs import Attribute, Find, Fold, Layered, Let, OwnCall, Statement, Store, Update, Var

# What may be spelled in more than one way.
DIMENSIONS = (
    "names", "imports", "temporaries", "merging", "loops", "order", "dead code", "branches", "comparisons", "updates",
    "definitions", "arguments", "operations", "closures", "layout",
)  # fmt: skip

_WORD_LIST = """
acc alpha anchors arr att bank bins blk book boxes budget bundle c cells chunks clip_len codes cols ctx cue
curr delta desc dest diag disp embeds emb_seq enc err factor feats field_map flow_in frames gate gain glimpse
grid grp hid hidden_states hints hs id input inp iter joint keep_rate kv latents len_q lhs logits m mask
memory mixed mu n nbrs nodes obs offs order out_seq patches pe pieces plane pool_in pos_ids prior probs
proj_in q qk query_in rank_in ratio rel res rhs rows s scene score segs seqs sig size spans spec_in state
step_in stride_in t tags target text_in theta tiles tmp toks tone track tri type u units v val_in vec view_in
vis w weights window wts x_in xs y ys z z_in zoom
"""
_WORDS = _WORD_LIST.split()


def own_names(rng: Random | None, kind: str, count: int) -> list[str]:
    """Distinct names of one kind; without `rng` plain ones. None belongs to a library, so all may be renamed."""
    if rng is None:
        return [f"{kind}{i}_" for i in range(count)]
    words = [word for word in _WORDS if word not in API_NAMES or kind == "local"]
    if kind == "class":
        words = [word.replace("_", " ").title().replace(" ", "") + "Net" for word in words]
    elif kind != "local":
        words = [f"{word}_{kind[:2]}" for word in words]
    chosen = rng.sample(words, min(count, len(words)))
    chosen += [f"{word}{i}" for i, word in enumerate((chosen * count)[: count - len(chosen)])]
    assert not any(keyword.iskeyword(name) for name in chosen)
    return chosen


def receiver(text: str) -> str:
    """Put what stands before a dot in parentheses if need be."""
    return text if text.isidentifier() or text.endswith((")", "]", "}")) else f"({text})"


def shuffle(items: list, rng: Random | None) -> None:  # type: ignore[type-arg]
    if rng is not None:
        rng.shuffle(items)


def where(callee: object) -> str:
    """A word for a function or method, the same in every spelling."""
    match callee:
        case (Layered(number=klass), int(number)):
            return f"method {klass} {number}"
        case _:
            return f"function {callee}"


@dataclass(frozen=True)
class Spelling:
    """A seed for each dimension; a dimension without one is spelled plainly."""

    seeds: tuple[tuple[str, int], ...] = ()

    def rng(self, dimension: str, place: str = "") -> Random | None:
        """Choices of one dimension at one place of the program."""
        assert dimension in DIMENSIONS
        seed = dict(self.seeds).get(dimension)
        return None if seed is None else Random(f"{dimension} {place} {seed}")


class Imports:
    """Collects what a module uses of the libraries, and decides how it is imported."""

    def __init__(self, rng: Random | None) -> None:
        self.rng = rng
        self.modules: dict[str, str] = {}
        self.lines: dict[str, None] = {}

    def name(self, origin: str) -> str:
        """How to refer to a library's function, class or module."""
        module, _, last = origin.rpartition(".")
        if module == "builtins":
            return last
        style = "module" if self.rng is None else self.rng.choice(["module", "renamed", "from", "from as", "parent"])
        if style == "from":
            self.lines[f"from {module} import {last}"] = None
            return last
        if style == "from as":
            self.lines[f"from {module} import {last} as {last.lower()}_op"] = None
            return f"{last.lower()}_op"
        if style == "renamed":
            alias = module.replace(".", "_") + "_lib"
            self.lines[f"import {module} as {alias}"] = None
            return f"{alias}.{last}"
        parent, _, child = module.rpartition(".")
        if style == "parent" and parent:
            self.lines[f"from {parent} import {child} as {child}_part"] = None
            return f"{child}_part.{last}"
        self.lines[f"import {module}"] = None
        return origin


def _mentions(node: object) -> Iterator[str]:
    """Every variable and attribute that occurs in a statement."""
    match node:
        case Var(number):
            yield f"variable {number}"
        case Let(number) | Update(number) | Fold(number) | Find(number):
            yield f"variable {number}"
        case Attribute(number) | Store(number) | OwnCall("layer", number):
            yield f"attribute {number}"
    for child in node if isinstance(node, tuple) else vars(node).values() if hasattr(node, "__dict__") else ():
        yield from _mentions(child)


def reordered(body: Sequence[Statement], rng: Random | None) -> list[Statement]:
    """Exchange neighbours that share no variable and have no effect."""
    statements = list(body)
    if rng is None:
        return statements
    for _ in range(2 * len(statements)):
        place = rng.randrange(len(statements))
        pair = statements[place : place + 2]
        is_pure = all(isinstance(each, Let | Update | Fold | Store) for each in pair)
        if len(pair) == 2 and is_pure and set(_mentions(pair[0])).isdisjoint(_mentions(pair[1])):
            statements[place : place + 2] = reversed(pair)
    return statements
