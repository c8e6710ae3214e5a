"""Stages that could cross-compile and are emulated instead. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ci_buildkit.doctor import compilers
from ci_buildkit.doctor.flaw import Flaw
from ci_buildkit.doctor.parsed import Parsed, Section
from ci_buildkit.plan import kinds

BUILD_PLATFORM = "--platform=$BUILDPLATFORM"


def missing(file: Parsed) -> Iterator[Flaw]:
    """Compiling stages on the platform that is asked for, where the builder's own would do.

    The fix is safe where the stage already compiles for another platform, and nothing but compiling is made from the image.
    """
    told: set[int] = set()
    leaving = shipped(file)
    for section in file.sections:
        for root in file.roots(section):
            if root.number in told or not _is_emulated(root) or not _compiles(section):
                continue
            heirs = file.heirs(root)
            crosses = any(compilers.crosses(_settings(file, heir)) for heir in heirs)
            if any(_is_product(heir, file) for heir in heirs) or not (crosses or section.key in leaving):
                continue
            told.add(root.number)
            yield _emulated(file, root, crosses=crosses)


def _emulated(file: Parsed, root: Section, *, crosses: bool) -> Flaw:
    gains = "it compiles for the platform that is asked for, so it may run on the builder's own"
    could = "its compiler can write programs for other platforms (GOOS and GOARCH from TARGETOS and TARGETARCH)"
    return Flaw(
        root.start.line,
        f"{root.title} is emulated for every platform but the builder's own: {gains if crosses else could}; "
        f"begin with FROM {BUILD_PLATFORM}",
        _with_platform(file, root) if crosses else None,
        safe=crosses,
        severity="warning" if crosses else "notice",
    )


def shipped(file: Parsed) -> frozenset[str]:
    """The stages that a program which leaves the builder is made in."""
    products = [one.key for one in file.sections if one.name in kinds.USUAL_NAMES["binaries"] or _starts(one)]
    return frozenset(part for product in products for part in file.graph.reach(product))


def _is_emulated(root: Section) -> bool:
    return bool(root.base) and root.base.lower() != "scratch" and not root.start.values("--platform")


def _starts(section: Section) -> bool:
    return any(one.keyword in {"CMD", "ENTRYPOINT"} for one in section.body)


def _compiles(section: Section) -> bool:
    """Whether it compiles with what needs no emulation; a C compiler beside Go does."""
    scripts = [one.script for one in section.body]
    if any(compilers.crosses(script) for script in scripts):
        return any(compilers.compiling(script) or "xx-" in script for script in scripts)
    return any(compilers.GO_BUILD.match(c.line) for script in scripts for c in compilers.compiling(script)) and not any(
        "CGO_ENABLED=1" in one.text or "CGO_ENABLED=1" in one.script for one in section.body
    )


def _is_product(section: Section, file: Parsed) -> bool:
    """Whether a stage is an image that leaves the builder, so that it must be of the platform that is asked for."""
    return (
        section is file.sections[-1]
        or _starts(section)
        or section.name in kinds.USUAL_NAMES["image"] | kinds.NOT_IMAGES
    )


def _settings(file: Parsed, section: Section) -> str:
    """What the stage runs, with its ENV as assignments."""
    environment = [
        f"{name}={value}"
        for one in (*section.body, *(e for base in file.chain(section)[1:] for e in base.body))
        if one.keyword == "ENV"
        for name, value in zip(one.words[::2], one.words[1::2], strict=False)
    ]
    return "\n".join([*environment, *(one.script for one in section.body)])


def _with_platform(file: Parsed, root: Section) -> str:
    line = file.lines[root.start.line - 1]
    return re.sub(r"(?i)^(\s*FROM)\s+", rf"\1 {BUILD_PLATFORM} ", line, count=1)
