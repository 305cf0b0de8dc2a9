"""Evidence of git histories: what is shared and since when, what was renamed, removed and left behind."""

from __future__ import annotations

import struct
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from detector.artifacts.histories import dates
from detector.artifacts.histories.bytecode import read_bytecode, source_path
from detector.artifacts.histories.lives import window
from detector.artifacts.histories.machine_paths import nameless, paths_in
from detector.artifacts.histories.substitution import may_be_substitution, substitution
from detector.artifacts.histories.widely_owned import is_template, is_widely_owned
from detector.compare import compare
from detector.evidence import history
from detector.model import Event, Evidence, Look, Relation, Strength, UserError
from detector.options import Options
from detector.read import open_target
from detector.targets import Comparison
from tests.histories import Script
from tests.repositories import ANNEAL, BEAMS, PARSE, ROUTE, SPECTRUM, WARP, repo

DAY = 86_400
START = 1_700_000_000  # 2023-11-14T22:13:20Z


def looked(*roots: Path | str) -> Look:
    """Look at the histories of a suspect and one reference, or of a suspect alone."""
    with ExitStack() as targets:
        repos = [targets.enter_context(open_target(str(root))) for root in roots]
        references = {each.name: each for each in repos[1:]}
        (look,) = history.find(Comparison(repos[0], repos[0].name, references))
        return look


def lines(look: Look) -> dict[str, Evidence]:
    return {each.name: each for each in look.evidence}


def events(look: Look) -> dict[tuple[str, str], Event]:
    return {(each.side, each.kind): each for each in look.events}


def table(look: Look, name: str) -> list[tuple[object, ...]]:
    return [row for exhibit in look.exhibits if exhibit.name == name for row in exhibit.rows]


@pytest.fixture
def heron(tmp_path: Path) -> Script:
    """A source with three versions, ten days apart."""
    script = Script(tmp_path / "heron")
    script.commit(START, {"heron/__init__.py": "", "heron/warp.py": WARP, "LICENSE": "a licence " * 20})
    script.commit(START + 10 * DAY, {"heron/parse.py": PARSE, "heron/table.json": '{"rows": [1, 2, 3]}' * 9})
    script.commit(START + 20 * DAY, {"heron/warp.py": WARP.replace("1.25", "1.5"), "heron/route.py": ROUTE})
    return script


def test_files_that_both_have_are_dated_to_the_version_that_held_them_together(tmp_path: Path, heron: Script) -> None:
    egret = Script(tmp_path / "egret")
    copied = egret.commit(
        START + 40 * DAY,
        {"egret/bend.py": WARP, "egret/parse.py": PARSE, "table.json": '{"rows": [1, 2, 3]}' * 9, "own.py": BEAMS},
    )
    look = looked(egret.root, heron.root)
    assert look.examined.is_possible
    assert look.examined.about == "1 commit with 3 commits"
    same = lines(look)["same-blobs"]
    assert same.measures["files"] == 3
    assert same.measures["python"] == 2
    assert same.strength is Strength.MODERATE
    assert [row[0] for row in table(look, "same-blobs")] == ["egret/bend.py", "egret/parse.py", "table.json"]
    version = lines(look)["copied-version"]
    assert version.measures["held"] == 3
    assert version.strength is Strength.NONE  # it says when, not whether
    assert "2023-11-24 22:13:20 UTC" in version.claim
    assert events(look)["heron", "copied-version"].at == "2023-11-24T22:13:20Z"
    assert events(look)["heron", "copied-version-end"].at == "2023-11-24T22:13:20Z"
    assert events(look)["egret", "import"].revision == copied


def test_what_the_reference_had_later_does_not_count_and_is_said(tmp_path: Path, heron: Script) -> None:
    egret = Script(tmp_path / "egret")
    egret.commit(START + 15 * DAY, {"warp.py": WARP, "route.py": ROUTE})  # routes came to the source five days later
    look = looked(egret.root, heron.root)
    assert lines(look)["same-blobs"].measures["files"] == 1
    newer = lines(look)["newer-in-reference"]
    assert newer.measures["files"] == 1
    assert newer.strength is Strength.NONE
    assert [row[0] for row in table(look, "newer-blobs")] == ["route.py"]
    assert table(look, "newer-blobs")[0][3] == "2023-12-04T22:13:20Z"
    back = looked(heron.root, egret.root)  # seen from the other side, the route came from here
    assert [row[0] for row in table(back, "same-blobs")] == ["heron/route.py"]


