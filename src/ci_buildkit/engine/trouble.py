"""Whether what BuildKit, buildx or docker says of a failure is the engine's or a registry's trouble, and whether it may
pass. Pure.

BuildKit and buildx ask again at once, twice in all after a 5xx and five times after a 429 (containerd, core/remotes/docker,
request.retry). Only where it copies content does BuildKit wait 1, 2 and 4 seconds after a 5xx or a broken connection
(util/resolver/retryhandler). What they say then is said for good.
"""

from __future__ import annotations

import re

# Substrings of messages, in lower case. What may be over in some seconds:
PASSING = (
    "connection refused",
    "connection reset",
    "i/o timeout",
    "tls handshake",
    "unexpected status from",
    "failed to push",
    "error reading from server",
    "transport is closing",
    "closing transport",
    "server misbehaving",
    "broken pipe",
    "unavailable desc",
    "toomanyrequests",
    "too many requests",
    "failed to do request",
    "short read: expected",
)
# ... what will be so the next time too:
LASTING = (
    "no space left on device",
    "denied: requested access",
    "authorization failed",
    "401 unauthorized",
    "403 forbidden",
    "insufficient_scope",
    "no such host",
    "x509:",
    "server gave http response to https client",
    "no such container",
    "builder is not running",
    "no builder",
    "docker daemon",
    "failed to list workers",
    "no machine is left",
    "no other machine can build",
)
# ... and what a registry says that knows who asks and says no (distribution-spec, "Error Codes").
REFUSALS = ("unauthorized", "forbidden", "denied")
# containerd core/remotes/errors: `unexpected status from GET request to ADDRESS: 500 Internal Server Error`.
STATUS = re.compile(r"unexpected status (?:code |from )[^\n]*?: (\d{3})\b")
ASKS_FOR_PATIENCE = frozenset({408, 425, 429})


def is_engine(said: str) -> bool:
    """Whether it is the engine's or a registry's trouble rather than the Dockerfile's."""
    lowered = said.lower()
    return any(phrase in lowered for phrase in (*PASSING, *LASTING))


def lasts(said: str) -> bool:
    """Whether trying again is of no use."""
    lowered = said.lower()
    statuses = {int(status) for status in STATUS.findall(lowered)} - ASKS_FOR_PATIENCE
    return any(400 <= status < 500 for status in statuses) or any(phrase in lowered for phrase in (*LASTING, *REFUSALS))


def may_pass(said: str) -> bool:
    """Whether it is trouble that may be over in some seconds."""
    lowered = said.lower()
    return any(phrase in lowered for phrase in PASSING) and not lasts(said)
