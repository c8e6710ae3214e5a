"""Which files globs name where there are symbolic links."""

from __future__ import annotations

from pathlib import Path

import pytest

from ci_buildkit.scan import scan

OUT = "is a symbolic link out of the folder and was not followed"


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`out` with a report, a link out of it, one to a folder in it and one to itself."""
    monkeypatch.chdir(tmp_path)
    for file in ("out/runs/1/a.log", "elsewhere/x.log"):
        Path(file).parent.mkdir(parents=True)
        Path(file).write_text("")
    Path("out/away").symlink_to("../elsewhere")
    Path("out/latest").symlink_to("runs/1")
    Path("out/loop").symlink_to(".")


@pytest.mark.parametrize(
    ("pattern", "files", "problems"),
    [
        ("out/**/*.log", ["out/latest/a.log"], [("out/away", OUT)]),
        ("out/**", ["out/latest/a.log"], [("out/away", OUT)]),
        ("out/*/*.log", ["out/latest/a.log"], [("out/away", OUT)]),
        ("out/l[a]*", ["out/latest/a.log"], []),
        ("out/a*", [], [("out/away", OUT)]),
        ("out/away/*", ["out/away/x.log"], []),
        ("elsewhere/*", ["elsewhere/x.log"], []),
    ],
)
def test_a_glob_leads_no_further_than_its_folder(
    pattern: str, files: list[str], problems: list[tuple[str, str]]
) -> None:
    for written in (pattern, str(Path.cwd() / pattern)):
        found = scan([written])
        assert [one.name for one in found.files] == files
        assert [(one.path, one.reason) for one in found.problems] == problems
