"""Partitions on Ray give what one index gives: candidates, references and families, whole or told to be damaged."""

from __future__ import annotations

import json
import os
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from detector import cli, distributed
from detector.code.sketch import Sketches, questions
from detector.distributed import asking, building, families, partitions, querying, stored, tables
from detector.distributed.folder import Folder
from detector.distributed.layout import manifest
from detector.distributed.spreading import partition
from detector.distributed.tasks import Mapped, Task, here, on_ray
from detector.index import postings
from detector.index.candidates import candidates
from detector.index.store import open_index
from detector.model import UserError
from detector.read import open_target
from detector.settings.distributed import FAMILY_KEYS, FAMILY_PART, FAMILY_POSTING
from detector.settings.postings import LARGEST_POSTING, SHAPE_BITS
from tests.conftest import Git
from tests.index_corpora import ROOT, project, read, rows, run, source, told

FIXTURES = [str(ROOT / "fixtures" / name) for name in ("original", "cited", "independent", "rebadged")]
MOST = 48


@pytest.fixture(scope="session")
def ray() -> Iterator[Mapped]:
    """Ray, as large as these tests need it, begun once."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    import ray

    ray.init(num_cpus=2, include_dashboard=False, object_store_memory=80_000_000, log_to_driver=False)
    with on_ray(2) as mapped:
        yield mapped
    ray.shutdown()


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with targets that share files and functions."""
    folder = tmp_path_factory.mktemp("made")
    project(folder / "one", {"a.py": source(3, 4), "b.py": source(5, 6), "broken.py": "def f(:\n"})
    project(folder / "two", {"c.py": source(3, 4), "d.py": source(7), "e.py": source(5, 8)})
    return folder


@pytest.fixture(scope="session")
def targets(made: Path) -> list[str]:
    """What is known."""
    return [*FIXTURES, str(made / "one"), str(made / "two")]


@pytest.fixture(scope="session")
def index(targets: list[str], made: Path) -> Path:
    """One index of it."""
    path = made / "known.db"
    for target in targets:
        with open_index(path, create=True) as index, open_target(target) as repo:
            index.add(repo, keep_text=target.endswith("original"))
    with open_index(path, write=True) as index:
        index.settle()
    return path


@pytest.fixture(scope="session")
def spread(index: Path, made: Path, ray: Mapped) -> str:
    """The same as partitions."""
    folder = made / "partitions"
    partition(Folder(str(folder)), index, ray, _nothing_told)
    return str(folder)


@pytest.fixture(scope="session")
def built(targets: list[str], made: Path, ray: Mapped) -> str:
    """Partitions made straight from the targets, two at a time."""
    folder = made / "built"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(building, "TARGETS_OF_A_SOURCE", 2)
        _, failed = building.build(Folder(str(folder)), targets, ray, _nothing_told)
    assert failed == []
    return str(folder)


def _nothing_told(line: str) -> None:
    raise AssertionError(line)


