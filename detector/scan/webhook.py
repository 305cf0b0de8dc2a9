"""One POST to a webhook, signed as Standard Webhooks says, tried again where that may help.

The standard library is the client: a hub's session has the hub's headers, and is offline where the hub's is.
Source: https://www.standardwebhooks.com.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import http.client
import re
import ssl
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from email.utils import parsedate_to_datetime
from urllib.parse import SplitResult, urlsplit

from detector.model import UserError
from detector.report.names import elided, visible
from detector.settings.watching import (
    DELIVERY_SECONDS,
    FIRST_WAIT_SECONDS,
    LONGEST_ADDRESS,
    MOST_ANSWER_BYTES,
    SILENCE_SECONDS,
    TRIES,
    TRY_SECONDS,
)

ENCODED = "whsec_"  # before a secret that is written in base64
_AGENT = "ml-plagiarism-detector"
_AGAIN = frozenset({408, 425, 429})  # and all that begin with a 5
_NAMED = re.compile(r"[!-~]+")


class UndeliveredError(Exception):
    """A delivery that failed for now: what is told of it, without secrets."""


class _TryAgainError(Exception):
    """An answer that may be better the next time; how long to wait at least."""

    def __init__(self, reason: str, seconds: float = 0.0) -> None:
        super().__init__(reason)
        self.seconds = seconds


def send(
    url: str,
    secret: str,
    message: str,
    body: bytes,
    *,
    clock: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Deliver one message of JSON.

    secret: several, apart by blanks, make several signatures, so that a receiver can change its own; none makes none.
    message: its id, the same whenever it is sent; a receiver drops what it has had.
    Errors: UndeliveredError; UserError for an address or a secret that is none.
    """
    check(url)
    keys = list(_keys(secret))
    waited = 0.0
    began = time.monotonic()
    for tried in range(TRIES):
        try:
            _try(url, _headers(keys, message, body, clock()), body, clock)
            return
        except _TryAgainError as error:
            seconds = max(FIRST_WAIT_SECONDS * 2.0**tried, error.seconds)
            spent = max(time.monotonic() - began, waited)
            if tried + 1 == TRIES or spent + seconds > DELIVERY_SECONDS:
                raise UndeliveredError(str(error)) from None
            waited += seconds
            sleep(seconds)


def check(url: str) -> None:
    """Refuse what is no address of a webhook.

    Errors: UserError, which does not repeat what may be secret in it.
    """
    found = _split(url)
    if found is None or found.scheme not in ("http", "https") or not found.hostname:
        raise UserError("the address of a webhook has to begin with https:// or http://, and a host")
    if found.username is not None or found.password is not None:
        raise UserError(f"webhook {shown(url)}: leave name and password out of the address: deliveries are signed")
    if found.fragment or len(url) > LONGEST_ADDRESS:
        raise UserError(f"webhook {shown(url)}: an address has no # and at most {LONGEST_ADDRESS:,} characters")


def shown(url: str) -> str:
    """An address as it may be told: without what gives access, which may be its path as well as its query."""
    found = _split(url)
    if found is None or not found.hostname:
        return "(no address)"
    port = f":{found.port}" if found.port else ""
    return visible(f"{found.scheme}://{elided(found.hostname, 100)}{port}{'/…' if len(found.path) > 1 else ''}")


def secret_of(variable: str, environment: Mapping[str, str]) -> str:
    """The secret that a variable of the environment holds.

    Errors: UserError with the variable's name and not with its value.
    """
    secret = environment.get(variable, "").strip()
    if not secret:
        raise UserError(f"the variable {visible(elided(variable))} has no secret for the webhook: set it")
    try:
        list(_keys(secret))
    except UserError as error:
        raise UserError(f"the variable {visible(elided(variable))}: {error}") from None
    return secret


def signature(key: bytes, message: str, timestamp: str, body: bytes) -> str:
    """What a receiver with the same key computes, too."""
    signed = f"{message}.{timestamp}.".encode() + body
    return f"v1,{base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode('ascii')}"


