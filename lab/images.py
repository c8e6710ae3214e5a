"""The table of images in the lab's registry. A further image is one more entry of ``table``.

The names are Docker Hub's, because BuildKit and dockerd use the registry as Docker Hub's mirror.
"""

from __future__ import annotations

import functools
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from . import debian, tools
from .console import LabError, run
from .layers import Image, Layer
from .places import digest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .layers import LayerWriter
    from .places import Store

GO_VERSIONS = (tools.GO_VERSION, "1.25.5")  # the first is the newest: it gets `latest` and `alpine`
ALPINE = "3.22"
PLATFORMS = ("linux/amd64", "linux/arm64", "linux/arm/v7")
BUNDLE = "etc/ssl/certs/ca-certificates.crt"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# What a Go distribution carries that no build reads.
NOT_IN_IMAGE = re.compile(r"(^|/)testdata($|/)|^(api|doc|misc|test)($|/)|_test\.go$")

FRONTEND_CAPS = ("inputs", "subrequests", "contexts", "gitquerystring", "contexts.zstd")

PASSWD = """root:x:0:0:root:/root:/bin/sh
daemon:x:2:2:daemon:/sbin:/sbin/nologin
nobody:x:65534:65534:nobody:/:/sbin/nologin
"""
GROUP = "root:x:0:root\ndaemon:x:2:\nnogroup:x:65533:\nnobody:x:65534:\n"
OS_RELEASE = f"""NAME="ci-buildkit lab base"
ID=alpine
VERSION_ID={ALPINE}.0
PRETTY_NAME="ci-buildkit lab base (busybox, laid out like Alpine {ALPINE}, without apk)"
"""


def ca_bundle() -> Path:
    """Return the machine's certificate authorities: builds inside containers must trust what the machine trusts."""
    places = (
        os.environ.get("SSL_CERT_FILE", ""),
        f"/{BUNDLE}",
        "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/ssl/cert.pem",
    )
    for place in places:
        if place and Path(place).is_file():
            return Path(place)
    raise LabError(
        what="no CA bundle found", why="ca-certificates is not installed", then="apt-get install ca-certificates"
    )


def _source_key() -> str:
    # How a layer is written is part of what defines it.
    here = Path(__file__).resolve().parent
    return digest(here / "images.py", here / "layers.py")


def base(store: Store, platform: str) -> Layer:
    """Return the lowest layer of most images: busybox laid out like Alpine, and the CA bundle."""
    architecture = debian.OF_PLATFORM[platform]

    def write(layer: LayerWriter) -> None:
        busybox = debian.unpacked(store, "busybox-static", architecture) / "bin" / "busybox"
        for folder in (
            "dev",
            "proc",
            "sys",
            "run",
            "var/log",
            "var/cache",
            "home",
            "mnt",
            "opt",
            "srv",
            "usr/local/bin",
        ):
            layer.directory(folder)
        layer.directory("root", 0o700)
        for folder in ("tmp", "var/tmp"):
            layer.directory(folder, 0o1777)
        layer.link("var/run", "../run")
        layer.file("bin/busybox", busybox, 0o755)
        for applet in _applets(store):
            layer.link(applet, "/bin/busybox")
        for path, content in {
            "etc/passwd": PASSWD,
            "etc/group": GROUP,
            "etc/os-release": OS_RELEASE,
            "etc/alpine-release": f"{ALPINE}.0\n",
            "etc/hosts": "127.0.0.1 localhost\n::1 localhost\n",
            "etc/nsswitch.conf": "hosts: files dns\n",
            "etc/profile": f"export PATH={PATH}\n",
            "etc/shells": "/bin/sh\n",
        }.items():
            layer.text(path, content)
        layer.file(BUNDLE, ca_bundle())
        layer.link("etc/ssl/cert.pem", "certs/ca-certificates.crt")

    return Layer(f"base-{architecture}", digest(_source_key(), debian.release(), architecture, ca_bundle()), write)


