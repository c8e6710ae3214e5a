"""Words to calls: commands, flags, help, errors as messages with exit codes, and what is imported for that."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ci_buildkit import __version__
from ci_buildkit.cli import flags
from ci_buildkit.cli.main import COMMANDS, main
from ci_buildkit.config.options import Options, flag_of, option_string
from ci_buildkit.errors import CiBuildkitError

DATA = Path(__file__).parents[2] / "data"


@pytest.fixture(autouse=True)
def _inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    for name in list(os.environ):
        if name.startswith(("CI_BUILDKIT_", "GITHUB_", "SOURCE_DATE_EPOCH")):
            monkeypatch.delenv(name)


def python(code: str) -> str:
    """What a fresh interpreter prints."""
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_that_says_what_it_does(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([command, "--help"])
    assert caught.value.code == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"usage: ci-buildkit {command}")
    assert "--debug" in shown
    assert "%(" not in shown


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["--help"], ["-h"], ["help"]):
        assert main(words) == 0
        shown = capsys.readouterr().out
        assert all(f"  {name}" in shown for name in COMMANDS)
    assert main([]) == 2


def test_the_help_of_run_has_every_option_and_its_default(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["run", "--help"])
    shown = " ".join(capsys.readouterr().out.split())
    for name, field in Options.model_fields.items():
        if name != "stages":
            assert f"--{option_string(name)}" in shown
        assert str(field.description).split(";")[0] in shown
    assert "(default: ci-report)" in shown
    assert "--no-push" in shown


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"ci-buildkit {__version__}\n"


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (["rnu"], "there is no command 'rnu'", "did you mean 'run'?"),
        (["zzz"], "there is no command 'zzz'", "commands: run, "),
        (
            ["run", "--platfrom=x"],
            "ci-buildkit run: unrecognized arguments: --platfrom=x",
            "did you mean '--platform'? try:",
        ),
        (["run", "--zzz"], "ci-buildkit run: unrecognized arguments: --zzz", "  try: ci-buildkit run --help"),
        (["run", "--context"], "ci-buildkit run: argument --context: expected one argument", "--help"),
        (["plan", "--format", "xml"], "invalid choice: 'xml'", "ci-buildkit plan --help"),
        (["builder"], "the following arguments are required", "ci-buildkit builder --help"),
        (["results"], "the following arguments are required: PATH", "ci-buildkit results --help"),
        (["run"], "there is neither a Dockerfile nor a bake file in .", "--file"),
        (["run", "--context", "no"], "the context no is not a folder", "--context"),
        (["run", "--report-dir", "."], "holds the build context", "--report-dir"),
        (["run", "--platform", "x"], "--platform: 'x' is not a platform", ""),
    ],
)
def test_wrong_usage_is_one_message_with_the_next_step(
    words: list[str], message: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    seen = capsys.readouterr()
    assert seen.out == ""
    assert seen.err.rpartition("error: ")[2].startswith(message) or message in seen.err
    assert hint in seen.err
    assert "Traceback" not in seen.err


def test_debug_shows_where_an_error_came_from() -> None:
    with pytest.raises(CiBuildkitError):
        main(["run", "--context", "no", "--debug"])


def test_only_what_was_written_is_a_flag() -> None:
    parser = argparse.ArgumentParser()
    flags.add_options(parser)
    assert vars(parser.parse_args([])) in ({}, {"stages": []})
    words = ["lint", "test", "-f", "x", "--platform", "a/b", "--platform", "c/d", "--no-push", "--no-cache"]
    assert vars(parser.parse_args(words)) == {
        "stages": ["lint", "test"],
        "file": "x",
        "platform": ["a/b", "c/d"],
        "push": False,
        "no_cache": True,
    }


def test_flags_become_options(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI_BUILDKIT_PUSH", "true")
    parser = argparse.ArgumentParser()
    flags.add_options(parser)
    settings = flags.settings(parser.parse_args(["lint,test", "--no-push", "--build-arg", "A=1,2"]))
    assert settings.options.stages == ("lint", "test")
    assert settings.options.push is False
    assert settings.options.build_arg == ("A=1,2",)
    assert settings.origins["push"].source == "flag"
    assert settings.origins["platform"].source == "default"


def test_no_two_options_are_written_alike() -> None:
    shorts = [short for name in Options.model_fields if (short := flag_of(name).short)]
    assert len(shorts) == len(set(shorts))


def test_the_version_of_a_checkout_as_text_and_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["version"]) == 0
    assert capsys.readouterr().out == "v0.0.0+unknown\n"
    assert main(["version", "--version", "v2", "--format", "json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["value"], shown["source"], shown["dirty"]) == ("v2", "input", False)


@pytest.mark.parametrize(
    ("words", "heavy"),
    [
        (["--version"], {"argparse", "ci_buildkit.cli.main", "pydantic", "rich", "msgspec", "shtab"}),
        (["version"], {"rich", "jinja2", "python_on_whales", "dockerfile", "yaml"}),
        (["results", "none.xml"], {"pydantic", "rich", "jinja2", "python_on_whales", "dockerfile"}),
        (["publish", "--report-dir", "none"], {"github", "requests", "pydantic", "jinja2", "rich"}),
        (
            ["run", "--context", "none"],
            {"rich", "jinja2", "python_on_whales", "dockerfile", "junit_xml", "yaml", "shtab"},
        ),
    ],
)
def test_a_command_imports_only_what_it_needs(words: list[str], heavy: set[str]) -> None:
    """Start-up time is a feature; a list of modules is the same on every machine, seconds are not."""
    code = f"import sys; sys.argv[1:] = {words!r}\nfrom ci_buildkit.__main__ import main\nmain()\nprint(*sys.modules)"
    loaded = set(python(code).split())
    assert loaded & heavy == set()


@pytest.mark.parametrize(
    ("words", "needed", "others"),
    [
        (["results", str(DATA / "junit" / "pytest-xunit1.xml")], {"results.junit"}, {"results.nunit", "results.tap"}),
        (["findings", str(DATA / "findings" / "sarif" / "ruff.sarif")], {"findings.sarif_reader"}, {"findings.ruff"}),
    ],
)
def test_readers_of_other_formats_are_not_imported(words: list[str], needed: set[str], others: set[str]) -> None:
    code = f"import sys\nfrom ci_buildkit.cli.main import main\nmain({words!r})\nprint(*sys.modules)"
    loaded = {name.removeprefix("ci_buildkit.") for name in python(code).split()}
    assert needed <= loaded
    assert not loaded & (others | {"results.gotest", "results.jest", "findings.arrow", "findings.checkstyle"})


@pytest.mark.parametrize(
    ("kinds", "needed"),
    [
        ({"image"}, set()),
        ({"lint", "image"}, {"findings.read"}),
        ({"test"}, {"results.read", "results.junit"}),
    ],
)
def test_a_run_imports_only_the_readers_of_its_stages(kinds: set[str], needed: set[str]) -> None:
    code = f"import sys\nfrom ci_buildkit.cli import run\nrun._load_reports({kinds!r})\nprint(*sys.modules)"
    loaded = {name.removeprefix("ci_buildkit.") for name in python(code).split()}
    assert needed <= loaded
    every = {"findings.read", "findings.textline", "findings.ruff", "results.read", "results.junit", "results.tap"}
    assert not loaded & (every - needed)


def test_a_log_without_a_line_and_an_exit_code_need_no_reader(tmp_path: Path) -> None:
    (tmp_path / "exit-code").write_text("0\n")
    (tmp_path / "junit.xml").write_text("<testsuite><testcase name='a'/></testsuite>")
    code = f"""
