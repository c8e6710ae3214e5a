"""Builders as docker lists them, made and refused."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ci_buildkit.engine import builder
from ci_buildkit.engine.builder import Wanted
from ci_buildkit.engine.buildx import Buildx
from ci_buildkit.engine.nodes import Node
from ci_buildkit.errors import ConfigurationError, EngineError

Docker = Callable[[str], Path]

INSPECTED = """\
Name:          mine
Driver:        docker-container
Last Activity: 2026-01-02 03:04:05 +0000 UTC

Nodes:
Name:                  mine0
Endpoint:              unix:///var/run/docker.sock
Driver Options:        network="host"
Status:                running
BuildKit daemon flags: --allow-insecure-entitlement=network.host
BuildKit version:      v0.34.2
Platforms:             linux/amd64*, linux/amd64/v2, linux/amd64/v3, linux/arm64, linux/386, linux/arm/v7
Labels:
 org.mobyproject.buildkit.worker.executor: oci
"""


def inspecting(text: str) -> str:
    """A docker that knows one builder."""
    return f'case "$1 $2" in "buildx inspect") cat <<\'END\'\n{text}\nEND\n;; esac'


def test_a_builder_of_that_name_is_taken_as_it_is(docker: Docker) -> None:
    calls = docker(inspecting(INSPECTED))
    found = builder.ensure(Buildx(os.environ), Wanted("mine"))
    assert found.name == "mine"
    assert (found.driver, found.buildkit, found.created, found.kept) == ("docker-container", "v0.34.2", False, True)
    assert found.platforms[0] == "linux/amd64"
    assert found.platforms[-1] == "linux/arm/v7"
    assert found.native == ("linux/amd64", "linux/amd64/v2", "linux/amd64/v3", "linux/386")
    assert calls.read_text() == "buildx inspect mine\n"


def test_a_stopped_builder_is_booted(docker: Docker) -> None:
    stopped = INSPECTED.replace("running", "stopped")
    calls = docker(
        f"case \"$*\" in *--bootstrap*) cat <<'END'\n{INSPECTED}\nEND\n;; *) cat <<'END'\n{stopped}\nEND\n;; esac"
    )
    assert builder.ensure(Buildx(os.environ), Wanted("mine")).buildkit == "v0.34.2"
    assert "buildx inspect --bootstrap mine" in calls.read_text()


def test_no_such_builder_is_none_and_trouble_is_trouble(docker: Docker) -> None:
    docker("echo 'ERROR: no builder \"mine\" found' >&2; exit 1")
    assert builder.inspect(Buildx(os.environ), "mine") is None
    docker("echo 'ERROR: Cannot connect to the Docker daemon at x' >&2; exit 1")
    with pytest.raises(EngineError):
        builder.inspect(Buildx(os.environ), "mine")


def test_a_configuration_that_does_not_exist_is_found_before_docker_is_asked(docker: Docker) -> None:
    calls = docker("exit 0")
    with pytest.raises(ConfigurationError, match=r"no\.toml does not exist"):
        builder.create(Buildx(os.environ), Wanted(config=Path("no.toml")))
    assert calls.read_text() == ""


def test_a_builder_is_made_with_its_owner_its_options_and_unlimited_logs(docker: Docker, tmp_path: Path) -> None:
    calls = docker(inspecting(INSPECTED))
    config = tmp_path / "buildkitd.toml"
    config.touch()
    made = builder.create(
        Buildx(os.environ),
        Wanted(None, "moby/x", config, nodes=(Node(options={"network": "host", "env.NO_PROXY": "a,b"}),)),
    )
    assert made.name.startswith("ci-buildkit-")
    assert (made.created, made.kept) == (True, False)
    created = next(line for line in calls.read_text().splitlines() if line.startswith("buildx create"))
    for words in ("--bootstrap", "--driver docker-container", f"--name {made.name}", f"--buildkitd-config {config}"):
        assert words in created
    for option in ("image=moby/x", "network=host", '"env.NO_PROXY=a,b"'):
        assert f"--driver-opt {option}" in created
    assert "env.BUILDKIT_STEP_LOG_MAX_SIZE=-1" in created
    assert "env.CI_BUILDKIT_OWNER=" in created
    named = builder.create(Buildx(os.environ), Wanted("mine"))
    assert named.kept
    assert "OWNER" not in calls.read_text().splitlines()[-2]


def test_a_builder_that_does_not_boot_is_taken_away(docker: Docker) -> None:
    calls = docker("case \"$*\" in *create*) echo 'ERROR: no such image' >&2; exit 1;; esac")
    with pytest.raises(EngineError) as caught:
        builder.create(Buildx(os.environ), Wanted("mine"))
    assert "the builder could not be made: no such image" in caught.value.message
    assert "--builder-image" in caught.value.hint
    assert calls.read_text().splitlines()[-1] == "buildx rm --force mine"


def test_a_builder_that_another_run_makes_at_the_same_time_is_not_taken_away(docker: Docker) -> None:
    said = 'ERROR: existing instance for "mine" but no append mode'
    calls = docker(f"case \"$*\" in *create*) echo '{said}' >&2; exit 1;; esac\n{inspecting(INSPECTED)}")
    made = builder.create(Buildx(os.environ), Wanted("mine"))
    assert (made.name, made.created, made.kept) == ("mine", False, True)
    assert "rm" not in calls.read_text()


def test_all_builders_are_listed_with_the_platforms_of_their_nodes(docker: Docker) -> None:
    lines = [
        {"Name": "a", "Driver": "docker-container", "Nodes": [
            {"Status": "running", "Platforms": ["linux/amd64"]}, {"Status": "stopped", "Platforms": ["linux/arm64"]},
        ]},
        {"Name": "b", "Driver": "docker", "Nodes": None},
    ]  # fmt: skip
    docker("cat <<'END'\n" + "\n".join(map(json.dumps, lines)) + "\nEND")
    assert builder.listed(Buildx(os.environ)) == [
        {"name": "a", "driver": "docker-container", "status": "running", "platforms": ["linux/amd64", "linux/arm64"]},
        {"name": "b", "driver": "docker", "status": "inactive", "platforms": []},
    ]


def listing(driver: str, *nodes: str) -> str:
    """What `docker buildx inspect` prints of a builder with these nodes."""
    return f"Name: farm\nDriver: {driver}\n\nNodes:\n" + "\n\n".join(nodes)


def node(name: str, status: str, platforms: str) -> str:
    return f"Name: {name}\nEndpoint: tcp://{name}:1\nStatus: {status}\nBuildKit version: v1\nPlatforms: {platforms}"


AMD = node("amd", "running", "linux/amd64, linux/amd64/v2, linux/arm64")
ARM = node("arm", "running", "linux/arm64, linux/amd64")
FARM = (Node("amd", "tcp://amd:1"), Node("arm", "tcp://arm:1", ("linux/arm64",), {"default-load": "false"}))


def test_a_builder_of_several_machines_builds_each_platform_where_it_is_native(docker: Docker) -> None:
    calls = docker(inspecting(listing("remote", AMD, ARM)))
    made = builder.create(Buildx(os.environ), Wanted("farm", driver="remote", image="moby/x", nodes=FARM))
    assert calls.read_text().splitlines() == [
        "buildx create --name farm --driver remote --node amd tcp://amd:1",
        "buildx create --name farm --append --node arm --driver-opt default-load=false tcp://arm:1",
        "buildx inspect farm",
        "buildx create --name farm --node amd --platform linux/amd64,linux/amd64/v2 tcp://amd:1",
        "buildx create --name farm --node arm --platform linux/arm64 tcp://arm:1",
    ]
    assert made.platforms == ("linux/amd64", "linux/amd64/v2", "linux/arm64")
    assert made.native == ("linux/amd64", "linux/amd64/v2", "linux/arm64")


def test_machines_of_docker_are_booted_together_under_names_of_their_own(docker: Docker) -> None:
    calls = docker(inspecting(listing("docker-container", AMD, ARM)))
    wanted = Wanted("Farm", "moby/x", nodes=(Node("a"), Node("b", "ssh://b", options={"image": "own"})))
    builder.create(Buildx(os.environ), wanted)
    first, second = calls.read_text().splitlines()[:2]
    logs = "--driver-opt env.BUILDKIT_STEP_LOG_MAX_SIZE=-1 --driver-opt env.BUILDKIT_STEP_LOG_MAX_SPEED=-1"
    assert (
        first == f"buildx create --name Farm --driver docker-container --node farm-a {logs} --driver-opt image=moby/x"
    )
    assert (
        second == f"buildx create --name Farm --append --node farm-b {logs} --driver-opt image=own ssh://b --bootstrap"
    )


def test_a_node_that_cannot_be_made_leaves_nothing_behind(docker: Docker) -> None:
    calls = docker("case \"$*\" in *--append*) echo 'ERROR: bad endpoint' >&2; exit 1;; esac")
    with pytest.raises(EngineError, match="bad endpoint"):
        builder.create(Buildx(os.environ), Wanted("farm", driver="remote", nodes=FARM))
    assert calls.read_text().splitlines()[-1] == "buildx rm --force farm"


DEAD = "Name: arm\nEndpoint: unix:///nowhere\nStatus: inactive\nPlatforms: linux/arm64*"


def test_a_silent_machine_is_named_and_refused_for_a_builder_that_stays(docker: Docker) -> None:
    calls = docker(inspecting(listing("remote", AMD, DEAD)))
    with pytest.raises(EngineError, match=r"node arm \(unix:///nowhere\) does not answer"):
        builder.create(Buildx(os.environ), Wanted("farm", driver="remote", nodes=FARM))
    assert calls.read_text().splitlines()[-1] == "buildx rm --force farm"
    made = builder.create(Buildx(os.environ), Wanted(driver="remote", nodes=FARM))
    assert [machine.name for machine in made.dead] == ["arm"]
    assert made.platforms == ("linux/amd64", "linux/amd64/v2", "linux/arm64")
    assert "--bootstrap" not in calls.read_text(), "buildx would wait for it"


def test_pods_are_placed_by_kubernetes(docker: Docker) -> None:
    calls = docker(inspecting(listing("kubernetes", AMD, ARM)))
    options = {"namespace": "ci", "nodeselector": "a=b,c=d"}
    wanted = Wanted("k", driver="kubernetes", nodes=(Node(options=options), Node("arm", "", ("linux/arm64",))))
    builder.create(Buildx(os.environ), wanted)
    lines = [line for line in calls.read_text().splitlines() if "create" in line]
    assert len(lines) == 2
    assert lines[0].endswith('--driver-opt namespace=ci --driver-opt "nodeselector=a=b,c=d"')
    assert "--append --node k-arm --platform linux/arm64" in lines[1]
