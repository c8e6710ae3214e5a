"""`--help` of every command: what it shows, and examples that its own parser takes."""

from __future__ import annotations

import importlib
import itertools
import shlex
from pathlib import Path

import pytest

from ci_buildkit.cli import flags
from ci_buildkit.cli.main import COMMANDS, main, parsed, tree
from ci_buildkit.config.flag import TOPICS
from ci_buildkit.config.options import Options, flag_of, option_string


def examples(command: str) -> list[str]:
    text: str = importlib.import_module(f"ci_buildkit.cli.{command}").EXAMPLES
    return text.strip().splitlines()


def shown(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: str) -> str:
    monkeypatch.setenv("COLUMNS", "100")
    with pytest.raises(SystemExit) as leaving:
        main([*words, "--help"])
    assert leaving.value.code == 0
    return capsys.readouterr().out


ALL = [(command, line) for command in COMMANDS for line in examples(command)]


@pytest.mark.parametrize(("command", "line"), ALL)
def test_an_example_is_taken_by_the_command_s_parser(
    command: str, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    lexer = shlex.shlex(line.replace('eval "$(', "").replace(')"', ""), posix=True, punctuation_chars="|>;")
    lexer.whitespace_split = True
    words = list(lexer)
    words = words[words.index("ci-buildkit") :]
    own = list(itertools.takewhile(lambda word: word not in {"|", ">", ";"}, words))
    assert own[:2] == ["ci-buildkit", command]
    _, arguments = parsed(command, own[2:])
    if command in {"run", "plan", "config"}:
        flags.settings(arguments)  # which refuses values that an option does not take
    assert len(line) <= 118


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_the_examples_last(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    told = shown(capsys, monkeypatch, command)
    assert told.rstrip().endswith("\n  ".join(["examples:", *examples(command)]))
    assert len(told.partition("\n\n")[0]) < 120, "the usage is one line"


@pytest.mark.parametrize("command", ["run", "plan", "config"])
def test_options_stand_below_their_topic(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    told = shown(capsys, monkeypatch, command).partition("\nexamples:")[0]
    parts = {topic: told.partition(f"\n{topic}:\n")[2].partition("\n\n")[0] for topic in TOPICS}
    for name in Options.model_fields:
        flag = "STAGE" if name == "stages" else f"--{option_string(name)}"
        words = {topic: parts[topic].replace(",", " ").split() for topic in TOPICS}
        assert [topic for topic in TOPICS if flag in words[topic]] == [flag_of(name).topic], flag
    order = [told.index(f"\n{topic}:\n") for topic in TOPICS]
    assert order == sorted(order)


def test_the_tree_holds_every_command() -> None:
    told = tree().format_help()
    assert all(f"    {name}" in told for name in COMMANDS)
