"""The story of one run: list what changed, look at each of it, tell what was found; cut off, the next goes on."""

from __future__ import annotations

import os
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from detector.model import UserError
from detector.read.refusals import ExhaustedError, GatedError, VanishedError
from detector.read.traffic import Traffic
from detector.scan import findings, members, outbox, pairs, sources, telling, ties
from detector.scan.alone import alone
from detector.scan.examining import Examined, Scope, examined
from detector.scan.outbox import Delivered
from detector.scan.plan import Plan, Source
from detector.scan.store import Store, open_store
from detector.scanned import Listed, Occurrence, Run, Standing
from detector.settings.scanning import MOST_REFUSALS
from detector.targets import Progress

if TYPE_CHECKING:
    from detector.index.store import Index

Tell = Callable[[str], None]


@dataclass(slots=True)
class Outcome:
    """What a run came to."""

    run: Run
    told: tuple[Occurrence, ...] = ()
    standings: Mapping[str, int] = field(default_factory=dict)  # of all members
    waiting: int = 0  # members that were not looked at: of a limit, or of a source that takes no more requests
    unlisted: list[str] = field(default_factory=list)  # sources that could not be listed, and why
    uncompared: list[str] = field(default_factory=list)  # pairs of which the other side is not to be had, and why
    delivered: Delivered | None = None

    @property
    def is_incomplete(self) -> bool:
        """Whether something that was asked for was not looked at."""
        return bool(self.unlisted or self.uncompared or self.standings.get("failed"))


