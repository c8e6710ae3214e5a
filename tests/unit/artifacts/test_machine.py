"""What programs were built for: real ones of every platform, and damaged ones."""

from __future__ import annotations

import struct
import sys
import tracemalloc
from pathlib import Path

import pefile
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.artifacts.samples import NAMES, sample

from ci_buildkit.artifacts import machine
from ci_buildkit.artifacts.gobuild import GoBuild
from ci_buildkit.artifacts.machine import Machine


@pytest.fixture
def program(tmp_path: Path) -> Path:
    return tmp_path / "program"


def seen(program: Path, content: bytes) -> Machine:
    program.write_bytes(content)
    return machine.of(program)


LINUX = [
    "386",
    "amd64",
    "arm",
    "arm64",
    "loong64",
    "mips",
    "mips64",
    "mips64le",
    "mipsle",
    "ppc64",
    "ppc64le",
    "riscv64",
    "s390x",
]
PLATFORMS = [*(("linux", one) for one in LINUX), ("freebsd", "amd64"), ("darwin", "amd64"), ("darwin", "arm64")]
PLATFORMS += [("windows", one) for one in ("386", "amd64", "arm64")]


@pytest.mark.parametrize(("system", "architecture"), PLATFORMS)
def test_a_go_program_fits_its_own_platform_and_no_other(program: Path, system: str, architecture: str) -> None:
    found = seen(program, sample(f"go-{system}-{architecture}"))
    assert found.architectures == (architecture,)
    assert found.linkage == ("static" if found.format == "ELF" else "dynamic")
    assert (found.stripped, found.damage) == (True, "")
    assert found.build is not None
    assert (found.build.module, found.build.settings["GOOS"]) == ("example.com/tool", system)
    fitting = [f"{s}/{a}" for s, a in PLATFORMS if machine.mismatch(found, f"{s}/{a}") is None]
    assert fitting == [f"{system}/{architecture}"]


@pytest.mark.parametrize(
    ("name", "linkage", "stripped"),
    [
        ("c-dynamic", "dynamic", False),
        ("c-static-pie", "static", False),
        ("c-object", None, False),
        ("go-linux-amd64", "static", True),
        ("go-linux-amd64-ldflags", "static", False),
        ("go-darwin-arm64-symbols", "dynamic", False),
        ("go-windows-amd64-symbols", "dynamic", False),
    ],
)
def test_how_a_program_is_linked_and_whether_it_has_symbols(
    program: Path, name: str, linkage: str | None, stripped: bool
) -> None:
    found = seen(program, sample(name))
    assert (found.linkage, found.stripped) == (linkage, stripped)


@pytest.mark.parametrize(
    ("name", "level"), [("go-linux-arm", 7), ("go-linux-arm-v6", 6), ("c-object-armv6", 6), ("c-object-armv7", 7)]
)
def test_the_level_of_arm_that_a_program_needs(program: Path, name: str, level: int) -> None:
    found = seen(program, sample(name))
    assert found.arm == level
    assert machine.mismatch(found, "linux/arm/v7") is None
    assert machine.mismatch(found, "linux/arm") is None
    assert machine.mismatch(found, "linux/arm/v6") == (None if level == 6 else "is built for ARMv7, not for ARMv6")
    assert machine.mismatch(found, "linux/arm/v5") == f"is built for ARMv{level}, not for ARMv5"


def universal(*parts: bytes) -> bytes:
    """A universal file (mach-o/fat.h): a big-endian list of its parts, each aligned to 4096 bytes."""
    head = struct.pack(">II", 0xCAFEBABE, len(parts))
    body = b""
    for part in parts:
        cpu = struct.unpack("<II", part[4:12])
        head += struct.pack(">IIIII", *cpu, 4096 + len(body), len(part), 12)
        body += part + bytes(-len(part) % 4096)
    return head.ljust(4096, b"\0") + body


def test_a_universal_file_fits_each_of_its_machines(program: Path) -> None:
    found = seen(program, universal(sample("go-darwin-amd64"), sample("go-darwin-arm64")))
    assert found.architectures == ("amd64", "arm64")
    assert found.build is not None
    assert machine.mismatch(found, "darwin/amd64") is None
    assert machine.mismatch(found, "darwin/arm64") is None
    assert machine.mismatch(found, "darwin/386") == "is built for amd64 and arm64, not for 386"


