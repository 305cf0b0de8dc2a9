"""Runs of a scan over a hub on loopback: what is listed, looked at, found, told, and not asked for again."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save

from detector.model import UserError
from detector.scan import findings, members, run, telling
from detector.scan import plan as plans
from detector.scan.alone import alone
from detector.scan.estimate import estimate
from detector.scan.store import open_store
from detector.scanned import Component, Standing, State
from tests.hub_client import unconfigured
from tests.hub_repositories import Upload, publish, tell
from tests.olah_hub import TOKEN, Hub, serving

FIRST = 1_700_000_000
DAY = 86_400
FIXTURES = Path(__file__).parent.parent / "fixtures"
ORIGINAL, COPY, OTHER = "lab/heronvl", "org/kestrel", "shore/tidewater"
PLAN = """
store = "scan.db"
index = "known.db"
output = "out"

[[source]]
kind = "hf"
everything = true
since = 2020-01-01
"""


def files_of(project: str, *endings: str) -> dict[str, bytes | str | Path | None]:
    root = FIXTURES / project
    kept = (path for path in sorted(root.rglob("*")) if path.is_file() and path.name.endswith(endings))
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in kept}


def weights(seed: int, names: str, noise: float = 0.0, rows: int = 512, kind: type = np.float32) -> bytes:
    chance = np.random.default_rng(seed)
    tensors = {f"{names}.{i}": chance.standard_normal((rows, 256)).astype(np.float32) * 0.02 for i in range(6)}
    other = np.random.default_rng(seed + 1_000)
    return save(
        {
            name: (each + np.float32(noise) * other.standard_normal(each.shape).astype(np.float32)).astype(kind)
            for name, each in tensors.items()
        },
        {"format": "pt"},
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An original, a copy that declares nothing, an unrelated project; the original was changed last."""
    root = tmp_path / "hub"
    publish(root, ORIGINAL, [Upload(FIRST, files_of("original", "resampler.py"))])
    publish(root, ORIGINAL, [Upload(FIRST + 9 * DAY, {"NEWS": "Nothing.\n"})])
    publish(root, COPY, [Upload(FIRST + 5 * DAY, files_of("rebadged", "projector.py"))])
    publish(root, OTHER, [Upload(FIRST + 6 * DAY, files_of("independent", "quadtree.py"))])
    return root


