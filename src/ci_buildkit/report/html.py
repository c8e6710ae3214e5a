"""`report.html`: the whole run as one self-contained page that asks for nothing from anywhere.

The page's content security policy allows exactly its own style and script, by hash, and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
import re
import shlex
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from ci_buildkit import __version__
from ci_buildkit.report import facts, timeline
from ci_buildkit.report.logfile import read_tail
from ci_buildkit.report.text import duration, excerpt, last_lines, one_line, place, plain, plural, size

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jinja2 import Environment

    from ci_buildkit.findings.model import Finding
    from ci_buildkit.record import RunRecord
    from ci_buildkit.results.model import Case, TestReport

MAX_FAILED = 200
MAX_CASES = 2000
MAX_FINDINGS = 1000
MAX_ROWS = 500
LOG_LINES = 400
LOG_CHARACTERS = 100_000
DETAIL_LINES = 200
DETAIL_CHARACTERS = 20_000


@dataclass(frozen=True, slots=True)
class LogTail:
    """The end of a stage's log; `clipped` says that the log is longer."""

    stage: str
    text: str
    clipped: bool


def render(record: RunRecord, tests: TestReport, *, logs: Mapping[str, str | Path]) -> str:
    """The page.

    `logs` holds the log of each stage by its name: its text, or the file of which the end is read. The lists are
    bounded and say what they leave out and which file has it.
    """
    lanes = timeline.lay_out(record)
    style = _asset("report.css") + _grid(lanes)
    script = _asset("report.js")
    return _environment().get_template("report.html.j2").render(
        record=record,
        tests=tests,
        totals=facts.totals_of(record, tests),
        reasons=facts.reasons(record, tests),
        timeline=lanes,
        failed=facts.broken_cases(record, tests),
        cases=_ordered(tests),
        flaky=facts.flaky_cases(tests),
        slowest=facts.slowest_cases(tests, 10),
        findings=facts.findings_by_file(record.findings[:MAX_FINDINGS]),
        logs=[log for log in (_log(name, text) for name, text in logs.items()) if log.text.strip()],
        style=style,
        script=script,
        policy=_policy(style, script),
    )  # fmt: skip


def load() -> None:
    """Import and compile what `render` needs (0.1 s), for callers who can do so while they wait for something else."""
    _environment().get_template("report.html.j2")


def _ordered(tests: TestReport) -> list[Case]:
    """Broken cases first, then flaky ones, then the rest in the order of the report, bounded."""
    return sorted(tests.cases, key=lambda case: (not case.broken, not case.flaky))[:MAX_CASES]


def _log(stage: str, log: str | Path) -> LogTail:
    text = read_tail(log) if isinstance(log, Path) else log
    return LogTail(stage, *last_lines(text, LOG_LINES, LOG_CHARACTERS))


def _grid(lanes: timeline.Timeline) -> str:
    """The rule that draws the axis' ticks behind every lane (numbers only: nothing untrusted enters the style)."""
    step = lanes.ticks[1].at if len(lanes.ticks) > 1 else 100.0
    return f":root {{ --tick: {step:.3f}%; }}\n"


def _policy(style: str, script: str) -> str:
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@cache
def _asset(name: str) -> str:
    return resources.files("ci_buildkit.report").joinpath(name).read_text("utf-8")


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FunctionLoader, StrictUndefined
    from markupsafe import Markup

    def harmless(value: object) -> object:
        return plain(value) if isinstance(value, str) and not isinstance(value, Markup) else value

    environment = Environment(
        loader=FunctionLoader(_asset),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=harmless,
    )
    environment.filters.update(
        duration=duration, size=size, plural=plural, line=one_line, place=place, link=_address, rule=_rule,
        title=facts.case_title, message=facts.case_message, share=facts.cache_share, notes=facts.stage_notes,
        details=lambda text: excerpt(text, DETAIL_LINES, DETAIL_CHARACTERS), repeat=_repeat, file=quote,
    )  # fmt: skip
    # The two assets are the only unescaped text, and they come from this package.
    environment.filters["trusted_asset"] = Markup
    environment.globals.update(
        generator=f"ci-buildkit {__version__}", words=facts.OUTCOME_WORDS,
        max_failed=MAX_FAILED, max_cases=MAX_CASES, max_findings=MAX_FINDINGS, max_rows=MAX_ROWS, log_lines=LOG_LINES,
    )  # fmt: skip
    return environment


def _address(url: str | None) -> str:
    """The address where it is http or https, else empty: no other scheme becomes a link."""
    return url if url and re.fullmatch(r"https?://[^\s<>\"'\\]+", url) else ""


def _rule(finding: Finding) -> str:
    return ": ".join(part for part in (one_line(finding.tool, 60), one_line(finding.rule, 100)) if part)


def _repeat(stage: str) -> str:
    """The command that repeats one stage by hand, from inside the report folder."""
    return f"docker buildx bake -f bake.json {shlex.quote(one_line(stage))}"