def _applets(store: Store) -> Iterator[str]:
    # All architectures have the same applets; only the native busybox can list them before emulation is set up.
    busybox = debian.unpacked(store, "busybox-static", debian.native()) / "bin" / "busybox"
    for line in run([busybox, "--list-full"]).split():
        path = line if "/" in line else f"bin/{line}"
        if path != "bin/busybox":
            yield path


def go(version: str, architecture: str) -> Layer:
    """Return the layer with one Go distribution at /usr/local/go."""

    def write(layer: LayerWriter) -> None:
        layer.tree(
            tools.toolchain(version, architecture),
            "usr/local/go",
            skip=lambda path: bool(NOT_IN_IMAGE.search(path)),
            # A module's files have no modes; the go command makes the same two folders executable for itself.
            executable=lambda path: path.startswith(("bin/", "pkg/tool/")),
        )
        layer.directory("go", 0o1777)
        layer.directory("go/src", 0o1777)
        layer.directory("go/bin", 0o1777)

    return Layer(f"go{version}-{architecture}", digest(_source_key(), version, architecture), write)


def programs(store: Store, tool: tools.Tool, paths: dict[str, str]) -> Layer:
    """Return a layer with programs of one tool, each at the path that ``paths`` gives it."""

    def write(layer: LayerWriter) -> None:
        folder = tools.build(store, tool)
        for program, path in paths.items():
            layer.file(path, folder / program, 0o755)

    return Layer(tool.name, digest(_source_key(), tool.key, repr(sorted(paths.items()))), write)


def git() -> Layer:
    """Return a layer with the machine's Git and its libraries: BuildKit runs it for Git contexts."""

    def write(layer: LayerWriter) -> None:
        core = Path(run(["git", "--exec-path"]).strip())
        layer.file("usr/bin/git", Path(run(["which", "git"]).strip()), 0o755)
        layer.tree(core, str(core)[1:])
        layer.tree(Path("/usr/share/git-core/templates"), "usr/share/git-core/templates")
        linked = run(["ldd", core / "git", core / "git-remote-http"])
        for library in sorted(set(re.findall(r"(/\S+) \(0x", linked))):
            layer.file(library[1:], Path(library).resolve(), 0o755)

    return Layer("git", digest(_source_key(), debian.release(), run(["git", "--version"])), write)


def go_settings(version: str) -> dict[str, object]:
    """Return the image configuration that Docker Hub's golang images have."""
    environment = [
        f"PATH=/go/bin:/usr/local/go/bin:{PATH}",
        f"GOLANG_VERSION={version}",
        "GOTOOLCHAIN=local",
        "GOPATH=/go",
    ]
    environment += _module_proxy()
    return {"Env": environment, "Cmd": ["/bin/sh"], "WorkingDir": "/go"}


@functools.cache
def _module_proxy() -> tuple[str, ...]:
    """Return GOPROXY and its relatives where the machine's differ from what Go would use by itself."""
    names = ("GOPROXY", "GOSUMDB", "GONOSUMDB", "GONOSUMCHECK", "GOPRIVATE", "GOINSECURE")
    own = run(["go", "env", *names], env=tools.go_environment()).splitlines()
    bare = {**tools.go_environment(), "GOENV": "off"}
    for name in names:
        bare.pop(name, None)
    usual = run(["go", "env", *names], env=bare).splitlines()
    return tuple(f"{name}={value}" for name, value, other in zip(names, own, usual, strict=True) if value != other)


def go_tags(version: str) -> tuple[str, ...]:
    """Return the tags under which Docker Hub has a Go version: exact, minor, and the newest ones' plain names."""
    minor = version.rpartition(".")[0]
    tags = [version, minor, f"{version}-alpine", f"{minor}-alpine"]
    if version == GO_VERSIONS[0]:
        tags += ["1", "1-alpine", "alpine", "latest"]
    pinned = [f"{tag}{ALPINE}" for tag in tags if tag.endswith("alpine")]
    return (*tags, *pinned)


