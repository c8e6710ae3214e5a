"""Lint findings: one model, one reader a format, the SARIF writer."""