def test_an_edited_file_is_dated_to_the_nearest_version_that_was_there(tmp_path: Path, heron: Script) -> None:
    heron.commit(START + 60 * DAY, {"heron/warp.py": WARP.replace("1.25", "1.75") + ANNEAL})
    egret = Script(tmp_path / "egret")
    renamed = WARP.replace("frames", "images").replace("field", "motion").replace("1.25", "1.5") + "\nWIDTH = 7\n"
    egret.commit(START + 40 * DAY, {"bend.py": renamed})
    look = looked(egret.root, heron.root)
    (row,) = table(look, "nearest-versions")
    assert row[:2] == ("bend.py", "2023-12-24T22:13:20Z")
    assert row[2:5] == ("heron/warp.py", "2023-12-04T22:13:20Z", "2024-01-13T22:13:20Z")
    assert float(str(row[5])) > float(str(row[6]))  # nearer than the newest
    assert lines(look)["nearest-version"].strength is Strength.NONE


def test_a_file_that_did_not_exist_yet_is_not_the_nearest(tmp_path: Path) -> None:
    cited = Script(tmp_path / "cited")
    cited.commit(START, {"own.py": SPECTRUM})
    cited.commit(START + 50 * DAY, {"warp.py": WARP, "route.py": ROUTE})
    suspect = Script(tmp_path / "suspect")
    suspect.commit(START + 10 * DAY, {"bend.py": WARP.replace("frames", "images") + "\nWIDTH = 7\n"})
    look = looked(suspect.root, cited.root)
    assert "nearest-version" not in lines(look)
    newer = lines(look)["newer-in-reference"]
    assert newer.measures["bits"] == 0
    assert float(newer.measures["bits_without_the_dates"]) > 50
    assert [row[2] for row in table(look, "newer-versions")] == ["warp.py"]


def test_a_folder_that_was_taken_as_a_whole_is_told_once(tmp_path: Path) -> None:
    files = {"ops/a/warp.py": WARP, "ops/a/route.py": ROUTE, "ops/parse.py": PARSE}
    one, other = Script(tmp_path / "one"), Script(tmp_path / "other")
    other.commit(START, files)
    one.commit(START + DAY, {f"lib/{path.removeprefix('ops/')}": text for path, text in files.items()})
    look = looked(one.root, other.root)
    assert [row[0] for row in table(look, "same-trees")] == ["lib"]
    assert table(look, "same-trees")[0][4] == 3
    assert lines(look)["same-trees"].strength is Strength.STRONG


def test_templates_licences_and_short_files_say_nothing(tmp_path: Path) -> None:
    files = {
        "LICENSE": "a licence " * 50, "pkg/__init__.py": "x = 1\n", ".gitignore": "*.pyc\n" * 30, "empty.py": "",
        ".github/workflows/test.yml": "on: push\n" * 20, "vendor/warp.py": WARP, "short.py": "import os\n",
    }  # fmt: skip
    one, other = Script(tmp_path / "one"), Script(tmp_path / "other")
    other.commit(START, files)
    one.commit(START + DAY, files)
    assert looked(one.root, other.root).evidence == ()


def test_pictures_that_both_have_support_nothing_and_are_told(tmp_path: Path) -> None:
    files = {f"demo/{number}.jpg": f"picture {number} " * 50 for number in range(5)}
    one, other = Script(tmp_path / "one"), Script(tmp_path / "other")
    other.commit(START, files)
    one.commit(START + DAY, files)
    line = lines(looked(one.root, other.root))["same-blobs"]
    assert line.strength is Strength.NONE
    assert line.measures["files"] == 5
    assert any("5 of them" in each for each in line.tested)


def test_a_fork_is_told_by_its_commits_alone(tmp_path: Path, heron: Script) -> None:
    fork = Script(tmp_path / "unused")
    fork._git("fetch", "-q", str(heron.root), "main:taken")
    fork._git("checkout", "-q", "taken")
    fork.commit(START + 30 * DAY, {"more.py": BEAMS})
    look = looked(fork.root, heron.root)
    assert set(lines(look)) == {"same-commits"}
    assert lines(look)["same-commits"].measures == {"commits": 3, "of": 4}
    assert lines(look)["same-commits"].strength is Strength.STRONG


def renamed_text(text: str) -> str:
    return text.replace("Heron", "Egret").replace("heron_grid", "egret_net").replace("frames", "images")


HERON = WARP.replace("warp", "HeronWarp").replace("grid", "heron_grid") + "\n".join(
    f"\nclass HeronLayer{k}:\n    heron_grid = {k}\n    frames = {k}\n" for k in range(6)
)


