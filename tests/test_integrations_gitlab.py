"""The template for GitLab, its lines run in the environment that GitLab gives them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from ruamel.yaml import YAML

from tests.integrating import COPIED, OWN, TEMPLATES, Place, place, script

NONE = "0" * 40


@pytest.fixture(scope="module")
def laid(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return place(tmp_path_factory.mktemp("gitlab"))


@pytest.fixture
def here(laid: Place, request: pytest.FixtureRequest) -> Place:
    return Place(laid.home, request.node.name)


def job() -> Any:
    """The one job of the template."""
    (found,) = YAML(typ="safe").load(TEMPLATES / "gitlab-ci.yml").values()
    return found


@dataclass(frozen=True, slots=True)
class Done:
    code: int
    log: str
    quality: list[dict[str, Any]] | None  # None where there is no such file
    failures: int


def run(here: Place, project: Path, targets: str = "", **told: str) -> Done:
    """Run the job's lines in one shell that ends at the first failure, as GitLab's runner does.

    Installing is only remembered: `python` is a stand-in, and `detector` is on the PATH.
    """
    tools = script(here.folder / "tools" / "python", 'echo "installing: $*"').parent
    variables = {
        "CI_PROJECT_DIR": str(project),
        "GITLAB_CI": "true",
        "CI_COMMIT_SHA": here.git(project, "rev-parse", "HEAD"),
        "CI_DEFAULT_BRANCH": "main",
        **told,
    }
    for name, value in job()["variables"].items():
        variables[name] = value.replace("$CI_PROJECT_DIR", str(project))
    variables["INDEX_TARGETS"] = targets or str(here.home / "flowlib")
    variables["PATH"] = f"{tools}:{here.environment()['PATH']}"
    lines = here.folder / "job.sh"
    lines.write_text("\n".join(["set -eo pipefail", *job()["before_script"], *job()["script"], ""]))
    done = here.run("bash", lines, at=project, code=None, **variables)
    reports = job()["artifacts"]["reports"]
    quality, junit = project / reports["codequality"], project / reports["junit"]
    return Done(
        done.returncode,
        done.stdout,
        json.loads(quality.read_text("utf-8")) if quality.exists() else None,
        len(ElementTree.parse(junit).findall(".//failure")) if junit.exists() else 0,
    )


def merge_request(here: Place, files: dict[str, str]) -> tuple[Path, dict[str, str]]:
    """A project with a branch to be merged checked out, and what GitLab says of it."""
    project = here.repository("project")
    base = here.git(project, "rev-parse", "HEAD")
    here.git(project, "checkout", "-q", "-b", "topic")
    here.commit(project, files)
    return project, {"CI_PIPELINE_SOURCE": "merge_request_event", "CI_MERGE_REQUEST_DIFF_BASE_SHA": base}


def test_a_copied_function_in_a_merge_request_fails_the_job_and_is_in_both_reports(here: Place) -> None:
    project, told = merge_request(here, {"app/copied.py": COPIED})
    done = run(here, project, **told)
    assert done.code == 1
    assert "installing: -m pip install --quiet ml-plagiarism-detector" in done.log
    assert "app/copied.py:4-9 displace" in done.log
    assert done.quality is not None
    (found,) = done.quality
    assert found["location"]["path"] == "app/copied.py"
    assert {"description", "check_name", "fingerprint", "severity", "location"} <= found.keys()
    assert done.failures == 1


def test_own_functions_pass_with_empty_reports(here: Place) -> None:
    project, told = merge_request(here, {"app/own.py": OWN})
    done = run(here, project, **told)
    assert (done.code, done.quality, done.failures) == (0, [], 0)


def test_a_push_to_the_default_branch_is_held_against_what_was_there(here: Place) -> None:
    project = here.repository("project", {"app/old.py": COPIED})
    before = here.git(project, "rev-parse", "HEAD")
    here.commit(project, {"app/own.py": OWN})
    assert run(here, project, CI_COMMIT_BEFORE_SHA=before).code == 0
    here.commit(project, {"app/copied.py": COPIED.replace("offsets.permute(0, 2, 3, 1)", "offsets.movedim(1, -1)")})
    assert run(here, project, CI_COMMIT_BEFORE_SHA=before).code == 1


def test_an_index_that_cannot_be_used_is_made_anew(here: Place) -> None:
    project, told = merge_request(here, {"app/copied.py": COPIED})
    kept = project / ".detector" / "known.db"
    kept.parent.mkdir()
    kept.write_text("what is this")
    assert run(here, project, **told).code == 1


def test_a_job_without_an_index_ends_as_an_error_and_leaves_no_report(here: Place) -> None:
    project, told = merge_request(here, {"app/copied.py": COPIED})
    done = run(here, project, targets="/nowhere/at-all", **told)
    assert done.code == 2
    assert done.quality is None


def test_every_path_that_is_cached_or_kept_is_one_that_the_lines_write() -> None:
    found = job()
    text = "\n".join(found["script"])
    kept = [*found["artifacts"]["paths"], *found["artifacts"]["reports"].values()]
    assert all(path in text for path in kept)
    (cached,) = found["cache"]["paths"]
    assert all(f"/{cached}" in found["variables"][name] for name in ("DETECTOR_INDEX", "XDG_CACHE_HOME"))
    assert found["artifacts"]["when"] == "always", "the reports of a job that fails are the ones to be read"
