"""One member: down the funnel, from what its listing tells to a comparison in full with what it may come from."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from itertools import zip_longest

from detector.artifacts.keys import collected
from detector.code.corpus import Corpus
from detector.code.known import KnownTarget
from detector.compare import compare
from detector.index.store import Index
from detector.model import Strength, UserError
from detector.options import Options
from detector.read import open_target
from detector.scan import findings, keys, members, pairs, probing
from detector.scan.candidates import candidates
from detector.scan.keys import DECLARED
from detector.scan.store import Store
from detector.scanned import Component, Listed, Member, Standing, State, Tie
from detector.settings import IDIOM_BITS
from detector.settings.index import MOST_REFERENCES
from detector.settings.scanning import MOST_BASES
from detector.targets import Progress, Repo

_BASE_KEYS = "base_model"


@dataclass(frozen=True, slots=True)
class Scope:
    """What every member is examined with."""

    store: Store
    index: Index | None
    fail_on: Strength
    most_candidates: int
    jobs: int
    at: str  # time of the run
    progress: Progress | None = None


@dataclass(slots=True)
class Examined:
    """What looking at one member gave, before any of it is stored."""

    listed: Listed
    repo: Repo
    created: str = ""
    declared: tuple[str, ...] = ()
    compared: list[pairs.Compared] = field(default_factory=list)
    ties: list[Tie] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)  # others that could not be opened, and why
    exclusive_bits: Mapping[str, float] = field(default_factory=dict)

    @property
    def distances(self) -> dict[str, float]:
        """Of weights, by the other member."""
        me = self.listed.member
        return {
            tie.other if tie.one == me else tie.one: tie.distance
            for tie in self.ties
            if tie.component is Component.WEIGHTS
        }


class _Others:
    """An index without what is looked at: a member is not its own source."""

    def __init__(self, index: Index, member: str) -> None:
        self._index, self._member = index, member

    def targets(self) -> Sequence[KnownTarget]:
        return [each for each in self._index.targets() if each.target != self._member]

    def packages(self) -> frozenset[str]:
        return frozenset().union(*(each.packages for each in self._index.targets() if each.target != self._member))

    def references(self, corpus: Corpus) -> Sequence[Repo]:
        found = self._index.references(corpus, MOST_REFERENCES + 1)
        return [each for each in found if each.target != self._member][:MOST_REFERENCES]


@contextmanager
def examined(scope: Scope, listed: Listed) -> Iterator[Examined]:
    """Open a member, look at it, and give what was found while it is still open: it is to be added to the index.

    Errors: UserError where the member itself is not to be had; GatedError, VanishedError and ExhaustedError among them.
    """
    with ExitStack() as opened:
        repo = opened.enter_context(open_target(listed.target))
        found = Examined(listed, repo, listed.created or _first_commit(repo), _declared(listed, repo))
        _tell(scope, f"reading {repo.name}")
        me = Member(listed.member, listed.revision, found.created, listed.modified, found.declared, Standing.DONE)
        _look_up(scope, me, repo)
        found.ties += probing.ties(scope.store.connection, me.name)
        for other in _chosen(scope, me, repo):
            _compare(scope, me, repo, other, found)
        found.exclusive_bits = _exclusive(scope, me.name, repo, found.compared)
        yield found


def _look_up(scope: Scope, me: Member, repo: Repo) -> None:
    """Make what a member is looked up by, and store it: the same again, if the run is cut off here."""
    connection = scope.store.connection
    found = collected.keys(repo, partial(keys.told, connection))
    with scope.store.transaction():
        keys.put(connection, me.name, found, me.declared)
    probed = probing.read(connection, me, repo)
    with scope.store.transaction():
        probing.keep(connection, probed)


def _chosen(scope: Scope, me: Member, repo: Repo) -> list[str]:
    """What a member is compared with in full: members and targets of the index, the likeliest first.

    What it was found with before is looked at again, whatever else there is: it may be gone.
    """
    connection = scope.store.connection
    found = candidates(connection, me.name, scope.most_candidates)
    declared = [each.member for each in found if DECLARED in each.kinds]
    by_keys = [each.member for each in found if DECLARED not in each.kinds]
    by_code = _by_code(scope, me.name, repo)
    ranked = [each for pair in zip_longest(by_keys, by_code) for each in pair if each is not None]
    likely = list(dict.fromkeys(ranked))[: scope.most_candidates]
    return list(dict.fromkeys([*_partners(connection, me.name), *declared, *likely]))


def _partners(connection: sqlite3.Connection, member: str) -> list[str]:
    open_ones = (State.NEW, State.KNOWN, State.ACCEPTED)
    found = findings.findings(connection, states=open_ones, member=member)
    return [each.reference if each.suspect == member else each.suspect for each in found]


def _by_code(scope: Scope, member: str, repo: Repo) -> list[str]:
    """Targets of the index with functions like the member's, those that explain most first; nothing is fetched.

    With less in common than an ancestor would leave, code is an idiom: by it alone two are told from there on.
    """
    if scope.index is None or not repo.files.paths():
        return []
    options = Options(jobs=scope.jobs, kinds=frozenset({"code", "declared"}), most_explained=0)
    try:
        report = compare(repo, [], options, scope.progress, known=_Others(scope.index, member))
    except UserError:  # none of its files has a function
        return []
    targets = {side.name: side.target for side in report.references}
    telling = (row for row in report.attribution if row.functions and row.bits >= IDIOM_BITS)
    return [targets[row.reference] for row in telling if row.reference in targets]


def _compare(scope: Scope, me: Member, repo: Repo, name: str, found: Examined) -> None:
    """Compare a member with another in full; the one that came later, as far as dates tell, is the suspect."""
    other = members.member(scope.store.connection, name)
    options = Options(jobs=scope.jobs)
    with ExitStack() as opened:
        theirs = _opened(scope, name, other, opened, found)
        if theirs is None:
            return
        bases = [each for each in (_base(scope, base, opened) for base in _bases(scope, me, other)) if each]
        is_later = other is None or not (other.created and me.created and other.created > me.created)
        suspect, reference = (repo, theirs) if is_later else (theirs, repo)
        try:
            report = compare(suspect, [reference], options, scope.progress, bases=bases)
        except UserError:  # nothing of the one is to be compared with anything of the other
            return
    sides = (me.name, name) if is_later else (name, me.name)
    is_found = pairs.is_told(report, scope.fail_on) and not _is_declared(me, other, found.ties, is_later)
    compared = pairs.Compared(*sides, reference.revision, report, is_found)
    found.compared.append(compared)
    if other is not None:
        found.ties += pairs.ties(compared)


def _exclusive(scope: Scope, member: str, repo: Repo, compared: Sequence[pairs.Compared]) -> dict[str, float]:
    """Of several references that a member's code is like, what each explains that no other does; nothing is fetched."""
    names = {each.reference for each in compared if each.is_found and each.suspect == member and each.report.matches}
    if scope.index is None or len(names) < 2:
        return {}
    held = [scope.index.repo(each) for each in scope.index.targets() if each.target in names]
    if len(held) < 2:
        return {}
    report = compare(repo, held, Options(jobs=scope.jobs, kinds=frozenset({"code"}), most_explained=0), scope.progress)
    targets = {side.name: side.target for side in report.references}
    return {targets[row.reference]: row.exclusive_bits for row in report.attribution}


