"""Finds the command, runs it, and turns errors into messages and exit codes.

A command is a module with `add_arguments(parser)`, `call(arguments) -> int` and `EXAMPLES`, imported only when it is
asked for.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import signal
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from ci_buildkit import __version__
from ci_buildkit.errors import CiBuildkitError, ConfigurationError, EngineError, Interrupted, said

COMMANDS = {
    "run": "run the pipeline of a repository's Dockerfile or bake file",
    "init": "write the first files that a repository needs: workflow, settings, Dockerfile",
    "plan": "show what would run",
    "projects": "show the projects of a repository, and which of them changed",
    "results": "read test results and say what they say",
    "findings": "read lint findings and say what they say",
    "join": "put together what several machines made of one pipeline: reports, archives and images",
    "merge": "join images that machines pushed by digest into one",
    "doctor": "say what is wrong with Dockerfiles, bake files, workflows and this machine, and mend it",
    "explain": "show which steps of a run were not in the cache, and why",
    "publish": "publish a run on GitHub: check run, comment, what changed, release files",
    "act": "run the repository's workflows on this machine with act",
    "tags": "make tags, labels and annotations of images",
    "version": "show the version that would be stamped",
    "builder": "make, list and remove builders, and sweep leftovers",
    "config": "show the options in force and where each comes from",
    "completion": "print what makes a shell complete commands, options and values",
}


class Parser(argparse.ArgumentParser):
    """An argparse parser whose errors are ours: exit code 2, one message, on stderr."""

    def error(self, message: str) -> None:  # type: ignore[override]
        """Raise instead of exiting; an unknown option comes with the nearest that there is."""
        _, unknown, words = message.partition("unrecognized arguments: ")
        near = _nearest(words.split("=")[0].split()[0], self._option_string_actions) if unknown else ""
        raise ConfigurationError(f"{self.prog}: {message}", hint=f"{near}try: {self.prog} --help")


def main(argv: Sequence[str]) -> int:
    """Run one command; returns its exit code. Errors are printed on stderr; `--debug` adds the traceback."""
    debug = "--debug" in argv
    words = [word for word in argv if word != "--debug"]
    try:
        code = _call(words)
        sys.stdout.flush()  # a full disk shows here
        return code
    except CiBuildkitError as error:
        if debug:
            raise
        _tell(str(error))
        return error.exit_code
    except OSError as error:  # a full disk, a folder that is not ours
        if debug:
            raise
        _tell(said(error))
        return EngineError.exit_code
    except KeyboardInterrupt:
        if debug:
            raise
        print("error: interrupted", file=sys.stderr)
        return Interrupted.exit_code


def _tell(message: str) -> None:
    from ci_buildkit.report.text import inert_lines

    with contextlib.suppress(OSError):  # the exit code tells it too
        print(inert_lines(f"error: {message}"), file=sys.stderr)


def _call(words: list[str]) -> int:
    if not words or words[0] in {"-h", "--help", "help"}:
        print(_usage())
        return 0 if words else ConfigurationError.exit_code
    if words[0] == "--version":
        print(f"ci-buildkit {__version__}")
        return 0
    name, *rest = words
    if name not in COMMANDS:
        near = _nearest(name, COMMANDS)
        raise ConfigurationError(f"there is no command {name!r}", hint=f"{near}commands: {', '.join(COMMANDS)}")
    module, arguments = parsed(name, rest)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: what was made for the command goes
    return int(module.call(arguments))


def parsed(name: str, words: list[str]) -> tuple[Any, argparse.Namespace]:
    """The module of a command and what its parser makes of the words. Raises ConfigurationError."""
    module = importlib.import_module(f"ci_buildkit.cli.{name}")
    parser = fill(Parser(prog=f"ci-buildkit {name}"), module)
    if "--" in words and getattr(module, "PASSES_ON", False):  # what is behind it is another program's
        place = words.index("--")
        parser.set_defaults(passed=tuple(words[place + 1 :]))
        words = words[:place]
    return module, parser.parse_args(words)


def fill(parser: Parser, module: Any) -> Parser:
    """The parser of a command: its module's docstring, arguments and examples."""
    parser.description = module.__doc__
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--debug", action="store_true", help="show a traceback with an error")
    module.add_arguments(parser)
    if examples := getattr(module, "EXAMPLES", "").strip():
        parser.epilog = "\n  ".join(["examples:", *examples.splitlines()])
    _short_usage(parser)
    if getattr(module, "PASSES_ON", False):
        parser.usage = f"{parser.usage} [-- {parser.prog.split()[-1].upper()}-OPTIONS]"
    return parser


def tree() -> Parser:
    """Every command as a parser below one, for completion and the manual page. It imports the modules of all."""
    root = Parser(prog="ci-buildkit", add_help=False)
    root.add_argument("--help", "-h", action="help", help="list the commands")
    root.add_argument("--version", action="version", version=f"ci-buildkit {__version__}", help="print the version")
    commands = root.add_subparsers(metavar="COMMAND", title="commands")
    for name, text in COMMANDS.items():
        fill(commands.add_parser(name, help=text), importlib.import_module(f"ci_buildkit.cli.{name}"))
    return root


def _short_usage(parser: argparse.ArgumentParser) -> None:
    """Give a parser, and those of its verbs, a usage of one line: argparse's own has all sixty flags of `run`."""
    formats = {"+": "{}...", "*": "[{}...]", "?": "[{}]", "A...": "{} ..."}
    places = [one for one in parser._actions if not one.option_strings]  # noqa: SLF001 - argparse has no other way to ask
    shown = [formats.get(str(one.nargs), "{}").format(one.metavar or one.dest).replace("%", "%%") for one in places]
    parser.usage = parser.usage or " ".join(["%(prog)s", "[OPTIONS]", *shown])
    for place in places:
        for verb in place.choices.values() if isinstance(place.choices, dict) else ():
            _short_usage(verb)


def _nearest(word: str, known: Iterable[str]) -> str:
    import difflib

    near = difflib.get_close_matches(word, known, n=1)
    return f"did you mean {near[0]!r}? " if near else ""


def _usage() -> str:
    width = max(map(len, COMMANDS))
    lines = ["usage: ci-buildkit COMMAND [OPTIONS]", "", "Commands:"]
    lines += [f"  {name:{width}}  {text}" for name, text in COMMANDS.items()]
    lines += ["", "ci-buildkit COMMAND --help tells more; ci-buildkit --version prints the version."]
    return "\n".join(lines)
