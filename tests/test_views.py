"""Further views of a function: with its helpers in place of their calls, and without what attributes hold."""

from __future__ import annotations

import pytest

from detector.code.bulk import read_corpus
from detector.code.corpus import Corpus, View
from detector.targets import SourceFile

Set = frozenset[int]

HEAD = "import torch\nfrom torch import nn\n\n"


def _corpus(text: str) -> Corpus:
    return read_corpus([SourceFile("m.py", (HEAD + text).encode())], ["m.py"])


def _row(view: View, place: int) -> Set:
    found = view.shingles
    return frozenset(found.hashes[found.offsets[place] : found.offsets[place + 1]].tolist())


def _plain(corpus: Corpus, name: str) -> Set:
    (number,) = [number for number, span in enumerate(corpus.spans) if span.qualname == name]
    offsets = corpus.shingles.offsets
    return frozenset(corpus.shingles.hashes[offsets[number] : offsets[number + 1]].tolist())


def _seen(corpus: Corpus, view: View, name: str) -> Set | None:
    """How a view shows a function, None where it has none."""
    for place, number in enumerate(view.functions.tolist()):
        if corpus.spans[number].qualname == name:
            return _row(view, place)
    return None


def _expanded(text: str, name: str = "f") -> Set | None:
    corpus = _corpus(text)
    return _seen(corpus, corpus.expanded, name)


# --- helpers in place of their calls -------------------------------------------------------------------------

WHOLE = "def f(x, y):\n    z = x.exp() / x.exp().sum(-1)\n    return z.log() * y\n"

EXTRACTED = {
    "a helper": "def part(v):\n    return v.exp() / v.exp().sum(-1)\n\ndef f(x, y):\n    return part(x).log() * y\n",
    "a helper that stands below": "def f(x, y):\n    return part(x).log() * y\n\ndef part(v):\n"
    "    return v.exp() / v.exp().sum(-1)\n",
    "by keyword": "def part(v, d=-1):\n    return v.exp() / v.exp().sum(d)\n\ndef f(x, y):\n"
    "    return part(v=x).log() * y\n",
    "the other half": "def part(v, w):\n    return v.log() * w\n\ndef f(x, y):\n"
    "    z = x.exp() / x.exp().sum(-1)\n    return part(z, w=y)\n",
    "two helpers": "def one(v):\n    return v.exp() / v.exp().sum(-1)\n\ndef two(v, w):\n    return v.log() * w\n\n"
    "def f(x, y):\n    return two(one(x), y)\n",
}


@pytest.mark.parametrize("name", EXTRACTED)
def test_with_helpers_in_place_a_function_is_what_it_was_before(name: str) -> None:
    assert _expanded(EXTRACTED[name]) == _plain(_corpus(WHOLE), "f")


def test_a_method_of_the_same_object_is_put_in_place_with_what_it_stores() -> None:
    whole = "class A:\n    def f(self, x):\n        self.k = x.exp()\n        return self.k.log() * 3\n"
    parts = (
        "class A:\n    def f(self, x):\n        self.keep(x)\n        return self.k.log() * 3\n\n"
        "    def keep(self, x):\n        self.k = x.exp()\n"
    )
    assert _expanded(parts, "A.f") == _plain(_corpus(whole), "A.f")


def test_several_returns_are_one_value_or_the_other() -> None:
    whole = "def f(x):\n    y = x.exp() if x.mean() > 3 else x.log()\n    return y.sum()\n"
    part = "def part(v):\n    if v.mean() > 3:\n        return v.exp()\n    return v.log()\n\n"
    parts = part + "def f(x):\n    return part(x).sum()\n"
    assert _expanded(parts) == _plain(_corpus(whole), "f")


NOT_IN_PLACE = {
    "a generator": "def part(v):\n    yield v.exp()\n    yield v.log()\n\ndef f(x):\n    return list(part(x))\n",
    "what calls itself": "def f(x):\n    return f(x.exp()) if x.mean() > 3 else x\n",
    "a decorated one": "@cached\ndef part(v):\n    return v.exp().log()\n\ndef f(x):\n    return part(x)\n",
    "a call that does not fit": "def part(v):\n    return v.exp().log()\n\ndef f(x):\n    return part(x, 3)\n",
    "spread arguments": "def part(v, w):\n    return v.exp().log() * w\n\ndef f(x):\n    return part(*x)\n",
    "one that is bound here": "def part(v):\n    return v.exp().log()\n\ndef f(part, x):\n    return part(x)\n",
    "what is nowhere": "def f(x):\n    return part(x).exp()\n",
}


