"""Files in which a project says under which licence it stands -> what each says, and where."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from detector.artifacts.credits.licences import is_licence_name, is_own
from detector.artifacts.credits.manifests import fields, front_matter, read_toml
from detector.artifacts.licences.expressions import (
    Meant,
    Several,
    defined,
    joined,
    kept,
    meant,
    narrowest,
    tree,
    written,
)
from detector.artifacts.licences.headers import stated
from detector.artifacts.licences.texts import recognised
from detector.model import Skipped
from detector.settings.declared import MOST_MANIFEST_BYTES, MOST_MANIFEST_ENTRIES, MOST_README_BYTES
from detector.settings.licences import (
    LONGEST_STATEMENT,
    MOST_LICENCE_BYTES,
    MOST_LICENCE_FILES,
    README_SECTION,
)
from detector.targets import Files

# Kinds of statement, the most definite first.
TEXT, EXPRESSION, FIELD, REUSE, CLASSIFIER, README, CITATION, CARD, INDEX = (
    "licence text",
    "licence expression",
    "licence field",
    "REUSE",
    "classifier",
    "README",
    "citation",
    "model card",
    "index",
)
# Names of licence files that hold none: whose names and notices they list are others'.
_NO_TEXT = re.compile(
    r"(?:^|/)(?:NOTICES?|AUTHORS|COPYRIGHT|THIRD[-_]?PARTY)[\w.-]*$|REUSE\.toml$|\.reuse/dep5$|\.license$",
    re.IGNORECASE,
)
_TEXT_NAME = re.compile(r"(?:^|/)[\w .-]{0,60}(?:licen[cs]e|copying)[\w .-]{0,60}$", re.IGNORECASE)
_DATA_NAME = re.compile(
    r"\.(?:json|jsonc|ya?ml|toml|cfg|ini|sh|ipynb|csv|tsv|bin|license|in|model|html?)$", re.IGNORECASE
)
_OF_MODEL = re.compile(r"(?:^|[^a-z])(?:model|weights?|ckpt|checkpoint)(?:[^a-z]|$)|minicpm|llama|gemma", re.IGNORECASE)
_METADATA = ("METADATA", "PKG-INFO")
_HEADER = re.compile(r"([A-Za-z][A-Za-z-]*):[ \t]*(.*)")
_SETUP_LICENCE = re.compile(r"\blicen[cs]e\s*=\s*[\"']([^\"'\n]{1,200})[\"']")
_SETUP_CLASSIFIER = re.compile(r"[\"'](License :: [^\"'\n]{1,200})[\"']")
_SECTION = re.compile(
    r"^#{1,6}[ \t]*[^\n]{0,30}?licen[cs](?:e|es|ing)\b[^\n]{0,30}\n(?P<text>(?:(?!#{1,6}[ \t])[^\n]*\n?){0,12})"
    r"|^licen[cs]e[^\n]{0,20}\n[=~-]{3,}[ \t]*\n(?P<under>(?:[^\n]*\n?){0,12})",
    re.IGNORECASE | re.MULTILINE,
)
# A sentence that is nothing but an identifier with a version.
_ALONE = re.compile(
    r"(?:^|[.!?][ \t]+)([A-Z][A-Za-z]*(?:-[A-Za-z]+)*-\d[\w.-]*\w)(?:,? see [\w./ -]{1,40})?\.?[ \t]*$", re.MULTILINE
)
_CITED = re.compile(r"^licen[cs]e:[ \t]*(.*)\n?((?:[ \t]*-[ \t]+\S[^\n]*\n?)*)", re.IGNORECASE | re.MULTILINE)
_EVERYTHING = frozenset(("*", "**", "**/*", "./**"))


@dataclass(frozen=True, slots=True)
class Statement:
    """One place in which a project names its licence."""

    path: str
    where: str  # one of the kinds above
    said: str
    meant: Meant = frozenset()  # empty: named, and known under no such name
    is_sure: bool = True  # False: a text that is only like a licence's
    is_model: bool = False  # about weights, not about code
    is_whole: bool = True  # about the project, not about some of its files

    @property
    def told(self) -> str:
        """The expression, or all that it leaves open, in words."""
        is_open = len(self.meant) > 1 and not narrowest(self.meant)
        return f"one of {', '.join(sorted(self.meant))}" if is_open else self.expression

    @property
    def expression(self) -> str:
        """What it comes to, unknown names as LicenseRef-; "" if a text is none that is known."""
        return narrowest(self.meant) or ("" if self.where == TEXT else kept(self.said))


def statements(files: Files) -> list[Statement]:
    """Every statement of a project, in the order of their paths within each kind of file."""
    return [*_of_texts(files), *_of_manifests(files), *_of_notes(files)]


def _text(files: Files, path: str, most: int) -> str:
    head = files.head(path, most)
    return "" if isinstance(head, Skipped) else head.data.decode("utf-8", "replace")


def _of_texts(files: Files) -> Iterator[Statement]:
    wanted = [
        path
        for path in files.others()
        if (_TEXT_NAME.search(path) or is_licence_name(path))
        and is_own(path)
        and not _NO_TEXT.search(path)
        and not _DATA_NAME.search(path)
    ]
    for path in wanted[:MOST_LICENCE_FILES]:
        head = files.head(path, MOST_LICENCE_BYTES)
        if isinstance(head, Skipped):
            continue
        folder, _, name = path.rpartition("/")
        if folder.upper() in ("LICENSES", "LICENCES"):  # of REUSE: the name is the identifier
            known = defined(name.rpartition(".")[0] or name)
            if known:
                yield Statement(path, REUSE, name, frozenset([known]), is_whole=False)
                continue
        yield from _of_text(path, head.data)


def _of_text(path: str, data: bytes) -> Iterator[Statement]:
    is_model = _OF_MODEL.search(path.rpartition("/")[2]) is not None
    found = recognised(data)
    whole = [each for each in found if each.share == 1]
    # A text of its own names another one as often as not: a notice counts where it is all there is.
    named = stated(data.decode("utf-8", "replace")) if not whole and len(data) <= 4_000 else frozenset()
    if named:
        yield Statement(path, TEXT, "a notice that names it", named, is_model=is_model)
    elif not found:
        yield Statement(path, TEXT, "a text that is not known", is_model=is_model)
    for each in found if not named else ():
        said = "the text" if each.is_sure else "its text, and more" if each.share == 1 else "a text that is like it"
        yield Statement(
            path, TEXT, said, each.meant, each.is_sure, is_model or each.licence.startswith("LicenseRef-llama")
        )


def _of_manifests(files: Files) -> Iterator[Statement]:
    for path in files.others():
        name = path.rpartition("/")[2]
        if path.count("/") > (1 if name in _METADATA else 0) and path != ".reuse/dep5":
            continue
        if name in _METADATA:
            yield from _of_metadata(path, _text(files, path, MOST_MANIFEST_BYTES))
        elif name == "pyproject.toml":
            yield from _of_pyproject(path, read_toml(_text(files, path, MOST_MANIFEST_BYTES)))
        elif name == "setup.cfg":
            yield from _of_setup_cfg(path, _text(files, path, MOST_MANIFEST_BYTES))
        elif name == "CITATION.cff":
            yield from _of_citation(path, _text(files, path, MOST_MANIFEST_BYTES))
        elif name == "REUSE.toml":
            yield from _of_reuse(path, read_toml(_text(files, path, MOST_MANIFEST_BYTES)))
        elif path == ".reuse/dep5":
            yield from _of_dep5(path, _text(files, path, MOST_MANIFEST_BYTES))
    if "setup.py" in files.paths():
        text = _text(files, "setup.py", MOST_MANIFEST_BYTES)
        called = text[max(text.find("setup("), 0) :]
        yield from (_field("setup.py", found[1]) for found in [_SETUP_LICENCE.search(called)] if found)
        yield from _classifiers("setup.py", _SETUP_CLASSIFIER.findall(text))


def _field(path: str, said: str, where: str = FIELD) -> Statement:
    """A free field: an expression, a name in any words, or the whole text."""
    words = " ".join(said.split())
    if len(words) > LONGEST_STATEMENT:
        found = [each for each in recognised(said.encode("utf-8", "replace")) if each.share == 1]
        expression = joined([narrowest(each.meant) for each in found])
        known = found[0].meant if len(found) == 1 else frozenset(filter(None, [expression]))
        if known:
            return Statement(path, where, "the text", known)
    return Statement(path, where, words[:LONGEST_STATEMENT], meant(words))


def _expression(path: str, said: str, where: str = EXPRESSION, *, is_whole: bool = True) -> Statement:
    """Where SPDX defines what is written."""
    known = defined(said)
    return Statement(
        path, where, " ".join(said.split())[:LONGEST_STATEMENT], frozenset(filter(None, [known])), is_whole=is_whole
    )


def _classifiers(path: str, given: list[str]) -> Iterator[Statement]:
    """Classifiers that name a licence; of several nothing says whether one may choose."""
    for said in dict.fromkeys(given[:MOST_MANIFEST_ENTRIES]):
        if said.startswith("License :: ") and said.strip() != "License :: OSI Approved":
            yield Statement(path, CLASSIFIER, said.strip()[:LONGEST_STATEMENT], meant(said))


def _of_metadata(path: str, text: str) -> Iterator[Statement]:
    """Source: PyPA core metadata 2.4."""
    headers: list[tuple[str, str]] = []
    for line in re.split(r"\r\n|\r|\n", text)[:MOST_MANIFEST_ENTRIES]:
        found = _HEADER.fullmatch(line)
        if not line.strip():
            break
        if found and not line[:1].isspace():
            headers.append((found[1].lower(), found[2]))
        elif headers:
            headers[-1] = headers[-1][0], f"{headers[-1][1]}\n{line}"
    for name, value in headers:
        if name == "license-expression" and value.strip():
            yield _expression(path, value)
        elif name == "license" and value.strip().lower() not in ("", "unknown"):
            yield _field(path, value)
    yield from _classifiers(path, [value for name, value in headers if name == "classifier"])


def _of_pyproject(path: str, document: dict[str, Any]) -> Iterator[Statement]:
    project, tool = document.get("project"), document.get("tool")
    poetry = tool.get("poetry") if isinstance(tool, dict) else None
    for given in (project, poetry):
        if not isinstance(given, dict):
            continue
        licence = given.get("license")
        if isinstance(licence, str):
            yield _expression(path, licence) if given is project and defined(licence) else _field(path, licence)
        elif isinstance(licence, dict) and isinstance(licence.get("text"), str):
            yield _field(path, licence["text"])
        listed = given.get("classifiers")
        yield from _classifiers(
            path, [each for each in listed if isinstance(each, str)] if isinstance(listed, list) else []
        )


def _of_setup_cfg(path: str, text: str) -> Iterator[Statement]:
    for key, value in fields(text, "="):
        if key == "license":
            yield _field(path, value)
            break
    yield from _classifiers(
        path, [line.strip() for line in text.splitlines() if line.strip().startswith("License :: ")]
    )


def _of_citation(path: str, text: str) -> Iterator[Statement]:
    """Source: Citation File Format 1.2: of a list one may choose."""
    found = _CITED.search(text)
    if found is None:
        return
    listed = re.findall(r"-[ \t]+[\"']?([^\"'\n]+)", found[2]) if not found[1].strip() else [found[1].strip(" \t\"'")]
    trees = [each for each in (tree(defined(one.strip())) for one in listed) if each is not None]
    known = [written(Several(True, tuple(trees)) if len(trees) > 1 else trees[0])] if trees else []
    yield Statement(path, CITATION, ", ".join(listed)[:LONGEST_STATEMENT], frozenset(known))


def _of_reuse(path: str, document: dict[str, Any]) -> Iterator[Statement]:
    """Source: REUSE 3.3."""
    tables = document.get("annotations")
    for table in tables[:MOST_MANIFEST_ENTRIES] if isinstance(tables, list) else ():
        if isinstance(table, dict):
            paths, said = table.get("path"), table.get("SPDX-License-Identifier")
            covered = paths if isinstance(paths, list) else [paths]
            whole = any(isinstance(each, str) and each in _EVERYTHING for each in covered)
            for one in said if isinstance(said, list) else [said]:
                if isinstance(one, str):
                    yield _expression(path, one, REUSE, is_whole=whole)


def _of_dep5(path: str, text: str) -> Iterator[Statement]:
    covered = ""
    for key, value in fields(text, ":"):
        if key == "files":
            covered = value
        elif key == "license" and covered:
            yield _expression(path, value, REUSE, is_whole=covered in _EVERYTHING)


def _of_notes(files: Files) -> Iterator[Statement]:
    for path, data in sorted(files.notes().items()):
        name = path.rpartition("/")[2].upper()
        if "/" in path or not name.startswith(("README", "MODEL")):
            continue
        text = data[:MOST_README_BYTES].decode("utf-8", "replace").replace("\r\n", "\n")
        card = front_matter(text)
        for said in card.get("license", ()):
            named = card.get("license_name", ()) if said.lower() == "other" else ()
            told = named[0] if named else said
            yield Statement(path, CARD, told[:LONGEST_STATEMENT], meant(told), is_model=True)
        yield from _of_readme(path, text)


def _of_readme(path: str, text: str) -> Iterator[Statement]:
    """A section on the licence, or else a sentence that is nothing but an identifier."""
    found = _SECTION.search(text)
    section = (found["text"] or found["under"] or "")[:README_SECTION] if found else ""
    known = stated(section)
    alone = _ALONE.findall(text) if not known and found is None else []
    if known:
        yield Statement(path, README, " ".join(section.split())[:LONGEST_STATEMENT], known)
    elif len(alone) == 1 and meant(alone[0]):
        yield Statement(path, README, alone[0][:LONGEST_STATEMENT], meant(alone[0]))
