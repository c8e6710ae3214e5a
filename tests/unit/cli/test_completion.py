"""Completion as the shells do it: bash, zsh and fish are asked what they would offer."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from ci_buildkit.cli import completion
from ci_buildkit.cli.main import COMMANDS, main
from ci_buildkit.config.options import Options, option_string

Ask = Callable[[Mapping[str, str], list[str]], dict[str, list[str]]]
DOCKERFILE = """FROM alpine AS base
FROM base AS test
FROM scratch AS test-results
FROM base AS $(touch${IFS}broken)
FROM base AS `touch${IFS}broken`
FROM base
"""
# `complete` of bash and the word that is typed last are what readline would pass.
BASH = """eval "$(ci-buildkit completion bash)"
while IFS= read -r line; do
  read -ra COMP_WORDS <<< "$line"
  [[ $line == *' ' ]] && COMP_WORDS+=('')
  COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
  function=$(complete -p ci-buildkit); function=${function#*-F }; function=${function%% *}
  $function 2>/dev/null
  (IFS=$'\\x1f'; echo "${COMPREPLY[*]}")
done"""
FISH = """ci-buildkit completion fish | source
while read --local --line line
  set --local words (complete --do-complete $line | string split --fields 1 \\t)
  echo (string join -- \\x1f $words)
end"""
# zsh completes in its line editor alone. What it would offer goes to a file on its way.
ZSH = """LISTMAX=10000
autoload -Uz compinit && compinit -u -d $ZDOTDIR/dump
eval "$(ci-buildkit completion zsh)"
compadd() {
  local found=()
  [[ ${@[1,(i)(-|--)]} == *-[OAD]' '* ]] || builtin compadd -A found "$@"
  (( $#found )) && print -rl -- $found >> $ANSWERS
  builtin compadd "$@"
}
next() { print -r -- '--next--' >> $ANSWERS; zle kill-whole-line }
zle -N next
bindkey '^I' complete-word '^X' next
print -r -- '--next--' >> $ANSWERS
"""


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A folder with a Dockerfile and a builder, and a command line that finds the command under test."""
    (tmp_path / "Dockerfile").write_text(DOCKERFILE, encoding="utf-8")
    (tmp_path / "images").mkdir()
    instances = tmp_path / "buildx" / "instances"
    instances.mkdir(parents=True)
    for name in ("one", "two", "$(touch broken)"):
        (instances / name).touch()
    monkeypatch.chdir(tmp_path)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    measured = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}
    return measured | {
        "PATH": path, "HOME": str(tmp_path), "BUILDX_CONFIG": str(tmp_path / "buildx"), "TERM": "dumb", "LC_ALL": "C.UTF-8",
    }  # fmt: skip


def piped(command: list[str], environment: Mapping[str, str], lines: list[str]) -> dict[str, list[str]]:
    """What a shell that reads lines says of each."""
    done = subprocess.run(
        command, env=dict(environment), input="".join(f"{line}\n" for line in lines), capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    answers = done.stdout.split("\n")
    return {line: answer.split("\x1f") if answer else [] for line, answer in zip(lines, answers, strict=False)}


def ask_bash(environment: Mapping[str, str], lines: list[str]) -> dict[str, list[str]]:
    return piped(["bash", "--norc", "-c", BASH], environment, lines)


def ask_fish(environment: Mapping[str, str], lines: list[str]) -> dict[str, list[str]]:
    return piped(["fish", "--no-config", "-c", FISH], environment, lines)


def ask_zsh(environment: Mapping[str, str], lines: list[str]) -> dict[str, list[str]]:
    folder = Path.cwd() / "zsh"
    folder.mkdir()
    (folder / ".zshrc").write_text(ZSH, encoding="utf-8")
    answers = folder / "answers"
    environ = {**environment, "ZDOTDIR": str(folder), "ANSWERS": str(answers)}
    command = [
        "script",
        "--quiet",
        "--command",
        "zsh -d -i",
        "/dev/null",
    ]  # a terminal, without which there is no editor
    with subprocess.Popen(command, env=environ, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        assert process.stdin
        for number, line in enumerate(lines, start=1):
            wait_for(answers, number)
            process.stdin.write(f"{line}\t\x18".encode())
            process.stdin.flush()
        wait_for(answers, len(lines) + 1)
        process.stdin.write(b"exit\n")
    found = answers.read_text(encoding="utf-8").split("--next--\n")[1:-1]
    return {line: answer.splitlines() for line, answer in zip(lines, found, strict=True)}


def wait_for(answers: Path, count: int) -> None:
    """Wait until the shell is ready for the next line."""
    end = time.monotonic() + 120
    while not answers.exists() or answers.read_text(encoding="utf-8").count("--next--\n") < count:
        assert time.monotonic() < end, "zsh does not answer"
        time.sleep(0.02)


@pytest.mark.parametrize("ask", [ask_bash, ask_zsh, ask_fish])
def test_a_shell_offers_what_fits(ask: Ask, environment: dict[str, str]) -> None:
    expected: dict[str, set[str]] = {
        "ci-buildkit ": {*COMMANDS},
        "ci-buildkit conf": {"config"},
        "ci-buildkit run --pla": {"--platform"},
        "ci-buildkit run ": {"lint", "test", "binaries", "image", "base", "test-results"},
        "ci-buildkit run te": {"test", "test-results"},
        "ci-buildkit run lint te": {"test", "test-results"},
        "ci-buildkit run --no-cache --platform linux/arm64 bas": {"base"},
        "ci-buildkit run --platform linux/ar": {"linux/arm64", "linux/arm/v7", "linux/arm/v6"},
        "ci-buildkit run --platform linux/amd64 --platform linux/s": {"linux/s390x"},
        "ci-buildkit run --lint-target ba": {"base"},
        "ci-buildkit run --driver ": {"docker-container", "remote", "kubernetes"},
        "ci-buildkit run --builder ": {"one", "two"},
        "ci-buildkit run --file D": {"Dockerfile"},
        "ci-buildkit run --context im": {"images"},
        "ci-buildkit plan --format ": {"text", "json", "bake", "matrix"},
        "ci-buildkit config --format y": {"yaml"},
        "ci-buildkit builder ": {"create", "ls", "rm", "sweep"},
        "ci-buildkit builder create x --dr": {"--driver", "--driver-opt"},
        "ci-buildkit builder rm t": {"two"},
        "ci-buildkit merge --image o": set(),
        "ci-buildkit completion ": {"bash", "zsh", "fish"},
    }
    found = ask(environment, list(expected))
    assert {line: {word.rstrip("/") for word in words} for line, words in found.items()} == expected
    assert not Path("broken").exists(), "the name of a stage is not run"


@pytest.mark.parametrize("ask", [ask_bash, ask_fish])
def test_a_shell_offers_every_flag(ask: Ask, environment: dict[str, str]) -> None:
    found = ask(environment, ["ci-buildkit run --"])["ci-buildkit run --"]
    flags = {f"--{option_string(name)}" for name in Options.model_fields if name != "stages"}
    assert flags | {"--no-push", "--help", "--debug"} <= set(found)


def test_stages_are_those_of_the_file_that_the_settings_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    kinds = ["lint", "test", "binaries", "image"]
    assert completion.stages({}) == kinds
    (tmp_path / "Containerfile").write_text("FROM alpine AS own\n", encoding="utf-8")
    (tmp_path / "ci-buildkit.yml").write_text("file: Containerfile\n", encoding="utf-8")
    assert completion.stages({}) == [*kinds, "own"]
    (tmp_path / "ci-buildkit.yml").write_text("zzz: 1\n", encoding="utf-8")
    assert completion.stages({}) == kinds


def test_builders_are_those_of_docker_s_folder(tmp_path: Path) -> None:
    (tmp_path / ".docker" / "buildx" / "instances").mkdir(parents=True)
    (tmp_path / ".docker" / "buildx" / "instances" / "ci").touch()
    assert completion.builders({"HOME": str(tmp_path)}) == ["ci"]
    assert completion.builders({"HOME": "/root", "DOCKER_CONFIG": str(tmp_path / ".docker")}) == ["ci"]
    assert completion.builders({"HOME": str(tmp_path / "none")}) == []


def test_without_a_shell_it_says_which_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion"]) == 2
    assert "one of bash, zsh, fish" in capsys.readouterr().err
    assert main(["completion", "tcsh"]) == 2
    assert "invalid choice: 'tcsh'" in capsys.readouterr().err
