"""Dangling references: names that lead to nothing in the suspect, and to something that a reference has."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from detector.artifacts.credits.naming import common_names
from detector.evidence import dangling
from detector.model import Evidence, Look, Skipped, Strength
from detector.patterns import PATTERNS
from detector.targets import Change, Commit, Comparison, Head, Repo
from tests.repositories import InMemory, repo

HERON = {
    "modeling_heronvl.py": "class HeronForChat:\n    pass\n",
    "heronvl/__init__.py": "",
    "heronvl/slicing.py": "",
    "heronvl/towers/packed.py": "class PackedTower:\n    pass\n",
    "configs/heron-2b.yaml": "",
    "README.md": "# Heron-VL\n\nSee https://github.com/someone/heron-vl.\n",
}
AUTO = json.dumps({"auto_map": {"AutoModel": "modeling_heronvl.HeronForChat", "AutoTokenizer": ["a_b.C", None]}})


def _looks(mine: Mapping[str, str | bytes], *references: Repo) -> tuple[Look, ...]:
    suspect = repo("mine", mine)
    return dangling.find(Comparison(suspect, "mine", {each.name: each for each in references or (_heron(),)}))


def _heron(files: Mapping[str, str | bytes] | None = None, name: str = "heron") -> Repo:
    return repo(name, files or HERON)


def _lines(mine: Mapping[str, str | bytes], *references: Repo) -> dict[str, Evidence]:
    """The lines about the first reference, by pattern."""
    return {line.name: line for line in _looks(mine, *references)[0].evidence}


def _places(mine: Mapping[str, str | bytes], pattern: str, *references: Repo) -> list[tuple[str, int]]:
    lines = _lines(mine, *references)
    return list(lines[pattern].places) if pattern in lines else []


# --- what configurations name --------------------------------------------------------------------------------


def test_a_module_of_an_auto_map_that_only_the_reference_has_dangles() -> None:
    lines = _lines({"config.json": AUTO, "a.py": "x = 1\n"})
    line = lines["missing-module"]
    assert "config.json:1 of the suspect names `modeling_heronvl.HeronForChat`" in line.claim
    assert "modeling_heronvl.py" in line.claim
    assert line.measures["exclusive_names"] == line.measures["names"] == 1
    assert line.strength is Strength.MODERATE
    assert line.innocent


def test_its_class_dangles_as_well_if_only_the_reference_defines_it() -> None:
    assert _places({"config.json": AUTO}, "missing-class") == [("config.json", 1)]


@pytest.mark.parametrize("path", ["modeling_heronvl.py", "deep/modeling_heronvl.py"])
def test_a_module_that_the_suspect_has_leads_somewhere(path: str) -> None:
    assert not _lines({"config.json": AUTO, path: "class HeronForChat: ...\n"})


@pytest.mark.parametrize("key", ["architectures", "tokenizer_class", "processor_class", "image_processor_type"])
def test_classes_that_other_keys_name_are_followed(key: str) -> None:
    value = ["PackedTower"] if key == "architectures" else "PackedTower"
    text = json.dumps({"x": [{"y": {key: value}}]}, indent=1)
    assert _places({"sub/preprocessor_config.json": text}, "missing-class") == [
        ("sub/preprocessor_config.json", text[: text.index('"PackedTower"')].count("\n") + 1)
    ]


def test_classes_of_libraries_lead_nowhere_in_the_reference_either() -> None:
    assert not _lines({"config.json": '{"architectures": ["LlamaForCausalLM"], "tokenizer_class": "LlamaTokenizer"}'})


def test_code_on_a_hub_is_followed_by_its_module() -> None:
    text = '{"auto_map": {"AutoModel": "someone/heron-vl--modeling_heronvl.HeronForChat"}}'
    lines = _lines({"config.json": text})
    assert {"missing-module", "names-the-source"} <= set(lines)


# --- what Python imports -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "import heronvl\n",
        "import heronvl.slicing as s\n",
        "from heronvl.slicing import cut\n",
        "import os, heronvl\n",
        "from heronvl import (\n    slicing,\n)\n",
    ],
)
def test_an_import_of_a_package_that_only_the_reference_has_dangles(text: str) -> None:
    assert _places({"mine/__init__.py": "", "mine/a.py": text}, "missing-module") == [("mine/a.py", 1)]


def test_a_relative_import_of_what_was_left_behind_dangles() -> None:
    mine = {"mine/__init__.py": "", "mine/a.py": "x = 1\nfrom .slicing import cut\nfrom ..towers.packed import P\n"}
    assert _places(mine, "missing-module") == [("mine/a.py", 2), ("mine/a.py", 3)]
    assert not _lines({**mine, "mine/slicing/deep.py": "", "towers/packed.py": ""})


def test_an_import_from_the_own_package_of_what_the_reference_has_in_its_dangles() -> None:
    mine = {"mine/__init__.py": "", "mine/a.py": "from mine.slicing import cut\n"}
    assert _places(mine, "missing-module") == [("mine/a.py", 1)]


@pytest.mark.parametrize(
    "text",
    [
        "try:\n    import heronvl\nexcept ImportError:\n    heronvl = None\n",
        "def load():\n    import heronvl\n",
        "try:\n    from .slicing import cut\nexcept ImportError:\n    pass\n",
        "if TYPE_CHECKING:\n    from .slicing import cut\n",
        "# import heronvl\n",
        '"""\nimport heronvl\n"""\n',
        "TEXT = '''\nimport heronvl\n'''\n",
        "import json\nimport torch\nfrom transformers.models.slicing import x\n",
    ],
)
def test_optional_imports_and_what_only_looks_like_one_do_not_dangle(text: str) -> None:
    assert not _lines({"mine/__init__.py": "", "mine/a.py": text})


@pytest.mark.parametrize(
    "manifest",
    [
        {"requirements.txt": "torch\nheron-vl>=1.0  # model\n"},
        {"requirements/dev.txt": "-r x.txt\nheronvl\n"},
        {"requirements.txt": "git+https://github.com/someone/heron-vl.git@main\n"},
        {"pyproject.toml": '[project]\nname = "mine"\ndependencies = ["torch", "heronvl[all]~=1.0"]\n'},
        {"pyproject.toml": '[project.optional-dependencies]\nextra = ["heron_vl"]\n'},
        {"pyproject.toml": '[tool.poetry.dependencies]\npython = "^3.11"\nheronvl = "*"\n'},
        {"setup.py": "setup(install_requires=['torch', 'heronvl'])\n"},
        {"setup.cfg": "[options]\ninstall_requires =\n    torch\n    heronvl>=1\n"},
        {"mine-1.0.dist-info/METADATA": "Name: mine\nRequires-Dist: heronvl (>=1.0) ; extra == 'x'\n\nText\n"},
        {"environment.yml": "dependencies:\n  - python=3.11\n  - pip:\n    - heronvl==1.0\n"},
    ],
)
def test_what_the_suspect_lists_as_a_dependency_never_dangles(manifest: dict[str, str]) -> None:
    mine = {"mine/a.py": "import heronvl\n", "config.json": AUTO, "run.sh": "python -m heronvl.slicing\n"}
    assert _lines(mine)
    (look,) = _looks({**mine, **manifest})
    assert not look.evidence
    assert not look.examined.is_possible
    assert "dependency" in look.examined.about


def test_where_no_dependencies_are_listed_what_can_be_installed_may_be_used() -> None:
    reference = _heron({**HERON, "pyproject.toml": '[project]\nname = "heron-vl"\n'})
    mine = {"a.py": "import heronvl\n"}
    assert not _lines(mine, reference)
    assert _lines({**mine, "requirements.txt": "torch\n"}, reference)


def test_names_that_everybody_uses_lead_to_nobody() -> None:
    assert {"utils", "modeling", "trainer"} <= common_names()
    reference = _heron({"trainer.py": "", "utils/tokenizer.py": "", "configs/default.yaml": "", "tests/test_a.py": ""})
    mine = {
        "a.py": "import trainer\nfrom .tokenizer import x\nfrom utils.tokenizer import y\n",
        "run.sh": "python -m trainer\ncat configs/default.yaml\n",
        "config.json": '{"auto_map": {"AutoModel": "trainer.Trainer"}}',
    }
    assert not _lines(mine, reference)


# --- paths, commands, entry points ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "text", "name"),
    [
        ("run.sh", "python heronvl/slicing.py --fast\n", "missing-path"),
        ("run.sh", "python ./heronvl/towers/packed.py\n", "missing-path"),
        ("Dockerfile", "CMD python configs/heron-2b.yaml\n", "missing-path"),
        ("conf/train.yaml", "model: configs/heron-2b.yaml\n", "missing-path"),
        ("a.py", "PATH = 'configs/heron-2b.yaml'\n", "missing-path"),
        ("demo.ipynb", '{"cells": [{"source": ["x\\nconfigs/heron-2b.yaml"]}]}', "missing-path"),
        ("README.md", "Run\n\n    python -m heronvl.slicing\n", "missing-module"),
        ("run.sh", "CUDA=1 python3 -u -m heronvl.slicing x\n", "missing-module"),
        ("pyproject.toml", '[project.scripts]\nheron = "heronvl.slicing:main"\n', "missing-module"),
        ("mine-1.0.dist-info/entry_points.txt", "[console_scripts]\nheron = heronvl.slicing:main\n", "missing-module"),
    ],
)
def test_files_and_commands_that_only_the_reference_has_dangle(path: str, text: str, name: str) -> None:
    (place,) = _places({"x.py": "", path: text}, name)
    assert place[0] == path


@pytest.mark.parametrize(
    "text",
    [
        "https://github.com/else/thing/blob/main/configs/heron-2b.yaml\n",
        "# Adapted from configs/heron-2b.yaml\n",
        "# Copied from the file\n# configs/heron-2b.yaml\n",
        "/etc/configs/heron-2b.yaml.gz\n",
        "x/configs/heron-2b.yaml\n",
        "configs/heron-2b.yamlx\n",
    ],
)
def test_addresses_credits_and_other_paths_are_no_dangling_paths(text: str) -> None:
    assert not _lines({"a.sh": text})


def test_a_path_that_leads_somewhere_in_the_suspect_does_not_dangle() -> None:
    assert not _lines({"run.sh": "cat configs/heron-2b.yaml\n", "deep/configs/heron-2b.yaml": ""})


# --- addresses -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.py", "x = load('someone/heron-vl')\n"),
        ("a.py", "URL = 'https://github.com/Someone/Heron-VL/archive/main.zip'\n"),
        ("run.sh", "--model someone/heron-vl\n"),
        ("conf.yaml", "init: someone/heron-vl\n"),
        ("demo.ipynb", '{"source": "load(\\"someone/heron-vl\\")"}'),
        ("README.md", "Run\n\n```\nhf download someone/heron-vl\n```\n"),
        ("Dockerfile", "RUN git clone https://github.com/someone/heron-vl.git\n"),
    ],
)
def test_an_address_of_the_reference_outside_of_prose_is_told(path: str, text: str) -> None:
    (place,) = _places({"x.py": "", path: text}, "names-the-source")
    assert place[0] == path


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.py", "# see https://github.com/someone/heron-vl\n"),
        ("a.py", '"""As https://github.com/someone/heron-vl does it."""\n'),
        ("a.py", "x = 'someone/heron-vl-large'\ny = 'xsomeone/heron-vl'\nz = 'someone/heron-vl.5'\n"),
        ("README.md", "We compare with https://github.com/someone/heron-vl.\n"),
        ("mine-1.0.dist-info/METADATA", "Name: mine\n\nhttps://github.com/someone/heron-vl\n"),
        ("LICENSE", "https://github.com/someone/heron-vl\n"),
    ],
)
def test_a_mention_is_no_dangling_address(path: str, text: str) -> None:
    assert not _lines({"x.py": "", path: text})


