"""What the suspect itself says about where its code comes from, in comments beside the code.

Measured:  "Copied from", "Adapted from" and their like in comments above a function, above its class, at the head
           of its file or in their docstrings, where the rest of the line names the reference.
Copying:   it does not; declared reuse is the normal case and lowers a finding.
Innocent:  all of it.
Misses:    credits in a README, NOTICE or licence file; comments that name the source by another name.
Sources:   the conventions of published ML code, `# Copied from package.module.Class with A->B` above all.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from detector.code.parse import parse_file, parsing
from detector.code.scopes import definitions
from detector.model import Repo, Span

_DECLARATION = re.compile(
    r"\b(?:copied|copy|adapted|adopted|taken|borrowed|modified|derived|ported|based|forked|inspired)\s+"
    r"(?:\w+\s+){0,3}?(?:from|on|by|of)\b(?P<source>[^\n]{0,300}(?:\n[^\n]{0,300})?)",
    re.IGNORECASE,
)
_CLAIM = re.compile(
    r"\b(?:copied|adapted|adopted|taken|borrowed|modified|derived|ported|based|forked|fork|built|builds|building|extends|"
    r"extension)\s+(?:\w+\s+){0,3}?(?:from|on|upon|of|by)?\b(?P<source>[^\n]{0,300}(?:\n[^\n]{0,300})?)",
    re.IGNORECASE,
)
_DENIAL = re.compile(r"\b(?:not|never|without|no)\b[\w ]*$", re.IGNORECASE)
# How far before the word a denial still belongs to it.
_DENIAL_REACH = 40
_DECLARATION_BYTES = re.compile(
    rb"\b(?:copied|copy|adapted|adopted|taken|borrowed|modified|derived|ported|based|forked|inspired)\b", re.IGNORECASE
)
_COMMENT_MARKS = re.compile(r"^[ \t#]+", re.MULTILINE)
# Lines at the head of a file in which a notice about the whole file is looked for.
_HEAD_LINES = 60


def names_of(reference: Repo, paths: Sequence[str]) -> frozenset[str]:
    """Names by which a comment may call the reference: its own, and those of its top-level packages."""
    packages = {path.rpartition("/")[0] for path in paths if path.endswith("/__init__.py")}
    names = {_plain(reference.name)}
    names.update(_plain(path.split("/")[0]) for path in paths if "/" in path and path.count("/") <= 2)
    names.update(_plain(each.rpartition("/")[2]) for each in packages if each.rpartition("/")[0] not in packages)
    return frozenset(name for name in names if len(name) >= 3 and name not in _ANYBODYS)


# Folders that say nothing about whose they are.
_ANYBODYS = frozenset(
    "app apps assets bench benchmark benchmarks common config configs core data dataset datasets demo demos docs eval"
    " evaluation example examples experiments inference layers lib libs main master model modeling models modules"
    " notebooks ops python research samples script scripts source src test tests tools train training utils"
    " vendor".split()
)


def cites(notes: Mapping[str, bytes], names: frozenset[str]) -> str:
    """The path of the README or notice in which the suspect says that it builds on the reference, "" if none does."""
    for path, data in notes.items():
        text = data.decode("utf-8", "replace")
        for claim in _CLAIM.finditer(text):
            start = max(claim.start() - _DENIAL_REACH, 0)
            if not _DENIAL.search(text, start, claim.start()) and _words(claim["source"]) & names:
                return path
    return ""


def declares(spans: Sequence[Span], read: Callable[[str], bytes], names: frozenset[str]) -> list[bool]:
    """Tell for each function of the suspect whether the suspect names the reference as its source."""
    with parsing():
        declared = {path: _declared_lines(read(path), names) for path in sorted({span.path for span in spans})}
    return [
        any(first <= span.first_line and span.last_line <= last for first, last in declared[span.path])
        for span in spans
    ]


def _declared_lines(data: bytes, names: frozenset[str]) -> list[tuple[int, int]]:
    """First and last lines of what one file declares to come from the reference: definitions, or all of it."""
    if not _DECLARATION_BYTES.search(data):
        return []
    text = data.decode("utf-8", "replace")
    if not _may_name_source(text, names):  # most files name no source, or another: they are not worth parsing
        return []
    tree, _ = parse_file(data)
    # Not `splitlines`: it also splits at form feeds, and `ast` counts lines otherwise.
    lines = _without_texts(re.split(r"\r\n|\r|\n", text), tree)
    notices = [*_notices(lines[:_HEAD_LINES]), ast.get_docstring(tree) or ""]
    if any(_names_source(notice, names) for notice in notices):
        return [(0, len(lines))]
    return [
        (node.lineno, node.end_lineno or node.lineno)
        for node in definitions(tree)
        if _names_source(_comment_above(lines, _start(node)), names)
        or _names_source(_comment_above(lines, node.lineno), names)
        or _names_source(ast.get_docstring(node) or "", names)
    ]


def _without_texts(lines: list[str], tree: ast.Module) -> list[str]:
    """Blank the lines that lie inside a string: what looks like a comment there is none."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.end_lineno is not None:
            lines[node.lineno : node.end_lineno] = [""] * (node.end_lineno - node.lineno)
    return lines


def _may_name_source(text: str, names: frozenset[str]) -> bool:
    """Whether anything in a file reads like a declaration that names the source, comment or not."""
    plain = _COMMENT_MARKS.sub("", text)
    declaration = _DECLARATION.search(plain)
    while declaration is not None:
        if _words(declaration["source"]) & names:
            return True
        declaration = _DECLARATION.search(plain, declaration.start("source"))
    return False


def _start(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> int:
    return min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])


def _comment_above(lines: Sequence[str], first: int) -> str:
    """The comment block that stands directly above a line (counted from 1)."""
    block: list[str] = []
    line = first - 2
    while line >= 0 and lines[line].lstrip().startswith("#"):
        block.append(lines[line].lstrip("# \t"))
        line -= 1
    return "\n".join(reversed(block))


def _notices(lines: Iterable[str]) -> list[str]:
    """Comment blocks at the margin before the first definition: notices about the whole file.

    The block right above the first definition belongs to that definition, not to the file.
    """
    found: list[str] = []
    block: list[str] = []
    for line in lines:
        if line.startswith("#"):
            block.append(line.lstrip("# \t"))
        elif line.startswith(("def ", "class ", "@", "async ")):
            return found
        elif block:
            found.append("\n".join(block))
            block = []
    return [*found, "\n".join(block)]


def _names_source(text: str, names: frozenset[str]) -> bool:
    for declaration in _DECLARATION.finditer(text):
        if _DENIAL.search(text, max(declaration.start() - _DENIAL_REACH, 0), declaration.start()):
            continue
        if _words(declaration["source"]) & names:
            return True
    return False


def _words(source: str) -> set[str]:
    """The words that may name a source, and the parts of dotted ones."""
    words = [word for word in re.split(r"[^\w.\-]+|/", source) if word]
    return {_plain(word) for word in words} | {_plain(part) for word in words for part in word.split(".")}


def _plain(name: str) -> str:
    """A project's name without version, owner, case and separators."""
    name = re.sub(r"(==|@).*$", "", name).rpartition("/")[2].rpartition(":")[2]
    name = re.sub(r"\.(?:py|zip|whl|tar|tar\.gz|tgz|git)$", "", name)
    name = re.sub(r"-\d+\.[\w.]*(-.*)?$", "", name)
    return re.sub(r"[-_.]+", "-", name).strip("-").lower()
