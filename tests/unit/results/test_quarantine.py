"""The quarantine list: what it names, until when, and what is said of a list that is wrong."""

from __future__ import annotations

import contextlib
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci_buildkit.errors import ConfigurationError
from ci_buildkit.results import quarantine
from ci_buildkit.results.model import Case
from ci_buildkit.results.quarantine import Quarantine

TODAY = date(2030, 1, 15)


def case(name: str = "test_a", class_name: str = "pkg.Upload", suite: str = "api / upload") -> Case:
    return Case("a.xml", "junit", suite, class_name, name, "failed")


def load(folder: Path, text: str, today: date = TODAY) -> Quarantine:
    path = folder / "quarantine.yml"
    path.write_text(text, encoding="utf-8")
    return quarantine.load(path, today)


def entry(pattern: str, until: str = "2030-01-31") -> str:
    return f"- test: '{pattern}'\n  until: {until}\n  reason: the server is being replaced\n"


@pytest.mark.parametrize(
    ("pattern", "found", "named"),
    [
        ("test_a", case(), True),
        ("test_*", case(), True),
        ("TEST_A", case(), False),
        ("pkg.Upload: test_a", case(), True),
        ("pkg.*: *", case(), True),
        ("pkg.Upload", case(), False),
        ("api / upload", case(), True),
        ("api / *", case(), True),
        ("api", case(), False),
        ("test_sum[1-2]", case("test_sum[1-2]"), True),
        ("test_sum[[]*", case("test_sum[1-2]"), True),
        ("test_sum[12]", case("test_sum1"), True),
        ("a.b", case("aXb"), False),
        ("*", case("two\nlines"), True),
    ],
)
def test_an_entry_names_tests_by_glob_or_in_full(tmp_path: Path, pattern: str, found: Case, named: bool) -> None:
    reason = load(tmp_path, entry(pattern)).reason(found)
    assert reason == ("quarantined until 2030-01-31: the server is being replaced" if named else "")


@pytest.mark.parametrize(
    ("today", "counts"), [(date(2030, 1, 30), False), (date(2030, 1, 31), False), (date(2030, 2, 1), True)]
)
def test_an_entry_holds_up_to_and_on_its_day(tmp_path: Path, today: date, counts: bool) -> None:
    found = load(tmp_path, entry("test_a"), today)
    assert (found.reason(case()) == "") is counts
    told = ["line 1: 'test_a' expired on 2030-01-31, so its failures count again; mend the test, or set a later day"]
    assert found.notes([case()]) == (told if counts else [])


def test_entries_that_name_no_test_are_told(tmp_path: Path) -> None:
    found = load(tmp_path, entry("test_a") + entry("gone*") + entry("test_b"))
    passed = Case("a.xml", "junit", "s", "c", "test_b", "passed")
    assert found.notes([case(), passed]) == ["line 4: 'gone*' names no test; remove the entry, or mend its pattern"]


def test_a_list_without_entries_is_none(tmp_path: Path) -> None:
    assert load(tmp_path, "# nothing at present\n") == load(tmp_path, "[]\n") == Quarantine()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("test: a\n", ":1: must hold a list of entries"),
        ("- test_a\n", ":1: an entry must have a test, a day until which it holds, and a reason"),
        ("- {test: a, reason: b}\n", ":1: the entry has no 'until'"),
        ("\n- {test: a, until: 2030-01-31}\n", ":2: the entry has no 'reason'"),
        ("- {until: 2030-01-31, reason: b}\n", ":1: the entry has no 'test'"),
        (entry("a", "soon"), ":1: 'soon' is not a day; write YYYY-MM-DD"),
        (entry("a", "2030-02-31"), ":1: '2030-02-31' is not a day"),
        (entry("a", "2030-1-2"), ":1: '2030-1-2' is not a day"),
        (entry("a", "20300102"), ":1: '20300102' is not a day"),
        (entry("a", "2030-01-02T00:00:00Z"), ":1: '2030-01-02T00:00:00Z' is not a day"),
        (entry("a") + entry("b", "''"), ":5: 'until' must be a text"),
        (entry("a") + "  owner: me\n", ":4: an entry has test, until, reason and no other key"),
        ("- {test: [a], until: 2030-01-31, reason: b}\n", ":1: 'test' must be a text"),
        ("- ? [a]\n  : b\n", ":1: an entry has test, until, reason and no other key"),
        ("- a\n- b: [\n", ":3: is not YAML: expected the node content"),
        ("- 'a\n\n\n", ":4: is not YAML: found unexpected end of stream"),
        ("a: *b\n", ":1: is not YAML: found undefined alias 'b'"),
        ("\x01\n", ":1: is not YAML: unacceptable character #x0001: special characters are not allowed"),
        ("[" * 5000, ":1: is not YAML: maximum recursion depth exceeded"),
    ],
)
def test_a_wrong_list_is_told_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ConfigurationError) as found:
        load(tmp_path, text)
    assert found.value.exit_code == 2
    assert found.value.message.startswith(f"{tmp_path / 'quarantine.yml'}{told}")
    assert found.value.hint.startswith("write - {test:")


@pytest.mark.parametrize(
    ("content", "reason"), [(None, "No such file or directory"), (b"\xff\xfe\xff", "is not UTF-8")]
)
def test_a_file_that_cannot_be_read_is_told(tmp_path: Path, content: bytes | None, reason: str) -> None:
    path = tmp_path / "quarantine.yml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigurationError) as found:
        quarantine.load(path, TODAY)
    assert found.value.message == f"{path}: {reason}"
    assert found.value.hint == "name the quarantine list with --quarantine"


@given(st.text() | st.text(alphabet="-[]{}:,*&!?|>%@ \n'\"atestunilro0123"))
def test_any_text_is_a_list_or_a_configuration_error(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yml"
    path.write_text(text, encoding="utf-8", errors="replace")
    with contextlib.suppress(ConfigurationError):
        assert quarantine.load(path, TODAY).reason(case()) is not None
