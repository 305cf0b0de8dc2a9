"""Patterns of `match` statements."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from detector.code.tolerant.tree import MAX_DEPTH, Node, Reads, UnreadableError, at, first, has_token, parts, tokens

_SINGLETONS = {"true": True, "false": False, "none": None}
_NUMBERS = frozenset({"integer", "float"})


class Patterns:
    """Reads patterns; expressions inside them are left to `expressions`."""

    def __init__(self, expressions: Reads) -> None:
        self.expressions = expressions
        self.depth = 0

    def of_case(self, nodes: Sequence[Node], is_sequence: bool) -> ast.pattern:
        """The pattern of one `case`, whose comma makes it a sequence without brackets."""
        if not nodes:
            raise UnreadableError
        if len(nodes) == 1 and not is_sequence:
            return self.pattern([nodes[0]])
        return at(ast.MatchSequence([self.pattern([node]) for node in nodes]), nodes[0], nodes[-1])

    def pattern(self, nodes: Sequence[Node]) -> ast.pattern:
        """One pattern: a node, or the sign and number that the grammar leaves side by side."""
        while len(nodes) == 1 and nodes[0].type == "case_pattern":
            nodes = list(tokens(nodes[0]))
        if not nodes or self.depth >= MAX_DEPTH:
            raise UnreadableError
        self.depth += 1
        try:
            return self._signed(nodes) if len(nodes) > 1 else self._one(nodes[0])
        finally:
            self.depth -= 1

    def _one(self, node: Node) -> ast.pattern:
        match node.type:
            case "_":
                return at(ast.MatchAs(), node)
            case "dotted_name" | "identifier":
                return self._name(node)
            case "true" | "false" | "none":
                return at(ast.MatchSingleton(_SINGLETONS[node.type]), node)
            case "complex_pattern":
                return self._complex(node)
            case "as_pattern":
                inner, name = parts(node)[:2]
                return at(ast.MatchAs(self.pattern([inner]), self.expressions.identifier(name)), node)
            case "union_pattern":
                return at(ast.MatchOr([self.pattern(nodes) for nodes in _split(node, "|")]), node)
            case "list_pattern":
                return self._sequence(node)
            case "tuple_pattern":
                children = parts(node)
                is_group = len(children) == 1 and not has_token(node, ",")
                return self.pattern(children) if is_group else self._sequence(node)
            case "splat_pattern":
                return at(ast.MatchStar(self._splat_name(node)), node)
            case "dict_pattern":
                return self._mapping(node)
            case "class_pattern":
                return self._class(node)
        return at(ast.MatchValue(self.expressions.expression(node)), node)

    def _name(self, node: Node) -> ast.pattern:
        names = parts(node) if node.type == "dotted_name" else [node]
        if len(names) > 1:
            return at(ast.MatchValue(self.expressions.expression(node)), node)
        name = self.expressions.identifier(names[0] if names else None)
        return at(ast.MatchAs(name=None if name == "_" else name), node)

    def _signed(self, nodes: Sequence[Node]) -> ast.pattern:
        sign, number = nodes[0], nodes[-1]
        if sign.type != "-" or number.type not in _NUMBERS:
            raise UnreadableError
        value = at(ast.UnaryOp(ast.USub(), self.expressions.expression(number)), sign, number)
        return at(ast.MatchValue(value), sign, number)

    def _complex(self, node: Node) -> ast.pattern:
        children = list(tokens(node))
        *_, operator, imaginary = children
        real: ast.expr = self.expressions.expression(next(iter(parts(node)), None))
        if children[0].type == "-":
            real = at(ast.UnaryOp(ast.USub(), real), node, children[1])
        sign = ast.Add() if operator.type == "+" else ast.Sub()
        value = at(ast.BinOp(left=real, op=sign, right=self.expressions.expression(imaginary)), node)
        return at(ast.MatchValue(value), node)

    def _sequence(self, node: Node) -> ast.pattern:
        return at(ast.MatchSequence([self.pattern([child]) for child in parts(node)]), node)

    def _splat_name(self, node: Node) -> str | None:
        name = first(node, "identifier")
        text = None if name is None else self.expressions.identifier(name)
        return None if text == "_" else text

    def _mapping(self, node: Node) -> ast.pattern:
        keys: list[ast.expr] = []
        patterns: list[ast.pattern] = []
        rest: str | None = None
        for nodes in _split(node, ","):
            if nodes[0].type == "splat_pattern":
                rest = self._splat_name(nodes[0])
                continue
            key = self.pattern(nodes[:-2])
            if isinstance(key, ast.MatchValue):
                keys.append(key.value)
            elif isinstance(key, ast.MatchSingleton):
                keys.append(at(ast.Constant(key.value), nodes[0]))
            else:
                raise UnreadableError
            patterns.append(self.pattern([nodes[-1]]))
        return at(ast.MatchMapping(keys=keys, patterns=patterns, rest=rest), node)

    def _class(self, node: Node) -> ast.pattern:
        name, *arguments = parts(node)
        patterns: list[ast.pattern] = []
        keywords: list[str] = []
        values: list[ast.pattern] = []
        for argument in arguments:
            alias = first(argument, "as_pattern")  # the tree has `a=B() as c` as `(a=B()) as c`
            keyword = first(argument if alias is None else parts(alias)[0], "keyword_pattern")
            if keyword is None:
                patterns.append(self.pattern([argument]))
                continue
            label, _, *nodes = tokens(keyword)
            value = self.pattern(nodes)
            if alias is not None:
                value = at(ast.MatchAs(value, self.expressions.identifier(parts(alias)[-1])), nodes[0], alias)
            values.append(value)
            keywords.append(self.expressions.identifier(label))
        of = self.expressions.expression(name)
        return at(ast.MatchClass(cls=of, patterns=patterns, kwd_attrs=keywords, kwd_patterns=values), node)


def _split(node: Node, separator: str) -> list[list[Node]]:
    """Children between separators, brackets left out."""
    groups: list[list[Node]] = [[]]
    for child in tokens(node):
        if child.type == separator:
            groups.append([])
        elif child.type not in "{}":
            groups[-1].append(child)
    return [group for group in groups if group]
