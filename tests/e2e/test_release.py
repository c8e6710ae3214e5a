"""Images as a registry or a folder really holds them: their order of release, their record, and the same again."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.e2e import support
from tests.e2e.support import Run

from ci_buildkit.engine import layout
from ci_buildkit.pipeline import legs

PLATFORMS = ("linux/amd64", "linux/arm64")
PROVENANCE = "https://slsa.dev/provenance/"


@pytest.fixture
def name() -> str:
    """A repository that nobody has pushed to."""
    return f"e2e-{os.getpid()}/release-{secrets.token_hex(4)}"


def write(project: Path, content: str = "1") -> None:
    """An image without base, so that no platform is emulated."""
    (project / "content").write_text(content)
    (project / "Dockerfile").write_text('FROM scratch AS app\nCOPY content /content\nCMD ["x"]\n')


def release(
    project: Path,
    environment: dict[str, str],
    builder: str,
    *words: str,
    platforms: tuple[str, ...] = PLATFORMS,
    report: str = "ci-report",
) -> Run:
    """`ci-buildkit run` for some platforms."""
    flags = ("--builder", builder, "--platform", ",".join(platforms))
    return support.run(project, environment, *flags, *words, report=report)


def by_platform(lab: dict[str, str], name: str, reference: str) -> dict[str, str]:
    """The images of an index in the lab's registry."""
    index, _ = support.manifest(lab, name, reference)
    return {support.platform_of(entry): entry["digest"] for entry in index["manifests"] if "annotations" not in entry}


def sizes(lab: dict[str, str], name: str, digest: str) -> int:
    """Bytes of an image's configuration and layers."""
    image, _ = support.manifest(lab, name, digest)
    return sum(part["size"] for part in (image["config"], *image["layers"]))


def test_the_record_is_what_every_registry_holds_and_the_same_is_not_pushed_again(
    project: Path, environment: dict[str, str], builder: str, lab: dict[str, str], name: str
) -> None:
    write(project)
    host = lab["CI_BUILDKIT_LAB_REGISTRY"]
    (project / "docker-bake.json").write_text(
        json.dumps({"target": {"app": {"tags": [f"{host}/{name}/{own}" for own in ("a:1", "b:1", "a:2")]}}})
    )
    support.commit(project, "v1.0.0")
    run = release(project, environment, builder, "--push", "--provenance", "mode=max")
    assert run.code == 0, run.output
    for image, own, tags in zip(run.record["images"], ("a", "b"), (["1", "2"], ["1"]), strict=True):
        assert (image["name"], image["tags"]) == (f"{host}/{name}/{own}", tags)
        assert sorted(support.tags(lab, f"{name}/{own}")) == tags
        assert {support.manifest(lab, f"{name}/{own}", tag)[1] for tag in tags} == {image["digest"]}
        found = by_platform(lab, f"{name}/{own}", tags[0])
        assert {entry["platform"]: entry["digest"] for entry in image["manifests"]} == found
        assert image["platforms"] == list(PLATFORMS)
        assert [m["size"] for m in image["manifests"]] == [
            sizes(lab, f"{name}/{own}", m["digest"]) for m in image["manifests"]
        ]
        assert (image["attestations"], image["pushed"], image["unchanged"]) == (["provenance"], True, False)
    again = release(project, environment, builder, "--push", "--provenance", "mode=max", "--no-cache", report="again")
    assert again.code == 0, again.output
    assert "# pushing" not in again.log("app")
    assert [image["unchanged"] for image in again.record["images"]] == [True, True]
    assert [i["digest"] for i in again.record["images"]] == [i["digest"] for i in run.record["images"]]
    without = release(project, environment, builder, "--push", "--provenance", "false")
    assert without.code == 0, without.output
    assert [(i["attestations"], i["unchanged"], i["pushed"]) for i in without.record["images"]] == [
        ([], False, True)
    ] * 2


