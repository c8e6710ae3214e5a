"""The repository itself: make's targets exist, and nothing in it names one machine's folders or a package registry."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TARGETS = (
    "setup", "demo", "test", "unit", "coverage", "lint", "audit", "bench", "chaos", "mutation", "lab", "lab-down", "docs",
    "lock",
)  # fmt: skip
# A checkout right below the root would forbid names like /src, which Dockerfiles use.
CHECKOUT = (rf"{re.escape(str(ROOT))}/",) if len(ROOT.parts) > 2 else ()
# What package managers keep in root's home, in every container; and the users of GitHub's runners and of the gradle image.
KEPT = r"\.(?:bun|cache|cargo|gradle|local|m2|npm)\b|go/pkg/mod"
MACHINE = (*CHECKOUT, rf"/root/(?!{KEPT})", r"/home/(?!runner/|gradle/)\w+/")
CREDENTIALS = (r"gh[pousr]_[A-Za-z0-9]{36}", r"AKIA[0-9A-Z]{16}", r"-----BEGIN [A-Z ]*PRIVATE KEY-----")


def said(*command: str) -> str:
    """What a client says of its registry; nothing where the client is not installed."""
    if shutil.which(command[0]) is None:
        return ""
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd="/").stdout


def registries() -> set[str]:
    """The hosts of the package registries, as this machine's clients know them."""
    index = "from pip._internal.models.index import PyPI as p; print(p.netloc, p.file_storage_domain)"
    texts = [
        said("go", "env", "GOPROXY", "GOSUMDB"),
        said("npm", "config", "get", "registry"),
        said(sys.executable, "-c", index),
    ]
    return set(re.findall(r"\b(?:[a-z0-9-]+\.)+[a-z]{2,}\b", " ".join(texts)))


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return [ROOT / name for name in listed.stdout.split("\0") if name]


@pytest.mark.parametrize("target", TARGETS)
def test_a_make_target_exists(target: str) -> None:
    done = subprocess.run(["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert f" {target}" in next(line for line in (ROOT / "Makefile").read_text().splitlines() if ".PHONY" in line)


def test_every_script_that_make_calls_exists() -> None:
    called = re.findall(r"(?:bin|lab)/\w+\.py", (ROOT / "Makefile").read_text())
    assert called
    assert [path for path in called if not (ROOT / path).is_file()] == []


def test_contributing_names_every_target() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    assert [target for target in TARGETS if f"`make {target}`" not in text] == []


def test_ci_calls_make_test() -> None:
    assert "make test" in (ROOT / ".ci" / "run").read_text()


def test_nothing_names_a_registry_a_machine_or_a_credential() -> None:
    pattern = re.compile("|".join((*map(re.escape, registries()), *MACHINE, *CREDENTIALS)))
    found = []
    for path in tracked():
        if path == Path(__file__) or not path.is_file():
            continue
        text = path.read_bytes().decode(errors="replace")
        found += [f"{path.relative_to(ROOT)}: {one}" for one in sorted(set(pattern.findall(text)))]
    assert found == []


def test_locks_are_hashed_and_name_no_index() -> None:
    for lock in (ROOT / "requirements").glob("*.txt"):
        text = lock.read_text()
        pinned = re.findall(r"^[a-z0-9._-]+==", text, re.MULTILINE | re.IGNORECASE)
        assert pinned
        assert len(re.findall(r"^\S+==[^\n]*\\\n    --hash=", text, re.MULTILINE)) == len(pinned)
        assert not re.search(r"index-url|find-links|https?://", text)


def test_the_license_is_whole_and_named_everywhere() -> None:
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text
    assert 'license = "Apache-2.0"' in (ROOT / "pyproject.toml").read_text()
