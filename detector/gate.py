"""The gate: what a report means for a script, as an exit code."""

from __future__ import annotations

from detector.model import Relation, Report, Skipped, Strength

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
# The relations that --fail-on gates: the others say that likeness has a harmless or an unknown source.
GATED = (Relation.IDENTICAL, Relation.DERIVED_UNDECLARED, Relation.SHARED_ANCESTOR)


def exit_code(report: Report, fail_on: Strength | None) -> int:
    """Tell what a script has to know. Findings come before incompleteness: more reading would not take them back.

    Without `fail_on`, any match is a finding that the suspect does not declare. With it, such a match must exist and
    the relation must point to a derivation with at least that support.
    """
    has_findings = any(not match.is_declared for match in report.matches)
    if fail_on is not None:
        scale = list(Strength)
        is_gated = report.relation in GATED and scale.index(report.strength) >= scale.index(fail_on)
        has_findings = has_findings and is_gated
    if has_findings:
        return EXIT_FINDINGS
    return EXIT_INCOMPLETE if any(map(_is_missed, report.skipped)) else EXIT_NOTHING


def _is_missed(skipped: Skipped) -> bool:
    """Whether Python code that was asked for is missing from the comparison.

    Not missing: folders that are left out on purpose (`.git`, environments, submodules), and links, since what they
    lead to is either read under its own name or no part of the target.
    """
    if skipped.reason.startswith(LINK):
        return False
    is_python = skipped.path.lower().endswith(PYTHON_SUFFIXES)
    return is_python or skipped.reason.startswith(CANNOT) or skipped.reason.endswith(REST)
