"""What the runner reads: commands, outputs, summary, environment. Read back with the runner's own rules."""

from __future__ import annotations

import io
import re
import uuid
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ci_buildkit.errors import ConfigurationError
from ci_buildkit.github import runner
from ci_buildkit.github.runner import GitHub

TEXT = st.text(alphabet=st.sampled_from("%0ADd:,=\r\n ;#[]ab"), max_size=30)


def parse(line: str) -> tuple[str, dict[str, str], str]:
    """A command as actions/runner's ActionCommand.TryParseV2 reads it."""
    line = line.lstrip()
    assert line.startswith("::")
    end = line.index("::", 2)
    name, _, pairs = line[2:end].partition(" ")
    properties = {}
    for pair in filter(None, (one.strip() for one in pairs.split(","))):
        key, _, value = pair.partition("=")
        properties[key] = _unescape(value, ":,")
    return name, properties, _unescape(line[end + 2 :], "")


def _unescape(text: str, more: str) -> str:
    for char in f"{more}\r\n":
        text = text.replace(f"%{ord(char):02X}", char)
    return text.replace("%25", "%")


@settings(deadline=None)
@given(TEXT, TEXT)
def test_commands_are_read_back_whole(message: str, value: str) -> None:
    line = runner.command("error", message, {"file": "a" + value + "z", "line": 3, "col": None})
    assert "\n" not in line
    assert "\r" not in line
    assert parse(line) == ("error", {"file": "a" + value + "z", "line": "3"}, message)


def test_escapes_as_the_toolkit_does() -> None:
    assert runner.escape_data("100%\r\n:,") == "100%25%0D%0A:,"
    assert runner.escape_property("100%\r\n:,") == "100%25%0D%0A%3A%2C"
    assert runner.command("endgroup") == "::endgroup::"
    assert runner.endgroup() == "::endgroup::"
    assert runner.group("lint \x1b[31m::x") == "::group::lint ::x"
    assert (
        runner.command("error", "no", {"file": "a:b,c", "line": 3, "col": None}) == "::error file=a%3Ab%2Cc,line=3::no"
    )
    assert runner.command("error", properties={"line": 0}) == "::error line=0::"
    assert runner.command("error", "no", {"col": None}) == "::error::no"


def test_masks_every_line_of_a_secret() -> None:
    assert runner.add_mask("one") == ["::add-mask::one"]
    assert runner.add_mask("one\ntwo\n") == ["::add-mask::one%0Atwo%0A", "::add-mask::one", "::add-mask::two"]
    assert runner.add_mask("one\n \none\r\ntwo")[1:] == ["::add-mask::one", "::add-mask::two"]
    assert runner.add_mask(" ") == runner.add_mask("\n") == []


def test_untrusted_text_is_between_random_tokens() -> None:
    stream = io.StringIO()
    runner.say_untrusted(stream, "a\n::error::x\r::set-output name=a::b\n")
    runner.say_untrusted(stream, "b")
    lines = stream.getvalue().splitlines()
    tokens = re.findall(r"::stop-commands::([0-9a-f]{32})", stream.getvalue())
    assert len(set(tokens)) == 2
    assert lines == [
        f"::stop-commands::{tokens[0]}", "a", "::error::x", "::set-output name=a::b", f"::{tokens[0]}::",
        f"::stop-commands::{tokens[1]}", "b", f"::{tokens[1]}::",
    ]  # fmt: skip


def test_commands_resume_after_an_exception() -> None:
    stream = io.StringIO()
    with pytest.raises(RuntimeError), runner.stop_commands(stream):
        raise RuntimeError
    first, last = stream.getvalue().splitlines()
    assert last == f"::{first.removeprefix('::stop-commands::')}::"


def test_what_is_said_keeps_its_empty_lines_and_no_terminal_control() -> None:
    stream = io.StringIO()
    runner.say_untrusted(stream, "\n\x1b[31mred\x1b[0m\n\n  endX \n\n")
    assert stream.getvalue().splitlines()[1:-1] == ["", "red", "", "  endX "]


