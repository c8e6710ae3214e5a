"""The log of a job: groups, nothing that acts, bounded output, signs of life."""

from __future__ import annotations

import io
import re
import threading
import time
from typing import TYPE_CHECKING

from ci_buildkit.github.log import HEAD_LINES, TAIL_LINES, GitHubView
from ci_buildkit.pipeline.view import Snapshot, View
from ci_buildkit.record import StageOutcome, StageRecord

if TYPE_CHECKING:
    from pathlib import Path


def stage(outcome: StageOutcome, **more: object) -> StageRecord:
    return StageRecord.model_validate(
        {"name": "lint", "kind": "lint", "target": "lint", "platforms": (), "outcome": outcome, "seconds": 3.2, **more}
    )


def executed(output: str) -> list[str]:
    """The lines that the runner would execute, by its own rules (ActionCommandManager, ActionCommand)."""
    stopped, commands = "", []
    for line in output.splitlines():
        if stopped:
            stopped = "" if line.strip() == f"::{stopped}::" else stopped
        elif found := re.match(r"\s*::stop-commands::(.+)", line):
            stopped = found[1]
        elif re.match(r"\s*::\S", line) or "##[" in line:
            commands.append(line)
    assert not stopped
    return commands


def test_a_passed_stage_is_a_group(tmp_path: Path) -> None:
    stream = io.StringIO()
    view: View = GitHubView(stream)
    log = tmp_path / "lint.log"
    log.write_bytes(b"#1 hello\n::error::evil\n#2 0.1 ##[add-matcher]/x\r\n\x1b[31mred\x1b[0m \xff\n")
    view.start(["lint", "##[error]x"])
    view.phase("::error::phase ##[error]x")
    view.log("lint", "step", "never shown")
    view.finished(stage("passed", steps=12, cached_steps=9), log)
    view.close()
    output = stream.getvalue()
    assert executed(output) == ["::group::lint · passed in 3.2 s · 9 of 12 steps cached", "::endgroup::"]
    assert "#1 hello\n::error::evil\n#2 0.1 ## [add-matcher]/x\nred \ufffd\n" in output
    assert "never shown" not in output
    assert output.endswith("::endgroup::\n")


def test_a_failed_stage_shows_its_end_unfolded(tmp_path: Path) -> None:
    stream = io.StringIO()
    view = GitHubView(stream)
    log = tmp_path / "lint.log"
    log.write_text("".join(f"line {n}\n" for n in range(100)) + "::error::evil\n")
    view.finished(stage("failed", reason="1 finding\n::error::x"), log)
    view.close()
    output = stream.getvalue()
    assert executed(output) == ["::group::lint · failed in 3.2 s · 1 finding ::error::x", "::endgroup::"]
    unfolded = output.partition("::endgroup::\n")[2]
    assert "  line 99\n  ::error::evil\n" in unfolded
    assert "line 50\n" not in unfolded


def test_a_huge_log_is_bounded(tmp_path: Path) -> None:
    stream = io.StringIO()
    view = GitHubView(stream)
    log = tmp_path / "lint.log"
    with log.open("w") as file:
        for n in range(400_000):
            file.write(f"#7 {n} {'x' * 100}\n")
    began = time.perf_counter()
    view.finished(stage("passed"), log)
    assert time.perf_counter() - began < 3
    view.close()
    lines = stream.getvalue().splitlines()
    assert len(lines) == HEAD_LINES + TAIL_LINES + 5
    assert sum("left out here; the whole log is logs/lint.log" in line for line in lines) == 1
    assert lines[-3].startswith("#7 399999 ")


def test_a_missing_log_is_said(tmp_path: Path) -> None:
    stream = io.StringIO()
    view = GitHubView(stream)
    view.finished(stage("skipped"), tmp_path / "none.log")
    view.close()
    assert "(the log cannot be read: No such file or directory)" in stream.getvalue()


def test_messages() -> None:
    stream = io.StringIO()
    view = GitHubView(stream)
    view.message("notice", "::error::x")
    view.message("warning", "two\nlines 100%")
    view.message("error", "bad")
    view.close()
    assert executed(stream.getvalue()) == ["::warning::two lines 100%25", "::error::bad"]


def test_heartbeat_while_a_stage_runs(tmp_path: Path) -> None:
    stream = io.StringIO()
    view = GitHubView(stream, heartbeat=0.02)
    time.sleep(0.06)
    assert stream.getvalue() == ""
    view.progress("lint", Snapshot("RUN golangci-lint ##[error]x\n::error::y", 7, 3, 12, 61.0))
    deadline = time.monotonic() + 5
    while "lint" not in stream.getvalue() and time.monotonic() < deadline:
        time.sleep(0.01)
    view.finished(stage("passed"), tmp_path / "none.log")
    view.close()
    output = stream.getvalue()
    assert re.search(
        r"^Running for .*: lint 7/12 RUN golangci-lint ## \[error\]x ::error::y \(1 min 01 s\)$", output, re.MULTILINE
    )
    assert executed(output) == ["::group::lint · passed in 3.2 s", "::endgroup::"]
    assert "heartbeat" not in {thread.name for thread in threading.enumerate()}


def test_a_closed_stream_raises_nothing(tmp_path: Path) -> None:
    stream = io.StringIO()
    view = GitHubView(stream)
    stream.close()
    view.start(["a"])
    view.finished(stage("failed"), tmp_path / "none.log")
    view.message("error", "x")
    view.close()
