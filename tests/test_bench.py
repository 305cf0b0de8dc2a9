"""The measurements: every part has its section, no section tells on the machine, and the figures are right in small."""

from __future__ import annotations

import re
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from bench import candidates, fixtures_gold, memory, negatives, real, speed, traces
from bench.__main__ import PARTS, RESULTS, page, sections
from bench.copied_from import rows, run_here
from bench.declared import Key
from bench.null_pairs import known
from bench.process import in_fresh_process, own_peak, run
from bench.scoring import SIMILARITY, Truth
from bench.section import Demand, section, table
from bench.wheels import InMemory, python_files, wheel
from detector.code import candidates as proposing
from detector.code import match
from detector.code.bulk import read_corpus
from detector.code.callgraph import callees
from detector.code.shingle import Shingles
from detector.model import Basis, CloneType, Evidence, Match, Span, Strength, Trace
from detector.targets import SourceFile

MACHINE = re.compile(r"/(home|root|work|tmp|var|Users)/|[A-Z]:\\|\b20\d\d-\d\d-\d\d\b")
LAYER = b"""
class Layer:
    def forward(self, x, mask):
        scores = self.query(x) @ self.key(x).transpose(-1, -2)
        scores = scores.masked_fill(mask == 0, -1e9).softmax(dim=-1)
        return self.out(scores @ self.value(x))

    def width(self, x):
        return x.shape[-1] // self.heads
"""


def _match(suspect: Key, reference: Key, name: str = "original") -> Match:
    one, other = Span(*suspect, 1, 9), Span(*reference, 1, 9)
    return Match(
        one, name, other, 0.5, 0.5, 0.5, 90.0, 90.0, 1.0, Basis.ALONE, CloneType.EDITED, is_declared=False, digest="0-0"
    )


# --- the page ---


@pytest.mark.skipif(not RESULTS.exists(), reason="nothing has been measured yet")
def test_the_results_have_every_section_with_a_verdict() -> None:
    known = sections(RESULTS.read_text("utf-8"))
    assert tuple(known) == PARTS
    assert all(re.search(r"^- \*\*(met|missed)\*\*: ", text, re.MULTILINE) for text in known.values())


@pytest.mark.skipif(not RESULTS.exists(), reason="nothing has been measured yet")
def test_the_results_tell_neither_the_machine_nor_the_date() -> None:
    text = RESULTS.read_text("utf-8")
    # When commits of the compared histories were made is what was measured there, not when.
    measured = re.sub(r"2024-\d\d-\d\d(?:T[\d:]+Z)?", "", sections(text)["evidence"])
    assert MACHINE.search(text.replace(sections(text)["evidence"].rstrip("\n"), measured.rstrip("\n"))) is None
    assert "no measure of recall in the wild" in text.lower()


def test_a_page_is_read_back_as_it_was_written_and_keeps_its_order() -> None:
    good, bad = Demand("speed", ">= 1", "2", True), Demand("size", "<= 1", "2", False)
    known = {"speed": section("speed", "fast", "How.", [good]), "real": section("real", "true", "How.", [bad], "Text.")}
    text = page(known, "3.12.1", 2)
    assert sections(text) == known
    assert list(sections(text)) == ["real", "speed"]
    assert "1 demands are met, 1 are missed:\n\n- `real`: size: 2 (demanded: <= 1)\n" in text


def test_a_cell_cannot_end_early() -> None:
    assert table(("a",), [("x|y",)]).splitlines()[-1] == "| x\\|y |"


# --- wheels and processes ---


def test_a_wheel_in_the_cache_is_found_by_its_normal_name_and_read_in_order(tmp_path: Path) -> None:
    path = tmp_path / "Some_Package-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("some/b.py", "some/a.py", "tests/t.py", "some/data.txt"):
            archive.writestr(name, name)
    assert wheel(tmp_path, "some-package==1.0") == path
    assert [file.path for file in python_files(path)] == ["some/a.py", "some/b.py", "tests/t.py"]
    kept = InMemory(python_files(path, "some"))
    assert kept.paths() == [file.path for file in kept if isinstance(file, SourceFile)] == ["some/a.py", "some/b.py"]
    assert kept.read("some/b.py") == b"some/b.py"


