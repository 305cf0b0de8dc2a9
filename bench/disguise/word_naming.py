"""Rename with plausible words: locals and parameters, or every own name."""

from __future__ import annotations

from collections import defaultdict

from bench.disguise.naming import Naming
from bench.disguise.ownership import Project
from bench.disguise.scopes import Scope
from bench.disguise.work import Work


class WordNaming(Naming):
    """New names made of words. At random rates, some names stay: by function for locals, by name for others."""

    def __init__(self, project: Project, work: Work) -> None:
        super().__init__(project, 0)
        self.work = work
        self.methods = {name for own in project.classes.values() for name in own.methods} | set(project.functions)
        self.used: defaultdict[Scope, set[str]] = defaultdict(set)  # by the outermost scope of a function

    def attribute(self, name: str) -> str:
        return name if self.work.rates.level < 3 else super().attribute(name)

    def top(self, name: str) -> str:
        return name if self.work.rates.level < 3 else super().top(name)

    def is_foreign_keyword(self, called: str, word: str) -> bool:
        if called not in self.kept_attributes:
            return False
        own = [*self.project.functions.get(called, [])]
        own += [method for owner in self.project.classes.values() for method in owner.methods.get(called, [])]
        return not any(part.arg == word for method in own for part in [*method.args.args, *method.args.kwonlyargs])

    def _new(self, kind: object, name: str) -> str:
        if (name.startswith("__") and name.endswith("__")) or not name.strip("_") or name in self.kept:
            return name
        known = self.known.get((kind, name))
        if known is None:
            known = self.known[kind, name] = self._chosen(kind, name)
        return known

    def _chosen(self, kind: object, name: str) -> str:
        words = self.work.words
        if isinstance(kind, Scope):
            root = _outermost(kind)
            place = getattr(root.node, "name", "")
            return words.local(self.used[root]) if self.work.chosen("rename local", place) else name
        edit = "rename local" if kind == "parameter" else "rename"
        return words.like(name, name in self.methods) if self.work.chosen(edit, str(kind)) else name


def _outermost(scope: Scope) -> Scope:
    while scope.parent and scope.parent.parent:
        scope = scope.parent
    return scope