def test_a_java_class_begins_like_a_universal_file_and_is_none(program: Path) -> None:
    assert seen(program, b"\xca\xfe\xba\xbe\0\0\0\x34" + bytes(100)) == Machine("other")


def test_managed_code_runs_on_any_machine(program: Path) -> None:
    program.write_bytes(sample("go-windows-386"))
    image = pefile.PE(program, fast_load=True)
    entry = image.OPTIONAL_HEADER.DATA_DIRECTORY[14]  # the header of .NET code
    entry.VirtualAddress, entry.Size = 0x2000, 72
    changed = image.write()
    image.close()
    found = seen(program, bytes(changed))
    assert found.portable
    assert [machine.mismatch(found, one) for one in ("windows/amd64", "linux/arm64", "windows/386")] == [None] * 3


@pytest.mark.parametrize(
    "content",
    [b"", b"#!/bin/sh\n", b"MZ", b"MZ" + bytes(58) + b"\xff\xff\xff\x7f", b"\0asm\x01\0\0\0"],
)
def test_what_is_no_executable_fits_everywhere(program: Path, content: bytes) -> None:
    found = seen(program, content)
    assert found == Machine("other")
    assert machine.mismatch(found, "linux/amd64") is None


@pytest.mark.parametrize(
    ("found", "platform", "wrong"),
    [
        (Machine("ELF", ("amd64",)), "linux/amd64/v3", None),
        (Machine("ELF"), "linux/riscv64", None),
        (Machine("ELF", ("amd64",)), "freebsd/amd64", None),
        (Machine("Mach-O", ("arm64",)), "ios/arm64", None),
        (Machine("ELF", ("amd64",)), "linux/arm64", "is built for amd64, not for arm64"),
        (Machine("ELF", ("mips",)), "linux/mipsle", "is built for mips, not for mipsle"),
        (Machine("ELF", ("amd64",)), "windows/amd64", "is ELF, but windows/amd64 needs PE"),
        (Machine("PE", ("amd64",)), "linux/amd64", "is PE, but linux/amd64 needs ELF"),
        (
            Machine("ELF", ("amd64",), build=GoBuild("m", "", {"GOOS": "freebsd"})),
            "linux/amd64",
            "is built for freebsd, not for linux",
        ),
    ],
)
def test_a_program_for_the_wrong_platform_is_told(found: Machine, platform: str, wrong: str | None) -> None:
    assert machine.mismatch(found, platform) == wrong


@pytest.mark.parametrize("name", NAMES)
def test_the_beginning_of_a_program_is_damage_or_a_result(program: Path, name: str) -> None:
    content = sample(name)
    for length in (*range(4, 200, 7), *range(200, 4096, 501)):
        found = seen(program, content[:length])
        assert found.damage or found.format == "other" or found.architectures


@pytest.mark.parametrize(
    "name", ["go-linux-mips64", "go-darwin-arm64", "go-windows-amd64", "c-object-armv7", "c-dynamic"]
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_program_never_raises(program: Path, name: str, data: st.DataObject) -> None:
    content = bytearray(sample(name)[: 1 << 16])
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, min(len(content), 2048) - 1))
        content[at] = data.draw(st.integers(0, 255))
    found = seen(program, bytes(content))
    machine.mismatch(found, "linux/amd64")


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    magic=st.sampled_from([b"\x7fELF\x02\x01", b"\x7fELF\x01\x02", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe\0\0\0\x02"]),
    rest=st.binary(max_size=400),
)
def test_random_bytes_behind_a_magic_never_raise(program: Path, magic: bytes, rest: bytes) -> None:
    seen(program, magic + rest)


def test_a_large_program_is_not_read_into_memory(program: Path) -> None:
    with program.open("wb") as file:
        file.write(sample("go-linux-amd64"))
        file.truncate(400 << 20)
    machine.of(program)  # the library is imported
    tracemalloc.start()
    try:
        machine.of(program)
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


def test_the_running_python_is_an_executable() -> None:
    assert machine.of(Path(sys.executable).resolve()).format == "ELF"