def test_an_address_is_no_finding_where_the_readme_credits_the_source() -> None:
    mine = {"a.py": "x = load('someone/heron-vl')\n"}
    assert _lines(mine)
    assert not _lines({**mine, "README.md": "Mine is based on Heron-VL.\n"})


def test_a_later_version_of_the_reference_names_itself() -> None:
    assert not _lines({**HERON, "a.py": "x = load('someone/heron-vl')\n"})


# --- several references --------------------------------------------------------------------------------------


def test_what_two_references_have_is_ambiguous_and_weak() -> None:
    mine = {"config.json": AUTO}
    looks = _looks(mine, _heron(), _heron({"modeling_heronvl.py": "x = 1\n"}, "other"))
    for look, other in zip(looks, ("other", "heron"), strict=True):
        (line,) = [each for each in look.evidence if each.name == "missing-module"]
        assert line.strength is Strength.WEAK
        assert line.measures["exclusive_names"] == 0
        assert f"{other} has it as well" in line.claim
        (exhibit,) = look.exhibits
        assert other in {row[-1] for row in exhibit.rows}
    assert [line.name for line in looks[1].evidence] == ["missing-module"]


class _Past:
    """A history with versions of files."""

    def __init__(self, *versions: tuple[str, str, bytes]) -> None:
        self._blobs = {f"{number:040d}": data for number, (_, _, data) in enumerate(versions)}
        self._commits = [
            Commit(commit, (), 0, 0, "", (Change(path, "", f"{number:040d}"), Change("sub", "", "f" * 40, True)))
            for number, (commit, path, _) in enumerate(versions)
        ]

    def commits(self) -> Sequence[Commit]:
        return self._commits

    def skipped(self) -> list[Skipped]:
        return []

    def blob(self, blob: str, most_bytes: int) -> Head | None:
        data = self._blobs.get(blob)
        return None if data is None else Head(data[:most_bytes], len(data))


