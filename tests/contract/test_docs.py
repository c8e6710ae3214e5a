"""The documentation against the code: generated pages are current, every link leads somewhere, every room has a page."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
import yaml
from tests.scripts import script

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PACKAGE = ROOT / "src" / "ci_buildkit"


@pytest.fixture(scope="module")
def docs() -> ModuleType:
    """`bin/docs.py`."""
    return script("docs")


@pytest.fixture(scope="module")
def code() -> ModuleType:
    """`bin/page_code.py`."""
    return script("page_code")


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
    assert rooms | {"lab", "workflows", "README"} == {page.stem for page in (DOCS / "rooms").glob("*.md")}


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


def test_every_how_to_page_is_in_the_table_of_contents() -> None:
    listed = set(re.findall(r"\((how-to/[\w-]+\.md)\)", (DOCS / "README.md").read_text(encoding="utf-8")))
    assert listed == {str(path.relative_to(DOCS)) for path in (DOCS / "how-to").glob("*.md")}


def test_outputs_of_the_action_in_pages_exist() -> None:
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    pages = [ROOT / "README.md", *DOCS.glob("**/*.md")]
    named = {one for page in pages for one in re.findall(r"steps\.ci\.outputs\.([\w-]+)", page.read_text("utf-8"))}
    assert {"digest", "report-dir"} <= named <= set(action["outputs"])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("```console\n$ ci-buildkit rum\n```", "1: `ci-buildkit rum`: there is no command 'rum'"),
        ("```console\n$ ci-buildkit run --platfrom x\n```", "1: `ci-buildkit run --platfrom x`: "),
        ("```console\n$ ci-buildkit run \\\n    --min-tests many\n```", "1: `ci-buildkit run --min-tests many`: "),
        ("```sh\necho | /opt/ci-buildkit rum >x\n```", "1: `ci-buildkit rum`: "),
        ('```sh\nX=1 echo "$(ci-buildkit rum)"\n```', "1: `ci-buildkit rum`: "),
        ("The flag `--platfrom` is", " there is no option --platfrom"),
        ("| `--platfrom x` |\n| --- |", " there is no option --platfrom"),
        ("```dockerfile\nFROM alpine AS base\nFROM bas AS test\n```", "1: doctor: "),
        ("```dockerfile\nRUN --mount=type=bin,target=. true\n```", "1: "),
        ("```yaml\na: [\n```", "1: no YAML: "),
        ("```yaml\na: b\n```", "1: neither workflow, steps, settings nor a list of tests: "),
        ("```yaml\nmin-tests: many\n```", "1: ci-buildkit.yml:1: min-tests: "),
        ("```yaml\n- test: a\n```", "1: quarantine.yml:1: "),
        ("```yaml\n- uses: org/ci-buildkit@v1\n  with: {platfrom: x}\n```", "1: doctor: ci-buildkit has no input "),
        ("```yaml\n- run: ci-buildkit rum\n```", "1: `ci-buildkit rum`: "),
        ("```yaml\njobs:\n  a:\n    needs: b\n    runs-on: ubuntu-latest\n    steps: [{run: x}]\n```", "1: doctor: "),
    ],
)
def test_wrong_code_is_found(code: ModuleType, tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "README.md").write_text(f"{text}\n", encoding="utf-8")
    (found,) = code.wrong(tmp_path)
    place, _, said = found.partition(":")
    assert place == "README.md"
    assert said.replace("2", "1", 1).startswith(reason), said


def test_right_code_is_taken(code: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(
        "# Top\n\n`--platform` `docker build --target x` `a --b`\n\n"
        "```console\n$ cd x && X=1 ci-buildkit run lint --platform linux/arm64 >log || echo $?\nci-buildkit printed this\n```\n\n"
        "```text\n$ ci-buildkit rum\n```\n\n"
        "```dockerfile\nCOPY --from=build /out /\n```\n\n```dockerfile\nFROM base AS test\nRUN make\n```\n\n"
        "```yaml\n- uses: org/ci-buildkit@v1\n  with: {platform: linux/arm64, push: true, image: ghcr.io/a/b}\n```\n\n"
        "```yaml\nplatform: linux/arm64\n```\n\n<!-- file: .gitlab-ci.yml -->\n\n```yaml\njob: {script: [make]}\n```\n",
        encoding="utf-8",
    )
    assert code.wrong(tmp_path) == []
