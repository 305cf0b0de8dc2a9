"""Measure the evidence of recorded predictions: what separately trained classifiers share, and whether copies show."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from bench import large_logs
from bench.digit_classifiers import MODELS, TESTED, Digits, Network, digits, narrow_networks, networks
from bench.section import Demand, print_section, section, table
from detector.artifacts.behaviour.chance import log_tail
from detector.artifacts.behaviour.compared import Compared, compare
from detector.artifacts.behaviour.log import Log, read_log
from detector.artifacts.behaviour.pairing import panel
from detector.evidence import behaviour
from detector.evidence.behaviour import Case, case
from detector.model import Look, Skipped, Strength
from detector.patterns import PATTERNS
from detector.read import open_target
from detector.targets import Comparison

NOISE = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3)  # of each layer's standard deviation
FOUND_UP_TO = 0.2
SMALL_PANELS, DRAWS = (6, 8, 12), 150
UNLIKELY = 1e-6
# The affair's: items, errors of both, items that both have wrong, of these with the same answer.
ITEMS, OURS, THEIRS, BOTH, SAME = 1_000, 236, 194, 182, 118


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy of one of the networks, as a log."""

    number: int
    noise: float
    log: Log


Copied = tuple[Copy, Case]


@dataclass(frozen=True, slots=True)
class Logged:
    """All logs: of the networks, of their copies, and of narrow networks with theirs."""

    logs: Sequence[Log]
    copies: Sequence[Copy]
    narrow: Sequence[Log]
    narrow_copies: Sequence[Copy]

    def case(self, one: Log, other: Log, others: Iterable[int]) -> Case:
        """Compare two logs beside a panel of some of the networks."""
        compared = compare(one, other)
        found, _ = panel(compared, [(f"model {number}", self.logs[number]) for number in others])
        return case(("one", "other"), compared, found)

    def rest(self, *numbers: int) -> list[int]:
        """All networks but these."""
        return [number for number in range(len(self.logs)) if number not in numbers]


def measure(cache: Path, work: Path) -> tuple[list[Demand], list[str]]:
    """Measure everything; the logs that are written are removed again."""
    with TemporaryDirectory() as folder:
        demands = affair(Path(folder))
        found = classifiers(cache, Path(folder))
        logs, pairs = found.logs, combinations(range(MODELS), 2)
        independent = [found.case(logs[one], logs[other], found.rest(one, other)) for one, other in pairs]
        copied = [(each, found.case(logs[each.number], each.log, found.rest(each.number))) for each in found.copies]
        narrow = [(each, found.case(found.narrow[each.number], each.log, found.rest())) for each in found.narrow_copies]
        demands += [*_null(independent), *_copies(copied)]
        small, block = small_panels(found)
        demands += [*small, large_logs.compared(Path(folder))]
    blocks = [_by_noise(independent, copied, narrow), _statistics(independent, copied), block]
    return demands, blocks


# --- the affair ---


def affair(folder: Path) -> list[Demand]:
    """The numbers of the affair, from two logs that have them."""
    look = look_at({"suspect": affair_log(range(OURS)), "reference": affair_log(_their_errors())}, folder)
    (line,) = look.evidence
    told = line.measures
    wanted = {
        "agreement": 0.87,
        "shared_errors": 182,
        "shared_errors_if_independent": 45.784,
        "lift": 3.98,
        "kappa": 0.8050,
        "p_not_calibrated_for_item_difficulty": "4.28992674e-133",
        "same_wrong_answers": 118,
    }
    rows = {key: told[key] for key in wanted}
    return [
        Demand(
            f"the affair: {ITEMS:,} items, {OURS} and {THEIRS} errors",
            ", ".join(f"{key} {value}" for key, value in wanted.items()),
            ", ".join(f"{key} {value}" for key, value in rows.items()),
            rows == wanted,
        ),
        Demand(
            "support of that line without a panel",
            "none",
            f"{line.strength.value} (`behaviour/{line.name}`: {line.calibration})",
            line.strength is Strength.NONE,
        ),
    ]


def _their_errors() -> Iterator[int]:
    yield from range(OURS - BOTH, OURS + THEIRS - BOTH)


def affair_log(errors: Iterable[int]) -> str:
    """A log with errors at some items; the last of those that both have wrong get different answers."""
    wrong = set(errors)
    is_ours = 0 in wrong
    lines = []
    for number in range(ITEMS):
        answer = "right"
        if number in wrong:
            is_apart = number >= OURS - BOTH + SAME and is_ours
            answer = f"wrong {number} otherwise" if is_apart else f"wrong {number}"
        lines.append(json.dumps({"id": number, "prediction": answer, "label": "right"}))
    return "\n".join(lines) + "\n"


