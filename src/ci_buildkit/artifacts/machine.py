"""What an executable was built for, read from its header."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, NamedTuple

Format = Literal["ELF", "Mach-O", "PE", "other"]

# ELF e_machine (System V gABI), Mach-O cputype (mach/machine.h) and PE Machine (Microsoft's PE format), as GOARCH.
ELF_MACHINES = {
    3: "386",
    8: "mips",
    21: "ppc64",
    22: "s390x",
    40: "arm",
    62: "amd64",
    183: "arm64",
    243: "riscv64",
    258: "loong64",
}
MACHO_CPUS = {7: "386", 0x01000007: "amd64", 12: "arm", 0x0100000C: "arm64"}
PE_MACHINES = {0x14C: "386", 0x8664: "amd64", 0x1C0: "arm", 0x1C4: "arm", 0xAA64: "arm64"}
FORMATS: dict[str, Format] = {"windows": "PE", "darwin": "Mach-O", "ios": "Mach-O"}
FAMILIES = {"mipsle": "mips", "mips64": "mips", "mips64le": "mips", "ppc64le": "ppc64"}


class Machine(NamedTuple):
    """The format of a file, and the architecture in GOARCH's words ("" where the format or machine is unknown)."""

    format: Format
    architecture: str


def of(path: Path) -> Machine:
    """Read the header of a file; `other` for what is no executable. Raises OSError."""
    with path.open("rb") as file:
        head = file.read(1024)
        if head[:4] == b"\x7fELF" and len(head) >= 20:
            order: Literal["little", "big"] = "little" if head[5] == 1 else "big"
            return Machine("ELF", ELF_MACHINES.get(int.from_bytes(head[18:20], order), ""))
        if head[:4] in {b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe"}:
            return Machine("Mach-O", MACHO_CPUS.get(int.from_bytes(head[4:8], "little"), ""))
        if head[:2] == b"MZ" and len(head) >= 64:
            file.seek(int.from_bytes(head[60:64], "little"))
            header = file.read(6)
            if header[:4] == b"PE\0\0":
                return Machine("PE", PE_MACHINES.get(int.from_bytes(header[4:6], "little"), ""))
    return Machine("other", "")


def mismatch(machine: Machine, platform: str) -> str | None:
    """Why a file is not for a platform; None where it is, or where its header does not tell."""
    if machine.format == "other":
        return None
    system, architecture, *_ = platform.split("/")
    wanted = FORMATS.get(system, "ELF")
    if machine.format != wanted:
        return f"is {machine.format}, but {platform} needs {wanted}"
    if machine.architecture and machine.architecture != FAMILIES.get(architecture, architecture):
        return f"is built for {machine.architecture}, not for {architecture}"
    return None
