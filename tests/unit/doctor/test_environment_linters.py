"""What zizmor finds in workflows beside the rules here, and what is not told twice."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from ci_buildkit.doctor import machine_linters, workflows
from ci_buildkit.doctor.diagnosis import Diagnosis
from ci_buildkit.doctor.machine import Machine

DATA = Path(__file__).parents[2] / "data" / "workflows"
FOLDER = ".github/workflows"
SHA = "0123456789abcdef0123456789abcdef01234567"
# What only zizmor knows: a condition that is always true.
ALWAYS_TRUE = f"""on: push
permissions: {{}}
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - uses: acme/ci-buildkit@v1
      - uses: acme/other@v1
      - if: ${{{{ github.ref }}}} == 'refs/heads/main'
        uses: acme/third@{SHA} # v3
"""


def put(root: Path, text: str, name: str = "ci.yml") -> None:
    (root / FOLDER).mkdir(parents=True, exist_ok=True)
    (root / FOLDER / name).write_text(text)


def found(root: Path) -> list[Diagnosis]:
    # No actionlint: which version of it a machine has decides what it says.
    return machine_linters.look(Machine(root, {"PATH": "/usr/bin:/bin", "HOME": str(root)}), workflows.examine(root))


def test_what_only_zizmor_knows_is_told_once(tmp_path: Path) -> None:
    put(tmp_path, ALWAYS_TRUE)
    told = found(tmp_path)
    assert [(one.path, one.line, one.rule, one.severity) for one in told] == [
        (f"{FOLDER}/ci.yml", 9, "zizmor/unsound-condition", "warning")
    ]
    assert "https://docs.zizmor.sh/audits/#unsound-condition" in told[0].message


def test_nothing_is_told_twice(tmp_path: Path) -> None:
    for name in ("checkout.yml", "permissions.yml", "results.yml", "undeclared.yml", "good.yml"):
        put(tmp_path, (DATA / name).read_text(), name)
    assert found(tmp_path) == []


def test_a_file_that_cannot_be_read_does_not_hide_the_others(tmp_path: Path) -> None:
    put(tmp_path, ALWAYS_TRUE)
    put(tmp_path, "on: push\njobs: [", "broken.yml")
    put(tmp_path, ALWAYS_TRUE.replace("acme/other@v1", "acme/other"), "unresolvable.yml")
    assert [one.rule for one in found(tmp_path)] == ["zizmor/unsound-condition"]


def test_without_workflows_nothing_is_started(tmp_path: Path) -> None:
    assert found(tmp_path) == []


def test_a_linter_that_breaks_says_nothing(tmp_path: Path) -> None:
    put(tmp_path, ALWAYS_TRUE)
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("zizmor", "actionlint"):
        (programs / name).symlink_to(shutil.which("false") or "/bin/false")
    asked = Machine(tmp_path, {"PATH": f"{programs}{os.pathsep}/usr/bin", "HOME": str(tmp_path)})
    assert machine_linters.look(asked, workflows.examine(tmp_path)) == []
