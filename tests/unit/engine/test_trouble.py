"""What is said of a failure: whose trouble it is, and whether it may pass."""

from __future__ import annotations

import pytest

from ci_buildkit.engine import trouble

GET = "failed to do request: unexpected status from GET request to http://host:5000/v2/a/manifests/1"


@pytest.mark.parametrize(
    ("said", "engine", "passes"),
    [
        (f"{GET}: 500 Internal Server Error", True, True),
        (f"{GET}: 429 Too Many Requests", True, True),
        (f"{GET}: 401 Unauthorized", True, False),
        (f"{GET}: 403 Forbidden", True, False),
        (f"{GET}: 404 Not Found", True, False),
        ("failed to push host/a: denied: requested access to the resource is denied", True, False),
        ("failed to push host/a: failed to do request: dial tcp: connect: connection refused", True, True),
        ("write: no space left on device", True, False),
        ("dial tcp: lookup hots.example: no such host", True, False),
        ("read tcp 127.0.0.1:1->127.0.0.1:2: read: connection reset by peer", True, True),
        ('failed to do request: Put "http://host/v2/a/manifests/1": EOF', True, True),
        ("failed to resolve source metadata: short read: expected 54 bytes but got 27: unexpected EOF", True, True),
        ("failed to push host/a: toomanyrequests: slow down", True, True),
        ("failed to push host/a: unknown: unknown error", True, True),
        ("failed to do request: tls: failed to verify certificate: x509: unknown authority", True, False),
        ("failed to unpack archive: unexpected EOF", False, False),
        ("host/a:1: not found", False, False),
        ("open /src: permission denied", False, False),
        ("dockerfile parse error on line 3: unknown instruction: FORM", False, False),
        ("", False, False),
    ],
)
def test_whose_trouble_it_is_and_whether_it_may_pass(said: str, engine: bool, passes: bool) -> None:
    assert (trouble.is_engine(said), trouble.may_pass(said)) == (engine, passes)


def test_one_refusal_among_other_trouble_lasts() -> None:
    assert trouble.lasts(f"{GET}: 500 Internal Server Error; {GET}: 403 Forbidden")
    assert not trouble.lasts("it ended without a message")
