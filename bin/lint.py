"""`make lint`: our own code, workflows and Dockerfiles. Every tool runs, then the result is told."""

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import lab_environment

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
PYTHON = ("src", "bin", "lab", "action", "tests", "bench")


def dockerfiles() -> list[str]:
    """The example Dockerfiles."""
    return sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("examples/**/*Dockerfile"))


def workflows() -> list[str]:
    """The workflow files."""
    return sorted(str(path.relative_to(ROOT)) for path in ROOT.glob(".github/workflows/*.yml"))


def checks() -> dict[str, list[str]]:
    """Each check by its name, as a command."""
    found = {
        "ruff check": [f"{BIN}/ruff", "check", *PYTHON],
        "ruff format": [f"{BIN}/ruff", "format", "--check", *PYTHON],
        "mypy": [f"{BIN}/mypy"],
        "import-linter": [f"{BIN}/lint-imports", "--no-cache"],
        "hadolint": [f"{BIN}/hadolint", *dockerfiles()],
        "action schema": [f"{BIN}/check-jsonschema", "--builtin-schema", "vendor.github-actions", "action.yml"],
        "zizmor": [f"{BIN}/zizmor", "--offline", "--quiet", "action.yml", *workflows()],
    }
    if workflows():
        schema = ["--builtin-schema", "vendor.github-workflows", *workflows()]
        found["workflow schema"] = [f"{BIN}/check-jsonschema", *schema]
        found["actionlint"] = ["actionlint", *workflows()]
    return found


def environment() -> dict[str, str]:
    """The engine's environment where it is up (it brings actionlint), else this process' own."""
    return lab_environment.load() if (ROOT / ".lab" / "env").exists() else dict(os.environ)


def main() -> int:
    """Run all checks, two at once; 0 when all passed."""
    env = environment()

    def run(item: tuple[str, list[str]]) -> tuple[str, int, str]:
        name, command = item
        if shutil.which(command[0], path=env.get("PATH")) is None:
            return name, 1, f"there is no {command[0]}: `make lab` brings it, or `make setup`"
        done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
        return name, done.returncode, done.stdout + done.stderr

    with ThreadPoolExecutor(max_workers=2) as pool:
        results = list(pool.map(run, checks().items()))
    for name, code, output in results:
        print(f"{'ok    ' if code == 0 else 'FAILED'}  {name}")
        if code:
            print("\n".join(f"        {line}" for line in output.strip().splitlines()[-60:]))
    return int(any(code for _, code, _ in results))


if __name__ == "__main__":
    sys.exit(main())
