"""What a project has that a name may lead to: its modules, packages, classes and files."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property

from detector.artifacts.credits import manifests
from detector.model import Skipped
from detector.settings.declared import MOST_MANIFEST_BYTES, MOST_NOTICE_FILES
from detector.targets import Files, SourceFile

_CLASS = re.compile(rb"^[ \t]*class[ \t]+([A-Za-z_]\w*)", re.MULTILINE)
# Of these a project can be installed, so that whoever imports its packages may just use them.
_INSTALLABLE = frozenset({"pyproject.toml", "setup.cfg", "METADATA", "PKG-INFO"})


class Contents:
    """The paths of a project, and its classes once they are asked for."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._python = files.paths()
        self._others = files.others()
        self._by_name: defaultdict[str, list[str]] = defaultdict(list)
        for path in (*self._python, *self._others):
            self._by_name[path.rpartition("/")[2]].append(path)
        modules = [path.removesuffix(".py").removesuffix("/__init__").split("/") for path in self._python]
        self._all_python = frozenset(self._python)
        self._places = {"/".join(parts[:end]) for parts in modules for end in range(1, len(parts) + 1)}
        self._folders = {part for parts in modules for part in parts}
        self._modules: defaultdict[str, list[str]] = defaultdict(list)
        for parts, path in zip(modules, self._python, strict=True):
            self._modules[parts[-1]].append(path)

    def module(self, dotted: str) -> str:
        """The file of a module, wherever its packages stand in the project; "" if there is none."""
        return next(iter(self.modules(dotted)), "")

    def modules(self, dotted: str) -> list[str]:
        """All files that a dotted name may mean."""
        parts = dotted.split(".")
        ends = "/".join(parts)
        found = []
        for path in self._modules.get(parts[-1], ()):
            whole = path.removesuffix(".py").removesuffix("/__init__")
            if whole == ends or whole.endswith(f"/{ends}"):
                found.append(path)
        return found

    def has_name(self, name: str) -> bool:
        """Whether any module or folder of Python is called so."""
        return name in self._folders

    def has_place(self, path: str) -> bool:
        """Whether a path without suffix is a module, or a folder of them."""
        return path in self._places

    def is_top(self, name: str) -> str:
        """The first file of a module or package that is imported by this name alone; "" if there is none."""
        return self._tops.get(name, "")

    @cached_property
    def _tops(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for path in self._python:
            found.setdefault(path.removeprefix("src/").partition("/")[0].removesuffix(".py"), path)
        return found

    def script(self, name: str) -> str:
        """The file of a module that stands in no package, so that its neighbours import it by this name alone."""
        for path in self._modules.get(name, ()):
            above = path.removesuffix("/__init__.py").split("/")[:-1]
            if not any("/".join([*above[:end], "__init__.py"]) in self._all_python for end in range(len(above) + 1)):
                return path
        return ""

    def file(self, path: str) -> str:
        """The file that a path leads to from some folder of the project; "" if there is none."""
        for found in self._by_name.get(path.rpartition("/")[2], ()):
            if found == path or found.endswith(f"/{path}"):
                return found
        return ""

    def definition(self, name: str) -> str:
        """The file that defines a class; "" if none does."""
        return self._classes.get(name, "")

    @cached_property
    def _classes(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for file in self._files:
            if isinstance(file, SourceFile):
                for name in _CLASS.findall(file.data):
                    found.setdefault(name.decode("ascii", "replace"), file.path)
        return found

    @cached_property
    def dependencies(self) -> frozenset[str]:
        """Distributions that the project lists, in normal form."""
        return frozenset().union(*self._listed)

    @cached_property
    def lists_dependencies(self) -> bool:
        """Whether anything lists dependencies at all."""
        return any(self._listed)

    @cached_property
    def _listed(self) -> list[frozenset[str]]:
        paths = [path for path in self._others if manifests.is_manifest(path)]
        setups = [path for path in self._python if path.rpartition("/")[2] == "setup.py"]
        return [
            manifests.dependencies(path, head.data.decode("utf-8", "replace"))
            for path in (*paths[:MOST_NOTICE_FILES], *setups[:MOST_NOTICE_FILES])
            if not isinstance(head := self._files.head(path, MOST_MANIFEST_BYTES), Skipped)
        ]

    @cached_property
    def is_installable(self) -> bool:
        """Whether it can be installed, by its metadata."""
        names: Iterable[str] = (path.rpartition("/")[2] for path in self._others if path.count("/") <= 1)
        return "setup.py" in self._python or not _INSTALLABLE.isdisjoint(names)
