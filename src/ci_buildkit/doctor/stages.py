"""Stages and what refers to them. BuildKit keeps their names in lower case; only FROM must write them so too. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from ci_buildkit.doctor.diagnosis import Severity
from ci_buildkit.doctor.flaw import Flaw
from ci_buildkit.doctor.images import sources
from ci_buildkit.doctor.nearest import nearest, question
from ci_buildkit.doctor.officials import OFFICIAL
from ci_buildkit.doctor.parsed import Instruction, Parsed, Section, may_be
from ci_buildkit.plan import kinds
from ci_buildkit.plan.targets import Target, Targets, bake_name
from ci_buildkit.record import Kind

BARE = re.compile(r"[\w-][\w.-]*")


def unknown(file: Parsed) -> Iterator[Flaw]:
    """FROM, `--from=` and mounts that name a stage that is not there yet, or not at all."""
    for section in file.sections:
        earlier = [one.name for one in file.sections[: section.number] if one.name]
        later = [one for one in file.sections[section.number :] if one.name]
        if section.base.lower() in earlier and section.base not in earlier:
            yield _in_capitals(file, section)
        elif not _is_known(section.base, earlier, file):
            yield from _misnamed(file, section.start, section.base, earlier, later, section)
        for one in section.body:
            for word in sources(one):
                if word.isdecimal():
                    yield from _numbered(one, int(word), section)
                elif not _is_known(word, earlier, file):
                    yield from _misnamed(file, one, word, earlier, later, section)


def _in_capitals(file: Parsed, section: Section) -> Flaw:
    name = section.base.lower()
    line, fixed = file.respelt(section.start, rf"(?<!\S)({re.escape(section.base)})(?!\S)", name)
    return Flaw(line, f'stage "{section.base}" does not exist: FROM needs it in lower case, "{name}"', fixed, safe=True)


def _is_known(word: str, earlier: Iterable[str], file: Parsed) -> bool:
    lower = word.lower()
    return not BARE.fullmatch(word) or lower in {*earlier, *file.around.contexts, *OFFICIAL, "context"}


def _numbered(one: Instruction, number: int, section: Section) -> Iterator[Flaw]:
    if number >= section.number:
        which = "this stage itself" if number == section.number else f"stage {number}, which is not there yet"
        yield Flaw(one.line, f"this copies from {which}: stages are counted from 0, and only earlier ones can be used")


def _misnamed(
    file: Parsed, one: Instruction, word: str, earlier: list[str], later: list[Section], section: Section
) -> Iterator[Flaw]:
    place = next((other for other in later if other.name == word.lower()), None)
    if place is section:
        if one is section.start and not _looks_own(word, file):
            return
        # Of a FROM it may be an image of one's own, or a context that whoever builds it names.
        severity: Severity | None = "warning" if one is section.start else None
        said = f'stage "{word}" uses itself; only an earlier stage or an image can be used'
        yield Flaw(one.line, said, severity=severity)
    elif place is not None:
        yield Flaw(
            one.line,
            f'stage "{word}" is used before it is declared, in line {place.start.line}; put it before this one',
        )
    elif names := nearest(word, earlier):
        line, fixed = file.respelt(one, rf"(?<![\w./-])({re.escape(word)})(?![\w./:@-])", names[0])
        sure = len(names) == 1
        yield Flaw(line, f'stage "{word}" does not exist{question(names)}', fixed if sure else None, safe=sure)
    elif late := nearest(word, [other.name for other in later if other is not section]):
        yield Flaw(one.line, f'stage "{word}" does not exist{question(late)} That one is declared further below.')


def _looks_own(word: str, file: Parsed) -> bool:
    """Whether `FROM name AS name` is a slip: in a file of one stage it is an image of one's own."""
    return len(file.sections) > 1 and word.lower() not in OFFICIAL


def duplicates(file: Parsed) -> Iterator[Flaw]:
    """Names that two stages have."""
    first: dict[str, Section] = {}
    for section in file.sections:
        if section.name and section.name in first:
            line = first[section.name].start.line
            yield Flaw(
                section.start.line,
                f'stage "{section.name}" is there already, in line {line}: what refers to it below means this one, and '
                "the other cannot be built any more; give one another name",
            )
        first.setdefault(section.name, section)


def classified(file: Parsed) -> dict[str, Kind]:
    """The kind of each stage that has one, as the pipeline would see it."""
    path = Path(file.path)
    last = file.sections[-1].key if file.sections else ""
    found = tuple(
        Target(bake_name(one.name), one.name, path, file.graph, {}, one.key == last)
        for one in file.sections
        if one.name
    )
    there = {target.name.lower() for target in found}
    options = file.around.options
    named = {
        name: tuple(word for word in getattr(options, name) if bake_name(word.lower()) in there)
        for name in ("lint_target", "test_target", "binaries_target", "image_target")
    }
    by_target = kinds.classify(options.model_copy(update=named), Targets(path, found))
    return {target.stage: by_target[target.name] for target in found if target.name in by_target}


def unused(file: Parsed) -> Iterator[Flaw]:
    """Stages that are no target of any kind and that no other stage uses."""
    if file.broken or not any(section.body for section in file.sections):
        return  # what could not be read may use any; without a body it is a list of images that something else reads
    targets = {*classified(file), *file.around.targets, file.sections[-1].key, *kinds.NOT_IMAGES}
    for section in file.sections:
        is_target = any(may_be(target, (section.key,)) for target in targets) or "dev" in section.name.split("-")
        if is_target or _is_used(section, file):
            continue
        who = "no other stage uses it, and it is no target of a kind that is known by its name"
        yield Flaw(
            section.start.line,
            f"{section.title}: {who}; remove it, or name it with --lint-target, --test-target, --binaries-target or "
            "--image-target"
            if section.name
            else f"{section.title} has no name and no other stage uses it: nothing can build it; remove it or name it",
        )


def _is_used(section: Section, file: Parsed) -> bool:
    names = {section.name, str(section.number)} - {""}
    for other in file.sections:
        words = [other.base, *(word for one in other.body for word in sources(one))]
        words += [
            word for one in other.body if one.keyword == "ONBUILD" for word in re.findall(r"--from=(\S+)", one.text)
        ]
        if other is not section and any(may_be(word.lower(), names) for word in words):
            return True
    return False
