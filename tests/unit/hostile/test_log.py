"""What is printed: a runner executes nothing of it, and a terminal shows it."""

from __future__ import annotations

import io
import json
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from hypothesis import example, given, settings
from tests.strategies import PAYLOADS, every, hostile
from tests.unit.hostile import readers, records

from ci_buildkit.cli import findings as findings_command
from ci_buildkit.cli import results as results_command
from ci_buildkit.cli.config import yaml_lines
from ci_buildkit.cli.output import aligned, inert_json
from ci_buildkit.config.shown import Setting
from ci_buildkit.config.sources import Origin
from ci_buildkit.github import annotate
from ci_buildkit.github.log import GitHubView
from ci_buildkit.github.runner import GitHub, command, group, say_untrusted
from ci_buildkit.jsontext import dumps
from ci_buildkit.pipeline.view import Snapshot
from ci_buildkit.report import terminal, text
from ci_buildkit.report.terminal import LiveView, PlainView

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ci_buildkit.pipeline.view import View

LOG = [f"#{number} 0.1 {payload}\n{payload}" for number, payload in enumerate(PAYLOADS.values())]


def encodable(raw: str) -> str:
    """A text without what no encoding takes."""
    return raw.encode("utf-8", "replace").decode()


def executed(output: str) -> list[tuple[str, str]]:
    """What the runner executes of a log, after which it still takes commands."""
    runner = readers.Runner()
    found = list(runner.executed(output))
    assert runner.resumed
    return found


def test_the_reader_executes_what_the_payloads_want() -> None:
    wanted = {"command", "command after space", "command after nothing", "command with nothing in it", "old command"}
    wanted |= {"old command with nothing in it"}
    assert {name for name in PAYLOADS if list(readers.Runner().executed(PAYLOADS[name]))} >= wanted
    assert readers.controls(every) >= {"\x1b", "\x9b", "\x00", "\udc80", "\u202e", "\u2066", "\u2028", "\x85"}


@settings(deadline=None, max_examples=150)
@given(hostile)
@example(every)
def test_a_line_does_nothing(raw: str) -> None:
    line = text.inert(raw)
    assert "\n" not in line
    assert executed(line) == []
    assert executed(f"  {line}") == []
    assert readers.controls(line) == set()
    line.encode()
    assert text.inert(line) == line


@settings(deadline=None, max_examples=50)
@given(hostile)
@example(every)
def test_whatever_shortens_a_text_leaves_no_control(raw: str) -> None:
    made = [
        text.plain(raw), text.one_line(raw), text.one_line(raw, 20), text.log_line(raw), text.excerpt(raw, 5, 50),
        text.ends(raw, 40), text.last_lines(raw, 3, 60)[0], text.place(raw, 1, 2),
    ]  # fmt: skip
    for one in made:
        assert readers.controls(one) == set()
        one.encode()


@settings(deadline=None, max_examples=50)
@given(hostile)
@example(every)
def test_json_on_a_terminal_is_the_same_json(raw: str) -> None:
    document = {raw: [raw, {"x": raw}]}
    printed = inert_json(dumps(document, indent=True))
    assert json.loads(printed) == json.loads(dumps(document))
    assert executed(printed.decode()) == []
    assert readers.controls(printed.decode()) == set()


@settings(deadline=None, max_examples=50)
@given(hostile)
@example(every)
def test_settings_as_yaml_are_the_same_settings(raw: str) -> None:
    found = Setting("annotation", [raw, "x"], Origin("file", "ci-buildkit.yml:1"), hidden=False)
    printed = "\n".join(yaml_lines([found], origins=True))
    assert executed(printed) == []
    assert readers.controls(printed) == set()
    assert encodable(raw) != raw or yaml.safe_load(printed) == {"annotation": [raw, "x"]}


@settings(deadline=None, max_examples=50)
@given(hostile)
@example(every)
def test_a_command_says_its_text_and_nothing_else(raw: str) -> None:
    shown = text.plain(raw)
    ((name, rest),) = executed(command("error", shown, {"title": shown, "file": shown}))
    assert name == "error"
    assert readers.weighed(rest) == readers.weighed(shown.replace("%", "%25").replace("\n", "%0A"))
    assert [one for one, _ in executed(group(raw))] == ["group"]


