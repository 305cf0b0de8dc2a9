"""Hostile files beside the code: read or skipped with a reason, and what stands beside them is still seen."""

from __future__ import annotations

import io
import json
import os
import resource
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from detector.artifacts.bounded_json import CannotParse, parse
from detector.artifacts.credits import claims, declarations, manifests, naming
from detector.artifacts.tokenizers import sentencepiece
from detector.read import archive, folder
from detector.targets import Commit, Repo
from tests.bounded import FOR_EVER_SECONDS, limited
from tests.repositories import FIXTURES, repo

ROOT = Path(__file__).parent.parent
# The whole command on the two fixtures needs a quarter of a gigabyte and some seconds.
MOST_MEMORY = 2 * 2**30

LONG = 300_000
EVIL = "\x1b[31m\x1b]0;title\x07\u202e\u2066</script>|`x`\r\x7f\x9b\u2028"
RAW = {chr(code) for code in (*range(9), *range(11, 32), *range(127, 160), 0x2028, *range(0x202A, 0x202F), 0x2066)}


# --- texts: the time of a pattern must not grow with the square of what it reads; each of these took hours ---


@pytest.mark.parametrize("blank", [" ", "\t", "_", "#", "-", "*", "\u3000", ")", ". ", "[", "<", "a.", "a/"])
@pytest.mark.parametrize(
    "read",
    [
        lambda text: naming.title_of(f"# x{text}y\n"),
        lambda text: naming.title_of(f"#{text}y\n"),
        lambda text: manifests.front_matter(f"---\nbase_model: a{text}b\n---\n"),
        lambda text: manifests.front_matter(f"---\nbase_model:\n- a{text}b\n---\n"),
        lambda text: manifests.dependencies("requirements.txt", f"a{text}\x01"),
        lambda text: manifests.dependencies("requirements.txt", f"a[b]{text}\x01"),
        lambda text: list(claims.claims(f"x{text}y")),
    ],
    ids=["title", "blank title", "card", "card list", "requirement", "extras", "claims"],
)
def test_a_text_of_one_sign_is_read_in_one_pass(read: Callable[[str], object], blank: str) -> None:
    read(blank * (LONG // len(blank)))


def test_headings_requirements_and_cards_are_still_read() -> None:
    assert naming.title_of("# Heron-VL ##  \r\ntext\r\n") == "heron-vl"
    assert manifests.dependencies("requirements.txt", "  torch [x] >= 2\n") == {"torch"}
    assert manifests.front_matter("---\nbase_model: a/b   # why\n---\n") == {"base_model": ("a/b",)}
    assert [each.source for each in claims.claims("It is __based on__ `heron_vl`.")] == ["based on heron_vl"]


def test_messages_of_nothing_but_turns_are_read_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(declarations, "MOST_CLAIMING_LETTERS", 100)
    commits = [Commit(f"{n:040}", (), n, n, f"Source: s{n}\n\nbased on heron{n} as it is", ()) for n in range(9)]
    history = type("Told", (), {"commits": lambda _: commits, "skipped": lambda _: ()})()
    files = repo("kite", {"a.py": ""}).files
    found, skipped = declarations.project_declarations(Repo("kite", "kite", "", files, history))
    assert sum(each.said.startswith("Source:") for each in found) == 9
    assert 0 < sum(each.said.startswith("based on") for each in found) < 9
    assert ["messages" in each.reason for each in skipped] == [True]


# --- JSON and messages: bounded before anything is built ---


def refused(data: bytes) -> str:
    with pytest.raises(CannotParse) as error:
        parse(data, 32, 6_000_000)
    return error.value.reason


def test_bombs_of_json_are_refused_within_little_more_memory_than_they_have() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert "nested" in refused(b'{"a":' * 4_000_000)
    assert "values" in refused(b"[" + b'"a",' * 6_100_000 + b"1]")
    assert "closes" in refused(b"]" * 30_000_000)
    grown_kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown_kilobytes < 300_000


def test_depth_is_counted_on_over_many_texts() -> None:
    texts = b'"",' * 250_000
    assert "nested" in refused(b"[" * 20 + texts + b"[" * 20 + texts + b"1" + b"]" * 40)
    assert parse(b"[" * 20 + texts + b"[1]" + b"]" * 20, 32, 6_000_000) is not None


def test_numbers_of_almost_as_many_digits_as_may_be_are_read_in_one_pass() -> None:
    number = b"9" * 390
    assert parse(b"[" + b",".join([number] * 40_000) + b"]", 2, 50_000) is not None


@pytest.mark.parametrize("field", [b"\x0a\x00", b"\x12\x00", b"\x08\x01", b"\x1a\x02\x08\x01"])
def test_a_message_of_millions_of_empty_fields_is_refused(field: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sentencepiece, "_MOST_FIELDS", 1_000)
    with pytest.raises(CannotParse, match="fields"):
        sentencepiece.read(b"\x0a\x05\x0a\x03abc" + field * 1_001)


# --- files that cannot be read are said by whoever would read them ---


def test_a_bomb_in_a_zip_is_told_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("p/a.py", "x = 1\n")
        packed.writestr("p/tokenizer.json", b"[" * 30_000_000)
    with ExitStack() as cleanup:
        files = archive.read("bomb", path, cleanup).files
        assert "tokenizer.json" in {name.rpartition("/")[2] for name in files.others()}
        head = files.head(files.others()[0], 100)
    assert "compressed" in getattr(head, "reason", "")


def test_a_pipe_that_is_called_like_a_configuration_is_told(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "config.json")
    files = folder.read("p", tmp_path).files
    assert list(files.others()) == ["config.json"]
    assert getattr(files.head("config.json", 100), "reason", "") == "not a regular file"


def test_a_tar_with_a_large_tokenizer_is_read(tmp_path: Path) -> None:
    """What is read at once of a header bounds no file: large tokenizers are larger."""
    path, size = tmp_path / "large.tar", 20_000_000
    with tarfile.open(path, "w") as packed:
        for name, data in (("p-1/a.py", b"x = 1\n"), ("p-1/tokenizer.json", b" " * size)):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            packed.addfile(member, io.BytesIO(data))
    with ExitStack() as cleanup:
        head = archive.read("large", path, cleanup).files.head("tokenizer.json", 2 * size)
        assert len(getattr(head, "data", b"")) == size


# --- the whole command ---


def compare(
    tmp_path: Path, suspect: Path | str, reference: Path | str, *options: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "detector", "compare", str(suspect), str(reference), "--jobs", "1", "--quiet", *options],
        capture_output=True,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        timeout=FOR_EVER_SECONDS,
        check=False,
        preexec_fn=limited(memory=MOST_MEMORY),
    )


def patterns_of(report: dict[str, Any]) -> list[str]:
    return sorted(line["pattern"] for line in report["evidence"] if "pattern" in line)


def test_one_bad_file_of_each_name_hides_nothing_and_commands_nothing(tmp_path: Path) -> None:
    honest = compare(tmp_path, FIXTURES / "rebadged", FIXTURES / "original", "--format", "json")
    suspect = tmp_path / "rebadged"
    shutil.copytree(FIXTURES / "rebadged", suspect)
    bad = suspect / f"bad{EVIL.replace('/', '')}"
    bad.mkdir()
    told = json.dumps({EVIL: EVIL, "architectures": [EVIL], "weight_map": {EVIL: EVIL}, "chat_template": EVIL})
    for name, text in {
        "config.json": "[" * 100_000,
        "generation_config.json": told,
        "tokenizer.json": '{"a":' * 1_000_000,
        "tokenizer_config.json": told,
        "special_tokens_map.json": '{"bos_token": "\\ud800"}',
        "model.safetensors": "\xff" * 8,
        "model.safetensors.index.json": told,
        "CITATION.cff": f"title: {EVIL}\n",
        "LICENSE": f"Copyright (c) 2020 {EVIL} Holder\n",
        "notes.ipynb": '{"cells": 5}',
        "old.pyc": "\x55\r\r\n",
    }.items():
        (bad / name).write_text(text, encoding="latin-1" if name.startswith("model.s") and "\xff" in text else "utf-8")
    found = compare(tmp_path, suspect, FIXTURES / "original", "--format", "json")
    assert found.returncode == honest.returncode == 1, found.stderr
    assert found.stderr == ""
    assert patterns_of(json.loads(found.stdout)) == patterns_of(json.loads(honest.stdout))
    skipped = {each["path"].rpartition("/")[2] for each in json.loads(found.stdout)["skipped"]}
    assert {"config.json", "tokenizer.json", "model.safetensors"} <= skipped
    (tmp_path / "found.json").write_text(found.stdout)
    for form in ("json", "terminal", "markdown", "sarif", "junit"):
        again = subprocess.run(
            [sys.executable, "-m", "detector", "report", str(tmp_path / "found.json"), "--format", form],
            capture_output=True,
            text=True,
            check=False,
            cwd=ROOT,
        )
        assert again.returncode == 1, again.stderr
        assert not RAW.intersection(again.stdout), form
