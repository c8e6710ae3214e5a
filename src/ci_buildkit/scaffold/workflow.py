"""The text of the workflow and of the settings file. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from msgspec import Struct

from ci_buildkit.scaffold import render
from ci_buildkit.scaffold.look import Look
from ci_buildkit.scaffold.part import Part
from ci_buildkit.scaffold.project import Kind

PATH = ".github/workflows/ci.yml"
ACTION = "org/ci-buildkit@v1"
CHECKOUT = "actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8 # v5.0.0"
SCHEMA = "https://raw.githubusercontent.com/org/ci-buildkit/v1/docs/reference/ci-buildkit.schema.json"
PLATFORMS = ["linux/amd64", "linux/arm64"]
GHCR, DOCKER_HUB = "ghcr.io", "docker.io"
COMMIT = re.compile(r"[0-9a-f]{40}")
WHAT = {
    "lint-target": "The stages that lint",
    "test-target": "The stages that test",
    "binaries-target": "The stages that hold binaries",
}


class Wish(Struct, frozen=True):
    """What is asked for: a kind of project, whose action the workflow uses, and where images go."""

    kind: Kind | None = None
    action: str = ACTION
    image: str = ""


def text(look: Look, wish: Wish, folders: Sequence[str]) -> str:
    """The workflow for the projects in these folders: one job, or for several the reusable workflow."""
    registry = _registry(wish.image)
    name, _, reference = wish.action.partition("@")
    ghcr = registry == GHCR
    return render.tidy(
        "workflow",
        branch=look.branch,
        checkout=CHECKOUT,
        action=wish.action,
        reusable=f"{name}/.github/workflows/pipeline.yml@{reference}",
        moves="" if COMMIT.fullmatch(reference) else " # zizmor: ignore[unpinned-uses]",
        context=folders[0] if len(folders) == 1 else "",
        projects=folders if len(folders) > 1 else (),
        registry=registry,
        password="${{ github.token }}" if ghcr else "${{ secrets.REGISTRY_PASSWORD }}",
        login=("" if registry == DOCKER_HUB else f"registry={registry},")
        + "username={0},password-env=REGISTRY_PASSWORD",
        username="github.actor" if ghcr else "secrets.REGISTRY_USERNAME",
    )


def _registry(image: str) -> str:
    """The host of an image's name, as docker reads it; "" without an image."""
    first, slash, _ = image.partition("/")
    if not image:
        return ""
    return first if slash and (set(first) & set(".:") or first == "localhost") else DOCKER_HUB


def settings(look: Look, wish: Wish, part: Part, *, several: bool) -> str:
    """The settings file of one project; `several` says that the repository has more."""
    keys = list(_keys(part, _image(look, wish, part.folder if several else "")))
    named = {key for key, _, _ in keys}
    bake = part.existing is not None and part.existing.bake
    return render.tidy(
        "settings",
        schema=SCHEMA,
        keys=keys,
        # What else there is to set, as comments; a bake file says both by itself.
        hints=[
            key
            for key in ("platform", "image")
            if key not in named and not bake and (part.makes_image or key != "image")
        ],
    )


def _keys(part: Part, image: str) -> Iterator[tuple[str, object, str]]:
    """Each option with its value and what it does."""
    existing = part.existing
    if existing and existing.file != "Dockerfile" and not existing.bake:
        yield "file", existing.file, "The Dockerfile"
    for option, stages in (existing.options if existing else {}).items():
        yield option, list(stages), f"{WHAT[option]}, which their names alone do not tell"
    if part.crosses:
        yield "platform", PLATFORMS, "Platforms of binaries and images; nothing of it runs under emulation"
    if image and part.makes_image:
        yield "image", image, "Where images go; with `push: true` they are pushed once lint and tests have passed"


def _image(look: Look, wish: Wish, folder: str) -> str:
    """The name of the image: the one that is asked for, else that of the repository on GitHub."""
    name = wish.image or (f"{GHCR}/{look.path.lower()}" if look.host == "github.com" else "")
    suffix = re.sub(r"[^a-z0-9]+", "-", folder.lower()).strip("-")
    return f"{name}-{suffix}" if name and suffix else name
