"""Files to functions' shingles: what is read, what is skipped and why, which names are the repository's own."""

from __future__ import annotations

import gc
import sys
import warnings
from collections.abc import Iterator, Mapping

import numpy as np
import pytest

from detector.code import bulk, parse
from detector.code.bulk import compared_packages, local_packages, missing_functions, read_corpus
from detector.code.corpus import Corpus
from detector.code.lowering.python import begin
from detector.code.parse import lower_file, parse_file, shingles_of
from detector.model import Role, Skipped
from detector.targets import SourceFile
from tests.repositories import ANNEAL, BEAMS, PARSE, ROUTE, SPECTRUM, WARP, InMemory, fixture_files

ONE = "def one(x):\n    return x.mean(-1).sqrt() + 1\n"
TWO = "def two(x):\n    return x.sum(0).exp() * 3\n"


def _read(files: Mapping[str, str | bytes], jobs: int = 1) -> Corpus:
    held = InMemory(files)
    return read_corpus(held, held.paths(), jobs)


def _functions(corpus: Corpus) -> dict[tuple[str, str], frozenset[int]]:
    offsets, hashes = corpus.shingles.offsets, corpus.shingles.hashes
    return {
        (span.path, span.qualname): frozenset(hashes[offsets[number] : offsets[number + 1]].tolist())
        for number, span in enumerate(corpus.spans)
    }


# --- names of one's own --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("paths", "local"),
    [
        (["heron/__init__.py", "heron/a.py", "heron/deep/__init__.py", "heron/deep/b.py"], {"heron"}),
        (["src/heron/__init__.py", "src/heron/a.py"], {"src", "heron"}),
        (["train.py", "layers.py"], {"train", "layers"}),
        (["train.py", "heron/__init__.py", "heron/layers.py"], {"train", "heron"}),
        # A folder of modules without __init__.py: run from the folder, or as a namespace.
        (["heron/layers.py"], {"heron", "layers"}),
        (["heron/__init__.py", "heron/deep/b.py"], {"heron", "b"}),
        (["tools/convert/main.py"], {"tools", "convert", "main"}),
        (["bin/train"], {"bin", "train"}),
        # A stray __init__.py at the root takes nothing away.
        (["__init__.py", "layers.py", "heron/__init__.py", "heron/a.py"], {"layers", "heron"}),
        ([], set()),
    ],
)
def test_a_repository_imports_itself_by_what_has_no_package_around_it(paths: list[str], local: set[str]) -> None:
    assert local_packages(paths) - {""} == local
    assert local_packages(reversed(paths)) == local_packages(paths)


@pytest.mark.parametrize(
    "paths",
    [
        ["torch/layers.py"],
        ["backends/torch/__init__.py"],
        ["src/backends/torch/__init__.py"],
        ["src/heron/torch/__init__.py", "src/heron/__init__.py"],
        ["heron/torch/__init__.py", "heron/__init__.py"],
        ["examples/torch/train.py"],
        ["torch.py"],
        ["scripts/numpy.py", "math.py", "json.py"],
    ],
)
def test_a_folder_or_module_called_torch_does_not_take_the_name_away(paths: list[str]) -> None:
    assert not local_packages(paths) & {"torch", "numpy", "math", "json"}


@pytest.mark.parametrize("paths", [["torch/__init__.py", "torch/nn.py"], ["src/torch/__init__.py"]])
def test_torch_itself_may_call_itself_torch(paths: list[str]) -> None:
    assert "torch" in local_packages(paths)


