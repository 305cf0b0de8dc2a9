"""An index that is damaged, foreign, hostile or not writable: one clear line, no traceback, and no wrong answer."""

from __future__ import annotations

import os
import random
import resource
import shutil
import sqlite3
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from detector.index import opening
from detector.index.store import Damaged, Target, open_index
from detector.model import Role, UserError
from detector.read import open_target
from detector.settings.index import INDEX_FORMAT
from tests.index_corpora import ROOT, change, project, read, rows, run, source, told

FIXTURE = ROOT / "fixtures" / "original"
SEED = 33


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of two targets."""
    path = tmp_path_factory.mktemp("index") / "i.db"
    other = project(path.parent / "other", {"a.py": source(3, 4), "b.py": source(5)})
    for target in (FIXTURE, other):
        with open_index(path, create=True) as index, open_target(str(target)) as repo:
            index.add(repo, keep_text=True)
    return path


@pytest.fixture
def index(original: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copy(original, tmp_path / "i.db"))


def _refused(path: Path, **options: bool) -> str:
    with pytest.raises(UserError) as error, open_index(path, **options) as index:
        index.targets()
    message = str(error.value)
    assert "\n" not in message
    return message


# --- what is not an index of this program --------------------------------------------------------------------


def test_what_is_not_there_is_told_and_is_not_made_by_reading(tmp_path: Path) -> None:
    assert "detector index add" in _refused(tmp_path / "i.db")
    assert not (tmp_path / "i.db").exists()


def test_files_that_are_no_index_are_refused(tmp_path: Path) -> None:
    for name, data in (("text", b"hello " * 300), ("short", b"SQLite format 3\0"), ("zip", b"PK\3\4" * 400)):
        (tmp_path / name).write_bytes(data)
        assert "not an index" in _refused(tmp_path / name, create=True)
        assert (tmp_path / name).read_bytes() == data


def test_folders_and_pipes_are_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe"):
        assert "not a file" in _refused(path)
        assert "not a file" in _refused(path, create=True)


def test_an_empty_file_becomes_an_index_when_something_is_added(tmp_path: Path) -> None:
    (tmp_path / "i.db").write_bytes(b"")
    assert "not an index" in _refused(tmp_path / "i.db")
    with open_index(tmp_path / "i.db", create=True) as index:
        assert index.targets() == []


def test_a_database_of_somebody_else_is_refused(tmp_path: Path) -> None:
    change(tmp_path / "other.db", "CREATE TABLE target(number)")
    assert "not an index of this program" in _refused(tmp_path / "other.db", create=True)


def test_indexes_of_other_formats_and_lowerings_are_refused_with_what_to_do(index: Path) -> None:
    for number, what in ((INDEX_FORMAT + 1, "update this program"), (0, "build it again with `detector index add`")):
        change(index, f"PRAGMA user_version = {number}")
        assert what in _refused(index)
    change(index, f"PRAGMA user_version = {INDEX_FORMAT}")
    for name in ("lowering", "wording", "minhash"):
        (was,) = rows(index, f"SELECT value FROM meta WHERE name = '{name}'")
        change(index, f"UPDATE meta SET value = 'another' WHERE name = '{name}'")
        message = _refused(index)
        assert f"its {name} is another, this program's is " in message
        assert "build it again with `detector index add`" in message
        change(index, f"UPDATE meta SET value = '{was[0]}' WHERE name = '{name}'")
    with open_index(index) as opened:
        assert len(opened.targets()) == 2


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TRIGGER t AFTER INSERT ON target BEGIN DELETE FROM target; END",
        "CREATE VIEW v AS SELECT load_extension('x')",
        "CREATE INDEX i ON target(abs(number))",
        "CREATE TABLE more(x DEFAULT (randomblob(1000000000)))",
        "ALTER TABLE target ADD COLUMN more",
        "DROP TABLE text",
    ],
)
def test_a_schema_that_is_not_ours_is_refused(index: Path, statement: str) -> None:
    change(index, statement)
    assert "its tables are not those of an index" in _refused(index, write=True)


def test_values_of_other_types_are_told_as_damage(index: Path) -> None:
    """What SQLite holds in a column may be of any type, whatever the table says."""
    tables = {
        "target": ("about", "crc"),
        "place": ("path", "role", "pack", "first", "crc", "came"),
        "pack": ("shapes",),
    }
    for table, columns in tables.items():
        for column in columns:
            for value in ("'text'", "1.5", "x'ff00'", "-9223372036854775808", "zeroblob(1000000)"):
                copy = Path(shutil.copy(index, index.with_name("copy.db")))
                change(copy, f"UPDATE {table} SET {column} = {value}")
                _look(copy)
                with open_index(copy) as opened:
                    assert list(opened.verify()), (table, column, value)


def _look(path: Path) -> None:
    """Read all there is; only a clear line may come of it."""
    with _one_line(), open_index(path) as index:
        for target in index.targets():
            with _one_line():
                index.repo(target).files.paths()
                corpus = index.corpus(target)
                index.frequent(target)
                index.references(corpus)
        list(index.verify())
        index.info()


@contextmanager
def _one_line() -> Iterator[None]:
    """Hold a complaint to one line."""
    message = ""
    try:
        yield
    except UserError as error:
        message = str(error)
    assert "\n" not in message


# --- what is damaged -----------------------------------------------------------------------------------------


def test_damage_in_one_pack_costs_that_file_and_nothing_else(index: Path) -> None:
    (number,) = rows(
        index, "SELECT pack FROM place JOIN target ON target.number = target WHERE path = CAST('b.py' AS BLOB)"
    )
    change(index, f"UPDATE pack SET bytes = zeroblob(length(bytes)) WHERE number = {number[0]}")
    with open_index(index) as opened:
        targets = {target.name: target for target in opened.targets()}
        assert told(opened.corpus(targets["original"])) == told(read(FIXTURE))
        found = opened.corpus(targets["other"])
        assert {span.path for span in found.spans} == {"a.py"}
        assert [each.path for each in found.skipped] == ["b.py"]
        with pytest.raises(Damaged, match="other"):
            opened.pack(int(str(number[0])), "a.py", Role.OWN)
        findings = list(opened.verify())
        assert {name for each in findings for name in each.targets} == {targets["other"].target}


def test_adding_a_damaged_target_again_mends_it(index: Path) -> None:
    change(index, "UPDATE pack SET bytes = zeroblob(length(bytes))")
    for target in [target.target for target in _targets(index)]:
        with open_index(index, write=True) as opened, open_target(target) as repo:
            assert opened.add(repo, keep_text=True).lowered > 0
    with open_index(index) as opened:
        assert list(opened.verify()) == []


def _targets(path: Path) -> list[Target]:
    with open_index(path) as index:
        return list(index.targets())


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM place WHERE path = CAST('b.py' AS BLOB)",
        "UPDATE place SET path = CAST('c.py' AS BLOB) WHERE path = CAST('b.py' AS BLOB)",
        "DELETE FROM pack WHERE number = 3",
        "UPDATE pack SET functions = functions + 1 WHERE number = 3",
        "DELETE FROM shape_function WHERE pack = 3",
        "INSERT INTO shape_function VALUES (1, 999, 0)",
        "DELETE FROM shape WHERE number = 5",
        "UPDATE shape SET digest = digest + 1 WHERE number = 5",
        "DELETE FROM frequent",
        "UPDATE frequent SET bytes = x'00'",
        "UPDATE text SET bytes = x'00' WHERE pack = 3",
        "DELETE FROM target WHERE number = 1",
        "UPDATE target SET about = replace(about, 'original', 'originel')",
    ],
)
def test_verify_tells_what_is_missing_or_changed(index: Path, statement: str) -> None:
    change(index, statement)
    with open_index(index) as opened:
        assert list(opened.verify())


def test_a_file_that_was_cut_is_told_at_every_length(index: Path) -> None:
    size = index.stat().st_size
    generator = random.Random(SEED)
    for length in [0, 1, 15, 16, 99, 100, 511, 4095, 4096, *generator.sample(range(size), 40)]:
        copy = Path(shutil.copy(index, index.with_name("copy.db")))
        os.truncate(copy, length)
        _look(copy)


def test_bits_that_were_flipped_are_told_or_change_no_answer(index: Path) -> None:
    generator = random.Random(SEED)
    data = index.read_bytes()
    expected = told(read(FIXTURE))
    copy = index.with_name("copy.db")
    for _ in range(120):
        changed = bytearray(data)
        changed[generator.randrange(len(changed))] ^= 1 << generator.randrange(8)
        copy.write_bytes(changed)
        _look(copy)
        try:
            with open_index(copy) as opened:
                found = told(opened.corpus(opened.find("original")))
                is_right = found == expected or "damaged in the index" in str(found[3])
        except UserError:
            continue
        assert is_right


def test_a_corrupt_page_is_one_line_at_the_command_line(index: Path) -> None:
    with index.open("r+b") as file:
        for page in range(1, index.stat().st_size // 4096):
            file.seek(4096 * page)
            file.write(os.urandom(64))
    for command in ("list", "verify", "info"):
        done = run("index", command, "--index", index)
        assert done.returncode in (1, 2)
        assert "Traceback" not in done.stderr
        assert done.stderr.count("\n") <= 1


# --- what cannot be written ----------------------------------------------------------------------------------


def test_a_disk_that_is_full_leaves_the_index_as_it_was(index: Path) -> None:
    before = _contents(index)
    limit = index.stat().st_size + 8192

    def small() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    done = run("index", "add", ROOT / "detector" / "report", "--index", index, preexec_fn=small)
    assert done.returncode == 2
    assert "the index is as it was" in done.stderr
    assert done.stderr.count("\n") == 1
    assert _contents(index) == before
    with open_index(index) as opened:
        assert list(opened.verify()) == []


def _contents(path: Path) -> bytes:
    with open_index(path) as index:
        index.export(path.with_suffix(".export"))
    return path.with_suffix(".export").read_bytes()


@pytest.fixture
def read_only(original: Path) -> Iterator[Path]:
    """An index in a folder that nobody may write to, and that everybody may read."""
    folder = Path(tempfile.mkdtemp())
    path = Path(shutil.copy(original, folder / "i.db"))
    path.chmod(0o444)
    folder.chmod(0o555)
    yield path
    folder.chmod(0o755)
    shutil.rmtree(folder)


@contextmanager
def _as_nobody() -> Iterator[None]:
    """Be a user who may write nothing here: root may write anywhere."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)


