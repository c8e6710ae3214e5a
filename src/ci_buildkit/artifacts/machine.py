"""What an executable was built for, read from its headers."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO, Literal

from msgspec import Struct

from ci_buildkit.artifacts.gobuild import GoBuild

Format = Literal["ELF", "Mach-O", "PE", "other"]
Linkage = Literal["static", "dynamic"]

FORMATS: dict[str, Format] = {"windows": "PE", "darwin": "Mach-O", "ios": "Mach-O"}
MACHO = frozenset({b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"\xfe\xed\xfa\xcf", b"\xfe\xed\xfa\xce"})
UNIVERSAL = frozenset({b"\xca\xfe\xba\xbe", b"\xca\xfe\xba\xbf"})
# A Java class begins with the same magic as a universal file; its version follows, 45 at least (file(1), cafebabe).
JAVA = 43
ARM = 7  # the level of ARM that a platform means which names none (containerd/platforms, normalizeArch)


class Machine(Struct, frozen=True):
    """The format of a file and what its headers tell; None and empty where they do not.

    `architectures` are GOARCH's words, several in a universal file. `arm` is the level of ARM that it needs. `portable`
    says that it holds .NET code, which runs on any machine. `damage` is why the headers cannot be read.
    """

    format: Format
    architectures: tuple[str, ...] = ()
    arm: int | None = None
    portable: bool = False
    linkage: Linkage | None = None
    stripped: bool | None = None
    build: GoBuild | None = None
    damage: str = ""


def of(path: Path) -> Machine:
    """Read the headers of a file; `other` for what is no executable. Raises OSError."""
    form = _format(path)
    if form == "other":
        return Machine("other")
    with path.open("rb") as file:
        try:
            return _read(form, file)
        except Exception as error:  # noqa: BLE001 - on damaged files the libraries raise what they run into
            return Machine(form, damage=str(error) or type(error).__name__)


def _read(form: Format, file: BinaryIO) -> Machine:
    """Each format's module with its library is imported where a file has it."""
    if form == "ELF":
        from ci_buildkit.artifacts import elf

        return elf.read(file)
    if form == "Mach-O":
        from ci_buildkit.artifacts import macho

        return macho.read(file)
    from ci_buildkit.artifacts import pe

    return pe.read(file)


def _format(path: Path) -> Format:
    with path.open("rb") as file:
        head = file.read(64)
        if head.startswith(b"\x7fELF"):
            return "ELF"
        if head[:4] in MACHO or (head[:4] in UNIVERSAL and int.from_bytes(head[4:8]) < JAVA):
            return "Mach-O"
        if head.startswith(b"MZ") and len(head) == 64:
            file.seek(int.from_bytes(head[60:], "little"))
            return "PE" if file.read(4) == b"PE\0\0" else "other"
    return "other"


def mismatch(machine: Machine, platform: str) -> str | None:
    """Why a file is not for a platform; None where it is, or where its headers do not tell."""
    if machine.format == "other" or machine.portable:
        return None
    system, architecture, *variant = platform.split("/")
    wanted = FORMATS.get(system, "ELF")
    if machine.format != wanted:
        return f"is {machine.format}, but {platform} needs {wanted}"
    if machine.architectures and architecture not in machine.architectures:
        return f"is built for {' and '.join(machine.architectures)}, not for {architecture}"
    level = int(variant[0].removeprefix("v")) if variant and variant[0].removeprefix("v").isdecimal() else ARM
    if architecture == "arm" and machine.arm and machine.arm > level:
        return f"is built for ARMv{machine.arm}, not for ARMv{level}"
    built_for = machine.build.settings.get("GOOS", system) if machine.build else system
    return None if built_for == system else f"is built for {built_for}, not for {system}"
