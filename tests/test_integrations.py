"""The files that others run: valid for those who read them, without a complaint of their linters, and documented."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.integrating import ROOT, TEMPLATES
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
    told = {name for name in re.findall(r"^\| `detector\.(\w+)` \|", section, re.MULTILINE)}
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
    pins = {}
    for text in (PAGE, (ROOT / "action.yml").read_text("utf-8")):
        for name, commit in re.findall(r"uses: ((?:actions|github)/[\w-]+)[\w/-]*@(\S+)", text):
            assert re.fullmatch(r"[0-9a-f]{40}", commit), name
            assert pins.setdefault(name, commit) == commit, name
