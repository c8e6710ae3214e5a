"""The command line of act, what may be passed on to it, and the names that it gives containers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ci_buildkit.act import command, leftovers, program
from ci_buildkit.act.docker import Docker
from ci_buildkit.act.passed import divide
from ci_buildkit.errors import ConfigurationError

ROOT = Path(__file__).parents[3]
LOCAL = Docker("unix:///run/d.sock", "unix:///run/d.sock", "10.0.0.1", "amd64")


def words(docker: Docker = LOCAL, **others: object) -> list[str]:
    given: dict[str, object] = {
        "act": Path("/bin/act"), "event": "push", "workflows": Path("/w"), "event_file": Path("/e.json"),
        "platforms": ["--platform=a=b"], "repositories": ["--local-repository=a/b@c=/d"], "docker": docker, "port": 1,
        "artifacts": Path("/a"), "cache": Path("/c"), "environment": {"A": "x y"}, "secrets": ["S"], "variables": ["V"],
        "mounts": [], "matrix": [("n", "1")], "passed": ["--quiet"],
    }  # fmt: skip
    return command.words(command.Call(**{**given, **others}))  # type: ignore[arg-type]


def test_the_command() -> None:
    found = words()
    assert found[:2] == ["/bin/act", "push"]
    assert {
        "--json",
        "--verbose",
        "--rm",
        "--pull=false",
        "--env=A=x y",
        "--secret=S",
        "--var=V",
        "--matrix=n:1",
    } <= set(found)
    assert found[found.index("--artifact-server-path") + 1] == "/a"
    assert "--container-daemon-socket=unix:///run/d.sock" in found
    assert {"--artifact-server-addr=10.0.0.1", "--cache-server-addr=10.0.0.1"} <= set(found)
    assert found[-1] == "--quiet", "the user's word is the last"
    assert not any(word.startswith("--container-options") for word in found)
    assert "--container-options=-v /x.toml:/x.toml:ro" in words(mounts=["/x.toml"])
    remote = words(Docker("tcp://far:2375", "", "", "arm64"))
    assert not any("socket" in word or "-addr" in word for word in remote)


def test_what_of_this_machine_jobs_get() -> None:
    environ = {
        "CI_BUILDKIT_BUILDER_IMAGE": "buildkit:1", "CI_BUILDKIT_BUILDKITD_CONFIG": "/etc/b.toml",
        "CI_BUILDKIT_BUILDER_DRIVER_OPTS": "network=host", "CI_BUILDKIT_REPORT_DIR": "elsewhere", "HOME": "/root",
        "PIP_INDEX_URL": "https://me:canary@example.com/simple", "UV_DEFAULT_INDEX": "https://example.com/simple",
    }  # fmt: skip
    found, notes = command.environment(environ, "acme/thing", "act0")
    assert found == {
        "GITHUB_REPOSITORY": "acme/thing", "ACTIONS_ARTIFACT_UPLOAD_CONCURRENCY": "1",
        "CI_BUILDKIT_BUILDER_IMAGE": "buildkit:1", "CI_BUILDKIT_BUILDKITD_CONFIG": "/etc/b.toml",
        "CI_BUILDKIT_BUILDER_DRIVER_OPTS": "network=host,env.CI_BUILDKIT_ACT=act0",
        "UV_DEFAULT_INDEX": "https://example.com/simple",
    }  # fmt: skip
    assert notes == ["PIP_INDEX_URL holds a password, so jobs do not get it: give it as a secret"]
    assert command.mounts(environ) == ["/etc/b.toml"]
    bare, _ = command.environment({}, "a/b", "act0")
    assert set(bare) == {"GITHUB_REPOSITORY", "ACTIONS_ARTIFACT_UPLOAD_CONCURRENCY", "CI_BUILDKIT_BUILDER_DRIVER_OPTS"}


@pytest.mark.parametrize("word", ["-n", "--dryrun", "--list", "-l", "-qn", "-bvw", "--reuse", "--help", "-C"])
def test_what_would_make_the_result_untrue_is_refused(word: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot be passed on to act") as told:
        divide(["--quiet", word, "x"])
    assert told.value.hint


def test_what_says_what_runs_is_taken() -> None:
    words = "-P ubuntu-latest=a:1 -Pgpu=b --platform=c=d --local-repository https://github.com/o/r@v1=/d -j one --job=two -W f.yml"
    words += " --matrix n:1 -e e.json --artifact-server-path /a --dryrun=false -s A=b -sC"
    found = divide(words.split())
    assert found.words == ()
    assert found.all("--platform") == ("ubuntu-latest=a:1", "gpu=b", "c=d")
    assert found.uses == ("o/r@v1=/d",)
    assert found.all("--secret") == ("A=b", "C")
    assert (found.last("--job"), found.last("--workflows"), found.last("--eventpath")) == ("two", "f.yml", "e.json")
    assert (found.all("--matrix"), found.last("--artifact-server-path"), found.last("--nothing")) == (
        ("n:1",),
        "/a",
        "",
    )


@pytest.mark.parametrize(
    ("words", "passed"),
    [
        (["--concurrent-jobs", "4"], ["--concurrent-jobs=4"]),
        (["-anlg", "-a", "nobody", "--env", "--list"], ["--actor=nlg", "--actor=nobody", "--env=--list"]),
        (["--container-options", "-l x --help"], ["--container-options=-l x --help"]),
        (["-qb", "-v", "--pull=false", "--rm"], ["-q", "-b", "-v", "--pull=false", "--rm"]),
        (["pull_request", "-", ""], ["pull_request", "-", ""]),
        (["--foo", "bar", "-z1"], ["--foo=bar", "-z1"]),
    ],
)
def test_the_rest_is_passed_on(words: list[str], passed: list[str]) -> None:
    assert divide(words).words == tuple(passed)
    with pytest.raises(ConfigurationError, match="needs a value"):
        divide([*words, "--env"])


def test_names_of_containers() -> None:
    """As act 0.2.89 was seen to make them."""
    long = "A workflow with a name that is much longer than what Docker gives act for names of containers/slow act8d1c4870.0"
    assert leftovers.name("act", long).startswith(
        "act-A-workflow-with-a-name-that-is-much-longer-than-what-Docker-79bf0ec94c45"
    )
    inner = leftovers.Container("call act8d1c4870.1/in.yml/inner act8d1c4870.2-1", "inner", ("db",))
    assert inner.name == (
        "act-call-act8d1c4870-1-in-yml-inner-act8d1c4870-2-1-ed1a6290afd2fb3723ae673b371db2562d64cd6ffdf420bd37e2730a007b480e"
    )
    assert inner.volumes == (inner.name, f"{inner.name}-env")
    assert inner.network == f"{inner.name}-inner-network"


def test_the_pinned_version_is_that_of_the_lock() -> None:
    lock = (ROOT / "requirements" / "dev.txt").read_text()
    found = re.search(rf"^{program.WHEEL}==(\S+) \\\n((?:    --hash=\S+(?: \\)?\n)+)", lock, re.MULTILINE)
    assert found
    assert found[1] == program.VERSION
    assert set(re.findall(r"sha256:(\w+)", found[2])) == set(program.HASHES)