@pytest.mark.parametrize("name", NOT_IN_PLACE)
def test_what_cannot_be_put_in_place_stays_a_call(name: str) -> None:
    assert _expanded(NOT_IN_PLACE[name]) is None


def test_helpers_are_put_in_place_one_level_deep() -> None:
    text = (
        "def deep(v):\n    return v.exp().log().sqrt()\n\ndef part(v):\n    return deep(v).abs()\n\n"
        "def f(x):\n    return part(x).sum()\n"
    )
    one = "def deep(v):\n    return v.exp().log().sqrt()\n\ndef f(x):\n    return deep(x).abs().sum()\n"
    assert _expanded(text) == _plain(_corpus(one), "f")


def test_a_small_helper_of_a_long_function_changes_too_little() -> None:
    body = "".join(f"    x = x.roll({number}).exp()\n" for number in range(40))
    assert _expanded(f"def part(v):\n    return v.log()\n\ndef f(x):\n{body}    return part(x)\n") is None


def test_views_are_no_functions_of_their_own() -> None:
    corpus = _corpus(EXTRACTED["two helpers"])
    assert [span.qualname for span in corpus.spans] == ["one", "two", "f"]
    assert corpus.expanded.functions.tolist() == [2]


# --- not knowing what attributes hold ------------------------------------------------------------------------

CLASS = """class Layer(nn.Module):
    def __init__(self, d):
        self.scale = d**-0.5
        self.key, self.value = nn.Linear(d, d), nn.Conv1d(d, d, 1)
        self.attend = nn.Softmax(dim=-1)

    def f(self, x):
        return self.attend(self.key(x) @ x.transpose(-1, -2) * self.scale) @ self.value(x.abs())
"""
LIBRARY_NAMES = "names that a library has"
ELSEWHERE = {
    "the constructor stands in another file": "class Layer(Base):\n    def f(self, x):\n"
    "        return self.attend(self.key(x) @ x.transpose(-1, -2) * self.scale) @ self.value(x.abs())\n",
    "other names": "class Layer(Base):\n    def f(self, x):\n"
    "        return self.soft(self.k(x) @ x.transpose(-1, -2) * self.c) @ self.v(x.abs())\n",
    "a free function": "def f(net, x):\n"
    "    return net.attend(net.key(x) @ x.transpose(-1, -2) * net.scale) @ net.value(x.abs())\n",
    "a free function that is given the layers": "def f(key, value, attend, scale, x):\n"
    "    return attend(key(x) @ x.transpose(-1, -2) * scale) @ value(x.abs())\n",
    LIBRARY_NAMES: "class Layer(Base):\n    def f(self, x):\n"
    "        return self.attend(self.norm(x) @ x.transpose(-1, -2) * self.scale) @ self.value(x.abs())\n",
}


NAMED = "a layer that is called like an operation of the library: its arguments have the names of that operation's"


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.xfail(reason=NAMED, strict=True)) if name == LIBRARY_NAMES else name
        for name in ELSEWHERE
    ],
)
def test_blind_a_method_is_the_same_wherever_its_layers_are_made(name: str) -> None:
    one, other = _corpus(CLASS), _corpus(ELSEWHERE[name])
    called = "f" if ELSEWHERE[name].startswith("def") else "Layer.f"
    blind = _seen(one, one.blind, "Layer.f")
    assert blind is not None
    assert blind != _plain(one, "Layer.f")
    there = _seen(other, other.blind, called)
    assert (_plain(other, called) if there is None else there) == blind


def test_what_uses_no_attribute_looks_the_same_blind() -> None:
    corpus = _corpus(WHOLE)
    assert _seen(corpus, corpus.blind, "f") is None


def test_a_tensor_is_no_object() -> None:
    corpus = _corpus("def f(x, y):\n    return x.exp().view(-1) @ y\n")
    assert _seen(corpus, corpus.blind, "f") is None


def test_helpers_are_in_place_blind_too() -> None:
    text = (
        "class Layer(Base):\n    def f(self, x):\n        return self.part(x) @ self.value(x.abs())\n\n"
        "    def part(self, x):\n"
        "        return self.attend(self.key(x) @ x.transpose(-1, -2) * self.scale)\n"
    )
    one, other = _corpus(CLASS), _corpus(text)
    there = _seen(other, other.blind_expanded, "Layer.f")
    assert (_seen(other, other.expanded, "Layer.f") if there is None else there) == _seen(one, one.blind, "Layer.f")
