"""Lay code out as different people do: quotes, line length, where long lines are broken, blank lines."""

from __future__ import annotations

import ast
import io
import random
import tokenize
from dataclasses import dataclass

OPEN, CLOSE = "([{", ")]}"


@dataclass(frozen=True, slots=True)
class Style:
    """One person's habits."""

    width: int
    quote: str
    packs: bool  # several items in a line of a broken bracket
    blank: float  # share of statements after which there is a blank line
    between: int  # blank lines between top-level definitions


def style(chance: random.Random) -> Style:
    """Draw the habits of one file."""
    return Style(
        width=chance.choice([72, 79, 88, 100, 120]),
        quote=chance.choice("'\""),
        packs=chance.random() < 0.5,
        blank=chance.choice([0.0, 0.05, 0.15]),
        between=chance.choice([1, 2]),
    )


def printed(tree: ast.Module, chance: random.Random) -> str:
    """The text of a module, in a style of its own."""
    plain = ast.unparse(ast.fix_missing_locations(tree)) + "\n"
    habits = style(chance)
    laid_out = _Printer(habits, chance).text(plain)
    try:
        ast.parse(laid_out)
    except (SyntaxError, ValueError):  # a line that is broken in a place where it may not be: rare, and no loss
        return plain
    return laid_out


class _Printer:
    def __init__(self, habits: Style, chance: random.Random) -> None:
        self.habits, self.chance = habits, chance

    def text(self, plain: str) -> str:
        lines: list[str] = []
        for number, line in enumerate(plain.splitlines()):
            bare = line.lstrip()
            if not bare:
                continue
            indent = len(line) - len(bare)
            if number:
                lines += [""] * self._blank_before(bare, indent, lines[-1])
            lines += self._statement(bare, indent)
        return "\n".join(lines) + "\n"

    def _blank_before(self, bare: str, indent: int, before: str) -> int:
        if before.lstrip().startswith("@") or before.rstrip().endswith(("\\", ",", "(", "[", "{")):
            return 0
        is_definition = bare.startswith(("def ", "class ", "async def ", "@"))
        if is_definition and not before.rstrip().endswith(":"):
            return self.habits.between if indent == 0 else 1
        if bare.startswith(("else:", "elif ", "except", "finally:", "case ")) or before.rstrip().endswith(":"):
            return 0
        return int(self.chance.random() < self.habits.blank)

    def _statement(self, bare: str, indent: int) -> list[str]:
        if '"""' in bare or "'''" in bare:
            return [" " * indent + bare]
        try:
            tokens = list(tokenize.generate_tokens(io.StringIO(bare).readline))
        except (tokenize.TokenError, SyntaxError):
            return [" " * indent + bare]
        pieces: list[str] = []
        end = 0
        for token in tokens:
            if token.type in {tokenize.NEWLINE, tokenize.NL, tokenize.ENDMARKER, tokenize.DEDENT, tokenize.INDENT}:
                continue
            pieces.append(" " * (token.start[1] - end))
            pieces.append(self._quoted(token.string) if token.type == tokenize.STRING else token.string)
            end = token.end[1]
        return self._broken(pieces, indent)

    def _quoted(self, text: str) -> str:
        """The same string literal in the file's usual quotes."""
        body = text.lstrip("rRbBfFuU")
        inside = body[1:-1]
        if body[:1] not in {"'", '"'} or any(mark in inside for mark in "'\"\\"):
            return text
        return f"{text[: len(text) - len(body)]}{self.habits.quote}{inside}{self.habits.quote}"

    def _broken(self, pieces: list[str], indent: int) -> list[str]:
        line = "".join(pieces)
        pair = _widest_pair(pieces) if indent + len(line) > self.habits.width else None
        if pair is None:
            return [" " * indent + line]
        start, end = pair
        items = _items(pieces[start + 1 : end])
        # A comma after the last one is the same only where there are commas between already.
        is_plain = not {"for", "lambda"} & set(pieces[start + 1 : end])
        ends_in_comma = len(items) > 1 and is_plain and not self.habits.packs
        lines = ["".join(pieces[: start + 1])]
        if self.habits.packs:
            lines += self._packed(items, indent + 4)
        else:
            for number, item in enumerate(items):
                comma = "," if number + 1 < len(items) or ends_in_comma else ""
                lines += self._broken([*item, comma], indent + 4)
        lines += [part.strip() for part in self._broken(pieces[end:], indent)][:1] if end + 1 == len(pieces) else []
        tail = "".join(pieces[end:])
        if end + 1 < len(pieces):
            lines.append(tail)
        return [" " * indent + lines[0], *lines[1:-1], " " * indent + lines[-1]]

    def _packed(self, items: list[list[str]], indent: int) -> list[str]:
        lines: list[str] = []
        for number, item in enumerate(items):
            text = "".join(item) + ("," if number + 1 < len(items) else "")
            if lines and len(lines[-1]) + 1 + len(text) <= self.habits.width:
                lines[-1] += " " + text
            else:
                lines.append(" " * indent + text)
        return lines


def _widest_pair(pieces: list[str]) -> tuple[int, int] | None:
    """The outermost brackets with the most between them."""
    found: list[tuple[int, int, int]] = []
    stack: list[int] = []
    for index, piece in enumerate(pieces):
        if piece and piece in OPEN:
            stack.append(index)
        elif piece and piece in CLOSE and stack:
            start = stack.pop()
            width = len("".join(pieces[start + 1 : index]))
            if not stack and width > 8:
                found.append((width, start, index))
    return max(found)[1:] if found else None


def _items(pieces: list[str]) -> list[list[str]]:
    """What stands between commas outside of inner brackets."""
    items: list[list[str]] = [[]]
    depth = 0
    for piece in pieces:
        if piece and piece in OPEN:
            depth += 1
        elif piece and piece in CLOSE:
            depth -= 1
        if piece == "," and depth == 0:
            items.append([])
        elif items[-1] or piece.strip():
            items[-1].append(piece)
    return [item for item in items if item]
