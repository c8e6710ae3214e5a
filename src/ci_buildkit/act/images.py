"""Which image stands for which label of `runs-on`. Pure, but that `actrc` reads act's settings files."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from msgspec import Struct, field

from ci_buildkit.errors import ConfigurationError

PUBLIC = "catthehacker/ubuntu:act-latest"  # what act itself proposes as its medium image
VARIABLE = "CI_BUILDKIT_RUNNER_IMAGE"
ON_THE_HOST = "-self-hosted"  # act's word for no container
# GitHub's own Linux runners, and larger ones, whose names an organisation makes up, as GitHub proposes them.
_LINUX = re.compile(r"\bubuntu-[\w.-]*\w", re.IGNORECASE)
_VERSIONS = ("latest", "slim", "22.04", "24.04", "26.04", "22.04-arm", "24.04-arm", "26.04-arm")
USUAL = tuple(f"ubuntu-{version}" for version in _VERSIONS)  # which a matrix made by a job may name


class Images(Struct, frozen=True):
    """The image of each label: `named` ones by label in lower case, `default` for every other Linux runner of GitHub's."""

    default: str
    named: Mapping[str, str] = field(default_factory=dict)

    def image(self, label: str) -> str:
        """The image of a label; "" where nothing here can stand for it."""
        return self.named.get(label.lower()) or (self.default if _LINUX.fullmatch(label) else "")

    def of(self, labels: Iterable[str]) -> str:
        """The image that act takes: that of the first label that has one."""
        return next((image for label in labels if (image := self.image(label))), "")

    def flags(self, texts: Iterable[str]) -> Iterator[str]:
        """`--platform` flags for every label that workflows may use. There is always one, or act would ask for it."""
        found = {label.lower() for text in texts for label in _LINUX.findall(text)}
        for label in sorted(found.union(USUAL, self.named)):
            yield f"--platform={label}={self.image(label)}"


def images(asked: Iterable[str], environ: Mapping[str, str], settings: Mapping[str, str]) -> Images:
    """The images that are asked for by option, else by the environment, else by act's own `settings`.

    Raises ConfigurationError for an option that is neither IMAGE nor LABEL=IMAGE.
    """
    default, named = environ.get(VARIABLE, ""), dict(settings)
    for text in asked:
        label, equals, image = text.rpartition("=")
        if not image.strip() or (equals and not label.strip()):
            raise ConfigurationError(f"--image {text!r}: the image is missing", hint="write IMAGE, or LABEL=IMAGE")
        if equals:
            named[label.strip().lower()] = image.strip()
        else:
            default = image.strip()
    if default:  # asked for on purpose, so it goes before what act's settings say of Linux runners
        own = {text.rpartition("=")[0].strip().lower() for text in asked}
        named = {label: image for label, image in named.items() if label in own or not _LINUX.fullmatch(label)}
    return Images(default or PUBLIC, named)


def actrc(top: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """The images of labels that act's settings files name (cmd/root.go, `configLocations` and `readArgsFile`)."""
    home = environ.get("HOME", "")
    files = [Path(environ.get("XDG_CONFIG_HOME") or Path(home, ".config"), "act", "actrc")]
    files += [Path(home, ".actrc"), top / ".actrc"]
    found: dict[str, str] = {}
    for file in files:
        with contextlib.suppress(OSError, UnicodeDecodeError):
            for line in file.read_text(encoding="utf-8").splitlines():
                flag, _, value = re.sub(r"^(-P|--platform)[\s=]+", "-P ", line.strip()).partition(" ")
                label, equals, image = value.strip().partition("=")
                if flag == "-P" and equals:
                    found[label.lower()] = image
    return found
