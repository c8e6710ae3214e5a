"""Where a run writes before its report is put in place as a whole.

Outside every build context: an output folder inside one would change the context and bust the next build's cache.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

from ci_buildkit.errors import ConfigurationError, OutputError
from ci_buildkit.problem import Problem

MARKER = "run.json"


class Staging:
    """The temporary folders of one run: `report` becomes the report, `work` is thrown away."""

    def __init__(self) -> None:
        """Make them. Raises OutputError where the temporary folder is not writable."""
        try:
            self.top = Path(tempfile.mkdtemp(prefix="ci-buildkit-"))
            self.report = self.top / "report"
            self.work = self.top / "work"
            for folder in (self.report / "logs", self.report / "results", self.work):
                folder.mkdir(parents=True)
        except OSError as error:
            raise OutputError(
                f"no temporary folder can be made: {error}", hint="set TMPDIR to a folder with space"
            ) from error

    def put(self, target: Path) -> None:
        """Move the report to `target`, replacing the last one. Raises OutputError and keeps the staged report.

        It is copied beside the target first, so that a reader never sees half of it.
        """
        beside = target.with_name(f".{target.name}.{os.getpid()}.new")
        old = target.with_name(f".{target.name}.{os.getpid()}.old")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copytree(self.report, beside)
            if target.exists():
                target.rename(old)
            beside.rename(target)
        except OSError as error:
            shutil.rmtree(beside, ignore_errors=True)
            if old.exists() and not target.exists():
                with contextlib.suppress(OSError):
                    old.rename(target)
            kept = self.report
            self.report = self.top / "put"
            raise OutputError(
                f"the report cannot be written to {target}: {error}", hint=f"it was kept in {kept}"
            ) from error
        shutil.rmtree(old, ignore_errors=True)

    def remove(self) -> None:
        """Throw everything away, unless the report could not be put in place."""
        shutil.rmtree(self.work, ignore_errors=True)
        if self.report.name == "report":
            shutil.rmtree(self.top, ignore_errors=True)


def check_target(target: Path, context: Path) -> None:
    """Raise ConfigurationError where the report folder cannot be used: nothing of the user's is ever replaced."""
    resolved = target.resolve()
    if resolved == context.resolve() or resolved in context.resolve().parents:
        raise ConfigurationError(
            f"the report folder {target} holds the build context", hint="name another folder with --report-dir"
        )
    if resolved.exists() and not resolved.is_dir():
        raise ConfigurationError(f"the report folder {target} is a file", hint="name another folder with --report-dir")
    if resolved.is_dir() and any(resolved.iterdir()) and not (resolved / MARKER).is_file():
        raise ConfigurationError(
            f"the folder {target} is not empty and holds no earlier report",
            hint="name another folder with --report-dir",
        )
    parent = next(folder for folder in (resolved, *resolved.parents) if folder.exists())
    where = parent.parent if parent == resolved else parent
    if not os.access(where, os.W_OK):
        raise ConfigurationError(f"the report folder {target} is not writable: no permission to write in {where}")


def context_warning(target: Path, context: Path) -> Problem | None:
    """The warning for a report folder that the context would send to BuildKit on the next run; None where it is fine."""
    try:
        inside = target.resolve().relative_to(context.resolve()).as_posix()
    except ValueError:
        return None
    ignore = context / ".dockerignore"
    lines = ignore.read_text(encoding="utf-8", errors="replace").splitlines() if ignore.is_file() else []
    if _ignored(inside, [line.strip() for line in lines]):
        return None
    return Problem(
        str(ignore),
        "inconsistent",
        f"the report folder lies in the build context and busts its cache; add the line {inside}/",
    )


def _ignored(path: str, lines: list[str]) -> bool:
    """Whether a .dockerignore leaves a folder out (the last matching pattern decides; docs of .dockerignore)."""
    from fnmatch import fnmatch

    ignored = False
    for line in lines:
        if not line or line.startswith("#"):
            continue
        pattern = line.lstrip("!").strip("/").removeprefix("./")
        parts = path.split("/")
        prefixes = ["/".join(parts[: n + 1]) for n in range(len(parts))]
        candidates = [pattern.removeprefix("**/")] if pattern.startswith("**/") else [pattern]
        names = prefixes + parts if pattern.startswith("**/") else prefixes
        if any(fnmatch(name, p.removesuffix("/**")) for name in names for p in candidates):
            ignored = not line.startswith("!")
    return ignored
