"""What the verdict over a workflow's jobs is made of: a matrix, `needs`, and downloads."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.report.test_explain import Made

from ci_buildkit.cli import jobs
from ci_buildkit.errors import ConfigurationError


def test_the_jobs_of_a_matrix() -> None:
    assert jobs.names('{"include": [{"name": "linux-arm64"}, {"name": "a.b_c"}]}') == ("linux-arm64", "a.b_c")
    assert jobs.names(" ") == jobs.names("{}") == ()


@pytest.mark.parametrize("name", ["../x", "a/b", "", "ä", "a b"])
def test_a_job_whose_name_could_lead_out_of_the_downloads_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="a job of the matrix is called"):
        jobs.names(f'{{"include": [{{"name": "{name}"}}]}}')


@pytest.mark.parametrize("text", ["{", "x"])
def test_what_is_no_matrix_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="the job matrix is no JSON"):
        jobs.names(text)


def test_the_results_of_needed_jobs() -> None:
    assert jobs.results('{"a": {"result": "success"}, "b": {"result": "skipped"}}') == {"a": "success", "b": "skipped"}


@pytest.mark.parametrize(
    ("text", "told"), [("{", "needs is no JSON"), ("{}", "needs names no job"), ("[]", "needs names no job")]
)
def test_needs_that_name_no_job_can_never_be_green(text: str, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        jobs.results(text)


def test_a_job_without_a_report_is_there_with_the_reason(tmp_path: Path) -> None:
    folder = tmp_path / "ci-one-report"
    folder.mkdir()
    (folder / "run.json").write_text(Made().record().to_json(), encoding="utf-8")
    one, other = jobs.read(tmp_path, "ci", ["one", "other"])
    assert (one.name, one.record is not None) == ("one", True)
    assert (other.name, other.record) == ("other", None)
    assert "there is no report that can be read" in str(other)
