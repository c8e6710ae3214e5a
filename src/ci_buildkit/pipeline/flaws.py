"""What an image lacks that was asked for, whether a registry or a folder holds it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ci_buildkit.engine.registry import Held
from ci_buildkit.plan import attestations

# in-toto predicate types, as BuildKit writes them (moby/buildkit docs/attestations); provenance has a version behind.
PREDICATES: Mapping[str, str] = {"provenance": "https://slsa.dev/provenance/", "sbom": "https://spdx.dev/Document"}
# Variants that go without saying (containerd/platforms, database.go).
IMPLIED: Mapping[str, str] = {
    "linux/arm64/v8": "linux/arm64",
    "linux/arm": "linux/arm/v7",
    "linux/amd64/v1": "linux/amd64",
}


def of(held: Held, platforms: Iterable[str], attest: Iterable[Any]) -> str:
    """What is wrong with an image, as in `lacks linux/arm64; has no sbom for linux/amd64`; "" where nothing is.

    `attest` are the entries of its bake target; of what they do not speak of there may be any or none.
    """
    have = {_plain(platform) for platform in held.platforms}
    lost = [platform for platform in platforms if _plain(platform) not in have]
    found = [f"lacks {', '.join(lost)}"] if lost else []
    for kind, wanted in attestations.asked(attest).items():
        wrong = [manifest.platform for manifest in held.manifests if _has(kind, manifest.predicates) != wanted]
        if wrong:
            found.append(f"has {'no' if wanted else 'a'} {kind} for {', '.join(wrong)}")
    return "; ".join(found)


def kinds(held: Held) -> tuple[str, ...]:
    """The attestations that each platform has."""
    return tuple(kind for kind in PREDICATES if all(_has(kind, m.predicates) for m in held.manifests))


def _has(kind: str, predicates: Sequence[str]) -> bool:
    return any(predicate.startswith(PREDICATES[kind]) for predicate in predicates)


def _plain(platform: str) -> str:
    return IMPLIED.get(platform, platform)
