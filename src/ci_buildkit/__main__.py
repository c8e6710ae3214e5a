"""The `ci-buildkit` command."""

from __future__ import annotations

import io
import sys
from typing import Any, TextIO


class Patient(io.FileIO):
    """An output whose reader may leave: what nobody reads is dropped, and the command ends with its own exit code."""

    def write(self, data: Any, /) -> int | None:
        """Write as much as goes; everything where nobody reads any more."""
        try:
            return super().write(data)
        except BrokenPipeError:
            return len(memoryview(data).cast("B"))


def _patient(stream: TextIO) -> TextIO:
    if not isinstance(stream, io.TextIOWrapper):
        return stream
    raw = io.BufferedWriter(Patient(stream.fileno(), "wb", closefd=False))
    return io.TextIOWrapper(
        raw, stream.encoding, stream.errors, line_buffering=stream.line_buffering, write_through=stream.write_through
    )


def main() -> int:
    """Run the command line of this process and return its exit code."""
    if sys.argv[1:] == ["--version"]:  # answered before anything is imported
        from ci_buildkit import __version__

        print(f"ci-buildkit {__version__}")
        return 0
    from ci_buildkit.cli.main import main as run

    sys.stdout, sys.stderr = _patient(sys.stdout), _patient(sys.stderr)
    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
