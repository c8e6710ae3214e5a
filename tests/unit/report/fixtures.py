"""A realistic green and a red run of a small Go project, and a run made of hostile text."""

from __future__ import annotations

from ci_buildkit.findings.model import Finding
from ci_buildkit.pipeline.criticalpath import critical_path
from ci_buildkit.problem import Problem
from ci_buildkit.record import (
    BinaryRecord,
    BuilderRecord,
    EmulationRecord,
    ImageRecord,
    RunRecord,
    StageRecord,
    StepRecord,
    TestsRecord,
    VersionRecord,
)
from ci_buildkit.results.model import Case, Evidence, TestReport, Totals

REVISION = "9f3c2b7a41d05e8861c7f2a90b3de4517c6a8f02"
DIGEST = "sha256:" + "4b1c9e07" * 8
VERSION = VersionRecord(
    value="v1.4.0-3-g9f3c2b7", revision=REVISION, dirty=False, source="describe", source_date_epoch=1_790_000_000
)
BUILDER = BuilderRecord(
    name="ci-buildkit-7d1f", driver="docker-container", buildkit="v0.34.2", buildx="v0.38.2",
    platforms=("linux/amd64", "linux/arm64", "linux/arm/v7"), created=True,
)  # fmt: skip
GO_TEST_FAILURE = """\
=== RUN   TestHello/german
    hello_test.go:41:
        Error Trace:\t/src/internal/hello/hello_test.go:41
        Error:      \tNot equal:
                    \texpected: "Hallo, Welt"
                    \tactual  : "Hello, Welt"

                    \tDiff:
                    \t--- Expected
                    \t+++ Actual
                    \t@@ -1 +1 @@
                    \t-Hallo, Welt
                    \t+Hello, Welt
        Test:       \tTestHello/german
--- FAIL: TestHello/german (0.00s)
"""


def step(name: str, started: float, seconds: float, **more: object) -> StepRecord:
    return StepRecord.model_validate({"name": name, "started": started, "seconds": seconds, **more})


def _shared(start: float, *, cached: bool) -> tuple[StepRecord, ...]:
    return (
        step("[internal] load build definition from Dockerfile", start, 0.05),
        step("resolve image config for docker-image://docker.io/docker/dockerfile:1", start + 0.06, 0.9),
        step("[internal] load .dockerignore", start + 1.0, 0.02),
        step("[base 1/3] FROM docker.io/library/golang:1.26-alpine", start + 1.1, 2.4, cached=cached),
        step("[base 2/3] WORKDIR /src", start + 3.5, 0.04, cached=cached),
        step("[base 3/3] RUN --mount=type=bind,source=go.mod,target=go.mod --mount=type=cache,target=/go/pkg/mod go mod download -x",
             start + 3.6, 4.1 if not cached else 0.0, cached=cached),
    )  # fmt: skip


def stages(*, red: bool) -> tuple[StageRecord, ...]:
    lint = _shared(1.3, cached=False)
    test = _shared(1.4, cached=True)
    lint_run = step(
        "[lint 2/2] RUN golangci-lint run --timeout 10m0s ./...", 9.1, 6.2, error="exit code: 1" if red else None
    )
    test_run = step(
        "[test 1/1] RUN go test -race -json ./... | tee /out/test.json",
        8.1,
        11.8,
        error="exit code: 1" if red else None,
    )
    builds = (
        step("[linux/amd64->arm64 build-server 1/1] RUN go build -o /bin/server ./cmd/server", 8.0, 5.6, platform="linux/amd64"),
        step("[linux/amd64 build-server 1/1] RUN go build -o /bin/server ./cmd/server", 8.0, 5.1, platform="linux/amd64"),
        step("[linux/amd64 build-client 1/1] RUN go build -o /bin/client ./cmd/client", 8.1, 4.7, platform="linux/amd64"),
    )  # fmt: skip
    emulated = step(
        "[linux/arm64 image 2/3] RUN apk add --no-cache tzdata", 8.2, 9.6, platform="linux/arm64", emulated=True
    )
    return (
        StageRecord(name="lint", kind="lint", target="lint", platforms=("linux/amd64",), outcome="failed" if red else "passed",
                    seconds=14.1, started=1.3, steps=7, cached_steps=0, timeline=(*lint, lint_run)),
        StageRecord(name="test", kind="test", target="test", platforms=("linux/amd64",), outcome="failed" if red else "passed",
                    seconds=18.9, started=1.4, steps=7, cached_steps=3, timeline=(*test, test_run),
                    results_from="recovered" if red else "export", attempts=1),
        StageRecord(name="binaries", kind="binaries", target="binaries", platforms=("linux/amd64", "linux/arm64", "darwin/arm64"),
                    outcome="passed", seconds=13.0, started=1.4, steps=10, cached_steps=3,
                    timeline=(*_shared(1.4, cached=True), *builds, step("exporting to client directory", 13.7, 0.6))),
        StageRecord(name="server", kind="image", target="server", platforms=("linux/amd64", "linux/arm64"),
                    outcome="skipped" if red else "passed", reason="lint and test did not pass, so nothing was pushed" if red else None,
                    seconds=17.5, started=1.4, steps=8, cached_steps=3,
                    emulated=(EmulationRecord(platform="linux/arm64", seconds=9.6, steps=1),),
                    timeline=(*_shared(1.4, cached=True), builds[1], emulated)),
    )  # fmt: skip


