"""Parse Python that the standard library's `ast` rejects: broken, cut off, Python 2, notebooks, newer syntax."""

from __future__ import annotations

import ast
import codecs
import io
import tokenize

from detector.code.tolerant.expressions import Parse
from detector.code.tolerant.isolation import Isolated
from detector.code.tolerant.lines import logical_lines, mend
from detector.code.tolerant.statements import Statements
from detector.code.tolerant.tree import Node

# Codecs that take quadratic time: a hostile coding cookie must not choose them.
_SLOW_CODECS = frozenset({"idna", "punycode"})

# Characters up to which a file is parsed as a whole before it is parsed in pieces. Hostile text takes the grammar's
# error recovery one to two seconds per million; longer files that `ast` rejects are hardly ever written by hand.
_WHOLE = 300_000
# Characters that are read at all: the worst text found takes about 8 s, and half a gigabyte, per million.
_LONGEST = 2_000_000


def parse_tolerant(data: bytes) -> ast.Module:
    """Read everything that can be understood of a Python file, as `ast.parse` would.

    Errors: none; what is broken is left out, down to an empty module.
    Limits: the first two million characters; nesting beyond `MAX_DEPTH` becomes a placeholder name.
    """
    parse = _parser()
    text = _text(data)[:_LONGEST]
    if len(text) <= _WHOLE:
        tree, source = _tree(text, parse)
        if tree.has_error:
            text = mend(text)
            tree, source = _tree(text, parse)
        lines = logical_lines(text)
        if not tree.has_error and not any(line.is_outlier for line in lines):
            return _module(Statements(source, parse).read(tree.children))
    else:
        text = mend(text)
        lines = logical_lines(text)
    return _module(Isolated(text, parse).read(lines))


def _tree(text: str, parse: Parse) -> tuple[Node, bytes]:
    source = text.encode("utf-8", "replace")
    return parse(source), source


def _module(statements: list[ast.stmt]) -> ast.Module:
    return ast.Module(body=statements, type_ignores=[])


def _parser() -> Parse:
    import tree_sitter
    import tree_sitter_python

    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_python.language()))
    return lambda source: parser.parse(source).root_node


def _text(data: bytes) -> str:
    """Decode as Python does, by mark or cookie, else as Latin-1; newlines as LF, NUL bytes as spaces."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        is_slow = codecs.lookup(encoding).name in _SLOW_CODECS
        text = data.decode("latin-1" if is_slow else encoding)
    except (SyntaxError, LookupError, ValueError):
        text = data.decode("latin-1")
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", " ")