def test_own_packages_have_no_name_and_libraries_have() -> None:
    """A renamed package of one's own changes nothing; another library does."""
    text = "import {0}.pool as p\nfrom {0} import gather\n\ndef f(x):\n    return p.rows(gather(x), 3).sqrt()\n"
    corpora = [_read({f"{name}/__init__.py": "", f"{name}/a.py": text.format(name)}) for name in ("heron", "kestrel")]
    assert [*_functions(corpora[0]).values()] == [*_functions(corpora[1]).values()]
    foreign = _read({"heron/__init__.py": "", "heron/a.py": text.format("pelican")})
    assert [*_functions(foreign).values()] != [*_functions(corpora[0]).values()]


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        (["heron/__init__.py", "heron/a.py", "setup.py", "src/kestrel/__init__.py"], {"heron", "kestrel"}),
        (["heron/sub/__init__.py", "__init__.py", "a.py"], set()),
        (["transformers/__init__.py", "torch/__init__.py", "math/__init__.py"], {"transformers"}),
    ],
)
def test_what_a_suspect_is_held_against_counts_as_its_own_but_for_what_all_is_written_in(
    reference: list[str], expected: set[str]
) -> None:
    assert compared_packages(reference) == expected


# --- what is read --------------------------------------------------------------------------------------------


def test_functions_come_in_the_order_of_the_files_with_their_places() -> None:
    corpus = _read({"b.py": "\n\n" + TWO, "a/x.py": "class A:\n    def m(self):\n        return 1\n\n" + ONE})
    places = [(span.path, span.qualname, span.first_line, span.last_line) for span in corpus.spans]
    assert places == [("a/x.py", "A.m", 2, 3), ("a/x.py", "one", 5, 6), ("b.py", "two", 3, 4)]
    assert (corpus.files, corpus.skipped) == (2, ())
    assert len(corpus.calls) == len(corpus.spans) == len(corpus.shingles.offsets) - 1
    assert corpus.shingles.offsets[-1] == len(corpus.shingles.hashes)


def test_roles_are_kept() -> None:
    corpus = read_corpus([SourceFile("t/test_x.py", ONE.encode(), Role.TEST)], ["t/test_x.py"])
    assert corpus.spans[0].role is Role.TEST


def test_functions_of_many_batches_keep_their_own_shingles(monkeypatch: pytest.MonkeyPatch) -> None:
    files = {f"{n}.py": text for n, text in enumerate((WARP, ROUTE, PARSE, ANNEAL, BEAMS, SPECTRUM))}
    expected = _functions(_read(files))
    monkeypatch.setattr(bulk, "BATCH_RECORDS", 1)
    assert _functions(_read(files)) == expected
    monkeypatch.setattr(bulk, "TASK_BYTES", 1)
    assert _functions(_read(files)) == expected
    for path, text in files.items():
        alone = shingles_of(text.encode(), local_packages(files))
        assert alone == {name: found for (place, name), found in expected.items() if place == path}


def test_what_a_function_calls_is_kept_with_it() -> None:
    corpus = _read({"a.py": "def f(x):\n    return g(x) + len(x)\n\n\ndef g(x):\n    return x\n"})
    assert dict(zip((span.qualname for span in corpus.spans), corpus.calls, strict=True)) == {"f": ("g",), "g": ()}


def test_a_stub_is_not_comparable() -> None:
    corpus = _read({"a.py": ONE + '\n\ndef stub(x):\n    """Nothing."""\n'})
    assert (len(corpus.spans), corpus.comparable) == (2, 1)


def test_nothing_to_read_is_an_empty_corpus() -> None:
    corpus = read_corpus([], [])
    assert (corpus.spans, corpus.files, corpus.comparable) == ((), 0, 0)
    assert corpus.shingles.offsets.tolist() == [0]


def test_a_digest_survives_moved_lines_and_renames_but_no_other_computation() -> None:
    moved = "# a remark\n\n" + ONE.replace("one", "uno").replace("x", "values")
    first, other, changed = (_read({"a.py": text}) for text in (ONE, moved, ONE.replace("mean", "sum")))
    assert first.digest(0) == other.digest(0)
    assert first.digest(0) != changed.digest(0)
    assert len(first.digest(0)) == 16
    assert int(first.digest(0), 16)


# --- what is not ---------------------------------------------------------------------------------------------


