"""Names put back into Python source: what is changed is names alone, every other character stays."""

from __future__ import annotations

import keyword
import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from detector.code.concrete import read_names
from detector.code.lexical import replace_words, words_of
from detector.code.named import (
    COMPREHENSION,
    GLOBALS,
    KEYWORDS,
    MEMBERS,
    MODULE,
    VALUES,
    Imported,
    Names,
    Scope,
    Use,
)
from detector.code.parse import uncollected
from detector.code.pieces import pieces
from detector.code.uncaptured import Variable, uncaptured

_LINE_END = re.compile(r"\n")
_CASE = re.compile(r"^[ \t]*case\b", re.MULTILINE)
_MARK = "\ufeff"  # of the byte order: no part of the text
ROLES = (VALUES, MEMBERS, GLOBALS, KEYWORDS)
# A block around an indented function, so that its lines stay as they are.
_BLOCK = "if 1:\n"
# Stands for a scope: members are looked up in none, and are told apart within a function.
_MEMBERS = -1


@dataclass(frozen=True, slots=True)
class Undo:
    """Names to put back: name in the suspect -> name in the reference, by where it stands."""

    values: Mapping[str, str] = field(default_factory=dict)  # variables of one function and of what is nested in it
    members: Mapping[str, str] = field(default_factory=dict)  # after a dot: attributes and methods
    globals: Mapping[str, str] = field(default_factory=dict)  # free names: functions, classes, constants, imports
    keywords: Mapping[str, str] = field(default_factory=dict)  # names of arguments in calls

    def roles(self) -> dict[str, Mapping[str, str]]:
        """The names by role."""
        return {VALUES: self.values, MEMBERS: self.members, GLOBALS: self.globals, KEYWORDS: self.keywords}

    def changed(self) -> set[str]:
        """All names that would change, whatever their role."""
        return {name for names in self.roles().values() for name, other in names.items() if name != other}


@dataclass(frozen=True, slots=True)
class Moved:
    """Modules that have another name in the reference, and the package of the file whose imports name them."""

    modules: Mapping[str, str] = field(default_factory=dict)  # dotted and absolute
    package: str = ""  # in the suspect
    new_package: str = ""  # where the file will stand


@dataclass(frozen=True, slots=True)
class _Edit:
    """One replacement."""

    start: int
    end: int
    text: str
    name: str = ""  # the name that is put back; "" for a path of a module


def function_text(text: str, undo: Undo, own: str = "") -> tuple[str, int]:
    """Put names back in one function: its lines as they stand in the file, perhaps indented, without decorators.

    own: the role of the function's own name; "": that of a method if it is indented, else of a global.
    Gives the text, with as many lines, and how many different names were put back. Never fails.
    """
    if not _mentions(text, undo.changed()):
        return text, 0
    if text.startswith(_MARK):
        text, count = function_text(text.removeprefix(_MARK), undo, own)
        return _MARK + text, count
    block = _BLOCK if text[:1] in (" ", "\t") else ""
    with uncollected():
        names = read_names([block + text], own or (MEMBERS if block else GLOBALS), _wanted([undo]))
    if names is None:
        return _word_by_word(text, [undo])
    for use in names.uses:
        use.start -= len(block)
    return _spliced(text, _edits(text, names, {scope.number: 0 for scope in names.scopes}, [undo], Moved()))


def file_text(
    text: str, functions: Mapping[tuple[str, int], Undo], project: Undo, moved: Moved = Moved()
) -> tuple[str, int]:
    """Put names back in a whole file: in each function its own, in everything else the project's.

    functions: by qualname (without `<locals>`) and line of the `def`; what is nested in one of them belongs to it.
    Gives the text, with as many lines, and how many different names were put back. Never fails.
    """
    undos = [project, *functions.values()]
    changed = set[str]().union(*(undo.changed() for undo in undos))
    modules = {path.rpartition(".")[2] for pair in moved.modules.items() for path in pair}
    if moved.package != moved.new_package:
        modules.add("from")  # a relative import may have to say where it led
    wanted = _wanted(undos) | modules
    if not _mentions(text, changed | modules):
        return text, 0
    if text.startswith(_MARK):
        text, count = file_text(text.removeprefix(_MARK), functions, project, moved)
        return _MARK + text, count
    with uncollected():
        parts = [piece.text.decode("utf-8", "surrogatepass") for piece in pieces(text.encode("utf-8", "surrogatepass"))]
        names = read_names(parts, GLOBALS, wanted)
        if names is None and len(parts) > 1:
            names = read_names([text], GLOBALS)
    if names is None:
        return _word_by_word(text, undos)
    return _spliced(text, _edits(text, names, _units(text, names, functions), undos, moved))


