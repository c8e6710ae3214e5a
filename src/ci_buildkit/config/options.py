"""Every option, declared once: type, default, description and how it is written on the command line.

Flags, the action's inputs, keys of the configuration file and the documentation are derived from this model or checked
against it. Names are docker's own where it has one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from ci_buildkit.config.credentials import masked
from ci_buildkit.config.flag import FAIL_ON, NUMBER, PAIR, PLATFORM, TIMEOUT, Flag
from ci_buildkit.config.levels import FailOn
from ci_buildkit.config.timeouts import Timeouts

CONFIG_FILE = "ci-buildkit.yml"
Items = tuple[str, ...]


class Options(BaseModel):
    """What a run or a plan is asked to do. Frozen; relative paths are relative to the working directory."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stages: Annotated[Items, Flag("what runs", metavar="STAGE", split=True)] = Field(
        default=(), description="stages to run, by name or kind (lint, test, binaries, image); default: all there are"
    )
    context: Annotated[Path, Flag("what runs", metavar="DIR")] = Field(default=Path(), description="the build context")
    file: Annotated[Path | None, Flag("what runs", short="-f", metavar="FILE")] = Field(
        default=None, description="the Dockerfile; default: Dockerfile in the context"
    )
    bake_file: Annotated[Path | None, Flag("what runs", metavar="FILE")] = Field(
        default=None, description="the bake file; default: docker-bake.hcl or docker-bake.json in the context"
    )
    platform: Annotated[Items, Flag("what runs", metavar="P", split=True, form=PLATFORM)] = Field(
        default=(),
        description="platforms of binaries and images; default: the bake file's, else the builder's own",
        examples=["linux/amd64", "linux/arm64"],
    )
    build_arg: Annotated[Items, Flag("what runs", metavar="K=V", mapping=True, form=PAIR)] = Field(
        default=(), description="build arguments", examples=["GO_VERSION=1.26"]
    )
    allow_credential_args: Annotated[bool, Flag("what runs")] = Field(
        default=False, description="let build arguments pass that look like credentials, which an image's history shows"
    )
    secret: Annotated[Items, Flag("what runs", metavar="id=ID[,src=FILE|,env=VAR]")] = Field(
        default=(),
        description="build secrets, as docker buildx build takes them",
        examples=["id=netrc,src=.netrc", "id=token,env=TOKEN"],
    )
    image: Annotated[Items, Flag("images", metavar="NAME", split=True, mapping=True)] = Field(
        default=(),
        description="where images go: NAME, or TARGET=NAME; with several image targets a plain NAME gets -TARGET",
        examples=["ghcr.io/org/app"],
    )
    tag: Annotated[Items, Flag("images", metavar="LINE")] = Field(
        default=(),
        description="tags of the images, in the language of docker/metadata-action (`type=semver,pattern={{version}}`); "
        "default: the version",
        examples=["type=semver,pattern={{version}}", "type=ref,event=branch"],
    )
    flavor: Annotated[Items, Flag("images", metavar="LINE")] = Field(
        default=(),
        description="what holds for all tags: `latest=auto|true|false`, `prefix=`, `suffix=`",
        examples=["latest=auto"],
    )
    label: Annotated[Items, Flag("images", metavar="K=V", mapping=True)] = Field(
        default=(),
        description="labels of the images beside those that the repository gives (org.opencontainers.image.*)",
        examples=["org.opencontainers.image.vendor=Example"],
    )
    annotation: Annotated[Items, Flag("images", metavar="K=V", mapping=True)] = Field(
        default=(),
        description="annotations of the images; `index:K=V` and `manifest:K=V` say where",
        examples=["index:org.opencontainers.image.title=App"],
    )
    push: Annotated[bool, Flag("images")] = Field(
        default=False, description="push the images once lint and tests have passed"
    )
    push_by_digest: Annotated[bool, Flag("images")] = Field(
        default=False, description="push without tags and leave digest files in the report, for `ci-buildkit merge`"
    )
    immutable_tags: Annotated[bool, Flag("images")] = Field(
        default=False, description="refuse to give a tag that is there already to another image"
    )
    oci_layout: Annotated[bool, Flag("images")] = Field(
        default=True, description="keep images that are not pushed as OCI layouts in the report, images/TARGET/"
    )
    provenance: Annotated[str | None, Flag("images", metavar="true|false|ATTRIBUTES", switch=True)] = Field(
        default=None,
        description="provenance attestation of the images, as docker buildx build takes it",
        examples=["mode=max", "false"],
    )
    sbom: Annotated[str | None, Flag("images", metavar="true|false|ATTRIBUTES", switch=True)] = Field(
        default=None,
        description="SBOM attestation of the images, and an SPDX file beside each archive of binaries",
        examples=["true"],
    )
    sign: Annotated[str | None, Flag("images", metavar="keyless|KEY")] = Field(
        default=None,
        description="sign pushed images with cosign and verify that: keyless, or a key as cosign takes it; "
        "KEY,tlog=false keeps them out of the transparency log",
        examples=["keyless", "cosign.key"],
    )
    smoke: Annotated[Items, Flag("images", metavar="[TARGET=]COMMAND", mapping=True)] = Field(
        default=(),
        description="commands that must succeed in the pushed image on each native platform before it gets tags",
        examples=["app --version"],
    )
    login: Annotated[Items, Flag("images", metavar="registry=HOST,username=NAME,password-env=VAR")] = Field(
        default=(),
        description="registries to log in to for this run only; password-file=FILE instead of password-env; without "
        "registry Docker Hub",
        examples=["registry=ghcr.io,username=octocat,password-env=GITHUB_TOKEN"],
    )
    builder: Annotated[str | None, Flag("builder", metavar="NAME")] = Field(
        default=None,
        description="builder to use and to keep; made when it does not exist. Default: a new one, removed at the end",
    )
    builder_image: Annotated[str | None, Flag("builder", metavar="IMAGE")] = Field(
        default=None, description="BuildKit image of a builder that is made"
    )
    buildkitd_config: Annotated[Path | None, Flag("builder", metavar="FILE")] = Field(
        default=None, description="buildkitd.toml of a builder that is made: mirrors, insecure registries"
    )
    driver_opt: Annotated[
        Items,
        Flag(
            "builder", metavar="K=V", split=True, environment="CI_BUILDKIT_BUILDER_DRIVER_OPTS", mapping=True, form=PAIR
        ),
    ] = Field(default=(), description="driver options of a builder that is made", examples=["network=host"])
    driver: Annotated[Literal["docker-container", "remote", "kubernetes"], Flag("builder")] = Field(
        default="docker-container", description="buildx driver of a builder that is made"
    )
    node: Annotated[Items, Flag("builder", metavar="name=NAME,endpoint=URL,platforms=P;P,...")] = Field(
        default=(),
        description="a node of a builder that is made; platforms are separated by semicolons, any other key is one of its "
        "driver options",
        examples=["name=arm,endpoint=ssh://build@arm.example.com,platforms=linux/arm64;linux/arm/v7"],
    )
    no_cache: Annotated[bool, Flag("caches")] = Field(default=False, description="run every step anew")
    cache_from: Annotated[Items, Flag("caches", metavar="type=TYPE,...")] = Field(
        default=(),
        description="caches to read, as docker buildx build takes them; {target}, {platform} and {branch} stand for those",
        examples=["type=registry,ref=ghcr.io/org/app:cache-{target}", "type=gha,scope={target}"],
    )
    cache_to: Annotated[Items, Flag("caches", metavar="type=TYPE,...")] = Field(
        default=(),
        description="caches to write, as docker buildx build takes them, with the same words",
        examples=["type=gha,scope={target},mode=max"],
    )
    persist_cache_mounts: Annotated[Path | None, Flag("caches", metavar="DIR")] = Field(
        default=None, description="keep what RUN --mount=type=cache holds in this folder, and put it into a new builder"
    )
    cache_mounts_size: Annotated[str, Flag("caches", metavar="SIZE")] = Field(
        default="2GB", description="how large the kept cache mounts may be together"
    )
    lint_target: Annotated[Items, Flag("what runs", metavar="TARGET", split=True)] = Field(
        default=(), description="lint targets; default: those with usual names"
    )
    test_target: Annotated[Items, Flag("what runs", metavar="TARGET", split=True)] = Field(
        default=(), description="test targets; default: those with usual names"
    )
    binaries_target: Annotated[Items, Flag("what runs", metavar="TARGET", split=True)] = Field(
        default=(), description="targets that hold the binaries; default: those with usual names"
    )
    image_target: Annotated[Items, Flag("what runs", metavar="TARGET", split=True)] = Field(
        default=(), description="image targets; default: the final images of the file"
    )
    results_path: Annotated[Items, Flag("results", metavar="PATH", split=True)] = Field(
        default=(),
        description="folder or glob of test reports inside the test stage; default: usual places, and report-like "
        "files under WORKDIR",
        examples=["/reports/*.xml"],
    )
    path_map: Annotated[Items, Flag("results", metavar="FROM=TO", mapping=True, form=PAIR)] = Field(
        default=(), description="where a path inside the container is in the repository", examples=["/src=."]
    )
    lint_pattern: Annotated[Items, Flag("results", metavar="[TOOL=]REGEX", mapping=True)] = Field(
        default=(),
        description="how a linter prints a finding on a line: a regular expression with the named groups path and message, "
        "and as far as there are such line, column, end_line, end_column, severity, rule and tool",
        examples=[r"^(?P<path>[^:]+):(?P<line>\d+): (?P<message>.+)$"],
    )
    fail_on: Annotated[Items, Flag("policies", metavar="[KIND=]LEVEL", split=True, mapping=True, form=FAIL_ON)] = Field(
        default=(),
        description="what makes the run red: failures, errors, warnings or nothing; of KIND (tests, lint, checks) or of "
        "every kind that has this level; default: tests=failures, lint=failures, checks=nothing",
        examples=["lint=warnings", "nothing"],
    )
    max_warnings: Annotated[int | None, Flag("policies", metavar="N", form=NUMBER)] = Field(
        default=None, ge=0, description="how many warnings of linters and checks may be found; default: any number"
    )
    baseline: Annotated[Path | None, Flag("policies", metavar="FILE")] = Field(
        default=None,
        description="known findings, which do not count; the file is one that `ci-buildkit findings --write-baseline` wrote",
    )
    min_tests: Annotated[int | None, Flag("policies", metavar="N", form=NUMBER)] = Field(
        default=None, ge=0, description="how many test cases the whole run must have at least"
    )
    test_retries: Annotated[int, Flag("policies", metavar="N", form=NUMBER)] = Field(
        default=0, ge=0, description="how often a test stage is run again when tests failed in it"
    )
    stage_timeout: Annotated[
        Items, Flag("policies", metavar="[STAGE|KIND=]DURATION", split=True, mapping=True, form=TIMEOUT)
    ] = Field(
        default=(),
        description="how long a stage may take before it is ended and has failed: 90s, 10m, 1h30m; of one stage, of a kind "
        "or of every stage; default: as long as it likes",
        examples=["30m", "test=10m"],
    )
    quarantine: Annotated[Path | None, Flag("policies", metavar="FILE")] = Field(
        default=None, description="tests whose failures do not count until a day: a YAML list of test, until and reason"
    )
    archive_name: Annotated[str, Flag("binaries", metavar="TEMPLATE")] = Field(
        default="{name}_{version}_{os}_{arch}{variant}",
        description="names of the archives of binaries, without .tar.gz or .zip; {target} gives each target its own",
    )
    check_version: Annotated[bool, Flag("binaries")] = Field(
        default=True, description="compare the version in the binaries, where it can be read, with the stamped one"
    )
    runner: Annotated[Items, Flag("what runs", metavar="[PLATFORM=]LABEL", action=False, mapping=True)] = Field(
        default=(),
        description="runners of `plan --format matrix`: default=LABEL, and LABEL of the platforms that begin so; the longest "
        "beginning wins. LABEL can be a JSON list, as runs-on takes it",
        examples=["linux/arm64=ubuntu-24.04-arm"],
    )
    version: Annotated[str | None, Flag("what runs", metavar="VERSION")] = Field(
        default=None, description="the version to stamp; default: from Git"
    )
    report_dir: Annotated[Path, Flag("report", metavar="DIR")] = Field(
        default=Path("ci-report"), description="where the report goes, replacing the last run's"
    )
    progress: Annotated[Literal["auto", "tty", "plain", "github"], Flag("report", action=False)] = Field(
        default="auto", description="how to show progress"
    )

    @field_validator("*", mode="before")
    @classmethod
    def _fits(cls, value: Any, info: ValidationInfo) -> Any:
        form = flag_of(info.field_name or "").form
        if form and form.told and isinstance(value, str | list | tuple):
            for one in [value] if isinstance(value, str) else value:
                if not form.fits(str(one)):
                    msg = f"{masked(str(one))!r} {form.told}"
                    raise ValueError(msg)
        return value

    @field_validator("fail_on")
    @classmethod
    def _levels(cls, values: Items) -> Items:
        FailOn.parse(values)
        return values

    @field_validator("stage_timeout")
    @classmethod
    def _timeouts(cls, values: Items) -> Items:
        Timeouts.parse(values)
        return values

    @field_validator("platform")
    @classmethod
    def _platforms(cls, values: Items) -> Items:
        return tuple(dict.fromkeys(values))


def pairs(values: Items) -> dict[str, str]:
    """`K=V` strings as a mapping; the last one of a name wins."""
    return dict(value.split("=", 1) for value in values)


def flag_of(name: str) -> Flag:
    """The `Flag` of an option; each has one."""
    return next(m for m in Options.model_fields[name].metadata if isinstance(m, Flag))


def is_list(name: str) -> bool:
    """Whether an option takes several values."""
    return isinstance(Options.model_fields[name].default, tuple)


def is_switch(name: str) -> bool:
    """Whether an option is true or false."""
    return Options.model_fields[name].annotation is bool


def choices_of(name: str) -> tuple[str, ...]:
    """The words that an option takes where it takes no others; else none."""
    kind = Options.model_fields[name].annotation
    return get_args(kind) if get_origin(kind) is Literal else ()


def option_string(name: str) -> str:
    """The option as it is written in flags, inputs and the configuration file: `build_arg` is `build-arg`."""
    return name.replace("_", "-")


def variable_of(name: str) -> str:
    """The environment variable that sets an option."""
    return flag_of(name).environment or f"CI_BUILDKIT_{name.upper()}"