def look_at(texts: Mapping[str, str], folder: Path, others: Mapping[str, str] | None = None) -> Look:
    """Compare logs as the command does: the first is the suspect's, the second the reference's; others are a panel."""
    with ExitStack() as targets:
        repos = {}
        for name, text in {**texts, **(others or {})}.items():
            path = folder / name / "predictions.jsonl"
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, "utf-8")
            repos[name] = targets.enter_context(open_target(str(path.parent)))
        suspect, reference = texts
        of_panel = {name: repos[name] for name in others or {}}
        comparison = Comparison(repos[suspect], suspect, {reference: repos[reference]}, panel=of_panel)
        return behaviour.find(comparison)[0]


# --- classifiers ---


def classifiers(cache: Path, folder: Path) -> Logged:
    """Train them, let them and their copies answer, and read what they answered."""
    learned, tested = digits(cache)
    wide = _with_copies(folder / "wide", networks(learned), tested)
    return Logged(*wide, *_with_copies(folder / "narrow", narrow_networks(learned), tested))


def _with_copies(folder: Path, trained: Sequence[Network], tested: Digits) -> tuple[list[Log], list[Copy]]:
    logs = [_logged(folder / f"model-{number}", each, tested) for number, each in enumerate(trained)]
    copies = [
        Copy(number, noise, _logged(folder / f"copy-{number}-{noise}", each.noised(noise, number), tested))
        for number, each in enumerate(trained)
        for noise in NOISE
    ]
    return logs, copies


def _logged(folder: Path, network: Network, tested: Digits) -> Log:
    folder.mkdir(parents=True)
    answers = enumerate(zip(network.answers(tested.pictures), tested.labels, strict=True))
    rows = [f"{number},{answer},{label}" for number, (answer, label) in answers]
    (folder / "predictions.csv").write_text("\n".join(["id,prediction,label", *rows]) + "\n", "utf-8")
    with open_target(str(folder)) as repo:
        log = read_log(repo.files, "predictions.csv")
    if isinstance(log, Skipped):
        raise ValueError(f"{log.path}: {log.reason}")
    return log


def _null(independent: Sequence[Case]) -> list[Demand]:
    lines = sum(each.is_beyond for each in independent)
    unlikely = sum(_log10_p(each.compared) < math.log10(UNLIKELY) for each in independent)
    null = PATTERNS["behaviour/same-errors"].null
    assert null is not None
    return [
        Demand(
            "independent pairs with a line",
            "at most 1 %",
            f"{lines} of {len(independent)}; the largest excess is {max(map(_excess, independent)):.1f}",
            lines <= 0.01 * len(independent),
        ),
        Demand(
            "the null of patterns/behaviour.toml",
            f"at most {null.found} of {null.measured}",
            f"{lines} of {len(independent)}, support at most {_strongest(independent)}",
            lines <= null.found and null.measured == len(independent),
        ),
        Demand(
            f"independent pairs with p below {UNLIKELY:g}, which is why p supports nothing",
            "all",
            f"{unlikely} of {len(independent)}",
            unlikely == len(independent),
        ),
    ]


def _strongest(found: Sequence[Case]) -> str:
    return max((each.strength() for each in found), key=list(Strength).index).value


def _log10_p(compared: Compared) -> float:
    shared = compared.shared
    assert shared is not None
    return log_tail(shared.items, shared.ours, shared.theirs, shared.both) / math.log(10)


def _excess(found: Case) -> float:
    assert found.ranked is not None
    return found.ranked.excess


def _copies(copied: Sequence[Copied]) -> list[Demand]:
    wanted = [found for copy, found in copied if copy.noise <= FOUND_UP_TO]
    lines = sum(found.is_beyond for found in wanted)
    strengths = {found.strength().value for found in wanted if found.is_beyond}
    least = min(map(_excess, wanted))
    return [
        Demand(
            f"copies with up to {FOUND_UP_TO:.0%} noise on their weights, with a line",
            "all",
            f"{lines} of {len(wanted)}; the smallest excess is {least:.1f}; support {', '.join(sorted(strengths))}",
            lines == len(wanted),
        )
    ]


def _by_noise(independent: Sequence[Case], copied: Sequence[Copied], narrow: Sequence[Copied]) -> str:
    rows = [("independent pairs", *_spread(independent))]
    for what, made in (("copies", copied), ("copies of narrow networks", narrow)):
        for noise in NOISE:
            found = [each for copy, each in made if copy.noise == noise]
            rows.append((f"{what}, {noise:.0%} noise", *_spread(found)))
    errors = [int(each.compared.wrong[0].sum()) for each in independent]
    how = (
        f"{MODELS} classifiers of digits, each with its own seed, form (no hidden layer, or one or two of 48 to 256 "
        "values) and part of the 797 examples (15 to 60 %), tested on the same "
        f"{TESTED:,}: {min(errors)} to {max(errors)} errors. Narrow ones have layers of 12 to 24 values. Each pair "
        "beside all other models:"
    )
    return how + "\n\n" + table(("pairs", "cases", "lines", "excess", "kappa", "same wrong answers"), rows)


