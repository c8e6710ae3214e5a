"""Test results: one model, one reader a format, the JUnit writer."""
