"""Under which licence a project stands, by all that it says, and where what it says does not agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from detector.artifacts.licences.expressions import UNRECOGNISED, Meant, defined, ids, joined, kept, narrowest, tree
from detector.artifacts.licences.statements import (
    CLASSIFIER,
    EXPRESSION,
    FIELD,
    INDEX,
    TEXT,
    Statement,
    statements,
)
from detector.targets import Files


@runtime_checkable
class Licensed(Protocol):
    """Files of which only the licence is at hand, as an index has them."""

    @property
    def licence(self) -> str:
        """The SPDX expression of the whole target, "" if none was found."""
        ...


@dataclass(frozen=True, slots=True)
class Licences:
    """What a project says of its licence.

    expression: of its code, as SPDX; "" where nothing says it. A licence that is named or there, but known under no
    such name, is a LicenseRef-. model: of its weights, where that is said apart.
    """

    expression: str = ""
    model: str = ""
    statements: tuple[Statement, ...] = ()
    contradictions: tuple[str, ...] = ()  # each in a sentence


NONE = Licences()


def of_project(files: Files) -> Licences:
    """Read every statement of a project about its licence.

    Ties: a licence's text before an expression, before other fields; where these agree, the more definite counts, and
    an expression says how several texts are joined. Of a version of the GPL without "or later" the narrower counts.
    """
    if isinstance(files, Licensed):
        return _of_index(files.licence)
    said = statements(files)
    of_code, of_model = ([each for each in said if each.is_model == is_model] for is_model in (False, True))
    code, contradictions = _settled(of_code)
    model, of_models = _settled(of_model)
    # A card alone is about everything that lies beside it.
    return Licences(code or model, model, tuple(said), (*contradictions, *of_models))


def _of_index(licence: str) -> Licences:
    if not licence:
        return NONE
    expression = defined(licence) or kept(licence)
    return Licences(expression, "", (Statement("", INDEX, licence, frozenset([expression])),))


def _settled(said: Sequence[Statement]) -> tuple[str, tuple[str, ...]]:
    """What some statements come to, and who contradicts the one that counts."""
    counted = [*_joined_texts([each for each in said if each.where == TEXT]), *_joined_classifiers(said)]
    counted.sort(key=lambda each: (not each.is_sure, _RANKS.get(each.where, len(_RANKS))))
    first: Statement | None = None
    found: Meant = frozenset()
    contradictions: list[str] = []
    for each in counted:
        if not each.meant or not each.is_whole:
            continue
        if first is None:
            first, found = each, each.meant
        elif found & each.meant:
            found &= each.meant
        elif _is_part(found, each.meant):
            if each.where in (EXPRESSION, FIELD):  # the maker says how several texts are joined, and which is its own
                found = each.meant
        elif each.is_sure:
            contradictions.append(
                f"{first.path} says {_told(first)} ({first.where}), {each.path} says {_told(each)} ({each.where})"
            )
    unknown = [each for each in counted if not each.meant and each.is_whole]
    if first is not None and not narrowest(found):
        return kept(first.said) or UNRECOGNISED, tuple(contradictions)
    if first is None and unknown:
        return next((each.expression for each in unknown if each.expression), UNRECOGNISED), ()
    if first is None:  # REUSE says it for files alone
        return joined(sorted({narrowest(each.meant) for each in counted if each.meant})), ()
    return narrowest(found), tuple(contradictions)


_RANKS = {TEXT: 0, EXPRESSION: 1, FIELD: 2}


def _told(said: Statement) -> str:
    return narrowest(said.meant) or said.said


def _is_part(one: Meant, other: Meant) -> bool:
    """Whether some reading of one has all licences of a reading of the other."""
    ours, theirs = (
        [frozenset(ids(found)) for found in map(tree, meaning) if found is not None] for meaning in (one, other)
    )
    return any(first <= second or second <= first for first in ours for second in theirs)


def _joined_texts(texts: Sequence[Statement]) -> list[Statement]:
    """All licence texts as one statement: each of them is there, and nothing says whether one may choose."""
    known = [each for each in texts if each.meant]
    names = {narrowest(each.meant) for each in known}
    if any(name.startswith("LGPL-3.0") for name in names):  # its terms are those of the GPL, which lies beside it
        known = [each for each in known if not narrowest(each.meant).startswith("GPL-3.0")]
    if len({each.meant for each in known}) < 2:
        return known[:1] or list(texts[:1])
    sure = [each for each in known if each.is_sure] or known
    expression = joined(sorted({narrowest(each.meant) for each in sure} - {""}))
    path = ", ".join(dict.fromkeys(each.path for each in sure))
    return [Statement(path, TEXT, expression, frozenset([expression]), sure[0].is_sure)]


def _joined_classifiers(said: Sequence[Statement]) -> list[Statement]:
    """Everything but texts; classifiers of one file that name several licences as one statement that leaves it open."""
    rest = [each for each in said if each.where not in (TEXT, CLASSIFIER)]
    by_path: dict[str, list[Statement]] = {}
    for each in said:
        if each.where == CLASSIFIER and each.meant:
            by_path.setdefault(each.path, []).append(each)
    for path, found in by_path.items():
        if len(found) == 1:
            rest += found
        else:
            names = sorted(name for each in found for name in each.meant)
            rest.append(Statement(path, CLASSIFIER, "; ".join(each.said for each in found), frozenset(names)))
    return rest
