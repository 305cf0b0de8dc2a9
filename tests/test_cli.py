"""The command line: options, streams, files and exit codes. The comparison itself is played by a stand-in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from detector import cli, report_files
from detector.formats import Format
from detector.model import (
    Basis,
    CloneType,
    Depth,
    Match,
    Relation,
    Report,
    Side,
    Skipped,
    Span,
    Strength,
    UserError,
)
from detector.report import json as json_report

ROOT = Path(__file__).parent.parent
HEAVY = ("numpy", "scipy", "datasketch", "networkx", "git", "tree_sitter", "tree_sitter_python", "hypothesis")

NOTHING = Report(
    suspect=Side("a", "a", "", 7, 2),
    references=(Side("b", "b", "", 1200, 3), Side("c", "c", "", 34, 1)),
    relation=Relation.INDEPENDENT,
    strength=Strength.NONE,
    matches=(),
    classes=(),
    files=(),
    names=(),
    attribution=(),
    evidence=(),
    skipped=(),
    settings={},
    versions={},
)
MATCH = Match(
    suspect=Span("ä\udcff.py", "f", 1, 9),
    reference_name="b",
    reference=Span("b.py", "g", 1, 9),
    similarity=0.9,
    overlap=0.9,
    containment=0.9,
    bits=100.0,
    own_bits=100.0,
    coincidence=0.3,
    basis=Basis.ALONE,
    clone_type=CloneType.RENAMED,
    is_declared=False,
    digest="d",
)
DECLARED = replace(MATCH, is_declared=True)
FOUND = replace(NOTHING, relation=Relation.DERIVED_UNDECLARED, strength=Strength.STRONG, matches=(MATCH,))
INCOMPLETE = replace(NOTHING, skipped=(Skipped("a.py", "too large"),))


@dataclass
class Stage:
    """The stand-in for reading and comparing: what it was asked, what it answers, what is still open."""

    report: Report = NOTHING
    error: BaseException | None = None
    targets: Sequence[str] = ()
    bases: Sequence[str] = ()
    panel: Sequence[str] = ()
    options: Any = None
    progress: Callable[[str, int, int], None] | None = None
    open_targets: int = 0

    def compare(
        self,
        suspect: str,
        references: Sequence[str],
        options: Any,
        progress: Any = None,
        *,
        bases: Sequence[str] = (),
        panel: Sequence[str] = (),
        known: object = None,
    ) -> Report:
        assert known is None
        self.targets, self.options, self.progress = (suspect, *references), options, progress
        self.bases, self.panel = tuple(bases), tuple(panel)
        if progress is not None:
            progress("reading \x1b[31m[red]", 0, 0)
            progress("matching", 1, 2)
        if self.error is not None:
            raise self.error
        return self.report

    @contextmanager
    def open_target(self, target: str) -> Iterator[str]:
        if target == "missing":
            raise UserError("missing\x1b[31m: there is nothing there; check the path")
        self.open_targets += 1
        try:
            yield target
        finally:
            self.open_targets -= 1


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    stage = Stage()
    modules: dict[str, dict[str, Any]] = {
        "detector.compare": {"compare": stage.compare},
        "detector.options": {"Options": SimpleNamespace},
        "detector.read": {"open_target": stage.open_target},
    }
    for name, contents in modules.items():
        module = ModuleType(name)
        vars(module).update(contents)
        monkeypatch.setitem(sys.modules, name, module)
    return stage


def _detector(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "detector", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, env=environment, stdin=subprocess.DEVNULL, check=False, **options
    )


# --- exit codes ---


@pytest.mark.parametrize(
    ("report", "arguments", "code"),
    [
        (NOTHING, [], 0),
        (FOUND, [], 1),
        (replace(FOUND, matches=(DECLARED,)), [], 0),
        (replace(FOUND, matches=(DECLARED, MATCH)), [], 1),
        (INCOMPLETE, [], 3),
        (replace(FOUND, skipped=INCOMPLETE.skipped), [], 1),
        (replace(NOTHING, skipped=(Skipped("notes.IPYNB", "not JSON"),)), [], 3),
        (replace(NOTHING, skipped=(Skipped(".git", "left out"), Skipped("venv", "an environment"))), [], 0),
        (
            replace(NOTHING, skipped=(Skipped("link.py", "a symbolic link: what it leads to is read where it is"),)),
            [],
            0,
        ),
        (replace(NOTHING, skipped=(Skipped("vendor/other", "submodule"),)), [], 0),
        (replace(NOTHING, skipped=(Skipped("a.zip", "more than 300,000 members: the rest is not read"),)), [], 3),
        (replace(NOTHING, skipped=(Skipped("locked", "cannot open this folder: permission denied"),)), [], 3),
        (FOUND, ["--exit-zero"], 0),
        (INCOMPLETE, ["--exit-zero"], 0),
        (FOUND, ["--fail-on", "weak"], 1),
        (FOUND, ["--fail-on", "strong"], 1),
        (FOUND, ["--fail-on", "very-strong"], 0),
        (replace(FOUND, skipped=INCOMPLETE.skipped), ["--fail-on", "very-strong"], 3),
        (replace(FOUND, relation=Relation.IDENTICAL), ["--fail-on", "weak"], 1),
        (replace(FOUND, relation=Relation.SHARED_ANCESTOR), ["--fail-on", "weak"], 1),
        (replace(FOUND, relation=Relation.DERIVED_DECLARED), ["--fail-on", "weak"], 0),
        (replace(FOUND, relation=Relation.COMMON_IDIOM), ["--fail-on", "weak"], 0),
        (replace(FOUND, relation=Relation.INDEPENDENT), ["--fail-on", "weak"], 0),
        (replace(FOUND, relation=Relation.INCONCLUSIVE), ["--fail-on", "weak"], 0),
        (replace(FOUND, matches=(DECLARED,)), ["--fail-on", "weak"], 0),
    ],
)
def test_the_exit_code_follows_the_gate(stage: Stage, report: Report, arguments: list[str], code: int) -> None:
    stage.report = report
    assert cli.run(["compare", "a", "b", *arguments]) == code


def test_something_the_user_can_mend_is_one_harmless_line_and_exit_2(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["compare", "a", "missing"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "detector: missing\\x1b[31m: there is nothing there; check the path\n"
    assert stage.open_targets == 0


def test_our_own_bug_is_a_traceback_and_exit_2(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    stage.error = ZeroDivisionError("ours")
    assert cli.run(["compare", "a", "b"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "Traceback (most recent call last)" in err
    assert "ZeroDivisionError: ours" in err
    assert stage.open_targets == 0


def test_an_unexpected_system_error_is_a_bug_but_a_full_disk_is_a_line(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    stage.error = FileNotFoundError(2, "No such file", "ours")
    assert cli.run(["compare", "a", "b"]) == 2
    assert "Traceback" in capsys.readouterr().err
    stage.error = OSError(28, "No space left on device", "/tmp/x")
    assert cli.run(["compare", "a", "b"]) == 2
    assert capsys.readouterr().err == "detector: /tmp/x: No space left on device\n"


def test_ctrl_c_is_one_line_and_exit_130(stage: Stage, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    stage.error = KeyboardInterrupt()
    assert cli.run(["compare", "a", "b", "--output", str(tmp_path / "report")]) == 130
    assert capsys.readouterr() == ("", "detector: interrupted\n")
    assert stage.open_targets == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["a"],
        ["a", "b", "--format", "xml"],
        ["a", "b", "--min-similarity", "1.5"],
        ["a", "b", "--min-similarity", "-0.1"],
        ["a", "b", "--min-similarity", "nan"],
        ["a", "b", "--min-bits", "-1"],
        ["a", "b", "--min-bits", "inf"],
        ["a", "b", "--jobs", "0"],
        ["a", "b", "--jobs", "two"],
        ["a", "b", "--fail-on", "none"],
        ["a", "b", "--unknown"],
    ],
)
def test_wrong_usage_is_exit_2_and_compares_nothing(
    stage: Stage, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["compare", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "Usage: detector compare" in err
    assert stage.targets == ()


# --- options and streams ---


def test_targets_and_options_reach_the_comparison_in_order(stage: Stage) -> None:
    cli.run(["compare", "a", "b", "c", "--min-similarity", "0", "--min-bits", "12.5", "--jobs", "3"])
    assert stage.targets == ("a", "b", "c")
    assert vars(stage.options) == {"min_similarity": 0.0, "min_bits": 12.5, "jobs": 3, "kinds": None}
    assert stage.open_targets == 0
    assert (stage.bases, stage.panel) == ((), ())


def test_bases_reach_the_comparison(stage: Stage) -> None:
    cli.run(["compare", "a", "b", "--base", "c", "--base", "d"])
    assert stage.bases == ("c", "d")
    assert stage.open_targets == 0


@pytest.mark.parametrize(
    ("arguments", "depth"),
    [
        (["a", "b"], Depth.FULL),
        (["a", "b", "--sample"], Depth.SAMPLE),
        (["a", "b", "--header-only"], Depth.HEADER),
        (["hf:a/b", "c"], Depth.SAMPLE),
        (["a", "b", "--base", "hf:a/b"], Depth.SAMPLE),
        (["a", "hf:b/c", "--full"], Depth.FULL),
    ],
)
def test_weights_are_read_in_full_where_they_are_here(stage: Stage, arguments: list[str], depth: Depth) -> None:
    cli.run(["weights", *arguments])
    assert vars(stage.options) == {"kinds": frozenset({"weights"}), "depth": depth}


@pytest.mark.parametrize(
    "arguments",
    [
        ["a", "b", "--sample", "--full"],
        ["a", "b", "--write-renamed", "new", "--header-only"],
        ["a", "b", "c", "--write-renamed", "new"],
        ["a"],
    ],
)
def test_weights_refuses_options_that_contradict_each_other(stage: Stage, arguments: list[str]) -> None:
    assert cli.run(["weights", *arguments]) == 2
    assert stage.targets == ()


def test_the_first_log_is_the_suspects_and_a_panel_is_not_compared(stage: Stage) -> None:
    cli.run(["behaviour", "a.jsonl", "b.jsonl", "--panel", "c.csv", "--panel", "d.csv"])
    assert stage.targets == ("a.jsonl", "b.jsonl")
    assert stage.panel == ("c.csv", "d.csv")
    assert vars(stage.options) == {"kinds": frozenset({"behaviour"})}


def test_without_options_thresholds_are_the_calibrated_ones_and_every_processor_works(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 5, 6}, raising=False)
    cli.run(["compare", "a", "b"])
    assert vars(stage.options) == {"min_similarity": None, "min_bits": None, "jobs": 3, "kinds": None}


def test_the_report_goes_to_stdout_and_the_summary_to_stderr(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    cli.run(["compare", "a", "b", "c"])
    out, err = capsys.readouterr()
    assert out.startswith("independent\n")
    assert err.startswith("compared 7 functions with 1,234 in 0.")
    assert err.endswith(" s\n")
    assert err.count("\n") == 1


def test_quiet_leaves_only_the_report(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    cli.run(["compare", "a", "b", "--quiet"])
    out, err = capsys.readouterr()
    assert out.startswith("independent\n")
    assert err == ""
    assert stage.progress is None


def test_json_is_alone_on_stdout_and_the_same_each_time(stage: Stage, capsysbinary: Any) -> None:
    stage.report = FOUND
    outputs = []
    for _ in range(2):
        assert cli.run(["compare", "a", "b", "--format", "json"]) == 1
        outputs.append(capsysbinary.readouterr().out)
    assert outputs[0] == outputs[1]
    assert json.loads(outputs[0])["matches"][0]["suspect"]["path"] == "ä\udcff.py"


def test_progress_is_shown_on_a_terminal_only_and_its_names_are_harmless(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cli.run(["compare", "a", "b"])
    assert stage.progress is None
    capsys.readouterr()
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    cli.run(["compare", "a", "b"])
    assert stage.progress is not None
    out, err = capsys.readouterr()
    assert out.startswith("independent\n")
    assert r"reading \x1b[31m[red]" in err
    assert "matching" in err


@pytest.mark.parametrize(
    ("is_terminal", "no_color", "term", "is_coloured"),
    [(True, "", "xterm", True), (True, "1", "xterm", False), (True, "", "dumb", False), (False, "", "xterm", False)],
)
@pytest.mark.usefixtures("stage")
def test_colour_is_for_terminals_that_want_it(
    is_terminal: bool,
    no_color: str,
    term: str,
    is_coloured: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("NO_COLOR", no_color)
    monkeypatch.setenv("TERM", term)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: is_terminal)
    cli.run(["compare", "a", "b", "--quiet"])
    assert ("\x1b[" in capsys.readouterr().out) is is_coloured


def test_a_reader_that_has_seen_enough_gets_no_complaint() -> None:
    # In a process of its own: the pipe is closed before the report is written.
    code = (
        "import sys, time; from tests.test_cli import FOUND; from detector import cli;"
        "from detector.commands import running; running._compare = lambda *_: FOUND;"
        "sys.modules['detector.compare'] = type(sys)('compare');"
        "sys.modules['detector.compare'].Options = dict; time.sleep(0.3); sys.exit(cli.run(['compare', 'a', 'b']))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        err = process.stderr.read()
        assert process.wait() == 1
    assert err.startswith("compared")
    assert err.count("\n") == 1


# --- output files ---


def test_output_writes_the_whole_report_and_nothing_to_stdout(
    stage: Stage, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stage.report = FOUND
    file = tmp_path / "report.json"
    assert cli.run(["compare", "a", "b", "--format", "json", "--output", str(file)]) == 1
    assert capsys.readouterr().out == ""
    assert json.loads(file.read_text("utf-8"))["schema"] == "detector-report/1"
    assert os.listdir(tmp_path) == ["report.json"]


def test_a_terminal_report_in_a_file_has_no_colour_and_a_fixed_width(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = []
    for columns in ("40", "300"):
        monkeypatch.setenv("COLUMNS", columns)
        cli.run(["compare", "a", "b", "--output", str(tmp_path / "report")])
        texts.append((tmp_path / "report").read_text("utf-8"))
    assert texts[0] == texts[1]
    assert "\x1b" not in texts[0]


def test_a_new_file_has_the_permissions_of_any_other_and_an_existing_one_keeps_its_own(
    stage: Stage, tmp_path: Path
) -> None:
    (tmp_path / "other").touch()
    cli.run(["compare", "a", "b", "--output", str(tmp_path / "new")])
    assert (tmp_path / "new").stat().st_mode == (tmp_path / "other").stat().st_mode
    (tmp_path / "new").chmod(0o600)
    cli.run(["compare", "a", "b", "--output", str(tmp_path / "new")])
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o600


def test_a_link_stays_a_link_and_what_it_points_to_is_written(stage: Stage, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("file")
    cli.run(["compare", "a", "b", "--output", str(tmp_path / "link")])
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_text("utf-8").startswith("independent")


@pytest.mark.skipif(not Path("/dev/stdout").exists(), reason="no such device")
def test_a_device_is_written_and_not_replaced(stage: Stage) -> None:
    assert cli.run(["compare", "a", "b", "--output", "/dev/null"]) == 0
    assert Path("/dev/null").is_char_device()


@pytest.mark.parametrize("error", [UserError("no"), ZeroDivisionError(), KeyboardInterrupt()])
def test_a_failed_run_leaves_an_existing_file_as_it_was(stage: Stage, tmp_path: Path, error: BaseException) -> None:
    (tmp_path / "report").write_text("before")
    stage.error = error
    cli.run(["compare", "a", "b", "--output", str(tmp_path / "report")])
    assert (tmp_path / "report").read_text() == "before"
    assert os.listdir(tmp_path) == ["report"]


def test_a_failure_while_writing_leaves_nothing_behind(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device", "report")

    monkeypatch.setattr(os, "replace", refuse)
    assert cli.run(["compare", "a", "b", "--output", str(tmp_path / "report")]) == 2
    assert capsys.readouterr().err == "detector: report: No space left on device\n"
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(("output", "says"), [(".", "is a folder"), ("no/such/report", "there is no folder")])
def test_an_impossible_output_is_told_before_the_work(
    stage: Stage, tmp_path: Path, capsys: pytest.CaptureFixture[str], output: str, says: str
) -> None:
    assert cli.run(["compare", "a", "b", "--output", str(tmp_path / output)]) == 2
    err = capsys.readouterr().err
    assert says in err
    assert err.count("\n") == 1
    assert stage.targets == ()


# --- help ---


@pytest.mark.parametrize(
    "arguments", ["--version", "--help", "compare --help", "report --help", "--show-completion", ""]
)
def test_answers_about_the_program_itself_import_nothing_heavy(arguments: str) -> None:
    code = (
        "import sys; sys.argv[:] = ['detector', *sys.argv[1:]]\n"
        "from detector.__main__ import main\n"
        "try: main()\n"
        f"except SystemExit: print(sorted(set(sys.modules) & set({HEAVY!r})), file=sys.stderr)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, *arguments.split()], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert run.stderr.splitlines()[-1] == "[]"


def test_the_version_is_one_line() -> None:
    run = _detector("--version")
    assert run.returncode == 0
    assert run.stdout.startswith("detector ")
    assert run.stdout.count("\n") == 1


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_has_a_short_and_a_long_name_for_program_and_command(option: str) -> None:
    for command in ([], ["compare"], ["report"]):
        run = _detector(*command, option)
        assert run.returncode == 0
        assert run.stdout.startswith("Usage: detector")


def test_completion_can_be_shown_for_a_shell() -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "_DETECTOR_COMPLETE": "complete_bash"}
    environment |= {"COMP_WORDS": "detector comp", "COMP_CWORD": "1"}
    run = subprocess.run(
        [sys.executable, "-m", "detector"], capture_output=True, text=True, env=environment, check=False
    )
    assert run.stdout.split() == ["compare"]


# --- reports that are written again ---


@pytest.fixture
def result(stage: Stage, tmp_path: Path) -> Path:
    """What a comparison with findings has written."""
    stage.report = FOUND
    file = tmp_path / "result.json"
    cli.run(["compare", "a", "b", "--format", "json", "--output", str(file), "--quiet"])
    stage.targets = ()
    return file


@pytest.mark.parametrize("form", Format)
def test_a_report_that_is_written_again_equals_that_of_the_comparison(
    stage: Stage, result: Path, form: str, capsysbinary: Any
) -> None:
    assert cli.run(["compare", "a", "b", "--format", form, "--quiet"]) == 1
    first = capsysbinary.readouterr()
    stage.targets = ()
    assert cli.run(["report", str(result), "--format", form]) == 1
    assert capsysbinary.readouterr() == first
    assert first.out
    assert stage.targets == ()


def test_a_report_can_come_from_standard_input(
    result: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with result.open() as file:
        monkeypatch.setattr(sys, "stdin", file)
        assert cli.run(["report", "-"]) == 1
    assert capsys.readouterr().out.startswith("derived, undeclared\n")


@pytest.mark.parametrize(
    ("report", "arguments", "code"),
    [
        (FOUND, [], 1),
        (FOUND, ["--exit-zero"], 0),
        (FOUND, ["--fail-on", "strong"], 1),
        (FOUND, ["--fail-on", "very-strong"], 0),
        (replace(FOUND, matches=(DECLARED,)), [], 0),
        (NOTHING, [], 0),
        (INCOMPLETE, [], 3),
    ],
)
def test_a_report_that_is_written_again_gates_like_the_comparison(
    result: Path, report: Report, arguments: list[str], code: int
) -> None:
    result.write_text(json_report.render(report), "utf-8")
    assert cli.run(["report", str(result), *arguments]) == code


def test_a_report_can_be_written_over_itself(result: Path) -> None:
    before = result.read_bytes()
    assert cli.run(["report", str(result), "--format", "json", "--output", str(result)]) == 1
    assert result.read_bytes() == before
    assert cli.run(["report", str(result), "--format", "junit", "--output", str(result)]) == 1
    assert result.read_bytes().startswith(b"<?xml")


def test_what_is_no_report_is_one_line_and_exit_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "text").write_text("\x1b[31m")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe{\x00")
    (tmp_path / "other").write_text('{"schema": "other/1"}')
    (tmp_path / "large").write_bytes(b" " * 101)
    monkeypatch.setattr(report_files, "MAX_BYTES", 100)
    for name, says in {
        "missing": "No such file or directory; check the path",
        ".": "Is a directory; check the path",
        "a\x00b": "check the path",
        "text": "the text is no JSON",
        "bytes": "is no text in UTF-8",
        "other": "schema: is 'other/1', where a report says 'detector-report/1'",
        "large": "is larger than",
        "/dev/zero": "is larger than",
    }.items():
        assert cli.run(["report", str(tmp_path / name)]) == 2, name
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith("detector: ")
        assert says in err
        assert err.count("\n") == 1
        assert err[:-1].isprintable()


def test_an_impossible_output_of_a_report_is_told_and_the_report_left_alone(
    result: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["report", str(result), "--output", str(result.parent)]) == 2
    assert "is a folder" in capsys.readouterr().err
    assert os.listdir(result.parent) == ["result.json"]


def test_writing_a_report_again_needs_nothing_of_what_compares(result: Path) -> None:
    code = (
        "import sys; from detector import cli; cli.run(sys.argv[1:])\n"
        f"print(sorted(set(sys.modules) & set({HEAVY!r})), file=sys.stderr)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, "report", str(result)], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert run.stderr.splitlines()[-1] == "[]"
