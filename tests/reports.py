"""Reports to render: one small one with every noun in it, one whose every name is the same, and arbitrary ones."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from detector.figures import Histogram, Matrix, Mosaic, Tile
from detector.model import (
    Attribution,
    Basis,
    CloneType,
    Cluster,
    Correspondence,
    Event,
    Evidence,
    Examined,
    Exhibit,
    Flow,
    FlowNode,
    FlowPair,
    Match,
    NamePair,
    Relation,
    Remark,
    Report,
    Role,
    Side,
    Similarities,
    Skipped,
    Span,
    Strength,
    Terms,
    Texts,
    Trace,
)
from detector.report.findings import TRACE_KINDS

SUSPECT_TEXT = "def grow(table, n):\n    # teh old size\n    k = n * 1.0173\n\n    return table[:k]\n"
REFERENCE_TEXT = (
    'def widen(grid, count):\n    """Widen."""\n    # teh old size\n    wide = count * 1.0173\n    return grid[:wide]\n'
)
UNRENAMED_TEXT = "def widen(grid, count):\n    # teh old size\n    wide = count * 1.0173\n\n    return grid[:wide]\n"

REMARKS = ("suppressions/no-reason", "suppressions/unknown-rule")
TEXTS = Texts(SUSPECT_TEXT, REFERENCE_TEXT, UNRENAMED_TEXT, 4, ((0, 0, 1), (1, 2, 2), (4, 4, 1)), ((1, 2, 1),))
FLOW = Flow(
    (FlowNode("parameter", "n", 1), FlowNode("constant", "", 0), FlowNode("*", "k", 3)), ((0, 2), (1, 2)), omitted=2
)
FLOWS = FlowPair(FLOW, Flow(FLOW.nodes[:2], ()), ((0, 0), (1, 1)))


def full() -> Report:
    """A report with every noun in it, and in each the cases that formats tell apart."""
    grown = Match(
        suspect=Span("pkg/tables one.py", "Projection.grow", 61, 65),
        reference_name="original",
        reference=Span("models/tables.py", "Resampler.widen", 130, 134),
        similarity=0.9178,
        overlap=0.8523,
        containment=0.88,
        bits=127.25,
        own_bits=100.5,
        coincidence=0.0398,
        basis=Basis.ALONE,
        clone_type=CloneType.EDITED,
        is_declared=False,
        digest="0123456789abcdef-fedcba9876543210",
        renames={"grow": "widen", "n": "count", "k": "wide", "table": "grid", "self": "self"},
        disguises=("renamed", "removed-docstring"),
        disguise_lines={"removed-docstring": ((), ((131, 131),))},
        suspect_lines=((61, 61), (63, 65)),
        reference_lines=((130, 130), (133, 134)),
        texts=TEXTS,
        flows=FLOWS,
        terms=Terms("MIT", "Apache-2.0", "with-conditions", "The table lets Apache-2.0 go into MIT on conditions."),
        credit="# Adapted from models.tables.Resampler.widen\n# of original, under Apache-2.0",
    )
    declared = Match(
        suspect=Span("pkg/vendor/rope.py", "rotate", 3, 9, Role.VENDORED),
        reference_name="other",
        reference=Span("other/rope.py", "rotate", 13, 19),
        similarity=1.0,
        overlap=1.0,
        containment=1.0,
        bits=88.0,
        own_bits=88.0,
        coincidence=1.5,
        basis=Basis.FILE,
        clone_type=CloneType.LAYOUT,
        is_declared=True,
        digest="aa-aa",
    )
    renamed = Match(
        suspect=Span("pkg/tables one.py", "Projection.__init__", 40, 59),
        reference_name="original",
        reference=Span("models/tables.py", "Resampler.__init__", 100, 119),
        similarity=0.94,
        overlap=1.0,
        containment=1.0,
        bits=33.3,
        own_bits=33.3,
        coincidence=12.5,
        basis=Basis.CLASS,
        clone_type=CloneType.RENAMED,
        is_declared=False,
        digest="bb-bb",
        renames={"Projection": "Resampler"},
    )
    return Report(
        suspect=Side("./rebadged", "rebadged", "", functions=120, files=14),
        references=(
            Side("git+https://example.org/original.git@v1", "original", "0123456789abcdef" * 2 + "01234567", 300, 40),
            Side("other-1.0.zip", "other", "1.0", 1, 1),
        ),
        relation=Relation.DERIVED_UNDECLARED,
        strength=Strength.STRONG,
        matches=(grown, declared, renamed),
        classes=(
            Correspondence(
                "pkg/tables one.py",
                "Projection",
                "original",
                "models/tables.py",
                "Resampler",
                2,
                3,
                4,
                133.8,
                {"grow": "widen", "__init__": "__init__"},
            ),
        ),
        files=(
            Correspondence(
                "pkg/tables one.py", "", "original", "models/tables.py", "", 2, 5, 9, 133.8, {"grow": "widen"}
            ),
        ),
        names=(NamePair("Projection", "original", "Resampler", 7, 0), NamePair("k", "original", "wide", 3, 1)),
        attribution=(
            Attribution("original", 133.8, 133.8, 2, 0.661),
            Attribution("other", 88.0, 0.0, 1, 0.02),
        ),
        evidence=(
            Evidence(
                "code",
                "rewritten-function",
                "original",
                Strength.STRONG,
                "functions that compute what functions of original compute, in other words: 1",
                "a common ancestor, a published formula or layer that allows few other ways to write it",
                {"functions": 1, "bits": 100.5, "first": "pkg/tables one.py"},
            ),
            Evidence(
                "tokenizer",
                "same-changes",
                "original",
                Strength.MODERATE,
                "tokens of original that its base does not have, with the ids that they have there: 13 of 16",
                "one training recipe, published with its list of tokens; one author on both sides",
                {"same": 13, "changed": 16, "share": 0.8125},
                derived="the tokenizer was made from that of original",
                otherwise="both changed one base independently",
                method="what is left of the vocabulary once the nearest known tokenizer is set aside",
                calibration="in 0 of 56 pairs of independent tokenizers (python -m bench.evidence_tokenizer)",
                limits="does not tell who had the tokens first",
                tested=("a common base: 13 tokens are in none of 24 known tokenizers",),
                places=(("tokenizer.json", 0), ("added tokens.json", 3)),
            ),
            Evidence(
                "history",
                "same-blobs",
                "other",
                Strength.NONE,
                "files that a commit of other has byte for byte: 2",
                "files that everybody has",
            ),
        ),
        skipped=(Skipped("rebadged:old/print.py", "not Python (line 3)"), Skipped("a.zip", "the rest is not read")),
        settings={"background_packages": 400, "least_coincidence": 0.0359, "min_bits": "calibrated"},
        versions={"detector": "0.1.0", "lowering": "2"},
        traces=(
            Trace("misspelling", "teh", "original", 3, 7.5, (("pkg/tables one.py", 62),), (("models/tables.py", 132),)),
            Trace("number", "1.0173", "original", 0, 9.25, (), (("models/tables.py", 133), ("models/b.py", 7))),
        ),
        remarks=(
            Remark(REMARKS[0], "pkg/tables one.py", 60, "a comment ignores code without a reason"),
            Remark(REMARKS[1], "pkg/vendor/rope.py", 1, "a comment ignores code/all, which is no rule"),
        ),
        similarities=Similarities((0.0, 0.5, 1.0), (100, 20), (0.9907, 0.0093)),
        clusters=(
            Cluster("text", ("code", "traces", "history", "dangling"), Strength.STRONG, "code/rewritten-function"),
            Cluster("checkpoint", ("config", "structure", "tokenizer"), Strength.MODERATE, "tokenizer/same-changes"),
            Cluster("behaviour", ("predictions",), Strength.NONE, ""),
        ),
        examined=(
            Examined("code", "original", True, "120 functions with 300"),
            Examined("code", "other", True, "120 functions with 1"),
            Examined("history", "original", False, "original has no git history"),
            Examined("history", "other", True, "2 commits with 3"),
            Examined("config", "original", False, "rebadged has no configuration"),
            Examined("config", "other", False, "rebadged has no configuration"),
            Examined("tokenizer", "original", True, "1 tokenizer file with 1"),
            Examined("tokenizer", "other", False, "other has no tokenizer files"),
        ),
        exhibits=(
            Exhibit(
                "tokenizer",
                "changed-tokens",
                "original",
                "Tokens that the base does not have",
                ("id", "suspect", "original", "known tokenizers with it"),
                ((128010, "<box>", "<box>", 0), (128011, "</box>", "</box>", 0), (128012, "<|slice|>", "<slice>", 2.5)),
                omitted=4,
            ),
            Exhibit("history", "commits", "", "Commits of the suspect", ("commit", "changes"), ()),
        ),
        events=(
            Event("2023-11-02T08:15:00Z", "other", "first-commit", "first commit: 3 files", "aa" * 20),
            Event("2024-02-07T10:00:00Z", "other", "copied-version", "2 files equal this version", "bb" * 20),
            Event("2024-03-18T00:30:32Z", "rebadged", "first-commit", "first commit: 14 files", "cc" * 20),
            Event("2024-03-18T09:00:00Z", "rebadged", "renaming", "Resampler became Projection in 7 places"),
        ),
        figures=(
            Histogram(
                "weights",
                "residuals",
                "original",
                "What is left between the two, in units of its spread",
                "standard deviations",
                (-3.0, -1.0, 1.0, 3.0),
                (16, 68, 15.5),
                (15.8655, 68.2689, 15.8655),
                "the fitted normal distribution",
                (("the largest", 5.25), ("the smallest", -2.5)),
            ),
            Matrix(
                "behaviour",
                "agreement",
                "",
                "Share of equal answers",
                ("rebadged", "original", "other"),
                ("rebadged", "original", "other"),
                ((None, 0.87, 0.55), (0.87, None, 0.5), (0.55, 0.5, None)),
            ),
            Mosaic(
                "weights",
                "tensor-map",
                "original",
                "Which tensor stands for which",
                ("identical", "noised", "unmatched"),
                (
                    Tile("layers.0", "layers.0.query", "blocks.0.q", "noised", 4096, "sigma 0.00141"),
                    Tile("layers.0", "layers.0.norm", "blocks.0.n", "identical", 64),
                    Tile("layers.1", "layers.1.query", "blocks.1.q", "noised", 4096, "sigma 0.00141"),
                    Tile("layers.1", "layers.1.norm", "", "unmatched", 64),
                ),
                omitted=2,
            ),
        ),
    )


def named(name: str) -> Report:
    """A report in which a stranger chose every text."""
    span = Span(name, name, 1, 2, Role.GENERATED)
    places = ((name, 1), (name, 2))
    flow = Flow((FlowNode(name, name, 1),), ((0, 0),))
    match = Match(
        suspect=span,
        reference_name=name,
        reference=span,
        similarity=0.5,
        overlap=0.5,
        containment=0.5,
        bits=10.0,
        own_bits=10.0,
        coincidence=1.0,
        basis=Basis.ALONE,
        clone_type=CloneType.REWRITTEN,
        is_declared=False,
        digest=name,
        renames={name: f"{name}x"},
        disguises=(name,),
        disguise_lines={name: (((1, 1),), ((2, 2),))},
        texts=Texts(name, f"{name}\n{name}", name, 1, ((0, 0, 1),), ((0, 0, 1),)),
        flows=FlowPair(flow, flow, ((0, 0),)),
        terms=Terms(name, name, "unknown", name),
        credit=name,
    )
    side = Side(name, name or "n", name, 1, 1)
    pair = Correspondence(name, name, name, name, name, 1, 1, 1, 10.0, {name: name})
    return Report(
        suspect=side,
        references=(side, Side(f"{name}2", f"{name}2", "")),
        relation=Relation.SHARED_ANCESTOR,
        strength=Strength.WEAK,
        # functions that are alike in all but what comes after them, and one that somebody accepted
        matches=(match, match, replace(match, accepted=name)),
        classes=(pair,),
        files=(pair,),
        names=(NamePair(name, name, name, 2, 0),),
        attribution=(Attribution(name, 1.0, 1.0, 1, 1.0),),
        evidence=(
            Evidence(name, name, name, Strength.WEAK, f"of {name}: 1, {name}", name, {name: name}),
            Evidence(
                name,
                name,
                name,
                Strength.STRONG,
                name,
                name,
                {name: name},
                derived=name,
                otherwise=name,
                method=name,
                calibration=name,
                limits=name,
                tested=(name, name),
                places=((name, 0), *places),
                accepted=name,
            ),
        ),
        skipped=(Skipped(f"{name}:{name}", name), Skipped(name, name)),
        settings={name: name, "least_coincidence": name},
        versions={name: name, "detector": name},
        traces=(
            Trace(name, name, name, 1, 1.0, places, places),
            Trace(name, name, name, 1, 1.0, (), places),
            Trace(name, name, name, 1, 1.0, places, places, name),
        ),
        remarks=(Remark(name, name, 1, name), Remark(name, name, 2, name)),
        similarities=None,
        clusters=(Cluster(name, (name, name), Strength.WEAK, name),),
        examined=(Examined(name, name, False, name), Examined(name, name, True, name)),
        exhibits=(Exhibit(name, name, name, name, (name, name), ((name, 1), (name, name)), omitted=2),),
        events=(Event(name, name, name, name, name), Event("2024-01-01T00:00:00Z", name, name, name, name)),
        figures=(
            Histogram(name, name, name, name, name, (0.0, 1.0, 2.0), (1, 2), (2.0, 1.0), name, ((name, 1.5),)),
            Matrix(name, name, f"{name}2", name, (name, name), (name, name), ((None, 0.5), (1, -2.5))),
            Mosaic(
                name,
                name,
                name,
                name,
                (name, f"{name}b"),
                (Tile(name, name, name, name, 1.5, name), Tile(name, name, "", f"{name}b", 0.0)),
            ),
        ),
    )


# Anything that Python calls a text, lone surrogates and control characters included; and what languages of documents
# take for more than text.
MARKUP = (
    "\x1b[31m",
    "\u202e",
    "\u200b",
    "\ud83d",
    "\ude00",
    "`",
    "``",
    "|",
    "\\",
    "\\|",
    "\n",
    "\r\n",
    "@someone",
    "#12",
    "[a](https://example.org)",
    "![a](x.png)",
    "https://example.org",
    "www.example.org",
    "a@example.org",
    "<img src=x>",
    "<!--",
    "-->",
    "]]>",
    "</details>",
    "</script>",
    "&amp;",
    "&#64;",
    "{0}",
    "](1)",
    "**",
    "_",
    "~~~",
    "```",
    "1. ",
    "- ",
    "# ",
    ":smile:",
    "deadbeef",
    "../",
    "/",
    "%2e",
    ":",
    "$x$",
    " ",
    "\t",
    "word",
    "\ufffe",
    "\x00",
)
hostile_texts = st.one_of(
    st.text(st.characters(), max_size=20), st.lists(st.sampled_from(MARKUP), max_size=6).map("".join)
)


@st.composite
def reports(draw: st.DrawFn) -> Report:
    """Any report that a comparison could give."""
    text = hostile_texts
    bits, ratio, count = st.floats(0, 1e6), st.floats(0, 1), st.integers(0, 10**6)
    side = st.builds(Side, text, st.text(min_size=1), text, count, count)
    lines = st.tuples(st.integers(1, 10**6), st.integers(0, 99)).map(lambda pair: (pair[0], pair[0] + pair[1]))
    ranges = st.lists(lines, max_size=3).map(tuple)
    span = st.builds(
        lambda path, name, lines, role: Span(path, name, lines[0], lines[1], role),
        text,
        text,
        lines,
        st.sampled_from(Role),
    )
    names = st.dictionaries(text, text, max_size=3)
    texts = st.lists(text, max_size=3).map(tuple)
    value = st.one_of(text, st.integers(-(10**40), 10**40), st.floats(), st.booleans())
    columns = draw(st.lists(text, max_size=3).map(tuple))
    rows = st.lists(st.tuples(*(value for _ in columns)), max_size=3).map(tuple)
    ours = st.lists(st.tuples(text, st.integers(0, 10**6)), max_size=3).map(tuple)
    at = st.one_of(
        text, st.datetimes().map(lambda moment: moment.strftime("%Y-%m-%dT%H:%M:%SZ"))
    )  # what histories claim
    values = st.dictionaries(text, st.one_of(text, st.integers(-(2**53), 2**53), st.floats(-1e9, 1e9)), max_size=3)
    places = st.lists(st.tuples(text, st.integers(1, 10**6)), max_size=3).map(tuple)
    correspondence = st.builds(
        Correspondence, text, text, text, text, text, st.integers(1, 99), count, count, bits, names
    )
    files = correspondence.map(_without_classes)
    accepted = st.one_of(st.just(""), text)
    match = st.builds(
        Match,
        suspect=span,
        reference_name=text,
        reference=span,
        similarity=ratio,
        overlap=ratio,
        containment=ratio,
        bits=bits,
        own_bits=bits,
        coincidence=st.floats(0, 10_000),
        basis=st.sampled_from(Basis),
        clone_type=st.sampled_from(CloneType),
        is_declared=st.booleans(),
        digest=text,
        renames=names,
        disguises=st.lists(text, max_size=2).map(tuple),
        disguise_lines=st.dictionaries(text, st.tuples(ranges, ranges), max_size=2),
        suspect_lines=ranges,
        reference_lines=ranges,
        texts=st.sampled_from([None, TEXTS]),
        flows=st.sampled_from([None, FLOWS]),
        accepted=accepted,
    )

    number = st.one_of(st.integers(-(2**53), 2**53), st.floats(-1e300, 1e300))
    mosaic = st.builds(
        Mosaic,
        text,
        text,
        text,
        text,
        texts,
        st.lists(st.builds(Tile, text, text, text, text, number, text), max_size=4).map(tuple),
        count,
    )

    def some(each: st.SearchStrategy[Any]) -> Any:
        return tuple(draw(st.lists(each, max_size=3)))

    return Report(
        suspect=draw(side),
        references=tuple(draw(st.lists(side, max_size=3))),
        relation=draw(st.sampled_from(Relation)),
        strength=draw(st.sampled_from(Strength)),
        matches=some(match),
        classes=some(correspondence),
        files=some(files),
        names=some(st.builds(NamePair, text, text, text, count, count)),
        attribution=some(st.builds(Attribution, text, bits, bits, count, ratio)),
        evidence=some(
            st.builds(
                Evidence,
                kind=st.one_of(text, st.sampled_from(["code", "tokenizer", "history", "declared"])),
                name=st.one_of(text, st.sampled_from(["same-changes", "same-blobs"])),
                reference=text,
                strength=st.sampled_from(Strength),
                claim=text,
                innocent=text,
                measures=values,
                **dict.fromkeys(("derived", "otherwise", "method", "calibration", "limits"), text),
                tested=texts,
                places=ours,
                accepted=accepted,
            )
        ),
        skipped=some(st.builds(Skipped, text, text)),
        settings=draw(values),
        versions=draw(names),
        traces=some(
            st.builds(Trace, st.sampled_from(list(TRACE_KINDS)), text, text, count, bits, places, places, accepted)
        ),
        remarks=some(st.builds(Remark, st.sampled_from(REMARKS), text, st.integers(1, 10**6), text)),
        similarities=draw(st.sampled_from([None, full().similarities])),
        clusters=some(st.builds(Cluster, text, texts, st.sampled_from(Strength), text)),
        examined=some(st.builds(Examined, text, text, st.booleans(), text)),
        exhibits=some(st.builds(Exhibit, text, text, text, text, st.just(columns), rows, count)),
        events=some(st.builds(Event, at, text, text, text, text)),
        figures=(*some(mosaic), *some(_matrices(text, number)), *some(_histograms(text, number))),
    )


@st.composite
def _matrices(draw: st.DrawFn, text: st.SearchStrategy[str], number: st.SearchStrategy[float]) -> Matrix:
    rows, columns = (draw(st.lists(text, max_size=3).map(tuple)) for _ in range(2))
    value = st.one_of(st.none(), number)
    values = tuple(tuple(draw(value) for _ in columns) for _ in rows)
    return Matrix(draw(text), draw(text), draw(text), draw(text), rows, columns, values)


@st.composite
def _histograms(draw: st.DrawFn, text: st.SearchStrategy[str], number: st.SearchStrategy[float]) -> Histogram:
    edges = tuple(sorted(draw(st.lists(number, min_size=1, max_size=6))))
    observed = tuple(draw(number) for _ in edges[1:])
    expected = observed if draw(st.booleans()) else ()
    marks = tuple(draw(st.lists(st.tuples(text, number), max_size=3)))
    kind, name, reference, title, measure = (draw(text) for _ in range(5))
    return Histogram(kind, name, reference, title, measure, edges, observed, expected, draw(text), marks)


def _without_classes(pair: Correspondence) -> Correspondence:
    return Correspondence(
        pair.suspect_path,
        "",
        pair.reference_name,
        pair.reference_path,
        "",
        pair.functions,
        pair.suspect_functions,
        pair.reference_functions,
        pair.bits,
        pair.names,
    )
