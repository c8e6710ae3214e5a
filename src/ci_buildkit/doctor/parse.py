"""Reads a Dockerfile with BuildKit's own parser, and goes on behind what that refuses: all mistakes are told at once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from ci_buildkit.doctor.around import Around
from ci_buildkit.doctor.flaw import Flaw
from ci_buildkit.doctor.lines import split
from ci_buildkit.doctor.nearest import words
from ci_buildkit.doctor.parsed import Instruction, Parsed, Section
from ci_buildkit.plan import dockerfile as graph

KEYWORDS = words(
    """
    ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL MAINTAINER ONBUILD RUN SHELL STOPSIGNAL USER VOLUME WORKDIR
    """
)
DIRECTIVE = re.compile(r"#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$")
DIRECTIVES = frozenset({"syntax", "escape", "check"})
# What looks like the beginning of an instruction, and not like a line of a script.
BEGINNING = re.compile(rf"(?:{'|'.join(KEYWORDS)})\s+\S")
SHELL_READS = re.compile(r"(?:(?:\S*/)?(?:ba|da|a)?sh(?: -\w+)* +)?<<-?")
HEREDOC = re.compile(r"<<-?\s*[\"']?([A-Za-z_]\w*)")


def parse(path: str, text: str, around: Around | None = None) -> Parsed:
    """The file as far as it can be read; what cannot be is in `broken`."""
    lines = split(text)
    readable = graph.readable(text)
    read, broken = _commands(split(readable), readable)
    # A line that only continues to nothing is an instruction without a name.
    commands = [command for command in read if command.cmd]
    bodies: list[list[Any]] = [[]]
    for command in commands:
        if command.cmd.upper() == "FROM":
            bodies.append([])
        bodies[-1].append(command)
    sections = tuple(_section(number, body) for number, body in enumerate(bodies[1:]))
    return Parsed(
        path=path,
        text=text,
        lines=lines,
        directives=directives(lines),
        head=tuple(map(_instruction, bodies[0])),
        sections=sections,
        graph=graph.parse(commands),
        broken=broken,
        around=around or Around(),
    )


def directives(lines: Sequence[str]) -> dict[str, tuple[int, str]]:
    """The parser directives by name, each with its line and value (moby/buildkit, parser/directives.go)."""
    found: dict[str, tuple[int, str]] = {}
    start = 1 if lines and lines[0].startswith("#!") else 0
    for number, line in enumerate(lines[start:], start + 1):
        said = DIRECTIVE.match(line)
        if said is None or said[1].lower() not in DIRECTIVES:
            break
        found.setdefault(said[1].lower(), (number, said[2]))
    return found


def _commands(lines: Sequence[str], text: str) -> tuple[Sequence[Any], tuple[Flaw, ...]]:
    """The parser's commands, and flaws for what had to be left out for it to go on."""
    import dockerfile  # a Go library: 10 ms to load

    try:
        return dockerfile.parse_string(text), ()
    except dockerfile.GoParseError as error:
        if not any(line.strip() and not line.lstrip().startswith("#") for line in lines):
            return (), (Flaw(None, "the file holds no instruction; a Dockerfile begins with FROM"),)
        first = str(error)
    kept = list(lines)
    flaws = []
    for start, end, message in _refused(lines):
        kept[start:end] = [""] * (end - start)
        flaws.append(Flaw(start + 1, f"BuildKit refuses this: {message}"))
    try:
        return dockerfile.parse_string("\n".join(kept) + "\n"), tuple(flaws)
    except dockerfile.GoParseError as error:
        return (), tuple(flaws) or (Flaw(None, f"BuildKit refuses the file: {first or error}"),)


def _refused(lines: Sequence[str]) -> Iterator[tuple[int, int, str]]:
    """The instructions that the parser refuses: where they begin and end, 0-based, and why."""
    escape = directives(lines).get("escape", (0, "\\"))[1]
    at = 0
    while at < len(lines):
        if not lines[at].strip() or lines[at].lstrip().startswith("#"):
            at += 1
            continue
        end = _end(lines, at, escape)
        message = _message(lines[at:end], escape)
        if message == "unterminated heredoc":
            end, message = _heredoc(lines, at, end, escape)
        swallowed = next((n for n in range(at + 1, end) if BEGINNING.match(lines[n])), end) if message else end
        if swallowed < end and "heredoc" not in message:
            end, message = swallowed, f"{message}; it goes on in line {swallowed + 1}, which looks like one of its own"
        if message:
            yield at, end, message
        at = end


def _end(lines: Sequence[str], at: int, escape: str) -> int:
    """Where the instruction that begins at a line ends: comments and blank lines do not end a continued one."""
    continued = re.compile(rf"{re.escape(escape)}[ \t]*$")
    while at < len(lines):
        line = lines[at]
        at += 1
        if line.strip() and not line.lstrip().startswith("#") and not continued.search(line):
            break
    return at


def _message(lines: Sequence[str], escape: str) -> str:
    """What the parser says against some lines alone; "" where they are fine."""
    import dockerfile

    try:
        dockerfile.parse_string("\n".join([f"# escape={escape}", *lines]) + "\n")
    except dockerfile.GoParseError as error:
        return str(error)
    return ""


def _heredoc(lines: Sequence[str], at: int, end: int, escape: str) -> tuple[int, str]:
    """Where a here-document ends, and what is wrong with it; "" where it ends as it should.

    One without an end is taken to reach to the next instruction.
    """
    for last in range(end, len(lines)):
        name = next(iter(HEREDOC.findall(" ".join(lines[at:end]))), "")
        if lines[last].strip() != name:
            continue
        if not (message := _message(lines[at : last + 1], escape)):
            return last + 1, ""
        if message == "unterminated heredoc" and lines[last] != name:
            how = "`<<-` allows tabs before it" if lines[last].lstrip("\t") == name else "no space may stand around it"
            return last + 1, f"unterminated heredoc: line {last + 1} does not end it, because {how}"
    name = ", ".join(HEREDOC.findall(" ".join(lines[at:end]))) or "its name"
    following = (n for n in range(end, len(lines)) if BEGINNING.match(lines[n]))
    return next(following, len(lines)), f"unterminated heredoc: no line below is {name} alone"


def _section(number: int, body: Sequence[Any]) -> Section:
    start = _instruction(body[0])
    name = start.words[2].lower() if len(start.words) > 2 and start.words[1].upper() == "AS" else ""
    return Section(number, name, start.words[0] if start.words else "", start, tuple(map(_instruction, body[1:])))


def _instruction(command: Any) -> Instruction:
    keyword = command.cmd.upper()
    heredocs = tuple(one.content for one in command.heredocs)
    script = ""
    if keyword == "RUN" and not command.json:
        line = " ".join(command.value)
        # What the shell itself reads is its script; what a program reads may be anything.
        script = "\n".join((SHELL_READS.sub("", line), *heredocs)) if SHELL_READS.match(line) else line
    return Instruction(
        keyword=keyword,
        line=command.start_line,
        end_line=command.end_line,
        flags=tuple(command.flags),
        words=tuple(command.value),
        text=command.original.partition("\n")[0],
        script=script,
        heredocs=heredocs,
    )
