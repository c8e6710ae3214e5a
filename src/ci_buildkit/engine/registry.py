"""What a registry holds, asked directly or through `docker buildx imagetools`, which tags, too.

That knows docker's credentials and the builder's registry settings (mirrors, plain HTTP, certificates), so that an image is
looked for where it was pushed to. Only it says that something is not there, or what went wrong.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from msgspec import Struct, field

from ci_buildkit.engine.buildx import Buildx, explain
from ci_buildkit.engine.direct import Direct
from ci_buildkit.engine.process import Cancellation, answer
from ci_buildkit.errors import EngineError, OutputError, said

# OCI image-spec and docker's own, which the Docker registry and BuildKit know alike.
INDEXES = ("application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json")
# How BuildKit marks the manifest of a platform's attestations (moby/buildkit docs/attestations/attestation-storage.md).
REFERENCE_TYPE = "vnd.docker.reference.type"
REFERENCE_DIGEST = "vnd.docker.reference.digest"
ATTESTATION = "attestation-manifest"
PREDICATE_TYPE = "in-toto.io/predicate-type"
QUESTIONS = 4  # asked at the same time
PATIENCE = 30.0  # seconds for one answer; docker's own questions have no limit


class Manifest(Struct, frozen=True):
    """One platform's image. `size` is in bytes, configuration and layers; `predicates` are its attestations' types."""

    platform: str
    digest: str
    size: int
    predicates: tuple[str, ...] = ()


class Held(Struct, frozen=True):
    """An image as it is held: the digest of its index or manifest, and the platforms in it."""

    digest: str
    manifests: tuple[Manifest, ...]

    @property
    def platforms(self) -> tuple[str, ...]:
        """The platforms, in the index's order."""
        return tuple(manifest.platform for manifest in self.manifests)


class Top(Struct, frozen=True):
    """The manifest or index that a reference stands for, and what an index names."""

    digest: str
    entries: tuple[Mapping[str, Any], ...] = ()
    annotations: Mapping[str, str] = field(default_factory=dict)

    @property
    def annotated(self) -> bool:
        """Whether it, or something that it names, has annotations."""
        return bool(self.annotations) or any(map(_annotations, self.entries))

    @property
    def images(self) -> frozenset[str]:
        """The digests of the platforms' images."""
        return frozenset(str(e["digest"]) for e in self.entries if not _is_attestation(e)) or frozenset({self.digest})