def test_wheels_are_unpacked_until_there_are_enough_lines(tmp_path: Path) -> None:
    for name in ("one", "two"):
        with zipfile.ZipFile(tmp_path / f"{name}-1-py3-none-any.whl", "w") as archive:
            archive.writestr(f"{name}/a.py", "x\n" * 10)
    names, lines = memory.unpack(tmp_path, ["one==1", "two==1"], tmp_path / "tree", 10)
    assert (names, lines) == (["one==1"], 10)
    assert (tmp_path / "tree/one==1/one/a.py").read_text() == "x\n" * 10


def test_the_memory_of_a_process_and_of_its_children_is_seen(tmp_path: Path) -> None:
    inner = "data = bytearray(60_000_000); import time; time.sleep(0.4)"
    outer = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {inner!r}]); sys.exit(3)"
    cost = run([sys.executable, "-c", outer], tmp_path)
    assert cost.exit_code == 3
    assert cost.largest_bytes > 60_000_000
    assert cost.wall_seconds >= 0.4
    if Path("/proc/self/status").exists():
        assert cost.processes == 2
        assert cost.summed_bytes > cost.largest_bytes


def test_a_fresh_process_has_a_memory_of_its_own() -> None:
    ballast = bytearray(150_000_000)
    assert 0 < in_fresh_process(own_peak) < len(ballast) < own_peak()


# --- the parts ---


def test_parsing_is_timed_beside_reading_and_broken_files_do_not_stop_it() -> None:
    files = [SourceFile("a.py", LAYER), SourceFile("b.py", b"def (")]
    corpus, parsing, shingling, wall = speed.read_and_parse(files)
    assert [span.path for span in corpus.spans] == ["a.py", "a.py"]
    assert len(parsing) == len(shingling) == 1
    assert min(*parsing, *shingling, wall) >= 0


def test_a_corpus_is_split_by_its_files() -> None:
    files = [SourceFile("a.py", LAYER), SourceFile("b.py", b"def f(x):\n    return x.norm(2) + 1\n")]
    whole = read_corpus(files, ["a.py", "b.py"])
    first, second = speed.part(whole, {"a.py"}, True), speed.part(whole, {"a.py"}, False)
    assert first.spans + second.spans == whole.spans
    assert np.array_equal(np.concatenate([first.shingles.hashes, second.shingles.hashes]), whole.shingles.hashes)
    assert second.digest(0) == whole.digest(len(whole.spans) - 1)


def test_speed_takes_each_task_at_its_quietest() -> None:
    runs = [speed.Run([1.0, 4.0], [2.0, 4.0], 10.0, 5.0, 1.0), speed.Run([3.0, 1.0], [6.0, 2.0], 12.0, 8.0, 3.0)]
    text = speed.report(runs, [12.5, 16.0], 2, 2_000_000)
    assert "0.500 of the minima, 0.643 of the medians" in text
    assert "- **met**: two processes against one, wall time, starting them included: 2.00 of the minima" in text
    assert "two that share nothing reach 1.60 and 1.54 here" in text
    assert "20.0% of the minima" in text


def test_names_agree_when_their_last_parts_do_or_mean_the_same() -> None:
    def pair(one: str, other: str) -> dict[str, dict[str, str]]:
        return {"suspect": {"qualname": one}, "reference": {"qualname": other}}

    found = [pair("A.construct", "B.forward"), pair("f", "f"), pair("A.f", "A.g"), pair("g", "g")]
    assert real.named(found) == real.Named(0.75, 0.75, 4)
    assert real.named([]).everything == 0
    matches = [{**found[0], "basis": "alone", "similarity": 0.9}, {**found[2], "basis": "project", "similarity": 0.1}]
    assert [(basis, each.everything, each.matches) for basis, each in real.bases(matches)] == [
        ("alone", 1.0, 1),
        ("project", 0.0, 1),
        ("project, similarity below 0.15", 0.0, 1),
    ]


def test_a_known_ancestry_holds_in_both_directions() -> None:
    one, other = (
        ("torchvision/models/detection/fcos.py", "f"),
        ("monai/apps/detection/networks/retinanet_detector.py", "g"),
    )
    known = [_match(one, other), _match(other, one)]
    strange = _match(("torchvision/models/detection/fcos.py", "f"), ("monai/data/box_utils.py", "f"))
    assert negatives.unexplained([*known, strange]) == [strange]


