"""A user's own regular expression: how a tool that no reader knows prints a finding on one line.

Named groups say what is what; everything else of the line is ignored. An expression may be written so that it takes
for ever on some lines (`(a|aa)+$`), and the standard library cannot be stopped then: `regex` can.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from time import thread_time
from typing import TYPE_CHECKING

from ci_buildkit.errors import ConfigurationError
from ci_buildkit.findings.found import Findings
from ci_buildkit.findings.model import Finding
from ci_buildkit.findings.reader import LogItem, Note, severity
from ci_buildkit.findings.values import number, span
from ci_buildkit.problem import Problem
from ci_buildkit.text import clean, name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import regex

    from ci_buildkit.reader import Source

TOOL = "pattern"
GROUPS = ("path", "line", "column", "end_line", "end_column", "severity", "rule", "message", "tool")
EXAMPLE = r"for example --pattern 'mylint=^(?P<path>[^:]+):(?P<line>\d+): (?P<severity>\w+): (?P<message>.+)$'"
MAX_LINE = 8 * 1024
"""Characters of a line that patterns are tried on; a longer line is no finding that a tool prints for people, and noted."""
LINE_SECONDS = 1.0
LOG_SECONDS = 20.0
"""CPU seconds that one expression may take for one line, and all of them for one file or log."""

_NAMED = re.compile(r"([A-Za-z][\w.-]*)=(.*)", re.DOTALL)


@dataclass(frozen=True)
class Pattern:
    """One expression, compiled, and the tool it belongs to where no group `tool` says so."""

    text: str
    tool: str
    regex: regex.Pattern[str]


def parse(texts: Iterable[str]) -> tuple[Pattern, ...]:
    """The patterns of texts written `REGEX` or `TOOL=REGEX`, in their order.

    A name and `=` at the start are the tool's name; an expression that starts so itself is written with a `^` before.

    Raises:
        ConfigurationError: one is no regular expression, has no group `path` or `message`, or a group that means nothing.
    """
    return tuple(_pattern(text) for text in texts)


def _pattern(text: str) -> Pattern:
    import regex

    named = _NAMED.fullmatch(text)
    tool, expression = (named[1], named[2]) if named else (TOOL, text)
    try:
        compiled = regex.compile(expression)
    except (regex.error, OverflowError, RecursionError, MemoryError) as error:
        message = f"pattern {text!r} is no regular expression: {error}"
        raise ConfigurationError(message, hint=EXAMPLE) from error
    missing = [group for group in ("path", "message") if group not in compiled.groupindex]
    if missing:
        message = f"pattern {text!r} has no group named {' and none named '.join(missing)}"
        raise ConfigurationError(message, hint=EXAMPLE)
    unknown = [group for group in compiled.groupindex if group not in GROUPS]
    if unknown:
        message = (
            f"pattern {text!r} has a group named {unknown[0]}, which means nothing; groups are {', '.join(GROUPS)}"
        )
        raise ConfigurationError(message, hint=EXAMPLE)
    return Pattern(text, tool, compiled)


class PatternReader:
    """Finds what `patterns` match, the first of them that does; a `LogReader`."""

    def __init__(self, patterns: Sequence[Pattern], source: Source) -> None:
        """Nothing read yet."""
        self._patterns = patterns
        self._source = source
        self._found = Findings(source)
        self._number = 0
        self._left = LOG_SECONDS
        self._slow: dict[str, list[int]] = {}
        self._unread = 0
        self._long: list[int] = []

    def feed(self, line: str) -> bool:
        """Takes a line; says whether a pattern matched it."""
        self._number += 1
        if len(line) > MAX_LINE:
            self._long.append(self._number)
            return False
        if self._left <= 0:
            self._unread = self._unread or self._number
            return False
        began = thread_time()
        finding = self._search(clean(line))
        self._left -= thread_time() - began
        if finding is None:
            return False
        self._found.add(finding)
        return True

    def _search(self, line: str) -> Finding | None:
        for pattern in self._patterns:
            try:
                match = pattern.regex.search(line, timeout=LINE_SECONDS)
            except TimeoutError:
                self._slow.setdefault(pattern.text, []).append(self._number)
                continue
            finding = _finding(match.groupdict(), pattern.tool) if match else None
            if finding:
                return finding
        return None

    def finish(self) -> Iterator[LogItem]:
        """The findings, a problem for what was not searched because it took too long, and a note of lines too long."""
        yield from self._found
        if self._long:
            yield Note(f"line {_and_more(self._long)}: longer than {MAX_LINE:,} characters, no pattern was tried")
        for text, numbers in self._slow.items():
            reason = f"pattern {name(text)!r} took longer than {LINE_SECONDS:g} s on line {_and_more(numbers)}, which was not searched with it"  # fmt: skip
            yield Problem(self._source.name, "limit", f"{reason}; write it without nested repetition")
        if self._unread:
            reason = f"the patterns took longer than {LOG_SECONDS:g} s in all; they were not tried from line {self._unread} on"  # fmt: skip
            yield Problem(self._source.name, "limit", f"{reason}; write them so that they start with ^")


def _and_more(numbers: Sequence[int]) -> str:
    return f"{numbers[0]} and {len(numbers) - 1:,} more" if len(numbers) > 1 else str(numbers[0])


def _finding(groups: dict[str, str | None], own_tool: str) -> Finding | None:
    """None where a group that must be there matched nothing."""
    path, message = name(groups["path"] or "").strip(), (groups["message"] or "").strip()
    if not path or not message:
        return None
    place = (number(groups.get(key)) for key in ("line", "column", "end_line", "end_column"))
    tool, word = name(groups.get("tool") or own_tool).strip(), (groups.get("severity") or "").strip()
    return Finding(
        path,
        *span(*place),
        severity=severity(word),
        rule=name(groups.get("rule") or "").strip() or word.lower() or tool,
        message=message,
        tool=tool,
    )
