"""Write one expression as another that means the same. Every function returns None where it may not be the same."""

from __future__ import annotations

import ast
import keyword
import string
from collections.abc import Callable, Mapping

from bench.disguise.effects import is_dotted, is_movable, is_pure, names
from bench.disguise.facts import METHODS, FunctionFacts
from bench.disguise.walking import walk

MIRRORED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.Gt, ast.Gt: ast.Lt, ast.LtE: ast.GtE, ast.GtE: ast.LtE, ast.Eq: ast.Eq, ast.NotEq: ast.NotEq,
}  # fmt: skip
FUNCTIONAL = frozenset("softmax log_softmax relu sigmoid tanh".split())
DIM_FIRST = frozenset("sum mean softmax log_softmax argmax argmin cumsum prod".split())
DIM_SECOND = frozenset("chunk split".split())
JOINS = frozenset(["torch.cat", "torch.stack", "torch.concat"])
NOT_ON = frozenset(["self", "cls"])

Idiom = Callable[[ast.expr, FunctionFacts], ast.expr | None]


def _name(name: str) -> ast.Name:
    return ast.Name(name, ast.Load())


def _call(name: str, *args: ast.expr) -> ast.Call:
    return ast.Call(_name(name), list(args), [])


def _method(value: ast.expr, name: str, args: list[ast.expr], keywords: list[ast.keyword]) -> ast.Call:
    return ast.Call(ast.Attribute(value, name, ast.Load()), args, keywords)


def _is_true(node: ast.expr) -> bool:
    return isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)


def _int(node: ast.expr) -> int | None:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = _int(node.operand)
        return None if inner is None else -inner
    return node.value if isinstance(node, ast.Constant) and type(node.value) is int else None


