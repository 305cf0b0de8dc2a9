"""Bad input through the real command line: a clear line, the right exit code, no traceback, nothing left behind."""

from __future__ import annotations

import io
import json
import os
import random
import signal
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.bounded import FOR_EVER_SECONDS, MOST_SECONDS, limited

ROOT = Path(__file__).parent.parent
DEEP = 50_000

ATTENTION = """
import math
import torch

def attention(query, key, value, mask=None, dropout=None):
    scale = 1.0 / math.sqrt(query.size(-1))
    scores = torch.matmul(query, key.transpose(-2, -1)) * scale
    if mask is not None:
        scores = scores.masked_fill(mask == 0, float("-inf"))
    weights = torch.softmax(scores, dim=-1)
    if dropout is not None:
        weights = dropout(weights)
    merged = torch.matmul(weights, value).transpose(1, 2).contiguous()
    return merged.view(merged.size(0), -1, merged.size(-2) * merged.size(-1)), weights
"""
WORDS = """
def count_words(lines, stop):
    totals = {}
    for number, line in enumerate(lines):
        for word in line.lower().split():
            if word in stop:
                continue
            totals.setdefault(word, []).append(number)
    return sorted(totals.items(), key=lambda item: (-len(item[1]), item[0]))
"""


def _nested_ifs(depth: int) -> bytes:
    """Blocks in blocks: with one space a level the text grows with the square of the depth, 0.7 MB for 1,200."""
    return b"def f(a):\n" + b"".join(b" " * n + b"if a:\n" for n in range(1, depth)) + b" " * depth + b"pass\n"


@dataclass(frozen=True)
class Result:
    """What a run said and left."""

    code: int
    out: str
    err: str
    left_behind: list[str]

    def report(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.out)
        return document

    def skipped(self) -> dict[str, str]:
        """Reason by path; in the report each path stands behind the name of its side."""
        return {one["path"].partition(":")[2]: one["reason"] for one in self.report()["skipped"]}


Run = Callable[..., Result]


@pytest.fixture
def detector(tmp_path: Path) -> Run:
    """The real command line, run in the folder of the test."""
    return partial(_compare, tmp_path)


@pytest.fixture
def reference(tmp_path: Path) -> Path:
    return _folder(tmp_path / "reference", {"attention.py": ATTENTION})


@pytest.fixture
def suspect(tmp_path: Path) -> Path:
    """A project that has nothing to do with the reference: no finding hides the exit code."""
    return _folder(tmp_path / "suspect", {"words.py": WORDS})


def _compare(
    folder: Path,
    *targets: Path | str,
    options: tuple[str, ...] = ("--format", "json", "--quiet"),
    seconds: int = MOST_SECONDS,
) -> Result:
    temporary = folder / "temporary"
    temporary.mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-m", "detector", "compare", *map(str, targets), "--jobs", "1", *options],
        capture_output=True,
        text=True,
        env=_environment(temporary),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        timeout=FOR_EVER_SECONDS,
        check=False,
        preexec_fn=limited(seconds),
    )
    return Result(done.returncode, done.stdout, done.stderr, os.listdir(temporary))


def _environment(temporary: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(temporary), "XDG_CACHE_HOME": str(temporary)}


def _folder(path: Path, files: dict[str, str | bytes]) -> Path:
    for name, text in files.items():
        file = path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def _assert_one_line(result: Result, *words: str) -> None:
    assert result.code == 2
    assert result.out == ""
    assert result.err.startswith("detector: ")
    assert result.err.count("\n") == 1, result.err
    assert all(word in result.err for word in words), result.err
    assert result.left_behind == []


def _assert_report(result: Result, *codes: int) -> None:
    assert result.code in codes, result.err
    assert result.err == ""
    assert result.report()["schema"] == "detector-report/1"
    assert result.left_behind == []


# --- targets that cannot be read ---