def table(store: Store) -> list[Image]:
    """Return every image of the lab, cheap ones first. Nothing is built before ``Image.layout`` is called."""
    native = f"linux/{debian.native()}"
    bases = {platform: base(store, platform) for platform in PLATFORMS}
    plain = {platform: [layer] for platform, layer in bases.items()}
    shell = {"Env": [f"PATH={PATH}"], "Cmd": ["/bin/sh"]}
    images = [
        Image("library/alpine", (ALPINE, f"{ALPINE}.0", "3", "latest"), plain, shell),
        Image("library/busybox", ("1", "stable", "musl", "latest"), plain, shell),
        _frontend(store, native),
        _buildkit(store, native, bases[native]),
    ]
    for version in GO_VERSIONS:
        # The newest also for the other architecture: building under emulation needs a compiler that is emulated.
        platforms = ("linux/amd64", "linux/arm64") if version == GO_VERSIONS[0] else (native,)
        layers = {one: [bases[one], go(version, debian.OF_PLATFORM[one])] for one in platforms}
        images.append(Image("library/golang", go_tags(version), layers, go_settings(version)))
    images += [_linter(store, name, native, bases[native]) for name in ("golangci-lint", "golangci-lint-previous")]
    return images


def _frontend(store: Store, platform: str) -> Image:
    """Return ``docker/dockerfile``; the labels are those its own Dockerfile sets (moby/buildkit, frontend/dockerfile)."""
    layer = programs(store, tools.BY_NAME["buildkit"], {"dockerfile-frontend": "bin/dockerfile-frontend"})
    labels = {
        "moby.buildkit.frontend.network.none": "true",
        "moby.buildkit.frontend.caps": ",".join(f"moby.buildkit.frontend.{one}" for one in FRONTEND_CAPS),
    }
    config = {"Entrypoint": ["/bin/dockerfile-frontend"], "Labels": labels}
    # Dockerfiles name the syntax by major or minor version; the frontend of BuildKit 0.N is syntax 1.(N-10) or so,
    # and every minor version up to it is understood by the newest.
    tags = ("1", "latest", "labs", "1-labs", *(f"1.{minor}" for minor in range(4, 25)))
    return Image("docker/dockerfile", tags, {platform: [layer]}, config)


def _buildkit(store: Store, platform: str, lowest: Layer) -> Image:
    tool = tools.BY_NAME["buildkit"]
    daemons = programs(store, tool, {"buildkitd": "usr/bin/buildkitd", "buildctl": "usr/bin/buildctl"})
    runc = programs(store, tools.BY_NAME["runc"], {"runc": "usr/bin/buildkit-runc"})
    config = {
        "Env": [f"PATH={PATH}", "BUILDKIT_SETUP_CGROUPV2_ROOT=1"],
        "Entrypoint": ["buildkitd"],
        "Volumes": {"/var/lib/buildkit": {}},
    }
    layers = {platform: [lowest, git(), daemons, runc]}
    return Image("moby/buildkit", ("buildx-stable-1", "latest", tool.version), layers, config)


def _linter(store: Store, name: str, platform: str, lowest: Layer) -> Image:
    tool = tools.BY_NAME[name]
    newest = name == "golangci-lint"
    layers = [lowest, go(GO_VERSIONS[0], debian.OF_PLATFORM[platform])]
    layers.append(programs(store, tool, {"golangci-lint": "usr/bin/golangci-lint"}))
    minor = tool.version.rpartition(".")[0]
    tags = [tool.version, minor, f"{tool.version}-alpine", f"{minor}-alpine"] + (
        ["latest", "latest-alpine", "v2"] if newest else []
    )
    settings = {**go_settings(GO_VERSIONS[0]), "WorkingDir": "/app"}
    return Image("golangci/golangci-lint", tuple(tags), {platform: layers}, settings)
