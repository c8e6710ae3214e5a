"""One run of a SARIF log: what its results mean by its tool's rules, its artifacts and its base URIs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ci_buildkit.fields import label, mapping, sequence, string
from ci_buildkit.findings.columns import Sources, of_utf16
from ci_buildkit.findings.model import Finding, Severity
from ci_buildkit.findings.reader import Item, severity
from ci_buildkit.findings.sarif_paths import Paths
from ci_buildkit.findings.sarif_rules import Rule, Rules
from ci_buildkit.findings.values import WHOLE_FILE, Span, message, span
from ci_buildkit.problem import Problem
from ci_buildkit.text import name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ci_buildkit.reader import Source

NO_PATH = "ci-buildkit/no-path"
"""The property of a result that has a location only because GitHub wants one."""

# 3.27.9: what is no failure; of these, what a person should see all the same.
_PASSED = frozenset({"pass", "notApplicable"})
_NOT_FAILED = frozenset({"informational", "open", "review"})
_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{(\d{1,3})\}")
# 3.11.6: a link whose target is a number points at a related location, and is only its text elsewhere. Brackets that
# make no link are escaped.
_LINK = re.compile(r"\\([\[\]\\])|\[((?:[^\]\\\[]|\\.)*)\]\(\d+\)")
_ESCAPED = re.compile(r"\\([\[\]\\])")


class Run:
    """What results of one run refer to."""

    def __init__(self, run: dict[str, Any], source: Source) -> None:
        """`run` is the run without its results."""
        self._run = run
        self._source = source
        self._rules = Rules(mapping(run.get("tool")))
        self._paths = Paths(run)
        self._sources = Sources(source.mapper)
        # 3.14.17
        self._utf16 = run.get("columnKind") == "utf16CodeUnits"
        self.tool = self._rules.tool

    def findings(self, result: dict[str, Any]) -> Iterator[Finding]:
        """A finding for each location; none of a result that passed, is suppressed or is gone since the baseline."""
        if string(result.get("kind")) in _PASSED or result.get("baselineState") == "absent" or _suppressed(result):
            return
        rule = self._rules.of(result)
        grade, text = _severity(result, rule), _message(mapping(result.get("message")), rule)
        for path, place in self._places(result):
            yield Finding(path, *place, grade, rule.id, text, self.tool, rule.url)

    def _places(self, result: dict[str, Any]) -> Iterator[tuple[str, Span]]:
        locations = sequence(result.get("locations"))
        if not locations or NO_PATH in mapping(result.get("properties")):
            yield self._paths.of(mapping(result.get("analysisTarget"))), WHOLE_FILE
            return
        for location in locations:
            physical = mapping(mapping(location).get("physicalLocation"))
            path = self._paths.of(mapping(physical.get("artifactLocation")))
            yield path, self._span(path, mapping(physical.get("region")))

    def _span(self, path: str, region: dict[str, Any]) -> Span:
        place = span(region.get("startLine"), region.get("startColumn"), region.get("endLine"), region.get("endColumn"))
        if not self._utf16 or place.column is None:
            return place
        end_line = place.end_line or place.line
        return span(
            place.line,
            self._sources.column(of_utf16, path, place.line, place.column),
            end_line,
            self._sources.column(of_utf16, path, end_line, place.end_column),
        )

    def problems(self) -> Iterator[Item]:
        """What makes the run less than it seems: it failed, it told errors of its own, or results are in other files."""
        for invocation in map(mapping, sequence(self._run.get("invocations"))):
            told = [text for kind in ("toolExecution", "toolConfiguration") for text in self._errors(invocation, kind)]
            for text in told:
                yield Problem(self._source.name, "inconsistent", f"{self.tool} reports an error: {name(text)}")
            if invocation.get("executionSuccessful") is False and not told:
                why = label(invocation.get("exitCodeDescription")) or label(
                    invocation.get("processStartFailureMessage")
                )
                reason = f"{self.tool} did not run to its end" + (f": {why}" if why else "")
                yield Problem(self._source.name, "inconsistent", reason)
        external = mapping(self._run.get("externalPropertyFileReferences"))
        if sequence(external.get("results")):
            yield Problem(
                self._source.name, "missing", f"results of {self.tool} are in other files, which are not read"
            )

    def _errors(self, invocation: dict[str, Any], kind: str) -> Iterator[str]:
        for note in map(mapping, sequence(invocation.get(f"{kind}Notifications"))):
            if note.get("level") != "error":
                continue
            text = message(string(mapping(note.get("message")).get("text")))
            text = text or label(mapping(note.get("descriptor")).get("id")) or "no reason"
            places = sequence(note.get("locations"))
            physical = mapping(mapping(places[0] if places else None).get("physicalLocation"))
            path = self._paths.of(mapping(physical.get("artifactLocation")))
            yield f"{path}: {text}" if path else text


def _suppressed(result: dict[str, Any]) -> bool:
    """3.27.23: whether somebody accepted it, and nobody still doubts that or refused. No status is `accepted`."""
    suppressions = result.get("suppressions")
    if not suppressions or not isinstance(suppressions, list):
        return False
    return all((string(mapping(one).get("status")) or "accepted") == "accepted" for one in suppressions)


def _severity(result: dict[str, Any], rule: Rule) -> Severity:
    """3.27.10: the result's level, else the rule's, else a warning. What did not fail is a notice."""
    if string(result.get("kind")) in _NOT_FAILED:
        return "notice"
    level = string(result.get("level")) or rule.level
    return severity(level) if level else "warning"


def _message(given: dict[str, Any], rule: Rule) -> str:
    """3.11: its own text, else the rule's of that id; `{0}` is the first of its arguments."""
    text = string(given.get("text")) or string(given.get("markdown"))
    if not text and given.get("id"):
        text = rule.messages.get(string(given.get("id")), "")
    arguments = sequence(given.get("arguments"))
    if arguments and "{" in text:
        text = _PLACEHOLDER.sub(lambda found: _argument(found, arguments), text)
    if "](" in text:
        text = _LINK.sub(lambda found: found[1] or _ESCAPED.sub(r"\1", found[2]), text)
    return message(text) or rule.description or rule.id


def _argument(found: re.Match[str], arguments: list[Any]) -> str:
    if not found[1]:
        return found[0][0]
    index = int(found[1])
    return string(arguments[index]) if index < len(arguments) else found[0]
