"""Images that a Dockerfile names: misspelt ones, and those whose tag says nothing. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ci_buildkit.doctor.flaw import Flaw
from ci_buildkit.doctor.nearest import question, slip_of
from ci_buildkit.doctor.officials import OFFICIAL
from ci_buildkit.doctor.parsed import Instruction, Parsed

HUB = re.compile(r"(?:(?:index\.)?docker\.io/)?(?:library/)?([a-z0-9._-]+)(?=[:@]|$)")

SHORT = 4  # letters


def named(file: Parsed) -> Iterator[tuple[Instruction, str]]:
    """Each image with the instruction that names it. Stages and named contexts are none, nor is a word with a variable."""
    known = {*file.around.contexts, "scratch", "context"}
    stages = {section.name for section in file.sections} - OFFICIAL  # one that is not there yet is another mistake
    for section in file.sections:
        words = [(section.start, section.base)] if section.base.lower() not in known else []
        known.add(section.name)  # a FROM may name an image as its stage is called
        words += [(one, word) for one in section.body for word in sources(one) if word.lower() not in known]
        for one, word in words:
            name = re.split(r"[:@]", word.rpartition("/")[2])[0]
            if name and "$" not in name and not word.isdecimal() and word.lower() not in stages:
                yield one, word


def sources(one: Instruction) -> tuple[str, ...]:
    """The stages or images that a COPY or the mounts of a RUN take from."""
    if one.keyword == "RUN":
        return tuple(fields["from"] for fields in one.mounts if fields.get("from"))
    return one.values("--from") if one.keyword == "COPY" else ()


def misspelt(file: Parsed) -> Iterator[Flaw]:
    """Names that are a slip away from an official image's."""
    later = {section.name for section in file.sections}
    for one, word in named(file):
        if flaw := _in_capitals(file, one, word):
            yield flaw
            continue
        found = HUB.match(word)
        names = _meant(found[1]) if found and found[1] not in later else ()
        if found and names:
            line, fixed = file.respelt(one, rf"(?<![\w./-])(?:[\w.]+/)*({re.escape(found[1])})(?![\w/-])", names[0])
            sure = len(names) == 1
            message = f'there is no official image "{found[1]}"{question(names)}'
            yield Flaw(line, message, fixed if sure else None, safe=sure)


def _meant(name: str) -> tuple[str, ...]:
    """The official images that a name may be a slip of; of short ones only with two letters swapped, since `rusty` is a name."""
    return tuple(one for one in slip_of(name, OFFICIAL) if len(one) > SHORT or sorted(one) == sorted(name))


def _in_capitals(file: Parsed, one: Instruction, word: str) -> Flaw | None:
    """Whether a name is not in lower case, as it must be but for the host (distribution/reference)."""
    host, slash, rest = word.partition("/")
    name = re.split(r"[:@]", rest if slash and re.search(r"[.:]|^localhost$", host) else word)[0]
    lower = name.lower()
    if "$" in word or name == lower:
        return None
    line, fixed = file.respelt(one, rf"(?<![\w.-])({re.escape(name)})(?![\w-])", lower)
    sure = lower.removeprefix("library/") in OFFICIAL
    return Flaw(line, f'the image "{name}" must be written in lower case', fixed if sure else None, safe=sure)


def floating(file: Parsed) -> Iterator[Flaw]:
    """Images without a tag or with `latest`: another image on another day."""
    told = set()
    for one, word in named(file):
        name, _, tag = word.rpartition("/")[2].partition(":")
        if "@" in word or tag not in {"", "latest"} or word in told:
            continue
        told.add(word)
        what = "has no tag, which means latest" if not tag else "has the tag latest"
        yield Flaw(
            one.line, f'the image "{word}" {what}: what is built changes when the image does; name a version of {name}'
        )
