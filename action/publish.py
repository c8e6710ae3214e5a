"""Publish the report on GitHub: the input `publish` as flags of `ci-buildkit publish`, in this very process.

What GitHub refuses is a notice, not a failure: the same workflow runs for forks, whose token only reads. A release is only
made where a tag was pushed; there a refusal is a failure.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from ci_buildkit.__main__ import main as command
from ci_buildkit.errors import ConfigurationError
from ci_buildkit.github.runner import command as workflow_command
from ci_buildkit.report.text import plain

if TYPE_CHECKING:
    from collections.abc import Mapping

WORDS = ("check", "comment")
RELEASE = "release"


def arguments(environ: Mapping[str, str]) -> list[str]:
    """The command's words; none where there is nothing to publish, a release without a tag.

    Raises:
        ConfigurationError: the input holds a word that it does not take.
    """
    wished = environ["CI_BUILDKIT_PUBLISH"].replace(",", " ").split()
    unknown = [word for word in wished if word not in {*WORDS, RELEASE}]
    if unknown:
        raise ConfigurationError(
            f"the input publish holds {unknown[0]!r}", hint=f"it takes {', '.join(WORDS)} and {RELEASE}"
        )
    release = RELEASE in wished and environ.get("GITHUB_REF", "").startswith("refs/tags/")
    if not release and set(wished) == {RELEASE}:
        return []
    left_out = [f"--no-{word}" for word in WORDS if word not in wished]
    return [
        "publish",
        "--changes-only",
        *("--report-dir", environ["CI_BUILDKIT_REPORT_DIR"]),
        *("--name", environ["CI_BUILDKIT_NAME"]),
        *left_out,
        *(["--release-assets"] if release else []),
        *(["--draft"] if release and environ.get("STEP_DRAFT") == "true" else []),
    ]


def main(environ: Mapping[str, str]) -> int:
    """Publish; returns the command's exit code, or 2 with an annotation."""
    try:
        words = arguments(environ)
    except ConfigurationError as error:
        print(workflow_command("error", plain(str(error)), {"title": "ci-buildkit"}), flush=True)
        return error.exit_code
    if not words:
        print("nothing to publish: a release is made where a tag is pushed", flush=True)
        return 0
    sys.argv = ["ci-buildkit", *words]
    return int(command() or 0)


if __name__ == "__main__":
    sys.exit(main(os.environ))
