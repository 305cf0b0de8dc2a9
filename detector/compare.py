"""The story: read the repositories, find evidence, judge, hand over one `Report`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from detector import ledger
from detector.code import histogram, structure
from detector.code.bulk import Corpus, compared_packages, local_packages, read_corpus, require_functions
from detector.code.explain import Explanation, explain
from detector.code.literal_background import literal_background
from detector.code.literals import read_literals
from detector.code.null import null
from detector.evidence import code, declared, traces
from detector.judge import Link, judge
from detector.model import (
    Attribution,
    Basis,
    CloneType,
    Correspondence,
    Match,
    Repo,
    Report,
    Side,
    Skipped,
    Span,
)
from detector.settings import LOWERING_VERSION, MOST_EXPLAINED, REPORT_SCORE

Progress = Callable[[str, int, int], None]  # stage, done, total (0: unknown)


@dataclass(frozen=True, slots=True)
class Options:
    """What the user may set. None: the calibrated default."""

    min_similarity: float | None = None
    min_bits: float | None = None
    jobs: int = 1
    most_explained: int = MOST_EXPLAINED  # matches of one reference, strongest first, that are explained in full


def compare(
    suspect: Repo, references: Sequence[Repo], options: Options = Options(), progress: Progress | None = None
) -> Report:
    """Find every trace of the references in the suspect.

    Errors: UserError when a side has no function that can be read.
    """
    names = _distinct_names([suspect, *references])
    compared = compared_packages(repo.files.paths() for repo in (suspect, *references))
    ours, *theirs = [_read(repo, compared, options.jobs, progress) for repo in (suspect, *references)]
    _tell(progress, "comparing", 0)
    gate = code.Gate(options.min_similarity, options.min_bits)
    reads = [repo.files.read for repo in (suspect, *references)]
    found = code.find(ours, theirs, gate, reads)
    _tell(progress, "explaining", len(found.listed))
    matches = _matches(found, suspect, references, ours, theirs, names, compared, options.most_explained)
    # What is listed must not change what is concluded.
    nearest = [matches[entry] for entry in found.nearest]
    sides = tuple(
        Side(repo.target, name, repo.revision, len(corpus.spans), corpus.files)
        for repo, name, corpus in zip((suspect, *references), names, (ours, *theirs), strict=True)
    )
    attribution = _attribution(found, nearest, names[1:])
    top = attribution[0].reference
    number = names[1:].index(top)
    link = _link(
        found.likenesses[number], [match for match in nearest if match.reference_name == top], ours, theirs[number]
    )
    relation, strength = judge(link)
    spans = {name: corpus.spans for name, corpus in zip(names[1:], theirs, strict=True)}
    files = structure.files(nearest, ours.spans, spans)
    traced = _traces([suspect, *references], names, nearest, files, progress)
    return Report(
        suspect=sides[0],
        references=sides[1:],
        relation=relation,
        strength=strength,
        matches=tuple(matches[entry] for entry in found.listed),
        classes=structure.classes(nearest, ours.spans, spans),
        files=files,
        names=structure.names(nearest),
        attribution=attribution,
        evidence=(
            *ledger.kinds_of_match(nearest, attribution),
            *ledger.common_sources(found, attribution, names[1:], ours),
            *ledger.citations(suspect, references, names[1:], attribution, strength),
            *ledger.kinds_of_trace(traced, names[1:]),
        ),
        skipped=tuple(
            Skipped(f"{name}:{skipped.path}", skipped.reason)
            for name, corpus in zip(names, (ours, *theirs), strict=True)
            for skipped in corpus.skipped
        ),
        settings=_settings(options),
        traces=tuple(each.trace for each in traced),
        versions={"detector": _version(), "lowering": str(LOWERING_VERSION)},
        similarities=histogram.beside_null([one.best(len(ours.spans)) for one in found.likenesses]),
    )


def _traces(
    repos: Sequence[Repo],
    names: Sequence[str],
    matches: Sequence[Match],
    files: Sequence[Correspondence],
    progress: Progress | None,
) -> tuple[traces.Found, ...]:
    """Read all files a second time, for the small things that they have in common."""
    _tell(progress, "looking for traces", 0)
    ours, *theirs = [read_literals(repo.files) for repo in repos]
    reads = [repo.files.read for repo in repos]
    return traces.find(ours, dict(zip(names[1:], theirs, strict=True)), matches, files, reads)


def _read(repo: Repo, compared: frozenset[str], jobs: int, progress: Progress | None) -> Corpus:
    def tell(done: int, total: int) -> None:
        if progress is not None:
            progress(f"reading {repo.name}", done, total)

    corpus = read_corpus(repo.files, repo.files.paths(), jobs, tell, compared)
    require_functions(corpus, repo.target)
    return corpus


def _tell(progress: Progress | None, stage: str, total: int) -> None:
    if progress is not None:
        progress(stage, 0, total)


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


def _matches(
    found: code.CodeEvidence,
    suspect: Repo,
    references: Sequence[Repo],
    ours: Corpus,
    theirs: Sequence[Corpus],
    names: Sequence[str],
    compared: frozenset[str],
    most_explained: int,
) -> dict[tuple[int, int], Match]:
    """Explain each pair that is listed or judged from its two texts, one reference at a time."""
    wanted = list(dict.fromkeys((*found.listed, *found.nearest)))
    explained: dict[tuple[int, int], tuple[Explanation, bool]] = {}
    for number, reference in enumerate(references):
        entries = [entry for entry in wanted if entry[0] == number]
        spans = [_spans(found, entry, ours, theirs) for entry in entries]
        read = suspect.files.read, reference.files.read
        own, other = (local_packages(repo.files.paths()) | compared for repo in (suspect, reference))
        # Names and disguises of the strongest matches; of the others, and of candidates, only the clone type.
        full = 0 if len(found.listed) > len(ours.spans) else most_explained
        explanations = explain(spans, *read, (own, other), full=full)
        own_names = declared.names_of(reference, reference.files.paths())
        is_declared = declared.declares([span for span, _ in spans], suspect.files.read, own_names)
        explained.update(zip(entries, zip(explanations, is_declared, strict=True), strict=True))
    return {entry: _match(found, entry, explained[entry], ours, theirs, names) for entry in wanted}


def _spans(
    found: code.CodeEvidence, entry: tuple[int, int], ours: Corpus, theirs: Sequence[Corpus]
) -> tuple[Span, Span]:
    number, position = entry
    pairs = found.likenesses[number].pairs
    return ours.spans[int(pairs.suspect[position])], theirs[number].spans[int(pairs.reference[position])]


def _match(
    found: code.CodeEvidence,
    entry: tuple[int, int],
    explained: tuple[Explanation, bool],
    ours: Corpus,
    theirs: Sequence[Corpus],
    names: Sequence[str],
) -> Match:
    number, position = entry
    pairs = found.likenesses[number].pairs
    explanation, is_declared = explained
    suspect, reference = _spans(found, entry, ours, theirs)
    return Match(
        suspect=suspect,
        reference_name=names[1 + number],
        reference=reference,
        similarity=float(found.likenesses[number].similarity[position]),
        overlap=float(pairs.overlap[position]),
        containment=float(pairs.containment[position]),
        bits=float(pairs.shared[position]),
        own_bits=float(pairs.own[position]),
        coincidence=float(found.likenesses[number].rates[position]) * 10_000,
        basis=found.likenesses[number].bases.get(position) or Basis.REQUEST,
        clone_type=explanation.clone_type,
        is_declared=is_declared,
        digest=f"{ours.digest(int(pairs.suspect[position]))}-{theirs[number].digest(int(pairs.reference[position]))}",
        renames=explanation.renames,
        renames_by_role=explanation.renames_by_role,
        disguises=explanation.disguises,
        disguise_lines=explanation.disguise_lines,
        suspect_lines=explanation.suspect_lines,
        reference_lines=explanation.reference_lines,
        texts=explanation.texts,
        flows=explanation.flows,
    )


def _attribution(found: code.CodeEvidence, nearest: Sequence[Match], names: Sequence[str]) -> tuple[Attribution, ...]:
    """What each reference explains, led by the one that the most weight of the suspect is nearest to.

    Two versions of one source explain the same: their exclusive bits cancel, what each is nearest to does not.
    """
    won = {name: sum(match.own_bits for match in nearest if match.reference_name == name) for name in names}
    counts = [match.reference_name for match in nearest]
    rows = [
        Attribution(name, share.bits, share.exclusive_bits, counts.count(name), share.share_of_suspect)
        for name, share in zip(names, found.shares, strict=True)
    ]
    return tuple(
        sorted(rows, key=lambda row: (-won[row.reference], -row.exclusive_bits, -row.bits, names.index(row.reference)))
    )


def _link(likeness: code.Likeness, matches: Sequence[Match], suspect: Corpus, reference: Corpus) -> Link:
    bits = sum(match.own_bits for match in matches)
    unchanged = sum(match.own_bits for match in matches if match.clone_type == CloneType.LAYOUT)
    return Link(
        bits=bits,
        strong_functions=int(likeness.is_strong.sum()),
        strong_bits=likeness.link_bits,
        declared_bits=sum(match.own_bits for match in matches if match.is_declared),
        share_of_suspect=likeness.share_of_suspect,
        unchanged_share=likeness.share_of_suspect * unchanged / max(bits, 1e-9),
        suspect_functions=suspect.comparable,
        reference_functions=reference.comparable,
    )


def _settings(options: Options) -> dict[str, float | int | str]:
    return {
        "min_similarity": "calibrated" if options.min_similarity is None else options.min_similarity,
        "min_bits": "calibrated" if options.min_bits is None else options.min_bits,
        "report_score": REPORT_SCORE,
        "background_packages": literal_background().packages,
        "least_coincidence": round(float(null().rates.min()) * 10_000, 4),
    }


def _version() -> str:
    try:
        return version("ml-plagiarism-detector")
    except PackageNotFoundError:  # run from a checkout that is not installed
        return "0"
