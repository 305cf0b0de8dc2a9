"""The story before a merge: what a change adds, against what is known.

Changes -> the functions that they add or alter -> what is known that computes the same -> what of it was there before,
is declared or accepted -> a `Report` like any other. Only the changed files are lowered, in this process.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from detector.code.bulk import packages_of, read_corpus
from detector.code.parse import uncollected
from detector.indexed import Known, Scored, Target, background_packages, clone_type, least_coincidence
from detector.judge import Link, of_link
from detector.lookup import Found, Source, Suspect, look_up
from detector.model import (
    Attribution,
    Basis,
    CloneType,
    Examined,
    Exhibit,
    Match,
    Relation,
    Report,
    Side,
    Span,
    Strength,
    UserError,
)
from detector.own import is_same_address, is_same_name
from detector.read.hunks import touches
from detector.report.names import visible
from detector.settings import FEWEST_COMPARED_FUNCTIONS, LOWERING_VERSION, REPORT_SCORE
from detector.settings.hook import MOST_ALSO
from detector.targets import Changes

COINCIDENCE_OF = 10_000  # functions that `Match.coincidence` counts


@dataclass(frozen=True, slots=True)
class _Finding:
    """A function of the change, and the target that has it most alike."""

    found: Found
    scored: Scored
    others: tuple[tuple[Found, Scored], ...]  # further targets that have it

    @property
    def digest(self) -> str:
        """Of the function's value flow."""
        return self.found.ours.digest(self.scored.function)


def examine(
    changes: Changes, indexes: Sequence[Known], *, not_against: Collection[str] = (), version: str = "0"
) -> Report:
    """Find what the change adds that is known.

    not_against: names of targets that are left out.
    """
    with uncollected():
        return _examine(changes, indexes, not_against, version)


def _examine(changes: Changes, indexes: Sequence[Known], not_against: Collection[str], version: str) -> Report:
    everything = [Source(known, target) for known in indexes for target in known.targets()]
    left_out = _left_out(changes, everything, not_against)
    sources = [source for source in everything if source.target.name not in left_out]
    suspect = Suspect([each.file for each in changes.files], changes.paths, sources)
    functions = _touched(changes, suspect)
    found = look_up(suspect, functions, sources) if functions else []
    findings = _added(_strongest(found), changes)
    return _report(changes, suspect, functions, sources, findings, left_out, version)


def _left_out(changes: Changes, sources: Sequence[Source], not_against: Collection[str]) -> dict[str, str]:
    """Targets that nothing is held against, and why: what the user names, and the project itself.

    Errors: `UserError` for a name that no target has.
    """
    names = {source.target.name for source in sources} | {source.target.target for source in sources}
    for name in not_against:
        if name not in names:
            raise UserError(
                f"--not-against {visible(name)}: no target of the index is called so: see detector index list"
            )
    own, remotes = packages_of(changes.paths), changes.remotes() if sources else ()
    found = {}
    for target in (source.target for source in sources):
        if target.name in not_against or target.target in not_against:
            found[target.name] = "left out: --not-against names it"
        elif why := _why_own(target, changes, own, remotes):
            found[target.name] = f"left out: {why}"
    return found


def _why_own(target: Target, changes: Changes, own: frozenset[str], remotes: Sequence[str]) -> str:
    if is_same_address([target.target, *target.addresses], remotes):
        return "it is this project: a remote of the repository has its address"
    if is_same_name(target.name, changes.name) and target.packages and target.packages <= own:
        return "it is this project: it has the same name and the same packages"
    return ""


def _touched(changes: Changes, suspect: Suspect) -> list[int]:
    """Functions in which the change adds or alters a line."""
    lines = {each.file.path: each.lines for each in changes.files}
    return [
        number
        for number, span in enumerate(suspect.corpus.spans)
        if touches(lines[span.path], span.first_line, span.last_line)
    ]


