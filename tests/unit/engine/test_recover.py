"""Reports out of a step: the script under real shells, the pseudo-terminal, and what is unpacked."""

from __future__ import annotations

import base64
import csv
import io
import json
import os
import shutil
import subprocess
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ci_buildkit.engine import recover, search
from ci_buildkit.engine.recover import Recovered, Terminal, unpack
from ci_buildkit.engine.search import invoke, script

TOKEN = "0123456789abcdef" * 2


@pytest.fixture(params=["sh", "busybox"])
def shell(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], str]:
    """Runs a script with the machine's shell and tools, or with busybox' alone, as a step's image has them."""
    busybox = shutil.which("busybox")
    if request.param == "sh" or busybox is None:
        assert request.param == "sh", "busybox is not installed (Debian: busybox-static)"
        command, environment = ["sh", "-c"], dict(os.environ)
    else:
        tools = tmp_path / "tools"
        tools.mkdir()
        for name in ("find", "tar", "base64", "gzip", "head", "sort", "wc", "cat", "rm", "sleep", "sh"):
            (tools / name).symlink_to(busybox)
        command, environment = [str(tools / "sh"), "-c"], {"PATH": str(tools)}

    def run(text: str) -> str:
        text = text.replace("PATH=$PATH:/usr/local/sbin", "PATH=$PATH:/nowhere; : ")
        told = "exit\n"  # as the debugger is
        done = subprocess.run([*command, text], input=told, capture_output=True, check=True, env=environment, text=True)
        return done.stdout

    return run


def sections(output: str) -> dict[str, str]:
    """The text after each mark, by the mark's word."""
    found: dict[str, str] = {}
    word = ""
    for line in output.splitlines():
        if line.startswith(f"{TOKEN}-"):
            word = line.removeprefix(f"{TOKEN}-")
            found[word] = ""
        else:
            found[word] = found.get(word, "") + line
    return found


def names(output: str) -> set[str]:
    """The files in what a script printed."""
    data = sections(output).get("data", "")
    if not data:
        return set()
    with tarfile.open(fileobj=io.BytesIO(base64.b64decode(data))) as archive:
        return {member.name for member in archive}


@pytest.fixture
def workdir(tmp_path: Path) -> Path:
    """A working directory as a test stage leaves it, with names that a shell could trip over."""
    folder = tmp_path / "it's a $(dir)"
    for name in (
        "junit.xml", "src/deep/TEST-a.xml", "build/my report.xml", "exit-code", "src/main.go", "notes.xml.bak",
        "node_modules/x/junit.xml", ".git/junit.xml", "out/results.json", "a;b `c` \"d\" test.xml",
    ):  # fmt: skip
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name, encoding="utf-8")
    return folder


def relative(found: set[str], folder: Path) -> set[str]:
    """Names inside a folder."""
    return {name.removeprefix(f"{str(folder).strip('/')}/") for name in found}


def test_usual_names_below_the_working_directory_are_found(shell: Callable[[str], str], workdir: Path) -> None:
    output = shell(script(TOKEN, str(workdir), ()))
    assert list(sections(output))[1:] == ["begin", "data", "end"]
    assert relative(names(output), workdir) >= {
        "junit.xml", "src/deep/TEST-a.xml", "build/my report.xml", "exit-code", "out/results.json",
        "a;b `c` \"d\" test.xml",
    }  # fmt: skip
    assert not {name for name in names(output) if "node_modules" in name or ".git/" in name or "main.go" in name}


@pytest.mark.parametrize(
    ("named", "found"),
    [
        ("junit.xml", {"junit.xml"}),
        ("src", {"src/deep/TEST-a.xml", "src/main.go"}),
        ("src/*/TEST-*.xml", {"src/deep/TEST-a.xml"}),
        ("build/my report.xml", {"build/my report.xml"}),
        ("*;b*", {'a;b `c` "d" test.xml'}),
        ("nothing/*.xml", set()),
        ("$(touch pwned)", set()),
        ("junit.xml; touch pwned", set()),
    ],
)
def test_named_paths_are_taken_and_nothing_else(
    shell: Callable[[str], str], workdir: Path, named: str, found: set[str]
) -> None:
    assert relative(names(shell(script(TOKEN, str(workdir), (named,)))), workdir) == found
    assert not list(workdir.parent.rglob("pwned"))
    assert not Path("pwned").exists()