import sys
from ci_buildkit.findings import read as findings
from ci_buildkit.results import read as results
assert not results.read_log([], name="log").cases and not findings.read_log(iter([]), name="log").findings
assert results.read_paths([{str(tmp_path)!r}]).totals.passed == 1
print(*sys.modules)
"""
    loaded = set(python(code).split())
    readers = {"findings.textline", "findings.ruff", "results.gotest", "results.gotext", "results.tap", "results.jest"}
    assert not loaded & {f"ci_buildkit.{name}" for name in readers}


def test_a_run_without_policies_imports_nothing_of_their_files() -> None:
    loaded = set(python("import sys\nimport ci_buildkit.pipeline.run\nprint(*sys.modules)").split())
    assert not loaded & {"ci_buildkit.findings.baseline", "ci_buildkit.findings.pattern", "regex", "yaml"}


def test_what_ends_a_run_is_not_imported_before_its_stages() -> None:
    code = "import sys\nimport ci_buildkit.pipeline.prepare\nimport ci_buildkit.pipeline.run\nprint(*sys.modules)"
    own = {"pipeline.binaries", "pipeline.release", "engine.registry", "plan.mounts", "checkout.inputs", "tags.context"}
    assert not {f"ci_buildkit.{name}" for name in own} & set(python(code).split())


def test_nothing_runs_and_nothing_is_read_on_import() -> None:
    code = """
import os, sys, subprocess
def refuse(*_, **__): raise AssertionError("a process on import")
subprocess.Popen.__init__ = refuse
import pkgutil, importlib, ci_buildkit
names = [m.name for m in pkgutil.walk_packages(ci_buildkit.__path__, "ci_buildkit.") if not m.name.endswith("__main__")]
for name in names: importlib.import_module(name)
print(len(names))
"""
    assert int(python(code)) > 50


def test_a_reader_that_leaves_is_no_error() -> None:
    command = f"{sys.executable} -m ci_buildkit --help | true"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
    assert done.stderr == ""


@pytest.mark.parametrize("form", ["json", "text"])
def test_a_reader_that_leaves_does_not_turn_a_failure_into_a_success(form: str) -> None:
    cases = "".join(f'<testcase name="t{number}"><failure>no</failure></testcase>' for number in range(2000))
    Path("x.xml").write_text(f'<testsuite name="s">{cases}</testsuite>', encoding="utf-8")
    read, write = os.pipe()
    os.close(read)
    try:
        words = [sys.executable, "-m", "ci_buildkit", "results", "x.xml", "--format", form]
        done = subprocess.run(words, stdout=write, stderr=subprocess.PIPE, text=True, check=False)
    finally:
        os.close(write)
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.parametrize("words", [["config"], ["config", "--format", "json"], ["--help"]])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_disk_is_one_message(words: list[str], unbuffered: str) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run(
            [sys.executable, "-m", "ci_buildkit", *words], stdout=full, stderr=subprocess.PIPE, text=True, check=False,
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (4, "error: no space left on device\n")


def test_a_closed_output_is_no_trouble() -> None:
    command = f"{sys.executable} -m ci_buildkit config --format json >&-"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
