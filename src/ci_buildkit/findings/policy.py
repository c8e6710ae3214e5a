"""When findings make a command or a run fail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from ci_buildkit.findings.model import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

FailOn = Literal["error", "warning", "notice", "nothing"]


def count(findings: Iterable[Finding]) -> dict[Severity, int]:
    """How many findings there are of each severity, the most severe first; 0 included."""
    found: dict[Severity, int] = dict.fromkeys(("error", "warning", "notice"), 0)
    for finding in findings:
        found[finding.severity] += 1
    return found


def verdict(findings: Iterable[Finding], fail_on: FailOn = "error", max_warnings: int | None = None) -> str | None:
    """Why these findings are a failure, in a few words; None where they are none.

    `error`: an error fails. `warning` and `notice`: any finding does. `nothing`: none does. `max_warnings` holds
    beside each of them: more warnings than that fail.
    """
    found = count(findings)
    if fail_on == "error" and found["error"]:
        return _number(found["error"], "error")
    if fail_on in {"warning", "notice"} and any(found.values()):
        return ", ".join(_number(number, severity) for severity, number in found.items() if number)
    if max_warnings is not None and found["warning"] > max_warnings:
        return f"{_number(found['warning'], 'warning')}, {max_warnings:,} allowed"
    return None


def _number(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