@settings(deadline=None, max_examples=50)
@given(hostile)
@example(every)
def test_untrusted_text_is_no_command(raw: str) -> None:
    stream = io.StringIO()
    say_untrusted(stream, raw)
    assert executed(stream.getvalue()) == []
    assert readers.controls(stream.getvalue()) == set()


@settings(deadline=None, max_examples=50)
@given(hostile, hostile)
@example(every, every)
def test_an_output_of_a_step_is_one_output(one: str, other: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "output")
        file.touch()
        github = GitHub(output_path=file)
        github.set_output("one", one)
        github.set_output("other", other)
        found = readers.values(file.read_bytes().decode())
    assert found == {name: raw.encode("utf-8", "replace").decode() for name, raw in (("one", one), ("other", other))}


def play(view: View, raw: str, log: Path) -> None:
    """A whole run, told with one hostile text."""
    view.phase(raw)
    view.start([raw, "x"])
    view.progress(raw, Snapshot(raw, 1, 1, 9, 0.5))
    view.log(raw, raw, raw)
    for level in ("notice", "warning", "error"):
        view.message(level, raw)
    view.finished(records.stage(raw), log)
    view.close()


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A log that holds every payload."""
    folder = tmp_path_factory.mktemp("log")
    file = folder / "test.log"
    file.write_bytes("\n".join(LOG).encode("utf-8", "surrogatepass"))
    yield file
    assert list(folder.iterdir()) == [file]


@settings(deadline=None, max_examples=15)
@given(raw=hostile)
@example(raw=every)
def test_plain_lines(raw: str, log: Path) -> None:
    stream = io.StringIO()
    play(PlainView(stream), raw, log)
    assert executed(stream.getvalue()) == []
    assert readers.controls(stream.getvalue()) == set()


@settings(deadline=None, max_examples=15)
@given(raw=hostile)
@example(raw=every)
def test_the_log_of_a_job(raw: str, log: Path) -> None:
    stream = io.StringIO()
    play(GitHubView(stream), raw, log)
    assert [name for name, _ in executed(stream.getvalue())] == ["warning", "error", "group", "endgroup"]
    assert readers.controls(stream.getvalue()) == set()
    # Of these the log's page makes groups and colours, whether commands are stopped or not.
    shown = [
        line for line in stream.getvalue().splitlines() if not line.startswith(("::warning", "::error", "::group"))
    ]
    assert not [line for line in shown if "##[" in readers.weighed(line)]


class Screen(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        return True


@settings(deadline=None, max_examples=10)
@given(raw=hostile)
@example(raw=every)
def test_the_live_table(raw: str, log: Path) -> None:
    stream = Screen()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TERM", "xterm-256color")
        play(LiveView(stream), raw, log)
    written = stream.getvalue()
    # What rich writes: colours, the cursor up, hidden and shown, a line emptied.
    assert readers.controls(re.sub(r"\x1b\[(?:[0-9;]*m|1A|2K|\?25[hl])", "", written)) <= {"\r"}


@settings(deadline=None, max_examples=15)
@given(hostile)
@example(every)
def test_the_end_of_a_run_and_its_annotations(raw: str) -> None:
    record, tests, found = records.run(raw)
    said = terminal.end_text(record, tests, Path("x"), known=found.findings)
    assert executed(said) == []
    assert readers.controls(said) == set()
    commands = "\n".join(annotate.commands(record, tests, known=found.findings, url="https://example.com/"))
    assert {name for name, _ in executed(commands)} <= {"error", "warning", "notice"}
    assert len(executed(commands)) == commands.count("\n") + 1
    assert readers.controls(commands) == set()


@settings(deadline=None, max_examples=15)
@given(hostile)
@example(every)
def test_the_commands_that_print_what_was_read(raw: str) -> None:
    _, tests, found = records.run(raw)
    lines = [
        findings_command.text(found),
        results_command.text(tests),
        "\n".join(aligned([[raw, raw], ["a", raw]], {})),
    ]
    for said in lines:
        assert executed(said) == []
        assert readers.controls(said) == set()
    one = findings_command.command(found.findings[0])
    assert [name for name, _ in executed(one)] == ["error"]
    assert readers.controls(one) == set()
