"""Platforms: which there are, and which of them containers run on. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ci_buildkit.errors import ConfigurationError

# GOOS/GOARCH values and OCI's architectures that BuildKit's platform parser knows (containerd/platforms).
OPERATING_SYSTEMS = frozenset(
    [
        "aix",
        "android",
        "darwin",
        "dragonfly",
        "freebsd",
        "illumos",
        "ios",
        "js",
        "linux",
        "netbsd",
        "openbsd",
        "plan9",
        "solaris",
        "wasip1",
        "windows",
    ]
)
ARCHITECTURES = frozenset(
    [
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
        "wasm",
    ]
)


def check(platforms: Iterable[str]) -> None:
    """Raise ConfigurationError for a platform that no toolchain has."""
    for platform in platforms:
        system, architecture, *_ = platform.split("/")
        if system not in OPERATING_SYSTEMS or architecture not in ARCHITECTURES:
            raise ConfigurationError(
                f"unknown platform {platform!r}",
                hint="write OS/ARCH or OS/ARCH/VARIANT: linux/amd64, linux/arm64, linux/arm/v7, darwin/arm64, ...",
            )


def runnable(platforms: Sequence[str]) -> tuple[str, ...]:
    """The platforms of an image: of a list that has Linux among others only the Linux ones.

    Containers run on Linux; darwin/arm64 and its like in `--platform` are meant for the binaries.
    """
    return tuple(p for p in platforms if p.startswith("linux/")) or tuple(platforms)