def test_an_import_that_is_renamed_afterwards_is_told_with_its_names(tmp_path: Path) -> None:
    source = Script(tmp_path / "heron")
    source.commit(START, {"heron.py": HERON})
    suspect = Script(tmp_path / "egret")
    suspect.commit(START + DAY, {"heron.py": HERON, "own.py": BEAMS})
    rename = suspect.commit(START + 2 * DAY, {"heron.py": None, "egret.py": renamed_text(HERON)})
    suspect.commit(START + 3 * DAY, {"own.py": BEAMS + PARSE})
    look = looked(suspect.root, source.root)
    line = lines(look)["imported-then-renamed"]
    assert rename[:12] in line.claim
    assert line.strength is not Strength.NONE
    pairs = {(row[2], row[3]): row[5] for row in table(look, "renamed-names")}
    assert pairs["heron_grid", "egret_net"] == "yes"
    assert pairs["HeronLayer3", "EgretLayer3"] == "yes"
    assert events(look)["egret", "renaming"].revision == rename


def test_renaming_ones_own_names_is_no_line_but_in_the_timeline(tmp_path: Path, heron: Script) -> None:
    suspect = Script(tmp_path / "egret")
    text = "\n".join(f"quail_{k} = quail_{k - 1} + 1" for k in range(1, 9))
    suspect.commit(START, {"a.py": text})
    suspect.commit(START + DAY, {"a.py": text.replace("quail", "plover")})
    look = looked(suspect.root, heron.root)
    assert "imported-then-renamed" not in lines(look)
    assert ("egret", "renaming") in events(look)


def test_one_name_that_everybody_has_is_no_import(tmp_path: Path) -> None:
    source = Script(tmp_path / "heron")
    source.commit(START, {"a.py": "strip = 1\n" + BEAMS})
    suspect = Script(tmp_path / "egret")
    text = "\n".join(f"line_{k} = text.strip()" for k in range(20))
    suspect.commit(START + DAY, {"a.py": text})
    suspect.commit(START + 2 * DAY, {"a.py": text.replace("strip", "rstrip")})
    look = looked(suspect.root, source.root)
    assert ("egret", "renaming") in events(look)
    assert "imported-then-renamed" not in lines(look)


def test_a_commit_that_does_more_than_rename_is_none(tmp_path: Path) -> None:
    assert substitution([("a b c d", "x b y d")]).pairs == (("a", "x", 1), ("c", "y", 1))
    mixed = substitution([("a a a\nb b\n", "x x y\nz w\n")])
    assert mixed.pairs == (("a", "x", 2), ("b", "w", 1))
    assert mixed.consistency == 3 / 5
    assert substitution([("x = 1\n" * 4, "x = 2\n" * 4)]).pairs == ()  # numbers are no names
    assert substitution([("if True:\n" * 4, "if False:\n" * 4)]).pairs == ()  # nor are keywords
    assert not may_be_substitution("a b c", "a b c d e f g h i", 1)


def test_a_mention_that_was_removed_is_told_if_nothing_else_names_it(tmp_path: Path) -> None:
    source = Script(tmp_path / "source")
    config = '{"_name_or_path": "lab/Heron-V-2"}'
    source.commit(START, {"config.json": config, "modeling_heronv.py": WARP, "README.md": "Heron"})
    suspect = Script(tmp_path / "egret")
    suspect.commit(START + DAY, {
        "tests/load.py": "from transformers import AutoModel\nm = AutoModel.from_pretrained('lab/Heron-V-2')\n",
        "model.py": "from modeling_heronv import warp\n" + BEAMS, "notes.md": "compared with lab/Heron-V-2\n",
    })  # fmt: skip
    first = looked(suspect.root, source.root)
    assert "trace-removed" not in lines(first)
    gone = suspect.commit(START + 2 * DAY, {"tests/load.py": None, "model.py": BEAMS})
    look = looked(suspect.root, source.root)
    rows = table(look, "removed-mentions")
    assert [row[2:] for row in rows] == [("model.py", "modeling_heronv", "the text was changed")]
    suspect.commit(START + 3 * DAY, {"notes.md": "nothing to see\n"})
    look = looked(suspect.root, source.root)
    assert {row[3] for row in table(look, "removed-mentions")} == {"modeling_heronv", "lab/Heron-V-2"}
    assert ("tests/load.py", "the file was deleted") in {(row[2], row[4]) for row in table(look, "removed-mentions")}
    assert lines(look)["trace-removed"].measures["names"] == 2
    assert gone in {each.revision for each in look.events if each.kind == "removal"}
    suspect.commit(START + 4 * DAY, {"README.md": "Thanks to [Heron-V 2](https://huggingface.co/lab/Heron-V-2).\n"})
    assert "trace-removed" not in lines(looked(suspect.root, source.root))  # a README that names it hides nothing


