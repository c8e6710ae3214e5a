"""A repository that is hostile in every text that a run reads: nothing of it acts anywhere."""

from __future__ import annotations

import json
import subprocess
import tarfile
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from defusedxml import ElementTree
from tests.e2e import support
from tests.strategies import PAYLOADS
from tests.unit.hostile import readers
from tests.unit.hostile.test_markdown import rendered

from ci_buildkit.report.text import plain
from ci_buildkit.tags.labels import plain_text
from ci_buildkit.text import clean, name

# What Git takes in the name of a branch or tag: no space, no `[`, no control character of ASCII's.
REF = "x'\"$(touch${IFS}canary)`touch${IFS}canary`;touch${IFS}canary|&<img/src=x>${{github.token}}{{7}}%0A\u202e\x9b"
LINES = [text.replace("\0", "\\0").encode("utf-8", "surrogatepass") for text in PAYLOADS.values()]
FILES = [
    "$(touch canary).txt", "`touch canary`.txt", "::error::canary.txt", "-rf", "##[error]canary.txt", "a\nb.txt",
    "<img src=x onerror=alert(1)>.txt", "\u202etxt.exe", "\x1b[31mred.txt", "..\\..\\canary.txt", "@octocat #1 ${HOME}",
]  # fmt: skip
DOCKERFILE = """\
# syntax-like text in a comment: ::error::canary ##[error]canary $(touch canary) \u202e
FROM alpine AS lint
WORKDIR /src
COPY hostile.log given.sarif ./
RUN cp given.sarif lint.sarif && cat hostile.log && printf '::error::canary\\n##[error]canary\\n\\033]0;canary\\007' >&2 && exit 1

FROM alpine AS test
WORKDIR /src
COPY hostile.log given.xml ./
ARG APP_VERSION
RUN cp given.xml junit.xml && printf 'version %s\\n' "$APP_VERSION" && cat hostile.log && exit 1

FROM scratch AS binaries
COPY names/ /
"""


@dataclass(frozen=True)
class Hostile:
    """The run of the repository, and where it is."""

    run: support.Run
    project: Path


def junit() -> bytes:
    """A report with a failed case for each payload; XML itself forbids the rest of them."""
    suite = ET.Element("testsuite", name="hostile")
    for text in map(clean, PAYLOADS.values()):
        case = ET.SubElement(suite, "testcase", name=text, classname=text, file=text)
        ET.SubElement(case, "failure", message=text).text = text
        ET.SubElement(case, "system-out").text = text
    document: bytes = ET.tostring(suite, encoding="utf-8")
    return document


def sarif() -> str:
    """A log with a result for each payload, and rules whose pages are no pages."""
    texts = [text.encode("utf-8", "replace").decode() for text in PAYLOADS.values()]
    rules = [{"id": text, "helpUri": text, "shortDescription": {"text": text}} for text in texts]
    results = [
        {
            "ruleId": text, "ruleIndex": number, "level": "error", "message": {"text": text},
            "locations": [{"physicalLocation": {"artifactLocation": {"uri": text}, "region": {"startLine": 1}}}],
        }
        for number, text in enumerate(texts)
    ]  # fmt: skip
    driver = {"name": "hostile", "rules": rules}
    return json.dumps({"version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": results}]})


@pytest.fixture(scope="module", params=["github", "plain"])
def hostile(
    request: pytest.FixtureRequest, environment: dict[str, str], builder: str, tmp_path_factory: pytest.TempPathFactory
) -> Hostile:
    """A run in a job of GitHub's, and one in any other log."""
    project = tmp_path_factory.mktemp("hostile") / "$(touch canary)"
    (project / "names").mkdir(parents=True)
    for file in FILES:
        (project / "names" / file).write_text("x", encoding="utf-8")
    (project / "names" / "link").symlink_to("../../../etc")
    (project / "hostile.log").write_bytes(b"\n".join(LINES))
    (project / "given.xml").write_bytes(junit())
    (project / "given.sarif").write_text(sarif(), encoding="utf-8")
    (project / "Dockerfile").write_text(DOCKERFILE, encoding="utf-8")
    support.git(project, "init", "-q", "-b", REF)
    support.git(project, "add", "-A")
    message = project.parent / "message"
    message.write_bytes(b"\n".join(LINES))
    support.git(project, "commit", "-q", "-F", str(message))
    support.git(project, "tag", f"v1{REF}")
    given = {**environment, "CANARY": "1"}
    if request.param == "github":
        given |= {"GITHUB_ACTIONS": "true", "GITHUB_REF": f"refs/heads/{REF}", "GITHUB_REF_NAME": REF, "GITHUB_HEAD_REF": REF}  # fmt: skip
    run = support.run(project, given, "--builder", builder, "lint", "test", "binaries")
    return Hostile(run, project)


