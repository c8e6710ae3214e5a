"""Files out of a test or lint step, whether its RUN failed or not, with an unmodified Dockerfile.

A failed RUN exports nothing (docker/buildx#3396). `docker buildx debug --on=... --invoke ...` starts a process in the
file system of the step instead; ours prints the reports as one base64 text between two random markers. It wants a
terminal in raw mode for stdin and stdout; the solve status stays on stderr.
"""

from __future__ import annotations

import binascii
import contextlib
import gzip
import io
import os
import secrets
import select
import shutil
import tarfile
import threading
import time
import tty
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, cast

from msgspec import Struct, field

from ci_buildkit.errors import said

MAX_BYTES = 192 << 20  # of the packed reports that are taken at most
MAX_UNPACKED = 4 << 30  # bytes
MAX_MEMBERS = 20_000
MAX_PIECE = 8 << 20  # bytes; the content of files is read in smaller ones
GZIP = b"\x1f\x8b"
PROMPT = b"(buildx)"  # of the debugger's console, which appears when its process has ended or never began
LEAVE_TRIES = 5
QUIET_SECONDS = 60.0  # without a byte before it is given up
BEGIN_SECONDS = 30.0  # ... and before its shell has begun, which never does where the builder has gone


class Recovered(Struct):
    """What came back. `begun` says that the process ran, `complete` that everything it sent arrived.

    `left_out` are files over the size limit; `trouble` is why nothing or not everything came back.
    """

    begun: bool = False
    complete: bool = False
    files: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    trouble: str = ""


class Terminal:
    """The pseudo-terminal of one debug build. Reads in a thread of its own until the build leaves.

    Whatever goes wrong with it is the result's `trouble` and breaks no build.
    """

    def __init__(self, spool: Path) -> None:
        """`spool` takes the archive, so that memory does not grow with the reports."""
        self.token = secrets.token_hex(16)
        self.master, self.slave = os.openpty()
        tty.setraw(self.slave)
        self.spool = spool
        self.result = Recovered()
        self._section = ""
        self._heard = time.monotonic()
        self._failed = self._launched = False
        self._due = 0.0
        self._told = 0
        self._prompted = self._lost = False
        self._kill: Callable[[], None] | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def close(self) -> Recovered:
        """End reading, after the build has ended; returns what came back (not yet unpacked)."""
        self._stop.set()
        with contextlib.suppress(OSError):
            os.close(self.slave)  # the last end of it: wakes who reads the other
        self._thread.join(5)
        with contextlib.suppress(OSError):
            os.close(self.master)
        if self._lost:
            with contextlib.suppress(OSError):
                self.spool.unlink()
        result = self.result
        if result.begun and not result.complete:
            result.trouble = result.trouble or "the step's shell ended before all of the reports had arrived"
        elif self._failed and not result.begun:
            result.trouble = result.trouble or "buildx' debugger ended before it began with that"
        return self.result

    def attach(self, kill: Callable[[], None]) -> None:
        """`kill` ends the build's process, for a debugger that does not leave when it is told to."""
        self._kill = kill

    def expect(self) -> None:
        """The step has ended, and its shell begins now."""
        if not self._failed:
            self._heard = time.monotonic()
            self._failed = True

    def _read(self) -> None:
        # A full disk was told when it was met, or it cuts the archive.
        with contextlib.suppress(OSError), self._open() as out:
            self._listen(out)

    def _listen(self, out: io.BufferedWriter) -> None:
        rest = b""
        while not self._stop.is_set():
            self._leave_when_due()
            ready, _, _ = select.select([self.master], [], [], 0.1)
            if not ready:
                patience = QUIET_SECONDS if self.result.begun else BEGIN_SECONDS
                waited = self.result.begun or self._failed or self._launched
                if waited and time.monotonic() - self._heard > patience:
                    self._give_up(f"nothing came from the step's shell for {patience:.0f} s")
                continue
            try:
                chunk = os.read(self.master, 1 << 16)
            except OSError:
                return
            self._heard = time.monotonic()
            self._launched = True  # the debugger says that it begins, and nothing is said before
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                self._line(line.strip(b"\r"), out)
            if PROMPT in rest[-64:]:
                self._console()

    def _open(self) -> io.BufferedWriter:
        try:
            return self.spool.open("wb")
        except OSError as error:
            self._lose(error)
            return Path(os.devnull).open("wb")

    def _lose(self, error: OSError) -> None:
        """The archive cannot be kept, and others need its place. The shell is read on, since it would wait for that."""
        self.result.trouble = self.result.trouble or said(error)
        self._lost = True
        with contextlib.suppress(OSError):
            os.truncate(self.spool, 0)

    def _leave_when_due(self) -> None:
        """Tell the shell, then the debugger to end, in the same word; the build's own exit code follows. Then insist."""
        now = time.monotonic()
        if not self._due or now < self._due:
            return
        self._told += 1
        if self._told > LEAVE_TRIES and self._kill:
            self._kill()
        with contextlib.suppress(OSError):
            os.write(self.master, b"exit\r\n")
        self._due = now + 2

    def _console(self) -> None:
        """The shell is gone: the debugger listens itself, and what it was told before went to the shell."""
        if self._section != "end":
            self._give_up("the debugger could not run a shell in the step's file system")
        elif not self._prompted:
            self._prompted = True
            self._due = time.monotonic()

    def _give_up(self, trouble: str) -> None:
        if not self._due:
            self.result.trouble = self.result.trouble or trouble
            self._due = time.monotonic()

    def _line(self, line: bytes, out: io.BufferedWriter) -> None:
        mark = self.token.encode() + b"-"
        if mark in line:
            word = line.split(mark, 1)[1].decode(errors="replace")
            self._mark(word)
        elif self._section == "data" and not self._lost and out.tell() < MAX_BYTES:
            with contextlib.suppress(binascii.Error):  # noise between the lines; a damaged archive tells itself
                try:
                    out.write(binascii.a2b_base64(line))
                except OSError as error:
                    self._lose(error)

    def _mark(self, word: str) -> None:
        if word == "begin":
            self.result.begun = True
        elif word.startswith("skip "):
            self.result.left_out.append(word.removeprefix("skip "))
            return
        elif word == "cut":
            self.result.trouble = "`tar` failed in the step, so files may be missing"
        elif word.startswith("missing-"):
            self.result.trouble = f"the stage's image has no `{word.removeprefix('missing-')}`"
        elif word == "end":
            self.result.complete = not self.result.trouble
            self._due = self._due or time.monotonic()
        self._section = word


