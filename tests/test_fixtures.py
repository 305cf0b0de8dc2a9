"""The fixtures are what their gold file says: nothing is run, everything is read with `ast`."""

import ast
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
LEAST_FUNCTIONS = {"original": 45, "rebadged": 45, "cited": 25, "independent": 30}
KINDS = {"renamed", "edited", "refactored", "partial"}
VOCABULARY = {
    "tuple-assignment",
    "chained-call",
    "inlined-temporary",
    "extracted-temporary",
    "comprehension",
    "loop-from-comprehension",
    "min-by-key",
    "extend",
    "split-loop",
    "merged-loops",
    "early-return",
    "ternary",
    "positional-arguments",
    "keyword-arguments",
    "floor-division",
    "truthiness",
    "inlined-helper",
    "lifted-out",
    "method-to-function",
    "parameter-from-config",
    "introduced-bug",
    "synonym-operation",
    "reordered-statements",
    "removed-assert",
    "removed-dead-code",
    "removed-docstring",
    "removed-annotations",
    "renamed",
}
# Disguises that leave every statement as it was: alpha-renaming alone undoes them.
SURFACE = {"renamed", "removed-docstring", "removed-annotations", "removed-assert"}

Function = ast.FunctionDef | ast.AsyncFunctionDef
Place = tuple[str, str]  # path, qualname


def _functions(project: str) -> dict[Place, Function]:
    """Every function of a project by its place; qualnames without `<locals>`."""
    found: dict[Place, Function] = {}
    root = FIXTURES / project
    for path in sorted(root.rglob("*.py")):
        pending: list[tuple[ast.AST, str]] = [(ast.parse(path.read_text(encoding="utf-8")), "")]
        while pending:
            node, prefix = pending.pop()
            for child in ast.iter_child_nodes(node):
                inner = prefix
                if isinstance(child, Function | ast.ClassDef):
                    inner = f"{prefix}{child.name}."
                if isinstance(child, Function):
                    found[path.relative_to(root).as_posix(), prefix + child.name] = child
                pending.append((child, inner))
    return found


def _place(side: dict[str, str]) -> Place:
    return side["path"], side["qualname"]


def _names(function: Function, qualname: str) -> set[str]:
    """Every identifier that a function spells, its own and its classes' names too."""
    names = set(qualname.split("."))
    for node in ast.walk(function):
        for field in ("id", "attr", "arg", "name"):
            value = getattr(node, field, None)
            if isinstance(value, str):
                names.add(value)
    return names


class _Bare(ast.NodeTransformer):
    """Drop docstrings, annotations and asserts; number all identifiers by first appearance."""

    def __init__(self) -> None:
        self.numbers: dict[str, str] = {}

    def visit(self, node: ast.AST) -> Any:
        """Rewrite one node in field order, so that numbering follows the text."""
        if isinstance(node, ast.Assert):
            return None
        if isinstance(node, ast.AnnAssign) and node.value is not None:
            node = ast.Assign(targets=[node.target], value=node.value)
        if isinstance(node, Function):
            node.returns = None
            if ast.get_docstring(node) is not None:
                node.body = node.body[1:]
        if isinstance(node, ast.arg):
            node.annotation = None
        for field in ("id", "attr", "arg", "name"):
            value = getattr(node, field, None)
            if isinstance(value, str):
                setattr(node, field, self.numbers.setdefault(value, f"n{len(self.numbers)}"))
        return self.generic_visit(node)


def _bare(function: Function) -> str:
    """The text of a function that only consistent renaming, comments and layout could not change."""
    copy = ast.parse(ast.unparse(function))
    return ast.dump(_Bare().visit(copy))


@pytest.fixture(scope="module")
def gold() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((FIXTURES / "gold.json").read_text(encoding="utf-8"))
    return loaded


@pytest.fixture(scope="module")
def suspect() -> dict[Place, Function]:
    return _functions("rebadged")


@pytest.fixture(scope="module")
def reference() -> dict[Place, Function]:
    return _functions("original")


@pytest.mark.parametrize("project", LEAST_FUNCTIONS)
def test_every_file_of_a_project_compiles_and_the_project_is_large_enough(project: str) -> None:
    for path in sorted((FIXTURES / project).rglob("*.py")):
        compile(path.read_text(encoding="utf-8"), str(path), "exec", dont_inherit=True)
    assert len(_functions(project)) >= LEAST_FUNCTIONS[project]


def test_every_gold_pair_names_two_functions_that_exist(
    gold: dict[str, Any], suspect: dict[Place, Function], reference: dict[Place, Function]
) -> None:
    assert gold["schema"] == "detector-gold/1"
    assert [p for p in gold["pairs"] if _place(p["suspect"]) not in suspect] == []
    assert [p for p in gold["pairs"] if _place(p["reference"]) not in reference] == []
    assert {p["kind"] for p in gold["pairs"]} <= KINDS


