"""Docker processes that run for long: started in sessions of their own, ended on cancellation, read line by line."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

GRACE = 8.0  # seconds that a cancelled build has to end by itself before it is killed
KEPT_LINES = 200  # of what a process prints besides its status, the last ones


class Ended(Struct, frozen=True):
    """How a process ended. `text` is the tail of what it printed besides status lines."""

    returncode: int
    text: str


class Answered(Struct, frozen=True):
    """How a short command ended, and all that it printed."""

    returncode: int
    stdout: str
    stderr: str


class Cancellation:
    """A switch that ends every process that was started under it. Safe to use from signal handlers and threads."""

    def __init__(self) -> None:
        """Not cancelled."""
        self._event = threading.Event()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.RLock()

    @property
    def cancelled(self) -> bool:
        """Whether it was switched."""
        return self._event.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait so long, or until it is switched; whether it is."""
        return self._event.wait(seconds)

    def cancel(self) -> None:
        """Ask all processes to stop, now and from now on; the stubborn ones are killed after `GRACE` seconds."""
        if self._event.is_set():
            return
        self._event.set()
        with self._lock:
            self._end(list(self._running))

    def hurry(self) -> None:
        """Kill what still runs."""
        with self._lock:
            for process in self._running:
                _signal(process, signal.SIGKILL)

    def add(self, process: subprocess.Popen[bytes]) -> None:
        """Watch a process until `remove`."""
        with self._lock:
            self._running.add(process)
            if self.cancelled:
                self._end([process])

    def remove(self, process: subprocess.Popen[bytes]) -> None:
        """Stop watching."""
        with self._lock:
            self._running.discard(process)

    def _end(self, processes: list[subprocess.Popen[bytes]]) -> None:
        for process in processes:
            _signal(process, signal.SIGINT)
        threading.Thread(target=self._kill_later, args=(processes,), daemon=True).start()

    def _kill_later(self, processes: list[subprocess.Popen[bytes]]) -> None:
        end = time.monotonic() + GRACE
        while (left := self._running.intersection(processes)) and time.monotonic() < end:
            time.sleep(0.05)
        for process in left:
            _signal(process, signal.SIGKILL)


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Signal the process' whole group; it leads one, since it was started in a session of its own.

    Also where the leader has ended: buildx may live on after docker, and its pipe is still read.
    """
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


class Deadline:
    """Kills a process after some seconds: its `start` is what `run` takes as `on_start`."""

    def __init__(self, seconds: float) -> None:
        """The time begins with the process."""
        self._seconds = seconds
        self._timer: threading.Timer | None = None
        self._expired = threading.Event()

    @property
    def expired(self) -> bool:
        """Whether the process was killed for its time."""
        return self._expired.is_set()

    def start(self, kill: Callable[[], None]) -> None:
        """Let the time begin."""

        def expire() -> None:
            self._expired.set()
            kill()

        self._timer = threading.Timer(self._seconds, expire)
        self._timer.daemon = True
        self._timer.start()

    def stop(self) -> None:
        """The process has ended."""
        if self._timer:
            self._timer.cancel()


def run(
    command: Sequence[str],
    *,
    env: Mapping[str, str],
    cancellation: Cancellation,
    on_line: Callable[[bytes], bool],
    cwd: Path | None = None,
    terminal: int | None = None,
    on_start: Callable[[Callable[[], None]], None] | None = None,
    stdout: bool = False,
) -> Ended:
    """Run a command to its end, giving each line of its stderr to `on_line`, which says whether it was a status.

    `terminal` is a pseudo-terminal for its stdin and stdout, for commands that insist on one; otherwise both are
    /dev/null, but that `stdout` has it read like stderr. `on_start` is given a function that kills the command. Memory
    does not grow with the output.
    """
    rest: deque[str] = deque(maxlen=KEPT_LINES)
    handle = subprocess.DEVNULL if terminal is None else terminal
    process = subprocess.Popen(
        list(command),
        stdin=handle,
        stdout=subprocess.PIPE if stdout else handle,
        stderr=subprocess.STDOUT if stdout else subprocess.PIPE,
        env=dict(env),
        cwd=cwd,
        start_new_session=True,
        bufsize=1 << 16,
    )
    cancellation.add(process)
    if on_start:
        on_start(lambda: _signal(process, signal.SIGKILL))
    output = process.stdout if stdout else process.stderr
    assert output is not None
    try:
        for line in output:
            if not on_line(line) and line.strip():
                rest.append(line.decode(errors="replace").rstrip())
        return Ended(process.wait(), "\n".join(rest))
    finally:
        cancellation.remove(process)
        if process.poll() is None:
            _signal(process, signal.SIGKILL)
            process.wait()
        output.close()


def answer(command: Sequence[str], *, env: Mapping[str, str], cancellation: Cancellation, seconds: float) -> Answered:
    """Run a short command to its end.

    Raises subprocess.TimeoutExpired where it takes longer than `seconds`, OSError where it cannot be started.
    """
    process = subprocess.Popen(
        list(command),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=dict(env),
        start_new_session=True,
    )
    cancellation.add(process)
    try:
        out, err = process.communicate(timeout=seconds)
        return Answered(process.returncode, out.decode(errors="replace"), err.decode(errors="replace"))
    finally:
        cancellation.remove(process)
        if process.poll() is None:
            _signal(process, signal.SIGKILL)
            process.communicate()
