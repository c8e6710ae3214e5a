"""Signatures by the real cosign with a key, in the lab's registry: what verifies, what does not, and what moves no tag."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.e2e import support

from ci_buildkit.engine.cosign import Cosign, Signing
from ci_buildkit.engine.process import Cancellation
from ci_buildkit.errors import OutputError

PASSWORD = "correct horse battery"
DOCKERFILE = 'FROM scratch\nARG TARGETARCH\nCOPY Dockerfile /$TARGETARCH\nCMD ["/none"]\n'


@dataclass(frozen=True)
class Signer:
    """An environment with cosign and the password of two keys."""

    environment: dict[str, str]
    key: Path
    other: Path

    def cosign(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run cosign itself, as whoever pulls an image would."""
        return subprocess.run(["cosign", *words], env=self.environment, capture_output=True, text=True, check=False)

    def verifies(self, reference: str, key: Path | None = None) -> bool:
        """Whether a signature by a key is there."""
        public = (key or self.key).with_suffix(".pub")
        return self.cosign("verify", "--key", str(public), "--insecure-ignore-tlog", reference).returncode == 0


@pytest.fixture(scope="session")
def signer(environment: dict[str, str], cosign: Path, tmp_path_factory: pytest.TempPathFactory) -> Signer:
    folder = tmp_path_factory.mktemp("keys")
    path = f"{cosign.parent}:{environment['PATH']}"
    made = Signer({**environment, "PATH": path, "COSIGN_PASSWORD": PASSWORD}, folder / "a.key", folder / "b.key")
    for key in (made.key, made.other):
        done = made.cosign("generate-key-pair", "--output-key-prefix", str(key.with_suffix("")))
        assert done.returncode == 0, done.stderr
    return made


@pytest.fixture
def image(lab: dict[str, str], project: Path) -> tuple[str, str]:
    """The path of a repository, and its name."""
    (project / "Dockerfile").write_text(DOCKERFILE)
    path = f"sign/{os.getpid()}/{project.parent.name}".lower().replace("_", "-")
    return path, f"{lab['CI_BUILDKIT_LAB_REGISTRY']}/{path}"


def run(project: Path, environment: dict[str, str], builder: str, name: str, sign: str, *words: str) -> support.Run:
    """Push an image of two platforms, signed."""
    return support.run(
        project, environment, "--builder", builder, "--platform", "linux/amd64,linux/arm64",
        "--version", "v1", "--image", name, "--push", "--sign", sign, *words,
    )  # fmt: skip


def tags(lab: dict[str, str], path: str) -> list[str]:
    """The tags of a repository without those that keep signatures where a registry has no referrers API."""
    return [tag for tag in support.tags(lab, path) if not tag.startswith("sha256-")]


def everything(folder: Path) -> str:
    """All that a run wrote."""
    return "\n".join(path.read_text(errors="replace") for path in folder.rglob("*") if path.is_file())


def test_a_pushed_image_is_signed_with_all_its_platforms(
    project: Path, signer: Signer, builder: str, lab: dict[str, str], image: tuple[str, str]
) -> None:
    path, name = image
    done = run(project, signer.environment, builder, name, f"{signer.key},tlog=false")
    assert done.code == 0, done.output
    [record] = done.record["images"]
    assert record["signed"]
    digests = [record["digest"], *(manifest["digest"] for manifest in record["manifests"])]
    assert len(digests) == 3
    assert all(signer.verifies(f"{name}@{digest}") for digest in digests)
    assert not signer.verifies(record_reference := f"{name}@{record['digest']}", signer.other), record_reference
    assert tags(lab, path) == ["v1"]
    for secret in (PASSWORD, signer.key.read_text().splitlines()[1]):
        assert secret not in done.output + everything(done.folder)
    signatures = support.tags(lab, path)
    again = run(project, signer.environment, builder, name, f"{signer.key},tlog=false")
    assert again.code == 0, again.output
    assert again.record["images"][0]["signed"]
    assert support.tags(lab, path) == signatures


