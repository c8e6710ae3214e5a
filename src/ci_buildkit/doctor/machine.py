"""How the machine is asked: by short commands, each with a limit, that never change anything."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from subprocess import TimeoutExpired

from msgspec import Struct, field

from ci_buildkit.config.options import Options
from ci_buildkit.engine import process
from ci_buildkit.engine.process import Cancellation
from ci_buildkit.errors import said

SECONDS = 5.0  # for one answer


class Reply(Struct, frozen=True):
    """What a command answered. `late` says that it was ended for its time; `code` is None where it did not end by itself."""

    code: int | None
    out: str = ""
    err: str = ""
    late: bool = False

    @property
    def good(self) -> bool:
        """Whether it succeeded."""
        return self.code == 0

    @property
    def said(self) -> str:
        """Why it failed, in its own words, on one line."""
        if self.late:
            return f"no answer within {SECONDS:g} s"
        text = " ".join((self.err or self.out).split())
        return text.removeprefix("ERROR: ") or f"it ended with {self.code}"


class Machine(Struct, frozen=True):
    """This machine as a user's shell has it: the folder, the environment, and the options in force there."""

    root: Path
    environ: Mapping[str, str]
    options: Options = field(default_factory=Options)
    cancellation: Cancellation = field(default_factory=Cancellation)

    def find(self, program: str) -> str:
        """The path of a program on PATH; "" where there is none."""
        return shutil.which(program, path=self.environ.get("PATH", "")) or ""

    def find_tool(self, program: str) -> str:
        """The path of a program on PATH, or of one that was installed beside this Python; "" where there is none."""
        beside = Path(sys.executable).parent / program
        return self.find(program) or (str(beside) if beside.is_file() else "")

    def ask(self, *command: str, seconds: float = SECONDS) -> Reply:
        """Run a command to its end. That it cannot be started, or is too slow, is a reply too."""
        try:
            done = process.answer(command, env=self.environ, cancellation=self.cancellation, seconds=seconds)
        except TimeoutExpired:
            return Reply(None, late=True)
        except OSError as error:
            return Reply(None, err=said(error))
        return Reply(done.returncode, done.stdout, done.stderr)