def test_what_an_image_is_when_it_is_pushed_is_found_out_once(
    project: Path, environment: dict[str, str], builder: str, lab: dict[str, str], name: str, tmp_path: Path
) -> None:
    write(project, name)
    support.commit(project, "v1.0.0")
    image = f"{lab['CI_BUILDKIT_LAB_REGISTRY']}/{name}"
    words = ("--push", "--image", image, "--provenance", "mode=max")
    first = release(project, environment, builder, *words)
    assert (first.code, first.record["images"][0]["unchanged"]) == (0, False), first.output
    own = {**environment, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    for surroundings, asked in ((environment, False), (own, True), (own, False)):
        again = release(project, surroundings, builder, *words, report="again")
        assert again.code == 0, again.output
        assert ("# what would be pushed" in again.log("app")) == asked
        assert again.record["images"] == [{**first.record["images"][0], "unchanged": True}]
    write(project, f"{name}, changed")
    changed = release(project, own, builder, *words, "--version", "v1.0.0", report="changed")
    assert (changed.code, changed.record["images"][0]["unchanged"]) == (0, False), changed.output
    assert changed.record["images"][0]["manifests"] != first.record["images"][0]["manifests"]


def test_two_clean_runs_give_the_same_images(project: Path, environment: dict[str, str], builder: str) -> None:
    (project / "Dockerfile").write_text(
        f"FROM alpine AS app\nRUN mkdir /x && date >/x/touched && echo {secrets.token_hex(4)} >/x/touched\nCOPY . /src\n"
        'CMD ["x"]\n'
    )
    support.commit(project)
    runs = [
        release(project, environment, builder, "--no-cache", report=f"r{number}", platforms=PLATFORMS[:1])
        for number in range(2)
    ]
    assert [run.code for run in runs] == [0, 0], runs[0].output
    first, second = (run.record["images"][0] for run in runs)
    assert first["manifests"] == second["manifests"] != []


def test_a_tag_that_must_not_move_ends_the_release_before_anything_is_pushed(
    project: Path, environment: dict[str, str], builder: str, lab: dict[str, str], name: str
) -> None:
    words = ("--push", "--immutable-tags", "--image", f"{lab['CI_BUILDKIT_LAB_REGISTRY']}/{name}", "--version", "1.0")
    write(project)
    support.commit(project)
    first = release(project, environment, builder, *words)
    assert first.code == 0, first.output
    same = release(project, environment, builder, *words)
    assert (same.code, same.record["images"][0]["unchanged"]) == (0, True), same.output
    write(project, "2")
    other = release(project, environment, builder, *words, report="other")
    assert other.code == 2, other.output
    [was], [built] = same.record["images"], other.record["images"]
    assert f"{was['name']}:1.0 is {was['digest']} already, {built['digest']} was built" in other.output
    assert "# pushing" not in other.log("app")
    assert not built["pushed"]
    assert support.manifest(lab, name, "1.0")[1] == was["digest"]


def test_a_push_by_digest_leaves_legs_and_no_tag(
    project: Path, environment: dict[str, str], builder: str, lab: dict[str, str], name: str
) -> None:
    write(project)
    support.commit(project, "v1.0.0")
    image = f"{lab['CI_BUILDKIT_LAB_REGISTRY']}/{name}"
    run = release(
        project, environment, builder, "--push-by-digest", "--image", image, "--provenance", "false",
        platforms=("linux/arm64",),
    )  # fmt: skip
    assert run.code == 0, run.output
    [leg] = legs.read(run.folder / "digests")
    [record] = run.record["images"]
    assert (leg.name, leg.digest, leg.platforms, leg.tags) == (image, record["digest"], ("linux/arm64",), ("v1.0.0",))
    assert (record["tags"], record["pushed"], record["manifests"][0]["digest"]) == ([], True, record["digest"])
    assert support.tags(lab, name) == []
    manifest, _ = support.manifest(lab, name, record["digest"])
    assert "manifests" not in manifest  # of one platform, without attestations: no index


def test_an_image_that_is_not_pushed_is_kept_whole(
    project: Path, environment: dict[str, str], builder: str, name: str
) -> None:
    write(project)
    (project / "docker-bake.json").write_text(
        json.dumps({"target": {"app": {"tags": [f"host/{name}:1", f"host/{name}:2"], "attest": ["type=provenance,mode=max"]}}})
    )  # fmt: skip
    run = release(project, environment, builder)
    assert run.code == 0, run.output
    [image] = run.record["images"]
    assert (image["layout"], image["pushed"], image["attestations"]) == ("images/app", False, ["provenance"])
    held = layout.read(run.folder / image["layout"])
    assert (held.digest, list(held.platforms)) == (image["digest"], list(PLATFORMS))
    assert all(m.predicates[0].startswith(PROVENANCE) for m in held.manifests)
    subprocess.run(
        ["docker", "buildx", "bake", "--builder", builder, "-f", str(run.folder / "bake.json"), "app"],
        cwd=project, env={**environment, "BUILDX_BAKE_ENTITLEMENTS_FS": "0"}, check=True, capture_output=True,
    )  # fmt: skip
    by_hand = layout.read(project / "bake-out" / "app")
    assert [m.digest for m in by_hand.manifests] == [m.digest for m in held.manifests]
    off = release(project, environment, builder, "--no-oci-layout")
    assert off.record["images"][0]["layout"] is None
    assert not (off.folder / "images").exists()


@pytest.fixture
def two_machines(environment: dict[str, str]) -> Iterator[str]:
    """A builder of two machines, of which each has a platform of its own."""
    name = f"e2e-two-{os.getpid()}"
    options = f"image={environment['CI_BUILDKIT_BUILDER_IMAGE']},{environment['CI_BUILDKIT_BUILDER_DRIVER_OPTS']}"
    create = ["docker", "buildx", "create", "--name", name, "--driver", "docker-container", "--driver-opt", options]
    create += ["--buildkitd-config", environment["CI_BUILDKIT_BUILDKITD_CONFIG"], "--bootstrap"]
    host = environment["DOCKER_HOST"]

    def call(*words: str) -> None:
        subprocess.run(words, env=environment, check=True, capture_output=True)

    call(*create, "--platform", PLATFORMS[0], host)
    try:
        # buildx takes no endpoint twice, so that it is written another way.
        call(*create, "--append", "--platform", PLATFORMS[1], host.replace("/docker.sock", "/./docker.sock"))
        yield name
    finally:
        call("docker", "buildx", "rm", "--force", name)


def test_several_machines_push_one_image_and_no_tag_beside_its_own(
    project: Path, environment: dict[str, str], two_machines: str, lab: dict[str, str], name: str
) -> None:
    write(project)
    support.commit(project)
    image = f"{lab['CI_BUILDKIT_LAB_REGISTRY']}/{name}"
    kept = release(project, environment, two_machines)
    assert kept.code == 0, kept.output
    assert "no OCI layout is kept of app: a builder of several machines makes none" in kept.output
    words = ("--push", "--image", image, "--version", "1.0")
    both = release(project, environment, two_machines, *words)
    assert both.code == 0, both.output
    assert support.tags(lab, name) == ["1.0"]
    assert list(by_platform(lab, name, "1.0")) == list(PLATFORMS)
    write(project, "2")
    one = release(project, environment, two_machines, *words, platforms=PLATFORMS[1:])
    assert one.code == 0, one.output
    record: dict[str, Any] = one.record["images"][0]
    assert (record["platforms"], support.tags(lab, name)) == ([PLATFORMS[1]], ["1.0"])
    assert support.manifest(lab, name, "1.0")[1] == record["digest"]
