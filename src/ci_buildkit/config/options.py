"""Every option, declared once: type, default, description and how it is written on the command line.

Flags, the action's inputs, keys of the configuration file and the documentation are derived from this model or checked
against it. Names are docker's own where it has one.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from ci_buildkit.config.levels import FailOn

CONFIG_FILE = "ci-buildkit.yml"


@dataclass(frozen=True, slots=True)
class Flag:
    """How an option is written.

    `split`: a list option that also takes commas (not where a value itself may hold one, as in `--build-arg`).
    `environment`: the variable that sets it, where it is not `CI_BUILDKIT_` and the option's name.
    `action`: whether it is an input of the action too.
    """

    short: str | None = None
    metavar: str | None = None
    split: bool = False
    environment: str | None = None
    action: bool = True


Items = tuple[str, ...]


class Options(BaseModel):
    """What a run or a plan is asked to do. Frozen; relative paths are relative to the working directory."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stages: Annotated[Items, Flag(metavar="STAGE", split=True)] = Field(
        default=(), description="stages to run, by name or kind (lint, test, binaries, image); default: all there are"
    )
    context: Annotated[Path, Flag(metavar="DIR")] = Field(default=Path(), description="the build context")
    file: Annotated[Path | None, Flag(short="-f", metavar="FILE")] = Field(
        default=None, description="the Dockerfile; default: Dockerfile in the context"
    )
    bake_file: Annotated[Path | None, Flag(metavar="FILE")] = Field(
        default=None, description="the bake file; default: docker-bake.hcl or docker-bake.json in the context"
    )
    platform: Annotated[Items, Flag(metavar="P", split=True)] = Field(
        default=(), description="platforms of binaries and images; default: the bake file's, else the builder's own"
    )
    build_arg: Annotated[Items, Flag(metavar="K=V")] = Field(default=(), description="build arguments")
    allow_credential_args: bool = Field(
        default=False, description="let build arguments pass that look like credentials, which an image's history shows"
    )
    secret: Annotated[Items, Flag(metavar="id=ID[,src=FILE|,env=VAR]")] = Field(
        default=(), description="build secrets, as docker buildx build takes them"
    )
    image: Annotated[Items, Flag(metavar="NAME", split=True)] = Field(
        default=(),
        description="where images go: NAME, or TARGET=NAME; with several image targets a plain NAME gets -TARGET",
    )
    tag: Annotated[Items, Flag(metavar="LINE")] = Field(
        default=(),
        description="tags of the images, in the language of docker/metadata-action (`type=semver,pattern={{version}}`); "
        "default: the version",
    )
    flavor: Annotated[Items, Flag(metavar="LINE")] = Field(
        default=(), description="what holds for all tags: `latest=auto|true|false`, `prefix=`, `suffix=`"
    )
    label: Annotated[Items, Flag(metavar="K=V")] = Field(
        default=(),
        description="labels of the images beside those that the repository gives (org.opencontainers.image.*)",
    )
    annotation: Annotated[Items, Flag(metavar="K=V")] = Field(
        default=(), description="annotations of the images; `index:K=V` and `manifest:K=V` say where"
    )
    push: bool = Field(default=False, description="push the images once lint and tests have passed")
    push_by_digest: bool = Field(
        default=False, description="push without tags and leave digest files in the report, for `ci-buildkit merge`"
    )
    immutable_tags: bool = Field(
        default=False, description="refuse to give a tag that is there already to another image"
    )
    oci_layout: bool = Field(
        default=True, description="keep images that are not pushed as OCI layouts in the report, images/TARGET/"
    )
    provenance: Annotated[str | None, Flag(metavar="true|false|ATTRIBUTES")] = Field(
        default=None, description="provenance attestation of the images, as docker buildx build takes it"
    )
    sbom: Annotated[str | None, Flag(metavar="true|false|ATTRIBUTES")] = Field(
        default=None, description="SBOM attestation of the images, and an SPDX file beside each archive of binaries"
    )
    sign: Annotated[str | None, Flag(metavar="keyless|KEY")] = Field(
        default=None,
        description="sign pushed images with cosign and verify that: keyless, or a key as cosign takes it; "
        "KEY,tlog=false keeps them out of the transparency log",
    )
    smoke: Annotated[Items, Flag(metavar="[TARGET=]COMMAND")] = Field(
        default=(),
        description="commands that must succeed in the pushed image on each native platform before it gets tags",
    )
    login: Annotated[Items, Flag(metavar="registry=HOST,username=NAME,password-env=VAR")] = Field(
        default=(),
        description="registries to log in to for this run only; password-file=FILE instead of password-env; without "
        "registry Docker Hub",
    )
    builder: Annotated[str | None, Flag(metavar="NAME")] = Field(
        default=None,
        description="builder to use and to keep; made when it does not exist. Default: a new one, removed at the end",
    )
    builder_image: Annotated[str | None, Flag(metavar="IMAGE")] = Field(
        default=None, description="BuildKit image of a builder that is made"
    )
    buildkitd_config: Annotated[Path | None, Flag(metavar="FILE")] = Field(
        default=None, description="buildkitd.toml of a builder that is made: mirrors, insecure registries"
    )
    driver_opt: Annotated[Items, Flag(metavar="K=V", split=True, environment="CI_BUILDKIT_BUILDER_DRIVER_OPTS")] = (
        Field(default=(), description="driver options of a builder that is made")
    )
    driver: Literal["docker-container", "remote", "kubernetes"] = Field(
        default="docker-container", description="buildx driver of a builder that is made"
    )
    node: Annotated[Items, Flag(metavar="name=NAME,endpoint=URL,platforms=P;P,...")] = Field(
        default=(),
        description="a node of a builder that is made; platforms are separated by semicolons, any other key is one of its "
        "driver options",
    )
    no_cache: bool = Field(default=False, description="run every step anew")
    cache_from: Annotated[Items, Flag(metavar="type=TYPE,...")] = Field(
        default=(),
        description="caches to read, as docker buildx build takes them; {target}, {platform} and {branch} stand for those",
    )
    cache_to: Annotated[Items, Flag(metavar="type=TYPE,...")] = Field(
        default=(), description="caches to write, as docker buildx build takes them, with the same words"
    )
    persist_cache_mounts: Annotated[Path | None, Flag(metavar="DIR")] = Field(
        default=None, description="keep what RUN --mount=type=cache holds in this folder, and put it into a new builder"
    )
    cache_mounts_size: Annotated[str, Flag(metavar="SIZE")] = Field(
        default="2GB", description="how large the kept cache mounts may be together"
    )
    lint_target: Annotated[Items, Flag(metavar="TARGET", split=True)] = Field(
        default=(), description="lint targets; default: those with usual names"
    )
    test_target: Annotated[Items, Flag(metavar="TARGET", split=True)] = Field(
        default=(), description="test targets; default: those with usual names"
    )
    binaries_target: Annotated[Items, Flag(metavar="TARGET", split=True)] = Field(
        default=(), description="targets that hold the binaries; default: those with usual names"
    )
    image_target: Annotated[Items, Flag(metavar="TARGET", split=True)] = Field(
        default=(), description="image targets; default: the final images of the file"
    )
    results_path: Annotated[Items, Flag(metavar="PATH", split=True)] = Field(
        default=(),
        description="folder or glob of test reports inside the test stage; default: usual places, and report-like "
        "files under WORKDIR",
    )
    path_map: Annotated[Items, Flag(metavar="FROM=TO")] = Field(
        default=(), description="where a path inside the container is in the repository"
    )
    lint_pattern: Annotated[Items, Flag(metavar="[TOOL=]REGEX")] = Field(
        default=(),
        description="how a linter prints a finding on a line: a regular expression with the named groups path and message, "
        "and as far as there are such line, column, end_line, end_column, severity, rule and tool",
    )
    fail_on: Annotated[Items, Flag(metavar="[KIND=]LEVEL", split=True)] = Field(
        default=(),
        description="what makes the run red: failures, errors, warnings or nothing; of KIND (tests, lint, checks) or of "
        "every kind that has this level; default: tests=failures, lint=failures, checks=nothing",
    )
    max_warnings: Annotated[int | None, Flag(metavar="N")] = Field(
        default=None, ge=0, description="how many warnings of linters and checks may be found; default: any number"
    )
    baseline: Annotated[Path | None, Flag(metavar="FILE")] = Field(
        default=None,
        description="known findings, which do not count; the file is one that `ci-buildkit findings --write-baseline` wrote",
    )
    min_tests: Annotated[int | None, Flag(metavar="N")] = Field(
        default=None, ge=0, description="how many test cases the whole run must have at least"
    )
    test_retries: Annotated[int, Flag(metavar="N")] = Field(
        default=0, ge=0, description="how often a test stage is run again when tests failed in it"
    )
    quarantine: Annotated[Path | None, Flag(metavar="FILE")] = Field(
        default=None, description="tests whose failures do not count until a day: a YAML list of test, until and reason"
    )
    archive_name: Annotated[str, Flag(metavar="TEMPLATE")] = Field(
        default="{name}_{version}_{os}_{arch}{variant}",
        description="names of the archives of binaries, without .tar.gz or .zip; {target} gives each target its own",
    )
    check_version: bool = Field(
        default=True, description="compare the version in the binaries, where it can be read, with the stamped one"
    )
    runner: Annotated[Items, Flag(metavar="[PLATFORM=]LABEL", action=False)] = Field(
        default=(),
        description="runners of `plan --format matrix`: default=LABEL, and LABEL of the platforms that begin so; the longest "
        "beginning wins. LABEL can be a JSON list, as runs-on takes it",
    )
    version: Annotated[str | None, Flag(metavar="VERSION")] = Field(
        default=None, description="the version to stamp; default: from Git"
    )
    report_dir: Annotated[Path, Flag(metavar="DIR")] = Field(
        default=Path("ci-report"), description="where the report goes, replacing the last run's"
    )
    progress: Annotated[Literal["auto", "tty", "plain", "github"], Flag(action=False)] = Field(
        default="auto", description="how to show progress"
    )

    @field_validator("build_arg", "path_map", "driver_opt")
    @classmethod
    def _pairs(cls, values: Items) -> Items:
        for value in values:
            name, equals, _ = value.partition("=")
            if not equals or not name.strip():
                msg = f"{value!r} is not of the form NAME=VALUE"
                raise ValueError(msg)
        return values

    @field_validator("fail_on")
    @classmethod
    def _levels(cls, values: Items) -> Items:
        FailOn.parse(values)
        return values

    @field_validator("platform")
    @classmethod
    def _platforms(cls, values: Items) -> Items:
        for value in values:
            if not all(value.split("/")) or not 2 <= len(value.split("/")) <= 3:
                msg = f"{value!r} is not a platform; write OS/ARCH or OS/ARCH/VARIANT, for example linux/arm64"
                raise ValueError(msg)
        return tuple(dict.fromkeys(values))


def pairs(values: Items) -> dict[str, str]:
    """`K=V` strings as a mapping; the last one of a name wins."""
    return dict(value.split("=", 1) for value in values)


def flag_of(name: str) -> Flag:
    """The `Flag` of an option; a plain one where the field declares none."""
    return next((m for m in Options.model_fields[name].metadata if isinstance(m, Flag)), Flag())


def is_list(name: str) -> bool:
    """Whether an option takes several values."""
    return isinstance(Options.model_fields[name].default, tuple)


def option_string(name: str) -> str:
    """The option as it is written in flags, inputs and the configuration file: `build_arg` is `build-arg`."""
    return name.replace("_", "-")


def variable_of(name: str) -> str:
    """The environment variable that sets an option."""
    return flag_of(name).environment or f"CI_BUILDKIT_{name.upper()}"
