"""The Go programs of the lab: which they are and how each is built from its own go.mod and go.sum."""

from __future__ import annotations

import os
import re
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from platform import machine
from typing import TYPE_CHECKING

from .console import EXIT_ENGINE, LabError, run, say
from .places import Places, Store, digest

if TYPE_CHECKING:
    from collections.abc import Sequence

MODULES = Path(__file__).resolve().parent / "tools"
GO_VERSION = "1.26.8"  # BuildKit's go.mod asks for it; the go command fetches it when the machine's own is older
OLDEST_GO = (1, 26)


@dataclass(frozen=True)
class Tool:
    """One module of ``lab/tools`` and the programs built from it."""

    name: str
    module: str
    packages: tuple[str, ...]
    version_variable: str = ""
    static_cgo: bool = False

    @property
    def folder(self) -> Path:
        """Return the folder with its go.mod and go.sum."""
        return MODULES / self.name

    @property
    def version(self) -> str:
        """Return the version that go.mod pins, such as ``v1.2.3``."""
        found = re.search(
            rf"^(?:require)?\s*{re.escape(self.module)} (v\S+)", (self.folder / "go.mod").read_text(), re.MULTILINE
        )
        if not found:
            raise LabError(
                what=f"{self.name}/go.mod does not pin {self.module}",
                why="the file was edited",
                then="restore it from Git",
            )
        return found[1]

    @property
    def flags(self) -> tuple[str, ...]:
        """Return the flags of ``go build``: small, reproducible, and telling the version it was built from."""
        link = ["-s", "-w"]
        if self.version_variable:
            # golangci-lint and dockerd print their version without the v; buildx and BuildKit with it.
            link.append(f"-X {self.version_variable.format(version=self.version, bare=self.version[1:])}")
        tags = ["-tags", "netgo osusergo seccomp"] if self.static_cgo else []
        if self.static_cgo:
            link += ["-linkmode external", "-extldflags -static"]
        return ("-trimpath", "-buildvcs=false", *tags, "-ldflags", " ".join(link))

    @property
    def key(self) -> str:
        """Return the hash of everything that defines the output."""
        return digest(
            self.folder / "go.mod", self.folder / "go.sum", GO_VERSION, machine(), *self.flags, *self.packages
        )


TOOLS = (
    Tool(
        "moby",
        "github.com/moby/moby/v2",
        (
            "github.com/moby/moby/v2/cmd/dockerd",
            "github.com/moby/moby/v2/cmd/docker-proxy",
            "github.com/containerd/containerd/v2/cmd/containerd",
            "github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2",
        ),
        "github.com/moby/moby/v2/dockerversion.Version={bare}",
    ),
    Tool(
        "buildkit",
        "github.com/moby/buildkit",
        (
            "github.com/moby/buildkit/cmd/buildkitd",
            "github.com/moby/buildkit/cmd/buildctl",
            "github.com/moby/buildkit/frontend/dockerfile/cmd/dockerfile-frontend",
        ),
        "github.com/moby/buildkit/version.Version={version}",
    ),
    Tool(
        "buildx",
        "github.com/docker/buildx",
        ("github.com/docker/buildx/cmd/buildx",),
        "github.com/docker/buildx/version.Version={version}",
    ),
    Tool(
        "registry",
        "github.com/distribution/distribution/v3",
        ("github.com/distribution/distribution/v3/cmd/registry",),
        "github.com/distribution/distribution/v3/version.version={version}",
    ),
    Tool("runc", "github.com/opencontainers/runc", ("github.com/opencontainers/runc",), static_cgo=True),
    Tool("crane", "github.com/google/go-containerregistry", ("github.com/google/go-containerregistry/cmd/crane",)),
    Tool(
        "golangci-lint",
        "github.com/golangci/golangci-lint/v2",
        ("github.com/golangci/golangci-lint/v2/cmd/golangci-lint",),
        "main.version={bare}",
    ),
    Tool(
        "golangci-lint-previous",
        "github.com/golangci/golangci-lint/v2",
        ("github.com/golangci/golangci-lint/v2/cmd/golangci-lint",),
        "main.version={bare}",
    ),
    Tool("actionlint", "github.com/rhysd/actionlint", ("github.com/rhysd/actionlint/cmd/actionlint",)),
)
# Not part of the engine: built only when asked for, with `python3 -m lab.tools gotestsum`.
ON_DEMAND = (
    Tool("gotestsum", "gotest.tools/gotestsum", ("gotest.tools/gotestsum",)),
    Tool(
        "cosign",
        "github.com/sigstore/cosign/v3",
        ("github.com/sigstore/cosign/v3/cmd/cosign",),
        "sigs.k8s.io/release-utils/version.gitVersion={version}",
    ),
    Tool("syft", "github.com/anchore/syft", ("github.com/anchore/syft/cmd/syft",), "main.version={bare}"),
)
BY_NAME = {tool.name: tool for tool in (*TOOLS, *ON_DEMAND)}


