"""Reports with everything in them, for what shows reports: made of the fixtures and of small texts, without a program.

Run as a program, it writes a page: `python -m tests.pages PAGE [MATCHES]`.
"""

from __future__ import annotations

import ast
import re
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from functools import cache
from pathlib import Path

from detector.compare import compare
from detector.figures import Figure, Histogram, Matrix, Mosaic, Tile
from detector.model import (
    Basis,
    CloneType,
    Cluster,
    Event,
    Examined,
    Exhibit,
    Flow,
    FlowNode,
    FlowPair,
    Match,
    Report,
    Role,
    Similarities,
    Skipped,
    Span,
    Texts,
    Trace,
)
from detector.options import Options
from detector.read import open_target
from tests.beside import beside
from tests.drawings import figures

FIXTURES = Path(__file__).parent.parent / "fixtures"
BINS = 20
Run = tuple[int, int, int]

OURS = """\
    def blend{n}(self, feats, sizes, mask):
        # halve, then look again
        n = feats.shape[0]
        q = self.wq{n}(feats).view(n, -1, self.heads, self.dim // self.heads)
        k = self.wk{n}(feats).view(n, -1, self.heads, self.dim // self.heads)
        v = self.wv{n}(feats).view(n, -1, self.heads, self.dim // self.heads)
        att = torch.einsum("bqhd,bkhd->bhqk", q, k) * self.scale
        if mask is not None:
            att = att.masked_fill(mask[:, None, None, :], -65504.0)
        att = att.softmax(-1)
        out = torch.einsum("bhqk,bkhd->bqhd", att, v)
        out = out.reshape(n, -1, self.dim)
        for size in sizes:
            out = out + self.shift{n}(size)
        total = 0.0
        for row, size in zip(out, sizes):
            total = total + row[: size[0] * size[1]].mean()
        self.seen{n} = self.seen{n} + total
        out = self.wo{n}(out)
        if self.gate is not None:
            out = out * self.gate.sigmoid()
        left = out[:, : self.dim // 2]
        right = out[:, self.dim // 2 :]
        return torch.cat([left, right], dim=-1), total
"""
THEIRS = """\
    def mix{n}(self, features, shapes, padding):
        batch = features.shape[0]
        query = self.to_query{n}(features).view(batch, -1, self.heads, self.width // self.heads)
        key = self.to_key{n}(features).view(batch, -1, self.heads, self.width // self.heads)
        value = self.to_value{n}(features).view(batch, -1, self.heads, self.width // self.heads)
        logits = torch.einsum("bqhd,bkhd->bhqk", query, key) * self.scale
        if padding is not None:
            logits = logits.masked_fill(padding[:, None, None, :], float("-inf"))
        weights = logits.softmax(dim=-1)
        mixed = torch.einsum("bhqk,bkhd->bqhd", weights, value)
        mixed = mixed.reshape(batch, -1, self.width)
        for shape in shapes:
            mixed = mixed + self.offset{n}(shape)
        total = 0.0
        for row, shape in zip(mixed, shapes):
            total = total + row[: shape[0] * shape[1]].mean()
        self.counted{n} = self.counted{n} + total
        mixed = self.merge{n}(mixed)
        if self.gate is not None:
            mixed = mixed * self.gate.sigmoid()
        left = mixed[:, : self.width // 2]
        right = mixed[:, self.width // 2 :]
        return torch.cat([left, right], dim=-1), total
"""
RENAMES = dict(
    pair.split("=")
    for pair in """
    blend{n}=mix{n} feats=features sizes=shapes mask=padding n=batch q=query k=key v=value wq{n}=to_query{n}
    wk{n}=to_key{n} wv{n}=to_value{n} wo{n}=merge{n} att=logits out=mixed size=shape shift{n}=offset{n}
    seen{n}=counted{n} dim=width heads=heads row=row
    """.split()
)


