"""Builders of several machines: two buildkitd in network namespaces of their own, reached over mutual TLS."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e import netns, support
from tests.e2e.netns import Machine
from tests.e2e.support import Run

DOCKERFILE = """\
FROM alpine AS lint
RUN echo fine
FROM alpine AS test
RUN mkdir /out && echo '<testsuite name="s"><testcase classname="b" name="a"/></testsuite>' > /out/junit.xml
FROM alpine AS build
ARG BUILDPLATFORM TARGETPLATFORM
RUN echo "$TARGETPLATFORM on $BUILDPLATFORM" > /out; {then}
FROM scratch AS binaries
COPY --from=build /out /
FROM alpine AS image
COPY --from=build /out /
CMD ["cat", "/out"]
"""
BOTH = "linux/amd64,linux/arm64"
# On the machine for arm64 the step goes on until that machine dies.
ASLEEP = "if [ $BUILDPLATFORM = linux/arm64 ]; then echo asleep; sleep 60; fi"


@pytest.fixture(scope="module")
def farm(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Machine]]:
    """A machine for amd64 and one for arm64, each of which emulates the other's platform; only the first has s390x."""
    folder = tmp_path_factory.mktemp("farm")
    with netns.farm(
        environment, folder, amd=("linux/amd64", "linux/arm64", "linux/s390x"), arm=("linux/arm64", "linux/amd64")
    ) as machines:
        yield machines


@pytest.fixture
def alone(environment: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """An environment in which buildx knows the builders of this test only."""
    return {**environment, "BUILDX_CONFIG": str(tmp_path / "buildx")}


def left(alone: dict[str, str]) -> list[str]:
    """The builders that buildx still knows."""
    folder = Path(alone["BUILDX_CONFIG"], "instances")
    return [path.name for path in folder.iterdir()] if folder.is_dir() else []


def options(farm: dict[str, Machine]) -> list[str]:
    """The builder of both machines."""
    return ["--driver", "remote", *(word for machine in farm.values() for word in ("--node", machine.option()))]


def write(project: Path, then: str = "true") -> None:
    (project / "Dockerfile").write_text(DOCKERFILE.replace("{then}", then))


def built(run: Run) -> dict[str, str]:
    """Which machine built each binary."""
    return {path.parent.name: path.read_text().strip() for path in run.folder.glob("dist/*/out")}


def test_each_platform_is_built_where_it_is_native(
    farm: dict[str, Machine], alone: dict[str, str], lab: dict[str, str], project: Path
) -> None:
    write(project)
    image = f"{lab['CI_BUILDKIT_LAB_REGISTRY']}/nodes/split-{farm['amd'].octet}"
    run = support.run(project, alone, *options(farm), "--platform", BOTH, "--image", image, "--push")
    assert run.code == 0, run.output
    assert built(run) == {"linux_amd64": "linux/amd64 on linux/amd64", "linux_arm64": "linux/arm64 on linux/arm64"}
    assert {stage["name"]: stage["outcome"] for stage in run.record["stages"]} == dict.fromkeys(
        ("lint", "test", "binaries", "image"), "passed"
    )
    assert run.record["tests"]["totals"]["tests"] == 1
    assert run.record["builder"]["driver"] == "remote"
    assert {*BOTH.split(",")} <= {*run.record["builder"]["platforms"]}
    assert not any(stage["emulated"] for stage in run.record["stages"])
    [tag] = support.tags(lab, image.partition("/")[2])
    index, _ = support.manifest(lab, image.partition("/")[2], tag)
    assert {*BOTH.split(",")} <= {support.platform_of(entry) for entry in index["manifests"]}
    assert "BUILDKIT_STEP_LOG_MAX_SIZE" in run.output, "these machines' own setting"
    assert left(alone) == []


def test_a_client_that_the_machines_do_not_know_is_refused(
    farm: dict[str, Machine], alone: dict[str, str], project: Path
) -> None:
    write(project)
    amd = farm["amd"]
    run = support.run(project, alone, "--driver", "remote", "--node", amd.option(client="arm"))
    assert run.code == 4
    assert f"node amd ({amd.endpoint}) does not answer: it refuses the client certificate" in run.output
    stranger = amd.option().replace("servername=amd", "servername=other")
    done = support.command(["builder", "create", "farm", "--driver", "remote", "--node", stranger], alone)
    assert done.returncode == 4
    assert "its certificate is not the expected one" in done.stderr
    assert left(alone) == []


def test_a_machine_that_dies_during_a_build_is_replaced_by_the_other(
    farm: dict[str, Machine], alone: dict[str, str], project: Path
) -> None:
    write(project, ASLEEP)
    started = support.start(project, alone, *options(farm), "--platform", BOTH, "lint", "binaries")
    started.wait_for("asleep")
    farm["arm"].kill()
    try:
        run = started.finish(60)
    finally:
        farm["arm"].start()
    assert run.code == 0, run.output
    assert built(run) == {"linux_amd64": "linux/amd64 on linux/amd64", "linux_arm64": "linux/arm64 on linux/amd64"}
    stage = run.stage("binaries")
    assert (stage["outcome"], stage["attempts"]) == ("passed", 2)
    assert stage["emulated"][0]["platform"] == "linux/arm64"
    assert run.stage("lint")["attempts"] == 1
    said = f"node arm ({farm['arm'].endpoint}) does not answer"
    assert said in run.output
    assert f"# attempt 2: {said}" in run.log("binaries")
    assert left(alone) == []


def test_with_all_machines_dead_the_run_says_which_and_keeps_what_there_is(
    farm: dict[str, Machine], alone: dict[str, str], project: Path
) -> None:
    write(project, ASLEEP.replace("arm64", "amd64"))
    started = support.start(project, alone, *options(farm), "lint", "binaries")
    started.wait_for("asleep")
    started.wait_for("lint passed")
    for machine in farm.values():
        machine.kill()
    try:
        run = started.finish(60)
    finally:
        for machine in farm.values():
            machine.start()
    assert run.code == 4, run.output
    assert run.stage("lint")["outcome"] == "passed"
    reason = run.stage("binaries")["reason"]
    assert all(f"node {name} ({machine.endpoint})" in reason for name, machine in farm.items())
    assert "no machine is left" in reason
    assert left(alone) == []


def test_a_machine_that_is_dead_at_the_start(farm: dict[str, Machine], alone: dict[str, str], project: Path) -> None:
    write(project)
    made = support.command(["builder", "create", "farm", *options(farm)], alone, check=True)
    assert "linux/arm64" in made.stdout
    farm["amd"].kill()  # the first one, which buildx asks for targets and builds without platforms on
    try:
        run = support.run(project, alone, "--builder", "farm", "binaries", "--platform", BOTH)
        boot = support.command(["builder", "create", "farm"], alone)
        only = support.run(project, alone, "--builder", "farm", "binaries", "--platform", "linux/s390x", report="only")
    finally:
        farm["amd"].start()
    assert run.code == 0, run.output
    assert "node amd" in run.output
    assert "the others build without it" in run.output
    assert built(run) == {"linux_amd64": "linux/amd64 on linux/arm64", "linux_arm64": "linux/arm64 on linux/arm64"}
    assert (boot.returncode, only.code) == (4, 4)
    assert "node amd" in boot.stderr
    assert "nobody else can build binaries for linux/s390x" in only.output
    assert left(alone) == ["farm"], "it is the user's"
    again = support.command(["plan", "--builder", "farm", "--format", "json"], alone, cwd=project, check=True)
    assert len(json.loads(again.stdout)["stages"]) == 4
    support.command(["builder", "rm", "farm"], alone, check=True)
