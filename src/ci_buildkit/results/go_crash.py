"""What the Go runtime prints when a program crashes, times out or races, read for people.

The shapes are those of runtime/traceback.go, of the timeout in testing/testing.go and of the race detector's report
(compiler-rt's tsan_report.cpp, SANITIZER_GO): a line for each call, then an indented line with its file.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote

from msgspec import Struct

from ci_buildkit import text
from ci_buildkit.paths import is_foreign

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ci_buildkit.paths import PathMapper

_PANIC = re.compile(r"^(?:panic: |fatal error: |runtime: goroutine stack exceeds|unexpected fault address|SIG[A-Z]+: )")
# `example.com/shop/calc.(*T).Add(...)`: the package is all up to the first dot behind the last slash.
_CALL = re.compile(r"^\s*(?:created by )?((?:[^\s(]*/)?[^\s./(]+?)(_test)?\.([^\s(]*)")
_FILE = re.compile(r"^\s+(\S.*\.go):(\d+)(?: \+0x.*)?$")
_RACE = "WARNING: DATA RACE"
_ACCESS = re.compile(r"^((?:Previous )?(?:atomic )?(?:read|write)) at 0x", re.IGNORECASE)
_MOST_LINES = 5_000


class Failure(Struct, frozen=True):
    """The first line of what went wrong, and where (path as far as it is known, 1-based line)."""

    message: str
    path: str | None = None
    line: int | None = None

    @property
    def told(self) -> bool:
        """Whether there is anything to say."""
        return bool(self.message)


NOTHING = Failure("")


class _Call(NamedTuple):
    package: str
    function: str
    file: str
    line: int


def crash(lines: list[str], package: str, mapper: PathMapper) -> Failure:
    """A race or a panic, whichever the lines of `package` tell; NOTHING where they tell of none."""
    found = race(lines, package, mapper)
    return found if found.told else panic(lines, package, mapper)


def panic(lines: list[str], package: str, mapper: PathMapper) -> Failure:
    """A panic, a fatal error or a timeout: its line, and the first place on the stack that is in `package`.

    Else it is the first place in the repository. A timeout also names the tests that were running.
    """
    start = next((number for number, line in enumerate(lines) if _PANIC.match(line)), None)
    if start is None:
        return NOTHING
    lines = lines[start : start + _MOST_LINES]
    message = text.name(lines[0].strip())
    timeout = "test timed out after" in message
    running = _running(lines) if timeout else ""
    path, line = _stack_place(_goroutines(lines), package, mapper, without_main=timeout)
    return Failure(f"{message} (running: {running})" if running else message, path, line)


def race(lines: list[str], package: str, mapper: PathMapper) -> Failure:
    """The first data race: where its two accesses are, in the code of `package` or else of the repository."""
    start = next((number for number, line in enumerate(lines) if line.startswith(_RACE)), None)
    if start is None:
        return NOTHING
    told: list[str] = []
    first: tuple[str | None, int | None] = (None, None)
    for block in _blocks(lines[start + 1 : start + _MOST_LINES]):
        access = _ACCESS.match(block[0])
        if not access:
            break
        path, line = _stack_place([block], package, mapper)
        if path:
            told.append(f"{access[1].lower()} at {path}:{line}")
            first = first if first[0] else (path, line)
    return Failure(text.name(": ".join(["data race", *filter(None, [", ".join(told)])])), *first)


@lru_cache(maxsize=4096)  # to look a file up in the whole repository is slow
def file_of(package: str, base: str, mapper: PathMapper) -> tuple[str, bool]:
    """The path of a file that Go names without its folder, and whether it is known to be the repository's.

    It is one of `package`, unless that is not known or has none of that name, and there is just one elsewhere: a helper
    of the tests.
    """
    inside = mapper.go_file(package, base)
    if not package or (inside.known and not mapper.map(inside.path).known):
        elsewhere = mapper.holding(base, None)
        if elsewhere:
            return elsewhere, True
    return inside.path, inside.known


def _blocks(lines: Iterable[str]) -> Iterator[list[str]]:
    """Groups of lines with blank lines between them, up to the line that ends a race's report."""
    block: list[str] = []
    for line in lines:
        if line.startswith("====="):
            break
        if line.strip():
            block.append(line)
        elif block:
            yield block
            block = []
    if block:
        yield block


def _goroutines(lines: list[str]) -> Iterator[list[str]]:
    block: list[str] = []
    for line in lines:
        if line.startswith("goroutine ") and block:
            yield block
            block = []
        block.append(line)
    yield block


def _calls(lines: list[str]) -> Iterator[_Call]:
    for call, where in pairwise(lines):
        file = _FILE.match(where)
        called = _CALL.match(call) if file else None
        if file and called:
            yield _Call(unquote(called[1]), called[3], file[1], int(file[2]))


def _stack_place(
    stacks: Iterable[list[str]], package: str, mapper: PathMapper, *, without_main: bool = False
) -> tuple[str | None, int | None]:
    """The place on the first stack that has one. A timeout finds TestMain waiting, which is to blame for nothing."""
    for stack in stacks:
        calls = [call for call in _calls(stack) if not (without_main and call.function == "TestMain")]
        own = next((call for call in calls if call.package == package), None)
        if own:
            path, known = file_of(package, own.file.replace("\\", "/").rpartition("/")[2], mapper)
            return (path if known else mapper(own.file)), own.line
        for call in calls:
            mapped = mapper.map(call.file)
            if mapped.known and not is_foreign(call.file):
                return mapped.path, call.line
    return None, None


def _running(lines: list[str]) -> str:
    """The innermost tests that a timeout found running; Go lists parents beside their subtests."""
    names: list[str] = []
    listing = False
    for line in lines:
        if line.strip() == "running tests:":
            listing = True
        elif listing and line.startswith("\t\t"):
            names.append(line.strip().rpartition(" (")[0])
        elif listing:
            break
    above = {name[:at] for name in names for at, letter in enumerate(name) if letter == "/"}
    inner = [name for name in names if name not in above]
    more = f" and {len(inner) - 3} more" if len(inner) > 3 else ""
    return text.name(", ".join(inner[:3]) + more)
