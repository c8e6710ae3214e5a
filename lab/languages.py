"""Images of Debian, Python, Node.js and, on demand, Rust: ``python3 -m lab.languages rust``.

Debian bookworm with its own Python and Rust, and Node.js as npm packages have it. All but Rust share the root of the act
runner image, so they cost next to nothing. Tags are those of Docker Hub for the same versions.
"""

from __future__ import annotations

import sys
import tarfile
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from . import debian, indexes, runner
from .console import EXIT_ENGINE, LabError, say
from .images import PATH
from .layers import Image, Layer
from .places import Places, Store, digest
from .registry import Registry

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .layers import LayerWriter

NPM = Path(__file__).resolve().parent / "npm"
PYTHON = "3.11"
NODE = "24"
RUST = "1.85"
RUST_PACKAGES = (
    "ca-certificates",
    "cargo-web",
    "gcc",
    "git",
    "libc6-dev",
    "rust-web-clippy",
    "rustc-web",
    "rustfmt-web",
)
CARGO_HOME = "/usr/local/cargo"


def table(store: Store) -> list[Image]:
    """Return the images that every lab has. Nothing is built before ``Image.layout`` is called."""
    root = runner.root(store)
    return [
        _image("debian", ("bookworm", "bookworm-slim", "12", "12-slim"), [root], "bash", {}),
        _image("python", _tags((PYTHON, "3"), "slim-bookworm"), [root, _python()], "python3", indexes.pip()),
        _image(
            "node",
            _tags((NODE, "lts", "krypton"), "bookworm-slim"),
            [root, runner.node(store), _npm(store, root)],
            "node",
            indexes.npm(),
        ),
    ]


def rust(store: Store) -> Image:
    """Return the image with Debian's Rust; a root of its own, which takes minutes to make."""
    own = {"CARGO_HOME": CARGO_HOME, "PATH": f"{CARGO_HOME}/bin:{PATH}"}
    layers = [runner.root(store, "rust", RUST_PACKAGES), _cargo(indexes.cargo())]
    return _image("rust", _tags((RUST, "1"), "slim-bookworm"), layers, "bash", own)


ON_DEMAND = {"rust": rust}


def _tags(versions: Sequence[str], slim: str) -> tuple[str, ...]:
    """Return the tags of each version: plain, slim, with Debian's name, and both in the order that ``slim`` has."""
    return tuple(f"{version}{kind}" for version in versions for kind in ("", "-slim", "-bookworm", f"-{slim}"))


def _image(
    name: str, tags: tuple[str, ...], layers: Sequence[Layer], command: str, environment: Mapping[str, str]
) -> Image:
    settings = {**runner.SETTINGS, **environment}
    config = {"Env": [f"{key}={value}" for key, value in settings.items()], "Cmd": [command]}
    return Image(f"library/{name}", tags, {f"linux/{debian.native()}": [*layers, _folders()]}, config)


def _folders() -> Layer:
    """Return the folders whose modes the layer of a root does not keep: in it all are 755."""
    modes = {"tmp": 0o1777, "var/tmp": 0o1777, "root": 0o700}

    def write(layer: LayerWriter) -> None:
        for path, mode in modes.items():
            layer.directory(path, mode)

    return Layer("folders", digest(repr(modes)), write)


def _python() -> Layer:
    """Return what makes Debian's Python look like Docker Hub's: ``python``, and a pip that installs without asking."""
    links = {"usr/local/bin/python": "/usr/bin/python3", "usr/local/bin/python3": "/usr/bin/python3"}
    # A whiteout (OCI image specification, layer): the file is none of the image's.
    gone = f"usr/lib/python{PYTHON}/.wh.EXTERNALLY-MANAGED"

    def write(layer: LayerWriter) -> None:
        for path, target in links.items():
            layer.link(path, target)
        layer.text(gone, "")

    return Layer("python", digest(repr(links), gone), write)


def _npm(store: Store, root: Layer) -> Layer:
    """Return npm, and the user ``node`` that Docker Hub's images have."""
    users = {"etc/passwd": "node:x:1000:1000::/home/node:/bin/bash\n", "etc/group": "node:x:1000:\n"}

    def write(layer: LayerWriter) -> None:
        with tempfile.TemporaryDirectory(prefix="npm-", dir=store.partial) as work:
            runner.install(NPM, Path(work))
            # The scripts are run by their own first line.
            layer.tree(
                Path(work, "node_modules"), "usr/local/lib/node_modules",
                skip=lambda path: path.startswith("."), executable=lambda path: path.startswith("npm/bin/"),
            )  # fmt: skip
        for name in ("npm", "npx"):
            layer.link(f"usr/local/bin/{name}", f"../lib/node_modules/npm/bin/{name}-cli.js")
        for path, line in users.items():
            layer.text(path, _read(root, store, path) + line)
        layer.directory("home/node", 0o777)

    return Layer("npm", digest(NPM / "package-lock.json", root.key, repr(users)), write)


def _read(layer: Layer, store: Store, path: str) -> str:
    """Return the text of one file of a layer."""
    with tarfile.open(layer.blob(store)[0], "r|gz") as archive:
        for entry in archive:
            if entry.name == path and (content := archive.extractfile(entry)):
                return content.read().decode()
    raise LabError(what=f"the layer {layer.name} has no {path}", why="it was made in another way", then="try again")


def _cargo(config: str) -> Layer:
    def write(layer: LayerWriter) -> None:
        # Anybody may install programs and keep crates there, as in Docker Hub's image.
        layer.directory(CARGO_HOME[1:], 0o777)
        layer.directory(f"{CARGO_HOME[1:]}/bin", 0o777)
        if config:
            layer.text(f"{CARGO_HOME[1:]}/config.toml", config)

    return Layer("cargo", digest(config, CARGO_HOME), write)


def provide(name: str) -> Image:
    """Put an image on demand into the running lab's registry and return it; raises LabError where that fails."""
    if name not in ON_DEMAND:
        known = ", ".join(ON_DEMAND)
        raise LabError(what=f"there is no image {name!r} on demand", why=f"known: {known}", then="name one of them")
    places = Places.of_user()
    registry = Registry(places)
    if not registry.healthy():
        raise LabError(what=f"there is no registry for {name}", why="the lab is down", then="run `make lab`")
    # Making it takes minutes, in which nobody should have to wait for the engine.
    with places.locked(name):
        store = Store(places, name)
        store.sweep()
        image = ON_DEMAND[name](store)
        image.layout(store)
        with places.locked():
            if registry.fill(store, image):
                say(f"filled the registry with {image.name}")
    return image


def main(names: Sequence[str]) -> int:
    """Provide the images of these names and print each; 4 where one cannot be made."""
    try:
        if not names:
            raise LabError(
                what="no image is named", why="each takes minutes to make", then=f"name {' or '.join(ON_DEMAND)}"
            )
        for name in names:
            image = provide(name)
            print(f"{image.name.removeprefix('library/')}:{image.tags[0]}")
    except LabError as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_ENGINE
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