def test_a_missing_path_is_named(detector: Run, reference: Path) -> None:
    _assert_one_line(detector("no/such/folder", reference), "no/such/folder")
    _assert_one_line(detector(reference, "no/such/folder"), "no/such/folder")


def test_a_file_that_is_no_target_is_named(detector: Run, reference: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing to compare")
    _assert_one_line(detector("notes.txt", reference), "notes.txt")


def test_a_damaged_archive_is_named(detector: Run, reference: Path, tmp_path: Path) -> None:
    for name in ("broken.zip", "broken.whl", "broken.tar.gz"):
        (tmp_path / name).write_bytes(b"PK\x03\x04 not an archive")
        _assert_one_line(detector(name, reference), name)


def test_a_revision_of_what_is_no_repository_is_told(detector: Run, reference: Path, suspect: Path) -> None:
    _assert_one_line(detector(f"{suspect}@v1.0", reference), "v1.0")


def test_an_unknown_revision_is_named(detector: Run, reference: Path, suspect: Path) -> None:
    subprocess.run(["git", "init", "--quiet", str(suspect)], check=True)
    for command in (["add", "."], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "-m", "a"]):
        subprocess.run(["git", "-C", str(suspect), *command], check=True)
    _assert_one_line(detector(f"{suspect}@no-such-revision", reference), "no-such-revision")


