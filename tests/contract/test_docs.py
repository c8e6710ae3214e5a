"""The documentation against the code: generated pages are current, every link leads somewhere, every room has a page."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
import yaml

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PACKAGE = ROOT / "src" / "ci_buildkit"


@pytest.fixture(scope="module")
def docs() -> ModuleType:
    """`bin/docs.py`, which imports the file beside it."""
    sys.path.insert(0, str(ROOT / "bin"))
    try:
        spec = importlib.util.spec_from_file_location("bin_docs", ROOT / "bin" / "docs.py")
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
    finally:
        sys.path.remove(str(ROOT / "bin"))


def test_generated_pages_are_current_and_links_lead_somewhere() -> None:
    done = subprocess.run(
        [sys.executable, "bin/docs.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[a](gone.md)", "gone.md: there is no such file"),
        ("[a](other.md#none)", "other.md#none: there is no such heading"),
        ("[a](#none)", "#none: there is no such heading"),
        ("![a](none.png)", "none.png: there is no such file"),
        ("[a](../outside.md)", "../outside.md: there is no such file"),
        ("[a][b]\n\n[b]: gone.md", "gone.md: there is no such file"),
    ],
)
def test_a_broken_link_is_found(docs: ModuleType, tmp_path: Path, text: str, reason: str) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "outside.md").write_text("# Outside\n")
    (root / "other.md").write_text("# Other\n")
    (root / "README.md").write_text(text)
    assert docs.broken(root) == [f"README.md: {reason}"]


def test_good_links_and_code_are_no_broken_links(docs: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.md").write_text("# Use `run.json`: twice & more\n\n## Same\n\n## Same\n")
    (tmp_path / "README.md").write_text(
        "# Top\n\n[1](docs/a.md#use-runjson-twice--more) [2](docs/a.md#same-1) [3](#top) [4](docs) "
        "[5](https://example.com/x)\n\n`[code](gone.md)`\n\n```\n[fence](gone.md)\n```\n\n| [6](docs/a.md) |\n|---|\n"
    )
    assert docs.broken(tmp_path) == []


def test_an_outdated_page_is_told(docs: ModuleType, tmp_path: Path) -> None:
    docs.write(tmp_path)
    assert docs.outdated(tmp_path) == []
    page = tmp_path / "docs" / "reference" / "exit-codes.md"
    page.write_text(page.read_text() + "an edit by hand\n")
    assert docs.outdated(tmp_path) == ["docs/reference/exit-codes.md: is out of date; `make docs` writes it anew"]


def test_every_room_has_a_page() -> None:
    rooms = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert rooms | {"lab", "README"} == {page.stem for page in (DOCS / "rooms").glob("*.md")}


def named_in(page: Path) -> set[str]:
    """The names in code spans of the first column of a page's first table."""
    rows = re.findall(r"^\| (`.+?`) \|", page.read_text(encoding="utf-8").split("\n\n")[1], re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`([^`]+)`", row)}


@pytest.mark.parametrize("room", sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py")))
def test_a_room_s_page_names_its_modules(room: str) -> None:
    modules = {path.stem for path in (PACKAGE / room).glob("*.py")} - {"__init__"}
    named = {name for name in named_in(DOCS / "rooms" / f"{room}.md") if "." not in name}
    assert named == modules


def test_every_page_is_in_the_site_s_navigation() -> None:
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    pages = {str(path.relative_to(DOCS)) for path in DOCS.glob("**/*.md")}
    assert set(re.findall(r"[\w/-]+\.md", text)) == pages
    assert yaml.safe_load(text)["docs_dir"] == "docs"


def test_the_yaml_in_pages_is_yaml() -> None:
    found = 0
    for page in [*ROOT.glob("*.md"), *DOCS.glob("**/*.md")]:
        for block in re.findall(r"^```yaml\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
            yaml.safe_load(block)
            found += 1
    assert found >= 4


def test_workflows_in_pages_use_inputs_and_outputs_that_exist() -> None:
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    seen = 0
    for page in [ROOT / "README.md", *DOCS.glob("**/*.md")]:
        text = page.read_text(encoding="utf-8")
        for block in re.findall(r"^```yaml\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
            workflow = yaml.safe_load(block)
            jobs = workflow.get("jobs", {}) if isinstance(workflow, dict) else {}
            for step in (step for job in jobs.values() for step in job["steps"]):
                if step.get("uses", "").startswith("org/ci-buildkit@"):
                    assert set(step.get("with", {})) <= set(action["inputs"]), page
                    seen += 1
        assert set(re.findall(r"steps\.ci\.outputs\.([\w-]+)", text)) <= set(action["outputs"]), page
    assert seen >= 3


def test_the_tutorial_s_plan_is_what_planning_says(tmp_path: Path) -> None:
    """The Dockerfile of the tutorial, planned with BuildKit's answers: the stages that the page shows."""
    from ci_buildkit.config.options import Options
    from ci_buildkit.plan import dockerfile, kinds, targets

    text = (DOCS / "tutorial.md").read_text(encoding="utf-8")
    (tmp_path / "Dockerfile").write_text(
        re.findall(r"^```dockerfile\n(.*?)^```", text, re.MULTILINE | re.DOTALL)[0], encoding="utf-8"
    )
    parsed = dockerfile.read(tmp_path / "Dockerfile")
    found = [
        targets.Target(stage.name, stage.name, tmp_path / "Dockerfile", parsed, {}, default=stage is parsed.stages[-1])
        for stage in parsed.stages
    ]
    classified = kinds.classify(Options(), targets.Targets(tmp_path / "Dockerfile", tuple(found)))
    shown = re.findall(r"^  (lint|test|binaries|image) +(\S+)", text, re.MULTILINE)
    assert [(kind, name) for name, kind in sorted(classified.items())] == sorted(shown, key=lambda row: row[1])
