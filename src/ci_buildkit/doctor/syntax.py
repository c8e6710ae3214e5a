"""The `# syntax=` line, and what stands against the form of the file. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from ci_buildkit.doctor.flaw import Flaw
from ci_buildkit.doctor.nearest import nearest, one_slip_apart
from ci_buildkit.doctor.parse import BEGINNING, KEYWORDS
from ci_buildkit.doctor.parsed import Instruction, Parsed

FRONTEND = re.compile(r"(?:docker\.io/)?docker/dockerfile(?:-upstream)?(?::(?P<tag>[\w.-]+))?(?:@\S+)?")
RELEASE = re.compile(r"(?P<major>\d+)(?:\.(?P<minor>\d+))?(?:\.\d+)?(?P<channel>-[\w.-]+)?")
CURRENT = "docker/dockerfile:1"
COMMENT = re.compile(r"#\s*([a-zA-Z]+)\s*[=:]\s*(\S*dockerf?\S*/\S+)\s*$")
ODD_NAME = re.compile(r"[a-z][a-z0-9_.-]*")

# What came with which release (docs.docker.com/build/buildkit/dockerfile-release-notes), here in words; in the labs channel
# it came with the second one.
FEATURES: tuple[tuple[str, int, int, Callable[[Instruction], bool]], ...] = (
    ("RUN --mount", 2, 1, lambda one: one.keyword == "RUN" and bool(one.values("--mount"))),
    ("RUN --network", 3, 2, lambda one: one.keyword == "RUN" and bool(one.values("--network"))),
    ("here-documents", 4, 3, lambda one: bool(one.heredocs)),
    ("--link", 4, 4, lambda one: one.keyword in {"ADD", "COPY"} and bool(one.values("--link"))),
    ("ADD --checksum", 6, 5, lambda one: one.keyword == "ADD" and bool(one.values("--checksum"))),
    ("--start-interval", 6, 6, lambda one: bool(one.values("--start-interval"))),
    ("secrets in variables", 10, 10, lambda one: any(m.get("type") == "secret" and "env" in m for m in one.mounts)),
    ("ADD --unpack", 17, 17, lambda one: bool(one.values("--unpack"))),
    ("--exclude", 19, 7, lambda one: one.keyword in {"ADD", "COPY"} and bool(one.values("--exclude"))),
    ("COPY --parents", 20, 7, lambda one: one.keyword == "COPY" and bool(one.values("--parents"))),
)


def broken(file: Parsed) -> Iterator[Flaw]:
    """What BuildKit's parser refuses."""
    yield from file.broken


def shapes(file: Parsed) -> Iterator[Flaw]:
    """Instructions that the parser takes and the build refuses (frontend/dockerfile/instructions/parse.go)."""
    if not file.sections and not file.broken and all(one.keyword in KEYWORDS for one in file.head):
        yield Flaw(None, "there is no FROM: no stage begins")
    for one in file.head if file.sections else ():
        if one.keyword in KEYWORDS and one.keyword != "ARG":
            yield Flaw(one.line, f"{one.keyword} stands before the first FROM, where only ARG may")
    for one in file.instructions:
        if message := _shape(one):
            yield Flaw(one.line, message)


def _shape(one: Instruction) -> str:
    if one.keyword == "FROM":
        named = len(one.words) == 3 and one.words[1].upper() == "AS"
        if len(one.words) != 1 and not named:
            return "FROM takes an image, or an image, AS and a name"
        if named and not ODD_NAME.fullmatch(one.words[2].lower()):
            return f'"{one.words[2]}" cannot be a stage\'s name: it begins with a letter and holds letters, digits, - _ and .'
    if one.keyword in {"COPY", "ADD"} and len(one.words) < 2:
        return f"{one.keyword} takes at least one source and a destination"
    if one.keyword == "RUN" and not one.script.strip() and not any(one.words):
        return "RUN has nothing to run"
    if one.keyword in {"WORKDIR", "USER", "SHELL", "STOPSIGNAL"} and not any(one.words):
        return f"{one.keyword} says nothing"
    return ""