def test_an_earlier_version_of_the_same_file_tells_two_references_apart() -> None:
    text = '{"auto_map": {"AutoTokenizer": ["modeling_heronvl.Wrapper", null]}}'
    past = _Past(
        ("1" * 40, "old/tokenizer_config.json", text.encode()),
        ("2" * 40, "modeling_heronvl.py", b"x = 1\nclass Wrapper(Tokenizer):\n    pass\n"),
        ("3" * 40, "old/tokenizer_config.json", b"{}"),
    )
    heron = replace(_heron(), history=past)
    looks = _looks({"deep/tokenizer_config.json": text}, heron, _heron(name="other"))
    lines = {line.name: line for line in looks[0].evidence}
    module, missing = lines["missing-module"], lines["missing-class"]
    assert module.strength is Strength.MODERATE
    assert "the same file of heron says the same in commit 111111111111" in module.claim
    assert "had it (modeling_heronvl.py in commit 222222222222)" in missing.claim
    assert [line.strength for line in looks[1].evidence] == [Strength.WEAK]


# --- bounds and hostile input --------------------------------------------------------------------------------


def test_no_line_is_stronger_than_its_null_allows() -> None:
    for pattern in dangling.PATTERNS_OF.values():
        null = PATTERNS[f"dangling/{pattern}"].null
        assert null is not None
        assert null.most() is Strength.MODERATE


