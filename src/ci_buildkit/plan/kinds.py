"""Which targets lint, test, hold binaries or are images, by option or by their usual names. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from ci_buildkit.config.options import Options
from ci_buildkit.errors import ConfigurationError
from ci_buildkit.plan.targets import Target, Targets, contexts, unknown
from ci_buildkit.record import Kind

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
        parts = {name for t in targets.targets for name in contexts(t.definition)}
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
    """The stages in the FROM chain of a target, without itself: `FROM nginx AS nginx` is made from an image."""
    found = [target.stage]
    stage = target.dockerfile.get(target.stage)
    while stage is not None and (stage := target.dockerfile.get(stage.base)) is not None and stage.name not in found:
        found.append(stage.name)
    return set(found[1:])


def _is_image(target: Target) -> bool:
    stage = target.dockerfile.get(target.stage)
    if target.name.lower() in NOT_IMAGES:
        return False
    return target.default or target.name.lower() in USUAL_NAMES["image"] or bool(stage and stage.starts)
