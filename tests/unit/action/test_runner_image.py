"""The files that define the act runner image and the upload stand-in; making them needs the network, this does not."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml
from lab import runner
from lab.console import LabError

LAB = Path(__file__).parents[3] / "lab"
PROJECTS = [LAB / "runner", LAB / "upload-artifact"]


@pytest.mark.parametrize("project", PROJECTS, ids=lambda project: project.name)
def test_npm_packages_are_pinned_with_hashes_and_no_registry(project: Path) -> None:
    wanted = json.loads((project / "package.json").read_text(encoding="utf-8"))
    lock = json.loads((project / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    direct = {
        **wanted.get("devDependencies", {}),
        **wanted.get("optionalDependencies", {}),
        **wanted.get("overrides", {}),
    }
    for name, version in direct.items():
        assert re.fullmatch(r"\d+\.\d+\.\d+", version)
        assert lock[f"node_modules/{name}"]["version"] == version
    for name, entry in lock.items():
        assert "resolved" not in entry
        assert not name or entry.get("integrity", "").startswith("sha512-"), name


def test_the_stand_in_answers_to_the_inputs_and_outputs_that_the_action_uses() -> None:
    stand_in = yaml.safe_load((LAB / "upload-artifact" / "action.yml").read_text(encoding="utf-8"))
    action = (LAB.parent / "action.yml").read_text(encoding="utf-8")
    uploads = [one for one in yaml.safe_load(action)["runs"]["steps"] if "upload-artifact" in one.get("uses", "")]
    assert uploads
    for one in uploads:
        assert one["with"].keys() <= stand_in["inputs"].keys()
    used = set(re.findall(r"steps\.upload-[a-z]+\.outputs\.([\w-]+)", action))
    assert used <= stand_in["outputs"].keys()


@pytest.mark.parametrize(
    ("path", "left_out"),
    [
        ("dev/null", True),
        ("dev", False),
        ("var/run", True),
        ("usr/share/doc/git/x", True),
        ("usr/share/docker", False),
        ("var/lib/apt/lists/x", True),
        ("var/lib/dpkg/status", False),
        ("usr/bin/python3", False),
    ],
)
def test_what_the_root_leaves_out(path: str, left_out: bool) -> None:
    assert bool(runner.LEFT_OUT.fullmatch(path)) is left_out


def test_packages_come_from_where_the_machine_gets_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    sources = "bookworm-security main http://s.example\nbookworm main http://m.example/debian/\n"
    monkeypatch.setattr(runner, "run", lambda _command: sources)
    assert runner._mirror() == "http://m.example/debian/"
    monkeypatch.setattr(runner, "run", lambda _command: "trixie main http://m.example/debian/\n")
    with pytest.raises(LabError, match="no Debian bookworm"):
        runner._mirror()
