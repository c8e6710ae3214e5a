"""TAP, the Test Anything Protocol, versions 12 to 14 (testanything.org), in files and between the other lines of a log.

Subtests come in both forms: before their own test point (TAP 14), and in braces behind it (Vitest, node-tap). A point of
a subtest is a case only where it broke without any of its tests. `# TODO` promises nothing, so such a test is skipped
however it ended.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ci_buildkit.lines import without_progress_prefix
from ci_buildkit.problem import Problem
from ci_buildkit.reader import Source, by_line
from ci_buildkit.results import tap_tree
from ci_buildkit.results.maker import CaseMaker, with_suites
from ci_buildkit.results.reader import Item, Reader
from ci_buildkit.results.tap_tree import Level, Point
from ci_buildkit.results.values import seconds
from ci_buildkit.text import Excerpt, clean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ci_buildkit.results.model import Case
    from ci_buildkit.scan import Head

FORMAT = "tap"
_VERSION = re.compile(r"^TAP version 1[2-9]$")
_POINT = re.compile(r"^(not )?ok(?!  \t)(?: +(\d{1,9}))?(?: +- +| +-$| +|$)(.*)$")
_NUMBERED = re.compile(r"^(?:not )?ok \d{1,9}(?: |$)")
_PLAN = re.compile(r"^1\.\.(\d{1,9})(?:\s*#\s*(?:skip\S*\s*)?(.*))?$", re.IGNORECASE)
_BAIL = re.compile(r"^Bail out!\s*(.*)$")
_DIRECTIVE = re.compile(r"(?:^|\s)(?<!\\)#\s*(skip|todo)\b\S*\s*(.*)$", re.IGNORECASE)
_TIME = re.compile(r"(?<!\s)\s*(?<!\\)# time=([\d.]+ ?m?s)\s*$")
_SUBTEST = re.compile(r"^# Subtest(?:: (.*))?$")
_PROVE = re.compile(r"^(\S+) \.{2,}\s*$")
_DURATION = re.compile(r"^\s+duration_ms: ([\d.]{1,20})$")
_MAX_DEPTH = 100
_MAX_BLOCK = 2_000


class Tap:
    """Reads lines one by one; a `LogReader`. `in_log` asks for more before it takes lines for TAP."""

    def __init__(self, source: Source, *, in_log: bool = False) -> None:
        """Nothing read yet."""
        self._source = source
        self._in_log = in_log
        self._maker = CaseMaker(source, FORMAT)
        self._cases: list[Case] = []
        self._problems: list[Problem] = []
        self._title = ""
        self._begin()

    def _begin(self) -> None:
        """A new stream."""
        self._versioned = False
        self._numbered = False
        self._levels = [Level()]
        self._announced: dict[int, str] = {}
        self._last: Point | None = None
        self._last_indent = 0
        self._block_indent = -1
        self._brace: Point | None = None
        self._bailed: str | None = None

    def feed(self, line: str) -> bool:
        """Takes a line; says whether it is one of TAP's own."""
        body = line.lstrip(" ") if line.startswith(" ") else line
        indent = len(line) - len(body)
        if self._block_indent >= 0 and self._in_block(line, body, indent):
            return True
        if body.startswith(("ok", "not ok")):
            return self._point(body.rstrip(), indent) or self._other(line, body, indent)
        if body.startswith("1.."):
            return self._plan(body.rstrip(), indent) or self._other(line, body, indent)
        return self._other(line, body, indent)

    def _in_block(self, line: str, body: str, indent: int) -> bool:
        """A line of a YAML block; False for the first line that is none, where the block's end is missing."""
        if indent < self._block_indent and body:
            self._block_indent = -1
            return False
        if body.startswith("...") and indent == self._block_indent:
            self._block_indent = -1
            return True
        last = self._last
        if last is not None and last.ok:  # only failures are told at length
            timed = _DURATION.match(line)
            last.seconds = seconds(timed[1] + "ms") if timed else last.seconds
        elif last is not None:
            block = last.block = last.block or []
            timed = _DURATION.match(line)
            last.seconds = seconds(timed[1] + "ms") if timed else last.seconds
            if len(block) < _MAX_BLOCK:
                block.append(clean(line))
        return True

    @property
    def _open(self) -> bool:
        """Whether a stream has begun, so that points may come without numbers, and indented."""
        top = self._levels[0]
        inside = len(self._levels) > 1 or 0 in self._announced
        return self._versioned or top.plan is not None or bool(top.points) or inside

    def _level(self, indent: int) -> Level | None:
        """The level that a line at this indentation belongs to; those deeper are closed by their own point."""
        depth, rest = divmod(indent, 4)
        if rest or depth > len(self._levels) or depth > _MAX_DEPTH or (depth and not self._open):
            return None
        if depth == len(self._levels):
            brace, self._brace = self._brace, None
            self._levels.append(Level(self._announced.pop(depth - 1, ""), brace))
        return self._levels[depth]

    def _point(self, body: str, indent: int) -> bool:
        found = _POINT.match(body)
        if not found:
            return False
        number = int(found[2]) if found[2] else 0
        # Prose can look like a point without a number: it is passed over in a log, and in a file unless it is a failure.
        certain = number > 0 or (not self._in_log and (bool(found[1]) or not self._numbered))
        if not number and not (self._open and (certain or not self._numbered)):
            return False
        if indent == 0 and number == 1 and self._levels[0].next > 1:
            self._end()
        level = self._level(indent) if indent else self._levels[0]
        if level is None or (indent == 0 and not certain and level.complete):
            return False
        if self._brace is not None:
            self._unbraced()
        self._numbered = self._numbered or number > 0
        point = _parsed(found[3], number or level.next, ok=not found[1])
        if found[3].endswith("{") and (point.name.endswith(" {") or found[3] == "{"):
            point.name = point.name.removesuffix("{").rstrip()
            self._brace = point
        elif len(self._levels) > indent // 4 + 1:
            self._close(indent // 4 + 1, point)
        level.add(point)
        if self._announced:
            self._announced.pop(indent // 4, None)
        self._last, self._last_indent = point, indent
        return True

    def _unbraced(self) -> None:
        """A name that ends in a brace and opens no subtest."""
        if self._brace is not None:
            self._brace.name += " {"
            self._brace = None

    def _close(self, depth: int, point: Point | None = None) -> None:
        """Ends the levels from `depth` on; the one at `depth` belongs to `point`."""
        while len(self._levels) > depth:
            level = self._levels.pop()
            parent = level.buffered or (point if len(self._levels) == depth else None)
            name = parent.name if parent else level.name
            if level.plan != 0 or level.points:
                trouble = level.trouble()
                if trouble:
                    self._problem(f"{name or 'a subtest'}: {trouble}")
            if parent is None:
                parent = Point(self._levels[-1].next, level.name, ok=True)
                self._problem(f"{name or 'a subtest'}: its own result is missing")
                self._levels[-1].points.append(parent)
            parent.children = level.points

    def _plan(self, body: str, indent: int) -> bool:
        found = _PLAN.match(body)
        if not found:
            return False
        if indent == 0 and self._levels[0].plan is not None:
            self._end()
        level = self._level(indent)
        if level is None:
            return False
        self._last = None  # comments behind a plan are of all tests
        level.plan = int(found[1])
        level.reason = (found[2] or "").strip()
        if indent == 0 and level.complete and level.points:
            self._close(1)
        return True

    def _other(self, line: str, body: str, indent: int) -> bool:
        if body.startswith("#"):
            return self._comment(body.rstrip(), indent)
        if body.startswith("---") and self._last is not None and indent > self._last_indent:
            self._block_indent = indent
            return True
        if body.rstrip() == "}" and len(self._levels) > indent // 4 + 1:
            self._close(indent // 4 + 1)
            return True
        return self._boundary(line, body, indent) or self._note(line, indent)

    def _boundary(self, line: str, body: str, indent: int) -> bool:
        """A line that ends a stream or begins one."""
        if not indent and _VERSION.match(body.rstrip()):
            self._end()
            self._versioned = True
            return True
        bail = _BAIL.match(body) if self._open else None
        if bail:
            self._bailed = bail[1]
            self._end()
            return True
        prove = _PROVE.match(line) if line.rstrip().endswith("..") else None
        if prove:
            self._end()
            self._title = prove[1]
        return False

    def _comment(self, body: str, indent: int) -> bool:
        subtest = _SUBTEST.match(body)
        if subtest and not indent % 4:
            self._announced[indent // 4] = _unescaped(subtest[1] or "")
            self._last = None
            return True
        if self._last is not None and not self._last.ok:
            self._keep(body[1:].removeprefix(" "))
        return False

    def _note(self, line: str, indent: int) -> bool:
        """An indented line below a failed test belongs to it: so does Mocha tell of failures."""
        if self._last is not None and not self._last.ok and indent > self._last_indent:
            self._keep(line[self._last_indent + 2 :])
        elif line.strip() and not indent:
            self._last = None
        return False

    def _keep(self, text: str) -> None:
        if self._last is not None:
            notes = self._last.notes = self._last.notes or Excerpt()
            notes.add(clean(text) + "\n")

    def _problem(self, reason: str) -> None:
        where = f"{self._title}: " if self._title else ""
        self._problems.append(Problem(self._source.name, "inconsistent", where + reason))

    def _end(self) -> None:
        """Ends a stream, if it was one."""
        problems = len(self._problems)
        self._unbraced()
        self._close(1)
        top = self._levels[0]
        if not self._is_tap(top):
            del self._problems[problems:]
            self._begin()
            return
        self._cases += tap_tree.cases(top.points, self._title, self._maker, self._source.mapper)
        if self._bailed is not None:
            self._cases.append(self._maker.case(self._title, "", "Bail out!", "error", message=self._bailed or "the test run was given up"))  # fmt: skip
        elif top.plan == 0 and not top.points:
            self._cases.append(self._maker.case(self._title, "", "all tests", "skipped", message=top.reason or "no tests"))  # fmt: skip
        elif trouble := top.trouble():
            self._problem(trouble)
        self._title = ""
        self._begin()

    def _is_tap(self, top: Level) -> bool:
        """Whether what was seen is a stream: a log may well hold a line that only looks like one of TAP's."""
        if self._versioned or self._bailed is not None:
            return True
        if not self._in_log:
            return top.plan is not None or bool(top.points)
        if top.plan is not None:
            return bool(top.points) or top.plan == 0
        return bool(top.points) and top.points[0].number == 1 and any(not point.ok for point in top.points)

    def finish(self) -> Iterator[Item]:
        """The cases of every stream, and problems where tests are missing."""
        self._end()
        yield from with_suites(self._cases)
        yield from self._problems


class TapLog(Tap):
    """Finds TAP between the lines of a log."""

    def __init__(self, source: Source) -> None:
        """Nothing read yet."""
        super().__init__(source, in_log=True)


def _parsed(description: str, number: int, *, ok: bool) -> Point:
    """A test point by what stands behind its number."""
    if "#" not in description:
        return Point(number, _unescaped(description), ok=ok)
    brace = " {" if description.endswith(" {") else ""
    description = description.removesuffix(" {") if brace else description
    took = 0.0
    timed = _TIME.search(description) if "# time=" in description else None
    if timed:
        took, description = seconds(timed[1]), description[: timed.start()]
    found = _DIRECTIVE.search(description) if "#" in description else None
    if not found:
        return Point(number, _unescaped(description) + brace, ok=ok, seconds=took)
    name, reason = _unescaped(description[: found.start()]), found[2].strip()
    return Point(
        number, name + brace, ok=ok, directive=found[1].lower(), reason="" if reason == "-" else reason, seconds=took
    )


def _unescaped(text: str) -> str:
    return text.replace("\\#", "#").replace("\\\\", "\\").strip() if "\\" in text else text.strip()


def sniff(head: Head) -> bool:
    """Whether there is a version, a plan that comes first, or a numbered point with its plan or as number 1."""
    if head.text.lstrip().startswith(("<", "{", "[")):
        return False
    lines = [without_progress_prefix(line).rstrip() for line in head.text.split("\n")]
    first = next((line for line in lines if line and not line.startswith("#")), "")
    if _PLAN.match(first):
        return True
    numbered = [line for line in lines if _NUMBERED.match(line)]
    return any(_VERSION.match(line) for line in lines) or bool(
        numbered and (numbered[0].split()[1 if numbered[0].startswith("ok") else 2] == "1" or any(_PLAN.match(line) for line in lines))
    )  # fmt: skip


READER = Reader(FORMAT, "TAP", sniff, by_line(Tap))
