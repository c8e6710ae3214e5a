"""The rules for workflow files on files that are wrong on purpose, and on one that is right."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
import yaml

from ci_buildkit.doctor import workflows
from ci_buildkit.doctor.diagnosis import Diagnosis
from ci_buildkit.doctor.lines import mended

DATA = Path(__file__).parents[2] / "data" / "workflows"
FILES = sorted(path.name for path in DATA.glob("*.yml"))
MARKER = re.compile(r"#! ([a-z -]+?)(?: at the line of the command)?$")
FOLDER = ".github/workflows"
BOT = "no-update-bot"


def put(root: Path, text: str, name: str = "ci.yml", folder: str = FOLDER) -> Path:
    file = root / folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def examined(root: Path) -> list[Diagnosis]:
    return [one for one in workflows.examine(root) if one.rule != BOT]


def of(root: Path, text: str) -> list[Diagnosis]:
    put(root, text)
    return examined(root)


@pytest.mark.parametrize("name", FILES)
def test_exactly_the_marked_lines_are_complained_of(tmp_path: Path, name: str) -> None:
    text = (DATA / name).read_text(encoding="utf-8")
    expected = [
        (number - line.endswith("at the line of the command"), rule)
        for number, line in enumerate(text.splitlines(), 1)
        if (match := MARKER.search(line))
        for rule in match[1].split()
    ]
    put(tmp_path, text, name)
    assert sorted((one.line, one.rule) for one in examined(tmp_path)) == sorted(expected)


@pytest.mark.parametrize("name", FILES)
def test_every_fix_mends_what_it_is_for(tmp_path: Path, name: str) -> None:
    text = (DATA / name).read_text(encoding="utf-8")
    put(tmp_path, text, name)
    before = examined(tmp_path)
    for one in (one for one in before if one.fix is not None):
        after_text = mended(text, [one])
        assert yaml.safe_load(after_text), one
        put(tmp_path, after_text, name)
        after = examined(tmp_path)
        assert one.message not in {other.message for other in after} or len(after) < len(before), one
        assert not {other.rule for other in after} - {other.rule for other in before}, one


def test_every_rule_is_shown_by_a_file() -> None:
    marked = {rule for path in DATA.glob("*.yml") for line in path.read_text().splitlines() for rule in _rules(line)}
    assert marked == {rule.name for rule in workflows.RULES}


def _rules(line: str) -> list[str]:
    match = MARKER.search(line)
    return match[1].split() if match else []


def test_the_safe_fixes_together_leave_what_needs_a_decision(tmp_path: Path) -> None:
    shutil.copytree(DATA, tmp_path / FOLDER)
    for _ in range(2):  # of two fixes for one line, the second comes with the second round
        for file in sorted((tmp_path / FOLDER).glob("*.yml")):
            own = [one for one in examined(tmp_path) if one.path.endswith(file.name) and one.safe]
            file.write_text(mended(file.read_text(encoding="utf-8"), own), encoding="utf-8")
    left = examined(tmp_path)
    assert not [one for one in left if one.safe]
    assert not {one.rule for one in left} & {"shallow-checkout", "lost-upload"}
    assert {one.message.partition('"')[2].partition('"')[0] for one in left if one.rule == "unknown-input"} == {
        "colour",
        "dockerfile",
    }


def test_severities_are_as_bad_as_the_matter(tmp_path: Path) -> None:
    shutil.copytree(DATA, tmp_path / FOLDER)
    found = {(one.path.rpartition("/")[2], one.line): one for one in examined(tmp_path)}

    def severity(name: str, marker: str) -> str:
        lines = (DATA / name).read_text().splitlines()
        return found[name, next(n for n, line in enumerate(lines, 1) if marker in line)].severity

    assert severity("pins.yml", "actions/setup-go@v6") == "notice"  # GitHub's own
    assert severity("pins.yml", "acme/build@v2") == "warning"
    assert severity("pins.yml", "acme/build@0123abc") == "error"
    assert severity("strangers.yml", "head.sha }} #!") == "error"
    assert severity("strangers.yml", "head.repo.full_name }} #!") == "warning"  # a maintainer has set the label
    assert severity("strangers.yml", "comment.body") == "error"  # with the repository's rights
    assert severity("permissions.yml", "contents: read} #!") == "error"  # publish: release ends with 6


def test_a_stranger_in_a_workflow_without_rights_is_a_warning(tmp_path: Path) -> None:
    text = "on: pull_request\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-latest\n    timeout-minutes: 1\n    steps:\n"
    [one] = of(tmp_path, text + "    - run: echo ${{ github.head_ref || github.ref_name }}\n")
    assert (one.rule, one.severity, one.line) == ("script-injection", "warning", 8)
    assert 'write "$TEXT"' in one.message


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("on: push\njobs:\n\ta: {}\n", 3, "indented with a tab"),
        ("on: push\njobs: [a\n", 3, "expected"),
        ("on: push\njobs:\n  a: *nowhere\n", 3, "undefined alias"),
        ("on: push\n---\non: push\n", 2, "expected a single document"),
        ("on: pu\x07sh\n", 1, "does not allow"),
        ("", None, "empty, or no mapping"),
        ("- on\n", None, "empty, or no mapping"),
        ("[" * 900 + "]" * 900, None, "nested too deeply"),
        ("x" * (1 << 20) + "y", None, "larger than 1 MiB"),
    ],
)
def test_what_is_no_yaml_is_told_with_its_line(tmp_path: Path, text: str, line: int | None, said: str) -> None:
    [one] = of(tmp_path, text)
    assert (one.rule, one.severity, one.line) == ("unreadable-workflow", "error", line)
    assert said in one.message


def test_what_is_not_utf_8_is_told_with_its_line(tmp_path: Path) -> None:
    put(tmp_path, "").write_bytes(b"on: push\nname: \xff\n")
    [one] = examined(tmp_path)
    assert (one.line, one.message) == (2, "GitHub cannot read this file: it is not UTF-8")


def test_a_file_nobody_may_read_is_told(tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir(parents=True)
    (tmp_path / FOLDER / "loop.yml").symlink_to("loop.yml")
    (tmp_path / FOLDER / "folder.yml").mkdir()
    assert examined(tmp_path) == []


def test_keys_that_are_there_twice_are_all_told(tmp_path: Path) -> None:
    text = "on: push\non: push\npermissions: {}\njobs:\n  a:\n    uses: ./x.yml\n  a:\n    uses: ./x.yml\n"
    assert [(one.line, one.rule) for one in of(tmp_path, text)] == [(2, "duplicate-key"), (7, "duplicate-key")]


def test_anchors_and_aliases_are_read_as_github_does(tmp_path: Path) -> None:
    text = (
        "on: push\npermissions: {}\njobs:\n  a: &a\n    runs-on: ubunut-latest\n    timeout-minutes: 1\n"
        "    steps: [{run: make}]\n  b: *a\n"
    )
    assert [(one.line, one.rule) for one in of(tmp_path, text)] == [(5, "unknown-runner")] * 2


def test_an_alias_inside_of_itself_ends(tmp_path: Path) -> None:
    found = of(tmp_path, "on: push\npermissions: {}\njobs: &jobs\n  a: *jobs\n")
    assert [one.rule for one in found] == ["no-workflow"]


def test_neither_on_nor_jobs_is_told_once_each(tmp_path: Path) -> None:
    found = [one for one in of(tmp_path, "name: x\npermissions: {}\n") if one.rule == "no-workflow"]
    assert [one.message for one in found] == [
        "the workflow has no on:, and GitHub refuses it",
        "the workflow has no jobs:, and GitHub refuses it",
    ]


@pytest.mark.parametrize("text", ["jobs: 1", "jobs: {a: 1}", "jobs: {a: {steps: 1, uses: []}}"])
def test_values_of_other_kinds_break_nothing(tmp_path: Path, text: str) -> None:
    assert of(tmp_path, f"permissions: []\n{text}\n")


def test_templates_and_composite_actions_are_examined_too(tmp_path: Path) -> None:
    template = "on: {push: {branches: [$default-branch]}}\npermissions: {}\njobs: {a: {uses: acme/x/.github/workflows/y.yml@v1}}\n"
    put(tmp_path, template, "ci.yml", "workflow-templates")
    action = "name: x\nruns:\n  using: composite\n  steps:\n    - uses: acme/x@v1\n    - run: echo ${{ github.head_ref }}\n      shell: bash\n"
    put(tmp_path, action, "action.yml", ".github/actions/x")
    put(tmp_path, "name: x\nruns: {using: node24, main: index.js}\n", "action.yml", "actions/js")
    assert [(one.path, one.line, one.rule) for one in examined(tmp_path)] == [
        ("workflow-templates/ci.yml", 3, "unpinned-action"),
        (".github/actions/x/action.yml", 5, "unpinned-action"),
        (".github/actions/x/action.yml", 6, "script-injection"),
    ]


def test_a_repository_without_workflows_has_nothing_wrong(tmp_path: Path) -> None:
    assert workflows.examine(tmp_path) == []


USED = "on: push\npermissions: {}\njobs:\n  a:\n    uses: ./x.yml\n"


@pytest.mark.parametrize(
    ("file", "text", "where"),
    [
        ("", "", ".github/dependabot.yml"),
        (
            ".github/dependabot.yml",
            "version: 2\nupdates: [{package-ecosystem: npm, directory: /}]\n",
            ".github/dependabot.yml",
        ),
        (".github/dependabot.yaml", "version: 2\n", ".github/dependabot.yaml"),
        (".github/dependabot.yml", "updates: [{package-ecosystem: github-actions, directory: /}]\n", None),
        ("renovate.json", "{}", None),
    ],
)
def test_pinned_actions_need_someone_to_update_them(tmp_path: Path, file: str, text: str, where: str | None) -> None:
    put(tmp_path, USED)
    if file:
        put(tmp_path, text, Path(file).name, str(Path(file).parent))
    found = workflows.examine(tmp_path)
    assert [(one.path, one.rule, one.severity) for one in found] == ([(where, BOT, "notice")] if where else [])
    if found and found[0].fix:
        written = yaml.safe_load(mended("", found))
        assert written["updates"][0]["package-ecosystem"] == "github-actions"


def test_a_broken_dependabot_file_is_told(tmp_path: Path) -> None:
    put(tmp_path, USED)
    put(tmp_path, "version: 2\nupdates: [\n", "dependabot.yml", ".github")
    [one] = workflows.examine(tmp_path)
    assert (one.path, one.rule, one.line) == (".github/dependabot.yml", "unreadable-workflow", 3)


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_cut_off_anywhere_is_examined(tmp_path: Path, name: str) -> None:
    text = (DATA / name).read_text(encoding="utf-8")
    for end in range(0, len(text), 61):
        for one in of(tmp_path, text[:end]):
            assert one.line is None or 1 <= one.line <= max(1, text[:end].count("\n") + 1), one