def test_every_function_of_the_rebadged_project_is_paired_once_or_new(
    gold: dict[str, Any], suspect: dict[Place, Function]
) -> None:
    placed = Counter(qualname for _, qualname in (_place(p["suspect"]) for p in gold["pairs"]))
    placed.update(gold["new_in_suspect"])
    assert placed == Counter(qualname for _, qualname in suspect)
    assert len({_place(p["suspect"]) for p in gold["pairs"]}) == len(gold["pairs"])


def test_every_function_of_the_original_is_a_reference_or_dropped(
    gold: dict[str, Any], reference: dict[Place, Function]
) -> None:
    used = {_place(p["reference"])[1] for p in gold["pairs"]}
    assert used.isdisjoint(gold["dropped_from_reference"])
    assert used | set(gold["dropped_from_reference"]) == {qualname for _, qualname in reference}


def test_a_reference_is_shared_only_by_pieces_that_were_lifted_out(gold: dict[str, Any]) -> None:
    whole = Counter(_place(p["reference"]) for p in gold["pairs"] if p["kind"] != "partial")
    assert [place for place, count in whole.items() if count > 1] == []
    assert all("lifted-out" in p["disguises"] for p in gold["pairs"] if p["kind"] == "partial")


def test_every_disguise_of_the_vocabulary_occurs_and_no_other(gold: dict[str, Any]) -> None:
    seen = Counter(disguise for p in gold["pairs"] for disguise in p["disguises"])
    assert set(seen) == VOCABULARY
    assert [disguise for disguise, count in seen.items() if count < 3] == []


def test_every_pair_has_a_disguise_that_alpha_renaming_does_not_undo(gold: dict[str, Any]) -> None:
    assert [_place(p["suspect"]) for p in gold["pairs"] if set(p["disguises"]) <= SURFACE] == []


def test_no_pair_is_merely_renamed(
    gold: dict[str, Any], suspect: dict[Place, Function], reference: dict[Place, Function]
) -> None:
    equal = [
        _place(p["suspect"])
        for p in gold["pairs"]
        if _bare(suspect[_place(p["suspect"])]) == _bare(reference[_place(p["reference"])])
    ]
    assert equal == []


def test_the_normaliser_undoes_renaming_docstrings_annotations_and_asserts() -> None:
    before = 'def f(a: int, b: int) -> int:\n    """Add."""\n    assert a\n    c: int = a + b\n    return c.x\n'
    after = "def g(p, q):\n    r = p + q\n    return r.y\n"
    swapped = "def g(p, q):\n    r = q + p\n    return r.y\n"
    texts = [_bare(ast.parse(source).body[0]) for source in (before, after, swapped)]  # type: ignore[arg-type]
    assert texts[0] == texts[1] != texts[2]


def test_every_rename_stands_in_both_functions(
    gold: dict[str, Any], suspect: dict[Place, Function], reference: dict[Place, Function]
) -> None:
    wrong = []
    for pair in gold["pairs"]:
        new, old = _place(pair["suspect"]), _place(pair["reference"])
        new_names, old_names = _names(suspect[new], new[1]), _names(reference[old], old[1])
        for name, was in pair["renames"].items():
            if name == was or name not in new_names or was not in old_names:
                wrong.append((new[1], name, was))
    assert wrong == []


def test_removed_docstrings_annotations_and_asserts_are_gone_from_the_suspect(
    gold: dict[str, Any], suspect: dict[Place, Function], reference: dict[Place, Function]
) -> None:
    for pair in gold["pairs"]:
        new, old = suspect[_place(pair["suspect"])], reference[_place(pair["reference"])]
        if "removed-docstring" in pair["disguises"]:
            assert ast.get_docstring(new) is None
            assert ast.get_docstring(old) is not None
        if "removed-assert" in pair["disguises"]:
            assert any(isinstance(node, ast.Assert) for node in ast.walk(old))
            assert not any(isinstance(node, ast.Assert) for node in ast.walk(new))


def test_the_common_ancestor_is_in_three_projects(gold: dict[str, Any]) -> None:
    (shared,) = gold["common_ancestor"]
    for project in ("original", "rebadged", "cited"):
        assert _place(shared[project]) in _functions(project)


def test_no_function_of_the_other_projects_is_a_renamed_original(gold: dict[str, Any]) -> None:
    shared = {_place(gold["common_ancestor"][0]["cited"])}
    originals = {_bare(function) for function in _functions("original").values()}
    for project in ("cited", "independent"):
        copies = {place for place, function in _functions(project).items() if _bare(function) in originals}
        assert copies <= shared


def test_the_rebadged_project_claims_descent_from_the_cited_one_and_never_names_the_original() -> None:
    assert "Lanternlens" in (FIXTURES / "rebadged" / "README.md").read_text(encoding="utf-8")
    for path in sorted((FIXTURES / "rebadged").rglob("*.py")):
        assert "heronvl" not in path.read_text(encoding="utf-8").lower()
