"""What a run would fetch: the same listing, the same choice of files, and nothing stored."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial

from detector.artifacts.keys.collected import nothing_known
from detector.artifacts.keys.steps import planned
from detector.model import Skipped, UserError
from detector.read import open_target
from detector.read.traffic import Traffic
from detector.scan import keys, members, sources
from detector.scan.plan import Plan
from detector.scan.store import Store, open_store
from detector.scanned import Listed, Standing
from detector.targets import Progress, Repo


@dataclass(frozen=True, slots=True)
class Expected:
    """What one member would cost."""

    member: str
    revision: str
    requests: int  # for its listing, headers, configurations, tokenizers and code
    bytes: int
    known: int  # files that are not asked for, because their content is known
    why: str = ""  # it cannot be opened


@dataclass(slots=True)
class Estimate:
    """What a run would cost, and what finding that out did."""

    listed: int = 0
    expected: list[Expected] = field(default_factory=list)
    unlisted: list[str] = field(default_factory=list)
    left: int = 0  # that a limit leaves for later
    requests: int = 0  # of this estimate
    bytes: int = 0


def estimate(plan: Plan, *, since: str = "", limit: int | None = None, progress: Progress | None = None) -> Estimate:
    """Find out what a run would look at, and what it would fetch of each member.

    Of a member that turns out to be like another, slices of weights and the other side are fetched besides.
    """
    found = Estimate()
    traffic = Traffic()
    with ExitStack() as opened:
        opened.callback(traffic.leave)
        store = opened.enter_context(_stored(plan))
        changed: dict[str, Listed] = {}
        for source in plan.sources:
            cursor = members.cursor(store.connection, source.identity) if store is not None else ""
            begin = since or max(cursor, source.since)
            try:
                for each in sources.listed(source, begin, traffic):
                    found.listed += 1
                    if progress is not None:
                        progress(f"listing {source.about}", found.listed, 0)
                    if store is None or _is_changed(store, each):
                        changed.setdefault(each.member, each)
            except UserError as error:
                found.unlisted.append(f"{source.about}: {error}")
        queue = sorted(changed.values(), key=lambda each: (each.created or each.modified, each.modified, each.member))
        most = len(queue) if limit is None else min(limit, len(queue))
        found.left = len(queue) - most
        for place, each in enumerate(queue[:most]):
            if progress is not None:
                progress(f"opening {each.member}", place, most)
            traffic.watch()
            found.expected.append(_expected(store, each, traffic))
        found.requests, found.bytes = traffic.requests, traffic.bytes
    return found


@contextmanager
def _stored(plan: Plan) -> Iterator[Store | None]:
    """The store as it is; None if there is none yet."""
    if not plan.store.exists():
        yield None
        return
    with open_store(plan.store) as store:
        yield store


def _is_changed(store: Store, listed: Listed) -> bool:
    known = members.member(store.connection, listed.member)
    looked_at = (Standing.DONE, Standing.GATED)
    return known is None or known.revision != listed.revision or known.standing not in looked_at


def _expected(store: Store | None, listed: Listed, traffic: Traffic) -> Expected:
    before = traffic.requests
    try:
        with open_target(listed.target) as repo:
            opening = traffic.requests - before
            plan = planned(repo, partial(keys.told, store.connection) if store is not None else nothing_known)
            code = _code(repo)
    except UserError as error:
        return Expected(listed.member, listed.revision, traffic.requests - before, 0, 0, str(error))
    return Expected(
        listed.member, listed.revision, opening + plan.requests + len(code), plan.bytes + sum(code), plan.known
    )


def _code(repo: Repo) -> list[int]:
    """The bytes of each Python file."""
    heads = [repo.files.head(path, 0) for path in repo.files.paths()]  # asks for nothing: only how long they are
    return [each.size_bytes for each in heads if not isinstance(each, Skipped)]
