"""Comparing with what an index holds gives what comparing with the repositories gives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from detector.code.known import NOT_ITS_FILES, KnownFiles, known_files
from detector.compare import BESIDE, KINDS, compare
from detector.formats import Format, render
from detector.index.store import open_index
from detector.model import CloneType, Match, Relation, Report, Strength, UserError
from detector.options import Options
from detector.read import open_target
from detector.targets import Repo
from tests.remembered import Memory, remembered
from tests.repositories import ANNEAL, BEAMS, FIXTURES, PARSE, ROUTE, SPECTRUM, WARP, InMemory, cached

NAMES = ("rebadged", "original", "cited", "independent")
CODE = Options(kinds=frozenset({"code"}))


@contextmanager
def _opened(*targets: str) -> Iterator[list[Repo]]:
    with ExitStack() as stack:
        yield [stack.enter_context(open_target(target)) for target in targets]


def _fixtures(*names: str) -> list[str]:
    return [str(FIXTURES / name) for name in names]


def _repo(files: dict[str, str], name: str = "mine") -> Repo:
    return Repo(name, name, "", InMemory(files))


def _bare(match: Match) -> Match:
    """What of a match needs no text of the reference; clone types are told another way."""
    return replace(
        match,
        clone_type=CloneType.REWRITTEN,
        renames={},
        renames_by_role={},
        disguises=(),
        disguise_lines={},
        suspect_lines=(),
        reference_lines=(),
        texts=None,
        flows=None,
        # Licences in headers of files, and how a comment would name the source, hang on texts too.
        terms=None,
        credit="",
    )


def _hold_equal(found: Report, expected: Report) -> None:
    assert [_bare(match) for match in found.matches] == [_bare(match) for match in expected.matches]
    for each in ("references", "attribution", "classes", "files", "similarities", "settings", "skipped"):
        assert getattr(found, each) == getattr(expected, each)


@pytest.mark.parametrize("suspect", NAMES)
def test_the_fixtures_known_already_give_the_same_matches(suspect: str) -> None:
    with _opened(*_fixtures(suspect, *(name for name in NAMES if name != suspect))) as (mine, *others):
        expected = compare(mine, others, CODE)
        known = [remembered(repo) for repo in others]
        found = compare(mine, known, CODE)
        _hold_equal(found, expected)
        assert (found.relation, found.strength) == (expected.relation, expected.strength)
        for one in (0, 2):  # by itself, and one of each
            mixed = [*others[:one], known[one], *others[one + 1 :]]
            _hold_equal(compare(mine, mixed, CODE), expected)


@pytest.mark.parametrize("keep_text", [False, True])
def test_an_index_in_a_file_gives_the_matches_of_its_targets(tmp_path: Path, keep_text: bool) -> None:
    with _opened(*_fixtures("rebadged", *(name for name in NAMES if name != "rebadged"))) as (mine, *others):
        expected = compare(mine, others, CODE)
        with open_index(tmp_path / "known.db", create=True) as index:
            for repo in others:
                index.add(repo, keep_text=keep_text)
        with open_index(tmp_path / "known.db") as index:
            found = compare(mine, [], CODE, known=index)
    assert len(expected.matches) == 88
    assert set(found.references) <= set(expected.references)
    assert found.references[0].name == "original"
    assert [_bare(match) for match in found.matches] == [_bare(match) for match in expected.matches]
    if keep_text:
        assert [replace(match, terms=None, credit="") for match in found.matches] == [
            replace(match, terms=None, credit="") for match in expected.matches
        ]
    assert (found.relation, found.strength) == (expected.relation, expected.strength)


@pytest.mark.parametrize("suspect", ["rebadged", "cited"])
def test_with_texts_everything_is_the_same(suspect: str) -> None:
    kinds = Options(kinds=frozenset({"code", "traces", "declared"}))
    with _opened(*_fixtures(suspect, *(name for name in NAMES if name != suspect))) as (mine, *others):
        expected = compare(mine, [replace(repo, history=None) for repo in others], kinds)
        found = compare(mine, [remembered(repo, has_texts=True, has_notes=True) for repo in others], kinds)
    for each in ("matches", "names", "evidence", "traces", "exhibits", "examined", "relation"):
        if each in ("evidence", "exhibits"):  # headers of files are no part of what is kept
            lost = {"licence-header-lost", "lost-headers", "licences"}
            assert [line for line in getattr(found, each) if line.name not in lost] == [
                line for line in getattr(expected, each) if line.name not in lost
            ]
        else:
            assert getattr(found, each) == getattr(expected, each)


@pytest.mark.parametrize(
    ("suspect", "references"),
    [
        ("sglang==0.1.12", ["vllm==0.2.7"]),
        ("timm==0.9.16", ["vit-pytorch==1.6.5", "segmentation-models-pytorch==0.3.3", "effdet==0.4.1"]),
        ("effdet==0.4.1", ["vit-pytorch==1.6.5", "timm==0.9.16"]),
    ],
)
def test_published_packages_known_already_give_the_same_matches(suspect: str, references: Sequence[str]) -> None:
    with _opened(*(str(cached(package)) for package in (suspect, *references))) as (mine, *others):
        expected = compare(mine, others, CODE)
        assert expected.matches
        known = [remembered(repo) for repo in others]
        _hold_equal(compare(mine, known, CODE), expected)
        _hold_equal(compare(mine, [], CODE, known=_Everything(known)), expected)


class _Everything(Memory):
    """An index that leaves nothing out."""

    def references(self, corpus: object) -> list[Repo]:
        return list(self.repos)


def test_clone_types_are_told_without_texts() -> None:
    renamed = WARP.replace("frames", "images").replace("height", "tall").replace("scale", "s").replace("grid", "g")
    mine = _repo({"a.py": WARP.replace("    height", "\n    # both\n    height"), "b.py": ROUTE, "c.py": renamed})
    known = remembered(_repo({"x.py": WARP, "y.py": ROUTE.replace(", expert, penalty", ", penalty")}, "heron"))
    types = {match.suspect.path: match.clone_type for match in compare(mine, [known], CODE).matches}
    assert types == {"a.py": CloneType.LAYOUT, "b.py": CloneType.EDITED, "c.py": CloneType.RENAMED}


def test_names_and_texts_are_not_told_of_what_has_no_texts() -> None:
    with _opened(*_fixtures("rebadged", "original")) as (mine, original):
        found = compare(mine, [remembered(original)], CODE)
    assert found.matches
    functions = {name.rpartition(".")[2] for match in found.matches for name in match.suspect.qualname.split(".")}
    assert {pair.suspect for pair in found.names} <= functions  # of these an index knows the names
    assert all(match.texts is None and not match.renames and not match.disguises for match in found.matches)


# --- beside the code -----------------------------------------------------------------------------------------


def test_of_what_an_index_does_not_hold_nothing_is_said() -> None:
    with _opened(*_fixtures("rebadged", "original")) as (mine, original):
        found = compare(mine, [remembered(original)])
    told = {each.kind: each for each in found.examined if each.reference == "original"}
    assert told.keys() == set(KINDS)
    assert told["code"].is_possible
    assert told["declared"].is_possible
    assert "keeps no licence" in told["declared"].about
    for kind in ("traces", *(each for each in BESIDE if each != "declared")):
        assert (told[kind].is_possible, told[kind].about) == (False, NOT_ITS_FILES)
    assert {line.kind for line in found.evidence} <= {"code", "declared"}
    assert not found.traces


def test_a_repository_beside_a_known_target_is_looked_at_as_ever() -> None:
    with _opened(*_fixtures("rebadged", "original", "cited")) as (mine, original, cited):
        expected = compare(mine, [original, cited])
        found = compare(mine, [original, remembered(cited)])
    beside = [line for line in expected.evidence if line.kind not in ("code", "declared", "traces")]
    lines = [line for line in found.evidence if line.kind not in ("code", "declared", "traces")]
    assert lines
    assert {line.name for line in lines} <= {line.name for line in beside}
    assert {line.reference for line in lines} <= {"original", ""}
    assert found.traces == tuple(each for each in expected.traces if each.reference_name == "original")


HEADED = WARP.replace("def warp", "# Copied from heron.layers.warp\ndef warp")


def test_a_comment_that_names_a_known_target_declares_it() -> None:
    theirs = _repo({"heron/__init__.py": "", "heron/layers.py": WARP}, "heron")
    mine = _repo({"a.py": HEADED, "b.py": ROUTE})
    for reference in (theirs, remembered(theirs)):
        (match,) = compare(mine, [reference], CODE).matches
        assert match.is_declared


def test_without_its_licence_nothing_says_that_a_known_target_is_not_named() -> None:
    theirs = _repo({"heron/__init__.py": "", "heron/layers.py": WARP, "LICENSE": "Copyright 2020 Heron Lab"}, "heron")
    mine = _repo({"a.py": WARP})
    lines = [
        {line.name for line in compare(mine, [reference]).evidence if line.kind == "declared"}
        for reference in (theirs, remembered(theirs, has_notes=True), remembered(theirs))
    ]
    assert lines == [{"undeclared"}, {"undeclared"}, set()]


# --- an index ------------------------------------------------------------------------------------------------


def _index() -> Memory:
    texts = {"heron": WARP + ROUTE, "pelican": PARSE, "kestrel": SPECTRUM}
    return Memory(
        [remembered(_repo({f"{name}/__init__.py": "", f"{name}/a.py": text}, name)) for name, text in texts.items()]
    )


def test_targets_are_chosen_out_of_an_index() -> None:
    index = _index()
    mine = _repo({"m/__init__.py": "", "m/a.py": WARP + ROUTE, "m/b.py": ANNEAL})
    found = compare(mine, [], known=index)
    assert [side.name for side in found.references] == ["heron"]
    assert {match.reference_name for match in found.matches} == {"heron"}
    _hold_equal(found, compare(mine, [index.repos[0]]))
    (first, *_) = found.examined
    assert (first.kind, first.reference, first.is_possible) == ("code", "", True)
    assert first.about == "3 functions with an index of 3 targets, 1 of which has candidates"


def test_what_imports_a_chosen_target_is_read_as_held_against_it() -> None:
    index = _index()
    using = "from heron.a import route\n\ndef using(x, y):\n    return route(x, y, 3).sqrt() + y.cumsum(0) * 2.5\n"
    mine = _repo({"m/__init__.py": "", "m/a.py": WARP + ROUTE, "m/b.py": using})
    found = compare(mine, [], known=index)
    _hold_equal(found, compare(mine, [index.repos[0]]))
    assert len(index.asked) == 2  # as it stands, and as what was taken out of the targets that it imports


def test_references_come_before_what_an_index_has() -> None:
    other = _repo({"o/__init__.py": "", "o/a.py": ANNEAL + BEAMS}, "heron")
    mine = _repo({"m/a.py": WARP + ROUTE + ANNEAL})
    found = compare(mine, [other], known=_index())
    assert [side.target for side in found.references] == ["heron", "heron"]
    assert len({side.name for side in found.references}) == 2
    assert {match.suspect.qualname for match in found.matches} == {"warp", "route", "anneal"}


def test_where_nothing_has_a_candidate_the_two_are_independent() -> None:
    mine = _repo({"m/__init__.py": "", "m/a.py": ANNEAL + BEAMS, "m/b.py": "def f(x):\n    return x.sin() + 1\n"})
    found = compare(mine, [], known=_index())
    assert (found.relation, found.strength) == (Relation.INDEPENDENT, Strength.NONE)
    assert (found.references, found.matches, found.attribution) == ((), (), ())
    (line,) = [each for each in found.examined if each.kind == "code"]
    assert line.about == "3 functions with an index of 3 targets, in which none has a candidate"
    assert line.is_possible
    for form in Format:
        assert render(found, form)


def test_too_little_code_says_nothing_about_independence() -> None:
    found = compare(_repo({"a.py": ANNEAL}), [], known=_index())
    assert found.relation is Relation.INCONCLUSIVE


def test_an_index_without_targets_is_no_error() -> None:
    found = compare(_repo({"a.py": ANNEAL}), [], known=Memory([]))
    assert found.relation is Relation.INCONCLUSIVE


def test_a_suspect_without_code_is_refused_beside_an_index() -> None:
    with pytest.raises(UserError, match="no Python files found"):
        compare(_repo({"README.md": "# x"}), [], known=_index())


def test_an_index_says_nothing_where_code_is_not_asked_for() -> None:
    with pytest.raises(UserError, match="nothing to compare"):
        compare(_repo({"a.py": ANNEAL}), [], Options(kinds=frozenset({"config"})), known=_index())


def test_only_known_files_are_known() -> None:
    repo = _repo({"a.py": ANNEAL})
    assert known_files(repo) is None
    assert isinstance(remembered(repo).files, KnownFiles)
