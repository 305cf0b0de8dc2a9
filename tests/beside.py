"""Two reports of evidence beside the code: of a comparison without code, and of one target that was looked at alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from detector.model import (
    Attribution,
    Cluster,
    Event,
    Evidence,
    Examined,
    Exhibit,
    Relation,
    Report,
    Side,
    Skipped,
    Strength,
)

CALIBRATED = "in {} of {} of independent projects (python -m bench.evidence_{})"


def beside() -> Report:
    """Tables, histories of two sides, lines of every strength, and much that had nothing to look at."""
    return Report(
        suspect=Side("./rebadged", "rebadged", "1f" * 20),
        references=(Side("./original", "original", "2f" * 20), Side("./cited", "cited", "")),
        relation=Relation.DERIVED_UNDECLARED,
        strength=Strength.STRONG,
        matches=(),
        classes=(),
        files=(),
        names=(),
        attribution=(Attribution("original", 0.0, 0.0, 0, 0.0), Attribution("cited", 0.0, 0.0, 0, 0.0)),
        evidence=_evidence(),
        skipped=(Skipped("rebadged:model.safetensors", "cannot read the header: it ends after 3 bytes"),),
        settings={"background_packages": 54},
        versions={"detector": "0.1.0"},
        clusters=(
            Cluster("text", ("code", "traces", "history", "dangling"), Strength.STRONG, "history/same-blobs"),
            Cluster("checkpoint", ("config", "structure", "tokenizer"), Strength.MODERATE, "tokenizer/same-changes"),
        ),
        examined=_examined(),
        exhibits=_exhibits(),
        events=_events(),
    )


def alone() -> Report:
    """What `detector history TARGET` tells."""
    report = beside()
    return replace(
        report,
        references=(),
        relation=Relation.INCONCLUSIVE,
        strength=Strength.NONE,
        attribution=(),
        evidence=(),
        skipped=(),
        clusters=(),
        exhibits=(
            Exhibit("history", "renamings", "", "Commits that rename", ("commit", "names"), (("1b1b1b1b", 117),)),
        ),
        examined=(Examined("history", "", True, "9 commits"),),
        events=tuple(event for event in report.events if event.side == report.suspect.name),
    )


def _line(kind: str, name: str, strength: Strength, claim: str, innocent: str, derived: str, **more: Any) -> Evidence:
    told = {
        "otherwise": "both were made independently",
        "method": "every file of this kind, by what it holds and not by its layout",
        "limits": "does not tell which of the two was first",
    }
    return Evidence(kind, name, "original", strength, claim, innocent, derived=derived, **{**told, **more})


def _evidence() -> tuple[Evidence, ...]:
    return (
        _line(
            "history",
            "consistent-renaming",
            Strength.MODERATE,
            "commits of the suspect that do nothing but put one name for another: 2",
            "a project that was renamed by its authors",
            "the files were taken as they were, and renamed afterwards",
            measures={"commits": 2},
            calibration=CALIBRATED.format(3, "1,120 histories", "history"),
        ),
        _line(
            "history",
            "same-blobs",
            Strength.STRONG,
            "files of the suspect that commits of original have byte for byte: 12 of 14, all in one window of time",
            "a fork, openly; a common template; one author on both sides",
            "these files were taken from original, at a version of these days",
            measures={"files": 14, "same": 12, "window_days": 4.27},
            calibration=CALIBRATED.format(0, "1,120 pairs", "history"),
            tested=(
                "empty files, licences and files that three and more projects have: set aside, 5 of them",
                "the other direction: no file of the suspect is older than that of original",
            ),
            places=(("kestrel/projector.py", 0), ("kestrel/model.py", 0)),
        ),
        _line(
            "config",
            "rare-keys",
            Strength.WEAK,
            "keys that the family's defaults do not explain, with the values that original has: 3 of 3",
            "a published recipe that both follow",
            "the configuration was made from that of original",
            measures={"keys": 3, "families": 41},
            calibration=CALIBRATED.format(9, "41 families", "config"),
            tested=("the family's defaults: 19 of 22 keys are those of Llama-3-8B",),
            places=(("config.json", 7),),
        ),
        _line(
            "tokenizer",
            "same-changes",
            Strength.MODERATE,
            "tokens of original that its base does not have, with the ids that they have there: 40 of 40",
            "one training recipe, published with its list of tokens",
            "the tokenizer was made from that of original",
            measures={"same": 40, "changed": 40},
            calibration=CALIBRATED.format(0, "56 pairs", "tokenizer"),
            places=(("tokenizer.json", 0),),
        ),
        _line(
            "declared",
            "licence-lost",
            Strength.NONE,
            "licence headers that files of original have and the suspect's do not: 2",
            "files that were written anew",
            "the headers were removed",
            calibration="not calibrated: it supports nothing by itself",
        ),
    )


def _examined() -> tuple[Examined, ...]:
    header = "rebadged: the header of model.safetensors cannot be read"
    return (
        *(Examined(kind, name, False, "rebadged: no Python") for kind in ("code", "traces") for name in _NAMES),
        Examined("declared", "original", True, "2 notes"),
        Examined("declared", "cited", True, "2 notes"),
        Examined("history", "original", True, "9 commits with 31"),
        Examined("history", "cited", False, "cited has no git history"),
        Examined("config", "original", True, "1 configuration with 1"),
        Examined("config", "cited", False, "cited has no configuration"),
        *(Examined("structure", name, False, header) for name in _NAMES),
        Examined("tokenizer", "original", True, "2 tokenizer files with 3"),
        Examined("tokenizer", "cited", False, "no tokenizer files"),
    )


_NAMES = ("original", "cited")


def _exhibits() -> tuple[Exhibit, ...]:
    keys = (
        ("hidden_size", "hidden_size", 4096, "Llama-3-8B"),
        ("query_num", "query_num", 96, "none"),
        ("slice_config.max_slice_nums", "slice_config.max_slice_nums", 9, "none"),
        ("drop_vision_last_layer", "drop_last", "false", "none"),
        ("rope_theta", "rope_theta", 500000.0, "Llama-3-8B"),
    )
    layer = "encoder.layers.{}.self_attn.q_proj.weight"
    tensors = [(f"vpm.{layer.format(n)}", f"vison.{layer.format(n)}", "1152 x 1152") for n in range(27)]
    files = [(f"kestrel/{name}.py", "2024-05-20", "2024-05-24", "yes") for name in ("projector", "model", "vision")]
    tokens = [(128002 + n, f"<|special_{n}|>", f"<|special_{n}|>", n % 3) for n in range(40)]
    known = "known tokenizers with it"
    return tuple(
        Exhibit(kind, name, "original", title, columns, tuple(rows), omitted)
        for kind, name, title, columns, rows, omitted in (
            ("history", "windows", "Versions that hold the files", ("file", "from", "until", "equal"), files, 7),
            ("config", "keys", "Keys of both sides", ("suspect", "original", "value", "explained by"), keys, 0),
            ("structure", "tensors", "Tensors by name and shape", ("original", "suspect", "shape"), tensors, 714),
            ("tokenizer", "changed-tokens", "Tokens that the base lacks", ("id", *_SIDES, known), tokens, 0),
        )
    )


_SIDES = ("suspect", "original")


def _events() -> tuple[Event, ...]:
    said = (
        ("2024-02-01T07:00:00Z", "original", "first-commit", "first commit: 18 files"),
        ("2024-04-12T12:21:00Z", "original", "renaming", "MiniModel became HeronForConversation in 31 places"),
        ("2024-05-20T03:12:09Z", "original", "copied-version", "12 of 14 files of the suspect equal this version"),
        ("2024-05-24T18:47:33Z", "original", "copied-version-end", "the last commit that holds 12 of 14 files"),
        ("2024-05-28T00:30:32Z", "rebadged", "first-commit", "first commit: 14 files at once"),
        ("2024-05-28T01:02:10Z", "rebadged", "renaming", "HeronForConversation became KestrelVL in 117 places"),
        ("2024-05-28T01:40:55Z", "rebadged", "removed", "a test was deleted that names original"),
        ("2024-05-29T14:00:00Z", "rebadged", "renaming", "Resampler became Projection in 7 places"),
        ("2024-06-02T09:30:00Z", "rebadged", "declared", "the README names another project as what it builds on"),
    )
    return tuple(Event(*event, f"{number:02x}" * 20) for number, event in enumerate(said, 10))
