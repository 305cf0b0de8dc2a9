"""Import the same libraries under other names and in other forms."""

from __future__ import annotations

import ast
import random
from collections import defaultdict
from collections.abc import Callable

from bench.disguise.scopes import Scopes

# `from package import module` and `import package.module` are the same only where it is a module.
MODULES = frozenset({("torch", "nn"), ("torch.nn", "functional"), ("torch.nn", "init"), ("torch", "optim")})


def alias_imports(tree: ast.Module, chance: random.Random, rate: float, fresh: Callable[[], str]) -> None:
    """Rename what the module's own import statements bind, and what they are used as. Changes the tree.

    Stays: imports of the project (relative), in `try` or `if`, rebound, exported or not used here.
    """
    scopes = Scopes(tree)
    uses = _uses(tree, scopes)
    exported = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    statements: list[ast.stmt] = []
    for statement in tree.body:
        statements.append(statement)
        if not isinstance(statement, ast.Import | ast.ImportFrom) or _is_fixed(statement):
            continue
        for alias in list(statement.names):
            bound = alias.asname or alias.name
            is_bound_once = len(scopes.module.values.get(bound, [])) == 1
            if not is_bound_once or bound not in uses or bound in exported or chance.random() >= rate:
                continue
            new = fresh()
            other = _other_form(statement, alias, new, chance)
            if other:
                statement.names.remove(alias)
                statements.append(other)
            else:
                alias.asname = new
            for name in uses[bound]:
                name.id = new
        if not statement.names:
            statements.remove(statement)
    tree.body = statements


def _is_fixed(statement: ast.Import | ast.ImportFrom) -> bool:
    if isinstance(statement, ast.Import):
        return any("." in alias.name and not alias.asname for alias in statement.names)
    is_star = any(alias.name == "*" for alias in statement.names)
    return statement.level > 0 or statement.module == "__future__" or is_star


def _uses(tree: ast.Module, scopes: Scopes) -> dict[str, list[ast.Name]]:
    """Where the module's own names are used, by name."""
    found: defaultdict[str, list[ast.Name]] = defaultdict(list)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and scopes.of[node].resolve(node.id) is scopes.module:
            found[node.id].append(node)
    return found


def _other_form(
    statement: ast.Import | ast.ImportFrom, alias: ast.alias, new: str, chance: random.Random
) -> ast.stmt | None:
    if chance.random() < 0.5:
        return None
    if isinstance(statement, ast.ImportFrom) and (statement.module or "", alias.name) in MODULES:
        return ast.Import(names=[ast.alias(name=f"{statement.module}.{alias.name}", asname=new)])
    if isinstance(statement, ast.Import) and "." in alias.name:
        package, _, module = alias.name.rpartition(".")
        if (package, module) in MODULES:
            return ast.ImportFrom(module=package, names=[ast.alias(name=module, asname=new)], level=0)
    return None
