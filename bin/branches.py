"""`make coverage`: the share of the package's branches that the unit and contract tests go through, package by package.

End-to-end tests go through more, on the engine, and are not counted: a rule of ours must have a test that needs no engine.
Afterwards `.venv/bin/coverage report --show-missing --skip-covered` names the branches that nothing goes through.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = PurePath("src/ci_buildkit")
REPORT = ROOT / ".coverage" / "report.json"
WANTED = 0.90


def by_package(files: Mapping[str, Any]) -> dict[str, tuple[int, int]]:
    """Branches gone through, and all branches, of each package; modules that are in none count together as `ci_buildkit`."""
    taken: Counter[str] = Counter()
    every: Counter[str] = Counter()
    for name, file in files.items():
        parts = PurePath(name).relative_to(PACKAGE).parts
        package = parts[0] if len(parts) > 1 else PACKAGE.name
        taken[package] += file["summary"]["covered_branches"]
        every[package] += file["summary"]["num_branches"]
    return {package: (taken[package], every[package]) for package in sorted(every) if every[package]}


def main() -> int:
    """Run the tests; their exit code where one fails, 1 where fewer than 90 of 100 branches were gone through."""
    REPORT.parent.mkdir(exist_ok=True)
    measured = ("--cov", f"--cov-report=json:{REPORT}")
    tests = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "2", *measured, "tests/unit", "tests/contract"],
        cwd=ROOT,
        check=False,
    )
    if tests.returncode:
        return tests.returncode
    files = json.loads(REPORT.read_text(encoding="utf-8"))["files"]
    packages = by_package(files)
    for package, (taken, every) in packages.items():
        print(f"{package:<12} {taken / every:6.1%}  {taken:,} of {every:,}")
    taken, every = (sum(numbers) for numbers in zip(*packages.values(), strict=True))
    print(f"{'all':<12} {taken / every:6.1%}  {taken:,} of {every:,}; {WANTED:.0%} are wanted")
    return int(taken / every < WANTED)


if __name__ == "__main__":
    sys.exit(main())
