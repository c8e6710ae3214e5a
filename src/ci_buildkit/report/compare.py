"""What is different from an earlier run's tests, and how that is said in Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, field

from ci_buildkit.report.digest import WHOLE, Digest, title
from ci_buildkit.report.markdown import code
from ci_buildkit.text import plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ci_buildkit.report.digest import Detail, State

MAX_LISTED = 20
_LOST: dict[Detail, str] = {
    "names": "",
    "hashes": "The names of removed tests were too many to keep.",
    "notable": "The earlier run had too many tests to keep: which are new or removed is not known.",
    "counts": "The earlier run had too many tests to keep: only the counts can be compared.",
}


class Comparison(Struct, frozen=True):
    """Two runs side by side. Lists hold titles of tests, sorted; a test is in each list that it belongs to.

    `added` and `removed` are counts of tests, None where the earlier run's digest does not know every test. The names
    of removed tests are only known where it has names.
    """

    before: Digest
    now: Digest
    new_failures: Sequence[str] = ()
    still_failing: Sequence[str] = ()
    fixed: Sequence[str] = ()
    newly_flaky: Sequence[str] = ()
    newly_skipped: Sequence[str] = ()
    newly_quarantined: Sequence[str] = ()
    new_tests: Sequence[str] = ()
    removed_tests: Sequence[str] = ()
    added: int | None = None
    removed: int | None = None

    @property
    def changed(self) -> bool:
        """Whether any test ended otherwise, came or went."""
        lists = (
            self.new_failures, self.fixed, self.newly_flaky, self.newly_skipped, self.newly_quarantined, self.new_tests
        )  # fmt: skip
        return any(lists) or bool(self.removed) or self.before.counts != self.now.counts


class _Lists(Struct):
    new_failures: list[str] = field(default_factory=list)
    still_failing: list[str] = field(default_factory=list)
    fixed: list[str] = field(default_factory=list)
    newly_flaky: list[str] = field(default_factory=list)
    newly_skipped: list[str] = field(default_factory=list)
    newly_quarantined: list[str] = field(default_factory=list)
    new_tests: list[str] = field(default_factory=list)

    def of(self, was: State | None, now: State) -> list[str] | None:
        """The list of a test that ended `now` and `was` something else, or not there, before; None for no list."""
        if now == "failed":
            return self.still_failing if was == "failed" else self.new_failures
        if was == now:
            return None
        if now == "passed":
            return self.fixed if was in {"failed", "quarantined"} else None
        return {"flaky": self.newly_flaky, "skipped": self.newly_skipped}.get(now, self.newly_quarantined)


def compare(before: Digest, now: Digest) -> Comparison:
    """What is different `now` (a digest with names) from `before` (of any detail)."""
    if before.detail == "counts":
        return Comparison(before, now)
    lists, known = _Lists(), before.detail in WHOLE
    seen = set()
    for key, state in sorted(now.tests.items()):
        same = before.identify(key)
        was = before.tests.get(same)
        seen.add(same)
        if was is None and known:
            lists.new_tests.append(title(key))
            # A new test that is skipped takes nothing away.
            if state == "skipped":
                continue
        wanted = lists.of(was, state)
        if wanted is not None:
            wanted.append(title(key))
    gone = sorted(before.tests.keys() - seen) if known else []
    return Comparison(
        before,
        now,
        **{name: getattr(lists, name) for name in _Lists.__struct_fields__},
        removed_tests=[title(key) for key in gone] if before.detail == "names" else (),
        added=len(lists.new_tests) if known else None,
        removed=len(gone) if known else None,
    )


def section(comparison: Comparison, base: str) -> str:
    """The comparison as a Markdown section without a line end; `base` is the commit that `before` belongs to."""
    parts = [f"### Changes since {code(base[:12])}", _counts(comparison)]
    if not comparison.now.total and comparison.before.total:
        parts.append("No test ran.")
        return "\n\n".join(parts)
    if comparison.before.detail != "counts":
        parts += _groups(comparison)
        if not comparison.changed:
            parts.append("No test ended otherwise.")
    lost = _LOST[comparison.before.detail]
    if lost and (comparison.before.detail != "hashes" or comparison.removed):
        parts.append(f"_{lost}_")
    return "\n\n".join(part for part in parts if part)


def _counts(comparison: Comparison) -> str:
    """`121 tests (+1), 2 failed (-1), 0 flaky, 3 skipped`."""
    before, now = comparison.before, comparison.now
    told = [plural(now.total, "test") + _difference(now.total - before.total)]
    states: list[State] = ["failed", "flaky", "skipped"]
    if now.counts.get("quarantined") or before.counts.get("quarantined"):
        states.append("quarantined")
    for state in states:
        count = now.counts.get(state, 0)
        told.append(f"{count:,} {state}{_difference(count - before.counts.get(state, 0))}")
    return ", ".join(told)


def _difference(count: int) -> str:
    return f" ({count:+,})" if count else ""


def _groups(comparison: Comparison) -> list[str]:
    removed = comparison.removed or 0
    return [
        _group(plural(len(comparison.new_failures), "new failure"), comparison.new_failures),
        _group(f"{len(comparison.still_failing):,} still failing", comparison.still_failing),
        _group(f"{len(comparison.fixed):,} fixed", comparison.fixed),
        _group(f"{len(comparison.newly_flaky):,} newly flaky", comparison.newly_flaky),
        _group(f"{len(comparison.newly_skipped):,} newly skipped", comparison.newly_skipped),
        _group(f"{len(comparison.newly_quarantined):,} newly quarantined", comparison.newly_quarantined),
        _group(plural(len(comparison.new_tests), "new test"), comparison.new_tests),
        _group(plural(removed, "removed test"), comparison.removed_tests, count=removed),
    ]


def _group(heading: str, titles: Sequence[str], *, count: int = 0) -> str:
    """A bold heading and a list of at most MAX_LISTED titles; "" where there is nothing to say."""
    if not (titles or count):
        return ""
    rows = [f"- {code(one, 150)}" for one in titles[:MAX_LISTED]]
    more = len(titles) - MAX_LISTED
    if more > 0:
        rows.append(f"- and {more:,} more")
    return "\n\n".join([f"**{heading}**", "\n".join(rows)]) if rows else f"**{heading}**"
