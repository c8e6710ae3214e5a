"""Build files of every shape that docker takes: what they build is built, whatever it is called and wherever it lies."""

from __future__ import annotations

from pathlib import Path

from tests.e2e import support

BAKE = r"""
variable "MARK" { default = "dev" }
group "default" { targets = ["app", "checks"] }
group "checks" { targets = ["lint", "test"] }
target "_common" { context = "ctx" }
target "lint" {
  inherits = ["_common"]
  name     = "lint-${what}"
  matrix   = { what = ["a", "b"] }
  target   = "lint"
  args     = { WHAT = what }
}
target "test" {
  inherits = ["_common"]
  target   = "check"
  args     = { WHAT = "it's \"quoted\", $HOME ${MARK}" }
}
target "binaries" {
  inherits  = ["_common"]
  target    = "files"
  output    = ["type=local,dest=./dist"]
  platforms = ["linux/amd64", "linux/arm64"]
}
target "deps" { dockerfile-inline = "FROM alpine\nRUN echo deps > /deps" }
target "app" {
  inherits = ["_common"]
  target   = "app"
  contexts = { deps = "target:deps" }
  tags     = ["example.com/app:${MARK}"]
}
"""
OF_BAKE = """\
FROM alpine AS lint
ARG WHAT
RUN echo "lint $WHAT"
FROM alpine AS check
ARG WHAT
RUN echo "=== RUN   TestWhat"; echo "    what_test.go:1: $WHAT"; echo "--- PASS: TestWhat (0.00s)"; echo PASS
FROM scratch AS files
COPY --from=lint /etc/alpine-release /
FROM deps AS app
RUN grep deps /deps
CMD ["x"]
"""


def test_a_last_stage_without_a_name(project: Path, environment: dict[str, str], builder: str) -> None:
    (project / "Dockerfile").write_text("FROM alpine AS base\nRUN echo base\nFROM base\nRUN echo last\n")
    run = support.run(project, environment, "--builder", builder, "--platform", "linux/amd64,linux/arm64")
    assert run.code == 0, run.output
    (image,) = run.record["images"]
    assert image["digest"].startswith("sha256:")
    assert image["platforms"] == ["linux/amd64", "linux/arm64"]


def test_names_with_dots_and_capitals(project: Path, environment: dict[str, str], builder: str) -> None:
    (project / "Dockerfile").write_text('FROM alpine AS Lint.Shell\nRUN echo l\nFROM alpine AS My.App\nCMD ["x"]\n')
    run = support.run(project, environment, "--builder", builder, "--lint-target", "Lint.Shell")
    assert run.code == 0, run.output
    assert [(s["name"], s["kind"], s["target"]) for s in run.record["stages"]] == [
        ("lint_shell", "lint", "lint.shell"),
        ("my_app", "image", "my.app"),
    ]


def test_paths_with_spaces_and_a_dockerfile_elsewhere(
    tmp_path: Path, environment: dict[str, str], builder: str
) -> None:
    project = tmp_path / "it's a größe & more"
    (project / "ci files").mkdir(parents=True)
    file = project / "ci files" / "my Dockerfile"
    file.write_bytes(b"FROM alpine AS test\r\nWORKDIR /w\r\nCOPY a.xml .\r\nRUN cat a.xml > junit.xml\r\n")
    (project / "a.xml").write_text('<testsuite name="s"><testcase name="c"/></testsuite>')
    run = support.run(project, environment, "--builder", builder, "--file", "ci files/my Dockerfile")
    assert run.code == 0, run.output
    assert run.record["tests"]["totals"]["passed"] == 1
    context = ["--context", str(project), "--file", str(file)]
    run = support.run(tmp_path, environment, "--builder", builder, *context, report="elsewhere")
    assert run.code == 0, run.output


def test_a_bake_file_with_groups_a_matrix_and_linked_contexts(
    project: Path, environment: dict[str, str], builder: str
) -> None:
    (project / "ctx").mkdir()
    (project / "docker-bake.hcl").write_text(BAKE)
    (project / "ctx" / "Dockerfile").write_text(OF_BAKE)
    run = support.run(project, {**environment, "MARK": "edge"}, "--builder", builder)
    assert run.code == 0, run.output
    assert sorted((s["name"], s["kind"]) for s in run.record["stages"]) == [
        ("app", "image"),
        ("binaries", "binaries"),
        ("lint-a", "lint"),
        ("lint-b", "lint"),
        ("test", "test"),
    ]
    assert 'it\'s "quoted", $HOME edge' in run.log("test")
    assert [(i["name"], i["tags"]) for i in run.record["images"]] == [("example.com/app", ["edge"])]
    assert {b["platform"] for b in run.record["binaries"]} == {"linux/amd64", "linux/arm64"}
    assert not (project / "dist").exists(), "what the bake file would write goes into the report instead"
