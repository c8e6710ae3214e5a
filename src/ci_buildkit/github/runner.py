"""GitHub's runner: its environment, its files and its workflow commands.

Rules: actions/toolkit `packages/core/src/command.ts` (escaping) and `file-command.ts` (heredocs), actions/runner
`ActionCommand.cs` (what counts as a command) and `ExecutionContext.cs` (limits of annotations).
"""

from __future__ import annotations

import os
import re
import secrets
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from ci_buildkit.errors import ConfigurationError
from ci_buildkit.report.text import plain, say

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# GitHub drops a step's summary whole past this many bytes (runner: FileCommandManager.AttachmentSizeLimit).
SUMMARY_BYTES = 1 << 20
_TOO_LONG = "\n_The rest of this summary is in the report: a step's summary holds 1 MiB._\n"
_OUTPUT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


def escape_data(text: str) -> str:
    """The text as the message of a workflow command."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def escape_property(text: str) -> str:
    """The text as the value of a workflow command's property."""
    return escape_data(text).replace(":", "%3A").replace(",", "%2C")


def command(name: str, message: str = "", properties: Mapping[str, str | int | None] | None = None) -> str:
    """One workflow command without line end: `::error file=a.go,line=3::message`. Properties that are None are left out."""
    pairs = [f"{key}={escape_property(str(value))}" for key, value in (properties or {}).items() if value is not None]
    return f"::{name}{' ' if pairs else ''}{','.join(pairs)}::{escape_data(message)}"


def group(title: str) -> str:
    """The command that opens a folded group in the log."""
    return command("group", plain(title))


def endgroup() -> str:
    """The command that closes a group."""
    return command("endgroup")


def add_mask(value: str) -> list[str]:
    """The commands that hide a secret in the log from now on: the whole, and each line of one with several."""
    lines = [line for line in value.splitlines() if line.strip()]
    return [command("add-mask", one) for one in dict.fromkeys([value, *lines]) if one.strip()]


@contextmanager
def stop_commands(stream: TextIO) -> Iterator[None]:
    """While it is open, the runner executes nothing that is printed. The token is random, so nothing can guess it."""
    token = secrets.token_hex(16)
    say(stream, command("stop-commands", token))
    try:
        yield
    finally:
        say(stream, f"::{token}::")


def say_untrusted(stream: TextIO, text: str) -> None:
    """Prints text of any origin, several lines too, so that the runner executes none of it."""
    with stop_commands(stream):
        for line in plain(text).rstrip("\n").split("\n"):
            say(stream, line)


@dataclass(frozen=True, slots=True)
class GitHub:
    """What the runner told this step. Texts are empty and paths None where it said nothing."""

    is_github: bool = False
    is_act: bool = False
    output_path: Path | None = None
    summary_path: Path | None = None
    workspace: Path | None = None
    repository: str = ""
    sha: str = ""
    ref: str = ""
    event_name: str = ""
    event_path: Path | None = None
    server_url: str = ""
    api_url: str = ""
    run_id: str = ""
    run_attempt: str = ""
    debug: bool = False
    token: str = field(default="", repr=False)

    @classmethod
    def from_environ(cls, environ: Mapping[str, str] | None = None) -> GitHub:
        """Reads the variables of this process, or those given."""
        env = os.environ if environ is None else environ

        def path(name: str) -> Path | None:
            return Path(env[name]) if env.get(name) else None

        return cls(
            is_github=env.get("GITHUB_ACTIONS") == "true",
            is_act=env.get("ACT") == "true",
            output_path=path("GITHUB_OUTPUT"),
            summary_path=path("GITHUB_STEP_SUMMARY"),
            workspace=path("GITHUB_WORKSPACE"),
            repository=env.get("GITHUB_REPOSITORY", ""),
            sha=env.get("GITHUB_SHA", ""),
            ref=env.get("GITHUB_REF", ""),
            event_name=env.get("GITHUB_EVENT_NAME", ""),
            event_path=path("GITHUB_EVENT_PATH"),
            server_url=env.get("GITHUB_SERVER_URL", ""),
            api_url=env.get("GITHUB_API_URL", ""),
            run_id=env.get("GITHUB_RUN_ID", ""),
            run_attempt=env.get("GITHUB_RUN_ATTEMPT", ""),
            debug=env.get("RUNNER_DEBUG") == "1",
            token=env.get("GITHUB_TOKEN", "").strip(),
        )

    @property
    def run_url(self) -> str:
        """The address of this workflow run's page; empty where it is not known (act has no page)."""
        if self.is_act or not (self.server_url and self.repository and self.run_id):
            return ""
        attempt = f"/attempts/{self.run_attempt}" if self.run_attempt else ""
        return f"{self.server_url}/{self.repository}/actions/runs/{self.run_id}{attempt}"

    def set_output(self, name: str, value: str) -> None:
        """Sets a step output.

        Raises `ConfigurationError` for a name the runner would misread, a value that holds the delimiter, and where
        the runner gave no file.
        """
        if not _OUTPUT_NAME.fullmatch(name):
            message = f"{name!r} cannot be the name of a step output"
            raise ConfigurationError(message, hint="use letters, digits, - and _")
        delimiter = f"ghadelimiter_{uuid.uuid4()}"
        if delimiter in value:
            message = f"the value of output {name} contains the delimiter {delimiter}, so the runner would cut it there"
            raise ConfigurationError(message, hint="set the output again: the delimiter is random")
        _append(self.output_path, "GITHUB_OUTPUT", f"{name}<<{delimiter}\n{value}\n{delimiter}\n")

    def append_summary(self, markdown: str) -> bool:
        """Appends to the job summary; False where the step's 1 MiB does not hold it and only a notice was written.

        Raises `ConfigurationError` where the runner gave no file.
        """
        text = markdown if markdown.endswith("\n") else markdown + "\n"
        file = _existing(self.summary_path, "GITHUB_STEP_SUMMARY")
        # One byte for the line end that may have to go before.
        room = SUMMARY_BYTES - file.stat().st_size - 1
        fits = len(text.encode("utf-8", "replace")) <= room
        if not fits and len(_TOO_LONG) > room:
            return False
        _append(file, "GITHUB_STEP_SUMMARY", text if fits else _TOO_LONG)
        return fits


def _append(path: Path | None, variable: str, text: str) -> None:
    file = _existing(path, variable)
    try:
        with file.open("rb+") as stream:
            end = stream.seek(0, os.SEEK_END)
            stream.seek(max(0, end - 1))
            # What others wrote may not end its last line, and the runner reads line by line.
            joint = "" if end == 0 or stream.read(1) == b"\n" else "\n"
            stream.seek(0, os.SEEK_END)
            stream.write((joint + text).encode("utf-8", "replace"))
    except OSError as error:
        message = f"the file of {variable} cannot be written: {file}: {error.strerror}"
        raise ConfigurationError(
            message, hint=f"check that {variable} is the path the runner gave to this step"
        ) from error


def _existing(path: Path | None, variable: str) -> Path:
    if path is None:
        message = f"{variable} is not set"
        raise ConfigurationError(
            message, hint="GitHub's runner sets it; outside of a workflow there is nothing to write"
        )
    if not path.is_file():
        message = f"{variable} names no file: {path}"
        raise ConfigurationError(message, hint=f"unset {variable} or create the file")
    return path
