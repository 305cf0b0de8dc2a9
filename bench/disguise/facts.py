"""What can be told of a file's expressions without running it: where a name comes from, what a value certainly is."""

from __future__ import annotations

import ast
import re
from collections import defaultdict

from bench.disguise.effects import FunctionNode, escaping, is_dotted
from bench.disguise.scopes import Scopes
from bench.disguise.walking import walk

TENSOR_METHODS = frozenset(
    "size unsqueeze permute contiguous masked_fill masked_fill_ softmax detach chunk bmm type_as requires_grad_ expand "
    "unbind index_select gather scatter scatter_ unfold narrow new_zeros new_ones new_tensor new_full expand_as "
    "view_as requires_grad is_cuda".split()
)
NO_TENSOR = frozenset("tolist item numpy split strip keys values items lower upper format shape size".split())
LISTS = frozenset("list sorted".split())
SIZED = frozenset("list sorted tuple set dict frozenset str".split())
TEXT_METHODS = frozenset("lower upper strip lstrip rstrip replace join format title capitalize".split())
LIST_METHODS = frozenset("split splitlines rsplit readlines".split())
NO_TENSOR_FUNCTIONS = re.compile(
    r"^torch\.(is_|load|save|device|Size|no_grad|get_|set_|manual_seed|cuda|nn$|jit|distributed)"
)


