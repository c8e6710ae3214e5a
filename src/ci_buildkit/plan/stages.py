"""The plan: which stages run, for which platforms, with which arguments and exporters. Pure and frozen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from ci_buildkit.config.options import Items, Options, pairs
from ci_buildkit.errors import ConfigurationError
from ci_buildkit.plan import attestations, cache, credentials
from ci_buildkit.plan.annotations import check_annotations
from ci_buildkit.plan.description import Description
from ci_buildkit.plan.images import Image, named_images
from ci_buildkit.plan.targets import Target, Targets, unknown
from ci_buildkit.record import Kind, VersionRecord
from ci_buildkit.tags.labels import bake_text

KINDS: tuple[Kind, ...] = ("lint", "test", "binaries", "image")
USUAL_NAMES: Mapping[Kind, frozenset[str]] = {
    "lint": frozenset({"lint", "linter", "linters", "vet", "check", "checks", "validate", "golangci-lint"}),
    "test": frozenset(
        {"test", "tests", "test-results", "test-reports", "unit-test", "unit-tests", "unit-test-results"}
        | {"integration-test", "integration-tests", "test-unit", "test-integration", "test-output"}
    ),
    "binaries": frozenset({"binaries", "binary", "bin", "bins", "artifacts"}),
    "image": frozenset({"image", "final", "release", "prod", "production", "runtime"}),
}
AFFIXES: Mapping[Kind, tuple[str, str]] = {"lint": ("lint-", "-lint"), "test": ("test-", "-test")}
NOT_IMAGES = frozenset({"dev", "development", "devcontainer", "debug"})

# Build arguments that carry the version, the revision and the commit's time, passed only where the file declares them.
VERSION_ARGS = ("APP_VERSION", "VERSION", "BUILD_VERSION")
# Not passed unless declared: BuildKit gives every WORKDIR this time (dockerfile2llb, dispatchWorkdir), so each commit would
# build everything behind one anew. Exporters take the time by themselves.
EPOCH_ARG = "SOURCE_DATE_EPOCH"
REVISION_ARGS = ("REVISION", "GIT_COMMIT", "GIT_SHA", "COMMIT_SHA", "VCS_REF", "COMMIT")

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

Export = Literal["none", "results", "binaries", "image", "layout"]


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of the plan.

    `definition` is its bake target without exporter; `export` says what leaves BuildKit; `rerun` are the Dockerfile
    stages whose RUN steps test or lint, which must run anew when their result cannot be believed or is not there.
    `epoch` is the time that exported files and images get, in seconds since 1970, "" for their own.
    """

    name: str
    kind: Kind
    target: Target
    platforms: tuple[str, ...]
    definition: Mapping[str, Any]
    export: Export
    rerun: tuple[str, ...] = ()
    workdir: str = ""
    epoch: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that a run needs to know.

    `images` has an entry for each image that has a name, `linked` the definitions of bake targets that are no stages
    themselves but a stage's `target:` context.
    """

    context: Path
    source: Path
    version: VersionRecord
    stages: tuple[Stage, ...]
    images: tuple[Image, ...] = ()
    push: bool = False
    linked: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def make(
    options: Options,
    targets: Targets,
    version: VersionRecord,
    branches: tuple[str, ...] = (),
    description: Description | None = None,
) -> Plan:
    """Decide. Raises ConfigurationError where nothing is found or something named does not exist.

    `branches` are those whose caches are read, the run's own first; `description` is what all images get.
    """
    check_platforms(options.platform)
    kinds = classify(options, targets)
    chosen = choose(options, targets, kinds)
    stages = tuple(_cached(_stage(target, kind, options, version), options, branches) for target, kind in chosen)
    stages = tuple(_described(stage, description, joined=options.push_by_digest) for stage in stages)
    tagged = {s.name: s.definition.get("tags", ()) for s in stages if s.kind == "image"}
    images = named_images(options, tagged, version, description.tags if description else None)
    if pushes(options):
        have_name = {image.stage for image in images}
        lost = [s.name for s in stages if s.kind == "image" and s.name not in have_name]
        if lost:
            raise ConfigurationError(
                f"nowhere to push {', '.join(lost)} to",
                hint="name the image with --image HOST/NAME, or leave --push out",
            )
    return Plan(options.context, targets.source, version, stages, images, pushes(options), _linked(stages, targets))


def pushes(options: Options) -> bool:
    """Whether images are pushed, with tags or without."""
    return options.push or options.push_by_digest


def without_layouts(plan: Plan) -> Plan:
    """The plan with images that stay in the builder."""
    stages = (replace(stage, export="image") if stage.export == "layout" else stage for stage in plan.stages)
    return replace(plan, stages=tuple(stages))


def _linked(stages: Iterable[Stage], targets: Targets) -> dict[str, Mapping[str, Any]]:
    """The bake targets that stages name as contexts, and those that these name."""
    planned = {stage.name for stage in stages}
    waiting = [stage.definition for stage in stages]
    found: dict[str, Mapping[str, Any]] = {}
    while waiting:
        for name in _contexts(waiting.pop()):
            if name not in planned and name not in found:
                found[name] = targets.named(name).definition
                waiting.append(found[name])
    return found


def _contexts(definition: Mapping[str, Any]) -> list[str]:
    """The bake targets that a definition names as contexts."""
    values = map(str, definition.get("contexts", {}).values())
    return [value.removeprefix("target:") for value in values if value.startswith("target:")]


def check_platforms(platforms: Iterable[str]) -> None:
    """Raise ConfigurationError for a platform that no toolchain has."""
    for platform in platforms:
        system, architecture, *_ = platform.split("/")
        if system not in OPERATING_SYSTEMS or architecture not in ARCHITECTURES:
            raise ConfigurationError(
                f"unknown platform {platform!r}",
                hint="write OS/ARCH or OS/ARCH/VARIANT: linux/amd64, linux/arm64, linux/arm/v7, darwin/arm64, ...",
            )


def classify(options: Options, targets: Targets) -> dict[str, Kind]:
    """The kind of each target that has one: those named by option, else those with usual names."""
    named: dict[Kind, tuple[str, ...]] = {
        "lint": options.lint_target,
        "test": options.test_target,
        "binaries": options.binaries_target,
        "image": options.image_target,
    }
    kinds: dict[str, Kind] = {targets.named(name).name: kind for kind, names in named.items() for name in names}
    for kind in ("lint", "test", "binaries"):
        if not named[kind]:
            found = [t for t in targets.targets if t.name not in kinds and _usual_kind(t) == kind]
            kinds.update({t.name: kind for t in _outermost(found)})
            # What an outer target of the kind is made from is built with it and is nothing of its own.
            kinds.update({t.name: "other" for t in found if t.name not in kinds})
    if not named["image"]:
        parts = {name for t in targets.targets for name in _contexts(t.definition)}
        # What is only another target's context is no image of its own; a tag says that it is meant to be one.
        apart = [t for t in targets.targets if t.name not in parts or t.definition.get("tags")]
        found = [t for t in apart if t.name not in kinds and _is_image(t)]
        bases = {part for t in found for part in _ancestors(t)}
        kinds.update({t.name: "image" for t in found if t.stage not in bases or t.default})
    return {name: kind for name, kind in kinds.items() if kind != "other"}


def choose(options: Options, targets: Targets, kinds: Mapping[str, Kind]) -> list[tuple[Target, Kind]]:
    """The targets to run, in the file's order. A word of `stages` is a kind or a target's name."""
    if not options.stages:
        chosen = [t for t in targets.targets if t.name in kinds]
        if not chosen:
            names = ", ".join(t.name for t in targets.targets) or "none"
            raise ConfigurationError(
                f"no lint, test, binaries or image target found in {targets.source}",
                hint=f"targets: {names}; name one as STAGE or with --lint-target, --test-target, --binaries-target, "
                "--image-target",
            )
        return [(t, kinds[t.name]) for t in chosen]
    wanted: set[str] = set()
    for word in options.stages:
        of_kind = {name for name, kind in kinds.items() if kind == word}
        exact = {t.name for t in targets.targets if t.is_called(word)}
        if not (exact or of_kind):
            raise unknown("stage", word, targets)
        wanted |= of_kind or exact
    return [(t, kinds.get(t.name, _usual_kind(t))) for t in targets.targets if t.name in wanted]


def _usual_kind(target: Target) -> Kind:
    """The kind that a target's name says, else the name of its stage (bake files call stages what they like)."""
    leaf = not target.dockerfile.users(target.stage)
    for name in (target.name.lower(), target.stage):
        for kind in ("lint", "test", "binaries"):
            start, end = AFFIXES.get(kind, ("", "")) if leaf else ("", "")
            if name in USUAL_NAMES[kind] or (start and (name.startswith(start) or name.endswith(end))):
                return kind
    return "other"


