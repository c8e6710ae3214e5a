"""BuildKit's own checks of a Dockerfile: `--call=check,format=json` of build and bake, and a build's warnings.

Both name the Dockerfile by its base name only. Where it lies is known from bake's own output, from the content that
comes along, or by whoever called the build.
"""

from __future__ import annotations

import base64
import binascii
import posixpath
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from msgspec import Struct

from ci_buildkit import jsoncut
from ci_buildkit.fields import label, mapping, positive, sequence, string
from ci_buildkit.findings.model import Finding, FindingReport, Severity
from ci_buildkit.findings.reader import Item, Reader
from ci_buildkit.findings.values import web
from ci_buildkit.reader import Source, by_document
from ci_buildkit.scan import Head
from ci_buildkit.text import clean, name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ci_buildkit.paths import PathMapper

FORMAT = "buildkit-check"
TOOL = "buildkit"
BUILD_ERROR = "BuildError"
"""The rule of what is no warning: the Dockerfile cannot be built at all."""

_KEYS = {"warnings", "sources", "buildError"}
_RULE = re.compile(r"^([A-Z][A-Za-z0-9]+): (.+)$", re.DOTALL)
_AT_LINE = re.compile(r" \(line \d+\)$")


class BuildWarning(Struct, frozen=True):
    """A warning of a build's progress stream, decoded. Lines are 1-based, 0 where there is none."""

    short: str
    detail: tuple[str, ...] = ()
    url: str = ""
    filename: str = ""
    start_line: int = 0
    end_line: int = 0


def from_warnings(warnings: Iterable[BuildWarning], dockerfile: str) -> FindingReport:
    """The findings of a build's warnings, each once: every target that is built from a Dockerfile repeats them.

    `dockerfile` is the file's path in the repository; a warning that names a file of another name keeps that.
    """
    findings = (_warning(warning, dockerfile) for warning in warnings)
    return FindingReport(tuple(sorted(dict.fromkeys(findings), key=lambda finding: (finding.path, finding.line or 0))))


def _warning(warning: BuildWarning, dockerfile: str) -> Finding:
    short = _AT_LINE.sub("", clean(warning.short).strip())
    found = _RULE.match(short)
    rule, message = (found[1], found[2]) if found else (rule_of(warning.url), short)
    own = posixpath.basename(dockerfile)
    path = dockerfile if warning.filename in {"", own} else warning.filename
    start, end = max(warning.start_line, 0), max(warning.end_line, 0)
    return Finding(
        path=path,
        line=start or None,
        column=None,
        end_line=end if end > start > 0 else None,
        end_column=None,
        severity="warning",
        rule=name(rule) or "BuildWarning",
        message=message or clean(" ".join(warning.detail)).strip(),
        tool=TOOL,
        url=web(warning.url),
    )


def rule_of(url: str) -> str:
    """The rule that a page of the documentation is about: the last part of its path."""
    try:
        return urlsplit(url).path.rstrip("/").rpartition("/")[2]
    except ValueError:
        return ""


def from_document(document: object, source: Source) -> Iterator[Item]:
    """The findings of one check, or of every target of a bake file, each once."""
    checks = mapping(mapping(document).get("target"))
    if not checks:
        yield from dict.fromkeys(_check(mapping(document), "", source.mapper))
        return
    found: dict[Item, None] = {}
    for target in checks.values():
        build = mapping(mapping(target).get("build"))
        place = posixpath.join(string(build.get("context")) or ".", string(build.get("dockerfile")) or "Dockerfile")
        check = mapping(mapping(target).get("check"))
        found.update(dict.fromkeys(_check(check, place, source.mapper)))
    yield from found


def _check(check: dict[str, Any], place: str, mapper: PathMapper) -> Iterator[Finding]:
    sources = sequence(check.get("sources"))

    def finding(told: dict[str, Any], severity: Severity, rule: str, message: str) -> Finding:
        where = mapping(told.get("location"))
        start, end = _range(where)
        return Finding(
            path=_file(sources, where.get("sourceIndex", 0), place, mapper),
            line=start,
            column=None,
            end_line=end if end and start and end > start else None,
            end_column=None,
            severity=severity,
            rule=rule,
            message=clean(message).strip(),
            tool=TOOL,
            url=web(told.get("url")),
        )

    for warning in (mapping(item) for item in sequence(check.get("warnings"))):
        rule = label(warning.get("ruleName")) or rule_of(string(warning.get("url"))) or "BuildWarning"
        yield finding(warning, "warning", rule, string(warning.get("detail")) or string(warning.get("description")))
    error = mapping(check.get("buildError"))
    broken = finding(error, "error", BUILD_ERROR, string(error.get("message")) or string(check.get("error")))
    if broken.message:
        yield broken


def _range(location: dict[str, Any]) -> tuple[int | None, int | None]:
    """First and last line of the first range."""
    ranges = sequence(location.get("ranges"))
    first = mapping(ranges[0]) if ranges else {}
    return positive(mapping(first.get("start")).get("line")), positive(mapping(first.get("end")).get("line"))


def _file(sources: list[Any], index: object, place: str, mapper: PathMapper) -> str:
    """Where the Dockerfile is: as bake says, else the file that holds what was checked, else its name."""
    source = mapping(sources[index]) if isinstance(index, int) and 0 <= index < len(sources) else {}
    base = label(source.get("filename")) or posixpath.basename(place) or "Dockerfile"
    if place and posixpath.basename(place) == base:
        return mapper(place)
    try:
        data = base64.b64decode(string(source.get("data")), validate=True)
    except (binascii.Error, ValueError):
        data = None
    return mapper.holding(base, data) or mapper(base) if "/" not in base else mapper(base)


def sniff(head: Head) -> bool:
    """Whether it is the JSON of a check: warnings that have rules, sources beside them, or targets that were checked."""
    document = mapping(jsoncut.beginning(head.text))
    targets = mapping(document.get("target"))
    if targets:
        return any("check" in mapping(target) for target in targets.values())
    if "buildError" in document or "warnings" not in document:
        return "buildError" in document
    warnings = sequence(document["warnings"])
    return "ruleName" in mapping(warnings[0]) if warnings else document.keys() <= _KEYS


READER = Reader(FORMAT, "BuildKit's --call=check,format=json", sniff, by_document(from_document, "a Dockerfile check"))