def test_a_project_without_a_function_is_an_error_and_not_silence(
    detector: Run, reference: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    _assert_one_line(detector("empty", reference), "empty")
    _assert_one_line(detector(reference, "empty"), "empty")
    _folder(tmp_path / "constants", {"settings.py": "DEPTH = 3\n"})
    _assert_one_line(detector("constants", reference), "constants")


def test_names_in_error_lines_cannot_command_the_terminal(detector: Run, reference: Path) -> None:
    _assert_one_line(detector("no\x1b[31m\nsuch\u202e", reference), r"\x1b[31m\x0asuch\u202e")


# --- files that are hard to read, beside one that is easy ---


# Valid Python, however odd: must be read.
ODD_FILES: dict[str, bytes] = {
    "declared_latin_1.py": "# coding: latin-1\nname = 'é'\n".encode("latin-1"),
    "byte_order_mark.py": "\ufeffx = 1\n".encode(),
    "empty.py": b"",
    "odd_line_ends.py": b"x = 1\r\ry = 2\r\n\x0c\n",
    "nested_blocks.py": _nested_ifs(80),
}
# Not valid, or beyond what a parser takes: read as far as possible, or skipped with a reason.
BAD_FILES: dict[str, bytes] = {
    "syntax_error.py": b"def broken(:\n    return (\n",
    "python_2.py": b"print 'two'\nexec 'x'\n",
    "tabs_and_spaces.py": b"def f(a):\n\tif a:\n        return 1\n",
    "nul_bytes.py": b"def f():\n    return '\x00'\n",
    "only_nul_bytes.py": b"\x00" * 4096,
    "noise.py": random.Random(0).randbytes(65536),
    "undeclared_latin_1.py": "# café\nname = 'é'\n".encode("latin-1"),
    "unknown_encoding.py": b"# coding: no-such-encoding\nx = 1\n",
    "utf_16.py": "x = 1\n".encode("utf-16"),
    "long_number.py": b"def f(a):\n    return " + b"9" * 100_000 + b"\n",
    "deep_brackets.py": b"def f(a):\n    return " + b"(" * DEEP + b")" * DEEP + b"\n",
    "deep_signs.py": b"def f(a):\n    return " + b"-" * DEEP + b"1\n",
    "long_sum.py": b"def f(a):\n    return a" + b"+a" * DEEP + b"\n",
    "long_chain.py": b"def f(a):\n    return a" + b".a" * DEEP + b"\n",
    "deep_lambdas.py": b"def f(a):\n    return " + b"lambda: " * DEEP + b"1\n",
    "long_body.py": b"def f(a):\n" + b"    a = a + 1\n" * DEEP + b"    return a\n",
    "deep_blocks.py": _nested_ifs(1_200),
    "long_elif_chain.py": b"def f(a):\n if a:\n  b = 1\n" + b" elif a:\n  b = 2\n" * DEEP + b" return b\n",
}


@pytest.fixture(scope="module")
def beside_bad_files(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """One run over all of them, and a good file: starting the program takes longer than reading them."""
    folder = tmp_path_factory.mktemp("bad")
    _folder(folder / "suspect", {**ODD_FILES, **BAD_FILES, "words.py": WORDS})
    _folder(folder / "reference", {"attention.py": ATTENTION})
    return _compare(folder, "suspect", "reference")


def test_bad_files_never_end_a_run(beside_bad_files: Result) -> None:
    _assert_report(beside_bad_files, 3 if beside_bad_files.skipped() else 0)
    assert beside_bad_files.report()["suspect"]["functions"] >= 1


@pytest.mark.parametrize("name", ODD_FILES)
def test_an_odd_file_is_read(beside_bad_files: Result, name: str) -> None:
    assert name not in beside_bad_files.skipped()


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_is_read_or_skipped_with_a_reason_of_one_line(beside_bad_files: Result, name: str) -> None:
    reason = beside_bad_files.skipped().get(name, "read")
    assert reason.strip()
    assert "\n" not in reason
    assert len(reason) < 400  # Python's own words for a too long number take 250


def test_what_a_bad_file_stands_beside_is_still_found(detector: Run, reference: Path, suspect: Path) -> None:
    files: dict[str, str | bytes] = {
        "bad.py": b"\x00",
        "deep.py": b"(" * DEEP,
        "copy.py": ATTENTION.replace("scores", "logits"),
    }
    result = detector(_folder(suspect, files), reference)
    _assert_report(result, 1)
    assert result.report()["matches"][0]["suspect"]["qualname"] == "attention"
    assert result.report()["matches"][0]["suspect"]["path"] == "copy.py"


def test_a_huge_file_is_skipped_unread(detector: Run, reference: Path, suspect: Path) -> None:
    with (suspect / "huge.py").open("wb") as file:
        file.truncate(100_000_000)
    result = detector(suspect, reference)
    _assert_report(result, 3)
    assert "huge.py" in result.skipped()


def test_link_loops_and_links_out_of_the_folder_are_not_followed(detector: Run, reference: Path, suspect: Path) -> None:
    (suspect / "loop").symlink_to(".")
    (suspect / "a").symlink_to("b")
    (suspect / "b").symlink_to("a")
    (suspect / "out").symlink_to(reference)
    (suspect / "self.py").symlink_to("self.py")
    (suspect / "copy.py").symlink_to(reference / "attention.py")
    result = detector(suspect, reference)
    _assert_report(result, 0, 3)
    assert result.report()["suspect"]["functions"] == 1


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_named_pipe_does_not_keep_the_run_waiting(detector: Run, reference: Path, suspect: Path) -> None:
    os.mkfifo(suspect / "pipe.py")
    _assert_report(detector(suspect, reference), 0, 3)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the superuser may read everything")
def test_what_may_not_be_read_is_reported_and_incomplete(detector: Run, reference: Path, suspect: Path) -> None:
    (suspect / "locked.py").write_text(ATTENTION)
    (suspect / "locked.py").chmod(0)
    (suspect / "folder").mkdir(mode=0)
    result = detector(suspect, reference)
    (suspect / "folder").chmod(0o700)
    _assert_report(result, 3)
    assert {"locked.py", "folder"} <= result.skipped().keys()


def test_names_of_files_cannot_command_the_terminal(detector: Run, reference: Path, suspect: Path) -> None:
    (suspect / "\x1b[31m[red]\u202e.py").write_text(ATTENTION)
    result = detector(suspect, reference, options=("--quiet",))
    assert result.code == 1
    assert all(char == "\n" or char.isprintable() for char in result.out)
    assert r"\x1b[31m[red]\u202e.py" in result.out


# --- archives ---


def test_an_archive_that_unpacks_to_far_too_much_costs_nothing(detector: Run, reference: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("words.py", WORDS)
        with archive.open("bomb.py", "w", force_zip64=True) as member:
            for _ in range(300):
                member.write(b"\0" * 1_000_000)
    result = detector("bomb.zip", reference, seconds=20)
    _assert_report(result, 3)
    assert "bomb.py" in result.skipped()


def test_members_that_point_out_of_an_archive_are_not_written_anywhere(
    detector: Run, reference: Path, tmp_path: Path
) -> None:
    paths = ("../escaped.py", "/tmp/escaped-from-archive.py", "a/../../escaped.py")
    with zipfile.ZipFile(tmp_path / "out.zip", "w") as archive:
        archive.writestr("words.py", WORDS)
        for path in paths:
            archive.writestr(path, ATTENTION)
    with tarfile.open(tmp_path / "out.tar.gz", "w:gz") as tar:
        for path in ("words.py", *paths):
            data = (WORDS if path == "words.py" else ATTENTION).encode()
            member = tarfile.TarInfo(path)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
        link = tarfile.TarInfo("link.py")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    for name in ("out.zip", "out.tar.gz"):
        result = detector(name, reference)
        _assert_report(result, 0, 1, 3)
        assert not (tmp_path / "escaped.py").exists()
        assert not (tmp_path.parent / "escaped.py").exists()
        assert not Path("/tmp/escaped-from-archive.py").exists()
        assert "root:" not in result.out


# --- interruption ---


@pytest.fixture
def _interruptible() -> Iterator[None]:
    """Ctrl-C is not ignored, as it is in what a shell runs in the background and in all that this starts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_interruptible")
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc to look for processes that are left")
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_ctrl_c_ends_every_process_and_leaves_nothing_behind(tmp_path: Path, jobs: str) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    body = "".join(f"    x{n} = torch.relu(x @ self.w{n} + {n} * x.mean(dim={n % 3}))\n" for n in range(40))
    functions = "".join(f"def f{n}(self, x):\n    y = x * {n}\n{body}    return y + x{n % 40}\n\n" for n in range(20))
    for side in ("suspect", "reference"):
        _folder(tmp_path / side, {f"m{n}.py": functions.replace("relu", f"relu{n}") for n in range(300)})
    with subprocess.Popen(
        [sys.executable, "-m", "detector", "compare", "suspect", "reference", "--jobs", jobs, "--output", "report"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=_environment(temporary),
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        while _worked_seconds(process.pid) < 2.5 and process.poll() is None:  # so that it is in the middle of reading
            time.sleep(0.05)
        assert process.poll() is None, "the run was over before it could be interrupted"
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the workers too
        out, err = process.communicate(timeout=FOR_EVER_SECONDS)
    assert process.returncode == 130
    assert (out, err) == ("", "detector: interrupted\n")
    deadline = time.monotonic() + FOR_EVER_SECONDS  # the last ones end when they see that the first one is gone
    while _processes_of_session(process.pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert _processes_of_session(process.pid) == []
    assert os.listdir(temporary) == []
    assert not (tmp_path / "report").exists()


def _worked_seconds(session: int) -> float:
    """How long processors were busy with the processes of a session that still run."""
    return sum(ticks for _, ticks in _of_session(session)) / os.sysconf("SC_CLK_TCK")


def _processes_of_session(session: int) -> list[int]:
    """Running processes of a session; those that only wait to be reaped do not count."""
    return [pid for pid, _ in _of_session(session)]


def _of_session(session: int) -> list[tuple[int, int]]:
    """Running processes, and the ticks of the clock that each has had."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            pid, rest = stat.read_text().split(" ", 1)
        except OSError:
            continue
        # State, parent, group, session; the twelfth and thirteenth are time of its own and of the system for it.
        fields = rest.rpartition(")")[2].split()
        if int(fields[3]) == session and fields[0] != "Z":
            found.append((int(pid), int(fields[11]) + int(fields[12])))
    return found
