"""Every technique of the example, shown by its effect. One test a technique, named after it."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.e2e import support
from tests.e2e.support import Run

PLATFORMS = ("linux/amd64", "linux/arm64", "linux/arm/v7", "darwin/arm64", "windows/amd64")
IMAGES = "guide/buildme"
EM_AARCH64 = 183  # e_machine of an ELF header, at offset 18


@pytest.fixture(scope="module")
def whole(
    tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str], builder: str, lab: dict[str, str]
) -> Run:
    """The whole pipeline once, for all platforms, images pushed."""
    folder = support.checkout(tmp_path_factory.mktemp("whole") / "buildme")
    image = f"{lab['CI_BUILDKIT_LAB_REGISTRY']}/{IMAGES}"
    words = ["-f", "Dockerfile", "--builder", builder, "--platform", ",".join(PLATFORMS), "--image", image, "--push"]
    run = support.run(folder, environment, *words, seconds=900)
    assert run.code == 0, run.output
    return run


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout with a failing test and an unchecked error."""
    folder = support.checkout(tmp_path_factory.mktemp("broken") / "buildme")
    test = folder / "internal" / "phrasebook" / "broken_test.go"
    test.write_text('package phrasebook\n\nimport "testing"\n\nfunc TestBroken(t *testing.T) {\n\tt.Error("boom")\n}\n')
    source = folder / "internal" / "phrasebook" / "leak.go"
    source.write_text('package phrasebook\n\nimport "os"\n\n// Leak leaks.\nfunc Leak() {\n\tos.Remove("x")\n}\n')
    support.commit(folder)
    return folder


def stage_names(run: Run, stage: str) -> set[str]:
    """The Dockerfile stages whose steps a build had: BuildKit writes `[platform stage 1/2] ...`."""
    found = (re.match(r"\[(?:\S+/\S+ )?(\S+) \d+/\d+\] ", step["name"]) for step in run.steps(stage))
    return {match[1] for match in found if match}


def image_files(lab: dict[str, str], name: str, run: Run) -> dict[str, dict[str, bytes]]:
    """The files of each platform's image, by platform."""
    index, _ = support.manifest(lab, name, run.record["version"]["value"])
    entries = {support.platform_of(entry): entry["digest"] for entry in index["manifests"]}
    return {
        platform: support.image_files(lab, name, digest)
        for platform, digest in entries.items()
        if platform != "unknown/unknown"  # an attestation
    }


def test_multi_stage_scratch_final_image(whole: Run, lab: dict[str, str]) -> None:
    found = image_files(lab, f"{IMAGES}-server", whole)
    assert set(found) == {"linux/amd64", "linux/arm64", "linux/arm/v7"}
    for files in found.values():
        assert list(files) == ["bin/server"]
    assert any(
        step["name"].startswith("docker-image://docker.io/docker/dockerfile:1") for step in whole.steps("server")
    )


def test_image_in_the_registry_is_the_one_in_the_record(whole: Run, lab: dict[str, str]) -> None:
    for image in whole.record["images"]:
        _, digest = support.manifest(lab, image["name"].partition("/")[2], image["tags"][0])
        assert image["pushed"]
        assert image["digest"] == digest


def test_parallel_stages(whole: Run) -> None:
    builds = {
        name: [s for s in whole.steps("binaries") if f" {name} " in s["name"] and "] RUN" in s["name"]]
        for name in ("build-client", "build-server")
    }
    assert any(
        a["started"] < b["started"] + b["seconds"] and b["started"] < a["started"] + a["seconds"]
        for a in builds["build-client"]
        for b in builds["build-server"]
        if not a["cached"] and not b["cached"]
    )


@pytest.mark.parametrize(("target", "other"), [("client", "server"), ("server", "client")])
def test_targets(target: str, other: str, whole: Run, buildme: Path, environment: dict[str, str], builder: str) -> None:
    run = support.run(buildme, environment, target, "-f", "Dockerfile", "--builder", builder)
    assert run.code == 0, run.output
    assert [stage["name"] for stage in run.record["stages"]] == [target]
    assert stage_names(run, target) == {"base", f"build-{target}", target}
    assert f"build-{other}" not in run.log(target)


