"""Logs of predictions as they are read: formats, fields, spellings, and what is kept of a large one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from detector.artifacts.behaviour import lines as reading
from detector.artifacts.behaviour import log as logs
from detector.artifacts.behaviour.answers import code, spelled
from detector.artifacts.behaviour.compared import common_items
from detector.artifacts.behaviour.fields import ANSWERS, IDS, LABELS, Fields, choose
from detector.artifacts.behaviour.log import Codes, Log, read_log
from detector.artifacts.behaviour.logs import is_log_name, is_of_others
from detector.artifacts.behaviour.overlap import of_boxes
from detector.model import Skipped
from detector.read import open_target
from tests.logs import Record, lines, target


def read(folder: Path, name: str, data: str | bytes) -> Log | Skipped:
    with open_target(target(folder, "target", {name: data})) as repo:
        return read_log(repo.files, name)


def good(found: Log | Skipped) -> Log:
    assert isinstance(found, Log), found
    return found


# --- fields ---


@pytest.mark.parametrize(
    ("names", "fields"),
    [
        (("id", "prediction"), Fields("id", "prediction", "")),
        (("Question ID", "Model-Answer", "GT.answer"), Fields("Question ID", "Model-Answer", "GT.answer")),
        (("image_id", "question_id", "answer"), Fields("question_id", "answer", "")),
        (("id", "output", "answer"), Fields("id", "output", "answer")),
        (("id", "output", "answer", "label"), Fields("id", "output", "label")),
        (("score", "idx", "response", "reference", "split"), Fields("idx", "response", "reference")),
    ],
)
def test_fields_are_told_by_their_names(names: tuple[str, ...], fields: Fields) -> None:
    assert choose(names) == fields


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("prediction",), "no field for the id"),
        (("id", "label"), "no field for the model's answer"),
        (("id", "prediction", "output"), "prediction and output may each hold the model's answer"),
        (("id", "prediction", "label", "target"), "label and target may each hold the label"),
        (("id", "ID", "prediction"), "id and ID may each hold the id"),
    ],
)
def test_what_is_missing_or_stands_twice_is_said_in_one_line(names: tuple[str, ...], said: str) -> None:
    found = choose(names)
    assert isinstance(found, str)
    assert said in found


def test_no_name_of_a_field_has_two_meanings() -> None:
    every = (*IDS, *ANSWERS, *LABELS)
    assert len(set(every)) == len(every)


def test_names_of_logs_are_told_from_others() -> None:
    for path in ("predictions.jsonl", "a/my-preds_v2.csv", "Model.Predictions.parquet", "outputs/vqa.tsv"):
        assert is_log_name(path)
    for path in ("data/train.jsonl", "expressions.csv", "presults.csv"):
        assert not is_log_name(path)
    assert is_of_others("baselines/x.csv")
    assert not is_of_others("baseliner.csv")


# --- spellings ---


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (3, "3"),
        (3.0, "3"),
        ("3.50", 3.5),
        ("Cat ", "cat"),
        (True, "true"),
        ("a  b", "A b"),
        ([1, 2, 3, 4], "[1, 2.0, 3, 4]"),
    ],
)
def test_the_same_answer_is_the_same_in_every_format(one: object, other: object) -> None:
    first, second = spelled(one), spelled(other)
    assert first is not None
    assert second is not None
    assert code(first) == code(second)


def test_nothing_is_no_answer_and_an_empty_text_is_one() -> None:
    assert spelled(None) is None
    assert spelled(float("nan")) is None
    assert spelled("") == ""


def test_boxes_that_belong_together_count_and_those_alone_count_nothing() -> None:
    one, far = (0.0, 0.0, 10.0, 10.0), (50.0, 50.0, 60.0, 60.0)
    assert of_boxes([one], [one]) == 1
    assert of_boxes([one, far], [far, one]) == 1
    assert of_boxes([one, far], [one]) == 0.5
    assert of_boxes([(10.0, 10.0, 0.0, 0.0)], [one]) == 0


# --- formats ---


def test_json_lines_tables_and_parquet_give_the_same_log(tmp_path: Path) -> None:
    records = [{"id": n, "prediction": f"é {n % 7}", "label": f"é {n % 5}"} for n in range(200)]
    rows = [f'{each["id"]},"{each["prediction"]}",{each["label"]}' for each in records]
    found = [
        good(read(tmp_path / "a", "predictions.jsonl", lines(records))),
        good(read(tmp_path / "b", "predictions.csv", "\ufeff" + "\r\n".join(["id,prediction,label", *rows]))),
        good(read(tmp_path / "c", "predictions.csv", "\n".join(["id;prediction;label", *rows]).replace(",", ";"))),
        good(read(tmp_path / "d", "predictions.ndjson", b"\xef\xbb\xbf" + lines(records).encode() + b"\n\n")),
    ]
    parquet = pytest.importorskip("pyarrow.parquet")
    pyarrow = pytest.importorskip("pyarrow")
    path = tmp_path / "table.parquet"
    parquet.write_table(
        pyarrow.Table.from_pylist([{**each, "extra": [{"x": 1}]} for each in records]), path, row_group_size=64
    )
    found.append(good(read(tmp_path / "e", "predictions.parquet", path.read_bytes())))
    for each in found:
        assert (each.items == found[0].items).all()
        assert (each.answers == found[0].answers).all()
        assert (each.labels == found[0].labels).all()
        assert (each.names, each.texts, each.notes) == (found[0].names, found[0].texts, ())


def test_without_pyarrow_a_parquet_log_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    found = read(tmp_path, "predictions.parquet", b"PAR1" + bytes(40) + b"\x08\x00\x00\x00PAR1")
    assert isinstance(found, Skipped)
    assert "pip install 'ml-plagiarism-detector[parquet]'" in found.reason


def test_a_quoted_cell_may_have_lines_and_delimiters(tmp_path: Path) -> None:
    found = good(read(tmp_path, "predictions.csv", 'id,prediction\n1,"a, b\nc ""d"""\n2,x\n'))
    assert sorted(found.texts) == ['a, b\nc "d"', "x"]