@cache
def fixture_report() -> Report:
    """The comparison of the fixtures' code, with texts, flows, a histogram and lines of all kinds made for it."""
    names = ("rebadged", "original", "cited", "independent")
    with (
        open_target(str(FIXTURES / names[0])) as suspect,
        open_target(str(FIXTURES / names[1])) as original,
        open_target(str(FIXTURES / names[2])) as cited,
        open_target(str(FIXTURES / names[3])) as independent,
    ):
        kinds = frozenset({"code", "traces", "declared"})
        report = compare(suspect, [original, cited, independent], Options(kinds=kinds))
    report = replace(
        report,
        suspect=replace(report.suspect, target="./rebadged"),
        references=tuple(replace(side, target=f"./{side.name}") for side in report.references),
    )
    matches = tuple(_with_texts(match) for match in report.matches)
    return replace(
        report,
        matches=matches,
        similarities=similarities([match.similarity for match in matches], report.suspect.functions),
        traces=traces(),
        clusters=beside().clusters,
        examined=(*report.examined, *beside().examined[4:]),
        evidence=(*report.evidence, *beside().evidence),
        exhibits=beside().exhibits,
        events=beside().events,
        figures=figures(),
        settings={**report.settings, "background_packages": 54},
        skipped=(
            Skipped("rebadged:assets/logo.py", "larger than 5 MB"),
            Skipped("original:old/legacy.py", "cannot be parsed: only in part (line 12)"),
        ),
    )


def large_report(matches: int, flows: int) -> Report:
    """So many matches of 25 lines, and so many of them with flows."""
    made = [_made(number, has_flows=number < flows) for number in range(matches)]
    return replace(fixture_report(), matches=tuple(made))


def _made(number: int, *, has_flows: bool) -> Match:
    renames = {ours.format(n=number): theirs.format(n=number) for ours, theirs in RENAMES.items()}
    ours, theirs = (text.replace("{n}", str(number)) for text in (OURS, THEIRS))
    first = 40 + number % 300
    return Match(
        suspect=Span(f"pkg/layers/part_{number % 40:02}.py", f"Block{number}.blend{number}", first, first + 23),
        reference_name="original",
        reference=Span(f"models/modeling_{number % 30:02}.py", f"Layer{number}.mix{number}", first, first + 22),
        similarity=0.9 - number % 700 / 1000,
        overlap=0.8 - number % 700 / 1000,
        containment=0.95 - number % 500 / 1000,
        bits=900.0 - number * 0.4,
        own_bits=850.0 - number * 0.4,
        coincidence=0.3587,
        basis=list(Basis)[number % 5],
        clone_type=CloneType(1 + number % 4),
        is_declared=number % 17 == 0,
        digest=f"{number:016x}-{number * 7:016x}",
        renames=renames,
        disguises=("renamed", "removed-comments"),
        disguise_lines={"removed-comments": (((first + 1, first + 1),), ())},
        texts=_texts(ours, theirs, renames),
        flows=_flows(ours, theirs, first, first) if has_flows else None,
    )


def _with_texts(match: Match) -> Match:
    ours = _lines_of(FIXTURES / "rebadged" / match.suspect.path, match.suspect)
    theirs = _lines_of(FIXTURES / match.reference_name / match.reference.path, match.reference)
    first = match.suspect.first_line
    return replace(
        match,
        texts=_texts(ours, theirs, match.renames),
        flows=_flows(ours, theirs, first, match.reference.first_line),
        disguise_lines=dict.fromkeys(match.disguises[:1], (((first, first + 1),), ())),
    )


def _lines_of(file: Path, span: Span) -> str:
    lines = file.read_text("utf-8").split("\n")
    return "\n".join(lines[span.first_line - 1 : span.last_line]) + "\n"


def _texts(ours: str, theirs: str, renames: Mapping[str, str]) -> Texts:
    unrenamed = re.sub(r"[^\W\d]\w*", lambda word: renames.get(word.group(), word.group()), ours)
    undone = sum(word in renames and renames[word] != word for word in set(re.findall(r"[^\W\d]\w*", ours)))
    return Texts(ours, theirs, unrenamed, undone, equal_runs(unrenamed, theirs), equal_runs(ours, theirs))


def equal_runs(ours: str, theirs: str) -> tuple[Run, ...]:
    """Runs of lines that are equal but for blanks at their ends."""
    left, right = ([line.rstrip() for line in text.removesuffix("\n").split("\n")] for text in (ours, theirs))
    blocks = SequenceMatcher(None, left, right, autojunk=False).get_matching_blocks()
    return tuple((block.a, block.b, block.size) for block in blocks if block.size)


