"""Test results: one model, one reader a format, the JUnit writer."""

from __future__ import annotations

from ci_buildkit.results.collect import merge

__all__ = ["merge"]
