"""Provenance and SBOM of images, as options and bake files ask for them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ci_buildkit.config import row
from ci_buildkit.config.options import Options
from ci_buildkit.errors import ConfigurationError

TYPES = ("provenance", "sbom")
WORDS = {"true": {"disabled": "false"}, "false": {"disabled": "true"}}


def entries(given: Iterable[Any], options: Options) -> list[Any]:
    """The `attest` entries of an image's bake target: its own, but those of which an option says something else.

    Where neither says anything, buildx adds provenance of mode=min (buildx docs/reference/buildx_build.md).
    Raises ConfigurationError for an option that is neither true, false nor attributes.
    """
    said = {
        kind: text for kind, text in zip(TYPES, (options.provenance, options.sbom), strict=True) if text is not None
    }
    own = [entry for entry in given if _fields(entry).get("type") not in said]
    return [*own, *({"type": kind, **_attributes(kind, text)} for kind, text in said.items())]


def check(options: Options) -> None:
    """Raise ConfigurationError for an option that is neither true, false nor attributes."""
    entries((), options)


def asked(attest: Iterable[Any]) -> dict[str, bool]:
    """The types of which `attest` entries say that an image has one (True) or none (False)."""
    fields = [_fields(entry) for entry in attest]
    return {f["type"]: f.get("disabled", "false") != "true" for f in fields if f.get("type") in TYPES}


def _attributes(kind: str, text: str) -> dict[str, str]:
    """An option's value as `docker buildx build` takes it (buildx util/buildflags, CanonicalizeAttest)."""
    word = text.strip().lower()
    if word in WORDS:
        return WORDS[word]
    fields = _fields(text)
    if "" in fields.values() or "type" in fields:
        raise ConfigurationError(
            f"--{kind} {text!r} is not understood", hint="write true, false, or attributes such as mode=max"
        )
    return fields


def _fields(entry: Any) -> dict[str, str]:
    """An entry as a map; bake files have maps or the comma form."""
    if isinstance(entry, Mapping):
        return {str(key): str(value).lower() if key == "disabled" else str(value) for key, value in entry.items()}
    fields = row.fields(str(entry), "attestation") or [""]
    return {name.strip(): value for name, _, value in (field.partition("=") for field in fields)}