def _flows(ours: str, theirs: str, our_first: int, their_first: int) -> FlowPair:
    suspect, reference = _flow(ours, our_first), _flow(theirs, their_first)
    left, right = ([node.operation for node in flow.nodes] for flow in (suspect, reference))
    blocks = SequenceMatcher(None, left, right, autojunk=False).get_matching_blocks()
    same = tuple((block.a + step, block.b + step) for block in blocks for step in range(block.size))
    return FlowPair(suspect, reference, same)


def _flow(text: str, first_line: int) -> Flow:
    """Calls and operators as nodes, in the order in which they are done; names lead from one to the next."""
    nodes: list[FlowNode] = []
    edges: list[tuple[int, int]] = []
    held: dict[str, int] = {}

    def visit(tree: ast.AST, name: str) -> int | None:
        operands = [visit(child, "") for child in ast.iter_child_nodes(tree)]
        if isinstance(tree, ast.Name):
            return held.get(tree.id)
        if not isinstance(tree, ast.Call | ast.BinOp | ast.Subscript | ast.Compare):
            return next((operand for operand in operands if operand is not None), None)
        operation = type(tree).__name__.lower()
        if isinstance(tree, ast.Call):
            operation = tree.func.attr if isinstance(tree.func, ast.Attribute) else getattr(tree.func, "id", "call")
        elif isinstance(tree, ast.BinOp):
            operation = type(tree.op).__name__.lower()
        nodes.append(FlowNode(operation, name, first_line + tree.lineno - 1))
        edges.extend((operand, len(nodes) - 1) for operand in dict.fromkeys(operands) if operand is not None)
        return len(nodes) - 1

    for statement in _statements(text):
        targets = statement.targets if isinstance(statement, ast.Assign) else []
        name = next((target.id for target in targets if isinstance(target, ast.Name)), "")
        node = (
            visit(statement.value, name) if isinstance(statement, ast.Assign | ast.Return) and statement.value else None
        )
        if node is not None and name:
            held[name] = node
    return Flow(tuple(nodes), tuple(edges), omitted=0)


def _statements(text: str) -> Iterator[ast.stmt]:
    try:
        tree = ast.parse(textwrap.dedent(text))
    except SyntaxError:
        return
    yield from sorted((node for node in ast.walk(tree) if isinstance(node, ast.stmt)), key=lambda node: node.lineno)


def similarities(found: Sequence[float], functions: int) -> Similarities:
    """A histogram of these, beside a made-up null that falls off steeply."""
    counts = [0] * BINS
    for value in found:
        counts[min(int(value * BINS), BINS - 1)] += 1
    counts[0] += functions - len(found)
    shares = [0.62 * 0.55**number for number in range(BINS)]
    total = sum(shares)
    return Similarities(
        edges=tuple(round(number / BINS, 2) for number in range(BINS + 1)),
        suspect=tuple(counts),
        unrelated=tuple(round(share / total, 4) for share in shares),
    )


def traces() -> tuple[Trace, ...]:
    """Some of each kind."""
    places = (("kestrel/fit.py", 41), ("kestrel/text.py", 12))
    rows = (
        ("comment", "eight spare rows and columns, not to grow again", 0, 17.5),
        ("misspelling", "recieved", 2, 9.25),
        ("number", "4.6052", 1, 7.5),
        ("string", "<|picture_start|>", 0, 6.125),
        ("unused-import", "itertools", 4, 3.75),
        ("unused-name", "scratch", 3, 3.5),
        ("unreachable-code", "return None", 5, 2.25),
    )
    return tuple(
        Trace(kind, text, "original", packages, bits, places, (("heronvl/train.py", 90),))
        for kind, text, packages, bits in rows
    )


HOSTILE = (
    "</script><script>document.title='ran'</script><!--<script>",
    "<img src=x onerror=document.title='ran'>\"'`&amp;&#60;",
    "\x1b[31mred\x1b[0m\x00\x07\x7f\x9b",
    "evil\u202egnp.py\u2066isolated\u2069\u200bzero\ufeff",
    "\u2028\u2029\u0085\x0c\x0b",
    "\ud800lone\udfff",
    "{{ 7 * 7 }}{% raw %}${7*7}",
    "]]> --> </style></title></textarea></pre></svg>",
    "x" * 5_000,
)
# As many, as long, and harmless.
HARMLESS = (*(f"plain{number}" for number in range(len(HOSTILE) - 1)), "long" * 1_250)


