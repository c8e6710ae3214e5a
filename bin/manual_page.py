"""The manual page ci-buildkit(1), from the commands' own parsers."""

from __future__ import annotations

import importlib
import inspect
import os
import re
from pathlib import Path
from typing import Any
from unittest import mock

from argparse_manpage.manpage import Manpage

from ci_buildkit import __version__, errors
from ci_buildkit.cli.main import COMMANDS, tree
from ci_buildkit.config.flag import TOPICS
from ci_buildkit.config.options import CONFIG_FILE

ROOT = Path(__file__).resolve().parent.parent
ABOUT = "turn a multi-stage Dockerfile into a whole CI pipeline on one BuildKit builder"


def manual() -> str:
    """The page in the language of man(7), the same on every terminal."""
    with mock.patch.dict(os.environ, COLUMNS="80"):
        return _manual()


def _manual() -> str:
    parser = _once(tree())
    made = Manpage(parser, format="single-commands-section")
    made.description, made.manual, made.source = ABOUT, "ci-buildkit", f"ci-buildkit {__version__}"
    made.date = _released()
    made.synopsis = ["ci-buildkit", "COMMAND [OPTIONS]"]
    for heading, content in (("files", _files()), ("exit status", _exit_status()), ("examples", _examples())):
        made.add_section(heading, "=", content)
    return str(made)


def _released() -> str:
    """The day of the newest release, so that the page is the same whenever it is made; empty before the first."""
    found = re.search(r"^## \[\d[^]]*\] - (\S+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    return found[1] if found else ""


def _once(root: Any) -> Any:
    """The parser of all commands, in which each thing is said once: what a command does, and the options of `run`."""
    commands = root._subparsers._group_actions[0]  # noqa: SLF001 - argparse has no other way to ask
    for entry in commands._choices_actions:  # noqa: SLF001
        entry.help = ""
        parser = commands.choices[entry.dest]
        groups = [group for group in parser._action_groups if group.title not in TOPICS]  # noqa: SLF001
        if entry.dest != "run" and groups != parser._action_groups:  # noqa: SLF001
            parser._action_groups = groups  # noqa: SLF001
            parser.description = f"{parser.description.rstrip()}\n\nTakes the options of `ci-buildkit run` too."
    return root


def roff(text: str) -> str:
    """Text that roff prints as it is."""
    escaped = text.replace("\\", r"\e").replace("-", r"\-")
    return "\n".join(rf"\&{line}" if line.startswith((".", "'")) else line for line in escaped.split("\n"))


def _files() -> str:
    text = "Options of a repository, in the build context. The keys are the long options without their dashes."
    return f".TP\n.I {roff(CONFIG_FILE)}\n{roff(text)}"


def _exit_status() -> str:
    rows = [(0, "Passed.")]
    rows += [(one.exit_code, inspect.cleandoc(one.__doc__ or "")) for one in errors.CiBuildkitError.__subclasses__()]
    return "\n".join(f".TP\n.B {number}\n{roff(text)}" for number, text in sorted(rows))


def _examples() -> str:
    modules = [importlib.import_module(f"ci_buildkit.cli.{name}") for name in COMMANDS]
    return "\n.PP\n".join(f".EX\n{roff(module.EXAMPLES.strip())}\n.EE" for module in modules)
