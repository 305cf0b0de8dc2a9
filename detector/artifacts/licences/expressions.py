"""How a licence is written -> SPDX expressions that may be meant, and expressions as trees; nothing is guessed."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from typing import TYPE_CHECKING

from detector.settings.licences import DEEPEST_EXPRESSION, LONGEST_EXPRESSION, MOST_KEPT, MOST_OPERANDS

if TYPE_CHECKING:
    from license_expression import Licensing

Meant = frozenset[str]  # SPDX expressions, one of which is meant; empty: nothing that is known

UNRECOGNISED = "LicenseRef-unrecognised"  # a licence that is there, and is none of those known here

_CLASSIFIER = re.compile(r"license ::(?: osi approved ::)? *", re.IGNORECASE)
# Words that a name has in some spellings and not in others.
_IDLE = frozenset(
    ("v", "licence", "license", "licences", "licenses", "licensed", "version", "software", "the", "public")
)
_TOKEN = re.compile(r"\+|[^\W_]+")
_SHORT_VERSION = re.compile(r"v(?=\d)")
_PLAIN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,99}\+?")
_REFERENCE = re.compile(r"(?:DocumentRef-[A-Za-z0-9.-]{1,100}:)?LicenseRef-[A-Za-z0-9.-]{1,100}", re.IGNORECASE)
_OPERATOR = re.compile(r"([()]|(?<![^\s()])(?:and|or|with)(?![^\s()]))", re.IGNORECASE)
# What says that nothing is said.
_NOTHING = frozenset(
    ("", "unknown", "none", "noassertion", "null", "other", "n/a", "tbd", "license.txt", "see license")
)


@dataclass(frozen=True, slots=True)
class Licence:
    """One licence of an expression, with the exception that it is granted with."""

    id: str
    exception: str = ""


@dataclass(frozen=True, slots=True)
class Several:
    """Licences that are joined: all of them hold, or one of them may be chosen."""

    is_choice: bool
    parts: tuple[Licence | Several, ...]


Tree = Licence | Several


def meant(text: str) -> Meant:
    """What an expression or a name in somebody's own words may mean.

    Empty: it is known under no such name, or says nothing. Ties: a spelling that leaves the version or "or later" open
    gives all that it may stand for.
    """
    return _meant(" ".join(text[: LONGEST_EXPRESSION + 1].split()))


def defined(text: str) -> str:
    """What is meant where SPDX defines the spelling: its deprecated "GPL-3.0" is that version only. "" if unknown."""
    return narrowest(meant(text))


def narrowest(found: Meant) -> str:
    """The one expression that may be meant, of one version of the GPL the narrower of two; "" if more are open."""
    names = sorted(found)
    if len(names) == 2 and {each.rpartition("-")[2] for each in names} == {"only", "later"}:
        name = names[0].removesuffix("-only")
        return names[0] if names[1] == f"{name}-or-later" else ""
    return names[0] if len(names) == 1 else ""


@lru_cache(MOST_KEPT)
def _meant(text: str) -> Meant:
    text = _CLASSIFIER.sub("", text).strip("\"' ")
    if len(text) > LONGEST_EXPRESSION or text.lower() in _NOTHING:
        return frozenset()
    if single := _single(text):
        return single
    if any(part.lower() in ("and", "or", "with") for part in text.replace("(", " ").replace(")", " ").split()):
        return _compound(text)
    # An identifier that the plain table does not have costs the library, which knows all of them.
    return frozenset(filter(None, [_listed(text)])) if _PLAIN_ID.fullmatch(text) and not text.isalpha() else frozenset()


def _single(text: str) -> Meant:
    """What a text that is one licence means, by the plain table."""
    if _REFERENCE.fullmatch(text):
        return frozenset([text])
    return spellings().get(key(text), frozenset())


@cache
def spellings() -> Mapping[str, Meant]:
    """What each known spelling may mean, by its key."""
    tables = tomllib.loads((resources.files("detector.artifacts.licences") / "spellings.toml").read_text("utf-8"))
    found = {key(spelling): frozenset(names) for spelling, names in tables["open"].items()}
    for name, others in tables["exact"].items():
        found |= {key(spelling): frozenset([name]) for spelling in (name, *others)}
    return found


def key(text: str) -> str:
    """A spelling without case, punctuation and words that are left out as often as not."""
    tokens = _TOKEN.findall(_SHORT_VERSION.sub("", text.lower()))
    return " ".join(token for token in tokens if token not in _IDLE) or " ".join(tokens)


def _compound(text: str) -> Meant:
    """An expression of several licences, each in any spelling; one that leaves more than one open leaves all open."""
    parts = [part.strip() for part in _OPERATOR.split(text) if part.strip()]
    if len(parts) > 2 * MOST_OPERANDS or _depth(parts) > DEEPEST_EXPRESSION:
        return frozenset()
    spelled: list[str] = []
    for part in parts:
        if _OPERATOR.fullmatch(part):
            spelled.append(part.upper())
        elif spelled[-1:] == ["WITH"]:
            spelled.append(part)
        else:
            found = _single(part)
            if not found and not _PLAIN_ID.fullmatch(part):
                return frozenset()
            # "GPL-2.0 OR MIT" in an expression is the deprecated identifier, which is defined.
            spelled.append(sorted(found, key=lambda each: ("-or-later" in each, each))[0] if found else part)
    tree = _read(" ".join(spelled))
    return frozenset([written(tree)]) if tree is not None else frozenset()


def _depth(parts: list[str]) -> int:
    depth = deepest = 0
    for part in parts:
        depth += (part == "(") - (part == ")")
        deepest = max(deepest, depth)
    return deepest


@cache
def _licensing() -> Licensing:
    import license_expression

    return license_expression.get_spdx_licensing()


def _listed(text: str) -> str:
    """An identifier as the SPDX list writes it; "" if it has none like it."""
    known = _licensing().known_symbols_lowercase.get(text.lower())
    return str(known.key) if known is not None and not known.is_exception else ""


@lru_cache(MOST_KEPT)
def tree(expression: str) -> Tree | None:
    """An SPDX expression as a tree; None if it is none."""
    expression = " ".join(expression.split())
    if not expression:
        return None
    if " " not in expression and "(" not in expression:
        known = _single(expression)
        if _REFERENCE.fullmatch(expression) or len(known) == 1:
            return Licence(next(iter(known)))
        if _PLAIN_ID.fullmatch(expression):
            return Licence(expression)
        return None
    if len(expression) > LONGEST_EXPRESSION or _depth(_OPERATOR.split(expression)) > DEEPEST_EXPRESSION:
        return None
    return _read(expression)


def _read(expression: str) -> Tree | None:
    """What the library makes of an expression."""
    from license_expression import ExpressionError

    try:
        parsed = _licensing().parse(expression, validate=False, strict=False)
        return simple(_tree_of(parsed)) if parsed is not None else None
    except (ExpressionError, ValueError, TypeError, AttributeError, IndexError, RecursionError):
        return None  # of stray operators and brackets some are not told apart by the library


def _tree_of(parsed: object) -> Tree:
    parts = getattr(parsed, "args", ())
    if not parts:
        licence, exception = getattr(parsed, "license_symbol", parsed), getattr(parsed, "exception_symbol", None)
        return Licence(_name(licence), str(getattr(exception, "key", "")) if exception is not None else "")
    return Several(str(getattr(parsed, "operator", "")).strip() == "OR", tuple(map(_tree_of, parts)))


def _name(symbol: object) -> str:
    """An identifier of the list, a LicenseRef-, or one that is made of what stands there."""
    name = str(getattr(symbol, "key", ""))
    if _REFERENCE.fullmatch(name) or name.lower() in _licensing().known_symbols_lowercase:
        return name
    known = _single(name)
    return next(iter(known)) if len(known) == 1 else kept(name) or UNRECOGNISED


def simple(of: Tree) -> Tree:
    """A tree without a list in a list, a choice in a choice, and anything twice."""
    if isinstance(of, Licence):
        return of
    parts: list[Tree] = []
    for part in map(simple, of.parts):
        parts += part.parts if isinstance(part, Several) and part.is_choice == of.is_choice else [part]
    distinct = tuple(sorted(dict.fromkeys(parts), key=_spelled))
    return distinct[0] if len(distinct) == 1 else Several(of.is_choice, distinct)


def written(of: Tree) -> str:
    """A tree as an SPDX expression: parts sorted, each once, in brackets where choices and lists meet."""
    return _spelled(simple(of))


def _spelled(of: Tree) -> str:
    if isinstance(of, Licence):
        return f"{of.id} WITH {of.exception}" if of.exception else of.id
    parts = [f"({_spelled(part)})" if isinstance(part, Several) else _spelled(part) for part in of.parts]
    return (" OR " if of.is_choice else " AND ").join(sorted(parts))


def ids(of: Tree) -> Iterator[str]:
    """Every licence of a tree."""
    if isinstance(of, Licence):
        yield of.id
    else:
        for part in of.parts:
            yield from ids(part)


def kept(said: str) -> str:
    """A licence that is known under no such name, as a LicenseRef-; "" if nothing is said."""
    said = _CLASSIFIER.sub("", " ".join(said[:LONGEST_EXPRESSION].split()))
    plain = re.sub(r"[^A-Za-z0-9.]+", "-", said)[:60].strip("-.")
    return f"LicenseRef-{plain}" if plain and said.lower() not in _NOTHING else ""


def joined(expressions: list[str]) -> str:
    """Several expressions that all hold, as one."""
    trees = [each for each in map(tree, dict.fromkeys(expressions)) if each is not None]
    if len(trees) < 2:
        return written(trees[0]) if trees else ""
    return written(Several(False, tuple(trees)))
