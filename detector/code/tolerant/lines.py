"""Logical lines of broken Python, found without a grammar, and repairs that keep a broken line from spoiling others.

An open bracket or quote would swallow every line after it. Here a line that can only begin a statement closes what
the lines before left open.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

_TOKEN = re.compile(r"""#[^\n]*|\\?\n|[()\[\]{}]|\"\"\"|'''|["']|:""")
_QUOTE_ENDS = {quote: re.compile(rf"\\.|{quote}|\n", re.DOTALL) for quote in "'\""}
_TRIPLE_ENDS = {quote: re.compile(rf"\\.|{quote}", re.DOTALL) for quote in ("'''", '"""')}
_CLOSERS = {"(": ")", "[": "]", "{": "}"}

CLAUSES = frozenset({"elif", "else", "except", "finally", "case"})
_HEADS = CLAUSES - {"case"} | {"def", "class", "if", "for", "while", "try", "with"}
_WORD = re.compile(r"[ \t]*(?:async[ \t]+(?=def|for|with))?(@|\w*)")

# What no line inside brackets begins with: a statement's keyword, an attribute or item assigned.
_BEGINS_STATEMENT = re.compile(
    r"[ \t]*(?:@[A-Za-z_]\w*"
    r"|(?:async[ \t]+)?def[ \t]+\w"
    r"|class[ \t]+\w+[ \t]*[(:]"
    r"|from[ \t]+[\w.]+[ \t]+import\b"
    r"|(?:import|return|raise|pass|break|continue|del|assert|global|nonlocal|while|with|elif|except|finally|try)\b"
    r"|[A-Za-z_]\w*(?:\.\w+|\[[^\]\n]*\])+[ \t]*(?:[-+*/%&|^@]|//|\*\*|<<|>>)?=(?!=))",
    re.MULTILINE,
)
# Nor is it a head with its own colon; `if a[b` of a comprehension may end in the `]:` of what encloses it, though.
_HEAD = re.compile(r"[ \t]*(?:if|for|else)\b([^\n]*):[ \t]*(?:\#[^\n]*)?$", re.MULTILINE)
# A line no deeper than the one that opened the bracket begins a statement too, unless it looks like an element.
_MAY_BEGIN_STATEMENT = re.compile(
    r"[ \t]*(?!(?:if|for|else|in|and|or|not|is|lambda|await|async|yield|None|True|False)\b)"
    r"[A-Za-z_][^\n]*(?<![,\s])[ \t]*$",
    re.MULTILINE,
)
_BEGINS_DEFINITION = re.compile(
    r"^[ \t]*(?:(?:async[ \t]+)?def[ \t]+\w+[ \t]*\(|class[ \t]+\w+[ \t]*[(:])", re.MULTILINE
)
_CONFLICT = re.compile(r"(<{7}|>{7}|={7}|\|{7})(?:[ \t][^\n]*)?$", re.MULTILINE)
_NOTEBOOK = re.compile(r"[ \t]*(?:%%?[A-Za-z]|!|\?)[^\n]*$|[ \t]*%{0,2}[A-Za-z_][\w.]*\?\??[ \t]*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Line:
    """One logical line; offsets into the text that was scanned."""

    start: int  # of its first row
    code_end: int  # after its last character that is neither space nor comment
    end: int  # after its last row's newline
    row: int  # first row, from 0
    indent: int  # columns, tabs at multiples of 8
    word: str  # first keyword or name, past `async`; "@" for a decorator
    is_outlier: bool = False  # `indent` is that of its neighbours, not its own


@dataclass(slots=True)
class Scan:
    """A pass over a text: its logical lines, and the edits that mend them. No edit adds or removes a row."""

    text: str
    ends_strings_at_definitions: bool = False  # once a triple quote is known to be missing somewhere
    lines: list[Line] = field(default_factory=list)
    edits: list[tuple[int, int, str]] = field(default_factory=list)  # start, end, replacement
    is_unterminated: bool = False  # a triple-quoted string runs to the end of the text
    _open: list[str] = field(default_factory=list)  # closing brackets awaited
    _start: int = 0  # of the logical line
    _first_row: int = 0
    _row: int = 0
    _row_start: int = 0
    _code_end: int = -1  # -1 while the logical line has no code yet
    _has_colon: bool = False  # outside brackets
    _is_in_conflict: bool = False

    def run(self) -> Scan:
        """Scan the whole text."""
        position = self._begin_row(0)
        while (token := _TOKEN.search(self.text, position)) is not None:
            position = self._take(token[0], token.start(), token.end())
        self._code_until(len(self.text))
        self._finish(len(self.text))
        return self

    def mended(self) -> str:
        """The text with all edits made."""
        pieces, position = [], 0
        for start, end, replacement in sorted(self.edits):
            if start >= position:
                pieces += [self.text[position:start], replacement]
                position = end
        return "".join([*pieces, self.text[position:]])

    def _take(self, token: str, start: int, end: int) -> int:
        if token[0] == "#":
            self._code_until(start)
            self._row_start = end
        elif token == "\n":
            return self._newline(start, end)
        elif token == "\\\n":
            self._row += 1
            self._row_start = end
        elif token == ":":
            self._has_colon |= not self._open
        elif token in _CLOSERS:
            self._open.append(_CLOSERS[token])
        elif token in ")]}":
            self._close(token, start)
        elif len(token) == 3:
            return self._triple(token, end)
        else:
            return self._quoted(token, end)
        return end

    def _code_until(self, end: int) -> None:
        """Note where the code of this row ends, if it has any."""
        code = self.text[self._row_start : end].rstrip()
        if code:
            self._code_end = self._row_start + len(code)
        self._row_start = end

    def _newline(self, start: int, end: int) -> int:
        self._code_until(start)
        if not self._open or self._ends_head() or self._begins_statement(end):
            self._finish(end)
        self._row += 1
        self._row_start = end
        return self._begin_row(end)

    def _ends_head(self) -> bool:
        """Whether `def f(a, b:` ends here: no parameter list has a row that ends in a colon."""
        if len(self._open) > 1 or self.text[self._code_end - 1 : self._code_end] != ":":
            return False
        word = _WORD.match(self.text, self._start)
        return word is not None and word[1] in ("def", "class")

    def _begins_statement(self, position: int) -> bool:
        if _BEGINS_STATEMENT.match(self.text, position):
            return True
        head = _HEAD.match(self.text, position)
        if head is not None and sum(map(head[1].count, "([{")) >= sum(map(head[1].count, ")]}")):
            return True
        is_deeper = _indent(self.text, position) > _indent(self.text, self._start)
        return not is_deeper and _MAY_BEGIN_STATEMENT.match(self.text, position) is not None

    def _begin_row(self, position: int) -> int:
        """Look at a row that does not begin inside a string; give back where to go on scanning."""
        if self._code_end < 0:
            self._start, self._first_row = position, self._row
        character = self.text[position : position + 1]
        if character and character in "<>=|" and (marker := _CONFLICT.match(self.text, position)) is not None:
            kind = marker[1][0]
            if kind == "<" or self._is_in_conflict:
                self._is_in_conflict = kind != ">"
                self.edits.append((position, marker.end(), ""))
                self._row_start = marker.end()
                return marker.end()
        if self._open or self._code_end >= 0:
            return position
        if (magic := _NOTEBOOK.match(self.text, position)) is not None:
            indentation = len(magic[0]) - len(magic[0].lstrip())
            self.edits.append((position + indentation, magic.end(), "pass"))
            return magic.end()
        self._align_tabs(position)
        return position

    def _align_tabs(self, position: int) -> None:
        """Write indentation with a tab after spaces as Python 2 counts it; the grammar takes every tab for 8."""
        end = position
        while self.text[end : end + 1] in (" ", "\t"):
            end += 1
        if " \t" in self.text[position:end]:
            self.edits.append((position, end, self.text[position:end].expandtabs(8)))

    def _finish(self, end: int) -> None:
        """End the logical line, closing its brackets and adding the colon that its keyword asks for."""
        if self._code_end >= 0:
            word = _WORD.match(self.text, self._start)
            kind = word[1] if word is not None else ""
            place = self._code_end
            has_colon = self._has_colon
            if self._open:
                if kind in _HEADS and self.text[place - 1] == ":":
                    place -= 1
                    has_colon = True
                self.edits.append((place, place, "".join(reversed(self._open))))
            if kind in _HEADS and not has_colon:
                self.edits.append((place, place, ":"))
            indent = _indent(self.text, self._start)
            self.lines.append(Line(self._start, self._code_end, end, self._first_row, indent, kind))
        self._open.clear()
        self._code_end = -1
        self._has_colon = False

    def _close(self, bracket: str, start: int) -> None:
        if bracket not in self._open:
            self.edits.append((start, start + 1, " "))
            return
        missing = []
        while (awaited := self._open.pop()) != bracket:
            missing.append(awaited)
        if missing:
            self.edits.append((start, start, "".join(missing)))

    def _quoted(self, quote: str, position: int) -> int:
        """Skip a string of one row; where its quote is missing, the row ends it."""
        while (found := _QUOTE_ENDS[quote].search(self.text, position)) is not None:
            if found[0] == quote:
                return found.end()
            if found[0] == "\n":
                self.edits.append((found.start(), found.start(), quote))
                return found.start()
            self._row += found[0].count("\n")
            position = found.end()
        self.edits.append((len(self.text), len(self.text), quote))
        return len(self.text)

    def _triple(self, quote: str, start: int) -> int:
        end, position = -1, start
        while (found := _TRIPLE_ENDS[quote].search(self.text, position)) is not None:
            position = found.end()
            if found[0] == quote:
                end = position
                break
        if end < 0 or self.ends_strings_at_definitions:
            definition = _BEGINS_DEFINITION.search(self.text, start, end if end >= 0 else len(self.text))
            if definition is not None:
                self.is_unterminated = True
                end = start + len(self.text[start : definition.start()].rstrip())
                self.edits.append((end, end, quote))
        if end < 0:
            self.is_unterminated = True
            end = len(self.text)
            self.edits.append((end, end, quote))
        self._row += self.text.count("\n", start, end)
        self._row_start = max(self._row_start, self.text.rfind("\n", start, end) + 1)
        return end


def logical_lines(text: str) -> list[Line]:
    """Lines of a mended text, the ones that Python would call wrongly indented marked as outliers.

    A line that has deeper ones after it though it is no head counts as deeper itself.
    """
    found = Scan(text).run().lines
    for index in range(len(found) - 2, -1, -1):
        line, deeper = found[index], found[index + 1].indent
        if line.indent < deeper and line.word != "@" and text[line.code_end - 1] != ":":
            found[index] = replace(line, indent=deeper, is_outlier=True)
    levels = [0]
    for index, line in enumerate(found):
        while levels and levels[-1] > line.indent:
            levels.pop()
        if levels and levels[-1] == line.indent:
            continue
        is_dedent = index > 0 and found[index - 1].indent > line.indent
        if is_dedent:
            found[index] = replace(line, is_outlier=True)
        levels.append(line.indent)
    return found


def mend(text: str) -> str:
    """Close what is left open, add missing colons, blank conflict markers and notebook commands.

    Stable: valid Python comes back unchanged, and every row keeps its number.
    """
    scan = Scan(text).run()
    if scan.is_unterminated:
        scan = Scan(text, ends_strings_at_definitions=True).run()
    return scan.mended()


def _indent(text: str, position: int) -> int:
    column = 0
    while True:
        character = text[position : position + 1]
        if character == " ":
            column += 1
        elif character == "\t":
            column += 8 - column % 8
        elif character != "\f":
            return column
        position += 1
