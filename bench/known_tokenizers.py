"""Rebuild the table of known tokenizers: hashes of the vocabularies, added tokens and chat templates of packages."""

from __future__ import annotations

import argparse
import ast
import json
import lzma
import re
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.section import ROOT, arguments, first_line
from bench.tokenizer_sources import FAMILIES, LLAMA_CPP, SOURCES, family_files, file_ids, read, templates
from detector.artifacts.tokenizers.known import digest, hashed, marks
from detector.artifacts.tokenizers.part import encoded
from detector.artifacts.tokenizers.templates import statements
from detector.settings.tokenizer import KNOWN_TOKENIZERS_VERSION

FOLDER = ROOT / "detector" / "artifacts" / "tokenizers"
# Texts in source code that are meant as tokens of their own.
_TOKEN = re.compile(r"<[^<>\s]{1,40}>|\[[A-Za-z0-9_/|]{2,40}\]|<｜[^<>]{1,40}｜>")


def family_tokens(store: Path) -> dict[str, list[str]]:
    """The special tokens that each family of models names in its sources or its chat template, in their order.

    A family counts if it names one outside of its documentation, where markup looks like tokens.
    """
    found: dict[str, dict[str, None]] = {}
    counted = set()
    for family, data in family_files(store):
        for node in ast.walk(ast.parse(data)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                tokens = _TOKEN.findall(node.value)
                found.setdefault(family, {}).update(dict.fromkeys(tokens))
                if tokens and "\n" not in node.value:
                    counted.add(family)
    found = {family: tokens for family, tokens in found.items() if family in counted}
    for name, template in templates(store).items():
        if named := _TOKEN.findall(template):
            found[f"template {name}"] = dict.fromkeys(named)
    return {family: list(tokens) for family, tokens in sorted(found.items())}


def table(store: Path) -> tuple[dict[str, Any], bytes]:
    """Everything that is stored: texts appear nowhere, only their hashes."""
    rows, every_mark = [], []
    for source in (each for each in SOURCES if each.is_stored):
        tokenizer = read(source, store)
        every_mark.append(marks(tokenizer.contents))
        rows.append(
            {
                "name": source.name,
                "source": source.requirement,
                "lineage": source.lineage,
                "digest": digest(tokenizer.contents),
                "size": len(tokenizer.contents),
                "added": {
                    str(number): hashed(encoded(token.content)) for number, token in sorted(tokenizer.added.items())
                },
            }
        )
    families = family_tokens(store)
    uses = Counter(hashed(encoded(token)) for tokens in families.values() for token in tokens)
    told = {code for text in templates(store).values() for code in statements(text)}
    found = {
        "version": KNOWN_TOKENIZERS_VERSION,
        "sources": {"families": FAMILIES, "statements": LLAMA_CPP},
        "families": len(families),
        "tokenizers": rows,
        "uses": dict(sorted(uses.items())),
        "statements": sorted(told),
        "files": sorted(each for source in SOURCES for each in file_ids(source, store)),
    }
    return found, b"".join(every_mark)


def write(store: Path) -> None:
    """Write the table into the package."""
    found, every_mark = table(store)
    text = json.dumps(found, separators=(",", ":"))
    (FOLDER / "known.json").write_text(text.replace("},", "},\n") + "\n", "utf-8")
    (FOLDER / "known.bin").write_bytes(lzma.compress(every_mark, preset=9))


def main(given: Sequence[str] | None = None) -> int:
    """Say what the table would hold, and write it if that is asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench.known_tokenizers", description=first_line(__doc__))
    parser.add_argument("--write", action="store_true", help="replace the table in the package")
    options = arguments(parser).parse_args(given)
    store = options.cache.absolute()
    if options.write:
        write(store)
    else:
        found, every_mark = table(store)
        print(f"{len(found['tokenizers'])} tokenizers, {len(every_mark):,} tokens, {found['families']} families")
    return 0


if __name__ == "__main__":
    sys.exit(main())