def require_go() -> None:
    """Raise LabError unless a ``go`` of at least OLDEST_GO is on PATH."""
    then = f"install Go {OLDEST_GO[0]}.{OLDEST_GO[1]} or newer and put its bin folder on PATH"
    if not shutil.which("go"):
        raise LabError(what="the lab cannot be built", why="there is no go command on PATH", then=then)
    answer = run(["go", "env", "GOVERSION"], env={**os.environ, "GOTOOLCHAIN": "local"}).strip()
    found = re.match(r"go(\d+)\.(\d+)", answer)
    if found and (int(found[1]), int(found[2])) < OLDEST_GO:
        raise LabError(what="the lab cannot be built", why=f"the go command on PATH is {answer}", then=then)


def go_environment(*, cgo: bool = False) -> dict[str, str]:
    """Return the environment for the go command, without settings of the user that would change its output."""
    kept = {
        name: value for name, value in os.environ.items() if name not in {"GOFLAGS", "GOOS", "GOARCH", "GOEXPERIMENT"}
    }
    return {**kept, "GOTOOLCHAIN": f"go{GO_VERSION}", "GOWORK": "off", "CGO_ENABLED": "1" if cgo else "0"}


def build(store: Store, tool: Tool) -> Path:
    """Return the folder with the tool's programs; builds them on the first call.

    Raises LabError when the build fails (no network, module not verified, ...).
    """

    def make(work: Path) -> None:
        start = time.monotonic()
        run(
            # Were this program killed, a build going on alone would write into a folder that the next call removes.
            [
                "setpriv",
                "--pdeathsig",
                "TERM",
                "--",
                "go",
                "build",
                "-C",
                tool.folder,
                *tool.flags,
                "-o",
                f"{work}/",
                *tool.packages,
            ],
            env=go_environment(cgo=tool.static_cgo),
        )
        say(f"built {tool.name} {tool.version} in {time.monotonic() - start:.0f} s")

    return store.ensure("tools", tool.name, tool.key, make)


def on_demand(name: str) -> Path:
    """Return the folder with the programs of one tool, engine or not; builds them on the first call of this user.

    Raises LabError when there is no such tool or the build fails.
    """
    if name not in BY_NAME:
        raise LabError(
            what=f"there is no tool {name!r}", why=f"known are {', '.join(BY_NAME)}", then="name one of them"
        )
    require_go()
    places, tool = Places.of_user(), BY_NAME[name]
    # These builds take minutes, in which nobody should have to wait for the engine.
    lock = tool.name if tool in ON_DEMAND else ""
    with places.locked(lock):
        store = Store(places, lock)
        if lock:
            store.sweep()
        return build(store, tool)


def toolchain(version: str, architecture: str) -> Path:
    """Return the folder of the Go distribution for linux on ``architecture``, fetched and verified as a module.

    The go command's own toolchains are modules (go.dev/doc/toolchain), so no second way of downloading is needed.
    """
    module = f"golang.org/toolchain@v0.0.1-go{version}.linux-{architecture}"
    answer = run(["go", "mod", "download", "-json", module], env=go_environment(), cwd=MODULES)
    found = re.search(r'"Dir": "([^"]+)"', answer)
    if not found:
        raise LabError(
            what=f"Go {version} for linux/{architecture} was not fetched",
            why=answer[-400:],
            then="check the network, try again",
        )
    return Path(found[1])


def main(names: Sequence[str]) -> int:
    """Build the tools of these names and print the folder of each; 4 where one cannot be built."""
    try:
        for name in names:
            print(on_demand(name))
    except LabError as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_ENGINE
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