def test_every_row_says_where_the_name_stands_and_where_it_leads() -> None:
    (exhibit,) = _looks({"config.json": AUTO, "a.py": "import heronvl\n"})[0].exhibits
    assert exhibit.columns[:2] == ("file", "line")
    assert ("a.py", 1, "module", "import", "import heronvl", "heronvl/__init__.py", "", "") in exhibit.rows


def test_a_great_many_names_are_counted_and_not_all_listed() -> None:
    reference = _heron({f"heronvl/part{number}x.py": "" for number in range(300)})
    text = "".join(f"heronvl/part{number}x.py\n" for number in range(300))
    (look,) = _looks({"list.sh": text}, reference)
    assert look.evidence[0].measures["names"] == 300
    assert (len(look.exhibits[0].rows), look.exhibits[0].omitted) == (100, 200)


HOSTILE: dict[str, str | bytes] = {
    "config.json": "[" * 200_000,
    "nested.json": '{"auto_map": ' * 50_000,
    "wrong.json": json.dumps(
        {"auto_map": [1, {"a": 2}], "architectures": {"a": None}, "tokenizer_class": [[]] * 1_000}
    ),
    "twice.json": '{"auto_map": {"A": "a.B"}, "auto_map": NaN, "tokenizer_class": "\\ud800\\u202e"}',
    "number.json": '{"auto_map": ' + "9" * 10_000 + "}",
    "long.json": json.dumps({"auto_map": {"A": "a." * 100_000 + "B"}}),
    "spaces.py": "from" + " " * 200_000 + "\nimport" + " " * 200_000 + "\nfrom ." + " " * 100_000 + "x",
    "dots.py": "from " + "." * 100_000 + "x import y\n" + "from .a" + ".b" * 50_000 + " import c\n",
    "imports.py": "import " + ",".join(f"a{number}" for number in range(20_000)),
    "indent.py": "try:\n" + "    from .a import b\n" * 5_000,
    "paths.sh": "a/" * 100_000 + "b.py " + "a-" * 50_000 + "/x.py " + "../" * 50_000 + "x.py",
    "module.sh": "python " + "-u " * 50_000 + "-m x " + "python -m " + "a." * 50_000,
    "entries/entry_points.txt": "a = " * 50_000 + "\n" + "a=b.c:d\n" * 5_000,
    "notes.md": "```\n" * 50_000,
    "binary.txt": b"\0\xff" * 10_000,
    "requirements.txt": "x" * 100_000 + "\n" + "git+https://@@#" * 10_000,
    "pyproject.toml": "a." * 20_000 + "b = 1",
    "setup.py": "install_requires=[" * 20_000,
}


