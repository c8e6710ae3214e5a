"""Nodes as `--node`, `--driver` and `--driver-opt` say them, and the words that make them."""

from __future__ import annotations

from pathlib import Path

import pytest

from ci_buildkit.engine.nodes import KUBERNETES, OPTIONS, Node, create_words, nodes
from ci_buildkit.errors import ConfigurationError


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Certificates in the working directory."""
    monkeypatch.chdir(tmp_path)
    for name in ("ca", "cert", "key"):
        (tmp_path / name).touch()


@pytest.mark.usefixtures("files")
def test_a_remote_node_with_certificates() -> None:
    text = 'name=Arm, endpoint=tcp://h:1,platforms=linux/arm64; linux/arm/v7,cacert=ca,cert=cert,"key=key",servername=s'
    [node] = nodes("remote", [text], {})
    assert (node.name, node.endpoint, node.platforms) == ("arm", "tcp://h:1", ("linux/arm64", "linux/arm/v7"))
    here = Path().absolute()
    keys = {"cacert": f"{here}/ca", "cert": f"{here}/cert", "key": f"{here}/key", "servername": "s"}
    assert dict(node.options) == keys


def test_without_nodes_there_is_one_with_the_shared_options() -> None:
    assert nodes("docker-container", (), {"network": "host"}) == (Node(options={"network": "host"}),)


def test_options_of_another_driver_that_hold_for_a_whole_machine_are_left_aside() -> None:
    [node] = nodes("remote", ["endpoint=tcp://h:1,default-load=true"], {"network": "host", "env.A": "b"})
    assert node.options == {"default-load": "true"}


def test_a_nodes_own_options_win() -> None:
    a, b = nodes("docker-container", ["name=a,endpoint=x,memory=2g", "name=b"], {"memory": "1g", "env.A": "1"})
    assert a.options == {"memory": "2g", "env.A": "1"}
    assert b.options == {"memory": "1g", "env.A": "1"}


@pytest.mark.parametrize(
    ("driver", "texts", "said", "hint"),
    [
        ("remote", [], "--driver remote needs --node", "name=arm"),
        ("remote", [""], "--node is empty", ""),
        ("remote", ["name"], "not of the form KEY=VALUE", "double quotes"),
        ("remote", ["name=a"], "--node 'a': endpoint: it is missing", "tcp://"),
        ("remote", ["endpoint=10.0.0.1:1234"], "endpoint: buildx cannot dial", "tcp://"),
        ("remote", ["endpoint=http://x"], "endpoint: buildx cannot dial", "tcp://"),
        ("remote", ["endpoint=tcp://x"], "endpoint: buildx cannot dial", "tcp://HOST:PORT"),
        ("remote", ["endpoint=tcp://x:99999"], "endpoint: buildx cannot dial", "tcp://HOST:PORT"),
        ("remote", ["endpoint=tcp://[::1"], "endpoint: buildx cannot dial", "tcp://HOST:PORT"),
        ("remote", ["endpoint=tcp://x:1\nname=a"], "--node: it is not one line", "double quotes"),
        ("remote", ["endpont=tcp://x:1"], "unknown key 'endpont'", "did you mean 'endpoint'?"),
        ("remote", ["endpoint=tcp://x:1,ca-cert=x"], "unknown key 'ca-cert'", "did you mean 'cacert'?"),
        ("remote", ["endpoint=tcp://x:1,env.A=b"], "unknown key 'env.A'", "known: name, endpoint"),
        ("remote", ["endpoint=tcp://x:1,cacert=no"], "cacert: there is no file", ""),
        ("remote", ["endpoint=tcp://x:1,cert=a"], "cert: cacert and key must be there", ""),
        ("remote", ["endpoint=tcp://x:1,servername=a"], "servername: cacert must be there", ""),
        ("remote", ["name=a,name=b"], "name is there twice", ""),
        ("remote", ["name=1a,endpoint=tcp://x:1"], "name: it begins with a letter", ""),
        ("remote", ["name=a,endpoint=tcp://x:1,platforms=arm64"], "platforms: 'arm64' is not a platform", "OS/ARCH"),
        ("remote", ["name=a,endpoint=tcp://x:1", "name=a,endpoint=tcp://y:1"], "two nodes have the name 'a'", ""),
        ("remote", ["endpoint=tcp://x:1", "endpoint=tcp://x:1"], "two nodes have the endpoint 'tcp://x:1'", ""),
        ("docker-container", ["name=a", "name=b"], "two nodes have no endpoint", ""),
        ("docker-container", ["name=a,netwerk=host"], "unknown key 'netwerk'", "did you mean 'network'?"),
        ("kubernetes", ["name=a,endpoint=tcp://x:1"], "endpoint: the driver kubernetes has none", "KUBECONFIG"),
        ("kubernetes", ["name=a,env.=x"], "unknown key 'env.'", ""),
    ],
)
def test_mistakes_are_named_with_their_node_and_key(driver: str, texts: list[str], said: str, hint: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        nodes(driver, texts, {})
    assert said in caught.value.message
    assert hint in caught.value.hint


def test_an_option_that_no_driver_has_is_a_mistake() -> None:
    with pytest.raises(ConfigurationError, match="--driver-opt: unknown key 'netwrk'") as caught:
        nodes("docker-container", (), {"netwrk": "host"})
    assert caught.value.hint == "did you mean 'network'?"


# Every option of the driver kubernetes (docker/buildx driver/kubernetes/factory.go), with a value like its own.
OF_KUBERNETES = {
    "image": "moby/buildkit:v0.34.2", "namespace": "ci", "replicas": "2", "requests.cpu": "100m",
    "requests.memory": "1Gi", "requests.ephemeral-storage": "1Gi", "persistent-volume-claim.requests.storage": "9Gi",
    "limits.cpu": "2", "limits.memory": "2Gi", "limits.ephemeral-storage": "2Gi", "rootless": "true",
    "schedulername": "s", "serviceaccount": "a", "nodeselector": "kubernetes.io/arch=arm64,x=y", "annotations": "a=b",
    "labels": "c=d,e=f", "tolerations": "key=k,value=v;key=l,operator=Exists", "loadbalance": "sticky",
    "qemu.install": "true", "qemu.image": "q", "buildkit-root-volume-memory": "1Gi", "default-load": "false",
    "timeout": "120s", "env.A": "b",
}  # fmt: skip


def test_all_options_of_kubernetes_reach_buildx_as_they_are() -> None:
    assert {*OF_KUBERNETES, "env.A"} == {*OPTIONS[KUBERNETES], "env.A"}
    fields = [f'"{key}={value}"' for key, value in OF_KUBERNETES.items()]
    [node] = nodes(KUBERNETES, [",".join(["name=arm", "platforms=linux/arm64", *fields])], {})
    words = create_words(KUBERNETES, "k8s", node, append=False, config=Path("buildkitd.toml"))
    assert words[:8] == [
        *("--name", "k8s", "--driver", "kubernetes", "--node", "k8s-arm", "--platform", "linux/arm64"),
    ]  # fmt: skip
    assert words[-2:] == ["--buildkitd-config", "buildkitd.toml"]
    given = words[9:-2:2]
    assert words[8:-2:2] == ["--driver-opt"] * len(OF_KUBERNETES)
    quoted = {"nodeselector", "labels", "tolerations"}
    assert given == [f'"{k}={v}"' if k in quoted else f"{k}={v}" for k, v in OF_KUBERNETES.items()]
