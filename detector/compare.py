"""The story: look for each kind of evidence between the suspect and the references, judge, hand over one `Report`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from detector import __version__, ledger, matching
from detector.artifacts.licences import matched
from detector.code.known import NOT_ITS_FILES, Known, has_texts, known_files
from detector.code.literal_background import literal_background
from detector.code.literals import read_literals
from detector.code.null import null
from detector.evidence import behaviour, config, dangling, declared, history, structure, tokenizer, traces, weights
from detector.judge import judge, nearest_reference
from detector.model import Correspondence, Event, Examined, Look, Report, Side, UserError
from detector.options import DEFAULTS, Options
from detector.settings import LOWERING_VERSION, REPORT_SCORE
from detector.targets import Comparison, Progress, Repo

# Every kind of evidence beside the code, in the order of the report.
BESIDE = {
    "declared": declared.find,
    "dangling": dangling.find,
    "history": history.find,
    "config": config.find,
    "structure": structure.find,
    "tokenizer": tokenizer.find,
    "weights": weights.find,
    "behaviour": behaviour.find,
}
# Kinds that are found in what the code has in common.
BY_CODE = frozenset({"code", "traces", "declared"})
KINDS = ("code", "traces", *BESIDE)
# Kinds that compare something with something.
LIKENESS = frozenset(KINDS) - {"declared", "dangling"}


def compare(
    suspect: Repo,
    references: Sequence[Repo],
    options: Options = DEFAULTS,
    progress: Progress | None = None,
    *,
    bases: Sequence[Repo] = (),
    panel: Sequence[Repo] = (),
    known: Known | None = None,
) -> Report:
    """Find every trace of the references in the suspect.

    bases: models that both sides may have started from. panel: models whose predictions only say what chance gives.
    known: an index, of which the targets that any function may come from are references, too.
    Errors: UserError when no kind of evidence has anything to look at.
    """
    kinds = frozenset(KINDS) if options.kinds is None else options.kinds
    by_code = (bool(references) or known is not None) and bool(kinds & BY_CODE)
    looked: tuple[Examined, ...] = ()
    if by_code:
        held = matching.hold(suspect, references, options, progress, known)
        if known is not None:
            chosen, told = matching.choose(held, known, progress)
            references, looked = [*references, *chosen], (told,)
    every_name = _distinct_names((suspect, *references, *bases, *panel))
    names = every_name[: 1 + len(references)]
    of_bases, of_panel = every_name[len(names) : len(names) + len(bases)], every_name[len(names) + len(bases) :]
    code = matching.NOTHING
    if by_code:
        code = matching.match(held, suspect, references, names, options, progress)
        if known is not None and not references:
            code = replace(code, links={"": matching.unrelated(held, known)})
    code = _with_terms(code, suspect, dict(zip(names[1:], references, strict=True)))
    comparison = Comparison(
        suspect,
        names[0],
        dict(zip(names[1:], references, strict=True)),
        code.nearest,
        code.attribution,
        dict(zip(of_bases, bases, strict=True)),
        dict(zip(of_panel, panel, strict=True)),
        options.depth,
        progress,
    )
    looks: list[Look] = []
    for kind, find in BESIDE.items():
        if kind in kinds:
            comparison.tell(f"looking at {kind}")
            looks += _looks(kind, find, comparison)
    traced = _traces(comparison, code.files) if "traces" in kinds and code.links else ()
    beside = [line for look in looks for line in look.evidence]
    evidence = tuple(
        line for line in (*code.evidence, *ledger.kinds_of_trace(traced, names[1:]), *beside) if line.kind in kinds
    )
    examined = _examined(comparison, (*looked, *code.examined), kinds, looks)
    _require_anything(suspect, [each for each in examined if each.kind in (LIKENESS & kinds or kinds)], code.missing)
    nearest = nearest_reference(code.attribution, evidence, names[1:])
    verdict = judge((code.links or {}).get(nearest), [each for each in evidence if each.reference == nearest])
    is_listed = "code" in kinds
    return Report(
        suspect=_side(suspect, names[0], code),
        references=tuple(_side(repo, name, code) for repo, name in zip(references, names[1:], strict=True)),
        relation=verdict.relation,
        strength=verdict.strength,
        matches=code.matches if is_listed else (),
        classes=code.classes if is_listed else (),
        files=code.files if is_listed else (),
        names=code.names if is_listed else (),
        attribution=tuple(sorted(code.attribution, key=lambda row: row.reference != nearest)) if is_listed else (),
        evidence=evidence,
        skipped=tuple(dict.fromkeys((*code.skipped, *(skipped for look in looks for skipped in look.skipped)))),
        settings=_settings(options),
        traces=tuple(each.trace for each in traced),
        versions={"detector": __version__, "lowering": str(LOWERING_VERSION)},
        similarities=code.similarities if is_listed else None,
        clusters=verdict.clusters,
        examined=examined,
        exhibits=tuple(exhibit for look in looks for exhibit in look.exhibits),
        events=tuple(sorted({event for look in looks for event in look.events}, key=_order)),
        figures=tuple(figure for look in looks for figure in look.figures),
    )


def _with_terms(code: matching.Matched, suspect: Repo, references: Mapping[str, Repo]) -> matching.Matched:
    """Say of every match under which licences its two sides stand."""
    if not (code.matches or code.nearest):
        return code
    named = {match.reference_name for match in (*code.matches, *code.nearest)}
    ours, theirs = matched.of(suspect), {name: matched.of(references[name]) for name in sorted(named)}
    listed, nearest = (matched.with_terms(each, ours, theirs) for each in (code.matches, code.nearest))
    return replace(code, matches=listed, nearest=nearest)


def _looks(kind: str, find: Callable[[Comparison], tuple[Look, ...]], comparison: Comparison) -> Iterator[Look]:
    """Look for a kind of evidence in the files of all references that have any: of others an index knows the code."""
    unknown = {name: repo for name, repo in comparison.references.items() if known_files(repo) is None}
    if kind == "declared" or len(unknown) == len(comparison.references):
        yield from find(comparison)
        return
    yield from find(replace(comparison, references=unknown))
    for name in [name for name in comparison.references if name not in unknown]:
        yield Look(Examined(kind, name, False, NOT_ITS_FILES))


def _traces(comparison: Comparison, files: Sequence[Correspondence]) -> tuple[traces.Found, ...]:
    """Read all files a second time, for the small things that they have in common."""
    references = {name: repo for name, repo in comparison.references.items() if has_texts(repo)}
    if not references:
        return ()
    comparison.tell("looking for traces")
    repos = [comparison.suspect, *references.values()]
    ours, *theirs = [read_literals(repo.files) for repo in repos]
    reads = [repo.files.read for repo in repos]
    return traces.find(ours, dict(zip(references, theirs, strict=True)), comparison.matches, files, reads)


def _order(event: Event) -> tuple[str, ...]:
    return event.at, event.side, event.kind, event.text, event.revision


def _side(repo: Repo, name: str, code: matching.Matched) -> Side:
    return Side(repo.target, name, repo.revision, code.functions.get(name, 0), code.files_read.get(name, 0))


def _examined(
    comparison: Comparison, of_code: Sequence[Examined], kinds: Collection[str], looks: Sequence[Look]
) -> tuple[Examined, ...]:
    """What each kind that was asked for had to look at; traces are looked for wherever texts of code are."""
    bare = {name for name, repo in comparison.references.items() if not has_texts(repo)}
    of_traces = [
        Examined("traces", each.reference, False, NOT_ITS_FILES)
        if each.reference in bare
        else replace(each, kind="traces")
        for each in of_code
        if each.reference
    ]
    return tuple(each for each in (*of_code, *of_traces, *(look.examined for look in looks)) if each.kind in kinds)


def _require_anything(suspect: Repo, examined: Sequence[Examined], missing: Sequence[str]) -> None:
    """Refuse targets in which no likeness can be looked for: silence would look like innocence."""
    if any(each.is_possible for each in examined):
        return
    if missing:
        raise UserError(missing[0])
    why = "; ".join(dict.fromkeys(each.about for each in examined))
    raise UserError(f"{suspect.target}: there is nothing to compare{f' ({why})' if why else ''}")


def _distinct_names(repos: Sequence[Repo]) -> list[str]:
    """Short names; where targets are called alike, with the folder above, else with the revision, else numbered."""
    names: list[str] = []
    for repo in repos:
        alike = [_spellings(other) for other in repos if other.name == repo.name]
        telling = (
            name for place, name in enumerate(_spellings(repo)) if [each[place] for each in alike].count(name) == 1
        )
        plain = next(telling, repo.name)
        name, count = plain, 2
        while name in names:
            name, count = f"{plain} ({count})", count + 1
        names.append(name)
    return names


def _spellings(repo: Repo) -> tuple[str, str, str]:
    """The name, with the folder that it stands in as far as the target tells, and with the revision if there is one."""
    above, found, _ = repo.target.replace("\\", "/").rpartition(f"/{repo.name}")
    folder = above.rpartition("/")[2]
    return (
        repo.name,
        f"{folder}/{repo.name}" if found and folder else repo.name,
        f"{repo.name}@{repo.revision[:12]}" if repo.revision else repo.name,
    )


def _settings(options: Options) -> dict[str, float | int | str]:
    return {
        "min_similarity": "calibrated" if options.min_similarity is None else options.min_similarity,
        "min_bits": "calibrated" if options.min_bits is None else options.min_bits,
        "report_score": REPORT_SCORE,
        "background_packages": literal_background().packages,
        "least_coincidence": round(float(null().rates.min()) * 10_000, 4),
    }
