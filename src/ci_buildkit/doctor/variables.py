"""Variables of a Dockerfile: used where they are not declared, which makes them empty. Pure.

An ARG before the first FROM is there for FROM lines alone; a stage has those that it, or a stage that it is made from,
declares (docs.docker.com/reference/dockerfile, "Understand how ARG and FROM interact").
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from ci_buildkit.doctor import shell
from ci_buildkit.doctor.flaw import Flaw
from ci_buildkit.doctor.nearest import question, slip_of
from ci_buildkit.doctor.officials import OFFICIAL, SET_BY_OTHERS, SYSTEMS
from ci_buildkit.doctor.parsed import Instruction, Parsed, Section

PLATFORM_ARGS = frozenset(
    f"{side}{what}" for side in ("TARGET", "BUILD") for what in ("PLATFORM", "OS", "ARCH", "VARIANT")
)
AUTOMATIC = PLATFORM_ARGS | {"TARGETSTAGE"}
# Set by BuildKit without being declared (docs.docker.com/reference/dockerfile, "Predefined ARGs").
PREDEFINED = frozenset(
    name
    for upper in ("HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY")
    for name in (upper, upper.lower())
) | {"PATH", "HOME", "HOSTNAME", "PWD"}
# A variable that BuildKit or a shell fills in: not escaped, and without a word for where it is empty.
USE = re.compile(r"(?<![\\$])\$(?:\{(?P<braced>\w+)(?P<how>[^}]*)\}|(?P<plain>[A-Za-z_]\w*))")
EXPANDS = frozenset(["ADD", "COPY", "ENV", "EXPOSE", "LABEL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"])
SHORTEST = 6  # letters of a name whose slip is believed


def declared(instructions: Iterable[Instruction]) -> frozenset[str]:
    """The names that ARG and ENV instructions declare."""
    found: set[str] = set()
    for one in instructions:
        if one.keyword == "ARG":
            found |= {word.partition("=")[0] for word in one.words}
        elif one.keyword == "ENV":
            found |= set(one.words[::2])
    return frozenset(found)


def uses(one: Instruction) -> dict[str, str]:
    """The variables that an instruction uses, each with what stands behind its name in the braces."""
    if one.keyword == "RUN":
        mounts = " ".join(one.values("--mount"))
        text = f"{mounts}\n{_without_quoted(one.script)}"
    elif one.keyword in EXPANDS:
        text = re.sub(r"'[^']*'", "''", " ".join((*one.flags, *one.words)))
    else:
        return {}
    return {found["braced"] or found["plain"]: found["how"] or "" for found in USE.finditer(text)}


def _without_quoted(script: str) -> str:
    """A script without what stands in single quotes, where a single quote within double ones is an apostrophe."""
    return re.sub(r"""("(?:\\.|[^"\\])*")|'[^']*'""", lambda found: found[1] or "''", script)


def undeclared(file: Parsed) -> Iterator[Flaw]:
    """Automatic and global arguments that a stage uses and does not declare."""
    outside = declared(file.head)
    for section in file.sections:
        told: set[str] = set()
        for one in section.body:
            have = declared(file.before(section, one.line)) | shell.assigned(one.script)
            for name, how in uses(one).items():
                if name in have or name in told or _has_default(how):
                    continue
                if name in outside | AUTOMATIC and not _may_be_set_by_image(name, section, file):
                    told.add(name)
                    yield _not_declared(file, section, one, name, outside)


def _has_default(how: str) -> bool:
    return how.startswith(("-", ":-", "=", ":=", "?", ":?", "+", ":+"))


def _may_be_set_by_image(name: str, section: Section, file: Parsed) -> bool:
    """Whether the base image's own ENV may have it: `node` sets NODE_VERSION."""
    word = name.partition("_")[0].lower()
    bases = [root.base.lower() for root in file.roots(section) if root.image not in SYSTEMS]
    return name not in AUTOMATIC and any(
        word in base or base.startswith("$") or name in SET_BY_OTHERS for base in bases
    )


def _not_declared(file: Parsed, section: Section, one: Instruction, name: str, outside: frozenset[str]) -> Flaw:
    known = name in AUTOMATIC or all(root.image in OFFICIAL for root in file.roots(section))
    why = (
        f'"{name}" is declared before the first FROM only, which is for FROM lines'
        if name in outside
        else f'"{name}" is an argument that BuildKit sets only where it is declared'
    )
    later = next((other.line for other in section.body if name in declared([other])), None)
    where = f"; its ARG comes later, in line {later}" if later else ""
    return Flaw(
        one.line,
        f"{why}: here in {section.title} it is empty{where}; declare it with ARG {name}",
        file.preceded(one, f"ARG {name}"),
        safe=True,
        severity="error" if known else "warning",
    )


def misspelt(file: Parsed) -> Iterator[Flaw]:
    """Variables that nobody sets, a slip away from one that is declared."""
    for section in file.sections:
        for one in section.body:
            have = declared(file.before(section, one.line))
            own = shell.assigned(one.script)
            for name in uses(one):
                names = slip_of(name, have | AUTOMATIC, SHORTEST)
                if name in have | own | PREDEFINED | AUTOMATIC or not names or not name.isupper():
                    continue
                if "VERSION" not in name or not _may_be_set_by_image(name, section, file):
                    yield _slip(file, one, name, names)


def _slip(file: Parsed, one: Instruction, name: str, names: tuple[str, ...]) -> Flaw:
    line, fixed = file.respelt(one, rf"\$\{{?({re.escape(name)})\b", names[0])
    sure = len(names) == 1
    return Flaw(line, f'nothing sets "{name}"{question(names)}', fixed if sure else None, safe=sure)


def undeclared_in_from(file: Parsed) -> Iterator[Flaw]:
    """Variables of FROM lines that are not declared before the first FROM."""
    outside = declared(file.head)
    for section in file.sections:
        text = " ".join((*section.start.flags, *section.start.words))
        for found in USE.finditer(text):
            name = found["braced"] or found["plain"]
            if name in outside | AUTOMATIC | PREDEFINED or _has_default(found["how"] or ""):
                continue
            names = slip_of(name, outside | PLATFORM_ARGS)
            line, fixed = file.respelt(section.start, rf"\$\{{?({re.escape(name)})\b", names[0] if names else "")
            inside = next((one.line for other in file.sections for one in other.body if name in declared([one])), None)
            why = f"the ARG in line {inside} is inside a stage" if inside else "it is not declared"
            yield Flaw(
                line,
                f'"{name}" is empty here, because {why}, and a FROM line sees only what is declared before the first FROM'
                f"{question(names)}",
                fixed if len(names) == 1 else None,
                safe=len(names) == 1,
            )