def test_hostile_files_on_either_side_are_read_within_bounds() -> None:
    for suspect, reference in ((HOSTILE, HERON), (HERON, HOSTILE), (HOSTILE, HOSTILE)):
        (look,) = _looks(suspect, _heron(reference))
        str(look).encode("utf-8")
        assert all(len(str(cell)) <= 300 for exhibit in look.exhibits for row in exhibit.rows for cell in row)


def test_what_cannot_be_read_is_told_under_the_name_of_the_suspect() -> None:
    class Broken(InMemory):
        def head(self, path: str, most_bytes: int) -> Head | Skipped:
            return Skipped(path, "gone")

    suspect = Repo("mine", "mine", "", Broken({"config.json": AUTO, "a.py": "x = 1\n"}))
    (look,) = dangling.find(Comparison(suspect, "mine", {"heron": _heron()}))
    assert Skipped("mine:config.json", "gone") in look.skipped
    assert not look.evidence


def test_of_very_many_files_the_ones_nearest_to_the_top_are_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dangling, "MOST_POINTING_FILES", 2)
    mine = {f"deep/{number}.sh": "python heronvl/slicing.py\n" for number in range(5)} | {"config.json": AUTO}
    (look,) = _looks(mine)
    assert [each.reason for each in look.skipped] == ["4 more files are not searched for names"]
    assert {row[0] for row in look.exhibits[0].rows} == {"config.json", "deep/0.sh"}