def unpack(result: Recovered, spool: Path, folder: Path) -> None:
    """Write the recovered files below `folder`, by their full paths in the container; names go to `result.files`."""
    if not result.begun or not spool.exists() or not spool.stat().st_size:
        return
    try:
        with _opened(spool) as archive:
            for member in _bounded(archive):
                if member.isfile() and (content := archive.extractfile(member)):
                    _write(content, member, folder)
                    result.files.append(member.name)
    # What wrote the archive is an image's own tar, so that anything may be wrong with it: a time that no file can have,
    # headers of headers without end.
    except (ValueError, OverflowError, RecursionError, tarfile.TarError, zlib.error, OSError, EOFError) as error:
        result.trouble = result.trouble or f"what came back cannot be unpacked: {error}"
        result.complete = False


class _Pieces:
    """A file that gives only small pieces: tarfile reads a header in one, however large it says that it is."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._last = b""
        self.seek, self.tell = file.seek, file.tell

    def read(self, size: int) -> bytes:
        if size > MAX_PIECE:
            raise tarfile.ReadError("a header is too large")
        self._last = self._file.read(size)
        return self._last

    def check_end(self) -> None:
        """Raises what is wrong with the end. For tarfile any header ends an archive that is none."""
        if self._last != bytes(tarfile.BLOCKSIZE):
            raise tarfile.ReadError("it is cut off, or damaged")
        if len(self._file.read(MAX_PIECE)) == MAX_PIECE:  # to its end, where gzip finds out whether it is what was sent
            raise tarfile.ReadError("more follows its end")


@contextlib.contextmanager
def _opened(spool: Path) -> Iterator[tarfile.TarFile]:
    """The archive, which may be packed by gzip. Raises what the three of them raise."""
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(spool.open("rb"))
        is_packed = file.read(2) == GZIP
        file.seek(0)
        content = cast("IO[bytes]", stack.enter_context(gzip.open(file))) if is_packed else file
        pieces = _Pieces(content)
        try:
            archive = stack.enter_context(tarfile.open(fileobj=cast("IO[bytes]", pieces), mode="r:"))
        except (tarfile.ReadError, gzip.BadGzipFile, zlib.error, EOFError) as error:
            raise tarfile.ReadError("it is no archive") from error
        yield archive
        pieces.check_end()


def _bounded(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """The members; raises ReadError where they are more, or larger, than any test's reports: a few kilobytes can be that."""
    total = 0
    for count, member in enumerate(archive, 1):
        total += member.size
        if member.size < 0:
            raise tarfile.ReadError(f"{member.name!r} has a negative size")
        if total > MAX_UNPACKED or count > MAX_MEMBERS:
            raise tarfile.ReadError(f"it holds more than {MAX_UNPACKED >> 30} GiB or {MAX_MEMBERS:,} files")
        yield member


def _write(content: IO[bytes], member: tarfile.TarInfo, folder: Path) -> None:
    """Write a file where its name says, below `folder` and nowhere else; raises ValueError for a name that leads out.

    Not `extract(filter="data")`, which Python has since 3.11.4 only; Debian 12 has 3.11.2.
    """
    parts = [part for part in member.name.split("/") if part not in {"", "."}]
    if ".." in parts or not parts:
        raise ValueError(f"the name {member.name!r} leads out of the folder")
    target = folder.joinpath(*parts)
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with target.open("wb") as out:
            shutil.copyfileobj(content, out, 1 << 20)
        os.utime(target, (member.mtime, member.mtime))  # which says whether a report is stale
    except BaseException:
        target.unlink(missing_ok=True)  # half a report would be taken for a whole one that the tests broke
        raise
