"""`ci-buildkit results` as other programs call it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ci_buildkit.cli import results
from ci_buildkit.cli.main import main
from ci_buildkit.results import read
from ci_buildkit.results.model import TestReport

GREEN = '<testsuite name="s"><testcase classname="k" name="c" time="0.5"/></testsuite>'
RED = (
    '<testsuite name="s"><testcase classname="k" name="c&#10;::error::x"><failure message="##[error]|&lt;b&gt;@you">'
    "/src/a.py:3: no</failure></testcase></testsuite>"
)


@pytest.fixture(autouse=True)
def _inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("green.xml").write_text(GREEN)
    Path("red.xml").write_text(RED)
    Path("a.py").write_text("")


@pytest.mark.parametrize(
    ("paths", "code"),
    [
        (["green.xml"], 0),
        (["red.xml"], 1),
        (["green.xml", "red.xml"], 1),
        (["gone.xml"], 5),
        (["red.xml", "gone.xml"], 5),
    ],
)
@pytest.mark.parametrize("form", ["text", "json", "markdown"])
def test_exit_codes(paths: list[str], code: int, form: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["results", *paths, "--format", form]) == code
    assert capsys.readouterr().out


def test_json_has_exactly_the_keys_of_the_contract(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main(["results", "red.xml", "gone.xml", "--format", "json"]) == 5
    out = capsysbinary.readouterr().out
    assert b"##[" not in out
    document = json.loads(out)
    assert list(document) == ["totals", "problems", "cases"]
    assert document["totals"] == {
        "files": 1, "suites": 1, "tests": 1, "passed": 0, "failed": 1, "errors": 0, "skipped": 0, "flaky": 0, "seconds": 0.0,
    }  # fmt: skip
    assert document["problems"] == [{"path": "gone.xml", "kind": "missing", "reason": "no such file or folder"}]
    assert document["cases"] == [
        {
            "file": "red.xml", "format": "junit", "suite": "s", "class_name": "k", "name": "c ::error::x", "outcome": "failed",
            "seconds": 0.0, "message": "##[error]|<b>@you", "path": "a.py", "line": 3, "attempts": 1,
        }
    ]  # fmt: skip


def test_text_is_aligned_and_no_command_to_anybody(capsys: pytest.CaptureFixture[str]) -> None:
    main(["results", "red.xml", "gone.xml"])
    out = capsys.readouterr().out
    assert out.splitlines()[0].startswith("failed   a.py:3    k: c ::error::x")
    assert out.splitlines()[1].startswith("problem  gone.xml  ")
    assert out.splitlines()[-1] == "1 test in 1 suite: 0 passed, 1 failed, 0 s"
    assert "##[" not in out
    assert "\x1b" not in out
    assert "\x1b[31m" in results.text(results_of("red.xml"), colour=True)


def results_of(*paths: str) -> TestReport:
    return read.read_paths(paths)


def test_markdown_shows_what_tests_print_and_does_nothing_else() -> None:
    out = results.markdown(results_of("red.xml", "gone.xml"))
    assert "<b>" not in out
    assert "@you" not in out
    assert "| failed |" in out
    assert "gone.xml" in out


def test_junit_is_written_also_when_tests_failed(tmp_path: Path) -> None:
    assert main(["results", "red.xml", "green.xml", "--junit", "out/all.xml"]) == 1
    assert results_of("out/all.xml").totals.tests == 2
    assert main(["results", "green.xml", "--junit", "green.xml/all.xml"]) == 5


def test_a_path_map_is_applied_or_refused(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    main(["results", "red.xml", "--format", "json", "--path-map", "/src=lib"])
    assert json.loads(capsysbinary.readouterr().out)["cases"][0]["path"] == "lib/a.py"
    assert main(["results", "red.xml", "--path-map", "x"]) == 2


def test_help_imports_no_reader() -> None:
    code = (
        "import sys; from ci_buildkit.cli import results, findings; "
        "bad = {'orjson', 'junit_xml', 'xml.parsers.expat', 'rich'} & set(sys.modules); sys.exit(str(bad) if bad else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_ctrf_is_written_and_read_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = Path(__file__).parents[2] / "data" / "agreement" / "pytest" / "junit.xml"
    target = tmp_path / "ctrf.json"
    assert main(["results", str(source), "--ctrf", str(target)]) == 1
    said = capsys.readouterr().out.splitlines()[-1]
    assert main(["results", str(target)]) == 1
    assert (
        capsys.readouterr().out.splitlines()[-1].split(": ")[1].split(" errors")[0]
        == said.split(": ")[1].split(" errors")[0]
    )
