"""Joins what several machines pushed by digest into one index with all its tags."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from msgspec import Struct

from ci_buildkit.engine.patience import patiently
from ci_buildkit.engine.process import Cancellation
from ci_buildkit.engine.registry import QUESTIONS, Held, Manifest, Registry
from ci_buildkit.errors import ConfigurationError, EngineError, OutputError
from ci_buildkit.pipeline.approve import sign
from ci_buildkit.pipeline.flaws import IMPLIED
from ci_buildkit.pipeline.legs import Leg
from ci_buildkit.pipeline.pushed import Pushed
from ci_buildkit.plan.annotations import parse
from ci_buildkit.tags.reference import checked_name, checked_tag


class Wanted(Struct, frozen=True):
    """One image to make: its name, what was pushed by digest, and what the index of it gets."""

    name: str
    digests: tuple[str, ...]
    tags: tuple[str, ...]
    annotations: tuple[str, ...] = ()

    @property
    def sources(self) -> tuple[str, ...]:
        """NAME@DIGEST of each."""
        return tuple(f"{self.name}@{digest}" for digest in self.digests)


class Rules(Struct, frozen=True):
    """What every image must be: its platforms, and whether a missing one is let pass; whether tags may move."""

    expected: tuple[str, ...] = ()
    allow_missing: bool = False
    immutable: bool = False
    signing: str | None = None


class Merged(Struct, frozen=True):
    """An image as it is now in the registry, or would be."""

    name: str
    digest: str
    tags: tuple[str, ...]
    platforms: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """The keys of `ci-buildkit merge`."""
        return {
            "name": self.name,
            "digest": self.digest,
            "tags": list(self.tags),
            "platforms": list(self.platforms),
        }


class Merge:
    """The joining of images in registries: everything is looked at, then put there by digest, and tags come last."""

    def __init__(
        self,
        registry: Registry,
        rules: Rules,
        environ: Mapping[str, str],
        say: Callable[[str], None],
        cancellation: Cancellation | None = None,
    ) -> None:
        """`environ` is the environment of what signs; `say` tells people what is let pass and what happens."""
        self._registry = registry
        self._rules = rules
        self._environ = environ
        self._say = say
        self._cancellation = cancellation or Cancellation()

    def run(self, wanted: Sequence[Wanted], *, dry_run: bool = False) -> list[Merged]:
        """Join every image; with `dry_run` the registry is only read. No tag moves before all images are in place.

        Raises:
            ConfigurationError: a tag would move that must not.
            EngineError: a registry does not answer or refuses, or cosign does.
            OutputError: a platform is there twice or missing, or the registry does not hold what it should.
        """
        parts = [self._parts(image) for image in wanted]
        merged = [self._merged(image, held) for image, held in zip(wanted, parts, strict=True)]
        if self._rules.immutable:
            self._check_tags(merged)
        if dry_run:
            return merged
        for image, result, held in zip(wanted, merged, parts, strict=True):
            self._push(image, result, held)
        for result in merged:
            self._tag(result)
        return merged

    def _parts(self, image: Wanted) -> list[Held]:
        """What the registry holds of each source, once it was checked that together they make the image."""
        with ThreadPoolExecutor(max_workers=QUESTIONS) as pool:
            held = list(pool.map(self._held, image.sources))
        found: dict[str, str] = {}
        for part in held:
            for platform in part.platforms:
                if found.setdefault(platform, part.digest) != part.digest or part.platforms.count(platform) > 1:
                    raise OutputError(
                        f"{image.name} would have {platform} twice, from {found[platform]} and {part.digest}",
                        hint="give each platform's digest once",
                    )
        there = {IMPLIED.get(platform, platform) for platform in found}
        missing = [platform for platform in self._rules.expected if IMPLIED.get(platform, platform) not in there]
        if missing and not self._rules.allow_missing:
            raise OutputError(
                f"{image.name} lacks {', '.join(missing)}; there is {', '.join(found)}",
                hint="run again what should have pushed it, or let it be missing with --allow-missing",
            )
        if missing:
            self._say(f"warning: {image.name} goes without {', '.join(missing)}, which --allow-missing lets pass")
        return held

    def _held(self, reference: str) -> Held:
        try:
            held = patiently(lambda: self._registry.held(reference), self._cancellation)
        except EngineError as error:
            raise EngineError(
                f"{reference} cannot be looked at: {error.message}",
                hint=error.hint or "check the name, and log in with `docker login` or --login",
            ) from error
        if held is None:
            raise OutputError(f"the registry does not hold {reference}", hint="push it again by digest, then merge")
        return held

    def _merged(self, image: Wanted, parts: Iterable[Held]) -> Merged:
        index = patiently(lambda: self._registry.joined(image.sources, image.annotations), self._cancellation)
        if image.annotations and not index.annotated:  # buildx leaves them out without a word
            raise OutputError(
                f"{image.name} cannot have annotations: all parts are of Docker's media types, which know none",
                hint="push the parts with oci-mediatypes=true, or join them without annotations",
            )
        return Merged(image.name, index.digest, image.tags, tuple(p for part in parts for p in part.platforms))

    def _check_tags(self, merged: Iterable[Merged]) -> None:
        for result in merged:
            for tag in result.tags:
                there = self._digest(result, tag)
                if there not in {None, result.digest}:
                    raise ConfigurationError(
                        f"{result.name}:{tag} is {there} already, and --immutable-tags lets no tag move",
                        hint="release under a new tag",
                    )

    def _push(self, image: Wanted, result: Merged, parts: Iterable[Held]) -> None:
        self._say(f"joining {', '.join(result.platforms)} into {result.name}@{result.digest}")
        reference = f"{result.name}@{result.digest}"
        if result.digest not in image.digests:
            patiently(lambda: self._registry.join(reference, image.sources, image.annotations), self._cancellation)
        held = self._held(reference)
        if wrong := _differences(held.manifests, [manifest for part in parts for manifest in part.manifests]):
            raise OutputError(f"{reference} is not what was joined: {wrong}")
        if self._rules.signing:
            self._say(f"signing {reference}")
            sign(self._rules.signing, Pushed("", result.name, result.digest, held), self._environ, self._cancellation)

    def _tag(self, result: Merged) -> None:
        reference = f"{result.name}@{result.digest}"
        patiently(lambda: self._registry.tag(reference, result.tags), self._cancellation)
        for tag in result.tags:
            if (there := self._digest(result, tag)) != result.digest:
                raise OutputError(f"{result.name}:{tag} is {there or 'not there'}, and should be {result.digest}")
            self._say(f"{result.name}:{tag} is {result.digest}")

    def _digest(self, result: Merged, tag: str) -> str | None:
        return patiently(lambda: self._registry.digest(f"{result.name}:{tag}"), self._cancellation)


def _differences(held: Iterable[Manifest], expected: Iterable[Manifest]) -> str:
    """Which platforms, images or attestations are other ones; "" where none is."""
    there, wanted = ({(m.platform, m.digest, tuple(sorted(m.predicates))) for m in side} for side in (held, expected))
    return ", ".join(sorted({platform for platform, _, _ in there ^ wanted}))


def of_legs(
    found: Iterable[Leg], names: Sequence[str], tags: Sequence[str], annotations: Sequence[str]
) -> list[Wanted]:
    """The images that legs make: those with these names, or all of them; with their own tags where none are given.

    Raises ConfigurationError for a name that no leg has, and where there are no tags.
    """
    images: dict[tuple[str, str], list[Leg]] = {}
    for leg in found:
        images.setdefault((leg.stage, leg.name), []).append(leg)
    known = {name for _, name in images}
    if unknown := [name for name in names if name not in known]:
        raise ConfigurationError(
            f"no leg is of {', '.join(unknown)}", hint=f"there are legs of {', '.join(sorted(known))}"
        )
    return [
        Wanted(
            name,
            tuple(leg.digest for leg in own),
            _tags(name, tags or tuple(dict.fromkeys(tag for leg in own for tag in leg.tags))),
            index_annotations([a for leg in own for a in leg.annotations] + list(annotations)),
        )
        for (_, name), own in images.items()
        if not names or name in names
    ]


def of_digests(name: str, digests: Iterable[str], tags: Sequence[str], annotations: Sequence[str]) -> Wanted:
    """The image that digests make, written `sha256:...` or `NAME@sha256:...`.

    Raises ConfigurationError for one that is none or of another image, and where there are no tags.
    """
    found = []
    for text in digests:
        of, at, digest = text.rpartition("@")
        if not re.fullmatch(r"sha256:[0-9a-f]{64}", digest) or (at and of != name):
            raise ConfigurationError(f"{text!r} is no digest of {name}", hint=f"write sha256:... or {name}@sha256:...")
        found.append(digest)
    return Wanted(checked_name(name), tuple(dict.fromkeys(found)), _tags(name, tags), index_annotations(annotations))


def _tags(name: str, tags: Sequence[str]) -> tuple[str, ...]:
    """Tags, of which each may be written as NAME:TAG."""
    bare = tuple(dict.fromkeys(tag.removeprefix(f"{name}:") for tag in tags))
    if not bare:
        raise ConfigurationError(f"{name} would get no tag", hint="give it one with --tag")
    return tuple(map(checked_tag, bare))


def index_annotations(annotations: Iterable[str]) -> tuple[str, ...]:
    """Annotations as `imagetools create` takes them: on the index, those of one platform on its entry there.

    A manifest keeps what it was pushed with: its digest would change. Of one key the last value counts.
    Raises ConfigurationError for what is no annotation.
    """
    found: dict[str, str] = {}
    for text in annotations:
        parsed = parse(text)
        if parsed is None:
            raise ConfigurationError(f"{text!r} is no annotation", hint="write KEY=VALUE or index:KEY=VALUE")
        kinds = set(parsed.kinds or ("index",))
        entry = f"[{parsed.platform}]" if parsed.platform else ""
        if entry or "manifest-descriptor" in kinds:
            found[f"manifest-descriptor{entry}:{parsed.key}"] = parsed.value
        if not entry and kinds & {"index", "manifest"}:
            found[f"index:{parsed.key}"] = parsed.value
    return tuple(f"{key}={value}" for key, value in found.items())
