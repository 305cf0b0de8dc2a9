"""Literals of one file: what counts as one, what layout and names do not change, and what hostile files cost."""

from __future__ import annotations

import ast
from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.code import literal_background
from detector.code.literal_background import LiteralBackground, packed, parts
from detector.code.literals import (
    COMMENT,
    KINDS,
    NUMBER,
    STRING,
    WORD,
    Literal,
    Scanner,
    kind_of,
    read_literals,
    scanner,
    words_of,
)
from detector.code.misspellings import Misspellings
from detector.code.slips import function_slips, unused_imports
from detector.model import Skipped
from detector.settings import LITERALS_VERSION, MOST_FILE_LITERALS
from detector.targets import SourceFile
from tests.test_properties import profile

COMMON = frozenset(
    {b"vision", b"receive", b"length", b"tokens", b"masks", b"colour", b"layers", b"fraction", b"meters"}
)


def _read(text: str | bytes, scan: Scanner | None = None) -> list[Literal]:
    data = text.encode() if isinstance(text, str) else text
    scan = scan or Scanner(COMMON)
    keys = scan.keys(data)
    found = list(scan.read(data, frozenset(keys.tolist())))
    assert {each.key for each in found} == set(keys.tolist())
    return found


def _texts(text: str | bytes, kind: int) -> list[str]:
    return [each.text for each in _read(text) if kind_of(each.key) == kind]


# --- kinds ---


def test_a_comment_counts_whatever_its_case_spaces_and_punctuation() -> None:
    one = _read("x = 1  # Keep the tower in the graph.\n")
    other = _read("#### keep  the\ttower in THE graph !!\n")
    assert [each.key for each in one] == [each.key for each in other]
    assert one[0].text == "keep the tower in the graph"


def test_a_comment_of_a_few_words_says_nothing() -> None:
    assert _read("# to do\n# reset\n# nothing-here-but-one-word\n") == []


def test_lines_of_docstrings_count_as_comments() -> None:
    text = 'def f():\n    """Fold the tiles of one row.\n\n    Rows come first, then columns.\n    """\n'
    assert _texts(text, COMMENT) == ["fold the tiles of one row", "rows come first, then columns"]
    assert _texts(text, STRING) == []
    assert [each.line for each in _read(text)] == [2, 4]


def test_a_text_that_is_an_argument_is_no_docstring() -> None:
    text = 'call(\n    """Fold the tiles of one row."""\n)\n'
    assert _texts(text, STRING) == ["fold the tiles of one row"]
    assert _texts(text, COMMENT) == []


@pytest.mark.parametrize(
    "spelled",
    [
        'f"slots for {count} pictures of {name}"',
        '"slots for {} pictures of {}".format(count, name)',
        '"slots for %d pictures of %s" % (count, name)',
        '("slots for {} "\n    f"pictures of {name}")',
        "'slots for {count!r} pictures of %(name)s'",
    ],
)
def test_what_is_put_into_a_text_and_how_does_not_matter(spelled: str) -> None:
    assert _texts(f"x = {spelled}\n", STRING) == ["slots for {} pictures of"]


def test_single_words_are_no_texts() -> None:
    assert _read('x = {"attention_mask": "last_hidden_state", "k": \'v\'}\n') == []


@pytest.mark.parametrize("spelled", ["0.48145466", "481454.66e-6", ".48145466", "0.481_454_66"])
def test_numbers_count_by_their_value(spelled: str) -> None:
    assert _texts(f"x = {spelled}\n", NUMBER) == ["0.48145466"]


@pytest.mark.parametrize("round_one", ["0", "10", "1e-5", "0.25e4", "1024", "1023", "65537", "0xFFFF", "12", "1e999"])
def test_round_numbers_are_none(round_one: str) -> None:
    assert _texts(f"x = {round_one}\n", NUMBER) == []


def test_digits_inside_of_names_are_no_numbers() -> None:
    assert _read("conv2345 = a.b1234 + x_777\n") == []


def test_what_looks_like_a_comment_inside_a_text_is_none() -> None:
    assert _texts('x = "a # b c d e f g h i j k l"\n', COMMENT) == []


# --- misspellings ---


@pytest.mark.parametrize(("word", "known"), [("vison", "vision"), ("recieve", "receive"), ("lenngth", "length")])
def test_a_letter_left_out_doubled_or_changed_over_is_a_slip(word: str, known: str) -> None:
    assert Misspellings(COMMON).meant(word.encode()) == known.encode()


@pytest.mark.parametrize(
    "word", ["vision", "token", "masked", "xmasks", "color", "friction", "layerss", "metres", "zzz"]
)
def test_common_words_inflections_spellings_and_other_words_are_no_slips(word: str) -> None:
    assert Misspellings(COMMON).meant(word.encode()) == b""


def test_misspelt_words_are_found_in_names_texts_and_comments() -> None:
    for text in ("class ViisonTower: pass\n", "viison_tower = 1\n", "x = 'the viison'\n", "# viison\n"):
        (found,) = _read(text)
        assert (found.text, KINDS[kind_of(found.key)], found.line) == ("viison", "misspelling", 1)