def de_morgan(node: ast.expr, facts: FunctionFacts) -> ast.expr | None:
    """`not (a and b)` <-> `not a or not b`."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not) and isinstance(node.operand, ast.BoolOp):
        inner = node.operand
        other: ast.boolop = ast.Or() if isinstance(inner.op, ast.And) else ast.And()
        return ast.BoolOp(other, [ast.UnaryOp(ast.Not(), value) for value in inner.values])
    if isinstance(node, ast.BoolOp) and all(_is_true(value) for value in node.values):
        other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        inside = [value.operand for value in node.values if isinstance(value, ast.UnaryOp)]
        return ast.UnaryOp(ast.Not(), ast.BoolOp(other, inside))
    return None


def direction(node: ast.expr, facts: FunctionFacts) -> ast.expr | None:
    """`a < b` -> `b > a`, where nothing depends on which side is evaluated first."""
    if not isinstance(node, ast.Compare) or len(node.ops) != 1 or type(node.ops[0]) not in MIRRORED:
        return None
    if not is_pure(node):
        return None
    return ast.Compare(node.comparators[0], [MIRRORED[type(node.ops[0])]()], [node.left])


def chained(node: ast.expr, facts: FunctionFacts) -> ast.expr | None:
    """`a < b < c` <-> `a < b and b < c`, for a `b` that is a name or a constant."""
    if (
        isinstance(node, ast.Compare)
        and len(node.ops) == 2
        and isinstance(node.comparators[0], ast.Name | ast.Constant)
    ):
        middle, last = node.comparators
        halves = [ast.Compare(node.left, [node.ops[0]], [middle]), ast.Compare(middle, [node.ops[1]], [last])]
        return ast.BoolOp(ast.And(), [*halves])
    if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.And) and len(node.values) == 2:
        first, second = node.values
        if isinstance(first, ast.Compare) and isinstance(second, ast.Compare):
            middle = first.comparators[-1]
            is_same = isinstance(middle, ast.Name) and ast.dump(middle) == ast.dump(second.left)
            if is_same and len(first.ops) == len(second.ops) == 1:
                return ast.Compare(first.left, [*first.ops, *second.ops], [middle, *second.comparators])
    return None


def membership(node: ast.expr, facts: FunctionFacts) -> ast.expr | None:
    """`x in (1, 2)` <-> `x == 1 or x == 2`, for constants that are equal only to what they are."""
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.left, ast.Name):
        options = node.comparators[0]
        if (
            isinstance(node.ops[0], ast.In)
            and isinstance(options, ast.Tuple | ast.List)
            and 2 <= len(options.elts) <= 3
        ) and all(_is_plain(part) for part in options.elts):
            tests: list[ast.expr] = [ast.Compare(node.left, [ast.Eq()], [part]) for part in options.elts]
            return ast.BoolOp(ast.Or(), tests)
    if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or):
        found: list[ast.expr] = []
        for value in node.values:
            if not isinstance(value, ast.Compare) or len(value.ops) != 1 or not isinstance(value.ops[0], ast.Eq):
                return None
            if not isinstance(value.left, ast.Name) or not _is_plain(value.comparators[0]):
                return None
            found.append(value.comparators[0])
        lefts = {
            value.left.id
            for value in node.values
            if isinstance(value, ast.Compare) and isinstance(value.left, ast.Name)
        }
        if len(lefts) == 1:
            return ast.Compare(_name(lefts.pop()), [ast.In()], [ast.Tuple(found, ast.Load())])
    return None


def _is_plain(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str | int)


def isinstances(node: ast.expr, facts: FunctionFacts) -> ast.expr | None:
    """`isinstance(x, (A, B))` <-> `isinstance(x, A) or isinstance(x, B)`."""
    if isinstance(node, ast.Call) and facts.module.called_builtin(node, "isinstance") and len(node.args) == 2:
        kinds = node.args[1]
        is_few = isinstance(kinds, ast.Tuple) and 2 <= len(kinds.elts) <= 3 and all(map(is_dotted, kinds.elts))
        if isinstance(node.args[0], ast.Name) and isinstance(kinds, ast.Tuple) and is_few:
            return ast.BoolOp(ast.Or(), [_call("isinstance", node.args[0], kind) for kind in kinds.elts])
    if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or):
        calls = [value for value in node.values if isinstance(value, ast.Call) and len(value.args) == 2]
        if len(calls) == len(node.values) and all(facts.module.called_builtin(call, "isinstance") for call in calls):
            of = {ast.dump(call.args[0]) for call in calls if isinstance(call.args[0], ast.Name)}
            if len(of) == 1 and all(isinstance(c.args[0], ast.Name) and is_dotted(c.args[1]) for c in calls):
                return _call("isinstance", calls[0].args[0], ast.Tuple([call.args[1] for call in calls], ast.Load()))
    return None


def dictionary(node: ast.expr, facts: FunctionFacts) -> ast.expr | None:
    """`dict(a=1)` <-> `{"a": 1}`."""
    if isinstance(node, ast.Call) and facts.module.called_builtin(node, "dict") and not node.args and node.keywords:
        words = [ast.Constant(word.arg) for word in node.keywords if word.arg]
        is_plain = len(words) == len(node.keywords)
        return ast.Dict([*words], [word.value for word in node.keywords]) if is_plain else None
    if isinstance(node, ast.Dict) and node.keys and "dict" not in facts.module.bound:
        texts = [key.value if isinstance(key, ast.Constant) else None for key in node.keys]
        names = [text for text in texts if isinstance(text, str) and text.isidentifier() and text not in RESERVED]
        if len(set(names)) == len(texts):
            pairs = zip(names, node.values, strict=True)
            return ast.Call(_name("dict"), [], [ast.keyword(word, value) for word, value in pairs])
    return None


RESERVED = frozenset(keyword.kwlist)


def text(node: ast.expr, facts: FunctionFacts) -> ast.expr | None:
    """`f"{a}b"` <-> `"{}b".format(a)`; as a sum or with `%` where all parts are certainly text or whole numbers."""
    if isinstance(node, ast.JoinedStr):
        return _from_f_string(node, facts)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
        return _from_format(node)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _from_sum(node, facts)
    return None


def _from_f_string(node: ast.JoinedStr, facts: FunctionFacts) -> ast.expr | None:
    parts = [part for part in node.values if isinstance(part, ast.FormattedValue)]
    if not parts or not all(is_movable(part.value) and (len(parts) == 1 or is_pure(part.value)) for part in parts):
        return None
    is_known = all(part.conversion == -1 and not part.format_spec for part in parts)
    is_known = is_known and all(facts.is_text(part.value) or facts.is_int(part.value) for part in parts)
    template, arguments = "", []
    for part in node.values:
        if isinstance(part, ast.Constant):
            template += str(part.value).replace("%", "%%") if is_known else _escaped(str(part.value))
        elif isinstance(part, ast.FormattedValue):
            slot = _slot(part)
            if slot is None:
                return None
            template += "%s" if is_known else slot
            arguments.append(part.value)
    if is_known and len(arguments) == 1:
        return _sum(node, facts) or ast.BinOp(ast.Constant(template), ast.Mod(), ast.Tuple(arguments, ast.Load()))
    if is_known:
        return ast.BinOp(ast.Constant(template), ast.Mod(), ast.Tuple(arguments, ast.Load()))
    return _method(ast.Constant(template), "format", arguments, [])


def _escaped(plain: str) -> str:
    return plain.replace("{", "{{").replace("}", "}}")


def _slot(part: ast.FormattedValue) -> str | None:
    """The place that a value has in a template."""
    conversion = "" if part.conversion == -1 else f"!{chr(part.conversion)}"
    if part.format_spec is None:
        return f"{{{conversion}}}"
    inner = part.format_spec.values if isinstance(part.format_spec, ast.JoinedStr) else []
    if len(inner) != 1 or not isinstance(inner[0], ast.Constant):
        return None
    return f"{{{conversion}:{inner[0].value!s}}}"


def _sum(node: ast.JoinedStr, facts: FunctionFacts) -> ast.expr | None:
    found: ast.expr | None = None
    for part in node.values:
        value: ast.expr = part.value if isinstance(part, ast.FormattedValue) else part
        if not facts.is_text(value):
            value = _call("str", value)
            if "str" in facts.module.bound:
                return None
        found = value if found is None else ast.BinOp(found, ast.Add(), value)
    return found if len(node.values) > 1 else None


def _from_format(node: ast.Call) -> ast.expr | None:
    assert isinstance(node.func, ast.Attribute)
    template = node.func.value
    if not isinstance(template, ast.Constant) or not isinstance(template.value, str) or node.keywords:
        return None
    if not all(_fits_f_string(part) for part in node.args):
        return None
    values: list[ast.expr] = []
    used = 0
    try:
        fields = list(string.Formatter().parse(template.value))
    except ValueError:
        return None
    for before, name, spec, conversion in fields:
        if before:
            values.append(ast.Constant(before))
        if name is None:
            continue
        if name not in {"", str(used)} or used >= len(node.args) or "{" in (spec or ""):
            return None
        shape = ast.JoinedStr([ast.Constant(spec)]) if spec else None
        values.append(ast.FormattedValue(node.args[used], ord(conversion) if conversion else -1, shape))
        used += 1
    return ast.JoinedStr(values) if used == len(node.args) and used else None


def _fits_f_string(node: ast.expr) -> bool:
    """Whether it may stand in an f-string of any Python: no quotes, no backslash, no braces."""
    unfit = ast.Lambda | ast.Dict | ast.Set | ast.SetComp | ast.DictComp | ast.JoinedStr | ast.Starred | ast.NamedExpr
    for part in walk(node):
        if isinstance(part, unfit) or (isinstance(part, ast.Constant) and isinstance(part.value, str | bytes)):
            return False
    return is_pure(node)


def _from_sum(node: ast.BinOp, facts: FunctionFacts) -> ast.expr | None:
    parts: list[ast.expr] = []
    left: ast.expr = node
    while isinstance(left, ast.BinOp) and isinstance(left.op, ast.Add):
        parts.insert(0, left.right)
        left = left.left
    parts.insert(0, left)
    has_literal = any(isinstance(part, ast.Constant) for part in parts)
    if not has_literal or not all(facts.is_text(part) for part in parts):
        return None
    values: list[ast.expr] = []
    for part in parts:
        if isinstance(part, ast.Constant):
            if values and isinstance(values[-1], ast.Constant):
                return None
            values.append(part)
        elif _fits_f_string(part):
            values.append(ast.FormattedValue(part, -1, None))
        else:
            return None
    return ast.JoinedStr(values)


def shape(node: ast.expr, facts: FunctionFacts) -> ast.expr | None:
    """`x.size(0)` <-> `x.shape[0]`."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "size":
        if node.keywords or "size" in facts.module.stored or len(node.args) > 1:
            return None
        whole = ast.Attribute(node.func.value, "shape", ast.Load())
        if not node.args:
            return whole if facts.is_tensor(node.func.value) else None
        is_index = isinstance(node.args[0], ast.Name) or _int(node.args[0]) is not None
        return ast.Subscript(whole, node.args[0], ast.Load()) if is_index else None
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load) and isinstance(node.value, ast.Attribute):
        inner = node.value
        if inner.attr == "shape" and _int(node.slice) is not None and facts.is_tensor(inner.value):
            return _method(inner.value, "size", [node.slice], [])
    return None