def _wanted(undos: Iterable[Undo]) -> set[str]:
    """Names that change, those that they become, and where a module lists its names."""
    pairs = [pair for undo in undos for names in undo.roles().values() for pair in names.items()]
    return {"__all__", *(name for one, other in pairs if one != other for name in (one, other))}


def _mentions(text: str, changed: set[str]) -> bool:
    return bool(changed) and (not text.isascii() or not changed.isdisjoint(words_of(text)))


def _units(text: str, names: Names, functions: Mapping[tuple[str, int], Undo]) -> dict[int, int]:
    """Scope -> whose names are put back in it: 0 for the project's, else the number of a function."""
    numbers = {key: number for number, key in enumerate(functions, 1)}
    ends = [match.start() for match in _LINE_END.finditer(text)]
    units: dict[int, int] = {}
    for scope in names.scopes:
        units[scope.number] = units[scope.parent.number] if scope.parent is not None else 0
        if not units[scope.number] and scope.name >= 0:
            line = 1 + bisect_right(ends, names.uses[scope.name].start)
            units[scope.number] = numbers.get((scope.qualname.removesuffix("."), line), 0)
    return units


def _edits(text: str, names: Names, units: Mapping[int, int], undos: Sequence[Undo], moved: Moved) -> Iterator[_Edit]:
    """Decide name by name what is put back."""
    paths = [edit for each in names.imports if (edit := _path_edit(text, names, each, moved)) is not None]
    submodules = _submodules(names, moved)
    maps = [undo.roles() for undo in undos]
    maps[0] = {**maps[0], GLOBALS: {**maps[0][GLOBALS], **submodules}}
    binds_outside = ":=" in text
    barred = {"_"} if _CASE.search(text) else set()  # in a pattern it is no variable
    variables: list[Variable] = []
    targets: dict[Variable, str] = {}
    spaces: defaultdict[tuple[int, int], set[Variable]] = defaultdict(set)
    for use in names.uses:
        role, unit, is_bare = _role(use, units)
        name = use.name
        target = maps[unit].get(role, {}).get(name, name)
        if role == GLOBALS and name in submodules:
            target = submodules[name]
        is_changed = target != name and _is_possible(target, role) and target not in barred
        is_changed = is_changed and not (is_bare and (name in names.fixed or keyword.iskeyword(name)))
        # What is known all over a file is decided for all of it, as far as its functions agree.
        variable = Variable(role, f"{unit} " if role == VALUES else target if is_changed else "", name)
        variables.append(variable)
        if is_changed:
            targets[variable] = target
        if is_bare:
            for number in _passed(use, binds_outside):
                spaces[unit, number].add(variable)
        if role == MEMBERS:
            spaces[unit, _MEMBERS].add(variable)
    calls = [{variables[number] for number in call} for call in names.calls]
    kept = uncaptured(targets, [*spaces.values(), *calls])
    yield from paths
    for use, variable in zip(names.uses, variables, strict=True):
        if variable in kept:
            yield _Edit(use.start, use.start + len(use.text), kept[variable], variable.name)


def _role(use: Use, units: Mapping[int, int]) -> tuple[str, int, bool]:
    """What a name is, whose names it belongs to, and whether it stands alone, so that others can capture it."""
    unit = units[use.home.number]
    if use.role in (MEMBERS, KEYWORDS, MODULE):
        return use.role, unit, False
    holder = use.scope.holder(use.name) if use.role != GLOBALS else None
    if holder is None:
        return GLOBALS, unit, True
    if holder.kind == MEMBERS:
        return MEMBERS, unit, True
    return VALUES, units[holder.number], True


def _passed(use: Use, binds_outside: bool) -> Iterator[int]:
    """The scopes in which a name that stands alone is looked up: one of the same name there would be taken for it.

    binds_outside: a comprehension may bind a name of the scope around it, which must not be one that it runs over.
    """
    holder = use.scope.holder(use.name)
    scope: Scope | None = use.scope
    while scope is not None:
        if scope is use.scope or scope.kind != MEMBERS:  # a class's names are not seen from within its functions
            yield scope.number
        if scope is holder and not (binds_outside and scope.kind == COMPREHENSION):
            return
        scope = scope.parent


def _is_possible(target: str, role: str) -> bool:
    """Whether a name can stand where another one did.

    A free name that begins with two underscores is another one inside of a class.
    """
    if not target.isidentifier() or keyword.iskeyword(target) or target == "__debug__":
        return False
    return role != GLOBALS or not target.startswith("__") or target.endswith("__")


