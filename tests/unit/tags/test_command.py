"""`ci-buildkit tags` as other programs call it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ci_buildkit.cli.main import main

SHA = "860c1904a1ce19322e91ac35af1ab07466440c37"
NOW = ["--now", "2020-01-10T00:30:00Z"]


@pytest.fixture(autouse=True)
def _tagged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("GITHUB_EVENT_NAME", "GITHUB_EVENT_PATH", "GITHUB_REPOSITORY", "DOCKER_METADATA_PR_HEAD_SHA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GITHUB_REF", "refs/tags/v1.2.3")
    monkeypatch.setenv("GITHUB_SHA", SHA)


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    Path("repo.json").write_text('{"name": "app", "html_url": "https://github.com/org/app", "license": null}')
    lines = [f"type=semver,pattern={pattern}" for pattern in ("{{version}}", "{{major}}.{{minor}}", "{{major}}")]
    words = [word for line in lines for word in ("--tag", line)]
    words += ["--image", "host/name", "--label", "a=b", "--label", "dropped", "--repository", "repo.json", *NOW]
    assert main(["tags", *words, "--format", "json"]) == 0
    labels = [
        "a=b",
        "org.opencontainers.image.created=2020-01-10T00:30:00.000Z",
        "org.opencontainers.image.description=",
        "org.opencontainers.image.licenses=",
        f"org.opencontainers.image.revision={SHA}",
        "org.opencontainers.image.source=https://github.com/org/app",
        "org.opencontainers.image.title=app",
        "org.opencontainers.image.url=https://github.com/org/app",
        "org.opencontainers.image.version=1.2.3",
    ]
    assert json.loads(capsys.readouterr().out) == {
        "version": "1.2.3",
        "partial": ["1.2", "1"],
        "latest": True,
        "tags": ["host/name:1.2.3", "host/name:1.2", "host/name:1", "host/name:latest"],
        "tag_names": ["1.2.3", "1.2", "1", "latest"],
        "labels": labels,
        "annotations": [f"manifest:{label}" for label in labels[1:]],
    }


def test_text_and_bake(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tags", "--image", "a/b", *NOW]) == 0
    assert "tag         a/b:v1.2.3\ntag         a/b:latest\n" in capsys.readouterr().out
    assert main(["tags", "--image", "a/b", *NOW, "--format", "bake", "--bake-target", "meta"]) == 0
    assert json.loads(capsys.readouterr().out)["target"]["meta"]["tags"] == ["a/b:v1.2.3", "a/b:latest"]


@pytest.mark.parametrize(
    "words",
    [
        ["--tag", "type=nothing"],
        ["--tag", "type=raw,value=-"],
        ["--flavor", "latest=perhaps"],
        ["--image", "name=a,on=true"],
        ["--image", "Bad Name"],
        ["--now", "yesterday"],
        ["--repository", "missing.json"],
        ["--repository", "list.json"],
        ["--repository", "broken.json"],
    ],
)
def test_what_is_wrong_prints_nothing(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    Path("list.json").write_text("[]")
    Path("broken.json").write_text("{")
    assert main(["tags", *words, "--format", "json"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")


def test_no_ref_and_no_git(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_REF")
    monkeypatch.delenv("GITHUB_SHA")
    assert main(["tags", "--image", "a/b", "--format", "json"]) == 0
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert (found["version"], found["latest"], found["tags"]) == (None, False, [])
    assert "warning: no line made a tag" in err
    assert (
        main(["tags", "--tag", "type=sha", "--tag", "{{sha}}{{branch}}{{is_default_branch}}", "--format", "json"]) == 0
    )
    assert json.loads(capsys.readouterr().out)["version"] == "false"


def test_broken_event_file(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    Path("event.json").write_text("{")
    monkeypatch.setenv("GITHUB_EVENT_PATH", "event.json")
    assert main(["tags"]) == 2
    assert "cannot read the event event.json" in capsys.readouterr().err


def test_length_of_short_names(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("DOCKER_METADATA_SHORT_SHA_LENGTH", "12")
    assert main(["tags", "--tag", "type=sha", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["version"] == f"sha-{SHA[:12]}"
    monkeypatch.setenv("DOCKER_METADATA_SHORT_SHA_LENGTH", "twelve")
    assert main(["tags"]) == 2


def test_a_warning_is_no_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tags", "--tag", 'type=semver,pattern={{version}},"value=x\n::error::y"']) == 0
    assert "\n::error::" not in capsys.readouterr().err


def test_200_lines_and_10_images_in_a_process() -> None:
    """Well under 0.3 s of CPU time; the limit here is generous, since other processes are measured with it."""
    words = [word for number in range(200) for word in ("--tag", f"type=semver,pattern={{{{version}}}}-{number}")]
    words += [word for number in range(10) for word in ("--image", f"host/app{number}")]
    command = [sys.executable, "-c", f"import time\nfrom ci_buildkit.cli.main import main\nmain({['tags', *words]!r})"]
    command[-1] += "\nimport sys\nprint(time.process_time(), file=sys.stderr)"
    begin = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.count("\ntag ") == 2010
    assert float(done.stderr.split()[-1]) < 1, f"{time.monotonic() - begin:.2f} s"