def tensor_method(node: ast.expr, facts: FunctionFacts) -> ast.expr | None:
    """`torch.f(x)` <-> `x.f()`."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute | ast.Name):
        return None
    origin = facts.module.origin(node.func)
    library, _, name = origin.rpartition(".")
    words = {word.arg for word in node.keywords}
    if library in {"torch", "torch.nn.functional"} and node.args and not isinstance(node.args[0], ast.Starred):
        is_known = name in METHODS if library == "torch" else name in FUNCTIONAL and _is_same_functional(node, name)
        if is_known and not words & {"out", "input", None} and not isinstance(node.args[0], ast.Constant):
            return _method(node.args[0], name, node.args[1:], node.keywords)
        return None
    if not isinstance(node.func, ast.Attribute) or node.func.attr not in METHODS or None in words:
        return None
    library_name = facts.module.name_of("torch")
    if library_name is None or not facts.is_tensor(node.func.value):
        return None
    if any(isinstance(part, ast.Starred) for part in node.args) or len(node.args) > 2:
        return None
    return ast.Call(
        ast.Attribute(library_name, node.func.attr, ast.Load()), [node.func.value, *node.args], node.keywords
    )


def _is_same_functional(node: ast.Call, name: str) -> bool:
    words = [word.arg for word in node.keywords]
    if name in {"softmax", "log_softmax"}:
        return (len(node.args) == 2 and not words) or (len(node.args) == 1 and words == ["dim"])
    return len(node.args) == 1 and not words


def matmul(node: ast.expr, facts: FunctionFacts) -> ast.expr | None:
    """`torch.matmul(a, b)` <-> `a @ b`."""
    if isinstance(node, ast.Call) and not node.keywords and not any(isinstance(a, ast.Starred) for a in node.args):
        if facts.module.origin(node.func) == "torch.matmul" and len(node.args) == 2:
            return ast.BinOp(node.args[0], ast.MatMult(), node.args[1])
        is_method = isinstance(node.func, ast.Attribute) and node.func.attr == "matmul" and len(node.args) == 1
        if is_method and isinstance(node.func, ast.Attribute) and facts.is_tensor(node.func.value):
            return ast.BinOp(node.func.value, ast.MatMult(), node.args[0])
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
        library = facts.module.name_of("torch")
        if library and (not facts.module.has_numpy or facts.is_tensor(node)):
            return ast.Call(ast.Attribute(library, "matmul", ast.Load()), [node.left, node.right], [])
    return None


def view(node: ast.expr, facts: FunctionFacts) -> ast.expr | None:
    """`x.view(a, b)` -> `x.reshape(a, b)` -> `x.contiguous().view(a, b)`: never the one that may fail."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or node.keywords:
        return None
    receiver, name = node.func.value, node.func.attr
    if name in facts.module.stored or (isinstance(receiver, ast.Name) and receiver.id in NOT_ON):
        return None
    is_shape = len(node.args) > 1 or (bool(node.args) and _int(node.args[0]) is not None)
    if name == "view" and is_shape:
        is_copy = isinstance(receiver, ast.Call) and isinstance(receiver.func, ast.Attribute)
        if is_copy and receiver.func.attr == "contiguous" and not receiver.args:  # type: ignore[attr-defined]
            receiver = receiver.func.value  # type: ignore[attr-defined]
        return _method(receiver, "reshape", node.args, [])
    if name == "reshape" and is_shape and facts.is_tensor(receiver):
        return _method(_method(receiver, "contiguous", [], []), "view", node.args, [])
    return None


