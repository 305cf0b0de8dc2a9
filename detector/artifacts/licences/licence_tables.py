"""What each side of a comparison says of its licence, and what the table says of each pair, as tables to check by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from detector.artifacts.licences.compatibility import find
from detector.artifacts.licences.headers import of_file
from detector.artifacts.licences.project import Licences, of_project
from detector.model import Exhibit, Match, Skipped
from detector.settings.declared import HEADER_BYTES
from detector.settings.licences import LONGEST_STATEMENT, MOST_STATEMENTS
from detector.targets import Comparison, Repo

Row = tuple[float | int | str, ...]


def said(comparison: Comparison) -> Iterator[Exhibit]:
    """Every statement on licences of the suspect and of each reference that matches; none where nothing does.

    With it files that say another licence than their project, and what contradicts each other.
    """
    matches = [match for match in comparison.matches if match.terms is not None]
    if not matches:
        return
    named = {match.reference_name for match in matches}
    references = {name: repo for name, repo in comparison.references.items() if name in named}
    paths = {comparison.name: [match.suspect.path for match in matches]} | {
        name: [match.reference.path for match in matches if match.reference_name == name] for name in references
    }
    rows: list[Row] = []
    for name, repo in {comparison.name: comparison.suspect, **references}.items():
        licences = of_project(repo.files)
        rows += _of_project(name, licences)
        rows += _of_files(name, repo, paths[name], licences)
    yield Exhibit(
        "declared",
        "licences",
        "",
        "Licences: what each side says, and where; a reading of texts and names, not legal advice",
        ("side", "licence", "path", "where", "says"),
        tuple(rows[:MOST_STATEMENTS]),
        max(len(rows) - MOST_STATEMENTS, 0),
    )


def _of_project(name: str, licences: Licences) -> Iterator[Row]:
    # What does not agree comes first: a long table may be cut.
    for contradiction in licences.contradictions:
        yield name, licences.expression, "", "contradiction", contradiction[: 3 * LONGEST_STATEMENT]
    if not licences.statements:
        yield name, "", "", "nothing found", "no licence file, metadata or README of it names a licence"
    for each in licences.statements:
        where = f"{each.where}{'' if each.is_whole else ', of some files'}{', of the model' if each.is_model else ''}"
        yield name, each.told, each.path, where, each.said


def _of_files(name: str, repo: Repo, paths: Sequence[str], licences: Licences) -> Iterator[Row]:
    found: dict[str, list[str]] = {}
    for path in sorted(set(paths)):
        head = repo.files.head(path, HEADER_BYTES)
        expression = "" if isinstance(head, Skipped) else of_file(head.data)
        if expression:
            found.setdefault(expression, []).append(path)
    for expression, files in sorted(found.items()):
        same = "" if expression == licences.expression else ", unlike the project"
        count = f"{len(files):,} files that match" if len(files) > 1 else "1 file that matches"
        yield name, expression, files[0], "header", f"{count}{same}"


def pairs(reference: str, matches: Sequence[Match]) -> Iterator[Exhibit]:
    """Each pair of licences between which functions went, and what the table says of it; none without any.

    matches: with one reference, with their terms.
    """
    placed = [(match.terms, match.is_declared) for match in matches if match.terms is not None]
    if not placed:
        return
    counts = Counter((terms.reference, terms.suspect) for terms, _ in placed)
    undeclared = Counter((terms.reference, terms.suspect) for terms, is_declared in placed if not is_declared)
    rows: list[Row] = []
    for (theirs, ours), count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        found = find(ours, theirs)
        asked = found.because or "; ".join(found.conditions)
        rows.append((theirs, ours, found.verdict, asked, found.source, count, undeclared[theirs, ours]))
    yield Exhibit(
        "declared",
        "licence-terms",
        reference,
        f"Licences that functions of {reference} stand under, there and here, and what a table says; not legal advice",
        ("licence there", "licence here", "verdict", "conditions", "source", "functions", "undeclared"),
        tuple(rows[:MOST_STATEMENTS]),
        max(len(rows) - MOST_STATEMENTS, 0),
    )
