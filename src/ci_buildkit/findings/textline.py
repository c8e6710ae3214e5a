"""Findings of one line each, as most compilers and many linters print them; lines that say more about one join it.

| tools | line |
|---|---|
| gcc, clang, clang-tidy, cppcheck, shellcheck -f gcc, javac, swiftc | `path:line[:column]: level: message [rule]` |
| ruff --output-format concise, flake8, pycodestyle | `path:line:column: CODE message` |
| hadolint | `path:line CODE level: message`, `path:line:column unexpected ... expecting ...` |
| MSVC, tsc, dotnet | `path(line[,column]): level CODE: message` |
| tsc --pretty | `path:line:column - level CODE: message` |
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from ci_buildkit.findings.found import Findings
from ci_buildkit.findings.model import Finding, Severity
from ci_buildkit.findings.place import PATH, is_file
from ci_buildkit.findings.reader import Item, severity
from ci_buildkit.findings.values import number, span
from ci_buildkit.paths import is_foreign
from ci_buildkit.text import name

if TYPE_CHECKING:
    from ci_buildkit.reader import Source

Groups = dict[str, str | None]

_AT = r"(?P<line>\d{1,9}):(?P<column>\d{1,9})"
_GCC = re.compile(
    rf"{PATH}:(?P<line>\d{{1,9}})(?::(?P<column>\d{{1,9}}))?: "
    r"(?P<level>fatal error|internal compiler error|error|warning|note|remark|style|performance|portability|information): "
    r"(?P<message>.+?)(?: \[(?P<rule>[^\[\]\s]+)\])?$"
)
_CODED = re.compile(
    rf"{PATH}(?::cell (?P<cell>\d+))?:{_AT}: (?P<rule>[A-Z]{{1,6}}\d{{2,5}}|invalid-syntax|SyntaxError)(?::| \[\*\])? (?P<message>.+)$"
)
_HADOLINT = re.compile(
    r"(?:hadolint:)?(?P<path>[^\s:][^:]*):(?P<line>\d{1,9}):? (?P<rule>(?:DL|SC)\d{4}) "
    r"(?P<level>error|warning|info|style): (?P<message>.+)$"
)
# A Dockerfile that it cannot parse; the rule is what its JSON calls that.
_HADOLINT_BROKEN = re.compile(rf"{PATH}:{_AT} (?P<message>unexpected .+ expecting .+)$")
_DOCKERFILE = re.compile(r"^-$|(?:docker|container)file[^/]*$", re.IGNORECASE)
_CANNOT_BE_PARSED = "DL1000"
_MSVC = re.compile(
    rf"\s*{PATH}\((?P<line>\d{{1,9}})(?:,(?P<column>\d{{1,9}}))?"
    r"(?:-(?P<end_only>\d{1,9})|,(?P<end_line>\d{1,9}),(?P<end_column>\d{1,9}))?\)"
    r"\s?: (?:fatal )?(?P<level>error|warning|info) (?P<rule>[A-Z]{1,10}\d{2,6}): (?P<message>.+?)"
    r"(?: \[[^\[\]]+\.\w*proj(?:::[^\[\]]*)?\])?$"
)
_TSC = re.compile(rf"{PATH}:{_AT} - (?P<level>error|warning|message) (?P<rule>TS\d{{1,6}}): (?P<message>.+)$")
# Where in the repository the code of a library's template is used that cannot be compiled.
_REQUIRED = re.compile(rf"{PATH}:{_AT}: +required from here$")
# The code that ruff's text showed below a finding until version 0.13.
_RUFF_ROW = re.compile(r"^ *(?:\d+ )?\||^ += help: ")
_RUFF_SUMMARY = re.compile(r"^(?:Found \d+ errors?\b|\[\*\] \d+ fixable )")
# What follows the line number in all of them. Most lines of a log have no such place, and the patterns of paths are slow.
_HAS_PLACE = re.compile(r"[:(]\d[\d,-]*(?:: |:? (?:DL|SC)\d| unexpected | - |\)\s?: )")
_PYTHON = re.compile(r"\.(?:py[iwx]?|ipynb|toml)$")
_SHELLCHECK = re.compile(r"^SC\d{4}$")
_C = re.compile(r"\.(?:[chCHmMS]|cc|[ch]pp|[ch]xx|[ch]\+\+|hh|mm|cu|inl|ipp)$")
_CLANG_TIDY = re.compile(r"^[a-z][\w.]*-[\w.,-]+$")
_CPPCHECK_ID = re.compile(r"^[a-z]\w*$")
_CPPCHECK: dict[str, Severity] = {
    "style": "notice", "performance": "warning", "portability": "warning", "information": "notice",
}  # fmt: skip
_CODERS = frozenset({"flake8", "ruff"})
# golangci-lint ends its lines with the linter's name, and what a linter says may begin like a level.
_LINTER = re.compile(r" \([a-z][\w-]*\)$")
_WITH_NOTES = frozenset({"cc", "clang-tidy", "compiler", "cppcheck"})
_MOST_LINES = 20
"""Lines that one finding is told in; how many more there were is said."""


class TextLines:
    """Reads cleaned lines one by one; a `LogReader`."""

    def __init__(self, source: Source) -> None:
        """Nothing read yet."""
        self._mapper = source.mapper
        self._found = Findings(source)
        self._last: Finding | None = None
        self._more: list[str] = []
        self._goes_on = False
        self._required: re.Match[str] | None = None
        # flake8 and ruff print the same lines; only ruff ends them with a summary.
        self._coded: list[Finding] = []
        self._shapes: tuple[tuple[re.Pattern[str], Callable[[Groups], bool]], ...] = (
            (_GCC, self._gcc),
            (_CODED, self._code),
            (_HADOLINT, self._hadolint),
            (_HADOLINT_BROKEN, self._broken_dockerfile),
            (_MSVC, self._msvc),
            (_TSC, self._tsc),
        )

    def feed(self, line: str) -> bool:
        """Takes a line; says whether it is a finding or a part of one."""
        if self._goes_on and line.startswith("  ") and self._last:
            self._more.append(line.rstrip())
            return True
        self._goes_on = False
        if not _HAS_PLACE.search(line):
            return self._summary(line)
        if found := _REQUIRED.match(line):
            self._required = found
            return True
        for expression, take in self._shapes:
            match = expression.match(line)
            if match and take(match.groupdict()):
                return True
        return self._summary(line)

    def _summary(self, line: str) -> bool:
        """Tells the tool of the findings before; says whether this line is ruff's, which ends them."""
        if self._last and self._last.tool in _CODERS:
            self._close()
        if not self._coded or not line or _RUFF_ROW.match(line):
            return False
        ruff = _RUFF_SUMMARY.match(line) is not None
        for finding in self._coded:
            self._found.add(replace(finding, tool="ruff") if ruff else finding)
        self._coded = []
        return ruff

    def _gcc(self, groups: Groups) -> bool:
        path, rule, level = groups["path"] or "", groups["rule"] or "", groups["level"] or ""
        golangci = path.endswith(".go") and _LINTER.search(groups["message"] or "")
        of_shell = _SHELLCHECK.match(rule) is not None  # scripts often have no extension
        if golangci or not (of_shell or is_file(path, self._mapper, column=groups["column"] is not None)):
            return False
        if level in {"note", "remark"} and not of_shell:
            self._note(groups)
            return True
        where, self._required = self._required, None
        message, grade = groups["message"] or "", _CPPCHECK.get(level) or severity(level)
        if where and is_foreign(path):
            message = f"{message}\n{path}:{groups['line']}: here"
            groups = {**groups, "path": where["path"], "line": where["line"], "column": where["column"]}
        self._open(groups, _tool(path, rule, level), _rule(rule) or level.split()[-1], grade, message)
        return True

    def _note(self, groups: Groups) -> None:
        """A note that follows no finding of a compiler is context that nobody needs."""
        if self._last is None or self._last.tool not in _WITH_NOTES:
            return
        place = "" if groups["path"] == self._last.path else f"{groups['path']}:"
        self._more.append(f"note: {groups['message']} ({place or 'line '}{groups['line']})")

    def _code(self, groups: Groups) -> bool:
        if not _PYTHON.search(groups["path"] or ""):
            return False
        cell = f"cell {groups['cell']}: " if groups["cell"] else ""
        broken = groups["rule"] in {"invalid-syntax", "SyntaxError"}
        rule = "invalid-syntax" if broken else groups["rule"] or ""
        self._open(groups, "ruff" if broken else "flake8", rule, "error", cell + (groups["message"] or ""))
        return True

    def _hadolint(self, groups: Groups) -> bool:
        self._open(groups, "hadolint", groups["rule"] or "", severity(groups["level"] or ""), groups["message"] or "")
        return True

    def _broken_dockerfile(self, groups: Groups) -> bool:
        if not _DOCKERFILE.search(groups["path"] or ""):
            return False
        self._open(groups, "hadolint", _CANNOT_BE_PARSED, "error", groups["message"] or "")
        return True

    def _msvc(self, groups: Groups) -> bool:
        if not is_file(groups["path"] or "", self._mapper):
            return False
        self._typed(groups)
        return True

    def _tsc(self, groups: Groups) -> bool:
        self._typed(groups)
        return True

    def _typed(self, groups: Groups) -> None:
        rule = groups["rule"] or ""
        tool = "tsc" if rule.startswith("TS") else "msvc" if re.match(r"(?:C|LNK)\d", rule) else "dotnet"
        level = groups["level"] or ""
        self._open(groups, tool, rule, "notice" if level == "message" else severity(level), groups["message"] or "")
        self._goes_on = tool == "tsc"

    def _open(self, groups: Groups, tool: str, rule: str, grade: Severity, message: str) -> None:
        """Begins a finding; what follows may still join it."""
        self._close()
        place = (number(groups.get(key)) for key in ("line", "column", "end_line", "end_column"))
        self._last = Finding(
            name(groups["path"] or ""),
            *span(*place),
            severity=grade,
            rule=name(rule),
            message=message.strip(),
            tool=tool,
        )

    def _close(self) -> None:
        last, more = self._last, self._more
        self._last, self._more = None, []
        if last is None:
            return
        if len(more) > _MOST_LINES:
            more = [*more[:_MOST_LINES], f"… {len(more) - _MOST_LINES} more lines"]
        last = replace(last, message="\n".join([last.message, *more])) if more else last
        if last.tool in _CODERS:
            self._coded.append(last)
        else:
            self._found.add(last)

    def finish(self) -> Iterator[Item]:
        """Every finding once."""
        self._close()
        yield from self._found
        yield from self._coded


def _rule(text: str) -> str:
    """The rule as people turn it off: gcc's `-Werror=x`, clang's `-Werror,-Wx` and clang-tidy's `x,-warnings-as-errors` too."""
    if text.startswith("-Werror="):
        return f"-W{text.removeprefix('-Werror=')}"
    parts = [part for part in text.split(",") if part not in {"-Werror", "-warnings-as-errors"}]
    return parts[0] if parts else text


def _tool(path: str, rule: str, level: str) -> str:
    """The tool that prints such rules; a compiler of C cannot be told from another."""
    if _SHELLCHECK.match(rule):
        return "shellcheck"
    of_c = _C.search(path) is not None
    if level in _CPPCHECK or (of_c and _CPPCHECK_ID.match(rule)):
        return "cppcheck"
    if _CLANG_TIDY.match(rule):
        return "clang-tidy"
    return "cc" if of_c or rule.startswith("-") else "compiler"