def test_words_are_taken_out_of_names() -> None:
    assert words_of(b"VisionTower.visual_tokens # HTMLParser caf\xc3\xa9teria") == {
        b"vision", b"visual", b"tokens", b"parser",
    }  # fmt: skip


# --- slips ---


def test_an_import_that_nothing_names_is_unused() -> None:
    data = b"import os\nfrom typing import (\n    Any,\n    Optional as Maybe,  # why\n)\nx: Any = 1\n"
    assert [(slip.text, slip.line) for slip in unused_imports(data, "a.py")] == [("os", 1), ("Optional", 4)]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("p/__init__.py", "from .a import b\n"),
        ("a.py", "import readline  # noqa: F401\n"),
        ("a.py", "from a import b\n__all__ = ['b']\n"),
        ("a.py", "from a import b as b\n"),
        ("a.py", "from __future__ import annotations\n"),
        ("a.py", "from a import b\n# b is for those who import it from here\n"),
        ("a.py", "if 1:\n    import os\n"),
    ],
)
def test_imports_that_are_left_in_on_purpose_are_no_slips(path: str, text: str) -> None:
    assert unused_imports(text.encode(), path) == ()


def _slips(text: str) -> list[tuple[str, str, int]]:
    lines = text.encode().split(b"\n")
    return [(KINDS[slip.kind], slip.text, slip.line) for slip in function_slips(lines, 1, len(lines))]


def test_a_local_that_is_never_read_is_a_slip_with_its_line() -> None:
    text = (
        "    def f(self, x):\n        height = x.shape[0]\n        if x:\n            gain: int = 3\n        return x\n"
    )
    assert _slips(text) == [("unused-name", "height", 2), ("unused-name", "gain", 4)]


@pytest.mark.parametrize(
    "body",
    [
        "a, b = x\n    return a",
        "_rest = x\n    return x",
        "size = 3\n    return locals()",
        "y = 3\n    return lambda: y",
        "call(\n        dim=3,\n    )",
        "x.size = 3",
    ],
)
def test_what_is_read_unpacked_or_an_argument_is_no_unused_local(body: str) -> None:
    assert _slips(f"def f(x):\n    {body}\n") == []


def test_statements_behind_a_return_and_under_a_false_condition_are_never_reached() -> None:
    text = "def f(x):\n    if False:\n        x = fold(x)\n    return x\n    x = unfold(x)\n    return x\n"
    assert _slips(text) == [("unreachable-code", "x = fold(x)", 3), ("unreachable-code", "x = unfold(x)", 5)]


def test_a_generator_that_yields_nothing_is_no_dead_code() -> None:
    assert _slips("def f(x):\n    return\n    yield x\n") == []
    assert _slips("def f(x):\n    raise NotImplementedError\n    return None\n") == []


def test_a_function_that_does_not_parse_has_no_slips() -> None:
    assert _slips("def f(x):\n    gain = 3\n    return x +\n") == []


# --- layout and names ---


_TEXTS = st.text(st.sampled_from("abcdefgh {}'\"#éß"), max_size=40)
_NUMBERS = st.one_of(st.integers(0, 10**7), st.floats(0.001, 1e6, allow_nan=False))
_NAMES = st.sampled_from(["alpha", "count", "gate", "omega"])


@st.composite
def _modules(draw: st.DrawFn) -> str:
    """Small modules of assignments, calls and functions with texts and numbers."""
    lines = []
    for number in range(draw(st.integers(1, 5))):
        value = draw(st.one_of(_TEXTS, _NUMBERS))
        name = draw(_NAMES)
        lines.append(draw(st.sampled_from([
            f"{name} = {value!r}",
            f"{name} = call({value!r},\n   {draw(_TEXTS)!r})",
            f"def f{number}({name}):\n    return [{value!r}, {name}]",
        ])))  # fmt: skip
    return "\n".join(lines) + "\n"


class _Renamed(ast.NodeTransformer):
    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Name(f"renamed_{node.id}", node.ctx)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        return ast.arg(f"renamed_{node.arg}")


@profile
@given(text=_modules())
def test_renaming_and_laying_out_anew_changes_no_text_and_no_number(text: str) -> None:
    other = ast.unparse(_Renamed().visit(ast.parse(text)))
    assert _keys(other) == _keys(text), other


@profile
@given(lines=st.lists(st.text(st.sampled_from("abcd .#"), max_size=40), max_size=5), indent=st.integers(0, 8))
def test_moving_a_comment_changes_nothing(lines: list[str], indent: int) -> None:
    plain = "".join(f"# {line}\n" for line in lines)
    moved = "".join(f"x = 1\n{' ' * indent}#{line}   \n" for line in lines)
    assert _keys(plain) == _keys(moved)


@profile
@given(data=st.binary(max_size=300))
def test_any_bytes_are_read(data: bytes) -> None:
    _read(data, scanner())