def test_an_absolute_path_is_not_below_the_working_directory(shell: Callable[[str], str], workdir: Path) -> None:
    output = shell(script(TOKEN, "/", (str(workdir / "exit-code"),)))
    assert relative(names(output), workdir) == {"exit-code"}


def test_a_file_over_the_limit_is_left_out_and_named(
    shell: Callable[[str], str], workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "MAX_FILE_KIB", 1)
    (workdir / "big-test.xml").write_bytes(b"x" * 4096)
    output = shell(script(TOKEN, str(workdir), ()))
    assert f"skip {workdir}/big-test.xml" in sections(output)
    assert "junit.xml" in relative(names(output), workdir)
    assert "big-test.xml" not in relative(names(output), workdir)


def test_a_shell_without_the_tools_says_which(tmp_path: Path) -> None:
    tools = tmp_path / "none"
    tools.mkdir()
    text = script(TOKEN, "/", ()).replace("PATH=$PATH:/usr/local/sbin", "PATH=/nowhere; : ")
    sh = shutil.which("sh")
    assert sh
    output = subprocess.run(
        [sh, "-c", text], capture_output=True, text=True, env={"PATH": str(tools)}, check=True
    ).stdout
    assert list(sections(output))[1:] == ["begin", "missing-find", "end"]


def test_the_mark_is_not_in_the_script_itself() -> None:
    """The step's log shows the script's text where a shell is told to trace."""
    assert TOKEN not in script(TOKEN, "/w", ())


def test_the_flag_holds_the_script_as_csv_and_json() -> None:
    text = "echo \"a,b\" 'c'\n$x"
    (fields,) = csv.reader(io.StringIO(invoke(text).replace('entrypoint=["/bin/sh"]', "e"), newline=""))
    assert fields[2] == "tty=false"
    assert json.loads(fields[1].removeprefix("args=")) == ["-c", text]


