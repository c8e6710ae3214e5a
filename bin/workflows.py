"""`python bin/workflows.py`: what reusable workflows have of the options, the action and each other, between two marks.

A new option becomes an input of every workflow by running it. With `--check` nothing is written: exit code 1 where a file
is out of date. `make lint` calls that.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from ci_buildkit.config.options import Options, flag_of, option_string
from ci_buildkit.github.step import unset

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".github" / "workflows"
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
REGION = re.compile(r"(?ms)^( *)# made by bin/workflows.py: ([\w-]+)\n.*?^ *# until here\n")

# Options that are no inputs of a workflow, and why; those of the action that are none either.
NOT_ANYWHERE = {
    "progress": "the log of a job is GitHub's own",
    "github-token": "a secret, so it is one of the workflow's secrets",
}
LEFT_OUT: Mapping[str, Mapping[str, str]] = {
    "pipeline.yml": {**NOT_ANYWHERE, "runner": "all stages run on one runner, which runs-on names"},
    "distributed.yml": {
        **NOT_ANYWHERE,
        "push-by-digest": "what push says: each runner pushes by digest, and the images get their tags at the end",
        "oci-layout": "images that are not pushed stay on the runner that built them",
        "builder": "each runner makes its own",
        "node": "each runner is a machine of its own already",
        "driver": "each runner makes a builder in a container",
    },
    "release.yml": {
        **NOT_ANYWHERE,
        "runner": "all stages run on one runner, which runs-on names",
        "push": "an input of this workflow's own, whose default is true",
        "push-by-digest": "a release has tags",
        "stages": "a release runs all of them",
        "no-cache": "the settings file can say so",
        "fail-on": "a release is as strict as the settings file says",
        "publish": "the release itself, by a job of its own that has the permission",
        "upload-artifacts": "the jobs of the release hand files on as artifacts",
    },
}
NOT_PASSED = "report-dir"  # a folder of a runner that is gone
VERDICT = {"outcome", "exit-code", "verdict"}  # outputs that a verdict on several projects has too
# Inputs of the action that are no options, and are inputs of workflows.
OWN = ("artifact-name", "retention-days", "publish", "upload-artifacts")


def names(file: str) -> list[str]:
    """The inputs of a workflow that are options."""
    known = [option_string(name) for name in Options.model_fields if flag_of(name).action or name == "runner"]
    return [name for name in known if name not in LEFT_OUT[file]]


def own(file: str) -> list[str]:
    """The inputs of a workflow that are the action's own."""
    return [name for name in OWN if name not in LEFT_OUT[file]]


def default(name: str) -> str | int | bool:
    """The default of an input of a workflow."""
    if name in OWN:
        written = str(ACTION["inputs"][name]["default"])
        return json.loads(written) if re.fullmatch(r"\d+|true|false", written) else written
    return unset(name.replace("-", "_"))


def described(name: str) -> str:
    """What a workflow says of an input: the action's words, and what is not said there because its inputs are text."""
    if name == "runner":
        return (
            "Runners of platforms: default=LABEL, and LABEL of the platforms that begin so, for example linux/arm=LABEL; the "
            "longest beginning wins. LABEL can be a JSON list, as runs-on takes it. One a line."
        )
    text = str(ACTION["inputs"][name]["description"])
    if name in OWN:
        return text
    nothing = default(name)
    if isinstance(nothing, bool):
        text = re.sub(r" true or false; default: (true|false)\.$", "", text)
        return f"{text} {json.dumps(nothing).capitalize()} leaves it to ci-buildkit.yml."
    return f"{text} {nothing} leaves it to ci-buildkit.yml." if isinstance(nothing, int) else text


