"""Comments that accept findings: which ones are understood, what each covers, and what is wrong with the others."""

from __future__ import annotations

import ast
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector import suppressions
from detector.patterns import PATTERNS
from detector.report.findings import KINDS, TRACE_KINDS
from detector.suppressions import Ignore, ignores

SAID = "# detector: ignore[code] reason=agreed"


def _covered(text: str, *, encoding: str = "utf-8") -> set[str]:
    """Names of the functions whose `def` any comment of the text covers."""
    found = ignores(text.encode(encoding))
    names = set()
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split("#")[0].replace("async def", "def").split("(")[0].split()
        if words[:1] == ["def"] and any(each.covers(number) for each in found):
            names.add(words[1])
    return names


def _only(text: str) -> Ignore:
    (found,) = ignores(text.encode())
    return found


# --- what a comment says ---


def test_a_comment_with_rules_and_a_reason_is_understood() -> None:
    found = _only(
        "def f():  # detector: ignore[code/renamed-function, traces/magic-number] reason=our own, moved here\n"
    )
    assert (found.line, found.rules) == (1, ("code/renamed-function", "traces/magic-number"))
    assert found.reason == "our own, moved here"
    assert found.fault is None


@pytest.mark.parametrize(
    "comment",
    [
        "#detector:ignore[code]reason=x",
        "#  Detector : ignore [ code ]  reason = x",
        '# type: ignore  # detector: ignore[code] reason="x"',
        "# detector: ignore[code], reason: x",
    ],
)
def test_spelling_is_forgiven_where_the_meaning_is_plain(comment: str) -> None:
    found = _only(f"def f():  {comment}\n")
    assert (found.rules, found.reason, found.fault) == (("code",), "x", None)


@pytest.mark.parametrize(
    ("comment", "rule"),
    [
        ("# detector: ignore[code]", suppressions.NO_REASON),
        ("# detector: ignore[code] reason=", suppressions.NO_REASON),
        ('# detector: ignore[code] reason="  "', suppressions.NO_REASON),
        ("# detector: ignore[code] because it is ours", suppressions.NO_REASON),
        ("# detector: ignore[code/copied] reason=x", suppressions.UNKNOWN_RULE),
        ("# detector: ignore[*] reason=x", suppressions.UNKNOWN_RULE),
        ("# detector: ignore[declared] reason=x", suppressions.UNKNOWN_RULE),
        ("# detector: ignore[code, code/nothing] reason=x", suppressions.UNKNOWN_RULE),
        ("# detector: ignore[] reason=x", suppressions.MALFORMED),
        ("# detector: ignore[ , ] reason=x", suppressions.MALFORMED),
        ("# detector: ignore", suppressions.MALFORMED),
        ("# detector: ignore reason=x", suppressions.MALFORMED),
        ("# detector: ignore(code) reason=x", suppressions.MALFORMED),
        ("# detector: ignore[code reason=x", suppressions.MALFORMED),
    ],
)
def test_what_is_wrong_with_a_comment_is_said_and_it_covers_nothing(comment: str, rule: str) -> None:
    found = _only(f"def f():  {comment}\n    return 1\n")
    assert found.fault is not None
    assert (found.fault.rule, found.fault.line) == (rule, 1)
    assert not found.covers(1)


def test_an_unknown_rule_is_answered_by_the_nearest_one() -> None:
    found = _only("# detector: ignore[code/renamed-functions] reason=x\n")
    assert found.fault is not None
    assert "the nearest is code/renamed-function" in found.fault.text


@pytest.mark.parametrize(
    "text",
    [
        "# detector: ignore small boxes\n",
        "# detector: ignored by the loss\n",
        "# the detector: ignore[code] reason=x\n",
        "x = '# detector: ignore[code] reason=x'\n",
        'def f():\n    """\n    # detector: ignore[code] reason=x\n    """\n',
        'x = f"""{y}\n# detector: ignore[code] reason=x"""\n',
        "detector = 'r-cnn'  # detector: r-cnn\n",
    ],
)
def test_sentences_and_texts_are_no_such_comments(text: str) -> None:
    assert ignores(text.encode()) == ()


def test_every_rule_of_a_finding_can_be_ignored() -> None:
    rules = {*KINDS.values(), *TRACE_KINDS.values(), "code", "traces"}
    rules |= {rule for rule in PATTERNS if not rule.startswith("declared/")}
    assert len(rules) > 20
    for rule in rules:
        found = _only(f"# detector: ignore[{rule}] reason=x\n")
        assert found.fault is None, rule
        assert found.names(rule)


def test_how_a_copy_differs_is_not_what_is_accepted() -> None:
    found = _only("# detector: ignore[code/renamed-function] reason=x\n")
    assert all(found.names(rule) for rule in KINDS.values())
    assert not found.names("traces/magic-number")
    assert not found.names("history/same-blobs")


def test_a_rule_of_a_kind_accepts_nothing_of_another_kind() -> None:
    found = _only("# detector: ignore[traces/magic-number] reason=x\n")
    assert found.names("traces/magic-number")
    assert not found.names("traces/same-comment")
    assert not found.names("code/renamed-function")


