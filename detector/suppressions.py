"""Comments that accept findings: `# detector: ignore[code/renamed-function] reason=...`, and what each one covers.

A scanner of lines, not a parser: it reads what Python rejects as well, in one pass. Only comments count, never texts.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from detector.artifacts.python_tokens import TEXT
from detector.model import Remark, Skipped
from detector.report.findings import KINDS, OTHER_TRACE, TRACE_KINDS
from detector.report.names import elided, visible
from detector.targets import Files

MALFORMED = "suppressions/malformed"
NO_REASON = "suppressions/no-reason"
UNKNOWN_RULE = "suppressions/unknown-rule"
TOO_MANY = "suppressions/too-many"

# Of one file. Each is held against each finding of its file, and who ignores a thousand findings ignores the file.
MOST_IGNORES = 1_000
LONGEST_REASON = 500  # characters that are kept: more is no reason but a text, and reports show it with every finding
LONGEST_RULE = 40  # of an unknown one in a message
WHOLE_FILE = (0, 2**31 - 1)  # lines; 0 is where findings stand that are about the file as a whole

_MAY = re.compile(rb"detector[ \t]*:[ \t]*ignore", re.IGNORECASE)
# A sentence that begins alike (`# detector: ignore small boxes`) is no such comment.
_MARK = re.compile(r"(?:^|#)[ \t]*detector[ \t]*:[ \t]*ignore(?=[ \t]*(?:[\[({<:=]|$|reason\b))", re.IGNORECASE)
_FORM = re.compile(r"[ \t]*\[(?P<rules>[^\[\]]*)\](?P<rest>.*)")
_REASON = re.compile(r"[ \t,;]*reason[ \t]*[=:](?P<reason>.*)", re.IGNORECASE)
_TOKEN = re.compile(rb"#[^\n]*+|" + TEXT, re.DOTALL)
_BLOCK = re.compile(rb"(?:async[ \t]+)?(?:def|class)[ \t\\]")
_COOKIE = re.compile(rb"^[ \t\f]*#[^\n]*?coding[:=][ \t]*([-\w.]{1,40})")
_BRACKETS = re.compile(rb"[\[\](){}]")
# Encodings in which a byte of a letter may look like a quote, a backslash or a bracket.
_WIDE = frozenset(
    "big5 big5hkscs cp932 cp949 cp950 gb18030 gb2312 gbk iso2022_jp johab shift_jis shift_jisx0213".split()
)
TAB_WIDTH = 8  # as Python counts
COMMENTED = b"\v"  # in place of a comment: a blank to whoever strips it, and yet no empty line
ENDED = b"\f"  # in place of a text of several lines, on the last of them: no statement begins there


@dataclass(frozen=True, slots=True)
class Ignore:
    """One comment, and the lines that it covers: a function or class, the whole file, or a line by itself."""

    line: int
    rules: tuple[str, ...]
    reason: str
    first: int
    last: int
    fault: Remark | None = None  # what is wrong with it: it accepts nothing then; its path is filled in by who knows it

    def covers(self, line: int) -> bool:
        """Whether what begins in this line is covered. A function begins with its `def`, one inside of it later."""
        return self.fault is None and self.first <= line <= self.last

    def names(self, rule: str) -> bool:
        """Whether the rule is among its rules. Those of code are one: how a copy differs is not what is accepted."""
        kind = rule.partition("/")[0]
        return any(each in (rule, kind) or (kind == "code" and each in _OF_CODE) for each in self.rules)


_OF_CODE = frozenset(KINDS.values())
_OF_TRACES = frozenset((*TRACE_KINDS.values(), OTHER_TRACE))


def ignores(data: bytes) -> tuple[Ignore, ...]:
    """Every such comment of a file, in its order; what is wrong with one is said in it.

    Empty: most files, after one look for the word.
    """
    if not _MAY.search(data):
        return ()
    comments, code = _comments(_plain(data))
    found = [(line, said) for line, text in comments if (said := _said(text)) is not None]
    if not found:
        return ()
    covered = _Covered(dict(found[:MOST_IGNORES])).read(code)
    read = [_read(line, said, covered[line]) for line, said in found[:MOST_IGNORES]]
    if len(found) > MOST_IGNORES:
        line = found[MOST_IGNORES][0]
        told = (
            f"the file has {len(found):,} such comments, of which the first {MOST_IGNORES:,} count: put one at its head"
        )
        read.append(Ignore(line, (), "", line, line, Remark(TOO_MANY, "", line, told)))
    return tuple(read)


def _said(comment: str) -> str | None:
    """What stands behind the word; None for any other comment."""
    found = _MARK.search(comment)
    return None if found is None else comment[found.end() :]


def _read(line: int, said: str, covered: tuple[int, int]) -> Ignore:
    form = _FORM.fullmatch(said)
    rules = tuple(dict.fromkeys(filter(None, (each.strip() for each in form["rules"].split(","))))) if form else ()
    if form is None or not rules:
        told = "names no rules: write detector: ignore[RULE] reason=..., with the rule that the finding has"
        return Ignore(line, (), "", *covered, Remark(MALFORMED, "", line, f"a comment that ignores findings {told}"))
    unknown = next((rule for rule in rules if not _is_known(rule)), None)
    if unknown is not None:
        shown = elided(visible(unknown), LONGEST_RULE)
        told = f"a comment ignores {shown}, which is no rule{_nearest(unknown)}"
        return Ignore(line, rules, "", *covered, Remark(UNKNOWN_RULE, "", line, told))
    given = _REASON.fullmatch(form["rest"])
    reason = given["reason"].strip().strip("\"'").strip() if given else ""
    if not reason:
        told = f"a comment ignores {', '.join(rules)} without a reason: add reason=... behind the bracket"
        return Ignore(line, rules, "", *covered, Remark(NO_REASON, "", line, told))
    return Ignore(line, rules, elided(visible(reason), LONGEST_REASON), *covered)


def _is_known(rule: str) -> bool:
    if rule in ("code", "traces") or rule in _OF_CODE or rule in _OF_TRACES:
        return True
    return rule in _of_evidence()


def _of_evidence() -> frozenset[str]:
    """Kinds and patterns of lines of evidence; loaded only where a comment names something else than code."""
    from detector.patterns import PATTERNS

    return frozenset((*PATTERNS, *(rule.partition("/")[0] for rule in PATTERNS))) - {"declared"}


def _nearest(rule: str) -> str:
    import difflib  # for slips alone

    known = sorted({"code", "traces", *_OF_CODE, *_OF_TRACES, *_of_evidence()})
    near = difflib.get_close_matches(rule[:LONGEST_RULE], known, 1)
    return f"; the nearest is {near[0]}" if near else "; write the rule that the finding has"


def _plain(data: bytes) -> bytes:
    """The same with line ends as Python counts them, in an encoding whose letters have no bytes of ASCII."""
    data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(COMMENTED, b" ").replace(ENDED, b"")
    for line in data.split(b"\n", 2)[:2]:
        if (found := _COOKIE.match(line)) is not None:
            try:
                name = codecs.lookup(found[1].decode("ascii")).name
            except (LookupError, UnicodeDecodeError):
                return data
            return data.decode(name, "replace").encode("utf-8", "replace") if name in _WIDE else data
    return data


def _comments(data: bytes) -> tuple[list[tuple[int, str]], bytes]:
    """Line and text of each comment that may be meant, and the code alone: comments and texts are blanked."""
    found: list[tuple[int, str]] = []
    line, counted = 1, 0

    def blanked(token: re.Match[bytes]) -> bytes:
        nonlocal line, counted
        text = token[0]
        if text[0] != _HASH:
            lines = text.count(b"\n")
            return b"\n" * lines + ENDED if lines else b""
        if _MAY.search(text):
            line, counted = line + data.count(b"\n", counted, token.start()), token.start()
            found.append((line, text[1:].decode("utf-8", "replace")))
        return COMMENTED

    return found, _TOKEN.sub(blanked, data)


_HASH = ord("#")


@dataclass(slots=True)
class _Block:
    """A `def` or `class` that is still open."""

    indent: int
    first: int  # its first decorator
    comments: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A comment on a line of its own, until the next line of code tells what it stands above."""

    line: int
    indent: int
    is_head: bool  # no statement stands before it


