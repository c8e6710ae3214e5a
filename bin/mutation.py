"""`make mutation`: change the code in small ways and see whether a test fails; writes `docs/mutation.json` and the page of it.

What is changed: the plan, the gates, the counting of results and the encoders. mutmut makes the changes and runs the tests of
each part in a copy of the working tree. It takes most of an hour. With names of parts only those are done anew. A folder given
with `--folder` is kept: where it holds an earlier run of the part, only what is new and what nothing noticed is tried again.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import survivors

ROOT = Path(__file__).resolve().parent.parent
MEASURED = ROOT / "docs" / "mutation.json"
PAGE = ROOT / "docs" / "mutation.md"
WANTED = 0.85
CONFIGURATION = """
[tool.mutmut]
source_paths = {sources}
pytest_add_cli_args_test_selection = {tests}
pytest_add_cli_args = ["-p", "no:cacheprovider", "-x", "-q", "--timeout=10"]
timeout_constant = 10
process_isolation = "forkserver"  # the Go library that reads Dockerfiles hangs in a fork of a process that has used it
also_copy = ["src", "tests", "bin", "docs", "lab", "action", "actions", "examples", "requirements", "pyproject.toml", "action.yml"]
"""


@dataclass(frozen=True)
class Part:
    """Modules below `src/ci_buildkit`, and the tests below `tests/unit` that must notice."""

    modules: tuple[str, ...]
    tests: tuple[str, ...]


PARTS = {
    "plan": Part(("plan/kinds.py", "plan/stages.py", "plan/bake.py", "plan/matrix.py", "plan/platforms.py", "plan/images.py", "plan/dockerfile.py"), ("plan/test_kinds.py", "plan/test_stages.py", "plan/test_passed.py", "plan/test_bake.py", "plan/test_matrix.py", "plan/test_images.py", "plan/test_dockerfile.py", "plan/test_description.py", "plan/test_attestations.py")),
    "gates": Part(("pipeline/judge.py", "pipeline/policies.py", "pipeline/criticalpath.py"), ("pipeline/test_judge.py", "pipeline/test_policies.py", "pipeline/test_criticalpath.py")),
    "counting": Part(("results/attempts.py", "results/collect.py", "results/model.py", "results/policy.py", "results/quarantine.py", "findings/policy.py", "findings/baseline.py", "findings/found.py"), ("results/test_attempts.py", "results/test_collect.py", "results/test_junit.py", "results/test_policy.py", "results/test_quarantine.py", "findings/test_policy.py", "findings/test_baseline.py", "findings/test_found.py", "test_false_green.py")),
    "encoders": Part(("report/markdown.py", "report/text.py", "results/junit_writer.py", "results/ctrf_writer.py", "findings/sarif.py", "findings/sarif_result.py", "github/runner.py", "github/annotate.py"), ("report/test_markdown.py", "report/test_text.py", "results/test_junit_writer.py", "results/test_ctrf.py", "findings/test_sarif_writer.py", "github/test_runner.py", "github/test_annotate.py")),
}  # fmt: skip


def measure(part: Part, folder: Path, jobs: int | None) -> dict[str, Any]:
    """How many changes there were, how many a test noticed, and those that none did. Raises on a broken run."""
    copy(folder)
    text = CONFIGURATION.format(
        sources=json.dumps([f"src/ci_buildkit/{module}" for module in part.modules]),
        tests=json.dumps([f"tests/unit/{test}" for test in part.tests]),
    )
    with (folder / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write(text)
    earlier = states(folder) if (folder / "mutants").exists() else {}
    run = ["run", *(["--max-children", str(jobs)] if jobs else [])]
    mutmut(folder, *run)
    # mutmut keeps what it found, though the tests may have become better, and the machine quieter.
    tried = {name for name, state in earlier.items() if state not in {"killed", UNTRIED}}
    if doubtful := [name for name, state in states(folder).items() if state != "killed" and name in tried]:
        mutmut(folder, *run, *doubtful)
    return counted(states(folder), folder / "mutants" / "src")


def copy(folder: Path) -> None:
    """The working tree, without what Git ignores."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    ).stdout
    names = b"\0".join(name for name in listed.split(b"\0") if name and (ROOT / name.decode()).exists())
    archive = subprocess.run(
        ["tar", "-c", "--null", "-T", "-"], cwd=ROOT, input=names, check=True, capture_output=True
    ).stdout
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["tar", "-x"], cwd=folder, input=archive, check=True)
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)  # the package asks Git where it is


