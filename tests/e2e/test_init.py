"""What `ci-buildkit init` writes, on the real engine: from an empty repository and from a real one to a green run."""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import dockerfile
import pytest
from tests.e2e import action_support, support
from tests.unit.scaffold.trees import TREES

from ci_buildkit.plan.dockerfile import parse
from ci_buildkit.scaffold.look import Look
from ci_buildkit.scaffold.plan import plan
from ci_buildkit.scaffold.workflow import Wish

EXAMPLES = support.ROOT / "examples"
OWN = {"x86_64": "linux/amd64", "aarch64": "linux/arm64"}[platform.machine()]
WRITTEN = ("Dockerfile", ".dockerignore", "ci-buildkit.yml", "docker-bake.hcl")


@dataclass(frozen=True)
class Known:
    """What a project's run must give, and a change that breaks one of its tests."""

    tests: int
    binaries: tuple[str, ...]
    says: tuple[str, str]  # arguments of a container, and what it prints for them
    broken: tuple[str, str, str]  # a file, a text in it, and what to put there
    failed: tuple[str, str]  # the case that then fails, and its file


STARTERS = {
    "go": Known(
        1, ("hello",), ("-name Ada", "Hello, Ada!\n"), ("main.go", '"!"', '"?"'), ("TestGreet", "main_test.go"),
    ),
    "python": Known(
        1, ("hello-1.2.3-py3-none-any.whl",), ("Ada", "Hello, Ada!\n"),
        ("src/hello/__init__.py", "{name}!", "{name}?"), ("test_greet", "tests/test_hello.py"),
    ),
    "node": Known(
        1, ("hello-1.2.3.tgz",), ("Ada", "Hello, Ada!\n"), ("src/greet.js", "!`", "?`"),
        ("greets by name", "test/greet.test.js"),
    ),
}  # fmt: skip
REAL = {
    "monorepo/api": Known(
        6, ("api",), ("--version", "api v1.2.3\n"), ("main.go", "http.StatusNotFound", "http.StatusGone"),
        ("TestHandler/GET_/stock/nails", "main_test.go"),
    ),
    "python": Known(
        29, ("durations-1.2.3-py3-none-any.whl",), ("1h30m", "5400\n"),
        ("src/durations/__init__.py", '"h": 3600', '"h": 3601'),
        ("test_parse[1h30m-5400]", "tests/test_durations.py"),
    ),
    "node": Known(
        16, ("slugs-1.2.3.tgz",), ("", ""), ("src/slug.ts", 'ß: "ss"', 'ß: "sz"'),
        ("of letters without accents", "test/slug.test.ts"),
    ),
    "rust": Known(
        9, ("roman",), ("--version", "roman v1.2.3\n"), ("src/lib.rs", '(4, "IV")', '(4, "IX")'),
        ("tests::known_numbers", "src/lib.rs"),
    ),
}  # fmt: skip
# Where else there is no image of a tag, BuildKit's checks are asked with this one in its place.
STAND_IN = "docker-image://docker.io/library/debian:bookworm-slim"


def init(folder: Path, environment: Mapping[str, str], *words: str) -> None:
    """Write the files and commit them, tagged v1.2.3."""
    support.command(["init", str(folder), *words], environment, check=True)
    support.commit(folder, "v1.2.3")


def real(tmp_path: Path, name: str) -> Path:
    """A repository with the sources of an example, and none of the files that are to be written."""
    folder = tmp_path / name.rpartition("/")[2]
    shutil.copytree(EXAMPLES / name, folder, ignore=shutil.ignore_patterns(*WRITTEN, "ci-report"))
    return folder


def check_green(folder: Path, environment: Mapping[str, str], builder: str, image: str, known: Known) -> None:
    """Everything passed, the tests were counted, and what was built is there and runs."""
    run = support.run(folder, environment, "--builder", builder, "--platform", OWN, "--image", image, "--push")
    assert run.code == 0, run.output
    assert {stage["kind"]: stage["outcome"] for stage in run.record["stages"]} == dict.fromkeys(
        ("lint", "test", "binaries", "image"), "passed"
    )
    totals = run.record["tests"]["totals"]
    assert (totals["tests"], totals["passed"]) == (known.tests, known.tests)
    assert run.stage("test-results")["results_from"] == "export"
    assert (run.record["findings"], run.record["problems"]) == ([], [])
    assert tuple(Path(binary["path"]).name for binary in run.record["binaries"]) == known.binaries
    (pushed,) = run.record["images"]
    assert (pushed["pushed"], pushed["tags"]) == (True, ["v1.2.3"])
    if known.says != ("", ""):
        arguments, printed = known.says
        command = ["docker", "run", "--rm", "--pull", "always", f"{image}:v1.2.3", *arguments.split()]
        done = subprocess.run(command, env=dict(environment), capture_output=True, text=True, check=False)
        assert done.stdout == printed, done.stderr


