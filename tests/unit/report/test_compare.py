"""The digest of a run's tests and the comparison of two: round trips, what is lost for room, and anything as input."""

from __future__ import annotations

import base64
import gzip
import random
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ci_buildkit.report import digest as module
from ci_buildkit.report.compare import MAX_LISTED, Comparison, compare, section
from ci_buildkit.report.digest import Digest, decode, title
from ci_buildkit.results.model import Case, Evidence, Outcome

LIMIT = 65_535
STATES: dict[str, tuple[Outcome, Evidence]] = {
    "passed": ("passed", Evidence()),
    "failed": ("failed", Evidence()),
    "broken": ("error", Evidence()),
    "flaky": ("passed", Evidence(flaky=True, attempts=2)),
    "skipped": ("skipped", Evidence()),
    "quarantined": ("failed", Evidence(quarantined="known")),
}


def case(name: str, state: str = "passed", class_name: str = "c", suite: str = "s") -> Case:
    outcome, evidence = STATES[state]
    return Case("f", "junit", suite, class_name, name, outcome, 0.0, evidence)


def digest(**tests: str) -> Digest:
    return Digest.of(case(name, state) for name, state in tests.items())


def kept(one: Digest, limit: int = LIMIT) -> Digest:
    """What a later run reads."""
    text = one.encode(limit)
    assert len(text) <= limit
    found = decode(f"words\n\n{text}\nmore")
    assert found is not None
    return found


def many(count: int, seed: int = 1) -> Digest:
    """Tests whose names cannot be packed."""
    letters = random.Random(seed)
    names = ["".join(letters.choices(string.ascii_letters, k=30)) for _ in range(count)]
    return Digest.of(case(name, "passed" if n % 100 else "failed") for n, name in enumerate(names))


def test_everything_that_can_change() -> None:
    before = digest(a="passed", b="failed", c="failed", d="passed", e="passed", f="broken", g="passed", h="failed")
    now = digest(a="failed", b="failed", c="passed", d="flaky", e="skipped", f="skipped", g="passed", i="broken", h="quarantined", j="skipped")  # fmt: skip
    found = compare(kept(before), now)
    assert found.new_failures == ["c: a", "c: i"]
    assert found.still_failing == ["c: b"]
    assert found.fixed == ["c: c"]
    assert found.newly_flaky == ["c: d"]
    assert found.newly_skipped == ["c: e", "c: f"]
    assert found.newly_quarantined == ["c: h"]
    assert found.new_tests == ["c: i", "c: j"]
    assert (found.added, found.removed, found.removed_tests) == (2, 0, [])
    assert compare(now, before).removed_tests == ["c: i", "c: j"]


def test_how_it_is_said() -> None:
    before, now = digest(a="passed", b="failed", x="passed", y="skipped"), digest(a="failed", b="passed", z="flaky")
    assert section(compare(before, now), "0123456789abcdef") == (
        "### Changes since `0123456789ab`\n\n"
        "3 tests (-1), 1 failed, 1 flaky (+1), 0 skipped (-1)\n\n"
        "**1 new failure**\n\n- `c: a`\n\n"
        "**1 fixed**\n\n- `c: b`\n\n"
        "**1 newly flaky**\n\n- `c: z`\n\n"
        "**1 new test**\n\n- `c: z`\n\n"
        "**2 removed tests**\n\n- `c: x`\n- `c: y`"
    )


def test_the_same_again() -> None:
    same = digest(a="passed", b="skipped")
    assert not compare(kept(same), same).changed
    assert "No test ended otherwise." in section(compare(same, same), "x")


def test_no_test_ran() -> None:
    text = section(compare(digest(a="passed"), Digest.of([])), "x")
    assert "0 tests (-1)" in text
    assert "No test ran." in text
    assert "removed" not in text


def test_long_lists_are_cut_and_say_so() -> None:
    now = Digest.of(case(f"t{n:03}", "failed") for n in range(MAX_LISTED + 5))
    text = section(compare(Digest.of([]), now), "x")
    assert text.count("- and 5 more") == 2


def test_names_are_text() -> None:
    name = "`|<b>@octocat #1 https://x.example"
    text = section(compare(Digest.of([]), Digest.of([case(name, "failed")])), "x")
    assert f"- ``c: {name}``" in text


def test_titles() -> None:
    keys = Digest.of([case("n", class_name="", suite="s"), case("n", class_name="s", suite="s"), case("")]).tests
    assert sorted(map(title, keys)) == ["c", "s: n", "s: n"]
    assert title("") == "(unnamed test)"


def test_of_the_same_test_twice_the_worst_counts() -> None:
    cases = [case("a", "passed"), case("a", "failed"), case("a", "skipped"), case("b", "skipped"), case("b", "passed")]
    one = Digest.of(cases)
    assert sorted(one.tests.values()) == ["failed", "passed"]
    assert one.total == 5
    assert one.counts == {"passed": 2, "failed": 1, "skipped": 2}


