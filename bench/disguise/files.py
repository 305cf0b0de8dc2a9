"""Which file an import means, and how it is to be written when files have other names."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping
from pathlib import PurePosixPath

from bench.disguise.walking import walk
from bench.disguise.work import Work

Parts = tuple[str, ...]  # of a path, without `.py` and without `__init__`

FIXED = frozenset({"__init__", "__main__", "setup", "conftest", "tests", "test"})


def parts_of(path: str) -> Parts:
    """`a/b.py` -> (a, b); `a/__init__.py` -> (a,)."""
    pure = PurePosixPath(path)
    return pure.parent.parts if pure.name == "__init__.py" else (*pure.parent.parts, pure.stem)


class Paths:
    """All files of a project by what they are imported as."""

    def __init__(self, paths: Collection[str]) -> None:
        self.files = {parts_of(path): path for path in sorted(paths)}
        self.known = {parts[:count] for parts in self.files for count in range(1, len(parts) + 1)}

    def resolve(self, path: str, node: ast.ImportFrom) -> tuple[Parts, Parts] | None:
        """What `from X import ...` means by X, and the leading part of X that lies outside the files; None: foreign."""
        named = tuple(node.module.split(".")) if node.module else ()
        if node.level:
            folder = PurePosixPath(path).parent.parts
            if node.level - 1 > len(folder):
                return None
            return (*folder[: len(folder) - (node.level - 1)], *named), ()
        return self.absolute(named)

    def absolute(self, named: Parts) -> tuple[Parts, Parts] | None:
        """The same for `import X`."""
        for start in range(len(named)):
            if named[start:] in self.known:
                return (named[start:], named[:start]) if start == 0 or len(named) - start > 1 else None
        return None

    def imports(self, path: str, tree: ast.AST) -> Iterator[Parts]:
        """Every own module that the file names in an import statement."""
        for node in walk(tree):
            if isinstance(node, ast.ImportFrom):
                found = self.resolve(path, node)
                if found:
                    yield found[0]
                    yield from ((*found[0], alias.name) for alias in node.names)
            elif isinstance(node, ast.Import):
                for alias in node.names:
                    absolute = self.absolute(tuple(alias.name.split(".")))
                    if absolute:
                        yield absolute[0]

    def relative(self, path: str, target: Parts) -> tuple[int, str]:
        """The level and the module with which a file imports from another one."""
        here, there = PurePosixPath(path).parent.parts, target
        shared = 0
        while shared < min(len(here), len(there)) and here[shared] == there[shared]:
            shared += 1
        return len(here) - shared + 1, ".".join(there[shared:])


def rename_files(work: Work) -> None:
    """Give files and folders new names, and mend the imports."""
    paths = Paths([*work.trees, *work.unread])
    fixed = _fixed(work, paths)
    names: dict[Parts, str] = {}
    for parts in sorted(paths.known):
        is_fixed = parts in fixed or parts[-1] in FIXED or parts[-1].startswith("test_")
        if not is_fixed and work.chosen("rename file", "/".join(parts)):
            names[parts] = work.words.file()
    for path, tree in work.trees.items():
        for node in walk(tree):
            if isinstance(node, ast.ImportFrom):
                _mend(node, path, paths, names)
            elif isinstance(node, ast.Import):
                _mend_plain(node, paths, names)
    work.trees = {_new_path(path, names): tree for path, tree in work.trees.items()}
    work.unread = {_new_path(path, names): text for path, text in work.unread.items()}


def _new(parts: Parts, names: Mapping[Parts, str]) -> Parts:
    return tuple(names.get(parts[: index + 1], part) for index, part in enumerate(parts))


def _new_path(path: str, names: Mapping[Parts, str]) -> str:
    parts = parts_of(path)
    is_package = PurePosixPath(path).name == "__init__.py"
    return "/".join([*_new(parts, names), "__init__"] if is_package else _new(parts, names)) + ".py"


def _mend(node: ast.ImportFrom, path: str, paths: Paths, names: Mapping[Parts, str]) -> None:
    found = paths.resolve(path, node)
    if not found:
        return
    target, outside = found
    new = _new(target, names)
    if node.level:
        depth = len(PurePosixPath(path).parent.parts) - (node.level - 1)
        node.module = ".".join(new[depth:]) or None
    else:
        node.module = ".".join([*outside, *new])
    for alias in node.names:
        if (*target, alias.name) in names:
            alias.asname = alias.asname or alias.name
            alias.name = names[*target, alias.name]


def _mend_plain(node: ast.Import, paths: Paths, names: Mapping[Parts, str]) -> None:
    for alias in node.names:
        found = paths.absolute(tuple(alias.name.split(".")))
        if found and _new(found[0], names) != found[0]:
            new = ".".join([*found[1], *_new(found[0], names)])
            alias.asname = alias.asname or alias.name
            alias.name = new


def _fixed(work: Work, paths: Paths) -> set[Parts]:
    """Files that are reached in other ways than by naming them in an import, or together with a value of their name."""
    fixed: set[Parts] = set()
    texts: set[str] = set()
    modules: set[str] = set()
    for path, tree in work.trees.items():
        bound = {name for name, _ in _own_bindings(path, tree, paths)}
        for node in walk(tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    found = paths.absolute(tuple(alias.name.split(".")))
                    if found and "." in alias.name and not alias.asname:
                        fixed |= {found[0][:count] for count in range(1, len(found[0]) + 1)}
            elif (isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in bound) or (
                isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute)
            ):
                modules.add(node.attr)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and _may_name_module(path, node.value):
                texts.update(node.value.split("."))
            elif isinstance(node, ast.ImportFrom):
                found = paths.resolve(path, node)
                own = work.trees.get(paths.files.get(found[0], "")) if found else None
                if own and found:
                    values = _top_values(own)
                    fixed |= {(*found[0], alias.name) for alias in node.names if alias.name in values}
    return fixed | {parts for parts in paths.known if parts[-1] in texts | modules}


def _may_name_module(path: str, text: str) -> bool:
    return path.endswith("__init__.py") or ("." in text and all(part.isidentifier() for part in text.split(".")))


def _own_bindings(path: str, tree: ast.AST, paths: Paths) -> Iterator[tuple[str, Parts]]:
    for node in walk(tree):
        if isinstance(node, ast.ImportFrom):
            found = paths.resolve(path, node)
            for alias in node.names if found else []:
                if found and (*found[0], alias.name) in paths.known:
                    yield alias.asname or alias.name, (*found[0], alias.name)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                absolute = paths.absolute(tuple(alias.name.split(".")))
                if absolute:
                    yield alias.asname or alias.name.split(".")[0], absolute[0]


def _top_values(tree: ast.Module) -> set[str]:
    """Names that a module's own statements bind at its top, other than by importing modules."""
    found = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign):
            found |= {part.id for target in node.targets for part in walk(target) if isinstance(part, ast.Name)}
    return found