def odd_report(odd: Sequence[str]) -> Report:
    """A report whose every text is one of these; two such reports have the same shape."""

    def text(number: int) -> str:
        return odd[number % len(odd)]

    report = fixture_report()
    span = Span(text(0), text(1), 3, 9, Role.VENDORED)
    code = "".join(f"{' ' * 4}{each}\n" for each in odd)
    same = len(odd)
    match = replace(
        report.matches[0],
        suspect=span,
        reference=span,
        reference_name=text(2),
        digest=text(3),
        renames={text(4): text(5), "kept": "kept"},
        disguises=(text(6),),
        disguise_lines={text(6): (((3, 4),), ((5, 6),))},
        texts=Texts(code, code, code, 1, ((0, 0, same),), ((0, 0, same),)),
        flows=FlowPair(
            Flow((FlowNode(text(0), text(1), 3), FlowNode(text(2), text(7), 4)), ((0, 1),)),
            Flow((FlowNode(text(7), text(0), 3),), ()),
            ((0, 0),),
        ),
    )
    file = replace(report.files[0], suspect_path=text(0), reference_name=text(2), reference_path=text(7))
    line = report.evidence[0]
    return replace(
        report,
        suspect=replace(report.suspect, name=text(0), target=text(1), revision=text(2)),
        references=(replace(report.references[0], name=text(2), target=text(4), revision=text(5)),),
        matches=(match,),
        files=(file,),
        classes=(replace(file, suspect_class=text(6), reference_class=text(7)),),
        names=(replace(report.names[0], suspect=text(0), reference_name=text(2), reference=text(1)),),
        attribution=(replace(report.attribution[0], reference=text(2)),),
        evidence=(
            replace(
                replace(line, kind=text(0), name=text(1), reference=text(2), claim=text(3), innocent=text(4)),
                derived=text(5),
                otherwise=text(6),
                method=text(7),
                calibration=text(0),
                limits=text(1),
                tested=(text(2), text(3)),
                places=((text(4), 0), (text(5), 7)),
            ),
            replace(line, measures={text(5): text(6)}, tested=(), places=()),
        ),
        clusters=(Cluster(text(0), (text(1), text(2)), line.strength, f"{text(0)}/{text(1)}"),),
        examined=(Examined(text(3), text(4), False, text(5)), Examined(text(6), text(7), True, text(0))),
        exhibits=(Exhibit(text(0), text(1), text(2), text(3), (text(4), text(5)), ((text(6), 1), (text(7), 2)), 3),),
        figures=_odd_figures(text),
        events=(
            Event("2024-05-20T00:00:00Z", text(2), "copied-version", text(0), text(1)),
            Event("2024-05-28T00:00:00Z", text(0), text(3), text(4), text(5)),
            Event(text(6), text(0), text(7), text(1), text(2)),
        ),
        skipped=(Skipped(text(0), text(1)),),
        settings={**report.settings, text(3): text(4)},
        versions={"detector": text(5), text(6): text(7)},
        traces=(Trace(text(0), text(1), text(2), 3, 4.5, ((text(6), 7),), ((text(7), 8),)),),
    )


def _odd_figures(text: Callable[[int], str]) -> tuple[Figure, ...]:
    """One of each, of the only reference, and of none."""
    tiles = tuple(
        Tile(text(number), text(number + 1), text(number + 2), text(number % 3), number, text(number + 3))
        for number in range(1, 10)
    )
    square = tuple(text(number) for number in range(4))
    values = tuple(tuple(None if row == column else row / (column + 1) for column in range(4)) for row in range(4))
    marks = tuple((text(number), number / 2) for number in range(9))
    edges = tuple(map(float, range(6)))
    return (
        Histogram(text(0), text(1), text(2), text(3), text(4), edges, (1, 5, 9, 2, 0), edges[:5], text(5), marks),
        Matrix(text(6), text(7), "", text(0), square, square, values),
        Mosaic(text(1), text(2), text(2), text(3), (text(0), text(1), text(2)), tiles, omitted=7),
    )


def main(page: str, matches: str = "") -> None:
    """Write a page: of the fixtures, or of so many matches, a quarter of them with flows."""
    from detector.report import html

    report = large_report(int(matches), int(matches) // 4) if matches else fixture_report()
    Path(page).write_text(html.render(report), "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
