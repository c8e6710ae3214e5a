"""`report.html`: the whole run as one self-contained page that asks for nothing from anywhere.

The page's content security policy allows exactly its own style and script, by hash, and nothing else.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import shlex
from collections import Counter
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from msgspec import Struct

from ci_buildkit import __version__
from ci_buildkit.report import facts, pagedata, timeline
from ci_buildkit.report.logfile import read_tail
from ci_buildkit.report.text import duration, ends, last_lines, one_line, place, plain, size
from ci_buildkit.text import plural

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from jinja2 import Environment
    from markupsafe import Markup

    from ci_buildkit.findings.model import Finding
    from ci_buildkit.record import RunRecord
    from ci_buildkit.results.model import Case, TestReport

SCRIPTS = ("theme.js", "report.js")
MAX_FAILED = 200
MAX_UNFOLDED = 10
MAX_FINDINGS = 300
MAX_GROUP = 20
MAX_ROWS = 500
LOG_LINES = 400
LOG_CHARACTERS = 100_000


class LogTail(Struct, frozen=True):
    """The end of a stage's log; `clipped` says that the log is longer."""

    stage: str
    text: str
    clipped: bool


def render(
    record: RunRecord, tests: TestReport, *, logs: Mapping[str, str | Path], known: Sequence[Finding] = ()
) -> str:
    """The page.

    `known` are findings that do not count because a baseline lists them. `logs` holds the log of each stage by its name: its text, or the file of which the end is read. The lists are
    bounded and say what they leave out and which file has it. Without script the page shows what failed; with it, all
    tests and findings, to filter and to search.
    """
    lanes = timeline.lay_out(record)
    style = _asset("report.css") + _grid(lanes)
    scripts = {name: _asset(name) for name in SCRIPTS}
    findings = facts.all_findings(record, known)
    failed = _anchored(facts.broken_cases(record, tests))
    # A case that stands in the page twice keeps its texts in the data, else the second would show the first one's.
    times = Counter(anchor for anchor, _ in failed)
    return _environment().get_template("report.html.j2").render(
        record=record,
        tests=tests,
        totals=facts.totals_of(record, tests),
        failures=facts.failures(record, tests),
        reasons=facts.reasons(record, tests),
        timeline=lanes,
        failed=failed,
        groups=_groups(record, tests),
        found=len(findings),
        findings=facts.by_file(findings[:MAX_FINDINGS]),
        data=pagedata.collect(tests, findings, {anchor for anchor, _ in failed[:MAX_FAILED] if times[anchor] == 1}),
        logs=[log for log in (_log(name, text) for name, text in logs.items()) if log.text.strip()],
        style=style,
        scripts=scripts,
        policy=_policy(style, scripts.values()),
    )  # fmt: skip


def load(folder: Path) -> None:
    """Import and compile what `render` needs, for callers who can do so while they wait for something else.

    What was compiled (0.06 s) is kept in `folder`; a folder that cannot be written is no loss.
    """
    from jinja2 import FileSystemBytecodeCache

    environment = _environment()
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        environment.bytecode_cache = FileSystemBytecodeCache(str(folder))
        environment.get_template("report.html.j2")
    environment.bytecode_cache = None


def _anchored(cases: Iterable[Case]) -> list[tuple[str, Case]]:
    return [(facts.case_id(case), case) for case in cases]


def _groups(record: RunRecord, tests: TestReport) -> list[tuple[str, Sequence[Case]]]:
    """The short tables of cases that are worth a look though none of them makes the run red, by heading."""
    groups = [
        ("Let pass", facts.passable_cases(record, tests)),
        ("Flaky", facts.flaky_cases(tests)),
        ("Slowest", facts.slowest_cases(tests, 10)),
    ]
    return [(heading, cases) for heading, cases in groups if cases]


def _log(stage: str, log: str | Path) -> LogTail:
    text = read_tail(log) if isinstance(log, Path) else log
    return LogTail(stage, *last_lines(text, LOG_LINES, LOG_CHARACTERS))


def _grid(lanes: timeline.Timeline) -> str:
    """The rule that draws the axis' ticks behind every lane (numbers only: nothing untrusted enters the style)."""
    step = lanes.ticks[1].at if len(lanes.ticks) > 1 else 100.0
    return f":root {{ --tick: {step:.3f}%; }}\n"


def _policy(style: str, scripts: Iterable[str]) -> str:
    hashes = " ".join(f"'{_hash(script)}'" for script in scripts)
    return f"default-src 'none'; style-src '{_hash(style)}'; script-src {hashes}; base-uri 'none'; form-action 'none'"


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
        duration=duration, size=size, plural=plural, line=one_line, place=place, link=pagedata.address, rule=_rule,
        title=facts.case_title, message=facts.case_message, share=facts.cache_share, notes=facts.stage_notes,
        anchor=facts.case_id, critical=facts.critical_path, block=_block, repeat=_repeat, file=_file,
    )  # fmt: skip
    # The only unescaped text: the assets, which come from this package, and the data, which cannot end its element.
    environment.filters["trusted"] = Markup
    environment.globals.update(
        generator=f"ci-buildkit {__version__}", words=facts.OUTCOME_WORDS,
        max_failed=MAX_FAILED, max_findings=MAX_FINDINGS, max_rows=MAX_ROWS, max_group=MAX_GROUP, max_unfolded=MAX_UNFOLDED,
    )  # fmt: skip
    return environment


def _block(text: str) -> Markup:
    """A long text, bounded and escaped; here, because cleaning it once more would take longer than all the rest."""
    from markupsafe import escape

    return escape(ends(text, pagedata.MAX_BLOCK))


def _file(path: str) -> str:
    """The address of a file in the report's folder, whatever its name looks like: another host, a scheme."""
    return f"./{quote(plain(path))}"


def _rule(finding: Finding) -> str:
    return ": ".join(part for part in (one_line(finding.tool, 60), one_line(finding.rule, 100)) if part)


def _repeat(stage: str) -> str:
    """The command that repeats one stage by hand, from inside the report folder."""
    return f"docker buildx bake -f bake.json {shlex.quote(one_line(stage))}"
