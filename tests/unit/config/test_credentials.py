"""What is hidden of a value that may hold a credential, and what stays to be read."""

from __future__ import annotations

import pytest

from ci_buildkit.config.credentials import masked
from ci_buildkit.config.shown import open_text

GITHUB = "ghp_" + "a1" * 18


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("GO_VERSION=1.26", "GO_VERSION=1.26"),
        ("NPM_TOKEN=a,b=c", "NPM_TOKEN=***"),
        ("MESSAGE=" + GITHUB, "MESSAGE=***"),
        (GITHUB, "***"),
        (f"{GITHUB}=x", "***"),
        ("PROXY=http://user:p@ss@proxy:3128/x@y", "PROXY=http://***@proxy:3128/x@y"),
        ("https://token@example.com/org", "https://***@example.com/org"),
        ("tcp://user:word@host", "tcp://***@host"),
        ("ssh://build@arm.example.com:22", "ssh://build@arm.example.com:22"),
        ("-----BEGIN RSA " + "PRIVATE KEY-----\nabc", "***"),
        ("", ""),
    ],
)
def test_a_text_without_credentials(text: str, seen: str) -> None:
    assert masked(text) == seen


@pytest.mark.parametrize(
    ("name", "text", "seen"),
    [
        ("login", "registry=ghcr.io,username=me,password-env=TOKEN", "registry=ghcr.io,username=me,password-env=TOKEN"),
        ("login", "username=me,password-file=/run/x", "username=me,password-file=/run/x"),
        ("login", "username=me,password=hunter2", "username=me,password=***"),
        ("login", "username=me,password-env=hunter2", "username=me,password-env=***"),
        ("login", "username=me,hunter2", "username=me,***"),
        ("login", 'username=me,"password=a,b"', "username=me,password=***"),
        ("login", "hunter2\nb", "***"),
        ("secret", "id=a,src=.netrc", "id=a,src=.netrc"),
        ("secret", "id=a,env=TOKEN", "id=a,env=TOKEN"),
        ("secret", f"id=a,env={GITHUB}", "id=a,env=***"),
        ("secret", "id=a,value=hunter2", "id=a,value=***"),
        ("secret", "hunter2", "***"),
        ("build_arg", "A=x,PASSWORD=y", "A=x,PASSWORD=y"),
        ("build_arg", "DB_PASSWORD=x,y", "DB_PASSWORD=***"),
        ("cache_to", "type=s3,access_key_id=A,secret_access_key=b", "type=s3,access_key_id=A,secret_access_key=***"),
        ("node", "name=a,endpoint=tcp://u:p@h:1,platforms=x;y", "name=a,endpoint=tcp://***@h:1,platforms=x;y"),
        ("builder_image", "host:5000/moby/buildkit:v1", "host:5000/moby/buildkit:v1"),
        ("lint_pattern", "^(?P<path>.+): (?P<message>.+)$", "^(?P<path>.+): (?P<message>.+)$"),
    ],
)
def test_a_value_of_an_option(name: str, text: str, seen: str) -> None:
    assert open_text(name, text) == seen


@pytest.mark.parametrize(
    ("name", "text", "seen"),
    [
        ("driver_opt", "env.API_TOKEN=hunter2,network=host", "env.API_TOKEN=***"),
        ("node", "name=a,env.PASSWORD=hunter2", "name=a,env.PASSWORD=***"),
        ("label", "com.example.api-key=hunter2", "com.example.api-key=***"),
        ("label", "com.example.token.file=/run/x", "com.example.token.file=/run/x"),
        ("label", "org.opencontainers.image.authors=Me", "org.opencontainers.image.authors=Me"),
    ],
)
def test_names_with_dots_and_hyphens(name: str, text: str, seen: str) -> None:
    assert open_text(name, text).startswith(seen)
    assert "hunter2" not in open_text(name, text)
