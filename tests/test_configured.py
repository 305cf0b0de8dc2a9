"""Settings for every run: which source counts, which file is found, and what is wrong with the others."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
import typer.main

from detector import cli, configured
from detector.arguments import Level
from detector.configured import KEYS, OF_THE_PROJECT, Form, Value, find, settings
from detector.formats import Format
from detector.model import UserError

ROOT = Path(__file__).parent.parent
SCHEMA: dict[str, Any] = json.loads((ROOT / "docs/detector-config-1.schema.json").read_text("utf-8"))
TAKEN = {
    "hook": ["baseline", "fail-on", "format", "index", "jobs", "exclude", "quiet", "min-bits", "min-similarity"],
    "baseline": ["baseline", "quiet"],
    "compare": ["baseline", "fail-on", "format", "jobs", "quiet"],
}


def _set(
    folder: Path,
    command: str = "hook",
    environment: Mapping[str, str] | None = None,
    file: Path | None = None,
    *,
    is_found: bool = True,
) -> dict[str, Value]:
    return settings(command, TAKEN, environment or {}, folder, file, is_found)


def _own(folder: Path, text: str) -> Path:
    file = folder / "detector.toml"
    file.write_text(text, "utf-8")
    return file


# --- what counts ---


def test_the_command_line_counts_before_the_environment_that_before_a_file_and_in_each_the_command_before_all(
    tmp_path: Path,
) -> None:
    _own(tmp_path, 'fail-on = "weak"\njobs = 2\nquiet = true\n[hook]\njobs = 3\n[baseline]\nquiet = false\n')
    assert _set(tmp_path) == {"fail-on": "weak", "jobs": 3, "quiet": True}
    assert _set(tmp_path, "baseline") == {"quiet": False}
    variables = {"DETECTOR_JOBS": "4", "DETECTOR_FAIL_ON": "strong", "DETECTOR_HOOK_FAIL_ON": "moderate"}
    assert _set(tmp_path, environment=variables) == {"fail-on": "moderate", "jobs": 4, "quiet": True}
    assert _set(tmp_path, environment={"DETECTOR_JOBS": ""}) == _set(tmp_path)


def test_the_command_line_has_the_last_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    _own(tmp_path, 'baseline = "of-file.jsonl"\n')
    told = []
    for variable, arguments in ((None, ()), ("of-variable.jsonl", ()), ("of-variable.jsonl", ("--baseline", "typed"))):
        if variable:
            monkeypatch.setenv("DETECTOR_BASELINE", variable)
        assert cli.run(["baseline", "audit", *arguments]) == 2
        told.append(capsys.readouterr().err)
    expected = [str(tmp_path / "of-file.jsonl"), "of-variable.jsonl", "typed"]
    assert [each.split(": ")[1] for each in told] == expected


def test_every_option_of_the_table_can_be_set_for_each_command_that_has_it() -> None:
    """Through the program's own commands: the value reaches the parameter behind the option."""
    commands: dict[str, Any] = typer.main.get_command(cli.app).commands  # type: ignore[attr-defined]
    values: dict[str, Value] = {"format": "json", "fail-on": "weak", "jobs": 1, "quiet": True, "baseline": "b"}
    for name, command in commands.items():
        keys = cli._taken(command)
        defaults = cli._defaults(command, {key: values.get(key, 1) for key in keys})
        parts: list[tuple[Any, Any]] = [(command, defaults)]
        if hasattr(command, "commands"):
            parts = [(command.commands[part], each) for part, each in defaults.items()]
        for part, found in parts:
            for parameter in part.params:
                key = parameter.opts[0].removeprefix("--")
                assert (parameter.name in found) == (key in keys), f"{name} {key}"
    assert {"compare", "baseline", "weights", "report"} <= {name for name in commands if cli._taken(commands[name])}


def test_settings_of_all_commands_are_passed_over_by_those_that_have_no_such_option(tmp_path: Path) -> None:
    _own(tmp_path, 'min-bits = 3\nformat = "sarif"\n')
    assert _set(tmp_path, "baseline") == {}
    assert _set(tmp_path) == {"min-bits": 3, "format": "sarif"}


@pytest.mark.parametrize(
    ("name", "text", "key", "value"),
    [
        ("DETECTOR_QUIET", "1", "quiet", True),
        ("DETECTOR_QUIET", "False", "quiet", False),
        ("DETECTOR_EXCLUDE", "vendor/*, old.py", "exclude", ["vendor/*", "old.py"]),
        ("DETECTOR_INDEX", "a.db", "index", ["a.db"]),
        ("DETECTOR_MIN_SIMILARITY", ".5", "min-similarity", 0.5),
        ("DETECTOR_BASELINE", "/tmp/b.jsonl", "baseline", "/tmp/b.jsonl"),
    ],
)
def test_variables_are_spelled_as_texts(tmp_path: Path, name: str, text: str, key: str, value: Value) -> None:
    assert _set(tmp_path, environment={name: text}) == {key: value}


