"""Change where code is: order, free functions, base classes, dead code."""

from __future__ import annotations

import ast
import random

from bench.disguise.blocks import load, stores
from bench.disguise.callables import Callables
from bench.disguise.edits import Block
from bench.disguise.effects import FunctionNode, is_dotted, names
from bench.disguise.extract import extract_helpers
from bench.disguise.inline import inline_helpers
from bench.disguise.libraries import FRAMEWORK
from bench.disguise.moving import move_definitions
from bench.disguise.ownership import terminal
from bench.disguise.walking import walk
from bench.disguise.work import Work

MAY_BE_BASES = frozenset("Module object ABC".split())


def restructure(work: Work) -> None:
    """Make the edits of level L7."""
    free_methods(work)
    inline_helpers(work)
    work.settle()
    extract_helpers(work)
    work.settle()
    add_dead_code(work)
    split_classes(work)
    move_definitions(work)
    work.settle()
    reorder(work)
    work.settle()


def free_methods(work: Work) -> None:
    """Make methods that have no use for `self` functions of the module, where every call of them is in their class."""
    callables = Callables(work)
    for path, tree in work.trees.items():
        for owner in [node for node in tree.body if isinstance(node, ast.ClassDef)]:
            for method in [node for node in owner.body if isinstance(node, ast.FunctionDef)]:
                calls = _own_calls(path, owner, method, callables)
                if calls and len(owner.body) > 1 and work.chosen("free method", f"{path}:{owner.name}"):
                    is_static = bool(method.decorator_list)
                    method.decorator_list = []
                    if not is_static:
                        del method.args.args[0]
                    for call in calls:
                        call.func = load(method.name)
                    callables.files[path].bound[method.name] += 1
                    owner.body.remove(method)
                    tree.body.insert(tree.body.index(owner), method)


def _own_calls(path: str, owner: ast.ClassDef, method: ast.FunctionDef, callables: Callables) -> list[ast.Call]:
    """The calls of a method that can be made a function; nothing if it cannot."""
    name, arguments = method.name, method.args
    is_static = [terminal(decorator) for decorator in method.decorator_list] == ["staticmethod"]
    if (method.decorator_list and not is_static) or name.startswith("__") or name in FRAMEWORK:
        return []
    is_free = callables.files[path].bound[name] == 0 and callables.is_alone(owner.name, name)
    if not is_free or not (is_static or arguments.args) or arguments.posonlyargs:
        return []
    if not all(isinstance(value, ast.Constant) for value in [*arguments.defaults, *arguments.kw_defaults] if value):
        return []
    inner = [node for statement in method.body for node in walk(statement)]
    read = {node.id for node in inner if isinstance(node, ast.Name)}
    is_bound = any(isinstance(node, ast.Attribute) and node.attr.startswith("__") for node in inner)
    if read & {"super", "__class__", *([] if is_static else [arguments.args[0].arg])} or is_bound:
        return []
    calls: list[ast.Call] = []
    for part in owner.body:
        if not isinstance(part, FunctionNode) or part is method or [a.arg for a in part.args.args[:1]] != ["self"]:
            continue
        if "self" in stores(part.body):
            continue
        for node in walk(part):
            func = node.func if isinstance(node, ast.Call) else None
            if isinstance(node, ast.Call) and isinstance(func, ast.Attribute) and func.attr == name:
                calls += [node] if isinstance(func.value, ast.Name) and func.value.id == "self" else []
    is_all = callables.accounted[name] == callables.reads[name] and len(calls) == _reads(owner, name)
    return calls if is_all else []


def _reads(owner: ast.ClassDef, name: str) -> int:
    return sum(isinstance(node, ast.Attribute) and node.attr == name for node in walk(owner))


def split_classes(work: Work) -> None:
    """Give classes a base with some of their methods."""
    for path, tree in work.trees.items():
        for owner in [node for node in tree.body if isinstance(node, ast.ClassDef)]:
            methods = _splittable(owner, tree)
            if len(methods) < 3 or not work.chosen("split class", path):
                continue
            inherited = work.chance.sample(methods, work.chance.randint(1, len(methods) - 1))
            base = ast.ClassDef(work.words.class_name(), owner.bases, [], [m for m in methods if m in inherited], [])
            owner.bases = [load(base.name)]
            owner.body = [node for node in owner.body if node not in inherited] or [ast.Pass()]
            tree.body.insert(tree.body.index(owner), base)


