"""The image that scans for `docker buildx build --sbom=true`, in the registry on demand: ``python3 -m lab.scanner``.

The name is the one that BuildKit asks for; the image follows its SBOM scanning protocol
(moby/buildkit, docs/attestations/sbom-protocol.md) with syft, because docker's own scanner is no module that Go's proxy
serves. Not part of the engine: syft takes minutes to build.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from . import debian, images, tools
from .console import EXIT_ENGINE, LabError, say
from .layers import Image, Layer
from .places import Places, Store, digest
from .registry import Registry

if TYPE_CHECKING:
    from .layers import LayerWriter

NAME = "docker/buildkit-syft-scanner"
# One in-toto statement a file system; BuildKit adds the subjects (moby/buildkit, exporter/attestation/unbundle.go).
SCRIPT = """#!/bin/sh
set -eu
scan() {
  name="$(basename "$1")"
  to="$BUILDKIT_SCAN_DESTINATION/$name.spdx.json"
  printf '{"_type": "https://in-toto.io/Statement/v0.1", "predicateType": "https://spdx.dev/Document", "predicate":' >"$to"
  syft scan "dir:$1" --base-path "$1" --source-name "$name" --quiet --output spdx-json >>"$to"
  printf '}' >>"$to"
}
scan "$BUILDKIT_SCAN_SOURCE"
for extra in "${BUILDKIT_SCAN_SOURCE_EXTRAS:-/nowhere}"/*; do
  if [ -d "$extra" ]; then scan "$extra"; fi
done
"""


def image(store: Store) -> Image:
    """Return the scanner's image for this machine's platform; nothing is built before its layout is asked for."""

    def write(layer: LayerWriter) -> None:
        layer.text("usr/bin/scan", SCRIPT, 0o755)

    platform = f"linux/{debian.native()}"
    layers = [
        images.base(store, platform),
        images.programs(store, tools.BY_NAME["syft"], {"syft": "usr/bin/syft"}),
        Layer("scanner", digest(SCRIPT), write),
    ]
    config = {"Entrypoint": ["/usr/bin/scan"], "Env": [f"PATH={images.PATH}", "SYFT_CHECK_FOR_APP_UPDATE=false"]}
    return Image(NAME, ("stable-1", "latest"), {platform: layers}, config)


def main() -> int:
    """Put the image into the running lab's registry and print its name; 4 where that fails."""
    places = Places.of_user()
    registry = Registry(places)
    try:
        tools.on_demand("syft")
        with places.locked():
            if not registry.healthy():
                raise LabError(
                    what="there is no registry for the scanner", why="the lab is down", then="run `make lab`"
                )
            if registry.fill(Store(places), image(Store(places))):
                say(f"filled the registry with {NAME}")
    except LabError as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_ENGINE
    print(f"{NAME}:stable-1")
    return 0


if __name__ == "__main__":
    sys.exit(main())
