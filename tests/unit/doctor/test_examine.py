"""A whole folder, and one file."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.repositories import git

from ci_buildkit.doctor.examine import Report, examine
from ci_buildkit.errors import ConfigurationError

DATE = "2024-05-06T07:08:09Z"
ORPHAN = "FROM alpine:3.22 AS leftover\nRUN x\nFROM alpine:3.22 AS last\nCOPY data /\n"


def write(root: Path, files: dict[str, str]) -> None:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")


def look(path: Path) -> Report:
    return examine(path, {}, environment=False)


def rules(path: Path) -> list[str]:
    return [f"{one.path}:{one.line or ''} {one.rule}" for one in look(path).problems]


def test_nothing_there_is_nothing_wrong(folder: Path) -> None:
    report = look(folder)
    assert (report.dockerfiles, report.bake_files, report.workflows, report.problems) == (0, 0, 0, [])


def test_a_path_that_does_not_exist_is_wrong_usage(folder: Path) -> None:
    with pytest.raises(ConfigurationError, match="there is no file or folder"):
        look(folder / "nowhere")


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("Makefile", "image:\n\tdocker build --target leftover .\n"), (".github/workflows/ci.yml", "jobs: {a: {steps: [{with: {target: leftover}}]}}\n"),
        ("compose.yaml", "services: {a: {build: {target: leftover}}}\n"), ("build.sh", "STAGE=leftover\n"), ("README.md", "`--target leftover`\n"),
        ("docker-bake.hcl", 'target "a" { target = "leftover" }\n'), ("docker-bake.json", '{"target": {"a": {"target": "LEFTOVER"}}}\n'),
        ("test_it.py", 'build(target="leftover")\n'), ("ci-buildkit.yml", "lint-target: leftover\n"),
    ],
)  # fmt: skip
def test_a_stage_that_another_file_names_is_used(folder: Path, path: str, text: str) -> None:
    write(folder, {"Dockerfile": ORPHAN})
    assert rules(folder) == ["Dockerfile:1 unused-stage"]
    write(folder, {path: text})
    assert "Dockerfile:1 unused-stage" not in rules(folder)


def test_prose_that_only_has_the_word_does_not_use_it(folder: Path) -> None:
    write(folder, {"Dockerfile": ORPHAN, "README.md": "The leftover is small.\n"})
    assert rules(folder) == ["Dockerfile:1 unused-stage"]


def test_the_context_is_found_by_what_is_copied(folder: Path) -> None:
    text = "FROM alpine:3.22\nCOPY go.mod /\nCOPY . /src\n"
    write(folder, {"build/Dockerfile": text, "go.mod": "", ".dockerignore": ""})
    assert rules(folder) == [".dockerignore: report-not-ignored"]
    write(folder, {".dockerignore": "ci-report\n"})
    assert rules(folder) == []
    # In its own folder there is no report.
    write(folder, {".dockerignore": "", "build/go.mod": ""})
    assert rules(folder) == []


def test_the_context_is_what_a_bake_file_says(folder: Path) -> None:
    bake = 'target "a" {\n  context = ".."\n  dockerfile = "build/Dockerfile"\n}\n'
    write(folder, {"build/Dockerfile": "FROM alpine:3.22\nCOPY . /src\n", "build/docker-bake.hcl": bake})
    assert rules(folder) == [".dockerignore: report-not-ignored"]


def test_a_dockerfiles_own_ignore_file_wins(folder: Path) -> None:
    write(
        folder,
        {
            "app.Dockerfile": "FROM alpine:3.22\nCOPY . /src\n",
            ".dockerignore": "ci-report\n",
            "app.Dockerfile.dockerignore": "x\n",
        },
    )
    (one,) = look(folder).problems
    assert (one.path, one.fix) == ("app.Dockerfile.dockerignore", "ci-report/")


def test_the_report_folder_is_the_one_of_the_settings(folder: Path) -> None:
    write(folder, {"Dockerfile": "FROM alpine:3.22\nCOPY . /src\n", "ci-buildkit.yml": "report-dir: out/report\n"})
    assert [one.fix for one in look(folder).problems] == ["out/report/"]
    report = examine(folder, {"CI_BUILDKIT_REPORT_DIR": "/somewhere/else"}, environment=False)
    assert report.problems == []


def test_two_dockerfiles_that_need_the_same_line_say_so_once(folder: Path) -> None:
    write(folder, {"Dockerfile": "FROM alpine:3.22\nCOPY . /src\n", "b.Dockerfile": "FROM alpine:3.22\nCOPY . /src\n"})
    assert rules(folder) == [".dockerignore: report-not-ignored"]


def test_git_is_asked_whether_it_ignores_the_report(folder: Path) -> None:
    git(folder, "init", "-q", date=DATE)
    write(folder, {"Dockerfile": "FROM alpine:3.22\n"})
    (one,) = look(folder).problems
    assert (one.path, one.rule, one.fix, one.safe) == (".gitignore", "report-in-git", "/ci-report/", True)
    write(folder, {".gitignore": "ci-report\n"})
    assert look(folder).problems == []


def test_git_in_the_context_of_a_copy(folder: Path) -> None:
    git(folder, "init", "-q", date=DATE)
    write(
        folder,
        {"Dockerfile": "FROM alpine:3.22\nCOPY . .\n", ".dockerignore": "ci-report\n", ".gitignore": "ci-report\n"},
    )
    assert rules(folder) == [".dockerignore: git-not-ignored"]


def test_settings_that_cannot_be_read_are_told_and_the_rest_is_looked_at(folder: Path) -> None:
    write(
        folder, {"Dockerfile": "FROM alpine:3.22\nRNU x\n", "ci-buildkit.yml": "platform: [linux/amd64]\nplatfrom: x\n"}
    )
    first, second = look(folder).problems
    assert (first.path, first.rule) == ("Dockerfile", "unknown-instruction")
    assert (second.path, second.line, second.rule, second.severity) == ("ci-buildkit.yml", 2, "wrong-setting", "error")
    assert "platfrom" in second.message


def test_files_that_are_called_like_dockerfiles_and_are_none(folder: Path) -> None:
    write(
        folder,
        {
            "Dockerfile.notes": "nothing to see\n",
            "Dockerfile.gen": "FROM {{ .Image }}\n",
            "a/bake.json": '{"cake": 1}\n',
        },
    )
    report = look(folder)
    assert (report.dockerfiles, report.bake_files, report.problems) == (0, 0, [])


def test_a_dockerfile_that_only_a_bake_file_names_is_looked_at(folder: Path) -> None:
    write(folder, {"docker-bake.hcl": 'target "a" { dockerfile = "recipe" }\n', "recipe": "FROM golagn:1\n"})
    assert rules(folder) == ["recipe:1 unknown-image"]


def test_bake_files_of_a_folder_know_each_other(folder: Path) -> None:
    group = 'group "default" { targets = ["tests"] }\n'
    write(
        folder,
        {"docker-bake.hcl": group, "docker-bake.override.hcl": 'target "tests" {}\n', "Dockerfile": "FROM a:1\n"},
    )
    assert rules(folder) == []


@pytest.mark.parametrize("name", ["Dockerfile", "anything", "sub/Dockerfile"])
def test_one_file_alone(folder: Path, name: str) -> None:
    write(
        folder, {name: "FROM alpine:3.22\nRNU x\n", "other.Dockerfile": "FROM golagn:1\n", "ci-buildkit.yml": "x: y\n"}
    )
    report = look(Path(name))
    assert [(one.path, one.rule) for one in report.problems] == [(name, "unknown-instruction")]
    assert (report.dockerfiles, report.bake_files) == (1, 0)


def test_one_file_elsewhere_is_told_by_its_name(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    write(elsewhere, {"Dockerfile": "FROM golagn:1\n"})
    assert rules(elsewhere / "Dockerfile") == ["Dockerfile:1 unknown-image"]


def test_one_bake_file_alone(folder: Path) -> None:
    write(folder, {"Dockerfile": "FROM golagn:1 AS test\n", "docker-bake.hcl": 'target "a" { target = "tset" }\n'})
    report = look(Path("docker-bake.hcl"))
    assert [(one.path, one.rule) for one in report.problems] == [("docker-bake.hcl", "unknown-stage")]
    assert (report.dockerfiles, report.bake_files) == (0, 1)


def test_a_file_that_is_no_text_is_told(folder: Path) -> None:
    (folder / "Dockerfile").write_bytes(b"FROM a\0")
    assert rules(folder) == ["Dockerfile: unreadable"]


def test_a_misspelt_stage_is_used_as_it_was_meant(folder: Path) -> None:
    """One slip makes one diagnosis: neither the stage is unused nor the image unknown because of it."""
    text = "FROM alpine:3.22 AS base\nRUN x\nFROM bas AS tools\nRUN y\nFROM alpine:3.22\nCOPY --from=tolos /a /b\n"
    write(folder, {"Dockerfile": text})
    assert rules(folder) == ["Dockerfile:3 unknown-stage", "Dockerfile:6 unknown-stage"]