def now() -> str:
    """The time, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def run(
    plan: Plan,
    *,
    since: str = "",
    limit: int | None = None,
    jobs: int = 1,
    progress: Progress | None = None,
    tell: Tell = lambda _: None,
) -> Outcome:
    """Do what a plan asks for, once.

    since: list what was changed from then on, whatever was listed before. limit: look at so many members at most; the
    others wait for the next run.
    Errors: UserError for what concerns the whole: the store, the index, a second run at the same time.
    """
    with ExitStack() as opened:
        watching = telling.hooks(plan, os.environ)
        telling.prepare(plan.output)
        opened.enter_context(alone(plan.store))
        store = opened.enter_context(open_store(plan.store, write=True, create=True))
        index = opened.enter_context(_index(plan.index)) if plan.index is not None else None
        traffic = Traffic()
        opened.callback(traffic.leave)
        with store.transaction():
            begun = members.begin(store.connection, now())
            if begun.is_new:
                findings.begin(store.connection, begun.run.started)
                outbox.meet(store.connection, watching)
        at = begun.run.started
        outcome = Outcome(begun.run)
        listed, chosen = _list(store, plan, since, at, traffic, outcome, progress)
        _count(outcome, traffic)
        scope = Scope(store, index, plan.fail_on, plan.most_candidates, jobs, at, progress)
        _look(scope, members.waiting(store.connection, chosen), limit, traffic, outcome)
        if index is not None:
            index.settle(tell)
        with store.transaction():
            findings.end(store.connection, at)
            told = tuple(each for each in findings.occurrences(store.connection) if each.at == at)
            counts = dict(sorted(Counter(each.kind for each in told).items()))
            outcome.run = replace(outcome.run, ended=now(), listed=listed, counts=counts)
            outcome.standings = members.standings(store.connection)
            members.note(store.connection, outcome.run)
        outcome.told = told
        outcome.waiting = len(members.waiting(store.connection, chosen))
        outcome.delivered = telling.leave(store, plan, watching)
        return outcome


def _index(path: Path) -> AbstractContextManager[Index]:
    from detector.index.store import open_index

    return open_index(path, create=True)


def _list(
    store: Store, plan: Plan, since: str, at: str, traffic: Traffic, outcome: Outcome, progress: Progress | None
) -> tuple[int, list[int]]:
    """List every source from its cursor on; what is new or changed waits. A source that fails is told, others go on."""
    count, numbers = 0, []
    for source in plan.sources:
        with store.transaction():
            number, cursor = members.source(store.connection, source.identity)
        numbers.append(number)
        begin = since or max(cursor, source.since)
        try:
            found = _all(sources.listed(source, begin, traffic), source, progress)
        except UserError as error:
            outcome.unlisted.append(f"{source.about}: {error}")
            continue
        count += len(found)
        with store.transaction():
            members.put(store.connection, number, at, found)
            if sources.is_complete(source, begin):
                for name in members.missing(store.connection, number, (each.member for each in found)):
                    _vanished(store, at, name, "its source does not list it any more")
            members.move(store.connection, number, max((each.modified for each in found), default=""))
    return count, numbers


def _all(listed: Iterable[Listed], source: Source, progress: Progress | None) -> list[Listed]:
    found = []
    for each in listed:
        found.append(each)
        if progress is not None:
            progress(f"listing {source.about}", len(found), 0)
    return found


def _look(scope: Scope, queue: Sequence[Listed], limit: int | None, traffic: Traffic, outcome: Outcome) -> None:
    """Look at what waits. Each member is stored in one step when all is known of it, or is looked at again."""
    refusals: Counter[str] = Counter()
    most = len(queue) if limit is None else min(limit, len(queue))
    for place, listed in enumerate(queue[:most]):
        scheme = listed.member.partition(":")[0] if listed.member.startswith(("hf:", "ms:")) else ""
        if refusals[scheme] >= MOST_REFUSALS:
            continue
        if scope.progress is not None:
            scope.progress(f"scanning {listed.member}", place, most)
        traffic.watch()
        try:
            with examined(scope, listed) as found:
                _keep(scope, found)
                outcome.uncompared += found.unread
            standing, why = Standing.DONE, ""
            refusals[scheme] = 0
        except GatedError as error:
            standing, why = Standing.GATED, str(error)
        except VanishedError as error:
            standing, why = Standing.VANISHED, str(error)
        except ExhaustedError as error:
            refusals[scheme] += 1
            standing, why = Standing.FAILED, str(error)
        except UserError as error:
            standing, why = Standing.FAILED, str(error)
        except Exception as error:  # a bug of ours must not keep the others from being looked at, every night
            place_of = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{place_of.filename.rpartition('/')[2]}:{place_of.lineno}"
            standing, why = Standing.FAILED, f"an error of this program: {type(error).__name__} in {where}: {error}"
        _count(outcome, traffic, 1)
        with scope.store.transaction():
            if standing is not Standing.DONE:
                _told(scope, listed.member, standing, why)
            members.note(scope.store.connection, outcome.run)


def _count(outcome: Outcome, traffic: Traffic, done: int = 0) -> None:
    """Add what was asked for since the last time."""
    requests, size = traffic.take()
    was = outcome.run
    outcome.run = replace(was, done=was.done + done, requests=was.requests + requests, bytes=was.bytes + size)


def _told(scope: Scope, member: str, standing: Standing, why: str) -> None:
    """Remember and tell why a member was not looked at."""
    connection = scope.store.connection
    if standing is Standing.VANISHED:
        _vanished(scope.store, scope.at, member, why)
        return
    before = members.member(connection, member)
    members.settle(connection, member, standing, why)
    if before is None or (before.standing, before.why) != (standing, why):  # tried again for nothing, it is told once
        findings.tell(connection, scope.at, standing.value, member, why)


def _vanished(store: Store, at: str, member: str, why: str) -> None:
    members.settle(store.connection, member, Standing.VANISHED, why)
    findings.vanished(store.connection, at, member)
    findings.tell(store.connection, at, "vanished", member, why)


def _keep(scope: Scope, found: Examined) -> None:
    """Store what looking at a member gave. The index comes first: what is added twice is added once."""
    listed, connection = found.listed, scope.store.connection
    if scope.index is not None and found.repo.files.paths():
        with suppress(UserError):  # none of its files has a function: there is nothing to add
            scope.index.add(replace(found.repo, target=listed.member), scope.jobs)
    as_suspect = [each for each in found.compared if each.is_found and each.suspect == listed.member]
    kept = pairs.kept(as_suspect, found.exclusive_bits, found.distances) if len(as_suspect) > 1 else None
    with scope.store.transaction():
        members.amend(connection, listed.member, found.created, found.declared)
        ties.replace(connection, listed.member, found.ties)
        for each in found.compared:
            suspect = members.member(connection, each.suspect)
            if suspect is None:
                continue
            is_told = each.is_found and (kept is None or each.suspect != listed.member or each.reference in kept)
            findings.see(connection, scope.at, suspect, each.reference, each.reference_revision, each.report, is_told)
        members.settle(connection, listed.member, Standing.DONE)
