"""What the documentation shows as code, against the code: command lines, options, settings, Dockerfiles, workflows."""

from __future__ import annotations

import argparse
import functools
import itertools
import re
import shlex
import tempfile
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import dockerfile
import pages
import yaml
from pages import Block

from ci_buildkit.cli import flags
from ci_buildkit.cli.main import COMMANDS, parsed, tree
from ci_buildkit.config import sources
from ci_buildkit.config.options import Options, option_string
from ci_buildkit.doctor import examine, workflows
from ci_buildkit.errors import CiBuildkitError
from ci_buildkit.results import quarantine

SHELL = ("console", "sh", "bash")
END = frozenset("|>;&()<")
SUBSTITUTION = re.compile(r"\$\(([^()]*)\)")
OPTION = re.compile(r"(?<![\w-])--[a-z][\w-]*")
# What pages name of other programs' options outside of a whole command of theirs.
FOREIGN = {
    "act": {"--artifact-server-path", "--json", "--local-repository"},
    "dart": {"--file-reporter"},
    "docker buildx bake": {"--jobs"},
    "docker buildx build": {"--call", "--target"},
    "goreleaser": {"--snapshot"},
    "rustc": {"--message-format"},
    "tsc and mypy": {"--pretty"},
}
STEPS = "on: push\npermissions: write-all\njobs:\n  job:\n    runs-on: ubuntu-latest\n    steps:\n"


def wrong(root: Path) -> list[str]:
    """Everything in the blocks and spans of all pages that the code would not take, each with its place."""
    return [f"{where}: {what}" for page in pages.documents(root) for where, what in _of_page(page)]


def _of_page(page: Path) -> Iterator[tuple[str, str]]:
    checks: Mapping[str, Callable[[Block], Iterator[str]]] = {
        **dict.fromkeys(SHELL, _commands), "yaml": _yaml, "dockerfile": _dockerfile,
    }  # fmt: skip
    for block in pages.blocks(page, *checks):
        yield from ((block.place, what) for what in checks[block.language](block))
    for span in pages.spans(page.read_text(encoding="utf-8")):
        if span.startswith("-"):
            place = Block(page, 0, "", "", {}).place.removesuffix(":0")
            yield from ((place, f"there is no option {one}") for one in OPTION.findall(span) if one not in options())


@functools.cache
def options() -> frozenset[str]:
    """Every option of every command, and those of other programs that pages name alone."""

    def of(parser: argparse.ArgumentParser) -> Iterator[str]:
        for action in parser._actions:  # noqa: SLF001 - argparse has no other way to ask
            yield from action.option_strings
            for inner in action.choices.values() if isinstance(action.choices, dict) else ():
                yield from of(inner)

    return frozenset(of(tree())).union(*FOREIGN.values())


def lines(block: Block) -> Iterator[str]:
    """The commands of a block: the lines behind a `$`, or all where it is a script; continued lines are one."""
    text = block.text.replace("\\\n", " ")
    for line in text.splitlines():
        if block.language != "console":
            yield line
        elif line.startswith("$ "):
            yield line[2:]


def calls(line: str) -> Iterator[list[str]]:
    """The words of each call of `ci-buildkit` in a line of shell, without its own name."""
    for inner in SUBSTITUTION.findall(line):
        yield from calls(inner)
    lexer = shlex.shlex(SUBSTITUTION.sub("WORD", line), posix=True, punctuation_chars="".join(END))
    lexer.whitespace_split = True
    for is_end, words in itertools.groupby(lexer, lambda word: set(word) <= END and bool(word)):
        found = [] if is_end else list(words)
        names = [place for place, word in enumerate(found) if word.rpartition("/")[2] == "ci-buildkit"]
        if names and all("=" in word for word in found[: names[0]]):
            yield found[names[0] + 1 :]


def _commands(block: Block) -> Iterator[str]:
    for line in lines(block):
        yield from itertools.chain.from_iterable(map(_refused, calls(line)))


