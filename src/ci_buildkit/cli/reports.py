"""Writes what people and other programs read of a run into a report folder, beside `run.json` and the logs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ci_buildkit.findings.model import FindingReport
    from ci_buildkit.record import RunRecord
    from ci_buildkit.results.model import TestReport


def write(
    folder: Path, record: RunRecord, tests: TestReport, findings: FindingReport, *, root: Path | None = None
) -> None:
    """Write junit.xml, findings.sarif, summary.md and report.html; the logs are in `folder` already.

    `root` is the repository's folder. What GitHub's limits leave out of the SARIF file is told on stderr. Raises
    OutputError.
    """
    from ci_buildkit.findings import sarif
    from ci_buildkit.pipeline.session import safe_name
    from ci_buildkit.report import html, summary
    from ci_buildkit.report.text import inert
    from ci_buildkit.results import junit_writer

    known = findings.known
    junit_writer.write(tests, folder / "junit.xml")
    for problem in sarif.write(findings, folder / "findings.sarif", root=root):
        print(inert(f"warning: {problem.path}: {problem.reason}"), file=sys.stderr)
    (folder / "summary.md").write_text(summary.render(record, tests, known=known), encoding="utf-8")
    logs = {stage.name: folder / "logs" / f"{safe_name(stage.name)}.log" for stage in record.stages}
    (folder / "report.html").write_text(html.render(record, tests, logs=logs, known=known), encoding="utf-8")
