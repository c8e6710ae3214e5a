"""Steps without a cache mount."""

from __future__ import annotations

import pytest

from .conftest import Diagnose


@pytest.mark.parametrize(
    ("image", "command", "mounts", "safe"),
    [
        ("golang:1.26", "go mod download", ["/go/pkg/mod"], True),
        ("golang:1.26", "go build ./...", ["/go/pkg/mod", "/root/.cache/go-build"], True),
        ("golang:1.26", "CGO_ENABLED=0 go test -json ./... > /out/x.json", ["/go/pkg/mod", "/root/.cache/go-build"], True),
        ("docker.io/library/golang:1.26-alpine", "go vet ./...", ["/go/pkg/mod", "/root/.cache/go-build"], True),
        ("alpine:3.22", "go build .", ["/root/go/pkg/mod", "/root/.cache/go-build"], True),
        ("golang:1.26", "go build -mod=vendor .", ["/root/.cache/go-build"], True),
        ("python:3.13", "pip install -r requirements.txt", ["/root/.cache/pip"], True),
        ("python:3.13", "python3 -m pip install x", ["/root/.cache/pip"], True),
        ("python:3.13", "uv sync --locked", ["/root/.cache/uv"], True),
        ("python:3.13", "poetry install", ["/root/.cache/pypoetry"], True),
        ("node:22", "npm ci", ["/root/.npm"], True),
        ("node:22", "pnpm install --frozen-lockfile", ["/root/.local/share/pnpm/store"], True),
        ("node:22", "yarn install", ["/usr/local/share/.cache/yarn"], False),
        ("rust:1.83", "cargo build --release", ["/usr/local/cargo/registry"], True),
        ("lukemathwalker/cargo-chef:latest-rust-1", "cargo chef cook", ["/usr/local/cargo/registry"], False),
        ("maven:3.9", "mvn -B package", ["/root/.m2"], True),
        ("gradle:8", "gradle build", ["/home/gradle/.gradle"], False),
        ("eclipse-temurin:21", "./gradlew build", ["/root/.gradle"], True),
        ("debian:12", "apt-get update && apt-get install -y x", ["/var/cache/apt,sharing=locked", "/var/lib/apt,sharing=locked"], False),
        ("alpine:3.22", "apk add x", ["/etc/apk/cache,sharing=locked"], False),
        ("fedora:42", "dnf -y install x", ["/var/cache/dnf,sharing=locked"], False),
    ],
)  # fmt: skip
def test_the_mount_is_told_and_written_where_its_place_is_sure(
    diagnose: Diagnose, image: str, command: str, mounts: list[str], safe: bool
) -> None:
    (one,) = diagnose(f"FROM {image}\nRUN {command}\n", "missing-cache-mount")
    assert (one.line, one.severity, one.safe) == (2, "notice", safe)
    lines = [f"--mount=type=cache,target={mount} \\" for mount in mounts] + [command]
    assert one.fix == "RUN " + "\n    ".join(lines)


@pytest.mark.parametrize(
    ("image", "command"),
    [
        ("golang:1.26", "go version && go env"), ("golang:1.26", "gofmt -l ."), ("python:3.13", "pip install --no-cache-dir x"),
        ("python:3.13", "pip --version"), ("node:22", "npm run build"), ("node:22", "yarn build"), ("node:22", "yarn --version"),
        ("alpine:3.22", "apk add --no-cache x"), ("alpine:3.22", "apk --no-cache add x"), ("debian:12", "apt-get update"),
        ("alpine:3.22", "echo go build"), ("alpine:3.22", "python3 <<EOF\ngo build\nEOF"),
    ],
)  # fmt: skip
def test_other_commands_and_caches_that_are_switched_off_are_left_alone(
    diagnose: Diagnose, image: str, command: str
) -> None:
    assert diagnose(f"FROM {image}\nRUN {command}\n", "missing-cache-mount") == []


