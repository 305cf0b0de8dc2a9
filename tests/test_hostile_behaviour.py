"""Hostile logs of predictions: read, cut or skipped with a reason, within bounds, and never an error."""

from __future__ import annotations

import io
import json
import random
import struct
from pathlib import Path

import pytest

from bench.process import in_fresh_process, own_peak
from detector.artifacts.behaviour import lines as reading
from detector.artifacts.behaviour import parquet
from detector.artifacts.behaviour.chance import log_tail
from detector.artifacts.behaviour.log import Log, read_log
from detector.model import Skipped
from detector.read import open_target
from tests.logs import answers, labels, lines, log, look, looks, target

EVIL = "\x1b[31m\x1b]0;title\x07\u202e\u2066</script>|`x`\r\x7f\x9b\u2028"
MOST_BYTES = 600e6
GOOD = '{"id": 1, "prediction": "right"}\n'


def read(folder: Path, name: str, data: str | bytes) -> Log | Skipped:
    with open_target(target(folder, "target", {name: data})) as repo:
        return read_log(repo.files, name)


# --- lines ---


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "it is empty"),
        (b"\n\n \n", "it is empty"),
        (b"\xff\xfe{\x00", "it is UTF-16: save it as UTF-8"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"a" * 64 + b"\nsize 7\n", "git-lfs"),
        (b"\xff\xff\xff\n\x80\n", "no line holds a JSON object (2 not UTF-8)"),
        (b"[1, 2]\n3\n", "no line holds a JSON object (2 no JSON object)"),
        (b"[" * 900_000, "no line holds a JSON object (1 no JSON object)"),
        (b'{"id": 1}', "no field for the model's answer"),
        (b'{"id": null, "prediction": "a"}', "no item can be compared: 1 record without an id"),
    ],
    ids=lambda value: str(value)[:24],
)
def test_what_holds_nothing_is_skipped_in_one_line(data: bytes, reason: str, tmp_path: Path) -> None:
    found = read(tmp_path, "predictions.jsonl", data)
    assert isinstance(found, Skipped)
    assert reason in found.reason
    assert "\n" not in found.reason


@pytest.mark.parametrize(
    "bad",
    [
        b"\xff\xfe\xfd",
        b'{"id": 2, "prediction": ',
        b'{"id": ' + b"9" * 5_000 + b"}",
        b'{"a":' * 100_000,
        b'{"id": 3, "prediction": ' + b"[" * 400_000 + b"]" * 400_000 + b"}",
        b'"' * 100_001,
        b"x" * 3_000_000,
    ],
    ids=lambda value: str(value)[:24],
)
def test_a_bad_line_costs_itself_alone_and_is_counted(bad: bytes, tmp_path: Path) -> None:
    found = read(tmp_path, "predictions.jsonl", GOOD.encode() + bad + b"\n" + GOOD.replace("1", "7").encode())
    assert isinstance(found, Log)
    assert sorted(found.names) == ["1", "7"]
    assert len(found.notes) == 1


def test_values_of_every_kind_are_answers_or_none(tmp_path: Path) -> None:
    values = ['"\\ud800"', "NaN", "Infinity", "-1e400", "true", "{}", "[]", '{"b": [1, {"a": NaN}]}', "[1,2,3,1e999]"]
    data = "".join(
        f'{{"id": "{number}", "prediction": {value}, "prediction": {value}}}\n' for number, value in enumerate(values)
    )
    found = read(tmp_path, "predictions.jsonl", data)
    assert isinstance(found, Log)
    assert set(found.names) == {str(number) for number in range(len(values))} - {"1"}
    assert all(text.isprintable() or text.isascii() for text in found.texts)
    json.dumps(found.texts).encode("utf-8")


def test_a_file_of_one_line_takes_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "predictions.jsonl"
    with path.open("wb") as file:
        file.write(GOOD.encode())
        file.truncate(2_000_000_000)  # a hole: as long as that on disk by name alone
    peak, said = in_fresh_process(read_peak, str(tmp_path))
    assert peak < MOST_BYTES
    assert "too long" in said


def read_peak(folder: str) -> tuple[float, str]:
    """Read the first log of a folder in this process: peak of memory, and what was left out."""
    with open_target(folder) as repo:
        found = read_log(repo.files, next(path for path in repo.files.others() if "predictions" in path))
    return own_peak(), found.reason if isinstance(found, Skipped) else "; ".join(found.notes)


def test_a_log_that_is_too_long_is_cut_and_that_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_LOG_BYTES", 10 * len(GOOD))
    found = read(tmp_path, "predictions.jsonl", "".join(GOOD.replace("1", str(n)) for n in range(2, 9)) * 5)
    assert isinstance(found, Log)
    assert any("only its first" in note for note in found.notes)


# --- tables ---


def test_a_quote_without_an_end_does_not_swallow_the_table(tmp_path: Path) -> None:
    rows = "".join(f"{number},answer {number % 3}\n" for number in range(100_000))
    found = read(tmp_path, "predictions.csv", 'id,prediction\n0,"a\n' + rows)
    assert isinstance(found, Log)
    assert len(found.items) > 50_000
    assert any("no row of the table" in note for note in found.notes)


