"""Archives: wheels, zip files and tar files, read in place; nothing is unpacked, nothing is run."""

from __future__ import annotations

import re
import tarfile
import zipfile
from contextlib import ExitStack
from pathlib import Path

from detector.model import UserError
from detector.read import tarred, zipped
from detector.targets import Files, Repo

_ZIP_SUFFIXES = (".whl", ".zip", ".egg")
_TAR_SUFFIXES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
SUFFIXES = _ZIP_SUFFIXES + _TAR_SUFFIXES
_TAR_STARTS = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00")

_WHEEL = re.compile(r"(?P<name>[^-]+)-(?P<version>[^-]+)(?:-[^-]+){3,4}")
_SOURCE = re.compile(r"(?P<name>.+?)-(?P<version>\d[^-]*)")


def is_archive(path: Path) -> bool:
    """Tell an archive by its name or, failing that, by its first bytes."""
    if path.name.lower().endswith(SUFFIXES):
        return True
    with path.open("rb") as file:
        head = file.read(512)
    return head.startswith((b"PK\x03\x04", b"PK\x05\x06", *_TAR_STARTS)) or head[257:262] == b"ustar"


def read(target: str, path: Path, cleanup: ExitStack) -> Repo:
    """Read an archive file.

    Errors: an archive that cannot be listed is the user's to mend; one bad member is skipped.
    """
    name, version = name_and_version(path.name)
    # A wheel names its format, anything else may be misnamed.
    is_wheel = path.name.lower().endswith(".whl")
    files: Files
    try:
        if is_wheel or _starts_like_zip(path):
            files = zipped.listing(path, cleanup, strip_top_folder=not is_wheel)
        else:
            files = tarred.listing(path, cleanup)
    except PermissionError:
        raise UserError(f"{path}: cannot open this file: check its permissions") from None
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, ValueError, NotImplementedError, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else "it ends too early"
        raise UserError(f"{path}: cannot read this archive ({reason}): fetch it again") from None
    return Repo(target, name, version, files)


def name_and_version(file_name: str) -> tuple[str, str]:
    """Take a distribution's name and version from its file name, as far as it follows the conventions."""
    stem = next((file_name[: -len(s)] for s in SUFFIXES if file_name.lower().endswith(s)), file_name)
    pattern = _WHEEL if file_name.lower().endswith(".whl") else _SOURCE
    if match := pattern.fullmatch(stem):
        return match["name"], match["version"]
    return stem, ""


def _starts_like_zip(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(4)
    return head.startswith(b"PK") or (path.name.lower().endswith(_ZIP_SUFFIXES) and not head.startswith(_TAR_STARTS))
