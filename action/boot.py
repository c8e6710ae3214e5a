"""Make the action's Python environment from the hashed locks, or find the one that an earlier run made.

Standard library only: it runs before anything is installed. The environment lives in the runner's tool cache, in a
folder named after what defines it (the locks and the interpreter), so a second use costs one look at the disk. The
package itself is never built or installed; it runs from the action's `src`.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TYPE_CHECKING = False  # importing typing would cost a third of the warm boot
if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parent.parent
BOOT_LOCK = ROOT / "requirements" / "boot.txt"
RUNTIME_LOCK = ROOT / "requirements" / "runtime.txt"
UNUSED_SECONDS = 30 * 24 * 3600  # environments that nobody used for so long are removed when a new one is made


class BootError(Exception):
    """The environment cannot be made; the text says why and what to do."""


def key(*locks: Path) -> str:
    """What an environment is named after: the locks' content and the interpreter, as 16 hexadecimal digits."""
    digest = hashlib.sha256()
    for lock in locks:
        digest.update(lock.read_bytes())
    interpreter = getattr(sys, "_base_executable", None) or sys.executable
    digest.update("\0".join((sys.version, platform.platform(), os.path.realpath(interpreter))).encode())
    return digest.hexdigest()[:16]


def cache_folder(environ: Mapping[str, str]) -> Path:
    """The first writable folder of the tool cache, the job's temporary folder and the user's cache.

    Raises BootError when none can be written.
    """
    candidates = [environ.get("RUNNER_TOOL_CACHE"), environ.get("RUNNER_TEMP"), environ.get("XDG_CACHE_HOME")]
    candidates.append(str(Path(environ["HOME"], ".cache")) if environ.get("HOME") else None)
    for candidate in filter(None, candidates):
        folder = Path(str(candidate), "ci-buildkit", "boot")
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK | os.X_OK):
            return folder
    tried = ", ".join(str(c) for c in candidates if c) or "RUNNER_TOOL_CACHE and HOME are not set"
    msg = f"No folder for the action's Python environment can be written ({tried}). Set RUNNER_TOOL_CACHE."
    raise BootError(msg)


def tool_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment for pip and uv: pip's index and certificate settings hold for uv where it has none of its own."""
    result = {name: value for name, value in environ.items() if name not in {"PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV"}}
    result |= {
        "PIP_USER": "0",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_NO_CONFIG": "1",
    }
    if "PIP_INDEX_URL" in environ and not {"UV_DEFAULT_INDEX", "UV_INDEX_URL"} & environ.keys():
        result["UV_DEFAULT_INDEX"] = environ["PIP_INDEX_URL"]
    if "PIP_CERT" in environ:
        result.setdefault("SSL_CERT_FILE", environ["PIP_CERT"])
    return result


