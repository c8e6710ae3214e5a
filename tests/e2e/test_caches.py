"""Caches outside the builder: what one builder wrote the next one reads, and their trouble turns nothing red."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e import support

DOCKERFILE = """
FROM alpine AS base
RUN echo {run} >/base
FROM base AS lint
RUN echo linted >/lint
FROM base AS test
RUN mkdir /out && echo '<testsuite name="s" tests="1"><testcase name="works"/></testsuite>' >/out/junit.xml && {test}
FROM scratch AS binaries
COPY --from=base /base /tool
FROM base
CMD ["true"]
"""


@pytest.fixture
def project(project: Path) -> Path:
    return written(project)


def written(project: Path, test: str = "true") -> Path:
    (project / "Dockerfile").write_text(DOCKERFILE.format(run=f"{project.parent.name}-{os.getpid()}", test=test))
    return project


@pytest.fixture
def builders(environment: dict[str, str]) -> Iterator[list[str]]:
    """Names of two new builders."""
    names = [f"caches-{os.getpid()}-{number}" for number in range(2)]
    yield names
    support.command(["builder", "rm", *names], environment)


@pytest.mark.parametrize("backend", ["registry", "local"])
def test_a_new_builder_reads_what_another_wrote(
    backend: str, project: Path, environment: dict[str, str], lab: dict[str, str], builders: list[str], tmp_path: Path
) -> None:
    folder = tmp_path / "cache"
    registry = f"{lab['CI_BUILDKIT_LAB_REGISTRY']}/caches/{os.getpid()}"
    read, write = {
        "registry": (f"type=registry,ref={registry}:{{branch}}", f"type=registry,ref={registry}:{{branch}}"),
        "local": (f"type=local,src={folder}", f"type=local,dest={folder}"),
    }[backend]
    support.commit(project)
    for builder in builders:
        run = support.run(
            project, environment, "--builder", builder, "--cache-from", read, "--cache-to", write, "--no-oci-layout"
        )
        assert run.code == 0, run.output
        assert "warning" not in run.output
    for name in ("lint", "test", "binaries", "image"):
        steps = [step for step in run.steps(name) if "] RUN " in step["name"] or "] COPY " in step["name"]]
        assert steps
        assert all(step["cached"] for step in steps), steps
    assert run.stage("test")["replayed"]


def test_a_cache_that_cannot_be_written_is_said_and_breaks_nothing(
    project: Path, environment: dict[str, str], builder: str
) -> None:
    run = support.run(project, environment, "lint", "--builder", builder, "--cache-to", "localhost:1/nobody/there")
    assert run.code == 0, run.output
    assert "warning: lint: exporting cache to registry: " in run.output
    assert "connection refused" in run.output


def test_a_cache_that_is_not_there_hides_no_failed_test(
    project: Path, environment: dict[str, str], lab: dict[str, str], builder: str
) -> None:
    missing = f"{lab['CI_BUILDKIT_LAB_REGISTRY']}/caches/nothing"
    written(project, "exit 3")
    run = support.run(project, environment, "test", "--builder", builder, "--cache-from", missing)
    assert run.code == 1, run.output
    assert "ended with exit code 3" in run.stage("test")["reason"]
    assert "warning" not in run.output


def test_githubs_cache_without_its_token_is_said(project: Path, environment: dict[str, str], builder: str) -> None:
    own = {name: value for name, value in environment.items() if not name.startswith("ACTIONS_")}
    run = support.run(project, own, "lint", "--builder", builder, "--cache-to", "type=gha")
    assert run.code == 0, run.output
    assert (
        "GitHub's cache (type=gha) is not used: ACTIONS_RUNTIME_TOKEN and ACTIONS_RESULTS_URL are not set" in run.output
    )


def test_a_wrong_cache_is_refused_before_anything_is_built(project: Path, environment: dict[str, str]) -> None:
    run = support.run(project, environment, "--cache-to", "type=redis")
    assert run.code == 2
    assert "registry, gha, local, s3, azblob, inline" in run.output
    assert not run.folder.exists()
