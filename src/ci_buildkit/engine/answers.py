"""Answers of BuildKit that depend on nothing but what was asked, kept between runs.

A question costs a process and a round trip through the builder (0.3 s); the stages of a Dockerfile follow from its text.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

KEPT = 200  # answers; the oldest go


def folder(environ: Mapping[str, str]) -> Path:
    """Where what can be had again is kept between runs."""
    return Path(environ.get("XDG_CACHE_HOME") or f"{environ.get('HOME', '')}/.cache", "ci-buildkit")


class Answer:
    """One question's place in the cache folder. Everything about the folder may fail: then the question is asked."""

    def __init__(self, environ: Mapping[str, str], question: Iterable[str | bytes]) -> None:
        """`question` is everything that the answer depends on."""
        parts = [part.encode() if isinstance(part, str) else part for part in question]
        key = hashlib.sha256(b"\0".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()
        self._path = folder(environ) / "answers" / key

    def get(self) -> str | None:
        """The kept answer, None where there is none."""
        try:
            return self._path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return None

    def forget(self) -> None:
        """Drop the kept answer."""
        with contextlib.suppress(OSError):
            self._path.unlink()

    def put(self, answer: str) -> None:
        """Keep an answer, as a whole."""
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            part = self._path.with_suffix(f".{os.getpid()}")
            part.write_text(answer, encoding="utf-8")
            part.replace(self._path)
            kept = sorted(self._path.parent.iterdir(), key=lambda path: path.stat().st_mtime)
            for old in kept[:-KEPT]:
                old.unlink()
