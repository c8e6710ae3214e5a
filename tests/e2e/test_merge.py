"""What machines pushed by digest becomes one image: its platforms, attestations and tags are what the registry holds."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.e2e import support
from tests.e2e.faulty_registry import Fault, serve

from ci_buildkit.pipeline import legs
from ci_buildkit.pipeline.legs import Leg

PLATFORMS = ("linux/amd64", "linux/arm64")
MISSING = f"sha256:{'0' * 64}"


@dataclass(frozen=True)
class Pushed:
    """Images of two platforms that were pushed by digest to one repository."""

    path: str
    name: str
    digests: Mapping[str, str]

    def leg(self, platform: str, **changes: Any) -> Leg:
        """The leg of a platform."""
        values = {
            "stage": "image",
            "name": self.name,
            "digest": self.digests[platform],
            "platforms": (platform,),
            "tags": ("1.2.3", "latest"),
            "annotations": ("manifest:org.opencontainers.image.title=app",),
            "attestations": ("provenance",),
            "version": "v1.2.3",
            "revision": "f" * 40,
        }
        return Leg(**{**values, **changes})


def push(environment: Mapping[str, str], builder: str, folder: Path, name: str, platform: str, *more: str) -> str:
    """Build a tiny image for a platform, with provenance unless it is of Docker's types, and push it by digest."""
    (folder / "Dockerfile").write_text('FROM scratch\nARG TARGETARCH\nCOPY Dockerfile /$TARGETARCH\nCMD ["/none"]\n')
    metadata = folder / "metadata.json"
    output = ",".join((f"type=image,name={name},push-by-digest=true,name-canonical=true,push=true", *more))
    provenance = f"--provenance={'false' if more else 'mode=min'}"
    subprocess.run(
        ["docker", "buildx", "build", "--builder", builder, "--platform", platform, provenance,
         "--output", output, "--metadata-file", str(metadata), str(folder)],
        env=dict(environment), check=True, capture_output=True,
    )  # fmt: skip
    return str(json.loads(metadata.read_text())["containerimage.digest"])


@pytest.fixture
def pushed(environment: dict[str, str], lab: dict[str, str], builder: str, project: Path) -> Pushed:
    path = f"merge/{os.getpid()}/{project.parent.name}".lower().replace("_", "-")
    name = f"{lab['CI_BUILDKIT_LAB_REGISTRY']}/{path}"
    return Pushed(path, name, {p: push(environment, builder, project, name, p) for p in PLATFORMS})


Command = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def merge(environment: dict[str, str], project: Path) -> Command:
    """`ci-buildkit merge WORDS` in an empty folder, without a builder of its own."""
    return lambda *words: support.command(["merge", *words], environment, cwd=project)


def attestations(index: Mapping[str, Any]) -> dict[str, str]:
    """Which manifest each attestation of an index refers to."""
    return {
        entry["digest"]: entry["annotations"]["vnd.docker.reference.digest"]
        for entry in index["manifests"]
        if "vnd.docker.reference.digest" in entry.get("annotations", {})
    }


def test_legs_of_machines_become_one_image(pushed: Pushed, merge: Command, lab: dict[str, str], tmp_path: Path) -> None:
    for platform in PLATFORMS:
        legs.write(tmp_path / "legs" / platform, pushed.leg(platform))
    assert support.tags(lab, pushed.path) == []
    done = merge("--from", str(tmp_path / "legs"), "--expect-platform", ",".join(PLATFORMS), "--annotation", "a=b")
    assert done.returncode == 0, done.stderr
    merged = json.loads(done.stdout)
    index, digest = support.manifest(lab, pushed.path, "1.2.3")
    assert merged == {
        "name": pushed.name,
        "digest": digest,
        "tags": ["1.2.3", "latest"],
        "platforms": list(PLATFORMS),
    }
    assert support.manifest(lab, pushed.path, "latest")[1] == digest
    assert sorted(support.tags(lab, pushed.path)) == ["1.2.3", "latest"]
    assert index["annotations"] == {"org.opencontainers.image.title": "app", "a": "b"}
    images = [entry for entry in index["manifests"] if support.platform_of(entry) in PLATFORMS]
    assert [support.platform_of(entry) for entry in images] == list(PLATFORMS)
    referred = attestations(index)
    assert sorted(referred.values()) == sorted(entry["digest"] for entry in images)
    for attestation in referred:
        layers = support.manifest(lab, pushed.path, attestation)[0]["layers"]
        assert all("slsa.dev/provenance" in layer["annotations"]["in-toto.io/predicate-type"] for layer in layers)


