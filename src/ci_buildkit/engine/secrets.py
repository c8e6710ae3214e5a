"""The secrets of a build: whether they are there, and kept out of everything that is written.

BuildKit gets them by its own session and stores them nowhere (docs.docker.com/build/building/secrets); but a command may
print one, and logs are uploaded.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from msgspec import Struct

from ci_buildkit.config import row
from ci_buildkit.errors import ConfigurationError

SHORTEST = 6  # characters; hiding shorter words would hide half of a log
LARGEST = 1 << 20  # bytes of a secret file that is looked for in logs; BuildKit takes no larger one (500 kB)
HIDDEN = "***"


class Mask(Struct, frozen=True):
    """Hides values in text."""

    pattern: re.Pattern[str] | None = None

    def __call__(self, text: str) -> str:
        """The text with `***` for each value."""
        return self.pattern.sub(HIDDEN, text) if self.pattern else text

    @classmethod
    def of(cls, values: Iterable[str]) -> Mask:
        """A mask of these values; of one with several lines each line is hidden, since logs come in lines."""
        lines = {line.strip() for value in values for line in value.splitlines()}
        long = sorted((line for line in lines if len(line) >= SHORTEST), key=len, reverse=True)
        return cls(re.compile("|".join(map(re.escape, long))) if long else None)


def check(secrets: Iterable[str], environ: Mapping[str, str]) -> None:
    """Raise ConfigurationError for a secret of the command line that is not there: its step would run without it."""
    for text in secrets:
        _value(text, environ)


def mask(secrets: Iterable[str | Mapping[str, str]], passwords: Iterable[str], environ: Mapping[str, str]) -> Mask:
    """What hides these secrets, as `docker buildx build --secret` takes them or `bake --print` prints them.

    One of a bake file may be missing, as buildx has it.
    """
    values = list(passwords)
    for secret in secrets:
        with contextlib.suppress(ConfigurationError):
            values.append(_value(secret, environ))
    return Mask.of(values)


def _value(secret: str | Mapping[str, str], environ: Mapping[str, str]) -> str:
    """The value of a secret as buildx finds it (util/buildflags/secrets.go); "" for a binary file, which no log shows."""
    fields = _fields(secret) if isinstance(secret, str) else secret
    name = fields.get("id", "")
    if not name:
        raise ConfigurationError(f"--secret {secret!r} has no id", hint="write id=ID,env=VARIABLE or id=ID,src=FILE")
    file, variable = fields.get("src") or fields.get("source") or "", fields.get("env", "")
    if fields.get("type") == "env" and not variable:
        file, variable = "", file
    if not file and not variable:
        file, variable = ("", name) if name in environ else (name, "")
    if variable:
        if variable not in environ:
            raise ConfigurationError(
                f"the secret {name} is not there: the variable {variable} is not set",
                hint="set it, or leave --secret out",
            )
        return environ[variable]
    return _content(Path(file), name)


def _fields(text: str) -> dict[str, str]:
    pairs = (field.partition("=") for field in row.fields(text, "--secret"))
    return {key.strip().lower(): value for key, _, value in pairs}


def _content(file: Path, name: str) -> str:
    try:
        with file.open("rb") as opened:
            return opened.read(LARGEST).decode()
    except UnicodeDecodeError:
        return ""
    except OSError as error:
        raise ConfigurationError(
            f"the secret {name} cannot be read from {file}: {error.strerror}", hint="name the file with src=FILE"
        ) from error