def _keys(text: str) -> list[int]:
    keys: list[int] = Scanner(COMMON).keys(text.encode()).tolist()
    return keys


# --- hostile and broken files ---


@pytest.mark.parametrize(
    "piece",
    [
        '"%0',
        '"',
        "'",
        '"""',
        '\\"""',
        "'\"",
        '"\\"',
        "f'''",
        "#",
        "0",
        "1.",
        "{",
        "%(",
        "\\",
        "a'b\"",
        "\n'",
        "A",
        "aB",
    ],
)
def test_no_file_costs_the_square_of_its_length(piece: str) -> None:
    _read(piece * (1_000_000 // len(piece)), scanner())  # with any square in it this would not end


def test_a_table_of_data_is_cut() -> None:
    data = " ".join(str(number * 7 + 1_000_003) for number in range(30_000)).encode()
    assert len(Scanner(COMMON).keys(data)) == MOST_FILE_LITERALS


def test_what_python_rejects_is_read_all_the_same() -> None:
    broken = 'print "the base did not take it"\ndef f(:\n    # keep the rows in their order\n    x = 0.4815\n'
    assert [each.text for each in _read(broken)] == [
        "the base did not take it", "keep the rows in their order", "0.4815",
    ]  # fmt: skip


def test_text_that_is_no_utf8_is_shown_with_replacements() -> None:
    assert _texts(b"# keep \xff\xfe the rows in order\n", COMMENT) == ["keep �� the rows in order"]


# --- the background ---


def test_the_table_that_ships_tells_what_everybody_writes_from_what_nobody_does() -> None:
    known = literal_background.literal_background()
    common, rare = _keys_of("x = 0.456\n"), _keys_of("x = 0.45614377\n")
    assert known.frequency(common)[0] >= 5  # a mean of ImageNet's pixels
    assert known.frequency(rare)[0] == 0
    assert known.packages == 54
    assert {b"vision", b"transformer"} <= known.common


def test_the_table_is_refused_by_another_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(literal_background, "LITERALS_VERSION", LITERALS_VERSION + 1)
    with pytest.raises(ValueError, match=r"bench\.background"):
        literal_background.literal_background.__wrapped__()


def test_the_packed_table_holds_what_was_put_in() -> None:
    known = np.unique(np.random.default_rng(1).integers(0, 1 << 28, 50_000).astype(np.uint32))
    planes = packed(known)
    steps = sum(planes[name].astype(np.uint32) << shift for name, shift in (("low", 0), ("middle", 8), ("high", 16)))
    assert np.array_equal(np.cumsum(steps, dtype=np.uint32), known)


def test_a_table_of_a_few_literals_is_not_packed() -> None:
    with pytest.raises(ValueError, match="too few"):
        packed(np.array([1, 1 << 27], np.uint32))


def test_frequencies_are_found_by_the_first_bits_of_a_key() -> None:
    keys = _keys_of("x = [0.4815, 0.1623]\n")
    known = LiteralBackground(np.sort(parts(keys[:1])), np.array([7], np.uint8), 54, frozenset())
    assert known.frequency(keys).tolist() == [7, 0]
    assert LiteralBackground(known.known[:0], known.counts[:0], 54, frozenset()).frequency(keys).tolist() == [0, 0]


def _keys_of(text: str) -> np.ndarray:
    return Scanner(COMMON).keys(text.encode())


def test_a_word_of_every_kind_has_its_name() -> None:
    names: Iterable[str] = (KINDS[kind] for kind in (COMMENT, STRING, NUMBER, WORD))
    assert list(names) == ["comment", "string", "number", "misspelling"]


@pytest.mark.parametrize(
    "piece", ["import a\n", "from a import (b, ", "import a, ", "from  ", "import a as ", "    return\n", " "]
)
def test_no_file_of_imports_or_returns_costs_the_square_of_its_length(piece: str) -> None:
    data = piece.encode() * (1_000_000 // len(piece))
    assert len(unused_imports(data + b"\nimport zz\n", "a.py")) <= 3
    assert function_slips(data.split(b"\n"), 1, data.count(b"\n") + 1) == ()


def test_many_unused_imports_are_told_with_their_lines() -> None:
    data = b"".join(b"import name%d\n" % number for number in range(50_000))
    found = unused_imports(data, "a.py")
    assert [slip.line for slip in found] == list(range(1, 50_001))


def test_literals_are_read_of_every_file_also_of_one_without_functions() -> None:
    comment = "# keep the rows of the table in their order\n"
    literals = read_literals(
        SourceFile(path, text.encode())
        for path, text in {"a.py": comment, "b.py": "x = 1\n", "c.py": "x = 0.4815\n" + comment}.items()
    )
    assert [literals.paths[number] for number in literals.files] == ["a.py", "c.py", "c.py"]
    assert literals.keys[0] in literals.keys[1:]
    assert len(read_literals([SourceFile("b.py", b"x = 1\n"), Skipped("c.py", "too large")]).keys) == 0