class _Covered:
    """What each comment covers: it is read line by line which functions and classes are open."""

    def __init__(self, comments: Mapping[int, str]) -> None:
        self._comments = comments
        self._found: dict[int, tuple[int, int]] = {}
        self._open: list[_Block] = []
        self._waiting: list[_Waiting] = []
        self._decorated = 0  # the first decorator of what is about to be defined
        self._is_head = True

    def read(self, code: bytes) -> dict[int, tuple[int, int]]:
        """Lines of comments -> first and last line that each covers."""
        depth, is_continued, number = 0, False, 0
        for number, line in enumerate(code.split(b"\n"), 1):
            text = line.strip()
            is_inside = (depth > 0 or is_continued or ENDED in line) and not _BLOCK.match(text)
            if is_inside:
                if number in self._comments:
                    self._put(number, number)
            elif text:
                depth = 0  # a definition inside brackets: they were never closed
                self._statement(number, _width(line), text)
            elif number in self._comments:
                self._waiting.append(_Waiting(number, _width(line), self._is_head and not self._open))
            elif COMMENTED not in line:
                self._settle(None)
            depth = max(depth + _opened(text), 0)
            is_continued = text.endswith(b"\\")
        self._settle(None)
        self._close(-1, number + 1)
        return self._found

    def _statement(self, number: int, indent: int, text: bytes) -> None:
        """Where a statement begins: what is indented as far or further has ended."""
        is_block, is_decorator = _BLOCK.match(text) is not None, text.startswith(b"@")
        self._settle(indent if is_block or is_decorator else None, number)
        self._close(indent, number)
        self._is_head = False
        if is_decorator:
            self._decorated = self._decorated or number
            if number in self._comments:
                self._waiting.append(_Waiting(number, indent, False))
            return
        if is_block:
            above = [each.line for each in self._waiting]
            self._open.append(_Block(indent, self._decorated or number, above))
        self._waiting.clear()
        self._decorated = 0
        if number in self._comments:
            self._put(number, number)

    def _settle(self, indent: int | None, number: int = 0) -> None:
        """Give comments that stand above no definition to what is open around them, or to their line alone."""
        staying = [each for each in self._waiting if indent is not None and each.indent <= indent]
        for each in self._waiting:
            if each in staying:
                continue
            if each.is_head:
                self._found[each.line] = WHOLE_FILE
                continue
            around = [block for block in self._open if block.indent < each.indent]
            if around:
                around[-1].comments.append(each.line)
            else:
                self._found[each.line] = (each.line, max(number, each.line))
        self._waiting = staying

    def _put(self, comment: int, line: int) -> None:
        """Give a comment that stands beside code to the innermost definition around it."""
        if self._open:
            self._open[-1].comments.append(comment)
        else:
            self._found[comment] = (line, line)

    def _close(self, indent: int, number: int) -> None:
        while self._open and self._open[-1].indent >= indent:
            block = self._open.pop()
            for comment in block.comments:
                self._found[comment] = (block.first, number - 1)


def _width(line: bytes) -> int:
    return len(line[: len(line) - len(line.lstrip(b" \t"))].expandtabs(TAB_WIDTH))


def _opened(text: bytes) -> int:
    return sum(1 if bracket in b"([{" else -1 for bracket in _BRACKETS.findall(text))


def remarks(found: Mapping[str, Iterable[Ignore]]) -> Iterator[Remark]:
    """What is wrong with the comments of files, by path and line."""
    for path, each in sorted(found.items()):
        for ignore in each:
            if ignore.fault is not None:
                yield Remark(ignore.fault.rule, path, ignore.fault.line, ignore.fault.text)


def of_files(files: Files) -> dict[str, tuple[Ignore, ...]]:
    """The comments of every Python file of a target that has any, by path."""
    read = ((file.path, ignores(file.data)) for file in files if not isinstance(file, Skipped))
    return {path: found for path, found in read if found}