def check_red(folder: Path, environment: Mapping[str, str], builder: str, known: Known) -> None:
    """A test that fails makes the run red and is named, with its file."""
    name, text, instead = known.broken
    source = folder / name
    before = source.read_text(encoding="utf-8")
    assert text in before
    source.write_text(before.replace(text, instead), encoding="utf-8")
    run = support.run(folder, environment, "test", "--builder", builder, report="red")
    assert run.code == 1, run.output
    assert run.stage("test-results")["outcome"] == "failed"
    assert known.failed in {(case["name"], case["path"]) for case in run.record["tests"]["failed"]}


@pytest.mark.parametrize("kind", STARTERS)
def test_an_empty_repository(
    kind: str, tmp_path: Path, environment: dict[str, str], builder: str, lab: dict[str, str]
) -> None:
    folder = tmp_path / "hello"
    folder.mkdir()
    support.git(folder, "init", "-q", "-b", "main")
    init(folder, environment, "--kind", kind)
    check_green(folder, environment, builder, f"{lab['CI_BUILDKIT_LAB_REGISTRY']}/init/hello-{kind}", STARTERS[kind])
    check_red(folder, environment, builder, STARTERS[kind])


@pytest.mark.parametrize("name", REAL)
def test_a_real_repository(
    name: str, tmp_path: Path, environment: dict[str, str], builder: str, lab: dict[str, str],
    request: pytest.FixtureRequest,
) -> None:  # fmt: skip
    if name == "rust":
        request.getfixturevalue("rust")
    folder = real(tmp_path, name)
    init(folder, environment)
    check_green(folder, environment, builder, f"{lab['CI_BUILDKIT_LAB_REGISTRY']}/init/{name}", REAL[name])
    check_red(folder, environment, builder, REAL[name])


def test_a_linter_s_finding_is_named(tmp_path: Path, environment: dict[str, str], builder: str) -> None:
    folder = tmp_path / "hello"
    folder.mkdir()
    init(folder, environment, "--kind", "node")
    (folder / "src" / "greet.js").write_text("export function greet() {\n  return missing;\n}\n")
    run = support.run(folder, environment, "lint", "--builder", builder)
    assert run.code == 1, run.output
    (finding,) = run.record["findings"]
    assert (finding["path"], finding["line"], finding["rule"]) == ("src/greet.js", 2, "no-undef")


@pytest.mark.parametrize("name", [name for name in TREES if name.partition("-")[0] in {"cpp", "java", "rust"}])
def test_buildkit_has_nothing_to_say(name: str, project: Path, environment: dict[str, str], builder: str) -> None:
    """Of Dockerfiles whose base images the lab does not have: all of them are another one here."""
    (file,) = [file for file in plan(Look(tree=TREES[name]), Wish()).files if file.path.endswith("Dockerfile")]
    (project / "Dockerfile").write_text(file.content)
    graph = parse(dockerfile.parse_string(file.content))
    names = {stage.name for stage in graph.stages}
    defaults = dict(value.split("=") for command in dockerfile.parse_string(file.content) if command.cmd.upper() == "ARG"
                    for value in command.value if "=" in value)  # fmt: skip
    contexts = []
    for stage in graph.stages:
        if stage.base not in {*names, "scratch"}:
            image = stage.base
            for variable, value in defaults.items():
                image = image.replace(f"${{{variable.lower()}}}", value)
            contexts += ["--build-context", f"{image}={STAND_IN}"]
    assert contexts
    for question, answer in (("check", "Check complete, no warnings found."), ("outline", "APP_VERSION")):
        command = ["docker", "buildx", "build", "--builder", builder, f"--call={question}", *contexts, "."]
        done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        if question == "check" or "APP_VERSION" in file.content:
            assert answer in done.stdout


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("hello", ("--kind", "go")),
        ("pushed", ("--kind", "go", "--image", "ghcr.io/acme/hello")),
        ("elsewhere", ("--kind", "python", "--image", "registry.example.com/hello")),
        ("pinned", ("--kind", "node", "--action", f"me/ci@{'a' * 40}")),
        ("monorepo", ("--image", "ghcr.io/acme/shop")),
    ],
)
def test_linters_of_workflows_have_nothing_to_say(
    name: str, words: tuple[str, ...], tmp_path: Path, environment: dict[str, str]
) -> None:
    folder = real(tmp_path, name) if name == "monorepo" else tmp_path / name
    folder.mkdir(exist_ok=True)
    init(folder, environment, *words)
    zizmor = str(Path(sys.executable).parent / "zizmor")
    for command in (["actionlint"], [zizmor, "--offline", "--quiet", "--no-progress", "."]):
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_workflow_is_green_under_act(tmp_path: Path, environment: dict[str, str], lab: dict[str, str]) -> None:
    folder = tmp_path / "hello"
    folder.mkdir()
    support.git(folder, "init", "-q", "-b", "main")
    init(folder, environment, "--kind", "go")
    work = tmp_path / "act"
    act = action_support.Act(lab, action_support.export_checkout(work / "action"), action_support.stand_in(), work)
    run = act.run(folder)
    assert run.job_results == {"pipeline": "success"}, run.text + run.stderr
    assert set(run.artifacts()) == {"ci-buildkit-report", "ci-buildkit-binaries", "ci-buildkit-junit"}
