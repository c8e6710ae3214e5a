"""A `docker` command that says what a test wants it to say."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

Docker = Callable[[str], Path]


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Docker:
    """Put a shell script on PATH as `docker`; it notes its arguments in the file that is returned, one call a line."""

    def make(body: str) -> Path:
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        calls = tmp_path / "calls"
        calls.touch()
        command = folder / "docker"
        command.write_text(f"#!/bin/sh\nprintf '%s\\n' \"$*\" >>'{calls}'\n{body}\n", encoding="utf-8")
        command.chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
        return calls

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return make
