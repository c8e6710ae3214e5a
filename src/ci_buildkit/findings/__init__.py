"""Lint findings: one model, one reader a format, the SARIF writer."""

from __future__ import annotations

from ci_buildkit.findings.collect import merge

__all__ = ["merge"]
