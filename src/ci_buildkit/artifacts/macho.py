"""Mach-O files, thin and universal, by macholib's structures.

Not by its `MachO` class, which reads the content of every section and refuses load commands that are newer than it.
"""

from __future__ import annotations

from typing import Any, BinaryIO

from msgspec import Struct

from ci_buildkit.artifacts import gobuild
from ci_buildkit.artifacts.gobuild import GoBuild
from ci_buildkit.artifacts.machine import Machine

# cputype (mach/machine.h), in GOARCH's words.
CPUS = {7: "386", 0x01000007: "amd64", 12: "arm", 0x0100000C: "arm64", 18: "ppc", 0x01000012: "ppc64"}
MOST = 4096  # load commands that are looked at


class _Slice(Struct):
    """One machine's part of a file, as far as its load commands tell."""

    cpu: str | None
    libraries: bool = False
    local_symbols: int = 0
    build: GoBuild | None = None


def read(file: BinaryIO) -> Machine:
    """What the headers say. Raises ValueError or struct.error for a damaged file."""
    slices = [_slice(file, offset) for offset in _offsets(file)]
    return Machine(
        "Mach-O",
        tuple(one.cpu for one in slices if one.cpu),
        linkage="dynamic" if any(one.libraries for one in slices) else "static",
        stripped=not any(one.local_symbols for one in slices),
        build=next((one.build for one in slices if one.build), None),
    )


def _offsets(file: BinaryIO) -> list[int]:
    """Where the file's parts begin: a universal file lists them, always big-endian (mach-o/fat.h)."""
    from macholib import mach_o

    header = mach_o.fat_header.from_fileobj(file, _endian_=">")
    kinds = {mach_o.FAT_MAGIC: mach_o.fat_arch, mach_o.FAT_MAGIC_64: mach_o.fat_arch64}
    if (kind := kinds.get(int(header.magic))) is None:
        return [0]
    return [int(kind.from_fileobj(file, _endian_=">").offset) for _ in range(header.nfat_arch)]


def _slice(file: BinaryIO, start: int) -> _Slice:
    from macholib import mach_o

    file.seek(start)
    magic = file.read(4)
    order = "<" if magic[:1] in {b"\xce", b"\xcf"} else ">"
    wide = magic in {b"\xcf\xfa\xed\xfe", b"\xfe\xed\xfa\xcf"}
    file.seek(start)
    header = (mach_o.mach_header_64 if wide else mach_o.mach_header).from_fileobj(file, _endian_=order)
    if header.magic not in {mach_o.MH_MAGIC, mach_o.MH_MAGIC_64}:
        raise ValueError(f"no Mach-O header at {start}")
    found = _Slice(CPUS.get(int(header.cputype)))
    for _ in range(min(header.ncmds, MOST)):
        position = file.tell()
        command = mach_o.load_command.from_fileobj(file, _endian_=order)
        if command.cmdsize < 8:
            raise ValueError(f"a load command of {command.cmdsize} bytes")
        _look(file, int(command.cmd), order, start, found)
        file.seek(position + command.cmdsize)
    return found


def _look(file: BinaryIO, command: int, order: str, start: int, found: _Slice) -> None:
    from macholib import mach_o

    if command in {mach_o.LC_LOAD_DYLIB, mach_o.LC_LOAD_WEAK_DYLIB, mach_o.LC_LOAD_DYLINKER}:
        found.libraries = True
    elif command == mach_o.LC_DYSYMTAB:
        found.local_symbols = int(mach_o.dysymtab_command.from_fileobj(file, _endian_=order).nlocalsym)
    elif command == mach_o.LC_SEGMENT_64:
        segment = mach_o.segment_command_64.from_fileobj(file, _endian_=order)
        sections = [mach_o.section_64.from_fileobj(file, _endian_=order) for _ in range(min(segment.nsects, MOST))]
        if written := next((section for section in sections if _name(section) == b"__go_buildinfo"), None):
            found.build = gobuild.read(file, start + int(written.offset), int(written.size))


def _name(section: Any) -> bytes:
    return bytes(section.sectname).rstrip(b"\0")
