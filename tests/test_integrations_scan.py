"""The files that run a scan every night: valid for those who read them, and their command lines run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from detector.scan import plan
from tests.integrating import ROOT, TEMPLATES, script

SCAN = TEMPLATES / "scan"
STATE = "/var/lib/detector-scan"
UNITS = ("detector-scan.service", "detector-scan.timer")
COMMAND = re.compile(r"detector scan (\S+) --quiet")


def check(program: str, *arguments: str | Path, text: str = "") -> str:
    """Run something that ends with an error where it finds one."""
    done = subprocess.run([program, *map(str, arguments)], input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def installed(program: str) -> str:
    """The path of a program of the system; the test is skipped where there is none."""
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"no {program} here")
    return found


def of_ours(program: str) -> str:
    return str(Path(sys.executable).with_name(program))


@cache
def documents(name: str) -> list[Any]:
    return list(YAML(typ="safe").load_all((SCAN / name).read_text("utf-8")))


def unit(name: str) -> list[tuple[str, str]]:
    lines = (SCAN / name).read_text("utf-8").splitlines()
    return [(key, value) for key, sign, value in (line.partition("=") for line in lines) if sign and key[0] != "#"]


def pod() -> Any:
    (job,) = (each for each in documents("kubernetes.yaml") if each["kind"] == "CronJob")
    return job["spec"]["jobTemplate"]["spec"]["template"]["spec"]


def cron_line() -> str:
    return (SCAN / "crontab").read_text("utf-8").splitlines()[-1]


@pytest.fixture
def stand_in(tmp_path: Path) -> Path:
    """A folder with a `detector` that ends with the code in CODE and tells its arguments."""
    return script(tmp_path / "tools" / "detector", 'echo "asked: $*"', 'exit "${CODE:-0}"').parent


def shell(lines: str, folder: Path, tools: Path | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run lines in a shell that ends at the first failure."""
    path = f"{tools}:{os.environ['PATH']}" if tools else os.environ["PATH"]
    return subprocess.run(
        ["bash", "-e", "-c", lines],
        cwd=folder,
        env={"PATH": path, "HOME": str(folder), **variables},
        capture_output=True,
        text=True,
        check=False,
    )


# --- all of them ---


@pytest.mark.parametrize("file", sorted(SCAN.iterdir()), ids=lambda file: file.name)
def test_every_file_is_named_on_the_page_and_says_where_the_page_is(file: Path) -> None:
    page = (ROOT / "docs" / "scan-schedules.md").read_text("utf-8")
    assert f"(integrations/scan/{file.name})" in page
    assert "docs/scan-schedules.md" in file.read_text("utf-8")


def test_every_schedule_runs_the_same_command() -> None:
    asked = {file.name: COMMAND.findall(file.read_text("utf-8")) for file in sorted(SCAN.iterdir())}
    assert asked == {
        "crontab": ["/etc/detector/scan.toml"],
        "detector-scan.service": ["/etc/detector/scan.toml"],
        "detector-scan.timer": [],
        "github-workflow.yml": ["scan.toml"],
        "gitlab-ci.yml": ["scan.toml"],
        "kubernetes.yaml": ["/etc/detector/scan.toml"],
        "scan.toml": [],
    }


def test_the_plans_are_plans_and_write_where_a_scan_may(tmp_path: Path) -> None:
    (settings,) = (each for each in documents("kubernetes.yaml") if each["kind"] == "ConfigMap")
    (tmp_path / "scan.toml").write_text(settings["data"]["scan.toml"])
    for file in (SCAN / "scan.toml", tmp_path / "scan.toml"):
        read = plan.read(file)
        assert read.sources
        assert {str(place.parent) for place in (read.store, read.index, read.output) if place} == {STATE}


