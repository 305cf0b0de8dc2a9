"""Requests to hubs and forges: bounded bytes, bounded time, a bounded number of tries; parts of files by range.

All of them go through the session of the one client that is always there. Address, token and time-out are those of the
hub's own client, as the user has configured it.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urljoin, urlsplit

from detector.read.limits import (
    HUB_LONGEST_WAIT_SECONDS,
    HUB_REQUEST_SECONDS,
    HUB_SLOWEST_BYTES,
    HUB_TRIES,
    MAX_HUB_PAGE_BYTES,
)
from detector.read.listing import CannotRead
from detector.read.spool import Stream

Answered = TypeVar("Answered")

_AGENT = "ml-plagiarism-detector"
_RANGE = re.compile(r"bytes (\d{1,18})-")
_NEXT = re.compile(r'<([^<>]+)>;\s*rel="?next"?')
_RESET = re.compile(r'"\w+"\s*;\s*r\s*=\s*0\s*;\s*t\s*=\s*(\d{1,6})')
_AGAIN = frozenset({408, 429, 500, 502, 503, 504})

NOT_FOUND = "there is no such model on this hub, or it is private: check the name, or log in with `hf auth login`"
NO_REVISION = "there is no such revision: name a branch, a tag or a commit after the @"
NO_FILE = "the hub lists it and does not have it"
GATED = "gated: ask for access on the model's page, then log in with `hf auth login`"
TOO_MANY = "the hub takes no more requests now: log in with `hf auth login` for more of them, or try again later"
BROKEN = "the connection broke off"
OFFLINE = "HF_HUB_OFFLINE is set, and nobody is asked then: unset it"


@dataclass(frozen=True, slots=True)
class Words:
    """What a server's answers mean, in words by which the user can mend it."""

    who: str  # "the hub"
    setting: str  # what says where it is
    statuses: Mapping[int, str]
    statuses_of_files: Mapping[int, str] = field(default_factory=dict)
    codes: Mapping[str, str] = field(default_factory=dict)  # its own words for why, which say more than a status
    otherwise: str = ""  # what is left to do where it does not answer


_WORDS = Words(
    "the hub",
    "HF_ENDPOINT",
    {401: NOT_FOUND, 403: GATED, 404: NOT_FOUND, 429: TOO_MANY},
    {401: GATED, 403: GATED, 404: NO_FILE, 429: TOO_MANY},
    {"RevisionNotFound": NO_REVISION, "EntryNotFound": NO_FILE, "GatedRepo": GATED, "RepoNotFound": NOT_FOUND},
    "; with HF_HUB_OFFLINE=1 what is in the local cache is read",
)


class NoPartsError(CannotRead):
    """The hub answers with whole files alone."""

    def __init__(self) -> None:
        super().__init__("the hub does not serve parts of files: download the model and name its folder")


class _TryAgainError(Exception):
    """An answer that may be better the next time; how long to wait at least."""

    def __init__(
        self, reason: str, seconds: float = 0.0, *, is_of_hub: bool = True, is_worthwhile: bool = True
    ) -> None:
        super().__init__(reason)
        self.seconds = seconds
        self.is_of_hub = is_of_hub  # not of the one file
        self.is_worthwhile = is_worthwhile  # it may be better before patience ends


