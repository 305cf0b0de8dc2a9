"""Scans to show and to store: none, a few or many findings, harmless or with names that somebody chose to mislead.

Run as a program, it writes a page: `python -m tests.scans PAGE FINDINGS [hostile]`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from detector.model import Relation, Strength
from detector.report import dashboard
from detector.scanned import (
    OF_FINDINGS,
    Component,
    Descent,
    Finding,
    Line,
    Lineage,
    Member,
    Occurrence,
    Run,
    Scan,
    Standing,
    State,
)

HOSTILE = (
    "</script><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "hf:org/\u202egnp.exe",
    "\x1b[31mred\x1b[0m\x07",
    "{{ 7*7 }}{% raw %}",
    "a|b`c`\n\n# heading",
    "\ud800lone",
    "hf:" + "long" * 400,
    "]]>&amp;<!--",
    "javascript:alert(1)",
)
LINES = (
    Line(
        "weights",
        "same-values",
        Strength.VERY_STRONG,
        "tensors of original whose values are here, under other names: 290 of 291",
        "one checkpoint that both were openly made from",
    ),
    Line(
        "tokenizer",
        "same-changes",
        Strength.STRONG,
        "tokens of original that its base does not have, with the ids that they have there: 13 of 16",
        "one training recipe, published with its list of tokens; one author on both sides",
    ),
    Line(
        "code",
        "renamed-function",
        Strength.MODERATE,
        "functions that compute what functions of original compute, under other names: 4",
        "a common ancestor, a published formula or layer that allows few other ways to write it",
    ),
)
RELATIONS = (Relation.DERIVED_UNDECLARED, Relation.IDENTICAL, Relation.SHARED_ANCESTOR, Relation.DERIVED_DECLARED)
STRENGTHS = (Strength.VERY_STRONG, Strength.STRONG, Strength.MODERATE, Strength.WEAK)


def day(number: int) -> str:
    """The time of a run, one a day."""
    return f"2024-{number // 28 % 12 + 1:02}-{number % 28 + 1:02}T03:00:00Z"


def finding(number: int, state: State = State.NEW, names: tuple[str, ...] = ()) -> Finding:
    """The finding with this number."""
    suspect, reference = f"hf:copies/model-{number}", f"hf:originals/model-{number % 7}"
    if names:
        suspect, reference = names[number % len(names)] + f"-{number}", names[(number + 1) % len(names)]
    relation = RELATIONS[number % len(RELATIONS)]
    return Finding(
        id=f"{number:016x}",
        suspect=suspect,
        reference=reference,
        suspect_revision=f"{number:040x}",
        reference_revision=f"{number + 1:040x}",
        relation=relation,
        strength=STRENGTHS[number // 3 % len(STRENGTHS)],
        is_declared=relation is Relation.DERIVED_DECLARED,
        lines=LINES[number % 3 :],
        first_seen=day(number % 60),
        last_seen=day(60),
        state=state,
        reason=(names[number % len(names)] if names else "the same team, by its own word") * (state is State.ACCEPTED),
        more_lines=number % 2,
    )


def scan(count: int, names: tuple[str, ...] = ()) -> Scan:
    """A scan with so many findings, of every state in turn, in the order of a store."""
    states = list(State)
    found = [finding(number, states[number % len(states)], names) for number in range(count)]
    found.sort(key=lambda each: (states.index(each.state), -list(Strength).index(each.strength), each.suspect))
    members = [
        Member(
            name=names[number % len(names)] if names else f"hf:org/model-{number}",
            revision=f"{number:040x}",
            created=day(number % 60),
            modified=day(number % 60),
            declared=(),
            standing=list(Standing)[number % 5] if number % 3 == 0 else Standing.DONE,
            why=(names[(number + 3) % len(names)] if names else "its files are not for us") if number % 3 == 0 else "",
            last_seen=day(60),
        )
        for number in range(2 * count)
    ]
    occurrences = [
        Occurrence(
            number + 1,
            day(number * 60 // count),
            OF_FINDINGS[0 if number % 4 else number // 4 % len(OF_FINDINGS)],
            found[number].id,
            f"{found[number].suspect} and {found[number].reference}: derived, undeclared (support strong)",
        )
        for number in range(count)
    ]
    runs = [
        Run(
            number=61 - number,
            started=day(60 - number),
            ended="" if number == 5 else day(60 - number).replace("T03", "T04"),
            listed=1_200 + number,
            done=17 * number % 90,
            requests=2_300 + number,
            bytes=123_456_789 * (number + 1),
            counts={"found": number % 4, "changed": number % 3, "gone": number % 2, "done": 1_000},
        )
        for number in range(61 if count else 0)
    ]
    descents = [
        Descent(Component.WEIGHTS, each.suspect, (each.reference,), (1.0,), 0.1, True, "date", "undeclared")
        for each in found[:30]
    ]
    return Scan(
        name=names[0] if names else "nightly",
        runs=tuple(runs),
        members=tuple(members),
        findings=tuple(found),
        occurrences=tuple(reversed(occurrences)),
        lineage=Lineage(tuple(members), tuple(descents), ()),
    )


if __name__ == "__main__":
    _page, _count, *_hostile = sys.argv[1:]
    _scan = scan(int(_count), HOSTILE if _hostile else ())
    _text = dashboard.render(_scan, [each.id for each in _scan.findings[::2]])
    Path(_page).write_text(_text, "utf-8")
