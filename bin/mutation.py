"""`make mutation`: change the code in small ways and see whether a test fails; writes `docs/mutation.json` and the page of it.

What is changed: the plan, the gates, the counting of results and the encoders. mutmut makes the changes and runs the tests of
each part in a copy of what is committed. It takes most of an hour; with names of parts only those are done anew.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
MEASURED = ROOT / "docs" / "mutation.json"
PAGE = ROOT / "docs" / "mutation.md"
WANTED = 0.85
CONFIGURATION = """
[tool.mutmut]
source_paths = {sources}
pytest_add_cli_args_test_selection = {tests}
pytest_add_cli_args = ["-p", "no:cacheprovider", "-x", "-q"]
also_copy = ["src", "tests", "bin", "docs", "lab", "action", "actions", "examples", "requirements", "pyproject.toml", "action.yml"]
"""


@dataclass(frozen=True)
class Part:
    """Modules below `src/ci_buildkit`, and the tests below `tests/unit` that must notice."""

    modules: tuple[str, ...]
    tests: tuple[str, ...]


PARTS = {
    "plan": Part(("plan/kinds.py", "plan/stages.py", "plan/bake.py", "plan/matrix.py", "plan/platforms.py", "plan/images.py"), ("plan",)),
    "gates": Part(("pipeline/judge.py", "pipeline/policies.py", "pipeline/criticalpath.py"), ("pipeline/test_judge.py", "pipeline/test_policies.py", "pipeline/test_criticalpath.py")),
    "counting": Part(("results/attempts.py", "results/collect.py", "results/policy.py", "results/quarantine.py"), ("results/test_attempts.py", "results/test_claims.py", "results/test_junit.py", "results/test_read.py", "results/test_policy.py", "results/test_quarantine.py", "test_false_green.py")),
    "encoders": Part(("report/markdown.py", "report/text.py", "results/junit_writer.py", "github/runner.py"), ("report/test_text.py", "report/test_summary.py", "results/test_junit_writer.py", "github/test_runner.py")),
}  # fmt: skip


def measure(part: Part) -> dict[str, Any]:
    """How many changes there were, how many a test noticed, and those that none did. Raises on a broken run."""
    with tempfile.TemporaryDirectory(prefix="ci-buildkit-mutation-") as name:
        folder = Path(name)
        archive = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, check=True, capture_output=True).stdout
        subprocess.run(["tar", "-x"], cwd=folder, input=archive, check=True)
        subprocess.run(["git", "init", "-q"], cwd=folder, check=True)  # the package asks Git where it is
        text = CONFIGURATION.format(
            sources=json.dumps([f"src/ci_buildkit/{module}" for module in part.modules]),
            tests=json.dumps(
                [f"tests/unit/{test}" for test in part.tests if (folder / "tests" / "unit" / test).exists()]
            ),
        )
        with (folder / "pyproject.toml").open("a", encoding="utf-8") as file:
            file.write(text)
        mutmut = [str(Path(sys.executable).parent / "mutmut")]
        subprocess.run([*mutmut, "run"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        told = subprocess.run(
            [*mutmut, "results", "--all", "true"], cwd=folder, check=True, capture_output=True, text=True
        )
    return counted(told.stdout.splitlines())


def counted(lines: Sequence[str]) -> dict[str, Any]:
    """mutmut's list `NAME: STATE` as numbers; a change that only made tests take too long was noticed, too."""
    states = dict(line.strip().rsplit(": ", 1) for line in lines if ": " in line)
    survivors = sorted(name for name, state in states.items() if state not in {"killed", "timeout", "suspicious"})
    return {"changes": len(states), "noticed": len(states) - len(survivors), "survivors": survivors}


def page(measured: dict[str, Any]) -> str:
    """`docs/mutation.md`."""
    lines = [
        "# Mutation testing",
        "",
        "Written by `make mutation` from `docs/mutation.json`: mutmut changes the code in small ways, and a test must fail.",
        "",
        "| Part | Modules | Changes | Noticed |",
        "| --- | --- | ---: | ---: |",
    ]
    for name, found in measured.items():
        modules = ", ".join(f"`{module}`" for module in PARTS[name].modules)
        lines.append(
            f"| {name} | {modules} | {found['changes']:,} | {found['noticed'] / max(found['changes'], 1):.0%} |"
        )
    lines += ["", "## Not noticed", ""]
    for name, found in measured.items():
        lines += [f"### {name}", "", *(f"- `{survivor}`" for survivor in found["survivors"]), ""]
    return "\n".join(lines)


def main(names: Sequence[str]) -> int:
    """Measure the named parts, or all; 1 where fewer than 85 of 100 changes were noticed."""
    measured: dict[str, Any] = json.loads(MEASURED.read_text(encoding="utf-8")) if MEASURED.exists() else {}
    for name in names or PARTS:
        measured[name] = measure(PARTS[name])
        share = measured[name]["noticed"] / max(measured[name]["changes"], 1)
        print(f"{name}: {share:.1%} of {measured[name]['changes']:,} changes noticed", flush=True)
        MEASURED.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
        PAGE.write_text(page(measured), encoding="utf-8")
    return int(any(found["noticed"] < WANTED * found["changes"] for found in measured.values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
