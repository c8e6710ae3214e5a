"""Commands that compile a program, and whether they do so for another platform. Pure."""

from __future__ import annotations

import re

from ci_buildkit.doctor import shell

COMPILES = re.compile(
    r"(?:xx-)?(?:go|cargo) (?:build|install)\b|(?:xx-)?cargo auditable build\b|dotnet publish\b|zig build\b"
)
GO_BUILD = re.compile(r"go build\b")
# What makes a compiler write code for the platform that is asked for.
CROSS_WORDS = re.compile(
    r"\bGO(?:OS|ARCH|ARM)=\S*TARGET|--?(?:target|arch|a|os|r|runtime)[= ]\S*\$\{?TARGET(?:ARCH|PLATFORM|OS)|\bxx-(?!info\b)\w+"
)


def compiling(script: str) -> tuple[shell.Command, ...]:
    """The commands of a script that compile a program."""
    return tuple(one for one in shell.commands(script) if COMPILES.match(one.line))


def crosses(script: str) -> bool:
    """Whether a script compiles for the platform that is asked for, whatever it runs on."""
    return bool(CROSS_WORDS.search(script))