def test_what_runs_of_several_machines_leave_is_joined(
    environment: dict[str, str], lab: dict[str, str], builder: str, project: Path, merge: Command
) -> None:
    path = f"merge/{os.getpid()}/runs"
    name = f"{lab['CI_BUILDKIT_LAB_REGISTRY']}/{path}"
    (project / "Dockerfile").write_text('FROM scratch\nCOPY Dockerfile /\nCMD ["/none"]\n')
    for number, platform in enumerate(PLATFORMS):
        run = support.run(
            project, environment, "--builder", builder, "--platform", platform, "--image", name, "--version", "v1.2.3",
            "--annotation", "a=b", "--provenance", "mode=min", "--push-by-digest", report=f"reports/{number}",
        )  # fmt: skip
        assert run.code == 0, run.output
    assert support.tags(lab, path) == []
    done = merge("--from", str(project.parent / "reports"), "--expect-platform", ",".join(PLATFORMS))
    assert done.returncode == 0, done.stderr
    index, digest = support.manifest(lab, path, "v1.2.3")
    assert json.loads(done.stdout)["digest"] == digest
    assert index["annotations"]["a"] == "b"
    assert len(attestations(index)) == len(PLATFORMS)


def test_the_same_legs_give_the_same_digest_again(pushed: Pushed, merge: Command, lab: dict[str, str]) -> None:
    words = ["--image", pushed.name, "--tag", "1,latest", *pushed.digests.values(), "--immutable-tags"]
    dry = merge(*words, "--dry-run")
    assert support.tags(lab, pushed.path) == []
    first, second = merge(*words), merge(*words)
    assert dry.returncode == first.returncode == second.returncode == 0, dry.stderr + first.stderr + second.stderr
    assert json.loads(dry.stdout) == json.loads(first.stdout) == json.loads(second.stdout)
    other = merge(*words[:4], pushed.digests["linux/arm64"], "--immutable-tags")
    assert other.returncode == 2
    assert "lets no tag move" in other.stderr
    assert support.manifest(lab, pushed.path, "latest")[1] == json.loads(first.stdout)["digest"]


def test_a_platform_is_missing_only_where_it_may(pushed: Pushed, merge: Command, lab: dict[str, str]) -> None:
    words = ["--image", pushed.name, "--tag", "1", pushed.digests["linux/amd64"]]
    expected = [word for platform in PLATFORMS for word in ("--expect-platform", platform)]
    strict = merge(*words, *expected)
    assert strict.returncode == 5
    assert strict.stdout == ""
    assert "lacks linux/arm64" in strict.stderr
    assert support.tags(lab, pushed.path) == []
    lenient = merge(*words, *expected, "--allow-missing")
    assert lenient.returncode == 0, lenient.stderr
    assert "warning: " in lenient.stderr
    assert "goes without linux/arm64" in lenient.stderr
    assert json.loads(lenient.stdout)["platforms"] == ["linux/amd64"]


def test_annotations_that_would_be_lost_are_refused(
    pushed: Pushed, merge: Command, environment: dict[str, str], builder: str, lab: dict[str, str], tmp_path: Path
) -> None:
    digest = push(environment, builder, tmp_path, pushed.name, "linux/amd64", "oci-mediatypes=false")
    words = ["--image", pushed.name, "--tag", "docker", digest]
    refused = merge(*words, "--annotation", "a=b")
    assert refused.returncode == 5
    assert "cannot have annotations" in refused.stderr
    assert support.tags(lab, pushed.path) == []
    assert merge(*words).returncode == 0


