"""Requests to a model hub: bounded bytes, bounded time, a bounded number of tries; parts of files by range.

Address, token, cache and time-out are those of the hub's own client, as the user has configured it.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping
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
_PIECE_BYTES = 1 << 16
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
_SAID = {"RevisionNotFound": NO_REVISION, "EntryNotFound": NO_FILE, "GatedRepo": GATED, "RepoNotFound": NOT_FOUND}
_STATUS = {401: NOT_FOUND, 403: GATED, 404: NOT_FOUND, 429: TOO_MANY}
_STATUS_OF_FILE = {401: GATED, 403: GATED, 404: NO_FILE, 429: TOO_MANY}


class NoPartsError(CannotRead):
    """The hub answers with whole files alone."""

    def __init__(self) -> None:
        super().__init__("the hub does not serve parts of files: download the model and name its folder")


class _TryAgainError(Exception):
    """An answer that may be better the next time; how long to wait at least."""

    def __init__(self, reason: str, seconds: float = 0.0, *, is_of_hub: bool = True) -> None:
        super().__init__(reason)
        self.seconds = seconds
        self.is_of_hub = is_of_hub  # not of the one file


class Hub:
    """One hub, with what the user is known by there."""

    def __init__(self) -> None:
        from huggingface_hub import constants, get_token

        # The client reads it once, when it is imported.
        self.endpoint = (os.environ.get("HF_ENDPOINT") or constants.ENDPOINT).rstrip("/")
        self.requests = 0
        self.bytes = 0
        token = None if constants.HF_HUB_DISABLE_IMPLICIT_TOKEN else get_token()
        self._anonymous = {"user-agent": _AGENT, "accept-encoding": "identity"}
        self._known = {"authorization": f"Bearer {token}"} if token else {}
        self._silence_seconds = float(constants.HF_HUB_DOWNLOAD_TIMEOUT)
        self._moved: dict[str, str] = {}  # where a storage has a file: asked there, the hub is not asked again
        self._has_given_up = ""

    def page(self, url: str) -> tuple[Any, str]:
        """Read one page of JSON, and where the next one is.

        Errors: CannotRead.
        """
        if urlsplit(url)[:2] != urlsplit(self.endpoint)[:2]:
            raise CannotRead("the hub sends us to another one for the rest of its answer")

        def read(response: Any) -> tuple[Any, str]:
            data = b"".join(self._pieces(response, MAX_HUB_PAGE_BYTES + 1))
            if len(data) > MAX_HUB_PAGE_BYTES:
                raise CannotRead(f"an answer has more than {MAX_HUB_PAGE_BYTES:,} bytes")
            following = _NEXT.search(response.headers.get("link", ""))
            try:
                return json.loads(data), urljoin(url, following[1]) if following else ""
            except (ValueError, RecursionError):
                raise CannotRead("the hub's answer is no JSON: check HF_ENDPOINT") from None

        return self._answer(url, {}, read)

    def check_access(self, url: str) -> None:
        """Find out whether the user may read the files of a gated model.

        Errors: CannotRead.
        """
        try:
            self._answer(url, {}, lambda response: response.status_code)
        except CannotRead as error:
            raise CannotRead(GATED if str(error) == NOT_FOUND else str(error)) from None

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
                    raise CannotRead("the hub answers with another part of it")
            return b"".join(self._exactly(response, size))

        return self._answer(url, wanted, read) if size else b""

    def whole(self, url: str, size: int, keep: Callable[[Stream], Answered]) -> Answered:
        """Read a whole file of `size` bytes; `keep` is called again where the connection breaks off.

        Errors: CannotRead.
        """
        return self._answer(url, {}, lambda response: keep(Stream(size, self._exactly(response, size))))

    def _answer(self, url: str, wanted: Mapping[str, str], read: Callable[[Any], Answered]) -> Answered:
        """Ask until there is an answer that can be read, or no hope of one."""
        if self._has_given_up:
            raise CannotRead(self._has_given_up)
        for tried in range(HUB_TRIES):
            try:
                return self._once(url, wanted, read)
            except _TryAgainError as error:
                if tried + 1 == HUB_TRIES:
                    if error.is_of_hub:
                        self._has_given_up = str(error)  # whatever is asked next would wait as long
                    raise CannotRead(str(error)) from None
                time.sleep(min(max(2.0**tried, error.seconds), HUB_LONGEST_WAIT_SECONDS))
        raise CannotRead(BROKEN)

    def _once(self, url: str, wanted: Mapping[str, str], read: Callable[[Any], Answered]) -> Answered:
        from huggingface_hub import get_session

        session = get_session()
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
                    raise _TryAgainError(f"the hub's storage answers with an error ({response.status_code})")
                raise _refusal(response, _STATUS if url.startswith(f"{self.endpoint}/api/") else _STATUS_OF_FILE)
        except transport_error(session) as error:
            kind = type(error).__name__
            raise _TryAgainError(
                f"the hub does not answer ({kind}): check the network and HF_ENDPOINT; with HF_HUB_OFFLINE=1 what is "
                f"in the local cache is read"
            ) from None

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
            raise CannotRead("the hub compresses what was asked for as it is")
        left = most_bytes
        length = response.headers.get("content-length", "")
        # Read to its end, an answer leaves the connection open for the next question.
        has_more = not length.isdecimal() or int(length[:20]) > most_bytes
        seconds = HUB_REQUEST_SECONDS + most_bytes / HUB_SLOWEST_BYTES
        deadline = time.monotonic() + seconds
        for piece in response.iter_raw(_PIECE_BYTES):
            self.bytes += len(piece)
            yield piece[:left]
            left = max(left - len(piece), 0)
            if not left and has_more:
                return
            if time.monotonic() > deadline:
                raise _TryAgainError(f"the hub sends for more than {seconds:.0f} s")


def _refusal(response: Any, meanings: Mapping[int, str]) -> Exception:
    """What an answer means that is none."""
    status = response.status_code
    reason = _SAID.get(response.headers.get("x-error-code", "")) or meanings.get(status)
    reason = reason or f"the hub answers with an error ({status}): try again later"
    if status not in _AGAIN:
        return CannotRead(reason)
    after = response.headers.get("retry-after", "").strip()
    reset = _RESET.search(response.headers.get("ratelimit", ""))
    seconds = after if after.isdecimal() and len(after) < 7 else reset[1] if reset else "0"
    return _TryAgainError(reason, float(seconds))


def transport_error(session: Any) -> type[Exception]:
    """What the session's library raises: the client uses another library from one version to the next."""
    library = next(each.__module__ for each in type(session).__mro__ if each.__name__ == "Client").partition(".")[0]
    error: type[Exception] = sys.modules[library].HTTPError
    return error