class Server:
    """One server, with what the user is known by there."""

    def __init__(self, endpoint: str, known: Mapping[str, str], words: Words, silence_seconds: float) -> None:
        """`known`: headers that nobody else may see. Only what is called `authorization` or `cookie` can be kept so."""
        self.endpoint = endpoint.rstrip("/")
        self.requests = 0
        self.bytes = 0
        self.words = words
        self._anonymous = {"user-agent": _AGENT, "accept-encoding": "identity"}
        self._known = dict(known)
        self._silence_seconds = silence_seconds
        self._moved: dict[str, str] = {}  # where a storage has a file: asked there, the hub is not asked again
        self._has_given_up = ""

    def page(self, url: str, *, is_ours: bool = False) -> tuple[Any, str]:
        """Read one page of JSON, and where the next one is.

        `is_ours`: it is known that we may read it, so that a refusal is no more than a bad moment.
        Errors: CannotRead.
        """
        who = self.words.who
        if urlsplit(url)[:2] != urlsplit(self.endpoint)[:2]:
            raise CannotRead(f"{who} sends us to another one for the rest of its answer")

        def read(response: Any) -> tuple[Any, str]:
            data = b"".join(self._pieces(response, MAX_HUB_PAGE_BYTES + 1))
            if len(data) > MAX_HUB_PAGE_BYTES:
                raise CannotRead(f"an answer has more than {MAX_HUB_PAGE_BYTES:,} bytes")
            following = _NEXT.search(response.headers.get("link", ""))
            try:
                return json.loads(data), urljoin(url, following[1]) if following else ""
            except (ValueError, RecursionError):
                raise CannotRead(f"{who}'s answer is no JSON: check {self.words.setting}") from None

        return self._answer(url, {}, read, self.words.statuses, _AGAIN | {403} if is_ours else _AGAIN)

    def part(self, url: str, begin: int, size: int) -> bytes:
        """Read exactly `size` bytes of a file from byte `begin` on.

        Errors: CannotRead, also where the file ends before; NoPartsError before any byte too many is read.
        """
        wanted = {"range": f"bytes={begin}-{begin + size - 1}"}

        def read(response: Any) -> bytes:
            if response.status_code == 200 and begin:
                raise NoPartsError
            if response.status_code == 206:
                found = _RANGE.match(response.headers.get("content-range", ""))
                if found is None or int(found[1]) != begin:
                    raise CannotRead(f"{self.words.who} answers with another part of it")
            return b"".join(self._exactly(response, size))

        return self._answer(url, wanted, read, self.words.statuses_of_files) if size else b""

    def whole(self, url: str, size: int, keep: Callable[[Stream], Answered]) -> Answered:
        """Read a whole file of `size` bytes; `keep` is called again where the connection breaks off.

        Errors: CannotRead.
        """

        def read(response: Any) -> Answered:
            return keep(Stream(size, self._exactly(response, size)))

        return self._answer(url, {}, read, self.words.statuses_of_files)

    def _answer(
        self,
        url: str,
        wanted: Mapping[str, str],
        read: Callable[[Any], Answered],
        meanings: Mapping[int, str],
        again: Set[int] = _AGAIN,
    ) -> Answered:
        """Ask until there is an answer that can be read, or no hope of one."""
        if self._has_given_up:
            raise CannotRead(self._has_given_up)
        for tried in range(HUB_TRIES):
            try:
                return self._once(url, wanted, read, meanings, again)
            except _TryAgainError as error:
                if tried + 1 == HUB_TRIES or not error.is_worthwhile:
                    if error.is_of_hub:
                        self._has_given_up = str(error)  # whatever is asked next would wait as long
                    raise CannotRead(str(error)) from None
                time.sleep(min(max(2.0**tried, error.seconds), HUB_LONGEST_WAIT_SECONDS))
        raise CannotRead(BROKEN)

    def _once(
        self,
        url: str,
        wanted: Mapping[str, str],
        read: Callable[[Any], Answered],
        meanings: Mapping[int, str],
        again: Set[int],
    ) -> Answered:
        from huggingface_hub import get_session

        session, words = get_session(), self.words
        moved = self._moved.get(url, "")
        # What the user is known by is the hub's business, not its storage's.
        headers = self._anonymous | dict(wanted) | ({} if moved else self._known)
        self.requests += 1
        try:
            with session.stream(
                "GET", moved or url, headers=headers, timeout=self._silence_seconds, follow_redirects=True
            ) as response:
                if response.status_code in (200, 206):
                    place = str(response.url)
                    if urlsplit(place).netloc != urlsplit(self.endpoint).netloc:
                        self._moved[url] = place
                    return read(response)
                if moved:
                    del self._moved[url]  # such addresses are good for a while only
                    raise _TryAgainError(f"{words.who}'s storage answers with an error ({response.status_code})")
                raise _refusal(response, words, meanings, again)
        except transport_error(session) as error:
            kind = type(error).__name__
            raise _TryAgainError(
                f"{words.who} does not answer ({kind}): check the network and {words.setting}{words.otherwise}"
            ) from None
        except ConnectionError:  # the session's own, before anything is sent
            raise CannotRead(OFFLINE) from None

    def _exactly(self, response: Any, size: int) -> Iterator[bytes]:
        got = 0
        for piece in self._pieces(response, size):
            got += len(piece)
            yield piece
        if got != size:
            raise _TryAgainError(BROKEN, is_of_hub=False)

    def _pieces(self, response: Any, most_bytes: int) -> Iterator[bytes]:
        """The body as it comes, and not more of it than that."""
        if response.headers.get("content-encoding", "identity") not in ("identity", ""):
            raise CannotRead(f"{self.words.who} compresses what was asked for as it is")
        left = most_bytes
        length = response.headers.get("content-length", "")
        # Read to its end, an answer leaves the connection open for the next question.
        has_more = not length.isdecimal() or int(length[:20]) > most_bytes
        seconds = HUB_REQUEST_SECONDS + most_bytes / HUB_SLOWEST_BYTES
        deadline = time.monotonic() + seconds
        for piece in response.iter_raw():  # as they come: who sends byte by byte meets the deadline, too
            self.bytes += len(piece)
            yield piece[:left]
            left = max(left - len(piece), 0)
            if not left and has_more:
                return
            if time.monotonic() > deadline:
                raise _TryAgainError(f"{self.words.who} sends for more than {seconds:.0f} s")


