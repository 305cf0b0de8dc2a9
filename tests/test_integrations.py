"""The files that others run: valid for those who read them, without a complaint of their linters, and documented."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.integrating import COPIED, ROOT, TEMPLATES, place
from tests.workflow import action

PAGE = (ROOT / "docs" / "integrations.md").read_text("utf-8")
SCRIPTS = ("pre-push", "pre-receive")


def _check(program: str, *arguments: str | Path, text: str = "") -> None:
    done = subprocess.run(
        [str(Path(sys.executable).with_name(program)), *map(str, arguments)],
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@cache
def _detector(*arguments: str) -> str:
    """What a command line of `detector` prints."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200", "NO_COLOR": "1"}
    command = [sys.executable, "-m", "detector", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout


def _workflows() -> list[str]:
    return [block for block in _blocks("yaml") if "runs-on:" in block]


@pytest.mark.parametrize(
    ("schema", "file"),
    [("vendor.github-actions", ROOT / "action.yml"), ("vendor.gitlab-ci", TEMPLATES / "gitlab-ci.yml")],
)
def test_the_files_follow_the_published_schemas_of_those_who_read_them(schema: str, file: Path) -> None:
    _check("check-jsonschema", "--builtin-schema", schema, file)


def test_the_workflows_on_the_page_follow_the_published_schema(tmp_path: Path) -> None:
    assert _workflows()
    for number, block in enumerate(_workflows()):
        file = tmp_path / f"{number}.yml"
        file.write_text(block)
        _check("check-jsonschema", "--builtin-schema", "vendor.github-workflows", file)


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_are_plain_shell_without_a_complaint_and_can_be_run(name: str) -> None:
    script = TEMPLATES / name
    assert script.read_text("utf-8").startswith("#!/bin/sh\n")
    assert script.stat().st_mode & 0o111
    _check("shellcheck", "--severity=style", script)


def test_the_lines_of_the_action_and_of_the_template_are_shell_without_a_complaint() -> None:
    for step in action()["runs"]["steps"]:
        if "run" in step:
            _check("shellcheck", "--shell=bash", "-", text=step["run"])
    (job,) = YAML(typ="safe").load(TEMPLATES / "gitlab-ci.yml").values()
    # A variable of several targets is to become several words.
    _check("shellcheck", "--shell=bash", "--exclude=SC2086", "-", text="\n".join(job["before_script"] + job["script"]))


# --- the page ---


def test_pushes_to_a_server_go_as_the_page_shows(tmp_path: Path) -> None:
    """From an empty folder on, line by line: the last push is rejected, and everything else succeeds."""
    (block,) = [each for each in _blocks("bash") if "pre-receive" in each]
    shown = place(tmp_path).run("bash", "-euo", "pipefail", "-c", block, at=tmp_path, DETECTOR=str(ROOT)).stdout
    assert shown.count("pre-receive hook declined") == 1
    assert "remote: " in shown


def test_the_report_of_a_schedule_is_made_as_the_page_shows(tmp_path: Path) -> None:
    """Without the line that fetches packages: the index is there, of one project."""
    (block,) = [each for each in _blocks("bash") if "--format html" in each]
    fetching, *lines = block.splitlines()
    assert fetching.endswith("--known")
    here = place(tmp_path)
    project = here.repository("project", {"app/copied.py": COPIED})
    shutil.copy(here.index, project / "known.db")
    here.run("bash", "-euo", "pipefail", "-c", "\n".join(lines), at=project)
    assert "displace" in (project / "report.html").read_text("utf-8")


def test_every_option_of_every_command_on_the_page_exists() -> None:
    texts = [*_blocks("bash"), *((TEMPLATES / name).read_text("utf-8") for name in (*SCRIPTS, "gitlab-ci.yml"))]
    lines = [line.split("#")[0] for text in texts for line in text.splitlines()]
    commands = [found for line in lines for found in re.findall(r"detector ((?:index )?[a-z]+)((?: [^|;&]+)?)", line)]
    assert {command for command, _ in commands} >= {"hook", "report", "index add"}
    for command, arguments in commands:
        known = _detector(*command.split(), "--help")
        assert all(option in known for option in re.findall(r"(?<= )--[a-z-]+", arguments)), (command, arguments)


def test_the_page_tells_every_input_and_output_of_the_action() -> None:
    section = PAGE.partition("## GitHub")[2].partition("\n## ")[0]
    described = action()
    told = dict(re.findall(r"^\| `([\w-]+)` \| .*? \| (.*?) \|$", section, re.MULTILINE))
    defaults = {name: str(each["default"]) for name, each in described["inputs"].items()}
    assert told.keys() == defaults.keys()
    for name, default in defaults.items():
        assert told[name] == (f"`{default}`" if default and "$" not in default else told[name]), name
    outputs = set(re.findall(r"^\| `([\w-]+)` \| [^|]*\|$", section, re.MULTILINE))
    assert outputs == set(described["outputs"])


def test_the_page_tells_every_setting_of_the_scripts_and_its_default() -> None:
    section = PAGE.partition("## Plain git")[2].partition("\n## ")[0]
    told = set(re.findall(r"^\| `detector\.(\w+)` \|", section, re.MULTILINE))
    used = set()
    for name in SCRIPTS:
        text = (TEMPLATES / name).read_text("utf-8")
        used |= set(re.findall(r"--get detector\.(\w+)", text))
        for setting, default in re.findall(r"--get detector\.(\w+)\) \|\| \w+=(\S+)", text):
            (row,) = re.findall(rf"^\| `detector\.{setting}` \|.*$", section, re.MULTILINE)
            assert f"`{default}`" in row, (name, setting)
    assert told == used


def test_the_page_shows_the_hooks_by_the_names_that_they_have() -> None:
    named = {hook["id"] for hook in YAML(typ="safe").load(ROOT / ".pre-commit-hooks.yaml")}
    section = PAGE.partition("## pre-commit")[2].partition("\n## ")[0]
    assert set(re.findall(r"- id: ([\w-]+)", section)) == named


def test_actions_are_pinned_on_the_page_as_in_the_action() -> None:
    pins: dict[str, str] = {}
    for text in (PAGE, (ROOT / "action.yml").read_text("utf-8")):
        for name, commit in re.findall(r"uses: ((?:actions|github)/[\w-]+)[\w/-]*@(\S+)", text):
            assert re.fullmatch(r"[0-9a-f]{40}", commit), name
            assert pins.setdefault(name, commit) == commit, name