def unsqueeze(node: ast.expr, facts: FunctionFacts) -> ast.expr | None:
    """`x.unsqueeze(1)` <-> `x[:, None]`."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "unsqueeze":
        axes = [*node.args, *(word.value for word in node.keywords if word.arg == "dim")]
        axis = _int(axes[0]) if len(axes) == 1 and len(node.args) + len(node.keywords) == 1 else None
        if axis is None or not -1 <= axis <= 2 or facts.module.origin(node.func):
            return None
        before: list[ast.expr] = [ast.Constant(...)] if axis == -1 else [ast.Slice() for _ in range(axis)]
        index: ast.expr = ast.Tuple([*before, ast.Constant(None)], ast.Load()) if before else ast.Constant(None)
        return ast.Subscript(node.func.value, index, ast.Load())
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load) and facts.is_tensor(node.value):
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        is_new = [isinstance(part, ast.Constant) and part.value is None for part in parts]
        is_whole = [isinstance(part, ast.Slice) and not (part.lower or part.upper or part.step) for part in parts]
        if sum(is_new) == 1 and all(new or whole for new, whole in zip(is_new, is_whole, strict=True)):
            return _method(node.value, "unsqueeze", [ast.Constant(is_new.index(True))], [])
        is_last = len(parts) == 2 and isinstance(parts[0], ast.Constant) and parts[0].value is ... and is_new[1]
        if is_last:
            return _method(node.value, "unsqueeze", [ast.UnaryOp(ast.USub(), ast.Constant(1))], [])
    return None


def dim(node: ast.expr, facts: FunctionFacts) -> ast.expr | None:
    """`torch.cat((a, b), 1)` <-> `torch.cat([a, b], dim=1)`, `x.mean(1)` <-> `x.mean(dim=1)`."""
    if not isinstance(node, ast.Call) or any(isinstance(part, ast.Starred) for part in node.args):
        return None
    words = [word.arg for word in node.keywords]
    if facts.module.origin(node.func) in JOINS and node.args:
        items = node.args[0]
        if isinstance(items, ast.Tuple | ast.List):
            items = (
                ast.List(items.elts, ast.Load()) if isinstance(items, ast.Tuple) else ast.Tuple(items.elts, ast.Load())
            )
        return _other_dim(node, [items], words)
    if not isinstance(node.func, ast.Attribute) or node.func.attr in facts.module.stored:
        return None
    count = 0 if node.func.attr in DIM_FIRST else 1 if node.func.attr in DIM_SECOND else None
    is_library = bool(facts.module.origin(node.func))
    if count is None or is_library or not (words == ["dim"] or facts.is_tensor(node.func.value)):
        return None
    if isinstance(node.func.value, ast.Name) and node.func.value.id in NOT_ON:
        return None
    return _other_dim(node, node.args[:count], words)


def _other_dim(node: ast.Call, front: list[ast.expr], words: list[str | None]) -> ast.expr | None:
    if len(node.args) == len(front) and words == ["dim"]:
        return ast.Call(node.func, [*front, node.keywords[0].value], [])
    if len(node.args) == len(front) + 1 and not words and (_int(node.args[-1]) is not None):
        return ast.Call(node.func, front, [ast.keyword("dim", node.args[-1])])
    return None


def power(node: ast.expr, facts: FunctionFacts) -> ast.expr | None:
    """`a ** b` <-> `pow(a, b)`."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow) and "pow" not in facts.module.bound:
        return _call("pow", node.left, node.right)
    if isinstance(node, ast.Call) and facts.module.called_builtin(node, "pow") and len(node.args) == 2:
        is_plain = not node.keywords and not any(isinstance(part, ast.Starred) for part in node.args)
        return ast.BinOp(node.args[0], ast.Pow(), node.args[1]) if is_plain else None
    return None