def test_a_mention_that_only_moves_is_not_removed(tmp_path: Path) -> None:
    source = Script(tmp_path / "source")
    source.commit(START, {"heronlib/__init__.py": "", "heronlib/warp.py": WARP})
    suspect = Script(tmp_path / "egret")
    suspect.commit(START + DAY, {"a.py": "import heronlib\n" + BEAMS})
    suspect.commit(START + 2 * DAY, {"a.py": BEAMS, "b.py": "import heronlib\n"})
    assert "trace-removed" not in lines(looked(suspect.root, source.root))


def compiled(source: str, modified: int, size: int, *, magic: int = 3495) -> bytes:
    """The beginning of a compiled file, and what stands behind it that is of interest."""
    header = struct.pack("<HHIII", magic, 0x0A0D, 0, modified, size)
    return header + b"\xe3\0\0\xda\x20" + source.encode() + b"\xda"


def test_compiled_files_lead_to_the_source_they_were_made_from(tmp_path: Path) -> None:
    source = Script(tmp_path / "heronlib")
    source.commit(START, {"heronlib/__init__.py": "", "heronlib/warp.py": WARP})
    suspect = Script(tmp_path / "egret")
    path = "/home/somebody/projects/HeronLib/heronlib/warp.py"
    suspect.commit(START + DAY, {
        "egret/__pycache__/warp.cpython-311.pyc": compiled(path, START + 1000, len(WARP)),
        "run.log": "loading /home/somebody/projects/heronlib/data/x.json\nsee https://example.org/a/heronlib/c\n",
    })  # fmt: skip
    look = looked(suspect.root, source.root)
    line = lines(look)["residue"]
    assert line.measures == {"paths": 2, "files": 2, "same_size": 1}
    shown = table(look, "residue")
    assert {row[2] for row in shown} == {"~/projects/HeronLib/heronlib/warp.py", "~/projects/heronlib/data/x.json"}
    assert "somebody" not in repr(look)
    assert "Some Body" not in repr(look)


def test_a_compiled_file_supports_the_date_of_a_commit(tmp_path: Path) -> None:
    suspect = Script(tmp_path / "egret")
    commit = suspect.commit(START, {"egret/warp.py": WARP})
    pyc = compiled("/x/y/egret/warp.py", START - 64, len(WARP))
    suspect.commit(START + DAY, {"egret/__pycache__/warp.cpython-311.pyc": pyc, "egret/warp.py": WARP + "\n"})
    look = looked(suspect.root)
    assert table(look, "compiled")[0][3:] == (commit[:12], "2023-11-14T22:13:20Z", "64 seconds")
    assert events(look)["egret", "residue"].at == "2023-11-14T22:12:16Z"


def test_a_suspect_alone_gives_a_timeline_and_no_line(tmp_path: Path) -> None:
    suspect = Script(tmp_path / "egret")
    first = suspect.commit(START, {"t.py": "m = from_pretrained('lab/Heron-V-2')\n", "a.py": BEAMS})
    gone = suspect.commit(START + DAY, {"t.py": None})
    look = looked(suspect.root)
    assert look.examined == replace(look.examined, kind="history", reference="", is_possible=True, about="2 commits")
    assert look.evidence == ()
    assert events(look)["egret", "first-commit"].revision == first
    assert events(look)["egret", "removal"].revision == gone
    assert "lab/Heron-V-2" in events(look)["egret", "removal"].text
    with open_target(str(suspect.root)) as alone:
        report = compare(alone, [], Options(kinds=frozenset({"history"})))
    assert report.relation is Relation.INCONCLUSIVE
    assert report.references == ()
    assert [each.kind for each in report.events] == ["first-commit", "last-commit", "removal"]


def test_what_is_no_repository_has_no_history_and_a_comparison_of_nothing_is_refused(tmp_path: Path) -> None:
    egret = Script(tmp_path / "egret")
    egret.commit(START, {"a.py": BEAMS})
    plain = repo("plain", {"a.py": WARP})
    with open_target(str(egret.root)) as suspect:
        one, other = history.find(Comparison(suspect, "egret", {"plain": plain, "egret (2)": suspect}))
        assert (one.examined.is_possible, one.examined.about) == (False, "the reference is no git repository")
        assert other.examined.is_possible
    (look,) = history.find(Comparison(plain, "plain", {"other": repo("other", {})}))
    assert look.examined.about == "the suspect and the reference are no git repository"
    with pytest.raises(UserError, match="nothing to compare"):
        compare(plain, [], Options(kinds=frozenset({"history"})))