def test_what_could_not_be_read_is_passed_on_with_its_reason() -> None:
    held = InMemory({"a.py": ONE}, [Skipped("large.py", "too large"), Skipped("link.py", "a symbolic link")])
    corpus = read_corpus(held, held.paths())
    assert corpus.skipped == (Skipped("large.py", "too large"), Skipped("link.py", "a symbolic link"))
    assert [span.qualname for span in corpus.spans] == ["one"]


def test_a_file_with_a_syntax_error_is_read_around_it() -> None:
    corpus = _read({"a.py": f"{ONE}\n\ndef broken(x):\n    return x +\n\n\n{TWO}", "b.py": BEAMS})
    (skipped,) = corpus.skipped
    assert skipped.path == "a.py"
    assert "line 6" in skipped.reason
    assert skipped.reason.endswith("; read as far as it parses")
    found, whole = _functions(corpus), _functions(_read({"a.py": ONE, "c.py": TWO}))
    assert found["a.py", "one"] == whole["a.py", "one"]
    assert found["a.py", "two"] == whole["c.py", "two"]
    assert corpus.files == 2


@pytest.mark.parametrize(
    "data",
    [
        b"def f(:",
        b"\x00",
        b"def f(x):\n    return x\x00\n",
        b"\xff\xfe\x00d",
        b"# -*- coding: nonsense -*-\nx = 1\n",
        b"# -*- coding: utf-8 -*-\ndef f():\n    return '\xe4'\n",
        b"print 'two'\n",
        b"if x:\n\ty\n        z\n",
    ],
)
def test_broken_files_end_no_run_and_have_a_reason(data: bytes) -> None:
    corpus = _read({"bad.py": data, "good.py": ONE})
    assert [skipped.path for skipped in corpus.skipped] == ["bad.py"]
    assert corpus.skipped[0].reason.isprintable()
    assert ("good.py", "one") in _functions(corpus)


@pytest.mark.parametrize("data", [b"", b"\n", b"# nothing\n", b"\xef\xbb\xbfx = 1\n", "x = 'ä'\n".encode("latin-1")])
def test_files_without_functions_are_files_all_the_same(data: bytes) -> None:
    assert _read({"a.py": data}).files == 1


def test_a_byte_order_mark_and_a_declared_encoding_are_read() -> None:
    marked = _read({"a.py": b"\xef\xbb\xbf" + ONE.encode()})
    latin = _read({"a.py": b"# -*- coding: latin-1 -*-\n# \xe4\n" + ONE.encode()})
    assert not marked.skipped
    assert not latin.skipped
    assert _functions(marked) == _functions(latin) == _functions(_read({"a.py": ONE}))


def _nested(depth: int) -> str:
    return "def deep(x):\n    return " + "-(" * depth + "x" + ")" * depth + "\n"


@pytest.mark.parametrize(
    "text",
    [
        _nested(40),
        _nested(150),
        _nested(3_000),
        _nested(50_000),
        "def deep(x):\n    return " + " + ".join(["x"] * 5_000) + "\n",
        "def deep(x):\n    return x" + ".view(1)" * 3_000 + "\n",
        "def deep(x):\n"
        + "".join("    " + " " * level + f"if x > {level}:\n" for level in range(90))
        + " " * 95
        + "y = 1\n",
        "def deep(x):\n    return " + "[" * 5_000 + "\n",
    ],
    ids=["40", "150", "3000", "50000", "sum", "chain", "if", "open"],
)
def test_deep_nesting_ends_no_run(text: str) -> None:
    limit = sys.getrecursionlimit() - 1
    sys.setrecursionlimit(limit)
    try:
        corpus = _read({"a.py": text, "b.py": ONE})
        assert sys.getrecursionlimit() == limit
    finally:
        sys.setrecursionlimit(limit + 1)
    found = _functions(corpus)
    assert found["b.py", "one"] == _functions(_read({"b.py": ONE}))["b.py", "one"]
    assert ("a.py", "deep") in found or corpus.skipped


