"""What the record says that the stages were built from."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from ci_buildkit.pipeline import inputs
from ci_buildkit.pipeline.inputs import Gathering, gather, short_hash
from ci_buildkit.plan.dockerfile import Dockerfile
from ci_buildkit.plan.stages import Plan, Stage
from ci_buildkit.plan.targets import Target
from ci_buildkit.record import InputsRecord, VersionRecord

VERSION = VersionRecord(value="v1", revision="", dirty=False, source="tag", source_date_epoch=0)


def plan(folder: Path, **definitions: dict[str, Any]) -> Plan:
    file = folder / "Dockerfile"
    stages = tuple(
        Stage(name, "other", Target(name, name, file, Dockerfile(), {}), (), MappingProxyType(definition), "none")
        for name, definition in definitions.items()
    )
    return Plan(folder, file, VERSION, stages)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "Dockerfile").write_text("FROM a AS b\nCOPY --from=more x /\nCOPY y /\n")
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "y").write_text("y")
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "x").write_text("x")
    return tmp_path


def test_stages_share_files_and_contexts(project: Path) -> None:
    definition = {
        "context": str(project / "app"), "dockerfile": str(project / "Dockerfile"), "args": {"A": "1", "B": None},
        "contexts": {"More": str(project / "more"), "image": "docker-image://x", "other": "target:x"},
        "no-cache-filter": ["B"],
    }  # fmt: skip
    found = gather(plan(project, one=definition, two={**definition, "no-cache": True}), project)
    assert [(one.path, list(one.files)) for one in found.contexts] == [("app", ["y"]), ("more", ["x"])]
    assert [one.path for one in found.dockerfiles] == ["Dockerfile"]
    one, two = found.builds
    assert (one.stage, one.dockerfile, one.contexts) == ("one", "Dockerfile", {"": "app", "more": "more"})
    assert (one.no_cache, one.no_cache_stages, two.no_cache) == (False, ("b",), True)
    assert one.args == {"A": short_hash("A", "1"), "B": short_hash("B", "")}


@pytest.mark.parametrize(
    "definition", [{"context": "https://github.com/a/b.git", "dockerfile": "/nowhere/Dockerfile"}, {"context": "gone"}, {}]
)  # fmt: skip
def test_what_is_not_here_is_not_told(
    project: Path, definition: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "empty").mkdir()
    monkeypatch.chdir(project / "empty")
    found = gather(plan(project, one=definition), project)
    assert all(not context.files for context in found.contexts)
    assert [file.stages for file in found.dockerfiles] == [()]


def test_an_inline_dockerfile(project: Path) -> None:
    found = gather(plan(project, one={"context": str(project), "dockerfile-inline": "FROM x\nRUN y\n"}), project)
    assert [(file.path, len(file.stages)) for file in found.dockerfiles] == [("one:inline", 2)]


def test_a_hash_says_nothing_of_a_credential() -> None:
    assert len(short_hash("COLOR", "red")) == 8
    assert len(short_hash("DEPLOY_TOKEN", "abc123def")) == 4
    assert short_hash("A", "1") != short_hash("A", "2")
    assert short_hash("A", "1") != short_hash("B", "1")


def test_gathering_waits_for_its_thread_and_survives_what_went_away(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = plan(project, one={"context": str(project)})
    assert Gathering(made, project).record().builds[0].stage == "one"

    def gone(*_: object) -> InputsRecord:
        raise OSError

    monkeypatch.setattr(inputs, "gather", gone)
    assert Gathering(made, project).record() == InputsRecord()


def test_a_dockerfile_with_an_ignore_file_of_its_own_sees_other_files(project: Path) -> None:
    (project / ".dockerignore").write_text("app\n")
    (project / "docs.Dockerfile").write_text("FROM b\n")
    (project / "docs.Dockerfile.dockerignore").write_text("more\n")
    definitions = {
        name: {"context": str(project), "dockerfile": str(project / file)}
        for name, file in (("one", "Dockerfile"), ("two", "docs.Dockerfile"))
    }
    found = gather(plan(project, **definitions), project)
    assert [build.contexts for build in found.builds] == [{"": "."}, {"": ".:docs.Dockerfile.dockerignore"}]
    first, second = ([file for file in context.files if "/" in file] for context in found.contexts)
    assert (first, second) == (["more/x"], ["app/y"])


def test_a_dockerfile_elsewhere_is_not_the_one_here(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)
    found = gather(
        plan(project, far={"context": "https://token@example.com/a.git", "dockerfile": "Dockerfile"}), project
    )
    assert [(file.path, file.stages) for file in found.dockerfiles] == [("far:remote", ())]
    assert found.contexts == ()