# --- what it covers ---


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (f"def f():  {SAID}\n    return 1\ndef g():\n    return 2\n", {"f"}),
        (f"x = 1\n{SAID}\ndef f():\n    return 1\ndef g():\n    return 2\n", {"f"}),
        (f"{SAID}\ndef f():\n    return 1\ndef g():\n    return 2\n", {"f"}),
        (f"x = 1\n{SAID}\n# another\ndef f():\n    return 1\n", {"f"}),
        (f"def f():\n    x = 1\n    {SAID}\n    return x\ndef g():\n    return 2\n", {"f"}),
        (f"def f():\n    return 1\n    {SAID}\ndef g():\n    return 2\n", {"f"}),
        (f"def f():\n    return 1  {SAID}\n\ndef g():\n    return 2\n", {"f"}),
        (f"@cache  {SAID}\n@other\ndef f():\n    return 1\ndef g(): pass\n", {"f"}),
        (f"@cache\n{SAID}\ndef f():\n    return 1\ndef g(): pass\n", {"f"}),
        (f"{SAID}\n@cache\nasync def f():\n    return 1\ndef g(): pass\n", {"f"}),
        (f"def f(\n    a,\n    b,  {SAID}\n):\n    return 1\ndef g(): pass\n", {"f"}),
        (f"def f(a,\nb):  {SAID}\n    return 1\ndef g(): pass\n", {"f"}),
        (f"def f(): return 1  {SAID}\ndef g(): return 2\n", {"f"}),
        (f"def f():\n    def inner():\n        return 1  {SAID}\n    return 2\n", {"inner"}),
        (f"def f():\n    def inner():\n        return 1\n    return 2  {SAID}\n", {"f", "inner"}),
        (f"class A:  {SAID}\n    def f(self): pass\n    def g(self): pass\ndef h(): pass\n", {"f", "g"}),
        (f"x = 1\n{SAID}\nclass A:\n    def f(self): pass\n    def g(self): pass\ndef h(): pass\n", {"f", "g"}),
        (f"class A:\n    {SAID}\n\n    x = 1\n    def f(self): pass\ndef h(): pass\n", {"f"}),
        (f"class A:\n    {SAID}\n    def f(self): pass\n    def g(self): pass\n", {"f"}),
        (f"class A:\n    def f(self): pass\n    {SAID}\n    def g(self): pass\n", {"g"}),
        (f"#!/usr/bin/env python\n{SAID}\n\nimport x\ndef f(): pass\ndef g(): pass\n", {"f", "g"}),
        (f'"""What it is."""\n{SAID}\nimport x\ndef f(): pass\ndef g(): pass\n', {"f", "g"}),
        (f"{SAID}\n\ndef f(): pass\ndef g(): pass\n", {"f", "g"}),
        (f"def f():\n    x = '''\na\n'''.strip()\n    return x  {SAID}\ndef g(): pass\n", {"f"}),
        (f"import x\n{SAID}\n\ndef f(): pass\n", set()),
        (f"import x  {SAID}\ndef f(): pass\n", set()),
        (f"def f(): pass\n{SAID}\nx = 1\ndef g(): pass\n", set()),
        (f"def f():\n    return 1\n{SAID}\n", set()),
    ],
)
def test_a_comment_covers_what_it_stands_at(text: str, names: set[str]) -> None:
    assert _covered(text) == names
    assert _covered(text.replace("\n", "\r\n")) == names
    ast.parse(text)


def test_a_line_of_its_own_is_covered_for_what_is_no_function() -> None:
    beside, above = _only(f"import x\ny = 1.0173  {SAID}\n"), _only(f"import x\n{SAID}\ny = 1.0173\n")
    assert [beside.covers(line) for line in (1, 2, 3)] == [False, True, False]
    assert [above.covers(line) for line in (1, 2, 3)] == [False, True, True]


def test_only_the_head_of_a_file_covers_the_file_as_a_whole() -> None:
    assert _only(f"{SAID}\n\nimport x\n").covers(0)
    assert not _only(f"def f():  {SAID}\n    pass\n").covers(0)


@pytest.mark.parametrize(
    "text",
    [
        f"x = (1,\n  [2\ndef f():  {SAID}\n    return 1\ndef g():\n    return 2\n",
        f"if x ==:\n    print 'old'\ndef f():  {SAID}\n    exec 'x'\ndef g():\n    return 2\n",
        f"def f(:  {SAID}\n    return }}\n@\ndef g():\n    return 2\n",
        f"s = 'never closed\ndef f():  {SAID}\n\treturn 1\n  weird\ndef g():\n    return 2\n",
    ],
)
def test_broken_files_are_read_as_well(text: str) -> None:
    assert _covered(text) == {"f"}


def test_a_text_that_is_never_closed_hides_what_is_in_it() -> None:
    assert ignores(f'x = """never closed\n{SAID}\ndef f(): pass\n'.encode()) == ()


