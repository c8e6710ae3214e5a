"""Makes the samples of `tests/data/binaries`: `python hollow.py PROGRAM... FOLDER`.

A linked program whose code and data are zeros, but for what Go wrote of its build, packed: headers and offsets are as the
linker wrote them, in a kilobyte or two.
"""

from __future__ import annotations

import lzma
import sys
from collections.abc import Iterator
from pathlib import Path

import pefile
from elftools.elf.elffile import ELFFile
from macholib import mach_o
from macholib.MachO import MachO

KEPT = 1024  # bytes of a section that begins with Go's build information
KEEP = {".go.buildinfo", ".interp", ".dynamic", ".dynstr", ".ARM.attributes"}


def sections(path: Path) -> Iterator[tuple[int, int]]:
    """Offset and size of what is not needed."""
    head = path.read_bytes()[:4]
    if head == b"\x7fELF":
        with path.open("rb") as file:
            elf = ELFFile(file)
            for number, section in enumerate(elf.iter_sections()):
                named = section.name in KEEP or number == elf.get_shstrndx()
                if section["sh_type"] != "SHT_NOBITS" and not named:
                    yield section["sh_offset"], section["sh_size"]
    elif head[:2] == b"MZ":
        for section in pefile.PE(path, fast_load=True).sections:
            yield section.PointerToRawData, section.SizeOfRawData
    else:
        for command, segment, parts in MachO(str(path)).headers[0].commands:
            if command.cmd == mach_o.LC_SEGMENT_64:
                yield from ((int(part.offset), int(part.size)) for part in parts if part.offset)
                if not parts:  # symbols, signatures
                    yield int(segment.fileoff), int(segment.filesize)


def hollow(path: Path) -> bytes:
    """The program with zeros."""
    data = bytearray(path.read_bytes())
    for offset, size in sections(path):
        begin = offset + KEPT if data[offset:].startswith(b"\xff Go buildinf:") else offset
        if begin < offset + size:
            data[begin : offset + size] = bytes(offset + size - begin)
    return bytes(data)


if __name__ == "__main__":
    *programs, folder = map(Path, sys.argv[1:])
    for program in programs:
        (folder / f"{program.name}.xz").write_bytes(lzma.compress(hollow(program), preset=9))
