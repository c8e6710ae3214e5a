from __future__ import annotations

from pathlib import Path

import pytest

from ci_buildkit.engine import cosign
from ci_buildkit.engine.cosign import Signing
from ci_buildkit.errors import ConfigurationError

GITHUB = {
    "GITHUB_REPOSITORY": "org/app",
    "GITHUB_SHA": "f" * 40,
    "GITHUB_REF": "refs/tags/v1",
    "GITHUB_SERVER_URL": "https://github.com",
    "ACTIONS_ID_TOKEN_REQUEST_URL": "https://example.com/token",
}


@pytest.mark.parametrize(
    ("text", "signing"),
    [
        ("keyless", Signing()),
        ("key=keyless", Signing()),
        ("cosign.key", Signing("cosign.key")),
        ("key=cosign.key,tlog=false", Signing("cosign.key", tlog=False)),
        ("cosign.key, tlog=false", Signing("cosign.key", tlog=False)),
        ("env://KEY,tlog=true", Signing("env://KEY")),
        ("awskms:///alias/release", Signing("awskms:///alias/release")),
        ("pkcs11:token=t;slot-id=1?module-path=/m", Signing("pkcs11:token=t;slot-id=1?module-path=/m")),
        ('"key=a,b.key",tlog=false', Signing("a,b.key", tlog=False)),
        ("keyless,identity=me@example.com,issuer=https://i", Signing(identity="me@example.com", issuer="https://i")),
    ],
)
def test_every_way_of_signing(text: str, signing: Signing) -> None:
    assert cosign.parse(text) == signing


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", ",", "tlog=false", "key=", "keyless,tlog=false", "cosign.key,tlog=no"),
        *(
            "cosign.key,identity=a,issuer=b",
            "keyless,identity=a",
            "a.key,b.key",
            "a.key,key=b.key",
            "a.key,tlogs=false",
        ),
    ],
)
def test_what_is_no_way_of_signing_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError):
        cosign.parse(text)


def test_without_cosign_nothing_begins(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="not on PATH") as raised:
        cosign.check(Signing(), {**GITHUB, "PATH": str(tmp_path)})
    assert "install" in raised.value.hint


def test_keyless_needs_a_token_and_whom_to_expect(tmp_path: Path) -> None:
    (tmp_path / "cosign").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "cosign").chmod(0o755)
    here = {"PATH": str(tmp_path)}
    cosign.check(Signing(), {**GITHUB, **here})
    with pytest.raises(ConfigurationError, match="needs a token"):
        cosign.check(Signing(), here)
    with pytest.raises(ConfigurationError, match="outside GitHub"):
        cosign.check(Signing(), {**here, "SIGSTORE_ID_TOKEN": "x"})
    cosign.check(Signing(identity="me", issuer="https://i"), {**here, "SIGSTORE_ID_TOKEN": "x"})


def test_keyless_signatures_are_of_this_commit() -> None:
    words = cosign.expected_identity(Signing(), GITHUB)
    assert dict(zip(words[::2], words[1::2], strict=True)) == {
        "--certificate-github-workflow-repository": "org/app",
        "--certificate-github-workflow-sha": "f" * 40,
        "--certificate-github-workflow-ref": "refs/tags/v1",
        "--certificate-identity-regexp": r"^https://github\.com/",
        "--certificate-oidc-issuer": "https://token.actions.githubusercontent.com",
    }


def test_secrets_of_a_key() -> None:
    environ = {"COSIGN_PASSWORD": "hunter22", "KEY": "-----BEGIN", "OTHER": "x"}
    assert Signing("env://KEY").secrets(environ) == ("hunter22", "-----BEGIN")
    assert Signing("cosign.key").secrets({}) == ()
