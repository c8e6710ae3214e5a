"""Registries that fail: what may pass is tried again, and no release is ever half tagged without saying so."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.e2e import support
from tests.e2e.faulty_registry import Fault, Kind, Proxy, Script, serve
from tests.e2e.support import Run

FOREVER = 1000
BLOB, MANIFEST = "/blobs/uploads", "/manifests/"


@dataclass
class Faulty:
    """A project with two images, a repository for each behind the proxy, and the builder that knows it."""

    proxy: Proxy
    environment: dict[str, str]
    lab: dict[str, str]
    builder: str
    folder: Path
    name: str

    def repository(self, image: str) -> str:
        """A repository's name without the registry."""
        return f"{self.name}/{image}"

    def write(self, **tags: tuple[str, ...]) -> None:
        """Images that nobody has pushed yet, with these tags."""
        (self.folder / "content").write_text(secrets.token_hex(1000))
        stages = [f'FROM scratch AS {image}\nCOPY content /{image}\nCMD ["x"]\n' for image in tags]
        (self.folder / "Dockerfile").write_text("".join(stages))
        targets = {
            image: {
                "target": image,
                "tags": [f"{self.proxy.address}/{self.repository(image)}:{tag}" for tag in own],
                "attest": ["type=provenance,disabled=true"],  # one manifest then, so that faults can be counted
            }
            for image, own in tags.items()
        }
        (self.folder / "docker-bake.json").write_text(json.dumps({"target": targets}))

    def run(self, *words: str) -> Run:
        """Push everything."""
        return support.run(self.folder, self.environment, "--builder", self.builder, "--push", *words)

    def tags(self, image: str) -> list[str]:
        """The tags that the registry has."""
        return sorted(support.tags(self.lab, self.repository(image)))


