"""What looks like a credential, and what only sounds like one."""

from __future__ import annotations

import pytest

from ci_buildkit.config.credentials import suspicious
from ci_buildkit.errors import ConfigurationError
from ci_buildkit.plan.credentials import check

GITHUB = "ghp_" + "a1" * 18


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NPM_TOKEN", "abc"), ("DB_PASSWORD", "hunter2"), ("PASSWD", "x"), ("token", "x"), ("API_KEY", "x"), ("APIKEY", "x"),
        ("AWS_SECRET_ACCESS_KEY", "x"), ("SSH_PRIVATE_KEY", "x"), ("BASIC_AUTH", "user:pw"), ("SIGNING_KEY", "x"),
        ("MESSAGE", GITHUB), ("X", "AKIA" + "IOSFODNN7EXAMPLE"), ("X", "-----BEGIN OPENSSH " + "PRIVATE KEY-----\nabc"),
        ("JWT", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.x"), ("TOKEN_URL", f"https://{GITHUB}@example.com"),
    ],
)  # fmt: skip
def test_a_credential(name: str, value: str) -> None:
    assert suspicious(name, value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("VERSION", "v1.2.3"), ("SSH_PUBLIC_KEY", "ssh-ed25519 AAAA"), ("TOKEN_URL", "https://example.com"), ("CACHE_KEY", "go"),
        ("AUTHOR", "someone"), ("USE_TOKEN", "true"), ("AUTH", "none"), ("API_KEY", ""), ("TOKENIZER", "bert"),
        ("PASSWORD_FILE", "/run/secrets/x"), ("REVISION", "0" * 40), ("KEYBOARD", "de"), ("SECRETS", "x"),
    ],
)  # fmt: skip
def test_no_credential(name: str, value: str) -> None:
    assert not suspicious(name, value)


def test_the_value_is_not_told() -> None:
    with pytest.raises(ConfigurationError) as caught:
        check("app", {"VERSION": "v1", "MESSAGE": GITHUB, "DB_PASSWORD": "hunter2"})
    said = str(caught.value)
    assert "MESSAGE, DB_PASSWORD look like a credential" in said
    assert "--secret id=MESSAGE,env=MESSAGE" in said
    assert GITHUB not in said
    assert "hunter2" not in said