def _is_declared(me: Member, other: Member | None, ties: Sequence[Tie], is_later: bool) -> bool:
    """Whether what the suspect says itself explains the pair, whatever the evidence comes to.

    It says that it is made from the reference; or both say that they are made from a third one, and the weights of one
    are those of that one but for rounding: a cast has nothing that it could have from its sister.
    """
    if other is None:
        return False
    suspect, reference = (me, other) if is_later else (other, me)
    shared = {*me.declared} & {*other.declared}
    rounded = {tie.one if tie.derived == tie.other else tie.other for tie in ties if tie.derived and _rounds(tie)}
    return reference.name in suspect.declared or bool(shared & rounded)


def _rounds(tie: Tie) -> bool:
    return tie.why.startswith("rounded") or tie.why.endswith("levels")


def _opened(scope: Scope, name: str, other: Member | None, opened: ExitStack, found: Examined) -> Repo | None:
    """The other side: as it was when it was looked at; what cannot be fetched any more, as the index holds it."""
    why = "it was never read"
    if other is not None:
        revision = members.done_revision(scope.store.connection, name)
        try:
            return opened.enter_context(open_target(replace_revision(other, revision).target))
        except UserError as error:
            why = str(error)
    if scope.index is not None:
        held = [each for each in scope.index.targets() if each.target == name]
        if held:
            return scope.index.repo(held[0])
    found.unread.append(f"{found.listed.member} with {name}: {why}")
    return None


def replace_revision(member: Member, revision: str) -> Listed:
    """A member as it was listed at a revision."""
    return Listed(member.name, revision or member.revision, member.modified, member.created, member.declared)


def _bases(scope: Scope, me: Member, other: Member | None) -> list[str]:
    """Members that both, or either, say they are made from: what the two have from there says nothing of each other."""
    said = [*me.declared, *(other.declared if other is not None else ())]
    sides = {me.name, other.name if other is not None else ""}
    return [each for each in dict.fromkeys(said) if each not in sides][:MOST_BASES]


def _base(scope: Scope, name: str, opened: ExitStack) -> Repo | None:
    member = members.member(scope.store.connection, name)
    if member is None or member.standing is not Standing.DONE:
        return None
    try:
        return opened.enter_context(open_target(replace_revision(member, member.revision).target))
    except UserError:
        return None


def _first_commit(repo: Repo) -> str:
    """When the history of a repository begins, by its own account; "" where it has none."""
    commits = repo.history.commits() if repo.history is not None else ()
    if not commits:
        return ""
    return datetime.fromtimestamp(min(each.authored for each in commits), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _declared(listed: Listed, repo: Repo) -> tuple[str, ...]:
    """What a member says that it is made from: by its listing, and by its card."""
    from detector.artifacts.credits.manifests import front_matter

    scheme = listed.member.partition(":")[0]
    said = [*listed.declared]
    for data in repo.files.notes().values():
        for name in front_matter(data.decode("utf-8", "replace")).get(_BASE_KEYS, ()):
            said.append(f"{scheme}:{name}" if scheme in ("hf", "ms") else name)
    return tuple(dict.fromkeys(said))


def _tell(scope: Scope, stage: str) -> None:
    if scope.progress is not None:
        scope.progress(stage, 0, 0)
