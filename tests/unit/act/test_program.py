"""Which act is used."""

from __future__ import annotations

from pathlib import Path

import pytest

from ci_buildkit.act import program
from ci_buildkit.engine.process import Cancellation
from ci_buildkit.errors import EngineError


def make(path: Path, says: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def environ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A machine whose interpreter has no act beside it."""
    monkeypatch.setattr("sys.executable", str(tmp_path / "venv" / "bin" / "python"))
    return {"PATH": f"{tmp_path}/path:/usr/bin:/bin", "XDG_CACHE_HOME": str(tmp_path / "cache")}


def find(environ: dict[str, str]) -> program.Act:
    return program.find(environ, Cancellation(), offline=True)


def test_the_first_that_is_new_enough(environ: dict[str, str], tmp_path: Path) -> None:
    own = make(
        tmp_path / "cache" / "ci-buildkit" / "act" / f"act-{program.VERSION}" / "bin" / "act", "act version 0.2.89"
    )
    assert find(environ) == program.Act(own, "0.2.89")
    beside = make(tmp_path / "venv" / "bin" / "act", "act version v0.3.0")
    assert find(environ) == program.Act(beside, "0.3.0")
    old = make(tmp_path / "path" / "act", "act version 0.2.70")
    assert find(environ) == program.Act(beside, "0.3.0", (f"{old} is not used: 0.2.70 is older than 0.2.80",))
    make(old, "act version 0.2.100")
    assert find(environ) == program.Act(old, "0.2.100")


def test_another_program_of_that_name(environ: dict[str, str], tmp_path: Path) -> None:
    make(tmp_path / "path" / "act", "a theatre")
    with pytest.raises(
        EngineError, match=r"no act on this machine, and --offline forbids to install it .*it is no act"
    ):
        find(environ)


def test_none_and_no_way_to_install_one(environ: dict[str, str], tmp_path: Path) -> None:
    make(Path(environ["PATH"].split(":")[0]) / "uv", "x").write_text(
        "#!/bin/sh\necho 'error: no network' >&2\nexit 2\n"
    )
    make(tmp_path / "venv" / "bin" / "python", "x").write_text("#!/bin/sh\necho 'No module named pip' >&2\nexit 1\n")
    with pytest.raises(EngineError, match="could not be installed: error: no network; No module named pip") as told:
        program.find(environ, Cancellation(), offline=False)
    assert "put it on PATH" in told.value.hint
    assert list((tmp_path / "cache" / "ci-buildkit" / "act").iterdir()) == []
