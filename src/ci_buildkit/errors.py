"""Every error a user can meet, one class an exit code.

The numbers are the public contract of the command line. A message says what happened, why, and the next step; it
never contains a traceback.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar


class CiBuildkitError(Exception):
    """Base of all errors that end a command with a message instead of a traceback."""

    exit_code: ClassVar[int] = 4

    def __init__(self, message: str, *, hint: str = "") -> None:
        """`message` is what happened and why; `hint` the next step, printed on a line of its own."""
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        """The message, and the hint on a line of its own where there is one."""
        return f"{self.message}\n  {self.hint}" if self.hint else self.message


class FailuresFound(CiBuildkitError):
    """Lint findings or failed tests."""

    exit_code = 1


class ConfigurationError(CiBuildkitError):
    """Wrong usage, an unknown target, platform or option, a context that does not exist."""

    exit_code = 2


class BuildFailed(CiBuildkitError):
    """BuildKit ran and a step, or the Dockerfile itself, failed."""

    exit_code = 3


class EngineError(CiBuildkitError):
    """Docker, buildx, the builder or a registry does not answer or refuses."""

    exit_code = 4


class OutputError(CiBuildkitError):
    """Something that must have been produced is missing, unreadable or wrong."""

    exit_code = 5


class GitHubError(CiBuildkitError):
    """GitHub's API refused what was explicitly asked for."""

    exit_code = 6


class Interrupted(CiBuildkitError):
    """Ctrl-C or SIGTERM."""

    exit_code = 130


def said(error: OSError) -> str:
    """What the operating system said, without the error number: `no space left on device: /tmp/x`."""
    text = (error.strerror or str(error)).lower()
    return f"{text}: {error.filename}" if error.filename else text


# The most fundamental first: when several apply, the earliest in this order is the command's exit code.
PRECEDENCE = (130, 2, 4, 3, 5, 1, 6, 0)


def most_fundamental(codes: Iterable[int]) -> int:
    """The exit code to end with when several apply; 0 without any."""
    return min(codes, key=PRECEDENCE.index, default=0)
