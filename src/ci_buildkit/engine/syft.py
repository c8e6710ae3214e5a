"""syft, which lists what a folder of files is made of (github.com/anchore/syft)."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from ci_buildkit.engine.process import Cancellation, Ended, run
from ci_buildkit.errors import OutputError


def installed(environ: Mapping[str, str]) -> str | None:
    """Where syft is, None where it is not on PATH."""
    return shutil.which("syft", path=environ.get("PATH"))


def scan(
    program: str, folder: Path, name: str, out: Path, environ: Mapping[str, str], cancellation: Cancellation
) -> bytes:
    """An SPDX document in JSON about the files of a folder, which it calls `name`; written to `out` on the way.

    Nothing is asked of the network. Raises OutputError with what syft said.
    """
    flags = ["--base-path", str(folder), "--source-name", name, "--quiet", "--output", f"spdx-json={out}"]
    ended: Ended = run(
        [program, "scan", f"dir:{folder}", *flags],
        env={**environ, "SYFT_CHECK_FOR_APP_UPDATE": "false"},
        cancellation=cancellation,
        on_line=lambda _: False,
    )
    if ended.returncode:
        raise OutputError(
            f"syft failed on {folder.name}: {ended.text or f'exit code {ended.returncode}'}",
            hint="run `syft scan dir:FOLDER` there by hand",
        )
    return out.read_bytes()
