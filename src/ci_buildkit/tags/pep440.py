"""Python's versions as @renovatebot/pep440 reads and writes them (lib/version.js); the grammar is PEP 440's."""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec import Struct

from ci_buildkit.tags.jsnumber import number

_VERSION = re.compile(
    r"v?(?:(?P<epoch>[0-9]+)!)?(?P<release>[0-9]+(?:\.[0-9]+)*)"
    r"(?:[-_.]?(?P<pre>alpha|a|beta|b|preview|pre|c|rc)[-_.]?(?P<pre_n>[0-9]+)?)?"
    r"(?:-(?P<post_n1>[0-9]+)|[-_.]?(?P<post>post|rev|r)[-_.]?(?P<post_n2>[0-9]+)?)?"
    r"(?:[-_.]?(?P<dev>dev)[-_.]?(?P<dev_n>[0-9]+)?)?"
    r"(?:\+(?P<local>[a-z0-9]+(?:[-_.][a-z0-9]+)*))?",
    re.IGNORECASE | re.ASCII,
)
_NORMAL: Mapping[str, str] = {
    "alpha": "a",
    "beta": "b",
    "c": "rc",
    "pre": "rc",
    "preview": "rc",
    "rev": "post",
    "r": "post",
}


class Version(Struct, frozen=True):
    """`clean` is the normalised version; `final` is false for a pre-, post- or development release."""

    clean: str
    release: tuple[int, ...]
    final: bool

    def part(self, index: int) -> int:
        """A number of the release; 0 where it has fewer."""
        return self.release[index] if index < len(self.release) else 0


def parse(text: str) -> Version | None:
    """The version in a text; None where it is none."""
    match = _VERSION.fullmatch(text)
    if not match:
        return None
    release = tuple(map(int, match["release"].split(".")))
    pre = _segment(match["pre"], match["pre_n"])
    post = f"post{int(match['post_n1'])}" if match["post_n1"] else _segment(match["post"], match["post_n2"])
    dev = _segment(match["dev"], match["dev_n"])
    epoch = f"{int(match['epoch'])}!" if int(match["epoch"] or 0) else ""
    local = f"+{','.join(map(_local, re.split('[-_.]', match['local'])))}" if match["local"] else ""
    clean = (
        epoch + ".".join(map(str, release)) + pre + (f".{post}" if post else "") + (f".{dev}" if dev else "") + local
    )
    return Version(clean, release, final=not (pre or post or dev))


def _segment(letters: str | None, digits: str | None) -> str:
    if not letters:
        return ""
    word = letters.lower()
    return f"{_NORMAL.get(word, word)}{int(digits or 0)}"


def _local(part: str) -> str:
    """A part of the local version; upstream joins them with commas, and reads `1e3` as a number."""
    value = number(part)
    return str(int(value)) if value.is_integer() else part.lower()
