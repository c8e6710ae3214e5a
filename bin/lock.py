"""Write the hashed requirement files from the .in files. No index address goes into them."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UV = ROOT / ".venv" / "bin" / "uv"
# In their order, each with the lock that it contains: what users run is the very thing that tests and benchmarks run.
NAMES = {"boot": "", "runtime": "", "dev": "runtime", "bench": "dev", "audit": ""}


def main() -> int:
    """Lock each .in file for Python 3.11 and newer; returns 0, raises when uv cannot resolve."""
    for name, narrower in NAMES.items():
        source = Path("requirements", f"{name}.in")
        subprocess.run(
            [
                UV,
                "pip",
                "compile",
                "--quiet",
                "--universal",
                "--python-version=3.11",
                "--generate-hashes",
                "--no-emit-index-url",
                "--no-emit-find-links",
                "--no-annotate",
                "--custom-compile-command",
                "make lock",
                source,
                *([f"--constraints=requirements/{narrower}.txt"] if narrower else []),
                "--output-file",
                source.with_suffix(".txt"),
            ],
            cwd=ROOT,
            check=True,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
