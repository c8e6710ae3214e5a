"""Tags, labels and annotations of pushed images, as the registry holds them."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import pytest
from tests.e2e import support

PREFIX = "org.opencontainers.image."


@pytest.fixture
def tagged(project: Path) -> Path:
    """A checkout at the tag v1.2.3, with an image of two platforms that takes no emulation."""
    (project / "hello").write_text("hello\n")
    (project / "Dockerfile").write_text('FROM scratch AS image\nCOPY hello /\nCMD ["/hello"]\n')
    support.commit(project, "v1.2.3")
    support.git(project, "remote", "add", "origin", "git@github.com:org/app.git")
    return project


def test_several_names_get_all_tags_labels_and_annotations(
    tagged: Path, environment: dict[str, str], builder: str, lab: dict[str, str]
) -> None:
    registry = lab["CI_BUILDKIT_LAB_REGISTRY"]
    names = [f"{kind}-{uuid.uuid4().hex[:8]}" for kind in ("one", "two")]
    words = ["--builder", builder, "--push", "--platform", "linux/amd64,linux/arm64"]
    words += [word for name in names for word in ("--image", f"{registry}/{name}")]
    words += [word for part in ("version", "major") for word in ("--tag", f"type=semver,pattern={{{{{part}}}}}")]
    words += ["--tag", "type=sha,format=long", "--flavor", "suffix=-x,onlatest=true"]
    words += ["--label", "price=${1} %{if}", "--annotation", "index:over=all", "--annotation", "on=each"]
    detached = {**environment, "GITHUB_REF": "refs/tags/v1.2.3"}
    run = support.run(tagged, detached, *words)
    assert run.code == 0, run.output
    sha = support.git(tagged, "rev-parse", "HEAD").strip()
    wanted = {"1.2.3-x", "1-x", f"sha-{sha}-x", "latest-x"}
    assert {name: set(support.tags(lab, name)) for name in names} == dict.fromkeys(names, wanted)
    index, digest = support.manifest(lab, names[0], "latest-x")
    assert support.manifest(lab, names[1], "1-x")[1] == digest
    assert index["annotations"] == {"over": "all"}
    entry = next(e for e in index["manifests"] if support.platform_of(e) == "linux/arm64")
    manifest, _ = support.manifest(lab, names[0], entry["digest"])
    assert manifest["annotations"]["on"] == "each"
    assert manifest["annotations"][f"{PREFIX}revision"] == sha
    labels = json.loads(support.blob(lab, names[0], manifest["config"]["digest"]))["config"]["Labels"]
    assert labels == {
        "price": "${1} %{if}",
        f"{PREFIX}created": support.DATE.replace("Z", ".000Z"),
        f"{PREFIX}revision": sha,
        f"{PREFIX}source": "https://github.com/org/app",
        f"{PREFIX}title": "app",
        f"{PREFIX}url": "https://github.com/org/app",
        f"{PREFIX}version": "1.2.3-x",
    }


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--tag", "type=nothing"), "there is no type 'nothing'"),
        (("--tag", "type=raw,value=" + "x" * 129), "is not a valid tag: it has 129 characters"),
        (("--tag", "type=ref,event=pr"), "no line of --tag made a tag"),
        (
            ("--annotation", "index:a=b", "--platform", "linux/amd64", "--provenance", "false"),
            "is for an index, which an image of one platform without attestations has not",
        ),
    ],
)
def test_nothing_is_pushed_under_a_wrong_name(
    words: tuple[str, ...], reason: str, tagged: Path, environment: dict[str, str], builder: str, lab: dict[str, str]
) -> None:
    name = f"wrong-{uuid.uuid4().hex[:8]}"
    image = f"{lab['CI_BUILDKIT_LAB_REGISTRY']}/{name}"
    run = support.run(tagged, environment, "--builder", builder, "--push", "--image", image, *words)
    assert run.code == 2, run.output
    assert reason in run.output
    assert support.tags(lab, name) == []