class Hub(Server):
    """The hub of huggingface_hub, as that is configured."""

    def __init__(self) -> None:
        from huggingface_hub import constants, get_token

        token = None if constants.HF_HUB_DISABLE_IMPLICIT_TOKEN else get_token()
        super().__init__(
            os.environ.get("HF_ENDPOINT") or constants.ENDPOINT,  # the client reads it once, when it is imported
            {"authorization": f"Bearer {token}"} if token else {},
            _WORDS,
            float(constants.HF_HUB_DOWNLOAD_TIMEOUT),
        )

    def check_access(self, url: str) -> None:
        """Find out whether the user may read the files of a gated model.

        Errors: CannotRead.
        """
        try:
            self._answer(url, {}, lambda response: response.status_code, self.words.statuses)
        except CannotRead as error:
            raise CannotRead(GATED if str(error) == NOT_FOUND else str(error)) from None


def _refusal(response: Any, words: Words, meanings: Mapping[int, str], again: Set[int]) -> Exception:
    """What an answer means that is none."""
    status, headers = response.status_code, response.headers
    is_spent = headers.get("x-ratelimit-remaining", "") == "0"
    if status == 403 and (is_spent or "retry-after" in headers):
        status = 429  # forges say it so
    reason = words.codes.get(headers.get("x-error-code", "")) or meanings.get(status)
    reason = reason or f"{words.who} answers with an error ({status}): try again later"
    if status not in again:
        return CannotRead(reason)
    after = headers.get("retry-after", "").strip()
    reset = _RESET.search(headers.get("ratelimit", ""))
    if after.isdecimal() and len(after) < 7:
        return _TryAgainError(reason, float(after))
    if reset:
        return _TryAgainError(reason, float(reset[1]))
    when = headers.get("x-ratelimit-reset", "") or headers.get("ratelimit-reset", "")
    seconds = float(when) - time.time() if when.isdecimal() and len(when) < 12 else 0.0
    # Such windows are an hour long: whoever waits for less than is left of it is refused again.
    return _TryAgainError(reason, seconds, is_worthwhile=seconds <= HUB_LONGEST_WAIT_SECONDS)


def transport_error(session: Any) -> type[Exception]:
    """What the session's library raises: the client uses another library from one version to the next."""
    library = next(each.__module__ for each in type(session).__mro__ if each.__name__ == "Client").partition(".")[0]
    error: type[Exception] = sys.modules[library].HTTPError
    return error
