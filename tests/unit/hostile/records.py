"""A run of which every text is hostile."""

from __future__ import annotations

from ci_buildkit.findings.model import Finding, FindingReport
from ci_buildkit.pipeline.criticalpath import critical_path
from ci_buildkit.problem import Problem
from ci_buildkit.record import (
    BinaryRecord,
    BuilderRecord,
    EmulationRecord,
    ImageRecord,
    RunRecord,
    StageRecord,
    StepRecord,
    TestsRecord,
    VersionRecord,
)
from ci_buildkit.results.model import Case, Evidence, TestReport, Totals

DIGEST = "sha256:" + "0" * 64


def case(text: str, outcome: str = "failed", **told: object) -> Case:
    """A test case whose every text is `text`, and whose details say more than the message, which is why they are shown."""
    details = f"{text}\nmore than the message"
    evidence = Evidence(message=text, details=details, output=text, path=text, line=1, **told)  # type: ignore[arg-type]
    return Case(text, "junit", text, text, text, outcome, 1.5, evidence)  # type: ignore[arg-type]


def finding(text: str) -> Finding:
    """A finding whose every text is `text`."""
    return Finding(text, 2, 3, None, None, "error", text, text, text, text)


def tests(*texts: str) -> TestReport:
    """For each text a failed case, one that is let pass, a flaky and a skipped one."""
    made = tuple(
        one
        for text in texts
        for one in (
            case(text),
            case(text, quarantined=text),
            case(text, "passed", flaky=True, attempts=2),
            case(text, "skipped"),
        )
    )
    count = len(texts)
    totals = Totals(1, 1, 4 * count, count, 2 * count, 0, count, flaky=count, seconds=6.0 * count)
    return TestReport(cases=made, totals=totals)


def stage(text: str) -> StageRecord:
    """A stage that broke, every text of it `text`."""
    step = StepRecord.model_validate({"name": text, "started": 0, "seconds": 1, "error": text, "platform": text})
    return StageRecord(
        name=text, kind="test", target=text, platforms=(text,), outcome="error", reason=text, seconds=2, steps=1,
        timeline=(step,), emulated=(EmulationRecord(platform=text, seconds=1, steps=1),),
    )  # fmt: skip


def run(*texts: str) -> tuple[RunRecord, TestReport, FindingReport]:
    """A run that has of everything one for each text; the first is that of what there is one of."""
    text = texts[0]
    report = tests(*texts)
    found = FindingReport(tuple(map(finding, texts)), tuple(Problem(one, "missing", one) for one in texts))
    record = RunRecord(
        outcome="error", exit_code=3, started=text, seconds=2,
        version=VersionRecord(value=text, revision=text, dirty=True, source="input", source_date_epoch=1),
        builder=BuilderRecord(name=text, driver=text, buildkit=text, buildx=text, platforms=(text,), created=False),
        stages=tuple(map(stage, texts)), tests=TestsRecord(totals=report.totals), findings=found.findings,
        problems=found.problems,
        binaries=tuple(
            BinaryRecord(platform=one, path=one, size=1, sha256=one, format="other", archive=one) for one in texts
        ),
        images=tuple(ImageRecord(name=one, tags=(one,), digest=one, platforms=(one,), pushed=False) for one in texts),
    )  # fmt: skip
    return record.model_copy(update={"critical_path": critical_path(record)}), report, found