@pytest.fixture
def small_builder(environment: dict[str, str]) -> Iterator[str]:
    """A builder whose cache a test may prune."""
    name = f"prune-{os.getpid()}"
    support.command(["builder", "create", name], environment, check=True)
    yield name
    support.command(["builder", "rm", name], environment, check=True)


def fetched(run: Run, folder: Path) -> set[str]:
    """Those modules of go.mod that `go mod download -x` fetched."""
    log = run.log("base")
    modules = re.findall(r"^(?:require)?\s+(\S+/\S+) v", (folder / "go.mod").read_text(), re.MULTILINE)
    return {m for m in modules if re.search(rf"get \S+/{re.escape(m)}/@v/v[0-9.]+\.zip: 200", log)}


def test_cache_mount(buildme: Path, environment: dict[str, str], small_builder: str) -> None:
    words = ("base", "-f", "Dockerfile", "--builder", small_builder)
    first = support.run(buildme, environment, *words, report="first")
    assert first.code == 0, first.output
    everything = fetched(first, buildme)
    assert len(everything) >= 3
    assert "github.com/go-chi/chi/v5" in everything
    subprocess.run(["go", "get", "github.com/go-chi/chi/v5@v5.2.3"], cwd=buildme, check=True, capture_output=True)
    second = support.run(buildme, environment, *words, report="second")
    assert fetched(second, buildme) == {"github.com/go-chi/chi/v5"}
    prune = ["docker", "buildx", "prune", "--builder", small_builder, "--all", "--force"]
    subprocess.run(prune, env=environment, check=True, capture_output=True)
    third = support.run(buildme, environment, *words, report="third")
    assert fetched(third, buildme) == everything


def test_bind_mounts(whole: Run, lab: dict[str, str]) -> None:
    for stage in ("client", "server", "binaries", "lint", "test-results"):
        copies = [step["name"] for step in whole.steps(stage) if re.search(r"\] (COPY|ADD) ", step["name"])]
        assert all("COPY --from=" in name for name in copies)
    for files in image_files(lab, f"{IMAGES}-client", whole).values():
        assert not any(name.endswith((".go", "go.mod", "go.sum")) for name in files)
    assert any("--mount=type=bind,target=." in step["name"] for step in whole.steps("client"))


@pytest.mark.parametrize(
    ("argument", "version", "image", "stage"),
    [
        ("GO_VERSION", "1.25", "golang:1.25-alpine", "base"),
        ("GOLANGCI_LINT_VERSION", "v2.14.0", "golangci/golangci-lint:v2.14.0", "lint"),
    ],
)
def test_version_arguments(
    argument: str, version: str, image: str, stage: str,
    buildme: Path, environment: dict[str, str], builder: str, lab: dict[str, str],
) -> None:  # fmt: skip
    run = support.run(
        buildme, environment, stage, "-f", "Dockerfile", "--builder", builder, "--build-arg", f"{argument}={version}"
    )
    assert run.code == 0, run.output
    repository, _, tag = image.partition(":")
    name = repository if "/" in repository else f"library/{repository}"
    _, digest = support.manifest(lab, name, tag)
    assert any(step["name"].endswith(f"FROM docker.io/{name}:{tag}@{digest}") for step in run.steps(stage))


