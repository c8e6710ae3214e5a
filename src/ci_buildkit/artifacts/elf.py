"""ELF files, by pyelftools."""

from __future__ import annotations

from itertools import islice
from typing import Any, BinaryIO

from ci_buildkit.artifacts import gobuild
from ci_buildkit.artifacts.machine import Machine

# e_machine, class and little-endian (System V gABI and its supplements), in GOARCH's words (go/src/internal/syslist).
ARCHITECTURES = {
    ("EM_386", 32, True): "386",
    ("EM_X86_64", 64, True): "amd64",
    ("EM_ARM", 32, True): "arm",
    ("EM_ARM", 32, False): "armbe",
    ("EM_AARCH64", 64, True): "arm64",
    ("EM_AARCH64", 64, False): "arm64be",
    ("EM_LOONGARCH", 64, True): "loong64",
    ("EM_MIPS", 32, False): "mips",
    ("EM_MIPS", 32, True): "mipsle",
    ("EM_MIPS", 64, False): "mips64",
    ("EM_MIPS", 64, True): "mips64le",
    ("EM_PPC", 32, False): "ppc",
    ("EM_PPC64", 64, False): "ppc64",
    ("EM_PPC64", 64, True): "ppc64le",
    ("EM_RISCV", 32, True): "riscv",
    ("EM_RISCV", 64, True): "riscv64",
    ("EM_S390", 32, False): "s390",
    ("EM_S390", 64, False): "s390x",
    ("EM_SPARCV9", 64, False): "sparc64",
}
# Tag_CPU_arch of the build attributes (Addenda to the ABI for the Arm Architecture, 3.3.5.2); those left out are of
# microcontrollers, which no platform is.
ARM_LEVELS = {1: 4, 2: 4, 3: 5, 4: 5, 5: 5, 6: 6, 7: 6, 8: 6, 9: 6, 10: 7, 14: 8}
MOST = 4096  # segments, sections or entries that are looked at: damaged counts reach 2^64


def read(file: BinaryIO) -> Machine:
    """What the headers say. Raises whatever pyelftools does for a damaged file."""
    from elftools.elf.elffile import ELFFile

    elf = ELFFile(file)
    architecture = ARCHITECTURES.get((elf.header.e_machine, elf.elfclass, elf.little_endian))
    sections = {section.name: section for section in islice(elf.iter_sections(), MOST)}
    build = None
    if found := sections.get(".go.buildinfo"):
        build = gobuild.read(file, found["sh_offset"], found["sh_size"])
    arm = None
    if architecture == "arm":
        arm = _arm_level(sections.get(".ARM.attributes")) or (build.arm if build else None)
    return Machine(
        "ELF",
        (architecture,) if architecture else (),
        arm=arm,
        linkage=None if elf.header.e_type not in {"ET_EXEC", "ET_DYN"} else "dynamic" if _dynamic(elf) else "static",
        stripped=".symtab" not in sections,
        build=build,
    )


def _dynamic(elf: Any) -> bool:
    """Whether it names an interpreter or a library; a static program that can be loaded anywhere has a dynamic segment
    without either.
    """
    for segment in islice(elf.iter_segments(), MOST):
        if segment["p_type"] == "PT_INTERP":
            return True
        if segment["p_type"] == "PT_DYNAMIC":
            return any(tag.entry.d_tag == "DT_NEEDED" for tag in islice(segment.iter_tags(), MOST))
    return False


def _arm_level(section: Any) -> int | None:
    """The level of ARM that the build attributes of a file name."""
    if section is None or section["sh_type"] != "SHT_ARM_ATTRIBUTES":
        return None
    for subsection in islice(section.iter_subsections(), MOST):
        for scope in islice(subsection.iter_subsubsections(), MOST):
            for attribute in islice(scope.iter_attributes("TAG_CPU_ARCH"), MOST):
                return ARM_LEVELS.get(attribute.value)
    return None