def cases(*, red: bool) -> tuple[Case, ...]:
    module = "example.com/buildme/internal/hello"
    broken = (
        Case(file='test.json', format='go-test-json', suite=module, class_name=module, name='TestHello/german', outcome='failed', seconds=0.01, evidence=Evidence(message='Not equal: expected "Hallo, Welt", actual "Hello, Welt"', path='internal/hello/hello_test.go', line=41, details=GO_TEST_FAILURE)),
        Case(file='test.json', format='go-test-json', suite='example.com/buildme/cmd/server', class_name='example.com/buildme/cmd/server', name='TestShutdown', outcome='error', seconds=2.0, evidence=Evidence(message='panic: close of closed channel', path='cmd/server/main_test.go', line=77, details='panic: close of closed channel\n\ngoroutine 21 [running]:\nmain.(*server).stop(0x0)\n\t/src/cmd/server/main.go:118 +0x1c')),
    )  # fmt: skip
    passed = tuple(
        Case(file='test.json', format='go-test-json', suite=module, class_name=module, name=f'TestGreeting/{name}', outcome='passed', seconds=seconds, evidence=Evidence(path='internal/hello/hello_test.go', line=20))
        for name, seconds in (("english", 0.002), ("french", 0.001), ("empty_name", 0.0), ("unicode_名前", 0.004))
    )  # fmt: skip
    other = (
        Case(file='test.json', format='go-test-json', suite='example.com/buildme/cmd/server', class_name='example.com/buildme/cmd/server', name='TestServesUnderLoad', outcome='passed', seconds=4.31, evidence=Evidence(path='cmd/server/load_test.go', line=12)),
        Case(file='test.json', format='go-test-json', suite='example.com/buildme/cmd/client', class_name='example.com/buildme/cmd/client', name='TestRetries', outcome='passed', seconds=1.2, evidence=Evidence(attempts=3, flaky=True, path='cmd/client/main_test.go', line=30)),
        Case(file='test.json', format='go-test-json', suite='example.com/buildme/cmd/client', class_name='example.com/buildme/cmd/client', name='TestWindowsOnly', outcome='skipped', evidence=Evidence(message='needs Windows')),
    )  # fmt: skip
    return (*(broken if red else ()), *passed, *other)


def report_of(all_cases: tuple[Case, ...]) -> TestReport:
    def count(outcome: str) -> int:
        return sum(case.outcome == outcome for case in all_cases)

    totals = Totals(
        files=1, suites=len({case.suite for case in all_cases}), tests=len(all_cases), passed=count("passed"),
        failed=count("failed"), errors=count("error"), skipped=count("skipped"),
        flaky=sum(case.flaky for case in all_cases), seconds=sum(case.seconds for case in all_cases),
    )  # fmt: skip
    return TestReport(cases=all_cases, totals=totals)


FINDINGS = (
    Finding("cmd/server/main.go", 23, 10, None, None, "error", "errcheck",
            "Error return value of `w.Write` is not checked", "golangci-lint", "https://golangci-lint.run/usage/linters/#errcheck"),
    Finding("cmd/server/main.go", 61, 2, None, None, "warning", "revive",
            "exported function Serve should have comment or be unexported", "golangci-lint"),
    Finding("Dockerfile", 14, None, None, None, "warning", "FromAsCasing",
            "The 'as' keyword should match the case of the 'from' keyword", "buildkit",
            "https://docs.docker.com/go/dockerfile/rule/from-as-casing/"),
)  # fmt: skip


KNOWN = (
    Finding("internal/hello/hello.go", 9, 1, None, None, "warning", "revive", "package comment should be of the form \"Package hello ...\"", "golangci-lint"),
)  # fmt: skip


