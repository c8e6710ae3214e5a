"""golangci-lint, versions 1 and 2: the text that people read, and `--output.json.path` (v1: `--out-format json`).

Text: `path:line[:column]: message (linter)`, with colours or without, followed by the source line and a caret. JSON:
one object on one line, which may stand between lines of text. Both can be printed at once; a finding counts once.
A line with a column and no linter is what `go vet`, `go build` and single linters print of a file of Go.
"""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from ci_buildkit import jsoncut, jsontext
from ci_buildkit.fields import label, mapping, positive, sequence, string
from ci_buildkit.findings.model import Finding
from ci_buildkit.findings.reader import Item, Reader, severity
from ci_buildkit.problem import Problem
from ci_buildkit.reader import Source, by_document
from ci_buildkit.scan import Head
from ci_buildkit.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterator

FORMAT = "golangci"
TOOL = "golangci-lint"

GO_TOOL = "go"

# It lints Go and nothing else; `host.example:80: refused (tcp)` is a log's.
_START = re.compile(r"^(?:vet: )?((?:[A-Za-z]:)?[^\s:][^:]*\.(?:go|mod)):(\d{1,9})(?::(\d{1,9}))?:[ \t](.*)$")
_LINTER = re.compile(r"^(.*\S) \(([A-Za-z][\w.-]*)\)$")
# Messages over several lines are the compiler's, or of a linter that quotes it; others are one line each. Any line of a
# log may end in a word in brackets.
_LINTER_BELOW = re.compile(
    r" \((?:typecheck|govet|staticcheck|gosimple|stylecheck|unused|errcheck|ineffassign|revive|gocritic|gosec)\)$"
)
# Without a column it may be what Go's own `log` prints (`main.go:12: listening (tcp)`): only a linter that is known counts.
_LINTER_NAMES = """
arangolint asasalint asciicheck bidichk bodyclose canonicalheader containedctx contextcheck copyloopvar cyclop
deadcode decorder depguard dogsled dupl dupword durationcheck embeddedstructfieldcheck err113 errcheck errchkjson
errname errorlint execinquery exhaustive exhaustivestruct exhaustruct exportloopref exptostd fatcontext forbidigo
forcetypeassert funcorder funlen gas gci ginkgolinter gocheckcompilerdirectives gochecknoglobals gochecknoinits
gochecksumtype gocognit goconst gocritic gocyclo godoclint godot godox goerr113 gofmt gofumpt goheader goimports
golines golint gomnd gomoddirectives gomodguard goprintffuncname gosec gosimple gosmopolitan govet grouper iface
ifshort importas inamedparam ineffassign interfacebloat interfacer intrange iotamixing ireturn lll loggercheck
logrlint maintidx makezero maligned megacheck mirror misspell mnd modernize musttag nakedret nestif nilerr nilnesserr
nilnil nlreturn noctx noinlineerr nolintlint nonamedreturns nosnakecase nosprintfhostport paralleltest perfsprint
prealloc predeclared promlinter protogetter reassign recvcheck revive rowserrcheck scopelint sloglint spancheck
sqlclosecheck staticcheck structcheck stylecheck swaggo tagalign tagliatelle tenv testableexamples testifylint
testpackage thelper tparallel typecheck unconvert unparam unqueryvet unused usestdlibvars usetesting varcheck
varnamelen vet vetshadow wastedassign whitespace wrapcheck wsl wsl_v5 zerologlint
"""
_LINTERS = frozenset(_LINTER_NAMES.split())
_COMPILER = re.compile(r"^((?:[A-Za-z]:)?[^\s:][^:]*\.\w+):(\d{1,9})(?::(\d{1,9}))?: (.+)$")
_JSON = re.compile(rb'^\s*\{\s*"Issues"\s*:')
_STATICCHECK = re.compile(r"^(?:S|SA|ST|QF|U)\d{4}$")
_LONGEST_MESSAGE = 20
"""Lines of one message; whatever is longer was no finding."""


