"""Which workflows run for which event. Pure but for the reading of files."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from pathlib import Path

from msgspec import Struct

from ci_buildkit.act import triggers, workflow
from ci_buildkit.act.triggers import Trigger
from ci_buildkit.act.workflow import Workflow
from ci_buildkit.errors import ConfigurationError, said

FOLDER = Path(".github", "workflows")
SUFFIXES = (".yml", ".yaml")
PREFERRED = (triggers.PUSH, triggers.PULL_REQUEST, triggers.DISPATCH)  # where no event is asked for
NEXT = "make one with `ci-buildkit init`"


class Choice(Struct, frozen=True):
    """The workflows that run, the event, and what is to be told about it."""

    workflows: tuple[Workflow, ...]
    event: str
    notes: tuple[str, ...]


def files(top: Path, name: str) -> list[Path]:
    """The file that a name stands for, or all workflows of the repository; relative to `top` where they are in it.

    A name is a path, a file name in .github/workflows with or without its ending, or a workflow's own `name:`. Raises
    ConfigurationError where there is none.
    """
    there = sorted(path for path in (top / FOLDER).glob("*") if path.suffix in SUFFIXES and path.is_file())
    if not name:
        if not there:
            raise ConfigurationError(f"there is no workflow in {top / FOLDER}", hint=NEXT)
        return there
    paths = [Path(name), top / name, *(top / FOLDER / f"{name}{suffix}" for suffix in ("", *SUFFIXES))]
    if found := next((path for path in paths if path.is_file()), None):
        return [found.resolve()]
    named = {title: path for path in there if (title := _title(path))}
    if name in named:
        return [named[name]]
    known = [*(path.name for path in there), *(path.stem for path in there), *named]
    listed = f"there are: {', '.join(path.name for path in there)}" if there else NEXT
    raise ConfigurationError(f"there is no workflow {name!r}", hint=_nearest(name, known) or listed)


def _title(path: Path) -> str:
    try:
        return load(path, path.name).name
    except ConfigurationError:  # act tells what is wrong with it when it is to run
        return ""


def load(path: Path, file: str) -> Workflow:
    """A workflow, called `file` in messages. Raises ConfigurationError where it cannot be read."""
    try:
        return workflow.parse(path.read_text(encoding="utf-8"), file)
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be read: {said(error)}") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{file} is not UTF-8: {error.reason}") from error


def event_of(workflows: Sequence[Workflow], asked: str) -> str:
    """The event's name as GitHub has it. Raises ConfigurationError where no workflow runs for it."""
    known = list(dict.fromkeys(event for one in workflows for event in one.events))
    if not asked:
        usual = [event for event in PREFERRED if event in known]
        if not known:
            raise ConfigurationError(f"{_files(workflows)}: `on:` names no event")
        return (usual or known)[0]
    event = triggers.PUSH if asked == triggers.TAG else asked
    if event in known:
        return event
    hint = _nearest(asked, [*known, triggers.TAG]) or f"its events: {', '.join(known)}"
    raise ConfigurationError(f"{_files(workflows)} does not run on {asked!r}", hint=hint)


def choose(workflows: Sequence[Workflow], trigger: Trigger, *, named: bool) -> Choice:
    """Those that GitHub would run. One that was asked for by name runs in any case, and it is told that GitHub would not.

    Raises ConfigurationError where none is left.
    """
    having = [one for one in workflows if trigger.event in one.events]
    fitting = [one for one in having if triggers.fires(one.events[trigger.event], trigger)]
    others = [one.file for one in having if one not in fitting]
    what = f"{trigger.event} of {trigger.ref}" if trigger.ref else trigger.event
    if named:
        notes = [f"GitHub would not run {file} for this {what}: the filters in `on:` say so" for file in others]
        return Choice(tuple(having), trigger.event, tuple(notes))
    if not fitting:
        raise ConfigurationError(
            f"no workflow runs for this {what}: the filters of {', '.join(others)} leave it out",
            hint="name a workflow to run it in any case",
        )
    notes = [f"{file} does not run for this {what}: the filters in `on:` say so" for file in others]
    return Choice(tuple(fitting), trigger.event, tuple(notes))


def _files(workflows: Iterable[Workflow]) -> str:
    return ", ".join(one.file for one in workflows)


def _nearest(word: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"did you mean {near[0]!r}?" if near else ""
