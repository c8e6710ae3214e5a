"""Print what makes a shell complete commands, options and their values.

The script knows commands, options and fixed values by itself. For names that differ from folder to folder (the stages of
the Dockerfile, builders) it asks this command with `--words`, which reads files alone and needs no engine.
"""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

SHELLS = ("bash", "zsh", "fish")
EXAMPLES = """
eval "$(ci-buildkit completion bash)"                                          # in ~/.bashrc
ci-buildkit completion zsh > ~/.zfunc/_ci-buildkit                             # a folder of fpath
ci-buildkit completion fish > ~/.config/fish/completions/ci-buildkit.fish
"""
KINDS = ("lint", "test", "binaries", "image")
PLATFORMS = (
    "linux/amd64", "linux/arm64", "linux/arm/v7", "linux/arm/v6", "linux/386", "linux/ppc64le", "linux/s390x", "linux/riscv64",
    "windows/amd64", "windows/arm64", "darwin/amd64", "darwin/arm64",
)  # fmt: skip
# What is offered. Bash expands the words of `compgen -W`: a stage called `$(reboot)` must not get there.
WORD = re.compile(r"[a-z][a-z0-9._-]*", re.IGNORECASE)
# Which words an argument takes, by its name and by what stands for its value in `--help`.
STAGES = frozenset({"stages", "lint_target", "test_target", "binaries_target", "image_target"})
BUILDERS = frozenset({"builder"})
FOLDERS = frozenset({"DIR"})
FILES = frozenset({"FILE", "FILE.json", "PATH", "RUN.json", "OTHER.json", "DIR|FILE", "WORKFLOW"})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The shell, or the words."""
    parser.add_argument("shell", nargs="?", choices=SHELLS, metavar="bash|zsh|fish", help="the shell to print for")
    parser.add_argument("--words", choices=("stages", "builders"), help="print what there is here, one a line")


def call(arguments: argparse.Namespace) -> int:
    """Print; 0. Words that cannot be found are left out: someone is typing."""
    from ci_buildkit.errors import ConfigurationError

    if arguments.words:
        words = stages(os.environ) if arguments.words == "stages" else builders(os.environ)
        print("\n".join(words))
        return 0
    if not arguments.shell:
        raise ConfigurationError("completion needs the name of a shell", hint=f"one of {', '.join(SHELLS)}")
    print(script(arguments.shell))
    return 0


def script(shell: str) -> str:
    """The script for a shell."""
    import shtab

    from ci_buildkit.cli.main import tree

    root = tree()
    for parser in _parsers(root):
        parser.description = None  # so that the shorter text of `ci-buildkit --help` is shown
        for action in parser._actions:  # noqa: SLF001 - argparse has no other way to ask
            _describe(action, shtab)
    found: str = shtab.complete(root, shell)
    # For zsh shtab lets one word stand where several may: `*:` is what _arguments calls the rest of the words.
    return re.sub(r'^  "\(\*\)::?', '  "*:', found, flags=re.MULTILINE) if shell == "zsh" else found


def _parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    yield parser
    for action in parser._actions:  # noqa: SLF001
        if isinstance(action.choices, Mapping):
            for one in action.choices.values():
                yield from _parsers(one)


def _describe(action: Any, shtab: Any) -> None:
    """Tell shtab what an argument's value is."""
    if action.choices or action.nargs == 0:
        return
    metavar = str(action.metavar)
    if action.dest in STAGES:
        action.complete = shtab.cmd("ci-buildkit completion --words stages 2>/dev/null")
    elif action.dest in BUILDERS or (metavar == "NAME" and not action.option_strings):
        action.complete = shtab.cmd("ci-buildkit completion --words builders 2>/dev/null")
    elif action.dest in {"platform", "expected"}:
        action.complete = shtab.cmd(f"printf '%s\\n' {' '.join(PLATFORMS)}")
    elif metavar in FOLDERS:
        action.complete = shtab.DIRECTORY
    elif metavar in FILES:
        action.complete = shtab.FILE


def stages(environ: Mapping[str, str]) -> list[str]:
    """The stages of this folder's Dockerfile as the settings name it, and the kinds that may stand for them."""
    from ci_buildkit.config.sources import load
    from ci_buildkit.errors import CiBuildkitError
    from ci_buildkit.plan import dockerfile

    try:
        options = load({}, environ).options
        found = dockerfile.read(options.file or options.context / "Dockerfile").stages
    except CiBuildkitError:
        return list(KINDS)
    return list(dict.fromkeys([*KINDS, *(stage.name for stage in found if WORD.fullmatch(stage.name))]))


def builders(environ: Mapping[str, str]) -> list[str]:
    """The names of buildx's builders, from the files that it keeps them in (docker/buildx store/storeutil)."""
    docker = environ.get("DOCKER_CONFIG") or Path(environ.get("HOME", "")) / ".docker"
    folder = Path(environ.get("BUILDX_CONFIG") or Path(docker) / "buildx")
    try:
        return sorted(entry.name for entry in (folder / "instances").iterdir() if WORD.fullmatch(entry.name))
    except OSError:
        return []
