"""Scheduled scans: a hub on loopback with planted copies, scanned once, again after changes, and killed many times.

The hub holds generated repositories as git has them, served by `olah` to the hub's own client. Everything that is asked
for is counted there. Scans are run as commands, as a timer would; those that are killed get SIGKILL, at moments that a
seeded generator chooses over the time that one scan takes.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench import generated_hub
from bench.generated_hub import GeneratedHub
from bench.hub.writing import Planted
from bench.section import Demand, print_section, section, table
from tests.hub_repositories import models_in, place, revision_of
from tests.olah_hub import Hub, serving

MEMBERS = 300
CHANGES = 3
KILLS = 50
MOST_SHARE = 0.005  # of a checkpoint that may be fetched to find its weights copied
STARTING_SECONDS = 3.0
LARGE_BYTES = 30_000_000  # checkpoints from which on that share is asked for
_REPOSITORY = re.compile(r"^/(?:api/models/|storage/)?([^/?]+/[^/?]+)")

PLAN = """\
name = "bench"
store = "scan.db"
index = "known.db"
output = "found"

[[source]]
kind = "hf"
everything = true
since = 2020-01-01
"""


def measure(cache: Path, work: Path) -> tuple[list[Demand], list[str]]:
    """Scan, change, scan again; then the same from the beginning under kills."""
    place_of_all = work / "scan"
    shutil.rmtree(place_of_all, ignore_errors=True)
    made = generated_hub.generate(place_of_all / "hub", MEMBERS, cache=cache)
    with serving(made.folder, page=100) as hub:
        plain = place_of_all / "plain"
        first, seconds = _scan(hub, plain)
        once = _findings(plain)
        demands = [_found(made, once)]
        weighed, shown = _bytes(made, hub)
        demands += weighed
        blocks = [_table_of_findings(made, once), *shown, _cost(hub, first, seconds)]
        demands.append(_same(once, _scan_under_kills(hub, place_of_all / "killed", seconds)))
        still, _ = _scan(hub, plain)
        demands.append(_nothing_again(hub, still, plain, once))
        before = _heads(made)
        later = generated_hub.change(made, CHANGES)
        changed = {name for name, head in _heads(made).items() if before.get(name) != head}
        second, _ = _scan(hub, plain)
        demands.append(_only_changes(hub, changed, later.planted[len(made.planted) :], second))
    shutil.rmtree(place_of_all, ignore_errors=True)
    return demands, blocks


def _cost(hub: Hub, first: Mapping[str, Any], seconds: float) -> str:
    asked = _per_repository(hub)
    run = first["run"]
    return (
        f"The first scan: {run['listed']:,} listed, {run['done']:,} looked at; {run['requests']:,} requests as the "
        f"scan counts them, {hub.requests():,} as the hub does; {hub.sent_bytes():,} bytes; {seconds:.0f} s. For one "
        f"repository {sum(asked.values()) / max(len(asked), 1):.1f} requests in the mean, "
        f"{max(asked.values(), default=0)} at most."
    )


# --- scans as commands ---


def _environment(hub: Hub, place: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "DETECTOR_"))}
    cache = place / "cache"
    return {
        **kept,
        "HF_ENDPOINT": hub.endpoint,
        "HF_HOME": str(cache),
        "NO_PROXY": "127.0.0.1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
    }


def _prepared(place: Path) -> list[str]:
    place.mkdir(parents=True, exist_ok=True)
    (place / "scan.toml").write_text(PLAN, "utf-8")
    return [sys.executable, "-m", "detector", "scan", str(place / "scan.toml"), "--format", "json", "--quiet"]


def _scan(hub: Hub, place: Path) -> tuple[dict[str, Any], float]:
    """One scan to its end; what it says, and how long it took."""
    hub.asked.clear()
    begun = time.monotonic()
    done = subprocess.run(_prepared(place), env=_environment(hub, place), capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1, 3):
        raise RuntimeError(f"the scan ended with {done.returncode}: {done.stderr[-2000:]}")
    return json.loads(done.stdout), time.monotonic() - begun


def _scan_under_kills(hub: Hub, place: Path, seconds: float) -> list[Path]:
    """Scan, kill, go on, until KILLS were sent; gives where each scan that came to its end is. A new one follows it."""
    chance = random.Random(8)
    kills = 0
    ended: list[Path] = []
    # What starting takes is no progress; some lives are long enough for the member that takes longest.
    mean = seconds / KILLS + STARTING_SECONDS
    while kills < KILLS:
        here = place / str(len(ended))
        command = _prepared(here)
        with subprocess.Popen(
            command, env=_environment(hub, here), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            try:
                process.wait(0.2 + chance.expovariate(1 / mean))
                ended.append(here)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                kills += 1
    here = place / str(len(ended))
    _scan(hub, here)
    return [*ended, here]


# --- what came of them ---


def _lines(place: Path, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (place / "found" / name).read_text("utf-8").splitlines()]


def _findings(place: Path) -> list[dict[str, Any]]:
    """Findings without what depends on the clock and on how often a scan was started."""
    timed = ("first_seen", "last_seen", "state")
    return [
        {name: value for name, value in each.items() if name not in timed} for each in _lines(place, "findings.jsonl")
    ]


def _pairs(found: Sequence[Mapping[str, Any]]) -> set[frozenset[str]]:
    return {frozenset((each["suspect"]["member"], each["reference"]["member"])) for each in found}


def _planted(made: GeneratedHub) -> dict[frozenset[str], Planted]:
    return {frozenset((f"hf:{each.suspect}", f"hf:{each.reference}")): each for each in made.planted}


def _found(made: GeneratedHub, found: Sequence[Mapping[str, Any]]) -> Demand:
    planted, pairs = _planted(made), _pairs(found)
    missed, other = len(planted.keys() - pairs), len(pairs - planted.keys())
    right = sum(
        f"hf:{planted[pair].suspect}" == each["suspect"]["member"] for each in found if (pair := _pair(each)) in planted
    )
    return Demand(
        f"one scan of {len(made.members)} repositories finds the planted copies and nothing else",
        f"{len(planted)} and 0",
        f"{len(planted) - missed} and {other}; of {len(planted) - missed} the suspect is the copy in {right}",
        not missed and not other,
    )


def _pair(each: Mapping[str, Any]) -> frozenset[str]:
    return frozenset((each["suspect"]["member"], each["reference"]["member"]))


def _table_of_findings(made: GeneratedHub, found: Sequence[Mapping[str, Any]]) -> str:
    planted = _planted(made)
    rows = [
        (
            planted[_pair(each)].kind if _pair(each) in planted else "not planted",
            each["suspect"]["member"],
            each["reference"]["member"],
            each["relation"],
            each["strength"],
            ", ".join(dict.fromkeys(f"{line['kind']}/{line['name']}" for line in each["lines"][:4])),
        )
        for each in found
    ]
    missed = [
        (each.kind, f"hf:{each.suspect}", f"hf:{each.reference}", "missed", "", "")
        for pair, each in planted.items()
        if pair not in _pairs(found)
    ]
    return table(
        ["planted", "suspect", "reference", "relation", "strength", "strongest lines"], sorted([*rows, *missed])
    )


def _per_repository(hub: Hub) -> Counter[str]:
    """Requests by repository; the list of models is nobody's."""
    found = (_REPOSITORY.match(each.path) for each in hub.asked)
    return Counter(each[1] for each in found if each is not None and each[1] != "api/models")


