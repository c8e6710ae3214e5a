"""Test stages whose failure is lost: it is taken for success, or nothing of it reaches the outside. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from ci_buildkit.doctor import shell, stages
from ci_buildkit.doctor.flaw import Flaw
from ci_buildkit.doctor.images import sources
from ci_buildkit.doctor.parsed import Instruction, Parsed, Section
from ci_buildkit.doctor.testtools import WRITES, TestTool, tool_of
from ci_buildkit.plan import kinds

# Commands that end well whatever went before.
SUCCEED = re.compile(r"(?:true|:|echo\b.*|exit 0|printf\b.*)$")
# What a pipeline may end in that says nothing of what came before.
SINKS = re.compile(r"(?:tee|cat|sed|awk|jq|head|tail|ts|go-junit-report(?!.*-set-exit-code)|tap-\S+|xmllint)\b")
KEEPS_CODE = re.compile(r"\$\?|PIPESTATUS|exit-code|exit_code|exitcode", re.IGNORECASE)
PIPEFAIL = re.compile(r"-[a-z]*o[a-z]*[\s\"',]+pipefail")
OUTCOMES = {
    "none": "this is always green",
    "unknown": "this is always green, unless a report says otherwise",
    "some": "a run that breaks before its report is whole looks like a good one",
}
HOW = "`{ COMMAND; echo $? > /out/exit-code; }` keeps the exit code beside the reports"


class Run(NamedTuple):
    """A step that runs tests: the stage, the instruction, its commands, which of them, and the tool."""

    section: Section
    one: Instruction
    commands: tuple[shell.Command, ...]
    at: int
    tool: TestTool


def _runs(file: Parsed) -> Iterator[Run]:
    """The steps that run tests, in any stage; the first command of each."""
    for section in file.sections:
        for one in section.body:
            commands = shell.commands(one.script)
            for at, command in enumerate(commands):
                if tool := tool_of(command.plain):
                    yield Run(section, one, commands, at, tool)
                    break


def _test_stages(file: Parsed) -> frozenset[str]:
    """The stages whose steps make test results: test targets, and what those gather from."""
    targets = [name for name, kind in stages.classified(file).items() if kind == "test"]
    usual = kinds.USUAL_NAMES["test"].__contains__
    return frozenset(name for target in targets for name in file.graph.makers(target, usual))


def false_green(file: Parsed) -> Iterator[Flaw]:
    """Steps that succeed though their tests fail, and do not keep the exit code."""
    named = _test_stages(file)
    for run in _runs(file):
        why = _swallowed(run) or _piped(run, file)
        if not why or KEEPS_CODE.search(run.one.script):
            continue
        reports = _reports(run, file)
        is_lost = reports == "none" and run.section.key in named
        yield Flaw(
            run.one.line,
            f"{run.tool.name} may fail and the step succeeds, because {why}: {OUTCOMES[reports]}; {HOW}",
            severity="error" if is_lost else "warning",
        )


def _swallowed(run: Run) -> str:
    """How the end of the step hides a failure: `|| true`, `; exit 0`."""
    command, rest = run.commands[run.at], run.commands[run.at + 1 :]
    if command.after == "||" and rest and SUCCEED.match(rest[0].line):
        return f"of `|| {rest[0].line}`"
    is_strict = re.search(r"(?:^|\s)set -[a-z]*e", run.one.script) or any(_is_strict(one) for one in run.section.body)
    if command.after in {";", "\n"} and rest and not is_strict and SUCCEED.match(rest[-1].line):
        return f"it ends with `{rest[-1].line}`"
    return ""


def _is_strict(one: Instruction) -> bool:
    return one.keyword == "SHELL" and any(re.match(r"-[a-z]*e", word) for word in one.words)


def _piped(run: Run, file: Parsed) -> str:
    """Whether the step ends as what the tests are piped into ends."""
    before = file.before(run.section, run.one.line)
    shells = " ".join(one.text for one in before if one.keyword == "SHELL")
    if PIPEFAIL.search(f"{run.one.script}\n{shells}") or run.commands[run.at].after not in {"|", "|&"}:
        return ""
    sink = run.commands[run.at + 1] if len(run.commands) > run.at + 1 else None
    if sink is None or not SINKS.match(sink.line):
        return ""
    return f"a pipe ends as its last command does, here {sink.words[0]} (`set -o pipefail` where the shell is bash)"


def _reports(run: Run, file: Parsed) -> Literal["some", "none", "unknown"]:
    """Whether the tests write a report, or print one that is read from the log."""
    bodies = "\n".join(f"{one.text}\n{one.script}" for section in file.chain(run.section) for one in section.body)
    if WRITES.search(bodies) or run.tool.settings.search(file.around.settings):
        return "some"
    if run.tool.reports is None or any(word.startswith("$") for word in run.commands[run.at].words):
        return "unknown"
    return "some" if run.tool.reports.search(bodies) else "none"


def no_report(file: Parsed) -> Iterator[Flaw]:
    """Test stages that write no report and print none that could be read from the log."""
    named = _test_stages(file)
    for run in _runs(file):
        if run.section.key in named and _reports(run, file) == "none":
            yield Flaw(
                run.one.line,
                f"{run.tool.name} writes no report here, so nobody can say which tests ran: {run.tool.advice}",
            )


def lost(file: Parsed) -> Iterator[Flaw]:
    """Test steps that fail with their tests, where a stage that gathers the reports is built from them."""
    named = _test_stages(file)
    gatherers = [one for one in file.sections if one.key in named and one.base.lower() == "scratch"]
    for run in _runs(file):
        if KEEPS_CODE.search(run.one.script) or _swallowed(run) or _piped(run, file):
            continue
        for gatherer in gatherers:
            if source := _taken(gatherer, run.section):
                yield _never_built(file, run, gatherer, source)
                break


def _never_built(file: Parsed, run: Run, gatherer: Section, source: str) -> Flaw:
    """`source` is what the gathering stage copies: a file, or the folder that would hold the exit code too."""
    last = source.rpartition("/")[2]
    is_file = "." in last or "$" in last
    folder = source.rpartition("/")[0] if is_file else source
    also = ", once that is copied too" if is_file else ""
    return Flaw(
        run.one.line,
        f"when tests fail this step fails, and {gatherer.title} that copies its reports is never built: nothing is exported; "
        f"`{{ COMMAND; echo $? > {folder}/exit-code; }}` keeps the exit code and goes on{also}",
        None if is_file else _keeping(file, run, folder),
    )


def _taken(gatherer: Section, section: Section) -> str:
    """What a stage copies out of another one; "" where it copies nothing, or everything."""
    for one in gatherer.body:
        if one.keyword == "COPY" and {section.name, str(section.number)} & {word.lower() for word in sources(one)}:
            return one.words[0].rstrip("/") if one.words else ""
    return ""


def _keeping(file: Parsed, run: Run, folder: str) -> str | None:
    """The line with the exit code kept; only for a step of one command on one line."""
    if len(run.commands) > 1 or run.one.line != run.one.end_line or run.one.heredocs:
        return None
    line = file.lines[run.one.line - 1].rstrip()
    at = line.rfind(run.one.script.strip())
    if at < 0:
        return None
    return f"{line[:at]}mkdir -p {folder}; {{ {line[at:]}; echo $? > {folder}/exit-code; }}"
