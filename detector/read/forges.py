"""Repositories of an organisation or a user on a git forge: GitHub, GitLab, Gitea and what speaks like these."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from detector.model import UserError
from detector.read.fetch import remote_head
from detector.read.hub_requests import Server, Words
from detector.read.limits import LISTING_SILENCE_SECONDS, MAX_MEMBERS
from detector.read.listing import CannotRead
from detector.read.names import printable
from detector.read.recent import in_utc, since_then
from detector.read.refusals import ExhaustedError, VanishedError
from detector.scanned import Listed

__all__ = ["listed", "remote_head"]

_PART = re.compile(r"[A-Za-z0-9_][\w.-]*", re.ASCII)
_REPOSITORY = re.compile(r"[\w.-]+(?:/[\w.-]+)+", re.ASCII)
_WHERE = "name an organisation or a user by its page, as in https://HOST/NAME"

Repository = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Forge:
    """How one kind of forge is asked."""

    token: str  # variable of the environment
    site: str  # ... and the one that says to whom the token belongs, as its CI sets it
    home: str  # who that is where none is named; "" if nobody
    scheme: str  # of the token
    interface: str  # where its interface begins
    listings: tuple[str, ...]  # of a group, then of a user
    is_in_order: bool  # the last changes first
    modified: tuple[str, ...]  # what tells when a repository was changed, the best first
    address: str  # what tells where it is cloned from
    path: str  # what tells its full name


_FORGES = {
    "github": _Forge(
        "GITHUB_TOKEN",
        "GITHUB_SERVER_URL",
        "https://github.com",
        "Bearer",
        "/api/v3",
        tuple(f"/{kind}/{{}}/repos?sort=pushed&direction=desc&per_page=100" for kind in ("orgs", "users")),
        True,
        ("pushed_at", "updated_at"),
        "clone_url",
        "full_name",
    ),
    "gitlab": _Forge(
        "GITLAB_TOKEN",
        "CI_SERVER_URL",
        "https://gitlab.com",
        "Bearer",
        "/api/v4",
        tuple(
            f"/{kind}/{{}}/projects?order_by=last_activity_at&sort=desc&per_page=100{more}"
            for kind, more in (("groups", "&include_subgroups=true&with_shared=false"), ("users", ""))
        ),
        True,
        ("last_activity_at", "updated_at"),
        "http_url_to_repo",
        "path_with_namespace",
    ),
    "gitea": _Forge(
        "GITEA_TOKEN",
        "GITEA_SERVER_URL",
        "",
        "token",
        "/api/v1",
        ("/orgs/{}/repos?limit=50", "/users/{}/repos?limit=50"),
        False,
        ("updated_at",),
        "clone_url",
        "full_name",
    ),
}


def listed(forge: str, address: str, since: str = "", most: int | None = None) -> Iterator[Listed]:
    """Repositories that were changed at `since` or later (ISO 8601 in UTC), the last one first, each with its commit.

    The commit is that of the default branch, as git finds it; "" where git finds none.
    Ties:   what was changed at the very time `since` is listed again: one more may have been changed then.
    Errors: UserError in one line; VanishedError where nobody is called that, ExhaustedError where the forge takes no
            more requests.
    """
    kind = _FORGES.get(forge)
    if kind is None:
        raise UserError(f"{printable(forge)}: no such forge: name one of {', '.join(_FORGES)}")
    root, name = _split(forge, address)
    server, is_gone = _server(kind, root)
    try:
        pages = _pages(server, kind, name, is_gone)
        if not kind.is_in_order:
            everything = [repository for page in pages for repository in page]
            pages = iter([sorted(everything, key=lambda each: _modified(kind, each), reverse=True)])
        seen: set[str] = set()
        for repository in since_then(pages, lambda each: _modified(kind, each), since, most):
            member = _address(kind, root, repository)
            if member not in seen:  # what is changed meanwhile moves the rest to a later page
                seen.add(member)
                created = in_utc(repository.get("created_at"))
                yield Listed(member, _commit(member), _modified(kind, repository), created)
    except CannotRead as error:
        told = str(error)
        refusals: dict[str, type[UserError]] = {is_gone: VanishedError, server.words.statuses[429]: ExhaustedError}
        raise refusals.get(told, UserError)(f"{printable(address)}: {told}") from None


def _split(forge: str, address: str) -> tuple[str, str]:
    """The forge and who is there; a forge can be below a path but for GitLab, whose groups are such paths."""
    try:
        parts = urlsplit(address)
        is_plain = parts.scheme in ("https", "http") and parts.hostname and not parts.query and not parts.fragment
        port = parts.port
    except ValueError:
        is_plain = False
    names = parts.path.strip("/").split("/") if is_plain else []
    if not is_plain or "@" in parts.netloc or not all(_PART.fullmatch(each) for each in names):
        raise UserError(f"{printable(address)}: not an address of a forge: {_WHERE}")
    host = f"{parts.hostname}:{port}" if port else str(parts.hostname)
    host = "github.com" if host == "www.github.com" else host
    prefix, name = ([], names) if forge == "gitlab" else (names[:-1], names[-1:])
    return "/".join([f"{parts.scheme}://{host}", *prefix]), "/".join(name)


def _server(kind: _Forge, root: str) -> tuple[Server, str]:
    """Who is asked, and what is said where nobody is called that.

    A token is shown to the one whose it is, and to nobody whom an address leads to.
    """
    whose = (os.environ.get(kind.site) or kind.home).rstrip("/").lower()
    token = os.environ.get(kind.token, "").strip()
    if token and not (token.isascii() and token.isprintable()):
        raise UserError(f"no token looks like that: set {kind.token} anew")
    is_known = bool(token) and root == whose
    host = urlsplit(root).netloc
    hint = "" if is_known else f"; a token for it goes into {kind.token}, with {kind.site}={root}"
    is_gone = f"there is no such organisation or user, or it is private: check the address{hint}"
    statuses = {
        401: f"{host} does not take this token: set {kind.token} anew, or unset it",
        403: f"{host} does not let us list it{hint}",
        404: is_gone,
        429: f"{host} takes no more requests now: try again later{hint}",
    }
    words = Words(host, "the address", statuses)
    is_github = root == "https://github.com"
    interface = "https://api.github.com" if is_github else root + kind.interface
    known = {"authorization": f"{kind.scheme} {token}"} if is_known else {}
    return Server(interface, known, words, LISTING_SILENCE_SECONDS), is_gone


def _pages(server: Server, kind: _Forge, name: str, is_gone: str) -> Iterator[Sequence[Repository]]:
    """All pages of the first listing that there is of somebody."""
    count, visited = 0, set()
    for number, listing in enumerate(kind.listings, 1):
        url = server.endpoint + listing.format(quote(name, safe=""))
        while url:
            if url in visited:
                raise CannotRead(f"{server.words.who} lists in a circle")
            visited.add(url)
            try:
                entries, url = server.page(url)
            except CannotRead as error:
                if str(error) != is_gone or count or number == len(kind.listings):
                    raise
                break
            if not isinstance(entries, list):
                raise CannotRead(f"{server.words.who} lists no repositories: check the address, and which forge it is")
            if not entries:
                return
            count += len(entries)
            if count > MAX_MEMBERS:
                raise CannotRead(f"it has more than {MAX_MEMBERS:,} repositories: name smaller groups")
            yield [each for each in entries if isinstance(each, dict)]
        else:
            return


def _modified(kind: _Forge, repository: Repository) -> str:
    return next(filter(None, (in_utc(repository.get(name)) for name in kind.modified)), "")


def _address(kind: _Forge, root: str, repository: Repository) -> str:
    """Where a repository is cloned from: at this forge and nowhere else, whatever it says."""
    path = repository.get(kind.path)
    path = path if isinstance(path, str) else ""
    usual = f"{root}/{path}.git"
    if _REPOSITORY.fullmatch(path) and ".." not in path:
        # What was named as http:// may say that it is https://, and nothing else.
        secure = f"https://{usual.partition('://')[2]}"
        return secure if repository.get(kind.address) == secure else usual
    raise CannotRead(f"it lists a repository that cannot be one ({printable(path)[:100]!r})")


def _commit(address: str) -> str:
    try:
        return remote_head(address)
    except UserError:
        return ""  # whoever opens it is told why
