"""Build arguments that look like credentials. Pure.

An image's history and its provenance show every build argument, so a credential belongs into a secret
(docs.docker.com/build/building/secrets). BuildKit's check SecretsUsedInArgOrEnv looks at names alike, in the Dockerfile.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ci_buildkit.errors import ConfigurationError

NAME = re.compile(
    r"(?:^|_)(?:apikey|auth|credentials?|passw(?:or)?d|passphrase|pword|secret|token"
    r"|(?:api|access|account|deploy|encryption|private|secret|signing|ssh)_?key)(?:_|$)",
    re.IGNORECASE,
)
HARMLESS_NAME = re.compile(r"(?:^|_)(?:public|url|uri|file|path|name|id|version|type|length)(?:_|$)", re.IGNORECASE)
# What switches something, or says that there is none.
HARMLESS_VALUE = re.compile(r"(?:true|false|yes|no|on|off|none|null|\d{1,3}|)", re.IGNORECASE)
# How GitHub, GitLab, AWS, Slack, npm, PyPI and Google write theirs, JSON web tokens, and keys in PEM.
VALUE = re.compile(
    r"gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{22,}|glpat-[\w-]{20}|(?:AKIA|ASIA)[A-Z0-9]{16}|xox[abprs]-[\w-]{10,}"
    r"|npm_[A-Za-z0-9]{36}|pypi-[\w-]{50,}|AIza[\w-]{35}|eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.|-----BEGIN [A-Z ]*PRIVATE KEY-----"
)


def suspicious(name: str, value: str) -> bool:
    """Whether a build argument looks like a credential, by its name or its value."""
    if VALUE.search(value):
        return True
    return bool(NAME.search(name) and not HARMLESS_NAME.search(name) and not HARMLESS_VALUE.fullmatch(value))


def check(target: str, args: Mapping[str, str]) -> None:
    """Raise ConfigurationError for the arguments of a target that look like credentials; their values are not told."""
    found = [name for name, value in args.items() if suspicious(name, str(value or ""))]
    if found:
        names = ", ".join(found)
        raise ConfigurationError(
            f"target {target}: the build argument{'s' if len(found) > 1 else ''} {names} look"
            f"{'' if len(found) > 1 else 's'} like a credential, and everyone who has the image can read it",
            hint=f"pass it as a secret: --secret id={found[0]},env={found[0]} and RUN --mount=type=secret,id={found[0]}; "
            "or let it pass with --allow-credential-args",
        )