def test_the_run_ends_as_any_red_one(hostile: Hostile) -> None:
    assert hostile.run.code in {1, 5}, hostile.run.output
    assert "Traceback" not in hostile.run.output
    assert {stage["name"]: stage["outcome"] for stage in hostile.run.record["stages"]}["test"] == "failed"
    assert hostile.run.record["tests"]["totals"]["tests"] >= len(PAYLOADS) // 2


def test_nothing_ran(hostile: Hostile) -> None:
    assert not [path for path in hostile.project.parent.rglob("canary") if path.name == "canary"]
    assert not Path("canary").exists()


def test_the_log_does_nothing(hostile: Hostile) -> None:
    runner = readers.Runner()
    commands = {found for found, _ in runner.executed(hostile.run.output)}
    assert runner.resumed
    assert commands <= {"group", "endgroup", "error", "warning", "notice"}
    assert bool(commands) == ("::group::" in hostile.run.output)
    assert readers.controls(hostile.run.output) == set()


def test_the_report_holds_text_alone(hostile: Hostile) -> None:
    folder = hostile.run.folder
    rendered((folder / "summary.md").read_text("utf-8"))
    source = (folder / "report.html").read_text("utf-8")
    page = readers.Document(source)
    assert page.unbalanced == []
    assert len([tag for tag, _ in page.elements if tag == "script"]) == 3
    assert not page.tags & {"img", "iframe", "base", "form", "object", "embed", "animate"}
    assert not [key for _, attributes in page.elements for key in attributes if key.startswith("on")]
    assert all(href.startswith(("#", "./", "https://", "http://")) or "/" not in href for href in page.all_of("href"))
    assert readers.controls(source) == set()
    assert PAYLOADS["script"] in page.text


def test_documents_are_read_by_anybody(hostile: Hostile) -> None:
    folder = hostile.run.folder
    root = ElementTree.fromstring((folder / "junit.xml").read_bytes(), forbid_dtd=True)
    names = {case.get("name") for case in root.iter("testcase")}
    assert name(PAYLOADS["script"]) in names
    assert name(PAYLOADS["CDATA"]) in names
    log = json.loads((folder / "findings.sarif").read_text("utf-8"))
    rules = [rule for run in log["runs"] for rule in run["tool"]["driver"]["rules"]]
    assert all(urlsplit(rule["helpUri"]).scheme in {"https", "http"} for rule in rules if "helpUri" in rule)
    assert hostile.run.record["version"]["value"]


def test_the_version_is_the_tag_to_every_build(hostile: Hostile, environment: dict[str, str]) -> None:
    """Neither a shell nor a bake file, where `${` begins a template, has made anything of it."""
    value = hostile.run.record["version"]["value"]
    assert value == f"v1{REF}"
    assert f" version {plain(value)}\n" in plain(hostile.run.log("test"))
    command = ["docker", "buildx", "bake", "-f", str(hostile.run.folder / "bake.json"), "--print", "test"]
    printed = subprocess.run(command, cwd=hostile.project, env=environment, check=True, capture_output=True)
    args = json.loads(printed.stdout)["target"]["test"]["args"]
    assert plain_text(args["APP_VERSION"]) == value


def test_archives_are_harmless_to_unpack(hostile: Hostile) -> None:
    archives = list((hostile.run.folder / "dist").glob("*.tar.gz"))
    for file in archives:
        with tarfile.open(file) as archive:
            for member in archive:
                assert member.isfile() or member.issym()
                assert ".." not in [*member.name.split("/"), *member.linkname.split("/")]
                assert not member.name.startswith("/")
    told = {problem["path"] for problem in hostile.run.record["problems"]}
    assert archives or told


def test_plan_and_version_do_nothing_either(hostile: Hostile, environment: dict[str, str], builder: str) -> None:
    for words in (
        ["version"], ["version", "--format", "json"], ["plan", "--builder", builder, "--format", "bake"],
        ["plan", "--builder", builder], ["plan", "--builder", builder, "--format", "json"], ["tags", "--image", "x"],
        ["doctor"], ["doctor", "--format", "json"], ["config"],
    ):  # fmt: skip
        done = support.command(words, {**environment, "GITHUB_ACTIONS": "true"}, cwd=hostile.project)
        said = done.stdout + done.stderr
        assert "Traceback" not in said, words
        assert list(readers.Runner().executed(said)) == [], words
        assert readers.controls(said) == set(), words
    assert not list(hostile.project.rglob("canary"))
