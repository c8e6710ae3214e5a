"""A whole run with a `docker` that says what was recorded: its outcome, its files, and what people are told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.unit.pipeline.conftest import Ground

from ci_buildkit.pipeline import run

BOTH = "FROM alpine AS base\nRUN echo cached\nFROM base AS lint\nRUN echo\nFROM base AS test\nARG SALT\nRUN echo test failed; exit 3\n"
IMAGE = "FROM alpine AS app\nCMD x\n"


def test_a_failed_stage_stops_no_other_and_makes_the_run_red(ground: Ground) -> None:
    lint, test = ground.recorded("lint"), ground.recorded("test")
    ground.docker(f"case $last in lint) {lint};; *) {test}; exit 1;; esac")
    found = ground.run(BOTH, stages=("lint", "test"))
    assert {stage.name: stage.outcome for stage in found.record.stages} == {"lint": "passed", "test": "failed"}
    assert (found.record.outcome, found.record.exit_code) == ("failed", 1)
    written = json.loads((ground.staging.report / "run.json").read_text())
    assert written["exit_code"] == 1
    assert {stage["name"] for stage in written["stages"]} == {"lint", "test"}


def test_a_run_of_everything_must_have_its_tests_and_one_of_named_stages_need_not(ground: Ground) -> None:
    ground.docker(ground.recorded("lint"))
    text = "FROM alpine AS lint\nRUN echo\n"
    named = ground.run(text, stages=("lint",), min_tests=1)
    assert (named.record.outcome, named.record.exit_code) == ("passed", 0)
    every = ground.run(text, min_tests=1)
    assert (every.record.exit_code, [problem.path for problem in every.record.problems]) == (5, ["--min-tests"])


def test_an_interrupted_run_says_so_and_starts_nothing(ground: Ground) -> None:
    ground.cancellation.cancel()
    found = ground.run(BOTH, stages=("lint", "test"))
    assert (found.record.outcome, found.record.exit_code, ground.calls) == ("cancelled", 130, [])


def test_the_bake_file_of_the_report_repeats_a_stage_anywhere_and_holds_no_credential(ground: Ground) -> None:
    plan, _ = ground.plan(IMAGE, stages=("app",), cache_to=("type=s3,bucket=b,secret_access_key=hunter2",))
    text = run.by_hand(plan)
    assert "hunter2" not in text
    target = json.loads(text)["target"]["app"]
    assert (target["context"], target.get("dockerfile", "Dockerfile")) == (".", "Dockerfile")


@pytest.mark.parametrize(
    ("version", "able"), [("v0.11.2", False), ("v0.12.0", True), ("1.0.0", True), ("unknown", True), ("", True)]
)
def test_reports_are_taken_out_of_steps_by_each_buildx_that_has_a_debugger(version: str, *, able: bool) -> None:
    assert run.can_debug(version) is able


TWO = "FROM alpine AS client\nCMD x\nFROM alpine AS server\nCMD x\n"


def builds(ground: Ground, **options: Any) -> list[list[str]]:
    """The targets of each build of two images."""
    ground.docker("exit 0")
    assert ground.run(TWO, oci_layout=False, **options).record.exit_code == 0
    return sorted(call.rpartition(".json ")[2].split() for call in ground.calls if " bake " in call)


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("v0.38.0", [["client", "server"]]),
        ("v0.37.1", [["client"], ["server"]]),
        ("unknown", [["client"], ["server"]]),
    ],
)
def test_what_only_has_to_be_built_is_built_together_by_each_buildx_that_can(
    version: str, expected: list[list[str]], ground: Ground
) -> None:
    ground.buildx_version = version
    assert builds(ground) == expected


@pytest.mark.parametrize(
    "options",
    [{"stages": ("client",)}, {"stage_timeout": ("client=1m",)}, {"persist_cache_mounts": Path("mounts")}],
    ids=["one", "limited", "mounts"],
)
def test_what_cannot_be_built_together_is_built_alone(ground: Ground, options: dict[str, Any]) -> None:
    ground.buildx_version = "v0.38.0"
    assert builds(ground, **options) in ([["client"], ["server"]], [["client"]])


def test_a_stage_that_breaks_before_its_build_keeps_none_waiting(ground: Ground) -> None:
    ground.buildx_version = "v0.38.0"
    (ground.staging.report / "logs").mkdir(exist_ok=True)
    (ground.staging.report / "logs" / "client.log").mkdir()
    ground.docker("exit 0")
    found = ground.run(TWO, oci_layout=False)
    assert {stage.name: stage.outcome for stage in found.record.stages} == {"client": "error", "server": "passed"}


BINARIES = "FROM alpine AS build\nFROM scratch AS binaries\nCOPY --from=build /app /\n"
SYFT = """#!/bin/sh
for word; do case $word in spdx-json=*) echo '{"spdxVersion": "SPDX-2.3", "name": "x"}' >"${word#*=}";; esac; done
"""


def exporting(ground: Ground) -> str:
    """A docker whose build of `binaries` exports one file for linux/amd64."""
    folder = ground.staging.work / "export" / "binaries" / "linux_amd64"
    said = ground.recorded("lint", stage="build")
    return f"mkdir -p '{folder}'; printf '#!/bin/sh\\n' >'{folder}/app'; chmod +x '{folder}/app'; {said}"


def test_exported_files_are_archived_and_listed(ground: Ground) -> None:
    ground.docker(exporting(ground))
    found = ground.run(BINARIES, stages=("binaries",), platform=("linux/amd64",))
    assert (found.record.outcome, found.record.problems) == ("passed", ())
    [binary] = found.record.binaries
    assert (binary.platform, binary.sbom) == ("linux/amd64", None)
    assert {binary.path, binary.archive} <= {
        path.relative_to(ground.staging.report).as_posix() for path in ground.staging.report.rglob("*")
    }


def test_a_platform_for_which_nothing_was_exported_makes_the_run_red(ground: Ground) -> None:
    ground.docker(exporting(ground))
    found = ground.run(BINARIES, stages=("binaries",), platform=("linux/amd64", "linux/arm64"))
    assert found.record.exit_code == 5
    assert [problem.reason for problem in found.record.problems] == ["nothing was exported for linux/arm64"]


@pytest.mark.parametrize("syft", [SYFT, "#!/bin/sh\necho 'out of memory' >&2; exit 1\n"])
def test_each_archive_has_an_sbom_or_the_run_is_red(ground: Ground, syft: str) -> None:
    ground.docker(exporting(ground))
    program = ground.folder / "bin" / "syft"
    program.write_text(syft, encoding="utf-8")
    program.chmod(0o755)
    found = ground.run(BINARIES, stages=("binaries",), platform=("linux/amd64",), sbom="true")
    [binary] = found.record.binaries
    if syft == SYFT:
        assert (found.record.exit_code, binary.sbom) == (0, f"{binary.archive}.spdx.json")
        assert (ground.staging.report / str(binary.sbom)).is_file()
    else:
        assert (found.record.exit_code, binary.sbom) == (5, None)
        assert "out of memory" in found.record.problems[0].reason


def test_a_disk_that_is_full_when_binaries_are_put_together_is_told(ground: Ground) -> None:
    ground.docker(exporting(ground))
    (ground.staging.report / "dist").write_text("in the way")
    found = ground.run(BINARIES, stages=("binaries",), platform=("linux/amd64",))
    assert (found.record.exit_code, found.record.problems[0].path) == (5, "dist")


def test_cache_mounts_are_kept_where_that_is_asked_for(ground: Ground) -> None:
    ground.docker(ground.recorded("lint"))
    folder = ground.folder.with_name(f"{ground.folder.name}-kept")
    found = ground.run("FROM alpine AS lint\nRUN echo\n", stages=("lint",), persist_cache_mounts=folder)
    assert found.record.exit_code == 0
    assert found.record.cache_mounts is not None
    assert found.record.cache_mounts.saved == 0
