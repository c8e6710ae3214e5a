"""The report of a stranger's run: what is taken of it, and what ends it all."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from ci_buildkit.errors import ConfigurationError, OutputError
from ci_buildkit.github import foreign
from ci_buildkit.github.runner import GitHub

HEAD = "a" * 40
RUN = {"id": 9, "event": "pull_request", "head_sha": HEAD, "repository": {"full_name": "octo/hello"}}


@pytest.fixture
def artifact(tmp_path: Path) -> Path:
    folder = tmp_path / "artifact"
    for name in ("run.json", "junit.xml", "logs/test.log", "results/test/a/b.xml", "report.html"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    (tmp_path / "taken").mkdir()
    return folder


def taken(artifact: Path) -> list[str]:
    target = artifact.parent / "taken"
    foreign.take(artifact, target)
    return sorted(path.name for path in target.iterdir())


def test_two_files_are_taken(artifact: Path) -> None:
    assert taken(artifact) == ["junit.xml", "run.json"]


def test_one_may_be_missing(artifact: Path) -> None:
    (artifact / "junit.xml").unlink()
    assert taken(artifact) == ["run.json"]


def refused(artifact: Path) -> str:
    with pytest.raises(OutputError) as caught:
        taken(artifact)
    assert list((artifact.parent / "taken").iterdir()) == [], "nothing is taken of a report that is refused"
    return caught.value.message


@pytest.mark.parametrize("name", ["run.json", "logs/x", "results/x", "report.html"])
@pytest.mark.parametrize("leads", ["/etc/passwd", "junit.xml", "nowhere"])
def test_links_are_refused(artifact: Path, name: str, leads: str) -> None:
    (artifact / name).unlink(missing_ok=True)
    (artifact / name).symlink_to(leads)
    assert f"{name} of the report is a link or no file" in refused(artifact)


def test_a_folder_that_is_a_link_is_refused(artifact: Path) -> None:
    (artifact / "digests").symlink_to("/etc")
    assert "digests of the report is a link" in refused(artifact)


def test_a_pipe_is_refused_and_not_waited_for(artifact: Path) -> None:
    (artifact / "run.json").unlink()
    os.mkfifo(artifact / "run.json")
    assert "is a link or no file" in refused(artifact)


@pytest.mark.parametrize("name", ["evil.sh", ".git/config", "RUN.JSON", "dist/app", "junit.xml.bak"])
def test_files_that_no_report_has_are_refused(artifact: Path, name: str) -> None:
    (artifact / name).parent.mkdir(exist_ok=True)
    (artifact / name).write_text("x")
    assert "is no file of a report" in refused(artifact)


def test_a_name_is_told_without_what_it_does_to_terminals_and_runners(artifact: Path) -> None:
    (artifact / "\n::error::x\x1b[2J").write_text("x")
    said = refused(artifact)
    assert "\n" not in said
    assert "\x1b" not in said


@pytest.mark.parametrize("name", ["run.json", "junit.xml"])
def test_a_file_too_large_to_read_is_refused(artifact: Path, name: str) -> None:
    os.truncate(artifact / name, foreign.MAX_TAKEN + 1)
    assert f"{name} of the report is larger than 64 MiB" in refused(artifact)


def test_too_much_and_too_many(artifact: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.truncate(artifact / "report.html", foreign.MAX_BYTES)
    assert "or 1024 MiB" in refused(artifact)
    os.truncate(artifact / "report.html", 0)
    monkeypatch.setattr(foreign, "MAX_FILES", 3)
    assert "more than 3 files" in refused(artifact)


class TestEvent:
    def github(self, tmp_path: Path, event: Any, name: str = "workflow_run") -> GitHub:
        (tmp_path / "event.json").write_text(event if isinstance(event, str) else json.dumps(event))
        return GitHub(repository="Octo/Hello", event_name=name, event_path=tmp_path / "event.json")

    def test_the_run_is_the_events(self, tmp_path: Path) -> None:
        assert foreign.run(self.github(tmp_path, {"workflow_run": RUN}))["head_sha"] == HEAD

    @pytest.mark.parametrize(
        ("event", "name", "said"),
        [
            ({"workflow_run": RUN}, "pull_request", "the event is pull_request"),
            ({"workflow_run": RUN}, "", "the event is none"),
            ({}, "workflow_run", "not workflow_run"),
            ({"workflow_run": {**RUN, "repository": {"full_name": "eve/hello"}}}, "workflow_run", "in 'eve/hello'"),
            ({"workflow_run": {**RUN, "repository": None}}, "workflow_run", "a run in ''"),
            ("{", "workflow_run", "cannot be read"),
        ],
    )
    def test_others_are_refused(self, tmp_path: Path, event: Any, name: str, said: str) -> None:
        with pytest.raises(ConfigurationError, match="event") as caught:
            foreign.run(self.github(tmp_path, event, name))
        assert said in caught.value.message


class TestCommit:
    def test_of_a_pull_request_the_merge_commit_cannot_be_compared(self, runs: Any) -> None:
        foreign.check(runs.red()[0], RUN)

    def test_of_a_push_it_must_be_the_runs(self, runs: Any) -> None:
        record = runs.red()[0]
        with pytest.raises(OutputError, match="the run of aaaa"):
            foreign.check(record, {**RUN, "event": "push"})
        foreign.check(record, {**RUN, "event": "push", "head_sha": record.version.revision})