def _refused(words: list[str]) -> Iterator[str]:
    """Why the command's own parser does not take the words."""
    if not words or "[OPTIONS]" in words or words[0].startswith("-"):
        return
    if words[0] not in COMMANDS:
        yield f"`ci-buildkit {shlex.join(words)}`: there is no command {words[0]!r}"
        return
    try:
        _, arguments = parsed(words[0], words[1:])
        if words[0] in {"run", "plan", "config"}:
            flags.settings(arguments)  # which refuses values that an option does not take
    except CiBuildkitError as error:
        yield f"`ci-buildkit {shlex.join(words)}`: {error}"


def _dockerfile(block: Block) -> Iterator[str]:
    text = whole_dockerfile(block.text)
    try:
        dockerfile.parse_string(text)
    except dockerfile.GoParseError as error:
        yield f"no Dockerfile: {error}"
        return
    told, _ = examine.dockerfile("Dockerfile", text)
    yield from (f"doctor: {one.message} [{one.rule}]" for one in told if one.severity == "error")


def whole_dockerfile(text: str) -> str:
    """A fragment with the stages that it leaves out (`base`, and those that it copies from), or around lone instructions."""
    named = set(re.findall(r"(?m)^FROM .* AS (\w[\w-]*)", text))
    used = dict.fromkeys(re.findall(r"[-,]from=([a-z][\w-]*)(?=[\s,]|$)|(?m:^FROM )(?:--\S+ )?(base)\b", text))
    made = [f"FROM alpine AS {name}\n" for name in map("".join, used) if name not in named]
    first = re.search(r"(?m)^[A-Z]+", text)
    inside = "" if first and first[0] in {"FROM", "ARG"} else "FROM alpine\n"
    syntax = re.match(r"#\s*syntax=.*\n", text)
    head = syntax[0] if syntax else ""
    return head + "".join(made) + inside + text.removeprefix(head)


def _yaml(block: Block) -> Iterator[str]:
    try:
        content = yaml.safe_load(block.text)
    except yaml.YAMLError as error:
        yield f"no YAML: {error}"
        return
    if "file" in block.notes:
        return  # another program's
    if workflow := whole_workflow(block.text, content):
        yield from _workflow(workflow)
    elif isinstance(content, dict) and set(content) <= {option_string(name) for name in Options.model_fields}:
        yield from _read(block.text, "ci-buildkit.yml", lambda path: sources.load({"context": path.parent}, {}))
    elif isinstance(content, list) and all(isinstance(one, dict) and "test" in one for one in content):
        yield from _read(block.text, "quarantine.yml", lambda path: quarantine.load(path, date.min))
    else:
        yield "neither workflow, steps, settings nor a list of tests: say above it what it is, <!-- file: NAME -->"


def whole_workflow(text: str, content: Any) -> str:
    """A workflow around jobs or steps, the workflow itself where it is one; "" where it is something else."""
    if isinstance(content, dict) and "jobs" in content:
        return text if True in content else f"on: push\n{text}"  # YAML 1.1 reads `on` as true
    if isinstance(content, list) and all(isinstance(one, dict) and {"uses", "run"} & set(one) for one in content):
        depth = re.match(r"\s*", text)
        shift = " " * (6 - len(depth[0] if depth else ""))
        return STEPS + "".join(f"{shift}{line}\n" for line in text.splitlines())
    return ""


def _workflow(text: str) -> Iterator[str]:
    for scalar in re.findall(r"(?m)^\s*-?\s*run: (?![|>])(.*)$", text):
        yield from itertools.chain.from_iterable(map(_refused, calls(scalar)))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, ".github", "workflows", "page.yml")
        path.parent.mkdir(parents=True)
        path.write_text(text, encoding="utf-8")
        found = workflows.examine(Path(folder))
    yield from (f"doctor: {one.message} [{one.rule}]" for one in found if one.severity == "error")


def _read(text: str, name: str, read: Callable[[Path], object]) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_text(text, encoding="utf-8")
        try:
            read(path)
        except CiBuildkitError as error:
            yield str(error).replace(f"{folder}/", "")
