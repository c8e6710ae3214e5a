"""What goes wrong at users': each a clear message, the right exit code, and nothing lost."""

from __future__ import annotations

import http.server
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from tests.e2e import support

LINT = "FROM alpine AS lint\nRUN echo fine\n"
TWO = (
    LINT
    + "FROM alpine AS build\nRUN mkdir /out && echo tool > /out/tool\nFROM scratch AS binaries\nCOPY --from=build /out /\n"
)


# The disk fills when the lint stage, which needs some of it for its log, is through.
LATER = "sleep 4"


def write(project: Path, text: str) -> None:
    """The project's Dockerfile."""
    (project / "Dockerfile").write_text(text)


def path_without(tmp_path: Path, *lost: str) -> str:
    """A PATH with the tools that a run needs, but those named."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in {"git", "docker", "sh"} - set(lost):
        if found := shutil.which(tool):
            (folder / tool).symlink_to(found)
    return str(folder)


def test_no_docker(project: Path, environment: dict[str, str], tmp_path: Path) -> None:
    write(project, LINT)
    run = support.run(project, {**environment, "PATH": path_without(tmp_path, "docker")})
    assert run.code == 4
    assert "there is no `docker` command on PATH" in run.output
    assert "Traceback" not in run.output


def test_no_buildx(project: Path, environment: dict[str, str], tmp_path: Path) -> None:
    write(project, LINT)
    home = tmp_path / "home"
    home.mkdir()
    bare = {**environment, "DOCKER_CONFIG": str(home), "HOME": str(home), "PATH": path_without(tmp_path)}
    run = support.run(project, bare)
    assert run.code == 4
    assert "docker has no buildx plugin" in run.output


def test_daemon_down(project: Path, environment: dict[str, str], tmp_path: Path) -> None:
    write(project, LINT)
    run = support.run(project, {**environment, "DOCKER_HOST": f"unix://{tmp_path}/none.sock"})
    assert run.code == 4
    assert "the Docker daemon does not answer" in run.output
    assert "DOCKER_HOST" in run.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["lnt"], "there is no stage 'lnt'"),
        (["--lint-target", "lnit"], "did you mean 'lint'?"),
        (["--platform", "linux/amd46"], "unknown platform 'linux/amd46'"),
        (["--platform", "linux"], "is not a platform"),
        (["--context", "nowhere"], "the context nowhere is not a folder"),
        (["--file", "Dockerfile.none"], "there is no file Dockerfile.none"),
        (["--build-arg", "X"], "is not of the form NAME=VALUE"),
        (["--push"], "--image"),
        (["--image", "UPPER/Case"], "is not a valid image name"),
        (["--nonsense"], "unrecognized arguments: --nonsense"),
    ],
)
def test_wrong_usage(words: list[str], said: str, project: Path, environment: dict[str, str], builder: str) -> None:
    write(project, TWO + "FROM scratch AS app\nCOPY --from=build /out /\nCMD ['/tool']\n")
    run = support.run(project, environment, "--builder", builder, *words)
    assert run.code == 2, run.output
    assert said in run.output
    assert "Traceback" not in run.output


def test_nothing_to_run(project: Path, environment: dict[str, str], builder: str) -> None:
    write(project, "FROM alpine AS one\nRUN true\nFROM alpine AS devcontainer\nRUN true\n")
    run = support.run(project, environment, "--builder", builder)
    assert run.code == 2, run.output
    assert "targets: one, devcontainer" in run.output


def test_misspelt_stage(project: Path, environment: dict[str, str], builder: str) -> None:
    write(project, "FROM alpine AS base\nRUN true\nFROM bas AS lint\nRUN true\nFROM base AS app\nCMD true\n")
    run = support.run(project, environment, "--builder", builder)
    assert run.code == 3, run.output
    assert 'Dockerfile:3: there is no stage "bas"; did you mean "base"?' in run.output
    assert run.stage("app")["outcome"] == "passed"  # one stage's trouble is not the others'


def test_unknown_mount_type(project: Path, environment: dict[str, str], builder: str) -> None:
    write(project, "FROM alpine AS lint\nRUN --mount=type=bnd,target=/x true\n")
    run = support.run(project, environment, "--builder", builder)
    assert run.code == 3, run.output
    assert 'unsupported mount type "bnd"' in run.output


def test_unknown_instruction(project: Path, environment: dict[str, str], builder: str) -> None:
    write(project, "FORM alpine AS lint\nRUN true\n")
    run = support.run(project, environment, "--builder", builder)
    assert run.code == 3, run.output
    assert "unknown instruction: FORM" in run.output


class Refusing(http.server.BaseHTTPRequestHandler):
    """A registry that lets nobody push."""

    refusal = 403

    def answer(self) -> None:
        """The refusal in the form of the distribution API."""
        body = b'{"errors": [{"code": "DENIED", "message": "requested access to the resource is denied"}]}'
        good = self.command == "GET" and self.path == "/v2/"
        self.send_response(200 if good else 404 if self.command in {"GET", "HEAD"} else self.refusal)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    # The names are the base class's.
    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = answer  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.mark.parametrize("status", [401, 403])
def test_registry_refuses_the_push(
    project: Path, environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.setattr(Refusing, "refusal", status)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refusing)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    host = f"127.0.0.1:{server.server_address[1]}"
    config = tmp_path / "buildkitd.toml"
    given = Path(environment["CI_BUILDKIT_BUILDKITD_CONFIG"]).read_text()
    config.write_text(f'{given}\n[registry."{host}"]\n  http = true\n')
    write(project, TWO + "FROM scratch AS app\nCOPY --from=build /out /\nCMD ['/tool']\n")
    try:
        run = support.run(project, environment, "--buildkitd-config", str(config), "--image", f"{host}/a/b", "--push")
    finally:
        server.shutdown()
        server.server_close()
    assert run.code == 4, run.output
    assert "push of app failed" in run.output
    assert "denied" in run.output.lower() or str(status) in run.output
    assert [image["pushed"] for image in run.record["images"]] == [False]
    assert run.record["binaries"]  # nothing else is lost


@contextmanager
def small_disk(folder: Path, options: str) -> Iterator[Path]:
    """A file system of its own."""
    folder.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_disk_full_while_exporting(project: Path, environment: dict[str, str], builder: str, tmp_path: Path) -> None:
    write(
        project,
        TWO.replace("echo tool > /out/tool", f"{LATER} && dd if=/dev/urandom of=/out/tool bs=1M count=16 2>/dev/null"),
    )
    with small_disk(tmp_path / "small", "size=6m") as small:
        run = support.run(project, {**environment, "TMPDIR": str(small)}, "--builder", builder)
    assert run.code == 4, run.output
    assert "no space left on device" in run.output.lower()
    assert run.stage("binaries")["outcome"] == "error"
    assert run.stage("lint")["outcome"] == "passed"
    assert "fine" in run.log("lint") or "CACHED" in run.log("lint")


def test_disk_full_of_log(project: Path, environment: dict[str, str], builder: str, tmp_path: Path) -> None:
    talk = f"FROM alpine AS talk\nRUN echo {time.time()}; {LATER}; head -c 20000000 /dev/urandom | base64\n"
    write(project, LINT + talk + "FROM scratch AS binaries\nCOPY --from=talk /etc/os-release /\n")
    with small_disk(tmp_path / "small", "size=6m") as small:
        run = support.run(project, {**environment, "TMPDIR": str(small)}, "--builder", builder)
        assert list(small.iterdir()) == []
    assert run.code == 4, run.output
    assert "binaries: no space left on device" in run.output
    assert run.stage("lint")["outcome"] == "passed"
    assert len(run.log("binaries")) > 1_000_000, "the log is kept as far as it went"
    assert (run.folder / "report.html").is_file()


def test_disk_full_where_the_report_goes(
    project: Path, environment: dict[str, str], builder: str, tmp_path: Path
) -> None:
    write(project, LINT)
    with small_disk(tmp_path / "small", "size=16k") as small:
        words = ["run", "--builder", builder, "--report-dir", str(small / "report")]
        done = support.command(words, {**environment, "TMPDIR": str(tmp_path)}, cwd=project)
        assert list(small.iterdir()) == []
    assert done.returncode == 5, done.stderr
    assert "/report: No space left on device" in done.stderr
    kept = re.search(r"it was kept in (\S+)", done.stderr)
    assert kept, done.stderr
    assert (Path(kept[1]) / "report.html").is_file()


def test_report_folder_not_writable(project: Path, environment: dict[str, str], tmp_path: Path) -> None:
    write(project, LINT)
    with small_disk(tmp_path / "fixed", "ro") as fixed:
        done = support.command(["run", "--report-dir", str(fixed / "report")], environment, cwd=project)
    assert done.returncode == 2
    assert "is not writable" in done.stderr


def test_report_folder_of_somebody_else(project: Path, environment: dict[str, str]) -> None:
    write(project, LINT)
    (project / "thesis").mkdir()
    (project / "thesis" / "chapter").write_text("years of work")
    for folder, said in (("thesis", "holds no earlier report"), (".", "holds the build context")):
        done = support.command(["run", "--report-dir", folder], environment, cwd=project)
        assert done.returncode == 2
        assert said in done.stderr
    assert (project / "thesis" / "chapter").read_text() == "years of work"


def test_report_folder_in_the_context(project: Path, environment: dict[str, str], builder: str) -> None:
    write(project, LINT)
    words = ["run", "--builder", builder, "--report-dir", "ci-report"]
    warned = support.command(words, environment, cwd=project)
    assert warned.returncode == 0, warned.stderr
    assert "add the line ci-report/" in warned.stderr
    (project / ".dockerignore").write_text("ci-report/\n")
    assert "add the line" not in support.command(words, environment, cwd=project).stderr


def test_log_that_is_not_utf_8(project: Path, environment: dict[str, str], builder: str) -> None:
    write(
        project, f"FROM alpine AS lint\nRUN echo {time.time()} && printf 'caf\\351 \\377\\376 \\033[31mred\\n'; false\n"
    )
    run = support.run(project, environment, "--builder", builder)
    assert run.code == 1, run.output
    assert "caf\ufffd" in run.log("lint")
    assert "\x1b" not in run.output
    assert "\x1b" not in (run.folder / "report.html").read_text()


def test_100_mb_of_log(project: Path, environment: dict[str, str], builder: str, tmp_path: Path) -> None:
    write(
        project,
        f"FROM alpine AS lint\nRUN echo {time.time()} && yes 'a line of forty characters, or nearly' | head -c 100000000\n",
    )
    report = tmp_path / "report"
    command = [sys.executable, "-m", "ci_buildkit", "run", "--builder", builder, "--report-dir", str(report)]
    with subprocess.Popen(
        command, cwd=project, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        peak = 0
        seen = psutil.Process(process.pid)
        while process.poll() is None:
            try:
                peak = max(peak, seen.memory_info().rss)
            except psutil.Error:
                break
            time.sleep(0.05)
    assert process.returncode == 0
    assert 0 < peak < 300 << 20
    assert (report / "logs" / "lint.log").stat().st_size > 100_000_000
    print(f"peak {peak >> 20} MiB")


def test_no_traceback_but_with_debug(project: Path, environment: dict[str, str]) -> None:
    write(project, LINT)
    plain = support.command(["run", "--file", "none"], environment, cwd=project)
    debug = support.command(["run", "--file", "none", "--debug"], environment, cwd=project)
    assert "Traceback" not in plain.stderr
    assert "Traceback" in debug.stderr
    assert re.search(r"^error: ", plain.stderr, re.MULTILINE)
