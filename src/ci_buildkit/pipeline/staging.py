"""Where a run writes before its report is put in place as a whole.

Outside every build context: an output folder inside one would change the context and bust the next build's cache.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import stat
import tempfile
from pathlib import Path

from ci_buildkit.engine import scratch
from ci_buildkit.errors import ConfigurationError, OutputError
from ci_buildkit.problem import Problem

MARKER = "run.json"
PREVIOUS = "previous.json"  # the record of the report that this one replaced
RESERVE = 2 << 20  # bytes held back for the reports of a run that fills the disk


class Staging:
    """The temporary folders of one run: `report` becomes the report, `work` is thrown away."""

    def __init__(self) -> None:
        """Make them. Raises OutputError where the temporary folder is not writable."""
        self._kept = False
        try:
            self.top = scratch.folder()
            self.report = self.top / "report"
            self.work = self.top / "work"
            for folder in (self.report / "logs", self.report / "results", self.work):
                folder.mkdir(parents=True)
            self._reserve = self.top / "reserve"
            with contextlib.suppress(OSError), self._reserve.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, RESERVE)
        except OSError as error:
            raise OutputError(
                f"no temporary folder can be made: {error}", hint="set TMPDIR to a folder with space"
            ) from error

    def make_room(self) -> None:
        """Give back what was held back: the stages are over, or the disk is full."""
        self._reserve.unlink(missing_ok=True)

    def keep(self) -> Path:
        """Leave the staged report when everything else goes; returns where it is."""
        self._kept = True
        scratch.keep(self.top)
        return self.report

    def put(self, target: Path) -> None:
        """Move the report to `target`, replacing the last one. Raises OutputError and keeps the staged report.

        It is brought beside the target first, so that a reader never sees half of it; a mounted folder, which cannot be
        renamed, is filled.
        """
        try:
            _drop_what_leads_out(self.report)
            _keep_record(target / MARKER, self.report / PREVIOUS)
            if target.is_mount():
                _fill(target, self.report)
            else:
                _replace(target, self.report)
        except OSError as error:
            raise OutputError(
                f"the report cannot be written to {target}: {_reason(error)}", hint=f"it was kept in {self.keep()}"
            ) from error

    def remove(self) -> None:
        """Throw everything away but a report that is to be kept."""
        self.make_room()
        shutil.rmtree(self.work if self._kept else self.top, ignore_errors=True)


def _keep_record(last: Path, kept: Path) -> None:
    """Keep the record of the report that goes, where it is one that this version reads."""
    with contextlib.suppress(OSError):
        with last.open("rb") as file:
            if last.is_symlink() or not re.match(rb'\{\s*"schema":\s*1,', file.read(64)):
                return
        shutil.copyfile(last, kept)


def _drop_what_leads_out(report: Path) -> None:
    """Remove links out of the report, and what is neither file nor folder: a build exports what it likes.

    Who uploads a report follows links (actions/upload-artifact does), so that one to a file of this machine would carry it
    to where everybody reads it. Whoever reads the stage's files has told of it.
    """
    root = os.path.realpath(report)
    for where, folders, files in os.walk(root):
        for entry in (Path(where, one) for one in (*folders, *files)):
            kind = entry.lstat().st_mode
            inside = stat.S_ISDIR(kind) or stat.S_ISREG(kind) or (stat.S_ISLNK(kind) and _stays_in(entry, root))
            if not inside:
                entry.unlink()


def _stays_in(link: Path, root: str) -> bool:
    """Whether a link stays below `root` there and wherever that is moved: by its text, and by the links on its way."""
    leads = link.readlink()
    places = (os.path.normpath(link.parent / leads), os.path.realpath(link))
    return not leads.is_absolute() and all(Path(one).is_relative_to(root) for one in places)


def _replace(target: Path, report: Path) -> None:
    beside = target.with_name(f".{target.name}.{os.getpid()}.new")
    old = target.with_name(f".{target.name}.{os.getpid()}.old")
    moved = False
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            report.rename(beside)
            moved = True
        except OSError:  # another file system
            shutil.copytree(report, beside, symlinks=True)
        if target.exists():
            target.rename(old)
        beside.rename(target)
    except OSError:
        if moved and beside.exists():
            beside.rename(report)
        shutil.rmtree(beside, ignore_errors=True)
        if old.exists() and not target.exists():
            with contextlib.suppress(OSError):
                old.rename(target)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _fill(target: Path, report: Path) -> None:
    for entry in target.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    shutil.copytree(report, target, symlinks=True, dirs_exist_ok=True)


def _reason(error: OSError) -> str:
    """Why, in a few words; `copytree` gives a list of (source, target, reason) instead."""
    if isinstance(error, shutil.Error) and error.args and isinstance(error.args[0], list):
        reasons = dict.fromkeys(str(entry[2]).partition("]")[2].partition(":")[0].strip() for entry in error.args[0])
        return ", ".join(filter(None, reasons)) or "it could not be copied"
    return error.strerror or str(error)


def check_target(target: Path, context: Path) -> None:
    """Raise ConfigurationError where the report folder cannot be used: nothing of the user's is ever replaced."""
    resolved = target.resolve()
    if resolved == context.resolve() or resolved in context.resolve().parents:
        raise ConfigurationError(
            f"the report folder {target} holds the build context", hint="name another folder with --report-dir"
        )
    if target.is_symlink():  # which a repository may hold, to a folder that is not its own
        raise ConfigurationError(
            f"the report folder {target} is a link to {resolved}",
            hint="remove the link, or name the folder itself with --report-dir",
        )
    if resolved.exists() and not resolved.is_dir():
        raise ConfigurationError(f"the report folder {target} is a file", hint="name another folder with --report-dir")
    if resolved.is_dir() and any(resolved.iterdir()) and not (resolved / MARKER).is_file():
        raise ConfigurationError(
            f"the folder {target} is not empty and holds no earlier report",
            hint="name another folder with --report-dir",
        )
    there = next(folder for folder in (resolved, *resolved.parents) if folder.exists())
    where = there.parent if there == resolved and not resolved.is_mount() else there
    try:  # asking for permission is not enough: root has them all, on a read-only file system too
        Path(tempfile.mkdtemp(prefix=".ci-buildkit-", dir=where)).rmdir()
    except OSError as error:
        raise ConfigurationError(
            f"the report folder {target} is not writable: {error.strerror or error} in {where}",
            hint="name another folder with --report-dir",
        ) from error


def context_warning(target: Path, context: Path, what: str = "report folder") -> Problem | None:
    """The warning for a folder that the context would send to BuildKit on the next run; None where it is fine."""
    try:
        inside = target.resolve().relative_to(context.resolve()).as_posix()
    except ValueError:
        return None
    from ci_buildkit.checkout import ignore

    file = context / ".dockerignore"
    if file.is_file() and ignore.parse(file.read_text(encoding="utf-8", errors="replace"))(f"{inside}/{MARKER}"):
        return None
    return Problem(
        str(file),
        "inconsistent",
        f"the {what} lies in the build context and busts its cache; add the line {inside}/",
    )
