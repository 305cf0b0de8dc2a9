"""A match -> the comment that declares it, in the form that this detector's own reader honours."""

from __future__ import annotations

import re
from collections.abc import Collection

from detector.model import CloneType, Match
from detector.settings.licences import LONGEST_CREDITED

# What may stand in a comment: no blanks, brackets, colons and equals signs, so that a stranger's name is one word, and
# no instruction to a tool that reads comments, Python's own `coding` included.
_KEPT = re.compile(r"[^\w./@~+-]+")
# Where a folder of sources only holds packages, their names begin below it.
_SOURCES = re.compile(r"^(?:src|lib|python)/(?=[^/]+/)")
_SCHEME = re.compile(r"(?:[a-z]{2,8}\+)?(?:https?|ssh|git)://(?:[^/@\s]{1,100}@)?|git@", re.IGNORECASE)
_PREFIX = re.compile(r"(pypi|hf|ms):(?=[^/\\])")
_REVISION_DIGITS = 12  # of a commit id: enough to look it up
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


def credit(match: Match, target: str, revision: str, names: Collection[str] = ()) -> str:
    """Write the comment to paste above the suspect's function: what it comes from, whence, and under which licence.

    target, revision: of the reference. names: by which it is known; one is put in where nothing else says one.
    Two lines at most; characters that could end a comment or be an instruction in one are left out.
    """
    verb = "Copied" if match.clone_type is CloneType.LAYOUT else "Adapted"
    source = _module(match.reference.path, match.reference.qualname)
    at = f" at {_word(_revision(revision))}" if revision and revision not in target else ""
    place = f"{_place(target)}{at}"
    known = sorted(names)
    if known and not _has_name(f"{source} {place}", known):
        place += f", {_word(known[0])}"
    licence = match.terms.reference if match.terms else ""
    return f"# {verb} from {source}\n# of {place}{f', under {_words(licence)}' if licence else ''}"


def _has_name(text: str, names: Collection[str]) -> bool:
    from detector.artifacts.credits.naming import words

    return not words(text).isdisjoint(names)


def _module(path: str, qualname: str) -> str:
    """`src/heronvl/slicing.py`, `plan` -> `heronvl.slicing.plan`, as comments of published code have it."""
    parts = _SOURCES.sub("", path).removesuffix(".pyw").removesuffix(".py").removesuffix("/__init__").split("/")
    name = ".".join(_word(part).replace(".", "-") for part in parts if part not in ("", ".", ".."))
    return _cut(f"{name}.{_word(qualname.replace('<', '').replace('>', ''))}".strip("."))


def _place(target: str) -> str:
    """An address without what logs in; of a path on somebody's machine its last part alone."""
    if found := _SCHEME.match(target):
        address = re.split(r"[?#]", target[found.end() :])[0].replace(":", "/")
        return _cut(_word(address).removesuffix(".git"))
    if found := _PREFIX.match(target):
        return _cut(f"{found[1]} {_word(target[found.end() :])}")
    return _cut(_word(re.split(r"[\\/]", target.rstrip("\\/"))[-1]))


def _revision(revision: str) -> str:
    return revision[:_REVISION_DIGITS] if _COMMIT.fullmatch(revision) else revision


def _word(text: str) -> str:
    """A stranger's text as one word of a comment."""
    plain = "".join(each for each in text[: 4 * LONGEST_CREDITED] if each.isprintable() and not each.isspace())
    return _KEPT.sub("-", plain).strip("-") or "unnamed"


def _words(text: str) -> str:
    return " ".join(map(_word, text.replace("(", " ").replace(")", " ").split()))[:LONGEST_CREDITED]


def _cut(text: str) -> str:
    """The end of what is too long, from the beginning of one of its parts where it has any."""
    if len(text) <= LONGEST_CREDITED:
        return text
    # Of a part that is cut through nothing is kept, unless there is nothing else.
    kept = text[-LONGEST_CREDITED - 1 :]
    border = re.search(r"[./]", kept)
    return (kept[border.end() :] if border else "").lstrip(".-/") or kept[1:].strip(".-/")