def test_a_platform_twice_is_refused(
    pushed: Pushed, merge: Command, environment: dict[str, str], builder: str, lab: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    twin = push(environment, builder, tmp_path / "other", pushed.name, "linux/amd64,linux/s390x")
    done = merge("--image", pushed.name, "--tag", "1", *pushed.digests.values(), twin)
    assert done.returncode == 5
    assert "linux/amd64 twice" in done.stderr
    assert support.tags(lab, pushed.path) == []


def test_legs_of_several_images_are_joined_together(
    pushed: Pushed, merge: Command, lab: dict[str, str], tmp_path: Path
) -> None:
    for platform in PLATFORMS:
        legs.write(tmp_path / "legs", pushed.leg(platform))
    legs.write(tmp_path / "legs", pushed.leg("linux/arm64", stage="other", tags=("other",)))
    done = merge("--from", str(tmp_path / "legs"))
    assert done.returncode == 0, done.stderr
    assert [image["tags"] for image in json.loads(done.stdout)] == [["1.2.3", "latest"], ["other"]]
    assert sorted(support.tags(lab, pushed.path)) == ["1.2.3", "latest", "other"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"revision": "0" * 40}, "contradict each other: the revision is"),
        ({"version": "v2"}, "contradict each other: the version is"),
        ({"digest": MISSING}, "the registry does not hold"),
    ],
)
def test_legs_that_make_no_image_move_no_tag(
    changes: dict[str, Any], reason: str, pushed: Pushed, merge: Command, lab: dict[str, str], tmp_path: Path
) -> None:
    legs.write(tmp_path / "legs", pushed.leg("linux/amd64"))
    legs.write(tmp_path / "legs", pushed.leg("linux/arm64", **changes))
    done = merge("--from", str(tmp_path / "legs"))
    assert done.returncode == 5
    assert done.stdout == ""
    assert reason in done.stderr
    assert support.tags(lab, pushed.path) == []


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        ((), 2, "takes either digests or --from"),
        (("--from", ".", MISSING), 2, "takes either digests or --from"),
        ((MISSING, "--tag", "1"), 2, "belong to one image"),
        (("--image", "localhost:1/a", MISSING), 2, "would get no tag"),
        (("--image", "localhost:1/a", "--tag", "1", "latest"), 2, "is no digest"),
        (("--from", "."), 5, "there is no *.leg.json"),
        (("--image", "localhost:1/a", "--tag", "1", MISSING, "--builder", "nobody"), 4, "no builder"),
    ],
)
def test_wrong_usage_is_said(words: tuple[str, ...], code: int, reason: str, merge: Command) -> None:
    done = merge(*words)
    assert (done.returncode, done.stdout) == (code, ""), done.stderr
    assert reason in done.stderr


def test_what_a_registry_does_another_time_is_tried_again(pushed: Pushed, merge: Command, lab: dict[str, str]) -> None:
    with serve(lab["CI_BUILDKIT_LAB_REGISTRY"]) as proxy:
        script = proxy.play(
            Fault("HEAD", "/manifests/", "500"), Fault("GET", "/manifests/", "drop", after=3),
            Fault("PUT", "/manifests/sha256", "429"), Fault("PUT", "/manifests/1", "drop"),
        )  # fmt: skip
        done = merge("--image", f"{proxy.address}/{pushed.path}", "--tag", "1,latest", *pushed.digests.values())
    assert done.returncode == 0, done.stderr
    assert not any(fault.times for fault in script.faults), script.seen
    assert sorted(support.tags(lab, pushed.path)) == ["1", "latest"]


def test_no_tag_moves_where_an_image_cannot_be_put(
    pushed: Pushed, merge: Command, lab: dict[str, str], tmp_path: Path
) -> None:
    with serve(lab["CI_BUILDKIT_LAB_REGISTRY"]) as proxy:
        name = f"{proxy.address}/{pushed.path}"
        for platform in PLATFORMS:
            legs.write(tmp_path / "legs", pushed.leg(platform, name=name))
            legs.write(tmp_path / "legs", pushed.leg(platform, name=name, stage="other", annotations=("a=b",)))
        proxy.play(Fault("PUT", "/manifests/sha256", "403", times=100, after=1))  # the second index
        done = merge("--from", str(tmp_path / "legs"))
    assert done.returncode == 4
    assert (done.stdout, support.tags(lab, pushed.path)) == ("", [])