def _outermost(targets: list[Target]) -> list[Target]:
    """Without the targets that another one of them is made from: `test` goes where `test-results` copies from it."""
    inner = {
        (other.file, part) for other in targets for part in other.dockerfile.reach(other.stage) if part != other.stage
    }
    return [t for t in targets if (t.file, t.stage) not in inner]


def _ancestors(target: Target) -> set[str]:
    """The stages in the FROM chain of a target."""
    found: set[str] = set()
    stage = target.dockerfile.get(target.stage)
    while stage is not None and (stage := target.dockerfile.get(stage.base)) is not None and stage.name not in found:
        found.add(stage.name)
    return found


def _is_image(target: Target) -> bool:
    stage = target.dockerfile.get(target.stage)
    if target.name.lower() in NOT_IMAGES:
        return False
    return target.default or target.name.lower() in USUAL_NAMES["image"] or bool(stage and stage.starts)


def _stage(target: Target, kind: Kind, options: Options, version: VersionRecord) -> Stage:
    definition = dict(target.definition)
    for key in ("output", "platforms"):
        definition.pop(key, None)
    args = _args(target, kind, options, version)
    platforms = target.platforms
    if kind in {"binaries", "image"} and options.platform:
        platforms = options.platform if kind == "binaries" else runnable(options.platform)
    if args:
        definition["args"] = args
        if not options.allow_credential_args:
            credentials.check(target.name, args)
    if platforms:
        definition["platforms"] = list(platforms)
    if options.secret:
        definition["secret"] = [*definition.get("secret", ()), *options.secret]
    if options.no_cache:
        definition["no-cache"] = True
    stage = target.dockerfile.get(target.stage)
    scratch = stage is not None and stage.base == "scratch"
    reports: Export = "results" if scratch else "none"
    image: Export = "layout" if options.oci_layout and not pushes(options) else "image"
    exports: dict[Kind, Export] = {"binaries": "binaries", "image": image, "test": reports, "lint": reports}
    if kind == "image" and (attest := attestations.entries(definition.get("attest", ()), options)):
        definition["attest"] = attest
    if kind == "test" and (collectors := _collectors(target)):
        definition["no-cache-filter"] = [*definition.get("no-cache-filter", ()), *collectors]
    rerun = target.dockerfile.makers(target.stage, USUAL_NAMES[kind].__contains__) if kind in {"test", "lint"} else ()
    workdir = next((w for part in rerun if (w := target.dockerfile.workdir(part))), "")
    epoch = args.get(EPOCH_ARG, str(version.source_date_epoch)) if kind in {"binaries", "image"} else ""
    return Stage(target.name, kind, target, platforms, definition, exports.get(kind, "none"), rerun, workdir, epoch)