class ModuleFacts:
    """Names of one file: what it imports, what it binds."""

    def __init__(self, tree: ast.Module) -> None:
        scopes = Scopes(tree)
        self.bound = {name for scope in scopes.opened.values() for name in scope.values}
        elsewhere = {name for scope in scopes.opened.values() if scope is not scopes.module for name in scope.values}
        self.imports: dict[str, str] = {}
        for name, (statement, alias) in scopes.module.imports.items():
            is_plain = len(scopes.module.values[name]) == 1 and name not in elsewhere and statement in tree.body
            if is_plain and not (isinstance(statement, ast.ImportFrom) and statement.level):
                prefix = f"{statement.module}." if isinstance(statement, ast.ImportFrom) else ""
                is_root = isinstance(statement, ast.Import) and not alias.asname
                self.imports[name] = alias.name.split(".")[0] if is_root else prefix + alias.name
        self.stored: defaultdict[str, list[ast.expr | None]] = defaultdict(list)  # attribute -> values, whoever's it is
        for node in walk(tree):
            if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load):
                self.stored[node.attr].append(None)
            if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Attribute):
                self.stored[node.targets[0].attr].append(node.value)
        self.has_numpy = any(origin.split(".")[0] in {"numpy", "jax"} for origin in self.imports.values())

    def origin(self, node: ast.AST) -> str:
        """The dotted name of what a library calls it; empty for everything else."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name) or node.id not in self.imports:
            return ""
        return ".".join([self.imports[node.id], *reversed(parts)])

    def name_of(self, origin: str) -> ast.expr | None:
        """How the file calls a module, if it imports it as a whole."""
        for name, imported in self.imports.items():
            if imported == origin:
                return ast.Name(name, ast.Load())
        return None

    def is_builtin(self, node: ast.AST, *names: str) -> bool:
        """Whether it is one of these built-in names, which the file gives no other meaning."""
        return isinstance(node, ast.Name) and node.id in names and node.id not in self.bound

    def called_builtin(self, node: ast.AST, *names: str) -> bool:
        """Whether it calls one of these built-in functions."""
        return isinstance(node, ast.Call) and self.is_builtin(node.func, *names)


class FunctionFacts:
    """The locals of one function."""

    def __init__(self, function: FunctionNode, module: ModuleFacts) -> None:
        self.module = module
        self.escaping = escaping(function)
        self.values: defaultdict[str, list[ast.expr | None]] = defaultdict(list)
        self.tensors: set[str] = set()
        simple: set[ast.AST] = set()
        for node in walk(function):
            if isinstance(node, ast.arg):
                self.values[node.arg].append(None)
            if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
                self.values[node.targets[0].id].append(node.value)
                simple.add(node.targets[0])
            elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load) and node not in simple:
                self.values[node.id].append(None)
        self._find_tensors(function)

    def _find_tensors(self, function: FunctionNode) -> None:
        """Names on which something is done that only tensors can do, and that never get a plain value."""
        for node in walk(function):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.attr in TENSOR_METHODS:
                self.tensors.add(node.value.id)
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Name):
                origin = self.module.origin(node.func)
                is_function = origin.startswith("torch.nn.functional.") or origin in TAKES_TENSOR
                self.tensors |= {node.args[0].id} if is_function else set()
        for name, values in self.values.items():
            if values and all(value is not None and self._makes_tensor(value) for value in values):
                self.tensors.add(name)
        self.tensors -= {
            name for name, values in self.values.items() if any(value and self._is_plain(value) for value in values)
        }
        self.tensors -= {*self.module.imports, "self", "cls"}

    def _makes_tensor(self, node: ast.expr) -> bool:
        origin = self.module.origin(node.func) if isinstance(node, ast.Call) else ""
        return origin in MAKES_TENSOR or origin.startswith("torch.nn.functional.")

    def _is_plain(self, node: ast.expr) -> bool:
        """Whether it is certainly no tensor."""
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            return node.func.attr in NO_TENSOR or bool(NO_TENSOR_FUNCTIONS.match(self.module.origin(node.func)))
        if isinstance(node, ast.Attribute):
            return node.attr in NO_TENSOR
        plain = ast.Constant | ast.JoinedStr | ast.List | ast.Tuple | ast.Dict | ast.ListComp | ast.Lambda | ast.Compare
        return isinstance(node, plain) or self.module.called_builtin(
            node, "int", "len", "float", "list", "tuple", "str"
        )

    def is_tensor(self, node: ast.expr) -> bool:
        """Whether it can be nothing but a tensor."""
        if isinstance(node, ast.Name):
            return node.id in self.tensors and node.id not in self.escaping
        if isinstance(node, ast.Call):
            is_method = isinstance(node.func, ast.Attribute) and node.func.attr in RETURNS_TENSOR
            if is_method and isinstance(node.func, ast.Attribute):
                return self.is_tensor(node.func.value)
            return self._makes_tensor(node)
        return isinstance(node, ast.BinOp) and (self.is_tensor(node.left) or self.is_tensor(node.right))

    def _all(self, node: ast.expr, test: str, depth: int) -> bool:
        """Whether every value that a local name ever gets passes a test."""
        if not isinstance(node, ast.Name) or depth == 0 or node.id in self.escaping:
            return False
        values = self.values.get(node.id, [])
        return bool(values) and all(value is not None and getattr(self, test)(value, depth - 1) for value in values)

    def is_list(self, node: ast.expr, depth: int = 3) -> bool:
        """Whether it is certainly a list."""
        if isinstance(node, ast.List | ast.ListComp) or self.module.called_builtin(node, *LISTS):
            return True
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            return self.is_list(node.left, depth) and self.is_list(node.right, depth)
        is_method = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        if is_method and node.func.attr in LIST_METHODS:  # type: ignore[attr-defined]
            receiver = node.func.value  # type: ignore[attr-defined]
            return self.is_text(receiver, depth)
        return self._all(node, "is_list", depth)

    def is_text(self, node: ast.expr, depth: int = 3) -> bool:
        """Whether it is certainly a string."""
        if isinstance(node, ast.Constant):
            return isinstance(node.value, str)
        if isinstance(node, ast.JoinedStr) or self.module.called_builtin(node, "str", "repr"):
            return True
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            return self.is_text(node.left, depth) and self.is_text(node.right, depth)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in TEXT_METHODS:
            return self.is_text(node.func.value, depth)
        return self._all(node, "is_text", depth)

    def is_int(self, node: ast.expr, depth: int = 3) -> bool:
        """Whether it is certainly a whole number."""
        if isinstance(node, ast.Constant):
            return type(node.value) is int
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub | ast.Mult | ast.FloorDiv | ast.Mod):
            return self.is_int(node.left, depth) and self.is_int(node.right, depth)
        return self.module.called_builtin(node, "len", "int") or self._all(node, "is_int", depth)

    def is_sequence(self, node: ast.expr, depth: int = 3) -> bool:
        """Whether it certainly has a length and is indexed by 0, 1, 2 ..."""
        if isinstance(node, ast.Tuple) or self.module.called_builtin(node, "tuple", "range"):
            return True
        if self.is_list(node, depth) or self.is_text(node, depth):
            return True
        if isinstance(node, ast.Attribute) and is_dotted(node):
            values = self.module.stored.get(node.attr, [])
            known = [value for value in values if value is not None]
            is_modules = [self.module.origin(v.func) in MODULE_LISTS for v in known if isinstance(v, ast.Call)]
            return bool(known) and len(values) == 2 * len(known) and len(is_modules) == len(known) and all(is_modules)
        return self._all(node, "is_sequence", depth)

    def is_sized(self, node: ast.expr, depth: int = 3) -> bool:
        """Whether it is certainly true exactly when its length is not 0."""
        literal = ast.Tuple | ast.Dict | ast.Set | ast.DictComp | ast.SetComp
        if isinstance(node, literal) or self.module.called_builtin(node, *SIZED):
            return True
        return self.is_list(node, depth) or self.is_text(node, depth) or self._all(node, "is_sized", depth)


MODULE_LISTS = frozenset(["torch.nn.ModuleList"])
METHODS = (
    "abs exp log sqrt rsqrt sigmoid tanh softmax log_softmax sum mean var std prod cumsum cumprod matmul bmm transpose "
    "flatten squeeze unsqueeze clamp argmax argmin topk sort argsort gather index_select masked_select "
    "repeat_interleave sin cos floor ceil chunk unbind flip roll tril triu isnan isinf logical_and logical_or "
    "logical_not"
).split()
TAKES_TENSOR = frozenset(f"torch.{name}" for name in METHODS)
MAKES_TENSOR = TAKES_TENSOR - {"torch.chunk", "torch.topk", "torch.sort", "torch.unbind"} | frozenset(
    f"torch.{name}"
    for name in "cat stack zeros ones randn rand arange linspace full empty tensor where einsum zeros_like ones_like "
    "randn_like rand_like empty_like full_like from_numpy as_tensor eye reshape permute".split()
)
RETURNS_TENSOR = frozenset(METHODS) - {"chunk", "topk", "sort", "unbind", "split"} | frozenset(
    "view reshape permute contiguous expand repeat to float long half bool detach clone masked_fill type_as".split()
)
