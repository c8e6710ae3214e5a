"""SARIF 2.1.0 (OASIS) out of a report, as GitHub's code scanning takes it: one run a tool, rules listed once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ci_buildkit import atomic, jsontext

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from ci_buildkit.findings.model import Finding, FindingReport, Severity

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS: dict[Severity, str] = {"error": "error", "warning": "warning", "notice": "note"}


def write(report: FindingReport, path: Path) -> None:
    """Writes every finding of `report` to `path`, which is replaced as a whole.

    Raises:
        OutputError: the file cannot be written.
    """
    atomic.write(path, dumps(report))


def dumps(report: FindingReport) -> bytes:
    """The SARIF document, indented, ending in a newline. Without findings it has one run without results."""
    tools: dict[str, list[Finding]] = {}
    for finding in report.findings:
        tools.setdefault(finding.tool, []).append(finding)
    runs = [_run(tool, findings) for tool, findings in (tools or {"ci-buildkit": []}).items()]
    document = {"$schema": SCHEMA, "version": "2.1.0", "runs": runs}
    return jsontext.dumps(document, indent=True)


def _run(tool: str, findings: Iterable[Finding]) -> dict[str, Any]:
    rules: dict[str, dict[str, Any]] = {}
    indexes: dict[str, int] = {}
    results = []
    for finding in findings:
        if finding.rule not in rules:
            indexes[finding.rule] = len(rules)
            rules[finding.rule] = {"id": finding.rule}
        if finding.url:
            rules[finding.rule].setdefault("helpUri", quote(finding.url, safe="%/:?#[]@!$&'()*+,;=~"))
        results.append(_result(finding, indexes[finding.rule]))
    return {
        "tool": {"driver": {"name": tool, "rules": list(rules.values())}},
        "columnKind": "unicodeCodePoints",
        "results": results,
    }


def _result(finding: Finding, rule_index: int) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": rule_index,
        "level": _LEVELS[finding.severity],
        "message": {"text": finding.message or finding.rule},
    }
    if finding.path:
        result["locations"] = [{"physicalLocation": _location(finding)}]
    return result


def _location(finding: Finding) -> dict[str, Any]:
    artifact: dict[str, Any] = {"uri": _uri(finding.path)}
    if not finding.path.startswith("/"):
        artifact["uriBaseId"] = "%SRCROOT%"
    location: dict[str, Any] = {"artifactLocation": artifact}
    if finding.line is not None:
        region = {
            "startLine": finding.line,
            "startColumn": finding.column,
            "endLine": finding.end_line,
            "endColumn": finding.end_column,
        }
        location["region"] = {key: value for key, value in region.items() if value is not None}
    return location


def _uri(path: str) -> str:
    """A path as a URI reference: percent-encoded, and `file:` before an absolute one."""
    encoded = quote(path, safe="/~!$&'()*+,;=@", errors="replace")
    return f"file://{encoded}" if path.startswith("/") else encoded