def archive(files: dict[str, bytes]) -> bytes:
    """A packed tar archive."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as packed:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            packed.addfile(entry, io.BytesIO(content))
    return out.getvalue()


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    """A terminal whose debugger is played by the test."""
    made = Terminal(tmp_path / "spool")
    yield made
    made.close()


def mark(terminal: Terminal, word: str) -> bytes:
    """A marker line as the raw terminal brings it."""
    return f"\r\n{terminal.token}-{word}\r\n".encode()


def told(terminal: Terminal) -> bytes:
    """What the debugger is told, from its side of the terminal."""
    return os.read(terminal.slave, 100)


def test_reports_come_back_through_the_terminal(terminal: Terminal, tmp_path: Path) -> None:
    deep = os.urandom(100_000)
    body = base64.encodebytes(archive({"out/a.xml": b"<a/>", "out/deep/b.xml": deep}))
    sent = b"noise" + mark(terminal, "begin") + mark(terminal, "skip /big") + mark(terminal, "data")
    writer = threading.Thread(target=os.write, args=(terminal.slave, sent + body.replace(b"\n", b"\r\n")))
    writer.start()
    writer.join()
    os.write(terminal.slave, mark(terminal, "end"))
    assert told(terminal) == b"exit\r\n"
    result = terminal.close()
    assert (result.begun, result.complete, result.trouble, result.left_out) == (True, True, "", ["/big"])
    unpack(result, terminal.spool, tmp_path / "to")
    assert sorted(result.files) == ["out/a.xml", "out/deep/b.xml"]
    assert (tmp_path / "to/out/a.xml").read_bytes() == b"<a/>"
    assert (tmp_path / "to/out/deep/b.xml").read_bytes() == deep


def test_the_shell_and_then_the_debugger_are_told_to_leave(terminal: Terminal) -> None:
    os.write(terminal.slave, mark(terminal, "begin") + mark(terminal, "data") + mark(terminal, "end"))
    assert told(terminal) == b"exit\r\n"
    began = time.monotonic()
    os.write(terminal.slave, b"Switched IO\r\n(buildx) ")
    assert told(terminal) == b"exit\r\n"
    assert time.monotonic() - began < 1  # the debugger is not kept waiting
    assert terminal.close().complete


def test_a_step_without_a_shell_is_given_up(terminal: Terminal) -> None:
    os.write(terminal.slave, b"(buildx) ")
    assert told(terminal) == b"exit\r\n"
    result = terminal.close()
    assert not result.begun
    assert result.trouble == "the debugger could not run a shell in the step's file system"


def test_a_shell_that_dies_half_way_is_told(terminal: Terminal, tmp_path: Path) -> None:
    os.write(
        terminal.slave,
        mark(terminal, "begin") + mark(terminal, "data") + base64.b64encode(archive({"a": b"x"})[:21]) + b"\r\n",
    )
    time.sleep(0.3)
    result = terminal.close()
    assert result.begun
    assert not result.complete
    assert "ended before all of the reports had arrived" in result.trouble
    unpack(result, terminal.spool, tmp_path / "to")
    assert result.files == []


def test_a_silent_shell_is_not_waited_for_forever(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recover, "QUIET_SECONDS", 0.2)
    os.write(terminal.slave, mark(terminal, "begin"))
    assert told(terminal) == b"exit\r\n"
    assert "nothing came from the step's shell" in terminal.close().trouble


def test_a_debugger_that_does_not_leave_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recover, "LEAVE_TRIES", 0)
    terminal = Terminal(tmp_path / "spool")
    killed = threading.Event()
    terminal.attach(killed.set)
    os.write(terminal.slave, mark(terminal, "begin") + mark(terminal, "data") + mark(terminal, "end"))
    assert killed.wait(5)
    assert terminal.close().complete


def test_a_build_that_never_ran_the_shell_leaves_nothing(terminal: Terminal, tmp_path: Path) -> None:
    result = terminal.close()
    assert result == Recovered()
    unpack(result, terminal.spool, tmp_path / "to")
    assert not (tmp_path / "to").exists()


@pytest.mark.parametrize("name", ["../out.xml", "/etc/out.xml", "a/../../out.xml"])
def test_a_hostile_archive_stays_inside_the_folder(tmp_path: Path, name: str) -> None:
    spool = tmp_path / "spool"
    spool.write_bytes(archive({name: b"x", "fine.xml": b"y"}))
    result = Recovered(begun=True, complete=True)
    unpack(result, spool, tmp_path / "to" / "folder")
    outside = [path for path in tmp_path.rglob("*") if path.is_file() and path != spool]
    assert all(path.is_relative_to(tmp_path / "to" / "folder") for path in outside)
    assert not Path("/etc/out.xml").exists()


def test_links_and_devices_in_an_archive_are_left_out(tmp_path: Path) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as packed:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE):
            entry = tarfile.TarInfo(f"entry-{kind.decode()}")
            entry.type, entry.linkname = kind, "/etc/passwd"
            packed.addfile(entry)
    spool = tmp_path / "spool"
    spool.write_bytes(out.getvalue())
    result = Recovered(begun=True, complete=True)
    unpack(result, spool, tmp_path / "to")
    assert result.files == []
    assert not (tmp_path / "to").exists() or not list((tmp_path / "to").iterdir())


@pytest.mark.parametrize("damage", ["noise", "no archive", "cut"])
def test_a_damaged_archive_is_trouble_not_a_crash(tmp_path: Path, damage: str) -> None:
    content = archive({"a": b"x" * 9000})[:-40] if damage == "cut" else damage.encode()
    spool = tmp_path / "spool"
    spool.write_bytes(content)
    result = Recovered(begun=True, complete=True)
    unpack(result, spool, tmp_path / "to")
    assert "cannot be unpacked" in result.trouble
    assert not result.complete


def test_half_a_report_is_none(tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as packed:
        for name in ("whole.xml", "half.xml"):
            entry = tarfile.TarInfo(name)
            entry.size = 2048
            packed.addfile(entry, io.BytesIO(b"x" * 2048))
    spool.write_bytes(out.getvalue()[:4096])
    result = Recovered(begun=True, complete=True)
    unpack(result, spool, tmp_path / "to")
    assert result.files == ["whole.xml"]
    assert "cannot be unpacked" in result.trouble
    assert [path.name for path in (tmp_path / "to").iterdir()] == ["whole.xml"]


def test_a_tar_that_fails_is_told(shell: Callable[[str], str], workdir: Path) -> None:
    text = script(TOKEN, str(workdir), ()).replace('tar -cf - "$@"', 'tar -cf - "$@" /nowhere/x')
    output = shell(text)
    assert list(sections(output))[1:] == ["begin", "data", "cut", "end"]
    assert "junit.xml" in relative(names(output), workdir)


def test_what_tar_could_not_read_is_trouble(terminal: Terminal, tmp_path: Path) -> None:
    body = base64.encodebytes(archive({"out/a.xml": b"<a/>"})).replace(b"\n", b"\r\n")
    sent = mark(terminal, "begin") + mark(terminal, "data") + body + mark(terminal, "cut") + mark(terminal, "end")
    os.write(terminal.slave, sent)
    assert told(terminal) == b"exit\r\n"
    result = terminal.close()
    assert result.trouble == "`tar` failed in the step, so files may be missing"
    unpack(result, terminal.spool, tmp_path / "to")
    assert result.files == ["out/a.xml"]


def test_a_shell_that_never_begins_is_not_waited_for_forever(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recover, "BEGIN_SECONDS", 0.2)
    time.sleep(0.5)
    assert not terminal.result.trouble, "the step may take as long as it likes"
    terminal.expect()
    assert told(terminal) == b"exit\r\n"
    assert "nothing came from the step's shell" in terminal.close().trouble


def test_a_disk_that_is_full_does_not_keep_the_shell_waiting(tmp_path: Path) -> None:
    """More than the terminal's own buffer holds."""
    spool = tmp_path / "spool"
    spool.symlink_to("/dev/full")
    terminal = Terminal(spool)
    body = base64.encodebytes(os.urandom(300_000)).replace(b"\n", b"\r\n")
    sent = mark(terminal, "begin") + mark(terminal, "data") + body + mark(terminal, "end")
    while sent:
        sent = sent[os.write(terminal.slave, sent) :]
    assert told(terminal) == b"exit\r\n"
    assert terminal.close().trouble == "no space left on device"
    assert not spool.exists(), "others need the place"


def test_a_folder_that_is_gone_does_not_keep_the_shell_waiting(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path / "gone" / "spool")
    os.write(terminal.slave, mark(terminal, "begin") + mark(terminal, "data") + mark(terminal, "end"))
    assert told(terminal) == b"exit\r\n"
    assert "no such file or directory" in terminal.close().trouble


def test_a_debugger_that_ends_before_the_shell_begins_is_told(terminal: Terminal) -> None:
    terminal.expect()
    assert terminal.close().trouble == "buildx' debugger ended before it began with that"


def test_a_debugger_whose_builder_has_gone_is_not_waited_for_forever(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says that it begins, and then neither a shell nor its own console ever does."""
    monkeypatch.setattr(recover, "BEGIN_SECONDS", 0.2)
    os.write(terminal.slave, b"Launching interactive container. Press Ctrl-a-c to switch to monitor console\r\n")
    assert told(terminal) == b"exit\r\n"
    assert "nothing came from the step's shell" in terminal.close().trouble