def _splittable(owner: ast.ClassDef, tree: ast.Module) -> list[ast.FunctionDef]:
    """Methods that may as well be inherited; nothing where the class itself forbids it."""
    is_plain = not owner.decorator_list and not owner.keywords
    if not is_plain or not all(is_dotted(base) and _may_be_base(base, tree) for base in owner.bases):
        return []
    defined = [node.name for node in owner.body if isinstance(node, FunctionNode | ast.ClassDef)]
    needed = {name for node in owner.body for name in _at_definition(node, inside=True)}
    methods = []
    for node in owner.body:
        is_single = isinstance(node, ast.FunctionDef) and defined.count(node.name) == 1 and node.name not in needed
        if isinstance(node, ast.FunctionDef) and is_single and not node.decorator_list:
            inner = list(walk(node))
            is_tied = any(
                (isinstance(part, ast.Name) and part.id in {owner.name, "__class__", *defined})
                or (isinstance(part, ast.Attribute) and part.attr.startswith("__") and not part.attr.endswith("__"))
                or (isinstance(part, ast.Call) and terminal(part.func) == "super" and part.args)
                for part in inner
            )
            has_class_names = any(not isinstance(value, ast.Constant) for value in node.args.defaults)
            is_hook = node.name in {
                "__init_subclass__",
                "__new__",
                "__class_getitem__",
                "__set_name__",
                "__hash__",
                "__eq__",
            }
            is_hook |= node.name.startswith("__") and not node.name.endswith("__")  # known in its own class only
            if not is_tied and not has_class_names and not is_hook:
                methods.append(node)
    is_slotted = any("__slots__" in names(node) for node in owner.body if isinstance(node, ast.Assign))
    return [] if is_slotted else methods


def _may_be_base(base: ast.expr, tree: ast.Module, depth: int = 8) -> bool:
    """Whether nothing happens when a class of that base is made."""
    if terminal(base) in MAY_BE_BASES:
        return True
    own = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == terminal(base)]
    if not isinstance(base, ast.Name) or len(own) != 1 or own[0].keywords or depth == 0:
        return False
    return all(_may_be_base(inner, tree, depth - 1) for inner in own[0].bases)


def reorder(work: Work) -> None:
    """Put methods, functions and classes in another order."""
    for path, tree in work.trees.items():
        if work.chosen("reorder functions", path):
            tree.body = _shuffled(tree.body, work.chance)
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and work.chosen("reorder methods", f"{path}:{node.name}"):
                node.body = _shuffled(node.body, work.chance)


def _shuffled(block: Block, chance: random.Random) -> Block:
    """The same statements; definitions that stand together and do not need each other change places."""
    result: Block = []
    run: Block = []
    for statement in [*block, None]:
        if statement is not None and _is_movable_definition(statement) and _name(statement) not in map(_name, run):
            run.append(statement)
            continue
        result += _shuffled_run(run, chance)
        run = []
        if statement is not None:
            result.append(statement)
    return result


def _shuffled_run(run: Block, chance: random.Random) -> Block:
    needs = {id(node): _at_definition(node) & {_name(other) for other in run} for node in run}
    left, done, result = list(run), set[str](), Block()
    while left:
        ready = [node for node in left if needs[id(node)] <= done] or left[:1]
        node = chance.choice(ready)
        left.remove(node)
        done.add(_name(node))
        result.append(node)
    return result


def _name(node: ast.stmt) -> str:
    return node.name if isinstance(node, FunctionNode | ast.ClassDef) else ""


def _is_movable_definition(node: ast.stmt) -> bool:
    """A definition that does nothing but bind its name."""
    if isinstance(node, FunctionNode):
        return all(
            terminal(decorator) in {"staticmethod", "classmethod", "no_grad"} for decorator in node.decorator_list
        )
    if not isinstance(node, ast.ClassDef) or node.decorator_list or node.keywords:
        return False
    return all(
        isinstance(part, FunctionNode | ast.Pass)
        or (isinstance(part, ast.Assign) and isinstance(part.value, ast.Constant))
        for part in node.body
    )


