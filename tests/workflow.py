"""A runner of composite actions, as far as action.yml needs one: steps, conditions, outputs, stand-ins for actions."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tests.integrating import ROOT, Place, script

_EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")
_NAME = re.compile(r"'[^']*'|[A-Za-z_][\w-]*(?:\.[\w-]+)*")
# Python for the install step: an environment is this one, and installing is only remembered.
_PYTHON = """
case $1$2$3 in
-P-mvenv) mkdir -p "$4/bin" && cp "$0" "$4/bin/python" ;;
-P-mpip) echo "$*" >> "$(dirname "$0")/installed" ;;
*) exec "{python}" "$@" ;;
esac
"""


def action() -> Any:
    """What action.yml says."""
    return YAML(typ="safe").load(ROOT / "action.yml")


@dataclass(slots=True)
class Run:
    """What a run of the action left behind."""

    outputs: dict[str, str]
    failed: str  # name of the step that failed the job, "" if none did
    log: str
    summary: str
    ran: list[str]  # names of the steps that were not skipped
    api: list[list[str]]  # what `gh` was called with
    bodies: list[str]  # what was written to comments
    uploaded: list[Any]  # SARIF
    warnings: list[str] = field(default_factory=list)  # of steps that may fail


@dataclass(slots=True)
class Runner:
    """A machine that runs the action in a workspace, with a cache that outlives the runs."""

    place: Place
    workspace: Path
    event_name: str
    event: Mapping[str, Any]
    commit: str
    comments: list[dict[str, Any]] = field(default_factory=list)  # of the pull request, as the API tells them
    may_write: bool = True
    has_gh: bool = True
    cache: dict[str, bytes] = field(default_factory=dict)

    def run(self, **inputs: str) -> Run:
        """Run every step as a runner would, from an empty temporary folder on."""
        described = action()
        temporary = self.place.home / "runner"
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir()
        values: dict[str, str] = {f"inputs.{name}": str(each["default"]) for name, each in described["inputs"].items()}
        values |= {f"inputs.{name.replace('_', '-')}": value for name, value in inputs.items()}
        number = self.event.get("pull_request", {}).get("number", "")
        values |= {"runner.temp": str(temporary), "github.token": "secret", "github.event.pull_request.number": number}
        values["inputs.token"] = _filled(values["inputs.token"], values)
        done = Run({}, "", "", "", [], [], [], [])
        for step in described["runs"]["steps"]:
            if not _holds(step.get("if", "true"), values):
                continue
            done.ran.append(step["name"])
            given = {key: _filled(str(value), values) for key, value in step.get("with", {}).items()}
            outputs: dict[str, str] = {}
            if "uses" in step:
                code = self._use(step["uses"].partition("@")[0], given, outputs, done)
            else:
                code = self._shell(step, values, temporary, outputs, done)
            if identity := step.get("id"):
                values |= {f"steps.{identity}.outputs.{name}": value for name, value in outputs.items()}
                values[f"steps.{identity}.outcome"] = "failure" if code else "success"
            if code and step.get("continue-on-error"):
                done.warnings.append(step["name"])
            elif code:
                done.failed = step["name"]
                break
        done.outputs = {name: _filled(each["value"], values) for name, each in described["outputs"].items()}
        return done

    def _use(self, name: str, given: dict[str, str], outputs: dict[str, str], done: Run) -> int:
        if name == "actions/setup-python":
            python = script(self.place.home / "python", _PYTHON.replace("{python}", sys.executable))
            outputs["python-path"] = str(python)
        elif name == "actions/cache/restore":
            alike = sorted(key for key in self.cache if key.startswith(given["restore-keys"]))
            found = given["key"] if given["key"] in self.cache else alike[-1] if alike else ""
            outputs["cache-hit"] = "true" if found == given["key"] else ("false" if found else "")
            if found:
                Path(given["path"]).parent.mkdir(parents=True, exist_ok=True)
                Path(given["path"]).write_bytes(self.cache[found])
        elif name == "actions/cache/save":
            self.cache[given["key"]] = Path(given["path"]).read_bytes()
        elif name == "github/codeql-action/upload-sarif":
            if not self.may_write:
                return 1
            done.uploaded.append(json.loads(Path(given["sarif_file"]).read_text("utf-8")))
        else:
            raise AssertionError(f"nobody stands in for {name}")
        return 0

    def _shell(self, step: Any, values: dict[str, str], temporary: Path, outputs: dict[str, str], done: Run) -> int:
        files = {name: temporary / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_EVENT_PATH")}
        for file in files.values():
            file.write_text("")
        files["GITHUB_EVENT_PATH"].write_text(json.dumps(self.event))
        tools = self._tools(temporary)
        environment = {name: str(file) for name, file in files.items()} | {
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTION_PATH": str(ROOT),
            "GITHUB_BASE_REF": str(self.event.get("pull_request", {}).get("base", {}).get("ref", "")),
            "GITHUB_EVENT_NAME": self.event_name,
            "GITHUB_REPOSITORY": "owner/project",
            "GITHUB_SHA": self.commit,
            "GITHUB_WORKSPACE": str(self.workspace),
            "PATH": os.pathsep.join([str(tools), self.place.environment()["PATH"]]),
            "RUNNER_TEMP": str(temporary),
            **{name: _filled(str(value), values) for name, value in step.get("env", {}).items()},
        }
        assert step["shell"] == "bash"
        text = temporary / "step.sh"
        text.write_text(step["run"])
        ran = self.place.run(
            *("bash", "--noprofile", "--norc", "-eo", "pipefail", text), at=self.workspace, code=None, **environment
        )
        done.log += ran.stdout
        done.summary += files["GITHUB_STEP_SUMMARY"].read_text("utf-8")
        for line in files["GITHUB_OUTPUT"].read_text("utf-8").splitlines():
            name, _, value = line.partition("=")
            outputs[name] = value
        calls = temporary / "calls"
        if calls.exists():
            for line in calls.read_text("utf-8").splitlines():
                call = json.loads(line)
                done.api.append(call["arguments"])
                done.bodies += call["bodies"]
            calls.unlink()
        return ran.returncode

    def _tools(self, temporary: Path) -> Path:
        """A `gh` that remembers what it is asked, lists the comments on two pages, and may refuse to write."""
        tools = temporary / "tools"
        tools.mkdir(exist_ok=True)
        (temporary / "comments.json").write_text(json.dumps(self.comments))
        program = script(tools / "gh", f'exec "{sys.executable}" "{Path(__file__).with_name("gh.py")}" "$@"')
        script(program, f'RECORD="{temporary}" MAY_WRITE={int(self.may_write)} ' + program.read_text().splitlines()[1])
        if not self.has_gh:
            script(program, "exit 127")
        return tools


def _filled(text: str, values: Mapping[str, str]) -> str:
    return _EXPRESSION.sub(lambda found: str(values.get(found[1], "")), text)


def _holds(condition: str, values: Mapping[str, str]) -> bool:
    """Whether the condition of a step holds: comparisons of texts, joined by `&&`."""

    def value(text: str) -> str:
        assert _NAME.fullmatch(text), text
        return text[1:-1] if text.startswith("'") else "true" if text == "true" else str(values.get(text, ""))

    for part in condition.split(" && "):
        if found := re.fullmatch(r"(\S+) (==|!=) (\S+)", part):
            if (value(found[1]) == value(found[3])) is (found[2] == "!="):
                return False
        elif not value(part):
            return False
    return True
