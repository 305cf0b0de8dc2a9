"""What the steps of action.yml do: `github_action.py key|index|check|comment|gate`, run by the Python of detector.

Values come in as variables and go out through GITHUB_OUTPUT; none of them is ever a shell's text. Names and texts out
of a pull request are a stranger's: while they are printed, the runner is told not to take lines for commands; and
Python is started with -P, so that it takes no module out of the folder that was checked out.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

MAX_SUMMARY = 1_000_000  # bytes; GitHub takes 1 MiB of each step
EXIT_FINDINGS, EXIT_ERROR, EXIT_INCOMPLETE = 1, 2, 3


def key() -> int:
    """Name the cache entry of the index: by what is put into it, by what makes it, and by the week.

    A new week finds the last one's index and only adds to it what has changed.
    """
    digest = hashlib.sha256(repr((_lines("INPUT_TARGETS"), _is("INPUT_KNOWN"))).encode())
    package = Path(os.environ["GITHUB_ACTION_PATH"], "detector")
    for file in sorted(package.rglob("*")):
        if file.suffix in {".py", ".toml", ".npz"}:
            digest.update(file.relative_to(package).as_posix().encode() + b"\0" + file.read_bytes())
    name = f"detector-index-{digest.hexdigest()[:32]}-"
    _put("key-of-any-week", name)
    _put("key", name + time.strftime("%G-%V", time.gmtime()))
    return 0


def index() -> int:
    """Make the index, or add what has changed to the one from the cache, where this version can use that."""
    path = _own_index()
    with _not_commands():
        if path.exists() and _detector("index", "info", "--index", str(path)) != 0:
            path.unlink()
        known = ["--known"] if _is("INPUT_KNOWN") else []
        code = _detector("index", "add", "--index", str(path), *known, "--", *_lines("INPUT_TARGETS"))
    if code == EXIT_INCOMPLETE:
        _say("warning", "The index lacks what could not be fetched: see the log of the step before.")
        return 0
    return code


def check() -> int:
    """Look up what the event adds or alters, and write the report in every form that is shown somewhere."""
    _fetch_history()
    folder = _folder()
    report = folder / "report.json"
    report.unlink(missing_ok=True)
    given = os.environ.get("INPUT_INDEX", "")
    options = ["--index", given or str(_own_index())]
    if baseline := os.environ.get("INPUT_BASELINE", ""):
        options += ["--baseline", baseline]
    with _not_commands():
        code = _detector("hook", *options, "--format", "json", "--output", str(report))
    _put("exit-code", str(code))
    if code not in (0, EXIT_FINDINGS, EXIT_INCOMPLETE) or not report.exists():
        _summarize("detector could not look anything up: the log of this step says why.\n")
        return 0
    with _not_commands():
        _detector("report", str(report), "--exit-zero", "--format", "blocks")
    for form, name in (("sarif", "report.sarif"), ("comment", "comment.md")):
        if _detector("report", str(report), "--exit-zero", "--format", form, "--output", str(folder / name)) != 0:
            return EXIT_ERROR
    _put("findings", str(_findings(json.loads(report.read_text("utf-8")))))
    _put("report", str(report))
    _put("sarif", str(folder / "report.sarif"))
    _put("comment", str(folder / "comment.md"))
    _summarize((folder / "comment.md").read_text("utf-8"))
    return 0


def comment() -> int:
    """Keep one comment on the pull request: made when there is something to tell, kept up to date from then on.

    Where the token may not write (a fork, most of all), that is said, and nothing fails.
    """
    where = f"repos/{os.environ['GITHUB_REPOSITORY']}"
    issue = f"{where}/issues/{int(os.environ['PULL_REQUEST'])}/comments"
    listed = _gh("--paginate", f"{issue}?per_page=100")
    if listed is None:
        return _no_comment()
    body = Path(os.environ["COMMENT"])
    marker = body.read_text("utf-8").partition("\n")[0]
    before = [each for page in _values(listed) for each in page if _is_ours(each, marker)]
    if not before and os.environ.get("FINDINGS") == "0":
        return 0
    target = ["--method", "POST", issue]
    if before:
        target = ["--method", "PATCH", f"{where}/issues/comments/{int(before[0]['id'])}"]
    return 0 if _gh(*target, "--field", f"body=@{body}") is not None else _no_comment()


def gate() -> int:
    """End as `detector hook` did; findings, and what could not be read, count only where they are to fail the job."""
    code = int(os.environ.get("EXIT_CODE") or EXIT_ERROR)
    return 0 if code in (EXIT_FINDINGS, EXIT_INCOMPLETE) and not _is("INPUT_FAIL") else code


# --- detector and git ---


def _detector(*arguments: str) -> int:
    return subprocess.run([sys.executable, "-P", "-m", "detector", *arguments], check=False).returncode


def _fetch_history() -> None:
    """Fetch what a shallow checkout lacks: of a pull request the parents of its merge, of a push all that was before.

    What cannot be fetched is not fatal here: detector says what it misses.
    """
    commit = os.environ.get("GITHUB_SHA", "")
    is_shallow = _git("rev-parse", "--is-shallow-repository") == "true"
    if os.environ.get("GITHUB_EVENT_NAME") == "pull_request":
        if is_shallow or not _git("rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}"):
            _git("fetch", "--quiet", "--no-tags", *(["--depth=2"] if is_shallow else []), "origin", commit)
    elif is_shallow:
        _git("fetch", "--quiet", "--no-tags", "--unshallow", "origin")


def _git(*command: str) -> str:
    done = subprocess.run(["git", *command], stdout=subprocess.PIPE, text=True, errors="replace", check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def _findings(report: Any) -> int:
    return sum(not (match["declared"] or match.get("accepted")) for match in report["matches"])


# --- GitHub ---


def _gh(*arguments: str) -> str | None:
    """What the API answers; None where it refuses, or where there is no `gh`."""
    try:
        done = subprocess.run(["gh", "api", *arguments], stdout=subprocess.PIPE, text=True, check=False)
    except OSError:
        return None
    return done.stdout if done.returncode == 0 else None


def _values(text: str) -> Iterator[Any]:
    """All JSON values of an answer: older versions of `gh` write one for each page."""
    decoder, text = json.JSONDecoder(), text.strip()
    while text:
        value, end = decoder.raw_decode(text)
        yield value
        text = text[end:].lstrip()


def _is_ours(each: Any, marker: str) -> bool:
    """Whether a comment is the one to keep: a person can write the marker too, and could then change what it says."""
    is_bot = (each.get("user") or {}).get("type") == "Bot"
    return is_bot and str(each.get("body") or "").startswith(marker)


def _no_comment() -> int:
    _say("notice", "No comment was written: the token may not write to this pull request. The summary has the report.")
    return 0


def _say(level: str, message: str) -> None:
    print(f"::{level} title=detector::{message}", flush=True)


@contextmanager
def _not_commands() -> Iterator[None]:
    """Have the runner take no line for a command of its workflow; the word that ends this cannot be guessed."""
    word = secrets.token_hex(16)
    print(f"::stop-commands::{word}", flush=True)
    try:
        yield
    finally:
        sys.stdout.flush()
        print(f"\n::{word}::", flush=True)


def _put(name: str, value: str) -> None:
    """Give an output to the steps after this one.

    Errors: ValueError for a value of several lines, the rest of which would be outputs of its own.
    """
    if "\n" in value or "\r" in value:
        raise ValueError(f"{name} has several lines")
    with open(os.environ["GITHUB_OUTPUT"], "a", encoding="utf-8") as file:
        file.write(f"{name}={value}\n")


def _summarize(text: str) -> None:
    data = text.encode("utf-8", "replace")[:MAX_SUMMARY].decode("utf-8", "ignore")
    with open(os.environ["GITHUB_STEP_SUMMARY"], "a", encoding="utf-8") as file:
        file.write(data)


def _folder() -> Path:
    folder = Path(os.environ["RUNNER_TEMP"], "detector")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _own_index() -> Path:
    return _folder() / "known.db"


def _lines(variable: str) -> list[str]:
    return [line.strip() for line in os.environ.get(variable, "").splitlines() if line.strip()]


def _is(variable: str) -> bool:
    return os.environ.get(variable, "").strip().lower() == "true"


STEPS: dict[str, Callable[[], int]] = {"key": key, "index": index, "check": check, "comment": comment, "gate": gate}

if __name__ == "__main__":
    sys.exit(STEPS[sys.argv[1]]())
