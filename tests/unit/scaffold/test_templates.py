"""Every Dockerfile that `init` can write, against the tools that its owner will run on it."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from pathlib import Path

import dockerfile
import pytest
from tests.unit.scaffold.trees import TREES

from ci_buildkit.cli.main import main
from ci_buildkit.plan.dockerfile import Dockerfile, parse
from ci_buildkit.scaffold import languages, render
from ci_buildkit.scaffold.existing import read
from ci_buildkit.scaffold.project import Project


def project(name: str) -> Project:
    found = languages.project(TREES[name])
    assert found is not None
    assert found.kind == name.partition("-")[0]
    return found


def text(name: str) -> str:
    found = project(name)
    return render.tidy(found.kind, it=found.facts)


def parsed(name: str) -> Dockerfile:
    return parse(dockerfile.parse_string(text(name)))


def test_hadolint_has_nothing_to_say(tmp_path: Path) -> None:
    files = []
    for name in TREES:
        file = tmp_path / f"{name}.Dockerfile"
        file.write_text(text(name))
        files.append(file.name)
    program = Path(sys.executable).parent / "hadolint"
    done = subprocess.run([program, "--no-color", *files], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout + done.stderr == ""
    assert done.returncode == 0


@pytest.mark.parametrize("name", TREES)
def test_the_doctor_has_nothing_to_say(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "Dockerfile").write_text(text(name))
    (tmp_path / ".dockerignore").write_text("\n".join([".git", "ci-report", *project(name).ignored, ""]))
    for path, content in TREES[name].texts.items():
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    assert main(["doctor", str(tmp_path), "--no-environment", "--format", "json"]) == 0
    rules = [problem["rule"] for problem in json.loads(capsys.readouterr().out)["problems"]]
    # The Dockerfile says why workspaces are installed after their sources.
    assert rules == (["late-dependencies"] if name == "node-workspaces" else [])


@pytest.mark.parametrize("name", TREES)
def test_stages_are_taken_for_what_they_are(name: str) -> None:
    """By `ci-buildkit run`, from their names alone."""
    stages = read("Dockerfile", text(name)).stages
    found, there = project(name), {stage.name for stage in parsed(name).stages}
    assert stages["lint"] == ("lint",)
    assert stages.get("test") == (("test-results",) if "test" in there else None)
    assert stages.get("binaries") == (("binaries",) if "binaries" in there else None)
    programs = getattr(found.facts, "programs", ())
    expected = tuple(one.stage for one in programs) or ("image",)
    assert stages.get("image") == (expected if found.image else None)


@pytest.mark.parametrize("name", TREES)
def test_shape(name: str) -> None:
    graph = parsed(name)
    for stage in ("binaries", "test-results"):
        if found := graph.get(stage):
            assert found.base == "scratch"
    if graph.get("test"):
        assert "/out/exit-code" in text(name)
    for command in dockerfile.parse_string(text(name)):
        assert command.cmd.upper() != "ADD"
    for stage in read("Dockerfile", text(name)).stages.get("image", ()):
        body = text(name).partition(f" AS {stage}\n")[2].partition("\nFROM ")[0]
        assert "\nUSER 65532:65532\n" in body or "\nUSER 1000:1000\n" in body
        assert "\nENTRYPOINT [" in body


@pytest.mark.parametrize("name", TREES)
def test_what_is_built_asks_for_the_version(name: str) -> None:
    graph = parsed(name)
    makers = [stage for stage in ("build", "image") if graph.get(stage)]
    if makers:
        assert any("APP_VERSION" in graph.args(stage) for stage in makers)


@pytest.mark.parametrize("name", ["go-programs", "rust", "node", "java-maven"])
def test_what_can_cross_compile_does(name: str) -> None:
    stage = parsed(name).get("base")
    assert stage is not None
    assert stage.platform == "$BUILDPLATFORM"


@pytest.mark.parametrize("name", ["python-uv", "cpp-cmake", "node"])
def test_emulation_is_announced(name: str) -> None:
    assert "under\n# emulation" in text(name) or "under emulation" in text(name)


def test_a_template_that_lacks_a_value_is_an_error() -> None:
    import jinja2

    with pytest.raises(jinja2.UndefinedError):
        render.template("go", it=object())


def test_no_line_is_blank_where_a_command_goes_on() -> None:
    for name in TREES:
        lines = text(name).splitlines()
        for line, following in itertools.pairwise(lines):
            assert not line.endswith("\\") or following.strip(), f"{name}: {line}"
            assert line == line.rstrip(), f"{name}: {line!r}"
