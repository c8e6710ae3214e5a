"""Long processes: their lines, their ends, and how they are ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from ci_buildkit.engine import process
from ci_buildkit.engine.process import KEPT_LINES, Cancellation, run

ENV = dict(os.environ)


def shell(script: str, cancellation: Cancellation | None = None, statuses: list[bytes] | None = None) -> process.Ended:
    """Run a script; lines that begin with `{` are statuses."""

    def on_line(line: bytes) -> bool:
        if not line.startswith(b"{"):
            return False
        if statuses is not None:
            statuses.append(line)
        return True

    return run(["sh", "-c", script], env=ENV, cancellation=cancellation or Cancellation(), on_line=on_line)


def test_status_lines_go_to_the_reader_and_the_rest_is_kept() -> None:
    statuses: list[bytes] = []
    ended = shell("echo '{1}' >&2; echo said >&2; echo >&2; printf '\\377 end' >&2; exit 3", statuses=statuses)
    assert statuses == [b"{1}\n"]
    assert (ended.returncode, ended.text) == (3, "said\n\N{REPLACEMENT CHARACTER} end")


def test_only_the_tail_of_a_talkative_process_is_kept() -> None:
    ended = shell("i=0; while [ $i -lt 1000 ]; do i=$((i+1)); echo $i; done >&2")
    assert ended.text.splitlines() == [str(n) for n in range(1001 - KEPT_LINES, 1001)]


def wait_for(path: Path) -> None:
    """Wait until a process wrote its file."""
    deadline = time.monotonic() + 10
    while not (path.exists() and path.read_text().endswith("\n")) and time.monotonic() < deadline:
        time.sleep(0.01)


def cancelling(cancellation: Cancellation, ready: Path) -> threading.Thread:
    """A thread that cancels once a process wrote its file."""

    def cancel() -> None:
        wait_for(ready)
        cancellation.cancel()

    thread = threading.Thread(target=cancel)
    thread.start()
    return thread


def gone(pid: int) -> bool:
    """Whether a process is gone or a zombie within some seconds: a killed one may still be dying."""
    for _ in range(100):
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.05)
    return False


def test_cancelling_ends_a_process_and_a_child_that_outlives_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shell's background child ignores SIGINT and holds the pipe open."""
    monkeypatch.setattr(process, "GRACE", 0.3)
    cancellation = Cancellation()
    pids = tmp_path / "pids"
    timer = cancelling(cancellation, pids)
    began = time.monotonic()
    ended = shell(f"sleep 60 & echo $! >'{pids}'; wait", cancellation)
    timer.join()
    assert ended.returncode == -signal.SIGINT
    assert time.monotonic() - began < 10
    assert gone(int(pids.read_text()))


def test_a_stubborn_process_is_killed_after_its_grace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "GRACE", 0.3)
    cancellation = Cancellation()
    ready = tmp_path / "ready"
    timer = cancelling(cancellation, ready)
    code = f"import signal,time; signal.signal(2, 1); open({str(ready)!r}, 'w').write('\\n'); time.sleep(60)"
    ended = run([sys.executable, "-c", code], env=ENV, cancellation=cancellation, on_line=lambda _: False)
    timer.join()
    assert ended.returncode == -signal.SIGKILL


def test_who_is_in_a_hurry_does_not_wait_for_the_stubborn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "GRACE", 600)
    cancellation = Cancellation()
    ready = tmp_path / "ready"

    def hurry() -> None:
        wait_for(ready)
        cancellation.cancel()
        cancellation.hurry()

    timer = threading.Thread(target=hurry)
    timer.start()
    code = f"import signal,time; signal.signal(2, 1); open({str(ready)!r}, 'w').write('\\n'); time.sleep(60)"
    ended = run([sys.executable, "-c", code], env=ENV, cancellation=cancellation, on_line=lambda _: False)
    timer.join()
    assert ended.returncode == -signal.SIGKILL


def test_what_starts_after_the_cancellation_is_ended_too() -> None:
    cancellation = Cancellation()
    cancellation.cancel()
    assert cancellation.cancelled
    cancellation.cancel()
    began = time.monotonic()
    assert shell("exec sleep 60", cancellation).returncode == -signal.SIGINT
    assert time.monotonic() - began < 10


def test_a_reader_that_fails_leaves_no_process_behind() -> None:
    started: list[int] = []
    popen = subprocess.Popen.__init__

    def spy(self: subprocess.Popen[bytes], *args: Any, **keywords: Any) -> None:
        popen(self, *args, **keywords)
        started.append(self.pid)

    def full(_line: bytes) -> bool:
        raise OSError(28, "No space left on device")

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(subprocess.Popen, "__init__", spy)
        with pytest.raises(OSError, match="No space left"):
            run(["sh", "-c", "echo x >&2; sleep 60"], env=ENV, cancellation=Cancellation(), on_line=full)
    assert len(started) == 1
    assert gone(started[0])