def waived() -> tuple[RunRecord, TestReport]:
    """A green run with a quarantined failure, an error that is let pass, a flaky test and output of a passed one."""
    module = "example.com/buildme/internal/hello"
    more = (
        Case(file="test.json", format="go-test-json", suite=module, class_name=module, name="TestUpload", outcome="failed", seconds=0.2, evidence=Evidence(message="503 Service Unavailable", path="internal/hello/upload_test.go", line=9, details="503 Service Unavailable\nretry later", output="connecting to upload.example\n", quarantined="quarantined until 2030-01-31: the server is being replaced")),
        Case(file="test.json", format="go-test-json", suite=module, class_name=module, name="TestTeardown", outcome="error", evidence=Evidence(message="panic: nil map", quarantined="--fail-on tests=nothing lets it pass")),
        Case(file="test.json", format="go-test-json", suite=module, class_name=module, name="TestChatty", outcome="passed", evidence=Evidence(output="=== chatty says hello ===\n")),
    )  # fmt: skip
    record, _ = green()
    tests = report_of((*cases(red=False), *more))
    return record.model_copy(update={"tests": TestsRecord(totals=tests.totals)}), tests


def binaries() -> tuple[BinaryRecord, ...]:
    formats = (
        ("linux/amd64", "ELF", 8_126_464),
        ("linux/arm64", "ELF", 7_798_784),
        ("darwin/arm64", "Mach-O", 8_011_234),
    )
    return tuple(
        BinaryRecord.model_validate({
            "platform": platform, "path": f"dist/{platform.replace('/', '_')}/{name}", "size": bytes_ // (1 + index),
            "sha256": f"{index}{bytes_:x}" * 8, "format": kind,
            "archive": f"dist/buildme_v1.4.0-3_{platform.replace('/', '_')}.tar.gz",
        })
        for platform, kind, bytes_ in formats for index, name in enumerate(("server", "client"))
    )  # fmt: skip


def with_path(record: RunRecord) -> RunRecord:
    """The record with its critical path, as a run writes it."""
    return record.model_copy(update={"critical_path": critical_path(record)})


def green() -> tuple[RunRecord, TestReport]:
    tests = report_of(cases(red=False))
    image = ImageRecord(
        name="registry.example.com/team/buildme", tags=("v1.4.0-3-g9f3c2b7", "edge"), digest=DIGEST,
        platforms=("linux/amd64", "linux/arm64"), pushed=True,
    )  # fmt: skip
    record = RunRecord(
        outcome="passed", exit_code=0, started="2026-11-02T09:14:07.120000+00:00", seconds=21.4, version=VERSION,
        builder=BUILDER, stages=stages(red=False), tests=TestsRecord(totals=tests.totals), binaries=binaries(), images=(image,),
    )  # fmt: skip
    return with_path(record), tests


def red() -> tuple[RunRecord, TestReport]:
    tests = report_of(cases(red=True))
    record = RunRecord(
        outcome="failed", exit_code=1, started="2026-11-02T09:14:07.120000+00:00", seconds=21.4,
        version=VERSION.model_copy(update={"dirty": True}), builder=BUILDER, stages=stages(red=True),
        tests=TestsRecord(totals=tests.totals, failed=tuple(case for case in tests.cases if case.broken)),
        findings=FINDINGS, binaries=binaries(),
        problems=(Problem("test", "inconsistent", "the test step exited with 2 though every report in /out is complete; look at logs/test.log"),),
    )  # fmt: skip
    return with_path(record), tests


LOGS = {
    "lint": "#9 [lint 2/2] RUN golangci-lint run ./...\n#9 6.031 \x1b[1mcmd/server/main.go:23:10:\x1b[0m Error return value of `w.Write` is not checked (errcheck)\n#9 6.031 \tw.Write(body)\n#9 6.031 \t       ^\n#9 ERROR: exit code: 1\n",
    "test": "".join(f"#11 {n / 40:.3f} ok  \texample.com/buildme/pkg{n}\t0.0{n % 10}s\n" for n in range(600)),
}

HOSTILE = (
    "</script><script>alert(1)</script><img src=x onerror=alert(1)>\x1b[31mred\x1b[0m\x1b]0;title\x07 ``` | @octocat #123 "
    "[link](https://evil.example) https://evil.example www.evil.example a@b.example ::error::x ##[error]y :tada: $x$ "
    "\u202egnp.exe \x00\x07\x9b2J\r\n::set-output name=a::b\n"
)


