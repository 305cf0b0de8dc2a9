"""Expressions of the error-tolerant tree as `ast` expressions."""

from __future__ import annotations

import ast
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence

from detector.code import tolerant_literals as literals
from detector.code.tolerant_parameters import lambda_parameters
from detector.code.tolerant_tree import MAX_DEPTH, Node, Unreadable, at, first, has_token, hole, parts, store, tokens

BINARY: dict[str, type[ast.operator]] = {
    "+": ast.Add,
    "-": ast.Sub,
    "*": ast.Mult,
    "@": ast.MatMult,
    "/": ast.Div,
    "%": ast.Mod,
    "//": ast.FloorDiv,
    "**": ast.Pow,
    "|": ast.BitOr,
    "&": ast.BitAnd,
    "^": ast.BitXor,
    "<<": ast.LShift,
    ">>": ast.RShift,
}
_UNARY: dict[str, type[ast.unaryop]] = {"+": ast.UAdd, "-": ast.USub, "~": ast.Invert}
_COMPARE: dict[str, type[ast.cmpop]] = {
    "<": ast.Lt,
    "<=": ast.LtE,
    "==": ast.Eq,
    "!=": ast.NotEq,
    "<>": ast.NotEq,  # Python 2
    ">=": ast.GtE,
    ">": ast.Gt,
    "in": ast.In,
    "not in": ast.NotIn,
    "is": ast.Is,
    "is not": ast.IsNot,
}
_CONSTANTS = {"true": True, "false": False, "none": None, "ellipsis": ...}
_WRAPPERS = frozenset({"parenthesized_expression", "type", "as_pattern_target"})  # `ast` has no node for these

Parse = Callable[[bytes], Node]


def _star_outermost(new: ast.expr) -> ast.expr:
    """Read `*a.b` as `*(a.b)`: in the tree a star may bind tighter than what follows its operand."""
    match new:
        case ast.Attribute(value=ast.Starred() as star) | ast.Subscript(value=ast.Starred() as star):
            new.value = star.value
        case ast.Call(func=ast.Starred() as star):
            new.func = star.value
        case ast.BinOp(left=ast.Starred() as star) | ast.Compare(left=ast.Starred() as star):
            new.left = star.value
        case ast.IfExp(body=ast.Starred() as star):
            new.body = star.value
        case ast.BoolOp(values=[ast.Starred() as star, *others]):
            new.values = [star.value, *others]
        case _:
            return new
    star.value = new
    star.end_lineno, star.end_col_offset = new.end_lineno, new.end_col_offset
    return star