def run(command: list[str | Path], environ: Mapping[str, str]) -> None:
    """Run one tool quietly. Raises BootError with the end of what it said."""
    done = subprocess.run(
        [str(part) for part in command], env=dict(environ), capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = "\n".join((done.stdout + done.stderr).strip().splitlines()[-15:])
        msg = (
            f"Installing the action's locked dependencies failed: {Path(command[0]).name} ended with {done.returncode}. "
            f"Check that the package index can be reached (PIP_INDEX_URL or UV_DEFAULT_INDEX name another).\n{said}"
        )
        raise BootError(msg)


def pip_command(scratch: Path, environ: Mapping[str, str]) -> list[str | Path]:
    """How to call pip: the interpreter's own, else the one that a new virtual environment brings.

    Raises BootError when there is neither, as on a Debian machine without python3-pip and python3-venv.
    """
    if (
        subprocess.run([sys.executable, "-I", "-m", "pip", "--version"], capture_output=True, check=False).returncode
        == 0
    ):
        return [sys.executable, "-I", "-m", "pip"]
    try:
        run([sys.executable, "-I", "-m", "venv", scratch / "pip"], environ)
    except BootError as error:
        msg = (
            f"{sys.executable} has neither pip nor a working venv module, so uv cannot be installed. Install python3-pip "
            "or python3-venv, put uv on PATH, or add a step with actions/setup-python before ci-buildkit."
        )
        raise BootError(msg) from error
    return [scratch / "pip" / "bin" / "python", "-I", "-m", "pip"]


def into_place(made: Path, folder: Path) -> None:
    """Give a finished folder its name. Another job may have been faster: then its folder, which is the same, stays."""
    try:
        made.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise


def uv(folder: Path, scratch: Path, environ: Mapping[str, str]) -> Path:
    """The uv to install with: the machine's, else the locked one, which pip puts beside the environments."""
    found = shutil.which("uv", path=environ.get("PATH"))
    if found:
        return Path(found)
    home = folder / f"uv-{key(BOOT_LOCK)}"
    program = home / "bin" / "uv"
    if not os.access(program, os.X_OK):
        pip = pip_command(scratch, environ)
        run(
            [*pip, "install", "--quiet", "--require-hashes", "--no-deps", "--target", scratch / "uv", "-r", BOOT_LOCK],
            environ,
        )
        into_place(scratch / "uv", home)
    return program


def make(folder: Path, target: Path, environ: Mapping[str, str]) -> None:
    """Make the environment beside its place and move it there, so that a half-made one is never used."""
    with tempfile.TemporaryDirectory(dir=folder, prefix="new-") as name:
        scratch = Path(name)
        installer = uv(folder, scratch, environ)
        python = scratch / "venv" / "bin" / "python"
        run([installer, "venv", "--quiet", "--no-project", "--python", sys.executable, scratch / "venv"], environ)
        run(
            [
                installer,
                "pip",
                "sync",
                "--quiet",
                "--compile-bytecode",
                "--require-hashes",
                "--python",
                python,
                RUNTIME_LOCK,
            ],
            environ,
        )
        into_place(scratch / "venv", target)


def sweep(folder: Path, now: float) -> None:
    """Remove environments that nobody used for a month, and what killed runs left half-made for a day."""
    for entry in folder.iterdir():
        age = now - entry.stat().st_mtime
        if age > (24 * 3600 if entry.name.startswith("new-") else UNUSED_SECONDS):
            shutil.rmtree(entry, ignore_errors=True)


def environment(environ: Mapping[str, str]) -> Path:
    """The interpreter with the locked dependencies; makes them available where they are not. Raises BootError."""
    folder = cache_folder(environ)
    target = folder / f"python-{key(RUNTIME_LOCK)}"
    python = target / "bin" / "python"
    if not os.access(python, os.X_OK):
        shutil.rmtree(target, ignore_errors=True)  # its interpreter is gone
        make(folder, target, tool_environment(environ))
        sweep(folder, time.time())
    os.utime(target)
    return python


def wants_github_cache(environ: Mapping[str, str]) -> bool:
    """Whether the inputs or the files that options stand in name GitHub's cache, whose token only an action is given.

    A wrong guess costs nothing but the step that passes the token on.
    """

    def option(name: str) -> str:
        return environ.get(f"CI_BUILDKIT_INPUT_{name}") or environ.get(f"CI_BUILDKIT_{name}") or ""

    context, bake = Path(option("CONTEXT") or "."), option("BAKE_FILE")
    files = [context / name for name in ("ci-buildkit.yml", "docker-bake.hcl", "docker-bake.json")]
    files += [Path(bake), context / bake] if bake else []
    texts = [option("CACHE_FROM"), option("CACHE_TO")]
    texts += [file.read_text(encoding="utf-8", errors="replace") for file in files if file.is_file()]
    return any("type=gha" in text or '"gha"' in text for text in texts)


def main(environ: Mapping[str, str]) -> int:
    """Write the outputs `python` and `github-cache`. Returns 0, or 4 with an error annotation."""
    started = time.monotonic()
    try:
        python = environment(environ)
        cache = str(wants_github_cache(environ)).lower()
    except (BootError, OSError) as error:
        first, _, rest = str(error).partition("\n")
        sys.stdout.write(rest + "\n" if rest else "")
        sys.stdout.write(f"::error title=ci-buildkit::{first.replace('%', '%25')}\n")
        return 4
    output = environ.get("GITHUB_OUTPUT")
    if output:
        with Path(output).open("a", encoding="utf-8") as stream:
            stream.write(f"python={python}\ngithub-cache={cache}\n")
    version = ".".join(str(part) for part in sys.version_info[:3])
    sys.stdout.write(
        f"ci-buildkit runs on Python {version} in {python.parent.parent} ({time.monotonic() - started:.1f} s)\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(os.environ))
