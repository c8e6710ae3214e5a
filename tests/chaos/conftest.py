"""A project that is green, takes some seconds, and has something of every kind; a builder that knows its steps."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.chaos.machine import Machine
from tests.e2e import support
from tests.e2e.conftest import environment, lab

__all__ = ["environment", "lab"]

# Four stages of two to four seconds that find nothing in the cache, so that every moment is a moment of something.
DOCKERFILE = """\
FROM --platform=$BUILDPLATFORM busybox AS base
ARG MOMENT
FROM base AS lint
RUN echo $MOMENT; sleep 1; echo 'a.sh:1:1: warning: odd'; sleep 1
FROM base AS test
RUN mkdir /out; echo $MOMENT; for n in 1 2 3 4 5 6; do echo "ok $n - case $n" >> /tmp/tap; sleep 0.3; done; \\
    { echo TAP version 13; cat /tmp/tap; echo 1..6; } > /out/tests.tap; echo 0 > /out/exit-code
FROM scratch AS test-results
COPY --from=test /out/ /
FROM base AS build
ARG TARGETARCH
RUN echo $MOMENT; sleep 1; cp /bin/busybox /tool
FROM scratch AS binaries
COPY --from=build /tool /
FROM busybox AS app
COPY --from=build /tool /tool
ENTRYPOINT ["/tool"]
"""
STAGES = {"lint", "test-results", "binaries", "app"}


@pytest.fixture
def alone(environment: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """An environment in which buildx knows the builders of this test only."""
    return {**environment, "BUILDX_CONFIG": str(tmp_path / "buildx")}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The green project."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "Dockerfile").write_text(DOCKERFILE)
    return folder


@pytest.fixture
def builder(alone: dict[str, str], project: Path) -> Iterator[str]:
    """A builder that has the base image."""
    name = f"chaos-{os.getpid()}-{uuid.uuid4().hex[:6]}"
    support.command(["builder", "create", name], alone, check=True)
    assert support.run(project, alone, "--builder", name, "--build-arg", "MOMENT=0").code == 0
    yield name
    support.command(["builder", "rm", name], alone)


@pytest.fixture
def before(environment: dict[str, str]) -> Machine:
    """What the machine held before the test."""
    return Machine.look(environment)