@pytest.mark.parametrize(
    "data",
    [
        b"id,prediction\n",
        b"id",
        b"\n\n",
        b"id,prediction\n\x00,\x00\n1\n",
        b"," * 500_000,
        b"id,prediction" + b",x" * 300_000,
    ],
    ids=lambda value: str(value)[:24],
)
def test_odd_tables_are_read_or_skipped(data: bytes, tmp_path: Path) -> None:
    found = read(tmp_path, "predictions.csv", data)
    assert isinstance(found, Log) or "\n" not in found.reason


# --- Parquet ---


def table(rows: int = 500) -> bytes:
    pyarrow, written = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    columns = {"id": list(range(rows)), "prediction": [f"class {n % 5}" for n in range(rows)]}
    sink = io.BytesIO()
    written.write_table(pyarrow.table(columns), sink, row_group_size=100)
    return sink.getvalue()


@pytest.mark.parametrize(
    "data",
    [b"", b"PAR1", b"PAR1PAR1", b"PAR1" + bytes(30) + struct.pack("<I", 2**31) + b"PAR1", bytes(500)],
    ids=["empty", "magic", "twice", "footer", "zeros"],
)
def test_what_is_no_parquet_is_skipped(data: bytes, tmp_path: Path) -> None:
    found = read(tmp_path, "predictions.parquet", data)
    assert isinstance(found, Skipped)
    assert "\n" not in found.reason


def test_a_parquet_file_with_any_byte_changed_or_cut_is_read_or_skipped(tmp_path: Path) -> None:
    whole, source = table(), random.Random(1)
    for number in range(150):
        data = bytearray(whole)
        for _ in range(1 + number % 3):
            data[source.randrange(len(data))] = source.randrange(256)
        found = read(tmp_path, "predictions.parquet", bytes(data[: len(data) - (number % 2) * source.randrange(200)]))
        assert isinstance(found, Log | Skipped)


def test_columns_of_other_kinds_are_refused(tmp_path: Path) -> None:
    pyarrow, written = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    sink = io.BytesIO()
    written.write_table(pyarrow.table({"id": [1], "prediction": [{"a": 1}]}), sink)
    found = read(tmp_path, "predictions.parquet", sink.getvalue())
    assert isinstance(found, Skipped)
    assert "its column prediction holds neither" in found.reason


def test_groups_of_rows_that_unpack_to_more_than_may_be_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = table()
    monkeypatch.setattr(parquet, "MOST_ROW_GROUP_BYTES", 100)
    found = read(tmp_path, "predictions.parquet", data)
    assert isinstance(found, Skipped)
    assert "unpacks to more than 100 bytes" in found.reason


def test_a_table_of_one_long_text_again_and_again_takes_little_memory(tmp_path: Path) -> None:
    pyarrow, written = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    text = pyarrow.DictionaryArray.from_arrays(pyarrow.array([0] * 100_000, pyarrow.int32()), ["x" * 500_000])
    sink = io.BytesIO()
    written.write_table(pyarrow.table({"id": list(range(100_000)), "prediction": text}), sink)
    assert len(sink.getvalue()) < 3_000_000
    folder = target(tmp_path, "target", {"predictions.parquet": sink.getvalue()})
    peak, said = in_fresh_process(read_peak, folder)
    assert peak < MOST_BYTES, said


# --- the whole ---


def test_names_texts_and_paths_of_a_stranger_are_told_as_they_are_and_break_nothing(tmp_path: Path) -> None:
    records = [{"id": f"{EVIL}{n}", "prediction": EVIL + "\ud800"[:0] + str(n % 3), "label": "x"} for n in range(80)]
    evil = {f"predictions {EVIL.replace('/', '')}.jsonl": lines(records)}
    found = look(tmp_path, evil, {"predictions.jsonl": lines(records)})
    assert found.examined.is_possible
    assert found.evidence[0].measures["same_wrong_answers"] == 80


def test_many_hostile_logs_at_once_leave_the_honest_ones_to_be_compared(tmp_path: Path) -> None:
    bad: dict[str, str | bytes] = {f"predictions/{n:02}.jsonl": bytes([n + 128]) * 1000 for n in range(30)}
    bad |= {"results.csv": '"' * 200_000, "outputs.parquet": b"PAR1" * 100, "answers.tsv": ""}
    found, other = looks(
        tmp_path,
        {**bad, **log(answers(1))},
        {**bad, **log(answers(2), labels())},
        bad,
        panel=[bad, log(answers(3)), {"predictions.jsonl": ""}],
    )
    assert found.evidence[0].measures["models_in_the_panel"] == 1
    assert len(found.skipped) == 3 * 33 + 1
    assert not other.examined.is_possible


def test_models_that_are_always_right_or_always_wrong_are_compared(tmp_path: Path) -> None:
    panel = [log(labels()[:number] + answers(number)[number:]) for number in range(3, 12)]
    for place, (ours, theirs) in enumerate(
        [(labels(), labels()), (["no"] * 300, ["no"] * 300), (labels(), ["no"] * 300), (answers(1), labels())]
    ):
        found = look(tmp_path / str(place), log(ours), log(theirs, labels()), panel)
        assert len(found.evidence) == 1


def test_tails_of_any_numbers_are_logarithms_of_probabilities() -> None:
    source = random.Random(4)
    for _ in range(300):
        items = source.randrange(1, 70_000)
        ours, theirs = source.randrange(items + 1), source.randrange(items + 1)
        both = source.randrange(max(0, ours + theirs - items), min(ours, theirs) + 1)
        assert log_tail(items, ours, theirs, both) <= 0
