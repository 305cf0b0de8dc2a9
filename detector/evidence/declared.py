"""What the suspect itself says about where its code comes from, in comments beside the code and in its notes.

Measured:  "Copied from", "Adapted from" and their like in comments above a function, above its class, at the head
           of its file or in their docstrings, where the rest of the line names the reference; "built on", "a fork of"
           and their like in READMEs, notices and package metadata, where the same sentence goes on to name it.
Copying:   it does not; declared reuse is the normal case and lowers a finding.
Innocent:  all of it.
Misses:    credits in licence files and papers, or in another language than English; a name before the verb ("a heron
           fork"); thanks that claim nothing; whatever calls the source by another name.
Sources:   the conventions of published ML code, `# Copied from package.module.Class with A->B` above all.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from detector.code.parse import parse_file, parsing
from detector.code.scopes import definitions
from detector.model import Examined, Look, Span
from detector.targets import Comparison, Repo

_DECLARATION = re.compile(
    r"\b(?:copied|copy|adapted|adopted|taken|borrowed|modified|derived|ported|based|forked|inspired)\s+"
    r"(?:\w+\s+){0,3}?(?:from|on|by|of)\b(?P<source>[^\n]{0,300}(?:\n[^\n]{0,300})?)",
    re.IGNORECASE,
)
_NEGATION = (
    r"(?:no|not|never|none|nothing|nor|neither|without|cannot"
    r"|\w+n['’´`]t|(?:is|was|are|were|has|have|had|do|does|did)nt)"
)
_DENIAL = re.compile(rf"\b{_NEGATION}\b[\w ]*$", re.IGNORECASE)
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


# What ends a sentence: a dot inside a name, a version or an address has no space behind it.
_END = re.compile(r"[.!?;](?=[\"'”’»)\]]{0,3}(?:\s|$))|[。！？；]")
# ... unless it shortens a word, or is the end of an HTML entity.
_SHORT = re.compile(
    r"\b(?:e\.g|i\.e|a\.k\.a|al|cf|co|corp|dr|inc|incl|ltd|prof|resp|ver|viz|vs|v)$|&\w{1,8}$", re.IGNORECASE
)
_SHORT_REACH = 10
_EMPHASIS = re.compile(r"[*`]+|(?<!\w)_+|_+(?!\w)")
_BLOCK_TAG = re.compile(r"</?(?:p|br|div|h[1-6]|li|ol|ul|table|td|th|tr)\b[^<>]{0,300}>", re.IGNORECASE)
_RULE = re.compile(r"[-=~^*_#|:+ ]*|(?:```|~~~).*")
_ITEM = re.compile(r"(?:[-*+•‣·]|\(?\d{1,3}[.)])\s")
# Lines that are a sentence each: headings, rows of tables, and the fields above a package's description.
_ALONE = re.compile(
    r"#{1,6}\s|\||(?:Author|Classifier|Description|Home-page|Keywords|License|Maintainer|Metadata|Name|Platform|Project"
    r"|Provides|Requires|Summary|Version)(?:-\w+){0,2}:\s"
)
# "based on the following projects:" - nothing is named yet, the list below does it.
_LEAD = re.compile(
    r"(?:(?: [a-z-]+){0,6} (?:following|these|projects?|repos?|repositor(?:y|ies)|codebases?|works?|librar(?:y|ies)"
    r"|packages?|sources?|implementations?)(?: [a-z-]+){0,3})? ?:|"
)

_VERBS = "copied|adapted|adopted|taken|borrowed|borrows|modified|derived|derives|ported|based|forked"
# A sentence with none of these claims nothing.
_VERB = re.compile(rf"\b(?:{_VERBS}|fork|buil[dt]|exten[ds])", re.IGNORECASE)
# What may stand between the verb and its preposition.
_WORDS = r"[ ](?:(?!(?:not|never|by)\b)\w+[ ]){0,3}?"
# How far before a claim a denial or a comparison still belongs to it: "unlike the many others that are based on".
_CONTRAST_REACH = 80
# What a sentence says at each of its turns; between two turns stand the names. The names of the groups tell what each
# turn does to a claim, see `_claims_in`. Spaces are single, and every repetition is bounded.
_TURN = re.compile(
    rf"""
    (?P<claim> \b(?:
        (?:{_VERBS}){_WORDS}from
        | (?:copied|adapted|borrowed|modified|derived|ported|forked){_WORDS}of
        | based{_WORDS}(?:on|upon|off|around)
        # Only adverbs between: whoever "builds heronvl wheels on Linux" claims nothing.
        | (?:built|builds|building) [ ](?:\w+ly[ ]|in[ ](?:large[ ])?part[ ]|mostly[ ]|further[ ]|up[ ])?
            (?:on|upon|atop|off|around|from(?![ ]source))
        | build [ ](?:\w+ly[ ]|further[ ])?(?:upon|atop|on[ ]top[ ]of)
        | forks?[ ]of | extensions?[ ](?:of|to) | extend(?:s|ing)[ ](?:up)?on
        )\b,? )
    | (?P<direct> \b(?:adapted|adopted|modified|ported|forked|forks|forking|extends|extending)
        (?=(?P<object>(?:
            [ ](?!(?:to|for|by|with|in|into|on|as|at|or|not|rather|instead|but|than|via)\b)[^ ]+
        ){{1,4}})) )
    | (?P<listed> \b(?:{_VERBS}), )
    | (?P<elided> \bbut[ ](?:also[ ]|rather[ ]|instead[ ])?(?:on|upon|from)\b )
    | (?P<addition> (?<![\w/.-])not[ ](?:only|just|merely|solely|simply)\b )
    | (?P<contrast> (?<![\w/.-])(?:
        {_NEGATION}|unlike|than|instead[ ]of|as[ ]opposed[ ]to|contrary[ ]to|in[ ]contrast
        |compar\w+|outperform\w*|beat(?:s|ing)?|surpass\w*|exceed\w*
        )(?![\w/-]) )
    | (?P<aside> (?<![\w/.-])(?:
        except|excluding|against|versus|vs|alternatives?|competitors?|replac\w+|compatible|similar(?:ly)?
        |support\w*|install\w*|requir\w+|needs?|(?:trained|tuned|tested|evaluated|benchmarked)[ ](?:on|with|against|by)
        )(?![\w/-])
        | ,(?=[ ](?:who|which|whose|(?!including|following)(?-i:[a-z]+)ing)\b) )
    | (?P<fresh> (?<![\w/.-])(?:but|while|whereas|however|although|though)(?![\w/-])
        | \band[ ](?:is|was|are|were|has|have|it|we|they)\b
        | ,[ ](?:it|we|our|they|this|these|i|you)\b
        | ,(?=[ ](?:(?!(?:and|that|which|who)\b)[^ ,()]+[ ]){{1,3}}(?:is|are|was|were|has|have|can|will)\b) )
    | (?P<pause> [,:()–—] )
    """,
    re.IGNORECASE | re.VERBOSE,
)


def cites(notes: Mapping[str, bytes], names: frozenset[str]) -> str:
    """The path of the README or notice in which the suspect says that it builds on the reference, "" if none does.

    A claim holds for the rest of its sentence or until the sentence turns to something else; denied ones are none.
    """
    for path, data in notes.items():
        text = data.decode("utf-8", "replace")
        if _may_name(text, names) and _claims(text, names):
            return path
    return ""


def _claims(text: str, names: frozenset[str]) -> bool:
    is_awaited = is_in_list = False  # whether "based on:" stands above, and whether the list below it has begun
    for is_item, block in _blocks(text):
        if is_in_list and not is_item:
            is_awaited = is_in_list = False
        is_led = is_awaited
        for number, sentence in enumerate(_sentences(block)):
            is_cited, leads = _claims_in(sentence, names, is_open=is_led and number == 0)
            if is_cited:
                return True
            is_awaited = leads
        if is_led and is_item:
            is_awaited = is_in_list = True
    return False


def _blocks(text: str) -> Iterator[tuple[bool, str]]:
    """Paragraphs, headings, rows and items of lists, each on one line; and whether it is an item."""
    block: list[str] = []
    is_item = False
    for raw in _BLOCK_TAG.sub("\n\n", text).splitlines():
        line = raw.strip(" \t>")
        item = _ITEM.match(line)
        is_alone = item is None and _ALONE.match(line) is not None
        is_rule = _RULE.fullmatch(line) is not None
        if block and (item or is_alone or is_rule):
            yield is_item, _plain_text(block)
            block = []
        if is_rule:
            continue
        if not block:
            is_item = item is not None
        block.append(line[item.end() :] if item else line)
        if is_alone:
            yield False, _plain_text(block)
            block = []
    if block:
        yield is_item, _plain_text(block)


def _plain_text(lines: Sequence[str]) -> str:
    """Lines as one, without emphasis and with single spaces."""
    return " ".join(_EMPHASIS.sub("", " ".join(lines)).split())


def _sentences(block: str) -> Iterator[str]:
    start = 0
    for end in _END.finditer(block):
        if not _SHORT.search(block, max(end.start() - _SHORT_REACH, 0), end.start()):
            yield block[start : end.start()]
            start = end.end()
    yield block[start:]


def _claims_in(sentence: str, names: frozenset[str], *, is_open: bool) -> tuple[bool, bool]:
    """Whether a sentence says that something comes from the reference, and whether it leaves that to what follows.

    `is_open`: it continues a claim that the text above it began.
    """
    if not is_open and not _VERB.search(sentence):
        return False, False
    start = 0  # of what is not searched for names yet
    claim_end = denial_end = -1
    has_claim = False
    for turn in _TURN.finditer(sentence):
        if is_open and _is_named(sentence[start : turn.start()], names):
            return True, False
        start = turn.start()
        is_denied = denial_end >= 0 and start - denial_end <= _CONTRAST_REACH
        kind = turn.lastgroup
        if kind == "claim":
            has_claim, is_open, claim_end = True, not is_denied, turn.end()
        elif kind == "direct":
            has_claim = True
            if not is_denied and _is_named(turn["object"], names):
                return True, False
        elif kind == "elided" and has_claim:  # "not based on this but on that"
            is_open, claim_end, denial_end = True, turn.end(), -1
        elif kind == "contrast":
            is_open, denial_end = False, turn.end()
        elif kind == "aside":
            is_open = False
        elif kind in {"fresh", "elided"}:
            is_open, denial_end = False, -1
        elif kind == "pause":
            denial_end = -1
        # The other two only keep their words from being taken for a denial, or their commas for its end.
    if not is_open:
        return False, False
    return _is_named(sentence[start:], names), claim_end >= 0 and _LEAD.fullmatch(sentence, claim_end) is not None


def _is_named(source: str, names: frozenset[str]) -> bool:
    if not _may_name(source, names):
        return False
    return any(_may_name(word, names) and not names.isdisjoint(_words(word)) for word in source.split(" "))


def _may_name(text: str, names: frozenset[str]) -> bool:
    """Whether the beginning of any name occurs at all: cheap, and no for most texts."""
    lowered = text.lower()
    return any(name.partition("-")[0] in lowered for name in names)


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


def find(comparison: Comparison) -> tuple[Look, ...]:
    """Find nothing."""
    return tuple(Look(Examined("declared", name, True, "notes and comments")) for name in comparison.references)
