"""Each example through the whole pipeline: what it counts, builds and runs; and red, with the case named, when broken."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import urlopen

import pytest
from tests.e2e import support

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Example:
    """An example, or one project of it: what its pipeline must give, and a change that breaks one of its tests."""

    stages: tuple[str, ...]
    tests: int = 0
    binaries: tuple[str, ...] = ()
    image: str = "image"
    says: tuple[str, str] = ("", "")  # arguments of a container, and what it prints for them
    broken: tuple[str, str, str] = ("", "", "")  # a file, a text in it, and what to put there
    failed: tuple[str, str | None] = ("", None)  # the case that then fails, and its file as far as the format tells
    needs: tuple[str, ...] = field(default=(), kw_only=True)  # fixtures of images on demand


CHECKED = ("lint", "test-results")
EXAMPLES = {
    "python": Example(
        (*CHECKED, "binaries", "image"), 29, ("durations-1.2.3-py3-none-any.whl",), "image",
        ("1h30m", "5400\n"), ("src/durations/__init__.py", '"h": 3600', '"h": 3601'),
        ("test_parse[1h30m-5400]", "tests/test_durations.py"),
    ),
    "node": Example(
        (*CHECKED, "binaries", "image"), 16, ("slugs.mjs",), "image",
        ("node /app/slugs.mjs --version", "slugs v1.2.3\n"), ("src/slug.ts", 'ß: "ss"', 'ß: "sz"'),
        ("of letters without accents", "test/slug.test.ts"),
    ),
    "rust": Example(
        (*CHECKED, "binaries", "image"), 9, ("roman",), "image",
        ("--version", "roman v1.2.3\n"), ("src/lib.rs", '(4, "IV")', '(4, "IX")'),
        ("tests::known_numbers", "src/lib.rs"), needs=("rust",),
    ),
    "monorepo/api": Example(
        (*CHECKED, "binaries", "api"), 6, ("api",), "api",
        ("--version", "api v1.2.3\n"), ("main.go", "http.StatusNotFound", "http.StatusGone"),
        ("TestHandler/GET_/stock/nails", "api/main_test.go"),
    ),
    "monorepo/report": Example(
        (*CHECKED, "report"), 4, (), "report",
        ("", "pears: order 5\n"), ("report.py", "low - count", "low + count"),
        ("test_most_urgent_first", "report/tests/test_report.py"),
    ),
    "monorepo/web": Example(
        (*CHECKED, "web"), 3, (), "web",
        ("node --check /app/server.js", ""), ("page.js", '"<": "&lt;"', '"<": "<"'),
        ("an item cannot bring HTML", "web/test/page.test.js"),
    ),
    "container-only": Example(("image",)),
}  # fmt: skip
TESTED = [name for name, example in EXAMPLES.items() if example.tests]


@pytest.fixture
def example(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, tuple[str, ...], Example]:
    """A checkout tagged v1.2.3, the words that choose the project in it, and what is known of it."""
    found = EXAMPLES[request.param]
    for fixture in found.needs:
        request.getfixturevalue(fixture)
    name, _, project = request.param.partition("/")
    folder = support.checkout(tmp_path / name, name)
    return folder, (("--context", project) if project else ()), found


@pytest.mark.parametrize("example", EXAMPLES, indirect=True)
def test_green(
    example: tuple[Path, tuple[str, ...], Example],
    environment: dict[str, str], builder: str, lab: dict[str, str],
) -> None:  # fmt: skip
    folder, words, known = example
    image = f"{lab['CI_BUILDKIT_LAB_REGISTRY']}/examples/{folder.name}-{known.image}"
    run = support.run(folder, environment, *words, "--builder", builder, "--image", image, "--push")
    assert run.code == 0, run.output
    assert tuple(stage["name"] for stage in run.record["stages"]) == known.stages
    assert {stage["outcome"] for stage in run.record["stages"]} == {"passed"}
    assert run.record["tests"]["totals"]["tests"] == run.record["tests"]["totals"]["passed"] == known.tests
    assert run.record["findings"] == []
    assert run.record["problems"] == []
    assert tuple(Path(binary["path"]).name for binary in run.record["binaries"]) == known.binaries
    (pushed,) = run.record["images"]
    assert (pushed["pushed"], pushed["tags"]) == (True, ["v1.2.3"])
    if known.says != ("", ""):
        arguments, printed = known.says
        command = ["docker", "run", "--rm", "--interactive", f"{image}:v1.2.3", *arguments.split()]
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, input='{"pears": 0}', check=False
        )
        assert done.stdout == printed, done.stderr


@pytest.mark.parametrize("example", TESTED, indirect=True)
def test_red_with_the_case_named(
    example: tuple[Path, tuple[str, ...], Example], environment: dict[str, str], builder: str
) -> None:
    folder, words, known = example
    file, text, instead = known.broken
    source = folder.joinpath(*words[1:], file)
    before = source.read_text(encoding="utf-8")
    assert text in before
    source.write_text(before.replace(text, instead), encoding="utf-8")
    run = support.run(folder, environment, "test", *words, "--builder", builder)
    assert run.code == 1, run.output
    assert run.stage("test-results")["outcome"] == "failed"
    assert known.failed in {(case["name"], case["path"]) for case in run.record["tests"]["failed"]}


def test_a_wheel_between_two_tags_has_a_version_of_python_s(
    tmp_path: Path, environment: dict[str, str], builder: str
) -> None:
    folder = support.checkout(tmp_path / "python", "python")
    with (folder / "src" / "durations" / "__init__.py").open("a", encoding="utf-8") as source:
        source.write("# One more line.\n")
    support.commit(folder)
    run = support.run(folder, environment, "binaries", "--builder", builder)
    assert run.code == 0, run.output
    revision = run.record["version"]["revision"]
    (wheel,) = run.record["binaries"]
    name = re.fullmatch(r"durations-1\.2\.3\.post1\+g([0-9a-f]+)-py3-none-any\.whl", Path(wheel["path"]).name)
    assert name
    assert revision.startswith(name[1])


def test_the_page_is_delivered(environment: dict[str, str], builder: str, tmp_path: Path, lab: dict[str, str]) -> None:
    folder = support.checkout(tmp_path / "site", "container-only")
    image = f"{lab['CI_BUILDKIT_LAB_REGISTRY']}/examples/site"
    words = ("--builder", builder, "--image", image, "--push", "--platform", "linux/amd64,linux/arm64")
    run = support.run(folder, environment, *words)
    assert run.code == 0, run.output
    assert run.record["images"][0]["smoked"], run.output
    start = ["docker", "run", "--detach", "--rm", "--publish", "127.0.0.1::8080", f"{image}:v1.2.3"]
    container = subprocess.run(start, env=environment, check=True, capture_output=True, text=True).stdout.strip()
    try:
        port = ["docker", "port", container, "8080/tcp"]
        address = subprocess.run(port, env=environment, check=True, capture_output=True, text=True).stdout.strip()
        with urlopen(f"http://{address}/", timeout=10) as answer:
            assert b"first of April" in answer.read()
    finally:
        subprocess.run(["docker", "rm", "--force", container], env=environment, check=True, capture_output=True)