def _bytes(made: GeneratedHub, hub: Hub) -> tuple[list[Demand], list[str]]:
    """What was fetched of the checkpoints of planted weights."""
    rows = []
    for each in made.planted:
        if each.kind == "weights":
            size = _checkpoint_bytes(made, each.suspect)
            sent = hub.sent_bytes(f"/storage/{re.escape(each.suspect)}/")  # where the hub has large files
            rows.append((each.suspect, size, sent, sent / size))
    large = [row for row in rows if row[1] >= LARGE_BYTES]
    worst = max((row[3] for row in large), default=1.0)
    demand = Demand(
        "bytes fetched of the checkpoint of a planted weights copy, "
        f"of {len(large)} with {LARGE_BYTES / 1e6:.0f} MB or more",
        f"at most {MOST_SHARE:.1%}",
        f"{worst:.2%}",
        bool(large) and worst <= MOST_SHARE,
    )
    shown = [(name, f"{size:,}", f"{sent:,}", f"{share:.2%}") for name, size, sent, share in rows]
    return [demand], [table(["copy of weights", "bytes of its checkpoint", "fetched", "share"], shown)]


def _checkpoint_bytes(made: GeneratedHub, name: str) -> int:
    stored = (place(made.folder, name) / ".git" / "lfs" / "objects").rglob("*")
    return sum(each.stat().st_size for each in stored if each.is_file())


