"""What a Go test printed, read for people: the message of a failure, and the file and line it comes from.

`t.Errorf` prints `    file_test.go:12: text` with the base name only, as `t.Log` does; a panic prints a stack. Since
Go 1.27 the stream marks error lines; before that the source itself tells an error from a log line, where it is there.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ci_buildkit import text
from ci_buildkit.results.go_crash import NOTHING, Failure, crash, file_of, panic, race

if TYPE_CHECKING:
    from ci_buildkit.paths import PathMapper

__all__ = ["NOTHING", "Failure", "last_line", "of_build", "of_crash", "of_lost", "of_skip", "of_test", "unframed"]

_PLACE = re.compile(r"^\s*([\w.+-]+\.go):(\d+): ?(.*)$")
_FRAME = re.compile(r"^\s*(?:=== (?:RUN|PAUSE|CONT|NAME)\s|--- (?:PASS|FAIL|SKIP|BENCH): |(?:PASS|FAIL)$)")
_COMPILER = re.compile(r"^(?:vet: )?((?:[A-Za-z]:)?[^\s:][^:]*\.go):(\d+)(?::(\d+))?: (.+)$")
_LOG_CALL = re.compile(r"\.Logf?\(")
_TESTIFY = re.compile(r"^\s+(Error Trace|Error|Test|Messages):\s+(.*)$")
_RACED = "race detected during execution of test"


def of_test(output: str, errors: str, package: str, mapper: PathMapper) -> Failure:
    """Why a test of `package` failed. `errors` are the lines that the stream itself marked as errors."""
    lines = unframed(text.clean(output))
    raced = race(lines, package, mapper)
    if raced.told:
        return raced
    panicked = panic(lines, package, mapper)
    if panicked.told and not errors:
        return panicked
    marked = text.clean(errors).split("\n") if errors else lines
    found = _error_line(marked, package, mapper)
    if found.told:
        return found
    return panicked if panicked.told else _unmarked(lines)


def of_crash(output: str, package: str, mapper: PathMapper) -> Failure:
    """The race, panic or timeout that this output tells of; NOTHING where it tells of none."""
    return crash(unframed(text.clean(output)), package, mapper)


def of_skip(output: str, package: str, mapper: PathMapper) -> Failure:
    """Why a test was skipped: the last thing it logged."""
    lines = unframed(text.clean(output))
    for number, line in reversed(list(enumerate(lines))):
        place = _PLACE.match(line)
        if place:
            said = place[3].strip() or next((rest.strip() for rest in lines[number + 1 :] if rest.strip()), "")
            return Failure(text.name(said), file_of(package, place[1], mapper)[0], int(place[2]) or None)
    return NOTHING


def of_lost(reason: str, output: str, package: str, mapper: PathMapper) -> Failure:
    """What to say of a test without an ending and without a crash: `reason`, and the last that it printed."""
    said = last_line(unframed(text.clean(output)))
    place = of_skip(output, package, mapper)
    return Failure(f"{reason}; it printed last: {said}" if said else reason, place.path, place.line)


def of_build(output: str, mapper: PathMapper) -> Failure:
    """The first error of the compiler, of vet or of the package loader."""
    lines = [line for line in text.clean(output).split("\n") if line.strip() and not line.startswith("# ")]
    for line in lines:
        found = _COMPILER.match(line)
        if found:
            return Failure(text.name(found[4]), mapper(found[1]), int(found[2]) or None)
    return Failure(text.name(lines[0].strip())) if lines else NOTHING


def unframed(output: str) -> list[str]:
    """The lines of `output` without those that the testing package prints around a test."""
    return [line for line in output.split("\n") if not _FRAME.match(line)]


def last_line(lines: list[str]) -> str:
    """The last line that says something; "" where none does."""
    return next((text.name(line.strip()) for line in reversed(lines) if line.strip()), "")


def _error_line(lines: list[str], package: str, mapper: PathMapper) -> Failure:
    places = [(number, found) for number, line in enumerate(lines) if (found := _PLACE.match(line))]
    own = [place for place in places if not (place[1][1] == "testing.go" and place[1][3].startswith(_RACED))]
    if not own:
        # The race detector's report can be among what another test printed.
        return Failure("data race, reported elsewhere in the output of its package") if places else NOTHING
    number, chosen = next((place for place in own if not _is_log(place[1], package, mapper)), own[0])
    message = chosen[3].strip() or _continued(lines[number + 1 : number + 60])
    return Failure(text.name(message) or "failed", file_of(package, chosen[1], mapper)[0], int(chosen[2]) or None)


def _is_log(place: re.Match[str], package: str, mapper: PathMapper) -> bool:
    """Whether the source line that printed this is a call of t.Log, which is no failure."""
    path, known = file_of(package, place[1], mapper)
    return known and bool(_LOG_CALL.search(mapper.source_line(path, int(place[2]))))


def _continued(lines: list[str]) -> str:
    """testify leaves the first line empty and writes a table below it; its error and the user's words are told."""
    told: list[str] = []
    telling = False
    for line in lines:
        found = _TESTIFY.match(line)
        if _PLACE.match(line) or not line.startswith("    "):
            break
        if found:
            telling = found[1] in {"Error", "Messages"}
            told += [found[2].strip() if found[1] == "Error" else f"({found[2].strip()})"] if telling else []
        elif telling and line.strip() and len(told) < 5:
            told.append(" ".join(line.split()))
        else:
            telling = False
    said = " ".join(part for part in told if part)
    return said or next((line.strip() for line in lines if line.strip()), "")


def _unmarked(lines: list[str]) -> Failure:
    said = [line.strip() for line in lines if line.strip()]
    if said[:1] == ["got:"] and "want:" in said:
        want = said.index("want:")
        return Failure(text.name(f"got {' '.join(said[1:want])}, want {' '.join(said[want + 1 :])}"))
    return NOTHING
