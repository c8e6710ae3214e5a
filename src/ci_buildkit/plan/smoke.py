"""Which commands try out which image before it gets tags. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Sequence

from ci_buildkit.errors import ConfigurationError
from ci_buildkit.plan.targets import bake_name

Command = tuple[str, ...]
# A word before the first `=` names a target; `--flag=value` and `sh -c 'a=b'` do not.
TARGET = re.compile(r"([A-Za-z0-9_][A-Za-z0-9_.-]*)=(.*)", re.DOTALL)


def commands(given: Iterable[str], images: Sequence[str]) -> dict[str, tuple[Command, ...]]:
    """The commands of each image target, as `--smoke` gives them: `[TARGET=]COMMAND`, divided as a shell divides words.

    Raises ConfigurationError for a command that is none and a target that is no image of this run.
    """
    found: dict[str, list[Command]] = {name: [] for name in images}
    for text in given:
        named = TARGET.fullmatch(text)
        words = _words(named[2] if named else text, text)
        if named and bake_name(named[1]) not in found:
            raise ConfigurationError(
                f"--smoke names the target {named[1]!r}, which is not an image of this run",
                hint=f"image targets: {', '.join(images) or 'none'}; a variable is set by `env {text}`",
            )
        for name in [bake_name(named[1])] if named else images:
            found[name].append(words)
    return {name: tuple(own) for name, own in found.items()}


def _words(command: str, text: str) -> Command:
    try:
        words = tuple(shlex.split(command))
    except ValueError as error:
        raise ConfigurationError(f"--smoke {text!r} is no command: {error}", hint="close its quotes") from error
    if not words:
        raise ConfigurationError(
            f"--smoke {text!r} has no command", hint="write what follows IMAGE in `docker run IMAGE COMMAND`"
        )
    return words
