"""All revisions of a repository in an index: each blob lowered once, and any revision given back as it was."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from detector.code.imported import imported
from detector.index import histories
from detector.index.adding import Added
from detector.index.records import places_of
from detector.index.store import open_index
from detector.model import Role, UserError
from detector.read import open_target
from tests.index_corpora import project, read, source, told

Git = Callable[..., str]

_IMPORTS = "from ops import gather\n\n\ndef f(x, w):\n    return gather(x @ w, 3).softmax(1) + gather(w, 5).sum(2)\n"


@pytest.fixture
def repository(tmp_path: Path, git: Git) -> Path:
    """Five commits on the main line, the last of which merges two others."""
    folder = tmp_path / "r"
    project(folder, {"a.py": _IMPORTS, "pkg/__init__.py": ""})
    git(folder.parent, "init", "-qb", "main", str(folder))

    def commit(**files: str) -> None:
        project(folder, {f"{name}.py": text for name, text in files.items()})
        git(folder, "add", ".")
        git(folder, "commit", "-qm", "x")

    commit()
    commit(b=source(5))
    commit(ops=source(7))
    git(folder, "checkout", "-qb", "side")
    commit(c=source(9))
    git(folder, "rm", "-q", "c.py")
    git(folder, "commit", "-qm", "x")
    git(folder, "checkout", "-q", "main")
    commit(b=source(6), test_d=source(11))
    git(folder, "merge", "-q", "--no-ff", "-m", "x", "side")
    return folder


def _add(path: Path, target: Path | str, *, history: bool = True, keep_text: bool = False) -> Added:
    with open_index(path, create=True) as index, open_target(str(target)) as repo:
        added = index.add(repo, history=history, keep_text=keep_text)
        assert list(index.verify()) == []
    return added


def test_every_revision_comes_back_as_it_was(tmp_path: Path, repository: Path, git: Git) -> None:
    target = _add(tmp_path / "i.db", f"{repository}@main").target
    commits = git(repository, "rev-list", "--first-parent", "--reverse", "main").split()
    assert target.commits == len(commits) == 5
    with open_index(tmp_path / "i.db") as index:
        assert told(index.corpus(target)) == told(read(f"{repository}@main"))
        for position, commit in enumerate(commits):
            known = index.repo(target, position)
            assert known.revision == commit
            assert told(index.corpus(target, position)) == told(read(f"{repository}@{commit}"))
            with open_target(f"{repository}@{commit}") as repo:
                assert list(known.files.paths()) == list(repo.files.paths())


def test_a_file_is_lowered_again_where_a_package_that_it_imports_came_to_be(tmp_path: Path, repository: Path) -> None:
    target = _add(tmp_path / "i.db", repository).target
    with open_index(tmp_path / "i.db") as index:
        found = [(row.first, row.last) for row in places_of(index.connection, target) if row.path == "a.py"]
    assert sorted(found) == [(0, 1), (2, 5)]


def test_blobs_that_never_were_on_the_main_line_are_known_with_their_commit(
    tmp_path: Path, repository: Path, git: Git
) -> None:
    target = _add(tmp_path / "i.db", repository).target
    with open_index(tmp_path / "i.db") as index:
        (row,) = [row for row in places_of(index.connection, target) if row.path == "c.py"]
        assert (row.first, row.last, row.came) == (-1, -1, git(repository, "rev-parse", "side~1"))
        roles = {row.path: row.role for row in places_of(index.connection, target)}
        assert roles["test_d.py"] is Role.TEST


def test_the_same_repository_again_lowers_nothing_and_one_more_commit_its_own_blobs(
    tmp_path: Path, repository: Path, git: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "i.db"
    assert _add(path, repository).lowered == 8
    assert _add(path, repository).lowered == 0
    (repository / "b.py").write_text(source(8))
    git(repository, "commit", "-qam", "x")
    asked: list[bytes] = []

    def asking(data: bytes, names: frozenset[str]) -> frozenset[str]:
        asked.append(data)
        return imported(data, names)

    monkeypatch.setattr(histories, "imported", asking)
    assert _add(path, repository).lowered == 1
    assert asked == [source(8).encode()]  # what was known is not even read again
    _add(tmp_path / "fresh.db", repository)
    assert _exported(path) == _exported(tmp_path / "fresh.db")


def _exported(path: Path) -> bytes:
    with open_index(path) as index:
        index.export(path.with_suffix(".export"))
    return path.with_suffix(".export").read_bytes()


def test_the_revision_that_has_most_of_a_suspect_is_the_one_it_is_compared_with(
    tmp_path: Path, repository: Path, git: Git
) -> None:
    _add(tmp_path / "i.db", repository)
    for revision in ("main~3", "main~1", "main"):
        corpus = read(f"{repository}@{revision}")
        with open_index(tmp_path / "i.db") as index:
            (found,) = index.references(corpus)
        same = git(repository, "diff", "--stat", found.revision, revision, "--", "b.py", "ops.py", "test_d.py")
        assert same == "", (revision, found.revision)


def test_uncommitted_changes_are_a_revision_after_the_last_commit(tmp_path: Path, repository: Path) -> None:
    (repository / "b.py").write_text(source(8))
    target = _add(tmp_path / "i.db", repository).target
    assert target.revision.endswith("+changes")
    with open_index(tmp_path / "i.db") as index:
        assert told(index.corpus(target)) == told(read(repository))
        assert "f6" in {span.qualname for span in index.corpus(target, target.commits - 1).spans}


def test_texts_of_all_revisions_are_kept_where_asked_for(tmp_path: Path, repository: Path) -> None:
    _add(tmp_path / "i.db", repository)
    target = _add(tmp_path / "i.db", repository, keep_text=True).target
    with open_index(tmp_path / "i.db") as index:
        assert index.repo(target, 1).files.read("b.py") == source(5).encode()
        assert index.repo(target).files.read("b.py") == source(6).encode()


def test_a_target_without_a_history_is_refused_with_what_to_do(tmp_path: Path) -> None:
    folder = project(tmp_path / "p", {"a.py": source(3)})
    with pytest.raises(UserError, match="add it without --history"):
        _add(tmp_path / "i.db", folder)


def test_a_history_that_is_no_longer_asked_for_is_forgotten(tmp_path: Path, repository: Path) -> None:
    _add(tmp_path / "i.db", repository)
    _add(tmp_path / "i.db", repository, history=False)
    _add(tmp_path / "fresh.db", repository, history=False)
    assert _exported(tmp_path / "i.db") == _exported(tmp_path / "fresh.db")
