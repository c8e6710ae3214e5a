"""`go test -json` and `go test -v` of Go 1.22, 1.26 and 1.27, as the real tool wrote them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from ci_buildkit.results import read
from ci_buildkit.results.model import Case, TestReport

DATA = Path(__file__).parents[2] / "data" / "gotest"
SHOP = DATA / "shop"


def report(name: str, root: Path = SHOP) -> TestReport:
    return read.read_paths([DATA / name], root=root)


def case(found: TestReport, name: str) -> Case:
    (one,) = (case for case in found.cases if case.name == name)
    return one


@pytest.mark.parametrize("name", ["go1.26-calc.json", "go1.27-calc.json", "go1.26-calc.txt"])
def test_every_test_counts_once_with_its_place(name: str) -> None:
    found = report(name)
    assert found.problems == ()
    totals = found.totals
    assert (totals.tests, totals.passed, totals.failed, totals.errors, totals.skipped) == (18, 11, 6, 0, 1)
    assert totals.suites == 1
    wrong = case(found, "TestWrong")
    # The line before is a t.Log, which is no failure: the stream of 1.27 says so, before that the source does.
    assert (wrong.message, wrong.path, wrong.line) == ("Add(2, 2) = 4, want 5", "calc/calc_test.go", 19)
    assert "second line of the message" in wrong.details
    assert "=== RUN" not in wrong.details
    assert case(found, "TestTable").message == "subtest failed: off_by_one"
    assert case(found, "TestTable/off_by_one").line == 31
    assert case(found, "TestParallel/b").message == "b is broken"
    assert case(found, "TestSkipped").message == "needs a database"
    assert case(found, "ExampleAdd").message == "got 2, want 3"
    assert {one.class_name for one in found.cases} == {"example.com/shop/calc"}
    assert {one.outcome for one in found.cases if one.name in {"TestOutput", "FuzzAdd/seed#0"}} == {"passed"}


@pytest.mark.parametrize("version", ["go1.22", "go1.26"])
def test_a_build_failure_is_an_error_with_the_compilers_words(version: str) -> None:
    found = report(f"{version}-broken.json")
    (one,) = found.cases
    assert (one.outcome, one.name, one.suite) == ("error", "[build failed]", "example.com/shop/broken")
    assert (one.message, one.path, one.line) == ("undefined: undefinedName", "broken/broken.go", 3)


@pytest.mark.parametrize("version", ["go1.22", "go1.26"])
def test_vet_and_setup_failures_are_errors(version: str) -> None:
    (vet,) = report(f"{version}-vetbad.json").cases
    assert (vet.outcome, vet.path, vet.line) == ("error", "vetbad/vetbad_test.go", 5)
    (setup,) = report(f"{version}-setup.json").cases
    assert (setup.outcome, setup.name, setup.path, setup.line) == ("error", "[setup failed]", "setup/setup_test.go", 6)
    assert "no required module provides package" in setup.message


@pytest.mark.parametrize("version", ["go1.22", "go1.26"])
def test_a_panic_is_found_in_the_test_that_ran(version: str) -> None:
    found = report(f"{version}-panics.json")
    assert {one.name: one.outcome for one in found.cases} == {
        "TestBefore": "passed",
        "TestPanics": "failed",
        "TestPanics/inner": "failed",
    }
    for name in ("TestPanics", "TestPanics/inner"):
        one = case(found, name)
        assert one.message.startswith("panic: assignment to entry in nil map")
        assert (one.path, one.line) == ("panics/panics_test.go", 10)


def test_a_test_without_an_end_did_not_pass() -> None:
    spawns = case(report("go1.26-goroutine.json"), "TestSpawns")
    assert (spawns.outcome, spawns.message) == ("failed", "panic: from a goroutine")
    assert (spawns.path, spawns.line) == ("goroutine/goroutine_test.go", 11)


def test_a_timeout_names_the_test_that_ran() -> None:
    found = report("go1.26-hang.json")
    inner = case(found, "TestHang/inner")
    assert (inner.outcome, inner.path, inner.line) == ("failed", "hang/hang_test.go", 11)
    assert inner.message == "panic: test timed out after 1s (running: TestHang/inner)"
    assert case(found, "TestQuick").outcome == "passed"


def test_a_package_that_fails_outside_of_its_tests_is_an_error() -> None:
    found = report("go1.26-mainexit.json")
    (error,) = (one for one in found.cases if one.outcome == "error")
    assert error.message == "failed outside of its tests: leaked a connection"
    assert (found.totals.passed, found.totals.errors) == (1, 1)


def test_exit_zero_inside_a_test_fails_it() -> None:
    (one,) = report("go1.26-noise.json").cases
    assert (one.outcome, one.path, one.line) == ("failed", "noise/noise_test.go", 8)


@pytest.mark.parametrize("name", ["go1.26-rerun.json", "go1.26-rerun.txt"])
def test_count_2_folds_runs_into_attempts(name: str) -> None:
    found = report(name)
    seen = {one.name: (one.outcome, one.attempts, one.flaky) for one in found.cases}
    assert seen == {
        "TestFlaky": ("passed", 2, True),
        "TestSteady": ("passed", 2, False),
        "TestSlipping": ("failed", 2, False),
    }
    assert case(found, "TestFlaky").message == "the first run fails"
    assert found.totals.flaky == 1


def test_reruns_of_gotestsum_are_attempts() -> None:
    found = report("gotestsum-rerun.json")
    seen = {one.name: (one.outcome, one.attempts, one.flaky) for one in found.cases}
    assert seen == {
        "TestFlaky": ("passed", 2, True),
        "TestAlways": ("failed", 3, False),
        "TestSteady": ("passed", 1, False),
    }


def test_a_benchmark_has_no_end_and_passes_with_its_package() -> None:
    (one,) = report("go1.26-bench.json").cases
    assert (one.name, one.outcome) == ("BenchmarkAdd", "passed")


def test_a_package_without_tests_is_no_pass() -> None:
    found = report("go1.26-nofiles.json")
    assert found.cases == ()
    assert [problem.kind for problem in found.problems] == ["empty"]


def test_text_and_events_of_one_run_agree() -> None:
    events, frames = report("go1.26-all.json"), report("go1.26-all.txt")
    assert events.totals == frames.totals
    assert (events.totals.tests, events.totals.failed, events.totals.errors) == (35, 13, 4)
    assert {(c.suite, c.name, c.outcome) for c in events.cases} == {(c.suite, c.name, c.outcome) for c in frames.cases}


def test_text_without_v_shows_what_broke() -> None:
    found = report("go1.26-plain.txt")
    assert found.totals.passed == 0
    errors = {one.suite.rpartition("/")[2]: one.name for one in found.cases if one.outcome == "error"}
    assert errors == {
        "setup": "[setup failed]",
        "broken": "[build failed]",
        "goroutine": "[panic]",
        "hang": "[timeout]",
        "mainexit": "[failed]",
        "vetbad": "[build failed]",
    }
    vet = next(one for one in found.cases if one.suite.endswith("vetbad"))
    assert "panic" not in vet.details


def events(*items: Mapping[str, object]) -> list[str]:
    return [json.dumps(item) for item in items]


RUN = {"Action": "run", "Package": "m/p", "Test": "TestA"}
PASS = {"Action": "pass", "Package": "m/p", "Test": "TestA", "Elapsed": 1.5}
END = {"Action": "pass", "Package": "m/p", "Elapsed": 2}


def test_a_stream_that_ends_early_is_never_green() -> None:
    found = read.read_log(events(RUN, PASS), name="log")
    assert [(one.name, one.outcome) for one in found.cases] == [("TestA", "passed"), ("[incomplete]", "error")]
    found = read.read_log(events(RUN), name="log")
    assert {one.outcome for one in found.cases} == {"error"}


def test_a_line_that_is_cut_off_is_a_problem() -> None:
    cut = '{"Time":"2026-01-01T00:00:00Z","Action":"pass","Pack'
    found = read.read_log([*events(RUN, PASS, END), cut], name="log")
    assert [(problem.path, problem.kind) for problem in found.problems] == [("log", "unreadable")]


def test_a_log_that_buildkit_clipped_is_a_problem() -> None:
    clipped = "[output clipped, log limit 2MiB reached]"
    found = read.read_log([*events(RUN, PASS, END), clipped], name="log")
    assert [problem.kind for problem in found.problems] == ["limit"]


def test_noise_between_events_is_passed_over() -> None:
    lines = ["go: downloading x v1", "{not json", '{"Action": 3}', '{"Action":"run","Package":5}', "# some heading"]
    found = read.read_log([*lines, *events(RUN), "plain output", *events(PASS, END), "done"], name="log")
    assert [(one.name, one.outcome, one.seconds) for one in found.cases] == [("TestA", "passed", 1.5)]
    assert found.problems == ()
    assert found.totals.files == 1


def test_a_log_without_results_is_empty_and_no_problem() -> None:
    found = read.read_log(["hello", "PASS", "FAIL", "# heading", "ok"], name="log")
    assert (found.cases, found.problems) == ((), ())


def test_text_and_events_in_one_log_count_once() -> None:
    lines = [
        *events(RUN, PASS, END),
        "=== RUN   TestB",
        "--- PASS: TestB (0.10s)",
        "PASS",
        "ok  \tm/q\t0.2s",
        "FAIL\tm/p [build failed]",
    ]
    found = read.read_log(lines, name="log")
    assert {(one.suite, one.name, one.outcome) for one in found.cases} >= {
        ("m/p", "TestA", "passed"),
        ("m/q", "TestB", "passed"),
    }
    assert found.broken


def test_the_same_package_twice_in_text_is_two_attempts() -> None:
    first = ["=== RUN   TestA", "    a_test.go:3: no", "--- FAIL: TestA (0.10s)", "FAIL", "FAIL\tm/p\t0.2s", "FAIL"]
    second = ["=== RUN   TestA", "--- PASS: TestA (0.20s)", "PASS", "ok  \tm/p\t0.2s"]
    (one,) = read.read_log([*first, *second], name="log").cases
    assert (one.outcome, one.attempts, one.flaky, one.message) == ("passed", 2, True, "no")
    assert one.seconds == pytest.approx(0.3)


def test_a_test_skipped_after_it_failed_has_failed() -> None:
    fail = {**PASS, "Action": "fail"}
    skip = {**PASS, "Action": "skip"}
    (one,) = read.read_log(events(RUN, fail, RUN, skip, {**END, "Action": "fail"}), name="log").cases
    assert (one.outcome, one.attempts) == ("failed", 2)


def test_a_build_that_nothing_waited_for_is_an_error() -> None:
    lines = events(
        {"ImportPath": "m/p", "Action": "build-output", "Output": "# m/p\n"},
        {"ImportPath": "m/p", "Action": "build-output", "Output": "p/p.go:1:1: expected 'package'\n"},
        {"ImportPath": "m/p", "Action": "build-fail"},
    )
    (one,) = read.read_log(lines, name="log").cases
    assert (one.outcome, one.suite, one.path, one.line) == ("error", "m/p", "p/p.go", 1)


def test_testify_blocks_give_their_error() -> None:
    output = [
        "    a_test.go:7: \n",
        "        \tError Trace:\t/src/a_test.go:7\n",
        "        \tError:      \tNot equal: \n",
    ]
    lines = events(
        RUN,
        *({"Action": "output", "Package": "m/p", "Test": "TestA", "Output": text} for text in output),
        {**PASS, "Action": "fail"},
        {**END, "Action": "fail"},
    )
    (one,) = read.read_log(lines, name="log").cases
    assert (one.message, one.line) == ("Not equal:", 7)


def test_a_place_is_the_package_minus_the_module(tmp_path: Path) -> None:
    (tmp_path / "services" / "api").mkdir(parents=True)
    (tmp_path / "services" / "api" / "go.mod").write_text("module example.com/api // nested\n")
    lines = events(
        {**RUN, "Package": "example.com/api/store"},
        {"Action": "output", "Package": "example.com/api/store", "Test": "TestA", "Output": "    s_test.go:9: no\n"},
        {**PASS, "Package": "example.com/api/store", "Action": "fail"},
        {**END, "Package": "example.com/api/store", "Action": "fail"},
    )
    (one,) = read.read_log(lines, name="log", root=tmp_path).cases
    assert one.path == "services/api/store/s_test.go"
    (unknown,) = read.read_log(lines, name="log", root=tmp_path / "services" / "api" / "nowhere").cases
    assert unknown.path == "s_test.go"


def test_utf16_of_a_windows_shell_is_read(tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    file.write_bytes("\r\n".join([*events(RUN, PASS, END), ""]).encode("utf-16"))
    assert read.read_paths([file]).totals.passed == 1
