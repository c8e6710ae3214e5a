"""Credentials in ARG and ENV."""

from __future__ import annotations

import pytest

from .conftest import Diagnose

KEY = "ghp_" + "a" * 36


@pytest.mark.parametrize(
    ("line", "severities"),
    [
        ("ARG NPM_TOKEN", ["warning"]), ("ARG DB_PASSWORD=hunter2hunter", ["warning"]), ("ENV API_KEY=$API_KEY", ["warning"]),
        ("ENV A=1 AWS_SECRET_ACCESS_KEY=abcdef", ["warning"]), (f"ENV X={KEY}", ["error"]), (f'ARG X="{KEY}"', ["error"]),
        ("ARG TOKEN SECRET", ["warning", "warning"]), ("ENV PASSWORD hunter2hunter", ["warning"]),
    ],
)  # fmt: skip
def test_what_looks_like_a_credential_is_told_without_its_value(
    diagnose: Diagnose, line: str, severities: list[str]
) -> None:
    found = diagnose(f"FROM alpine:3.22\n{line}\n", "secret-in-image")
    assert [one.severity for one in found] == severities
    assert all("--mount=type=secret" in one.message for one in found)
    assert not any(word in one.message for one in found for word in ("hunter2", KEY, "abcdef"))


@pytest.mark.parametrize(
    "line",
    [
        "ARG VERSION=1", "ENV TOKEN_FILE=/run/token", "ARG PUBLIC_KEY", "ENV SECRET_KEY_BASE_DUMMY=1", "ENV GPG_KEY=A035C8C19219BA821E", "ARG TOKEN_URL",
        "RUN echo $NPM_TOKEN", "ENV PASSWORD=", "ENV AUTH=true",
    ],
)  # fmt: skip
def test_harmless_names_and_values_are_left_alone(diagnose: Diagnose, line: str) -> None:
    assert diagnose(f"FROM alpine:3.22\n{line}\n", "secret-in-image") == []
