"""`go test -json` and `go test -v` of Go 1.22, 1.26 and 1.27, as the real tool wrote them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from ci_buildkit.reader import Limits
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


@pytest.mark.parametrize("name", ["go1.26-race.json", "go1.26-race.txt", "go1.27-race.json"])
def test_a_race_names_both_places_in_the_own_code(name: str) -> None:
    raced = case(report(name), "TestRace")
    assert raced.message == "data race: read at race/race_test.go:10, previous write at race/race_test.go:20"
    assert (raced.outcome, raced.path, raced.line) == ("failed", "race/race_test.go", 10)
    assert "race detected during execution of test" in raced.details


@pytest.mark.parametrize("form", ["json", "txt"])
@pytest.mark.parametrize(
    ("package", "name", "message", "place"),
    [
        ("racelate", "[race]", "data race: write at racelate/racelate_test.go:12, previous write at racelate/racelate_test.go:15",
         ("racelate/racelate_test.go", 12)),
        ("initpanic", "[panic]", "panic: assignment to entry in nil map", ("initpanic/initpanic.go", 6)),
        ("mainpanic", "[panic]", "panic: no database", ("mainpanic/mainpanic_test.go", 10)),
    ],
)  # fmt: skip
def test_what_breaks_outside_of_tests_is_one_error(
    form: str, package: str, name: str, message: str, place: tuple[str, int]
) -> None:
    (error,) = (one for one in report(f"go1.26-{package}.{form}").cases if one.outcome == "error")
    assert (error.name, error.message, (error.path, error.line)) == (name, message, place)


@pytest.mark.parametrize("form", ["json", "txt"])
def test_a_test_that_leaves_the_program_tells_its_last_words(form: str) -> None:
    found = report(f"go1.26-exits.{form}")
    assert found.totals.errors == 0
    exits = case(found, "TestExits")
    assert exits.outcome == "failed"
    assert exits.message == "did not finish before its package ended; it printed last: config.yml: no such file"
    assert (exits.path, exits.line) == ("exits/exits_test.go", 12)


@pytest.mark.parametrize("form", ["json", "txt"])
def test_a_panic_in_another_package_is_told_where_the_test_called_it(form: str) -> None:
    half = case(report(f"go1.26-external.{form}"), "TestHalf")
    assert (half.message, half.path, half.line) == (
        "panic: odd [recovered, repanicked]",
        "external/external_test.go",
        10,
    )
    assert "chatty.go:6" in half.details


@pytest.mark.parametrize("form", ["json", "txt"])
def test_every_failure_of_a_package_has_its_own_reason(form: str) -> None:
    found = report(f"go1.26-chatty.{form}")
    totals = found.totals
    assert (totals.tests, totals.passed, totals.failed, totals.errors, totals.skipped) == (11, 3, 7, 0, 1)
    told = {one.name: (one.message, one.line) for one in found.cases if one.outcome != "passed"}
    assert told == {
        "TestParallelTalk": ("subtest failed: b", 11),
        "TestParallelTalk/b": ("n = 1", 21),
        # These failed before the example that panicked; the panic is not theirs.
        "TestSilent": ("failed without a message", 34),
        "TestStderrOnly": ("failed without a message; it printed last: cannot reach the database", 36),
        "TestCleanup": ("the folder is still there", 47),
        "TestCleanup/sub/with_slash": ("on Tuesdays", 48),
        "ExampleHalf": ("got 2 tea, want 2 coffee", 51),
        "ExamplePanics": ("panic: odd [recovered, repanicked]", 6),
    }
    assert {one.path for one in found.cases if one.outcome == "failed"} == {"chatty/chatty_test.go", "chatty/chatty.go"}
    assert case(found, "TestOdd").details == ""


@pytest.mark.parametrize("form", ["json", "txt"])
def test_fuzzing_tells_the_input_that_failed(form: str) -> None:
    found = case(report(f"go1.26-fuzz.{form}"), "FuzzUpper")
    assert found.message.endswith("has no lower case")
    assert (found.outcome, found.path, found.line) == ("failed", "fuzzing/fuzzing_test.go", 12)
    assert "Failing input written to testdata/fuzz/FuzzUpper/" in found.details
    seeds = report(f"go1.26-fuzzseed.{form}")
    assert {one.name: one.outcome for one in seeds.cases} == {
        "FuzzUpper": "failed",
        "FuzzUpper/seed#0": "passed",
        "FuzzUpper/771e938e4458e983": "failed",
    }


@pytest.mark.parametrize("form", ["json", "txt"])
def test_a_broken_benchmark_fails_and_keeps_the_seed_of_the_shuffle(form: str) -> None:
    found = report(f"go1.26-benchfail.{form}")
    assert {one.name: one.outcome for one in found.cases} == {
        "BenchmarkFine": "passed",
        "BenchmarkBroken": "failed",
        "BenchmarkBroken/small": "failed",
    }
    small = case(found, "BenchmarkBroken/small")
    assert (small.message, small.path, small.line) == ("no room", "bench/bench_test.go", 11)
    assert "-test.shuffle 3" in small.details


def test_attributes_and_artifacts_stay_in_the_details() -> None:
    owner = case(report("go1.27-attrs.json"), "TestOwner")
    assert (owner.message, owner.line) == ("owned and broken", 14)
    assert "=== ATTR  TestOwner owner tea team" in owner.details
    assert "=== ARTIFACTS TestOwner /out/" in owner.details


def test_two_runs_and_other_text_in_one_file() -> None:
    found = report("go1.27-interleaved.json")
    assert found.problems == ()
    assert {one.name: one.outcome for one in found.cases} == {
        "TestBefore": "passed",
        "TestExits": "failed",
        "TestOwner": "failed",
    }


def test_a_flaky_test_does_not_explain_why_the_package_failed_once_more(tmp_path: Path) -> None:
    first = [("start", ""), ("run", "TestA"), ("fail", "TestA"), ("fail", "")]
    then = [("start", ""), ("run", "TestA"), ("pass", "TestA"), ("fail", "")]
    events = [{"Action": action, "Package": "p"} | ({"Test": test} if test else {}) for action, test in first + then]
    (tmp_path / "events.json").write_text("\n".join(json.dumps(event) for event in events))
    found = read.read_paths([tmp_path / "events.json"], root=tmp_path)
    assert [(one.name, one.outcome, one.flaky) for one in found.cases] == [
        ("TestA", "passed", True),
        ("[failed]", "error", False),
    ]


def test_events_without_a_package_are_read() -> None:
    found = report("go1.27-test2json.json")
    assert found.problems == ()
    assert (found.totals.tests, found.totals.failed, found.totals.errors) == (18, 6, 0)
    assert case(found, "TestWrong").path == "calc/calc_test.go"


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


FAIL = {**PASS, "Action": "fail"}
FAILED = {**END, "Action": "fail"}


def output(*lines: str, test: str = "TestA") -> list[str]:
    more = {"Test": test} if test else {}
    return events(*({"Action": "output", "Package": "m/p", "Output": line + "\n", **more} for line in lines))


def run_of(test: str) -> dict[str, object]:
    return {**RUN, "Test": test}


def test_a_block_with_other_text_reads_like_its_lines(tmp_path: Path) -> None:
    lines = []
    for number in range(9_000):
        lines += events(run_of(f"Test{number}"), {**PASS, "Test": f"Test{number}"})
        if number % 1_000 == 500:
            lines += ["go: downloading x v1", "plain without newline" + json.dumps(run_of("TestGlued"))]
    lines += events({**PASS, "Test": "TestGlued"}, END)
    file = tmp_path / "go.json"
    file.write_text("\n".join(lines))
    whole, by_line = read.read_paths([file]), read.read_log(lines, name="log")
    assert whole.totals == by_line.totals
    assert [(one.name, one.attempts) for one in whole.cases] == [(one.name, one.attempts) for one in by_line.cases]
    assert whole.totals.tests == 9_001


def test_a_file_with_buildkits_prefixes_is_read(tmp_path: Path) -> None:
    file = tmp_path / "go.log"
    file.write_text("".join(f"#12 0.345 {line}\n" for line in events(RUN, PASS, END)))
    assert read.read_paths([file]).totals.passed == 1


def test_bytes_that_are_no_text_cost_no_event(tmp_path: Path) -> None:
    file = tmp_path / "go.json"
    bad = output("bad XX bytes")[0].encode().replace(b"XX", b"\xff\xfe")
    file.write_bytes(b"\n".join([*(one.encode() for one in events(RUN)), bad, *(one.encode() for one in events(FAIL, FAILED))]))  # fmt: skip
    (one,) = read.read_paths([file]).cases
    assert one.message == "failed without a message; it printed last: bad \ufffd\ufffd bytes"


def test_a_line_that_is_too_long_is_a_problem(tmp_path: Path) -> None:
    file = tmp_path / "go.json"
    file.write_text("\n".join([*events(RUN, PASS), *output("x" * 5_000), *events(END)]))
    found = read.read_paths([file], limits=Limits(line=1_000))
    assert [problem.kind for problem in found.problems] == ["limit"]
    assert found.totals.passed == 1
    assert found.broken


def test_a_rerun_makes_up_for_no_test_that_it_did_not_run() -> None:
    start = {"Action": "start", "Package": "m/p"}
    first = events(start, RUN, FAIL, run_of("TestLost"), FAILED)
    found = read.read_log([*first, *events(start, RUN, PASS, END)], name="log")
    assert {one.name: (one.outcome, one.flaky) for one in found.cases} == {
        "TestA": ("passed", True),
        "TestLost": ("failed", False),
    }


def test_a_second_run_that_was_cut_off_is_not_covered_by_the_first() -> None:
    start = {"Action": "start", "Package": "m/p"}
    found = read.read_log(events(start, RUN, PASS, END, start, run_of("TestB")), name="log")
    assert {one.name: one.outcome for one in found.cases} == {
        "TestA": "passed",
        "TestB": "error",
        "[incomplete]": "error",
    }


def test_a_panic_that_no_test_tells_of_is_told_beside_other_failures() -> None:
    late = output("panic: late", "", "goroutine 9 [running]:", "m/p.work(...)", "\t/src/p/p.go:3 +0x1")
    fail = [run_of("TestB"), {**FAIL, "Test": "TestB"}]
    apart = read.read_log([*events(*fail, RUN, PASS), *late, *events(FAILED)], name="log")
    assert {one.name: one.message for one in apart.cases} == {
        "TestB": "failed without a message",
        "TestA": "",
        "[panic]": "panic: late",
    }
    at_once = read.read_log([*events(RUN, PASS, *fail), *late, *events(FAILED)], name="log")
    assert {one.name: one.message for one in at_once.cases} == {"TestA": "", "TestB": "panic: late"}
    alone = read.read_log([*events(RUN, PASS), *late, *events(FAILED)], name="log")
    assert {one.name: one.outcome for one in alone.cases} == {"TestA": "passed", "[panic]": "error"}


def test_a_race_that_another_test_printed_is_still_a_race() -> None:
    line = output("    testing.go:1712: race detected during execution of test")
    (one,) = read.read_log([*events(RUN), *line, *events(FAIL, FAILED)], name="log").cases
    assert (one.message, one.path) == ("data race, reported elsewhere in the output of its package", None)


def test_tests_that_another_ones_panic_took_along_say_so() -> None:
    crash = output("panic: boom", "", "goroutine 7 [running]:", "m/p.TestB(...)", "\t/src/p/p_test.go:8", test="TestB")
    found = read.read_log([*events(RUN, run_of("TestB")), *crash, *events(FAILED)], name="log")
    assert {one.name: one.message for one in found.cases} == {
        "TestA": "did not finish: panic: boom",
        "TestB": "panic: boom",
    }


def test_a_crash_is_told_however_much_was_printed_before() -> None:
    noise = [line for number in range(3_000) for line in output(f"line {number} {'x' * 60}")]
    error = output("    p_test.go:12: in the midst of it")
    stack = output("panic: boom", "", "goroutine 7 [running]:", "m/p.TestA(...)", "\t/src/p/p_test.go:8")
    rest = [line for number in range(3_000) for line in output(f"goroutine {number} [running]:")]
    (one,) = read.read_log([*events(RUN), *noise, *stack, *rest, *events(FAILED)], name="log").cases
    assert (one.message, one.line) == ("panic: boom", 8)
    assert len(one.details) < 70_000
    (one,) = read.read_log([*events(RUN), *noise, *error, *noise, *events(FAIL, FAILED)], name="log").cases
    assert (one.message, one.line) == ("in the midst of it", 12)
    assert len(one.details) < 70_000


def test_a_stack_overflow_is_found_by_its_frames() -> None:
    lines = output(
        "runtime: goroutine stack exceeds 1000000000-byte limit",
        "fatal error: stack overflow",
        "",
        "runtime stack:",
        "runtime.throw({0x587514?, 0x41c601?})",
        "\t/usr/local/go/src/runtime/panic.go:1229 +0x48 fp=0x7ffc sp=0x7ffc pc=0x4839",
        "",
        "goroutine 18 gp=0x1843 m=0 mp=0x6d70 [running]:",
        "m/p.descend(0x2aaaa51?)",
        "\t/src/p/p_test.go:5 +0x2b fp=0x1843 sp=0x1843 pc=0x52e3",
    )
    (one,) = read.read_log([*events(RUN), *lines, *events(FAILED)], name="log").cases
    assert (one.message, one.path, one.line) == (
        "runtime: goroutine stack exceeds 1000000000-byte limit",
        "/src/p/p_test.go",
        5,
    )


def test_a_timeout_names_what_ran_innermost_and_blames_no_main() -> None:
    lines = output(
        "panic: test timed out after 1s", "\trunning tests:", "\t\tTestA (1s)", "\t\tTestA/x (1s)", "\t\tTestB (0s)", "",
        "goroutine 20 [running]:", "testing.(*M).startAlarm.func1()", "\t/usr/local/go/src/testing/testing.go:2802 +0x1", "",
        "goroutine 1 [chan receive]:", "m/p.TestMain(0xc0)", "\t/src/p/main_test.go:9 +0x1", "",
        "goroutine 7 [sleep]:", "m/p.TestA.func1(0xc0)", "\t/src/p/p_test.go:11 +0x1",
    )  # fmt: skip
    (one,) = read.read_log([*events(RUN), *lines, *events(FAILED)], name="log").cases
    assert one.message == "panic: test timed out after 1s (running: TestA/x, TestB)"
    assert (one.path, one.line) == ("/src/p/p_test.go", 11)


def test_json_that_a_program_logs_is_no_event() -> None:
    lines = ['{"Action":"fail","user":"x"}', '{"Action":"start"}', '{"Time":"now","Action":"destroyed","Package":"m"}']
    assert read.read_log(lines, name="log").cases == ()
    found = read.read_log([*events(RUN), *lines, *events(PASS, END)], name="log")
    assert (found.totals.tests, found.problems, found.broken) == (1, (), False)


def test_testify_tells_what_was_expected_and_the_users_words() -> None:
    lines = output(
        "    p_test.go:7: ", "        \tError Trace:\t/src/p/p_test.go:7", "        \tError:      \tNot equal: ",
        "        \t            \texpected: 1", "        \t            \tactual  : 2", "        \tTest:       \tTestA",
        "        \tMessages:   \tafter a sale",
    )  # fmt: skip
    (one,) = read.read_log([*events(RUN), *lines, *events(FAIL, FAILED)], name="log").cases
    assert one.message == "Not equal: expected: 1 actual : 2 (after a sale)"


def test_a_helper_of_another_package_is_found_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "check").mkdir()
    (tmp_path / "go.mod").write_text("module m\n")
    (tmp_path / "check" / "check.go").write_text("package check\n")
    line = output("    check.go:4: not equal")
    (one,) = read.read_log([*events(RUN), *line, *events(FAIL, FAILED)], name="log", root=tmp_path).cases
    assert (one.path, one.line) == ("check/check.go", 4)