# --- which file is found ---


def test_the_nearest_file_is_found_up_to_the_root_of_the_repository(tmp_path: Path) -> None:
    inner = tmp_path / "repo/a/b"
    inner.mkdir(parents=True)
    _own(tmp_path, "jobs = 1\n")
    assert find(inner) is None, "outside of a repository only the folder itself"
    (tmp_path / "repo/.git").mkdir()
    assert find(inner) is None, "not above the root"
    (tmp_path / "repo/pyproject.toml").write_text("[tool.detector]\njobs = 2\n", "utf-8")
    assert _set(inner) == {"jobs": 2}
    (tmp_path / "repo/a/pyproject.toml").write_text("[project]\nname = 'detector-of-boxes'\n", "utf-8")
    assert _set(inner) == {"jobs": 2}, "a project without settings is passed over"
    _own(tmp_path / "repo/a", "jobs = 3\n")
    assert _set(inner) == {"jobs": 3}


def test_two_files_in_one_folder_are_refused(tmp_path: Path) -> None:
    _own(tmp_path, "jobs = 3\n")
    (tmp_path / "pyproject.toml").write_text("[tool.detector.hook]\njobs = 2\n", "utf-8")
    with pytest.raises(UserError, match="keep one of the two"):
        _set(tmp_path)


def test_paths_in_a_file_are_relative_to_its_folder_and_stay_inside_where_something_is_written(tmp_path: Path) -> None:
    _own(tmp_path, 'baseline = "ci/b.jsonl"\nindex = ["../known.db", "/srv/all.db"]\n')
    found = _set(tmp_path)
    assert found == {"baseline": str(tmp_path / "ci/b.jsonl"), "index": [str(tmp_path / "../known.db"), "/srv/all.db"]}
    for path in ("../b.jsonl", "/etc/b.jsonl", "a/../../b.jsonl"):
        _own(tmp_path, f'baseline = "{path}"\n')
        with pytest.raises(UserError, match="a path inside the folder of the file is needed"):
            _set(tmp_path)


def test_a_file_is_not_looked_for_by_commands_that_look_at_what_they_are_given(tmp_path: Path) -> None:
    file = _own(tmp_path, 'fail-on = "very-strong"\nnonsense = 1\n')
    assert _set(tmp_path, "compare") == {}
    assert {"hook", "baseline"} == OF_THE_PROJECT
    with pytest.raises(UserError, match="nonsense"):
        _set(tmp_path, "compare", file=file)
    assert _set(tmp_path, is_found=False) == {}


def test_a_comparison_inside_a_strangers_folder_is_not_weakened_by_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "fixtures/original/heronvl/slicing.py").read_text("utf-8")
    (tmp_path / "slices.py").write_text(text, "utf-8")
    _own(tmp_path, 'min-bits = 1000000\nexit-zero = true\n[compare]\nexit-zero = true\nformat = "json"\n')
    (tmp_path / "pyproject.toml").write_text("[tool.detector]\nexit-zero = true\n", "utf-8")
    asked = ["compare", ".", str(ROOT / "fixtures/original"), "--kind", "code", "--jobs", "1", "--quiet"]
    assert cli.run(asked) == 1
    assert capsys.readouterr().out.startswith("identical")
    assert cli.run(["--config", "detector.toml", *asked]) == 0, "who names the file wants it"
    assert capsys.readouterr().out.startswith("{")


def test_a_file_can_be_named_or_left_aside_but_not_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    _own(tmp_path, "nonsense = 1\n")
    assert cli.run(["baseline", "audit"]) == 2
    assert "nonsense" in capsys.readouterr().err
    assert cli.run(["--no-config", "baseline", "audit"]) == 2
    assert "detector-baseline.jsonl: cannot be read" in capsys.readouterr().err
    assert cli.run(["--no-config", "--config", "detector.toml", "baseline", "audit"]) == 2
    assert "choose one" in capsys.readouterr().err
    assert cli.run(["--config", "none.toml", "baseline", "audit"]) == 2
    assert "none.toml: cannot be read" in capsys.readouterr().err


