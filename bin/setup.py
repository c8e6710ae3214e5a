"""Make .venv from the hashed locks: pip installs uv (hashed), uv installs the rest, the package itself is linked in."""

import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BIN = VENV / "bin"
REQUIREMENTS = ROOT / "requirements"


def run(*args: "str | Path") -> None:
    """Run quietly; a failure prints what the tool said and ends the set-up."""
    done = subprocess.run([str(a) for a in args], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"setup: {args[0]} failed\n{done.stdout}{done.stderr}")


def main() -> None:
    """Create or update .venv; idempotent."""
    if sys.version_info < (3, 11):  # noqa: UP036 - this file runs before anything was checked
        sys.exit(
            f"setup: Python 3.11 or newer is needed, this is {sys.version.split()[0]}: make setup PYTHON=python3.12"
        )
    (VENV / ".done").unlink(missing_ok=True)
    if not (BIN / "uv").exists():
        venv.create(VENV, with_pip=True, symlinks=True)
        run(BIN / "python", "-m", "pip", "install", "--quiet", "--require-hashes", "-r", REQUIREMENTS / "boot.txt")
    # `sync` would remove uv and pip, so the boot lock is part of what is synced.
    run(
        BIN / "uv",
        "pip",
        "sync",
        "--quiet",
        "--compile-bytecode",
        "--require-hashes",
        "--python",
        BIN / "python",
        REQUIREMENTS / "boot.txt",
        REQUIREMENTS / "dev.txt",
    )
    run(
        BIN / "uv",
        "pip",
        "install",
        "--quiet",
        "--python",
        BIN / "python",
        "--no-deps",
        "--no-build-isolation",
        "--editable",
        ROOT,
    )
    (VENV / ".done").touch()


if __name__ == "__main__":
    main()
