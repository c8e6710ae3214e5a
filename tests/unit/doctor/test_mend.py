"""Safe fixes written into files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ci_buildkit.doctor.examine import Report, examine
from ci_buildkit.doctor.mend import diff, mend


class Looks:
    """Looks at a folder, and remembers how often docker and the machine would have been asked."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.asked = 0

    def __call__(self, *, asks: bool) -> Report:
        self.asked += asks
        return examine(self.path, {}, environment=False)


def test_a_file_keeps_its_mode_line_ends_and_odd_bytes(folder: Path) -> None:
    file = folder / "Dockerfile"
    file.write_bytes(b'\xef\xbb\xbfFROM golagn:1.26\r\nLABEL a="caf\xe9"\r\nRNU --mout=type=cahe,target=/x y')
    file.chmod(0o640)
    report, changed = mend(Looks(folder))
    assert file.read_bytes() == (
        b'\xef\xbb\xbfFROM golang:1.26\r\nLABEL a="caf\xe9"\r\nRUN --mount=type=cache,target=/x y\r\n'
    )
    assert file.stat().st_mode & 0o777 == 0o640
    assert (report.problems, list(changed)) == ([], ["Dockerfile"])


def test_docker_is_asked_once_at_the_end(folder: Path) -> None:
    (folder / "Dockerfile").write_text("FORM golagn:1.26\n", encoding="utf-8")
    looks = Looks(folder)
    mend(looks)
    assert looks.asked == 1


def test_nothing_to_do_changes_nothing(folder: Path) -> None:
    file = folder / "Dockerfile"
    file.write_text("FROM alpine\n", encoding="utf-8")
    os.utime(file, (1, 1))
    report, changed = mend(Looks(folder))
    assert (changed, file.stat().st_mtime) == ({}, 1)
    assert [one.rule for one in report.problems] == ["floating-image"]


def test_a_file_that_is_missing_is_made(folder: Path) -> None:
    (folder / "Dockerfile").write_text("FROM alpine:3.22\nCOPY . /src\n", encoding="utf-8")
    _, changed = mend(Looks(folder))
    assert (folder / ".dockerignore").read_text(encoding="utf-8") == "ci-report/\n"
    assert list(diff(changed))[:2] == ["--- /dev/null", "+++ .dockerignore"]


def test_a_link_is_followed_and_stays_one_but_never_out_of_the_folder(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "Dockerfile"
    for file in (folder / "real", elsewhere):
        file.write_text("FROM golagn:1\n", encoding="utf-8")
    (folder / "Dockerfile").symlink_to("real")
    (folder / "b.Dockerfile").symlink_to(elsewhere)
    report, _ = mend(Looks(folder))
    assert (folder / "real").read_text(encoding="utf-8") == "FROM golang:1\n"
    assert (folder / "Dockerfile").is_symlink()
    assert elsewhere.read_text(encoding="utf-8") == "FROM golagn:1\n"
    assert [one.path for one in report.problems] == ["b.Dockerfile"]


def test_the_diff_shows_what_changed_and_a_last_line_without_an_end() -> None:
    lines = list(diff({"b": ("x\ny", "x\ny\n"), "a": ("one\r\n", "two\r\n")}))
    assert lines == [
        "--- a", "+++ a", "@@ -1 +1 @@", "-one", "+two",
        "--- b", "+++ b", "@@ -1,2 +1,2 @@", " x", "-y\n\\ No newline at end of file", "+y",
    ]  # fmt: skip