class Expressions:
    """Reads expressions out of one source. Keeps count of the depth, so that no input overflows the stack."""

    def __init__(self, source: bytes, parse: Parse, depth: int = 0) -> None:
        self.source = source
        self.parse = parse  # reads code inside Python 2's backticks
        self.depth = depth
        self._readers: dict[str, Callable[[Node], ast.expr]] = {
            "identifier": self._name,
            "dotted_name": self._dotted_name,
            "attribute": self._attribute,
            "member_type": self._attribute,
            "call": self._call,
            "subscript": self._subscript,
            "generic_type": self._generic_type,
            "slice": self._slice,
            "constrained_type": self._slice,
            "string": self._string,
            "concatenated_string": self._string,
            "integer": self._number,
            "float": self._number,
            "true": self._constant,
            "false": self._constant,
            "none": self._constant,
            "ellipsis": self._constant,
            "binary_operator": self._binary,
            "union_type": self._union_type,
            "unary_operator": self._unary,
            "not_operator": self._not,
            "boolean_operator": self._boolean,
            "comparison_operator": self._comparison,
            "conditional_expression": self._conditional,
            "named_expression": self._named,
            "lambda": self._lambda,
            "await": self._await,
            "yield": self._yield,
            "tuple": self._tuple,
            "tuple_pattern": self._tuple,
            "expression_list": self._tuple,
            "tuple_expression": self._tuple,
            "pattern_list": self._tuple,
            "list": self._list,
            "list_pattern": self._list,
            "set": self._set,
            "dictionary": self._dictionary,
            "list_splat": self._starred,
            "list_splat_pattern": self._starred,
            "splat_type": self._starred,
            "list_comprehension": self._comprehension,
            "set_comprehension": self._comprehension,
            "generator_expression": self._comprehension,
            "dictionary_comprehension": self._comprehension,
            "as_pattern": self._without_alias,
        }

    def expression(self, node: Node | None) -> ast.expr:
        """One expression.

        Errors: Unreadable where the tree has nothing that could stand there.
        """
        while node is not None and node.type in _WRAPPERS:
            node = next(iter(parts(node)), None)
        if node is None or node.is_missing or node.type not in self._readers:
            raise Unreadable
        if self.depth >= MAX_DEPTH:
            return hole(node)
        self.depth += 1
        try:
            return _star_outermost(self._readers[node.type](node))
        finally:
            self.depth -= 1

    def or_hole(self, node: Node | None, place: Node) -> ast.expr:
        """One expression, or a placeholder: for the heads of compound statements, whose bodies are worth keeping."""
        try:
            return self.expression(node)
        except Unreadable:
            return hole(place)

    def readable(self, nodes: Iterable[Node]) -> list[ast.expr]:
        """Those of the expressions that can be read: one broken element does not cost the whole list."""
        found = []
        for node in nodes:
            try:
                found.append(self.expression(node))
            except Unreadable:
                continue
        return found

    def one_or_tuple(self, nodes: Sequence[Node], is_tuple: bool = False) -> ast.expr:
        """The expression, or a tuple without parentheses where there are several or a comma follows."""
        if not nodes:
            raise Unreadable
        if len(nodes) == 1 and not is_tuple:
            return self.expression(nodes[0])
        return at(ast.Tuple(elts=self.readable(nodes), ctx=ast.Load()), nodes[0], nodes[-1])

    def text(self, node: Node) -> str:
        """Source text of a node."""
        return self.source[node.start_byte : node.end_byte].decode("utf-8", "replace")

    def identifier(self, node: Node | None) -> str:
        """A name, normalised as the Python lexer does it (NFKC)."""
        if node is None or node.is_missing:
            raise Unreadable
        name = self.text(node)
        return name if name.isascii() else unicodedata.normalize("NFKC", name)

    def arguments(self, node: Node) -> tuple[list[ast.expr], list[ast.keyword]]:
        """Positional and keyword arguments of a call or a class."""
        positional: list[ast.expr] = []
        keywords: list[ast.keyword] = []
        for child in parts(node):
            try:
                if child.type == "keyword_argument":
                    name = self.identifier(child.child_by_field_name("name"))
                    value = self.expression(child.child_by_field_name("value"))
                    keywords.append(at(ast.keyword(arg=name, value=value), child))
                elif child.type == "dictionary_splat":
                    keywords.append(at(ast.keyword(arg=None, value=self.expression(parts(child)[0])), child))
                else:
                    positional.append(self.expression(child))
            except (Unreadable, IndexError):
                continue
        return positional, keywords

    # names and access

    def _name(self, node: Node) -> ast.expr:
        return at(ast.Name(id=self.identifier(node), ctx=ast.Load()), node)

    def _dotted_name(self, node: Node) -> ast.expr:
        names = parts(node)
        found = self.expression(names[0])
        for name in names[1 : MAX_DEPTH - self.depth]:
            found = at(ast.Attribute(value=found, attr=self.identifier(name), ctx=ast.Load()), node, name)
        return found

    def _attribute(self, node: Node) -> ast.expr:
        owner, *names = parts(node)
        if not names:
            raise Unreadable
        return at(ast.Attribute(self.expression(owner), self.identifier(names[-1]), ast.Load()), node)

    def _call(self, node: Node) -> ast.expr:
        function = self.expression(node.child_by_field_name("function"))
        arguments = node.child_by_field_name("arguments")
        if arguments is None:
            raise Unreadable
        if arguments.type == "generator_expression":
            return at(ast.Call(func=function, args=[self.expression(arguments)], keywords=[]), node)
        positional, keywords = self.arguments(arguments)
        return at(ast.Call(func=function, args=positional, keywords=keywords), node)

    def _subscript(self, node: Node) -> ast.expr:
        owner, *items = parts(node)
        index = self.one_or_tuple(items, is_tuple=has_token(node, ","))
        if isinstance(index, ast.Starred):  # `a[*b]` is a tuple without a comma
            index = at(ast.Tuple(elts=[index], ctx=ast.Load()), items[0])
        return at(ast.Subscript(self.expression(owner), index, ast.Load()), node)

    def _generic_type(self, node: Node) -> ast.expr:
        owner, parameters = parts(node)[:2]
        items = parts(parameters)
        index = self.one_or_tuple(items, is_tuple=has_token(parameters, ","))
        if isinstance(index, ast.Starred):
            index = at(ast.Tuple(elts=[index], ctx=ast.Load()), items[0])
        return at(ast.Subscript(self.expression(owner), index, ast.Load()), node)

    def _slice(self, node: Node) -> ast.expr:
        bounds: list[ast.expr | None] = [None, None, None]
        position = 0
        for child in tokens(node):
            if child.type == ":":
                position = min(position + 1, 2)
            elif child.is_named:
                bounds[position] = self.expression(child)
        return at(ast.Slice(*bounds), node)

    def _starred(self, node: Node) -> ast.expr:
        return at(ast.Starred(self.expression(next(iter(parts(node)), None)), ast.Load()), node)

    def _without_alias(self, node: Node) -> ast.expr:
        return self.expression(next(iter(parts(node)), None))

    # literals

    def _constant(self, node: Node) -> ast.expr:
        return at(ast.Constant(_CONSTANTS[node.type]), node)

    def _number(self, node: Node) -> ast.expr:
        try:
            return at(ast.Constant(literals.number(self.text(node))), node)
        except ValueError as error:
            raise Unreadable from error

    def _string(self, node: Node) -> ast.expr:
        strings = parts(node) if node.type == "concatenated_string" else [node]
        starts = [opening for string in strings if (opening := first(string, "string_start")) is not None]
        openings = [literals.opening(self.text(start)) for start in starts]
        if not openings:
            raise Unreadable
        if openings[0][1] == "`":
            return self._backticks(node, starts[0])
        values: list[ast.expr] = []
        text = ""
        for string, (prefix, _) in zip(strings, openings, strict=False):
            for piece in self._pieces(string, prefix):
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

    def _pieces(self, node: Node, prefix: str, content: Callable[[str, str], str] | None = None) -> Iterator[str | ast.expr]:
        """Decoded text and interpolations of one string or format specifier, in order."""
        if content is None:
            content = literals.format_content if "f" in prefix or "t" in prefix else literals.content
        inner = node.children
        start = inner[0].end_byte
        end = node.end_byte
        if inner[-1].type == "string_end":  # of `r'\\\\'` it holds the backslashes too
            end -= len(literals.opening(self.text(inner[0]))[1])
        for child in inner:
            if child.type in ("interpolation", "format_expression"):
                yield content(self.source[start : child.start_byte].decode("utf-8", "replace"), prefix)
                yield from self._interpolation(child, prefix)
                start = child.end_byte
        yield content(self.source[start:end].decode("utf-8", "replace"), prefix)

    def _interpolation(self, node: Node, prefix: str) -> Iterator[str | ast.expr]:
        children = list(tokens(node))
        value = next((child for child in children if child.is_named), None)
        equals = next((index for index, child in enumerate(children) if child.type == "="), None)
        conversion = first(node, "type_conversion")
        specifier = first(node, "format_specifier")
        if equals is not None and equals + 1 < len(children):  # f"{x = }" shows its own text
            yield self.source[node.start_byte + 1 : children[equals + 1].start_byte].decode("utf-8", "replace")
        spec = None if specifier is None else self._format_specifier(specifier, prefix)
        if value is not None and value.type == "named_expression":  # f"{x:=10}" has a format specifier
            spec = at(ast.JoinedStr([at(ast.Constant(self.text(value).partition(":")[2]), value)]), value)
            value = value.child_by_field_name("name")
        try:
            read = self.expression(value)
        except Unreadable:
            return
        code = ord(self.text(conversion)[1]) if conversion is not None else -1
        if equals is not None and conversion is None and specifier is None:
            code = ord("r")
        yield at(ast.FormattedValue(value=read, conversion=code, format_spec=spec), node)

    def _format_specifier(self, node: Node, prefix: str) -> ast.expr:
        pieces: list[ast.expr] = []
        for piece in self._pieces(node, prefix, literals.content):
            if not isinstance(piece, str):
                pieces.append(piece)
            elif piece:
                pieces.append(at(ast.Constant(piece), node))
        return at(ast.JoinedStr(pieces), node)

    def _backticks(self, node: Node, start: Node) -> ast.expr:
        """Python 2's repr. The grammar takes it for a string, so its content is parsed by itself."""
        inner = b"(" + self.source[start.end_byte : node.end_byte].rstrip(b"`").strip() + b")"
        statement = first(self.parse(inner), "expression_statement")
        reader = Expressions(inner, self.parse, self.depth)
        value = reader.expression(None if statement is None else next(iter(parts(statement)), None))
        for part in ast.walk(value):
            if isinstance(part, ast.expr | ast.keyword | ast.arg):
                at(part, node)
        return at(ast.Call(func=at(ast.Name(id="repr", ctx=ast.Load()), node), args=[value], keywords=[]), node)

    # operators

    def _binary(self, node: Node) -> ast.expr:
        operator = node.child_by_field_name("operator")
        if operator is None or operator.type not in BINARY:
            raise Unreadable
        if operator.type == "&" and (mixed := self._and_of_xor(node)) is not None:
            return mixed
        left = self.expression(node.child_by_field_name("left"))
        right = self.expression(node.child_by_field_name("right"))
        return at(ast.BinOp(left=left, op=BINARY[operator.type](), right=right), node)

    def _and_of_xor(self, node: Node) -> ast.expr | None:
        """`a ^ b & c` again with Python's precedence: to the grammar `^` binds tighter than `&`."""
        operands: list[Node] = []
        operators: list[str] = []
        pending: list[Node | str] = [node]
        while pending and len(operands) < MAX_DEPTH - self.depth:
            here = pending.pop()
            if isinstance(here, str):
                operators.append(here)
                continue
            operator = here.child_by_field_name("operator") if here.type == "binary_operator" else None
            left, right = here.child_by_field_name("left"), here.child_by_field_name("right")
            if operator is None or operator.type not in "&^" or left is None or right is None:
                operands.append(here)
            else:
                pending += [right, operator.type, left]
        if "^" not in operators or pending:
            return None
        terms = [(operands[0], self.expression(operands[0]))]
        for operator_text, operand in zip(operators, operands[1:], strict=True):
            value = self.expression(operand)
            if operator_text == "&":
                first_node, left_value = terms[-1]
                value = at(ast.BinOp(left=left_value, op=ast.BitAnd(), right=value), first_node, operand)
                terms[-1] = (first_node, value)
            else:
                terms.append((operand, value))
        found = terms[0][1]
        for _, value in terms[1:]:
            found = at(ast.BinOp(left=found, op=ast.BitXor(), right=value), node)
        return found

    def _union_type(self, node: Node) -> ast.expr:
        """`A[x] | B | C` as an annotation: the tree nests some of these to the right, Python all to the left."""
        pending, leaves = [node], list[Node]()
        while pending:
            here = pending.pop()
            operator = here.child_by_field_name("operator") if here.type == "binary_operator" else None
            if here.type in ("union_type", "type") or (operator is not None and operator.type == "|"):
                pending.extend(child for child in reversed(parts(here)))
            else:
                leaves.append(here)
        found, *others = self.readable(leaves[-(MAX_DEPTH - self.depth) :])
        for leaf, other in zip(leaves[-len(others) :], others, strict=False):
            found = at(ast.BinOp(left=found, op=ast.BitOr(), right=other), node, leaf)
        return found

    def _unary(self, node: Node) -> ast.expr:
        operator = node.child_by_field_name("operator")
        if operator is None or operator.type not in _UNARY:
            raise Unreadable
        return at(ast.UnaryOp(_UNARY[operator.type](), self.expression(node.child_by_field_name("argument"))), node)

    def _not(self, node: Node) -> ast.expr:
        return at(ast.UnaryOp(ast.Not(), self.expression(node.child_by_field_name("argument"))), node)

    def _boolean(self, node: Node) -> ast.expr:
        """`a and b and c` is one node in `ast` and a chain to the left in the tree."""
        operator = node.child_by_field_name("operator")
        operands: list[Node] = []
        here: Node | None = node
        while here is not None and here.type == "boolean_operator":
            own = here.child_by_field_name("operator")
            right = here.child_by_field_name("right")
            if own is None or operator is None or own.type != operator.type or right is None:
                break
            operands.append(right)
            here = here.child_by_field_name("left")
        if operator is None or here is None:
            raise Unreadable
        operands.append(here)
        values = [self.expression(operand) for operand in reversed(operands)]
        return at(ast.BoolOp(op=ast.And() if operator.type == "and" else ast.Or(), values=values), node)

    def _comparison(self, node: Node) -> ast.expr:
        operands: list[ast.expr] = []
        operators: list[ast.cmpop] = []
        words: list[str] = []
        for child in tokens(node):
            if not child.is_named:
                words.append(child.type)
                continue
            if operands:
                operators.append(_COMPARE.get(" ".join(words), ast.Eq)())
            operands.append(self.expression(child))
            words = []
        if len(operands) < 2:
            raise Unreadable
        return at(ast.Compare(left=operands[0], ops=operators, comparators=operands[1:]), node)

    def _conditional(self, node: Node) -> ast.expr:
        children = parts(node)
        if len(children) != 3:
            raise Unreadable
        body, test, other = (self.expression(child) for child in children)
        return at(ast.IfExp(test=test, body=body, orelse=other), node)

    def _named(self, node: Node) -> ast.expr:
        target = store(self.expression(node.child_by_field_name("name")))
        if not isinstance(target, ast.Name):
            raise Unreadable
        return at(ast.NamedExpr(target=target, value=self.expression(node.child_by_field_name("value"))), node)

    def _lambda(self, node: Node) -> ast.expr:
        parameters = lambda_parameters(node.child_by_field_name("parameters"), self)
        return at(ast.Lambda(args=parameters, body=self.expression(node.child_by_field_name("body"))), node)

    def _await(self, node: Node) -> ast.expr:
        operand = next(iter(parts(node)), None)
        if operand is None or operand.type != "binary_operator":
            return at(ast.Await(self.expression(operand)), node)
        # The grammar reads `await x ** 2` as `await (x ** 2)`; Python awaits first.
        power = self.expression(operand)
        if isinstance(power, ast.BinOp):
            power.left = at(ast.Await(power.left), node)
            at(power, node)
        return power

    def _yield(self, node: Node) -> ast.expr:
        children = parts(node)
        value = self.one_or_tuple(children) if children else None
        if has_token(node, "from"):
            if value is None:
                raise Unreadable
            return at(ast.YieldFrom(value), node)
        return at(ast.Yield(value), node)

    # collections

    def _tuple(self, node: Node) -> ast.expr:
        children = parts(node)
        if node.type == "tuple_pattern" and len(children) == 1 and not has_token(node, ","):
            return self.expression(children[0])  # a parenthesised target
        return at(ast.Tuple(elts=self.readable(children), ctx=ast.Load()), node)

    def _list(self, node: Node) -> ast.expr:
        return at(ast.List(elts=self.readable(parts(node)), ctx=ast.Load()), node)

    def _set(self, node: Node) -> ast.expr:
        return at(ast.Set(elts=self.readable(parts(node))), node)

    def _dictionary(self, node: Node) -> ast.expr:
        keys: list[ast.expr | None] = []
        values: list[ast.expr] = []
        for child in parts(node):
            try:
                if child.type == "pair":
                    key, value = self._pair(child)
                    keys.append(key)
                    values.append(value)
                elif child.type == "dictionary_splat":
                    values.append(self.expression(next(iter(parts(child)), None)))
                    keys.append(None)
            except Unreadable:
                continue
        return at(ast.Dict(keys=keys, values=values), node)

    def _pair(self, node: Node) -> tuple[ast.expr, ast.expr]:
        key = self.expression(node.child_by_field_name("key"))
        return key, self.expression(node.child_by_field_name("value"))

    def _comprehension(self, node: Node) -> ast.expr:
        body, *clauses = parts(node)
        generators = self._generators(clauses)
        if not generators:
            raise Unreadable
        if node.type == "dictionary_comprehension":
            key, value = self._pair(body)
            return at(ast.DictComp(key=key, value=value, generators=generators), node)
        element = self.expression(body)
        if node.type == "list_comprehension":
            return at(ast.ListComp(elt=element, generators=generators), node)
        if node.type == "set_comprehension":
            return at(ast.SetComp(elt=element, generators=generators), node)
        return at(ast.GeneratorExp(elt=element, generators=generators), node)

    def _generators(self, clauses: Sequence[Node]) -> list[ast.comprehension]:
        generators: list[ast.comprehension] = []
        for clause in clauses:
            children = parts(clause)
            if clause.type == "for_in_clause" and len(children) >= 2:
                target = store(self.expression(children[0]))
                is_async = int(has_token(clause, "async"))
                iterable = self.one_or_tuple(children[1:])
                generators.append(ast.comprehension(target=target, iter=iterable, ifs=[], is_async=is_async))
            elif clause.type == "if_clause" and generators:
                generators[-1].ifs += self.readable(children)
        return generators
