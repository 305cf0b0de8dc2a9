"""Parse Python that the standard library's `ast` rejects: broken, cut off, Python 2, notebooks, newer syntax."""

from __future__ import annotations

import ast
import codecs
import io
import tokenize

from detector.code.tolerant_statements import Statements
from detector.code.tolerant_tree import Node

# Codecs that take quadratic time: a hostile coding cookie must not choose them.
_SLOW_CODECS = frozenset({"idna", "punycode"})


def parse_tolerant(data: bytes) -> ast.Module:
    """Read everything that can be understood of a Python file, as `ast.parse` would.

    Errors: none; what is broken is left out, down to an empty module.
    """
    source = _text(data).encode("utf-8", "replace")
    tree = _parse(source)
    return ast.Module(body=Statements(source, _parse).read(tree.children), type_ignores=[])


def _parse(source: bytes) -> Node:
    import tree_sitter
    import tree_sitter_python

    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_python.language()))
    return parser.parse(source).root_node


def _text(data: bytes) -> str:
    """Decode as Python does, by mark or cookie, else as Latin-1; newlines as LF, NUL bytes as spaces."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        is_slow = codecs.lookup(encoding).name in _SLOW_CODECS
        text = data.decode("latin-1" if is_slow else encoding)
    except (SyntaxError, LookupError, ValueError):
        text = data.decode("latin-1")
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", " ")
