"""Import the same libraries in another style: modules under other names, single names, or dotted from the root."""

from __future__ import annotations

import ast
import builtins
import keyword
from collections import defaultdict
from dataclasses import dataclass

from bench.disguise.files import Paths
from bench.disguise.scopes import Scope, Scopes
from bench.disguise.walking import walk
from bench.disguise.work import FunctionNode, Work

# What may stand after `import`: a name in here is a module, not a value in one.
MODULES = frozenset(
    "torch torch.nn torch.nn.functional torch.nn.init torch.nn.utils torch.nn.utils.rnn torch.nn.parallel torch.optim "
    "torch.optim.lr_scheduler torch.utils torch.utils.data torch.utils.checkpoint torch.distributed torch.cuda "
    "torch.cuda.amp torch.autograd torch.jit torch.fft torch.linalg numpy numpy.random numpy.linalg math os os.path "
    "sys json time random copy re itertools functools collections warnings logging pathlib einops einops.layers.torch "
    "torchvision torchvision.transforms torchvision.transforms.functional torchvision.models pandas scipy PIL".split()
)
ALIASES = {
    "torch": ["torch", "th", "pt"],
    "torch.nn": ["nn", "tnn", "layers_lib"],
    "torch.nn.functional": ["F", "tf_nn", "func", "fn", "NNF"],
    "torch.optim": ["optim", "opt_lib"],
    "numpy": ["np", "npy"],
}  # fmt: skip
VALUES = frozenset(
    "math.pi math.inf math.e numpy.pi numpy.inf numpy.float32 torch.float32 torch.float16 torch.bool".split()
)
STYLES = ("module", "dotted", "names")


@dataclass(frozen=True, slots=True)
class _Use:
    """An expression that is `module.name` by whatever names the file uses."""

    module: str
    name: str
    node: ast.expr  # the whole of `module.name`
    base: ast.Name  # the bare name that it starts with


def restyle_imports(work: Work) -> None:
    """Give every file its own style of import, for what it takes from libraries."""
    paths = Paths([*work.trees, *work.unread])
    shared = _shared_names(work, paths)
    for path, tree in work.trees.items():
        _Restyler(work, path, tree, paths, shared[path]).restyle()
        _move_inside(work, path, tree, paths, shared[path])


def _shared_names(work: Work, paths: Paths) -> defaultdict[str, set[str]]:
    """What other files may take from a file: these names it must keep."""
    shared: defaultdict[str, set[str]] = defaultdict(set)
    read = {node.attr for tree in work.trees.values() for node in walk(tree) if isinstance(node, ast.Attribute)}
    for path, tree in work.trees.items():
        for node in walk(tree):
            found = paths.resolve(path, node) if isinstance(node, ast.ImportFrom) else None
            if isinstance(node, ast.ImportFrom) and found:
                names = {alias.name for alias in node.names}
                shared[paths.files.get(found[0], "")] |= {"*"} if "*" in names else names
                for name in names:  # a module as a whole: whatever is read as an attribute
                    shared[paths.files.get((*found[0], name), "")] |= read
    return shared