def _spread(found: Sequence[Case]) -> tuple[object, ...]:
    kappas = [each.compared.shared.kappa for each in found if each.compared.shared is not None]
    same = [int(each.compared.same_wrong.sum()) for each in found]
    values = list(map(_excess, found))
    return (
        len(found),
        sum(each.is_beyond for each in found),
        f"{min(values):.1f} to {max(values):.1f}",
        f"{min(kappas):.2f} to {max(kappas):.2f}",
        f"{min(same)} to {max(same)}",
    )


def _statistics(independent: Sequence[Case], copied: Sequence[Copied]) -> str:
    """How well each statistic tells copies from independent pairs, by itself."""
    wanted = [found for copy, found in copied if copy.noise <= FOUND_UP_TO]
    rows = []
    for name, value in STATISTICS.items():
        chance, copies = [value(each) for each in independent], [value(each) for each in wanted]
        missed = sum(each <= max(chance) for each in copies)
        rows.append(
            (name, f"{max(chance):.2f}", f"{min(copies):.2f} to {max(copies):.2f}", f"{missed} of {len(copies)}")
        )
    header = (
        "statistic",
        "largest of independent pairs",
        f"copies up to {FOUND_UP_TO:.0%} noise",
        "not above the largest",
    )
    return "By itself, without regard to the pair's own panel:\n\n" + table(header, rows)


def same_wrong_z(found: Case) -> float:
    """Equal wrong answers beside those of independent models with the same confusions, in standard deviations."""
    compared = found.compared
    ours, theirs = (
        log.answers[places]
        for log, places in ((compared.ours, compared.our_places), (compared.theirs, compared.their_places))
    )
    expected = variance = 0.0
    for label in np.unique(compared.truth):
        of_label = compared.truth == label
        answers = np.unique(np.concatenate([ours[of_label], theirs[of_label]]))
        others = [answer for answer in answers if answer != label]
        likely = sum(float((ours[of_label] == each).mean() * (theirs[of_label] == each).mean()) for each in others)
        expected += of_label.sum() * likely
        variance += of_label.sum() * likely * (1 - likely)
    return float((compared.same_wrong.sum() - expected) / math.sqrt(max(variance, 1e-9)))


def _kappa(found: Case) -> float:
    assert found.compared.shared is not None
    return found.compared.shared.kappa


STATISTICS: Mapping[str, Callable[[Case], float]] = {
    "-log10 of the hypergeometric p": lambda found: -_log10_p(found.compared),
    "error consistency (kappa)": _kappa,
    "z of equal wrong answers, from each model's own confusions": same_wrong_z,
    "excess over what the panel gives to each item": _excess,
}


def small_panels(found: Logged) -> tuple[list[Demand], str]:
    """Draw small panels, an independent pair and a copy beside each, to see where few models mislead."""
    random = np.random.default_rng(1)
    copies = [copy for copy in found.copies if copy.noise <= FOUND_UP_TO]
    rows, false = [], 0
    for size in SMALL_PANELS:
        pairs, copied = [], []
        for _ in range(DRAWS):
            one, other, *others = random.permutation(MODELS)[: size + 2].tolist()
            pairs.append(found.case(found.logs[one], found.logs[other], others))
            mine = [copy for copy in copies if copy.number == one]
            copy = mine[int(random.integers(len(mine)))]
            copied.append(found.case(found.logs[one], copy.log, others))
        lines = sum(each.is_beyond for each in pairs)
        false += lines
        above = sum(each.ranked is not None and each.ranked.above == 0 for each in pairs)
        strengths = sorted({each.strength().value for each in copied if each.is_beyond})
        rows.append((size, above, lines, sum(each.is_beyond for each in copied), ", ".join(strengths)))
    header = (
        "models", f"independent pairs above their panel, of {DRAWS}", "with a line",
        f"copies up to {FOUND_UP_TO:.0%} noise with a line, of {DRAWS}", "support",
    )  # fmt: skip
    drawn = DRAWS * len(SMALL_PANELS)
    demand = Demand(
        "independent pairs beside small panels, with a line",
        "at most 1 %",
        f"{false} of {drawn}",
        false <= 0.01 * drawn,
    )
    return [demand], "Beside small panels, drawn from the same models:\n\n" + table(header, rows)


def report(cache: Path, work: Path) -> str:
    """Write the section."""
    demands, blocks = measure(cache, work)
    how = (
        "Logs of classifiers that were trained separately, of copies of these with noise on their weights, of the "
        "numbers of the affair, and of ten million lines."
    )
    return section("evidence_behaviour", "recorded predictions", how, demands, *blocks)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the section."""
    return print_section("evidence_behaviour", __doc__, report, arguments)


if __name__ == "__main__":
    sys.exit(main())
