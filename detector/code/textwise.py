"""Which names stand in the same places of two texts.

A function is read as one row of tokens in the order of the text; two rows are aligned with every name that has no
counterpart yet as the same wildcard. Names that come to stand beside each other speak for each other, the more the
surer their surroundings are aligned.
"""

from __future__ import annotations

import ast
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from rapidfuzz.distance import LCSseq

from detector.code.canonical import Writer, code_of
from detector.code.lowering.labels import API_NAMES
from detector.code.lowering.names import ModuleNames
from detector.code.named import GLOBALS, KEYWORDS, MEMBERS, VALUES
from detector.code.scopes import COMPREHENSIONS, Function, Scope, bound_names

LIBRARY = "library"  # the role of a name that an import brings in; the others are those of `named.py`

# Tokens on either side that are asked whether they are aligned as well.
REACH = 4
# What an aligned neighbour counts that is itself a name without a counterpart.
OPEN_NEIGHBOUR = 0.5
# Tokens of one function that are read: the longest of common modeling code has about five thousand.
MOST_TOKENS = 6_000
# Names of one function that are compared, each with each; people write about a hundred at most.
MOST_NAMES = 400
_WILDCARD = "·"


class Word(NamedTuple):
    """A name in a text: what it is there, and how it is spelled."""

    role: str
    name: str


Token = str | Word
Tokens = tuple[Token, ...]


def read_tokens(node: Function, module: ModuleNames) -> Tokens:
    """Read a function in the order of its text, without comments, docstrings and annotations."""
    return tuple(_Reader(module).read(node))


class _Reader(Writer):
    """Writes a syntax tree with each name by its role."""

    def __init__(self, module: ModuleNames) -> None:
        super().__init__()
        self.module = module
        self.scopes: list[Scope] = []
        self.words: list[Token] = []

    def read(self, node: Function) -> list[Token]:
        """Write the whole tree, without recursion."""
        pending, words, tokens = self.pending, self.words, self.tokens
        pending.append(node)
        while pending and len(words) < MOST_TOKENS:
            item = pending.pop()
            kind = item.__class__
            if kind is Word:
                words.append(item)  # type: ignore[arg-type]
            elif kind is list:
                pending.extend(reversed(code_of(item)))  # type: ignore[arg-type]
            elif kind is Scope or item is None:
                self.leave(item)  # type: ignore[arg-type]
            elif isinstance(item, ast.AST):
                self.node(item)
                if tokens:
                    words += tokens
                    tokens.clear()
            else:
                words.append(str(item))
        return words

    def leave(self, scope: Scope | None) -> None:
        """Enter the scope given, or leave the innermost one."""
        if scope is None:
            self.scopes.pop()
        else:
            self.scopes.append(scope)

    def node(self, node: ast.AST) -> None:
        """Write a node and put its children in line."""
        kind = node.__class__
        if kind is ast.Name:
            self.words.append(self._word(node.id))  # type: ignore[attr-defined]
        elif kind is ast.Attribute:
            self.words.append(".")
            self.pending += (Word(MEMBERS, node.attr), node.value)  # type: ignore[attr-defined]
        elif kind is ast.arg:
            self.words.append(self._word(node.arg))  # type: ignore[attr-defined]
        elif isinstance(node, ast.keyword):
            self.words.append(Word(KEYWORDS, node.arg) if node.arg else "**")
            self.pending.append(node.value)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            self._function(node)
        elif kind in COMPREHENSIONS or kind is ast.ClassDef:
            self.words.append(kind.__name__)
            self.pending.append(None)
            self.fields(node, tuple(name for name in node._fields if name != "name"))
            self.pending.append(bound_names(node, self.module))
        elif not isinstance(node, ast.Import | ast.ImportFrom):  # what they bind is seen where it is used
            super().node(node)

    def _word(self, name: str) -> Word:
        for scope in reversed(self.scopes):
            if name in scope:
                origin = scope[name]
                return Word(VALUES, name) if origin is None else Word(LIBRARY, origin)
        origin = self.module.origin(name)
        return Word(GLOBALS, name) if origin[0] in "~?" else Word(LIBRARY, origin)

    def _function(self, node: Function | ast.Lambda) -> None:
        arguments = node.args
        every = [*arguments.posonlyargs, *arguments.args, arguments.vararg, *arguments.kwonlyargs, arguments.kwarg]
        if self.scopes and not isinstance(node, ast.Lambda):
            self.words.append(self._word(node.name))
        self.pending += (None, node.body, *reversed([each for each in every if each is not None]))
        self.pending.append(bound_names(node, self.module))
        self.pending += reversed([*arguments.defaults, *(each for each in arguments.kw_defaults if each is not None)])


