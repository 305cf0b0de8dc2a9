"""The house rules that a program can check: who imports whom, through which door a library comes in, which words."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "detector"

# Library -> the files that may import it. A library that is not here may not be imported at all.
DOORS: dict[str, tuple[str, ...]] = {
    "typer": ("cli.py", "arguments.py", "commands/*.py"),
    "rich": (
        "progress.py",
        "report/terminal.py",
        "report/layout.py",
        "report/traces.py",
        "report/ledger.py",
        "report/exhibits.py",
        "report/plots.py",
    ),
    "git": ("read/git.py",),
    "jinja2": ("report/templates.py",),
    "datasketch": ("code/signatures.py",),
    "libcst": ("code/concrete.py", "code/spelled.py"),
    "license_expression": ("artifacts/licences/expressions.py",),
    "networkx": ("code/assign.py", "lineage/families.py", "report/lineage_graphml.py"),
    "tree_sitter": ("code/tolerant/*.py",),
    "tree_sitter_python": ("code/tolerant/*.py",),
    "scipy": (
        "code/match.py",
        "code/candidates.py",
        "code/assign.py",
        "code/versions.py",
        "artifacts/weights/*.py",
    ),
    "numpy": (
        "code/*.py",
        "index/*.py",
        "distributed/*.py",
        "evidence/code.py",
        "evidence/weights.py",
        "artifacts/weights/*.py",
        "artifacts/behaviour/*.py",
        "indexed.py",
        "lookup.py",
    ),
    "ml_dtypes": ("artifacts/weights/stored.py",),
    "gguf": ("artifacts/weights/packed.py",),
    "modelscope_hub": ("read/modelscope_requests.py",),
    "huggingface_hub": ("read/traffic.py", "read/hub_listing.py", "read/hub.py", "read/hub_requests.py"),
    "rapidfuzz": ("code/textwise.py", "code/side_by_side.py", "artifacts/behaviour/overlap.py"),
    "xxhash": (
        "code/lowering/labels.py",
        "code/literals.py",
        "code/tokens.py",
        "index/postings.py",
        "artifacts/behaviour/answers.py",
    ),
    "pyarrow": ("artifacts/behaviour/parquet.py", "distributed/*.py"),
    "ray": ("distributed/tasks.py",),
    "fsspec": ("distributed/folder.py",),
}
# What a distribution of pyproject.toml is called when it is imported, where the two differ.
IMPORT_NAMES = {
    "GitPython": "git",
    "Jinja2": "jinja2",
    "license-expression": "license_expression",
    "modelscope-hub": "modelscope_hub",
    "tree-sitter": "tree_sitter",
    "tree-sitter-python": "tree_sitter_python",
}

# Part of the package -> the parts it may import besides itself. Imports point down only.
ALLOWED: dict[str, frozenset[str]] = {
    "figures": frozenset(),
    "model": frozenset({"figures"}),
    "settings": frozenset({"model"}),
    "scanned": frozenset({"model"}),
    "targets": frozenset({"model"}),
    "options": frozenset({"model", "settings"}),
    "patterns": frozenset({"model", "settings"}),
    "read": frozenset({"model", "settings", "targets", "scanned"}),
    "code": frozenset({"model", "settings", "targets"}),
    "artifacts": frozenset({"figures", "model", "settings", "targets"}),
    "index": frozenset({"model", "settings", "targets", "code", "artifacts", "read"}),
    "distributed": frozenset({"model", "settings", "targets", "code", "index", "read"}),
    "evidence": frozenset({"figures", "model", "settings", "targets", "patterns", "code", "artifacts"}),
    "judge": frozenset({"model", "settings"}),
    "report": frozenset({"figures", "model", "scanned"}),
    "ledger": frozenset({"model", "settings", "targets", "patterns", "code", "evidence", "judge"}),
    "declaring": frozenset({"model", "settings", "code", "artifacts"}),
    "matching": frozenset(
        {"model", "settings", "targets", "options", "code", "declaring", "evidence", "judge", "ledger"}
    ),
    "compare": frozenset(
        {"model", "settings", "targets", "options", "code", "artifacts", "evidence", "judge", "ledger", "matching"}
    ),
    "own": frozenset(),
    "indexed": frozenset({"model", "settings", "targets", "code", "index"}),
    "lookup": frozenset({"model", "settings", "targets", "code", "indexed"}),
    "hook": frozenset(
        {
            "model",
            "settings",
            "targets",
            "code",
            "artifacts",
            "declaring",
            "judge",
            "indexed",
            "lookup",
            "own",
            "read",
            "report",
        }
    ),
    "lineage": frozenset({"model", "scanned", "settings"}),
    "scan": frozenset(
        {
            "model",
            "scanned",
            "settings",
            "targets",
            "options",
            "read",
            "code",
            "artifacts",
            "index",
            "compare",
            "lineage",
            "gate",
            "formats",
            "report",
            "report_files",
            "write",
        }
    ),
    "explanations": frozenset({"model", "settings", "patterns", "code", "evidence"}),
    "unrename": frozenset({"model", "settings", "targets", "code"}),
    "report_files": frozenset({"model"}),
    "write": frozenset({"model", "read"}),
    "renamed_weights": frozenset({"model", "settings", "targets", "artifacts", "write"}),
    "gate": frozenset({"model", "report"}),
    "suppressions": frozenset({"model", "targets", "patterns", "artifacts", "report"}),
    "baseline": frozenset({"model", "report"}),
    "accepted": frozenset({"model", "report", "baseline", "suppressions"}),
    "audit": frozenset({"model", "settings", "report", "baseline", "suppressions", "accepted"}),
    "configured": frozenset({"model", "report"}),
    "formats": frozenset({"model", "report"}),
    "progress": frozenset({"report"}),
    "arguments": frozenset({"formats"}),
    "commands": frozenset(
        {
            "model",
            "targets",
            "arguments",
            "options",
            "read",
            "index",
            "distributed",
            "compare",
            "scanned",
            "scan",
            "lineage",
            "hook",
            "indexed",
            "explanations",
            "unrename",
            "renamed_weights",
            "report",
            "formats",
            "report_files",
            "write",
            "gate",
            "suppressions",
            "baseline",
            "accepted",
            "audit",
            "progress",
        }
    ),
    "cli": frozenset({"model", "arguments", "configured", "commands", "gate"}),
    "__main__": frozenset({"cli"}),
    "__init__": frozenset({"model", "compare", "read", "report"}),  # the public API
}
# Modules of `report/` that are no format: how to show things, and how to write and read them as JSON.
SHARED = {
    "report": {
        "assets", "bars", "captions", "descent_drawing", "descents", "documents", "drawing", "escaping", "exhibits",
        "figure_documents", "figure_reading", "figures", "findings", "flows", "graph", "heat", "lanes", "layout",
        "ledger", "mosaics", "licences", "names", "occurrence_lanes", "pictures", "plots", "rounding", "sarif_rules",
        "scan_documents", "sides", "summary", "templates", "timeline", "told", "traces", "typed", "words",
    }
}  # fmt: skip
# The parts below the line: no disk, no network, no clock.
PURE = (
    "model",
    "figures",
    "settings",
    "scanned",
    "targets",
    "options",
    "patterns",
    "code",
    "artifacts",
    "evidence",
    "judge",
    "ledger",
    "matching",
    "declaring",
    "lineage",
    "own",
    "lookup",
    "explanations",
    "report",
    "compare",
    "unrename",
    "gate",
    "suppressions",
    "baseline",
    "accepted",
    "audit",
)
DISK = {"fileinput", "glob", "os", "pathlib", "shutil", "sqlite3", "tarfile", "tempfile", "zipfile"}
NETWORK = {"asyncio", "ftplib", "http", "select", "smtplib", "socket", "ssl", "urllib", "webbrowser"}
CLOCK = {"datetime", "time"}
PROCESSES = {"subprocess", "threading", "pty"}
WORLDLY = DISK | NETWORK | CLOCK | PROCESSES
WORKERS = {"concurrent", "multiprocessing", "signal"}
WORKER_DOOR = "code/bulk.py"

# Loading any of these runs what it reads.
EXECUTING_MODULES = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "runpy", "code", "codeop", "imp"}
# ... but for this one: a program of its own that hands over to pip, which is ours, and keeps pip from running anything.
RUNS_PIP = "read/pip_without_processes.py"
EXECUTING_CALLS = {"eval", "exec", "compile", "__import__", "import_module", "exec_module", "load_module"}
FORBIDDEN_NAMES = re.compile(r"(^|_)(utils?|base|managers?|helpers?)(_|$)")
FORBIDDEN_WORDS = re.compile(r"stolen|guilt|plagiari|\bthie(f|ves)\b|\btheft|\bcheat|culprit", re.IGNORECASE)
DISTRIBUTION = "ml-plagiarism-detector"

FILES = sorted(PACKAGE.rglob("*.py"))
NAMES = [file.relative_to(PACKAGE).as_posix() for file in FILES]


def _tree(name: str) -> ast.Module:
    return ast.parse((PACKAGE / name).read_text("utf-8"), name)


def _part(name: str) -> str:
    """`code/flow.py` -> `code`; `cli.py` -> `cli`."""
    return name.split("/", maxsplit=1)[0].removesuffix(".py")


def _imports(name: str) -> Iterator[str]:
    """Every module that the file imports, anywhere in it, with dots; `from a import b` counts as `a.b`."""
    for node in ast.walk(_tree(name)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}:{node.lineno}: imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _own_imports(name: str) -> Iterator[list[str]]:
    """Imports from the package itself, without `detector.`: `["code", "flow", "Flow"]`."""
    for module in _imports(name):
        first, *rest = module.split(".")
        if first == "detector" and rest != ["__version__"]:  # which everybody may know
            yield rest


def _roots(name: str) -> set[str]:
    return {module.split(".")[0] for module in _imports(name)}


def _is_let_in(name: str, doors: Iterable[str]) -> bool:
    return any(fnmatch(name, door) for door in doors)


def test_there_is_something_to_check() -> None:
    assert {"model.py", "cli.py", "compare.py", "judge.py"} <= set(NAMES)
    assert {_part(name) for name in NAMES} >= {"read", "code", "evidence", "report"}


@pytest.mark.parametrize("name", NAMES)
def test_imports_point_down_only(name: str) -> None:
    part = _part(name)
    assert part in ALLOWED, f"a new part: say in ALLOWED what {part} may import"
    for parts in _own_imports(name):
        assert parts, f"{name} imports the whole package"
        assert parts[0] == part or parts[0] in ALLOWED[part], f"{name} imports detector.{'.'.join(parts)}"


@pytest.mark.parametrize("folder", ["evidence", "report"])
def test_evidence_files_never_import_each_other_nor_do_reports(folder: str) -> None:
    siblings = [name for name in NAMES if _part(name) == folder and not name.endswith("__init__.py")]
    modules = {name.split("/")[-1].removesuffix(".py") for name in siblings} - SHARED.get(folder, set())
    for name in siblings:
        imported = {parts[1] for parts in _own_imports(name) if parts[0] == folder and len(parts) > 1}
        assert not imported & modules, f"{name} imports {sorted(imported & modules)}"


@pytest.mark.parametrize("name", [name for name in NAMES if _part(name) in PURE])
def test_the_pure_half_touches_no_disk_no_network_and_no_clock(name: str) -> None:
    assert not _roots(name) & WORLDLY
    if name != WORKER_DOOR:
        assert not _roots(name) & WORKERS, f"worker processes belong in {WORKER_DOOR}"
    calls = {node.func.id for node in ast.walk(_tree(name)) if _is_call_of_name(node)}  # type: ignore[attr-defined]
    assert not calls & {"open", "input"}


@pytest.mark.parametrize("name", NAMES)
def test_each_library_enters_through_its_door(name: str) -> None:
    for root in _roots(name) - {"detector", "_typeshed"} - sys.stdlib_module_names:
        assert root in DOORS, f"{name} imports {root}: no door is known for it"
        assert _is_let_in(name, DOORS[root]), f"{name} imports {root}: its door is {DOORS[root]}"


def test_every_door_is_a_declared_library_and_every_declared_library_has_a_door() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = [line for name, lines in project["optional-dependencies"].items() if name != "dev" for line in lines]
    distributions = [re.split(r"[<>=!~ \[;]", line)[0] for line in [*project["dependencies"], *extras]]
    assert {IMPORT_NAMES.get(name, name) for name in distributions} == set(DOORS)


def test_every_declared_library_is_used() -> None:
    used = set().union(*map(_roots, NAMES))
    assert set(DOORS) <= used


def test_every_data_file_is_installed_with_the_package() -> None:
    tool = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]
    patterns = tool["setuptools"]["package-data"]["detector"]
    data = [file for file in PACKAGE.rglob("*") if file.is_file() and file.suffix not in {".py", ".pyc"}]
    left_out = [file.relative_to(PACKAGE) for file in data if not any(file in PACKAGE.glob(each) for each in patterns)]
    assert data
    assert left_out == []


@pytest.mark.parametrize("name", NAMES)
def test_nothing_that_is_scanned_can_be_run(name: str) -> None:
    assert not _roots(name) & EXECUTING_MODULES - ({"runpy"} if name == RUNS_PIP else set())
    assert all(parts[-1] != Path(RUNS_PIP).stem for parts in _own_imports(name)), f"{RUNS_PIP} is run, not imported"
    for node in ast.walk(_tree(name)):
        if isinstance(node, ast.Call):
            function = node.func
            called = function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")
            is_regex = called == "compile" and isinstance(function, ast.Attribute)
            assert called not in EXECUTING_CALLS or is_regex, f"{name}:{node.lineno} calls {called}"
            assert all(keyword.arg not in ("allow_pickle", "shell") for keyword in node.keywords), (
                f"{name}:{node.lineno}"
            )


@pytest.mark.parametrize("name", [name for name in NAMES if name != "commands/running.py"])
def test_only_one_module_prints(name: str) -> None:
    for node in ast.walk(_tree(name)):
        is_print = _is_call_of_name(node) and node.func.id == "print"  # type: ignore[attr-defined]
        is_stream = isinstance(node, ast.Attribute) and node.attr in ("stdout", "stderr") and _is_sys(node.value)
        assert not is_print, f"{name} prints"
        assert not is_stream, f"{name} uses sys.{node.attr}"  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", NAMES)
def test_modules_are_named_after_what_they_hold(name: str) -> None:
    for part in name.removesuffix(".py").split("/"):
        assert not FORBIDDEN_NAMES.search(part), name


@pytest.mark.parametrize("name", NAMES)
def test_every_module_says_in_its_first_line_what_it_is(name: str) -> None:
    assert ast.get_docstring(_tree(name)), name


@pytest.mark.parametrize("name", NAMES)
def test_no_text_accuses_anyone(name: str) -> None:
    for node in ast.walk(_tree(name)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found = FORBIDDEN_WORDS.search(node.value.replace(DISTRIBUTION, ""))
            assert found is None, f"{name}:{node.lineno}: {found.group() if found else ''}"


@pytest.mark.parametrize("file", sorted(path for end in ("*.toml", "*.json") for path in PACKAGE.rglob(end)), ids=str)
def test_no_data_accuses_anyone(file: Path) -> None:
    assert FORBIDDEN_WORDS.search(file.read_text("utf-8")) is None


def _is_call_of_name(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name)


def _is_sys(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "sys"
