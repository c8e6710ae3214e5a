"""What the formats of .NET's test tools have in common."""

from __future__ import annotations

import re
from collections import Counter
from typing import NamedTuple

from ci_buildkit import text
from ci_buildkit.reader import Source
from ci_buildkit.results.locate import Place, locate
from ci_buildkit.results.model import NO_EVIDENCE, Case, Defined, Evidence, Outcome, changed

_TIME_SPAN = re.compile(r"(?:(\d{1,5})\.)?(\d{1,2}):(\d{2}):(\d{2}(?:\.\d{1,9})?)")
_BROKEN = ("failed", "error")
_HEADING = "  Multiple failures or warnings in test:"
"""What NUnit puts before the messages of several assertions."""


class Told(NamedTuple):
    """What a result says besides its outcome."""

    message: str = ""
    stack: str = ""
    output: str = ""
    place: Place | None = None


class Names:
    """Names of one file that must not be taken for the same.

    A test project that ran for two frameworks is there twice by one name, and rows of data may be shown alike. These
    formats have no attempts: that one passed does not make up for the failure of another.
    """

    def __init__(self) -> None:
        """No name was given yet."""
        self._assemblies: Counter[str] = Counter()
        self._broken: Counter[tuple[str, str, str]] = Counter()

    def assembly(self, path: str) -> str:
        """The last part of an assembly's path, with a number from the second of the same name on."""
        base = text.name(path).replace("\\", "/").rstrip("/").rpartition("/")[2]
        self._assemblies[base] += 1
        return base if self._assemblies[base] == 1 else f"{base} ({self._assemblies[base]})"

    def apart(self, made: Case) -> Case:
        """`made`, its name with a number where one of the same name broke before."""
        key = (made.suite, made.class_name, made.name)
        number = self._broken.get(key, 0)
        if number or made.broken:
            self._broken[key] = number + 1
        return changed(made, name=f"{made.name} ({number + 1})") if number else made


def case(
    source: Source, format_: str, suite: str, class_name: str, name: str, outcome: Outcome, seconds: float, told: Told
) -> Case:
    """A case; the place of one that broke is looked for in its stack trace, then in its message."""
    evidence: Defined = NO_EVIDENCE
    if any(told):
        place = told.place
        if outcome in _BROKEN:
            place = locate(told.stack, source.mapper, class_name) or locate(told.message, source.mapper) or place
        details = "\n".join(part for part in (told.message, told.stack) if part)
        evidence = Evidence(
            message=text.first_line(told.message.removeprefix(_HEADING))
            or (text.first_line(told.stack) if outcome in _BROKEN else ""),
            path=place.path if place else None,
            line=(place.line or None) if place else None,
            details=text.excerpt(details) if outcome in _BROKEN or "\n" in details else "",
            output=text.excerpt(told.output, text.MAX_OUTPUT),
        )
    return Case(source.name, format_, suite, text.name(class_name), text.name(name), outcome, seconds, evidence)


def split(full_name: str) -> tuple[str, str]:
    """The class and the name of a test from its full name; dots in arguments are none that separate."""
    before, bracket, arguments = full_name.partition("(")
    class_name, _, name = before.rpartition(".")
    return class_name, name + bracket + arguments


def time_span(written: str) -> float:
    """Seconds of a TimeSpan, `[days.]hours:minutes:seconds.fraction`; 0 for anything else."""
    found = _TIME_SPAN.fullmatch(written.strip())
    if not found:
        return 0.0
    return int(found[1] or 0) * 86_400 + int(found[2]) * 3600 + int(found[3]) * 60 + float(found[4])