def beside(suspect: Tokens, reference: Tokens, told: Mapping[Word, Word]) -> dict[tuple[Word, Word], float]:
    """How well names without a counterpart stand in the same places.

    told: names that have one. Units: 0..1, the share of the places of the one that is met oftener.
    """
    both = frozenset(suspect) & frozenset(reference)
    ours = [_shown(token, told, both) for token in suspect]
    known = {each: each for each in told.values()}
    theirs = [_shown(token, known, both) for token in reference]
    partner = [-1] * len(ours)
    for block in LCSseq.opcodes(ours, theirs):
        if block.tag == "equal":
            for place in range(block.src_start, block.src_end):
                partner[place] = block.dest_start + place - block.src_start
    votes: defaultdict[tuple[Word, Word], float] = defaultdict(float)
    for place, other in enumerate(partner):
        if other >= 0 and ours[place] == _WILDCARD:
            one, counterpart = _same_reach(suspect, place, reference, other)
            if isinstance(one, Word) and isinstance(counterpart, Word) and LIBRARY not in (one.role, counterpart.role):
                votes[one, counterpart] += _surroundings(place, other, partner, ours)
    counts = Counter(suspect), Counter(reference)
    return {pair: vote / max(counts[0][pair[0]], counts[1][pair[1]]) for pair, vote in votes.items()}


def _shown(token: Token, told: Mapping[Word, Word], both: frozenset[Token]) -> str:
    """What is compared of a token: names by their counterparts, those of a library where both texts have them."""
    if isinstance(token, str):
        return token
    if token in told:
        return f"={told[token].name}"
    is_library = token.role == LIBRARY or (token in both and token.role != VALUES and token.name in API_NAMES)
    return f"~{token.name}" if is_library else _WILDCARD


def _same_reach(suspect: Tokens, place: int, reference: Tokens, other: int) -> tuple[Token, Token]:
    """The names of two aligned values: `width` beside `config.width` stands for the attribute, not for what has it."""
    one, counterpart = suspect[place], reference[other]
    depths = _depth(suspect, place), _depth(reference, other)
    if not depths[0] and depths[1]:
        counterpart = reference[min(other + depths[1], len(reference) - 1)]
    elif depths[0] and not depths[1] and isinstance(counterpart, Word) and counterpart.role != MEMBERS:
        one = suspect[min(place + depths[0], len(suspect) - 1)]
    return one, counterpart


def _depth(tokens: Tokens, place: int) -> int:
    """How many attributes are read, one of the other, from the name at a place."""
    depth = 0
    while depth < place and tokens[place - depth - 1] == ".":
        depth += 1
    return depth


def _surroundings(place: int, other: int, partner: Sequence[int], shown: Sequence[str]) -> float:
    """The share of the neighbours that are aligned in the same distance."""
    total = 0.0
    for step in (*range(-REACH, 0), *range(1, REACH + 1)):
        near = place + step
        if 0 <= near < len(partner) and partner[near] == other + step:
            total += OPEN_NEIGHBOUR if shown[near] == _WILDCARD else 1.0
    return total / (2 * REACH)


def words_of(tokens: Tokens) -> Iterator[Word]:
    """The names of a text that may be the project's own, each once, the first ones of very many; `_` is no name."""
    words = (token for token in tokens if isinstance(token, Word) and token.role != LIBRARY and token.name.strip("_"))
    yield from islice(dict.fromkeys(words), MOST_NAMES)
