"""`ci-buildkit publish --release-assets`: what is sent, kept, replaced and refused, and what a failure leaves."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ci_buildkit.artifacts import dist
from ci_buildkit.cli import publish as command
from ci_buildkit.cli.main import main
from ci_buildkit.errors import GitHubError
from ci_buildkit.github import release
from ci_buildkit.github.api import Repository, connection
from ci_buildkit.github.releases import MARK, Releases
from ci_buildkit.github.retry import Refused

if TYPE_CHECKING:
    from types import ModuleType

HEAD = "a" * 40
TAG = "v1.2.3"
SENT = ["app_1.2.3_linux_amd64.spdx.json", "app_1.2.3_linux_amd64.tar.gz", "manifest.json", "checksums.txt"]
WORDS = ["publish", "--no-check", "--no-comment", "--release-assets"]


@pytest.fixture(autouse=True)
def workflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: Any) -> None:
    """A workflow on a pushed tag, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith(("GITHUB_", "ACT", "RUNNER_")):
            monkeypatch.delenv(name)
    known = {"TOKEN": "t", "API_URL": server.url, "REPOSITORY": "octo/hello", "SHA": HEAD, "EVENT_NAME": "push"}
    for name, value in {**known, "REF": f"refs/tags/{TAG}"}.items():
        monkeypatch.setenv(f"GITHUB_{name}", value)
    defaults = Repository.__init__.__kwdefaults__
    assert defaults
    monkeypatch.setitem(defaults, "write_pause", 0)
    server.releases.tags[TAG] = HEAD


@pytest.fixture(autouse=True)
def report(tmp_path: Path, runs: ModuleType) -> Path:
    """The report folder of a green run of the tag, with one archive and its SBOM."""
    return write(tmp_path / "ci-report", runs)


def write(folder: Path, runs: ModuleType, content: bytes = b"archive", archive: str = SENT[1], **changes: Any) -> Path:
    dist = folder / "dist"
    dist.mkdir(parents=True)
    (dist / archive).write_bytes(content)
    (dist / SENT[0]).write_bytes(b"{}")

    def entry(name: str) -> dict[str, Any]:
        data = (dist / name).read_bytes()
        return {"name": name, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}

    version = {"value": TAG, "revision": HEAD, "dirty": False, "source": "tag"}
    manifest = {"version": TAG, "revision": HEAD, "archives": [{**entry(archive), "sbom": entry(SENT[0])}]}
    (dist / "manifest.json").write_text(json.dumps(manifest))
    sums = "".join(f"{entry(name)['sha256']}  {name}\n" for name in (archive, SENT[0]))
    (dist / "checksums.txt").write_text(sums)
    record, _ = runs.green()
    record = record.model_copy(
        update={"version": record.version.model_copy(update={**version, **changes}), "tests": type(record.tests)()}
    )
    (folder / "run.json").write_text(record.to_json())
    return folder


def publish(report: Path, repository: Repository, **wishes: bool) -> str:
    record, _ = command.read(report)
    files = dist.read(report / "dist", record.version)
    return release.publish(Releases(repository), record, TAG, HEAD, files, release.Wishes(**wishes))


def names(made: dict[str, Any]) -> list[str]:
    assert all(asset["state"] == "uploaded" for asset in made["assets"])
    return [asset["name"] for asset in made["assets"]]


def contents(report: Path) -> list[str]:
    return [f"sha256:{hashlib.sha256((report / 'dist' / name).read_bytes()).hexdigest()}" for name in SENT]


