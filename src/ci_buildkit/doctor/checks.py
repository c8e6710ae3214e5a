"""BuildKit's own checks of a Dockerfile and of what `bake --print` says, asked through docker. Starts processes."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from msgspec import Struct

from ci_buildkit.doctor.diagnosis import Diagnosis
from ci_buildkit.engine.buildx import Buildx, explain
from ci_buildkit.errors import CiBuildkitError, ConfigurationError

SECONDS = 60.0
AT_ONCE = 4  # questions; each is a process that mostly waits
MOST = 50  # files that are asked about; a question takes some tenths of a second
PLACE = re.compile(r"\.(?:hcl|json):(\d+)(?:,\d+(?:-\d+)?)?: (.+?)\.?(?:, and \d+ other diagnostic\(s\))?$")
# Images that could not be looked at, which says nothing against the file. One that a registry does not have is not meant.
UNREACHED = re.compile(
    r"failed to (?:resolve|do request|fetch|authorize|copy)(?!.*: not found)|no such host|i/o timeout", re.DOTALL
)
# Which of our rules say the same of a line as one of BuildKit's.
SAME: Mapping[str, frozenset[str]] = {
    "DuplicateStageName": frozenset({"duplicate-stage"}),
    "SecretsUsedInArgOrEnv": frozenset({"secret-in-image"}),
    "UndefinedArgInFrom": frozenset({"undeclared-from"}),
    "UndefinedVar": frozenset({"undeclared-variable", "misspelt-variable", "empty-version"}),
}


class Question(Struct, frozen=True):
    """A Dockerfile to ask about, with its context and what our rules said; paths are relative to the examined folder."""

    path: str
    context: str
    told: tuple[Diagnosis, ...]


class Checks:
    """The questions. `trouble` is why nobody answered, "" where all went well."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        """`environ` is the environment of docker's processes."""
        self._buildx = Buildx(environ)
        self._left = MOST
        self.trouble = ""

    def dockerfiles(self, root: Path, questions: Sequence[Question]) -> list[Diagnosis]:
        """What BuildKit says of Dockerfiles beyond what is told already, some at a time."""
        with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
            answers = pool.map(lambda question: list(self._dockerfile(root, question)), questions)
            return [one for answer in answers for one in answer]

    def _dockerfile(self, root: Path, question: Question) -> Iterable[Diagnosis]:
        path, where = str(root / question.path), str(root / question.context)
        answer = self._ask("build", "--call=check,format=json", "--file", path, where)
        if answer is None:
            return ()
        if isinstance(answer, str):
            said = f"BuildKit's own checks did not run: {answer}"
            return (Diagnosis(question.path, None, "checks-not-run", "notice", said),)
        return beyond(answer, question)

    def bake(self, root: Path, path: str, told: Collection[Diagnosis]) -> Iterator[Diagnosis]:
        """Why bake refuses a file, where it does and nothing of ours says so."""
        if any(one.severity == "error" for one in told) or self._left <= 0 or self.trouble:
            return
        self._left -= 1
        try:
            names = self._buildx.bake_targets(root / path)
            self._buildx.bake_print(root / path, names)
        except ConfigurationError as error:
            yield _refused(path, error.message)
        except CiBuildkitError as error:
            self.trouble = error.message

    def _ask(self, *words: str) -> object:
        """The JSON that docker prints, the text of its error where it prints none; None where nobody answers.

        With findings it exits 1.
        """
        if self._left <= 0 or self.trouble:
            return None
        self._left -= 1
        command = [*self._buildx.command, "buildx", *words[:1], "--progress=quiet", *words[1:]]
        try:
            self._buildx.check()
            done = subprocess.run(
                command, env=self._buildx.environment, capture_output=True, check=False, timeout=SECONDS
            )
            return json.loads(done.stdout)
        except ValueError:
            error = explain(done.stderr.decode(errors="replace"))
        except CiBuildkitError as raised:
            self.trouble = raised.message
            return None
        except (OSError, subprocess.TimeoutExpired) as raised:
            self.trouble = f"docker buildx did not answer: {raised}"
            return None
        if error.hint:  # an engine trouble that `explain` knew
            self.trouble = error.message
            return None
        return error.message.splitlines()[-1] if error.message else "docker buildx said nothing"


def beyond(answer: object, question: Question) -> Iterator[Diagnosis]:
    """What BuildKit's answer says of a Dockerfile that was not told already.

    BuildKit ends at the first error, so it adds none to errors of ours, nor anything to a line that has one.
    """
    from ci_buildkit.findings.buildkit import BUILD_ERROR, from_document
    from ci_buildkit.findings.model import Finding
    from ci_buildkit.paths import PathMapper
    from ci_buildkit.reader import Source

    told = question.told
    has_errors = any(one.severity == "error" for one in told)
    for finding in from_document(answer, Source(question.path, PathMapper())):
        if not isinstance(finding, Finding) or (finding.rule == BUILD_ERROR and has_errors):
            continue
        ours = [one for one in told if one.line == finding.line]
        same = SAME.get(finding.rule, frozenset())
        if not any(one.severity == "error" or one.rule in same for one in ours):
            is_away = finding.rule == BUILD_ERROR and bool(UNREACHED.search(finding.message))
            severity = "notice" if is_away else finding.severity
            yield Diagnosis(question.path, finding.line, finding.rule, severity, finding.message)


def _refused(path: str, message: str) -> Diagnosis:
    """What bake says, as far as it can be told in a sentence: the place and reason that HCL gives, else all of it."""
    for line in message.splitlines():
        if found := PLACE.search(line):
            return Diagnosis(path, int(found[1]), "bake-refused", "error", found[2])
    return Diagnosis(path, None, "bake-refused", "error", " ".join(message.split()))


def unasked(trouble: str) -> Iterable[Diagnosis]:
    """The notice that BuildKit's own checks did not run."""
    if trouble:
        yield Diagnosis("", None, "checks-not-run", "notice", f"BuildKit's own checks did not run: {trouble}")
