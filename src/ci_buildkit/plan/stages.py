"""The plan: which stages run, for which platforms, with which arguments and exporters. Pure and frozen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, get_args

from msgspec import Struct, field
from msgspec.structs import replace

from ci_buildkit.config.options import Items, Options, pairs
from ci_buildkit.config.timeouts import Timeout, Timeouts
from ci_buildkit.errors import ConfigurationError
from ci_buildkit.plan import attestations, cache, credentials, kinds, platforms
from ci_buildkit.plan.annotations import check_annotations
from ci_buildkit.plan.description import Description
from ci_buildkit.plan.images import Image, named_images
from ci_buildkit.plan.targets import Target, Targets, contexts, unknown
from ci_buildkit.record import Kind, VersionRecord
from ci_buildkit.tags.labels import bake_text

# Build arguments that carry the version, the revision and the commit's time, passed only where the file declares them.
VERSION_ARGS = ("APP_VERSION", "VERSION", "BUILD_VERSION")
REVISION_ARGS = ("REVISION", "GIT_COMMIT", "GIT_SHA", "COMMIT_SHA", "VCS_REF", "COMMIT")
# Not passed unless declared: BuildKit gives every WORKDIR this time (dockerfile2llb, dispatchWorkdir), so each commit would
# build everything behind one anew. Exporters take the time by themselves.
EPOCH_ARG = "SOURCE_DATE_EPOCH"

Export = Literal["none", "results", "binaries", "image", "layout"]


class Stage(Struct, frozen=True):
    """One stage of the plan.

    `definition` is its bake target without exporter; `export` says what leaves BuildKit; `rerun` are the Dockerfile
    stages whose RUN steps test or lint, which must run anew when their result cannot be believed or is not there.
    `epoch` is the time that exported files and images get, in seconds since 1970, "" for their own. `timeout` is how long
    the stage may take, None for as long as it likes.
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
    timeout: Timeout | None = None


class Plan(Struct, frozen=True):
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
    platforms.check(options.platform)
    chosen = kinds.choose(options, targets, kinds.classify(options, targets))
    stages = tuple(_cached(_stage(target, kind, options, version), options, branches) for target, kind in chosen)
    stages = tuple(_described(stage, description, joined=options.push_by_digest) for stage in stages)
    stages = _timed(stages, Timeouts.parse(options.stage_timeout), targets)
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
        for name in contexts(waiting.pop()):
            if name not in planned and name not in found:
                found[name] = targets.named(name).definition
                waiting.append(found[name])
    return found


def _stage(target: Target, kind: Kind, options: Options, version: VersionRecord) -> Stage:
    definition = dict(target.definition)
    for key in ("output", "platforms", "args"):
        definition.pop(key, None)
    args = _args(target, kind, options, version)
    wanted = target.platforms
    if kind in {"binaries", "image"} and options.platform:
        wanted = options.platform if kind == "binaries" else platforms.runnable(options.platform)
    if args:
        definition["args"] = args
        if not options.allow_credential_args:
            credentials.check(target.name, args)
    if wanted:
        definition["platforms"] = list(wanted)
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
    rerun = (
        target.dockerfile.makers(target.stage, kinds.USUAL_NAMES[kind].__contains__) if kind in {"test", "lint"} else ()
    )
    workdir = next((w for part in rerun if (w := target.dockerfile.workdir(part))), "")
    epoch = args.get(EPOCH_ARG, str(version.source_date_epoch)) if kind in {"binaries", "image"} else ""
    return Stage(target.name, kind, target, wanted, definition, exports.get(kind, "none"), rerun, workdir, epoch)


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


def _timed(stages: tuple[Stage, ...], timeouts: Timeouts, targets: Targets) -> tuple[Stage, ...]:
    """The stages with how long they may take. Raises ConfigurationError for a name that is no kind's and no target's."""
    for name in timeouts.named:
        if name not in get_args(Kind) and not any(target.is_called(name) for target in targets.targets):
            raise unknown("stage or kind", name, targets)

    def of(stage: Stage) -> Timeout | None:
        # `unit-test` counts where `unit-test-results` gathers what it wrote.
        return timeouts.of((stage.target.is_called, lambda name: name.lower() in stage.rerun), stage.kind)

    return tuple(replace(stage, timeout=of(stage)) for stage in stages)


def _args(target: Target, kind: Kind, options: Options, version: VersionRecord) -> dict[str, str]:
    given = version_args(target, version) | pairs(options.build_arg)
    args: dict[str, str] = {**target.definition.get("args", {})}
    args |= {bake_text(name): bake_text(value) for name, value in given.items()}
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


def version_args(target: Target, version: VersionRecord) -> dict[str, str]:
    """The version arguments that the target declares.

    An argument that a FROM line uses is left alone: `ARG VERSION` there is the version of a base image.
    """
    declared = target.dockerfile.args(target.stage) - target.dockerfile.base_args
    values = dict.fromkeys(VERSION_ARGS, version.value) | dict.fromkeys(REVISION_ARGS, version.revision)
    return {name: value for name, value in values.items() if name in declared and value}
