"""Text of strangers that becomes a part of a script: `${{ github.event... }}` inside of `run:`. Pure.

GitHub writes the value into the script before the shell reads it (docs.github.com, "Script injections"). Numbers, commits and
addresses that GitHub makes itself are no danger, nor is what a function or comparison makes of a text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ci_buildkit.doctor.flaw import Flaw
from ci_buildkit.doctor.workflow import EXPRESSION, Step, Workflow
from ci_buildkit.doctor.workflowfile import Value

# What whoever opens an issue, comments, or pushes to a fork writes himself.
STRANGERS = re.compile(
    r"github\.head_ref"
    r"|github\.event\.(?:issue|comment|review|review_comment|discussion)\.(?:title|body)"
    r"|github\.event\.pull_request\.(?:title|body)"
    r"|github\.event\.pull_request\.head\.(?:ref|label|repo\.(?:default_branch|description|homepage))"
    r"|github\.event\.(?:commits[\w.*\[\]]*|head_commit)\.(?:message|(?:author|committer)\.(?:email|name))"
    r"|github\.event\.workflow_run\.(?:head_branch|display_title|head_commit\.(?:message|author\.(?:email|name))"
    r"|head_repository\.(?:description|default_branch))"
    r"|github\.event\.pages[\w.*\[\]]*\.page_name"
    r"|toJSON\(\s*github(?:\.event(?:\.(?:pull_request|issue|comment|review|head_commit|commits))?)?\s*\)",
    re.IGNORECASE,
)
LITERAL = re.compile(r"'(?:[^']|'')*'")
# What makes true, false or a hash of a text, or asks only whether there is one.
HARMLESS = re.compile(
    r"\b(?:contains|startsWith|endsWith|hashFiles)\([^()]*\)|[\w.\[\]*-]+\s*[=!]=\s*[\w.\[\]*-]*|!\s*[\w.]+"
    r"|[\w.\[\]*-]+\s*&&",
    re.IGNORECASE,
)
# Events that run with the rights of this repository whoever causes them.
PRIVILEGED = frozenset(
    [
        "discussion",
        "discussion_comment",
        "issue_comment",
        "issues",
        "pull_request_target",
        "workflow_run",
        "fork",
        "watch",
        "gollum",
    ]
)


def injections(workflow: Workflow) -> Iterator[Flaw]:
    """Expressions with the text of strangers in shell scripts, and in JavaScript of actions/github-script."""
    events = sorted(PRIVILEGED.intersection(workflow.events))
    for _, step in workflow.steps:
        script = _script(step)
        if script is None:
            continue
        seen: set[str] = set()
        for match in EXPRESSION.finditer(script.text or ""):
            name = dangerous(match[0])
            if not name or name in seen:
                continue
            seen.add(name)
            line = workflow.file.find(match[0].splitlines()[0], script)
            yield _flaw(name, line, events)


def _flaw(name: str, line: int, events: list[str]) -> Flaw:
    how = f'pass it with env: (`TEXT: ${{{{ {name} }}}}`) and write "$TEXT" in the script'
    said = f"{name} is text of whoever causes the event, and becomes a part of this script"
    if events:
        return Flaw(line, f"{said}, which {events[0]} runs with this repository's rights; {how}", severity="error")
    return Flaw(line, f"{said}; {how}")


def _script(step: Step) -> Value | None:
    if step.is_action("actions/github-script"):
        return step.inputs.get("script")
    return step.script


def dangerous(expression: str) -> str:
    """The first text of strangers that an expression gives; "" where it gives none."""
    left = HARMLESS.sub(" ", LITERAL.sub(" ", expression))
    match = STRANGERS.search(left)
    return match[0] if match else ""