@pytest.fixture
def hub(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with serving(folder, page=2) as running:
        unconfigured(tmp_path, monkeypatch)
        monkeypatch.setenv("HF_ENDPOINT", running.endpoint)
        yield running


@pytest.fixture
def plan(tmp_path: Path) -> plans.Plan:
    file = tmp_path / "scan.toml"
    file.write_text(PLAN, "utf-8")
    return plans.read(file)


def scan(plan: plans.Plan, **how: Any) -> run.Outcome:
    return run.run(plan, **how)


def told(outcome: run.Outcome) -> list[tuple[str, str]]:
    return [(each.kind, each.text.partition(":")[0]) for each in outcome.told]


def lines(plan: plans.Plan, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (plan.output / name).read_text("utf-8").splitlines()]


def pairs(plan: plans.Plan) -> list[tuple[str, str, str]]:
    return [
        (each["suspect"]["member"], each["reference"]["member"], each["state"])
        for each in lines(plan, telling.FINDINGS)
    ]


def standing(plan: plans.Plan, name: str) -> Standing:
    with open_store(plan.store) as store:
        found = members.member(store.connection, f"hf:{name}")
    assert found is not None
    return found.standing


def repositories_asked(hub: Hub) -> set[str]:
    found = (re.match(r"/(?:api/models/)?([a-z]+/[\w-]+)", each.path) for each in hub.asked)
    return {each[1] for each in found if each is not None and not each[1].startswith("api/")}


FOUND = (f"hf:{COPY}", f"hf:{ORIGINAL}")


def test_a_copy_is_found_and_its_original_is_the_one_that_began_earlier(hub: Hub, plan: plans.Plan) -> None:
    outcome = scan(plan)
    assert told(outcome) == [("found", "hf")]
    assert pairs(plan) == [(*FOUND, "new")]
    assert (outcome.run.listed, outcome.run.done, outcome.waiting) == (3, 3, 0)
    assert (outcome.run.requests, outcome.run.bytes) == (hub.requests(), hub.sent_bytes())
    (finding,) = lines(plan, telling.FINDINGS)
    report = (plan.output / telling.REPORTS / f"{finding['id']}.html").read_text("utf-8")
    assert "kestrel" in report
    assert finding["id"] in (plan.output / telling.DASHBOARD).read_text("utf-8")


def test_what_did_not_change_is_not_asked_for_again_nor_told_again(hub: Hub, plan: plans.Plan) -> None:
    scan(plan)
    hub.asked.clear()
    outcome = scan(plan)
    assert (outcome.told, outcome.run.done, repositories_asked(hub)) == ((), 0, set())
    assert pairs(plan) == [(*FOUND, "known")]
    assert [each["kind"] for each in lines(plan, telling.OCCURRENCES)] == ["found"]


def test_of_what_changed_that_alone_is_looked_at(hub: Hub, plan: plans.Plan) -> None:
    scan(plan)
    hub.asked.clear()
    publish(hub.folder, OTHER, [Upload(FIRST + 20 * DAY, {"README.md": "# Tides\n"})])
    outcome = scan(plan)
    assert (outcome.told, outcome.run.done, repositories_asked(hub)) == ((), 1, {OTHER})


def test_a_finding_is_gone_when_a_later_revision_does_not_have_it(hub: Hub, plan: plans.Plan) -> None:
    scan(plan)
    without = dict.fromkeys(files_of("rebadged", "projector.py"))
    other = {"sums.py": "def total(values):\n    return sum(values)\n"}
    publish(hub.folder, COPY, [Upload(FIRST + 20 * DAY, {**without, **other})])
    assert [kind for kind, _ in told(scan(plan))] == ["gone"]
    assert pairs(plan) == [(*FOUND, "gone")]
    publish(hub.folder, COPY, [Upload(FIRST + 30 * DAY, files_of("rebadged", "projector.py"))])
    assert [kind for kind, _ in told(scan(plan))] == ["returned"]


class StoppedError(Exception):
    """Stands for a kill."""


@pytest.mark.parametrize("calls", range(1, 14, 3))
def test_a_run_that_was_cut_off_is_gone_on_with(
    hub: Hub, plan: plans.Plan, monkeypatch: pytest.MonkeyPatch, calls: int
) -> None:
    """Cut off at one transaction after the other, before and after what it stores."""
    from detector.scan.store import Store

    counted = 0
    whole = Store.transaction

    def counting(self: Store) -> Any:
        nonlocal counted
        counted += 1
        if counted == calls:
            raise KeyboardInterrupt
        return whole(self)

    monkeypatch.setattr(Store, "transaction", counting)
    with pytest.raises(KeyboardInterrupt):
        scan(plan)
    monkeypatch.setattr(Store, "transaction", whole)
    outcome = scan(plan)
    assert (outcome.run.number, outcome.waiting) == (1, 0)
    assert pairs(plan) == [(*FOUND, "new")]
    assert [each["kind"] for each in lines(plan, telling.OCCURRENCES)] == ["found"]
    assert told(outcome) == [("found", "hf")]


def test_two_runs_at_the_same_time_are_refused(hub: Hub, plan: plans.Plan) -> None:
    with alone(plan.store), pytest.raises(UserError, match="another scan is running"):
        scan(plan)
    assert not hub.asked


def test_what_a_limit_leaves_waits_for_the_next_run(hub: Hub, plan: plans.Plan) -> None:
    first = scan(plan, limit=1)
    assert (first.run.done, first.waiting, first.told) == (1, 2, ())
    second = scan(plan)
    assert (second.run.done, second.waiting, told(second)) == (2, 0, [("found", "hf")])


def test_gated_vanished_and_broken_members_are_told_once(hub: Hub, plan: plans.Plan, monkeypatch: Any) -> None:
    publish(hub.folder, "lab/closed", [Upload(FIRST, {"config.json": "{}"})])
    tell(hub.folder, "lab/closed", gated="manual")
    publish(hub.folder, "lab/gone", [Upload(FIRST, {"config.json": "{}"})])
    hub.fail("/api/models/lab/gone", 50, status=404, headers={"x-error-code": "RepoNotFound"})
    publish(hub.folder, "lab/broken", [Upload(FIRST, {"config.json": "{}"})])
    hub.fail("/api/models/lab/broken", 500, status=500)
    outcome = scan(plan)
    kinds = {each.subject: each.kind for each in outcome.told if each.kind != "found"}
    assert kinds == {"hf:lab/closed": "gated", "hf:lab/gone": "vanished", "hf:lab/broken": "failed"}
    assert outcome.is_incomplete
    assert pairs(plan) == [(*FOUND, "new")]
    again = scan(plan)
    assert (again.told, again.run.done) == ((), 1)  # the broken one is tried again
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    hub.recover()
    assert (scan(plan).told, standing(plan, "lab/broken")) == ((), Standing.DONE)


def test_a_hub_that_takes_no_more_requests_is_left_until_the_next_run(hub: Hub, plan: plans.Plan) -> None:
    for number in range(6):
        publish(hub.folder, f"lab/model-{number}", [Upload(FIRST, {"config.json": f'{{"n": {number}}}'})])
    hub.fail("/revision/", 1_000, status=429, headers={"retry-after": "1"})
    outcome = scan(plan)
    assert (outcome.run.done, outcome.is_incomplete) == (3, True)
    hub.recover()
    outcome = scan(plan)
    assert (outcome.waiting, outcome.is_incomplete) == (0, False)
    assert pairs(plan) == [(*FOUND, "new")]


def test_a_source_that_cannot_be_listed_does_not_keep_the_others(hub: Hub, tmp_path: Path) -> None:
    file = tmp_path / "two.toml"
    file.write_text(PLAN + f'\n[[source]]\nkind = "folder"\npath = "{FIXTURES}/independent"\n', "utf-8")
    hub.fail("/api/models[?]", 1_000, status=500)
    outcome = scan(plans.read(file))
    assert (len(outcome.unlisted), outcome.run.done, outcome.is_incomplete) == (1, 1, True)
    hub.recover()
    assert scan(plans.read(file)).run.done == 3


def test_renamed_weights_with_noise_are_found_by_a_few_slices(hub: Hub, plan: plans.Plan) -> None:
    original, copy = weights(1, "model.layers", rows=8_192), weights(1, "net.blocks", 1e-4, rows=8_192)
    publish(hub.folder, "lab/heavy", [Upload(FIRST + DAY, {"model.safetensors": original})])
    publish(hub.folder, "org/heavier", [Upload(FIRST + 2 * DAY, {"net.safetensors": copy})])
    publish(hub.folder, "shore/own", [Upload(FIRST + 3 * DAY, {"own.safetensors": weights(2, "a", rows=8_192)})])
    outcome = scan(plan)
    assert {each.kind for each in outcome.told} == {"found"}
    assert ("hf:org/heavier", "hf:lab/heavy", "new") in pairs(plan)
    assert len(pairs(plan)) == 2
    assert 0 < hub.sent_bytes("/storage/org/heavier/") < len(copy) * 0.005
    with open_store(plan.store) as store:
        (descent,) = [each for each in telling.read(store, "").lineage.descents if each.component is Component.WEIGHTS]
    assert (descent.child, descent.parents, descent.is_decided) == ("hf:org/heavier", ("hf:lab/heavy",), True)


def test_a_declared_derivation_is_known_and_no_finding(hub: Hub, plan: plans.Plan) -> None:
    base, tuned = weights(1, "model.layers"), weights(1, "model.layers", 1e-4)
    publish(hub.folder, "lab/base", [Upload(FIRST + DAY, {"model.safetensors": base})])
    card = "---\nbase_model: lab/base\n---\n# Tuned\n"
    publish(hub.folder, "org/tuned", [Upload(FIRST + 2 * DAY, {"model.safetensors": tuned, "README.md": card})])
    scan(plan)
    assert pairs(plan) == [(*FOUND, "new")]
    with open_store(plan.store) as store:
        lineage = telling.read(store, "").lineage
    (descent,) = [each for each in lineage.descents if each.component is Component.WEIGHTS]
    assert (descent.child, descent.parents, descent.declaration) == ("hf:org/tuned", ("hf:lab/base",), "declared")


def test_two_casts_of_one_base_that_both_declare_are_no_finding(hub: Hub, plan: plans.Plan) -> None:
    publish(hub.folder, "lab/base", [Upload(FIRST + DAY, {"model.safetensors": weights(1, "layers")})])
    halved = weights(1, "layers", kind=np.float16)
    for day, name in ((2, "org/half"), (3, "shore/half")):
        card = "---\nbase_model: lab/base\n---\n# Half\n"
        publish(hub.folder, name, [Upload(FIRST + day * DAY, {"model.safetensors": halved, "README.md": card})])
    publish(hub.folder, "shore/silent", [Upload(FIRST + 4 * DAY, {"model.safetensors": halved})])
    scan(plan)
    found = [suspect for suspect, _, _ in pairs(plan) if suspect != FOUND[0]]
    assert found == ["hf:shore/silent"]  # which declares nothing


def test_an_accepted_finding_stays_accepted(hub: Hub, plan: plans.Plan) -> None:
    scan(plan)
    with open_store(plan.store, write=True) as store, store.transaction():
        (found,) = findings.findings(store.connection)
        findings.accept(store.connection, run.now(), found.id, "agreed by both")
    publish(hub.folder, COPY, [Upload(FIRST + 20 * DAY, {"NEWS": "Nothing.\n"})])
    outcome = scan(plan)
    assert [each.kind for each in outcome.told if each.kind != "accepted"] == []
    assert pairs(plan) == [(*FOUND, State.ACCEPTED.value)]


def test_an_estimate_asks_for_no_file_and_stores_nothing(hub: Hub, plan: plans.Plan) -> None:
    expected = estimate(plan)
    assert (expected.listed, len(expected.expected)) == (3, 3)
    assert not hub.requests("/resolve/")
    assert (expected.requests, expected.bytes) == (hub.requests(), hub.sent_bytes())
    assert not plan.store.exists()
    hub.asked.clear()
    scan(plan)
    (alone_,) = [each for each in expected.expected if each.member == f"hf:{OTHER}"]
    assert alone_.requests == hub.requests(OTHER)  # nothing is like it: no more was fetched than was said
    assert estimate(plan).expected == []


def test_an_estimate_says_what_a_limit_leaves(hub: Hub, plan: plans.Plan) -> None:
    assert (len(estimate(plan, limit=1).expected), estimate(plan, limit=1).left) == (1, 2)


def test_a_date_lists_again_what_was_listed_before(hub: Hub, plan: plans.Plan) -> None:
    scan(plan)
    hub.asked.clear()
    outcome = scan(plan, since="2020-01-01")
    assert (outcome.run.listed, outcome.run.done, repositories_asked(hub)) == (3, 0, set())


def test_a_member_that_its_folder_has_no_more_has_vanished(tmp_path: Path) -> None:
    root = tmp_path / "models"
    for name in ("one", "two"):
        (root / name).mkdir(parents=True)
        (root / name / "code.py").write_text(f"def {name}(x):\n    return x\n", "utf-8")
    file = tmp_path / "scan.toml"
    file.write_text('[[source]]\nkind = "folder"\npath = "models/*"\n', "utf-8")
    plan = plans.read(file)
    assert scan(plan).run.done == 2
    (root / "two" / "code.py").unlink()
    (root / "two").rmdir()
    outcome = scan(plan)
    assert [(each.kind, each.subject) for each in outcome.told] == [("vanished", str(root / "two"))]
    assert scan(plan).told == ()