@pytest.fixture(scope="module")
def proxy(lab: dict[str, str]) -> Iterator[Proxy]:
    with serve(lab["CI_BUILDKIT_LAB_REGISTRY"]) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def faulty_builder(
    proxy: Proxy, environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A builder that reaches the proxy without TLS."""
    name = f"e2e-faulty-{os.getpid()}"
    config = tmp_path_factory.mktemp("faulty") / "buildkitd.toml"
    given = Path(environment["CI_BUILDKIT_BUILDKITD_CONFIG"]).read_text()
    config.write_text(f'{given}\n[registry."{proxy.address}"]\n  http = true\n')
    support.command(["builder", "create", name, "--buildkitd-config", str(config)], environment, check=True)
    yield name
    support.command(["builder", "rm", name], environment, check=True)


@pytest.fixture
def faulty(
    proxy: Proxy, environment: dict[str, str], lab: dict[str, str], faulty_builder: str, project: Path
) -> Faulty:
    proxy.play()
    name = f"e2e-{os.getpid()}/faulty-{secrets.token_hex(4)}"
    return Faulty(proxy, environment, lab, faulty_builder, project, name)


def hit(script: Script) -> int:
    """How many requests were failed."""
    return sum(bool(kind) for _, _, kind in script.seen)


@pytest.mark.parametrize(
    ("kind", "path", "times"),
    [
        pytest.param("429", MANIFEST, 5, id="too many requests"),
        pytest.param("500", MANIFEST, 2, id="server error"),
        pytest.param("drop", BLOB, 2, id="dropped connections"),
        pytest.param("hang", BLOB, 1, id="no answer for a while"),
    ],
)
def test_a_push_goes_on_after_trouble_that_passes(faulty: Faulty, kind: Kind, path: str, times: int) -> None:
    faulty.write(app=("one",))
    script = faulty.proxy.play(Fault("PUT", path, kind, times))
    run = faulty.run()
    assert run.code == 0, run.output
    assert hit(script) == times
    assert run.log("app").count("# pushing ") == (2 if kind == "429" else 1)  # the others BuildKit gets over itself
    [image] = run.record["images"]
    assert image["pushed"]
    assert support.manifest(faulty.lab, faulty.repository("app"), "one")[1] == image["digest"]


def test_no_tag_moves_where_one_image_cannot_be_pushed(faulty: Faulty) -> None:
    faulty.write(app=("one",), tool=("one", "two"))
    script = faulty.proxy.play(Fault("PUT", f"{faulty.repository('tool')}{MANIFEST}", "429", FOREVER))
    run = faulty.run()
    assert run.code == 4, run.output
    assert "push of tool failed: exporting to image: failed to push" in run.output
    assert run.log("tool").count("# pushing ") == 4
    assert hit(script) >= 4 * 5
    assert (faulty.tags("app"), faulty.tags("tool")) == ([], [])
    pushed, lost = run.record["images"]
    assert (pushed["pushed"], lost["pushed"]) == (False, False)
    assert support.manifest(faulty.lab, faulty.repository("app"), pushed["digest"])[1] == pushed["digest"]
    assert [manifest["platform"] for manifest in pushed["manifests"]] == pushed["platforms"]


@pytest.mark.parametrize("kind", ["401", "403"])
def test_a_refused_push_is_not_tried_again(faulty: Faulty, kind: Kind) -> None:
    faulty.write(app=("one",))
    faulty.proxy.play(Fault("PUT", MANIFEST, kind, FOREVER))
    run = faulty.run()
    assert run.code == 4, run.output
    assert run.log("app").count("# pushing ") == 1
    assert faulty.tags("app") == []


def test_what_the_registry_lost_is_found_before_tags_move(faulty: Faulty) -> None:
    faulty.write(app=("one",))
    faulty.proxy.play(Fault("GET", f"{MANIFEST}sha256", "404", FOREVER))
    run = faulty.run()
    assert run.code == 5, run.output
    assert "the registry does not hold" in run.output
    assert faulty.tags("app") == []
    assert [image["pushed"] for image in run.record["images"]] == [False]


def test_tags_are_moved_again_after_trouble_that_passes(faulty: Faulty) -> None:
    faulty.write(app=("one", "two"))
    script = faulty.proxy.play(Fault("PUT", f"{MANIFEST}two", "500", 2))
    run = faulty.run()
    assert run.code == 0, run.output
    assert hit(script) == 2
    assert faulty.tags("app") == ["one", "two"]


def test_where_tags_stand_is_told_where_one_of_them_cannot_move(faulty: Faulty) -> None:
    faulty.write(app=("one", "two"), tool=("one",))
    faulty.proxy.play(Fault("PUT", f"{MANIFEST}two", "403", FOREVER))
    run = faulty.run()
    assert run.code == 4, run.output
    assert " failed (moved: one; not moved: two): " in run.output
    assert "403 Forbidden" in run.output
    assert {image["name"].rpartition("/")[2]: image["pushed"] for image in run.record["images"]} == {
        "app": False,
        "tool": True,
    }
    assert (faulty.tags("app"), faulty.tags("tool")) == (["one"], ["one"])


@pytest.mark.parametrize(
    ("method", "path", "kind", "times", "attempts"),
    [
        pytest.param("HEAD", MANIFEST, "429", 5, 2, id="too many requests"),
        pytest.param("HEAD", MANIFEST, "500", 2, 2, id="server error"),
        pytest.param("GET", "/blobs/", "drop", 1, 1, id="dropped connection"),
        pytest.param("GET", "/blobs/", "truncate", 1, 1, id="truncated layer"),
        pytest.param("HEAD", MANIFEST, "401", FOREVER, 1, id="refused"),
    ],
)
def test_a_base_image_is_asked_for_again(
    faulty: Faulty, builder: str, method: str, path: str, kind: Kind, times: int, attempts: int
) -> None:
    base = faulty.repository("base")
    faulty.write(app=("one",))
    reference = f"{faulty.lab['CI_BUILDKIT_LAB_REGISTRY']}/{base}:1"
    subprocess.run(
        ["docker", "buildx", "build", "--builder", builder, "--quiet", "--push", "--tag", reference, "."],
        cwd=faulty.folder, env=faulty.environment, check=True, capture_output=True,
    )  # fmt: skip
    (faulty.folder / "Dockerfile").write_text(f"FROM {faulty.proxy.address}/{base}:1 AS app\nCMD x\n")
    script = faulty.proxy.play(Fault(method, path, kind, times))
    run = support.run(faulty.folder, faulty.environment, "--builder", faulty.builder, "app")
    assert run.code == (4 if times == FOREVER else 0), run.output
    assert run.stage("app")["attempts"] == attempts
    assert hit(script) == (1 if times == FOREVER else times)
