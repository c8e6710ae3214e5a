"""The `ci-buildkit` command."""

from __future__ import annotations

import gc
import io
import os
import sys
from pathlib import Path
from typing import Any, TextIO


class Output(io.FileIO):
    """Stdout or stderr. A reader may leave: the command then ends with its own exit code, as if all had been read.

    Any other trouble, such as a full disk, is raised once; Python would tell it again when it closes the output.
    """

    _broken = False

    def write(self, data: Any, /) -> int:
        """Write as much as goes; what nobody can get any more is dropped. Raises OSError."""
        if not self._broken:
            try:
                return super().write(data)
            except OSError as error:
                self._broken = True
                if not isinstance(error, BrokenPipeError):
                    raise
        return len(memoryview(data).cast("B"))


def _output(stream: TextIO | None) -> TextIO:
    """The same stream over an `Output`; where it was closed, one to nowhere."""
    if stream is None:
        return Path(os.devnull).open("w", encoding="utf-8")
    if not isinstance(stream, io.TextIOWrapper):
        return stream
    try:
        number = stream.fileno()
    except io.UnsupportedOperation:  # a stream in memory has no reader that leaves
        return stream
    raw = io.BufferedWriter(Output(number, "wb", closefd=False))
    at_once = stream.line_buffering or stream.write_through  # the second with PYTHONUNBUFFERED
    return io.TextIOWrapper(raw, stream.encoding, stream.errors, line_buffering=at_once)


def main() -> int:
    """Run the command line of this process and return its exit code."""
    if sys.argv[1:] == ["--version"]:  # answered before anything is imported
        from ci_buildkit import __version__

        print(f"ci-buildkit {__version__}")
        return 0
    from ci_buildkit.cli.main import main as run

    sys.stdout, sys.stderr = _output(sys.stdout), _output(sys.stderr)
    code = run(sys.argv[1:])
    gc.freeze()  # the process is over: the search for garbage at its end would take 0.05 s after a run
    return code


if __name__ == "__main__":
    sys.exit(main())