def test_every_gold_pair_is_right_wrong_or_missing_and_the_rest_is_extra() -> None:
    pairs = {(("s.py", name), ("r.py", name)): "edited" for name in "abc"}
    gold = fixtures_gold.Gold(pairs, frozenset())
    other = _match(("s.py", "b"), ("r.py", "b"), "cited")
    extra = _match(("s.py", "new"), ("r.py", "c"))
    found = fixtures_gold.shown(gold, [_match(("s.py", "a"), ("r.py", "a")), other, extra])
    assert found.right == {(("s.py", "a"), ("r.py", "a"))}
    assert found.wrong == ((("s.py", "b"), other),)
    assert found.missing == ((("s.py", "c"), ("r.py", "c")),)
    assert found.extra == (extra,)


def test_the_gold_of_the_fixtures_is_read() -> None:
    gold = fixtures_gold.read_gold(fixtures_gold.FIXTURES / "gold.json")
    assert len(gold.pairs) > 50
    assert ("lanternlens/convtower.py", "sincos_2d") in gold.shared


def test_scoring_all_pairs_knows_the_pairs_and_settings_are_put_back() -> None:
    corpus = read_corpus([SourceFile("a.py", LAYER)], ["a.py"])
    calls = callees(corpus.spans, corpus.calls)
    sides, weights = match.weigh([corpus.shingles, corpus.shingles], [calls, calls])
    everything = candidates.score_all(sides[0], sides[1], weights)
    assert everything.best == {0: frozenset({0}), 1: frozenset({3})}
    assert 0 in everything.alike
    before = vars(proposing)["LARGEST_POSTING"]
    with candidates.changed_settings({"LARGEST_POSTING": 0, "LSH_BANDS": 0}):
        nothing = proposing.pairs(sides[0], sides[1], weights, corpus.shingles, corpus.shingles)
    assert vars(proposing)["LARGEST_POSTING"] == before
    found = proposing.pairs(sides[0], sides[1], weights, corpus.shingles, corpus.shingles)
    assert candidates.held_against(everything, "none", nothing, 2, 0.0).best == 0
    assert candidates.held_against(everything, "as set", found, 2, 0.0).best == 1
    assert isinstance(corpus.shingles, Shingles)


def test_two_folders_are_compared_in_process_and_every_scored_pair_is_listed(tmp_path: Path) -> None:
    for side in "AB":
        (tmp_path / side).mkdir()
        (tmp_path / side / "m.py").write_bytes(LAYER)
    done = run_here(tmp_path / "B", tmp_path / "A")
    pair = (("m.py", "Layer.forward"), ("m.py", "Layer.forward"))
    (listed,) = [each for each in done.listed if each.pair == pair]
    assert listed.similarity > 0.95
    known = Truth({pair: True}, frozenset({pair[0]}), frozenset({pair[1]}))
    assert any(row.startswith(f"| V0 | {SIMILARITY} | 1.000 | 1.000 | 1.000 | ") for row in rows("V0", done, known))


# --- traces ---


def _trace(one: str, other: str, bits: float = 13.0) -> Trace:
    return Trace("comment", f"what {one} says", "b", 0, bits, ((one, 1),), ((other, 2),))


def test_a_trace_is_ancestral_where_its_files_hold_functions_of_a_known_source_in_either_direction() -> None:
    first = known()[0]
    one, other = (each.partition(" ")[0] for each in (first.suspect, first.reference))
    assert traces.is_ancestral(_trace(one, other))
    assert traces.is_ancestral(_trace(other, one))
    assert not traces.is_ancestral(_trace(one, "elsewhere/entirely.py"))


def test_a_trace_is_declared_where_one_of_its_files_names_a_source() -> None:
    files = {"a.py": b"x = 1\n", "b.py": b"# This module was adapted from heron.\n"}
    assert traces.is_declared(("a.py", "b.py"), files.__getitem__, files.__getitem__)
    assert not traces.is_declared(("a.py", "a.py"), files.__getitem__, files.__getitem__)


def test_pairs_with_a_line_that_nothing_explains_fail_the_demand_and_are_listed() -> None:
    line = Evidence("traces", "same-comment", "b", Strength.WEAK, "", "", {"bits": 39.0})
    chance = traces.Chance("one==1", "two==1", (line,), (line,), (_trace("a.py", "b.py"),))
    text = traces.report([chance], [("s", "r", "copies", [_trace("a.py", "b.py")], [line])])
    assert "- **missed**: independent pairs with a ledger line of traces that nothing explains: 1 of 1" in text
    assert "| one==1 / two==1 | comment | 13.0 | `a.py:1` |" in text
    assert "- **met**: s against r" in text
    assert "| s | r | copies | comment 1 | same-comment 39 |" in text
