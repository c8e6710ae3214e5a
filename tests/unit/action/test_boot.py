"""The boot: which Python, where the environment goes, what is made when, and what people read when it cannot be."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from types import ModuleType

SCRIPT = Path(__file__).parents[3] / "action" / "boot.sh"

FAKE_UV = """#!/bin/sh
echo "$@" >> "{log}"
case "$1" in
venv) for last; do :; done; mkdir -p "$last/bin"; ln -s "{python}" "$last/bin/python";;
pip) exit {code};;
esac
"""


def program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.fixture
def machine(tmp_path: Path) -> dict[str, str]:
    """A runner with a uv that only notes how it was called."""
    text = FAKE_UV.format(log=tmp_path / "calls", python=sys.executable, code=0)
    program(tmp_path / "bin" / "uv", text)
    return {
        "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
        "RUNNER_TOOL_CACHE": str(tmp_path / "tools"),
        "GITHUB_OUTPUT": str(tmp_path / "output"),
    }


def calls(tmp_path: Path) -> list[str]:
    return (tmp_path / "calls").read_text().splitlines()


def test_cold_then_warm(boot: ModuleType, machine: dict[str, str], tmp_path: Path) -> None:
    assert boot.main(machine) == 0
    made = calls(tmp_path)
    assert [call.split()[0] for call in made] == ["venv", "pip"]
    assert "--require-hashes" in made[1]
    assert made[1].endswith("requirements/runtime.txt")
    assert boot.main(machine) == 0
    assert calls(tmp_path) == made, "a second use must install nothing"
    first, cache, *again = Path(machine["GITHUB_OUTPUT"]).read_text().splitlines()
    assert [first, cache] == again
    assert cache == "github-cache=false"
    assert Path(first.removeprefix("python=")).resolve() == Path(sys.executable).resolve()


def test_environments_are_named_after_locks_and_interpreter(
    boot: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = tmp_path / "lock"
    lock.write_text("a==1")
    before = boot.key(lock)
    assert len(before) == 16
    lock.write_text("a==2")
    after = boot.key(lock)
    monkeypatch.setattr(sys, "version", "3.99.0")
    assert len({before, after, boot.key(lock)}) == 3


def test_half_made_environment_is_not_used(boot: ModuleType, machine: dict[str, str], tmp_path: Path) -> None:
    program(tmp_path / "bin" / "uv", FAKE_UV.format(log=tmp_path / "calls", python=sys.executable, code=1))
    assert boot.main(machine) == 4
    assert list((tmp_path / "tools" / "ci-buildkit" / "boot").iterdir()) == []
    program(tmp_path / "bin" / "uv", FAKE_UV.format(log=tmp_path / "calls", python=sys.executable, code=0))
    assert boot.main(machine) == 0


def test_an_environment_whose_interpreter_is_gone_is_made_again(
    boot: ModuleType, machine: dict[str, str], tmp_path: Path
) -> None:
    python: Path = boot.environment(machine)
    python.unlink()
    python.symlink_to(tmp_path / "no-such-python")
    assert boot.environment(machine) == python
    assert os.access(python, os.X_OK)


def test_a_faster_job_wins(boot: ModuleType, tmp_path: Path) -> None:
    made, folder = tmp_path / "made", tmp_path / "there"
    for one in (made, folder):
        program(one / "bin" / "python", one.name)
    boot.into_place(made, folder)
    assert (folder / "bin" / "python").read_text() == "there"


def test_failed_install_says_what_to_do(
    boot: ModuleType, machine: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program(tmp_path / "bin" / "uv", "#!/bin/sh\necho '100% lost: no route to host' >&2\nexit 2\n")
    assert boot.main(machine) == 4
    said = capsys.readouterr().out
    assert "100% lost: no route to host\n" in said
    annotation = next(line for line in said.splitlines() if line.startswith("::error title=ci-buildkit::"))
    assert "uv ended with 2" in annotation
    assert "PIP_INDEX_URL" in annotation


def test_without_a_writable_tool_cache_the_jobs_folder_is_used(boot: ModuleType, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    environ = {"RUNNER_TOOL_CACHE": str(blocked), "RUNNER_TEMP": str(tmp_path / "temp")}
    assert boot.cache_folder(environ) == tmp_path / "temp" / "ci-buildkit" / "boot"
    with pytest.raises(boot.BootError, match="Set RUNNER_TOOL_CACHE"):
        boot.cache_folder({"RUNNER_TOOL_CACHE": str(blocked)})


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"PIP_INDEX_URL": "https://mirror.example/simple"}, {"UV_DEFAULT_INDEX": "https://mirror.example/simple"}),
        (
            {"PIP_INDEX_URL": "https://a.example", "UV_DEFAULT_INDEX": "https://b.example"},
            {"UV_DEFAULT_INDEX": "https://b.example"},
        ),
        ({"PIP_INDEX_URL": "https://a.example", "UV_INDEX_URL": "https://b.example"}, {"UV_DEFAULT_INDEX": None}),
        ({"PIP_CERT": "/ca.pem"}, {"SSL_CERT_FILE": "/ca.pem"}),
        ({"PIP_CERT": "/ca.pem", "UV_INDEX_URL": "https://b.example"}, {"SSL_CERT_FILE": "/ca.pem"}),
        (
            {"PYTHONPATH": "/x", "PYTHONHOME": "/y", "PIP_USER": "1"},
            {"PYTHONPATH": None, "PYTHONHOME": None, "PIP_USER": "0"},
        ),
    ],
)
def test_settings_of_pip_hold_for_uv(boot: ModuleType, given: dict[str, str], expected: dict[str, str | None]) -> None:
    result = boot.tool_environment(given)
    assert {name: result.get(name) for name in expected} == expected


def test_uv_comes_from_the_lock_where_the_machine_has_none(
    boot: ModuleType, machine: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[list[str]] = []

    def fake(command: list[Any], environ: dict[str, str]) -> None:
        ran.append([str(part) for part in command])
        if "--target" in command:
            program(Path(command[command.index("--target") + 1]) / "bin" / "uv", "#!/bin/sh\n")

    monkeypatch.setattr(boot, "run", fake)
    monkeypatch.setattr(boot, "pip_command", lambda _scratch, _environ: ["python3", "-m", "pip"])
    folder = tmp_path / "tools"
    for number in range(2):
        scratch = folder / f"new-{number}"
        scratch.mkdir(parents=True)
        found = boot.uv(folder, scratch, {"PATH": "/nowhere"})
        assert found.parent.parent.name.startswith("uv-")
        assert os.access(found, os.X_OK)
    assert len(ran) == 1
    assert {"--require-hashes", "--no-deps"} < set(ran[0])
    assert ran[0][-1].endswith("requirements/boot.txt")


def test_python_without_pip_or_venv_is_explained(
    boot: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = program(tmp_path / "python3", "#!/bin/sh\nexit 1\n")
    monkeypatch.setattr(sys, "executable", str(bare))
    with pytest.raises(boot.BootError, match="Install python3-pip"):
        boot.pip_command(tmp_path, {})


def test_old_environments_are_swept_and_others_stay(boot: ModuleType, tmp_path: Path) -> None:
    now = time.time()
    ages = {"python-old": 40, "python-used": 10, "new-dead": 2, "new-busy": 0}
    for name, days in ages.items():
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (now - days * 86400,) * 2)
    boot.sweep(tmp_path, now)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["new-busy", "python-used"]


def shell(tmp_path: Path, path: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run boot.sh beside a boot.py that tells which interpreter was chosen."""
    shutil.copy(SCRIPT, tmp_path / "boot.sh")
    (tmp_path / "boot.py").write_text("import sys; print('chosen', sys.argv[0], sys.flags.isolated)")
    command = [str(shutil.which("sh")), str(tmp_path / "boot.sh")]
    return subprocess.run(command, env={"PATH": str(path), **environ}, capture_output=True, text=True, check=False)


