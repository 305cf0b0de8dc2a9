"""The generated hub is what it says: copies are found as such by a comparison, what is unrelated is not."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.generated_hub import GeneratedHub, change, family, generate
from bench.hub import texts, weights
from bench.hub.lineage import COUNT, family_plan, values
from bench.hub.model import Model
from detector.compare import compare
from detector.model import Relation, Report
from detector.read import open_target
from tests.hub_client import unconfigured
from tests.hub_repositories import facts_of, models_in, revision_of
from tests.olah_hub import Hub, serving

ALIKE = frozenset({Relation.IDENTICAL, Relation.DERIVED_UNDECLARED, Relation.SHARED_ANCESTOR})


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> GeneratedHub:
    return generate(tmp_path_factory.mktemp("generated") / "hub", count=12, cache=None)


@pytest.fixture(scope="module")
def served(made: GeneratedHub) -> Iterator[Hub]:
    with serving(made.folder) as hub:
        yield hub


@pytest.fixture(autouse=True)
def machine(served: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unconfigured(tmp_path, monkeypatch)
    monkeypatch.setenv("HF_ENDPOINT", served.endpoint)


def compared(suspect: str, reference: str) -> Report:
    with open_target(f"hf:{suspect}") as one, open_target(f"hf:{reference}") as other:
        return compare(one, [other])


def revisions(folder: Path) -> Mapping[str, str]:
    return {each: revision_of(folder, each) for each in models_in(folder)}


def test_the_same_count_and_seed_give_the_same_hub(made: GeneratedHub, tmp_path: Path) -> None:
    again = generate(tmp_path / "again", count=12, cache=None)
    other = generate(tmp_path / "other", count=12, seed=9, cache=None)
    assert (again.planted, again.members) == (made.planted, made.members)
    assert revisions(again.folder) == revisions(made.folder)
    assert facts_of(again.folder) == facts_of(made.folder)
    assert not set(models_in(other.folder)) & set(models_in(made.folder))


def test_it_has_as_many_repositories_as_were_asked_for_and_a_copy_of_each_kind(made: GeneratedHub) -> None:
    assert sorted(each.name for each in made.members) == models_in(made.folder)
    assert len(made.members) == 12
    assert sorted(each.kind for each in made.planted) == ["code", "config", "cross-upload", "tokenizer", "weights"]
    assert not list(made.folder.glob("made.*"))


def test_copies_are_younger_than_their_originals_and_declare_nothing(made: GeneratedHub, served: Hub) -> None:
    for each in made.planted:
        ours, theirs = (served.about(name, "main") for name in (each.suspect, each.reference))
        assert ours is not None
        assert theirs is not None
        assert ours.created > theirs.created
        assert "base_model" not in (ours.card or {})
    changed_later = [
        each
        for each in made.planted
        if (served.about(each.reference, "main") or _none()).modified
        > (served.about(each.suspect, "main") or _none()).modified
    ]
    assert changed_later  # such copies are listed before their originals


def _none() -> Any:
    raise AssertionError("a repository without a commit")


@pytest.mark.parametrize("kind", ["code", "config", "cross-upload", "tokenizer", "weights"])
def test_a_copy_is_one_for_a_comparison(kind: str, made: GeneratedHub) -> None:
    (planted,) = [each for each in made.planted if each.kind == kind]
    report = compared(planted.suspect, planted.reference)
    assert report.relation in ALIKE
    kinds = {line.kind for line in report.evidence if line.strength.value in ("moderate", "strong", "very strong")}
    assert {"cross-upload": "code"}.get(kind, kind) in kinds


def test_what_is_no_copy_is_none_for_a_comparison(made: GeneratedHub) -> None:
    copies = {frozenset((each.suspect, each.reference)) for each in made.planted}
    pairs = [
        each for each in combinations(sorted(each.name for each in made.members), 2) if frozenset(each) not in copies
    ]
    for one, other in random.Random(1).sample(pairs, 8):
        assert compared(one, other).relation not in ALIKE, (one, other)


def test_later_there_are_a_copy_another_card_and_a_new_model(tmp_path: Path) -> None:
    made = generate(tmp_path / "hub", count=12, cache=None)
    before = revisions(made.folder)
    later = change(made)
    after = revisions(made.folder)
    changed = {name for name in after if after[name] != before.get(name)}
    (planted,) = set(later.planted) - set(made.planted)
    new = {each.name for each in later.members} - set(before)
    assert len(changed) == 3
    assert new == set(after) - set(before)
    assert planted.suspect in new
    assert planted.kind == "code"
    with serving(made.folder) as hub, pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_ENDPOINT", hub.endpoint)
        assert compared(planted.suspect, planted.reference).relation is Relation.DERIVED_UNDECLARED


def test_fewer_changes_are_the_first_of_them(tmp_path: Path) -> None:
    made = generate(tmp_path / "hub", count=12, cache=None)
    before = revisions(made.folder)
    later = change(made, which=1)
    assert set(revisions(made.folder)) - set(before) == {later.planted[-1].suspect}
    assert {name: each for name, each in revisions(made.folder).items() if name in before} == before


def test_a_larger_hub_has_repositories_of_every_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.hub.copies.large", lambda family, seed, *_: Model(family, seed, 64, 2))
    made = generate(tmp_path / "hub", count=100, cache=None)
    kinds = {each.kind.partition(":")[0] for each in made.members}
    assert kinds >= {
        "code",
        "own",
        "fine-tune",
        "quantised",
        "architecture",
        "published configuration",
        "gguf",
        "readme",
        "data-less",
        "broken",
    }
    assert len(made.members) == 100
    assert len(made.planted) == 12
    names = {each.name for each in made.members}
    assert all(each.base in names for each in made.members if each.base)
    copied = {name for each in made.planted for name in (each.suspect, each.reference)}
    assert not copied & {each.base for each in made.members}


# --- a family -----------------------------------------------------------------------------------------------------


def test_a_family_has_forks_of_forks_one_mixture_and_directions_that_little_decides() -> None:
    plan = family_plan()
    assert len({each.name for each in plan}) == len(plan) == COUNT
    at = {each.name: each.created for each in plan}
    place = {each.name: number for number, each in enumerate(plan)}
    assert [each.name for each in plan if not each.parents] == [plan[0].name]
    assert [len(each.parents) for each in plan].count(2) == 1
    for each in plan[1:]:
        assert all(place[parent] < place[each.name] for parent in each.parents)
        is_later = all(at[parent] < each.created for parent in each.parents)
        assert is_later == (each.decided_by == "date")
    assert {each.decided_by for each in plan[1:]} == {"date", "cast", "noise", "quantised", ""}
    declared = {(each.declared in each.parents) if each.declared else None for each in plan[1:]}
    assert declared == {True, False, None}


def test_a_child_is_nearer_to_its_parent_than_to_what_its_parent_comes_from() -> None:
    plan = family_plan()
    known = {each.name: tensors for each, tensors, _ in values(plan, Model("osprey", "8", 32, 1))}
    parents = {each.name: each.parents for each in plan}

    def distance(one: str, other: str) -> float:
        return sum(float(np.square(each - known[other][name]).sum()) for name, each in known[one].items())

    for each in plan:
        for parent in each.parents[:1] if len(each.parents) == 1 else ():
            assert all(distance(each.name, parent) < distance(each.name, above) for above in parents[parent])


def test_a_family_is_written_as_repositories(tmp_path: Path) -> None:
    plan = family(tmp_path)
    assert models_in(tmp_path) == sorted(each.name for each in plan)
    with serving(tmp_path) as hub:
        for each in plan:
            about = hub.about(each.name, "main")
            assert about is not None
            assert about.created == each.created
            assert (about.card or {}).get("base_model", []) == ([each.declared] if each.declared else [])


def test_values_under_other_names_are_the_same_values() -> None:
    tensors = Model("osprey", "8", 32, 1).tensors()
    renamed = weights.renamed(tensors, "x")
    assert len(renamed) == len(tensors)
    assert not set(renamed) & set(tensors)
    assert sorted(float(each.sum()) for each in renamed.values()) == sorted(
        float(each.sum()) for each in tensors.values()
    )


def test_a_tokenizer_in_other_files_is_the_same_tokenizer() -> None:
    vocabulary = texts.Vocabulary("x")
    assert len(vocabulary.tokens) == 1_800
    assert set(vocabulary.files()) & set(vocabulary.disguised()) == {"tokenizer_config.json"}
    assert texts.Vocabulary("x").files() == vocabulary.files()
    assert texts.Vocabulary("y").added != vocabulary.added
