"""What users pass on to act: options that say what runs are taken as those of `ci-buildkit act`, the rest goes on. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from msgspec import Struct

from ci_buildkit.errors import ConfigurationError

# act's options without a value (cmd/root.go); every other one has one.
SWITCHES = frozenset({
    "--action-offline-mode", "--bind", "--bug-report", "--detect-event", "--dryrun", "--graph", "--help", "--insecure-secrets",
    "--json", "--list", "--list-options", "--log-prefix-job-id", "--man-page", "--no-cache-server", "--no-recurse",
    "--no-skip-checkout", "--privileged", "--pull", "--quiet", "--rebuild", "--reuse", "--rm", "--strict", "--use-gitignore",
    "--use-new-action-cache", "--validate", "--verbose", "--version", "--watch",
})  # fmt: skip
SHORT = {
    "-a": "--actor", "-b": "--bind", "-C": "--directory", "-e": "--eventpath", "-g": "--graph", "-h": "--help",
    "-j": "--job", "-l": "--list", "-n": "--dryrun", "-p": "--pull", "-P": "--platform", "-q": "--quiet", "-r": "--reuse",
    "-s": "--secret", "-v": "--verbose", "-w": "--watch", "-W": "--workflows",
}  # fmt: skip
TAKEN = (
    "--platform", "--local-repository", "--job", "--matrix", "--eventpath", "--workflows", "--artifact-server-path",
    "--secret", "--var",
)  # fmt: skip
NOTHING_RUNS = "run act itself for that"
REFUSED = {
    **dict.fromkeys((
        "--dryrun", "--list", "--graph", "--watch", "--validate", "--bug-report", "--man-page", "--list-options", "--version",
        "--help",
    ), NOTHING_RUNS),
    "--reuse": "containers have another name in each run",
    "--directory": "go to that folder",
}  # fmt: skip
_HOST = re.compile(r"https?://[^/]+/")


class Passed(Struct, frozen=True):
    """The values of options that are taken, by act's name of them, and the words that act gets."""

    taken: tuple[tuple[str, str], ...]
    words: tuple[str, ...]

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of an option."""
        return tuple(value for option, value in self.taken if option == name)

    def last(self, name: str) -> str:
        """The value that counts of an option that stands once; "" without one."""
        return (*("",), *self.all(name))[-1]

    @property
    def uses(self) -> tuple[str, ...]:
        """Folders for repositories, without the host that act lets them have."""
        return tuple(_HOST.sub("", value, count=1) for value in self.all("--local-repository"))


def divide(words: Sequence[str]) -> Passed:
    """Divide the words.

    Raises ConfigurationError for an option with which nothing runs, or whose value is missing.
    """
    taken, rest = [], []
    for option, value, written in _options(words):
        if reason := REFUSED.get(option):
            if value == "false":
                continue
            raise ConfigurationError(f"{option} cannot be passed on to act", hint=reason)
        if option in TAKEN:
            taken.append((option, value))
        else:
            rest += written
    return Passed(tuple(taken), tuple(rest))


def _options(words: Sequence[str]) -> Iterator[tuple[str, str, list[str]]]:
    """Each option by its long name, its value, and the words that it was written with."""
    left = list(words)
    while left:
        word = left.pop(0)
        if word.startswith("--"):
            option, equals, value = word.partition("=")
        elif len(word) > 1 and word.startswith("-"):
            option, value = SHORT.get(word[:2], word[:2]), word[2:].removeprefix("=")
            equals = value
        else:
            yield "", word, [word]
            continue
        if option in SWITCHES:
            if value and not word.startswith("--"):  # the next of several in one word
                left.insert(0, f"-{value}")
                word = word[:2]
            yield option, value if word.startswith("--") else "", [word]
            continue
        if not equals:
            if not left:
                raise ConfigurationError(f"{option}: act's option needs a value")
            value = left.pop(0)
        yield option, value, [f"{option}={value}"] if option.startswith("--") else [word]