class TestFiles:
    def test_outputs_are_heredocs(self, tmp_path: Path) -> None:
        file = tmp_path / "output"
        file.write_text("other=1")
        github = GitHub(output_path=file)
        github.set_output("outcome", "passed")
        github.set_output("totals", "a\nb=c\n<<EOF 名前\udc80")
        lines = file.read_bytes().decode().split("\n")
        delimiters = [line.partition("<<")[2] for line in lines if re.match(r"\w+<<ghadelimiter_", line)]
        assert len(set(delimiters)) == 2
        one, two = delimiters
        assert lines == [
            "other=1", f"outcome<<{one}", "passed", one, f"totals<<{two}", "a", "b=c", "<<EOF 名前?", two, "",
        ]  # fmt: skip

    def test_a_value_with_the_delimiter_is_refused(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        file = tmp_path / "output"
        file.touch()
        fixed = uuid.UUID(int=1)
        monkeypatch.setattr(uuid, "uuid4", lambda: fixed)
        with pytest.raises(ConfigurationError) as caught:
            GitHub(output_path=file).set_output("a", f"x\nghadelimiter_{fixed}\nb=evil")
        assert caught.value.message == (
            f"the value of output a contains the delimiter ghadelimiter_{fixed}, so the runner would cut it there"
        )
        assert caught.value.hint == "set the output again: the delimiter is random"
        assert file.read_text() == ""

    @pytest.mark.parametrize("name", ["", "a=b", "a<<b", "a\nb", "a b", "1a", "a\n"])
    def test_a_name_that_would_be_misread_is_refused(self, name: str, tmp_path: Path) -> None:
        with pytest.raises(ConfigurationError) as caught:
            GitHub(output_path=tmp_path / "x").set_output(name, "v")
        assert caught.value.message == f"{name!r} cannot be the name of a step output"
        assert caught.value.hint == "use letters, digits, - and _"

    @pytest.mark.parametrize("name", ["a", "_A-z_9", "Z"])
    def test_names_of_outputs(self, name: str, tmp_path: Path) -> None:
        (tmp_path / "output").touch()
        GitHub(output_path=tmp_path / "output").set_output(name, "v")
        assert (tmp_path / "output").read_text().startswith(f"{name}<<ghadelimiter_")

    def test_a_missing_file_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigurationError) as caught:
            GitHub().set_output("a", "b")
        assert caught.value.message == "GITHUB_OUTPUT is not set"
        assert caught.value.hint == "GitHub's runner sets it; outside of a workflow there is nothing to write"
        with pytest.raises(ConfigurationError) as caught:
            GitHub(summary_path=tmp_path / "none").append_summary("x")
        assert caught.value.message == f"GITHUB_STEP_SUMMARY names no file: {tmp_path / 'none'}"
        assert caught.value.hint == "unset GITHUB_STEP_SUMMARY or create the file"
        with pytest.raises(ConfigurationError, match="GITHUB_STEP_SUMMARY is not set"):
            GitHub(output_path=tmp_path / "none").append_summary("x")
        with pytest.raises(ConfigurationError, match="GITHUB_OUTPUT names no file"):
            GitHub(output_path=tmp_path).set_output("a", "b")

    @pytest.mark.parametrize("variable", ["GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"])
    def test_a_file_that_cannot_be_written_is_told(self, variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
        # The kernel's own device that is always full; it is no regular file, which the runner's are.
        full = Path("/dev/full")
        monkeypatch.setattr(Path, "is_file", lambda path: path == full)
        github = GitHub(output_path=full, summary_path=full)
        write = partial(github.set_output, "a") if variable == "GITHUB_OUTPUT" else github.append_summary
        with pytest.raises(ConfigurationError) as caught:
            write("text")
        assert caught.value.message == f"the file of {variable} cannot be written: /dev/full: No space left on device"
        assert caught.value.hint == f"check that {variable} is the path the runner gave to this step"

    def test_summary_is_appended(self, tmp_path: Path) -> None:
        file = tmp_path / "summary"
        file.write_text("before")
        assert GitHub(summary_path=file).append_summary("## ✅ after")
        assert file.read_text() == "before\n## ✅ after\n"
        assert GitHub(summary_path=file).append_summary("bad \udc80\n")
        assert file.read_text() == "before\n## ✅ after\nbad ?\n"

    def test_a_line_end_is_put_before_only_where_it_lacks(self, tmp_path: Path) -> None:
        file = tmp_path / "summary"
        for there in ("", "\n", "a\n"):
            file.write_text(there)
            assert GitHub(summary_path=file).append_summary("b\n")
            assert file.read_text() == f"{there}b\n"

    @pytest.mark.parametrize(("more", "fits"), [(0, True), (1, False)])
    def test_one_mebibyte_fits_and_a_byte_more_does_not(self, more: int, fits: bool, tmp_path: Path) -> None:
        """`é` is two bytes: it is these that the runner counts."""
        file = tmp_path / "summary"
        file.write_text("x" * (runner.SUMMARY_BYTES // 2))
        text = "é" * ((runner.SUMMARY_BYTES // 2 - 2) // 2) + "y" * more
        assert GitHub(summary_path=file).append_summary(text) is fits
        assert file.stat().st_size <= runner.SUMMARY_BYTES
        last = file.read_text().splitlines()[-1]
        assert last == (text if fits else "_The rest of this summary is in the report: a step's summary holds 1 MiB._")

    def test_the_notice_about_the_rest_is_left_out_where_it_does_not_fit_either(self, tmp_path: Path) -> None:
        notice = "\n_The rest of this summary is in the report: a step's summary holds 1 MiB._\n"
        for room, there in ((len(notice) + 1, True), (len(notice), False)):
            file = tmp_path / "summary"
            file.write_text("x" * (runner.SUMMARY_BYTES - room - 1) + "\n")
            assert GitHub(summary_path=file).append_summary("y" * 1000) is False
            assert file.read_text().endswith(f"x\n{notice if there else ''}")

    def test_a_summary_too_large_leaves_what_is_there(self, tmp_path: Path) -> None:
        file = tmp_path / "summary"
        file.write_text("x" * (runner.SUMMARY_BYTES - 500) + "\n")
        github = GitHub(summary_path=file)
        assert not github.append_summary("y" * 600)
        assert "rest of this summary is in the report" in file.read_text()
        for _ in range(20):
            assert not github.append_summary("y" * 600)
        assert file.stat().st_size <= runner.SUMMARY_BYTES


class TestEnvironment:
    def test_outside(self) -> None:
        assert GitHub.from_environ({}) == GitHub()
        assert GitHub().run_url == ""

    def test_on_github(self) -> None:
        github = GitHub.from_environ(
            {
                "GITHUB_ACTIONS": "true", "GITHUB_OUTPUT": "/o", "GITHUB_STEP_SUMMARY": "/s", "GITHUB_WORKSPACE": "/w",
                "GITHUB_REPOSITORY": "org/app", "GITHUB_SHA": "abc", "GITHUB_REF": "refs/tags/v1", "GITHUB_EVENT_NAME": "push",
                "GITHUB_EVENT_PATH": "/e", "GITHUB_SERVER_URL": "https://github.example", "RUNNER_DEBUG": "1",
                "GITHUB_API_URL": "https://api.github.example", "GITHUB_RUN_ID": "7", "GITHUB_RUN_ATTEMPT": "2",
                "GITHUB_TOKEN": " t\n",
            }
        )  # fmt: skip
        assert github == GitHub(
            is_github=True, is_act=False, output_path=Path("/o"), summary_path=Path("/s"), workspace=Path("/w"),
            repository="org/app", sha="abc", ref="refs/tags/v1", event_name="push", event_path=Path("/e"),
            server_url="https://github.example", api_url="https://api.github.example", run_id="7", run_attempt="2",
            debug=True, token="t",
        )  # fmt: skip
        assert github.run_url == "https://github.example/org/app/actions/runs/7/attempts/2"
        assert replace(github, run_attempt="").run_url == "https://github.example/org/app/actions/runs/7"
        for unknown in ("server_url", "repository", "run_id"):
            assert replace(github, **{unknown: ""}).run_url == "", unknown  # type: ignore[arg-type]

    def test_other_values_of_switches_and_empty_paths_are_as_if_not_set(self) -> None:
        env = {"GITHUB_ACTIONS": "false", "ACT": "1", "RUNNER_DEBUG": "0", "GITHUB_OUTPUT": "", "GITHUB_EVENT_PATH": ""}
        assert GitHub.from_environ(env) == GitHub()

    def test_under_act_there_is_no_page(self) -> None:
        env = {
            "GITHUB_ACTIONS": "true",
            "ACT": "true",
            "GITHUB_SERVER_URL": "https://x",
            "GITHUB_REPOSITORY": "a/b",
            "GITHUB_RUN_ID": "1",
        }
        github = GitHub.from_environ(env)
        assert github.is_act
        assert github.run_url == ""

    def test_reads_this_process_by_default(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("GITHUB_REPOSITORY", "org/here")
        assert GitHub.from_environ().repository == "org/here"
