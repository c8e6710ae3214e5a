"""Credentials in ARG and ENV, which everyone who has the image can read. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from ci_buildkit.config import credentials
from ci_buildkit.doctor.flaw import Flaw
from ci_buildkit.doctor.parsed import Instruction, Parsed


def found(file: Parsed) -> Iterator[Flaw]:
    """Names and values that look like credentials; values are not told."""
    for one in file.instructions:
        for name, value in _pairs(one):
            is_value = bool(credentials.VALUE.search(value or ""))
            asked = value is None and credentials.NAME.search(name) and not credentials.HARMLESS_NAME.search(name)
            if not (asked or credentials.suspicious(name, value or "")):
                continue
            what = "holds a credential" if is_value else "looks like a credential"
            yield Flaw(
                one.line,
                f'{one.keyword} "{name}" {what}, and the history of the image shows it to everyone; '
                f"`RUN --mount=type=secret,id={name},env={name}` gives it to one step and keeps it nowhere",
                severity="error" if is_value else None,
            )


def _pairs(one: Instruction) -> list[tuple[str, str | None]]:
    if one.keyword == "ENV":
        values = [word.strip("\"'") for word in one.words[1::2]]
        return list(zip(one.words[::2], values, strict=False))
    if one.keyword == "ARG":
        parts = [word.partition("=") for word in one.words]
        return [(name, value.strip("\"'") if equals else None) for name, equals, value in parts]
    return []
