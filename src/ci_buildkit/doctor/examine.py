"""Examines a folder or a file: which files there are, what the rules say of each, and what docker adds."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from msgspec import Struct, field
from msgspec.structs import replace

from ci_buildkit.checkout import git
from ci_buildkit.config.options import CONFIG_FILE, Options
from ci_buildkit.doctor import bake, bakefile, find, parse, rules
from ci_buildkit.doctor.around import Around
from ci_buildkit.doctor.bakefile import BakeFile
from ci_buildkit.doctor.checks import Checks, Question, unasked
from ci_buildkit.doctor.diagnosis import Diagnosis
from ci_buildkit.doctor.flaw import Rule
from ci_buildkit.doctor.lines import mended
from ci_buildkit.doctor.parsed import Parsed
from ci_buildkit.doctor.surroundings import Surroundings
from ci_buildkit.errors import ConfigurationError

OTHER_ENDS = (".yml", ".yaml", ".hcl", ".json")  # of a file that is named and is no Dockerfile
REPAIRS = 20  # how often one rule repairs a file; each time another word of a line
SEVERITIES = ("error", "warning", "notice")
FROM = re.compile(r"^\s*FROM\s+\S", re.IGNORECASE | re.MULTILINE)
TEMPLATE = re.compile(r"^\s*(?:FROM\s[^\n]*\{\{|\{%|\{\{|<%)", re.IGNORECASE | re.MULTILINE)
PLACE = re.compile(rf".*{re.escape(CONFIG_FILE)}(?::(\d+))?(?::\d+)?")
L = TypeVar("L")


class Report(Struct):
    """What was looked at, and all that is wrong: by file, in the order of lines. Paths are relative to `root`."""

    root: Path
    dockerfiles: int = 0
    bake_files: int = 0
    workflows: int = 0
    environment: bool = False
    problems: list[Diagnosis] = field(default_factory=list)

    @property
    def has_errors(self) -> bool:
        """Whether anything is an error."""
        return any(one.severity == "error" for one in self.problems)


def dockerfile(path: str, text: str, around: Around | None = None) -> tuple[list[Diagnosis], Parsed]:
    """All that the rules say of a Dockerfile, and the file as it was meant."""
    return _through(rules.RULES, path, text, lambda repaired: parse.parse(path, repaired, around))


def bake_file(file: BakeFile) -> list[Diagnosis]:
    """All that the rules say of a bake file."""

    def read(text: str) -> BakeFile:
        new = bakefile.parse(file.path, text)
        return replace(file, text=text, lines=new.lines, root=new.root, broken=new.broken)

    return _through(bake.RULES, file.path, file.text, read)[0]


def _through(table: Sequence[Rule[L]], path: str, text: str, read: Callable[[str], L]) -> tuple[list[Diagnosis], L]:
    """What each rule says; behind one that repairs, the others see the text with its fixes."""
    found: dict[tuple[object, ...], Diagnosis] = {}
    looked = read(text)
    for rule in table:
        said = list(rule.diagnoses(path, looked))
        _add(found, said)
        for _ in range(REPAIRS):
            repaired = mended(text, said) if rule.repairs else text
            if repaired == text:
                break
            text = repaired
            looked = read(text)
            said = list(rule.diagnoses(path, looked))
            _add(found, [one for one in said if one.fix is not None])
    return list(found.values()), looked


def _add(found: dict[tuple[object, ...], Diagnosis], said: Iterable[Diagnosis]) -> None:
    """Keeps what was not said yet: the fix of a line differs once another word of it is mended."""
    for one in said:
        found.setdefault((one.path, one.line, one.rule, one.message), one)


def examine(path: Path, environ: Mapping[str, str], *, environment: bool | None = None) -> Report:
    """All that is wrong with a folder, or with one file.

    `environment` says whether docker is asked and the machine is looked at; by default docker is, and the machine with a
    folder. Raises ConfigurationError for a path that does not exist.
    """
    if not path.exists():
        raise ConfigurationError(f"there is no file or folder {path}", hint="name a repository's folder, or one file")
    root, only = (path, "") if path.is_dir() else _place(path)
    report = _Examination(root, only, environ, asks=environment is not False).report()
    if environment or (environment is None and not only):
        from ci_buildkit.doctor import environment as machine

        report.environment = True
        report.problems += machine.examine(root, environ)
    report.problems = sorted(_once(report.problems), key=_order)
    return report


def _place(path: Path) -> tuple[Path, str]:
    """The folder of a file and its path in it: the working directory where it lies in that."""
    for root in (Path(), path.parent):
        if path.absolute().is_relative_to(root.absolute()):
            return root, path.absolute().relative_to(root.absolute()).as_posix()
    return path.parent, path.name


def _once(problems: Iterable[Diagnosis]) -> Iterator[Diagnosis]:
    """Without a second one that would write the same line into the same file."""
    seen: set[tuple[str, str, str]] = set()
    for one in dict.fromkeys(problems):
        key = (one.path, one.rule, one.fix or "")
        if one.line is not None or one.fix is None or key not in seen:
            seen.add(key)
            yield one


def _order(one: Diagnosis) -> tuple[bool, str, int, int]:
    return not one.path, one.path, one.line or 0, SEVERITIES.index(one.severity)


class _Examination:
    """One look at a folder; `only` is the one file that is meant, "" for all."""

    def __init__(self, root: Path, only: str, environ: Mapping[str, str], *, asks: bool) -> None:
        self._root = root
        self._only = only
        self._files = find.files(root)
        self._environ = environ
        self._asked = Checks(environ) if asks else None
        self._report = Report(root)
        self._options = self._load()

    def report(self) -> Report:
        """Looks at everything but the machine."""
        bake_files = self._bake_files()
        parsed = self._dockerfiles(bake_files)
        for file in bake_files:
            if self._is_meant(file.path):
                self._bake(replace(file, dockerfiles=parsed), bake_files)
        self._workflows()
        if parsed and not self._only:
            self._git_ignored()
        self._report.problems += unasked(self._asked.trouble) if self._asked else ()
        return self._report

    def _is_meant(self, path: str) -> bool:
        return self._only in {"", path}

    def _load(self) -> Options:
        """The options in force; what is wrong with the settings file is a problem of it."""
        from ci_buildkit.config import sources

        try:
            return sources.load({"context": self._root}, self._environ).options
        except ConfigurationError as error:
            if self._is_meant(CONFIG_FILE):
                self._report.problems += map(self._misset, error.message.splitlines())
            return Options()

    def _misset(self, message: str) -> Diagnosis:
        """One thing that is wrong with the settings, in the file or, without a path, in a variable."""
        place, _, rest = message.partition(": ")
        found = PLACE.fullmatch(place)
        if found is None:
            return Diagnosis("", None, "wrong-setting", "error", message)
        return Diagnosis(CONFIG_FILE, int(found[1]) if found[1] else None, "wrong-setting", "error", rest)

    def _bake_files(self) -> list[BakeFile]:
        named = [self._only] if self._only.endswith((".hcl", ".json")) else []
        paths = dict.fromkeys([*self._files.bake_files, *named])
        read = [(path, self._read(path)) for path in paths]
        parsed = [bakefile.parse(path, text) for path, text in read if text is not None and is_bake(path, text)]
        return [replace(file, files=frozenset(self._files.all)) for file in parsed]

    def _read(self, path: str) -> str | None:
        text = self._files.read(path)
        if text is None and self._is_meant(path):
            said = "it cannot be read, is no text, or is larger than a MiB"
            self._report.problems.append(Diagnosis(path, None, "unreadable", "error", said))
        return text

    def _dockerfiles(self, bake_files: Sequence[BakeFile]) -> dict[str, Parsed]:
        """Looks at every Dockerfile; those that could be read, as they were meant."""
        named = {file.dockerfile(block) for file in bake_files for block in file.of_kind("target")}
        named |= {self._options.file.as_posix() if self._options.file else None}
        surroundings = Surroundings(self._files, self._options, bake_files)
        there = [path for path in self._files.all if find.is_dockerfile(path) or path in named]
        if self._only and self._only not in there and not self._only.endswith(OTHER_ENDS):
            there.append(self._only)
        found = {}
        questions = []
        for path in there:
            text = self._read(path)
            if text is not None and path != self._only and path not in named and not is_dockerfile(path, text):
                continue
            self._report.dockerfiles += self._is_meant(path)
            if text is None:
                continue
            around = surroundings.of(path, text)
            told, found[path] = dockerfile(path, text, around)
            if self._is_meant(path):
                self._report.problems += told
                context = posixpath.dirname(around.ignore_file or path)
                questions.append(Question(path, context, tuple(told)))
        self._report.problems += self._asked.dockerfiles(self._root, questions) if self._asked else ()
        return found

    def _bake(self, file: BakeFile, all_files: Sequence[BakeFile]) -> None:
        beside = [other.names() for other in all_files if other.folder == file.folder and other.path != file.path]
        told = bake_file(replace(file, beside=frozenset().union(*beside)))
        self._report.bake_files += 1
        self._report.problems += told
        # A file that overrides another one makes no sense alone.
        if self._asked and ".override." not in file.path:
            self._report.problems += self._asked.bake(self._root, file.path, told)

    def _workflows(self) -> None:
        from ci_buildkit.doctor import workflows

        found = [path for path in self._files.all if path.startswith(".github/workflows/") and self._is_meant(path)]
        self._report.workflows = len(found)
        if not self._only or self._only.endswith((".yml", ".yaml")):
            self._report.problems += (one for one in workflows.examine(self._root) if self._is_meant(one.path))

    def _git_ignored(self) -> None:
        """The report folder in a repository that does not ignore it: every report is offered for a commit."""
        folder = self._options.report_dir
        if folder.is_absolute() or ".." in folder.parts or git.top(self._root) is None:
            return
        if not git.ignores(self._root, f"{folder.as_posix()}/run.json"):
            said = f"Git does not ignore the report folder {folder.as_posix()}: reports would be committed"
            self._report.problems.append(
                Diagnosis(".gitignore", None, "report-in-git", "notice", said, f"/{folder.as_posix()}/", safe=True)
            )


def is_dockerfile(path: str, text: str) -> bool:
    """Whether a file that is called like a Dockerfile is one, and no template of one."""
    is_named = path.rpartition("/")[2] in {"Dockerfile", "Containerfile"}
    return (is_named or bool(FROM.search(text))) and not TEMPLATE.search(text)


def is_bake(path: str, text: str) -> bool:
    """Whether a file that is called like a bake file is one."""
    return path.rpartition("/")[2].startswith("docker-bake") or bool(
        re.search(r'"?\b(?:target|group)\b"?\s*[":{]', text)
    )
