"""Constants, strings and f-strings; Python 2's backticks, which the grammar takes for a string."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from detector.code.tolerant import literals
from detector.code.tolerant.tree import Node, Reader, Reads, UnreadableError, at, first, parts, tokens

_CONSTANTS = {"true": True, "false": False, "none": None, "ellipsis": ...}

Content = Callable[[str, str], str]  # decodes the text of a literal with this prefix


def _constant(node: Node, reader: Reads) -> ast.expr:
    return at(ast.Constant(_CONSTANTS[node.type]), node)


def _number(node: Node, reader: Reads) -> ast.expr:
    try:
        return at(ast.Constant(literals.number(reader.text(node))), node)
    except ValueError as error:
        raise UnreadableError from error


def _string(node: Node, reader: Reads) -> ast.expr:
    strings = parts(node) if node.type == "concatenated_string" else [node]
    starts = [opening for string in strings if (opening := first(string, "string_start")) is not None]
    openings = [literals.opening(reader.text(start)) for start in starts]
    if not openings:
        raise UnreadableError
    if openings[0][1] == "`":
        return _backticks(strings[0], starts[0], reader)
    values: list[ast.expr] = []
    text = ""
    for string, (prefix, _) in zip(strings, openings, strict=False):
        content = literals.format_content if "f" in prefix or "t" in prefix else literals.content
        for piece in _pieces(string, prefix, content, reader):
            if isinstance(piece, str):
                text += piece
            else:
                values += [at(ast.Constant(text), string)] if text else []
                values.append(piece)
                text = ""
    prefixes = [prefix for prefix, _ in openings]
    if any("f" in prefix or "t" in prefix for prefix in prefixes):
        values += [at(ast.Constant(text), strings[-1])] if text else []
        return at(ast.JoinedStr(values), node)
    if any("b" in prefix for prefix in prefixes):
        return at(ast.Constant(literals.as_bytes(text)), node)
    return at(ast.Constant(text, kind="u" if prefixes[0] == "u" else None), node)


def _pieces(node: Node, prefix: str, content: Content, reader: Reads) -> Iterator[str | ast.expr]:
    """Decoded text and interpolations of one string or format specifier, in order."""
    inner = node.children
    start = inner[0].end_byte
    end = node.end_byte
    if inner[-1].type == "string_end":  # of `r'\\\\'` it holds the backslashes too
        end -= len(literals.opening(reader.text(inner[0]))[1])
    for child in inner:
        if child.type in ("interpolation", "format_expression"):
            yield content(reader.source[start : child.start_byte].decode("utf-8", "replace"), prefix)
            yield from _interpolation(child, prefix, reader)
            start = child.end_byte
    yield content(reader.source[start:end].decode("utf-8", "replace"), prefix)


def _interpolation(node: Node, prefix: str, reader: Reads) -> Iterator[str | ast.expr]:
    children = list(tokens(node))
    value = next((child for child in children if child.is_named), None)
    equals = next((index for index, child in enumerate(children) if child.type == "="), None)
    conversion = first(node, "type_conversion")
    specifier = first(node, "format_specifier")
    if equals is not None and equals + 1 < len(children):  # f"{x = }" shows its own text
        yield reader.source[node.start_byte + 1 : children[equals + 1].start_byte].decode("utf-8", "replace")
    spec = None if specifier is None else _format_specifier(specifier, prefix, reader)
    if value is not None and value.type == "named_expression":  # f"{x:=10}" has a format specifier
        spec = at(ast.JoinedStr([at(ast.Constant(reader.text(value).partition(":")[2]), value)]), value)
        value = value.child_by_field_name("name")
    try:
        read = reader.expression(value)
    except UnreadableError:
        return
    code = ord(reader.text(conversion)[1]) if conversion is not None else -1
    if equals is not None and conversion is None and specifier is None:
        code = ord("r")
    yield at(ast.FormattedValue(value=read, conversion=code, format_spec=spec), node)


def _format_specifier(node: Node, prefix: str, reader: Reads) -> ast.expr:
    pieces: list[ast.expr] = []
    for piece in _pieces(node, prefix, literals.content, reader):
        if not isinstance(piece, str):
            pieces.append(piece)
        elif piece:
            pieces.append(at(ast.Constant(piece), node))
    return at(ast.JoinedStr(pieces), node)


def _backticks(node: Node, start: Node, reader: Reads) -> ast.expr:
    """Python 2's repr. The grammar takes it for a string, so its content is parsed by itreader."""
    inner = b"(" + reader.source[start.end_byte : node.end_byte].removesuffix(b"`").strip() + b")"
    if b"`" in inner:  # escaped, which is nothing that Python 2 reads, and would be parsed over and over
        raise UnreadableError
    value = reader.of_source(inner)
    for part in ast.walk(value):
        if isinstance(part, ast.expr | ast.keyword | ast.arg):
            at(part, node)
    return at(ast.Call(func=at(ast.Name(id="repr", ctx=ast.Load()), node), args=[value], keywords=[]), node)


READERS: dict[str, Reader] = {
    "string": _string,
    "concatenated_string": _string,
    "integer": _number,
    "float": _number,
    "true": _constant,
    "false": _constant,
    "none": _constant,
    "ellipsis": _constant,
}
