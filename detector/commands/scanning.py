"""`detector scan`: what changed at the sources of a plan, against everything known."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from detector.arguments import ExitZeroOption, JobsOption, QuietOption
from detector.commands.indexing import ListForm
from detector.commands.running import interruptible, is_watched, processors, say, write
from detector.gate import EXIT_FINDINGS, EXIT_INCOMPLETE, EXIT_NOTHING
from detector.progress import progress as progress_bar
from detector.report.names import visible

if TYPE_CHECKING:
    from detector.scan.estimate import Estimate
    from detector.scan.run import Outcome

SCHEMA = "detector-scan/1"
# What a run tells that changes its exit code: something new to look at.
TELLING = frozenset({"found", "changed", "returned"})


def scan(
    *,
    plan: Annotated[Path, typer.Argument(metavar="PLAN", help="The file that describes the scan: scan.toml.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be fetched, and how much of it; store nothing.")
    ] = False,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="DATE", help="List what was changed from DATE on, whatever was listed before."),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option("--limit", metavar="N", min=1, help="Look at N members at most; the rest waits for the next run."),
    ] = None,
    form: Annotated[ListForm, typer.Option("--format", help="What to write.")] = ListForm.TERMINAL,
    jobs: JobsOption = None,
    exit_zero: ExitZeroOption = False,
    quiet: QuietOption = False,
) -> None:
    """Look at everything that changed at the sources of PLAN since the last run, and tell what it may come from.

    What was found, and everything that was ever scanned, is kept in the store that PLAN names. A run that was cut off
    is gone on with by the next one; two at the same time are refused. Nothing that is scanned is run.
    """
    from detector.scan import plan as plans

    date = plans.date_of(since, "--since") if since is not None else ""
    with interruptible(), progress_bar(not quiet and is_watched()) as progress:
        asked = plans.read(plan)
        if dry_run:
            from detector.scan.estimate import estimate

            expected = estimate(asked, since=date, limit=limit, progress=progress)
            write(_as_json_estimate(expected) if form is ListForm.JSON else _estimate(expected), None)
            raise typer.Exit(EXIT_INCOMPLETE if expected.unlisted and not exit_zero else EXIT_NOTHING)
        from detector.scan.run import run

        outcome = run(
            asked,
            since=date,
            limit=limit,
            jobs=jobs or processors(),
            progress=progress,
            tell=say,
        )
    for why in outcome.unlisted:
        say(f"not listed: {why}")
    for why in outcome.uncompared:
        say(f"not compared: {why}")
    write(_as_json(outcome) if form is ListForm.JSON else _as_lines(outcome, str(asked.output)), None)
    raise typer.Exit(EXIT_NOTHING if exit_zero else _code(outcome))


def _code(outcome: Outcome) -> int:
    if any(each.kind in TELLING for each in outcome.told):
        return EXIT_FINDINGS
    return EXIT_INCOMPLETE if outcome.is_incomplete else EXIT_NOTHING


def _as_lines(outcome: Outcome, output: str) -> str:
    run = outcome.run
    lines = [f"{each.kind}: {visible(each.text)}" for each in outcome.told]
    standing = ", ".join(f"{count:,} {name}" for name, count in outcome.standings.items())
    lines.append(
        f"run {run.number}: {run.listed:,} listed, {run.done:,} looked at with {run.requests:,} requests and "
        f"{run.bytes:,} bytes; of all members: {standing or 'none'}"
    )
    if outcome.delivered is not None:
        lines += [f"not delivered: {visible(each)}" for each in outcome.delivered.failures]
    lines.append(f"written to {visible(output)}: dashboard.html, findings.jsonl, occurrences.jsonl")
    return "".join(f"{line}\n" for line in lines)


def _estimate(expected: Estimate) -> str:
    lines = [
        f"{visible(each.member)}: cannot be opened: {visible(each.why)}"
        if each.why
        else f"{visible(each.member)} at {visible(each.revision[:12]) or '-'}: {each.requests:,} requests, "
        f"{each.bytes:,} bytes" + (f", {each.known:,} files known" if each.known else "")
        for each in expected.expected
    ]
    lines += [f"not listed: {visible(why)}" for why in expected.unlisted]
    requests, size = (sum(getattr(each, name) for each in expected.expected) for name in ("requests", "bytes"))
    later = f"; {expected.left:,} more wait for later runs" if expected.left else ""
    lines.append(
        f"{expected.listed:,} listed, {len(expected.expected):,} to look at{later}: {requests:,} requests and {size:,} "
        f"bytes, and of each that is like another slices of its weights and the other one's files"
    )
    lines.append(f"this estimate took {expected.requests:,} requests and {expected.bytes:,} bytes; nothing is stored")
    return "".join(f"{line}\n" for line in lines)


def _as_json_estimate(expected: Estimate) -> str:
    document = {
        "schema": "detector-scan-estimate/1",
        "listed": expected.listed,
        "members": [
            {
                "member": each.member,
                "revision": each.revision,
                "requests": each.requests,
                "bytes": each.bytes,
                "known_files": each.known,
                "why": each.why,
            }
            for each in expected.expected
        ],
        "later": expected.left,
        "unlisted": expected.unlisted,
        "requests": expected.requests,
        "bytes": expected.bytes,
    }
    return json.dumps(document, indent=2) + "\n"


def _as_json(outcome: Outcome) -> str:
    run = outcome.run
    document = {
        "schema": SCHEMA,
        "run": {
            "number": run.number,
            "started": run.started,
            "ended": run.ended,
            "listed": run.listed,
            "done": run.done,
            "requests": run.requests,
            "bytes": run.bytes,
            "counts": dict(run.counts),
        },
        "members": dict(outcome.standings),
        "occurrences": [
            {"sequence": each.sequence, "kind": each.kind, "subject": each.subject, "text": each.text}
            for each in outcome.told
        ],
        "waiting": outcome.waiting,
        "unlisted": outcome.unlisted,
        "uncompared": outcome.uncompared,
    }
    return json.dumps(document, indent=2) + "\n"