@pytest.mark.parametrize(
    "mount",
    [
        "type=cache,target=/go/pkg/mod/", "target=/root/.cache,type=cache", 'type=cache,target="/go/pkg/mod"', "type=cache,dst=/go",
        "type=cache,target=$GOPATH/pkg/mod", "type=cache,id=x,target=/opt/own/.cache/go-build",
    ],
)  # fmt: skip
def test_a_mount_that_is_there_is_enough(diagnose: Diagnose, mount: str) -> None:
    assert diagnose(f"FROM golang:1.26\nRUN --mount={mount} go build .\n", "missing-cache-mount") == []


def test_variables_move_the_folder(diagnose: Diagnose) -> None:
    (one,) = diagnose("FROM golang:1.26\nENV GOMODCACHE=/mods GOCACHE=$HOME/c\nRUN go build .\n", "missing-cache-mount")
    assert "target=/mods " in one.message
    assert not one.safe
    assert diagnose("FROM python:3.13\nENV PIP_NO_CACHE_DIR=1\nRUN pip install x\n", "missing-cache-mount") == []


def test_what_empties_the_cache_again_is_told(diagnose: Diagnose) -> None:
    text = "FROM debian:12\nRUN apt-get install -y x && rm -rf /var/lib/apt/lists/*\n"
    (one,) = diagnose(text, "missing-cache-mount")
    assert (one.fix, one.safe) == (None, False)
    assert "once the step no longer deletes it" in one.message


@pytest.mark.parametrize(
    ("run", "fixed"),
    [
        ("RUN set -e; \\\n    npm ci", "RUN --mount=type=cache,target=/root/.npm \\\n    set -e; \\"),
        ("RUN \\\n  npm ci", "RUN --mount=type=cache,target=/root/.npm \\"),
        ("RUN --mount=type=bind,target=. \\\n    npm ci", "RUN --mount=type=cache,target=/root/.npm \\\n    --mount=type=bind,target=. \\"),
        ("RUN <<EOF\nnpm ci\nEOF", "RUN --mount=type=cache,target=/root/.npm \\\n    <<EOF"),
        ("  run   npm ci", "  run --mount=type=cache,target=/root/.npm \\\n      npm ci"),
    ],
)  # fmt: skip
def test_a_step_in_any_form_gets_the_mount_first(diagnose: Diagnose, run: str, fixed: str) -> None:
    (one,) = diagnose(f"FROM node:22\n{run}\n", "missing-cache-mount")
    assert (one.fix, one.safe) == (fixed, True)


@pytest.mark.parametrize(
    "text",
    [
        "FROM golang:1.26\nUSER app\nRUN go build .\n",
        "FROM example.com/own:1\nRUN go build .\n",
        "# syntax=docker/dockerfile:1.1\nFROM golang:1.26\nRUN go build .\n",
        # Another stage takes what would then be in the cache.
        "FROM golang:1.26 AS a\nRUN go mod download\nFROM golang:1.26\nCOPY --from=a /go /go\n",
        "FROM golang:1.26 AS a\nRUN go mod download\nFROM golang:1.26\nRUN --mount=from=a,source=/go/pkg/mod,target=/m x\n",
        # A later step that nobody knows would fetch it again each time.
        "FROM golang:1.26\nRUN go mod download\nRUN ./build.sh\n",
        'FROM golang:1.26 AS a\nRUN go mod download\nFROM a\nRUN ["make"]\n',
        # A later step must find everything in the layer.
        "FROM maven:3.9\nRUN mvn dependency:go-offline\nRUN mvn -o package\n",
        "FROM golang:1.26\nRUN --network=none go build .\n",
    ],
)
def test_where_something_could_miss_what_the_cache_holds_nothing_is_written(diagnose: Diagnose, text: str) -> None:
    assert not [one for one in diagnose(text, "missing-cache-mount") if one.safe]


def test_later_steps_that_get_the_mount_too_or_need_nothing_are_no_hindrance(diagnose: Diagnose) -> None:
    text = "FROM golang:1.26\nRUN go mod download\nRUN mkdir /out && chmod 755 /out\nRUN go build -o /out/ .\n"
    assert [one.safe for one in diagnose(text, "missing-cache-mount")] == [True, True]


def test_a_file_for_windows_is_left_alone(diagnose: Diagnose) -> None:
    assert diagnose("# escape=`\nFROM golang:1.26\nRUN go build .\n", "missing-cache-mount") == []