@pytest.mark.parametrize("sign", ["nobody.key", "env://NOBODY", "keyless"])
def test_what_cannot_sign_is_said_before_anything_is_built(
    sign: str, project: Path, signer: Signer, builder: str, lab: dict[str, str], image: tuple[str, str]
) -> None:
    done = run(project, signer.environment, builder, image[1], sign)
    assert done.code == 2, done.output
    assert "--sign" in done.output
    assert not done.folder.exists()
    assert support.tags(lab, image[0]) == []


def test_a_wrong_password_is_said_before_anything_is_built(
    project: Path, signer: Signer, builder: str, image: tuple[str, str]
) -> None:
    environment = {**signer.environment, "COSIGN_PASSWORD": "wrong password"}
    done = run(project, environment, builder, image[1], f"{signer.key},tlog=false")
    assert done.code == 2, done.output
    assert "decryption failed" in done.output
    assert "wrong password" not in done.output


def test_without_cosign_the_next_step_is_said(
    project: Path, environment: dict[str, str], builder: str, image: tuple[str, str]
) -> None:
    done = run(project, environment, builder, image[1], "keyless")
    assert done.code == 2, done.output
    assert "not on PATH" in done.output
    assert "cosign-installer" in done.output


def test_no_tag_moves_where_signing_fails(
    project: Path, signer: Signer, builder: str, lab: dict[str, str], image: tuple[str, str]
) -> None:
    path, name = image
    done = run(project, signer.environment, builder, name, str(signer.key))  # the transparency log is out of reach here
    assert done.code == 4, done.output
    assert "could not be signed" in done.output
    [record] = done.record["images"]
    assert not record["signed"]
    assert support.tags(lab, path) == []


def test_a_merged_image_is_signed(
    project: Path, signer: Signer, builder: str, lab: dict[str, str], image: tuple[str, str]
) -> None:
    path, name = image
    digests = [pushed(project, signer.environment, builder, name, p) for p in ("linux/amd64", "linux/arm64")]
    words = ["merge", "--image", name, "--tag", "1", *digests, "--sign"]
    failed = support.command([*words, str(signer.key)], signer.environment, cwd=project)
    assert failed.returncode == 4, failed.stderr
    assert tags(lab, path) == []
    done = support.command([*words, f"{signer.key},tlog=false"], signer.environment, cwd=project)
    assert done.returncode == 0, done.stderr
    assert signer.verifies(f"{name}:1")
    assert tags(lab, path) == ["1"]


def test_only_what_this_key_signed_verifies(
    project: Path, signer: Signer, builder: str, image: tuple[str, str]
) -> None:
    name = image[1]
    digest = pushed(project, signer.environment, builder, name, "linux/amd64")
    (project / "Dockerfile").write_text(DOCKERFILE + "LABEL tampered=yes\n")
    tampered = pushed(project, signer.environment, builder, name, "linux/amd64")
    right, wrong = (
        Cosign(Signing(str(key), tlog=False), signer.environment, Cancellation()) for key in (signer.key, signer.other)
    )
    right.sign(f"{name}@{digest}")
    right.verify([f"{name}@{digest}"])
    refused: Sequence[tuple[Cosign, list[str]]] = (
        (wrong, [f"{name}@{digest}"]),
        (right, [f"{name}@{tampered}"]),
        (right, [f"{name}@{digest}", f"{name}@{tampered}"]),
    )
    for verifier, references in refused:
        with pytest.raises(OutputError, match="does not verify"):
            verifier.verify(references)


def pushed(folder: Path, environment: dict[str, str], builder: str, name: str, platform: str) -> str:
    """Push an image of one platform by digest; returns that."""
    metadata = folder.parent / "metadata.json"
    subprocess.run(
        ["docker", "buildx", "build", "--builder", builder, "--platform", platform, "--metadata-file", str(metadata),
         "--output", f"type=image,name={name},push-by-digest=true,name-canonical=true,push=true", str(folder)],
        env=environment, check=True, capture_output=True,
    )  # fmt: skip
    return str(json.loads(metadata.read_text())["containerimage.digest"])
