"""What is locked: the rules of `make audit`, that our locks keep them, and what it says where a service has no answer.

pip-audit is the real one, from the environment that `make audit` makes for it; OSV is a server here that answers as OSV does.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from tests.scripts import script

ROOT = Path(__file__).parents[2]
HASH = f"--hash=sha256:{'0' * 64}"
GOOD = f"one==1.0 \\\n    {HASH} \\\n    {HASH}\ntwo.x==2.0 ; python_full_version < '3.12' \\\n    {HASH}\n"


audit = script("audit")
locked = script("locked")


def test_a_lock_is_read() -> None:
    first, second = locked.pins(f"# made by a program\n{GOOD}")
    assert (first.name, first.version, first.marker, first.hashes) == ("one", "1.0", "", (HASH, HASH))
    assert (second.name, second.version, second.marker) == ("two-x", "2.0", "python_full_version < '3.12'")
    assert locked.pins(f"{first}\n{second}\n") == [first, second]
    assert locked.not_pinned(GOOD) == []


@pytest.mark.parametrize(
    "line",
    [
        "one==1.0",
        f"one>=1.0 {HASH}",
        f"one {HASH}",
        f"one @ git+ssh://host.invalid/one {HASH}",
        "one==1.0 --hash=md5:00",
        "-e .",
        "-r other.txt",
        "--index-url=file:///index",
        "--find-links wheels",
        "./folder",
        f"one==1.0 {HASH} --config-settings=a=b",
    ],
)
def test_anything_else_in_a_lock_is_told(line: str) -> None:
    assert locked.not_pinned(f"{GOOD}{line}\n") == [line]


def test_a_marker_decides_whether_a_pin_is_for_this_machine() -> None:
    for marker, here in (("", True), ("python_version >= '3.11'", True), ("sys_platform == 'win32'", False)):
        assert locked.Pin("one", "1", marker).applies is here


def test_a_version_out_of_the_range_is_told() -> None:
    pins = [locked.Pin("one", "1.5"), locked.Pin("two-x", "0.9"), locked.Pin("two-x", "1.1")]
    assert locked.out_of_range(["One>=1", "two.x>=1", "three"], pins) == [
        "two.x>=1: the lock has 0.9 and 1.1",
        "three: the lock has none",
    ]
    assert locked.out_of_range(["one>=1.6"], pins) == ["one>=1.6: the lock has 1.5"]


def test_another_version_than_the_tested_one_is_told() -> None:
    assert locked.disagreeing([locked.Pin("a", "1"), locked.Pin("b", "1")], [locked.Pin("a", "1"), locked.Pin("b", "2")]) == [
        "b 1"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("metadata", "said", "good"),
    [
        ({"license_expression": "MIT", "license": "GPL-3.0"}, "MIT", True),
        ({"license_expression": "Apache-2.0 OR GPL-3.0-only"}, "Apache-2.0 OR GPL-3.0-only", True),
        ({"license_expression": "MIT AND GPL-3.0-only"}, "MIT AND GPL-3.0-only", False),
        ({"license_expression": "(MIT OR X) AND PSF-2.0"}, "(MIT OR X) AND PSF-2.0", True),
        ({"classifier": ["License :: OSI Approved :: MIT License", "Typing :: Typed"]}, "MIT License", True),
        (
            {"classifier": ["License :: OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)"]},
            "Mozilla Public License 2.0",
            True,
        ),
        ({"classifier": ["License :: OSI Approved"], "license": "GPL-3.0"}, "GPL-3.0", False),
        ({"license": "MIT License\n\nPermission is given"}, "MIT License", True),
        ({"license": "MITish"}, "MITish", False),
        ({"license": "UNKNOWN"}, "", False),
        ({}, "", False),
    ],
)
def test_a_licence_is_found_and_judged(metadata: dict[str, Any], said: str, good: bool) -> None:
    assert locked.licence(metadata) == said
    assert locked.accepted(said) is good


def test_our_locks_keep_all_rules_that_need_no_service() -> None:
    done = subprocess.run(
        [sys.executable, "bin/audit.py", "--offline"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["ok"] * 3


def test_every_lock_is_audited_and_locked_anew() -> None:
    names = {path.stem for path in (ROOT / "requirements").glob("*.txt")}
    assert (
        set(audit.LOCKS)
        == names
        == set(script("lock").NAMES)
        == {path.stem for path in (ROOT / "requirements").glob("*.in")}
    )


def test_a_package_that_nothing_was_said_of_is_not_taken_for_a_good_one() -> None:
    pins = [locked.Pin("one", "1"), locked.Pin("two", "1"), locked.Pin("three", "1", "sys_platform == 'win32'")]
    skipped = {"name": "two", "skip_reason": "Dependency not found and could not be audited: two (1)"}
    told = audit.judged("t", pins, [{"name": "One", "version": "1", "vulns": []}, skipped])
    assert told == audit.Result("t", [], "nothing was said of two")
    assert audit.judged("t", pins[:1], []).unasked == "nothing was said of one"


class Osv(BaseHTTPRequestHandler):
    """OSV's `/v1/query` for one package (google.github.io/osv.dev, "POST /v1/query"): what is known of it, else nothing."""

    weak = ""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        package = {"name": asked["package"]["name"], "ecosystem": "PyPI"}
        events = [{"introduced": "0"}, {"fixed": "99.1"}]
        known = {"id": "PYSEC-0000-1", "summary": "x", "affected": [
            {"package": package, "ranges": [{"type": "ECOSYSTEM", "events": events}]}]}  # fmt: skip
        body = json.dumps({"vulns": [known]} if package["name"] == self.weak else {}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Nothing: tests say what is wrong."""


@pytest.fixture
def osv() -> Iterator[str]:
    """The address of the service."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Osv)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1/query"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_known_weakness_is_told_and_where_it_is_mended(osv: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert audit.weaknesses("boot", osv) == audit.Result("boot.txt: no known weakness", [])
    monkeypatch.setattr(Osv, "weak", "uv")
    [version] = re.findall(r"^uv==(\S+)", (ROOT / "requirements" / "boot.txt").read_text(), re.MULTILINE)
    assert audit.weaknesses("boot", osv).found == [f"uv {version}: PYSEC-0000-1, mended in 99.1"]


def test_a_service_that_does_not_answer_is_no_all_clear() -> None:
    told = audit.weaknesses("boot", "http://127.0.0.1:1/v1/query")
    assert not told.found
    assert told.unasked.startswith("pip-audit: ")
    assert "127.0.0.1" in told.unasked


@pytest.mark.parametrize(
    ("results", "code"),
    [
        ([audit.Result("a")], 0),
        ([audit.Result("a"), audit.Result("b", unasked="no answer")], 2),
        ([audit.Result("a", ["x"]), audit.Result("b", unasked="no answer")], 1),
    ],
)
def test_the_exit_code(
    results: list[Any], code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(audit, "without_service", lambda: results)
    assert audit.main(["--offline"]) == code
    assert ("no all-clear" in capsys.readouterr().out) is (code == 2)