def test_a_function_too_deep_to_lower_leaves_the_others_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = _functions(_read({"a.py": ONE + TWO}))
    depth = sys.getrecursionlimit()
    monkeypatch.setattr(parse, "DEEPEST_LOWERING", depth)
    text = ONE + "\n\ndef deep(x):\n    return x" + " + 1" * depth + "\n\n\n" + TWO.replace("two", "after")
    batch = begin()
    assert "nested too deeply" in lower_file(text.encode(), batch, frozenset())
    assert [unit.qualname for unit in batch.units] == ["one", "after"]
    corpus = _read({"a.py": text, "b.py": TWO})
    assert _functions(corpus)["a.py", "one"] == expected["a.py", "one"]
    assert _functions(corpus)["a.py", "after"] == expected["a.py", "two"]
    assert _functions(corpus)["b.py", "two"] == expected["a.py", "two"]
    assert [skipped.path for skipped in corpus.skipped] == ["a.py"]


def test_what_python_warns_of_is_not_our_users_concern() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        corpus = _read({"a.py": 'def f(x):\n    assert (x, "always")\n    return "\\d" if x is 1 else 0\n'})
    assert not corpus.skipped


def test_the_cycle_collector_is_left_as_it_was() -> None:
    assert gc.isenabled()
    _read({"a.py": ONE})
    assert gc.isenabled()

    def failing() -> Iterator[SourceFile]:
        yield SourceFile("a.py", ONE.encode())
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        read_corpus(failing(), ["a.py"])
    assert gc.isenabled()


def test_parsing_tells_why_a_tree_is_not_whole() -> None:
    tree, reason = parse_file(ONE.encode())
    assert (len(tree.body), reason) == (1, "")
    tree, reason = parse_file(b"x = 1\ny = = 2\n")
    assert "line 2" in reason
    assert tree.body


# --- too little ----------------------------------------------------------------------------------------------


def test_a_target_without_a_function_is_told_with_what_to_do() -> None:
    assert missing_functions(read_corpus([], [])).startswith("no Python files found; name the folder")
    assert missing_functions(_read({"a.py": "x = 1\n"})) == "no Python function could be read"
    unread = read_corpus([Skipped("a.py", "too large")], [])
    assert missing_functions(unread) == "no Python function could be read (a.py: too large)"
    assert not missing_functions(_read({"a.py": ONE}))


# --- processes -----------------------------------------------------------------------------------------------


def test_two_processes_read_what_one_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    files: dict[str, str | bytes] = {**fixture_files("independent"), "bad.py": "def f(:\n", "deep.py": _nested(5_000)}
    alone = _read(files)
    monkeypatch.setattr(bulk, "LEAST_PARALLEL_BYTES", 10_000)
    monkeypatch.setattr(bulk, "TASK_BYTES", 4_000)
    told: list[tuple[int, int]] = []
    held = InMemory(files, [Skipped("x.py", "too large")])
    shared = read_corpus(held, held.paths(), 2, lambda done, total: told.append((done, total)))
    assert (shared.spans, shared.calls, shared.files) == (alone.spans, alone.calls, alone.files)
    assert shared.skipped == (Skipped("x.py", "too large"), *alone.skipped)
    assert np.array_equal(shared.shingles.offsets, alone.shingles.offsets)
    assert _functions(shared) == _functions(alone)
    assert len(told) > 3
    assert told == sorted(told)


def test_little_source_starts_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "_in_processes", None)
    assert _functions(_read({"a.py": ONE, "b.py": TWO}, jobs=8)) == _functions(_read({"a.py": ONE, "b.py": TWO}))


def test_a_file_that_is_no_text_is_named_and_costs_nothing() -> None:
    tree, reason = parse_file(bytes(range(256)) * 4_000)
    assert tree.body == []
    assert reason == "not text; nothing in it is read"
