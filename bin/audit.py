"""`make audit`: what is locked in requirements/ against what is known of it.

What needs no service: every requirement has one version and hashes, no address is named, users run the versions that tests
run, in the range that the package's metadata promises. What the package index says: nothing that is locked was withdrawn,
licences are known, and no package that users run has to be built. What OSV says: no version has a known weakness.

Exit code 0 when all is well, 1 when anything was found, 2 when nothing was found but something could not be asked.
"""

from __future__ import annotations

import argparse
import itertools
import json
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import locked
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "requirements"
# An environment of its own, so that what asks is not among what is asked about: the Makefile makes it.
BIN = ROOT / ".venv" / "audit" / "bin"
# What the action installs on machines of others.
RUN = ("boot", "runtime")
LOCKS = (*RUN, "dev", "bench", "audit")
# Linux as GitHub's runners have it: the oldest and the newest Python that we support, on both machines. Wheels for an older
# C library fit, too.
PYTHONS = ("3.11", "3.14")
MACHINES = ("x86_64", "aarch64")
LIBRARIES = ("1", "2010", "2014", "_2_5", "_2_12", "_2_17", "_2_24", "_2_26", "_2_27", "_2_28", "_2_31", "_2_34")
# Packages that are published as source only, and why that is well.
BUILT = {"argparse-manpage": "makes the manual page on developers' machines; its build needs nothing but setuptools"}


# Where a package of those has no wheel, and what that means there.
WITHOUT_WHEEL = {("dockerfile", "aarch64"): "built there with Go, which GitHub's own runners have and others may not"}


@dataclass(frozen=True, slots=True)
class Result:
    """How one check ended: what was found, or why it could not be asked."""

    name: str
    found: Sequence[str] = ()
    unasked: str = ""


def text(name: str) -> str:
    """A lock."""
    return (REQUIREMENTS / f"{name}.txt").read_text(encoding="utf-8")


def without_service() -> list[Result]:
    """The checks that read files only."""
    pins = {name: locked.pins(text(name)) for name in LOCKS}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    loose = [f"{name}.txt: {line}" for name in LOCKS for line in locked.not_pinned(text(name))]
    empty = [f"{name}.txt pins nothing" for name, found in pins.items() if not found]
    return [
        Result("one version each, with hashes, and nothing else in a lock", [*loose, *empty]),
        Result(
            "users run what tests run",
            [
                f"dev.txt or bench.txt has not {one}"
                for tested in ("dev", "bench")
                for one in locked.disagreeing(pins["runtime"], pins[tested])
            ],
        ),
        Result(
            "versions in the range of pyproject.toml", locked.out_of_range(project["dependencies"], pins["runtime"])
        ),
    ]


def reports(pins: Sequence[locked.Pin], *options: str) -> tuple[list[dict[str, Any]], str]:
    """What pip would install of some pins, by its own report; and why not, where it would not."""
    with tempfile.TemporaryDirectory() as folder:
        lock, report = Path(folder, "lock.txt"), Path(folder, "report.json")
        lock.write_text("".join(f"{pin}\n" for pin in pins), encoding="utf-8")
        command = [
            f"{BIN}/python", "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed", "--no-deps",
            "--disable-pip-version-check", "--require-hashes", *options, f"--report={report}", f"--requirement={lock}",
        ]  # fmt: skip
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode or not report.is_file():
            return [], last_line(done.stderr + done.stdout) or f"pip ended with {done.returncode}"
        return json.loads(report.read_text(encoding="utf-8"))["install"], ""


def last_line(said: str) -> str:
    """What a program said last that is no notice of pip's."""
    lines = [line.strip() for line in said.splitlines() if line.strip() and not line.startswith("[notice]")]
    return lines[-1] if lines else ""


