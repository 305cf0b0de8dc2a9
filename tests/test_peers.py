"""Other matchers: how texts become tokens, sets are compared, and ranges of lines become pairs of functions."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from bench.peers import (
    ANONYMISED_TOKENS,
    PEERS,
    RAW_TOKENS,
    SUSPECT,
    Fragment,
    Function,
    Scored,
    anonymised,
    code_tokens,
    covered,
    fragments,
    functions,
    grams,
    jaccard,
    minhash,
    raw,
    report,
    run_peer,
    shared_lines,
    similar_lines,
    token_grams,
)
from bench.scoring import Listed, Result

TEXT = '''"""A module."""
import os

class Layer:
    """A class."""

    @property
    def width(self):  # of one head
        """Docstring."""
        return self.size // self.heads

    def forward(self, x):
        def inner(y):
            return y + 1
        return inner(x) * self.width
'''
# The same, renamed and indented otherwise.
RENAMED = """
class Block:
  def forward(self, tokens):
    def shifted(value):
      return value + 1
    return shifted(tokens) * self.breadth
"""
FILES = {"m.py": TEXT}


def test_every_function_is_known_with_its_decorators_and_its_lines() -> None:
    found = {function.key[1]: function for function in functions(FILES)}
    assert {name: function.lines for name, function in found.items()} == {
        "Layer.width": (7, 10), "Layer.forward": (12, 15), "Layer.forward.inner": (13, 14),
    }  # fmt: skip
    assert found["Layer.forward.inner"].text == "def inner(y):\n    return y + 1\n"


def test_files_that_are_not_python_are_left_out() -> None:
    assert functions({"a.py": "print 'x'", "b.py": "def f(): pass"})[0].key == ("b.py", "f")
    assert token_grams({"a.py": "print 'x'"}) == []


def test_comments_and_docstrings_are_tokens_only_where_they_are_asked_for() -> None:
    text = 'def f(x):\n    """Docstring."""\n    # comment\n    return "kept"\n'
    bare = 'def f ( x ) : NEWLINE INDENT return "kept" NEWLINE DEDENT'
    assert " ".join(raw(token) for token in code_tokens(text, has_prose=False)) == bare
    with_prose = [raw(token) for token in code_tokens(text, has_prose=True)]
    assert {'"""Docstring."""', "# comment"} < set(with_prose)


def test_a_block_of_nothing_but_a_docstring_leaves_its_bounds() -> None:
    words = [raw(token) for token in code_tokens('class A:\n    "only"\nx = 1\n', has_prose=False)]
    assert words == ["class", "A", ":", "NEWLINE", "INDENT", "DEDENT", "x", "=", "1", "NEWLINE"]


def test_names_become_one_token_and_keywords_and_literals_stay() -> None:
    words = [
        anonymised(token) for token in code_tokens("for item in rows: total += f(item, 'a', 2)\n", has_prose=False)
    ]
    assert words == "for NAME in NAME : NAME += NAME ( NAME , 'a' , 2 ) NEWLINE".split()


def test_grams_are_runs_of_five() -> None:
    assert grams("abcdef") == {tuple("abcde"), tuple("bcdef")}
    assert grams("abcd") == frozenset()


def test_the_tokens_of_a_function_are_those_of_its_lines() -> None:
    known = dict(token_grams(FILES))
    assert known["m.py", "Layer.forward.inner"] == grams(
        "def inner ( y ) : NEWLINE INDENT return y + 1 NEWLINE".split()
    )
    assert known["m.py", "Layer.forward.inner"] < known["m.py", "Layer.forward"]


def test_jaccard_is_exact() -> None:
    ours = [(("s.py", "f"), grams("abcdefg")), (("s.py", "empty"), grams("abc"))]
    theirs = [
        (("r.py", "same"), grams("abcdefg")),
        (("r.py", "near"), grams("abcdefX")),
        (("r.py", "far"), grams("xyzuvw")),
    ]
    found = {listed.pair: listed.similarity for listed in jaccard(ours, theirs)}
    assert found == {(("s.py", "f"), ("r.py", "same")): 1.0, (("s.py", "f"), ("r.py", "near")): 2 / 4}
    assert [listed.pair[1][1] for listed in jaccard(ours, theirs, most=1)] == ["same"]


def test_renaming_hides_a_copy_from_raw_tokens_only() -> None:
    pair = (("s.py", "Block.forward"), ("m.py", "Layer.forward"))

    def score(name: str) -> float:
        found = PEERS[name].find({"s.py": RENAMED}, FILES)
        return {listed.pair: listed.similarity for listed in found}.get(pair, 0.0)

    assert score(ANONYMISED_TOKENS) == 1.0
    assert score(RAW_TOKENS) < 0.2


def test_minhash_lists_what_reaches_the_threshold() -> None:
    found = {listed.pair: listed.similarity for listed in minhash(FILES, {"r.py": TEXT, "o.py": "def g(): return 1\n"})}
    assert found[("m.py", "Layer.forward"), ("r.py", "Layer.forward")] == 1.0
    assert all(score >= 0.3 for score in found.values())
    assert not any(reference[0] == "o.py" for _, reference in found)


def test_equal_ranges_are_laid_beside_each_other_line_by_line() -> None:
    fragment = Fragment("s.py", (1, 10), "r.py", (21, 30))
    assert shared_lines(fragment, (1, 4), (21, 24)) == 4
    assert shared_lines(fragment, (1, 4), (25, 30)) == 0  # the next function of the same fragment
    assert shared_lines(fragment, (3, 20), (20, 40)) == 8
    assert shared_lines(fragment, (11, 20), (21, 30)) == 0


def test_ranges_of_different_length_are_stretched() -> None:
    fragment = Fragment("s.py", (1, 5), "r.py", (1, 10))
    assert shared_lines(fragment, (1, 2), (1, 4)) == pytest.approx(4)
    assert shared_lines(fragment, (3, 5), (5, 10)) == pytest.approx(6)
    assert shared_lines(fragment, (1, 2), (5, 10)) == 0


def test_a_pair_scores_what_share_of_the_longer_function_is_covered() -> None:
    ours = [Function(("s.py", "f"), (1, 4), ""), Function(("s.py", "g"), (6, 10), "")]
    theirs = [Function(("r.py", "F"), (1, 8), ""), Function(("r.py", "G"), (11, 15), "")]
    found = covered(
        [Fragment("s.py", (1, 4), "r.py", (1, 4)), Fragment("s.py", (6, 10), "r.py", (11, 15))], ours, theirs
    )
    assert found == [
        Listed((("s.py", "f"), ("r.py", "F")), 0.5, 0.0),
        Listed((("s.py", "g"), ("r.py", "G")), 1.0, 0.0),
    ]


def test_groups_of_places_are_paired_across_the_sides() -> None:
    group = [
        ("suspect/a/m.py", (1, 5)),
        ("reference/m.py", (2, 6)),
        ("reference/n.py", (3, 7)),
        ("suspect/b.py", (4, 8)),
    ]
    found = {(each.suspect, each.reference) for each in fragments([group])}
    assert found == {("a/m.py", "m.py"), ("a/m.py", "n.py"), ("b.py", "m.py"), ("b.py", "n.py")}
    assert list(fragments([group[:1]])) == []


def test_the_places_that_symilar_prints_are_read() -> None:
    told = """