def _spliced(text: str, edits: Iterable[_Edit]) -> tuple[str, int]:
    done = 0
    parts: list[str] = []
    put_back: set[str] = set()
    for edit in sorted(edits, key=lambda edit: edit.start):
        parts += (text[done : edit.start], edit.text)
        done = edit.end
        put_back.add(edit.name)
    return "".join([*parts, text[done:]]), len(put_back - {""})


# --- imports of modules that have another name ---


def _path_edit(text: str, names: Names, imported: Imported, moved: Moved) -> _Edit | None:
    """Rename the path of an import; None where it stays.

    A path that the file spells out wherever it uses the module (`import a.b`, then `a.b.f`) stays.
    """
    if not imported.module or imported.is_bound:
        return None
    uses = [names.uses[number] for number in imported.module]
    path = ".".join(use.name for use in uses)
    start, end = uses[0].start, uses[-1].start + len(uses[-1].text)
    module = _absolute(path, imported.level, moved.package)
    new = moved.modules.get(module, module)
    if text[start:end] != path or not module or not _is_path(new):
        return None
    anchor = _absolute("", imported.level, moved.new_package)
    if imported.level == 0:
        new_path = new
    elif new != module and new.startswith(f"{anchor}." if anchor else ""):
        new_path = new.removeprefix(f"{anchor}." if anchor else "")
    elif moved.package == moved.new_package and new == module:
        return None
    elif text[start - imported.level - 1 : start] == " " + "." * imported.level:
        start, new_path = start - imported.level, new  # out of reach from where the file will stand
    else:
        return None
    return _Edit(start, end, new_path) if new_path != text[start:end] else None


def _submodules(names: Names, moved: Moved) -> dict[str, str]:
    """Modules that are imported by name from their package: name -> name in the reference."""
    found: dict[str, str] = {}
    for imported in names.imports:
        path = _absolute(".".join(names.uses[number].name for number in imported.module), imported.level, moved.package)
        new_path = moved.modules.get(path, path)
        if imported.level and not imported.module:  # the path is dots alone, and they stay
            new_path = _absolute("", imported.level, moved.new_package)
        for number, _ in imported.names:
            name = names.uses[number].name
            parent, _, last = moved.modules.get(f"{path}.{name}", "").rpartition(".")
            if last and parent == new_path:
                found[name] = last
    return {name: last for name, last in found.items() if name != last}


def _absolute(path: str, level: int, package: str) -> str:
    """The path of a module without dots in front; "" where there are more of these than packages."""
    if level == 0:
        return path
    parts = package.split(".") if package else []
    if level - 1 > len(parts):
        return ""
    kept = parts[: len(parts) - level + 1]
    return ".".join([*kept, *([path] if path else [])])


def _is_path(path: str) -> bool:
    return all(part.isidentifier() and not keyword.iskeyword(part) for part in path.split("."))


# --- what cannot be parsed ---


def _word_by_word(text: str, undos: Sequence[Undo]) -> tuple[str, int]:
    """Put back the names that mean one thing wherever they stand, as far as words tell."""
    members = _agreed([undo.members for undo in undos])
    anywhere = _agreed([names for undo in undos for names in undo.roles().values()])
    words = words_of(text)
    spaces: dict[bool, set[Variable]] = {False: set(), True: set()}
    targets: dict[Variable, str] = {}

    def see(word: str, is_member: bool) -> str:
        spaces[is_member].add(Variable(MEMBERS if is_member else VALUES, "", word))
        return word

    replace_words(text, see)
    for is_member, names in ((True, members), (False, anywhere)):
        for name in words & names.keys():
            target = names[name]
            if target != name and not keyword.iskeyword(name) and _is_possible(target, GLOBALS):
                targets[Variable(MEMBERS if is_member else VALUES, "", name)] = target
    kept = uncaptured(targets, spaces.values())
    put_back: set[str] = set()

    def change(word: str, is_member: bool) -> str:
        target = kept.get(Variable(MEMBERS if is_member else VALUES, "", word))
        if target is None:
            return word
        put_back.add(word)
        return target

    return replace_words(text, change), len(put_back)


def _agreed(maps: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Names of which all maps that know them say the same."""
    said: defaultdict[str, set[str]] = defaultdict(set)
    for names in maps:
        for name, other in names.items():
            said[name].add(other)
    return {name: others.pop() for name, others in said.items() if len(others) == 1}
