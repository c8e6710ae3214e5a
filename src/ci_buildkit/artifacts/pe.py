"""PE files, by pefile."""

from __future__ import annotations

from typing import BinaryIO

from ci_buildkit.artifacts import gobuild
from ci_buildkit.artifacts.machine import Machine

# Machine (Microsoft's "PE Format"), in GOARCH's words.
MACHINES = {
    0x14C: "386",
    0x8664: "amd64",
    0x1C0: "arm",
    0x1C4: "arm",
    0xAA64: "arm64",
    0x5064: "riscv64",
    0x6264: "loong64",
}
IMPORTS, MANAGED = 1, 14  # entries of the data directory
BLOB = 1 << 16  # bytes in which Go's build information ends; it is the first of the data section


def read(file: BinaryIO) -> Machine:
    """What the headers say. Raises whatever pefile does for a damaged file."""
    import pefile

    image = pefile.PE(file.name, fast_load=True)
    try:
        directory = image.OPTIONAL_HEADER.DATA_DIRECTORY
        present = [number for number, entry in enumerate(directory) if entry.VirtualAddress and entry.Size]
        data = next((s for s in image.sections if s.Name.rstrip(b"\0") == b".data"), None)
        architecture = MACHINES.get(image.FILE_HEADER.Machine)
        return Machine(
            "PE",
            (architecture,) if architecture else (),
            portable=MANAGED in present,
            linkage="dynamic" if IMPORTS in present else "static",
            stripped=not image.FILE_HEADER.NumberOfSymbols,
            build=gobuild.read(file, data.PointerToRawData, BLOB) if data else None,
        )
    finally:
        image.close()
