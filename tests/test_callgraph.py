"""Who calls whom, by name: the nearest function of that name, or none where it could be several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from detector.code.bulk import read_corpus
from detector.code.callgraph import Calls, callees, graph
from detector.model import Span
from detector.settings import MOST_CALLEES
from tests.repositories import InMemory


def _span(place: str) -> Span:
    path, _, qualname = place.rpartition(":")
    return Span(path or "a.py", qualname, 1, 2)


def _called(calls: Mapping[str, Sequence[str]]) -> dict[str, set[str]]:
    """Resolve calls between functions given as `path:qualname` (`a.py` where there is no path)."""
    places = list(calls)
    found = callees([_span(place) for place in places], [tuple(names) for names in calls.values()])
    assert len(found) == len(places)
    return _by_name(found, places)


def _by_name(calls: Calls, names: Sequence[str]) -> dict[str, set[str]]:
    callers, called = calls.of(np.arange(len(names)))
    assert len({*zip(callers.tolist(), called.tolist(), strict=True)}) == len(callers)
    return {name: {names[each] for each in called[callers == number].tolist()} for number, name in enumerate(names)}


def test_a_method_calls_its_own_class_before_the_file() -> None:
    found = _called({"A.run": ["step"], "B.step": [], "step": [], "A.step": []})
    assert found["A.run"] == {"A.step"}


def test_a_function_calls_its_own_file_before_the_others() -> None:
    found = _called({"a.py:run": ["step"], "b.py:step": [], "a.py:step": []})
    assert found["a.py:run"] == {"a.py:step"}


def test_a_nested_function_is_called_before_all_others() -> None:
    found = _called({"run": ["step"], "step": [], "run.step": ["run"]})
    assert found["run"] == {"run.step"}
    assert found["run.step"] == {"run"}


def test_nested_functions_call_their_siblings() -> None:
    found = _called({"run.one": ["two"], "run.two": [], "other.two": []})
    assert found["run.one"] == {"run.two"}


def test_the_only_function_of_that_name_is_called_across_files() -> None:
    found = _called({"a.py:run": ["step", "unknown"], "lib/b.py:Tool.step": []})
    assert found["a.py:run"] == {"lib/b.py:Tool.step"}


def test_the_only_one_in_the_folder_is_nearer_than_one_elsewhere() -> None:
    found = _called({"pkg/a.py:run": ["step"], "pkg/b.py:step": [], "plots/c.py:step": []})
    assert found["pkg/a.py:run"] == {"pkg/b.py:step"}


def test_a_name_that_could_be_several_is_none() -> None:
    found = _called({"a.py:run": ["step"], "lib/b.py:step": [], "lib/c.py:step": []})
    assert found["a.py:run"] == set()


def test_calling_a_class_is_calling_its_constructor() -> None:
    found = _called({"run": ["Tool"], "Tool.__init__": [], "Tool.close": []})
    assert found["run"] == {"Tool.__init__"}
    elsewhere = _called({"a.py:run": ["Tool"], "b.py:Tool.__init__": [], "b.py:Other.__init__": []})
    assert elsewhere["a.py:run"] == {"b.py:Tool.__init__"}


def test_a_class_without_a_constructor_is_nothing_to_call() -> None:
    assert _called({"run": ["Tool"], "Tool.close": []})["run"] == set()


def test_nothing_calls_itself() -> None:
    assert _called({"run": ["run"]}) == {"run": set()}


def test_two_calls_of_one_function_are_one() -> None:
    found = _called({"run": ["step", "step"], "step": []})
    assert found["run"] == {"step"}


def test_of_two_functions_at_one_place_the_first_is_called() -> None:
    found = callees([_span("run"), _span("step"), _span("step")], [("step",), (), ()])
    assert found.called[: found.offsets[1]].tolist() == [1]


@pytest.mark.parametrize(("count", "is_driver"), [(MOST_CALLEES, False), (MOST_CALLEES + 1, True)])
def test_a_driver_that_calls_everything_calls_nothing(count: int, is_driver: bool) -> None:
    steps = [f"step{number}" for number in range(count)]
    found = _called({"main": steps, **{step: [] for step in steps}})
    assert found["main"] == (set() if is_driver else set(steps))


def test_an_empty_repository_has_an_empty_graph() -> None:
    assert len(callees([], [])) == 0
    assert len(callees([], []).callers()) == 0


def test_calls_are_read_from_source() -> None:
    files = InMemory(
        {
            "pkg/__init__.py": "",
            "pkg/a.py": (
                "from pkg.b import widen\n\n"
                "class Tool:\n"
                "    def __init__(self, size):\n        self.size = size\n\n"
                "    def run(self, x):\n        return widen(self.step(x), self.size)\n\n"
                "    def step(self, x):\n        return x + 1\n\n"
                "def main(x):\n    return Tool(3).run(x)\n"
            ),
            "pkg/b.py": "def widen(x, size):\n    return x * size\n",
        }
    )
    corpus = read_corpus(files, files.paths())
    found = _by_name(callees(corpus.spans, corpus.calls), [span.qualname for span in corpus.spans])
    assert found["Tool.run"] == {"widen", "Tool.step"}
    assert "Tool.__init__" in found["main"]
    assert found["widen"] == set()


def test_who_is_called_by_whom_is_the_same_calls_read_backwards() -> None:
    calls = graph(4, np.array([3, 0, 0]), np.array([1, 3, 1]))
    back = calls.callers()
    assert back.of(np.array([1, 3, 0]))[1].tolist() == [0, 3, 0]
    assert back.callers().called.tolist() == calls.called.tolist() == [1, 3, 1]