def _strongest(found: Sequence[Found]) -> list[_Finding]:
    """Of each function the target that has it most alike.

    Ties: near ones go to the closer link, then to the earlier target.
    """
    links = [sum(one.bits for one in each.scored if one.basis is Basis.ALONE) for each in found]
    ranked: dict[int, list[tuple[float, float, int, Scored]]] = {}
    for number, each in enumerate(found):
        for one in each.scored:
            # In steps of 0.05, as a comparison with several references does.
            rank = (-round(one.overlap * 20), -links[number], number, one)
            ranked.setdefault(one.function, []).append(rank)
    findings = []
    for ranks in ranked.values():
        (_, _, first, one), *others = sorted(ranks, key=lambda rank: rank[:3])
        findings.append(_Finding(found[first], one, tuple((found[number], other) for _, _, number, other in others)))
    return sorted(findings, key=lambda each: (-round(each.scored.bits, 6), each.scored.function))


def _added(findings: list[_Finding], changes: Changes) -> list[_Finding]:
    """Without what stood in the project before: moved, renamed or laid out anew.

    The versions before are read only here, where there is something to hold against them.
    """
    if not findings:
        return []
    before = changes.before()
    if not before:
        return findings
    paths = [*changes.paths, *(file.path for file in before)]
    corpus = read_corpus(before, paths)
    digests = {corpus.digest(number) for number in range(len(corpus.spans))}
    return [each for each in findings if each.digest not in digests]


# --- the report ---


def _report(
    changes: Changes,
    suspect: Suspect,
    functions: Sequence[int],
    sources: Sequence[Source],
    findings: Sequence[_Finding],
    left_out: Mapping[str, str],
    version: str,
) -> Report:
    names = _names(findings)
    matches = tuple(_matches(changes, findings, names))
    attribution = _attribution(matches, findings, names, suspect, functions)
    relation, strength = _judged(matches, attribution, suspect, functions)
    side = f"{changes.name} ({changes.about})"
    return Report(
        suspect=Side(changes.target, side, changes.revision, len(functions), len(changes.files)),
        references=tuple(
            Side(source.target.target, name, source.target.revision, source.target.functions, source.target.files)
            for source, name in names
        ),
        relation=relation,
        strength=strength,
        matches=matches,
        classes=(),
        files=(),
        names=(),
        attribution=attribution,
        evidence=(),
        skipped=tuple(dict.fromkeys((*changes.skipped, *suspect.corpus.skipped))),
        settings={
            "report_score": REPORT_SCORE,
            "background_packages": background_packages(),
            "least_coincidence": round(least_coincidence() * COINCIDENCE_OF, 4),
        },
        versions={"detector": version, "lowering": str(LOWERING_VERSION)},
        examined=(
            *_examined(functions, sources),
            *(Examined("code", name, False, why) for name, why in left_out.items()),
        ),
        exhibits=_also(findings),
    )


def _names(findings: Sequence[_Finding]) -> list[tuple[Source, str]]:
    """The targets that have findings, strongest first, with names that tell them apart."""
    found: list[tuple[Source, str]] = []
    taken: set[str] = set()
    for source in dict.fromkeys(each.found.source for each in findings):
        name, count = source.target.name, 2
        if name in taken and source.target.revision:
            name = f"{name}@{source.target.revision[:12]}"
        plain = name
        while name in taken:
            name, count = f"{plain} ({count})", count + 1
        taken.add(name)
        found.append((source, name))
    return found


def _matches(changes: Changes, findings: Sequence[_Finding], names: Sequence[tuple[Source, str]]) -> Iterator[Match]:
    if not findings:
        return
    from detector.declaring import declares  # only here: most changes have no finding

    called = dict(names)
    here = _Licences(changes)
    data = {each.file.path: each.file.data for each in changes.files}
    declared: dict[int, bool] = {}
    for source, _ in names:
        numbers = [number for number, each in enumerate(findings) if each.found.source == source]
        spans = [_span(findings[number]) for number in numbers]
        declared |= zip(numbers, declares(spans, data.__getitem__, source.target.called), strict=True)
    for number, each in enumerate(findings):
        yield here.told(_match(each, called[each.found.source], declared[number]), each.found.source.target)


class _Licences:
    """Says of matches under which licences both sides stand, and how to declare them."""

    def __init__(self, changes: Changes) -> None:
        from detector.artifacts.licences import of_project

        self._data = {each.file.path: each.file.data for each in changes.files}
        self._of_file: dict[str, str] = {}
        project = changes.project()
        self._project = of_project(project).expression if project is not None else ""

    def told(self, match: Match, target: Target) -> Match:
        """The same match with its terms and, where it is not declared, its credit."""
        from detector.artifacts.licences import credit, of_file, terms

        path = match.suspect.path
        if path not in self._of_file:
            self._of_file[path] = of_file(self._data[path]) or self._project
        match = replace(match, terms=terms(self._of_file[path], target.licence))
        if match.is_declared:
            return match
        return replace(match, credit=credit(match, target.target, target.revision, target.called))


