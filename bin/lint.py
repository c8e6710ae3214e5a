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
DEPENDABOT = ".github/dependabot.yml"
SETTINGS = "docs/reference/ci-buildkit.schema.json"
PYTHON = ("src", "bin", "lab", "action", "tests", "bench")


def files(*patterns: str) -> list[str]:
    """The files of the repository that match one of the globs, as paths inside it."""
    return sorted({str(path.relative_to(ROOT)) for pattern in patterns for path in ROOT.glob(pattern)})


def checks() -> dict[str, list[str]]:
    """Each check by its name, as a command."""
    dockerfiles = files("Dockerfile", "examples/**/*Dockerfile", "bench/**/*Dockerfile")
    actions = files("action.yml", "actions/*/action.yml", "lab/*/action.yml")
    workflows = files(".github/workflows/*.yml", "workflow-templates/*.yml", "examples/**/.github/workflows/*.yml")
    schema = [f"{BIN}/check-jsonschema", "--builtin-schema"]
    return {
        "ruff check": [f"{BIN}/ruff", "check", *PYTHON],
        "ruff format": [f"{BIN}/ruff", "format", "--check", *PYTHON],
        "mypy": [f"{BIN}/mypy"],
        "import-linter": [f"{BIN}/lint-imports", "--no-cache"],
        "hadolint": [f"{BIN}/hadolint", *dockerfiles],
        "action schema": [*schema, "vendor.github-actions", *actions],
        "settings schema": [f"{BIN}/check-jsonschema", "--schemafile", SETTINGS, *files("examples/**/ci-buildkit.yml")],
        "workflow schema": [*schema, "vendor.github-workflows", *workflows],
        "dependabot schema": [*schema, "vendor.dependabot", DEPENDABOT],
        "workflows as made": [sys.executable, "bin/workflows.py", "--check"],
        "actionlint": ["actionlint", *workflows],
        "YAML in pages": [sys.executable, "bin/page_workflows.py"],
        # Pedantic: each finding is mended, or ignored with its reason beside the line or in .github/zizmor.yml.
        "zizmor": [f"{BIN}/zizmor", "--offline", "--quiet", "--persona=pedantic", DEPENDABOT, *actions, *workflows],
        "workflows of init": [sys.executable, "bin/init_workflows.py"],
    }


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
