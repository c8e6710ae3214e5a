"""Binaries and images are built together, and each is told of as if it had been built alone."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

from tests.e2e import support

ALONE = ("--stage-timeout", "binaries=1h,image=1h")  # what has a limit of its own is built by a process of its own


def write(project: Path, *, client: str = "true", server: str = "alpine", binaries: str = "true") -> None:
    """A project of binaries and two images with a step in common, none of it in any cache."""
    (project / "Dockerfile").write_text(
        f"FROM alpine AS base\nCOPY . /src\nRUN for i in 1 2 3; do echo shared $i {uuid.uuid4()}; sleep 0.1; done\n"
        f"FROM base AS build\nRUN echo making files; {binaries}; echo made > /made\n"
        "FROM scratch AS binaries\nCOPY --from=build /made /\n"
        f"FROM base AS client\nRUN echo making a client; {client}\nCMD client\n"
        f"FROM {server} AS server\nCOPY --from=base /src /src\nRUN echo making a server\nCMD server\n"
    )
    (project / "data").write_bytes(bytes(3_000_000))


def contexts(run: support.Run) -> dict[str, tuple[float, int]]:
    """The seconds that sending the context of each stage took, and how many bytes of it were sent."""
    found: dict[str, tuple[float, int]] = {}
    for stage in run.record["stages"]:
        steps: list[dict[str, Any]] = stage["timeline"]
        [sent] = [step for step in steps if step["name"] == "[internal] load build context"]
        found[stage["name"]] = (sent["seconds"], sent["transferred"])
    return found


def shared(run: support.Run, stage: str) -> list[str]:
    """The lines of a stage's log that a step in common printed."""
    return [line.split()[3] for line in run.log(stage).splitlines() if " shared " in line and " RUN " not in line]


def test_their_context_is_sent_once(project: Path, environment: dict[str, str], builder: str) -> None:
    write(project)
    run = support.run(project, environment, "--builder", builder)
    assert run.code == 0, run.output
    sent = contexts(run)
    assert set(sent.values()) == {sent["client"]}  # no two transfers take the same time to the millisecond
    assert sent["client"][1] > 3_000_000
    for stage in ("binaries", "client", "server"):
        assert shared(run, stage) == ["1", "2", "3"], run.log(stage)


def test_a_failure_of_one_is_its_own(project: Path, environment: dict[str, str], builder: str) -> None:
    write(project, client="exit 7", server="nosuchimage:1")
    run = support.run(project, environment, "--builder", builder)
    assert run.code == 3, run.output
    outcomes = {stage["name"]: stage["outcome"] for stage in run.record["stages"]}
    assert outcomes == {"binaries": "passed", "client": "error", "server": "error"}
    reasons = {name: run.stage(name)["reason"] for name in outcomes}
    assert reasons["binaries"] is None
    assert reasons["client"].endswith("RUN echo making a client; exit 7 ended with exit code 7")
    assert "nosuchimage:1" in reasons["server"]
    assert "making a client" in run.log("client")
    assert "nosuchimage" not in run.log("client")
    assert "exit code: 7" not in run.log("server")
    assert (run.folder / "dist" / "linux_amd64" / "made").read_text() == "made\n"


def test_alone_and_together_they_are_the_same(project: Path, environment: dict[str, str], builder: str) -> None:
    write(project)
    together = support.run(project, environment, "--builder", builder)
    alone = support.run(project, environment, "--builder", builder, *ALONE, report="alone")
    assert (together.code, alone.code) == (0, 0), together.output + alone.output
    assert [image["digest"] for image in together.record["images"]] == [
        image["digest"] for image in alone.record["images"]
    ]
    for stage in ("binaries", "client", "server"):
        names = [{step["name"] for step in run.steps(stage)} for run in (together, alone)]
        assert names[0] == names[1] - {"[internal] load local bake definitions"}


def test_what_keeps_one_from_being_begun_keeps_no_other(
    project: Path, environment: dict[str, str], builder: str
) -> None:
    write(project)
    target = {name: {"target": name} for name in ("binaries", "client", "server")}
    broken = {**target["client"], "contexts": {"extra": "./missing"}}
    (project / "docker-bake.json").write_text(json.dumps({"target": {**target, "client": broken}}))
    run = support.run(project, environment, "--builder", builder)
    assert run.code == 3, run.output
    outcomes = {stage["name"]: stage["outcome"] for stage in run.record["stages"]}
    assert outcomes == {"binaries": "passed", "client": "error", "server": "passed"}
    assert "missing: no such file" in run.stage("client")["reason"]
    assert {stage["attempts"] for stage in run.record["stages"]} == {1}
