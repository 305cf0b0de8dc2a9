"""Functions where they stand, read as far as they are asked about: shapes of all, value flows of few.

A file is parsed when the first of its functions is wanted and dropped when others have been wanted since; what is
kept of a function beyond that is the caller's.
"""

from __future__ import annotations

import ast
import re
import tokenize
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cached_property

from detector.code.canonical import Canonical, canonical
from detector.code.digest import Shapes, census, shapes
from detector.code.disguises import Facts, read_facts
from detector.code.located import Located, locate
from detector.code.lowering.names import ModuleNames, read_module
from detector.code.parse import deeply, parse_file
from detector.code.scopes import Place, own_names, places
from detector.code.textwise import Tokens, read_tokens
from detector.code.traced import Traced, attribute_types, trace
from detector.model import Span

# Source whose syntax trees one side holds; a tree takes about thirty times its text.
MOST_HELD_BYTES = 4_000_000


class _File:
    """One file, parsed when need be. It knows none of the portraits made of it: a circle would never be freed."""

    def __init__(self, data: bytes, local: frozenset[str]) -> None:
        self.data = data
        self.local = local
        self.own: dict[int, frozenset[str]] = {}
        self.types: dict[int, dict[str, str]] = {}
        self.shapes: dict[str, Shapes] = {}

    @cached_property
    def lines(self) -> list[bytes]:
        """The text by lines; not `splitlines`, which also splits at form feeds."""
        return _LINE_END.split(self.data)

    def text(self, first: int, last: int) -> str:
        """Lines of the file, both included, counted from 1."""
        lines = b"\n".join(self.lines[first - 1 : last])
        return lines.decode(self.encoding, "replace")

    @cached_property
    def encoding(self) -> str:
        """What the file says of its encoding, where Python knows that one."""
        try:
            return tokenize.detect_encoding(iter(self.data.splitlines(keepends=True)[:2]).__next__)[0]
        except (SyntaxError, StopIteration):
            return "utf-8"

    @cached_property
    def tree(self) -> ast.Module:
        """The syntax tree, as far as it can be read."""
        return parse_file(self.data)[0]

    @cached_property
    def module(self) -> ModuleNames:
        """What the module's names stand for."""
        return read_module(self.tree, self.local)

    @cached_property
    def places(self) -> dict[tuple[str, int], Place]:
        """Every function by qualname and line."""
        return places(self.tree)

    @cached_property
    def by_name(self) -> dict[str, Place]:
        """Functions by their bare names; of several, the last one."""
        return {place.node.name: place for place in self.places.values()}

    @cached_property
    def constructors(self) -> dict[int, Place]:
        """Constructors by their class."""
        return {id(place.klass): place for place in self.places.values() if place.node.name == "__init__"}

    def own_names(self, klass: ast.ClassDef | None) -> frozenset[str]:
        """Names that a class defines itself."""
        if klass is None:
            return frozenset()
        if id(klass) not in self.own:
            self.own[id(klass)] = own_names(klass)
        return self.own[id(klass)]

    def attribute_types(self, klass: ast.ClassDef | None) -> dict[str, str]:
        """What a class's constructor puts into its attributes."""
        constructor = self.constructors.get(id(klass)) if klass is not None else None
        if constructor is None:
            return {}
        if id(klass) not in self.types:
            try:
                with deeply():
                    self.types[id(klass)] = attribute_types(constructor, self.module, self.own_names(klass))
            except RecursionError:
                self.types[id(klass)] = {}
        return self.types[id(klass)]

    def shapes_of(self, name: str) -> Shapes:
        """The shapes of a function by its bare name."""
        if name not in self.shapes:
            self.shapes[name] = shapes(self.by_name[name].node)
        return self.shapes[name]