def _at_definition(node: ast.stmt, inside: bool = False) -> set[str]:
    """Names that are read when the definition itself is run; `inside`: of a statement that is no definition, too."""
    found: set[str] = set()
    if isinstance(node, FunctionNode):
        for part in [*node.decorator_list, *node.args.defaults, *node.args.kw_defaults, node.returns]:
            found |= names(part) if part else set()
        found |= {name for part in walk(node.args) if isinstance(part, ast.arg) and part.annotation
                  for name in names(part.annotation)}  # fmt: skip
    elif isinstance(node, ast.ClassDef):
        for base in node.bases:
            found |= names(base)
        for inner in node.body:
            found |= _at_definition(inner, inside=True)
    elif inside:
        found |= names(node)
    return found


def add_dead_code(work: Work) -> None:
    """Add statements that do nothing, and functions that nobody calls."""
    for path, tree in work.trees.items():
        for function in [node for node in walk(tree) if isinstance(node, FunctionNode)]:
            _add_dead_statements(work, path, function)
        definitions = [node for node in tree.body if isinstance(node, FunctionNode | ast.ClassDef)]
        for node in definitions:
            if work.chosen("dead helper", f"{path}:{node.name}"):
                if isinstance(node, ast.ClassDef) and _takes_methods(node) and work.chance.random() < 0.5:
                    node.body.append(dead_function(work, is_method=True))
                else:
                    tree.body.insert(tree.body.index(node), dead_function(work, is_method=False))


def _takes_methods(node: ast.ClassDef) -> bool:
    return not node.decorator_list and not node.keywords and all(terminal(base) in MAY_BE_BASES for base in node.bases)


def _add_dead_statements(work: Work, path: str, function: FunctionNode) -> None:
    used = {node.id for node in walk(function) if isinstance(node, ast.Name)}
    used |= {node.arg for node in walk(function) if isinstance(node, ast.arg)}
    changed: Block = []
    for statement in function.body:
        if not isinstance(statement, ast.Global | ast.Nonlocal) and work.chosen("dead", f"{path}:{function.name}"):
            changed.append(_dead_statement(work, used))
        changed.append(statement)
    function.body = changed


def _dead_statement(work: Work, used: set[str]) -> ast.stmt:
    chance, name = work.chance, work.words.local(used)
    number = chance.choice([0, 1, 2, 4, 8, 16, 32, 64, 0.5, 1e-6])
    text = chance.choice(
        [
            f"{name} = {number}", f"{name} = None", f"{name} = []", f"{name} = {{}}", f"{name} = {number} * 2",
            f"{name} = ({number}, None)", f"if False:\n    {name} = {number}", f"{name} = [{number}] * 2",
            f"for {name} in ():\n    pass",
        ]
    )  # fmt: skip
    return ast.parse(text).body[0]


TEMPLATES = (
    "def NAME(A, B={n}):\n    if A is None:\n        return B\n    return A * B + {m}",
    "def NAME(A):\n    B = []\n    for C in A:\n        if C is not None:\n            B.append(C)\n    return B",
    "def NAME(A, B):\n    C = A / max(B, {n})\n    C = round(C * {m})\n    return int(C)",
    "def NAME(A, **B):\n    C = dict(A)\n    C.update(B)\n    return {{k: v for k, v in C.items() if v is not None}}",
    "def NAME(A):\n    B = sum(C.numel() for C in A.parameters())\n    return B / {m}",
    "def NAME(A, B={n}):\n    return [A[C:C + B] for C in range(0, len(A), B)]",
    "def NAME(A):\n    return tuple(A) if isinstance(A, (list, tuple)) else (A,) * {n}",
    "def NAME(A, B=None):\n    C = {n}\n    while C < len(A):\n"
    "        if A[C] == B:\n            return C\n        C += {m}\n    return -1",
)


def dead_function(work: Work, is_method: bool) -> ast.FunctionDef:
    """A new function that nothing calls."""
    numbers = {"n": work.chance.randint(1, 8), "m": work.chance.randint(2, 64)}
    text = work.chance.choice(TEMPLATES).format(**numbers)
    function = ast.parse(text).body[0]
    assert isinstance(function, ast.FunctionDef)
    used: set[str] = set()
    new = {letter: work.words.local(used) for letter in "ABC"}
    for node in walk(function):
        if isinstance(node, ast.Name):
            node.id = new.get(node.id, node.id)
        elif isinstance(node, ast.arg):
            node.arg = new.get(node.arg, node.arg)
    function.name = work.words.function(work.chance.choice(["", "_"]))
    if is_method:
        function.args.args.insert(0, ast.arg("self", None))
    return function