def value(name: str) -> str:
    """The expression that passes an input of a workflow on to the action, whose inputs are text and may be empty."""
    nothing = default(name)
    here = f"inputs.{name}"
    if name in OWN or isinstance(nothing, str):
        return f"${{{{ {here} }}}}"
    if isinstance(nothing, bool):
        return f"${{{{ {'!' if nothing else ''}{here} && '{json.dumps(not nothing)}' || '' }}}}"
    return f"${{{{ {here} != {nothing} && format('{{0}}', {here}) || '' }}}}"


def inputs(file: str) -> Iterator[str]:
    """The declarations of inputs."""
    kinds = {bool: "boolean", int: "number", str: "string"}
    for name in [*names(file), *own(file)]:
        nothing = default(name)
        yield f"{name}:"
        yield f"  description: {json.dumps(described(name))}"
        yield f"  type: {kinds[type(nothing)]}"
        yield f"  default: {json.dumps(nothing)}"


def arguments(file: str) -> Iterator[str]:
    """What the action is given. What each job of a matrix has of its own stands in the file."""
    given = {
        "pipeline.yml": ("context", "artifact-name"),
        "distributed.yml": (
            "stages", "platform", "push", "immutable-tags", "sign", "runner", "artifact-name", "publish", "upload-artifacts",
        ),
    }  # fmt: skip
    for name in [*names(file), *own(file)]:
        if name not in given[file]:
            yield f"{name}: {value(name)}"


def passed(file: str) -> Iterator[str]:
    """What one workflow passes to another: the same inputs of the same types."""
    for name in [*names(file), *own(file)]:
        yield f"{name}: ${{{{ inputs.{name} }}}}"


def step_outputs(_: str) -> Iterator[str]:
    """The outputs of the job that runs the action, or joins what it made."""
    for name in ACTION["outputs"]:
        if name != NOT_PASSED:
            yield f"{name}: ${{{{ steps.ci.outputs.{name} }}}}"


def outputs(file: str) -> Iterator[str]:
    """The outputs of a workflow. Of several projects none is the one that is meant, so only the verdict tells of them.

    Which job is meant is asked of the inputs: under act a job that was skipped has expressions as its outputs.
    """
    job = {"pipeline.yml": "pipeline", "distributed.yml": "verdict", "release.yml": "pipeline"}[file]
    for name, one in ACTION["outputs"].items():
        if name == NOT_PASSED:
            continue
        found = f"jobs.{job}.outputs.{name}"
        if file == "pipeline.yml":
            several = f"inputs.projects != '' && jobs.verdict.outputs.{name} || " if name in VERDICT else ""
            found = f"{several}inputs.projects == '' && {found} || ''"
        yield f"{name}:"
        yield f"  description: {json.dumps(one['description'])}"
        yield f"  value: ${{{{ {found} }}}}"


KINDS = {"inputs": inputs, "with": arguments, "pass": passed, "step-outputs": step_outputs, "outputs": outputs}


def made(file: str, text: str) -> str:
    """The text of a workflow with everything between the marks made anew."""

    def region(found: re.Match[str]) -> str:
        indent, kind = found.groups()
        lines = [f"# made by bin/workflows.py: {kind}", *KINDS[kind](file), "# until here"]
        return "".join(f"{indent}{line}\n" for line in lines)

    return REGION.sub(region, text)


def outdated() -> list[Path]:
    """The workflows that are not as they would be made."""
    found = [FOLDER / file for file in LEFT_OUT]
    return [path for path in found if (text := path.read_text(encoding="utf-8")) != made(path.name, text)]


def main() -> int:
    """Write, or with `--check` tell what is out of date; 0 when nothing is."""
    check = "--check" in sys.argv[1:]
    for path in outdated():
        print(
            f"{path.relative_to(ROOT)} is out of date; `python bin/workflows.py` makes it anew"
            if check
            else f"wrote {path.name}"
        )
        if not check:
            path.write_text(made(path.name, path.read_text(encoding="utf-8")), encoding="utf-8")
    return int(check and bool(outdated()))


if __name__ == "__main__":
    sys.exit(main())
