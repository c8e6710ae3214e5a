"""What looks like a credential, by its name or by itself, and the same text without it. Pure."""

from __future__ import annotations

import re

NAME = re.compile(
    r"(?:^|[_.-])(?:apikey|auth|credentials?|passw(?:or)?d|passphrase|pword|secret|token"
    r"|(?:api|access|account|deploy|encryption|private|secret|signing|ssh)[_-]?key)(?:[_.-]|$)",
    re.IGNORECASE,
)
HARMLESS_NAME = re.compile(
    r"(?:^|[_.-])(?:public|url|uri|file|path|name|id|version|type|length)(?:[_.-]|$)", re.IGNORECASE
)
# What switches something, or says that there is none.
HARMLESS_VALUE = re.compile(r"(?:true|false|yes|no|on|off|none|null|\d{1,3}|)", re.IGNORECASE)
# How GitHub, GitLab, AWS, Slack, npm, PyPI and Google write theirs, JSON web tokens, and keys in PEM.
VALUE = re.compile(
    r"gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{22,}|glpat-[\w-]{20}|(?:AKIA|ASIA)[A-Z0-9]{16}|xox[abprs]-[\w-]{10,}"
    r"|npm_[A-Za-z0-9]{36}|pypi-[\w-]{50,}|AIza[\w-]{35}|eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.|-----BEGIN [A-Z ]*PRIVATE KEY-----"
)

# Who logs in at an address. `ssh://build@host` tells nothing that is secret; before a colon and over HTTP there may be.
_USER = re.compile(r"(?:(?<=http://)|(?<=https://)|(?<=://)(?=[^/\s]*:[^/\s]*@))[^/\s]+(?=@)")
HIDDEN = "***"


def suspicious(name: str, value: str) -> bool:
    """Whether a build argument looks like a credential, by its name or its value."""
    if VALUE.search(value):
        return True
    return bool(NAME.search(name) and not HARMLESS_NAME.search(name) and not HARMLESS_VALUE.fullmatch(value))


def masked(text: str) -> str:
    """`NAME=VALUE`, or a value alone, with `***` for what looks like a credential and for who logs in at an address."""
    name, equals, value = text.partition("=")
    if VALUE.search(name):
        return HIDDEN
    if equals and suspicious(name, value):
        return f"{name}={HIDDEN}"
    return _USER.sub(HIDDEN, text)
