"""`scan.toml`: which sources are scanned, what they are compared with, what is told, and where it goes."""

from __future__ import annotations

import difflib
import json
import os
import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import NoReturn, TypeVar

from detector.model import Strength, UserError
from detector.report.names import elided, visible
from detector.settings.scanning import MOST_CANDIDATES, MOST_PLAN_BYTES

KINDS = ("hf", "ms", "git", "folder")
FORGES = ("github", "gitlab", "gitea")
LEVELS = ("weak", "moderate", "strong", "very-strong")
OCCURRENCES = ("found", "changed", "gone", "returned", "accepted", "reopened", "vanished", "gated", "failed")
_KEYS: dict[str, frozenset[str]] = {
    "hf": frozenset({"organisation", "search", "tags", "everything", "since"}),
    "ms": frozenset({"organisation", "search", "everything", "since"}),
    "git": frozenset({"urls", "forge", "address", "since"}),
    "folder": frozenset({"path"}),
}
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}:\d{2}Z)?")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
Table = Mapping[str, object]
Wanted = TypeVar("Wanted")


@dataclass(frozen=True, slots=True)
class Source:
    """Where members come from."""

    kind: str  # one of KINDS
    organisation: str = ""
    search: str = ""
    tags: tuple[str, ...] = ()
    is_everything: bool = False
    since: str = ""  # what was changed before is never looked at
    urls: tuple[str, ...] = ()
    forge: str = ""
    address: str = ""
    path: str = ""  # a pattern; each folder or archive that it matches is a member

    @property
    def identity(self) -> str:
        """What its cursor is kept under: another question to the same hub is another source."""
        told = [self.kind, self.organisation, self.search, *self.tags, self.forge, self.address, self.path, *self.urls]
        return json.dumps([*told, self.is_everything])

    @property
    def about(self) -> str:
        """The source in a few words."""
        which = self.organisation or self.search or self.address or self.path or " ".join(self.tags)
        return f"{self.kind} {which or (f'{len(self.urls)} addresses' if self.urls else 'everything')}"


@dataclass(frozen=True, slots=True)
class Webhook:
    """Who is told of what happens, and how they know that it is us."""

    url: str
    secret_variable: str  # of the environment
    kinds: frozenset[str]


@dataclass(frozen=True, slots=True)
class Plan:
    """A scan, as its file describes it. Paths are absolute."""

    name: str
    store: Path
    index: Path | None
    output: Path
    sources: tuple[Source, ...]
    fail_on: Strength
    most_candidates: int
    webhooks: tuple[Webhook, ...]