def test_names_of_a_large_project_fit() -> None:
    cases = [case(f"test_case_{n}", class_name=f"org.example.module{n // 40}.SomeServiceTest") for n in range(8_000)]
    assert kept(Digest.of(cases)).detail == "names"


def test_hashes_where_names_do_not_fit() -> None:
    now = many(4_000)
    before = kept(now)
    assert before.detail == "hashes"
    assert not compare(before, now).changed
    now.tests["\tc\tnew"] = "failed"  # type: ignore[index]
    gone = next(key for key, state in now.tests.items() if state == "passed")
    del now.tests[gone]  # type: ignore[attr-defined]
    found = compare(before, now)
    assert found.new_failures == ["c: new"]
    assert (found.added, found.removed, found.removed_tests) == (1, 1, ())
    text = section(found, "x")
    assert "**1 removed test**" in text
    assert "names of removed tests were too many" in text


def test_notable_tests_where_hashes_do_not_fit() -> None:
    now = many(20_000)
    before = kept(now)
    assert before.detail == "notable"
    found = compare(before, now)
    assert (found.new_failures, found.fixed, found.added, found.removed) == ([], [], None, None)
    assert len(found.still_failing) == 200
    broken = next(key for key, state in now.tests.items() if state == "failed")
    now.tests[broken] = "passed"  # type: ignore[index]
    now.tests["\tc\tnew"] = "failed"  # type: ignore[index]
    found = compare(before, now)
    assert (found.fixed, found.new_failures) == ([title(broken)], ["c: new"])
    assert "which are new or removed is not known" in section(found, "x")


def test_counts_where_nothing_else_fits() -> None:
    before = kept(many(2_000), 300)
    assert (before.detail, before.total) == ("counts", 2_000)
    found = compare(before, digest(a="failed"))
    assert isinstance(found, Comparison)
    text = section(found, "x")
    assert "1 test (-1,999), 1 failed (-19)" in text
    assert "only the counts can be compared" in text
    assert "new failure" not in text
    assert many(2_000).encode(20) == ""


def test_a_million_tests_are_given_up_early() -> None:
    assert kept(Digest.of(case(f"t{n}", class_name=f"c{n % 1000}") for n in range(300_000))).detail == "notable"


@settings(deadline=None)
@given(
    st.lists(
        st.builds(case, st.text(max_size=20), st.sampled_from(sorted(STATES)), st.text(max_size=9), st.text(max_size=9))
    )
)
def test_what_is_kept_is_read_back(cases: list[Case]) -> None:
    one = Digest.of(cases)
    found = kept(one)
    assert found.counts == one.counts
    assert not compare(found, one).changed


@settings(deadline=None)
@given(st.one_of(st.text(), st.binary(max_size=300).map(lambda data: wrapped(base64.b64encode(data).decode()))))
def test_anything_is_a_digest_or_none(text: str) -> None:
    found = decode(text)
    assert found is None or isinstance(found, Digest)


@settings(deadline=None)
@given(st.recursive(st.none() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["detail", "counts", "tests", "passed", "failed"]), inner, max_size=4), max_leaves=12))  # fmt: skip
def test_any_json_is_a_digest_or_none(value: object) -> None:
    import json

    found = decode(packed(json.dumps(value).encode()))
    assert found is None or section(compare(found, digest(a="failed")), "x")


def wrapped(text: str) -> str:
    return f"<!-- ci-buildkit-digest 1 {text} -->"


def packed(data: bytes) -> str:
    return wrapped(base64.b64encode(gzip.compress(data)).decode())


@pytest.mark.parametrize(
    "text",
    [
        packed(b" " * (module.MAX_UNPACKED + 1)),
        packed(b'{"detail":"all","counts":{},"tests":{}}'),
        packed(b'{"detail":"names","counts":{"fine":1},"tests":{}}'),
        packed(b'{"detail":"names","counts":{},"tests":{"passed":[1]}}'),
        packed(b'{"detail":"names","counts":{"passed":%s},"tests":{}}' % (b"9" * 5_000)),
        packed(b"[" * 100_000),
        wrapped(base64.b64encode(gzip.compress(b'{"detail":"names","counts":{},"tests":{}}')[:-3]).decode()),
        digest(a="passed").encode(LIMIT).replace("digest 1", "digest 2"),
        digest(a="passed").encode(LIMIT)[:-10],
    ],
)
def test_damaged_hostile_and_newer_ones_are_none(text: str) -> None:
    assert decode(text) is None


def test_hostile_names_and_counts_of_a_digest_are_harmless() -> None:
    data = b'{"detail":"names","counts":{"passed":-5},"tests":{"failed":["\\u001b[31m\\t\\t\\u202e\\nx","`@a"]}}'
    found = decode(packed(data))
    assert found is not None
    text = section(compare(found, digest(a="passed")), "x\n@y")
    assert "\x1b" not in text
    assert text.startswith("### Changes since `x @y`\n\n1 test (+1)")