# --- systemd ---


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The units in a folder of their own; a program that is there stands for ours."""
    for name in UNITS:
        text = (SCAN / name).read_text("utf-8").replace("/opt/detector/bin/detector", str(shutil.which("true")))
        (tmp_path / name).write_text(text)
    return tmp_path


def test_systemd_takes_the_units(units: Path) -> None:
    program = installed("systemd-analyze")
    done = subprocess.run(
        [program, "verify", "--man=no", *(str(units / name) for name in UNITS)],
        capture_output=True,
        text=True,
        check=False,
    )
    if "Failed to" in done.stderr and "manager" in done.stderr:
        pytest.skip("systemd cannot be asked here")
    assert (done.returncode, done.stderr) == (0, "")


def test_systemd_finds_little_that_the_service_could_do_to_the_machine(units: Path) -> None:
    program = installed("systemd-analyze")
    known = subprocess.run([program, "security", "--help"], capture_output=True, text=True, check=False)
    if "--offline" not in known.stdout:
        pytest.skip("this systemd looks at loaded units alone")
    check(program, "security", "--no-pager", "--offline=true", "--threshold=15", units / "detector-scan.service")


def test_the_timer_means_every_night() -> None:
    (when,) = (value for key, value in unit("detector-scan.timer") if key == "OnCalendar")
    told = check(installed("systemd-analyze"), "calendar", "--iterations=2", when)
    first, second = re.findall(r"(\d{4}-\d\d-\d\d) 02:00:00 ", told.partition("Normalized")[2].partition("\n")[2])[:2]
    assert first < second
    assert ("Persistent", "true") in unit("detector-scan.timer")


def test_the_service_takes_findings_for_a_result_and_writes_where_its_folders_are() -> None:
    service = unit("detector-scan.service")
    assert ("SuccessExitStatus", "1") in service
    assert ("Type", "oneshot") in service
    assert ("StateDirectory", STATE.rpartition("/")[2]) in service
    places = [word.partition("=")[2] for key, value in service if key == "Environment" for word in value.split()]
    assert places
    assert all(place.startswith("%C/detector-scan") for place in places)


def test_a_scan_runs_where_no_memory_can_be_written_and_executed(tmp_path: Path) -> None:
    """What `MemoryDenyWriteExecute` does, by the kernel's own switch."""
    switch = "import ctypes, sys, runpy; sys.exit(77) if ctypes.CDLL(None).prctl(65, 1, 0, 0, 0) else None; "
    run = "sys.argv = ['detector', *sys.argv[1:]]; runpy.run_module('detector', run_name='__main__')"
    done = subprocess.run(
        [sys.executable, "-c", switch + run, "scan", str(small_plan(tmp_path)), "--quiet"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 77:
        pytest.skip("this kernel has no such switch")
    assert done.returncode == 0, done.stderr


def small_plan(folder: Path) -> Path:
    """A plan of one folder with one function in it."""
    (folder / "models" / "one").mkdir(parents=True)
    (folder / "models" / "one" / "a.py").write_text("def f(x):\n    y = x * 2\n    return y + 1\n")
    (folder / "state").mkdir()
    lines = ['store = "state/scan.db"', 'output = "state/found"', "[[source]]", 'kind = "folder"', 'path = "models/*"']
    (folder / "scan.toml").write_text("\n".join(lines) + "\n")
    return folder / "scan.toml"


# --- cron ---


def test_cron_takes_the_crontab() -> None:
    program = installed("crontab")
    for option in ("-n", "-T"):  # Debian's and cronie's
        done = subprocess.run([program, option, str(SCAN / "crontab")], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return
    told = subprocess.run([program, "--help"], capture_output=True, text=True, check=False)
    if not re.search(r"^\s+-[nT]\s", told.stdout + told.stderr, re.MULTILINE):
        pytest.skip("this cron checks no files")
    raise AssertionError(done.stderr)


def test_the_line_of_the_crontab_runs_a_scan_and_only_one_at_a_time(tmp_path: Path) -> None:
    installed("flock")
    small_plan(tmp_path)
    script(tmp_path / "tools" / "detector", f'PYTHONPATH="{ROOT}" exec "{sys.executable}" -m detector "$@"')
    command = cron_line().split(" ", 5)[5]
    assert "%" not in command  # which cron takes for the end of a line
    command = command.replace(STATE, str(tmp_path / "state")).replace("/etc/detector", str(tmp_path))
    done = shell(command, tmp_path, tmp_path / "tools")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "state" / "scan.db").exists()
    held = shell(f"flock --nonblock '{tmp_path}/state/lock' sh -c '{command}'", tmp_path, tmp_path / "tools")
    assert (held.returncode, held.stdout) == (1, "")


def test_the_line_of_the_crontab_hands_tokens_on(tmp_path: Path) -> None:
    installed("flock")
    tools = script(tmp_path / "tools" / "detector", 'echo "token: $HF_TOKEN"').parent
    (tmp_path / "scan.env").write_text("HF_TOKEN=known\n")
    command = cron_line().split(" ", 5)[5].replace(STATE, str(tmp_path)).replace("/etc/detector", str(tmp_path))
    assert shell(command, tmp_path, tools).stdout == "token: known\n"


# --- Kubernetes ---


def test_kubernetes_takes_what_is_applied() -> None:
    validating = pytest.importorskip("kubernetes_validate")
    kinds = [each["kind"] for each in documents("kubernetes.yaml")]
    assert kinds == ["ConfigMap", "PersistentVolumeClaim", "NetworkPolicy", "CronJob"]
    for each in documents("kubernetes.yaml"):
        validating.validate(each, validating.latest_version(), strict=True)


def test_what_one_document_of_the_cluster_names_another_one_has() -> None:
    by_kind = {each["kind"]: each for each in documents("kubernetes.yaml")}
    names = {kind: each["metadata"]["name"] for kind, each in by_kind.items()}
    volumes = {each["name"]: each for each in pod()["volumes"]}
    assert volumes["plan"]["configMap"]["name"] == names["ConfigMap"]
    assert volumes["kept"]["persistentVolumeClaim"]["claimName"] == names["PersistentVolumeClaim"]
    (container,) = pod()["containers"]
    assert {each["name"] for each in container["volumeMounts"]} == set(volumes)
    chosen = by_kind["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"]
    template = by_kind["CronJob"]["spec"]["jobTemplate"]["spec"]["template"]
    assert chosen.items() <= template["metadata"]["labels"].items()
    writable = {each["mountPath"] for each in container["volumeMounts"] if not each.get("readOnly")}
    assert writable == {STATE, "/tmp"}
    assert all(str(each["value"]).startswith((STATE, "/tmp")) for each in container["env"])


def test_the_job_of_the_cluster_runs_alone_and_without_rights() -> None:
    (job,) = (each["spec"] for each in documents("kubernetes.yaml") if each["kind"] == "CronJob")
    (container,) = pod()["containers"]
    assert job["concurrencyPolicy"] == "Forbid"
    assert pod()["securityContext"]["runAsNonRoot"] is True
    assert pod()["automountServiceAccountToken"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


@pytest.mark.parametrize(("code", "is_well"), [(0, True), (1, True), (2, False), (3, False), (137, False)])
def test_the_command_of_the_cluster_takes_findings_for_a_result(
    code: int, is_well: bool, stand_in: Path, tmp_path: Path
) -> None:
    (container,) = pod()["containers"]
    program, option, line = container["command"]
    assert (program, option) == ("sh", "-c")
    done = shell(line, tmp_path, stand_in, CODE=str(code))
    assert (done.returncode == 0) is is_well
    assert done.stdout == "asked: scan /etc/detector/scan.toml --quiet\n"


# --- GitHub and GitLab ---


@pytest.mark.parametrize(
    ("schema", "name"), [("vendor.github-workflows", "github-workflow.yml"), ("vendor.gitlab-ci", "gitlab-ci.yml")]
)
def test_the_schedules_of_forges_follow_their_published_schemas(schema: str, name: str) -> None:
    check(of_ours("check-jsonschema"), "--builtin-schema", schema, SCAN / name)


def steps() -> list[Any]:
    (document,) = documents("github-workflow.yml")
    return list(document["jobs"]["scan"]["steps"])


def gitlab_job() -> Any:
    (document,) = documents("gitlab-ci.yml")
    return document["scan"]


def scanning_line() -> str:
    (line,) = (step["run"] for step in steps() if step.get("name") == "Scan")
    return str(line)


def test_the_lines_of_all_of_them_are_shell_without_a_complaint() -> None:
    lines = [step["run"] for step in steps() if "run" in step]
    for line in [*lines, "\n".join(gitlab_job()["before_script"] + gitlab_job()["script"])]:
        check(of_ours("shellcheck"), "--shell=bash", "-", text=line)
    for line in (cron_line().split(" ", 5)[5], pod()["containers"][0]["command"][2]):
        check(of_ours("shellcheck"), "--shell=sh", "--exclude=SC1091", "-", text=line)


def test_no_expression_of_the_workflow_stands_in_a_shells_text_and_every_action_is_pinned() -> None:
    assert not any("${{" in step.get("run", "") for step in steps())
    used = [step["uses"] for step in steps() if "uses" in step]
    assert len(used) == 5
    assert all(re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", each) for each in used)


@pytest.mark.parametrize(("code", "ends"), [(0, 0), (1, 0), (124, 0), (2, 2), (3, 3)])
def test_the_step_on_github_takes_findings_for_a_result(code: int, ends: int, stand_in: Path, tmp_path: Path) -> None:
    installed("openssl")
    done = shell(scanning_line(), tmp_path, stand_in, CODE=str(code))
    assert done.returncode == ends
    first, asked, last = done.stdout.splitlines()
    assert asked == "asked: scan scan.toml --quiet"
    assert first == f"::stop-commands::{last.strip(':')}"
    assert len(last) == 32 + 4


@pytest.mark.parametrize(("code", "ends"), [(0, 0), (1, 1), (124, 0), (2, 2), (3, 3)])
def test_the_job_on_gitlab_hands_its_exit_code_on(code: int, ends: int, stand_in: Path, tmp_path: Path) -> None:
    done = shell("\n".join(gitlab_job()["script"]), tmp_path, stand_in, CODE=str(code), SCAN_TIME="5h")
    assert done.returncode == ends
    assert done.stdout == "asked: scan scan.toml --quiet\n"
    assert gitlab_job()["allow_failure"]["exit_codes"] == [1, 3]


def test_what_a_run_knows_is_kept_whatever_became_of_it() -> None:
    kept = [step for step in steps() if ".scan" in str(step.get("with", {}).get("path", ""))]
    assert [step.get("if") for step in kept] == [None, "always()", "always()"]
    assert (gitlab_job()["cache"]["when"], gitlab_job()["artifacts"]["when"]) == ("always", "always")
    assert gitlab_job()["cache"]["paths"] == gitlab_job()["artifacts"]["paths"] == [".scan/"]