def _described(stage: Stage, description: Description | None, *, joined: bool) -> Stage:
    """An image with what it is described with; `joined` says that it becomes a part of an index later."""
    if stage.kind != "image":
        return stage
    definition = description.applied(stage.definition) if description else stage.definition
    if not joined:
        check_annotations(definition, stage.platforms)
    return replace(stage, definition=definition)


def _cached(stage: Stage, options: Options, branches: tuple[str, ...]) -> Stage:
    """The stage with the caches that the options name, beside those of its bake target."""
    scope = cache.Scope(stage.name, stage.platforms, branches)
    ways: tuple[tuple[cache.Way, Items], ...] = (("cache-from", options.cache_from), ("cache-to", options.cache_to))
    added = {way: cache.entries(given, scope, way, image=stage.kind == "image") for way, given in ways}
    merged: dict[str, Any] = {
        way: [*stage.definition.get(way, ()), *entries] for way, entries in added.items() if entries
    }
    return replace(stage, definition={**stage.definition, **merged}) if merged else stage


def _args(target: Target, kind: Kind, options: Options, version: VersionRecord) -> dict[str, str]:
    args: dict[str, str] = {**target.definition.get("args", {}), **version_args(target, version)}
    args |= {bake_text(name): bake_text(value) for name, value in pairs(options.build_arg).items()}
    if kind == "test":  # exporters give every file this time: it would hide when a report was written
        args.pop(EPOCH_ARG, None)
    elif kind in {"binaries", "image"} and EPOCH_ARG in target.dockerfile.args(target.stage):
        args.setdefault(EPOCH_ARG, str(version.source_date_epoch))
    return args


def _collectors(target: Target) -> list[str]:
    """The stages of a target that only gather files.

    BuildKit looks a COPY up by content, without times: from the cache it would bring a report of the same content that
    an earlier run wrote, and that looks stale. Copying anew takes some milliseconds.
    """
    reached = (target.dockerfile.get(name) for name in target.dockerfile.reach(target.stage))
    return [stage.name for stage in reached if stage and stage.base == "scratch" and not stage.runs]


def runnable(platforms: Sequence[str]) -> tuple[str, ...]:
    """The platforms of an image: of a list that has Linux among others only the Linux ones.

    Containers run on Linux; darwin/arm64 and its like in `--platform` are meant for the binaries.
    """
    return tuple(p for p in platforms if p.startswith("linux/")) or tuple(platforms)


def version_args(target: Target, version: VersionRecord) -> dict[str, str]:
    """The version arguments that the target declares.

    An argument that a FROM line uses is left alone: `ARG VERSION` there is the version of a base image.
    """
    declared = target.dockerfile.args(target.stage) - target.dockerfile.base_args
    values = dict.fromkeys(VERSION_ARGS, version.value) | dict.fromkeys(REVISION_ARGS, version.revision)
    return {name: value for name, value in values.items() if name in declared and value}
