"""Prose -> the claims of descent in it: "built on", "a fork of" and their like, with what each goes on to name.

Reads English. A claim holds for the rest of its sentence or until the sentence turns to something else; denied ones are
none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from detector.artifacts.credits.denials import NEGATION

# What ends a sentence: a dot inside a name, a version or an address has no space behind it.
_END = re.compile(r"[.!?;](?=[\"'”’»)\]]{0,3}(?:\s|$))|[。！？；]")
# ... unless it shortens a word, or is the end of an HTML entity.
_SHORT = re.compile(
    r"\b(?:e\.g|i\.e|a\.k\.a|al|cf|co|corp|dr|inc|incl|ltd|prof|resp|ver|viz|vs|v)$|&\w{1,8}$", re.IGNORECASE
)
_SHORT_REACH = 10
# A row of underscores is tried once, not from each of them.
_EMPHASIS = re.compile(r"[*`]+|(?<!\w)_+|(?<!_)_++(?!\w)")
_BLOCK_TAG = re.compile(r"</?(?:p|br|div|h[1-6]|li|ol|ul|table|td|th|tr)\b[^<>]{0,300}>", re.IGNORECASE)
_NEWLINE = re.compile(r"\r\n|\r|\n")
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
_VERB = re.compile(rf"\b(?:{_VERBS}|fork|buil[dt]|exten[ds]|adaptation)", re.IGNORECASE)
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
        | built[ ]with[ ]reference[ ]to | (?:is|are)[ ](?:an?[ ])?adaptations?[ ]of
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
        {NEGATION}|unlike|than|instead[ ]of|as[ ]opposed[ ]to|contrary[ ]to|in[ ]contrast
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

# The source before the verb, as lists of thanks have it: "[LLaVA](...): the codebase we built upon". No words are free
# in it, so that no denial fits.
_NAMED_BEFORE = re.compile(
    r"(?:\s?[:,–—]|\s-) (?:(?:the|our) )?(?:(?:main|original|base) )?"
    r"(?:code ?base|code|repo|repository|project|framework|library) "
    r"(?:that |which )?(?:we|(?:this|our) (?:code|codebase|project|repo|repository|work))"
    r"(?: have| has| is| are| was| were)?(?: mainly| mostly| heavily)? (?:built|build|builds|based) (?:up)?on\b",
    re.IGNORECASE,
)

# Of a sentence, as it is told; what is longer is a table or a text without any dots.
_LONGEST_SENTENCE = 1_000


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim: where its paragraph begins, the sentence, and the part of it that names the source."""

    line: int
    sentence: str
    source: str


def may_claim(text: str) -> bool:
    """Whether any word of a claim occurs in a text, or a line that may lead to one."""
    return _VERB.search(text) is not None


def claims(text: str) -> Iterator[Claim]:
    """Every claim of a README or notice, in its order; of a long list of sources one for each turn of the sentence."""
    is_awaited = is_in_list = False  # whether "based on:" stands above, and whether the list below it has begun
    for line, is_item, block in _blocks(text):
        if is_in_list and not is_item:
            is_awaited = is_in_list = False
        is_led = is_awaited
        for number, sentence in enumerate(_sentences(block)):
            sources, leads = _sources(sentence, is_open=is_led and number == 0)
            told = sentence[:_LONGEST_SENTENCE]  # one text for all: a sentence may have thousands of turns
            yield from (Claim(line, told, source) for source in sources)
            is_awaited = leads
        if is_led and is_item:
            is_awaited = is_in_list = True


def _blocks(text: str) -> Iterator[tuple[int, bool, str]]:
    """Paragraphs, headings, rows and items of lists, each on one line: where it begins, and whether it is an item."""
    block: list[str] = []
    is_item = False
    first = 1
    for number, raw in _lines(text):
        line = raw.strip(" \t>")
        item = _ITEM.match(line)
        is_alone = item is None and _ALONE.match(line) is not None
        is_rule = _RULE.fullmatch(line) is not None
        if block and (item or is_alone or is_rule):
            yield first, is_item, _plain_text(block)
            block = []
        if is_rule:
            continue
        if not block:
            is_item, first = item is not None, number
        block.append(line[item.end() :] if item else line)
        if is_alone:
            yield first, False, _plain_text(block)
            block = []
    if block:
        yield first, is_item, _plain_text(block)


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines with their numbers; a tag that begins a block leaves an empty one, under the same number."""
    parted = _BLOCK_TAG.sub(lambda tag: "\x1d\x1d" + "\n" * tag[0].count("\n"), text)
    for number, line in enumerate(_NEWLINE.split(parted), 1):
        yield from ((number, part) for part in line.splitlines() or [""])


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


def _sources(sentence: str, *, is_open: bool) -> tuple[list[str], bool]:
    """What a sentence claims something to come from, and whether it leaves that to what follows.

    `is_open`: it continues a claim that the text above it began.
    """
    if not is_open and not _VERB.search(sentence):
        return [], False
    found: list[str] = []
    start = 0  # of what is not searched for names yet
    claim_end = denial_end = -1
    has_claim = False
    if named := _NAMED_BEFORE.search(sentence):
        found.append(sentence[: named.start()])
    for turn in _TURN.finditer(sentence):
        if is_open:
            found.append(sentence[start : turn.start()])
        start = turn.start()
        is_denied = denial_end >= 0 and start - denial_end <= _CONTRAST_REACH
        kind = turn.lastgroup
        if kind == "claim":
            has_claim, is_open, claim_end = True, not is_denied, turn.end()
        elif kind == "direct":
            has_claim = True
            if not is_denied:
                found.append(turn["object"])
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
        return found, False
    found.append(sentence[start:])
    return found, claim_end >= 0 and _LEAD.fullmatch(sentence, claim_end) is not None