def test_the_first_of_items_with_one_id_counts_and_that_is_told(tmp_path: Path) -> None:
    records: list[Record] = [
        {"id": 1, "prediction": "first"},
        {"id": "1", "prediction": "second"},
        {"id": 2, "prediction": None},
    ]
    found = good(read(tmp_path, "predictions.jsonl", lines(records)))
    assert found.texts == ("first",)
    (note,) = found.notes
    assert "1 record whose id came before: the first counts" in note
    assert "1 record without an answer" in note


# --- size ---


def test_of_two_large_logs_in_different_order_the_same_items_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "MOST_ITEMS", 100)
    records = [{"id": f"item {number}", "prediction": number % 5} for number in range(3_000)]
    one = good(read(tmp_path / "a", "predictions.jsonl", lines(records)))
    other = good(read(tmp_path / "b", "predictions.jsonl", lines(records[::-1])))
    assert len(one.items) == 100
    assert (one.items == other.items).all()
    assert one.notes == ("only 100 of its items are compared, those whose id has the smallest hash, of 3,000 records",)
    small = good(read(tmp_path / "c", "predictions.jsonl", lines(records[:40] + records[1_500:1_540])))
    assert {one.names[place] for place in range(100)} & set(small.names) == _names(one, common_items(one, small))


def _names(log: Log, items: Codes) -> set[str]:
    wanted = set(items.tolist())
    return {name for name, item in zip(log.names, log.items, strict=True) if int(item) in wanted}


def test_texts_of_a_log_are_bounded_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "MOST_LOG_CHARACTERS", 10_000)
    found = good(read(tmp_path, "predictions.jsonl", lines([{"id": n, "output": "word " * 50} for n in range(500)])))
    assert found.characters <= 10_000
    assert 30 <= len(found.items) <= 50


@pytest.mark.parametrize("block", [1, 2, 3, 7, 64, 4096])
def test_lines_are_the_same_whatever_is_read_at_once(
    block: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "LOG_BLOCK_BYTES", block)
    monkeypatch.setattr(reading, "LONGEST_LINE_BYTES", 40)
    records = [{"id": 1, "prediction": "a"}, {"id": 2, "prediction": "b" * 50}, {"id": 3, "prediction": "c"}]
    found = good(read(tmp_path, "predictions.jsonl", "\n".join(map(json.dumps, records))))
    assert sorted(found.texts) == ["a", "c"]
    assert found.notes == ("1 line left out: too long",)
