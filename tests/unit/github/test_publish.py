"""Publishing against a GitHub that fails as it is told to: requests, faults, forks, and what is left for the summary."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from markdown_it import MarkdownIt

from ci_buildkit.github.event import Source, Trigger
from ci_buildkit.github.publish import Published, Publisher, Wishes
from ci_buildkit.report.digest import Digest, decode
from ci_buildkit.results.model import changed

if TYPE_CHECKING:
    from types import ModuleType

    from ci_buildkit.github.api import Repository

HEAD, BASE, TIP = "a" * 40, "b" * 40, "c" * 40
PULL = Trigger(HEAD, (BASE, "heads/main"), 7)
REFUSED = {"message": "Resource not accessible by integration"}
GFM = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
SECONDARY = {"message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."}


def publish(
    run: tuple[Any, Any], repository: Repository | None, trigger: Trigger = PULL, wishes: Wishes | None = None
) -> Published:
    return Publisher(*run, trigger, wishes or Wishes(), details_url="https://github.com/r").publish(repository)


def went_well(done: Published) -> bool:
    return not (done.notices or done.errors)


def with_base(server: Any, runs: ModuleType, ref: str = BASE) -> None:
    """A green run on the base branch: its check run holds a digest."""
    _, tests = runs.red()
    cases = [changed(case, outcome="passed") if case.broken else case for case in tests.cases]
    text = Digest.of(cases).encode(65_535)
    output = {"text": text, "title": "t", "summary": "s", "annotations_count": 0}
    server.checks.append(
        {"id": 1, "url": f"{server.url}/x", "name": "ci-buildkit", "head_sha": ref, "external_id": "", "output": output}
    )


def test_four_requests_for_check_run_comment_and_comparison(
    server: Any, repository: Repository, runs: ModuleType
) -> None:
    with_base(server, runs)
    record, tests = runs.red()
    finding = runs.FINDINGS[0]
    record = record.model_copy(update={"findings": (finding,) * 40})
    done = publish((record, tests), repository)
    assert [method for method, _ in server.requests] == ["GET", "POST", "GET", "POST"]
    check = server.checks[1]
    assert (check["head_sha"], check["conclusion"], check["status"]) == (HEAD, "failure", "completed")
    assert check["details_url"] == "https://github.com/r"
    assert 40 < len(check["all"]) <= 50
    assert server.comments[0]["body"].startswith("<!-- ci-buildkit: ci-buildkit ")
    for text in (check["output"]["summary"], server.comments[0]["body"], done.summary):
        assert "### Changes since `bbbbbbbbbbbb`" in text
        assert "**2 new failures**" in text
    assert went_well(done)
    assert len(done.done) == 3
    assert decode(check["output"]["text"]) == Digest.of(tests.cases)


def test_six_requests_at_most(server: Any, repository: Repository, runs: ModuleType) -> None:
    server.branches["heads/main"] = TIP
    with_base(server, runs, TIP)
    server.pulls = [{"number": 7, "head": {"sha": HEAD}, "base": {"sha": BASE, "ref": "main"}}]
    done = publish(runs.red(), repository, Trigger(HEAD, source=Source("stranger", "fix")))
    assert len(server.requests) == 6
    assert "state=open" in server.requests[0][1]
    assert "head=stranger%3Afix" in server.requests[0][1]
    assert "### Changes since `cccccccccccc`" in done.changes
    assert server.comments


def test_an_outdated_run_of_a_fork_leaves_the_comment_alone(
    server: Any, repository: Repository, runs: ModuleType
) -> None:
    server.pulls = [{"number": 7, "head": {"sha": TIP}, "base": {"sha": BASE, "ref": "main"}}]
    publish(runs.red(), repository, Trigger(HEAD, source=Source("stranger", "fix")))
    assert server.comments == []
    assert len(server.checks) == 1


def test_the_own_commit_is_not_compared_with(server: Any, repository: Repository, runs: ModuleType) -> None:
    server.branches["heads/main"] = HEAD
    with_base(server, runs, HEAD)
    assert publish(runs.red(), repository, Trigger(HEAD, ("heads/main",))).changes == ""


def test_annotations_in_chunks_of_50(server: Any, repository: Repository, runs: ModuleType) -> None:
    record, tests = runs.green()
    findings = tuple(
        runs.FINDINGS[0].__class__("a.go", n + 1, 1, None, None, "error", "r", "m", "t") for n in range(130)
    )
    done = publish((record.model_copy(update={"findings": findings}), tests), repository, Trigger(HEAD))
    lines = [one["start_line"] for one in server.checks[0]["all"] if one["path"] == "a.go"]
    assert lines == list(range(1, 131))
    assert [method for method, _ in server.requests] == ["POST", "PATCH", "PATCH"]
    assert "131 annotations" in done.done[0]


def test_a_comment_is_changed_only_when_its_text_is(server: Any, repository: Repository, runs: ModuleType) -> None:
    publish(runs.red(), repository)
    assert publish(runs.red(), repository).done[-1] == "comment on #7: unchanged"
    assert publish(runs.green(), repository).done[-1] == "comment on #7: updated"
    assert len(server.comments) == 1
    assert server.count("PATCH") == 1
    other = publish(runs.green(), repository, wishes=Wishes(name="arm --> 64"))
    assert other.done[-1] == "comment on #7: created"
    assert "-->" not in server.comments[1]["body"].partition(" -->\n")[0]
    for done in ("created", "unchanged"):
        longest = publish(runs.green(), repository, wishes=Wishes(name="\U0001f433" * 100))
        assert longest.done[-1] == f"comment on #7: {done}"


def test_a_comment_is_found_among_250(server: Any, repository: Repository, runs: ModuleType) -> None:
    for n in range(130):
        server.comment(f"words {n}", "someone", "User")
    publish(runs.red(), repository, wishes=Wishes(check=False))
    for n in range(120):
        server.comment(f"more {n}", "someone", "User")
    server.requests.clear()
    done = publish(runs.green(), repository, wishes=Wishes(check=False))
    assert done.done == ["comment on #7: updated"]
    assert len(server.comments) == 251
    # The comparison's two, two pages and the change.
    assert len(server.requests) == 5


def test_nobody_else_s_comment_is_edited(server: Any, repository: Repository, runs: ModuleType) -> None:
    publish(runs.red(), repository)
    marker = server.comments[0]["body"].partition("\n")[0]
    server.comments.clear()
    forged = [
        server.comment(f"{marker}\nbuy", "mallory", "User"),
        server.comment(f"look:\n{marker}", "some[bot]", "Bot"),
        server.comment(f"{marker}\ngone", "", "User") | {"user": None},
    ]
    server.comments[2]["user"] = None
    before = [one["body"] for one in forged]
    done = publish(runs.green(), repository)
    assert done.done[-1] == "comment on #7: created"
    assert [one["body"] for one in server.comments[:3]] == before


def test_the_token_s_own_user_is_asked_for_when_it_matters(
    server: Any, repository: Repository, runs: ModuleType
) -> None:
    publish(runs.red(), repository)
    server.comments[0]["user"] = {"login": "octocat", "type": "User"}
    server.login = "octocat"
    assert publish(runs.green(), repository).done[-1] == "comment on #7: updated"
    assert sum(path == "/user" for _, path in server.requests) == 1


def test_a_refused_edit_becomes_a_new_comment(server: Any, repository: Repository, runs: ModuleType) -> None:
    publish(runs.red(), repository)
    server.fault("PATCH", "/comments/1", 403, body=REFUSED, times=9)
    assert publish(runs.green(), repository).done[-1] == "comment on #7: created"
    assert publish(runs.green(), repository).done[-1] == "comment on #7: unchanged"
    assert len(server.comments) == 2


def test_labels(server: Any, repository: Repository, runs: ModuleType) -> None:
    wishes = Wishes(check=False, comment=False, label="ci: red/hot")
    publish(runs.red(), repository, wishes=wishes)
    assert server.labels == {"ci: red/hot"}
    publish(runs.green(), repository, wishes=wishes)
    assert server.labels == set()
    done = publish(runs.green(), repository, wishes=wishes)
    assert done.errors == []


@pytest.mark.parametrize("status", [403, 404])
def test_a_fork_s_token_falls_back_to_the_summary(
    server: Any, repository: Repository, runs: ModuleType, status: int
) -> None:
    with_base(server, runs)
    server.fault("POST", "/", status, body=REFUSED, times=9)
    done = publish(runs.red(), repository, Trigger(HEAD, (BASE,), 7, fork=True))
    assert done.errors == []
    assert len(done.notices) == 2
    assert all(notice.endswith("a fork's pull request gets a token that only reads") for notice in done.notices)
    assert "2 failed tests" in done.summary
    assert "**2 new failures**" in done.summary


def test_what_a_flag_asks_for_is_an_error(server: Any, repository: Repository, runs: ModuleType) -> None:
    server.fault("POST", "/check-runs", 403, body=REFUSED)
    done = publish(runs.red(), repository, wishes=Wishes(check=True))
    assert [error.exit_code for error in done.errors] == [6]
    # Everything else is published all the same.
    assert server.comments
    assert "2 failed tests" in done.summary


def test_a_missing_permission_is_named(server: Any, repository: Repository, runs: ModuleType) -> None:
    server.fault("POST", "/", 403, body=REFUSED, times=9)
    done = publish(runs.red(), repository)
    assert "`checks: write`" in done.notices[0]
    assert "Resource not accessible by integration" in done.notices[0]
    assert "`pull-requests: write`" in done.notices[1]


def test_a_base_that_is_gone_is_not_compared_with(server: Any, repository: Repository, runs: ModuleType) -> None:
    server.branches["heads/main"] = TIP
    with_base(server, runs, TIP)
    server.fault("GET", BASE, 422, body={"message": f"No commit found for SHA: {BASE}"})
    done = publish(runs.red(), repository)
    assert went_well(done)
    assert "### Changes since `cccccccccccc`" in done.changes


def test_without_a_token(runs: ModuleType) -> None:
    done = publish(runs.red(), None)
    assert done.errors == []
    assert "GITHUB_TOKEN" in done.notices[0]
    assert "2 failed tests" in done.summary
    assert publish(runs.red(), None, wishes=Wishes(comment=True)).errors[0].exit_code == 6
    nothing = publish(runs.red(), None, wishes=Wishes(check=False, comment=False))
    assert (nothing.notices, nothing.errors, nothing.summary) == ([], [], "")


def test_a_bad_token_is_told(server: Any, repository: Repository, runs: ModuleType) -> None:
    for method in ("GET", "POST"):
        server.fault(method, "/", 401, body={"message": "Bad credentials"}, times=9)
    done = publish(runs.red(), repository, wishes=Wishes(check=True, comment=False))
    assert "Bad credentials" in str(done.errors[0])
    assert "GITHUB_TOKEN" in done.errors[0].hint


def test_a_comment_without_a_pull_request(server: Any, repository: Repository, runs: ModuleType) -> None:
    done = publish(runs.red(), repository, Trigger(HEAD), Wishes(comment=True))
    assert done.errors == []
    assert done.notices == ["there is no pull request to comment on"]


def test_errors_of_the_server_pass(server: Any, repository: Repository, runs: ModuleType, waits: list[float]) -> None:
    server.fault("GET", "/check-runs", 500)
    server.fault("GET", "/comments", 503, body=b"<html>", headers={"Retry-After": "7"})
    server.fault("GET", "/comments", 0)
    done = publish(runs.red(), repository)
    assert went_well(done)
    assert len(server.checks) == len(server.comments) == 1
    assert 1 <= waits[0] <= 1.25
    assert waits[1] == 7
    assert 2 <= waits[2] <= 2.5


def test_errors_that_stay_are_told_and_cost_bounded_time(
    server: Any, repository: Repository, runs: ModuleType, waits: list[float]
) -> None:
    for method in ("GET", "POST"):
        server.fault(method, "/", 500, times=999)
    done = publish(runs.red(), repository)
    assert done.errors == []
    assert "(500)" in done.notices[0]
    assert sum(waits) <= 120
    assert server.count() < 25


def test_limits_are_honoured(server: Any, repository: Repository, runs: ModuleType, waits: list[float]) -> None:
    server.fault("POST", "/check-runs", 429, headers={"Retry-After": "11"})
    server.fault("POST", "/comments", 403, body=SECONDARY)
    publish(runs.red(), repository)
    assert waits == [11, 60]
    assert len(server.checks) == len(server.comments) == 1
    # A limit refuses before anything is made: nothing has to be looked for.
    assert server.count("GET") == 3


def test_a_limit_that_is_too_far_away_is_told(
    server: Any, repository: Repository, runs: ModuleType, waits: list[float]
) -> None:
    gone = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "99999999999"}
    server.fault("POST", "/check-runs", 403, body={"message": "API rate limit exceeded"}, headers=gone)
    done = publish(runs.red(), repository, wishes=Wishes(check=True, comment=False))
    assert waits == []
    assert "API rate limit exceeded" in str(done.errors[0])


@pytest.mark.parametrize("status", [502, 0])
def test_a_lost_answer_makes_nothing_twice(server: Any, repository: Repository, runs: ModuleType, status: int) -> None:
    server.fault("POST", "/check-runs", status, after=True)
    server.fault("PATCH", "/check-runs/1", status, after=True)
    server.fault("POST", "/comments", status, after=True)
    record, tests = runs.green()
    record = record.model_copy(update={"findings": runs.FINDINGS * 30})
    done = publish((record, tests), repository)
    assert went_well(done)
    assert len(server.checks) == len(server.comments) == 1
    assert len(server.checks[0]["all"]) == 91
    assert server.count("POST") == 2


@pytest.mark.parametrize("status", [502, 0])
def test_what_was_not_made_is_made_again(server: Any, repository: Repository, runs: ModuleType, status: int) -> None:
    for method, path in (("POST", "/check-runs"), ("PATCH", "/check-runs/1"), ("POST", "/comments")):
        server.fault(method, path, status)
    record, tests = runs.green()
    publish((record.model_copy(update={"findings": runs.FINDINGS * 30}), tests), repository)
    assert len(server.checks) == len(server.comments) == 1
    assert len(server.checks[0]["all"]) == 91


@pytest.mark.parametrize(
    "body", [b"[]", b"{", b"null", b'"x"', b'{"check_runs": [{"id": "x"}]}', b'{"check_runs": [null]}', b"\xff"]
)
def test_an_answer_of_another_form_is_no_crash(
    server: Any, repository: Repository, runs: ModuleType, body: bytes
) -> None:
    for method in ("GET", "POST"):
        server.fault(method, "/", 200, body=body, times=99)
    done = publish(runs.red(), repository, wishes=Wishes(comment=False))
    assert done.errors == []


@pytest.mark.parametrize("text", ["", "<!-- ci-buildkit-digest 1 AAAA -->", "<!-- ci-buildkit-digest 2 AAAA -->", None])
def test_a_damaged_digest_is_no_comparison(
    server: Any, repository: Repository, runs: ModuleType, text: str | None
) -> None:
    with_base(server, runs)
    server.checks[0]["output"]["text"] = text
    done = publish(runs.red(), repository)
    assert (done.changes, done.notices) == ("", [])


def test_huge_reports_fit(server: Any, repository: Repository, runs: ModuleType) -> None:
    record, tests = runs.large(50_000, 100)
    done = publish((record, tests), repository)
    assert went_well(done)
    check = server.checks[0]
    assert len(check["all"]) == 1000
    assert "annotations more than GitHub is given" in check["output"]["text"]
    assert "failed tests" in check["output"]["summary"]
    assert len(server.comments[0]["body"]) <= 65_536
    found = decode(check["output"]["text"])
    assert found is not None
    assert found.total == 50_000


def test_hostile_text_stays_text(server: Any, repository: Repository, runs: ModuleType) -> None:
    record, tests = runs.hostile()
    done = publish((record, tests), repository)
    assert went_well(done)
    output = server.checks[0]["output"]
    assert "\n" not in output["title"]  # which GitHub shows as it is
    for text in (server.comments[0]["body"], output["summary"], output["text"]):
        rendered = GFM.render(text)
        assert not set(re.findall(r"<(\w+)", rendered)) & {"script", "img", "iframe", "style"}
        assert set(re.findall(r'href="([^"]*)"', rendered)) <= {"https://github.com/r"}
        outside = re.sub(r"<code.*?</code>|<!--.*?-->", lambda found: " " * len(found[0]), rendered, flags=re.DOTALL)
        assert "@octocat" not in outside