def library_imports(
    path: str, tree: ast.Module, scopes: Scopes, paths: Paths, shared: set[str]
) -> dict[str, tuple[ast.Import | ast.ImportFrom, ast.alias, str]]:
    """Names that the file imports from libraries and that are its own affair -> statement, alias, dotted origin."""
    texts = {node.value for node in walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    found: dict[str, tuple[ast.Import | ast.ImportFrom, ast.alias, str]] = {}
    if "*" in shared or path.endswith("__init__.py"):
        return found
    for node in tree.body:
        if not isinstance(node, ast.Import | ast.ImportFrom) or _is_own(path, node, paths):
            continue
        for alias in node.names:
            name = alias.asname or alias.name
            is_single = len(scopes.module.values.get(name, [])) == 1 and name not in scopes.module.elsewhere
            if is_single and name not in texts | shared and "." not in name and alias.name != "*":
                prefix = f"{node.module}." if isinstance(node, ast.ImportFrom) else ""
                found[name] = node, alias, prefix + alias.name
    return found


def _is_own(path: str, node: ast.Import | ast.ImportFrom, paths: Paths) -> bool:
    if isinstance(node, ast.ImportFrom):
        return node.level > 0 or node.module == "__future__" or paths.resolve(path, node) is not None
    return any(paths.absolute(tuple(alias.name.split("."))) for alias in node.names)


class _Restyler:
    """One file."""

    def __init__(self, work: Work, path: str, tree: ast.Module, paths: Paths, shared: set[str]) -> None:
        self.work, self.path, self.tree = work, path, tree
        self.scopes = Scopes(tree)
        self.imports = library_imports(path, tree, self.scopes, paths, shared)
        self.modules = set(MODULES) | {name for node in tree.body for name in _modules_named(node)}
        self.ids = {node.id for node in walk(tree) if isinstance(node, ast.Name)}
        for scope in self.scopes.opened.values():
            self.ids |= set(scope.values)
        self.parents = {child: node for node in walk(tree) for child in ast.iter_child_nodes(node)}
        self.bases: defaultdict[str, list[ast.Name]] = defaultdict(list)
        self.added: dict[str, ast.Import | ast.ImportFrom] = {}  # by what it binds
        self.replaced: dict[ast.AST, ast.expr] = {}

    def restyle(self) -> None:
        uses = self._uses()
        by_module: defaultdict[str, list[_Use]] = defaultdict(list)
        for use in uses:
            by_module[use.module].append(use)
        moved: set[ast.Name] = set()
        for module in sorted(by_module):
            if self.work.chosen("import style", f"{self.path}:{module}"):
                moved |= self._change(module, by_module[module])
        if not moved:
            return
        _Replacer(self.replaced).visit(self.tree)
        self._drop_unused(moved)

    def _uses(self) -> list[_Use]:
        found = []
        for node in walk(self.tree):
            if not isinstance(node, ast.Name) or node.id not in self.imports:
                continue
            if self.scopes.of[node].resolve(node.id) is not self.scopes.module:
                continue
            self.bases[node.id].append(node)
            use = self._use(node)
            if use:
                found.append(use)
        return found

    def _use(self, base: ast.Name) -> _Use | None:
        parts = self.imports[base.id][2].split(".")
        node: ast.expr = base
        if ".".join(parts) not in self.modules and len(parts) > 1:
            return _Use(".".join(parts[:-1]), parts[-1], base, base) if isinstance(base.ctx, ast.Load) else None
        while ".".join(parts) in self.modules:
            parent = self.parents.get(node)
            if not isinstance(parent, ast.Attribute) or not isinstance(parent.ctx, ast.Load):
                return None
            node = parent
            parts.append(parent.attr)
        return _Use(".".join(parts[:-1]), parts[-1], node, base)

    def _change(self, module: str, uses: list[_Use]) -> set[ast.Name]:
        """Write all uses of a module in a style; returns the names that are not needed for them any more."""
        current = self._style(uses[0])
        style = self.work.chance.choice([style for style in STYLES if style != current])
        names = {use.name for use in uses}
        taken = {use.name for use in uses if self._is_called(use)} | {name for name in names if name[:1].isupper()}
        taken |= {name for name in names if f"{module}.{name}" in VALUES}
        new: dict[str, ast.expr] = {}
        for name in sorted(names):
            # What is no call, base or constant may change between the import and the use.
            is_single = (
                style == "names"
                and name in taken
                and all(self._is_called(use) or name[:1].isupper() for use in uses if use.name == name)
            )
            expression = self._single(module, name) if is_single else self._in_module(module, name, style)
            if expression is not None:
                new[name] = expression
        moved = set()
        for use in uses:
            if use.name in new:
                self.replaced[use.node] = new[use.name]
                moved.add(use.base)
        return moved

    def _style(self, use: _Use) -> str:
        """How the file takes something from a module now."""
        if use.node is use.base:
            return "names"
        root = use.module.split(".", 1)[0]
        return "dotted" if use.base.id == root else "module"

    def _is_called(self, use: _Use) -> bool:
        parent = self.parents.get(use.node)
        if isinstance(parent, ast.Call):
            return parent.func is use.node
        return isinstance(parent, ast.ClassDef | FunctionNode)

    def _single(self, module: str, name: str) -> ast.expr | None:
        bound = name
        if not self._is_free(name, f"{module}.{name}") or self.work.chance.random() < 0.25:
            words = self.work.words
            bound = words.class_name() if name[:1].isupper() else words.attribute()
        self._import_from(module, name, bound)
        return ast.Name(bound, ast.Load())

    def _import_from(self, module: str, name: str, bound: str) -> None:
        alias = ast.alias(name=name, asname=None if bound == name else bound)
        self.added[bound] = ast.ImportFrom(module=module, names=[alias], level=0)
        self.ids.add(bound)

    def _in_module(self, module: str, name: str, style: str) -> ast.expr | None:
        """`module.name`, dotted from the root or with the module under a name of its own."""
        root = module.split(".", maxsplit=1)[0]
        if module not in self.modules and name[:1].islower() and not any(m.startswith(module) for m in self.modules):
            return None
        if style == "dotted" and self._is_free(root, root):
            self.added[root] = self.added.get(root) or ast.Import(names=[ast.alias(name=root, asname=None)])
            if module != root:
                self.added[module] = ast.Import(names=[ast.alias(name=module, asname=None)])
            self.ids.add(root)
            return _dotted(f"{module}.{name}")
        bound = self._module_name(module)
        return ast.Attribute(ast.Name(bound, ast.Load()), name, ast.Load())

    def _module_name(self, module: str) -> str:
        """The name that the file gives a module from now on."""
        for bound, statement in self.added.items():
            if _origin(statement) == module and "." not in bound:
                return bound
        usual = [
            name for name in ALIASES.get(module, [module.rsplit(".", maxsplit=1)[-1]]) if self._is_free(name, module)
        ]
        others = [name for name in usual if name not in self.imports]
        usual = others if others and self.work.chance.random() < 0.6 else usual
        bound = self.work.chance.choice(usual) if usual else self.work.words.attribute()
        package, _, last = module.rpartition(".")
        if package and module in MODULES and self.work.chance.random() < 0.5:
            self._import_from(package, last, bound)
        else:
            asname = None if bound == module else bound
            self.added[bound] = ast.Import(names=[ast.alias(name=module, asname=asname)])
            self.ids.add(bound)
        return bound

    def _is_free(self, name: str, origin: str) -> bool:
        """Whether the name means nothing else anywhere in the file."""
        if name in self.added:
            return _origin(self.added[name]) == origin
        if name in self.imports and self.imports[name][2] == origin:
            return all(
                name not in scope.values for scope in self.scopes.opened.values() if scope is not self.scopes.module
            )
        return name not in self.ids and not hasattr(builtins, name) and not keyword.iskeyword(name)

    def _drop_unused(self, moved: set[ast.Name]) -> None:
        for name, (statement, alias, origin) in self.imports.items():
            is_replaced = name in self.added and _origin(self.added[name]) == origin
            if (self.bases[name] and set(self.bases[name]) <= moved) or is_replaced:
                statement.names.remove(alias)
        body: list[ast.stmt] = []
        is_added = False
        for node in self.tree.body:
            is_import = isinstance(node, ast.Import | ast.ImportFrom)
            if not is_added and not _is_head(node):
                body += [self.added[bound] for bound in sorted(self.added)]
                is_added = True
            if not is_import or node.names:  # type: ignore[attr-defined]
                body.append(node)
        self.tree.body = _merged(body)


def _is_head(node: ast.stmt) -> bool:
    if isinstance(node, ast.ImportFrom):
        return node.module == "__future__"
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _merged(body: list[ast.stmt]) -> list[ast.stmt]:
    """Take neighbouring imports from one module together, as most people do."""
    merged: list[ast.stmt] = []
    for node in body:
        before = merged[-1] if merged else None
        if isinstance(node, ast.ImportFrom) and isinstance(before, ast.ImportFrom) and _is_one_module(node, before):
            known = {(alias.name, alias.asname) for alias in before.names}
            before.names += [alias for alias in node.names if (alias.name, alias.asname) not in known]
        else:
            merged.append(node)
    return merged


def _is_one_module(first: ast.ImportFrom, second: ast.ImportFrom) -> bool:
    is_star = any(alias.name == "*" for alias in [*first.names, *second.names])
    return first.module == second.module and first.level == second.level and not is_star


def _modules_named(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module] if isinstance(node, ast.ImportFrom) and node.module and not node.level else []


def _origin(statement: ast.Import | ast.ImportFrom) -> str:
    prefix = f"{statement.module}." if isinstance(statement, ast.ImportFrom) else ""
    return prefix + statement.names[0].name


def _dotted(name: str) -> ast.expr:
    return ast.parse(name, mode="eval").body


class _Replacer(ast.NodeTransformer):
    def __init__(self, replaced: dict[ast.AST, ast.expr]) -> None:
        self.replaced = replaced

    def visit(self, node: ast.AST) -> ast.AST:
        if node in self.replaced:
            return ast.parse(ast.unparse(self.replaced[node]), mode="eval").body
        visited: ast.AST = self.generic_visit(node)
        return visited


def _move_inside(work: Work, path: str, tree: ast.Module, paths: Paths, shared: set[str]) -> None:
    """Import in the only function that needs it."""
    scopes = Scopes(tree)
    for name, (statement, alias, _) in library_imports(path, tree, scopes, paths, shared).items():
        users: set[Scope | None] = set()
        for node in walk(tree):
            if isinstance(node, ast.Name) and node.id == name and scopes.of[node].resolve(name) is scopes.module:
                users.add(_function_around(scopes.of[node]))
        user = users.pop() if len(users) == 1 else None
        if user and isinstance(user.node, FunctionNode) and name not in user.top and work.chosen("import inside", path):
            statement.names.remove(alias)
            asname = alias.asname
            new: ast.stmt
            if isinstance(statement, ast.ImportFrom):
                new = ast.ImportFrom(
                    module=statement.module, names=[ast.alias(name=alias.name, asname=asname)], level=0
                )
            else:
                new = ast.Import(names=[ast.alias(name=alias.name, asname=asname)])
            user.node.body.insert(0, new)
    tree.body = [node for node in tree.body if not isinstance(node, ast.Import | ast.ImportFrom) or node.names]


def _function_around(scope: Scope) -> Scope | None:
    """The outermost function that a scope is in, if the code runs only when that is called."""
    found = None
    inner: Scope | None = scope
    while inner and inner.parent:
        if isinstance(inner.node, FunctionNode):
            found = inner
        inner = inner.parent
    return found