def either(node: ast.expr, facts: FunctionFacts) -> ast.expr | None:
    """`x if x else y` <-> `x or y`."""
    if isinstance(node, ast.IfExp) and isinstance(node.test, ast.Name) and ast.dump(node.test) == ast.dump(node.body):
        return ast.BoolOp(ast.Or(), [node.test, node.orelse])
    if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or) and len(node.values) == 2:
        first, second = node.values
        if isinstance(first, ast.Name):
            return ast.IfExp(first, first, second)
    return None


def ranges(node: ast.expr, facts: FunctionFacts) -> ast.expr | None:
    """`range(n)` <-> `range(0, n)`, `x[:n]` <-> `x[0:n]` for lists and the like."""
    if isinstance(node, ast.Call) and facts.module.called_builtin(node, "range") and not node.keywords:
        if len(node.args) == 1 and not isinstance(node.args[0], ast.Starred):
            return _call("range", ast.Constant(0), node.args[0])
        if len(node.args) == 2 and _int(node.args[0]) == 0 and not isinstance(node.args[1], ast.Starred):
            return _call("range", node.args[1])
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice) and isinstance(node.ctx, ast.Load):
        part = node.slice
        if part.step is None and part.upper and (facts.is_sequence(node.value) or facts.is_tensor(node.value)):
            if part.lower is None:
                return ast.Subscript(node.value, ast.Slice(ast.Constant(0), part.upper), ast.Load())
            if _int(part.lower) == 0:
                return ast.Subscript(node.value, ast.Slice(None, part.upper), ast.Load())
    return None


