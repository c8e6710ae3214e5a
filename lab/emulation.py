"""Emulation of other processors: QEMU registered with binfmt_misc, beside whatever is registered already."""

from __future__ import annotations

import contextlib
import platform
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from . import debian
from .console import LabError, run

if TYPE_CHECKING:
    from .places import Places, Store

BINFMT = Path("/proc/sys/fs/binfmt_misc")
OWN = "ci-buildkit"
MOUNTED = Path("/run/ci-buildkit-binfmt-mounted")  # of the machine: the last lab to go unmounts


@dataclass(frozen=True)
class Processor:
    """What an emulated processor's ELF header looks like: class, machine (elf.h, EM_*) and QEMU's name for it."""

    architecture: str
    qemu: str
    elf_class: int
    machine: int

    @property
    def magic(self) -> str:
        """Return the 20 bytes of a little-endian executable's header as ``\\x`` escapes (binfmt_misc format)."""
        head = [0x7F, *b"ELF", self.elf_class, 1, 1, *[0] * 9, 2, 0, self.machine, 0]
        return "".join(f"\\x{byte:02x}" for byte in head)

    @property
    def mask(self) -> str:
        """Return the mask: any ABI, executable or shared object (QEMU's own registration uses the same)."""
        return "".join(f"\\x{byte:02x}" for byte in [*[0xFF] * 7, 0, *[0xFF] * 8, 0xFE, *[0xFF] * 3])


PROCESSORS = (
    Processor("amd64", "x86_64", 2, 62),
    Processor("arm64", "aarch64", 2, 183),
    Processor("arm", "arm", 1, 40),
)


def emulated() -> list[Processor]:
    """Return the processors that this machine needs QEMU for."""
    return [one for one in PROCESSORS if one.architecture != debian.native()]


def registered(processor: Processor, entries: dict[str, str]) -> bool:
    """Tell whether someone else's enabled entry already serves the processor inside containers (flag F)."""
    wanted = processor.magic.replace("\\x", "")
    for name, text in entries.items():
        lines = dict(line.partition(" ")[::2] for line in text.splitlines())
        if name.startswith(OWN) or "enabled" not in lines or f"magic {wanted}" not in text:
            continue
        if "F" in lines.get("flags:", ""):
            return True
    return False


def up(store: Store, places: Places) -> None:
    """Register QEMU for every other processor under names of this lab.

    Flag F keeps the interpreter open, so it works where its path does not exist: inside containers
    (kernel documentation, admin-guide/binfmt-misc). Raises LabError when binfmt_misc cannot be used.
    """
    try:
        if not (BINFMT / "register").exists():
            run(["mount", "-t", "binfmt_misc", "binfmt_misc", BINFMT])
            MOUNTED.touch()
        entries = {one.name: one.read_text() for one in BINFMT.iterdir() if one.name not in {"register", "status"}}
        for processor in emulated():
            name = f"{OWN}-{places.identity}-{processor.qemu}"
            if name not in entries and not registered(processor, entries):
                interpreter = _interpreter(store, places, processor)
                text = f":{name}:M::{processor.magic}:{processor.mask}:{interpreter}:{flags(platform.release())}"
                (BINFMT / "register").write_text(text)
    except OSError as error:
        raise LabError(
            what="cannot register QEMU for other platforms",
            why=str(error),
            then="run as root on a kernel with binfmt_misc",
        ) from error


def flags(kernel: str) -> str:
    """Return the entry's flags: P (keep argv[0], which busybox needs) only where the kernel tells QEMU of it (5.12)."""
    found = re.match(r"(\d+)\.(\d+)", kernel)
    return "PF" if found and (int(found[1]), int(found[2])) >= (5, 12) else "F"


def _interpreter(store: Store, places: Places, processor: Processor) -> Path:
    # The kernel takes 127 characters at most, a cache folder may be longer: register a short link to it.
    binary = (
        debian.unpacked(store, "qemu-user-static", debian.native()) / "usr" / "bin" / f"qemu-{processor.qemu}-static"
    )
    link = places.sockets / f"qemu-{processor.qemu}"
    link.unlink(missing_ok=True)
    link.symlink_to(binary)
    return link


def down(places: Places) -> None:
    """Remove this lab's entries, and the mount when a lab made it and nobody has an entry any more."""
    if BINFMT.is_dir():
        for entry in BINFMT.glob(f"{OWN}-{places.identity}-*"):
            with contextlib.suppress(OSError):
                entry.write_text("-1")
    if MOUNTED.exists():
        left = [one for one in BINFMT.iterdir() if one.name not in {"register", "status"}] if BINFMT.is_dir() else []
        if not left:
            with contextlib.suppress(LabError):
                run(["umount", BINFMT])
                MOUNTED.unlink(missing_ok=True)
