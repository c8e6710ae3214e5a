"""The views for people, and the last words of a run."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import struct
import termios
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from ci_buildkit.pipeline.view import Snapshot, View
from ci_buildkit.record import RunRecord, StageOutcome, StageRecord
from ci_buildkit.report.terminal import LiveView, PlainView, end_text
from ci_buildkit.results.model import TestReport

if TYPE_CHECKING:
    from types import ModuleType

    import pytest

EVIL = "evil \x1b]0;title\x07\x1b[2J[bold]x[/bold] ##[error]y"


def stage(name: str, outcome: StageOutcome, **more: object) -> StageRecord:
    return StageRecord.model_validate(
        {"name": name, "kind": "lint", "target": name, "platforms": (), "outcome": outcome, "seconds": 3.2, **more}
    )


def play(view: View, log: Path) -> None:
    view.phase("creating builder")
    view.start(["lint", "test"])
    view.progress("lint", Snapshot(EVIL, 1, 1, 9, 0.5))
    view.progress("lint", Snapshot(EVIL, 1, 1, 9, 0.6))
    view.progress("test", Snapshot("RUN go test", 0, 0, 4, 0.5))
    view.log("test", "RUN go test", f"ok\r::error::{EVIL}")
    view.message("warning", EVIL)
    view.finished(stage("lint", "failed", steps=9, cached_steps=3, reason=EVIL), log)
    view.finished(stage("test", "passed", steps=4), log)
    view.close()


def test_plain_lines(tmp_path: Path) -> None:
    stream = io.StringIO()
    ticks = iter(range(100))
    play(PlainView(stream, clock=lambda: float(next(ticks))), tmp_path / "none")
    clean = "evil [bold]x[/bold] ## [error]y"
    assert stream.getvalue().splitlines() == [
        "1.0 creating builder",
        "2.0 stages: lint, test",
        f"3.0 [lint] step 2/9 {clean}",
        "4.0 [test] step 1/4 RUN go test",
        f"[test] ::error::{clean}",
        f"5.0 warning: {clean}",
        f"6.0 lint failed in 3.2 s, 3 of 9 steps cached ({clean})",
        "7.0 test passed in 3.2 s, 0 of 4 steps cached",
    ]


def terminal(rows: int, columns: int) -> tuple[int, io.TextIOWrapper]:
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    return master, os.fdopen(slave, "w", encoding="utf-8")


def drain(master: int, stream: io.TextIOWrapper) -> str:
    chunks: list[bytes] = []

    def read() -> None:
        while True:
            try:
                chunk = os.read(master, 65536)
            except OSError:
                return
            if not chunk:
                return
            chunks.append(chunk)

    reader = threading.Thread(target=read)
    reader.start()
    stream.close()
    reader.join(timeout=5)
    os.close(master)
    return b"".join(chunks).decode()


def test_live_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"TERM": "xterm-256color", "COLUMNS": "120", "LINES": "30"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("NO_COLOR", raising=False)
    log = tmp_path / "lint.log"
    log.write_text("".join(f"line {n} {EVIL}\n" for n in range(50)))
    master, stream = terminal(30, 120)
    play(LiveView(stream), log)
    output = drain(master, stream)
    assert "\x1b]0;" not in output
    assert "\x1b[2J" not in output
    assert output.count("\x1b[?25l") == output.count("\x1b[?25h") == 1
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", output)
    assert "line 49 evil [bold]x[/bold]" in shown
    assert "line 29 evil" not in shown
    last = shown.replace("\r", "").rstrip().split("\n")[-2:]
    assert re.match(r"✗ lint\s+failed: evil \[bold\]x\[/bold\].*9 steps 3 cached 3\.2 s", last[0])
    assert re.match(r"✓ test\s+passed\s+4 steps\s+3\.2 s", last[1])


def test_live_view_of_more_stages_than_lines(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in {"TERM": "xterm", "COLUMNS": "80", "LINES": "8"}.items():
        monkeypatch.setenv(name, value)
    master, stream = terminal(8, 80)
    view = LiveView(stream)
    names = [f"stage-{n:02}" for n in range(20)]
    view.start(names)
    for name in names:
        view.progress(name, Snapshot("RUN x", 1, 0, 2, 1.0))
    assert view._visible()[1] == 15
    for name in names:
        view.finished(stage(name, "passed"), tmp_path / "none")
    view.close()
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", drain(master, stream))
    assert all(re.search(rf"✓ {name}\s+passed", shown) for name in names)


def test_live_view_without_unicode_and_with_a_dead_terminal(tmp_path: Path) -> None:
    poor = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    view = LiveView(poor)
    play(view, tmp_path / "none")
    poor.seek(0)
    assert "x lint" in poor.read()
    poor.close()
    play(LiveView(_Dead(io.BytesIO(), encoding="utf-8")), tmp_path / "none")


class _Dead(io.TextIOWrapper):
    def write(self, _text: str, /) -> int:
        raise BrokenPipeError


def last_words(run: tuple[RunRecord, TestReport], folder: str) -> str:
    return end_text(run[0], run[1], Path(folder))


def test_end_of_a_red_run(runs: ModuleType) -> None:
    text = last_words(runs.red(), "ci-report")
    lines = text.splitlines()
    assert (
        lines[0]
        == "Failed: 2 of 9 tests failed, 3 lint findings, 1 problem, 1 flaky test, version v1.4.0-3-g9f3c2b7, in 21.4 s"
    )
    assert (
        "  internal/hello/hello_test.go:41: example.com/buildme/internal/hello: TestHello/german: "
        'Not equal: expected "Hallo, Welt", actual "Hello, Welt"' in lines
    )
    assert "  cmd/server/main.go:23:10: Error return value of `w.Write` is not checked (errcheck)" in lines
    assert lines[-1] == "Report: ci-report/report.html"


def test_end_of_a_green_run(runs: ModuleType) -> None:
    text = last_words(runs.green(), "/x/ci-report")
    assert text.startswith("Passed: 7 tests, 1 flaky test, 6 binaries, 1 image pushed, version")
    assert f"registry.example.com/team/buildme:edge {runs.DIGEST} (pushed)" in text


def test_what_does_not_count_is_told(runs: ModuleType) -> None:
    record, tests = runs.waived()
    lines = end_text(record, tests, Path("r"), known=runs.KNOWN).splitlines()
    assert lines[0].startswith("Passed: 10 tests, 2 failures let pass, 1 flaky test, ")
    assert (
        "  internal/hello/upload_test.go:9: example.com/buildme/internal/hello: TestUpload: 503 Service Unavailable "
        "[quarantined until 2030-01-31: the server is being replaced]" in lines
    )
    assert "  cmd/client/main_test.go:30: example.com/buildme/cmd/client: TestRetries (passed at attempt 3)" in lines
    assert lines[lines.index("Known findings:") + 1].startswith("  internal/hello/hello.go:9:1: package comment")


def test_end_is_bounded_and_hostile_text_stays_text(runs: ModuleType) -> None:
    record, tests = runs.large(5000, 0)
    assert len(end_text(record, tests, Path("r")).splitlines()) < 60
    text = last_words(runs.hostile(), "r")
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", text)
    assert "##[" not in text
    assert not any(line.lstrip().startswith("::") for line in text.splitlines())
    assert end_text(record.model_copy(update={"stages": ()}), TestReport(), Path("r"))