def swallowed(file: Parsed) -> Iterator[Flaw]:
    """Instructions that a line above takes for its own, because it ends in the character that continues it."""
    for one in file.instructions:
        if one.keyword in {"HEALTHCHECK", "ONBUILD"} or one.heredocs:
            continue
        for number in range(one.line + 1, min(one.end_line, len(file.lines)) + 1):
            if BEGINNING.match(file.lines[number - 1]) and _continues(file, number - 1) > 0:
                above = _continues(file, number - 1)
                yield Flaw(
                    number,
                    f"this is read as part of the {one.keyword} that begins in line {one.line}, because line {above} ends "
                    f"in {file.escape}",
                )
                break


def _continues(file: Parsed, number: int) -> int:
    """The line, at or above this one, that continues to the next; comments and blank lines between do not count."""
    while number > 0:
        line = file.lines[number - 1].strip()
        if line and not line.startswith("#"):
            return number if line.endswith(file.escape) else 0
        number -= 1
    return 0


def misplaced(file: Parsed) -> Iterator[Flaw]:
    """A `# syntax=` that is only a comment: it is not at the top, or misspelt."""
    if "syntax" in file.directives:
        return
    for number, line in enumerate(file.lines, 1):
        found = COMMENT.match(line.strip())
        if found is None:
            continue
        word = found[1].lower()
        if word == "syntax" and "=" in line and number > 1:
            yield Flaw(number, "this is only a comment here: `# syntax=` must be in the first line; move it there")
            return
        at_top = all(one.startswith("#") for one in file.lines[:number])
        if at_top and (word == "syntax" or one_slip_apart(word, "syntax") or nearest(word, ["syntax"])):
            yield Flaw(
                number,
                f"this is only a comment: did you mean `# syntax={found[2]}`?",
                f"# syntax={found[2]}" if number == 1 else None,
                safe=number == 1,
            )
            return


def frontend(file: Parsed) -> Iterator[Flaw]:
    """A frontend that does not exist, a slip away from Docker's own."""
    line, value = file.directives.get("syntax", (0, ""))
    name, colon, tag = value.partition(":")
    own = name.removeprefix("docker.io/")
    if line and own.count("/") == 1 and (one_slip_apart(own, "docker/dockerfile")):
        yield Flaw(
            line,
            f'there is no frontend "{name}"; did you mean "docker/dockerfile"?',
            f"# syntax=docker/dockerfile{colon}{tag}",
            safe=True,
        )


def has_mounts(file: Parsed) -> bool:
    """Whether the frontend that the file asks for knows `RUN --mount`."""
    return _knows(file.directives.get("syntax", (0, CURRENT))[1], 2, 1)


def _knows(value: str, minor: int, labs: int) -> bool:
    """Whether a frontend is at least release 1.MINOR, or 1.LABS of the labs channel; an unknown one is."""
    found = FRONTEND.fullmatch(value)
    release = RELEASE.fullmatch(found["tag"] or "") if found else None
    if release is None or release["minor"] is None or int(release["major"]) > 1:
        return True
    channel = release["channel"] or ""
    return int(release["minor"]) >= (labs if "labs" in channel or "experimental" in channel else minor)


def outdated(file: Parsed) -> Iterator[Flaw]:
    """A frontend that is older than something that the file uses."""
    line, value = file.directives.get("syntax", (0, CURRENT))
    for one in file.instructions if line else ():
        for what, minor, labs, uses in FEATURES:
            if uses(one) and not _knows(value, minor, labs):
                yield Flaw(
                    line,
                    f"{value} does not know {what} (line {one.line}), which came with 1.{minor}; take {CURRENT}",
                    f"# syntax={CURRENT}",
                    safe=True,
                )
                return


def final_newline(file: Parsed) -> Iterator[Flaw]:
    """No line end at the end of the file: a line that something appends goes astray."""
    if file.text and not file.text.endswith("\n"):
        yield Flaw(len(file.lines), "the last line has no line end", f"{file.lines[-1]}\n", safe=True)
