"""Finds the command, runs it, and turns errors into messages and exit codes.

A command is a module with `add_arguments(parser)` and `call(arguments) -> int`, imported only when it is asked for.
"""

from __future__ import annotations

import argparse
import importlib
import signal
import sys
from collections.abc import Iterable, Sequence

from ci_buildkit import __version__
from ci_buildkit.errors import CiBuildkitError, ConfigurationError, EngineError, Interrupted, said

COMMANDS = {
    "run": "run the pipeline of a repository's Dockerfile or bake file",
    "plan": "show what would run",
    "results": "read test results and say what they say",
    "findings": "read lint findings and say what they say",
    "merge": "join images that machines pushed by digest into one",
    "explain": "show which steps of a run were not in the cache, and why",
    "publish": "publish a run on GitHub: check run, comment, what changed, release files",
    "tags": "make tags, labels and annotations of images",
    "version": "show the version that would be stamped",
    "builder": "make, list and remove builders, and sweep leftovers",
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
        return _call(words)
    except CiBuildkitError as error:
        if debug:
            raise
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:
        sys.stderr.close()  # the reader left; Python would complain once more when it closes stdout
        return 0
    except OSError as error:  # a full disk, a folder that is not ours
        if debug:
            raise
        print(f"error: {said(error)}", file=sys.stderr)
        return EngineError.exit_code
    except KeyboardInterrupt:
        if debug:
            raise
        print("error: interrupted", file=sys.stderr)
        return Interrupted.exit_code


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
    module = importlib.import_module(f"ci_buildkit.cli.{name}")
    parser = Parser(
        prog=f"ci-buildkit {name}", description=module.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--debug", action="store_true", help="show a traceback with an error")
    module.add_arguments(parser)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: what was made for the command goes
    return int(module.call(parser.parse_args(rest)))


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