def server_says(binary: Path) -> str:
    """What the server logs when it starts, up to the line that it listens; it answers a request before it is ended."""
    command = [str(binary), "--address", "127.0.0.1:0"]
    with subprocess.Popen(command, stderr=subprocess.STDOUT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            lines = []
            end = time.monotonic() + 30
            while time.monotonic() < end:
                lines.append(process.stdout.readline())
                if found := re.search(r"Listening on (\S+)", lines[-1]):
                    with urllib.request.urlopen(f"http://{found[1]}/healthz", timeout=10) as answer:
                        assert answer.status == 200
                    return "".join(lines)
            raise AssertionError("".join(lines))
        finally:
            process.terminate()


def native() -> str:
    """This machine's platform as BuildKit's local exporter writes it."""
    return {"x86_64": "linux_amd64", "aarch64": "linux_arm64"}[platform.machine()]


def test_app_version(whole: Run, buildme: Path, environment: dict[str, str], builder: str) -> None:
    assert "Version: v1.2.3" in server_says(whole.folder / "dist" / native() / "server")
    subprocess.run(["rm", "-rf", ".git"], cwd=buildme, check=True)
    # Outside Git nothing is known, and the Dockerfile's own default says so too.
    alone = buildme.parent / "alone"
    build = ["docker", "buildx", "build", "--builder", builder, "--target", "binaries", "--output", str(alone), "."]
    subprocess.run(build, cwd=buildme, env=environment, check=True, capture_output=True, timeout=400)
    assert "Version: v0.0.0+unknown" in server_says(alone / "server")
    version = support.command(["version", "--format", "json"], environment, cwd=buildme, check=True)
    assert json.loads(version.stdout)["value"] == "v0.0.0+unknown"


def test_version_in_binaries_and_images(whole: Run, lab: dict[str, str], tmp_path: Path) -> None:
    os_name, machine = native().split("_")
    from_image = tmp_path / "server"
    from_image.write_bytes(image_files(lab, f"{IMAGES}-server", whole)[f"{os_name}/{machine}"]["bin/server"])
    from_image.chmod(0o755)
    for server in (from_image, whole.folder / "dist" / native() / "server"):
        done = subprocess.run([server, "--version"], capture_output=True, text=True, check=True)
        assert "v1.2.3" in done.stdout + done.stderr
    assert whole.record["version"]["value"] == "v1.2.3"
    assert all(image["tags"] == ["v1.2.3"] for image in whole.record["images"])


def test_local_exporter(whole: Run) -> None:
    client = whole.folder / "dist" / native() / "client"
    done = subprocess.run([client, "--version"], check=True, capture_output=True, text=True)
    assert "v1.2.3" in done.stdout + done.stderr
    recorded = {binary["path"] for binary in whole.record["binaries"]}
    assert recorded == {p.relative_to(whole.folder).as_posix() for p in whole.folder.glob("dist/*_*/*") if p.is_file()}


def test_lint_target(whole: Run, broken: Path, environment: dict[str, str], builder: str) -> None:
    assert whole.stage("lint")["outcome"] == "passed"
    assert "lint" not in stage_names(whole, "client") | stage_names(whole, "binaries")
    run = support.run(broken, environment, "lint", "-f", "Dockerfile", "--builder", builder, report="lint-report")
    assert run.code == 1, run.output
    finding: dict[str, Any] = next(f for f in run.record["findings"] if f["rule"] == "errcheck")
    assert (finding["path"], finding["line"], finding["column"]) == ("internal/phrasebook/leak.go", 7, 11)
    assert finding["tool"] == "golangci-lint"
    assert run.stage("lint")["outcome"] == "failed"


def test_results_through_a_scratch_stage(whole: Run, broken: Path, environment: dict[str, str], builder: str) -> None:
    assert whole.record["tests"]["totals"]["passed"] > 50
    run = support.run(broken, environment, "test", "-f", "Dockerfile", "--builder", builder, report="scratch-report")
    assert run.code == 1, run.output
    assert run.stage("test-results")["results_from"] == "export"
    assert [case["name"] for case in run.record["tests"]["failed"]] == ["TestBroken"]
    junit = (run.folder / "junit.xml").read_text()
    assert "TestBroken" in junit
    assert "boom" in junit


def test_failing_test_run_of_an_unmodified_dockerfile(broken: Path, environment: dict[str, str], builder: str) -> None:
    run = support.run(
        broken, environment, "-f", "unmodified.Dockerfile", "--builder", builder, report="unmodified-report"
    )
    assert run.code == 1, run.output
    assert run.stage("test")["results_from"] == "recovered"
    assert run.stage("test")["attempts"] == 1
    failed = run.record["tests"]["failed"]
    assert [(case["name"], case["path"], case["line"]) for case in failed] == [
        ("TestBroken", "internal/phrasebook/broken_test.go", 6)
    ]
    assert run.record["tests"]["totals"]["passed"] > 50
    assert "TestBroken" in (run.folder / "junit.xml").read_text()


def test_emulation(project: Path, environment: dict[str, str], builder: str) -> None:
    # The example's own emulated.Dockerfile; a program without imports, since each of them costs seconds under QEMU.
    shutil.copy(support.ROOT / "examples" / "buildme" / "emulated.Dockerfile", project)
    source = project / "cmd" / "server" / "main.go"
    source.parent.mkdir(parents=True)
    source.write_text(
        'package main\n\nimport "runtime"\n\nvar version string\n\n'
        'func main() { println(version, "on", runtime.GOARCH) }\n'
    )
    (project / "go.mod").write_text("module example.com/tiny\n\ngo 1.24.0\n")
    (project / "go.sum").touch()
    support.commit(project, "v3.2.1")
    words = ("binaries", "-f", "emulated.Dockerfile", "--builder", builder, "--platform", "linux/arm64")
    run = support.run(project, environment, *words)
    assert run.code == 0, run.output
    [emulated] = run.stage("binaries")["emulated"]
    assert emulated["platform"] == "linux/arm64"
    ran = [step for step in run.steps("binaries") if step["emulated"]]
    assert any("go build" in step["name"] for step in ran)
    assert emulated["seconds"] == pytest.approx(sum(step["seconds"] for step in ran), abs=0.01)
    assert emulated["seconds"] > 1
    assert "linux/arm64 emulated" in run.output
    binary = run.folder / "dist" / "linux_arm64" / "server"
    assert int.from_bytes(binary.read_bytes()[18:20], "little") == EM_AARCH64
    done = subprocess.run([binary], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "v3.2.1 on arm64"


def test_cross_compilation(whole: Run) -> None:
    built = {(b["platform"], Path(b["path"]).name): b["format"] for b in whole.record["binaries"]}
    formats = {"linux": "ELF", "darwin": "Mach-O", "windows": "PE"}
    assert built == {
        (platform, name + (".exe" if platform.startswith("windows/") else "")): formats[platform.split("/")[0]]
        for platform in PLATFORMS
        for name in ("client", "server")
    }
    assert not whole.record["problems"]
    assert not any(stage["emulated"] for stage in whole.record["stages"] if stage["kind"] == "binaries")


def test_builder_create_list_reuse_remove(project: Path, environment: dict[str, str]) -> None:
    name = f"guide-{os.getpid()}"
    (project / "Dockerfile").write_text("FROM alpine AS lint\nRUN echo fine\n")
    created = support.command(["builder", "create", name], environment, check=True)
    assert "docker-container" in created.stdout
    try:
        listed = json.loads(support.command(["builder", "ls", "--format", "json"], environment, check=True).stdout)
        [mine] = [entry for entry in listed if entry["name"] == name]
        assert mine["driver"] == "docker-container"
        assert mine["status"] == "running"
        assert {"linux/amd64", "linux/arm64"} <= set(mine["platforms"])
        for cached in (0, 1):
            run = support.run(project, environment, "--builder", name)
            assert run.code == 0, run.output
            assert run.record["builder"]["name"] == name
            assert not run.record["builder"]["created"]
            assert sum("] RUN" in step["name"] and step["cached"] for step in run.steps("lint")) == cached
    finally:
        support.command(["builder", "rm", name], environment, check=True)
    listed = json.loads(support.command(["builder", "ls", "--format", "json"], environment, check=True).stdout)
    assert name not in {entry["name"] for entry in listed}
    containers = subprocess.run(
        ["docker", "ps", "--all", "--format", "{{.Names}}"], env=environment, check=True, capture_output=True, text=True
    )
    assert name not in containers.stdout
