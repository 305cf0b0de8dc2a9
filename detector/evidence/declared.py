"""What the suspect itself says about where its code comes from: beside the code, and at the level of the project.

Measured:  "Copied from", "Adapted from" and their like in comments above a function, above its class, at the head
           of its file or in their docstrings, where the rest of the line names the reference, and headers that keep
           its copyright; "built on", "a fork of" and their like in READMEs, notices, metadata and commit messages;
           `base_model` of model cards, CITATION.cff, submodules, trailers of commits. One status for each reference.
           Besides: copyright lines that the files of a reference have and their counterparts in the suspect do not.
Copying:   it does not; declared reuse is the normal case and lowers a finding. A header that was lost says that the
           file once had it.
Innocent:  all of it. Of lost headers: the licence does not ask for them; one holder on both sides.
Misses:    credits in papers, or in another language than English; a name before the verb ("a heron fork"); thanks
           that claim nothing; whatever calls the source by another name.
Sources:   the conventions of published ML code, `# Copied from package.module.Class with A->B` above all; SPDX 2.3,
           REUSE 3.3, Citation File Format 1.2, the model cards of Hugging Face.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from detector.artifacts.credits import naming
from detector.artifacts.credits.declarations import Declaration, declarations, is_resolvable, target
from detector.artifacts.credits.lost_headers import Holders, holders, kept_files, lost_headers, lost_holders
from detector.artifacts.credits.naming import Names
from detector.model import Basis, Evidence, Examined, Exhibit, Look, Match, Place, Skipped, Strength
from detector.patterns import line
from detector.settings import CLEAR_LEAD, DECLARED_SHARE, DERIVED_BITS, DERIVED_FUNCTIONS, MOST_TOLD_PLACES
from detector.settings.declared import LONGEST_DECLARATION, MOST_DECLARATIONS, MOST_LOST_HEADERS
from detector.targets import Comparison, Repo


@dataclass(frozen=True, slots=True)
class _Suspect:
    """What the suspect says, read once for all references."""

    said: Sequence[Declaration]
    notes: Sequence[tuple[str, str]]  # path and text
    known: Holders  # whom its licence files and notes name
    own: Holders  # whom its own licence names


@dataclass(frozen=True, slots=True)
class _Reference:
    """One reference, and what the suspect says of it."""

    name: str
    repo: Repo
    names: Names
    claims: Sequence[Declaration]  # of the project, not beside the code
    matches: Sequence[Match]
    own: Holders

    def bits(self) -> float:
        """Of its matches."""
        return sum(match.own_bits for match in self.matches)


def find(comparison: Comparison) -> tuple[Look, ...]:
    """Say for each reference whether the suspect declares it as a source, where, and what it left out."""
    comparison.tell("reading what is declared")
    said, skipped = declarations(comparison.suspect)
    notes = [(path, data.decode("utf-8", "replace")) for path, data in comparison.suspect.files.notes().items()]
    known, own = (holders(comparison.suspect, is_own=is_own) for is_own in (False, True))
    suspect = _Suspect(said, notes, known, own)
    references = [_reference(comparison, name, said) for name in comparison.references]
    statuses = {each.name: _status(comparison, each, suspect) for each in references}
    statuses |= _others_credited(comparison, references, statuses)
    shown = _declarations(suspect, references)
    about = f"{len(said):,} declarations" if len(said) != 1 else "1 declaration"
    looks = []
    for number, reference in enumerate(references):
        lines, exhibits = _losses(comparison, reference, suspect)
        status = statuses[reference.name]
        looks.append(
            Look(
                Examined("declared", reference.name, True, f"{about} of the suspect, in notes, comments and metadata"),
                (*([status] if status else []), *lines),
                (*(shown if number == 0 else ()), *exhibits),
                skipped=tuple(Skipped(f"{comparison.name}:{each.path}", each.reason) for each in skipped)
                if number == 0
                else (),
            )
        )
    return tuple(looks)


def _reference(comparison: Comparison, name: str, said: Sequence[Declaration]) -> _Reference:
    repo = comparison.references[name]
    names = naming.names_of(repo)
    commits = _commits(repo) if any(each.where == "commit" for each in said) else frozenset()
    claims = [each for each in said if each.is_claim and each.where != "comment" and _names(each, names, commits)]
    matches = [match for match in comparison.matches if match.reference_name == name]
    return _Reference(name, repo, names, claims, matches, holders(repo, is_own=True))


def _commits(repo: Repo) -> frozenset[str]:
    return frozenset(commit.id for commit in repo.history.commits()) if repo.history is not None else frozenset()


def _names(said: Declaration, names: Names, commits: frozenset[str] = frozenset()) -> bool:
    return naming.is_named(said.source, names.names) or said.source in commits


def _status(comparison: Comparison, reference: _Reference, suspect: _Suspect) -> Evidence | None:
    """The one line that says whether this reference is declared; None where nothing matches and nothing is named."""
    files = comparison.suspect.files
    kept = kept_files(reference.matches, files, reference.own, [each.holder for _, each in suspect.own.found])
    declared = [match for match in reference.matches if match.is_declared or match.suspect.path in kept]
    bits, declared_bits = reference.bits(), sum(match.own_bits for match in declared)
    share = declared_bits / bits if bits else 0.0
    mentions = [path for path, text in suspect.notes if naming.is_named(text, reference.names.names)]
    measures: dict[str, float | int | str] = {
        "functions": len(reference.matches),
        "bits": round(bits, 2),
        "declared_functions": len(declared),
        "declared_share": round(share, 4),
        "claims": len(reference.claims),
        "mentioning_notes": len(mentions),
    }
    said: dict[str, object] = {
        **_matching(len(reference.matches)),
        "declared": len(declared),
        "are": "is" if len(declared) == 1 else "are",
        "share": f"{share:.0%}",
    }
    places = tuple(sorted({(match.suspect.path, match.suspect.first_line) for match in declared}))[:MOST_TOLD_PLACES]
    if 0 < declared_bits >= DECLARED_SHARE * bits:
        return _line("declared-where-it-stands", reference.name, said, measures, places)
    if reference.claims:
        first = reference.claims[0]
        said |= {"path": first.path, "where": _WHERE[first.where]}
        places = _places(reference.claims)
        return _line("declared-elsewhere", reference.name, said, measures, places)
    if declared:
        return _line("declared-in-part", reference.name, said, measures, places)
    if any(match.basis is Basis.ALONE for match in reference.matches):
        others = [each for each in suspect.said if is_resolvable(each)]
        measures["other_sources"] = len(others)
        more = f"; {mentions[0]} mentions it" if mentions else ""
        return _line("undeclared", reference.name, said, measures, (), more, _third_sources(others))
    return None


_WHERE = {
    "note": "names it as what it builds on",
    "notice": "names it as a source",
    "model card": "names it as its base model",
    "citation": "cites it",
    "submodule": "includes it as a submodule",
    "commit": "names it in its message",
    "configuration": "names it as its base model",
}


def _line(
    pattern: str,
    name: str,
    said: dict[str, object],
    measures: dict[str, float | int | str],
    places: Sequence[Place],
    more: str = "",
    tested: Sequence[str] = (),
) -> Evidence:
    """Make a line; it supports nothing, whatever it says: declared reuse is no likeness."""
    return line(
        f"declared/{pattern}", name, Strength.NONE, said, measures=measures, places=places, more=more, tested=tested
    )


def _third_sources(others: Sequence[Declaration]) -> list[str]:
    """That both may have it from a source which the suspect does name: those of the project first, then of comments."""
    ordered = sorted(others, key=lambda each: each.where in ("comment", "commit"))
    named = list(dict.fromkeys(filter(None, map(target, ordered))))
    if not named:
        return []
    listed = ", ".join(named[:MOST_TOLD_PLACES]) + (", ..." if len(named) > MOST_TOLD_PLACES else "")
    return [f"a third source: the suspect names {listed}; compared as a reference too, each shows what it explains"]


def _places(claims: Sequence[Declaration]) -> tuple[Place, ...]:
    """Where claims stand in files."""
    told = dict.fromkeys((each.path, each.line) for each in claims if each.where != "commit")
    return tuple(told)[:MOST_TOLD_PLACES]


def _matching(number: int) -> dict[str, str]:
    if number == 1:
        return {"n": "1 function", "match": "matches"}
    return {"n": f"{number:,} functions", "match": "match"}


def _others_credited(
    comparison: Comparison, references: Sequence[_Reference], statuses: dict[str, Evidence | None]
) -> dict[str, Evidence | None]:
    """References that the suspect names as its base while another one, which it does not name, explains far more."""
    top = comparison.attribution[0] if comparison.attribution else None
    if top is None or top.functions == 0:
        return {}
    named = {each.name for each in references if each.claims}
    status = statuses[top.reference]
    if top.reference in named or (status is not None and status.name == "declared-where-it-stands"):
        return {}
    rows = {row.reference: row for row in comparison.attribution}
    found: dict[str, Evidence | None] = {}
    for each in references:
        row = rows[each.name]
        if not each.claims or row.bits * CLEAR_LEAD > top.bits:
            continue
        said: dict[str, object] = {
            "path": each.claims[0].path,
            "top": top.reference,
            "top_bits": f"{top.bits:,.0f}",
            "bits": f"{row.bits:,.0f}",
            "exclusive": f"{row.exclusive_bits:,.0f}",
        }
        measures: dict[str, float | int | str] = {
            "bits": round(row.bits, 2),
            "exclusive_bits": round(row.exclusive_bits, 2),
            "nearest_bits": round(top.bits, 2),
        }
        found[each.name] = _line("cited-source-not-nearest", each.name, said, measures, _places(each.claims))
    return found


def _declarations(suspect: _Suspect, references: Sequence[_Reference]) -> tuple[Exhibit, ...]:
    """Everything that the suspect declares, what names a reference first."""
    rows: dict[tuple[str, int, str], tuple[str, str, int, str, str, str]] = {}  # of one sentence, the part that tells
    for each in suspect.said:
        named = [
            reference.name for reference in references if each in reference.claims or _names(each, reference.names)
        ]
        words = " ".join(each.said.split())[:LONGEST_DECLARATION]
        place = each.path, each.line, words
        if (named or is_resolvable(each)) and (place not in rows or (named and not rows[place][0])):
            claim = "" if each.is_claim else " (written by a program)"
            rows[place] = (", ".join(named), each.path, each.line, f"{each.where}{claim}", words, target(each))
    if not rows:
        return ()
    ordered = sorted(rows.values(), key=lambda row: (not row[0], row))
    columns = ("names", "path", "line", "where", "says", "source")
    return (
        Exhibit(
            "declared",
            "declarations",
            "",
            "What the suspect declares of its sources, and which of the references each names",
            columns,
            tuple(ordered[:MOST_DECLARATIONS]),
            max(len(ordered) - MOST_DECLARATIONS, 0),
        ),
    )


def _losses(
    comparison: Comparison, reference: _Reference, suspect: _Suspect
) -> tuple[list[Evidence], tuple[Exhibit, ...]]:
    """Copyright lines of the reference that the suspect does not have."""
    if not reference.matches:
        return [], ()
    files, theirs = comparison.suspect.files, reference.repo.files
    lost, compared = lost_headers(reference.matches, files, theirs, suspect.known)
    lines = []
    if lost:
        paths = list(dict.fromkeys(each.suspect_path for each in lost))
        said: dict[str, object] = {"n": len(paths), "paths": _listed(paths)}
        measures: dict[str, float | int | str] = {"files": len(paths), "lines": len(lost), "files_compared": compared}
        places = [(path, 1) for path in paths[:MOST_TOLD_PLACES]]
        lines.append(_line("licence-header-lost", reference.name, said, measures, places))
    is_derived = reference.bits() >= DERIVED_BITS and len(reference.matches) >= DERIVED_FUNCTIONS
    gone = lost_holders(reference.own, suspect.known, reference.matches, files) if is_derived else []
    if gone:
        path, notice = gone[0]
        said = {"path": path, "words": notice.text, **_matching(len(reference.matches))}
        measures = {"holders": len(gone), "functions": len(reference.matches), "bits": round(reference.bits(), 2)}
        lines.append(_line("licence-file-lost", reference.name, said, measures, ()))
    rows = [
        (each.suspect_path, each.reference_path, each.notice.line, each.functions, each.notice.text) for each in lost
    ]
    rows += [("", path, notice.line, 0, notice.text) for path, notice in gone]
    if not rows:
        return lines, ()
    title = f"Copyright and licence lines of {reference.name} that the suspect does not have"
    columns = ("file", "file of the reference", "line", "functions", "lost")
    shown, omitted = tuple(rows[:MOST_LOST_HEADERS]), max(len(rows) - MOST_LOST_HEADERS, 0)
    return lines, (Exhibit("declared", "lost-headers", reference.name, title, columns, shown, omitted),)


def _listed(paths: Sequence[str]) -> str:
    return ", ".join(paths[:MOST_TOLD_PLACES]) + (", ..." if len(paths) > MOST_TOLD_PLACES else "")


def names_of(reference: Repo) -> frozenset[str]:
    """Names by which a comment may call the reference."""
    return naming.names_of(reference).names
