"""Build arguments that look like credentials. Pure.

An image's history and its provenance show every build argument, so a credential belongs into a secret
(docs.docker.com/build/building/secrets). BuildKit's check SecretsUsedInArgOrEnv looks at names alike, in the Dockerfile.
"""

from __future__ import annotations

from collections.abc import Mapping

from ci_buildkit.config.credentials import suspicious
from ci_buildkit.errors import ConfigurationError


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