class TestCommand:
    def test_a_release_is_made_filled_and_then_published(
        self, server: Any, report: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(WORDS) == 0
        (made,) = server.releases.all
        assert names(made) == SENT
        assert [asset["digest"] for asset in made["assets"]] == contents(report)
        assert (made["draft"], made["prerelease"], made["body"]) == (False, False, "## What's Changed")
        assert made["make_latest"] == "legacy"
        said = f"release {TAG}: 4 files uploaded, 0 there before, published: {made['html_url']}\n"
        assert capsys.readouterr().out == said

    def test_a_draft_stays_one_when_asked_for(self, server: Any, capsys: pytest.CaptureFixture[str]) -> None:
        assert main([*WORDS, "--draft", "--prerelease"]) == 0
        assert main(WORDS) == 0
        (made,) = server.releases.all
        assert (made["draft"], made["prerelease"]) == (True, True)
        assert "0 files uploaded, 4 there before, which is a draft" in capsys.readouterr().out

    def test_a_tag_can_be_named(self, server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("GITHUB_REF", "refs/heads/main")
        server.releases.tags["app/1.2.3"] = HEAD
        assert main([*WORDS, "--tag", "app/1.2.3"]) == 0
        assert server.releases.all[0]["tag_name"] == "app/1.2.3"

    def test_the_check_run_is_made_all_the_same(self, server: Any, capsys: pytest.CaptureFixture[str]) -> None:
        server.fault("POST", "/releases", 403, body={"message": "Resource not accessible by integration"})
        assert main(["publish", "--release-assets"]) == 6
        assert len(server.checks) == 1
        seen = capsys.readouterr()
        assert seen.out.startswith("check run ci-buildkit: success")
        assert "GitHub did not make the release v1.2.3 (403: Resource not accessible by integration)" in seen.err
        assert "`contents: write`" in seen.err

    @pytest.mark.parametrize(
        ("words", "change", "code", "message"),
        [
            ([], {"GITHUB_REF": "refs/heads/v1.2.3"}, 2, "there is no tag to release"),
            ([], {"GITHUB_TOKEN": ""}, 6, "there is no GITHUB_TOKEN, so v1.2.3 is not released"),
            (["--tag", "v1.2.4"], {}, 2, "the run built v1.2.3, the tag is v1.2.4"),
            (["--tag", "other/v1.2.3"], {}, 2, "GitHub has no tag other/v1.2.3"),
            ([], {"GITHUB_SHA": "b" * 40}, 2, "the workflow is of bbbbbbbbbbbb"),
        ],
    )
    def test_wrong_usage(
        self, server: Any, words: list[str], change: dict[str, str], code: int, message: str,
        monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    ) -> None:  # fmt: skip
        for name, value in change.items():
            monkeypatch.setenv(name, value)
        assert main([*WORDS, *words]) == code
        assert message in capsys.readouterr().err
        assert server.releases.all == []

    @pytest.mark.parametrize("word", ["--tag=v1", "--draft", "--no-prerelease"])
    def test_how_to_release_without_releasing(self, word: str, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["publish", word]) == 2
        assert "add --release-assets" in capsys.readouterr().err

    @pytest.mark.parametrize(
        ("changes", "code", "message"),
        [
            (
                {"outcome": "failed", "exit_code": 1},
                5,
                "ended as failed, with exit code 1: a red run's binaries are not",
            ),
            ({"outcome": "cancelled", "exit_code": 130}, 5, "a red run's binaries are not released"),
            ({"binaries": []}, 5, "the run made no binaries, so there is nothing to release"),
            ({"version": {"dirty": True}}, 5, "was built from changed files"),
            ({"version": {"value": "v1.2.3-4-gabc"}}, 2, "the run built v1.2.3-4-gabc, the tag is v1.2.3"),
            ({"version": {"revision": "c" * 40}}, 5, "manifest.json is of another run"),
        ],
    )
    def test_what_must_not_be_released(
        self, server: Any, report: Path, changes: dict[str, Any], code: int, message: str,
        capsys: pytest.CaptureFixture[str],
    ) -> None:  # fmt: skip
        document = json.loads((report / "run.json").read_text())
        document["version"].update(changes.pop("version", {}))
        (report / "run.json").write_text(json.dumps({**document, **changes}))
        assert main(WORDS) == code
        assert message in capsys.readouterr().err
        assert server.requests == []

    def test_the_commit_that_was_built_must_be_the_tag_s(self, server: Any, capsys: pytest.CaptureFixture[str]) -> None:
        server.releases.tags[TAG] = "d" * 40
        assert main(WORDS) == 2
        assert "the tag v1.2.3 is on commit dddddddddddd, the run built aaaaaaaaaaaa" in capsys.readouterr().err
        assert server.releases.all == []

    def test_a_name_that_github_would_change(
        self, server: Any, tmp_path: Path, runs: ModuleType, capsys: pytest.CaptureFixture[str]
    ) -> None:
        write(tmp_path / "other", runs, archive="app (1).tar.gz")
        assert main([*WORDS, "--report-dir", "other"]) == 2
        assert "GitHub would rename the file 'app (1).tar.gz'" in capsys.readouterr().err
        assert server.requests == []


class TestResumed:
    def test_killed_while_the_third_of_four_is_sent(self, server: Any, report: Path, repository: Repository) -> None:
        server.releases.hold = 3
        script = (
            "import sys; from pathlib import Path; from ci_buildkit.artifacts import dist; from ci_buildkit.cli import publish;"
            "from ci_buildkit.github import release; from ci_buildkit.github.api import Repository;"
            "from ci_buildkit.github.releases import Releases; report = Path(sys.argv[1]); record, _ = publish.read(report);"
            "api = Repository('octo/hello', 't', url=sys.argv[2], write_pause=0);"
            "files = dist.read(report / 'dist', record.version);"
            f"release.publish(Releases(api), record, '{TAG}', '{HEAD}', files, release.Wishes())"
        )
        with subprocess.Popen([sys.executable, "-c", script, report, server.url]) as process:
            assert server.releases.held.wait(30)
            process.kill()
        server.releases.go_on.set()
        (made,) = server.releases.all
        assert [asset["state"] for asset in made["assets"]] == ["uploaded", "uploaded", "starter"]
        assert made["draft"], "nobody sees half a release"
        assert "2 files uploaded, 2 there before, published" in publish(report, repository)
        assert server.releases.all == [made]
        assert names(made) == SENT
        assert server.releases.order == [*SENT[:3], *SENT[2:]]
        assert MARK not in made["body"]

    @pytest.mark.parametrize("status", [502, 0])
    def test_stored_though_the_answer_was_lost(
        self, server: Any, report: Path, repository: Repository, status: int, waits: list[float]
    ) -> None:
        server.fault("POST", f"/assets?name={SENT[1]}", status, after=True)
        publish(report, repository)
        assert names(server.releases.all[0]) == SENT
        assert server.releases.order == SENT, "nothing was sent twice"
        assert len(waits) == 1

    def test_half_stored_and_a_502(self, server: Any, report: Path, repository: Repository) -> None:
        """What GitHub says may happen: the file is there, empty, in the state `starter`."""
        server.releases.hold = 2
        server.releases.go_on.set()
        publish(report, repository)
        assert names(server.releases.all[0]) == SENT
        assert server.releases.order == [*SENT[:2], *SENT[1:]]

    def test_made_though_the_answer_was_lost(self, server: Any, report: Path, repository: Repository) -> None:
        server.fault("POST", "/releases", 502, after=True)
        publish(report, repository)
        assert [names(made) for made in server.releases.all] == [SENT]

    def test_a_second_publisher_at_the_same_time(self, server: Any, report: Path) -> None:
        """Both make a draft and send the same files; one release with each file once is left."""
        apis = [Repository("octo/hello", "t", url=server.url, write_pause=0) for _ in range(2)]
        with ThreadPoolExecutor(2) as pool:
            done = list(pool.map(lambda api: publish(report, api), apis))
        for api in apis:
            api.close()
        assert all("release v1.2.3: " in line for line in done)
        (made,) = server.releases.all
        assert sorted(names(made)) == sorted(SENT)
        assert [
            asset["digest"] for asset in sorted(made["assets"], key=lambda one: SENT.index(one["name"]))
        ] == contents(report)
        assert not made["draft"]

    def test_one_that_takes_files_away_again_and_again(self, server: Any, report: Path, repository: Repository) -> None:
        server.fault("POST", f"/assets?name={SENT[1]}", 422, body={"message": "Validation Failed"}, times=9)
        with pytest.raises(Refused, match=r"GitHub did not take the file .*422: Validation Failed"):
            publish(report, repository)
        (made,) = server.releases.all
        assert made["draft"]
        assert names(made) == SENT[:1], "no list of files that are not there"


def test_the_token_goes_to_github_alone(server: Any, report: Path, repository: Repository) -> None:
    made = server.releases.add(TAG)
    made["upload_url"] = "https://uploads.example.com/x{?name,label}"
    with pytest.raises(GitHubError, match=r"would go to 'uploads\.example\.com'"):
        publish(report, repository)


@pytest.mark.parametrize(
    ("host", "api", "goes"),
    [
        ("uploads.github.com", "api.github.com", True),
        ("uploads.octo.ghe.com", "api.octo.ghe.com", True),
        ("github.octo.com", "github.octo.com", True),
        ("github.com.evil.com", "api.github.com", False),
        ("evilgithub.com", "api.github.com", False),
    ],
)
def test_hosts_of_github(host: str, api: str, goes: bool) -> None:
    with nullcontext() if goes else pytest.raises(GitHubError):
        connection(f"https://{host}/x", api).close()


class TestThereBefore:
    def test_files_of_the_same_content_are_kept(self, server: Any, report: Path, repository: Repository) -> None:
        made = server.releases.add(TAG)
        kept = server.releases.asset(made, SENT[1], b"archive")
        foreign = server.releases.asset(made, "notes.pdf", b"by hand")
        assert "3 files uploaded, 1 there before: " in publish(report, repository)
        assert {"notes.pdf", *SENT} == set(names(made))
        assert kept in made["assets"]
        assert foreign in made["assets"]
        assert "0 files uploaded, 4 there before" in publish(report, repository)

    def test_other_content_is_replaced_and_its_checksums_go_first(
        self, server: Any, report: Path, repository: Repository
    ) -> None:
        made = server.releases.add(TAG)
        for name in SENT:
            server.releases.asset(made, name, b"ARCHIVE" if name == SENT[1] else b"other")
        publish(report, repository)
        assert [asset["digest"] for asset in made["assets"]] == contents(report)
        deleted = [path for method, path in server.requests if method == "DELETE"]
        assert len(deleted) == 4
        assert deleted == sorted(deleted, reverse=True), "checksums.txt was the last to be made"

    def test_a_github_that_tells_no_digests(self, server: Any, report: Path, repository: Repository) -> None:
        """Equal sizes say nothing of a file that somebody else sent."""
        server.releases.digests = False
        made = server.releases.add(TAG)
        server.releases.asset(made, SENT[1], b"ARCHIVE")
        assert "4 files uploaded" in publish(report, repository)
        assert names(made) == SENT

    def test_somebody_s_draft_is_filled_and_stays_one(self, server: Any, report: Path, repository: Repository) -> None:
        for number in range(120):
            server.releases.add(f"v0.{number}")
        made = server.releases.add(TAG, draft=True, body="drafted by hand")
        server.releases.all.insert(0, server.releases.all.pop())  # on the second page
        assert "which is a draft" in publish(report, repository)
        assert names(made) == SENT
        assert made["body"] == "drafted by hand"

    def test_what_is_immutable(self, server: Any, report: Path, repository: Repository) -> None:
        server.releases.immutable = True
        publish(report, repository)
        (made,) = server.releases.all
        assert made["immutable"]
        assert "0 files uploaded, 4 there before" in publish(report, repository)
        made["assets"].pop(1)
        with pytest.raises(GitHubError, match=f"is immutable and does not have these files as they are: {SENT[1]}"):
            publish(report, repository)
        assert len(made["assets"]) == 3

    def test_one_that_becomes_immutable_meanwhile(self, server: Any, report: Path, repository: Repository) -> None:
        made = server.releases.add(TAG)
        server.fault("POST", "/assets", 422, body={"message": "Cannot upload assets to an immutable release."})
        with pytest.raises(GitHubError, match="immutable") as raised:
            publish(report, repository)
        assert raised.value.hint == "what is published stays as it is: release a new version"
        assert made["assets"] == []

    @pytest.mark.parametrize(
        ("version", "early"),
        [("v1.2.3", False), ("1.2", False), ("v1.2.3+build.5", False), ("1.0.post1", False), ("v1.2.3-rc.1", True), ("1.0rc1", True), ("2.0.dev3", True), ("nightly", True)],
    )  # fmt: skip
    def test_which_are_prereleases(self, version: str, early: bool) -> None:
        assert release.early(version) is early


class TestDist:
    @pytest.fixture
    def folder(self, report: Path) -> Path:
        return report / "dist"

    @pytest.mark.parametrize(
        ("name", "content", "message"),
        [
            (SENT[1], b"ARCHIVE", "is not the file that checksums.txt and manifest.json list"),
            (SENT[1], b"", "is empty"),
            (SENT[1], None, "is missing, or no file"),
            (SENT[0], b"[]", "is not the file that checksums.txt and manifest.json list"),
            ("checksums.txt", None, "checksums.txt is missing"),
            ("checksums.txt", b"0" * 64 + b"  ../app.tar.gz\n", "has a line that sha256sum does not write"),
            ("checksums.txt", b"0" * 64 + b"  ..\n", "has a line that sha256sum does not write"),
            ("checksums.txt", b"0" * 64 + b"  a\n" + b"0" * 64 + b"  a\n", "or a name twice"),
            ("checksums.txt", b"0" * 64 + b"  a\n", "is in only one of checksums.txt and manifest.json"),
            ("checksums.txt", b"\xff", "cannot be read"),
            ("manifest.json", b"{", "is no JSON"),
            ("manifest.json", b"[]", "is of another run than run.json, which has v1.2.3"),
        ],
    )
    def test_a_folder_that_is_not_what_its_lists_say(
        self,
        server: Any,
        folder: Path,
        name: str,
        content: bytes | None,
        message: str,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        if content is None:
            (folder / name).unlink()
        else:
            (folder / name).write_bytes(content)
        assert main(WORDS) == 5
        assert message in capsys.readouterr().err
        assert server.requests == []

    def test_links_are_not_followed(self, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (folder / SENT[1]).rename(tmp_path / "outside")
        (folder / SENT[1]).symlink_to(tmp_path / "outside")
        assert main(WORDS) == 5
        assert "is missing, or no file" in capsys.readouterr().err
        shutil.move(folder, tmp_path / "away")
        folder.symlink_to(tmp_path / "away")
        assert main(WORDS) == 5
        assert "dist is a link" in capsys.readouterr().err
