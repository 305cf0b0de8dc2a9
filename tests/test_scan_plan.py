"""The file that describes a scan: what it may say, and what one line says of everything else."""

from __future__ import annotations

from pathlib import Path

import pytest

from detector.model import Strength, UserError
from detector.scan import plan

WHOLE = """
name = "nightly"
store = "state/scan.db"
index = "known.db"
output = "out"
fail-on = "very-strong"
most-candidates = 3

[[source]]
kind = "hf"
organisation = "org"
tags = ["text-generation"]
since = 2026-01-31

[[source]]
kind = "git"
urls = ["https://host/one.git"]

[[source]]
kind = "folder"
path = "models/*"

[[webhook]]
url = "https://watch.example/hook"
secret-variable = "SECRET"
kinds = ["found"]
"""


FOLDER = '[[source]]\nkind = "folder"\npath = "x"\n'


def read(tmp_path: Path, text: str) -> plan.Plan:
    file = tmp_path / "scan.toml"
    file.write_text(text, "utf-8")
    return plan.read(file)


def test_a_plan_says_what_is_scanned_and_where_everything_goes(tmp_path: Path) -> None:
    found = read(tmp_path, WHOLE)
    assert (found.name, found.fail_on, found.most_candidates) == ("nightly", Strength.VERY_STRONG, 3)
    assert (found.store, found.index, found.output) == (
        tmp_path / "state/scan.db",
        tmp_path / "known.db",
        tmp_path / "out",
    )
    assert [each.kind for each in found.sources] == ["hf", "git", "folder"]
    assert (found.sources[0].organisation, found.sources[0].since) == ("org", "2026-01-31")
    assert found.sources[2].path == str(tmp_path / "models/*")
    assert found.webhooks == (plan.Webhook("https://watch.example/hook", "SECRET", frozenset({"found"})),)


def test_what_a_plan_leaves_out_is_called_after_its_file(tmp_path: Path) -> None:
    found = read(tmp_path, '[[source]]\nkind = "folder"\npath = "/models/*"\n')
    assert (found.name, found.store, found.index, found.output) == (
        "scan",
        tmp_path / "scan.db",
        None,
        tmp_path / "scan-output",
    )
    assert (found.fail_on, found.sources[0].path) == (Strength.MODERATE, "/models/*")


def test_another_question_to_the_same_hub_has_a_cursor_of_its_own(tmp_path: Path) -> None:
    texts = [
        'kind = "hf"\norganisation = "a"',
        'kind = "hf"\nsearch = "a"',
        'kind = "hf"\ntags = ["a"]',
        'kind = "ms"\nsearch = "a"',
        'kind = "hf"\neverything = true\nsince = "2026-01-01"',
    ]
    found = {read(tmp_path, f"[[source]]\n{text}\n").sources[0].identity for text in texts}
    assert len(found) == len(texts)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no source"),
        ("sources = 1", "nearest is source"),
        ("source = 1", "[[source]]"),
        ('[[source]]\nkind = "svn"', "kind must be one of"),
        ('[[source]]\nkind = "hf"', "name an organisation"),
        ('[[source]]\nkind = "hf"\norganisation = "a"\neverything = true', "name an organisation"),
        ('[[source]]\nkind = "hf"\neverything = true', "since"),
        ('[[source]]\nkind = "hf"\norganization = "a"', "nearest is organisation"),
        ('[[source]]\nkind = "hf"\norganisation = "a"\nsince = "yesterday"', "write a date"),
        ('[[source]]\nkind = "hf"\norganisation = 3', "a text is needed"),
        ('[[source]]\nkind = "ms"\ntags = ["a"]', "no such key"),
        ('[[source]]\nkind = "git"', "name urls"),
        ('[[source]]\nkind = "git"\nforge = "github"\naddress = "org"', "https://HOST/ORGANISATION"),
        ('[[source]]\nkind = "git"\nurls = [""]', "a list of texts"),
        ('[[source]]\nkind = "folder"', "path"),
        ('fail-on = "any"\n[[source]]\nkind = "folder"\npath = "x"', "fail-on"),
        ('most-candidates = 0\n[[source]]\nkind = "folder"\npath = "x"', "most-candidates"),
        ('[[source]]\nkind = "folder"\npath = "x"\n[[webhook]]\nurl = "ftp://x"\nsecret-variable = "A"', "https://"),
        ('[[source]]\nkind = "folder"\npath = "x"\n[[webhook]]\nurl = "https://x"', "secret-variable"),
        (f'{FOLDER}[[webhook]]\nurl = "https://x"\nsecret-variable = "A"\nkinds = ["b"]', "none of"),
        ("[[source]\n", "no TOML"),
    ],
)
def test_one_line_says_what_is_wrong_with_a_plan(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UserError) as raised:
        read(tmp_path, text)
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)
    assert str(raised.value).startswith(str(tmp_path / "scan.toml"))


def test_a_plan_that_is_not_there_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="name the file that describes the scan"):
        plan.read(tmp_path / "none.toml")


def test_a_date_that_is_typed_is_one() -> None:
    assert plan.date_of("2026-01-31", "--since") == "2026-01-31"
    with pytest.raises(UserError, match="--since"):
        plan.date_of("31.1.2026", "--since")
