"""An index holds what was added, once, and gives it back as it was read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from detector.code.sketch import sketches
from detector.code.sorting import is_new
from detector.index.adding import Added
from detector.index.candidates import candidates
from detector.index.store import Index, open_index
from detector.model import Role, Skipped, UserError
from detector.read import open_target
from detector.settings.index import FREQUENT
from detector.targets import Repo
from tests.in_memory import InMemory  # files of any name, which no disk would take
from tests.index_corpora import ROOT, project, read, rows, source, told

FIXTURES = ROOT / "fixtures"


@contextmanager
def opened(path: Path) -> Iterator[Index]:
    """An index to write to, sound at the end."""
    with open_index(path, create=True) as index:
        yield index
        assert list(index.verify()) == []


def add(path: Path, *targets: Path | str, keep_text: bool = False) -> list[Added]:
    """Add targets one after the other."""
    found = []
    for target in targets:
        with opened(path) as index, open_target(str(target)) as repo:
            found.append(index.add(repo, keep_text=keep_text))
    return found


def test_what_was_added_comes_back_as_it_was_read(tmp_path: Path) -> None:
    targets = [FIXTURES / "original", FIXTURES / "rebadged", ROOT / "detector" / "read"]
    for target, added in zip(targets, add(tmp_path / "i.db", *targets), strict=True):
        with open_index(tmp_path / "i.db") as index:
            assert told(index.corpus(added.target)) == told(read(target))
            assert added.target.functions == len(read(target).spans)


def test_a_known_repository_says_what_the_repository_itself_says(tmp_path: Path) -> None:
    (added,) = add(tmp_path / "i.db", FIXTURES / "original")
    with open_index(tmp_path / "i.db") as index, open_target(str(FIXTURES / "original")) as repo:
        known = index.repo(added.target)
        assert (known.target, known.name, known.revision) == (repo.target, repo.name, repo.revision)
        assert list(known.files.paths()) == list(repo.files.paths())
        assert index.packages() == frozenset({"heronvl"})
        assert not known.files.has_texts  # type: ignore[attr-defined]
        path = known.files.paths()[0]
        with pytest.raises(UserError, match="--keep-text"):
            known.files.read(path)
        assert isinstance(known.files.head(path, 10), Skipped)
        assert known.files.others() == []


def test_texts_that_are_kept_come_back(tmp_path: Path) -> None:
    (added,) = add(tmp_path / "i.db", FIXTURES / "original", keep_text=True)
    with open_index(tmp_path / "i.db") as index, open_target(str(FIXTURES / "original")) as repo:
        assert list(index.repo(added.target).files) == list(repo.files)
        path = repo.files.paths()[1]
        assert index.repo(added.target).files.part(path, 3, 5) == repo.files.read(path)[3:8]


def test_texts_are_kept_of_files_that_were_known_without_them(tmp_path: Path) -> None:
    add(tmp_path / "i.db", FIXTURES / "original")
    (added,) = add(tmp_path / "i.db", FIXTURES / "original", keep_text=True)
    assert added.lowered == 0
    with open_index(tmp_path / "i.db") as index, open_target(str(FIXTURES / "original")) as repo:
        assert list(index.repo(added.target).files) == list(repo.files)


def test_no_source_is_kept_unless_asked_for(tmp_path: Path) -> None:
    folder = project(tmp_path / "p", {"a.py": source(3) + "\n\nSECRET = 'a text of nobody else'\n"})
    add(tmp_path / "i.db", folder)
    assert rows(tmp_path / "i.db", "SELECT count(*) FROM text") == [(0,)]
    assert b"a text of nobody else" not in (tmp_path / "i.db").read_bytes()


def test_the_same_file_in_the_same_context_is_lowered_once(tmp_path: Path) -> None:
    one = project(tmp_path / "one", {"a.py": source(3), "b/c.py": source(3), "d.py": source(4)})
    other = project(tmp_path / "other", {"x/y/z.py": source(3), "w.py": source(5)})
    first, second = add(tmp_path / "i.db", one, other)
    assert (first.lowered, second.lowered, second.known) == (2, 1, 1)
    with open_index(tmp_path / "i.db") as index:
        assert told(index.corpus(second.target)) == told(read(other))


def test_the_same_file_means_something_else_where_it_imports_the_repository_s_own_packages(tmp_path: Path) -> None:
    text = "from ops import gather\n\n\ndef f(x, w):\n    return gather(x @ w, 3).softmax(1) + gather(w, 5).sum(2)\n"
    one = project(tmp_path / "one", {"a.py": text})
    other = project(tmp_path / "other", {"a.py": text, "ops.py": source(3)})
    first, second = add(tmp_path / "i.db", one, other)
    assert (first.lowered, second.lowered) == (1, 2)
    with open_index(tmp_path / "i.db") as index:
        for folder, added in ((one, first), (other, second)):
            assert told(index.corpus(added.target)) == told(read(folder))


def test_files_without_functions_and_files_read_in_part_are_remembered(tmp_path: Path) -> None:
    folder = project(tmp_path / "p", {"a.py": source(3), "b.py": "X = 1\n", "c.py": source(4) + "\ndef (:\n"})
    first, again = add(tmp_path / "i.db", folder, folder)
    assert (first.lowered, again.lowered, again.known) == (3, 0, 3)
    with open_index(tmp_path / "i.db") as index:
        found = index.corpus(again.target)
        assert told(found) == told(read(folder))
        assert [each.path for each in found.skipped] == ["c.py"]


def test_what_could_not_be_read_comes_back_in_its_place(tmp_path: Path) -> None:
    folder = project(tmp_path / "p", {"a.py": source(3), "c.py": source(4), "node_modules/x.py": ""})
    os.symlink(folder / "a.py", folder / "b.py")
    (folder / "a0.py").write_bytes(b"#" * 5_000_001)
    (added,) = add(tmp_path / "i.db", folder)
    with open_index(tmp_path / "i.db") as index, open_target(str(folder)) as repo:
        assert index.corpus(added.target).skipped == read(folder).skipped
        assert list(index.repo(added.target).files.paths()) == list(repo.files.paths())


def test_a_target_that_is_added_again_is_replaced_and_leaves_nothing_behind(tmp_path: Path) -> None:
    folder = project(tmp_path / "p", {"a.py": source(3), "b.py": source(4)})
    add(tmp_path / "i.db", folder)
    (folder / "b.py").write_text(source(5))
    (added,) = add(tmp_path / "i.db", folder)
    assert added.is_replaced
    assert (added.lowered, added.known) == (1, 1)
    fresh = tmp_path / "fresh.db"
    add(fresh, folder)
    assert _exported(tmp_path / "i.db") == _exported(fresh)


def test_revisions_that_are_named_are_targets_of_their_own(tmp_path: Path, git: object) -> None:
    folder = project(tmp_path / "p", {"a.py": source(3)})
    for message in ("one", "two"):
        (folder / "a.py").write_text(source(3 if message == "one" else 4))
        for command in (["init", "-q"], ["add", "."], ["commit", "-qm", message]):
            git(folder, *command)  # type: ignore[operator]
    add(tmp_path / "i.db", f"{folder}@HEAD~1", f"{folder}@HEAD")
    with open_index(tmp_path / "i.db") as index:
        assert len({target.revision for target in index.targets()}) == 2


def test_removing_is_as_if_the_target_had_never_been_added(tmp_path: Path) -> None:
    one, other, fresh = FIXTURES / "original", FIXTURES / "rebadged", tmp_path / "fresh.db"
    add(fresh, one)
    path = tmp_path / "i.db"
    add(path, one, other)
    with opened(path) as index:
        index.remove(index.find(str(other)))
    assert _exported(path) == _exported(fresh)
    with open_index(path) as index, open_index(fresh) as never:
        assert replace(index.info(), file_bytes=0, free_bytes=0) == replace(never.info(), file_bytes=0, free_bytes=0)
        corpus = read(other)
        assert [repo.name for repo in index.references(corpus)] == [repo.name for repo in never.references(corpus)]


def test_a_function_that_was_removed_and_added_again_is_found(tmp_path: Path) -> None:
    folder = project(tmp_path / "p", {"a.py": source(3)})
    kept = project(tmp_path / "kept", {"a.py": source(*range(20, 40))})
    add(tmp_path / "i.db", kept, folder)
    with opened(tmp_path / "i.db") as index:
        index.remove(index.find("p"))
        assert "p" not in [repo.name for repo in index.references(read(folder))]
    add(tmp_path / "i.db", folder)
    with open_index(tmp_path / "i.db") as index:
        assert index.references(read(folder))[0].name == "p"


def _exported(path: Path) -> bytes:
    with open_index(path) as index:
        index.export(path.with_suffix(".export"))
    return path.with_suffix(".export").read_bytes()


def test_places_lead_from_shapes_to_functions(tmp_path: Path) -> None:
    one = project(tmp_path / "one", {"a.py": source(3, 4)})
    other = project(tmp_path / "other", {"tests/b.py": source(9, 3)})
    add(tmp_path / "i.db", one, other)
    corpus = read(one)
    with open_index(tmp_path / "i.db") as index:
        found = candidates(index.connection, sketches(corpus), 1)
        function = [span.qualname for span in corpus.spans].index("f3")
        shapes = found.shape[found.function == function]
        places = index.places(shapes)
        assert [(place.target.name, place.path, place.role) for place in places] == [
            ("one", "a.py", Role.OWN),
            ("other", "tests/b.py", Role.TEST),
        ]
        for place in places:
            assert index.pack(place.pack, place.path, place.role).spans[place.function].qualname == "f3"


def test_frequent_shingles_are_those_that_many_functions_have(tmp_path: Path) -> None:
    (added,) = add(tmp_path / "i.db", FIXTURES / "original")
    hashes = np.sort(read(FIXTURES / "original").shingles.hashes)
    firsts = np.flatnonzero(is_new(hashes))
    counts = np.diff(firsts, append=len(hashes))
    with open_index(tmp_path / "i.db") as index:
        found, found_counts = index.frequent(added.target)
    assert found.tolist() == hashes[firsts[counts >= FREQUENT]].tolist()
    assert found_counts.tolist() == counts[counts >= FREQUENT].tolist()
    assert len(found) > 10


def test_references_are_the_targets_that_have_most_in_common(tmp_path: Path) -> None:
    suspect = project(tmp_path / "suspect", {"a.py": source(3, 4, 5, 6)})
    near = project(tmp_path / "near", {"x.py": source(3, 4, 5)})
    far = project(tmp_path / "far", {"y.py": source(6)})
    unlike = project(tmp_path / "unlike", {"z.py": "def f(a):\n    import os\n    return os.path.join(a, 'x')\n"})
    add(tmp_path / "i.db", far, near, unlike)
    with open_index(tmp_path / "i.db") as index:
        assert [repo.name for repo in index.references(read(suspect))] == ["near", "far"]
        assert [repo.name for repo in index.references(read(suspect), most=1)] == ["near"]


@pytest.mark.parametrize("path", ["a b/ü/漢.py", "x\udcff/y.py", "tab\t.py", "line\nbreak.py", "nul\0.py", "a" * 5000])
def test_paths_of_any_kind_come_back_equal(tmp_path: Path, path: str) -> None:
    files = InMemory({path: source(3).encode(), "z.py": source(4).encode()})
    with opened(tmp_path / "i.db") as index:
        added = index.add(Repo(f"target {path}", f"name {path}", "r\udcff", files))
    with open_index(tmp_path / "i.db") as index:
        (target,) = index.targets()
        assert target == added.target
        assert (target.target, target.name, target.revision) == (f"target {path}", f"name {path}", "r\udcff")
        assert index.repo(target).files.paths() == sorted([path, "z.py"])
        assert {span.path for span in index.corpus(target).spans} == {path, "z.py"}


def test_a_target_without_functions_is_refused_and_nothing_of_it_stays(tmp_path: Path) -> None:
    add(tmp_path / "i.db", FIXTURES / "original")
    before = _exported(tmp_path / "i.db")
    empty = project(tmp_path / "empty", {"a.py": "X = 1\n"})
    with pytest.raises(UserError, match="nothing to add"):
        add(tmp_path / "i.db", empty)
    assert _exported(tmp_path / "i.db") == before


def test_however_many_processes_read_the_index_holds_the_same(tmp_path: Path) -> None:
    for jobs in (1, 2):
        with ExitStack() as stack:
            index = stack.enter_context(opened(tmp_path / f"{jobs}.db"))
            index.add(stack.enter_context(open_target(str(ROOT / "detector"))), jobs)
    assert _exported(tmp_path / "1.db") == _exported(tmp_path / "2.db")


def test_a_target_is_found_by_its_name_where_that_tells_it_from_others(tmp_path: Path) -> None:
    one = project(tmp_path / "x" / "same", {"a.py": source(3)})
    other = project(tmp_path / "y" / "same", {"a.py": source(4)})
    add(tmp_path / "i.db", one, other, FIXTURES / "original")
    with open_index(tmp_path / "i.db") as index:
        assert index.find("original").target == str(FIXTURES / "original")
        assert index.find(str(one)).target == str(one)
        with pytest.raises(UserError, match="2 targets of this name"):
            index.find("same")
        with pytest.raises(UserError, match="no such target"):
            index.find("nothing")


def test_after_the_last_close_the_index_is_one_file(tmp_path: Path) -> None:
    folder = tmp_path / "i"
    folder.mkdir()
    with open_index(folder / "i.db", create=True) as index, open_target(str(FIXTURES / "original")) as repo:
        with open_index(folder / "i.db") as reader:
            index.add(repo)
            assert reader.targets() == index.targets()
        assert len(os.listdir(folder)) > 1
    assert os.listdir(folder) == ["i.db"]
    with open_index(folder / "i.db") as index:
        index.corpus(index.targets()[0])
    assert os.listdir(folder) == ["i.db"]
