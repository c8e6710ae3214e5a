"""Steps that fetch or compile anew what a cache mount would keep. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ci_buildkit.doctor import shell, syntax
from ci_buildkit.doctor.flaw import Flaw
from ci_buildkit.doctor.images import sources
from ci_buildkit.doctor.managers import GO_BUILD, GO_MODULES, MANAGERS, OWN, Cache, Manager
from ci_buildkit.doctor.nearest import words
from ci_buildkit.doctor.officials import AS_ROOT
from ci_buildkit.doctor.parsed import Instruction, Parsed, Section

# Programs that read no dependencies, so that a step of theirs misses nothing when those are in a cache mount.
HARMLESS = words(
    """
    [ : adduser addgroup apk apt apt-get awk cat cd chgrp chmod chown cp curl cut date dnf done du echo else env exit export
    false fi file find for gpg grep groupadd gunzip gzip head id if install ldconfig ldd ln ls microdnf mkdir mv printf pwd
    readlink rm sed set sha256sum sleep strip tail tar tee test then touch tr true umask uname unzip upx useradd usermod wc wget
    which xx-apk xx-apt xx-info xx-verify xz yum }
    """
)

# What a step says that must find everything where an earlier one put it.
OFFLINE = re.compile(r"--network|--offline|--frozen\b|GOPROXY=off|mvnw?\s(?:.*\s)?-o\b")


def missing(file: Parsed) -> Iterator[Flaw]:
    """Steps of known package managers and compilers without a cache mount; one flaw a step."""
    if file.escape != "\\":
        return  # a Dockerfile for Windows, where the folders are others
    for section in file.sections:
        for one in section.body:
            wanted = _wanted(file, section, one)
            if wanted:
                yield _flaw(file, section, one, wanted)


def _wanted(file: Parsed, section: Section, one: Instruction) -> dict[Cache, Manager]:
    """The caches that a step would use and does not mount."""
    found: dict[Cache, Manager] = {}
    environment = _environment(file, section, one)
    for command in shell.commands(one.script):
        line = command.plain
        for manager in MANAGERS:
            if not manager.command.match(line) or re.search(manager.off, f" {line}") or manager.switch in environment:
                continue
            caches = [
                cache for cache in manager.caches if not (cache is GO_MODULES and _vendors(file, one, environment))
            ]
            if not any(_is_mounted(cache, one, environment, _image(file, section)) for cache in manager.caches):
                found |= dict.fromkeys(caches, manager)
            break
    return found


def _vendors(file: Parsed, one: Instruction, environment: Mapping[str, str]) -> bool:
    """Whether Go takes its modules out of the repository."""
    return "-mod=vendor" in one.script + environment.get("GOFLAGS", "") or "vendor" in file.around.files


def _image(file: Parsed, section: Section) -> str:
    """The name of the image that the stage comes from; "" where it may be one of several."""
    found = {root.image for root in file.roots(section)}
    return found.pop() if len(found) == 1 else ""


def _environment(file: Parsed, section: Section, one: Instruction) -> dict[str, str]:
    """The ENV in force; that of the base images is unknown."""
    found: dict[str, str] = {}
    for other in file.before(section, one.line):
        if other.keyword == "ENV":
            found = {**dict(zip(other.words[::2], (w.strip("\"'") for w in other.words[1::2]), strict=False)), **found}
    return found


def _is_mounted(cache: Cache, one: Instruction, environment: Mapping[str, str], image: str) -> bool:
    folder = _folder(cache, environment, image)
    for fields in one.mounts:
        target = next((fields[key] for key in ("target", "dst", "destination") if fields.get(key)), "").rstrip("/")
        if fields.get("type", "").lower() != "cache" or not target:
            continue
        related = f"{folder}/".startswith(f"{target}/") or f"{target}/".startswith(f"{folder}/")
        last = target.rpartition("/")[2]
        if related or "$" in target or last in OWN or last in folder.split("/")[-2:]:
            return True
    return False


def _folder(cache: Cache, environment: Mapping[str, str], image: str) -> str:
    return cache.mount(environment, image).partition("target=")[2].partition(",")[0]


def _flaw(file: Parsed, section: Section, one: Instruction, wanted: Mapping[Cache, Manager]) -> Flaw:
    image = _image(file, section)
    environment = _environment(file, section, one)
    mounts = [cache.mount(environment, image) for cache in wanted]
    names = " and ".join(dict.fromkeys(manager.name for manager in wanted.values()))
    compiles = " and compiled" if GO_BUILD in wanted else ""
    wiped = any(re.search(manager.wipes, one.script) for manager in wanted.values())
    message = f"{names}: everything is fetched{compiles} anew whenever this step runs; {' '.join(mounts)} would keep it"
    if wiped:
        message += ", once the step no longer deletes it"
    safe = all(_is_safe(file, section, one, cache, manager) for cache, manager in wanted.items())
    return Flaw(one.line, message, None if wiped else _mounted(file, one, mounts), safe=safe and not wiped)


def _mounted(file: Parsed, one: Instruction, mounts: list[str]) -> str | None:
    """The first line of a RUN with mounts before its command."""
    found = re.match(r"(?i)(\s*)(RUN)\s+(.*?)\s*$", file.lines[one.line - 1])
    if found is None:
        return None
    rest = [] if found[3] == file.escape else [found[3]]
    lines = [*(f"{mount} {file.escape}" for mount in mounts), *rest]
    return f"{found[1]}{found[2]} " + f"\n{found[1]}    ".join(lines)


def _is_safe(file: Parsed, section: Section, one: Instruction, cache: Cache, manager: Manager) -> bool:
    """Whether the mount is sure to be in the right place, and nothing misses in the image what it then holds."""
    image = _image(file, section)
    folder = _folder(cache, _environment(file, section, one), image)
    return (
        manager.is_certain
        and image in (manager.known or AS_ROOT)
        and "$" not in folder
        and folder.startswith("/")
        and not (cache.holds_inputs and OFFLINE.search(one.text + one.script))
        and not any(other.keyword in {"USER", "SHELL"} for other in file.before(section, one.line))
        and syntax.has_mounts(file)
        and not _is_taken(file, section, folder)
        and (not cache.holds_inputs or _later_steps_mount_too(file, section, one, manager))
    )


def _is_taken(file: Parsed, section: Section, folder: str) -> bool:
    """Whether another stage may take the folder out of this one."""
    names = {name for heir in file.heirs(section) for name in (heir.name, str(heir.number)) if name}
    for one in (one for other in file.sections for one in other.body):
        if not names & {word.lower() for word in sources(one)}:
            continue
        if one.keyword == "RUN":
            paths = [fields.get("source") or fields.get("src") or "/" for fields in one.mounts if fields.get("from")]
        else:
            paths = list(one.words[:-1])
        wholes = [f"/{path.strip('/')}/".replace("//", "/") for path in paths]
        if any("$" in path or f"{folder}/".startswith(path) or path.startswith(f"{folder}/") for path in wholes):
            return True
    return False


def _later_steps_mount_too(file: Parsed, section: Section, one: Instruction, manager: Manager) -> bool:
    """Whether every later step either uses the same manager, and so gets the mount too, or has no use for it."""
    later = [
        other for heir in file.heirs(section) for other in heir.body if other.line > one.line and other.keyword == "RUN"
    ]
    return all(
        other.script
        and not (OFFLINE.search(other.text + other.script) and _uses(other, manager))
        and all(_knows(command, manager) for command in shell.commands(other.script))
        for other in later
    )


def _uses(one: Instruction, manager: Manager) -> bool:
    """Whether a step runs a manager."""
    return any(manager.command.match(command.plain) for command in shell.commands(one.script))


def _knows(command: shell.Command, manager: Manager) -> bool:
    if not command.words or command.words[0].rpartition("/")[2] in HARMLESS:
        return True
    return any(other.name == manager.name and other.command.match(command.plain) for other in MANAGERS)