def of_index(name: str) -> list[Result]:
    """What the package index says of a lock's versions."""
    pins = locked.pins(text(name))
    found, trouble = reports(pins)
    if trouble:
        return [Result(f"{name}.txt: what the package index says", unasked=trouble)]
    wanted = {pin.name for pin in pins if pin.applies}
    named = {canonicalize_name(one["metadata"]["name"]): one for one in found}
    licences = {package: locked.licence(one["metadata"]) for package, one in named.items()}
    source = [package for package, one in named.items() if not one["download_info"]["url"].endswith(".whl")]
    return [
        Result(f"{name}.txt: the index has all of it", sorted(wanted - set(named))),
        Result(f"{name}.txt: none is withdrawn", [package for package, one in named.items() if one.get("is_yanked")]),
        Result(
            f"{name}.txt: licences are {'ones that users can take' if name in RUN else 'known'}",
            [
                f"{package}: {said or 'says nothing of its licence'}"
                for package, said in licences.items()
                if not (locked.accepted(said) if name in RUN else said)
            ],
        ),
        Result(f"{name}.txt: none but known ones has to be built", [one for one in source if one not in BUILT]),
    ]


def wheels(name: str) -> list[Result]:
    """Whether there is a wheel of everything for each machine: the source of a package would run its own code to build."""
    results = []
    for python, machine in itertools.product(PYTHONS, MACHINES):
        kinds = [f"--platform=manylinux{version}_{machine}" for version in LIBRARIES]
        wanted = [pin for pin in locked.pins(text(name)) if (pin.name, machine) not in WITHOUT_WHEEL]
        with tempfile.TemporaryDirectory() as target:
            options = ("--only-binary=:all:", f"--python-version={python}", *kinds, f"--target={target}")
            _, trouble = reports(wanted, *options)
        title = f"{name}.txt: wheels for Python {python} on {machine}"
        missing = trouble.startswith("ERROR: No matching distribution")
        results.append(Result(title, [trouble] if missing else [], "" if missing else trouble))
    return results


def weaknesses(name: str, service: str = "") -> Result:
    """What OSV knows of a lock's versions, asked by pip-audit; `service` is another address of it."""
    title = f"{name}.txt: no known weakness"
    command = [
        f"{BIN}/pip-audit", "--vulnerability-service=osv", *([f"--osv-url={service}"] if service else []),
        "--disable-pip", "--require-hashes", "--progress-spinner=off", "--format=json", "--desc=off",
        "-r", str(REQUIREMENTS / f"{name}.txt"),
    ]  # fmt: skip
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    try:
        answers: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return Result(title, unasked=f"pip-audit: {last_line(done.stderr)[:200] or f'exit code {done.returncode}'}")
    return judged(title, locked.pins(text(name)), answers)


def judged(title: str, pins: Sequence[locked.Pin], answers: Sequence[Mapping[str, Any]]) -> Result:
    """What pip-audit's answers say. It passes over a package that a service does not know, and still ends with 0."""
    asked = {canonicalize_name(one["name"]) for one in answers if "skip_reason" not in one}
    left = sorted({pin.name for pin in pins if pin.applies} - asked)
    found = [
        f"{one['name']} {one['version']}: {bad['id']}, mended in {', '.join(bad['fix_versions']) or 'no version yet'}"
        for one in answers
        for bad in one.get("vulns", ())
    ]
    return Result(title, found, f"nothing was said of {', '.join(left)}" if left else "")


def tell(result: Result) -> None:
    """One line for a check, and one for each thing that was found."""
    mark = "FAILED   " if result.found else "NOT ASKED" if result.unasked else "ok       "
    print(f"{mark}  {result.name}", flush=True)
    for line in [*result.found, *([result.unasked] if result.unasked else [])]:
        print(f"           {line}", flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the checks and tell each; the exit code as above."""
    parser = argparse.ArgumentParser(description="What is locked in requirements/ against what is known of it.")
    parser.add_argument("--offline", action="store_true", help="only what needs neither the package index nor OSV")
    parser.add_argument("--osv-url", default="", help="another address of the service of OSV, for its /v1/query")
    parser.add_argument(
        "--lock", action="append", choices=LOCKS, help="only this lock, of those that a service is asked of"
    )
    args = parser.parse_args(arguments)
    results = without_service()
    for result in results:
        tell(result)
    for name in () if args.offline else args.lock or LOCKS:
        for result in [*of_index(name), *(wheels(name) if name in RUN else []), weaknesses(name, args.osv_url)]:
            tell(result)
            results.append(result)
    if any(one.found for one in results):
        return 1
    if any(one.unasked for one in results):
        print(
            "Nothing was found, but a service could not be asked: this is no all-clear. Run it where both can be reached."
        )
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