class Golangci:
    """Reads cleaned lines one by one; a `LogReader`."""

    def __init__(self, source: Source) -> None:
        """Nothing read yet."""
        self._source = source
        self._start: re.Match[str] | None = None
        self._rows: list[str] = []
        self._findings: dict[tuple[str, int | None, int | None, str, str], Finding] = {}
        self._problems: list[Problem] = []

    def feed(self, line: str) -> bool:
        """Takes a line; says whether it is the JSON report, or a finding up to its linter's name."""
        if line.startswith('{"Issues":'):
            self._abandon()
            self._json(line)
            return True
        if (".go:" in line or ".mod:" in line) and (start := _START.match(line)):
            self._abandon()
            end = _LINTER.match(start[4])
            if end and (start[3] or end[2] in _LINTERS):
                self._add(_finding(start, end[1], end[2]))
                return True
            if start[3]:
                self._start, self._rows = start, [start[4]]
            return False
        return self._start is not None and self._continue(self._start, line)

    def finish(self) -> Iterator[Item]:
        """The findings, each once; what the JSON report says of one counts more than its text."""
        self._abandon()
        yield from self._findings.values()
        yield from self._problems

    def _continue(self, start: re.Match[str], line: str) -> bool:
        """Takes a line of a message, which ends with the linter's name; says whether it is the last one."""
        end = _LINTER.match(line)
        if end and _LINTER_BELOW.search(line):
            self._add(_finding(start, "\n".join([*self._rows, end[1]]), end[2]))
            self._start = None
            return True
        self._rows.append(line)
        if not line or len(self._rows) > _LONGEST_MESSAGE:
            self._abandon()
        return False

    def _abandon(self) -> None:
        """Takes a message that no linter's name ended for another tool's, which indents what it adds."""
        start, self._start = self._start, None
        if start is not None:
            more = takewhile(lambda row: row.startswith("\t"), self._rows[1:])
            finding = _finding(start, "\n".join([start[4], *more]), GO_TOOL)
            self._add(replace(finding, tool=GO_TOOL))

    def _json(self, line: str) -> None:
        try:
            document = jsontext.loads(line)
        except jsontext.Broken as error:
            reason = "the JSON report of golangci-lint is cut off; what stands before that was read"
            self._problems.append(Problem(self._source.name, "unreadable", reason))
            document = jsoncut.start(line.encode("utf-8", "replace"), error)
        for item in from_document(document, self._source):
            if isinstance(item, Finding):
                self._findings[_key(item)] = item
            else:
                self._problems.append(item)

    def _add(self, finding: Finding) -> None:
        """Takes a finding of the text, unless the JSON report, which may stand before it, has it."""
        self._findings.setdefault(_key(finding), finding)


def _key(finding: Finding) -> tuple[str, int | None, int | None, str, str]:
    return finding.path, finding.line, finding.column, finding.rule, finding.message


def _finding(start: re.Match[str], message: str, linter: str) -> Finding:
    """A finding at the place of `start`, whose first groups are a path, a line and a column."""
    return Finding(
        path=start[1],
        line=int(start[2]) or None,
        column=int(start[3] or 0) or None,
        end_line=None,
        end_column=None,
        severity="error",
        rule=linter,
        message=message.strip(),
        tool="staticcheck" if _STATICCHECK.match(linter) else TOOL,
    )


def from_document(document: object, source: Source) -> Iterator[Item]:
    """The findings of a JSON report, and a problem where the tool says that it broke down."""
    report = mapping(mapping(document).get("Report"))
    if label(report.get("Error")):
        yield Problem(source.name, "inconsistent", f"golangci-lint broke down: {label(report['Error'])}")
    for issue in sequence(mapping(document).get("Issues")):
        yield from _issue(mapping(issue))


def _issue(issue: dict[str, Any]) -> Iterator[Finding]:
    where, linter, text = mapping(issue.get("Pos")), label(issue.get("FromLinter")), clean(string(issue.get("Text")))
    if not where and not text:
        return
    if linter == "typecheck":
        # The compiler's own lines, all in one text at line 1 of some file.
        inner = [found for row in text.split("\n") if (found := _COMPILER.match(row))]
        if inner:
            yield from (_finding(found, found[4], linter) for found in inner)
            return
    yield Finding(
        path=label(where.get("Filename")),
        line=positive(where.get("Line")),
        column=positive(where.get("Column")),
        end_line=_end_line(issue),
        end_column=None,
        severity=severity(string(issue.get("Severity"))),
        rule=linter or TOOL,
        message=text.strip(),
        tool=TOOL,
    )


def _end_line(issue: dict[str, Any]) -> int | None:
    end = positive(mapping(issue.get("LineRange")).get("To"))
    start = positive(mapping(issue.get("Pos")).get("Line"))
    return end if end is not None and start is not None and end > start else None


def sniff(head: Head) -> bool:
    """Whether the file is the JSON report alone, laid out or on one line; beside text it is read as a log is."""
    found = _JSON.match(head.data)
    return found is not None and (not head.data.startswith(b'{"Issues":') or b"\n" not in head.data.rstrip())


READER = Reader(FORMAT, "golangci-lint's JSON", sniff, by_document(from_document, "golangci-lint"))
