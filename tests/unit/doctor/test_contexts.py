"""What a Dockerfile takes out of its context."""

from __future__ import annotations

from typing import Any

import pytest

from ci_buildkit.checkout import ignore

from .conftest import Diagnose

CONTEXT: dict[str, Any] = {
    "report_dir": "ci-report", "ignore_file": ".dockerignore", "files": frozenset({".git", "go.mod", "go.sum", "main.go"})
}  # fmt: skip


@pytest.fixture
def around() -> dict[str, Any]:
    """A context with a repository. `report_dir` is the context's here, not the option."""
    return dict(CONTEXT)


def of(diagnose: Diagnose, text: str, rule: str, **changes: Any) -> list[Any]:
    from ci_buildkit.doctor import examine
    from ci_buildkit.doctor.around import Around

    found, _ = examine.dockerfile("Dockerfile", text, Around(**{**CONTEXT, **changes}))
    return [one for one in found if one.rule == rule]


@pytest.mark.parametrize(
    "line",
    [
        "COPY . .", "COPY ./ /src/", "ADD . /x", "COPY --chown=1 . .", "RUN --mount=type=bind,target=. x", "RUN --mount=target=/src x",
        "COPY / /x", "COPY * /x/", "RUN --mount=type=bind,src=.,dst=/x y",
    ],
)  # fmt: skip
def test_the_report_folder_in_a_whole_context_is_to_be_ignored(diagnose: Diagnose, line: str) -> None:
    (one,) = of(diagnose, f"FROM alpine:3.22\n{line}\n", "report-not-ignored")
    assert (one.path, one.line, one.fix, one.safe, one.severity) == (
        ".dockerignore",
        None,
        "ci-report/",
        True,
        "warning",
    )
    assert "(line 2)" in one.message


@pytest.mark.parametrize(
    ("line", "changes"),
    [
        ("COPY . .", {"report_dir": ""}), ("COPY . .", {"ignore_file": ""}), ("COPY . .", {"ignore": ignore.parse("ci-report\n")}),
        ("COPY . .", {"ignore": ignore.parse("*\n!go.mod\n")}), ("COPY src /src", {}), ("COPY --from=x . .", {}),
        ("RUN --mount=type=bind,source=go.mod,target=go.mod x", {}), ("RUN --mount=type=cache,target=. x", {}),
        ("RUN --mount=type=bind,from=x,target=. y", {}), ("COPY --exclude=ci-report . .", {}),
    ],
)  # fmt: skip
def test_what_is_ignored_or_not_taken_is_left_alone(diagnose: Diagnose, line: str, changes: dict[str, Any]) -> None:
    assert of(diagnose, f"FROM alpine:3.22\n{line}\n", "report-not-ignored", **changes) == []


def test_git_in_a_whole_context_is_told_but_not_written_unasked(diagnose: Diagnose) -> None:
    (one,) = of(diagnose, "FROM alpine:3.22\nCOPY . .\n", "git-not-ignored")
    assert (one.path, one.line, one.fix, one.safe, one.severity) == (".dockerignore", None, ".git", False, "warning")


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        ("COPY . .", {"files": frozenset({"go.mod"})}), ("COPY . .", {"ignore": ignore.parse(".git\n")}), ("RUN --mount=target=. x", {}),
        ("COPY . .\nRUN git describe --tags", {}), ("COPY . .\nRUN pip install .", {"settings": "requires = ['setuptools_scm']"}),
        ("COPY . .\nRUN test -d .git", {}),
    ],
)  # fmt: skip
def test_git_that_is_ignored_or_read_is_left_alone(diagnose: Diagnose, text: str, changes: dict[str, Any]) -> None:
    assert of(diagnose, f"FROM alpine:3.22\n{text}\n", "git-not-ignored", **changes) == []


@pytest.mark.parametrize(
    ("lines", "how"),
    [
        ("COPY . .\nRUN go mod download", "copy go.mod and go.sum first"), ("COPY . .\nRUN npm ci", "copy package.json and package-lock.json"),
        ("COPY . .\nRUN apt-get update && apt-get install -y x", "put it before"), ("ADD ./ /src\nWORKDIR /src\nRUN pip install -r r.txt", "copy requirements"),
    ],
)  # fmt: skip
def test_dependencies_that_any_change_fetches_again(diagnose: Diagnose, lines: str, how: str) -> None:
    (one,) = of(diagnose, f"FROM alpine:3.22\n{lines}\n", "late-dependencies")
    assert (one.line, one.severity) == (2 + lines.count("\n"), "notice")
    assert how in one.message


@pytest.mark.parametrize(
    "lines", ["COPY go.mod .\nRUN go mod download\nCOPY . .", "COPY . .\nRUN go build .", "COPY src .\nRUN npm ci"]
)
def test_dependencies_that_are_fetched_in_time_are_left_alone(diagnose: Diagnose, lines: str) -> None:
    assert of(diagnose, f"FROM alpine:3.22\n{lines}\n", "late-dependencies") == []


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("ADD https://example.com/x.tgz /x", True), ("ADD --checksum=sha256:00 https://example.com/x.tgz /x", False), ("ADD x.tgz /x", False),
        ("ADD https://github.com/org/tool.git#v1 /x", False), ("ADD git@github.com:org/tool.git /x", False),
        ("ADD https://github.com/org/tool /x", False), ("ADD https://github.com/org/tool/releases/download/v1/x /x", True),
        ("COPY https://example.com/x /x", False),
    ],
)  # fmt: skip
def test_a_download_without_a_checksum_is_noticed(diagnose: Diagnose, line: str, told: bool) -> None:
    found = diagnose(f"FROM alpine:3.22\n{line}\n", "unchecked-download")
    assert [one.severity for one in found] == (["notice"] if told else [])