def test_an_index_in_a_folder_that_cannot_be_written_is_read(read_only: Path) -> None:
    expected = told(read(FIXTURE))
    with _as_nobody(), open_index(read_only) as index:
        assert told(index.corpus(index.find("original"))) == expected
        assert list(index.verify()) == []
    assert os.listdir(read_only.parent) == ["i.db"]


def test_an_index_that_cannot_be_written_is_told_in_one_line(read_only: Path) -> None:
    with _as_nobody(), pytest.raises(UserError, match=r"cannot be written|cannot open it") as error:
        _remove(read_only)
    assert "\n" not in str(error.value)
    with _as_nobody():
        assert "cannot make an index there" in _refused(read_only.with_name("new.db"), create=True)


def _remove(path: Path) -> None:
    with open_index(path, write=True) as index:
        index.remove(index.find("original"))


def test_commits_that_only_the_log_has_are_not_passed_over(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the log cannot be used, and holds something, reading the file without it would be an old answer."""
    index.with_name("i.db-wal").write_bytes(b"commits")

    def refuse(*_: object, **__: object) -> sqlite3.Connection:
        error = sqlite3.OperationalError("unable to open database file")
        error.sqlite_errorcode = sqlite3.SQLITE_CANTOPEN
        raise error

    monkeypatch.setattr(opening, "_connect", refuse)
    assert "cannot open it" in _refused(index)


def test_a_new_index_may_be_read_by_whom_the_system_lets(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        with open_index(tmp_path / "i.db", create=True):
            pass
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "i.db").stat().st_mode) == 0o644


def test_a_name_that_looks_like_an_address_is_a_name(tmp_path: Path) -> None:
    for name in ("a?mode=memory", "file:b", "c%41#d", ":memory:"):
        with open_index(tmp_path / name, create=True):
            pass
        assert (tmp_path / name).is_file()
