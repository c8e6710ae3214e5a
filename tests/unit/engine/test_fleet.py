"""What builds run on before and after machines stop answering."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ci_buildkit.engine.builder import Builder
from ci_buildkit.engine.buildx import Buildx
from ci_buildkit.engine.fleet import Fleet
from ci_buildkit.engine.machines import Machine
from ci_buildkit.errors import EngineError

Docker = Callable[[str], Path]

AMD = Machine("amd", "tcp://127.0.0.1:1", "running", "v1", ("linux/amd64", "linux/arm64"), options={"cacert": "/ca"})
ARM = Machine("arm", "tcp://127.0.0.1:2", "running", "v1", ("linux/arm64", "linux/riscv64"))
HEAD = "Name: farm\nDriver: remote\n\nNodes:\n"


def fleet(*machines: Machine, driver: str = "remote") -> Fleet:
    return Fleet(Buildx(os.environ), Builder("farm", driver, machines, created=False, kept=True))


def dead(machine: Machine) -> Machine:
    return Machine(machine.name, machine.endpoint, "inactive", "", machine.platforms[:1], machine.platforms[:1])


def shown(*machines: Machine) -> str:
    """A docker whose buildx shows these machines."""
    nodes = "\n\n".join(
        f"Name: {m.name}\nEndpoint: {m.endpoint}\nStatus: {m.status}\nPlatforms: {', '.join(m.platforms)}"
        for m in machines
    )
    return f"case \"$2\" in inspect) cat <<'END'\n{HEAD}{nodes}\nEND\n;; esac"


def test_with_all_alive_docker_is_not_asked(docker: Docker) -> None:
    calls = docker("exit 1")
    farm = fleet(AMD, ARM)
    assert farm.without_dead() == ""
    assert farm.builder is farm.whole
    assert (farm.home, farm.pinned, farm.uncovered(["linux/arm64"])) == (("linux/amd64",), (), ())
    farm.close()
    assert calls.read_text() == ""


def test_a_machine_that_is_dead_at_the_start_is_left_out(docker: Docker) -> None:
    calls = docker("exit 0")
    farm = fleet(dead(AMD), ARM)
    assert farm.without_dead() == "node amd (tcp://127.0.0.1:1) does not answer: connection refused"
    created = (
        f"buildx create --node arm --name {farm.builder.name} --driver remote --platform linux/arm64,linux/riscv64"
    )
    assert calls.read_text() == f"{created} tcp://127.0.0.1:2\n"
    assert farm.pinned == ("linux/amd64",)
    assert farm.uncovered(()) == ("linux/amd64",)
    assert farm.uncovered(["linux/arm64", "darwin/arm64"]) == ()
    farm.close()
    assert calls.read_text().splitlines()[-1] == f"buildx rm --force --keep-daemon --keep-state {farm.builder.name}"


def test_all_dead_at_the_start(docker: Docker) -> None:
    docker("exit 0")
    with pytest.raises(EngineError, match=r"node amd .* does not answer.*; node arm .* does not answer"):
        fleet(dead(AMD), dead(ARM)).without_dead()


def test_a_machine_that_dies_later_is_noticed_once(docker: Docker) -> None:
    calls = docker(shown(AMD, dead(ARM)))
    farm = fleet(AMD, ARM)
    first = farm.builder
    assert farm.missing(first) == "node arm (tcp://127.0.0.1:2) does not answer: connection refused"
    assert farm.builder.machines[0].name == "amd"
    assert farm.builder.platforms == ("linux/amd64", "linux/arm64")
    assert farm.pinned == ()
    assert farm.uncovered(["linux/arm64"]) == ()
    assert farm.uncovered(["linux/riscv64"]) == ("linux/riscv64",)
    asked = calls.read_text()
    assert "--driver-opt cacert=/ca tcp://127.0.0.1:1" in asked
    assert farm.missing(first) == farm.lost[0], "another stage asks"
    assert calls.read_text() == asked


def test_nobody_is_left_or_nobody_died(docker: Docker) -> None:
    docker(shown(dead(AMD)))
    farm = fleet(AMD)
    assert "node amd" in farm.missing(farm.builder)
    assert farm.builder is farm.whole
    docker(shown(AMD, ARM))
    farm = fleet(AMD, ARM)
    assert farm.missing(farm.builder) == ""
    pods = fleet(AMD, driver="kubernetes")
    assert pods.missing(pods.builder) == ""