class Portrait:
    """All that is compared of one function, each read when it is first asked for."""

    def __init__(self, place: Place, file: _File) -> None:
        self.place = place
        self._file = file

    @property
    def name(self) -> str:
        """The function's bare name."""
        return self.place.node.name

    @property
    def klass(self) -> str:
        """The name of the class whose method it is, "" of none."""
        return self.place.klass.name if self.place.klass is not None else ""

    @cached_property
    def located(self) -> Located | None:
        """Which lines compute what; None where it is nested too deeply."""
        try:
            with deeply():
                return locate(self.place, self._file.module)
        except RecursionError:
            return None

    @cached_property
    def text(self) -> str:
        """Its lines as they stand in the file, without decorators."""
        node = self.place.node
        return self._file.text(node.lineno, node.end_lineno or node.lineno)

    @cached_property
    def tokens(self) -> Tokens:
        """The names of the text and what stands between them."""
        return read_tokens(self.place.node, self._file.module)

    @cached_property
    def shapes(self) -> Shapes:
        """Syntactic shapes."""
        return shapes(self.place.node)

    @cached_property
    def census(self) -> Counter[str]:
        """How much of each kind of syntax there is that renaming keeps."""
        return census(self.shapes)

    @cached_property
    def canonical(self) -> Canonical:
        """The canonical text and its names."""
        own = self._file.own_names(self.place.klass)
        return canonical(self.place.node, self._file.module, own, self.place.is_method)

    @cached_property
    def facts(self) -> Facts:
        """Counts of the syntax that disguises change."""
        with deeply():
            return read_facts(self.place)

    @cached_property
    def traced(self) -> Traced | None:
        """The value flow with its names; None when it is nested too deeply."""
        own, types = self._file.own_names(self.place.klass), self._file.attribute_types(self.place.klass)
        try:
            with deeply():
                return trace(self.place, self._file.module, own, types)
        except RecursionError:
            return None

    def helpers(self) -> Iterator[tuple[str, Shapes]]:
        """Functions of the same file that it calls: names and shapes."""
        for name in sorted(self.facts.own_calls & self._file.by_name.keys() - {self.name}):
            yield name, self._file.shapes_of(name)


class Side:
    """One repository's functions.

    read: gives the bytes of a file by its path. local: the packages under which the repository imports itself.
    most_bytes: source whose trees are held beyond that of the file asked last.
    """

    def __init__(self, read: Callable[[str], bytes], local: frozenset[str], most_bytes: int = MOST_HELD_BYTES) -> None:
        self._read = read
        self._local = local
        self._most_bytes = most_bytes
        self._files: dict[str, _File] = {}  # the one asked last at the end
        self._portraits: dict[str, dict[tuple[str, int], Portrait]] = {}

    def portrait(self, span: Span) -> Portrait | None:
        """The function that a span names; None when it does not stand there."""
        file = self._file(span.path)
        known, key = self._portraits[span.path], (span.qualname, span.first_line)
        if key not in known:
            place = file.places.get(key)
            if place is None:
                return None
            known[key] = Portrait(place, file)
        return known[key]

    def text(self, span: Span) -> bytes | None:
        """The lines of a function and its decorators, found without parsing; None where that is not sure."""
        lines = self._file(span.path).lines
        name = span.qualname.rpartition(".")[2].encode()
        first, last = span.first_line - 1, span.last_line
        if not 0 <= first < last <= len(lines):
            return None
        opening = _DEFINITION.match(lines[first])
        after = next((line for line in lines[last : last + 8] if line.strip()), b"")
        if opening is None or opening[2] != name or len(after) - len(after.lstrip()) > len(opening[1]):
            return None
        while first and _DECORATOR.fullmatch(lines[first - 1].strip()):
            first -= 1
        above = first
        while above and lines[above - 1].lstrip().startswith(b"#"):
            above -= 1
        border = lines[above - 1].strip() if above else b""
        is_sure = not border or (border.endswith(b":") and border.startswith((b"class ", b"def ")))
        return b"\n".join(lines[first:last]) if is_sure else None

    def _file(self, path: str) -> _File:
        file = self._files.pop(path, None)
        if file is None:
            held = sum(len(each.data) for each in self._files.values())
            while self._files and held > self._most_bytes:
                oldest = next(iter(self._files))
                held -= len(self._files.pop(oldest).data)
                del self._portraits[oldest]
            file = _File(self._read(path), self._local)
            self._portraits[path] = {}
        self._files[path] = file
        return file


_LINE_END = re.compile(rb"\r\n|\r|\n")
_DEFINITION = re.compile(rb"([ \t]*)(?:async[ \t]+)?def[ \t]+([^ \t(\[]+)")
_DECORATOR = re.compile(rb"@[\w.]+(?:\([^()]*\))?")  # on one line
