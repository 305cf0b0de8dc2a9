"""Every format of one fixed report, byte for byte. `python -m tests.golden` writes the files anew."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from detector.formats import Format
from tests.golden.__main__ import HERE, golden, written

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("form", Format)
def test_the_fixed_report_is_written_as_the_file_says(form: Format) -> None:
    assert written(form) == golden(form).read_text("utf-8"), "python -m tests.golden"


def test_every_golden_file_belongs_to_a_format() -> None:
    assert sorted(HERE.glob("report.*")) == sorted(map(golden, Format))


def test_no_format_depends_on_the_order_of_hashes() -> None:
    code = (
        "from pathlib import Path; from detector.formats import Format, render; from tests.reports import full\n"
        "for form in Format: print(ascii(render(full(), form)))"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed},
            cwd=ROOT,
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1
