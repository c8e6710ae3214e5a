"""Machines as buildx shows them, and which builds what."""

from __future__ import annotations

from ci_buildkit.engine import machines
from ci_buildkit.engine.machines import Machine

# Printed by buildx 0.38.2 of two buildkitd, one of them killed; GC rules, labels and files shortened.
LISTED = r"""Name:          farm
Driver:        remote
Last Activity: 2026-11-25 12:39:47 +0000 UTC

Nodes:
Name:             amd
Endpoint:         tcp://10.77.53.2:1234
Driver Options:   cacert="/a \"b\"/ca.pem" key="/x=y.pem" servername="amd"
Status:           running
BuildKit version: v0.34.2
Platforms:        linux/amd64*, linux/amd64/v2, linux/arm64, linux/386
Labels:
 org.mobyproject.buildkit.worker.hostname:         vm
GC Policy rule#0:
 All:            false
 Keep Duration:  48h0m0s
File#buildkitd.toml:
 > Name: trap

Name:           arm
Endpoint:       tcp://10.77.54.2:1234
Driver Options: servername="arm"
Status:         inactive
Platforms:      linux/arm64*
"""


def test_what_buildx_prints() -> None:
    assert machines.driver(LISTED) == "remote"
    amd, arm = machines.read(LISTED)
    assert (amd.name, amd.endpoint, amd.status, amd.buildkit) == ("amd", "tcp://10.77.53.2:1234", "running", "v0.34.2")
    assert amd.options == {"cacert": '/a "b"/ca.pem', "key": "/x=y.pem", "servername": "amd"}
    assert amd.platforms == ("linux/amd64", "linux/amd64/v2", "linux/arm64", "linux/386")
    assert amd.fixed == ("linux/amd64",)
    assert (amd.alive, arm.alive) == (True, False)
    assert amd.native == ("linux/amd64", "linux/amd64/v2", "linux/386")
    assert arm.shown == "arm (tcp://10.77.54.2:1234)"


def test_a_node_that_could_not_be_asked() -> None:
    [node] = machines.read(
        "Name: b\nDriver: docker-container\n\nNodes:\nName: b0\nEndpoint: ssh://x\nError: no route\n"
    )
    assert (node.error, node.alive) == ("no route", False)


def test_nothing_at_all() -> None:
    assert machines.read("") == ()
    assert machines.driver("") == ""
    assert Machine("x").native == ()


def machine(name: str, *platforms: str) -> Machine:
    return Machine(name, status="running", platforms=platforms)


def test_the_32_bit_platform_is_native_beside_amd64_only() -> None:
    assert machine("a", "linux/arm64", "linux/386", "linux/arm/v7").native == ("linux/arm64",)


AMD = machine("amd", "linux/amd64", "linux/amd64/v2", "linux/arm64", "linux/s390x", "linux/386")
ARM = machine("arm", "linux/arm64", "linux/amd64", "linux/riscv64")


def test_every_platform_is_built_where_it_is_native_else_by_the_first_that_can() -> None:
    assert machines.assigned([AMD, ARM], {}) == {
        "amd": ("linux/amd64", "linux/amd64/v2", "linux/386", "linux/s390x"), "arm": ("linux/arm64", "linux/riscv64"),
    }  # fmt: skip
    assert machines.assigned([ARM, AMD], {})["amd"][0] == "linux/amd64"
    assert machines.assigned([AMD, machine("second", "linux/amd64")], {})["second"] == ()


def test_the_users_wish_comes_first_and_native_decides_between_two_wishes() -> None:
    assert "linux/arm64" in machines.assigned([AMD, ARM], {"amd": ["linux/arm64"]})["amd"]
    both = {"amd": ["linux/arm64"], "arm": ["linux/arm64"]}
    assert "linux/arm64" in machines.assigned([AMD, ARM], both)["arm"]
    assert "darwin/arm64" in machines.assigned([AMD, ARM], {"arm": ["darwin/arm64"]})["arm"]