def hostile() -> tuple[RunRecord, TestReport]:
    case = Case(file=HOSTILE, format='junit', suite=HOSTILE, class_name=HOSTILE, name=HOSTILE, outcome='failed', evidence=Evidence(message=HOSTILE, path=HOSTILE, line=1, details=HOSTILE * 3))  # fmt: skip
    tests = report_of(
        (
            case,
            Case(
                file="x",
                format="junit",
                suite=HOSTILE,
                class_name="",
                name=HOSTILE,
                outcome="passed",
                seconds=2,
                evidence=Evidence(flaky=True),
            ),
        )
    )
    stage = StageRecord(
        name=HOSTILE, kind="test", target=HOSTILE, platforms=(HOSTILE,), outcome="error", reason=HOSTILE, seconds=2, steps=1,
        timeline=(step(HOSTILE, 0, 1, error=HOSTILE, platform=HOSTILE),),
        emulated=(EmulationRecord(platform=HOSTILE, seconds=1, steps=1),),
    )  # fmt: skip
    finding = Finding(HOSTILE, 1, 1, None, None, "error", HOSTILE, HOSTILE, HOSTILE, "javascript:alert(1)//https://x")
    record = RunRecord(
        outcome="error", exit_code=3, started=HOSTILE, seconds=2,
        version=VERSION.model_copy(update={"value": HOSTILE, "revision": HOSTILE}),
        builder=BuilderRecord(name=HOSTILE, driver=HOSTILE, buildkit=HOSTILE, buildx=HOSTILE, platforms=(HOSTILE,), created=False),
        stages=(stage,), findings=(finding,), problems=(Problem(HOSTILE, "missing", HOSTILE),),
        binaries=(BinaryRecord(platform=HOSTILE, path=HOSTILE, size=1, sha256=HOSTILE, format="other", archive="javascript:alert(1)"),),
        images=(ImageRecord(name=HOSTILE, tags=(HOSTILE,), digest=HOSTILE, platforms=(HOSTILE,), pushed=False),),
    )  # fmt: skip
    return with_path(record), tests


def large(case_count: int, step_count: int) -> tuple[RunRecord, TestReport]:
    """A run with many cases, every tenth broken, and many steps in five stages."""
    many = tuple(
        Case(file='x.xml', format='junit', suite=f'suite {n % 50}', class_name=f'com.example.Class{n % 50}', name=f'test_{n}', outcome='passed' if n % 10 else 'failed', seconds=n / 1000, evidence=Evidence(message='expected <1> but was <2>' if n % 10 == 0 else '', path=f'src/class_{n % 50}.py', line=n + 1, details='line of a trace\n' * 30 if n % 10 == 0 else ''))
        for n in range(case_count)
    )  # fmt: skip
    tests = report_of(many)
    each = step_count // 5
    stages_ = tuple(
        StageRecord(
            name=f"stage{s}", kind="other", target=f"stage{s}", platforms=("linux/amd64",), outcome="passed", seconds=each / 10, steps=each,
            timeline=tuple(step(f"[stage{s} {n}/{each}] RUN make part-{n}", n / 10, 0.1, cached=n % 3 == 0) for n in range(each)),
        )
        for s in range(5)
    )  # fmt: skip
    record, _ = green()
    return record.model_copy(update={"outcome": "failed", "stages": stages_, "seconds": each / 10}), tests


def huge(case_count: int = 50_000, failed: int = 500) -> tuple[RunRecord, TestReport]:
    """A run of many cases: `failed` with long details and output, some flaky, quarantined, skipped or with output."""
    trace = "".join(f'  at com.example.Frame{n}.call(Frame{n}.java:{n}) <T> & "more"\n' for n in range(1200))

    def case(n: int) -> Case:
        number = n % (case_count // failed)
        kind = {0: "failed", 1: "skipped"}.get(number, "passed")
        evidence = {
            0: Evidence(message=f"expected <{n}> but was <{n + 1}>", details=trace, output=trace[:9000], path=f"src/test/Class{n % 300}.java", line=n % 900 + 1),
            1: Evidence(message="needs a database", path="src/test/Db.java", line=3),
            2: Evidence(output=f"log of case {n}\n" * 5, path=f"src/test/Class{n % 300}.java", line=7),
            3: Evidence(attempts=2, flaky=n % 1000 == 3),
        }.get(number, Evidence(path=f"src/test/Class{n % 300}.java", line=n % 900 + 1))  # fmt: skip
        return Case(
            file="results/test/TEST-all.xml", format="junit", suite=f"com.example.module{n % 20}", outcome=kind,  # type: ignore[arg-type]
            class_name=f"com.example.module{n % 20}.Class{n % 300}", name=f"testNumber{n}[variant {n % 7}]",
            seconds=(n * 7919 % 10_000) / 1000, evidence=evidence,
        )  # fmt: skip

    tests = report_of(tuple(case(n) for n in range(case_count)))
    record, _ = red()
    findings = tuple(
        Finding(f"src/module{n // 40}/file.go", n % 400 + 1, n % 80 + 1, None, None, ("error", "warning", "notice")[n % 3],
                f"rule{n % 30}", f"message {n} of a finding", "linter")
        for n in range(5000)
    )  # fmt: skip
    broken = TestsRecord(totals=tests.totals, failed=tuple(case for case in tests.cases if case.broken))
    return record.model_copy(update={"tests": broken, "findings": findings}), tests