def _span(finding: _Finding) -> Span:
    return finding.found.ours.spans[finding.scored.function]


def _match(finding: _Finding, name: str, is_declared: bool) -> Match:
    found, scored = finding.found, finding.scored
    return Match(
        suspect=_span(finding),
        reference_name=name,
        reference=found.theirs.spans[scored.reference],
        similarity=scored.similarity,
        overlap=scored.overlap,
        containment=scored.containment,
        bits=scored.bits,
        own_bits=scored.own_bits,
        coincidence=scored.rate * COINCIDENCE_OF,
        basis=scored.basis,
        clone_type=clone_type(found.ours, scored.function, found.theirs, scored.reference),
        is_declared=is_declared,
        digest=f"{finding.digest}-{found.theirs.digest(scored.reference)}",
    )


def _attribution(
    matches: Sequence[Match],
    findings: Sequence[_Finding],
    names: Sequence[tuple[Source, str]],
    suspect: Suspect,
    functions: Sequence[int],
) -> tuple[Attribution, ...]:
    """What each target explains of the change; exclusive is what no other target has."""
    rows = []
    for _, name in names:
        ours = [(match, each) for match, each in zip(matches, findings, strict=True) if match.reference_name == name]
        bits = sum(match.own_bits for match, _ in ours)
        exclusive = sum(match.own_bits for match, each in ours if not each.others)
        rows.append(Attribution(name, bits, exclusive, len(ours), len(ours) / max(len(functions), 1)))
    return tuple(sorted(rows, key=lambda row: (-row.bits, row.reference)))


def _judged(
    matches: Sequence[Match], attribution: Sequence[Attribution], suspect: Suspect, functions: Sequence[int]
) -> tuple[Relation, Strength]:
    """What the code of the nearest target supports, of the change alone: it says nothing of the rest of the project."""
    if not attribution:
        is_large = len(functions) >= FEWEST_COMPARED_FUNCTIONS
        return (Relation.INDEPENDENT if is_large else Relation.INCONCLUSIVE), Strength.NONE
    nearest = attribution[0]
    own = [match for match in matches if match.reference_name == nearest.reference]
    strong = [match for match in own if match.basis is Basis.ALONE]
    unchanged = sum(match.own_bits for match in own if match.clone_type is CloneType.LAYOUT)
    return of_link(
        Link(
            bits=nearest.bits,
            strong_functions=len(strong),
            strong_bits=sum(match.own_bits for match in strong),
            declared_bits=sum(match.own_bits for match in own if match.is_declared),
            share_of_suspect=nearest.share_of_suspect,
            unchanged_share=nearest.share_of_suspect * unchanged / max(nearest.bits, 1e-9),
            suspect_functions=len(functions),
            reference_functions=len(functions),
        )
    )


def _examined(functions: Sequence[int], sources: Sequence[Source]) -> list[Examined]:
    if not functions:
        return [Examined("code", "", False, "the change adds and alters no function")]
    known = sum(source.target.functions for source in sources)
    ours = f"{len(functions):,} function{'s' if len(functions) != 1 else ''} that the change adds or alters"
    return [Examined("code", "", bool(known), f"{ours} with {known:,} of {len(sources):,} targets")]


def _also(findings: Sequence[_Finding]) -> tuple[Exhibit, ...]:
    """Where else the same functions are known."""
    rows = [
        (span.path, span.qualname, found.source.target.name, other.path, other.qualname, round(scored.similarity, 4))
        for each in findings
        for found, scored in each.others
        for span, other in [(_span(each), found.theirs.spans[scored.reference])]
    ]
    if not rows:
        return ()
    columns = ("path", "function", "also in", "its path", "its function", "similarity")
    title = "Functions of the change that further targets have"
    return (Exhibit("code", "also-known", "", title, columns, tuple(rows[:MOST_ALSO]), max(len(rows) - MOST_ALSO, 0)),)
