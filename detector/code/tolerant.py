"""Parse Python that the standard library's `ast` rejects: broken, cut off, Python 2, notebooks, newer syntax."""

from __future__ import annotations

import ast
import codecs
import io
import tokenize

from detector.code.tolerant_expressions import Parse
from detector.code.tolerant_isolation import Isolated
from detector.code.tolerant_lines import Scan, levelled, mend
from detector.code.tolerant_statements import Statements

# Codecs that take quadratic time: a hostile coding cookie must not choose them.
_SLOW_CODECS = frozenset({"idna", "punycode"})


def parse_tolerant(data: bytes) -> ast.Module:
    """Read everything that can be understood of a Python file, as `ast.parse` would.

    Errors: none; what is broken is left out, down to an empty module.
    """
    parse = _parser()
    text = _text(data)
    source = text.encode("utf-8", "replace")
    tree = parse(source)
    if tree.has_error:
        text = mend(text)
        source = text.encode("utf-8", "replace")
        tree = parse(source)
    lines = levelled(text, Scan(text).run().lines)
    if tree.has_error or any(line.is_outlier for line in lines):  # the grammar does not mind unexpected indentation
        statements = Isolated(text, parse).read(lines)
    else:
        statements = Statements(source, parse).read(tree.children)
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
