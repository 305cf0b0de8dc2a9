"""The gate: what a report means for a script, as an exit code."""

from __future__ import annotations

from detector.model import Relation, Report, Skipped, Strength
from detector.report.findings import is_finding

EXIT_NOTHING = 0
EXIT_FINDINGS = 1
EXIT_ERROR = 2
EXIT_INCOMPLETE = 3
EXIT_INTERRUPTED = 130  # 128 + SIGINT, as shells count

PYTHON_SUFFIXES = (".py", ".pyw", ".pyi", ".ipynb")
# From the reasons that `detector.read` gives: what is no loss, and what is one without the name of a Python file.
LINK = "a symbolic link"
CANNOT = "cannot "
REST = "the rest is not read"
# Kinds of evidence for which all Python files are read: what is left out on purpose is among what they skip.
READ_CODE = frozenset({"code", "traces", "declared"})
# The relations that --fail-on gates: the others say that likeness has a harmless or an unknown source.
GATED = (Relation.IDENTICAL, Relation.DERIVED_UNDECLARED, Relation.SHARED_ANCESTOR)


def exit_code(report: Report, fail_on: Strength | None) -> int:
    """Tell what a script has to know. Findings come before incompleteness: more reading would not take them back.

    Without `fail_on`, any match is a finding that the suspect does not declare and nobody accepted, any line of
    evidence beside the code that supports something and that nobody accepted, unless the whole is declared, and any
    remark. With it, one of these must exist and the relation must point to a derivation with at least that support.
    """
    has_findings = any(not (match.is_declared or match.accepted) for match in report.matches)
    has_findings = has_findings or any(is_finding(line, report) and not line.accepted for line in report.evidence)
    has_findings = has_findings or bool(report.remarks)
    if fail_on is not None:
        scale = list(Strength)
        is_gated = report.relation in GATED and scale.index(report.strength) >= scale.index(fail_on)
        has_findings = has_findings and is_gated
    if has_findings:
        return EXIT_FINDINGS
    asked = {each.kind for each in report.examined}
    has_read_code = not asked or bool(asked & READ_CODE)
    return EXIT_INCOMPLETE if any(_is_missed(skipped, has_read_code) for skipped in report.skipped) else EXIT_NOTHING


def _is_missed(skipped: Skipped, has_read_code: bool) -> bool:
    """Whether something that was asked for is missing from the comparison.

    Not missing: folders that are left out on purpose (`.git`, environments, submodules), and links, since what they
    lead to is either read under its own name or no part of the target. Of files that are no Python, what could not be
    read at all is missing; where their kind of evidence was asked for and code was not, whatever was not read.
    """
    if skipped.reason.startswith(LINK):
        return False
    is_python = skipped.path.lower().endswith(PYTHON_SUFFIXES)
    is_cut = skipped.reason.startswith(CANNOT) or skipped.reason.endswith(REST)
    return is_python or is_cut or not has_read_code