@pytest.mark.parametrize("encoding", ["latin-1", "shift_jis", "cp932", "gbk", "big5"])
def test_files_in_other_encodings_are_read_as_python_reads_them(encoding: str) -> None:
    letters = "ß" if encoding == "latin-1" else "表"  # its second byte is a backslash in shift_jis and big5
    text = f"# coding: {encoding}\nx = '{letters}'\ndef f():  {SAID}\n    return '{letters}'\ndef g(): pass\n"
    assert _covered(text, encoding=encoding) == {"f"}


@pytest.mark.parametrize("cookie", ["punycode", "idna", "utf-16", "hex", "no-such-codec", "\udcff"])
def test_a_coding_that_no_source_has_is_passed_over(cookie: str) -> None:
    text = f"# coding: {cookie}\ndef f():  {SAID}\n    return 1\n".encode("utf-8", "surrogateescape")
    assert [each.covers(2) for each in ignores(text)] == [True]


def test_old_line_ends_count_as_lines() -> None:
    (found,) = ignores(f"x = 1\rdef f():  {SAID}\r    return 1\r".encode())
    assert (found.line, found.covers(2)) == (2, True)


# --- what a hostile file costs and does ---


def test_beyond_a_thousand_comments_one_remark_tells_of_the_rest() -> None:
    found = ignores((f"x = 1  {SAID}\n" * 5_000).encode())
    assert len(found) == suppressions.MOST_IGNORES + 1
    assert found[-1].fault is not None
    assert (found[-1].fault.rule, found[-1].fault.line) == (suppressions.TOO_MANY, 1_001)
    assert "5,000" in found[-1].fault.text


def test_a_reason_is_kept_within_bounds_and_without_effect_on_a_terminal() -> None:
    found = _only("# detector: ignore[code] reason=\x1b[31m\u202e" + "x" * 100_000 + "\n")
    assert len(found.reason) <= suppressions.LONGEST_REASON
    assert found.reason.isprintable()


def test_an_unknown_rule_is_shown_within_bounds() -> None:
    found = _only("# detector: ignore[\x1b[31m" + "x" * 100_000 + "\n")
    assert found.fault is not None
    found = _only("# detector: ignore[\x1b" + "x" * 100_000 + "] reason=x\n")
    assert found.fault is not None
    assert len(found.fault.text) < 300
    assert found.fault.text.isprintable()


PIECES = [
    SAID, "# detector: ignore[code]", "def f():", "class A:", "    ", "\n", "\n", "\t", "'''", '"', "(", ")", "[", "\\",
    "@cache", "x = 1", "async def g(a):", "\r", "\f", "# other", "\x00", "é",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=60).map("".join))
@settings(max_examples=300, deadline=None)
def test_any_file_is_read_and_every_comment_covers_where_it_stands_or_what_follows(text: str) -> None:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").count("\n") + 1
    for each in ignores(text.encode("utf-8", "surrogatepass")):
        assert 1 <= each.line <= lines
        assert each.first <= each.line <= each.last or each.line < each.first <= lines


@given(st.binary(max_size=300))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_read(data: bytes) -> None:
    ignores(data + b"\ndef f():  " + SAID.encode() + b"\n" + data)


def test_what_functions_cover_is_what_the_parser_says_of_their_lines() -> None:
    """A comment covers the innermost function or class around it, and what is defined in there, and no other."""
    chance = random.Random(7)
    for _ in range(300):
        text = _program(chance)
        functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)]
        chosen = chance.choice(functions)
        lines = text.split("\n")
        assert chosen.end_lineno is not None
        lines[chosen.end_lineno - 1] += f"  {SAID}"
        (found,) = ignores("\n".join(lines).encode())
        blocks = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.ClassDef)]
        around = [node for node in blocks if node.lineno <= chosen.end_lineno <= (node.end_lineno or 0)]
        innermost = max(around, key=lambda node: node.lineno)
        inside = {node.lineno for node in ast.walk(innermost) if isinstance(node, ast.FunctionDef)}
        assert {node.lineno for node in functions if found.covers(node.lineno)} == inside


def _program(chance: random.Random) -> str:
    lines: list[str] = ["import os"]

    def block(indent: int, depth: int) -> None:
        for _ in range(chance.randint(1, 3)):
            margin = " " * indent
            kind = chance.choice(["def", "class", "line"]) if depth else "line"
            if kind == "line":
                lines.append(
                    margin
                    + chance.choice(
                        [
                            "x = 1",
                            "x = (1,\n2)",
                            'x = """\n""".strip()',
                            'x = """\n  a\n"""',
                            "if x:\n" + margin + "  y = 2",
                        ]
                    )
                )
                continue
            if chance.random() < 0.3:
                lines.append(f"{margin}@cache")
            lines.append(f"{margin}{kind} f" + ("(a,\n  b):" if kind == "def" else ":"))
            block(indent + chance.choice([2, 4]), depth - 1)

    block(0, 3)
    lines.append("def last():")
    lines.append("    return 1")
    return "\n".join(lines)
