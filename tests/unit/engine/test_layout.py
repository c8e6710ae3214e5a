"""An image that was kept in a folder is read, and what is missing of it is found."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ci_buildkit.engine import layout
from ci_buildkit.engine.registry import Held, Manifest
from ci_buildkit.errors import OutputError

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"


class Layout:
    """A folder that is written as BuildKit's exporter writes it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "ingest").mkdir(parents=True)
        (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}', encoding="utf-8")

    def blob(self, content: Any, kind: str = "", **more: Any) -> dict[str, Any]:
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        digest = hashlib.sha256(data).hexdigest()
        path = self.folder / "blobs" / "sha256" / digest
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return {"mediaType": kind, "digest": f"sha256:{digest}", "size": len(data), **more}

    def image(self, architecture: str) -> dict[str, Any]:
        body = {"config": self.blob({"architecture": architecture}), "layers": [self.blob(b"x" * 100)]}
        return self.blob(body, MANIFEST, platform={"os": "linux", "architecture": architecture})

    def index(self, *entries: dict[str, Any]) -> None:
        (self.folder / "index.json").write_text(json.dumps({"manifests": entries}), encoding="utf-8")


@pytest.fixture
def made(tmp_path: Path) -> Layout:
    made = Layout(tmp_path / "app")
    images = [made.image("amd64"), made.image("arm64")]
    seal = made.blob(
        {"layers": [{**made.blob(b"{}"), "annotations": {"in-toto.io/predicate-type": "https://spdx.dev/Document"}}]},
        MANIFEST,
        platform={"os": "unknown", "architecture": "unknown"},
        annotations={
            "vnd.docker.reference.type": "attestation-manifest",
            "vnd.docker.reference.digest": images[0]["digest"],
        },
    )
    made.index(made.blob({"manifests": [*images, seal]}, INDEX))
    return made


def test_an_index_is_read_with_its_platforms(made: Layout) -> None:
    held = layout.read(made.folder)
    assert held.platforms == ("linux/amd64", "linux/arm64")
    assert [m.predicates for m in held.manifests] == [("https://spdx.dev/Document",), ()]
    assert held.manifests[0].size == 100 + len('{"architecture": "amd64"}')
    assert sorted(path.name for path in made.folder.iterdir()) == ["blobs", "index.json", "oci-layout"]


def test_one_platform_needs_no_index(tmp_path: Path) -> None:
    made = Layout(tmp_path / "app")
    image = made.image("arm64")
    made.index({**image, "annotations": {"io.containerd.image.name": "app:1"}}, image)
    size = 100 + len('{"architecture": "arm64"}')
    assert layout.read(made.folder) == Held(image["digest"], (Manifest("linux/arm64", image["digest"], size),))


def lose_layer(made: Layout) -> None:
    (made.folder / "blobs" / "sha256" / hashlib.sha256(b"x" * 100).hexdigest()).unlink()


def cut_layer(made: Layout) -> None:
    (made.folder / "blobs" / "sha256" / hashlib.sha256(b"x" * 100).hexdigest()).write_bytes(b"x")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lose_layer, "app lacks sha256:.*: no such file or directory"),
        (cut_layer, "app has 1 bytes of sha256:.* instead of 100"),
        (lambda made: made.index(), "app has 0 images instead of one"),
        (lambda made: (made.folder / "index.json").write_text("{"), "cannot be read: index.json: "),
        (lambda made: (made.folder / "index.json").write_text("[]"), "cannot be read: index.json is no object"),
        (lambda made: (made.folder / "oci-layout").write_text("{}"), "app is no OCI layout"),
        (lambda made: (made.folder / "oci-layout").unlink(), "cannot be read: no such file or directory"),
    ],
)
def test_what_is_missing_or_damaged_is_an_error(made: Layout, damage: Callable[[Layout], Any], message: str) -> None:
    damage(made)
    with pytest.raises(OutputError, match=message):
        layout.read(made.folder)