def _heads(made: GeneratedHub) -> dict[str, str]:
    return {name: revision_of(made.folder, name) for name in models_in(made.folder)}


def _nothing_again(hub: Hub, still: Mapping[str, Any], place: Path, once: Sequence[Mapping[str, Any]]) -> Demand:
    asked = _per_repository(hub)
    lists = hub.requests("GET /api/models[?]")
    told = len(still["occurrences"])
    return Demand(
        "a scan when nothing changed",
        "asks for the list alone, tells nothing, has the same findings",
        f"{lists} requests for the list, {sum(asked.values())} for repositories, {told} told, "
        f"{'the same' if _findings(place) == once else 'other'} findings",
        not asked and not told and _findings(place) == once,
    )


def _only_changes(hub: Hub, allowed: set[str], planted: Sequence[Planted], second: Mapping[str, Any]) -> Demand:
    """Of what did not change nothing is asked for but the other side of what is found."""
    asked = _per_repository(hub)
    others = {each.reference for each in planted}
    beyond = {name: count for name, count in asked.items() if name not in allowed | others}
    new = [each for each in second["occurrences"] if each["kind"] == "found"]
    return Demand(
        f"a scan after {len(allowed)} changes, one of them a copy",
        "asks for these and for what the copy is of, and tells the one",
        f"{second['run']['done']} looked at; {sum(asked[name] for name in allowed)} requests for the changed, "
        f"{sum(asked[name] for name in others - allowed)} for the original, {sum(beyond.values())} for others; "
        f"{len(new)} told",
        not beyond and len(new) == len(planted) and second["run"]["done"] == len(allowed),
    )


def _same(once: Sequence[Mapping[str, Any]], ended: Sequence[Path]) -> Demand:
    """Findings after kills beside those without; what is told is told once."""
    alike = [_findings(each) == once for each in ended]
    twice = 0
    for each_scan in ended:
        told = Counter((each["kind"], each["subject"]) for each in _lines(each_scan, "occurrences.jsonl"))
        twice += sum(count - 1 for count in told.values())
    return Demand(
        f"{KILLS} kills at random moments of scans of which {len(ended)} came to their end",
        "the findings of a scan that is left alone, nothing told twice",
        f"the same in {sum(alike)} of {len(alike)}; {twice} told twice",
        all(alike) and not twice,
    )


def report(demands: Sequence[Demand], blocks: Sequence[str]) -> str:
    """Write the section."""
    how = (
        f"A generated hub of {MEMBERS} repositories on loopback, served by olah from git to the hub's own client: "
        f"modeling code of many architectures, declared fine-tunes, models without code, broken and gated ones, and "
        f"planted copies that declare nothing. Everything that is asked for is counted by the hub."
    )
    return section("scan", "Scheduled scans", how, demands, *blocks)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the section."""
    return print_section("scan", __doc__, lambda cache, work: report(*measure(cache, work)), arguments)


if __name__ == "__main__":
    sys.exit(main())
