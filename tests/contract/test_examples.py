"""The examples' locks and Dockerfiles: pinned by hash, without an address, and in the shape that the documentation teaches."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from ci_buildkit.plan import dockerfile

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
REQUIREMENTS = sorted([*EXAMPLES.glob("**/requirements/*.txt"), *EXAMPLES.glob("**/requirements.txt")])
PACKAGE_LOCKS = sorted([*EXAMPLES.glob("**/package-lock.json"), *ROOT.glob("lab/*/package-lock.json")])
TAUGHT = ("python", "node", "rust", "monorepo/api", "monorepo/report", "monorepo/web", "buildme")


def shown(path: Path) -> str:
    """A path inside the repository, for the names of tests."""
    return str(path.relative_to(ROOT))


def test_there_are_locks() -> None:
    assert {path.parts[-2] for path in REQUIREMENTS} == {"requirements", "report"}
    assert {"node", "web", "npm"} <= {path.parts[-2] for path in PACKAGE_LOCKS}


@pytest.mark.parametrize("lock", REQUIREMENTS, ids=shown)
def test_requirements_are_hashed_and_name_no_index(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    pinned = re.findall(r"^[a-z0-9._-]+==", text, re.MULTILINE | re.IGNORECASE)
    assert pinned
    assert len(re.findall(r"^\S+==[^\n]*\\\n    --hash=", text, re.MULTILINE)) == len(pinned)
    assert not re.search(r"index-url|find-links|https?://", text)


@pytest.mark.parametrize("lock", PACKAGE_LOCKS, ids=shown)
def test_packages_are_hashed_and_name_no_registry(lock: Path) -> None:
    packages = json.loads(lock.read_text(encoding="utf-8"))["packages"]
    others = {name: package for name, package in packages.items() if name and not package.get("inBundle")}
    assert others
    assert [name for name, package in others.items() if "integrity" not in package] == []
    assert [name for name, package in packages.items() if "resolved" in package] == []


def test_what_rust_needs_is_in_its_repository() -> None:
    assert "source =" not in (EXAMPLES / "rust" / "Cargo.lock").read_text(encoding="utf-8")


@pytest.mark.parametrize("example", TAUGHT)
def test_a_dockerfile_has_the_stages_that_are_taught(example: str) -> None:
    path = EXAMPLES / example / "Dockerfile"
    text = path.read_text(encoding="utf-8")
    stages = [stage.name for stage in dockerfile.read(path).stages]
    assert {"base", "lint", "test", "test-results"} <= set(stages)
    assert "--mount=type=bind" in text
    assert "--mount=type=cache" in text
    assert re.search(r"^USER \d+:\d+$", text, re.MULTILINE)
    # Each stage and argument is described for --call=targets and --call=outline, which take "NAME text" above it.
    for name in (*stages, *re.findall(r"^ARG (\w+)=", text, re.MULTILINE)):
        assert re.search(rf"^# {re.escape(name)} .+\n(FROM|ARG) ", text, re.MULTILINE), name


@pytest.mark.parametrize("example", TAUGHT)
def test_a_context_ignores_what_is_no_input(example: str) -> None:
    lines = (EXAMPLES / example / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert {"Dockerfile", "ci-report/"} <= set(lines)
