"""One verdict on many jobs: green only where everything is there and green."""

from __future__ import annotations

import pytest

from ci_buildkit.record import BuilderRecord, RunRecord, StageRecord, VersionRecord, outcome_of
from ci_buildkit.report.verdict import Job, document, judge, markdown


def job(name: str, code: int = 0, reason: str | None = None) -> Job:
    """A job that left a record with this exit code."""
    outcome = outcome_of(code)
    stage = StageRecord(name="lint", kind="lint", target="lint", platforms=(), outcome=outcome, reason=reason)
    return Job(
        name,
        RunRecord(
            schema=1, outcome=outcome, exit_code=code, started="2026-01-01T00:00:00Z", seconds=2.0,
            version=VersionRecord(value="v1", revision="a", dirty=False, source="tag", source_date_epoch=1),
            builder=BuilderRecord(name="b", driver="d", buildkit="v1", buildx="v1", platforms=(), created=True),
            stages=(stage,),
        ),
    )  # fmt: skip


GREEN = {"plan": "success", "leg": "success"}


def test_all_green() -> None:
    found = judge(GREEN, [], [job("a"), job("b")])
    assert (found.exit_code, found.outcome, found.sentence) == (0, "passed", "The pipeline passed: a, b.")
    assert found.besides == ()


@pytest.mark.parametrize(
    ("needs", "jobs", "code", "why"),
    [
        # The last job of a matrix wins under act: a red record counts though the result is green.
        (GREEN, [job("a", 1), job("b")], 1, "a failed"),
        (GREEN, [job("a", 1), job("b", 3)], 3, "b error"),
        (GREEN, [job("a"), Job("b", None, "there is none")], 5, "b error (it left no report: there is none)"),
        # Nothing says why, so the log has to.
        ({**GREEN, "leg": "failure"}, [job("a")], 4, "the job leg failed, and its log says why"),
        ({**GREEN, "leg": "cancelled"}, [job("a"), job("b", 1)], 130, "the job leg was cancelled"),
        ({**GREEN, "leg": "skipped"}, [], 5, "the job leg is skipped, which nothing asked for"),
        ({**GREEN, "leg": ""}, [job("a")], 5, "the job leg is without a result"),
        ({"plan": "failure", "leg": "skipped"}, [], 4, "the job plan failed"),
    ],
)
def test_red(needs: dict[str, str], jobs: list[Job], code: int, why: str) -> None:
    found = judge(needs, [], jobs)
    assert found.exit_code == code
    assert found.outcome == outcome_of(code)
    assert f"exit code {code}: " in found.sentence
    assert why in found.sentence


def test_a_failed_job_is_no_news_where_its_record_says_why() -> None:
    found = judge({**GREEN, "leg": "failure"}, [], [job("a", 1, "two findings"), job("b")])
    assert found.exit_code == 1
    assert "log" not in found.sentence
    assert found.besides == ()


def test_what_is_in_no_record_is_told_besides() -> None:
    assert judge({**GREEN, "leg": "cancelled"}, [], [job("a", 1)]).besides == ("the job leg was cancelled",)


@pytest.mark.parametrize(("may_skip", "code"), [(["pipeline"], 0), ([], 5)])
def test_nothing_to_do_is_green_only_where_it_was_meant(may_skip: list[str], code: int) -> None:
    found = judge({"plan": "success", "pipeline": "skipped"}, may_skip, [], "No project changed, so nothing is built.")
    assert found.exit_code == code
    if not code:
        assert found.sentence == "No project changed, so nothing is built."


def test_a_record_that_contradicts_itself_is_red() -> None:
    one = job("a")
    assert one.record
    for changes in ({"exit_code": 1}, {"outcome": "failed"}):
        broken = Job("a", one.record.model_copy(update=changes))
        assert judge(GREEN, [], [broken]).exit_code == 5


def test_the_summary_has_a_row_for_each_job_and_shows_text_as_text() -> None:
    hostile = job("a", 1, "<script>|@team\n::error::x")
    text = markdown(judge(GREEN, [], [hostile, Job("b", None, "gone")]))
    rows = text.splitlines()
    assert len(rows) == 6
    assert rows[4].startswith("| ❌ | `a` |")
    assert "<script>" not in text
    assert "@team" not in text
    assert not any(row.startswith("::") for row in rows)


def test_what_programs_are_told() -> None:
    one, gone = document([job("a", 1), Job("b", None, "gone")])
    assert (one["name"], one["outcome"], one["exit_code"], one["version"], one["seconds"]) == (
        "a",
        "failed",
        1,
        "v1",
        2.0,
    )
    assert (gone["exit_code"], gone["version"], gone["images"]) == (5, None, [])