class Registry:
    """The registries as one builder reaches them.

    What was seen under a digest is not asked for again: it cannot change.
    """

    def __init__(self, buildx: Buildx, builder: str | None, cancellation: Cancellation | None = None) -> None:
        """`builder` is the builder whose registry settings count; None for the one that is in use.

        With `cancellation` every question ends.
        """
        self._buildx = buildx
        self._builder = ("--builder", builder) if builder else ()
        self._cancellation = cancellation or Cancellation()
        self._direct = Direct(buildx.environment)
        self._seen: dict[str, tuple[str, Mapping[str, Any]]] = {}

    def digest(self, reference: str) -> str | None:
        """The digest that a reference has now; None where there is no such image. Raises EngineError."""
        top = self.top(reference)
        return None if top is None else top.digest

    def top(self, reference: str) -> Top | None:
        """What a reference stands for now; None where there is no such image. Raises EngineError."""
        found = self._found(reference)
        return None if found is None else _top(*found)

    def held(self, reference: str) -> Held | None:
        """The image of a reference with all its platforms; None where there is none.

        Raises:
            EngineError: the registry does not answer or refuses.
            OutputError: it is no image, or something that the index names is missing.
        """
        top = self.top(reference)
        if top is None:
            return None
        name = repository(reference)
        if not top.entries:
            whole = f"{name}@{top.digest}"
            config = json.loads(self._inspect(whole, "--format", "{{json .Image}}") or "null")
            if not config:  # a configuration or an attestation by its digest, say
                raise OutputError(f"{whole} is no image")
            return Held(top.digest, (Manifest(platform_of(config), top.digest, _size(self._body(whole))),))
        with ThreadPoolExecutor(max_workers=QUESTIONS) as pool:
            bodies = list(pool.map(lambda entry: self._body(f"{name}@{entry['digest']}"), top.entries))
        return Held(top.digest, manifests(top.entries, bodies))

    def tag(self, reference: str, tags: Iterable[str]) -> None:
        """Give what `NAME@DIGEST` names these tags in its repository, by one command. Raises EngineError."""
        words = [word for tag in tags for word in ("--tag", f"{repository(reference)}:{tag}")]
        self._create("--progress=quiet", "--prefer-index=false", *words, reference)

    def joined(self, sources: Sequence[str], annotations: Sequence[str] = ()) -> Top:
        """The index that images and indexes (`NAME@DIGEST`) make together; the registry is only read.

        Attestations come along, as manifests that refer to the same images. A single index without annotations stays
        what it is. Raises EngineError.
        """
        if len(sources) == 1 and not annotations and (top := self.top(sources[0])) and top.entries:
            return top
        return _top(*_read(self._create("--dry-run", *_flags(annotations), *sources).removesuffix("\n")))

    def join(self, reference: str, sources: Sequence[str], annotations: Sequence[str] = ()) -> None:
        """Put what `joined` tells into this repository, without a tag: `reference` has its digest. Raises EngineError."""
        self._create("--progress=quiet", *_flags(annotations), "--tag", reference, *sources)

    def _create(self, *words: str) -> str:
        return self._call("buildx", "imagetools", "create", *self._builder, *words)

    def _body(self, reference: str) -> Mapping[str, Any]:
        found = self._found(reference)
        if found is None:
            raise OutputError(f"the registry does not hold {reference}, which the index of the image names")
        return found[1]

    def _found(self, reference: str) -> tuple[str, Mapping[str, Any]] | None:
        """The digest and the body of what a reference stands for.

        That alone is fetched: for any format buildx fetches all manifests and configurations of an image
        (util/imagetools/loader.go).
        """
        if reference in self._seen:
            return self._seen[reference]
        text = self._direct.manifest(reference) or self._inspect(reference, "--raw")
        if text is None:
            return None
        found = _read(text)
        self._seen[f"{repository(reference)}@{found[0]}"] = found
        return found

    def _inspect(self, reference: str, *words: str) -> str | None:
        try:
            return self._call("buildx", "imagetools", "inspect", *self._builder, *words, reference)
        except EngineError as error:
            if error.message.rstrip().endswith(": not found"):
                return None
            raise

    def _call(self, *words: str) -> str:
        try:
            done = answer(
                self._buildx.line(*words),
                env=self._buildx.environment,
                cancellation=self._cancellation,
                seconds=PATIENCE,
            )
        except OSError as error:
            raise EngineError(f"docker could not be started: {said(error)}") from error
        except subprocess.TimeoutExpired as error:
            raise EngineError(f"the registry did not answer within {PATIENCE:.0f} seconds: {words[-1]}") from error
        if done.returncode:
            raise explain(done.stderr or done.stdout, words)
        return done.stdout


def manifests(entries: Sequence[Mapping[str, Any]], bodies: Sequence[Mapping[str, Any]]) -> tuple[Manifest, ...]:
    """The platforms' images of an index, each with its attestations; `bodies` are the manifests of its entries."""
    predicates = {
        _annotations(entry).get(REFERENCE_DIGEST): _predicates(body)
        for entry, body in zip(entries, bodies, strict=True)
        if _is_attestation(entry)
    }
    return tuple(
        Manifest(
            platform_of(entry.get("platform") or {}),
            str(entry["digest"]),
            _size(body),
            predicates.get(entry["digest"], ()),
        )
        for entry, body in zip(entries, bodies, strict=True)
        if not _is_attestation(entry)
    )


def _read(text: str) -> tuple[str, Mapping[str, Any]]:
    """The digest and the body of a manifest."""
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}", json.loads(text)


def _top(digest: str, body: Mapping[str, Any]) -> Top:
    return Top(digest, tuple(body.get("manifests") or ()), body.get("annotations") or {})


def _flags(annotations: Iterable[str]) -> list[str]:
    return [word for annotation in annotations for word in ("--annotation", annotation)]


def repository(reference: str) -> str:
    """The name in a reference, without tag and digest."""
    name = reference.partition("@")[0]
    head, slash, last = name.rpartition("/")
    return head + slash + last.partition(":")[0]


def platform_of(where: Mapping[str, Any]) -> str:
    """OS/ARCH[/VARIANT] of a platform object of the OCI image-spec or of an image's configuration."""
    return "/".join(filter(None, (where.get("os", ""), where.get("architecture", ""), where.get("variant", ""))))


def _is_attestation(entry: Mapping[str, Any]) -> bool:
    return bool(_annotations(entry).get(REFERENCE_TYPE) == ATTESTATION)


def _annotations(part: Mapping[str, Any]) -> Mapping[str, Any]:
    return dict(part.get("annotations") or {})


def _predicates(manifest: Mapping[str, Any]) -> tuple[str, ...]:
    layers = manifest.get("layers") or ()
    return tuple(filter(None, (_annotations(layer).get(PREDICATE_TYPE) for layer in layers)))


def _size(manifest: Mapping[str, Any]) -> int:
    parts = (manifest.get("config") or {}, *(manifest.get("layers") or ()))
    return sum(int(part.get("size", 0)) for part in parts)