def mutmut(folder: Path, *words: str) -> str:
    """What mutmut says. Raises where it fails: a test that fails without a change, most of all."""
    program = str(Path(sys.executable).parent / "mutmut")
    ran = subprocess.run([program, *words], cwd=folder, check=False, capture_output=True, text=True)
    if ran.returncode:
        sys.stderr.write((ran.stdout + ran.stderr)[-5000:])
        ran.check_returncode()
    return ran.stdout


def states(folder: Path) -> dict[str, str]:
    """What became of each change that mutmut knows."""
    lines = mutmut(folder, "results", "--all", "true").splitlines()
    return dict(line.strip().rsplit(": ", 1) for line in lines if ": " in line)


UNTRIED = "not checked"  # where mutmut was interrupted
# A change that made a test take too long was noticed, too.
NOTICED = frozenset({"killed", "timeout", "suspicious"})


def counted(found: dict[str, str], sources: Path) -> dict[str, Any]:
    """The states of changes as numbers, and what the changes are that nothing noticed."""
    tried = {name: state for name, state in found.items() if state != UNTRIED}
    left = {name: state for name, state in tried.items() if state not in NOTICED}
    untried = {"untried": len(found) - len(tried)} if len(tried) < len(found) else {}
    return {
        "changes": len(tried),
        "noticed": len(tried) - len(left),
        **untried,
        "survivors": survivors.changes(left, sources),
    }


def share(found: dict[str, Any]) -> float:
    """The part of the changes that was noticed, 0 to 1."""
    return float(found["noticed"] / max(found["changes"], 1))


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
        lines.append(f"| {name} | {modules} | {found['changes']:,} | {share(found):.0%} |")
    untried = [f"{name} {found['untried']:,}" for name, found in measured.items() if "untried" in found]
    lines += ["", f"Interrupted, so that changes were not tried: {', '.join(untried)}."] if untried else []
    lines += ["", "## Not noticed", "", "Each is what stood there and what it became, cut to where they differ.", ""]
    for name, found in measured.items():
        lines += [f"### {name}", "", *survivors.listed(found["survivors"])]
    return "\n".join(lines)


def main(words: Sequence[str]) -> int:
    """Measure the named parts, or all; 1 where fewer than 85 of 100 changes were noticed."""
    parser = argparse.ArgumentParser(description="Change the code in small ways: a test must fail.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"what is measured anew: {', '.join(PARTS)}")
    parser.add_argument("--folder", type=Path, help="work in DIR/PART and keep it; only survivors are tried again")
    parser.add_argument("--jobs", type=int, help="changes that are tried at the same time")
    given = parser.parse_args(words)
    if unknown := set(given.parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    for name in given.parts or PARTS:
        if given.folder:
            found = measure(PARTS[name], given.folder.resolve() / name, given.jobs)
        else:
            with tempfile.TemporaryDirectory(prefix="ci-buildkit-mutation-") as folder:
                found = measure(PARTS[name], Path(folder), given.jobs)
        print(f"{name}: {share(found):.1%} of {found['changes']:,} changes noticed", flush=True)
        # Read only now: another part may have been measured meanwhile.
        measured = json.loads(MEASURED.read_text(encoding="utf-8")) if MEASURED.exists() else {}
        measured = {part: found if part == name else measured[part] for part in PARTS if part in {*measured, name}}
        MEASURED.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
        PAGE.write_text(page(measured), encoding="utf-8")
    return int(any(share(found) < WANTED for found in measured.values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