# --- what is wrong ---


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("failon = 'weak'", "detector.toml: failon: no such key; the nearest is fail-on"),
        ("[hooks]\njobs = 1", "detector.toml: hooks: no such key; the nearest is hook"),
        ("[hook]\nmin_bits = 1", "detector.toml: hook.min_bits: no such key; the nearest is min-bits"),
        ("[baseline]\njobs = 1", "detector.toml: baseline.jobs: no such key; the nearest is"),
        ("jobs = '2'", "detector.toml: jobs: is '2', where a whole number of at least 1 is needed"),
        ("jobs = true", "where a whole number"),
        ("jobs = 0", "where a whole number"),
        ("jobs = 1.0", "where a whole number"),
        ("min-similarity = 1.5", "where a number from 0 to 1 is needed"),
        ("min-similarity = nan", "where a number from 0 to 1 is needed"),
        ("min-bits = -1", "where a number of at least 0 is needed"),
        ("min-bits = inf", "where a number of at least 0 is needed"),
        ("quiet = 1", "where true or false is needed"),
        ("exclude = 'a'", "where a list of texts is needed"),
        ("exclude = [1]", "where a list of texts is needed"),
        ("index = ''", "where a path, or a list of paths is needed"),
        ("index = \"a\\u0000\"", "where a path, or a list of paths is needed"),
        ("fail-on = 'none'", "where one of weak, moderate, strong, very-strong is needed"),
        ("format = ['json']", "where one of terminal, json,"),
        ("jobs = ", "is no TOML"),
        ("a = " + "[" * 100_000, "is no TOML"),
        ("\"\\u001b[31m\" = 1", "no such key"),
        ("#" * (configured.MOST_BYTES + 1), "is larger than 1 MB"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_file_is_one_line_that_says_what_is_needed(tmp_path: Path, text: str, wrong: str) -> None:
    _own(tmp_path, text)
    with pytest.raises(UserError) as caught:
        _set(tmp_path)
    assert wrong in str(caught.value)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400 + len(str(tmp_path))


def test_what_is_wrong_in_a_table_of_another_command_is_told_too(tmp_path: Path) -> None:
    _own(tmp_path, "[compare]\njobs = 'x'\n")
    with pytest.raises(UserError, match=r"compare\.jobs: is 'x'"):
        _set(tmp_path, "hook")


def test_a_variable_that_is_nearly_one_of_ours_is_a_slip_and_any_other_is_somebody_elses(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="DETECTOR_FAILON: no such variable; the nearest is DETECTOR_FAIL_ON"):
        _set(tmp_path, environment={"DETECTOR_FAILON": "weak"})
    assert (
        _set(
            tmp_path,
            environment={
                "DETECTOR_WEIGHTS_PATH": "yolo.pt",
                "DETECTOR_HOME": "/x",
                "DETECTOR_AFFAIR": "/x",
                "OTHER": "1",
            },
        )
        == {}
    )


@pytest.mark.parametrize(
    ("name", "text"), [("DETECTOR_JOBS", "many"), ("DETECTOR_QUIET", "maybe"), ("DETECTOR_FAIL_ON", "1")]
)
def test_a_wrong_value_of_a_variable_is_told_with_its_name(tmp_path: Path, name: str, text: str) -> None:
    with pytest.raises(UserError, match=f"{name}: is '{text}', where "):
        _set(tmp_path, environment={name: text})


# --- the published schema ---


def test_the_schema_has_the_keys_that_the_program_knows_and_the_commands_that_take_them() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    defined = {name: rules for name, rules in SCHEMA["$defs"].items() if name != "table"}
    assert sorted(defined) == sorted(KEYS)
    assert {name: rules["description"] for name, rules in defined.items()} == {
        name: key.about for name, key in KEYS.items()
    }
    assert {name: tuple(rules["enum"]) for name, rules in defined.items() if "enum" in rules} == {
        name: key.choices for name, key in KEYS.items() if key.choices
    }
    assert sorted(SCHEMA["$defs"]["table"]["properties"]) == sorted(KEYS)
    commands: dict[str, Any] = typer.main.get_command(cli.app).commands  # type: ignore[attr-defined]
    taking = {name for name, command in commands.items() if cli._taken(command)} | {"hook", "index"}
    assert set(SCHEMA["properties"]) == KEYS.keys() | taking


def test_choices_are_those_of_the_program() -> None:
    assert KEYS["format"].choices == tuple(Format)
    assert KEYS["fail-on"].choices == tuple(Level)


@pytest.mark.parametrize(
    "value", ["", "x", "../x", "/x", "weak", "json", 0, 1, 2, 0.5, -1, 1.5, True, False, [], ["a"], [1], [""], {}, None]
)
@pytest.mark.parametrize("key", KEYS)
def test_the_schema_and_the_program_agree_on_every_value(tmp_path: Path, key: str, value: Any) -> None:
    try:
        configured._checked(key, KEYS[key], value, tmp_path)
        is_taken = True
    except UserError:
        is_taken = False
    validator = jsonschema.Draft202012Validator({**SCHEMA["$defs"][key], "$defs": SCHEMA["$defs"]})
    assert validator.is_valid(value) is is_taken
    assert jsonschema.Draft202012Validator(SCHEMA).is_valid({"hook": {key: value}}) is is_taken


def test_every_form_has_a_key() -> None:
    assert {key.form for key in KEYS.values()} == set(Form)


# --- what it costs ---


def test_settings_load_nothing_heavy_and_no_toml_where_nothing_is_set(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\n", "utf-8")
    code = (
        "import sys; from pathlib import Path; from detector.configured import settings\n"
        "settings('hook', {'hook': ['jobs']}, {}, Path('.'), None, True)\n"
        "print(*sorted(set(sys.modules) & {'tomllib', 'difflib', 'numpy', 'typer', 'rich', 'json', 'git'}))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
    )
    assert run.stdout == "\n"
