"""JUnit XML that is hostile or too much: bounded, told, never followed."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from ci_buildkit.paths import PathMapper
from ci_buildkit.reader import Limits, Source
from ci_buildkit.results import junit, read
from ci_buildkit.results.collect import Collector
from ci_buildkit.results.model import TestReport


def parse(text: str | bytes, tmp_path: Path, limits: Limits | None = None) -> TestReport:
    file = tmp_path / "x.xml"
    file.write_bytes(text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text)
    return read.read_paths([file], root=tmp_path, limits=limits)


def a_case(body: str, attributes: str = "", count: int = 1) -> str:
    cases = "".join(f'<testcase name="c{number}" {attributes}>{body}</testcase>' for number in range(count))
    return f'<testsuite name="s">{cases}</testsuite>'


def test_the_output_of_one_test_is_bounded_and_the_cut_told(tmp_path: Path) -> None:
    (case,) = parse(a_case(f"<system-out>begin {'x' * 100_000} end</system-out>"), tmp_path).cases
    assert len(case.output) < 17_000
    assert case.output.startswith("begin ")
    assert case.output.endswith(" end")
    assert "characters left out" in case.output


def test_output_and_errors_of_a_test_are_joined_and_cleaned(tmp_path: Path) -> None:
    body = "<system-out>\n\x1b[32mout\x1b[0m&#0;\n</system-out><failure>no</failure><system-err>err  \n</system-err>"
    (case,) = parse(a_case(body), tmp_path).cases
    assert (case.output, case.details) == ("out\n\nerr", "no")


def test_passed_tests_share_a_limit_of_output_and_broken_ones_keep_theirs(tmp_path: Path) -> None:
    out = "<system-out>0123456789</system-out>"
    text = a_case(out, count=5).replace("</testsuite>", f'<testcase name="bad"><failure/>{out}</testcase></testsuite>')
    found = parse(text, tmp_path, Limits(output=600))
    said = "… left out: of what passed tests print, 600 characters are kept in all …"
    assert [case.output for case in found.cases] == ["0123456789"] * 2 + [said] * 3 + ["0123456789"]
    assert found.problems == ()
    # Cases that say only this share it, so that a million of them cost nothing.
    assert found.cases[2].evidence is found.cases[3].evidence


def test_a_case_with_a_place_keeps_it_when_its_output_is_left_out(tmp_path: Path) -> None:
    found = parse(a_case("<system-out>0123456789</system-out>", 'file="a.py" line="3"'), tmp_path, Limits(output=5))
    assert (found.cases[0].path, found.cases[0].line) == ("a.py", 3)
    assert "left out" in found.cases[0].output


def test_the_output_of_a_whole_suite_is_nobodys(tmp_path: Path) -> None:
    text = a_case("").replace("</testsuite>", "<system-out>x</system-out><system-err>y</system-err></testsuite>")
    assert parse(text, tmp_path).cases[0].output == ""


def test_cases_beyond_the_limit_are_told(tmp_path: Path) -> None:
    found = parse(a_case("", count=5), tmp_path, Limits(cases=3))
    assert (len(found.cases), [problem.kind for problem in found.problems]) == (3, ["limit"])


def test_plain_cases_beyond_the_limit_are_told(tmp_path: Path) -> None:
    text = (
        '<testsuite name="s">' + "".join(f'<testcase name="c{n}" time="1"/>\n' for n in range(20_000)) + "</testsuite>"
    )
    found = parse(text, tmp_path, Limits(cases=15_000))
    assert (len(found.cases), [problem.kind for problem in found.problems]) == (15_000, ["limit"])


def test_depth_is_limited(tmp_path: Path) -> None:
    found = parse('<testsuite name="s"><testcase name="a"/>' + "<testsuite>" * 5000, tmp_path)
    assert [case.name for case in found.cases] == ["a"]
    (problem,) = found.problems
    assert (problem.kind, "1000 deep" in problem.reason) == ("limit", True)


def test_a_giant_attribute_is_cut_and_a_larger_one_refused(tmp_path: Path) -> None:
    text = f'<testsuite name="s"><testcase name="{"n" * 10_000_000}"><failure message="{"m" * 1_000_000}"/></testcase></testsuite>'
    (case,) = parse(text, tmp_path).cases
    assert (len(case.name), len(case.message)) == (4096, 4096)
    found = parse(text, tmp_path, Limits(token=1_000_000))
    assert [problem.kind for problem in found.problems] == ["limit"]
    assert found.cases == ()


def test_a_failure_text_is_bounded(tmp_path: Path) -> None:
    (case,) = parse(a_case(f"<failure>begin {'x' * 10_000_000} end</failure>"), tmp_path).cases
    assert len(case.details) < 70_000
    assert case.details.endswith(" end")


@pytest.mark.parametrize(
    "written", ["../../etc/passwd", "/etc/passwd", "a/../../../etc/passwd", "..", "/", "\\\\host\\x"]
)
def test_paths_out_of_the_repository_are_never_taken_for_known(written: str, tmp_path: Path) -> None:
    mapper = PathMapper(None, tmp_path)
    collector = Collector()
    text = a_case(f"<failure>{written}:3: boom</failure>", f'file="{written}" line="3"').encode()
    collector.file("x", junit.read(io.BytesIO(text), Source("x", mapper)))
    (case,) = collector.report().cases
    assert case.path
    assert not mapper.map(written).known
    assert not (tmp_path / "etc").exists()


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside.xml"
    outside.write_text(a_case("<failure>secret</failure>"))
    folder = tmp_path / "reports"
    folder.mkdir()
    (folder / "junit.xml").symlink_to(outside)
    found = read.read_paths([folder])
    assert found.cases == ()
    assert [problem.kind for problem in found.problems] == ["unreadable"]
    assert "secret" not in repr(found)


@pytest.mark.parametrize("value", ["NaN", "-1", "1e999", "-0.000000", "Infinity", "0x10", "1_000", "one"])
def test_times_that_are_none_count_nothing(value: str, tmp_path: Path) -> None:
    found = parse(a_case("", f'time="{value}"'), tmp_path)
    assert found.totals.seconds in {0.0, 1000.0}
    assert found.cases[0].seconds >= 0


@pytest.mark.parametrize("value", ["-5", "NaN", "1e9", "", "99999999999999999999"])
def test_counts_that_are_none_are_not_believed(value: str, tmp_path: Path) -> None:
    text = f'<testsuite name="s" tests="{value}" failures="{value}" errors="{value}" skipped="{value}"><testcase name="a"/></testsuite>'
    assert parse(text, tmp_path).problems == ()


@pytest.mark.parametrize("bad", ["\ufffe", "\uffff", "\ud800", "\x0b", "\x1b]0;title\x07", "\U0001fffe"])
def test_characters_that_xml_forbids_lose_no_file(bad: str, tmp_path: Path) -> None:
    found = parse(a_case(f"<failure>a{bad}b</failure>").replace("c0", f"c{bad}0"), tmp_path)
    assert found.problems == ()
    (case,) = found.cases
    f"{case.name}{case.details}".encode()
    assert bad not in case.name + case.details
