"""How likely each kind of coincidence is: the counts behind the tables, on projects that are made for it."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from bench import null, null_kinds
from bench.null_kinds import Kinds, kinds, tables
from detector.code import histogram
from detector.code.bulk import read_corpus
from detector.code.corpus import Corpus
from detector.code.pairs import scores
from detector.evidence import code
from detector.model import Basis, CloneType, Correspondence, NamePair
from tests.repositories import BEAMS, PARSE, ROUTE, WARP, InMemory

CLASS = """
class {name}:
    def build(self, path, sep):
        self.rows = [line.strip().split(sep) for line in open(path) if line.strip()]
        self.width = max(len(row) for row in self.rows)
        return sorted(self.rows, key=len)[: self.width]

    def total(self, scale):
        found = [sum(float(cell) * scale for cell in row) for row in self.rows]
        return [value / max(found) for value in found if value > self.width]
"""


def _corpus(files: dict[str, str]) -> tuple[Corpus, null_kinds.Read]:
    held = InMemory(files)
    return read_corpus(held, held.paths()), held.read


def _kinds(suspect: dict[str, str], reference: dict[str, str]) -> Kinds:
    """Explain every chosen pair."""
    ours, theirs = _corpus(suspect), _corpus(reference)
    (likeness,) = code.find([ours[0]], [theirs[0]], code.Gate(), [(ours[1], theirs[1])]).likenesses
    chosen = likeness.pairs.take(likeness.chosen)
    bases = [likeness.bases[position] for position in likeness.chosen.tolist()]
    return kinds(ours, theirs, chosen, scores(chosen), bases)


def test_pairs_are_explained_and_their_classes_files_and_names_counted() -> None:
    renamed = CLASS.format(name="Grid").replace("rows", "lines").replace("width", "span")
    found = _kinds({"a.py": renamed, "c.py": BEAMS}, {"b.py": CLASS.format(name="Table"), "d.py": PARSE})
    of_class = [match for match in found.matches if match[0] is CloneType.RENAMED]
    assert len(of_class) == 2
    assert [(each.suspect_class, each.reference_class, each.functions) for each in found.classes] == [
        ("Grid", "Table", 2)
    ]
    assert ("lines", "rows", 2, 0) in [
        (pair.suspect, pair.reference, pair.places, pair.contradicted) for pair in found.names
    ]
    believed = {basis for *_, basis in found.matches} - {None}
    assert bool(found.reported_names) == bool(believed)
    assert (found.methods, found.modules) == (1, 1)


def test_nothing_in_common_gives_nothing_to_count() -> None:
    found = _kinds({"a.py": WARP}, {"b.py": PARSE})
    assert not found.classes
    assert not found.names
    assert (found.methods, found.modules) == (0, 0)


def _counted(functions: int, in_all: int) -> Correspondence:
    return Correspondence("a.py", "A", "reference", "b.py", "B", functions, in_all, 9, 50.0, {})


def test_the_tables_say_how_many_of_how_many() -> None:
    found = Kinds(
        matches=((CloneType.EDITED, 60.0, 20.0, None), (CloneType.EDITED, 12.0, 4.0, Basis.FILE)),
        classes=(_counted(2, 2), _counted(2, 5), _counted(1, 1)),
        files=(),
        names=(NamePair("x", "reference", "hidden", 3, 0), NamePair("y", "reference", "out", 2, 2)),
        reported_names=(NamePair("x", "reference", "hidden", 3, 0),),
        methods=40,
        modules=10,
    )
    by_type, by_basis, by_place, by_places = tables([found, found], 1_000)[1::2]
    assert "| 3 | 4 | 40.00 | 20.00 | 20.00 | 0.00 |" in by_type
    assert "| file | 2 | 20.00 |" in by_basis
    assert "| classes | 80 | 4 | 500.00 | 2 | 250.00 |" in by_place
    assert "| files | 20 | 0 | 0.00 | 0 | 0.00 |" in by_place
    assert "| 2 and more | 4 | 2 | 2 | 1 | 2 | 0 |" in by_places
    assert "| 3 and more | 2 | 0 | 2 | 1 | 2 | 0 |" in by_places


def _comparison(suspect: str, best: list[float]) -> null.Comparison:
    nothing = np.zeros(0)
    return null.Comparison(
        suspect, "other", "", len(best), nothing, nothing, nothing, (), np.array(best), Kinds((), (), (), (), (), 0, 0)
    )


def test_functions_with_a_known_source_are_in_no_bin() -> None:
    found = [_comparison("one", [0.0, 0.02, float("nan"), 0.51]), _comparison("two", [1.0])]
    counts = null.similarities(found)
    assert (sum(counts), counts[0], counts[10], counts[-1]) == (4, 2, 1, 1)
    assert len(counts) == histogram.BINS


def test_the_best_of_several_references_is_held_against_the_formula() -> None:
    one, other = [0.8, 0.0, 0.0, 0.0], [0.8, 0.0, 0.6, 0.0]
    rows = {row[2]: row for row in null._several([_comparison("a", one), _comparison("a", other)])}
    references, functions, _, measured, formula = rows["0.5"]
    assert (references, functions, measured) == (2, "4", "0.50000")
    assert float(str(formula)) == pytest.approx(1 - (1 - 3 / 8) ** 2, abs=1e-5)
    assert not list(null._several([_comparison("a", one), _comparison("b", other)]))


def _wheel(folder: Path, name: str, description: str) -> None:
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as archive:
        archive.writestr(f"{name}/__init__.py", ROUTE)
        archive.writestr(f"{name}-1.0.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\n\n{description}\n")


def test_who_names_the_other_as_its_base_is_found_in_what_the_wheel_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _wheel(tmp_path, "heronvl", "Built from nothing.")
    _wheel(tmp_path, "kestrel", "This project is based on heronvl.")
    monkeypatch.setattr(null_kinds, "PAIRS", (("heronvl==1.0", "heronvl", "kestrel==1.0", "kestrel", "birds"),))
    (found,) = null_kinds.citing(tmp_path)
    assert found[:2] == ("kestrel==1.0", "heronvl==1.0")
    assert found[2].endswith("METADATA")