def mapped(node: ast.expr, facts: FunctionFacts) -> ast.expr | None:
    """`[f(t) for t in it]` <-> `list(map(f, it))`; a lambda in `map` becomes the element."""
    if isinstance(node, ast.ListComp) and len(node.generators) == 1 and not {"list", "map"} & facts.module.bound:
        part = node.generators[0]
        call = node.elt
        if part.ifs or part.is_async or not isinstance(part.target, ast.Name) or not isinstance(call, ast.Call):
            return None
        is_single = len(call.args) == 1 and not call.keywords and isinstance(call.args[0], ast.Name)
        if not is_single or not isinstance(call.func, ast.Name) or call.func.id in {part.target.id, "super"}:
            return None
        return _call("list", _call("map", call.func, part.iter)) if call.args[0].id == part.target.id else None  # type: ignore[attr-defined]
    if isinstance(node, ast.Call) and facts.module.called_builtin(node, "list", "tuple") and len(node.args) == 1:
        inner = node.args[0]
        made = from_map(inner, facts)
        if made and not node.keywords:
            is_list = facts.module.is_builtin(node.func, "list")
            return ast.ListComp(made.elt, made.generators) if is_list else ast.Call(node.func, [made], [])
    return None


def from_map(node: ast.expr, facts: FunctionFacts) -> ast.GeneratorExp | None:
    """`map(f, it)` as a generator expression."""
    if not isinstance(node, ast.Call) or not facts.module.called_builtin(node, "map") or len(node.args) != 2:
        return None
    function, items = node.args
    if isinstance(items, ast.Starred) or not is_movable(items):
        return None
    if isinstance(function, ast.Lambda):
        plain = function.args
        others = [plain.vararg, plain.kwarg, *plain.posonlyargs, *plain.kwonlyargs, *plain.defaults]
        if len(plain.args) != 1 or any(others) or any(isinstance(p, ast.Lambda) for p in walk(function.body)):
            return None
        if not is_movable(function.body):
            return None
        target, element = plain.args[0].arg, function.body
    elif isinstance(function, ast.Name) and function.id != "item" and "item" not in names(items):
        target, element = "item", ast.Call(function, [_name("item")], [])
    else:
        return None
    generator = ast.comprehension(ast.Name(target, ast.Store()), items, [], 0)
    return ast.GeneratorExp(element, [generator])


EXPRESSIONS: Mapping[str, Idiom] = {
    "de Morgan": de_morgan,
    "chained comparison": chained,
    "direction": direction,
    "membership": membership,
    "isinstance": isinstances,
    "dict": dictionary,
    "text": text,
    "shape": shape,
    "matmul": matmul,
    "tensor method": tensor_method,
    "view": view,
    "unsqueeze": unsqueeze,
    "dim": dim,
    "power": power,
    "or": either,
    "range": ranges,
    "map": mapped,
}


def emptiness(node: ast.expr, facts: FunctionFacts) -> ast.expr | None:
    """`len(x) == 0` <-> `not x`, as a test only, for what is certainly a list or the like."""
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and facts.module.called_builtin(node.left, "len"):
        assert isinstance(node.left, ast.Call)
        limit = _int(node.comparators[0])
        if len(node.left.args) != 1 or not facts.is_sized(node.left.args[0]):
            return None
        operator = type(node.ops[0])
        if (operator, limit) in {(ast.Gt, 0), (ast.NotEq, 0), (ast.GtE, 1)}:
            return node.left.args[0]
        if (operator, limit) in {(ast.Eq, 0), (ast.Lt, 1)}:
            return ast.UnaryOp(ast.Not(), node.left.args[0])
        return None
    if "len" in facts.module.bound:
        return None
    if isinstance(node, ast.Name) and facts.is_sized(node):
        return ast.Compare(_call("len", node), [ast.Gt()], [ast.Constant(0)])
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not) and isinstance(node.operand, ast.Name):
        test = ast.Compare(_call("len", node.operand), [ast.Eq()], [ast.Constant(0)])
        return test if facts.is_sized(node.operand) else None
    return None
