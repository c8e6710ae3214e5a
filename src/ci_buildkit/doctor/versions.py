"""The version that programs are stamped with. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ci_buildkit.doctor import platforms, shell
from ci_buildkit.doctor.flaw import Flaw
from ci_buildkit.doctor.parsed import Parsed
from ci_buildkit.doctor.variables import AUTOMATIC, declared
from ci_buildkit.plan.stages import VERSION_ARGS

PROGRAM = re.compile(r"(?:xx-)?go build\b")  # other compilers take the version of the project's own file
# What a file that stamps by other means holds.
MAKES = re.compile(r"ldflags|\bgit\s|\.git\b|describe|stamp|\bversion\b", re.IGNORECASE)
# The linker's flag that sets a variable of a Go program: -X path.name=value.
STAMP = re.compile(r"-X[ =]*['\"]?[\w./-]+\.\w+=\\?['\"]?\$\{?(?P<name>\w+)(?P<how>[^\s}'\"]*)")


def empty(file: Parsed) -> Iterator[Flaw]:
    """Stamps whose variable the stage does not declare: the program says that it has no version."""
    outside = declared(file.head)
    for section in file.sections:
        for one in section.body:
            have = declared(file.before(section, one.line)) | shell.assigned(one.script)
            for found in STAMP.finditer(one.script):
                name = found["name"]
                # Arguments that stand before the first FROM are told as undeclared ones.
                if name in have | outside | AUTOMATIC or found["how"].startswith((":-", "-")):
                    continue
                have |= {name}
                message = (
                    f'"{name}" is stamped into the program and {section.title} does not declare it: the version is empty; '
                    f"declare it with ARG {name}"
                )
                yield Flaw(one.line, message, file.preceded(one, f"ARG {name}"), safe=True)


def missing(file: Parsed) -> Iterator[Flaw]:
    """Stages that compile a program which leaves the builder, and neither take a version nor make one."""
    leaving = platforms.shipped(file)
    for section in file.sections:
        said = [one for part in file.chain(section) for one in part.body]
        knows = any("VERSION" in name or "COMMIT" in name for name in declared(said))
        if section.key not in leaving or knows or any(MAKES.search(f"{one.text}\n{one.script}") for one in said):
            continue
        for one in section.body:
            if any(PROGRAM.match(command.line) for command in shell.commands(one.script)):
                yield Flaw(
                    one.line,
                    f"the program gets no version: {section.title} declares no argument that carries it, "
                    f"{', '.join(VERSION_ARGS[:-1])} or {VERSION_ARGS[-1]}",
                )
                break
