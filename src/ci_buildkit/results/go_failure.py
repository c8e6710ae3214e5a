"""What a Go test printed, read for people: the message of a failure, and the file and line it comes from.

`t.Errorf` prints `    file_test.go:12: text` with the base name only, as `t.Log` does; a panic prints a stack. Since
Go 1.27 the stream marks error lines; before that the source itself tells an error from a log line, where it is there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from ci_buildkit import text

if TYPE_CHECKING:
    from ci_buildkit.paths import PathMapper

_PLACE = re.compile(r"^\s*([\w.+-]+\.go):(\d+): ?(.*)$")
_FRAME = re.compile(r"^\s*(?:=== (?:RUN|PAUSE|CONT|NAME)\s|--- (?:PASS|FAIL|SKIP|BENCH): |(?:PASS|FAIL)$)")
_PANIC = re.compile(r"^(?:panic: |fatal error: |runtime: goroutine stack exceeds|SIG[A-Z]+: )")
_CALL = re.compile(r"^(?:created by )?([\w./~-]+?)(?:_test)?\.[\w(*]")
_STACK_FILE = re.compile(r"^\t(\S.*\.go):(\d+)(?: \+0x[0-9a-f]+)?$")
_COMPILER = re.compile(r"^(?:vet: )?((?:[A-Za-z]:)?[^\s:][^:]*\.go):(\d+)(?::(\d+))?: (.+)$")
_LOG_CALL = re.compile(r"\.Logf?\(")
_TESTIFY = re.compile(r"^\s+Error:\s+(.*)$")
_RACE = "WARNING: DATA RACE"


@dataclass(frozen=True, slots=True)
class Failure:
    """The first line of what went wrong, and where (path as far as it is known, 1-based line)."""

    message: str
    path: str | None = None
    line: int | None = None

    @property
    def told(self) -> bool:
        """Whether there is anything to say."""
        return bool(self.message)


NOTHING = Failure("")


def of_test(output: str, errors: str, package: str, mapper: PathMapper) -> Failure:
    """Why a test of `package` failed. `errors` are the lines that the stream itself marked as errors."""
    lines = unframed(text.clean(output))
    panicked = panic(lines, package, mapper)
    if panicked.told and not errors:
        return panicked
    marked = text.clean(errors).split("\n") if errors else lines
    found = _error_line(marked, package, mapper)
    if found.told:
        return found
    return panicked if panicked.told else _unmarked(lines)


def of_skip(output: str, package: str, mapper: PathMapper) -> Failure:
    """Why a test was skipped: the last thing it logged."""
    for line in reversed(unframed(text.clean(output))):
        place = _PLACE.match(line)
        if place:
            return Failure(text.name(place[3].strip()), mapper.go_file(package, place[1]).path, int(place[2]))
    return NOTHING


def of_build(output: str, mapper: PathMapper) -> Failure:
    """The first error of the compiler, of vet or of the package loader."""
    lines = [line for line in text.clean(output).split("\n") if line.strip() and not line.startswith("# ")]
    for line in lines:
        found = _COMPILER.match(line)
        if found:
            return Failure(text.name(found[4]), mapper(found[1]), int(found[2]) or None)
    return Failure(text.name(lines[0].strip())) if lines else NOTHING


def panic(lines: list[str], package: str, mapper: PathMapper) -> Failure:
    """A panic or a timeout: its line, and the first place on the stack that is in `package`, else in the repository."""
    start = next((number for number, line in enumerate(lines) if _PANIC.match(line)), None)
    if start is None:
        return NOTHING
    message = text.name(lines[start].strip())
    running = _running(lines[start : start + 50])
    if running:
        message = f"{message} (running: {running})"
    path, line = _stack_place(lines[start:], package, mapper)
    return Failure(message, path, line)


def unframed(output: str) -> list[str]:
    """The lines of `output` without those that the testing package prints around a test."""
    return [line for line in output.split("\n") if not _FRAME.match(line)]


def _error_line(lines: list[str], package: str, mapper: PathMapper) -> Failure:
    places = [(number, found) for number, line in enumerate(lines) if (found := _PLACE.match(line))]
    if not places:
        return NOTHING
    number, chosen = next((place for place in places if not _is_log(place[1], package, mapper)), places[0])
    message = chosen[3].strip() or _continued(lines[number + 1 : number + 30])
    return Failure(text.name(message) or "failed", mapper.go_file(package, chosen[1]).path, int(chosen[2]))


def _is_log(place: re.Match[str], package: str, mapper: PathMapper) -> bool:
    """Whether the source line that printed this is a call of t.Log, which is no failure."""
    mapped = mapper.go_file(package, place[1])
    return mapped.known and bool(_LOG_CALL.search(mapper.source_line(mapped.path, int(place[2]))))


def _continued(lines: list[str]) -> str:
    """testify leaves the first line empty and writes a table below it."""
    for line in lines:
        found = _TESTIFY.match(line)
        if found and found[1].strip():
            return found[1].strip()
    return next((line.strip() for line in lines if line.strip()), "")


def _unmarked(lines: list[str]) -> Failure:
    if any(_RACE in line for line in lines):
        return Failure("data race")
    said = [line.strip() for line in lines if line.strip()]
    if said[:1] == ["got:"] and "want:" in said:
        want = said.index("want:")
        return Failure(text.name(f"got {' '.join(said[1:want])}, want {' '.join(said[want + 1 :])}"))
    return NOTHING


def _running(lines: list[str]) -> str:
    """The innermost test that a timeout found running; Go lists parents before their subtests."""
    names = []
    listing = False
    for line in lines:
        if line.strip() == "running tests:":
            listing = True
        elif listing and line.startswith("\t\t"):
            names.append(line.strip().split(" (")[0])
        elif listing:
            break
    return names[-1] if names else ""


def _stack_place(lines: list[str], package: str, mapper: PathMapper) -> tuple[str | None, int | None]:
    fallback: tuple[str | None, int | None] = (None, None)
    for call, where in pairwise(lines):
        file = _STACK_FILE.match(where)
        if not file:
            continue
        called = _CALL.match(call)
        if called and called[1] == package:
            base = file[1].replace("\\", "/").rpartition("/")[2]
            inside = mapper.go_file(package, base)
            return (inside.path if inside.known else mapper(file[1])), int(file[2])
        mapped = mapper.map(file[1])
        if mapped.known and fallback[0] is None:
            fallback = (mapped.path, int(file[2]))
    return fallback