OLD = "#!/bin/sh\necho /old/python\nexit 1\n"


def wrapper(note: Path) -> str:
    return f'#!/bin/sh\necho used >> "{note}"\nexec "{sys.executable}" "$@"\n'


def test_the_first_python_that_is_new_enough_runs_the_boot(tmp_path: Path) -> None:
    path = tmp_path / "path"
    program(path / "python3", OLD)
    program(path / "python3.11", wrapper(tmp_path / "note"))
    done = shell(tmp_path, path)
    assert done.stdout == f"chosen {tmp_path / 'boot.py'} 1\n"
    assert done.returncode == 0
    # The wrapper, such as pyenv's slow shim, is asked once and not used again.
    assert (tmp_path / "note").read_text() == "used\n"


def test_the_tool_cache_is_used_when_path_has_none(tmp_path: Path) -> None:
    path = tmp_path / "path"
    program(path / "python3", OLD)
    program(tmp_path / "tools" / "Python" / "3.9.1" / "x64" / "bin" / "python3", OLD)
    program(tmp_path / "tools" / "Python" / "3.12.4" / "x64" / "bin" / "python3", wrapper(tmp_path / "note"))
    done = shell(tmp_path, path, RUNNER_TOOL_CACHE=str(tmp_path / "tools"))
    assert done.stdout.startswith("chosen ")


def test_no_python_is_one_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "path"
    program(path / "python3", OLD)
    done = shell(tmp_path, path, RUNNER_TOOL_CACHE=str(tmp_path / "nothing"))
    assert done.returncode == 4
    assert done.stdout.startswith("::error title=ci-buildkit::No Python 3.11 or newer")
    assert "actions/setup-python" in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("inputs", "files", "wanted"),
    [
        ({}, {}, False),
        ({"CACHE_TO": "type=gha,mode=max"}, {}, True),
        ({"CACHE_FROM": "type=registry,ref=x"}, {"ci-buildkit.yml": "push: true\n"}, False),
        ({}, {"ci-buildkit.yml": "cache-from: [type=gha]\n"}, True),
        ({"CONTEXT": "app"}, {"app/docker-bake.hcl": 'cache-to = ["type=gha"]'}, True),
        ({"CONTEXT": "app"}, {"app/ci-buildkit.yml": "cache-from: [type=gha]\n"}, True),
        ({"BAKE_FILE": "ci.json"}, {"ci.json": '{"cache-to": [{"type": "gha"}]}'}, True),
    ],
)
def test_githubs_cache_is_seen_where_options_stand(
    boot: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    inputs: dict[str, str],
    files: dict[str, str],
    wanted: bool,
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    for prefix in ("CI_BUILDKIT_INPUT_", "CI_BUILDKIT_"):
        assert boot.wants_github_cache({f"{prefix}{name}": value for name, value in inputs.items()}) is wanted
