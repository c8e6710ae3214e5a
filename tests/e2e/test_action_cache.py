"""GitHub's cache through the action: the token reaches the pipeline, and what one job wrote the next one reads."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path

from tests.e2e import action_support as support

DOCKERFILE = """
FROM alpine AS lint
RUN echo linted >/lint
FROM alpine AS test
RUN mkdir /out && echo '<testsuite name="s" tests="1"><testcase name="works"/></testsuite>' >/out/junit.xml
"""


def steps(artifact: zipfile.ZipFile) -> dict[str, bool]:
    """The RUN steps of a report and whether they came from the cache."""
    record = json.loads(artifact.read("run.json"))
    return {s["name"]: s["cached"] for stage in record["stages"] for s in stage["timeline"] if "] RUN " in s["name"]}


def test_the_second_job_reads_what_the_first_one_wrote(lab: Mapping[str, str], tmp_path: Path) -> None:
    act = support.Act(lab, support.export_checkout(tmp_path / "action"), support.stand_in(), tmp_path)
    project = tmp_path / "project"
    project.mkdir()
    (project / "Dockerfile").write_text(DOCKERFILE)
    (project / "ci-buildkit.yml").write_text("cache-from: [type=gha]\ncache-to: [type=gha]\n")
    found = []
    for number in (1, 2):  # each job makes a builder of its own
        run = act.run(support.caller(tmp_path / f"job{number}", project, {"upload-artifacts": "true"}, {}))
        assert run.code == 0, run.text
        assert run.step_results()["ci/cache-token"] == "success"
        assert "is not used" not in run.text
        found.append(steps(run.artifacts()["ci-buildkit-report"]))
    first, second = found
    assert len(first) == len(second) == 2
    assert not any(first.values())
    assert all(second.values())