def _run(capfd: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """Run the program in this process, on the Ray that is there: exit code, standard output and error."""
    capfd.readouterr()
    code = cli.run([str(each) for each in arguments])
    return code, *capfd.readouterr()


def _suspect(folder: Path) -> str:
    """Something of everything, and something new."""
    project(folder, {"mine.py": source(4, 5, 99)})
    (folder / "other.py").write_bytes((ROOT / "fixtures" / "rebadged").rglob("*.py").__next__().read_bytes())
    return str(folder)


# --- the same results ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", [FIXTURES[0], FIXTURES[3], "suspect"])
def test_partitions_give_the_candidates_of_the_index_in_the_same_order(
    target: str, index: Path, spread: str, ray: Mapped, tmp_path: Path
) -> None:
    asked = questions(read(_suspect(tmp_path) if target == "suspect" else target))
    with open_index(index) as opened:
        expected = candidates(opened.connection, asked, MOST)
    found = asking.candidates(querying.opened(spread, ray), asked, MOST)
    assert len(expected.shape) > 20
    for name in ("function", "shape", "shared"):
        assert getattr(found, name).tolist() == getattr(expected, name).tolist()


def test_partitions_made_straight_from_targets_give_the_same_candidates(index: Path, built: str, ray: Mapped) -> None:
    asked = questions(read(FIXTURES[3]))
    with open_index(index) as opened:
        expected = candidates(opened.connection, asked, MOST)
    whole = querying.opened(built, ray)
    found = asking.candidates(whole, asked, MOST)
    held = asking.rows_of(whole, "shapes", np.unique(found.shape))
    digests = dict(zip(held["shape"].to_pylist(), held["digest"].to_pylist(), strict=True))
    numbers = {each[0]: each[1] for each in rows(index, "SELECT number, digest FROM shape")}
    assert [digests[shape] for shape in found.shape.tolist()] == [numbers[shape] for shape in expected.shape.tolist()]
    assert found.function.tolist() == expected.function.tolist()
    assert found.shared.tolist() == expected.shared.tolist()


@pytest.mark.parametrize("rows_at_once", [1, 5, 100_000])
def test_keys_that_many_shapes_have_count_as_they_do_in_the_index(
    rows_at_once: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "i.db"
    drawn = np.random.default_rng(8)
    with open_index(path, create=True) as index, open_target(FIXTURES[2]) as repo:
        index.add(repo)
        for first in (5_000, 6_000):  # in two runs
            shapes = np.repeat(np.arange(first, first + 600), 4)
            keys = drawn.choice(np.array([1, 2, 3, *range(100, 400)]), len(shapes), p=[0.2] * 3 + [0.4 / 300] * 300)
            postings.insert(index.connection, keys.astype(np.uint64), shapes)
    lists = [[1], [1, 2, 3], [1, 120], [120, 130, 140], [7], [], [2, 100, 7]]
    asked = Sketches(
        np.array([key for each in lists for key in each], np.uint64), np.cumsum([0, *map(len, lists)]).astype(np.int64)
    )
    with open_index(path) as index:
        expected = candidates(index.connection, asked, MOST)
        counts = postings.lookup(index.connection, np.array([1, 2, 3], np.uint64), common=True).counts
    assert counts.min() > LARGEST_POSTING
    monkeypatch.setattr(tables, "ROW_GROUP", rows_at_once * 100)
    folder = Folder(str(tmp_path / "partitions"))
    partition(folder, path, here, _nothing_told)
    monkeypatch.setattr(asking, "ROUND_FUNCTIONS", rows_at_once + 1)
    monkeypatch.setattr(asking, "RANKED_FUNCTIONS", rows_at_once)
    found = asking.candidates(querying.opened(str(tmp_path / "partitions"), here), asked, MOST)
    assert set(expected.function.tolist()) == {0, 1, 2, 3, 6}
    for name in ("function", "shape", "shared"):
        assert getattr(found, name).tolist() == getattr(expected, name).tolist()


def test_references_out_of_partitions_are_those_of_the_index(
    index: Path, spread: str, built: str, ray: Mapped, tmp_path: Path
) -> None:
    corpus = read(_suspect(tmp_path))
    with open_index(index) as opened:
        repos = opened.references(corpus)
        expected = [(repo.target, repo.name, repo.revision, told(repo.files.corpus)) for repo in repos]  # type: ignore[attr-defined]
    assert len(expected) >= 3
    for folder in (spread, built):
        with querying.known(folder, ray) as known:
            found = known.references(corpus)
            assert [(repo.target, repo.name, repo.revision, told(repo.files.corpus)) for repo in found] == expected  # type: ignore[attr-defined]


def test_the_revision_of_a_history_is_chosen_as_the_index_chooses_it(tmp_path: Path, git: Git) -> None:
    repository = project(tmp_path / "repository", {"a.py": source(3, 4, 5)})
    git(repository, "init", "-q")
    for numbers in ((3, 4, 5), (13, 14), (23, 24)):
        (repository / "a.py").write_text(source(*numbers))
        git(repository, "add", "-A")
        git(repository, "commit", "-qm", "x")
    path = tmp_path / "i.db"
    with open_index(path, create=True) as index, open_target(str(repository)) as repo:
        index.add(repo, history=True)
    partition(Folder(str(tmp_path / "partitions")), path, here, _nothing_told)
    for numbers in ((3, 4, 5), (13, 14), (23, 24)):
        corpus = read(project(tmp_path / f"suspect{numbers[0]}", {"b.py": source(*numbers)}))
        with open_index(path) as index, querying.known(str(tmp_path / "partitions"), here) as known:
            (expected,), (found,) = index.references(corpus), known.references(corpus)
            assert found.revision == expected.revision
            assert told(found.files.corpus) == told(expected.files.corpus)  # type: ignore[attr-defined]


def test_a_comparison_with_partitions_is_the_comparison_with_the_index(
    index: Path, spread: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    suspect = _suspect(tmp_path)
    reports = [_run(capfd, "compare", suspect, "--index", known, "--format", "json")[1] for known in (index, spread)]
    assert json.loads(reports[0])["references"]
    assert reports[0] == reports[1]


def test_families_are_those_of_all_pairs_held_against_each_other(index: Path, spread: str, ray: Mapped) -> None:
    with open_index(index) as opened:
        posted = np.concatenate(list(postings.chunks(opened.connection)))
    by_key: defaultdict[int, set[int]] = defaultdict(set)
    for posting in posted.tolist():
        by_key[posting >> SHAPE_BITS].add(posting & ((1 << SHAPE_BITS) - 1))
    keys: defaultdict[int, set[int]] = defaultdict(set)
    for key, shapes in by_key.items():
        for shape in shapes if len(shapes) <= FAMILY_POSTING else ():
            keys[shape].add(key)
    family = {shape: {shape} for shape in keys if len(keys[shape]) >= FAMILY_KEYS}
    pairs = []
    for one, other in combinations(sorted(family), 2):
        shared = len(keys[one] & keys[other])
        if shared >= FAMILY_KEYS and shared >= FAMILY_PART * min(len(keys[one]), len(keys[other])):
            pairs.append((one, other))
            if family[one] is not family[other]:
                family[one] |= family[other]
                for each in family[other]:
                    family[each] = family[one]
    found = families.families(querying.opened(spread, ray), _nothing_told)
    assert len(pairs) > 10
    assert list(zip(found.lower.tolist(), found.higher.tolist(), strict=True)) == pairs
    expected = {shape: min(members) for shape, members in family.items()}
    assert dict(zip(found.shape.tolist(), found.family.tolist(), strict=True)) == expected


def test_families_of_partitions_that_are_cut_small_are_the_same(
    index: Path, spread: str, ray: Mapped, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = families.families(querying.opened(spread, ray), _nothing_told)
    monkeypatch.setattr(families, "FAMILY_PAIRS", 500)
    monkeypatch.setattr("detector.distributed.layout.PARTITION_POSTINGS", 1_000)
    folder = str(tmp_path / "partitions")
    partition(Folder(folder), index, here, _nothing_told)
    found = families.families(querying.opened(folder, here), _nothing_told)
    assert len(manifest(Folder(folder)).of("postings")) > 5
    assert found.family.tolist() == expected.family.tolist()
    assert (found.higher.tolist(), found.left_out) == (expected.higher.tolist(), expected.left_out)


@pytest.mark.parametrize(
    ("count", "pairs", "expected"),
    [
        (0, [], []),
        (3, [], [0, 1, 2]),
        (6, [(4, 5), (3, 4), (0, 1)], [0, 0, 2, 3, 3, 3]),
        (5, [(0, 4), (1, 4), (1, 3), (2, 3)], [0, 0, 0, 0, 0]),
    ],
)
def test_what_is_connected_is_called_by_its_lowest(
    count: int, pairs: list[tuple[int, int]], expected: list[int]
) -> None:
    left, right = np.array(pairs, np.int64).reshape(-1, 2).T
    assert families.components(count, left, right).tolist() == expected


# --- killed, damaged, changed --------------------------------------------------------------------------------


def _stops_after(count: int) -> tuple[Mapped, list[int]]:
    """Does so many tasks and fails as a killed run would; a list of what was done."""
    done: list[int] = []

    def mapped(task: Task, tables: Sequence[pa.Table]) -> Iterable[pa.Table]:
        for each in tables:
            if len(done) == count:
                raise KeyboardInterrupt
            done.append(1)
            yield task(each)

    return mapped, done


def _files(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize("how", ["partition", "build"])
def test_a_run_that_was_killed_goes_on_with_what_is_missing(
    how: str, index: Path, targets: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "TARGETS_OF_A_SOURCE", 2)

    def write(folder: Path, mapped: Mapped) -> object:
        if how == "build":
            return building.build(Folder(str(folder)), targets, mapped, _nothing_told)
        return partition(Folder(str(folder)), index, mapped, _nothing_told)

    write(tmp_path / "whole", here)
    whole = {name: data for name, (_, data) in _files(tmp_path / "whole").items()}
    for count in (0, 1, 3, 5, 7):
        folder = tmp_path / f"killed{count}"
        mapped, _ = _stops_after(count)
        with pytest.raises(KeyboardInterrupt):
            write(folder, mapped)
        with pytest.raises(UserError, match="not whole"):
            querying.opened(str(folder), here)
        before = _files(folder)
        (folder / "left.parquet.1234.tmp").write_bytes(b"half of a file")
        write(folder, here)
        after = _files(folder)
        assert {name: data for name, (_, data) in after.items()} == whole
        for name, (changed, _) in before.items():
            if name in after and not name.startswith("sources/"):
                assert after[name][0] == changed, f"{name} was written again"


def test_a_damaged_partition_is_told_in_one_line_and_written_again(index: Path, tmp_path: Path) -> None:
    folder = tmp_path / "partitions"
    partition(Folder(str(folder)), index, here, _nothing_told)
    whole = {name: data for name, (_, data) in _files(folder).items()}
    damaged = folder / "postings" / "000000.parquet"
    damaged.write_bytes(damaged.read_bytes()[:-100] + bytes(100))
    (folder / "packs" / "000000.parquet").unlink()
    lines: list[str] = []
    partition(Folder(str(folder)), index, here, lines.append)
    assert len(lines) == 2
    assert any("postings/000000.parquet: not what was written there: written again" in line for line in lines)
    assert {name: data for name, (_, data) in _files(folder).items()} == whole


def test_partitions_of_an_index_that_has_changed_are_not_mixed_with_others(
    index: Path, made: Path, tmp_path: Path
) -> None:
    path = tmp_path / "i.db"
    path.write_bytes(index.read_bytes())
    partition(Folder(str(tmp_path / "partitions")), path, here, _nothing_told)
    with open_index(path, write=True) as opened, open_target(str(made / "one")) as repo:
        opened.add(repo)
    with pytest.raises(UserError, match="earlier state"):
        partition(Folder(str(tmp_path / "partitions")), path, here, _nothing_told)


def test_a_folder_with_something_else_in_it_is_left_alone(index: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(UserError, match="holds something else"):
        partition(Folder(str(tmp_path)), index, here, _nothing_told)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("table", ["postings", "functions", "owners", "targets", "places", "packs"])
def test_damage_gives_one_line_or_the_right_answer(table: str, spread: str, tmp_path: Path) -> None:
    corpus = read(_suspect(tmp_path / "suspect"))
    with querying.known(spread, here) as known:
        expected = [(repo.target, told(repo.files.corpus)) for repo in known.references(corpus)]  # type: ignore[attr-defined]
    name = f"{table}/000000.parquet"
    data = (Path(spread) / name).read_bytes()
    for path in Path(spread).rglob("*"):
        if path.is_file() and not path.is_relative_to(Path(spread) / "families"):
            copy = tmp_path / "copy" / path.relative_to(spread)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    drawn = random.Random(table)
    lines = []
    for _ in range(12):
        damaged = bytearray(data)
        for _ in range(3):
            damaged[drawn.randrange(len(damaged))] ^= 1 << drawn.randrange(8)
        (tmp_path / "copy" / name).write_bytes(damaged)
        try:
            with querying.known(str(tmp_path / "copy"), here) as known:
                assert [(repo.target, told(repo.files.corpus)) for repo in known.references(corpus)] == expected  # type: ignore[attr-defined]
        except UserError as error:
            lines.append(str(error))
    assert len(lines) > 3
    assert not any("\n" in line for line in lines)


@pytest.mark.parametrize("how", ["cut", "longer", "empty", "dictionary", "columns", "nulls"])
def test_a_partition_that_is_none_is_refused_before_it_is_unpacked(how: str, tmp_path: Path) -> None:
    folder = Folder(str(tmp_path))
    rows_ = [(7, b"b" * 20, b"", b"", b"x" * 1_000_000, b"")] * 200
    packs = tables.table("packs", *(list(column) for column in zip(*rows_, strict=True)))
    written = partitions.write(folder, "packs", "packs/000000.parquet", [packs.slice(0, 1)])
    path = tmp_path / "packs" / "000000.parquet"
    data = path.read_bytes()
    if how == "dictionary":  # 200 MB in a thousand bytes
        parquet.write_table(packs, path, use_dictionary=True, compression="zstd")
    elif how == "columns":
        parquet.write_table(packs.drop(["text"]).slice(0, 1), path)
    elif how == "nulls":
        parquet.write_table(
            packs.slice(0, 1).set_column(5, "text", pa.array([None], pa.binary())), path, use_dictionary=False
        )
    else:
        path.write_bytes({"cut": data[:-9], "longer": data + b"PAR1", "empty": b""}[how])
    claimed = {"size_bytes": path.stat().st_size} if how in ("dictionary", "columns", "nulls") else {}
    rows_claimed = 200 if how == "dictionary" else 1
    forged = partitions.partition_of({**partitions.values_of(written), **claimed, "rows": rows_claimed})
    with pytest.raises(UserError, match="a damaged partition") as error, stored.opened(folder, forged) as reading:
        reading.table([0])
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "../../etc/passwd.parquet"},
        {"name": "/etc/0.parquet"},
        {"name": "postings/\0.parquet"},
        {"table": "secrets"},
        {"rows": -1},
        {"rows": True},
        {"last": 1 << 70},
        {"more": 1},
    ],
)
def test_a_manifest_that_names_what_no_partition_can_be_is_refused(
    changes: dict[str, object], spread: str, tmp_path: Path
) -> None:
    values = json.loads((Path(spread) / "manifest.json").read_text())
    values["partitions"][0] |= changes
    (tmp_path / "manifest.json").write_text(json.dumps(values))
    with pytest.raises(UserError, match="damaged"):
        querying.opened(str(tmp_path), here)


def test_partitions_of_another_lowering_are_not_asked(spread: str, tmp_path: Path) -> None:
    values = json.loads((Path(spread) / "manifest.json").read_text())
    (tmp_path / "manifest.json").write_text(json.dumps({**values, "lowering": "0"}))
    with pytest.raises(UserError, match="its lowering is 0"):
        querying.opened(str(tmp_path), here)


# --- places --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["memory://partitions-of-a-test", "file"])
def test_partitions_may_be_anywhere_that_fsspec_reaches(place: str, index: Path, tmp_path: Path) -> None:
    address = f"file://{tmp_path}/there" if place == "file" else place
    folder = Folder(address)
    try:
        partition(folder, index, here, _nothing_told)
        corpus = read(FIXTURES[3])
        with open_index(index) as opened, querying.known(address, here) as known:
            assert [repo.target for repo in known.references(corpus)] == [
                repo.target for repo in opened.references(corpus)
            ]
    finally:
        folder.remove("")


def test_an_address_that_nothing_reaches_is_told() -> None:
    with pytest.raises(UserError, match="cannot be reached"):
        Folder("gopher://nowhere/at/all")


def test_what_is_not_installed_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    distributed.require()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "ray" else object())
    with pytest.raises(UserError) as error:
        distributed.require()
    assert "pip install" in str(error.value)
    assert "\n" not in str(error.value)


def test_ray_is_begun_without_telling_anybody(ray: Mapped, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_USAGE_STATS_ENABLED")
    with on_ray(2):
        assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"


def test_what_a_task_says_that_a_user_can_mend_is_said(ray: Mapped) -> None:
    order = {"folder": "gopher://nowhere", "table": "postings", "part": 0}
    with pytest.raises(UserError, match=r"^gopher://nowhere: cannot be reached"):
        list(ray(building.gather, [pa.table({"json": [json.dumps(order)]})]))


# --- commands ------------------------------------------------------------------------------------------------


def test_commands_write_ask_and_extract(
    index: Path, ray: Mapped, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder, extracted = tmp_path / "partitions", tmp_path / "extracted.db"
    code, output, error = _run(capfd, "index", "partition", folder, "--index", index)
    assert (code, output) == (0, "")
    assert "functions of 6 targets" in error
    suspects = FIXTURES[3], "nothing"
    code, output, error = _run(capfd, "index", "query", folder, *suspects, "--format", "json", "--extract", extracted)
    assert code == 3
    first, second = json.loads(output)["answers"]
    with open_index(index) as opened:
        expected = [repo.target for repo in opened.references(read(FIXTURES[3]))]
    assert [each["target"] for each in first["targets"]] == expected
    assert (second["suspect"], second["targets"]) == ("nothing", [])
    assert error.startswith("detector: nothing: there is no such file")
    assert _run(capfd, "index", "verify", "--index", extracted)[1] == f"sound: {len(expected)} targets\n"
    code, output, _ = _run(capfd, "index", "query", folder, FIXTURES[3])
    assert [line.split("  ")[-1] for line in output.splitlines()[1:]] == expected


def test_families_are_told_those_of_most_targets_first(
    spread: str, ray: Mapped, capfd: pytest.CaptureFixture[str]
) -> None:
    arguments = ("index", "families", spread, "--most", "3", "--quiet")
    code, output, error = _run(capfd, *arguments, "--format", "json")
    assert (code, error) == (0, "")
    found = json.loads(output)["families"]
    assert len(found) == 3
    assert found[0]["targets"] >= found[1]["targets"] >= found[2]["targets"] >= 2
    assert len(_run(capfd, *arguments)[1].splitlines()) == 3


def test_a_target_that_cannot_be_read_is_told_and_left_out(
    made: Path, ray: Mapped, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    listed = tmp_path / "targets.txt"
    listed.write_text(f"{made / 'one'}\n\n{made / 'nowhere'}\n")
    code, _, error = _run(capfd, "index", "build", tmp_path / "partitions", "--from", listed)
    assert code == 3
    assert "nowhere: there is no such file" in error
    assert "functions of 1 targets" in error


def test_a_run_that_begins_ray_itself_writes_its_result_alone(spread: str) -> None:
    done = run("index", "families", spread, "--format", "json", "--quiet", "--jobs", "1")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["families"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("build", "x"), "nothing to read"),
        (("query", "x"), "nothing to ask for"),
        (("families", "x", "--jobs", "1", "--address", "auto"), "give one of them"),
        (("families", "x", "--most", "1"), "partitions of an index are not there"),
    ],
)
def test_commands_that_say_too_little_or_too_much_are_told_so(
    arguments: tuple[str, ...], expected: str, ray: Mapped, capfd: pytest.CaptureFixture[str]
) -> None:
    code, _, error = _run(capfd, "index", *arguments)
    assert code == 2
    assert expected in error
    assert error.count("\n") == 1