def read(file: Path) -> Plan:
    """Read a plan.

    Errors: UserError, one line, for what is missing, unknown or wrong; nothing is done then.
    """
    try:
        with file.open("rb") as opened:
            data = opened.read(MOST_PLAN_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UserError(f"{file}: cannot be read: {reason}; name the file that describes the scan") from None
    if len(data) > MOST_PLAN_BYTES:
        raise UserError(f"{file}: is larger than {MOST_PLAN_BYTES >> 20} MB; put lists of addresses into several scans")
    try:
        document = tomllib.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise UserError(f"{file}: is no TOML: {elided(visible(str(error)), 200)}") from None
    try:
        return _plan(document, Path(os.path.abspath(file)).parent, file.stem)
    except UserError as error:
        raise UserError(visible(f"{file}: {error}")) from None


def _plan(document: Table, folder: Path, stem: str) -> Plan:
    _require_known(
        document, {"name", "store", "index", "output", "fail-on", "most-candidates", "source", "webhook"}, ""
    )
    sources = tuple(_source(each, number, folder) for number, each in enumerate(_tables(document, "source"), 1))
    if not sources:
        raise UserError('no source: add a table [[source]] with kind = "hf", "ms", "git" or "folder"')
    name = _text(document, "name", "") or stem
    index = _text(document, "index", "")
    level = _text(document, "fail-on", "", "moderate")
    if level not in LEVELS:
        raise UserError(f"fail-on: is {level!r}, where one of {', '.join(LEVELS)} is needed")
    most = document.get("most-candidates", MOST_CANDIDATES)
    if not isinstance(most, int) or isinstance(most, bool) or not 1 <= most <= 100:
        raise UserError("most-candidates: a whole number from 1 to 100 is needed")
    return Plan(
        name,
        folder / (_text(document, "store", "") or f"{stem}.db"),
        folder / index if index else None,
        folder / (_text(document, "output", "") or f"{stem}-output"),
        sources,
        Strength(level.replace("-", " ")),
        most,
        tuple(_webhook(each, number) for number, each in enumerate(_tables(document, "webhook"), 1)),
    )


def _source(table: Table, number: int, folder: Path) -> Source:
    place = f"source {number}"
    kind = table.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise UserError(f"{place}: kind must be one of {', '.join(KINDS)}")
    _require_known(table, _KEYS[kind] | {"kind"}, f"{place}: ")
    since = _date(table, place)
    if since and not _DATE.fullmatch(since):
        raise UserError(f"{place}: since: write a date as 2026-01-31 or 2026-01-31T12:00:00Z")
    everything = table.get("everything", False)
    if not isinstance(everything, bool):
        raise UserError(f"{place}: everything: true or false is needed")
    path = _text(table, "path", place)
    source = Source(
        kind,
        _text(table, "organisation", place),
        _text(table, "search", place),
        _texts(table, "tags", place),
        everything,
        since,
        _texts(table, "urls", place),
        _text(table, "forge", place),
        _text(table, "address", place),
        str(folder / path) if path else "",
    )
    _require_whole(source, place)
    return source


def _require_whole(source: Source, place: str) -> None:
    """Refuse a source that names nothing, or two things."""
    if source.kind in ("hf", "ms"):
        named = bool(source.organisation or source.search or source.tags)
        if named == source.is_everything:
            raise UserError(f"{place}: name an organisation, a search or tags, or else everything = true")
        if source.is_everything and not source.since:
            raise UserError(f"{place}: everything on a hub: say from when on: since = 2026-01-31")
    elif source.kind == "git":
        if bool(source.urls) == bool(source.forge or source.address):
            raise UserError(f"{place}: name urls, or a forge and the address of an organisation there")
        if not source.urls and (source.forge not in FORGES or not source.address.startswith(("https://", "http://"))):
            raise UserError(
                f'{place}: an organisation needs forge ({", ".join(FORGES)}) and address = "https://HOST/ORGANISATION"'
            )
    elif not source.path:
        raise UserError(f'{place}: a folder needs path = "models/*"')


def _webhook(table: Table, number: int) -> Webhook:
    place = f"webhook {number}"
    _require_known(table, {"url", "secret-variable", "kinds"}, f"{place}: ")
    url, variable = _text(table, "url", place), _text(table, "secret-variable", place)
    if not url.startswith(("https://", "http://")):
        raise UserError(f"{place}: url: an address that begins with https:// is needed")
    if not _VARIABLE.fullmatch(variable):
        raise UserError(f"{place}: secret-variable: name the variable of the environment that holds its secret")
    kinds = _texts(table, "kinds", place) or ("found", "changed", "returned")
    for kind in kinds:
        if kind not in OCCURRENCES:
            raise UserError(f"{place}: kinds: {kind!r} is none of {', '.join(OCCURRENCES)}")
    return Webhook(url, variable, frozenset(kinds))


def _tables(document: Table, name: str) -> list[Table]:
    found = document.get(name, [])
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise UserError(f"{name}: write each as a table [[{name}]]")
    return found


def _text(table: Table, name: str, place: str, default: str = "") -> str:
    value = table.get(name, default)
    if not isinstance(value, str) or "\0" in value:
        raise UserError(f"{place + ': ' if place else ''}{name}: a text is needed")
    return value


def _date(table: Table, place: str) -> str:
    """A date as text; TOML has dates of its own."""
    value = table.get("since", "")
    if isinstance(value, datetime):
        return (value.astimezone(UTC) if value.tzinfo else value).strftime("%Y-%m-%dT%H:%M:%SZ")
    return value.isoformat() if isinstance(value, date) else _text(table, "since", place)


def date_of(text: str, option: str) -> str:
    """A date that was typed.

    Errors: UserError.
    """
    if not _DATE.fullmatch(text):
        raise UserError(f"{option} {elided(visible(text), 40)}: write a date as 2026-01-31 or 2026-01-31T12:00:00Z")
    return text


def _texts(table: Table, name: str, place: str) -> tuple[str, ...]:
    value = table.get(name, [])
    if not isinstance(value, list) or not all(isinstance(each, str) and each and "\0" not in each for each in value):
        raise UserError(f"{place}: {name}: a list of texts is needed")
    return tuple(value)


def _require_known(table: Table, known: Collection[str], place: str) -> None:
    for name in table:
        if name not in known:
            _unknown(f"{place}{name}", name, known)


def _unknown(place: str, name: str, known: Collection[str]) -> NoReturn:
    near = difflib.get_close_matches(name, sorted(known), 1, 0)
    raise UserError(f"{elided(place, 200)}: no such key; the nearest is {near[0]}" if near else f"{place}: no such key")
