"""What a registry holds, read from the answers of `docker buildx imagetools`."""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.unit.engine.conftest import Docker

from ci_buildkit.engine import registry
from ci_buildkit.engine.buildx import Buildx
from ci_buildkit.engine.process import Cancellation
from ci_buildkit.engine.registry import Held, Manifest, Registry, repository
from ci_buildkit.errors import EngineError, OutputError

INDEX, AMD, ARM, SEAL = ("sha256:" + letter * 64 for letter in "0ab1")
ENTRIES = [
    {"digest": AMD, "platform": {"os": "linux", "architecture": "amd64"}},
    {"digest": ARM, "platform": {"os": "linux", "architecture": "arm", "variant": "v7"}},
    {
        "digest": SEAL,
        "platform": {"os": "unknown", "architecture": "unknown"},
        "annotations": {"vnd.docker.reference.digest": AMD, "vnd.docker.reference.type": "attestation-manifest"},
    },
]
IMAGE = {"config": {"size": 10}, "layers": [{"size": 100}, {"size": 1000}]}
PREDICATES = ["https://slsa.dev/provenance/v1", "https://spdx.dev/Document"]
ATTESTATIONS = {"layers": [{"size": 1, "annotations": {"in-toto.io/predicate-type": name}} for name in PREDICATES]}


def written(value: Any) -> str:
    """A manifest as bytes of its own, of which its digest is made: with line breaks, also at its end."""
    return json.dumps(value, indent=1) + "\n"


def digest(value: Any) -> str:
    """The digest of a manifest."""
    return f"sha256:{hashlib.sha256(written(value).encode()).hexdigest()}"


@pytest.fixture
def answers(docker: Docker, tmp_path: Path) -> Mapping[str, Any]:
    """Answers by the last word of a question; any other reference is not found."""
    folder = tmp_path / "answers"
    folder.mkdir()
    docker(
        f'for last; do :; done; file="{folder}/$(printf %s "$last" | tr -c "a-z0-9" -)"; '
        '[ -f "$file" ] && exec cat "$file"; echo "ERROR: $last: not found" >&2; exit 1'
    )

    class Answers(dict[str, Any]):
        def __setitem__(self, reference: str, value: Any) -> None:
            name = "".join(c if c.isascii() and (c.islower() or c.isdigit()) else "-" for c in reference)
            (folder / name).write_text(written(value), encoding="utf-8")

    return Answers()


def ask(cancellation: Cancellation | None = None) -> Registry:
    return Registry(Buildx(os.environ), "b", cancellation)


def test_an_index_is_read_with_its_platforms_and_their_attestations(answers: dict[str, Any]) -> None:
    answers["host/app:1"] = index = {"manifests": ENTRIES, "annotations": {"a": "b"}}
    answers[f"host/app@{AMD}"] = answers[f"host/app@{ARM}"] = IMAGE
    answers[f"host/app@{SEAL}"] = ATTESTATIONS
    assert ask().held("host/app:1") == Held(
        digest(index), (Manifest("linux/amd64", AMD, 1110, tuple(PREDICATES)), Manifest("linux/arm/v7", ARM, 1110))
    )
    top = ask().top("host/app:1")
    assert top is not None
    assert (top.images, top.annotations) == (frozenset({AMD, ARM}), {"a": "b"})


def test_a_tag_is_asked_for_each_time_and_a_digest_once(answers: dict[str, Any], tmp_path: Path) -> None:
    image = digest({"layers": None})
    answers[f"host/app@{image}"] = {"layers": None}
    answers["host/app:1"] = index = {"manifests": [{**ENTRIES[0], "digest": image}], "annotations": None}
    registry = ask()
    for _ in range(2):
        assert registry.digest("host/app:1") == digest(index)
        assert registry.held(f"host/app@{digest(index)}") == Held(digest(index), (Manifest("linux/amd64", image, 0),))
    asked = [line.rpartition("host/app")[2] for line in (tmp_path / "calls").read_text().splitlines()]
    assert asked == [":1", f"@{image}", ":1"]


def test_a_part_of_an_index_that_is_not_there_is_an_error(answers: dict[str, Any]) -> None:
    answers["host/app:1"] = {"manifests": ENTRIES}
    answers[f"host/app@{AMD}"] = IMAGE
    with pytest.raises(OutputError, match="does not hold host/app@"):
        ask().held("host/app:1")


def test_what_is_no_image_is_said(docker: Docker) -> None:
    docker('case "$*" in *--format*) echo null ;; *) echo "{}" ;; esac')
    with pytest.raises(OutputError, match=r"host/app@sha256:[0-9a-f]{64} is no image"):
        ask().held("host/app:1")


def test_nothing_there_is_no_error_and_a_refusal_is_one(docker: Docker, answers: dict[str, Any]) -> None:
    assert ask().digest("host/app:1") is None
    assert ask().held("host/app:1") is None
    docker("echo 'ERROR: unexpected status from HEAD request: 403 Forbidden' >&2; exit 1")
    with pytest.raises(EngineError, match="403"):
        ask().digest("host/app:1")


def test_a_registry_that_never_answers_ends_with_the_run_and_with_its_time(
    docker: Docker, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker("exec sleep 30")
    cancellation = Cancellation()
    threading.Timer(0.2, cancellation.cancel).start()
    began = time.monotonic()
    with pytest.raises(EngineError):
        ask(cancellation).digest("host/app:1")
    monkeypatch.setattr(registry, "PATIENCE", 0.2)
    with pytest.raises(EngineError, match="did not answer within 0 seconds: host/app:1"):
        ask().digest("host/app:1")
    assert time.monotonic() - began < 10


def test_tags_are_given_by_one_command(docker: Docker) -> None:
    calls = docker("")
    ask().tag(f"host/app@{INDEX}", ("1", "latest"))
    assert calls.read_text() == (
        "buildx imagetools create --builder b --progress=quiet --prefer-index=false "
        f"--tag host/app:1 --tag host/app:latest host/app@{INDEX}\n"
    )


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        ("app", "app"),
        ("app:1", "app"),
        ("host:5000/app", "host:5000/app"),
        ("host:5000/a/app:1", "host:5000/a/app"),
        (f"host:5000/app:1@{INDEX}", "host:5000/app"),
    ],
)
def test_the_repository_of_a_reference(reference: str, name: str) -> None:
    assert repository(reference) == name
