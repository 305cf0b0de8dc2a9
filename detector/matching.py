"""The code of both sides -> matches, what they add up to, and what links the suspect with each reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from detector import ledger
from detector.code import histogram, structure
from detector.code.bulk import compared_packages, local_packages, missing_functions, read_corpus
from detector.code.corpus import Corpus
from detector.code.explain import Explanation, explain
from detector.declaring import declares
from detector.evidence import code, declared
from detector.judge import Link
from detector.model import (
    Attribution,
    Basis,
    CloneType,
    Correspondence,
    Evidence,
    Examined,
    Match,
    NamePair,
    Similarities,
    Skipped,
    Span,
)
from detector.options import Options
from detector.targets import Progress, Repo


@dataclass(frozen=True, slots=True)
class Matched:
    """Everything that comparing code gave.

    Shapes: `functions` and `files_read` count what was read of each side, by its name; `links` is by reference.
    """

    functions: Mapping[str, int]
    files_read: Mapping[str, int]
    examined: tuple[Examined, ...]
    skipped: tuple[Skipped, ...]
    matches: tuple[Match, ...] = ()  # that are listed
    nearest: tuple[Match, ...] = ()  # for each function of the suspect the one that counts
    classes: tuple[Correspondence, ...] = ()
    files: tuple[Correspondence, ...] = ()
    names: tuple[NamePair, ...] = ()
    attribution: tuple[Attribution, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    links: Mapping[str, Link] | None = None  # None: the code was not compared
    missing: tuple[str, ...] = ()  # targets without code, and why
    similarities: Similarities | None = None


# What not comparing code gives.
NOTHING = Matched({}, {}, (), ())


def match(
    suspect: Repo, references: Sequence[Repo], names: Sequence[str], options: Options, progress: Progress | None
) -> Matched:
    """Compare the code of the suspect with that of each reference.

    names: of the suspect and the references, in their order. A reference without code is told as such, and takes no
    part; nor does anything if the suspect has none.
    """
    repos = (suspect, *references)
    compared = compared_packages(repo.files.paths() for repo in repos)
    corpora = [_read(repo, compared, options.jobs, progress) for repo in repos]
    missing = [missing_functions(corpus) for corpus in corpora]
    able = [number for number in range(1, len(repos)) if not missing[0] and not missing[number]]
    base = Matched(
        functions={name: len(corpus.spans) for name, corpus in zip(names, corpora, strict=True)},
        files_read={name: corpus.files for name, corpus in zip(names, corpora, strict=True)},
        examined=tuple(
            _examined(names, number, corpora, missing[0] or missing[number]) for number in range(1, len(repos))
        ),
        skipped=tuple(
            Skipped(f"{name}:{skipped.path}", skipped.reason)
            for name, corpus in zip(names, corpora, strict=True)
            for skipped in corpus.skipped
        ),
        attribution=tuple(Attribution(name, 0.0, 0.0, 0, 0.0) for name in names[1:]),
        missing=tuple(f"{repo.target}: {why}" for repo, why in zip(repos, missing, strict=True) if why),
    )
    if not able:
        return base
    chosen = [0, *able]
    found = _compared(
        [repos[number] for number in chosen],
        [names[number] for number in chosen],
        [corpora[number] for number in chosen],
        compared,
        options,
        progress,
    )
    others = [row for row in base.attribution if row.reference not in (found.links or {})]
    return replace(
        found,
        functions=base.functions,
        files_read=base.files_read,
        examined=base.examined,
        skipped=base.skipped,
        missing=base.missing,
        attribution=(*found.attribution, *others),
    )


def _examined(names: Sequence[str], number: int, corpora: Sequence[Corpus], missing: str) -> Examined:
    if missing:
        side = names[0] if not corpora[0].spans else names[number]
        return Examined("code", names[number], False, f"{side}: {missing}")
    ours, theirs = (f"{len(corpora[side].spans):,} functions" for side in (0, number))
    return Examined("code", names[number], True, f"{ours} with {theirs}")


def _compared(
    repos: Sequence[Repo],
    names: Sequence[str],
    corpora: Sequence[Corpus],
    compared: frozenset[str],
    options: Options,
    progress: Progress | None,
) -> Matched:
    suspect, *references = repos
    ours, *theirs = corpora
    _tell(progress, "comparing", 0)
    gate = code.Gate(options.min_similarity, options.min_bits)
    found = code.find(ours, theirs, gate, [repo.files.read for repo in repos])
    _tell(progress, "explaining", len(found.listed))
    matches = _matches(found, suspect, references, ours, theirs, names, compared, options.most_explained)
    # What is listed must not change what is concluded.
    nearest = [matches[entry] for entry in found.nearest]
    attribution = _attribution(found, nearest, names[1:])
    spans = {name: corpus.spans for name, corpus in zip(names[1:], theirs, strict=True)}
    links = {
        name: _link(likeness, [match for match in nearest if match.reference_name == name], ours, corpus)
        for name, likeness, corpus in zip(names[1:], found.likenesses, theirs, strict=True)
    }
    return Matched(
        functions={},
        files_read={},
        examined=(),
        skipped=(),
        matches=tuple(matches[entry] for entry in found.listed),
        nearest=tuple(nearest),
        classes=structure.classes(nearest, ours.spans, spans),
        files=structure.files(nearest, ours.spans, spans),
        names=structure.names(nearest),
        attribution=attribution,
        evidence=(
            *ledger.kinds_of_match(nearest, attribution),
            *ledger.common_sources(found, attribution, names[1:], ours),
        ),
        links=links,
        similarities=histogram.beside_null([one.best(len(ours.spans)) for one in found.likenesses]),
    )


def _read(repo: Repo, compared: frozenset[str], jobs: int, progress: Progress | None) -> Corpus:
    def tell(done: int, total: int) -> None:
        if progress is not None:
            progress(f"reading {repo.name}", done, total)

    return read_corpus(repo.files, repo.files.paths(), jobs, tell, compared)


def _tell(progress: Progress | None, stage: str, total: int) -> None:
    if progress is not None:
        progress(stage, 0, total)


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
        called = declared.names_of(reference)
        is_declared = declares([span for span, _ in spans], suspect.files.read, called)
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
