"""The code of both sides -> matches, what they add up to, and what links the suspect with each reference."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from detector import ledger
from detector.code import histogram, known, structure
from detector.code.bulk import local_packages, missing_functions, read_corpus
from detector.code.clone_types import clone_types
from detector.code.corpus import Corpus
from detector.code.explain import Explanation, explain
from detector.code.held import Held
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


def hold(
    suspect: Repo,
    references: Sequence[Repo],
    options: Options,
    progress: Progress | None,
    index: known.Known | None = None,
) -> Held:
    """Read the suspect, as it will be held against the references and against targets of an index."""
    packages = [known.packages(repo) for repo in references]
    if index is not None:  # which of its targets is not known yet: as nobody's, what it imports has a name
        packages = [frozenset(), index.packages(), *packages]
    first, *others = packages
    return Held(suspect.files, first, others, options.jobs, _reading(suspect, progress))


def choose(held: Held, index: known.Known, progress: Progress | None) -> tuple[Sequence[Repo], Examined]:
    """The targets of an index that the suspect is to be compared with, and what was looked at to find them."""
    missing = missing_functions(held.corpus)
    if missing:
        return (), Examined("code", "", False, f"the suspect: {missing}")
    _tell(progress, "looking in the index", 0)
    chosen = list(index.references(held.against(frozenset())))
    # What was taken out of a package imports from it what is local there.
    importing = held.against(index.packages())
    if importing is not held.against(frozenset()):
        known_already = {(repo.target, repo.revision) for repo in chosen}
        chosen += [repo for repo in index.references(importing) if (repo.target, repo.revision) not in known_already]
    targets = len(index.targets())
    of = f"{len(held.corpus.spans):,} functions with an index of {targets:,} target{'' if targets == 1 else 's'}"
    found = f"{len(chosen):,} of which {'has' if len(chosen) == 1 else 'have'} candidates"
    return chosen, Examined("code", "", True, f"{of}, {found if chosen else 'in which none has a candidate'}")


def unrelated(held: Held, index: known.Known) -> Link:
    """What links a suspect with an index in which none of its functions has a candidate: nothing."""
    functions = sum(target.functions for target in index.targets())
    return Link(0.0, 0, 0.0, 0.0, 0.0, 0.0, held.corpus.comparable, functions)


def match(
    held: Held,
    suspect: Repo,
    references: Sequence[Repo],
    names: Sequence[str],
    options: Options,
    progress: Progress | None,
) -> Matched:
    """Compare the code of the suspect with that of each reference.

    names: of the suspect and the references, in their order. A reference without code is told as such, and takes no
    part; nor does anything if the suspect has none.
    """
    repos = (suspect, *references)
    corpora = [held.corpus, *(_read(repo, options.jobs, progress) for repo in references)]
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
    pairs = [_pair(held, suspect, repos[number], names[number], corpora[number]) for number in able]
    found = _compared(pairs, options, progress)
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


@dataclass(frozen=True, slots=True)
class _Pair:
    """The suspect and one reference.

    local: names under which either imports itself.
    """

    suspect: Repo
    reference: Repo
    name: str  # of the reference
    ours: Corpus  # as it is held against this reference
    theirs: Corpus
    local: tuple[frozenset[str], frozenset[str]]


def _pair(held: Held, suspect: Repo, reference: Repo, name: str, theirs: Corpus) -> _Pair:
    packages = known.packages(reference)
    local = held.local(packages), local_packages(reference.files.paths())
    return _Pair(suspect, reference, name, held.against(packages), theirs, local)


def _examined(names: Sequence[str], number: int, corpora: Sequence[Corpus], missing: str) -> Examined:
    if missing:
        side = names[0] if not corpora[0].spans else names[number]
        return Examined("code", names[number], False, f"{side}: {missing}")
    ours, theirs = (f"{len(corpora[side].spans):,} functions" for side in (0, number))
    return Examined("code", names[number], True, f"{ours} with {theirs}")


def _compared(pairs: Sequence[_Pair], options: Options, progress: Progress | None) -> Matched:
    _tell(progress, "comparing", 0)
    gate = code.Gate(options.min_similarity, options.min_bits)
    reads = [
        (pair.suspect.files.read, None if known.known_files(pair.reference) else pair.reference.files.read)
        for pair in pairs
    ]
    found = code.find([pair.ours for pair in pairs], [pair.theirs for pair in pairs], gate, reads)
    _tell(progress, "explaining", len(found.listed))
    matches = _matches(found, pairs, options.most_explained)
    # What is listed must not change what is concluded.
    nearest = [matches[entry] for entry in found.nearest]
    names = [pair.name for pair in pairs]
    attribution = _attribution(found, nearest, names)
    ours = pairs[0].ours  # as far as its functions go, the same in all
    spans = {pair.name: pair.theirs.spans for pair in pairs}
    links = {
        pair.name: _link(likeness, [match for match in nearest if match.reference_name == pair.name], pair)
        for pair, likeness in zip(pairs, found.likenesses, strict=True)
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
            *ledger.common_sources(found, attribution, names, ours),
        ),
        links=links,
        similarities=histogram.beside_null([one.best(len(ours.spans)) for one in found.likenesses]),
    )


def _read(repo: Repo, jobs: int, progress: Progress | None) -> Corpus:
    files = known.known_files(repo)
    if files is not None:
        return files.corpus
    return read_corpus(repo.files, repo.files.paths(), jobs, _reading(repo, progress))


def _reading(repo: Repo, progress: Progress | None) -> Callable[[int, int], None]:
    def tell(done: int, total: int) -> None:
        if progress is not None:
            progress(f"reading {repo.name}", done, total)

    return tell


def _tell(progress: Progress | None, stage: str, total: int) -> None:
    if progress is not None:
        progress(stage, 0, total)


def _matches(found: code.CodeEvidence, pairs: Sequence[_Pair], most_explained: int) -> dict[tuple[int, int], Match]:
    """Explain each pair of functions that is listed or judged from its two texts, one reference at a time."""
    wanted = list(dict.fromkeys((*found.listed, *found.nearest)))
    explained: dict[tuple[int, int], tuple[Explanation, bool]] = {}
    for number, pair in enumerate(pairs):
        entries = [entry for entry in wanted if entry[0] == number]
        spans = [_spans(found, entry, pairs) for entry in entries]
        read = pair.suspect.files.read, pair.reference.files.read
        if known.has_texts(pair.reference):
            # Names and disguises of the strongest matches; of the others, and of candidates, only the clone type.
            full = 0 if len(found.listed) > len(pair.ours.spans) else most_explained
            explanations = explain(spans, *read, pair.local, full=full)
        else:
            # Of names and disguises wordings say nothing.
            texts, numbers = (pair.ours.spans, read[0]), [_numbers(found, entry) for entry in entries]
            explanations = [Explanation(each, {}, ()) for each in clone_types(numbers, texts, pair.theirs)]
        called = declared.names_of(pair.reference)
        is_declared = declares([span for span, _ in spans], pair.suspect.files.read, called)
        explained.update(zip(entries, zip(explanations, is_declared, strict=True), strict=True))
    return {entry: _match(found, entry, explained[entry], pairs) for entry in wanted}


def _numbers(found: code.CodeEvidence, entry: tuple[int, int]) -> tuple[int, int]:
    number, position = entry
    scored = found.likenesses[number].pairs
    return int(scored.suspect[position]), int(scored.reference[position])


def _spans(found: code.CodeEvidence, entry: tuple[int, int], pairs: Sequence[_Pair]) -> tuple[Span, Span]:
    one, other = _numbers(found, entry)
    return pairs[entry[0]].ours.spans[one], pairs[entry[0]].theirs.spans[other]


def _match(
    found: code.CodeEvidence,
    entry: tuple[int, int],
    explained: tuple[Explanation, bool],
    compared: Sequence[_Pair],
) -> Match:
    number, position = entry
    pairs = found.likenesses[number].pairs
    explanation, is_declared = explained
    (one, other), (suspect, reference) = _numbers(found, entry), _spans(found, entry, compared)
    ours, theirs = compared[number].ours, compared[number].theirs
    return Match(
        suspect=suspect,
        reference_name=compared[number].name,
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
        digest=f"{ours.digest(one)}-{theirs.digest(other)}",
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


def _link(likeness: code.Likeness, matches: Sequence[Match], pair: _Pair) -> Link:
    bits = sum(match.own_bits for match in matches)
    unchanged = sum(match.own_bits for match in matches if match.clone_type == CloneType.LAYOUT)
    return Link(
        bits=bits,
        strong_functions=int(likeness.is_strong.sum()),
        strong_bits=likeness.link_bits,
        declared_bits=sum(match.own_bits for match in matches if match.is_declared),
        share_of_suspect=likeness.share_of_suspect,
        unchanged_share=likeness.share_of_suspect * unchanged / max(bits, 1e-9),
        suspect_functions=pair.ours.comparable,
        reference_functions=pair.theirs.comparable,
    )