def _split(url: str) -> SplitResult | None:
    if _NAMED.fullmatch(url) is None:
        return None
    try:
        found = urlsplit(url)
        _ = found.port  # refuses what is no number
    except ValueError:
        return None
    return found


def _keys(secret: str) -> Iterator[bytes]:
    for each in secret.split():
        if not each.startswith(ENCODED):
            yield each.encode("utf-8", "surrogateescape")
            continue
        try:
            yield base64.b64decode(each.removeprefix(ENCODED), validate=True)
        except (binascii.Error, ValueError):
            raise UserError(f"a secret that begins with {ENCODED} goes on in base64: this one does not") from None


def _headers(keys: list[bytes], message: str, body: bytes, now: float) -> dict[str, str]:
    timestamp = str(int(now))
    signatures = " ".join(signature(key, message, timestamp, body) for key in keys)
    return {
        "content-type": "application/json",
        "user-agent": _AGENT,
        "webhook-id": message,
        "webhook-timestamp": timestamp,
        **({"webhook-signature": signatures} if signatures else {}),
    }


def _try(url: str, headers: Mapping[str, str], body: bytes, clock: Callable[[], float]) -> None:
    status, after = _answer(urllib.request.Request(url, body, dict(headers), method="POST"))
    if 200 <= status < 300:
        return
    name = http.client.responses.get(status, "")
    said = f"it answers {status}{f' {name}' if name else ''}"
    if status in _AGAIN or status >= 500:
        raise _TryAgainError(said, _seconds(after, clock()))
    if 300 <= status < 400:
        raise UndeliveredError(f"{said}, which is not followed: give the address that it leads to")
    if status == 410:
        raise UndeliveredError(f"{said}: it wants no more, take it out of the plan")
    raise UndeliveredError(f"{said}: check the address and the secret")


def _answer(request: urllib.request.Request) -> tuple[int, str]:
    """Status and Retry-After of an answer.

    In a thread of its own: time-outs of sockets begin anew with every byte that trickles in.
    """
    found: list[tuple[int, str] | Exception] = []

    def ask() -> None:
        try:
            with _opener().open(request, timeout=SILENCE_SECONDS) as response:
                found.append((response.status, response.headers.get("retry-after", "")))
                with suppress(OSError, http.client.HTTPException):
                    response.read(MOST_ANSWER_BYTES)
        except (OSError, http.client.HTTPException, ValueError) as error:
            found.append(error)

    asking = threading.Thread(target=ask, daemon=True)  # one that does not end is left behind
    asking.start()
    asking.join(TRY_SECONDS)
    if not found:
        raise _TryAgainError(f"it does not answer within {TRY_SECONDS:.0f} s")
    answer = found[0]
    if isinstance(answer, Exception):
        raise _failure(answer)
    return answer


def _opener() -> urllib.request.OpenerDirector:
    """A client that follows no redirect and raises no status: what handles these is not among its handlers."""
    opener = urllib.request.OpenerDirector()
    for handler in (urllib.request.ProxyHandler(), urllib.request.HTTPHandler(), urllib.request.HTTPSHandler()):
        opener.add_handler(handler)
    return opener


def _failure(error: Exception) -> Exception:
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(reason, ssl.SSLCertVerificationError):
        return UndeliveredError("its certificate is not trusted: check the address and this machine's certificates")
    if isinstance(reason, TimeoutError):
        return _TryAgainError(f"it says nothing for {SILENCE_SECONDS:.0f} s")
    # By its kind and the system's word for it: what else an error says may repeat the address.
    told = (reason.strerror if isinstance(reason, OSError) else "") or type(reason).__name__
    return _TryAgainError(f"it cannot be reached ({visible(elided(str(told), 100))})")


def _seconds(after: str, now: float) -> float:
    """What Retry-After asks for, in seconds or as a date; 0 where it asks for nothing."""
    after = after.strip()
    if after.isascii() and after.isdecimal():
        return float(after[:9])
    try:
        return max(parsedate_to_datetime(after).timestamp() - now, 0.0)
    except (ValueError, TypeError, OverflowError):
        return 0.0
