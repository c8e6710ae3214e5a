"""What tests need beside Python: Debian packages, npm packages and pip-audit. `make test` calls it; idempotent.

The npm packages are those of tests/npm, in a folder of the user's cache that is named by their lock; tests ask
`npm_folder()` where.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NPM = ROOT / "tests" / "npm"
# Command that shows that the Debian package is there.
DEBIAN = {
    "busybox": "busybox-static", "chromium": "chromium", "fish": "fish", "ip": "iproute2", "mandoc": "mandoc",
    "openssl": "openssl", "zsh": "zsh",
}  # fmt: skip
APT = ("apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=3")


def cache() -> Path:
    """The user's cache folder of this project (XDG base directory specification)."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if base.startswith("/") else Path.home() / ".cache") / "ci-buildkit"


def npm_folder() -> Path:
    """The folder whose `node_modules` holds the packages of tests/npm/package-lock.json."""
    names = ("package.json", "package-lock.json")
    digest = hashlib.sha256(b"".join((NPM / name).read_bytes() for name in names)).hexdigest()[:16]
    return cache() / f"test-npm-{digest}"


def run(*command: "str | Path", cwd: Path = ROOT) -> None:
    """Run quietly; a failure prints what the tool said and ends this."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(
        [str(word) for word in command], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"test tools: {command[0]} failed\n{done.stdout}{done.stderr}")


def debian() -> None:
    """Install the Debian packages whose commands are missing."""
    missing = [package for command, package in DEBIAN.items() if shutil.which(command) is None]
    if not missing:
        return
    if shutil.which("apt-get") is None:
        sys.exit(f"test tools: {' '.join(missing)} missing, and there is no apt-get: install them and try again")
    run(*APT, "update")
    run(*APT, "install", "-y", "--no-install-recommends", *missing)


def npm() -> None:
    """Install the npm packages, as a whole or not at all."""
    folder = npm_folder()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / "test-npm.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if folder.exists():
            return
        with tempfile.TemporaryDirectory(prefix="test-npm-", dir=folder.parent) as name:
            work = Path(name) / "made"
            work.mkdir()
            for file in ("package.json", "package-lock.json"):
                shutil.copy(NPM / file, work)
            run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", cwd=work)
            work.rename(folder)


def main() -> int:
    """Install what is missing; returns 0, ends with a message where something cannot be installed."""
    debian()
    npm()
    run("make", ".venv/audit/.done")
    return 0


if __name__ == "__main__":
    sys.exit(main())