10 similar lines in 2 files
==reference/m.py:[0:12]
==suspect/n.py:[2:14]
   x = 1
   ==no/place.py:[1:2]

4 similar lines in 2 files
==reference/m.py:[20:24]
==suspect/o.py:[0:4]
   y = 2
TOTAL lines=27 duplicates=10 percent=37.04
"""
    assert similar_lines(told) == [
        [("reference/m.py", (1, 12)), ("suspect/n.py", (3, 14))],
        [("reference/m.py", (21, 24)), ("suspect/o.py", (1, 4))],
    ]


@pytest.mark.parametrize("name", [name for name in PEERS if not name.startswith("jscpd")])
def test_an_installed_peer_finds_the_same_file_and_its_cost_is_known(name: str, tmp_path: Path) -> None:
    if not PEERS[name].is_installed():
        pytest.skip("not installed")
    for side in (SUSPECT, "reference"):
        (tmp_path / side).mkdir()
        (tmp_path / side / "m.py").write_text(TEXT)
    done = run_peer(name, tmp_path / SUSPECT, tmp_path / "reference")
    best = max(done.listed, key=lambda listed: listed.similarity)
    assert best.similarity > 0.5
    assert done.cpu_seconds > 0


def test_what_is_not_installed_is_named_and_every_variant_is_a_demand() -> None:
    low, high = Result(1.0, 0.5, 0.9), Result(1.0, 0.75, 0.95)
    ahead = [Scored("detector", high, 10, 1.0), Scored("other", low, 2_000, 3.0)]
    text = report({"V0": ahead, "V1": [Scored("detector", low, 10, 1.0), Scored("other", low, 20, 3.0)]}, ["absent"])
    assert (
        "- **met**: V0: AP of detector ahead of every peer measured here: 0.7500 (demanded: > 0.5000, of other)" in text
    )
    assert "- **missed**: V1" in text  # level is not ahead
    assert "Not installed here: absent." in text
    assert "| V0 | other | 1.000 | 0.500 | 0.900 | 2,000 | 3.0 s |" in text


def test_whether_a_peer_is_there_does_not_matter_to_the_rest() -> None:
    assert PEERS["copydetect"].is_installed() == (find_spec("copydetect") is not None)
    assert PEERS[RAW_TOKENS].is_installed()
