"""Model repositories as a hub keeps them: git with given dates, large files beside it as Git LFS has them."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# What the hub's own `.gitattributes` gives to LFS, of what is written here.
LARGE = (".safetensors", ".bin", ".gguf", ".pt", ".onnx", ".npz", ".msgpack", ".model", ".png")
MAIN = "main"
_WHO = "The detector project <detector@example.org>"
_CONFIG = "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n"
_FACTS = "hub.json"


@dataclass(frozen=True, slots=True)
class Upload:
    """One commit: what it writes (None: deletes). A large file may lie on the disk already."""

    at: int  # seconds since 1970
    files: Mapping[str, bytes | str | Path | None]
    message: str = "Upload"
    branch: str = MAIN


def publish(folder: Path, model: str, uploads: Sequence[Upload]) -> None:
    """Write the commits of a model, after those that it has."""
    repository = place(folder, model)
    git = repository / ".git"
    if not git.exists():
        for part in ("objects/info", "objects/pack", "refs/heads", "refs/tags"):
            (git / part).mkdir(parents=True)
        (git / "HEAD").write_text(f"ref: refs/heads/{MAIN}\n", "ascii")
        (git / "config").write_text(_CONFIG, "ascii")
    _run(repository, "fast-import", "--quiet", given=_stream(repository, uploads))


def tag(folder: Path, model: str, name: str, revision: str = MAIN) -> None:
    """Give a revision a name, with its "refs/"."""
    _run(place(folder, model), "update-ref", name, revision)


def revision_of(folder: Path, model: str, name: str = MAIN) -> str:
    """The commit that a name of a revision means now."""
    return _run(place(folder, model), "rev-parse", name).decode().strip()


def remove(folder: Path, model: str) -> None:
    """Take a model off the hub."""
    shutil.rmtree(place(folder, model))


def tell(folder: Path, model: str, **facts: Any) -> None:
    """State what git does not: gated, created, modified (ISO 8601), likes, downloads."""
    told = facts_of(folder)
    told.setdefault(model, {}).update(facts)
    new = folder / f"{_FACTS}.new"
    new.write_text(json.dumps(told, indent=1, sort_keys=True), "utf-8")
    os.replace(new, folder / _FACTS)


def facts_of(folder: Path) -> dict[str, dict[str, Any]]:
    """What was told of each model."""
    try:
        found: dict[str, dict[str, Any]] = json.loads((folder / _FACTS).read_text("utf-8"))
    except FileNotFoundError:
        return {}
    return found


def models_in(folder: Path) -> list[str]:
    """Every model, by name."""
    return sorted(git.parent.relative_to(folder / "models").as_posix() for git in folder.glob("models/*/*/.git"))


def place(folder: Path, model: str) -> Path:
    """Where a model's repository is."""
    return folder / "models" / model


def large_file(repository: Path, sha256: str) -> Path:
    """Where Git LFS has a file."""
    return repository / ".git" / "lfs" / "objects" / sha256[:2] / sha256[2:4] / sha256


def _stream(repository: Path, uploads: Sequence[Upload]) -> bytes:
    """What git fast-import reads."""
    parts: list[bytes] = []
    known: set[str] = set()
    for upload in uploads:
        stamp = f"{_WHO} {upload.at} +0000"
        reference = f"refs/heads/{upload.branch}"
        parts.append(f"commit {reference}\nauthor {stamp}\ncommitter {stamp}\n".encode())
        parts.append(_data(f"{upload.message}\n".encode()))
        if reference not in known and (repository / ".git" / reference).exists():
            parts.append(f"from {reference}^0\n".encode())
        known.add(reference)
        for path, given in sorted(upload.files.items()):
            if given is None:
                parts.append(f"D {path}\n".encode())
                continue
            content = given.encode() if isinstance(given, str) else given
            data = _pointer(repository, content) if _is_large(path, content) else content
            if isinstance(data, Path):
                data = data.read_bytes()
            parts.append(f"M 100644 inline {path}\n".encode() + _data(data))
    return b"".join(parts)


def _is_large(path: str, content: bytes | Path) -> bool:
    return path.endswith(LARGE) or isinstance(content, Path)


def _pointer(repository: Path, content: bytes | Path) -> bytes:
    """Put a file where Git LFS has it, and say what stands in git for it."""
    if isinstance(content, Path):
        with content.open("rb") as stream:
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        size = content.stat().st_size
    else:
        sha256, size = hashlib.sha256(content).hexdigest(), len(content)
    target = large_file(repository, sha256)
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Path):
            os.link(content, target)
        else:
            target.write_bytes(content)
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n".encode()


def _data(data: bytes) -> bytes:
    return f"data {len(data)}\n".encode() + data + b"\n"


def _run(repository: Path, *command: str, given: bytes = b"") -> bytes:
    """Run git as nobody in particular, whatever the machine's configuration says."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_ATTR_NOSYSTEM": "1"}
    done = subprocess.run(
        ["git", *command], cwd=repository, env=environment, input=given, check=True, stdout=subprocess.PIPE
    )
    return done.stdout