def test_an_address_is_not_asked_for_its_history_if_the_other_side_has_none(tmp_path: Path) -> None:
    class Costly:
        def commits(self) -> list[object]:
            raise AssertionError("fetched in vain")

    costly = replace(repo("costly", {"a.py": WARP}), history=Costly())  # type: ignore[arg-type]
    (look,) = history.find(Comparison(costly, "costly", {"plain": repo("plain", {})}))
    assert not look.examined.is_possible
    (look,) = history.find(Comparison(repo("plain", {}), "plain", {"costly": costly}))
    assert not look.examined.is_possible


def test_what_was_not_read_is_said_with_the_side(tmp_path: Path, heron: Script) -> None:
    egret = Script(tmp_path / "egret")
    egret.commit(START, {"a.py": BEAMS})
    cut = tmp_path / "cut"
    egret._git("clone", "-q", "--depth=1", f"file://{heron.root}", str(cut))
    look = looked(egret.root, cut)
    assert [each.path for each in look.skipped] == ["cut:history"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (1716856232, "2024-05-28T00:30:32Z"),
        (951_782_400, "2000-02-29T00:00:00Z"),
        (-1, "1969-12-31T23:59:59Z"),
        (253_402_300_799, "9999-12-31T23:59:59Z"),
        (253_402_300_800, ""),
        (292_277_026_596 * 31_556_952, ""),
        (-(10**18), ""),
    ],
)
def test_any_number_is_a_date_or_none(seconds: int, text: str) -> None:
    assert dates.iso(seconds) == text
    assert dates.told(seconds)


def test_a_commit_with_a_date_that_is_none_is_only_left_out_of_the_timeline(tmp_path: Path, heron: Script) -> None:
    egret = Script(tmp_path / "egret")
    egret.commit(4_000_000_000_000, {"warp.py": WARP})
    look = looked(egret.root, heron.root)
    assert ("egret", "first-commit") not in events(look)
    assert lines(look)["same-blobs"].measures["files"] == 1


def test_headers_of_every_python_are_read_and_nothing_else_is_one() -> None:
    assert read_bytecode(struct.pack("<HHI", 62211, 0x0A0D, 77) + b"c") is not None
    old = read_bytecode(struct.pack("<HHII", 3230, 0x0A0D, 77, 5) + b"\xe3")
    assert old is not None
    assert (old.modified, old.source_bytes) == (77, 5)
    hashed = read_bytecode(struct.pack("<HHIII", 3495, 0x0A0D, 1, 77, 5))
    assert hashed is not None
    assert (hashed.modified, hashed.source_bytes) == (None, None)
    for data in (b"", b"\0" * 7, b"PK\3\4" + b"\0" * 30, b"\xa7\r\r\n"):
        assert read_bytecode(data) is None
    assert read_bytecode(b"\xa7\x0d\x0d\x0a" + b"/" * 900_000) is not None  # and soon
    assert source_path("a/__pycache__/b.cpython-39.opt-1.pyc") == "a/b.py"
    assert source_path("b.pyc") == "b.py"


def test_paths_are_told_without_the_names_of_homes() -> None:
    text = 'File "/home/jane.doe/llava/model/x.py"; C:\\\\Users\\\\Jane\\\\llava\\\\y.py https://example.org/a/b/c/d'
    assert paths_in(text) == ["~/llava/model/x.py", "~/llava/y.py"]
    assert nameless("/Users/jane/Desktop/x.py") == "~/Desktop/x.py"


def test_the_window_counts_a_file_once_however_often_it_lies_there(tmp_path: Path) -> None:
    script = Script(tmp_path / "a")
    script.commit(START, {"a.py": WARP, "b.py": WARP})
    blob = script.blob("a.py")
    script.commit(START + DAY, {"a.py": None})
    script.commit(START + 2 * DAY, {"b.py": None})
    with open_target(str(script.root)) as opened:
        assert opened.history is not None
        commits = opened.history.commits()
        span = window(commits, {blob}, START + 10 * DAY)
        assert span is not None
        assert (span.first.committed, span.last.committed) == (START, START + DAY)
        assert window(commits, {blob}, START - 1) is None


def test_widely_owned_files_are_known() -> None:
    assert is_widely_owned("e69de29bb2d1d6434b8b29ae775ad8c2e48c5391")
    assert not is_widely_owned("288bd3afd90fea91887c711ea0a6554f9145aae5")
    assert is_template("a/.DS_Store")
    assert not is_template("src/licensing.py")
