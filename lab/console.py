"""Messages for people, errors that end the lab, and child processes that end with it."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

EXIT_ENGINE = 4  # CONTRACTS.md: engine, builder or registry trouble

_children: set[subprocess.Popen[str]] = set()
_lock = threading.Lock()
_quiet = threading.Event()


class LabError(Exception):
    """The lab cannot go on. Its text says what happened, why, and the next step."""

    def __init__(self, what: str, why: str, then: str) -> None:
        """Keep the three parts of the message."""
        super().__init__(f"{what}\n  why:  {why}\n  next: {then}")


def be_quiet() -> None:
    """Suppress progress lines from now on; errors still appear."""
    _quiet.set()


def say(text: str) -> None:
    """Write one progress line to standard error."""
    if not _quiet.is_set():
        with _lock:
            sys.stderr.write(f"lab: {text}\n")
            sys.stderr.flush()


@contextlib.contextmanager
def step(done: str) -> Iterator[None]:
    """Time the enclosed work and report ``done`` with its seconds."""
    start = time.monotonic()
    yield
    say(f"{done} in {time.monotonic() - start:.1f} s")


def run(
    command: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    timeout: float | None = None,
) -> str:
    """Run ``command`` and return its standard output.

    Raises LabError with the end of its standard error when it is missing, fails or takes longer than ``timeout``
    seconds. The child is ended when the lab itself is.
    """
    words = [str(word) for word in command]
    try:
        child = subprocess.Popen(
            words, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
    except FileNotFoundError as error:
        raise LabError(
            what=f"cannot run {words[0]}", why=str(error), then=f"install {words[0]} and try again"
        ) from error
    with _lock:
        _children.add(child)
    try:
        out, err = child.communicate(timeout=timeout)
    except subprocess.TimeoutExpired as error:
        child.kill()
        child.communicate()
        raise LabError(
            what=f"{words[0]} did not end", why=f"still running after {timeout} s", then="see the logs, try again"
        ) from error
    finally:
        with _lock:
            _children.discard(child)
    if child.returncode:
        tail = "\n        ".join((err.strip() or out.strip()).splitlines()[-12:])
        raise LabError(
            what=f"{' '.join(words[:4])} failed ({child.returncode})", why=tail, then="mend what it names and try again"
        )
    return out


def end_children() -> None:
    """End every child that ``run`` still waits for (the lab itself is being ended)."""
    with _lock:
        children = list(_children)
    for child in children:
        child.terminate()
