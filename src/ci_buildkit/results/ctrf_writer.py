"""CTRF out of a report (ctrf.io, specification 1.0.0; schema/ctrf.schema.json), read back equal by `ctrf`.

CTRF knows no errors: a case that broke is `failed` with the `rawStatus` "error". A quarantined failure stays `failed`
and says so in `extra`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ci_buildkit import __version__, atomic, jsontext

if TYPE_CHECKING:
    from pathlib import Path

    from ci_buildkit.results.model import Case, TestReport

SPECIFICATION = "1.0.0"


def write(report: TestReport, path: Path, *, started: float = 0.0) -> None:
    """Writes every case of `report` to `path`, which is replaced as a whole. `started` is in seconds since 1970.

    Raises:
        OutputError: the file cannot be written.
    """
    atomic.write(path, dumps(report, started=started))


def dumps(report: TestReport, *, started: float = 0.0) -> bytes:
    """The document of `report`, in UTF-8."""
    totals = report.totals
    start = round(started * 1000)
    summary = {
        "tests": totals.tests,
        "passed": totals.passed,
        "failed": totals.failed + totals.errors,
        "skipped": totals.skipped,
        "pending": 0,
        "other": 0,
        "flaky": totals.flaky,
        "suites": totals.suites,
        "start": start,
        "stop": start + round(totals.seconds * 1000),
    }
    tests = [_test(case) for case in report.cases]
    results = {"tool": {"name": "ci-buildkit", "version": __version__}, "summary": summary, "tests": tests}
    head = {"reportFormat": "CTRF", "specVersion": SPECIFICATION, "generatedBy": "ci-buildkit"}
    return jsontext.dumps({**head, "results": results}, indent=True)


def _test(case: Case) -> dict[str, Any]:
    """One element of `tests`: what the schema requires, and the rest where there is something to say."""
    test: dict[str, Any] = {
        "name": case.name or "unnamed",
        "status": "failed" if case.outcome == "error" else case.outcome,
        "duration": round(case.seconds * 1000),
        "rawStatus": case.outcome,
        "retries": case.attempts - 1,
        "flaky": case.flaky,
    }
    optional = {
        "suite": [part for part in case.suite.split(" / ") if part],
        "message": case.message,
        "trace": case.details,
        "filePath": case.path,
        "line": case.line,
        "stdout": case.output.split("\n") if case.output else None,
        "extra": _extra(case),
    }
    return test | {key: value for key, value in optional.items() if value}


def _extra(case: Case) -> dict[str, str]:
    """What CTRF has no field for."""
    told = {"className": case.class_name, "report": case.file}
    return told | ({"quarantined": case.quarantined} if case.quarantined else {})
