"""Misspelt instructions, flags and mounts. What BuildKit takes is what its frontend/dockerfile/instructions takes. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ci_buildkit.doctor.flaw import Flaw
from ci_buildkit.doctor.nearest import nearest, question, words
from ci_buildkit.doctor.parse import KEYWORDS
from ci_buildkit.doctor.parsed import Instruction, Parsed

FLAGS: Mapping[str, frozenset[str]] = {
    "ADD": words("--chown --chmod --link --keep-git-dir --checksum --unpack --exclude"),
    "COPY": words("--chown --from --chmod --link --exclude --parents"),
    "FROM": words("--platform"),
    "HEALTHCHECK": words("--interval --timeout --start-period --start-interval --retries"),
    "RUN": words("--mount --network --security --device"),
}
MOUNT_TYPES = words("bind cache tmpfs secret ssh")
MOUNT_KEYS = words(
    """
    destination dst env from gid id mode readonly readwrite required ro rw sharing size source src target type uid
    """
)
SHARING = words("shared private locked")
MOST = 3  # how many lines with unknown instructions on end are told one by one


def instructions(file: Parsed) -> Iterator[Flaw]:
    """Instructions that do not exist. Many on end are a text that belongs to the instruction before, and told once."""
    run: list[Instruction] = []
    for one in file.instructions:
        if one.keyword in KEYWORDS:
            yield from _unknown(file, run)
            run = []
        else:
            run.append(one)
    yield from _unknown(file, run)


def _unknown(file: Parsed, run: list[Instruction]) -> Iterator[Flaw]:
    near = {one: nearest(one.keyword, KEYWORDS) if one.keyword.isalpha() else () for one in run}
    if len(run) > MOST and not any(near.values()):
        yield Flaw(run[0].line, f'"{_first_word(run[0])}" is no instruction; {_lost(file, run[0])}')
        return
    for one, names in near.items():
        word = _first_word(one)
        if not names:
            yield Flaw(one.line, f'"{word}" is no instruction; {_lost(file, one)}')
            continue
        name = names[0].lower() if word.islower() else names[0]
        line, fixed = file.respelt(one, rf"^\s*({re.escape(word)})(?!\S)", name)
        sure = len(names) == 1
        yield Flaw(line, f'"{word}" is no instruction{question(names)}', fixed if sure else None, safe=sure)


def _first_word(one: Instruction) -> str:
    return one.text.split(maxsplit=1)[0]


def _lost(file: Parsed, one: Instruction) -> str:
    before = max((other.end_line for other in file.instructions if other.end_line < one.line), default=0)
    if not before:
        return "a Dockerfile begins with FROM"
    return f"where it goes on with line {before}, that one needs a {file.escape} at its end"


def flags(file: Parsed) -> Iterator[Flaw]:
    """Flags that are nearly one that the instruction has."""
    for one in file.instructions:
        known = FLAGS.get(one.keyword, frozenset())
        for flag in (given.partition("=")[0] for given in one.flags):
            names = nearest(flag, known)
            if names:
                yield _respelt(
                    file, one, rf"(?<!\S)({re.escape(flag)})(?=[=\s]|$)", flag, names, f"{one.keyword} has no"
                )


def mount_types(file: Parsed) -> Iterator[Flaw]:
    """Types of mounts and ways to share them that are nearly one that there is."""
    yield from _values(file, "type", MOUNT_TYPES, "there is no mount type")
    yield from _values(file, "sharing", SHARING, "a cache mount cannot be shared as")


def _values(file: Parsed, key: str, known: frozenset[str], said: str) -> Iterator[Flaw]:
    for one, fields in _mounts(file):
        value = fields.get(key, "").lower()
        if value and value not in known and "$" not in value:
            names = nearest(value, known) or nearest(value, known, 0.6)
            yield _respelt(file, one, rf"(?<=\b{key}=)({re.escape(value)})\b", value, names, said)


def mount_keys(file: Parsed) -> Iterator[Flaw]:
    """Fields of mounts that do not exist."""
    for one, fields in _mounts(file):
        for key in fields:
            if key not in MOUNT_KEYS and re.fullmatch(r"[a-z-]+", key):
                pattern = rf"(?:--mount=|,)({re.escape(key)})(?=[=,\s]|$)"
                yield _respelt(file, one, pattern, key, nearest(key, MOUNT_KEYS), "a mount has no field")


def _mounts(file: Parsed) -> Iterator[tuple[Instruction, dict[str, str]]]:
    yield from ((one, fields) for one in file.instructions if one.keyword == "RUN" for fields in one.mounts)


def _respelt(file: Parsed, one: Instruction, pattern: str, word: str, names: tuple[str, ...], said: str) -> Flaw:
    if not names:
        return Flaw(one.line, f'{said} "{word}"')
    line, fixed = file.respelt(one, f"(?i){pattern}", names[0])
    sure = len(names) == 1
    return Flaw(line, f'{said} "{word}"{question(names)}', fixed if sure else None, safe=sure)
