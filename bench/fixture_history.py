"""Build the scripted histories of two fixtures as git repositories: `python -m bench.fixture_history DIR`.

`DIR/original` grows over ten weeks to what stands in `fixtures/original`; `DIR/rebadged` begins with files of one of
its older versions, renames them, and rewrites them to what stands in `fixtures/rebadged`. Dates and names are made up
and fixed, so that the same files give the same commit ids.
"""

from __future__ import annotations

import argparse
import ast
import os
import re
import struct
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bench.fixture_files import past
from bench.fixture_files.written import FIXTURES
from bench.section import first_line

WHO = "The detector project <detector@example.org>"
_PYTHON_310 = 3439  # the magic number of its compiled files
# A name by itself, and no token of the tokenizer (`<|heron|>`): that one had to stay.
_TOKEN = r"(?<![\w|]){}(?![\w|])"

Tree = dict[str, bytes]


@dataclass(frozen=True, slots=True)
class Version:
    """One commit to be made."""

    label: str
    at: str
    tree: Tree

    @property
    def seconds(self) -> int:
        """When, in seconds since 1970."""
        return int(datetime.fromisoformat(self.at).timestamp())


def build(folder: Path) -> dict[str, dict[str, str]]:
    """Make both repositories, with their last commit checked out; commit ids by side and label."""
    return {side: _repository(folder / side, made) for side, made in versions().items()}


def versions() -> dict[str, list[Version]]:
    """Every version of both, oldest first."""
    original = _of_original()
    (copied,) = [version for version in original if version.label == past.COPIED]
    return {"original": original, "rebadged": _of_rebadged(copied.tree)}


def published(side: str) -> Tree:
    """What stands in the fixture's folder."""
    root = FIXTURES / side
    paths = sorted(path for path in root.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in paths}


def _of_original() -> list[Version]:
    tree = published("original")
    found = []
    for step in reversed(past.ORIGINAL):
        found.append(Version(step.label, step.at, dict(tree)))
        for edit in reversed(step.edits):
            tree[edit.path] = _undone(tree[edit.path].decode(), edit).encode()
        for path in step.adds:
            del tree[path]
    if tree:
        raise ValueError(f"no step of the history adds {sorted(tree)[0]}")
    return found[::-1]


def _undone(text: str, edit: past.Edit) -> str:
    """A file before an edit.

    Errors: ValueError if the file does not have what the edit made of it, or has it twice.
    """
    became = _function(text, edit.added) if edit.added else edit.became
    if text.count(became) != 1:
        raise ValueError(f"{edit.path} has {text.count(became)} times what its history changed: {became[:80]!r}")
    return text.replace(became, edit.was).rstrip("\n") + "\n"


def _function(text: str, name: str) -> str:
    """The lines of a function, and the blank ones after it."""
    (node,) = [each for each in ast.walk(ast.parse(text)) if isinstance(each, ast.FunctionDef) and each.name == name]
    lines = text.splitlines(keepends=True)
    first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)]) - 1
    last = node.end_lineno or node.lineno
    while last < len(lines) and not lines[last].strip():
        last += 1
    return "".join(lines[first:last])


def _of_rebadged(copied: Tree) -> list[Version]:
    last = published("rebadged")
    tree = {past.TARGET + path.removeprefix(past.PROGRAM): _imports_renamed(copied[path]) for path in past.TAKEN}
    tree |= {"README.md": past.FIRST_README.encode(), past.TEST: past.TEST_TEXT.encode()}
    first = Version(past.IMPORTED, past.IMPORTED_AT, tree)
    tree[past.COMPILED] = _compiled(len(tree[past.COMPILED_FROM]), first.seconds - past.COMPILED_BEFORE)
    found = [first]
    for each in past.RENAMINGS:
        renamed = {path: _renamed(path, data, each.names) for path, data in found[-1].tree.items()}
        moved = {each.moves.get(path, path): data for path, data in renamed.items()}
        found.append(Version(each.label, each.at, moved))
    kept = {path: data for path, data in found[-1].tree.items() if path not in (past.TEST, past.COMPILED)}
    bare = {path: past.HEADER.sub("", data.decode()).encode() for path, data in kept.items()}
    found.append(Version(past.CLEANED, past.CLEANED_AT, bare))
    found.append(Version(past.REWRITTEN, past.REWRITTEN_AT, bare | {path: last[path] for path in past.REWRITTEN_FILES}))
    return [*found, Version(past.LAST, past.LAST_AT, last)]


def _imports_renamed(data: bytes) -> bytes:
    return re.sub(rb"^from heronvl\b", b"from kestrel", data, flags=re.MULTILINE)


def _renamed(path: str, data: bytes, names: Mapping[str, str]) -> bytes:
    """Replace names in the program and its configuration; what the tokenizer needs stays."""
    if not path.startswith(past.TARGET) or not path.endswith((".py", "/config.json")):
        return data
    text = data.decode()
    for old, new in names.items():
        text = re.sub(_TOKEN.format(re.escape(old)), new, text)
    return text.encode()


def _compiled(source_bytes: int, changed: int) -> bytes:
    """The header of a compiled file (PEP 552: magic, flags, time and size of the source), and no program."""
    return struct.pack("<H2sIII", _PYTHON_310, b"\r\n", 0, changed, source_bytes) + b"N"


def _repository(folder: Path, made: Sequence[Version]) -> dict[str, str]:
    folder.mkdir(parents=True)
    _git(folder, "init", "--quiet", "--template=", ".")
    _git(folder, "symbolic-ref", "HEAD", "refs/heads/main")
    marks = folder / ".git" / "marks"
    _git(folder, "fast-import", "--quiet", f"--export-marks={marks}", given=_stream(made))
    _git(folder, "reset", "--quiet", "--hard", "main")
    ids = dict(line.split() for line in marks.read_text("ascii").splitlines())
    marks.unlink()
    return {version.label: ids[f":{number}"] for number, version in enumerate(made, start=1)}


def _stream(made: Sequence[Version]) -> bytes:
    """What git fast-import reads."""
    parts: list[bytes] = []
    for number, version in enumerate(made, start=1):
        stamp = f"{WHO} {version.seconds} +0000"
        parts.append(f"commit refs/heads/main\nmark :{number}\nauthor {stamp}\ncommitter {stamp}\n".encode())
        parts.append(_data(f"{version.label}\n".encode()) + b"deleteall\n")
        parts += [f"M 100644 inline {path}\n".encode() + _data(data) for path, data in sorted(version.tree.items())]
    return b"".join(parts)


def _data(data: bytes) -> bytes:
    return f"data {len(data)}\n".encode() + data + b"\n"


def _git(folder: Path, *command: str, given: bytes = b"") -> None:
    """Run git as nobody in particular, whatever the machine's configuration says."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_ATTR_NOSYSTEM": "1"}
    subprocess.run(["git", *command], cwd=folder, env=environment, input=given, check=True)


def main(given: Sequence[str] | None = None) -> int:
    """Build both, print the commits."""
    parser = argparse.ArgumentParser(prog="python -m bench.fixture_history", description=first_line(__doc__))
    parser.add_argument("folder", type=Path, metavar="DIR", help="where original/ and rebadged/ are made")
    folder = parser.parse_args(given).folder
    if any((folder / side).exists() for side in ("original", "rebadged")):
        parser.error(f"{folder} has an original or a rebadged already: name another folder")
    for side, commits in build(folder).items():
        for label, commit in commits.items():
            print(f"{side:<9} {commit} {label}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
