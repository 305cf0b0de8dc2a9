"""Measure the evidence beside the code: each kind on what is known of it, and the relation that all of it gives."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from bench import (
    evidence_behaviour,
    evidence_config,
    evidence_dangling,
    evidence_declared,
    evidence_fixtures,
    evidence_history,
    evidence_structure,
    evidence_tokenizer,
    evidence_verdict,
    evidence_weights,
)
from bench.section import Parts, print_section, section_of

# Part -> what it is about, in the order of the section.
PARTS: Parts = {
    "Declared reuse": evidence_declared.measure,
    "Dangling references": evidence_dangling.measure,
    "History": evidence_history.measure,
    "Configurations": evidence_config.measure,
    "Structure": evidence_structure.measure,
    "Tokenizer": evidence_tokenizer.measure,
    "Weights": evidence_weights.measure,
    "Recorded predictions": evidence_behaviour.measure,
    "Fixtures": evidence_fixtures.measure,
    "Relation and strength": evidence_verdict.measure,
}
HOW = (
    "Each part has a module of its own, `python -m bench.evidence_NAME` prints it alone. Figures of the real affair "
    "and of LLaVA need copies of public repositories, named by the environment variable DETECTOR_AFFAIR: a folder with "
    "the git repositories `suspect` (github.com/hbcbh1999/llama3v), `reference` (github.com/theonlyengine/VQA_Model), "
    "`other` (github.com/HwwwwwwwH/MiniCPM-V-2), `cited` (github.com/thunlp/LLaVA-UHD) and `llava` "
    "(github.com/haotian-liu/LLaVA); unrelated histories need DETECTOR_REPOSITORIES, see `bench/evidence_history.py`. "
    "Nothing of them is part of this project."
)


def measure(cache: Path, work: Path) -> str:
    """Measure every part, one after the other."""
    return section_of("evidence", "What stands beside the code", HOW, PARTS, cache, work)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the section."""
    return print_section("evidence", __doc__, measure, arguments)


if __name__ == "__main__":
    sys.exit(main())
