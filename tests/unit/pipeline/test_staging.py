"""The report folder: put in place as a whole, nothing of the user's replaced, and the context left alone."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ci_buildkit.errors import ConfigurationError, OutputError
from ci_buildkit.pipeline import staging
from ci_buildkit.pipeline.staging import Staging, check_target, context_warning


@pytest.fixture(autouse=True)
def _inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))


@pytest.fixture
def other_file_system(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Temporary files lie on a file system that nothing can be renamed from."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield


def staged(text: str = "new") -> Staging:
    """A staged report."""
    made = Staging()
    (made.report / "run.json").write_text(text, encoding="utf-8")
    return made


@pytest.mark.parametrize("apart", [False, True], ids=["on one file system", "on another one"])
def test_a_report_is_put_in_place_and_replaces_the_last_one(*, apart: bool, request: pytest.FixtureRequest) -> None:
    if apart:
        request.getfixturevalue("other_file_system")
    target = Path("a/b/report")
    for text in ("one", "two"):
        made = staged(text)
        (made.report / f"only-{text}").touch()
        made.put(target)
        made.remove()
    assert sorted(path.name for path in target.iterdir()) == ["logs", "only-two", "results", "run.json"]
    assert [path.name for path in target.parent.iterdir()] == ["report"]
    assert list(Path(tempfile.gettempdir()).iterdir()) == []


@pytest.mark.parametrize(
    ("last", "kept"),
    [
        ('{\n  "schema": 1,\n  "x": 2}', True),
        ('{"schema":1,"x":2}', True),
        ('{"schema": 2, "x": 2}', False),
        ("old", False),
    ],
)
def test_the_record_of_the_report_that_goes_is_kept(last: str, kept: bool) -> None:
    target = Path("ci-report")
    staged(last).put(target)
    assert not (target / "previous.json").exists()
    staged("new").put(target)
    assert (target / "run.json").read_text() == "new"
    assert (target / "previous.json").exists() == kept
    assert not kept or (target / "previous.json").read_text() == last


@pytest.mark.usefixtures("other_file_system")
def test_a_failed_copy_keeps_the_old_report_and_the_new_one(monkeypatch: pytest.MonkeyPatch) -> None:
    target = Path("report")
    staged("old").put(target)
    made = staged("new")

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copytree", full)
    with pytest.raises(OutputError) as caught:
        made.put(target)
    made.remove()
    assert "the report cannot be written to report: " in caught.value.message
    assert "No space left on device" in caught.value.message
    assert (target / "run.json").read_text() == "old"
    kept = Path(caught.value.hint.removeprefix("it was kept in "))
    assert (kept / "run.json").read_text() == "new"
    assert [path.name for path in Path().iterdir() if path.name.startswith(".")] == []


def test_a_failed_move_keeps_the_old_report_and_the_new_one() -> None:
    target, in_the_way = Path("report"), Path(f".report.{os.getpid()}.old", "file")
    staged("old").put(target)
    made = staged("new")
    in_the_way.parent.mkdir()
    in_the_way.touch()
    with pytest.raises(OutputError, match="the report cannot be written to report: Directory not empty") as caught:
        made.put(target)
    made.remove()
    assert (target / "run.json").read_text() == "old"
    assert (Path(caught.value.hint.removeprefix("it was kept in ")) / "run.json").read_text() == "new"
    assert [path for path in Path().iterdir() if path.name.endswith(".new")] == []


def test_room_is_held_back_for_the_report_of_a_run_that_fills_the_disk() -> None:
    made = staged()

    def held() -> int:
        return sum(path.stat().st_size for path in made.top.glob("reserve"))

    assert held() == staging.RESERVE
    made.make_room()
    made.make_room()
    assert held() == 0
    made.remove()
    assert list(Path("tmp").iterdir()) == []


def test_a_report_that_is_to_be_kept_outlives_the_rest() -> None:
    made = staged()
    kept = made.keep()
    made.remove()
    assert (kept / "run.json").read_text() == "new"
    assert [path.name for path in made.top.iterdir()] == ["report"]


@pytest.mark.usefixtures("other_file_system")
def test_what_copying_complains_of_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made = staged()

    def full(*_: object, **__: object) -> None:
        why = "[Errno 28] No space left on device: '/x/{}'"
        raise shutil.Error([(f"/a/{n}", f"/x/{n}", why.format(n)) for n in range(100)])

    monkeypatch.setattr(shutil, "copytree", full)
    with pytest.raises(OutputError) as caught:
        made.put(Path("report"))
    assert caught.value.message == "the report cannot be written to report: No space left on device"
    made.remove()


def test_a_link_inside_stays_a_link() -> None:
    made = staged()
    (made.report / "inside").symlink_to("run.json")
    (made.report / "results" / "up").symlink_to("../run.json")
    (made.report / "results" / "folder").symlink_to(".")
    (made.report / "results" / "nothing").symlink_to("gone.xml")
    made.put(Path("report"))
    made.remove()
    names = ("inside", "results/up", "results/folder", "results/nothing")
    assert [str(Path("report", name).readlink()) for name in names] == ["run.json", "../run.json", ".", "gone.xml"]


@pytest.mark.parametrize("name", ["link", "results/link", "results/deep/er/link"])
@pytest.mark.parametrize(
    "leads",
    [
        "/etc/passwd",
        "/",
        "/nowhere",
        "../secret",
        "../../../../secret",
        "..",
        "self/self/self/self/self/../../../../../../secret",  # within the report by its text alone
        "{report}/run.json",  # which is where nothing is any more
    ],
)
def test_a_link_out_of_the_report_does_not_go_into_it(name: str, leads: str) -> None:
    Path("secret").write_text("of this machine")
    made = staged()
    link = made.report / name
    link.parent.mkdir(parents=True, exist_ok=True)
    (link.parent / "self").symlink_to(".")
    up = "" if "self" in leads else "../" * name.count("/")
    link.symlink_to(leads.format(report=made.report) if leads.startswith(("/", "{")) else f"{up}{leads}")
    made.put(Path("report"))
    made.remove()
    assert Path("report/run.json").is_file()
    assert not Path("report", name).is_symlink()
    assert Path("secret").read_text() == "of this machine"


def test_what_is_no_file_does_not_go_into_the_report() -> None:
    made = staged()
    os.mkfifo(made.report / "results" / "pipe")
    with socket.socket(socket.AF_UNIX) as one, contextlib.chdir(made.report / "results"):
        one.bind("socket")
    made.put(Path("report"))
    made.remove()
    assert list(Path("report/results").iterdir()) == []


def test_a_mounted_folder_is_filled_since_it_cannot_be_renamed(monkeypatch: pytest.MonkeyPatch) -> None:
    target = Path("volume")
    for text in ("old", "new"):
        made = staged(text)
        (made.report / f"only-{text}").touch()
        target.mkdir(exist_ok=True)
        monkeypatch.setattr(Path, "is_mount", lambda self: self.name == "volume")
        number = target.stat().st_ino
        check_target(target, Path())
        made.put(target)
        made.remove()
        assert target.stat().st_ino == number
    assert sorted(path.name for path in target.iterdir()) == ["logs", "only-new", "results", "run.json"]


def test_no_temporary_folder_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    with pytest.raises(OutputError) as caught:
        Staging()
    assert "no temporary folder can be made" in caught.value.message
    assert "TMPDIR" in caught.value.hint


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (".", "holds the build context"),
        ("..", "holds the build context"),
        ("file", "is a file"),
        ("full", "is not empty and holds no earlier report"),
        ("/proc/report", "is not writable"),
    ],
)
def test_a_folder_that_cannot_be_replaced_is_refused_before_anything_runs(target: str, message: str) -> None:
    Path("file").touch()
    Path("full").mkdir()
    Path("full/thesis.tex").touch()
    with pytest.raises(ConfigurationError, match=message) as caught:
        check_target(Path(target), Path())
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("target", ["new", "new/deep/er", "empty", "earlier"])
def test_a_new_an_empty_and_an_earlier_report_folder_are_fine(target: str) -> None:
    Path("empty").mkdir()
    Path("earlier").mkdir()
    Path("earlier/run.json").touch()
    check_target(Path(target), Path())


def test_a_link_to_a_report_is_looked_through() -> None:
    Path("context").mkdir()
    Path("link").symlink_to("context")
    with pytest.raises(ConfigurationError, match="holds the build context"):
        check_target(Path("link"), Path("context"))


@pytest.mark.parametrize("there", ["nothing", "empty", "earlier"])
def test_a_report_folder_that_the_repository_has_as_a_link_is_refused(there: str) -> None:
    if there != "nothing":
        Path("elsewhere").mkdir()
    if there == "earlier":
        Path("elsewhere/run.json").touch()
    Path("ci-report").symlink_to("elsewhere")
    with pytest.raises(ConfigurationError, match=r"the report folder ci-report is a link to .*elsewhere") as caught:
        check_target(Path("ci-report"), Path())
    assert "--report-dir" in caught.value.hint


@pytest.mark.parametrize(
    ("lines", "ignored"),
    [
        ("", False),
        ("ci-report\n", True),
        ("ci-report/\n", True),
        ("/ci-report\n", True),
        ("./ci-report\n", True),
        ("ci-*\n", True),
        ("**/ci-report\n", True),
        ("ci-report/**\n", True),
        ("*\n", True),
        ("*\n!ci-report\n", False),
        ("*\n!src\n", True),
        ("# ci-report\n", False),
        ("ci-report/logs\n", False),
        ("other\n", False),
    ],
)
def test_a_report_folder_in_the_context_is_warned_of_unless_ignored(lines: str, ignored: bool) -> None:
    Path(".dockerignore").write_text(lines, encoding="utf-8")
    warning = context_warning(Path("ci-report"), Path())
    assert (warning is None) is ignored
    if warning:
        assert "add the line ci-report/" in warning.reason


def test_a_report_folder_elsewhere_is_no_matter(tmp_path: Path) -> None:
    Path("app").mkdir()
    assert context_warning(Path("ci-report"), Path("app")) is None
    assert context_warning(Path("app/ci-report"), Path("app")) is not None
    assert os.getcwd() == str(tmp_path)  # noqa: PTH109
