"""Temporary folders that say whose they are, so that what a killed process left can be removed."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
from pathlib import Path

from ci_buildkit.engine.owner import Owner

PREFIX = "ci-buildkit-"
OWNER = "owner"  # the file that names the process


def folder(kind: str = "") -> Path:
    """A new folder that only this user can look into. Raises OSError."""
    made = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{kind}"))
    (made / OWNER).write_text(str(Owner.here()), encoding="utf-8")
    return made


def keep(made: Path) -> None:
    """Let no later run remove a folder of this process."""
    (made / OWNER).unlink(missing_ok=True)


def sweep() -> None:
    """Remove this user's folders of processes that do not run any more.

    Others may put what they like where temporary files are: a link to a folder that is to be emptied, or a folder that they
    change for a link while it is removed. Neither is a folder of this user's.
    """
    for file in Path(tempfile.gettempdir()).glob(f"{PREFIX}*/{OWNER}"):
        with contextlib.suppress(OSError, UnicodeDecodeError):  # another sweep is faster
            about = file.parent.lstat()
            if not stat.S_ISDIR(about.st_mode) or about.st_uid != os.geteuid():
                continue
            owner = Owner.parse(file.read_text(encoding="utf-8"))
            if owner and not owner.alive():
                _remove(file.parent)


def _remove(left: Path) -> None:
    """The name of the owner goes last: a sweep that is cut short is gone on with by the next."""
    for entry in left.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        elif entry.name != OWNER:
            entry.unlink()
    shutil.rmtree(left)
