"""One finding as a SARIF result, and the rules that the results of a run refer to."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ci_buildkit.findings.baseline import entry
from ci_buildkit.findings.columns import Sources
from ci_buildkit.findings.sarif_run import NO_PATH
from ci_buildkit.findings.values import web

if TYPE_CHECKING:
    from ci_buildkit.findings.model import Finding, Severity
    from ci_buildkit.paths import PathMapper

OWN_TOOL = "ci-buildkit"
LEVELS: dict[Severity, str] = {"error": "error", "warning": "warning", "notice": "note"}
"""SARIF's word for each severity, the most severe first."""
FINGERPRINT = "ciBuildkitSourceLine/v1"
"""Not GitHub's `primaryLocationLineHash`: its upload action makes that from the checkout and warns of any other."""
_BRACKET = re.compile(r"[\[\]\\]")
_NO_FILE = "no file is named"
_DRIVE = re.compile(r"[A-Za-z]:/")
_URI_CHARACTERS = "%/:?#[]@!$&'()*+,;=~"


class Rules:
    """The rules of a run, as its results need them. Results come the most severe first."""

    def __init__(self, tool: str, mapper: PathMapper) -> None:
        """No rule yet."""
        self.tool = tool
        self.descriptors: list[dict[str, Any]] = []
        self.source_line = Sources(mapper).line
        self._indexes: dict[str, int] = {}
        self._fingerprints: Counter[str] = Counter()

    def index(self, finding: Finding) -> int:
        """Where the rule of `finding` is in `descriptors`."""
        index = self._indexes.get(finding.rule)
        if index is None:
            index = self._indexes[finding.rule] = len(self.descriptors)
            self.descriptors.append(self._descriptor(finding))
        elif finding.url and "helpUri" not in self.descriptors[index]:
            self.descriptors[index] = self._descriptor(finding) | {
                "defaultConfiguration": self.descriptors[index]["defaultConfiguration"]
            }
        return index

    def _descriptor(self, finding: Finding) -> dict[str, Any]:
        """GitHub shows the descriptions as the alert's title and the help below it, and asks for all three."""
        title = {"text": f"{self.tool}: {finding.rule}"}
        page = web(finding.url)
        uri = quote(page, safe=_URI_CHARACTERS) if page else ""
        help_text = f"{finding.rule} is a rule of {self.tool}." + (f" It is described at {uri}" if uri else "")
        descriptor = {
            "id": finding.rule,
            "shortDescription": title,
            "fullDescription": title,
            "help": {"text": help_text},
            "defaultConfiguration": {"level": LEVELS[finding.severity]},
        }
        return {**descriptor, "helpUri": uri} if uri else descriptor

    def fingerprint(self, finding: Finding) -> str:
        """The same for a finding whose code has moved; a second one like it in the run has another."""
        known = entry(finding, self.source_line)
        parts = "\0".join((known.rule, known.path, known.source or known.message))
        digest = hashlib.sha256(parts.encode("utf-8", "replace")).hexdigest()[:32]
        self._fingerprints[digest] += 1
        return f"{digest}:{self._fingerprints[digest]}"


def result(finding: Finding, rules: Rules) -> dict[str, Any]:
    """The result of a finding."""
    made: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": rules.index(finding),
        "level": LEVELS[finding.severity],
        "message": {"text": _text(finding.message or finding.rule)},
        "locations": [{"physicalLocation": _location(finding)}],
        "partialFingerprints": {FINGERPRINT: rules.fingerprint(finding)},
    }
    return made if finding.path else {**made, "properties": {NO_PATH: True}}


def _location(finding: Finding) -> dict[str, Any]:
    """GitHub refuses a log with a result that has no location."""
    path = finding.path or _NO_FILE
    artifact: dict[str, Any] = {"uri": _uri(path)}
    if not path.startswith("/") and not _DRIVE.match(path) and ".." not in path.split("/"):
        artifact["uriBaseId"] = "%SRCROOT%"
    location: dict[str, Any] = {"artifactLocation": artifact}
    if finding.line is not None and finding.path:
        region = {
            "startLine": finding.line,
            "startColumn": finding.column,
            "endLine": finding.end_line,
            "endColumn": finding.end_column,
        }
        location["region"] = {key: value for key, value in region.items() if value is not None}
    return location


def _text(message: str) -> str:
    """A message as it is, but escaped where a reader would see a link in it (3.11.6)."""
    return _BRACKET.sub(r"\\\g<0>", message) if "](" in message else message


def _uri(path: str) -> str:
    """A path as a URI reference: percent-encoded, and `file:` before an absolute one."""
    encoded = quote(path, safe="/~!$&'()*+,;=@", errors="replace")
    if _DRIVE.match(path):
        return f"file:///{encoded.replace('%3A', ':', 1)}"
    return f"file://{encoded}" if path.startswith("/") else encoded
