"""Runs what a page of the documentation shows: its commands in one shell, its files written, its output compared."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from tests.scripts import script

if TYPE_CHECKING:
    from pages import Block

NAMED = re.compile(r"`([\w./-]+)`[^`]*:$")  # the file that a paragraph names last, right above its content
# What is different in each run, and what stands for it in both texts.
CHANGING = (
    (re.compile(r"sha256:[0-9a-f]{64}"), "sha256:DIGEST"),
    (re.compile(r"\bg[0-9a-f]{7,40}\b"), "gCOMMIT"),
    (re.compile(r"\b(?:\d+ h )?(?:\d+ min )?\d+(?:\.\d+)? m?s\b"), "TIME"),
    (re.compile(r"\b\d+(?:\.\d+)? [kM]?B\b"), "SIZE"),
    (re.compile(r"[ \t]+"), " "),
)


@dataclass(frozen=True, slots=True)
class Command:
    """A command of a page with the lines that are shown below it; `not_run` says why it cannot be run here."""

    place: str
    text: str
    shown: tuple[str, ...]
    not_run: str = ""


@dataclass(frozen=True, slots=True)
class File:
    """A file that a page names and shows."""

    place: str
    name: str
    text: str


def blocks(page: Path) -> list[Block]:
    """The blocks of code of a page."""
    return list(script("pages").blocks(page))


def parts(page: Path) -> Iterator[Command | File]:
    """The commands and files of a page, in its order."""
    for block in blocks(page):
        named = NAMED.search(block.before)
        if block.language == "console":
            yield from _commands(block)
        elif named:
            yield File(block.place, named[1], block.text)


def _commands(block: Block) -> Iterator[Command]:
    lines = block.text.replace("\\\n", " ").splitlines()
    starts = [number for number, line in enumerate(lines) if line.startswith("$ ")]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        yield Command(block.place, lines[start][2:], tuple(lines[start + 1 : end]), block.notes.get("not run", ""))


def plain(text: str, known: Mapping[str, str]) -> str:
    """A text without what is different in each run. `known` are words of this machine and what a page has for them."""
    for word, shown in known.items():
        text = text.replace(word, shown)
    for pattern, stands in CHANGING:
        text = pattern.sub(stands, text)
    return "".join(f"{line.strip()}\n" for line in text.splitlines())


def fits(shown: str, said: str) -> bool:
    """Whether an output is the one that is shown, where `...` alone stands for any lines and inside a line for anything."""
    pattern = "".join(
        r"(?:.*\n)*?" if line == "..." else r"[^\n]*?".join(map(re.escape, line.split("..."))) + r"\n"
        for line in shown.splitlines()
    )
    return re.fullmatch(pattern, said) is not None


@dataclass
class Shell:
    """A shell in a folder; what a command sets or where it goes holds for the next one."""

    folder: Path
    environment: Mapping[str, str]
    known: Mapping[str, str] = field(default_factory=dict)
    code: int = 0
    _process: subprocess.Popen[str] = field(init=False, repr=False)

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            ["bash", "--noprofile", "--norc"], cwd=self.folder, env=dict(self.environment), text=True, errors="replace",
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGTERM)
        self._process.communicate(timeout=30)

    def run(self, text: str, seconds: float = 400) -> str:
        """What a command prints; `code` is its exit code afterwards. Ended after `seconds`."""
        assert self._process.stdin
        assert self._process.stdout
        mark = f"end-{os.urandom(8).hex()}"
        # The mark leaves `$?` as the command left it.
        script = f"{{ {text}\n}} </dev/null; code=$?; printf '\\n%s %s\\n' {mark} $code; (exit $code)\n"
        timer = threading.Timer(seconds, os.killpg, (self._process.pid, signal.SIGTERM))
        timer.start()
        try:
            self._process.stdin.write(script)
            self._process.stdin.flush()
            said: list[str] = []
            for line in self._process.stdout:
                if line.startswith(mark):
                    self.code = int(line.split()[1])
                    return "".join(said).removesuffix("\n")
                said.append(line)
            raise AssertionError(f"`{text}` ended the shell, or took more than {seconds} s:\n{''.join(said)}")
        finally:
            timer.cancel()

    def check(self, command: Command, *, asked: bool = False) -> str:
        """What a command of a page prints: what is shown there. It ends with 0, or its code is `asked` for next."""
        said = self.run(command.text)
        assert self.code == 0 or asked, f"{command.place}: `{command.text}` ended with {self.code}:\n{said}"
        if command.shown:
            shown = plain("\n".join(command.shown), self.known)
            real = plain(said, self.known)
            assert fits(shown, real), f"{command.place}: `{command.text}` shows\n{shown}\nand printed\n{real}"
        return said


def play(shell: Shell, given: list[Command | File], instead: Mapping[str, Callable[[Shell], None]]) -> None:
    """Run the commands of a page, and write its files; one that is there already must be as it is shown.

    `instead` has every command that the page says cannot be run, and what is done in its place.
    """
    marked = {part.text for part in given if isinstance(part, Command) and part.not_run}
    assert marked == set(instead), (
        f"not run, and not known here, or the other way round: {sorted(marked ^ set(instead))}"
    )
    for part, following in zip(given, [*given[1:], None], strict=True):
        if isinstance(part, File):
            _write(shell, part)
        elif part.not_run:
            instead[part.text](shell)
        else:
            shell.check(part, asked=isinstance(following, Command) and following.text == "echo $?")


def _write(shell: Shell, file: File) -> None:
    path = Path(shell.run("pwd").strip()) / file.name
    if path.exists():
        assert fits(file.text, path.read_text(encoding="utf-8")), f"{file.place}: {file.name} is something else"
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.text, encoding="utf-8")


def nothing(shell: Shell) -> None:
    """In the place of a command whose effect nothing later depends on."""
