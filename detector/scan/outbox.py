"""Occurrences on their way to webhooks: in order, each once, and where every hook stands.

Where a hook stands is written after each delivery: a run that is cut off repeats one of them at most, with its id.
"""

from __future__ import annotations

import hashlib
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from detector.model import UserError
from detector.report import scan_documents
from detector.scan import occurring, webhook
from detector.scan.damage import Damaged
from detector.scanned import OCCURRENCES
from detector.settings.watching import HOOK_SECONDS

# Address, secret, id of the message, body; raises UndeliveredError.
Send = Callable[[str, str, str, bytes], None]


@dataclass(frozen=True, slots=True)
class Hook:
    """Where occurrences are sent to. Its secret comes from the environment, and is never stored or shown."""

    url: str = field(repr=False)
    secret: str = field(default="", repr=False)
    kinds: frozenset[str] = frozenset()  # of occurrences; none for all

    @property
    def name(self) -> str:
        """How it is called where people read it."""
        return f"webhook {webhook.shown(self.url)}"

    @property
    def id(self) -> str:
        """How the store calls it: an address may be secret."""
        return hashlib.sha256(self.url.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class Delivered:
    """What one round came to, over all hooks."""

    sent: int
    waiting: int  # occurrences that are sent in the next run
    failures: tuple[str, ...]  # a sentence for each hook that failed


def create(connection: sqlite3.Connection) -> None:
    """Make the table."""
    connection.execute("CREATE TABLE hook(id TEXT PRIMARY KEY, position INTEGER NOT NULL) STRICT")


def hook(url: str, variable: str, kinds: Sequence[str], environment: Mapping[str, str]) -> Hook:
    """A hook as a plan names it.

    variable: of the environment, which holds the secret; "" for deliveries without a signature.
    Errors: UserError.
    """
    webhook.check(url)
    unknown = [kind for kind in kinds if kind not in OCCURRENCES]
    if unknown:
        raise UserError(f"webhook {webhook.shown(url)}: {unknown[0][:40]!r} is none of {', '.join(OCCURRENCES)}")
    secret = webhook.secret_of(variable, environment) if variable else ""
    return Hook(url, secret, frozenset(kinds))


def meet(connection: sqlite3.Connection, hooks: Sequence[Hook]) -> None:
    """Say at the beginning of a run which hooks there are: one that is new is told what occurs from now on."""
    position = occurring.last(connection)
    for each in hooks:
        connection.execute("INSERT OR IGNORE INTO hook VALUES (?,?)", (each.id, position))


def deliver(connection: sqlite3.Connection, hooks: Sequence[Hook], send: Send = webhook.send) -> Delivered:
    """Send each hook what it has not had, in order; a hook that fails is left until the next run, others go on.

    Outside of any transaction: each delivery is written down by itself. A hook that was not met is told everything.
    Errors: UserError for two hooks with one address; Damaged.
    """
    if len({each.id for each in hooks}) < len(hooks):
        raise UserError("two webhooks have the same address: name it once, with all kinds of occurrences")
    sent = waiting = 0
    failures = []
    for each in hooks:
        number, left, why = _deliver(connection, each, send)
        sent += number
        waiting += left
        if why:
            failures.append(f"{each.name}: {why}; {left:,} occurrences wait for the next run")
    return Delivered(sent, waiting, tuple(failures))


def _deliver(connection: sqlite3.Connection, hook: Hook, send: Send) -> tuple[int, int, str]:
    """How many were sent and are left, and why."""
    wanted = [
        each
        for each in occurring.told(connection, _position(connection, hook))
        if not hook.kinds or each.occurrence.kind in hook.kinds
    ]
    until = time.monotonic() + HOOK_SECONDS
    for number, each in enumerate(wanted):
        if time.monotonic() > until:
            return number, len(wanted) - number, f"it takes more than {HOOK_SECONDS:.0f} s"
        document = scan_documents.occurrence(each.occurrence, each.id, each.finding)
        try:
            send(hook.url, hook.secret, each.id, scan_documents.dumps(document).encode())
        except webhook.UndeliveredError as error:
            return number, len(wanted) - number, str(error)
        _put(connection, hook, each.occurrence.sequence)
    _put(connection, hook, occurring.last(connection))
    return len(wanted), 0, ""


def _position(connection: sqlite3.Connection, hook: Hook) -> int:
    found = connection.execute("SELECT position FROM hook WHERE id = ?", (hook.id,)).fetchone()
    position = found[0] if found else 0
    if not isinstance(position, int) or not 0 <= position <= occurring.last(connection):
        raise Damaged("a webhook stands where there is no occurrence")
    return position


def _put(connection: sqlite3.Connection, hook: Hook, position: int) -> None:
    connection.execute("INSERT OR REPLACE INTO hook VALUES (?,?)", (hook.id, position))
