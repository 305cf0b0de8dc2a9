"""Everything in which a project says where it comes from: notes, cards, citations, submodules, commits, comments."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from detector.artifacts import bounded_json
from detector.artifacts.credits import manifests, remarks
from detector.artifacts.credits.claims import claims, may_claim
from detector.artifacts.credits.licences import is_licence_name
from detector.model import Skipped
from detector.settings.dangling import MOST_FILE_NAMES
from detector.settings.declared import (
    LONGEST_DECLARATION,
    LONGEST_MESSAGE,
    MOST_CLAIMING_LETTERS,
    MOST_MANIFEST_BYTES,
    MOST_MESSAGES,
    MOST_NOTICE_FILES,
)
from detector.targets import Repo


@dataclass(frozen=True, slots=True)
class Declaration:
    """One place in which a project names a source of its own."""

    path: str  # "commit 0123456789ab" for a message of a history
    line: int
    where: str  # "comment", "note", "notice", "model card", "citation", "submodule", "commit", "configuration"
    said: str
    source: str  # the part of it that names
    is_claim: bool = True  # not of what a program writes by itself


_INCLUSION = re.compile(
    r"\b(?:includes?|contains?|incorporates?|bundles?|uses)[ ](?:\w+[ ]){0,4}?"
    r"(?:software|code|portions|parts|material|components?|works?|files?)\b[^.\n]{0,60}?"
    r"\b(?:from|by|at|of)\b(?P<source>[^\n]{1,300})",
    re.IGNORECASE,
)
_TRAILER = re.compile(
    r"^(?:Source|Origin|Original-repo(?:sitory)?|Upstream(?:-repo(?:sitory)?)?|Git-repo|From-repo"
    r"|(?:Based|Copied|Adapted|Ported|Forked|Imported|Backported|Cherry-picked|Picked|Derived)-(?:from|on))"
    r"\s*:\s*(?P<source>\S[^\n]{0,300})$",
    re.IGNORECASE | re.MULTILINE,
)
_MERGED = re.compile(r"^Merge (?:(?:remote-tracking )?branch|tag|commit)[^\n]{0,100}? of (?P<source>\S{1,300})", re.I)
_PICKED = re.compile(r"^\(cherry picked from commit (?P<source>[0-9a-f]{7,64})\)$", re.MULTILINE)
_BASE_KEYS = ("base_model", "base_model_name_or_path")
_CONFIGURATIONS = frozenset({"config.json", "adapter_config.json"})
# Larger files are data, and nothing else reads them either.
MOST_PYTHON_BYTES = 5_000_000

_ADDRESS = re.compile(r"(?:https?:|^:?)//\S|\bgithub\.com/|\bgit@\w|\]\(\S")
_PAPER = re.compile(
    r"arxiv|doi\.org|aclanthology|aclweb|openreview|wikipedia|proceedings|/papers?\b|\.pdf\b|semanticscholar|sciencedirect"
    r"|springer|ieee|acm\.org|thecvf|nature\.com|biorxiv|jmlr|\bet al\b",
    re.IGNORECASE,
)
_PLACE = re.compile(r"\b[A-Za-z_]\w*(?:\.[A-Za-z_]\w*){2,}|\b[\w-]+(?:/[\w.-]+)*/[\w-]+\.py\b")
_TAKING = re.compile(r"^(?:copied|copy|adapted|adopted|ported|borrowed|forked|taken)\b", re.IGNORECASE)


def declarations(project: Repo) -> tuple[list[Declaration], list[Skipped]]:
    """All declarations of a project, comments of Python last, and what could not be read for it."""
    found, skipped = project_declarations(project)
    return [*found, *_of_comments(project)], skipped


def project_declarations(project: Repo) -> tuple[list[Declaration], list[Skipped]]:
    """Those that are about the project; of a claim that goes on over several names, one for each part."""
    skipped: list[Skipped] = []
    return [*_of_notes(project), *_of_other_files(project, skipped), *_of_messages(project, skipped)], skipped


def _of_notes(project: Repo) -> Iterator[Declaration]:
    for path, data in project.files.notes().items():
        text = data.decode("utf-8", "replace")
        for claim in islice(claims(text), MOST_FILE_NAMES):
            yield Declaration(path, claim.line, "note", claim.sentence, claim.source)
        card = manifests.front_matter(text)
        for model in (each for key in _BASE_KEYS for each in card.get(key, ())):
            line = text[: max(text.find(model), 0)].count("\n") + 1
            yield Declaration(path, line, "model card", f"base_model: {model}", model)


def _of_other_files(project: Repo, skipped: list[Skipped]) -> Iterator[Declaration]:
    wanted = [path for path in project.files.others() if _sort(path)]
    for path in wanted[:MOST_NOTICE_FILES]:
        head = project.files.head(path, MOST_MANIFEST_BYTES)
        if isinstance(head, Skipped):
            skipped.append(head)
            continue
        text = head.data.decode("utf-8", "replace")
        sort = _sort(path)
        if sort == "configuration":
            yield from _of_configuration(path, text)
        elif sort == "notice":
            for found in islice(_INCLUSION.finditer(text), MOST_FILE_NAMES):
                yield Declaration(path, text.count("\n", 0, found.start()) + 1, sort, found[0], found["source"])
        else:
            read = manifests.citations if sort == "citation" else manifests.submodules
            for line, source in read(text):
                yield Declaration(path, line, sort, source, source)
    if len(wanted) > MOST_NOTICE_FILES:
        left = f"{len(wanted) - MOST_NOTICE_FILES:,} more files that may declare something are not read"
        skipped.append(Skipped(wanted[MOST_NOTICE_FILES], left))


def _sort(path: str) -> str:
    """What a file that is not Python may declare by, "" if it declares nothing."""
    name = path.rpartition("/")[2]
    if name == "CITATION.cff":
        return "citation"
    if name == ".gitmodules":
        return "submodule"
    if name in _CONFIGURATIONS:
        return "configuration"
    return "notice" if is_licence_name(path) else ""


def _of_configuration(path: str, text: str) -> Iterator[Declaration]:
    config = bounded_json.mapping(text.encode())
    for key in (*_BASE_KEYS, "_name_or_path"):
        given = config.get(key)
        if isinstance(given, str) and given:
            line = text[: max(text.find(f'"{key}"'), 0)].count("\n") + 1
            # Programs write `_name_or_path` by themselves: what was loaded last, not what anybody credits.
            yield Declaration(path, line, "configuration", f"{key}: {given}", given, is_claim=key in _BASE_KEYS)


def _of_messages(project: Repo, skipped: list[Skipped]) -> Iterator[Declaration]:
    if project.history is None:
        return
    commits = project.history.commits()
    letters = left = 0
    for commit in islice(commits, MOST_MESSAGES):
        text = commit.message[:LONGEST_MESSAGE]
        place = f"commit {commit.id[:12]}"
        yield from _of_trailers(place, text)
        if may_claim(text):
            letters += len(text)
            left += letters > MOST_CLAIMING_LETTERS
            if letters <= MOST_CLAIMING_LETTERS:
                for claim in islice(claims(text), MOST_FILE_NAMES):
                    yield Declaration(place, 0, "commit", claim.sentence, claim.source)
    left += max(len(commits) - MOST_MESSAGES, 0)
    if left:
        skipped.append(Skipped("history", f"{left:,} messages of commits are not read"))


def _of_trailers(place: str, text: str) -> Iterator[Declaration]:
    for pattern in (_TRAILER, _MERGED, _PICKED):
        for found in pattern.finditer(text):
            yield Declaration(place, 0, "commit", found[0], found["source"])


def _of_comments(project: Repo) -> Iterator[Declaration]:
    for path in project.files.paths():
        head = project.files.head(path, MOST_PYTHON_BYTES)
        if not isinstance(head, Skipped) and remarks.may_claim(head.data):
            yield from islice(_of_remarks(path, head.data), MOST_FILE_NAMES)


def _of_remarks(path: str, data: bytes) -> Iterator[Declaration]:
    for remark in remarks.remarks(data):
        line, counted = remark.line, 0
        for claim in remarks.claims(remark.text):
            line, counted = line + remark.text.count("\n", counted, claim.start), claim.start
            yield Declaration(path, line, "comment", claim.said, claim.source)


def is_resolvable(found: Declaration) -> bool:
    """Whether what it names can be looked up without knowing the reference: an address, or a module of somebody.

    "computed based on self.config.x" names a value: only what was copied, adapted or the like is a module. Papers are
    ideas.
    """
    if found.where not in ("comment", "note", "commit"):
        return True
    source = found.source.partition("\n")[0] if found.source.strip(" :\n")[:4] != "http" else found.source
    if not source.strip(" :*`'\""):  # the address stands in the next line
        source = found.source
    if _PAPER.search(source):
        return False
    if _ADDRESS.search(source):
        return True
    place = _PLACE.search(source)
    return (
        place is not None
        and _TAKING.match(found.said) is not None
        and not place[0].startswith(("self.", "cls.", "cfg.", "config.", "args."))
    )


def target(found: Declaration) -> str:
    """What a declaration names, as briefly as it can be looked up."""
    source = found.source.strip(" :*`'\"\n")
    if found.where in ("comment", "note", "commit", "notice"):
        address = re.search(r"(?:https?:)?//[^\s)\]>\"'`]{3,200}", source)
        link = re.search(r"\[([^\]]{1,100})\]", source)
        place = address or _PLACE.search(source) or link
        source = place[1 if place is link else 0].lstrip("/").rstrip(".,;") if place else " ".join(source.split()[:6])
    return source[:LONGEST_DECLARATION]
